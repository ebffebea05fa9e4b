//! Which networks there are, and the way of a datagram through the routers between them.
//!
//! A network is what lies behind a router, or the one outside of all. Routers can stand behind routers. IPv4 addresses
//! behind a router are private; IPv6 addresses are reachable from everywhere, as far as the routers on the way let
//! strangers in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use tincan::rtmfp::machine::PathId;

use super::virtual_network::Host;
use super::virtual_router::{RouterKind, VirtualRouter};

/// Names a router of a network.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Router(pub(crate) u32);

/// Which addresses a host has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Families {
    /// IPv4 alone, on its first path.
    V4,
    /// IPv6 alone, on its first path.
    V6,
    /// IPv4 on its first path and IPv6 on its second.
    Both,
}

/// The routers, and who has which address behind which.
#[derive(Default)]
pub(crate) struct Topology {
    routers: BTreeMap<Router, Placed>,
    owners: BTreeMap<(Option<Router>, SocketAddr), (Host, PathId)>,
}

/// A router, and the one that it stands behind, if any.
struct Placed {
    router: VirtualRouter,
    behind: Option<Router>,
}

impl Topology {
    /// Adds a router, outside of all networks or inside another's.
    pub(crate) fn add(&mut self, behind: Option<Router>, kind: RouterKind) -> Router {
        let router = Router(u32::try_from(self.routers.len()).expect("few routers"));
        let number = octet(router.0 + 1);
        let outside = match behind {
            None => Ipv4Addr::new(203, 0, 113, number),
            Some(Router(outer)) => Ipv4Addr::new(10, octet(outer), 1, number),
        };
        let placed = Placed { router: VirtualRouter::new(kind, IpAddr::V4(outside)), behind };
        self.routers.insert(router, placed);
        router
    }

    /// A router, to be changed.
    pub(crate) fn router(&mut self, router: Router) -> &mut VirtualRouter {
        &mut self.routers.get_mut(&router).expect("a router of this network").router
    }

    /// The addresses for a host behind a router or not, first path first.
    pub(crate) fn addresses_for(
        host: Host,
        router: Option<Router>,
        families: Families,
    ) -> BTreeMap<PathId, SocketAddr> {
        let number = octet(host.0 + 1);
        let v4 = match router {
            None => [198, 51, 100, number],
            Some(Router(network)) => [10, octet(network), 0, number],
        };
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, segment_of(router), 0, 0, 0, 0, u16::from(number));
        let (v4, v6) = (SocketAddr::from((v4, 1935)), SocketAddr::from((v6, 1935)));
        let addresses = match families {
            Families::V4 => vec![v4],
            Families::V6 => vec![v6],
            Families::Both => vec![v4, v6],
        };
        (0..).map(PathId).zip(addresses).collect()
    }

    /// From now on that address in a network is this host's.
    pub(crate) fn give(&mut self, network: Option<Router>, address: SocketAddr, owner: (Host, PathId)) {
        self.owners.insert((network, address), owner);
    }

    /// From now on that address in a network is nobody's.
    pub(crate) fn take(&mut self, network: Option<Router>, address: SocketAddr) {
        self.owners.remove(&(network, address));
    }

    /// The way of a datagram up, through the routers that its sender stands behind, as far as its destination wants: the
    /// network it comes to, and the address it has there. `None` if a router does not let it through.
    pub(crate) fn climb(
        &mut self,
        now: Instant,
        mut network: Option<Router>,
        mut from: SocketAddr,
        to: SocketAddr,
    ) -> Option<(Option<Router>, SocketAddr)> {
        while let Some(router) = network {
            if self.is_inside(router, to.ip()) {
                break;
            }
            let Placed { router, behind } = self.routers.get_mut(&router)?;
            from = router.outward(now, from, to)?;
            if to.ip() == router.outside() && !router.hairpins() {
                return None;
            }
            network = *behind;
        }
        Some((network, from))
    }

    /// The way of a datagram down, through the routers before its receiver, as far as they let it in.
    pub(crate) fn descend(
        &mut self,
        now: Instant,
        mut network: Option<Router>,
        from: SocketAddr,
        mut to: SocketAddr,
    ) -> Option<(Host, PathId)> {
        loop {
            if let Some(owner) = self.owners.get(&(network, to)) {
                return Some(*owner);
            }
            let leads_there = |(router, placed): (&Router, &Placed)| {
                let there =
                    placed.router.outside() == to.ip() || to.is_ipv6() && self.is_inside(*router, to.ip());
                (placed.behind == network && there).then_some(*router)
            };
            let next = self.routers.iter().find_map(leads_there)?;
            to = self.router(next).inward(now, from, to)?;
            network = Some(next);
        }
    }

    /// Whether an address belongs to the network behind a router; of IPv6, also to one further behind.
    fn is_inside(&self, router: Router, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => ip.octets()[0] == 10 && u32::from(ip.octets()[1]) == router.0,
            IpAddr::V6(ip) => {
                let innermost = self.routers.keys().find(|at| segment_of(Some(**at)) == ip.segments()[2]);
                let mut at = innermost.copied();
                while let Some(inner) = at.filter(|inner| *inner != router) {
                    at = self.routers[&inner].behind;
                }
                at.is_some()
            }
        }
    }
}

/// The third segment of the IPv6 addresses in a network.
fn segment_of(network: Option<Router>) -> u16 {
    network.map_or(0, |router| u16::from(octet(router.0 + 1)))
}

fn octet(number: u32) -> u8 {
    u8::try_from(number).expect("few hosts and few routers")
}
