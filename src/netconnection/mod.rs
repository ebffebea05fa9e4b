//! NetConnection and NetStream over RTMFP (RFC 7425 §5): connecting, calling, publishing, playing, peer to peer too.
//!
//! [`Node`] is the whole of it: client, server and peer at once, driven like every engine here
//! ([`crate::rtmfp::machine`]). What it is asked are its methods, what it tells are [`NodeEvent`]s:
//!
//! ```
//! use std::time::Instant;
//!
//! use tincan::netconnection::node::Target;
//! use tincan::netconnection::{Node, NodeEvent};
//!
//! /// A server that lets everybody in and adds numbers; and a peer whose stream everybody may play.
//! fn on_event(node: &mut Node, now: Instant, event: NodeEvent) {
//!     match event {
//!         NodeEvent::ConnectRequested { connection, .. } => node.accept_connection(now, connection, Vec::new()),
//!         NodeEvent::Called { name, arguments, token: Some(token), .. } if name == "add" => {
//!             let sum: f64 = arguments.iter().filter_map(|value| value.as_number()).sum();
//!             node.answer(now, token, Ok(sum.into()));
//!         }
//!         NodeEvent::PeerConnect { subscriber, publication: Some(publication), .. } => {
//!             node.accept_subscriber(now, subscriber, publication);
//!         }
//!         NodeEvent::PlayStarted { subscriber, .. } => {
//!             node.send_data(now, Target::Subscriber(subscriber), "onHello", vec!["to you".into()]);
//!         }
//!         _ => {}
//!     }
//! }
//! ```
//!
//! | to | ask | and wait for |
//! | --- | --- | --- |
//! | connect to a server | [`Node::connect`] | [`NodeEvent::Connected`], [`NodeEvent::Disconnected`] |
//! | call a procedure | [`Node::call`] | [`NodeEvent::Answered`] |
//! | publish or play through a server | [`Node::create_stream`], [`Node::publish`], [`Node::play`] | [`NodeEvent::StreamStatus`], [`NodeEvent::StreamMedia`] |
//! | publish to peers | [`Node::publish_direct`], [`Node::accept_subscriber`] | [`NodeEvent::PeerConnect`], [`NodeEvent::PlayStarted`] |
//! | play from a peer | [`Node::play_direct`] | [`NodeEvent::Media`], [`NodeEvent::Data`], [`NodeEvent::PlaybackEnded`] |
//! | be a server | [`Node::accept_connection`], [`Node::accept_stream`], [`Node::introduce`] | [`NodeEvent::ConnectRequested`], [`NodeEvent::StreamRequested`], [`NodeEvent::HelloForAnother`] |
//!
//! What a far end sends is never an error: what cannot be read is passed over. Each connection, call, stream and playback
//! ends in one event that says why. Naming one that is no more does nothing, as it may have ended a moment ago; what is
//! sent to nobody, or does not fit any more, is dropped, and media that is dropped is told
//! ([`NodeEvent::MediaAbandoned`]).
//!
//! # For who changes it
//!
//! The parts of a node: `media_reports` (how media fare), `connection` (and `accepted_connection`, the
//! server's end), `call`, `stream` (through a server), `peer_stream` and `playback` (direct), `ways` (other ways than a
//! session takes). What they send stands in
//! `message`, `command`, `user_control` and `flow_metadata`; [`media_tag`] is what is inside sound and picture messages.
//!
#![doc = include_str!("conformance.md")]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]
// Strangers read this without the private items.
#![warn(rustdoc::private_intra_doc_links)]

mod accepted_connection;
mod alarm;
mod call;
mod command;
mod connection;
mod event;
mod farewell;
mod flow_metadata;
mod flow_sync;
pub mod fuzzing;
mod ids;
mod liveness;
mod media_reports;
pub mod media_tag;
mod message;
pub mod node;
mod outlet;
mod peer_info;
mod peer_stream;
mod playback;
mod served_stream;
mod session;
pub mod status;
mod stream;
pub mod uri;
mod user_control;
pub mod user_name;
mod ways;

pub use connection::{tries_relays_last, wants_relay_only};
pub use node::{Node, NodeEvent};
pub use status::StatusCode;
pub use uri::{NotAUri, Uri};
pub use user_name::{NameError, UserName, is_invisible};
