//! The form of the file, and how an older form becomes the newest one.
//!
//! The form's number is SQLite's `user_version`. Each step runs in a transaction of its own, so that an interrupted
//! migration leaves a whole file of some form; before the first step the file is copied aside. A file of a newer form is
//! recognised by its first hundred bytes, before SQLite touches it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::HistoryError;

/// Each brings the form before it to the next; the first makes a file. What stands here is never changed, only added to.
pub(super) const MIGRATIONS: &[&str] = &[FORM_1];

/// `number` is the order in which lines came here: a clock may jump, and what was shown keeps its order.
const FORM_1: &str = "
CREATE TABLE contacts (
    peer BLOB PRIMARY KEY NOT NULL CHECK (length(peer) = 32),
    name TEXT NOT NULL,
    told_name TEXT NOT NULL,
    server TEXT,
    verified_at INTEGER,
    added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    peer BLOB NOT NULL UNIQUE CHECK (length(peer) = 32)
) STRICT;

CREATE TABLE lines (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    name BLOB NOT NULL CHECK (length(name) = 16),
    peer_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    incoming INTEGER,
    state INTEGER,
    seconds INTEGER,
    size INTEGER,
    done INTEGER,
    path BLOB,
    read INTEGER,
    UNIQUE (conversation, name)
) STRICT;

CREATE INDEX lines_in_order ON lines (conversation, number);
CREATE INDEX lines_unread ON lines (conversation) WHERE read = 0;
";

/// \"TINC\": file managers and `file` tell whose database it is.
const APPLICATION_ID: u32 = 0x5449_4e43;
/// How every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where `user_version` stands in the file's header, big-endian.
const VERSION_AT: usize = 60;
/// The header's length.
const HEADER: usize = 100;
/// How the names of copies made before a migration begin.
const COPY: &str = "history.before-";

/// Looks at a file that SQLite has not opened yet. `None` when it is missing or empty.
///
/// # Errors
/// [`HistoryError::Damaged`] for what is no database, [`HistoryError::TooNew`], or what the system says.
pub(super) fn look_at_header(path: &Path) -> Result<Option<u32>, HistoryError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut header = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(None);
    }
    let version = header.get(VERSION_AT..VERSION_AT + 4).and_then(|bytes| bytes.try_into().ok());
    match version.map(u32::from_be_bytes) {
        Some(version) if header.starts_with(MAGIC) => known(version, MIGRATIONS).map(Some),
        _ => Err(HistoryError::Damaged("it is no database".to_owned())),
    }
}

/// Brings an open file to the newest form.
///
/// # Errors
/// [`HistoryError::TooNew`], or what SQLite and the system say; the file then has the form of the last whole step.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), HistoryError> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = known(found, migrations)?;
    let steps = migrations.iter().enumerate().skip(found as usize);
    if found > 0 && (found as usize) < migrations.len() {
        copy_aside(connection, path, found)?;
    }
    for (number, step) in steps {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number as u32 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Removes the copies made before migrations: they hold what was erased since.
pub(super) fn remove_copies(path: &Path) -> io::Result<()> {
    let Some(dir) = path.parent() else { return Ok(()) };
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(COPY) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn known(found: u32, migrations: &[&str]) -> Result<u32, HistoryError> {
    let known = migrations.len() as u32;
    if found > known { Err(HistoryError::TooNew { found, known }) } else { Ok(found) }
}

/// A whole copy, made by SQLite itself: what is still in the log beside the file belongs to it.
fn copy_aside(connection: &Connection, path: &Path, form: u32) -> Result<(), HistoryError> {
    let copy: PathBuf = path.with_file_name(format!("{COPY}{}.db", form + 1));
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    create_for_owner(&copy)?;
    let name = copy.to_str().ok_or(io::ErrorKind::InvalidFilename).map_err(io::Error::from)?;
    connection.execute("VACUUM INTO ?1", [name])?;
    Ok(())
}

/// Makes an empty file that only its owner may read; SQLite gives what it puts beside it the same rights.
pub(super) fn create_for_owner(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::test_directory::TestDirectory;

    const OLD: &[&str] = &["CREATE TABLE a (x INTEGER);"];
    const NEWER: &[&str] = &["CREATE TABLE a (x INTEGER);", "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7;"];
    const BROKEN: &[&str] = &["CREATE TABLE a (x INTEGER);", "CREATE TABLE b (x INTEGER); NONSENSE;"];

    fn old_file(path: &Path) -> Connection {
        let mut connection = Connection::open(path).unwrap();
        migrate(&mut connection, path, OLD).unwrap();
        connection.execute("INSERT INTO a VALUES (1)", []).unwrap();
        connection
    }

    fn version(connection: &Connection) -> u32 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_file_is_brought_to_the_newest_form_and_a_copy_is_kept() {
        let dir = TestDirectory::new();
        let path = dir.path().join("history.db");
        let mut connection = old_file(&path);
        migrate(&mut connection, &path, NEWER).unwrap();
        let y: i64 = connection.query_row("SELECT y FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!((y, version(&connection)), (7, 2));
        let copy = Connection::open(dir.path().join("history.before-2.db")).unwrap();
        assert_eq!(version(&copy), 1);
        assert_eq!(copy.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[test]
    fn a_step_that_fails_leaves_the_form_before_it() {
        let dir = TestDirectory::new();
        let path = dir.path().join("history.db");
        let mut connection = old_file(&path);
        assert!(migrate(&mut connection, &path, BROKEN).is_err());
        assert_eq!(version(&connection), 1);
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'b'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }

    #[test]
    fn a_newer_file_is_seen_by_its_first_bytes_and_not_touched() {
        let dir = TestDirectory::new();
        let path = dir.path().join("history.db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        connection.execute("CREATE TABLE of_the_future (x)", []).unwrap();
        drop(connection);
        let before = fs::read(&path).unwrap();
        assert!(matches!(look_at_header(&path), Err(HistoryError::TooNew { found: 99, .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_is_no_database_is_damaged_and_an_empty_file_is_a_new_one() {
        let dir = TestDirectory::new();
        let path = dir.path().join("history.db");
        assert!(matches!(look_at_header(&path), Ok(None)));
        fs::write(&path, "").unwrap();
        assert!(matches!(look_at_header(&path), Ok(None)));
        fs::write(&path, "not a database at all").unwrap();
        assert!(matches!(look_at_header(&path), Err(HistoryError::Damaged(_))));
    }
}
