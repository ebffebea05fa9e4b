//! The beginning of a slice (H.264 §7.3.3): which picture it belongs to, and which it needs.

use super::avc_format::{NAL_IDR, NAL_SLICE, nal_type};
use super::bit_reader::BitReader;
use super::sequence::Sequence;

/// What a slice says of its picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SliceHeader {
    /// Counts pictures that others refer to.
    pub(crate) frame_number: u32,
    /// Whether it stands alone, and which of such pictures it is.
    pub(crate) idr: Option<u32>,
    /// Whether other pictures may refer to it.
    pub(crate) is_reference: bool,
    /// It refers to long-term references alone: then whatever came between does not matter.
    pub(crate) needs_long_term_only: bool,
    /// Which picture it makes a long-term reference, by frame number: itself, or an earlier one.
    pub(crate) keeps: Option<u32>,
}

impl SliceHeader {
    /// Reads the header of a slice. `None` for another NAL unit, and for one that is cut short.
    pub(crate) fn read(unit: &[u8], sequence: &Sequence) -> Option<Self> {
        let kind = nal_type(unit);
        if kind != NAL_SLICE && kind != NAL_IDR {
            return None;
        }
        let is_reference = unit.first()? >> 5 & 3 != 0;
        let mut bits = BitReader::new(unit.get(1..)?);
        bits.unsigned()?; // First macroblock.
        let slice_type = bits.unsigned()? % 5;
        bits.unsigned()?; // Picture parameter set.
        let frame_number = bits.bits(sequence.frame_number_bits)?;
        let idr = if kind == NAL_IDR { Some(bits.unsigned()?) } else { None };
        let mut header = Self { frame_number, idr, is_reference, needs_long_term_only: false, keeps: None };
        if idr.is_none() && slice_type == P {
            // The rest is only of interest; a coder that says more than ours does is not followed there.
            if let Some(rest) = references(&mut bits, sequence, frame_number, is_reference) {
                (header.needs_long_term_only, header.keeps) = rest;
            }
        }
        Some(header)
    }
}

/// Whether only long-term references are needed, and which picture becomes one.
fn references(
    bits: &mut BitReader<'_>,
    sequence: &Sequence,
    frame_number: u32,
    is_reference: bool,
) -> Option<(bool, Option<u32>)> {
    if let Some(order) = sequence.order_bits {
        bits.bits(order)?;
    }
    let only_one = bits.flag()? && bits.unsigned()? == 0;
    let mut long_term = false;
    if bits.flag()? {
        for place in 0..=MOST_COMMANDS {
            match bits.unsigned()? {
                0 | 1 => _ = bits.unsigned()?,
                2 => {
                    bits.unsigned()?;
                    long_term |= place == 0;
                }
                _ => break,
            }
        }
    }
    let keeps = if is_reference && bits.flag()? { kept(bits, sequence, frame_number)? } else { None };
    Some((only_one && long_term, keeps))
}

/// Which picture the marking commands (§7.3.3.3) make a long-term reference.
fn kept(bits: &mut BitReader<'_>, sequence: &Sequence, frame_number: u32) -> Option<Option<u32>> {
    let mut kept = None;
    for _ in 0..MOST_COMMANDS {
        match bits.unsigned()? {
            0 => break,
            1 | 2 | 4 => _ = bits.unsigned()?,
            3 => {
                let back = bits.unsigned()?.checked_add(1)?;
                bits.unsigned()?;
                let all = 1_u32 << sequence.frame_number_bits;
                kept = Some(frame_number.wrapping_sub(back) & (all - 1));
            }
            6 => {
                bits.unsigned()?;
                kept = Some(frame_number);
            }
            _ => {}
        }
    }
    Some(kept)
}

const P: u32 = 0;
/// No slice has more commands of a kind.
const MOST_COMMANDS: u32 = 66;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::sequence::tests::{BitWriter, CALL, set};

    fn sequence() -> Sequence {
        Sequence::read(&set(CALL)).unwrap()
    }

    fn beginning(frame_number: u32) -> BitWriter {
        let mut out = BitWriter::default();
        out.unsigned(0);
        out.unsigned(5);
        out.unsigned(0);
        out.bits(15, frame_number);
        out
    }

    #[test]
    fn a_picture_by_a_long_term_reference_is_told_from_one_by_the_last() {
        for (command, long_term) in [(0, false), (2, true)] {
            let mut out = beginning(77);
            out.bits(1, 1);
            out.unsigned(0); // one reference
            out.bits(1, 1);
            out.unsigned(command);
            out.unsigned(0);
            out.unsigned(3);
            out.bits(1, 0); // nothing is marked
            let header = SliceHeader::read(&out.unit(0x61), &sequence()).unwrap();
            assert_eq!((header.frame_number, header.needs_long_term_only), (77, long_term));
            assert!(header.is_reference && header.keeps.is_none() && header.idr.is_none());
        }
    }

    #[test]
    fn it_is_seen_which_picture_becomes_a_long_term_reference() {
        for (commands, kept) in
            [(&[4, 2, 1, 0, 6, 1, 0][..], 5), (&[3, 0, 1, 0][..], 4), (&[3, 5, 1, 0][..], 32_767)]
        {
            let mut out = beginning(5);
            out.bits(2, 0b00); // as many references as usual, in the usual order
            out.bits(1, 1);
            commands.iter().for_each(|code| out.unsigned(*code));
            let header = SliceHeader::read(&out.unit(0x61), &sequence()).unwrap();
            assert_eq!(header.keeps, Some(kept), "{commands:?}");
        }
    }

    #[test]
    fn what_is_cut_short_is_no_slice() {
        let unit = beginning(9).unit(0x41);
        assert!(SliceHeader::read(&unit, &sequence()).is_some());
        for cut in 0..3 {
            assert_eq!(SliceHeader::read(&unit[..cut], &sequence()), None);
        }
        assert_eq!(SliceHeader::read(&[0x68, 1, 2, 3, 4], &sequence()), None);
    }
}
