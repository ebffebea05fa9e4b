//! Datagrams made and read byte by byte, for ends that a test plays itself. Written from the RFC alone, without the
//! library's parsers, for endpoints with readable cryptography.

use std::net::SocketAddr;

use tincan::rtmfp::crypto::{PacketCipher, Profile, SessionKeys};
use tincan::rtmfp::testing::plain_crypto::Plain;

use super::scenario::Net;
use super::virtual_network::Host;

pub(crate) const FRAGMENT: u8 = 0x7f;
pub(crate) const IHELLO: u8 = 0x30;
pub(crate) const FIHELLO: u8 = 0x0f;
pub(crate) const RHELLO: u8 = 0x70;
pub(crate) const REDIRECT: u8 = 0x71;
pub(crate) const COOKIE_CHANGE: u8 = 0x79;
pub(crate) const IIKEYING: u8 = 0x38;
pub(crate) const RIKEYING: u8 = 0x78;
pub(crate) const PING: u8 = 0x01;
pub(crate) const PING_REPLY: u8 = 0x41;

/// A datagram taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    /// Where it went.
    pub(crate) to: SocketAddr,
    /// Milliseconds after the start.
    pub(crate) at: u128,
    pub(crate) session_id: u32,
    /// Whether it was sealed with the default key.
    pub(crate) startup: bool,
    /// The packet's first byte.
    pub(crate) flags: u8,
    pub(crate) chunks: Vec<(u8, Vec<u8>)>,
}

impl Seen {
    /// The payload of its chunk of this kind, if it has one.
    pub(crate) fn payload(&self, kind: u8) -> Option<&[u8]> {
        self.chunks.iter().find(|(of, _)| *of == kind).map(|(_, payload)| payload.as_slice())
    }
}

/// Everything a host sent, taken apart.
pub(crate) fn sent_by(net: &Net, host: Host) -> Vec<Seen> {
    let of_host = net.sent().iter().filter(|sent| sent.from == host);
    of_host.map(|sent| read(sent.to, sent.at.as_millis(), &sent.bytes)).collect()
}

/// The payloads of all chunks of one kind that a host sent.
pub(crate) fn payloads(net: &Net, host: Host, kind: u8) -> Vec<Vec<u8>> {
    sent_by(net, host).iter().filter_map(|seen| seen.payload(kind).map(<[u8]>::to_vec)).collect()
}

/// Takes a datagram apart: scrambled session ID, eight bytes of packet number, and the plain packet.
fn read(to: SocketAddr, at: u128, datagram: &[u8]) -> Seen {
    let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().expect("four bytes"));
    let plain = &datagram[12..];
    let times = 2 * (usize::from(plain[0] & 8 != 0) + usize::from(plain[0] & 4 != 0));
    Seen {
        to,
        at,
        session_id: word(0) ^ word(4) ^ word(8),
        startup: datagram[4..12] == [0; 8],
        flags: plain[0],
        chunks: chunks(&plain[1 + times..]),
    }
}

/// The chunks of a packet behind its header.
pub(crate) fn chunks(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let [kind, high, low, rest @ ..] = bytes {
        let length = usize::from(*high) << 8 | usize::from(*low);
        let Some((payload, after)) = rest.split_at_checked(length) else { break };
        found.push((*kind, payload.to_vec()));
        bytes = after;
    }
    found
}

/// A number of variable length.
pub(crate) fn vlu(number: usize) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7f) as u8];
    let mut left = number >> 7;
    while left != 0 {
        bytes.insert(0, (left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    bytes
}

/// Bytes behind their length.
pub(crate) fn counted(bytes: &[u8]) -> Vec<u8> {
    [&vlu(bytes.len()), bytes].concat()
}

/// Splits off something that stands behind its length.
pub(crate) fn split_counted(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = split_vlu(bytes);
    rest.split_at(length)
}

/// Splits off a number of variable length.
pub(crate) fn split_vlu(bytes: &[u8]) -> (usize, &[u8]) {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).expect("an end of the number");
    let number = bytes[..=end].iter().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f));
    (number, &bytes[end + 1..])
}

/// A chunk.
pub(crate) fn chunk(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a payload that a chunk can hold").to_be_bytes();
    [&[kind], &length[..], payload].concat()
}

/// A startup datagram with these chunks.
pub(crate) fn startup(session_id: u32, chunks: &[u8]) -> Vec<u8> {
    under_default_key(session_id, &[&[0x03], chunks].concat())
}

/// Any plain packet sealed with the default key.
pub(crate) fn under_default_key(session_id: u32, plain: &[u8]) -> Vec<u8> {
    sealed(&mut *Plain::new("anybody").default_cipher(), session_id, plain)
}

/// Any plain packet sealed by a cipher.
pub(crate) fn sealed(cipher: &mut dyn PacketCipher, session_id: u32, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    cipher.seal(session_id, plain, &[plain.len()], &mut out, &mut Vec::new());
    out
}

pub(crate) fn ihello(endpoint_discriminator: &[u8], tag: &[u8]) -> Vec<u8> {
    startup(0, &chunk(IHELLO, &[&counted(endpoint_discriminator), tag].concat()))
}

pub(crate) fn rhello(tag: &[u8], cookie: &[u8], certificate: &[u8]) -> Vec<u8> {
    startup(0, &chunk(RHELLO, &[&counted(tag), &counted(cookie), certificate].concat()))
}

/// A Redirect to IPv4 addresses.
pub(crate) fn redirect(tag: &[u8], to: &[SocketAddr]) -> Vec<u8> {
    let mut payload = counted(tag);
    to.iter().for_each(|address| payload.extend(address_bytes(*address, 2)));
    startup(0, &chunk(REDIRECT, &payload))
}

pub(crate) fn cookie_change(session_id: u32, old: &[u8], new: &[u8]) -> Vec<u8> {
    startup(session_id, &chunk(COOKIE_CHANGE, &[&counted(old), new].concat()))
}

/// An IPv4 address with its origin.
pub(crate) fn address_bytes(address: SocketAddr, origin: u8) -> Vec<u8> {
    let std::net::IpAddr::V4(ip) = address.ip() else { panic!("an IPv4 address") };
    [&[origin], &ip.octets()[..], &address.port().to_be_bytes()].concat()
}

/// What an IIKeying's signature covers.
pub(crate) fn iikeying_payload(
    session_id: u32,
    cookie: &[u8],
    certificate: &[u8],
    component: &[u8],
) -> Vec<u8> {
    [&session_id.to_be_bytes()[..], &counted(cookie), &counted(certificate), &counted(component)].concat()
}

/// An IIKeying of the end called `name`.
pub(crate) fn iikeying(session_id: u32, cookie: &[u8], name: &str, component: &[u8]) -> Vec<u8> {
    let signed = iikeying_payload(session_id, cookie, name.as_bytes(), component);
    let signature = Plain::new(name).sign(&signed);
    startup(0, &chunk(IIKEYING, &[signed, signature].concat()))
}

/// An RIKeying of the end called `name` in answer to an IIKeying's session ID and component.
pub(crate) fn rikeying(to: (u32, &[u8]), session_id: u32, name: &str, component: &[u8]) -> Vec<u8> {
    let payload = [&session_id.to_be_bytes()[..], &counted(component)].concat();
    let signature = Plain::new(name).sign(&[&payload, to.1].concat());
    startup(to.0, &chunk(RIKEYING, &[payload, signature].concat()))
}

/// An IIKeying taken apart: session ID, cookie, certificate, component, signature.
pub(crate) fn parts_of_iikeying(payload: &[u8]) -> (u32, &[u8], &[u8], &[u8], &[u8]) {
    let (id, rest) = payload.split_at(4);
    let (cookie, rest) = split_counted(rest);
    let (certificate, rest) = split_counted(rest);
    let (component, signature) = split_counted(rest);
    (u32::from_be_bytes(id.try_into().expect("four bytes")), cookie, certificate, component, signature)
}

/// An RHello taken apart: tag, cookie, certificate.
pub(crate) fn parts_of_rhello(payload: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (tag, rest) = split_counted(payload);
    let (cookie, certificate) = split_counted(rest);
    (tag, cookie, certificate)
}

/// The keys that two ends get who said these components; both are 32 bytes.
pub(crate) fn keys(near: [u8; 32], far: &[u8]) -> SessionKeys {
    let initiation = Plain::new("anybody").initiate(&[], near)().expect("a component");
    initiation.pending.finish(far)().expect("keys")
}
