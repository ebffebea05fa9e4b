//! Properties of every chunk, and the reassembly of packets.

mod error_scopes;
mod layout;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;

use super::acknowledgement::Ack;
use super::chunk::{Chunk, InitiatorKeying, ResponderKeying};
use super::packet::{self, Mode, PacketHeader};
use super::packet_fragment::{PacketFragment, Reassembly, split};
use super::user_data::{FlowMetadata, FragmentPlace, NextUserData, UserData};
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress};

fn leaked() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..200).prop_map(|bytes| &*bytes.leak())
}

fn known_address() -> impl Strategy<Value = KnownAddress> {
    let ip = prop_oneof![
        any::<[u8; 4]>().prop_map(std::net::IpAddr::from),
        any::<[u8; 16]>().prop_map(|bytes| std::net::IpAddr::from(bytes).to_canonical()),
    ];
    let origin = prop_oneof![
        Just(AddressOrigin::Unknown),
        Just(AddressOrigin::Reported),
        Just(AddressOrigin::Observed),
        Just(AddressOrigin::Relay),
    ];
    (ip, any::<u16>(), origin)
        .prop_map(|(ip, port, origin)| KnownAddress { address: SocketAddr::new(ip, port), origin })
}

fn place() -> impl Strategy<Value = FragmentPlace> {
    prop_oneof![
        Just(FragmentPlace::Whole),
        Just(FragmentPlace::First),
        Just(FragmentPlace::Middle),
        Just(FragmentPlace::Last),
    ]
}

fn islands(cumulative: u64, steps: Vec<(u16, u16)>) -> Vec<RangeInclusive<u64>> {
    let mut end = cumulative;
    let mut island = |(missing, there)| {
        let first = end + 2 + u64::from(missing);
        end = first + u64::from(there);
        first..=end
    };
    steps.into_iter().map(&mut island).collect()
}

fn ack() -> impl Strategy<Value = Ack> {
    let small = vec((0..9_u16, 0..9_u16), 0..40);
    let steps = prop_oneof![small, vec(any::<(u16, u16)>(), 0..40)];
    (any::<u64>(), any::<u32>(), any::<u32>(), steps).prop_map(|(flow_id, blocks, cumulative, steps)| Ack {
        flow_id,
        free_bytes: u64::from(blocks) * 1024,
        cumulative: cumulative.into(),
        islands: islands(cumulative.into(), steps),
    })
}

fn user_data() -> impl Strategy<Value = UserData<'static>> {
    let options =
        proptest::option::of((leaked(), any::<Option<u64>>()).prop_map(|(metadata, answers)| FlowMetadata {
            metadata,
            answers,
            defect: None,
        }));
    (any::<u64>(), any::<u64>(), any::<u64>(), place(), any::<(bool, bool)>(), options, leaked()).prop_map(
        |(flow_id, sequence, offset, fragment, (abandoned, finished), options, data)| UserData {
            flow_id,
            sequence,
            forward_offset: offset.min(sequence),
            fragment,
            abandoned,
            finished,
            options,
            data,
        },
    )
}

fn chunk() -> impl Strategy<Value = Chunk<'static>> {
    prop_oneof![
        (leaked(), leaked())
            .prop_map(|(endpoint_discriminator, tag)| Chunk::IHello { endpoint_discriminator, tag }),
        (leaked(), known_address(), leaked()).prop_map(|(endpoint_discriminator, reply, tag)| {
            Chunk::ForwardedHello { endpoint_discriminator, reply, tag }
        }),
        (leaked(), leaked(), leaked()).prop_map(|(tag_echo, cookie, certificate)| {
            Chunk::ResponderHello { tag_echo, cookie, certificate }
        }),
        (leaked(), vec(known_address(), 0..30))
            .prop_map(|(tag_echo, destinations)| Chunk::Redirect { tag_echo, destinations }),
        (leaked(), leaked())
            .prop_map(|(old_cookie, new_cookie)| Chunk::CookieChange { old_cookie, new_cookie }),
        leaked().prop_map(|message| Chunk::Ping { message }),
        leaked().prop_map(|echo| Chunk::PingReply { echo }),
        user_data().prop_map(Chunk::UserData),
        (place(), any::<bool>(), any::<bool>(), leaked()).prop_map(
            |(fragment, abandoned, finished, data)| {
                Chunk::NextUserData(NextUserData {
                    fragment,
                    abandoned,
                    finished,
                    unknown_option: None,
                    data,
                })
            }
        ),
        ack().prop_map(Chunk::Ack),
        any::<u64>().prop_map(|flow_id| Chunk::BufferProbe { flow_id }),
        any::<(u64, u64)>().prop_map(|(flow_id, code)| Chunk::FlowException { flow_id, code }),
        Just(Chunk::CloseRequest),
        Just(Chunk::CloseAck),
        (any::<(bool, u64, u64)>(), vec(any::<u8>(), 1..200)).prop_map(
            |((more, packet_id, number), data)| {
                Chunk::PacketFragment(PacketFragment { more, packet_id, number, data: data.leak() })
            }
        ),
    ]
}

fn parsed(bytes: &[u8]) -> Vec<Result<Chunk<'_>, super::error::ChunkError>> {
    packet::chunks(bytes).flatten().map(|raw| Chunk::parse(raw.kind, raw.payload)).collect()
}

proptest! {
    #[test]
    fn every_chunk_reads_back_as_it_was_written(chunk in chunk()) {
        let mut bytes = Vec::new();
        chunk.write(&mut bytes);
        prop_assert_eq!(bytes.len(), chunk.encoded_length());
        prop_assert_eq!(parsed(&bytes), [Ok(chunk)]);
    }

    #[test]
    fn keying_reads_back_with_what_was_signed(
        session_id in any::<u32>(), a in leaked(), b in leaked(), c in leaked(), d in leaked(),
    ) {
        let initiator = InitiatorKeying {
            session_id, cookie_echo: a, certificate: b, component: c, signed: &[], signature: d,
        };
        let responder = ResponderKeying { session_id, component: a, signed: &[], signature: b };
        for (chunk, signature) in [(Chunk::InitiatorKeying(initiator), d), (Chunk::ResponderKeying(responder), b)] {
            let mut bytes = Vec::new();
            chunk.write(&mut bytes);
            prop_assert_eq!(bytes.len(), chunk.encoded_length());
            let signed = &bytes[3..bytes.len() - signature.len()];
            let expected = match chunk {
                Chunk::InitiatorKeying(keying) => Chunk::InitiatorKeying(InitiatorKeying { signed, ..keying }),
                Chunk::ResponderKeying(keying) => Chunk::ResponderKeying(ResponderKeying { signed, ..keying }),
                other => other,
            };
            prop_assert_eq!(parsed(&bytes), [Ok(expected)]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(kind in any::<u8>(), payload in vec(any::<u8>(), 0..300)) {
        let _ = Chunk::parse(kind, &payload);
        if let Ok((_, chunks)) = PacketHeader::parse(&payload) {
            parsed(chunks);
        }
    }

    #[test]
    fn a_chunk_cut_anywhere_never_panics(chunk in chunk(), keep in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        chunk.write(&mut bytes);
        let kind = bytes[0];
        let _ = Chunk::parse(kind, &bytes[3..3 + keep.index(bytes.len() - 2)]);
    }

    #[test]
    fn pieces_in_any_order_make_the_packet_again(
        body in vec(any::<u8>(), 0..4000), limit in 100..1200_usize, order in any::<u64>(),
    ) {
        let packet = [&[3][..], &body].concat();
        let mut pieces: Vec<_> = split(&packet, 9, limit).collect();
        prop_assert!(pieces.iter().all(|piece| piece.encoded_length() <= limit));
        let turn = order as usize % pieces.len();
        pieces.rotate_left(turn);
        let mut reassembly = Reassembly::default();
        let now = Instant::now();
        let last = pieces.pop().expect("at least one piece");
        for piece in &pieces {
            prop_assert_eq!(reassembly.take(now, 1, Mode::Startup, piece), None);
        }
        prop_assert_eq!(reassembly.take(now, 1, Mode::Startup, &last), Some(packet));
        prop_assert_eq!(reassembly.deadline(), None);
    }
}

/// RFC 7016, figure 3: three messages in one packet.
#[test]
fn the_rfcs_sequential_messages_are_read() {
    let bytes =
        [0x10, 0, 7, 0, 2, 5, 3, 0, 1, 2, 0x11, 0, 4, 0, 3, 4, 5, 0x11, 0, 4, 0, 6, 7, 8, 0xff, 0xff, 0xff];
    let next = |data| NextUserData {
        fragment: FragmentPlace::Whole,
        abandoned: false,
        finished: false,
        unknown_option: None,
        data,
    };
    let read = parsed(&bytes);
    assert_eq!(read.len(), 3);
    assert_eq!(read[1], Ok(Chunk::NextUserData(next(&[3, 4, 5]))));
    assert_eq!(read[2], Ok(Chunk::NextUserData(next(&[6, 7, 8]))));
}

fn piece(more: bool, number: u64, data: &[u8]) -> PacketFragment<'_> {
    PacketFragment { more, packet_id: 1, number, data }
}

#[test]
fn a_piece_that_comes_twice_counts_once() {
    let mut reassembly = Reassembly::default();
    let now = Instant::now();
    for _ in 0..3 {
        assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, 0, &[3])), None);
    }
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(false, 1, &[9])), Some(vec![3, 9]));
}

/// Conforms: 7016-3.4-e
#[test]
fn pieces_of_different_sources_are_kept_apart() {
    let mut reassembly = Reassembly::default();
    let now = Instant::now();
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, 0, &[3])), None);
    assert_eq!(reassembly.take(now, 2, Mode::Startup, &piece(false, 1, &[9])), None);
}

/// Conforms: 7016-3.4-f
#[test]
fn a_packet_without_progress_for_a_second_is_forgotten() {
    let mut reassembly = Reassembly::default();
    let now = Instant::now();
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, 0, &[3])), None);
    assert_eq!(reassembly.deadline(), Some(now + Duration::from_secs(1)));
    let late = now + Duration::from_secs(1);
    assert_eq!(reassembly.take(late, 1, Mode::Startup, &piece(false, 1, &[9])), None);
}

/// Conforms: 7016-3.4-i, 7016-3.4-j
#[test]
fn a_packet_of_another_mode_than_its_pieces_is_dropped() {
    let mut reassembly = Reassembly::default();
    let now = Instant::now();
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, 0, &[1])), None);
    assert_eq!(reassembly.take(now, 1, Mode::Initiator, &piece(false, 1, &[9])), None, "another mode");
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(false, 1, &[9])), None, "mode 1 inside");
    assert_eq!(reassembly.deadline(), None);
}

/// Conforms: 7016-3.4-f
#[test]
fn a_packet_that_makes_progress_may_take_a_minute_and_no_longer() {
    for (pause, in_time) in [(900, true), (950, false), (1_000, false)] {
        let mut reassembly = Reassembly::default();
        let now = Instant::now();
        let at = |number: u64| now + Duration::from_millis(pause * number);
        for number in 0..65 {
            assert_eq!(reassembly.take(at(number), 1, Mode::Startup, &piece(true, number, &[3])), None);
            // One that came already is no progress.
            let _ = reassembly.take(
                at(number + 1) - Duration::from_millis(1),
                1,
                Mode::Startup,
                &piece(true, 0, &[3]),
            );
        }
        let whole = reassembly.take(at(65), 1, Mode::Startup, &piece(false, 65, &[3]));
        assert_eq!(whole.is_some(), in_time, "a piece every {pause} ms");
    }
}

/// Conforms: 7016-3.4-m
#[test]
fn too_many_bytes_or_pieces_end_the_packet() {
    let mut reassembly = Reassembly::default();
    let now = Instant::now();
    let big = vec![3; 40_000];
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, 0, &big)), None);
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(false, 1, &big)), None);
    assert_eq!(reassembly.deadline(), None);
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, u64::MAX, &[1])), None);
    assert_eq!(reassembly.deadline(), None);
}

/// Conforms: 7016-3.4-m
#[test]
fn a_flood_of_packets_is_bounded_and_one_source_cannot_crowd_out_another() {
    let mut reassembly = Reassembly::default();
    let now = Instant::now();
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(true, 0, &[3])), None);
    for packet_id in 0..10_000 {
        let flood = PacketFragment { more: true, packet_id, number: 0, data: &[3] };
        assert_eq!(reassembly.take(now, 2, Mode::Startup, &flood), None);
    }
    assert_eq!(reassembly.take(now, 1, Mode::Startup, &piece(false, 1, &[9])), Some(vec![3, 9]));
}
