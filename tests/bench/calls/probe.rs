//! What is looked at while a call runs.

use std::time::{Duration, Instant};

/// One second of a call, from its sender to its receiver.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Second {
    /// Which, from 1.
    pub(crate) second: u32,
    /// What the sender's encoder was told last: bits of picture a second.
    pub(crate) target_kbps: u32,
    /// And lines of picture at most.
    pub(crate) target_lines: u32,
    /// Lines of the picture sent last.
    pub(crate) sent_lines: u32,
    /// Everything that the sender sent, packets and their repetition.
    pub(crate) sent_kbps: u32,
    /// Key pictures sent.
    pub(crate) key_pictures: u32,
    /// The longest wait at the sender's bottleneck, in milliseconds.
    pub(crate) queue_ms: u32,
    /// Pictures shown.
    pub(crate) shown: u32,
    /// Their peak signal-to-noise ratio, on average, in decibels.
    pub(crate) psnr: f64,
    /// Milliseconds of frozen picture.
    pub(crate) frozen_ms: u32,
    /// Milliseconds of sound that were made up.
    pub(crate) concealed_ms: u32,
    /// What the jitter buffer aims at, in milliseconds.
    pub(crate) buffer_ms: u32,
    /// From microphone to ear, on average, in milliseconds.
    pub(crate) mouth_to_ear_ms: f64,
    /// Picture delay less sound delay, in milliseconds.
    pub(crate) lip_sync_ms: f64,
}

/// Pauses between pictures that a person calls a freeze: longer than this.
const FREEZE: Duration = Duration::from_millis(250);

/// Adds up frozen pictures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Freezes {
    last: Option<Instant>,
    /// Of pauses that are over.
    total: Duration,
    longest: Duration,
}

impl Freezes {
    pub(crate) fn on_shown(&mut self, now: Instant) {
        (self.total, self.longest) = self.until(now);
        self.last = Some(now);
    }

    /// All frozen time until now, and the longest pause, one that still lasts included.
    pub(crate) fn until(&self, now: Instant) -> (Duration, Duration) {
        match self.last.map(|last| now.saturating_duration_since(last)).filter(|pause| *pause > FREEZE) {
            Some(pause) => (self.total + pause, self.longest.max(pause)),
            None => (self.total, self.longest),
        }
    }
}

/// Finds stretches of sound that were made up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps {
    /// Made up while a block was filled, and still to be heard.
    owed_ms: u32,
    run_ms: u32,
    pub(crate) longest_ms: u32,
    pub(crate) total_ms: u32,
    /// Blocks heard since sound began to flow.
    pub(crate) heard_ms: u32,
}

impl Gaps {
    /// Ten more milliseconds were heard; of the sound decoded for them, so much was made up. Whether they are real sound.
    pub(crate) fn on_block(&mut self, made_up_ms: u32, flows: bool) -> bool {
        if !flows && self.heard_ms == 0 {
            return false;
        }
        self.heard_ms += 10;
        self.owed_ms += made_up_ms;
        self.total_ms += made_up_ms;
        let made_up = self.owed_ms > 0;
        self.owed_ms = self.owed_ms.saturating_sub(10);
        self.run_ms = if made_up { self.run_ms + 10 } else { 0 };
        self.longest_ms = self.longest_ms.max(self.run_ms);
        !made_up && flows
    }
}

/// Many values, and what of them is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<f64>);

impl Values {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The average of those from `from` on; 0 of none.
    pub(crate) fn mean_from(&self, from: usize) -> f64 {
        let rest = self.0.get(from..).unwrap_or_default();
        rest.iter().sum::<f64>() / rest.len().max(1) as f64
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean_from(0)
    }

    /// The value below which this share lies; 0 of none.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #[allow(unused_imports, reason = "as a bench of its own, this has no tests")]
    use super::*;

    #[test]
    fn a_stretch_of_made_up_sound_is_as_long_as_it_is_heard() {
        let mut gaps = Gaps::default();
        // Twenty milliseconds are made up for two blocks at a time, twice in a row, and once more later.
        let heard = [0, 20, 0, 20, 0, 0, 0, 20, 0, 0].map(|made_up| gaps.on_block(made_up, true));
        assert_eq!(heard.iter().filter(|real| **real).count(), 4);
        assert_eq!((gaps.longest_ms, gaps.total_ms, gaps.heard_ms), (40, 60, 100));
    }

    #[test]
    fn silence_before_the_first_sound_is_no_gap() {
        let mut gaps = Gaps::default();
        assert!(!gaps.on_block(0, false));
        assert_eq!(gaps.heard_ms, 0);
    }

    #[test]
    fn only_long_pauses_between_pictures_are_freezes_and_one_may_still_last() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut freezes = Freezes::default();
        [0, 200, 700, 733].into_iter().for_each(|shown| freezes.on_shown(at(shown)));
        assert_eq!(freezes.until(at(800)), (Duration::from_millis(500), Duration::from_millis(500)));
        assert_eq!(freezes.until(at(1_733)), (Duration::from_millis(1_500), Duration::from_secs(1)));
    }

    #[test]
    fn nineteen_of_twenty_values_lie_below_the_one_at_95_percent() {
        let mut values = Values::default();
        (0..=20).for_each(|number| values.add(f64::from(20 - number)));
        assert_eq!((values.mean(), values.at(0.95), values.at(0.5)), (10.0, 19.0, 10.0));
    }
}
