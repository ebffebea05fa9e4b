//! Those on the local network: who is there by their own word, and that they are called at their addresses, without a server.
//!
//! What is said on a local network is believed only as a place to ask: whoever answers there proves the peer ID by a key,
//! or is nobody. Their names are hints like those on a server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::ClientMachine;
use crate::call::messages::clean_name;
use crate::call::view::NearbyPerson;
use crate::netconnection::node::OwnIdentity;
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::Route;

/// Those remembered at once.
const MOST_NEARBY: usize = 64;
/// Addresses of each.
const MOST_ADDRESSES: usize = 16;

/// Somebody on the local network, as they say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SomebodyNearby {
    /// Who.
    pub peer: PeerId,
    /// Under which name.
    pub name: String,
    /// Where.
    pub addresses: Vec<SocketAddr>,
}

/// Those on the local network.
#[derive(Debug, Default)]
pub(super) struct NearbySide {
    at: BTreeMap<PeerId, Vec<SocketAddr>>,
    /// For the window, in the order of their names.
    shown: Arc<Vec<NearbyPerson>>,
}

impl ClientMachine {
    /// Who is on the local network now: all of them.
    pub(super) fn set_nearby(&mut self, now: Instant, people: Vec<SomebodyNearby>) {
        let people = if self.hides_address() { vec![] } else { people };
        let others = people.into_iter().filter(|somebody| !self.is_me(somebody.peer)).take(MOST_NEARBY);
        let mut shown = Vec::new();
        let mut at = BTreeMap::new();
        for SomebodyNearby { peer, name, mut addresses } in others {
            addresses.truncate(MOST_ADDRESSES);
            let name = Some(clean_name(&name)).filter(|name| !name.is_empty());
            shown.push(NearbyPerson { name: name.unwrap_or_else(|| peer.short()), peer_id: peer });
            at.insert(peer, addresses);
        }
        shown.sort_by_cached_key(|person| (person.name.to_lowercase(), person.peer_id));
        let before = std::mem::replace(&mut self.nearby, NearbySide { at, shown: Arc::new(shown) });
        let came: Vec<PeerId> =
            self.nearby.at.keys().filter(|peer| !before.at.contains_key(peer)).copied().collect();
        for peer in came {
            self.came_online(now, peer);
            self.hurry_lines(now, peer);
        }
        self.show_people();
    }

    pub(super) fn is_nearby(&self, peer: PeerId) -> bool {
        self.nearby.at.contains_key(&peer)
    }

    /// What somebody calls themselves on the local network.
    pub(super) fn name_nearby(&self, peer: PeerId) -> Option<&str> {
        let person = self.nearby.shown.iter().find(|person| person.peer_id == peer);
        person.map(|person| person.name.as_str())
    }

    pub(super) fn anybody_nearby(&self) -> bool {
        !self.nearby.at.is_empty()
    }

    pub(super) fn nearby_shown(&self) -> Arc<Vec<NearbyPerson>> {
        Arc::clone(&self.nearby.shown)
    }

    /// Where somebody is tried besides asking servers for them: where they were last, where a link said, and on the local
    /// network.
    pub(super) fn places_of(&self, peer: PeerId) -> Vec<Route> {
        let nearby = self.nearby.at.get(&peer).map(Vec::as_slice).unwrap_or_default();
        let mut places = self.routes(nearby);
        places.extend(self.routes(&self.hints));
        places.extend(self.found_at(peer).filter(|_| self.own_for(peer) == OwnIdentity::Main));
        places.extend(self.last_at(peer));
        if self.hides_address() {
            places.retain(|place| self.node.is_relayed(*place));
        }
        places
    }
}
