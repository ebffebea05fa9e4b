//! What other programs sent, recorded from the wire: it is opened and read with keys made anew from the same seeds, and
//! what we send them are the bytes that they took.
//!
//! Each file under `tests/vectors` says where it comes from. Its lines are a name and bytes: `seed` is what our end drew
//! for the key agreement, `out` and `in` are whole datagrams of ours and theirs, in the order in which they passed.

use super::crypto::flash::{Flash, Identity, Verification};
use super::crypto::{PacketCipher, PendingKeys, Profile, SessionKeys};
use super::endpoint::AddressOrigin;
use super::session::startup_packet;
use super::wire::chunk::Chunk;
use super::wire::packet::{self, PacketHeader};
use super::wire::user_data::{NextUserData, UserData};

struct Recording(Vec<(String, Vec<u8>)>);

impl Recording {
    fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(Self::line).collect())
    }

    fn line(line: &str) -> (String, Vec<u8>) {
        let (name, digits) = line.split_once(' ').expect("a name and bytes");
        let bytes = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
            .collect();
        (name.to_owned(), bytes)
    }

    fn seed(&self) -> [u8; 32] {
        let found = self.0.iter().find(|(name, _)| name == "seed").expect("a seed");
        found.1.as_slice().try_into().expect("32 bytes")
    }
}

/// Who recorded: its key is made from this seed.
const IDENTITY: [u8; 32] = [7; 32];

fn strong() -> Flash {
    Flash::peer(Identity::generate(IDENTITY))
}

fn weak() -> Flash {
    Flash::peer(Identity::generate_flash_era(IDENTITY)).verifying(Verification::OnRequest)
}

/// What a session said after its keys were agreed on.
struct Read {
    /// The far end's certificate.
    certificate: Vec<u8>,
    keys: SessionKeys,
    /// The far end's packets, opened, in the order in which they came.
    packets: Vec<Vec<u8>>,
}

fn opened(cipher: &mut dyn PacketCipher, datagram: &[u8]) -> Option<Vec<u8>> {
    cipher.open(&mut datagram.to_vec()).ok().map(<[u8]>::to_vec)
}

/// Goes through a recording in which we dialled.
fn as_initiator(recording: &Recording, profile: &Flash) -> Read {
    let mut default = profile.default_cipher();
    let mut far_certificate = None;
    let mut sent_component = None;
    let mut pending: Option<Box<dyn PendingKeys>> = None;
    let mut keys: Option<SessionKeys> = None;
    let (mut packets, mut early) = (Vec::new(), Vec::new());
    for (name, datagram) in &recording.0 {
        if let ("in", Some(keys)) = (name.as_str(), &mut keys) {
            packets.extend(opened(&mut *keys.cipher, datagram));
            continue;
        }
        if !matches!(name.as_str(), "in" | "out") || keys.is_some() {
            continue;
        }
        let Some(plain) = opened(&mut *default, datagram) else {
            early.push(datagram);
            continue;
        };
        for chunk in startup_packet::chunks(&plain).into_iter().flatten() {
            match chunk {
                Chunk::ResponderHello { certificate, .. } if pending.is_none() => {
                    let initiation =
                        profile.initiate(certificate, recording.seed())().expect("a common group");
                    far_certificate = Some(certificate.to_vec());
                    sent_component = Some(initiation.component);
                    pending = Some(initiation.pending);
                }
                Chunk::InitiatorKeying(keying) => {
                    assert_eq!(Some(keying.component), sent_component.as_deref(), "our component");
                    assert_eq!(keying.certificate, profile.certificate());
                }
                Chunk::ResponderKeying(keying) => {
                    let pending = pending.as_ref().expect("the hello came first");
                    keys = Some(pending.finish(keying.component)().expect("keys"));
                }
                _ => {}
            }
        }
        if let Some(keys) = &mut keys {
            packets.extend(early.drain(..).filter_map(|datagram| opened(&mut *keys.cipher, datagram)));
        }
    }
    Read {
        certificate: far_certificate.expect("an answer to the hello"),
        keys: keys.expect("an answer to the keying"),
        packets,
    }
}

/// Goes through a recording in which they dialled.
fn as_responder(recording: &Recording, profile: &Flash) -> Read {
    let mut default = profile.default_cipher();
    let mut read: Option<Read> = None;
    let mut component = None;
    for (name, datagram) in &recording.0 {
        if let ("in", Some(read)) = (name.as_str(), &mut read) {
            read.packets.extend(opened(&mut *read.keys.cipher, datagram));
        }
        if !matches!(name.as_str(), "in" | "out") {
            continue;
        }
        let plain = opened(&mut *default, datagram).unwrap_or_default();
        for chunk in startup_packet::chunks(&plain).into_iter().flatten() {
            match chunk {
                Chunk::ResponderHello { certificate, .. } => assert_eq!(certificate, profile.certificate()),
                Chunk::InitiatorKeying(keying) if read.is_none() => {
                    let work = profile.respond(keying.certificate, keying.component, recording.seed());
                    let response = work().expect("keys");
                    component = Some(response.component);
                    let certificate = keying.certificate.to_vec();
                    read = Some(Read { certificate, keys: response.keys, packets: Vec::new() });
                }
                Chunk::ResponderKeying(keying) => {
                    assert_eq!(Some(keying.component), component.as_deref(), "our component");
                }
                _ => {}
            }
        }
    }
    read.expect("a keying of theirs")
}

/// Every chunk of packets, and what `look` finds in one of them.
fn find<T>(packets: &[Vec<u8>], look: impl Fn(&Chunk<'_>) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for packet in packets {
        let (_, chunks) = PacketHeader::parse(packet).expect("a packet");
        let parsed = packet::chunks(chunks).flatten().map(|chunk| Chunk::parse(chunk.kind, chunk.payload));
        found.extend(parsed.flatten().filter_map(|chunk| look(&chunk)));
    }
    found
}

/// Every fragment's bytes, in the order in which they came.
fn said(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    find(packets, |chunk| match chunk {
        Chunk::UserData(UserData { data, .. }) | Chunk::NextUserData(NextUserData { data, .. }) => {
            Some(data.to_vec())
        }
        _ => None,
    })
}

fn contains(said: &[Vec<u8>], text: &str) -> bool {
    said.iter().any(|data| data.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn tcserver_lets_in_a_client_with_a_lasting_key() {
    let recording = Recording::read(include_str!("../../tests/vectors/tcserver.txt"));
    let read = as_initiator(&recording, &strong());
    assert!(contains(&said(&read.packets), "NetConnection.Connect.Success"));
    assert_eq!(read.keys.cipher.describe(), "AES-128 · HMAC-128 · group 14");
    assert!(!strong().is_static(&read.certificate), "it makes new keys for each session");
}

#[test]
fn tcserver_without_verification_lets_in_a_client_with_a_flash_era_key() {
    let recording = Recording::read(include_str!("../../tests/vectors/tcserver_without_verification.txt"));
    let read = as_initiator(&recording, &weak());
    assert!(contains(&said(&read.packets), "NetConnection.Connect.Success"));
    // Neither wants more than a checksum of the other.
    assert_eq!(read.keys.cipher.describe(), "AES-128 · checksum · group 2");
}

/// A server of the Flash years: groups 5 and 14 in its certificate, and group 2 whatever one asks for; a checksum and no
/// sequence numbers; a hello for us forwarded in its session.
#[test]
fn monaserver2_lets_in_a_flash_era_key_and_forwards_a_hello() {
    let recording = Recording::read(include_str!("../../tests/vectors/monaserver2.txt"));
    let read = as_initiator(&recording, &weak());
    assert!(contains(&said(&read.packets), "NetConnection.Connect.Success"));
    assert_eq!(read.keys.cipher.describe(), "AES-128 · checksum · group 2");
    let groups = [0x02, 0x15, 0x02, 0x02, 0x15, 0x05, 0x02, 0x15, 0x0e];
    assert!(read.certificate.starts_with(&[0x01, 0x0a, 0x41, 0x0e]) && read.certificate.ends_with(&groups));
    let hellos = find(&read.packets, |chunk| match chunk {
        Chunk::ForwardedHello { endpoint_discriminator, reply, tag } => {
            Some((weak().selected_by(endpoint_discriminator), reply.address.is_ipv4(), tag.len()))
        }
        _ => None,
    });
    // One for each address of who looks for us.
    assert_eq!(hellos, [(true, true, 16), (true, true, 16), (true, false, 16)]);
}

#[test]
fn monaserver2_redirects_to_every_address_of_the_peer() {
    let recording = Recording::read(include_str!("../../tests/vectors/librtmfp_publishes.txt"));
    let (_, datagram) = recording.0.iter().find(|(name, _)| name == "redirect").expect("a redirect");
    let plain = opened(&mut *weak().default_cipher(), datagram).expect("sealed with the default key");
    let chunks: Vec<Chunk<'_>> = startup_packet::chunks(&plain).into_iter().flatten().collect();
    let [Chunk::Redirect { tag_echo, destinations }] = &chunks[..] else {
        panic!("one redirect: {chunks:?}")
    };
    assert_eq!(tag_echo.len(), 16);
    let origins: Vec<AddressOrigin> = destinations.iter().map(|known| known.origin).collect();
    assert!(origins.contains(&AddressOrigin::Observed) && origins.contains(&AddressOrigin::Reported));
    assert!(destinations.iter().any(|known| known.address.is_ipv6()));
}

#[test]
fn librtmfp_publishes_to_a_flash_era_key() {
    let recording = Recording::read(include_str!("../../tests/vectors/librtmfp_publishes.txt"));
    let read = as_initiator(&recording, &weak());
    assert_eq!((&read.certificate[..4], read.certificate.len()), (&[0x81, 0x02, 0x1d, 0x02][..], 132));
    assert!(weak().is_static(&read.certificate));
    let said = said(&read.packets);
    assert!(contains(&said, "NetStream.Play.Start") && contains(&said, "onMetaData"));
}

#[test]
fn librtmfp_plays_from_a_flash_era_key() {
    let recording = Recording::read(include_str!("../../tests/vectors/librtmfp_plays.txt"));
    let read = as_responder(&recording, &weak());
    assert_eq!(read.certificate.len(), 132);
    assert_eq!(read.keys.cipher.describe(), "AES-128 · checksum · group 2");
    assert!(contains(&said(&read.packets), "play"));
}
