//! What is said on the local network, as DNS-SD services (RFC 6763) over multicast DNS (RFC 6762).
//!
//! | service | instance | port | TXT |
//! | --- | --- | --- | --- |
//! | `_tincan._udp` | a piece of the peer ID | UDP over IPv4 | `id` peer ID, `n` name, `v` version 1, `p6` UDP port over IPv6 |
//! | `_tincan-server._udp` | a piece of the peer ID of whose window serves | UDP | `id` that peer ID, `n` its name, `v` version 1 |
//!
//! Anybody on the network can say anything here. It is read like anything from a network: bounded, and believed only as a
//! place to ask.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::rtmfp::PeerId;

/// People who can be called.
pub const PEOPLE: &str = "_tincan._udp.local.";
/// Servers that windows bring.
pub const SERVERS: &str = "_tincan-server._udp.local.";
/// The version of all this.
const VERSION: &str = "1";
/// A name of 32 characters is no longer than this in UTF-8.
const LONGEST_NAME: usize = 128;
/// Addresses taken of one announcement.
const MOST_ADDRESSES: usize = 16;
/// Announcements of one kind that are remembered.
const MOST_FOUND: usize = 64;

/// Ourselves, or our server, as announced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Announcement {
    /// Whose it is.
    pub peer: PeerId,
    /// Under which name they go. A hint, never proof.
    pub name: String,
    /// The UDP port of IPv4, or of both families; 0 where there is none.
    pub port: u16,
    /// The UDP port of IPv6, where it is another one.
    pub port_v6: Option<u16>,
}

/// Somebody, or a server, on the local network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sighting {
    /// Whose it is said to be.
    pub peer: PeerId,
    /// Under which name; empty when none was told. Not to be shown as it is.
    pub name: String,
    /// Where.
    pub addresses: Vec<SocketAddr>,
}

impl Announcement {
    /// A name for the instance: short, and another one for everybody.
    pub fn instance(&self) -> String {
        self.peer.to_string().chars().take(16).collect()
    }

    /// The text that goes with it.
    pub fn properties(&self) -> Vec<(&'static str, String)> {
        let mut properties = vec![
            ("v", VERSION.to_owned()),
            ("id", self.peer.to_string()),
            ("n", self.name[..self.name.floor_char_boundary(LONGEST_NAME)].to_owned()),
        ];
        if let Some(port) = self.port_v6.filter(|port| *port != self.port) {
            properties.push(("p6", port.to_string()));
        }
        properties
    }
}

impl Sighting {
    /// Reads what somebody announces. `None` when it is nothing we could call.
    pub fn read<'a>(
        property: impl Fn(&str) -> Option<&'a str>,
        port: u16,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) -> Option<Self> {
        // What a newer version says differently has another number.
        property("v").filter(|version| *version == VERSION)?;
        let peer = property("id")?.parse().ok()?;
        let name = property("n").unwrap_or_default();
        let name = name[..name.floor_char_boundary(LONGEST_NAME)].to_owned();
        let port_v6 = property("p6").and_then(|port| port.parse().ok()).unwrap_or(port);
        let placed = addresses.into_iter().filter_map(|mut address| {
            address.set_port(if address.is_ipv4() { port } else { port_v6 });
            is_usable(&address).then_some(address)
        });
        let mut addresses: Vec<SocketAddr> = placed.collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(MOST_ADDRESSES);
        (!addresses.is_empty()).then_some(Self { peer, name, addresses })
    }
}

/// Whether something of another computer can be there.
fn is_usable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    let somewhere = !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast();
    let one = !matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    // A link-local address without the link it is on leads nowhere.
    let whole =
        !matches!(address, SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0);
    address.port() != 0 && somewhere && one && whole
}

/// All sightings of one kind, by the full name of their instance.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    found: BTreeMap<String, Sighting>,
}

impl Sightings {
    /// Somebody was seen, again or for the first time. Whether that is news.
    pub(super) fn seen(&mut self, instance: &str, sighting: Sighting) -> bool {
        let full = self.found.len() >= MOST_FOUND && !self.found.contains_key(instance);
        !full && self.found.insert(instance.to_owned(), sighting.clone()) != Some(sighting)
    }

    /// Somebody is there no longer. Whether that is news.
    pub(super) fn gone(&mut self, instance: &str) -> bool {
        self.found.remove(instance).is_some()
    }

    /// Who is there; one for each peer ID, with all addresses.
    pub(super) fn all(&self) -> Vec<Sighting> {
        let mut all: BTreeMap<PeerId, Sighting> = BTreeMap::new();
        for sighting in self.found.values() {
            let one = all
                .entry(sighting.peer)
                .or_insert_with(|| Sighting { addresses: vec![], ..sighting.clone() });
            one.addresses.extend(&sighting.addresses);
            one.addresses.sort_unstable();
            one.addresses.dedup();
            one.addresses.truncate(MOST_ADDRESSES);
        }
        all.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Announcement {
        Announcement { peer: PeerId([0xad; 32]), name: "Ada 王".into(), port: 4_000, port_v6: Some(5_000) }
    }

    fn read(announcement: &Announcement, addresses: &[&str]) -> Option<Sighting> {
        let properties = announcement.properties();
        let property =
            |key: &str| properties.iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str());
        let addresses = addresses.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0));
        Sighting::read(property, announcement.port, addresses)
    }

    #[test]
    fn what_is_announced_is_what_is_read() {
        let seen = read(&ada(), &["192.0.2.1", "2001:db8::1"]).expect("somebody");
        assert_eq!((seen.peer, seen.name.as_str()), (ada().peer, "Ada 王"));
        let places: Vec<String> = seen.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["192.0.2.1:4000", "[2001:db8::1]:5000"]);
    }

    #[test]
    fn every_property_fits_where_it_must() {
        let long = Announcement { name: "王".repeat(200), ..ada() };
        assert!(long.properties().iter().all(|(key, value)| key.len() + value.len() < 255));
        assert!(long.instance().len() <= 63);
    }

    #[test]
    fn places_that_nobody_can_be_at_are_left_out() {
        assert_eq!(
            read(&ada(), &["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "::"]),
            None
        );
    }

    #[test]
    fn another_version_or_no_peer_id_is_nobody() {
        let with = |key: &'static str, value: &'static str| {
            let property = move |asked: &str| match asked {
                asked if asked == key => Some(value),
                "v" => Some("1"),
                "id" => Some("ad"),
                _ => None,
            };
            Sighting::read(property, 1, ["192.0.2.1:0".parse().expect("an address")])
        };
        assert_eq!(with("v", "2"), None);
        assert_eq!(with("id", "not an id"), None);
    }

    #[test]
    fn a_flood_of_strangers_is_bounded_and_whoever_is_there_stays() {
        let mut sightings = Sightings::default();
        let seen = |number: u8| {
            let announcement = Announcement { peer: PeerId([number; 32]), ..ada() };
            read(&announcement, &["192.0.2.1"]).expect("somebody")
        };
        for number in 0..200 {
            sightings.seen(&number.to_string(), seen(number));
        }
        assert_eq!(sightings.all().len(), MOST_FOUND);
        assert!(!sightings.seen("0", seen(0)), "the same again is no news");
        assert!(sightings.gone("0"));
        assert!(!sightings.gone("0"));
        assert!(sightings.seen("new", seen(201)), "there is room again");
    }

    #[test]
    fn one_person_seen_in_two_ways_is_one() {
        let mut sightings = Sightings::default();
        sightings.seen("a", read(&ada(), &["192.0.2.1"]).expect("somebody"));
        sightings.seen("a (2)", read(&ada(), &["192.0.2.2"]).expect("somebody"));
        let all = sightings.all();
        assert_eq!((all.len(), all[0].addresses.len()), (1, 2));
    }
}
