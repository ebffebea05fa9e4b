//! The networks that people sit in, and what theory says of two of them.

use crate::support::virtual_router::{DependsOn, RouterKind};

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

    /// The routers that a host there stands behind, outermost first.
    pub(crate) fn routers(self) -> Vec<RouterKind> {
        let home = RouterKind::PORT_RESTRICTED;
        match self {
            Self::Open => vec![],
            Self::FullCone => vec![RouterKind::ENDPOINT_INDEPENDENT],
            Self::AddressRestricted => vec![RouterKind::ADDRESS_RESTRICTED],
            Self::PortRestricted | Self::Ipv6 | Self::ServerOnly => vec![home],
            Self::Symmetric | Self::Both => vec![RouterKind::SYMMETRIC],
            Self::TwoInARow => vec![home, home],
            Self::TwoSymmetric => vec![RouterKind::SYMMETRIC, home],
        }
    }

    /// Whether a host there has an IPv4 address.
    pub(crate) fn has_v4(self) -> bool {
        self != Self::Ipv6
    }

    /// Whether it has an IPv6 address.
    pub(crate) fn has_v6(self) -> bool {
        matches!(self, Self::Ipv6 | Self::Both)
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
}

/// How two reach each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// Without anybody in between.
    Direct,
    /// Over the server.
    Relayed,
}

impl Way {
    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relayed => "relayed",
        }
    }
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
    Router,
    /// One home, whose router does.
    Hairpin,
    /// One home behind a symmetric router.
    Symmetric,
    /// Two homes of one carrier whose router sends nothing back inside.
    Carrier,
    /// Two homes of one carrier whose router does.
    CarrierHairpin,
}

impl Together {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Router, Self::Hairpin, Self::Symmetric, Self::Carrier, Self::CarrierHairpin];

    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Router => "both behind one port-restricted router",
            Self::Hairpin => "both behind one that hairpins",
            Self::Symmetric => "both behind one symmetric router",
            Self::Carrier => "two homes of one carrier",
            Self::CarrierHairpin => "two homes of one carrier that hairpins",
        }
    }

    /// What theory says: neighbours meet at their private addresses, and homes of one carrier only at its outside.
    pub(crate) fn theory(self) -> Way {
        if self == Self::Carrier { Way::Relayed } else { Way::Direct }
    }

    /// The router that both stand behind.
    pub(crate) fn shared(self) -> RouterKind {
        match self {
            Self::Router | Self::Carrier => RouterKind::PORT_RESTRICTED,
            Self::Hairpin | Self::CarrierHairpin => RouterKind::PORT_RESTRICTED.hairpinning(),
            Self::Symmetric => RouterKind::SYMMETRIC,
        }
    }

    /// Whether each stands behind a port-restricted router of its own behind that one.
    pub(crate) fn has_homes(self) -> bool {
        matches!(self, Self::Carrier | Self::CarrierHairpin)
    }
}

/// A table of all pairs in the form of the documentation: who calls beside, who is called above; then those who share a
/// router. `apart` and `together` say what came of a call.
pub(crate) fn table(
    mut apart: impl FnMut(Place, Place) -> String,
    mut together: impl FnMut(Together) -> String,
) -> String {
    let mut text = String::from("| calls | ");
    text += &Place::ALL.map(Place::name).join(" | ");
    text += " |\n|";
    text += &" --- |".repeat(Place::ALL.len() + 1);
    for caller in Place::ALL {
        let cells = Place::ALL.map(|called| apart(caller, called));
        text += &format!("\n| {} | {} |", caller.name(), cells.join(" | "));
    }
    text += "\n\n| both | |\n| --- | --- |";
    for both in Together::ALL {
        text += &format!("\n| {} | {} |", both.name(), together(both));
    }
    text
}
