//! How fast sound and pictures may go when the layer above has found out what the path carries.
//!
//! A congestion window is full when a queue on the way is, and shrinks with every loss: the one comes too late for a
//! conversation, the other too often on a radio link. Whoever hears from the far end how packets are delayed knows better,
//! and sets a rate. Then pictures have no more in flight than the path holds at that rate and a little beyond, so that they
//! cannot stand in a queue for long when the path narrows; and sound, which is little, goes at once. A rate that is not
//! renewed in time says nothing any more: the congestion window governs again.

use std::time::{Duration, Instant};

use crate::rtmfp::endpoint::MediaRate;
use crate::rtmfp::limits;
use crate::rtmfp::session::round_trip::RoundTrip;

/// One session's rate of sound and pictures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MediaPace {
    set: Option<(MediaRate, Instant)>,
    /// Bytes that may go now; below zero after a packet that was larger than what was left. Up to then.
    credit: f64,
    counted: Option<Instant>,
    resume_at: Option<Instant>,
    lately: Lately,
}

/// The shortest round trip of the last seconds. A conversation's packets leave queues empty again and again, so a round trip
/// that stays longer is the path's own: it has become another path.
#[derive(Clone, Copy, Debug, Default)]
struct Lately {
    since: Option<Instant>,
    now: Option<Duration>,
    before: Option<Duration>,
}

impl Lately {
    fn note(&mut self, now: Instant, trip: Duration) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= REMEMBERED {
            (self.since, self.before) = (Some(now), self.now.take());
        }
        self.now = Some(self.now.map_or(trip, |shortest| shortest.min(trip)));
    }

    fn shortest(&self) -> Option<Duration> {
        [self.now, self.before].into_iter().flatten().min()
    }
}

impl MediaPace {
    /// From now on this rate, for a while.
    pub(crate) fn set(&mut self, now: Instant, rate: MediaRate) {
        self.set = Some((rate, now + limits::MEDIA_RATE_LIFETIME));
    }

    /// A round trip was measured.
    pub(crate) fn note_trip(&mut self, now: Instant, trip: Duration) {
        self.lately.note(now, trip);
    }

    /// The shortest round trip of the last seconds.
    pub(crate) fn shortest_trip(&self) -> Option<Duration> {
        self.lately.shortest()
    }

    /// Another way is taken from now on, by choice, whose round trip is known: the rate holds until the next one is found out.
    pub(crate) fn change_way(&mut self, now: Instant, trip: Option<Duration>) {
        self.lately = Lately::default();
        if let Some(trip) = trip {
            self.lately.note(now, trip);
        }
    }

    /// Nothing is known any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether a rate governs.
    pub(crate) fn governs(&self, now: Instant) -> bool {
        self.rate(now).is_some()
    }

    /// Bytes of pictures and sound that may be in flight when pictures join them, if a rate governs. A round trip that has
    /// grown long says sooner than the next rate that the path holds less.
    pub(crate) fn window(&self, now: Instant, trip: &RoundTrip) -> Option<usize> {
        let rate = self.rate(now)?;
        let allowed = self.lately.shortest().or(trip.shortest())? + limits::TICK + rate.leeway;
        let held = f64::from(rate.bytes_per_second) * allowed.as_secs_f64();
        let latest = trip.latest().unwrap_or_default();
        let narrower =
            if latest > allowed + LONG { allowed.as_secs_f64() / latest.as_secs_f64() } else { 1.0 };
        Some((held * narrower) as usize + LEAST_IN_FLIGHT)
    }

    /// Whether a picture's packet may go now; if not, [`Self::resume_at`] says when to ask again.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        self.resume_at = None;
        let Some(rate) = self.rate(now) else { return true };
        let per_second = f64::from(rate.bytes_per_second.max(1)) * FASTER;
        let passed =
            self.counted.replace(now).map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let burst = (per_second * limits::PACING_GRAIN.as_secs_f64()).max(BURST);
        self.credit = (self.credit + passed * per_second).min(burst);
        if self.credit > 0.0 {
            return true;
        }
        let wait = Duration::from_secs_f64((1.0 - self.credit) / per_second);
        self.resume_at = Some(now + wait.max(limits::SHORTEST_PAUSE));
        false
    }

    /// So many bytes of sound and pictures went out.
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        self.credit -= bytes as f64;
    }

    /// When pictures that had to wait may go on.
    pub(crate) fn resume_at(&self) -> Option<Instant> {
        self.resume_at
    }

    /// Nothing waits for its turn any more.
    pub(crate) fn stop_waiting(&mut self) {
        self.resume_at = None;
    }

    fn rate(&self, now: Instant) -> Option<MediaRate> {
        self.set.filter(|(_, until)| now < *until).map(|(rate, _)| rate)
    }
}

/// Pictures come in pieces, and each had better be there before the next: they leave faster than the rate, one by one.
const FASTER: f64 = 2.0;
/// What goes at once, in bytes: two packets do not jam even a narrow line.
const BURST: f64 = 2.0 * limits::DATAGRAM_SIZE as f64;
/// The shortest round trip is of the last so much, or up to twice that.
const REMEMBERED: Duration = Duration::from_secs(4);
/// A round trip is long that takes so much longer than what is allowed: held back acknowledgements alone do not do that
/// while pictures are sent.
const LONG: Duration = Duration::from_millis(60);
/// Acknowledgements come for every second packet.
const LEAST_IN_FLIGHT: usize = 2 * limits::DATAGRAM_SIZE;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    const RATE: MediaRate = MediaRate { bytes_per_second: 100_000, leeway: ms(40) };

    fn trip(samples: &[u64]) -> RoundTrip {
        let mut trip = RoundTrip::new();
        samples.iter().for_each(|sample| trip.measure(ms(*sample)));
        trip
    }

    #[test]
    fn what_may_be_in_flight_is_what_the_path_holds_and_the_leeway_beyond() {
        let (mut pace, now) = (MediaPace::default(), Instant::now());
        assert_eq!(pace.window(now, &trip(&[56])), None);
        pace.set(now, RATE);
        assert_eq!(pace.window(now, &trip(&[56])), Some(10_000 + LEAST_IN_FLIGHT));
        assert_eq!(pace.window(now, &trip(&[56, 150])), Some(10_000 + LEAST_IN_FLIGHT));
        assert_eq!(pace.window(now, &trip(&[56, 400])), Some(2_500 + LEAST_IN_FLIGHT));
    }

    #[test]
    fn a_path_that_became_longer_holds_more_after_some_seconds() {
        let (mut pace, start) = (MediaPace::default(), Instant::now());
        let far = trip(&[56, 300]);
        let mut now = start;
        pace.note_trip(now, ms(56));
        for _ in 0..90 {
            now += ms(100);
            pace.note_trip(now, ms(300));
        }
        pace.set(now, RATE);
        let held = pace.window(now, &far).unwrap();
        assert!(held > 34_000, "{held}");
    }

    #[test]
    fn a_rate_that_is_not_renewed_governs_nothing() {
        let (mut pace, now) = (MediaPace::default(), Instant::now());
        pace.set(now, RATE);
        assert!(pace.governs(now + limits::MEDIA_RATE_LIFETIME - ms(1)));
        let later = now + limits::MEDIA_RATE_LIFETIME;
        assert!(!pace.governs(later) && pace.allows(later));
        assert_eq!(pace.window(later, &trip(&[56])), None);
    }

    #[test]
    fn a_large_picture_leaves_at_twice_the_rate_and_not_at_once() {
        let (mut pace, start) = (MediaPace::default(), Instant::now());
        pace.set(start, RATE);
        let (mut now, mut sent) = (start, 0);
        while now < start + ms(500) {
            while pace.allows(now) {
                pace.note_sent(limits::DATAGRAM_SIZE);
                sent += limits::DATAGRAM_SIZE;
            }
            now = pace.resume_at().expect("more waits");
        }
        assert!((98_000..104_000).contains(&sent), "{sent}");
    }
}
