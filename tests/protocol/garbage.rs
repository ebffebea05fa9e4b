//! A rendezvous server among people who send it rubbish: noise, and what others sent, cut, changed, or said again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tincan::netconnection::node::NodeConfig;
use tincan::netconnection::{Node, NodeEvent};
use tincan::rendezvous::service::{Rules, Service, ServiceEvent};
use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::crypto::{PacketCipher, Profile};
use tincan::rtmfp::machine::{Input, Machine, Output};
use tincan::rtmfp::{EndpointConfig, PeerId};

use crate::support::scenario::TRIP;
use crate::support::virtual_network::{Host, VirtualNetwork};

/// How many rubbish datagrams come.
const RUBBISH: usize = 20_000;

/// Sessions that the server allows at once: fewer than this rubbish would open, more than the people need.
const MOST_SESSIONS: usize = 8;

/// The server, or one of those it serves.
enum Anyone {
    Server(Box<Service>),
    Person(Box<Node>),
}

#[derive(Debug, PartialEq)]
enum Told {
    Server(ServiceEvent),
    Person(NodeEvent),
}

impl Machine for Anyone {
    type Command = Infallible;
    type Event = Told;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Infallible>) {
        match self {
            Self::Server(server) => server.handle_input(now, for_machine(input)),
            Self::Person(node) => node.handle_input(now, for_machine(input)),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Told> {
        match self {
            Self::Server(server) => map(server.poll_output(now, packets), Told::Server),
            Self::Person(node) => map(node.poll_output(now, packets), Told::Person),
        }
    }
}

fn for_machine<C>(input: Input<'_, Infallible>) -> Input<'_, C> {
    match input {
        Input::Time => Input::Time,
        Input::Received(received) => Input::Received(received),
        Input::PathOpened { path, local, kind } => Input::PathOpened { path, local, kind },
        Input::PathClosed { path } => Input::PathClosed { path },
        Input::Computed(computed) => Input::Computed(computed),
        Input::Command(never) => match never {},
    }
}

fn map<E>(output: Output<E>, told: impl FnOnce(E) -> Told) -> Output<Told> {
    match output {
        Output::Transmit(transmit) => Output::Transmit(transmit),
        Output::Compute(job) => Output::Compute(job),
        Output::Event(event) => Output::Event(told(event)),
        Output::Sleep(until) => Output::Sleep(until),
    }
}

struct World {
    net: VirtualNetwork<Anyone>,
    server: Host,
    seed: u8,
}

impl World {
    fn new() -> Self {
        let mut net = VirtualNetwork::new(TRIP);
        let service = Service::new(node(Flash::server([200; 32]), 201), Rules::default());
        let server = net.add(Anyone::Server(Box::new(service)));
        Self { net, server, seed: 0 }
    }

    /// Somebody who is connected to the server.
    fn join(&mut self, name: &str) -> (Host, PeerId) {
        self.seed += 1;
        let identity = Identity::generate([self.seed; 32]);
        let peer = identity.peer_id();
        let host = self.net.add(Anyone::Person(Box::new(node(Flash::peer(identity), self.seed))));
        let (url, server) =
            (format!("rtmfp://{}", self.net.address(self.server)), self.net.route_to(self.server));
        self.as_person(host, |node, now| node.connect(now, &url, &[server], vec![name.into()]));
        let came = self.until(10, |world| {
            world.tells(host, |told| matches!(told, Told::Person(NodeEvent::Connected { .. })))
        });
        assert!(came, "{name} is connected");
        (host, peer)
    }

    /// `caller` plays what `called` publishes, who is told of it. Only the server knows where they are.
    fn meet(&mut self, caller: Host, (called, peer): (Host, PeerId)) -> bool {
        self.as_person(called, |node, now| node.publish_direct(now, "line"));
        self.as_person(caller, |node, now| node.play_direct(now, peer, "line", &[]));
        self.until(10, |world| {
            world.tells(called, |told| matches!(told, Told::Person(NodeEvent::PeerConnect { .. })))
        })
    }

    fn as_person<R>(&mut self, host: Host, act: impl FnOnce(&mut Node, Instant) -> R) -> R {
        self.net.with(host, |anyone, now| match anyone {
            Anyone::Person(node) => act(node, now),
            Anyone::Server(_) => panic!("the server is no person"),
        })
    }

    fn service(&self) -> &Service {
        match self.net.machine(self.server) {
            Anyone::Server(service) => service,
            Anyone::Person(_) => panic!("a person is no server"),
        }
    }

    fn tells(&self, host: Host, what: impl Fn(&Told) -> bool) -> bool {
        self.net.events(host).iter().any(|(_, told)| what(told))
    }

    fn until(&mut self, seconds: u64, done: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..seconds * 20 {
            if done(self) {
                return true;
            }
            self.net.run_for(Duration::from_millis(50));
        }
        done(self)
    }
}

fn node(profile: Flash, seed: u8) -> Node {
    let mut endpoint = EndpointConfig::new(Arc::new(profile), [seed; 32]);
    endpoint.most_sessions = MOST_SESSIONS;
    Node::new(NodeConfig { endpoint, most_peer_connections: 8 })
}

/// Makes rubbish of datagrams that made sense once.
struct Vandal {
    chance: Chance,
    seen: Vec<(SocketAddr, Vec<u8>)>,
    startup: Box<dyn PacketCipher>,
}

impl Vandal {
    /// One datagram, and where it says it is from.
    fn make(&mut self) -> (SocketAddr, Vec<u8>) {
        let number = self.below(self.seen.len());
        let (from, mut bytes) = self.seen[number].clone();
        match self.below(6) {
            0 => bytes = (0..self.below(1_400)).map(|_| self.chance.u32() as u8).collect(),
            1 => bytes.truncate(self.below(bytes.len())),
            2 => self.damage(&mut bytes),
            3 => {}
            _ => self.reseal(&mut bytes),
        }
        let stranger =
            SocketAddr::from(([203, 0, 113, self.chance.u32() as u8], 1024 + self.below(60_000) as u16));
        (if self.below(2) == 0 { from } else { stranger }, bytes)
    }

    /// Damages what is inside a start-up packet: the default key, which everybody has, seals it again.
    fn reseal(&mut self, bytes: &mut Vec<u8>) {
        let mut sealed = bytes.clone();
        let Ok(plain) = self.startup.open(&mut sealed) else { return self.damage(bytes) };
        let mut plain = plain.to_vec();
        if self.below(3) == 0 {
            plain.truncate(self.below(plain.len()));
        } else {
            self.damage(&mut plain);
        }
        bytes.clear();
        self.startup.seal(0, &plain, &[plain.len()], bytes, &mut Vec::new());
    }

    /// Changes up to four bytes.
    fn damage(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << self.below(8);
            }
        }
    }

    /// A number below `limit`, or 0.
    fn below(&mut self, limit: usize) -> usize {
        self.chance.u32() as usize % limit.max(1)
    }
}

#[test]
fn a_server_that_was_sent_rubbish_keeps_its_people_and_still_introduces_new_ones() {
    let mut world = World::new();
    let ada = world.join("Ada");
    let (bob, _) = world.join("Bob");
    assert!(world.meet(bob, ada), "Bob and Ada meet");
    let server = world.server;
    let to_server = world.net.address(server);
    let heard = world.net.sent().iter().filter(|sent| sent.to == to_server);
    let seen = heard.map(|sent| (world.net.address(sent.from), sent.bytes.clone())).collect();
    let startup = Flash::server([9; 32]).default_cipher();
    let mut vandal = Vandal { chance: Chance::new([77; 32]), seen, startup };

    let mut most_sessions = 0;
    for _ in 0..RUBBISH {
        let (from, bytes) = vandal.make();
        world.net.inject(server, from, &bytes);
        world.net.run_for(Duration::from_millis(1));
        most_sessions = most_sessions.max(world.service().sessions());
        assert_eq!(world.service().people(), 2, "nobody comes or goes by rubbish");
    }
    assert_eq!(most_sessions, MOST_SESSIONS, "rubbish takes the places that are free, and no more");

    let cai = world.join("Cai");
    let (dee, _) = world.join("Dee");
    assert!(world.meet(dee, cai), "Dee and Cai meet");
    assert_eq!(world.service().people(), 4);
    world.net.run_for(Duration::from_secs(120));
    assert_eq!((world.service().people(), world.service().sessions()), (4, 4), "half-open sessions end");
    let goes = |told: &Told| matches!(told, Told::Person(NodeEvent::Disconnected { .. }));
    assert!(!world.tells(ada.0, goes) && !world.tells(bob, goes), "Ada and Bob were never sent away");
}

/// Conforms: 7016-3.5.1.4-c
#[test]
fn a_server_that_introduces_people_dials_nobody_whose_candidate_it_may_be() {
    let mut world = World::new();
    let ada = world.join("Ada");
    let (bob, _) = world.join("Bob");
    assert!(world.meet(bob, ada), "Bob and Ada meet");
    world.net.run_for(Duration::from_secs(120));
    let mut startup = Flash::server([9; 32]).default_cipher();
    let mut kinds = std::collections::BTreeSet::new();
    for sent in world.net.sent().iter().filter(|sent| sent.from == world.server) {
        if let Ok(plain) = startup.open(&mut sent.bytes.clone()) {
            // Behind the flags.
            kinds.insert(plain[1]);
        }
    }
    // It answers hellos, redirects them, and answers keying; it never sends a hello or keying of its own.
    assert_eq!(kinds.into_iter().collect::<Vec<u8>>(), [0x70, 0x71, 0x78]);
}
