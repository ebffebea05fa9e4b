//! Every chunk as bytes, read and written (RFC 7016 §2.3).

use super::parsed;
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress};
use crate::rtmfp::wire::chunk::{Chunk, InitiatorKeying, ResponderKeying};
use crate::rtmfp::wire::error::ChunkError;
use crate::rtmfp::wire::packet_fragment::PacketFragment;
use crate::rtmfp::wire::user_data::{FlowDefect, FlowMetadata, FragmentPlace, NextUserData, UserData};

/// These bytes are exactly this chunk, both ways.
fn both_ways(bytes: &[u8], chunk: Chunk<'_>) {
    let mut written = Vec::new();
    chunk.write(&mut written);
    assert_eq!(written, bytes);
    assert_eq!(chunk.encoded_length(), bytes.len());
    assert_eq!(parsed(bytes), [Ok(chunk)]);
}

/// Cut anywhere before its payload's `least` bytes, the chunk is skipped, and the one behind it is read all the same.
fn skipped_when_shorter_than(least: usize, bytes: &[u8]) {
    for length in 0..least {
        let kind = bytes[0];
        let mut cut = vec![kind, 0, length as u8];
        cut.extend_from_slice(&bytes[3..3 + length]);
        cut.extend_from_slice(&[0x0c, 0, 0]);
        let read = parsed(&cut);
        assert!(matches!(read[..], [Err(_), Ok(Chunk::CloseRequest)]), "{length} bytes: {read:?}");
    }
}

fn known(address: &str, origin: AddressOrigin) -> KnownAddress {
    KnownAddress { address: address.parse().expect("a socket address"), origin }
}

/// Conforms: 7016-2.3-a
#[test]
fn a_chunk_is_a_type_a_length_of_two_bytes_and_a_payload_that_may_be_empty() {
    both_ways(&[0x01, 0, 0], Chunk::Ping { message: &[] });
    let long = [7; 0x0102];
    both_ways(&[&[0x01, 0x01, 0x02][..], &long].concat(), Chunk::Ping { message: &long });
}

/// Conforms: 7016-2.3.1-a
#[test]
fn a_packet_fragment_has_flags_two_numbers_and_its_bytes() {
    let data = &[9, 8][..];
    let first = PacketFragment { more: true, packet_id: 300, number: 2, data };
    both_ways(&[0x7f, 0, 6, 0x80, 0x82, 0x2c, 2, 9, 8], Chunk::PacketFragment(first));
    let last = PacketFragment { more: false, ..first };
    both_ways(&[0x7f, 0, 6, 0x00, 0x82, 0x2c, 2, 9, 8], Chunk::PacketFragment(last));
    assert_eq!(Chunk::parse(0x7f, &[0x7f, 0x82, 0x2c, 2, 9, 8]), Ok(Chunk::PacketFragment(last)));
}

/// Conforms: 7016-2.3.2-a
#[test]
fn an_initiator_hello_has_a_counted_discriminator_and_a_tag_to_its_end() {
    let epd = &[1, 0x0a][..];
    both_ways(&[0x30, 0, 5, 2, 1, 0x0a, 7, 7], Chunk::IHello { endpoint_discriminator: epd, tag: &[7, 7] });
    both_ways(&[0x30, 0, 1, 0], Chunk::IHello { endpoint_discriminator: &[], tag: &[] });
    skipped_when_shorter_than(3, &[0x30, 0, 5, 2, 1, 0x0a, 7, 7]);
}

/// Conforms: 7016-2.3.3-a
#[test]
fn a_forwarded_hello_has_the_reply_address_between_discriminator_and_tag() {
    let reply = known("192.0.2.1:80", AddressOrigin::Observed);
    let chunk = Chunk::ForwardedHello { endpoint_discriminator: &[9], reply, tag: &[5] };
    let bytes = [0x0f, 0, 10, 1, 9, 2, 192, 0, 2, 1, 0, 80, 5];
    both_ways(&bytes, chunk);
    skipped_when_shorter_than(9, &bytes);
}

/// Conforms: 7016-2.3.4-a
#[test]
fn a_responder_hello_has_a_counted_tag_a_counted_cookie_and_a_certificate_to_its_end() {
    let bytes = [0x70, 0, 7, 1, 5, 2, 6, 6, 7, 7];
    both_ways(&bytes, Chunk::ResponderHello { tag_echo: &[5], cookie: &[6, 6], certificate: &[7, 7] });
    skipped_when_shorter_than(5, &bytes);
}

/// Conforms: 7016-2.3.5-a
#[test]
fn a_redirect_has_a_counted_tag_and_addresses_to_its_end() {
    let both = vec![
        known("192.0.2.1:80", AddressOrigin::Observed),
        known("[2001:db8::1]:1935", AddressOrigin::Reported),
    ];
    let mut bytes = vec![0x71, 0, 28, 1, 5, 2, 192, 0, 2, 1, 0, 80];
    bytes.extend([0x81, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x07, 0x8f]);
    both_ways(&bytes, Chunk::Redirect { tag_echo: &[5], destinations: both });
    both_ways(&[0x71, 0, 2, 1, 5], Chunk::Redirect { tag_echo: &[5], destinations: vec![] });
}

/// Conforms: 7016-2.3.5-e
#[test]
fn a_redirect_cut_inside_any_address_names_no_address_at_all_and_does_not_mean_here() {
    let whole = [1, 9, 2, 192, 0, 2, 1, 0, 80, 0x82, 192, 0, 2, 1, 0, 80];
    assert!(Chunk::parse(0x71, &whole[..9]).is_ok());
    for length in (3..9).chain(10..whole.len()) {
        assert_eq!(Chunk::parse(0x71, &whole[..length]), Err(ChunkError::Truncated), "{length} bytes");
    }
}

/// Conforms: 7016-2.3.6-a
#[test]
fn a_cookie_change_has_the_old_cookie_counted_and_the_new_one_to_its_end() {
    let bytes = [0x79, 0, 6, 2, 5, 5, 6, 6, 6];
    both_ways(&bytes, Chunk::CookieChange { old_cookie: &[5, 5], new_cookie: &[6, 6, 6] });
    skipped_when_shorter_than(3, &bytes);
}

/// Conforms: 7016-2.3.7-a, 7016-2.3.7-d
#[test]
fn an_initiator_keying_counts_three_things_and_signs_all_before_the_signature() {
    let bytes = [0x38, 0, 14, 0, 0, 1, 5, 2, 1, 1, 1, 2, 2, 3, 3, b'X', b'Y'];
    let keying = InitiatorKeying {
        session_id: 0x105,
        cookie_echo: &[1, 1],
        certificate: &[2],
        component: &[3, 3],
        signed: &bytes[3..15],
        signature: b"XY",
    };
    both_ways(&bytes, Chunk::InitiatorKeying(keying));
    skipped_when_shorter_than(12, &bytes);
}

/// Conforms: 7016-2.3.8-a
#[test]
fn a_responder_keying_counts_its_component_and_signs_what_stands_before_the_signature() {
    let bytes = [0x78, 0, 8, 0, 0, 1, 6, 2, 1, 1, b'X'];
    let keying =
        ResponderKeying { session_id: 0x106, component: &[1, 1], signed: &bytes[3..10], signature: b"X" };
    both_ways(&bytes, Chunk::ResponderKeying(keying));
    skipped_when_shorter_than(7, &bytes);
}

/// Conforms: 7016-2.3.9-a, 7016-2.3.10-a
#[test]
fn a_ping_and_its_reply_are_nothing_but_their_message() {
    both_ways(&[0x01, 0, 3, 1, 2, 3], Chunk::Ping { message: &[1, 2, 3] });
    both_ways(&[0x41, 0, 3, 1, 2, 3], Chunk::PingReply { echo: &[1, 2, 3] });
    both_ways(&[0x41, 0, 0], Chunk::PingReply { echo: &[] });
}

fn whole<'a>(data: &'a [u8], options: Option<FlowMetadata<'a>>) -> UserData<'a> {
    UserData {
        flow_id: 2,
        sequence: 300,
        forward_offset: 3,
        fragment: FragmentPlace::Whole,
        abandoned: false,
        finished: false,
        options,
        data,
    }
}

/// Conforms: 7016-2.3.11-b
#[test]
fn user_data_has_flags_three_numbers_options_and_data_to_its_end() {
    both_ways(&[0x10, 0, 7, 0x00, 2, 0x82, 0x2c, 3, 9, 9], Chunk::UserData(whole(&[9, 9], None)));
    let options = Some(FlowMetadata { metadata: b"m", answers: None, defect: None });
    let bytes = [0x10, 0, 10, 0x80, 2, 0x82, 0x2c, 3, 2, 0, b'm', 0, 9];
    both_ways(&bytes, Chunk::UserData(whole(&[9], options)));
    skipped_when_shorter_than(9, &bytes);
}

/// Conforms: 7016-2.3.11-a, 7016-2.3.11-c, trap-7
#[test]
fn each_flag_of_user_data_is_its_own_bit_and_places_are_not_numbered_in_their_order() {
    let places =
        [FragmentPlace::Whole, FragmentPlace::First, FragmentPlace::Last, FragmentPlace::Middle].into_iter();
    for (number, fragment) in places.enumerate() {
        for (abandoned, finished) in [(false, false), (true, false), (false, true), (true, true)] {
            let flags = (number as u8) << 4 | u8::from(abandoned) << 1 | u8::from(finished);
            let data = UserData { fragment, abandoned, finished, ..whole(&[9], None) };
            both_ways(&[0x10, 0, 6, flags, 2, 0x82, 0x2c, 3, 9], Chunk::UserData(data));
            let reserved = [flags | 0x4c, 2, 0x82, 0x2c, 3, 9];
            assert_eq!(Chunk::parse(0x10, &reserved), Ok(Chunk::UserData(data)));
        }
    }
}

/// Conforms: 7016-2.3.11-d, 7016-2.3.11-j, trap-8
#[test]
fn the_forward_number_is_the_sequence_number_less_the_offset_and_never_below_0() {
    let forward = |payload: &[u8]| match Chunk::parse(0x10, payload) {
        Ok(Chunk::UserData(data)) => Ok(data.sequence - data.forward_offset),
        other => Err(other.err()),
    };
    assert_eq!(forward(&[0x00, 2, 1, 1, 9]), Ok(0), "an ordinary first fragment");
    assert_eq!(forward(&[0x00, 2, 0x82, 0x2c, 3, 9]), Ok(297));
    assert_eq!(forward(&[0x02, 2, 7, 0]), Ok(7), "a forward sequence number update");
    assert_eq!(forward(&[0x00, 2, 7, 8, 9]), Err(Some(ChunkError::Malformed)));
}

/// Conforms: 7016-2.3.11.1.1-a, 7016-2.3.11.1.2-a
#[test]
fn metadata_is_option_0_and_a_return_association_is_option_10_with_a_flow_id() {
    let options = Some(FlowMetadata { metadata: b"TC", answers: Some(300), defect: None });
    let bytes = [0x10, 0, 14, 0x80, 2, 0x82, 0x2c, 3, 3, 0, b'T', b'C', 3, 0x0a, 0x82, 0x2c, 0];
    both_ways(&bytes, Chunk::UserData(whole(&[], options)));
}

/// Conforms: trap-11
#[test]
fn an_unknown_option_below_8192_obliges_to_reject_in_either_user_data_chunk_and_one_from_there_on_does_not() {
    for (kind, obliges) in [(&[0x0b][..], true), (&[0xbf, 0x7f], true), (&[0xc0, 0x00], false)] {
        let mut list = vec![1, 0, kind.len() as u8 + 1];
        list.extend_from_slice(kind);
        list.extend_from_slice(&[9, 0]);
        let mut user_data = vec![0x80, 2, 7, 1];
        user_data.extend_from_slice(&list);
        let Ok(Chunk::UserData(data)) = Chunk::parse(0x10, &user_data) else { panic!("user data") };
        let defect = data.options.expect("options").defect;
        assert_eq!(matches!(defect, Some(FlowDefect::UnknownOption(_))), obliges, "{kind:?}");
        let next = [&[0x80][..], &list].concat();
        let Ok(Chunk::NextUserData(next)) = Chunk::parse(0x11, &next) else { panic!("next user data") };
        assert_eq!(next.unknown_option.is_some(), obliges, "{kind:?}");
    }
}

/// Conforms: 7016-2.3.12-a
#[test]
fn next_user_data_has_flags_options_and_data_and_no_numbers() {
    let next = NextUserData {
        fragment: FragmentPlace::Last,
        abandoned: false,
        finished: true,
        unknown_option: None,
        data: &[9, 9],
    };
    both_ways(&[0x11, 0, 3, 0x21, 9, 9], Chunk::NextUserData(next));
    assert_eq!(Chunk::parse(0x11, &[0xed, 2, 0, b'm', 0, 9, 9]), Ok(Chunk::NextUserData(next)));
    assert_eq!(Chunk::parse(0x11, &[0x80, 2, 0, b'm']), Err(ChunkError::Truncated));
    assert_eq!(Chunk::parse(0x11, &[]), Err(ChunkError::Truncated));
}

/// Conforms: 7016-2.3.15-a, 7016-2.3.16-a
#[test]
fn a_probe_names_a_flow_and_a_report_a_flow_and_a_code() {
    both_ways(&[0x18, 0, 2, 0x82, 0x2c], Chunk::BufferProbe { flow_id: 300 });
    both_ways(&[0x5e, 0, 3, 0x82, 0x2c, 7], Chunk::FlowException { flow_id: 300, code: 7 });
    skipped_when_shorter_than(2, &[0x18, 0, 2, 0x82, 0x2c]);
    skipped_when_shorter_than(3, &[0x5e, 0, 3, 0x82, 0x2c, 7]);
}

/// Conforms: 7016-2.3.17-a, 7016-2.3.18-a
#[test]
fn the_two_closing_chunks_are_empty() {
    both_ways(&[0x0c, 0, 0], Chunk::CloseRequest);
    both_ways(&[0x4c, 0, 0], Chunk::CloseAck);
}
