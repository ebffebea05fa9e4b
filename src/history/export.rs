//! Everything as JSON that other programs can read: contacts, and each conversation with its lines. Written row by row, so
//! that a long history costs no memory, into a file beside the one asked for, which takes its place once it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::HistoryError;
use super::record::{Delivery, StoredContact, StoredFile, StoredKind, StoredLine};
use super::{contacts, lines};
use crate::rtmfp::PeerId;

/// The form of the export, in it as `tincan_history`.
const FORM: u32 = 1;

/// Writes the export.
///
/// # Errors
/// What SQLite or the system says; the file asked for is then as it was.
pub(super) fn write(connection: &Connection, to: &Path, now: SystemTime) -> Result<(), HistoryError> {
    let mut name = to.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = to.with_file_name(name);
    let written = write_whole(connection, &temporary, now)
        .and_then(|()| fs::rename(&temporary, to).map_err(HistoryError::from));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_whole(connection: &Connection, path: &Path, now: SystemTime) -> Result<(), HistoryError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // What people wrote to each other is nobody else's business, wherever it is put.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = BufWriter::new(options.open(path)?);
    write!(out, "{{\n\"tincan_history\": {FORM},\n\"exported_at\": {},\n\"contacts\": [", json!(date(now)))?;
    let mut first = true;
    for contact in contacts::all(connection)? {
        begin(&mut out, &mut first)?;
        to_json(&mut out, &contact_value(&contact))?;
    }
    write!(out, "\n],\n\"conversations\": [")?;
    let mut first = true;
    for (conversation, peer) in lines::peers(connection, usize::MAX >> 1)? {
        begin(&mut out, &mut first)?;
        write_conversation(connection, &mut out, conversation, peer)?;
    }
    write!(out, "\n]\n}}\n")?;
    let file: File = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(file.sync_all()?)
}

fn write_conversation(
    connection: &Connection,
    out: &mut impl Write,
    conversation: i64,
    peer: PeerId,
) -> Result<(), HistoryError> {
    let last_name = || -> Result<String, HistoryError> {
        let sql = "SELECT peer_name FROM lines WHERE conversation = ?1 ORDER BY number DESC LIMIT 1";
        Ok(lines::readable(connection.query_row(sql, [conversation], |row| row.get(0)))?.unwrap_or_default())
    };
    let name = match contacts::name(connection, peer)? {
        Some(name) => name,
        None => last_name()?,
    };
    write!(out, "{{\"peer_id\": {}, \"name\": {}, \"lines\": [", json!(peer.to_string()), json!(name))?;
    let sql = format!("SELECT {} FROM lines WHERE conversation = ?1 ORDER BY number", lines::COLUMNS);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([conversation])?;
    let mut first = true;
    while let Some(row) = rows.next()? {
        if let Some(line) = lines::read(row, peer)? {
            begin(out, &mut first)?;
            to_json(out, &line_value(&line))?;
        }
    }
    Ok(write!(out, "\n]}}")?)
}

/// A comma between two, and each on a line of its own.
fn begin(out: &mut impl Write, first: &mut bool) -> io::Result<()> {
    out.write_all(if std::mem::take(first) { b"\n" } else { b",\n" })
}

fn to_json(out: &mut impl Write, value: &Value) -> Result<(), HistoryError> {
    serde_json::to_writer(out, value).map_err(|error| HistoryError::File(error.into()))
}

fn contact_value(contact: &StoredContact) -> Value {
    json!({
        "peer_id": contact.peer.to_string(),
        "name": contact.name,
        "told_name": contact.told_name,
        "server": contact.server,
        "verified_at": contact.verified_at.map(date),
        "added_at": date(contact.added_at),
    })
}

fn line_value(line: &StoredLine) -> Value {
    let direction = |incoming: bool| if incoming { "in" } else { "out" };
    let id: String = line.name.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut value = match &line.what {
        StoredKind::Received { text, read } => {
            json!({ "kind": "message", "direction": "in", "text": text, "read": read })
        }
        StoredKind::Sent { text, state } => {
            json!({ "kind": "message", "direction": "out", "text": text, "state": delivery_word(*state) })
        }
        StoredKind::Call { incoming, seconds, reason, read: _ } => {
            json!({ "kind": "call", "direction": direction(*incoming), "seconds": seconds, "end_reason": reason })
        }
        StoredKind::File { incoming, file_name, size, state, path, read: _ } => json!({
            "kind": "file",
            "direction": direction(*incoming),
            "file": file_name,
            "size": size,
            "state": file_word(*state),
            "path": path.as_ref().map(|path| path.to_string_lossy()),
        }),
    };
    if let Value::Object(fields) = &mut value {
        fields.insert("id".to_owned(), json!(id));
        fields.insert("at".to_owned(), json!(date(line.at)));
    }
    value
}

fn delivery_word(state: Delivery) -> &'static str {
    match state {
        Delivery::Waiting => "waiting",
        Delivery::Sending => "sending",
        Delivery::Sent => "sent",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
    }
}

fn file_word(state: StoredFile) -> &'static str {
    match state {
        StoredFile::Offered => "offered",
        StoredFile::Partial(_) => "partial",
        StoredFile::Done => "done",
        StoredFile::Declined => "declined",
        StoredFile::Cancelled => "cancelled",
        StoredFile::Failed => "failed",
    }
}

/// RFC 3339, in UTC; a moment beyond the calendar is the calendar's end.
fn date(at: SystemTime) -> String {
    Timestamp::try_from(at).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::record::Keep;
    use crate::history::store::Store;
    use crate::history::test_directory::TestDirectory;

    const ADA: PeerId = PeerId([0xad; 32]);

    fn line(number: u8, what: StoredKind) -> Keep {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
        Keep::Line(StoredLine { name: [number; 16], peer: ADA, peer_name: "Ada".into(), at, what })
    }

    #[test]
    fn an_export_has_every_line_with_its_direction_state_and_date() {
        let dir = TestDirectory::new();
        let mut store = Store::open(dir.path()).unwrap();
        let changes = [
            line(1, StoredKind::Received { text: "你好 \"quoted\"".into(), read: true }),
            line(2, StoredKind::Sent { text: "hello".into(), state: Delivery::Delivered }),
            line(
                3,
                StoredKind::Call { incoming: true, seconds: Some(5), reason: "ended".into(), read: true },
            ),
        ];
        store.keep(&changes, true).unwrap();
        let to = dir.path().join("export.json");
        store.export(&to, SystemTime::UNIX_EPOCH).unwrap();
        let value: Value = serde_json::from_slice(&fs::read(&to).unwrap()).unwrap();
        assert_eq!(value["exported_at"], "1970-01-01T00:00:00Z");
        let conversation = &value["conversations"][0];
        assert_eq!(conversation["peer_id"], ADA.to_string());
        assert_eq!(conversation["name"], "Ada");
        assert_eq!(conversation["lines"][0]["text"], "你好 \"quoted\"");
        assert_eq!(conversation["lines"][0]["at"], "2023-11-14T22:13:20.5Z");
        assert_eq!(conversation["lines"][1]["state"], "delivered");
        assert_eq!(conversation["lines"][2]["end_reason"], "ended");
    }

    #[test]
    fn an_empty_history_exports_too_and_a_place_that_is_not_there_is_an_error() {
        let dir = TestDirectory::new();
        let store = Store::open(dir.path()).unwrap();
        let to = dir.path().join("export.json");
        store.export(&to, SystemTime::UNIX_EPOCH).unwrap();
        let value: Value = serde_json::from_slice(&fs::read(&to).unwrap()).unwrap();
        assert_eq!(value["conversations"], json!([]));
        assert!(store.export(&dir.path().join("missing/export.json"), SystemTime::UNIX_EPOCH).is_err());
    }
}
