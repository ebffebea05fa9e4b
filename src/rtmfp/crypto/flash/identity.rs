//! A lasting identity: one static Diffie-Hellman key (RFC 7425 §4.3.3.5).

use std::fmt;

use zeroize::Zeroizing;

use super::certificate::{self, Certificate};
use super::group::{Exponent, Group, LONGEST_EXPONENT};
use crate::rtmfp::PeerId;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::CryptoError;

/// The group of those who can choose.
const GROUP: u64 = 14;
/// The only group of Flash-era peers.
const FLASH_ERA_GROUP: u64 = 2;

/// A key pair that makes somebody the same person in every session. The private part is wiped when dropped.
pub struct Identity {
    pub(super) group: &'static Group,
    pub(super) exponent: Exponent,
    pub(super) certificate: Vec<u8>,
}

impl Identity {
    /// Makes a new one; the same seed makes the same one.
    pub fn generate(seed: [u8; 32]) -> Self {
        let group = known(GROUP);
        Self::of(group, group.key_pair(&mut Chance::new(seed)))
    }

    /// Makes a new one that Flash-era servers and peers understand: its key is in group 2, and exactly 128 bytes long.
    ///
    /// Such a key is weak: whoever can afford to break 1024-bit Diffie-Hellman can be this person. Nothing that matters
    /// should hang on its peer ID.
    pub fn generate_flash_era(seed: [u8; 32]) -> Self {
        let group = known(FLASH_ERA_GROUP);
        Self::of(group, group.full_length_key_pair(&mut Chance::new(seed)))
    }

    fn of(group: &'static Group, (exponent, public_key): (Exponent, Vec<u8>)) -> Self {
        let certificate = certificate::of_static_key(group.id, &public_key);
        Self { group, exponent, certificate }
    }

    /// What must be kept to be the same person again, and kept secret: the group's number and the private exponent.
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + LONGEST_EXPONENT));
        bytes.push(u8::try_from(self.group.id).expect("group numbers are small"));
        bytes.extend_from_slice(self.exponent.bytes());
        bytes
    }

    /// The identity that [`Self::to_secret_bytes`] wrote. Those that were written when exponents were longer have the
    /// peer ID they always had.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are not of that form; [`CryptoError::NoCommonGround`] for a group we do
    /// not know.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (group_id, exponent) = bytes.split_first().ok_or(CryptoError::Malformed)?;
        let group = Group::find(u64::from(*group_id)).ok_or(CryptoError::NoCommonGround)?;
        let exponent = Exponent::from_bytes(exponent).ok_or(CryptoError::Malformed)?;
        let public_key = group.public_key(&exponent);
        Ok(Self::of(group, (exponent, public_key)))
    }

    /// Who this is to others: the certificate's fingerprint (RFC 7425 §4.3.2).
    pub fn peer_id(&self) -> PeerId {
        Certificate::parse(&self.certificate).expect("a certificate of our own making").fingerprint()
    }
}

fn known(group: u64) -> &'static Group {
    Group::find(group).expect("the groups of identities are in the table")
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.peer_id()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_identity_is_the_same_person() {
        let identity = Identity::generate([3; 32]);
        let again = Identity::from_secret_bytes(&identity.to_secret_bytes()).expect("what was written");
        assert_eq!(again.peer_id(), identity.peer_id());
        assert_eq!(again.certificate, identity.certificate);
    }

    #[test]
    fn two_seeds_make_two_people() {
        assert_ne!(Identity::generate([3; 32]).peer_id(), Identity::generate([4; 32]).peer_id());
    }

    #[test]
    fn bytes_of_another_form_are_refused() {
        let refused = |bytes: &[u8]| Identity::from_secret_bytes(bytes).map(|_| ()).expect_err("refused");
        assert_eq!(refused(&[]), CryptoError::Malformed);
        assert_eq!(refused(&[14, 0x80, 1]), CryptoError::Malformed);
        assert_eq!(refused(&[14; 41]), CryptoError::Malformed);
        assert_eq!(refused(&[0x80; 33]), CryptoError::NoCommonGround);
        assert_eq!(refused(&[&[14], &[0x80; 39][..]].concat()), CryptoError::Malformed);
    }

    /// The hash of the certificate with 2 to the power of 0x800102...27 modulo the prime of group 14, computed
    /// independently.
    #[test]
    fn an_identity_kept_with_a_longer_exponent_has_the_peer_id_it_always_had() {
        let kept: Vec<u8> = [14, 0x80].into_iter().chain(1..40).collect();
        let identity = Identity::from_secret_bytes(&kept).expect("an identity of 41 bytes");
        assert_eq!(identity.peer_id().0[..8], [0xe0, 0xc7, 0x74, 0x98, 0x08, 0x53, 0x6b, 0xae]);
        assert_eq!(*identity.to_secret_bytes(), kept);
    }

    #[test]
    fn a_flash_era_identity_is_one_key_of_128_bytes_in_group_2_and_can_be_kept() {
        let identity = Identity::generate_flash_era([3; 32]);
        assert_eq!(identity.certificate[..4], [0x81, 0x02, 0x1d, 0x02]);
        assert_eq!(identity.certificate.len(), 132);
        let again = Identity::from_secret_bytes(&identity.to_secret_bytes()).expect("what was written");
        assert_eq!(again.peer_id(), identity.peer_id());
        assert_ne!(identity.peer_id(), Identity::generate([3; 32]).peer_id());
    }
}
