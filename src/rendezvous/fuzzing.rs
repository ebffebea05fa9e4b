//! A rendezvous server, two people on it, and a third who says whatever bytes decide: to the server, to the people, and
//! as a server of the people's own choice.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::service::{Rules, Service};
use crate::amf::{Value, write_sequence};
use crate::netconnection::node::{ConnectionId, MediaDeadline, MediaKind, MediaMessage, NodeConfig, Target};
use crate::netconnection::{Node, NodeEvent};
use crate::rtmfp::crypto::flash::discriminator_for_url;
use crate::rtmfp::endpoint::{
    AddressOrigin, CloseManner, Delivery, FlowOptions, ForwardedHello, KnownAddress, Priority, ReceiveFlowId,
    SendFlowId, SessionKey, WriteOptions,
};
use crate::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Received, Route};
use crate::rtmfp::testing::fuzzing::script::Script;
use crate::rtmfp::testing::plain_crypto::Plain;
use crate::rtmfp::{Endpoint, EndpointConfig, Event, PeerId};

/// Lets bytes decide what the third says from `now` on, then looks whether the others still find each other.
///
/// # Panics
/// When anybody does, never rests, or holds more than they were sent; when somebody loses their server by what a
/// stranger says; and when the two can no longer meet.
pub fn node(now: Instant, bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut world = World::new(now);
    world.settle(Duration::from_secs(2));
    assert_eq!(world.connected, [true, true], "two people on a server");
    let mut steps = 0;
    while !script.is_over() && steps < MOST_STEPS {
        steps += 1;
        world.step(&mut script);
        world.check();
    }
    world.leave_alone();
}

const SERVER: usize = 0;
const ADA: usize = 1;
const BOB: usize = 2;
const MALLORY: usize = 3;

enum Anyone {
    Server(Box<Service>),
    Person(Box<Node>),
    Stranger(Box<Endpoint>),
}

struct World {
    now: Instant,
    ends: Vec<Anyone>,
    /// From where, to whom and over which of their paths, and what.
    air: VecDeque<(SocketAddr, (usize, PathId), Vec<u8>)>,
    /// Whether Ada and Bob are on the server.
    connected: [bool; 2],
    connections: [Option<ConnectionId>; 2],
    /// Connections of theirs to the third.
    strayed: Vec<ConnectionId>,
    met: bool,
    /// The third's.
    sessions: Vec<SessionKey>,
    flows: Vec<(SessionKey, SendFlowId)>,
    heard: Vec<(SessionKey, ReceiveFlowId)>,
    hellos: Vec<(Route, Bytes)>,
    bytes_in: u64,
}

fn address(at: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + at as u8], 1935))
}

/// The ports that the server lends: paths from 1 on.
fn lent() -> impl Iterator<Item = (PathId, SocketAddr)> {
    (1..=LENT_PORTS).map(|port| (PathId(port), SocketAddr::new(address(SERVER).ip(), 2000 + port as u16)))
}

/// Whose address that is, and which of their paths.
fn owner(of: SocketAddr) -> Option<(usize, PathId)> {
    let main = (SERVER..=MALLORY).find(|at| address(*at) == of).map(|at| (at, PathId(0)));
    main.or_else(|| lent().find(|(_, local)| *local == of).map(|(path, _)| (SERVER, path)))
}

fn route(at: usize) -> Route {
    Route { via: PathId(0), address: address(at) }
}

fn profile(at: usize) -> Plain {
    Plain::new(match at {
        SERVER => "server",
        ADA => "ada",
        BOB => "bob",
        _ => "server of mallory",
    })
}

fn peer(at: usize) -> PeerId {
    profile(at).peer_id()
}

impl World {
    fn new(now: Instant) -> Self {
        let config = |at: usize| EndpointConfig {
            most_sessions: MOST_SESSIONS,
            ..EndpointConfig::new(Arc::new(profile(at)), [at as u8; 32])
        };
        let node = |at| Node::new(NodeConfig { endpoint: config(at), most_peer_connections: 4 });
        let ends = vec![
            Anyone::Server(Box::new(Service::new(node(SERVER), Rules::default()))),
            Anyone::Person(Box::new(node(ADA))),
            Anyone::Person(Box::new(node(BOB))),
            Anyone::Stranger(Box::new(Endpoint::new(config(MALLORY)))),
        ];
        let mut world = Self {
            now,
            ends,
            air: VecDeque::new(),
            connected: [false; 2],
            connections: [None; 2],
            strayed: Vec::new(),
            met: false,
            sessions: Vec::new(),
            flows: Vec::new(),
            heard: Vec::new(),
            hellos: Vec::new(),
            bytes_in: 0,
        };
        for at in 0..world.ends.len() {
            world.input(at, Input::PathOpened { path: PathId(0), local: address(at), kind: PathKind::Own });
        }
        for (path, local) in lent() {
            world.input(SERVER, Input::PathOpened { path, local, kind: PathKind::Lent });
        }
        for (at, name) in [(ADA, "Ada"), (BOB, "Bob")] {
            let now = world.now;
            let connection =
                world.person(at).connect(now, "rtmfp://server/", &[route(SERVER)], vec![name.into()]);
            world.connections[at - ADA] = Some(connection);
            world.drain(at);
        }
        world
    }

    fn person(&mut self, at: usize) -> &mut Node {
        match &mut self.ends[at] {
            Anyone::Person(node) => node,
            Anyone::Server(_) | Anyone::Stranger(_) => panic!("nobody of the two"),
        }
    }

    fn stranger(&mut self) -> &mut Endpoint {
        match &mut self.ends[MALLORY] {
            Anyone::Stranger(endpoint) => endpoint,
            Anyone::Server(_) | Anyone::Person(_) => panic!("not the third"),
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let now = self.now;
        match script.u8() % 25 {
            0 => {
                let (whom, at) = match script.below(3) {
                    0 => (discriminator_for_url("rtmfp://server/"), SERVER),
                    1 => (b"ada".to_vec(), ADA),
                    _ => (b"bob".to_vec(), BOB),
                };
                self.stranger().open_session(now, whom.into(), &[route(at)]);
                self.settle(Duration::from_millis(20));
            }
            1..=3 => self.open_flow(script),
            4..=11 => self.say(script),
            12 => {
                if let Some((session, flow)) = script.one_of(&self.flows) {
                    self.stranger().close_flow(now, session, flow);
                    self.flows.retain(|other| *other != (session, flow));
                }
            }
            13 => {
                if let Some((session, flow)) = script.one_of(&self.heard) {
                    let code = script.number();
                    self.stranger().reject_flow(now, session, flow, code);
                }
            }
            14 => {
                if let Some(session) = script.one_of(&self.sessions)
                    && script.u8() < 128
                {
                    let manner =
                        if script.u8() & 1 == 0 { CloseManner::Orderly } else { CloseManner::Abrupt };
                    self.stranger().close_session(now, session, manner);
                }
            }
            15 => {
                let at = ADA + script.below(2);
                if self.strayed.len() < 4 {
                    let url = "rtmfp://mallory/";
                    let strayed = self.person(at).connect(now, url, &[route(MALLORY)], Vec::new());
                    self.strayed.push(strayed);
                }
            }
            16 => {
                let at = ADA + script.below(2);
                let whom = peer(if script.u8() & 1 == 0 { MALLORY } else { ADA + BOB - at });
                self.person(at).play_direct(now, whom, "line", &[route(MALLORY)]);
            }
            17 => {
                let at = ADA + script.below(2);
                self.person(at).publish_direct(now, "line");
            }
            18 => {
                let to = route(script.below(4));
                let list: Vec<KnownAddress> = (0..script.below(30))
                    .map(|_| KnownAddress {
                        address: self.some_address(script),
                        origin: AddressOrigin::Observed,
                    })
                    .collect();
                let hello = script.one_of(&(0..self.hellos.len()).collect::<Vec<_>>());
                if let Some((route, tag)) = hello.and_then(|at| self.hellos.get(at)).cloned() {
                    self.stranger().redirect(route, &tag, &list);
                } else {
                    let tag = script.bytes().to_vec();
                    self.stranger().redirect(to, &tag, &list);
                }
            }
            19 => {
                if let Some(session) = script.one_of(&self.sessions) {
                    let initiator =
                        KnownAddress { address: self.some_address(script), origin: AddressOrigin::Observed };
                    let whom = script.one_of(&[&b"ada"[..], b"bob", b"server"]).unwrap_or_default();
                    let tag = script.bytes().to_vec();
                    let endpoint = self.stranger();
                    endpoint.set_forwarded_hello(session, ForwardedHello::Answer);
                    endpoint.forward_hello(now, session, whom, initiator, &tag);
                }
            }
            20 => {
                let name = script.bytes().to_vec();
                self.stranger().open_session(now, name.into(), &[route(script.below(3))]);
            }
            21 => self.settle(Duration::from_millis(script.u8().into())),
            22 => self.settle(Duration::from_secs(u64::from(script.u8()) % 30)),
            23 => self.media(script),
            _ => self.write_to_relay(script),
        }
        self.drain(ADA);
        self.drain(BOB);
        self.drain(MALLORY);
        self.settle(Duration::ZERO);
    }

    fn some_address(&self, script: &mut Script<'_>) -> SocketAddr {
        match script.u8() % 3 {
            0 => address(script.below(4)),
            1 => SocketAddr::from(([127, 0, 0, 1], script.u16())),
            _ => SocketAddr::from(([script.u8(), script.u8(), 0, 1], script.u16())),
        }
    }

    fn open_flow(&mut self, script: &mut Script<'_>) {
        let Some(session) = script.one_of(&self.sessions) else { return };
        let metadata: Bytes = match script.u8() % 8 {
            0 => script.bytes().to_vec().into(),
            // Of a stream, often of control: a mark, flags, the stream's number.
            1 | 2 => vec![b'T', b'C', 0x04 | script.u8() & 3, script.u8() % 4].into(),
            _ => b"TC\x04\0".to_vec().into(),
        };
        let of_session: Vec<ReceiveFlowId> =
            self.heard.iter().filter(|(other, _)| *other == session).map(|(_, flow)| *flow).collect();
        let answers = if script.u8() & 1 == 0 { None } else { script.one_of(&of_session) };
        let options = FlowOptions { metadata, priority: Priority::Data, time_critical: false, answers };
        if self.flows.len() < 64
            && let Ok(flow) = self.stranger().open_flow(session, options)
        {
            self.flows.push((session, flow));
        }
    }

    fn say(&mut self, script: &mut Script<'_>) {
        let Some((session, flow)) = script.one_of(&self.flows) else { return };
        let message = said(script);
        let now = self.now;
        let _ = self.stranger().write(now, session, flow, message.into(), WriteOptions::default());
    }

    /// What the people say of their own accord.
    fn media(&mut self, script: &mut Script<'_>) {
        let at = ADA + script.below(2);
        let now = self.now;
        let node = self.person(at);
        let publication = node.publish_direct(now, "another line");
        let message =
            MediaMessage { kind: MediaKind::Audio, timestamp: 0, payload: script.bytes().to_vec().into() };
        node.send_media(now, Target::Publication(publication), message, MediaDeadline::default());
        node.unpublish(now, publication);
    }

    /// To a port of the relay's, from anywhere: addresses may be forged.
    fn write_to_relay(&mut self, script: &mut Script<'_>) {
        let (path, from) = (PathId(1 + script.below(LENT_PORTS as usize) as u32), self.some_address(script));
        self.air.push_back((from, (SERVER, path), [&[0; 8], script.bytes()].concat()));
    }

    fn input(&mut self, at: usize, input: Input<'_, Infallible>) {
        let now = self.now;
        match &mut self.ends[at] {
            Anyone::Server(service) => match input.without_command() {
                Ok(input) => service.handle_input(now, input),
                Err(never) => match never {},
            },
            Anyone::Person(node) => node.handle_input(now, input),
            Anyone::Stranger(endpoint) => endpoint.handle_input(now, input),
        }
        self.drain(at);
    }

    /// Carries away what somebody has to say; answers when they want to be woken.
    fn drain(&mut self, at: usize) -> Option<Instant> {
        let mut packets = Vec::new();
        let now = self.now;
        for _ in 0..MOST_OUTPUTS {
            let output = match &mut self.ends[at] {
                Anyone::Server(service) => told(service.poll_output(now, &mut packets), |_| Told::Server),
                Anyone::Person(node) => told(node.poll_output(now, &mut packets), Told::Person),
                Anyone::Stranger(endpoint) => told(endpoint.poll_output(now, &mut packets), Told::Stranger),
            };
            match output {
                Output::Transmit(transmit) => {
                    let to = owner(transmit.route.address);
                    let from = lent().find(|(path, _)| *path == transmit.route.via);
                    assert!(from.is_none() || to.is_some(), "the relay writes to somebody who is not there");
                    let from = from.map_or(address(at), |(_, local)| local);
                    for bytes in packets.chunks(transmit.segment_size) {
                        if let Some(to) = to
                            && self.air.len() < 4096
                        {
                            self.air.push_back((from, to, bytes.to_vec()));
                        }
                    }
                }
                Output::Compute(job) => self.input(at, Input::Computed(job.run())),
                Output::Event(told) => self.on_event(at, told),
                Output::Sleep(until) => return until,
            }
        }
        panic!("{at} always has something to say");
    }

    fn on_event(&mut self, at: usize, told: Told) {
        match told {
            Told::Server => {}
            Told::Person(event) => self.on_node_event(at, event),
            Told::Stranger(Event::SessionOpened { session, .. }) => self.sessions.push(session),
            Told::Stranger(Event::SessionEnded { session, .. }) => {
                self.sessions.retain(|other| *other != session);
                self.flows.retain(|(other, _)| *other != session);
                self.heard.retain(|(other, _)| *other != session);
            }
            Told::Stranger(Event::FlowOpened { session, flow, .. }) => {
                self.heard.push((session, flow));
                self.stranger().accept_flow(session, flow, Delivery::Ordered);
            }
            Told::Stranger(Event::HelloForAnother { route, tag, .. }) => {
                if self.hellos.len() < 16 {
                    self.hellos.push((route, tag));
                }
            }
            Told::Stranger(
                Event::FlowRefused { session, flow, .. } | Event::FlowCompleted { session, flow },
            ) => {
                self.flows.retain(|other| *other != (session, flow));
            }
            Told::Stranger(_) => {}
        }
    }

    fn on_node_event(&mut self, at: usize, event: NodeEvent) {
        let now = self.now;
        match event {
            NodeEvent::Connected { connection, .. } => {
                self.connected[at - ADA] |= Some(connection) == self.connections[at - ADA];
            }
            NodeEvent::Disconnected { connection, code, description } => {
                let own = Some(connection) == self.connections[at - ADA];
                assert!(!own, "{at} lost the server by what a stranger said: {code:?} {description}");
                self.strayed.retain(|other| *other != connection);
            }
            NodeEvent::PeerConnect { subscriber, publication, peer: by, .. } => {
                self.met |= at == BOB && by == peer(ADA);
                match publication {
                    Some(publication) => self.person(at).accept_subscriber(now, subscriber, publication),
                    None => self.person(at).refuse_subscriber(now, subscriber),
                }
            }
            NodeEvent::ConnectRequested { connection, .. } => {
                self.person(at).reject_connection(now, connection, "no server");
            }
            NodeEvent::Called { token: Some(token), .. } => {
                self.person(at).answer(now, token, Ok(Value::Null));
            }
            _ => {}
        }
    }

    /// What holds at every moment.
    fn check(&self) {
        for end in &self.ends {
            let (sessions, held) = match end {
                Anyone::Server(service) => (service.sessions(), service.held_bytes()),
                Anyone::Person(node) => (node.sessions(), node.held_bytes()),
                Anyone::Stranger(_) => continue,
            };
            assert!(sessions <= MOST_SESSIONS);
            let most = 64 * self.bytes_in + (1 << 18);
            assert!(held as u64 <= most, "{held} bytes are held after {} came in", self.bytes_in);
        }
    }

    /// Runs the network for a while.
    fn settle(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..MOST_WAKE_UPS {
            let mut delivered = 0;
            while let Some((address, (to, via), mut bytes)) = self.air.pop_front() {
                delivered += 1;
                assert!(delivered < 20_000, "they never come to rest");
                self.bytes_in += bytes.len() as u64;
                let route = Route { via, address };
                let received = Received { route, ecn: None, segment_size: bytes.len(), bytes: &mut bytes };
                self.input(to, Input::Received(received));
            }
            let wake = (0..self.ends.len()).filter_map(|at| self.drain(at)).min();
            if !self.air.is_empty() {
                continue;
            }
            match wake.filter(|wake| *wake <= end) {
                Some(wake) => {
                    // A network takes its time, and so does the computer.
                    self.now = wake.max(self.now + Duration::from_millis(1));
                    for at in 0..self.ends.len() {
                        self.input(at, Input::Time);
                    }
                }
                None => {
                    self.now = end.max(self.now);
                    return;
                }
            }
        }
        panic!("somebody never sleeps");
    }

    fn leave_alone(mut self) {
        let now = self.now;
        for session in std::mem::take(&mut self.sessions) {
            self.stranger().close_session(now, session, CloseManner::Abrupt);
        }
        self.settle(Duration::from_secs(130));
        self.met = false;
        let now = self.now;
        self.person(BOB).publish_direct(now, "the last line");
        self.person(ADA).play_direct(now, peer(BOB), "the last line", &[]);
        self.settle(Duration::from_secs(15));
        assert_eq!(self.connected, [true, true]);
        assert!(self.met, "Ada and Bob meet through the server");
    }
}

enum Told {
    Server,
    Person(NodeEvent),
    Stranger(Event),
}

fn told<E>(output: Output<E>, told: impl FnOnce(E) -> Told) -> Output<Told> {
    match output {
        Output::Transmit(transmit) => Output::Transmit(transmit),
        Output::Compute(job) => Output::Compute(job),
        Output::Event(event) => Output::Event(told(event)),
        Output::Sleep(until) => Output::Sleep(until),
    }
}

/// A message of one of the kinds there are, or of none.
fn said(script: &mut Script<'_>) -> Vec<u8> {
    let mut message = match script.u8() % 16 {
        0 => return script.bytes().to_vec(),
        1 => vec![script.u8()],
        2 => vec![4],
        3 => vec![8 + (script.u8() & 1)],
        4 => vec![18],
        5 => vec![17],
        _ => vec![20],
    };
    message.extend([0, 0, 0, script.u8()]);
    match message.first() {
        Some(4) => {
            message.extend([0, script.one_of(&[0, 1, 3, 31, 34, 34, 41, 6]).unwrap_or(0)]);
            for _ in 0..2 {
                message.extend([0, 0, 0, script.u8()]);
            }
        }
        Some(17 | 20) => {
            if message.first() == Some(&17) {
                message.push(0);
            }
            let name = script.one_of(NAMES).unwrap_or_default();
            let transaction = Value::Number(f64::from(script.u8() % 8));
            let object = if script.u8() < 128 { Value::Null } else { value(script, 0) };
            let mut values = vec![Value::from(name), transaction, object];
            values.extend((0..script.below(4)).map(|_| value(script, 0)));
            write_sequence(&values, &mut message);
        }
        Some(18) => {
            let handler = script.one_of(&["|RtmpSampleAccess", "@setDataFrame", "onMetaData", "x"]);
            let mut values = vec![Value::from(handler.unwrap_or_default())];
            values.extend((0..script.below(4)).map(|_| value(script, 0)));
            write_sequence(&values, &mut message);
        }
        _ => message.extend_from_slice(script.bytes()),
    }
    message
}

const NAMES: &[&str] = &[
    "connect",
    "_result",
    "_error",
    "onStatus",
    "createStream",
    "deleteStream",
    "closeStream",
    "publish",
    "play",
    "play2",
    "setPeerInfo",
    "close",
    "lookup",
    "people",
    "watch",
    "setVisibility",
    "setState",
    "setRelayOnly",
    "peopleChanged",
    "presence",
    "receiveAudio",
    "pause",
    "",
];

fn value(script: &mut Script<'_>, depth: usize) -> Value {
    const CODES: &[&str] = &[
        "NetConnection.Connect.Success",
        "NetConnection.Connect.Rejected",
        "NetConnection.Connect.Closed",
        "NetConnection.Connect.NetworkChange",
        "NetStream.Play.Start",
        "NetStream.Play.UnpublishNotify",
        "NetStream.Publish.Start",
        "NetStream.Play.Failed",
        "line",
        "another line",
        "everyone",
        "nobody",
        "in_call",
        "busy",
        "Ada",
        "Bob",
        "192.0.2.4:1935",
    ];
    match script.u8() % 12 {
        0 => Value::Null,
        1 => Value::Undefined,
        2 => Value::Boolean(script.u8() & 1 == 1),
        3 => Value::Number(script.number() as f64),
        4 | 5 => Value::from(script.one_of(CODES).unwrap_or_default()),
        6 => Value::String(peer(script.below(4)).to_string()),
        7 => Value::String(String::from_utf8_lossy(script.bytes()).into_owned()),
        8 if depth < 3 => Value::Array((0..script.below(6)).map(|_| value(script, depth + 1)).collect()),
        9 | 10 if depth < 3 => Value::Object(
            (0..script.below(5))
                .map(|_| {
                    let name = script.one_of(&["code", "level", "description", "objectEncoding", "id"]);
                    (name.unwrap_or_default().to_owned(), value(script, depth + 1))
                })
                .collect(),
        ),
        _ => Value::Bytes(script.bytes().to_vec()),
    }
}

const MOST_SESSIONS: usize = 8;
const LENT_PORTS: u32 = 4;
/// Decisions that one run takes; more would only take longer.
const MOST_STEPS: usize = 500;
const MOST_OUTPUTS: usize = 20_000;
const MOST_WAKE_UPS: usize = 50_000;
