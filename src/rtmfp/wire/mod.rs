//! Packets and chunks as bytes (RFC 7016 §2). Parsers are total functions: they know no session and keep no state.
//!
//! [`packet`] walks a plain packet, [`chunk`] gives each chunk its meaning; everything below them reads and writes
//! elements. Only [`packet_fragment`] remembers anything: the pieces of packets that did not fit the path.

pub(crate) mod acknowledgement;
pub(crate) mod chunk;
pub(crate) mod error;
mod hello_chunks;
mod keying_chunks;
pub(crate) mod option_list;
pub(crate) mod packet;
pub(crate) mod packet_fragment;
pub(crate) mod reader;
pub(crate) mod session_id;
pub(crate) mod socket_address;
pub(crate) mod user_data;
pub(crate) mod vlu;
pub(crate) mod writer;

#[cfg(test)]
mod tests;
