//! Diffie-Hellman groups (RFC 7425 §4.2) and private exponents.
//!
//! A further group is a further row of [`GROUPS`].

use std::sync::LazyLock;

use crypto_bigint::{U1024, U1536, U2048, U4096};
use zeroize::Zeroizing;

use super::modp::{Field, Modp};
use super::primes;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::CryptoError;

/// Groups we know, the strongest first: of those that both ends have, an initiator takes the first.
static GROUPS: [Group; 4] = [
    Group { id: 16, exponent_length: LONG_EXPONENT, key_length: 512, modp: || &*MODP_4096 },
    Group { id: 14, exponent_length: EXPONENT, key_length: 256, modp: || &*MODP_2048 },
    Group { id: 5, exponent_length: EXPONENT, key_length: 192, modp: || &*MODP_1536 },
    Group { id: 2, exponent_length: EXPONENT, key_length: 128, modp: || &*MODP_1024 },
];

// Each is made ready when it is first used.
static MODP_1024: LazyLock<Field<{ U1024::LIMBS }>> =
    LazyLock::new(|| Field::new(primes::MODP_1024, EXPONENT));
static MODP_1536: LazyLock<Field<{ U1536::LIMBS }>> =
    LazyLock::new(|| Field::new(primes::MODP_1536, EXPONENT));
static MODP_2048: LazyLock<Field<{ U2048::LIMBS }>> =
    LazyLock::new(|| Field::new(primes::MODP_2048, EXPONENT));
static MODP_4096: LazyLock<Field<{ U4096::LIMBS }>> =
    LazyLock::new(|| Field::new(primes::MODP_4096, LONG_EXPONENT));

/// Bytes of a private exponent: twice the 128 bits of strength that the packet cipher has, which is more than the
/// estimates for groups 2, 5 and 14 (RFC 3526 §8).
const EXPONENT: usize = 32;
/// For group 16, whose own strength is put at 150 bits and more (RFC 3526 §8).
const LONG_EXPONENT: usize = 40;
/// Older identities in group 14 have exponents of this length, too; no longer one is known.
pub(super) const LONGEST_EXPONENT: usize = 40;

/// The weakest group that counts as strong. Numbers grow with strength among the groups we know.
const LEAST_STRONG: u64 = 14;

/// A group both ends can agree on keys in.
pub(super) struct Group {
    /// Its number in certificates and key components.
    pub(super) id: u64,
    /// Bytes of a new private exponent.
    exponent_length: usize,
    /// Bytes of the prime, and of nearly every public key.
    pub(super) key_length: usize,
    modp: fn() -> &'static dyn Modp,
}

impl Group {
    /// The group of that number, if we know it.
    pub(super) fn find(id: u64) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.id == id)
    }

    /// The groups we know, the strongest first.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        GROUPS.iter()
    }

    /// Whether it is more than a way down for those who know nothing better.
    pub(super) fn is_strong(&self) -> bool {
        self.id >= LEAST_STRONG
    }

    /// The public key of `exponent`, in network order without leading zeros.
    pub(super) fn public_key(&self, exponent: &Exponent) -> Vec<u8> {
        (self.modp)().power_of_generator(exponent).to_vec()
    }

    /// Looks at a far end's public key (§4.6.2), which costs next to nothing.
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] for one outside the rules.
    pub(super) fn check(&self, far_public_key: &[u8]) -> Result<(), CryptoError> {
        (self.modp)().check(far_public_key)
    }

    /// The shared secret (DH_SECRET), in network order without leading zeros (§4.6.2).
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] for a public key outside the rules.
    pub(super) fn shared_secret(
        &self,
        far_public_key: &[u8],
        exponent: &Exponent,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let modp = (self.modp)();
        modp.check(far_public_key)?;
        Ok(modp.power(far_public_key, exponent))
    }

    /// A fresh exponent whose public key others accept, and that key.
    pub(super) fn key_pair(&self, chance: &mut Chance) -> (Exponent, Vec<u8>) {
        loop {
            let exponent = Exponent::random(chance, self.exponent_length);
            let public_key = self.public_key(&exponent);
            if (self.modp)().check(&public_key).is_ok() {
                return (exponent, public_key);
            }
        }
    }

    /// As [`Self::key_pair`], with a public key as long as the prime: some far ends take no other.
    pub(super) fn full_length_key_pair(&self, chance: &mut Chance) -> (Exponent, Vec<u8>) {
        loop {
            let (exponent, public_key) = self.key_pair(chance);
            if public_key.len() == self.key_length {
                return (exponent, public_key);
            }
        }
    }
}

/// A private exponent; wiped when dropped.
pub(super) struct Exponent(Zeroizing<Vec<u8>>);

impl Exponent {
    fn random(chance: &mut Chance, length: usize) -> Self {
        let random = Zeroizing::new(chance.bytes::<LONGEST_EXPONENT>());
        let mut bytes = Zeroizing::new(random[..length].to_vec());
        // So every exponent is of full length.
        if let Some(first) = bytes.first_mut() {
            *first |= HIGHEST_BIT;
        }
        Self(bytes)
    }

    /// The exponent that [`Self::bytes`] showed; `None` if it cannot have been.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let whole = bytes.first().is_some_and(|first| first & HIGHEST_BIT != 0);
        (whole && [EXPONENT, LONG_EXPONENT].contains(&bytes.len()))
            .then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// The bytes, in network order.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bits there are.
    pub(super) fn bits(&self) -> usize {
        self.0.len() * 8
    }

    /// A bit, counted from the lowest; above the highest there are zeros. Which one is asked for is no secret.
    pub(super) fn bit(&self, position: usize) -> u8 {
        self.0.iter().rev().nth(position / 8).map_or(0, |byte| (byte >> (position % 8)) & 1)
    }
}

const HIGHEST_BIT: u8 = 0x80;

#[cfg(test)]
mod tests;
