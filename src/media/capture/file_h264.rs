//! A `.h264` file (Annex B) as a camera: decoded, at the stream's own rate or 30 a second, looped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use openh264::decoder::Decoder;
use openh264::formats::YUVSource as _;

use super::{Captured, Pace, PictureSource};
use crate::media::codec::avc_format::{
    NAL_DELIMITER, NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, annex_b_units, append_annex_b, nal_type,
};
use crate::media::codec::video_decoder::packed;
use crate::media::device_error::{DeviceError, DeviceKind};
use crate::media::picture::Picture;
use crate::media::worker::Stop;

/// An open file, held in memory: streams of this kind are short, and looped.
pub(crate) struct H264File {
    path: PathBuf,
    access_units: Vec<Vec<u8>>,
    at: usize,
    decoder: Option<Decoder>,
    pace: Pace,
}

impl H264File {
    pub(crate) fn open(path: &Path) -> Result<Self, DeviceError> {
        let failed = |reason: &dyn std::fmt::Display| DeviceError::file(DeviceKind::Camera, path, reason);
        let length = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
        if length > LONGEST {
            return Err(failed(&"longer than 512 MB"));
        }
        let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
        let units = annex_b_units(&bytes);
        let rate = units.iter().find(|unit| nal_type(unit) == NAL_SPS).and_then(|sps| frames_per_second(sps));
        let access_units = access_units(&units);
        if access_units.is_empty() {
            return Err(failed(&"no picture in it"));
        }
        let pace = Pace::new(Duration::from_secs_f64(1.0 / rate.unwrap_or(30.0)));
        Ok(Self { path: path.to_owned(), access_units, at: 0, decoder: None, pace })
    }

    /// The next picture; at the end it begins again. `None` when a whole round gave none.
    fn decode_next(&mut self) -> Option<Picture> {
        for _ in 0..=self.access_units.len() {
            if self.at >= self.access_units.len() {
                self.at = 0;
                // A fresh decoder: the pictures of the end are no reference for those of the beginning.
                self.decoder = None;
            }
            if self.decoder.is_none() {
                self.decoder = Decoder::new().ok();
            }
            let unit = &self.access_units[self.at];
            self.at += 1;
            let decoded = self.decoder.as_mut()?.decode(unit);
            if let Ok(Some(frame)) = decoded {
                let (width, height) = frame.dimensions();
                return packed(width, height, (frame.y(), frame.u(), frame.v()), frame.strides());
            }
        }
        None
    }
}

const LONGEST: u64 = 512 << 20;

impl PictureSource for H264File {
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        let Some(picture) = self.decode_next() else {
            return Err(DeviceError::file(DeviceKind::Camera, &self.path, "no picture in it can be decoded"));
        };
        Ok(self.pace.wait(stop).map(|_| Captured { picture, at: Instant::now() }))
    }
}

/// Groups NAL units into pictures (H.264 §7.4.1.2.3): a new one begins before a delimiter or parameter set that follows
/// a slice, and at a slice whose first macroblock is the picture's first.
fn access_units(units: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut all, mut current, mut has_slice) = (Vec::new(), Vec::new(), false);
    for unit in units {
        let kind = nal_type(unit);
        let slice = matches!(kind, NAL_SLICE..=NAL_IDR);
        // first_mb_in_slice is zero when the first bit after the header is set.
        let first_slice = slice && unit.get(1).is_some_and(|byte| byte & 0x80 != 0);
        let opens = first_slice || matches!(kind, 6 | NAL_SPS | NAL_PPS | NAL_DELIMITER);
        if has_slice && opens {
            all.push(std::mem::take(&mut current));
            has_slice = false;
        }
        append_annex_b(&mut current, unit);
        has_slice |= slice;
    }
    if has_slice {
        all.push(current);
    }
    all
}

/// The rate in a sequence parameter set's timing (H.264 §7.3.2.1.1, §E.1.1), if it says one.
fn frames_per_second(sps: &[u8]) -> Option<f64> {
    let mut bits = Bits::new(sps.get(1..)?);
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.golomb()?;
    // The high profiles put their chroma format here; what follows it is not worth reading for a frame rate.
    if !matches!(profile, 66 | 77 | 88) {
        if bits.golomb()? == 3 {
            return None;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.take(1)?;
        if bits.take(1)? == 1 {
            return None;
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.take(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.take(1)?;
    bits.golomb()?;
    bits.golomb()?;
    if bits.take(1)? == 0 {
        bits.take(1)?;
    }
    bits.take(1)?;
    if bits.take(1)? == 1 {
        for _ in 0..4 {
            bits.golomb()?;
        }
    }
    if bits.take(1)? == 0 {
        return None;
    }
    if bits.take(1)? == 1 && bits.take(8)? == 255 {
        bits.take(32)?;
    }
    if bits.take(1)? == 1 {
        bits.take(1)?;
    }
    if bits.take(1)? == 1 {
        bits.take(4)?;
        if bits.take(1)? == 1 {
            bits.take(24)?;
        }
    }
    if bits.take(1)? == 1 {
        bits.golomb()?;
        bits.golomb()?;
    }
    if bits.take(1)? == 0 {
        return None;
    }
    let (ticks, scale) = (bits.take(32)?, bits.take(32)?);
    let rate = scale as f64 / (2.0 * ticks as f64);
    (1.0..=120.0).contains(&rate).then_some(rate)
}

/// Reads bits, most significant first, past emulation prevention (H.264 §7.4.1.1).
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(unit: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(unit.len());
        let mut zeros = 0;
        for byte in unit {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn take(&mut self, count: usize) -> Option<u64> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn golomb(&mut self) -> Option<u64> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 32 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_one_picture_stay_together() {
        let first = [0x65, 0x88];
        let second_slice = [0x65, 0x40];
        let next = [0x41, 0x9A];
        let units: Vec<&[u8]> = vec![&[0x67, 1], &[0x68, 1], &first, &second_slice, &next];
        let all = access_units(&units);
        assert_eq!(all.len(), 2);
        assert_eq!(annex_b_units(&all[0]).len(), 4);
    }

    #[test]
    fn the_rate_of_a_baseline_stream_with_timing_is_read() {
        // profile 66, no crop, VUI with nothing but timing: 1 tick of 1/50 s, which is 25 pictures a second.
        let mut bits = String::new();
        bits += "0110011101000010"; // NAL header, profile 66
        bits += "1100000000011110"; // constraints, level
        bits += "1"; // id 0
        bits += "1"; // log2 frame num
        bits += "011"; // poc type 2
        bits += "010"; // one reference
        bits += "0"; // no gaps
        bits += "000010100"; // width 20 macroblocks
        bits += "0001111"; // height 15
        bits += "1"; // frames only
        bits += "0"; // direct
        bits += "0"; // no crop
        bits += "1"; // VUI
        bits += "0000"; // aspect, overscan, video signal, chroma place: none
        bits += "1"; // timing
        bits += &format!("{:032b}{:032b}", 1, 50);
        bits += "1";
        while !bits.len().is_multiple_of(8) {
            bits.push('0');
        }
        let plain: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 2).unwrap())
            .collect();
        // Escaped as a stream must be.
        let mut sps = Vec::new();
        let mut zeros = 0;
        for byte in plain {
            if zeros == 2 && byte <= 3 {
                sps.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            sps.push(byte);
        }
        assert_eq!(frames_per_second(&sps), Some(25.0));
        for cut in 0..sps.len() - 1 {
            let _ = frames_per_second(&sps[..cut]);
        }
    }
}
