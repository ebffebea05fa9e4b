//! Cookies: what a responder sends instead of remembering a hello (RFC 7016 §3.5.1.1.2, §3.5.1.2).
//!
//! ```text
//! second u32 | own identity u8 | nonce 11 bytes | stamp 24 bytes | place 24 bytes
//! ```
//!
//! The stamp shows that we made the cookie, and when; the place ties it to the address it was sent to. A cookie with a
//! good stamp and a wrong place is ours, but came back from elsewhere: that calls for a Cookie Change. All 64 bytes long,
//! which is the only length that Flash-era peers take.

use std::net::IpAddr;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::rtmfp::chance::Chance;
use crate::rtmfp::endpoint::OwnIdentity;
use crate::rtmfp::machine::Route;

/// What an echoed cookie turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Echo {
    /// Made here by this identity of ours for this address, and still good.
    Good(OwnIdentity),
    /// Made here by this identity of ours and still good, but for another address (§3.5.1.2).
    FromElsewhere(OwnIdentity),
    /// Not ours, or too old.
    Worthless,
}

/// Makes and checks cookies; remembers nothing about them.
pub(crate) struct CookieMaker {
    master: [u8; 32],
    /// The second in which seconds begin to count; set by the first cookie asked for.
    origin: Option<Instant>,
}

impl CookieMaker {
    /// A maker whose cookies only it can make.
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Self { master: chance.bytes(), origin: None }
    }

    /// A cookie for whoever is at `route` and greeted `own`.
    pub(crate) fn make(
        &mut self,
        now: Instant,
        route: Route,
        own: OwnIdentity,
        chance: &mut Chance,
    ) -> [u8; COOKIE_LENGTH] {
        let second = self.second(now);
        let mut nonce: [u8; NONCE_LENGTH] = chance.bytes();
        nonce[0] = own as u8;
        let mut cookie = [0; COOKIE_LENGTH];
        cookie[..4].copy_from_slice(&second.to_be_bytes());
        cookie[4..HEAD_LENGTH].copy_from_slice(&nonce);
        let (stamp, place) = self.marks(second, &nonce, route);
        cookie[HEAD_LENGTH..HEAD_LENGTH + MARK_LENGTH].copy_from_slice(&stamp);
        cookie[HEAD_LENGTH + MARK_LENGTH..].copy_from_slice(&place);
        cookie
    }

    /// What the cookie is that somebody at `route` echoes.
    pub(crate) fn check(&mut self, now: Instant, route: Route, cookie: &[u8]) -> Echo {
        let Ok(cookie) = <&[u8; COOKIE_LENGTH]>::try_from(cookie) else { return Echo::Worthless };
        let (second, rest) = cookie.split_at(4);
        let (nonce, marks) = rest.split_at(NONCE_LENGTH);
        let (far_stamp, far_place) = marks.split_at(MARK_LENGTH);
        let second = u32::from_be_bytes(second.try_into().expect("four bytes were split off"));
        let age = i64::from(self.second(now)) - i64::from(second);
        if !(0..=LIFETIME_SECONDS).contains(&age) {
            return Echo::Worthless;
        }
        let own = match nonce {
            [own, ..] if *own == OwnIdentity::Main as u8 => OwnIdentity::Main,
            _ => OwnIdentity::Second,
        };
        let (stamp, place) = self.marks(second, nonce, route);
        match (bool::from(stamp.ct_eq(far_stamp)), bool::from(place.ct_eq(far_place))) {
            (true, true) => Echo::Good(own),
            (true, false) => Echo::FromElsewhere(own),
            (false, _) => Echo::Worthless,
        }
    }

    fn second(&mut self, now: Instant) -> u32 {
        let origin = *self.origin.get_or_insert(now);
        u32::try_from(now.saturating_duration_since(origin).as_secs()).unwrap_or(u32::MAX)
    }

    /// The two marks of a cookie. Each span of time has a secret of its own, derived and never stored.
    fn marks(&self, second: u32, nonce: &[u8], route: Route) -> ([u8; MARK_LENGTH], [u8; MARK_LENGTH]) {
        let span = (second / SECRET_SECONDS).to_be_bytes();
        let secret = keyed(&self.master, &[b"span", &span]);
        let second = second.to_be_bytes();
        let port = route.address.port().to_be_bytes();
        let via = route.via.0.to_be_bytes();
        let stamp = keyed(&secret, &[b"stamp", &second, nonce]);
        let place = match route.address.ip() {
            IpAddr::V4(ip) => keyed(&secret, &[b"place4", &second, nonce, &via, &port, &ip.octets()]),
            IpAddr::V6(ip) => keyed(&secret, &[b"place6", &second, nonce, &via, &port, &ip.octets()]),
        };
        (front(stamp), front(place))
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn front(mark: [u8; 32]) -> [u8; MARK_LENGTH] {
    let mut front = [0; MARK_LENGTH];
    front.copy_from_slice(&mark[..MARK_LENGTH]);
    front
}

/// The whole cookie, in bytes.
pub(crate) const COOKIE_LENGTH: usize = HEAD_LENGTH + 2 * MARK_LENGTH;

/// How long a cookie is good: as long as an initiator of the RFC may go on trying (§3.5.1.1.2).
const LIFETIME_SECONDS: i64 = 95;
/// How long one derived secret is used.
const SECRET_SECONDS: u32 = 128;
/// The identity, and what makes each cookie another.
const NONCE_LENGTH: usize = 12;
const HEAD_LENGTH: usize = 4 + NONCE_LENGTH;
const MARK_LENGTH: usize = 24;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rtmfp::machine::PathId;

    fn route(port: u16) -> Route {
        Route { via: PathId(0), address: ([192, 0, 2, 7], port).into() }
    }

    fn maker() -> (CookieMaker, Chance, Instant) {
        let mut chance = Chance::new([3; 32]);
        (CookieMaker::new(&mut chance), chance, Instant::now())
    }

    #[test]
    fn a_cookie_is_good_where_it_was_sent() {
        let (mut maker, mut chance, now) = maker();
        let cookie = maker.make(now, route(1), OwnIdentity::Main, &mut chance);
        assert_eq!(maker.check(now, route(1), &cookie), Echo::Good(OwnIdentity::Main));
    }

    /// Conforms: 7016-3.5.1.1.2-d
    #[test]
    fn a_cookie_from_another_address_is_ours_but_from_elsewhere() {
        let (mut maker, mut chance, now) = maker();
        let cookie = maker.make(now, route(1), OwnIdentity::Main, &mut chance);
        assert_eq!(maker.check(now, route(2), &cookie), Echo::FromElsewhere(OwnIdentity::Main));
    }

    #[test]
    fn a_cookie_remembers_which_of_our_identities_made_it() {
        let (mut maker, mut chance, now) = maker();
        let cookie = maker.make(now, route(1), OwnIdentity::Second, &mut chance);
        assert_eq!(maker.check(now, route(1), &cookie), Echo::Good(OwnIdentity::Second));
        assert_eq!(maker.check(now, route(2), &cookie), Echo::FromElsewhere(OwnIdentity::Second));
        let mut other = cookie;
        other[4] = OwnIdentity::Main as u8;
        assert_eq!(maker.check(now, route(1), &other), Echo::Worthless);
    }

    /// Conforms: 7016-3.5.1.1.2-e
    #[test]
    fn a_cookie_lives_95_seconds_across_a_change_of_secret() {
        let (mut maker, mut chance, start) = maker();
        maker.make(start, route(1), OwnIdentity::Main, &mut chance);
        let made = start + Duration::from_secs(100);
        let cookie = maker.make(made, route(1), OwnIdentity::Main, &mut chance);
        let lifetime = Duration::from_secs(95);
        assert_eq!(maker.check(made + lifetime, route(1), &cookie), Echo::Good(OwnIdentity::Main));
        let late = made + lifetime + Duration::from_secs(1);
        assert_eq!(maker.check(late, route(1), &cookie), Echo::Worthless);
    }

    /// Conforms: 7016-3.5.1.1.2-c
    #[test]
    fn a_changed_cookie_is_worthless_whichever_head_bit_changed() {
        let (mut maker, mut chance, now) = maker();
        let cookie = maker.make(now, route(1), OwnIdentity::Main, &mut chance);
        for at in 0..HEAD_LENGTH + MARK_LENGTH {
            let mut changed = cookie;
            changed[at] ^= 1;
            assert_eq!(maker.check(now, route(1), &changed), Echo::Worthless, "byte {at}");
        }
        assert_eq!(maker.check(now, route(1), &cookie[1..]), Echo::Worthless);
    }
}
