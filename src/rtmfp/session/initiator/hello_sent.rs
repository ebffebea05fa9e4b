//! The first opening state, S_IHELLO_SENT: hellos go to every candidate until one is answered (RFC 7016 §3.5.1.1.1).

use std::time::{Duration, Instant};

use crate::rtmfp::limits;
use crate::rtmfp::machine::{PathId, Route};

/// The tag of a hello: 16 random bytes, the length that Flash-era peers take.
pub(crate) type Tag = [u8; 16];

/// Which addresses are tried, and when each is tried next.
#[derive(Debug)]
pub(crate) struct HelloSent {
    candidates: Vec<Candidate>,
    /// A relay was named, and everybody else was given a second chance before it.
    before_relays: bool,
}

#[derive(Debug)]
struct Candidate {
    route: Route,
    /// Whether a Redirect named it.
    redirected: bool,
    /// How much later than the others it is asked.
    pause: Duration,
    retry: Retry,
    /// A hello besides those of the schedule.
    once_more: Option<Instant>,
}

impl Candidate {
    fn is_due(&mut self, now: Instant) -> bool {
        let once_more = self.once_more.take_if(|at| *at <= now).is_some();
        self.retry.take(now) || once_more
    }
}

impl HelloSent {
    /// Nobody to ask yet.
    pub(crate) fn new() -> Self {
        Self { candidates: Vec::new(), before_relays: false }
    }

    /// Adds addresses that the layer above names, each with a schedule of its own that begins after a pause.
    pub(crate) fn add(&mut self, now: Instant, routes: impl IntoIterator<Item = (Route, Duration)>) {
        self.add_up_to(now, routes, MOST_CANDIDATES, false);
    }

    /// Adds addresses that a Redirect names. When relays are among them, whoever is asked before those is asked once more in
    /// between, the introducer included: a direct way must not be passed over for one lost packet, nor because the first
    /// answer reached our router sooner than what should let it in.
    pub(crate) fn add_redirected(
        &mut self,
        now: Instant,
        routes: impl IntoIterator<Item = (Route, Duration)>,
    ) {
        let routes: Vec<(Route, Duration)> = routes.into_iter().collect();
        let is_relayed = |pause: Duration| pause >= limits::RELAY_PAUSE;
        let relayed = routes.iter().filter(|(_, pause)| is_relayed(*pause)).count();
        self.add_up_to(now, routes.iter().copied(), MOST_REDIRECTED, true);
        if (1..routes.len()).contains(&relayed) && !std::mem::replace(&mut self.before_relays, true) {
            for candidate in self.candidates.iter_mut().filter(|candidate| !is_relayed(candidate.pause)) {
                candidate.once_more = Some(now + limits::RELAY_PAUSE / 2);
            }
        }
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
            let is_enough = redirected && self.is_asked_enough(route);
            if !is_enough && !self.tries(route) {
                let retry = Retry::starting(now + pause);
                self.candidates.push(Candidate { route, redirected, pause, retry, once_more: None });
            }
        }
    }

    /// Whether Redirects named as many ports of a computer as are asked: it may be a bystander's.
    fn is_asked_enough(&self, route: Route) -> bool {
        let ip = route.address.ip();
        let same = |candidate: &&Candidate| {
            candidate.redirected && candidate.route.via == route.via && candidate.route.address.ip() == ip
        };
        self.candidates.iter().filter(same).count() >= MOST_PORTS_OF_ONE
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
            .filter_map(|candidate| candidate.is_due(now).then_some(candidate.route))
            .collect()
    }

    /// Begins every schedule anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        for candidate in &mut self.candidates {
            candidate.retry = Retry::starting(now + candidate.pause);
            candidate.once_more = None;
        }
    }

    /// When the next hello is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = |candidate: &Candidate| {
            candidate.once_more.map_or(candidate.retry.due, |at| at.min(candidate.retry.due))
        };
        self.candidates.iter().map(due).min()
    }

    /// Tries no longer what is reached over a path that is gone.
    pub(crate) fn forget_path(&mut self, path: PathId) {
        self.candidates.retain(|candidate| candidate.route.via != path);
    }
}

/// When something is sent again: after half a second, then each time 1.5 seconds later than before (§3.5.1.1.1).
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

/// The RFC leaves the first interval open; this is longer than nearly all round trips, and short for a person. Over a line
/// that loses a tenth each way, one handshake in three needs a second try.
pub(crate) const FIRST_INTERVAL: Duration = Duration::from_millis(500);
const INTERVAL_GROWTH: Duration = Duration::from_millis(1_500);
/// REDIRECT_THRESHOLD: redirects add no address beyond so many (§3.5.1.1.1).
const MOST_REDIRECTED: usize = 24;
/// Where somebody is seen, what their router lends them, and relays on one computer: of these there are hardly more.
const MOST_PORTS_OF_ONE: usize = 4;
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
        assert_eq!(sent, [0, 500, 2_500, 6_000, 11_000]);
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
        hello.add(start, [(route(1), AT_ONCE), (route(2), pause)]);
        for start in [start, start + Duration::from_secs(60)] {
            hello.restart(start);
            assert_eq!(hello.take_due(start), [route(1)]);
            assert_eq!(hello.deadline(), Some(start + pause));
            assert_eq!(hello.take_due(start + pause), [route(2)]);
        }
    }

    #[test]
    fn before_a_relay_that_a_redirect_names_everybody_else_is_asked_once_more() {
        let start = Instant::now();
        let redirect = [(route(2), AT_ONCE), (route(3), limits::RELAY_PAUSE)];
        let mut hello = HelloSent::new();
        hello.add(start, [(route(1), AT_ONCE)]);
        let mut sent = Vec::new();
        while sent.len() < 8 {
            let now = hello.deadline().unwrap();
            for due in hello.take_due(now) {
                sent.push(((now - start).as_millis(), due.address.port()));
                // The introducer answers each time.
                if due == route(1) {
                    hello.add_redirected(now, redirect);
                }
            }
        }
        let first = [(0, 1), (0, 2), (100, 1), (100, 2), (200, 3)];
        assert_eq!(sent, [&first[..], &[(500, 1), (500, 2), (700, 3)]].concat());
    }

    #[test]
    fn without_a_relay_nobody_is_asked_once_more() {
        let start = Instant::now();
        let mut hello = HelloSent::new();
        hello.add(start, [(route(1), AT_ONCE)]);
        hello.take_due(start);
        hello.add_redirected(start, [(route(2), AT_ONCE)]);
        assert_eq!(hello.take_due(start), [route(2)]);
        assert_eq!(hello.deadline(), Some(start + FIRST_INTERVAL));
    }

    #[test]
    fn redirects_add_nothing_beyond_the_threshold() {
        let now = Instant::now();
        let mut hello = HelloSent::new();
        let at = |n| Route { via: PathId(0), address: ([192, 0, 2, n], 1935).into() };
        hello.add_redirected(now, (1..100).map(|n| (at(n), AT_ONCE)));
        assert_eq!(hello.take_due(now).len(), MOST_REDIRECTED);
    }

    #[test]
    fn redirects_have_few_ports_of_one_computer_asked() {
        let now = Instant::now();
        let mut hello = HelloSent::new();
        hello.add(now, [(route(9_999), AT_ONCE)]);
        hello.take_due(now);
        hello.add_redirected(now, (1..100).map(|port| (route(port), AT_ONCE)));
        assert_eq!(hello.take_due(now), [1, 2, 3, 4].map(route));
    }
}
