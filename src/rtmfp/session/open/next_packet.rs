//! What goes into the next packets (RFC 7016 §3.6.2.3): control first, then acknowledgements, then user data by priority.
//!
//! Packets are built plain in one buffer and sealed together. As many as possible are equally long, so that the driver can
//! hand them to the network at once.

use std::time::Instant;

use super::{Apart, LONGEST_HEADER, Notice, OpenSession, Role};
use crate::rtmfp::endpoint::{FlowOptions, Priority, SendFlowId};
use crate::rtmfp::event::Event;
use crate::rtmfp::flow::send_flow::SendFlow;
use crate::rtmfp::flow::turns::Round;
use crate::rtmfp::limits;
use crate::rtmfp::machine::{Transmit, Urgency};
use crate::rtmfp::session::closing::Phase;
use crate::rtmfp::session::pacing::{Allowance, Pace};
use crate::rtmfp::session::packing::Packing;
use crate::rtmfp::session::time_critical::is_fresh;
use crate::rtmfp::wire::chunk;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader};
use crate::rtmfp::wire::user_data::{NextUserData, UserData};
use crate::rtmfp::wire::writer::{CHUNK_HEADER, Writer};

/// Less room than this takes no user data at all.
const SMALLEST_CHUNK: usize = NextUserData::HEADER_LENGTH;

/// What probes are padded with.
const PADDING_BYTES: [u8; limits::DATAGRAM_SIZE] = [0xff; limits::DATAGRAM_SIZE];

/// What user data may go out now. Words always go with sound: they are as little, and who rings off, or writes a line,
/// should not have to wait until pictures take a rest. Beside pictures everything goes on, a little at a time: a line that
/// loses may let pictures out at their own pace for as long as they last, and never anything by its window.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Allowed {
    Nothing,
    /// Time critical data that is little and always in a hurry.
    Sound,
    TimeCritical,
    Everything,
}

impl Allowed {
    fn includes(self, flow: &SendFlow) -> bool {
        match self {
            Self::Nothing => false,
            Self::Sound => is_sound(&flow.options) || is_word(flow),
            Self::TimeCritical => flow.options.time_critical || is_little(flow),
            Self::Everything => true,
        }
    }
}

/// Sound, and what is as urgent.
fn is_sound(flow: &FlowOptions) -> bool {
    flow.time_critical && flow.priority >= Priority::Audio
}

/// Data that people wait for, as long as there is little of it on its way.
fn is_word(flow: &SendFlow) -> bool {
    !flow.options.time_critical && flow.options.priority >= Priority::Data && is_little(flow)
}

fn is_little(flow: &SendFlow) -> bool {
    flow.queue.in_flight_bytes() < limits::LITTLE_IN_FLIGHT
}

/// Bytes that may be in flight when data of each kind joins them.
#[derive(Clone, Copy)]
struct Windows {
    bulk: usize,
    pictures: usize,
    sound: usize,
}

impl Windows {
    fn of(self, flow: &FlowOptions) -> usize {
        match flow.time_critical {
            false => self.bulk,
            true if is_sound(flow) => self.sound,
            true => self.pictures,
        }
    }
}

/// What user data a packet got.
#[derive(Default)]
struct UserDataPacked {
    any: bool,
    time_critical: bool,
    urgency: Urgency,
}

impl OpenSession {
    /// Gives sealed datagrams for one destination, made in `packing`, which may still hold some of the last batch.
    pub(crate) fn poll_transmit(
        &mut self,
        now: Instant,
        packing: &mut Packing,
        out: &mut Vec<u8>,
    ) -> Option<Transmit> {
        self.now = now;
        if let Some(transmit) = packing.hand_out(out) {
            return Some(transmit);
        }
        packing.start();
        self.in_flight.note_time(now, self.round_trip.shortest().unwrap_or_default());
        if !self.pack_apart(now, packing) && self.is_open() {
            packing.route = Some(self.route);
            self.expire_messages(now);
            if !self.pack_probe(now, packing) {
                self.pack_batch(now, packing);
            }
        }
        let (packets, bytes) = packing.seal(&mut *self.cipher, self.far_session_id);
        self.counters.packets_sent += packets as u64;
        self.counters.bytes_sent += bytes as u64;
        if self.phase == Phase::LastWords && self.waiting.apart.is_empty() {
            self.be_over();
        }
        packing.hand_out(out)
    }

    /// The most bytes that the chunks of a packet may take.
    pub(super) fn chunk_room(&self) -> usize {
        self.cipher.plain_limit(self.path_mtu.datagram_size()).saturating_sub(LONGEST_HEADER)
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
    fn pack_apart(&mut self, now: Instant, packing: &mut Packing) -> bool {
        let Some(Apart { route, chunk, timeless }) = self.waiting.apart.pop_front() else { return false };
        let mut header = self.header(now);
        if timeless {
            header = PacketHeader { timestamp: None, timestamp_echo: None, ..header };
        }
        header.write(&mut packing.plain);
        packing.plain.extend_from_slice(&chunk);
        self.timestamps.note_sent(now, header.timestamp, header.timestamp_echo);
        packing.end_packet(Urgency::Ordinary);
        packing.route = Some(route);
        true
    }

    /// A padded ping that asks whether the path carries long datagrams (§3.5.4.3), if one is due.
    fn pack_probe(&mut self, now: Instant, packing: &mut Packing) -> bool {
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
        let plain = &mut packing.plain;
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
        packing.end_packet(Urgency::Ordinary);
        true
    }

    fn pack_batch(&mut self, now: Instant, packing: &mut Packing) {
        let limit = self.cipher.plain_limit(self.path_mtu.datagram_size());
        let with_bulk = !self.waits_for_room();
        let mut header = self.header(now);
        for _ in 0..limits::BATCH_PACKETS {
            let start = packing.plain.len();
            let Some(packed) = self.pack_packet(now, &mut packing.plain, header, limit, with_bulk) else {
                return;
            };
            self.timestamps.note_sent(now, header.timestamp, header.timestamp_echo);
            // The times were said, and are the same for the rest of the batch; old programs want to be told in each packet.
            if !self.is_flash_era() {
                header = PacketHeader { timestamp: None, timestamp_echo: None, ..header };
            }
            let length = packing.plain.len() - start;
            let nearly_full = length + limits::PADDING_WORTH_IT >= limit;
            if nearly_full {
                // One with a fragment from when packets might be longer stays as long as it is.
                packing.plain.resize(start + limit.max(length), 0xff);
                // Somebody has enough to say to fill longer ones.
                self.path_mtu.want(now);
            }
            if packed.any {
                packing.ecn = self.marks.mark().filter(|_| !self.is_flash_era());
            }
            packing.end_packet(packed.urgency);
        }
    }

    /// Appends one packet for the far end; none, and nothing appended, if there is nothing to say.
    fn pack_packet(
        &mut self,
        now: Instant,
        plain: &mut Vec<u8>,
        header: PacketHeader,
        limit: usize,
        with_bulk: bool,
    ) -> Option<UserDataPacked> {
        let start = plain.len();
        header.write(plain);
        let body = plain.len();
        let end = start + limit;

        self.pack_waiting_chunks(plain, body, end);
        let allowed = match self.allowed_data(now) {
            Allowed::Everything if !with_bulk => Allowed::TimeCritical,
            allowed => allowed,
        };
        let has_data = self.send_flows.values_mut().any(|flow| allowed.includes(flow) && flow.is_ready());
        if self.acknowledging.is_due() || has_data || plain.len() > body {
            self.pack_acknowledgements(plain, end);
        }
        self.pack_buffer_probes(now, plain, end);
        let packed = if has_data {
            self.pack_user_data(now, plain, start, end, allowed)
        } else {
            UserDataPacked::default()
        };
        if plain.len() == body {
            plain.truncate(start);
            return None;
        }
        if packed.time_critical {
            PacketHeader::mark_time_critical(&mut plain[start..body]);
            self.time_critical_sent = Some(now);
            self.settings.time_critical.note_sent(now);
            self.media_pace.note_sent(plain.len() - start);
        }
        if packed.any {
            self.burst += 1;
            self.pacing.note_sent(plain.len() - start);
            self.timeout_at = Some(now + self.acknowledgement_timeout(now));
            self.keepalive.note_owed(now);
        }
        Some(packed)
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

    /// Whether user data that is not time critical had better be put off until more of what is in flight is acknowledged.
    ///
    /// Otherwise each acknowledgement lets out as much as it acknowledges, and a stream that once went in small batches
    /// does so for ever, at several times the cost. Only nearby, where it is a matter of microseconds; and enough is in
    /// flight then that acknowledgements come without their delay.
    fn waits_for_room(&self) -> bool {
        let window = self.congestion.window();
        let worth_it = (window / 4).min(limits::BATCH_PACKETS * limits::DATAGRAM_SIZE);
        self.round_trip.is_near()
            && window >= limits::SMALLEST_BATCHED_WINDOW
            && self.in_flight.bytes().saturating_add(worth_it) > window
    }

    /// What may go now: by the rate of sound and pictures when one governs, else by congestion control.
    fn allowed_data(&mut self, now: Instant) -> Allowed {
        self.media_pace.stop_waiting();
        let by_congestion = self.allowed_by_congestion(now);
        if !self.media_pace.governs(now) {
            return by_congestion;
        }
        let pictures_wait = self
            .send_flows
            .values_mut()
            .any(|flow| flow.options.time_critical && !is_sound(&flow.options) && flow.is_ready());
        if !pictures_wait {
            return by_congestion.max(Allowed::Sound);
        }
        let has_room = self.in_flight.bytes() < self.windows(now).pictures;
        if has_room && (self.round_trip.is_near() || self.media_pace.allows(now)) {
            by_congestion.max(Allowed::TimeCritical)
        } else {
            // What is less urgent must not take the room that pictures wait for.
            Allowed::Sound
        }
    }

    /// What congestion control and burst avoidance (§3.5.2.3) let out.
    fn allowed_by_congestion(&mut self, now: Instant) -> Allowed {
        self.pacing.stop_waiting();
        let (window, in_flight) = (self.congestion.window(), self.in_flight.bytes());
        if in_flight >= window {
            return Allowed::Nothing;
        }
        let paced = match self.round_trip.smoothed() {
            // How fast the path is, is not known: a burst, and then an answer first.
            None if self.burst < limits::BURST_PACKETS => Allowed::Everything,
            None => Allowed::Nothing,
            Some(_) if self.round_trip.is_near() => Allowed::Everything,
            Some(round_trip) => {
                // Real-time data does not double its window in a round trip (A.2).
                let slow_start =
                    self.congestion.is_in_slow_start() && !is_fresh(self.time_critical_sent, now);
                match self.pacing.allowance(now, Pace { window, round_trip, slow_start }) {
                    Allowance::Everything => Allowed::Everything,
                    Allowance::Urgent => Allowed::TimeCritical,
                    Allowance::Nothing => Allowed::Nothing,
                }
            }
        };
        match paced {
            Allowed::Everything if in_flight >= self.window_of_bulk(now) => Allowed::TimeCritical,
            paced => paced,
        }
    }

    /// Bytes that may be in flight when data joins them that is not time critical.
    fn window_of_bulk(&self, now: Instant) -> usize {
        let window = self.congestion.window();
        match is_fresh(self.time_critical_sent, now) {
            true => self.giving_way.limit(now, window),
            false => window,
        }
    }

    fn windows(&self, now: Instant) -> Windows {
        let bulk = self.window_of_bulk(now);
        let window = self.congestion.window();
        match self.media_pace.window(now, &self.round_trip) {
            Some(pictures) => {
                let of_bulk = self.send_flows.values().filter(|flow| !flow.options.time_critical);
                let beside: usize = of_bulk.map(|flow| flow.queue.in_flight_bytes()).sum();
                Windows { bulk, pictures: pictures + beside, sound: usize::MAX }
            }
            None => Windows { bulk, pictures: window, sound: window },
        }
    }

    /// Appends fragments, flow by flow in the order of their turns, until nothing more fits or may go.
    fn pack_user_data(
        &mut self,
        now: Instant,
        plain: &mut Vec<u8>,
        start: usize,
        end: usize,
        allowed: Allowed,
    ) -> UserDataPacked {
        let packed = self.pack_user_data_up_to(now, plain, start, end, allowed);
        if packed.any {
            return packed;
        }
        if !self.path_mtu.may_try_long() {
            self.path_mtu.want(now);
            return packed;
        }
        // Whatever is left is too long for what is known to pass; no other data is in the packet that would be lost with it.
        let end = start + self.cipher.plain_limit(limits::DATAGRAM_SIZE);
        self.pack_user_data_up_to(now, plain, start, end, allowed)
    }

    fn pack_user_data_up_to(
        &mut self,
        now: Instant,
        plain: &mut Vec<u8>,
        start: usize,
        end: usize,
        allowed: Allowed,
    ) -> UserDataPacked {
        let windows = self.windows(now);
        let safe_end = start + self.cipher.plain_limit(limits::SAFE_DATAGRAM_SIZE);
        let mut packed = UserDataPacked::default();
        let mut round = Round::default();
        while let Some(id) = self.turns.next_in(&mut round) {
            if plain.len() + SMALLEST_CHUNK > end {
                break;
            }
            let Some(flow) = self.send_flows.get(&id).filter(|flow| allowed.includes(flow)) else { continue };
            // What goes because it is little stays so.
            let (window, own) = if allowed == Allowed::Everything || flow.options.time_critical {
                (windows.of(&flow.options), usize::MAX)
            } else if is_word(flow) {
                (windows.sound, limits::LITTLE_IN_FLIGHT)
            } else {
                (windows.pictures, limits::LITTLE_IN_FLIGHT)
            };
            if self.pack_fragments_of(id, plain, safe_end, end, (window, own)) {
                packed.any = true;
                if let Some(flow) = self.send_flows.get_mut(&id) {
                    packed.time_critical |= flow.options.time_critical;
                    packed.urgency = packed.urgency.max(urgency(&flow.options));
                    flow.schedule_probe(now);
                    self.turns.had_turn(&mut round);
                }
            }
        }
        packed
    }

    /// Appends fragments of one flow while less than its window is in flight, of all flows and of its own; true if there was
    /// any.
    fn pack_fragments_of(
        &mut self,
        id: SendFlowId,
        plain: &mut Vec<u8>,
        safe_end: usize,
        end: usize,
        (window, own): (usize, usize),
    ) -> bool {
        let Some(flow) = self.send_flows.get_mut(&id) else { return false };
        // The number and the forward number of the chunk before, which a Next User Data chunk goes on from (§2.3.12).
        let mut before: Option<(u64, u64)> = None;
        while self.in_flight.bytes() < window && flow.queue.in_flight_bytes() < own && flow.is_ready() {
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
            let left = flow.queue.depart(id, next.sequence, size, &mut self.in_flight);
            if plain.len() > safe_end {
                self.in_flight.mark_long();
            }
            self.counters.fragments_sent += 1;
            if let Some(message) = left {
                let fragments_sent = self.counters.fragments_sent;
                let left = Event::MessageLeft { session: self.key, flow: id, message, fragments_sent };
                self.notices.push_back(Notice::Event(left));
            }
            before = Some((next.sequence, next.forward));
        }
        before.is_some()
    }
}

/// What routers may be told of a flow's packets.
fn urgency(flow: &FlowOptions) -> Urgency {
    match flow.priority {
        _ if !flow.time_critical => Urgency::Ordinary,
        Priority::Audio => Urgency::Sound,
        _ => Urgency::Pictures,
    }
}
