//! Which addresses belong together: those that one subscriber has, and those that mean something only at home.

use std::net::IpAddr;

/// The network that `ip` stands for. Whoever has an IPv6 network has 2^64 addresses of it.
pub fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    }
}

/// Whether an address means something only inside one network, such as a home's: private (RFC 1918, RFC 4193), of the link
/// or of the machine itself.
pub fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(ip: &str) -> IpAddr {
        network_of(ip.parse().expect("an address"))
    }

    #[test]
    fn an_ipv4_address_stands_for_itself_and_64_bits_of_an_ipv6_address_for_all() {
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("2001:db8:1:2::5"), network("2001:db8:1:2:3:4:5:6"));
        assert_ne!(network("2001:db8:1:2::5"), network("2001:db8:1:3::5"));
    }

    #[test]
    fn private_addresses_are_told_from_those_of_the_internet() {
        let private = |ip: &str| is_private(ip.parse().expect("an address"));
        for inside in [
            "10.1.2.3",
            "192.168.0.9",
            "172.16.0.1",
            "169.254.1.1",
            "::ffff:10.0.0.1",
            "fd00::1",
            "fe80::1",
            "::1",
        ] {
            assert!(private(inside), "{inside}");
        }
        for outside in ["192.0.2.1", "172.32.0.1", "100.64.0.1", "2001:db8::1"] {
            assert!(!private(outside), "{outside}");
        }
    }
}
