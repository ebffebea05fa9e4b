//! Hellos that are answered after a pause, because their address is a relay's: a direct way wins where there is one.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use crate::rtmfp::endpoint::OwnIdentity;
use crate::rtmfp::limits;
use crate::rtmfp::machine::Route;

/// A hello to be answered later.
#[derive(Debug)]
pub(super) struct LateAnswer {
    pub(super) route: Route,
    pub(super) own: OwnIdentity,
    pub(super) tag: Bytes,
}

/// Those that wait, in the order in which they are due: all wait equally long.
#[derive(Debug, Default)]
pub(super) struct LateAnswers(VecDeque<(Instant, LateAnswer)>);

impl LateAnswers {
    /// Answers a hello after the pause. Beyond a bound none is: whoever asked asks again.
    pub(super) fn add(&mut self, now: Instant, answer: LateAnswer) {
        if self.0.len() < limits::MOST_LATE_ANSWERS {
            self.0.push_back((now + limits::RELAY_PAUSE, answer));
        }
    }

    /// The next that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<LateAnswer> {
        self.0.pop_front_if(|(due, _)| *due <= now).map(|(_, answer)| answer)
    }

    /// When the next is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// Bytes of the tags kept.
    pub(super) fn held_bytes(&self) -> usize {
        self.0.iter().map(|(_, answer)| answer.tag.len()).sum()
    }
}
