//! Bulk data gives way to the time critical data of its own session.
//!
//! Appendix A.2 of RFC 7016 yields to real-time data by growing more slowly; but in the end bulk data fills whatever queue
//! there is, and a voice beside it waits in that queue. So while a session sends time critical data, its other data keeps
//! no more in flight than the path itself holds and a little beyond, judged by how much longer the round trip is than it
//! was at its shortest, and always leaves an eighth of the window free. If even very little leaves the queue standing, it
//! is somebody else's, and holding back is of no use to anybody: then it is left alone for a while.

use std::time::{Duration, Instant};

use super::round_trip::RoundTrip;
use crate::rtmfp::limits;

/// How far a session's bulk data gives way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivingWay {
    /// Bytes that may be in flight when bulk data joins them; none before anything was judged.
    limit: Option<usize>,
    /// When it is judged next: once in a round trip.
    judge_at: Instant,
    /// The most bytes that were in flight since it was judged last.
    most: usize,
    /// Judgements in a row by which holding back did not help.
    in_vain: u32,
    /// Until then it does not hold back.
    resigned_until: Option<Instant>,
}

impl GivingWay {
    /// A session that opens now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { limit: None, judge_at: now, most: 0, in_vain: 0, resigned_until: None }
    }

    /// Bytes that may be in flight when bulk data joins them, of a `window`.
    pub(crate) fn limit(&self, now: Instant, window: usize) -> usize {
        let with_room = window / 8 * 7;
        match self.limit {
            Some(limit) if self.resigned_until.is_none_or(|until| until <= now) => limit.min(with_room),
            _ => with_room,
        }
    }

    /// An acknowledgement came while time critical data is being sent; `outstanding` was in flight before it.
    pub(crate) fn judge(&mut self, now: Instant, outstanding: usize, window: usize, trip: &RoundTrip) {
        let (Some(latest), Some(shortest)) = (trip.latest(), trip.shortest()) else { return };
        self.most = self.most.max(outstanding);
        if now < self.judge_at {
            return;
        }
        let outstanding = std::mem::take(&mut self.most);
        self.judge_at = now + latest;
        let before = self.limit.unwrap_or(window).min(window);
        if outstanding < before / 2 {
            // Too little to say: nobody wants more.
            return;
        }
        let held = trip.held_by_path(outstanding, latest);
        let limit = (held + held / 4 + 2 * limits::DATAGRAM_SIZE).max(LEAST);
        self.limit = Some(limit);
        // Held back so far, hardly any of the queue is its own.
        let stands = latest > shortest * 2 + limits::TICK * 2;
        self.in_vain = if limit <= 2 * LEAST && stands { self.in_vain + 1 } else { 0 };
        if self.in_vain >= ENOUGH {
            *self = Self { resigned_until: Some(now + RESIGNATION), ..Self::new(now) };
        }
    }

    /// The path is another one, or no time critical data is sent any more.
    pub(crate) fn forget(&mut self, now: Instant) {
        *self = Self::new(now);
    }
}

/// Bulk data always may have as much as a new session.
const LEAST: usize = 3 * limits::DATAGRAM_SIZE;
/// Round trips of holding back as far as it goes before that counts as useless.
const ENOUGH: u32 = 8;
/// How long it is left alone then.
const RESIGNATION: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn trip(samples: &[u64]) -> RoundTrip {
        let mut trip = RoundTrip::new();
        samples.iter().for_each(|sample| trip.measure(ms(*sample)));
        trip
    }

    #[test]
    fn a_standing_queue_of_its_own_is_given_up_to_what_the_path_holds() {
        let now = Instant::now();
        let mut way = GivingWay::new(now);
        way.judge(now, 100_000, 100_000, &trip(&[40, 200]));
        // A fifth is the path's, and a quarter of that more, and two packets.
        let limit = way.limit(now, 100_000);
        assert!((24_000..30_000).contains(&limit), "{limit}");
        way.judge(now + ms(199), 25_000, 100_000, &trip(&[40, 40]));
        assert_eq!(way.limit(now, 100_000), limit, "once in a round trip is enough");
        way.judge(now + ms(200), limit, 100_000, &trip(&[40, 40]));
        assert!(way.limit(now, 100_000) > limit);
    }

    #[test]
    fn an_eighth_of_the_window_is_always_left() {
        let way = GivingWay::new(Instant::now());
        assert_eq!(way.limit(Instant::now(), 80_000), 70_000);
    }

    #[test]
    fn against_the_queue_of_others_it_gives_up_giving_way_for_a_while() {
        let start = Instant::now();
        let (mut way, mut now) = (GivingWay::new(start), start);
        let standing = trip(&[40, 200]);
        let mut rounds = 0;
        while way.resigned_until.is_none() {
            let outstanding = way.limit(now, 20_000);
            way.judge(now, outstanding, 20_000, &standing);
            now += ms(200);
            rounds += 1;
        }
        assert!((ENOUGH..ENOUGH + 4).contains(&rounds), "{rounds}");
        assert_eq!(way.limit(now, 20_000), 17_500);
        now += RESIGNATION;
        way.judge(now, 20_000, 20_000, &standing);
        assert!(way.limit(now, 20_000) < 10_000);
    }
}
