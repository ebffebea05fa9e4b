//! Other ways for a running session: probes, and moving to a better way without a gap.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::{
    Delivery, FlowOptions, MediaRate, Priority, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{PathId, Route};

use crate::support::raw::{PING, PING_REPLY, sent_by};
use crate::support::relayed::{Member, Relayed, add_relay};
use crate::support::scenario::{Net, TRIP, endpoint, send, session_between_ada_and_bob};
use crate::support::virtual_network::Host;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn to(address: SocketAddr) -> Route {
    Route { via: PathId(0), address }
}

/// Two people in a call over a relay, who could reach each other directly.
struct Call {
    net: Relayed,
    ada: Host,
    bob: Host,
    near: SessionKey,
    far: SessionKey,
    direct: Route,
    relayed: Route,
}

/// The direct way takes `direct` each way, the relay so much more.
fn call_over_a_relay(direct: Duration, more: Duration) -> Call {
    let mut net = Relayed::new(direct);
    let person = |name| Member::Person(Box::new(endpoint(name)));
    let (ada, bob) = (net.add(person("ada")), net.add(person("bob")));
    let (_, [for_ada, for_bob]) = {
        let (first, second) = (net.address(ada), net.address(bob));
        add_relay(&mut net, first, second, more)
    };
    for host in [ada, bob] {
        net.with(host, |member, _| [for_ada, for_bob].map(|relay| member.person().note_relay(relay)));
        net.react(host, |member, _, event| {
            if let Event::FlowOpened { session, flow, .. } = event {
                member.person().accept_flow(*session, *flow, Delivery::Arrival);
            }
        });
    }
    let relayed = to(for_ada);
    let near = net
        .with(ada, |member, now| member.person().open_session(now, Bytes::from_static(b"bob"), &[relayed]));
    net.run_for(Duration::from_secs(5));
    let far = net.events(bob).iter().find_map(|(_, event)| match event {
        Event::SessionOpened { session, .. } => Some(*session),
        _ => None,
    });
    let far = far.expect("a session over the relay");
    let direct = net.route_to(bob);
    Call { net, ada, bob, near, far, direct, relayed }
}

impl Call {
    fn sides(&self) -> [(Host, SessionKey); 2] {
        [(self.ada, self.near), (self.bob, self.far)]
    }

    /// Opens a flow for sound, or for pictures, at both ends.
    fn flows(&mut self, priority: Priority) -> [SendFlowId; 2] {
        self.sides().map(|(host, session)| {
            self.net.with(host, |member, _| {
                let options = FlowOptions {
                    metadata: Bytes::from_static(b"test"),
                    priority,
                    time_critical: true,
                    answers: None,
                };
                member.person().open_flow(session, options).expect("an open session")
            })
        })
    }

    /// Writes a message of so many bytes at both ends, beginning with its number.
    fn write(&mut self, flows: [SendFlowId; 2], number: u32, size: usize) {
        for ((host, session), flow) in self.sides().into_iter().zip(flows) {
            let mut bytes = number.to_be_bytes().to_vec();
            bytes.resize(size.max(4), 0);
            self.net.with(host, |member, now| {
                let person = member.person();
                let rate = MediaRate { bytes_per_second: 150_000, leeway: ms(40) };
                person.set_media_rate(now, session, rate);
                let _ = person.write(now, session, flow, bytes.into(), WriteOptions::default());
            });
        }
    }

    /// Talks with pictures for so long: a piece of sound every 20 ms, a picture every 40 ms.
    fn talk(&mut self, from: u32, sound: [SendFlowId; 2], pictures: [SendFlowId; 2], span: Duration) -> u32 {
        let pieces = (span.as_millis() / 20) as u32;
        for number in from..from + pieces {
            self.write(sound, number, 120);
            if number % 2 == 0 {
                self.write(pictures, number, 4_000);
            }
            self.net.run_for(ms(20));
        }
        from + pieces
    }

    /// The numbers of the pieces of sound that an end got, each with its time.
    fn heard(&self, host: Host) -> Vec<(Duration, u32)> {
        let sound = |(at, event): &(Duration, Event)| match event {
            Event::Message { bytes, .. } if bytes.len() == 120 => {
                let number = bytes.first_chunk().map(|number| u32::from_be_bytes(*number))?;
                Some((*at, number))
            }
            _ => None,
        };
        self.net.events(host).iter().filter_map(sound).collect()
    }

    fn pictures(&self, host: Host) -> usize {
        let picture = |(_, event): &&(Duration, Event)| matches!(event, Event::Message { bytes, .. } if bytes.len() == 4_000);
        self.net.events(host).iter().filter(picture).count()
    }

    fn routes(&self) -> [Route; 2] {
        self.sides()
            .map(|(host, session)| self.net.machine(host).endpoint().route(session).expect("an open session"))
    }

    fn are_relayed(&self) -> [bool; 2] {
        let routes = self.routes();
        [(self.ada, routes[0]), (self.bob, routes[1])]
            .map(|(host, route)| self.net.machine(host).endpoint().is_relayed(route))
    }

    fn moves(&self, host: Host) -> usize {
        self.net.events(host).iter().filter(|(_, event)| matches!(event, Event::RouteChanged { .. })).count()
    }

    /// Lets Ada probe a way; how long the answer took, once it is there.
    fn probe(&mut self, route: Route) -> Option<Duration> {
        let near = self.near;
        self.net.with(self.ada, |member, now| member.person().probe(now, near, &[route]));
        self.net.run_for(ms(500));
        self.net.events(self.ada).iter().rev().find_map(|(_, event)| match event {
            Event::ProbeAnswered { route: of, round_trip, .. } if *of == route => Some(*round_trip),
            _ => None,
        })
    }

    fn choose(&mut self, route: Route, round_trip: Duration) {
        let near = self.near;
        self.net.with(self.ada, |member, now| {
            member.person().move_session(now, near, route, Some(round_trip));
        });
    }
}

/// The longest time between two pieces of sound that came one after the other.
fn longest_gap(heard: &[(Duration, u32)]) -> Duration {
    heard.windows(2).map(|two| two[1].0 - two[0].0).max().unwrap_or_default()
}

#[test]
fn a_probe_is_answered_where_it_came_from_and_nobody_moves() {
    let mut call = call_over_a_relay(ms(20), ms(80));
    let before = call.routes();
    assert_eq!(call.probe(call.direct), Some(ms(40)));
    call.net.run_for(Duration::from_secs(10));
    assert_eq!(call.routes(), before);
    assert_eq!(call.are_relayed(), [true, true]);
    let probed = Event::ProbedFrom { session: call.far, route: to(call.net.address(call.ada)) };
    assert!(call.net.told(call.bob, &probed).is_some(), "the probed end knows where to probe back");
    assert_eq!((call.moves(call.ada), call.moves(call.bob)), (0, 0));
}

#[test]
fn a_call_moves_from_a_relay_to_a_direct_way_without_a_gap_or_a_repetition_at_either_end() {
    let mut call = call_over_a_relay(ms(20), ms(120));
    let (sound, pictures) = (call.flows(Priority::Audio), call.flows(Priority::Video));
    let next = call.talk(0, sound, pictures, Duration::from_secs(5));
    let trip = call.probe(call.direct).expect("a direct way");
    call.choose(call.direct, trip);
    let end = call.talk(next, sound, pictures, Duration::from_secs(5));
    call.net.run_for(Duration::from_secs(2));
    assert_eq!(call.are_relayed(), [false, false]);
    assert_eq!((call.moves(call.ada), call.moves(call.bob)), (1, 1), "once, and not back again");
    for (host, session) in call.sides() {
        let heard = call.heard(host);
        let mut numbers: Vec<u32> = heard.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..end).collect::<Vec<u32>>(), "all of it, and once");
        // While nobody spoke the probe was answered: that pause is not one of the way.
        let after: Vec<_> = heard.into_iter().filter(|(_, number)| *number >= next).collect();
        assert!(longest_gap(&after) <= ms(40), "{:?}", longest_gap(&after));
        assert_eq!(call.pictures(host), end as usize / 2);
        let figures = call.net.machine(host).endpoint().figures(call.net.now(), session).expect("figures");
        assert_eq!(figures.fragments_lost, 0, "nothing that was under way counts as lost");
        assert!(figures.round_trip.expect("measured") < ms(60), "{:?}", figures.round_trip);
        assert_eq!(figures.datagram_size, 1200, "the new way was measured anew");
    }
}

#[test]
fn a_way_that_died_meanwhile_is_left_again_within_a_second() {
    let mut call = call_over_a_relay(ms(20), ms(40));
    let (sound, pictures) = (call.flows(Priority::Audio), call.flows(Priority::Video));
    let (other, [for_ada, _]) = {
        let (ada, bob) = (call.net.address(call.ada), call.net.address(call.bob));
        add_relay(&mut call.net, ada, bob, ms(5))
    };
    let next = call.talk(0, sound, pictures, Duration::from_secs(2));
    let trip = call.probe(to(for_ada)).expect("another way");
    call.net.cut(other, true);
    call.choose(to(for_ada), trip);
    call.talk(next, sound, pictures, Duration::from_secs(6));
    call.net.run_for(Duration::from_secs(2));
    assert_eq!(call.routes()[0], call.relayed);
    // Bob's sound never took the dead way.
    let heard = call.heard(call.ada);
    let after: Vec<_> = heard.into_iter().filter(|(_, number)| *number >= next).collect();
    assert!(longest_gap(&after) <= ms(40), "{:?}", longest_gap(&after));
    let heard = call.heard(call.bob);
    let after: Vec<_> = heard.into_iter().filter(|(_, number)| *number >= next).collect();
    assert!(longest_gap(&after) <= ms(1_300), "{:?}", longest_gap(&after));
}

/// Copies of what Ada sent last, given to Bob as if they came from elsewhere.
fn replay(net: &mut Net, ada: Host, bob: Host, since: usize, from: SocketAddr) {
    let copies: Vec<Vec<u8>> =
        net.sent()[since..].iter().filter(|sent| sent.from == ada).map(|sent| sent.bytes.clone()).collect();
    copies.iter().for_each(|bytes| net.inject(bob, from, bytes));
}

#[test]
fn a_probe_that_somebody_catches_and_sends_from_elsewhere_moves_nothing_and_is_answered_with_no_more_than_came()
 {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let attacker = SocketAddr::from(([203, 0, 113, 66], 6666));
    for _ in 0..50 {
        let since = net.sent().len();
        let elsewhere = SocketAddr::from(([192, 0, 2, 9], 9));
        net.with(ada, |endpoint, now| endpoint.probe(now, near, &[to(elsewhere)]));
        replay(&mut net, ada, bob, since, attacker);
        net.run_for(ms(10));
    }
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.machine(bob).route(far).map(|route| route.address), Some(net.address(ada)));
    assert_eq!(net.machine(ada).route(near).map(|route| route.address), Some(net.address(bob)));
    let probes =
        sent_by(&net, ada).into_iter().filter(|seen| seen.payload(PING).is_some_and(|m| m.len() == 32));
    let answers: Vec<_> = sent_by(&net, bob).into_iter().filter(|seen| seen.to == attacker).collect();
    let probes = probes.count();
    assert!(probes <= 22 && answers.len() <= probes, "{probes} {}", answers.len());
    assert!(answers.iter().all(|seen| seen.chunks.len() == 1 && seen.payload(PING_REPLY).is_some()));
    let length =
        |host, to| net.sent().iter().filter(|s| s.from == host && s.to == to).map(|s| s.bytes.len()).max();
    assert!(length(bob, attacker) <= length(ada, SocketAddr::from(([192, 0, 2, 9], 9))));
    // The answers prove nothing either when they come back from there.
    let since = net.sent().iter().position(|sent| sent.to == attacker).expect("an answer");
    let answers: Vec<Vec<u8>> = net.sent()[since..]
        .iter()
        .filter(|sent| sent.to == attacker)
        .map(|sent| sent.bytes.clone())
        .collect();
    answers.iter().for_each(|bytes| net.inject(ada, attacker, bytes));
    assert!(!net.events(ada).iter().any(|(_, event)| matches!(event, Event::ProbeAnswered { .. })));
}

#[test]
fn whoever_is_met_at_a_relay_only_answers_nothing_that_comes_from_elsewhere() {
    let mut call = call_over_a_relay(ms(20), ms(40));
    call.net.with(call.bob, |member, _| member.person().set_relay_only(true));
    let guessed = call.direct;
    call.net.clear_log();
    assert_eq!(call.probe(guessed), None);
    call.choose(guessed, ms(40));
    call.net.run_for(Duration::from_secs(3));
    let from_ada = call.net.address(call.ada);
    assert!(!call.net.sent().iter().any(|sent| sent.from == call.bob && sent.to == from_ada));
    assert!(call.are_relayed()[1]);
}

#[test]
fn without_the_mark_a_ping_from_elsewhere_is_a_sign_that_the_far_end_moved() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let new = net.change_address(ada);
    net.with(ada, |endpoint, now| endpoint.probe(now, near, &[net_route(bob)]));
    net.run_for(Duration::from_secs(1));
    assert_ne!(net.machine(bob).route(far).map(|route| route.address), Some(new), "a probe moves nobody");
    send(&mut net, ada, near, &[Bytes::from_static(b"but this does")]);
    net.run_for(4 * TRIP);
    assert_eq!(net.machine(bob).route(far).map(|route| route.address), Some(new));
}

fn net_route(host: Host) -> Route {
    to(SocketAddr::from(([198, 51, 100, host.0 as u8 + 1], 1935)))
}
