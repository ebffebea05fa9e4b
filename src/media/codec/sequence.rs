//! What a sequence parameter set says (H.264 §7.3.2.1.1), and what of it we decode.
//!
//! The far end's program wrote it, so its promises are checked before a decoder allocates by them: what a call has no use
//! for is refused here. Everything else of the set is the decoder's business.

use super::avc_format::{NAL_SPS, nal_type};
use super::bit_reader::BitReader;

/// What is needed of a sequence parameter set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sequence {
    /// Of the pictures as they are shown.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bits of a frame number.
    pub(crate) frame_number_bits: u32,
    /// The type of picture order count, and its bits where it is of type 0.
    pub(crate) order_bits: Option<u32>,
    /// How many pictures are kept for reference.
    pub(crate) references: u32,
}

/// Why pictures are not decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("the parameters of the far picture are cut short or make no sense")]
    Broken,
    #[error("the far picture is of profile {0}, which is not decoded here")]
    Profile(u32),
    #[error("the far picture is of level {0}, which is beyond 41")]
    Level(u32),
    #[error("the far picture is interlaced")]
    Interlaced,
    #[error("the far picture has {0} by {1} samples, which is more or less than a call has")]
    Size(u32, u32),
    #[error("the far picture refers to {0} earlier ones, which its level does not allow")]
    References(u32),
}

impl Sequence {
    /// Reads a set, its NAL header included.
    ///
    /// # Errors
    /// Why pictures by this set are not decoded.
    pub(crate) fn read(unit: &[u8]) -> Result<Self, Unusable> {
        if nal_type(unit) != NAL_SPS {
            return Err(Unusable::Broken);
        }
        read(&mut BitReader::new(unit.get(1..).unwrap_or_default())).ok_or(Unusable::Broken)?
    }
}

/// `None` when it is cut short.
fn read(bits: &mut BitReader<'_>) -> Option<Result<Sequence, Unusable>> {
    let profile = bits.bits(8)?;
    bits.bits(8)?;
    let level = bits.bits(8)?;
    let id = bits.unsigned()?;
    if !PROFILES.contains(&profile) {
        return Some(Err(Unusable::Profile(profile)));
    }
    // 9 is what some write for 1b.
    if !(9..=HIGHEST_LEVEL).contains(&level) {
        return Some(Err(Unusable::Level(level)));
    }
    if id > 31 || profile == HIGH && !is_plain_high(bits)? {
        return Some(Err(if id > 31 { Unusable::Broken } else { Unusable::Profile(profile) }));
    }
    let frame_number_bits = bits.unsigned()?.checked_add(4).filter(|bits| *bits <= 16)?;
    let order_bits = order(bits)?;
    let references = bits.unsigned()?;
    bits.flag()?; // Gaps in frame numbers are allowed.
    let (columns, rows) = (bits.unsigned()?.checked_add(1)?, bits.unsigned()?.checked_add(1)?);
    if !bits.flag()? {
        return Some(Err(Unusable::Interlaced));
    }
    bits.flag()?; // How motion is inherited.
    let (columns, rows) = (columns.min(BEYOND), rows.min(BEYOND));
    let (mut width, mut height) = (columns * 16, rows * 16);
    let blocks = columns * rows;
    if width > LONGEST_SIDE || height > LONGEST_SIDE || blocks > MOST_BLOCKS {
        return Some(Err(Unusable::Size(width, height)));
    }
    if bits.flag()? {
        let cut = [bits.unsigned()?, bits.unsigned()?, bits.unsigned()?, bits.unsigned()?];
        let across = cut[0].checked_add(cut[1])?.checked_mul(2)?;
        let down = cut[2].checked_add(cut[3])?.checked_mul(2)?;
        width = width.checked_sub(across)?;
        height = height.checked_sub(down)?;
    }
    if width < SHORTEST_SIDE || height < SHORTEST_SIDE {
        return Some(Err(Unusable::Size(width, height)));
    }
    if references > MOST_REFERENCES || references * blocks > MOST_BLOCKS_KEPT {
        return Some(Err(Unusable::References(references)));
    }
    Some(Ok(Sequence { width, height, frame_number_bits, order_bits, references }))
}

/// Whether a set of profile High is of eight bits, 4:2:0, and without matrices of its own, up to where they are told of.
fn is_plain_high(bits: &mut BitReader<'_>) -> Option<bool> {
    let (colours, luma, chroma) = (bits.unsigned()?, bits.unsigned()?, bits.unsigned()?);
    bits.flag()?; // Lossless.
    let matrices = bits.flag()?;
    Some(colours == 1 && luma == 0 && chroma == 0 && !matrices)
}

/// Passes over how the order of pictures is told; answers its bits where each slice has them.
fn order(bits: &mut BitReader<'_>) -> Option<Option<u32>> {
    match bits.unsigned()? {
        0 => bits.unsigned()?.checked_add(4).filter(|bits| *bits <= 16).map(Some),
        1 => {
            bits.flag()?;
            bits.signed()?;
            bits.signed()?;
            let cycle = bits.unsigned().filter(|cycle| *cycle <= 255)?;
            for _ in 0..cycle {
                bits.signed()?;
            }
            // Slices by it are not read any further than their frame number.
            Some(None)
        }
        2 => Some(None),
        _ => None,
    }
}

const BASELINE: u32 = 66;
const MAIN: u32 = 77;
const HIGH: u32 = 100;
const PROFILES: [u32; 3] = [BASELINE, MAIN, HIGH];
/// 4.1: 1920x1088 at thirty a second.
const HIGHEST_LEVEL: u32 = 41;
/// Samples of a side, before it is cropped.
const LONGEST_SIDE: u32 = 1920;
const SHORTEST_SIDE: u32 = 16;
/// Macroblocks of a picture: 1920x1088.
const MOST_BLOCKS: u32 = 8160;
/// Macroblocks of all pictures that are kept, at level 4.1 (table A-1).
const MOST_BLOCKS_KEPT: u32 = 32_768;
const MOST_REFERENCES: u32 = 16;
/// More macroblocks a side than anything has; keeps the arithmetic small.
const BEYOND: u32 = 4_096;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Writes bits, as a far end would.
    #[derive(Default)]
    pub(crate) struct BitWriter {
        bits: Vec<bool>,
    }

    impl BitWriter {
        pub(crate) fn bits(&mut self, count: u32, value: u32) {
            self.bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        }

        pub(crate) fn unsigned(&mut self, value: u32) {
            let code = u64::from(value) + 1;
            let length = 64 - code.leading_zeros();
            self.bits.extend((1..length).map(|_| false));
            self.bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
        }

        /// After a NAL header, with emulation prevention.
        pub(crate) fn unit(&self, header: u8) -> Vec<u8> {
            let mut bits = self.bits.clone();
            bits.push(true);
            let mut out = vec![header];
            let mut zeros = 0;
            for byte in bits.chunks(8) {
                let byte = (0..8).fold(0, |all, bit| all << 1 | u8::from(byte.get(bit) == Some(&true)));
                if zeros >= 2 && byte <= 3 {
                    out.push(3);
                    zeros = 0;
                }
                zeros = if byte == 0 { zeros + 1 } else { 0 };
                out.push(byte);
            }
            out
        }
    }

    /// What a far end claims.
    #[derive(Clone, Copy)]
    pub(crate) struct Claim {
        pub(crate) profile: u32,
        pub(crate) level: u32,
        pub(crate) references: u32,
        pub(crate) columns: u32,
        pub(crate) rows: u32,
        pub(crate) crop: Option<[u32; 4]>,
        pub(crate) interlaced: bool,
    }

    pub(crate) const CALL: Claim =
        Claim { profile: 66, level: 31, references: 1, columns: 80, rows: 45, crop: None, interlaced: false };

    pub(crate) fn set(claim: Claim) -> Vec<u8> {
        let mut out = BitWriter::default();
        out.bits(8, claim.profile);
        out.bits(8, 0xC0);
        out.bits(8, claim.level);
        out.unsigned(0);
        out.unsigned(11); // frame numbers of 15 bits
        out.unsigned(2); // order as coded
        out.unsigned(claim.references);
        out.bits(1, 1);
        out.unsigned(claim.columns.wrapping_sub(1));
        out.unsigned(claim.rows.wrapping_sub(1));
        out.bits(2, if claim.interlaced { 0b01 } else { 0b11 });
        out.bits(1, u32::from(claim.crop.is_some()));
        for cut in claim.crop.into_iter().flatten() {
            out.unsigned(cut);
        }
        out.bits(1, 0);
        out.unit(0x67)
    }

    #[test]
    fn what_a_call_has_is_read() {
        let sequence = Sequence::read(&set(CALL)).unwrap();
        assert_eq!((sequence.width, sequence.height), (1280, 720));
        assert_eq!((sequence.frame_number_bits, sequence.references), (15, 1));
        let full = Claim { level: 40, columns: 120, rows: 68, crop: Some([0, 0, 0, 4]), ..CALL };
        let full = Sequence::read(&set(full)).unwrap();
        assert_eq!((full.width, full.height), (1920, 1080));
    }

    #[test]
    fn larger_higher_and_stranger_pictures_than_a_call_has_are_refused() {
        let refused = |claim| Sequence::read(&set(claim)).unwrap_err();
        assert_eq!(refused(Claim { level: 42, ..CALL }), Unusable::Level(42));
        assert_eq!(refused(Claim { level: 51, ..CALL }), Unusable::Level(51));
        assert_eq!(refused(Claim { level: 0, ..CALL }), Unusable::Level(0));
        assert_eq!(refused(Claim { interlaced: true, ..CALL }), Unusable::Interlaced);
        assert_eq!(refused(Claim { profile: 244, ..CALL }), Unusable::Profile(244));
        assert_eq!(refused(Claim { columns: 121, ..CALL }), Unusable::Size(1936, 720));
        assert_eq!(refused(Claim { columns: 120, rows: 69, ..CALL }), Unusable::Size(1920, 1104));
        assert!(matches!(refused(Claim { columns: 0x7FFF_FFFF, ..CALL }), Unusable::Size(..)));
        assert!(matches!(refused(Claim { rows: u32::MAX, ..CALL }), Unusable::Size(..)));
        let none_left = Claim { crop: Some([300, 339, 0, 0]), ..CALL };
        assert_eq!(refused(none_left), Unusable::Size(2, 720));
        for crop in [[300, 400, 0, 0], [u32::MAX - 1, u32::MAX - 1, 0, 0], [0, 0, 0x7FFF_FFFF, 1]] {
            assert_eq!(refused(Claim { crop: Some(crop), ..CALL }), Unusable::Broken);
        }
        assert_eq!(refused(Claim { references: 17, ..CALL }), Unusable::References(17));
        let too_many = Claim { references: 5, columns: 120, rows: 68, ..CALL };
        assert_eq!(refused(too_many), Unusable::References(5));
    }

    #[test]
    fn no_part_of_a_set_is_taken_for_one() {
        let set = set(CALL);
        for cut in 0..set.len() - 1 {
            assert_eq!(Sequence::read(&set[..cut]), Err(Unusable::Broken), "{cut}");
        }
    }
}
