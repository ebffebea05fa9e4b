//! What becomes of connections and calls when this computer's network changes, or a far end falls silent in a call.
//!
//! Sessions follow a new address by themselves once something is sent from there; here it is sent at once, and whoever
//! does not answer soon is dialled anew, through a server or where they were last. Two whose addresses change at once find
//! each other again in that way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::Route;

/// After a change, who does not answer within this is dialled anew. A few round trips of a long way, since the first packets
/// on a new network are often lost. Servers have no longer: one that was started anew must introduce us again.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_200);
/// In a call each end says something every second. Silence that lasts longer is a bad sign.
const LATE: Duration = Duration::from_millis(1_250);
/// Who is late must answer within this, or is dialled anew.
const LATE_ANSWER_WITHIN: Duration = Duration::from_millis(1_000);
/// And servers then within this: they come first, since they must introduce us.
const LATE_SERVERS_ANSWER_WITHIN: Duration = Duration::from_millis(700);
/// While somebody is being dialled anew, a server that could introduce us is not waited for any longer.
const LONGEST_WAIT_IN_NEED: Duration = Duration::from_secs(2);

/// What is remembered of the network.
#[derive(Debug, Default)]
pub(super) struct NetworkSide {
    /// Our own addresses were told at least once.
    is_known: bool,
    /// The router lends us this address.
    mapped: Option<SocketAddr>,
    /// Where those in a call with us were last.
    last_at: BTreeMap<PeerId, Route>,
}

impl ClientMachine {
    /// Where this computer can be reached from now on.
    pub(super) fn set_local_addresses(&mut self, now: Instant, addresses: Vec<SocketAddr>) {
        let changed = self.local != addresses;
        let first = !std::mem::replace(&mut self.network.is_known, true);
        self.local = addresses;
        self.tell_own_addresses(now);
        // Without any address nothing could be sent.
        if changed && !first && !self.local.is_empty() {
            self.network_changed(now);
        }
    }

    /// The router lends us an address, another one, or none any more.
    pub(super) fn set_mapped_address(&mut self, now: Instant, mapped: Option<SocketAddr>) {
        self.network.mapped = mapped;
        self.tell_own_addresses(now);
    }

    /// Where others may know that we can be reached: our own addresses, and the one that the router lends.
    pub(super) fn own_addresses(&self) -> Vec<SocketAddr> {
        if self.hides_address() {
            return vec![];
        }
        let mut all = self.local.clone();
        all.extend(self.network.mapped.filter(|mapped| !all.contains(mapped)));
        all
    }

    /// Tells every server where we can be reached.
    pub(super) fn tell_own_addresses(&mut self, now: Instant) {
        let addresses = self.own_addresses();
        let connected: Vec<_> = self.servers.all().filter_map(|(_, server)| server.connected()).collect();
        for connection in connected {
            self.node.set_peer_info(now, connection, &addresses);
        }
    }

    /// A server came: those who are being dialled may be found through it.
    pub(super) fn hurry_all_lines(&mut self, now: Instant) {
        let dialling = self.links.iter().filter(|(_, lines)| lines.link.is_dialling()).map(|(peer, _)| *peer);
        for peer in dialling.collect::<Vec<_>>() {
            self.hurry_lines(now, peer);
        }
    }

    /// The network is another one, or is back, or the computer slept: nothing that was measured or waited for counts.
    pub(super) fn network_changed(&mut self, now: Instant) {
        tracing::info!("the network has changed");
        self.node.network_changed(now, ANSWER_WITHIN);
        self.hurry_servers(now);
        for peer in self.call.up().collect::<Vec<_>>() {
            self.hurry_lines(now, peer);
        }
        let effects = self.call.redial_now(now);
        self.carry_out(now, effects);
    }

    /// Looks at a far end of a call that is up: notes where it is, and doubts it when it is late.
    pub(super) fn look_for_silence(&mut self, now: Instant, peer: PeerId) {
        if let Some(route) = self.node.peer_route(peer) {
            self.network.last_at.insert(peer, route);
        }
        if self.is_late(now, peer) {
            self.look_for_a_way(now, peer);
            self.node.doubt_peer(now, peer, LATE_ANSWER_WITHIN);
            // A router that forgot us in front of one of the two forgot the servers too, and they must introduce us: so must
            // one that was started anew and knows neither of us.
            let servers = self.servers.all().filter_map(|(_, server)| server.connected());
            for connection in servers.collect::<Vec<_>>() {
                self.node.doubt_connection(now, connection, LATE_SERVERS_ANSWER_WITHIN);
            }
        }
    }

    fn is_late(&self, now: Instant, peer: PeerId) -> bool {
        self.call.late_for(now, peer).is_some_and(|late| late >= LATE)
    }

    /// Whether somebody in a call with us must be found anew, or soon will have to be.
    pub(super) fn needs_introducers(&self, now: Instant) -> bool {
        self.call.is_redialling() || self.call.up().any(|peer| self.is_late(now, peer))
    }

    /// Where somebody is tried who was just in a call with us.
    pub(super) fn last_at(&self, peer: PeerId) -> Option<Route> {
        self.network.last_at.get(&peer).copied()
    }

    /// A call is over: where its far end was is nobody's business any more.
    pub(super) fn forget_where(&mut self, peer: PeerId) {
        self.network.last_at.remove(&peer);
    }

    /// An attempt at getting lost lines back asks everybody again.
    pub(super) fn hurry_lines(&mut self, now: Instant, peer: PeerId) {
        let own = self.own_for(peer);
        let candidates = self.places_of(peer);
        self.node.hurry_peer(now, own, peer, &candidates);
    }

    /// The longest wait before the next try at a server.
    pub(super) fn longest_wait(&self, usual: Duration) -> Duration {
        if self.call.is_redialling() { usual.min(LONGEST_WAIT_IN_NEED) } else { usual }
    }
}
