//! What no honest program does, and what honest ones do at the edge of the bounds.

use std::collections::BTreeSet;
use std::time::Duration;

use super::pair::{Ada, Bob, End, Pair, numbered, route, settings};
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress, Priority, WriteOptions};
use crate::rtmfp::event::Event;
use crate::rtmfp::limits;
use crate::rtmfp::session::open::SessionSettings;
use crate::rtmfp::wire::acknowledgement::Ack;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader, chunks};
use crate::rtmfp::wire::user_data::{FlowMetadata, FragmentPlace, UserData};

/// Gives an end a packet of these chunks, as if the other had sent it.
fn give(pair: &mut Pair, to: End, chunks: &[Chunk<'_>]) {
    let (mode, from) = if to == Bob { (Mode::Initiator, route(1)) } else { (Mode::Responder, route(2)) };
    let header = PacketHeader {
        mode,
        time_critical: false,
        time_critical_reverse: false,
        timestamp: None,
        timestamp_echo: None,
    };
    let mut datagram = vec![0; 4];
    header.write(&mut datagram);
    chunks.iter().for_each(|chunk| chunk.write(&mut datagram));
    assert!(pair.with(to, |session, now| session.on_datagram(now, from, None, &mut datagram)));
}

fn fragment(flow_id: u64, sequence: u64, fragment: FragmentPlace, data: &[u8]) -> Chunk<'_> {
    let options = Some(FlowMetadata { metadata: b"m", answers: None, defect: None });
    Chunk::UserData(UserData {
        flow_id,
        sequence,
        forward_offset: sequence,
        fragment,
        abandoned: false,
        finished: false,
        options,
        data,
    })
}

/// Conforms: 7016-3.6.3.4.5-a
#[test]
fn acknowledgements_of_hundreds_of_flows_fit_their_packets_and_none_is_cut_off() {
    let mut pair = Pair::new();
    let data: Vec<Chunk<'_>> = (1..=900).map(|flow| fragment(flow, 1, FragmentPlace::Whole, b"x")).collect();
    give(&mut pair, Bob, &data);
    let mut acknowledged = BTreeSet::new();
    for (_, _, packet) in &pair.sent {
        assert!(packet.len() <= limits::DATAGRAM_SIZE - 4, "{}", packet.len());
        let (_, body) = PacketHeader::parse(packet).expect("a packet");
        for raw in chunks(body).flatten() {
            if let Ok(Chunk::Ack(ack)) = Chunk::parse(raw.kind, raw.payload) {
                acknowledged.insert(ack.flow_id);
            }
        }
    }
    assert_eq!(acknowledged.len(), 900);
    // None is owed any more: not by the alarm, and not with the next packet.
    pair.run_until(Duration::from_secs(1));
    let acknowledgements = |pair: &Pair| pair.count_sent(Bob, |chunk| matches!(chunk, Chunk::Ack(_)));
    let said = acknowledgements(&pair);
    give(&mut pair, Bob, &[fragment(1, 2, FragmentPlace::Whole, b"x")]);
    assert_eq!(acknowledgements(&pair), said);
}

#[test]
fn a_flow_without_room_is_asked_about_though_the_loss_showed_on_another_flow() {
    let mut pair = Pair::new();
    let full = pair.open_flow(Ada, Priority::Routine, false);
    let other = pair.open_flow(Ada, Priority::Routine, false);
    pair.dark = true;
    pair.write(Ada, full, b"lost", WriteOptions::default());
    pair.dark = false;
    let no_room = Ack { flow_id: full.0, free_bytes: 0, cumulative: 0, islands: Vec::new() };
    give(&mut pair, Ada, &[Chunk::Ack(no_room)]);
    for n in 0..60 {
        pair.write(Ada, other, &numbered(n, 1000), WriteOptions::default());
        pair.run_until(Duration::from_millis(50 * (n as u64 + 1)));
    }
    assert_ne!(pair.count_sent(Ada, |chunk| *chunk == Chunk::BufferProbe { flow_id: full.0 }), 0);
}

#[test]
fn a_flow_closed_here_and_refused_there_is_told_to_be_over() {
    let mut pair = Pair::new();
    pair.side(Bob).accepts = None;
    let flow = pair.open_flow(Ada, Priority::Routine, false);
    pair.write(Ada, flow, &numbered(1, 500_000), WriteOptions::default());
    pair.with(Ada, |ada, now| ada.close_flow(now, flow));
    pair.run_until(Duration::from_secs(10));
    let session = crate::rtmfp::endpoint::SessionKey(1);
    assert!(pair.has_event(Ada, |event| *event == Event::FlowCompleted { session, flow }));
    assert!(!pair.has_event(Ada, |event| matches!(event, Event::FlowRefused { .. })));
}

#[test]
fn a_flow_that_ends_in_the_middle_of_a_message_ends_all_the_same() {
    let mut pair = Pair::new();
    let Chunk::UserData(first) = fragment(1, 1, FragmentPlace::First, b"half") else { panic!("user data") };
    give(&mut pair, Bob, &[Chunk::UserData(UserData { finished: true, ..first })]);
    pair.run_until(Duration::from_secs(1));
    assert!(pair.has_event(Bob, |event| matches!(event, Event::FlowFinished { .. })));
}

#[test]
fn a_forwarded_hello_asks_for_no_answer_and_ends_no_session() {
    let patient = SessionSettings { keepalive: Duration::from_secs(60), ..settings() };
    let mut pair = Pair::with_settings(patient.clone(), patient);
    let stranger = KnownAddress { address: ([192, 0, 2, 9], 9).into(), origin: AddressOrigin::Observed };
    pair.with(Ada, |ada, now| ada.forward_hello(now, b"whom", stranger, b"tag"));
    pair.run_until(Duration::from_secs(50));
    assert!(pair.sides.values().all(|side| side.session.is_open()));
}

#[test]
fn long_messages_that_together_exceed_what_a_session_holds_are_finished_one_after_the_other() {
    let long = SessionSettings { largest_message: 4 << 20, ..settings() };
    let mut pair = Pair::with_settings(long.clone(), long);
    let data = vec![7; 60_000];
    let (flows, pieces) = (18, 64);
    let place = |piece: u64| if piece == 1 { FragmentPlace::First } else { FragmentPlace::Middle };
    for piece in 1..pieces {
        for flow in 1..=flows {
            give(&mut pair, Bob, &[fragment(flow, piece, place(piece), &data)]);
        }
    }
    // Whoever is not acknowledged comes again, as it would from an honest sender.
    for _ in 1..=flows {
        for flow in 1..=flows {
            for piece in pieces - 4..=pieces {
                let place = if piece == pieces { FragmentPlace::Last } else { place(piece) };
                give(&mut pair, Bob, &[fragment(flow, piece, place, &data)]);
            }
        }
    }
    assert_eq!(pair.messages(Bob).len(), 18);
}
