//! Which ways there are to an address, which of them come first, and which one a session takes.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::Endpoint;
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress, SessionKey};
use crate::rtmfp::limits;
use crate::rtmfp::machine::{PathId, PathKind, Route};
use crate::rtmfp::network::is_private;

/// A path that can be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    /// The address it is bound to.
    pub(super) local: SocketAddr,
    pub(super) kind: PathKind,
}

impl Path {
    /// Whether it carries datagrams to addresses of this kind. To a relay outside, a private address means somebody else or
    /// nobody; some relays even give up whoever asks for one.
    pub(super) fn speaks_to(&self, address: SocketAddr) -> bool {
        let leads_nowhere =
            self.kind == PathKind::Relayed && is_private(address.ip()) && !is_private(self.local.ip());
        self.local.is_ipv4() == address.is_ipv4() && !leads_nowhere
    }
}

impl Endpoint {
    /// Asks the far end of an open session over other ways whether they work. It answers there and stays where it is;
    /// [`super::Event::ProbeAnswered`] tells of each that does, [`super::Event::ProbedFrom`] tells the far end.
    ///
    /// Only to be sent to a far end that knows what a probe is: to any other it is a sign that we moved, and it follows.
    /// Beyond a few in a second of one session none is sent.
    pub fn probe(&mut self, now: Instant, session: SessionKey, routes: &[Route]) {
        let now = self.never_back(now);
        for route in routes {
            if self.paths.contains_key(&route.via) && self.may_be_seen_at(*route) {
                self.change(session, |open| {
                    open.probe(now, *route);
                });
            }
        }
    }

    /// Lets an open session take another way, which a probe was answered on; `round_trip` is what that took. The far end
    /// follows as if we had moved (RFC 7016 §3.5.4.2). What is under way is not sent again.
    ///
    /// One end decides for both, or they would take turns.
    pub fn move_session(
        &mut self,
        now: Instant,
        session: SessionKey,
        route: Route,
        round_trip: Option<Duration>,
    ) {
        let now = self.never_back(now);
        if self.paths.contains_key(&route.via) {
            self.change(session, |open| open.choose_way(now, route, round_trip));
        }
    }

    /// Whether a way leads over a relay: one that lends us a path, or one that somebody called so.
    pub fn is_relayed(&self, route: Route) -> bool {
        let lent = self.paths.get(&route.via).is_some_and(|path| path.kind == PathKind::Relayed);
        lent || self.relays.has(route.address)
    }

    pub(super) fn is_relayed_session(&self, session: SessionKey) -> bool {
        self.sessions.running(session).is_some_and(|running| self.is_relayed(running.route))
    }

    /// Somebody says that an address is a relay's.
    pub fn note_relay(&mut self, address: SocketAddr) {
        self.relays.note(address);
    }

    /// Whether others may learn of us over relays only. What redirects and introducers name is then tried, and answered,
    /// over relays only; where the layer above dials is its own business, as an introducer has to be reached somehow.
    pub fn set_relay_only(&mut self, relay_only: bool) {
        self.config.relay_only = relay_only;
    }

    /// Whether it is so.
    pub fn is_relay_only(&self) -> bool {
        self.config.relay_only
    }

    /// The ways to an address: over the first path of our own that carries datagrams there, and over those that relays lend
    /// us, of which only a few are worth trying.
    pub fn ways_to(&self, address: SocketAddr) -> Vec<Route> {
        let direct = self.path_to(address).map(|via| Route { via, address });
        let relayed = self.relayed_paths_to(address).map(|via| Route { via, address });
        let mut ways: Vec<Route> = direct.into_iter().collect();
        for way in relayed {
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    /// The way to an address that somebody told us of, and the same over what paths relays lend us.
    pub(super) fn routes_towards(&self, address: SocketAddr, told_on: Route) -> Vec<Route> {
        let Some(first) = self.route_towards(address, told_on) else { return Vec::new() };
        let mut routes = vec![first];
        for other in self.ways_to(first.address) {
            if !routes.contains(&other) {
                routes.push(other);
            }
        }
        routes
    }

    /// The first path that carries datagrams to addresses like this one, our own before those that are lent to us.
    pub(super) fn path_to(&self, address: SocketAddr) -> Option<PathId> {
        let of_kind =
            |kind| self.paths.iter().find(move |(_, path)| path.kind == kind && path.speaks_to(address));
        of_kind(PathKind::Own).or_else(|| of_kind(PathKind::Relayed)).map(|(id, _)| *id)
    }

    fn relayed_paths_to(&self, address: SocketAddr) -> impl Iterator<Item = PathId> {
        let lent =
            move |(_, path): &(&PathId, &Path)| path.kind == PathKind::Relayed && path.speaks_to(address);
        self.paths.iter().filter(lent).map(|(id, _)| *id).take(limits::MOST_RELAYED_PATHS)
    }

    /// Addresses that the layer above names, each with its pause: relayed ones come later.
    pub(super) fn relays_last(&self, candidates: &[Route]) -> Vec<(Route, Duration)> {
        candidates.iter().map(|route| (*route, self.relay_pause(*route))).collect()
    }

    /// [`Self::relays_last`], where IPv6 waits for IPv4 if there are both.
    pub(super) fn ipv4_first(&self, candidates: &[Route]) -> Vec<(Route, Duration)> {
        let any_ipv4 = candidates.iter().any(|route| route.address.is_ipv4());
        let mut paused = self.relays_last(candidates);
        for (route, pause) in &mut paused {
            if any_ipv4 && route.address.is_ipv6() {
                *pause = limits::IPV6_SERVER_PAUSE.max(*pause);
            }
        }
        paused
    }

    /// The addresses of a Redirect over every path, each with its pause: what is likely the best goes first, relayed ones
    /// last.
    pub(super) fn routes_of_redirect(
        &mut self,
        destinations: &[KnownAddress],
        told_on: Route,
    ) -> Vec<(Route, Duration)> {
        for relay in destinations.iter().filter(|known| known.origin == AddressOrigin::Relay) {
            self.relays.note(relay.address);
        }
        let routes = destinations.iter().flat_map(|known| self.routes_towards(known.address, told_on));
        let routes: Vec<Route> = routes.filter(|route| self.may_be_seen_at(*route)).collect();
        let kind = |route: &Route| {
            if self.is_relayed(*route) { Kind::Relayed } else { Kind::of(route.address.ip()) }
        };
        let mut kinds: Vec<Kind> = routes.iter().map(kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let pause = |route: &Route| {
            let place = kinds.iter().position(|other| *other == kind(route)).unwrap_or_default();
            let by_place = limits::NEXT_KIND_PAUSE * u32::try_from(place).unwrap_or_default();
            self.relay_pause(*route).max(by_place)
        };
        let mut paused: Vec<(Route, Duration)> = routes.iter().map(|route| (*route, pause(route))).collect();
        // The best go first also when there are more than are taken.
        paused.sort_by_key(|(_, pause)| *pause);
        paused
    }

    fn relay_pause(&self, route: Route) -> Duration {
        if self.is_relayed(route) && !self.config.relay_only { limits::RELAY_PAUSE } else { Duration::ZERO }
    }

    /// Whether whoever is on that way may learn that we are here: with relays only, nobody who would see where.
    pub(super) fn may_be_seen_at(&self, route: Route) -> bool {
        !self.config.relay_only || self.is_relayed(route)
    }

    /// Sessions over a path that is gone go on over one that can reach the same address, as soon as there is one.
    pub(super) fn leave_lost_paths(&mut self, now: Instant) {
        let moves: Vec<(SessionKey, Route)> = self
            .sessions
            .routes()
            .filter(|(_, route)| !self.paths.contains_key(&route.via))
            .filter_map(|(key, route)| {
                let via = self.path_to(route.address)?;
                Some((key, Route { via, ..route }))
            })
            .filter(|(_, route)| self.may_be_seen_at(*route))
            .collect();
        for (key, route) in moves {
            if let Some(running) = self.sessions.running_mut(key) {
                running.session.take_path(now, route.via);
                self.sessions.moved(key, route);
                self.wake(key);
            }
        }
    }
}

/// What an address promises, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    /// One of a network like ours at home: if it answers, nothing is nearer.
    Local,
    /// No router translates these.
    GlobalIpv6,
    Elsewhere,
    Relayed,
}

impl Kind {
    fn of(ip: IpAddr) -> Self {
        match ip {
            _ if is_private(ip) => Self::Local,
            IpAddr::V6(_) => Self::GlobalIpv6,
            IpAddr::V4(_) => Self::Elsewhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rtmfp::endpoint::EndpointConfig;
    use crate::rtmfp::testing::plain_crypto::Plain;

    #[test]
    fn a_server_of_both_families_is_asked_over_ipv4_first_and_one_of_ipv6_alone_at_once() {
        let endpoint = Endpoint::new(EndpointConfig::new(Arc::new(Plain::new("ada")), [1; 32]));
        let route = |address: &str| Route { via: PathId(0), address: address.parse().expect("an address") };
        let [v6, v4] = ["[2001:db8::1]:1935", "192.0.2.1:1935"].map(route);
        let pause = limits::IPV6_SERVER_PAUSE;
        assert_eq!(endpoint.ipv4_first(&[v6, v4]), [(v6, pause), (v4, Duration::ZERO)]);
        assert_eq!(endpoint.ipv4_first(&[v6]), [(v6, Duration::ZERO)]);
    }

    #[test]
    fn a_relay_outside_is_not_asked_for_private_addresses() {
        let path = |local: &str, kind| Path { local: local.parse().expect("an address"), kind };
        let to = |address: &str| address.parse().expect("an address");
        let lent = path("203.0.113.10:5000", PathKind::Relayed);
        assert!(lent.speaks_to(to("198.51.100.7:1935")));
        assert!(!lent.speaks_to(to("192.168.1.7:1935")));
        assert!(path("203.0.113.10:5000", PathKind::Own).speaks_to(to("192.168.1.7:1935")));
        assert!(path("10.0.0.1:5000", PathKind::Relayed).speaks_to(to("192.168.1.7:1935")));
    }
}
