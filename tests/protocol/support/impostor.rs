//! Somebody who pretends to be another.

use std::sync::Arc;

use tincan::rtmfp::PeerId;
use tincan::rtmfp::crypto::{CryptoError, Initiation, PacketCipher, Profile, Response, Work};

/// Shows one identity's certificate, answers every hello, and has only another's keys.
pub(crate) struct Impostor {
    /// Whose certificate is shown.
    pub(crate) claimed: Arc<dyn Profile>,
    /// Whose keys there are.
    pub(crate) own: Arc<dyn Profile>,
}

impl Profile for Impostor {
    fn certificate(&self) -> &[u8] {
        self.claimed.certificate()
    }

    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError> {
        self.own.identify(certificate)
    }

    fn is_static(&self, certificate: &[u8]) -> bool {
        self.own.is_static(certificate)
    }

    fn selected_by(&self, _endpoint_discriminator: &[u8]) -> bool {
        true
    }

    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool {
        self.own.certificate_matches(certificate, endpoint_discriminator)
    }

    fn discriminator_of(&self, peer: PeerId) -> Vec<u8> {
        self.own.discriminator_of(peer)
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.own.near_prevails(far_certificate)
    }

    fn default_cipher(&self) -> Box<dyn PacketCipher> {
        self.own.default_cipher()
    }

    fn initiate(&self, far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation> {
        self.own.initiate(far_certificate, seed)
    }

    fn respond(
        &self,
        initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response> {
        self.own.respond(initiator_certificate, initiator_component, seed)
    }

    fn sign(&self, signed_parameters: &[u8]) -> Vec<u8> {
        self.own.sign(signed_parameters)
    }

    fn verify(&self, certificate: &[u8], signed_parameters: &[u8], signature: &[u8]) -> bool {
        self.own.verify(certificate, signed_parameters, signature)
    }
}
