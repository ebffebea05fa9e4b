//! Whether the person speaks although the microphone is muted. Pure, told the level a few times a second.

use std::time::{Duration, Instant};

/// Levels above this are speech near the microphone: about 35 decibels below full scale.
const SPEECH: f32 = 0.42;
/// Shorter is a cough or a key.
const FOR_AS_LONG: Duration = Duration::from_millis(400);
/// It is said for so long after the last of it: between two words nothing changes.
const LINGERS: Duration = Duration::from_secs(2);

/// The ear for it.
#[derive(Debug, Default)]
pub(crate) struct MutedSpeech {
    /// Since when it has been loud without a pause.
    loud_since: Option<Instant>,
    /// When speech was last heard.
    last: Option<Instant>,
    speaking: bool,
}

impl MutedSpeech {
    /// The microphone is this loud, 0 to 1.
    pub(crate) fn hear(&mut self, now: Instant, level: f32, muted: bool) {
        if !muted {
            *self = Self::default();
            return;
        }
        if level >= SPEECH {
            let since = *self.loud_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= FOR_AS_LONG {
                self.last = Some(now);
            }
        } else {
            self.loud_since = None;
        }
        self.speaking = self.last.is_some_and(|last| now.saturating_duration_since(last) < LINGERS);
    }

    /// Whether to say so.
    pub(crate) fn is_speaking(&self) -> bool {
        self.speaking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears a level for so many milliseconds, ten times a second.
    fn hear(ear: &mut MutedSpeech, at: &mut Instant, level: f32, milliseconds: u64) -> bool {
        for _ in 0..milliseconds / 100 {
            ear.hear(*at, level, true);
            *at += Duration::from_millis(100);
        }
        ear.is_speaking()
    }

    #[test]
    fn speech_while_muted_is_noticed_and_forgotten_two_seconds_later() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        assert!(!hear(&mut ear, &mut at, 0.6, 400));
        assert!(hear(&mut ear, &mut at, 0.6, 200));
        assert!(hear(&mut ear, &mut at, 0.1, 1900));
        assert!(!hear(&mut ear, &mut at, 0.1, 200));
    }

    #[test]
    fn a_cough_and_a_murmur_are_no_speech() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        for _ in 0..5 {
            assert!(!hear(&mut ear, &mut at, 0.9, 300));
            assert!(!hear(&mut ear, &mut at, 0.3, 1000));
        }
    }

    #[test]
    fn who_is_not_muted_is_not_told() {
        let (mut ear, mut at) = (MutedSpeech::default(), Instant::now());
        assert!(hear(&mut ear, &mut at, 0.9, 1000));
        ear.hear(at, 0.9, false);
        assert!(!ear.is_speaking());
    }
}
