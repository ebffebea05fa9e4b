//! How long a round trip takes, and how long to wait for an acknowledgement (RFC 7016 §3.5.2.2).

use std::time::Duration;

use crate::rtmfp::limits;

/// The measured round trip and the retransmission timeout that follows from it.
#[derive(Clone, Debug)]
pub(crate) struct RoundTrip {
    smoothed: Option<Duration>,
    /// The shortest sample.
    shortest: Duration,
    variation: Duration,
    /// The timeout as measured (MRTO), without any backing off.
    measured: Duration,
    /// The effective timeout (ERTO).
    effective: Duration,
}

impl RoundTrip {
    /// Nothing measured yet.
    pub(crate) fn new() -> Self {
        Self {
            smoothed: None,
            shortest: Duration::MAX,
            variation: Duration::ZERO,
            measured: limits::FIRST_MEASURED_TIMEOUT,
            effective: limits::FIRST_TIMEOUT,
        }
    }

    /// The smoothed round trip, once measured.
    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// Whether the path is shorter than packet timestamps can tell, and timers can wait: what makes the round trip longer
    /// then, up to a point, is our own data in queues, and other programs that have the processor.
    pub(crate) fn is_near(&self) -> bool {
        self.smoothed.is_some_and(|smoothed| {
            smoothed < limits::SHORTEST_PACED_ROUND_TRIP
                || (self.shortest.is_zero() && smoothed < limits::LONGEST_NEAR_ROUND_TRIP)
        })
    }

    /// How long to wait for an acknowledgement before what is in flight counts as lost.
    pub(crate) fn timeout(&self) -> Duration {
        self.effective
    }

    /// Takes one sample.
    pub(crate) fn measure(&mut self, sample: Duration) {
        self.shortest = self.shortest.min(sample);
        let smoothed = match self.smoothed {
            None => {
                self.variation = sample / 2;
                sample
            }
            Some(before) => {
                // The variation is about the old average, so it goes first.
                self.variation = (self.variation * 3 + before.abs_diff(sample)) / 4;
                (before * 7 + sample) / 8
            }
        };
        self.smoothed = Some(smoothed);
        self.measured = smoothed + self.variation * 4 + limits::DELAYED_ACKNOWLEDGEMENT;
        self.effective = self.measured.max(limits::SHORTEST_TIMEOUT);
    }

    /// Waits longer next time, since waiting this long was in vain.
    pub(crate) fn back_off(&mut self) {
        let longer = self.effective.mul_f64(limits::BACKOFF).min(limits::LONGEST_BACKED_OFF_TIMEOUT);
        self.effective = longer.max(self.measured);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_sample_is_taken_whole_and_later_ones_smoothed() {
        let mut trip = RoundTrip::new();
        assert_eq!((trip.smoothed(), trip.timeout()), (None, ms(3000)));
        trip.measure(ms(80));
        assert_eq!((trip.smoothed(), trip.timeout()), (Some(ms(80)), ms(80 + 4 * 40 + 200)));
        trip.measure(ms(160));
        // Variation (3·40 + |80 − 160|) / 4 = 50, average (7·80 + 160) / 8 = 90.
        assert_eq!((trip.smoothed(), trip.timeout()), (Some(ms(90)), ms(90 + 200 + 200)));
    }

    #[test]
    fn the_timeout_never_falls_below_a_quarter_second() {
        let mut trip = RoundTrip::new();
        (0..50).for_each(|_| trip.measure(ms(0)));
        assert_eq!(trip.timeout(), ms(250));
    }

    #[test]
    fn a_path_is_near_while_its_round_trip_is_below_a_tick_or_only_queues_make_it_longer() {
        let mut trip = RoundTrip::new();
        assert!(!trip.is_near());
        (0..20).for_each(|_| trip.measure(ms(4)));
        assert!(trip.is_near());
        (0..20).for_each(|_| trip.measure(ms(8)));
        assert!(!trip.is_near());
        trip.measure(ms(0));
        assert!(trip.is_near());
        (0..40).for_each(|_| trip.measure(ms(20)));
        assert!(!trip.is_near());
    }

    #[test]
    fn backing_off_grows_by_the_square_root_of_two_up_to_ten_seconds() {
        let mut trip = RoundTrip::new();
        trip.back_off();
        assert_eq!(trip.timeout().as_millis(), 4242);
        (0..20).for_each(|_| trip.back_off());
        assert_eq!(trip.timeout(), ms(10_000));
    }

    #[test]
    fn backing_off_never_goes_below_a_slow_path_s_own_timeout() {
        let mut trip = RoundTrip::new();
        trip.measure(ms(12_000));
        trip.back_off();
        assert_eq!(trip.timeout(), ms(12_000 + 24_000 + 200));
    }
}
