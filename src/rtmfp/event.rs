//! What the layer above an endpoint is told.

use bytes::Bytes;

use super::dialect::Dialect;
use super::endpoint::{MessageId, OwnIdentity, ReceiveFlowId, SendFlowId, SessionKey};
use super::error::SessionEnd;
use super::machine::Route;
use super::peer_id::PeerId;

/// One thing that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A session is open: one we asked for, or one the far end opened.
    SessionOpened {
        /// Which.
        session: SessionKey,
        /// The far end's proven identity: it holds the key behind this fingerprint when its certificate is a static one.
        peer: PeerId,
        /// Whether the far end proved, by its static key, that it is `peer` (false for a server with ephemeral keys).
        proven: bool,
        /// Whether we opened it.
        initiator: bool,
        /// Who we are to the far end.
        own: OwnIdentity,
        /// How it is spoken.
        dialect: Dialect,
        /// The way it takes.
        route: Route,
    },
    /// A session is over, or never came to be.
    SessionEnded {
        /// Which.
        session: SessionKey,
        /// Why.
        end: SessionEnd,
    },
    /// The far end answers from another address, proven by a ping (RFC 7016 §3.5.4.2), or we chose another way.
    RouteChanged {
        /// Which session.
        session: SessionKey,
        /// The way it takes now.
        route: Route,
    },
    /// A probe that [`super::Endpoint::probe`] sent was answered where it went: that way is open in both directions.
    ProbeAnswered {
        /// Which session.
        session: SessionKey,
        /// The way that was probed.
        route: Route,
        /// How long the answer took.
        round_trip: std::time::Duration,
    },
    /// The far end probes another way than the session's, and was answered there. It proves nothing about the way back; a
    /// probe of ours would.
    ProbedFrom {
        /// Which session.
        session: SessionKey,
        /// Where the probe came from.
        route: Route,
    },
    /// The far end opened a flow to us. Accept or reject it before the next input; unanswered flows are rejected.
    FlowOpened {
        /// In which session.
        session: SessionKey,
        /// Which.
        flow: ReceiveFlowId,
        /// What it is for, in the layer above's language.
        metadata: Bytes,
        /// The flow of ours that it answers (RFC 7016 §3.6.3.1, return flow association).
        answers: Option<SendFlowId>,
    },
    /// A whole message came.
    Message {
        /// In which session.
        session: SessionKey,
        /// On which flow.
        flow: ReceiveFlowId,
        /// Its place among the flow's messages: the sequence number of its first fragment. Higher is later. With
        /// arrival order delivery, messages may come with falling numbers.
        sequence: u64,
        /// The message.
        bytes: Bytes,
    },
    /// Messages are missing on a flow before the next one that is given, or before its end (RFC 7016 §3.6.1.2): their
    /// sender gave them up. With arrival order delivery they may also be late.
    Gap {
        /// In which session.
        session: SessionKey,
        /// On which flow.
        flow: ReceiveFlowId,
    },
    /// A flow that was offered to us was rejected without being asked to: its sender broke a rule of the protocol, or
    /// wrote a message longer than any may be (RFC 7016 §3.6.3.2). Nothing more comes of it.
    FlowFailed {
        /// In which session.
        session: SessionKey,
        /// Which.
        flow: ReceiveFlowId,
    },
    /// The far end finished a flow; all its messages have been given.
    FlowFinished {
        /// In which session.
        session: SessionKey,
        /// Which.
        flow: ReceiveFlowId,
    },
    /// The far end refuses one of our flows (RFC 7016 §3.6.3.7); it is closed.
    FlowRefused {
        /// In which session.
        session: SessionKey,
        /// Which.
        flow: SendFlowId,
        /// The far end's code.
        code: u64,
    },
    /// All of a message we wrote has gone out for the first time, just now. What was lost of it will go again.
    MessageLeft {
        /// In which session.
        session: SessionKey,
        /// On which flow.
        flow: SendFlowId,
        /// Which, as [`super::Endpoint::write`] named it.
        message: MessageId,
        /// Fragments sent in the session so far, with this one.
        fragments_sent: u64,
    },
    /// A message we wrote is gone from the queue: acknowledged in full, or given up.
    MessageDone {
        /// In which session.
        session: SessionKey,
        /// On which flow.
        flow: SendFlowId,
        /// Which, as [`super::Endpoint::write`] named it.
        message: MessageId,
        /// Whether the far end acknowledged all of it.
        delivered: bool,
    },
    /// A flow whose queue was full takes messages again.
    FlowWritable {
        /// In which session.
        session: SessionKey,
        /// Which.
        flow: SendFlowId,
    },
    /// One of our flows is finished: all acknowledged (RFC 7016 §3.6.2.6).
    FlowCompleted {
        /// In which session.
        session: SessionKey,
        /// Which.
        flow: SendFlowId,
    },
    /// A stranger's hello selects somebody else (RFC 7016 §3.5.1.4 to §3.5.1.6): the layer above may introduce.
    /// [`super::Endpoint::selects`] tells whether it is the far end of a session. Answer with
    /// [`super::Endpoint::redirect`] and [`super::Endpoint::forward_hello`], or not at all.
    HelloForAnother {
        /// Where the hello came from.
        route: Route,
        /// Whom it wants.
        endpoint_discriminator: Bytes,
        /// The hello's tag, to be echoed.
        tag: Bytes,
    },
}
