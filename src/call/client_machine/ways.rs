//! Better ways for running talks: telling those we know where we are, probing where they are, and moving.
//!
//! Somebody who only rings is told nothing. With our address hidden nobody is: then places are relays alone.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::call::additions::Addition;
use crate::call::event::Event;
use crate::call::messages::Message;
use crate::call::ways::{MOST_PLACES, MOST_PROBED, Place, Way, WayKind, Ways};
use crate::netconnection::node::{AnsweredProbe, Whose};
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::{PathId, PathKind, Route};
use crate::rtmfp::network::is_private;

/// In a call each end says something every second: silence for longer than this is a reason to take any way that works.
const SILENT: Duration = Duration::from_millis(1_250);
/// Who is not known yet, or has no session now, is looked at again after this.
const LATER: Duration = Duration::from_millis(500);

/// What is known of ways.
#[derive(Debug, Default)]
pub(super) struct WaysSide {
    with: BTreeMap<PeerId, Ways>,
    /// Paths that relays lend us.
    lent: BTreeMap<PathId, SocketAddr>,
    /// Whether our address is hidden.
    hides: bool,
    /// Of the call that is up, whether it is relayed, as was told.
    relayed: BTreeMap<PeerId, bool>,
}

impl ClientMachine {
    /// Whether nobody is to learn where we are.
    pub(super) fn hides_address(&self) -> bool {
        self.ways.hides
    }

    /// Takes over what the settings say, before anything else happens or whenever it changed.
    pub(super) fn follow_hiding(&mut self, now: Instant) {
        let hides = self.config.settings.hide_address;
        if std::mem::replace(&mut self.ways.hides, hides) == hides {
            return;
        }
        self.node.set_relay_only(now, hides);
        self.tell_own_addresses(now);
        self.dirty = true;
    }

    pub(super) fn path_opened(&mut self, path: PathId, local: SocketAddr, kind: PathKind) {
        if kind == PathKind::Relayed {
            self.ways.lent.insert(path, local);
            self.dirty = true;
        }
    }

    pub(super) fn path_closed(&mut self, path: PathId) {
        self.dirty |= self.ways.lent.remove(&path).is_some();
    }

    /// Where we can be reached, as far as others may know.
    fn own_places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        let mut add = |address: SocketAddr, relayed| {
            let known = places.iter().any(|place| place.address == address);
            if !known && is_of_use(address) && places.len() < MOST_PLACES {
                places.push(Place { address, relayed });
            }
        };
        for lent in self.ways.lent.values() {
            add(*lent, true);
        }
        if !self.ways.hides {
            let observed = self.servers.all().filter_map(|(_, server)| server.observed());
            self.own_addresses().into_iter().chain(observed).for_each(|address| add(address, false));
        }
        places.sort_unstable();
        places
    }

    /// Tells those we know where we are, when that is news to them; whether anybody was told.
    pub(super) fn tell_ways(&mut self, now: Instant) -> bool {
        let takes =
            |peer: &PeerId| self.links.get(peer).is_some_and(|lines| lines.link.takes(Addition::Ways));
        let gone: Vec<PeerId> = self.ways.with.keys().filter(|peer| !takes(peer)).copied().collect();
        let known: Vec<PeerId> =
            self.links.keys().filter(|peer| takes(peer) && self.is_known(**peer)).copied().collect();
        // On new lines all is told anew.
        for peer in gone {
            self.ways.with.remove(&peer);
        }
        if known.is_empty() {
            return false;
        }
        let ours = self.own_places();
        let mut any = false;
        for peer in known {
            if self.ways.with.entry(peer).or_default().tells(now, &ours) {
                any = true;
                self.say(now, peer, Message::Ways(ours.clone()));
            }
        }
        any
    }

    /// Somebody tells where they are.
    pub(super) fn far_ways(&mut self, now: Instant, peer: PeerId, theirs: Vec<Place>) {
        if !self.links.get(&peer).is_some_and(|lines| lines.link.takes(Addition::Ways)) {
            return;
        }
        for relay in theirs.iter().filter(|place| place.relayed) {
            self.node.note_relay(relay.address);
        }
        let theirs = theirs.into_iter().filter(|place| is_of_use(place.address)).collect();
        self.ways.with.entry(peer).or_default().on_told(now, theirs);
    }

    /// The way that the session with a peer takes.
    fn current_way(&self, now: Instant, peer: PeerId) -> Option<Way> {
        let route = self.node.peer_route(peer)?;
        let figures = self.node.peer_figures(now, peer)?;
        let round_trip = figures.shortest_round_trip.or(figures.round_trip);
        Some(Way { route, kind: self.kind_of(route), round_trip })
    }

    fn kind_of(&self, route: Route) -> WayKind {
        if self.node.is_relayed(route) {
            WayKind::Relayed
        } else if is_private(route.address.ip()) {
            WayKind::Local
        } else {
            WayKind::Direct
        }
    }

    fn is_silent(&self, now: Instant, peer: PeerId) -> bool {
        self.call.late_for(now, peer).is_some_and(|late| late >= SILENT)
    }

    /// Probes what is due.
    pub(super) fn tick_ways(&mut self, now: Instant) {
        if self.ways_deadline().is_none_or(|at| at > now) {
            return;
        }
        let is_due = |ways: &Ways| ways.deadline().is_some_and(|at| at <= now);
        let due: Vec<PeerId> =
            self.ways.with.iter().filter(|(_, ways)| is_due(ways)).map(|(peer, _)| *peer).collect();
        for peer in due {
            let current = self.current_way(now, peer).filter(|_| self.is_known(peer));
            let Some(ways) = self.ways.with.get_mut(&peer) else { continue };
            match current {
                Some(current) if ways.take_round(now, current.kind) => {
                    self.probe_ways(now, peer, current.route);
                }
                Some(_) => {}
                None => ways.restart(now + LATER),
            }
        }
    }

    pub(super) fn ways_deadline(&self) -> Option<Instant> {
        self.ways.with.values().filter_map(Ways::deadline).min()
    }

    /// A far end of a call is late: whatever way works is wanted.
    pub(super) fn look_for_a_way(&mut self, now: Instant, peer: PeerId) {
        let route = self.node.peer_route(peer);
        if let Some(route) = route.filter(|_| self.ways.with.contains_key(&peer)) {
            self.probe_ways(now, peer, route);
        }
    }

    fn probe_ways(&mut self, now: Instant, peer: PeerId, current: Route) {
        let Some(ways) = self.ways.with.get(&peer) else { return };
        let loopback = current.address.ip().is_loopback();
        let theirs = ways.theirs().iter().filter(|place| loopback || !place.address.ip().is_loopback());
        let mut routes: Vec<Route> = theirs.flat_map(|place| self.node.ways_to(place.address)).collect();
        routes.retain(|route| *route != current);
        routes.sort_by_key(|route| self.kind_of(*route));
        routes.truncate(MOST_PROBED);
        self.node.probe(now, Whose::Peer(peer), &routes);
    }

    /// A way is open.
    pub(super) fn way_proven(&mut self, now: Instant, whose: Whose, answered: AnsweredProbe) {
        let Whose::Peer(peer) = whose else { return };
        let silent = self.is_silent(now, peer);
        let decides = self.node.decides_ways(peer) || silent;
        let proven = Way {
            route: answered.route,
            kind: self.kind_of(answered.route),
            round_trip: Some(answered.round_trip),
        };
        let Some(mut current) = self.current_way(now, peer).filter(|_| decides) else { return };
        // Of two sessions the one that was probed.
        let Some(route) = self.node.route_of(answered.session) else { return };
        if route != current.route {
            current = Way { route, kind: self.kind_of(route), round_trip: None };
        }
        let Some(ways) = self.ways.with.get_mut(&peer) else { return };
        if ways.chooses(now, current, proven, silent) {
            tracing::info!(kind = ?proven.kind, "a better way is taken");
            self.node.take_way(now, &answered);
        }
    }

    /// Somebody probes us from there.
    pub(super) fn probed_from(&mut self, now: Instant, whose: Whose, route: Route) {
        let Whose::Peer(peer) = whose else { return };
        let known = self.is_known(peer);
        if let Some(ways) = self.ways.with.get_mut(&peer)
            && known
            && ways.asks_back(now, route)
        {
            self.node.probe(now, whose, &[route]);
        }
    }

    /// The session with a peer takes another way.
    pub(super) fn way_changed(&mut self, now: Instant, peer: PeerId, route: Route) {
        let kind = self.kind_of(route);
        if let Some(ways) = self.ways.with.get_mut(&peer) {
            ways.on_way(now, route, kind);
        }
        self.note_way(peer);
    }

    /// Takes note of whether the call with a peer is relayed, for the window; when that changes, it is told.
    pub(super) fn note_way(&mut self, peer: PeerId) {
        if !self.call.is_up_with(peer) {
            return;
        }
        let Some(relayed) = self.node.peer_is_relayed(peer) else { return };
        let words = if relayed { "relayed" } else { "direct" };
        words.clone_into(&mut self.media.quality.route);
        if self.ways.relayed.insert(peer, relayed).is_some_and(|before| before != relayed) {
            self.tell(Event::WayChanged { peer, relayed });
        }
    }

    /// A call is over.
    pub(super) fn forget_way(&mut self, peer: PeerId) {
        self.ways.relayed.remove(&peer);
    }
}

/// Whether an address can be somebody's to others.
fn is_of_use(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let is_link_local = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_link_local && !is_broadcast
}
