//! A lasting identity: one static Diffie-Hellman key (RFC 7425 §4.3.3.5).

use std::fmt;

use zeroize::Zeroizing;

use super::certificate::{self, Certificate};
use super::group::{EXPONENT_LENGTH, Exponent, Group};
use crate::rtmfp::PeerId;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::CryptoError;

/// The group of every identity.
const GROUP: u64 = 14;

/// A key pair that makes somebody the same person in every session. The private part is wiped when dropped.
pub struct Identity {
    pub(super) exponent: Exponent,
    pub(super) certificate: Vec<u8>,
}

impl Identity {
    /// Makes a new one; the same seed makes the same one.
    pub fn generate(seed: [u8; 32]) -> Self {
        let (exponent, public_key) = group().key_pair(&mut Chance::new(seed));
        Self { exponent, certificate: certificate::of_static_key(GROUP, &public_key) }
    }

    /// What must be kept to be the same person again, and kept secret: the group's number and the private exponent.
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + EXPONENT_LENGTH));
        bytes.push(GROUP as u8);
        bytes.extend_from_slice(self.exponent.bytes());
        bytes
    }

    /// The identity that [`Self::to_secret_bytes`] wrote.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are not of that form; [`CryptoError::NoCommonGround`] for a group we do
    /// not know.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (group_id, exponent) = bytes.split_first().ok_or(CryptoError::Malformed)?;
        if u64::from(*group_id) != GROUP {
            return Err(CryptoError::NoCommonGround);
        }
        let exponent: [u8; EXPONENT_LENGTH] = exponent.try_into().map_err(|_| CryptoError::Malformed)?;
        let exponent = Zeroizing::new(exponent);
        // A shorter exponent was not written by us.
        if exponent[0] & 0x80 == 0 {
            return Err(CryptoError::Malformed);
        }
        let exponent = Exponent::new(exponent);
        let public_key = group().public_key(&exponent);
        Ok(Self { exponent, certificate: certificate::of_static_key(GROUP, &public_key) })
    }

    /// Who this is to others: the certificate's fingerprint (RFC 7425 §4.3.2).
    pub fn peer_id(&self) -> PeerId {
        Certificate::parse(&self.certificate).expect("a certificate of our own making").fingerprint()
    }
}

fn group() -> &'static Group {
    Group::find(GROUP).expect("the group of identities is in the table")
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
        assert_eq!(refused(&[2; 41]), CryptoError::NoCommonGround);
    }
}
