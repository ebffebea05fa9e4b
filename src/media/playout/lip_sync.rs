//! Sound and picture of one moment, shown and heard together.
//!
//! Pictures are shown at once unless the sound lags behind by more than a person tolerates; then they wait for it, a
//! little. Where it is the pictures that lag, and steadily, the sound waits for them: its buffer is asked for more delay,
//! which comes by stretching. Both delays are measured against the capture clock that sound and pictures share.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::{Duration, Instant};

use crate::media::capture_clock::Unwrapped;

/// Measures both delays and says when a picture is due.
#[derive(Debug, Default)]
pub(crate) struct LipSync {
    origin: Option<Instant>,
    follow: Unwrapped,
    sound: Option<Delay>,
    picture: Option<Delay>,
    /// The delay at which pictures are ready, before they wait.
    ready: Option<Delay>,
    /// The delay the sound's buffer is asked for, and when that was looked at last.
    least: f64,
    looked: Option<Instant>,
}

/// Milliseconds from capture, by the two ends' own clocks: only differences of it mean anything.
#[derive(Clone, Copy, Debug)]
struct Delay {
    milliseconds: f64,
    measured: Instant,
}

impl LipSync {
    /// The sample with this stamp is heard at this moment.
    pub(crate) fn on_sound(&mut self, timestamp: u32, heard: Instant, now: Instant) {
        let measured = self.delay(timestamp, heard);
        smooth(&mut self.sound, measured, now);
    }

    /// The picture with this stamp was shown.
    pub(crate) fn on_picture(&mut self, timestamp: u32, shown: Instant) {
        let measured = self.delay(timestamp, shown);
        smooth(&mut self.picture, measured, shown);
    }

    /// When to show a picture that is ready now.
    pub(crate) fn due(&mut self, timestamp: u32, now: Instant) -> Instant {
        let ready = self.delay(timestamp, now);
        smooth(&mut self.ready, ready, now);
        let Some(sound) = self.sound.filter(|sound| now.saturating_duration_since(sound.measured) < STALE)
        else {
            return now;
        };
        let early = sound.milliseconds - TOLERANCE - ready;
        now + Duration::from_secs_f64((early / 1000.0).clamp(0.0, LONGEST_WAIT))
    }

    /// The least delay to ask the sound's buffer for, in milliseconds, where it has so much now: none unless pictures are
    /// steadily late. Asked every 10 ms.
    pub(crate) fn least_sound_delay(&mut self, buffer_ms: f64, now: Instant) -> f64 {
        if self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < LOOK) {
            return self.least;
        }
        self.looked = Some(now);
        let fresh = |delay: &Delay, age: Duration| now.saturating_duration_since(delay.measured) < age;
        let ready = self.ready.filter(|ready| fresh(ready, NO_PICTURES));
        let sound = self.sound.filter(|sound| fresh(sound, STALE));
        let (Some(ready), Some(sound)) = (ready, sound) else {
            if ready.is_none() {
                self.least = 0.0;
            }
            return self.least;
        };
        let late = ready.milliseconds - sound.milliseconds;
        if late > LATE || self.least > 0.0 && late < EARLY {
            let wanted = buffer_ms + late - AIM;
            self.least = if wanted < LEAST_WORTH { 0.0 } else { wanted.min(MOST_SOUND_WAITS) };
        }
        self.least
    }

    /// Picture delay less sound delay, in milliseconds: above zero, the sound is early.
    pub(crate) fn skew_ms(&self) -> Option<f64> {
        Some(self.picture?.milliseconds - self.sound?.milliseconds)
    }

    fn delay(&mut self, timestamp: u32, at: Instant) -> f64 {
        let origin = *self.origin.get_or_insert(at);
        let stamp = self.follow.follow(timestamp);
        let since = at.saturating_duration_since(origin).as_secs_f64()
            - origin.saturating_duration_since(at).as_secs_f64();
        since * 1000.0 - stamp as f64
    }
}

fn smooth(delay: &mut Option<Delay>, milliseconds: f64, now: Instant) {
    let before = delay.map_or(milliseconds, |delay| delay.milliseconds);
    // A jump is a new beginning, not noise.
    let step = if (milliseconds - before).abs() > 500.0 { 1.0 } else { 0.05 };
    *delay = Some(Delay { milliseconds: before + (milliseconds - before) * step, measured: now });
}

/// Sound may lag behind the picture by so many milliseconds: EBU R37 allows 60, and a waiting picture is an older one.
const TOLERANCE: f64 = 40.0;
/// Seconds a picture waits at most.
const LONGEST_WAIT: f64 = 0.3;
/// Without sound for so long nothing is waited for.
const STALE: Duration = Duration::from_millis(500);

/// Pictures later than the sound by so much make it wait, until they are so early; then it is this much ahead of them.
const LATE: f64 = 60.0;
const EARLY: f64 = -10.0;
const AIM: f64 = 30.0;
/// The most delay that the sound's buffer is asked for, and what is not worth asking.
const MOST_SOUND_WAITS: f64 = 220.0;
const LEAST_WORTH: f64 = 15.0;
/// How often the sound's wait is thought over: often enough to follow, seldom enough for stretching to show.
const LOOK: Duration = Duration::from_millis(200);
/// Without pictures for so long, the sound waits for nothing.
const NO_PICTURES: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn without_sound_a_picture_is_shown_at_once() {
        let now = Instant::now();
        assert_eq!(LipSync::default().due(5, now), now);
    }

    #[test]
    fn a_picture_waits_for_sound_that_lags_too_far_and_no_longer() {
        let start = Instant::now();
        let mut sync = LipSync::default();
        sync.on_sound(1000, start + 150 * MS, start);
        // The picture of the same moment is ready 10 ms after the origin of all this.
        let due = sync.due(1000, start + 10 * MS);
        assert_eq!(due, start + 110 * MS);
        assert_eq!(sync.due(1000, start + 140 * MS), start + 140 * MS);
    }

    #[test]
    fn sound_waits_for_pictures_that_are_steadily_late_and_no_longer_when_they_stay_away() {
        let start = Instant::now();
        let mut sync = LipSync::default();
        sync.on_sound(1000, start + 50 * MS, start);
        for n in 0..60 {
            sync.due(1000 + n * 33, start + (n * 33 + 200) * MS);
            sync.on_sound(1000 + n * 33, start + (n * 33 + 50) * MS, start + (n * 33) * MS);
        }
        let asked = sync.least_sound_delay(20.0, start + 2000 * MS);
        assert!((125.0..=145.0).contains(&asked), "{asked}");
        assert!(sync.least_sound_delay(20.0, start + 9000 * MS) == 0.0);
    }

    #[test]
    fn pictures_in_time_make_no_sound_wait() {
        let start = Instant::now();
        let mut sync = LipSync::default();
        sync.on_sound(1000, start + 50 * MS, start);
        sync.due(1000, start + 70 * MS);
        assert!(sync.least_sound_delay(20.0, start + 100 * MS) == 0.0);
    }

    #[test]
    fn the_skew_is_picture_delay_less_sound_delay() {
        let start = Instant::now();
        let mut sync = LipSync::default();
        sync.on_sound(u32::MAX - 9, start + 90 * MS, start);
        sync.on_picture(10, start + 80 * MS);
        assert!((sync.skew_ms().unwrap() + 30.0).abs() < 0.001);
    }
}
