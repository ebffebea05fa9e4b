//! Every parser of bytes that come from others, one at a time.

use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use super::script::Script;
use crate::rtmfp::crypto::flash::{Flash, Identity, fingerprint_in};
use crate::rtmfp::crypto::{Initiation, Profile, SessionKeys};
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader, chunks};
use crate::rtmfp::wire::packet_fragment::{LONGEST_PACKET, PacketFragment, Reassembly, split};
use crate::rtmfp::wire::reader::Reader;
use crate::rtmfp::wire::{option_list, socket_address, vlu};

/// Gives bytes to the parser that their first byte chooses, at the time `now`.
///
/// # Panics
/// When a parser does, or when what it read is not what it would write.
pub fn wire(now: Instant, bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    match choice % 10 {
        0 => packet(bytes),
        1 => {
            if let Some((kind, payload)) = bytes.split_first() {
                chunk(*kind, payload);
            }
        }
        2 => certificate(bytes),
        3 => initiator_component(bytes),
        4 => responder_component(bytes),
        5 => pieces(now, bytes),
        6 => elements(bytes),
        7 => sealed(bytes),
        8 => cut(now, bytes),
        _ => startup_datagram(bytes),
    }
}

fn packet(bytes: &[u8]) {
    let Ok((header, body)) = PacketHeader::parse(bytes) else { return };
    let mut again = Vec::new();
    header.write(&mut again);
    assert_eq!(again.len(), header.encoded_length());
    assert_eq!(PacketHeader::parse(&again), Ok((header, &[][..])));
    for raw in chunks(body).flatten() {
        chunk(raw.kind, raw.payload);
    }
}

/// What was read is written and read again: from then on nothing changes any more.
fn chunk(kind: u8, payload: &[u8]) {
    let Ok(read) = Chunk::parse(kind, payload) else { return };
    let written = write(&read);
    let Some(raw) = chunks(&written).flatten().next() else {
        assert!(payload.len() > usize::from(u16::MAX) / 2, "a short chunk is written");
        return;
    };
    assert_eq!(written.len(), read.encoded_length());
    let again = Chunk::parse(raw.kind, raw.payload).expect("what was written can be read");
    assert_eq!(write(&again), written);
}

fn write(chunk: &Chunk<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    chunk.write(&mut bytes);
    bytes
}

static ADA: LazyLock<Flash> = LazyLock::new(|| Flash::peer(Identity::generate([1; 32])));
static BOB: LazyLock<Flash> = LazyLock::new(|| Flash::peer(Identity::generate([2; 32])));
static SERVER: LazyLock<Flash> = LazyLock::new(|| Flash::server([3; 32]));

fn certificate(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let endpoint_discriminator = script.bytes();
    let certificate = script.rest();
    let known = ADA.identify(certificate);
    assert!(known.is_ok() || !ADA.is_static(certificate), "nobody knows the key of a malformed certificate");
    let matches = ADA.certificate_matches(certificate, endpoint_discriminator);
    if let Some(peer) = fingerprint_in(endpoint_discriminator) {
        assert_eq!(matches, known == Ok(peer), "a fingerprint alone decides");
    }
    ADA.selected_by(endpoint_discriminator);
    SERVER.selected_by(endpoint_discriminator);
    ADA.near_prevails(certificate);
    ADA.verify(certificate, endpoint_discriminator, &[]);
    if script.is_over() && known.is_ok() {
        // Whom we would dial decides nothing about ourselves.
        let _ = ADA.initiate(certificate, [4; 32])();
    }
}

fn initiator_component(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let by = if script.u8() & 1 == 0 { &ADA } else { &SERVER };
    let of = if script.u8() & 1 == 0 { &BOB } else { &SERVER };
    // Others would be unable to come to the same keys; whether we do is all that is asked here.
    let _ = by.respond(of.certificate(), script.rest(), [5; 32])();
}

fn responder_component(bytes: &[u8]) {
    static PENDING: LazyLock<[Initiation; 2]> = LazyLock::new(|| {
        [
            ADA.initiate(BOB.certificate(), [6; 32])().expect("Bob can be dialled"),
            ADA.initiate(SERVER.certificate(), [6; 32])().expect("the server can be dialled"),
        ]
    });
    let mut script = Script::new(bytes);
    let initiation = &PENDING[usize::from(script.u8() & 1)];
    let _ = initiation.pending.finish(script.rest())();
}

/// Packets in pieces, from a few sources, over a while: what is kept is bounded, and gone when its time is over.
fn pieces(mut now: Instant, bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut reassembly = Reassembly::default();
    while !script.is_over() {
        now += Duration::from_millis(script.u8().into());
        let mode = script.one_of(&[Mode::Startup, Mode::Initiator, Mode::Responder]).unwrap_or(Mode::Startup);
        let source = script.u8() % 8;
        let flags = script.u8();
        let (packet_id, number) = (script.number(), script.number());
        let data = vec![script.u8(); script.below(LONGEST_PACKET / 8)];
        let piece = PacketFragment { more: flags & 1 == 1, packet_id, number, data: &data };
        if let Some(whole) = reassembly.take(now, source, mode, &piece) {
            assert!(whole.len() <= LONGEST_PACKET);
        }
    }
    reassembly.expire(now + Duration::from_secs(60));
    assert_eq!(reassembly.deadline(), None, "nothing is kept for longer than a minute");
}

fn elements(bytes: &[u8]) {
    if let Ok((number, length)) = vlu::read(bytes) {
        let mut shortest = Vec::new();
        vlu::write(number, &mut shortest);
        assert!(shortest.len() <= length);
        assert_eq!(vlu::read(&shortest), Ok((number, shortest.len())));
    }
    let mut reader = Reader::new(bytes);
    while let Ok(known) = socket_address::read(&mut reader) {
        let mut again = Vec::new();
        socket_address::write(&known, &mut crate::rtmfp::wire::writer::Writer::new(&mut again));
        assert_eq!(socket_address::read(&mut Reader::new(&again)), Ok(known));
    }
    let options = option_list::items(bytes).take_while(Result::is_ok).count();
    assert!(options <= bytes.len(), "every option takes a byte at least");
    let mut reader = Reader::new(bytes);
    let _ = option_list::read_list(&mut reader, |_, value| {
        let _ = Reader::new(value).vlu();
        Ok(())
    });
}

/// Bytes as a datagram of a session whose keys nobody has: none is ever taken.
fn sealed(bytes: &[u8]) {
    static KEYS: LazyLock<Mutex<SessionKeys>> = LazyLock::new(|| {
        let initiation = ADA.initiate(BOB.certificate(), [7; 32])().expect("Bob can be dialled");
        let response = BOB.respond(ADA.certificate(), &initiation.component, [8; 32])();
        Mutex::new(response.expect("Ada can be answered").keys)
    });
    let mut keys = KEYS.lock().expect("nobody panicked with it");
    assert!(keys.cipher.open(&mut bytes.to_vec()).is_err(), "nobody guesses a key");
}

/// Bytes as a start-up datagram, whose key everybody has; and what we seal opens as it was.
fn startup_datagram(bytes: &[u8]) {
    let mut cipher = ADA.default_cipher();
    if let Ok(plain) = cipher.open(&mut bytes.to_vec()) {
        packet(plain);
    }
    let (mut datagram, mut ends) = (Vec::new(), Vec::new());
    cipher.seal(0, bytes, &[bytes.len()], &mut datagram, &mut ends);
    let opened = cipher.open(&mut datagram).expect("our own datagram");
    assert!(opened.starts_with(bytes), "padding may follow");
}

/// A packet cut to pieces by us is put together again, whatever is in it.
fn cut(now: Instant, bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let limit = script.u16();
    let mut reassembly = Reassembly::default();
    let pieces: Vec<_> = split(bytes, script.number(), limit.into()).collect();
    let whole = pieces.iter().filter_map(|piece| reassembly.take(now, 0, Mode::Startup, piece)).next();
    let startup = PacketHeader::parse(bytes).is_ok_and(|(header, _)| header.mode == Mode::Startup);
    if let Some(whole) = whole {
        assert!(startup && whole == bytes);
    } else {
        assert!(!startup || pieces.len() > 128, "{} pieces", pieces.len());
    }
}
