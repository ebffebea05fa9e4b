//! Certificates: options and Markers, of which the part before the first Marker says who one is (RFC 7425 §4.3).

use sha2::{Digest, Sha256};

use super::group::Group;
use crate::rtmfp::PeerId;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::CryptoError;
use crate::rtmfp::wire::option_list::{self, Item};
use crate::rtmfp::wire::reader::Reader;
use crate::rtmfp::wire::writer::Writer;

const HOSTNAME: u64 = 0x00;
const ACCEPTS_ANCILLARY_DATA: u64 = 0x0a;
const EXTRA_RANDOMNESS: u64 = 0x0e;
const EPHEMERAL_GROUP: u64 = 0x15;
const STATIC_KEY: u64 = 0x1d;

/// Keys and groups that are read from one certificate; more are of no use to anybody.
const MOST_KEYS: usize = 16;

/// A certificate, understood.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Certificate<'a> {
    /// The bytes whose hash is the fingerprint.
    canonical: &'a [u8],
    /// The name it answers to (§4.3.3.1).
    pub(super) hostname: Option<&'a [u8]>,
    /// Whether a server's address selects it (§4.3.3.2).
    pub(super) accepts_ancillary_data: bool,
    /// How keys are agreed with its holder.
    pub(super) keys: Keys<'a>,
}

/// How keys are agreed with a certificate's holder.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Keys<'a> {
    /// By these lasting public keys, each in its group (§4.3.3.5).
    Static(Vec<(u64, &'a [u8])>),
    /// By keys made for each session, in these groups (§4.3.3.4). None at all is possible, and of no use.
    Ephemeral(Vec<u64>),
}

impl<'a> Certificate<'a> {
    /// Reads a certificate. Only options before the first Marker count; unknown ones are passed over (§4.3.3).
    ///
    /// # Errors
    /// [`CryptoError::Malformed`], also when it has both static keys and ephemeral groups.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        let mut canonical = None;
        let (mut hostname, mut accepts_ancillary_data) = (None, false);
        let (mut keys, mut groups) = (Vec::new(), Vec::new());
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let before = bytes.len() - reader.remaining();
            match option_list::read_item(&mut reader).map_err(malformed)? {
                Item::Marker => canonical = canonical.or(Some(&bytes[..before])),
                Item::Option { .. } if canonical.is_some() => {}
                Item::Option { kind: HOSTNAME, value } => hostname = hostname.or(Some(value)),
                Item::Option { kind: ACCEPTS_ANCILLARY_DATA, .. } => accepts_ancillary_data = true,
                Item::Option { kind: EPHEMERAL_GROUP, value } if groups.len() < MOST_KEYS => {
                    groups.push(Reader::new(value).vlu().map_err(malformed)?);
                }
                Item::Option { kind: STATIC_KEY, value } if keys.len() < MOST_KEYS => {
                    let mut value = Reader::new(value);
                    keys.push((value.vlu().map_err(malformed)?, value.rest()));
                }
                Item::Option { .. } => {}
            }
        }
        let keys = match (keys.is_empty(), groups.is_empty()) {
            (false, false) => return Err(CryptoError::Malformed),
            (false, true) => Keys::Static(keys),
            (true, _) => Keys::Ephemeral(groups),
        };
        Ok(Self { canonical: canonical.unwrap_or(bytes), hostname, accepts_ancillary_data, keys })
    }

    /// The peer ID: the hash of the canonical section as it was received, its Marker left out (§4.3.2).
    pub(super) fn fingerprint(&self) -> PeerId {
        PeerId(Sha256::digest(self.canonical).into())
    }

    /// The public key in a group, of a certificate with static keys.
    pub(super) fn static_key(&self, group: u64) -> Option<&'a [u8]> {
        match &self.keys {
            Keys::Static(keys) => keys.iter().find(|(id, _)| *id == group).map(|(_, key)| *key),
            Keys::Ephemeral(_) => None,
        }
    }

    /// Whether its holder can agree on keys in a group.
    pub(super) fn supports(&self, group: u64) -> bool {
        match &self.keys {
            Keys::Static(_) => self.static_key(group).is_some(),
            Keys::Ephemeral(groups) => groups.contains(&group),
        }
    }

    /// Whether its holder has a lasting key in a strong group, and so knows how to agree on keys there.
    pub(super) fn has_strong_static_key(&self) -> bool {
        Group::all().any(|group| group.is_strong() && self.static_key(group.id).is_some())
    }

    /// Whether its holder has lasting keys, which is what makes its fingerprint more than a claim (§4.3.4).
    pub(super) fn is_static(&self) -> bool {
        matches!(self.keys, Keys::Static(_))
    }
}

fn malformed<E>(_: E) -> CryptoError {
    CryptoError::Malformed
}

/// The certificate of somebody with one lasting key.
pub(super) fn of_static_key(group: u64, public_key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).number_option(STATIC_KEY, group, public_key);
    bytes
}

/// The certificate of a server that makes new keys for each session; random bytes make it its own.
pub(super) fn of_server(groups: impl Iterator<Item = u64>, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    writer.option(ACCEPTS_ANCILLARY_DATA, &[]);
    groups.for_each(|group| writer.number_option(EPHEMERAL_GROUP, group, &[]));
    writer.option(EXTRA_RANDOMNESS, &chance.bytes::<64>());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7425-4.3.1-a, 7425-4.3.1-b, 7425-4.3.2-a
    #[test]
    fn the_fingerprint_is_of_the_bytes_before_the_first_marker_as_they_came() {
        // The second option's length and type take two bytes each, though one would do.
        let whole = [1, 0x0a, 0x80, 3, 0x80, 0x15, 14, 0, 3, 0x0e, 1, 2, 0];
        let canonical = &whole[..7];
        let with_marker = Certificate::parse(&whole).expect("a certificate");
        let without = Certificate::parse(canonical).expect("a certificate");
        assert_eq!(with_marker.keys, Keys::Ephemeral(vec![14]));
        assert_eq!(with_marker.fingerprint(), without.fingerprint());
        assert_eq!(without.fingerprint().0, <[u8; 32]>::from(Sha256::digest(canonical)));
        let reencoded = Certificate::parse(&[1, 0x0a, 2, 0x15, 14]).expect("a certificate");
        assert_ne!(reencoded.fingerprint(), without.fingerprint());
    }

    /// Conforms: 7425-4.3.3.3-a
    #[test]
    fn extra_randomness_makes_another_fingerprint_only_in_the_canonical_section() {
        let of = |bytes: &[u8]| Certificate::parse(bytes).expect("a certificate").fingerprint();
        let plain = [2, 0x15, 14];
        assert_ne!(of(&[&plain[..], &[4, 0x0e, 1, 2, 3]].concat()), of(&plain));
        assert_ne!(
            of(&[&plain[..], &[4, 0x0e, 1, 2, 3]].concat()),
            of(&[&plain[..], &[4, 0x0e, 1, 2, 4]].concat())
        );
        assert_eq!(of(&[&plain[..], &[0, 4, 0x0e, 1, 2, 3]].concat()), of(&plain));
    }

    /// Conforms: 7425-4.3.3.1-a, 7425-4.3.3.2-a, 7425-4.3.3-a
    #[test]
    fn a_hostname_is_its_bytes_and_what_is_not_known_is_passed_over() {
        let bytes = [2, 0x77, 1, 4, 0x00, b'a', 0xff, b'c', 1, 0x78, 1, 0x0a, 2, 0x15, 14];
        let certificate = Certificate::parse(&bytes).expect("a certificate");
        assert_eq!(certificate.hostname, Some(&[b'a', 0xff, b'c'][..]));
        assert!(certificate.accepts_ancillary_data);
        assert_eq!(certificate.keys, Keys::Ephemeral(vec![14]));
    }

    /// Conforms: 7425-4.3.3.4-a, 7425-4.3.3.5-a, 7425-4.3.3.5-c, 7425-4.3.4-a
    #[test]
    fn groups_and_keys_may_be_several_and_any_certificate_that_can_be_read_counts() {
        let groups =
            Certificate::parse(&[2, 0x15, 14, 3, 0x15, 0x81, 0x02, 2, 0x15, 2]).expect("a certificate");
        assert_eq!(groups.keys, Keys::Ephemeral(vec![14, 130, 2]));
        let keys = Certificate::parse(&[4, 0x1d, 14, 1, 2, 3, 0x1d, 2, 9]).expect("a certificate");
        assert_eq!((keys.static_key(14), keys.static_key(2)), (Some(&[1, 2][..]), Some(&[9][..])));
        assert!(Certificate::parse(&[]).is_ok());
    }

    /// Conforms: 7425-4.3.3.1-c, 7425-4.3.3.4-c, 7425-4.3.3.5-d, 7425-4.3.3.5-e
    #[test]
    fn our_certificates_say_each_thing_once_and_have_keys_or_groups_but_not_both() {
        let kinds = |bytes: &[u8]| -> Vec<u64> {
            let kind = |item| match item {
                Item::Option { kind, .. } => kind,
                Item::Marker => panic!("no marker of ours"),
            };
            option_list::items(bytes).map(|item| kind(item.expect("well formed"))).collect()
        };
        let server = of_server([16, 14, 5, 2].into_iter(), &mut Chance::new([0; 32]));
        assert_eq!(kinds(&server), [ACCEPTS_ANCILLARY_DATA, 0x15, 0x15, 0x15, 0x15, EXTRA_RANDOMNESS]);
        assert_eq!(Certificate::parse(&server).expect("ours").keys, Keys::Ephemeral(vec![16, 14, 5, 2]));
        assert_eq!(kinds(&of_static_key(14, &[7; 256])), [STATIC_KEY]);
    }

    /// Conforms: 7425-3-b, 7425-3-e
    #[test]
    fn a_value_cut_short_spoils_the_whole_certificate() {
        let good = [2, 0x15, 14, 4, 0x00, b'a', b'b', b'c'];
        assert!(Certificate::parse(&good).is_ok());
        for bad in [
            // The group's number goes on beyond its option, which ends in time.
            &[2, 0x15, 0x8e, 4, 0x00, b'a', b'b', b'c'][..],
            &[1, 0x15, 4, 0x00, b'a', b'b', b'c'],
            // The last option goes on beyond the certificate.
            &good[..7],
            &good[..4],
            // A type that goes on beyond its option.
            &[2, 0x15, 14, 1, 0x80],
            &[2, 0x15, 14, 0x80],
        ] {
            assert_eq!(Certificate::parse(bad), Err(CryptoError::Malformed), "{bad:?}");
        }
    }

    /// Conforms: 7425-4.3.3.1-b, 7425-4.3.3.2-b, 7425-4.3.3.4-b, 7425-4.3.3.5-b
    #[test]
    fn what_stands_after_the_marker_has_no_say() {
        let bytes = [2, 0x15, 14, 0, 1, 0x0a, 2, 0x00, b'x', 3, 0x1d, 14, 9, 2, 0x15, 2];
        let certificate = Certificate::parse(&bytes).expect("a certificate");
        assert_eq!(certificate.keys, Keys::Ephemeral(vec![14]));
        assert!(!certificate.accepts_ancillary_data);
        assert_eq!(certificate.hostname, None);
    }

    #[test]
    fn a_certificate_with_both_kinds_of_key_is_malformed() {
        assert_eq!(Certificate::parse(&[2, 0x15, 14, 3, 0x1d, 14, 9]), Err(CryptoError::Malformed));
        assert_eq!(Certificate::parse(&[9, 0x15, 14]), Err(CryptoError::Malformed));
    }

    #[test]
    fn a_servers_certificate_is_laid_out_as_others_do() {
        let bytes = of_server([14].into_iter(), &mut Chance::new([0; 32]));
        assert_eq!(bytes[..7], [1, 0x0a, 2, 0x15, 14, 0x41, 0x0e]);
        assert_eq!(bytes.len(), 71);
    }

    #[test]
    fn a_static_certificate_is_its_key() {
        let bytes = of_static_key(14, &[7; 256]);
        assert_eq!(bytes[..4], [0x82, 0x02, 0x1d, 14]);
        let certificate = Certificate::parse(&bytes).expect("a certificate");
        assert!(certificate.is_static() && certificate.supports(14) && !certificate.supports(2));
        assert_eq!(certificate.static_key(14), Some(&[7; 256][..]));
    }
}
