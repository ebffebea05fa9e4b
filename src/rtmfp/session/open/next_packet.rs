//! What goes into the next packets (RFC 7016 §3.6.2.3): control first, then acknowledgements, then user data by priority.
//!
//! Packets are built plain in one buffer and sealed together. All of a batch but the last are equally long, so that the
//! driver can hand them to the network at once.

use std::time::Instant;

use super::{OpenSession, Role};
use crate::rtmfp::endpoint::SendFlowId;
use crate::rtmfp::limits;
use crate::rtmfp::machine::{Route, Transmit};
use crate::rtmfp::session::closing::Phase;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader};
use crate::rtmfp::wire::user_data::{NextUserData, UserData};

/// A packet header with everything in it.
const LONGEST_HEADER: usize = 5;

/// Buffers that packets are built in, kept so that none is allocated per packet.
#[derive(Default)]
pub(super) struct Packing {
    plain: Vec<u8>,
    ends: Vec<usize>,
    sealed: Vec<u8>,
    sealed_ends: Vec<usize>,
    /// How many of the sealed datagrams were handed out.
    handed_out: usize,
    /// Where they go.
    route: Option<Route>,
    /// Whether [`super::Notice::Over`] was given.
    pub(super) over_told: bool,
}

/// What user data a packet got.
#[derive(Default)]
struct UserDataPacked {
    any: bool,
    time_critical: bool,
}

impl OpenSession {
    /// Appends one batch of sealed datagrams for one destination.
    pub(crate) fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        self.now = now;
        if let Some(transmit) = self.hand_out(out) {
            return Some(transmit);
        }
        let mut plain = std::mem::take(&mut self.packing.plain);
        plain.clear();
        self.packing.ends.clear();
        let route = if self.pack_apart(now, &mut plain) {
            self.packing.route
        } else if self.is_open() {
            self.expire_messages(now);
            self.pack_batch(now, &mut plain);
            Some(self.route)
        } else {
            None
        };
        self.packing.route = route;
        if !self.packing.ends.is_empty() {
            let Packing { ends, sealed, sealed_ends, handed_out, .. } = &mut self.packing;
            sealed.clear();
            sealed_ends.clear();
            *handed_out = 0;
            self.cipher.seal(self.far_session_id, &plain, ends, sealed, sealed_ends);
        }
        self.packing.plain = plain;
        if self.phase == Phase::LastWords && self.waiting.apart.is_empty() {
            self.be_over();
        }
        self.hand_out(out)
    }

    /// Whether sealed datagrams wait to be handed out.
    pub(super) fn has_sealed(&self) -> bool {
        self.packing.handed_out < self.packing.sealed_ends.len()
    }

    /// The most bytes that the chunks of a packet may take.
    pub(super) fn chunk_room(&self) -> usize {
        self.cipher.plain_limit(limits::DATAGRAM_SIZE).saturating_sub(LONGEST_HEADER)
    }

    /// Hands out datagrams of equal length, and one shorter one at the end.
    fn hand_out(&mut self, out: &mut Vec<u8>) -> Option<Transmit> {
        let route = self.packing.route?;
        let Packing { sealed, sealed_ends, handed_out, .. } = &mut self.packing;
        let start = handed_out.checked_sub(1).map_or(0, |before| sealed_ends[before]);
        let segment_size = sealed_ends.get(*handed_out)? - start;
        let mut end = start;
        let mut packets = 0;
        for next in &sealed_ends[*handed_out..] {
            let length = next - end;
            if length > segment_size {
                break;
            }
            end = *next;
            packets += 1;
            if length < segment_size {
                break;
            }
        }
        out.extend_from_slice(&sealed[start..end]);
        *handed_out += packets;
        self.counters.packets_sent += packets as u64;
        self.counters.bytes_sent += (end - start) as u64;
        Some(Transmit { route, ecn: None, segment_size })
    }

    fn header(&self, now: Instant) -> PacketHeader {
        let (timestamp, timestamp_echo) = self.timestamps.to_send(now);
        PacketHeader {
            mode: match self.role {
                Role::Initiator => Mode::Initiator,
                Role::Responder => Mode::Responder,
            },
            time_critical: false,
            time_critical_reverse: self.settings.time_critical.received_elsewhere(now, self.key),
            timestamp,
            timestamp_echo,
        }
    }

    /// A packet with one chunk for an address of its own, if one waits.
    fn pack_apart(&mut self, now: Instant, plain: &mut Vec<u8>) -> bool {
        let Some((route, chunk)) = self.waiting.apart.pop_front() else { return false };
        let header = self.header(now);
        header.write(plain);
        plain.extend_from_slice(&chunk);
        self.timestamps.note_sent(now, header.timestamp, header.timestamp_echo);
        self.packing.ends.push(plain.len());
        self.packing.route = Some(route);
        true
    }

    fn pack_batch(&mut self, now: Instant, plain: &mut Vec<u8>) {
        let limit = self.cipher.plain_limit(limits::DATAGRAM_SIZE);
        for _ in 0..limits::BATCH_PACKETS {
            let start = plain.len();
            if !self.pack_packet(now, plain, limit) {
                return;
            }
            let nearly_full = plain.len() - start + limits::PADDING_WORTH_IT >= limit;
            if nearly_full {
                plain.resize(start + limit, 0xff);
            }
            self.packing.ends.push(plain.len());
            if !nearly_full {
                return;
            }
        }
    }

    /// Appends one packet for the far end; false, and nothing appended, if there is nothing to say.
    fn pack_packet(&mut self, now: Instant, plain: &mut Vec<u8>, limit: usize) -> bool {
        let start = plain.len();
        let mut header = self.header(now);
        header.write(plain);
        let body = plain.len();
        let end = start + limit;

        self.pack_waiting_chunks(plain, body, end);
        let has_data = self.may_send_data() && self.send_flows.values_mut().any(|flow| flow.is_ready());
        if self.acknowledging.is_due() || has_data || plain.len() > body {
            self.pack_acknowledgements(plain, end);
        }
        self.pack_buffer_probes(now, plain, end);
        let packed = if has_data { self.pack_user_data(now, plain, end) } else { UserDataPacked::default() };
        if plain.len() == body {
            plain.truncate(start);
            return false;
        }
        if packed.time_critical {
            header.time_critical = true;
            let mut again = Vec::with_capacity(LONGEST_HEADER);
            header.write(&mut again);
            plain[start..body].copy_from_slice(&again);
            self.time_critical_sent = Some(now);
            self.settings.time_critical.note_sent(now);
        }
        if packed.any {
            self.burst += 1;
            self.timeout_at = Some(now + self.round_trip.timeout());
            self.keepalive.note_owed(now);
        }
        self.timestamps.note_sent(now, header.timestamp, header.timestamp_echo);
        true
    }

    fn pack_waiting_chunks(&mut self, plain: &mut Vec<u8>, body: usize, end: usize) {
        while let Some(chunk) = self.waiting.chunks.front() {
            let fits = plain.len() + chunk.len() <= end;
            if !fits && plain.len() > body {
                return;
            }
            if fits {
                plain.extend_from_slice(chunk);
            } else {
                // It fits into no packet at all.
                self.counters.dropped += 1;
            }
            self.waiting.chunks.pop_front();
        }
    }

    fn pack_buffer_probes(&mut self, now: Instant, plain: &mut Vec<u8>, end: usize) {
        let timeout = self.round_trip.timeout();
        for (id, flow) in &mut self.send_flows {
            let probe = Chunk::BufferProbe { flow_id: id.0 };
            if plain.len() + probe.encoded_length() <= end && flow.take_due_probe(now, timeout) {
                probe.write(plain);
                self.keepalive.note_owed(now);
            }
        }
    }

    /// Whether congestion control and burst avoidance (§3.5.2.3) let user data out.
    fn may_send_data(&self) -> bool {
        self.in_flight.bytes() < self.congestion.window() && self.burst < limits::BURST_PACKETS
    }

    /// Appends fragments, flow by flow in the order of their turns, until nothing more fits or may go.
    fn pack_user_data(&mut self, now: Instant, plain: &mut Vec<u8>, end: usize) -> UserDataPacked {
        let mut packed = UserDataPacked::default();
        let order: Vec<SendFlowId> = self.turns.in_order().collect();
        for id in order {
            if self.pack_fragments_of(id, plain, end) {
                packed.any = true;
                if let Some(flow) = self.send_flows.get_mut(&id) {
                    packed.time_critical |= flow.options.time_critical;
                    flow.schedule_probe(now);
                    self.turns.had_turn(flow.options.priority, id);
                }
            }
        }
        packed
    }

    /// Appends fragments of one flow; true if there was any.
    fn pack_fragments_of(&mut self, id: SendFlowId, plain: &mut Vec<u8>, end: usize) -> bool {
        let Some(flow) = self.send_flows.get_mut(&id) else { return false };
        // The number and the forward number of the chunk before, which a Next User Data chunk goes on from (§2.3.12).
        let mut before: Option<(u64, u64)> = None;
        while self.in_flight.bytes() < self.congestion.window() && flow.is_ready() {
            let Some(next) = flow.queue.next_to_send() else { break };
            let follows = before == Some((next.sequence - 1, next.forward));
            let chunk = if follows {
                Chunk::NextUserData(NextUserData {
                    fragment: next.place,
                    abandoned: next.abandoned,
                    finished: next.finished,
                    unknown_option: None,
                    data: &next.data,
                })
            } else {
                Chunk::UserData(UserData {
                    flow_id: id.0,
                    sequence: next.sequence,
                    forward_offset: next.sequence - next.forward,
                    fragment: next.place,
                    abandoned: next.abandoned,
                    finished: next.finished,
                    // Once in a packet is enough (§2.3.11.1.1).
                    options: flow.startup_options().filter(|_| before.is_none()),
                    data: &next.data,
                })
            };
            let size = chunk.encoded_length();
            if plain.len() + size > end {
                break;
            }
            chunk.write(plain);
            flow.queue.depart(id, next.sequence, size, &mut self.in_flight);
            self.counters.fragments_sent += 1;
            before = Some((next.sequence, next.forward));
        }
        before.is_some()
    }
}
