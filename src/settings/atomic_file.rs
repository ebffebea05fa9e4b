//! Writing a file so that there is always a whole one: the old, or the new (temporary file, flush to disk, rename).

#[cfg(unix)]
use std::fs::File;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Who may read what is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readers {
    /// Whoever the system's defaults let.
    Usual,
    /// The owner only: keys and tokens. On Unix from the file's first moment; elsewhere the directory must see to it.
    OwnerOnly,
}

/// Replaces `path` by a file with `bytes`.
///
/// # Errors
/// Whatever the system says; the old file is then untouched.
pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = write_whole(&temporary, bytes, readers).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
        return written;
    }
    flush_directory(path);
    Ok(())
}

fn write_whole(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // What an earlier process of the same number left behind may be readable by others: never written into.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::OwnerOnly {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The rename itself survives a power cut only once the directory is on disk; best effort, since some systems refuse.
fn flush_directory(path: &Path) {
    #[cfg(unix)]
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let scratch = Scratch::new();
        let path = scratch.path().join("file");
        write(&path, b"old and long", Readers::Usual).unwrap();
        write(&path, b"new", Readers::Usual).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let scratch = Scratch::new();
        let path = scratch.path().join("missing/file");
        assert!(write(&path, b"x", Readers::Usual).is_err());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
