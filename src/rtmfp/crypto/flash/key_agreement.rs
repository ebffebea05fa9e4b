//! From two key components to keys (RFC 7425 §4.5, §4.6).
//!
//! What HMAC and sequence numbers come to is for [`negotiation`] to say.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::group::{Exponent, Group};
use super::identity::Identity;
use super::negotiation::{self, Agreed, Direction, Terms, Verification};
use super::packet_cipher::{FlashCipher, Guard, Sealing};
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::{CryptoError, Initiation, PendingKeys, Response, SessionKeys, Work};
use crate::rtmfp::wire::option_list::{self, Item};
use crate::rtmfp::wire::reader::Reader;
use crate::rtmfp::wire::writer::Writer;

const EPHEMERAL_KEY: u64 = 0x0d;
const EXTRA_RANDOMNESS: u64 = 0x0e;
const GROUP_SELECT: u64 = 0x1d;

/// Random bytes that make keys new although the Diffie-Hellman keys are not (§4.5.2.2).
type Salt = [u8; 64];

/// This end's part in every agreement.
#[derive(Clone)]
pub(super) struct Near {
    pub(super) key: OwnKey,
    pub(super) verification: Verification,
}

impl Near {
    /// What this end asks of the holder of a certificate. A static key in a strong group shows that its holder can do
    /// better than Flash-era programs, so nobody gets less by pretending that it cannot.
    pub(super) fn verification_of(&self, far: &Certificate<'_>) -> Verification {
        if far.has_strong_static_key() { Verification::Required } else { self.verification }
    }

    /// Whether keys may be agreed on in `group` with the holder of a certificate: both have it, and it is not a weak one
    /// while the far end has a strong static key.
    fn takes(&self, group: &Group, far: &Certificate<'_>) -> bool {
        let own = match &self.key {
            OwnKey::Static(identity) => identity.group.id == group.id,
            OwnKey::Ephemeral(groups) => groups.contains(&group.id),
        };
        own && far.supports(group.id) && (group.is_strong() || !far.has_strong_static_key())
    }
}

/// This end's key: its lasting one, or one made for the session.
#[derive(Clone)]
pub(super) enum OwnKey {
    /// From the certificate.
    Static(Arc<Identity>),
    /// Made for each session, in one of these groups.
    Ephemeral(Vec<u64>),
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
    terms: Terms,
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
                _ => {
                    component.terms.read(kind, &mut value)?;
                    false
                }
            };
            if twice {
                return Err(CryptoError::Malformed);
            }
        }
        Ok(component)
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

/// First half of an initiator's agreement: chooses the group, the strongest that both ends have (§4.6.1).
pub(super) fn initiate(near: Near, far_certificate: Vec<u8>, seed: [u8; 32]) -> Work<Initiation> {
    Box::new(move || {
        let certificate = Certificate::parse(&far_certificate)?;
        let group =
            Group::all().find(|group| near.takes(group, &certificate)).ok_or(CryptoError::NoCommonGround)?;
        let verification = near.verification_of(&certificate);
        let terms = Terms::of_initiator(verification);
        let mut chance = Chance::new(seed);
        let mut component = Vec::new();
        let mut writer = Writer::new(&mut component);
        let private_key = match near.key {
            OwnKey::Static(identity) => {
                writer.number_option(GROUP_SELECT, group.id, &[]);
                writer.option(EXTRA_RANDOMNESS, &chance.bytes::<{ size_of::<Salt>() }>());
                PrivateKey::Static(identity)
            }
            OwnKey::Ephemeral(_) => {
                let (exponent, public_key) = new_key_pair(group, verification, &mut chance);
                writer.number_option(EPHEMERAL_KEY, group.id, &public_key);
                PrivateKey::Ephemeral(exponent)
            }
        };
        terms.write(&mut writer);
        let half_way = HalfWay {
            group,
            private_key,
            verification,
            terms,
            far_certificate,
            component: component.clone(),
        };
        Ok(Initiation { component, pending: Box::new(Pending(Arc::new(half_way))) })
    })
}

/// An initiator between its two halves.
struct HalfWay {
    group: &'static Group,
    private_key: PrivateKey,
    verification: Verification,
    terms: Terms,
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
            let agreed = negotiation::agree(&half_way.terms, &far.terms, half_way.verification)?;
            let public_key = far.far_public_key(&certificate, half_way.group)?;
            let secret = half_way.group.shared_secret(public_key, half_way.private_key.exponent())?;
            session_keys(half_way.group, &secret, &half_way.component, &far_component, agreed)
        })
    }
}

/// A responder's whole agreement, in the group that the initiator chose.
pub(super) fn respond(
    near: Near,
    initiator_certificate: Vec<u8>,
    initiator_component: Vec<u8>,
    seed: [u8; 32],
) -> Work<Response> {
    Box::new(move || {
        let certificate = Certificate::parse(&initiator_certificate)?;
        let far = Component::parse(&initiator_component)?;
        let verification = near.verification_of(&certificate);
        let terms = Terms::of_responder(verification, &far.terms);
        let agreed = negotiation::agree(&terms, &far.terms, verification)?;
        let chosen = if certificate.is_static() { far.group } else { far.ephemeral.map(|(group, _)| group) };
        let group = Group::find(chosen.ok_or(CryptoError::Malformed)?)
            .filter(|group| near.takes(group, &certificate))
            .ok_or(CryptoError::NoCommonGround)?;
        let far_public_key = far.far_public_key(&certificate, group)?;
        // Before a key of our own is made for it.
        group.check(far_public_key)?;
        let mut chance = Chance::new(seed);
        let mut component = Vec::new();
        let mut writer = Writer::new(&mut component);
        terms.write(&mut writer);
        let private_key = match near.key {
            OwnKey::Static(identity) => {
                writer.option(EXTRA_RANDOMNESS, &chance.bytes::<{ size_of::<Salt>() }>());
                PrivateKey::Static(identity)
            }
            OwnKey::Ephemeral(_) => {
                let (exponent, public_key) = new_key_pair(group, verification, &mut chance);
                writer.number_option(EPHEMERAL_KEY, group.id, &public_key);
                PrivateKey::Ephemeral(exponent)
            }
        };
        let secret = group.shared_secret(far_public_key, private_key.exponent())?;
        let keys = session_keys(group, &secret, &component, &initiator_component, agreed)?;
        Ok(Response { component, keys })
    })
}

/// A key pair for one session. Flash-era ends expect the public key to be as long as the group's prime.
fn new_key_pair(group: &Group, verification: Verification, chance: &mut Chance) -> (Exponent, Vec<u8>) {
    match verification {
        Verification::Required => group.key_pair(chance),
        Verification::OnRequest => group.full_length_key_pair(chance),
    }
}

/// Keys and nonces from the shared secret and both components, as they were on the wire (§4.6.3-§4.6.5).
fn session_keys(
    group: &Group,
    secret: &[u8],
    near: &[u8],
    far: &[u8],
    agreed: Agreed,
) -> Result<SessionKeys, CryptoError> {
    // Our own component sent back would make both directions' keys the same.
    if near == far {
        return Err(CryptoError::Malformed);
    }
    let keys = DerivedKeys::new(secret, near, far);
    let cipher = FlashCipher::of_session(
        group.id,
        sealing(agreed.sent, &keys.encrypt, &keys.hmac_send),
        sealing(agreed.received, &keys.decrypt, &keys.hmac_receive),
    );
    Ok(SessionKeys {
        cipher: Box::new(cipher),
        near_nonce: hmac_sha256(secret, near),
        far_nonce: hmac_sha256(secret, far),
    })
}

fn sealing<'a>(direction: Direction, key: &'a [u8; 32], hmac_key: &[u8; 32]) -> Sealing<'a> {
    let guard = direction.tag_length.map_or(Guard::Checksum, |length| Guard::hmac(hmac_key, length));
    let key = key.first_chunk().expect("32 bytes have a first half");
    Sealing { key, guard, sequence: direction.sequence }
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
