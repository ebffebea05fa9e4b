//! Crowds with real addresses: sessions that are begun and never finished, and more of them than anybody can have.

use std::time::Duration;

use tincan::rtmfp::endpoint::{Endpoint, EndpointConfig};

use super::eve::{Eve, ask, cookie_for, place};
use crate::support::raw::{PING, chunk, iikeying};
use crate::support::scenario::{Net, TRIP, all_opened, config, dial, endpoint, opened};
use crate::support::virtual_network::Host;

/// Sessions that Bob allows at once.
const MOST: usize = 8;

fn bob() -> (Net, Host) {
    let mut net = Net::new(TRIP);
    let bob = net.add(Endpoint::new(EndpointConfig { most_sessions: MOST, ..config("bob") }));
    (net, bob)
}

#[test]
fn half_open_sessions_from_one_place_crowd_out_each_other_and_nobody_else() {
    let (mut net, bob) = bob();
    let (_, friend) = Eve::open(&mut net, bob, place(1));
    let mut slow = Eve::half_open(&mut net, bob, place(2), 9).expect("a session");
    for number in 0..100 {
        assert!(Eve::half_open(&mut net, bob, place(3), 100 + number).is_some());
        assert!(net.machine(bob).sessions() <= MOST);
    }
    slow.say(&mut net, bob, &chunk(PING, b""));
    assert_eq!(all_opened(&net, bob).len(), 2, "one that was begun before the flood is finished after it");
    assert!(net.machine(bob).route(friend).is_some());
    let held = net.machine(bob).held_bytes();
    assert!(held < 10_000, "{held} bytes");
    net.run_for(Duration::from_secs(11));
    assert_eq!(net.machine(bob).sessions(), 2, "what was not finished in ten seconds is gone");
}

#[test]
fn half_open_sessions_from_everywhere_crowd_out_the_oldest_of_their_kind_and_no_open_one() {
    let (mut net, bob) = bob();
    let (_, friend) = Eve::open(&mut net, bob, place(1));
    let mut flood: Vec<Eve> = (0..50)
        .map(|number| Eve::half_open(&mut net, bob, place(100 + number), 100 + number).expect("a session"))
        .collect();
    assert_eq!(net.machine(bob).sessions(), MOST);
    assert!(net.machine(bob).route(friend).is_some());
    for eve in &mut flood {
        eve.say(&mut net, bob, &chunk(PING, b""));
    }
    assert_eq!(all_opened(&net, bob).len(), MOST, "the seven newest are there beside the friend");
    assert!(Eve::half_open(&mut net, bob, place(9), 9).is_none(), "open sessions make way for nobody");
}

#[test]
fn one_place_gets_its_share_of_key_agreements_and_others_get_theirs() {
    let mut net = Net::new(TRIP);
    let bob = net.add(endpoint("bob"));
    let ada = net.add(endpoint("ada"));
    for number in 0..1_000 {
        let cookie = cookie_for(&mut net, bob, place(1));
        ask(&mut net, bob, place(1), &iikeying(1 + number, &cookie, "eve", &[7; 32]));
    }
    assert_eq!(net.machine(bob).agreements_begun(), 128);
    dial(&mut net, ada, bob, "bob");
    net.run_for(Duration::from_secs(1));
    assert!(opened(&net, ada).is_some());
    assert_eq!(net.machine(bob).agreements_begun(), 129);
}

#[test]
fn agreements_that_take_long_are_64_at_once_and_one_for_each_cookie() {
    let mut net = Net::new(TRIP);
    let bob = net.add(endpoint("bob"));
    net.set_job_time(Duration::from_secs(1));
    let cookie = cookie_for(&mut net, bob, place(1));
    for number in 0..100 {
        ask(&mut net, bob, place(1), &iikeying(1 + number, &cookie, "eve", &[7; 32]));
    }
    assert_eq!(net.machine(bob).agreements(), 1, "one cookie");
    for number in 2..1_000 {
        let cookie = cookie_for(&mut net, bob, place(number));
        ask(&mut net, bob, place(number), &iikeying(number, &cookie, "eve", &[7; 32]));
    }
    assert_eq!((net.machine(bob).agreements(), net.machine(bob).agreements_begun()), (64, 64));
}
