//! People on the way, or off it, without keys: who repeat and reorder what they saw, and forge what they did not.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::Event;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::endpoint::{Delivery, Endpoint, EndpointConfig, SessionKey};

use super::eve::place;
use crate::support::raw::{chunk, redirect, rhello, startup, under_default_key};
use crate::support::scenario::{
    Net, TRIP, accept_flows, ada_and_bob, dial, messages, opened, send, session_between_ada_and_bob,
};
use crate::support::virtual_network::Host;

fn person(number: u8) -> Endpoint {
    let identity = Identity::generate([number; 32]);
    Endpoint::new(EndpointConfig::new(Arc::new(Flash::peer(identity)), [number; 32]))
}

/// Ada and Bob with real cryptography, a session of Ada's, and three messages that arrived on a flow that is finished.
fn spoken() -> (Net, Host, Host, SessionKey) {
    let mut net = Net::new(TRIP);
    let bobs_id = Identity::generate([2; 32]).peer_id();
    let (ada, bob) = (net.add(person(1)), net.add(person(2)));
    accept_flows(&mut net, bob, Delivery::Ordered);
    let route = net.route_to(bob);
    let session = net.with(ada, |ada, now| ada.open_session_to_peer(now, bobs_id, &[route]));
    net.run_for(Duration::from_secs(1));
    let said: Vec<Bytes> = [&b"one"[..], b"two", b"three"].map(Bytes::from).into();
    let flow = send(&mut net, ada, session, &said);
    net.with(ada, |ada, now| ada.close_flow(now, session, flow));
    net.run_for(Duration::from_secs(2));
    assert_eq!(messages(&net, bob), said);
    (net, ada, bob, session)
}

/// Everything Ada sent Bob so far, oldest first.
fn seen(net: &Net, ada: Host) -> Vec<Vec<u8>> {
    net.sent().iter().filter(|sent| sent.from == ada).map(|sent| sent.bytes.clone()).collect()
}

#[test]
fn a_finished_flow_cannot_be_played_again_not_even_when_it_is_forgotten() {
    let (mut net, ada, bob, _) = spoken();
    let seen = seen(&net, ada);
    // The flow's linger is over, and the session lives on.
    net.run_for(Duration::from_secs(150));
    let told = net.events(bob).len();
    net.clear_log();
    for datagram in seen.iter().chain(seen.iter().rev()) {
        net.inject(bob, net.address(ada), datagram);
    }
    assert_eq!(net.events(bob).len(), told, "no flow, no message, no session");
    let answers = net.sent().iter().map(|sent| sent.bytes.len()).sum::<usize>();
    let came = 2 * seen.iter().map(Vec::len).sum::<usize>();
    assert!(answers <= came, "{answers} for {came}");
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements_begun()), (1, 1));
}

#[test]
fn what_is_repeated_from_elsewhere_moves_nobody_and_sends_nobody_anything_but_answers_to_hellos() {
    let (mut net, ada, bob, session) = spoken();
    let seen = seen(&net, ada);
    net.clear_log();
    let mut came = 0;
    for (number, datagram) in (1..).zip(&seen) {
        came += datagram.len();
        net.inject(bob, place(number), datagram);
    }
    let elsewhere = net.sent().iter().filter(|sent| sent.to != net.address(ada));
    let went: usize = elsewhere.map(|sent| sent.bytes.len()).sum();
    assert!(went <= came, "{went} for {came}");
    net.run_for(Duration::from_secs(5));
    let bobs = opened(&net, bob).expect("the session");
    assert_eq!(net.machine(bob).route(bobs), Some(net.route_to(ada)));
    send(&mut net, ada, session, &[Bytes::from_static(b"four")]);
    net.run_for(Duration::from_secs(1));
    assert_eq!(messages(&net, bob).len(), 4);
}

#[test]
fn datagrams_in_any_order_are_taken_once_each() {
    let (mut net, ada, bob, session) = spoken();
    net.clear_log();
    net.cut(bob, true);
    let later: Vec<Bytes> = (0..30_u8).map(|n| Bytes::from(vec![n; 1_000])).collect();
    send(&mut net, ada, session, &later);
    net.run_for(Duration::from_millis(100));
    let held_up = seen(&net, ada);
    net.cut(bob, false);
    assert!(held_up.len() > 1);
    for datagram in held_up.iter().rev().chain(&held_up) {
        net.inject(bob, net.address(ada), datagram);
    }
    net.run_for(Duration::from_secs(20));
    assert_eq!(messages(&net, bob)[3..], later);
}

#[test]
fn a_close_that_is_forged_by_somebody_without_keys_closes_nothing() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    let bobs_id = {
        let sent = net.sent().iter().rev().find(|sent| sent.from == ada).expect("a packet of Ada's");
        let word = |at: usize| u32::from_be_bytes(sent.bytes[at..at + 4].try_into().unwrap());
        word(0) ^ word(4) ^ word(8)
    };
    for kind in [0x0c, 0x4c] {
        for flags in [0x01, 0x02, 0x03] {
            let plain = [&[flags], &chunk(kind, b"")[..]].concat();
            for id in [bobs_id, 0] {
                net.inject(bob, net.address(ada), &under_default_key(id, &plain));
                net.inject(ada, net.address(bob), &under_default_key(id, &plain));
            }
        }
        net.inject(bob, net.address(ada), &startup(bobs_id, &chunk(kind, b"")));
    }
    net.run_for(Duration::from_secs(60));
    let ends = |host| net.events(host).iter().any(|(_, event)| matches!(event, Event::SessionEnded { .. }));
    assert!(!ends(ada) && !ends(bob));
    accept_flows(&mut net, bob, Delivery::Ordered);
    send(&mut net, ada, near, &[Bytes::from_static(b"still here")]);
    net.run_for(Duration::from_secs(1));
    assert_eq!(messages(&net, bob), ["still here"]);
}

#[test]
fn answers_and_redirects_of_strangers_who_guess_the_tag_are_passed_over_without_a_trace() {
    let (mut net, ada, bob) = ada_and_bob();
    net.cut(bob, true);
    dial(&mut net, ada, bob, "bob");
    net.run_for(Duration::from_millis(100));
    net.clear_log();
    let before = net.machine(ada).held_bytes();
    for number in 0..5_000_u32 {
        let tag: [u8; 16] = std::array::from_fn(|at| number.to_be_bytes()[at % 4]);
        net.inject(ada, place(1), &redirect(&tag, &[place(2), place(3)]));
        net.inject(ada, place(1), &rhello(&tag, &[0; 64], b"bob"));
        net.inject(ada, place(1), &redirect(b"", &[place(2)]));
    }
    assert!(net.sent().is_empty(), "nobody is greeted, nobody is keyed");
    assert_eq!(net.machine(ada).held_bytes(), before);
    net.cut(bob, false);
    net.run_for(Duration::from_secs(5));
    assert!(opened(&net, ada).is_some());
    let strangers =
        net.sent().iter().filter(|sent| sent.to != net.address(bob) && sent.to != net.address(ada));
    assert_eq!(strangers.count(), 0);
}
