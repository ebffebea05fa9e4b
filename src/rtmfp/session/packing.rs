//! Packets of one batch on their way out: built plain, sealed together, handed out in as few pieces as may be.
//!
//! The buffers are an endpoint's, lent to whichever session has its turn: a session that is idle holds none.

use crate::rtmfp::crypto::PacketCipher;
use crate::rtmfp::machine::{Ecn, Route, Transmit, Urgency};

/// One batch, and the memory it is made in.
#[derive(Default)]
pub(crate) struct Packing {
    /// Packets, one after the other.
    pub(super) plain: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    urgencies: Vec<Urgency>,
    sealed: Vec<u8>,
    sealed_ends: Vec<usize>,
    /// How many of the sealed datagrams were handed out.
    handed_out: usize,
    /// Where they go.
    pub(super) route: Option<Route>,
    /// What they are marked with.
    pub(super) ecn: Option<Ecn>,
}

impl Packing {
    /// Begins a batch.
    pub(super) fn start(&mut self) {
        self.plain.clear();
        self.ends.clear();
        self.urgencies.clear();
        self.sealed_ends.clear();
        self.handed_out = 0;
        self.route = None;
        self.ecn = None;
    }

    /// What was appended to `plain` since the last call is a packet.
    pub(super) fn end_packet(&mut self, urgency: Urgency) {
        self.ends.push(self.plain.len());
        self.urgencies.push(urgency);
    }

    /// Seals the batch; answers how many packets it has, and their bytes.
    pub(super) fn seal(&mut self, cipher: &mut dyn PacketCipher, far_session_id: u32) -> (usize, usize) {
        self.sealed.clear();
        if !self.ends.is_empty() {
            cipher.seal(far_session_id, &self.plain, &self.ends, &mut self.sealed, &mut self.sealed_ends);
        }
        (self.sealed_ends.len(), self.sealed.len())
    }

    /// Moves sealed datagrams to `out`, which is empty: of equal urgency and equal length, and one shorter one at the end.
    pub(crate) fn hand_out(&mut self, out: &mut Vec<u8>) -> Option<Transmit> {
        let Self { sealed, sealed_ends, handed_out, .. } = self;
        let route = self.route?;
        let start = handed_out.checked_sub(1).map_or(0, |before| sealed_ends[before]);
        let segment_size = sealed_ends.get(*handed_out)? - start;
        let urgency = self.urgencies.get(*handed_out).copied().unwrap_or_default();
        let mut end = start;
        for (next, next_urgency) in sealed_ends.iter().zip(&self.urgencies).skip(*handed_out) {
            let length = next - end;
            if length > segment_size || *next_urgency != urgency {
                break;
            }
            end = *next;
            *handed_out += 1;
            if length < segment_size {
                break;
            }
        }
        if end - start == sealed.len() {
            // All in one piece, as mostly: nothing need be copied.
            std::mem::swap(out, sealed);
        } else {
            out.extend_from_slice(&sealed[start..end]);
        }
        Some(Transmit { route, ecn: self.ecn, urgency, segment_size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::crypto::Profile;
    use crate::rtmfp::machine::PathId;
    use crate::rtmfp::testing::plain_crypto::Plain;

    /// The lengths of packets in each piece, and its urgency.
    fn handed_out(packets: &[(usize, Urgency)]) -> Vec<(Vec<usize>, Urgency)> {
        let mut packing = Packing::default();
        packing.start();
        packing.route = Some(Route { via: PathId(0), address: ([192, 0, 2, 1], 9).into() });
        for (length, urgency) in packets {
            packing.plain.resize(packing.plain.len() + length, 1);
            packing.end_packet(*urgency);
        }
        packing.seal(&mut *Plain::new("ada").default_cipher(), 7);
        let around = sealed_length(0);
        let mut pieces = Vec::new();
        let mut out = Vec::new();
        while let Some(transmit) = packing.hand_out(&mut out) {
            let lengths = out.chunks(transmit.segment_size).map(|packet| packet.len() - around).collect();
            pieces.push((lengths, transmit.urgency));
            out.clear();
        }
        pieces
    }

    fn sealed_length(plain: usize) -> usize {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        Plain::new("ada").default_cipher().seal(7, &vec![1; plain], &[plain], &mut out, &mut ends);
        out.len()
    }

    #[test]
    fn packets_of_one_length_go_together_with_a_shorter_one_at_the_end() {
        use Urgency::Ordinary;
        let packets = [(50, Ordinary), (50, Ordinary), (20, Ordinary), (60, Ordinary)];
        assert_eq!(handed_out(&packets), [(vec![50, 50, 20], Ordinary), (vec![60], Ordinary)]);
        assert_eq!(handed_out(&packets[..3]), [(vec![50, 50, 20], Ordinary)]);
        assert_eq!(handed_out(&[]), []);
    }

    #[test]
    fn packets_of_another_urgency_go_apart() {
        use Urgency::{Ordinary, Pictures, Sound};
        let packets = [(50, Sound), (50, Pictures), (50, Pictures), (50, Ordinary)];
        assert_eq!(handed_out(&packets), [(vec![50], Sound), (vec![50, 50], Pictures), (vec![50], Ordinary)]);
    }
}
