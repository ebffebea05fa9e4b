//! The password for the TURN server: one file, for its owner's eyes only, apart from the settings that people show around.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::SettingsError;
use super::atomic_file::{self, Readers};

/// The password in a data directory; empty when there is none.
///
/// # Errors
/// [`SettingsError::File`] when it is there and cannot be read.
pub fn load(dir: &Path) -> Result<Zeroizing<String>, SettingsError> {
    let path = path_in(dir);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(first_line(Zeroizing::new(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(cause) => Err(SettingsError::File { path, cause }),
    }
}

/// The password in a file that the person names: its first line.
///
/// # Errors
/// [`SettingsError::File`] when it cannot be read.
pub fn load_from(path: &Path) -> Result<Zeroizing<String>, SettingsError> {
    let text = fs::read_to_string(path).map_err(|cause| SettingsError::file(path, cause))?;
    Ok(first_line(Zeroizing::new(text)))
}

/// Keeps another; an empty one is forgotten.
///
/// # Errors
/// [`SettingsError::File`].
pub fn save(dir: &Path, password: &str) -> Result<(), SettingsError> {
    let path = path_in(dir);
    let done = if password.is_empty() {
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    } else {
        atomic_file::write(&path, password.as_bytes(), Readers::OwnerOnly)
    };
    done.map_err(|cause| SettingsError::File { path, cause })
}

fn first_line(text: Zeroizing<String>) -> Zeroizing<String> {
    Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("turn.password")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    #[test]
    fn what_is_kept_is_read_back_by_its_owner_only() {
        let scratch = Scratch::new();
        assert_eq!(*load(scratch.path()).unwrap(), "");
        save(scratch.path(), "hush").unwrap();
        assert_eq!(*load(scratch.path()).unwrap(), "hush");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path_in(scratch.path()).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        save(scratch.path(), "").unwrap();
        assert!(!path_in(scratch.path()).exists());
        save(scratch.path(), "").unwrap();
    }

    #[test]
    fn of_a_file_that_the_person_names_the_first_line_counts() {
        let scratch = Scratch::new();
        let path = scratch.path().join("secret");
        fs::write(&path, "hush\nand more\n").unwrap();
        assert_eq!(*load_from(&path).unwrap(), "hush");
        assert!(load_from(&scratch.path().join("none")).is_err());
    }
}
