//! Every session of an endpoint, and the ways to find one: by name, by session ID, by tag, by address, by keying.
//!
//! The indexes are kept here and nowhere else; each look-up costs the logarithm of the number of sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

use super::PeerId;
use super::endpoint::{OwnIdentity, SessionKey};
use super::error::SessionEnd;
use super::machine::Route;
use super::network::network_of;
use super::session::initiator::hello_sent::Tag;
use super::session::initiator::{Attempt, State};
use super::session::open::OpenSession;
use super::session::responder::KeyingMark;

/// A session in either of its two lives.
pub(crate) enum Session {
    /// We are trying to open it.
    Opening(Box<Attempt>),
    /// Both ends have its keys.
    Running(Box<Running>),
}

/// A session with keys.
pub(crate) struct Running {
    /// What it does.
    pub(crate) session: OpenSession,
    /// The session ID that we are reached by.
    pub(crate) near_id: u32,
    /// Who we are to the far end.
    pub(crate) own: OwnIdentity,
    /// The far end's certificate.
    pub(crate) certificate: Vec<u8>,
    /// Its fingerprint.
    pub(crate) peer: PeerId,
    /// Whether we opened it.
    pub(crate) initiator: bool,
    /// Whether the far end has shown that it holds the keys.
    pub(crate) proof: Proof,
    /// Where its index entry says it is.
    pub(crate) route: Route,
    /// How we answered the IIKeying, to be repeated; none if we opened it.
    pub(crate) answer: Option<(KeyingMark, Vec<u8>)>,
    /// What the layer above is told instead of "closed here".
    pub(crate) ends_as: Option<SessionEnd>,
}

/// Whether a packet of the session has come that only the holder of the keys could have sealed. Before that the layer
/// above hears nothing of the session: key agreement alone proves nothing about who sent the key component.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Proof {
    /// Not yet.
    Awaited {
        /// When we, or they, began to open it.
        since: Instant,
        /// When waiting ends.
        until: Instant,
    },
    /// Yes.
    Given,
}

/// The sessions.
#[derive(Default)]
pub(crate) struct SessionTable {
    sessions: BTreeMap<SessionKey, Session>,
    attempts: BTreeSet<SessionKey>,
    unproven: BTreeSet<SessionKey>,
    /// Unproven sessions that strangers opened, by where they came from, oldest first.
    unproven_strangers: BTreeSet<(IpAddr, SessionKey)>,
    by_near_id: BTreeMap<u32, SessionKey>,
    by_tag: BTreeMap<Tag, SessionKey>,
    by_route: BTreeSet<(Route, SessionKey)>,
    by_keying: BTreeMap<KeyingMark, SessionKey>,
}

impl SessionTable {
    /// Every one, in any state.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// How many there are, in any state.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Adds one that is being opened.
    pub(crate) fn insert_attempt(&mut self, key: SessionKey, attempt: Attempt) {
        match &attempt.state {
            State::HelloSent { tag, .. } => {
                self.by_tag.insert(*tag, key);
            }
            State::KeyingSent(keying) => {
                self.by_near_id.insert(keying.near_id, key);
            }
        }
        self.attempts.insert(key);
        self.sessions.insert(key, Session::Opening(Box::new(attempt)));
    }

    /// Adds one with keys.
    pub(crate) fn insert_running(&mut self, key: SessionKey, running: Running) {
        self.by_near_id.insert(running.near_id, key);
        self.by_route.insert((running.route, key));
        if let Some((mark, _)) = &running.answer {
            self.by_keying.insert(*mark, key);
        }
        if running.proof != Proof::Given {
            self.unproven.insert(key);
            if !running.initiator {
                self.unproven_strangers.insert((network_of(running.route.address.ip()), key));
            }
        }
        self.sessions.insert(key, Session::Running(Box::new(running)));
    }

    /// Takes one out, with all its entries.
    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.sessions.remove(&key)?;
        self.attempts.remove(&key);
        self.unproven.remove(&key);
        match &session {
            Session::Opening(attempt) => match &attempt.state {
                State::HelloSent { tag, .. } => {
                    self.by_tag.remove(tag);
                }
                State::KeyingSent(keying) => {
                    self.by_near_id.remove(&keying.near_id);
                }
            },
            Session::Running(running) => {
                self.unproven_strangers.remove(&(network_of(running.route.address.ip()), key));
                self.by_near_id.remove(&running.near_id);
                self.by_route.remove(&(running.route, key));
                if let Some((mark, _)) = &running.answer
                    && self.by_keying.get(mark) == Some(&key)
                {
                    self.by_keying.remove(mark);
                }
            }
        }
        Some(session)
    }

    /// Takes an attempt out, to be put back in another state.
    pub(crate) fn take_attempt(&mut self, key: SessionKey) -> Option<Attempt> {
        if !self.attempts.contains(&key) {
            return None;
        }
        match self.remove(key) {
            Some(Session::Opening(attempt)) => Some(*attempt),
            _ => None,
        }
    }

    /// One by name.
    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.sessions.get_mut(&key)
    }

    /// One by name, if it has keys.
    pub(crate) fn running(&self, key: SessionKey) -> Option<&Running> {
        match self.sessions.get(&key) {
            Some(Session::Running(running)) => Some(running),
            _ => None,
        }
    }

    /// The same, to be changed. Its route and proof are changed by [`Self::moved`] and [`Self::proven`].
    pub(crate) fn running_mut(&mut self, key: SessionKey) -> Option<&mut Running> {
        match self.sessions.get_mut(&key) {
            Some(Session::Running(running)) => Some(running),
            _ => None,
        }
    }

    /// One by name, if it is being opened.
    pub(crate) fn attempt(&self, key: SessionKey) -> Option<&Attempt> {
        match self.sessions.get(&key) {
            Some(Session::Opening(attempt)) => Some(attempt),
            _ => None,
        }
    }

    /// The same, to be changed without a change of state.
    pub(crate) fn attempt_mut(&mut self, key: SessionKey) -> Option<&mut Attempt> {
        match self.sessions.get_mut(&key) {
            Some(Session::Opening(attempt)) => Some(attempt),
            _ => None,
        }
    }

    /// Those being opened, oldest first.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = (SessionKey, &Attempt)> {
        self.attempts.iter().filter_map(|key| Some((*key, self.attempt(*key)?)))
    }

    /// Which session a packet with this session ID belongs to.
    pub(crate) fn with_near_id(&self, near_id: u32) -> Option<SessionKey> {
        self.by_near_id.get(&near_id).copied()
    }

    /// Which attempt sent a hello with this tag.
    pub(crate) fn with_tag(&self, tag: &[u8]) -> Option<SessionKey> {
        self.by_tag.get(<&Tag>::try_from(tag).ok()?).copied()
    }

    /// The sessions with keys whose far end is at this address.
    pub(crate) fn at(&self, route: Route) -> impl Iterator<Item = (SessionKey, &Running)> {
        self.by_route
            .range((route, SessionKey(0))..=(route, SessionKey(u64::MAX)))
            .filter_map(|(_, key)| Some((*key, self.running(*key)?)))
    }

    /// Another session with this far end, older than an attempt or in its way: open, or opened by us and about to be.
    pub(crate) fn another_with(
        &self,
        attempt: SessionKey,
        own: OwnIdentity,
        peer: PeerId,
    ) -> Option<SessionKey> {
        let running = self.by_route.iter().map(|(_, key)| *key).find(|key| {
            self.running(*key).is_some_and(|running| {
                let counts = running.proof == Proof::Given || running.initiator;
                running.peer == peer && running.own == own && counts && running.session.is_open()
            })
        });
        let keying = || {
            self.attempts().find(|(key, other)| match &other.state {
                State::KeyingSent(keying) => {
                    *key != attempt && keying.peer == peer && other.own == own && other.resting_for.is_none()
                }
                State::HelloSent { .. } => false,
            })
        };
        running.or_else(|| keying().map(|(key, _)| key))
    }

    /// Every session with keys, and where its far end is.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (SessionKey, Route)> {
        self.by_route.iter().map(|(route, key)| (*key, *route))
    }

    /// The session that an IIKeying like this one opened.
    pub(crate) fn with_keying(&self, mark: KeyingMark) -> Option<SessionKey> {
        self.by_keying.get(&mark).copied()
    }

    /// The oldest session that a stranger opened and never proved: of the network of `ip`, or if there is none, of all.
    pub(crate) fn oldest_unproven_stranger(&self, ip: IpAddr) -> Option<SessionKey> {
        let network = network_of(ip);
        let mut of_it =
            self.unproven_strangers.range((network, SessionKey(0))..=(network, SessionKey(u64::MAX)));
        let all = || self.unproven().find(|(_, running)| !running.initiator).map(|(key, _)| key);
        of_it.next().map(|(_, key)| *key).or_else(all)
    }

    /// The sessions whose far ends have not shown yet that they hold the keys, oldest first.
    pub(crate) fn unproven(&self) -> impl Iterator<Item = (SessionKey, &Running)> {
        self.unproven.iter().filter_map(|key| Some((*key, self.running(*key)?)))
    }

    /// Notes that a session's far end has another address.
    pub(crate) fn moved(&mut self, key: SessionKey, route: Route) {
        let Some(running) = self.running_mut(key) else { return };
        let before = std::mem::replace(&mut running.route, route);
        self.by_route.remove(&(before, key));
        self.by_route.insert((route, key));
    }

    /// Notes that a session's far end has shown that it holds the keys; true if that is news.
    pub(crate) fn proven(&mut self, key: SessionKey) -> bool {
        let Some(running) = self.running_mut(key) else { return false };
        if running.proof == Proof::Given {
            return false;
        }
        running.proof = Proof::Given;
        let network = network_of(running.route.address.ip());
        self.unproven.remove(&key);
        self.unproven_strangers.remove(&(network, key));
        true
    }
}
