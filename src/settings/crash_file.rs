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

/// Where the report is, if there is one that can be shown.
pub fn find(dir: &Path) -> Option<PathBuf> {
    let path = path_in(dir);
    (fs::metadata(&path).ok()?.len() <= LONGEST).then_some(path)
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("crash.txt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    #[test]
    fn a_report_is_found_until_it_is_deleted() {
        let scratch = Scratch::new();
        assert_eq!(find(scratch.path()), None);
        write(scratch.path(), "it broke").unwrap();
        let path = find(scratch.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "it broke");
        fs::remove_file(path).unwrap();
        assert_eq!(find(scratch.path()), None);
    }
}
