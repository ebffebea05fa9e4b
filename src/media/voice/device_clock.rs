//! When each sample of a device's stream was heard.
//!
//! Every piece of sound comes with a stamp, and every stamp is a little wrong: a thread woke late, a driver rounded. A
//! line through the last twenty seconds of stamps is right to a fraction of a millisecond, and its slope is how fast the
//! device's own clock runs.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::Instant;

/// Samples a second, by the device's own reckoning.
const RATE: f64 = 48_000.0;

/// The clock of one stream.
#[derive(Debug, Default)]
pub(super) struct DeviceClock {
    line: Option<Line>,
}

/// A line through stamps: all times in seconds after `origin`.
#[derive(Clone, Copy, Debug)]
struct Line {
    origin: Instant,
    /// The sample that was last stamped, and when it was heard.
    sample: u64,
    at: f64,
    /// How much longer than it claims the device takes for a sample, as a share.
    slowness: f64,
    /// For how many stamps' worth the line counts.
    weight: f64,
    /// Stamps in a row that lay far from the line.
    strays: u32,
}

impl DeviceClock {
    /// Takes a stamp: this sample was heard then. Whether the line goes on; it begins anew where the stream jumped.
    pub(super) fn learn(&mut self, sample: u64, heard: Instant) -> bool {
        let Some(line) = &mut self.line else {
            self.line = Some(Line::beginning(sample, heard));
            return true;
        };
        let step = sample.saturating_sub(line.sample) as f64 / RATE;
        let at = seconds(line.origin, heard);
        let expected = line.at + step * (1.0 + line.slowness);
        let error = at - expected;
        if error.abs() > STRAY {
            line.strays += 1;
            if line.strays < STRAYS_IN_A_ROW && error.abs() < JUMP {
                return true;
            }
            self.line = Some(Line::beginning(sample, heard));
            return false;
        }
        line.strays = 0;
        // A least-squares line whose memory grows to its limit and then fades.
        let n = (line.weight + 1.0).min(MOST_WEIGHT);
        let error = error.clamp(-LARGEST_ERROR, LARGEST_ERROR);
        line.weight = n;
        line.sample = sample;
        line.at = expected + error * 2.0 * (2.0 * n - 1.0) / (n * (n + 1.0));
        if step > 0.0 {
            let change = error / step * 6.0 / (n * (n + 1.0));
            line.slowness = (line.slowness + change).clamp(-MOST_DRIFT, MOST_DRIFT);
        }
        true
    }

    /// When this sample was, or will be, heard.
    pub(super) fn time_of(&self, sample: u64) -> Option<Instant> {
        let line = self.line?;
        let step = (sample as f64 - line.sample as f64) / RATE * (1.0 + line.slowness);
        let at = line.at + step;
        Some(if at >= 0.0 {
            line.origin + std::time::Duration::from_secs_f64(at)
        } else {
            line.origin.checked_sub(std::time::Duration::from_secs_f64(-at))?
        })
    }

    /// The sample heard then, with its fraction.
    pub(super) fn sample_at(&self, heard: Instant) -> Option<f64> {
        let line = self.line?;
        Some(line.sample as f64 + (seconds(line.origin, heard) - line.at) * RATE / (1.0 + line.slowness))
    }

    /// How much longer than it claims the device takes for a sample, as a share.
    pub(super) fn slowness(&self) -> f64 {
        self.line.map_or(0.0, |line| line.slowness)
    }

    pub(super) fn forget(&mut self) {
        self.line = None;
    }
}

impl Line {
    fn beginning(sample: u64, heard: Instant) -> Self {
        Self { origin: heard, sample, at: 0.0, slowness: 0.0, weight: FIRST_WEIGHT, strays: 0 }
    }
}

fn seconds(origin: Instant, at: Instant) -> f64 {
    if at >= origin {
        at.duration_since(origin).as_secs_f64()
    } else {
        -origin.duration_since(at).as_secs_f64()
    }
}

/// Two seconds of stamps that came every 10 ms, at first: a new line believes that the device is about right.
const FIRST_WEIGHT: f64 = 200.0;
/// Twenty seconds of them, in the long run.
const MOST_WEIGHT: f64 = 2000.0;
/// No stamp moves the line by what it is wrong beyond this, in seconds.
const LARGEST_ERROR: f64 = 0.003;
/// A stamp this far off, in seconds, is not believed,
const STRAY: f64 = 0.025;
/// unless so many in a row say the same,
const STRAYS_IN_A_ROW: u32 = 10;
/// or it is so far off, in seconds, that the stream must have stood still.
const JUMP: f64 = 0.5;
/// No device is further off than this.
const MOST_DRIFT: f64 = 0.0005;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::synthetic::Dice;
    use super::*;

    /// Stamps every 10 ms for so many seconds, from a device that is slow by a share, each wrong by up to so many seconds.
    fn stamped(clock: &mut DeviceClock, origin: Instant, seconds: u64, slowness: f64, wrong: f64) {
        let mut dice = Dice::new(5);
        for n in 0..seconds * 100 {
            let true_time = n as f64 * 0.01 * (1.0 + slowness) + 1.0;
            let at = true_time + wrong * f64::from(dice.noise());
            assert!(clock.learn(n * 480, origin + Duration::from_secs_f64(at)));
        }
    }

    #[test]
    fn a_slow_device_is_found_out_from_stamps_that_are_each_wrong() {
        let (mut clock, origin) = (DeviceClock::default(), Instant::now());
        stamped(&mut clock, origin, 30, 100e-6, 0.003);
        assert!((clock.slowness() - 100e-6).abs() < 20e-6, "{}", clock.slowness());
        let at = clock.time_of(30 * 48_000).unwrap().duration_since(origin).as_secs_f64();
        assert!((at - 31.003).abs() < 0.000_4, "{at}");
        let sample = clock.sample_at(origin + Duration::from_secs_f64(31.003)).unwrap();
        assert!((sample - 1_440_000.0).abs() < 20.0, "{sample}");
    }

    #[test]
    fn one_absurd_stamp_changes_nothing_and_a_jump_begins_anew() {
        let (mut clock, origin) = (DeviceClock::default(), Instant::now());
        stamped(&mut clock, origin, 10, 0.0, 0.0);
        let (sample, on_time) = (10 * 48_000, origin + Duration::from_secs(11));
        assert!(clock.learn(sample, on_time + Duration::from_millis(200)));
        let at = clock.time_of(sample).unwrap();
        assert!(at.duration_since(on_time) < Duration::from_micros(10));
        assert!(!clock.learn(sample, on_time + Duration::from_secs(2)));
        assert_eq!(clock.time_of(sample), Some(on_time + Duration::from_secs(2)));
    }
}
