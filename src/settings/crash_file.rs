//! The report of a crash, in the data directory: written when it happens, shown at the next start, deleted when the person
//! says so. There is one: the latest, which is what a person is asked about.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic_file::{self, Readers};

/// A longer report was not written by us.
const LONGEST: u64 = 1 << 20;

/// Keeps a report.
///
/// # Errors
/// Whatever the system says.
pub fn write(dir: &Path, text: &str) -> io::Result<()> {
    atomic_file::write(&path_in(dir), text.as_bytes(), Readers::OwnerOnly)
}

/// Where the report is, and what it says, if there is one.
pub fn read(dir: &Path) -> Option<(PathBuf, String)> {
    let path = path_in(dir);
    if fs::metadata(&path).ok()?.len() > LONGEST {
        return None;
    }
    let text = String::from_utf8_lossy(&fs::read(&path).ok()?).into_owned();
    Some((path, text))
}

/// Deletes the report, if there is one.
///
/// # Errors
/// Whatever the system says.
pub fn delete(dir: &Path) -> io::Result<()> {
    match fs::remove_file(path_in(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("crash.txt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    #[test]
    fn a_report_is_read_until_it_is_deleted() {
        let scratch = Scratch::new();
        assert_eq!(read(scratch.path()), None);
        write(scratch.path(), "it broke").unwrap();
        assert_eq!(read(scratch.path()).unwrap().1, "it broke");
        delete(scratch.path()).unwrap();
        delete(scratch.path()).unwrap();
        assert_eq!(read(scratch.path()), None);
    }
}
