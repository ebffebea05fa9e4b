//! A far end that has the keys, and wants what nobody honest wants (RFC 7016 §5).
//!
//! Every demand is bounded where it is made: so many flows, so many bytes, so many answers. Whoever goes on demanding beyond
//! the bounds, or acknowledges what was never sent, is not worth listening to any more, and the session is aborted.

use std::time::{Duration, Instant};

use super::OpenSession;
use crate::rtmfp::allowance::Allowance;
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::session::closing::Phase;
use crate::rtmfp::wire::chunk::Chunk;

/// How much of that is put up with.
pub(super) const fn patience() -> Allowance {
    Allowance::new(AT_ONCE, INTERVAL)
}

impl OpenSession {
    /// The far end demanded what it cannot have, and did not get it.
    pub(super) fn note_abuse(&mut self, now: Instant) {
        self.counters.dropped += 1;
        if self.is_open() && !self.patience.take(now) {
            self.abort(SessionEnd::Abusive);
        }
    }

    /// Ends the session without waiting for an answer (§3.5.5).
    pub(super) fn abort(&mut self, end: SessionEnd) {
        self.phase = Phase::LastWords;
        self.end(end);
        self.waiting.apart.clear();
        self.queue_apart(self.route, &Chunk::CloseAck);
    }
}

/// A program that overlooks a bound for a moment is forgiven.
const AT_ONCE: u32 = 1_000;
const INTERVAL: Duration = Duration::from_millis(10);
