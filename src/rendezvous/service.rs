//! The rendezvous server as a machine: a [`Node`] below, [`Directory`], introductions and [`Admission`] beside it.
//!
//! It answers what is asked by the rules of [`super`]. Introductions and relays are in `introducing`. See `server` for the
//! doer around it.

mod introducing;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use self::introducing::LaterOffers;

use super::admission::{Admission, Ask, Rates};
use super::directory::{Directory, LONGEST_LIST, NoEntry, Person, Visibility};
use super::presence::{MOST_WATCHED, OFFLINE, PresenceChanges, State};
use super::relay::{NotRelayed, Relay, RelayEvent, RelayRules, ServerAddresses};
use crate::amf::Value;
use crate::netconnection::node::{CallToken, ConnectionId, Whose};
use crate::netconnection::{Node, NodeEvent, UserName, tries_relays_last, wants_relay_only};
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Route};

/// What a server tells of the people on it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Offer {
    /// The list of those who chose to be in it, and looking up.
    #[default]
    List,
    /// Looking up only.
    LookUp,
    /// Neither: introductions to whoever has a peer ID.
    Neither,
}

/// What can be changed while it runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// What is told of the people here.
    pub offer: Offer,
    /// How many may be here.
    pub most_people: usize,
    /// How much one address may ask.
    pub rates: Rates,
    /// Whether and how much is relayed. Nothing is without ports ([`PathKind::Lent`]).
    pub relay: RelayRules,
}

impl Default for Rules {
    fn default() -> Self {
        Self { offer: Offer::List, most_people: 4096, rates: Rates::default(), relay: RelayRules::default() }
    }
}

/// What the one who runs the server may want.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServiceCommand {
    /// Goes on by other rules.
    SetRules(Rules),
    /// Sends everybody away: the server is about to stop.
    Close,
}

/// What happened, for logs and counters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServiceEvent {
    /// Somebody came.
    Joined {
        /// Who.
        peer: PeerId,
        /// How many are here now.
        here: usize,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        peer: PeerId,
        /// How many are here now.
        here: usize,
    },
    /// Somebody was not let in.
    Refused {
        /// Who.
        peer: PeerId,
        /// The sentence they got.
        why: String,
    },
    /// A caller was introduced to somebody.
    Introduced,
    /// A hello was left unanswered: for nobody here, or too many from one address.
    HelloIgnored,
    /// A call was refused, because too many came from one address.
    CallRefused,
    /// Two people were introduced without a relay.
    NotRelayed(NotRelayed),
    /// What becomes of pairs that are relayed.
    Relay(RelayEvent),
}

/// The server without its sockets.
pub struct Service {
    node: Node,
    rules: Rules,
    directory: Directory,
    admission: Admission,
    relay: Relay,
    later: LaterOffers,
    /// The sockets that it listens on.
    paths: BTreeMap<PathId, SocketAddr>,
    changes: ListChanges,
    presence: PresenceChanges,
    events: VecDeque<ServiceEvent>,
}

/// Somebody who wants to come in.
struct Asked {
    connection: ConnectionId,
    peer: PeerId,
    proven: bool,
    route: Route,
    properties: Value,
    arguments: Vec<Value>,
}

/// When those who watch the list are told that it changed: at once, then at most once a second.
#[derive(Debug, Default)]
struct ListChanges {
    waiting: bool,
    not_before: Option<Instant>,
}

impl Service {
    /// A server with nobody on it. `node` is an endpoint that accepts sessions.
    pub fn new(node: Node, rules: Rules) -> Self {
        Self {
            node,
            rules,
            directory: Directory::new(rules.most_people),
            admission: Admission::new(rules.rates),
            relay: Relay::new(rules.relay),
            later: LaterOffers::default(),
            paths: BTreeMap::new(),
            changes: ListChanges::default(),
            presence: PresenceChanges::default(),
            events: VecDeque::new(),
        }
    }

    /// Where others reach this server, when it listens on every address of its computer. Needed for relaying.
    pub fn set_addresses(&mut self, addresses: ServerAddresses) {
        self.relay.set_addresses(addresses);
    }

    /// How many are here.
    pub fn people(&self) -> usize {
        self.directory.len()
    }

    /// How many sessions there are, those of nobody in the directory included.
    pub fn sessions(&self) -> usize {
        self.node.sessions()
    }

    /// Bytes held for others below; see [`Node::held_bytes`].
    pub fn held_bytes(&self) -> usize {
        self.node.held_bytes()
    }

    fn on_node_event(&mut self, now: Instant, event: NodeEvent) {
        match event {
            NodeEvent::ConnectRequested { connection, peer, proven, route, properties, arguments } => {
                let asked = Asked { connection, peer, proven, route, properties, arguments };
                match self.try_enter(now, asked) {
                    Ok(()) => self.welcome(now, connection, peer, route),
                    Err(why) => {
                        self.node.reject_connection(now, connection, &why);
                        self.events.push_back(ServiceEvent::Refused { peer, why });
                    }
                }
            }
            NodeEvent::ClientGone { connection } => self.on_gone(now, connection),
            // Whoever has a relay of their own shows it by probing us over it. That we reach them there too, and that it
            // is they, the answer to a probe of ours tells.
            NodeEvent::ProbedFrom { whose: whose @ Whose::Connection(connection), route }
                if self.directory.person(connection).is_some() =>
            {
                self.node.probe(now, whose, &[route]);
            }
            NodeEvent::ProbeAnswered { whose: Whose::Connection(connection), answered } => {
                self.on_proven(now, connection, answered.route.address);
            }
            NodeEvent::PeerInfo { connection, addresses, .. } => {
                self.directory.set_reported(connection, &addresses);
            }
            NodeEvent::RouteChanged { peer, route } => {
                self.directory.set_route(peer, route);
                self.relay.allow(peer, route.address.ip());
            }
            NodeEvent::Called { connection, name, arguments, token } => {
                self.on_call(now, connection, &name, &arguments, token);
            }
            NodeEvent::StreamRequested { stream, .. } => {
                self.node.refuse_stream(now, stream, "This server carries no streams.");
            }
            NodeEvent::HelloForAnother { route, peer, endpoint_discriminator, tag } => {
                let introduced =
                    peer.is_some_and(|peer| self.introduce(now, route, peer, endpoint_discriminator, tag));
                self.events.push_back(if introduced {
                    ServiceEvent::Introduced
                } else {
                    ServiceEvent::HelloIgnored
                });
            }
            // Streams that run, and connections of our own: a rendezvous server has none.
            _ => {}
        }
    }

    fn on_proven(&mut self, now: Instant, connection: ConnectionId, address: SocketAddr) {
        let Some(peer) = self.directory.person(connection).map(|person| person.peer) else { return };
        if self.directory.add_proven(now, connection, address) {
            self.relay.allow(peer, address.ip());
        }
    }

    fn try_enter(&mut self, now: Instant, asked: Asked) -> Result<(), String> {
        let Asked { connection, peer, proven, route, properties, arguments } = asked;
        if !self.admission.admit(now, route.address.ip(), Ask::Connect) {
            return Err("Too many connections from this address. Try again in a minute.".to_owned());
        }
        if !proven {
            return Err("This server needs a peer ID that is proven by a static key.".to_owned());
        }
        let written = arguments.first().and_then(Value::as_str).ok_or("This server needs a name.")?;
        let name = UserName::new(written).map_err(|error| error.to_string())?;
        let mut person = Person::new(peer, name, route);
        person.relay_only = wants_relay_only(&properties);
        person.tries_relays_last = tries_relays_last(&properties);
        match self.directory.enter(connection, person) {
            Ok(None) => Ok(()),
            Ok(Some((older, person))) => {
                self.node.close_connection(now, older);
                self.changes.waiting |= person.visibility == Visibility::Everyone;
                Ok(())
            }
            Err(NoEntry::NameTaken) => Err("Somebody else is connected by this name.".to_owned()),
            Err(NoEntry::Full) => Err("The server is full. Try again later.".to_owned()),
        }
    }

    fn welcome(&mut self, now: Instant, connection: ConnectionId, peer: PeerId, route: Route) {
        let info = [
            ("tincan", Value::Number(PROTOCOL_VERSION)),
            ("address", Value::String(route.address.to_string())),
            ("ports", Value::Array(self.other_ports(route).map(Value::from).collect())),
            ("probes", Value::Boolean(true)),
            ("relays", Value::Boolean(self.relay.is_offered())),
        ];
        let info = info.map(|(name, value)| (name.to_owned(), value)).to_vec();
        self.relay.set_present(now, peer, true);
        self.relay.allow(peer, route.address.ip());
        self.node.accept_connection(now, connection, info);
        self.node.set_keepalive(now, connection, KEEPALIVE, KEEPALIVE);
        self.presence.note_arrival(now, peer);
        self.events.push_back(ServiceEvent::Joined { peer, here: self.directory.len() });
    }

    /// Ports at which the same server answers at the same address: who is seen differently there sits behind a router that
    /// gives each destination another port.
    fn other_ports(&self, route: Route) -> impl Iterator<Item = f64> {
        let here = self.paths.get(&route.via).copied();
        let same =
            move |local: &&SocketAddr| here.is_some_and(|here| here.ip() == local.ip() && here != **local);
        self.paths.values().filter(same).map(|local| f64::from(local.port()))
    }

    fn on_gone(&mut self, now: Instant, connection: ConnectionId) {
        // Nobody, when a newer connection of the same peer has taken its place.
        let Some(person) = self.directory.leave(connection) else { return };
        self.changes.waiting |= person.visibility == Visibility::Everyone;
        self.presence.note(person.peer);
        self.relay.set_present(now, person.peer, false);
        self.events.push_back(ServiceEvent::Left { peer: person.peer, here: self.directory.len() });
    }

    fn on_call(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        name: &str,
        arguments: &[Value],
        token: Option<CallToken>,
    ) {
        let Some(person) = self.directory.person(connection) else { return };
        let from = person.route.address.ip();
        let result = if self.admission.admit(now, from, Ask::Call) {
            self.answer_to(now, connection, name, arguments)
        } else {
            self.events.push_back(ServiceEvent::CallRefused);
            Err(error("Tincan.TooMany", "Too many calls from this address."))
        };
        if let Some(token) = token {
            self.node.answer(now, token, result);
        }
    }

    fn answer_to(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, Value> {
        let argument = arguments.first().and_then(Value::as_str);
        match (name, self.rules.offer) {
            ("lookup", Offer::List | Offer::LookUp) => {
                let found = argument.and_then(|whom| self.directory.look_up(whom));
                found.map(described).ok_or_else(|| error("Tincan.NotFound", "Nobody by that name is here."))
            }
            ("people", Offer::List) => {
                self.directory.watch(connection);
                Ok(Value::Array(self.directory.listed().map(listed).collect()))
            }
            ("watch", Offer::List | Offer::LookUp) => match arguments.first() {
                Some(Value::Array(ids)) => {
                    self.watch(now, connection, ids);
                    Ok(Value::Boolean(true))
                }
                _ => Err(error("Tincan.BadArgument", "Say an array of peer IDs.")),
            },
            ("lookup" | "people" | "watch", _) => {
                Err(error("Tincan.NotOffered", "This server does not tell."))
            }
            ("setVisibility", _) => match argument.and_then(Visibility::from_word) {
                Some(visibility) => {
                    self.changes.waiting |= self.directory.set_visibility(connection, visibility);
                    self.note_presence(connection);
                    Ok(Value::Boolean(true))
                }
                None => Err(error("Tincan.BadArgument", "Say everyone, known or nobody.")),
            },
            ("setState", _) => match argument.and_then(State::from_word) {
                Some(state) => {
                    self.set_state(connection, state);
                    Ok(Value::Boolean(true))
                }
                None => Err(error("Tincan.BadArgument", "Say online, in_call or busy.")),
            },
            ("setRelayOnly", _) => match arguments.first() {
                Some(Value::Boolean(relay_only)) => {
                    self.directory.set_relay_only(connection, *relay_only);
                    Ok(Value::Boolean(true))
                }
                _ => Err(error("Tincan.BadArgument", "Say true or false.")),
            },
            _ => Err(error("NetConnection.Call.Failed", "This server has no such procedure.")),
        }
    }

    fn set_state(&mut self, connection: ConnectionId, state: State) {
        let Some(person) = self.directory.person(connection) else { return };
        let for_everybody = person.state.word_for_everybody() != state.word_for_everybody();
        self.changes.waiting |= for_everybody && person.visibility == Visibility::Everyone;
        if self.directory.set_state(connection, state) {
            self.note_presence(connection);
        }
    }

    fn note_presence(&mut self, connection: ConnectionId) {
        if let Some(person) = self.directory.person(connection) {
            self.presence.note(person.peer);
        }
    }

    /// Somebody watches these from now on, and is told at once of those who are here.
    fn watch(&mut self, now: Instant, connection: ConnectionId, ids: &[Value]) {
        let peers = ids.iter().take(MOST_WATCHED).filter_map(|id| id.as_str()?.parse().ok());
        self.directory.set_watched(connection, peers);
        let Some(person) = self.directory.person(connection) else { return };
        let here = person.watched.iter().filter_map(|peer| Some((*peer, self.directory.state_of(*peer)?)));
        for (peer, state) in here.collect::<Vec<_>>() {
            self.tell_state(now, connection, peer, Some(state));
        }
    }

    fn tell_state(&mut self, now: Instant, to: ConnectionId, peer: PeerId, state: Option<State>) {
        let word = state.map_or(OFFLINE, State::word);
        let arguments = vec![Value::String(peer.to_string()), Value::from(word)];
        self.node.notify(now, to, "presence", arguments);
    }

    /// Tells those who watch what changed; whether there was anything to tell.
    fn tell_changed_states(&mut self, now: Instant) -> bool {
        for peer in self.presence.settled(now) {
            if self.directory.settle(peer) {
                self.presence.note(peer);
            }
        }
        let changed = self.presence.due(now);
        for peer in &changed {
            let state = self.directory.state_of(*peer);
            for watcher in self.directory.watchers_of(*peer).collect::<Vec<_>>() {
                self.tell_state(now, watcher, *peer, state);
            }
        }
        !changed.is_empty()
    }

    fn tell_watchers(&mut self, now: Instant) {
        for connection in self.directory.watchers() {
            self.node.notify(now, connection, "peopleChanged", Vec::new());
        }
    }
}

impl ListChanges {
    fn due(&mut self, now: Instant) -> bool {
        let due = self.waiting && self.not_before.is_none_or(|not_before| not_before <= now);
        if due {
            *self = Self { waiting: false, not_before: Some(now + BETWEEN_CHANGES) };
        }
        due
    }

    fn deadline(&self) -> Option<Instant> {
        self.not_before.filter(|_| self.waiting)
    }
}

impl Machine for Service {
    type Command = ServiceCommand;
    type Event = ServiceEvent;

    fn handle_input(&mut self, now: Instant, input: Input<'_, ServiceCommand>) {
        let input = match input {
            Input::Command(ServiceCommand::SetRules(rules)) => {
                self.rules = rules;
                self.directory.set_most(rules.most_people);
                self.admission.set_rates(rules.rates);
                self.relay.set_rules(now, rules.relay);
                Input::Time
            }
            Input::Command(ServiceCommand::Close) => {
                for connection in self.directory.connections() {
                    self.directory.leave(connection);
                    self.node.close_connection(now, connection);
                }
                Input::Time
            }
            Input::Received(received) => match self.relay.take(now, received) {
                // Nothing for the node: its alarms have inputs of their own.
                Ok(()) => return,
                Err(received) => Input::Received(received),
            },
            Input::PathOpened { path, local, kind: PathKind::Lent } => {
                self.relay.open_port(path, local);
                return;
            }
            Input::PathOpened { path, local, kind } => {
                self.paths.insert(path, local);
                self.relay.note_own(path, local);
                Input::PathOpened { path, local, kind }
            }
            Input::PathClosed { path } => {
                self.paths.remove(&path);
                if self.relay.close_path(now, path) {
                    return;
                }
                Input::PathClosed { path }
            }
            Input::Time => Input::Time,
            Input::Computed(computed) => Input::Computed(computed),
        };
        self.node.handle_input(now, input);
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<ServiceEvent> {
        loop {
            let relay = match self.relay.poll(now, packets) {
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Event(event) => return Output::Event(ServiceEvent::Relay(event)),
                Output::Sleep(until) => until,
            };
            match self.node.poll_output(now, packets) {
                Output::Event(event) => self.on_node_event(now, event),
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Sleep(until) => {
                    if let Some(event) = self.events.pop_front() {
                        return Output::Event(event);
                    }
                    if self.changes.due(now) {
                        self.tell_watchers(now);
                        continue;
                    }
                    if self.tell_changed_states(now) {
                        continue;
                    }
                    if self.make_later_offers(now) {
                        continue;
                    }
                    let (changes, presence) = (self.changes.deadline(), self.presence.deadline());
                    let own = [until, relay, changes, presence, self.later.deadline()];
                    return Output::Sleep(own.into_iter().flatten().min());
                }
            }
        }
    }
}

fn described(person: &Person) -> Value {
    Value::Object(vec![
        ("id".to_owned(), Value::String(person.peer.to_string())),
        ("name".to_owned(), Value::from(person.name.as_str())),
    ])
}

/// As everybody may see them.
fn listed(person: &Person) -> Value {
    let Value::Object(mut properties) = described(person) else { return Value::Null };
    properties.push(("state".to_owned(), Value::from(person.state.word_for_everybody())));
    Value::Object(properties)
}

fn error(code: &str, description: &str) -> Value {
    Value::Object(vec![
        ("level".to_owned(), Value::from("error")),
        ("code".to_owned(), Value::from(code)),
        ("description".to_owned(), Value::from(description)),
    ])
}

/// The bytes that the largest answer, a whole list, may take: IDs, the longest names, and AMF0 around them.
pub const LARGEST_ANSWER: usize = LONGEST_LIST * (64 + 4 * UserName::MOST_CHARACTERS + 48) + 256;

/// What `tincan` says in the answer to `connect`: the calls of [`super`].
const PROTOCOL_VERSION: f64 = 1.0;
/// How often clients show the server and each other that they are there (RFC 7425 §5.3.4). Routers forget a UDP mapping
/// after 30 seconds at the earliest.
pub const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long an answer may be owed: whoever vanishes is asked after [`KEEPALIVE`], and told to be away within half a minute.
pub const VANISH_AFTER: Duration = Duration::from_secs(18);
const BETWEEN_CHANGES: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
