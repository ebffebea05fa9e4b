//! People and relays in one network: a relay passes on what comes in on one of its two addresses by the other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::Endpoint;
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, Received, Route, Transmit};

use super::virtual_network::{Host, VirtualNetwork};

/// A network of people and relays.
pub(crate) type Relayed = VirtualNetwork<Member>;

/// Who is in it.
pub(crate) enum Member {
    /// Somebody with an endpoint.
    Person(Box<Endpoint>),
    /// Whoever passes datagrams on.
    Relay(Relay),
}

impl Member {
    /// The endpoint of a person.
    pub(crate) fn person(&mut self) -> &mut Endpoint {
        match self {
            Self::Person(endpoint) => endpoint,
            Self::Relay(_) => panic!("a relay is no person"),
        }
    }

    /// A look at it.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Person(endpoint) => endpoint,
            Self::Relay(_) => panic!("a relay is no person"),
        }
    }
}

/// Two addresses, and who is served at each: its paths 0 and 1.
#[derive(Default)]
pub(crate) struct Relay {
    peers: [Option<SocketAddr>; 2],
    waiting: VecDeque<(Route, Vec<u8>)>,
}

impl Relay {
    /// One for these two: what the first sends to path 0 leaves by path 1 to the second, and the other way round.
    pub(crate) fn between(first: SocketAddr, second: SocketAddr) -> Self {
        Self { peers: [Some(first), Some(second)], waiting: VecDeque::new() }
    }

    fn on_received(&mut self, received: &Received<'_>) {
        let from = received.route.via.0 as usize & 1;
        // A router may give each of its destinations another port.
        match &mut self.peers[from] {
            Some(peer) if peer.ip() == received.route.address.ip() => *peer = received.route.address,
            _ => return,
        }
        let to = 1 - from;
        let Some(address) = self.peers[to] else { return };
        let route = Route { via: PathId(to as u32), address };
        for bytes in received.bytes.chunks(received.segment_size) {
            self.waiting.push_back((route, bytes.to_vec()));
        }
    }
}

impl Machine for Member {
    type Command = std::convert::Infallible;
    type Event = Event;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Self::Command>) {
        match (self, input) {
            (Self::Person(endpoint), input) => endpoint.handle_input(now, input),
            (Self::Relay(relay), Input::Received(received)) => relay.on_received(&received),
            (Self::Relay(_), _) => {}
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Event> {
        match self {
            Self::Person(endpoint) => endpoint.poll_output(now, packets),
            Self::Relay(relay) => match relay.waiting.pop_front() {
                Some((route, bytes)) => {
                    packets.clear();
                    packets.extend_from_slice(&bytes);
                    Output::Transmit(Transmit::ordinary(route, bytes.len()))
                }
                None => Output::Sleep(None),
            },
        }
    }
}

/// Adds a relay between two hosts, which takes `latency` more: its address for the first and its address for the second.
pub(crate) fn add_relay(
    net: &mut Relayed,
    first: SocketAddr,
    second: SocketAddr,
    latency: Duration,
) -> (Host, [SocketAddr; 2]) {
    let relay = net.add(Member::Relay(Relay::between(first, second)));
    net.set_link(relay, |link| link.latency = latency);
    net.add_path(relay);
    let addresses = net.addresses(relay);
    (relay, [addresses[0], addresses[1]])
}
