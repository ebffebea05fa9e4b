//! A microphone that gives nothing but exact zeros: switched off at the device, or kept from us by the system without a
//! word. A real one always has some noise.

/// So many seconds of nothing but zeros are no accident.
const TOO_LONG: usize = 2;

/// Watches one open microphone.
#[derive(Debug, Default)]
pub(crate) struct SilenceWatch {
    /// Samples since the last that was not zero.
    zeros: usize,
    silent: bool,
}

impl SilenceWatch {
    /// Hears what the device gave, before anything was done to it, at so many samples a second. Whether it became silent, or
    /// is silent no longer. Muted time does not count: nobody misses the sound then.
    pub(crate) fn hear(&mut self, samples: &[f32], rate: u32, muted: bool) -> Option<bool> {
        if samples.iter().any(|sample| *sample != 0.0) {
            self.zeros = 0;
            return std::mem::take(&mut self.silent).then_some(false);
        }
        if muted {
            self.zeros = 0;
            return None;
        }
        self.zeros += samples.len();
        let too_long = self.zeros >= TOO_LONG * rate as usize;
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
    fn hears(watch: &mut SilenceWatch, seconds: u32, sample: f32, muted: bool) -> Vec<bool> {
        (0..seconds * 100).filter_map(|_| watch.hear(&[sample; 160], 16_000, muted)).collect()
    }

    #[test]
    fn two_seconds_of_exact_zeros_are_told_once_and_sound_ends_it() {
        let mut watch = SilenceWatch::default();
        assert_eq!(hears(&mut watch, 1, 0.0, false), NOTHING);
        assert_eq!(hears(&mut watch, 9, 0.0, false), [true]);
        assert!(watch.is_silent());
        assert_eq!(hears(&mut watch, 1, 1e-6, false), [false]);
        assert!(!watch.is_silent());
    }

    #[test]
    fn the_faintest_noise_is_no_silence() {
        let mut watch = SilenceWatch::default();
        assert_eq!(hears(&mut watch, 30, 1.0 / 32_768.0, false), NOTHING);
    }

    #[test]
    fn who_is_muted_is_not_told_that_the_microphone_is_silent() {
        let mut watch = SilenceWatch::default();
        assert_eq!(hears(&mut watch, 30, 0.0, true), NOTHING);
        assert_eq!(hears(&mut watch, 1, 0.0, false), NOTHING, "the two seconds begin when unmuted");
        assert_eq!(hears(&mut watch, 2, 0.0, false), [true]);
    }
}
