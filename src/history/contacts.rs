//! Contacts in the file: whole rows, by peer ID.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::HistoryError;
use super::lines::{from_millis, readable, to_millis};
use super::record::StoredContact;
use crate::rtmfp::PeerId;

/// Contacts read from a file at most; nobody has more, and a damaged file must not fill the memory.
const MOST_CONTACTS: i64 = 20_000;

/// Everybody who is kept, in the order in which they were added.
pub(super) fn all(connection: &Connection) -> Result<Vec<StoredContact>, HistoryError> {
    let mut statement = connection.prepare_cached(
        "SELECT peer, name, told_name, server, verified_at, added_at FROM contacts ORDER BY added_at, peer LIMIT ?1",
    )?;
    let mut rows = statement.query([MOST_CONTACTS])?;
    let mut contacts = Vec::new();
    while let Some(row) = rows.next()? {
        match readable(read(row))? {
            Some(contact) => contacts.push(contact),
            // One that makes no sense must not take the others with it.
            None => tracing::warn!("a contact of the history cannot be understood and is passed over"),
        }
    }
    Ok(contacts)
}

/// Adds a contact, or replaces the one of the same peer.
pub(super) fn put(connection: &Connection, contact: &StoredContact) -> Result<(), HistoryError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO contacts (peer, name, told_name, server, verified_at, added_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            contact.peer.0,
            contact.name,
            contact.told_name,
            contact.server,
            contact.verified_at.map(to_millis),
            to_millis(contact.added_at),
        ])?;
    Ok(())
}

/// Removes a contact, if there is one.
pub(super) fn remove(connection: &Connection, peer: PeerId) -> Result<(), HistoryError> {
    connection.prepare_cached("DELETE FROM contacts WHERE peer = ?1")?.execute([peer.0])?;
    Ok(())
}

/// What a contact is called here.
pub(super) fn name(connection: &Connection, peer: PeerId) -> Result<Option<String>, HistoryError> {
    let mut statement = connection.prepare_cached("SELECT name FROM contacts WHERE peer = ?1")?;
    Ok(readable(statement.query_row([peer.0], |row| row.get(0)).optional())?.flatten())
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredContact> {
    Ok(StoredContact {
        peer: PeerId(row.get(0)?),
        name: row.get(1)?,
        told_name: row.get(2)?,
        server: row.get(3)?,
        verified_at: row.get::<_, Option<i64>>(4)?.map(from_millis),
        added_at: from_millis(row.get(5)?),
    })
}
