//! Somebody whose certificate has more behind its Marker.

use tincan::rtmfp::PeerId;
use tincan::rtmfp::crypto::{CryptoError, Initiation, PacketCipher, Profile, Response, Work};

/// A profile that shows a longer certificate than its own, with the same canonical section.
pub(crate) struct Appended<P> {
    inner: P,
    certificate: Vec<u8>,
}

impl<P: Profile> Appended<P> {
    /// `behind` begins with a Marker, or is empty.
    pub(crate) fn new(inner: P, behind: &[u8]) -> Self {
        let certificate = [inner.certificate(), behind].concat();
        Self { inner, certificate }
    }
}

impl<P: Profile> Profile for Appended<P> {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError> {
        self.inner.identify(certificate)
    }

    fn is_static(&self, certificate: &[u8]) -> bool {
        self.inner.is_static(certificate)
    }

    fn selected_by(&self, endpoint_discriminator: &[u8]) -> bool {
        self.inner.selected_by(endpoint_discriminator)
    }

    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool {
        self.inner.certificate_matches(certificate, endpoint_discriminator)
    }

    fn discriminator_of(&self, peer: PeerId) -> Vec<u8> {
        self.inner.discriminator_of(peer)
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.certificate.as_slice() <= far_certificate
    }

    fn default_cipher(&self) -> Box<dyn PacketCipher> {
        self.inner.default_cipher()
    }

    fn initiate(&self, far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation> {
        self.inner.initiate(far_certificate, seed)
    }

    fn respond(
        &self,
        initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response> {
        self.inner.respond(initiator_certificate, initiator_component, seed)
    }

    fn sign(&self, signed_parameters: &[u8]) -> Vec<u8> {
        self.inner.sign(signed_parameters)
    }

    fn verify(&self, certificate: &[u8], signed_parameters: &[u8], signature: &[u8]) -> bool {
        self.inner.verify(certificate, signed_parameters, signature)
    }
}
