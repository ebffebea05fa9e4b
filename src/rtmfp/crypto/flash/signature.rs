//! Signatures of keying messages: a name and a keyed hash, for those who share a password (RFC 7425 §4.3.5).
//!
//! Nothing here says who somebody is; that their keys do. A password only lets an end be choosy about whom it opens
//! sessions with, before it has spent anything on them.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::rtmfp::wire::option_list::{self, Item};
use crate::rtmfp::wire::reader::Reader;
use crate::rtmfp::wire::writer::Writer;

/// A password, and the name it goes by (§4.3.5.1.1). The secret is wiped when dropped.
#[derive(Clone)]
pub struct Password {
    /// The password ID: a user's name, or the version of a program.
    pub id: Vec<u8>,
    /// The HMAC key.
    pub secret: Zeroizing<Vec<u8>>,
}

/// How an end signs, and what it makes of others' signatures.
#[derive(Default)]
pub(super) struct Signatures {
    ours: Vec<Password>,
    known: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    required: bool,
}

impl Signatures {
    /// Signs with this password too.
    pub(super) fn sign_with(&mut self, password: Password) {
        self.ours.push(password);
    }

    /// Takes signatures made with this password, and from now on only signed messages.
    pub(super) fn require(&mut self, password: Password) {
        self.known.insert(password.id, password.secret);
        self.required = true;
    }

    /// The signature field for a message's signed parameters.
    pub(super) fn sign(&self, signed_parameters: &[u8]) -> Vec<u8> {
        if self.ours.is_empty() {
            return NO_SIGNATURE.to_vec();
        }
        let mut field = Vec::new();
        for Password { id, secret } in &self.ours {
            let mac: [u8; MAC_LENGTH] = keyed(secret, signed_parameters).finalize().into_bytes().into();
            Writer::new(&mut field).option(SIMPLE_PASSWORD, &[&mac, &id[..]].concat());
        }
        field
    }

    /// Whether a signature field will do. Where none is required any will, a malformed one too; where one is, at least one
    /// password must be known and right, and none known and wrong.
    pub(super) fn verify(&self, signed_parameters: &[u8], field: &[u8]) -> bool {
        !self.required || self.right(signed_parameters, field).unwrap_or(false)
    }

    /// `None` for a field that is malformed, which counts as empty; "X" alone is one of those.
    fn right(&self, signed_parameters: &[u8], field: &[u8]) -> Option<bool> {
        let (mut right, mut tried) = (false, 0);
        for item in option_list::items(field) {
            let Item::Option { kind: SIMPLE_PASSWORD, value } = item.ok()? else { continue };
            let mut value = Reader::new(value);
            let mac = value.bytes(MAC_LENGTH).ok()?;
            let Some(secret) = self.known.get(value.rest()) else { continue };
            tried += 1;
            // Compares in constant time.
            if tried > MOST_TRIED || keyed(secret, signed_parameters).verify_slice(mac).is_err() {
                return Some(false);
            }
            right = true;
        }
        Some(right)
    }
}

fn keyed(secret: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(message);
    mac
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What stands in for a signature when there is none to make (§4.3.5).
const NO_SIGNATURE: &[u8] = b"X";
const SIMPLE_PASSWORD: u64 = 0x1d;
const MAC_LENGTH: usize = 32;
/// Known passwords in one signature; each costs a hash of the whole message.
const MOST_TRIED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &[u8] = b"signed parameters";

    fn password(id: &str, secret: &str) -> Password {
        Password { id: id.as_bytes().to_vec(), secret: Zeroizing::new(secret.as_bytes().to_vec()) }
    }

    fn signed_with(passwords: &[(&str, &str)]) -> Vec<u8> {
        let mut signatures = Signatures::default();
        passwords.iter().for_each(|(id, secret)| signatures.sign_with(password(id, secret)));
        signatures.sign(SIGNED)
    }

    fn requiring(passwords: &[(&str, &str)]) -> Signatures {
        let mut signatures = Signatures::default();
        passwords.iter().for_each(|(id, secret)| signatures.require(password(id, secret)));
        signatures
    }

    /// The HMAC was computed independently.
    ///
    /// Conforms: 7425-4.3.5-a, 7425-4.3.5.1.1-a
    #[test]
    fn a_simple_password_is_a_keyed_hash_of_what_is_signed_and_a_name() {
        let field = signed_with(&[("ada", "secret"), ("b", "other")]);
        assert_eq!(field[..2], [36, 0x1d]);
        assert_eq!(field[2..10], [0x76, 0xa3, 0xf2, 0x3d, 0x82, 0xbe, 0x17, 0x76]);
        assert_eq!(field[34..39], [b'a', b'd', b'a', 34, 0x1d]);
        assert_eq!((field.len(), field.last()), (37 + 35, Some(&b'b')));
    }

    /// Conforms: 7425-4.3.5-b, 7425-4.3.5-c, 7425-4.3.5-d
    #[test]
    fn who_has_no_password_signs_with_an_x_and_who_requires_none_takes_anything() {
        assert_eq!(Signatures::default().sign(SIGNED), b"X");
        for field in [&b"X"[..], b"", b"\x05\x1d", b"\x02\x1d\x00", &[0xff; 300], &signed_with(&[("a", "b")])]
        {
            assert!(Signatures::default().verify(SIGNED, field));
            assert!(!requiring(&[("ada", "secret")]).verify(SIGNED, field), "{field:?} is as good as none");
        }
    }

    /// Conforms: 7425-4.3.5-e, 7425-4.3.5.1-a, 7425-4.3.5.1.1-b
    #[test]
    fn one_known_password_among_unknown_ones_and_other_options_is_enough() {
        let verifier = requiring(&[("ada", "secret"), ("bob", "word")]);
        assert!(verifier.verify(SIGNED, &signed_with(&[("ada", "secret")])));
        let among = [&[3, 0x77, 1, 2][..], &signed_with(&[("old", "x"), ("bob", "word")])].concat();
        assert!(verifier.verify(SIGNED, &among));
        assert!(!verifier.verify(b"other parameters", &among));
    }

    /// Conforms: 7425-4.3.5.1.1-c
    #[test]
    fn a_known_name_with_a_wrong_hash_spoils_the_whole_signature() {
        let verifier = requiring(&[("ada", "secret"), ("bob", "word")]);
        assert!(!verifier.verify(SIGNED, &signed_with(&[("ada", "secret"), ("bob", "wrong")])));
        assert!(!verifier.verify(SIGNED, &signed_with(&[("bob", "wrong"), ("ada", "secret")])));
    }

    #[test]
    fn a_good_password_before_a_malformed_end_counts_for_nothing() {
        let field = [&signed_with(&[("ada", "secret")])[..], &[9, 0x77]].concat();
        assert!(!requiring(&[("ada", "secret")]).verify(SIGNED, &field));
    }

    #[test]
    fn a_signature_that_repeats_a_password_costs_16_hashes_at_most() {
        let verifier = requiring(&[("ada", "secret")]);
        let once = signed_with(&[("ada", "secret")]);
        assert!(verifier.verify(SIGNED, &once.repeat(MOST_TRIED)));
        assert!(!verifier.verify(SIGNED, &once.repeat(MOST_TRIED + 1)));
    }
}
