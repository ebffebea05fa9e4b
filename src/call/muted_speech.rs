//! Whether the person speaks although the microphone is muted, and should be told. Pure, told a few times a second.

use std::time::{Duration, Instant};

/// Shorter is a cough, or a word to somebody in the room.
const FOR_AS_LONG: Duration = Duration::from_millis(500);
/// It is said for so long after the last of the speech: between two words nothing changes.
const LINGERS: Duration = Duration::from_secs(2);
/// It is said so rarely: whoever goes on has read it, and means it.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// It is said for no longer than this at a time.
const AT_MOST: Duration = Duration::from_secs(8);

/// The ear for it.
#[derive(Debug, Default)]
pub(crate) struct MutedSpeech {
    /// Since when there has been speech without a pause.
    since: Option<Instant>,
    /// When there was speech last.
    last: Option<Instant>,
    /// When it was last begun to be said.
    said: Option<Instant>,
    saying: bool,
}

impl MutedSpeech {
    /// Whether the microphone hears speech now.
    pub(crate) fn hear(&mut self, now: Instant, speech: bool, muted: bool) {
        if !muted {
            // Whoever unmuted and mutes again may be told again.
            *self = Self::default();
            return;
        }
        let since = speech.then(|| *self.since.get_or_insert(now));
        self.since = since;
        let ago = |at: Option<Instant>| at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        if since.is_some_and(|_| ago(since) >= FOR_AS_LONG) {
            self.last = Some(now);
            if ago(self.said) >= AGAIN_AFTER {
                self.said = Some(now);
                self.saying = true;
            }
        }
        self.saying &= ago(self.last) < LINGERS && ago(self.said) < AT_MOST;
    }

    /// Whether to say so.
    pub(crate) fn is_speaking(&self) -> bool {
        self.saying
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears speech or none for so many milliseconds, ten times a second.
    fn hear(ear: &mut MutedSpeech, at: &mut Instant, speech: bool, milliseconds: u64) -> bool {
        for _ in 0..milliseconds / 100 {
            ear.hear(*at, speech, true);
            *at += Duration::from_millis(100);
        }
        ear.is_speaking()
    }

    #[test]
    fn speech_while_muted_is_noticed_and_forgotten_two_seconds_later() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        assert!(!hear(&mut ear, &mut at, true, 500));
        assert!(hear(&mut ear, &mut at, true, 200));
        assert!(hear(&mut ear, &mut at, false, 1900));
        assert!(!hear(&mut ear, &mut at, false, 200));
    }

    #[test]
    fn a_cough_is_no_speech() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        for _ in 0..5 {
            assert!(!hear(&mut ear, &mut at, true, 400));
            assert!(!hear(&mut ear, &mut at, false, 1000));
        }
    }

    #[test]
    fn who_goes_on_is_told_again_only_half_a_minute_later() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        assert!(hear(&mut ear, &mut at, true, 1000));
        assert!(!hear(&mut ear, &mut at, true, 8000), "nobody wants to read it for long");
        assert!(!hear(&mut ear, &mut at, false, 5000));
        assert!(!hear(&mut ear, &mut at, true, 15_000), "29 seconds after it was said");
        assert!(hear(&mut ear, &mut at, true, 2000));
    }

    #[test]
    fn who_is_not_muted_is_not_told() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        assert!(hear(&mut ear, &mut at, true, 1000));
        ear.hear(at, true, false);
        assert!(!ear.is_speaking());
    }
}
