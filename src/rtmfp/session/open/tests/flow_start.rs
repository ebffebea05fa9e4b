//! How flows begin, at their senders (RFC 7016 §2.3.11.1, §3.6.2.1) and at their receivers (§3.6.3.1).

use bytes::Bytes;

use super::lone::{
    Fragment, Lone, PLAIN, ack, acks_in, data, data_in, first_data, fragment, ms, numbers_in, opening,
};
use crate::rtmfp::endpoint::{
    Delivery, FlowOptions, MessageId, Priority, ReceiveFlowId, SendFlowId, WriteOptions,
};
use crate::rtmfp::error::Misuse;
use crate::rtmfp::event::Event;
use crate::rtmfp::limits;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::user_data::{FlowMetadata, UserData};

fn options(metadata: &[u8], answers: Option<u64>) -> FlowOptions {
    FlowOptions {
        metadata: Bytes::copy_from_slice(metadata),
        priority: Priority::Routine,
        time_critical: false,
        answers: answers.map(ReceiveFlowId),
    }
}

/// Three packets of three fragments each, on a flow that answers flow 9.
fn three_packets(lone: &mut Lone, flow: SendFlowId) -> Vec<Vec<Fragment>> {
    (0..3)
        .map(|_| {
            (0..3).for_each(|_| _ = lone.queue(flow, b"abc", WriteOptions::default()));
            data_in(&lone.says())
        })
        .collect()
}

fn opened(lone: &Lone) -> usize {
    lone.events.iter().filter(|event| matches!(event, Event::FlowOpened { .. })).count()
}

/// Whether a flow that begins with these chunks is rejected, and with what code.
fn rejection(lone: &mut Lone, chunk: &Chunk<'_>) -> Option<u64> {
    lone.hears(std::slice::from_ref(chunk)).iter().find_map(|packet| {
        packet.chunks().iter().find_map(|chunk| match chunk {
            Chunk::FlowException { code, .. } => Some(*code),
            _ => None,
        })
    })
}

/// Conforms: 7016-2.3.11.1.1-c, 7016-2.3.11.1.1-d, 7016-2.3.11.1.2-b, 7016-2.3.11.1.2-c, 7016-3.6.2.3.1-a, trap-9
#[test]
fn every_packet_says_once_what_a_flow_is_until_it_is_acknowledged() {
    let mut ada = Lone::new();
    ada.hears(&[first_data(9, 1, 0)]);
    let flow = ada.open_flow_with(b"mine", Some(9));
    for packet in three_packets(&mut ada, flow) {
        assert_eq!((packet[0].metadata.as_deref(), packet[0].answers), (Some(&b"mine"[..]), Some(9)));
        assert!(packet[1..].iter().all(|later| later.metadata.is_none() && later.answers.is_none()));
    }
    // What is sent again says it again.
    let again = data_in(&ada.wait(ms(3000)));
    assert_eq!((again[0].sequence, again[0].metadata.is_some()), (1, true));
}

/// Conforms: 7016-2.3.11.1.1-e, 7016-2.3.11.1.2-d, 7016-3.6.2.4-a
#[test]
fn an_acknowledgement_of_anything_at_all_ends_saying_what_a_flow_is() {
    let mut ada = Lone::new();
    ada.hears(&[first_data(9, 1, 0)]);
    let flow = ada.open_flow_with(b"mine", Some(9));
    three_packets(&mut ada, flow);
    let before = ada.session.in_flight.bytes();
    // The first fragment is still on its way; the third is there.
    ada.hears(&[ack(flow, 0, &[3..=3])]);
    assert!(ada.session.in_flight.bytes() < before);
    assert_eq!(ada.session.send_flows[&flow].window(), 1 << 20);
    let later = three_packets(&mut ada, flow).concat();
    assert!(later.iter().all(|fragment| fragment.metadata.is_none() && fragment.answers.is_none()));
    assert_eq!(later[0].sequence, 10, "what was acknowledged is not sent again, nor what may still arrive");
}

/// Conforms: 7016-2.3.11.1.1-b, 7016-2.3.11.1.1-g
#[test]
fn a_flow_without_metadata_says_that_it_is_empty() {
    let mut ada = Lone::new();
    let flow = ada.open_flow_with(b"", None);
    let first = data_in(&ada.writes(flow, b"x")).remove(0);
    assert_eq!((first.metadata.as_deref(), first.answers), (Some(&b""[..]), None));
    let empty = FlowMetadata { metadata: b"", answers: None, defect: None };
    ada.hears(&[Chunk::UserData(UserData { options: Some(empty), ..fragment(5, 1, 0) })]);
    assert_eq!(opened(&ada), 1);
}

/// Conforms: 7016-2.3.11.1.1-f
#[test]
fn metadata_of_more_than_512_bytes_is_not_sent() {
    let mut ada = Lone::new();
    assert!(ada.session.open_flow(options(&[7; 512], None)).is_ok());
    assert_eq!(ada.session.open_flow(options(&[7; 513], None)), Err(Misuse::MetadataTooLong));
}

/// Conforms: 7016-2.3.11.1.2-e, 7016-2.3.11.1.2-f, 7016-3.6.1.1-c
#[test]
fn a_flow_answers_one_other_from_its_first_chunk_on_and_many_may_answer_the_same() {
    let mut ada = Lone::new();
    ada.hears(&[first_data(9, 1, 0), first_data(8, 1, 0)]);
    for _ in 0..3 {
        let flow = ada.open_flow_with(b"m", Some(9));
        let said = ada.writes(flow, b"x");
        assert_eq!(data_in(&said)[0].answers, Some(9));
        // On the wire: one option of that type and no more.
        let chunk = &said[0].chunks()[0];
        let Chunk::UserData(UserData { options: Some(options), .. }) = chunk else { panic!("{chunk:?}") };
        assert_eq!(options.defect, None);
    }
    // The far end that names two flows names none, and is not taken.
    let two = FlowMetadata { metadata: b"m", answers: Some(2), defect: None };
    let mut bytes = Vec::new();
    Chunk::UserData(UserData { options: Some(two), ..fragment(5, 1, 0) }).write(&mut bytes);
    let one_more = [2, 0x0a, 3];
    let at = bytes.len() - 2;
    bytes.splice(at..at, one_more);
    bytes[2] += 3;
    ada.hears_bytes(PLAIN, &bytes);
    assert_eq!(opened(&ada), 2, "flows 8 and 9");
    assert!(!ada.session.receive_flows[&ReceiveFlowId(5)].is_open());
}

/// Conforms: 7016-2.3.11.1-a
#[test]
fn both_options_are_understood_and_passed_up() {
    let mut ada = Lone::new();
    let mine = ada.open_flow();
    let both = FlowMetadata { metadata: b"theirs", answers: Some(mine.0), defect: None };
    ada.hears(&[Chunk::UserData(UserData { options: Some(both), ..fragment(5, 1, 0) })]);
    let Some(Event::FlowOpened { flow, metadata, answers, .. }) = ada.events.first() else {
        panic!("a flow")
    };
    assert_eq!((*flow, &metadata[..], *answers), (ReceiveFlowId(5), &b"theirs"[..], Some(mine)));
}

/// A chunk that begins a flow, with one more option of that type.
fn with_option(flow_id: u64, kind: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Chunk::UserData(opening(flow_id, 1, 0)).write(&mut bytes);
    let option = [&[kind.len() as u8][..], kind].concat();
    let at = bytes.len() - 2;
    bytes.splice(at..at, option.iter().copied());
    bytes[2] += option.len() as u8;
    bytes
}

/// Conforms: 7016-2.3.11.1-b, 7016-2.3.11.1-c, 7016-3.6.3.1-e
#[test]
fn an_option_nobody_knows_rejects_a_new_flow_below_8192_and_says_nothing_from_there_on() {
    let mut bob = Lone::new();
    // 8191 and 8192, as numbers of seven bits a byte.
    bob.hears_bytes(PLAIN, &with_option(5, &[0xbf, 0x7f]));
    bob.hears_bytes(PLAIN, &with_option(6, &[0xc0, 0x00]));
    let flows = &bob.session.receive_flows;
    assert_eq!(flows[&ReceiveFlowId(5)].rejection(), Some(0));
    assert_eq!((flows[&ReceiveFlowId(6)].rejection(), opened(&bob)), (None, 1));
}

/// Conforms: 7016-3.6.3.1-b, 7016-2.3.16-c
#[test]
fn a_flow_that_says_nothing_of_itself_is_rejected_with_code_zero() {
    let mut bob = Lone::new();
    assert_eq!(rejection(&mut bob, &data(5, 1, 0)), Some(0));
    assert_eq!(opened(&bob), 0);
}

/// Conforms: 7016-3.6.3.1-c, 7016-2.3.11.1.2-g
#[test]
fn a_flow_that_answers_none_of_ours_is_rejected() {
    let mut bob = Lone::new();
    let unknown = FlowMetadata { metadata: b"m", answers: Some(77), defect: None };
    let chunk = Chunk::UserData(UserData { options: Some(unknown), ..fragment(5, 1, 0) });
    assert_eq!(rejection(&mut bob, &chunk), Some(0));
}

/// Conforms: 7016-3.6.3.1-d
#[test]
fn a_flow_that_answers_one_of_ours_that_is_closing_is_rejected() {
    let mut bob = Lone::new();
    let mine = bob.open_flow();
    bob.writes(mine, b"not acknowledged, so it stays");
    let now = bob.now;
    bob.session.close_flow(now, mine);
    assert!(bob.session.send_flows.contains_key(&mine));
    let late = FlowMetadata { metadata: b"m", answers: Some(mine.0), defect: None };
    let chunk = Chunk::UserData(UserData { options: Some(late), ..fragment(5, 1, 0) });
    assert_eq!(rejection(&mut bob, &chunk), Some(0));
}

/// Conforms: 7016-3.6.3.1-f, 7016-3.6.3.4.1-a
#[test]
fn the_first_chunk_of_a_flow_is_processed_and_acknowledged_at_once_whether_the_flow_is_taken_or_not() {
    let mut bob = Lone::new();
    let taken = acks_in(&bob.hears(&[first_data(5, 1, 0)]));
    assert_eq!((taken[0].flow_id, taken[0].cumulative), (5, 1));
    assert_eq!((opened(&bob), bob.messages().len()), (1, 1));
    let rejected = acks_in(&bob.hears(&[data(6, 1, 0)]));
    assert_eq!((rejected[0].flow_id, rejected[0].cumulative), (6, 1));
    assert_eq!((opened(&bob), bob.messages().len()), (1, 1));
}

/// Conforms: 7016-3.6.3.1-a, 7016-3.6.3-a, trap-9
#[test]
fn a_flow_may_begin_at_its_receiver_with_any_of_its_chunks() {
    let mut bob = Lone::new();
    let said = acks_in(&bob.hears(&[first_data(5, 3, 0)]));
    assert_eq!((said[0].cumulative, &said[0].islands[..]), (0, &[3..=3][..]));
    assert_eq!(bob.messages().len(), 0);
    bob.hears(&[first_data(5, 1, 0), data(5, 2, 0)]);
    assert_eq!((opened(&bob), bob.messages().len()), (1, 3));
}

/// Conforms: 7016-3.6.1.1-a, 7016-3.6.1.1-b
#[test]
fn any_number_may_name_a_flow_in_either_direction_and_none_means_anything() {
    let mut ada = Lone::new();
    let mine = ada.open_flow();
    for id in [0, 1, mine.0, 3, 1 << 40, u64::MAX] {
        let answered = acks_in(&ada.hears(&[first_data(id, 1, 0)]));
        assert_eq!(answered[0].flow_id, id);
    }
    assert_eq!((opened(&ada), ada.messages().len()), (6, 6));
    // Those that have our own number are no answers, and end nothing of ours.
    let said = data_in(&ada.writes(mine, b"mine"));
    assert_eq!(said[0].flow, mine.0);
    assert!(ada.events.iter().all(|event| !matches!(event, Event::FlowOpened { answers: Some(_), .. })));
}

/// Conforms: 7016-3.6.1.1-d
#[test]
fn what_a_flow_said_of_itself_first_stands_whatever_it_says_later() {
    let mut bob = Lone::new();
    let mine = bob.open_flow();
    bob.hears(&[first_data(5, 1, 0)]);
    let other = FlowMetadata { metadata: b"other", answers: Some(mine.0), defect: None };
    bob.hears(&[Chunk::UserData(UserData { options: Some(other), ..fragment(5, 2, 0) })]);
    // Not even what would have rejected it at the beginning.
    let wrong = FlowMetadata { metadata: b"", answers: Some(99), defect: None };
    bob.hears(&[Chunk::UserData(UserData { options: Some(wrong), ..fragment(5, 3, 0) })]);
    assert_eq!((opened(&bob), bob.messages().len()), (1, 3));
}

/// Conforms: 7016-3.6.1.1-e
#[test]
fn the_end_of_a_flow_ends_none_that_answers_it() {
    let mut bob = Lone::new();
    let mine = bob.open_flow();
    let answer = FlowMetadata { metadata: b"m", answers: Some(mine.0), defect: None };
    bob.hears(&[Chunk::UserData(UserData { options: Some(answer), ..fragment(5, 1, 0) })]);
    let now = bob.now;
    bob.session.close_flow(now, mine);
    bob.says();
    bob.hears(&[data(5, 2, 0)]);
    assert_eq!(bob.messages().len(), 2);
    // The other way round: a flow of ours that answers one that is over goes on.
    let back = bob.open_flow_with(b"m", Some(5));
    bob.hears(&[Chunk::UserData(UserData { finished: true, ..fragment(5, 3, 0) })]);
    assert_eq!(data_in(&bob.writes(back, b"still here")).len(), 1);
}

/// Conforms: 7016-3.6.2.1-b
#[test]
fn no_flow_is_opened_in_answer_to_one_that_is_over_rejected_or_unknown() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(5, 1, 0), first_data(6, 1, 0)]);
    assert!(bob.session.open_flow(options(b"m", Some(5))).is_ok());
    bob.hears(&[Chunk::UserData(UserData { finished: true, ..fragment(5, 2, 0) })]);
    let now = bob.now;
    bob.session.reject_flow(now, ReceiveFlowId(6), 1);
    for id in [5, 6, 7] {
        assert_eq!(bob.session.open_flow(options(b"m", Some(id))), Err(Misuse::NoFlow), "{id}");
    }
}

/// Conforms: 7016-3.6.2.1-a, 7016-3.6.2.11-c
#[test]
fn no_two_flows_of_a_session_ever_have_one_id_and_none_opens_in_a_session_that_is_not_open() {
    let mut ada = Lone::new();
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..50 {
        let flow = ada.open_flow();
        assert!(seen.insert(flow), "round {round}");
        ada.writes(flow, b"x");
        let now = ada.now;
        ada.session.close_flow(now, flow);
        let last = data_in(&ada.says()).pop().expect("its end").sequence;
        ada.hears(&[ack(flow, last, &[])]);
        assert!(!ada.session.send_flows.contains_key(&flow));
        // Fragments and acknowledgements of it may be on their way for two minutes; then the ID would be free.
        ada.wait(ms(if round % 2 == 0 { 1000 } else { 131_000 }));
    }
    let now = ada.now;
    ada.session.close(now, crate::rtmfp::endpoint::CloseManner::Orderly);
    assert_eq!(ada.session.open_flow(options(b"m", None)), Err(Misuse::NoSession));
}

/// Conforms: 7016-3.6.2.1-c
#[test]
fn a_flow_with_nothing_to_say_yet_can_be_begun_by_a_message_that_is_too_late() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    assert!(ada.says().is_empty(), "opening a flow says nothing");
    let too_late = WriteOptions { start_by: Some(ada.now), ..WriteOptions::default() };
    ada.queue(flow, b"never sent", too_late);
    let said = data_in(&ada.says());
    assert_eq!(said.len(), 1);
    assert!(said[0].abandoned && said[0].data.is_empty() && said[0].metadata.is_some());
    let mut bob = Lone::new();
    bob.hears(&[Chunk::UserData(UserData {
        abandoned: true,
        forward_offset: 0,
        ..opening(flow.0, said[0].sequence, said[0].sequence)
    })]);
    assert_eq!((opened(&bob), bob.messages().len()), (1, 0));
}

#[test]
fn a_message_that_fits_into_no_short_packet_beside_what_its_flow_says_of_itself_goes_in_a_long_one() {
    let mut ada = Lone::new();
    ada.session.path_mtu.on_new_path();
    let flow = ada.open_flow_with(&[7; 512], None);
    ada.queue(flow, &[1; 60], WriteOptions::default());
    let said = data_in(&ada.wait(ms(10_000)));
    assert_eq!(said.first().map(|first| first.data.len()), Some(60));
}

/// Conforms: 7016-3.6.2-a, 7016-2.3.11-g
#[test]
fn a_new_flow_is_open_takes_64_blocks_and_begins_at_one() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let new = &ada.session.send_flows[&flow];
    assert!(new.is_open() && !new.is_refused() && new.queue.is_empty());
    assert_eq!((new.window(), limits::FIRST_RECEIVE_WINDOW), (65_536, 65_536));
    let first = ada.queue(flow, b"x", WriteOptions::default());
    assert_eq!(first, MessageId(1));
    let said = data_in(&ada.says());
    assert_eq!((said[0].sequence, said[0].forward, said[0].finished), (1, 0, false));
    assert_eq!(said[0].flow, flow.0);
}

#[test]
fn a_flow_taken_in_arrival_order_after_its_first_messages_came_gives_them_all() {
    let mut bob = Lone::new();
    bob.accepts = None;
    bob.hears(&[first_data(5, 2, 0), data(5, 4, 0), data(5, 6, 0)]);
    bob.session.accept_flow(ReceiveFlowId(5), Delivery::Arrival);
    bob.says();
    assert_eq!(bob.messages().len(), 3);
    assert_eq!(numbers_in(&bob.says()), []);
}
