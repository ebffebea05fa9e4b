//! What tests of the protocol need and nothing that ships may name.

pub mod plain_crypto;
