//! Trying another way to the far end while the session goes on by the one it has.
//!
//! A probe is a ping with a mark that both ends know. Whoever gets one answers where it came from, and stays where the
//! session is: a ping without the mark would start a mobility check (RFC 7016 §3.5.4.2), and the far end would move. So
//! only far ends that know the mark may be probed.
//!
//! What the answer repeats was made for one address with a secret of ours, is good for one answer from there, and not for
//! long. A recorded probe is no use to anybody: it is answered, to as many bytes as came, and moves nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::rtmfp::allowance::Allowance;
use crate::rtmfp::limits;
use crate::rtmfp::machine::Route;

/// First bytes of a probe's message. Pings of other programs begin with something else, ours with a single letter.
const MARK: &[u8; 8] = b"tincan:w";
const NUMBER_BYTES: usize = 8;
const HASH_BYTES: usize = 16;
/// A probe's message: mark, number, hash.
pub(crate) const MESSAGE_BYTES: usize = MARK.len() + NUMBER_BYTES + HASH_BYTES;

/// Whether a ping with this message, or the answer that repeats it, is a probe.
pub(crate) fn is_probe(message: &[u8]) -> bool {
    message.len() == MESSAGE_BYTES && message.starts_with(MARK)
}

/// One session's probes.
pub(crate) struct Probing {
    secret: [u8; 32],
    asked: u64,
    /// Those that may still be answered, oldest first.
    waiting: VecDeque<Probe>,
    /// Ways over which something of the far end's came, or an answer, and when: oldest first.
    seen: VecDeque<(Route, Instant)>,
    may_ask: Allowance,
    may_answer: Allowance,
}

struct Probe {
    route: Route,
    sent: Instant,
    message: [u8; MESSAGE_BYTES],
}

impl Probing {
    /// `secret` is random and known to nobody else.
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        let allowance = || Allowance::new(limits::PROBES_AT_ONCE, limits::PROBE_INTERVAL);
        Self {
            secret,
            asked: 0,
            waiting: VecDeque::new(),
            seen: VecDeque::new(),
            may_ask: allowance(),
            may_answer: allowance(),
        }
    }

    /// The message of a probe to `route`, unless there were too many of late.
    pub(crate) fn ask(&mut self, now: Instant, route: Route) -> Option<[u8; MESSAGE_BYTES]> {
        if !self.may_ask.take(now) {
            return None;
        }
        self.asked += 1;
        let (front, hash) = (MARK.len() + NUMBER_BYTES, self.hash(route));
        let mut message = [0; MESSAGE_BYTES];
        message[..MARK.len()].copy_from_slice(MARK);
        message[MARK.len()..front].copy_from_slice(&self.asked.to_be_bytes());
        message[front..].copy_from_slice(&hash);
        if self.waiting.len() >= limits::MOST_PROBES {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Probe { route, sent: now, message });
        Some(message)
    }

    /// The round trip that an answer from `route` proves, if it is one to a probe that went there.
    pub(crate) fn on_answer(&mut self, now: Instant, route: Route, echo: &[u8]) -> Option<Duration> {
        self.waiting
            .retain(|probe| now.saturating_duration_since(probe.sent) <= limits::PROBE_ANSWER_LIFETIME);
        let place = self.waiting.iter().position(|probe| probe.route == route && probe.message == *echo)?;
        let probe = self.waiting.remove(place)?;
        self.note_seen(now, route);
        Some(now.saturating_duration_since(probe.sent))
    }

    /// Whether a probe of the far end's from `route` is answered.
    pub(crate) fn answers(&mut self, now: Instant, route: Route) -> bool {
        let answers = self.may_answer.take(now);
        if answers {
            self.note_seen(now, route);
        }
        answers
    }

    /// Whether a probe was answered over `route` lately, or came over it.
    pub(crate) fn has_seen(&self, now: Instant, route: Route) -> bool {
        let fresh = |at: Instant| now.saturating_duration_since(at) <= limits::PROBED_LATELY;
        self.seen.iter().any(|(seen, at)| *seen == route && fresh(*at))
    }

    fn note_seen(&mut self, now: Instant, route: Route) {
        self.seen.retain(|(seen, _)| *seen != route);
        if self.seen.len() >= limits::MOST_PROBES {
            self.seen.pop_front();
        }
        self.seen.push_back((route, now));
    }

    fn hash(&self, route: Route) -> [u8; HASH_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(MARK);
        mac.update(&self.asked.to_be_bytes());
        mac.update(&route.via.0.to_be_bytes());
        mac.update(route.address.to_string().as_bytes());
        let hash = mac.finalize().into_bytes();
        let mut cut = [0; HASH_BYTES];
        cut.copy_from_slice(&hash[..HASH_BYTES]);
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::PathId;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn route(port: u16) -> Route {
        Route { via: PathId(0), address: ([10, 0, 0, 1], port).into() }
    }

    #[test]
    fn an_answer_from_the_probed_address_measures_the_round_trip_once() {
        let now = Instant::now();
        let mut probing = Probing::new([7; 32]);
        let message = probing.ask(now, route(1)).expect("a first probe");
        assert!(is_probe(&message));
        assert_eq!(probing.on_answer(now + ms(30), route(1), &message), Some(ms(30)));
        assert_eq!(probing.on_answer(now + ms(31), route(1), &message), None, "once");
    }

    #[test]
    fn an_answer_from_elsewhere_or_changed_or_late_proves_nothing() {
        let now = Instant::now();
        let mut probing = Probing::new([7; 32]);
        let message = probing.ask(now, route(1)).expect("a first probe");
        assert_eq!(probing.on_answer(now, route(2), &message), None);
        let mut changed = message;
        changed[20] ^= 1;
        assert_eq!(probing.on_answer(now, route(1), &changed), None);
        let late = now + limits::PROBE_ANSWER_LIFETIME + ms(1);
        assert_eq!(probing.on_answer(late, route(1), &message), None);
        assert!(!probing.has_seen(now, route(1)));
    }

    #[test]
    fn no_two_probes_are_alike_and_nobody_else_can_make_one_that_counts() {
        let now = Instant::now();
        let (mut ours, mut others) = (Probing::new([7; 32]), Probing::new([8; 32]));
        let first = ours.ask(now, route(1)).expect("a probe");
        assert_ne!(ours.ask(now, route(1)).expect("another"), first);
        let forged = others.ask(now, route(1)).expect("a forged one");
        assert_eq!(ours.on_answer(now, route(1), &forged), None);
    }

    #[test]
    fn a_burst_of_probes_is_bounded_on_both_sides_and_so_is_what_is_remembered() {
        let now = Instant::now();
        let mut probing = Probing::new([7; 32]);
        let asked = (0..1_000).filter(|port| probing.ask(now, route(*port)).is_some()).count();
        let answered = (0..1_000).filter(|port| probing.answers(now, route(*port))).count();
        assert_eq!((asked, answered), (16, 16));
        for port in 0..1_000u16 {
            let later = now + limits::PROBE_INTERVAL * u32::from(port + 1);
            probing.ask(later, route(port));
            probing.answers(later, route(port));
        }
        assert!(probing.waiting.len() <= limits::MOST_PROBES && probing.seen.len() <= limits::MOST_PROBES);
    }
}
