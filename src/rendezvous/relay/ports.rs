//! The relay's ports: which are lent to whom, and under which address their users are told of them.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::PairId;
use crate::rtmfp::machine::{PathId, Route};
use crate::rtmfp::network::is_private;

/// Where a server that listens on every address can be reached.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServerAddresses {
    /// As the one who runs it says: needed when a router with forwarded ports stands before it.
    pub public: Vec<IpAddr>,
    /// This computer's own.
    pub own: Vec<IpAddr>,
}

/// All ports, lent and free.
#[derive(Debug, Default)]
pub(super) struct Ports {
    local: BTreeMap<PathId, SocketAddr>,
    users: BTreeMap<PathId, (PairId, usize)>,
    /// The one that was given back longest ago first: packets for those who had it may still be on their way.
    free: VecDeque<PathId>,
    /// The server's ordinary sockets.
    own: BTreeMap<PathId, SocketAddr>,
    addresses: ServerAddresses,
}

impl Ports {
    pub(super) fn set_addresses(&mut self, addresses: ServerAddresses) {
        self.addresses = addresses;
    }

    pub(super) fn open(&mut self, path: PathId, local: SocketAddr) {
        if self.local.insert(path, local).is_none() {
            self.free.push_back(path);
        }
    }

    pub(super) fn note_own(&mut self, path: PathId, local: SocketAddr) {
        self.own.insert(path, local);
    }

    /// Whether it was one of these.
    pub(super) fn close(&mut self, path: PathId) -> bool {
        self.own.remove(&path);
        self.users.remove(&path);
        self.free.retain(|free| *free != path);
        self.local.remove(&path).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.local.is_empty()
    }

    pub(super) fn has(&self, path: PathId) -> bool {
        self.local.contains_key(&path)
    }

    /// Whose it is, if it is lent.
    pub(super) fn user(&self, path: PathId) -> Option<(PairId, usize)> {
        self.users.get(&path).copied()
    }

    /// A port for somebody who is seen there, and its address for them: at the address over which they came, if the relay
    /// has ports there, else anywhere in their family of addresses.
    pub(super) fn lend(&mut self, seen: Route, user: (PairId, usize)) -> Option<(PathId, SocketAddr)> {
        let came_to = self.own.get(&seen.via).map(SocketAddr::ip);
        let same_family = |path: &PathId| {
            self.local.get(path).is_some_and(|local| local.is_ipv4() == seen.address.is_ipv4())
        };
        let same_address =
            |path: &PathId| self.local.get(path).map(SocketAddr::ip) == came_to && same_family(path);
        let at =
            self.free.iter().position(same_address).or_else(|| self.free.iter().position(same_family))?;
        let path = self.free.remove(at)?;
        self.users.insert(path, user);
        let local = *self.local.get(&path)?;
        Some((path, SocketAddr::new(self.told(local.ip(), seen.address.ip()), local.port())))
    }

    pub(super) fn give_back(&mut self, path: PathId) {
        if self.users.remove(&path).is_some() && self.local.contains_key(&path) {
            self.free.push_back(path);
        }
    }

    /// Under which address somebody at `seen` reaches a port that is bound to `bound`.
    fn told(&self, bound: IpAddr, seen: IpAddr) -> IpAddr {
        let family = |ip: &&IpAddr| ip.is_ipv4() == bound.is_ipv4();
        let private = is_private(seen);
        if seen.is_loopback() {
            return match bound {
                _ if !bound.is_unspecified() => bound,
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
        }
        let public = self.addresses.public.iter().find(family).filter(|_| !private);
        if let Some(public) = public {
            return *public;
        }
        if !bound.is_unspecified() {
            return bound;
        }
        let own = || self.addresses.own.iter().filter(family);
        // A neighbour on a private network: the address of ours that has most in common with theirs.
        let nearest = own().max_by_key(|ip| common_bits(**ip, seen)).filter(|ip| private && is_private(**ip));
        let outside = own().find(|ip| !is_private(**ip)).or_else(|| own().next());
        *nearest.or(outside).unwrap_or(&bound)
    }
}

fn common_bits(a: IpAddr, b: IpAddr) -> u32 {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn told(bound: &str, seen: &str, public: &[&str], own: &[&str]) -> String {
        let list = |texts: &[&str]| texts.iter().map(|text| ip(text)).collect();
        let addresses = ServerAddresses { public: list(public), own: list(own) };
        Ports { addresses, ..Ports::default() }.told(ip(bound), ip(seen)).to_string()
    }

    #[test]
    fn a_server_on_every_address_is_told_of_under_the_one_the_internet_knows() {
        assert_eq!(told("0.0.0.0", "203.0.113.5", &[], &["10.0.0.2", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(told("::", "2001:db8::5", &[], &["10.0.0.2", "2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn behind_a_router_with_forwarded_ports_it_is_what_the_configuration_says() {
        assert_eq!(told("0.0.0.0", "203.0.113.5", &["198.51.100.1"], &["10.0.0.2"]), "198.51.100.1");
        assert_eq!(told("10.0.0.2", "203.0.113.5", &["198.51.100.1"], &["10.0.0.2"]), "198.51.100.1");
    }

    #[test]
    fn neighbours_are_told_the_address_on_their_own_network() {
        let own = ["10.0.0.2", "192.168.1.2", "198.51.100.1"];
        assert_eq!(told("0.0.0.0", "192.168.1.77", &["198.51.100.1"], &own), "192.168.1.2");
        assert_eq!(told("0.0.0.0", "127.0.0.1", &["198.51.100.1"], &own), "127.0.0.1");
        assert_eq!(told("::", "::1", &[], &[]), "::1");
    }

    #[test]
    fn the_port_given_back_longest_ago_is_lent_next() {
        let mut ports = Ports::default();
        let seen = Route { via: PathId(0), address: "203.0.113.5:4000".parse().expect("an address") };
        for number in 1..=3 {
            ports.open(PathId(number), SocketAddr::new(ip("198.51.100.1"), 1935 + number as u16));
        }
        let lent = |ports: &mut Ports| ports.lend(seen, (PairId(0), 0)).map(|(path, _)| path.0);
        assert_eq!(lent(&mut ports), Some(1));
        ports.give_back(PathId(1));
        assert_eq!([lent(&mut ports), lent(&mut ports), lent(&mut ports)], [Some(2), Some(3), Some(1)]);
        assert_eq!(lent(&mut ports), None);
    }
}
