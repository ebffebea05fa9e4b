//! Lines of conversations in the file: put, changed, read by the page, deleted.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::HistoryError;
use super::record::{Delivery, LineName, StoredFile, StoredKind, StoredLine};
use crate::rtmfp::PeerId;

/// Lines in a page.
pub(super) const PAGE: usize = 100;
/// Conversations that are there from the start: the latest ones.
pub(super) const MOST_CONVERSATIONS: usize = 200;

const RECEIVED: i64 = 0;
const SENT: i64 = 1;
const CALL: i64 = 2;
const FILE: i64 = 3;

/// What [`read`] reads, in its order.
pub(super) const COLUMNS: &str =
    "name, peer_name, at, kind, text, incoming, state, seconds, size, done, path, read, number";

/// Whether a line may be new.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Which {
    /// Put there when it is not there yet.
    Any,
    /// Only changed when it is there: nothing new is kept.
    Known,
}

/// Some lines, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The lines.
    pub lines: Vec<StoredLine>,
    /// There are earlier ones than these.
    pub more: bool,
}

/// Puts a line, or replaces the one of the same peer and name, which keeps its place.
pub(super) fn put(connection: &Connection, line: &StoredLine, which: Which) -> Result<(), HistoryError> {
    if which == Which::Any {
        connection
            .prepare_cached("INSERT OR IGNORE INTO conversations (peer) VALUES (?1)")?
            .execute([line.peer.0])?;
    }
    let Some(conversation) = conversation(connection, line.peer)? else { return Ok(()) };
    let flat = Flat::of(&line.what);
    let sql = match which {
        Which::Any => {
            "INSERT INTO lines (conversation, name, peer_name, at, kind, text, incoming, state, seconds, size, done, path, read)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (conversation, name) DO UPDATE SET peer_name = ?3, at = ?4, kind = ?5, text = ?6, incoming = ?7,
             state = ?8, seconds = ?9, size = ?10, done = ?11, path = ?12, read = ?13"
        }
        Which::Known => {
            "UPDATE lines SET peer_name = ?3, at = ?4, kind = ?5, text = ?6, incoming = ?7, state = ?8, seconds = ?9,
             size = ?10, done = ?11, path = ?12, read = ?13 WHERE conversation = ?1 AND name = ?2"
        }
    };
    connection.prepare_cached(sql)?.execute(params![
        conversation,
        line.name,
        line.peer_name,
        to_millis(line.at),
        flat.kind,
        flat.text,
        flat.incoming,
        flat.state,
        flat.seconds,
        flat.size,
        flat.done,
        flat.path,
        flat.read,
    ])?;
    Ok(())
}

/// Deletes one line, if it is there.
pub(super) fn delete(connection: &Connection, peer: PeerId, name: LineName) -> Result<(), HistoryError> {
    if let Some(conversation) = conversation(connection, peer)? {
        connection
            .prepare_cached("DELETE FROM lines WHERE conversation = ?1 AND name = ?2")?
            .execute(params![conversation, name])?;
    }
    Ok(())
}

/// Deletes all lines with a peer, or with everybody.
pub(super) fn erase(connection: &Connection, peer: Option<PeerId>) -> Result<(), HistoryError> {
    match peer {
        Some(peer) => {
            if let Some(conversation) = conversation(connection, peer)? {
                connection.execute("DELETE FROM lines WHERE conversation = ?1", [conversation])?;
                connection.execute("DELETE FROM conversations WHERE id = ?1", [conversation])?;
            }
        }
        None => connection.execute_batch("DELETE FROM lines; DELETE FROM conversations;")?,
    }
    Ok(())
}

/// Everything with a peer was on screen.
pub(super) fn mark_read(connection: &Connection, peer: PeerId) -> Result<(), HistoryError> {
    if let Some(conversation) = conversation(connection, peer)? {
        connection
            .prepare_cached("UPDATE lines SET read = 1 WHERE conversation = ?1 AND read = 0")?
            .execute([conversation])?;
    }
    Ok(())
}

/// With whom there are lines, the latest conversation first.
pub(super) fn peers(connection: &Connection, most: usize) -> Result<Vec<(i64, PeerId)>, HistoryError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, peer, (SELECT max(number) FROM lines WHERE conversation = id) AS latest FROM conversations
         WHERE latest IS NOT NULL ORDER BY latest DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([most as i64], |row| Ok((row.get(0)?, PeerId(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The page before a line, or the latest one. A line that is not there has none before it.
pub(super) fn page(
    connection: &Connection,
    peer: PeerId,
    before: Option<LineName>,
) -> Result<Page, HistoryError> {
    let Some(conversation) = conversation(connection, peer)? else { return Ok(Page::default()) };
    let before = match before {
        None => i64::MAX,
        Some(name) => {
            let mut statement = connection
                .prepare_cached("SELECT number FROM lines WHERE conversation = ?1 AND name = ?2")?;
            match statement.query_row(params![conversation, name], |row| row.get(0)).optional()? {
                Some(number) => number,
                None => return Ok(Page::default()),
            }
        }
    };
    let numbered = numbered_page(connection, conversation, peer, before)?;
    Ok(Page { lines: numbered.lines.into_iter().map(|(_, line)| line).collect(), more: numbered.more })
}

/// A page with each line's number.
pub(super) struct NumberedPage {
    pub(super) lines: Vec<(i64, StoredLine)>,
    pub(super) more: bool,
}

pub(super) fn numbered_page(
    connection: &Connection,
    conversation: i64,
    peer: PeerId,
    before: i64,
) -> Result<NumberedPage, HistoryError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM lines WHERE conversation = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![conversation, before, PAGE as i64 + 1])?;
    let mut page = NumberedPage { lines: Vec::with_capacity(PAGE), more: false };
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        seen += 1;
        if seen > PAGE {
            page.more = true;
            break;
        }
        if let Some(line) = read(row, peer)? {
            page.lines.push((row.get(12)?, line));
        }
    }
    page.lines.reverse();
    Ok(page)
}

/// A row of [`COLUMNS`]; `None` when it says something that is not known here, or makes no sense: one line must not take
/// the conversation with it.
pub(super) fn read(row: &Row<'_>, peer: PeerId) -> Result<Option<StoredLine>, HistoryError> {
    let line = readable(read_known(row, peer))?.flatten();
    if line.is_none() {
        tracing::warn!("a line of the history cannot be understood and is passed over");
    }
    Ok(line)
}

/// What a row says; `None` when a value is of another kind than its column, or no text.
pub(super) fn readable<T>(read: rusqlite::Result<T>) -> Result<Option<T>, HistoryError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..),
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_known(row: &Row<'_>, peer: PeerId) -> rusqlite::Result<Option<StoredLine>> {
    let text: String = row.get(4)?;
    let incoming = row.get::<_, Option<bool>>(5)?.unwrap_or(false);
    let state: Option<i64> = row.get(6)?;
    let read = row.get::<_, Option<bool>>(11)?.unwrap_or(true);
    let what = match row.get::<_, i64>(3)? {
        RECEIVED => StoredKind::Received { text, read },
        SENT => match state.and_then(delivery_of) {
            Some(state) => StoredKind::Sent { text, state },
            None => return Ok(None),
        },
        CALL => StoredKind::Call {
            incoming,
            seconds: row.get::<_, Option<i64>>(7)?.map(unsigned),
            reason: text,
            read,
        },
        FILE => {
            let done = row.get::<_, Option<i64>>(9)?.map_or(0, unsigned);
            let Some(state) = state.and_then(|state| file_of(state, done)) else { return Ok(None) };
            let path = row.get::<_, Option<Vec<u8>>>(10)?.map(path_of);
            let size = row.get::<_, Option<i64>>(8)?.map_or(0, unsigned);
            StoredKind::File { incoming, file_name: text, size, state, path, read }
        }
        _ => return Ok(None),
    };
    Ok(Some(StoredLine {
        name: row.get(0)?,
        peer,
        peer_name: row.get(1)?,
        at: from_millis(row.get(2)?),
        what,
    }))
}

fn conversation(connection: &Connection, peer: PeerId) -> Result<Option<i64>, HistoryError> {
    let mut statement = connection.prepare_cached("SELECT id FROM conversations WHERE peer = ?1")?;
    Ok(statement.query_row([peer.0], |row| row.get(0)).optional()?)
}

/// A line's kind as columns.
struct Flat<'a> {
    kind: i64,
    text: &'a str,
    incoming: Option<bool>,
    state: Option<i64>,
    seconds: Option<i64>,
    size: Option<i64>,
    done: Option<i64>,
    path: Option<Vec<u8>>,
    read: Option<bool>,
}

impl<'a> Flat<'a> {
    fn of(what: &'a StoredKind) -> Self {
        let empty = Self {
            kind: RECEIVED,
            text: "",
            incoming: None,
            state: None,
            seconds: None,
            size: None,
            done: None,
            path: None,
            read: None,
        };
        match what {
            StoredKind::Received { text, read } => Self { text, read: Some(*read), ..empty },
            StoredKind::Sent { text, state } => {
                Self { kind: SENT, text, state: Some(delivery_number(*state)), ..empty }
            }
            StoredKind::Call { incoming, seconds, reason, read } => Self {
                kind: CALL,
                text: reason,
                incoming: Some(*incoming),
                seconds: seconds.map(signed),
                read: Some(*read),
                ..empty
            },
            StoredKind::File { incoming, file_name, size, state, path, read } => {
                let (state, done) = file_numbers(*state);
                Self {
                    kind: FILE,
                    text: file_name,
                    incoming: Some(*incoming),
                    state: Some(state),
                    size: Some(signed(*size)),
                    done: done.map(signed),
                    path: path.as_deref().map(path_bytes),
                    read: Some(*read),
                    ..empty
                }
            }
        }
    }
}

fn delivery_number(state: Delivery) -> i64 {
    match state {
        Delivery::Waiting => 0,
        Delivery::Sending => 1,
        Delivery::Sent => 2,
        Delivery::Delivered => 3,
        Delivery::Read => 4,
    }
}

fn delivery_of(number: i64) -> Option<Delivery> {
    Some(match number {
        0 => Delivery::Waiting,
        1 => Delivery::Sending,
        2 => Delivery::Sent,
        3 => Delivery::Delivered,
        4 => Delivery::Read,
        _ => return None,
    })
}

fn file_numbers(state: StoredFile) -> (i64, Option<u64>) {
    match state {
        StoredFile::Offered => (0, None),
        StoredFile::Partial(done) => (1, Some(done)),
        StoredFile::Done => (2, None),
        StoredFile::Declined => (3, None),
        StoredFile::Cancelled => (4, None),
        StoredFile::Failed => (5, None),
    }
}

fn file_of(number: i64, done: u64) -> Option<StoredFile> {
    Some(match number {
        0 => StoredFile::Offered,
        1 => StoredFile::Partial(done),
        2 => StoredFile::Done,
        3 => StoredFile::Declined,
        4 => StoredFile::Cancelled,
        5 => StoredFile::Failed,
        _ => return None,
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Milliseconds since 1970, before it negative.
pub(super) fn to_millis(at: SystemTime) -> i64 {
    let millis = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    }
}

/// The moment so many milliseconds after 1970; 1970 itself when no clock reaches it.
pub(super) fn from_millis(millis: i64) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let at = if millis < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    at.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A path's own bytes where it has any: it need not be text.
#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_millisecond_on_both_sides_of_1970() {
        for millis in [0, 1, -1, 1_700_000_000_123, -86_400_000, i64::MAX, i64::MIN + 1] {
            let at = from_millis(millis);
            assert!(to_millis(at) == millis || at == SystemTime::UNIX_EPOCH, "{millis}");
        }
    }

    #[test]
    fn every_state_of_a_message_and_of_a_file_reads_back() {
        for number in 0..5 {
            assert_eq!(delivery_of(number).map(delivery_number), Some(number));
        }
        for number in 0..6 {
            assert_eq!(file_of(number, 9).map(|state| file_numbers(state).0), Some(number));
        }
        assert_eq!((delivery_of(5), file_of(6, 0)), (None, None));
    }
}
