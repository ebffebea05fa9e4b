//! The same over networks that lose, delay, reorder and double datagrams.

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::PathId;
use tincan::rtmfp::endpoint::{Delivery, Endpoint, EndpointConfig};

use crate::support::scenario::{
    Net, TRIP, accept_flows, all_opened, config, dial, ended, endpoint, messages, opened, send,
    session_between_ada_and_bob,
};

/// So many messages, each telling its place, of very different lengths.
fn numbered(count: usize) -> Vec<Bytes> {
    (0..count).map(|n| Bytes::from(vec![(n % 251) as u8; 1 + (n * n * 37) % 3_000])).collect()
}

#[test]
fn five_percent_loss_and_forty_milliseconds_change_neither_order_nor_content() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    net.set_links(|link| link.loss = 0.05);
    let all = numbered(300);
    send(&mut net, ada, near, &all);
    net.run_for(Duration::from_secs(120));
    assert!(messages(&net, bob) == all);
}

#[test]
fn datagrams_that_overtake_each_other_and_come_twice_change_nothing() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    net.set_links(|link| {
        link.jitter = Duration::from_millis(30);
        link.duplication = 0.1;
    });
    let all = numbered(200);
    send(&mut net, ada, near, &all);
    net.run_for(Duration::from_secs(120));
    assert!(messages(&net, bob) == all);
}

#[test]
fn in_order_of_arrival_everything_comes_once() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Arrival);
    net.set_links(|link| link.loss = 0.1);
    let mut all = numbered(100);
    send(&mut net, ada, near, &all);
    net.run_for(Duration::from_secs(120));
    let mut came = messages(&net, bob);
    came.sort();
    all.sort();
    assert!(came == all);
}

#[test]
fn a_narrow_line_is_filled_without_being_flooded() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    net.set_link(ada, |link| link.bytes_per_second = Some(100_000));
    let before = net.bytes_sent(ada);
    let all = vec![Bytes::from(vec![5; 10_000]); 100];
    send(&mut net, ada, near, &all);
    net.run_for(Duration::from_secs(20));
    let came = messages(&net, bob).len();
    assert_eq!(came, 100, "a million bytes at 100,000 a second");
    let sent = net.bytes_sent(ada) - before;
    assert!(sent < 1_400_000, "{sent} bytes sent for a million");
}

#[test]
fn five_seconds_without_a_network_are_survived() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    net.cut(bob, true);
    let all = numbered(50);
    send(&mut net, ada, near, &all);
    net.run_for(Duration::from_secs(5));
    net.cut(bob, false);
    net.run_for(Duration::from_secs(30));
    assert!(messages(&net, bob) == all);
    assert_eq!((ended(&net, ada, near), ended(&net, bob, far)), (None, None));
}

#[test]
fn a_session_follows_its_peer_to_another_address() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, ada, Delivery::Ordered);
    accept_flows(&mut net, bob, Delivery::Ordered);
    net.change_address(ada);
    send(&mut net, ada, near, &[Bytes::from_static(b"I moved")]);
    net.run_for(Duration::from_secs(5));
    assert_eq!(net.machine(bob).route(far), Some(net.route_to(ada)));
    send(&mut net, bob, far, &[Bytes::from_static(b"I noticed")]);
    net.run_for(Duration::from_secs(5));
    assert_eq!(
        (messages(&net, bob), messages(&net, ada)),
        (vec![Bytes::from_static(b"I moved")], vec![Bytes::from_static(b"I noticed")])
    );
}

#[test]
fn sessions_open_through_twenty_percent_loss_whatever_the_luck() {
    for seed in 0..20 {
        let mut net = Net::with_seed(TRIP, seed);
        net.set_links(|link| link.loss = 0.2);
        let patient = EndpointConfig { open_within: Duration::from_secs(90), ..config("ada") };
        let (ada, bob) = (net.add(Endpoint::new(patient)), net.add(endpoint("bob")));
        dial(&mut net, ada, bob, "bob");
        net.run_until(Duration::from_secs(95));
        assert!(opened(&net, ada).is_some(), "seed {seed}");
        assert_eq!(all_opened(&net, bob).len(), 1, "seed {seed}");
    }
}

#[test]
fn a_session_goes_on_when_its_own_path_is_replaced_by_another() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let all = numbered(100);
    send(&mut net, ada, near, &all);
    net.run_for(TRIP);
    net.close_path(ada, PathId(0));
    net.run_for(Duration::from_secs(1));
    let second = net.add_path(ada);
    net.run_for(Duration::from_secs(30));
    assert!(messages(&net, bob) == all);
    assert_eq!(net.machine(ada).route(near).map(|route| route.via), Some(second));
    assert_eq!((ended(&net, ada, near), ended(&net, bob, far)), (None, None));
}
