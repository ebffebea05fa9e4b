//! Diffie-Hellman groups (RFC 7425 §4.2), and powers in them that take the same time for every exponent.
//!
//! A further group is a further row of [`GROUPS`].

use std::sync::LazyLock;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U320, U2048, Uint};
use zeroize::Zeroizing;

use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::CryptoError;

/// Bytes of a private exponent: more than twice the strength of the strongest group here.
pub(super) const EXPONENT_LENGTH: usize = 40;

/// Groups we know, the one we like best first.
static GROUPS: [Group; 1] = [Group {
    id: 14,
    power: |base, exponent| power(&MODP_2048, base, exponent),
    check: |key| check(&MODP_2048, key),
}];

/// 2048 bits (RFC 3526 §3).
static MODP_2048: LazyLock<FixedMontyParams<{ U2048::LIMBS }>> = LazyLock::new(|| {
    let prime = U2048::from_be_hex(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
         020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
         4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
         EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
         98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
         9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
         E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718\
         3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    );
    FixedMontyParams::new_vartime(Odd::new(prime).expect("a prime above 2 is odd"))
});

/// Every group's generator.
const GENERATOR: &[u8] = &[2];

/// Keys closer than this to either end of the group are refused (§4.6.2).
const MARGIN: u32 = 1 << 24;
/// Keys with fewer ones, or fewer zeros, are refused (§4.6.2).
const LEAST_BITS: u32 = 16;

/// A group both ends can agree on keys in.
pub(super) struct Group {
    /// Its number in certificates and key components.
    pub(super) id: u64,
    power: fn(&[u8], &Exponent) -> Zeroizing<Vec<u8>>,
    check: fn(&[u8]) -> Result<(), CryptoError>,
}

impl Group {
    /// The group of that number, if we know it.
    pub(super) fn find(id: u64) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.id == id)
    }

    /// The groups we know, the one we like best first.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        GROUPS.iter()
    }

    /// The public key of `exponent`, in network order without leading zeros.
    pub(super) fn public_key(&self, exponent: &Exponent) -> Vec<u8> {
        (self.power)(GENERATOR, exponent).to_vec()
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
        (self.check)(far_public_key)?;
        Ok((self.power)(far_public_key, exponent))
    }

    /// A fresh exponent whose public key others accept, and that key.
    pub(super) fn key_pair(&self, chance: &mut Chance) -> (Exponent, Vec<u8>) {
        loop {
            let exponent = Exponent::new(Zeroizing::new(chance.bytes()));
            let public_key = self.public_key(&exponent);
            if (self.check)(&public_key).is_ok() {
                return (exponent, public_key);
            }
        }
    }
}

/// A private exponent; wiped when dropped.
pub(super) struct Exponent(Zeroizing<[u8; EXPONENT_LENGTH]>);

impl Exponent {
    /// Uses these bytes, in network order, with the highest bit set so that every exponent is of full length.
    pub(super) fn new(mut bytes: Zeroizing<[u8; EXPONENT_LENGTH]>) -> Self {
        bytes[0] |= 0x80;
        Self(bytes)
    }

    /// The bytes, in network order.
    pub(super) fn bytes(&self) -> &[u8; EXPONENT_LENGTH] {
        &self.0
    }
}

/// `base` to the power of `exponent`; the time depends on neither. `base` is checked or our own.
fn power<const LIMBS: usize>(
    group: &FixedMontyParams<LIMBS>,
    base: &[u8],
    exponent: &Exponent,
) -> Zeroizing<Vec<u8>> {
    let base = number::<LIMBS>(base).unwrap_or(Uint::ZERO);
    let exponent = Zeroizing::new(U320::from_be_slice(exponent.bytes()));
    let power = Zeroizing::new(FixedMontyForm::new(&base, group).pow(&*exponent).retrieve());
    let words = Zeroizing::new(power.to_words());
    let bytes = words.iter().rev().flat_map(|word| word.to_be_bytes());
    Zeroizing::new(bytes.skip_while(|byte| *byte == 0).collect())
}

/// The rules for public keys (§4.6.2).
fn check<const LIMBS: usize>(group: &FixedMontyParams<LIMBS>, key: &[u8]) -> Result<(), CryptoError> {
    let number = number::<LIMBS>(key).ok_or(CryptoError::WeakKey)?;
    let margin = Uint::from_u32(MARGIN);
    let largest = group.modulus().as_ref().wrapping_sub(&margin);
    let ones: u32 = number.to_words().iter().map(|word| word.count_ones()).sum();
    let zeros = number.bits_vartime() - ones;
    let good = number >= margin && number <= largest && ones >= LEAST_BITS && zeros >= LEAST_BITS;
    if good { Ok(()) } else { Err(CryptoError::WeakKey) }
}

/// A number in network order, with or without leading zeros; `None` when it is too large for the group.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Option<Uint<LIMBS>> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = &bytes[start..];
    let mut padded = vec![0; LIMBS * size_of::<crypto_bigint::Word>()];
    let place = padded.len().checked_sub(bytes.len())?;
    padded[place..].copy_from_slice(bytes);
    Some(Uint::from_be_slice(&padded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn modp_2048() -> &'static Group {
        Group::find(14).expect("the group is in the table")
    }

    fn prime() -> Vec<u8> {
        MODP_2048.modulus().as_ref().to_words().iter().rev().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn the_prime_is_the_one_everybody_uses() {
        let hash: [u8; 32] = Sha256::digest(prime()).into();
        assert_eq!(hash[..8], [0xd6, 0x64, 0x36, 0xf7, 0x9b, 0xbd, 0x6b, 0x2e]);
    }

    /// The hash of 2 to the power of 0x8001020304... modulo the prime, computed independently.
    #[test]
    fn a_public_key_is_what_arithmetic_says() {
        let mut bytes: [u8; EXPONENT_LENGTH] = std::array::from_fn(|index| index as u8);
        bytes[0] = 0x80;
        let key = modp_2048().public_key(&Exponent::new(Zeroizing::new(bytes)));
        let hash: [u8; 32] = Sha256::digest(&key).into();
        assert_eq!(hash[..8], [0x1a, 0x85, 0xdf, 0x7a, 0x0e, 0x6b, 0xd9, 0x3d]);
    }

    #[test]
    fn both_ends_find_the_same_secret() {
        let mut chance = Chance::new([1; 32]);
        let (a, a_public) = modp_2048().key_pair(&mut chance);
        let (b, b_public) = modp_2048().key_pair(&mut chance);
        let at_a = modp_2048().shared_secret(&b_public, &a).expect("a good key");
        let at_b = modp_2048().shared_secret(&[&[0, 0], &a_public[..]].concat(), &b).expect("a good key");
        assert_eq!(*at_a, *at_b);
    }

    #[test]
    fn weak_keys_are_refused() {
        let (exponent, _) = modp_2048().key_pair(&mut Chance::new([2; 32]));
        let mut below_the_end = prime();
        below_the_end[253] -= 1;
        let mut few_ones = vec![0; 100];
        few_ones[0] = 0xff;
        let few_zeros = vec![0xff; 100];
        for key in
            [vec![], vec![1], vec![0xff; 3], prime(), below_the_end, few_ones, few_zeros, vec![0x5a; 257]]
        {
            let refused = modp_2048().shared_secret(&key, &exponent).err();
            let expected = Some(CryptoError::WeakKey);
            // The prime less 2^16 is above the limit, which is the prime less 2^24.
            assert_eq!(refused, expected, "{} bytes", key.len());
        }
    }
}
