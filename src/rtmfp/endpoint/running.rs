//! How an endpoint is driven: one input, then everything that follows from it, fairly among the sessions.

use std::time::Instant;

use super::Endpoint;
use super::ways::Path;
use crate::rtmfp::endpoint::SessionKey;
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::event::Event;
use crate::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Received, Route, Transmit};
use crate::rtmfp::session::initiator::hello_sent::Tag;
use crate::rtmfp::session::open::Notice;
use crate::rtmfp::session_table::{Proof, Session};
use crate::rtmfp::wire::session_id;

impl Machine for Endpoint {
    /// An endpoint is asked by its methods.
    type Command = std::convert::Infallible;
    type Event = Event;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Self::Command>) {
        let now = self.never_back(now);
        self.note_time(now);
        // Whoever did not answer a flow until now will not: its session rejects it on its next turn.
        for session in std::mem::take(&mut self.asking) {
            self.wake(session);
        }
        match input {
            Input::Time => {}
            Input::Received(received) => self.on_datagrams(now, received),
            Input::PathOpened { kind: PathKind::Lent, .. } => {}
            Input::PathOpened { path, local, kind } => {
                self.paths.insert(path, Path { local, kind });
                self.leave_lost_paths(now);
            }
            Input::PathClosed { path } => self.on_path_closed(now, path),
            Input::Computed(computed) => self.on_computed(now, computed),
            Input::Command(never) => match never {},
        }
        if self.fragments.deadline().is_some_and(|due| due <= now) {
            self.fragments.expire(now);
        }
        self.give_late_answers(now);
        while let Some(session) = self.alarms.take_due(now) {
            self.on_alarm(now, session);
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Event> {
        let now = self.never_back(now);
        packets.clear();
        loop {
            if let Some((route, bytes)) = self.startup_packets.pop_front() {
                packets.extend_from_slice(&bytes);
                return Output::Transmit(Transmit::ordinary(route, bytes.len()));
            }
            if let Some((route, bytes)) = self.fragments_out.take_due(now) {
                packets.extend_from_slice(&bytes);
                return Output::Transmit(Transmit::ordinary(route, bytes.len()));
            }
            if let Some(job) = self.jobs.pop_front() {
                return Output::Compute(job);
            }
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            // The rest of a session's batch goes before another's turn.
            if let Some(transmit) = self.packing.hand_out(packets) {
                return Output::Transmit(transmit);
            }
            let Some(session) = self.ready.pop_front() else {
                let fragments = [self.fragments.deadline(), self.fragments_out.deadline()];
                let answers = self.late_answers.deadline();
                let others = fragments.into_iter().flatten().chain(answers);
                return Output::Sleep(others.chain(self.alarms.next()).min());
            };
            self.in_ready.remove(&session);
            if let Some(transmit) = self.poll_session(now, session, packets) {
                return Output::Transmit(transmit);
            }
        }
    }
}

impl Endpoint {
    /// One session's turn: at most one batch. Its notices end up in `events`.
    fn poll_session(&mut self, now: Instant, key: SessionKey, packets: &mut Vec<u8>) -> Option<Transmit> {
        loop {
            if let Some(Session::Opening(attempt)) = self.sessions.get_mut(key) {
                let due = attempt.deadline();
                self.alarms.set(key, Some(due));
                return None;
            }
            let running = self.sessions.running_mut(key)?;
            if !self.asking.contains(&key) {
                if let Some(notice) = running.session.poll_notice() {
                    self.on_notice(now, key, notice);
                    continue;
                }
                if let Some(transmit) = running.session.poll_transmit(now, &mut self.packing, packets) {
                    self.wake(key);
                    return Some(transmit);
                }
                if let Some(notice) = running.session.poll_notice() {
                    self.on_notice(now, key, notice);
                    continue;
                }
            }
            let proof_by = match running.proof {
                Proof::Awaited { until, .. } => Some(until),
                Proof::Given => None,
            };
            let due = running.session.deadline().into_iter().chain(proof_by).min();
            self.alarms.set(key, due);
            return None;
        }
    }

    fn on_notice(&mut self, now: Instant, key: SessionKey, notice: Notice) {
        match notice {
            Notice::Event(Event::SessionEnded { end, .. }) => {
                self.on_session_ended(now, key, end);
                self.resume_resting(now, key);
            }
            Notice::Event(event) => {
                match event {
                    Event::RouteChanged { route, .. } => self.sessions.moved(key, route),
                    Event::FlowOpened { .. } => {
                        self.asking.insert(key);
                    }
                    _ => {}
                }
                self.events.push_back(event);
            }
            Notice::ForwardedHello { endpoint_discriminator, initiator, tag } => {
                if let Some(introducer) = self.sessions.running(key).map(|running| running.session.route()) {
                    self.on_forwarded_hello(now, introducer, &endpoint_discriminator, initiator, &tag);
                }
            }
            Notice::Over => {
                self.sessions.remove(key);
                self.alarms.set(key, None);
                self.asking.remove(&key);
                self.resume_resting(now, key);
            }
        }
    }

    /// Tells the layer above the end of a session that it knows of.
    fn on_session_ended(&mut self, now: Instant, key: SessionKey, end: SessionEnd) {
        let Some(running) = self.sessions.running_mut(key) else { return };
        let end = match (running.ends_as, running.proof) {
            (Some(instead), _) => instead,
            (None, Proof::Given) => end,
            // Nobody was told of it.
            (None, Proof::Awaited { .. }) if !running.initiator => return,
            (None, Proof::Awaited { since, .. }) => match end {
                SessionEnd::ClosedHere => end,
                _ => SessionEnd::NeverOpened { waited: now.saturating_duration_since(since) },
            },
        };
        self.events.push_back(Event::SessionEnded { session: key, end });
    }

    fn on_alarm(&mut self, now: Instant, key: SessionKey) {
        match self.sessions.get_mut(key) {
            Some(Session::Opening(_)) => self.drive_attempt(now, key),
            Some(Session::Running(running)) => match running.proof {
                Proof::Awaited { until, .. } if until <= now => self.on_no_proof(now, key),
                _ => {
                    running.session.on_time(now);
                    self.wake(key);
                }
            },
            None => {}
        }
    }

    /// Nobody has shown to hold the session's keys.
    fn on_no_proof(&mut self, now: Instant, key: SessionKey) {
        let Some(Session::Running(running)) = self.sessions.remove(key) else { return };
        self.alarms.set(key, None);
        if let (true, Proof::Awaited { since, .. }) =
            (running.initiator && running.session.is_open(), running.proof)
        {
            let end = SessionEnd::NeverOpened { waited: now.saturating_duration_since(since) };
            self.events.push_back(Event::SessionEnded { session: key, end });
        }
        self.resume_resting(now, key);
    }

    fn on_datagrams(&mut self, now: Instant, received: Received<'_>) {
        let Received { route, ecn, segment_size, bytes } = received;
        let mut datagrams = bytes.chunks_mut(segment_size.max(1));
        let mut next = datagrams.next();
        let shows_us = !self.may_be_seen_at(route);
        while let Some(datagram) = next.take() {
            let near_id = session_id::peek(datagram);
            let running = near_id.and_then(|near_id| self.sessions.with_near_id(near_id));
            if shows_us && running.is_some_and(|key| self.is_relayed_session(key)) {
                // Whoever meets us at a relay only guesses where we are, and must not learn it by an answer.
                self.dropped += 1;
                next = datagrams.next();
                continue;
            }
            if let Some((key, Session::Running(running))) =
                running.and_then(|key| Some((key, self.sessions.get_mut(key)?)))
            {
                // Most of a batch is for one session, which is looked for once.
                let mut genuine = running.session.on_datagram(now, route, ecn, datagram);
                next = datagrams.next();
                while let Some(another) = next.take_if(|another| session_id::peek(another) == near_id) {
                    genuine |= running.session.on_datagram(now, route, ecn, another);
                    next = datagrams.next();
                }
                if genuine {
                    self.on_genuine(now, key);
                }
                self.wake(key);
            } else {
                self.on_other_datagram(now, route, near_id, datagram);
                next = datagrams.next();
            }
        }
    }

    /// A datagram that belongs to no session with keys.
    fn on_other_datagram(&mut self, now: Instant, route: Route, near_id: Option<u32>, datagram: &mut [u8]) {
        match near_id {
            Some(0) => self.on_startup_datagram(now, route, datagram),
            Some(near_id) if let Some(key) = self.sessions.with_near_id(near_id) => {
                self.on_keying_datagram(now, key, route, datagram);
            }
            _ => self.dropped += 1,
        }
    }

    fn on_path_closed(&mut self, now: Instant, path: PathId) {
        self.paths.remove(&path);
        let attempts: Vec<SessionKey> = self.sessions.attempts().map(|(key, _)| key).collect();
        for key in attempts {
            let tag: Tag = self.chance.bytes();
            if let Some(mut attempt) = self.sessions.take_attempt(key) {
                let starts_again = attempt.on_path_closed(path, tag);
                self.sessions.insert_attempt(key, attempt);
                if starts_again {
                    self.forget_steps(key);
                    self.resume_resting(now, key);
                }
                self.drive_attempt(now, key);
            }
        }
        self.leave_lost_paths(now);
    }
}
