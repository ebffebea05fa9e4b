//! What goes into the next packets (RFC 7016 §3.6.2.3): control first, then acknowledgements, then user data by priority.
//!
//! Packets are built plain in one buffer and sealed together. All of a batch but the last are equally long, so that the
//! driver can hand them to the network at once.

use std::time::Instant;

use super::{LONGEST_HEADER, OpenSession, Role};
use crate::rtmfp::endpoint::SendFlowId;
use crate::rtmfp::flow::turns::Round;
use crate::rtmfp::limits;
use crate::rtmfp::machine::{Ecn, Route, Transmit};
use crate::rtmfp::session::closing::Phase;
use crate::rtmfp::session::pacing::Pace;
use crate::rtmfp::wire::chunk;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader};
use crate::rtmfp::wire::user_data::{NextUserData, UserData};
use crate::rtmfp::wire::writer::{CHUNK_HEADER, Writer};

/// Less room than this takes no user data at all.
const SMALLEST_CHUNK: usize = NextUserData::HEADER_LENGTH;

/// What probes are padded with.
const PADDING_BYTES: [u8; limits::DATAGRAM_SIZE] = [0xff; limits::DATAGRAM_SIZE];

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
    /// What they are marked with.
    ecn: Option<Ecn>,
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
        self.packing.ecn = None;
        let route = if self.pack_apart(now, &mut plain) {
            self.packing.route
        } else if self.is_open() {
            self.expire_messages(now);
            if !self.pack_probe(now, &mut plain) {
                self.pack_batch(now, &mut plain);
            }
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
        self.cipher.plain_limit(self.path_mtu.datagram_size()).saturating_sub(LONGEST_HEADER)
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
        Some(Transmit { route, ecn: self.packing.ecn, segment_size })
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

    /// A padded ping that asks whether the path carries long datagrams (§3.5.4.3), if one is due.
    fn pack_probe(&mut self, now: Instant, plain: &mut Vec<u8>) -> bool {
        if self.path_mtu.deadline().is_none_or(|at| at > now) {
            return false;
        }
        let waits = self.has_sent_too_long();
        let Some(probe) = self.path_mtu.take_due_probe(now, self.round_trip.timeout(), waits) else {
            return false;
        };
        if waits {
            // Something short beside it: if only that is answered, it is the length that does not pass.
            self.queue_chunk(&Chunk::Ping { message: &[] });
        }
        let header = self.header(now);
        header.write(plain);
        let end = self.cipher.plain_limit(limits::DATAGRAM_SIZE);
        let ping = Chunk::Ping { message: &probe.message };
        if probe.padding_first {
            let padding = end.saturating_sub(plain.len() + ping.encoded_length() + CHUNK_HEADER);
            Writer::new(plain).chunk(chunk::PADDING, |writer| {
                writer.bytes(&PADDING_BYTES[..padding.min(PADDING_BYTES.len())])
            });
            ping.write(plain);
        } else {
            ping.write(plain);
            plain.resize(end.max(plain.len()), 0xff);
        }
        self.timestamps.note_sent(now, header.timestamp, header.timestamp_echo);
        self.packing.ends.push(plain.len());
        true
    }

    fn pack_batch(&mut self, now: Instant, plain: &mut Vec<u8>) {
        let limit = self.cipher.plain_limit(self.path_mtu.datagram_size());
        for _ in 0..limits::BATCH_PACKETS {
            let start = plain.len();
            if !self.pack_packet(now, plain, limit) {
                return;
            }
            let length = plain.len() - start;
            let nearly_full = length + limits::PADDING_WORTH_IT >= limit;
            if nearly_full {
                // One with a fragment from when packets might be longer stays as long as it is.
                plain.resize(start + limit.max(length), 0xff);
                // Somebody has enough to say to fill longer ones.
                self.path_mtu.want(now);
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
        let header = self.header(now);
        header.write(plain);
        let body = plain.len();
        let end = start + limit;

        self.pack_waiting_chunks(plain, body, end);
        let has_data = self.may_send_data(now) && self.send_flows.values_mut().any(|flow| flow.is_ready());
        if self.acknowledging.is_due() || has_data || plain.len() > body {
            self.pack_acknowledgements(plain, end);
        }
        self.pack_buffer_probes(now, plain, end);
        let packed =
            if has_data { self.pack_user_data(now, plain, start, end) } else { UserDataPacked::default() };
        if plain.len() == body {
            plain.truncate(start);
            return false;
        }
        if packed.time_critical {
            PacketHeader::mark_time_critical(&mut plain[start..body]);
            self.time_critical_sent = Some(now);
            self.settings.time_critical.note_sent(now);
        }
        if packed.any {
            self.burst += 1;
            self.pacing.note_sent(plain.len() - start);
            self.packing.ecn = self.marks.mark();
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
    fn may_send_data(&mut self, now: Instant) -> bool {
        self.pacing.stop_waiting();
        if self.in_flight.bytes() >= self.congestion.window() {
            return false;
        }
        match self.round_trip.smoothed() {
            // How fast the path is, is not known: a burst, and then an answer first.
            None => self.burst < limits::BURST_PACKETS,
            Some(round_trip) if round_trip < limits::SHORTEST_PACED_ROUND_TRIP => true,
            Some(round_trip) => {
                let (window, slow_start) = (self.congestion.window(), self.congestion.is_in_slow_start());
                self.pacing.allows(now, Pace { window, round_trip, slow_start })
            }
        }
    }

    /// Appends fragments, flow by flow in the order of their turns, until nothing more fits or may go.
    fn pack_user_data(
        &mut self,
        now: Instant,
        plain: &mut Vec<u8>,
        start: usize,
        end: usize,
    ) -> UserDataPacked {
        let packed = self.pack_user_data_up_to(now, plain, start, end);
        if packed.any || !self.path_mtu.may_try_long() {
            return packed;
        }
        // Whatever is left is too long for what is known to pass; nothing is in the packet that would be lost with it.
        let end = start + self.cipher.plain_limit(limits::DATAGRAM_SIZE);
        self.pack_user_data_up_to(now, plain, start, end)
    }

    fn pack_user_data_up_to(
        &mut self,
        now: Instant,
        plain: &mut Vec<u8>,
        start: usize,
        end: usize,
    ) -> UserDataPacked {
        let safe_end = start + self.cipher.plain_limit(limits::SAFE_DATAGRAM_SIZE);
        let mut packed = UserDataPacked::default();
        let mut round = Round::default();
        while let Some(id) = self.turns.next_in(&mut round) {
            if plain.len() + SMALLEST_CHUNK > end || self.in_flight.bytes() >= self.congestion.window() {
                break;
            }
            if self.pack_fragments_of(id, plain, safe_end, end) {
                packed.any = true;
                if let Some(flow) = self.send_flows.get_mut(&id) {
                    packed.time_critical |= flow.options.time_critical;
                    flow.schedule_probe(now);
                    self.turns.had_turn(&mut round);
                }
            }
        }
        packed
    }

    /// Appends fragments of one flow; true if there was any.
    fn pack_fragments_of(
        &mut self,
        id: SendFlowId,
        plain: &mut Vec<u8>,
        safe_end: usize,
        end: usize,
    ) -> bool {
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
            if plain.len() > safe_end {
                self.in_flight.mark_long();
            }
            self.counters.fragments_sent += 1;
            before = Some((next.sequence, next.forward));
        }
        before.is_some()
    }
}
