//! The recording's own time: it begins with zero and stands still while nothing is recorded.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::{Duration, Instant};

/// Says what a moment is called in the recording.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timeline {
    /// When the present stretch began; `None` while the recording stands still.
    since: Option<Instant>,
    /// Length of the stretches before it.
    before: Duration,
}

impl Timeline {
    /// Recording begins, or goes on.
    pub(crate) fn go_on(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Recording stands still until it goes on.
    pub(crate) fn stand_still(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.before += now.saturating_duration_since(since);
        }
    }

    /// A moment in the recording's microseconds; below zero before its begin. `None` while it stands still.
    pub(crate) fn micros(&self, at: Instant) -> Option<i64> {
        let since = self.since?;
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4);
        let after = micros(at.saturating_duration_since(since)) - micros(since.saturating_duration_since(at));
        Some(micros(self.before) + after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_on_hold_is_no_part_of_the_recording() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timeline = Timeline::default();
        assert_eq!(timeline.micros(start), None);
        timeline.go_on(at(10));
        assert_eq!(timeline.micros(at(12)), Some(2_000_000));
        assert_eq!(timeline.micros(at(9)), Some(-1_000_000));
        timeline.stand_still(at(15));
        assert_eq!(timeline.micros(at(16)), None);
        timeline.go_on(at(100));
        assert_eq!(timeline.micros(at(101)), Some(6_000_000));
    }
}
