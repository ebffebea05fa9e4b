//! What is remembered between two starts beyond settings: contacts, what was written, which calls there were.
//!
//! [`record`] is plain data, which the deciders above hand out and take in; [`store`] keeps it in one SQLite file in the
//! data directory; [`keeper`] is the thread that owns the store, so that nobody else waits for a disk. Nothing here knows
//! calls, windows or RTMFP beyond the peer ID.

mod contacts;
mod error;
mod export;
pub mod keeper;
mod lines;
pub mod record;
mod schema;
pub mod store;
#[cfg(test)]
mod test_directory;

pub use error::HistoryError;
