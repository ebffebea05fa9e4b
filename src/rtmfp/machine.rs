//! How every engine in this package is driven.
//!
//! A [`Machine`] is told one thing at a time with [`Machine::handle_input`]: datagrams that came, a command, the result of
//! a job, or just the time. After each, and before the next, its owner calls [`Machine::poll_output`] until it answers
//! [`Output::Sleep`]; on the way it hands out packets to send, jobs to compute and events to pass up. It never blocks,
//! owns no socket, thread or clock, and never asks what time it is. Bad bytes are not errors here: they are counted and
//! dropped. Work too heavy for the loop (a key agreement) leaves as [`Output::Compute`] and comes back as
//! [`Input::Computed`]: the same door, so tests see it too. Time only goes on: an earlier time than before counts as that.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

/// One way for datagrams in and out: a socket, a relayed port, a multicast group. The driver owns paths and numbers them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PathId(pub u32);

/// What a path is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PathKind {
    /// A socket of this computer's.
    #[default]
    Own,
    /// A port that a relay lends us: slower, and at somebody's cost, so tried last and left first.
    Relayed,
    /// A port of ours that is lent to others: a server forwards over it what is not its own. No engine uses it.
    Lent,
}

/// An address as reached over one path.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Route {
    /// The path a datagram takes.
    pub via: PathId,
    /// The far end's address on it.
    pub address: SocketAddr,
}

/// The explicit congestion notification mark of a datagram (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ecn {
    /// ECN-capable, code point ECT(0).
    Capable0,
    /// ECN-capable, code point ECT(1).
    Capable1,
    /// A router on the way was congested.
    CongestionExperienced,
}

/// How urgent packets are, for routers that ask (RFC 4594 §2.3): what a driver may mark them with.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Urgency {
    /// Anything.
    #[default]
    Ordinary,
    /// Moving pictures of a call.
    Pictures,
    /// Sound of a call.
    Sound,
}

/// Datagrams that came from one address, back to back.
#[derive(Debug)]
pub struct Received<'a> {
    /// Where they came from, and over which path.
    pub route: Route,
    /// The mark they carried.
    pub ecn: Option<Ecn>,
    /// Each datagram's length in bytes, but for the last, which may be shorter.
    pub segment_size: usize,
    /// All of them; opened in place.
    pub bytes: &'a mut [u8],
}

/// One thing a machine is told.
#[derive(Debug)]
pub enum Input<'a, C> {
    /// Time has passed.
    Time,
    /// Datagrams came.
    Received(Received<'a>),
    /// A path can be used from now on.
    PathOpened {
        /// Its number.
        path: PathId,
        /// The address it is bound to here; of a relayed one, that which the relay lends.
        local: SocketAddr,
        /// What lies behind it.
        kind: PathKind,
    },
    /// A path is gone.
    PathClosed {
        /// Its number.
        path: PathId,
    },
    /// A job that left as [`Output::Compute`] is done.
    Computed(Computed),
    /// The layer above wants something.
    Command(C),
}

impl<'a, C> Input<'a, C> {
    /// The same input for a machine below, which takes other commands.
    ///
    /// # Errors
    /// The command, when it is one: it is the upper machine's own business.
    pub fn without_command<D>(self) -> Result<Input<'a, D>, C> {
        Ok(match self {
            Self::Time => Input::Time,
            Self::Received(received) => Input::Received(received),
            Self::PathOpened { path, local, kind } => Input::PathOpened { path, local, kind },
            Self::PathClosed { path } => Input::PathClosed { path },
            Self::Computed(computed) => Input::Computed(computed),
            Self::Command(command) => return Err(command),
        })
    }
}

/// Packets to send to one destination: they stand in the buffer given to [`Machine::poll_output`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transmit {
    /// Where to.
    pub route: Route,
    /// The mark to set.
    pub ecn: Option<Ecn>,
    /// How urgent they are.
    pub urgency: Urgency,
    /// Each packet's length in bytes, but for the last, which may be shorter. Never zero.
    pub segment_size: usize,
}

impl Transmit {
    /// Packets of `segment_size` bytes with nothing special about them.
    pub fn ordinary(route: Route, segment_size: usize) -> Self {
        Self { route, ecn: None, urgency: Urgency::Ordinary, segment_size }
    }
}

/// What a machine wants next.
#[derive(Debug)]
pub enum Output<E> {
    /// Send the packets in the buffer.
    Transmit(Transmit),
    /// Do this somewhere else, and bring back the result.
    Compute(Job),
    /// Tell the layer above.
    Event(E),
    /// Nothing more until this time, if any, or the next input.
    Sleep(Option<Instant>),
}

/// Names a job until its result comes back.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct JobId(pub u64);

/// What a job leaves behind; only its machine knows what it is.
pub type JobResult = Box<dyn Any + Send>;

/// Heavy work that needs nothing but itself.
pub struct Job {
    /// To be handed back with the result.
    pub id: JobId,
    /// The work.
    pub work: Box<dyn FnOnce() -> JobResult + Send>,
}

impl Job {
    /// Does the work here and now.
    pub fn run(self) -> Computed {
        Computed { id: self.id, result: (self.work)() }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A job's result on its way back.
pub struct Computed {
    /// Which job.
    pub id: JobId,
    /// What it left.
    pub result: JobResult,
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Bytes and time in, bytes and events out.
pub trait Machine {
    /// What the layer above can ask for.
    type Command;
    /// What the layer above is told.
    type Event;

    /// Takes one input. Call [`Machine::poll_output`] until it sleeps before giving the next.
    fn handle_input(&mut self, now: Instant, input: Input<'_, Self::Command>);

    /// What to do next. `packets` is cleared, and filled when the answer is [`Output::Transmit`].
    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Self::Event>;
}
