//! What programs of Flash's time do not understand of RTMFP, and how to speak so that they do.
//!
//! Servers and peers that follow Flash Player rather than the RFCs know only Diffie-Hellman group 2, and no HMAC. A session
//! with one of them departs from RFC 7016 where it must, and nowhere else:
//!
//! - every packet has a timestamp (§3.5.2.2 leaves out one that says nothing new); an endpoint that speaks so to anybody
//!   has one in its startup packets too, since it cannot know who will read them;
//! - datagrams have at most 1192 bytes, and the path's limit is not looked for: probes would go unanswered;
//! - acknowledgements are Range Acks, and a window is never nothing, not even of a suspended flow (§3.6.3.5); nobody is
//!   asked with a Buffer Probe whether there is room again;
//! - such programs look at no forward sequence number: each given-up fragment goes out as an empty chunk until it is
//!   acknowledged (§3.6.2.3 drops most), and not before all fragments below it are acknowledged or given up;
//! - a flow ends with an empty, abandoned fragment of its own, after all others;
//! - a Ping is answered with an empty Ping Reply, so an address change is believed after any reply from where the ping
//!   went, within seconds (§3.5.4.2 wants the ping's own message back): with a checksum for a seal nothing better is to
//!   be had;
//! - no chunk goes out that the RFC does not define.

/// How a session is spoken. Chosen when it opens, by the cryptography profile (see [`super::crypto::Profile::dialect`]).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Dialect {
    /// As RFC 7016 says, all of it.
    #[default]
    Rfc,
    /// Only what servers and peers of Flash's time are known to take.
    FlashEra,
}
