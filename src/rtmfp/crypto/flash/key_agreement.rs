//! From two key components to keys (RFC 7425 §4.5, §4.6).
//!
//! HMAC and sequence numbers are always offered and always required; an end that has less is refused.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::group::{Exponent, Group};
use super::identity::Identity;
use super::packet_cipher::{FlashCipher, Guard};
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::{CryptoError, Initiation, PendingKeys, Response, SessionKeys, Work};
use crate::rtmfp::wire::option_list::{self, Item};
use crate::rtmfp::wire::reader::Reader;
use crate::rtmfp::wire::writer::Writer;

const EPHEMERAL_KEY: u64 = 0x0d;
const EXTRA_RANDOMNESS: u64 = 0x0e;
const HMAC_NEGOTIATION: u64 = 0x1a;
const GROUP_SELECT: u64 = 0x1d;
const SEQUENCE_NEGOTIATION: u64 = 0x1e;

const SEND_ALWAYS: u8 = 0x04;
const SEND_ON_REQUEST: u8 = 0x02;
const REQUEST: u8 = 0x01;
/// What we say of both HMAC and sequence numbers: we send them, and want them.
const OFFER: u8 = SEND_ALWAYS | SEND_ON_REQUEST | REQUEST;
/// Bytes of the tags we send, and the fewest we take.
const TAG_LENGTH: u8 = 16;
const LONGEST_TAG: u64 = 32;

/// Random bytes that make keys new although the Diffie-Hellman keys are not (§4.5.2.2).
type Salt = [u8; 64];

/// This end's part in an agreement: its lasting key, or one made for the session.
pub(super) enum OwnKey {
    /// From the certificate.
    Static(Arc<Identity>),
    /// Made for each session.
    Ephemeral,
}

impl OwnKey {
    /// Whether we can agree on keys in this group.
    fn supports(&self, group: &Group) -> bool {
        match self {
            Self::Static(identity) => identity.group.id == group.id,
            Self::Ephemeral => true,
        }
    }
}

impl Clone for OwnKey {
    fn clone(&self) -> Self {
        match self {
            Self::Static(identity) => Self::Static(Arc::clone(identity)),
            Self::Ephemeral => Self::Ephemeral,
        }
    }
}

/// The private half of an agreement under way.
enum PrivateKey {
    Static(Arc<Identity>),
    Ephemeral(Exponent),
}

impl PrivateKey {
    fn exponent(&self) -> &Exponent {
        match self {
            Self::Static(identity) => &identity.exponent,
            Self::Ephemeral(exponent) => exponent,
        }
    }
}

/// A key component, understood (§4.5.2).
#[derive(Default)]
struct Component<'a> {
    ephemeral: Option<(u64, &'a [u8])>,
    group: Option<u64>,
    hmac_flags: u8,
    hmac_length: u64,
    sequence_flags: u8,
}

impl<'a> Component<'a> {
    /// Unknown options are passed over, and a missing negotiation offers nothing.
    fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        let mut component = Self::default();
        for item in option_list::items(bytes) {
            let Item::Option { kind, value } = item.map_err(malformed)? else { continue };
            let mut value = Reader::new(value);
            let twice = match kind {
                EPHEMERAL_KEY => {
                    let group = value.vlu().map_err(malformed)?;
                    component.ephemeral.replace((group, value.rest())).is_some()
                }
                GROUP_SELECT => component.group.replace(value.vlu().map_err(malformed)?).is_some(),
                HMAC_NEGOTIATION => {
                    component.hmac_flags = value.u8().map_err(malformed)?;
                    component.hmac_length = value.vlu().map_err(malformed)?;
                    false
                }
                SEQUENCE_NEGOTIATION => {
                    component.sequence_flags = value.u8().map_err(malformed)?;
                    false
                }
                _ => false,
            };
            if twice {
                return Err(CryptoError::Malformed);
            }
        }
        Ok(component)
    }

    /// The length of the tags the far end will send, if it will send both tags and sequence numbers, as we ask it to
    /// (§4.6.4, §4.6.6).
    fn far_tag_length(&self) -> Result<usize, CryptoError> {
        let sends = |flags| flags & (SEND_ALWAYS | SEND_ON_REQUEST) != 0;
        if !sends(self.hmac_flags) || !sends(self.sequence_flags) || self.hmac_length < TAG_LENGTH.into() {
            return Err(CryptoError::NoCommonGround);
        }
        if self.hmac_length > LONGEST_TAG {
            return Err(CryptoError::Malformed);
        }
        Ok(self.hmac_length as usize)
    }

    /// The far end's public key in `group`: from its certificate if it has lasting keys, else from here (§4.6.1).
    fn far_public_key(&self, certificate: &Certificate<'a>, group: &Group) -> Result<&'a [u8], CryptoError> {
        match (certificate.is_static(), self.ephemeral) {
            (true, None) => certificate.static_key(group.id).ok_or(CryptoError::NoCommonGround),
            (false, Some((id, key))) if id == group.id => Ok(key),
            (false, Some(_)) => Err(CryptoError::NoCommonGround),
            // §4.5.2.1: never with a lasting key, always without one.
            (true, Some(_)) | (false, None) => Err(CryptoError::Malformed),
        }
    }
}

fn malformed<E>(_: E) -> CryptoError {
    CryptoError::Malformed
}

fn write_offer(writer: &mut Writer<'_>, kind: u64) {
    match kind {
        HMAC_NEGOTIATION => writer.option(HMAC_NEGOTIATION, &[OFFER, TAG_LENGTH]),
        _ => writer.option(SEQUENCE_NEGOTIATION, &[OFFER]),
    }
}

/// First half of an initiator's agreement: chooses the group, the strongest that both ends have (§4.6.1).
pub(super) fn initiate(own: OwnKey, far_certificate: Vec<u8>, seed: [u8; 32]) -> Work<Initiation> {
    Box::new(move || {
        let certificate = Certificate::parse(&far_certificate)?;
        let group = Group::all()
            .find(|group| own.supports(group) && certificate.supports(group.id))
            .ok_or(CryptoError::NoCommonGround)?;
        let mut chance = Chance::new(seed);
        let mut component = Vec::new();
        let mut writer = Writer::new(&mut component);
        let private_key = match own {
            OwnKey::Static(identity) => {
                writer.number_option(GROUP_SELECT, group.id, &[]);
                writer.option(EXTRA_RANDOMNESS, &chance.bytes::<{ size_of::<Salt>() }>());
                PrivateKey::Static(identity)
            }
            OwnKey::Ephemeral => {
                let (exponent, public_key) = group.key_pair(&mut chance);
                writer.number_option(EPHEMERAL_KEY, group.id, &public_key);
                PrivateKey::Ephemeral(exponent)
            }
        };
        write_offer(&mut writer, HMAC_NEGOTIATION);
        write_offer(&mut writer, SEQUENCE_NEGOTIATION);
        let pending =
            Pending(Arc::new(HalfWay { group, private_key, far_certificate, component: component.clone() }));
        Ok(Initiation { component, pending: Box::new(pending) })
    })
}

/// An initiator between its two halves.
struct HalfWay {
    group: &'static Group,
    private_key: PrivateKey,
    far_certificate: Vec<u8>,
    component: Vec<u8>,
}

struct Pending(Arc<HalfWay>);

impl PendingKeys for Pending {
    fn finish(&self, responder_component: &[u8]) -> Work<SessionKeys> {
        let half_way = Arc::clone(&self.0);
        let far_component = responder_component.to_vec();
        Box::new(move || {
            let certificate = Certificate::parse(&half_way.far_certificate)?;
            let far = Component::parse(&far_component)?;
            let tag_length = far.far_tag_length()?;
            let public_key = far.far_public_key(&certificate, half_way.group)?;
            let secret = half_way.group.shared_secret(public_key, half_way.private_key.exponent())?;
            session_keys(&secret, &half_way.component, &far_component, tag_length)
        })
    }
}

/// A responder's whole agreement, in the group that the initiator chose.
pub(super) fn respond(
    own: OwnKey,
    initiator_certificate: Vec<u8>,
    initiator_component: Vec<u8>,
    seed: [u8; 32],
) -> Work<Response> {
    Box::new(move || {
        let certificate = Certificate::parse(&initiator_certificate)?;
        let far = Component::parse(&initiator_component)?;
        let tag_length = far.far_tag_length()?;
        let chosen = if certificate.is_static() { far.group } else { far.ephemeral.map(|(group, _)| group) };
        let group = Group::find(chosen.ok_or(CryptoError::Malformed)?)
            .filter(|group| own.supports(group))
            .ok_or(CryptoError::NoCommonGround)?;
        let far_public_key = far.far_public_key(&certificate, group)?;
        let mut chance = Chance::new(seed);
        let mut component = Vec::new();
        let mut writer = Writer::new(&mut component);
        write_offer(&mut writer, SEQUENCE_NEGOTIATION);
        write_offer(&mut writer, HMAC_NEGOTIATION);
        let private_key = match own {
            OwnKey::Static(identity) => {
                writer.option(EXTRA_RANDOMNESS, &chance.bytes::<{ size_of::<Salt>() }>());
                PrivateKey::Static(identity)
            }
            OwnKey::Ephemeral => {
                let (exponent, public_key) = group.key_pair(&mut chance);
                writer.number_option(EPHEMERAL_KEY, group.id, &public_key);
                PrivateKey::Ephemeral(exponent)
            }
        };
        let secret = group.shared_secret(far_public_key, private_key.exponent())?;
        let keys = session_keys(&secret, &component, &initiator_component, tag_length)?;
        Ok(Response { component, keys })
    })
}

/// Keys and nonces from the shared secret and both components, as they were on the wire (§4.6.3-§4.6.5).
fn session_keys(
    secret: &[u8],
    near: &[u8],
    far: &[u8],
    far_tag_length: usize,
) -> Result<SessionKeys, CryptoError> {
    // Our own component sent back would make both directions' keys the same.
    if near == far {
        return Err(CryptoError::Malformed);
    }
    let keys = DerivedKeys::new(secret, near, far);
    let cipher = FlashCipher::of_session(
        keys.encrypt.first_chunk().expect("32 bytes have a first half"),
        keys.decrypt.first_chunk().expect("32 bytes have a first half"),
        Guard::hmac(&keys.hmac_send, TAG_LENGTH.into()),
        Guard::hmac(&keys.hmac_receive, far_tag_length),
    );
    Ok(SessionKeys {
        cipher: Box::new(cipher),
        near_nonce: hmac_sha256(secret, near),
        far_nonce: hmac_sha256(secret, far),
    })
}

struct DerivedKeys {
    encrypt: Zeroizing<[u8; 32]>,
    decrypt: Zeroizing<[u8; 32]>,
    hmac_send: Zeroizing<[u8; 32]>,
    hmac_receive: Zeroizing<[u8; 32]>,
}

impl DerivedKeys {
    fn new(secret: &[u8], near: &[u8], far: &[u8]) -> Self {
        let encrypt = Zeroizing::new(hmac_sha256(secret, &hmac_sha256(far, near)));
        let decrypt = Zeroizing::new(hmac_sha256(secret, &hmac_sha256(near, far)));
        let hmac_send = Zeroizing::new(hmac_sha256(secret, &*encrypt));
        let hmac_receive = Zeroizing::new(hmac_sha256(secret, &*decrypt));
        Self { encrypt, decrypt, hmac_send, hmac_receive }
    }
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
