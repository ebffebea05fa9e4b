//! What a session does when it learns how long a datagram the path carries (RFC 7016 §3.5.4.3).

use std::time::Instant;

use super::{LONGEST_HEADER, OpenSession};
use crate::rtmfp::limits;

impl OpenSession {
    /// Cuts what was never sent to what fits into a packet now.
    pub(super) fn cut_flows_again(&mut self) {
        let room = self.chunk_room();
        for (id, flow) in &mut self.send_flows {
            let size = flow.fragment_size(*id, room);
            flow.queue.cut_again(size);
        }
    }

    /// Takes note when long datagrams do not pass any more.
    pub(super) fn notice_narrowing(&mut self, now: Instant) {
        if self.path_mtu.has_narrowed(now, self.round_trip.timeout()) {
            self.cut_flows_again();
        }
    }

    /// Whether a fragment is under way that only fits into a packet longer than every path carries.
    pub(super) fn has_sent_too_long(&self) -> bool {
        let room = self.cipher.plain_limit(limits::SAFE_DATAGRAM_SIZE).saturating_sub(LONGEST_HEADER);
        self.send_flows.iter().any(|(id, flow)| flow.queue.has_sent_more_than(flow.fragment_size(*id, room)))
    }
}
