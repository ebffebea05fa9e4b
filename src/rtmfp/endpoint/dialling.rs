//! Sessions that we open (RFC 7016 §3.5.1.1.1): an attempt's packets, its jobs, and what becomes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Endpoint;
use crate::rtmfp::crypto::{CryptoError, Initiation, Profile, SessionKeys};
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{KnownAddress, OwnIdentity, SessionKey};
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::event::Event;
use crate::rtmfp::machine::{Computed, Route};
use crate::rtmfp::redacted::Redacted;
use crate::rtmfp::session::initiator::keying_sent::KeyingSent;
use crate::rtmfp::session::initiator::{Attempt, State};
use crate::rtmfp::session::open::{OpenSession, OpenSessionParameters, Role, SessionSettings};
use crate::rtmfp::session::startup_packet;
use crate::rtmfp::session_table::{Proof, Running};
use crate::rtmfp::wire::chunk::Chunk;

/// What a job is for that an attempt gave away.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Our half of a key agreement.
    Initiate(SessionKey),
    /// The session's keys.
    Finish(SessionKey),
}

impl Step {
    fn session(self) -> SessionKey {
        match self {
            Self::Initiate(session) | Self::Finish(session) => session,
        }
    }
}

/// What an open session begins with.
pub(super) struct Agreed {
    pub(super) key: SessionKey,
    pub(super) role: Role,
    pub(super) dialect: Dialect,
    pub(super) far_session_id: u32,
    pub(super) keys: SessionKeys,
    pub(super) route: Route,
}

impl Endpoint {
    pub(super) fn dial(
        &mut self,
        now: Instant,
        own: OwnIdentity,
        endpoint_discriminator: Bytes,
        candidates: Vec<(Route, Duration)>,
    ) -> SessionKey {
        let key = self.new_key();
        if self.sessions.len() >= self.config.most_sessions || self.profile(own).is_none() {
            let end = SessionEnd::NeverOpened { waited: Duration::ZERO };
            self.events.push_back(Event::SessionEnded { session: key, end });
            return key;
        }
        let tag = self.chance.bytes();
        let mut attempt = Attempt::new(now, own, endpoint_discriminator, tag, self.config.open_within);
        attempt.add_candidates(now, candidates);
        if let Some(theirs) = self.about_to_open(now, &attempt) {
            attempt.rest_for(theirs);
        }
        self.sessions.insert_attempt(key, attempt);
        self.drive_attempt(now, key);
        key
    }

    /// Sends what an attempt has due, and sets its alarm; or ends it, when its time is over.
    pub(super) fn drive_attempt(&mut self, now: Instant, key: SessionKey) {
        self.note_time(now);
        let Some(attempt) = self.sessions.attempt_mut(key) else { return };
        if attempt.is_given_up(now) {
            let waited = now.saturating_duration_since(attempt.started);
            self.end_attempt(now, key, SessionEnd::NeverOpened { waited });
            return;
        }
        let due = attempt.take_due(now);
        let deadline = attempt.deadline();
        self.alarms.set(key, Some(deadline));
        for (route, plain) in due {
            self.send_plain_startup(route, 0, &plain);
        }
    }

    pub(super) fn end_attempt(&mut self, now: Instant, key: SessionKey, end: SessionEnd) {
        self.sessions.remove(key);
        self.alarms.set(key, None);
        self.forget_steps(key);
        self.events.push_back(Event::SessionEnded { session: key, end });
        self.resume_resting(now, key);
    }

    /// Results of these jobs come too late.
    pub(super) fn forget_steps(&mut self, key: SessionKey) {
        self.dialling.retain(|_, step| step.session() != key);
    }

    /// An RHello: the first acceptable one wins (§3.5.1.1.1).
    pub(super) fn on_responder_hello(
        &mut self,
        now: Instant,
        route: Route,
        tag_echo: &[u8],
        cookie: &[u8],
        certificate: &[u8],
    ) {
        let Some(key) = self.sessions.with_tag(tag_echo) else { return };
        let Some(attempt) = self.sessions.attempt(key) else { return };
        let own = attempt.own;
        // With relays only, whoever answers from elsewhere would learn where we are if we went on.
        if !attempt.tries(route) && !self.may_be_seen_at(route) {
            return;
        }
        let Some(profile) = self.profile(own) else { return };
        if !profile.certificate_matches(certificate, &attempt.endpoint_discriminator) {
            return;
        }
        let Ok(peer) = profile.identify(certificate) else { return };
        if let Some(other) = self.sessions.another_with(key, own, peer) {
            self.rest_for_the_other(now, key, other);
            return;
        }
        let near_id = self.new_near_id();
        let Some(mut attempt) = self.sessions.take_attempt(key) else { return };
        attempt.greeted = true;
        attempt.state = match attempt.state {
            State::HelloSent { hello, .. } => {
                State::KeyingSent(Box::new(KeyingSent::new(route, near_id, certificate, peer, cookie, hello)))
            }
            keying @ State::KeyingSent(_) => keying,
        };
        let deadline = attempt.deadline();
        self.sessions.insert_attempt(key, attempt);
        self.alarms.set(key, Some(deadline));
        tracing::debug!(?peer, from = %Redacted(route.address), "hello answered");

        let work = profile.initiate(certificate, self.chance.bytes());
        if profile.initiates_at_once() {
            // A job would cost more than it spares: a thread is woken, and wakes us.
            self.on_initiation(now, key, work());
        } else {
            let job = self.compute(work);
            self.dialling.insert(job, Step::Initiate(key));
        }
    }

    /// Whoever answered has a session with us already, or we are opening one: an attempt too many (§3.5.1.1.1). It is
    /// over once the other session shows that it lives, and goes on if that turns out to be dead.
    fn rest_for_the_other(&mut self, now: Instant, key: SessionKey, other: SessionKey) {
        let Some(attempt) = self.sessions.attempt_mut(key) else { return };
        if attempt.resting_for == Some(other) {
            return;
        }
        attempt.rest_for(other);
        self.drive_attempt(now, key);
        if let Some(running) = self.sessions.running_mut(other) {
            running.session.doubt(now);
            self.wake(other);
        }
    }

    /// Ends the attempts that rested for a session which has shown that it lives.
    pub(super) fn end_resting(&mut self, now: Instant, key: SessionKey) {
        for rested in self.resting_for(key) {
            self.end_attempt(now, rested, SessionEnd::Replaced);
        }
    }

    /// A Redirect: more addresses to ask (§3.5.1.1.1). An empty one means its sender's own address (§2.3.5).
    pub(super) fn on_redirect(
        &mut self,
        now: Instant,
        route: Route,
        tag_echo: &[u8],
        destinations: &[KnownAddress],
    ) {
        let Some(key) = self.sessions.with_tag(tag_echo) else { return };
        let routes = if destinations.is_empty() {
            self.relays_last(&[route])
        } else {
            self.routes_of_redirect(destinations, route)
        };
        if let Some(attempt) = self.sessions.attempt_mut(key) {
            attempt.on_redirect(now, routes);
            self.drive_attempt(now, key);
        }
    }

    /// A datagram to the session ID of an attempt: keying chunks under the default key (§2.2.3), or early data.
    pub(super) fn on_keying_datagram(
        &mut self,
        now: Instant,
        key: SessionKey,
        route: Route,
        datagram: &mut [u8],
    ) {
        let mut copy = datagram.to_vec();
        let plain = self.default_cipher.open(&mut copy);
        let Some(profile) = self.profile_of_attempt(key) else { return };
        let Some(keying) = self.sessions.attempt_mut(key).and_then(Attempt::keying_mut) else { return };
        let Some(chunks) = plain.ok().and_then(startup_packet::chunks) else {
            keying.early.keep(route, datagram);
            return;
        };
        let mut work = None;
        for chunk in chunks {
            match chunk {
                Chunk::CookieChange { old_cookie, new_cookie } => {
                    keying.on_cookie_change(now, old_cookie, new_cookie, &*profile);
                }
                Chunk::ResponderKeying(answer) if work.is_none() => {
                    work = keying.on_responder_keying(&answer, &*profile);
                }
                _ => {}
            }
        }
        if let Some(work) = work {
            let job = self.compute(work);
            self.dialling.insert(job, Step::Finish(key));
        }
        self.drive_attempt(now, key);
    }

    /// A job is done; whose it was is looked up here and in the other direction's admissions.
    pub(super) fn on_computed(&mut self, now: Instant, computed: Computed) {
        let Computed { id, result } = computed;
        match self.dialling.remove(&id) {
            Some(Step::Initiate(key)) => {
                if let Ok(initiation) = result.downcast::<Result<Initiation, CryptoError>>() {
                    self.on_initiation(now, key, *initiation);
                }
            }
            Some(Step::Finish(key)) => {
                if let Ok(keys) = result.downcast::<Result<SessionKeys, CryptoError>>() {
                    self.on_keys(now, key, *keys);
                }
            }
            None => self.on_response(now, id, result),
        }
    }

    fn on_initiation(&mut self, now: Instant, key: SessionKey, initiation: Result<Initiation, CryptoError>) {
        let Some(profile) = self.profile_of_attempt(key) else { return };
        match initiation {
            Ok(initiation) => {
                if let Some(keying) = self.sessions.attempt_mut(key).and_then(Attempt::keying_mut) {
                    keying.on_initiation(now, initiation, &*profile);
                }
            }
            // Not a responder to go on with after all: the others are asked again.
            Err(_) => {
                let tag = self.chance.bytes();
                if let Some(mut attempt) = self.sessions.take_attempt(key) {
                    attempt.back_to_hello(tag);
                    self.sessions.insert_attempt(key, attempt);
                    self.resume_resting(now, key);
                }
            }
        }
        self.drive_attempt(now, key);
    }

    /// The keys are there: the session runs, and early packets find it. It is reported when one of them, or a later one,
    /// shows that the far end has the same keys.
    fn on_keys(&mut self, now: Instant, key: SessionKey, keys: Result<SessionKeys, CryptoError>) {
        let Ok(keys) = keys else {
            if let Some(keying) = self.sessions.attempt_mut(key).and_then(Attempt::keying_mut) {
                keying.on_bad_answer();
            }
            self.drive_attempt(now, key);
            return;
        };
        let Some(attempt) = self.sessions.take_attempt(key) else { return };
        let (since, until, own) = (attempt.started, attempt.give_up(), attempt.own);
        let State::KeyingSent(keying) = attempt.state else { return };
        let Some(far_session_id) = keying.far_session_id() else { return };
        let handshake = keying.asked_for(now);
        let KeyingSent { route, near_id, certificate, peer, early, .. } = *keying;
        let Some(dialect) = self.profile(own).map(|profile| profile.dialect(&certificate)) else { return };
        let agreed = Agreed { key, role: Role::Initiator, dialect, far_session_id, keys, route };
        let mut session = self.new_open_session(now, agreed);
        handshake.into_iter().for_each(|handshake| session.expect_round_trip(handshake));
        self.sessions.insert_running(
            key,
            Running {
                session,
                near_id,
                own,
                certificate,
                peer,
                initiator: true,
                proof: Proof::Awaited { since, until },
                route,
                answer: None,
                ends_as: None,
            },
        );
        for (route, mut datagram) in early.into_packets() {
            if let Some(running) = self.sessions.running_mut(key) {
                let genuine = running.session.on_datagram(now, route, None, &mut datagram);
                if genuine {
                    self.on_genuine(now, key);
                }
            }
        }
        self.wake(key);
    }

    fn profile_of_attempt(&self, key: SessionKey) -> Option<Arc<dyn Profile>> {
        self.sessions.attempt(key).and_then(|attempt| self.profile(attempt.own))
    }

    pub(super) fn new_open_session(&mut self, now: Instant, agreed: Agreed) -> OpenSession {
        let Agreed { key, role, dialect, far_session_id, keys, route } = agreed;
        let parameters = OpenSessionParameters {
            key,
            role,
            far_session_id,
            keys,
            route,
            settings: SessionSettings::new(&self.config, dialect, self.time_critical.clone()),
            ping_seed: self.chance.bytes(),
        };
        let mut session = OpenSession::new(now, parameters);
        // The answer is what shows that the far end holds the keys.
        session.ping(now);
        session
    }
}
