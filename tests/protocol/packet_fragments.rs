//! Startup packets too long for one datagram (RFC 7016 §2.3.1, §3.4).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::endpoint::Delivery;
use tincan::rtmfp::testing::plain_crypto::Plain;
use tincan::rtmfp::{PathId, Route};

use crate::support::raw::{
    FRAGMENT, IHELLO, RHELLO, Seen, chunk, chunks, counted, ihello, parts_of_rhello, payloads, rhello,
    sent_by, split_counted, split_vlu, startup, under_default_key, vlu,
};
use crate::support::scenario::{
    Net, TRIP, accept_flows, endpoint, messages, opened_at, send, session_between_ada_and_bob,
};
use crate::support::virtual_network::Host;

fn stranger(number: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], number))
}

/// Somebody with a certificate of so many bytes, and the short discriminator that selects it.
fn somebody(length: usize) -> (Net, Host, Vec<u8>) {
    let name = "b".repeat(length);
    let plain = Plain::new(&name);
    let mut net = Net::new(TRIP);
    let host = net.add(endpoint(&name));
    (net, host, plain.discriminator_of(plain.peer_id()))
}

/// A piece of a packet, as a host sent it.
struct Piece {
    seen: Seen,
    more: bool,
    packet_id: usize,
    number: usize,
    data: Vec<u8>,
}

fn pieces(net: &Net, host: Host) -> Vec<Piece> {
    let cut = |seen: Seen| {
        let payload = seen.payload(FRAGMENT)?.to_vec();
        let (packet_id, rest) = split_vlu(&payload[1..]);
        let (number, data) = split_vlu(rest);
        Some(Piece { more: payload[0] == 0x80, packet_id, number, data: data.to_vec(), seen })
    };
    sent_by(net, host).into_iter().filter_map(cut).collect()
}

/// A piece that a stranger sends, in a packet of this mode.
fn piece(mode: u8, more: bool, packet_id: usize, number: usize, data: &[u8]) -> Vec<u8> {
    let payload = [&[if more { 0x80 } else { 0 }][..], &vlu(packet_id), &vlu(number), data].concat();
    under_default_key(0, &[&[mode], &chunk(FRAGMENT, &payload)[..]].concat())
}

/// A plain packet with a hello for Bob.
fn plain_hello(mode: u8, tag: &[u8]) -> Vec<u8> {
    [&[mode], &chunk(IHELLO, &[&counted(b"bob"), tag].concat())[..]].concat()
}

/// Conforms: 7016-2.3.1-b, 7016-2.3.1-c, 7016-2.3.1-d, 7016-3.4-b, 7016-3.4-h
#[test]
fn a_long_packet_leaves_as_pieces_numbered_from_0_of_the_plain_packet() {
    let (mut net, host, epd) = somebody(3000);
    net.inject(host, stranger(1), &ihello(&epd, b"tag"));
    net.run_for(Duration::from_secs(2));
    let pieces = pieces(&net, host);
    assert_eq!((pieces.len(), net.sent().len()), (3, 3), "one to a datagram");
    for (number, piece) in pieces.iter().enumerate() {
        assert_eq!((piece.number, piece.packet_id), (number, pieces[0].packet_id));
        assert_eq!(piece.more, number < 2);
        assert!(!piece.data.is_empty());
        assert_eq!((piece.seen.session_id, piece.seen.flags & 3, piece.seen.chunks.len()), (0, 3, 1));
    }
    assert!(net.sent().iter().all(|sent| sent.bytes.len() <= 1200));
    let whole: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.data).collect();
    assert_eq!(whole[0], 3, "the flags of the packet that was cut are part of it");
    let inside = chunks(&whole[1..]);
    let (tag, _, certificate) = parts_of_rhello(&inside[0].1);
    assert_eq!((inside[0].0, tag, certificate.len()), (RHELLO, &b"tag"[..], 3000));

    // Another packet has another ID.
    net.inject(host, stranger(1), &ihello(&epd, b"tag"));
    net.run_for(Duration::from_secs(2));
    let ids: Vec<usize> = self::pieces(&net, host).iter().map(|piece| piece.packet_id).collect();
    assert!(ids[3..].iter().all(|id| *id == ids[3] && *id != ids[0]));
}

/// Conforms: 7016-3.4-k, 7016-3.4-l
#[test]
fn no_endpoint_gets_more_than_four_pieces_or_4380_bytes_in_200_milliseconds() {
    let mut net = Net::new(TRIP);
    let ada = net.add(endpoint(&"a".repeat(12_000)));
    for (number, name) in [(1, "bob"), (2, "carol"), (3, "dave")] {
        let there = Route { via: PathId(0), address: stranger(number) };
        let wanted = Bytes::from_static(name.as_bytes());
        net.with(ada, |endpoint, now| endpoint.open_session(now, wanted, &[there]));
        let hello = payloads(&net, ada, IHELLO).pop().expect("a hello");
        let (_, tag) = split_counted(&hello);
        net.inject(ada, stranger(number), &rhello(tag, b"cookie", name.as_bytes()));
    }
    // Her keying goes to each of them at once, and again after half a second.
    net.run_for(Duration::from_millis(2_400));
    for number in 1..=3 {
        let of_it: Vec<(Duration, usize)> = net
            .sent()
            .iter()
            .filter(|sent| sent.to == stranger(number))
            .skip(1)
            .map(|sent| (sent.at, sent.bytes.len()))
            .collect();
        assert_eq!(of_it.len(), 22, "two packets of eleven pieces, and none is left behind");
        for (start, _) in &of_it {
            let until = *start + Duration::from_millis(200);
            let window = of_it.iter().filter(|(at, _)| (*start..until).contains(at));
            let sizes: Vec<usize> = window.map(|(_, size)| *size).collect();
            assert!(sizes.len() <= 4 && sizes.iter().sum::<usize>() <= 4380, "{sizes:?} from {start:?}");
        }
        let took = of_it[10].0 - of_it[0].0;
        assert!(took <= Duration::from_millis(3 * 200), "three at a time at least, without a pause");
    }
}

#[test]
fn two_with_long_certificates_meet_as_fast_as_their_pieces_may_go() {
    let mut net = Net::new(TRIP);
    let (ada, bob) = (net.add(endpoint(&"a".repeat(5000))), net.add(endpoint(&"b".repeat(5000))));
    let (bob_is, route) = (net.machine(bob).own_peer_id().unwrap(), net.route_to(bob));
    net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bob_is, &[route]));
    net.run_until(Duration::from_secs(10));
    // His answer and her keying take five pieces each.
    let waits = 2 * Duration::from_millis(200);
    assert_eq!(
        (opened_at(&net, ada), opened_at(&net, bob)),
        (Some(4 * TRIP + waits), Some(5 * TRIP + waits))
    );
}

/// Conforms: 7016-3.4-d, 7016-3.4-e
#[test]
fn pieces_in_any_order_and_twice_make_their_packet_but_only_those_of_one_address() {
    let mut net = Net::new(TRIP);
    let bob = net.add(endpoint("bob"));
    let (one, two) = (plain_hello(3, b"one, long enough"), plain_hello(3, b"two, long enough"));
    // Both strangers happen on the same packet ID.
    for number in [2, 0, 2, 3, 0] {
        for (from, plain) in [(1, &one), (2, &two)] {
            let cut = piece(3, number < 3, 7, number, plain.chunks(6).nth(number).unwrap());
            net.inject(bob, stranger(from), &cut);
        }
    }
    net.inject(bob, stranger(3), &piece(3, true, 7, 1, &one[6..12]));
    net.inject(bob, stranger(1), &piece(3, true, 8, 1, &one[6..12]));
    assert!(net.sent().is_empty(), "the missing piece came from elsewhere, or for another packet");
    net.inject(bob, stranger(2), &piece(3, true, 7, 1, &two[6..12]));
    net.inject(bob, stranger(1), &piece(3, true, 7, 1, &one[6..12]));
    // Cut in six bytes each, both have one piece more.
    for (from, plain) in [(2, &two), (1, &one)] {
        assert_eq!(plain.chunks(6).count(), 4);
        let answer =
            sent_by(&net, bob).into_iter().find(|seen| seen.to == stranger(from)).expect("an answer");
        let (tag, ..) = parts_of_rhello(answer.payload(RHELLO).unwrap());
        assert!(plain.ends_with(tag));
    }
    assert_eq!(net.sent().len(), 2);
}

/// Conforms: 7016-3.4-g, 7016-3.4-i, 7016-3.4-j
#[test]
fn empty_pieces_and_those_in_packets_of_another_mode_and_packets_of_another_mode_are_dropped() {
    let plain = plain_hello(3, b"tag");
    let halves = plain.split_at(5);
    let wrong = plain_hello(1, b"tag");
    for (datagrams, answers) in [
        (vec![piece(3, true, 1, 0, halves.0), piece(3, false, 1, 1, halves.1)], 1),
        (vec![piece(3, true, 1, 0, halves.0), piece(1, false, 1, 1, halves.1)], 0),
        (vec![piece(3, true, 1, 0, halves.0), piece(0, false, 1, 1, halves.1)], 0),
        (vec![piece(3, true, 1, 0, &wrong[..5]), piece(3, false, 1, 1, &wrong[5..])], 0),
        (
            vec![piece(3, false, 1, 2, b""), piece(3, true, 1, 0, halves.0), piece(3, false, 1, 1, halves.1)],
            1,
        ),
        (
            vec![piece(3, false, 1, 0, b""), piece(3, true, 1, 0, halves.0), piece(3, false, 1, 1, halves.1)],
            1,
        ),
    ] {
        let mut net = Net::new(TRIP);
        let bob = net.add(endpoint("bob"));
        datagrams.iter().for_each(|datagram| net.inject(bob, stranger(1), datagram));
        assert_eq!(payloads(&net, bob, RHELLO).len(), answers);
    }
}

/// Conforms: 7016-3.4-a, 7016-3.4-c
#[test]
fn what_fits_is_not_cut_and_messages_never_are_this_way() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    send(&mut net, ada, near, &[Bytes::from(vec![7; 100_000])]);
    net.run_for(Duration::from_secs(30));
    assert_eq!(messages(&net, bob).len(), 1);
    let all = [sent_by(&net, ada), sent_by(&net, bob)].concat();
    assert!(all.len() > 80 && all.iter().all(|seen| seen.payload(FRAGMENT).is_none()));
    // The longest hello that fits goes whole, and the next one does not.
    let (mut net, host, epd) = somebody(900);
    for (tag, cut) in [(216, 0), (217, 0), (218, 2)] {
        net.clear_log();
        net.inject(
            host,
            stranger(1),
            &startup(0, &chunk(IHELLO, &[&counted(&epd), &vec![1; tag][..]].concat())),
        );
        assert_eq!(pieces(&net, host).len(), cut, "tag of {tag} bytes");
    }
}
