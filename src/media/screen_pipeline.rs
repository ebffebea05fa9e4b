//! From pictures of a screen to coded frames: none while nothing changes, a few more of the last one so that it becomes
//! sharp, and one whenever a far end needs one that stands alone.
//!
//! Pure: told the time. The studio's thread only calls it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::{Duration, Instant};

use crate::media::encoded::EncodedFrame;
use crate::media::picture::Picture;
use crate::media::send_pipeline::{VideoSender, VideoTarget};
use crate::media::stream::Stream;

/// A picture that stands still is coded again this often, each time with more detail.
const SHARPEN_EVERY: Duration = Duration::from_millis(200);
/// So many times at most.
const SHARPEN_TIMES: u32 = 12;
/// It is as sharp as it gets when a further time costs less than this, in bytes.
const NOTHING_LEFT: usize = 600;
/// In a camera's place, where a picture that does not come counts as a camera that failed, it comes this often.
const REPEAT_EVERY: Duration = Duration::from_secs(1);

/// Pictures of a screen to coded frames.
pub(crate) struct ScreenSender {
    sender: VideoSender,
    frames_per_second: f32,
    /// The picture that is on the screen.
    last: Option<Picture>,
    /// It has not been coded yet.
    is_new: bool,
    coded_at: Option<Instant>,
    /// How often it is still worth coding it again.
    sharpen: u32,
    want_key: bool,
    repeats: bool,
}

impl ScreenSender {
    pub(crate) fn new(target: VideoTarget) -> Self {
        Self {
            sender: VideoSender::for_stream(Stream::Screen, target),
            frames_per_second: target.frames_per_second,
            last: None,
            is_new: false,
            coded_at: None,
            sharpen: 0,
            want_key: false,
            repeats: false,
        }
    }

    pub(crate) fn set_target(&mut self, target: VideoTarget) {
        self.frames_per_second = target.frames_per_second;
        // When pictures are due is decided here.
        self.sender.set_target(VideoTarget { frames_per_second: 60.0, ..target });
    }

    /// Whether a picture at rest is sent again every second.
    pub(crate) fn set_repeats(&mut self, repeats: bool) {
        self.repeats = repeats;
    }

    /// The next picture stands alone, and comes at once.
    pub(crate) fn request_key(&mut self) {
        self.want_key = true;
        self.sender.request_key();
    }

    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        self.sender.size()
    }

    /// This is on the screen from now on.
    pub(crate) fn take(&mut self, picture: Picture) {
        self.last = Some(picture);
        self.is_new = true;
    }

    /// When [`Self::code`] has something to do, if no other picture comes before.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.last.as_ref()?;
        let Some(before) = self.coded_at else { return Some(now) };
        let step = Duration::from_secs_f32(1.0 / self.frames_per_second.clamp(0.5, 60.0));
        if self.want_key {
            Some(now)
        } else if self.is_new {
            // Half a step of grace: the source is uneven, and must not lose every second picture by it.
            Some(before + step.mul_f32(0.7))
        } else if self.sharpen > 0 {
            Some(before + SHARPEN_EVERY.max(step))
        } else {
            self.repeats.then_some(before + REPEAT_EVERY)
        }
    }

    /// Codes what is on the screen, if it is due.
    pub(crate) fn code(&mut self, now: Instant, timestamp: u32) -> Option<EncodedFrame> {
        if self.due(now).is_none_or(|due| due > now) {
            return None;
        }
        let picture = self.last.clone()?;
        self.coded_at = Some(now);
        let frame = self.sender.push(&picture, timestamp);
        let bytes = match &frame {
            Some(EncodedFrame::Video { nal_units, .. }) => nal_units.len(),
            // Left out by the rate: it is still to come.
            _ => return None,
        };
        self.want_key = false;
        if std::mem::take(&mut self.is_new) {
            self.sharpen = SHARPEN_TIMES;
        } else {
            self.sharpen = if bytes < NOTHING_LEFT { 0 } else { self.sharpen.saturating_sub(1) };
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::video_decoder::{Decoded, VideoDecoder};
    use crate::media::picture::measure::psnr;

    const TARGET: VideoTarget =
        VideoTarget { bits_per_second: 600_000, width: 1920, height: 1080, frames_per_second: 10.0 };

    /// Something like text: thin dark strokes on white.
    fn page(seed: u32) -> Picture {
        let (width, height) = (640_u32, 360_u32);
        let luma = (0..width * height).map(|n| {
            let (x, y) = (n % width, n / width);
            let glyph = ((x / 8).wrapping_mul(2_654_435_761) ^ (y / 14).wrapping_mul(40_503) ^ seed) >> 7;
            let stroke = (glyph >> ((x % 8 / 2) + (y % 14 / 4) * 4)) & 1 == 1 && y % 14 < 11;
            if stroke { 30 } else { 235 }
        });
        let mut samples: Vec<u8> = luma.collect();
        samples.resize(Picture::bytes(width, height), 128);
        Picture::new(width, height, samples).expect("a picture")
    }

    /// Runs for so long in steps of 10 ms; what was coded, and when.
    fn run(
        sender: &mut ScreenSender,
        from: Instant,
        start: u32,
        milliseconds: u32,
    ) -> Vec<(u32, EncodedFrame)> {
        let steps = (start..start + milliseconds).step_by(10);
        let code = |at: u32| {
            let frame = sender.code(from + Duration::from_millis(at.into()), at)?;
            Some((at, frame))
        };
        steps.filter_map(code).collect()
    }

    #[test]
    fn a_screen_at_rest_becomes_sharp_and_then_costs_nothing() {
        let start = Instant::now();
        let mut sender = ScreenSender::new(TARGET);
        sender.take(page(1));
        let frames = run(&mut sender, start, 0, 4_000);
        let mut decoder = VideoDecoder::new();
        let mut shown = Vec::new();
        for (_, frame) in &frames {
            let EncodedFrame::Video { key, config, nal_units, .. } = frame else { continue };
            if let Some(config) = config {
                decoder.configure(config);
            }
            if let Decoded::Picture(picture) = decoder.decode(*key, nal_units) {
                shown.push(psnr(&page(1), &picture));
            }
        }
        let (first, last) = (shown[0], shown[shown.len() - 1]);
        assert!(last > 38.0 && last > first, "from {first} to {last} dB");
        assert!((2..=13).contains(&frames.len()), "{} times", frames.len());
        assert!(run(&mut sender, start, 4_000, 20_000).is_empty(), "at rest nothing is sent");
        assert_eq!(sender.due(start + Duration::from_secs(30)), None);
    }

    #[test]
    fn whoever_needs_a_picture_that_stands_alone_gets_it_at_once_from_a_screen_at_rest() {
        let start = Instant::now();
        let mut sender = ScreenSender::new(TARGET);
        sender.take(page(1));
        run(&mut sender, start, 0, 5_000);
        sender.request_key();
        let frames = run(&mut sender, start, 5_000, 20);
        assert!(matches!(frames[..], [(5_000, EncodedFrame::Video { key: true, .. })]), "{frames:?}");
    }

    #[test]
    fn in_a_cameras_place_a_screen_at_rest_comes_every_second() {
        let start = Instant::now();
        let mut sender = ScreenSender::new(TARGET);
        sender.set_repeats(true);
        sender.take(page(1));
        run(&mut sender, start, 0, 5_000);
        let count = run(&mut sender, start, 5_000, 10_000).len();
        assert!((9..=11).contains(&count), "{count} in ten seconds");
    }

    #[test]
    fn what_changes_all_the_time_keeps_to_the_picture_rate() {
        let start = Instant::now();
        let target = VideoTarget { bits_per_second: 8_000_000, frames_per_second: 5.0, ..TARGET };
        let mut sender = ScreenSender::new(target);
        sender.set_target(target);
        let mut frames = 0;
        for n in 0..60_u32 {
            sender.take(page(n));
            frames += run(&mut sender, start, n * 66, 66).len();
        }
        assert!((18..=29).contains(&frames), "{frames} in four seconds");
    }
}
