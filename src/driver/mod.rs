//! The only sockets: one task that owns them all and drives one [`Machine`](crate::rtmfp::Machine).
//!
//! Most programs want [`run`]: it runs a machine that is asked by closures and answered on the spot ([`Running`]). Below it
//! is [`spawn`], for a machine with commands of its own: it binds, then waits for one of datagrams, deadline, command and
//! finished job; each becomes one input, and the machine is drained before the next. Nothing is decided here: a socket's
//! error is counted, never fatal, since the engine's timers already deal with loss; a socket that fails for good is bound
//! anew. [`Paths`] opens further sockets, and ports that others lend, while it all runs. Read on in `run_loop` for the loop and
//! in [`handle`] for the face of it.

#![warn(rustdoc::private_intra_doc_links)]

mod counters;
mod error;
pub mod handle;
pub mod interfaces;
mod mark;
mod paths;
#[cfg(feature = "updates")]
pub mod release_feed;
mod run_loop;
mod running;
#[cfg(feature = "turn")]
pub mod turn;
mod udp_socket;

pub use counters::Counters;
pub use error::DriverError;
pub use handle::{Driver, Full, spawn};
pub use paths::{LentPath, Packet, Paths};
pub use running::{Running, Stopped, look_up, random_seed, run};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::rtmfp::machine::PathKind;

/// What a driver binds, and how much it lets wait.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DriverConfig {
    /// A socket for each: the first is path 0, and so on. Port 0 takes any free port. IPv6 sockets take IPv6 only, so
    /// `0.0.0.0:1935` and `[::]:1935` stand side by side.
    pub listen: Vec<SocketAddr>,
    /// Further sockets, and what they are for. Their paths follow those of `listen`; each that cannot be had is passed over.
    pub extra: Vec<(SocketAddr, PathKind)>,
    /// Whether an address that another program holds is an error. Otherwise it is shared with programs that share it too.
    pub exclusive: bool,
    /// Commands that may wait before [`Driver::try_command`] refuses.
    pub command_queue: usize,
    /// Jobs computed at once on other threads; further ones wait.
    pub jobs_at_once: usize,
    /// The system's receive buffer of each socket, in bytes; the system may give less.
    pub receive_buffer: usize,
    /// Whether an address that cannot be had is no error: any free port of it is taken instead.
    pub any_port_instead: bool,
    /// How long [`Driver::stop`] lets the machine send its goodbyes.
    pub linger: Duration,
}

impl DriverConfig {
    /// The usual settings, on these addresses.
    pub fn new(listen: Vec<SocketAddr>) -> Self {
        Self {
            listen,
            extra: Vec::new(),
            exclusive: true,
            command_queue: 256,
            // More would only take processors from the codecs; a busy server has its cookies to keep the queue short.
            jobs_at_once: std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 8),
            // A quarter of a second of 32 Mbit/s, while the task is away.
            receive_buffer: 1 << 20,
            any_port_instead: false,
            linger: Duration::from_millis(500),
        }
    }

    /// Any free port, on IPv4 and IPv6: what a program that only calls out wants.
    pub fn any_port() -> Self {
        Self::preferred_port(0)
    }

    /// This port on IPv4 and IPv6, or any free one where it cannot be had.
    pub fn preferred_port(port: u16) -> Self {
        let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let new = Self::new(any.map(|address| SocketAddr::new(address, port)).to_vec());
        Self { any_port_instead: true, ..new }
    }
}
