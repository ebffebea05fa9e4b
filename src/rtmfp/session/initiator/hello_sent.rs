//! The first opening state, S_IHELLO_SENT: hellos go to every candidate until one is answered (RFC 7016 §3.5.1.1.1).

use std::time::{Duration, Instant};

use crate::rtmfp::machine::{PathId, Route};

/// The tag of a hello: 16 random bytes, the length that Flash-era peers take.
pub(crate) type Tag = [u8; 16];

/// Which addresses are tried, and when each is tried next.
#[derive(Debug)]
pub(crate) struct HelloSent {
    candidates: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    route: Route,
    /// Whether a Redirect named it.
    redirected: bool,
    /// How much later than the others it is asked.
    pause: Duration,
    retry: Retry,
}

impl HelloSent {
    /// Nobody to ask yet.
    pub(crate) fn new() -> Self {
        Self { candidates: Vec::new() }
    }

    /// Adds addresses that the layer above names, each with a schedule of its own that begins after a pause.
    pub(crate) fn add(&mut self, now: Instant, routes: impl IntoIterator<Item = (Route, Duration)>) {
        self.add_up_to(now, routes, MOST_CANDIDATES, false);
    }

    /// Adds addresses that a Redirect names.
    pub(crate) fn add_redirected(
        &mut self,
        now: Instant,
        routes: impl IntoIterator<Item = (Route, Duration)>,
    ) {
        self.add_up_to(now, routes, MOST_REDIRECTED, true);
    }

    fn add_up_to(
        &mut self,
        now: Instant,
        routes: impl IntoIterator<Item = (Route, Duration)>,
        most: usize,
        redirected: bool,
    ) {
        for (route, pause) in routes {
            if self.candidates.len() >= most {
                break;
            }
            if !self.tries(route) {
                let retry = Retry::starting(now + pause);
                self.candidates.push(Candidate { route, redirected, pause, retry });
            }
        }
    }

    /// Whether only a Redirect named this address: whoever sent it may want us to write to a bystander.
    pub(crate) fn is_redirected(&self, route: Route) -> bool {
        self.candidates.iter().any(|candidate| candidate.route == route && candidate.redirected)
    }

    /// Whether this address is among those tried.
    pub(crate) fn tries(&self, route: Route) -> bool {
        self.candidates.iter().any(|candidate| candidate.route == route)
    }

    /// Where a hello is due now; each is counted as sent.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Route> {
        self.candidates
            .iter_mut()
            .filter_map(|candidate| candidate.retry.take(now).then_some(candidate.route))
            .collect()
    }

    /// Begins every schedule anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        for candidate in &mut self.candidates {
            candidate.retry = Retry::starting(now + candidate.pause);
        }
    }

    /// When the next hello is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.candidates.iter().map(|candidate| candidate.retry.due).min()
    }

    /// Tries no longer what is reached over a path that is gone.
    pub(crate) fn forget_path(&mut self, path: PathId) {
        self.candidates.retain(|candidate| candidate.route.via != path);
    }
}

/// When something is sent again: after one second, then each time 1.5 seconds later than before (§3.5.1.1.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    due: Instant,
    interval: Duration,
}

impl Retry {
    /// Due first at `first`.
    pub(crate) fn starting(first: Instant) -> Self {
        Self { due: first, interval: FIRST_INTERVAL }
    }

    /// Whether it is due; if so, it is set for the next time.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let due = self.due <= now;
        if due {
            self.due = now + self.interval;
            self.interval += INTERVAL_GROWTH;
        }
        due
    }

    /// When it is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }
}

/// The RFC leaves the first interval open; this is long enough for most round trips, and short for a person.
pub(crate) const FIRST_INTERVAL: Duration = Duration::from_millis(1_000);
const INTERVAL_GROWTH: Duration = Duration::from_millis(1_500);
/// REDIRECT_THRESHOLD: redirects add no address beyond so many (§3.5.1.1.1).
const MOST_REDIRECTED: usize = 24;
/// The layer above may name a few more.
const MOST_CANDIDATES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    fn route(port: u16) -> Route {
        Route { via: PathId(0), address: ([192, 0, 2, 1], port).into() }
    }

    #[test]
    fn each_interval_is_a_second_and_a_half_longer_than_the_one_before() {
        let start = Instant::now();
        let mut hello = HelloSent::new();
        hello.add(start, [(route(1), AT_ONCE)]);
        let mut sent = Vec::new();
        while sent.len() < 5 {
            let now = hello.deadline().unwrap();
            assert_eq!(hello.take_due(now), [route(1)]);
            sent.push((now - start).as_millis());
        }
        assert_eq!(sent, [0, 1_000, 3_500, 7_500, 13_000]);
    }

    #[test]
    fn a_late_candidate_has_a_schedule_of_its_own() {
        let start = Instant::now();
        let later = start + Duration::from_millis(400);
        let mut hello = HelloSent::new();
        hello.add(start, [(route(1), AT_ONCE)]);
        hello.take_due(start);
        hello.add(later, [(route(1), AT_ONCE), (route(2), AT_ONCE)]);
        assert_eq!(hello.take_due(later), [route(2)]);
        assert_eq!(hello.take_due(start + FIRST_INTERVAL), [route(1)]);
    }

    #[test]
    fn a_candidate_with_a_pause_is_asked_after_it_also_when_all_begin_anew() {
        let start = Instant::now();
        let pause = Duration::from_millis(200);
        let mut hello = HelloSent::new();
        hello.add_redirected(start, [(route(1), AT_ONCE), (route(2), pause)]);
        for start in [start, start + Duration::from_secs(60)] {
            hello.restart(start);
            assert_eq!(hello.take_due(start), [route(1)]);
            assert_eq!(hello.deadline(), Some(start + pause));
            assert_eq!(hello.take_due(start + pause), [route(2)]);
        }
    }

    #[test]
    fn redirects_add_nothing_beyond_the_threshold() {
        let now = Instant::now();
        let mut hello = HelloSent::new();
        hello.add_redirected(now, (1..100).map(|port| (route(port), AT_ONCE)));
        assert_eq!(hello.take_due(now).len(), MOST_REDIRECTED);
    }
}
