//! Sessions that others open (RFC 7016 §3.5.1.1.2), and the moment any session is proven.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::Endpoint;
use super::dialling::Agreed;
use super::startup::STARTUP_OVERHEAD;
use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::{CryptoError, Response};
use crate::rtmfp::endpoint::{CloseManner, OwnIdentity, SessionKey};
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::event::Event;
use crate::rtmfp::machine::{JobId, JobResult, Route};
use crate::rtmfp::session::cookie::{COOKIE_LENGTH, Echo};
use crate::rtmfp::session::glare::{self, OwnAttempt, Verdict};
use crate::rtmfp::session::initiator::{Attempt, State};
use crate::rtmfp::session::open::Role;
use crate::rtmfp::session::responder::{self, Admitted, KeyingMark};
use crate::rtmfp::session_table::{Proof, Running};
use crate::rtmfp::wire::chunk::{Chunk, InitiatorKeying};

impl Endpoint {
    /// An IIKeying. The cookie is looked at before anything that costs more.
    pub(super) fn on_initiator_keying(&mut self, now: Instant, route: Route, keying: &InitiatorKeying<'_>) {
        if !self.config.accepts_sessions || keying.session_id == 0 || !self.may_be_seen_at(route) {
            self.dropped += 1;
            return;
        }
        let own = match self.cookies.check(now, route, keying.cookie_echo) {
            Echo::Good(own) => own,
            Echo::FromElsewhere(own) => {
                let old_cookie = keying.cookie_echo;
                let chunk = Chunk::CookieChange { old_cookie, new_cookie: &[0; COOKIE_LENGTH] };
                if self.answers.take(now, chunk.encoded_length() + STARTUP_OVERHEAD) {
                    let new_cookie = self.cookies.make(now, route, own, &mut self.chance);
                    let chunk = Chunk::CookieChange { old_cookie, new_cookie: &new_cookie };
                    self.send_startup(route, keying.session_id, &chunk);
                }
                return;
            }
            Echo::Worthless => {
                self.dropped += 1;
                return;
            }
        };
        let mark = KeyingMark::of(keying);
        if let Some(key) = self.sessions.with_keying(mark) {
            self.repeat_answer(now, key, route);
            return;
        }
        let Some(profile) = self.profile(own) else { return };
        let Ok(peer) = profile.identify(keying.certificate) else { return };
        if !profile.verify(keying.certificate, keying.signed, keying.signature) {
            return;
        }
        if self.judge_glare(own, keying.certificate, peer, route).is_none() {
            return;
        }
        // Somebody else's open session at that address is not touched (§3.5.1.1.2); its own newer one replaces it once
        // it is proven.
        let taken = self.sessions.at(route).any(|(_, running)| {
            running.proof == Proof::Given
                && running.session.is_open()
                && running.own == own
                && running.certificate != keying.certificate
        });
        let ip = route.address.ip();
        let has_room = || self.has_room() || self.sessions.oldest_unproven_stranger(ip).is_some();
        if taken
            || !self.admissions.takes(keying.cookie_echo)
            || !has_room()
            || !self.agreement_budget.take(now, ip)
        {
            self.dropped += 1;
            return;
        }
        let work = profile.respond(keying.certificate, keying.component, self.chance.bytes());
        let job = self.compute(work);
        let admitted = Admitted {
            route,
            own,
            mark,
            far_session_id: keying.session_id,
            certificate: keying.certificate.to_vec(),
            peer,
            component: keying.component.to_vec(),
        };
        self.agreements_begun += 1;
        self.admissions.note(job, admitted, keying.cookie_echo);
    }

    /// Our own attempts to reach whoever sent an IIKeying; none at all if they prevail and theirs is dropped (§3.5.1.3).
    fn judge_glare(
        &self,
        own: OwnIdentity,
        certificate: &[u8],
        peer: PeerId,
        route: Route,
    ) -> Option<Vec<SessionKey>> {
        let near_prevails = self.profile(own)?.near_prevails(certificate);
        let mut resting = Vec::new();
        for (key, attempt) in self.sessions.attempts() {
            if attempt.own != own || !self.is_meant(attempt, certificate, peer, route) {
                continue;
            }
            let keying = matches!(attempt.state, State::KeyingSent(_));
            match glare::judge(near_prevails, OwnAttempt { keying, same_address: attempt.tries(route) }) {
                Verdict::DropTheirs => return None,
                Verdict::AnswerTheirs => resting.push(key),
            }
        }
        Some(resting)
    }

    /// Whether an attempt of ours is to reach this far end. A discriminator that selects many, such as a server's
    /// address, is no sign that this one is meant.
    fn is_meant(&self, attempt: &Attempt, certificate: &[u8], peer: PeerId, route: Route) -> bool {
        let Some(profile) = self.profile(attempt.own) else { return false };
        profile.certificate_matches(certificate, &attempt.endpoint_discriminator)
            && (attempt.tries(route) || *attempt.endpoint_discriminator == *profile.discriminator_of(peer))
    }

    /// A session that the far end is opening at this very moment, and that a new attempt of ours waits for: glare in
    /// which theirs was answered just before we dialled (§3.5.1.3).
    pub(super) fn about_to_open(&self, now: Instant, attempt: &Attempt) -> Option<SessionKey> {
        self.sessions.unproven().find_map(|(key, running)| {
            // Whoever was silent since has perhaps changed their mind.
            let recent =
                matches!(running.proof, Proof::Awaited { until, .. } if now + PROOF_WITHIN < until + RECENT);
            let theirs = !running.initiator && running.session.is_open() && recent;
            let meant = theirs && running.own == attempt.own;
            (meant && self.is_meant(attempt, &running.certificate, running.peer, running.route))
                .then_some(key)
        })
    }

    /// Sends the same RIKeying again: ours, or theirs, was lost (§3.5.1.1.2).
    fn repeat_answer(&mut self, now: Instant, key: SessionKey, route: Route) {
        let Some(running) = self.sessions.running_mut(key) else { return };
        if let Proof::Awaited { until, .. } = &mut running.proof {
            *until = now + PROOF_WITHIN;
        }
        if let Some((_, packet)) = &running.answer {
            self.startup_packets.push_back((route, packet.clone()));
        }
        self.wake(key);
    }

    fn has_room(&self) -> bool {
        self.sessions.len() < self.config.most_sessions
    }

    /// Whether one more session fits. A stranger's that was never proven makes way, one of the newcomer's own network
    /// first, so that a flood from one place drowns nobody but itself.
    fn make_room(&mut self, now: Instant, newcomer: IpAddr) -> bool {
        if self.has_room() {
            return true;
        }
        let Some(oldest) = self.sessions.oldest_unproven_stranger(newcomer) else { return false };
        self.sessions.remove(oldest);
        self.alarms.set(oldest, None);
        self.resume_resting(now, oldest);
        true
    }

    /// The keys of an admitted IIKeying are there: the answer goes out, and the session runs (§3.5.1.1.2).
    pub(super) fn on_response(&mut self, now: Instant, job: JobId, result: JobResult) {
        let Some(admitted) = self.admissions.take(job) else { return };
        let Ok(response) = result.downcast::<Result<Response, CryptoError>>() else { return };
        let Ok(Response { component, keys }) = *response else {
            self.dropped += 1;
            return;
        };
        let Admitted { route, own, mark, far_session_id, certificate, peer, component: far_component } =
            admitted;
        // We may have dialled, or come further, while the keys were computed.
        let Some(resting) = self.judge_glare(own, &certificate, peer, route) else { return };
        let Some(profile) = self.profile(own) else { return };
        if !self.make_room(now, route.address.ip()) {
            return;
        }
        let (key, near_id) = (self.new_key(), self.new_near_id());
        let plain = responder::responder_keying(near_id, &component, &far_component, &*profile);
        let packet = self.sealed_startup(far_session_id, &plain);
        // A copy takes no more than it needs, and this one stays.
        let answer = packet.clone();
        self.startup_packets.push_back((route, packet));
        let dialect = profile.dialect(&certificate);
        let agreed = Agreed { key, role: Role::Responder, dialect, far_session_id, keys, route };
        let session = self.new_open_session(now, agreed);
        self.sessions.insert_running(
            key,
            Running {
                session,
                near_id,
                own,
                certificate,
                peer,
                initiator: false,
                proof: Proof::Awaited { since: now, until: now + PROOF_WITHIN },
                route,
                answer: Some((mark, answer)),
                ends_as: None,
            },
        );
        self.wake(key);
        for attempt in resting {
            if let Some(attempt) = self.sessions.attempt_mut(attempt) {
                attempt.rest_for(key);
            }
        }
    }

    /// A genuine packet of a session: it lives, and attempts that rested for it are not needed.
    pub(super) fn on_genuine(&mut self, now: Instant, key: SessionKey) {
        if self.sessions.proven(key) {
            self.on_proven(now, key);
        }
        self.end_resting(now, key);
    }

    /// The first genuine packet of a session: now it is open, for the layer above too.
    ///
    /// A session that the same far end opened earlier is stale (§3.5.1.1.2, RFC 7425 §4.3.7). One that *we* opened may
    /// be stale too, or the other half of glare that neither end could see: then the far end uses it, and perhaps drops
    /// this one by the same rule. Deviating from the RFC, such a session is not closed but asked for a sign of life.
    fn on_proven(&mut self, now: Instant, key: SessionKey) {
        let Some(running) = self.sessions.running(key) else { return };
        let (peer, route, initiator) = (running.peer, running.session.route(), running.initiator);
        let own = running.own;
        let Some(profile) = self.profile(own) else { return };
        let proven = profile.is_static(&running.certificate);
        let dialect = profile.dialect(&running.certificate);
        let older: Vec<(SessionKey, bool)> = self
            .sessions
            .at(running.route)
            .filter(|(other, old)| {
                !initiator
                    && *other != key
                    && old.proof == Proof::Given
                    && old.own == own
                    && old.certificate == running.certificate
            })
            .map(|(other, old)| (other, old.initiator))
            .collect();
        self.events.push_back(Event::SessionOpened {
            session: key,
            peer,
            proven,
            initiator,
            own,
            dialect,
            route,
        });
        for (old, ours) in older {
            let Some(running) = self.sessions.running_mut(old) else { continue };
            if ours {
                running.session.doubt(now);
            } else {
                running.ends_as = Some(SessionEnd::Replaced);
                running.session.close(now, CloseManner::Abrupt);
            }
            self.wake(old);
        }
    }

    /// A session that never came to anything no longer holds up our own attempts.
    pub(super) fn resume_resting(&mut self, now: Instant, key: SessionKey) {
        for rested in self.resting_for(key) {
            if let Some(attempt) = self.sessions.attempt_mut(rested) {
                attempt.resume_from(now, key);
                self.drive_attempt(now, rested);
            }
        }
    }

    pub(super) fn resting_for(&self, key: SessionKey) -> Vec<SessionKey> {
        self.sessions
            .attempts()
            .filter(|(_, attempt)| attempt.resting_for == Some(key))
            .map(|(resting, _)| resting)
            .collect()
    }
}

/// How long after its IIKeying a stranger may take to show that it holds the keys: four repetitions of it.
const PROOF_WITHIN: Duration = Duration::from_secs(10);

/// An IIKeying is a reason not to dial ourselves for so long.
const RECENT: Duration = Duration::from_secs(2);
