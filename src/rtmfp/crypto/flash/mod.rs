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
mod modp;
mod negotiation;
mod packet_cipher;
mod primes;
mod replay_window;
mod signature;

use std::sync::Arc;

pub use endpoint_discriminator::{discriminator_for_url, fingerprint_in};
pub use identity::Identity;
pub use negotiation::Verification;
pub use signature::Password;

use super::{CryptoError, Initiation, PacketCipher, Profile, Response, Work};
use crate::rtmfp::PeerId;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::dialect::Dialect;
use certificate::Certificate;
use group::Group;
use key_agreement::{Near, OwnKey};
use packet_cipher::FlashCipher;
use signature::Signatures;

/// An end that speaks the profile.
pub struct Flash {
    certificate: Vec<u8>,
    near: Near,
    signatures: Signatures,
}

impl Flash {
    /// A peer: its lasting key is who it is.
    pub fn peer(identity: Identity) -> Self {
        Self::new(identity.certificate.clone(), OwnKey::Static(Arc::new(identity)))
    }

    /// A server, selected by its address: new keys for each session, and a certificate made unique by `seed`.
    ///
    /// It offers every group we know; the initiator takes the strongest that it has too. One that has nothing but weak
    /// groups is as weak as they are, and nobody else is.
    pub fn server(seed: [u8; 32]) -> Self {
        let groups = Group::all().map(|group| group.id);
        Self::new(certificate::of_server(groups, &mut Chance::new(seed)), OwnKey::Ephemeral)
    }

    fn new(certificate: Vec<u8>, key: OwnKey) -> Self {
        let near = Near { key, verification: Verification::default() };
        Self { certificate, near, signatures: Signatures::default() }
    }

    /// The same end, asking less or more of others' packets.
    #[must_use]
    pub fn verifying(mut self, verification: Verification) -> Self {
        self.near.verification = verification;
        self
    }

    /// The same end, signing its keying messages with this password; one more each time (RFC 7425 §4.3.5.1.1).
    #[must_use]
    pub fn signing_with(mut self, password: Password) -> Self {
        self.signatures.sign_with(password);
        self
    }

    /// The same end, opening sessions only with those who sign with this password, or with another one given so.
    #[must_use]
    pub fn requiring(mut self, password: Password) -> Self {
        self.signatures.require(password);
        self
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

    fn dialect(&self, certificate: &[u8]) -> Dialect {
        let verification = Certificate::parse(certificate).map(|far| self.near.verification_of(&far));
        if verification == Ok(Verification::OnRequest) { Dialect::FlashEra } else { Dialect::Rfc }
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
        key_agreement::initiate(self.near.clone(), far_certificate.to_vec(), seed)
    }

    fn respond(
        &self,
        initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response> {
        key_agreement::respond(
            self.near.clone(),
            initiator_certificate.to_vec(),
            initiator_component.to_vec(),
            seed,
        )
    }

    fn sign(&self, signed_parameters: &[u8]) -> Vec<u8> {
        self.signatures.sign(signed_parameters)
    }

    fn verify(&self, _certificate: &[u8], signed_parameters: &[u8], signature: &[u8]) -> bool {
        self.signatures.verify(signed_parameters, signature)
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
