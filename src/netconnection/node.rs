//! An endpoint with its connections and streams: what a Flash program's NetConnection and NetStream objects were.
//!
//! A node is both client and server: it connects to servers, accepts clients, and exchanges direct streams with peers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::amf::Value;
use crate::netconnection::status::StatusCode;
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::{EndpointConfig, KnownAddress, SessionFigures};
use crate::rtmfp::machine::{Input, Machine, Output, Route};

/// Names a NetConnection, in either role; never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// Names a stream that we publish directly: `new NetStream(connection, DIRECT_CONNECTIONS).publish(name)`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicationId(pub u64);

/// Names one far peer that plays one of our direct publications.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscriberId(pub u64);

/// Names a far peer's direct stream that we play: `new NetStream(connection, farId).play(name)`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PlaybackId(pub u64);

/// Names a stream through a server, created with `createStream`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ServerStreamId(pub u64);

/// Names a call that wants an answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallToken(pub u64);

/// Which of the two kinds of media a message is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum MediaKind {
    /// RTMP type 8.
    Audio,
    /// RTMP type 9.
    Video,
}

/// An audio or video message (RFC 7425 §5.1): an FLV tag body with its time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaMessage {
    /// Sound or picture.
    pub kind: MediaKind,
    /// Milliseconds on the sender's stream clock; wraps.
    pub timestamp: u32,
    /// The tag body: header and coded data.
    pub payload: Bytes,
}

/// How a media message may be given up.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MediaDeadline {
    /// Given up when not begun by then. `None`: always delivered (codec configuration).
    pub start_by: Option<Instant>,
    /// Given up when not acknowledged by then.
    pub finish_by: Option<Instant>,
    /// Falls when the message written before it to the same subscriber and kind falls (a delta picture).
    pub needs_previous: bool,
}

/// Where media or data goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// One peer that plays us.
    Subscriber(SubscriberId),
    /// Every accepted peer of a publication.
    Publication(PublicationId),
    /// A stream published to a server (or, at a server, to a client that plays).
    ServerStream(ServerStreamId),
}

/// Settings of a node.
#[derive(Clone)]
pub struct NodeConfig {
    /// The endpoint below.
    pub endpoint: EndpointConfig,
    /// Far peers that may play us directly at once (maxPeerConnections).
    pub most_peer_connections: usize,
}

/// What a node tells.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEvent {
    /// Our connection to a server is up (`NetConnection.Connect.Success`).
    Connected {
        /// Which.
        connection: ConnectionId,
        /// The information object of the answer.
        info: Value,
    },
    /// Our connection could not be made, was refused, or is over.
    Disconnected {
        /// Which.
        connection: ConnectionId,
        /// `Connect.Failed` (no answer), `Connect.Rejected`, or `Connect.Closed`.
        code: StatusCode,
        /// What the far end said of it.
        description: String,
    },
    /// A client wants to connect; accept or reject it.
    ConnectRequested {
        /// Which.
        connection: ConnectionId,
        /// Who.
        peer: PeerId,
        /// Whether it proved to be that peer.
        proven: bool,
        /// Where it is.
        route: Route,
        /// The command object.
        properties: Value,
        /// What follows it: the user name first.
        arguments: Vec<Value>,
    },
    /// A client that was accepted is gone.
    ClientGone {
        /// Which.
        connection: ConnectionId,
    },
    /// A client told where it can be reached (`setPeerInfo`).
    PeerInfo {
        /// Which.
        connection: ConnectionId,
        /// Its addresses.
        addresses: Vec<SocketAddr>,
    },
    /// A remote procedure call on a connection.
    Called {
        /// On which.
        connection: ConnectionId,
        /// What.
        name: String,
        /// With what.
        arguments: Vec<Value>,
        /// To answer by, if an answer is wanted.
        token: Option<CallToken>,
    },
    /// The answer to one of our calls.
    Answered {
        /// Which.
        token: CallToken,
        /// `_result` or `_error`.
        result: Result<Vec<Value>, Vec<Value>>,
    },
    /// A hello for somebody else came to us (see [`crate::rtmfp::Event::HelloForAnother`]).
    HelloForAnother {
        /// Where from.
        route: Route,
        /// For whom, when the discriminator names a peer ID.
        peer: Option<PeerId>,
        /// The whole discriminator.
        endpoint_discriminator: Bytes,
        /// To be echoed.
        tag: Bytes,
    },
    /// A far peer wants to play a direct publication of ours (onPeerConnect); accept or refuse it.
    PeerConnect {
        /// The subscriber to be.
        subscriber: SubscriberId,
        /// Of what; `None` when we publish nothing of that name (it may be published later, and accepted then).
        publication: Option<PublicationId>,
        /// The name asked for.
        name: String,
        /// Who.
        peer: PeerId,
    },
    /// A far peer we accepted now plays us (`NetStream.Play.Start` at the publisher).
    PlayStarted {
        /// Who.
        subscriber: SubscriberId,
        /// What.
        publication: PublicationId,
    },
    /// A far peer no longer plays us, or its session is over.
    SubscriberGone {
        /// Who.
        subscriber: SubscriberId,
        /// What it played, if it was accepted.
        publication: Option<PublicationId>,
        /// Whether its session ended without a word.
        vanished: bool,
    },
    /// `onStatus` on a stream that we play.
    PlaybackStatus {
        /// Which.
        playback: PlaybackId,
        /// What.
        code: StatusCode,
    },
    /// A stream that we play is over.
    PlaybackEnded {
        /// Which.
        playback: PlaybackId,
        /// Why.
        end: PlaybackEnd,
    },
    /// A data message (`NetStream.send`) on a stream that we play.
    Data {
        /// Which.
        playback: PlaybackId,
        /// The handler's name.
        handler: String,
        /// Its arguments.
        arguments: Vec<Value>,
    },
    /// Sound or picture on a stream that we play.
    Media {
        /// Which.
        playback: PlaybackId,
        /// The message.
        message: MediaMessage,
    },
    /// Media messages were given up before they arrived.
    MediaAbandoned {
        /// To whom.
        target: Target,
        /// Of which kind.
        kind: MediaKind,
    },
    /// A stream through a server exists now (`createStream`).
    StreamCreated {
        /// The connection it belongs to.
        connection: ConnectionId,
        /// Which.
        stream: ServerStreamId,
    },
    /// `onStatus` on a stream through a server.
    StreamStatus {
        /// Which.
        stream: ServerStreamId,
        /// What.
        code: StatusCode,
        /// The whole information object.
        info: Value,
    },
    /// Sound or picture on a stream that we play from a server.
    StreamMedia {
        /// Which.
        stream: ServerStreamId,
        /// The message.
        message: MediaMessage,
    },
    /// A data message on a stream that we play from a server.
    StreamData {
        /// Which.
        stream: ServerStreamId,
        /// The handler's name.
        handler: String,
        /// Its arguments.
        arguments: Vec<Value>,
    },
    /// The session below a peer's streams takes another way now.
    RouteChanged {
        /// Whose.
        peer: PeerId,
        /// Where.
        route: Route,
    },
}

/// Why a stream that we play is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlaybackEnd {
    /// The publisher refused, or knows no such stream.
    Refused,
    /// The publisher stopped publishing or closed the session.
    Unpublished,
    /// Nobody could be reached by that peer ID: no introduction, no answer.
    Unreachable,
    /// The session went silent.
    Vanished,
    /// We closed it.
    ClosedHere,
}

/// NetConnections and NetStreams over one endpoint.
pub struct Node {
    _config: NodeConfig,
}

#[allow(unused_variables)]
impl Node {
    /// A node without connections.
    pub fn new(config: NodeConfig) -> Self {
        Self { _config: config }
    }

    /// This end's peer ID (nearID).
    pub fn near_id(&self) -> PeerId {
        todo!()
    }

    /// Connects to the server at `candidates`: `connect(url, arguments…)`. `url` is the whole `rtmfp://…`, sent as the
    /// ancillary data of the endpoint discriminator and as `tcUrl`; its path is `app`.
    pub fn connect(
        &mut self,
        now: Instant,
        url: &str,
        candidates: &[Route],
        arguments: Vec<Value>,
    ) -> ConnectionId {
        todo!()
    }

    /// Closes a connection, and the direct streams made through it stay.
    pub fn close_connection(&mut self, now: Instant, connection: ConnectionId) {
        todo!()
    }

    /// Lets a client in, with more properties for the information object.
    pub fn accept_connection(&mut self, now: Instant, connection: ConnectionId, info: Vec<(String, Value)>) {
        todo!()
    }

    /// Refuses a client with `NetConnection.Connect.Rejected` and a sentence.
    pub fn reject_connection(&mut self, now: Instant, connection: ConnectionId, why: &str) {
        todo!()
    }

    /// Tells the server where we can be reached (RFC 7425 §5.3.3).
    pub fn set_peer_info(&mut self, now: Instant, connection: ConnectionId, addresses: &[SocketAddr]) {
        todo!()
    }

    /// Asks a client for keepalives, as a server (RFC 7425 §5.3.4): towards the server and between peers.
    pub fn set_keepalive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        server: Duration,
        peer: Duration,
    ) {
        todo!()
    }

    /// Calls a procedure at the far end of a connection; the answer comes as [`NodeEvent::Answered`].
    pub fn call(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        name: &str,
        arguments: Vec<Value>,
    ) -> CallToken {
        todo!()
    }

    /// Calls a procedure and wants no answer.
    pub fn notify(&mut self, now: Instant, connection: ConnectionId, name: &str, arguments: Vec<Value>) {
        todo!()
    }

    /// Answers a call.
    pub fn answer(&mut self, now: Instant, token: CallToken, result: Result<Value, Value>) {
        todo!()
    }

    /// Publishes a direct stream under a name. Several of different names may be published.
    pub fn publish_direct(&mut self, now: Instant, name: &str) -> PublicationId {
        todo!()
    }

    /// Stops publishing; its subscribers are told and let go.
    pub fn unpublish(&mut self, now: Instant, publication: PublicationId) {
        todo!()
    }

    /// Lets a subscriber play a publication: Play.Reset, Play.Start, and media from now on.
    pub fn accept_subscriber(&mut self, now: Instant, subscriber: SubscriberId, publication: PublicationId) {
        todo!()
    }

    /// Refuses a subscriber, or lets it go.
    pub fn refuse_subscriber(&mut self, now: Instant, subscriber: SubscriberId) {
        todo!()
    }

    /// Plays a far peer's direct stream. Opens a session to it when there is none: through the introducers of our
    /// connections, or at `candidates`.
    pub fn play_direct(
        &mut self,
        now: Instant,
        peer: PeerId,
        name: &str,
        candidates: &[Route],
    ) -> PlaybackId {
        todo!()
    }

    /// Stops playing.
    pub fn close_playback(&mut self, now: Instant, playback: PlaybackId) {
        todo!()
    }

    /// Closes the direct session with a peer, and every stream in it.
    pub fn close_peer(&mut self, now: Instant, peer: PeerId) {
        todo!()
    }

    /// Sends a data message, reliably: `send(handler, arguments…)`.
    pub fn send_data(&mut self, now: Instant, target: Target, handler: &str, arguments: Vec<Value>) {
        todo!()
    }

    /// Sends sound or picture.
    pub fn send_media(
        &mut self,
        now: Instant,
        target: Target,
        message: MediaMessage,
        deadline: MediaDeadline,
    ) {
        todo!()
    }

    /// Gives up video that was queued to a target and not delivered: a fresh key frame is about to follow.
    pub fn abandon_video(&mut self, now: Instant, target: Target) {
        todo!()
    }

    /// Bytes queued to a target and not yet acknowledged, of one kind.
    pub fn queued(&self, target: Target, kind: MediaKind) -> usize {
        todo!()
    }

    /// `createStream` on a connection to a server; comes back as [`NodeEvent::StreamCreated`].
    pub fn create_stream(&mut self, now: Instant, connection: ConnectionId) -> ServerStreamId {
        todo!()
    }

    /// `publish(name, "live")` on a stream through a server.
    pub fn publish(&mut self, now: Instant, stream: ServerStreamId, name: &str) {
        todo!()
    }

    /// `play(name)` on a stream through a server.
    pub fn play(&mut self, now: Instant, stream: ServerStreamId, name: &str) {
        todo!()
    }

    /// `closeStream` and `deleteStream`.
    pub fn delete_stream(&mut self, now: Instant, stream: ServerStreamId) {
        todo!()
    }

    /// As an introducer: answers a hello with where that peer is, and forwards it to the peer's session.
    pub fn introduce(
        &mut self,
        now: Instant,
        hello_from: Route,
        endpoint_discriminator: &[u8],
        tag: &[u8],
        to: ConnectionId,
        known_addresses: &[KnownAddress],
    ) {
        todo!()
    }

    /// Whether hellos forwarded by this server are answered (on by default for servers we connect to).
    pub fn trust_introductions(&mut self, connection: ConnectionId, trusted: bool) {
        todo!()
    }

    /// The figures of the direct session with a peer.
    pub fn peer_figures(&self, now: Instant, peer: PeerId) -> Option<SessionFigures> {
        todo!()
    }

    /// The way the direct session with a peer takes.
    pub fn peer_route(&self, peer: PeerId) -> Option<Route> {
        todo!()
    }

    /// Both ends' session nonces of the direct session with a peer: ours, theirs.
    pub fn peer_nonces(&self, peer: PeerId) -> Option<([u8; 32], [u8; 32])> {
        todo!()
    }
}

impl Machine for Node {
    /// A node is asked by its methods.
    type Command = std::convert::Infallible;
    type Event = NodeEvent;

    fn handle_input(&mut self, _now: Instant, _input: Input<'_, Self::Command>) {
        todo!()
    }

    fn poll_output(&mut self, _now: Instant, _packets: &mut Vec<u8>) -> Output<NodeEvent> {
        todo!()
    }
}
