//! Datagrams with session ID 0: hellos and keying from and for nobody we know yet (RFC 7016 §3.5.1).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::late_answers::LateAnswer;
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress, OwnIdentity};
use crate::rtmfp::event::Event;
use crate::rtmfp::limits;
use crate::rtmfp::machine::Route;
use crate::rtmfp::session::cookie::COOKIE_LENGTH;
use crate::rtmfp::session::startup_packet;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::Mode;
use crate::rtmfp::wire::packet_fragment;

impl Endpoint {
    /// Opens a datagram with the default key and handles what is in it.
    pub(super) fn on_startup_datagram(&mut self, now: Instant, route: Route, datagram: &mut [u8]) {
        self.answers.datagram_came(datagram.len());
        match self.default_cipher.open(datagram) {
            Ok(plain) => self.on_startup_packet(now, route, plain),
            Err(_) => self.dropped += 1,
        }
    }

    /// The chunks of a plain startup packet; of several hellos, or several IIKeyings, only the first: each costs work.
    fn on_startup_packet(&mut self, now: Instant, route: Route, plain: &[u8]) {
        let Some(chunks) = startup_packet::chunks(plain) else {
            self.dropped += 1;
            return;
        };
        let (mut greeted, mut keyed) = (false, false);
        let mut whole = None;
        for chunk in chunks {
            match chunk {
                Chunk::IHello { endpoint_discriminator, tag } if !greeted => {
                    greeted = true;
                    self.on_hello(now, route, endpoint_discriminator, tag);
                }
                Chunk::ResponderHello { tag_echo, cookie, certificate } => {
                    self.on_responder_hello(now, route, tag_echo, cookie, certificate);
                }
                Chunk::Redirect { tag_echo, destinations } => {
                    self.on_redirect(now, route, tag_echo, &destinations);
                }
                Chunk::InitiatorKeying(keying) if !keyed => {
                    keyed = true;
                    self.on_initiator_keying(now, route, &keying);
                }
                Chunk::PacketFragment(fragment) if whole.is_none() => {
                    whole = self.fragments.take(now, route, Mode::Startup, &fragment);
                }
                _ => {}
            }
        }
        // A fragment inside a packet made of fragments is nobody's honest doing; it goes round once more at most,
        // since each turn takes a whole packet out of the store.
        if let Some(whole) = whole {
            self.on_startup_packet(now, route, &whole);
        }
    }

    fn on_hello(&mut self, now: Instant, route: Route, endpoint_discriminator: &[u8], tag: &[u8]) {
        let Some(own) = self.selected_by(endpoint_discriminator) else {
            self.events.push_back(Event::HelloForAnother {
                route,
                endpoint_discriminator: Bytes::copy_from_slice(endpoint_discriminator),
                tag: Bytes::copy_from_slice(tag),
            });
            return;
        };
        if self.config.accepts_sessions
            && self.may_be_seen_at(route)
            && self.answers.take(now, self.answer_length(own, tag))
        {
            self.answer_hello(now, route, own, tag);
        }
    }

    /// A hello that an introducer forwards: answered to the stranger's address (§3.5.1.5).
    pub(super) fn on_forwarded_hello(
        &mut self,
        now: Instant,
        introducer: Route,
        endpoint_discriminator: &[u8],
        initiator: KnownAddress,
        tag: &[u8],
    ) {
        let Some(own) = self.selected_by(endpoint_discriminator) else { return };
        if initiator.origin == AddressOrigin::Relay {
            self.relays.note(initiator.address);
        }
        for route in self.routes_towards(initiator.address, introducer) {
            if !self.config.accepts_sessions
                || !self.may_be_seen_at(route)
                || !self.forwarded_answers.take(now)
            {
                continue;
            }
            if self.is_relayed(route) && !self.config.relay_only {
                self.late_answers.add(now, LateAnswer { route, own, tag: Bytes::copy_from_slice(tag) });
            } else {
                self.answer_hello(now, route, own, tag);
            }
        }
    }

    /// Answers the hellos whose pause is over.
    pub(super) fn give_late_answers(&mut self, now: Instant) {
        while let Some(LateAnswer { route, own, tag }) = self.late_answers.take_due(now) {
            self.answer_hello(now, route, own, &tag);
        }
    }

    /// How many bytes the datagram with our RHello takes, or a few more.
    fn answer_length(&self, own: OwnIdentity, tag: &[u8]) -> usize {
        let profile = self.profile(own);
        let certificate = profile.as_ref().map_or(&[][..], |profile| profile.certificate());
        let chunk = Chunk::ResponderHello { tag_echo: tag, cookie: &[0; COOKIE_LENGTH], certificate };
        chunk.encoded_length() + STARTUP_OVERHEAD
    }

    /// RHello: a cookie instead of a memory (§3.5.1.1.2).
    fn answer_hello(&mut self, now: Instant, route: Route, own: OwnIdentity, tag: &[u8]) {
        let Some(profile) = self.profile(own) else { return };
        let cookie = self.cookies.make(now, route, own, &mut self.chance);
        let chunk =
            Chunk::ResponderHello { tag_echo: tag, cookie: &cookie, certificate: profile.certificate() };
        self.send_startup(route, 0, &chunk);
    }

    /// The way to an address that somebody told us of: over the path it was told on if that speaks its kind of address,
    /// else over the first that does. None for addresses that cannot be an endpoint's.
    pub(super) fn route_towards(&self, address: SocketAddr, told_on: Route) -> Option<Route> {
        let ip = address.ip().to_canonical();
        let address = SocketAddr::new(ip, address.port());
        // Only a neighbour on the same machine may send us to the machine itself.
        if address.port() == 0
            || ip.is_unspecified()
            || ip.is_multicast()
            || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
            || (ip.is_loopback() && !told_on.address.ip().is_loopback())
        {
            return None;
        }
        let via = match self.paths.get(&told_on.via) {
            // Nobody said what the path speaks.
            None => told_on.via,
            Some(path) if path.speaks_to(address) => told_on.via,
            Some(told) => match self.path_to(address) {
                Some(path) => path,
                // A socket bound to every IPv6 address may reach IPv4 too.
                None if told.local.is_ipv6() && told.local.ip().is_unspecified() => told_on.via,
                None => return None,
            },
        };
        Some(Route { via, address })
    }

    /// Seals one startup chunk with the default key and sends it; `far_session_id` is 0 but for answers to IIKeying.
    pub(super) fn send_startup(&mut self, route: Route, far_session_id: u32, chunk: &Chunk<'_>) {
        self.send_plain_startup(route, far_session_id, &startup_packet::with_chunk(chunk));
    }

    /// Seals a plain startup packet, in fragments if it is too long for one datagram (§3.4).
    pub(super) fn send_plain_startup(&mut self, route: Route, far_session_id: u32, plain: &[u8]) {
        let limit = self.default_cipher.plain_limit(limits::DATAGRAM_SIZE);
        let stamp = if self.clock.is_some() { TIMESTAMP } else { 0 };
        if plain.len() + stamp <= limit {
            let packet = self.sealed_startup(far_session_id, plain);
            self.startup_packets.push_back((route, packet));
            return;
        }
        let packet_id = u64::from(self.chance.u32());
        let room = limit.saturating_sub(FLAGS + stamp);
        let pieces = packet_fragment::split(plain, packet_id, room)
            .map(|piece| startup_packet::with_chunk(&Chunk::PacketFragment(piece)))
            .map(|piece| self.sealed_startup(far_session_id, &piece))
            .collect();
        self.fragments_out.add(route, pieces);
    }

    /// It is `now`, for the stamps of startup packets.
    pub(super) fn note_time(&mut self, now: Instant) {
        if let Some(clock) = &mut self.clock {
            clock.note(now);
        }
    }

    pub(super) fn sealed_startup(&mut self, far_session_id: u32, plain: &[u8]) -> Vec<u8> {
        let (mut packet, mut ends) = (Vec::new(), Vec::new());
        let stamped = self.clock.map(|clock| startup_packet::stamped(plain, clock.ticks()));
        let plain = stamped.as_deref().unwrap_or(plain);
        self.default_cipher.seal(far_session_id, plain, &[plain.len()], &mut packet, &mut ends);
        packet
    }
}

/// The flags of a startup packet.
const FLAGS: usize = 1;
/// Its timestamp, if it has one; it echoes none.
const TIMESTAMP: usize = 2;
/// What stands around the chunk in a startup datagram, at the most: session ID, checksum, header, padding.
pub(super) const STARTUP_OVERHEAD: usize = 4 + 2 + FLAGS + TIMESTAMP + 15;

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::rtmfp::endpoint::EndpointConfig;
    use crate::rtmfp::machine::{Input, Machine, PathId, PathKind};
    use crate::rtmfp::testing::plain_crypto::Plain;

    #[test]
    fn an_ipv4_address_in_ipv6_dress_is_asked_the_same_where_both_kinds_are_spoken() {
        let mut endpoint = Endpoint::new(EndpointConfig::new(Arc::new(Plain::new("ada")), [1; 32]));
        let local = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 1935));
        endpoint
            .handle_input(Instant::now(), Input::PathOpened { path: PathId(0), local, kind: PathKind::Own });
        let told_on = Route { via: PathId(0), address: SocketAddr::from(([192, 0, 2, 1], 1935)) };
        let towards = |address: &str| endpoint.route_towards(address.parse().expect("an address"), told_on);
        let (plain, dressed) = (towards("192.0.2.9:5"), towards("[::ffff:192.0.2.9]:5"));
        assert!(plain.is_some() && plain == dressed);
        for own in ["[::ffff:127.0.0.1]:22", "[::ffff:224.0.0.1]:22", "[::ffff:255.255.255.255]:22"] {
            assert_eq!(towards(own), None, "{own}");
        }
    }
}
