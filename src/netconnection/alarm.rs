//! What a node has to look at again at some time.
//!
//! Alarms are never taken back: who is woken looks whether there still is something to do.

use std::collections::BTreeSet;
use std::time::Instant;

use super::ids::{ConnectionId, PlaybackId, SubscriberId};
use crate::rtmfp::endpoint::SessionKey;

/// One thing to look at.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Alarm {
    /// A connection should be up by now.
    Connect(ConnectionId),
    /// A subscriber should have been decided upon by now.
    Subscriber(SubscriberId),
    /// A stream we play should have a session by now.
    Playback(PlaybackId),
    /// A session may have carried nothing for a while.
    Idle(SessionKey),
    /// A session's last words should have arrived by now.
    Closing(SessionKey),
    /// Flows may have waited for each other long enough.
    Barrier(SessionKey),
}

/// All of them, earliest first.
#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeSet<(Instant, Alarm)>);

impl Alarms {
    pub(super) fn set(&mut self, at: Instant, alarm: Alarm) {
        self.0.insert((at, alarm));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes one alarm that is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<Alarm> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, alarm)| alarm)
    }
}
