//! Pictures to H.264: OpenH264 in constrained baseline, steered by a bit rate.
//!
//! The library's own defaults are of no use for a call, so every setting that matters is made here. It obeys a new bit
//! rate only below a ceiling, which is raised first where need be. A rate that halves or doubles is met within half a
//! second; a large step up takes longer, from 600 kbit/s to 4 Mbit/s about two seconds. What was measured and left alone: medium complexity gains 0.08 dB, adaptive quantisation nothing; slices of 1,100 bytes lose
//! 0.5 dB, and a picture of which a slice is missing is not shown anyway. After a cut no picture is larger than a key
//! picture. Two temporal layers make 38 % of the bytes such that nothing needs them, for 12 % more bytes; but together
//! with long-term references, which gain more, the library crashes.
//!
//! About once a second a picture becomes a long-term reference. When pictures are lost, the next is built on the last of
//! these that is known to have arrived ([`VideoEncoder::on_lost`]). At 600 kbit/s, bytes of such a picture and of a key
//! picture in its place, and how well the picture is seen over ten seconds with two such losses, long-term references
//! costing nothing by themselves:
//!
//! | film | refresh | key picture | mean quality |
//! | --- | --- | --- | --- |
//! | traffic, 640x272 | 3,100 and 6,400 | 12,900 and 18,400 | 40.0 dB, with key pictures 40.1 |
//! | somebody talking, 640x480 | 3,400 and 2,800 | 11,600 and 12,100 | 38.7 dB, with key pictures 38.7 |
//! | animation, 1280x720 | 4,000 and 3,400 | 28,200 and 27,700 | 33.4 dB, with key pictures 32.6 |

use bytes::Bytes;
use openh264::OpenH264API;
use openh264::Timestamp;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile, QpRange,
    RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264_sys2::{
    ENCODER_LTR_MARKING_FEEDBACK, ENCODER_LTR_RECOVERY_REQUEST, ENCODER_OPTION, ENCODER_OPTION_BITRATE,
    ENCODER_OPTION_FRAME_RATE, ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_TRACE_LEVEL, LTR_MARKING_FAILED,
    LTR_MARKING_SUCCESS, LTR_RECOVERY_REQUEST, SLTRMarkingFeedback, SLTRRecoverRequest, SPATIAL_LAYER_0,
    SPATIAL_LAYER_ALL, TagBitrateInfo, WELS_LOG_QUIET,
};

use super::avc_format::{NAL_PPS, NAL_SPS, annex_b_units, append_prefixed, configuration_record, nal_type};
use super::long_term::{Arrivals, Ground, Marked, UnderWay};
use super::sequence::Sequence;
use super::slice_header::SliceHeader;
use crate::media::picture::Picture;
use crate::media::stream::Stream;

/// One coded picture.
#[derive(Clone, Debug)]
pub(crate) struct CodedPicture {
    pub(crate) key: bool,
    /// Whether it needs no picture that the far end may lack.
    pub(crate) refresh: bool,
    /// With every key picture.
    pub(crate) config: Option<Bytes>,
    pub(crate) nal_units: Bytes,
}

/// What came of one try.
struct Coded {
    key: bool,
    sps: Option<Vec<u8>>,
    pps: Option<Vec<u8>>,
    header: Option<SliceHeader>,
    nal_units: Vec<u8>,
}

impl Coded {
    fn bits(&self) -> f64 {
        self.nal_units.len() as f64 * 8.0
    }
}

/// The library refused. Its state is unknown after that: build a new encoder.
#[derive(Debug, thiserror::Error)]
#[error("the H.264 encoder failed: {0}")]
pub(crate) struct EncoderFailed(String);

/// An H.264 encoder for pictures of one size.
pub(crate) struct VideoEncoder {
    encoder: Encoder,
    size: (u32, u32),
    /// Whether a picture that needs little is made no larger than a moment of the rate.
    is_capped: bool,
    ceiling: u32,
    bits_per_second: u32,
    frames_per_second: f32,
    want_key: bool,
    want_refresh: bool,
    sequence: Option<Sequence>,
    idr: u32,
    arrivals: Arrivals,
    /// Bits sent beyond the rate so far.
    debt: f64,
    last_milliseconds: u64,
}

impl VideoEncoder {
    /// An encoder for pictures of that kind and of the size of the first, with the bit rate it starts at.
    pub(crate) fn for_stream(
        stream: Stream,
        first: &Picture,
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
            .qp(match stream {
                Stream::Camera => QpRange::new(LEAST_QUANTISER, MOST_QUANTISER),
                Stream::Screen => QpRange::default(),
            })
            .complexity(Complexity::Low)
            // Key pictures come on request and by the pipeline's clock; none for a mere cut.
            .scene_change_detect(false)
            // It costs 0.1 to 0.2 dB in every film that was measured, and spares no time.
            .background_detection(false)
            // The library has none for screens.
            .long_term_reference(stream == Stream::Camera)
            .intra_frame_period(IntraFramePeriod::auto())
            .num_threads(1)
            .vui(VuiConfig::bt601());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        let mut new = Self {
            encoder,
            size: (first.width, first.height),
            is_capped: stream == Stream::Camera,
            ceiling,
            bits_per_second,
            frames_per_second,
            want_key: true,
            want_refresh: false,
            sequence: None,
            idr: 0,
            arrivals: Arrivals::default(),
            debt: 0.0,
            last_milliseconds: 0,
        };
        #[cfg(slow_h264)]
        tracing::warn!(
            "H.264 was built without its assembly (nasm was missing): pictures cost two to three times as much"
        );
        // Otherwise it complains on standard error that skipping is off.
        accepted(new.set_option(ENCODER_OPTION_TRACE_LEVEL, WELS_LOG_QUIET), "trace level")?;
        match stream {
            Stream::Camera => new.settle(first)?,
            // A page is to be sharp at once: the library must not know how hard it is.
            Stream::Screen => {
                let (width, height) = new.size;
                let grey = Picture::new(width, height, vec![128; Picture::bytes(width, height)])
                    .ok_or_else(|| EncoderFailed(format!("no picture is {width}x{height}")))?;
                new.settle(&grey)?;
            }
        }
        Ok(new)
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Whether a bit rate can be had without building a new encoder.
    pub(crate) fn reaches(&self, bits_per_second: u32) -> bool {
        bits_per_second <= HIGHEST_CEILING
    }

    /// The rate to keep to from the next picture on, at most the one [`Self::reaches`] allows.
    pub(crate) fn set_bit_rate(&mut self, bits_per_second: u32) -> Result<(), EncoderFailed> {
        let wanted = bits_per_second.clamp(LOWEST_RATE, HIGHEST_CEILING);
        if wanted > self.ceiling {
            self.ceiling = wanted.saturating_mul(2).min(HIGHEST_CEILING);
            for layer in [SPATIAL_LAYER_ALL, SPATIAL_LAYER_0] {
                let most = TagBitrateInfo { iLayer: layer, iBitrate: self.ceiling.cast_signed() };
                accepted(self.set_option(ENCODER_OPTION_MAX_BITRATE, most), "highest bit rate")?;
            }
        }
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

    /// The picture of that time was given up on its way. The next one is built on one that arrived; while a key picture is
    /// under way that waits for its arrival, and without any it is a key picture.
    pub(crate) fn on_lost(&mut self, timestamp: u32) {
        // One that later pictures do without already is no news.
        self.want_refresh |= self.arrivals.awaits(timestamp);
        if let Some(lost) = self.arrivals.lost(timestamp) {
            self.tell_marked(lost);
        }
    }

    /// Whether the next picture does without what was lost.
    pub(crate) fn mends(&self) -> bool {
        self.want_refresh
    }

    /// The picture of that time arrived at the far end.
    pub(crate) fn on_arrived(&mut self, timestamp: u32) {
        for marked in self.arrivals.arrived(timestamp) {
            self.tell_marked(marked);
        }
    }

    /// Codes a picture of this encoder's size. `None` when the rate control left it out.
    pub(crate) fn encode(
        &mut self,
        picture: &Picture,
        milliseconds: u64,
        timestamp: u32,
    ) -> Result<Option<CodedPicture>, EncoderFailed> {
        self.pay_off(milliseconds);
        let ground = if self.want_refresh { self.arrivals.ground() } else { Ground::There };
        if let Ground::UnderWay { timestamp: key } = ground
            && !self.want_key
            && timestamp.wrapping_sub(key) < LONGEST_WAIT_FOR_KEY
        {
            return Ok(None);
        }
        if !self.want_key && !self.want_refresh && self.debt > f64::from(self.bits_per_second) * MOST_DEBT {
            return Ok(None);
        }
        let from_nothing = self.want_key || ground != Ground::There;
        let Some(mut coded) = self.code(picture, milliseconds, from_nothing)? else { return Ok(None) };
        if self.is_capped && (from_nothing || self.want_refresh) {
            coded = self.code_smaller(coded, picture, milliseconds, from_nothing)?;
        }
        let Coded { key, sps, pps, header, nal_units } = coded;
        let config = sps.zip(pps).and_then(|(sps, pps)| configuration_record(&sps, &pps));
        self.debt += nal_units.len() as f64 * 8.0;
        // The picture after one that became a long-term reference names it as such, and yet needs it to arrive.
        let asked = self.want_refresh && !self.want_key;
        let refresh = key || asked && header.is_some_and(|header| header.needs_long_term_only);
        self.want_key &= !key;
        self.want_refresh &= !refresh;
        // It had none after all.
        self.want_key |= asked && !refresh;
        if let Some(idr) = header.and_then(|header| header.idr) {
            self.idr = idr;
        }
        let keeps = header.and_then(|header| header.keeps);
        if let Some(lost) = self.arrivals.sent(UnderWay { timestamp, key, keeps }) {
            self.tell_marked(lost);
        }
        Ok(Some(CodedPicture { key, refresh, config, nal_units: nal_units.into() }))
    }

    /// Codes a picture that needs little again when it is too large to be sent in a moment: what the library makes of it
    /// follows only roughly from the rate. Nobody needs the tries before the last.
    fn code_smaller(
        &mut self,
        mut coded: Coded,
        picture: &Picture,
        milliseconds: u64,
        from_nothing: bool,
    ) -> Result<Coded, EncoderFailed> {
        let most = f64::from(self.bits_per_second) * MOST_AT_ONCE;
        let mut rate = f64::from(self.bits_per_second);
        let mut tries = 1;
        while coded.bits() > most && tries < MOST_TRIES {
            rate = (rate * most / coded.bits()).max(f64::from(LOWEST_RATE));
            self.tell_bit_rate(rate as u32)?;
            // Until it hears of a long-term reference the library makes no other.
            if let Some(kept) = coded.header.and_then(|header| header.keeps).filter(|_| !coded.key) {
                self.tell_marked(Marked::Lost(kept));
            }
            let Some(again) = self.code(picture, milliseconds, from_nothing)? else { break };
            coded = again;
            tries += 1;
        }
        if tries > 1 {
            self.apply_bit_rate()?;
        }
        Ok(coded)
    }

    /// One try. `None` when the library left the picture out.
    fn code(
        &mut self,
        picture: &Picture,
        milliseconds: u64,
        from_nothing: bool,
    ) -> Result<Option<Coded>, EncoderFailed> {
        if from_nothing {
            self.encoder.force_intra_frame();
        } else if self.want_refresh {
            self.ask_for_long_term();
        }
        let stream =
            self.encoder.encode_at(&slices(picture), Timestamp::from_millis(milliseconds)).map_err(failed)?;
        let key = match stream.frame_type() {
            FrameType::IDR => true,
            FrameType::I | FrameType::P | FrameType::IPMixed => false,
            FrameType::Invalid | FrameType::Skip => return Ok(None),
        };
        let annex_b = stream.to_vec();
        let (mut sps, mut pps, mut header) = (None, None, None);
        let mut nal_units = Vec::with_capacity(annex_b.len() + 16);
        for unit in annex_b_units(&annex_b) {
            match nal_type(unit) {
                NAL_SPS => {
                    sps = Some(unit.to_vec());
                    self.sequence = Sequence::read(unit).ok();
                }
                NAL_PPS => pps = Some(unit.to_vec()),
                _ => {
                    let sequence = self.sequence.as_ref().filter(|_| header.is_none());
                    header = header.or(sequence.and_then(|sequence| SliceHeader::read(unit, sequence)));
                    append_prefixed(&mut nal_units, unit);
                }
            }
        }
        Ok((!nal_units.is_empty()).then_some(Coded { key, sps, pps, header, nal_units }))
    }

    fn ask_for_long_term(&mut self) {
        // Without a number of a picture that the far end lacks, it takes the newest one that is known to be there.
        let request = SLTRRecoverRequest {
            uiFeedbackType: LTR_RECOVERY_REQUEST as u32,
            uiIDRPicId: self.idr,
            iLastCorrectFrameNum: 0,
            iCurrentFrameNum: -1,
            iLayerId: 0,
        };
        self.set_option(ENCODER_LTR_RECOVERY_REQUEST, request);
    }

    fn tell_marked(&mut self, marked: Marked) {
        let (verdict, frame_number) = match marked {
            Marked::There(number) => (LTR_MARKING_SUCCESS, number),
            Marked::Lost(number) => (LTR_MARKING_FAILED, number),
        };
        let feedback = SLTRMarkingFeedback {
            uiFeedbackType: verdict as u32,
            uiIDRPicId: self.idr,
            iLTRFrameNum: frame_number.cast_signed(),
            iLayerId: 0,
        };
        self.set_option(ENCODER_LTR_MARKING_FEEDBACK, feedback);
    }

    fn pay_off(&mut self, milliseconds: u64) {
        let passed = milliseconds.saturating_sub(self.last_milliseconds).min(1000);
        self.last_milliseconds = milliseconds;
        self.debt = (self.debt - passed as f64 / 1000.0 * f64::from(self.bits_per_second)).max(0.0);
    }

    /// Codes a picture for nobody: the library takes options only after its first one, which is as large as the ceiling
    /// allows, and learns from it how hard such pictures are.
    fn settle(&mut self, first: &Picture) -> Result<(), EncoderFailed> {
        self.encoder.encode_at(&slices(first), Timestamp::ZERO).map_err(failed)?;
        self.apply_bit_rate()
    }

    fn apply_bit_rate(&mut self) -> Result<(), EncoderFailed> {
        self.tell_bit_rate(self.bits_per_second)
    }

    fn tell_bit_rate(&mut self, bits_per_second: u32) -> Result<(), EncoderFailed> {
        let bits = i32::try_from(bits_per_second).unwrap_or(i32::MAX);
        let answer = self
            .set_option(ENCODER_OPTION_BITRATE, TagBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bits });
        accepted(answer, "bit rate")
    }

    /// Sets an option of the library. The value must be of the type the option takes: `float` for the frame rate,
    /// `SBitrateInfo` for the bit rates, `int` for the trace level, the structures of their names for long-term references.
    /// 0 when it was accepted.
    fn set_option<T>(&mut self, option: ENCODER_OPTION, mut value: T) -> i32 {
        // SAFETY: the wrapper offers no other way to these options. The callers pass the types named above; the
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
/// Seconds of the rate that a key picture or a refresh takes at most, as far as the library can: a coarse picture is seen
/// sooner, and those after it mend it.
const MOST_AT_ONCE: f64 = 0.25;
/// By itself the library goes no further than 42: then few pictures fit on a narrow line, and a coarse one is better than
/// none.
const LEAST_QUANTISER: u8 = 12;
const MOST_QUANTISER: u8 = 48;
/// So often one picture is coded at most.
const MOST_TRIES: u32 = 4;
/// Milliseconds after which a key picture of which nothing was heard is worth another one.
const LONGEST_WAIT_FOR_KEY: u32 = 5_000;
/// Below this even a small picture is soup.
const LOWEST_RATE: u32 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::capture::test_picture;
    use crate::media::codec::video_decoder::{Decoded, VideoDecoder};
    use crate::media::picture::measure::psnr;

    fn camera(size: (u32, u32), bits_per_second: u32, rate: f32) -> Result<VideoEncoder, EncoderFailed> {
        let first = test_picture::draw(size.0, size.1, 0);
        VideoEncoder::for_stream(Stream::Camera, &first, bits_per_second, rate)
    }

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
            if let Some(coded) = encoder.encode(&picture, at, at as u32).unwrap() {
                bits += coded.nal_units.len() * 8;
            }
        }
        bits
    }

    #[test]
    fn the_first_picture_stands_alone_and_brings_its_parameter_sets() {
        let mut encoder = camera((320, 180), 500_000, 30.0).unwrap();
        let first = encoder.encode(&test_picture::draw(320, 180, 0), 0, 0).unwrap().unwrap();
        assert!(first.key);
        let record = first.config.unwrap();
        let sets = super::super::avc_format::parameter_sets(&record).unwrap();
        assert_eq!(sets.iter().map(|set| nal_type(set)).collect::<Vec<_>>(), [NAL_SPS, NAL_PPS]);
        let second = encoder.encode(&test_picture::draw(320, 180, 33), 33, 33).unwrap().unwrap();
        assert!(!second.key);
    }

    #[test]
    fn a_key_picture_takes_no_more_than_a_moment_of_the_rate_however_hard_it_is() {
        let first = rough(0);
        let mut encoder = VideoEncoder::for_stream(Stream::Camera, &first, 600_000, 30.0).unwrap();
        let mut decoder = VideoDecoder::new();
        let mut seen = Vec::new();
        for n in 0..40_u64 {
            if n == 30 {
                encoder.set_bit_rate(450_000).unwrap();
                encoder.request_key();
            }
            let at = n * 1000 / 30;
            let Some(coded) = encoder.encode(&rough(n), at, at as u32).unwrap() else { continue };
            if coded.key {
                decoder.configure(coded.config.as_ref().unwrap());
                seen.push(coded.nal_units.len());
            }
            let decoded = decoder.decode(coded.key, &coded.nal_units);
            assert!(matches!(decoded, Decoded::Picture(_)), "picture {n}: {decoded:?}");
        }
        let [first, second] = seen[..] else { panic!("{seen:?}") };
        // A quarter of a second of the rate, and what the library cannot do better.
        assert!(first * 8 <= 180_000 && second * 8 <= 135_000, "{first} and {second} bytes");
    }

    #[test]
    fn a_new_bit_rate_is_obeyed_downwards_and_upwards() {
        let mut encoder = camera((320, 180), 800_000, 30.0).unwrap();
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

    /// A camera that swings a little to and fro.
    fn swinging(n: u64) -> Picture {
        rough((n % 12).min(12 - n % 12))
    }

    /// Codes the n-th picture at thirty a second.
    fn next(encoder: &mut VideoEncoder, n: u64) -> Option<CodedPicture> {
        let at = n * 1000 / 30;
        encoder.encode(&swinging(n), at, at as u32).unwrap()
    }

    fn stamp(n: u64) -> u32 {
        (n * 1000 / 30) as u32
    }

    #[test]
    fn after_a_loss_a_picture_is_built_on_what_arrived_and_is_smaller_than_a_key_picture() {
        let mut encoder = camera((320, 180), 500_000, 30.0).unwrap();
        let mut decoder = VideoDecoder::new();
        let first = next(&mut encoder, 0).unwrap();
        decoder.configure(first.config.as_ref().unwrap());
        assert!(matches!(decoder.decode(true, &first.nal_units), Decoded::Picture(_)));
        encoder.on_arrived(stamp(0));
        let (mut shown, mut losses, mut refreshes) = (0, 0, Vec::new());
        let (mut next_loss, mut lost) = (30, None);
        for n in 1..240 {
            // What became of a picture is known 100 ms later; once a second one is lost.
            if lost.is_some_and(|lost| lost + 3 == n) {
                encoder.on_lost(stamp(n - 3));
                lost = None;
            } else if n > 3 {
                encoder.on_arrived(stamp(n - 3));
            }
            let Some(coded) = next(&mut encoder, n) else { continue };
            assert!(!coded.key, "picture {n}");
            if coded.refresh {
                refreshes.push(coded.nal_units.len());
            }
            if n >= next_loss {
                (next_loss, lost) = (next_loss + 30, Some(n));
                losses += 1;
                continue;
            }
            match decoder.decode(false, &coded.nal_units) {
                Decoded::Picture(picture) => {
                    assert!(lost.is_none(), "picture {n} cannot be whole");
                    shown += 1;
                    let quality = psnr(&picture, &swinging(n));
                    assert!(quality > 17.0, "picture {n}: {quality:.1} dB");
                }
                other => assert!(lost.is_some(), "picture {n}: {other:?}"),
            }
        }
        assert!(losses >= 6 && refreshes.len() == losses, "{} of {losses}", refreshes.len());
        assert!(shown > 30, "{shown}");
        let key = first.nal_units.len();
        assert!(refreshes.iter().all(|bytes| *bytes < key), "{refreshes:?}, key {key}");
    }

    #[test]
    fn without_any_picture_that_arrived_the_next_one_stands_alone_and_one_under_way_is_waited_for() {
        let mut encoder = camera((320, 180), 3_000_000, 30.0).unwrap();
        assert!(next(&mut encoder, 0).unwrap().key);
        next(&mut encoder, 1).unwrap();
        encoder.on_lost(stamp(1));
        assert!(next(&mut encoder, 2).is_none(), "the key picture may still arrive");
        encoder.on_arrived(stamp(0));
        let refresh = next(&mut encoder, 3).unwrap();
        assert!(refresh.refresh && !refresh.key);
        encoder.request_key();
        assert!(next(&mut encoder, 4).unwrap().key);
        encoder.on_lost(stamp(4));
        assert!(next(&mut encoder, 5).unwrap().key);
    }

    #[test]
    fn a_rate_beyond_what_it_was_built_for_needs_no_key_picture() {
        let mut encoder = camera((320, 180), 500_000, 30.0).unwrap();
        next(&mut encoder, 0).unwrap();
        assert!(encoder.reaches(6_000_000));
        encoder.set_bit_rate(6_000_000).unwrap();
        assert!(!next(&mut encoder, 30).unwrap().key);
    }
}
