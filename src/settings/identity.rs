//! The key that is who we are: one file, for its owner's eyes only. One that is replaced
//! lies beside the new one; only who asks for it throws one away.
//!
//! What the key's bytes mean is the caller's business. In the file they stand as hexadecimal digits between a first line
//! that says what this is and a last one that says it is whole, so that a damaged file is noticed and not replaced.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::SettingsError;
use super::atomic_file::{self, Readers};

/// The key in a data directory; when there is none, the one that `make` makes, which is kept from then on.
///
/// # Errors
/// [`SettingsError::DamagedKey`] when the file is there and holds no key, [`SettingsError::File`] when it cannot be read
/// or written.
pub fn load_or_create(
    dir: &Path,
    make: impl FnOnce() -> Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, SettingsError> {
    load_or_create_at(path_in(dir), make)
}

/// The same for the weak key that is shown to programs of the Flash years, and to nobody else. It has a file of its own,
/// and is in no backup.
///
/// # Errors
/// As [`load_or_create`].
pub fn load_or_create_weak(
    dir: &Path,
    make: impl FnOnce() -> Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, SettingsError> {
    load_or_create_at(dir.join("identity.weak.key"), make)
}

fn load_or_create_at(
    path: PathBuf,
    make: impl FnOnce() -> Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, SettingsError> {
    match fs::read(&path) {
        Ok(text) => {
            keep_from_others(&path)?;
            decode(&Zeroizing::new(text)).map_err(|why| SettingsError::DamagedKey { path, why })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = make();
            atomic_file::write(&path, encode(&key).as_bytes(), Readers::OwnerOnly)
                .map_err(|source| SettingsError::file(&path, source))?;
            Ok(key)
        }
        Err(cause) => Err(SettingsError::File { path, cause }),
    }
}

/// The key in a data directory, which must be there.
///
/// # Errors
/// [`SettingsError::DamagedKey`] or [`SettingsError::File`].
pub fn load(dir: &Path) -> Result<Zeroizing<Vec<u8>>, SettingsError> {
    let path = path_in(dir);
    let text = fs::read(&path).map_err(|source| SettingsError::file(&path, source))?;
    decode(&Zeroizing::new(text)).map_err(|why| SettingsError::DamagedKey { path, why })
}

/// Puts another key in the place of the one that is there, which is kept aside first. The same key again changes nothing.
/// There is no moment without a whole key.
///
/// # Errors
/// [`SettingsError::File`]; the key that was there is then still in its place.
pub fn replace(dir: &Path, key: &[u8]) -> Result<(), SettingsError> {
    let path = path_in(dir);
    let text = encode(key);
    match fs::read(&path).map(Zeroizing::new) {
        Ok(old) if *old == *text.as_bytes() => return Ok(()),
        Ok(old) => {
            let aside = free_aside(dir);
            atomic_file::write(&aside, &old, Readers::OwnerOnly)
                .map_err(|source| SettingsError::file(&aside, source))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(SettingsError::file(&path, source)),
    }
    atomic_file::write(&path, text.as_bytes(), Readers::OwnerOnly)
        .map_err(|source| SettingsError::file(&path, source))
}

/// Throws the key away, so that the next start makes another.
///
/// # Errors
/// [`SettingsError::File`].
pub fn throw_away(dir: &Path) -> Result<(), SettingsError> {
    let path = path_in(dir);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(SettingsError::file(&path, source)),
        _ => Ok(()),
    }
}

/// A name for an old key that no older one has.
fn free_aside(dir: &Path) -> PathBuf {
    let numbered = (2..).map(|number| format!("identity.old-{number}.key"));
    std::iter::once("identity.old.key".to_owned())
        .chain(numbered)
        .map(|name| dir.join(name))
        .find(|path| !path.exists())
        .expect("numbers do not end before files do")
}

/// The error for a key that the protocol cannot use, though the file is whole.
pub fn unusable(dir: &Path) -> SettingsError {
    SettingsError::DamagedKey { path: path_in(dir), why: "it holds no usable key" }
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("identity.key")
}

/// A key that others could read is made unreadable to them, and that is logged: it may have been copied already.
fn keep_from_others(path: &Path) -> Result<(), SettingsError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path).map_err(|source| SettingsError::file(path, source))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "the key file was readable by others; now it is not");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
                .map_err(|source| SettingsError::file(path, source))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn encode(key: &[u8]) -> Zeroizing<String> {
    // Room for everything at once: a text that grows leaves copies of the key behind.
    let mut text =
        Zeroizing::new(String::with_capacity(FIRST_LINE.len() + LAST_LINE.len() + key.len() * 2 + 3));
    text.push_str(FIRST_LINE);
    text.push('\n');
    for byte in key {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hexadecimal digit"));
        }
    }
    text.push('\n');
    text.push_str(LAST_LINE);
    text.push('\n');
    text
}

fn decode(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let text = std::str::from_utf8(file).map_err(|_| "it is not text")?;
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("it does not begin as a key file");
    }
    let digits = lines.next().unwrap_or_default().as_bytes();
    if lines.next() != Some(LAST_LINE) {
        return Err("its end is missing");
    }
    if digits.is_empty() || digits.len() % 2 != 0 || digits.len() > LONGEST_KEY * 2 {
        return Err("the key has the wrong length");
    }
    let mut key = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks_exact(2) {
        let digit = |at: usize| pair.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err("the key is not hexadecimal") };
        key.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte"));
    }
    Ok(key)
}

const FIRST_LINE: &str = "tincan key 1: keep this file secret, and keep a copy of it";
const LAST_LINE: &str = "end";
/// In bytes; far more than any key needs.
const LONGEST_KEY: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    fn made() -> Zeroizing<Vec<u8>> {
        Zeroizing::new(vec![0, 1, 0xab, 0xff])
    }

    fn not_needed() -> Zeroizing<Vec<u8>> {
        panic!("there is a key already")
    }

    #[test]
    fn the_key_is_made_once_and_found_again() {
        let scratch = Scratch::new();
        assert_eq!(load_or_create(scratch.path(), made).unwrap(), made());
        assert_eq!(load_or_create(scratch.path(), not_needed).unwrap(), made());
    }

    #[test]
    fn the_weak_key_is_another_one() {
        let scratch = Scratch::new();
        load_or_create(scratch.path(), made).unwrap();
        let weak = || Zeroizing::new(vec![7]);
        assert_eq!(load_or_create_weak(scratch.path(), weak).unwrap(), weak());
        assert_eq!(load_or_create_weak(scratch.path(), not_needed).unwrap(), weak());
        assert_eq!(load_or_create(scratch.path(), not_needed).unwrap(), made());
    }

    #[cfg(unix)]
    #[test]
    fn the_key_file_is_its_owners_and_stays_so() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new();
        load_or_create(scratch.path(), made).unwrap();
        let mode = || fs::metadata(path_in(scratch.path())).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(path_in(scratch.path()), fs::Permissions::from_mode(0o644)).unwrap();
        load_or_create(scratch.path(), not_needed).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_damaged_key_file_is_reported_and_left_alone() {
        let whole = encode(&made());
        let cut = &whole[..whole.len() - 6];
        for damaged in ["", "nonsense", cut, &whole.replace("ab", "xy"), &whole.replace("ff", "f")] {
            let scratch = Scratch::new();
            fs::write(path_in(scratch.path()), damaged).unwrap();
            let error = load_or_create(scratch.path(), not_needed).unwrap_err();
            assert!(matches!(error, SettingsError::DamagedKey { .. }), "{error}");
            assert_eq!(fs::read_to_string(path_in(scratch.path())).unwrap(), damaged);
        }
    }
}
