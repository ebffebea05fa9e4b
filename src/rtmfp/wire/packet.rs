//! A plain packet: its header, its times, and the walk over its chunks (RFC 7016 §2.2.4).

use super::error::ChunkError;
use super::reader::Reader;
use super::writer::{CHUNK_HEADER, Writer};

const TIME_CRITICAL: u8 = 0x80;
const TIME_CRITICAL_REVERSE: u8 = 0x40;
const TIMESTAMP: u8 = 0x08;
const TIMESTAMP_ECHO: u8 = 0x04;
const MODE: u8 = 0x03;

/// Who sent a packet, as it says itself. Mode 0 is forbidden (§2.2.4) and never gets as far as this type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// The end that opened the session.
    Initiator = 1,
    /// The end that answered.
    Responder = 2,
    /// Either end, before there is a session.
    Startup = 3,
}

/// What stands before the chunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PacketHeader {
    /// Who sent it.
    pub(crate) mode: Mode,
    /// It carries real-time user data (TC).
    pub(crate) time_critical: bool,
    /// Its sender gets real-time data on other sessions (TCR).
    pub(crate) time_critical_reverse: bool,
    /// The sender's clock, in ticks of 4 ms.
    pub(crate) timestamp: Option<u16>,
    /// Our own clock as the sender reckons it, in ticks of 4 ms.
    pub(crate) timestamp_echo: Option<u16>,
}

impl PacketHeader {
    /// Reads the header of `packet`, and answers the chunks that follow it.
    ///
    /// # Errors
    /// [`ChunkError::Malformed`] for mode 0, whose packets must be discarded; [`ChunkError::Truncated`].
    pub(crate) fn parse(packet: &[u8]) -> Result<(Self, &[u8]), ChunkError> {
        let mut reader = Reader::new(packet);
        let flags = reader.u8()?;
        let mode = match flags & MODE {
            1 => Mode::Initiator,
            2 => Mode::Responder,
            3 => Mode::Startup,
            _ => return Err(ChunkError::Malformed),
        };
        let mut time = |flag| if flags & flag == 0 { Ok(None) } else { reader.u16().map(Some) };
        let header = Self {
            mode,
            time_critical: flags & TIME_CRITICAL != 0,
            time_critical_reverse: flags & TIME_CRITICAL_REVERSE != 0,
            timestamp: time(TIMESTAMP)?,
            timestamp_echo: time(TIMESTAMP_ECHO)?,
        };
        Ok((header, reader.rest()))
    }

    /// Appends the header.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let mut writer = Writer::new(out);
        writer.u8(self.mode as u8
            | flag(self.time_critical, TIME_CRITICAL)
            | flag(self.time_critical_reverse, TIME_CRITICAL_REVERSE)
            | flag(self.timestamp.is_some(), TIMESTAMP)
            | flag(self.timestamp_echo.is_some(), TIMESTAMP_ECHO));
        for time in self.timestamp.iter().chain(&self.timestamp_echo) {
            writer.u16(*time);
        }
    }

    /// Says of a packet whose header was written that it carries real-time user data after all.
    pub(crate) fn mark_time_critical(packet: &mut [u8]) {
        if let Some(flags) = packet.first_mut() {
            *flags |= TIME_CRITICAL;
        }
    }

    /// How many bytes [`Self::write`] takes.
    pub(crate) fn encoded_length(&self) -> usize {
        1 + 2 * self.timestamp.iter().chain(&self.timestamp_echo).count()
    }
}

/// A chunk whose payload was not looked at yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RawChunk<'a> {
    /// Its type.
    pub(crate) kind: u8,
    /// What follows its length field.
    pub(crate) payload: &'a [u8],
}

/// Walks over the chunks after a packet's header.
///
/// Fewer than three bytes, or a length beyond the end, are padding and end the walk without error (§2.2.4). Every packet
/// has a reading by these rules; the items are results so that they chain with [`super::chunk::Chunk::parse`].
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = Result<RawChunk<'_>, ChunkError>> {
    let mut left = bytes;
    std::iter::from_fn(move || {
        let ([kind, high, low], after) = left.split_first_chunk::<CHUNK_HEADER>()?;
        let (payload, rest) = after.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        left = rest;
        Some(Ok(RawChunk { kind: *kind, payload }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7016-2.2.4-b
    #[test]
    fn a_header_with_both_times_takes_five_bytes() {
        let header = PacketHeader {
            mode: Mode::Responder,
            time_critical: true,
            time_critical_reverse: false,
            timestamp: Some(0x0102),
            timestamp_echo: Some(0x0304),
        };
        let mut out = Vec::new();
        header.write(&mut out);
        assert_eq!(out, [0x8e, 1, 2, 3, 4]);
        assert_eq!(header.encoded_length(), out.len());
        out.push(9);
        assert_eq!(PacketHeader::parse(&out), Ok((header, &[9][..])));
    }

    /// Conforms: 7016-2.2.4-a, 7016-2.2.4-b, 7016-2.2.4-f, 7016-2-b, 7016-2-c
    #[test]
    fn every_flag_is_its_own_bit_mode_0_is_forbidden_and_reserved_bits_are_neither_looked_at_nor_set() {
        for flags in 0..=255_u8 {
            let bytes = [flags, 1, 2, 3, 4];
            let read = PacketHeader::parse(&bytes);
            let Some(mode) = [None, Some(Mode::Initiator), Some(Mode::Responder), Some(Mode::Startup)]
                [usize::from(flags & 0x03)]
            else {
                assert_eq!(read, Err(ChunkError::Malformed), "{flags:#x}");
                continue;
            };
            let (timestamp, timestamp_echo, rest) = match flags & 0x0c {
                0x00 => (None, None, &bytes[1..]),
                0x04 => (None, Some(0x0102), &bytes[3..]),
                0x08 => (Some(0x0102), None, &bytes[3..]),
                _ => (Some(0x0102), Some(0x0304), &bytes[5..]),
            };
            let (time_critical, time_critical_reverse) = (flags & 0x80 != 0, flags & 0x40 != 0);
            let header =
                PacketHeader { mode, time_critical, time_critical_reverse, timestamp, timestamp_echo };
            assert_eq!(read, Ok((header, rest)), "{flags:#x}");
            let mut written = Vec::new();
            header.write(&mut written);
            assert_eq!((written[0], written.len()), (flags & 0xcf, 5 - rest.len()), "{flags:#x}");
        }
    }

    #[test]
    fn a_written_header_can_still_be_marked() {
        let mut header = PacketHeader {
            mode: Mode::Initiator,
            time_critical: false,
            time_critical_reverse: true,
            timestamp: Some(7),
            timestamp_echo: None,
        };
        let mut out = Vec::new();
        header.write(&mut out);
        PacketHeader::mark_time_critical(&mut out);
        header.time_critical = true;
        assert_eq!(PacketHeader::parse(&out), Ok((header, &[][..])));
    }

    /// Conforms: 7016-2-d
    #[test]
    fn a_header_cut_inside_its_times_is_an_error() {
        assert_eq!(PacketHeader::parse(&[]), Err(ChunkError::Truncated));
        assert_eq!(PacketHeader::parse(&[0x0d, 1, 2, 3]), Err(ChunkError::Truncated));
    }

    #[test]
    fn padding_of_any_length_ends_the_walk() {
        for padding in 0..16 {
            let mut bytes = vec![0x18, 0, 1, 5, 0x0c, 0, 0];
            bytes.resize(bytes.len() + padding, 0xff);
            let kinds: Vec<_> = chunks(&bytes).flatten().map(|chunk| (chunk.kind, chunk.payload)).collect();
            assert_eq!(kinds, [(0x18, &[5][..]), (0x0c, &[][..])]);
        }
    }

    #[test]
    fn a_chunk_longer_than_the_packet_is_padding() {
        assert_eq!(chunks(&[0x10, 0, 4, 1, 2, 3]).count(), 0);
    }
}
