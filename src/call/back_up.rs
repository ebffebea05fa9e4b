//! Who one is, brought to another computer: key, settings and contacts in one file, sealed with a passphrase.
//!
//! A restore is checked whole, then written down as one file (`restored.pending`, for the owner only), and carried out at
//! the next start, before anything else is read. Each of its steps may be done twice, so that a crash in between costs
//! nothing. The key that was there stays beside the new one, as `identity.old.key`.
//!
//! Everything here takes long (the passphrase is made costly to guess) and belongs on a thread that may wait.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::command::Passphrase;
use super::event::Notice;
use crate::history::record::{Keep, StoredContact};
use crate::history::store::Store;
use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::flash::Identity;
use crate::settings::atomic_file::{self, Readers};
use crate::settings::sealed_file::{self, SealError};
use crate::settings::{self, Settings, SettingsError, identity};

/// Backups are far smaller; a larger file is not read.
const LARGEST: u64 = 64 << 20;

/// What a backup holds.
pub struct BackUp {
    key: Zeroizing<Vec<u8>>,
    rest: Rest,
}

/// All that is no secret key.
#[derive(Deserialize, Serialize)]
struct Rest {
    settings: Settings,
    contacts: Vec<Kept>,
}

/// A contact as it stands in the file: moments are milliseconds since 1970.
#[derive(Deserialize, Serialize)]
struct Kept {
    peer: String,
    name: String,
    told_name: String,
    server: Option<String>,
    verified_at: Option<u64>,
    added_at: u64,
}

/// Why a backup is not made, opened or restored. Each message completes a sentence about the file.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// The seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The file itself.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It opened, and what is in it cannot be used.
    #[error("what is in it cannot be used")]
    Unusable,
    /// The key or the settings here.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The contacts could not be put in place.
    #[error("the contacts could not be restored: {0}")]
    History(crate::history::HistoryError),
}

impl BackUp {
    /// What is to be kept of this computer's identity.
    ///
    /// # Errors
    /// [`BackUpError::Settings`] when the key cannot be read.
    pub fn of(data_dir: &Path, settings: &Settings, contacts: &[StoredContact]) -> Result<Self, BackUpError> {
        let key = identity::load(data_dir)?;
        let contacts = contacts.iter().map(Kept::of).collect();
        Ok(Self { key, rest: Rest { settings: settings.clone(), contacts } })
    }

    /// Whose it is.
    ///
    /// # Errors
    /// [`BackUpError::Unusable`] when the key is none.
    pub fn peer_id(&self) -> Result<PeerId, BackUpError> {
        Ok(Identity::from_secret_bytes(&self.key).map_err(|_| BackUpError::Unusable)?.peer_id())
    }

    /// Writes it, sealed, for the owner only.
    ///
    /// # Errors
    /// [`BackUpError::Seal`] or [`BackUpError::File`].
    pub fn write(&self, to: &Path, passphrase: &Passphrase) -> Result<(), BackUpError> {
        let sealed = sealed_file::seal(&self.to_bytes()?, &passphrase.0)?;
        Ok(atomic_file::write(to, &sealed, Readers::OwnerOnly)?)
    }

    /// Opens one.
    ///
    /// # Errors
    /// A [`BackUpError`]; [`SealError::NotOpened`] is a wrong passphrase.
    pub fn read(from: &Path, passphrase: &Passphrase) -> Result<Self, BackUpError> {
        // Looked at before it is opened: a pipe would be waited for, and a device has no end.
        let about = fs::metadata(from)?;
        if !about.is_file() || about.len() > LARGEST {
            return Err(SealError::NotSealed.into());
        }
        let plain = sealed_file::open(&fs::read(from)?, &passphrase.0)?;
        let back_up = Self::from_bytes(&plain)?;
        back_up.peer_id()?;
        Ok(back_up)
    }

    /// Lays it ready for the next start.
    ///
    /// # Errors
    /// [`BackUpError::File`]; nothing has changed then.
    pub fn lay_ready(&self, data_dir: &Path) -> Result<(), BackUpError> {
        Ok(atomic_file::write(&pending(data_dir), &self.to_bytes()?, Readers::OwnerOnly)?)
    }

    /// The key's length, the key, and the rest as JSON: the key is never in a text that grows and leaves copies behind.
    fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, BackUpError> {
        let rest = serde_json::to_vec(&self.rest).map_err(io::Error::from)?;
        let length = u16::try_from(self.key.len()).map_err(|_| BackUpError::Unusable)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 + self.key.len() + rest.len()));
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.key);
        bytes.extend_from_slice(&rest);
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, BackUpError> {
        let (length, after) = bytes.split_first_chunk::<2>().ok_or(BackUpError::Unusable)?;
        let (key, rest) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(BackUpError::Unusable)?;
        let rest = serde_json::from_slice(rest).map_err(|_| BackUpError::Unusable)?;
        Ok(Self { key: Zeroizing::new(key.to_vec()), rest })
    }
}

/// Carries out a restore that was laid ready, if there is one; whether there was. To be called before key and settings are
/// read, by the one program that has the data directory.
///
/// # Errors
/// A [`BackUpError`]; it is tried again with the next start.
pub fn finish_restore(data_dir: &Path) -> Result<bool, BackUpError> {
    let path = pending(data_dir);
    let bytes = match fs::read(&path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let BackUp { key, rest } = BackUp::from_bytes(&bytes)?;
    identity::replace(data_dir, &key)?;
    let here = settings::load(data_dir).settings;
    settings::save(data_dir, &of_this_computer(rest.settings, here))?;
    let contacts: Vec<Keep> = rest.contacts.iter().filter_map(Kept::stored).map(Keep::Contact).collect();
    if !contacts.is_empty() {
        let kept = Store::open_for_use(data_dir).and_then(|mut opened| opened.store.keep(&contacts, true));
        kept.map_err(BackUpError::History)?;
    }
    fs::remove_file(&path)?;
    Ok(true)
}

/// The restored settings, but for what belongs to the computer: devices, port, start at login, shortcuts.
fn of_this_computer(restored: Settings, here: Settings) -> Settings {
    Settings {
        camera: here.camera,
        microphone: here.microphone,
        speaker: here.speaker,
        port: here.port,
        start_at_login: here.start_at_login,
        shortcuts: here.shortcuts,
        ..restored
    }
}

impl Kept {
    fn of(contact: &StoredContact) -> Self {
        Self {
            peer: contact.peer.to_string(),
            name: contact.name.clone(),
            told_name: contact.told_name.clone(),
            server: contact.server.clone(),
            verified_at: contact.verified_at.map(to_millis),
            added_at: to_millis(contact.added_at),
        }
    }

    /// `None` for what is no peer ID.
    fn stored(&self) -> Option<StoredContact> {
        Some(StoredContact {
            peer: self.peer.parse().ok()?,
            name: self.name.clone(),
            told_name: self.told_name.clone(),
            server: self.server.clone(),
            verified_at: self.verified_at.map(from_millis),
            added_at: from_millis(self.added_at),
        })
    }
}

fn to_millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn from_millis(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn pending(data_dir: &Path) -> PathBuf {
    data_dir.join("restored.pending")
}

/// Makes a backup, and says what came of it.
pub(super) fn make(
    data_dir: &Path,
    settings: &Settings,
    contacts: &[StoredContact],
    to: PathBuf,
    passphrase: &Passphrase,
) -> Notice {
    match BackUp::of(data_dir, settings, contacts).and_then(|back_up| back_up.write(&to, passphrase)) {
        Ok(()) => Notice::Written(to),
        Err(error) => Notice::FileProblem { path: to, why: error.to_string() },
    }
}

/// Lays a backup ready for the next start, and says what came of it.
pub(super) fn restore(data_dir: &Path, from: PathBuf, passphrase: &Passphrase) -> Notice {
    match BackUp::read(&from, passphrase).and_then(|back_up| back_up.lay_ready(data_dir)) {
        Ok(()) => Notice::WithNextStart,
        Err(BackUpError::Seal(SealError::NotOpened | SealError::NotSealed)) => Notice::BackUpNotOpened,
        Err(error) => Notice::FileProblem { path: from, why: error.to_string() },
    }
}

/// Throws the key away, so that the next start makes another, and says what came of it.
pub(super) fn new_identity(data_dir: &Path) -> Notice {
    // What was asked for last counts: a restore that waits is not wanted any more.
    let forgotten = match fs::remove_file(pending(data_dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SettingsError::file(&pending(data_dir), error))
        }
        _ => Ok(()),
    };
    match forgotten.and_then(|()| identity::throw_away(data_dir)) {
        Ok(()) => Notice::WithNextStart,
        Err(error) => Notice::FileProblem { path: data_dir.to_owned(), why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase(Zeroizing::new(text.to_owned()))
    }

    fn made(dir: &Path, seed: u8) -> PeerId {
        let key = identity::load_or_create(dir, || Identity::generate([seed; 32]).to_secret_bytes()).unwrap();
        Identity::from_secret_bytes(&key).unwrap().peer_id()
    }

    fn contact() -> StoredContact {
        StoredContact {
            peer: PeerId([7; 32]),
            name: "Zoë 王".into(),
            told_name: "zoe".into(),
            server: Some("rtmfp://example.org".into()),
            verified_at: Some(from_millis(1_700_000_000_123)),
            added_at: from_millis(1_600_000_000_000),
        }
    }

    fn settings() -> Settings {
        Settings {
            name: "Ada".into(),
            camera: "a camera there".into(),
            do_not_disturb: true,
            ..Settings::default()
        }
    }

    #[test]
    fn a_backup_makes_another_computer_the_same_person_with_the_next_start() {
        let (old, new) = (Scratch::new(), Scratch::new());
        let ada = made(old.path(), 1);
        let other = made(new.path(), 2);
        settings::save(new.path(), &Settings { camera: "mine".into(), ..Settings::default() }).unwrap();
        let file = old.path().join("ada.tincan-backup");
        let written = make(old.path(), &settings(), &[contact()], file.clone(), &passphrase("correct horse"));
        assert_eq!(written, Notice::Written(file.clone()));
        assert_eq!(restore(new.path(), file, &passphrase("correct horse")), Notice::WithNextStart);
        assert_eq!(made(new.path(), 9), other, "not before the next start");
        assert!(finish_restore(new.path()).unwrap());
        assert_eq!(made(new.path(), 9), ada);
        let loaded = settings::load(new.path()).settings;
        assert_eq!(
            (loaded.name.as_str(), loaded.camera.as_str(), loaded.do_not_disturb),
            ("Ada", "mine", true)
        );
        assert_eq!(Store::open(new.path()).unwrap().contacts().unwrap(), [contact()]);
        assert!(new.path().join("identity.old.key").exists());
        assert!(!finish_restore(new.path()).unwrap(), "once");
    }

    #[test]
    fn a_wrong_passphrase_restores_nothing() {
        let dir = Scratch::new();
        made(dir.path(), 1);
        let file = dir.path().join("b");
        make(dir.path(), &settings(), &[], file.clone(), &passphrase("correct horse"));
        assert_eq!(restore(dir.path(), file, &passphrase("battery staple")), Notice::BackUpNotOpened);
        assert!(!finish_restore(dir.path()).unwrap());
    }

    #[test]
    fn a_restore_that_was_interrupted_is_done_again_and_keeps_one_old_key() {
        let dir = Scratch::new();
        let before = made(dir.path(), 1);
        let key = Identity::generate([2; 32]).to_secret_bytes();
        let back_up = BackUp { key: key.clone(), rest: Rest { settings: settings(), contacts: vec![] } };
        back_up.lay_ready(dir.path()).unwrap();
        identity::replace(dir.path(), &key).unwrap();
        assert!(finish_restore(dir.path()).unwrap());
        let old: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".old"))
            .collect();
        assert_eq!(old.len(), 1);
        assert_ne!(made(dir.path(), 9), before);
    }

    #[test]
    fn a_new_identity_comes_with_the_next_start_and_the_old_key_is_gone() {
        let dir = Scratch::new();
        let before = made(dir.path(), 1);
        assert_eq!(new_identity(dir.path()), Notice::WithNextStart);
        assert_ne!(made(dir.path(), 2), before);
        assert!(!dir.path().join("identity.old.key").exists());
    }

    #[test]
    fn what_opens_and_makes_no_sense_is_unusable() {
        for bytes in [&b""[..], b"\0", b"\0\x05abc", b"\xff\xff", b"\0\x01a{}"] {
            assert!(matches!(BackUp::from_bytes(bytes), Err(BackUpError::Unusable)), "{bytes:?}");
        }
    }
}
