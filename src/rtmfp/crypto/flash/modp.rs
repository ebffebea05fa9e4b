//! Arithmetic modulo a prime of RFC 2409 or RFC 3526, in the same time for every secret.
//!
//! Secret are exponents and what comes out of a power. Public are the prime, the base of a power (somebody's public key)
//! and how long an exponent is: time and memory access may depend on those, and on nothing else. So no step here branches
//! on a bit of an exponent or looks something up by one; a table is read whole, and the wanted entry is kept by masking.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U320, Uint};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::group::Exponent;
use crate::rtmfp::crypto::CryptoError;

/// What a group of any size can do. Numbers are in network order; those given back have no leading zeros.
pub(super) trait Modp: Sync {
    /// The generator, which is 2 in every group, to the power of `exponent`.
    fn power_of_generator(&self, exponent: &Exponent) -> Zeroizing<Vec<u8>>;

    /// A public key that [`Self::check`] found good, to the power of `exponent`.
    fn power(&self, public_key: &[u8], exponent: &Exponent) -> Zeroizing<Vec<u8>>;

    /// The rules for public keys (RFC 7425 §4.6.2).
    ///
    /// # Errors
    /// [`CryptoError::WeakKey`] for one outside them.
    fn check(&self, public_key: &[u8]) -> Result<(), CryptoError>;

    /// The prime, in bytes as many as it has.
    #[cfg(test)]
    fn prime(&self) -> Vec<u8>;
}

/// The numbers modulo one prime.
pub(super) struct Field<const LIMBS: usize> {
    params: FixedMontyParams<LIMBS>,
    comb: Comb<LIMBS>,
}

impl<const LIMBS: usize> Field<LIMBS> {
    /// The field of the prime with these hexadecimal digits, made ready for exponents of `exponent_length` bytes.
    pub(super) fn new(prime: &str, exponent_length: usize) -> Self {
        let prime = Odd::new(Uint::from_be_hex(prime)).expect("a prime above 2 is odd");
        let params = FixedMontyParams::new_vartime(prime);
        Self { params, comb: Comb::new(&params, exponent_length * 8) }
    }
}

impl<const LIMBS: usize> Modp for Field<LIMBS> {
    fn power_of_generator(&self, exponent: &Exponent) -> Zeroizing<Vec<u8>> {
        if exponent.bits() <= self.comb.most_bits() {
            bytes(self.comb.power(&self.params, exponent))
        } else {
            self.power(&[GENERATOR as u8], exponent)
        }
    }

    fn power(&self, public_key: &[u8], exponent: &Exponent) -> Zeroizing<Vec<u8>> {
        let base = number::<LIMBS>(public_key).unwrap_or(Uint::ZERO);
        let mut padded = Zeroizing::new([0; U320::BYTES]);
        padded[U320::BYTES - exponent.bytes().len()..].copy_from_slice(exponent.bytes());
        let bits = u32::try_from(exponent.bits()).expect("an exponent is at most 320 bits long");
        let exponent = Zeroizing::new(U320::from_be_slice(&*padded));
        bytes(FixedMontyForm::new(&base, &self.params).pow_bounded_exp(&*exponent, bits))
    }

    fn check(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        let number = number::<LIMBS>(public_key).ok_or(CryptoError::WeakKey)?;
        let margin = Uint::from_u32(MARGIN);
        let largest = self.params.modulus().as_ref().wrapping_sub(&margin);
        let ones: u32 = number.to_words().iter().map(|word| word.count_ones()).sum();
        let zeros = number.bits_vartime() - ones;
        let good = number >= margin && number <= largest && ones >= LEAST_BITS && zeros >= LEAST_BITS;
        if good { Ok(()) } else { Err(CryptoError::WeakKey) }
    }

    #[cfg(test)]
    fn prime(&self) -> Vec<u8> {
        self.params.modulus().as_ref().to_words().iter().rev().flat_map(|word| word.to_be_bytes()).collect()
    }
}

/// Powers of the generator from a table made once: an exponent's bits are read in rows of [`TEETH`], each [`Self::spacing`]
/// bits from the next, so that a power takes one squaring and one multiplication a row. That is three times fewer than
/// for a base that is not known beforehand.
struct Comb<const LIMBS: usize> {
    spacing: usize,
    /// Entry `n` is the product of the generator's powers at those teeth whose bits are set in `n`.
    table: Vec<Uint<LIMBS>>,
}

impl<const LIMBS: usize> Comb<LIMBS> {
    fn new(params: &FixedMontyParams<LIMBS>, exponent_bits: usize) -> Self {
        let spacing = exponent_bits.div_ceil(TEETH);
        let mut tooth = FixedMontyForm::new(&Uint::from_u32(GENERATOR), params);
        let mut table = vec![FixedMontyForm::one(params)];
        for _ in 0..TEETH {
            let with_tooth: Vec<_> = table.iter().map(|entry| entry.mul(&tooth)).collect();
            table.extend(with_tooth);
            (0..spacing).for_each(|_| tooth = tooth.square());
        }
        Self { spacing, table: table.iter().map(FixedMontyForm::to_montgomery).collect() }
    }

    fn most_bits(&self) -> usize {
        self.spacing * TEETH
    }

    fn power(&self, params: &FixedMontyParams<LIMBS>, exponent: &Exponent) -> FixedMontyForm<LIMBS> {
        let mut power = FixedMontyForm::one(params);
        for place in (0..self.spacing).rev() {
            let row = (0..TEETH)
                .fold(0, |row, tooth| row | u32::from(exponent.bit(tooth * self.spacing + place)) << tooth);
            let mut factor = Uint::ZERO;
            for (number, entry) in (0_u32..).zip(&self.table) {
                factor.conditional_assign(entry, number.ct_eq(&row));
            }
            power = power.square().mul(&FixedMontyForm::from_montgomery(factor, params));
            factor.zeroize();
        }
        power
    }
}

/// The number that a form stands for, without leading zeros (§4.6.2). How many there were does show in the time; the
/// far end of every session learns as much from any public key, and the RFC leaves no choice for a secret.
fn bytes<const LIMBS: usize>(form: FixedMontyForm<LIMBS>) -> Zeroizing<Vec<u8>> {
    let form = Zeroizing::new(form);
    let words = Zeroizing::new(form.retrieve().to_words());
    let mut bytes = Zeroizing::new(Vec::with_capacity(size_of_val(&*words)));
    bytes.extend(words.iter().rev().flat_map(|word| word.to_be_bytes()).skip_while(|byte| *byte == 0));
    bytes
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

/// Every group's generator.
const GENERATOR: u32 = 2;

/// Bits of an exponent that a row of the comb takes. More make larger tables (32 entries now, 16 KiB in group 16), of
/// which every row reads all.
const TEETH: usize = 5;

/// Keys closer than this to either end of the group are refused (§4.6.2).
const MARGIN: u32 = 1 << 24;
/// Keys with fewer ones, or fewer zeros, are refused (§4.6.2).
const LEAST_BITS: u32 = 16;
