//! The networks that people sit in, and what theory says of two of them.

use crate::support::virtual_network::{Families, Router};
use crate::support::virtual_router::{DependsOn, RouterKind};
use crate::world::World;

/// Where somebody is, alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A public address.
    Open,
    /// Behind a router that lets everybody in at a host's outside port.
    FullCone,
    /// Behind one that lets in addresses written to.
    AddressRestricted,
    /// Behind one that lets in addresses and ports written to.
    PortRestricted,
    /// Behind one that chooses another outside port for each destination.
    Symmetric,
    /// Behind a home's router behind a carrier's.
    TwoInARow,
    /// Behind a home's router behind a carrier's that is symmetric.
    TwoSymmetric,
    /// IPv6 alone, behind a router that lets in whom one has written to.
    Ipv6,
    /// Behind a symmetric router that has IPv6 too.
    Both,
    /// Behind one that lets nothing out but to the server's address.
    ServerOnly,
}

impl Place {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Open,
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::TwoInARow,
        Self::TwoSymmetric,
        Self::Ipv6,
        Self::Both,
        Self::ServerOnly,
    ];

    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "no router",
            Self::FullCone => "full cone",
            Self::AddressRestricted => "address-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::TwoInARow => "two in a row",
            Self::TwoSymmetric => "two in a row, symmetric",
            Self::Ipv6 => "IPv6 only",
            Self::Both => "symmetric, and IPv6",
            Self::ServerOnly => "UDP to the server only",
        }
    }

    /// Which addresses a host has there.
    pub(crate) fn families(self) -> Families {
        match self {
            Self::Ipv6 => Families::V6,
            Self::Both => Families::Both,
            _ => Families::V4,
        }
    }

    /// Builds it; the router that a host there stands behind.
    pub(crate) fn build(self, world: &mut World) -> Option<Router> {
        let kind = match self {
            Self::Open => return None,
            Self::FullCone => RouterKind::ENDPOINT_INDEPENDENT,
            Self::AddressRestricted => RouterKind::ADDRESS_RESTRICTED,
            Self::PortRestricted | Self::TwoInARow | Self::TwoSymmetric | Self::Ipv6 | Self::ServerOnly => {
                RouterKind::PORT_RESTRICTED
            }
            Self::Symmetric | Self::Both => RouterKind::SYMMETRIC,
        };
        let carrier = match self {
            Self::TwoInARow => Some(world.net.add_router(RouterKind::PORT_RESTRICTED)),
            Self::TwoSymmetric => Some(world.net.add_router(RouterKind::SYMMETRIC)),
            _ => None,
        };
        let router = world.net.add_router_behind(carrier, kind);
        if self == Self::ServerOnly {
            let servers = world.net.addresses(world.server);
            world.net.router(router).let_out(Box::new(move |to| servers.iter().any(|s| s.ip() == to.ip())));
        }
        Some(router)
    }

    /// How its IPv4 addresses are mapped and filtered, seen from outside; `None` without any way to others over IPv4.
    fn over_v4(self) -> Option<(DependsOn, DependsOn)> {
        use DependsOn::{Address, AddressAndPort, Nothing};
        match self {
            Self::Open | Self::FullCone => Some((Nothing, Nothing)),
            Self::AddressRestricted => Some((Nothing, Address)),
            Self::PortRestricted | Self::TwoInARow => Some((Nothing, AddressAndPort)),
            Self::Symmetric | Self::TwoSymmetric | Self::Both => Some((AddressAndPort, AddressAndPort)),
            Self::Ipv6 | Self::ServerOnly => None,
        }
    }

    fn has_v6(self) -> bool {
        matches!(self, Self::Ipv6 | Self::Both)
    }
}

/// How two reach each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// Without anybody in between.
    Direct,
    /// Over the server.
    Relayed,
}

/// What two in these places should come to: directly when they share a family in which each can know the address that the
/// other writes from, or need not.
pub(crate) fn theory(one: Place, other: Place) -> Way {
    let ports_matter = |filter| filter == DependsOn::AddressAndPort;
    let over_v4 = match (one.over_v4(), other.over_v4()) {
        (Some((mapping, filter)), Some((other_mapping, other_filter))) => {
            // A port that the server never saw is one that nobody can have written to.
            let unforeseen = ports_matter(mapping) || ports_matter(other_mapping);
            !(unforeseen && ports_matter(filter) && ports_matter(other_filter))
        }
        _ => false,
    };
    if over_v4 || one.has_v6() && other.has_v6() { Way::Direct } else { Way::Relayed }
}

/// Two who share a router.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Together {
    /// One home, whose router sends nothing back inside.
    SameRouter,
    /// One home, whose router does.
    SameHairpin,
    /// One home behind a symmetric router.
    SameSymmetric,
    /// Two homes of one carrier whose router sends nothing back inside.
    SameCarrier,
    /// Two homes of one carrier whose router does.
    SameCarrierHairpin,
}

impl Together {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::SameRouter,
        Self::SameHairpin,
        Self::SameSymmetric,
        Self::SameCarrier,
        Self::SameCarrierHairpin,
    ];

    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SameRouter => "both behind one port-restricted router",
            Self::SameHairpin => "both behind one that hairpins",
            Self::SameSymmetric => "both behind one symmetric router",
            Self::SameCarrier => "two homes of one carrier",
            Self::SameCarrierHairpin => "two homes of one carrier that hairpins",
        }
    }

    /// What theory says: neighbours meet at their private addresses, and homes of one carrier only at its outside.
    pub(crate) fn theory(self) -> Way {
        if self == Self::SameCarrier { Way::Relayed } else { Way::Direct }
    }

    /// Builds it; the routers that the two stand behind.
    pub(crate) fn build(self, world: &mut World) -> [Router; 2] {
        let net = &mut world.net;
        let one = RouterKind::PORT_RESTRICTED;
        match self {
            Self::SameRouter => [net.add_router(one); 2],
            Self::SameHairpin => [net.add_router(one.hairpinning()); 2],
            Self::SameSymmetric => [net.add_router(RouterKind::SYMMETRIC); 2],
            Self::SameCarrier | Self::SameCarrierHairpin => {
                let hairpins = self == Self::SameCarrierHairpin;
                let carrier = net.add_router(if hairpins { one.hairpinning() } else { one });
                [(); 2].map(|()| net.add_router_behind(Some(carrier), one))
            }
        }
    }
}
