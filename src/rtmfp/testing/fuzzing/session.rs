//! Two endpoints, and somebody who means harm: on the way between them, who loses, repeats, reorders, changes and
//! invents datagrams, or as one of them, who has its keys.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::forgery;
use super::script::Script;
use crate::rtmfp::endpoint::{
    CloseManner, Delivery, Endpoint, EndpointConfig, FlowOptions, ForwardedHello, Priority, ReceiveFlowId,
    SendFlowId, SessionKey, WriteOptions,
};
use crate::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Received, Route};
use crate::rtmfp::testing::plain_crypto::Plain;
use crate::rtmfp::wire::session_id;
use crate::rtmfp::{Event, SessionEnd};

/// Lets bytes decide what happens to two endpoints from `now` on, then leaves them alone, and looks whether they still work.
///
/// # Panics
/// When an endpoint does; when it answers one datagram with a flood, never sleeps, or holds more than it was sent; when
/// an honest pair of ends loses, repeats or reorders what it promised not to; and when the two can no longer open a
/// session and use it.
pub fn session(now: Instant, bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut pair = Pair::new(now);
    let near = pair.dial();
    pair.settle(Duration::from_secs(2));
    assert!(pair.is_open(0, near), "a session over a good network opens");
    let mut steps = 0;
    while !script.is_over() && steps < MOST_STEPS {
        steps += 1;
        pair.step(&mut script);
        pair.check();
    }
    pair.leave_alone();
}

/// What the two have between them.
struct Pair {
    start: Instant,
    now: Instant,
    ends: [End; 2],
    air: VecDeque<Datagram>,
    /// Datagrams that were sent some time ago.
    past: VecDeque<Datagram>,
    /// Packets of sessions that the harm-doer sealed so far: no packet of the ends has such a number.
    forged: u64,
    /// Something got through that an end never sent.
    tampered: bool,
    /// Bytes that were put into the endpoints, by the network and from above.
    bytes_in: u64,
    packets_out: u64,
}

struct End {
    endpoint: Endpoint,
    address: SocketAddr,
    accepts: bool,
    delivery: Delivery,
    open: Vec<SessionKey>,
    ended: BTreeMap<SessionKey, SessionEnd>,
    /// Flows opened here that take messages.
    flows: Vec<(SessionKey, SendFlowId)>,
    /// What was written on each, less what was promised to nobody.
    written: BTreeMap<(SessionKey, SendFlowId), u32>,
    /// The next message expected on each flow.
    next: BTreeMap<(SessionKey, ReceiveFlowId), u32>,
    messages: u64,
    closed_by_script: bool,
}

#[derive(Clone)]
struct Datagram {
    to: usize,
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Pair {
    fn new(start: Instant) -> Self {
        let end = |name: &str, number: u8| {
            let config = EndpointConfig {
                largest_message: 1 << 16,
                receive_window: 1 << 16,
                send_buffer: 1 << 16,
                most_sessions: MOST_SESSIONS,
                ..EndpointConfig::new(Arc::new(Plain::new(name)), [number; 32])
            };
            End {
                endpoint: Endpoint::new(config),
                address: SocketAddr::from(([192, 0, 2, number], 1935)),
                accepts: true,
                delivery: Delivery::Ordered,
                open: Vec::new(),
                ended: BTreeMap::new(),
                flows: Vec::new(),
                written: BTreeMap::new(),
                next: BTreeMap::new(),
                messages: 0,
                closed_by_script: false,
            }
        };
        let mut pair = Self {
            start,
            now: start,
            ends: [end("ada", 1), end("bob", 2)],
            air: VecDeque::new(),
            past: VecDeque::new(),
            forged: 1 << 40,
            tampered: false,
            bytes_in: 0,
            packets_out: 0,
        };
        for at in 0..2 {
            let local = pair.ends[at].address;
            pair.input(at, Input::PathOpened { path: PathId(0), local, kind: PathKind::Own });
        }
        pair
    }

    fn dial(&mut self) -> SessionKey {
        let route = Route { via: PathId(0), address: self.ends[1].address };
        let now = self.now;
        let key = self.ends[0].endpoint.open_session(now, Bytes::from_static(b"bob"), &[route]);
        self.drain(0);
        key
    }

    fn is_open(&self, at: usize, key: SessionKey) -> bool {
        self.ends[at].open.contains(&key)
    }

    /// One decision of the script.
    fn step(&mut self, script: &mut Script<'_>) {
        let choice = script.u8() % 32;
        let at = usize::from(script.u8() & 1);
        match choice {
            0..=5 => {
                self.deliver_next();
            }
            6 => drop(self.air.pop_front()),
            7 => {
                if let Some(copy) = self.air.front().cloned() {
                    self.air.push_back(copy);
                }
                self.deliver_next();
            }
            8 => self.air.rotate_left(self.air.len().min(1)),
            9..=11 => self.change_next(script),
            12 => self.pass(Duration::from_millis(script.u8().into())),
            13 => self.pass(Duration::from_millis(100) * script.u8().into()),
            14 => self.pass(Duration::from_secs(u64::from(script.u8()) % 40)),
            15 | 16 => self.write(at, script),
            17 => self.open_flow(at, script),
            18 => self.end_flow(at, script),
            19 => self.close(at, script),
            20 => {
                let from = self.address(script);
                let noise = script.bytes().to_vec();
                self.tampered = true;
                self.put(at, from, noise);
            }
            21 | 22 => {
                let from = self.address(script);
                let plain = forgery::startup_packet(script);
                self.put(at, from, sealed(0, 0, &plain));
            }
            23..=27 => self.forge(at, script),
            28 => {
                let port = 1935 + u16::from(script.u8() % 4);
                self.ends[at].address.set_port(port);
            }
            29 => {
                let old = script.below(self.past.len());
                if let Some(Datagram { to, from, bytes }) = self.past.get(old).cloned() {
                    self.put(to, from, bytes);
                }
            }
            30 => self.ends[at].accepts = script.u8() & 3 != 0,
            _ => {
                for _ in 0..64 {
                    if !self.deliver_next() {
                        break;
                    }
                }
            }
        }
    }

    /// Changes the next datagram on its way.
    fn change_next(&mut self, script: &mut Script<'_>) {
        let Some(datagram) = self.air.front_mut() else { return };
        self.tampered = true;
        let at = script.below(datagram.bytes.len());
        match script.u8() % 4 {
            0 => datagram.bytes.truncate(at),
            1 => datagram.bytes.extend_from_slice(script.bytes()),
            2 => {
                let put_in = script.bytes().to_vec();
                datagram.bytes.splice(at..at, put_in);
            }
            _ => {
                if let Some(byte) = datagram.bytes.get_mut(at) {
                    *byte ^= script.u8().max(1);
                }
            }
        }
    }

    /// Invents a packet for the session whose packet to this end was seen last.
    fn forge(&mut self, at: usize, script: &mut Script<'_>) {
        let to_it = |datagram: &&Datagram| {
            datagram.to == at && session_id::peek(&datagram.bytes).is_some_and(|id| id != 0)
        };
        let Some(seen) = self.air.iter().rev().chain(self.past.iter().rev()).find(to_it).cloned() else {
            return;
        };
        let Some(id) = session_id::peek(&seen.bytes) else { return };
        self.tampered = true;
        self.forged += 1;
        let mode = if at == 0 { 2 } else { 1 };
        let plain = forgery::session_packet(script, mode);
        let from = if script.u8() < 200 { seen.from } else { self.address(script) };
        self.put(at, from, sealed(id, self.forged, &plain));
    }

    fn address(&self, script: &mut Script<'_>) -> SocketAddr {
        match script.u8() % 4 {
            0 => self.ends[0].address,
            1 => self.ends[1].address,
            _ => SocketAddr::from(([203, 0, 113, script.u8()], 1024 + u16::from(script.u8()))),
        }
    }

    fn open_flow(&mut self, at: usize, script: &mut Script<'_>) {
        let end = &mut self.ends[at];
        let Some(session) = end.open.last().copied() else { return };
        let priority = if script.u8() & 1 == 0 { Priority::Routine } else { Priority::Audio };
        let options = FlowOptions {
            metadata: Bytes::copy_from_slice(script.bytes()),
            priority,
            time_critical: priority == Priority::Audio,
            answers: None,
        };
        if end.flows.len() < 64
            && let Ok(flow) = end.endpoint.open_flow(session, options)
        {
            end.flows.push((session, flow));
        }
    }

    fn write(&mut self, at: usize, script: &mut Script<'_>) {
        let now = self.now;
        let end = &mut self.ends[at];
        let Some((session, flow)) = script.one_of(&end.flows) else { return };
        let number = end.written.entry((session, flow)).or_default();
        let mut message = number.to_be_bytes().to_vec();
        message.resize(4 + script.below(5_000), 7);
        self.bytes_in += message.len() as u64;
        let late = script.u8();
        let options = WriteOptions {
            start_by: (late == 1).then_some(now + Duration::from_millis(200)),
            finish_by: (late == 2).then_some(now + Duration::from_millis(500)),
            ..WriteOptions::default()
        };
        if end.endpoint.write(now, session, flow, message.into(), options).is_ok() {
            *number += 1;
        }
        self.drain(at);
    }

    fn end_flow(&mut self, at: usize, script: &mut Script<'_>) {
        let now = self.now;
        let end = &mut self.ends[at];
        let Some((session, flow)) = script.one_of(&end.flows) else { return };
        if script.u8() & 1 == 0 {
            end.endpoint.close_flow(now, session, flow);
            end.flows.retain(|other| *other != (session, flow));
        } else {
            end.endpoint.abandon_queued(now, session, flow);
        }
        self.drain(at);
    }

    fn close(&mut self, at: usize, script: &mut Script<'_>) {
        let now = self.now;
        let end = &mut self.ends[at];
        let Some(session) = end.open.last().copied() else { return };
        // Seldom: a closed session ends the story.
        let manner = match script.u8() {
            0..16 => CloseManner::Orderly,
            16..32 => CloseManner::Abrupt,
            32..64 => {
                end.endpoint.set_forwarded_hello(session, ForwardedHello::Answer);
                return;
            }
            _ => return,
        };
        end.closed_by_script = true;
        end.endpoint.close_session(now, session, manner);
        self.drain(at);
    }

    fn deliver_next(&mut self) -> bool {
        let Some(datagram) = self.air.pop_front() else { return false };
        let Datagram { to, from, bytes } = datagram;
        self.put(to, from, bytes);
        true
    }

    fn put(&mut self, at: usize, from: SocketAddr, mut bytes: Vec<u8>) {
        self.bytes_in += bytes.len() as u64;
        let route = Route { via: PathId(0), address: from };
        let received = Received { route, ecn: None, segment_size: bytes.len(), bytes: &mut bytes };
        self.input(at, Input::Received(received));
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        for at in 0..2 {
            self.input(at, Input::Time);
        }
    }

    fn input(&mut self, at: usize, input: Input<'_, std::convert::Infallible>) {
        let now = self.now;
        self.ends[at].endpoint.handle_input(now, input);
        self.drain(at);
    }

    /// Carries away what an end has to say; answers when it wants to be woken.
    fn drain(&mut self, at: usize) -> Option<Instant> {
        let mut packets = Vec::new();
        for _ in 0..MOST_OUTPUTS {
            match self.ends[at].endpoint.poll_output(self.now, &mut packets) {
                Output::Transmit(transmit) => {
                    assert!(transmit.segment_size > 0 && !packets.is_empty(), "nothing is no packet");
                    for bytes in packets.chunks(transmit.segment_size) {
                        self.packets_out += 1;
                        let to = usize::from(transmit.route.address.ip() == self.ends[1].address.ip());
                        let from = self.ends[at].address;
                        if transmit.route.address == self.ends[to].address && to != at {
                            self.fly(Datagram { to, from, bytes: bytes.to_vec() });
                        }
                    }
                }
                Output::Compute(job) => {
                    let computed = job.run();
                    self.ends[at].endpoint.handle_input(self.now, Input::Computed(computed));
                }
                Output::Event(event) => self.on_event(at, event),
                Output::Sleep(until) => return until,
            }
        }
        panic!("an endpoint that always has something to say");
    }

    fn fly(&mut self, datagram: Datagram) {
        self.past.push_back(datagram.clone());
        if self.past.len() > 64 {
            self.past.pop_front();
        }
        // A queue that is full loses what comes last.
        if self.air.len() < 1024 {
            self.air.push_back(datagram);
        }
    }

    fn on_event(&mut self, at: usize, event: Event) {
        let tampered = self.tampered;
        let end = &mut self.ends[at];
        match event {
            Event::SessionOpened { session, .. } => {
                assert!(!end.open.contains(&session) && !end.ended.contains_key(&session), "opened once");
                end.open.push(session);
            }
            Event::SessionEnded { session, end: how } => {
                assert!(end.ended.insert(session, how).is_none(), "ended once");
                end.open.retain(|other| *other != session);
                end.flows.retain(|(other, _)| *other != session);
            }
            Event::FlowOpened { session, flow, .. } => {
                if end.accepts {
                    end.endpoint.accept_flow(session, flow, end.delivery);
                } else {
                    end.endpoint.reject_flow(self.now, session, flow, 9);
                }
            }
            Event::Message { session, flow, bytes, .. } => {
                assert!(!end.ended.contains_key(&session), "what is over says nothing");
                end.messages += 1;
                if let Some(number) = bytes.first_chunk().map(|number| u32::from_be_bytes(*number)) {
                    let next = end.next.entry((session, flow)).or_default();
                    assert!(tampered || number >= *next, "message {number} came again, or too late");
                    *next = number.saturating_add(1);
                }
            }
            Event::FlowRefused { session, flow, .. } => {
                end.flows.retain(|other| *other != (session, flow));
            }
            _ => {}
        }
    }

    /// What holds at every moment.
    fn check(&self) {
        for end in &self.ends {
            assert!(end.endpoint.sessions() <= MOST_SESSIONS);
            let held = end.endpoint.held_bytes() as u64;
            let most = 64 * self.bytes_in + HELD_FOR_NOTHING;
            assert!(held <= most, "{held} bytes are held after {} came in", self.bytes_in);
        }
    }

    /// Runs the network as it should be for a while.
    fn settle(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..MOST_WAKE_UPS {
            let mut delivered = 0;
            while delivered < 10_000 && self.deliver_next() {
                delivered += 1;
            }
            assert!(delivered < 10_000, "the two never come to rest");
            let wake = [self.drain(0), self.drain(1)].into_iter().flatten().min();
            match wake.filter(|wake| *wake <= end) {
                Some(wake) => {
                    // A network takes its time, and so does the computer.
                    self.now = wake.max(self.now + Duration::from_millis(1));
                    self.pass(Duration::ZERO);
                }
                None => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("an endpoint that never sleeps");
    }

    fn leave_alone(mut self) {
        for (end, number) in self.ends.iter_mut().zip(1..) {
            end.accepts = true;
            end.address = SocketAddr::from(([192, 0, 2, number], 1935));
        }
        self.settle(Duration::from_secs(5));
        if !self.tampered {
            self.finds_an_honest_end();
        }
        // Whatever was there dies of silence or lives on; then the two meet anew.
        self.settle(Duration::from_secs(120));
        let quiet = self.packets_out;
        self.settle(Duration::from_secs(60));
        assert!(self.packets_out - quiet < 1_000, "{} packets about nothing", self.packets_out - quiet);
        self.check();
        // A session that lives would stand in for another one (RFC 7016 §3.5.1.1.1), whatever was done to it.
        for at in 0..2 {
            for session in std::mem::take(&mut self.ends[at].open) {
                self.ends[at].endpoint.close_session(self.now, session, CloseManner::Orderly);
            }
            self.drain(at);
        }
        self.settle(Duration::from_secs(120));
        let fresh = self.dial();
        self.settle(Duration::from_secs(30));
        assert!(self.is_open(0, fresh), "a new session opens; {:?}", self.ends[0].ended.get(&fresh));
        self.sends(fresh);
    }

    /// Sessions end for a reason only, and those that are there still carry something.
    fn finds_an_honest_end(&mut self) {
        let closed = self.ends.iter().any(|end| end.closed_by_script);
        for end in &self.ends {
            for how in end.ended.values() {
                let allowed = match how {
                    SessionEnd::ClosedHere => end.closed_by_script,
                    // Whoever finds the other gone says so.
                    SessionEnd::ClosedThere => closed || self.now > self.start + Duration::from_secs(20),
                    SessionEnd::NeverOpened { .. } | SessionEnd::WentQuiet { .. } => {
                        self.now > self.start + Duration::from_secs(20)
                    }
                    // The script loses what it likes, the long datagrams too.
                    SessionEnd::Replaced | SessionEnd::PathTooNarrow => true,
                    SessionEnd::Abusive => false,
                };
                assert!(allowed, "{how:?}");
            }
        }
    }

    /// A message gets through on a new flow of this session.
    fn sends(&mut self, session: SessionKey) {
        let now = self.now;
        let before = self.ends[1].messages;
        let options = FlowOptions {
            metadata: Bytes::from_static(b"still here?"),
            priority: Priority::Routine,
            time_critical: false,
            answers: None,
        };
        let endpoint = &mut self.ends[0].endpoint;
        let flow = endpoint.open_flow(session, options).expect("an open session");
        let message = Bytes::from(vec![0; 10_000]);
        endpoint.write(now, session, flow, message, WriteOptions::default()).expect("room");
        self.drain(0);
        self.settle(Duration::from_secs(30));
        assert!(self.ends[1].messages > before, "a message gets through");
    }
}

/// A datagram as the plain cryptography seals it.
fn sealed(session: u32, number: u64, plain: &[u8]) -> Vec<u8> {
    let number = number.to_be_bytes();
    let mut bytes = session_id::scramble(session, &number).to_be_bytes().to_vec();
    bytes.extend_from_slice(&number);
    bytes.extend_from_slice(plain);
    bytes
}

const MOST_SESSIONS: usize = 6;
/// Decisions that one run takes; more would only take longer.
const MOST_STEPS: usize = 2_000;
/// What one input may lead to: queues of a few flows are sent, and lost, and told of.
const MOST_OUTPUTS: usize = 20_000;
const MOST_WAKE_UPS: usize = 50_000;
/// What endpoints hold that were sent nothing.
const HELD_FOR_NOTHING: u64 = 1 << 16;
