//! RTMFP: sessions and flows between two endpoints (RFC 7016), with the cryptography of RFC 7425 §4.
//!
//! An [`Endpoint`] is one program's worth of it. A *session* joins two endpoints, encrypted, whatever their addresses do;
//! in it each end opens *flows* to the other: one-way rows of messages, each with its priority and its order of delivery,
//! and each message with its deadline. The endpoint is a [`Machine`]: it is told what came and what time it is, and asked
//! what it wants; see [`machine`]. With the feature `net`, `driver` runs it on sockets.
//!
//! # An example
//!
//! Ada opens a session to Bob, over a network that is a loop:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//!
//! use tincan::rtmfp::crypto::flash::{Flash, Identity};
//! use tincan::rtmfp::{Endpoint, EndpointConfig, Event, Input, Machine, Output, PathId, PathKind, Received, Route};
//!
//! let endpoint = |seed: u8| {
//!     let profile = Arc::new(Flash::peer(Identity::generate([seed; 32])));
//!     Endpoint::new(EndpointConfig::new(profile, [seed + 1; 32]))
//! };
//! let address = |end: usize| Route { via: PathId(0), address: ([192, 0, 2, end as u8 + 1], 1935).into() };
//! let (ada, bob) = (0, 1);
//! let mut ends = [endpoint(1), endpoint(3)];
//!
//! let now = Instant::now();
//! let his_id = ends[bob].own_peer_id().expect("a certificate of his own");
//! ends[ada].open_session_to_peer(now, his_id, &[address(bob)]);
//!
//! let mut packets = Vec::new();
//! let mut opened = Vec::new();
//! while opened.len() < 2 {
//!     for end in [ada, bob] {
//!         loop {
//!             match ends[end].poll_output(now, &mut packets) {
//!                 Output::Transmit(transmit) => {
//!                     let segment_size = transmit.segment_size;
//!                     let route = address(end);
//!                     let received = Received { route, ecn: None, segment_size, bytes: &mut packets };
//!                     ends[1 - end].handle_input(now, Input::Received(received));
//!                 }
//!                 Output::Compute(job) => ends[end].handle_input(now, Input::Computed(job.run())),
//!                 Output::Event(Event::SessionOpened { peer, proven, .. }) => opened.push((peer, proven)),
//!                 Output::Event(other) => panic!("nothing else happens: {other:?}"),
//!                 Output::Sleep(_until) => break,
//!             }
//!         }
//!     }
//! }
//! assert!(opened.contains(&(his_id, true)), "Ada knows that it is Bob");
//! ```
//!
//! # What can go wrong, and whose doing it is
//!
//! - What the far end sends is never an error here: what cannot be read, does not verify or breaks the rules is dropped and
//!   counted ([`Endpoint::dropped`], [`endpoint::SessionFigures::dropped`]).
//! - Why a session is over, whoever ended it, is told once for each: [`SessionEnd`], in [`Event::SessionEnded`]. A flow that
//!   the far end refuses is told as [`Event::FlowRefused`].
//! - What the program above does wrong comes back at once: [`Misuse`]. Where a call answers nothing, naming a session or a
//!   flow that is no more does nothing: it may have ended a moment ago.
//!
//! No input and no call makes it panic.
//!
#![doc = include_str!("conformance.md")]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]
// Strangers read this without the private items.
#![warn(rustdoc::private_intra_doc_links)]

mod agreement_budget;
mod alarms;
pub(crate) mod allowance;
mod answer_budget;
pub mod chance;
pub(crate) mod counters;
pub mod crypto;
pub mod dialect;
pub mod endpoint;
pub mod error;
pub mod event;
pub(crate) mod flow;
mod known_relays;
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
pub use machine::{Ecn, Input, Job, Machine, Output, PathId, PathKind, Received, Route, Transmit};
pub use peer_id::{NotAPeerId, PeerId};
