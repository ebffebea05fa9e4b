//! NetConnection and NetStream over RTMFP (RFC 7425 §5): connecting, calling, publishing, playing, peer to peer too.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod node;
pub mod status;
pub mod user_name;

pub use node::{Node, NodeEvent};
pub use status::StatusCode;
pub use user_name::{NameError, UserName};
