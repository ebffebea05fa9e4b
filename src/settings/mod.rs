//! What a person chose, who this computer is, and that only one program at a time uses it.
//!
//! [`Settings`] is plain data; [`mod@file`] reads and writes it, [`identity`] keeps the key, [`instance`] keeps a data
//! directory to one program, [`sealed_file`] seals what leaves it, [`crash_file`] and [`log_lines`] keep what helps after a
//! crash, [`turn_password`] keeps a password apart from the rest. All of it lives in one directory, [`data_dir`], so that two programs on one computer only need
//! two directories. Nothing here knows calls, windows or RTMFP.

pub mod atomic_file;
pub mod autostart;
pub mod crash_file;
pub mod file;
pub mod identity;
pub mod instance;
pub mod log_lines;
pub mod sealed_file;
pub mod setting;
pub mod turn_password;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use file::{Loaded, load, save};
pub use setting::Setting;

/// Everything that is remembered between two starts, as it stands in `settings.toml`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Settings {
    /// The name shown to others; empty until the person chose one.
    pub name: String,
    /// `rtmfp://host[:port][/app]`; `None` is the server on this computer, which the window brings itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// `default`, a device's name, or another `SOURCE` of `--camera`.
    pub camera: String,
    /// The same for `--microphone`.
    pub microphone: String,
    /// The same for `--speaker`.
    pub speaker: String,
    /// Calls ring without sound.
    pub muted_ring: bool,
    /// Who sees that this person is here.
    pub visibility: Visibility,
    /// Who may call.
    pub who_may_call: WhoMayCall,
    /// Nothing rings, and others see it.
    pub do_not_disturb: bool,
    /// Others are told when their messages were on screen.
    pub read_receipts: bool,
    /// Others are told while one writes.
    pub typing: bool,
    /// Messages and calls are kept between two starts.
    pub keep_history: bool,
    /// Size, rate and mirror of our picture.
    pub video: VideoChoice,
    /// What is done to our voice.
    pub voice: VoiceChoice,
    /// How loud the far end is played, 0 to 2, 1 being as it comes.
    pub far_volume: f32,
    /// The far picture fills its place, its edges cut; otherwise it is seen whole.
    pub fill_picture: bool,
    /// In a recording the far picture is large, with our own small in a corner; otherwise they lie side by side.
    pub recording_far_large: bool,
    /// A new peer ID with every start, known to nobody afterwards.
    pub fresh_identity: bool,
    /// The UDP port of our own socket; 0 is any.
    pub port: u16,
    /// Seconds between two signs of life to the server.
    pub keepalive: u16,
    /// Whether others on the local network find us there, and we find them; `None` as long as nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_network: Option<bool>,
    /// The router is asked for a port that leads here.
    pub port_mapping: bool,
    /// Whose ports are used where nothing else leads through.
    pub turn: TurnChoice,
    /// Others learn of us over relays only, and never where we are.
    pub hide_address: bool,
    /// Closing the window leaves the program reachable.
    pub stay_when_closed: bool,
    /// The program starts with the session, without a window.
    pub start_at_login: bool,
    /// Whether a newer version is looked for, once a day.
    pub look_for_updates: bool,
    /// When one was looked for last, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_for_updates: Option<u64>,
    /// The colour of what is chosen and pressed.
    pub accent: Accent,
    /// The size of text, 1.0 being usual.
    pub text_scale: f32,
    /// The window's language; `None` follows the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Keys that the person chose, by the action's word.
    pub shortcuts: BTreeMap<String, String>,
    /// Peer IDs that are refused before they can ring or write.
    pub blocked: Vec<String>,
    /// Dark, light, or as the system says.
    pub theme: Theme,
    /// Name and devices were asked for once.
    pub first_run_done: bool,
    /// What a newer version wrote: kept, so that going back and forth loses nothing.
    #[serde(flatten)]
    pub unknown: toml::Table,
}

/// How the window looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
    /// Whatever the system uses.
    System,
}

/// Who sees that one is here.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody on the server, in its list.
    #[default]
    Everyone,
    /// Who has the name or the peer ID.
    Known,
    /// Nobody: not in the list, not found by name.
    Nobody,
}

/// Who may call.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhoMayCall {
    /// Everybody; strangers ring without sound.
    #[default]
    Everybody,
    /// Contacts only; others are told that one does not answer.
    Contacts,
}

/// Our picture, as the person wants it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct VideoChoice {
    /// The tallest picture sent, in lines: 1080, 720, 540, 360 or 180.
    pub most_lines: u32,
    /// Pictures a second, at most.
    pub most_rate: u32,
    /// Kilobits a second, at most; 0 is as the network allows.
    pub most_kbps: u32,
    /// Seconds between key frames; 0 is as needed: when one is asked for, and every eight seconds for those who cannot ask.
    pub key_frame_every: u32,
    /// The own picture is shown as in a mirror. What others see never is.
    pub mirror: bool,
}

impl Default for VideoChoice {
    fn default() -> Self {
        Self { most_lines: 720, most_rate: 30, most_kbps: 0, key_frame_every: 0, mirror: true }
    }
}

/// Our voice, as the person wants it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct VoiceChoice {
    /// What the loudspeaker plays is taken out of what the microphone hears.
    pub echo_cancellation: bool,
    /// Steady noise is made quieter.
    pub noise_suppression: bool,
    /// Who speaks softly is made louder.
    pub automatic_gain: bool,
    /// Music is sent as it is heard: nothing of the above, whatever it says, and more bits.
    pub music_mode: bool,
}

impl Default for VoiceChoice {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, automatic_gain: true, music_mode: false }
    }
}

/// A TURN server, as the person wrote it. The password stands in a file of its own.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TurnChoice {
    /// `turn:host[:port][?transport=tcp]` or `turns:host[:port]`, several with commas between them; empty is none.
    pub servers: String,
    /// As whom.
    pub user: String,
}

impl TurnChoice {
    /// Whether there is one.
    pub fn is_set(&self) -> bool {
        !self.servers.trim().is_empty()
    }
}

/// The colour of what is chosen and pressed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Accent {
    /// As drawn.
    #[default]
    Copper,
    /// Blue.
    Sea,
    /// Green.
    Moss,
    /// Violet.
    Plum,
}

/// A language the window speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// 简体中文.
    #[serde(rename = "zh-CN")]
    SimplifiedChinese,
    /// 繁體中文.
    #[serde(rename = "zh-TW")]
    TraditionalChinese,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            server: None,
            camera: "default".to_owned(),
            microphone: "default".to_owned(),
            speaker: "default".to_owned(),
            muted_ring: false,
            visibility: Visibility::default(),
            who_may_call: WhoMayCall::default(),
            do_not_disturb: false,
            read_receipts: true,
            typing: true,
            keep_history: true,
            video: VideoChoice::default(),
            voice: VoiceChoice::default(),
            far_volume: 1.0,
            fill_picture: false,
            recording_far_large: false,
            fresh_identity: false,
            port: 0,
            keepalive: 10,
            local_network: None,
            port_mapping: true,
            turn: TurnChoice::default(),
            hide_address: false,
            stay_when_closed: false,
            start_at_login: false,
            look_for_updates: false,
            looked_for_updates: None,
            accent: Accent::default(),
            text_scale: 1.0,
            language: None,
            shortcuts: BTreeMap::new(),
            blocked: vec![],
            theme: Theme::default(),
            first_run_done: false,
            unknown: toml::Table::new(),
        }
    }
}

/// Why something of ours could not be read or kept. Each message is a sentence for the person.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// This system names no place for a program's data, and none was given.
    #[error("This system names no place for a program's data. Choose one with --data-dir.")]
    NoDataDir,
    /// A file or directory cannot be used.
    #[error("{} cannot be used: {cause}.", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The key file is there and holds no key; it is left as it is, since it may be all that is left of an identity.
    #[error(
        "The key file {} is damaged ({why}). Restore it from a backup, or move it away to start with a new peer ID.",
        path.display()
    )]
    DamagedKey {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl SettingsError {
    pub(crate) fn file(path: &std::path::Path, cause: io::Error) -> Self {
        Self::File { path: path.to_owned(), cause }
    }
}

/// The directory everything is kept in: the one given, or the system's place for it. It is created when missing, for
/// its owner only.
///
/// # Errors
/// [`SettingsError::NoDataDir`], or [`SettingsError::File`] when it cannot be created.
pub fn data_dir(explicit: Option<PathBuf>) -> Result<PathBuf, SettingsError> {
    let dir = match explicit {
        Some(dir) => dir,
        None => usual_data_dir().ok_or(SettingsError::NoDataDir)?,
    };
    if !dir.is_dir() {
        create_private_dir(&dir).map_err(|source| SettingsError::file(&dir, source))?;
    }
    Ok(dir)
}

/// The folder for what others send: the system's for downloads, or one of our own where there is none. It need not exist.
pub fn downloads(data_dir: &std::path::Path) -> PathBuf {
    let system = directories::UserDirs::new().and_then(|dirs| dirs.download_dir().map(PathBuf::from));
    system.unwrap_or_else(|| data_dir.join("downloads"))
}

/// The folder for recorded calls: one of our own in the system's for videos, or beside everything else. It need not exist.
pub fn recordings(data_dir: &std::path::Path) -> PathBuf {
    let system = directories::UserDirs::new().and_then(|dirs| dirs.video_dir().map(PathBuf::from));
    system.map_or_else(|| data_dir.join("recordings"), |videos| videos.join("Tincan"))
}

/// Where they are unless told otherwise; it need not exist. `None` where the system has no home for anybody.
pub fn usual_data_dir() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "tincan")?.data_local_dir().to_owned())
}

fn create_private_dir(dir: &std::path::Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
pub(crate) mod scratch {
    //! A directory for one test, gone afterwards.

    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let dir = std::env::temp_dir().join(format!("tincan-test-{}-{number}", std::process::id()));
            std::fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_data_directory_is_created_for_its_owner_only() {
        let scratch = scratch::Scratch::new();
        let dir = data_dir(Some(scratch.path().join("a/b"))).unwrap();
        assert!(dir.is_dir());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
}
