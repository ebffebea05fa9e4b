//! What a node knows of one RTMFP session: who is there, and what each flow in it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::flow_metadata::LAST_STREAM;
use super::flow_sync::{FlowSync, FlowTree};
use super::ids::{ConnectionId, Lane, PlaybackId, ServerStreamId, SubscriberId, Target};
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::{ReceiveFlowId, SendFlowId};
use crate::rtmfp::machine::Route;

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) origin: Origin,
    /// Who is there, once it is open.
    pub(super) far_end: Option<FarEnd>,
    /// The NetConnection in it: there is at most one.
    pub(super) connection: Option<ConnectionId>,
    pub(super) incoming: BTreeMap<ReceiveFlowId, Incoming>,
    pub(super) outgoing: BTreeMap<SendFlowId, Outgoing>,
    pub(super) sync: FlowSync,
    /// Flows that ended while they stood at a barrier: what waits there is given first.
    pub(super) finished: BTreeSet<ReceiveFlowId>,
    /// Direct streams that we opened in it so far.
    pub(super) streams_opened: u32,
    /// Since when it carries nothing.
    pub(super) idle_since: Option<Instant>,
    /// Whether it only lives to deliver its last words.
    pub(super) closing: bool,
}

/// Why a session was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// By us, to a server.
    ToServer,
    /// By us, to this peer.
    ToPeer(PeerId),
    /// By the far end.
    Theirs,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct FarEnd {
    pub(super) peer: PeerId,
    pub(super) proven: bool,
    pub(super) route: Route,
}

/// A flow that we receive on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming {
    pub(super) owner: Owner,
    /// With delivery as messages arrive: the latest place of a message that was no sound.
    pub(super) latest: Option<u64>,
    pub(super) as_they_arrive: bool,
}

/// To what the messages of a received flow belong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    /// The control messages of a NetConnection.
    Connection(ConnectionId),
    /// A stream from a server.
    Stream(ServerStreamId),
    /// A stream of a client's, at us as its server.
    Served(ServerStreamId),
    /// A direct stream that we play.
    Playback(PlaybackId),
    /// The control flow of a far peer that plays us.
    Subscriber(SubscriberId),
}

/// A flow that we send on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outgoing {
    /// The control messages of a NetConnection.
    Connection(ConnectionId),
    /// Our `play` of a far peer's stream.
    Play(PlaybackId),
    /// What a stream carries to a target.
    Stream(Target, Lane),
}

impl Session {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            far_end: None,
            connection: None,
            incoming: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            sync: FlowSync::default(),
            finished: BTreeSet::new(),
            streams_opened: 0,
            idle_since: None,
            closing: false,
        }
    }

    /// Whether direct streams with that peer may use it: it is open, and the far end has proven to be the peer.
    pub(super) fn is_direct_with(&self, peer: PeerId) -> bool {
        let with_peer = self.far_end.is_some_and(|far_end| far_end.peer == peer && far_end.proven);
        with_peer && self.connection.is_none() && !self.closing && self.origin != Origin::ToServer
    }

    /// The stream ID of the next direct stream that we open: 2,000,001 and up, as Flash programs number them.
    pub(super) fn next_stream_id(&mut self) -> u32 {
        self.streams_opened = self.streams_opened.saturating_add(1);
        FIRST_DIRECT_STREAM.saturating_add(self.streams_opened).min(LAST_STREAM)
    }
}

impl Owner {
    pub(super) fn tree(self) -> FlowTree {
        match self {
            Self::Connection(_) | Self::Stream(_) | Self::Served(_) => FlowTree::Connection,
            Self::Playback(playback) => FlowTree::Playback(playback),
            Self::Subscriber(subscriber) => FlowTree::Subscriber(subscriber),
        }
    }
}

const FIRST_DIRECT_STREAM: u32 = 2_000_000;
