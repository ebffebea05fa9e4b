//! Routers that translate addresses and keep strangers out, in the words of RFC 4787: how the outside port of a host
//! depends on whom it writes to (mapping), and who may answer to it (filtering).
//!
//! IPv4 is translated. IPv6 is not: its addresses stay as they are, and only the filtering is left.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// What a mapping or a filter depends on (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DependsOn {
    /// Nothing: the same for everybody outside.
    Nothing,
    /// The address outside.
    Address,
    /// The address and the port outside.
    AddressAndPort,
}

impl DependsOn {
    /// What of an address outside matters.
    fn part_of(self, address: SocketAddr) -> (Option<IpAddr>, Option<u16>) {
        match self {
            Self::Nothing => (None, None),
            Self::Address => (Some(address.ip()), None),
            Self::AddressAndPort => (Some(address.ip()), Some(address.port())),
        }
    }
}

/// How a router treats the hosts behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RouterKind {
    /// On what a host's outside port depends.
    pub(crate) mapping: DependsOn,
    /// On what it depends who may answer to an outside port: it must have been written to from there.
    pub(crate) filtering: DependsOn,
    /// Whether a host keeps its own port outside, as long as nobody else has it.
    pub(crate) keeps_ports: bool,
    /// Whether hosts behind it reach each other at its outside.
    pub(crate) hairpins: bool,
    /// After how long without a datagram going out a mapping is forgotten.
    pub(crate) forgets_after: Duration,
}

impl RouterKind {
    /// Lets everything through to an outside port that it keeps for each host from its first datagram on.
    pub(crate) const OPEN: Self = Self { keeps_ports: true, ..Self::ENDPOINT_INDEPENDENT };
    /// One outside port for each host, for all destinations; anybody may answer to it ("full cone").
    pub(crate) const ENDPOINT_INDEPENDENT: Self = Self {
        mapping: DependsOn::Nothing,
        filtering: DependsOn::Nothing,
        keeps_ports: false,
        hairpins: false,
        forgets_after: Duration::from_secs(120),
    };
    /// One outside port for each host; only addresses it has written to may answer.
    pub(crate) const ADDRESS_RESTRICTED: Self =
        Self { filtering: DependsOn::Address, ..Self::ENDPOINT_INDEPENDENT };
    /// One outside port for each host; only addresses and ports it has written to may answer.
    pub(crate) const PORT_RESTRICTED: Self =
        Self { filtering: DependsOn::AddressAndPort, ..Self::ENDPOINT_INDEPENDENT };
    /// Another outside port for each destination; only that destination may answer.
    pub(crate) const SYMMETRIC: Self = Self { mapping: DependsOn::AddressAndPort, ..Self::PORT_RESTRICTED };

    /// All five.
    pub(crate) const ALL: [Self; 5] = [
        Self::OPEN,
        Self::ENDPOINT_INDEPENDENT,
        Self::ADDRESS_RESTRICTED,
        Self::PORT_RESTRICTED,
        Self::SYMMETRIC,
    ];

    /// The same, but hosts behind it reach each other at its outside.
    pub(crate) fn hairpinning(self) -> Self {
        Self { hairpins: true, ..self }
    }

    /// The same, but it forgets sooner or later.
    pub(crate) fn forgetting_after(self, forgets_after: Duration) -> Self {
        Self { forgets_after, ..self }
    }
}

/// Where a router lets datagrams go.
pub(crate) type LetsOut = Box<dyn Fn(SocketAddr) -> bool>;

/// One router and what it remembers.
pub(crate) struct VirtualRouter {
    kind: RouterKind,
    outside: IpAddr,
    next_port: u16,
    lets_out: Option<LetsOut>,
    /// The outside address of a host towards whatever the mapping depends on, and when it was last used.
    mapped: BTreeMap<Inner, (SocketAddr, Instant)>,
    /// Who is behind an outside address.
    owner: BTreeMap<SocketAddr, Inner>,
    /// Whom each outside address has written to, and when last.
    written: BTreeMap<(SocketAddr, SocketAddr), Instant>,
}

/// A host, and the part of the far address that its outside address depends on.
type Inner = (SocketAddr, (Option<IpAddr>, Option<u16>));

impl VirtualRouter {
    /// A router with no host behind it yet.
    pub(crate) fn new(kind: RouterKind, outside: IpAddr) -> Self {
        Self {
            kind,
            outside,
            next_port: 40_000,
            lets_out: None,
            mapped: BTreeMap::new(),
            owner: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    /// Its address outside.
    pub(crate) fn outside(&self) -> IpAddr {
        self.outside
    }

    /// Whether hosts behind it reach each other at its outside.
    pub(crate) fn hairpins(&self) -> bool {
        self.kind.hairpins
    }

    /// From now on only datagrams to there go out.
    pub(crate) fn let_out(&mut self, lets_out: LetsOut) {
        self.lets_out = Some(lets_out);
    }

    /// Goes on as another kind; what it remembers stays.
    pub(crate) fn become_kind(&mut self, kind: RouterKind) {
        self.kind = kind;
    }

    /// Forgets everybody, as when it is started again; outside ports are not used twice.
    pub(crate) fn forget(&mut self) {
        self.mapped.clear();
        self.owner.clear();
        self.written.clear();
    }

    /// The address that a datagram has outside, if it is let out.
    pub(crate) fn outward(&mut self, now: Instant, host: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if self.lets_out.as_ref().is_some_and(|lets_out| !lets_out(to)) {
            return None;
        }
        self.forget_old(now);
        let inner = (host, self.kind.mapping.part_of(to));
        let outside = match self.mapped.get(&inner) {
            Some((outside, _)) => *outside,
            None if host.is_ipv6() => host,
            None => {
                let own = SocketAddr::new(self.outside, host.port());
                let keeps = self.kind.keeps_ports && !self.owner.contains_key(&own);
                let port = if keeps { host.port() } else { self.next_port };
                self.next_port += u16::from(!keeps);
                SocketAddr::new(self.outside, port)
            }
        };
        self.mapped.insert(inner, (outside, now));
        self.owner.insert(outside, inner);
        self.written.insert((outside, to), now);
        Some(outside)
    }

    /// Forgets every port it gave, as when it is switched off and on; with another outside address when `outside` is one.
    pub(crate) fn restart(&mut self, outside: Option<IpAddr>) {
        self.outside = outside.unwrap_or(self.outside);
        self.forget();
    }

    /// The host that a datagram from outside is for, if it is let in.
    pub(crate) fn inward(&mut self, now: Instant, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        self.forget_old(now);
        let (owner, _) = match self.owner.get(&to) {
            Some(owner) => *owner,
            None if to.is_ipv6() && self.kind.filtering == DependsOn::Nothing => return Some(to),
            None => return None,
        };
        let wanted = self.kind.filtering.part_of(from);
        let of_it = self.written.keys().filter(|(outside, _)| *outside == to);
        of_it.map(|(_, far)| self.kind.filtering.part_of(*far)).any(|part| part == wanted).then_some(owner)
    }

    fn forget_old(&mut self, now: Instant) {
        let fresh = |last: &Instant| now.saturating_duration_since(*last) < self.kind.forgets_after;
        self.written.retain(|_, last| fresh(last));
        let owner = &mut self.owner;
        self.mapped.retain(|_, (outside, last)| {
            let keep = fresh(last);
            if !keep {
                owner.remove(outside);
            }
            keep
        });
    }
}
