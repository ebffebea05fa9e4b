//! What must be told once, as it happens. All that lasts is in the view.

use super::end_reason::EndReason;
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
    /// The server accepted us: who we are can be told to others.
    Connected,
    /// Something the person should read once: a device that failed, a server that was lost.
    Notice(Notice),
}

/// A passing notice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// A device could not be used; one sentence says what and what to do.
    Device(String),
    /// The message could not be sent.
    TextNotSent,
    /// What was asked for makes no sense; one sentence says why.
    Refused(String),
}
