//! Which addresses of others are those of a relay, as far as somebody said so (RFC 7016 §2.1.5).

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use super::limits;

/// The relays told of lately, up to a bound: the oldest are forgotten for new ones.
#[derive(Debug, Default)]
pub(crate) struct KnownRelays {
    known: BTreeSet<SocketAddr>,
    by_age: VecDeque<SocketAddr>,
}

impl KnownRelays {
    /// Somebody said that this address is a relay's.
    pub(crate) fn note(&mut self, address: SocketAddr) {
        let address = plain(address);
        if !self.known.insert(address) {
            self.by_age.retain(|known| *known != address);
        }
        self.by_age.push_back(address);
        if self.by_age.len() > limits::MOST_KNOWN_RELAYS
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Whether it is known as a relay's.
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        self.known.contains(&plain(address))
    }
}

/// An IPv4 address in IPv6 dress is what it is.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u16) -> SocketAddr {
        ([192, 0, 2, 1], number).into()
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut relays = KnownRelays::default();
        (1..=256).for_each(|number| relays.note(address(number)));
        relays.note(address(1));
        relays.note(address(257));
        assert!(relays.has(address(1)) && !relays.has(address(2)) && relays.has(address(257)));
        assert_eq!((relays.known.len(), relays.by_age.len()), (256, 256));
    }

    #[test]
    fn an_ipv4_relay_is_known_in_ipv6_dress_too() {
        let mut relays = KnownRelays::default();
        relays.note("[::ffff:192.0.2.1]:7".parse().expect("an address"));
        assert!(relays.has(address(7)));
    }
}
