//! A microphone that was silent at the device and sounds again: somebody switched it on there, or it is gone and the sound
//! service moved the stream to another one without a word. Until a look shows which, nothing of it is sent. Told the time.

use std::time::{Duration, Instant};

/// So many looks must follow the first sound: one may have begun before it.
const LOOKS: u64 = 2;
/// Who cannot be looked for is believed after this.
const LONGEST: Duration = Duration::from_secs(3);

/// Holds back what is heard, or does not.
#[derive(Debug, Default)]
pub(super) struct SilenceHold {
    /// When the first sound came, and how many looks there had been.
    since: Option<(Instant, u64)>,
}

impl SilenceHold {
    /// The silence is over; so many looks were seen until now.
    pub(super) fn begin(&mut self, now: Instant, looks: u64) {
        self.since = Some((now, looks));
    }

    /// Whether what is heard is held back.
    pub(super) fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it ends now: enough looks were seen, and the microphone is the one it was and stays in use.
    pub(super) fn ends(&mut self, now: Instant, looks: u64, stays: bool) -> bool {
        let Some((first, before)) = self.since else { return false };
        let seen = looks.saturating_sub(before) >= LOOKS || now.saturating_duration_since(first) >= LONGEST;
        let ends = seen && stays;
        if ends {
            self.since = None;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_that_is_switched_on_again_is_heard_after_two_looks() {
        let (now, mut hold) = (Instant::now(), SilenceHold::default());
        hold.begin(now, 7);
        assert!(!hold.ends(now, 7, true));
        assert!(!hold.ends(now, 8, true), "that look may have begun before the sound");
        assert!(hold.ends(now, 9, true));
        assert!(!hold.is_on());
    }

    #[test]
    fn another_that_sounds_in_its_place_is_held_back_until_it_is_opened_as_what_it_is() {
        let (now, mut hold) = (Instant::now(), SilenceHold::default());
        hold.begin(now, 7);
        assert!(!hold.ends(now + LONGEST, 20, false));
        assert!(hold.is_on());
    }

    #[test]
    fn a_sound_service_that_cannot_be_asked_silences_nobody_for_long() {
        let (now, mut hold) = (Instant::now(), SilenceHold::default());
        hold.begin(now, 7);
        assert!(!hold.ends(now + LONGEST / 2, 7, true));
        assert!(hold.ends(now + LONGEST, 7, true));
    }
}
