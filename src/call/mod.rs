//! The product's own logic: who is called, who rings, what is heard and seen, and why it ended.

pub mod client_machine;
pub mod command;
mod conversation;
pub mod end_reason;
pub mod event;
pub mod handle;
mod lifecycle;
pub mod link;
mod messages;
mod peer_link;
pub mod random_id;
pub mod rate_control;
mod stream_bridge;
pub mod view;

pub use command::Command;
pub use end_reason::EndReason;
pub use event::Event;
pub use view::ClientView;

pub use crate::media::latest::Latest;
pub use crate::media::picture::Picture;
pub use crate::rtmfp::PeerId;
