//! Addresses inside chunks and messages (RFC 7016 §2.1.5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::error::ChunkError;
use super::reader::Reader;
use super::writer::Writer;
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress};

const IPV6: u8 = 0x80;
const ORIGIN: u8 = 0x03;

/// Reads one address. Reserved bits are passed over.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<KnownAddress, ChunkError> {
    let flags = reader.u8()?;
    let ip: IpAddr = if flags & IPV6 == 0 {
        reader.array::<4>().map(Ipv4Addr::from)?.into()
    } else {
        reader.array::<16>().map(Ipv6Addr::from)?.into()
    };
    let origin = match flags & ORIGIN {
        0 => AddressOrigin::Unknown,
        1 => AddressOrigin::Reported,
        2 => AddressOrigin::Observed,
        _ => AddressOrigin::Relay,
    };
    // In IPv6 dress an IPv4 address would pass by what is asked of addresses: whether it is the machine's own, or many's.
    Ok(KnownAddress { address: SocketAddr::new(ip.to_canonical(), reader.u16()?), origin })
}

/// Appends one address. An IPv4 address that came in IPv6 dress goes as IPv4, which is what the far end can use.
pub(crate) fn write(known: &KnownAddress, writer: &mut Writer<'_>) {
    let origin = match known.origin {
        AddressOrigin::Unknown => 0,
        AddressOrigin::Reported => 1,
        AddressOrigin::Observed => 2,
        AddressOrigin::Relay => 3,
    };
    match known.address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            writer.u8(origin);
            writer.bytes(&ip.octets());
        }
        IpAddr::V6(ip) => {
            writer.u8(IPV6 | origin);
            writer.bytes(&ip.octets());
        }
    }
    writer.u16(known.address.port());
}

/// How many bytes [`write()`] takes.
pub(crate) fn encoded_length(known: &KnownAddress) -> usize {
    match known.address.ip().to_canonical() {
        IpAddr::V4(_) => 7,
        IpAddr::V6(_) => 19,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(address: &str, origin: AddressOrigin) -> Vec<u8> {
        let known = KnownAddress { address: address.parse().expect("a socket address"), origin };
        let mut out = Vec::new();
        write(&known, &mut Writer::new(&mut out));
        assert_eq!(out.len(), encoded_length(&known));
        out
    }

    /// Conforms: 7016-2.1.5-a, 7016-2.1.5-b, 7016-2.1.1-a
    #[test]
    fn both_families_are_laid_out_as_the_rfc_says() {
        assert_eq!(written("192.0.2.7:1935", AddressOrigin::Observed), [2, 192, 0, 2, 7, 0x07, 0x8f]);
        let six = written("[2001:db8::1]:80", AddressOrigin::Reported);
        assert_eq!(six, [0x81, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80]);
    }

    #[test]
    fn an_ipv4_address_in_ipv6_dress_is_sent_as_ipv4() {
        let plain = written("192.0.2.7:1935", AddressOrigin::Relay);
        assert_eq!(written("[::ffff:192.0.2.7]:1935", AddressOrigin::Relay), plain);
    }

    /// Conforms: 7016-2.1.5-c, 7016-2.1.5-d, 7016-2-b, 7016-2-c
    #[test]
    fn every_origin_is_taken_with_either_family_whatever_the_reserved_bits() {
        let origins =
            [AddressOrigin::Unknown, AddressOrigin::Reported, AddressOrigin::Observed, AddressOrigin::Relay];
        for (number, origin) in origins.into_iter().enumerate() {
            for address in ["192.0.2.7:1935", "[2001:db8::1]:80"] {
                let mut bytes = written(address, origin);
                assert_eq!(bytes[0] & 0x7f, number as u8);
                for reserved in 0..32_u8 {
                    bytes[0] = bytes[0] & 0x83 | reserved << 2;
                    let known = read(&mut Reader::new(&bytes)).expect("an address");
                    assert_eq!((known.address.to_string().as_str(), known.origin), (address, origin));
                }
            }
        }
    }

    #[test]
    fn reserved_bits_are_passed_over() {
        let known = read(&mut Reader::new(&[0x7e, 192, 0, 2, 7, 0, 80])).expect("an address");
        assert_eq!(known.origin, AddressOrigin::Observed);
        assert_eq!(known.address, "192.0.2.7:80".parse().expect("a socket address"));
    }

    #[test]
    fn an_address_cut_short_is_an_error() {
        assert_eq!(read(&mut Reader::new(&[0x80, 192, 0, 2, 7, 0, 80])), Err(ChunkError::Truncated));
    }
}
