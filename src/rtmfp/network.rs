//! Which addresses belong together: those that one subscriber has.

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
}
