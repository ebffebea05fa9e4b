//! Tincan: video calls between two people, straight from one computer to the other, over RTMFP; and RTMFP as a library.
//!
//! # The library
//!
//! Without any feature this package is the protocol alone: [`rtmfp`] is sessions and flows (RFC 7016) with the
//! cryptography of RFC 7425, [`netconnection`] what Flash programs did over them (RFC 7425 §5), [`amf`] the format of their
//! values. None of it has a socket, a thread or a clock: it takes bytes and time, and gives bytes and events
//! ([`rtmfp::machine`]). The feature `net` adds `driver`, which runs it on UDP sockets with tokio.
//!
//! ```toml
//! tincan = { version = "0.1", default-features = false, features = ["net"] }
//! ```
//!
//! A client that connects to a server, calls a procedure there, and prints what comes of it:
//!
#![cfg_attr(feature = "net", doc = "```no_run")]
#![cfg_attr(not(feature = "net"), doc = "```ignore")]
//! use std::sync::Arc;
//!
//! use tincan::driver::{self, DriverConfig};
//! use tincan::netconnection::node::NodeConfig;
//! use tincan::netconnection::{Node, NodeEvent, Uri};
//! use tincan::rtmfp::EndpointConfig;
//! use tincan::rtmfp::crypto::flash::{Flash, Identity};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let uri: Uri = "rtmfp://server.example/app".parse()?;
//! let server = uri.server().ok_or("no server")?;
//!
//! // Who we are: a key pair. Its peer ID is the same as long as the seed is.
//! let profile = Arc::new(Flash::peer(Identity::generate(driver::random_seed()?)));
//! let node = Node::new(NodeConfig::new(EndpointConfig::new(profile, driver::random_seed()?)));
//!
//! let client = driver::run(node, DriverConfig::any_port(), |node, now, event| match event {
//!     NodeEvent::Connected { connection, .. } => {
//!         node.call(now, connection, "add", vec![1.0.into(), 2.0.into()]);
//!     }
//!     NodeEvent::Answered { result, .. } => println!("{result:?}"),
//!     NodeEvent::Disconnected { description, .. } => println!("{description}"),
//!     _ => {}
//! })?;
//! let routes = client.routes(&server.candidates(driver::look_up(server.host()).await?));
//! let url = uri.to_string();
//! client.ask(move |node, now| node.connect(now, &url, &routes, Vec::new())).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Three whole programs stand in `tests/examples`: `client`, `server` (streams through a server) and `peer_to_peer`.
//!
//! # The map
//!
//! ```text
//!  5   main.rs, cli/                                        wiring, no decisions
//!  4   ui                                                   state in, actions out
//!  3   call                   rendezvous                    decide; own their workers
//!  2   driver (all sockets)   netconnection   media (all devices)   settings   history   nearby
//!  1   rtmfp (RFC 7016, crypto of RFC 7425)   amf           bytes + time in, bytes + events out
//! ```
//!
//! An import only points down; neighbours on one line do not know each other; `ui` sees `call` and `settings` only.
//! `tests/architecture.rs` checks it.
//!
//! # Where to start
//!
//! 1. [`rtmfp::machine`]: how every engine here is driven: bytes and time in, bytes and events out.
//! 2. [`rtmfp`]: sessions and flows. 3. [`netconnection`]: NetConnection and NetStream on top of them.
//! 4. `call`: what a call is. 5. `ui`: what a person sees of it.
//!
//! # Features
//!
//! Without any feature the package is the protocol as a library: [`amf`], [`rtmfp`], [`netconnection`], and what a
//! [`rendezvous`] server decides. `net` adds `driver` and `settings`, `server` the rendezvous server's sockets, `nearby` the local network, `history` what
//! is remembered, `media` devices, codecs and calls, `gui` the window, and `cli` the program.

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
#[cfg(feature = "nearby")]
pub mod nearby;

#[cfg(feature = "gui")]
pub mod ui;
