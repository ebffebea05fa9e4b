//! Which addresses this computer has, to be told to a server (RFC 7425 §5.3.3).
//!
//! Asked of the system's routing alone, and nothing is sent: a UDP socket that is connected, but never used, is bound to
//! the address that packets to there would leave from. That finds the addresses that lead anywhere, which is what others
//! can use, and passes over bridges and containers that lead nowhere.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// This computer's addresses towards the internet and towards the usual private networks, loopback left out.
pub fn addresses() -> Vec<IpAddr> {
    let found: BTreeSet<IpAddr> =
        PROBES.iter().filter_map(|probe| address_towards(probe.parse().ok()?)).collect();
    found.into_iter().filter(|ip| !ip.is_loopback() && !ip.is_unspecified()).collect()
}

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
    fn every_probe_is_an_address() {
        assert!(PROBES.iter().all(|probe| probe.parse::<SocketAddr>().is_ok()));
    }
}
