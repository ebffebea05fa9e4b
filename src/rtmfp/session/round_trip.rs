//! How long a round trip takes, and how long to wait for an acknowledgement (RFC 7016 §3.5.2.2).

use std::time::Duration;

use crate::rtmfp::limits;

/// The measured round trip and the retransmission timeout that follows from it.
#[derive(Clone, Debug)]
pub(crate) struct RoundTrip {
    smoothed: Option<Duration>,
    variation: Duration,
    latest: Option<Duration>,
    /// The shortest, and the shortest of the samples that will replace it when there are enough of them.
    shortest: Option<Duration>,
    shortest_lately: Option<Duration>,
    samples: u32,
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
            variation: Duration::ZERO,
            latest: None,
            shortest: None,
            shortest_lately: None,
            samples: 0,
            measured: limits::FIRST_MEASURED_TIMEOUT,
            effective: limits::FIRST_TIMEOUT,
        }
    }

    /// The smoothed round trip, once measured.
    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// The last sample.
    pub(crate) fn latest(&self) -> Option<Duration> {
        self.latest
    }

    /// The shortest sample of the last minutes: what the path takes without queues, as far as is known.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        self.shortest
    }

    /// How much of what is in flight the path itself holds, and no queue, when a round trip takes `trip`.
    pub(crate) fn held_by_path(&self, in_flight: usize, trip: Duration) -> usize {
        let Some(shortest) = self.shortest else { return in_flight };
        // A tick more on both sides: a round trip below one measures as nothing.
        let (shortest, trip) = (shortest + limits::TICK, trip + limits::TICK);
        in_flight.min((in_flight as f64 * shortest.as_secs_f64() / trip.as_secs_f64()) as usize)
    }

    /// Whether data waits in a queue on the way for longer than a quarter of what the path itself takes.
    pub(crate) fn has_standing_queue(&self) -> bool {
        let (Some(smoothed), Some(shortest)) = (self.smoothed, self.shortest) else { return false };
        smoothed > shortest + (shortest / 4).max(limits::TICK * 2)
    }

    /// Whether the path is shorter than packet timestamps can tell, and timers can wait: what makes the round trip longer
    /// then, up to a point, is our own data in queues, and other programs that have the processor.
    pub(crate) fn is_near(&self) -> bool {
        self.smoothed.is_some_and(|smoothed| {
            smoothed < limits::SHORTEST_PACED_ROUND_TRIP
                || (self.shortest == Some(Duration::ZERO) && smoothed < limits::LONGEST_NEAR_ROUND_TRIP)
        })
    }

    /// How long to wait for an acknowledgement before what is in flight counts as lost.
    pub(crate) fn timeout(&self) -> Duration {
        self.effective
    }

    /// The handshake took so long: a round trip, and what computing took. Nothing is measured by it, but so much less than
    /// three seconds is enough to wait for the first acknowledgement.
    pub(crate) fn expect(&mut self, handshake: Duration) {
        if self.smoothed.is_none() {
            let longest = handshake * 3 + limits::DELAYED_ACKNOWLEDGEMENT;
            self.effective = longest.clamp(limits::SHORTEST_TIMEOUT, limits::FIRST_TIMEOUT);
        }
    }

    /// Takes one sample.
    pub(crate) fn measure(&mut self, sample: Duration) {
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
        self.note_shortest(sample);
        self.measured = smoothed + self.variation * 4 + limits::DELAYED_ACKNOWLEDGEMENT;
        self.effective = self.measured.max(limits::SHORTEST_TIMEOUT);
    }

    fn note_shortest(&mut self, sample: Duration) {
        let shorter = |before: Option<Duration>| Some(before.map_or(sample, |before| before.min(sample)));
        self.latest = Some(sample);
        self.shortest = shorter(self.shortest);
        self.shortest_lately = shorter(self.shortest_lately);
        self.samples += 1;
        if self.samples >= SAMPLES_REMEMBERED {
            self.shortest = self.shortest_lately.take();
            self.samples = 0;
        }
    }

    /// Waits longer next time, since waiting this long was in vain.
    pub(crate) fn back_off(&mut self) {
        let longer = self.effective.mul_f64(limits::BACKOFF).min(limits::LONGEST_BACKED_OFF_TIMEOUT);
        self.effective = longer.max(self.measured);
    }
}

/// The shortest round trip is forgotten after so many samples without another like it: at the most one is taken every tick,
/// so that is four minutes or more. Paths change, and queues do not stand for so long without a pause.
const SAMPLES_REMEMBERED: u32 = 65_536;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_quick_handshake_shortens_the_first_timeout_and_a_slow_one_never_lengthens_it() {
        let timeout_after = |handshake| {
            let mut trip = RoundTrip::new();
            trip.expect(handshake);
            (trip.timeout(), trip.smoothed())
        };
        assert_eq!(timeout_after(ms(80)), (ms(440), None));
        assert_eq!(timeout_after(ms(1)), (limits::SHORTEST_TIMEOUT, None));
        assert_eq!(timeout_after(ms(4_000)), (limits::FIRST_TIMEOUT, None));
        let mut measured = RoundTrip::new();
        measured.measure(ms(400));
        let before = measured.timeout();
        measured.expect(ms(10));
        assert_eq!(measured.timeout(), before);
    }

    /// Conforms: 7016-3.5.2.2-h, 7016-3.5.2.2-k, 7016-3.5.2.2-l, trap-14
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

    /// Conforms: 7016-3.5.2.2-a, 7016-3.5.2.2-l
    #[test]
    fn the_timeout_never_falls_below_a_quarter_second() {
        let mut trip = RoundTrip::new();
        (0..50).for_each(|_| trip.measure(ms(0)));
        assert_eq!(trip.timeout(), ms(250));
    }

    /// Conforms: 7016-3.5.2.2-m
    #[test]
    fn what_is_longer_than_the_shortest_is_a_queue_and_the_shortest_is_forgotten_in_the_end() {
        let mut trip = RoundTrip::new();
        trip.measure(ms(40));
        assert!(!trip.has_standing_queue());
        (0..50).for_each(|_| trip.measure(ms(200)));
        assert!(trip.has_standing_queue());
        assert_eq!(trip.held_by_path(102_000, ms(200)), 22_000);
        (0..2 * SAMPLES_REMEMBERED).for_each(|_| trip.measure(ms(200)));
        assert!(!trip.has_standing_queue());
        assert_eq!(trip.held_by_path(102_000, ms(200)), 102_000);
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

    /// Conforms: 7016-3.5.2.2-m
    #[test]
    fn backing_off_never_goes_below_a_slow_path_s_own_timeout() {
        let mut trip = RoundTrip::new();
        trip.measure(ms(12_000));
        trip.back_off();
        assert_eq!(trip.timeout(), ms(12_000 + 24_000 + 200));
    }

    proptest! {
        /// Conforms: 7016-3.5.2.2-a, 7016-3.5.2.2-b
        #[test]
        fn whatever_was_measured_the_timeout_leaves_room_for_the_trip_and_a_held_back_acknowledgement(
            samples in prop::collection::vec(0_u64..8000, 1..40)
        ) {
            let mut trip = RoundTrip::new();
            for sample in samples {
                trip.measure(ms(sample));
                let smoothed = trip.smoothed().expect("measured");
                // A nanosecond or so is lost in division.
                prop_assert!(trip.timeout() + Duration::from_nanos(10) >= ms(sample));
                prop_assert!(trip.timeout() >= smoothed + ms(200) && trip.timeout() >= ms(250));
                trip.back_off();
                prop_assert!(trip.timeout() + Duration::from_nanos(10) >= ms(sample));
            }
        }
    }
}
