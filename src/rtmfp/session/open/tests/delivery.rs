use std::time::Duration;

use bytes::Bytes;

use super::pair::{Ada, Bob, Pair, numbered, settings};
use crate::rtmfp::endpoint::{Delivery, FlowOptions, Priority, ReceiveFlowId, WriteOptions};
use crate::rtmfp::error::Misuse;
use crate::rtmfp::event::Event;
use crate::rtmfp::wire::acknowledgement::Ack;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::Mode;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn reported() -> WriteOptions {
    WriteOptions { report: true, ..WriteOptions::default() }
}

#[test]
fn a_message_leaves_at_once_arrives_after_one_trip_and_is_reported_after_two() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    let message = pair.write(Ada, flow, b"hello", reported());
    pair.run_until(ms(100));
    assert_eq!(pair.arrival(Bob, b"hello"), Some(ms(20)));
    let session = crate::rtmfp::endpoint::SessionKey(1);
    let left = Event::MessageLeft { session, flow, message, fragments_sent: 1 };
    let done = Event::MessageDone { session, flow, message, delivered: true };
    assert_eq!(pair.side(Ada).events, [(ms(0), left), (ms(40), done)]);
}

#[test]
fn messages_of_all_sizes_arrive_once_whole_and_in_order_though_a_fifth_of_all_packets_is_lost() {
    let mut pair = Pair::new();
    pair.loss_percent = 20;
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    let sizes = [0, 10, 700, 1100, 1200, 5000, 40_000];
    let sent: Vec<Vec<u8>> = (0..60).map(|n| numbered(n, sizes[n % sizes.len()])).collect();
    for message in &sent {
        pair.write(Ada, flow, message, WriteOptions::default());
    }
    pair.run_until(Duration::from_secs(300));
    let got: Vec<Vec<u8>> = pair.messages(Bob).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(got.len(), sent.len());
    assert!(got == sent);
    assert_eq!(pair.side(Ada).session.queued(flow), 0);
}

#[test]
fn both_directions_share_packets_without_disturbing_each_other() {
    let mut pair = Pair::new();
    pair.loss_percent = 5;
    let flows =
        [pair.open_flow(Ada, Priority::Routine, false), pair.open_flow(Bob, Priority::Routine, false)];
    for n in 0..100 {
        pair.write(Ada, flows[0], &numbered(n, 2000), WriteOptions::default());
        pair.write(Bob, flows[1], &numbered(n, 2000), WriteOptions::default());
    }
    pair.run_until(Duration::from_secs(60));
    for end in [Ada, Bob] {
        let got: Vec<Vec<u8>> = pair.messages(end).into_iter().map(|(_, bytes)| bytes).collect();
        assert!(got == (0..100).map(|n| numbered(n, 2000)).collect::<Vec<_>>(), "{end:?}");
    }
}

#[test]
fn one_flow_s_loss_holds_up_no_other() {
    let mut pair = Pair::new();
    let lossy = pair.open_flow(Ada, Priority::Routine, false);
    let other = pair.open_flow(Ada, Priority::Routine, false);
    pair.dark = true;
    pair.write(Ada, lossy, b"lost", WriteOptions::default());
    pair.dark = false;
    pair.write(Ada, lossy, b"behind", WriteOptions::default());
    pair.write(Ada, other, b"other", WriteOptions::default());
    pair.run_until(ms(100));
    assert_eq!(pair.arrival(Bob, b"other"), Some(ms(20)));
    assert_eq!(pair.arrival(Bob, b"behind"), None);
    pair.run_until(Duration::from_secs(10));
    assert!(pair.arrival(Bob, b"lost") <= pair.arrival(Bob, b"behind"));
    assert!(pair.arrival(Bob, b"behind").is_some());
}

#[test]
fn in_arrival_order_what_came_goes_up_at_once() {
    let mut pair = Pair::new();
    pair.side(Bob).accepts = Some(Delivery::Arrival);
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.dark = true;
    pair.write(Ada, flow, b"lost", WriteOptions::default());
    pair.dark = false;
    pair.write(Ada, flow, b"behind", WriteOptions::default());
    pair.run_until(Duration::from_secs(10));
    assert_eq!(pair.arrival(Bob, b"behind"), Some(ms(20)));
    assert!(pair.arrival(Bob, b"lost") > pair.arrival(Bob, b"behind"));
    assert_eq!(pair.messages(Bob).len(), 2);
}

#[test]
fn a_message_past_its_deadline_is_given_up_with_its_chain_and_the_rest_goes_on() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Video, true);
    pair.dark = true;
    let finish_by = Some(pair.now + ms(500));
    let key = pair.write(Ada, flow, b"key", WriteOptions { finish_by, ..reported() });
    pair.write(Ada, flow, b"delta", WriteOptions { needs: Some(key), ..reported() });
    pair.run_until(ms(600));
    pair.dark = false;
    pair.write(Ada, flow, b"next key", reported());
    pair.run_until(Duration::from_secs(30));
    let texts: Vec<Vec<u8>> = pair.messages(Bob).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(texts, [b"next key".to_vec()]);
    let given_up = |event: &Event| matches!(event, Event::MessageDone { delivered: false, .. });
    assert_eq!(
        pair.side(Ada).events.iter().filter(|(at, event)| *at == ms(500) && given_up(event)).count(),
        2
    );
}

#[test]
fn a_small_window_slows_a_sender_down_but_a_message_larger_than_it_arrives() {
    let small = super::super::SessionSettings { receive_window: 8 * 1024, ..settings() };
    let mut pair = Pair::with_settings(settings(), small);
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, &numbered(1, 200_000), WriteOptions::default());
    pair.write(Ada, flow, &numbered(2, 50), WriteOptions::default());
    pair.run_until(Duration::from_secs(30));
    let lengths: Vec<usize> = pair.messages(Bob).iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [200_000, 50]);
}

#[test]
fn what_never_fits_is_told_apart_from_what_does_not_fit_now() {
    let small = super::super::SessionSettings { largest_message: 5_000, ..settings() };
    let mut pair = Pair::with_settings(small, settings());
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    let refused = pair
        .with(Ada, |ada, now| ada.write(now, flow, Bytes::from(numbered(1, 5_001)), WriteOptions::default()));
    assert_eq!(refused, Err(Misuse::MessageTooLarge));
    let options = FlowOptions {
        metadata: vec![0; 513].into(),
        priority: Priority::Routine,
        time_critical: false,
        answers: None,
    };
    assert_eq!(pair.with(Ada, |ada, _| ada.open_flow(options)), Err(Misuse::MetadataTooLong));
    pair.write(Ada, flow, &numbered(1, 5_000), WriteOptions::default());
}

#[test]
fn a_full_send_queue_says_no_and_calls_back() {
    let small = super::super::SessionSettings { send_buffer: 10_000, ..settings() };
    let mut pair = Pair::with_settings(small, settings());
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, &numbered(1, 9000), WriteOptions::default());
    let second = Bytes::from(numbered(2, 9000));
    let refused = pair.with(Ada, |ada, now| ada.write(now, flow, second, WriteOptions::default()));
    assert_eq!(refused, Err(Misuse::QueueFull));
    pair.run_until(Duration::from_secs(2));
    assert!(pair.has_event(Ada, |event| matches!(event, Event::FlowWritable { .. })));
    pair.write(Ada, flow, &numbered(2, 9000), WriteOptions::default());
}

#[test]
fn a_flow_nobody_answers_is_refused_and_completes() {
    let mut pair = Pair::new();
    pair.side(Bob).accepts = None;
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"hello", reported());
    pair.run_until(Duration::from_secs(5));
    assert!(pair.has_event(Ada, |event| matches!(event, Event::FlowRefused { code: 0, .. })));
    assert_eq!(pair.messages(Bob), []);
    assert_eq!(
        pair.with(Ada, |ada, now| ada.write(now, flow, Bytes::new(), reported())),
        Err(Misuse::NoFlow)
    );
}

#[test]
fn a_flow_rejected_later_tells_its_sender_the_code_and_then_is_quiet() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"hello", WriteOptions::default());
    pair.run_until(ms(50));
    pair.with(Bob, |bob, now| bob.reject_flow(now, ReceiveFlowId(flow.0), 42));
    pair.run_until(ms(1000));
    assert!(pair.has_event(Ada, |event| matches!(event, Event::FlowRefused { code: 42, .. })));
    let before = pair.sent.len();
    pair.run_until(ms(5000));
    assert_eq!(pair.sent.len(), before, "nothing is left to say");
}

#[test]
fn closing_a_flow_finishes_it_at_both_ends_even_when_packets_are_lost() {
    let mut pair = Pair::new();
    pair.loss_percent = 30;
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    (0..20).for_each(|n| _ = pair.write(Ada, flow, &numbered(n, 1500), WriteOptions::default()));
    pair.with(Ada, |ada, now| ada.close_flow(now, flow));
    pair.run_until(Duration::from_secs(60));
    assert_eq!(pair.messages(Bob).len(), 20);
    assert!(pair.has_event(Ada, |event| matches!(event, Event::FlowCompleted { .. })));
    let (_, last) = pair.side(Bob).events.last().expect("events").clone();
    assert!(matches!(last, Event::FlowFinished { .. }), "{last:?}");
}

#[test]
fn a_return_flow_names_the_flow_it_answers_and_one_that_answers_nothing_is_rejected() {
    let mut pair = Pair::new();
    let asked = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, asked, b"play", WriteOptions::default());
    pair.run_until(ms(50));
    let options = crate::rtmfp::FlowOptions {
        metadata: Bytes::from_static(b"answer"),
        priority: Priority::Routine,
        time_critical: false,
        answers: Some(ReceiveFlowId(asked.0)),
    };
    let back = pair.with(Bob, |bob, _| bob.open_flow(options.clone())).expect("a return flow");
    pair.write(Bob, back, b"start", WriteOptions::default());
    pair.run_until(ms(100));
    let answers_ours =
        |event: &Event| matches!(event, Event::FlowOpened { answers: Some(flow), .. } if *flow == asked);
    assert!(pair.has_event(Ada, answers_ours));
    let elsewhere = crate::rtmfp::FlowOptions { answers: Some(ReceiveFlowId(77)), ..options };
    assert_eq!(pair.with(Bob, |bob, _| bob.open_flow(elsewhere)), Err(Misuse::NoFlow));
}

#[test]
fn sound_overtakes_a_queued_file_and_equals_take_turns() {
    let mut pair = Pair::new();
    let files =
        [pair.open_flow(Ada, Priority::Background, false), pair.open_flow(Ada, Priority::Background, false)];
    let sound = pair.open_flow(Ada, Priority::Audio, true);
    for file in files {
        (0..100).for_each(|_| _ = pair.write(Ada, file, &[7; 1000], WriteOptions::default()));
    }
    pair.run_until(ms(60));
    pair.write(Ada, sound, b"sound", WriteOptions::default());
    pair.run_until(ms(400));
    let sound_at = pair.arrival(Bob, b"sound").expect("sound came");
    assert!(sound_at <= ms(60 + 20 + 60), "{sound_at:?}");
    let of = |file: usize| pair.messages(Bob).iter().filter(|(flow, _)| flow.0 == files[file].0).count();
    assert!(of(0) > 5 && of(0).abs_diff(of(1)) <= 4, "{} and {}", of(0), of(1));
}

#[test]
fn batches_are_of_one_size_and_metadata_stops_after_the_first_acknowledgement() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, &numbered(1, 300_000), WriteOptions::default());
    pair.run_until(ms(41));
    let early =
        pair.count_sent(Ada, |chunk| matches!(chunk, Chunk::UserData(data) if data.options.is_some()));
    pair.run_until(Duration::from_secs(5));
    let late = pair.count_sent(Ada, |chunk| matches!(chunk, Chunk::UserData(data) if data.options.is_some()));
    assert!(early > 1 && early == late, "{early} then {late}");
    assert!(pair.batches.iter().any(|(segment, length)| length > &(2 * segment)));
    assert!(pair.batches.iter().all(|(segment, _)| *segment <= 1200 && *segment > 0));
}

#[test]
fn small_messages_travel_together() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    // Something long first: until it came, packets are short.
    pair.write(Ada, flow, &numbered(99, 2000), WriteOptions::default());
    pair.run_until(ms(500));
    let before = pair.sent.len();
    pair.with(Ada, |ada, now| {
        for n in 0..30 {
            ada.write(now, flow, Bytes::from(numbered(n, 20)), WriteOptions::default()).expect("room");
        }
    });
    pair.run_until(ms(520));
    let packets = pair.sent[before..].iter().filter(|(_, end, _)| *end == Ada).count();
    assert_eq!((packets, pair.messages(Bob).len()), (1, 31));
}

#[test]
fn a_far_end_without_any_room_is_asked_until_it_has_some() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"first", WriteOptions::default());
    pair.run_until(ms(100));
    let mut closed = vec![0, 0, 0, 1, Mode::Responder as u8];
    let ack = Ack { flow_id: flow.0, free_bytes: 0, cumulative: 1, islands: Vec::new() };
    Chunk::Ack(ack).write(&mut closed);
    let from = pair.side(Bob).route;
    assert!(pair.with(Ada, |ada, now| ada.on_datagram(now, from, None, &mut closed)));
    pair.write(Ada, flow, b"second", WriteOptions::default());
    pair.run_until(ms(1050));
    assert_eq!(pair.arrival(Bob, b"second"), None);
    // The probe goes out a second after the window closed, is answered with a window, and the message follows.
    pair.run_until(ms(1200));
    assert_eq!(pair.arrival(Bob, b"second"), Some(ms(1100 + 3 * 20)));
    assert_eq!(pair.count_sent(Ada, |chunk| matches!(chunk, Chunk::BufferProbe { .. })), 1);
}

#[test]
fn an_abandoned_queue_stops_at_once_and_the_flow_goes_on() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    (0..100).for_each(|n| _ = pair.write(Ada, flow, &numbered(n, 1000), reported()));
    pair.with(Ada, |ada, now| ada.abandon_queued(now, flow));
    assert_eq!(pair.side(Ada).session.queued(flow), 0);
    pair.write(Ada, flow, b"fresh", reported());
    pair.run_until(Duration::from_secs(2));
    // One round trip for what was in flight before the forward number may pass it, and one for the rest.
    assert_eq!(pair.arrival(Bob, b"fresh"), Some(ms(100)));
    assert!(pair.messages(Bob).len() < 10);
}

#[test]
fn a_clean_path_is_filled_within_a_few_round_trips() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    for n in 0..10 {
        pair.write(Ada, flow, &numbered(n, 100_000), WriteOptions::default());
    }
    pair.run_until(Duration::from_secs(1));
    assert_eq!(pair.messages(Bob).len(), 10);
    let now = pair.now;
    assert_eq!(pair.side(Ada).session.figures(now).fragments_lost, 0);
}

#[test]
fn loss_is_repaired_by_negative_acknowledgements_without_waiting_for_a_timeout() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, &numbered(0, 20_000), WriteOptions::default());
    pair.run_until(ms(200));
    pair.dark = true;
    pair.write(Ada, flow, b"lost", WriteOptions::default());
    pair.dark = false;
    (1..8).for_each(|n| _ = pair.write(Ada, flow, &numbered(n, 1000), WriteOptions::default()));
    pair.run_until(ms(400));
    let repaired = pair.arrival(Bob, b"lost").expect("it came");
    assert!(repaired <= ms(200 + 60), "{repaired:?}");
}
