//! An open session (RFC 7016 §3.5.2 to §3.6): what its endpoint may ask of it, and what it consists of.

mod abuse;
mod acknowledging;
mod cutting;
mod flows;
mod held;
mod next_packet;
mod receiving;
mod spare;
mod timers;
mod ways;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::acknowledging::Acknowledging;
use super::closing::{ClosingStep, Phase};
use super::congestion::Congestion;
use super::congestion_marks::CongestionMarks;
use super::giving_way::GivingWay;
use super::keepalive::Keepalive;
use super::media_pace::MediaPace;
use super::mobility::Mobility;
use super::pacing::Pacing;
use super::path_mtu::PathMtu;
use super::probing::Probing;
use super::round_trip::RoundTrip;
use super::time_critical::TimeCritical;
use super::timestamps::Timestamps;
use crate::rtmfp::allowance::Allowance;
use crate::rtmfp::counters::Counters;
use crate::rtmfp::crypto;
use crate::rtmfp::crypto::PacketCipher;
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{
    CloseManner, EndpointConfig, ForwardedHello, KnownAddress, MediaRate, ReceiveFlowId, SendFlowId,
    SessionFigures, SessionKey,
};
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::event::Event;
use crate::rtmfp::flow::in_flight::InFlight;
use crate::rtmfp::flow::reassembly::WholeMessage;
use crate::rtmfp::flow::receive_flow::{Answer, ReceiveFlow};
use crate::rtmfp::flow::send_flow::SendFlow;
use crate::rtmfp::flow::turns::Turns;
use crate::rtmfp::limits;
use crate::rtmfp::machine::Route;
use crate::rtmfp::wire::chunk::Chunk;

/// A packet header with everything in it, in bytes (§2.2.4).
const LONGEST_HEADER: usize = 5;

/// Which end opened a session; it marks its packets accordingly (§2.2.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// We dialled.
    Initiator,
    /// We were dialled.
    Responder,
}

/// How an open session behaves.
#[derive(Clone, Debug)]
pub(crate) struct SessionSettings {
    /// An idle session is asked for a sign of life after so long.
    pub(crate) keepalive: Duration,
    /// A session that owes an answer is over after so long without one.
    pub(crate) vanish_after: Duration,
    /// Bytes a receive flow may hold.
    pub(crate) receive_window: usize,
    /// Bytes a send flow may hold.
    pub(crate) send_buffer: usize,
    /// The largest message either way.
    pub(crate) largest_message: usize,
    /// How it is spoken.
    pub(crate) dialect: Dialect,
    /// What the sessions of one endpoint know of each other's real-time traffic: one for the whole endpoint.
    pub(crate) time_critical: TimeCritical,
}

impl SessionSettings {
    /// What `config` says, for a session of the endpoint that `time_critical` belongs to.
    pub(crate) fn new(config: &EndpointConfig, dialect: Dialect, time_critical: TimeCritical) -> Self {
        Self {
            dialect,
            keepalive: config.keepalive,
            vanish_after: config.vanish_after,
            receive_window: config.receive_window,
            send_buffer: config.send_buffer,
            largest_message: config.largest_message,
            time_critical,
        }
    }
}

/// What start-up leaves behind.
pub(crate) struct OpenSessionParameters {
    /// How events name the session.
    pub(crate) key: SessionKey,
    /// Which end we are.
    pub(crate) role: Role,
    /// The far end's session ID, which our packets go to.
    pub(crate) far_session_id: u32,
    /// What seals and opens packets.
    pub(crate) keys: crypto::SessionKeys,
    /// Where the far end is.
    pub(crate) route: Route,
    /// How it behaves.
    pub(crate) settings: SessionSettings,
    /// The secret behind mobility pings (§3.5.4.2).
    pub(crate) ping_seed: [u8; 32],
}

/// What an open session tells its endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Notice {
    /// For the layer above.
    Event(Event),
    /// The far end forwards a stranger's hello, and was trusted to (§3.5.1.5).
    ForwardedHello {
        /// Whom the hello wants.
        endpoint_discriminator: Bytes,
        /// Where the stranger is.
        initiator: KnownAddress,
        /// The hello's tag.
        tag: Bytes,
    },
    /// Nothing more will come or go: remove the session from the tables.
    Over,
}

/// A session from the moment both ends have its keys.
///
/// Its parts: [`receiving`] takes datagrams apart, [`next_packet`] puts them together, [`acknowledging`] keeps track of
/// what is owed for received data, [`flows`] is what the layer above may do to flows, [`timers`] is what time does, and
/// [`ways`] is how it takes another way.
pub(crate) struct OpenSession {
    key: SessionKey,
    role: Role,
    far_session_id: u32,
    cipher: Box<dyn PacketCipher>,
    /// This end's and the far end's.
    nonces: ([u8; 32], [u8; 32]),
    route: Route,
    settings: SessionSettings,
    forwarded_hello: ForwardedHello,
    phase: Phase,
    /// The time of the last input.
    now: Instant,

    timestamps: Timestamps,
    round_trip: RoundTrip,
    congestion: Congestion,
    marks: CongestionMarks,
    pacing: Pacing,
    media_pace: MediaPace,
    giving_way: GivingWay,
    path_mtu: PathMtu,
    keepalive: Keepalive,
    mobility: Mobility,
    probing: Probing,
    /// Until when what went by the way that was left last is waited for, and how long its acknowledgement may take.
    left_way: Option<(Instant, Duration)>,
    /// Since when the way is taken that is taken now.
    way_since: Instant,
    /// When we last sent a packet with the TC flag here, and when the far end last sent one with TCR.
    time_critical_sent: Option<Instant>,
    time_critical_reverse: Option<Instant>,

    /// Boxed, as a tree has room for eleven where there are mostly one or two.
    send_flows: BTreeMap<SendFlowId, Box<SendFlow>>,
    next_flow: u64,
    turns: Turns,
    in_flight: InFlight,
    /// TIMEOUT_ALARM (§3.6.2.6).
    timeout_at: Option<Instant>,
    /// Packets with user data since the last acknowledgement or timeout (§3.5.2.3), while the round trip is not measured.
    burst: u32,
    /// Losses of what was sent before this place in the order are part of the loss the window was already cut for.
    recovered_from: u64,

    receive_flows: BTreeMap<ReceiveFlowId, Box<ReceiveFlow>>,
    /// Messages on their way up, and flows that a packet changed: both empty between two inputs, kept for their memory.
    given: Vec<WholeMessage>,
    changed_flows: Vec<SendFlowId>,
    /// When it is looked whether there is memory to give back.
    spare_at: Option<Instant>,
    acknowledging: Acknowledging,

    waiting: Waiting,
    /// Whether [`Notice::Over`] was given.
    over_told: bool,
    notices: VecDeque<Notice>,
    counters: Counters,
    /// How much more abuse is put up with.
    patience: Allowance,
}

/// Control chunks and packets that wait to be sent.
#[derive(Default)]
struct Waiting {
    /// Packets with one chunk, to an address of their own: answers to pings and closes, mobility pings, probes.
    apart: VecDeque<Apart>,
    /// Chunks for the far end, already encoded.
    chunks: VecDeque<Vec<u8>>,
}

/// A packet with one chunk, to an address of its own.
struct Apart {
    route: Route,
    chunk: Vec<u8>,
    /// Whether its times would say something of another way than the session's, and stay out of it.
    timeless: bool,
}

impl OpenSession {
    /// An open session; nothing is sent before there is something to say.
    pub(crate) fn new(now: Instant, parameters: OpenSessionParameters) -> Self {
        let OpenSessionParameters { key, role, far_session_id, keys, route, settings, ping_seed } =
            parameters;
        Self {
            key,
            role,
            far_session_id,
            cipher: keys.cipher,
            nonces: (keys.near_nonce, keys.far_nonce),
            route,
            forwarded_hello: ForwardedHello::Ignore,
            phase: Phase::Open,
            now,
            timestamps: Timestamps::new(now, settings.dialect),
            round_trip: RoundTrip::new(),
            congestion: Congestion::new(),
            marks: CongestionMarks::new(),
            pacing: Pacing::new(now),
            media_pace: MediaPace::default(),
            giving_way: GivingWay::new(now),
            path_mtu: PathMtu::new(settings.dialect),
            keepalive: Keepalive::new(now, settings.keepalive, settings.vanish_after),
            mobility: Mobility::new(now, ping_seed),
            probing: Probing::new(ping_seed),
            left_way: None,
            way_since: now,
            settings,
            time_critical_sent: None,
            time_critical_reverse: None,
            send_flows: BTreeMap::new(),
            // Flash-era peers take it for granted that the first flow is number 2.
            next_flow: 2,
            turns: Turns::default(),
            in_flight: InFlight::new(),
            timeout_at: None,
            burst: 0,
            recovered_from: 0,
            receive_flows: BTreeMap::new(),
            given: Vec::new(),
            changed_flows: Vec::new(),
            spare_at: None,
            acknowledging: Acknowledging::default(),
            waiting: Waiting::default(),
            over_told: false,
            notices: VecDeque::new(),
            counters: Counters::default(),
            patience: abuse::patience(),
        }
    }

    /// What the endpoint should know or pass up.
    pub(crate) fn poll_notice(&mut self) -> Option<Notice> {
        let notice = self.notices.pop_front()?;
        if let Notice::Event(Event::FlowOpened { flow, .. }) = &notice
            && let Some(receive_flow) = self.receive_flows.get_mut(flow)
            && receive_flow.answer == Answer::Untold
        {
            receive_flow.answer = Answer::Told(self.now);
        }
        Some(notice)
    }

    /// Closes it (§3.5.5).
    pub(crate) fn close(&mut self, now: Instant, manner: CloseManner) {
        self.now = now;
        let step = self.phase.close(now, manner);
        self.after_closing_step(now, step, self.route);
    }

    /// Where the far end is.
    pub(crate) fn route(&self) -> Route {
        self.route
    }

    /// This end's and the far end's session nonces.
    pub(crate) fn nonces(&self) -> ([u8; 32], [u8; 32]) {
        self.nonces
    }

    /// Whether it is open: not closed, closing or lingering.
    pub(crate) fn is_open(&self) -> bool {
        self.phase.is_open()
    }

    /// Whether hellos that the far end forwards are answered.
    pub(crate) fn set_forwarded_hello(&mut self, mode: ForwardedHello) {
        self.forwarded_hello = mode;
    }

    /// Its own keepalive and vanishing times.
    pub(crate) fn set_patience(&mut self, keepalive: Duration, vanish_after: Duration) {
        self.keepalive.set_patience(keepalive, vanish_after);
    }

    /// The handshake that opened it took so long.
    pub(crate) fn expect_round_trip(&mut self, handshake: Duration) {
        self.round_trip.expect(handshake);
    }

    /// What the layer above found out about how much sound and pictures the path carries.
    pub(crate) fn set_media_rate(&mut self, now: Instant, rate: MediaRate) {
        self.now = now;
        self.media_pace.set(now, rate);
    }

    /// Forwards a stranger's hello to the far end (FIHello, §2.3.3).
    pub(crate) fn forward_hello(
        &mut self,
        now: Instant,
        endpoint_discriminator: &[u8],
        initiator: KnownAddress,
        tag: &[u8],
    ) {
        self.now = now;
        if self.is_open() && self.waiting.chunks.len() < limits::MOST_FORWARDED_HELLOS {
            let hello = Chunk::ForwardedHello { endpoint_discriminator, reply: initiator, tag };
            self.queue_chunk(&hello);
        }
    }

    /// What it looks like from inside.
    pub(crate) fn figures(&self, _now: Instant) -> SessionFigures {
        SessionFigures {
            round_trip: self.round_trip.smoothed(),
            shortest_round_trip: self.media_pace.shortest_trip(),
            retransmission_timeout: self.round_trip.timeout(),
            congestion_window: self.congestion.window(),
            in_flight: self.in_flight.bytes(),
            queued: self.send_flows.values().map(|flow| flow.queue.queued_bytes()).sum(),
            held: self.receive_flows.values().map(|flow| flow.held_bytes()).sum(),
            datagram_size: self.path_mtu.datagram_size(),
            bytes_sent: self.counters.bytes_sent,
            bytes_received: self.counters.bytes_received,
            packets_sent: self.counters.packets_sent,
            packets_received: self.counters.packets_received,
            fragments_sent: self.counters.fragments_sent,
            fragments_received: self.counters.fragments_received,
            fragments_lost: self.counters.fragments_lost,
            dropped: self.counters.dropped,
            cipher: self.cipher.describe(),
        }
    }

    /// Whether the far end must be spared what programs of Flash's time do not understand.
    fn is_flash_era(&self) -> bool {
        self.settings.dialect == Dialect::FlashEra
    }

    /// How it is spoken.
    pub(crate) fn dialect(&self) -> Dialect {
        self.settings.dialect
    }

    fn tell(&mut self, event: Event) {
        self.notices.push_back(Notice::Event(event));
    }

    fn queue_chunk(&mut self, chunk: &Chunk<'_>) {
        let mut bytes = Vec::with_capacity(chunk.encoded_length());
        chunk.write(&mut bytes);
        self.waiting.chunks.push_back(bytes);
    }

    /// A packet of its own for one chunk. Dropped when too many wait, as whoever floods us gets no answer; false then.
    fn queue_apart(&mut self, route: Route, chunk: &Chunk<'_>) -> bool {
        let has_room = self.waiting.apart.len() < limits::MOST_PACKETS_APART;
        if has_room {
            let mut bytes = Vec::with_capacity(chunk.encoded_length());
            chunk.write(&mut bytes);
            self.waiting.apart.push_back(Apart { route, chunk: bytes, timeless: false });
        }
        has_room
    }

    /// Does what a step out of S_OPEN, or after it, asks for.
    fn after_closing_step(&mut self, now: Instant, step: ClosingStep, route: Route) {
        if step.answer {
            self.queue_apart(route, &Chunk::CloseAck);
        }
        if let Some(end) = step.ended {
            self.end(end);
        }
        if self.phase.on_time(now) {
            self.queue_apart(self.route, &Chunk::CloseRequest);
        }
        match self.phase {
            Phase::LastWords => {
                self.waiting.apart.clear();
                self.queue_apart(self.route, &Chunk::CloseAck);
            }
            Phase::Over => self.be_over(),
            Phase::Open | Phase::NearClose { .. } | Phase::FarCloseLinger { .. } => {}
        }
    }

    /// The session is not open any more: flows end without a word (§3.5.5), and the layer above is told why.
    fn end(&mut self, end: SessionEnd) {
        self.send_flows.clear();
        self.turns = Turns::default();
        self.receive_flows.clear();
        self.in_flight = InFlight::new();
        self.acknowledging = Acknowledging::default();
        self.timeout_at = None;
        self.pacing.stop_waiting();
        self.media_pace.stop_waiting();
        self.waiting = Waiting { apart: std::mem::take(&mut self.waiting.apart), chunks: VecDeque::new() };
        self.tell(Event::SessionEnded { session: self.key, end });
    }

    fn be_over(&mut self) {
        self.phase = Phase::Over;
        if !self.over_told {
            self.over_told = true;
            self.notices.push_back(Notice::Over);
        }
    }
}

#[cfg(test)]
mod tests;
