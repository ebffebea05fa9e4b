//! Sealing and opening packets (RFC 7425 §4.7): AES-128-CBC with a zero IV, a checksum or an HMAC, a sequence number.

use aes::cipher::{BlockModeDecrypt, InnerIvInit, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Block};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::chains::{self, SIDE_BY_SIDE};
use super::replay_window::ReplayWindow;
use crate::rtmfp::crypto::{CryptoError, PacketCipher};
use crate::rtmfp::wire::writer::Writer;
use crate::rtmfp::wire::{session_id, vlu};

/// The key everybody knows, for packets before there is a session (§4.1).
const DEFAULT_KEY: &[u8; KEY_LENGTH] = b"Adobe Systems 02";

const KEY_LENGTH: usize = 16;
const BLOCK_LENGTH: usize = 16;
const CHECKSUM_LENGTH: usize = 2;
/// Padding that no parser takes for a chunk (§4.7.2).
const PADDING: u8 = 0xff;
/// Packets that may be sealed between asking for the limit and sealing the last of them.
const SEALED_AT_ONCE: u64 = 1 << 16;

/// How packets of one direction are protected against changes.
pub(super) enum Guard {
    /// A 16-bit sum inside the encryption (§4.7.3.1).
    Checksum,
    /// A tag behind it (§4.7.3.2).
    Hmac {
        /// Keyed once, copied for each packet.
        keyed: Hmac<Sha256>,
        /// Bytes of the tag.
        length: usize,
    },
}

impl Guard {
    /// An HMAC of `length` bytes, 4 to 32.
    pub(super) fn hmac(key: &[u8; 32], length: usize) -> Self {
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
        Self::Hmac { keyed, length }
    }

    fn tag_length(&self) -> usize {
        match self {
            Self::Checksum => 0,
            Self::Hmac { length, .. } => *length,
        }
    }

    fn checksum_length(&self) -> usize {
        match self {
            Self::Checksum => CHECKSUM_LENGTH,
            Self::Hmac { .. } => 0,
        }
    }
}

/// How packets of one direction are sealed.
pub(super) struct Sealing<'a> {
    pub(super) key: &'a [u8; KEY_LENGTH],
    pub(super) guard: Guard,
    /// Whether they have sequence numbers.
    pub(super) sequence: bool,
}

/// The cipher of a session, or of startup.
pub(super) struct FlashCipher {
    encrypt: Aes128Enc,
    decrypt: Aes128Dec,
    sent_guard: Guard,
    received_guard: Guard,
    /// The next packet's sequence number, where packets have one (§4.7.3.3).
    next_sequence: Option<u64>,
    window: Option<ReplayWindow>,
    /// Number of the group in which the keys were agreed on; none at startup.
    group: Option<u64>,
}

impl FlashCipher {
    /// The startup cipher: neither HMAC nor sequence numbers (§4.1).
    pub(super) fn with_default_key() -> Self {
        Self {
            encrypt: Aes128Enc::new(DEFAULT_KEY.into()),
            decrypt: Aes128Dec::new(DEFAULT_KEY.into()),
            sent_guard: Guard::Checksum,
            received_guard: Guard::Checksum,
            next_sequence: None,
            window: None,
            group: None,
        }
    }

    /// A session's cipher: each direction has a key, a guard, and sequence numbers or none. The group's number is for those
    /// who ask.
    pub(super) fn of_session(group: u64, sent: Sealing<'_>, received: Sealing<'_>) -> Self {
        Self {
            encrypt: Aes128Enc::new(sent.key.into()),
            decrypt: Aes128Dec::new(received.key.into()),
            sent_guard: sent.guard,
            received_guard: received.guard,
            next_sequence: sent.sequence.then_some(0),
            window: received.sequence.then(ReplayWindow::default),
            group: Some(group),
        }
    }

    /// Appends one packet as it will be, still plain: room for the session ID, sequence number, checksum, packet, padding,
    /// and room for the tag.
    fn lay_out(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&[0; session_id::LENGTH]);
        let encrypted_at = out.len();
        if let Some(sequence) = &mut self.next_sequence {
            Writer::new(out).vlu(*sequence);
            *sequence += 1;
        }
        let checksum_at = out.len();
        out.resize(checksum_at + self.sent_guard.checksum_length(), 0);
        let checked_at = out.len();
        out.extend_from_slice(plain);
        let length = out.len() - encrypted_at;
        out.resize(encrypted_at + length.next_multiple_of(BLOCK_LENGTH), PADDING);
        if let Guard::Checksum = self.sent_guard {
            let sum = checksum(&out[checked_at..]);
            out[checksum_at..checked_at].copy_from_slice(&sum.to_be_bytes());
        }
        out.resize(out.len() + self.sent_guard.tag_length(), 0);
    }

    /// Encrypts, tags and addresses packets that were laid out one after the other, each ending at its offset in `ends`.
    fn protect(&self, far_session_id: u32, packets: &mut [u8], ends: &[usize]) {
        let tag_length = self.sent_guard.tag_length();
        let mut chains: [&mut [Block]; SIDE_BY_SIDE] = std::array::from_fn(|_| Default::default());
        let mut start = 0;
        let mut rest = &mut *packets;
        for group in ends.chunks(SIDE_BY_SIDE) {
            for (chain, end) in chains.iter_mut().zip(group) {
                let (packet, after) = rest.split_at_mut(end - start);
                let encrypted = session_id::LENGTH..packet.len() - tag_length;
                (*chain, _) = Block::slice_as_chunks_mut(&mut packet[encrypted]);
                (rest, start) = (after, *end);
            }
            chains::encrypt(&self.encrypt, &mut chains[..group.len()]);
        }
        let mut start = 0;
        for end in ends {
            let (front, behind) = packets[start..*end].split_at_mut(session_id::LENGTH);
            let (encrypted, tag) = behind.split_at_mut(behind.len() - tag_length);
            if let Guard::Hmac { keyed, .. } = &self.sent_guard {
                let mut mac = keyed.clone();
                mac.update(encrypted);
                tag.copy_from_slice(&mac.finalize().into_bytes()[..tag_length]);
            }
            front.copy_from_slice(&session_id::scramble(far_session_id, encrypted).to_be_bytes());
            start = *end;
        }
    }
}

impl PacketCipher for FlashCipher {
    fn plain_limit(&self, datagram_size: usize) -> usize {
        let around = session_id::LENGTH + self.sent_guard.tag_length();
        let blocks = datagram_size.saturating_sub(around) / BLOCK_LENGTH * BLOCK_LENGTH;
        // Sequence numbers grow longer while a batch is being packed.
        let longest = |sequence: u64| vlu::encoded_length(sequence.saturating_add(SEALED_AT_ONCE));
        blocks.saturating_sub(self.next_sequence.map_or(0, longest) + self.sent_guard.checksum_length())
    }

    fn seal(
        &mut self,
        far_session_id: u32,
        plain: &[u8],
        ends: &[usize],
        out: &mut Vec<u8>,
        out_ends: &mut Vec<usize>,
    ) {
        let (from, first) = (out.len(), out_ends.len());
        let mut start = 0;
        for end in ends {
            self.lay_out(&plain[start..*end], out);
            out_ends.push(out.len() - from);
            start = *end;
        }
        self.protect(far_session_id, &mut out[from..], &out_ends[first..]);
        out_ends[first..].iter_mut().for_each(|end| *end += from);
    }

    fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], CryptoError> {
        let encrypted = datagram.get_mut(session_id::LENGTH..).ok_or(CryptoError::Forged)?;
        let tag_length = self.received_guard.tag_length();
        let length = encrypted.len().checked_sub(tag_length).ok_or(CryptoError::Forged)?;
        if length == 0 || length % BLOCK_LENGTH != 0 {
            return Err(CryptoError::Forged);
        }
        let (encrypted, tag) = encrypted.split_at_mut(length);
        if let Guard::Hmac { keyed, .. } = &self.received_guard {
            let mut mac = keyed.clone();
            mac.update(encrypted);
            // Compares in constant time.
            mac.verify_truncated_left(tag).map_err(|_| CryptoError::Forged)?;
        }
        let (blocks, _) = Block::slice_as_chunks_mut(encrypted);
        cbc::Decryptor::inner_iv_init(&self.decrypt, &Block::default()).decrypt_blocks(blocks);
        let mut plain = &*encrypted;
        let mut sequence = None;
        if self.window.is_some() {
            let (number, length) = vlu::read(plain).map_err(|_| CryptoError::Forged)?;
            sequence = Some(number);
            plain = &plain[length..];
        }
        if let Guard::Checksum = self.received_guard {
            let (sum, checked) = plain.split_first_chunk::<CHECKSUM_LENGTH>().ok_or(CryptoError::Forged)?;
            if checksum(checked) != u16::from_be_bytes(*sum) {
                return Err(CryptoError::Forged);
            }
            plain = checked;
        }
        if let (Some(window), Some(sequence)) = (&mut self.window, sequence) {
            window.admit(sequence)?;
        }
        Ok(plain)
    }

    fn describe(&self) -> String {
        let guard = |guard: &Guard| match guard {
            Guard::Checksum => "checksum".to_owned(),
            Guard::Hmac { length, .. } => format!("HMAC-{}", length * 8),
        };
        let (sent, received) = (guard(&self.sent_guard), guard(&self.received_guard));
        let guards = if sent == received { sent } else { format!("{sent} out, {received} in") };
        let group = self.group.map(|group| format!(" · group {group}")).unwrap_or_default();
        format!("AES-128 · {guards}{group}")
    }
}

/// The ones' complement sum of 16-bit words; an odd last byte counts as a low half (§4.7.3.1).
fn checksum(bytes: &[u8]) -> u16 {
    let (words, last) = bytes.as_chunks::<2>();
    let sum = words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>()
        + last.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let mut folded = sum;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !(folded as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (FlashCipher, FlashCipher) {
        pair_of(|| Guard::hmac(&[3; 32], 16), || Guard::hmac(&[4; 32], 20), true)
    }

    /// Two ends whose packets are guarded so in the one direction and so in the other.
    fn pair_of(
        there: impl Fn() -> Guard,
        back: impl Fn() -> Guard,
        sequence: bool,
    ) -> (FlashCipher, FlashCipher) {
        let way = |key, guard| Sealing { key, guard, sequence };
        (
            FlashCipher::of_session(14, way(&[1; 16], there()), way(&[2; 16], back())),
            FlashCipher::of_session(14, way(&[2; 16], back()), way(&[1; 16], there())),
        )
    }

    fn sealed(cipher: &mut FlashCipher, plain: &[u8]) -> Vec<u8> {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        cipher.seal(7, plain, &[plain.len()], &mut out, &mut ends);
        assert_eq!(ends, [out.len()]);
        out
    }

    #[test]
    fn an_odd_last_byte_is_a_low_half() {
        assert_eq!(checksum(&[1, 2, 3]), 0xfefa);
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0x220d);
    }

    #[test]
    fn what_one_end_seals_the_other_opens() {
        let (mut a, mut b) = pair();
        for length in 0..50 {
            let plain = vec![0x5a; length];
            let mut datagram = sealed(&mut a, &plain);
            assert_eq!(session_id::peek(&datagram), Some(7));
            let opened = b.open(&mut datagram).expect("a good packet");
            assert_eq!(opened[..length], plain);
            assert!(opened[length..].iter().all(|byte| *byte == PADDING) && opened.len() < length + 16);
        }
    }

    #[test]
    fn a_packet_of_the_plain_limit_fits_the_datagram_and_no_more_would() {
        let (mut a, _) = pair();
        let mut default = FlashCipher::with_default_key();
        for size in 64..200 {
            for cipher in [&mut a, &mut default] {
                let limit = cipher.plain_limit(size);
                assert!(sealed(cipher, &vec![0; limit]).len() <= size);
                assert!(sealed(cipher, &vec![0; limit + 16]).len() > size);
            }
        }
    }

    /// Conforms: 7016-2.2.3-d
    #[test]
    fn a_changed_packet_is_forged_wherever_it_was_changed() {
        let (mut a, mut b) = pair();
        let datagram = sealed(&mut a, b"a packet");
        for index in session_id::LENGTH..datagram.len() {
            let mut changed = datagram.clone();
            changed[index] ^= 1;
            assert_eq!(b.open(&mut changed), Err(CryptoError::Forged));
        }
        for length in 0..datagram.len() {
            assert_eq!(b.open(&mut datagram[..length].to_vec()), Err(CryptoError::Forged));
        }
        assert!(b.open(&mut datagram.clone()).is_ok(), "forgeries changed nothing");
    }

    #[test]
    fn a_packet_that_comes_twice_is_a_repetition() {
        let (mut a, mut b) = pair();
        let datagram = sealed(&mut a, b"a packet");
        assert!(b.open(&mut datagram.clone()).is_ok());
        assert_eq!(b.open(&mut datagram.clone()), Err(CryptoError::Replayed));
    }

    #[test]
    fn packets_may_overtake_each_other() {
        let (mut a, mut b) = pair();
        let mut datagrams: Vec<_> = (0..500).map(|_| sealed(&mut a, b"a packet")).collect();
        datagrams.reverse();
        assert!(datagrams.iter_mut().all(|datagram| b.open(datagram).is_ok()));
    }

    #[test]
    fn a_batch_of_any_size_opens_packet_by_packet() {
        let (mut a, mut b) = pair();
        for count in [1, 8, 9, 64, 65, 150] {
            let packets: Vec<Vec<u8>> = (0..count).map(|n| vec![n as u8; 1 + (n * 37) % 500]).collect();
            let ends: Vec<usize> = packets
                .iter()
                .scan(0, |end, packet| {
                    *end += packet.len();
                    Some(*end)
                })
                .collect();
            let (mut out, mut out_ends) = (b"before".to_vec(), vec![6]);
            a.seal(7, &packets.concat(), &ends, &mut out, &mut out_ends);
            assert_eq!((out_ends.len(), &out[..6]), (count + 1, &b"before"[..]));
            for (packet, around) in packets.iter().zip(out_ends.windows(2)) {
                let opened = b.open(&mut out[around[0]..around[1]]).expect("a good packet");
                assert_eq!(opened[..packet.len()], *packet);
            }
        }
    }

    #[test]
    fn a_batch_is_sealed_packet_by_packet() {
        let (mut a, mut b) = pair();
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        a.seal(7, b"onethree", &[3, 8], &mut out, &mut ends);
        assert_eq!(ends.len(), 2);
        let (first, second) = out.split_at_mut(ends[0]);
        assert_eq!(b.open(first).expect("a good packet")[..3], *b"one");
        assert_eq!(b.open(second).expect("a good packet")[..5], *b"three");
    }

    /// Computed independently with OpenSSL: checksum 7fc0, then the packet, then padding.
    ///
    /// Conforms: 7425-4.1-a, 7425-4.1-b, 7016-2.2.3-a, 7016-5-a
    #[test]
    fn the_default_key_makes_the_packets_everybody_makes() {
        let plain = [0x03, 0x30, 0x00, 0x05, 0x02, 0x0a, 0x78, 0x01, 0x02];
        let datagram = sealed(&mut FlashCipher::with_default_key(), &plain);
        assert_eq!(datagram[4..], DEFAULT_KEY_VECTOR);
        let mut again = datagram.clone();
        let mut opener = FlashCipher::with_default_key();
        assert_eq!(opener.open(&mut again).expect("a good packet")[..9], plain);
        let mut changed = datagram;
        changed[10] ^= 4;
        assert_eq!(opener.open(&mut changed), Err(CryptoError::Forged));
    }

    const DEFAULT_KEY_VECTOR: [u8; 16] =
        [0xc3, 0x6d, 0x05, 0xf5, 0x68, 0x8d, 0xdf, 0x0c, 0x0b, 0x06, 0xd6, 0x8f, 0x33, 0xf6, 0xf2, 0x9a];
}
