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

    /// Conforms: 7425-4.4.2.2-a, 7425-4.4.2.2-b
    #[test]
    fn an_address_selects_servers_only() {
        let wanted = discriminator_for_url("rtmfp://example.org/x");
        assert_eq!(wanted[..2], [22, 0x0a]);
        assert_eq!(wanted[2..], *b"rtmfp://example.org/x");
        assert!(selects(&wanted, SERVER));
        assert!(!selects(&wanted, PEER));
    }

    /// Conforms: 7425-4.4.2.3-a, 7425-4.4.2.3-b, 7425-4.4.3-c, 7425-4.4.4-a, 7425-4.4.4-b
    #[test]
    fn a_fingerprint_alone_decides() {
        let peer = Certificate::parse(PEER).expect("a certificate").fingerprint();
        let wanted = canonical(peer);
        assert_eq!((wanted.len(), &wanted[..2], &wanted[2..]), (34, &[0x21, 0x0f][..], &peer.0[..]));
        assert_eq!(fingerprint_in(&wanted), Some(peer));
        assert!(selects(&wanted, PEER) && !selects(&wanted, SERVER));
        let url = discriminator_for_url("x");
        assert!(!selects(&[&wanted[..], &url].concat(), SERVER), "the address does not help");
        assert!(selects(&[&url[..], &wanted, &[2, 0x00, b'z']].concat(), PEER), "nor does it hinder");
        assert!(!selects(&wanted[..33], PEER) && !selects(&[&[0x20, 0x0f], &peer.0[..31]].concat(), PEER));
    }

    /// Every combination of what is wanted and what is there, by the figure's own steps.
    ///
    /// Conforms: 7425-4.4.3-a, 7425-4.4.3-d, 7425-4.4.3-e, 7425-4.4.2.1-a, 7425-4.4.1-a
    #[test]
    fn hostname_and_ancillary_data_must_both_fit() {
        let named = [4, 0x00, b'a', b'b', b'c'];
        let other = [4, 0x00, b'a', b'b', b'd'];
        let longer = [5, 0x00, b'a', b'b', b'c', b'd'];
        let url = [2, 0x0a, b'u'];
        let groups = [2, 0x15, 14];
        let certificate = |hostname: bool, accepts: bool| {
            let mut bytes = groups.to_vec();
            bytes.extend_from_slice(if hostname { &named } else { &[] });
            bytes.extend_from_slice(if accepts { &[1, 0x0a] } else { &[] });
            bytes
        };
        for hostname in [false, true] {
            for accepts in [false, true] {
                let certificate = certificate(hostname, accepts);
                assert_eq!(selects(&named, &certificate), hostname);
                assert!(!selects(&other, &certificate) && !selects(&longer, &certificate));
                assert_eq!(selects(&url, &certificate), accepts);
                assert_eq!(selects(&[&named[..], &url].concat(), &certificate), hostname && accepts);
                assert_eq!(selects(&[&url[..], &named].concat(), &certificate), hostname && accepts);
                assert!(!selects(&[&other[..], &url].concat(), &certificate));
            }
        }
    }

    /// Conforms: 7425-4.4.3-b, 7425-4.4.2-a
    #[test]
    fn nothing_wanted_selects_nobody_and_the_unknown_is_passed_over() {
        assert!(!selects(&[], SERVER));
        assert!(!selects(&[2, 0x77, 1], SERVER));
        assert!(selects(&[2, 0x77, 1, 2, 0x0a, b'u', 1, 0x78], SERVER));
        assert!(!selects(&[9, 0x0a], SERVER));
        assert_eq!(fingerprint_in(&[2, 0x0f, 1]), None);
    }

    /// Conforms: 7425-4.4.2.1-b
    #[test]
    fn what_is_wanted_twice_selects_nobody() {
        let named = [4, 0x00, b'a', b'b', b'c'];
        assert!(selects(&named, SERVER) && !selects(&[named, named].concat(), SERVER));
        let url = discriminator_for_url("u");
        assert!(selects(&url, SERVER) && !selects(&[&url[..], &url].concat(), SERVER));
        let peer = canonical(Certificate::parse(PEER).expect("a certificate").fingerprint());
        assert!(selects(&peer, PEER) && !selects(&[&peer[..], &peer].concat(), PEER));
    }
}
