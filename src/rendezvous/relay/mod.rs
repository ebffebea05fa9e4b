//! The relay: what comes in at one of two ports lent to a pair of people leaves by the other.
//!
//! Routers that give each destination another port cannot be got through, and about three pairs of people in ten sit
//! behind such. For two who are connected here, the relay lends each a port of the family of addresses it is seen with, so
//! that an IPv4 and an IPv6 network meet too. It sees sealed packets only.
//!
//! It writes to nobody but those two: each port knows the addresses at which its person was proven to be, takes the first
//! that writes to it, and passes over everybody else, so that it can neither amplify nor reflect. Whoever shares such an
//! address can at worst take a port whose owner is silent; they can read and forge nothing.
//!
//! A carrier that spreads one customer over several outside addresses, which RFC 4787 (REQ-2) advises against, may bring
//! somebody to their port from another address than those they were proven at. They are not let on. To let on neighbours,
//! such as all of one /24, would give the port to whoever of them writes first, and would let somebody with one computer
//! there have packets sent to any other, by forging its address: TURN's permissions (RFC 8656 §9) are by address too, but
//! are given only to users with a password. What a packet carries proves nothing here, being sealed for somebody else.
//! Such people need a TURN server of their own where no direct way is open.
//!
//! A pair outlives its people's connections to the server, so that a call goes on while they are lost: it ends a minute
//! after both are gone, half a minute after the last packet, or when it has had its share.

mod pair;
mod ports;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use self::pair::{Pair, Side, Taken};
use self::ports::Ports;
pub use self::ports::ServerAddresses;
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::{Output, PathId, Received, Route, Transmit};
use crate::rtmfp::network::network_of;

/// Whether and how much is relayed. What runs already goes on by new rules too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RelayRules {
    /// Whether anything is.
    pub on: bool,
    /// Bytes a second that each of two people may send to the other, on average; half a second's worth at once. What is
    /// above is lost, as on a line of that width.
    pub bytes_per_second: u32,
    /// Bytes of both together, from the beginning to the end.
    pub most_bytes: u64,
    /// How long two people may use it at a stretch.
    pub longest: Duration,
    /// Pairs at once.
    pub most_pairs: usize,
    /// Pairs that one person is in.
    pub pairs_of_one: usize,
    /// Pairs with somebody at one address, or in one IPv6 network.
    pub pairs_of_one_address: usize,
}

impl Default for RelayRules {
    fn default() -> Self {
        Self {
            on: true,
            // Six megabits: a picture of 720 lines at its best, and sound.
            bytes_per_second: 750_000,
            most_bytes: 20_000_000_000,
            longest: Duration::from_secs(12 * 3600),
            most_pairs: 1000,
            pairs_of_one: 8,
            pairs_of_one_address: 32,
        }
    }
}

/// Somebody to relay for.
#[derive(Clone, Debug)]
pub struct Party {
    /// Who.
    pub peer: PeerId,
    /// Where they are seen.
    pub route: Route,
    /// Further addresses at which they were proven to be.
    pub proven: Vec<IpAddr>,
}

/// The ports that are lent to two people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lent {
    /// To which the first writes what is for the second.
    pub to_first: SocketAddr,
    /// To which the second writes what is for the first.
    pub to_second: SocketAddr,
}

/// Why somebody is not relayed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotRelayed {
    /// It is off, or needless: both are on the server's own computer.
    NotOffered,
    /// One of the two, or somebody at the same address, is in as many pairs as may be.
    TooMany,
    /// No port is free of the family of one of the two.
    NoPort,
}

/// What becomes known of the relay, for logs and counters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RelayEvent {
    /// Packets go both ways.
    Established {
        /// How many pairs there are now, those that only were offered a relay included.
        pairs: usize,
    },
    /// A pair that was established is over.
    Ended {
        /// Why.
        why: PairEnd,
        /// Bytes relayed for it, both ways.
        bytes: u64,
        /// How long it was there.
        lasted: Duration,
    },
}

/// Why a pair is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PairEnd {
    /// Nothing came for half a minute.
    Idle,
    /// It had as many bytes as may be.
    Bytes,
    /// It lasted as long as may be.
    Time,
    /// Both people left the server a minute ago.
    BothLeft,
    /// A port is gone, or the relay was turned off.
    Closed,
}

/// Names a pair; never used twice.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct PairId(u64);

/// All pairs and their ports.
#[derive(Debug)]
pub struct Relay {
    rules: RelayRules,
    ports: Ports,
    pairs: BTreeMap<PairId, Pair>,
    /// By both peer IDs, the lower first.
    by_peers: BTreeMap<(PeerId, PeerId), PairId>,
    pairs_made: u64,
    out: VecDeque<Outgoing>,
    /// Memory of what was sent, for what comes next.
    spare: Vec<Vec<u8>>,
    events: VecDeque<RelayEvent>,
    /// While there are pairs.
    next_look: Option<Instant>,
}

/// Packets on their way out.
#[derive(Debug)]
struct Outgoing {
    transmit: Transmit,
    bytes: Vec<u8>,
}

impl Relay {
    /// No ports yet, and nobody to relay for.
    pub fn new(rules: RelayRules) -> Self {
        Self {
            rules,
            ports: Ports::default(),
            pairs: BTreeMap::new(),
            by_peers: BTreeMap::new(),
            pairs_made: 0,
            out: VecDeque::new(),
            spare: Vec::new(),
            events: VecDeque::new(),
            next_look: None,
        }
    }

    /// Goes on by other rules.
    pub fn set_rules(&mut self, now: Instant, rules: RelayRules) {
        self.rules = rules;
        if !rules.on {
            for pair in self.pairs.keys().copied().collect::<Vec<_>>() {
                self.end(now, pair, PairEnd::Closed);
            }
        }
    }

    /// Where this server is, as others reach it.
    pub fn set_addresses(&mut self, addresses: ServerAddresses) {
        self.ports.set_addresses(addresses);
    }

    /// A port to lend.
    pub fn open_port(&mut self, path: PathId, local: SocketAddr) {
        self.ports.open(path, local);
    }

    /// A socket of the server's own: ports at the same address are lent to those who come over it.
    pub fn note_own(&mut self, path: PathId, local: SocketAddr) {
        self.ports.note_own(path, local);
    }

    /// A path is gone. Whether it was a port of the relay's.
    pub fn close_path(&mut self, now: Instant, path: PathId) -> bool {
        if let Some((pair, _)) = self.ports.user(path) {
            self.end(now, pair, PairEnd::Closed);
        }
        self.ports.close(path)
    }

    /// Whether two people could be relayed at all.
    pub fn is_offered(&self) -> bool {
        self.rules.on && !self.ports.is_empty()
    }

    /// Whether these two have ports already.
    pub fn has(&self, a: PeerId, b: PeerId) -> bool {
        self.by_peers.contains_key(&peers(a, b))
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The ports for two people who are both connected, the same as before if they have some.
    ///
    /// # Errors
    /// [`NotRelayed`].
    pub fn lend(&mut self, now: Instant, first: &Party, second: &Party) -> Result<Lent, NotRelayed> {
        let loopback = |party: &Party| party.route.address.ip().is_loopback();
        if !self.is_offered() || first.peer == second.peer || (loopback(first) && loopback(second)) {
            return Err(NotRelayed::NotOffered);
        }
        let id = match self.by_peers.get(&peers(first.peer, second.peer)) {
            Some(id) => *id,
            None => self.new_pair(now, first, second)?,
        };
        let pair = self.pairs.get_mut(&id).ok_or(NotRelayed::NotOffered)?;
        pair.offered = now;
        for party in [first, second] {
            pair.allow(party.peer, addresses_of(party));
        }
        let told = |peer| pair.side_of(peer).map(|side| side.told).ok_or(NotRelayed::NotOffered);
        Ok(Lent { to_first: told(first.peer)?, to_second: told(second.peer)? })
    }

    fn new_pair(&mut self, now: Instant, first: &Party, second: &Party) -> Result<PairId, NotRelayed> {
        if self.pairs.len() >= self.rules.most_pairs && !self.make_room(now, |_| true) {
            return Err(NotRelayed::TooMany);
        }
        for party in [first, second] {
            let own = |pair: &Pair| pair.side_of(party.peer).is_some();
            if self.count(own) >= self.rules.pairs_of_one && !self.make_room(now, own) {
                return Err(NotRelayed::TooMany);
            }
            let network = network_of(party.route.address.ip());
            let there = |pair: &Pair| pair.is_in(network);
            if self.count(there) >= self.rules.pairs_of_one_address && !self.make_room(now, there) {
                return Err(NotRelayed::TooMany);
            }
        }
        let id = PairId(self.pairs_made);
        let mut sides = Vec::with_capacity(2);
        for (index, party) in [first, second].into_iter().enumerate() {
            let mut lent = self.ports.lend(party.route, (id, index));
            let family = party.route.address.is_ipv4();
            if lent.is_none() && self.make_room(now, |pair| pair.has_port_of(family)) {
                lent = self.ports.lend(party.route, (id, index));
            }
            let Some((port, told)) = lent else {
                sides.iter().for_each(|side: &Side| self.ports.give_back(side.port));
                return Err(NotRelayed::NoPort);
            };
            sides.push(Side::new(party.peer, port, told, addresses_of(party)));
        }
        let Ok(sides) = <[Side; 2]>::try_from(sides) else { return Err(NotRelayed::NoPort) };
        self.pairs_made += 1;
        self.pairs.insert(id, Pair::new(now, sides));
        self.by_peers.insert(peers(first.peer, second.peer), id);
        self.next_look.get_or_insert(now + LOOK_EVERY);
        Ok(id)
    }

    fn count(&self, which: impl Fn(&Pair) -> bool) -> usize {
        self.pairs.values().filter(|pair| which(pair)).count()
    }

    /// Ends the pair that was offered a relay longest ago and never used it: one whose direct way worked, most often.
    fn make_room(&mut self, now: Instant, which: impl Fn(&Pair) -> bool) -> bool {
        let unused = self
            .pairs
            .iter()
            .filter(|(_, pair)| which(pair) && !pair.is_established() && pair.offered + UNUSED_STAYS <= now);
        let Some(oldest) = unused.min_by_key(|(_, pair)| pair.offered).map(|(id, _)| *id) else {
            return false;
        };
        self.end(now, oldest, PairEnd::Idle);
        true
    }

    /// Somebody was proven to be at this address too.
    pub fn allow(&mut self, peer: PeerId, ip: IpAddr) {
        for pair in self.pairs.values_mut() {
            pair.allow(peer, std::iter::once(ip));
        }
    }

    /// Somebody came to the server, or left it.
    pub fn set_present(&mut self, now: Instant, peer: PeerId, present: bool) {
        for pair in self.pairs.values_mut() {
            pair.set_present(now, peer, present);
        }
    }

    /// Datagrams that came. `Err` gives them back: they came over a path that is no port of the relay's.
    ///
    /// # Errors
    /// What was given.
    pub fn take<'a>(&mut self, now: Instant, received: Received<'a>) -> Result<(), Received<'a>> {
        if !self.ports.has(received.route.via) {
            return Err(received);
        }
        let Some((id, index)) = self.ports.user(received.route.via) else { return Ok(()) };
        let Some(pair) = self.pairs.get_mut(&id) else { return Ok(()) };
        let established = pair.is_established();
        let Some(Taken { newcomer, onward, length }) = pair.take(now, &self.rules, index, &received) else {
            return Ok(());
        };
        if let (false, true) = (established, pair.is_established()) {
            self.events.push_back(RelayEvent::Established { pairs: self.pairs.len() });
        }
        if let Some((route, kept)) = newcomer {
            for bytes in kept {
                let transmit = Transmit::ordinary(route, bytes.len());
                self.out.push_back(Outgoing { transmit, bytes });
            }
        }
        if let (Some(route), Some(packets)) = (onward, received.bytes.get(..length)) {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.extend_from_slice(packets);
            let segment_size = received.segment_size.min(length);
            let transmit = Transmit { ecn: received.ecn, ..Transmit::ordinary(route, segment_size) };
            self.out.push_back(Outgoing { transmit, bytes });
        }
        Ok(())
    }

    /// What is to be done next, like [`crate::rtmfp::Machine::poll_output`].
    pub fn poll(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<RelayEvent> {
        if let Some(Outgoing { transmit, mut bytes }) = self.out.pop_front() {
            // The packets change hands without being copied once more.
            std::mem::swap(packets, &mut bytes);
            if self.spare.len() < MOST_SPARE {
                bytes.clear();
                self.spare.push(bytes);
            }
            return Output::Transmit(transmit);
        }
        if self.next_look.is_some_and(|at| at <= now) {
            self.look(now);
        }
        match self.events.pop_front() {
            Some(event) => Output::Event(event),
            None => Output::Sleep(self.next_look),
        }
    }

    fn look(&mut self, now: Instant) {
        let rules = self.rules;
        let over = self.pairs.iter().filter_map(|(id, pair)| Some((*id, pair.end(now, &rules)?)));
        for (id, why) in over.collect::<Vec<_>>() {
            self.end(now, id, why);
        }
        self.next_look = (!self.pairs.is_empty()).then_some(now + LOOK_EVERY);
    }

    fn end(&mut self, now: Instant, id: PairId, why: PairEnd) {
        let Some(pair) = self.pairs.remove(&id) else { return };
        let [first, second] = &pair.sides;
        self.by_peers.remove(&peers(first.peer, second.peer));
        self.ports.give_back(first.port);
        self.ports.give_back(second.port);
        if pair.is_established() {
            let lasted = now.saturating_duration_since(pair.opened);
            self.events.push_back(RelayEvent::Ended { why, bytes: pair.bytes, lasted });
        }
    }
}

fn peers(a: PeerId, b: PeerId) -> (PeerId, PeerId) {
    if a < b { (a, b) } else { (b, a) }
}

fn addresses_of(party: &Party) -> impl Iterator<Item = IpAddr> {
    party.proven.iter().copied().chain(std::iter::once(party.route.address.ip()))
}

/// How often it is looked whether a pair is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A relay that was offered is not taken back sooner for others who need one.
const UNUSED_STAYS: Duration = Duration::from_secs(2);
/// Buffers kept: more are never in use at once but when a port finds its person.
const MOST_SPARE: usize = 4;

#[cfg(test)]
mod tests;
