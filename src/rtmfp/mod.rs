//! RTMFP: sessions and flows between two endpoints (RFC 7016), with the cryptography of RFC 7425 §4.
//!
#![doc = include_str!("conformance.md")]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod agreement_budget;
mod alarms;
mod allowance;
mod answer_budget;
pub mod chance;
pub(crate) mod counters;
pub mod crypto;
pub mod dialect;
pub mod endpoint;
pub mod error;
pub mod event;
pub(crate) mod flow;
pub(crate) mod limits;
pub mod machine;
pub mod network;
mod options;
mod peer_id;
#[cfg(test)]
mod recorded;
mod redacted;
pub(crate) mod session;
mod session_table;
pub mod testing;
mod wire;

pub use endpoint::{Endpoint, EndpointConfig, FlowOptions, WriteOptions};
pub use error::{Misuse, SessionEnd};
pub use event::Event;
pub use machine::{Ecn, Input, Job, Machine, Output, PathId, Received, Route, Transmit};
pub use peer_id::{NotAPeerId, PeerId};
