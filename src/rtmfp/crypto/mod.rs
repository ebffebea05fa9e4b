//! What a cryptography profile must do (RFC 7016 §5): who one is, how keys are agreed, how packets are sealed.
//!
//! Sessions never look inside: certificates, key components and endpoint discriminators are opaque bytes to them.
//! [`flash`] is the profile of RFC 7425 §4.

pub mod flash;

use std::fmt;

use super::PeerId;
use super::dialect::Dialect;

/// Heavy work that ends in a `T`; it may run on another thread (see [`super::machine::Output::Compute`]).
pub type Work<T> = Box<dyn FnOnce() -> Result<T, CryptoError> + Send>;

/// Why a certificate, a key component or a sealed packet is refused. The sender gets no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CryptoError {
    /// Not encoded as the profile says.
    #[error("malformed certificate or key component")]
    Malformed,
    /// The two ends share no group, or one requires what the other lacks.
    #[error("nothing both ends accept")]
    NoCommonGround,
    /// A public key outside the rules (RFC 7425 §4.6.2).
    #[error("unacceptable public key")]
    WeakKey,
    /// The packet is not sealed with these keys, or was changed on the way.
    #[error("packet does not verify")]
    Forged,
    /// The packet came before, or too late to tell.
    #[error("packet is a repetition")]
    Replayed,
}

/// This end's identity and its ways of agreeing on keys.
///
/// Everything random comes from the `seed` the caller passes, so that tests repeat.
pub trait Profile: Send + Sync {
    /// This end's certificate (RFC 7016 §2.3.4, §3.2).
    fn certificate(&self) -> &[u8];

    /// The identity of the holder of `certificate`: its fingerprint. Errors when the certificate is malformed.
    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError>;

    /// Whether the holder of `certificate` agrees on keys with a lasting key, so that an open session proves it is who
    /// [`Self::identify`] says. Without one a fingerprint is only a claim (RFC 7425 §4.3.4).
    fn is_static(&self, certificate: &[u8]) -> bool;

    /// How a session with the holder of `certificate` is spoken.
    fn dialect(&self, _certificate: &[u8]) -> Dialect {
        Dialect::Rfc
    }

    /// Whether this end has sessions that are spoken so, so that strangers must be greeted so too.
    fn speaks(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Rfc
    }

    /// Whether this end is the one that `endpoint_discriminator` selects (RFC 7425 §4.4.3).
    fn selected_by(&self, endpoint_discriminator: &[u8]) -> bool;

    /// Whether `certificate` is one that `endpoint_discriminator` selects: an initiator's check of who answered.
    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool;

    /// The endpoint discriminator that selects exactly `peer` (RFC 7425 §4.4.4, canonical form).
    fn discriminator_of(&self, peer: PeerId) -> Vec<u8>;

    /// Whether this end's certificate wins over `far_certificate` when both dial at once (RFC 7016 §3.5.1.3, RFC 7425 §4.3.6).
    fn near_prevails(&self, far_certificate: &[u8]) -> bool;

    /// The startup cipher, with the profile's default key (RFC 7425 §4.1), for session ID 0 and for RIKeying.
    fn default_cipher(&self) -> Box<dyn PacketCipher>;

    /// First half of an initiator's key agreement with the holder of `far_certificate`.
    fn initiate(&self, far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation>;

    /// Whether [`Self::initiate`] is next to no work: whoever has a lasting key computes nothing before the answer comes.
    fn initiates_at_once(&self) -> bool {
        false
    }

    /// A responder's whole key agreement: its own key component, and the keys.
    fn respond(
        &self,
        initiator_certificate: &[u8],
        initiator_component: &[u8],
        seed: [u8; 32],
    ) -> Work<Response>;

    /// The signature over an IIKeying's or RIKeying's signed parameters.
    fn sign(&self, signed_parameters: &[u8]) -> Vec<u8>;

    /// Whether `signature` is one that the holder of `certificate` would make.
    fn verify(&self, certificate: &[u8], signed_parameters: &[u8], signature: &[u8]) -> bool;
}

/// An initiator half-way: its Session Key Initiator Component, and what finishes when the answer comes.
pub struct Initiation {
    /// The bytes for IIKeying.
    pub component: Vec<u8>,
    /// Takes the responder's component.
    pub pending: Box<dyn PendingKeys>,
}

/// An initiator's private part of an agreement under way. It can be finished more than once, since an answer may be forged.
pub trait PendingKeys: Send + Sync {
    /// Finishes with the Session Key Responder Component.
    fn finish(&self, responder_component: &[u8]) -> Work<SessionKeys>;
}

/// What a responder gets.
pub struct Response {
    /// The Session Key Responder Component for RIKeying.
    pub component: Vec<u8>,
    /// The keys.
    pub keys: SessionKeys,
}

/// What both ends have when keys are agreed.
pub struct SessionKeys {
    /// Seals and opens this session's packets.
    pub cipher: Box<dyn PacketCipher>,
    /// This end's session nonce (RFC 7425 §4.6.5).
    pub near_nonce: [u8; 32],
    /// The far end's session nonce.
    pub far_nonce: [u8; 32],
}

/// Seals and opens packets, and owns all that stands around the plain packet: session ID, sequence number, checksum or tag.
pub trait PacketCipher: Send {
    /// The most plain bytes (packet header and chunks) for a datagram of at most `datagram_size` bytes.
    fn plain_limit(&self, datagram_size: usize) -> usize;

    /// Seals plain packets into whole datagrams, scrambled session ID first (RFC 7016 §2.2.2).
    ///
    /// `plain` holds the packets one after the other, each ending at its offset in `ends`; the datagrams are appended to
    /// `out`, and where each ends to `out_ends`.
    fn seal(
        &mut self,
        far_session_id: u32,
        plain: &[u8],
        ends: &[usize],
        out: &mut Vec<u8>,
        out_ends: &mut Vec<usize>,
    );

    /// Opens one datagram in place, scrambled session ID included, and answers the plain packet (header and chunks;
    /// padding may follow).
    ///
    /// # Errors
    /// [`CryptoError::Forged`] or [`CryptoError::Replayed`]; nothing is changed but the replay window on success.
    fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], CryptoError>;

    /// What the far end's identity and this session are sealed with, for people who ask: "AES-128 · HMAC-128 · group 14".
    fn describe(&self) -> String;
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys")
    }
}
