//! The cryptography profile of RFC 7425 §4: Diffie-Hellman keys as certificates, AES-128 with HMAC-SHA256 for packets.
//!
//! A peer has a lasting key, and its fingerprint is who it is. A server makes new keys for each session, and its
//! fingerprint says only that it is the same server as a moment ago.

mod certificate;
mod chains;
mod endpoint_discriminator;
mod group;
mod identity;
mod key_agreement;
mod packet_cipher;
mod replay_window;

use std::sync::Arc;

pub use endpoint_discriminator::{discriminator_for_url, fingerprint_in};
pub use identity::Identity;

use super::{CryptoError, Initiation, PacketCipher, Profile, Response, Work};
use crate::rtmfp::PeerId;
use crate::rtmfp::chance::Chance;
use certificate::Certificate;
use group::Group;
use key_agreement::OwnKey;
use packet_cipher::FlashCipher;

/// What stands in for a signature when there is none to make (RFC 7425 §4.3.5).
const NO_SIGNATURE: &[u8] = b"X";

/// An end that speaks the profile.
pub struct Flash {
    certificate: Vec<u8>,
    key: OwnKey,
}

impl Flash {
    /// A peer: its lasting key is who it is.
    pub fn peer(identity: Identity) -> Self {
        Self { certificate: identity.certificate.clone(), key: OwnKey::Static(Arc::new(identity)) }
    }

    /// A server, selected by its address: new keys for each session, and a certificate made unique by `seed`.
    pub fn server(seed: [u8; 32]) -> Self {
        let groups = Group::all().map(|group| group.id);
        Self { certificate: certificate::of_server(groups, &mut Chance::new(seed)), key: OwnKey::Ephemeral }
    }
}

impl Profile for Flash {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError> {
        Ok(Certificate::parse(certificate)?.fingerprint())
    }

    fn is_static(&self, certificate: &[u8]) -> bool {
        Certificate::parse(certificate).is_ok_and(|certificate| certificate.is_static())
    }

    fn selected_by(&self, endpoint_discriminator: &[u8]) -> bool {
        self.certificate_matches(&self.certificate, endpoint_discriminator)
    }

    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool {
        Certificate::parse(certificate)
            .is_ok_and(|certificate| endpoint_discriminator::selects(endpoint_discriminator, &certificate))
    }

    fn discriminator_of(&self, peer: PeerId) -> Vec<u8> {
        endpoint_discriminator::canonical(peer)
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        // Slices compare as §4.3.6 wants: byte by byte, and the shorter one first.
        self.certificate.as_slice() <= far_certificate
    }

    fn default_cipher(&self) -> Box<dyn PacketCipher> {
        Box::new(FlashCipher::with_default_key())
    }

    fn initiate(&self, far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation> {
        key_agreement::initiate(self.key.clone(), far_certificate.to_vec(), seed)
    }

    fn respond(
        &self,
        initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response> {
        key_agreement::respond(
            self.key.clone(),
            initiator_certificate.to_vec(),
            initiator_component.to_vec(),
            seed,
        )
    }

    fn sign(&self, _signed_parameters: &[u8]) -> Vec<u8> {
        NO_SIGNATURE.to_vec()
    }

    /// We require no signature, so any will do, malformed ones included (§4.3.5): the keys prove who one is.
    fn verify(&self, _certificate: &[u8], _signed_parameters: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_selected_by_its_fingerprint_and_a_server_by_its_address() {
        let peer = Flash::peer(Identity::generate([1; 32]));
        let server = Flash::server([2; 32]);
        let id = peer.identify(peer.certificate()).expect("a certificate");
        assert!(peer.selected_by(&server.discriminator_of(id)));
        assert!(!server.selected_by(&peer.discriminator_of(id)));
        assert!(server.selected_by(&discriminator_for_url("rtmfp://example.org")));
        assert!(peer.is_static(peer.certificate()) && !peer.is_static(server.certificate()));
    }

    #[test]
    fn exactly_one_of_two_ends_prevails() {
        let (a, b) = (Flash::server([1; 32]), Flash::server([2; 32]));
        assert_ne!(a.near_prevails(b.certificate()), b.near_prevails(a.certificate()));
        assert!(a.near_prevails(a.certificate()));
    }
}
