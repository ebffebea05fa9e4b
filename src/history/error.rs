//! Why the history cannot be opened, read or written: sorted by what can be done about it.

use std::io;

use rusqlite::ErrorCode;

/// What keeps the history from being used. Each message completes "the history cannot be used: …".
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A newer version of the program wrote it; it was not touched.
    #[error("it was written by a newer version (form {found}; this one knows forms up to {known})")]
    TooNew {
        /// The form it has.
        found: u32,
        /// The newest form known here.
        known: u32,
    },
    /// Another program holds it.
    #[error("another program is using it")]
    InUse,
    /// There is no room to write.
    #[error("the disk is full")]
    DiskFull,
    /// It is no database, or a damaged one.
    #[error("it is damaged ({0})")]
    Damaged(String),
    /// What the system said.
    #[error("{0}")]
    File(#[from] io::Error),
    /// Anything else that SQLite said.
    #[error("{0}")]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for HistoryError {
    fn from(error: rusqlite::Error) -> Self {
        // Our own words were right when they were tried: it is the file that lacks what its form promises.
        if matches!(error, rusqlite::Error::SqlInputError { .. }) {
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Database(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i32) -> HistoryError {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
    }

    #[test]
    fn what_sqlite_says_is_sorted_by_what_can_be_done() {
        assert!(matches!(said(rusqlite::ffi::SQLITE_BUSY), HistoryError::InUse));
        assert!(matches!(said(rusqlite::ffi::SQLITE_FULL), HistoryError::DiskFull));
        assert!(matches!(said(rusqlite::ffi::SQLITE_CORRUPT), HistoryError::Damaged(_)));
        assert!(matches!(said(rusqlite::ffi::SQLITE_NOTADB), HistoryError::Damaged(_)));
        assert!(matches!(said(rusqlite::ffi::SQLITE_READONLY), HistoryError::Database(_)));
    }
}
