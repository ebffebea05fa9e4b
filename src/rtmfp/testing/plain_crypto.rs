//! A profile for tests: names instead of keys, and packets that can be read. It protects nothing.
//!
//! A certificate is a name, and its hash the fingerprint. A name as endpoint discriminator selects its owner; so do, laid
//! out as in RFC 7425 §4.4.2, the fingerprint, and for a name that begins with "server" the address of any server. Packets are numbered, so that
//! repetitions are told, and the session ID is scrambled as always.

use sha2::{Digest, Sha256};

use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::{
    CryptoError, Initiation, PacketCipher, PendingKeys, Profile, Response, SessionKeys, Work,
};
use crate::rtmfp::wire::session_id;

/// Bytes of a packet's number, which is 0 where packets are not numbered.
const NUMBER_LENGTH: usize = 8;

/// An end known by a name.
#[derive(Clone, Debug)]
pub struct Plain {
    name: Vec<u8>,
}

impl Plain {
    /// The end called `name`.
    pub fn new(name: &str) -> Self {
        Self { name: name.as_bytes().to_vec() }
    }

    /// Its peer ID: the hash of the name.
    pub fn peer_id(&self) -> PeerId {
        PeerId(Sha256::digest(&self.name).into())
    }
}

impl Profile for Plain {
    fn certificate(&self) -> &[u8] {
        &self.name
    }

    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError> {
        match certificate {
            [] => Err(CryptoError::Malformed),
            name => Ok(PeerId(Sha256::digest(name).into())),
        }
    }

    fn is_static(&self, _certificate: &[u8]) -> bool {
        true
    }

    fn selected_by(&self, endpoint_discriminator: &[u8]) -> bool {
        self.certificate_matches(&self.name, endpoint_discriminator)
    }

    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool {
        match endpoint_discriminator {
            // The two kinds of RFC 7425 §4.4.2 that programs use: the fingerprint of a peer, and the address of a server.
            [0x21, 0x0f, fingerprint @ ..] => Sha256::digest(certificate).as_slice() == fingerprint,
            [_, 0x0a, ..] => certificate.starts_with(b"server"),
            name => certificate == name,
        }
    }

    fn discriminator_of(&self, peer: PeerId) -> Vec<u8> {
        [&[0x21, 0x0f][..], &peer.0].concat()
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.name.as_slice() <= far_certificate
    }

    fn default_cipher(&self) -> Box<dyn PacketCipher> {
        Box::new(PlainCipher { next: None, seen: Vec::new() })
    }

    fn initiate(&self, _far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation> {
        Box::new(move || {
            Ok(Initiation { component: seed.to_vec(), pending: Box::new(PlainPending { near: seed }) })
        })
    }

    fn respond(
        &self,
        _initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response> {
        let far = initiator_component.to_vec();
        Box::new(move || Ok(Response { component: seed.to_vec(), keys: keys(seed, &far)? }))
    }

    fn sign(&self, signed_parameters: &[u8]) -> Vec<u8> {
        signature(&self.name, signed_parameters)
    }

    fn verify(&self, certificate: &[u8], signed_parameters: &[u8], given: &[u8]) -> bool {
        signature(certificate, signed_parameters) == given
    }
}

fn signature(name: &[u8], signed_parameters: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(name).chain_update(signed_parameters).finalize()[..8].to_vec()
}

fn keys(near: [u8; 32], far: &[u8]) -> Result<SessionKeys, CryptoError> {
    let far_nonce = far.try_into().map_err(|_| CryptoError::Malformed)?;
    let cipher = Box::new(PlainCipher { next: Some(1), seen: Vec::new() });
    Ok(SessionKeys { cipher, near_nonce: near, far_nonce })
}

struct PlainPending {
    near: [u8; 32],
}

impl PendingKeys for PlainPending {
    fn finish(&self, responder_component: &[u8]) -> Work<SessionKeys> {
        let (near, far) = (self.near, responder_component.to_vec());
        Box::new(move || keys(near, &far))
    }
}

struct PlainCipher {
    /// The next packet's number; `None` where packets are not numbered.
    next: Option<u64>,
    /// Numbers seen lately.
    seen: Vec<u64>,
}

/// How many numbers are remembered: more than any test keeps in flight.
const REMEMBERED: usize = 4096;

impl PacketCipher for PlainCipher {
    fn plain_limit(&self, datagram_size: usize) -> usize {
        datagram_size.saturating_sub(session_id::LENGTH + NUMBER_LENGTH)
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
            let number = self.next.unwrap_or(0).to_be_bytes();
            self.next = self.next.map(|next| next + 1);
            out.extend_from_slice(&session_id::scramble(far_session_id, &number).to_be_bytes());
            out.extend_from_slice(&number);
            out.extend_from_slice(&plain[start..*end]);
            out_ends.push(out.len());
            start = *end;
        }
    }

    fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], CryptoError> {
        let sealed = datagram.get(session_id::LENGTH..).ok_or(CryptoError::Forged)?;
        let (number, plain) = sealed.split_first_chunk::<NUMBER_LENGTH>().ok_or(CryptoError::Forged)?;
        let number = u64::from_be_bytes(*number);
        // Startup packets have number 0 and those of sessions do not, so that one is never taken for the other.
        if (number == 0) != self.next.is_none() {
            return Err(CryptoError::Forged);
        }
        if self.next.is_some() {
            if self.seen.contains(&number) {
                return Err(CryptoError::Replayed);
            }
            if self.seen.len() == REMEMBERED {
                self.seen.remove(0);
            }
            self.seen.push(number);
        }
        Ok(plain)
    }

    fn describe(&self) -> String {
        "plain, for tests".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree_and_packets_can_be_read() {
        let (ada, bob) = (Plain::new("ada"), Plain::new("bob"));
        let first = ada.initiate(bob.certificate(), [1; 32])().expect("a component");
        let mut response = bob.respond(ada.certificate(), &first.component, [2; 32])().expect("keys");
        let mut keys = first.pending.finish(&response.component)().expect("keys");
        assert_eq!(keys.near_nonce, response.keys.far_nonce);
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        keys.cipher.seal(9, b"a packet", &[8], &mut out, &mut ends);
        assert_eq!(session_id::peek(&out), Some(9));
        assert!(out.ends_with(b"a packet"));
        assert_eq!(response.keys.cipher.open(&mut out.clone()), Ok(&b"a packet"[..]));
        assert_eq!(response.keys.cipher.open(&mut out), Err(CryptoError::Replayed));
    }

    #[test]
    fn a_name_and_its_fingerprint_both_select_and_a_server_is_selected_by_any_address() {
        let ada = Plain::new("ada");
        assert!(ada.selected_by(b"ada") && ada.selected_by(&ada.discriminator_of(ada.peer_id())));
        assert!(!ada.selected_by(b"bob"));
        let address = [3, 0x0a, b'u', b'r'];
        assert!(Plain::new("server of hers").selected_by(&address) && !ada.selected_by(&address));
        assert!(ada.verify(b"ada", b"x", &ada.sign(b"x")) && !ada.verify(b"bob", b"x", &ada.sign(b"x")));
    }
}
