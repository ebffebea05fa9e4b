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
#[cfg(test)]
mod sealed_packets;
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

    /// A peer of one connection, as RFC 7425 §5.3 and §7 have it: a new key, and with it a new peer ID. Nobody can tell two
    /// connections of the same person by their certificates, and nobody can call that person. `seed` is to be random and
    /// never used again.
    pub fn peer_of_one_connection(seed: [u8; 32]) -> Self {
        Self::peer(Identity::generate(seed))
    }

    /// A server, selected by its address: new keys for each session, and a certificate made unique by `seed`.
    ///
    /// It offers every group we know; the initiator takes the strongest that it has too. One that has nothing but weak
    /// groups is as weak as they are, and nobody else is.
    pub fn server(seed: [u8; 32]) -> Self {
        Self::server_of(Group::all().map(|group| group.id).collect(), seed)
    }

    /// A server that offers only those of `groups` that we know, in that order: with 14 and 16 alone, nobody gets a session
    /// whose keys are weak, and Flash-era programs get none at all. Weak groups alone are of use only for those who have no
    /// strong static key: nobody else is let in by a weak one.
    ///
    /// # Errors
    /// [`CryptoError::NoCommonGround`] when we know none of them.
    pub fn server_in(groups: &[u64], seed: [u8; 32]) -> Result<Self, CryptoError> {
        let known: Vec<u64> = groups.iter().copied().filter(|group| Group::find(*group).is_some()).collect();
        if known.is_empty() { Err(CryptoError::NoCommonGround) } else { Ok(Self::server_of(known, seed)) }
    }

    fn server_of(groups: Vec<u64>, seed: [u8; 32]) -> Self {
        let certificate = certificate::of_server(groups.iter().copied(), &mut Chance::new(seed));
        Self::new(certificate, OwnKey::Ephemeral(groups))
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

    fn speaks(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Rfc || self.near.verification == Verification::OnRequest
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

    fn initiates_at_once(&self) -> bool {
        matches!(self.near.key, OwnKey::Static(_))
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

    /// Conforms: 7425-7-a, 7425-7-c
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

    /// Also where both are the same, so that each drops what the other sends: identities are not to be shared.
    ///
    /// Conforms: 7425-4.3.6-a, 7425-4.3.6-b, slip-12
    #[test]
    fn the_certificate_that_is_ordered_first_prevails_byte_by_byte_and_the_shorter_one_of_two_that_begin_alike()
     {
        let near = Flash::server([1; 32]);
        let ours = near.certificate().to_vec();
        assert!(near.near_prevails(&ours), "identical");
        for at in [0, 1, ours.len() - 1] {
            let with = |byte: u8| [&ours[..at], &[byte], &ours[at + 1..]].concat();
            assert!(ours[at] == 255 || near.near_prevails(&with(ours[at] + 1)));
            assert!(ours[at] == 0 || !near.near_prevails(&with(ours[at] - 1)));
        }
        // Bytes have no sign, and an early difference outweighs the length.
        assert!(near.near_prevails(&[0xff]) && !near.near_prevails(&[0x00; 500]));
        assert!(near.near_prevails(&[&ours[..], &[0]].concat()), "a longer one comes after");
        assert!(!near.near_prevails(&ours[..ours.len() - 1]), "a shorter one comes before");
        let far = Flash::server([2; 32]);
        assert_ne!(near.near_prevails(far.certificate()), far.near_prevails(near.certificate()));
    }

    /// Two that differ only behind the Marker have one fingerprint, and are two certificates all the same.
    ///
    /// Conforms: trap-20
    #[test]
    fn a_fingerprint_is_of_the_canonical_section_and_glare_is_about_all_of_a_certificate() {
        let near = Flash::server([1; 32]);
        let (canonical, longer) =
            (near.certificate().to_vec(), [near.certificate(), &[0, 2, 0x77, 1]].concat());
        assert_eq!(near.identify(&canonical), near.identify(&longer));
        assert!(near.near_prevails(&longer));
        let far = Flash { certificate: longer, ..Flash::server([1; 32]) };
        assert!(!far.near_prevails(&canonical));
        let peer = far.identify(&canonical).expect("a certificate");
        let wanted = [&far.discriminator_of(peer)[..], &discriminator_for_url("rtmfp://elsewhere")].concat();
        assert!(far.selected_by(&wanted), "a fingerprint decides alone");
        assert!(!Flash::server([2; 32]).selected_by(&wanted));
    }

    #[test]
    fn a_peer_of_one_connection_has_a_static_key_and_nothing_in_common_with_its_next_one() {
        let (first, next) = (Flash::peer_of_one_connection([1; 32]), Flash::peer_of_one_connection([2; 32]));
        assert!(first.is_static(first.certificate()));
        assert_ne!(first.identify(first.certificate()), next.identify(next.certificate()));
        let key = |peer: &Flash| peer.certificate()[4..].to_vec();
        assert!(key(&first).iter().zip(key(&next)).filter(|(a, b)| **a == *b).count() < 16);
    }

    /// Conforms: 7425-7-d, 7425-7-f
    #[test]
    fn sessions_have_tags_and_sequence_numbers_unless_a_profile_was_told_to_do_without() {
        let (near, far) = (Flash::peer(Identity::generate([1; 32])), Flash::server([2; 32]));
        let first = near.initiate(far.certificate(), [3; 32])().expect("a component");
        let mut there =
            far.respond(near.certificate(), &first.component, [4; 32])().expect("keys").keys.cipher;
        assert_eq!(there.describe(), "AES-128 · HMAC-128 · group 14");
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        there.seal(1, b"xx", &[1, 2], &mut out, &mut ends);
        assert_ne!(out[..ends[0]], out[ends[0]..], "the same packet twice is two datagrams");
    }
}
