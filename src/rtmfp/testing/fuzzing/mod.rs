//! Hostile bytes, for fuzzers and for tests: each entry takes any bytes at all, and panics when something does not hold
//! that must.
//!
//! [`wire()`] is every parser on its own, [`session()`] two endpoints and somebody between them, or one of them, who means
//! harm. In [`script`] is how bytes become decisions.

mod forgery;
pub mod script;
mod session;
mod wire;

pub use session::session;
pub use wire::wire;
