//! A wireless headset whose microphone is in use switches to call mode: its loudspeaker then runs at 8 to 24 kHz, and
//! everything sounds like a telephone. Said once; the remedy is another microphone.

/// Rates up to this are for speech only, in samples a second.
const SPEECH_ONLY: u32 = 24_000;

/// Watches the rates of loudspeaker and microphone.
#[derive(Debug, Default)]
pub(super) struct CallModeWatch {
    /// The loudspeaker whose rate was high at some time.
    known: Option<String>,
    told: Option<String>,
}

impl CallModeWatch {
    /// The loudspeaker in use and its rate; the rate of the microphone in use, if one is. Whether to say it now.
    pub(super) fn see(&mut self, speaker: &str, rate: u32, microphone: Option<u32>) -> bool {
        if rate > SPEECH_ONLY {
            self.known = Some(speaker.to_owned());
            return false;
        }
        let Some(microphone) = microphone else { return false };
        let fell = self.known.as_deref() == Some(speaker);
        let same_headset = microphone <= SPEECH_ONLY;
        if (fell || same_headset) && self.told.as_deref() != Some(speaker) {
            self.told = Some(speaker.to_owned());
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headset_whose_loudspeaker_falls_to_call_mode_is_told_once() {
        let mut watch = CallModeWatch::default();
        assert!(!watch.see("Headset", 48_000, Some(48_000)));
        assert!(watch.see("Headset", 16_000, Some(16_000)));
        assert!(!watch.see("Headset", 16_000, Some(16_000)));
        assert!(!watch.see("Headset", 44_100, None));
        assert!(!watch.see("Headset", 8_000, Some(8_000)), "once is enough");
    }

    #[test]
    fn a_headset_that_is_in_call_mode_from_the_beginning_is_told_too() {
        assert!(CallModeWatch::default().see("Headset", 16_000, Some(16_000)));
    }

    #[test]
    fn a_headset_whose_microphone_does_not_say_its_rate_is_known_by_the_fall() {
        let mut watch = CallModeWatch::default();
        assert!(!watch.see("Headset", 48_000, None));
        assert!(!watch.see("Headset", 16_000, None), "nobody uses a microphone");
        assert!(watch.see("Headset", 16_000, Some(u32::MAX)));
    }

    #[test]
    fn a_poor_loudspeaker_that_no_microphone_made_poor_is_left_alone() {
        let mut watch = CallModeWatch::default();
        assert!(!watch.see("Door bell", 8_000, None));
        assert!(!watch.see("Door bell", 8_000, Some(48_000)));
    }
}
