//! What is remembered between two starts beyond settings: contacts, what was written, which calls there were.
//!
//! [`record`] is plain data, which the deciders above hand out and take in; the store keeps it in one SQLite file in the
//! data directory. Nothing here knows calls, windows or RTMFP beyond the peer ID.

pub mod record;
