//! Which addresses this computer has, to be told to a server (RFC 7425 §5.3.3).
//!
//! Asked of the system's routing alone, and nothing is sent: a UDP socket that is connected, but never used, is bound to
//! the address that packets to there would leave from. That finds the addresses that lead anywhere, which is what others
//! can use, and passes over bridges and containers that lead nowhere. Only of a family that leads nowhere at all, as on two
//! computers with a cable between them, all addresses are told that there are. A [`Watch`] notices when they change. It is asked
//! again and again: systems tell of changes in three different ways, and none of them what becomes of the routes; asking
//! costs some twenty system calls.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

/// This computer's addresses towards the internet and towards the usual private networks, loopback left out; where there is
/// no such network, those of the interfaces that are up.
pub fn addresses() -> Vec<IpAddr> {
    let towards = PROBES.iter().filter_map(|probe| address_towards(probe.parse().ok()?));
    chosen(towards.collect(), || {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        interfaces.iter().filter(|interface| interface.is_oper_up()).map(if_addrs::Interface::ip).collect()
    })
}

/// Those that lead anywhere, and of a family of which none does, `all` that there are.
fn chosen(leading: BTreeSet<IpAddr>, all: impl Fn() -> Vec<IpAddr>) -> Vec<IpAddr> {
    let is_usable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_unicast_link_local(),
    };
    let mut found: BTreeSet<IpAddr> = leading.into_iter().filter(is_usable).collect();
    let has = |found: &BTreeSet<IpAddr>, v4: bool| found.iter().any(|ip| ip.is_ipv4() == v4);
    let (has_v4, has_v6) = (has(&found, true), has(&found, false));
    if !has_v4 || !has_v6 {
        let missing = |ip: &IpAddr| if ip.is_ipv4() { !has_v4 } else { !has_v6 };
        found.extend(all().into_iter().filter(|ip| is_usable(ip) && missing(ip)));
    }
    found.into_iter().collect()
}

/// What happened to this computer's network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Sockets can be reached at these addresses from now on; at none, when there is no network.
    Addresses(Vec<SocketAddr>),
    /// The addresses are what they were, but the computer slept, or this program was stopped, for so long.
    Slept(Duration),
}

/// Looks for changes. It decides; whoever asks brings the time, and the addresses found.
#[derive(Clone, Debug)]
pub struct Watch {
    bound: Vec<SocketAddr>,
    reported: Vec<SocketAddr>,
    looked: (Instant, SystemTime),
}

impl Watch {
    /// Begins, for sockets bound to `bound`.
    pub fn new(bound: Vec<SocketAddr>, found: &[IpAddr], clocks: (Instant, SystemTime)) -> Self {
        let reported = expand(&bound, found);
        Self { bound, reported, looked: clocks }
    }

    /// Where the sockets can be reached, as of the last look.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.reported
    }

    /// Looks again; to be called about twice a second. Of a sleep one of the clocks knows: while a computer sleeps, the one
    /// for spans of time stands still on some systems and goes on on others, and the one on the wall goes on.
    pub fn look(&mut self, found: &[IpAddr], (now, wall): (Instant, SystemTime)) -> Option<Change> {
        let (before, wall_before) = std::mem::replace(&mut self.looked, (now, wall));
        let on_the_wall = wall.duration_since(wall_before).unwrap_or_default();
        let away = now.saturating_duration_since(before).max(on_the_wall);
        let reported = expand(&self.bound, found);
        if reported != self.reported {
            self.reported.clone_from(&reported);
            return Some(Change::Addresses(reported));
        }
        (away >= SLEPT).then_some(Change::Slept(away))
    }
}

/// Who looks twice a second and finds so much time gone was not running. The wall's clock set forward looks the same, and
/// does no harm.
const SLEPT: Duration = Duration::from_secs(4);

/// Where sockets bound to `bound` can be reached on the local networks: wildcards replaced by [`addresses`].
pub fn reported(bound: &[SocketAddr]) -> Vec<SocketAddr> {
    expand(bound, &addresses())
}

fn expand(bound: &[SocketAddr], found: &[IpAddr]) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for address in bound {
        if address.ip().is_unspecified() {
            let same_family = found.iter().filter(|ip| ip.is_ipv4() == address.is_ipv4());
            all.extend(same_family.map(|ip| SocketAddr::new(*ip, address.port())));
        } else {
            all.push(*address);
        }
    }
    all
}

fn address_towards(far: SocketAddr) -> Option<IpAddr> {
    let any = if far.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Addresses for documentation (RFC 5737, RFC 3849), which take the default route, and the last ones of each private
/// network (RFC 1918, RFC 4193), which take a route of their own where there is one. Port 9 discards.
const PROBES: [&str; 6] = [
    "192.0.2.1:9",
    "[2001:db8::1]:9",
    "10.255.255.254:9",
    "172.31.255.254:9",
    "192.168.255.254:9",
    "[fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:9",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_becomes_every_address_of_its_family() {
        let bound = ["0.0.0.0:4000".parse().unwrap(), "[::]:5000".parse().unwrap()];
        let found =
            ["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap(), "10.0.0.7".parse().unwrap()];
        let texts: Vec<_> = expand(&bound, &found).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["192.0.2.7:4000", "10.0.0.7:4000", "[2001:db8::7]:5000"]);
    }

    #[test]
    fn a_bound_address_is_reported_as_it_is() {
        let bound = ["127.0.0.1:4000".parse().unwrap()];
        assert_eq!(expand(&bound, &["192.0.2.7".parse().unwrap()]), bound);
    }

    #[test]
    fn addresses_that_lead_nowhere_count_only_where_no_other_of_their_family_does() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let all = || ["172.17.0.1", "10.0.0.7", "127.0.0.1", "fe80::1", "fd00::7"].map(ip).to_vec();
        let leading = BTreeSet::from([ip("10.0.0.7")]);
        assert_eq!(chosen(leading, all), [ip("10.0.0.7"), ip("fd00::7")]);
        assert_eq!(chosen(BTreeSet::new(), all), [ip("10.0.0.7"), ip("172.17.0.1"), ip("fd00::7")]);
        let both = BTreeSet::from([ip("10.0.0.7"), ip("2001:db8::7")]);
        assert_eq!(chosen(both, || unreachable!("there is nothing to look for")).len(), 2);
    }

    #[test]
    fn other_addresses_are_a_change_and_the_same_are_none() {
        let clocks = (Instant::now(), SystemTime::now());
        let ip = |text: &str| [text.parse::<IpAddr>().unwrap()];
        let bound = vec!["0.0.0.0:4000".parse().unwrap()];
        let mut watch = Watch::new(bound, &ip("192.0.2.1"), clocks);
        assert_eq!(watch.look(&ip("192.0.2.1"), clocks), None);
        let moved = Change::Addresses(vec!["192.0.2.2:4000".parse().unwrap()]);
        assert_eq!(watch.look(&ip("192.0.2.2"), clocks), Some(moved.clone()));
        assert_eq!(watch.look(&ip("192.0.2.2"), clocks), None);
        assert_eq!(watch.look(&[], clocks), Some(Change::Addresses(vec![])));
        assert_eq!(watch.look(&ip("192.0.2.2"), clocks), Some(moved));
    }

    #[test]
    fn a_sleep_is_noticed_by_whichever_clock_went_on() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let hour = Duration::from_secs(3_600);
        for (now_after, wall_after) in [(now, wall + hour), (now + hour, wall + hour), (now + hour, wall)] {
            let mut watch = Watch::new(vec![], &[], (now, wall));
            assert_eq!(watch.look(&[], (now_after, wall_after)), Some(Change::Slept(hour)));
        }
        let mut watch = Watch::new(vec![], &[], (now, wall));
        let late = Duration::from_secs(3);
        assert_eq!(watch.look(&[], (now + late, wall + late)), None, "a busy computer did not sleep");
        assert_eq!(watch.look(&[], (now + late, wall)), None, "a clock that is set back is no sleep");
    }

    #[test]
    fn every_probe_is_an_address() {
        assert!(PROBES.iter().all(|probe| probe.parse::<SocketAddr>().is_ok()));
    }
}
