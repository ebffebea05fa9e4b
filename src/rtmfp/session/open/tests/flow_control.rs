//! How much a receiver lets its sender send (RFC 7016 §3.6.2.9, §3.6.3.5), and flows whose user wants no messages for now
//! (§3.6.3.3).

use super::lone::{
    Lone, ack, ack_with_room, acks_in, data, data_in, first_data, fragment, ms, opening, patient,
};
use super::pair::{Ada, Bob, Pair, numbered, settings};
use crate::rtmfp::endpoint::{Delivery, Priority, ReceiveFlowId, WriteOptions};
use crate::rtmfp::event::Event;
use crate::rtmfp::limits;
use crate::rtmfp::session::open::SessionSettings;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::user_data::UserData;

const FLOW: ReceiveFlowId = ReceiveFlowId(7);

fn with_window(receive_window: usize) -> Lone {
    Lone::with_settings(SessionSettings { receive_window, ..patient() })
}

/// The last window told, in blocks of 1024 bytes.
fn blocks(packets: &[super::lone::Packet]) -> Option<u64> {
    acks_in(packets).last().map(|ack| ack.free_bytes / 1024)
}

/// Conforms: 7016-3.6.2.9-a, 7016-3.6.2.3-a, trap-12
#[test]
fn nothing_goes_out_while_as_much_is_in_flight_as_the_receiver_has_room_for() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let packets = ada.writes(flow, &[1; 500]);
    let size = packets[0].length() as u64;
    assert!(size < 1024, "{size} is less than a block");
    ada.hears(&[ack_with_room(flow, 1024, 0, &[])]);
    let more = ada.writes(flow, &[2; 510]);
    assert_eq!(data_in(&more).len(), 1, "1024 is more than {size}: it may overshoot by one fragment");
    assert_eq!(data_in(&ada.writes(flow, &[3; 10])).len(), 0);
    assert_eq!(data_in(&ada.hears(&[ack_with_room(flow, 2048, 0, &[])])).len(), 1);
}

/// Conforms: trap-12
#[test]
fn the_window_is_compared_with_whole_chunks_and_starts_at_sixty_four_blocks() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    // Empty messages: their data is nothing, but each is in flight with what its chunk takes.
    for _ in 0..3 {
        ada.queue(flow, b"", WriteOptions::default());
    }
    let packets = ada.says();
    assert_eq!(ada.session.in_flight.bytes(), packets[0].length());
    assert_eq!(limits::FIRST_RECEIVE_WINDOW, 65_536);
    assert!(ada.session.send_flows[&flow].window() == limits::FIRST_RECEIVE_WINDOW);
}

/// Conforms: 7016-3.6.2.4-b
#[test]
fn the_latest_window_counts_even_if_it_is_smaller() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, &[1; 1000]);
    ada.hears(&[ack_with_room(flow, 1 << 20, 0, &[])]);
    ada.hears(&[ack_with_room(flow, 1, 0, &[])]);
    assert_eq!(ada.session.send_flows[&flow].window(), 1024);
    ada.writes(flow, &[1; 100]);
    assert_eq!(data_in(&ada.writes(flow, b"no")).len(), 0);
}

/// Conforms: 7016-3.6.2.9.1-a, 7016-3.6.2.9.1-c, 7016-3.6.2.9.1-d, 7016-3.6.2.9.1-e
#[test]
fn a_far_end_without_room_is_probed_within_a_second_and_then_ever_more_slowly() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"one");
    ada.skip(ms(100));
    ada.hears(&[ack_with_room(flow, 0, 1, &[])]);
    let closed = ada.elapsed();
    let probe = Chunk::BufferProbe { flow_id: flow.0 };
    let said = ada.wait(ms(600_000));
    let probes: Vec<_> =
        said.iter().filter(|packet| packet.chunks().contains(&probe)).map(|packet| packet.at).collect();
    let waits: Vec<_> = probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(probes[0] - closed <= ms(1000), "{:?}", probes[0]);
    // Nothing was measured, so the retransmission timeout is three seconds, and longer than the second that is the least.
    assert!(waits[0] >= ms(3000) && waits[0] < ms(5000), "{waits:?}");
    assert!(waits.windows(2).all(|pair| pair[1] >= pair[0]), "{waits:?}");
    assert!(
        waits.iter().any(|wait| *wait > ms(50_000)) && waits.iter().all(|wait| *wait <= ms(60_000)),
        "{waits:?}"
    );
}

/// Conforms: 7016-3.6.2.9.1-f
#[test]
fn probing_stops_when_there_is_room() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"one");
    ada.hears(&[ack_with_room(flow, 0, 1, &[])]);
    ada.hears(&[ack_with_room(flow, 1, 1, &[])]);
    let said = ada.wait(ms(9000));
    assert!(said.iter().all(|packet| !packet.kinds().contains(&0x18)));
}

/// Conforms: 7016-3.6.3.5-b, 7016-3.6.3.5-c, trap-12
#[test]
fn the_window_is_what_the_capacity_leaves_in_blocks_rounded_up() {
    let held = |length: usize| length + limits::FRAGMENT_OVERHEAD;
    for (capacity, length, expected) in [
        (4096, 0, 4),
        (4096, 1024 - 64, 3),
        (4096, 1023 - 64, 4),
        (4097, 1024 - 64, 4),
        (4096, 4096 - 64, 1),
        (900, 0, 1),
    ] {
        let mut bob = with_window(capacity);
        // Behind a hole, so that it is held.
        let piece = vec![7; length];
        let mut chunk = opening(FLOW.0, 2, 0);
        chunk.data = &piece;
        let held = if length == 0 { 0 } else { held(length) };
        let said = if length == 0 {
            bob.hears(&[first_data(FLOW.0, 1, 0)])
        } else {
            bob.hears(&[Chunk::UserData(chunk)])
        };
        assert_eq!(blocks(&said), Some(expected), "{held} bytes of {capacity} held");
    }
}

/// Conforms: 7016-3.6.3.5-a, trap-12
#[test]
fn at_least_one_block_is_offered_however_full_a_flow_is_unless_it_may_hold_nothing() {
    let mut bob = with_window(3000);
    bob.hears(&[first_data(FLOW.0, 1, 0)]);
    let piece = [7; 1000];
    let mut said = Vec::new();
    for sequence in 3..9 {
        let chunk = UserData { data: &piece, ..fragment(FLOW.0, sequence, 0) };
        said = bob.hears(&[Chunk::UserData(chunk)]);
    }
    assert_eq!(blocks(&said), Some(1));
    let mut nothing = with_window(0);
    assert_eq!(blocks(&nothing.hears(&[first_data(FLOW.0, 1, 0)])), Some(0));
}

/// Conforms: 7016-3.6.3.3-h
#[test]
fn a_suspended_flow_holds_whole_messages_and_closes_its_window_until_it_is_resumed() {
    let mut bob = with_window(3000);
    bob.hears(&[first_data(FLOW.0, 1, 0)]);
    bob.session.suspend_flow(FLOW);
    let piece = [7; 1000];
    let mut said = Vec::new();
    for sequence in 2..5 {
        let chunk = UserData { data: &piece, ..fragment(FLOW.0, sequence, 0) };
        said.extend(bob.hears(&[Chunk::UserData(chunk)]));
    }
    assert_eq!((bob.messages().len(), blocks(&said)), (1, Some(0)));
    // A probe is told of the closed window too, and does not open it.
    assert_eq!(blocks(&bob.hears(&[Chunk::BufferProbe { flow_id: FLOW.0 }])), Some(0));
    let now = bob.now;
    bob.session.resume_flow(now, FLOW);
    let said = bob.says();
    assert_eq!((bob.messages().len(), blocks(&said)), (4, Some(3)), "and its sender hears of it at once");
}

#[test]
fn a_suspended_flow_in_arrival_order_gives_everything_whole_when_it_is_resumed() {
    let mut bob = Lone::new();
    bob.accepts = Some(Delivery::Arrival);
    bob.hears(&[first_data(FLOW.0, 1, 0)]);
    bob.session.suspend_flow(FLOW);
    for sequence in [3, 5, 7] {
        bob.hears(&[data(FLOW.0, sequence, 0)]);
    }
    let now = bob.now;
    bob.session.resume_flow(now, FLOW);
    bob.says();
    assert_eq!(bob.messages().len(), 4);
}

#[test]
fn a_suspended_flow_holds_no_more_than_its_limits_whatever_is_sent() {
    let small = SessionSettings { receive_window: 3000, largest_message: 2000, ..patient() };
    let mut bob = Lone::with_settings(small);
    bob.hears(&[first_data(FLOW.0, 1, 0)]);
    bob.session.suspend_flow(FLOW);
    let piece = [7; 1000];
    for sequence in 2..500 {
        let chunk = UserData { data: &piece, ..fragment(FLOW.0, sequence, 0) };
        bob.hears(&[Chunk::UserData(chunk)]);
    }
    let held = bob.session.receive_flows[&FLOW].held_bytes();
    assert!(held <= 3000 + 2000 + limits::FIRST_RECEIVE_WINDOW as usize, "{held}");
}

/// Conforms: 7016-3.6.3.8-b
#[test]
fn messages_held_by_a_suspended_flow_outlive_its_lingering_and_its_id_waits_for_them() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(FLOW.0, 1, 0)]);
    bob.session.suspend_flow(FLOW);
    bob.hears(&[Chunk::UserData(UserData { finished: true, ..fragment(FLOW.0, 2, 0) })]);
    bob.wait(ms(119_999));
    assert!(!bob.session.receive_flows[&FLOW].is_closed(bob.now));
    bob.wait(ms(1));
    assert!(bob.session.receive_flows[&FLOW].is_closed(bob.now));
    // Somebody who uses the ID again is not answered, so that he says it again later.
    assert!(acks_in(&bob.hears(&[first_data(FLOW.0, 1, 0)])).is_empty());
    let now = bob.now;
    bob.session.resume_flow(now, FLOW);
    bob.wait(ms(1));
    assert_eq!(bob.messages().len(), 2);
    assert!(matches!(bob.events.last(), Some(Event::FlowFinished { .. })));
    assert_eq!(acks_in(&bob.hears(&[first_data(FLOW.0, 1, 0)])).len(), 1);
    assert_eq!(bob.messages().len(), 3);
}

#[test]
fn a_flow_that_is_not_suspended_is_forgotten_after_two_minutes() {
    let mut bob = Lone::new();
    bob.hears(&[Chunk::UserData(UserData { finished: true, ..opening(FLOW.0, 1, 0) })]);
    bob.wait(ms(119_999));
    assert_eq!(bob.session.receive_flows.len(), 1);
    bob.wait(ms(1));
    assert_eq!(bob.session.receive_flows.len(), 0);
}

/// Conforms: 7016-3.6.3.6-a, 7016-2.3.15-b, 7016-3.6.3.4.1-d
#[test]
fn a_probe_is_answered_at_once_for_a_flow_that_exists_and_creates_none() {
    let mut bob = Lone::new();
    let probe = |bob: &mut Lone, flow_id| acks_in(&bob.hears(&[Chunk::BufferProbe { flow_id }]));
    bob.hears(&[first_data(FLOW.0, 1, 0)]);
    assert_eq!(probe(&mut bob, FLOW.0).len(), 1);
    assert_eq!(probe(&mut bob, 8).len(), 0);
    assert_eq!(bob.session.receive_flows.len(), 1);
    let now = bob.now;
    bob.session.reject_flow(now, FLOW, 3);
    bob.says();
    assert_eq!(probe(&mut bob, FLOW.0).len(), 1, "rejected");
    bob.hears(&[Chunk::UserData(UserData { finished: true, ..fragment(FLOW.0, 2, 0) })]);
    assert_eq!(probe(&mut bob, FLOW.0).len(), 1, "lingering");
    bob.skip(ms(120_000));
    assert_eq!(probe(&mut bob, FLOW.0).len(), 0, "closed");
}

#[test]
fn a_message_longer_than_the_window_gets_through_a_suspension() {
    let small = SessionSettings { receive_window: 8 * 1024, ..settings() };
    let mut pair = Pair::with_settings(settings(), small);
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, &numbered(1, 100), WriteOptions::default());
    pair.run_until(ms(100));
    pair.with(Bob, |bob, _| bob.suspend_flow(ReceiveFlowId(flow.0)));
    pair.write(Ada, flow, &numbered(2, 100_000), WriteOptions::default());
    pair.run_until(ms(8000));
    assert_eq!(pair.messages(Bob).len(), 1);
    pair.with(Bob, |bob, now| bob.resume_flow(now, ReceiveFlowId(flow.0)));
    pair.run_until(ms(16_000));
    assert_eq!(pair.messages(Bob).len(), 2);
}

/// Conforms: 7016-3.6.2.3-j
#[test]
fn a_refused_flow_finishes_although_its_receiver_has_no_room() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"one");
    ada.queue(flow, b"two", WriteOptions::default());
    let refusal = Chunk::FlowException { flow_id: flow.0, code: 5 };
    let said = ada.hears(&[refusal, ack_with_room(flow, 0, 0, &[])]);
    let last = data_in(&said).pop().expect("its last number");
    assert!(last.abandoned && last.finished, "{last:?}");
    ada.hears(&[ack(flow, last.sequence, &[])]);
    assert!(!ada.session.send_flows.contains_key(&flow));
}
