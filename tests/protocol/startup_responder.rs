//! The answering side of start-up, to a stranger that the tests play themselves (RFC 7016 §3.5.1.1.2, §3.5.1.2).

use std::net::SocketAddr;
use std::time::Duration;

use tincan::rtmfp::SessionEnd;
use tincan::rtmfp::crypto::PacketCipher;
use tincan::rtmfp::endpoint::SessionKey;

use crate::support::raw::{
    COOKIE_CHANGE, IHELLO, IIKEYING, PING, PING_REPLY, RHELLO, RIKEYING, Seen, chunk, counted, ihello,
    iikeying, iikeying_payload, keys, parts_of_rhello, payloads, sealed, sent_by, split_counted, startup,
};
use crate::support::scenario::{Net, TRIP, all_opened, ended, endpoint};
use crate::support::virtual_network::Host;

fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 6666))
}

fn elsewhere() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 77], 7777))
}

fn bob() -> (Net, Host) {
    let mut net = Net::new(TRIP);
    let bob = net.add(endpoint("bob"));
    (net, bob)
}

/// Hands Bob a datagram, and answers what he sends at once.
fn ask(net: &mut Net, bob: Host, from: SocketAddr, datagram: &[u8]) -> Vec<Seen> {
    let before = sent_by(net, bob).len();
    net.inject(bob, from, datagram);
    sent_by(net, bob).split_off(before)
}

/// A cookie of Bob's for whoever is at this address.
fn cookie_for(net: &mut Net, bob: Host, from: SocketAddr) -> Vec<u8> {
    let answers = ask(net, bob, from, &ihello(b"bob", b"tag"));
    parts_of_rhello(answers[0].payload(RHELLO).expect("an answer")).1.to_vec()
}

/// A session with Bob that the stranger called `name` opens: what it is called there, and what seals to it.
fn session(net: &mut Net, bob: Host, name: &str, near_id: u32) -> (u32, Box<dyn PacketCipher>) {
    let cookie = cookie_for(net, bob, stranger());
    let answers = ask(net, bob, stranger(), &iikeying(near_id, &cookie, name, &[near_id as u8; 32]));
    let keying = answers[0].payload(RIKEYING).expect("an answer").to_vec();
    let (component, _) = split_counted(&keying[4..]);
    (u32::from_be_bytes(keying[..4].try_into().unwrap()), keys([near_id as u8; 32], component).cipher)
}

/// Proves the session to Bob with a ping.
fn prove(net: &mut Net, bob: Host, (far_id, cipher): &mut (u32, Box<dyn PacketCipher>)) -> SessionKey {
    let plain = [&[0x01], &chunk(PING, b"")[..]].concat();
    let known = all_opened(net, bob).len();
    net.inject(bob, stranger(), &sealed(&mut **cipher, *far_id, &plain));
    all_opened(net, bob)[known]
}

/// Conforms: 7016-3.5.1.1.2-a, 7016-2.3.4-b
#[test]
fn a_hello_that_selects_us_is_answered_to_where_it_came_from_with_its_tag_unchanged() {
    let (mut net, bob) = bob();
    for tag in [&b""[..], b"t", &[7; 16], &[8; 300]] {
        let answers = ask(&mut net, bob, stranger(), &ihello(b"bob", tag));
        let [answer] = &answers[..] else { panic!("one answer") };
        assert_eq!((answer.to, answer.session_id, answer.flags), (stranger(), 0, 3));
        let (echo, _, certificate) = parts_of_rhello(answer.payload(RHELLO).unwrap());
        assert_eq!((echo, certificate), (tag, &b"bob"[..]));
    }
    assert!(ask(&mut net, bob, stranger(), &ihello(b"carol", b"tag")).is_empty());
}

/// Conforms: 7016-3.5.1.1.2-b
#[test]
fn hellos_are_not_remembered_and_each_gets_a_cookie_of_its_own() {
    let (mut net, bob) = bob();
    let first = cookie_for(&mut net, bob, stranger());
    assert_ne!(first, cookie_for(&mut net, bob, stranger()));
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements()), (0, 0));
    assert!(net.events(bob).is_empty());
    net.run_for(Duration::from_secs(3600));
    assert_eq!(net.sent().len(), 2, "nothing is sent again");
}

/// Conforms: 7016-3.5.1.1.2-c, 7016-3.5.1.1.2-e, 7016-3.5.1.1.2-g
#[test]
fn keying_with_a_cookie_that_is_forged_or_older_than_95_seconds_is_ignored_in_silence() {
    let (mut net, bob) = bob();
    let cookie = cookie_for(&mut net, bob, stranger());
    let mut forged = cookie.clone();
    forged[20] ^= 1;
    for worthless in [&b""[..], b"cookie", &forged, &cookie[..63], &[0; 64]] {
        assert!(ask(&mut net, bob, stranger(), &iikeying(5, worthless, "ada", &[1; 32])).is_empty());
    }
    net.run_until(Duration::from_secs(95));
    let answers = ask(&mut net, bob, stranger(), &iikeying(5, &cookie, "ada", &[1; 32]));
    assert!(answers[0].payload(RIKEYING).is_some(), "good for 95 seconds");
    net.run_until(Duration::from_secs(97));
    assert!(ask(&mut net, bob, stranger(), &iikeying(6, &cookie, "eve", &[2; 32])).is_empty());
    assert_eq!(net.machine(bob).sessions(), 1);
}

/// Conforms: 7016-3.5.1.1.2-d, 7016-3.5.1.1.2-h, 7016-3.5.1.2-a, 7016-2.3.6-b, 7016-2.3.6-c, trap-17
#[test]
fn a_cookie_for_another_address_gets_a_new_one_before_anything_else_is_looked_at() {
    let (mut net, bob) = bob();
    let cookie = cookie_for(&mut net, bob, stranger());
    // Neither a certificate, nor a signature, nor a key component that anybody could accept.
    let payload = [iikeying_payload(0x0102_0304, &cookie, b"", b"x"), b"no signature".to_vec()].concat();
    let answers = ask(&mut net, bob, elsewhere(), &startup(0, &chunk(IIKEYING, &payload)));
    let [answer] = &answers[..] else { panic!("one answer") };
    assert_eq!((answer.to, answer.session_id), (elsewhere(), 0x0102_0304));
    assert_eq!((answer.startup, answer.flags), (true, 3));
    let (old, new) = split_counted(answer.payload(COOKIE_CHANGE).expect("a cookie change"));
    assert_eq!(old, cookie);
    assert_eq!((net.machine(bob).sessions(), net.machine(bob).agreements()), (0, 0));
    // The new one is good there, and only there.
    let new = new.to_vec();
    let answers = ask(&mut net, bob, elsewhere(), &iikeying(5, &new, "ada", &[1; 32]));
    assert_eq!((answers[0].to, answers[0].payload(RIKEYING).is_some()), (elsewhere(), true));
    let answers = ask(&mut net, bob, stranger(), &iikeying(6, &new, "eve", &[1; 32]));
    assert!(answers[0].payload(COOKIE_CHANGE).is_some());
}

/// Conforms: 7016-3.5.1.1.2-i, trap-17
#[test]
fn certificate_signature_and_component_must_all_be_acceptable_and_only_the_last_costs_an_agreement() {
    let (mut net, bob) = bob();
    net.set_job_time(Duration::from_millis(50));
    let cookie = cookie_for(&mut net, bob, stranger());
    let unsigned = [iikeying_payload(5, &cookie, b"ada", &[1; 32]), b"no signature".to_vec()].concat();
    for broken in [
        iikeying(5, &cookie, "", &[1; 32]),
        startup(0, &chunk(IIKEYING, &unsigned)),
        iikeying(0, &cookie, "ada", &[1; 32]),
    ] {
        assert!(ask(&mut net, bob, stranger(), &broken).is_empty());
        assert_eq!(net.machine(bob).agreements(), 0);
    }
    assert!(ask(&mut net, bob, stranger(), &iikeying(5, &cookie, "ada", &[1; 31])).is_empty());
    assert_eq!(net.machine(bob).agreements(), 1);
    net.run_for(Duration::from_secs(1));
    assert_eq!((net.sent().len(), net.machine(bob).sessions()), (1, 0));
    ask(&mut net, bob, stranger(), &iikeying(5, &cookie, "ada", &[1; 32]));
    net.run_for(Duration::from_secs(1));
    assert_eq!(net.machine(bob).sessions(), 1, "nothing was wrong with the cookie");
}

/// Conforms: 7016-3.5.1.1.2-n, 7016-2.3.8-d
#[test]
fn good_keying_opens_a_session_at_once_with_an_id_of_its_own_under_keys_of_its_own() {
    let (mut net, bob) = bob();
    let cookie = cookie_for(&mut net, bob, stranger());
    let answers = ask(&mut net, bob, stranger(), &iikeying(0x0a0b_0c0d, &cookie, "ada", &[1; 32]));
    let keying = answers[0].payload(RIKEYING).expect("an answer");
    assert!(answers.iter().all(|seen| seen.to == stranger() && seen.session_id == 0x0a0b_0c0d));
    assert!(answers[0].startup && answers[1..].iter().all(|seen| !seen.startup), "his keys from then on");
    let far_id = u32::from_be_bytes(keying[..4].try_into().unwrap());
    assert_ne!(far_id, 0);
    let (component, _) = split_counted(&keying[4..]);
    let mut cipher = keys([1; 32], component).cipher;
    // Nothing but her first sealed packet is needed for data to flow both ways.
    let plain = [&[0x01], &chunk(PING, b"hello")[..]].concat();
    let answers = ask(&mut net, bob, stranger(), &sealed(&mut *cipher, far_id, &plain));
    assert_eq!(answers[0].payload(PING_REPLY), Some(&b"hello"[..]));
    assert_eq!(all_opened(&net, bob).len(), 1);

    let second = session(&mut net, bob, "ada", 9);
    assert_ne!(second.0, far_id, "no two sessions have one ID");
}

/// Conforms: 7016-3.5.1.1.2-k, trap-17
#[test]
fn the_same_keying_again_is_answered_with_the_same_packet_and_opens_nothing() {
    let (mut net, bob) = bob();
    let cookie = cookie_for(&mut net, bob, stranger());
    let keying = iikeying(5, &cookie, "ada", &[1; 32]);
    let first = ask(&mut net, bob, stranger(), &keying);
    let again = ask(&mut net, bob, stranger(), &keying);
    assert_eq!((again.len(), &again[0].chunks), (1, &first[0].chunks));
    assert_eq!((again[0].startup, again[0].session_id), (true, 5));
    // With a cookie fetched anew it is still the same.
    let fresh = cookie_for(&mut net, bob, stranger());
    let again = ask(&mut net, bob, stranger(), &iikeying(5, &fresh, "ada", &[1; 32]));
    assert_eq!((again.len(), &again[0].chunks), (1, &first[0].chunks));
    assert_eq!(net.machine(bob).sessions(), 1);
}

/// Conforms: 7016-3.5.1.1.2-l, 7016-3.2-h, trap-17
#[test]
fn another_certificate_from_the_address_of_an_open_session_is_ignored() {
    let (mut net, bob) = bob();
    let mut adas = session(&mut net, bob, "ada", 5);
    let key = prove(&mut net, bob, &mut adas);
    // One letter more is another certificate, however alike the two are.
    for name in ["adaa", "ad", "eve"] {
        let cookie = cookie_for(&mut net, bob, stranger());
        assert!(ask(&mut net, bob, stranger(), &iikeying(6, &cookie, name, &[2; 32])).is_empty(), "{name}");
    }
    assert_eq!((net.machine(bob).sessions(), ended(&net, bob, key)), (1, None));
}

/// Conforms: 7016-3.5.1.1.2-m, 7016-3.2-h, trap-17
#[test]
fn the_same_certificate_with_other_keys_replaces_its_older_session_once_it_is_proven() {
    let (mut net, bob) = bob();
    let mut old = session(&mut net, bob, "ada", 5);
    let old_key = prove(&mut net, bob, &mut old);
    let mut new = session(&mut net, bob, "ada", 6);
    assert_eq!(ended(&net, bob, old_key), None, "anybody may have copied that keying");
    let new_key = prove(&mut net, bob, &mut new);
    assert_eq!(ended(&net, bob, old_key), Some((Duration::ZERO, SessionEnd::Replaced)));
    assert_eq!((ended(&net, bob, new_key), net.machine(bob).sessions()), (None, 1));
}

#[test]
fn of_several_hellos_or_keyings_in_one_packet_only_the_first_counts() {
    let (mut net, bob) = bob();
    let hello = chunk(IHELLO, &[&counted(b"bob"), &b"tag"[..]].concat());
    assert_eq!(ask(&mut net, bob, stranger(), &startup(0, &hello.repeat(20))).len(), 1);
    let (one, two) = (cookie_for(&mut net, bob, stranger()), cookie_for(&mut net, bob, stranger()));
    let both: Vec<u8> = [(5, one), (6, two)]
        .into_iter()
        .flat_map(|(id, cookie)| iikeying(id, &cookie, "ada", &[id as u8; 32])[13..].to_vec())
        .collect();
    ask(&mut net, bob, stranger(), &startup(0, &both));
    assert_eq!((net.machine(bob).sessions(), payloads(&net, bob, RIKEYING).len()), (1, 1));
}
