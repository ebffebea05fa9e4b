//! A far end that is heard from another address, and those who only pretend to be one (RFC 7016 §3.5.3, §3.5.4.2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::endpoint::{Delivery, Endpoint, EndpointConfig, SessionKey};
use tincan::rtmfp::{Event, SessionEnd};

use crate::support::raw::{PING, PING_REPLY, sent_by};
use crate::support::scenario::{
    Net, TRIP, accept_flows, ended, messages, opened, send, session_between_ada_and_bob,
};
use crate::support::virtual_network::Host;

fn attacker() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 66], 6666))
}

/// Where Bob's session goes.
fn route_of(net: &Net, host: Host, session: SessionKey) -> SocketAddr {
    net.machine(host).route(session).expect("an open session").address
}

/// Conforms: 7016-3.5.3-a, 7016-3.5.4.2-b, 7016-3.5.4.2-c
#[test]
fn data_follows_a_far_end_to_another_address_once_it_answered_from_there_and_not_before() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, ada, Delivery::Ordered);
    let old = net.address(ada);
    let new = net.change_address(ada);
    net.clear_log();
    let start = net.elapsed();
    send(&mut net, ada, near, &[Bytes::from_static(b"I moved")]);
    net.run_for(TRIP);
    assert_eq!(route_of(&net, bob, far), old, "one packet proves nothing");
    send(&mut net, bob, far, &[Bytes::from_static(b"to the old address")]);
    net.run_for(2 * TRIP - Duration::from_millis(1));
    let his = sent_by(&net, bob);
    let to_new: Vec<_> = his.iter().filter(|seen| seen.to == new).collect();
    let [check] = to_new[..] else { panic!("one check and nothing else: {to_new:?}") };
    assert_eq!((check.chunks.len(), check.chunks[0].0), (1, PING));
    let message = &check.chunks[0].1;
    assert_eq!((message[0], message.len()), (b'M', 25), "a mark, a time and a hash");
    assert!(his.iter().any(|seen| seen.to == old && seen.payload(0x10).is_some()));
    assert_eq!(route_of(&net, bob, far), old);

    net.run_for(Duration::from_millis(1));
    assert_eq!(route_of(&net, bob, far), new);
    let moved = Event::RouteChanged { session: far, route: net.route_to(ada) };
    assert_eq!(net.told(bob, &moved), Some(start + 3 * TRIP));
    net.run_for(Duration::from_secs(5));
    assert_eq!(messages(&net, ada), ["to the old address"], "what went to the old address is sent again");
    let replies =
        sent_by(&net, ada).into_iter().filter_map(|seen| seen.payload(PING_REPLY).map(<[u8]>::to_vec));
    assert!(replies.into_iter().any(|echo| echo == *message));
}

/// Conforms: 7016-3.5.4.2-b, 7016-3.5.4.2-c
#[test]
fn whoever_redirects_packets_is_asked_once_a_second_and_gets_nothing_else() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    net.clear_log();
    let start = net.elapsed();
    // Every packet of Ada's is caught for three seconds, and comes from somewhere else.
    for _ in 0..30 {
        let next = net.sent().len();
        net.set_link(ada, |link| link.loss = 1.0);
        send(&mut net, ada, near, &[Bytes::from_static(b"caught")]);
        let caught: Vec<Vec<u8>> = net.sent()[next..].iter().map(|sent| sent.bytes.clone()).collect();
        net.set_link(ada, |link| link.loss = 0.0);
        caught.iter().for_each(|bytes| net.inject(bob, attacker(), bytes));
        net.run_for(Duration::from_millis(100));
    }
    let to_attacker: Vec<_> = sent_by(&net, bob).into_iter().filter(|seen| seen.to == attacker()).collect();
    let times: Vec<u128> = to_attacker.iter().map(|seen| seen.at - start.as_millis()).collect();
    assert_eq!(times.len(), 3, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1_000));
    assert!(to_attacker.iter().all(|seen| seen.chunks.len() == 1 && seen.payload(PING).is_some()));
    assert_eq!(route_of(&net, bob, far), net.address(ada));
    // Nor does it help to send the checks back.
    let checks: Vec<Vec<u8>> =
        net.sent().iter().filter(|sent| sent.to == attacker()).map(|sent| sent.bytes.clone()).collect();
    for check in checks {
        net.inject(bob, attacker(), &check);
        net.inject(ada, attacker(), &check);
    }
    net.run_for(Duration::from_secs(5));
    assert_eq!(route_of(&net, bob, far), net.address(ada));
}

/// On another network Ada hears Bob as before, by the old one, for so many milliseconds; whether what she says arrives.
fn changed_and_heard(arrives: bool, milliseconds: u64) -> (Net, Host, SessionKey) {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    if !arrives {
        net.set_link(ada, |link| link.loss = 1.0);
    }
    net.with(ada, |endpoint, now| endpoint.network_changed(now, near, Duration::from_millis(1_200)));
    for _ in 0..milliseconds / 100 {
        send(&mut net, bob, far, &[Bytes::from_static(b"still here")]);
        net.run_for(Duration::from_millis(100));
    }
    (net, ada, near)
}

#[test]
fn after_a_change_of_networks_only_an_answer_shows_that_we_are_heard() {
    let (net, ada, near) = changed_and_heard(false, 1_500);
    assert!(matches!(ended(&net, ada, near), Some((_, SessionEnd::Replaced))));
    let (net, ada, near) = changed_and_heard(true, 3_000);
    assert_eq!(ended(&net, ada, near), None);
}

/// Ada and Bob with their own keys, and a session of theirs.
fn sealed_session() -> (Net, Host, Host, SessionKey, SessionKey) {
    let mut net = Net::new(TRIP);
    let mut person = |number: u8| {
        let profile = Flash::peer(Identity::generate([number; 32]));
        net.add(Endpoint::new(EndpointConfig::new(Arc::new(profile), [number; 32])))
    };
    let (ada, bob) = (person(1), person(2));
    let (bob_is, route) = (net.machine(bob).own_peer_id().unwrap(), net.route_to(bob));
    let near = net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bob_is, &[route]));
    net.run_until(Duration::from_secs(2));
    let far = opened(&net, bob).expect("a session");
    (net, ada, bob, near, far)
}

/// Conforms: 7016-5-e, 7016-5-c, 7016-2.2.3-c
#[test]
fn without_the_sessions_keys_nobody_moves_it_not_even_with_copies_of_its_packets() {
    let (mut net, ada, bob, near, far) = sealed_session();
    accept_flows(&mut net, bob, Delivery::Ordered);
    send(&mut net, ada, near, &[Bytes::from_static(b"hello")]);
    net.run_for(Duration::from_secs(2));
    let copies: Vec<Vec<u8>> =
        net.sent().iter().filter(|sent| sent.from == ada).map(|sent| sent.bytes.clone()).collect();
    let mut default = Flash::server([9; 32]).default_cipher();
    let told = net.events(bob).len();
    net.clear_log();
    for copy in &copies {
        net.inject(bob, attacker(), copy);
        for at in (4..copy.len()).step_by(7) {
            let mut changed = copy.clone();
            changed[at] ^= 0x10;
            net.inject(bob, attacker(), &changed);
        }
    }
    // The key that everybody has opens nothing in a session, whichever ID is put on the packet.
    let session_id = {
        let word = |at: usize| u32::from_be_bytes(copies.last().unwrap()[at..at + 4].try_into().unwrap());
        word(0) ^ word(4) ^ word(8)
    };
    let mut forged = Vec::new();
    let ping = [0x01, PING, 0, 1, b'?'];
    default.seal(session_id, &ping, &[ping.len()], &mut forged, &mut Vec::new());
    net.inject(bob, attacker(), &forged);
    net.run_for(Duration::from_secs(2));
    // What can be copied and read by everybody is answered: hellos and keying. Nothing of the session is.
    let to_attacker = net.sent().iter().filter(|sent| sent.to == attacker());
    assert!(to_attacker.into_iter().all(|sent| default.open(&mut sent.bytes.clone()).is_ok()));
    assert_eq!(route_of(&net, bob, far), net.address(ada));
    assert_eq!(net.events(bob).len(), told);
}

/// Conforms: 7016-5-g
#[test]
fn a_flow_that_is_long_over_cannot_be_played_back_as_a_new_one() {
    let (mut net, ada, bob, near, _) = sealed_session();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let before = net.sent().len();
    let flow = send(&mut net, ada, near, &[Bytes::from_static(b"pay a hundred")]);
    net.with(ada, |endpoint, now| endpoint.close_flow(now, near, flow));
    net.run_for(Duration::from_secs(1));
    let recorded: Vec<Vec<u8>> =
        net.sent()[before..].iter().filter(|sent| sent.from == ada).map(|sent| sent.bytes.clone()).collect();
    assert_eq!(messages(&net, bob).len(), 1);
    // Both ends have forgotten the flow by then, and its number could be a new one's.
    net.run_for(Duration::from_secs(300));
    let from = net.address(ada);
    for again in &recorded {
        net.inject(bob, from, again);
    }
    net.run_for(Duration::from_secs(5));
    assert_eq!(messages(&net, bob).len(), 1);
    let flows = net.events(bob).iter().filter(|(_, event)| matches!(event, Event::FlowOpened { .. }));
    assert_eq!(flows.count(), 1);
}
