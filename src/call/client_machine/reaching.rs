//! Ports that a TURN server lends: when they are needed, and whether they still work; and why a server does not answer.
//!
//! An idle person costs nobody anything: ports are borrowed while a server does not answer directly, while somebody is
//! dialled, and for as long as something goes over them; a while later they are given back.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{ClientEvent, ClientMachine};
use crate::call::lifecycle::Phase;
use crate::call::reach_watch::{ReachFound, ReachWatch};
use crate::call::view::{Reach, TurnView};
use crate::netconnection::node::{AnsweredProbe, ConnectionId, Whose};
use crate::rtmfp::machine::{PathId, PathKind, Received, Route};

/// A server that has not answered directly within this is asked over a lent port too.
const DIRECT_FIRST: Duration = Duration::from_millis(500);
/// Ports that nothing needs are given back after this: a call may be tried again, or get worse.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// How often a server is asked over a lent port whether it hears us, so that it can tell others of that address.
const PROBE_EVERY: Duration = Duration::from_secs(20);
/// How often a server that is reached over a lent port is tried directly: UDP may be let through again, or this computer
/// be on another network.
const DIRECT_EVERY: Duration = Duration::from_secs(60);
/// How often what is needed is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the machine knows of lent ports.
#[derive(Debug, Default)]
pub(super) struct Reaching {
    pub(super) watch: ReachWatch,
    /// How borrowing goes, as the doer says.
    turn: TurnView,
    /// A TURN server is set.
    configured: bool,
    needed_until: Option<Instant>,
    asked_for: bool,
    lent: Vec<PathId>,
    probe_at: Option<Instant>,
    /// When servers that are reached over a lent port are tried directly.
    direct_at: Option<Instant>,
    /// Connections whose lent port is gone: they take the next one that works.
    orphaned: BTreeSet<ConnectionId>,
    shown: Reach,
    look_at: Option<Instant>,
}

impl Reaching {
    pub(super) fn new(configured: bool) -> Self {
        Self { configured, ..Self::default() }
    }

    pub(super) fn turn(&self) -> &TurnView {
        &self.turn
    }
}

impl ClientMachine {
    /// The ways on which these addresses can be reached from here.
    pub(super) fn routes(&self, addresses: &[SocketAddr]) -> Vec<Route> {
        addresses.iter().flat_map(|address| self.node.ways_to(*address)).collect()
    }

    /// Another TURN server is set, or none.
    pub(super) fn set_turn(&mut self, configured: bool) {
        self.reaching.configured = configured;
    }

    /// The doer says how borrowing goes.
    pub(super) fn turn_told(&mut self, view: TurnView) {
        self.reaching.turn = view;
    }

    pub(super) fn reach_found(&mut self, found: ReachFound) {
        self.reaching.watch.found(found);
    }

    pub(super) fn why_no_answer(&self, now: Instant) -> Reach {
        self.reaching.watch.reach(now)
    }

    pub(super) fn port_lent(&mut self, now: Instant, path: PathId, kind: PathKind) {
        if kind == PathKind::Relayed {
            self.reaching.lent.push(path);
            self.reaching.probe_at = Some(now);
            self.reaching.direct_at.get_or_insert(now + DIRECT_EVERY);
            self.dirty = true;
        }
    }

    /// To be said before the node hears of it, which moves what went over it.
    pub(super) fn port_gone(&mut self, path: PathId) {
        if !self.reaching.lent.contains(&path) {
            return;
        }
        self.reaching.lent.retain(|lent| *lent != path);
        let connections = self.servers.all().filter_map(|(_, server)| server.connected());
        let over_it = connections
            .filter(|id| self.node.connection_route(*id).is_some_and(|route| route.via == path))
            .collect::<Vec<_>>();
        self.reaching.orphaned.extend(over_it);
        self.dirty = true;
    }

    /// Whether UDP gets through shows in what comes over our own sockets from other computers.
    pub(super) fn note_received(&mut self, received: &Received<'_>) {
        let Route { via, address } = received.route;
        if !address.ip().is_loopback() && !self.reaching.lent.contains(&via) {
            self.reaching.watch.heard();
        }
    }

    /// Asks for ports while they are needed, and for what can be found out while the server does not answer.
    pub(super) fn tick_reaching(&mut self, now: Instant) {
        // Called with every packet; what it looks at changes with what the person sees, or with time.
        if !self.dirty && self.reaching.look_at.is_some_and(|at| at > now) {
            return;
        }
        self.reaching.look_at = Some(now + LOOK_EVERY);
        let reach = self.why_no_answer(now);
        self.dirty |= std::mem::replace(&mut self.reaching.shown, reach) != reach;
        if self.reaching.watch.take_check(now) {
            let addresses = self.servers.home.addresses().to_vec();
            self.told.push_back(ClientEvent::CheckReach(addresses));
        }
        if self.needs_port(now) {
            self.reaching.needed_until = Some(now + KEPT_FOR);
        }
        let wanted = self.reaching.configured
            && self.leaving.is_none()
            && self.reaching.needed_until.is_some_and(|until| until > now);
        if std::mem::replace(&mut self.reaching.asked_for, wanted) != wanted {
            self.told.push_back(ClientEvent::PortWanted(wanted));
        }
        if self.reaching.probe_at.is_some_and(|at| at <= now) {
            self.reaching.probe_at = (!self.reaching.lent.is_empty()).then(|| now + PROBE_EVERY);
            self.probe_servers(now);
        }
        if self.reaching.direct_at.is_some_and(|at| at <= now) {
            self.reaching.direct_at = (!self.reaching.lent.is_empty()).then(|| now + DIRECT_EVERY);
            self.try_servers_directly(now);
        }
    }

    pub(super) fn reaching_deadline(&self, now: Instant) -> Option<Instant> {
        let reaching = &self.reaching;
        let kept = reaching.needed_until.filter(|_| reaching.asked_for);
        let first = reaching.watch.lasts(now).filter(|lasts| reaching.configured && *lasts < DIRECT_FIRST);
        let first = first.map(|lasts| now + (DIRECT_FIRST - lasts));
        let own = [reaching.probe_at, reaching.direct_at];
        let next = own.into_iter().chain([reaching.watch.deadline(now), kept, first]).flatten().min();
        next.map(|at| reaching.look_at.map_or(at, |look| at.max(look)))
    }

    fn needs_port(&self, now: Instant) -> bool {
        if !self.reaching.configured {
            return false;
        }
        let no_answer = self.reaching.watch.lasts(now).is_some_and(|lasts| lasts >= DIRECT_FIRST);
        let dials = matches!(
            self.call.phase(),
            Phase::Looking { .. } | Phase::Connecting { .. } | Phase::Waiting { .. }
        );
        no_answer || dials || self.uses_port()
    }

    /// Whether a server or a peer is reached over a lent port now.
    fn uses_port(&self) -> bool {
        let is_lent =
            |route: Option<Route>| route.is_some_and(|route| self.reaching.lent.contains(&route.via));
        let mut connections = self.servers.all().filter_map(|(_, server)| server.connected());
        connections.any(|connection| is_lent(self.node.connection_route(connection)))
            || self.links.keys().any(|peer| is_lent(self.node.peer_route(*peer)))
    }

    /// Asks each server that knows what a probe is over each lent port: it sees that address then, proves it, and tells it
    /// to who looks for us.
    fn probe_servers(&mut self, now: Instant) {
        for (connection, ways, taken) in self.ways_to_servers() {
            let is_new = |route: &Route| self.reaching.lent.contains(&route.via) && Some(route.via) != taken;
            let ways: Vec<Route> = ways.into_iter().filter(is_new).collect();
            self.node.probe(now, Whose::Connection(connection), &ways);
        }
    }

    /// Asks each server that is reached over a lent port over our own sockets: who answers is moved there.
    fn try_servers_directly(&mut self, now: Instant) {
        for (connection, ways, taken) in self.ways_to_servers() {
            if taken.is_some_and(|via| self.reaching.lent.contains(&via)) {
                let own = ways.into_iter().filter(|route| !self.reaching.lent.contains(&route.via));
                self.node.probe(now, Whose::Connection(connection), &own.collect::<Vec<_>>());
            }
        }
    }

    /// Of each server that knows what a probe is: the ways there, and over which path it is reached now.
    fn ways_to_servers(&self) -> Vec<(ConnectionId, Vec<Route>, Option<PathId>)> {
        let probing = self.servers.all().filter_map(|(_, server)| Some((server.probes()?, server)));
        let ways = probing.map(|(connection, server)| {
            let ways = server.addresses().iter().flat_map(|address| self.node.ways_to(*address));
            let taken = self.node.connection_route(connection).map(|route| route.via);
            (connection, ways.collect(), taken)
        });
        ways.collect()
    }

    /// A server answered a probe. A connection that lost a lent port goes on over the one that works, and one that goes
    /// over a lent port goes back to our own socket.
    pub(super) fn server_way_answered(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        answered: &AnsweredProbe,
    ) {
        let is_lent = |via: &PathId| self.reaching.lent.contains(via);
        let taken = self.node.connection_route(connection).map(|route| route.via);
        let goes_direct = taken.is_some_and(|via| is_lent(&via)) && !is_lent(&answered.route.via);
        if self.reaching.orphaned.remove(&connection) || goes_direct {
            self.node.take_way(now, answered);
        }
    }
}
