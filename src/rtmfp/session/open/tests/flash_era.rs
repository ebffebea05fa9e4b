//! What is different towards a far end of Flash's time, chunk by chunk.

use std::time::Duration;

use super::lone::{Lone, PLAIN, Packet, ack, ack_with_room, acks_in, data, data_in, first_data, ms, patient};
use super::pair::route;
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{ReceiveFlowId, WriteOptions};
use crate::rtmfp::machine::{Ecn, Route};
use crate::rtmfp::session::open::SessionSettings;
use crate::rtmfp::session::packing::Packing;
use crate::rtmfp::wire::chunk::{self, Chunk};
use crate::rtmfp::wire::packet::{PacketHeader, chunks};

const FLOW: ReceiveFlowId = ReceiveFlowId(2);

fn flash_era() -> Lone {
    Lone::with_settings(SessionSettings { dialect: Dialect::FlashEra, ..patient() })
}

/// Hears a packet from another address; answers what goes there at once.
fn hears_from(lone: &mut Lone, from: Route, said: &[Chunk<'_>]) -> Vec<(Route, Vec<u8>)> {
    let mut datagram = vec![0; 4];
    PLAIN.write(&mut datagram);
    said.iter().for_each(|chunk| chunk.write(&mut datagram));
    assert!(lone.session.on_datagram(lone.now, from, None, &mut datagram));
    let (mut sent, mut out) = (Vec::new(), Vec::new());
    while let Some(transmit) = lone.session.poll_transmit(lone.now, &mut Packing::default(), &mut out) {
        let (_, body) = PacketHeader::parse(&out[4..]).expect("what we send can be read");
        sent.push((transmit.route, chunks(body).flatten().map(|raw| raw.kind).collect()));
        out.clear();
    }
    sent
}

#[test]
fn every_packet_has_a_timestamp_and_no_echo_comes_without_one() {
    let mut lone = flash_era();
    let flow = lone.open_flow();
    let mut packets: Vec<Packet> = (0..3).flat_map(|_| lone.writes(flow, b"x")).collect();
    packets.extend(lone.hears_with(PacketHeader { timestamp: Some(9), ..PLAIN }, &[ack(flow, 3, &[])]));
    packets.extend(lone.hears(&[first_data(2, 1, 0), data(2, 3, 0)]));
    assert!(packets.len() > 3 && packets.iter().all(|packet| packet.header.timestamp.is_some()));
}

#[test]
fn datagrams_are_at_most_1192_bytes_long_from_the_first_on_and_nothing_is_probed() {
    let mut lone = flash_era();
    let flow = lone.open_flow();
    lone.queue(flow, &[7; 40_000], WriteOptions::default());
    let (mut longest, mut out) = (0, Vec::new());
    while let Some(transmit) = lone.session.poll_transmit(lone.now, &mut Packing::default(), &mut out) {
        longest = longest.max(transmit.segment_size);
        out.clear();
    }
    assert!((1192 - 16..=1192).contains(&longest), "{longest} bytes");
    let pings = lone
        .wait(Duration::from_secs(60))
        .iter()
        .filter(|packet| packet.kinds().contains(&chunk::PING))
        .count();
    assert_eq!(pings, 0);
}

#[test]
fn what_arrived_is_told_in_ranges_even_where_bits_are_shorter() {
    let odd = |lone: &mut Lone| {
        lone.hears(&[first_data(2, 1, 0)]);
        let holes: Vec<Chunk<'_>> = (2..40).map(|number| data(2, 2 * number, 0)).collect();
        lone.hears(&holes).iter().flat_map(Packet::kinds).collect::<Vec<u8>>()
    };
    assert!(odd(&mut Lone::new()).contains(&chunk::BITMAP_ACK), "bits are shorter here");
    let said = odd(&mut flash_era());
    assert!(said.contains(&chunk::RANGE_ACK) && !said.contains(&chunk::BITMAP_ACK), "{said:?}");
}

#[test]
fn more_holes_than_fit_a_packet_are_told_of_as_far_as_they_fit() {
    let mut lone = flash_era();
    lone.hears(&[first_data(2, 1, 0)]);
    let mut last = Vec::new();
    for from in 0..30 {
        let holes: Vec<Chunk<'_>> = (0..40).map(|n| data(2, 3 + 2 * (from * 40 + n), 0)).collect();
        last = lone.hears(&holes);
    }
    let told = acks_in(&last);
    assert!(last.iter().all(|packet| packet.length() < 1192), "it fits");
    assert!(told.iter().any(|ack| ack.islands.len() > 400), "and says what it can");
}

#[test]
fn a_window_of_nothing_is_never_told_of_and_never_asked_about() {
    let mut lone = flash_era();
    lone.hears(&[first_data(2, 1, 0)]);
    lone.session.suspend_flow(FLOW);
    let told = acks_in(&lone.hears(&[data(2, 2, 0), data(2, 4, 0)]));
    assert!(!told.is_empty() && told.iter().all(|ack| ack.free_bytes > 0), "{told:?}");
    let flow = lone.open_flow();
    lone.writes(flow, b"x");
    lone.hears(&[ack_with_room(flow, 0, 1, &[])]);
    lone.writes(flow, b"y");
    let said = lone.wait(Duration::from_secs(120));
    assert!(said.iter().all(|packet| !packet.kinds().contains(&chunk::BUFFER_PROBE)));
}

#[test]
fn the_end_of_a_flow_is_a_fragment_of_its_own_empty_and_after_everything_else() {
    let mut lone = flash_era();
    let flow = lone.open_flow();
    lone.queue(flow, b"last words", WriteOptions::default());
    lone.session.close_flow(lone.now, flow);
    let said = data_in(&lone.says());
    assert_eq!(said.iter().map(|part| (part.sequence, part.finished)).collect::<Vec<_>>(), [(1, false)]);
    let said = data_in(&lone.hears(&[ack(flow, 1, &[])]));
    let [end] = &said[..] else { panic!("one fragment, not {said:?}") };
    assert!(end.sequence == 2 && end.finished && end.abandoned && end.data.is_empty());
}

/// Flash-era programs go by the numbers alone: each must come, in data or given up, and one given up may be taken for
/// the end of all before it.
#[test]
fn every_given_up_number_is_told_of_when_all_before_it_are_settled() {
    let mut lone = flash_era();
    let flow = lone.open_flow();
    let soon = WriteOptions { finish_by: Some(lone.now + ms(100)), ..WriteOptions::default() };
    lone.writes(flow, b"one");
    for _ in 0..2 {
        lone.queue(flow, b"two and three, in time or never", soon);
    }
    lone.queue(flow, b"four", WriteOptions::default());
    lone.says();
    lone.wait(ms(150));
    // Two and three were lost, and their time is over.
    assert_eq!(numbers(&lone.hears(&[ack(flow, 0, &[4..=4])])), []);
    let after_one = lone.hears(&[ack(flow, 1, &[4..=4])]);
    let retried = lone.wait(Duration::from_secs(4));
    let told: Vec<_> = numbers(&after_one).into_iter().chain(numbers(&retried)).collect();
    assert!(told.starts_with(&[(2, true), (3, true)]), "{told:?}");
    lone.hears(&[ack(flow, 4, &[])]);
    assert_eq!(numbers(&lone.wait(Duration::from_secs(20))), []);
}

fn numbers(packets: &[Packet]) -> Vec<(u64, bool)> {
    data_in(packets).iter().map(|part| (part.sequence, part.abandoned)).collect()
}

#[test]
fn it_is_followed_to_another_address_when_it_replies_from_there_though_with_nothing() {
    let (mut lone, elsewhere) = (flash_era(), route(77));
    let sent = hears_from(&mut lone, elsewhere, &[]);
    assert_eq!(sent, [(elsewhere, vec![chunk::PING])]);
    assert_eq!(lone.session.route(), route(2), "one packet from there is no reason");
    hears_from(&mut lone, route(78), &[Chunk::PingReply { echo: &[] }]);
    assert_eq!(lone.session.route(), route(2), "nor a reply from a third address");
    hears_from(&mut lone, elsewhere, &[Chunk::PingReply { echo: &[] }]);
    assert_eq!(lone.session.route(), elsewhere);
}

#[test]
fn a_far_end_that_speaks_all_of_the_rfc_is_not_followed_by_an_empty_reply() {
    let (mut lone, elsewhere) = (Lone::new(), route(77));
    hears_from(&mut lone, elsewhere, &[]);
    hears_from(&mut lone, elsewhere, &[Chunk::PingReply { echo: &[] }]);
    assert_eq!(lone.session.route(), route(2));
}

#[test]
fn marks_of_congestion_are_neither_made_nor_told_of() {
    let mut lone = flash_era();
    let flow = lone.open_flow();
    lone.queue(flow, b"x", WriteOptions::default());
    let mut out = Vec::new();
    let transmit = lone.session.poll_transmit(lone.now, &mut Packing::default(), &mut out).expect("a packet");
    assert_eq!(transmit.ecn, None);
    let mut datagram = vec![0; 4];
    PLAIN.write(&mut datagram);
    [first_data(2, 1, 0), data(2, 3, 0)].iter().for_each(|chunk| chunk.write(&mut datagram));
    assert!(lone.session.on_datagram(lone.now, route(2), Some(Ecn::CongestionExperienced), &mut datagram));
    let kinds: Vec<u8> = lone.says().iter().flat_map(Packet::kinds).collect();
    assert!(kinds.contains(&chunk::RANGE_ACK) && !kinds.contains(&0xec), "{kinds:?}");
}
