//! The player's end of direct streams between peers (RFC 7425 §5.4).
//!
//! One session carries all streams with a peer, in both directions: whichever end opened it. A stream that is wanted
//! while two sessions are being opened against each other waits for the one that survives. Should both survive, because
//! neither end could know better, each stream stays in the one it began in.

use std::time::Instant;

use super::alarm::Alarm;
use super::command::{self, Command};
use super::connection::Connection;
use super::flow_metadata::FlowMetadata;
use super::ids::PlaybackId;
use super::message::{self, Message};
use super::node::{Node, NodeEvent, PlaybackEnd};
use super::peer_stream::SAMPLE_ACCESS;
use super::session::{Origin, Outgoing, Owner, Session};
use super::status::StatusCode;
use crate::rtmfp::endpoint::{FlowOptions, OwnIdentity, Priority, SendFlowId, SessionKey, WriteOptions};
use crate::rtmfp::machine::Route;
use crate::rtmfp::{PeerId, SessionEnd};

/// A far peer's stream that we play, or want to.
#[derive(Debug)]
pub(super) struct Playback {
    pub(super) peer: PeerId,
    name: String,
    /// The session it is played in, or will be when that is open.
    pub(super) session: Option<SessionKey>,
    state: PlaybackState,
    /// Without a session by then, nobody was reached.
    give_up: Instant,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PlaybackState {
    /// No session is open yet.
    Waiting,
    /// `play` was said on this flow.
    Asked(SendFlowId),
    /// The publisher answered.
    Playing(SendFlowId),
}

impl Playback {
    fn flow(&self) -> Option<SendFlowId> {
        match self.state {
            PlaybackState::Waiting => None,
            PlaybackState::Asked(flow) | PlaybackState::Playing(flow) => Some(flow),
        }
    }
}

impl Node {
    /// Plays a far peer's direct stream. Opens a session to it when there is none: through the introducers of our
    /// connections, or at `candidates`.
    pub fn play_direct(
        &mut self,
        now: Instant,
        peer: PeerId,
        name: &str,
        candidates: &[Route],
    ) -> PlaybackId {
        self.play_direct_as(now, OwnIdentity::Main, peer, name, candidates)
    }

    /// [`Self::play_direct`], as one of our identities: a new session is opened as that one, through servers that know it.
    pub fn play_direct_as(
        &mut self,
        now: Instant,
        own: OwnIdentity,
        peer: PeerId,
        name: &str,
        candidates: &[Route],
    ) -> PlaybackId {
        let id = PlaybackId(self.next_name());
        let open = self.direct_session(peer);
        let give_up = now + self.config.endpoint.open_within;
        let state = PlaybackState::Waiting;
        let name = name[..name.floor_char_boundary(command::LONGEST_NAME)].to_owned();
        self.playbacks.insert(id, Playback { peer, name, session: open, state, give_up });
        if let Some(session) = open {
            self.start_playback(now, id, session);
            return id;
        }
        let candidates = self.candidates_with_introducers(own, candidates);
        let mut opening = self.sessions.iter().filter(|(_, session)| {
            session.origin == Origin::ToPeer(peer) && session.far_end.is_none() && !session.closing
        });
        let session = if let Some((key, _)) = opening.next() {
            let key = *key;
            self.endpoint.add_candidates(now, key, &candidates);
            key
        } else {
            let key = self.endpoint.open_session_to_peer_as(now, own, peer, &candidates);
            self.sessions.insert(key, Session::new(Origin::ToPeer(peer)));
            key
        };
        if let Some(playback) = self.playbacks.get_mut(&id) {
            playback.session = Some(session);
        }
        id
    }

    /// Stops playing.
    pub fn close_playback(&mut self, now: Instant, playback: PlaybackId) {
        self.end_playback(now, playback, PlaybackEnd::ClosedHere);
    }

    /// The servers that we are connected to introduce us to their other clients (§5.4.1). Each is asked over every path,
    /// whichever our session with it takes: somebody who only has an address of the other family can answer only to ours of
    /// that family, which the server sees when it is asked from there. Who is to be met at relays only shows none but the
    /// server's own session: elsewhere the server does not know who asks, and would tell where from.
    pub(super) fn candidates_with_introducers(&self, own: OwnIdentity, candidates: &[Route]) -> Vec<Route> {
        let knows_us = |connection: &&Connection| {
            connection.is_up_as_client() && self.endpoint.own_identity(connection.session) == Some(own)
        };
        let connections = self.connections.values().filter(knows_us);
        let introducers = connections.flat_map(|connection| {
            let taken = self.endpoint.route(connection.session);
            let others = connection.other_ways().iter();
            let others = others.filter(move |way| taken.is_some_and(|taken| taken.via != way.via));
            let others = others.filter(|_| !self.endpoint.is_relay_only());
            taken.into_iter().chain(others.copied())
        });
        let mut all = candidates.to_vec();
        for route in introducers {
            if !all.contains(&route) {
                all.push(route);
            }
        }
        all
    }

    /// A session with the peer is open now: what waited for one begins in it.
    pub(super) fn start_waiting_playbacks(&mut self, now: Instant, key: SessionKey, peer: PeerId) {
        let waiting = self.playbacks.iter().filter(|(_, playback)| {
            let free = playback.session.is_none_or(|session| session == key);
            playback.peer == peer && playback.state == PlaybackState::Waiting && free
        });
        let ids: Vec<PlaybackId> = waiting.map(|(id, _)| *id).collect();
        for id in ids {
            self.start_playback(now, id, key);
        }
    }

    /// Opens the control flow of a stream and says `play` on it (§5.4.1).
    fn start_playback(&mut self, now: Instant, id: PlaybackId, key: SessionKey) {
        let Some(playback) = self.playbacks.get_mut(&id) else { return };
        let Some(session) = self.sessions.get_mut(&key) else { return };
        playback.session = Some(key);
        session.idle_since = None;
        let options = FlowOptions {
            metadata: FlowMetadata::in_order(session.next_stream_id()).encode(),
            priority: Priority::Data,
            time_critical: false,
            answers: None,
        };
        let play = Command::notification("play", vec![playback.name.as_str().into()]);
        let play = message::encode_command(&play);
        let started = self.endpoint.open_flow(key, options).and_then(|flow| {
            self.endpoint.write(now, key, flow, play, WriteOptions::default())?;
            Ok(flow)
        });
        match started {
            Ok(flow) => {
                playback.state = PlaybackState::Asked(flow);
                session.outgoing.insert(flow, Outgoing::Play(id));
            }
            Err(misuse) => {
                tracing::warn!("a direct stream cannot be played: {misuse}");
                self.end_playback(now, id, PlaybackEnd::Unreachable);
            }
        }
    }

    pub(super) fn on_playback_message(&mut self, now: Instant, id: PlaybackId, message: Message) {
        let Some(playback) = self.playbacks.get_mut(&id) else { return };
        if let PlaybackState::Asked(flow) = playback.state {
            // Any word of the publisher's is its yes (§5.4.2); a no comes as a status below, or as an exception.
            playback.state = PlaybackState::Playing(flow);
        }
        match message {
            Message::Media(message) => self.tell(NodeEvent::Media { playback: id, message }),
            Message::Data { handler, .. } if handler == SAMPLE_ACCESS => {}
            Message::Data { handler, arguments } => {
                self.tell(NodeEvent::Data { playback: id, handler, arguments });
            }
            Message::Command(command) if command.name == command::ON_STATUS => {
                let Some(code) = StatusCode::of(command.info()) else { return };
                let end = match code {
                    StatusCode::PlayUnpublishNotify => Some(PlaybackEnd::Unpublished),
                    StatusCode::PlayStreamNotFound | StatusCode::PlayFailed => Some(PlaybackEnd::Refused),
                    _ => None,
                };
                self.tell(NodeEvent::PlaybackStatus { playback: id, code });
                if let Some(end) = end {
                    self.end_playback(now, id, end);
                }
            }
            Message::Command(_) | Message::UserControl(_) | Message::Unknown => {}
        }
    }

    /// The publisher refused our control flow: it never let us play, or lets us no longer (§5.4.3).
    pub(super) fn on_play_refused(&mut self, now: Instant, id: PlaybackId) {
        let Some(playback) = self.playbacks.get(&id) else { return };
        let end = match playback.state {
            PlaybackState::Playing(_) => PlaybackEnd::Unpublished,
            PlaybackState::Waiting | PlaybackState::Asked(_) => PlaybackEnd::Refused,
        };
        self.end_playback(now, id, end);
    }

    fn end_playback(&mut self, now: Instant, id: PlaybackId, end: PlaybackEnd) {
        let Some(playback) = self.playbacks.remove(&id) else { return };
        self.tell(NodeEvent::PlaybackEnded { playback: id, end });
        let Some(key) = playback.session else { return };
        let others_wait = self.playbacks.values().any(|other| other.session == Some(key));
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let Some(flow) = playback.flow()
            && session.outgoing.contains_key(&flow)
        {
            self.endpoint.close_flow(now, key, flow);
        }
        let unopened = session.far_end.is_none();
        self.refuse_flows_of(now, key, Owner::Playback(id));
        if unopened && !others_wait {
            self.close_gently(now, key);
        }
        self.look_idle(now, key);
    }

    /// All streams that fit, each with the end that fits it.
    pub(super) fn end_playbacks(
        &mut self,
        now: Instant,
        which: impl Fn(&Playback) -> bool,
        end: impl Fn(&Playback) -> PlaybackEnd,
    ) {
        let fitting = self.playbacks.iter().filter(|(_, playback)| which(playback));
        let ends: Vec<_> = fitting.map(|(id, playback)| (*id, end(playback))).collect();
        for (id, end) in ends {
            self.end_playback(now, id, end);
        }
    }

    /// The session is over. When it lost to another one with the same peer, as when both dialled, the streams go on in
    /// that one: those that play are asked for anew.
    pub(super) fn on_session_of_playbacks_ended(&mut self, now: Instant, key: SessionKey, end: SessionEnd) {
        let waits = |playback: &Playback| playback.state == PlaybackState::Waiting;
        let superseded = matches!(end, SessionEnd::Replaced | SessionEnd::ClosedThere);
        let of_it = self.playbacks.iter().filter(|(_, p)| p.session == Some(key) && (superseded || waits(p)));
        let waiting: Vec<(PlaybackId, PeerId)> = of_it.map(|(id, playback)| (*id, playback.peer)).collect();
        let was_open = self.sessions.get(&key).is_some_and(|session| session.far_end.is_some());
        for (id, peer) in waiting {
            // Whoever closes an older session for a newer one goes on there; whoever closes the newest one has left.
            let other = self.other_direct_session(peer, key);
            match other.filter(|other| end == SessionEnd::Replaced || *other > key || !was_open) {
                Some(other) => self.start_playback(now, id, other),
                None if end == SessionEnd::Replaced && !was_open => self.wait_for_the_peers_session(id),
                None => {}
            }
        }
        self.end_playbacks(
            now,
            |playback| playback.session == Some(key),
            |playback| if waits(playback) { PlaybackEnd::Unreachable } else { PlaybackEnd::of_session(end) },
        );
    }

    fn other_direct_session(&self, peer: PeerId, than: SessionKey) -> Option<SessionKey> {
        self.direct_sessions(peer).rev().map(|(key, _)| key).find(|key| *key != than)
    }

    fn wait_for_the_peers_session(&mut self, id: PlaybackId) {
        if let Some(playback) = self.playbacks.get_mut(&id) {
            playback.session = None;
            self.alarms.set(playback.give_up, Alarm::Playback(id));
        }
    }

    pub(super) fn on_playback_alarm(&mut self, now: Instant, id: PlaybackId) {
        let Some(playback) = self.playbacks.get(&id) else { return };
        if playback.session.is_none() && playback.give_up <= now {
            self.end_playback(now, id, PlaybackEnd::Unreachable);
        }
    }
}
