//! How loud sound is, for the meters.

use std::sync::atomic::{AtomicU32, Ordering};

/// A level between 0 and 1 that many threads may read: up at once, down within half a second.
#[derive(Debug, Default)]
pub(crate) struct Level(AtomicU32);

impl Level {
    /// Takes 10 or 20 ms of sound.
    pub(crate) fn hear(&self, samples: &[f32]) {
        let mean = samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32;
        let now = decibels_to_level(mean);
        let step = samples.len() as f32 / 48_000.0 * 2.0;
        self.set(now.max(self.value() - step).clamp(0.0, 1.0));
    }

    pub(crate) fn set(&self, value: f32) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// Minus 60 decibels and less is 0, full scale is 1.
fn decibels_to_level(mean_square: f32) -> f32 {
    (1.0 + 10.0 * mean_square.max(1e-9).log10() / 60.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_raises_the_level_at_once_and_silence_lowers_it_slowly() {
        let level = Level::default();
        level.hear(&[0.3; 480]);
        let loud = level.value();
        assert!(loud > 0.7);
        level.hear(&[0.0; 480]);
        assert!(level.value() > loud - 0.1);
        for _ in 0..60 {
            level.hear(&[0.0; 480]);
        }
        assert!(level.value() < 0.01);
    }
}
