//! A call's last thirty seconds, and whether its connection is too weak for what is sent. Pure, told once a second.

use std::collections::VecDeque;
use std::sync::Arc;

use super::view::PastSecond;

/// Seconds remembered.
const MOST: usize = 30;
/// Bad seconds in a row that make a connection weak.
const WEAK_AFTER: u32 = 3;
/// Good seconds in a row after which it no longer is.
const WELL_AFTER: u32 = 5;
/// Percent of packets.
const HEAVY_LOSS: f32 = 8.0;
/// Milliseconds there and back.
const LONG_WAY: f32 = 400.0;

/// What a call was like lately.
#[derive(Debug, Default)]
pub(crate) struct QualityWatch {
    seconds: VecDeque<PastSecond>,
    past: Arc<Vec<PastSecond>>,
    /// Seconds in a row that contradict what is said now.
    against: u32,
    weak: bool,
}

impl QualityWatch {
    /// A second of the call is over. `at_floor`: no smaller picture can be sent.
    pub(crate) fn a_second_passed(&mut self, second: PastSecond, at_floor: bool) {
        self.seconds.push_back(second);
        if self.seconds.len() > MOST {
            self.seconds.pop_front();
        }
        self.past = Arc::new(self.seconds.iter().copied().collect());
        let bad = at_floor || second.loss_percent > HEAVY_LOSS || second.round_trip_ms > LONG_WAY;
        self.against = if bad == self.weak { 0 } else { self.against + 1 };
        if self.against >= if self.weak { WELL_AFTER } else { WEAK_AFTER } {
            (self.weak, self.against) = (bad, 0);
        }
    }

    /// The last thirty seconds, the latest last.
    pub(crate) fn past(&self) -> Arc<Vec<PastSecond>> {
        Arc::clone(&self.past)
    }

    /// Whether the connection is too weak for what is sent.
    pub(crate) fn is_weak(&self) -> bool {
        self.weak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: PastSecond =
        PastSecond { round_trip_ms: 60.0, loss_percent: 12.0, send_kbps: 0.0, receive_kbps: 0.0 };
    const GOOD: PastSecond =
        PastSecond { round_trip_ms: 60.0, loss_percent: 1.0, send_kbps: 0.0, receive_kbps: 0.0 };

    fn pass(watch: &mut QualityWatch, second: PastSecond, times: usize) -> bool {
        for _ in 0..times {
            watch.a_second_passed(second, false);
        }
        watch.is_weak()
    }

    #[test]
    fn three_bad_seconds_make_a_weak_connection_and_five_good_ones_mend_it() {
        let mut watch = QualityWatch::default();
        assert!(!pass(&mut watch, BAD, 2));
        assert!(pass(&mut watch, BAD, 1));
        assert!(pass(&mut watch, GOOD, 4));
        assert!(!pass(&mut watch, GOOD, 1));
    }

    #[test]
    fn a_single_bad_second_now_and_then_says_nothing() {
        let mut watch = QualityWatch::default();
        for _ in 0..10 {
            pass(&mut watch, BAD, 2);
            assert!(!pass(&mut watch, GOOD, 1));
        }
    }

    #[test]
    fn a_long_way_and_the_smallest_picture_are_weak_too() {
        let mut watch = QualityWatch::default();
        assert!(pass(&mut watch, PastSecond { round_trip_ms: 450.0, ..GOOD }, 3));
        let mut watch = QualityWatch::default();
        for _ in 0..3 {
            watch.a_second_passed(GOOD, true);
        }
        assert!(watch.is_weak());
    }

    #[test]
    fn thirty_seconds_are_remembered_the_latest_last() {
        let mut watch = QualityWatch::default();
        for n in 0..40_u8 {
            watch.a_second_passed(PastSecond { send_kbps: f32::from(n), ..GOOD }, false);
        }
        let past = watch.past();
        assert_eq!(past.len(), 30);
        assert_eq!(past.last().map(|second| second.send_kbps), Some(39.0));
    }
}
