//! NetConnection and NetStream over RTMFP (RFC 7425 §5): connecting, calling, publishing, playing, peer to peer too.
//!
//! [`Node`] is the whole of it, driven like every engine here. Its parts: `connection` (and `accepted_connection`, the
//! server's end), `call`, `stream` (through a server), `peer_stream` and `playback` (direct). What they send stands in
//! `message`, `command`, `user_control` and `flow_metadata`; [`media_tag`] is what is inside sound and picture messages.
//!
#![doc = include_str!("conformance.md")]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

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

pub use node::{Node, NodeEvent};
pub use status::StatusCode;
pub use uri::{NotAUri, Uri};
pub use user_name::{NameError, UserName, is_invisible};
