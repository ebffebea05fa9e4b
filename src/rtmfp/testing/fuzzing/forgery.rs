//! Plain packets that look right from a distance: the chunks and numbers of an honest end in any order, or nearly so.

use super::script::Script;
use crate::rtmfp::wire::chunk;
use crate::rtmfp::wire::writer::Writer;

/// A packet before there is a session: hellos, keying and what belongs to them.
pub(super) fn startup_packet(script: &mut Script<'_>) -> Vec<u8> {
    const KINDS: &[u8] = &[
        chunk::INITIATOR_HELLO,
        chunk::RESPONDER_HELLO,
        chunk::REDIRECT,
        chunk::COOKIE_CHANGE,
        chunk::INITIATOR_KEYING,
        chunk::RESPONDER_KEYING,
        chunk::PACKET_FRAGMENT,
        chunk::FORWARDED_HELLO,
    ];
    let mut plain = vec![header(script, 3)];
    times(script, &mut plain);
    some_chunks(script, KINDS, &mut plain);
    plain
}

/// A packet of an open session, from the end that is marked by `mode`.
pub(super) fn session_packet(script: &mut Script<'_>, mode: u8) -> Vec<u8> {
    const KINDS: &[u8] = &[
        chunk::USER_DATA,
        chunk::USER_DATA,
        chunk::USER_DATA,
        chunk::NEXT_USER_DATA,
        chunk::NEXT_USER_DATA,
        chunk::RANGE_ACK,
        chunk::RANGE_ACK,
        chunk::BITMAP_ACK,
        chunk::BITMAP_ACK,
        chunk::PING,
        chunk::PING_REPLY,
        chunk::BUFFER_PROBE,
        chunk::FLOW_EXCEPTION,
        chunk::FORWARDED_HELLO,
        chunk::PACKET_FRAGMENT,
        chunk::INITIATOR_HELLO,
    ];
    let mut plain = vec![header(script, mode)];
    times(script, &mut plain);
    some_chunks(script, KINDS, &mut plain);
    plain
}

/// Flags with the right mode, or now and then with any.
fn header(script: &mut Script<'_>, mode: u8) -> u8 {
    match script.u8() {
        flags @ 0..=239 => flags & 0xfc | mode,
        _ => script.u8(),
    }
}

fn times(script: &mut Script<'_>, plain: &mut Vec<u8>) {
    for flag in [0x08, 0x04] {
        if plain.first().is_some_and(|flags| flags & flag != 0) {
            plain.extend_from_slice(&script.u16().to_be_bytes());
        }
    }
}

fn some_chunks(script: &mut Script<'_>, kinds: &[u8], plain: &mut Vec<u8>) {
    for _ in 0..=script.below(6) {
        let kind = match script.u8() {
            // A close ends the story, so it is rare.
            250 => chunk::CLOSE_REQUEST,
            251 => chunk::CLOSE_ACK,
            252..=255 => script.u8(),
            other => kinds.get(usize::from(other) % kinds.len()).copied().unwrap_or_default(),
        };
        let raw = script.u8() > 230;
        Writer::new(plain).chunk(kind, |writer| {
            if raw {
                writer.bytes(script.bytes());
            } else {
                payload(script, kind, writer);
            }
        });
        if script.u8() > 250 {
            plain.truncate(plain.len().saturating_sub(script.below(8)));
        }
    }
}

fn payload(script: &mut Script<'_>, kind: u8, writer: &mut Writer<'_>) {
    match kind {
        chunk::USER_DATA => {
            let flags = script.u8();
            writer.u8(flags);
            for _ in 0..3 {
                writer.vlu(script.number());
            }
            options(script, flags, writer);
            data(script, writer);
        }
        chunk::NEXT_USER_DATA => {
            let flags = script.u8();
            writer.u8(flags);
            options(script, flags, writer);
            data(script, writer);
        }
        chunk::RANGE_ACK => {
            for _ in 0..3 + 2 * script.below(20) {
                writer.vlu(script.number());
            }
        }
        chunk::BITMAP_ACK => {
            for _ in 0..3 {
                writer.vlu(script.number());
            }
            writer.bytes(script.bytes());
        }
        chunk::BUFFER_PROBE => writer.vlu(script.number()),
        chunk::FLOW_EXCEPTION => {
            writer.vlu(script.number());
            writer.vlu(script.number());
        }
        chunk::FORWARDED_HELLO => {
            writer.counted(whom(script));
            address(script, writer);
            writer.bytes(script.bytes());
        }
        chunk::INITIATOR_HELLO => {
            writer.counted(whom(script));
            writer.bytes(script.bytes());
        }
        chunk::RESPONDER_HELLO => {
            writer.counted(script.bytes());
            writer.counted(script.bytes());
            writer.bytes(whom(script));
        }
        chunk::REDIRECT => {
            writer.counted(script.bytes());
            for _ in 0..script.below(40) {
                address(script, writer);
            }
        }
        chunk::COOKIE_CHANGE => {
            writer.counted(script.bytes());
            writer.bytes(script.bytes());
        }
        chunk::INITIATOR_KEYING => {
            writer.u32(u32::from(script.u8()));
            writer.counted(script.bytes());
            writer.counted(whom(script));
            writer.counted(script.bytes());
            writer.bytes(script.bytes());
        }
        chunk::RESPONDER_KEYING => {
            writer.u32(u32::from(script.u8()));
            writer.counted(script.bytes());
            writer.bytes(script.bytes());
        }
        chunk::PACKET_FRAGMENT => {
            writer.u8(script.u8());
            writer.vlu(script.number());
            writer.vlu(script.number());
            writer.bytes(script.bytes());
        }
        _ => writer.bytes(script.bytes()),
    }
}

fn options(script: &mut Script<'_>, flags: u8, writer: &mut Writer<'_>) {
    if flags & 0x80 == 0 {
        return;
    }
    for _ in 0..script.below(4) {
        match script.u8() % 4 {
            0 | 1 => writer.option(0x00, script.bytes()),
            2 => writer.number_option(0x0a, script.number(), &[]),
            _ => writer.option(script.number(), script.bytes()),
        }
    }
    if script.u8() < 240 {
        writer.marker();
    }
}

/// Bytes that say nothing, a few or many.
fn data(script: &mut Script<'_>, writer: &mut Writer<'_>) {
    match script.u8() {
        length @ 0..=199 => writer.bytes(&vec![0; length.into()]),
        _ => writer.bytes(&vec![0; script.below(60_000)]),
    }
}

fn whom<'a>(script: &mut Script<'a>) -> &'a [u8] {
    match script.u8() % 4 {
        0 => b"ada",
        1 => b"bob",
        2 => b"eve",
        _ => script.bytes(),
    }
}

fn address(script: &mut Script<'_>, writer: &mut Writer<'_>) {
    let flags = script.u8();
    writer.u8(flags);
    for _ in 0..if flags & 0x80 == 0 { 4 } else { 16 } {
        writer.u8(script.u8());
    }
    writer.u16(script.u16());
}
