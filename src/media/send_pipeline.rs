//! From captured pictures and sound to coded frames: how often, how large, how many bits, and when anew.
//!
//! Pure: stamps come with what is pushed, nothing here has a thread or a clock. The studio's threads only call it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::Duration;

use crate::media::capture_clock::Unwrapped;
use crate::media::codec::audio_encoder::{AudioEncoder, Content, FRAME};
use crate::media::codec::video_encoder::{CodedPicture, EncoderFailed, VideoEncoder};
use crate::media::encoded::{EncodedFrame, PictureFate};
use crate::media::picture::Picture;
use crate::media::shaping::scale::{fitting, scaled};
use crate::media::stream::Stream;

/// Upper limits for the pictures sent. The shape of the picture is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VideoTarget {
    /// Bits a second.
    pub bits_per_second: u32,
    /// Width in samples.
    pub width: u32,
    /// Height in samples.
    pub height: u32,
    /// Pictures a second.
    pub frames_per_second: f32,
}

impl Default for VideoTarget {
    fn default() -> Self {
        Self { bits_per_second: 1_800_000, width: 1280, height: 720, frames_per_second: 30.0 }
    }
}

/// Pictures to coded frames.
pub(crate) struct VideoSender {
    stream: Stream,
    encoder: Option<VideoEncoder>,
    target: VideoTarget,
    follow: Unwrapped,
    next_due: f64,
    last: Option<i64>,
    /// Milliseconds between pictures, smoothed.
    interval: f64,
    last_key: i64,
    /// Milliseconds.
    longest_without_key: i64,
}

impl VideoSender {
    pub(crate) fn new(target: VideoTarget) -> Self {
        Self::for_stream(Stream::Camera, target)
    }

    /// For pictures of that kind.
    pub(crate) fn for_stream(stream: Stream, target: VideoTarget) -> Self {
        Self {
            stream,
            encoder: None,
            target,
            follow: Unwrapped::default(),
            next_due: f64::MIN,
            last: None,
            interval: 1000.0 / 30.0,
            last_key: 0,
            longest_without_key: LONGEST_WITHOUT_KEY,
        }
    }

    /// How long to go without a key picture that nobody asked for; `None` is the usual.
    pub(crate) fn set_key_every(&mut self, every: Option<Duration>) {
        let milliseconds = every.and_then(|every| i64::try_from(every.as_millis()).ok());
        self.longest_without_key = milliseconds.map_or(LONGEST_WITHOUT_KEY, |every| every.max(500));
    }

    pub(crate) fn set_target(&mut self, target: VideoTarget) {
        self.target = target;
    }

    /// Makes the next picture sent a key picture.
    pub(crate) fn request_key(&mut self) {
        if let Some(encoder) = &mut self.encoder {
            encoder.request_key();
        }
    }

    /// What became of a picture on its way. After one that was lost the next one is built on what did arrive.
    pub(crate) fn on_fate(&mut self, fate: PictureFate) {
        let Some(encoder) = &mut self.encoder else { return };
        match fate {
            PictureFate::Arrived { timestamp } => encoder.on_arrived(timestamp),
            PictureFate::Lost { timestamp } => encoder.on_lost(timestamp),
        }
    }

    /// The size of the pictures sent last.
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        self.encoder.as_ref().map(VideoEncoder::size)
    }

    /// Codes a picture. `None` when it is one too many, or the rate control left it out.
    pub(crate) fn push(&mut self, picture: &Picture, timestamp: u32) -> Option<EncodedFrame> {
        let stamp = self.follow.follow(timestamp);
        if !self.is_due(stamp) {
            return None;
        }
        let size = fitting((picture.width, picture.height), (self.target.width, self.target.height));
        let picture = scaled(picture, size.0, size.1);
        let per_second = (1000.0 / self.interval).clamp(1.0, 60.0) as f32;
        match self.code(&picture, stamp, per_second) {
            Ok(coded) => coded.map(|coded| EncodedFrame::Video {
                timestamp,
                key: coded.key,
                refresh: coded.refresh,
                config: coded.config,
                nal_units: coded.nal_units,
            }),
            Err(error) => {
                tracing::warn!(%error, "the picture could not be coded");
                self.encoder = None;
                None
            }
        }
    }

    fn code(
        &mut self,
        picture: &Picture,
        stamp: i64,
        per_second: f32,
    ) -> Result<Option<CodedPicture>, EncoderFailed> {
        let size = (picture.width, picture.height);
        let bits = self.target.bits_per_second;
        let fits = |encoder: &VideoEncoder| encoder.size() == size && encoder.reaches(bits);
        let encoder = match self.encoder.take().filter(fits) {
            Some(encoder) => self.encoder.insert(encoder),
            None => self.encoder.insert(VideoEncoder::for_stream(self.stream, picture, bits, per_second)?),
        };
        encoder.set_bit_rate(bits)?;
        encoder.set_frame_rate(per_second)?;
        if stamp - self.last_key >= self.longest_without_key && !encoder.mends() {
            encoder.request_key();
        }
        // The low half of the stamp is what it was unwrapped from.
        let coded = encoder.encode(picture, u64::try_from(stamp).unwrap_or(0), stamp as u32)?;
        if coded.as_ref().is_some_and(|coded| coded.key) {
            self.last_key = stamp;
        } else if coded.as_ref().is_some_and(|coded| coded.refresh) {
            // A key picture right after what was just mended would only cost another moment.
            self.last_key = self.last_key.max(stamp - self.longest_without_key + AFTER_A_REFRESH);
        }
        Ok(coded)
    }

    /// Whether the picture rate leaves room for this picture.
    fn is_due(&mut self, stamp: i64) -> bool {
        let step = 1000.0 / f64::from(self.target.frames_per_second.clamp(0.1, 120.0));
        let at = stamp as f64;
        // A camera's own unevenness must not cost every second picture.
        if at < self.next_due - step * 0.3 {
            return false;
        }
        self.next_due = self.next_due.max(at - step) + step;
        if let Some(last) = self.last.replace(stamp) {
            self.interval += ((at - last as f64).clamp(5.0, 1000.0) - self.interval) * 0.1;
        }
        true
    }
}

/// A key picture comes after so many milliseconds even if nobody asks: a request may get lost.
const LONGEST_WITHOUT_KEY: i64 = 8_000;
/// But not sooner than so many after a picture that did without what was lost.
const AFTER_A_REFRESH: i64 = 2_000;

/// Sound to coded frames.
pub(crate) struct AudioSender {
    encoder: AudioEncoder,
    waiting: Vec<f32>,
    /// The stamp of the first waiting sample, in milliseconds.
    stamp: Option<f64>,
    muted: bool,
    expected_loss: u8,
    content: Content,
    silence: Silence,
}

impl AudioSender {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        let content = Content::Voice;
        let encoder = AudioEncoder::new(content)?;
        Ok(Self {
            encoder,
            waiting: Vec::new(),
            stamp: None,
            muted: false,
            expected_loss: 0,
            content,
            silence: Silence::default(),
        })
    }

    /// While muted, silence is sent: the far end's clock goes on.
    pub(crate) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(crate) fn set_expected_loss(&mut self, percent: u8) {
        self.expected_loss = percent;
        self.encoder.set_expected_loss(percent);
    }

    /// Whether what comes from now on is coded as music instead of a voice.
    pub(crate) fn set_music(&mut self, music: bool) {
        let content = if music { Content::Music } else { Content::Voice };
        if self.content == content {
            return;
        }
        // An Opus encoder cannot change what it was made for.
        match AudioEncoder::new(content) {
            Ok(encoder) => {
                self.encoder = encoder;
                self.encoder.set_expected_loss(self.expected_loss);
                self.content = content;
            }
            Err(error) => tracing::warn!(%error, "the encoder stays as it was"),
        }
    }

    /// Bits a second from the next frame on; `None` is the usual.
    pub(crate) fn set_bit_rate(&mut self, bits_per_second: Option<u32>) {
        self.encoder.set_bit_rate(bits_per_second);
    }

    /// Takes sound at 48 kHz with the stamp of its first sample; gives what is complete.
    pub(crate) fn push(&mut self, samples: &[f32], timestamp: u32) -> Vec<EncodedFrame> {
        let first = f64::from(timestamp) - self.waiting.len() as f64 / 48.0;
        let stamp = self.stamp.get_or_insert(first);
        let drift = wrapping_difference(first, *stamp);
        // Samples are the better clock over a moment, the capture clock in the long run; a gap is taken as one.
        *stamp += if drift.abs() > GAP { drift } else { drift * 0.002 };
        self.waiting.extend_from_slice(samples);
        let mut frames = Vec::new();
        while let Some(frame) = self.waiting.first_chunk::<FRAME>() {
            let packet =
                if self.muted { self.encoder.encode(&[0.0; FRAME]) } else { self.encoder.encode(frame) };
            let timestamp = stamp.rem_euclid(WRAP).round() as u64 as u32;
            if let Some(packet) = packet.filter(|packet| self.silence.is_worth_sending(packet)) {
                frames.push(EncodedFrame::Audio { timestamp, packet });
            }
            *stamp = (*stamp + 20.0).rem_euclid(WRAP);
            self.waiting.drain(..FRAME);
        }
        frames
    }
}

/// Discontinuous transmission: packets in which nothing is heard, and that the far end need not have.
#[derive(Debug, Default)]
struct Silence {
    /// So many of them in a row.
    packets: u32,
}

impl Silence {
    /// A silence is said twice, in case the first is lost, and then ten times a second: what lies between costs more in
    /// headers than it tells.
    fn is_worth_sending(&mut self, packet: &[u8]) -> bool {
        self.packets = if packet.len() <= 2 { self.packets + 1 } else { 0 };
        self.packets <= 2 || self.packets.is_multiple_of(5)
    }
}

fn wrapping_difference(a: f64, b: f64) -> f64 {
    (a - b + WRAP / 2.0).rem_euclid(WRAP) - WRAP / 2.0
}

/// Where stamps wrap.
const WRAP: f64 = 4_294_967_296.0;
/// Beyond so many milliseconds, sound is missing rather than badly stamped.
const GAP: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::capture::test_picture::draw;

    fn stamps(frames: &[EncodedFrame]) -> Vec<u32> {
        frames
            .iter()
            .map(|frame| match frame {
                EncodedFrame::Audio { timestamp, .. } | EncodedFrame::Video { timestamp, .. } => *timestamp,
            })
            .collect()
    }

    #[test]
    fn pictures_beyond_the_rate_are_left_out_evenly() {
        let mut target = VideoTarget { frames_per_second: 15.0, ..VideoTarget::default() };
        target.bits_per_second = 400_000;
        let mut sender = VideoSender::new(target);
        let sent = (0..60).filter(|n| sender.push(&draw(160, 90, 0), n * 100 / 3).is_some()).count();
        assert!((28..=31).contains(&sent), "{sent}");
    }

    #[test]
    fn a_smaller_target_makes_smaller_pictures_that_begin_with_a_key() {
        let mut sender = VideoSender::new(VideoTarget::default());
        sender.push(&draw(320, 180, 0), 0).unwrap();
        sender.set_target(VideoTarget { width: 160, height: 160, ..VideoTarget::default() });
        let Some(EncodedFrame::Video { key, config, .. }) = sender.push(&draw(320, 180, 33), 33) else {
            panic!("a picture was due")
        };
        assert!(key && config.is_some());
        assert_eq!(sender.size(), Some((160, 90)));
    }

    #[test]
    fn a_key_comes_on_request_and_by_itself_after_eight_seconds() {
        let mut sender = VideoSender::new(VideoTarget { frames_per_second: 5.0, ..VideoTarget::default() });
        let mut keys = Vec::new();
        for n in 0..50_u32 {
            if n == 10 {
                sender.request_key();
            }
            if let Some(EncodedFrame::Video { key: true, timestamp, .. }) =
                sender.push(&draw(160, 90, 0), n * 200)
            {
                keys.push(timestamp);
            }
        }
        assert_eq!(keys, [0, 2000]);
        for n in 50..60_u32 {
            if let Some(EncodedFrame::Video { key: true, timestamp, .. }) =
                sender.push(&draw(160, 90, 0), n * 200)
            {
                keys.push(timestamp);
            }
        }
        assert_eq!(keys, [0, 2000, 10_000]);
    }

    #[test]
    fn keys_come_as_often_as_the_person_wants() {
        let mut sender = VideoSender::new(VideoTarget { frames_per_second: 5.0, ..VideoTarget::default() });
        sender.set_key_every(Some(Duration::from_secs(2)));
        let mut keys = Vec::new();
        for n in 0..30_u32 {
            if let Some(EncodedFrame::Video { key: true, timestamp, .. }) =
                sender.push(&draw(160, 90, 0), n * 200)
            {
                keys.push(timestamp);
            }
        }
        assert_eq!(keys, [0, 2000, 4000]);
    }

    #[test]
    fn sound_in_odd_pieces_is_stamped_every_twenty_milliseconds_also_across_the_wrap() {
        let mut sender = AudioSender::new().unwrap();
        let mut frames = Vec::new();
        let mut given = 0_u32;
        while given < 48 * 100 {
            let piece = 48 * 7;
            frames.extend(sender.push(&vec![0.1; piece], (u32::MAX - 49).wrapping_add(given / 48)));
            given += piece as u32;
        }
        let expected: Vec<u32> = (0..5).map(|n| (u32::MAX - 49).wrapping_add(n * 20)).collect();
        assert_eq!(stamps(&frames), expected);
    }

    #[test]
    fn music_gets_more_bits_than_a_voice_and_sound_goes_on() {
        let mut sender = AudioSender::new().unwrap();
        let chord: Vec<f32> = (0..48_000)
            .map(|n| [0.02, 0.031, 0.047].iter().map(|w| (n as f32 * w).sin() * 0.2).sum())
            .collect();
        let bytes = |frames: &[EncodedFrame]| -> usize {
            frames
                .iter()
                .map(|frame| if let EncodedFrame::Audio { packet, .. } = frame { packet.len() } else { 0 })
                .sum()
        };
        let voice = sender.push(&chord, 0);
        sender.set_music(true);
        let music = sender.push(&chord, 1000);
        assert!(bytes(&music) * 2 > bytes(&voice) * 3, "{} {}", bytes(&voice), bytes(&music));
        assert_eq!(stamps(&music).first(), Some(&1000));
    }

    #[test]
    fn a_muted_microphone_sends_silence_on_time() {
        let mut sender = AudioSender::new().unwrap();
        sender.set_muted(true);
        let loud: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.1).sin()).collect();
        let frames = sender.push(&loud, 0);
        let stamps = stamps(&frames);
        assert!(stamps.iter().all(|stamp| stamp % 20 == 0), "{stamps:?}");
        assert!(
            stamps.windows(2).all(|pair| pair[1] - pair[0] <= 100),
            "never silent for longer: {stamps:?}"
        );
        assert!((15..35).contains(&frames.len()), "{stamps:?}");
        let bytes: usize = frames
            .iter()
            .map(|frame| if let EncodedFrame::Audio { packet, .. } = frame { packet.len() } else { 0 })
            .sum();
        assert!(bytes < 700, "{bytes}");
    }
}
