//! Forged source addresses: what strangers get out of us before they have proven where they are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity, discriminator_for_url};
use tincan::rtmfp::endpoint::{Endpoint, EndpointConfig};

use super::eve::{cookie_for, place};
use crate::support::raw::{
    COOKIE_CHANGE, FRAGMENT, IHELLO, IIKEYING, chunk, counted, ihello, iikeying, iikeying_payload, payloads,
    sealed, startup, vlu,
};
use crate::support::scenario::{Net, TRIP, dial, endpoint, opened};
use crate::support::virtual_network::Host;

/// What strangers may get beyond what they gave, in bytes.
const SURPLUS: usize = 64 << 10;

fn host(profile: Flash) -> (Net, Host) {
    let mut net = Net::new(TRIP);
    let host = net.add(Endpoint::new(EndpointConfig::new(Arc::new(profile), [1; 32])));
    (net, host)
}

fn bob() -> (Net, Host) {
    let mut net = Net::new(TRIP);
    let bob = net.add(endpoint("bob"));
    (net, bob)
}

/// Bytes that a host sends for this datagram.
fn bytes_for(net: &mut Net, to: Host, from: SocketAddr, datagram: &[u8]) -> usize {
    net.clear_log();
    net.inject(to, from, datagram);
    net.sent().iter().map(|sent| sent.bytes.len()).sum()
}

/// A hello of the real cryptography.
fn hello(endpoint_discriminator: &[u8], tag: &[u8]) -> Vec<u8> {
    let payload = [&counted(endpoint_discriminator), tag].concat();
    let plain = [&[0x03], &chunk(IHELLO, &payload)[..]].concat();
    sealed(&mut *Flash::server([9; 32]).default_cipher(), 0, &plain)
}

/// Bytes that came in datagrams of these strangers that were answered, and bytes of the answers.
fn answered(net: &mut Net, to: Host, strangers: std::ops::Range<u32>, datagram: &[u8]) -> (usize, usize) {
    let answers = strangers.map(|number| bytes_for(net, to, place(number), datagram));
    answers.filter(|went| *went > 0).fold((0, 0), |(came, went), more| (came + datagram.len(), went + more))
}

/// Nothing of it is kept.
fn keeps_nothing(net: &Net, host: Host) -> bool {
    let host = net.machine(host);
    (host.sessions(), host.agreements_begun(), host.held_bytes()) == (0, 0, 0)
}

#[test]
fn the_answer_to_the_shortest_hello_is_nine_times_as_long_at_most() {
    let identity = Identity::generate([2; 32]);
    let peer_id = identity.peer_id();
    let peer = Flash::peer(identity);
    let by_fingerprint = peer.discriminator_of(peer_id);
    for (profile, wanted) in [(Flash::server([3; 32]), vec![1, 0x0a]), (peer, by_fingerprint)] {
        let (mut net, host) = host(profile);
        let hello = hello(&wanted, b"");
        let answer = bytes_for(&mut net, host, place(1), &hello);
        assert!(answer > hello.len() && answer <= 9 * hello.len(), "{answer} for {}", hello.len());
        assert!(keeps_nothing(&net, host));
    }
}

#[test]
fn the_hellos_of_our_own_programs_are_as_long_as_the_answers() {
    let identity = Identity::generate([2; 32]);
    let peer_id = identity.peer_id();
    let by_fingerprint = Flash::server([9; 32]).discriminator_of(peer_id);
    let by_url = discriminator_for_url("rtmfp://example.org/");
    for (profile, wanted) in [(Flash::server([3; 32]), by_url), (Flash::peer(identity), by_fingerprint)] {
        let (mut net, bob) = host(profile);
        let ada = Flash::peer(Identity::generate([4; 32]));
        let ada = net.add(Endpoint::new(EndpointConfig::new(Arc::new(ada), [4; 32])));
        let route = net.route_to(bob);
        net.clear_log();
        net.with(ada, |ada, now| ada.open_session(now, Bytes::from(wanted), &[route]));
        net.run_for(3 * TRIP);
        let sent = |by: Host| net.sent().iter().find(|sent| sent.from == by).expect("a datagram").bytes.len();
        assert!(sent(bob) <= sent(ada), "{} for {}", sent(bob), sent(ada));
    }
}

#[test]
fn a_flood_of_short_hellos_gets_what_it_gave_and_a_surplus_leaves_nothing_and_crowds_out_nobody_of_ours() {
    let (mut net, bob) = bob();
    let ada = net.add(endpoint("ada"));
    let hello = ihello(b"bob", b"");
    let (came, went) = answered(&mut net, bob, 0..20_000, &hello);
    assert!(went > came && went <= came + SURPLUS, "{went} for {came}");
    assert!(keeps_nothing(&net, bob));

    dial(&mut net, ada, bob, "bob");
    for number in 0..400 {
        net.inject(bob, place(number), &hello);
        net.run_for(Duration::from_millis(1));
    }
    assert!(
        opened(&net, ada).is_some(),
        "a hello as long as its answer is answered in the midst of the flood"
    );
    assert_eq!(net.machine(bob).agreements_begun(), 1);
}

#[test]
fn a_flood_that_lasts_gets_the_surplus_once_a_second_and_no_more() {
    let (mut net, bob) = bob();
    let hello = ihello(b"bob", b"");
    let (mut came, mut went) = (0, 0);
    for number in 0..10_000 {
        let (more_came, more_went) = answered(&mut net, bob, 3 * number..3 * number + 3, &hello);
        (came, went) = (came + more_came, went + more_went);
        net.run_for(Duration::from_millis(1));
    }
    assert!(went > came + 8 * SURPLUS && went <= came + 11 * SURPLUS, "{went} for {came} in ten seconds");
}

#[test]
fn a_cookie_that_is_sent_from_everywhere_gets_what_it_gave_and_a_surplus_and_costs_no_agreement() {
    let (mut net, bob) = bob();
    let cookie = cookie_for(&mut net, bob, place(0));
    // Shorter than any that could be good.
    let keying = startup(0, &chunk(IIKEYING, &iikeying_payload(5, &cookie, b"", b"")));
    let (came, went) = answered(&mut net, bob, 1..10_000, &keying);
    assert!(went > came && went <= came + SURPLUS, "{went} for {came}");
    assert!(keeps_nothing(&net, bob));
    net.clear_log();
    net.run_for(Duration::from_secs(60));
    assert!(net.sent().is_empty());
}

#[test]
fn keying_that_is_repeated_costs_one_agreement_and_gets_less_than_it_gave() {
    let (mut net, bob) = bob();
    let cookie = cookie_for(&mut net, bob, place(0));
    let keying = iikeying(5, &cookie, "eve", &[7; 32]);
    let (mut came, mut went) = (0, 0);
    for _ in 0..1_000 {
        came += keying.len();
        went += bytes_for(&mut net, bob, place(0), &keying);
    }
    // Each answer is followed by a ping of the session, once a round trip at the most.
    assert!(went <= came, "{went} for {came}");
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements_begun()), (1, 1));
    net.run_for(Duration::from_secs(60));
    assert_eq!(net.machine(bob).sessions(), 0, "nobody showed to have the keys");
    assert!(payloads(&net, bob, COOKIE_CHANGE).is_empty());
}

#[test]
fn hellos_in_pieces_from_everywhere_are_kept_for_a_second_and_in_bounds() {
    let (mut net, bob) = bob();
    let piece = |more: u8, number: usize| {
        let payload = [&[more], &vlu(9)[..], &vlu(number), &[3; 1_100]].concat();
        startup(0, &chunk(FRAGMENT, &payload))
    };
    for number in 0..10_000 {
        net.inject(bob, place(number), &piece(0x80, 0));
    }
    let held = net.machine(bob).held_bytes();
    assert!(held > 0 && held <= 256 * 1_500, "{held} bytes");
    assert!(net.sent().is_empty(), "a piece is not answered");
    net.run_for(Duration::from_secs(2));
    assert!(keeps_nothing(&net, bob));
}

#[test]
fn an_answer_to_a_long_hello_that_came_in_pieces_is_paid_for_by_the_surplus() {
    let (mut net, bob) = bob();
    let tag = vec![8; 30_000];
    let plain = [&[0x03], &chunk(IHELLO, &[&counted(b"bob"), &tag[..]].concat())[..]].concat();
    let mut went = 0;
    for number in 0..50 {
        for (n, data) in plain.chunks(1_100).enumerate() {
            let more = if (n + 1) * 1_100 < plain.len() { 0x80 } else { 0 };
            let payload = [&[more], &vlu(9)[..], &vlu(n), data].concat();
            went += bytes_for(&mut net, bob, place(number), &startup(0, &chunk(FRAGMENT, &payload)));
        }
    }
    net.clear_log();
    net.run_for(Duration::from_millis(900));
    went += net.sent().iter().map(|sent| sent.bytes.len()).sum::<usize>();
    assert!(went <= 2 * SURPLUS + 50 * 1_200, "{went} bytes");
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements_begun()), (0, 0));
}
