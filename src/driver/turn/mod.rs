//! Ports lent by a TURN server (RFC 8656): a way out of networks that let no UDP through, or between two routers that let
//! nobody in. What goes over them is sealed as everywhere; the TURN server sees who talks to whom, and how much.
//!
//! [`borrow_ports`] starts a task that keeps ports lent for as long as its answer lives. The library below
//! (`turn-client-proto`) speaks the protocol; `allocation` decides about it (permissions, channels, what waits for them,
//! whether the server is still there), `frames` cuts a stream into messages, `wire` owns the socket, and `borrowing`
//! tries the servers' URLs, the best first, and again after growing pauses. A lent port is a path of the driver like a
//! socket: the machine neither knows nor minds what carries it.
//!
//! Ports of both families are asked for at once (RFC 8656 §5). coturn up to 4.6 passes over that wish and lends one of IPv4
//! only, whatever addresses it has and by whichever it is asked; so over it, nobody who has IPv6 alone is reached. The
//! relay of a Tincan server leads from one family to the other.

mod allocation;
mod borrowing;
mod frames;
mod url;
mod wire;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use zeroize::Zeroizing;

pub use borrowing::{Borrowed, borrow_ports, try_all};
pub use url::{Carrier, NotATurnServer, TurnUrl};

/// From whom to borrow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TurnConfig {
    /// Where: all are tried, one after the other begins, and the first that lends is taken.
    pub urls: Vec<TurnUrl>,
    /// As whom.
    pub user: String,
    /// And with what.
    pub secret: Secret,
}

/// A password: wiped when dropped, and never shown.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// For those who must know.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(none)" } else { "Secret(…)" })
    }
}

/// How borrowing goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TurnState {
    /// The servers are asked.
    Trying,
    /// Ports are lent.
    Lent {
        /// The addresses by which others reach us: one of each family that the server has.
        relayed: Vec<SocketAddr>,
        /// What carries them.
        carrier: Carrier,
    },
    /// There is none; the servers are asked again after a while.
    Waiting {
        /// Why.
        problem: TurnProblem,
        /// After how long.
        again_in: Duration,
    },
}

/// What came of asking one server over one carrier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tried {
    /// Which server.
    pub url: TurnUrl,
    /// Over what.
    pub carrier: Carrier,
    /// The addresses it lent, one of each family that it has, or why it lent none.
    pub outcome: Result<Vec<SocketAddr>, TurnProblem>,
}

/// Why no port is lent.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum TurnProblem {
    /// The name leads nowhere. Usual cause: a slip of the pen, or no network.
    #[error("the TURN server's name leads nowhere")]
    NoSuchHost,
    /// Nothing comes back. Usual cause: a firewall, or a server that is down.
    #[error("the TURN server does not answer")]
    NoAnswer,
    /// It lent a port, and was not heard of any more.
    #[error("the TURN server went silent")]
    WentSilent,
    /// Something else than TURN answers there, or what it says makes no sense.
    #[error("what answers there is no TURN server")]
    NotTurn,
    /// TLS found no agreement. Usual cause: a certificate that this computer does not trust.
    #[error("the TURN server's certificate is not trusted")]
    Certificate,
    /// It lends nothing, for a reason of its own.
    #[error("the TURN server lends no port (error {0})")]
    Declined(u16),
    /// It has no more to lend, to anybody or to this user.
    #[error("the TURN server has no port left to lend")]
    Full,
    /// User or password is wrong.
    #[error("the TURN server does not know this user and password")]
    WrongCredentials,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let config = TurnConfig { urls: vec![], user: "ada".to_owned(), secret: Secret::new("hush-hush") };
        let shown = format!("{config:?}");
        assert!(shown.contains("ada") && !shown.contains("hush"), "{shown}");
    }
}
