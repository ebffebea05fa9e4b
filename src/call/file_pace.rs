//! How fast files may go: as fast as they can, but for a call. Pure.
//!
//! While a call is up, files get what its sound and pictures leave over. The round trip tells before losses do: a queue
//! that grows on the way delays it, and files yield at the first sign, long before the pictures have to.

use std::time::{Duration, Instant};

/// What is read at once when there is no call.
const PIECE: usize = 256 * 1024;
/// Bytes that may wait in the flow then, so that it never runs dry.
const QUEUE: usize = 512 * 1024;
/// What is read at once during a call: short enough to hold up a frame of sound by little on a slow line.
const PIECE_IN_CALL: usize = 4 * 1024;
/// Bytes that may wait in the flow during a call.
const QUEUE_IN_CALL: usize = 8 * 1024;
/// Bytes a second: where a call begins, the least, and the most beside one.
const START: f64 = 24_000.0;
const LEAST: f64 = 4_000.0;
const MOST: f64 = 2_000_000.0;
/// The round trip may be so much longer than the shortest that was seen.
const SLACK: Duration = Duration::from_millis(60);
/// How much the rate grows, and falls, with each step.
const GROWTH: f64 = 1.06;
const FALL: f64 = 0.6;

/// How a call fares, a few times a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CallFares {
    /// Smoothed round trip, once measured.
    pub(crate) round_trip: Option<Duration>,
    /// Seconds that pictures wait in our queue.
    pub(crate) queue_seconds: f64,
    /// Percent of fragments lost.
    pub(crate) loss_percent: f64,
}

/// Decides when the next piece may be read.
#[derive(Debug, Default)]
pub(crate) struct FilePace {
    call: Option<InCall>,
}

#[derive(Debug)]
struct InCall {
    rate: f64,
    shortest: Option<Duration>,
    /// The next piece may be read then.
    next: Instant,
}

impl FilePace {
    /// A call is up, and fares like this; or there is none.
    pub(crate) fn step(&mut self, now: Instant, call: Option<CallFares>) {
        let Some(fares) = call else {
            self.call = None;
            return;
        };
        let state = self.call.get_or_insert(InCall { rate: START, shortest: None, next: now });
        if let Some(round_trip) = fares.round_trip {
            let shortest = state.shortest.map_or(round_trip, |shortest| shortest.min(round_trip));
            state.shortest = Some(shortest);
        }
        let late = fares.round_trip.zip(state.shortest).is_some_and(|(now, least)| now > least + SLACK);
        let crowded = late || fares.queue_seconds > 0.15 || fares.loss_percent > 4.0;
        let rate = state.rate * if crowded { FALL } else { GROWTH };
        state.rate = rate.clamp(LEAST, MOST);
    }

    /// How much may be read now, with so much waiting in the flow; none is to wait.
    pub(crate) fn piece(&self, now: Instant, queued: usize) -> usize {
        match &self.call {
            None if queued < QUEUE => PIECE,
            Some(call) if call.next <= now && queued < QUEUE_IN_CALL => PIECE_IN_CALL,
            _ => 0,
        }
    }

    /// So much is being read.
    pub(crate) fn took(&mut self, now: Instant, bytes: usize) {
        if let Some(call) = &mut self.call {
            call.next = call.next.max(now) + Duration::from_secs_f64(bytes as f64 / call.rate);
        }
    }

    /// When a piece may be read that has to wait now.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.call.as_ref().map(|call| call.next).filter(|next| *next > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: CallFares =
        CallFares { round_trip: Some(Duration::from_millis(40)), queue_seconds: 0.0, loss_percent: 0.0 };

    /// Bytes that go within a second of steps, each a quarter of a second.
    fn second(pace: &mut FilePace, now: &mut Instant, fares: CallFares) -> usize {
        let mut bytes = 0;
        for _ in 0..4 {
            pace.step(*now, Some(fares));
            for _ in 0..50 {
                *now += Duration::from_millis(5);
                let piece = pace.piece(*now, 0);
                if piece > 0 {
                    pace.took(*now, piece);
                    bytes += piece;
                }
            }
        }
        bytes
    }

    #[test]
    fn without_a_call_only_a_full_flow_holds_files_up() {
        let (pace, now) = (FilePace::default(), Instant::now());
        assert_eq!(pace.piece(now, 0), PIECE);
        assert_eq!(pace.piece(now, QUEUE), 0);
        assert_eq!(pace.deadline(now), None);
    }

    #[test]
    fn beside_a_call_files_begin_slowly_and_grow_while_it_fares_well() {
        let (mut pace, mut now) = (FilePace::default(), Instant::now());
        let first = second(&mut pace, &mut now, QUICK);
        assert!((16_000..48_000).contains(&first), "{first}");
        for _ in 0..8 {
            second(&mut pace, &mut now, QUICK);
        }
        let later = second(&mut pace, &mut now, QUICK);
        assert!(later > 4 * first, "{later}");
    }

    #[test]
    fn a_longer_round_trip_old_pictures_or_losses_nearly_stop_them() {
        let late = CallFares { round_trip: Some(Duration::from_millis(140)), ..QUICK };
        let old = CallFares { queue_seconds: 0.4, ..QUICK };
        let lossy = CallFares { loss_percent: 8.0, ..QUICK };
        for crowded in [late, old, lossy] {
            let (mut pace, mut now) = (FilePace::default(), Instant::now());
            second(&mut pace, &mut now, QUICK);
            for _ in 0..3 {
                second(&mut pace, &mut now, crowded);
            }
            let bytes = second(&mut pace, &mut now, crowded);
            assert!(bytes <= 8_192, "{bytes} with {crowded:?}");
        }
    }

    #[test]
    fn the_end_of_the_call_lets_them_go() {
        let (mut pace, mut now) = (FilePace::default(), Instant::now());
        second(&mut pace, &mut now, QUICK);
        pace.step(now, None);
        assert_eq!(pace.piece(now, 0), PIECE);
    }
}
