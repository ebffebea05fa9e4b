//! What the studio counts and measures while a call runs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use super::receive_pipeline::SoundFigures;

/// The figures of a call so far. Counters of the sending side start again with `start_sending`, those of the receiving
/// side with `start_receiving`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaFigures {
    /// Pictures the camera gave.
    pub pictures_captured: u64,
    /// Pictures coded and handed to the sink.
    pub pictures_sent: u64,
    /// Far pictures shown.
    pub pictures_shown: u64,
    /// For how many milliseconds the far picture stood still in all, counting pauses over 250 ms. A far camera that is
    /// switched off counts too: only the call knows why no pictures come.
    pub pictures_frozen_ms: u64,
    /// When the first far sound was handed to the speaker.
    pub first_sound: Option<Instant>,
    /// When the first far picture was shown.
    pub first_picture: Option<Instant>,
    /// Milliseconds of sound played since `start_receiving`, silence and concealment included.
    pub sound_played_ms: u64,
    /// Milliseconds of it that were made up because nothing had arrived.
    pub sound_concealed_ms: u64,
    /// What the jitter buffer aims at, in milliseconds.
    pub buffer_ms: u32,
    /// What became of the far end's sound.
    pub sound: SoundFigures,
    /// Picture delay less sound delay, in milliseconds: above zero, the sound is early.
    pub lip_sync_ms: Option<f64>,
    /// Median from capture to show, where the far end sends the test picture and both share a clock.
    pub glass_to_glass_ms: Option<f64>,
    /// What 95 of 100 pictures stay under, likewise.
    pub glass_to_glass_95_ms: Option<f64>,
    /// Median from microphone to ear, where the far end sends the test tone and both share a clock; modulo a second.
    pub mouth_to_ear_ms: Option<f64>,
    /// By how many milliseconds voice processing delays what is sent; 0 while it is off.
    pub voice_delay_ms: f64,
    /// Width, height and pictures a second of what is sent.
    pub send_picture: Option<(u32, u32, f32)>,
    /// Width, height and pictures a second of what is shown.
    pub receive_picture: Option<(u32, u32, f32)>,
    /// How long pictures take at each stage here.
    pub stages: Stages,
    /// Threads left behind because a driver did not return.
    pub threads_left_behind: usize,
}

/// How long a picture takes at each stage in this program, in milliseconds, averaged over the last ones. What lies between
/// the two ends is the network's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stages {
    /// From what the camera gave to planes.
    pub capture: Option<f64>,
    /// Until the encoder took it.
    pub before_encoding: Option<f64>,
    /// Scaling and coding.
    pub encoding: Option<f64>,
    /// From arrival, whole, until the decoder took it.
    pub before_decoding: Option<f64>,
    /// Decoding.
    pub decoding: Option<f64>,
    /// Until its moment: a picture may wait for its sound.
    pub before_showing: Option<f64>,
    /// Until it lies where the window paints from. Only a window knows.
    pub uploading: Option<f64>,
}

/// Pictures a second over the last two seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateMeter {
    recent: VecDeque<Instant>,
}

impl RateMeter {
    pub(crate) fn tick(&mut self, now: Instant) {
        self.recent.push_back(now);
        while self.recent.len() > 240
            || self.recent.front().is_some_and(|at| now.duration_since(*at) > RATE_WINDOW)
        {
            self.recent.pop_front();
        }
    }

    pub(crate) fn per_second(&self) -> f32 {
        match (self.recent.front(), self.recent.back()) {
            (Some(first), Some(last)) if self.recent.len() > 1 => {
                (self.recent.len() - 1) as f32 / last.duration_since(*first).as_secs_f32().max(0.001)
            }
            _ => 0.0,
        }
    }
}

const RATE_WINDOW: Duration = Duration::from_secs(2);

/// The median of the last few hundred values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Median {
    recent: VecDeque<f64>,
}

impl Median {
    pub(crate) fn add(&mut self, value: f64) {
        self.recent.push_back(value);
        if self.recent.len() > 300 {
            self.recent.pop_front();
        }
    }

    pub(crate) fn value(&self) -> Option<f64> {
        self.percentile(50)
    }

    /// What so many percent of the values stay under.
    pub(crate) fn percentile(&self, percent: usize) -> Option<f64> {
        let mut sorted: Vec<f64> = self.recent.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() * percent / 100).copied()
    }
}

/// A running average that forgets, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Average {
    value: Option<f64>,
}

impl Average {
    pub(crate) fn add(&mut self, took: Duration) {
        let milliseconds = took.as_secs_f64() * 1000.0;
        let before = self.value.unwrap_or(milliseconds);
        self.value = Some(before + (milliseconds - before) * 0.05);
    }

    pub(crate) fn value(&self) -> Option<f64> {
        self.value
    }
}

/// Watches when pictures are shown, and adds up the pauses a person would call a freeze.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreezeWatch {
    last: Option<Instant>,
    frozen: Duration,
}

/// Pauses longer than this are a freeze; shorter ones are a low picture rate.
const FREEZE: Duration = Duration::from_millis(250);

impl FreezeWatch {
    pub(crate) fn on_shown(&mut self, now: Instant) {
        self.frozen = self.until(now);
        self.last = Some(now);
    }

    /// All frozen time until now, a pause that still lasts included.
    pub(crate) fn until(&self, now: Instant) -> Duration {
        let pause = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        if pause > FREEZE { self.frozen + (pause - NORMAL_STEP) } else { self.frozen }
    }
}

/// What is not counted of a frozen pause: the picture's ordinary time on screen.
const NORMAL_STEP: Duration = Duration::from_millis(33);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_pictures_a_second_are_measured_as_thirty() {
        let start = Instant::now();
        let mut meter = RateMeter::default();
        for n in 0..90_u32 {
            meter.tick(start + Duration::from_micros(33_333) * n);
        }
        assert!((meter.per_second() - 30.0).abs() < 0.1);
    }

    #[test]
    fn only_long_pauses_count_as_frozen() {
        let start = Instant::now();
        let mut watch = FreezeWatch::default();
        watch.on_shown(start);
        watch.on_shown(start + Duration::from_millis(200));
        assert_eq!(watch.until(start + Duration::from_millis(400)), Duration::ZERO);
        assert_eq!(watch.until(start + Duration::from_millis(1233)), Duration::from_millis(1000));
    }
}
