//! Telling a server where one can be reached (`setPeerInfo`, RFC 7425 §5.3.3).

use std::net::SocketAddr;

use super::command::Command;
use crate::amf::Value;

/// Addresses beyond this many are not listened to.
const MOST_ADDRESSES: usize = 32;

/// The command for these addresses: `a.b.c.d:port`, `[v6]:port`. Addresses of this machine's own loop and of its link
/// are left out, as they mean another machine to everybody else (§5.3.3).
pub(super) fn command(addresses: &[SocketAddr]) -> Command {
    let told = addresses.iter().filter(|address| reaches_beyond_the_link(address)).take(MOST_ADDRESSES);
    Command::notification(NAME, told.map(|address| Value::String(address.to_string())).collect())
}

/// The addresses in such a command; what is no address is passed over.
pub(super) fn addresses(command: &Command) -> Vec<SocketAddr> {
    let texts = command.arguments.iter().filter_map(Value::as_str);
    let addresses = texts.filter_map(|text| text.parse::<SocketAddr>().ok());
    // An IPv4 address in IPv6 dress is what it is, and judged as such.
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    addresses.map(plain).take(MOST_ADDRESSES).collect()
}

fn reaches_beyond_the_link(address: &SocketAddr) -> bool {
    match address {
        SocketAddr::V4(v4) => !v4.ip().is_loopback() && !v4.ip().is_link_local(),
        SocketAddr::V6(v6) => !v6.ip().is_loopback() && !v6.ip().is_unicast_link_local(),
    }
}

/// The command's name.
pub(super) const NAME: &str = "setPeerInfo";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_in_the_two_written_forms() {
        let told = ["192.0.2.1:1935".parse().unwrap(), "[2001:db8::1]:1935".parse().unwrap()];
        let command = command(&told);
        assert_eq!(command.arguments, ["192.0.2.1:1935".into(), Value::from("[2001:db8::1]:1935")]);
        assert_eq!(addresses(&command), told);
    }

    /// Conforms: 7425-5.3.3-e
    #[test]
    fn addresses_nobody_else_can_use_are_left_out() {
        let own = [
            "127.0.0.1:1".parse().unwrap(),
            "169.254.1.1:1".parse().unwrap(),
            "[fe80::1]:1".parse().unwrap(),
        ];
        assert_eq!(command(&own).arguments, []);
    }

    #[test]
    fn an_ipv4_address_in_ipv6_dress_is_an_ipv4_address() {
        let dressed = Command::notification(NAME, vec!["[::ffff:192.0.2.1]:7".into()]);
        assert_eq!(addresses(&dressed), ["192.0.2.1:7".parse().unwrap()]);
    }

    #[test]
    fn what_is_no_address_is_passed_over() {
        let odd = Command::notification(NAME, vec![Value::Null, "nonsense".into(), "192.0.2.1:1".into()]);
        assert_eq!(addresses(&odd), ["192.0.2.1:1".parse().unwrap()]);
    }
}
