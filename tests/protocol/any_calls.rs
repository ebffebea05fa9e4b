//! The public interface, called in any order with any arguments: names of nothing, flows that are closed, huge and empty
//! things, times that stand still or go backwards, absurd settings. Nothing panics, and nothing grows without bound.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use tincan::amf::Value;
use tincan::netconnection::node::{
    CallToken, ConnectionId, MediaDeadline, MediaKind, MediaMessage, NodeConfig, ObjectEncoding, PlaybackId,
    PublicationId, ServerStreamId, SubscriberId, Target,
};
use tincan::netconnection::{Node, NodeEvent, Uri, UserName};
use tincan::rtmfp::crypto::flash::Identity;
use tincan::rtmfp::endpoint::{
    AddressOrigin, CloseManner, Delivery, Endpoint, EndpointConfig, FlowOptions, ForwardedHello,
    KnownAddress, MessageId, Priority, ReceiveFlowId, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{Computed, Input, JobId, Machine, Output, PathId, PathKind, Received, Route};
use tincan::rtmfp::{Ecn, Event, PeerId};

use crate::support::nodes::{URL, endpoint_config};

/// What is done next: what, by which end, and numbers from which its arguments are made.
type Call = (u8, bool, [u64; 6]);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    // Small numbers name what there is, large ones what there is not.
    let number = prop_oneof![8 => 0u64..8, 2 => 0u64..40, 2 => 0u64..2000, 1 => any::<u64>()];
    let numbers = [number.clone(), number.clone(), number.clone(), number.clone(), number.clone(), number];
    proptest::collection::vec((any::<u8>(), any::<bool>(), numbers), 1..120)
}

fn span(number: u64) -> Duration {
    const SPANS: [Duration; 8] = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(1),
        Duration::from_secs(1),
        Duration::from_secs(30),
        Duration::from_secs(1_000_000),
        Duration::from_secs(u64::MAX / 2),
        Duration::MAX,
    ];
    SPANS[(number % 8) as usize]
}

fn size(number: u64) -> usize {
    const SIZES: [usize; 10] = [0, 1, 2, 64, 512, 513, 1_200, 5_000, 70_000, 2_000_000];
    SIZES[(number % 10) as usize]
}

fn setting(number: u64) -> usize {
    const SETTINGS: [usize; 6] = [4 << 20, 0, 1, 1024, 100_000, usize::MAX];
    SETTINGS[(number % 6) as usize]
}

fn absurd(mut config: EndpointConfig, numbers: [u64; 6], more: u64) -> EndpointConfig {
    config.largest_message = setting(numbers[0]);
    config.receive_window = setting(numbers[1]);
    config.send_buffer = setting(numbers[2]);
    config.most_sessions = setting(more);
    config.keepalive = span(numbers[3]);
    config.vanish_after = span(numbers[4]);
    config.open_within = span(numbers[5]);
    config
}

fn bytes(number: u64) -> Bytes {
    vec![number as u8; size(number)].into()
}

fn route(number: u64) -> Route {
    let address = match number % 5 {
        0 | 1 => ([192, 0, 2, (number % 2) as u8 + 1], 1935).into(),
        2 => ([0, 0, 0, 0], 0).into(),
        3 => ([0xffff_u16; 8], 65535).into(),
        _ => ([127, 0, 0, 1], number as u16).into(),
    };
    Route { via: PathId((number % 3) as u32 / 2), address }
}

fn routes(number: u64) -> Vec<Route> {
    (0..number % 100).map(route).collect()
}

/// Two machines, and what is on its way between them.
struct Pair<M: Machine> {
    ends: [M; 2],
    /// The program above each.
    answer: fn(&mut M, Instant, &M::Event),
    now: Instant,
    wire: VecDeque<(usize, Vec<u8>)>,
}

impl<M: Machine<Command = std::convert::Infallible>> Pair<M> {
    fn new(ends: [M; 2], answer: fn(&mut M, Instant, &M::Event)) -> Self {
        let mut pair = Self { ends, answer, now: Instant::now(), wire: VecDeque::new() };
        for end in 0..2 {
            let local = route(end as u64).address;
            let now = pair.now;
            pair.ends[end]
                .handle_input(now, Input::PathOpened { path: PathId(0), local, kind: PathKind::Own });
        }
        pair
    }

    /// Time passes, stands still, or goes back for one call.
    fn time(&mut self, number: u64) -> Instant {
        match number % 16 {
            0..6 => self.now,
            6..10 => self.now.checked_sub(span(number % 5)).unwrap_or(self.now),
            _ => {
                self.now += span(number % 5);
                self.now
            }
        }
    }

    /// What anybody may do to a machine, whatever it is. False when this was no such thing.
    fn outside(&mut self, now: Instant, what: u8, end: usize, n: [u64; 6]) -> bool {
        let machine = &mut self.ends[end];
        match what {
            0 => machine.handle_input(now, Input::Time),
            1 => machine.handle_input(
                now,
                Input::PathOpened {
                    path: PathId(n[0] as u32),
                    local: route(n[1]).address,
                    kind: PathKind::Own,
                },
            ),
            2 => machine.handle_input(now, Input::PathClosed { path: PathId(n[0] as u32) }),
            3 => {
                let computed = Computed { id: JobId(n[0]), result: Box::new("nothing of yours") };
                machine.handle_input(now, Input::Computed(computed));
            }
            4 => {
                let mut noise = bytes(n[0]).to_vec();
                let received = Received {
                    route: route(n[1]),
                    ecn: Some(Ecn::CongestionExperienced),
                    segment_size: n[2] as usize,
                    bytes: &mut noise,
                };
                machine.handle_input(now, Input::Received(received));
            }
            5..10 => {
                for _ in 0..n[0] % 64 {
                    self.deliver(now);
                }
            }
            _ => return false,
        }
        true
    }

    fn deliver(&mut self, now: Instant) {
        let Some((to, mut bytes)) = self.wire.pop_front() else { return };
        let segment_size = bytes.len();
        let received = Received { route: route(1 - to as u64), ecn: None, segment_size, bytes: &mut bytes };
        self.ends[to].handle_input(now, Input::Received(received));
        self.drain(now, to);
    }

    /// Lets both talk until neither has anything to say, or for long enough.
    fn talk(&mut self) {
        for end in 0..2 {
            self.ends[end].handle_input(self.now, Input::Time);
            self.drain(self.now, end);
        }
        for _ in 0..200 {
            self.deliver(self.now);
        }
        self.now += Duration::from_millis(10);
    }

    /// Everything that a machine wants, which must come to an end; answers what it told.
    fn drain(&mut self, now: Instant, end: usize) -> Vec<M::Event> {
        let mut told = Vec::new();
        let mut packets = Vec::new();
        let mut sent = 0;
        for _ in 0..MOST_OUTPUTS {
            match self.ends[end].poll_output(now, &mut packets) {
                Output::Transmit(transmit) => {
                    assert!(transmit.segment_size > 0 && !packets.is_empty(), "an empty batch");
                    assert!(transmit.segment_size <= 1_500, "a datagram of {}", transmit.segment_size);
                    sent += packets.len();
                    for datagram in packets.chunks(transmit.segment_size) {
                        self.wire.push_back((1 - end, datagram.to_vec()));
                    }
                    if self.wire.len() > 512 {
                        self.wire.drain(..256);
                    }
                }
                Output::Compute(job) => {
                    let computed = job.run();
                    self.ends[end].handle_input(now, Input::Computed(computed));
                }
                Output::Event(event) => {
                    (self.answer)(&mut self.ends[end], now, &event);
                    told.push(event);
                }
                Output::Sleep(_) => {
                    assert!(sent < MOST_BYTES_AT_ONCE, "{sent} bytes at once");
                    return told;
                }
            }
        }
        panic!("it never sleeps");
    }
}

/// Nothing that one call asks for takes more.
const MOST_OUTPUTS: usize = 20_000;
const MOST_BYTES_AT_ONCE: usize = 8 << 20;

/// What an endpoint's program may ask of it.
fn ask_endpoint(endpoint: &mut Endpoint, now: Instant, what: u8, n: [u64; 6]) {
    // One session is there from the start, and what is done in it is worth more.
    let session = SessionKey(if n[0] < 6 { 1 } else { n[0] });
    let (send_flow, receive_flow) = (SendFlowId(n[1]), ReceiveFlowId(n[1]));
    match what {
        0..4 => {
            let name = [Bytes::from_static(b"ada"), Bytes::from_static(b"bob"), bytes(n[0])];
            endpoint.open_session(now, name[(n[1] % 3) as usize].clone(), &routes(n[2]));
        }
        4 => {
            endpoint.open_session_to_peer(now, PeerId([n[0] as u8; 32]), &routes(n[1]));
        }
        5 => endpoint.add_candidates(now, session, &routes(n[1])),
        6 => {
            let manner = if n[1].is_multiple_of(2) { CloseManner::Orderly } else { CloseManner::Abrupt };
            if n[2].is_multiple_of(3) {
                endpoint.close_session(now, session, manner);
            }
        }
        7..12 => {
            let priorities = [Priority::Background, Priority::Routine, Priority::Audio, Priority::Immediate];
            let options = FlowOptions {
                metadata: bytes(n[1]),
                priority: priorities[(n[2] % 4) as usize],
                time_critical: n[3].is_multiple_of(2),
                answers: n[4].is_multiple_of(3).then_some(ReceiveFlowId(n[5])),
            };
            let _ = endpoint.open_flow(session, options);
        }
        12..24 => {
            let moment = |n: u64| match n % 4 {
                0 => None,
                1 => now.checked_sub(span(n / 4)),
                _ => now.checked_add(span(n / 4)),
            };
            let options = WriteOptions {
                start_by: moment(n[3]),
                finish_by: moment(n[4]),
                needs: n[5].is_multiple_of(3).then_some(MessageId(n[5])),
                report: n[5].is_multiple_of(2),
            };
            let _ = endpoint.write(now, session, send_flow, bytes(n[2]), options);
        }
        24 => endpoint.abandon_queued(now, session, send_flow),
        25 => endpoint.close_flow(now, session, send_flow),
        26 => endpoint.accept_flow(session, receive_flow, Delivery::Arrival),
        27 => endpoint.reject_flow(now, session, receive_flow, n[2]),
        28 => endpoint.set_forwarded_hello(session, ForwardedHello::Answer),
        29 => endpoint.set_patience(session, span(n[1]), span(n[2])),
        30 => {
            let known = |n| KnownAddress { address: route(n).address, origin: AddressOrigin::Relay };
            let to: Vec<KnownAddress> = (0..n[1] % 2_000).map(known).collect();
            endpoint.redirect(route(n[0]), &bytes(n[2]), &to);
        }
        31 => {
            let initiator = KnownAddress { address: route(n[1]).address, origin: AddressOrigin::Unknown };
            endpoint.forward_hello(now, session, &bytes(n[2]), initiator, &bytes(n[3]));
        }
        _ => {
            let _ = (endpoint.queued(session, send_flow), endpoint.route(session), endpoint.peer(session));
            let _ = (endpoint.nonces(session), endpoint.figures(now, session), endpoint.sessions());
            let _ = (endpoint.dropped(), endpoint.agreements(), endpoint.own_peer_id());
        }
    }
}

/// What a node's program may ask of it. The six numbers stand for the names of everything.
fn ask_node(node: &mut Node, now: Instant, what: u8, n: [u64; 6]) {
    let connection = ConnectionId(if n[5] < 6 { 1 } else { n[0] });
    let stream = ServerStreamId(n[0]);
    let peer = if n[1].is_multiple_of(2) { PeerId([n[1] as u8; 32]) } else { endpoint_id("bob") };
    let text = ["cam", "", URL, "rtmfp://[/é", "\u{202e}"][(n[2] % 5) as usize].repeat((n[3] % 300) as usize);
    let values = || vec![Value::Bytes(bytes(n[4]).to_vec()), Value::Number(f64::NAN), nested(n[5])];
    let target = match n[1] % 3 {
        0 => Target::Subscriber(SubscriberId(n[0])),
        1 => Target::Publication(PublicationId(n[0])),
        _ => Target::ServerStream(stream),
    };
    match what {
        0..3 => {
            let id =
                node.connect(now, if n[1].is_multiple_of(4) { &text } else { URL }, &routes(n[2]), values());
            node.prefer_encoding(id, ObjectEncoding::Amf3);
        }
        3 => node.close_connection(now, connection),
        4 => node.abort_connection(now, connection),
        5 => node.prefer_encoding(connection, ObjectEncoding::Amf3),
        6 => {
            let addresses: Vec<_> = routes(n[1]).iter().map(|route| route.address).collect();
            node.set_peer_info(now, connection, &addresses);
        }
        7 => node.trust_introductions(connection, n[1].is_multiple_of(2)),
        8 => node.prefer_keepalive(connection, span(n[1])),
        9 => {
            node.call(now, connection, &text, values());
        }
        10 => node.notify(now, connection, &text, values()),
        11 => node.answer(now, CallToken(n[0]), Ok(nested(n[1]))),
        12 => node.accept_connection(now, connection, vec![(text, nested(n[1]))]),
        13 => node.reject_connection(now, connection, &text),
        14 => node.set_keepalive(now, connection, span(n[1]), span(n[2])),
        15 => node.introduce(now, route(n[1]), &bytes(n[2]), &bytes(n[3]), connection, &[]),
        16 => {
            node.create_stream(now, connection);
        }
        17 => node.publish(now, stream, &text),
        18 => node.play(now, stream, &text),
        19 => node.delete_stream(now, stream),
        20 => node.accept_stream(now, stream),
        21 => node.refuse_stream(now, stream, &text),
        22 => {
            node.publish_direct(now, &text);
        }
        23 => node.unpublish(now, PublicationId(n[0])),
        24 => node.accept_subscriber(now, SubscriberId(n[0]), PublicationId(n[1])),
        25 => node.refuse_subscriber(now, SubscriberId(n[0])),
        26..29 => {
            node.play_direct(now, peer, &text, &routes(n[2]));
        }
        29 => node.close_playback(now, PlaybackId(n[0])),
        30 => node.send_data(now, target, &text, values()),
        31 => node.send_bulk(now, target, &text, values()),
        32..36 => {
            let kind = if n[2].is_multiple_of(2) { MediaKind::Audio } else { MediaKind::Video };
            let message = MediaMessage { kind, timestamp: n[3] as u32, payload: bytes(n[4]) };
            let deadline = MediaDeadline {
                start_by: now.checked_sub(span(n[5])),
                finish_by: now.checked_add(span(n[5])),
                needs_previous: n[5].is_multiple_of(2),
            };
            node.send_media(now, target, message, deadline);
        }
        36 => node.abandon_video(now, target),
        37 => node.close_peer(now, peer),
        _ => {
            let _ = (node.queued(target, MediaKind::Video), node.queued_bulk(target), node.sessions());
            let _ = (node.peer_figures(now, peer), node.direct_figures(now, peer), node.peer_route(peer));
            let _ = (node.session_bindings(peer), node.near_id());
            let _ = node.connection_figures(now, connection);
        }
    }
}

fn endpoint_id(name: &str) -> PeerId {
    Endpoint::new(endpoint_config(name)).own_peer_id().expect("a certificate")
}

/// A value inside another, and so on.
fn nested(depth: u64) -> Value {
    (0..depth % 400).fold(Value::Undefined, |inside, _| match inside {
        Value::Array(_) => Value::object([("", inside)]),
        other => Value::Array(vec![other]),
    })
}

/// The same of an endpoint's.
fn accept(endpoint: &mut Endpoint, _now: Instant, event: &Event) {
    if let Event::FlowOpened { session, flow, .. } = event {
        endpoint.accept_flow(*session, *flow, Delivery::Ordered);
    }
}

/// A program that says yes to everything.
fn agree(node: &mut Node, now: Instant, event: &NodeEvent) {
    match event {
        NodeEvent::ConnectRequested { connection, .. } => {
            node.accept_connection(now, *connection, Vec::new())
        }
        NodeEvent::StreamRequested { stream, .. } => node.accept_stream(now, *stream),
        NodeEvent::PeerConnect { subscriber, publication: Some(publication), .. } => {
            node.accept_subscriber(now, *subscriber, *publication);
        }
        NodeEvent::Called { token: Some(token), .. } => node.answer(now, *token, Ok(Value::Null)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_endpoint_takes_any_calls(settings: ([u64; 6], u64), sane: bool, calls in calls()) {
        let config = |name| if sane { endpoint_config(name) } else { absurd(endpoint_config(name), settings.0, settings.1) };
        let mut pair = Pair::new([Endpoint::new(config("server")), Endpoint::new(config("ada"))], accept);
        // Something that there is: a session, a flow each way, and messages.
        let (now, to) = (pair.now, [route(0)]);
        let wanted = tincan::rtmfp::crypto::flash::discriminator_for_url(URL);
        pair.ends[1].open_session(now, wanted.into(), &to);
        (0..4).for_each(|_| pair.talk());
        for end in 0..2 {
            ask_endpoint(&mut pair.ends[end], pair.now, 7, [1, 0, 0, 0, 1, 0]);
            ask_endpoint(&mut pair.ends[end], pair.now, 12, [1, 0, 7, 0, 0, 1]);
        }
        (0..2).for_each(|_| pair.talk());
        for (what, first, numbers) in calls {
            let end = usize::from(first);
            let now = pair.time(numbers[5]);
            if !pair.outside(now, what / 8, end, numbers) {
                ask_endpoint(&mut pair.ends[end], now, what % 34, numbers);
            }
            pair.drain(now, end);
            if numbers[4] % 4 != 0 {
                pair.talk();
            }
            prop_assert!(pair.ends[end].sessions() <= 300);
        }
    }

    #[test]
    fn a_node_takes_any_calls(settings: ([u64; 6], u64), sane: bool, calls in calls()) {
        let node = |name| {
            let endpoint = if sane { endpoint_config(name) } else { absurd(endpoint_config(name), settings.0, settings.1) };
            Node::new(NodeConfig { endpoint, most_peer_connections: settings.1 as usize % 3 })
        };
        let mut pair = Pair::new([node("server"), node("bob")], agree);
        // Something that there is: a connection, streams both ways, and a direct stream.
        let (now, to) = (pair.now, [route(0)]);
        let connection = pair.ends[1].connect(now, URL, &to, Vec::new());
        (0..4).for_each(|_| pair.talk());
        let now = pair.now;
        for name in ["one", "other"] {
            let stream = pair.ends[1].create_stream(now, connection);
            pair.ends[1].publish(now, stream, name);
        }
        let peer = pair.ends[1].near_id();
        pair.ends[1].publish_direct(now, "cam");
        pair.ends[0].play_direct(now, peer, "cam", &[route(1)]);
        (0..4).for_each(|_| pair.talk());
        for (what, first, numbers) in calls {
            let end = usize::from(first);
            let now = pair.time(numbers[5]);
            if !pair.outside(now, what / 8, end, numbers) {
                ask_node(&mut pair.ends[end], now, what % 40, numbers);
            }
            let told = pair.drain(now, end);
            prop_assert!(told.len() < 1_000, "{} events at once", told.len());
            if numbers[4] % 4 != 0 {
                pair.talk();
            }
            prop_assert!(pair.ends[end].sessions() <= 300);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = text.parse::<Uri>().map(|uri| uri.to_string().parse::<Uri>().expect("what was written is read"));
        let _ = format!("rtmfp://{text}").parse::<Uri>();
        let _ = UserName::new(&text);
        let _ = text.parse::<PeerId>();
        let _ = Identity::from_secret_bytes(text.as_bytes());
    }
}
