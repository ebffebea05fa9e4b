use std::time::Duration;

use proptest::prelude::*;

use super::pair::{Ada, Bob, Pair, route, settings};
use crate::rtmfp::endpoint::{
    AddressOrigin, CloseManner, ForwardedHello, KnownAddress, Priority, SessionKey, WriteOptions,
};
use crate::rtmfp::error::{Misuse, SessionEnd};
use crate::rtmfp::event::Event;
use crate::rtmfp::session::open::SessionSettings;
use crate::rtmfp::session::time_critical::TimeCritical;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::PacketHeader;
use crate::rtmfp::wire::vlu;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn s(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn ends(pair: &Pair) -> Vec<(Duration, SessionEnd)> {
    let end = |(at, event): &(Duration, Event)| match event {
        Event::SessionEnded { end, .. } => Some((*at, *end)),
        _ => None,
    };
    [Ada, Bob].iter().flat_map(|side| pair.sides[side].events.iter().filter_map(end)).collect()
}

/// Conforms: 7016-3.5.5-e, 7016-3.5.5-f, 7016-3.5.5-g
#[test]
fn an_orderly_close_is_answered_and_over_for_the_one_who_asked() {
    let mut pair = Pair::new();
    pair.with(Ada, |ada, now| ada.close(now, CloseManner::Orderly));
    pair.run_until(s(30));
    assert_eq!(ends(&pair), [(ms(0), SessionEnd::ClosedHere), (ms(20), SessionEnd::ClosedThere)]);
    assert_eq!((pair.side(Ada).over, pair.side(Bob).over), (Some(ms(40)), Some(ms(20) + s(19))));
}

/// Conforms: 7016-3.5.5-a, 7016-3.5.5-b
#[test]
fn an_unanswered_close_is_repeated_every_five_seconds_and_given_up_after_ninety() {
    let mut pair = Pair::new();
    pair.dark = true;
    pair.with(Ada, |ada, now| ada.close(now, CloseManner::Orderly));
    pair.run_until(s(89));
    assert_eq!(pair.count_sent(Ada, |chunk| *chunk == Chunk::CloseRequest), 18);
    pair.run_until(s(91));
    assert_eq!(pair.side(Ada).over, Some(s(90)));
}

/// Conforms: 7016-3.5.5-d, 7016-3.5.5-g
#[test]
fn an_abrupt_close_takes_one_packet_and_is_over_at_once() {
    let mut pair = Pair::new();
    pair.with(Ada, |ada, now| ada.close(now, CloseManner::Abrupt));
    pair.run_until(s(1));
    assert_eq!(ends(&pair), [(ms(0), SessionEnd::ClosedHere), (ms(20), SessionEnd::ClosedThere)]);
    assert_eq!((pair.side(Ada).over, pair.side(Bob).over), (Some(ms(0)), Some(ms(20))));
    assert_eq!(pair.sent.len(), 1);
}

#[test]
fn a_closed_session_takes_no_more_messages() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.with(Ada, |ada, now| ada.close(now, CloseManner::Orderly));
    let written =
        pair.with(Ada, |ada, now| ada.write(now, flow, bytes::Bytes::new(), WriteOptions::default()));
    assert_eq!(written, Err(Misuse::NoSession));
    assert!(!pair.side(Ada).session.is_open());
}

#[test]
fn an_idle_session_lives_on_pings() {
    let mut pair = Pair::new();
    pair.run_until(s(100));
    assert_eq!(ends(&pair), []);
    let pings = pair.count_sent(Ada, |chunk| matches!(chunk, Chunk::Ping { .. }));
    assert!((5..=11).contains(&pings), "{pings}");
}

#[test]
fn a_far_end_that_falls_silent_is_gone_after_the_patience_it_owes() {
    let mut pair = Pair::new();
    pair.dark = true;
    pair.run_until(s(40));
    let gone = (s(30), SessionEnd::WentQuiet { quiet: s(30) });
    assert_eq!(ends(&pair), [gone, gone]);
    assert_eq!(pair.side(Ada).over, Some(s(30)));
}

#[test]
fn unacknowledged_data_is_owed_an_answer_too() {
    let mut pair = Pair::new();
    pair.side(Ada).session.set_patience(s(1000), s(5));
    pair.dark = true;
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"anybody?", WriteOptions::default());
    pair.run_until(s(10));
    assert_eq!(ends(&pair), [(s(5), SessionEnd::WentQuiet { quiet: s(5) })]);
}

#[test]
fn a_far_end_that_moves_is_followed_once_it_proved_where_it_is() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"before", WriteOptions::default());
    pair.run_until(s(1));
    pair.side(Ada).route = route(99);
    pair.write(Ada, flow, b"after", WriteOptions::default());
    pair.run_until(s(1) + ms(20));
    assert_eq!(pair.side(Bob).session.route(), route(1), "one packet proves nothing");
    pair.run_until(s(3));
    assert_eq!(pair.side(Bob).session.route(), route(99));
    let moved = Event::RouteChanged { session: SessionKey(2), route: route(99) };
    assert!(pair.has_event(Bob, |event| *event == moved));
    assert_eq!(pair.messages(Bob).len(), 2);
}

#[test]
fn packets_repeated_from_elsewhere_move_nobody() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"hello", WriteOptions::default());
    pair.run_until(s(1));
    let mut copy = [&[0; 4][..], &pair.sent[0].2].concat();
    pair.with(Bob, |bob, now| bob.on_datagram(now, route(66), None, &mut copy));
    pair.run_until(s(5));
    assert_eq!(pair.side(Bob).session.route(), route(1));
    assert_eq!(pair.messages(Bob).len(), 1);
}

#[test]
fn a_packet_with_our_own_mark_is_our_own_thrown_back() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"hello", WriteOptions::default());
    let mut copy = [&[0; 4][..], &pair.sent[0].2].concat();
    assert!(!pair.with(Ada, |ada, now| ada.on_datagram(now, route(2), None, &mut copy)));
}

/// Conforms: 7016-2.2.4-p
#[test]
fn real_time_data_is_marked_and_other_sessions_of_its_receiver_say_so() {
    let shared = TimeCritical::default();
    let receiving = SessionSettings { time_critical: shared.clone(), ..settings() };
    let mut call = Pair::with_settings(settings(), receiving.clone());
    let sound = call.open_flow(Ada, Priority::Audio, true);
    call.write(Ada, sound, b"sound", WriteOptions::default());
    assert_eq!(call.sent[0].2[0] & 0x80, 0x80);
    call.run_until(ms(100));

    // The same receiver's other session, as its own key.
    let mut other = Pair::with_settings(receiving, settings());
    let file = other.open_flow(Ada, Priority::Background, false);
    other.write(Ada, file, b"file", WriteOptions::default());
    let (header, _) = PacketHeader::parse(&other.sent[0].2).expect("a packet");
    assert!(header.time_critical_reverse && !header.time_critical);
}

/// Conforms: 7016-3.1-a
#[test]
fn a_sender_yields_while_its_receiver_says_that_it_gets_real_time_data_elsewhere() {
    let windows = [false, true].map(|elsewhere| {
        let shared = TimeCritical::default();
        let bobs = SessionSettings { time_critical: shared.clone(), ..settings() };
        let mut pair = Pair::with_settings(settings(), bobs);
        let bulk = pair.open_flow(Ada, Priority::Background, false);
        for n in 0..20 {
            if elsewhere {
                shared.note_received(pair.now, SessionKey(99));
            }
            let queued = pair.side(Ada).session.queued(bulk);
            if queued < 500_000 {
                pair.write(Ada, bulk, &[n; 400_000], WriteOptions::default());
            }
            pair.run_until(ms(100 * (u64::from(n) + 1)));
        }
        let now = pair.now;
        pair.side(Ada).session.figures(now).congestion_window
    });
    assert!(windows[1] * 2 < windows[0], "{windows:?} bytes, alone and when yielding");
}

#[test]
fn the_round_trip_is_measured_by_what_is_sent_anyway() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, b"hello", WriteOptions::default());
    pair.run_until(s(1));
    let now = pair.now;
    let figures = pair.side(Ada).session.figures(now);
    assert_eq!(figures.round_trip, Some(ms(40)));
    assert_eq!((figures.in_flight, figures.fragments_sent, figures.fragments_lost), (0, 1, 0));
}

#[test]
fn a_blackout_of_three_seconds_loses_nothing_reliable() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    for n in 0..50 {
        pair.write(Ada, flow, &super::pair::numbered(n, 3000), WriteOptions::default());
    }
    pair.run_until(ms(100));
    pair.dark = true;
    pair.run_until(ms(3100));
    pair.dark = false;
    pair.run_until(s(30));
    assert_eq!(pair.messages(Bob).len(), 50);
}

#[test]
fn garbage_is_counted_and_changes_nothing() {
    let mut pair = Pair::new();
    for length in 0..60 {
        let mut garbage: Vec<u8> = (0..length).map(|n| (n * 37 + length) as u8).collect();
        pair.with(Bob, |bob, now| bob.on_datagram(now, route(1), None, &mut garbage));
    }
    let now = pair.now;
    assert!(pair.side(Bob).session.figures(now).dropped > 0);
}

#[test]
fn a_forwarded_hello_reaches_only_an_end_that_asked_for_them() {
    let mut pair = Pair::new();
    let initiator = KnownAddress { address: route(7).address, origin: AddressOrigin::Observed };
    pair.with(Ada, |ada, now| ada.forward_hello(now, b"bob", initiator, b"tag"));
    pair.run_until(ms(100));
    assert_eq!(pair.side(Bob).forwarded, 0);
    pair.side(Bob).session.set_forwarded_hello(ForwardedHello::Answer);
    pair.with(Ada, |ada, now| ada.forward_hello(now, b"bob", initiator, b"tag"));
    pair.run_until(ms(200));
    assert_eq!(pair.side(Bob).forwarded, 1);
}

#[test]
fn both_ends_closing_at_once_are_both_over_after_a_trip() {
    let mut pair = Pair::new();
    for end in [Ada, Bob] {
        pair.with(end, |session, now| session.close(now, CloseManner::Orderly));
    }
    pair.run_until(s(1));
    assert_eq!((pair.side(Ada).over, pair.side(Bob).over), (Some(ms(40)), Some(ms(40))));
    assert_eq!(ends(&pair).len(), 2);
}

/// User data, acknowledgements and the rest with numbers from the edges of what they may be.
fn any_chunk() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![0_u64..8, Just(127), Just(1 << 40), (u64::MAX - 2)..=u64::MAX];
    let kind =
        prop_oneof![Just(0x10_u8), Just(0x11), Just(0x50), Just(0x51), Just(0x18), Just(0x5e), Just(1)];
    (kind, any::<u8>(), 1_u64..4, number.clone(), number, prop::collection::vec(any::<u8>(), 0..20)).prop_map(
        |(kind, flags, flow, one, other, data)| {
            let mut payload = Vec::new();
            if matches!(kind, 0x10 | 0x11) {
                payload.push(flags & 0x33 | if data.len() > 15 { 0x80 } else { 0 });
            }
            if kind != 0x11 {
                [flow, one, other].iter().for_each(|number| vlu::write(*number, &mut payload));
            }
            if payload[0] & 0x80 != 0 {
                payload.extend([2, 0, b'm', 0]);
            }
            payload.extend(data);
            let mut chunk = vec![kind, 0, payload.len() as u8];
            chunk.extend(payload);
            chunk
        },
    )
}

proptest! {
    #[test]
    fn whatever_chunks_come_nothing_breaks(packets in prop::collection::vec(prop::collection::vec(any_chunk(), 1..8), 1..12)) {
        let mut pair = Pair::new();
        pair.dark = true;
        let flow = pair.open_flow(Bob, Priority::Routine, false);
        pair.write(Bob, flow, &[1; 3000], WriteOptions::default());
        for (n, chunks) in packets.iter().enumerate() {
            if n % 3 == 2 {
                pair.side(Bob).accepts = Some(crate::rtmfp::endpoint::Delivery::Arrival);
            }
            let mut datagram = [&[0, 0, 0, 2, 1][..], &chunks.concat()].concat();
            pair.with(Bob, |bob, now| bob.on_datagram(now, route(1), None, &mut datagram));
            pair.run_until(ms(300 * n as u64));
        }
    }
}
