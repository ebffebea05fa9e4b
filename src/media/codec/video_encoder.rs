//! Pictures to H.264: OpenH264 in constrained baseline, steered by a bit rate.
//!
//! The library's own defaults are of no use for a call, so every setting that matters is made here. It obeys a new bit
//! rate only below the rate it was built with; so it is built at a ceiling and then moved beneath it.

use bytes::Bytes;
use openh264::OpenH264API;
use openh264::Timestamp;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264_sys2::{
    ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE, ENCODER_OPTION_TRACE_LEVEL,
    SPATIAL_LAYER_ALL, TagBitrateInfo, WELS_LOG_QUIET,
};

use super::avc_format::{NAL_PPS, NAL_SPS, annex_b_units, append_prefixed, configuration_record, nal_type};
use crate::media::picture::Picture;
use crate::media::stream::Stream;

/// One coded picture.
#[derive(Clone, Debug)]
pub(crate) struct CodedPicture {
    pub(crate) key: bool,
    /// With every key picture.
    pub(crate) config: Option<Bytes>,
    pub(crate) nal_units: Bytes,
}

/// The library refused. Its state is unknown after that: build a new encoder.
#[derive(Debug, thiserror::Error)]
#[error("the H.264 encoder failed: {0}")]
pub(crate) struct EncoderFailed(String);

/// An H.264 encoder for pictures of one size.
pub(crate) struct VideoEncoder {
    encoder: Encoder,
    size: (u32, u32),
    ceiling: u32,
    bits_per_second: u32,
    frames_per_second: f32,
    want_key: bool,
    /// Bits sent beyond the rate so far.
    debt: f64,
    last_milliseconds: u64,
}

impl VideoEncoder {
    /// An encoder for a camera's pictures of this size, with the bit rate it starts at.
    #[cfg(test)]
    pub(crate) fn new(
        size: (u32, u32),
        bits_per_second: u32,
        frames_per_second: f32,
    ) -> Result<Self, EncoderFailed> {
        Self::for_stream(Stream::Camera, size, bits_per_second, frames_per_second)
    }

    /// An encoder for pictures of that kind and size, with the bit rate it starts at.
    pub(crate) fn for_stream(
        stream: Stream,
        size: (u32, u32),
        bits_per_second: u32,
        frames_per_second: f32,
    ) -> Result<Self, EncoderFailed> {
        let ceiling = bits_per_second.saturating_mul(2).clamp(LOWEST_CEILING, HIGHEST_CEILING);
        let config = EncoderConfig::new()
            .usage_type(match stream {
                Stream::Camera => UsageType::CameraVideoRealTime,
                // Its mode for screens never gives more detail to what stands still: a page of text stays at 36.9 dB for
                // ever, and goes beyond 38 in this one.
                Stream::Screen => UsageType::CameraVideoRealTime,
            })
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(ceiling))
            .max_frame_rate(FrameRate::from_hz(frames_per_second.clamp(1.0, 60.0)))
            // Its skipping leaves out every second picture for a second after each change of the rate, however small the
            // pictures are. Instead `debt` is kept here.
            .skip_frames(false)
            .profile(Profile::Baseline)
            .complexity(Complexity::Low)
            // Key pictures come on request and by the pipeline's clock; none for a mere cut.
            .scene_change_detect(false)
            .intra_frame_period(IntraFramePeriod::auto())
            .num_threads(1)
            .vui(VuiConfig::bt601());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        let mut new = Self {
            encoder,
            size,
            ceiling,
            bits_per_second,
            frames_per_second,
            want_key: true,
            debt: 0.0,
            last_milliseconds: 0,
        };
        // Otherwise it complains on standard error that skipping is off.
        accepted(new.set_option(ENCODER_OPTION_TRACE_LEVEL, WELS_LOG_QUIET), "trace level")?;
        new.settle()?;
        Ok(new)
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Whether a bit rate can be had without building a new encoder.
    pub(crate) fn reaches(&self, bits_per_second: u32) -> bool {
        bits_per_second <= self.ceiling
    }

    /// The rate to keep to from the next picture on, at most the one [`Self::reaches`] allows.
    pub(crate) fn set_bit_rate(&mut self, bits_per_second: u32) -> Result<(), EncoderFailed> {
        let wanted = bits_per_second.clamp(LOWEST_RATE, self.ceiling);
        if wanted != self.bits_per_second {
            self.bits_per_second = wanted;
            self.apply_bit_rate()?;
        }
        Ok(())
    }

    /// How often pictures come: the bits of a second are shared out by it. Small differences are not worth a change.
    pub(crate) fn set_frame_rate(&mut self, frames_per_second: f32) -> Result<(), EncoderFailed> {
        let ratio = frames_per_second / self.frames_per_second;
        if (0.8..=1.25).contains(&ratio) {
            return Ok(());
        }
        self.frames_per_second = frames_per_second;
        let answer = self.set_option(ENCODER_OPTION_FRAME_RATE, frames_per_second);
        accepted(answer, "frame rate")
    }

    /// Makes the next picture a key picture.
    pub(crate) fn request_key(&mut self) {
        self.want_key = true;
    }

    /// Codes a picture of this encoder's size. `None` when the rate control left it out.
    pub(crate) fn encode(
        &mut self,
        picture: &Picture,
        milliseconds: u64,
    ) -> Result<Option<CodedPicture>, EncoderFailed> {
        self.pay_off(milliseconds);
        if self.want_key {
            self.encoder.force_intra_frame();
        } else if self.debt > f64::from(self.bits_per_second) * MOST_DEBT {
            return Ok(None);
        }
        let stream =
            self.encoder.encode_at(&slices(picture), Timestamp::from_millis(milliseconds)).map_err(failed)?;
        let key = match stream.frame_type() {
            FrameType::IDR => true,
            FrameType::I | FrameType::P | FrameType::IPMixed => false,
            FrameType::Invalid | FrameType::Skip => return Ok(None),
        };
        let annex_b = stream.to_vec();
        let (mut sps, mut pps) = (None, None);
        let mut nal_units = Vec::with_capacity(annex_b.len() + 16);
        for unit in annex_b_units(&annex_b) {
            match nal_type(unit) {
                NAL_SPS => sps = Some(unit),
                NAL_PPS => pps = Some(unit),
                _ => append_prefixed(&mut nal_units, unit),
            }
        }
        if nal_units.is_empty() {
            return Ok(None);
        }
        let config = sps.zip(pps).and_then(|(sps, pps)| configuration_record(sps, pps));
        self.debt += nal_units.len() as f64 * 8.0;
        if key {
            self.want_key = false;
        }
        Ok(Some(CodedPicture { key, config, nal_units: nal_units.into() }))
    }

    fn pay_off(&mut self, milliseconds: u64) {
        let passed = milliseconds.saturating_sub(self.last_milliseconds).min(1000);
        self.last_milliseconds = milliseconds;
        self.debt = (self.debt - passed as f64 / 1000.0 * f64::from(self.bits_per_second)).max(0.0);
    }

    /// Codes one grey picture for nobody: the library takes options only after its first picture, and without this that
    /// first picture would be as large as the ceiling allows.
    fn settle(&mut self) -> Result<(), EncoderFailed> {
        let (width, height) = self.size;
        let grey = Picture::new(width, height, vec![128; Picture::bytes(width, height)])
            .ok_or_else(|| EncoderFailed(format!("no picture is {width}x{height}")))?;
        self.encoder.encode_at(&slices(&grey), Timestamp::ZERO).map_err(failed)?;
        self.apply_bit_rate()
    }

    fn apply_bit_rate(&mut self) -> Result<(), EncoderFailed> {
        let bits = i32::try_from(self.bits_per_second).unwrap_or(i32::MAX);
        let answer = self
            .set_option(ENCODER_OPTION_BITRATE, TagBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bits });
        accepted(answer, "bit rate")
    }

    /// Sets an option of the library. The value must be of the type the option takes: `float` for the frame rate,
    /// `SBitrateInfo` for the bit rate, `int` for the trace level. 0 when it was accepted.
    fn set_option<T>(&mut self, option: ENCODER_OPTION, mut value: T) -> i32 {
        // SAFETY: the wrapper offers no other way to these options. The three callers pass the types named above; the
        // library reads the value before the call returns and keeps no pointer to it; before its first picture it
        // refuses all but the trace level; and `&mut self` keeps every other use of the encoder away.
        #[allow(unsafe_code)]
        unsafe {
            self.encoder.raw_api().set_option(option, (&raw mut value).cast())
        }
    }
}

fn accepted(answer: i32, what: &str) -> Result<(), EncoderFailed> {
    if answer == 0 { Ok(()) } else { Err(EncoderFailed(format!("the {what} was refused with {answer}"))) }
}

fn failed(error: openh264::Error) -> EncoderFailed {
    EncoderFailed(error.to_string())
}

fn slices(picture: &Picture) -> YUVSlices<'_> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    YUVSlices::new(picture.planes(), (width, height), (width, width / 2, width / 2))
}

/// An encoder built lower would have to be rebuilt, with a key picture, at the first sign of a better network.
const LOWEST_CEILING: u32 = 3_000_000;
/// Beyond this OpenH264 gains nothing for the sizes a call has.
const HIGHEST_CEILING: u32 = 20_000_000;
/// Seconds of the rate a coded picture may run ahead. Pictures are left out until the debt is below it: fewer pictures
/// are better than late ones.
const MOST_DEBT: f64 = 0.25;
/// Below this even a small picture is soup.
const LOWEST_RATE: u32 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::capture::test_picture;

    /// A rough texture that moves: hard to code.
    fn rough(n: u64) -> Picture {
        let shade = |k: usize| {
            let (x, y) = ((k % 320) as u64 + n * 3, (k / 320) as u64 + n);
            (((x / 3) * 2_654_435_761) ^ ((y / 3) * 40_503)).wrapping_mul(2_246_822_519) >> 24
        };
        Picture::new(
            320,
            180,
            (0..Picture::bytes(320, 180)).map(|k| shade(k) as u8 / 2 + 60).collect::<Vec<u8>>(),
        )
        .unwrap()
    }

    fn bits_in_two_seconds(encoder: &mut VideoEncoder, from: u64) -> usize {
        let mut bits = 0;
        for n in 0..60_u64 {
            let at = from + n * 1000 / 30;
            let picture = rough(n);
            if let Some(coded) = encoder.encode(&picture, at).unwrap() {
                bits += coded.nal_units.len() * 8;
            }
        }
        bits
    }

    #[test]
    fn the_first_picture_stands_alone_and_brings_its_parameter_sets() {
        let mut encoder = VideoEncoder::new((320, 180), 500_000, 30.0).unwrap();
        let first = encoder.encode(&test_picture::draw(320, 180, 0), 0).unwrap().unwrap();
        assert!(first.key);
        let record = first.config.unwrap();
        let sets = super::super::avc_format::parameter_sets(&record).unwrap();
        assert_eq!(sets.iter().map(|set| nal_type(set)).collect::<Vec<_>>(), [NAL_SPS, NAL_PPS]);
        let second = encoder.encode(&test_picture::draw(320, 180, 33), 33).unwrap().unwrap();
        assert!(!second.key);
    }

    #[test]
    fn a_new_bit_rate_is_obeyed_downwards_and_upwards() {
        let mut encoder = VideoEncoder::new((320, 180), 800_000, 30.0).unwrap();
        let plenty = bits_in_two_seconds(&mut encoder, 0);
        encoder.set_bit_rate(200_000).unwrap();
        bits_in_two_seconds(&mut encoder, 2000);
        let little = bits_in_two_seconds(&mut encoder, 4000);
        encoder.set_bit_rate(800_000).unwrap();
        bits_in_two_seconds(&mut encoder, 6000);
        let again = bits_in_two_seconds(&mut encoder, 8000);
        assert!(little < 520_000, "{little} bits in two seconds at 200 kbit/s");
        assert!((1_200_000..2_000_000).contains(&plenty), "{plenty} bits in two seconds at 800 kbit/s");
        assert!((1_200_000..2_000_000).contains(&again), "{again} bits in two seconds at 800 kbit/s again");
    }
}
