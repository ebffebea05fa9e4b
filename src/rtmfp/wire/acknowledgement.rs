//! What a flow's receiver has: Bitmap Ack and Range Ack (RFC 7016 §2.3.13, §2.3.14), two forms of the same news.

use std::ops::RangeInclusive;

use super::error::ChunkError;
use super::reader::Reader;
use super::vlu;
use super::writer::{CHUNK_HEADER, Writer};

/// Islands that are read from one chunk; what lies beyond counts as not acknowledged. Far more than fit a packet that
/// was not reassembled.
const MOST_ISLANDS: usize = 8192;

/// Receive windows are counted in blocks of so many bytes.
const BLOCK: u64 = 1024;

/// An acknowledgement of one flow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Ack {
    /// The flow.
    pub(crate) flow_id: u64,
    /// Bytes its receiver has room for; on the wire in blocks of 1024 bytes, rounded up (§3.6.3.5).
    pub(crate) free_bytes: u64,
    /// Everything up to this sequence number is there.
    pub(crate) cumulative: u64,
    /// What is there beyond a hole: ascending, each at least one missing number after the one before, the first from
    /// `cumulative + 2` on.
    pub(crate) islands: Vec<RangeInclusive<u64>>,
}

impl Ack {
    /// Range Ack (§2.3.14). A pair that is cut short, or that passes the largest number, is dropped with what follows;
    /// what came before it counts.
    pub(super) fn read_range(mut reader: Reader<'_>) -> Result<Self, ChunkError> {
        let mut ack = Self::read_head(&mut reader)?;
        let mut cursor = ack.cumulative;
        while let (Ok(missing), Ok(there)) = (reader.vlu(), reader.vlu()) {
            let first = cursor.checked_add(2).and_then(|at| at.checked_add(missing));
            let last = first.and_then(|first| first.checked_add(there));
            let (Some(first), Some(last)) = (first, last) else { break };
            if ack.islands.len() == MOST_ISLANDS {
                break;
            }
            ack.islands.push(first..=last);
            cursor = last;
        }
        Ok(ack)
    }

    /// Bitmap Ack (§2.3.13). Its first bit stands for the second number after `cumulative`, as the first is missing.
    pub(super) fn read_bitmap(mut reader: Reader<'_>) -> Result<Self, ChunkError> {
        let mut ack = Self::read_head(&mut reader)?;
        let bits = reader.rest().iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        for (index, _) in bits.enumerate().filter(|(_, set)| *set) {
            let number = ack.cumulative.checked_add(2).and_then(|at| at.checked_add(index as u64));
            let Some(number) = number else { break };
            let full = ack.islands.len() == MOST_ISLANDS;
            match ack.islands.last_mut() {
                Some(island) if island.end().checked_add(1) == Some(number) => {
                    *island = *island.start()..=number;
                }
                _ if full => break,
                _ => ack.islands.push(number..=number),
            }
        }
        Ok(ack)
    }

    fn read_head(reader: &mut Reader<'_>) -> Result<Self, ChunkError> {
        let flow_id = reader.vlu()?;
        let free_bytes = reader.vlu()?.saturating_mul(BLOCK);
        Ok(Self { flow_id, free_bytes, cumulative: reader.vlu()?, islands: Vec::new() })
    }

    fn write_head(&self, writer: &mut Writer<'_>) {
        writer.vlu(self.flow_id);
        writer.vlu(self.free_bytes.div_ceil(BLOCK));
        writer.vlu(self.cumulative);
    }

    fn head_length(&self) -> usize {
        let fields = [self.flow_id, self.free_bytes.div_ceil(BLOCK), self.cumulative];
        CHUNK_HEADER + fields.into_iter().map(vlu::encoded_length).sum::<usize>()
    }

    /// Each island as the pair of the range form: missing numbers less one, numbers there less one.
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        let ends = std::iter::once(self.cumulative).chain(self.islands.iter().map(|island| *island.end()));
        self.islands.iter().zip(ends).map(|(island, before)| {
            // Islands that break their rules are written as if they began where they may at the earliest.
            let missing = island.start().saturating_sub(before).saturating_sub(2);
            (missing, island.end().saturating_sub(*island.start()))
        })
    }

    /// The chunk's type in its shorter form.
    pub(super) fn kind(&self) -> u8 {
        if self.bitmap_is_shorter() { super::chunk::BITMAP_ACK } else { super::chunk::RANGE_ACK }
    }

    /// Writes the payload in its shorter form (§2.3.13).
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        if self.bitmap_is_shorter() { self.write_bitmap(writer) } else { self.write_range(writer) }
    }

    /// How many bytes the chunk takes in its shorter form.
    pub(crate) fn encoded_length(&self) -> usize {
        let shorter = (self.range_length() as u64).min(self.bitmap_length());
        self.head_length() + usize::try_from(shorter).unwrap_or(usize::MAX)
    }

    /// Drops the highest islands until the chunk takes at most `limit` bytes. They are told again when there is room:
    /// what a later chunk says of a number, not the absence of one, is what counts for its sender.
    pub(crate) fn truncate_to(&mut self, limit: usize) {
        let Some(room) = limit.checked_sub(self.head_length()).map(|room| room as u64) else {
            return self.islands.clear();
        };
        let mut ranges = 0;
        let fitting = self
            .pairs()
            .zip(&self.islands)
            .take_while(|((missing, there), island)| {
                ranges += (vlu::encoded_length(*missing) + vlu::encoded_length(*there)) as u64;
                ranges <= room || self.bitmap_length_through(island) <= room
            })
            .count();
        self.islands.truncate(fitting);
    }

    /// As [`Self::truncate_to`], for the range form.
    pub(crate) fn truncate_ranges_to(&mut self, limit: usize) {
        let mut length = self.head_length();
        let fits = |(missing, there): &(u64, u64)| {
            length += vlu::encoded_length(*missing) + vlu::encoded_length(*there);
            length <= limit
        };
        let fitting = self.pairs().take_while(fits).count();
        self.islands.truncate(fitting);
    }

    /// How many bytes the chunk takes as a Range Ack.
    pub(crate) fn range_encoded_length(&self) -> usize {
        self.head_length() + self.range_length()
    }

    /// Appends the whole chunk as a Range Ack, even if a Bitmap Ack would be shorter.
    pub(crate) fn write_range_chunk(&self, out: &mut Vec<u8>) {
        Writer::new(out).chunk(super::chunk::RANGE_ACK, |writer| self.write_range(writer));
    }

    fn bitmap_is_shorter(&self) -> bool {
        self.bitmap_length() < self.range_length() as u64
    }

    fn range_length(&self) -> usize {
        let pair = |(missing, there)| vlu::encoded_length(missing) + vlu::encoded_length(there);
        self.pairs().map(pair).sum()
    }

    /// Bytes of the bitmap, however many numbers lie between the first hole and the last island.
    fn bitmap_length(&self) -> u64 {
        self.islands.last().map_or(0, |last| self.bitmap_length_through(last))
    }

    fn bitmap_length_through(&self, island: &RangeInclusive<u64>) -> u64 {
        island.end().saturating_sub(self.cumulative.saturating_add(1)).div_ceil(8)
    }

    fn write_range(&self, writer: &mut Writer<'_>) {
        self.write_head(writer);
        for (missing, there) in self.pairs() {
            writer.vlu(missing);
            writer.vlu(there);
        }
    }

    /// Only for islands that the bitmap holds in fewer bytes than the ranges, which bounds its size.
    fn write_bitmap(&self, writer: &mut Writer<'_>) {
        self.write_head(writer);
        let mut bitmap = vec![0_u8; usize::try_from(self.bitmap_length()).unwrap_or(0)];
        for number in self.islands.iter().cloned().flatten() {
            let place = number.checked_sub(self.cumulative.saturating_add(2));
            let byte = place.and_then(|place| bitmap.get_mut(usize::try_from(place / 8).ok()?));
            if let (Some(byte), Some(place)) = (byte, place) {
                *byte |= 1 << (place % 8);
            }
        }
        writer.bytes(&bitmap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::wire::chunk::Chunk;

    fn ack(islands: &[RangeInclusive<u64>]) -> Ack {
        Ack { flow_id: 5, free_bytes: 127 * 1024, cumulative: 16, islands: islands.to_vec() }
    }

    fn written(ack: &Ack) -> Vec<u8> {
        let mut out = Vec::new();
        Chunk::Ack(ack.clone()).write(&mut out);
        assert_eq!(out.len(), ack.encoded_length());
        out
    }

    /// RFC 7016, figure 4.
    /// Conforms: 7016-2.3.13-b, 7016-2.3.13-c, 7016-2.3.13-e, trap-6
    #[test]
    fn the_rfcs_bitmap_is_read_and_written() {
        let expected = ack(&[18..=18, 21..=24, 27..=28]);
        assert_eq!(Chunk::parse(0x50, &[5, 0x7f, 0x10, 0x79, 0x06]), Ok(Chunk::Ack(expected.clone())));
        assert_eq!(written(&expected), [0x50, 0, 5, 5, 0x7f, 0x10, 0x79, 0x06]);
    }

    /// RFC 7016, figure 5.
    /// Conforms: 7016-2.3.14-b, 7016-2.3.14-c, trap-6
    #[test]
    fn the_rfcs_ranges_are_read_and_written() {
        let expected = ack(&[18..=18, 21..=24]);
        assert_eq!(Chunk::parse(0x51, &[5, 0x7f, 0x10, 0, 0, 1, 3]), Ok(Chunk::Ack(expected.clone())));
        let mut out = Vec::new();
        expected.write_range(&mut Writer::new(&mut out));
        assert_eq!(out, [5, 0x7f, 0x10, 0, 0, 1, 3]);
    }

    /// RFC 7016, figure 6.
    /// Conforms: 7016-2.3.14-e, slip-1, trap-5
    #[test]
    fn ranges_cut_short_count_up_to_the_last_whole_one() {
        // The figure speaks of nine bytes; its own bytes are seven, and they are what counts.
        let figure = [0x51, 0x00, 0x07, 0x05, 0x7f, 0x10, 0x00, 0x00, 0x01, 0x83];
        let read: Vec<_> = crate::rtmfp::wire::packet::chunks(&figure)
            .flatten()
            .map(|raw| Chunk::parse(raw.kind, raw.payload))
            .collect();
        assert_eq!(read, [Ok(Chunk::Ack(ack(&[18..=18])))]);
        assert_eq!(Chunk::parse(0x51, &[5, 0x7f, 0x10, 0, 0, 1, 0x83]), Ok(Chunk::Ack(ack(&[18..=18]))));
        assert_eq!(Chunk::parse(0x51, &[5, 0x7f, 0x10, 0, 0, 1]), Ok(Chunk::Ack(ack(&[18..=18]))));
    }

    #[test]
    fn far_islands_are_written_as_ranges() {
        let far = ack(&[18..=18, 1_000_000_000..=1_000_000_100]);
        let bytes = written(&far);
        assert_eq!(bytes[0], 0x51);
        assert_eq!(Chunk::parse(0x51, &bytes[3..]), Ok(Chunk::Ack(far)));
    }

    #[test]
    fn islands_beyond_the_largest_number_are_not_believed() {
        let mut payload = vec![5, 0, 1, 0, 0];
        vlu::write(u64::MAX - 2, &mut payload);
        payload.push(9);
        let Ok(Chunk::Ack(read)) = Chunk::parse(0x51, &payload) else { panic!("an acknowledgement") };
        assert_eq!(read.islands, [3..=3]);
        let mut payload = vec![5, 0];
        vlu::write(u64::MAX - 2, &mut payload);
        payload.extend_from_slice(&[0xff; 4]);
        let Ok(Chunk::Ack(read)) = Chunk::parse(0x50, &payload) else { panic!("an acknowledgement") };
        assert_eq!(read.islands, [u64::MAX..=u64::MAX]);
    }

    #[test]
    fn what_does_not_fit_is_left_off_from_the_top() {
        let mut long = ack(&[18..=18, 2000..=2000, 9000..=9000]);
        let limit = long.encoded_length() - 1;
        long.truncate_to(limit);
        assert_eq!(long.islands, [18..=18, 2000..=2000]);
    }

    #[test]
    fn whatever_the_room_no_more_is_left_off_than_must_be() {
        let long = ack(&[18..=18, 21..=24, 200..=300, 9000..=9000, 9002..=9002, 900_000..=900_001]);
        for limit in long.head_length()..=long.encoded_length() {
            let mut short = long.clone();
            short.truncate_to(limit);
            assert!(short.encoded_length() <= limit);
            let one_more = ack(&long.islands[..long.islands.len().min(short.islands.len() + 1)]);
            assert!(short == long || one_more.encoded_length() > limit);
        }
    }

    #[test]
    fn the_window_is_told_in_blocks_rounded_up() {
        let small = Ack { free_bytes: 1, ..ack(&[]) };
        assert_eq!(written(&small), [0x51, 0, 3, 5, 1, 0x10]);
    }
}
