//! Tests of sealed packets against bytes made elsewhere or by hand (RFC 7425 §4.7).

use aes::cipher::{BlockModeEncrypt, InnerIvInit, KeyInit};
use aes::{Aes128Enc, Block};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::packet_cipher::{FlashCipher, Guard, Sealing};
use crate::rtmfp::crypto::{CryptoError, PacketCipher};
use crate::rtmfp::wire::session_id;
use crate::rtmfp::wire::writer::Writer;

const KEY: [u8; 16] = [1; 16];
const HMAC_KEY: [u8; 32] = [3; 32];
/// A plain packet of 6 bytes.
const PLAIN: &[u8] = b"\x01hello";

/// A cipher whose packets are sealed so in both directions, so that it opens its own.
fn mirror(tag_length: Option<usize>, sequence: bool) -> FlashCipher {
    let guard = || tag_length.map_or(Guard::Checksum, |length| Guard::hmac(&HMAC_KEY, length));
    let way = || Sealing { key: &KEY, guard: guard(), sequence };
    FlashCipher::of_session(14, way(), way())
}

fn sealed(cipher: &mut FlashCipher, plain: &[u8]) -> Vec<u8> {
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    cipher.seal(7, plain, &[plain.len()], &mut out, &mut ends);
    out
}

/// A datagram put together by hand: this plaintext, encrypted, and the front of its HMAC.
fn by_hand(mut plaintext: Vec<u8>, tag_length: usize) -> Vec<u8> {
    let (blocks, rest) = Block::slice_as_chunks_mut(&mut plaintext);
    assert!(rest.is_empty(), "whole blocks");
    cbc::Encryptor::inner_iv_init(&Aes128Enc::new(&KEY.into()), &Block::default()).encrypt_blocks(blocks);
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&HMAC_KEY).expect("a key of any length");
    mac.update(&plaintext);
    let tag = mac.finalize().into_bytes();
    [&[0; session_id::LENGTH], &plaintext[..], &tag[..tag_length]].concat()
}

/// The plaintext of a packet with a sequence number and an HMAC.
fn numbered(sequence: u64) -> Vec<u8> {
    let mut plaintext = Vec::new();
    Writer::new(&mut plaintext).vlu(sequence);
    plaintext.extend_from_slice(PLAIN);
    plaintext.resize(plaintext.len().next_multiple_of(16), 0xff);
    plaintext
}

/// Computed independently with OpenSSL: number 0, then the sum of what follows it, an odd number of bytes whose last is
/// the low half of its word, then the packet and its padding.
///
/// Conforms: 7425-4.7.2-c, 7425-4.7.2-d, 7425-4.7.3.1-a, 7425-4.7.3.1-b, 7425-4.7.3-a, trap-3, slip-13
#[test]
fn a_number_and_a_checksum_stand_before_the_packet_and_the_sum_is_over_what_follows_both() {
    let mut cipher = mirror(None, true);
    let mut datagram = sealed(&mut cipher, PLAIN);
    assert_eq!(datagram[session_id::LENGTH..], WITH_CHECKSUM);
    assert!(cipher.open(&mut datagram).expect("our own").starts_with(PLAIN));
}

/// Computed independently with OpenSSL: number 0, the packet, padding; the HMAC is of the cipher's blocks.
///
/// Conforms: 7425-4.7.2-a, 7425-4.7.3.2-a
#[test]
fn a_tag_behind_the_blocks_takes_the_place_of_the_checksum() {
    let mut cipher = mirror(Some(20), true);
    let mut datagram = sealed(&mut cipher, PLAIN);
    assert_eq!(datagram[session_id::LENGTH..][..16], WITH_TAG[..16]);
    assert_eq!(datagram[session_id::LENGTH + 16..], WITH_TAG[16..]);
    assert!(cipher.open(&mut datagram).expect("our own").starts_with(PLAIN));
}

/// Conforms: 7425-4.7.1-a
#[test]
fn every_packets_chain_begins_anew_with_zeros() {
    let mut cipher = mirror(None, false);
    let first = sealed(&mut cipher, PLAIN);
    assert_eq!(sealed(&mut cipher, PLAIN), first);
    let mut plaintext = [&[0, 0], PLAIN, &[0xff; 8]].concat();
    let sum = by_sum(&plaintext[2..]);
    plaintext[..2].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(first[session_id::LENGTH..], by_hand(plaintext, 0)[session_id::LENGTH..]);
}

/// The sum of a whole number of words, without a shortcut.
fn by_sum(bytes: &[u8]) -> u16 {
    bytes.chunks_exact(2).fold(0xffff_u16, |sum, word| {
        let word = u16::from_be_bytes([word[0], word[1]]);
        // Taking away is adding the complement; the borrow goes round.
        let (less, borrowed) = sum.overflowing_sub(word);
        less.wrapping_sub(u16::from(borrowed))
    })
}

/// Conforms: 7425-4.7.2-b
#[test]
fn what_is_left_behind_whole_blocks_must_be_the_tag_exactly() {
    for tag_length in 4..=32 {
        let datagram = by_hand(numbered(0), tag_length);
        for length in 0..datagram.len() + 20 {
            let mut changed = datagram.clone();
            changed.resize(length, 0);
            let opens = mirror(Some(tag_length), true).open(&mut changed).is_ok();
            assert_eq!(opens, length == datagram.len(), "{length} bytes with a tag of {tag_length}");
        }
    }
    let mut checksum = mirror(None, false);
    let datagram = sealed(&mut checksum, PLAIN);
    for extra in 1..16 {
        let longer = [&datagram[..], &vec![0; extra]].concat();
        assert_eq!(checksum.open(&mut longer.clone()), Err(CryptoError::Forged), "{extra} bytes too many");
    }
}

/// Conforms: 7425-4.7.3.1-c, 7425-4.7.3.2-b, trap-19
#[test]
fn a_packet_that_does_not_verify_leaves_no_trace_and_its_number_is_still_free() {
    for tag_length in [None, Some(4), Some(16), Some(32)] {
        let mut cipher = mirror(tag_length, true);
        let good = sealed(&mut cipher, PLAIN);
        let mut forged = good.clone();
        // In the last block of two, so that the number in the first one stays as it is.
        let longer = sealed(&mut cipher, &[7; 40]);
        let mut forged_longer = longer.clone();
        forged[session_id::LENGTH + 5] ^= 1;
        let last_block = session_id::LENGTH + 33;
        forged_longer[last_block] ^= 1;
        for forged in [forged, forged_longer] {
            assert_eq!(cipher.open(&mut forged.clone()), Err(CryptoError::Forged), "{tag_length:?}");
        }
        assert!(cipher.open(&mut good.clone()).is_ok() && cipher.open(&mut longer.clone()).is_ok());
    }
}

/// Conforms: 7425-4.6.6-a, 7425-4.6.6-b, 7425-4.7.3.3-c
#[test]
fn numbers_begin_at_zero_and_rise_by_one_with_every_packet_also_of_the_same_data() {
    let mut cipher = mirror(Some(16), true);
    for number in 0..300 {
        assert_eq!(sealed(&mut cipher, PLAIN)[4..], by_hand(numbered(number), 16)[4..], "packet {number}");
    }
}

/// Conforms: 7425-4.6.6-c
#[test]
fn numbers_have_64_bits_and_more_is_no_number() {
    let mut cipher = mirror(Some(16), true);
    for number in [1, 1 << 32, 1 << 63, u64::MAX - 1] {
        assert!(cipher.open(&mut by_hand(numbered(number), 16)).is_ok(), "{number}");
        assert_eq!(cipher.open(&mut by_hand(numbered(number), 16)), Err(CryptoError::Replayed));
    }
    // Seventy bits.
    let mut too_long = vec![0xff; 10];
    too_long[9] = 0x7f;
    too_long.resize(16, 0xff);
    assert_eq!(mirror(Some(16), true).open(&mut by_hand(too_long, 16)), Err(CryptoError::Forged));
}

/// Conforms: 7425-4.7.3.3-a, 7425-4.7.3.3-b
#[test]
fn packets_may_come_32_numbers_late_but_not_twice_and_not_from_long_ago() {
    let mut cipher = mirror(Some(16), true);
    assert!(cipher.open(&mut by_hand(numbered(5000), 16)).is_ok());
    for late in (5000 - 32..5000).rev() {
        assert!(cipher.open(&mut by_hand(numbered(late), 16)).is_ok(), "{late}");
        assert_eq!(cipher.open(&mut by_hand(numbered(late), 16)), Err(CryptoError::Replayed), "{late}");
    }
    assert_eq!(cipher.open(&mut by_hand(numbered(1), 16)), Err(CryptoError::Replayed));
}

/// Conforms: 7425-7-e
#[test]
fn with_sequence_numbers_no_two_first_blocks_are_equal() {
    let mut cipher = mirror(Some(16), true);
    let mut firsts: Vec<Vec<u8>> = (0..500).map(|_| sealed(&mut cipher, PLAIN)[4..20].to_vec()).collect();
    firsts.sort();
    firsts.dedup();
    assert_eq!(firsts.len(), 500);
}

const WITH_CHECKSUM: [u8; 16] =
    [0x37, 0xae, 0xb8, 0x6f, 0x6c, 0x1e, 0xa3, 0x8f, 0xf4, 0xe3, 0x96, 0x55, 0x51, 0xdb, 0x02, 0x8e];

const WITH_TAG: [u8; 36] = [
    0x6c, 0x49, 0x7f, 0xc7, 0x6a, 0x6e, 0x21, 0x1c, 0x48, 0xcf, 0x83, 0xee, 0x2a, 0x88, 0x71, 0x32, 0xa7,
    0x0b, 0x09, 0x12, 0x72, 0xa1, 0x0b, 0xed, 0xe7, 0xdc, 0x99, 0x00, 0xb3, 0x32, 0x83, 0xe1, 0xbe, 0x39,
    0xd8, 0x6d,
];
