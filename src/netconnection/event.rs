//! What a node tells the layer above.

use std::net::SocketAddr;

use bytes::Bytes;

use super::ids::{
    CallToken, ConnectionId, MediaKind, MediaMessage, OwnIdentity, PlaybackId, PublicationId, ServerStreamId,
    StreamWish, SubscriberId, Target,
};
use super::status::StatusCode;
use super::ways::AnsweredProbe;
use crate::amf::Value;
use crate::rtmfp::machine::Route;
use crate::rtmfp::{PeerId, SessionEnd};

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
        /// Whether a network address translator stands between: we see it at none of these (RFC 7425 §5.3.3).
        behind_nat: bool,
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
        /// Which identity of ours they reached.
        own: OwnIdentity,
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
    /// A media message has gone out whole, just now; what was lost of it will go again.
    MediaLeft {
        /// To whom.
        target: Target,
        /// Of which kind.
        kind: MediaKind,
        /// Its time.
        timestamp: u32,
        /// Fragments sent in its session so far, with its last one.
        fragments_sent: u64,
    },
    /// A media message was given up before it arrived.
    MediaAbandoned {
        /// To whom.
        target: Target,
        /// Of which kind.
        kind: MediaKind,
        /// Its time.
        timestamp: u32,
    },
    /// A video message with a deadline arrived.
    PictureArrived {
        /// At whom.
        target: Target,
        /// Its time.
        timestamp: u32,
    },
    /// A bulk message left its queue: there may be room for the next.
    BulkMoved {
        /// To whom it was written.
        target: Target,
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
    /// A client wants to publish or play on a stream that it created at us. Answer with
    /// [`super::Node::accept_stream`] or [`super::Node::refuse_stream`].
    StreamRequested {
        /// The client's connection.
        connection: ConnectionId,
        /// The stream.
        stream: ServerStreamId,
        /// To do what.
        wish: StreamWish,
        /// Under which name.
        name: String,
    },
    /// A client no longer publishes or plays on a stream at us, or is gone. Not told of a stream that we refused.
    StreamEnded {
        /// Which.
        stream: ServerStreamId,
    },
    /// Sound or picture on a stream that we play from a server, or that a client publishes to us.
    StreamMedia {
        /// Which.
        stream: ServerStreamId,
        /// The message.
        message: MediaMessage,
    },
    /// A data message on a stream that we play from a server, or that a client publishes to us.
    StreamData {
        /// Which.
        stream: ServerStreamId,
        /// The handler's name.
        handler: String,
        /// Its arguments.
        arguments: Vec<Value>,
    },
    /// A probe of another way was answered: that way works in both directions.
    ProbeAnswered {
        /// Whose session was probed.
        whose: Whose,
        /// The way, and what [`super::Node::take_way`] needs.
        answered: AnsweredProbe,
    },
    /// A far end probes another way than the session takes, and is answered. Whether the way is open in the other direction
    /// too, a probe of ours would tell.
    ProbedFrom {
        /// Whose session.
        whose: Whose,
        /// Where the probe came from.
        route: Route,
    },
    /// The session below a peer's streams takes another way now.
    RouteChanged {
        /// Whose.
        peer: PeerId,
        /// Where.
        route: Route,
    },
}

/// With whom a session is, and what for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Whose {
    /// The direct sessions with a peer.
    Peer(PeerId),
    /// The session of a connection: ours to a server, or a client's to us.
    Connection(ConnectionId),
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
    /// The session ended without a word of the far end: it went silent, or was not to be listened to any longer.
    Vanished,
    /// We closed it.
    ClosedHere,
}

impl PlaybackEnd {
    /// What the end of its session is for a stream that plays.
    pub(super) fn of_session(end: SessionEnd) -> Self {
        match end {
            SessionEnd::ClosedHere => Self::ClosedHere,
            SessionEnd::ClosedThere => Self::Unpublished,
            SessionEnd::NeverOpened { .. } => Self::Unreachable,
            // Also what we broke off ourselves: the layer above did not ask for it, and would wait for ever.
            SessionEnd::WentQuiet { .. }
            | SessionEnd::PathTooNarrow
            | SessionEnd::Replaced
            | SessionEnd::Abusive => Self::Vanished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_a_far_end_that_broke_the_rules_does_not_end_as_if_we_had_closed_it() {
        assert_eq!(PlaybackEnd::of_session(SessionEnd::Abusive), PlaybackEnd::Vanished);
    }
}
