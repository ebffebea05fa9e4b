//! Relayed addresses are tried last, and alone where somebody wants to be seen over relays only (RFC 7016 §2.1.5).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::{AddressOrigin, ForwardedHello, KnownAddress, SessionKey};
use tincan::rtmfp::machine::{PathId, Route};

use crate::support::relayed::{Member, Relayed, add_relay};
use crate::support::scenario::{TRIP, endpoint};
use crate::support::virtual_network::Host;
use crate::support::virtual_router::RouterKind;

/// Ada dials Bob through Carol, who tells each where the other is and the two ports of a relay.
struct Introduced {
    net: Relayed,
    ada: Host,
    bob: Host,
    relay: Host,
    began: Duration,
    near: SessionKey,
}

/// Who wants to be seen over relays only.
#[derive(Clone, Copy, Default)]
struct RelayOnly {
    ada: bool,
    bob: bool,
}

fn introduced(kind: RouterKind, with_relay: bool, relay_only: RelayOnly) -> Introduced {
    introduced_with_loss(kind, with_relay, relay_only, &[])
}

/// The same where these datagrams are lost, counted from Ada's dialling.
fn introduced_with_loss(
    kind: RouterKind,
    with_relay: bool,
    relay_only: RelayOnly,
    lost: &[usize],
) -> Introduced {
    let mut net = Relayed::new(TRIP);
    let person = |name| Member::Person(Box::new(endpoint(name)));
    let carol = net.add(person("carol"));
    let (adas, bobs) = (net.add_router(kind), net.add_router(kind));
    let (ada, bob) = (net.add_behind(adas, person("ada")), net.add_behind(bobs, person("bob")));
    net.with(ada, |member, _| member.person().set_relay_only(relay_only.ada));
    net.with(bob, |member, _| member.person().set_relay_only(relay_only.bob));
    let at_carol = net.route_to(carol);
    let dial = |net: &mut Relayed, host, name: &'static [u8]| {
        net.with(host, |member, now| member.person().open_session(now, Bytes::from_static(name), &[at_carol]))
    };
    // Both are known to Carol, and their routers keep the same port for everybody or not, as they do.
    for host in [ada, bob] {
        let with_carol = dial(&mut net, host, b"carol");
        net.run_for(Duration::from_secs(2));
        net.with(host, |member, _| {
            member.person().set_forwarded_hello(with_carol, ForwardedHello::Answer);
        });
    }
    let sessions: Vec<(SessionKey, SocketAddr)> = net
        .events(carol)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::SessionOpened { session, route, .. } => Some((*session, route.address)),
            _ => None,
        })
        .collect();
    let [(_, adas_address), (with_bob, bobs_address)] = sessions[..] else { panic!("two clients") };
    let (relay, [for_ada, for_bob]) = add_relay(&mut net, adas_address, bobs_address, TRIP);
    net.react(carol, move |member, now, event| {
        if let Event::HelloForAnother { route, endpoint_discriminator, tag } = event {
            let known = |address, origin| KnownAddress { address, origin };
            let person = member.person();
            let mut known_of_bob = vec![known(bobs_address, AddressOrigin::Observed)];
            if with_relay {
                known_of_bob.insert(0, known(for_ada, AddressOrigin::Relay));
            }
            person.redirect(*route, tag, &known_of_bob);
            if with_relay {
                let relay = known(for_bob, AddressOrigin::Relay);
                person.forward_hello(now, with_bob, endpoint_discriminator, relay, tag);
            }
            let observed = known(route.address, AddressOrigin::Observed);
            person.forward_hello(now, with_bob, endpoint_discriminator, observed, tag);
        }
    });
    net.take_events(bob);
    net.clear_log();
    lost.iter().for_each(|n| net.lose(*n));
    let began = net.elapsed();
    let near = dial(&mut net, ada, b"bob");
    net.run_for(Duration::from_secs(10));
    Introduced { net, ada, bob, relay, began, near }
}

impl Introduced {
    /// When the session was up at Ada's, counted from her dialling.
    fn up_after(&self) -> Option<Duration> {
        self.net.events(self.ada).iter().find_map(|(at, event)| match event {
            Event::SessionOpened { session, .. } if *session == self.near => Some(*at - self.began),
            _ => None,
        })
    }

    /// Whether each end says that the session leads over a relay.
    fn are_relayed(&self) -> [bool; 2] {
        let far = self.net.events(self.bob).iter().find_map(|(_, event)| match event {
            Event::SessionOpened { session, .. } => Some(*session),
            _ => None,
        });
        let of = |host, session| {
            let endpoint = self.net.machine(host).endpoint();
            endpoint.is_relayed(endpoint.route(session).expect("an open session"))
        };
        [of(self.ada, self.near), of(self.bob, far.expect("a session"))]
    }

    /// Datagrams that the two sent to each other's router, or to anybody but Carol and the relay.
    fn sent_directly(&self) -> usize {
        let is_direct = |to: SocketAddr| to.ip().to_string().starts_with("203.0.113.");
        self.net
            .sent()
            .iter()
            .filter(|sent| [self.ada, self.bob].contains(&sent.from) && is_direct(sent.to))
            .count()
    }
}

#[test]
fn a_direct_way_wins_where_there_is_one_although_a_relay_was_named_first() {
    let call = introduced(RouterKind::PORT_RESTRICTED, true, RelayOnly::default());
    assert_eq!(call.are_relayed(), [false, false]);
    // Hello, Redirect and forwarded hello, answer; keying; the first packet.
    assert!(call.up_after().expect("up") <= TRIP * 9, "{:?}", call.up_after());
    assert!(
        !call
            .net
            .sent()
            .iter()
            .any(|sent| sent.from == call.relay && sent.at < call.began + Duration::from_millis(200))
    );
}

#[test]
fn a_direct_way_wins_also_when_the_first_packets_on_it_are_lost() {
    let introduced =
        |lost: &[usize]| introduced_with_loss(RouterKind::PORT_RESTRICTED, true, RelayOnly::default(), lost);
    let smooth = introduced(&[]);
    let first_of = |from: Host| {
        let mut sent = smooth.net.sent().iter();
        let directly =
            sent.position(|sent| sent.from == from && sent.to.ip().to_string().starts_with("203.0.113."));
        directly.expect("something is sent directly")
    };
    let call = introduced(&[smooth.ada, smooth.bob].map(first_of));
    assert_eq!(call.are_relayed(), [false, false]);
    let later = call.up_after().expect("up") - smooth.up_after().expect("up");
    assert!((Duration::from_millis(100)..=Duration::from_millis(200)).contains(&later), "{later:?}");
}

#[test]
fn a_relay_carries_what_no_direct_way_does_a_fifth_of_a_second_later() {
    let call = introduced(RouterKind::SYMMETRIC, true, RelayOnly::default());
    assert_eq!(call.are_relayed(), [true, true]);
    let up = call.up_after().expect("up");
    // A relayed trip is twice as long as another one here.
    assert!(up <= TRIP * 2 + TRIP * 2 * 6 + Duration::from_millis(250), "{up:?}");
}

#[test]
fn with_relays_only_neither_end_writes_to_the_other_directly() {
    for relay_only in [RelayOnly { ada: true, bob: true }, RelayOnly { ada: true, bob: false }] {
        let call = introduced(RouterKind::OPEN, true, relay_only);
        assert_eq!(call.are_relayed(), [true, true]);
        if relay_only.bob {
            assert_eq!(call.sent_directly(), 0);
        } else {
            let from_ada = call.net.sent().iter().filter(|sent| sent.from == call.ada);
            assert!(from_ada.into_iter().all(|sent| !sent.to.ip().to_string().starts_with("203.0.113.")));
        }
    }
}

#[test]
fn whoever_wants_relays_only_is_not_found_where_there_is_none() {
    for relay_only in [RelayOnly { ada: true, bob: false }, RelayOnly { ada: false, bob: true }] {
        let call = introduced(RouterKind::OPEN, false, relay_only);
        assert_eq!(call.up_after(), None);
    }
}

#[test]
fn whoever_wants_relays_only_answers_no_stranger_who_guessed_the_address() {
    let mut net = Relayed::new(TRIP);
    let person = |name| Member::Person(Box::new(endpoint(name)));
    let (ada, bob) = (net.add(person("ada")), net.add(person("bob")));
    net.with(bob, |member, _| member.person().set_relay_only(true));
    let at_bob = net.route_to(bob);
    net.with(ada, |member, now| member.person().open_session(now, Bytes::from_static(b"bob"), &[at_bob]));
    net.run_for(Duration::from_secs(10));
    assert!(!net.sent().iter().any(|sent| sent.from == bob));
}

#[test]
fn a_lent_port_of_ours_is_tried_beside_our_own_and_after_it() {
    use tincan::rtmfp::machine::{Input, Machine, Output, PathKind};
    let mut ada = endpoint("ada");
    let now = std::time::Instant::now();
    let open = |ada: &mut tincan::rtmfp::Endpoint, path, address: [u8; 4], kind| {
        let local = SocketAddr::from((address, 1935));
        ada.handle_input(now, Input::PathOpened { path: PathId(path), local, kind });
    };
    open(&mut ada, 0, [10, 0, 0, 2], PathKind::Own);
    open(&mut ada, 1, [198, 51, 100, 9], PathKind::Relayed);
    let bob = SocketAddr::from(([203, 0, 113, 7], 1935));
    let ways = ada.ways_to(bob);
    assert_eq!(ways.iter().map(|way| way.via).collect::<Vec<_>>(), [PathId(0), PathId(1)]);
    ada.open_session(now, Bytes::from_static(b"bob"), &ways);
    let mut sent = Vec::new();
    let mut packets = Vec::new();
    for after in [0, 199, 200] {
        let now = now + Duration::from_millis(after);
        ada.handle_input(now, Input::Time);
        while let Output::Transmit(transmit) = ada.poll_output(now, &mut packets) {
            sent.push((after, transmit.route));
        }
    }
    assert_eq!(
        sent,
        [(0, Route { via: PathId(0), address: bob }), (200, Route { via: PathId(1), address: bob })]
    );
}
