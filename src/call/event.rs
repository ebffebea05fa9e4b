//! What must be told once, as it happens. All that lasts is in the view.

use std::path::PathBuf;

use super::end_reason::EndReason;
use super::link::LinkError;
use super::server_address::NotAServer;
use super::updates::NewerVersion;
use crate::media::device_news::DeviceNews;
use crate::netconnection::NameError;
use crate::rtmfp::PeerId;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody calls.
    Ringing {
        /// Who.
        peer: PeerId,
        /// Under which name.
        name: String,
        /// Nobody knows them here: no sound.
        silently: bool,
    },
    /// Somebody calls while we are in a call.
    SecondRinging {
        /// Who.
        peer: PeerId,
        /// Under which name.
        name: String,
        /// Nobody knows them here: no sound.
        silently: bool,
    },
    /// Somebody called and was not answered.
    Missed {
        /// Who.
        peer: PeerId,
        /// Under which name.
        name: String,
    },
    /// A file was offered.
    FileOffered {
        /// By whom.
        peer: PeerId,
        /// Under which name.
        name: String,
        /// The file's name.
        file: String,
    },
    /// The far end rings: its program said so.
    RingingThere,
    /// The call is up.
    Up {
        /// With whom.
        peer: PeerId,
        /// Under which name.
        name: String,
    },
    /// A call, or an attempt at one, is over.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// A chat line came.
    TextReceived {
        /// From whom.
        peer: PeerId,
        /// Under which name.
        name: String,
        /// What.
        text: String,
    },
    /// The far end records the call, or does so no longer.
    FarRecords {
        /// Who.
        peer: PeerId,
        /// Under which name.
        name: String,
        /// From now on, or no longer.
        on: bool,
    },
    /// The call that is up goes over a relay from now on, or no longer.
    WayChanged {
        /// With whom.
        peer: PeerId,
        /// Over a relay.
        relayed: bool,
    },
    /// A recording is finished, and lies there.
    Recorded(PathBuf),
    /// The server accepted us: who we are can be told to others.
    Connected,
    /// Something the person should read once: a device that failed, a server that was lost.
    Notice(Notice),
}

/// A passing notice. What a person reads of it is in `ui`'s words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// A device could not be used, or another is used.
    Device(DeviceNews),
    /// The message could not be sent.
    TextNotSent,
    /// What was asked for makes no sense.
    Refused(Refusal),
    /// Somebody goes by the name of a contact and has another key: not the same person, or a new computer.
    KeyChanged {
        /// The name.
        name: String,
        /// The contact's peer ID.
        contact: PeerId,
        /// Who goes by the name now.
        now: PeerId,
    },
    /// A file was written: a backup, an export.
    Written(PathBuf),
    /// A file could not be read or written; what the system said.
    FileProblem {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The recording could not begin or go on; what the system said. The call does, and what was recorded plays.
    RecordingStopped {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file that was offered is no longer what it was; it has to be offered again.
    FileChanged(PathBuf),
    /// What came of a file is not what was sent; it was deleted.
    FileDamaged(PathBuf),
    /// The passphrase does not open the backup, or the file is none.
    BackUpNotOpened,
    /// What was restored, or a new identity, shows with the next start.
    WithNextStart,
    /// The history was written by a newer version: it is left as it is, and nothing is kept in this run.
    HistoryTooNew,
    /// The history was damaged and lies at this place now; a new one was begun, with the contacts that could be read.
    HistorySetAside(PathBuf),
    /// There is a newer version of this program; nothing of it was downloaded.
    NewerVersion(NewerVersion),
    /// The history cannot be used; what the system said. Nothing is kept in this run.
    HistoryProblem(String),
}

/// Why something that was asked for is not done. `Display` is for programs without a window.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// One call at a time.
    #[error("You are in a call already.")]
    InCall,
    /// One cannot call oneself.
    #[error("That is you.")]
    ThatIsYou,
    /// Nothing was typed.
    #[error("Write a name, a peer ID or a link first.")]
    Nobody,
    /// The link cannot be used.
    #[error("{0}.")]
    Link(#[from] LinkError),
    /// The name cannot be used.
    #[error("{0}")]
    Name(NameError),
    /// The server's address cannot be used.
    #[error("{0}.")]
    Server(NotAServer),
    /// Their program takes no files.
    #[error("Their program takes no files.")]
    TakesNoFiles,
    /// Only files can be offered: no folders, no devices.
    #[error("Only files can be sent.")]
    NotAFile,
    /// It is too large: 64 GiB is the most.
    #[error("This file is too large.")]
    FileTooLarge,
    /// Too many files wait to be taken.
    #[error("Too many files wait already.")]
    TooManyFiles,
    /// The settings cannot be kept; what the system said.
    #[error("{0}")]
    Settings(String),
}
