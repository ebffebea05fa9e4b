//! Opening a session, also over a network that misbehaves (RFC 7016 §3.5.1).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::dialect::Dialect;
use tincan::rtmfp::endpoint::{CloseManner, Endpoint, EndpointConfig, KnownAddress, OwnIdentity};
use tincan::rtmfp::testing::plain_crypto::Plain;
use tincan::rtmfp::{Event, PathId, Route, SessionEnd};

use crate::support::impostor::Impostor;
use crate::support::scenario::{
    Net, TRIP, accept_flows, ada_and_bob, all_opened, config, dial, ended, endpoint, messages, opened,
    opened_at, send, session_between_ada_and_bob,
};

#[test]
fn a_session_is_open_after_four_trips_here_and_five_there() {
    let (mut net, ada, bob) = ada_and_bob();
    dial(&mut net, ada, bob, "bob");
    net.run_until(Duration::from_secs(10));
    assert_eq!(opened_at(&net, ada), Some(4 * TRIP));
    assert_eq!(opened_at(&net, bob), Some(5 * TRIP));
}

#[test]
fn both_ends_are_told_who_the_other_is_and_who_began() {
    let (mut net, ada, bob) = ada_and_bob();
    let session = dial(&mut net, ada, bob, "bob");
    net.run_until(Duration::from_secs(1));
    let (ada_is, bob_is) = (net.machine(ada).own_peer_id().unwrap(), net.machine(bob).own_peer_id().unwrap());
    let at_ada = Event::SessionOpened {
        session,
        peer: bob_is,
        proven: Plain::new("ada").is_static(b"bob"),
        initiator: true,
        own: OwnIdentity::Main,
        dialect: Dialect::Rfc,
        route: net.route_to(bob),
    };
    assert_eq!(net.told(ada, &at_ada), Some(4 * TRIP));
    let at_bob = opened(&net, bob).unwrap();
    assert_eq!(net.machine(bob).peer(at_bob), Some(ada_is));
    let nonces = net.machine(ada).nonces(session).unwrap();
    assert_eq!(net.machine(bob).nonces(at_bob), Some((nonces.1, nonces.0)));
}

#[test]
fn a_lost_packet_of_any_of_the_four_kinds_costs_one_retry_and_nothing_else() {
    for lost in 0..4 {
        let (mut net, ada, bob) = ada_and_bob();
        net.lose(lost);
        dial(&mut net, ada, bob, "bob");
        net.run_until(Duration::from_secs(10));
        assert_eq!(opened_at(&net, ada), Some(Duration::from_millis(500) + 4 * TRIP), "packet {lost} lost");
        assert_eq!(all_opened(&net, bob).len(), 1, "packet {lost} lost");
    }
}

#[test]
fn a_lost_sign_of_life_costs_one_round_trip() {
    let (mut net, ada, bob) = ada_and_bob();
    net.lose(4);
    dial(&mut net, ada, bob, "bob");
    net.run_until(Duration::from_secs(10));
    assert_eq!((opened_at(&net, ada), opened_at(&net, bob)), (Some(6 * TRIP), Some(5 * TRIP)));
}

#[test]
fn hellos_are_repeated_ever_more_slowly_until_time_is_up() {
    let (mut net, ada, bob) = ada_and_bob();
    net.cut(bob, true);
    let session = dial(&mut net, ada, bob, "bob");
    net.run_until(Duration::from_secs(60));
    let times: Vec<u128> = net.sent().iter().map(|sent| sent.at.as_millis()).collect();
    assert_eq!(times, [0, 500, 2_500, 6_000, 11_000, 17_500]);
    let waited = Duration::from_secs(20);
    assert_eq!(ended(&net, ada, session), Some((waited, SessionEnd::NeverOpened { waited })));
    assert_eq!(net.machine(ada).sessions(), 0);
}

/// Conforms: 7016-3.5.1.1.2-b
#[test]
fn a_thousand_hellos_from_anywhere_leave_nothing_behind() {
    let (mut net, ada, bob) = ada_and_bob();
    dial(&mut net, ada, bob, "bob");
    let hello = net.sent()[0].bytes.clone();
    for n in 0..1000u16 {
        let [high, low] = n.to_be_bytes();
        net.inject(bob, SocketAddr::from(([192, 0, high, low], 4000)), &hello);
    }
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements()), (0, 0));
    assert!(net.events(bob).is_empty());
}

/// Conforms: 7016-2.3.6-d, 7016-3.5.1.2-a, 7016-3.5.1.2-b
#[test]
fn an_address_that_changes_before_keying_costs_one_cookie_change() {
    let (mut net, ada, bob) = ada_and_bob();
    let job = Duration::from_millis(20);
    net.set_job_time(job);
    dial(&mut net, ada, bob, "bob");
    net.run_until(2 * TRIP);
    net.change_address(ada);
    net.run_until(Duration::from_secs(10));
    // Hello, answer, keying, new cookie, keying, answer; three jobs one after the other.
    assert_eq!(opened_at(&net, ada), Some(6 * TRIP + 3 * job));
    assert_eq!(all_opened(&net, bob).len(), 1);
}

#[test]
fn keying_that_comes_back_from_elsewhere_makes_no_state() {
    let (mut net, ada, bob) = ada_and_bob();
    net.lose(2);
    dial(&mut net, ada, bob, "bob");
    net.run_until(3 * TRIP);
    let keying = net.sent()[2].bytes.clone();
    net.inject(bob, "192.0.2.66:6666".parse().unwrap(), &keying);
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements()), (0, 0));
}

#[test]
fn a_redirect_leads_to_the_session() {
    let (mut net, ada, bob) = ada_and_bob();
    let carol = net.add(endpoint("carol"));
    let at_bob =
        KnownAddress { address: net.address(bob), origin: tincan::rtmfp::endpoint::AddressOrigin::Observed };
    net.react(carol, move |endpoint, _, event| {
        if let Event::HelloForAnother { route, tag, .. } = event {
            endpoint.redirect(*route, tag, &[at_bob]);
        }
    });
    dial(&mut net, ada, carol, "bob");
    net.run_until(Duration::from_secs(10));
    assert_eq!(opened_at(&net, ada), Some(6 * TRIP));
    assert_eq!(
        opened(&net, ada).and_then(|session| net.machine(ada).route(session)),
        Some(net.route_to(bob))
    );
}

/// Conforms: 7016-2.3.5-d
#[test]
fn a_redirect_to_nonsense_is_passed_over() {
    let (mut net, ada, bob) = ada_and_bob();
    let nowhere: Vec<KnownAddress> =
        ["0.0.0.0:5", "198.51.100.9:0", "224.0.0.1:1935", "127.0.0.1:22", "[::1]:1935"]
            .iter()
            .map(|address| KnownAddress {
                address: address.parse().unwrap(),
                origin: tincan::rtmfp::endpoint::AddressOrigin::Unknown,
            })
            .collect();
    net.react(bob, move |endpoint, _, event| {
        if let Event::HelloForAnother { route, tag, .. } = event {
            endpoint.redirect(*route, tag, &nowhere);
        }
    });
    dial(&mut net, ada, bob, "somebody");
    net.run_until(Duration::from_millis(400));
    let from_ada: Vec<SocketAddr> =
        net.sent().iter().filter(|sent| sent.from == ada).map(|sent| sent.to).collect();
    assert_eq!(from_ada, [net.address(bob)]);
}

/// Conforms: 7016-3.2-c
#[test]
fn candidates_on_another_path_open_the_session_too() {
    let (mut net, ada, bob) = ada_and_bob();
    let second = net.add_path(ada);
    let nowhere = Route { via: PathId(0), address: "192.0.2.1:9".parse().unwrap() };
    let there = Route { via: second, address: net.address(bob) };
    net.with(ada, |endpoint, now| endpoint.open_session(now, Bytes::from_static(b"bob"), &[nowhere, there]));
    net.run_until(Duration::from_secs(1));
    assert_eq!(opened(&net, ada).and_then(|session| net.machine(ada).route(session)), Some(there));
}

#[test]
fn a_path_that_goes_away_while_keying_is_made_up_for_by_another() {
    let (mut net, ada, bob) = ada_and_bob();
    let second = net.add_path(ada);
    let (one, two) = (net.route_to(bob), Route { via: second, address: net.address(bob) });
    // The second hello is lost, so that the first path wins, and so is its keying.
    net.lose(1);
    net.lose(3);
    net.with(ada, |endpoint, now| endpoint.open_session(now, Bytes::from_static(b"bob"), &[one, two]));
    net.run_until(3 * TRIP);
    net.close_path(ada, PathId(0));
    net.run_until(Duration::from_secs(10));
    assert_eq!(opened(&net, ada).and_then(|session| net.machine(ada).route(session)), Some(two));
}

/// Conforms: 7016-3.5.1.3-a, 7016-3.5.1.3-b, 7016-3.5.1.1.2-j
#[test]
fn glare_ends_in_one_session_whoever_was_first() {
    // After 200 ms her session is open at his end too, and who dials then wants a second one.
    for late in (0..200).step_by(10).map(Duration::from_millis) {
        let (mut net, ada, bob) = ada_and_bob();
        let hers = dial(&mut net, ada, bob, "bob");
        net.run_until(late);
        let his = dial(&mut net, bob, ada, "ada");
        net.run_until(Duration::from_secs(60));
        let left = (net.machine(ada).sessions(), net.machine(bob).sessions());
        assert_eq!(left, (1, 1), "Bob dialled {late:?} later");
        let kept = |host, own| ended(&net, host, own).is_none();
        assert!(kept(ada, hers) != kept(bob, his), "Bob dialled {late:?} later");
    }
}

#[test]
fn a_session_dialled_the_other_way_leaves_a_living_one_alone() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let his = dial(&mut net, bob, ada, "ada");
    net.run_for(Duration::from_secs(60));
    assert!(all_opened(&net, ada).is_empty() && all_opened(&net, bob).is_empty());
    assert_eq!((ended(&net, ada, near), ended(&net, bob, far)), (None, None));
    assert_eq!(ended(&net, bob, his).map(|(_, end)| end), Some(SessionEnd::Replaced));
}

/// Conforms: 7016-3.5.1.3-c, 7016-3.5-b
#[test]
fn the_loser_of_glare_is_told_that_its_attempt_was_replaced() {
    let (mut net, ada, bob) = ada_and_bob();
    let attempts = [(ada, dial(&mut net, ada, bob, "bob")), (bob, dial(&mut net, bob, ada, "ada"))];
    net.run_until(Duration::from_secs(10));
    let ends: Vec<SessionEnd> =
        attempts.iter().filter_map(|(host, own)| ended(&net, *host, *own)).map(|(_, end)| end).collect();
    assert_eq!(ends, [SessionEnd::Replaced]);
    assert_eq!((all_opened(&net, ada).len(), all_opened(&net, bob).len()), (1, 1));
}

#[test]
fn a_program_that_starts_anew_replaces_its_own_old_session() {
    let (mut net, ada, bob, session, _) = session_between_ada_and_bob();
    let other_seed = EndpointConfig { seed: [9; 32], ..config("bob") };
    net.restart(bob, Endpoint::new(other_seed));
    dial(&mut net, bob, ada, "ada");
    net.run_for(Duration::from_secs(6));
    assert_eq!(ended(&net, ada, session).map(|(_, end)| end), Some(SessionEnd::Replaced));
    assert_eq!((net.machine(ada).sessions(), net.machine(bob).sessions()), (1, 1));
}

/// Conforms: 7016-3.5.1.1.1-i, 7016-3.5-b
#[test]
fn a_second_attempt_to_the_same_far_end_gives_way_to_the_session_that_lives() {
    let (mut net, ada, bob, first, far) = session_between_ada_and_bob();
    let now = net.elapsed();
    let second = dial(&mut net, ada, bob, "bob");
    net.run_for(Duration::from_secs(30));
    assert_eq!(ended(&net, ada, second), Some((now + 4 * TRIP, SessionEnd::Replaced)));
    assert_eq!((ended(&net, ada, first), ended(&net, bob, far)), (None, None));
    assert_eq!((net.machine(ada).sessions(), net.machine(bob).sessions()), (1, 1));
    assert!(all_opened(&net, ada).is_empty() && all_opened(&net, bob).is_empty());
}

/// Conforms: 7016-3.5.1.1.1-i
#[test]
fn of_two_attempts_at_once_one_opens_and_the_other_gives_way() {
    let (mut net, ada, bob) = ada_and_bob();
    net.set_job_time(Duration::from_millis(20));
    let first = dial(&mut net, ada, bob, "bob");
    net.run_until(TRIP);
    let second = dial(&mut net, ada, bob, "bob");
    net.run_until(Duration::from_secs(30));
    assert_eq!(all_opened(&net, ada), [first]);
    assert_eq!(ended(&net, ada, second).map(|(_, end)| end), Some(SessionEnd::Replaced));
    assert_eq!((ended(&net, ada, first), all_opened(&net, bob).len()), (None, 1));
}

#[test]
fn a_second_attempt_goes_on_when_the_first_one_is_stopped() {
    let (mut net, ada, bob) = ada_and_bob();
    net.set_job_time(Duration::from_millis(20));
    let first = dial(&mut net, ada, bob, "bob");
    let second = dial(&mut net, ada, bob, "bob");
    net.run_until(3 * TRIP);
    net.with(ada, |endpoint, now| endpoint.close_session(now, first, CloseManner::Orderly));
    net.run_until(Duration::from_secs(30));
    assert_eq!(all_opened(&net, ada), [second]);
}

#[test]
fn a_second_attempt_opens_once_the_first_session_turns_out_to_be_dead() {
    let (mut net, ada, bob, first, _) = session_between_ada_and_bob();
    net.restart(bob, Endpoint::new(EndpointConfig { seed: [9; 32], ..config("bob") }));
    let now = net.elapsed();
    let second = dial(&mut net, ada, bob, "bob");
    net.run_for(Duration::from_secs(30));
    let dead = now + 2 * TRIP + Duration::from_secs(5);
    assert_eq!(ended(&net, ada, first), Some((dead, SessionEnd::Replaced)));
    assert_eq!((all_opened(&net, ada), opened_at(&net, ada)), (vec![second], Some(dead + 4 * TRIP)));
}

#[test]
fn a_stranger_at_the_same_address_does_not_replace_a_session() {
    let (mut net, ada, bob, session, _) = session_between_ada_and_bob();
    net.restart(bob, endpoint("mallory"));
    dial(&mut net, bob, ada, "ada");
    net.run_for(Duration::from_secs(2));
    assert_eq!(ended(&net, ada, session), None);
    assert!(all_opened(&net, ada).is_empty());
}

#[test]
fn an_attempt_can_be_stopped() {
    let (mut net, ada, bob) = ada_and_bob();
    let session = dial(&mut net, ada, bob, "bob");
    net.run_until(3 * TRIP);
    net.with(ada, |endpoint, now| endpoint.close_session(now, session, CloseManner::Orderly));
    net.run_until(Duration::from_secs(30));
    assert_eq!(ended(&net, ada, session), Some((3 * TRIP, SessionEnd::ClosedHere)));
    assert_eq!((net.machine(ada).sessions(), net.machine(bob).sessions()), (0, 0));
    assert!(net.events(bob).is_empty());
}

#[test]
fn a_full_endpoint_refuses_in_silence_and_a_closed_one_does_not_even_answer_hellos() {
    let mut net = Net::new(TRIP);
    let full = net.add(Endpoint::new(EndpointConfig { most_sessions: 1, ..config("full") }));
    let closed = net.add(Endpoint::new(EndpointConfig { accepts_sessions: false, ..config("closed") }));
    let (ada, bob) = (net.add(endpoint("ada")), net.add(endpoint("bob")));
    dial(&mut net, ada, full, "full");
    net.run_until(Duration::from_secs(1));
    dial(&mut net, bob, full, "full");
    dial(&mut net, bob, closed, "closed");
    net.run_until(Duration::from_secs(60));
    assert_eq!((net.machine(full).sessions(), all_opened(&net, bob).len()), (1, 0));
    assert_eq!(net.bytes_sent(closed), 0);
}

#[test]
fn datagrams_that_come_again_do_nothing() {
    let (mut net, ada, bob, session, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, tincan::rtmfp::endpoint::Delivery::Ordered);
    send(&mut net, ada, session, &[Bytes::from_static(b"once")]);
    net.run_for(Duration::from_secs(2));
    for sent in net.sent().to_vec() {
        let (to, from) = if sent.from == ada { (bob, ada) } else { (ada, bob) };
        let from = net.address(from);
        net.inject(to, from, &sent.bytes);
    }
    net.run_for(Duration::from_secs(15));
    assert_eq!((net.machine(ada).sessions(), net.machine(bob).sessions()), (1, 1));
    assert_eq!(messages(&net, bob), ["once"]);
    assert_eq!(ended(&net, ada, session), None);
}

#[test]
fn an_answer_with_another_certificate_is_ignored() {
    let mut net = Net::new(TRIP);
    let ada = net.add(endpoint("ada"));
    let mallory = Impostor { claimed: Arc::new(Plain::new("mallory")), own: Arc::new(Plain::new("mallory")) };
    let mallory = net.add(Endpoint::new(EndpointConfig::new(Arc::new(mallory), [7; 32])));
    let session = dial(&mut net, ada, mallory, "bob");
    net.run_until(Duration::from_secs(30));
    assert!(matches!(ended(&net, ada, session), Some((_, SessionEnd::NeverOpened { .. }))));
    assert!(all_opened(&net, mallory).is_empty());
}

#[test]
fn two_hundred_callers_at_once_are_all_let_in_and_then_cost_nothing_but_keepalives() {
    let mut net = Net::new(TRIP);
    let server = net.add(endpoint("server"));
    let callers: Vec<_> = (0..200).map(|n| net.add(endpoint(&format!("caller {n}")))).collect();
    for caller in &callers {
        dial(&mut net, *caller, server, "server");
    }
    net.run_until(Duration::from_secs(60));
    assert_eq!(net.machine(server).sessions(), callers.len());
    let before = net.bytes_sent(server);
    net.run_for(Duration::from_secs(100));
    let bytes_per_session = (net.bytes_sent(server) - before) / callers.len() as u64;
    assert!(bytes_per_session < 1_500, "{bytes_per_session} bytes for each of them in 100 seconds");
}

#[test]
fn certificates_too_long_for_a_datagram_travel_in_pieces() {
    let mut net = Net::new(TRIP);
    let (ada, bob) = (net.add(endpoint(&"ada".repeat(700))), net.add(endpoint(&"bob".repeat(900))));
    let (bob_is, route) = (net.machine(bob).own_peer_id().unwrap(), net.route_to(bob));
    net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bob_is, &[route]));
    net.run_until(Duration::from_secs(1));
    assert_eq!((opened_at(&net, ada), opened_at(&net, bob)), (Some(4 * TRIP), Some(5 * TRIP)));
    assert!(net.sent().iter().all(|sent| sent.bytes.len() <= 1200));
}
