//! Saying whom a session is wanted with (endpoint discriminators, RFC 7425 §4.4.2).
//!
//! ```text
//! option = length VLU, of what follows | type VLU | value        0A ancillary data (a URL)    0F fingerprint
//! ```

use bytes::Bytes;

use crate::rtmfp::PeerId;

/// Selects any server for this URL (§4.4.2.2).
pub(super) fn for_url(url: &str) -> Bytes {
    let length = url.len() + 1;
    let groups = (1..5).rev().filter(|group| length >> (7 * group) != 0);
    let mut bytes: Vec<u8> = groups.map(|group| (length >> (7 * group) & 0x7f) as u8 | 0x80).collect();
    bytes.extend([(length & 0x7f) as u8, ANCILLARY_DATA]);
    bytes.extend(url.as_bytes());
    bytes.into()
}

/// The peer that a discriminator selects in its canonical form (§4.4.3), if that is what it does.
pub(super) fn peer_of(discriminator: &[u8]) -> Option<PeerId> {
    match discriminator {
        [0x21, FINGERPRINT, id @ ..] => id.try_into().ok().map(PeerId),
        _ => None,
    }
}

const ANCILLARY_DATA: u8 = 0x0a;
const FINGERPRINT: u8 = 0x0f;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_one_option_of_ancillary_data() {
        assert_eq!(&for_url("rtmfp://a/b")[..], b"\x0c\x0artmfp://a/b");
        let long = format!("rtmfp://{}", "x".repeat(200));
        assert_eq!(for_url(&long)[..4], [0x81, 0x51, 0x0a, b'r']);
    }

    #[test]
    fn a_fingerprint_is_read_back_and_nothing_else_is() {
        let bytes = [&[0x21, 0x0f][..], &[7; 32]].concat();
        assert_eq!(peer_of(&bytes), Some(PeerId([7; 32])));
        assert_eq!(peer_of(&bytes[..33]), None);
        assert_eq!(peer_of(&for_url("rtmfp:")), None);
    }
}
