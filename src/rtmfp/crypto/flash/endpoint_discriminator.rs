//! Endpoint discriminators: whom a hello looks for (RFC 7425 §4.4).

use super::certificate::Certificate;
use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::CryptoError;
use crate::rtmfp::wire::option_list::{self, Item};
use crate::rtmfp::wire::writer::Writer;

const REQUIRED_HOSTNAME: u64 = 0x00;
const ANCILLARY_DATA: u64 = 0x0a;
const FINGERPRINT: u64 = 0x0f;

/// The endpoint discriminator that selects the server at `url` (RFC 7425 §4.4.2.2).
pub fn discriminator_for_url(url: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).option(ANCILLARY_DATA, url.as_bytes());
    bytes
}

/// The peer that an endpoint discriminator names by its fingerprint (RFC 7425 §4.4.2.3), if it does.
pub fn fingerprint_in(endpoint_discriminator: &[u8]) -> Option<PeerId> {
    let wanted = Wanted::parse(endpoint_discriminator).ok()?;
    wanted.fingerprint?.try_into().map(PeerId).ok()
}

/// The endpoint discriminator that selects exactly `peer`, in its canonical form (§4.4.4).
pub(super) fn canonical(peer: PeerId) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).option(FINGERPRINT, &peer.0);
    bytes
}

/// Whether `endpoint_discriminator` selects `certificate` (§4.4.3, figure 1).
pub(super) fn selects(endpoint_discriminator: &[u8], certificate: &Certificate<'_>) -> bool {
    let Ok(wanted) = Wanted::parse(endpoint_discriminator) else { return false };
    match wanted {
        Wanted { fingerprint: Some(fingerprint), .. } => certificate.fingerprint().0 == fingerprint,
        Wanted { hostname: None, ancillary: false, .. } => false,
        Wanted { hostname, ancillary, .. } => {
            let named = hostname.is_none() || certificate.hostname == hostname;
            named && (!ancillary || certificate.accepts_ancillary_data)
        }
    }
}

#[derive(Default)]
struct Wanted<'a> {
    hostname: Option<&'a [u8]>,
    ancillary: bool,
    fingerprint: Option<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    /// Unknown options are passed over (§4.4.2). Each known one may occur once; twice is nobody in particular.
    fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        let mut wanted = Self::default();
        for item in option_list::items(bytes) {
            let Item::Option { kind, value } = item.map_err(|_| CryptoError::Malformed)? else { continue };
            let twice = match kind {
                REQUIRED_HOSTNAME => wanted.hostname.replace(value).is_some(),
                ANCILLARY_DATA => std::mem::replace(&mut wanted.ancillary, true),
                FINGERPRINT => wanted.fingerprint.replace(value).is_some(),
                _ => false,
            };
            if twice {
                return Err(CryptoError::Malformed);
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &[u8] = &[1, 0x0a, 4, 0x00, b'a', b'b', b'c', 2, 0x15, 14];
    const PEER: &[u8] = &[2, 0x15, 14];

    fn selects(endpoint_discriminator: &[u8], certificate: &[u8]) -> bool {
        let certificate = Certificate::parse(certificate).expect("a certificate");
        super::selects(endpoint_discriminator, &certificate)
    }

    #[test]
    fn an_address_selects_servers_only() {
        let wanted = discriminator_for_url("rtmfp://example.org/x");
        assert!(selects(&wanted, SERVER));
        assert!(!selects(&wanted, PEER));
    }

    #[test]
    fn a_fingerprint_alone_decides() {
        let peer = Certificate::parse(PEER).expect("a certificate").fingerprint();
        let wanted = canonical(peer);
        assert_eq!((wanted.len(), &wanted[..2]), (34, &[0x21, 0x0f][..]));
        assert_eq!(fingerprint_in(&wanted), Some(peer));
        assert!(selects(&wanted, PEER) && !selects(&wanted, SERVER));
        assert!(!selects(&[&wanted[..], &discriminator_for_url("x")].concat(), SERVER));
    }

    #[test]
    fn hostname_and_ancillary_data_must_both_fit() {
        assert!(selects(&[4, 0x00, b'a', b'b', b'c'], SERVER));
        assert!(!selects(&[4, 0x00, b'a', b'b', b'd', 2, 0x0a, b'u'], SERVER));
        assert!(!selects(&[4, 0x00, b'a', b'b', b'c'], PEER));
    }

    #[test]
    fn nothing_wanted_selects_nobody() {
        assert!(!selects(&[], SERVER));
        assert!(!selects(&[2, 0x77, 1], SERVER));
        assert!(!selects(&[9, 0x0a], SERVER));
        assert_eq!(fingerprint_in(&[2, 0x0f, 1]), None);
    }
}
