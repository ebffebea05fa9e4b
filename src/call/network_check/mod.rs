//! What kind of network this is, whether calls will work on it, and what to ask of whoever runs it.
//!
//! [`family`] asks a server over one family of addresses, in virtual time if need be: each step of the handshake with its
//! time, where the server sees us, and where another of its ports sees us. [`doer`] does so on real sockets for both
//! families at once, and meanwhile asks the router for a port and the person's TURN server for another, over which it asks
//! the server once more. [`judging`] turns what was found into sentences, and [`report()`] the sentences into a text.
//!
//! The check goes by an identity and a name of its own, made anew each time: whoever is connected as themselves stays so.

pub mod doer;
pub mod family;
pub mod judging;
pub mod report;
mod router_and_turn;
pub(in crate::call) mod signs;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use doer::{Progress, Question, check};
pub use family::{FamilyCheck, Reach};
pub use judging::{Outlook, Sentence, Tone, judge};
pub use report::report;

use super::reach_watch::ReachFound;
use crate::driver::turn::Tried;
use crate::nearby::port_mapping::RouterAnswer;

/// How far a check is that the person asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NetworkCheck {
    /// There is none.
    #[default]
    NotAsked,
    /// It is on its way.
    Running(Progress),
    /// This was found.
    Done(Arc<Findings>),
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The server's name or address, as it was asked for.
    pub host: String,
    /// The addresses behind the name; empty when it leads nowhere.
    pub addresses: Vec<IpAddr>,
    /// How long it took to look up the name.
    pub looked_up: Option<Duration>,
    /// This computer's own addresses that lead anywhere.
    pub own: Vec<IpAddr>,
    /// What came of asking over IPv4; nothing when the server or this computer has no such address.
    pub ipv4: Option<Reach>,
    /// What came of asking over IPv6.
    pub ipv6: Option<Reach>,
    /// The person's address is to be hidden: calls go over relays only.
    pub relay_only: bool,
    /// What the router said when it was asked for a port; nothing when it was not asked.
    pub router: Option<RouterAnswer>,
    /// What came of asking the person's TURN servers, over each carrier.
    pub turn: Vec<Tried>,
    /// What came of asking the server over a port that one of them lent.
    pub over_turn: Option<Reach>,
    /// Other signs of life of the server's computer.
    pub signs: ReachFound,
}

/// What a router between us and the server does, as far as the server's view tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouterKind {
    /// None: the server sees an address of this computer's.
    None,
    /// It gives this computer one address for all destinations, so that others can be told it.
    OneForAll,
    /// It gives each destination another port, so that what the server sees is of no use to others.
    OneForEach,
    /// It translates; the server has no second port to tell more by, or that one is not let through.
    Unknown,
}

impl Findings {
    /// Each family that was asked over.
    pub fn reaches(&self) -> impl Iterator<Item = &Reach> {
        self.ipv4.iter().chain(&self.ipv6)
    }

    /// What stands between us and the server in a family that works.
    pub fn router(&self, reach: &Reach) -> Option<RouterKind> {
        let seen = reach.seen_at?;
        Some(if self.own.contains(&seen.ip()) || seen.ip().is_loopback() {
            RouterKind::None
        } else {
            match reach.seen_at_second {
                Some(second) if second == seen => RouterKind::OneForAll,
                Some(_) => RouterKind::OneForEach,
                None => RouterKind::Unknown,
            }
        })
    }

    /// Whether this computer is on no network at all, and the server is not on this computer.
    pub fn has_no_network(&self) -> bool {
        self.own.is_empty() && !self.addresses.iter().any(IpAddr::is_loopback)
    }

    /// Whether a TURN server lent a port.
    pub fn has_turn(&self) -> bool {
        self.turn.iter().any(|tried| tried.outcome.is_ok())
    }

    /// Whether others can be told of a port that the router opened: it leads to where the server sees us.
    pub fn is_port_open(&self) -> bool {
        let seen = |ip: IpAddr| self.reaches().any(|reach| reach.seen_at.is_some_and(|seen| seen.ip() == ip));
        self.router.as_ref().and_then(RouterAnswer::reachable).is_some_and(|mapped| seen(mapped.ip()))
    }

    /// Whether the server that answered relays.
    pub fn server_relays(&self) -> bool {
        self.reaches().any(|reach| reach.relays)
    }
}
