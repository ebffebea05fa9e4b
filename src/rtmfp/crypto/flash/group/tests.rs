//! The four groups against arithmetic done elsewhere, and the rules for public keys.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

fn group(id: u64) -> &'static Group {
    Group::find(id).expect("the group is in the table")
}

/// The exponent whose bytes are 0x80, 1, 2, 3...
fn counting(length: usize) -> Exponent {
    let mut bytes: Vec<u8> = (0..length as u8).collect();
    bytes[0] = 0x80;
    Exponent::from_bytes(&bytes).expect("an exponent of full length")
}

/// The exponent whose bytes are 0xff, 7, 14, 21...
fn by_sevens(length: usize) -> Exponent {
    let mut bytes: Vec<u8> = (0..length).map(|index| (7 * index) as u8).collect();
    bytes[0] = 0xff;
    Exponent::from_bytes(&bytes).expect("an exponent of full length")
}

fn front_of_hash(bytes: &[u8]) -> [u8; 8] {
    *Sha256::digest(bytes).first_chunk().expect("32 bytes")
}

/// Conforms: 7425-4.2-a, 7425-4.2-b, 7425-4.2-c
#[test]
fn the_primes_of_groups_2_5_14_and_16_are_the_ones_everybody_uses() {
    let hashes = [
        (2, [0x3f, 0x35, 0xa3, 0xf5, 0xf6, 0xc4, 0x37, 0x6a]),
        (5, [0x64, 0xfc, 0xc8, 0x3e, 0xc4, 0x03, 0x93, 0x0b]),
        (14, [0xd6, 0x64, 0x36, 0xf7, 0x9b, 0xbd, 0x6b, 0x2e]),
        (16, [0x4e, 0xe9, 0x51, 0x87, 0x68, 0x2b, 0xcb, 0x23]),
    ];
    for (id, hash) in hashes {
        let prime = (group(id).modp)().prime();
        assert_eq!((prime.len(), front_of_hash(&prime)), (group(id).key_length, hash), "group {id}");
    }
}

/// Hashes of 2 to the power of 0x80010203... modulo each prime, and of that to the power of 0xff070e15..., computed
/// independently. The last row has an exponent longer than new ones are in that group.
#[test]
fn keys_and_secrets_are_what_arithmetic_says() {
    let rows = [
        (
            2,
            32,
            [0xf2, 0x17, 0x19, 0xbd, 0xd8, 0x6d, 0x6d, 0xbe],
            [0xde, 0x49, 0x43, 0x13, 0x68, 0x94, 0x02, 0x3c],
        ),
        (
            5,
            32,
            [0x64, 0x84, 0x73, 0x1a, 0x11, 0x4b, 0x58, 0x9a],
            [0xa6, 0xd2, 0xa3, 0xf1, 0x4b, 0x1d, 0x9f, 0xcd],
        ),
        (
            14,
            32,
            [0xd1, 0x40, 0x07, 0xb5, 0x2a, 0x58, 0x54, 0xfb],
            [0x78, 0x6e, 0x0f, 0x80, 0xc6, 0x55, 0x5e, 0xd7],
        ),
        (
            16,
            40,
            [0x3b, 0xd7, 0x9a, 0xb1, 0xd4, 0x7c, 0x67, 0x04],
            [0x8c, 0x04, 0x78, 0x14, 0x95, 0xf6, 0x70, 0x6c],
        ),
        (
            14,
            40,
            [0x1a, 0x85, 0xdf, 0x7a, 0x0e, 0x6b, 0xd9, 0x3d],
            [0x54, 0x9a, 0x0e, 0x5a, 0xee, 0xa1, 0x2e, 0x35],
        ),
    ];
    for (id, length, key_hash, secret_hash) in rows {
        let key = group(id).public_key(&counting(length));
        assert_eq!(front_of_hash(&key), key_hash, "key in group {id}, {length} bytes");
        let secret = group(id).shared_secret(&key, &by_sevens(length)).expect("a good key");
        assert_eq!(front_of_hash(&secret), secret_hash, "secret in group {id}, {length} bytes");
    }
}

#[test]
fn new_exponents_are_of_full_length_for_their_group() {
    for (id, bits) in [(2, 256), (5, 256), (14, 256), (16, 320)] {
        let (exponent, _) = group(id).key_pair(&mut Chance::new([7; 32]));
        assert_eq!(exponent.bits(), bits, "group {id}");
        assert_eq!(exponent.bit(bits - 1), 1, "group {id}");
    }
}

#[test]
fn both_ends_find_the_same_secret_leading_zeros_or_not() {
    let mut chance = Chance::new([1; 32]);
    for group in Group::all() {
        let (a, a_public) = group.key_pair(&mut chance);
        let (b, b_public) = group.key_pair(&mut chance);
        let at_a = group.shared_secret(&b_public, &a).expect("a good key");
        let at_b = group.shared_secret(&[&[0, 0], &a_public[..]].concat(), &b).expect("a good key");
        assert_eq!(*at_a, *at_b, "group {}", group.id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_table_of_the_generators_powers_agrees_with_plain_powers(mut bytes in any::<[u8; 32]>(), pick in 0..4_usize) {
        bytes[0] |= HIGHEST_BIT;
        let (group, exponent) = (&GROUPS[pick], Exponent::from_bytes(&bytes).expect("full length"));
        let modp = (group.modp)();
        prop_assert_eq!(modp.power_of_generator(&exponent), modp.power(&[2], &exponent));
    }
}

#[test]
fn a_key_pair_for_those_who_count_bytes_has_a_key_as_long_as_the_prime() {
    // With this seed the first key in group 2 begins with a zero byte.
    let short = (0..=255_u8)
        .map(|seed| [seed; 32])
        .find(|seed| group(2).key_pair(&mut Chance::new(*seed)).1.len() < 128)
        .expect("one key in 256 is short");
    let (exponent, key) = group(2).full_length_key_pair(&mut Chance::new(short));
    assert_eq!(key.len(), 128);
    assert_eq!(key, group(2).public_key(&exponent));
}

/// Conforms: 7425-4.6.2-a
#[test]
fn a_public_key_outside_the_rules_is_refused_in_every_group_and_one_at_their_edge_is_not() {
    for group in Group::all() {
        let exponent = counting(32);
        let taken = |key: &[u8]| match group.shared_secret(key, &exponent) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, CryptoError::WeakKey);
                false
            }
        };
        let prime = (group.modp)().prime();
        // Every prime ends in 64 ones.
        let prime_less = |by: u64| {
            let end = u64::MAX - by;
            [&prime[..prime.len() - 8], &end.to_be_bytes()].concat()
        };
        assert!(taken(&prime_less(1 << 24)) && !taken(&prime_less((1 << 24) - 1)), "group {}", group.id);
        assert!(!taken(&prime) && !taken(&vec![0x5a; prime.len() + 1]), "group {}", group.id);
        let ones_then_zeros = |ones: u32, zeros: u32| (((1_u64 << ones) - 1) << zeros).to_be_bytes();
        assert!(taken(&ones_then_zeros(16, 16)), "group {}", group.id);
        assert!(!taken(&ones_then_zeros(15, 40)), "group {}: too few ones", group.id);
        // Leading zeros are not counted, neither those of a byte nor whole bytes of them.
        assert!(!taken(&ones_then_zeros(40, 15)), "group {}: too few zeros", group.id);
        for small in [&[][..], &[1], &[0xff; 3], &[1, 0, 0, 0]] {
            assert!(!taken(small), "group {}: {small:?}", group.id);
        }
    }
}

/// The secret of these two exponents in group 2 has 127 bytes; its hash was computed independently.
///
/// Conforms: 7425-4.6.2-c
#[test]
fn a_shared_secret_loses_its_leading_zero_bytes() {
    let mut bytes = [0; 32];
    bytes[0] = 0x80;
    bytes[30..].copy_from_slice(&87_u16.to_be_bytes());
    let exponent = Exponent::from_bytes(&bytes).expect("full length");
    let key = group(2).public_key(&counting(32));
    let secret = group(2).shared_secret(&key, &exponent).expect("a good key");
    assert_eq!(
        (secret.len(), front_of_hash(&secret)),
        (127, [0x6a, 0x16, 0xca, 0xf9, 0x60, 0x28, 0xf9, 0xdf])
    );
}
