//! Both voices on one line of time: ours a little to the left, theirs a little to the right.
//!
//! Each piece of sound comes with the moment at which it was heard. Samples are the better clock over a moment, those
//! moments in the long run: a side whose device runs fast or slow is stretched by single samples, unheard, so that an
//! hour later picture and sound still agree. What never came is silence.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;

use super::tap::Side;

/// Mixes two mono lines of 48 kHz into stereo. Places are samples since the recording began.
#[derive(Debug, Default)]
pub(crate) struct SoundMix {
    own: Line,
    far: Line,
    /// The place up to which everything was given out.
    given: i64,
}

#[derive(Debug, Default)]
struct Line {
    /// From `given` on.
    samples: VecDeque<f32>,
    /// Where the next sample belongs; `None` before the first.
    next: Option<i64>,
    /// By how many samples the moments are ahead of the samples, smoothed.
    drift: f64,
}

/// Beyond so many samples (40 ms) sound is missing, rather than badly stamped.
const GAP: i64 = 1_920;
/// So many samples of drift are worth a correction.
const TOLERANCE: f64 = 48.0;
/// Sound of a later moment than this beyond what was given out is a mistake of its stamp.
const FARTHEST: i64 = 48_000 * 60;
/// How much of a voice is heard on its own side, and on the other.
const NEAR_EAR: f32 = 0.8;
const OTHER_EAR: f32 = 0.5;

impl SoundMix {
    /// Takes a piece whose first sample belongs at this place. What comes after its moment was given out is lost.
    pub(crate) fn push(&mut self, side: Side, place: i64, samples: &[f32]) {
        let given = self.given;
        let line = match side {
            Side::Own => &mut self.own,
            Side::Far => &mut self.far,
        };
        line.push(given, place, samples);
    }

    /// After the recording stood still neither side goes on where it was.
    pub(crate) fn interrupt(&mut self) {
        self.own.forget();
        self.far.forget();
    }

    /// Gives out everything before this place, left and right in turn.
    pub(crate) fn pull(&mut self, until: i64, out: &mut Vec<f32>) {
        while self.given < until {
            let own = self.own.samples.pop_front().unwrap_or(0.0);
            let far = self.far.samples.pop_front().unwrap_or(0.0);
            out.push(within_bounds(own * NEAR_EAR + far * OTHER_EAR));
            out.push(within_bounds(own * OTHER_EAR + far * NEAR_EAR));
            self.given += 1;
        }
    }
}

impl Line {
    fn forget(&mut self) {
        (self.next, self.drift) = (None, 0.0);
    }

    fn push(&mut self, given: i64, place: i64, samples: &[f32]) {
        if place > given + FARTHEST {
            return;
        }
        let next = match self.next {
            Some(next) if (place - next).abs() <= GAP => next,
            _ => {
                self.drift = 0.0;
                place
            }
        };
        self.drift += ((place - next) as f64 - self.drift) * 0.01;
        let correction = if self.drift > TOLERANCE {
            1
        } else if self.drift < -TOLERANCE {
            -1
        } else {
            0
        };
        let length = samples.len().saturating_add_signed(correction);
        // What was corrected must not be measured again.
        self.drift -= correction as f64;
        for n in 0..length {
            let sample = if correction == 0 { samples.get(n).copied() } else { between(samples, n, length) };
            self.put(given, next + n as i64, sample.unwrap_or(0.0));
        }
        self.next = Some(next + length as i64);
    }

    fn put(&mut self, given: i64, place: i64, sample: f32) {
        let Ok(at) = usize::try_from(place - given) else { return };
        while self.samples.len() <= at {
            self.samples.push_back(0.0);
        }
        if let Some(old) = self.samples.get_mut(at) {
            *old = sample;
        }
    }
}

/// Sample `n` of the piece stretched to `length` samples.
fn between(samples: &[f32], n: usize, length: usize) -> Option<f32> {
    let at = n as f64 * samples.len() as f64 / length as f64;
    let first = samples.get(at as usize)?;
    let second = samples.get(at as usize + 1).unwrap_or(first);
    Some(first + (second - first) * at.fract() as f32)
}

/// What is louder than full scale bends towards it, instead of being cut off.
fn within_bounds(sample: f32) -> f32 {
    const KNEE: f32 = 0.8;
    let over = sample.abs() - KNEE;
    if over <= 0.0 { sample } else { (KNEE + (1.0 - KNEE) * (over / (1.0 - KNEE)).tanh()).copysign(sample) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mix: &mut SoundMix, until: i64) -> Vec<(f32, f32)> {
        let mut out = Vec::new();
        mix.pull(until, &mut out);
        out.chunks_exact(2).map(|both| (both[0], both[1])).collect()
    }

    #[test]
    fn each_voice_is_heard_at_its_moment_and_on_its_side() {
        let mut mix = SoundMix::default();
        mix.push(Side::Own, 100, &[0.5; 10]);
        mix.push(Side::Far, 300, &[0.5; 10]);
        let out = all(&mut mix, 1000);
        assert_eq!(out[99], (0.0, 0.0));
        assert_eq!(out[100], (0.4, 0.25));
        assert_eq!(out[110], (0.0, 0.0));
        assert_eq!(out[300], (0.25, 0.4));
        assert_eq!(out.len(), 1000);
    }

    #[test]
    fn what_does_not_come_is_silence_and_what_follows_keeps_its_moment() {
        let mut mix = SoundMix::default();
        mix.push(Side::Far, 0, &[0.5; 480]);
        mix.push(Side::Far, 48_000, &[0.5; 480]);
        let out = all(&mut mix, 50_000);
        assert!(out[480..48_000].iter().all(|both| *both == (0.0, 0.0)));
        assert!(out[48_000].1 > 0.3);
    }

    #[test]
    fn pieces_stamped_unevenly_join_without_a_gap() {
        let mut mix = SoundMix::default();
        for n in 0..100_i64 {
            let unevenness = (n * 7919 % 480) - 240;
            mix.push(Side::Own, 1000 + n * 480 + unevenness, &[0.5; 480]);
        }
        let out = all(&mut mix, 48_000);
        let start = out.iter().position(|both| both.0 > 0.0).unwrap();
        assert!(out[start..47_000].iter().all(|both| both.0 == 0.4));
    }

    #[test]
    fn ten_minutes_of_a_device_that_runs_fast_stays_within_five_milliseconds_of_the_clock() {
        let mut mix = SoundMix::default();
        let mut marks = Vec::new();
        // 100 parts in a million too fast: 480 of its samples take 479.952 of ours.
        for n in 0..60_000_u32 {
            let place = (f64::from(n) * 479.952).round() as i64;
            let is_marked = n % 5_000 == 2_500;
            mix.push(Side::Own, place, &[if is_marked { 0.5 } else { 0.0 }; 480]);
            let mut out = Vec::new();
            let given = mix.given;
            mix.pull(place - 4_800, &mut out);
            marks.extend(
                out.chunks_exact(2)
                    .position(|both| both[0] > 0.1)
                    .map(|at| given + at as i64)
                    .filter(|_| out.first() == Some(&0.0)),
            );
            if is_marked {
                marks.push(-place);
            }
        }
        let expected: Vec<i64> = marks.iter().filter(|mark| **mark < 0).map(|mark| -mark).collect();
        let found: Vec<i64> = marks.into_iter().filter(|mark| *mark >= 0).collect();
        assert_eq!((expected.len(), found.len()), (12, 12));
        for (expected, found) in expected.iter().zip(found) {
            assert!((expected - found).abs() < 240, "{expected} {found}");
        }
    }

    #[test]
    fn two_loud_voices_stay_within_bounds_and_one_alone_stays_as_it_is() {
        let mut mix = SoundMix::default();
        mix.push(Side::Own, 0, &[1.0; 10]);
        mix.push(Side::Far, 5, &[1.0; 10]);
        let out = all(&mut mix, 15);
        assert_eq!(out[0], (0.8, 0.5));
        assert!(out[5].0 <= 1.0 && out[5].0 > 0.8);
    }

    #[test]
    fn a_stamp_from_another_world_costs_no_memory() {
        let mut mix = SoundMix::default();
        mix.push(Side::Own, i64::MAX / 2, &[0.5; 480]);
        mix.push(Side::Own, i64::MIN / 2, &[0.5; 480]);
        assert!(mix.own.samples.is_empty());
    }
}
