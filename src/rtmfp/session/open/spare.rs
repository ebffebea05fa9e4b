//! What a quiet session gives back: memory that was worth keeping only while there was traffic. A server has thousands of
//! sessions that do nothing but stay open.

use std::time::Instant;

use super::OpenSession;
use crate::rtmfp::limits;

impl OpenSession {
    /// Something came: in a while it is seen whether there is memory to spare.
    pub(super) fn note_busy(&mut self, now: Instant) {
        self.spare_at.get_or_insert(now + limits::SPARE_AFTER);
    }

    /// Gives back what is empty, unless something is under way; then it is looked at again when more has come.
    pub(super) fn release_spare(&mut self, now: Instant) {
        if self.spare_at.is_none_or(|at| at > now) {
            return;
        }
        self.spare_at = None;
        if self.in_flight.bytes() > 0 {
            return;
        }
        self.given = Vec::new();
        self.changed_flows = Vec::new();
        self.notices.shrink_to_fit();
        self.waiting.apart.shrink_to_fit();
        self.waiting.chunks.shrink_to_fit();
        self.in_flight.release_spare();
        self.send_flows.values_mut().for_each(|flow| flow.queue.release_spare());
        self.receive_flows.values_mut().for_each(|flow| flow.release_spare());
    }
}
