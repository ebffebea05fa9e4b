//! A microphone that gives nothing but exact zeros: switched off at the device, or kept from us by the system without a
//! word. A real one always has some noise.

use std::time::{Duration, Instant};

/// So long nothing but zeros is no accident.
const TOO_LONG: Duration = Duration::from_secs(2);

/// Watches one open microphone. Told the time.
#[derive(Debug, Default)]
pub(crate) struct SilenceWatch {
    since: Option<Instant>,
    silent: bool,
}

impl SilenceWatch {
    /// Hears what the device gave, before anything was done to it. Whether it became silent, or is silent no longer.
    /// Muted time does not count: nobody misses the sound then.
    pub(crate) fn hear(&mut self, now: Instant, samples: &[f32], muted: bool) -> Option<bool> {
        if samples.is_empty() {
            return None;
        }
        if samples.iter().any(|sample| *sample != 0.0) {
            self.since = None;
            return std::mem::take(&mut self.silent).then_some(false);
        }
        if muted {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        let too_long = now.saturating_duration_since(since) >= TOO_LONG;
        (too_long && !std::mem::replace(&mut self.silent, true)).then_some(true)
    }

    /// Whether it gives nothing but zeros, for long.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: [bool; 0] = [];

    /// Hears 10 ms blocks of the same sample for so long; what was said.
    fn hears(
        watch: &mut SilenceWatch,
        now: &mut Instant,
        seconds: u32,
        sample: f32,
        muted: bool,
    ) -> Vec<bool> {
        let mut said = Vec::new();
        for _ in 0..seconds * 100 {
            said.extend(watch.hear(*now, &[sample; 480], muted));
            *now += Duration::from_millis(10);
        }
        said
    }

    #[test]
    fn two_seconds_of_exact_zeros_are_told_once_and_sound_ends_it() {
        let (mut watch, mut now) = (SilenceWatch::default(), Instant::now());
        assert_eq!(hears(&mut watch, &mut now, 1, 0.0, false), NOTHING);
        assert_eq!(hears(&mut watch, &mut now, 9, 0.0, false), [true]);
        assert!(watch.is_silent());
        assert_eq!(hears(&mut watch, &mut now, 1, 1e-6, false), [false]);
        assert!(!watch.is_silent());
    }

    #[test]
    fn the_faintest_noise_is_no_silence() {
        let (mut watch, mut now) = (SilenceWatch::default(), Instant::now());
        assert_eq!(hears(&mut watch, &mut now, 30, 1.0 / 32_768.0, false), NOTHING);
    }

    #[test]
    fn who_is_muted_is_not_told_that_the_microphone_is_silent() {
        let (mut watch, mut now) = (SilenceWatch::default(), Instant::now());
        assert_eq!(hears(&mut watch, &mut now, 30, 0.0, true), NOTHING);
        assert_eq!(hears(&mut watch, &mut now, 1, 0.0, false), NOTHING, "the two seconds begin when unmuted");
        assert_eq!(hears(&mut watch, &mut now, 2, 0.0, false), [true]);
    }
}
