//! What the loudspeaker really played, brought to the microphone's clock.
//!
//! An echo canceller must see played and heard sound side by side, at a distance that never changes. But the player works
//! in bursts, and loudspeaker and microphone may be two devices whose clocks drift apart by a hundred millionths or more.
//! Both streams are therefore stamped, a [`DeviceClock`] for each turns the stamps into a smooth line, and the played sound
//! is resampled so that it runs exactly along.
//!
//! How far the played sound lies ahead of the heard does not matter, as long as it stays: the canceller finds the distance
//! by itself. It is as far ahead as what the player has ready allows, so that the echo always comes after what it is of.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::Instant;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Adjustable as _, Async, FixedAsync, PolynomialDegree, Resampler as _};

use super::BLOCK;
use super::device_clock::DeviceClock;

/// Ten milliseconds of sound at 48 kHz, as handed to the loudspeaker.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    /// How many samples went before these. A gap in the numbers is sound that got lost on the way here.
    pub first: u64,
    /// The sound.
    pub samples: [f32; BLOCK],
    /// When the first sample is heard.
    pub heard: Instant,
}

/// Played sound on its way to the microphone's clock.
pub(super) struct Reference {
    clock: DeviceClock,
    resampler: Async<f32>,
    /// Played and not yet given.
    waiting: Vec<f32>,
    /// The number of the sample after the last waiting one.
    next: u64,
    /// By how many samples the given sound is ahead of what is heard at the time.
    lead: Option<f64>,
    /// What waits begins elsewhere than it should.
    unaligned: bool,
    floor: Floor,
}

/// The least that lay ready, over the last second.
#[derive(Clone, Copy, Debug)]
struct Floor {
    least: f64,
    late: u32,
    blocks: u32,
}

const NEW_FLOOR: Floor = Floor { least: f64::INFINITY, late: 0, blocks: 0 };

impl Reference {
    pub(super) fn new() -> Self {
        let resampler = Async::new_poly(1.0, 1.01, PolynomialDegree::Septic, BLOCK, 1, FixedAsync::Output)
            .expect("a ratio of one within bounds");
        Self {
            clock: DeviceClock::default(),
            resampler,
            waiting: Vec::with_capacity(MOST_WAITING + BLOCK),
            next: 0,
            lead: None,
            unaligned: true,
            floor: NEW_FLOOR,
        }
    }

    /// Takes what the player hands to the loudspeaker, in order.
    pub(super) fn push(&mut self, played: &Played) {
        let continues = played.first == self.next && self.clock.learn(played.first, played.heard);
        if !continues {
            self.begin_anew();
            self.clock.learn(played.first, played.heard);
        }
        self.waiting.extend_from_slice(&played.samples);
        self.next = played.first + BLOCK as u64;
        let surplus = self.waiting.len().saturating_sub(MOST_WAITING);
        self.waiting.drain(..surplus);
    }

    /// The sound played along with 10 ms that were heard from this moment on, by a clock that is slow by this share. Silence,
    /// and `false`, when nothing is played.
    pub(super) fn take(&mut self, heard: Instant, slowness: f64, out: &mut [f32; BLOCK]) -> bool {
        out.fill(0.0);
        let Some(at) = self.clock.sample_at(heard) else { return false };
        if at > self.next as f64 + LONGEST_PAUSE {
            self.begin_anew();
            return false;
        }
        self.watch_floor(self.next as f64 - NEEDED - at);
        let Some(lead) = self.lead else { return false };
        let error = self.align(at + lead);
        let ratio = (1.0 + slowness) / (1.0 + self.clock.slowness()) + error / SECONDS_TO_CORRECT;
        if !self.resample(1.0 / ratio.clamp(1.0 - MOST_DRIFT, 1.0 + MOST_DRIFT), out) {
            // Silence takes its place, and it is left out when it comes.
            self.unaligned = true;
            self.floor.late += 1;
            return false;
        }
        true
    }

    /// Makes the waiting sound begin at this place, where it is far from it or the lead is new. The error that is left.
    fn align(&mut self, place: f64) -> f64 {
        let error = place - (self.next as f64 - self.waiting.len() as f64);
        if !self.unaligned && error.abs() < FAR_OFF {
            return error;
        }
        let whole = error.abs() as usize;
        if error < 0.0 {
            self.waiting.splice(..0, std::iter::repeat_n(0.0, whole.min(MOST_WAITING)));
            self.unaligned = false;
        } else {
            self.unaligned = whole > self.waiting.len();
            self.waiting.drain(..whole.min(self.waiting.len()));
        }
        error.fract()
    }

    /// Whether there was enough to resample.
    fn resample(&mut self, ratio: f64, out: &mut [f32; BLOCK]) -> bool {
        if let Err(error) = self.resampler.set_resample_ratio(ratio, true) {
            tracing::warn!(%error, "what was played cannot be kept on the microphone's clock");
        }
        let needed = self.resampler.input_frames_next();
        let Some(piece) = self.waiting.get(..needed) else { return false };
        let input = InterleavedSlice::new(piece, 1, needed).expect("one channel of that many");
        let mut output = InterleavedSlice::new_mut(&mut out[..], 1, BLOCK).expect("one channel of 10 ms");
        if let Err(error) = self.resampler.process_into_buffer(&input, &mut output, None) {
            tracing::warn!(%error, "10 ms of what was played could not be resampled");
        }
        self.waiting.drain(..needed);
        true
    }

    /// Chooses the lead: at first what is possible now, less a block because one comes later or earlier as the clocks drift;
    /// later less of it when that turns out to be too much.
    fn watch_floor(&mut self, possible: f64) {
        let lead = *self.lead.get_or_insert(possible - BLOCK as f64 - MARGIN);
        self.floor.least = self.floor.least.min(possible);
        self.floor.blocks += 1;
        if self.floor.late >= MOST_LATE || self.floor.blocks >= BLOCKS_A_SECOND {
            if self.floor.least < lead {
                self.lead = Some(self.floor.least - MARGIN);
                self.unaligned = true;
            }
            self.floor = NEW_FLOOR;
        }
    }

    fn begin_anew(&mut self) {
        self.clock.forget();
        self.resampler.reset();
        self.waiting.clear();
        self.lead = None;
        self.unaligned = true;
        self.floor = NEW_FLOOR;
    }
}

/// Samples that 10 ms take, and what the resampler looks ahead.
const NEEDED: f64 = BLOCK as f64 + 8.0;
/// Samples kept for a microphone that reads late: a third of a second.
const MOST_WAITING: usize = 16_000;
/// So many samples after the last played one, nothing is played any more: a quarter of a second.
const LONGEST_PAUSE: f64 = 12_000.0;
/// So many samples beyond what must lie ready: threads wake late.
const MARGIN: f64 = 240.0;
/// Further off than so many samples is a jump, not a drift: 30 ms.
const FAR_OFF: f64 = 1440.0;
/// An error is made good within two seconds.
const SECONDS_TO_CORRECT: f64 = 2.0 * 48_000.0;
/// The share by which sound is made faster or slower at most.
const MOST_DRIFT: f64 = 0.001;
const BLOCKS_A_SECOND: u32 = 100;
/// Blocks that came late within a second before the lead is chosen anew.
const MOST_LATE: u32 = 3;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::synthetic::Dice;
    use super::*;

    /// A sound in which every place can be told from every other: a slowly rising ramp.
    fn ramp(sample: f64) -> f32 {
        (sample / 48_000.0 / 100.0) as f32
    }

    /// Plays and hears so many seconds, the player in bursts of `burst` blocks on a clock that is slow by a share, and gives
    /// by how many samples what was given was ahead of what is heard, for each block.
    fn leads(reference: &mut Reference, seconds: u32, burst: u64, slowness: f64) -> Vec<Option<f64>> {
        let (origin, mut dice) = (Instant::now(), Dice::new(3));
        let at = |seconds: f64| origin + Duration::from_secs_f64(seconds);
        let (mut written, mut leads) = (0_u64, Vec::new());
        let step = 0.01 * (1.0 + slowness);
        for n in 0..seconds * 100 {
            let now = f64::from(n + 3) * 0.01 + 0.002 * f64::from(dice.unit());
            // The device takes its piece, and the player fills up again.
            while (written / burst * burst) as f64 * step <= now {
                let heard = (written + 2) as f64 * step + 0.001 * f64::from(dice.unit());
                let first = written * 480;
                let samples = std::array::from_fn(|k| ramp((first + k as u64) as f64));
                reference.push(&Played { first, samples, heard: at(heard) });
                written += 1;
            }
            let heard = f64::from(n) * 0.01;
            let mut out = [0.0; BLOCK];
            let given = reference.take(at(heard), 0.0, &mut out);
            let true_sample = (heard / step - 2.0) * 480.0;
            leads.push(given.then(|| f64::from(out[0]) * 100.0 * 48_000.0 - true_sample));
        }
        leads
    }

    fn spread(leads: &[Option<f64>]) -> f64 {
        let all: Vec<f64> = leads.iter().map(|lead| lead.expect("played all the time")).collect();
        all.iter().copied().fold(f64::MIN, f64::max) - all.iter().copied().fold(f64::MAX, f64::min)
    }

    #[test]
    fn a_played_sound_keeps_its_distance_although_the_clocks_drift_apart() {
        for (burst, slowness) in [(1, 0.0), (1, 100e-6), (2, -100e-6), (5, 300e-6)] {
            let leads = leads(&mut Reference::new(), 40, burst, slowness);
            let moved = spread(&leads[1500..]);
            // Left alone, 25 seconds at a hundred millionths are 120 samples.
            assert!(moved < 20.0, "{burst} {slowness}: {moved}");
        }
    }

    #[test]
    fn the_played_sound_is_ahead_of_its_echo_even_from_a_player_that_works_in_bursts() {
        for burst in [1, 2, 5, 10] {
            let leads = leads(&mut Reference::new(), 10, burst, 0.0);
            assert!(leads[300..].iter().all(|lead| lead.is_some_and(|lead| lead > 0.0)), "{burst}");
        }
    }

    #[test]
    fn when_nothing_is_played_any_more_there_is_silence() {
        let mut reference = Reference::new();
        let now = Instant::now();
        for n in 0..10 {
            let heard = now + Duration::from_millis(n * 10);
            reference.push(&Played { first: n * 480, samples: [0.5; BLOCK], heard });
        }
        let mut out = [1.0; BLOCK];
        assert!(!reference.take(now + Duration::from_secs(1), 0.0, &mut out));
        assert_eq!(out, [0.0; BLOCK]);
    }

    #[test]
    fn sound_that_got_lost_or_a_new_loudspeaker_makes_it_begin_anew() {
        let mut reference = Reference::new();
        let before = leads(&mut reference, 3, 1, 0.0);
        assert!(before.last().copied().flatten().is_some());
        // Another run of the player counts from the beginning again, and its device is slower to speak.
        let after = leads(&mut reference, 3, 4, 0.0);
        assert!(spread(&after[150..]) < 30.0, "{}", spread(&after[150..]));
    }
}
