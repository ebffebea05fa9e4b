//! Two open sessions joined by a link that exists only in memory, in virtual time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::{CryptoError, PacketCipher, SessionKeys};
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{
    Delivery, FlowOptions, MessageId, Priority, ReceiveFlowId, SendFlowId, SessionKey, WriteOptions,
};
use crate::rtmfp::event::Event;
use crate::rtmfp::machine::{PathId, Route};
use crate::rtmfp::session::open::{Notice, OpenSession, OpenSessionParameters, Role, SessionSettings};
use crate::rtmfp::session::packing::Packing;
use crate::rtmfp::session::time_critical::TimeCritical;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{PacketHeader, chunks};

/// Seals nothing: four bytes of session ID, then the plain packet.
pub(super) struct Glass;

impl PacketCipher for Glass {
    fn plain_limit(&self, datagram_size: usize) -> usize {
        datagram_size - 4
    }

    fn seal(&mut self, to: u32, plain: &[u8], ends: &[usize], out: &mut Vec<u8>, out_ends: &mut Vec<usize>) {
        let mut start = 0;
        for end in ends {
            out.extend_from_slice(&to.to_be_bytes());
            out.extend_from_slice(&plain[start..*end]);
            out_ends.push(out.len());
            start = *end;
        }
    }

    fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], CryptoError> {
        datagram.get(4..).ok_or(CryptoError::Forged)
    }

    fn describe(&self) -> String {
        "glass".into()
    }
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum End {
    Ada,
    Bob,
}

pub(super) use End::{Ada, Bob};

pub(super) struct Side {
    pub(super) session: OpenSession,
    /// Where the other sees it.
    pub(super) route: Route,
    pub(super) events: Vec<(Duration, Event)>,
    pub(super) over: Option<Duration>,
    /// Hellos that the other forwarded to it.
    pub(super) forwarded: usize,
    /// Accepts flows in this order, or leaves them unanswered.
    pub(super) accepts: Option<Delivery>,
}

struct Datagram {
    from: Route,
    to: End,
    to_address: Route,
    bytes: Vec<u8>,
}

pub(super) struct Pair {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) sides: BTreeMap<End, Side>,
    pub(super) latency: Duration,
    /// Every hundredth chance of losing a datagram.
    pub(super) loss_percent: u32,
    /// Datagrams to an address where nobody is any more, or in a blackout, are gone.
    pub(super) dark: bool,
    chance: Chance,
    in_flight: BTreeMap<(Instant, u64), Datagram>,
    count: u64,
    /// Every datagram that was sent: when, by whom, plain, without session ID.
    pub(super) sent: Vec<(Duration, End, Vec<u8>)>,
    /// The segment size and length of every batch.
    pub(super) batches: Vec<(usize, usize)>,
}

pub(super) fn route(port: u16) -> Route {
    Route { via: PathId(0), address: ([192, 0, 2, 1], port).into() }
}

pub(super) fn settings() -> SessionSettings {
    SessionSettings {
        dialect: Dialect::Rfc,
        keepalive: Duration::from_secs(10),
        vanish_after: Duration::from_secs(20),
        receive_window: 1 << 20,
        send_buffer: 1 << 20,
        largest_message: 1 << 20,
        time_critical: TimeCritical::default(),
    }
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with_settings(settings(), settings())
    }

    pub(super) fn with_settings(ada: SessionSettings, bob: SessionSettings) -> Self {
        let start = Instant::now();
        let side = |role, far: u16, near: u16, settings| Side {
            session: OpenSession::new(
                start,
                OpenSessionParameters {
                    key: SessionKey(u64::from(near)),
                    role,
                    far_session_id: u32::from(far),
                    keys: SessionKeys { cipher: Box::new(Glass), near_nonce: [1; 32], far_nonce: [2; 32] },
                    route: route(far),
                    settings,
                    ping_seed: [9; 32],
                },
            ),
            route: route(near),
            events: Vec::new(),
            over: None,
            forwarded: 0,
            accepts: Some(Delivery::Ordered),
        };
        Self {
            start,
            now: start,
            sides: BTreeMap::from([
                (Ada, side(Role::Initiator, 2, 1, ada)),
                (Bob, side(Role::Responder, 1, 2, bob)),
            ]),
            latency: Duration::from_millis(20),
            loss_percent: 0,
            dark: false,
            chance: Chance::new([5; 32]),
            in_flight: BTreeMap::new(),
            count: 0,
            sent: Vec::new(),
            batches: Vec::new(),
        }
    }

    pub(super) fn side(&mut self, end: End) -> &mut Side {
        self.sides.get_mut(&end).expect("both ends are there")
    }

    /// Lets one end do something now, and carries away what it wants sent.
    pub(super) fn with<T>(&mut self, end: End, act: impl FnOnce(&mut OpenSession, Instant) -> T) -> T {
        let now = self.now;
        let result = act(&mut self.side(end).session, now);
        self.drain(end);
        result
    }

    pub(super) fn open_flow(&mut self, end: End, priority: Priority, time_critical: bool) -> SendFlowId {
        let metadata = Bytes::from_static(b"test flow");
        let options = FlowOptions { metadata, priority, time_critical, answers: None };
        self.with(end, |session, _| session.open_flow(options)).expect("an open session")
    }

    pub(super) fn write(
        &mut self,
        end: End,
        flow: SendFlowId,
        bytes: &[u8],
        options: WriteOptions,
    ) -> MessageId {
        let bytes = Bytes::copy_from_slice(bytes);
        self.with(end, |session, now| session.write(now, flow, bytes, options)).expect("room")
    }

    /// Runs until that long after the start.
    pub(super) fn run_until(&mut self, until: Duration) {
        let limit = self.start + until;
        let mut wakes_at_once = 0;
        loop {
            let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
            let wake = self.sides.values().filter_map(|side| side.session.deadline()).min();
            let Some(next) = arrival.into_iter().chain(wake).min().filter(|next| *next <= limit) else {
                break;
            };
            wakes_at_once = if next <= self.now { wakes_at_once + 1 } else { 0 };
            assert!(wakes_at_once < 1000, "something is due for ever: {:?}", self.now - self.start);
            self.now = self.now.max(next);
            if arrival == Some(next) {
                self.deliver_first();
            } else {
                for end in [Ada, Bob] {
                    if self.sides[&end].session.deadline().is_some_and(|at| at <= self.now) {
                        self.with(end, OpenSession::on_time);
                    }
                }
            }
        }
        self.now = limit;
    }

    fn deliver_first(&mut self) {
        let Some((_, mut datagram)) = self.in_flight.pop_first() else { return };
        if self.side(datagram.to).route == datagram.to_address {
            self.with(datagram.to, |session, now| {
                session.on_datagram(now, datagram.from, None, &mut datagram.bytes)
            });
        }
    }

    fn drain(&mut self, end: End) {
        let mut packing = Packing::default();
        loop {
            let now = self.now;
            let mut out = Vec::new();
            while let Some(notice) = self.side(end).session.poll_notice() {
                self.take_notice(end, notice);
            }
            let Some(transmit) = self.side(end).session.poll_transmit(now, &mut packing, &mut out) else {
                break;
            };
            self.batches.push((transmit.segment_size, out.len()));
            let from = self.side(end).route;
            let to = if end == Ada { Bob } else { Ada };
            for bytes in out.chunks(transmit.segment_size) {
                self.sent.push((now - self.start, end, bytes[4..].to_vec()));
                let lost = self.chance.u32() % 100 < self.loss_percent || self.dark;
                self.count += 1;
                if !lost {
                    let datagram = Datagram { from, to, to_address: transmit.route, bytes: bytes.to_vec() };
                    self.in_flight.insert((now + self.latency, self.count), datagram);
                }
            }
        }
        while let Some(notice) = self.side(end).session.poll_notice() {
            self.take_notice(end, notice);
        }
    }

    fn take_notice(&mut self, end: End, notice: Notice) {
        let at = self.now - self.start;
        let side = self.side(end);
        match notice {
            Notice::Event(event) => {
                if let (Event::FlowOpened { flow, .. }, Some(delivery)) = (&event, side.accepts) {
                    side.session.accept_flow(*flow, delivery);
                }
                side.events.push((at, event));
            }
            Notice::Over => {
                assert!(side.over.is_none(), "over only once");
                side.over = Some(at);
            }
            Notice::ForwardedHello { .. } => side.forwarded += 1,
        }
    }

    /// The messages that an end got, in order.
    pub(super) fn messages(&self, end: End) -> Vec<(ReceiveFlowId, Vec<u8>)> {
        let message = |(_, event): &(Duration, Event)| match event {
            Event::Message { flow, bytes, .. } => Some((*flow, bytes.to_vec())),
            _ => None,
        };
        self.sides[&end].events.iter().filter_map(message).collect()
    }

    pub(super) fn has_event(&self, end: End, wanted: impl Fn(&Event) -> bool) -> bool {
        self.sides[&end].events.iter().any(|(_, event)| wanted(event))
    }

    /// When an end first got a message that begins with `prefix`.
    pub(super) fn arrival(&self, end: End, prefix: &[u8]) -> Option<Duration> {
        let matches =
            |event: &Event| matches!(event, Event::Message { bytes, .. } if bytes.starts_with(prefix));
        self.sides[&end].events.iter().find(|(_, event)| matches(event)).map(|(at, _)| *at)
    }

    /// How many chunks of a kind an end sent.
    pub(super) fn count_sent(&self, end: End, wanted: impl Fn(&Chunk<'_>) -> bool) -> usize {
        self.sent
            .iter()
            .filter(|(_, from, _)| *from == end)
            .flat_map(|(_, _, packet)| {
                let (_, body) = PacketHeader::parse(packet).expect("a packet");
                chunks(body)
                    .flatten()
                    .filter_map(|raw| Chunk::parse(raw.kind, raw.payload).ok())
                    .collect::<Vec<_>>()
            })
            .filter(|chunk| wanted(chunk))
            .count()
    }
}

/// Numbered messages, so that order and wholeness show.
pub(super) fn numbered(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = (number as u32).to_be_bytes().to_vec();
    bytes.resize(length.max(4), number as u8);
    bytes
}
