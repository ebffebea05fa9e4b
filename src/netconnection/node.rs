//! An endpoint with its connections and streams: what a Flash program's NetConnection and NetStream objects were.
//!
//! A node is both client and server: it connects to servers, accepts clients, and exchanges direct streams with peers.
//! This file routes: what the endpoint tells goes to whom the session and the flow belong.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

pub use super::event::{NodeEvent, PlaybackEnd, Whose};
pub use super::ids::{
    CallToken, ConnectionId, MediaDeadline, MediaKind, MediaMessage, ObjectEncoding, OwnIdentity, PlaybackId,
    PublicationId, ServerStreamId, StreamWish, SubscriberId, Target,
};

use super::alarm::{Alarm, Alarms};
use super::call::AskedOfUs;
use super::connection::Connection;
use super::flow_metadata::FlowMetadata;
use super::ids::Lane;
use super::message::{self, Message};
use super::outlet::{Outlet, Sent};
use super::peer_stream::{Publication, Subscriber};
use super::playback::Playback;
use super::served_stream::ServedStream;
use super::session::{FarEnd, Incoming, Origin, Outgoing, Owner, Session};
use super::stream::ServerStream;
pub use super::ways::AnsweredProbe;
use crate::amf::Value;
use crate::rtmfp::crypto::flash;
use crate::rtmfp::endpoint::{
    CloseManner, Delivery, EndpointConfig, MessageId, ReceiveFlowId, SendFlowId, SessionFigures, SessionKey,
};
use crate::rtmfp::machine::{Input, Machine, Output, Route};
use crate::rtmfp::{Endpoint, Event, PeerId, SessionEnd};

/// Settings of a node.
#[derive(Clone)]
pub struct NodeConfig {
    /// The endpoint below.
    pub endpoint: EndpointConfig,
    /// Far peers that may play us directly at once (maxPeerConnections).
    pub most_peer_connections: usize,
}

impl NodeConfig {
    /// The usual settings, over such an endpoint: at most eight far peers play us directly.
    pub fn new(endpoint: EndpointConfig) -> Self {
        Self { endpoint, most_peer_connections: 8 }
    }
}

/// NetConnections and NetStreams over one endpoint.
pub struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) config: NodeConfig,
    pub(super) near_id: PeerId,
    pub(super) events: VecDeque<NodeEvent>,
    pub(super) alarms: Alarms,
    pub(super) sessions: BTreeMap<SessionKey, Session>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) asked_of_us: BTreeMap<CallToken, AskedOfUs>,
    pub(super) streams: BTreeMap<ServerStreamId, ServerStream>,
    /// Those of clients, at us as their server.
    pub(super) served: BTreeMap<ServerStreamId, ServedStream>,
    pub(super) publications: BTreeMap<PublicationId, Publication>,
    pub(super) subscribers: BTreeMap<SubscriberId, Subscriber>,
    pub(super) playbacks: BTreeMap<PlaybackId, Playback>,
    /// What a server asked for the sessions with our peers.
    pub(super) peer_keepalive: Option<Duration>,
    names_given: u64,
}

impl Node {
    /// A node without connections.
    pub fn new(config: NodeConfig) -> Self {
        let config = NodeConfig { endpoint: config.endpoint.within_bounds(), ..config };
        let endpoint = Endpoint::new(config.endpoint.clone());
        Self {
            // A profile that cannot read its own certificate is nobody, and nobody will ever prove to be nobody.
            near_id: endpoint.own_peer_id().unwrap_or(PeerId([0; 32])),
            endpoint,
            config,
            events: VecDeque::new(),
            alarms: Alarms::default(),
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            asked_of_us: BTreeMap::new(),
            streams: BTreeMap::new(),
            served: BTreeMap::new(),
            publications: BTreeMap::new(),
            subscribers: BTreeMap::new(),
            playbacks: BTreeMap::new(),
            peer_keepalive: None,
            names_given: 0,
        }
    }

    /// This end's peer ID (nearID), by its main identity.
    pub fn near_id(&self) -> PeerId {
        self.near_id
    }

    /// The peer ID of one of our identities, if we have it.
    pub fn id_of(&self, own: OwnIdentity) -> Option<PeerId> {
        self.endpoint.peer_id_of(own)
    }

    /// Sends a data message, reliably: `send(handler, arguments…)`. To nobody, and beyond what the send queue holds, it
    /// is dropped.
    pub fn send_data(&mut self, now: Instant, target: Target, handler: &str, arguments: Vec<Value>) {
        let message = message::encode_data(handler, &arguments);
        for target in self.single_targets(target) {
            self.write_data(now, target, message.clone());
        }
    }

    /// Sends a data message for which nobody waits, reliably and in the order of its kind: after sound, pictures and all
    /// other data. [`NodeEvent::BulkMoved`] tells when it left the queue; before [`Node::queued_bulk`] is small, the next
    /// need not be made. To nobody, and beyond what the send queue holds, it is dropped.
    pub fn send_bulk(&mut self, now: Instant, target: Target, handler: &str, arguments: Vec<Value>) {
        let message = message::encode_data(handler, &arguments);
        for target in self.single_targets(target) {
            let Some(outlet) = outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
            else {
                continue;
            };
            let sent = outlet.send_bulk(&mut self.endpoint, now, message.clone());
            let session = outlet.session;
            self.note_sent(session, target, Lane::Bulk, sent);
        }
    }

    /// Sends sound or picture.
    ///
    /// A message that needs the previous one, when that one was given up, is dropped at once; like all that is given up
    /// later it is told as [`NodeEvent::MediaAbandoned`].
    pub fn send_media(
        &mut self,
        now: Instant,
        target: Target,
        message: MediaMessage,
        deadline: MediaDeadline,
    ) {
        let bytes = message::encode_media(&message);
        for target in self.single_targets(target) {
            let kind = message.kind;
            let Some(outlet) = outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
            else {
                continue;
            };
            let sent = outlet.send_media(
                &mut self.endpoint,
                now,
                kind,
                (bytes.clone(), message.timestamp),
                deadline,
            );
            let session = outlet.session;
            self.note_sent(session, target, Lane::Media(kind), sent);
            if !sent.queued {
                self.tell(NodeEvent::MediaAbandoned { target, kind, timestamp: message.timestamp });
            }
        }
    }

    /// Gives up video that was queued to a target and not delivered, codec configuration too: configuration and a fresh
    /// key frame are about to follow.
    pub fn abandon_video(&mut self, now: Instant, target: Target) {
        for target in self.single_targets(target) {
            if let Some(outlet) =
                outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
            {
                outlet.abandon_video(&mut self.endpoint, now);
            }
        }
    }

    /// Bytes queued to a target and not yet acknowledged, of one kind. Of a publication: to its slowest subscriber.
    pub fn queued(&self, target: Target, kind: MediaKind) -> usize {
        self.queued_on(target, Lane::Media(kind))
    }

    /// Bytes of bulk data queued to a target and not yet acknowledged.
    pub fn queued_bulk(&self, target: Target) -> usize {
        self.queued_on(target, Lane::Bulk)
    }

    fn queued_on(&self, target: Target, lane: Lane) -> usize {
        let targets = self.single_targets(target).into_iter();
        let outlets = targets.filter_map(|target| match target {
            Target::Subscriber(id) => self.subscribers.get(&id)?.outlet(),
            Target::ServerStream(id) => match self.streams.get(&id) {
                Some(stream) => stream.outlet.as_ref(),
                None => self.served.get(&id)?.playing(),
            },
            Target::Publication(_) => None,
        });
        outlets.map(|outlet| outlet.queued(&self.endpoint, lane)).max().unwrap_or(0)
    }

    /// Closes the direct session with a peer, and every stream in it.
    pub fn close_peer(&mut self, now: Instant, peer: PeerId) {
        let of_peer = |(key, session): (&SessionKey, &Session)| {
            let wanted = session.origin == Origin::ToPeer(peer);
            (wanted || session.is_direct_with(peer)).then_some(*key)
        };
        let sessions: Vec<SessionKey> = self.sessions.iter().filter_map(of_peer).collect();
        self.end_playbacks(now, |playback| playback.peer == peer, |_| PlaybackEnd::ClosedHere);
        for session in sessions {
            self.end_subscribers(now, session, false);
            self.close_gently(now, session);
        }
    }

    /// The figures of the direct session with a peer. Of two, the one that we send in; but what came is all that came.
    pub fn peer_figures(&self, now: Instant, peer: PeerId) -> Option<SessionFigures> {
        let session = self.sending_session(peer)?;
        let mut figures = self.endpoint.figures(now, session)?;
        for (other, _) in self.direct_sessions(peer).filter(|(other, _)| *other != session) {
            if let Some(other) = self.endpoint.figures(now, other) {
                figures.packets_received += other.packets_received;
                figures.bytes_received += other.bytes_received;
            }
        }
        Some(figures)
    }

    /// The figures of every direct session with a peer, each with the name it keeps.
    pub fn direct_figures(&self, now: Instant, peer: PeerId) -> Vec<(SessionKey, SessionFigures)> {
        let of = |(key, _)| Some((key, self.endpoint.figures(now, key)?));
        self.direct_sessions(peer).filter_map(of).collect()
    }

    /// The figures of the session that a connection is in, as client or as server.
    pub fn connection_figures(&self, now: Instant, connection: ConnectionId) -> Option<SessionFigures> {
        self.endpoint.figures(now, self.connections.get(&connection)?.session)
    }

    /// How many sessions the endpoint below holds, with whomever: opening, open, and closing.
    pub fn sessions(&self) -> usize {
        self.endpoint.sessions()
    }

    /// Bytes the endpoint below holds for others; see [`Endpoint::held_bytes`].
    pub fn held_bytes(&self) -> usize {
        self.endpoint.held_bytes()
    }

    /// The way the direct session with a peer takes.
    pub fn peer_route(&self, peer: PeerId) -> Option<Route> {
        self.endpoint.route(self.sending_session(peer)?)
    }

    /// What ties something to the direct sessions with a peer, the one that carries what we send to it first: both ends' session nonces (RFC 7425 §4.6.4),
    /// that of the lower peer ID first. Both ends of a session get the same, and nobody else does. There are two sessions
    /// when both ends dialled and neither could know of the other's dialling.
    pub fn session_bindings(&self, peer: PeerId) -> Vec<[u8; 64]> {
        let sending = self.sending_session(peer);
        let others = self.direct_sessions(peer).rev().map(|(key, _)| key).filter(|key| Some(*key) != sending);
        let nonces = sending.into_iter().chain(others).filter_map(|key| self.endpoint.nonces(key));
        let binding = |(near, far): ([u8; 32], [u8; 32])| {
            let (first, second) = if self.near_id < peer { (near, far) } else { (far, near) };
            let mut both = [0; 64];
            both[..32].copy_from_slice(&first);
            both[32..].copy_from_slice(&second);
            both
        };
        nonces.map(binding).collect()
    }

    /// A number for the next thing that needs a name.
    pub(super) fn next_name(&mut self) -> u64 {
        self.names_given += 1;
        self.names_given
    }

    pub(super) fn tell(&mut self, event: NodeEvent) {
        self.events.push_back(event);
    }

    /// The open session for new direct streams with a peer. Of two, the newer: the peer may have forgotten the other.
    pub(super) fn direct_session(&self, peer: PeerId) -> Option<SessionKey> {
        self.direct_sessions(peer).next_back().map(|(key, _)| key)
    }

    /// The open sessions for direct streams with a peer, older ones first. There are two when both ends dialled and
    /// neither could know of the other's dialling.
    pub(super) fn direct_sessions(
        &self,
        peer: PeerId,
    ) -> impl DoubleEndedIterator<Item = (SessionKey, &Session)> {
        let direct = self.sessions.iter().filter(move |(_, session)| session.is_direct_with(peer));
        direct.map(|(key, session)| (*key, session))
    }

    /// The direct session in which a peer plays us, or would.
    pub(super) fn sending_session(&self, peer: PeerId) -> Option<SessionKey> {
        let mut newest_first = self.direct_sessions(peer).rev().map(|(key, _)| key);
        let plays = |key: &SessionKey| {
            self.subscribers
                .values()
                .any(|subscriber| subscriber.session == *key && subscriber.publication().is_some())
        };
        newest_first.find(plays).or_else(|| self.direct_session(peer))
    }

    /// Queues a command, status or data message on a stream's flow for these.
    pub(super) fn write_data(&mut self, now: Instant, target: Target, message: Bytes) {
        let Some(outlet) = outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
        else {
            return;
        };
        let sent = outlet.send_data(&mut self.endpoint, now, message);
        let session = outlet.session;
        self.note_sent(session, target, Lane::Data, sent);
    }

    pub(super) fn note_sent(&mut self, session: SessionKey, target: Target, lane: Lane, sent: Sent) {
        if let (Some(flow), Some(session)) = (sent.opened, self.sessions.get_mut(&session)) {
            session.outgoing.insert(flow, Outgoing::Stream(target, lane));
        }
        match lane {
            _ if sent.queued => {}
            // Whoever sent it tells.
            Lane::Media(_) => {}
            // The next is on its way.
            Lane::Passing => {}
            Lane::Data | Lane::Bulk => {
                tracing::warn!("a data message was dropped: the stream takes no more")
            }
        }
    }

    /// A publication stands for each of its subscribers.
    pub(super) fn single_targets(&self, target: Target) -> Vec<Target> {
        match target {
            Target::Publication(publication) => {
                let of_it = self.subscribers.iter().filter(|(_, s)| s.publication() == Some(publication));
                of_it.map(|(id, _)| Target::Subscriber(*id)).collect()
            }
            single => vec![single],
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::SessionOpened { session, peer, proven, route, .. } => {
                self.on_session_opened(now, session, FarEnd { peer, proven, route });
            }
            Event::SessionEnded { session, end } => self.on_session_ended(now, session, end),
            Event::RouteChanged { session, route } => self.on_route_changed(session, route),
            Event::FlowOpened { session, flow, metadata, answers } => {
                self.on_flow_opened(now, session, flow, &metadata, answers);
            }
            Event::Message { session, flow, sequence, bytes } => {
                self.on_message(now, session, flow, sequence, &bytes);
            }
            Event::FlowFinished { session, flow } | Event::FlowFailed { session, flow } => {
                self.on_flow_finished(now, session, flow);
            }
            // Pictures and sound bear their times, and what must not be missed is never given up.
            Event::Gap { .. } => {}
            Event::FlowRefused { session, flow, code: _ } => self.on_flow_refused(now, session, flow),
            Event::MessageDone { session, flow, message, delivered } => {
                self.on_message_done(session, flow, message, delivered);
            }
            Event::MessageLeft { session, flow, message, fragments_sent } => {
                self.on_message_left(session, flow, message, fragments_sent);
            }
            Event::FlowWritable { .. } => {}
            Event::FlowCompleted { session, flow } => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.outgoing.remove(&flow);
                }
                self.close_if_said_all(now, session);
            }
            Event::ProbeAnswered { session, route, round_trip } => {
                self.on_probe_answered(AnsweredProbe { session, route, round_trip });
            }
            Event::ProbedFrom { session, route } => self.on_probed_from(session, route),
            Event::HelloForAnother { route, endpoint_discriminator, tag } => {
                let peer = flash::fingerprint_in(&endpoint_discriminator);
                self.tell(NodeEvent::HelloForAnother { route, peer, endpoint_discriminator, tag });
            }
        }
    }

    fn on_session_opened(&mut self, now: Instant, key: SessionKey, far_end: FarEnd) {
        let session = self.sessions.entry(key).or_insert_with(|| Session::new(Origin::Theirs));
        session.far_end = Some(far_end);
        match session.origin {
            Origin::ToServer => self.on_server_reached(now, key),
            Origin::ToPeer(peer) => {
                if far_end.peer != peer || !far_end.proven {
                    tracing::warn!("whoever answered did not prove to be the peer that was called");
                    self.endpoint.close_session(now, key, CloseManner::Abrupt);
                    return;
                }
                self.on_peer_reached(now, key, peer);
            }
            Origin::Theirs => self.on_peer_reached(now, key, far_end.peer),
        }
        self.look_idle(now, key);
    }

    /// A session in which direct streams can be played: those that wait for one begin.
    fn on_peer_reached(&mut self, now: Instant, key: SessionKey, peer: PeerId) {
        if let Some(keepalive) = self.peer_keepalive {
            self.endpoint.set_patience(key, keepalive, self.config.endpoint.vanish_after);
        }
        if self.sessions.get(&key).is_some_and(|session| session.is_direct_with(peer)) {
            self.start_waiting_playbacks(now, key, peer);
        }
    }

    fn on_session_ended(&mut self, now: Instant, key: SessionKey, end: SessionEnd) {
        let Some(session) = self.sessions.get(&key) else { return };
        if let Some(connection) = session.connection {
            self.on_connection_lost(now, connection, end);
        }
        let vanished = PlaybackEnd::of_session(end) == PlaybackEnd::Vanished;
        self.end_subscribers(now, key, vanished);
        self.on_session_of_playbacks_ended(now, key, end);
        self.sessions.remove(&key);
    }

    fn on_route_changed(&mut self, key: SessionKey, route: Route) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(far_end) = &mut session.far_end else { return };
        far_end.route = route;
        let peer = far_end.peer;
        // Also with a client of ours: whoever asks for it is to be sent to where it is now.
        if session.origin != Origin::ToServer {
            self.tell(NodeEvent::RouteChanged { peer, route });
        }
    }

    fn on_flow_opened(
        &mut self,
        now: Instant,
        key: SessionKey,
        flow: ReceiveFlowId,
        metadata: &[u8],
        answers: Option<SendFlowId>,
    ) {
        let metadata = FlowMetadata::parse(metadata);
        let owner = metadata.and_then(|metadata| self.owner_of_new_flow(now, key, flow, metadata, answers));
        let (Some(metadata), Some(owner), Some(session)) = (metadata, owner, self.sessions.get_mut(&key))
        else {
            // Another kind of flow, one without a stream, or one that nothing here waits for (§5.1.1, §5.3.5.3).
            self.endpoint.reject_flow(now, key, flow, NO_REASON);
            return;
        };
        let as_they_arrive = metadata.as_they_arrive;
        session.incoming.insert(flow, Incoming { owner, latest: None, as_they_arrive });
        session.idle_since = None;
        let delivery = if as_they_arrive { Delivery::Arrival } else { Delivery::Ordered };
        self.endpoint.accept_flow(key, flow, delivery);
    }

    /// To what a new flow belongs, by the flow of ours that it answers; `None` refuses it.
    fn owner_of_new_flow(
        &mut self,
        now: Instant,
        key: SessionKey,
        flow: ReceiveFlowId,
        metadata: FlowMetadata,
        answers: Option<SendFlowId>,
    ) -> Option<Owner> {
        let session = self.sessions.get(&key)?;
        if session.closing {
            return None;
        }
        let full = session.incoming.len() >= MOST_FLOWS;
        let Some(answered) = answers else {
            return if full {
                None
            } else if metadata.stream == 0 {
                self.on_control_flow(now, key, flow)
            } else {
                self.on_play_flow(now, key, flow, metadata.stream)
            };
        };
        let owner = match *session.outgoing.get(&answered)? {
            Outgoing::Connection(connection) => self.on_connection_flow(connection, flow, metadata.stream),
            Outgoing::Play(playback) => Some(Owner::Playback(playback)),
            Outgoing::Stream(..) => None,
        }?;
        if full {
            // Of a stream, all flows are refused or none (§5.3.5.3).
            self.refuse_flows_of(now, key, owner);
            return None;
        }
        Some(owner)
    }

    /// Refuses every flow of a stream: a barrier may be on its way in any of them (§5.3.5.3).
    pub(super) fn refuse_flows_of(&mut self, now: Instant, key: SessionKey, owner: Owner) {
        if matches!(owner, Owner::Connection(_)) {
            return;
        }
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let of_it = session.incoming.extract_if(.., |_, incoming| incoming.owner == owner);
        for (flow, _) in of_it {
            self.endpoint.reject_flow(now, key, flow, NO_REASON);
        }
    }

    fn on_message(
        &mut self,
        now: Instant,
        key: SessionKey,
        flow: ReceiveFlowId,
        sequence: u64,
        bytes: &Bytes,
    ) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(incoming) = session.incoming.get_mut(&flow) else { return };
        let message = Message::parse(bytes);
        let is_sound = matches!(&message, Message::Media(media) if media.kind == MediaKind::Audio);
        if incoming.as_they_arrive && !is_sound {
            // Only sound is sorted again before it is played; anything else that comes late is of no use any more.
            if incoming.latest.is_some_and(|latest| sequence < latest) {
                return;
            }
            incoming.latest = Some(sequence);
        }
        let tree = incoming.owner.tree();
        let passed = session.sync.pass(now, tree, flow, message);
        if let Some(deadline) = session.sync.deadline() {
            self.alarms.set(deadline, Alarm::Barrier(key));
        }
        self.deliver(now, key, passed);
    }

    fn deliver(&mut self, now: Instant, key: SessionKey, messages: Vec<(ReceiveFlowId, Message)>) {
        for (flow, message) in messages {
            let incoming = self.sessions.get(&key).and_then(|session| session.incoming.get(&flow));
            match incoming.map(|incoming| incoming.owner) {
                Some(Owner::Connection(id)) => self.on_connection_message(now, id, message),
                Some(Owner::Stream(id)) => self.on_stream_message(id, message),
                Some(Owner::Served(id)) => self.on_served_message(now, id, message),
                Some(Owner::Playback(id)) => self.on_playback_message(now, id, message),
                Some(Owner::Subscriber(id)) => self.on_subscriber_message(now, id, message),
                None => {}
            }
        }
        let Some(Session { finished, sync, .. }) = self.sessions.get_mut(&key) else { return };
        let let_go: Vec<ReceiveFlowId> = finished.extract_if(.., |flow| !sync.holds(*flow)).collect();
        for flow in let_go {
            self.on_flow_finished(now, key, flow);
        }
    }

    fn on_flow_finished(&mut self, now: Instant, key: SessionKey, flow: ReceiveFlowId) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.sync.holds(flow) {
            session.finished.insert(flow);
            return;
        }
        match session.incoming.remove(&flow).map(|incoming| incoming.owner) {
            Some(Owner::Connection(id)) => self.on_control_flow_finished(now, id, flow),
            Some(Owner::Subscriber(id)) => self.end_subscriber(now, id, false),
            // Flows of media come and go without a meaning for their stream (§5.3.5.3, §5.4.2).
            Some(Owner::Stream(_) | Owner::Served(_) | Owner::Playback(_)) | None => {}
        }
        self.close_if_said_all(now, key);
        self.look_idle(now, key);
    }

    fn on_flow_refused(&mut self, now: Instant, key: SessionKey, flow: SendFlowId) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        match session.outgoing.remove(&flow) {
            Some(Outgoing::Connection(id)) => self.on_control_flow_refused(now, id, flow),
            Some(Outgoing::Play(id)) => self.on_play_refused(now, id),
            Some(Outgoing::Stream(target, _)) => {
                if let Some(outlet) =
                    outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
                {
                    outlet.on_flow_refused(flow);
                }
            }
            None => {}
        }
        self.close_if_said_all(now, key);
    }

    fn on_message_done(&mut self, key: SessionKey, flow: SendFlowId, message: MessageId, delivered: bool) {
        let outgoing = self.sessions.get(&key).and_then(|session| session.outgoing.get(&flow));
        let Some(&Outgoing::Stream(target, lane)) = outgoing else { return };
        let kind = match lane {
            Lane::Media(kind) => kind,
            Lane::Bulk => {
                self.tell(NodeEvent::BulkMoved { target });
                return;
            }
            Lane::Data | Lane::Passing => return,
        };
        let Some(outlet) = outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
        else {
            return;
        };
        let Some(done) = outlet.on_message_done(kind, message, delivered) else { return };
        let timestamp = done.timestamp;
        if !delivered {
            self.tell(NodeEvent::MediaAbandoned { target, kind, timestamp });
        } else if kind == MediaKind::Video && done.may_fall {
            self.tell(NodeEvent::PictureArrived { target, timestamp });
        }
    }

    fn on_alarm(&mut self, now: Instant, alarm: Alarm) {
        match alarm {
            Alarm::Connect(id) => self.on_connect_alarm(now, id),
            Alarm::Subscriber(id) => self.on_subscriber_alarm(now, id),
            Alarm::Playback(id) => self.on_playback_alarm(now, id),
            Alarm::Idle(key) => self.on_idle_alarm(now, key),
            Alarm::Closing(key) => {
                if self.sessions.contains_key(&key) {
                    self.endpoint.close_session(now, key, CloseManner::Orderly);
                }
            }
            Alarm::Barrier(key) => {
                let Some(session) = self.sessions.get_mut(&key) else { return };
                let passed = session.sync.on_time(now);
                self.deliver(now, key, passed);
            }
        }
    }
}

impl Machine for Node {
    /// A node is asked by its methods.
    type Command = std::convert::Infallible;
    type Event = NodeEvent;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Self::Command>) {
        let opened = match &input {
            Input::PathOpened { path, .. } => Some(*path),
            _ => None,
        };
        self.endpoint.handle_input(now, input);
        if let Some(path) = opened {
            self.try_over(now, path);
        }
        while let Some(alarm) = self.alarms.due(now) {
            self.on_alarm(now, alarm);
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<NodeEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            match self.endpoint.poll_output(now, packets) {
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Event(event) => self.on_event(now, event),
                Output::Sleep(until) => {
                    return Output::Sleep(until.into_iter().chain(self.alarms.next()).min());
                }
            }
        }
    }
}

/// The sending side of a single target.
pub(super) fn outlet_of<'a>(
    subscribers: &'a mut BTreeMap<SubscriberId, Subscriber>,
    streams: &'a mut BTreeMap<ServerStreamId, ServerStream>,
    served: &'a mut BTreeMap<ServerStreamId, ServedStream>,
    target: Target,
) -> Option<&'a mut Outlet> {
    match target {
        Target::Subscriber(id) => subscribers.get_mut(&id)?.outlet_mut(),
        Target::ServerStream(id) => match streams.get_mut(&id) {
            Some(stream) => stream.outlet.as_mut(),
            None => Some(&mut served.get_mut(&id)?.outlet),
        },
        Target::Publication(_) => None,
    }
}

/// The code of a refused flow: none are defined (§5.3.5.3).
pub(super) const NO_REASON: u64 = 0;

/// Flows the far end may have open to us in one session: 1024 streams of a client, or a few of a peer, and control.
const MOST_FLOWS: usize = 1100;

#[cfg(test)]
mod tests;
