//! The publisher's end of direct streams between peers (RFC 7425 §5.4).
//!
//! A far peer that wants to play opens a flow with a `play` command on it. It stays undecided until the layer above
//! accepts or refuses it; accepting opens return flows that answer the play flow.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::command::Command;
use super::ids::{PublicationId, SubscriberId, Target};
use super::message::{self, Message};
use super::node::{NO_REASON, Node, NodeEvent};
use super::outlet::Outlet;
use super::session::{Origin, Owner};
use super::status::StatusCode;
use super::user_control::UserControl;
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::{ReceiveFlowId, SessionKey};

/// A name under which we publish directly.
#[derive(Debug)]
pub(super) struct Publication {
    name: String,
}

/// A far peer that plays us, or wants to.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) session: SessionKey,
    peer: PeerId,
    /// Its control flow.
    flow: ReceiveFlowId,
    stream: u32,
    state: SubscriberState,
}

#[derive(Debug)]
enum SubscriberState {
    /// It has not said yet what it wants to play.
    Silent { until: Instant },
    /// It asked, and waits for an answer.
    Undecided { until: Instant },
    /// It plays.
    Playing { publication: PublicationId, outlet: Box<Outlet> },
}

impl Subscriber {
    pub(super) fn publication(&self) -> Option<PublicationId> {
        match &self.state {
            SubscriberState::Playing { publication, .. } => Some(*publication),
            SubscriberState::Silent { .. } | SubscriberState::Undecided { .. } => None,
        }
    }

    pub(super) fn outlet(&self) -> Option<&Outlet> {
        match &self.state {
            SubscriberState::Playing { outlet, .. } => Some(outlet),
            SubscriberState::Silent { .. } | SubscriberState::Undecided { .. } => None,
        }
    }

    pub(super) fn outlet_mut(&mut self) -> Option<&mut Outlet> {
        match &mut self.state {
            SubscriberState::Playing { outlet, .. } => Some(outlet),
            SubscriberState::Silent { .. } | SubscriberState::Undecided { .. } => None,
        }
    }
}

impl Node {
    /// Publishes a direct stream under a name. Several of different names may be published.
    pub fn publish_direct(&mut self, _now: Instant, name: &str) -> PublicationId {
        let id = PublicationId(self.next_name());
        self.publications.insert(id, Publication { name: name.to_owned() });
        id
    }

    /// Stops publishing; its subscribers are told and let go.
    pub fn unpublish(&mut self, now: Instant, publication: PublicationId) {
        if self.publications.remove(&publication).is_none() {
            return;
        }
        let of_it = self.subscribers.iter().filter(|(_, s)| s.publication() == Some(publication));
        let subscribers: Vec<SubscriberId> = of_it.map(|(id, _)| *id).collect();
        for id in subscribers {
            self.let_go(now, id);
            self.tell(NodeEvent::SubscriberGone {
                subscriber: id,
                publication: Some(publication),
                vanished: false,
            });
        }
    }

    /// Lets a subscriber play a publication: Play.Reset, Play.Start, and media from now on.
    ///
    /// Does nothing for one that plays already; refuses it when [`super::node::NodeConfig::most_peer_connections`] other
    /// peers play us, and tells [`NodeEvent::SubscriberGone`] then.
    pub fn accept_subscriber(&mut self, now: Instant, subscriber: SubscriberId, publication: PublicationId) {
        let Some(publication_name) = self.publications.get(&publication).map(|p| p.name.clone()) else {
            return;
        };
        let Some(found) = self.subscribers.get(&subscriber) else { return };
        if !matches!(found.state, SubscriberState::Undecided { .. }) {
            return;
        }
        if self.is_full_for(found.peer) {
            self.refuse_subscriber(now, subscriber);
            self.tell(NodeEvent::SubscriberGone { subscriber, publication: None, vanished: false });
            return;
        }
        let Some(found) = self.subscribers.get_mut(&subscriber) else { return };
        let outlet = Box::new(Outlet::new(found.session, found.stream, Some(found.flow)));
        found.state = SubscriberState::Playing { publication, outlet };
        let begin = UserControl::StreamBegin(found.stream);
        let reset =
            Command::status(&StatusCode::PlayReset, &format!("Playing and resetting {publication_name}."));
        let start = Command::status(&StatusCode::PlayStart, &format!("Started playing {publication_name}."));
        let target = Target::Subscriber(subscriber);
        self.write_data(now, target, message::encode_user_control(begin));
        self.write_data(now, target, message::encode_command(&reset));
        self.write_data(now, target, message::encode_command(&start));
        self.write_data(now, target, message::encode_data(SAMPLE_ACCESS, &[true.into(), true.into()]));
        self.tell(NodeEvent::PlayStarted { subscriber, publication });
    }

    /// Refuses a subscriber, or lets it go.
    pub fn refuse_subscriber(&mut self, now: Instant, subscriber: SubscriberId) {
        self.let_go(now, subscriber);
    }

    /// A flow of a stream that answers nothing of ours: a peer is about to say `play` (§5.4.1). Only a peer that proved
    /// who it is may, and only so many at once may be undecided.
    pub(super) fn on_play_flow(
        &mut self,
        now: Instant,
        key: SessionKey,
        flow: ReceiveFlowId,
        stream: u32,
    ) -> Option<Owner> {
        let session = self.sessions.get(&key)?;
        let far_end = session.far_end?;
        if !far_end.proven || session.connection.is_some() || session.origin == Origin::ToServer {
            return None;
        }
        let undecided = || self.subscribers.values().filter(|s| s.publication().is_none());
        let of_peer = undecided().filter(|s| s.peer == far_end.peer).count();
        if undecided().count() >= MOST_UNDECIDED || of_peer >= MOST_UNDECIDED_OF_A_PEER {
            return None;
        }
        let until = now + UNDECIDED_FOR;
        let id = SubscriberId(self.next_name());
        let state = SubscriberState::Silent { until };
        self.subscribers.insert(id, Subscriber { session: key, peer: far_end.peer, flow, stream, state });
        self.alarms.set(until, Alarm::Subscriber(id));
        Some(Owner::Subscriber(id))
    }

    pub(super) fn on_subscriber_message(&mut self, now: Instant, id: SubscriberId, message: Message) {
        let Message::Command(command) = message else { return };
        match command.name.as_str() {
            "play" => self.on_play(now, id, &command),
            "closeStream" | "deleteStream" => self.end_subscriber(now, id, false),
            // Whether the far end wants sound or pictures is its program's word to ours, which we leave to commands.
            _ => {}
        }
    }

    fn on_play(&mut self, now: Instant, id: SubscriberId, command: &Command) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        let SubscriberState::Silent { until } = subscriber.state else { return };
        let peer = subscriber.peer;
        let own = self.endpoint.own_identity(subscriber.session).unwrap_or_default();
        let name = command.text(0).filter(|name| !name.is_empty());
        let (Some(name), false) = (name, self.is_full_for(peer)) else {
            self.let_go(now, id);
            return;
        };
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.state = SubscriberState::Undecided { until };
        }
        let mut publications = self.publications.iter();
        let publication = publications.find(|(_, publication)| publication.name == name).map(|(id, _)| *id);
        let name = name.to_owned();
        self.tell(NodeEvent::PeerConnect { subscriber: id, publication, name, peer, own });
    }

    /// Whether as many other peers play us as may. One peer counts once, however many streams it plays.
    fn is_full_for(&self, peer: PeerId) -> bool {
        let playing = self.subscribers.values().filter(|s| s.publication().is_some());
        let others: BTreeSet<PeerId> = playing.map(|s| s.peer).filter(|other| *other != peer).collect();
        others.len() >= self.config.most_peer_connections
    }

    /// Ends a subscriber without a word to the layer above: it said so itself.
    fn let_go(&mut self, now: Instant, id: SubscriberId) {
        let target = Target::Subscriber(id);
        if self.subscribers.get(&id).is_some_and(|subscriber| subscriber.publication().is_some()) {
            let bye = Command::status(&StatusCode::PlayUnpublishNotify, "The stream is no longer published.");
            self.write_data(now, target, message::encode_command(&bye));
        }
        if let Some(mut subscriber) = self.subscribers.remove(&id) {
            if let Some(outlet) = subscriber.outlet_mut() {
                outlet.close(&mut self.endpoint, now);
            }
            self.forget_play_flow(now, &subscriber);
        }
    }

    /// A subscriber left, or its session did.
    pub(super) fn end_subscriber(&mut self, now: Instant, id: SubscriberId, vanished: bool) {
        let Some(mut subscriber) = self.subscribers.remove(&id) else { return };
        if let Some(outlet) = subscriber.outlet_mut() {
            outlet.close(&mut self.endpoint, now);
        }
        self.forget_play_flow(now, &subscriber);
        if !matches!(subscriber.state, SubscriberState::Silent { .. }) {
            let publication = subscriber.publication();
            self.tell(NodeEvent::SubscriberGone { subscriber: id, publication, vanished });
        }
    }

    /// All subscribers in a session.
    pub(super) fn end_subscribers(&mut self, now: Instant, session: SessionKey, vanished: bool) {
        let in_it = self.subscribers.iter().filter(|(_, subscriber)| subscriber.session == session);
        let ids: Vec<SubscriberId> = in_it.map(|(id, _)| *id).collect();
        for id in ids {
            self.end_subscriber(now, id, vanished);
        }
    }

    /// Refusing the control flow is what ends a stream from the publisher's side (§5.4.3).
    fn forget_play_flow(&mut self, now: Instant, subscriber: &Subscriber) {
        if let Some(session) = self.sessions.get_mut(&subscriber.session)
            && session.incoming.remove(&subscriber.flow).is_some()
        {
            self.endpoint.reject_flow(now, subscriber.session, subscriber.flow, NO_REASON);
        }
        self.look_idle(now, subscriber.session);
    }

    pub(super) fn on_subscriber_alarm(&mut self, now: Instant, id: SubscriberId) {
        let Some(subscriber) = self.subscribers.get(&id) else { return };
        match subscriber.state {
            SubscriberState::Silent { until } | SubscriberState::Undecided { until } if until <= now => {
                self.end_subscriber(now, id, false);
            }
            _ => {}
        }
    }
}

/// The handler that tells a player whether it may read pictures and sound; Flash programs expect it.
pub(super) const SAMPLE_ACCESS: &str = "|RtmpSampleAccess";

/// Peers' wishes to play that wait for an answer.
const MOST_UNDECIDED: usize = 32;

/// Those of one peer.
const MOST_UNDECIDED_OF_A_PEER: usize = 8;

/// How long they wait: what is asked for may be published in the next moment.
const UNDECIDED_FOR: Duration = Duration::from_secs(30);
