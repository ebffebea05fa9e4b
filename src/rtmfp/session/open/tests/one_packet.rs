//! What single packets do in an open session, given byte by byte (RFC 7016 §2.2.4, §2.3).

use std::time::Duration;

use super::pair::{Ada, Bob, End, Pair, numbered, route, settings};
use crate::rtmfp::endpoint::{CloseManner, Delivery, ForwardedHello, Priority, SessionKey, WriteOptions};
use crate::rtmfp::event::Event;
use crate::rtmfp::session::open::SessionSettings;
use crate::rtmfp::session::time_critical::TimeCritical;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader, chunks};

/// Hands an end a plain packet, as if the other had sent it from where it is; true if it counted.
fn give(pair: &mut Pair, to: End, plain: &[u8]) -> bool {
    let from = if to == Bob { route(1) } else { route(2) };
    let mut datagram = [&[0; 4], plain].concat();
    pair.with(to, |session, now| session.on_datagram(now, from, None, &mut datagram))
}

/// The packets that an end has sent so far, each with its header.
fn sent(pair: &Pair, from: End) -> Vec<(PacketHeader, Vec<u8>)> {
    let of_end = pair.sent.iter().filter(|(_, end, _)| *end == from);
    of_end
        .map(|(_, _, plain)| {
            let (header, body) = PacketHeader::parse(plain).expect("a packet");
            (header, body.to_vec())
        })
        .collect()
}

fn kinds(body: &[u8]) -> Vec<u8> {
    chunks(body).flatten().map(|chunk| chunk.kind).collect()
}

/// Numbers and bytes of the messages that an end got.
fn messages(pair: &Pair, end: End) -> Vec<(u64, Vec<u8>)> {
    let message = |(_, event): &(Duration, Event)| match event {
        Event::Message { sequence, bytes, .. } => Some((*sequence, bytes.to_vec())),
        _ => None,
    };
    pair.sides[&end].events.iter().filter_map(message).collect()
}

const PING: [u8; 4] = [0x01, 0, 1, b'?'];
/// Flow 2 with empty metadata, number 5, forward number 2: a whole message.
const USER_DATA: [u8; 11] = [0x10, 0, 8, 0x80, 2, 5, 3, 1, 0, 0, b'a'];

fn pair_in_order_of_arrival() -> Pair {
    let mut pair = Pair::new();
    pair.side(Bob).accepts = Some(Delivery::Arrival);
    pair
}

/// Conforms: 7016-2.3.12-c, trap-8
#[test]
fn next_user_data_takes_the_next_number_and_keeps_the_forward_number() {
    let mut pair = pair_in_order_of_arrival();
    let next = |byte| [0x11, 0, 2, 0x00, byte];
    give(&mut pair, Bob, &[&[0x01][..], &USER_DATA, &next(b'b'), &next(b'c')].concat());
    let expected = [(5, b"a".to_vec()), (6, b"b".to_vec()), (7, b"c".to_vec())];
    assert_eq!(messages(&pair, Bob), expected);
    let acks: Vec<_> = sent(&pair, Bob)
        .iter()
        .flat_map(|(_, body)| {
            chunks(body).flatten().map(|raw| (raw.kind, raw.payload.to_vec())).collect::<Vec<_>>()
        })
        .filter(|(kind, _)| matches!(kind, 0x50 | 0x51))
        .collect();
    let Ok(Chunk::Ack(ack)) = Chunk::parse(acks[0].0, &acks[0].1) else { panic!("an acknowledgement") };
    assert_eq!(
        (ack.cumulative, ack.islands),
        (2, vec![5..=7]),
        "everything up to the forward number is there"
    );
}

/// Conforms: trap-5
#[test]
fn next_user_data_behind_a_broken_chunk_has_nothing_to_go_on_from() {
    let next = [0x11, 0, 2, 0x00, b'x'];
    let broken_user_data = [0x10, 0, 5, 0x00, 2, 6, 7, b'y'];
    let broken_next = [0x11, 0, 2, 0x80, 9];
    for broken in [&broken_user_data[..], &broken_next] {
        let mut pair = pair_in_order_of_arrival();
        give(&mut pair, Bob, &[&[0x01], &USER_DATA[..], broken, &next, &next, &PING].concat());
        assert_eq!(messages(&pair, Bob), [(5, b"a".to_vec())]);
        assert_eq!(pair.count_sent(Bob, |chunk| *chunk == Chunk::PingReply { echo: b"?" }), 1);
    }
    // Chunks of other kinds in between, unknown and broken ones too, are no predecessors and no obstacle.
    let mut pair = pair_in_order_of_arrival();
    let between = [&PING[..], &[0xff, 0, 2, 1, 2], &[0x77, 0, 0], &[0x18, 0, 1, 0x81]].concat();
    give(&mut pair, Bob, &[&[0x01], &USER_DATA[..], &between, &next].concat());
    assert_eq!(messages(&pair, Bob), [(5, b"a".to_vec()), (6, b"x".to_vec())]);
    // And with nothing at all before it, it is nobody's.
    let mut pair = pair_in_order_of_arrival();
    give(&mut pair, Bob, &[&[0x01], &next[..]].concat());
    assert!(messages(&pair, Bob).is_empty());
}

/// Conforms: trap-11
#[test]
fn an_option_that_must_be_understood_rejects_the_flow_on_any_of_its_chunks() {
    let later = [0x10, 0, 8, 0x80, 2, 6, 4, 1, 0x0b, 0, b'x'];
    let next = [0x11, 0, 5, 0x80, 1, 0x0b, 0, b'x'];
    let optional = [0x10, 0, 9, 0x80, 2, 6, 4, 2, 0xc0, 0x00, 0, b'x'];
    for (chunk, rejects) in [(&later[..], true), (&next, true), (&optional, false)] {
        let mut pair = pair_in_order_of_arrival();
        give(&mut pair, Bob, &[&[0x01], &USER_DATA[..], chunk].concat());
        pair.run_until(Duration::from_secs(1));
        let reports = pair.count_sent(Bob, |chunk| *chunk == Chunk::FlowException { flow_id: 2, code: 0 });
        assert_eq!(reports > 0, rejects, "{chunk:x?}");
    }
    let mut pair = pair_in_order_of_arrival();
    let first = [0x10, 0, 10, 0x80, 2, 5, 3, 1, 0, 1, 0x0b, 0, b'x'];
    give(&mut pair, Bob, &[&[0x01][..], &first].concat());
    assert!(messages(&pair, Bob).is_empty());
    assert_eq!(pair.count_sent(Bob, |chunk| *chunk == Chunk::FlowException { flow_id: 2, code: 0 }), 1);
}

/// Conforms: 7016-2.2.4-o
#[test]
fn a_packet_without_chunks_still_tells_the_time_and_sets_its_flags() {
    let shared = TimeCritical::default();
    let bobs = SessionSettings { time_critical: shared.clone(), ..settings() };
    let mut pair = Pair::with_settings(settings(), bobs);
    assert!(give(&mut pair, Bob, &[0x89, 0x12, 0x34]));
    assert!(shared.received_elsewhere(pair.now, SessionKey(99)));
    assert!(pair.sent.is_empty());
    pair.run_until(Duration::from_millis(41));
    give(&mut pair, Bob, &[&[0x01], &PING[..]].concat());
    assert_eq!(sent(&pair, Bob)[0].0.timestamp_echo, Some(0x1234 + 10));
}

/// Conforms: 7016-2.2.4-f, 7016-2.2.4-h, 7016-2.2.4-j
#[test]
fn each_end_listens_to_the_mark_of_the_other_and_to_no_other_mode() {
    for (end, far_mode) in [(Ada, 2), (Bob, 1)] {
        for mode in 0..4 {
            let mut pair = Pair::new();
            let counts = give(&mut pair, end, &[&[0x08 | mode, 7, 7], &PING[..]].concat());
            assert_eq!(counts, mode == far_mode, "{end:?}, mode {mode}");
            let answers: Vec<_> = sent(&pair, end);
            assert_eq!(answers.len(), usize::from(mode == far_mode));
        }
    }
}

/// Conforms: 7016-2.3-c, 7016-2.2.4-k
#[test]
fn start_up_chunks_in_an_open_session_are_as_if_they_were_not_there() {
    let body: Vec<u8> = [
        &[0x30, 0, 3, 1, b'b', b't'][..],
        &[0x70, 0, 4, 1, b't', 1, b'c'],
        &[0x71, 0, 2, 1, b't'],
        &[0x79, 0, 3, 1, b'o', b'n'],
        &[0x38, 0, 8, 0, 0, 0, 5, 0, 0, 0, b'X'],
        &[0x78, 0, 6, 0, 0, 0, 9, 0, b'X'],
        &PING,
    ]
    .concat();
    let mut pair = Pair::new();
    give(&mut pair, Bob, &[&[0x01], &body[..]].concat());
    let answers = sent(&pair, Bob);
    assert_eq!((answers.len(), kinds(&answers[0].1)), (1, vec![0x41]));
    assert!(pair.side(Bob).events.is_empty());
}

/// Conforms: 7016-2.3.3-b, 7016-2.2.4-k
#[test]
fn a_forwarded_hello_counts_in_an_open_session_from_either_end() {
    let hello = [0x0f, 0, 10, 1, b'b', 2, 192, 0, 2, 9, 0, 9, b't'];
    for (end, mode) in [(Ada, 2), (Bob, 1)] {
        let mut pair = Pair::new();
        pair.side(end).session.set_forwarded_hello(ForwardedHello::Answer);
        give(&mut pair, end, &[&[mode], &hello[..]].concat());
        assert_eq!(pair.side(end).forwarded, 1);
        give(&mut pair, end, &[&[3], &hello[..]].concat());
        assert_eq!(pair.side(end).forwarded, 1, "not in a startup packet");
    }
}

/// Conforms: 7016-2.2.4-g, 7016-2.2.4-i, 7016-2.2.4-n, 7016-2-b
#[test]
fn every_packet_of_a_session_bears_its_senders_mark_has_a_chunk_and_no_reserved_bit() {
    let mut pair = Pair::new();
    pair.loss_percent = 10;
    for end in [Ada, Bob] {
        let flow = pair.open_flow(end, Priority::Routine, end == Ada);
        for n in 0..40 {
            pair.write(end, flow, &numbered(n, if n % 2 == 0 { 2_500 } else { 50 }), WriteOptions::default());
        }
        pair.with(end, |session, now| session.close_flow(now, flow));
    }
    pair.run_until(Duration::from_secs(60));
    pair.with(Ada, |ada, now| ada.close(now, CloseManner::Orderly));
    pair.run_until(Duration::from_secs(200));
    let mut seen = std::collections::BTreeSet::new();
    for (_, end, plain) in &pair.sent {
        let (header, body) = PacketHeader::parse(plain).expect("a packet");
        assert_eq!(header.mode, if *end == Ada { Mode::Initiator } else { Mode::Responder });
        assert_eq!(plain[0] & 0x30, 0);
        let kinds = kinds(body);
        assert!(!kinds.is_empty());
        for raw in chunks(body).flatten().filter(|raw| matches!(raw.kind, 0x10 | 0x11)) {
            assert_eq!(raw.payload[0] & 0x4c, 0);
        }
        seen.extend(kinds);
    }
    assert!([0x10, 0x11, 0x01, 0x41, 0x0c, 0x4c].iter().all(|kind| seen.contains(kind)), "{seen:x?}");
}

/// Conforms: 7016-2.2.4-l
#[test]
fn timestamps_count_four_milliseconds_each_and_wrap_at_sixteen_bits() {
    let mut pair = Pair::new();
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    for (at, ticks) in [(0, 0), (4, 1), (1_003, 250), (262_140, 0xffff), (262_144, 0), (300_000, 9_464)] {
        pair.run_until(Duration::from_millis(at));
        let before = sent(&pair, Ada).len();
        pair.write(Ada, flow, b"now", WriteOptions::default());
        let timestamp = sent(&pair, Ada)[before].0.timestamp;
        // A tick that a keepalive already told is not told again.
        assert!(timestamp == Some(ticks) || (timestamp.is_none() && at != 0), "{at} ms: {timestamp:?}");
        if at != 262_144 {
            assert_eq!(timestamp, Some(ticks), "{at} ms");
        }
    }
}

/// Conforms: 7016-3.5-a
#[test]
fn a_session_begins_with_nothing_owed_nothing_in_flight_and_nothing_measured() {
    let mut pair = Pair::new();
    let now = pair.now;
    assert!(pair.sent.is_empty());
    for end in [Ada, Bob] {
        let session = &mut pair.side(end).session;
        let figures = session.figures(now);
        assert_eq!((figures.in_flight, figures.round_trip), (0, None));
        assert_eq!(figures.retransmission_timeout, Duration::from_secs(3));
        assert_eq!(session.nonces(), ([1; 32], [2; 32]));
        // No acknowledgement waits, at once or delayed: only the keepalive is due, after ten seconds.
        assert_eq!(session.deadline(), Some(now + Duration::from_secs(10)));
    }
    let first = [PING, PING].concat();
    give(&mut pair, Bob, &[&[0x01], &first[..]].concat());
    let answers = sent(&pair, Bob);
    assert!(answers.iter().all(|(header, _)| header.timestamp_echo.is_none()), "no timestamp came yet");
}

/// Conforms: 7016-3.5.4-a, 7016-3.5.4-b, 7016-3.5.4-c, 7016-3.5.4-d, 7016-2.3.9-b
#[test]
fn a_ping_is_answered_at_once_with_its_message_whatever_that_is_and_a_reply_is_not_answered() {
    let mut pair = Pair::new();
    let messages = [&b""[..], b"?", &[0; 300], b"M\0\0\0\0\0\0\0\x05looks like a mark", &[0xff; 1000]];
    for message in messages {
        let chunk = [&[0x01], &(message.len() as u16).to_be_bytes()[..], message].concat();
        let before = pair.sent.len();
        assert!(give(&mut pair, Bob, &[&[0x01], &chunk[..]].concat()));
        let [(at, end, plain)] = &pair.sent[before..] else { panic!("one packet") };
        assert_eq!((*at, *end), (Duration::ZERO, Bob));
        let (_, body) = PacketHeader::parse(plain).unwrap();
        let echoes: Vec<_> = chunks(body).flatten().map(|raw| (raw.kind, raw.payload)).collect();
        assert_eq!(echoes, [(0x41, message)]);
    }
    let before = pair.sent.len();
    give(&mut pair, Ada, &[0x02, 0x41, 0, 1, b'?']);
    give(&mut pair, Bob, &[0x01, 0x41, 0, 1, b'?']);
    assert_eq!(pair.sent.len(), before);
    pair.run_until(Duration::from_secs(60));
    for (asks, answers) in [(Ada, Bob), (Bob, Ada)] {
        let pings = pair.count_sent(asks, |chunk| matches!(chunk, Chunk::Ping { .. }));
        let extra = if answers == Bob { messages.len() } else { 0 };
        let replies = pair.count_sent(answers, |chunk| matches!(chunk, Chunk::PingReply { .. }));
        assert_eq!(replies, pings + extra);
    }
}

/// Conforms: 7016-3.5.4.1-a, 7016-3.5.4.1-b, 7016-3.5.4.1-c
#[test]
fn keepalive_pings_are_empty_and_each_unanswered_one_backs_the_timeout_off_before_the_next() {
    let patient = SessionSettings { vanish_after: Duration::from_secs(100), ..settings() };
    let mut pair = Pair::with_settings(patient.clone(), patient);
    pair.dark = true;
    pair.run_until(Duration::from_secs(90));
    let asked: Vec<Duration> = pair
        .sent
        .iter()
        .filter(|(_, end, plain)| {
            let (_, body) = PacketHeader::parse(plain).unwrap();
            *end == Ada && chunks(body).flatten().any(|raw| raw.kind == 0x01 && raw.payload.is_empty())
        })
        .map(|(at, ..)| *at)
        .collect();
    assert_eq!(asked.len(), pair.count_sent(Ada, |chunk| matches!(chunk, Chunk::Ping { .. })));
    assert_eq!(asked[0], Duration::from_secs(10));
    let waits: Vec<f64> = asked.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    let mut timeout = 3.0_f64;
    for wait in &waits {
        assert!((wait - timeout).abs() < 0.01, "{waits:?}");
        timeout = (timeout * std::f64::consts::SQRT_2).min(10.0);
    }
    assert!(waits.len() > 6);
}

/// Conforms: 7016-3.5.5-h
#[test]
fn a_closing_session_acts_on_the_two_closing_chunks_and_on_nothing_else() {
    for closer in [Ada, Bob] {
        let mut pair = Pair::new();
        let flow = pair.open_flow(Bob, Priority::Routine, false);
        pair.write(Bob, flow, b"hello", WriteOptions::default());
        pair.run_until(Duration::from_secs(1));
        // Bob is in S_NEARCLOSE when he closes, and in S_FARCLOSE_LINGER when Ada does.
        pair.dark = closer == Bob;
        pair.with(closer, |session, now| session.close(now, CloseManner::Orderly));
        pair.run_until(Duration::from_millis(1_030));
        let (sent_before, events) = (pair.sent.len(), pair.side(Bob).events.len());
        pair.side(Bob).session.set_forwarded_hello(ForwardedHello::Answer);
        for chunk in [
            &PING[..],
            &[0x41, 0, 1, b'?'],
            &USER_DATA,
            &[0x18, 0, 1, 2],
            &[0x51, 0, 3, flow.0 as u8, 9, 9],
            &[0x5e, 0, 2, flow.0 as u8, 0],
            &[0x0f, 0, 10, 1, b'b', 2, 192, 0, 2, 9, 0, 9, b't'],
        ] {
            assert!(give(&mut pair, Bob, &[&[0x09, 7, 7], chunk].concat()));
            let mut moved = [&[0; 4], &[0x01][..], chunk].concat();
            pair.with(Bob, |bob, now| bob.on_datagram(now, route(66), None, &mut moved));
        }
        pair.run_until(Duration::from_millis(1_500));
        assert_eq!(pair.sent.len(), sent_before, "{closer:?} closed");
        assert_eq!((pair.side(Bob).events.len(), pair.side(Bob).forwarded), (events, 0));
        give(&mut pair, Bob, &[0x01, 0x0c, 0, 0]);
        assert_eq!(kinds(&sent(&pair, Bob).pop().unwrap().1), [0x4c]);
        give(&mut pair, Bob, &[0x01, 0x4c, 0, 0]);
        assert!(pair.side(Bob).over.is_some());
    }
}

/// Conforms: 7016-3.5.5-c, trap-16
#[test]
fn flows_die_the_moment_a_session_is_left() {
    for leaves in [
        &(|pair: &mut Pair| pair.with(Bob, |bob, now| bob.close(now, CloseManner::Orderly)))
            as &dyn Fn(&mut Pair),
        &|pair| pair.with(Bob, |bob, now| bob.close(now, CloseManner::Abrupt)),
        &|pair| assert!(give(pair, Bob, &[0x01, 0x0c, 0, 0])),
        &|pair| assert!(give(pair, Bob, &[0x01, 0x4c, 0, 0])),
    ] {
        let mut pair = Pair::new();
        let flow = pair.open_flow(Bob, Priority::Routine, false);
        pair.write(Bob, flow, &numbered(1, 50_000), WriteOptions::default());
        give(&mut pair, Bob, &[&[0x01], &USER_DATA[..]].concat());
        let before = pair.sent.len();
        leaves(&mut pair);
        pair.dark = true;
        pair.run_until(Duration::from_secs(120));
        let after: Vec<u8> = sent(&pair, Bob)[..]
            .iter()
            .skip(before - pair.sent[..before].iter().filter(|(_, end, _)| *end == Ada).count())
            .flat_map(|(_, body)| kinds(body))
            .collect();
        assert!(after.iter().all(|kind| matches!(kind, 0x0c | 0x4c)), "{after:x?}");
        let now = pair.now;
        assert_eq!(pair.side(Bob).session.figures(now).in_flight, 0);
        assert_eq!(pair.side(Bob).session.queued(flow), 0);
    }
}

/// Conforms: 7016-3.5.4.2-b
#[test]
fn a_packet_from_elsewhere_that_closes_the_session_asks_for_no_proof() {
    for (chunk, checks) in [(&PING[..], 1), (&[0x4c, 0, 0], 0), (&[0x0c, 0, 0], 0)] {
        let mut pair = Pair::new();
        let mut datagram = [&[0; 4], &[0x01][..], chunk].concat();
        pair.with(Bob, |bob, now| bob.on_datagram(now, route(66), None, &mut datagram));
        assert_eq!(pair.count_sent(Bob, |chunk| matches!(chunk, Chunk::Ping { .. })), checks, "{chunk:x?}");
    }
}

/// Conforms: 7016-3.5.4.2-c, 7016-3.5.3-a
#[test]
fn a_reply_from_elsewhere_to_anything_but_our_check_there_moves_nobody() {
    let mut pair = Pair::new();
    let from_elsewhere = |pair: &mut Pair, port: u16, chunk: &[u8]| {
        let mut datagram = [&[0; 4], &[0x01][..], chunk].concat();
        pair.with(Bob, |bob, now| bob.on_datagram(now, route(port), None, &mut datagram));
        pair.side(Bob).session.route()
    };
    assert_eq!(from_elsewhere(&mut pair, 66, &PING), route(1));
    let check = pair
        .sent
        .iter()
        .find_map(|(_, _, plain)| {
            let (_, body) = PacketHeader::parse(plain).ok()?;
            chunks(body).flatten().find(|raw| raw.kind == 0x01).map(|raw| raw.payload.to_vec())
        })
        .expect("a check");
    let reply = |echo: &[u8]| [&[0x41, 0, echo.len() as u8], echo].concat();
    let mut changed = check.clone();
    changed[24] ^= 1;
    for (port, echo) in [(66, &b""[..]), (66, b"?"), (66, &changed), (66, &check[..24]), (77, &check)] {
        assert_eq!(from_elsewhere(&mut pair, port, &reply(echo)), route(1), "{port}, {echo:x?}");
    }
    assert_eq!(from_elsewhere(&mut pair, 66, &reply(&check)), route(66));
}
