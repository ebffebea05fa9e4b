//! The service with real nodes around it, on a network in memory: no loss, ten milliseconds a datagram, virtual time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::*;
use crate::netconnection::StatusCode;
use crate::netconnection::node::{NodeConfig, PlaybackEnd, Whose};
use crate::rtmfp::crypto::flash::{Flash, Identity};
use crate::rtmfp::machine::{Received, Transmit};
use crate::rtmfp::{EndpointConfig, PathId, PathKind};
use std::net::SocketAddr;

struct Datagram {
    at: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// A machine at an address, and what it told.
struct Place<M: Machine> {
    machine: M,
    address: SocketAddr,
    /// Of its second path, if it has one.
    second: Option<SocketAddr>,
    deadline: Option<Instant>,
    told: Vec<M::Event>,
}

struct World {
    now: Instant,
    server: Place<Service>,
    people: Vec<Place<Node>>,
    wire: VecDeque<Datagram>,
}

impl<M: Machine> Place<M> {
    fn new(machine: M, address: &str) -> Self {
        Self { machine, address: address.parse().unwrap(), second: None, deadline: None, told: Vec::new() }
    }

    fn tell(&mut self, now: Instant, input: Input<'_, M::Command>, wire: &mut VecDeque<Datagram>) {
        self.machine.handle_input(now, input);
        self.drain(now, wire);
    }

    fn drain(&mut self, now: Instant, wire: &mut VecDeque<Datagram>) {
        let mut packets = Vec::new();
        loop {
            match self.machine.poll_output(now, &mut packets) {
                Output::Transmit(Transmit { route, segment_size, .. }) => {
                    let from = if route.via == PathId(0) { Some(self.address) } else { self.second };
                    let datagrams = packets.chunks(segment_size).map(|bytes| Datagram {
                        at: now + Duration::from_millis(10),
                        from: from.expect("a path"),
                        to: route.address,
                        bytes: bytes.to_vec(),
                    });
                    wire.extend(datagrams);
                }
                Output::Compute(job) => self.machine.handle_input(now, Input::Computed(job.run())),
                Output::Event(event) => self.told.push(event),
                Output::Sleep(until) => {
                    self.deadline = until;
                    return;
                }
            }
        }
    }

    fn take(&mut self, now: Instant, datagram: &mut Datagram, wire: &mut VecDeque<Datagram>) {
        let paths = [Some(self.address), self.second];
        if let Some(path) = paths.iter().position(|own| *own == Some(datagram.to)) {
            let route = Route { via: PathId(path as u32), address: datagram.from };
            let segment_size = datagram.bytes.len();
            let received = Received { route, ecn: None, segment_size, bytes: &mut datagram.bytes };
            self.tell(now, Input::Received(received), wire);
        }
    }

    fn wake(&mut self, now: Instant, wire: &mut VecDeque<Datagram>) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.tell(now, Input::Time, wire);
        }
    }
}

const SERVER: &str = "192.0.2.1:1935";

impl World {
    fn new(rules: Rules) -> Self {
        let now = Instant::now();
        let mut endpoint = EndpointConfig::new(Arc::new(Flash::server([1; 32])), [2; 32]);
        (endpoint.keepalive, endpoint.vanish_after) = (KEEPALIVE, VANISH_AFTER);
        let node = Node::new(NodeConfig { endpoint, most_peer_connections: 0 });
        let mut server = Place::new(Service::new(node, rules), SERVER);
        let mut wire = VecDeque::new();
        let local = server.address;
        server.tell(now, Input::PathOpened { path: PathId(0), local, kind: PathKind::Own }, &mut wire);
        Self { now, server, people: Vec::new(), wire }
    }

    /// Somebody whose key comes from `key`, at an address of their own.
    fn add(&mut self, key: u8) -> usize {
        let number = self.people.len();
        let identity = Identity::generate([key; 32]);
        let seed = [100 + u8::try_from(number).unwrap(); 32];
        let endpoint = EndpointConfig {
            open_within: Duration::from_secs(20),
            ..EndpointConfig::new(Arc::new(Flash::peer(identity)), seed)
        };
        let node = Node::new(NodeConfig { endpoint, most_peer_connections: 8 });
        let mut place = Place::new(node, &format!("203.0.113.{}:4000", number + 1));
        let local = place.address;
        place.tell(
            self.now,
            Input::PathOpened { path: PathId(0), local, kind: PathKind::Own },
            &mut self.wire,
        );
        self.people.push(place);
        number
    }

    fn join(&mut self, key: u8, name: &str) -> (usize, ConnectionId) {
        let who = self.add(key);
        let server = Route { via: PathId(0), address: SERVER.parse().unwrap() };
        let arguments = vec![Value::from(name)];
        let connection =
            self.with(who, |node, now| node.connect(now, "rtmfp://192.0.2.1/", &[server], arguments));
        self.run(Duration::from_secs(2));
        (who, connection)
    }

    fn with<T>(&mut self, who: usize, ask: impl FnOnce(&mut Node, Instant) -> T) -> T {
        let place = &mut self.people[who];
        let answer = ask(&mut place.machine, self.now);
        place.drain(self.now, &mut self.wire);
        answer
    }

    fn call(
        &mut self,
        (who, connection): (usize, ConnectionId),
        name: &str,
        argument: Option<&str>,
    ) -> Result<Vec<Value>, Vec<Value>> {
        let arguments = argument.into_iter().map(Value::from).collect();
        let asked = self.with(who, |node, now| node.call(now, connection, name, arguments));
        self.run(Duration::from_secs(1));
        let answers = self.people[who].told.iter().rev();
        answers
            .filter_map(|event| match event {
                NodeEvent::Answered { token, result } if *token == asked => Some(result.clone()),
                _ => None,
            })
            .next()
            .expect("an answer within a second")
    }

    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 100_000, "the network never comes to rest");
            let deadlines = self.people.iter().map(|place| place.deadline).chain([self.server.deadline]);
            let next = deadlines.flatten().chain(self.wire.front().map(|datagram| datagram.at)).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = next.max(self.now);
            while self.wire.front().is_some_and(|datagram| datagram.at <= self.now) {
                let mut datagram = self.wire.pop_front().expect("there is one");
                self.server.take(self.now, &mut datagram, &mut self.wire);
                for place in &mut self.people {
                    place.take(self.now, &mut datagram, &mut self.wire);
                }
            }
            self.server.wake(self.now, &mut self.wire);
            for place in &mut self.people {
                place.wake(self.now, &mut self.wire);
            }
        }
        self.now = until;
    }

    /// What the server told of itself.
    fn info_of(&self, who: usize) -> Value {
        let told = self.people[who].told.iter().find_map(|event| match event {
            NodeEvent::Connected { info, .. } => Some(info.clone()),
            _ => None,
        });
        told.expect("connected")
    }

    fn refusal_of(&self, who: usize) -> String {
        let refused = self.people[who].told.iter().find_map(|event| match event {
            NodeEvent::Disconnected { code: StatusCode::ConnectRejected, description, .. } => {
                Some(description.clone())
            }
            _ => None,
        });
        refused.expect("refused")
    }

    fn is_connected(&self, who: usize) -> bool {
        let told = &self.people[who].told;
        told.iter().any(|event| matches!(event, NodeEvent::Connected { .. }))
            && !told.iter().any(|event| matches!(event, NodeEvent::Disconnected { .. }))
    }

    fn changes_told_to(&self, who: usize) -> usize {
        let told = self.people[who].told.iter();
        told.filter(|event| matches!(event, NodeEvent::Called { name, .. } if name == "peopleChanged"))
            .count()
    }
}

impl World {
    fn watch(&mut self, (who, connection): (usize, ConnectionId), peers: &[u8]) {
        let ids = peers.iter().map(|key| Value::String(peer_of(*key).to_string())).collect();
        self.with(who, |node, now| node.notify(now, connection, "watch", vec![Value::Array(ids)]));
        self.run(Duration::from_secs(1));
    }

    /// The states of one peer as they were told to somebody.
    fn states_told_to(&self, who: usize, of: u8) -> Vec<&str> {
        let of = peer_of(of).to_string();
        let told = self.people[who].told.iter().filter_map(|event| match event {
            NodeEvent::Called { name, arguments, .. } if name == "presence" => {
                let is_it = arguments[0].as_str() == Some(of.as_str());
                is_it.then(|| arguments[1].as_str().expect("a word"))
            }
            _ => None,
        });
        told.collect()
    }
}

fn peer_of(key: u8) -> PeerId {
    Identity::generate([key; 32]).peer_id()
}

fn text<'a>(value: &'a Value, property: &str) -> &'a str {
    value.property(property).and_then(Value::as_str).expect("a text by that name")
}

#[test]
fn a_name_finds_a_peer_id_and_nobody_is_an_error() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    world.join(2, "Bob");
    let found = world.call(ada, "lookup", Some("bob")).unwrap();
    assert_eq!(text(&found[0], "id"), peer_of(2).to_string());
    assert_eq!(text(&found[0], "name"), "Bob");
    let missing = world.call(ada, "lookup", Some("Cleo")).unwrap_err();
    assert_eq!(text(&missing[0], "code"), "Tincan.NotFound");
}

#[test]
fn the_answer_to_connect_says_what_server_this_is() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    let info = world.info_of(ada);
    assert_eq!(info.property("tincan").and_then(Value::as_number), Some(1.0));
}

#[test]
fn the_answer_to_connect_says_where_one_is_seen_and_how_to_find_out_more() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    let info = world.info_of(ada);
    assert_eq!(info.property("address").and_then(Value::as_str), Some("203.0.113.1:4000"));
    assert_eq!(info.property("ports"), Some(&Value::Array(vec![])));
    assert_eq!(info.property("relays"), Some(&Value::Boolean(false)));

    for (path, local, kind) in [
        (1, "192.0.2.1:1936", PathKind::Own),
        (2, "[2001:db8::1]:1937", PathKind::Own),
        (3, "192.0.2.1:1938", PathKind::Lent),
    ] {
        let opened = Input::PathOpened { path: PathId(path), local: local.parse().unwrap(), kind };
        world.server.tell(world.now, opened, &mut world.wire);
    }
    let (bob, _) = world.join(2, "Bob");
    let info = world.info_of(bob);
    assert_eq!(info.property("ports"), Some(&Value::Array(vec![1936.0.into()])));
    assert_eq!(info.property("relays"), Some(&Value::Boolean(true)));
}

#[test]
fn a_taken_name_is_refused_with_a_sentence() {
    let mut world = World::new(Rules::default());
    world.join(1, "Ada");
    let (second, _) = world.join(2, "ADA");
    assert_eq!(world.refusal_of(second), "Somebody else is connected by this name.");
    assert_eq!(world.server.machine.people(), 1);
}

#[test]
fn a_malformed_name_is_refused_with_a_sentence() {
    let mut world = World::new(Rules::default());
    let (who, _) = world.join(1, "a\u{202E}b");
    assert_eq!(world.refusal_of(who), "A name has no invisible characters.");
}

#[test]
fn the_same_peer_coming_back_replaces_its_older_session() {
    let mut world = World::new(Rules::default());
    let (older, _) = world.join(1, "Ada");
    let (newer, _) = world.join(1, "Ada");
    assert!(world.is_connected(newer));
    assert!(!world.is_connected(older));
    assert_eq!(world.server.machine.people(), 1);
}

#[test]
fn introductions_and_states_go_to_the_newer_session_at_once() {
    let mut world = World::new(Rules::default());
    let (older, _) = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    world.watch(bob, &[1]);
    world.run(Duration::from_secs(3));
    // The program was started anew, and what is left of the old one cannot be reached to be told so.
    world.people[older].address = "203.0.113.99:9".parse().unwrap();
    let newer = world.join(1, "Ada");
    world.with(bob.0, |node, now| node.play_direct(now, peer_of(1), "line", &[]));
    world.call(newer, "setState", Some("in_call")).unwrap();
    world.run(Duration::from_secs(1));
    let asked = |who: usize| {
        let told = world.people[who].told.iter();
        told.filter(|event| matches!(event, NodeEvent::PeerConnect { .. })).count()
    };
    assert_eq!((asked(older), asked(newer.0)), (0, 1));
    assert_eq!(world.states_told_to(bob.0, 1), ["online", "in_call"], "nobody was away");
}

const LONGEST_GHOST: Duration = Duration::from_secs(30);

#[test]
fn whoever_vanished_is_offline_for_those_who_watch_within_half_a_minute() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    world.watch(bob, &[1]);
    world.run(Duration::from_secs(40));
    let vanished = world.now;
    // Neither reached nor heard any more.
    world.people[ada].address = "203.0.113.99:9".parse().unwrap();
    world.people[ada].deadline = None;
    while !world.states_told_to(bob.0, 1).contains(&"offline") && world.now - vanished < 2 * LONGEST_GHOST {
        world.run(Duration::from_millis(500));
    }
    let seen_for = world.now - vanished;
    assert!(seen_for < LONGEST_GHOST, "a ghost for {seen_for:?}");
}

#[test]
fn of_whoever_wants_relays_only_nothing_is_told_where_there_is_none() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    // Bob says so as he comes, and Cleo once she is there.
    let bob = world.add(2);
    world.with(bob, |node, now| node.set_relay_only(now, true));
    let server = Route { via: PathId(0), address: SERVER.parse().unwrap() };
    world.with(bob, |node, now| node.connect(now, "rtmfp://192.0.2.1/", &[server], vec!["Bob".into()]));
    let (cleo, _) = world.join(3, "Cleo");
    world.with(cleo, |node, now| node.set_relay_only(now, true));
    world.run(Duration::from_secs(1));
    for whom in [2, 3] {
        world.with(ada, |node, now| node.play_direct(now, peer_of(whom), "line", &[]));
    }
    world.run(Duration::from_secs(3));
    let introduced = |world: &World| world.server.told.contains(&ServiceEvent::Introduced);
    assert!(!introduced(&world) && world.server.told.contains(&ServiceEvent::HelloIgnored));

    world.with(cleo, |node, now| node.set_relay_only(now, false));
    world.run(Duration::from_secs(10));
    assert!(introduced(&world), "she does not mind any more");
}

#[test]
fn whoever_wants_relays_only_does_not_show_a_second_address_when_calling() {
    let introduced = |relay_only: bool| {
        let mut world = World::new(Rules::default());
        world.join(1, "Ada");
        let bob = world.add(2);
        let now = world.now;
        let addresses: [SocketAddr; 2] =
            ["[2001:db8::1]:1935", "[2001:db8:2::2]:4000"].map(|at| at.parse().unwrap());
        let [server, own] = addresses;
        let opened = |local| Input::PathOpened { path: PathId(1), local, kind: PathKind::Own };
        world.server.second = Some(server);
        world.server.tell(now, opened(server), &mut world.wire);
        world.people[bob].second = Some(own);
        let opened = Input::PathOpened { path: PathId(1), local: own, kind: PathKind::Own };
        world.people[bob].tell(now, opened, &mut world.wire);
        let routes = [(0, SERVER.parse().unwrap()), (1, server)]
            .map(|(path, address)| Route { via: PathId(path), address });
        world.with(bob, |node, now| node.set_relay_only(now, relay_only));
        world.with(bob, |node, now| {
            node.connect(now, "rtmfp://192.0.2.1/", &routes, vec!["Bob".into()]);
        });
        world.run(Duration::from_secs(2));
        world.with(bob, |node, now| {
            node.play_direct(now, peer_of(1), "line", &[]);
        });
        world.run(Duration::from_secs(3));
        world.server.told.contains(&ServiceEvent::Introduced)
    };
    assert!(introduced(false));
    assert!(!introduced(true));
}

#[test]
fn a_relay_of_ones_own_is_told_of_once_it_is_proven() {
    let mut world = World::new(Rules::default());
    let (ada, connection) = world.join(1, "Ada");
    let relay = "198.51.100.77:6000".parse().unwrap();
    world.people[ada].second = Some(relay);
    let opened = Input::PathOpened { path: PathId(1), local: relay, kind: PathKind::Relayed };
    world.people[ada].tell(world.now, opened, &mut world.wire);
    let server = Route { via: PathId(1), address: SERVER.parse().unwrap() };
    world.with(ada, |node, now| node.probe(now, Whose::Connection(connection), &[server]));
    world.run(Duration::from_secs(1));
    let (_, person) = world.server.machine.directory.introducible(peer_of(1)).expect("here");
    assert_eq!(person.route.address.to_string(), "203.0.113.1:4000");
    let proven: Vec<_> = person.proven.iter().map(|(address, _)| *address).collect();
    assert_eq!(proven, [relay]);
}

#[test]
fn a_caller_is_introduced_and_reaches_the_other_directly() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    let (bob, _) = world.join(2, "Bob");
    world.with(ada, |node, now| node.play_direct(now, peer_of(2), "line", &[]));
    world.run(Duration::from_secs(3));
    assert!(world.server.told.contains(&ServiceEvent::Introduced));
    let asked = world.people[bob].told.iter().any(
        |event| matches!(event, NodeEvent::PeerConnect { name, peer, .. } if name == "line" && *peer == peer_of(1)),
    );
    assert!(asked, "{:?}", world.people[bob].told);
}

#[test]
fn nobody_by_that_peer_id_is_met_with_silence() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    world.with(ada, |node, now| node.play_direct(now, PeerId([9; 32]), "line", &[]));
    world.run(Duration::from_secs(60));
    assert!(world.server.told.contains(&ServiceEvent::HelloIgnored));
    let ended = world.people[ada].told.iter().any(
        |event| matches!(event, NodeEvent::PlaybackEnded { end, .. } if *end == PlaybackEnd::Unreachable),
    );
    assert!(ended);
}

#[test]
fn whoever_chose_nobody_is_found_by_nobody_and_introduced_to_who_has_the_peer_id() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    world.call(bob, "setVisibility", Some("nobody")).unwrap();
    assert!(world.call(ada, "lookup", Some("Bob")).is_err());
    assert!(world.call(ada, "lookup", Some(&peer_of(2).to_string())).is_err());
    world.with(ada.0, |node, now| node.play_direct(now, peer_of(2), "line", &[]));
    world.run(Duration::from_secs(5));
    assert!(world.server.told.contains(&ServiceEvent::Introduced));
}

#[test]
fn the_list_holds_who_chose_it_and_watchers_hear_of_changes_once_a_second() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    assert_eq!(world.call(ada, "people", None).unwrap(), [Value::Array(Vec::new())]);
    for word in ["everyone", "known", "everyone", "known", "everyone"] {
        let arguments = vec![Value::from(word)];
        world.with(bob.0, |node, now| node.notify(now, bob.1, "setVisibility", arguments));
    }
    world.run(Duration::from_secs(3));
    assert_eq!(world.changes_told_to(ada.0), 2, "at the first change, and a second later");
    assert_eq!(world.changes_told_to(bob.0), 0, "never asked");
    let list = world.call(ada, "people", None).unwrap();
    let Value::Array(people) = &list[0] else { panic!("{list:?}") };
    assert_eq!(people.len(), 1);
    assert_eq!(text(&people[0], "name"), "Bob");
}

#[test]
fn a_server_that_does_not_list_says_so() {
    let mut world = World::new(Rules { offer: Offer::LookUp, ..Rules::default() });
    let ada = world.join(1, "Ada");
    let refused = world.call(ada, "people", None).unwrap_err();
    assert_eq!(text(&refused[0], "code"), "Tincan.NotOffered");
    assert!(world.call(ada, "lookup", Some("Ada")).is_ok());
}

#[test]
fn whoever_falls_silent_is_forgotten() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    assert_eq!(world.server.machine.people(), 1);
    world.people.remove(ada);
    world.run(Duration::from_secs(60));
    assert_eq!(world.server.machine.people(), 0);
    assert!(world.server.told.contains(&ServiceEvent::Left { peer: peer_of(1), here: 0 }));
}

#[test]
fn closing_says_goodbye_to_everybody() {
    let mut world = World::new(Rules::default());
    let (ada, _) = world.join(1, "Ada");
    let now = world.now;
    world.server.tell(now, Input::Command(ServiceCommand::Close), &mut world.wire);
    world.run(Duration::from_secs(2));
    assert!(!world.is_connected(ada));
}

#[test]
fn changes_are_told_at_once_and_then_once_a_second() {
    let start = Instant::now();
    let mut changes = ListChanges::default();
    assert!(!changes.due(start));
    changes.waiting = true;
    assert!(changes.due(start));
    changes.waiting = true;
    let soon = start + Duration::from_millis(10);
    assert!(!changes.due(soon));
    assert_eq!(changes.deadline(), Some(start + BETWEEN_CHANGES));
    assert!(changes.due(start + BETWEEN_CHANGES));
    assert_eq!(changes.deadline(), None);
}

#[test]
fn who_watches_a_peer_id_hears_what_they_do_until_they_leave() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    world.watch(ada, &[2, 9]);
    assert_eq!(world.states_told_to(ada.0, 2), ["online"], "at once, of those who are here");
    world.call(bob, "setState", Some("in_call")).unwrap();
    world.call(bob, "setState", Some("busy")).unwrap();
    world.with(bob.0, |node, now| node.close_connection(now, bob.1));
    world.run(Duration::from_secs(2));
    assert_eq!(world.states_told_to(ada.0, 2), ["online", "in_call", "busy", "offline"]);
    assert!(world.states_told_to(ada.0, 9).is_empty());
    assert!(world.states_told_to(bob.0, 1).is_empty(), "never asked");
}

#[test]
fn who_hides_is_offline_for_those_who_watch() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    world.watch(ada, &[2]);
    world.call(bob, "setVisibility", Some("nobody")).unwrap();
    world.call(bob, "setState", Some("in_call")).unwrap();
    assert_eq!(world.states_told_to(ada.0, 2), ["online", "offline", "offline"]);
    world.call(bob, "setVisibility", Some("known")).unwrap();
    assert_eq!(world.states_told_to(ada.0, 2).last(), Some(&"in_call"));
}

#[test]
fn the_list_says_who_is_not_to_be_disturbed_and_not_who_is_talking() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    let bob = world.join(2, "Bob");
    world.call(bob, "setVisibility", Some("everyone")).unwrap();
    let state = |world: &mut World| {
        let list = world.call(ada, "people", None).unwrap();
        let Value::Array(people) = &list[0] else { panic!("{list:?}") };
        text(&people[0], "state").to_owned()
    };
    world.call(bob, "setState", Some("in_call")).unwrap();
    assert_eq!(state(&mut world), "online");
    let before = world.changes_told_to(ada.0);
    world.call(bob, "setState", Some("busy")).unwrap();
    world.run(Duration::from_secs(1));
    assert_eq!(world.changes_told_to(ada.0), before + 1);
    assert_eq!(state(&mut world), "busy");
}

#[test]
fn a_server_that_tells_nothing_tells_no_states() {
    let mut world = World::new(Rules { offer: Offer::Neither, ..Rules::default() });
    let ada = world.join(1, "Ada");
    world.join(2, "Bob");
    let refused = world.call(ada, "watch", None).unwrap_err();
    assert_eq!(text(&refused[0], "code"), "Tincan.NotOffered");
    world.watch(ada, &[2]);
    assert!(world.states_told_to(ada.0, 2).is_empty());
}

#[test]
fn the_longest_watch_fits_through() {
    let mut world = World::new(Rules::default());
    let ada = world.join(1, "Ada");
    world.join(2, "Bob");
    let mut ids: Vec<Value> = (0..MOST_WATCHED - 1)
        .map(|number| Value::String(PeerId([u8::try_from(number % 200).unwrap() + 50; 32]).to_string()))
        .collect();
    ids.push(Value::String(peer_of(2).to_string()));
    world.with(ada.0, |node, now| node.notify(now, ada.1, "watch", vec![Value::Array(ids)]));
    world.run(Duration::from_secs(5));
    assert_eq!(world.states_told_to(ada.0, 2), ["online"]);
}
