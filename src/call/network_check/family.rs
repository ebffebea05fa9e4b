//! Asking a server over one family of addresses, as a machine.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::amf::Value;
use crate::netconnection::node::ConnectionId;
use crate::netconnection::{Node, NodeEvent};
use crate::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Route};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reach {
    /// Our end of it.
    pub local: Option<SocketAddr>,
    /// Since the first hello: when one was answered.
    pub hello: Option<Duration>,
    /// When the keys were agreed on.
    pub keys: Option<Duration>,
    /// When the server let us in.
    pub connected: Option<Duration>,
    /// What it said instead.
    pub refused: Option<String>,
    /// Where it sees us.
    pub seen_at: Option<SocketAddr>,
    /// Where it sees us at its second port, if it has one.
    pub seen_at_second: Option<SocketAddr>,
    /// Whether it has one.
    pub second_port: Option<u16>,
    /// Whether it is a server of Tincan's.
    pub is_tincan: bool,
    /// Whether it relays.
    pub relays: bool,
}

/// A check of one family of addresses, or of the way over a lent port. It begins with its first path of that kind.
pub struct FamilyCheck {
    begins_with: PathKind,
    node: Node,
    url: String,
    name: String,
    addresses: Vec<SocketAddr>,
    stage: Stage,
    reach: Reach,
    told: VecDeque<Told>,
}

/// How far a check is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Waiting,
    First { path: PathId, connection: ConnectionId, since: Instant },
    Second { connection: ConnectionId, until: Instant },
    Done,
}

/// What a check tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// So much is known by now.
    Step(Box<Reach>),
    /// That is all.
    Done(Box<Reach>),
}

impl FamilyCheck {
    /// `addresses` are the server's of one family, and `node` is nobody known.
    pub fn new(node: Node, url: &str, name: &str, addresses: Vec<SocketAddr>) -> Self {
        Self {
            begins_with: PathKind::Own,
            node,
            url: url.to_owned(),
            name: name.to_owned(),
            addresses,
            stage: Stage::Waiting,
            reach: Reach::default(),
            told: VecDeque::new(),
        }
    }

    /// One that goes over a port that a TURN server lends, to whatever addresses of the server's that leads to.
    pub fn over_lent_port(node: Node, url: &str, name: &str, addresses: Vec<SocketAddr>) -> Self {
        Self { begins_with: PathKind::Relayed, ..Self::new(node, url, name, addresses) }
    }

    fn begin(&mut self, now: Instant, path: PathId, local: SocketAddr) {
        let of_family = self.addresses.iter().filter(|address| address.is_ipv4() == local.is_ipv4());
        let routes: Vec<Route> = of_family.map(|address| Route { via: path, address: *address }).collect();
        if routes.is_empty() {
            return;
        }
        self.reach.local = Some(local);
        let connection = self.connect(now, &routes);
        self.stage = Stage::First { path, connection, since: now };
    }

    fn connect(&mut self, now: Instant, routes: &[Route]) -> ConnectionId {
        self.node.connect(now, &self.url, routes, vec![Value::from(self.name.as_str())])
    }

    /// What can be seen from outside of how far the handshake is.
    fn note_steps(&mut self, now: Instant) {
        let Stage::First { connection, since, .. } = self.stage else { return };
        let passed = Some(now.saturating_duration_since(since));
        let agreed = self.node.connection_figures(now, connection).is_some();
        let greeted = agreed || self.node.stops_at_keys(connection);
        let before = (self.reach.hello, self.reach.keys);
        self.reach.hello = self.reach.hello.or(passed.filter(|_| greeted));
        self.reach.keys = self.reach.keys.or(passed.filter(|_| agreed));
        if before != (self.reach.hello, self.reach.keys) {
            self.told.push_back(Told::Step(Box::new(self.reach.clone())));
        }
    }

    fn on_event(&mut self, now: Instant, event: NodeEvent) {
        match (event, self.stage) {
            (NodeEvent::Connected { connection, info }, Stage::First { path, connection: ours, since })
                if connection == ours =>
            {
                self.note_steps(now);
                self.reach.connected = Some(now.saturating_duration_since(since));
                self.reach.seen_at = address_in(&info);
                self.reach.is_tincan = info.property("tincan").and_then(Value::as_number) >= Some(1.0);
                self.reach.relays = info.property("relays") == Some(&Value::Boolean(true));
                self.told.push_back(Told::Step(Box::new(self.reach.clone())));
                let reached = self.node.connection_route(connection);
                match (reached, second_port_in(&info)) {
                    (Some(reached), Some(port)) => {
                        self.reach.second_port = Some(port);
                        let address = SocketAddr::new(reached.address.ip(), port);
                        // Whoever has a session with somebody opens no other with them.
                        self.node.abort_connection(now, connection);
                        let connection = self.connect(now, &[Route { via: path, address }]);
                        self.stage = Stage::Second { connection, until: now + SECOND_WITHIN };
                    }
                    _ => self.finish(now),
                }
            }
            (NodeEvent::Connected { connection, info }, Stage::Second { connection: ours, .. })
                if connection == ours =>
            {
                self.reach.seen_at_second = address_in(&info);
                self.finish(now);
            }
            (
                NodeEvent::Disconnected { connection, description, .. },
                Stage::First { connection: ours, .. },
            ) if connection == ours => {
                self.reach.refused = self.reach.keys.map(|_| description);
                self.finish(now);
            }
            (NodeEvent::Disconnected { connection, .. }, Stage::Second { connection: ours, .. })
                if connection == ours =>
            {
                self.finish(now);
            }
            _ => {}
        }
    }

    fn finish(&mut self, now: Instant) {
        if let Stage::First { connection, .. } | Stage::Second { connection, .. } = self.stage {
            self.node.close_connection(now, connection);
        }
        self.stage = Stage::Done;
        self.told.push_back(Told::Done(Box::new(self.reach.clone())));
    }

    fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::First { since, .. } => Some(since + FIRST_WITHIN),
            Stage::Second { until, .. } => Some(until),
            Stage::Waiting | Stage::Done => None,
        }
    }
}

impl Machine for FamilyCheck {
    type Command = std::convert::Infallible;
    type Event = Told;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Self::Command>) {
        let opened = match &input {
            Input::PathOpened { path, local, kind } if *kind == self.begins_with => Some((*path, *local)),
            _ => None,
        };
        self.node.handle_input(now, input);
        if let (Some((path, local)), Stage::Waiting) = (opened, self.stage) {
            self.begin(now, path, local);
        }
        self.note_steps(now);
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.finish(now);
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Told> {
        loop {
            return match self.node.poll_output(now, packets) {
                Output::Event(event) => {
                    self.on_event(now, event);
                    continue;
                }
                Output::Transmit(transmit) => Output::Transmit(transmit),
                Output::Compute(job) => Output::Compute(job),
                Output::Sleep(until) => match self.told.pop_front() {
                    Some(told) => Output::Event(told),
                    None => Output::Sleep(until.into_iter().chain(self.deadline()).min()),
                },
            };
        }
    }
}

fn address_in(info: &Value) -> Option<SocketAddr> {
    info.property("address")?.as_str()?.parse().ok()
}

fn second_port_in(info: &Value) -> Option<u16> {
    let Some(Value::Array(ports)) = info.property("ports") else { return None };
    let port = ports.first()?.as_number()?;
    (1.0..=f64::from(u16::MAX)).contains(&port).then_some(port as u16)
}

/// A network without UDP is known as such by then.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
/// The server answers by now; only this port may be shut.
const SECOND_WITHIN: Duration = Duration::from_secs(3);
