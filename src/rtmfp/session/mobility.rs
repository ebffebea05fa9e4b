//! Following a far end to another address, once it proved that it is there (RFC 7016 §3.5.4.2).
//!
//! A packet from elsewhere may be a repetition by somebody in between. So the new address gets a ping with a mark that
//! only we can make, and only a reply that comes from there counts.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::rtmfp::limits;
use crate::rtmfp::machine::Route;

const MARK: u8 = b'M';
const TIME_BYTES: usize = 8;
const HASH_BYTES: usize = 16;
/// A mobility ping's message: mark, milliseconds, hash.
pub(crate) const MESSAGE_BYTES: usize = 1 + TIME_BYTES + HASH_BYTES;

/// One session's mobility checks.
pub(crate) struct Mobility {
    secret: [u8; 32],
    origin: Instant,
    /// MOB_TX_TS, and where to.
    asked: Option<(Instant, Route)>,
    /// MOB_RX_TS, as time since `origin`.
    proven: Option<Duration>,
    /// The way the session left last, and until when packets that still come by it are only late ones.
    left: Option<(Route, Instant)>,
}

impl Mobility {
    /// `secret` is random and known to nobody else.
    pub(crate) fn new(now: Instant, secret: [u8; 32]) -> Self {
        Self { secret, origin: now, asked: None, proven: None, left: None }
    }

    /// The session takes another way now; what still comes over the old one until then was sent before.
    pub(crate) fn leave(&mut self, route: Route, until: Instant) {
        self.left = Some((route, until));
    }

    /// Whether a packet over `route` is one that was on its way when the session left it.
    pub(crate) fn is_left_behind(&self, now: Instant, route: Route) -> bool {
        self.left.is_some_and(|(left, until)| left == route && now < until)
    }

    /// The ping's message for a far end heard from `route`, unless one was sent within the last second.
    pub(crate) fn ask(&mut self, now: Instant, route: Route) -> Option<[u8; MESSAGE_BYTES]> {
        let recently = |asked: Instant| now.saturating_duration_since(asked) < limits::MOBILITY_CHECK_SPACING;
        if self.asked.is_some_and(|(asked, _)| recently(asked)) {
            return None;
        }
        self.asked = Some((now, route));
        let time = u64::try_from(now.saturating_duration_since(self.origin).as_millis()).ok()?;
        let mut message = [0; MESSAGE_BYTES];
        message[0] = MARK;
        message[1..=TIME_BYTES].copy_from_slice(&time.to_be_bytes());
        let hash = self.hash(&message[..=TIME_BYTES], route).finalize().into_bytes();
        message[1 + TIME_BYTES..].copy_from_slice(&hash[..HASH_BYTES]);
        Some(message)
    }

    /// Whether a ping reply with `message` from `route` proves that the far end is there now.
    pub(crate) fn proves(&mut self, now: Instant, route: Route, message: &[u8]) -> bool {
        let Some((front, hash)) = message.split_at_checked(1 + TIME_BYTES) else { return false };
        let Some(time) = front[1..].first_chunk().map(|time| u64::from_be_bytes(*time)) else { return false };
        let time = Duration::from_millis(time);
        let age = now.saturating_duration_since(self.origin).checked_sub(time);
        let timely = age.is_some_and(|age| age <= limits::MOBILITY_REPLY_LIFETIME)
            && self.proven.is_none_or(|proven| time > proven);
        let ours = front[0] == MARK
            && hash.len() == HASH_BYTES
            && self.hash(front, route).verify_truncated_left(hash).is_ok();
        if timely && ours {
            self.proven = Some(time);
        }
        timely && ours
    }

    /// Whether a reply from `route` that repeats nothing answers the last question, for far ends that reply so to every
    /// ping. It proves less than [`Self::proves`] asks for: that somebody there was heard after we asked, and not that it
    /// is no repetition. It counts once.
    pub(crate) fn is_answered_by(&mut self, now: Instant, route: Route) -> bool {
        let timely = |asked: Instant| now.saturating_duration_since(asked) <= limits::EMPTY_REPLY_LIFETIME;
        let answered = self.asked.is_some_and(|(asked, there)| there == route && timely(asked));
        if answered {
            self.asked = None;
        }
        answered
    }

    fn hash(&self, front: &[u8], route: Route) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(front);
        mac.update(&route.via.0.to_be_bytes());
        mac.update(route.address.to_string().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::PathId;

    fn route(port: u16) -> Route {
        Route { via: PathId(0), address: ([10, 0, 0, 1], port).into() }
    }

    /// Conforms: 7016-3.5.4.2-c
    #[test]
    fn a_reply_from_the_asked_address_proves_it_once() {
        let now = Instant::now();
        let mut mobility = Mobility::new(now, [7; 32]);
        let message = mobility.ask(now + Duration::from_millis(5), route(1)).expect("a first check");
        assert!(mobility.proves(now + Duration::from_secs(1), route(1), &message));
        assert!(!mobility.proves(now + Duration::from_secs(1), route(1), &message));
    }

    /// Conforms: 7016-3.5.4.2-c
    #[test]
    fn a_reply_from_elsewhere_or_changed_or_late_proves_nothing() {
        let now = Instant::now();
        let mut mobility = Mobility::new(now, [7; 32]);
        let message = mobility.ask(now, route(1)).expect("a first check");
        assert!(!mobility.proves(now, route(2), &message));
        assert!(!mobility.proves(now, route(1), &message[..12]));
        let mut changed = message;
        changed[8] ^= 1;
        assert!(!mobility.proves(now + Duration::from_secs(1), route(1), &changed));
        assert!(!mobility.proves(now + Duration::from_secs(121), route(1), &message));
        assert!(mobility.proves(now + Duration::from_secs(120), route(1), &message));
    }

    /// Conforms: 7016-3.5.4.2-a
    #[test]
    fn the_first_check_is_made_at_once_and_only_its_own_secret_makes_it_good() {
        let now = Instant::now();
        let (mut ours, mut others) = (Mobility::new(now, [7; 32]), Mobility::new(now, [8; 32]));
        let message = ours.ask(now, route(1)).expect("a check in the first instant");
        assert!(!others.proves(now, route(1), &message));
        assert!(ours.proves(now, route(1), &message), "even the first instant is later than never");
    }

    /// Conforms: 7016-3.5.4.2-b
    #[test]
    fn an_empty_reply_answers_the_last_question_for_a_while_and_once() {
        let now = Instant::now();
        let mut mobility = Mobility::new(now, [7; 32]);
        assert!(!mobility.is_answered_by(now, route(1)), "nobody was asked");
        mobility.ask(now, route(1)).expect("a first check");
        assert!(!mobility.is_answered_by(now, route(2)));
        assert!(!mobility.is_answered_by(now + Duration::from_secs(6), route(1)));
        assert!(mobility.is_answered_by(now + Duration::from_secs(5), route(1)));
        assert!(!mobility.is_answered_by(now + Duration::from_secs(5), route(1)));
    }

    #[test]
    fn there_is_one_check_a_second_however_many_packets_come() {
        let now = Instant::now();
        let mut mobility = Mobility::new(now, [7; 32]);
        assert!(mobility.ask(now, route(1)).is_some());
        assert!(mobility.ask(now + Duration::from_millis(999), route(2)).is_none());
        assert!(mobility.ask(now + Duration::from_secs(1), route(2)).is_some());
    }
}
