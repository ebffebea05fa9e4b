//! Tincan: video calls between two people, straight from one computer to the other, over RTMFP.
//!
//! # The map
//!
//! ```text
//!  5   main.rs, cli/                                        wiring, no decisions
//!  4   ui                                                   state in, actions out
//!  3   call                   rendezvous                    decide; own their workers
//!  2   driver (all sockets)   netconnection   media (all devices)   settings   history
//!  1   rtmfp (RFC 7016, crypto of RFC 7425)   amf           bytes + time in, bytes + events out
//! ```
//!
//! An import only points down; neighbours on one line do not know each other; [`ui`] sees [`call`] and [`settings`] only.
//! `tests/architecture.rs` checks it.
//!
//! # Where to start
//!
//! 1. [`rtmfp::machine`]: how every engine here is driven: bytes and time in, bytes and events out.
//! 2. [`rtmfp`]: sessions and flows. 3. [`netconnection`]: NetConnection and NetStream on top of them.
//! 4. [`call`]: what a call is. 5. [`ui`]: what a person sees of it.
//!
//! # Features
//!
//! Without any feature the package is the protocol as a library: [`amf`], [`rtmfp`], [`netconnection`].
//! `net` adds [`driver`] and [`settings`], `server` adds [`rendezvous`], `history` adds [`history`], `media` adds [`media`] and [`call`],
//! `gui` adds [`ui`], and `cli` the program.

pub mod amf;
pub mod netconnection;
pub mod rtmfp;

#[cfg(feature = "net")]
pub mod driver;
#[cfg(feature = "net")]
pub mod settings;

// Without a socket or a clock, so it is there for tests of the protocol too; only its `server` needs `net`.
pub mod rendezvous;

#[cfg(feature = "media")]
pub mod call;
#[cfg(feature = "history")]
pub mod history;
#[cfg(feature = "media")]
pub mod media;

#[cfg(feature = "gui")]
pub mod ui;
