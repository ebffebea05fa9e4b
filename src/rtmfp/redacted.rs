//! Addresses as they may appear in logs: enough to tell two apart, not enough to find a person.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Shows an address without its last parts: `192.0.*.*:1935`, `2001:db8:*:1935`.
pub(crate) struct Redacted(pub(crate) SocketAddr);

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port();
        match self.0.ip() {
            IpAddr::V4(ip) => {
                let [a, b, _, _] = ip.octets();
                write!(f, "{a}.{b}.*.*:{port}")
            }
            IpAddr::V6(ip) => {
                let [a, b, ..] = ip.segments();
                write!(f, "{a:x}:{b:x}:*:{port}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_address_stays_out_of_the_log() {
        let shown = |address: &str| Redacted(address.parse().unwrap()).to_string();
        assert_eq!(shown("192.0.2.77:1935"), "192.0.*.*:1935");
        assert_eq!(shown("[2001:db8:1:2::77]:1935"), "2001:db8:*:1935");
    }
}
