//! Pictures and sound: devices, codecs, playout. Knows no network.

pub mod encoded;
pub mod latest;
pub mod picture;
