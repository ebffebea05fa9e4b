//! Sealing and opening packets next to the bare cipher and hash, and agreeing on keys.

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Block};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::crypto::{PacketCipher, Profile};

use super::{Bench, best, nanoseconds};

/// Datagrams of a full packet.
pub(crate) const DATAGRAM: usize = 1200;
/// Packets sealed at once.
const BATCH: usize = 54;

pub(crate) fn run(bench: &Bench) {
    if bench.wants("packet_seal") {
        let (mut near, _) = session_ciphers();
        let (plain, ends) = batch(near.as_ref());
        let (mut out, mut out_ends) = (Vec::new(), Vec::new());
        let sealed = best(200, || {
            out.clear();
            out_ends.clear();
            near.seal(1, &plain, &ends, &mut out, &mut out_ends);
        });
        let each = nanoseconds(sealed) / BATCH as f64;
        bench.tell_with_limit("packet_seal", each, "ns", bare_seal());
    }
    if bench.wants("packet_open") {
        bench.tell_with_limit("packet_open", open_each(), "ns", bare_open());
    }
    if bench.wants("key_agreement") {
        agreement(bench);
    }
}

/// Both ends of a session that agreed on keys.
pub(crate) fn session_ciphers() -> (Box<dyn PacketCipher>, Box<dyn PacketCipher>) {
    let near = Flash::peer(Identity::generate([1; 32]));
    let far = Flash::peer(Identity::generate([2; 32]));
    let begun = near.initiate(far.certificate(), [3; 32])().expect("a certificate of ours");
    let answer = far.respond(near.certificate(), &begun.component, [4; 32])().expect("a component of ours");
    let keys = begun.pending.finish(&answer.component)().expect("an answer of ours");
    (keys.cipher, answer.keys.cipher)
}

/// A batch of full packets, and where each ends.
fn batch(cipher: &dyn PacketCipher) -> (Vec<u8>, Vec<usize>) {
    let size = cipher.plain_limit(DATAGRAM);
    (vec![0x5a; size * BATCH], (1..=BATCH).map(|number| number * size).collect())
}

fn open_each() -> f64 {
    let (mut near, mut far) = session_ciphers();
    let (plain, ends) = batch(near.as_ref());
    let (mut out, mut out_ends) = (Vec::new(), Vec::new());
    // A packet opens once only, so each round gets its own; sealing them is not measured.
    let mut fastest = f64::INFINITY;
    for _ in 0..500 {
        out.clear();
        out_ends.clear();
        near.seal(1, &plain, &ends, &mut out, &mut out_ends);
        let mut start = 0;
        let mut packets: Vec<&mut [u8]> = Vec::with_capacity(BATCH);
        let mut rest = out.as_mut_slice();
        for end in &out_ends {
            let (packet, after) = rest.split_at_mut(end - start);
            packets.push(packet);
            (rest, start) = (after, *end);
        }
        let began = std::time::Instant::now();
        for packet in packets {
            std::hint::black_box(far.open(packet).expect("a packet of ours"));
        }
        fastest = fastest.min(nanoseconds(began.elapsed()) / BATCH as f64);
    }
    fastest
}

fn keyed() -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(&[7; 32]).expect("HMAC takes keys of any length")
}

/// Nanoseconds that the cipher and the hash alone take for a packet: nothing that seals with both is faster.
fn bare_seal() -> f64 {
    let (cipher, keyed) = (Aes128Enc::new(&[9; 16].into()), keyed());
    let mut bytes = vec![0_u8; DATAGRAM / 16 * 16];
    nanoseconds(best(2_000, || {
        let (blocks, _) = Block::slice_as_chunks_mut(&mut bytes);
        cbc::Encryptor::inner_iv_init(&cipher, &Block::default()).encrypt_blocks(blocks);
        let mut mac = keyed.clone();
        mac.update(&bytes);
        mac.finalize().into_bytes()
    }))
}

fn bare_open() -> f64 {
    let (cipher, keyed) = (Aes128Dec::new(&[9; 16].into()), keyed());
    let mut bytes = vec![0_u8; DATAGRAM / 16 * 16];
    nanoseconds(best(2_000, || {
        let mut mac = keyed.clone();
        mac.update(&bytes);
        let tag = mac.finalize().into_bytes();
        let (blocks, _) = Block::slice_as_chunks_mut(&mut bytes);
        cbc::Decryptor::inner_iv_init(&cipher, &Block::default()).decrypt_blocks(blocks);
        tag
    }))
}

/// In group 14. A peer's own key lasts, so it raises one power; a server makes a key for each session, and raises two.
fn agreement(bench: &Bench) {
    let near = Flash::peer(Identity::generate([1; 32]));
    let server = Flash::server([2; 32]);
    let begun = near.initiate(server.certificate(), [3; 32])().expect("a certificate of ours");
    let answer =
        || server.respond(near.certificate(), &begun.component, [4; 32])().expect("a component of ours");
    let component = answer().component;
    let initiator =
        best(5, || near.initiate(server.certificate(), [3; 32])().expect("a certificate of ours"));
    let finish = best(5, || begun.pending.finish(&component)().expect("an answer of ours"));
    let responder = best(5, answer);
    bench.tell("key_agreement_initiator", (initiator + finish).as_secs_f64() * 1e3, "ms");
    bench.tell("key_agreement_responder", responder.as_secs_f64() * 1e3, "ms");
}
