//! What tests of the protocol, here and elsewhere, lean on. The program itself never names it.

pub mod fuzzing;
pub mod plain_crypto;
