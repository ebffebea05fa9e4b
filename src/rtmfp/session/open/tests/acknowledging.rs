//! When a receiver acknowledges, and what it says (RFC 7016 §2.3.13 to §2.3.16, §3.6.3.4).

use std::collections::BTreeMap;

use super::lone::{Lone, Packet, acks_in, data, first_data, fragment, ms, opening, patient};
use crate::rtmfp::endpoint::{ReceiveFlowId, WriteOptions};
use crate::rtmfp::limits;
use crate::rtmfp::session::open::SessionSettings;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::user_data::{FragmentPlace, NextUserData, UserData};

const FLOW: u64 = 5;

/// A receiver whose flow is open, acknowledged, and owes nothing.
fn settled() -> Lone {
    let mut bob = Lone::new();
    bob.hears(&[first_data(FLOW, 1, 0)]);
    assert!(bob.wait(ms(300)).is_empty());
    bob
}

/// Whether these chunks are answered at once by one acknowledgement of the flow; else it comes after 200 ms.
fn at_once(bob: &mut Lone, chunks: &[Chunk<'_>]) -> bool {
    let now = acks_in(&bob.hears(chunks)).len();
    let later = acks_in(&bob.wait(ms(300))).len();
    assert_eq!(now + later, 1, "one acknowledgement, now or later");
    now == 1
}

/// Conforms: 7016-3.6.3.2-a, 7016-3.6.3.2-i, 7016-3.6.3.4.1-j, 7016-3.6.3.4.4-a
#[test]
fn data_in_order_is_acknowledged_after_two_hundred_milliseconds_and_not_before() {
    for chunks in [vec![data(FLOW, 2, 1)], vec![data(FLOW, 2, 1), Chunk::NextUserData(next_user_data())]] {
        let mut bob = settled();
        assert!(bob.hears(&chunks).is_empty());
        assert!(bob.wait(ms(199)).is_empty());
        assert_eq!(acks_in(&bob.wait(ms(1))).len(), 1);
        // Nothing more is owed.
        assert!(bob.wait(ms(5000)).is_empty());
    }
}

fn next_user_data() -> NextUserData<'static> {
    NextUserData {
        fragment: FragmentPlace::Whole,
        abandoned: false,
        finished: false,
        unknown_option: None,
        data: b"y",
    }
}

/// Conforms: 7016-3.6.3.2-j, 7016-3.6.3.4.1-h
#[test]
fn every_second_packet_with_data_of_whatever_flow_is_acknowledged_at_once() {
    let mut bob = settled();
    bob.hears(&[first_data(6, 1, 0)]);
    assert!(bob.hears(&[data(FLOW, 2, 1)]).is_empty());
    let flows: Vec<u64> =
        acks_in(&bob.hears(&[data(6, 2, 1), data(6, 3, 1)])).iter().map(|ack| ack.flow_id).collect();
    assert_eq!(flows, [5, 6]);
    // Packets without data do not count.
    assert!(bob.hears(&[data(FLOW, 3, 1)]).is_empty());
    assert!(acks_in(&bob.hears(&[Chunk::Ping { message: b"" }])).len() <= 1);
}

/// Conforms: 7016-3.6.3.2-c, 7016-3.6.3.4.1-b
#[test]
fn data_of_a_flow_that_is_not_open_and_abandoned_data_are_acknowledged_at_once() {
    let mut bob = settled();
    assert!(!at_once(&mut bob, &[data(FLOW, 2, 1)]));
    let given_up = UserData { abandoned: true, ..fragment(FLOW, 3, 3) };
    assert!(at_once(&mut bob, &[Chunk::UserData(given_up)]));
    assert!(!at_once(&mut bob, &[data(FLOW, 4, 1)]));
    let now = bob.now;
    bob.session.reject_flow(now, ReceiveFlowId(FLOW), 9);
    bob.says();
    assert!(at_once(&mut bob, &[data(FLOW, 5, 1)]), "rejected");
    assert!(at_once(&mut bob, &[Chunk::UserData(UserData { finished: true, ..fragment(FLOW, 6, 1) })]));
    assert!(at_once(&mut bob, &[data(FLOW, 6, 1)]), "lingering");
}

/// Conforms: 7016-3.6.3.2-d, 7016-3.6.3.4.1-c
#[test]
fn data_is_acknowledged_at_once_if_there_is_a_gap_before_it_or_after_it() {
    let mut bob = settled();
    assert!(at_once(&mut bob, &[data(FLOW, 3, 1)]), "makes one");
    assert!(at_once(&mut bob, &[data(FLOW, 4, 1)]), "leaves one");
    assert!(at_once(&mut bob, &[data(FLOW, 2, 1)]), "fills one");
    assert!(!at_once(&mut bob, &[data(FLOW, 5, 1)]));
}

/// Conforms: 7016-3.6.3.2-e, 7016-3.6.3.4.1-g
#[test]
fn a_duplicate_and_the_first_sight_of_the_last_number_are_acknowledged_at_once() {
    let mut bob = settled();
    assert!(!at_once(&mut bob, &[data(FLOW, 2, 1)]));
    assert!(at_once(&mut bob, &[data(FLOW, 2, 1)]));
    let last = UserData { finished: true, ..fragment(FLOW, 3, 1) };
    assert!(at_once(&mut bob, &[Chunk::UserData(last)]));
}

/// Conforms: 7016-3.6.3.4.1-f, slip-5
#[test]
fn data_that_leaves_less_than_a_block_of_room_is_acknowledged_at_once() {
    let mut bob = Lone::with_settings(SessionSettings { receive_window: 4096, ..patient() });
    bob.hears(&[first_data(FLOW, 1, 0)]);
    // Its user wants nothing for now, so that everything is held, though nothing is missing.
    bob.session.suspend_flow(ReceiveFlowId(FLOW));
    let piece = vec![7; 4096 - 1025 - limits::FRAGMENT_OVERHEAD];
    assert!(!at_once(&mut bob, &[Chunk::UserData(UserData { data: &piece, ..fragment(FLOW, 2, 0) })]));
    // A block and a byte were left, and told as two blocks: that is no reason yet.
    assert!(at_once(&mut bob, &[Chunk::UserData(UserData { data: b"", ..fragment(FLOW, 3, 0) })]));
}

/// Conforms: 7016-3.6.3.4.1-i, 7016-3.6.3.4.6-a
#[test]
fn acknowledgements_ride_along_with_others_and_with_data() {
    let mut bob = settled();
    bob.hears(&[first_data(6, 1, 0)]);
    bob.wait(ms(300));
    // One owed later goes with one owed now.
    assert!(bob.hears(&[data(FLOW, 2, 1)]).is_empty());
    let both = acks_in(&bob.hears(&[data(6, 3, 1)]));
    assert_eq!(both.iter().map(|ack| ack.flow_id).collect::<Vec<_>>(), [5, 6]);
    bob.hears(&[data(6, 2, 1)]);
    assert!(bob.wait(ms(1000)).is_empty(), "none is owed twice");
    // And with data of our own.
    assert!(bob.hears(&[data(FLOW, 3, 1)]).is_empty());
    let mine = bob.open_flow();
    let said = bob.writes(mine, b"mine");
    assert_eq!((said.len(), acks_in(&said).len()), (1, 1));
    // Which settles it: two more packets are one too few for a third acknowledgement.
    assert!(bob.wait(ms(1000)).iter().all(|packet| packet.acks().is_empty()));
    assert!(bob.hears(&[data(FLOW, 4, 1)]).is_empty());
    assert_eq!(acks_in(&bob.hears(&[data(FLOW, 5, 1)])).len(), 1);
}

/// Lets every second number of a flow be lost, from 3 on.
fn with_holes(bob: &mut Lone, flow: u64, holes: u64, spread: u64) -> Vec<Packet> {
    let mut said = bob.hears(&[first_data(flow, 1, 0)]);
    for hole in 0..holes {
        said = bob.hears(&[data(flow, 3 + hole * spread, 1)]);
    }
    said
}

/// Conforms: 7016-2.3.13-a, 7016-2.3.14-a, 7016-3.6.3.4.3-a
#[test]
fn the_shorter_of_the_two_forms_is_sent() {
    // Every second number: a bit says it shorter than a pair of numbers.
    assert_eq!(with_holes(&mut Lone::new(), FLOW, 20, 2).last().expect("an answer").kinds(), [0x50]);
    // One long hole: a pair is shorter.
    assert_eq!(with_holes(&mut Lone::new(), FLOW, 2, 200).last().expect("an answer").kinds(), [0x51]);
    // The same news either way.
    for spread in [2, 200] {
        let ack = acks_in(&with_holes(&mut Lone::new(), FLOW, 3, spread)).remove(0);
        let expected: Vec<_> = (0..3).map(|hole| 3 + hole * spread..=3 + hole * spread).collect();
        assert_eq!((ack.cumulative, ack.islands), (1, expected));
    }
}

/// Conforms: 7016-3.6.3.4.2-a
#[test]
fn an_acknowledgement_too_long_for_a_packet_is_cut_if_it_is_the_first_and_waits_for_the_next_if_it_is_not() {
    let mut bob = Lone::new();
    let said = with_holes(&mut bob, FLOW, 700, 300);
    let cut = acks_in(&said);
    assert_eq!(cut.len(), 1);
    assert!(said[0].length() <= limits::DATAGRAM_SIZE - 4 && cut[0].islands.len() < 700);
    assert!(cut[0].islands.len() > 250, "no more is cut than must be: {}", cut[0].islands.len());
    // Two flows, whose news fill more than half a packet each.
    let mut bob = Lone::new();
    for flow in [5, 6] {
        with_holes(&mut bob, flow, 250, 300);
    }
    let said = bob.hears(&[data(5, 100_000, 1), data(6, 100_000, 1)]);
    let per_packet: Vec<Vec<(u64, usize)>> = said
        .iter()
        .map(|packet| packet.acks().iter().map(|ack| (ack.flow_id, ack.islands.len())).collect())
        .collect();
    assert_eq!(per_packet, [vec![(5, 251)], vec![(6, 251)]]);
}

/// Conforms: 7016-3.6.3.4-a, 7016-3.6.1.3-a, 7016-3.6.1.3-b, 7016-2.3.13-d, 7016-2.3.14-d, 7016-3.6.3.2-h, 7016-3.6.3.3-b
#[test]
fn what_is_acknowledged_is_what_came_and_what_the_forward_number_passed_and_nothing_else() {
    for rejected in [false, true] {
        let mut bob = Lone::new();
        let mut chance = crate::rtmfp::chance::Chance::new([u8::from(rejected); 32]);
        bob.hears(&[first_data(FLOW, 1, 0)]);
        let now = bob.now;
        if rejected {
            bob.session.reject_flow(now, ReceiveFlowId(FLOW), 1);
        }
        let mut seen: BTreeMap<u64, ()> = BTreeMap::from([(0, ()), (1, ())]);
        let mut forward = 0;
        for _ in 0..400 {
            let number = 2 + u64::from(chance.u32()) % 300;
            let abandoned = chance.u32().is_multiple_of(5);
            forward = if chance.u32().is_multiple_of(40) { forward.max(number - 1) } else { forward };
            let passed = forward.min(number - 1);
            let chunk = UserData { abandoned, ..fragment(FLOW, number, passed) };
            seen.insert(number, ());
            seen.extend((0..=passed).map(|number| (number, ())));
            let mut said = acks_in(&bob.hears(&[Chunk::UserData(chunk)]));
            let Some(ack) = said.pop() else { continue };
            let acknowledged: Vec<u64> =
                (0..=ack.cumulative).chain(ack.islands.into_iter().flatten()).collect();
            assert!(acknowledged.iter().eq(seen.keys()), "rejected: {rejected}");
            let contiguous = (0..).take_while(|number| seen.contains_key(number)).last();
            assert_eq!(Some(ack.cumulative), contiguous);
            assert!(ack.cumulative >= passed);
        }
    }
}

/// Conforms: 7016-2.3.16-b, 7016-3.6.3.4.3-b, 7016-3.6.3.7-a
#[test]
fn every_acknowledgement_of_a_rejected_flow_follows_a_report_with_the_code_of_the_user() {
    let mut bob = settled();
    bob.hears(&[data(FLOW, 3, 1)]);
    let now = bob.now;
    bob.session.reject_flow(now, ReceiveFlowId(FLOW), 300);
    assert_eq!(bob.session.receive_flows[&ReceiveFlowId(FLOW)].held_bytes(), 0);
    let mut said = bob.says();
    assert_eq!(said.len(), 1, "at once");
    said.extend(bob.hears(&[data(FLOW, 4, 1)]));
    said.extend(bob.hears(&[Chunk::BufferProbe { flow_id: FLOW }]));
    assert_eq!(said.len(), 3);
    for packet in said {
        let chunks = packet.chunks();
        assert_eq!(chunks[0], Chunk::FlowException { flow_id: FLOW, code: 300 });
        assert!(matches!(&chunks[1], Chunk::Ack(ack) if ack.flow_id == FLOW) && chunks.len() == 2);
    }
    assert_eq!(bob.messages().len(), 1, "what came before; nothing after");
}

/// Conforms: 7016-3.6.3.2-b
#[test]
fn an_option_nobody_knows_rejects_a_flow_later_too_and_its_user_is_told() {
    let mut bytes = Vec::new();
    Chunk::UserData(opening(FLOW, 2, 1)).write(&mut bytes);
    let at = bytes.len() - 2;
    bytes.splice(at..at, [1, 0x0b]);
    bytes[2] += 2;
    let mut bob = settled();
    let said = bob.hears_bytes(super::lone::PLAIN, &bytes);
    assert_eq!(said[0].chunks()[0], Chunk::FlowException { flow_id: FLOW, code: 0 });
    let failed = |event: &crate::rtmfp::Event| matches!(event, crate::rtmfp::Event::FlowFailed { .. });
    assert_eq!(bob.events.iter().filter(|event| failed(event)).count(), 1);
    // Once it is rejected it is not rejected again.
    bytes[5] += 1;
    bob.hears_bytes(super::lone::PLAIN, &bytes);
    assert_eq!(bob.events.iter().filter(|event| failed(event)).count(), 1);
}

#[test]
fn packets_that_go_anyway_carry_what_is_owed() {
    let mut bob = settled();
    let mine = bob.open_flow();
    bob.hears(&[data(FLOW, 2, 1)]);
    bob.queue(mine, b"x", WriteOptions::default());
    assert_eq!(acks_in(&bob.says()).len(), 1);
    assert!(bob.wait(ms(250)).is_empty());
}
