//! A budget that refills with time: how many answers strangers may cause.

use std::time::{Duration, Instant};

/// So many at once, and one more each interval.
#[derive(Debug)]
pub(crate) struct Allowance {
    most: u32,
    interval: Duration,
    left: u32,
    /// Up to when refilling has been counted.
    counted: Option<Instant>,
}

impl Allowance {
    /// Full at the start: `most` at once, refilled by one each `interval`.
    pub(crate) const fn new(most: u32, interval: Duration) -> Self {
        Self { most, interval, left: most, counted: None }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let counted = self.counted.get_or_insert(now);
        let passed = now.saturating_duration_since(*counted);
        let refill = passed.as_nanos() / self.interval.as_nanos().max(1);
        let refill = u32::try_from(refill).unwrap_or(u32::MAX);
        if refill >= self.most - self.left {
            self.left = self.most;
            *counted = now;
        } else {
            self.left += refill;
            *counted += self.interval * refill;
        }
        let taken = self.left > 0;
        self.left -= u32::from(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_empties_it_and_time_refills_it_but_never_beyond_the_burst() {
        let now = Instant::now();
        let mut allowance = Allowance::new(3, Duration::from_millis(100));
        assert_eq!((0..5).filter(|_| allowance.take(now)).count(), 3);
        let later = now + Duration::from_millis(250);
        assert_eq!((0..5).filter(|_| allowance.take(later)).count(), 2);
        let much_later = now + Duration::from_secs(3600);
        assert_eq!((0..5).filter(|_| allowance.take(much_later)).count(), 3);
    }
}
