//! A call's figures as scripts want them: what was seen, heard and lost so far.

use std::time::{Duration, Instant};

use super::end_reason::EndReason;
use super::view::Quality;
use crate::media::figures::MediaFigures;

/// The figures of the call that is up, or was up last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallFigures {
    /// When the call came up.
    pub up_at: Option<Instant>,
    /// For how long it has been up, or was.
    pub up_for: Duration,
    /// Why it ended, once it has.
    pub end_reason: Option<EndReason>,
    /// What the network does.
    pub quality: Quality,
    /// What devices and codecs do.
    pub media: MediaFigures,
    /// What they do for screens, shown and seen; nothing of sound is in it.
    pub screen: MediaFigures,
}

impl CallFigures {
    /// Milliseconds from call up to a moment.
    pub fn since_up_ms(&self, moment: Option<Instant>) -> Option<f64> {
        let passed = moment?.checked_duration_since(self.up_at?)?;
        Some(passed.as_secs_f64() * 1000.0)
    }

    /// Percent of the sound played that had to be made up.
    pub fn concealed_percent(&self) -> f64 {
        let played = self.media.sound_played_ms;
        if played == 0 { 0.0 } else { self.media.sound_concealed_ms as f64 / played as f64 * 100.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_from_call_up_and_those_before_it_do_not() {
        let now = Instant::now();
        let figures = CallFigures { up_at: Some(now), ..CallFigures::default() };
        assert_eq!(figures.since_up_ms(Some(now + Duration::from_millis(120))), Some(120.0));
        assert_eq!(figures.since_up_ms(None), None);
    }
}
