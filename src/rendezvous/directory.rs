//! Who is here: people by connection, by peer ID and by name.
//!
//! Silence is noticed below, by the session's own keepalives; whoever's session is over has left.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::presence::{MOST_WATCHED, State};
use crate::netconnection::UserName;
use crate::netconnection::node::ConnectionId;
use crate::rtmfp::{PeerId, Route};

/// Who may find somebody. Chosen by that person.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Visibility {
    /// In the list that everybody here can ask for.
    Everyone,
    /// By name or peer ID, but not in the list. What a program that never says anything gets.
    #[default]
    Known,
    /// By nobody: neither looked up nor seen. Who has the peer ID is still introduced, and can call.
    Nobody,
}

impl Visibility {
    /// From the word on the wire.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "everyone" => Some(Self::Everyone),
            "known" => Some(Self::Known),
            "nobody" => Some(Self::Nobody),
            _ => None,
        }
    }
}

/// Somebody who is connected.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their fingerprint, proven.
    pub peer: PeerId,
    /// What they are called here.
    pub name: UserName,
    /// Where they were seen.
    pub route: Route,
    /// Where they say they are; at most [`MOST_REPORTED`].
    pub reported: Vec<SocketAddr>,
    /// Further addresses at which they were proven to be, such as relays of their own, and until when that counts. At most
    /// [`MOST_PROVEN`].
    pub proven: Vec<(SocketAddr, Instant)>,
    /// They want nobody to learn where they are: others meet them at a relay, or not at all.
    pub relay_only: bool,
    /// Their program tries relays only when direct ways had their chance.
    pub tries_relays_last: bool,
    /// Who may find them.
    pub visibility: Visibility,
    /// Whether they want to hear when the list changes.
    pub watches: bool,
    /// What they are doing.
    pub state: State,
    /// They said what they are doing, or had time to.
    pub settled: bool,
    /// Whose state they want to hear, in order; at most [`MOST_WATCHED`].
    pub watched: Vec<PeerId>,
}

impl Person {
    /// Somebody who just came.
    pub fn new(peer: PeerId, name: UserName, route: Route) -> Self {
        Self {
            peer,
            name,
            route,
            reported: Vec::new(),
            proven: Vec::new(),
            relay_only: false,
            tries_relays_last: false,
            visibility: Visibility::default(),
            watches: false,
            state: State::default(),
            settled: false,
            watched: Vec::new(),
        }
    }

    fn forget_old_proofs(&mut self, now: Instant) {
        self.proven.retain(|(_, until)| *until > now);
    }
}

/// Why somebody cannot come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoEntry {
    /// Somebody else is here by that name.
    NameTaken,
    /// As many are here as may be.
    Full,
}

/// Everybody who is here.
#[derive(Debug)]
pub struct Directory {
    people: BTreeMap<ConnectionId, Person>,
    by_peer: BTreeMap<PeerId, ConnectionId>,
    by_name: BTreeMap<UserName, ConnectionId>,
    by_route: BTreeMap<Route, ConnectionId>,
    /// Who is watched by whom: a change must not be looked for in everybody's list.
    watchers: BTreeMap<PeerId, BTreeSet<ConnectionId>>,
    most: usize,
}

impl Directory {
    /// Nobody yet, and never more than `most`.
    pub fn new(most: usize) -> Self {
        let (people, by_peer, by_name, by_route, watchers) = Default::default();
        Self { people, by_peer, by_name, by_route, watchers, most }
    }

    /// Changes how many may be here; nobody is sent away.
    pub fn set_most(&mut self, most: usize) {
        self.most = most;
    }

    /// Lets somebody in. The same peer ID coming back replaces its older connection, which is returned, and is to be closed.
    ///
    /// # Errors
    /// [`NoEntry`]; nothing is changed then.
    pub fn enter(
        &mut self,
        connection: ConnectionId,
        person: Person,
    ) -> Result<Option<(ConnectionId, Person)>, NoEntry> {
        let older = self.by_peer.get(&person.peer).copied();
        if self.by_name.get(&person.name).is_some_and(|holder| Some(*holder) != older) {
            return Err(NoEntry::NameTaken);
        }
        if older.is_none() && self.people.len() >= self.most {
            return Err(NoEntry::Full);
        }
        let replaced = older.and_then(|older| Some((older, self.leave(older)?)));
        self.by_peer.insert(person.peer, connection);
        self.by_name.insert(person.name.clone(), connection);
        self.by_route.insert(person.route, connection);
        self.people.insert(connection, person);
        Ok(replaced)
    }

    /// Somebody is gone.
    pub fn leave(&mut self, connection: ConnectionId) -> Option<Person> {
        self.set_watched(connection, std::iter::empty());
        let person = self.people.remove(&connection)?;
        self.by_peer.remove(&person.peer);
        self.by_name.remove(&person.name);
        self.forget_route(connection, person.route);
        Some(person)
    }

    /// Another of the same program may be seen there by now.
    fn forget_route(&mut self, connection: ConnectionId, route: Route) {
        if self.by_route.get(&route) == Some(&connection) {
            self.by_route.remove(&route);
        }
    }

    /// Somebody told where they can be reached.
    pub fn set_reported(&mut self, connection: ConnectionId, addresses: &[SocketAddr]) {
        if let Some(person) = self.people.get_mut(&connection) {
            person.reported = addresses.iter().copied().take(MOST_REPORTED).collect();
        }
    }

    /// Somebody is seen at another address.
    pub fn set_route(&mut self, peer: PeerId, route: Route) {
        let Some(connection) = self.by_peer.get(&peer).copied() else { return };
        let Some(person) = self.people.get_mut(&connection) else { return };
        let before = std::mem::replace(&mut person.route, route);
        self.forget_route(connection, before);
        self.by_route.insert(route, connection);
    }

    /// Somebody was proven to be at this address too. Of their own network's addresses this is no news.
    pub fn add_proven(&mut self, now: Instant, connection: ConnectionId, address: SocketAddr) -> bool {
        let Some(person) = self.people.get_mut(&connection) else { return false };
        person.forget_old_proofs(now);
        if address.ip() == person.route.address.ip() {
            return false;
        }
        person.proven.retain(|(known, _)| *known != address);
        person.proven.push((address, now + PROOF_COUNTS));
        person.proven.drain(..person.proven.len().saturating_sub(MOST_PROVEN));
        true
    }

    /// What was proven of somebody too long ago counts no longer.
    pub fn forget_old_proofs(&mut self, now: Instant, peer: PeerId) {
        let connection = self.by_peer.get(&peer);
        if let Some(person) = connection.and_then(|connection| self.people.get_mut(connection)) {
            person.forget_old_proofs(now);
        }
    }

    /// Somebody wants nobody to learn where they are, or does not mind any more.
    pub fn set_relay_only(&mut self, connection: ConnectionId, relay_only: bool) {
        if let Some(person) = self.people.get_mut(&connection) {
            person.relay_only = relay_only;
        }
    }

    /// Who is seen there.
    pub fn at(&self, route: Route) -> Option<&Person> {
        self.people.get(self.by_route.get(&route)?)
    }

    /// Somebody chose who may find them. Whether the list changed.
    pub fn set_visibility(&mut self, connection: ConnectionId, visibility: Visibility) -> bool {
        let Some(person) = self.people.get_mut(&connection) else { return false };
        let before = std::mem::replace(&mut person.visibility, visibility);
        (before == Visibility::Everyone) != (visibility == Visibility::Everyone)
    }

    /// Somebody says what they are doing. Whether that, or that they are here, is news.
    pub fn set_state(&mut self, connection: ConnectionId, state: State) -> bool {
        let Some(person) = self.people.get_mut(&connection) else { return false };
        let was_settled = std::mem::replace(&mut person.settled, true);
        std::mem::replace(&mut person.state, state) != state || !was_settled
    }

    /// Somebody had time to say what they are doing. Whether it is news that they are here.
    pub fn settle(&mut self, peer: PeerId) -> bool {
        let connection = self.by_peer.get(&peer);
        let person = connection.and_then(|connection| self.people.get_mut(connection));
        person.is_some_and(|person| !std::mem::replace(&mut person.settled, true))
    }

    /// What somebody is doing, for those who have the peer ID; `None` when they are not here, or not to be seen.
    pub fn state_of(&self, peer: PeerId) -> Option<State> {
        let person = self.people.get(self.by_peer.get(&peer)?)?;
        (person.settled && person.visibility != Visibility::Nobody).then_some(person.state)
    }

    /// Somebody wants to hear what these are doing, and nobody else any more. Those beyond [`MOST_WATCHED`] are left out.
    pub fn set_watched(&mut self, connection: ConnectionId, peers: impl Iterator<Item = PeerId>) {
        let Some(person) = self.people.get_mut(&connection) else { return };
        for peer in person.watched.drain(..) {
            if let Some(watchers) = self.watchers.get_mut(&peer) {
                watchers.remove(&connection);
                if watchers.is_empty() {
                    self.watchers.remove(&peer);
                }
            }
        }
        person.watched = peers.take(MOST_WATCHED).collect();
        person.watched.sort_unstable();
        person.watched.dedup();
        for peer in &person.watched {
            self.watchers.entry(*peer).or_default().insert(connection);
        }
    }

    /// Those who want to hear what somebody is doing.
    pub fn watchers_of(&self, peer: PeerId) -> impl Iterator<Item = ConnectionId> {
        self.watchers.get(&peer).into_iter().flatten().copied()
    }

    /// Somebody wants to hear when the list changes.
    pub fn watch(&mut self, connection: ConnectionId) {
        if let Some(person) = self.people.get_mut(&connection) {
            person.watches = true;
        }
    }

    /// Those who want to hear when the list changes.
    pub fn watchers(&self) -> Vec<ConnectionId> {
        let watching = self.people.iter().filter(|(_, person)| person.watches);
        watching.map(|(connection, _)| *connection).collect()
    }

    /// Everybody's connections.
    pub fn connections(&self) -> Vec<ConnectionId> {
        self.people.keys().copied().collect()
    }

    /// Who is behind a connection.
    pub fn person(&self, connection: ConnectionId) -> Option<&Person> {
        self.people.get(&connection)
    }

    /// Finds who may be found, by a name or 64 hexadecimal digits, as somebody wrote them.
    pub fn look_up(&self, whom: &str) -> Option<&Person> {
        let connection = match whom.parse::<PeerId>() {
            Ok(peer) => self.by_peer.get(&peer),
            Err(_) => self.by_name.get(&UserName::new(whom).ok()?),
        };
        self.people.get(connection?).filter(|person| person.visibility != Visibility::Nobody)
    }

    /// Finds who is to be introduced to a caller who has the peer ID, and over which connection they are reached.
    pub fn introducible(&self, peer: PeerId) -> Option<(ConnectionId, &Person)> {
        let connection = *self.by_peer.get(&peer)?;
        Some((connection, self.people.get(&connection)?))
    }

    /// Those in the list, in the order of their names; no more than [`LONGEST_LIST`].
    pub fn listed(&self) -> impl Iterator<Item = &Person> {
        let people = self.by_name.values().filter_map(|connection| self.people.get(connection));
        people.filter(|person| person.visibility == Visibility::Everyone).take(LONGEST_LIST)
    }

    /// How many are here.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

/// More addresses than any usual computer has; what is beyond is not remembered.
pub const MOST_REPORTED: usize = 8;
/// A relay for each family of addresses, and one of each from before.
pub const MOST_PROVEN: usize = 4;
/// Whoever has a relay of their own shows it every 20 seconds.
const PROOF_COUNTS: Duration = Duration::from_secs(50);
/// A list longer than this is no use to a person, and its answer would be a large message for a small question.
pub const LONGEST_LIST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::PathId;

    fn person(peer: u8, name: &str) -> Person {
        let route = Route { via: PathId(0), address: SocketAddr::from(([192, 0, 2, peer], 4000)) };
        Person::new(PeerId([peer; 32]), UserName::new(name).unwrap(), route)
    }

    fn with(people: &[(u64, u8, &str)]) -> Directory {
        let mut directory = Directory::new(3);
        for (connection, peer, name) in people {
            directory.enter(ConnectionId(*connection), person(*peer, name)).unwrap();
        }
        directory
    }

    #[test]
    fn somebody_is_found_by_name_in_any_case_and_by_peer_id() {
        let directory = with(&[(1, 1, "Ada"), (2, 2, "Bob")]);
        assert_eq!(directory.look_up("ADA").unwrap().peer, PeerId([1; 32]));
        assert_eq!(directory.look_up(&PeerId([2; 32]).to_string()).unwrap().name.as_str(), "Bob");
        assert!(directory.look_up("Cleo").is_none());
        assert!(directory.look_up("a\u{202E}b").is_none());
    }

    #[test]
    fn a_name_belongs_to_one_person_at_a_time() {
        let mut directory = with(&[(1, 1, "Ada")]);
        assert_eq!(directory.enter(ConnectionId(2), person(2, "ada")).unwrap_err(), NoEntry::NameTaken);
        directory.leave(ConnectionId(1));
        assert!(directory.enter(ConnectionId(3), person(2, "ada")).is_ok());
    }

    #[test]
    fn the_same_peer_coming_back_replaces_its_older_connection() {
        let mut directory = with(&[(1, 1, "Ada"), (2, 2, "Bob"), (3, 3, "Cleo")]);
        let (older, _) = directory.enter(ConnectionId(4), person(1, "Ada B")).unwrap().unwrap();
        assert_eq!(older, ConnectionId(1));
        assert!(directory.leave(older).is_none());
        assert!(directory.look_up("Ada").is_none());
        assert_eq!(directory.look_up("ada b").unwrap().peer, PeerId([1; 32]));
        assert_eq!(directory.len(), 3);
    }

    #[test]
    fn whoever_moves_is_found_where_they_are_and_no_longer_where_they_were() {
        let mut directory = with(&[(1, 1, "Ada"), (2, 2, "Bob")]);
        let old = directory.person(ConnectionId(1)).unwrap().route;
        let new = Route { address: "198.51.100.9:7".parse().unwrap(), ..old };
        directory.set_route(PeerId([1; 32]), new);
        assert!(directory.at(old).is_none());
        assert_eq!(directory.at(new).unwrap().peer, PeerId([1; 32]));
        // Somebody else gets the address of one who is about to be missed.
        directory.set_route(PeerId([2; 32]), new);
        directory.leave(ConnectionId(1));
        assert_eq!(directory.at(new).unwrap().peer, PeerId([2; 32]));
        directory.leave(ConnectionId(2));
        assert!(directory.by_route.is_empty());
    }

    #[test]
    fn a_relay_of_ones_own_counts_as_long_as_it_is_shown() {
        let now = Instant::now();
        let mut directory = with(&[(1, 1, "Ada")]);
        let proven = |directory: &Directory| directory.person(ConnectionId(1)).unwrap().proven.len();
        assert!(directory.add_proven(now, ConnectionId(1), "198.51.100.9:7".parse().unwrap()));
        assert!(!directory.add_proven(now, ConnectionId(1), "192.0.2.1:7".parse().unwrap()), "where she is");
        directory.forget_old_proofs(now + Duration::from_secs(49), PeerId([1; 32]));
        assert_eq!(proven(&directory), 1);
        directory.forget_old_proofs(now + Duration::from_secs(50), PeerId([1; 32]));
        assert_eq!(proven(&directory), 0);
        for port in 1..100 {
            let address = SocketAddr::from(([198, 51, 100, 9], port));
            directory.add_proven(now, ConnectionId(1), address);
        }
        assert_eq!(proven(&directory), MOST_PROVEN);
    }

    #[test]
    fn a_full_server_takes_nobody_new() {
        let mut directory = with(&[(1, 1, "Ada"), (2, 2, "Bob"), (3, 3, "Cleo")]);
        assert_eq!(directory.enter(ConnectionId(4), person(4, "Dan")).unwrap_err(), NoEntry::Full);
    }

    #[test]
    fn the_list_holds_those_who_chose_it_by_name() {
        let mut directory = with(&[(1, 1, "cleo"), (2, 2, "Ada"), (3, 3, "Bob")]);
        assert!(directory.set_visibility(ConnectionId(1), Visibility::Everyone));
        assert!(directory.set_visibility(ConnectionId(2), Visibility::Everyone));
        assert!(!directory.set_visibility(ConnectionId(3), Visibility::Nobody));
        let names: Vec<_> = directory.listed().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["Ada", "cleo"]);
    }

    #[test]
    fn whoever_chose_nobody_is_not_seen_and_reached_only_by_their_peer_id() {
        let mut directory = with(&[(1, 1, "Ada")]);
        directory.set_state(ConnectionId(1), State::Online);
        directory.set_visibility(ConnectionId(1), Visibility::Nobody);
        assert!(directory.look_up("Ada").is_none());
        assert!(directory.look_up(&PeerId([1; 32]).to_string()).is_none());
        assert!(directory.state_of(PeerId([1; 32])).is_none());
        assert!(directory.introducible(PeerId([1; 32])).is_some());
    }

    #[test]
    fn nobody_is_seen_before_they_had_time_to_hide() {
        let mut directory = with(&[(1, 1, "Ada")]);
        assert_eq!(directory.state_of(PeerId([1; 32])), None);
        assert!(directory.settle(PeerId([1; 32])));
        assert_eq!(directory.state_of(PeerId([1; 32])), Some(State::Online));
        assert!(!directory.set_state(ConnectionId(1), State::Online));
        assert!(directory.set_state(ConnectionId(1), State::InCall));
    }

    #[test]
    fn a_state_is_told_to_those_who_watch_that_peer_id() {
        let mut directory = with(&[(1, 1, "Ada"), (2, 2, "Bob"), (3, 3, "Cleo")]);
        directory.set_watched(ConnectionId(1), [PeerId([2; 32]), PeerId([3; 32])].into_iter());
        directory.set_watched(ConnectionId(2), [PeerId([1; 32])].into_iter());
        let watchers: Vec<_> = directory.watchers_of(PeerId([3; 32])).collect();
        assert_eq!(watchers, [ConnectionId(1)]);
        directory.set_watched(ConnectionId(1), std::iter::empty());
        assert_eq!(directory.watchers_of(PeerId([3; 32])).count(), 0);
    }

    #[test]
    fn who_left_watches_nobody_and_nothing_of_it_stays() {
        let mut directory = with(&[(1, 1, "Ada"), (2, 2, "Bob")]);
        directory.set_watched(ConnectionId(1), [PeerId([2; 32]), PeerId([9; 32])].into_iter());
        directory.enter(ConnectionId(4), person(1, "Ada")).unwrap();
        assert_eq!(directory.watchers_of(PeerId([2; 32])).count(), 0);
        directory.set_watched(ConnectionId(4), [PeerId([9; 32])].into_iter());
        directory.leave(ConnectionId(4));
        assert!(directory.watchers.is_empty());
    }

    #[test]
    fn nobody_watches_more_than_so_many() {
        let mut directory = with(&[(1, 1, "Ada")]);
        let many = (0..10_000_u32).map(|number| {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            PeerId(id)
        });
        directory.set_watched(ConnectionId(1), many);
        assert_eq!(directory.person(ConnectionId(1)).map(|ada| ada.watched.len()), Some(MOST_WATCHED));
    }
}
