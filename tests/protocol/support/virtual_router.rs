//! Routers that translate addresses, of the four kinds that decide whether two people can meet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// How a router treats the hosts behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RouterKind {
    /// Lets everything through to an address it keeps for each host from the first datagram on, whoever sends it, and
    /// keeps the host's port.
    Open,
    /// One outside port for each host, for all destinations; anybody may answer to it.
    EndpointIndependent,
    /// One outside port for each host; only addresses it has written to may answer.
    AddressDependent,
    /// Another outside port for each destination; only that destination may answer.
    Symmetric,
}

impl RouterKind {
    /// All four.
    pub(crate) const ALL: [Self; 4] =
        [Self::Open, Self::EndpointIndependent, Self::AddressDependent, Self::Symmetric];
}

/// One router and what it remembers.
#[derive(Debug)]
pub(crate) struct VirtualRouter {
    kind: RouterKind,
    outside: IpAddr,
    next_port: u16,
    /// Outside port by host and, on a symmetric router, destination.
    mapped: BTreeMap<(SocketAddr, Option<SocketAddr>), u16>,
    /// Who is behind an outside port.
    owner: BTreeMap<u16, SocketAddr>,
    /// Whom each outside port has written to.
    written: BTreeSet<(u16, SocketAddr)>,
}

impl VirtualRouter {
    /// A router with no host behind it yet.
    pub(crate) fn new(kind: RouterKind, outside: IpAddr) -> Self {
        Self {
            kind,
            outside,
            next_port: 40_000,
            mapped: BTreeMap::new(),
            owner: BTreeMap::new(),
            written: BTreeSet::new(),
        }
    }

    /// The address that the world sees a datagram come from.
    pub(crate) fn outward(&mut self, host: SocketAddr, to: SocketAddr) -> SocketAddr {
        let key = (host, (self.kind == RouterKind::Symmetric).then_some(to));
        let port = match self.mapped.get(&key) {
            Some(port) => *port,
            None => {
                let keeps = self.kind == RouterKind::Open && !self.owner.contains_key(&host.port());
                let port = if keeps { host.port() } else { self.next_port };
                self.next_port += u16::from(!keeps);
                self.mapped.insert(key, port);
                self.owner.insert(port, host);
                port
            }
        };
        self.written.insert((port, to));
        SocketAddr::new(self.outside, port)
    }

    /// Forgets every port it gave, as when it is switched off and on; with another outside address when `outside` is one.
    pub(crate) fn restart(&mut self, outside: Option<IpAddr>) {
        self.outside = outside.unwrap_or(self.outside);
        self.mapped.clear();
        self.owner.clear();
        self.written.clear();
    }

    /// The host that a datagram from outside is for, if it is let in.
    pub(crate) fn inward(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if to.ip() != self.outside {
            return None;
        }
        let owner = *self.owner.get(&to.port())?;
        let written = |wanted: &dyn Fn(&SocketAddr) -> bool| {
            self.written.iter().any(|(port, address)| *port == to.port() && wanted(address))
        };
        let let_in = match self.kind {
            RouterKind::Open | RouterKind::EndpointIndependent => true,
            RouterKind::AddressDependent => written(&|address| address.ip() == from.ip()),
            RouterKind::Symmetric => written(&|address| *address == from),
        };
        let_in.then_some(owner)
    }
}
