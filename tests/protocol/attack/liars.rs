//! Introducers who lie: to have us write to bystanders, to ourselves, or to very many (RFC 7016 §5).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::{AddressOrigin, ForwardedHello, KnownAddress, SessionKey};

use super::eve::place;
use crate::support::raw::{IHELLO, REDIRECT, RHELLO, chunk, counted, payloads, redirect, sent_by, startup};
use crate::support::scenario::{Net, TRIP, dial, endpoint, opened};
use crate::support::virtual_network::Host;

/// Ada, who dials Bob at the address of somebody who answers nothing; and the tag of her hello.
fn dialling() -> (Net, Host, SessionKey, Vec<u8>) {
    let mut net = Net::new(TRIP);
    let ada = net.add(endpoint("ada"));
    let route = tincan::rtmfp::Route { via: tincan::rtmfp::PathId(0), address: place(1) };
    let session = net.with(ada, |ada, now| ada.open_session(now, Bytes::from_static(b"bob"), &[route]));
    let hello = payloads(&net, ada, IHELLO).remove(0);
    let tag = hello[4..].to_vec();
    (net, ada, session, tag)
}

/// A Redirect to any addresses, as bytes: flags, address, port.
fn redirect_to(tag: &[u8], addresses: &[Vec<u8>]) -> Vec<u8> {
    startup(0, &chunk(REDIRECT, &[counted(tag), addresses.concat()].concat()))
}

#[test]
fn of_thousands_of_addresses_24_are_greeted_with_short_hellos_seven_times_in_95_seconds() {
    let (mut net, ada, _, tag) = dialling();
    let many: Vec<SocketAddr> = (10..9_010).map(place).collect();
    net.clear_log();
    for part in many.chunks(3_000) {
        net.inject(ada, place(1), &redirect(&tag, part));
    }
    net.run_for(Duration::from_secs(100));
    let to_bystanders = net.sent().iter().filter(|sent| sent.to != place(1));
    let (count, bytes) =
        to_bystanders.fold((0, 0), |(count, bytes), sent| (count + 1, bytes + sent.bytes.len()));
    let greeted: std::collections::BTreeSet<SocketAddr> =
        net.sent().iter().map(|sent| sent.to).filter(|to| *to != place(1)).collect();
    // With the one that was named by who dialled there are 24.
    assert_eq!(greeted.len(), 23);
    assert!(count <= 23 * 11 && bytes <= count * 64, "{count} hellos of {bytes} bytes together");
    assert_eq!((net.machine(ada).held_bytes(), net.machine(ada).sessions()), (0, 0));
}

#[test]
fn nobody_is_sent_to_the_machine_itself_to_many_or_to_nowhere_in_whatever_dress_the_address_comes() {
    let (mut net, ada, _, tag) = dialling();
    let v4 = |ip: [u8; 4], port: u16| [&[2], &ip[..], &port.to_be_bytes()].concat();
    let v6 = |ip: [u8; 16], port: u16| [&[0x82], &ip[..], &port.to_be_bytes()].concat();
    let dressed = |ip: [u8; 4], port: u16| {
        let mut bytes = [0; 16];
        bytes[10..12].fill(0xff);
        bytes[12..].copy_from_slice(&ip);
        v6(bytes, port)
    };
    let own = std::net::Ipv6Addr::LOCALHOST.octets();
    let mut to_many = [0; 16];
    (to_many[0], to_many[15]) = (0xff, 1);
    let nowhere =
        [[127, 0, 0, 1], [127, 1, 2, 3], [224, 0, 0, 1], [239, 1, 1, 1], [255, 255, 255, 255], [0; 4]];
    let mut addresses: Vec<Vec<u8>> = nowhere.iter().flat_map(|ip| [v4(*ip, 22), dressed(*ip, 22)]).collect();
    addresses.extend([
        v6(own, 22),
        v6(to_many, 22),
        v6([0; 16], 22),
        v4([192, 0, 2, 9], 0),
        dressed([192, 0, 2, 9], 0),
    ]);
    net.clear_log();
    for address in &addresses {
        net.inject(ada, place(1), &redirect_to(&tag, std::slice::from_ref(address)));
    }
    net.inject(ada, place(1), &redirect_to(&tag, &addresses));
    net.run_for(Duration::from_secs(20));
    assert!(net.sent().iter().all(|sent| sent.to == place(1)), "{:?}", net.sent());
}

/// Bob, who lets Carol introduce others to him; and Carol's name for the session.
fn introduced_by_carol() -> (Net, Host, Host, SessionKey) {
    let mut net = Net::new(TRIP);
    let (carol, bob) = (net.add(endpoint("carol")), net.add(endpoint("bob")));
    let to_carol = dial(&mut net, bob, carol, "carol");
    net.run_for(Duration::from_secs(1));
    net.with(bob, |bob, _| bob.set_forwarded_hello(to_carol, ForwardedHello::Answer));
    let with_bob = opened(&net, carol).expect("Bob's session");
    net.run_for(Duration::from_secs(1));
    net.clear_log();
    (net, carol, bob, with_bob)
}

#[test]
fn forwarded_hellos_in_a_flood_have_us_answer_64_at_once_and_20_a_second_and_keep_nothing() {
    let (mut net, carol, bob, with_bob) = introduced_by_carol();
    let (sessions, held) = (net.machine(bob).sessions(), net.machine(bob).held_bytes());
    for number in 0..10_000_u32 {
        let victim = KnownAddress { address: place(number), origin: AddressOrigin::Observed };
        net.with(carol, |carol, now| carol.forward_hello(now, with_bob, b"bob", victim, b"0123456789abcdef"));
        net.run_for(Duration::from_millis(1));
    }
    net.run_for(Duration::from_secs(1));
    let answers: Vec<_> =
        sent_by(&net, bob).into_iter().filter(|seen| seen.payload(RHELLO).is_some()).collect();
    assert!((200..=64 + 11 * 20 + 1).contains(&answers.len()), "{} answers in eleven seconds", answers.len());
    let bob_now = net.machine(bob);
    assert_eq!((bob_now.sessions(), bob_now.agreements_begun()), (sessions, 0));
    assert!(bob_now.held_bytes() <= held + 1_000);
}

#[test]
fn a_forwarded_hello_has_nobody_answer_to_the_machine_itself_to_many_or_to_nowhere() {
    let (mut net, carol, bob, with_bob) = introduced_by_carol();
    for address in [
        "127.0.0.1:22",
        "[::1]:22",
        "[::ffff:127.0.0.1]:22",
        "224.0.0.1:5",
        "255.255.255.255:5",
        "0.0.0.0:5",
        "192.0.2.1:0",
    ] {
        let victim = KnownAddress { address: address.parse().unwrap(), origin: AddressOrigin::Observed };
        net.with(carol, |carol, now| carol.forward_hello(now, with_bob, b"bob", victim, b"0123456789abcdef"));
        net.run_for(Duration::from_millis(100));
    }
    assert!(payloads(&net, bob, RHELLO).is_empty());
}

#[test]
fn an_introducer_that_names_somebody_else_is_found_out_and_the_one_who_was_meant_is_reached_all_the_same() {
    let (mut net, ada, _, tag) = dialling();
    let (mallory, bob) = (net.add(endpoint("mallory")), net.add(endpoint("bob")));
    let all = [net.address(mallory), net.address(bob)];
    net.inject(ada, place(1), &redirect(&tag, &all));
    net.run_for(Duration::from_secs(2));
    let session = opened(&net, ada).expect("a session");
    assert_eq!(net.machine(ada).route(session), Some(net.route_to(bob)));
    assert_eq!(net.machine(mallory).agreements_begun(), 0);
}
