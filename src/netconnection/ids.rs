//! What connections, streams and calls are named by, and what a media message is.

use std::time::Instant;

use bytes::Bytes;

pub use crate::rtmfp::endpoint::OwnIdentity;

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

/// Names a stream through a server, created with `createStream`: at the client its own, at the server the client's.
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

/// Which version of AMF two ends agreed on at `connect`; both may be mixed in what is read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ObjectEncoding {
    /// Commands travel as RTMP type 20.
    #[default]
    Amf0,
    /// Commands travel as RTMP type 17.
    Amf3,
}

impl ObjectEncoding {
    /// The number that stands for it in `connect` and in its answer.
    pub fn number(self) -> f64 {
        match self {
            Self::Amf0 => 0.0,
            Self::Amf3 => 3.0,
        }
    }
}

/// What a client wants of a stream that it created at us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamWish {
    /// To send us media and data, for others to play.
    Publish,
    /// To be sent what somebody publishes.
    Play,
}

/// The flows of one stream that we send on, each in its own order and with its own priority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Lane {
    /// Commands, status and data that somebody waits for.
    Data,
    /// Sound or pictures.
    Media(MediaKind),
    /// Data that the next of its kind makes worthless: reports.
    Passing,
    /// Data that gives way to all else: files.
    Bulk,
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
    /// A stream published to a server; at a server, the stream of a client that plays.
    ServerStream(ServerStreamId),
}
