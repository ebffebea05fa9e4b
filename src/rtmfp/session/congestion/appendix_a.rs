//! Appendix A.2 of RFC 7016, rule by rule, and against figures 24 and 25 written down once more, with our increases and on
//! a path where nothing stands in a queue.

use proptest::prelude::*;

use super::tests::{ALONE, REAL_TIME, YIELDING};
use super::*;

fn acknowledged(bytes: usize, outstanding: usize) -> PacketVerdict {
    PacketVerdict {
        outstanding_before: outstanding,
        held_by_path: outstanding,
        acknowledged: bytes,
        any_acknowledgement: true,
        ..PacketVerdict::default()
    }
}

fn lost(outstanding: usize) -> PacketVerdict {
    PacketVerdict { any_loss: true, ..acknowledged(0, outstanding) }
}

/// A window past slow start: of half of what was outstanding.
fn past_slow_start(window: usize) -> Congestion {
    let mut congestion = Congestion::new();
    congestion.on_packet(lost(2 * window), YIELDING);
    assert_eq!(congestion.window(), window);
    congestion
}

/// What a window that is full grows by when so much is acknowledged.
fn growth(congestion: &mut Congestion, bytes: usize, around: Surroundings) -> usize {
    let before = congestion.window();
    congestion.on_packet(acknowledged(bytes, before), around);
    congestion.window() - before
}

/// Conforms: 7016-A.2-a
#[test]
fn it_begins_with_three_segments_and_no_threshold_and_a_timeout_leaves_one() {
    let mut congestion = Congestion::new();
    assert_eq!((congestion.window(), SEGMENT), (3 * 1200, 1200));
    // No threshold: it doubles up to whatever size.
    for _ in 0..10_000 {
        assert_eq!(growth(&mut congestion, 1000, ALONE), 1000);
    }
    // Nothing accumulated: the first step past slow start takes a whole sixteenth of the window.
    let mut congestion = Congestion::new();
    assert_eq!(growth(&mut congestion, 3600 / 16 - 1, YIELDING), 0);
    congestion.on_timeout(true);
    assert_eq!(congestion.window(), 1200);
}

/// Conforms: 7016-A.2-d, trap-15
#[test]
fn a_timeout_never_lowers_the_threshold_and_forgets_what_was_accumulated() {
    let mut congestion = past_slow_start(40_000);
    growth(&mut congestion, 2499, ALONE);
    congestion.on_timeout(true);
    assert_eq!(congestion.window(), TIMED_OUT_WINDOW);
    // The threshold is the larger of 40,000 and three quarters of that: in slow start up to there, and not beyond.
    while congestion.window() < 40_000 {
        assert!(growth(&mut congestion, 1000, ALONE) >= 1000);
    }
    assert_eq!(growth(&mut congestion, 1, ALONE), 0, "nothing is left of what was accumulated");
    assert_eq!(growth(&mut congestion, 1000, ALONE), 0);
    // From a larger window, three quarters of it.
    let mut congestion = past_slow_start(40_000);
    while congestion.window() < 60_000 {
        growth(&mut congestion, 100_000, ALONE);
    }
    let (window, three_quarters) = (congestion.window(), congestion.window() / 4 * 3);
    congestion.on_timeout(false);
    assert_eq!((congestion.window(), window > 40_000), (FIRST_WINDOW, true), "without loss");
    while congestion.window() < three_quarters {
        assert_eq!(growth(&mut congestion, 500, ALONE), 500);
    }
    assert_eq!(growth(&mut congestion, 500, ALONE), 0);
    // Without a threshold there is none after it either.
    let mut congestion = Congestion::new();
    congestion.on_timeout(true);
    for _ in 0..1000 {
        assert!(growth(&mut congestion, 1000, ALONE) >= 1000);
    }
}

/// Conforms: 7016-A.2-g, trap-15
#[test]
fn a_loss_leaves_seven_eighths_or_half_of_what_was_outstanding_and_never_less_than_at_first() {
    let after = |outstanding, around| {
        let mut congestion = Congestion::new();
        congestion.on_packet(lost(outstanding), around);
        // The threshold is the window: no slow start.
        let window = congestion.window();
        assert_eq!(growth(&mut congestion, 10, ALONE), 0);
        window
    };
    assert_eq!(after(67_200, ALONE), 33_600);
    assert_eq!(after(67_208, ALONE), 58_807);
    assert_eq!(after(67_208, YIELDING), 33_604);
    assert_eq!(after(8000, REAL_TIME), 7000);
    assert_eq!(after(80_000, REAL_TIME), 70_000);
    assert_eq!((after(100, ALONE), after(100, REAL_TIME)), (FIRST_WINDOW, FIRST_WINDOW));
}

/// Conforms: 7016-A.2-h, trap-15
#[test]
fn it_grows_only_when_it_was_full_and_nothing_was_passed_over_or_lost() {
    let full = Congestion::new().window();
    let after = |verdict| {
        let mut congestion = Congestion::new();
        congestion.on_packet(verdict, ALONE);
        congestion.window()
    };
    assert_eq!(after(acknowledged(1000, full)), full + 1000);
    assert_eq!(after(acknowledged(1000, full - 1)), full);
    assert_eq!(after(PacketVerdict { any_negative: true, ..acknowledged(1000, full) }), full);
    assert_eq!(after(PacketVerdict { any_acknowledgement: false, ..acknowledged(1000, full) }), full);
    assert_eq!(after(PacketVerdict { any_loss: true, ..acknowledged(1000, full) }), full);
}

/// Conforms: 7016-A.2-i
#[test]
fn in_slow_start_it_grows_by_what_was_acknowledged() {
    assert_eq!(growth(&mut Congestion::new(), 777, ALONE), 777);
}

/// A departure from the appendix, whose sixteenth adds 48 bytes.
#[test]
fn past_slow_start_each_sixteenth_of_the_window_adds_a_sixteenth_of_a_segment() {
    for (window, threshold) in [(16_000, 1000), (120_000, 7500), (160_000, 7500)] {
        assert_eq!(growth(&mut past_slow_start(window), threshold - 1, ALONE), 0, "{window}");
        assert_eq!(growth(&mut past_slow_start(window), threshold, ALONE), 75, "{window}");
        assert_eq!(growth(&mut past_slow_start(window), 3 * threshold + 1, ALONE), 225, "{window}");
        let mut in_pieces = past_slow_start(window);
        let grown: usize = (0..10).map(|_| growth(&mut in_pieces, threshold / 10, ALONE)).sum();
        assert_eq!(grown, 75, "{window}");
    }
}

/// Conforms: 7016-A.2-k
#[test]
fn while_real_time_data_is_sent_slow_start_adds_a_quarter_rounded_up() {
    assert_eq!(growth(&mut Congestion::new(), 1000, REAL_TIME), 250);
    assert_eq!(growth(&mut Congestion::new(), 1001, REAL_TIME), 251);
}

/// Whoever yields does it as the appendix says, and real-time data grows half as fast as other data rather than by 24 bytes.
///
/// Conforms: trap-15
#[test]
fn whoever_yields_or_sends_real_time_data_adds_less_for_each_sixteenth() {
    for (around, window, threshold, step) in [
        (YIELDING, 16_000, 1000, 24),
        (YIELDING, 160_000, 4800, 24),
        (REAL_TIME, 16_000, 1000, 37),
        (REAL_TIME, 160_000, 3700, 37),
    ] {
        assert_eq!(growth(&mut past_slow_start(window), threshold - 1, around), 0, "{around:?} {window}");
        assert_eq!(growth(&mut past_slow_start(window), threshold, around), step, "{around:?} {window}");
    }
    // In slow start too, unless it is our own real-time data.
    assert_eq!(growth(&mut Congestion::new(), 3600 / 16, YIELDING), 24);
}

/// Conforms: 7016-A.2-m, trap-15
#[test]
fn one_packet_adds_no_more_than_a_segment_and_growth_ends_at_no_less_than_the_first_window() {
    assert_eq!(growth(&mut Congestion::new(), 1_000_000, ALONE), SEGMENT);
    let mut congestion = Congestion::new();
    congestion.on_timeout(true);
    congestion.on_packet(acknowledged(1, TIMED_OUT_WINDOW), ALONE);
    assert_eq!(congestion.window(), FIRST_WINDOW);
}

/// Figures 24 and 25 with numbers that may be fractions, and with the larger steps that are departed to.
struct Figures {
    cwnd: f64,
    ssthresh: f64,
    accumulator: f64,
}

impl Figures {
    fn timeout(&mut self, was_loss: bool) {
        self.ssthresh = self.ssthresh.max(self.cwnd * 3.0 / 4.0);
        self.accumulator = 0.0;
        self.cwnd = if was_loss { 1200.0 } else { 3600.0 };
    }

    fn packet(&mut self, verdict: PacketVerdict, fast_growth_allowed: bool, tc_sent: bool) {
        let (acked, outstanding) = (verdict.acknowledged as f64, verdict.outstanding_before as f64);
        if verdict.any_loss {
            let gentle = tc_sent || (outstanding > 67_200.0 && fast_growth_allowed);
            self.ssthresh = (outstanding * if gentle { 7.0 / 8.0 } else { 0.5 }).max(3600.0);
            self.cwnd = self.ssthresh;
            self.accumulator = 0.0;
        } else if verdict.any_acknowledgement && !verdict.any_negative && outstanding >= self.cwnd {
            let mut increase = 0.0;
            let below = self.cwnd < self.ssthresh;
            if fast_growth_allowed && below {
                increase = acked;
            } else if !fast_growth_allowed && below && tc_sent {
                increase = (acked / 4.0).ceil();
            } else {
                let (cap, step) = match (fast_growth_allowed, tc_sent) {
                    (true, _) => (7500.0, 75.0),
                    (false, true) => (3700.0, 37.0),
                    (false, false) => (4800.0, 24.0),
                };
                self.accumulator += acked;
                let threshold = (self.cwnd / 16.0).max(64.0).min(cap);
                while self.accumulator >= threshold {
                    self.accumulator -= threshold;
                    increase += step;
                }
            }
            self.cwnd = (self.cwnd + f64::min(increase, 1200.0)).max(3600.0);
        }
    }
}

proptest! {
    /// Conforms: 7016-A.2-d, 7016-A.2-g, 7016-A.2-h, 7016-A.2-m
    #[test]
    fn whatever_happens_the_window_is_that_of_the_figures(steps in prop::collection::vec((0_u8..20, 0_usize..6000, 0_usize..3, 0_u8..3), 1..300)) {
        let mut congestion = Congestion::new();
        let mut figures = Figures { cwnd: 3600.0, ssthresh: f64::INFINITY, accumulator: 0.0 };
        for (kind, acknowledged_bytes, fullness, around) in steps {
            let around = [ALONE, REAL_TIME, YIELDING][usize::from(around)];
            // Numbers that can be halved, cut in eighths and so on, so that rounding plays no part.
            let outstanding = (congestion.window() / 2 * fullness + 1200) / 16 * 16;
            let verdict = PacketVerdict {
                any_loss: kind == 0,
                any_negative: kind == 1,
                any_acknowledgement: kind != 2,
                ..acknowledged(acknowledged_bytes, outstanding)
            };
            if kind == 3 {
                congestion.on_timeout(acknowledged_bytes % 2 == 0);
                figures.timeout(acknowledged_bytes % 2 == 0);
            } else {
                congestion.on_packet(verdict, around);
                figures.packet(verdict, around.fast_growth, around.time_critical_here);
            }
            // A fraction of a byte may make a step of 75 more or less, and no more than that.
            let apart = (congestion.window() as f64 - figures.cwnd).abs();
            prop_assert!(apart <= 83.0, "{} and {}", congestion.window(), figures.cwnd);
            let threshold = match congestion.slow_start_below {
                usize::MAX => f64::INFINITY,
                bytes => bytes as f64,
            };
            prop_assert!(threshold == figures.ssthresh || (threshold - figures.ssthresh).abs() <= 8.0);
            // What is left of rounding must not add up.
            figures = Figures {
                cwnd: congestion.window() as f64,
                ssthresh: threshold,
                accumulator: congestion.accumulated as f64,
            };
        }
    }

    /// Slow start adds at most what was acknowledged, and at most a segment, for each packet (RFC 5681 §3.1). Only the step
    /// back to the first window after a timeout is longer: slow start itself may begin there.
    ///
    /// Conforms: 7016-3.5.2-c
    #[test]
    fn it_is_never_ahead_of_slow_start(steps in prop::collection::vec((0_usize..10_000, any::<bool>(), 0_u8..3), 1..200)) {
        let mut congestion = Congestion::new();
        let mut slow_start = congestion.window();
        for (bytes, timeout, around) in steps {
            if timeout && bytes % 7 == 0 {
                congestion.on_timeout(true);
                slow_start = FIRST_WINDOW;
            }
            let verdict = acknowledged(bytes, congestion.window());
            congestion.on_packet(verdict, [ALONE, REAL_TIME, YIELDING][usize::from(around)]);
            slow_start += bytes.min(SEGMENT);
            prop_assert!(congestion.window() <= slow_start, "{} to {slow_start}", congestion.window());
        }
    }
}
