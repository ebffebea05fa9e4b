//! What a caller is told of where somebody is (RFC 7016 §3.5.1.4 to §3.5.1.6).
//!
//! The called one's session gets the hello forwarded; the caller gets a list of addresses. That list must help with every
//! kind of router, tell nobody's private network to strangers, send nobody's hellos to bystanders, and be no longer than
//! the question, since the question's sender may be forged. Whoever is connected has proven their address; between two who
//! are, there may be a relay.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::directory::Person;
use crate::rtmfp::Route;
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress};

/// How long the list for a caller may be, in bytes on the wire: as long as the discriminator of the hello, since its sender
/// may be forged, but of somebody who is connected and was proven to be there.
pub fn room_for(discriminator_length: usize, is_connected: bool) -> usize {
    if is_connected { ROOM_FOR_THE_CONNECTED.max(discriminator_length) } else { discriminator_length }
}

/// Where the caller should try, best first: as seen by us, then relays, then as reported. Never takes more than `room`
/// bytes on the wire. Of whoever wants to be met at relays only nothing else is told.
pub fn addresses_for(
    caller: Route,
    room: usize,
    person: &Person,
    direct: bool,
    relay: Option<SocketAddr>,
) -> Vec<KnownAddress> {
    let observed = KnownAddress { address: person.route.address, origin: AddressOrigin::Observed };
    let mut reported: Vec<_> = person
        .reported
        .iter()
        .filter(|address| may_be_told(**address, caller.address.ip(), person.route.address.ip()))
        .map(|address| KnownAddress { address: *address, origin: AddressOrigin::Reported })
        .collect();
    // Neighbours behind the same router first: not every router lets them meet at its outside.
    reported.sort_by_key(|known| !is_private(known.address.ip()));

    let mut known: Vec<KnownAddress> = Vec::new();
    let mut left = room;
    let direct_first = std::iter::once(observed).filter(|_| direct);
    let relays = relays_of(relay, person);
    for candidate in direct_first.chain(relays).chain(reported.into_iter().filter(|_| direct)) {
        let length = encoded_length(candidate.address);
        if length <= left && known.iter().all(|other| other.address != candidate.address) {
            left -= length;
            known.push(candidate);
        }
    }
    known
}

/// Where the called end should answer a caller: as seen by us, and at relays.
pub fn addresses_of(
    caller: Route,
    person: Option<&Person>,
    direct: bool,
    relay: Option<SocketAddr>,
) -> Vec<KnownAddress> {
    let observed = KnownAddress { address: caller.address, origin: AddressOrigin::Observed };
    let relays = person.map(|person| relays_of(relay, person)).into_iter().flatten();
    std::iter::once(observed).filter(|_| direct).chain(relays).collect()
}

/// The port that this server lends for somebody, and relays of that person's own.
fn relays_of(lent: Option<SocketAddr>, person: &Person) -> impl Iterator<Item = KnownAddress> {
    let own = person.proven.iter().rev().map(|(address, _)| *address);
    lent.into_iter().chain(own).map(|address| KnownAddress { address, origin: AddressOrigin::Relay })
}

/// Whether a reported address may be told to somebody who is seen at `caller`.
fn may_be_told(address: SocketAddr, caller: IpAddr, observed: IpAddr) -> bool {
    let ip = address.ip();
    if address.port() == 0 || ip.is_unspecified() || ip.is_multicast() || is_broadcast(ip) {
        return false;
    }
    if ip.is_loopback() {
        return caller.is_loopback() && observed.is_loopback();
    }
    if is_private(ip) {
        return same_site(caller, observed);
    }
    // A public address that is not where they were seen may be a bystander's; one of the other family cannot be compared.
    ip == observed || ip.is_ipv4() != observed.is_ipv4()
}

/// Behind the same public address; for IPv6, in the same network of 64 bits.
fn same_site(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a == b,
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..4] == b.segments()[..4],
        _ => false,
    }
}

/// Whether an address means something only inside one network.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // The second is the shared space between carriers and their customers (RFC 6598).
            ip.is_private() || (a == 100 && (64..128).contains(&b)) || ip.is_link_local() || ip.is_loopback()
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_private(IpAddr::V4(ip)),
            None => ip.is_unique_local() || ip.is_unicast_link_local() || ip == Ipv6Addr::LOCALHOST,
        },
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Eight addresses of IPv6 at least.
const ROOM_FOR_THE_CONNECTED: usize = 160;

/// A flag byte, the address, the port (§2.1.5).
fn encoded_length(address: SocketAddr) -> usize {
    if address.is_ipv4() { 7 } else { 19 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netconnection::UserName;
    use crate::rtmfp::{PathId, PeerId};

    /// The length of the canonical discriminator of a peer ID (RFC 7425 §4.4.3).
    const CANONICAL: usize = 34;

    fn route(address: &str) -> Route {
        Route { via: PathId(0), address: address.parse().unwrap() }
    }

    fn told(caller: &str, observed: &str, reported: &[&str]) -> Vec<String> {
        let mut person = Person::new(PeerId([1; 32]), UserName::new("Ada").unwrap(), route(observed));
        person.reported = reported.iter().map(|address| address.parse().unwrap()).collect();
        let known = addresses_for(route(caller), CANONICAL, &person, true, None);
        known.iter().map(|known| known.address.to_string()).collect()
    }

    #[test]
    fn a_stranger_is_told_the_observed_address_only() {
        let known = told("198.51.100.9:500", "203.0.113.7:4000", &["192.168.1.7:4000", "127.0.0.1:4000"]);
        assert_eq!(known, ["203.0.113.7:4000"]);
    }

    /// Conforms: 7016-3.5.1.6-a
    #[test]
    fn a_neighbour_behind_the_same_router_is_told_the_private_address_too() {
        let known = told("203.0.113.7:500", "203.0.113.7:4000", &["192.168.1.7:4000", "127.0.0.1:4000"]);
        assert_eq!(known, ["203.0.113.7:4000", "192.168.1.7:4000"]);
    }

    #[test]
    fn addresses_of_the_other_family_help_and_are_told() {
        let known = told("198.51.100.9:500", "203.0.113.7:4000", &["[2001:db8::7]:4000", "[fe80::7]:4000"]);
        assert_eq!(known, ["203.0.113.7:4000", "[2001:db8::7]:4000"]);
    }

    #[test]
    fn nobody_can_have_others_send_hellos_to_a_bystander() {
        let reported = ["198.51.100.1:80", "0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "203.0.113.7:0"];
        assert_eq!(told("198.51.100.9:500", "203.0.113.7:4000", &reported), ["203.0.113.7:4000"]);
    }

    #[test]
    fn of_somebody_who_wants_to_be_met_at_relay_only_nothing_else_is_told() {
        let mut person =
            Person::new(PeerId([1; 32]), UserName::new("Ada").unwrap(), route("203.0.113.7:4000"));
        person.reported = vec!["[2001:db8::7]:4000".parse().unwrap()];
        person.proven = vec![("192.0.2.7:5000".parse().unwrap(), std::time::Instant::now())];
        let relay = Some("192.0.2.1:1937".parse().unwrap());
        let all = |known: Vec<KnownAddress>| {
            assert!(known.iter().all(|known| known.origin == AddressOrigin::Relay));
            known.iter().map(|known| known.address.to_string()).collect::<Vec<_>>()
        };
        let told = addresses_for(route("203.0.113.7:1"), room_for(CANONICAL, true), &person, false, relay);
        assert_eq!(all(told), ["192.0.2.1:1937", "192.0.2.7:5000"]);
        let answered = addresses_of(route("203.0.113.7:4000"), Some(&person), false, relay);
        assert_eq!(all(answered), ["192.0.2.1:1937", "192.0.2.7:5000"]);
    }

    #[test]
    fn on_one_computer_loopback_is_told() {
        let known = told("127.0.0.1:500", "127.0.0.1:4000", &["127.0.0.1:4000", "127.0.0.1:4001"]);
        assert_eq!(known, ["127.0.0.1:4000", "127.0.0.1:4001"]);
    }

    #[test]
    fn the_answer_is_never_longer_than_the_question() {
        let reported: Vec<_> = (1..9).map(|n| format!("[fd00::{n}]:4000")).collect();
        let reported: Vec<_> = reported.iter().map(String::as_str).collect();
        assert_eq!(told("[2001:db8::9]:500", "[2001:db8::7]:4000", &reported), ["[2001:db8::7]:4000"]);
        let four = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1", "10.0.0.5:1"];
        assert_eq!(told("203.0.113.7:5", "203.0.113.7:4000", &four).len(), 4);
    }
}
