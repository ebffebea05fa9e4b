//! Cryptography that hides and proves nothing, so that tests can read packets.
//!
//! A certificate is a name, and so is an endpoint discriminator. A sealed packet is the scrambled session ID, a mark made
//! of the key, a sequence number, and the plain packet.

use sha2::{Digest, Sha256};

use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::{
    CryptoError, Initiation, PacketCipher, PendingKeys, Profile, Response, SessionKeys, Work,
};
use crate::rtmfp::wire::session_id;

/// A profile whose whole identity is a name.
#[derive(Clone, Debug)]
pub struct Plain {
    name: Vec<u8>,
}

impl Plain {
    /// Whoever says so is this one.
    pub fn new(name: &str) -> Self {
        Self { name: name.as_bytes().to_vec() }
    }
}

impl Profile for Plain {
    fn certificate(&self) -> &[u8] {
        &self.name
    }

    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError> {
        Ok(PeerId(Sha256::digest(certificate).into()))
    }

    fn is_static(&self, _certificate: &[u8]) -> bool {
        true
    }

    fn selected_by(&self, endpoint_discriminator: &[u8]) -> bool {
        self.certificate_matches(&self.name, endpoint_discriminator)
    }

    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool {
        certificate == endpoint_discriminator
            || self.identify(certificate).is_ok_and(|peer| peer.0[..] == *endpoint_discriminator)
    }

    fn discriminator_of(&self, peer: PeerId) -> Vec<u8> {
        peer.0.to_vec()
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        *self.name < *far_certificate
    }

    fn default_cipher(&self) -> Box<dyn PacketCipher> {
        Box::new(PlainCipher { near: 0, far: 0, sent: 0, seen: None })
    }

    fn initiate(&self, _far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation> {
        let near = seed[..16].to_vec();
        Box::new(move || Ok(Initiation { component: near.clone(), pending: Box::new(PlainPending { near }) }))
    }

    fn respond(
        &self,
        _initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response> {
        let (near, far) = (seed[..16].to_vec(), initiator_component.to_vec());
        Box::new(move || Ok(Response { keys: keys(&near, &far), component: near }))
    }

    fn sign(&self, _signed_parameters: &[u8]) -> Vec<u8> {
        b"X".to_vec()
    }

    fn verify(&self, _certificate: &[u8], _signed_parameters: &[u8], signature: &[u8]) -> bool {
        signature == b"X"
    }
}

struct PlainPending {
    near: Vec<u8>,
}

impl PendingKeys for PlainPending {
    fn finish(&self, responder_component: &[u8]) -> Work<SessionKeys> {
        let (near, far) = (self.near.clone(), responder_component.to_vec());
        Box::new(move || Ok(keys(&near, &far)))
    }
}

fn keys(near: &[u8], far: &[u8]) -> SessionKeys {
    let (near_nonce, far_nonce): ([u8; 32], [u8; 32]) = (Sha256::digest(near).into(), Sha256::digest(far).into());
    let mark = |nonce: [u8; 32]| u32::from_be_bytes([nonce[0], nonce[1], nonce[2], nonce[3]]) | 1;
    let cipher = PlainCipher { near: mark(near_nonce), far: mark(far_nonce), sent: 0, seen: Some(Vec::new()) };
    SessionKeys { cipher: Box::new(cipher), near_nonce, far_nonce }
}

struct PlainCipher {
    near: u32,
    far: u32,
    sent: u64,
    /// Sequence numbers seen; none for the startup key, which takes repetitions.
    seen: Option<Vec<u64>>,
}

impl PacketCipher for PlainCipher {
    fn plain_limit(&self, datagram_size: usize) -> usize {
        datagram_size.saturating_sub(session_id::LENGTH + HEADER_LENGTH)
    }

    fn seal(
        &mut self,
        far_session_id: u32,
        plain: &[u8],
        ends: &[usize],
        out: &mut Vec<u8>,
        out_ends: &mut Vec<usize>,
    ) {
        let mut start = 0;
        for end in ends {
            let mut packet = self.near.to_be_bytes().to_vec();
            packet.extend_from_slice(&self.sent.to_be_bytes());
            let plain = &plain[start..*end];
            packet.extend_from_slice(&checksum(&packet, plain).to_be_bytes());
            packet.extend_from_slice(plain);
            out.extend_from_slice(&session_id::scramble(far_session_id, &packet).to_be_bytes());
            out.extend_from_slice(&packet);
            out_ends.push(out.len());
            self.sent += 1;
            start = *end;
        }
    }

    fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], CryptoError> {
        let packet = datagram.get(session_id::LENGTH..).ok_or(CryptoError::Forged)?;
        let (head, plain) = packet.split_at_checked(HEADER_LENGTH).ok_or(CryptoError::Forged)?;
        let (numbers, sum) = head.split_at(HEADER_LENGTH - 4);
        let (mark, sequence) = numbers.split_at(4);
        if mark != self.far.to_be_bytes() || sum != checksum(numbers, plain).to_be_bytes() {
            return Err(CryptoError::Forged);
        }
        if let Some(seen) = &mut self.seen {
            let sequence = sequence.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            match seen.binary_search(&sequence) {
                Ok(_) => return Err(CryptoError::Replayed),
                Err(place) => seen.insert(place, sequence),
            }
        }
        Ok(plain)
    }

    fn describe(&self) -> String {
        "nothing".to_owned()
    }
}

fn checksum(numbers: &[u8], plain: &[u8]) -> u32 {
    let mut hash = Sha256::new();
    hash.update(numbers);
    hash.update(plain);
    let hash: [u8; 32] = hash.finalize().into();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Mark, sequence number, checksum.
const HEADER_LENGTH: usize = 4 + 8 + 4;
