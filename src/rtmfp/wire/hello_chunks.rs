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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::endpoint::AddressOrigin;

    fn observed(address: &str) -> KnownAddress {
        KnownAddress { address: address.parse().expect("a socket address"), origin: AddressOrigin::Observed }
    }

    #[test]
    fn an_initiator_hello_has_the_tag_at_its_end() {
        let expected = Chunk::IHello { endpoint_discriminator: &[0x0a, 1], tag: &[7, 7] };
        assert_eq!(Chunk::parse(0x30, &[2, 0x0a, 1, 7, 7]), Ok(expected));
    }

    #[test]
    fn a_forwarded_hello_has_the_reply_address_before_the_tag() {
        let payload = [1, 9, 2, 192, 0, 2, 1, 0, 80, 5];
        let reply = observed("192.0.2.1:80");
        let expected = Chunk::ForwardedHello { endpoint_discriminator: &[9], reply, tag: &[5] };
        assert_eq!(Chunk::parse(0x0f, &payload), Ok(expected));
    }

    #[test]
    fn a_redirect_without_addresses_means_here() {
        let expected = Chunk::Redirect { tag_echo: &[1, 2], destinations: vec![] };
        assert_eq!(Chunk::parse(0x71, &[2, 1, 2]), Ok(expected));
    }

    #[test]
    fn a_redirect_cut_inside_an_address_is_skipped_whole() {
        let payload = [1, 9, 2, 192, 0, 2, 1, 0, 80, 2, 192, 0];
        assert_eq!(Chunk::parse(0x71, &payload), Err(ChunkError::Truncated));
    }

    #[test]
    fn a_cookie_longer_than_the_chunk_is_cut_short() {
        assert_eq!(Chunk::parse(0x70, &[1, 9, 4, 1, 2, 3]), Err(ChunkError::Truncated));
    }
}
