//! How much may be in flight: the congestion window of RFC 7016 Appendix A.2.
//!
//! Real-time data grows and shrinks the window gently; everybody yields to the real-time data of others. The bytes are
//! those of User Data chunks, headers included.
//!
//! It departs from the appendix, which is an example, where its share of a bottleneck would be unfair today: the normal
//! increase is a segment per round trip instead of 768 bytes, since TCP no longer grows half as fast because of delayed
//! acknowledgements; real-time data has half of that. And what stands in a queue does not count as capacity: only what the
//! path itself holds makes a path long, and real-time data is cut by a third rather than an eighth when there is a
//! standing queue, or others would not get in.

use crate::rtmfp::limits;

/// Sender maximum segment size (SMSS): what one of our packets carries at most.
const SEGMENT: usize = limits::DATAGRAM_SIZE;
/// CWND_INIT: RFC 5681 §3.1 allows three segments of our size and more.
const FIRST_WINDOW: usize = 3 * SEGMENT;
/// CWND_TIMEDOUT.
const TIMED_OUT_WINDOW: usize = SEGMENT;
/// When the path holds more than so much, cuts are gentle.
const SCALABLE: usize = 67_200;
/// What a full threshold of acknowledged bytes adds: a segment per round trip, in sixteen steps.
const STEP: usize = SEGMENT / 16;
/// The same for real-time data: half a segment.
const REAL_TIME_STEP: usize = STEP / 2;
/// The same when yielding to others.
const YIELDING_STEP: usize = 24;

/// What real-time traffic goes on at the moment a packet was processed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Surroundings {
    /// This session sent time critical data lately (TC_SENT).
    pub(crate) time_critical_here: bool,
    /// Nobody else's real-time data asks us to hold back (FASTGROW_ALLOWED).
    pub(crate) fast_growth: bool,
    /// Data waits in a queue on the way.
    pub(crate) standing_queue: bool,
}

/// What one received packet said about our data.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct PacketVerdict {
    /// Bytes in flight before the packet (PRE_ACK_OUTSTANDING).
    pub(crate) outstanding_before: usize,
    /// How many of them the path itself holds, and no queue.
    pub(crate) held_by_path: usize,
    /// Bytes it acknowledged.
    pub(crate) acknowledged: usize,
    /// Whether it held any acknowledgement.
    pub(crate) any_acknowledgement: bool,
    /// Whether any fragment got a negative acknowledgement.
    pub(crate) any_negative: bool,
    /// Whether any fragment was declared lost.
    pub(crate) any_loss: bool,
}

/// A session's congestion window.
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    window: usize,
    /// SSTHRESH.
    slow_start_below: usize,
    /// ACKED_BYTES_ACCUMULATOR.
    accumulated: usize,
}

impl Congestion {
    /// A path nothing is known about.
    pub(crate) fn new() -> Self {
        Self { window: FIRST_WINDOW, slow_start_below: usize::MAX, accumulated: 0 }
    }

    /// Bytes that may be in flight (CWND).
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// Whether it doubles every round trip.
    pub(crate) fn is_in_slow_start(&self) -> bool {
        self.window < self.slow_start_below
    }

    /// The retransmission timeout fired (figure 24).
    pub(crate) fn on_timeout(&mut self, was_loss: bool) {
        self.slow_start_below = self.slow_start_below.max(self.window / 4 * 3);
        self.accumulated = 0;
        self.window = if was_loss { TIMED_OUT_WINDOW } else { FIRST_WINDOW };
    }

    /// A packet was processed (figure 25).
    pub(crate) fn on_packet(&mut self, verdict: PacketVerdict, around: Surroundings) {
        if verdict.any_loss {
            self.cut(verdict, around);
        } else if verdict.any_acknowledgement
            && !verdict.any_negative
            && verdict.outstanding_before >= self.window
        {
            let increase = self.increase(verdict.acknowledged, around);
            self.window = self.window.saturating_add(increase.min(SEGMENT)).max(FIRST_WINDOW);
        }
    }

    fn cut(&mut self, verdict: PacketVerdict, around: Surroundings) {
        let outstanding = verdict.outstanding_before;
        let kept = if around.time_critical_here {
            if around.standing_queue { outstanding / 3 * 2 } else { outstanding / 8 * 7 }
        } else if verdict.held_by_path > SCALABLE && around.fast_growth {
            outstanding / 8 * 7
        } else {
            outstanding / 2
        };
        self.slow_start_below = kept.max(FIRST_WINDOW);
        self.window = self.slow_start_below;
        self.accumulated = 0;
    }

    fn increase(&mut self, acknowledged: usize, around: Surroundings) -> usize {
        let slow_start = self.window < self.slow_start_below;
        match (around.fast_growth, slow_start) {
            (true, true) => acknowledged,
            (true, false) => self.additive(acknowledged, STEP, STEP * 100),
            (false, true) if around.time_critical_here => acknowledged.div_ceil(4),
            (false, _) if around.time_critical_here => {
                self.additive(acknowledged, REAL_TIME_STEP, REAL_TIME_STEP * 100)
            }
            (false, _) => self.additive(acknowledged, YIELDING_STEP, YIELDING_STEP * 200),
        }
    }

    /// `step` bytes for every sixteenth of the window that was acknowledged, so that growth is spread over the round trip;
    /// for every `cap` bytes when that is less.
    fn additive(&mut self, acknowledged: usize, step: usize, cap: usize) -> usize {
        self.accumulated = self.accumulated.saturating_add(acknowledged);
        let threshold = (self.window / 16).max(64).min(cap);
        let steps = self.accumulated / threshold;
        self.accumulated %= threshold;
        steps.saturating_mul(step)
    }
}

#[cfg(test)]
mod appendix_a;

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const ALONE: Surroundings =
        Surroundings { time_critical_here: false, fast_growth: true, standing_queue: false };
    pub(super) const REAL_TIME: Surroundings =
        Surroundings { time_critical_here: true, fast_growth: false, standing_queue: false };
    pub(super) const YIELDING: Surroundings =
        Surroundings { time_critical_here: false, fast_growth: false, standing_queue: false };

    fn acknowledged(bytes: usize, outstanding: usize) -> PacketVerdict {
        PacketVerdict {
            outstanding_before: outstanding,
            acknowledged: bytes,
            any_acknowledgement: true,
            ..PacketVerdict::default()
        }
    }

    fn lost(outstanding: usize) -> PacketVerdict {
        PacketVerdict {
            outstanding_before: outstanding,
            held_by_path: outstanding,
            any_loss: true,
            ..PacketVerdict::default()
        }
    }

    #[test]
    fn the_window_grows_only_when_it_was_full() {
        let mut congestion = Congestion::new();
        congestion.on_packet(acknowledged(1000, FIRST_WINDOW - 1), ALONE);
        assert_eq!(congestion.window(), FIRST_WINDOW);
        congestion.on_packet(acknowledged(1000, FIRST_WINDOW), ALONE);
        assert_eq!(congestion.window(), FIRST_WINDOW + 1000);
    }

    #[test]
    fn one_packet_never_adds_more_than_a_segment() {
        let mut congestion = Congestion::new();
        congestion.on_packet(acknowledged(50_000, 50_000), ALONE);
        assert_eq!(congestion.window(), FIRST_WINDOW + SEGMENT);
    }

    #[test]
    fn real_time_data_starts_four_times_slower_and_yielding_does_not_start_fast_at_all() {
        let mut congestion = Congestion::new();
        congestion.on_packet(acknowledged(1001, 10_000), REAL_TIME);
        assert_eq!(congestion.window(), FIRST_WINDOW + 251);
        let mut congestion = Congestion::new();
        congestion.on_packet(acknowledged(1000, 10_000), YIELDING);
        assert_eq!(congestion.window(), FIRST_WINDOW + 1000 / (FIRST_WINDOW / 16) * 24);
    }

    #[test]
    fn loss_halves_what_was_in_flight_and_real_time_data_loses_an_eighth() {
        let mut congestion = Congestion::new();
        congestion.on_packet(lost(40_000), ALONE);
        assert_eq!(congestion.window(), 20_000);
        congestion.on_packet(lost(16_000), REAL_TIME);
        assert_eq!(congestion.window(), 14_000);
        congestion.on_packet(lost(80_000), ALONE);
        assert_eq!(congestion.window(), 70_000);
    }

    #[test]
    fn what_stands_in_a_queue_makes_no_path_long_and_costs_real_time_data_a_third() {
        let mut congestion = Congestion::new();
        congestion.on_packet(PacketVerdict { held_by_path: 16_000, ..lost(80_000) }, ALONE);
        assert_eq!(congestion.window(), 40_000);
        congestion.on_packet(lost(39_000), Surroundings { standing_queue: true, ..REAL_TIME });
        assert_eq!(congestion.window(), 26_000);
    }

    #[test]
    fn no_loss_cuts_below_the_first_window() {
        let mut congestion = Congestion::new();
        congestion.on_packet(lost(100), ALONE);
        assert_eq!(congestion.window(), FIRST_WINDOW);
    }

    #[test]
    fn after_a_timeout_with_loss_it_starts_from_one_segment() {
        let mut congestion = Congestion::new();
        congestion.on_packet(lost(80_000), YIELDING);
        congestion.accumulated = 7;
        congestion.on_timeout(false);
        assert_eq!((congestion.window(), congestion.slow_start_below), (FIRST_WINDOW, 40_000));
        assert_eq!(congestion.accumulated, 0);
        congestion.on_packet(lost(200_000), ALONE);
        congestion.slow_start_below = 1_000;
        congestion.on_timeout(true);
        assert_eq!((congestion.window(), congestion.slow_start_below), (TIMED_OUT_WINDOW, 131_250));
        congestion.on_packet(acknowledged(10, TIMED_OUT_WINDOW), ALONE);
        assert_eq!(congestion.window(), FIRST_WINDOW);
    }

    #[test]
    fn past_slow_start_a_round_trip_adds_a_segment() {
        let mut congestion = Congestion::new();
        congestion.on_packet(lost(64_000), ALONE);
        let before = congestion.window();
        for _ in 0..32 {
            congestion.on_packet(acknowledged(1000, before + 1000), ALONE);
        }
        assert!((1000..=1275).contains(&(congestion.window() - before)), "{}", congestion.window());
    }
}
