//! How flows end: closed by their senders (RFC 7016 §3.6.2.11), complete at their receivers (§3.6.3.8), or rejected
//! (§3.6.2.10, §3.6.3.7).

use super::lone::{Lone, ack, acks_in, data, data_in, first_data, fragment, ms};
use super::pair::{Ada, Bob, Pair};
use crate::rtmfp::endpoint::{Priority, ReceiveFlowId, SendFlowId, WriteOptions};
use crate::rtmfp::event::Event;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{PacketHeader, chunks};
use crate::rtmfp::wire::user_data::{FragmentPlace, UserData};

const FLOW: ReceiveFlowId = ReceiveFlowId(5);

fn close(ada: &mut Lone, flow: SendFlowId) -> Vec<super::lone::Fragment> {
    let now = ada.now;
    ada.session.close_flow(now, flow);
    data_in(&ada.says())
}

fn last(flow_id: u64, sequence: u64, forward: u64) -> Chunk<'static> {
    Chunk::UserData(UserData { finished: true, ..fragment(flow_id, sequence, forward) })
}

fn count(lone: &Lone, wanted: impl Fn(&Event) -> bool) -> usize {
    lone.events.iter().filter(|event| wanted(event)).count()
}

fn is_finished(event: &Event) -> bool {
    matches!(event, Event::FlowFinished { .. })
}

/// Conforms: 7016-3.6.2.11-a
#[test]
fn the_last_number_of_a_closed_flow_is_its_last_fragment_if_that_was_never_sent_else_a_new_empty_one() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.queue(flow, b"never sent", WriteOptions::default());
    let said = close(&mut ada, flow);
    assert_eq!((said.len(), said[0].sequence, said[0].finished, said[0].abandoned), (1, 1, true, false));

    // Sent before.
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"sent");
    let said = close(&mut ada, flow);
    assert_eq!((said.len(), said[0].sequence, said[0].finished, said[0].abandoned), (1, 2, true, true));
    assert_eq!(said[0].place, FragmentPlace::Whole);

    // Sent and acknowledged, so that nothing is queued.
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"sent");
    ada.hears(&[ack(flow, 1, &[])]);
    let said = close(&mut ada, flow);
    assert_eq!((said[0].sequence, said[0].forward, said[0].finished, said[0].abandoned), (2, 2, true, true));
}

/// Conforms: 7016-3.6.2.11-b, slip-10
#[test]
fn a_closed_flow_is_complete_when_everything_through_its_last_number_is_acknowledged() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"one");
    ada.queue(flow, b"two", WriteOptions::default());
    close(&mut ada, flow);
    let completed = |event: &Event| matches!(event, Event::FlowCompleted { flow: over, .. } if *over == flow);
    ada.hears(&[ack(flow, 0, &[2..=2])]);
    assert_eq!(count(&ada, completed), 0);
    ada.hears(&[ack(flow, 2, &[])]);
    assert_eq!(count(&ada, completed), 1);
    // What is said of it after that is of no account.
    ada.hears(&[ack(flow, 2, &[]), Chunk::FlowException { flow_id: flow.0, code: 1 }]);
    assert_eq!(ada.events.len(), 1);
}

/// Conforms: 7016-3.6.2.10-a, 7016-3.6.1.3-c, 7016-3.6.1.3-d
#[test]
fn a_sender_that_is_refused_tells_its_user_once_closes_the_flow_and_gives_up_what_is_queued() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"in flight");
    ada.queue(flow, b"queued", WriteOptions { report: true, ..WriteOptions::default() });
    let refusal = Chunk::FlowException { flow_id: flow.0, code: 77 };
    let said = data_in(&ada.hears(std::slice::from_ref(&refusal)));
    ada.hears(&[refusal]);
    assert_eq!(count(&ada, |event| matches!(event, Event::FlowRefused { code: 77, .. })), 1);
    assert_eq!(count(&ada, |event| matches!(event, Event::MessageDone { delivered: false, .. })), 1);
    let late = ada.session.write(ada.now, flow, bytes::Bytes::new(), WriteOptions::default());
    assert_eq!(late, Err(crate::rtmfp::Misuse::NoFlow));
    assert!(said.iter().all(|fragment| fragment.abandoned && fragment.data.is_empty()));
    assert_eq!(said.last().map(|fragment| (fragment.sequence, fragment.finished)), Some((2, true)));
}

/// Conforms: 7016-3.6.2.10-a
#[test]
fn a_flow_that_was_closed_before_it_was_refused_is_told_to_be_over_and_not_refused() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"in flight");
    close(&mut ada, flow);
    ada.hears(&[Chunk::FlowException { flow_id: flow.0, code: 77 }, ack(flow, 2, &[])]);
    assert_eq!(count(&ada, |event| matches!(event, Event::FlowRefused { .. })), 0);
    assert_eq!(count(&ada, |event| matches!(event, Event::FlowCompleted { .. })), 1);
}

/// Conforms: 7016-3.6.3.8-a, 7016-3.6.3.3-g
#[test]
fn a_receive_flow_is_complete_when_its_last_number_and_all_before_it_came() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(5, 1, 0)]);
    let told = acks_in(&bob.hears(&[last(5, 4, 1)]));
    assert_eq!((told.len(), count(&bob, is_finished)), (1, 0));
    bob.hears(&[data(5, 2, 1)]);
    assert_eq!(count(&bob, is_finished), 0);
    let told = acks_in(&bob.hears(&[data(5, 3, 1)]));
    assert_eq!((told[0].cumulative, told.len()), (4, 1));
    assert!(is_finished(bob.events.last().expect("events")) && count(&bob, is_finished) == 1);
    assert_eq!(bob.messages().len(), 4);
    // A rejected one is complete too, without a word to its user.
    let mut bob = Lone::new();
    bob.hears(&[first_data(6, 1, 0)]);
    let now = bob.now;
    bob.session.reject_flow(now, ReceiveFlowId(6), 1);
    assert_eq!(acks_in(&bob.hears(&[last(6, 2, 1)])).len(), 1);
    assert!(bob.session.receive_flows[&ReceiveFlowId(6)].forgotten_at().is_some());
    assert_eq!(count(&bob, is_finished), 0);
}

/// Conforms: 7016-3.6.3.2-f
#[test]
fn the_last_number_is_taken_once_and_only_from_a_number_that_is_new() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(5, 1, 0)]);
    // A duplicate that claims to be the last says nothing.
    bob.hears(&[last(5, 1, 0)]);
    assert_eq!(count(&bob, is_finished), 0);
    bob.hears(&[last(5, 3, 0)]);
    // A second last number does not move the first.
    bob.hears(&[last(5, 6, 0)]);
    bob.hears(&[data(5, 2, 0)]);
    assert_eq!(count(&bob, is_finished), 1);
}

/// Conforms: 7016-3.6.3.8-c
#[test]
fn a_lingering_flow_acknowledges_at_once_what_it_is_sent_and_keeps_none_of_it() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(5, 1, 0)]);
    bob.hears(&[last(5, 2, 0)]);
    let events = bob.events.len();
    let told = acks_in(&bob.hears(&[last(5, 2, 0)]));
    assert_eq!((told.len(), told[0].cumulative), (1, 2));
    assert_eq!(acks_in(&bob.hears(&[data(5, 3, 0)])).len(), 1);
    assert_eq!((bob.events.len(), bob.session.receive_flows.len()), (events, 1));
    assert_eq!(bob.session.receive_flows[&FLOW].held_bytes(), 0);
}

/// Conforms: 7016-3.6.3.8-c
#[test]
fn a_lost_completing_acknowledgement_is_repaired_by_the_sender_s_repetition() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"all", WriteOptions::default());
    pair.with(Ada, |ada, now| ada.close_flow(now, flow));
    pair.run_until(ms(10));
    // What either says in the meantime is lost.
    pair.dark = true;
    pair.run_until(ms(100));
    pair.dark = false;
    pair.run_until(ms(10_000));
    assert!(pair.has_event(Ada, |event| matches!(event, Event::FlowCompleted { .. })));
    assert_eq!(pair.messages(Bob).len(), 1);
}

/// Conforms: trap-10, slip-6, slip-7
#[test]
fn a_refused_flow_comes_to_its_end_at_both_ends_and_nobody_says_anything_more() {
    let mut pair = Pair::new();
    pair.side(Bob).accepts = None;
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    for _ in 0..20 {
        pair.write(Ada, flow, &[7; 3000], WriteOptions::default());
    }
    pair.run_until(ms(1000));
    let refused = |event: &Event| matches!(event, Event::FlowRefused { code: 0, .. });
    assert!(pair.has_event(Ada, refused));
    assert!(!pair.side(Ada).session.send_flows.contains_key(&flow), "it completed");
    assert!(pair.side(Bob).session.receive_flows[&ReceiveFlowId(flow.0)].forgotten_at().is_some());
    let said = pair.sent.len();
    pair.run_until(ms(9000));
    assert_eq!(pair.sent.len(), said, "nothing is sent again");
    // From the first report on, every acknowledgement stood behind one, but for the one that completed it.
    let kinds: Vec<u8> = pair
        .sent
        .iter()
        .filter(|(_, end, _)| *end == Bob)
        .flat_map(|(_, _, packet)| {
            let (_, body) = PacketHeader::parse(packet).expect("a packet");
            chunks(body).flatten().map(|raw| raw.kind).collect::<Vec<_>>()
        })
        .filter(|kind| matches!(kind, 0x50 | 0x51 | 0x5e))
        .skip_while(|kind| *kind != 0x5e)
        .collect();
    let bare = kinds.windows(2).filter(|pair| pair[0] != 0x5e && pair[1] != 0x5e).count();
    assert!(kinds.len() >= 3 && bare <= 1, "{kinds:x?}");
}

/// Conforms: slip-6, slip-7
#[test]
fn a_flow_rejected_and_complete_by_one_packet_is_acknowledged_with_or_without_a_report_and_any_window() {
    let mut bob = Lone::new();
    // It says nothing of itself, and is its own end.
    let said = bob.hears(&[last(5, 1, 0)]);
    let told = acks_in(&said);
    assert_eq!((told.len(), told[0].cumulative), (1, 1));
    assert!(bob.session.receive_flows[&FLOW].forgotten_at().is_some());
    // Its sender is done by that acknowledgement, whatever stands beside it.
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.queue(flow, b"all", WriteOptions::default());
    close(&mut ada, flow);
    ada.hears(&[super::lone::ack_with_room(flow, 0, 1, &[])]);
    assert_eq!(count(&ada, |event| matches!(event, Event::FlowCompleted { .. })), 1);
    assert!(ada.wait(ms(20_000)).is_empty());
}

/// Conforms: 7016-3.6.1.2-e
#[test]
fn a_gap_is_told_of_where_it_is_before_a_message_or_before_the_end() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(5, 1, 0)]);
    bob.hears(&[data(5, 2, 0)]);
    let is_gap = |event: &Event| matches!(event, Event::Gap { flow: FLOW, .. });
    assert_eq!(count(&bob, is_gap), 0);
    bob.hears(&[data(5, 5, 4)]);
    let tail = &bob.events[bob.events.len() - 2..];
    assert!(is_gap(&tail[0]) && matches!(tail[1], Event::Message { sequence: 5, .. }), "{tail:?}");
    // An end that is no message is no gap; one that passes messages is.
    let given_up_end = |sequence| {
        Chunk::UserData(UserData { abandoned: true, finished: true, ..fragment(5, sequence, sequence) })
    };
    let mut plain = Lone::new();
    plain.hears(&[first_data(5, 1, 0), given_up_end(2)]);
    assert_eq!((count(&plain, is_gap), count(&plain, is_finished)), (0, 1));
    let mut cut = Lone::new();
    cut.hears(&[first_data(5, 1, 0), given_up_end(3)]);
    assert_eq!((count(&cut, is_gap), count(&cut, is_finished)), (1, 1));
}
