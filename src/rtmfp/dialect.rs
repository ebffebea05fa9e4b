//! What programs of Flash's time do not understand of RTMFP, and how to speak so that they do.

/// How a session is spoken. Chosen when it opens, by the cryptography profile (see [`super::crypto::Profile::dialect`]).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Dialect {
    /// As RFC 7016 says, all of it.
    #[default]
    Rfc,
    /// Only what servers and peers of Flash's time are known to take.
    FlashEra,
}
