//! What is kept, as plain data: the same whether it goes into the store or comes out of it.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::rtmfp::PeerId;

/// Names a line of a conversation: a message's own random ID, or one drawn here for a call.
pub type LineName = [u8; 16];

/// Somebody the person keeps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredContact {
    /// Whom: what was verified belongs to this, never to a name.
    pub peer: PeerId,
    /// What they are called here.
    pub name: String,
    /// What they called themselves last.
    pub told_name: String,
    /// The server on which they are found, `rtmfp://…`; `None` is whichever we use.
    pub server: Option<String>,
    /// When their code was compared and found right.
    pub verified_at: Option<SystemTime>,
    /// Since when they are kept.
    pub added_at: SystemTime,
}

/// One line of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLine {
    /// Its name.
    pub name: LineName,
    /// With whom.
    pub peer: PeerId,
    /// What they were called then, for people who are no contact.
    pub peer_name: String,
    /// When, by this computer's clock.
    pub at: SystemTime,
    /// What.
    pub what: StoredKind,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredKind {
    /// They wrote.
    Received {
        /// What.
        text: String,
        /// Whether it was on screen here.
        read: bool,
    },
    /// We wrote.
    Sent {
        /// What.
        text: String,
        /// What became of it.
        state: Delivery,
    },
    /// A call that is over.
    Call {
        /// Whether they called us.
        incoming: bool,
        /// How long it was up, in seconds, if it was.
        seconds: Option<u64>,
        /// How it ended: the word for scripts.
        reason: String,
        /// Whether it was on screen here: a missed call is not until then.
        read: bool,
    },
    /// A file that was offered.
    File {
        /// Whether they offered it to us.
        incoming: bool,
        /// Its name, safe to show and to write.
        file_name: String,
        /// Bytes.
        size: u64,
        /// How far it got.
        state: StoredFile,
        /// Where it lies on this computer: the original, or what was received.
        path: Option<PathBuf>,
        /// Whether it was on screen here.
        read: bool,
    },
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Delivery {
    /// Waits until they can be reached.
    Waiting,
    /// On its way.
    Sending,
    /// Handed to a far end that does not acknowledge (a plain client).
    Sent,
    /// Kept by the far end.
    Delivered,
    /// Was on screen there.
    Read,
}

/// How far a file got, between two starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoredFile {
    /// Offered, and not answered yet.
    Offered,
    /// Under way: so many bytes are there.
    Partial(u64),
    /// All of it is there.
    Done,
    /// Not wanted.
    Declined,
    /// Stopped by one of the two.
    Cancelled,
    /// It could not be read or written.
    Failed,
}

/// One change to what is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    /// A contact is new, or changed.
    Contact(StoredContact),
    /// A contact is gone.
    ContactGone(PeerId),
    /// A line is new, or changed: the one of the same peer and name is replaced.
    Line(StoredLine),
    /// A line is deleted here.
    LineGone(PeerId, LineName),
    /// Everything up to now with this peer was on screen.
    ReadAll(PeerId),
    /// All lines with this peer are erased; with everybody, when nobody is named.
    Erase(Option<PeerId>),
}

/// What is known at a start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// Everybody who is kept.
    pub contacts: Vec<StoredContact>,
    /// The latest lines of each conversation, oldest first.
    pub lines: Vec<StoredLine>,
    /// With whom there are earlier lines than these.
    pub more: Vec<PeerId>,
}
