//! The clock that sound and pictures share, so that the far end can play them together.

use std::time::Instant;

/// Milliseconds since the studio was made, as stamped on frames; wraps after 49 days. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaptureClock {
    origin: Instant,
}

impl CaptureClock {
    pub(crate) fn starting_at(origin: Instant) -> Self {
        Self { origin }
    }

    /// The stamp of a moment; moments before the origin count as the origin.
    pub(crate) fn stamp(&self, at: Instant) -> u32 {
        let milliseconds = at.saturating_duration_since(self.origin).as_millis();
        // Truncation is the wrap.
        milliseconds as u32
    }
}

/// Follows a wrapping 32-bit clock of milliseconds into numbers that do not wrap.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unwrapped {
    last: Option<(u32, i64)>,
}

impl Unwrapped {
    /// The stamp as a number that goes on where the clock wraps. Right while steps stay below 24 days either way.
    pub(crate) fn follow(&mut self, stamp: u32) -> i64 {
        let full = match self.last {
            None => i64::from(stamp),
            Some((last, full)) => full + i64::from(stamp.wrapping_sub(last).cast_signed()),
        };
        self.last = Some((stamp, full));
        full
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_stamp_wraps_and_the_follower_does_not() {
        let origin = Instant::now();
        let clock = CaptureClock::starting_at(origin);
        let before = origin + Duration::from_millis(u64::from(u32::MAX) - 9);
        let after = before + Duration::from_millis(20);
        let mut follow = Unwrapped::default();
        let (a, b) = (follow.follow(clock.stamp(before)), follow.follow(clock.stamp(after)));
        assert_eq!(clock.stamp(after), 10);
        assert_eq!(b - a, 20);
        assert_eq!(follow.follow(clock.stamp(before)), a);
    }
}
