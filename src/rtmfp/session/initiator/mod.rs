//! An attempt to open a session, from the first hello to the keys (RFC 7016 §3.5.1.1.1).
//!
//! One file per state: [`hello_sent`] asks every candidate, [`keying_sent`] agrees on keys with the one that answered.
//! An attempt never ends itself; its endpoint looks at [`Attempt::is_given_up`].

pub(crate) mod hello_sent;
pub(crate) mod keying_sent;

use std::time::{Duration, Instant};

use bytes::Bytes;

use self::hello_sent::{HelloSent, Tag};
use self::keying_sent::KeyingSent;
use super::startup_packet;
use crate::rtmfp::endpoint::{OwnIdentity, SessionKey};
use crate::rtmfp::machine::{PathId, Route};
use crate::rtmfp::wire::chunk::Chunk;

/// A session that we are opening.
pub(crate) struct Attempt {
    /// Who we are.
    pub(crate) own: OwnIdentity,
    /// Whom we want.
    pub(crate) endpoint_discriminator: Bytes,
    /// When we began.
    pub(crate) started: Instant,
    /// How far we are.
    pub(crate) state: State,
    /// The far end's own attempt, which prevailed in glare: while it lasts, ours rests.
    pub(crate) resting_for: Option<SessionKey>,
    /// Somebody who was meant answered a hello, whatever came of it.
    pub(crate) greeted: bool,
    give_up: Instant,
}

/// How far an attempt is.
pub(crate) enum State {
    /// S_IHELLO_SENT
    HelloSent {
        /// By which answers find this attempt.
        tag: Tag,
        /// Whom we ask.
        hello: HelloSent,
    },
    /// S_KEYING_SENT
    KeyingSent(Box<KeyingSent>),
}

impl Attempt {
    /// An attempt whose first hellos are due now.
    pub(crate) fn new(
        now: Instant,
        own: OwnIdentity,
        endpoint_discriminator: Bytes,
        tag: Tag,
        open_within: Duration,
    ) -> Self {
        Self {
            own,
            endpoint_discriminator,
            started: now,
            state: State::HelloSent { tag, hello: HelloSent::new() },
            resting_for: None,
            greeted: false,
            give_up: now + open_within,
        }
    }

    /// Adds addresses that the layer above knows, each with the pause before it is asked.
    pub(crate) fn add_candidates(
        &mut self,
        now: Instant,
        routes: impl IntoIterator<Item = (Route, Duration)>,
    ) {
        self.hello_mut().add(now, routes);
    }

    /// Adds addresses from a Redirect; it only counts while no one has answered (§3.5.1.1.1).
    pub(crate) fn on_redirect(&mut self, now: Instant, routes: impl IntoIterator<Item = (Route, Duration)>) {
        if let State::HelloSent { hello, .. } = &mut self.state {
            hello.add_redirected(now, routes);
        }
    }

    /// The plain packets that are due, and where they go.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<(Route, Vec<u8>)> {
        if self.resting_for.is_some() {
            return Vec::new();
        }
        match &mut self.state {
            State::HelloSent { tag, hello } => {
                let endpoint_discriminator = &self.endpoint_discriminator;
                let due = hello.take_due(now);
                let packet = |route| {
                    let chunk = Chunk::IHello { endpoint_discriminator, tag: &*tag };
                    let mut plain = startup_packet::with_chunk(&chunk);
                    // As long as the answer, so that whoever doubts our address need not fear to multiply what came
                    // from it; but nobody is to multiply a Redirect by us.
                    if !hello.is_redirected(route) {
                        plain.resize(plain.len().max(HELLO_LENGTH), PADDING);
                    }
                    (route, plain)
                };
                due.into_iter().map(packet).collect()
            }
            State::KeyingSent(keying) => {
                let route = keying.route;
                keying.take_due(now).map(|packet| (route, packet.to_vec())).into_iter().collect()
            }
        }
    }

    /// Lets the far end's attempt go first.
    pub(crate) fn rest_for(&mut self, session: SessionKey) {
        self.resting_for = Some(session);
    }

    /// Goes on, if it rested for that session.
    pub(crate) fn resume_from(&mut self, now: Instant, session: SessionKey) {
        if self.resting_for == Some(session) {
            self.resting_for = None;
            self.restart(now);
        }
    }

    /// Begins the schedules of what it sends anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        match &mut self.state {
            State::HelloSent { hello, .. } => hello.restart(now),
            State::KeyingSent(keying) => keying.restart(now),
        }
    }

    /// Asks no longer over a path that is gone. True if the responder was reached that way: everybody else is asked
    /// again, under `tag`.
    pub(crate) fn on_path_closed(&mut self, path: PathId, tag: Tag) -> bool {
        self.hello_mut().forget_path(path);
        let lost = matches!(&self.state, State::KeyingSent(keying) if keying.route.via == path);
        if lost {
            self.back_to_hello(tag);
        }
        lost
    }

    /// Gives up the responder that was chosen, and goes on asking under a new tag. The schedules of hellos go on as they
    /// were, so that a responder that never works out is not asked any faster.
    pub(crate) fn back_to_hello(&mut self, tag: Tag) {
        if let State::KeyingSent(keying) = &mut self.state {
            let hello = std::mem::replace(&mut keying.hello, HelloSent::new());
            self.state = State::HelloSent { tag, hello };
        }
    }

    /// Whether this address is one that we try or have chosen.
    pub(crate) fn tries(&self, route: Route) -> bool {
        match &self.state {
            State::HelloSent { hello, .. } => hello.tries(route),
            State::KeyingSent(keying) => keying.route == route,
        }
    }

    /// The state of agreeing on keys, if it is that far.
    pub(crate) fn keying_mut(&mut self) -> Option<&mut KeyingSent> {
        match &mut self.state {
            State::KeyingSent(keying) => Some(keying),
            State::HelloSent { .. } => None,
        }
    }

    /// Bytes of what others sent that is kept.
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.state {
            State::KeyingSent(keying) => keying.held_bytes(),
            State::HelloSent { .. } => 0,
        }
    }

    /// Whether the time for opening is over.
    pub(crate) fn is_given_up(&self, now: Instant) -> bool {
        self.give_up <= now
    }

    /// When the attempt is given up.
    pub(crate) fn give_up(&self) -> Instant {
        self.give_up
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Instant {
        let retry = match &self.state {
            _ if self.resting_for.is_some() => None,
            State::HelloSent { hello, .. } => hello.deadline(),
            State::KeyingSent(keying) => keying.deadline(),
        };
        retry.map_or(self.give_up, |retry| retry.min(self.give_up))
    }

    fn hello_mut(&mut self) -> &mut HelloSent {
        match &mut self.state {
            State::HelloSent { hello, .. } => hello,
            State::KeyingSent(keying) => &mut keying.hello,
        }
    }
}

/// Hellos to addresses that the layer above names are padded to so many plain bytes (§2.2.4): as long as the answer of
/// somebody with a certificate of one key.
const HELLO_LENGTH: usize = 400;
/// No chunk begins like this: its length would go beyond any packet.
const PADDING: u8 = 0xff;
