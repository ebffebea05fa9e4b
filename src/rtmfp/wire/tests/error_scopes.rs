//! How far an error reaches: an element, a chunk, a packet (RFC 7016 §2, §2.3), and what is no error at all.

use super::parsed;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::error::ChunkError;
use crate::rtmfp::wire::packet::{PacketHeader, chunks};

/// Conforms: 7016-2-d, 7016-2.3-d
#[test]
fn a_broken_chunk_is_as_if_it_were_not_there_and_the_next_one_is_read() {
    for (kind, payload) in [
        (0x7f, &[0x80, 5, 0][..]),
        (0x30, &[9, 1]),
        (0x0f, &[1, 9, 2, 192, 0]),
        (0x70, &[1, 5, 9, 6]),
        (0x71, &[1, 5, 2, 192, 0]),
        (0x79, &[9, 5]),
        (0x38, &[0, 0, 1]),
        (0x78, &[0, 0, 1, 6, 9, 1]),
        (0x10, &[0, 2]),
        (0x11, &[0x80, 9]),
        (0x50, &[5, 0x81]),
        (0x51, &[5]),
        (0x18, &[0x81]),
        (0x5e, &[5]),
    ] {
        let mut bytes = vec![kind, 0, payload.len() as u8];
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(&[0x01, 0, 1, 7]);
        let read = parsed(&bytes);
        assert_eq!(read.len(), 2, "{kind:#x}");
        assert!(matches!(read[0], Err(ChunkError::Truncated | ChunkError::Malformed)), "{kind:#x}");
        assert_eq!(read[1], Ok(Chunk::Ping { message: &[7] }), "{kind:#x}");
    }
}

/// Conforms: 7016-2-e
#[test]
fn an_error_deep_inside_gives_up_everything_around_it_and_a_broken_header_the_whole_packet() {
    // The type of an option, in a list, in a chunk: nothing of the chunk counts, not even what was read before.
    let chunk = [0x10, 0, 7, 0x80, 2, 5, 3, 1, 0x8a, 0];
    assert_eq!(parsed(&chunk), [Err(ChunkError::Truncated)]);
    // A flow ID inside an option.
    let chunk = [0x10, 0, 10, 0x80, 2, 5, 3, 1, 0, 2, 0x0a, 0x81, 0];
    assert_eq!(parsed(&chunk), [Err(ChunkError::Truncated)]);
    for header in [&[][..], &[0x09], &[0x09, 1], &[0x0d, 1, 2, 3]] {
        assert_eq!(PacketHeader::parse(header), Err(ChunkError::Truncated));
    }
}

/// Conforms: 7016-2.3-b, 7016-2.3-e
#[test]
fn unknown_and_padding_chunks_are_passed_over_whatever_they_hold() {
    let known = [
        0x7f, 0x30, 0x0f, 0x70, 0x71, 0x79, 0x38, 0x78, 0x01, 0x41, 0x10, 0x11, 0x50, 0x51, 0x18, 0x5e, 0x0c,
        0x4c, // And one that is not the RFC's, but ours and rtmfp-cpp's.
        0xec,
    ];
    for kind in (0..=255).filter(|kind| !known.contains(kind)) {
        let bytes = [0x0c, 0, 0, kind, 0, 4, 1, 0, 1, 9, 0x4c, 0, 0];
        let expected = [Ok(Chunk::CloseRequest), Err(ChunkError::UnknownType(kind)), Ok(Chunk::CloseAck)];
        assert_eq!(parsed(&bytes), expected);
    }
    for kind in known {
        assert_ne!(Chunk::parse(kind, &[]), Err(ChunkError::UnknownType(kind)), "{kind:#x}");
    }
}

/// Conforms: 7016-2.2.4-c, trap-4
#[test]
fn padding_is_no_error_and_a_padding_chunk_is_no_padding() {
    let ping = [0x01, 0, 1, 7];
    let read = |tail: &[u8]| {
        let bytes = [&ping[..], tail].concat();
        chunks(&bytes).map(|chunk| chunk.map(|chunk| (chunk.kind, chunk.payload.len()))).collect::<Vec<_>>()
    };
    // Fewer bytes than a header takes; a length that does not fit, by one byte and by many.
    for tail in [&[][..], &[0], &[0x0c, 0], &[0x01, 0, 3, 1, 2], &[0xff; 3], &[0xff; 16]] {
        assert_eq!(read(tail), [Ok((0x01, 1))], "{tail:?}");
    }
    assert_eq!(read(&[0x01, 0, 2, 1, 2]), [Ok((0x01, 1)), Ok((0x01, 2))], "a length that just fits");
    for kind in [0x00, 0xff] {
        let tail = [kind, 0, 2, 0xff, 0xff, 0x0c, 0, 0];
        assert_eq!(read(&tail), [Ok((0x01, 1)), Ok((kind, 2)), Ok((0x0c, 0))]);
    }
}
