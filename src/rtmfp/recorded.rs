//! What other programs sent, recorded from the wire: it is opened and read with keys made anew from the same seeds, and
//! what we send them are the bytes that they took.
//!
//! Each file under `tests/vectors` says where it comes from. Its lines are a name and bytes: `seed` is what our end drew
//! for the key agreement, `out` and `in` are whole datagrams of ours and theirs, in the order in which they passed.

use super::crypto::flash::{Flash, Identity, Verification};
use super::crypto::{PacketCipher, PendingKeys, Profile, SessionKeys};
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

/// Every fragment's bytes, in the order in which they came.
fn said(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut said = Vec::new();
    for packet in packets {
        let (_, chunks) = PacketHeader::parse(packet).expect("a packet");
        for chunk in packet::chunks(chunks).flatten() {
            match Chunk::parse(chunk.kind, chunk.payload) {
                Ok(
                    Chunk::UserData(UserData { data, .. }) | Chunk::NextUserData(NextUserData { data, .. }),
                ) => {
                    said.push(data.to_vec());
                }
                _ => {}
            }
        }
    }
    said
}

fn contains(said: &[Vec<u8>], text: &str) -> bool {
    said.iter().any(|data| data.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn tcserver_lets_in_a_client_with_a_lasting_key() {
    let recording = Recording::read(include_str!("../../tests/vectors/tcserver.txt"));
    let read = as_initiator(&recording, &strong());
    assert!(contains(&said(&read.packets), "NetConnection.Connect.Success"));
    assert_eq!(read.keys.cipher.describe(), "AES-128 · HMAC-128");
    assert!(!strong().is_static(&read.certificate), "it makes new keys for each session");
}

#[test]
fn tcserver_without_verification_lets_in_a_client_with_a_flash_era_key() {
    let recording = Recording::read(include_str!("../../tests/vectors/tcserver_without_verification.txt"));
    let read = as_initiator(&recording, &weak());
    assert!(contains(&said(&read.packets), "NetConnection.Connect.Success"));
    // Neither wants more than a checksum of the other.
    assert_eq!(read.keys.cipher.describe(), "AES-128 · checksum");
}
