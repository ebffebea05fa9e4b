//! Spreads user data over the round trip instead of throwing a window's worth at once (RFC 7016 §3.5.2.3).
//!
//! The window says how much may be under way, not how fast: a key frame, or an application that comes back from a pause,
//! would fill it in one go and jam the first narrow line. So data flows out a little faster than a window per round trip,
//! and no more than a small burst goes without waiting. Acknowledgements, pings and start-up are never held back.

use std::time::{Duration, Instant};

use crate::rtmfp::limits;

/// How fast a session may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pace {
    /// The congestion window in bytes.
    pub(crate) window: usize,
    /// The smoothed round trip.
    pub(crate) round_trip: Duration,
    /// Whether the window still doubles every round trip, so that what is sent must be able to.
    pub(crate) slow_start: bool,
}

impl Pace {
    /// Bytes that leave in `time`.
    fn bytes_in(self, time: Duration) -> u64 {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let trip = nanoseconds(self.round_trip).max(1);
        // No credit is kept for longer than a round trip, so that this cannot overflow for windows below 5 GB.
        nanoseconds(time).min(trip).min(1_000_000_000).saturating_mul(self.per_round_trip()) / trip
    }

    /// How long `bytes` take.
    fn time_for(self, bytes: u64) -> Duration {
        self.round_trip.mul_f64(bytes as f64 / self.per_round_trip() as f64)
    }

    /// Faster than the window turns over, or pacing itself would keep it from ever being full.
    fn per_round_trip(self) -> u64 {
        let window = self.window.max(1) as u64;
        if self.slow_start { window * 2 } else { window + window / 4 }
    }

    /// What may go at once: a burst, or what a coarse timer would have let pass meanwhile.
    fn burst(self) -> u64 {
        self.bytes_in(limits::PACING_GRAIN)
            .max(u64::from(limits::BURST_PACKETS) * limits::DATAGRAM_SIZE as u64)
    }
}

/// What may go now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Allowance {
    /// Nothing before [`Pacing::resume_at`].
    Nothing,
    /// What cannot wait behind what went before it.
    Urgent,
    /// Anything.
    Everything,
}

/// A session's allowance of user data at the moment.
#[derive(Clone, Debug)]
pub(crate) struct Pacing {
    /// Bytes that may go now; below zero after a packet that was larger than what was left.
    credit: i64,
    /// Credit is counted up to then.
    counted: Instant,
    /// When there will be enough again, if something waits for it.
    resume_at: Option<Instant>,
}

impl Pacing {
    /// A session that has not sent anything.
    pub(crate) fn new(now: Instant) -> Self {
        Self { credit: 0, counted: now, resume_at: None }
    }

    /// What may go now; if not everything, [`Self::resume_at`] says when to ask again.
    ///
    /// Urgent data may go a little beyond what bulk data used up: a word beside a file does not wait for the file's pace.
    pub(crate) fn allowance(&mut self, now: Instant, pace: Pace) -> Allowance {
        self.resume_at = None;
        self.count(now, pace);
        if self.credit > 0 {
            return Allowance::Everything;
        }
        let missing = self.credit.unsigned_abs() + limits::DATAGRAM_SIZE as u64;
        self.resume_at = Some(now + pace.time_for(missing).max(limits::SHORTEST_PAUSE));
        let overdraft = limits::URGENT_PACKETS * limits::DATAGRAM_SIZE as i64;
        if self.credit > -overdraft { Allowance::Urgent } else { Allowance::Nothing }
    }

    /// So many bytes of user data went out. What goes by another pace than this one leaves no debt that what goes by this one
    /// would have to wait off.
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub_unsigned(bytes as u64).max(-MOST_DEBT);
    }

    /// When user data that had to wait may go on.
    pub(crate) fn resume_at(&self) -> Option<Instant> {
        self.resume_at
    }

    /// Nothing waits for its turn any more: it went, or it is gone.
    pub(crate) fn stop_waiting(&mut self) {
        self.resume_at = None;
    }

    fn count(&mut self, now: Instant, pace: Pace) {
        let earned = pace.bytes_in(now.saturating_duration_since(self.counted));
        if earned > 0 {
            let most = i64::try_from(pace.burst()).unwrap_or(i64::MAX);
            self.credit = self.credit.saturating_add_unsigned(earned).min(most);
            // What is left of the time is less than a byte's, and kept until it makes one.
            let rest = if self.credit < most {
                pace.time_for(earned)
            } else {
                now.saturating_duration_since(self.counted)
            };
            self.counted = (self.counted + rest).min(now);
        }
    }
}

/// Bytes below zero that the credit falls to at the most: what urgent data may go beyond it, and a burst.
const MOST_DEBT: i64 = (limits::URGENT_PACKETS + limits::BURST_PACKETS as i64) * limits::DATAGRAM_SIZE as i64;

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: usize = limits::DATAGRAM_SIZE;
    const PACE: Pace =
        Pace { window: 80 * PACKET, round_trip: Duration::from_millis(100), slow_start: false };

    /// Sends as much as it may until `until`, waking when it is told to; answers what was sent when.
    fn send(pacing: &mut Pacing, start: Instant, until: Duration, pace: Pace) -> Vec<Duration> {
        let (mut now, mut sent) = (start, Vec::new());
        while now <= start + until {
            while pacing.allowance(now, pace) == Allowance::Everything {
                pacing.note_sent(PACKET);
                sent.push(now - start);
            }
            now = pacing.resume_at().expect("something waits");
        }
        sent
    }

    #[test]
    fn after_a_pause_a_small_burst_goes_at_once_and_the_rest_over_the_round_trip() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        let sent = send(&mut pacing, start + Duration::from_secs(1), Duration::from_millis(100), PACE);
        assert_eq!(sent.iter().filter(|at| at.is_zero()).count(), limits::BURST_PACKETS as usize);
        // A window and a quarter in a round trip, and the burst.
        assert!((100..=107).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn no_two_pauses_are_closer_than_the_shortest() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        let fast = Pace { window: 4000 * PACKET, ..PACE };
        let sent = send(&mut pacing, start + Duration::from_secs(1), Duration::from_millis(100), fast);
        let mut wakes = sent.clone();
        wakes.dedup();
        assert!(wakes.len() <= 101, "{}", wakes.len());
        assert!((5000..5300).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn slow_start_may_double_in_a_round_trip() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        let doubling = Pace { slow_start: true, ..PACE };
        let sent = send(&mut pacing, start, Duration::from_millis(100), doubling);
        assert!((155..=162).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn credit_is_neither_lost_to_rounding_nor_hoarded() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        // A byte takes nearly a microsecond; asking every 100 nanoseconds must not round it all away.
        for step in 1..=10_000 {
            pacing.allowance(start + Duration::from_nanos(100) * step, PACE);
        }
        assert!((1190..=1200).contains(&pacing.credit), "{}", pacing.credit);
        pacing.allowance(start + Duration::from_secs(3600), PACE);
        assert_eq!(pacing.credit, i64::from(limits::BURST_PACKETS) * PACKET as i64);
    }

    #[test]
    fn urgent_data_may_go_a_little_beyond_and_then_waits_too() {
        let now = Instant::now();
        let mut pacing = Pacing::new(now);
        let mut urgent = 0;
        while pacing.allowance(now, PACE) == Allowance::Urgent {
            pacing.note_sent(PACKET);
            urgent += 1;
        }
        assert_eq!((urgent, pacing.allowance(now, PACE)), (limits::URGENT_PACKETS, Allowance::Nothing));
        assert!(pacing.resume_at().is_some());
    }

    #[test]
    fn however_much_went_by_another_pace_what_goes_by_this_one_waits_a_fraction_of_a_round_trip() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        (0..1_000).for_each(|_| pacing.note_sent(PACKET));
        assert_eq!(pacing.allowance(start, PACE), Allowance::Nothing);
        let wait = pacing.resume_at().expect("something waits") - start;
        assert!(wait <= PACE.round_trip / 8, "{wait:?}");
    }
}
