//! When received data is acknowledged (RFC 7016 §3.6.3.4): at once when something is odd, else every second packet or
//! after 200 ms, and for free whenever a packet goes out anyway.

use std::time::Instant;

use super::OpenSession;
use crate::rtmfp::endpoint::ReceiveFlowId;
use crate::rtmfp::limits;
use crate::rtmfp::wire::acknowledgement::Ack;
use crate::rtmfp::wire::chunk::Chunk;

/// What is owed for received data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acknowledging {
    /// ACK_NOW.
    at_once: bool,
    /// RX_DATA_PACKETS.
    data_packets: u32,
    /// DELACK_ALARM.
    latest_at: Option<Instant>,
}

impl Acknowledging {
    /// What is owed is owed now.
    pub(super) fn hurry(&mut self) {
        self.at_once = true;
    }

    /// A packet with user data was processed (§3.6.3.2).
    pub(super) fn after_data_packet(&mut self, now: Instant) {
        self.data_packets += 1;
        self.at_once |= self.data_packets >= limits::PACKETS_PER_ACKNOWLEDGEMENT;
        if !self.at_once {
            self.latest_at.get_or_insert(now + limits::DELAYED_ACKNOWLEDGEMENT);
        }
    }

    /// Time passed (§3.6.3.4.4).
    pub(super) fn on_time(&mut self, now: Instant) {
        self.at_once |= self.latest_at.is_some_and(|at| at <= now);
    }

    /// Whether acknowledgements alone are worth a packet.
    pub(super) fn is_due(&self) -> bool {
        self.at_once
    }

    /// When they will be, at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.latest_at.filter(|_| !self.at_once)
    }
}

impl OpenSession {
    /// Appends the acknowledgements that are owed, until `plain` is `end` bytes long.
    ///
    /// One that does not fit is shortened if it is the first thing in its packet, else left for the next (§3.6.3.4.2).
    pub(super) fn pack_acknowledgements(&mut self, plain: &mut Vec<u8>, end: usize) {
        let mut owing = self.first_owing(ReceiveFlowId(0));
        if let Some(count) = self.marks.owed().filter(|_| owing.is_some()) {
            let report = Chunk::EcnReport { count };
            if plain.len() + report.encoded_length() <= end {
                report.write(plain);
                self.marks.note_told();
            }
        }
        let mut any_left = false;
        let mut is_first = true;
        while let Some(id) = owing {
            let room = end.saturating_sub(plain.len());
            if self.pack_acknowledgement(id, plain, room, is_first) {
                is_first = false;
                owing = self.first_owing(id);
            } else {
                any_left = true;
                break;
            }
        }
        if !any_left {
            self.acknowledging = Acknowledging::default();
        }
    }

    /// The first flow, from this one on, that owes an acknowledgement.
    fn first_owing(&self, from: ReceiveFlowId) -> Option<ReceiveFlowId> {
        self.receive_flows.range(from..).find(|(_, flow)| flow.owes_acknowledgement).map(|(id, _)| *id)
    }

    fn pack_acknowledgement(
        &mut self,
        id: ReceiveFlowId,
        plain: &mut Vec<u8>,
        room: usize,
        shorten: bool,
    ) -> bool {
        let flash_era = self.is_flash_era();
        let Some(flow) = self.receive_flows.get_mut(&id) else { return true };
        let report = flow.rejection().map(|code| Chunk::FlowException { flow_id: id.0, code });
        let room = room.saturating_sub(report.as_ref().map_or(0, Chunk::encoded_length));
        // A window of nothing is the end of the session to Flash-era programs.
        let window = if flash_era { flow.window().max(1) } else { flow.window() };
        let mut ack = Ack {
            flow_id: id.0,
            free_bytes: window,
            cumulative: flow.cumulative(),
            islands: flow.islands(limits::MOST_ISLANDS),
        };
        if shorten && flash_era {
            ack.truncate_ranges_to(room);
        } else if shorten {
            ack.truncate_to(room);
        }
        let length = if flash_era { ack.range_encoded_length() } else { ack.encoded_length() };
        if length > room {
            return false;
        }
        if let Some(report) = report {
            report.write(plain);
        }
        if flash_era {
            ack.write_range_chunk(plain)
        } else {
            Chunk::Ack(ack).write(plain)
        }
        flow.note_acknowledged(window);
        true
    }
}
