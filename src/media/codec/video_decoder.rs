//! H.264 to pictures.
//!
//! A picture whose reference is missing must not reach the library: it would show rubble, or err until the next key
//! picture. So the numbers that pictures bear are followed here. After a gap only a key picture is decoded, or one that
//! refers to nothing but long-term references: those are still there.
//!
//! Sizes, levels and lengths are looked at before the library allocates by them ([`super::sequence`]).

use openh264::decoder::Decoder;
use openh264::formats::YUVSource as _;

use super::avc_format::{
    NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, append_annex_b, nal_type, parameter_sets, prefixed_units,
};
use super::sequence::{Sequence, Unusable};
use super::slice_header::SliceHeader;
use crate::media::picture::Picture;

/// What came of a coded picture.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A picture to show.
    Picture(Picture),
    /// None yet; nothing is wrong.
    Nothing,
    /// The reference is lost: only a picture that needs none helps.
    NeedsKey,
}

/// What the library still has of earlier pictures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Footing {
    /// Nothing that can be built on.
    None,
    /// Long-term references, but not the last picture.
    LongTerm,
    /// Everything, up to the reference picture of this number.
    Whole(u32),
}

/// An H.264 decoder that survives whatever the network does.
pub(crate) struct VideoDecoder {
    decoder: Option<Decoder>,
    /// Parameter sets in Annex B form, from the newest configuration.
    parameter_sets: Vec<u8>,
    /// What the newest sequence parameter set says; none when it is of no use to us.
    sequence: Option<Sequence>,
    told: Option<Unusable>,
    footing: Footing,
    scratch: Vec<u8>,
}

impl VideoDecoder {
    pub(crate) fn new() -> Self {
        Self {
            decoder: None,
            parameter_sets: Vec::new(),
            sequence: None,
            told: None,
            footing: Footing::None,
            scratch: Vec::new(),
        }
    }

    /// Takes a configuration record; a broken one is ignored.
    pub(crate) fn configure(&mut self, record: &[u8]) {
        let Some(sets) = parameter_sets(record) else { return };
        let mut joined = Vec::new();
        let mut sequences = Vec::new();
        for set in sets {
            match nal_type(set) {
                NAL_SPS => sequences.push(Sequence::read(set)),
                NAL_PPS => {}
                _ => continue,
            }
            append_annex_b(&mut joined, set);
        }
        if joined != self.parameter_sets {
            self.footing = Footing::None;
            let sequence = if sequences.len() == 1 { sequences.remove(0) } else { Err(Unusable::Broken) };
            self.sequence = self.usable(sequence);
            self.parameter_sets = joined;
        }
    }

    /// Says what is wrong with a sequence, once.
    fn usable(&mut self, sequence: Result<Sequence, Unusable>) -> Option<Sequence> {
        sequence
            .inspect_err(|unusable| {
                if self.told.replace(*unusable) != Some(*unusable) {
                    tracing::warn!("{unusable}");
                }
            })
            .ok()
    }

    /// Says that frames before the next one were dropped here. The far end does not know, so what it sends next may be
    /// built on any of them.
    pub(crate) fn on_gap(&mut self) {
        self.footing = Footing::None;
    }

    /// Decodes one access unit.
    pub(crate) fn decode(&mut self, key: bool, nal_units: &[u8]) -> Decoded {
        if nal_units.len() > LONGEST_PICTURE {
            return Decoded::NeedsKey;
        }
        if !key && self.footing == Footing::None {
            return Decoded::NeedsKey;
        }
        self.scratch.clear();
        if key {
            self.scratch.extend_from_slice(&self.parameter_sets);
        }
        let header = match self.gather(nal_units) {
            Ok(Some(header)) => header,
            Ok(None) => return Decoded::Nothing,
            Err(unusable) => {
                self.usable(Err(unusable));
                self.footing = Footing::None;
                return Decoded::NeedsKey;
            }
        };
        if !self.can_stand(&header) {
            // The far end gave pictures up, and goes on with one that can do without.
            if self.footing != Footing::None {
                self.footing = Footing::LongTerm;
            }
            return Decoded::NeedsKey;
        }
        self.feed(&header)
    }

    /// Collects what the library is given of an access unit; answers its first slice's header.
    fn gather(&mut self, nal_units: &[u8]) -> Result<Option<SliceHeader>, Unusable> {
        let mut header = None;
        for unit in prefixed_units(nal_units).into_iter().take(MOST_UNITS) {
            match nal_type(unit) {
                NAL_SPS => self.sequence = Some(Sequence::read(unit)?),
                NAL_PPS => {}
                NAL_SLICE | NAL_IDR => {
                    let sequence = self.sequence.as_ref().ok_or(Unusable::Broken)?;
                    let read = SliceHeader::read(unit, sequence).ok_or(Unusable::Broken)?;
                    header.get_or_insert(read);
                }
                // Remarks, delimiters, and layers that we have no use for.
                _ => continue,
            }
            append_annex_b(&mut self.scratch, unit);
        }
        Ok(header)
    }

    /// Whether everything that a picture needs is there.
    fn can_stand(&self, header: &SliceHeader) -> bool {
        let follows = |last: u32| {
            let all = 1 << self.sequence.map_or(16, |sequence| sequence.frame_number_bits);
            header.frame_number == (last + 1) % all
        };
        match self.footing {
            _ if header.idr.is_some() => true,
            Footing::None => false,
            Footing::LongTerm => header.needs_long_term_only,
            Footing::Whole(last) => header.needs_long_term_only || follows(last),
        }
    }

    fn feed(&mut self, header: &SliceHeader) -> Decoded {
        if self.decoder.is_none() {
            self.decoder =
                Decoder::new().inspect_err(|error| tracing::error!(%error, "no H.264 decoder")).ok();
        }
        let Some(decoder) = &mut self.decoder else { return Decoded::NeedsKey };
        let decoded = match decoder.decode(&self.scratch) {
            Ok(Some(frame)) => {
                let (width, height) = frame.dimensions();
                let planes = (frame.y(), frame.u(), frame.v());
                packed(width, height, planes, frame.strides()).map_or(Decoded::Nothing, Decoded::Picture)
            }
            Ok(None) => Decoded::Nothing,
            Err(error) => {
                tracing::debug!(%error, "a picture could not be decoded");
                self.footing = Footing::None;
                // A decoder that choked on a key picture is not trusted with the next one.
                if header.idr.is_some() {
                    self.decoder = None;
                }
                return Decoded::NeedsKey;
            }
        };
        self.footing = match self.footing {
            _ if header.is_reference => Footing::Whole(header.frame_number),
            Footing::None => Footing::LongTerm,
            footing => footing,
        };
        decoded
    }
}

/// Bytes of a coded picture: more than level 4.1 ever makes of one.
const LONGEST_PICTURE: usize = 2 << 20;
/// NAL units of one picture.
const MOST_UNITS: usize = 600;

/// Copies planes with padded rows into a picture. `None` for sizes no picture has.
pub(crate) fn packed(
    width: usize,
    height: usize,
    planes: (&[u8], &[u8], &[u8]),
    strides: (usize, usize, usize),
) -> Option<Picture> {
    let (width, height) = (width & !1, height & !1);
    let (w, h) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    Picture::filled(w, h, |out| {
        let parts = [
            (out.y, planes.0, strides.0, width),
            (out.u, planes.1, strides.1, width / 2),
            (out.v, planes.2, strides.2, width / 2),
        ];
        for (out, plane, stride, width) in parts {
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                let start = row.checked_mul(stride)?;
                out.copy_from_slice(plane.get(start..start.checked_add(width)?)?);
            }
        }
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::avc_format::{append_prefixed, configuration_record};
    use crate::media::codec::sequence::tests::{CALL, Claim, set};

    const SLICE: [u8; 6] = [0x65, 0x88, 0x84, 0x21, 0xA0, 0x10];

    #[test]
    fn pictures_of_sizes_that_no_call_has_never_reach_the_library() {
        let huge = set(Claim { columns: 256, rows: 144, level: 51, ..CALL });
        let mut decoder = VideoDecoder::new();
        decoder.configure(&configuration_record(&huge, &[0x68, 0xCE, 0x3C, 0x80]).unwrap());
        let mut alone = Vec::new();
        append_prefixed(&mut alone, &SLICE);
        assert!(matches!(decoder.decode(true, &alone), Decoded::NeedsKey));
        let mut with_its_set = Vec::new();
        append_prefixed(&mut with_its_set, &huge);
        append_prefixed(&mut with_its_set, &SLICE);
        assert!(matches!(decoder.decode(true, &with_its_set), Decoded::NeedsKey));
        assert!(decoder.decoder.is_none(), "none was even made");
    }

    #[test]
    fn a_picture_that_is_longer_than_any_is_not_looked_at() {
        let mut decoder = VideoDecoder::new();
        assert!(matches!(decoder.decode(true, &vec![0; LONGEST_PICTURE + 1]), Decoded::NeedsKey));
        assert!(decoder.decoder.is_none());
    }

    #[test]
    fn whatever_bytes_come_nothing_panics() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let good = set(CALL);
        let sequence = Sequence::read(&good).unwrap();
        for round in 0..20_000_usize {
            let mut bytes = good.clone();
            let place = usize::from(random()) % bytes.len();
            bytes[place] ^= random();
            bytes.truncate(1 + round % bytes.len());
            if let Ok(read) = Sequence::read(&bytes) {
                assert!(read.width <= 1920 && read.height <= 1920 && read.references <= 16);
            }
            let slice: Vec<u8> = [0x41].into_iter().chain((0..round % 40).map(|_| random())).collect();
            _ = SliceHeader::read(&slice, &sequence);
        }
    }
}
