//! What a program notices of the network and tells its node, so that nobody waits for timeouts: its own network changed, or
//! a far end is silent that should be heard.

use std::time::{Duration, Instant};

use super::ids::{ConnectionId, OwnIdentity};
use super::node::Node;
use super::session::Origin;
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::SessionKey;
use crate::rtmfp::machine::Route;

impl Node {
    /// This computer's network is another one than before: every far end is asked for a sign of life over it, and learns
    /// our new address by that. Who does not answer within `doubt` is gone.
    pub fn network_changed(&mut self, now: Instant, doubt: Duration) {
        let open = self.sessions.iter().filter(|(_, session)| session.far_end.is_some() && !session.closing);
        for key in open.map(|(key, _)| *key).collect::<Vec<SessionKey>>() {
            self.endpoint.network_changed(now, key, doubt);
        }
        let opening: Vec<SessionKey> =
            self.sessions.iter().filter(|(_, s)| s.far_end.is_none()).map(|(key, _)| *key).collect();
        for key in opening {
            self.endpoint.hurry(now, key);
        }
    }

    /// A peer should have been heard by now: unless it answers within `doubt`, its session is over.
    pub fn doubt_peer(&mut self, now: Instant, peer: PeerId, doubt: Duration) {
        let sessions: Vec<SessionKey> = self.direct_sessions(peer).map(|(key, _)| key).collect();
        for key in sessions {
            self.endpoint.doubt(now, key, doubt);
        }
    }

    /// A server should have been heard by now: unless it answers within `doubt`, the connection is over.
    pub fn doubt_connection(&mut self, now: Instant, connection: ConnectionId, doubt: Duration) {
        if let Some(connection) = self.connections.get(&connection) {
            self.endpoint.doubt(now, connection.session, doubt);
        }
    }

    /// An attempt at reaching a peer that is under way asks everybody again at once: the servers that we are connected to
    /// by now, and `candidates`. Without such an attempt nothing happens.
    pub fn hurry_peer(&mut self, now: Instant, own: OwnIdentity, peer: PeerId, candidates: &[Route]) {
        let opening = self.sessions.iter().find(|(_, session)| {
            session.origin == Origin::ToPeer(peer) && session.far_end.is_none() && !session.closing
        });
        if let Some((key, _)) = opening {
            let key = *key;
            let candidates = self.candidates_with_introducers(own, candidates);
            self.endpoint.add_candidates(now, key, &candidates);
            self.endpoint.hurry(now, key);
        }
    }
}
