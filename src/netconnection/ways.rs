//! Other ways for the sessions with peers, servers and clients: probing them, taking them, and what kind they are.

use std::net::SocketAddr;
use std::time::Instant;

use super::event::Whose;
use super::ids::ConnectionId;
use super::node::{Node, NodeEvent};
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::SessionKey;
use crate::rtmfp::machine::Route;

impl Node {
    /// Asks whether other ways to a far end work, in every session of that name; [`NodeEvent::ProbeAnswered`] tells of each
    /// that does. See [`crate::rtmfp::Endpoint::probe`]: only for far ends that know what a probe is.
    pub fn probe(&mut self, now: Instant, whose: Whose, routes: &[Route]) {
        for session in self.sessions_of(whose) {
            self.endpoint.probe(now, session, routes);
        }
    }

    /// Lets the session with a far end take a way that [`NodeEvent::ProbeAnswered`] told of, in the session that it told
    /// of. The far end follows. See [`crate::rtmfp::Endpoint::move_session`].
    pub fn take_way(&mut self, now: Instant, answered: &AnsweredProbe) {
        let AnsweredProbe { session, route, round_trip } = *answered;
        self.endpoint.move_session(now, session, route, Some(round_trip));
    }

    /// Whether the way that the direct session with a peer takes leads over a relay; none when there is no session.
    pub fn peer_is_relayed(&self, peer: PeerId) -> Option<bool> {
        self.peer_route(peer).map(|route| self.endpoint.is_relayed(route))
    }

    /// The way that a session takes, once it is open.
    pub fn route_of(&self, session: SessionKey) -> Option<Route> {
        self.endpoint.route(session)
    }

    /// Whether we are the end that decides which way the sessions with a peer take, as one of the two has to: the one with
    /// the lower peer ID.
    pub fn decides_ways(&self, peer: PeerId) -> bool {
        let own = self.direct_session(peer).and_then(|session| self.endpoint.own_identity(session));
        own.and_then(|own| self.endpoint.peer_id_of(own)).is_some_and(|near| near < peer)
    }

    /// The way that the session of a connection takes, as client or as server, once it is open.
    pub fn connection_route(&self, connection: ConnectionId) -> Option<Route> {
        self.endpoint.route(self.connections.get(&connection)?.session)
    }

    /// Whether a way leads over a relay.
    pub fn is_relayed(&self, route: Route) -> bool {
        self.endpoint.is_relayed(route)
    }

    /// Somebody says that an address is a relay's.
    pub fn note_relay(&mut self, address: SocketAddr) {
        self.endpoint.note_relay(address);
    }

    /// The ways to an address over each of our paths; see [`crate::rtmfp::Endpoint::ways_to`].
    pub fn ways_to(&self, address: SocketAddr) -> Vec<Route> {
        self.endpoint.ways_to(address)
    }

    /// Whether others may learn of us over relays only; see [`crate::rtmfp::Endpoint::set_relay_only`]. Servers are told no
    /// addresses of ours then, and those of Tincan are asked to tell nobody where they see us.
    pub fn set_relay_only(&mut self, now: Instant, relay_only: bool) {
        if self.endpoint.is_relay_only() == relay_only {
            return;
        }
        self.endpoint.set_relay_only(relay_only);
        for connection in self.connections.keys().copied().collect::<Vec<_>>() {
            self.tell_relay_only(now, connection);
        }
    }

    pub(super) fn on_probe_answered(&mut self, answered: AnsweredProbe) {
        if let Some(whose) = self.whose(answered.session) {
            self.tell(NodeEvent::ProbeAnswered { whose, answered });
        }
    }

    pub(super) fn on_probed_from(&mut self, session: SessionKey, route: Route) {
        if let Some(whose) = self.whose(session) {
            self.tell(NodeEvent::ProbedFrom { whose, route });
        }
    }

    fn sessions_of(&self, whose: Whose) -> Vec<SessionKey> {
        match whose {
            Whose::Peer(peer) => self.direct_sessions(peer).map(|(key, _)| key).collect(),
            Whose::Connection(id) => {
                self.connections.get(&id).map(|found| found.session).into_iter().collect()
            }
        }
    }

    fn whose(&self, key: SessionKey) -> Option<Whose> {
        let session = self.sessions.get(&key)?;
        let peer = session.far_end?.peer;
        match session.connection {
            Some(connection) => Some(Whose::Connection(connection)),
            None => session.is_direct_with(peer).then_some(Whose::Peer(peer)),
        }
    }
}

/// A probe that was answered: a way that works, and is as long as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AnsweredProbe {
    /// In which session.
    pub session: SessionKey,
    /// The way.
    pub route: Route,
    /// How long the answer took.
    pub round_trip: std::time::Duration,
}
