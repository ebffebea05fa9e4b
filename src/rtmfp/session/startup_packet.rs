//! Packets of the startup pseudo-session: mode 3, default key (RFC 7016 §2.2.4, §2.3).

use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{self, Mode, PacketHeader};
use crate::rtmfp::wire::writer::CHUNK_HEADER;

/// A plain startup packet with one chunk.
pub(crate) fn with_chunk(chunk: &Chunk<'_>) -> Vec<u8> {
    let header = PacketHeader {
        mode: Mode::Startup,
        time_critical: false,
        time_critical_reverse: false,
        timestamp: None,
        timestamp_echo: None,
    };
    let mut plain = Vec::with_capacity(header.encoded_length() + chunk.encoded_length());
    header.write(&mut plain);
    chunk.write(&mut plain);
    plain
}

/// A plain startup packet with the time it leaves at, without which Flash-era programs cannot read it.
pub(crate) fn stamped(plain: &[u8], ticks: u16) -> Vec<u8> {
    let mut stamped = Vec::with_capacity(plain.len() + TIMESTAMP);
    if let Ok((header, chunks)) = PacketHeader::parse(plain) {
        PacketHeader { timestamp: Some(ticks), ..header }.write(&mut stamped);
        stamped.extend_from_slice(chunks);
    }
    stamped
}

/// Bytes that a timestamp takes.
const TIMESTAMP: usize = 2;

/// The chunks of a plain packet, if it is a startup packet. Broken and unknown chunks are passed over (§2.3).
pub(crate) fn chunks(plain: &[u8]) -> Option<impl Iterator<Item = Chunk<'_>>> {
    let (header, chunks) = PacketHeader::parse(plain).ok()?;
    if header.mode != Mode::Startup {
        return None;
    }
    Some(packet::chunks(chunks).filter_map(|chunk| {
        let chunk = chunk.ok()?;
        Chunk::parse(chunk.kind, chunk.payload).ok()
    }))
}

/// A chunk's payload alone, as signatures cover it.
pub(crate) fn payload(chunk: &Chunk<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chunk.encoded_length());
    chunk.write(&mut bytes);
    bytes.drain(..CHUNK_HEADER);
    bytes
}
