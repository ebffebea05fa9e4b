//! One SQLite file, `history.db` in the data directory: opened, changed in transactions, read by the page.
//!
//! It is written ahead to a log and flushed with every transaction, so that what was said to be kept survives a crash and a
//! power cut. One program holds it at a time. Only the owner may read it and what lies beside it. Erased text is
//! overwritten, in the file and in the log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::HistoryError;
use super::lines::{self, Which};
use super::record::{Keep, LineName, Remembered, StoredContact};
use super::{contacts, export, schema};
use crate::rtmfp::PeerId;

pub use super::lines::Page;

/// How long another program that holds the file is waited for; nobody but ourselves should.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(500);
/// Pages of 4096 bytes in the log before they move into the file.
const LOG_PAGES: u32 = 500;

/// The open file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// A file that is ready to be used.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub store: Store,
    /// What is known at a start.
    pub remembered: Remembered,
    /// The file that was there was damaged and lies here now; a new one was begun, with the contacts that could be read.
    pub set_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the file in a data directory, made when it is missing and brought to the newest form.
    ///
    /// # Errors
    /// A [`HistoryError`]. A file of a newer form is not touched.
    pub fn open(dir: &Path) -> Result<Self, HistoryError> {
        let path = path_in(dir);
        schema::look_at_header(&path)?;
        schema::create_for_owner(&path)?;
        keep_from_others(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(WAIT_FOR_OTHERS)?;
        // Exclusive, and before anything is read: no memory is shared, so the log works on every file system.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "trusted_schema", "OFF")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        schema::migrate(&mut connection, &path, schema::MIGRATIONS)?;
        Ok(Self { connection, path })
    }

    /// Opens the file and reads what is known at a start. A damaged file is set aside as `history.broken.db` and a new one
    /// begun, with the contacts that can still be read: who was verified must not be lost with an old message.
    ///
    /// # Errors
    /// Whatever [`Store::open`] says but damage.
    pub fn open_for_use(dir: &Path) -> Result<Opened, HistoryError> {
        let whole = Self::open(dir).and_then(|store| {
            let remembered = store.remembered()?;
            Ok(Opened { store, remembered, set_aside: None })
        });
        match whole {
            Err(HistoryError::Damaged(why)) => {
                tracing::warn!("the history is damaged ({why}) and is set aside");
                let saved = Self::open(dir).and_then(|store| store.contacts()).unwrap_or_default();
                let aside = set_aside(&path_in(dir))?;
                let mut store = Self::open(dir)?;
                let kept: Vec<Keep> = saved.into_iter().map(Keep::Contact).collect();
                store.keep(&kept, true)?;
                let remembered = store.remembered()?;
                Ok(Opened { store, remembered, set_aside: Some(aside) })
            }
            other => other,
        }
    }

    /// What is known at a start: all contacts, and the latest lines of the latest conversations, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn remembered(&self) -> Result<Remembered, HistoryError> {
        let mut all = Vec::new();
        let mut more = Vec::new();
        for (conversation, peer) in lines::peers(&self.connection, lines::MOST_CONVERSATIONS)? {
            let page = lines::numbered_page(&self.connection, conversation, peer, i64::MAX)?;
            if page.more {
                more.push(peer);
            }
            all.extend(page.lines);
        }
        // In the order in which they came here, whoever they were with: the latest conversation is then the last one.
        all.sort_by_key(|(number, _)| *number);
        let lines = all.into_iter().map(|(_, line)| line).collect();
        Ok(Remembered { contacts: self.contacts()?, lines, more })
    }

    /// Everybody who is kept.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn contacts(&self) -> Result<Vec<StoredContact>, HistoryError> {
        contacts::all(&self.connection)
    }

    /// The page of lines before one of them; without one, the latest page.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn earlier(&self, peer: PeerId, before: Option<LineName>) -> Result<Page, HistoryError> {
        lines::page(&self.connection, peer, before)
    }

    /// Makes changes, all or none of them, safe on the disk when this returns. Without `keeps_lines` no new line of a
    /// conversation is kept; one that is there already still learns what became of it, so that a message delivered since
    /// is not sent again at the next start. Contacts are always kept.
    ///
    /// # Errors
    /// What SQLite says; nothing has changed then.
    pub fn keep(&mut self, changes: &[Keep], keeps_lines: bool) -> Result<(), HistoryError> {
        let which = if keeps_lines { Which::Any } else { Which::Known };
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for change in changes {
            match change {
                Keep::Contact(contact) => contacts::put(&transaction, contact)?,
                Keep::ContactGone(peer) => contacts::remove(&transaction, *peer)?,
                Keep::Line(line) => lines::put(&transaction, line, which)?,
                Keep::LineGone(peer, name) => lines::delete(&transaction, *peer, *name)?,
                Keep::ReadAll(peer) => lines::mark_read(&transaction, *peer)?,
                Keep::Erase(peer) => lines::erase(&transaction, *peer)?,
            }
        }
        transaction.commit()?;
        let erased = changes.iter().any(|change| matches!(change, Keep::Erase(_)));
        if erased || changes.iter().any(|change| matches!(change, Keep::LineGone(..))) {
            self.forget_for_good(erased);
        }
        Ok(())
    }

    /// Writes everything into a file that other programs can read (JSON). The old file stays until the new one is whole.
    ///
    /// # Errors
    /// What SQLite or the system says.
    pub fn export(&self, to: &Path, now: SystemTime) -> Result<(), HistoryError> {
        export::write(&self.connection, to, now)
    }

    /// What was deleted also leaves the log, the free pages and older copies. The deletion itself stands already, so a
    /// disk without room for this is only logged.
    fn forget_for_good(&self, erased: bool) {
        let mut done = Ok(());
        if erased {
            done = self.connection.execute_batch("VACUUM").map_err(HistoryError::from);
            done = done.and(schema::remove_copies(&self.path).map_err(HistoryError::from));
        }
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = done.and(emptied.map_err(HistoryError::from)) {
            tracing::warn!("deleted lines may still stand in a log of the history: {error}");
        }
    }
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("history.db")
}

/// The file and its log, out of the way: the log belongs to it.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = path.with_file_name("history.broken.db");
    for beside in ["", "-wal", "-shm"] {
        let from = with_ending(path, beside);
        let to = with_ending(&aside, beside);
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let _ = fs::remove_file(&to);
            }
            other => other?,
        }
    }
    Ok(aside)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Files that others could read are made unreadable to them.
fn keep_from_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for ending in ["", "-wal", "-shm"] {
            let path = with_ending(path, ending);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
