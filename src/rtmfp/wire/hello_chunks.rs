//! The chunks that find an endpoint: IHello, FIHello, RHello, Redirect and RHello Cookie Change (RFC 7016 §2.3.2-§2.3.6).

use super::chunk::Chunk;
use super::error::ChunkError;
use super::reader::Reader;
use super::socket_address;
use super::writer::Writer;
use crate::rtmfp::endpoint::KnownAddress;

/// IHello (§2.3.2).
pub(super) fn read_initiator_hello(mut reader: Reader<'_>) -> Result<Chunk<'_>, ChunkError> {
    let endpoint_discriminator = reader.counted()?;
    Ok(Chunk::IHello { endpoint_discriminator, tag: reader.rest() })
}

pub(super) fn write_initiator_hello(writer: &mut Writer<'_>, endpoint_discriminator: &[u8], tag: &[u8]) {
    writer.counted(endpoint_discriminator);
    writer.bytes(tag);
}

/// FIHello (§2.3.3).
pub(super) fn read_forwarded_hello(mut reader: Reader<'_>) -> Result<Chunk<'_>, ChunkError> {
    let endpoint_discriminator = reader.counted()?;
    let reply = socket_address::read(&mut reader)?;
    Ok(Chunk::ForwardedHello { endpoint_discriminator, reply, tag: reader.rest() })
}

pub(super) fn write_forwarded_hello(
    writer: &mut Writer<'_>,
    endpoint_discriminator: &[u8],
    reply: &KnownAddress,
    tag: &[u8],
) {
    writer.counted(endpoint_discriminator);
    socket_address::write(reply, writer);
    writer.bytes(tag);
}

/// RHello (§2.3.4).
pub(super) fn read_responder_hello(mut reader: Reader<'_>) -> Result<Chunk<'_>, ChunkError> {
    let tag_echo = reader.counted()?;
    let cookie = reader.counted()?;
    Ok(Chunk::ResponderHello { tag_echo, cookie, certificate: reader.rest() })
}

pub(super) fn write_responder_hello(
    writer: &mut Writer<'_>,
    tag_echo: &[u8],
    cookie: &[u8],
    certificate: &[u8],
) {
    writer.counted(tag_echo);
    writer.counted(cookie);
    writer.bytes(certificate);
}

/// Redirect (§2.3.5). Cut inside an address it is skipped whole: a part of the list is not what was meant, and an empty
/// list would mean something else.
pub(super) fn read_redirect(mut reader: Reader<'_>) -> Result<Chunk<'_>, ChunkError> {
    let tag_echo = reader.counted()?;
    let mut destinations = Vec::new();
    while !reader.is_empty() {
        destinations.push(socket_address::read(&mut reader)?);
    }
    Ok(Chunk::Redirect { tag_echo, destinations })
}

pub(super) fn write_redirect(writer: &mut Writer<'_>, tag_echo: &[u8], destinations: &[KnownAddress]) {
    writer.counted(tag_echo);
    destinations.iter().for_each(|known| socket_address::write(known, writer));
}

/// RHello Cookie Change (§2.3.6).
pub(super) fn read_cookie_change(mut reader: Reader<'_>) -> Result<Chunk<'_>, ChunkError> {
    let old_cookie = reader.counted()?;
    Ok(Chunk::CookieChange { old_cookie, new_cookie: reader.rest() })
}

pub(super) fn write_cookie_change(writer: &mut Writer<'_>, old_cookie: &[u8], new_cookie: &[u8]) {
    writer.counted(old_cookie);
    writer.bytes(new_cookie);
}
