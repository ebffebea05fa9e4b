//! What a call is made of: where it stands, with whom, and what it asks of the layers around it. Plain data.

use std::time::{Duration, Instant};

use crate::call::end_reason::EndReason;
use crate::call::event::Event;
use crate::call::messages::{Capabilities, Message};
use crate::call::random_id::RandomId;
use crate::rtmfp::PeerId;

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CallEffect {
    /// Dial, or dial again.
    Dial(PeerId, Capabilities),
    /// Tell our name: the call is accepted (step 9).
    GiveName(PeerId),
    /// Say something on the line.
    Say(PeerId, Message),
    /// Close the lines once what was said is said: nobody talks on them.
    Part(PeerId),
    /// Sound and pictures may flow.
    StartMedia(PeerId),
    /// They may no longer: the call is over.
    StopMedia,
    /// They may not for now: one of the two holds the call.
    PauseMedia,
    /// Tell the window.
    Tell(Event),
    /// Write the call into the conversation.
    Record(PeerId, CallRecord),
}

/// A call that is over, for the conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CallRecord {
    /// Whether they called us.
    pub(crate) incoming: bool,
    /// How long it was up.
    pub(crate) lasted: Option<Duration>,
    /// How it ended.
    pub(crate) reason: EndReason,
}

/// Whom a call is with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct With {
    /// Their peer ID.
    pub(crate) peer: PeerId,
    /// Their name, or what was dialled until they told it.
    pub(crate) name: String,
    /// The call's own name.
    pub(crate) call: RandomId,
    /// Whether they called us.
    pub(crate) incoming: bool,
    /// Whether the caller means to show a picture.
    pub(crate) with_video: bool,
    /// The far end announced no capabilities.
    pub(crate) plain: bool,
    /// Both ends told their names.
    pub(super) lines_up: bool,
    /// Both persons agreed.
    pub(super) accepted: bool,
}

/// Where a call stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Phase {
    /// No call.
    #[default]
    Idle,
    /// The server is asked whom we mean.
    Looking {
        /// What the person wrote.
        whom: String,
        /// Whom it means, when it is a peer ID.
        wanted: Option<PeerId>,
        /// With our picture.
        with_video: bool,
        /// Since when.
        since: Instant,
    },
    /// A way is being opened.
    Connecting {
        /// To whom.
        with: With,
        /// Since when we look or connect; what the person sees counts from here.
        since: Instant,
        /// When it is given up.
        until: Instant,
        /// What it means if nobody answers.
        otherwise: EndReason,
    },
    /// They are reached; their person decides.
    Waiting {
        /// Who.
        with: With,
        /// Since when we dial.
        since: Instant,
        /// When it is given up.
        until: Instant,
        /// Their program said that it rings.
        rings: bool,
    },
    /// It rings here.
    Ringing {
        /// Who calls.
        with: With,
        /// When it is given up.
        until: Instant,
    },
    /// The call is up.
    Up {
        /// With whom.
        with: With,
        /// Since when.
        since: Instant,
        /// When the last packet came.
        heard: Instant,
        /// The lines are lost; the next attempt at getting them back.
        redial: Option<Instant>,
        /// Who lets whom wait.
        hold: Hold,
    },
    /// It is over, until put away.
    Ended {
        /// With whom, by name.
        name: String,
        /// With whom, when it was found out.
        peer: Option<PeerId>,
        /// Why.
        reason: EndReason,
        /// How long it was up.
        lasted: Option<Duration>,
        /// Whether they had called us.
        incoming: bool,
    },
}

/// What the lines to a peer are like when a call over them begins.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct LinesNow {
    /// Both ends told their names.
    pub(crate) up: bool,
    /// To a plain client.
    pub(crate) plain: bool,
}

/// A call as the far end offers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Offer {
    /// Who.
    pub(crate) peer: PeerId,
    /// Under which name.
    pub(crate) name: String,
    /// The call's own name.
    pub(crate) call: RandomId,
    /// Whether the caller means to show a picture.
    pub(crate) video: bool,
    /// The lines it comes over.
    pub(crate) lines: LinesNow,
}

/// Who lets whom wait in a call that is up. While either does, there is neither sound nor picture, either way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Hold {
    /// We let them wait.
    pub(crate) here: bool,
    /// They let us wait.
    pub(crate) there: bool,
}

impl Hold {
    /// Whether sound and pictures flow.
    pub(crate) fn flows(self) -> bool {
        !self.here && !self.there
    }
}
