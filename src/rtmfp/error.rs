//! What can go wrong in RTMFP, sorted by whose doing it is.

use std::time::Duration;

/// Why a session is over. Exactly one is reported for each session.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SessionEnd {
    /// We closed it.
    #[error("closed here")]
    ClosedHere,
    /// They closed it.
    #[error("closed by the other side")]
    ClosedThere,
    /// Nobody answered our hello. Usual cause: the other side is offline, or routers block direct packets.
    #[error("no answer within {} seconds", waited.as_secs())]
    NeverOpened {
        /// How long we tried.
        waited: Duration,
    },
    /// An open session went quiet. Usual cause: a changed or lost network.
    #[error("connection lost: nothing heard for {} seconds", quiet.as_secs())]
    WentQuiet {
        /// How long nothing came.
        quiet: Duration,
    },
    /// The path stopped carrying datagrams as long as some that were under way, while it carried shorter ones. Usual cause: a
    /// changed network with a tunnel in it.
    #[error("connection lost: the network carries only short packets now")]
    PathTooNarrow,
    /// The other side kept demanding more than anybody may have, or acknowledged what was never sent.
    #[error("the other side broke the rules")]
    Abusive,
    /// The same far end opened a newer session from the same address, or our own attempt lost to theirs, or to a session
    /// with the same far end that exists already.
    #[error("replaced by a newer session")]
    Replaced,
}

/// The caller broke the rules of this interface. A bug on our side of the wire, never input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Misuse {
    /// No such session, or it is not open.
    #[error("no such open session")]
    NoSession,
    /// No such flow, or it is closed already.
    #[error("no such open flow")]
    NoFlow,
    /// The flow holds as much as [`super::endpoint::EndpointConfig::send_buffer`] lets it. Wait for
    /// [`super::Event::FlowWritable`].
    #[error("the send queue is full")]
    QueueFull,
    /// The message is larger than [`super::endpoint::EndpointConfig::largest_message`]: it will never fit.
    #[error("the message is too large")]
    MessageTooLarge,
    /// The metadata of a flow is longer than 512 bytes (RFC 7016 §2.3.11.1.1).
    #[error("the metadata of the flow is too long")]
    MetadataTooLong,
}
