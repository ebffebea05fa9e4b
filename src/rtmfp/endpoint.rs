//! One program's worth of RTMFP: routes datagrams, opens and accepts sessions, introduces and is introduced.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::crypto::Profile;
use super::error::{Misuse, SessionEnd};
use super::event::Event;
use super::machine::{Input, Machine, Output, Route};
use super::peer_id::PeerId;

/// Names a session inside one endpoint; never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionKey(pub u64);

/// Names a flow we send on, inside its session: its flow ID on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SendFlowId(pub u64);

/// Names a flow we receive on, inside its session: its flow ID on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReceiveFlowId(pub u64);

/// Names a message inside its flow: the sequence number of its first fragment, or a stand-in until it has one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageId(pub u64);

/// Eight strict priorities, 0 lowest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// File transfers and other work nobody waits for.
    Background = 0,
    /// Less than routine.
    Low = 1,
    /// A little less than routine.
    BelowRoutine = 2,
    /// What nobody marked.
    Routine = 3,
    /// Data people wait for.
    Data = 4,
    /// Moving pictures.
    Video = 5,
    /// Sound.
    Audio = 6,
    /// Signalling.
    Immediate = 7,
}

/// How a flow of ours behaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FlowOptions {
    /// What it is for; repeated to the far end until it acknowledges the flow.
    pub metadata: Bytes,
    /// Who goes first.
    pub priority: Priority,
    /// Whether its data is time critical for congestion control (RFC 7016 §3.5.2.1).
    pub time_critical: bool,
    /// The far end's flow that this one answers.
    pub answers: Option<ReceiveFlowId>,
}

/// In which order a received flow's messages are given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// As they were sent; a hole is waited for until it is filled or abandoned.
    Ordered,
    /// As they arrive.
    Arrival,
}

/// How long a message may take.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct WriteOptions {
    /// Given up when its first byte was not sent by then.
    pub start_by: Option<Instant>,
    /// Given up when it was not acknowledged by then.
    pub finish_by: Option<Instant>,
    /// Falls with this earlier message of the same flow, when that one is given up.
    pub needs: Option<MessageId>,
    /// Whether the layer above wants [`Event::MessageDone`].
    pub report: bool,
}

/// How a session is closed (RFC 7016 §3.5.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CloseManner {
    /// Asks, and waits for the answer.
    Orderly,
    /// Tells once, and forgets.
    Abrupt,
}

/// What to do with a hello that a far end forwards to us (RFC 7016 §3.5.1.5).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ForwardedHello {
    /// Nothing: the far end is no introducer of ours.
    #[default]
    Ignore,
    /// Answer with an RHello to the initiator, if it selects us.
    Answer,
}

/// What an address in a Redirect or a forwarded hello is (RFC 7016 §2.1.5).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AddressOrigin {
    /// Not said.
    Unknown,
    /// Reported by the endpoint itself: a local address.
    Reported,
    /// Observed by the one who tells it.
    Observed,
    /// A relay or proxy.
    Relay,
}

/// An address and how it is known.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KnownAddress {
    /// The address.
    pub address: SocketAddr,
    /// How it is known.
    pub origin: AddressOrigin,
}

/// What a session looks like from inside, for people and for rate control.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFigures {
    /// Smoothed round trip time (RFC 7016 §3.5.2.2), once measured.
    pub round_trip: Option<Duration>,
    /// How long until what is unacknowledged is sent again.
    pub retransmission_timeout: Duration,
    /// Bytes that may be in flight.
    pub congestion_window: usize,
    /// Bytes that are in flight.
    pub in_flight: usize,
    /// Bytes of datagrams sent, all headers of RTMFP included.
    pub bytes_sent: u64,
    /// Bytes of datagrams received.
    pub bytes_received: u64,
    /// Datagrams sent.
    pub packets_sent: u64,
    /// Datagrams received and opened.
    pub packets_received: u64,
    /// Fragments sent.
    pub fragments_sent: u64,
    /// Fragments declared lost.
    pub fragments_lost: u64,
    /// Chunks and packets dropped as malformed, forged or repeated.
    pub dropped: u64,
    /// What it is sealed with.
    pub cipher: String,
}

/// Settings of an endpoint.
#[derive(Clone)]
pub struct EndpointConfig {
    /// Who we are.
    pub profile: Arc<dyn Profile>,
    /// Where randomness starts; outside tests from the system.
    pub seed: [u8; 32],
    /// Whether strangers' IIKeying is accepted.
    pub accepts_sessions: bool,
    /// The largest message we take or send, in bytes.
    pub largest_message: usize,
    /// Bytes a receive flow may hold before the far end must wait.
    pub receive_window: usize,
    /// Bytes a send flow may hold before it says no.
    pub send_buffer: usize,
    /// Sessions open or opening at once; further ones are refused silently.
    pub most_sessions: usize,
    /// An idle session is asked for a sign of life after so long (RFC 7016 §3.5.4.1).
    pub keepalive: Duration,
    /// A session that owes us an answer is over after so long without one.
    pub vanish_after: Duration,
    /// How long we try to open a session.
    pub open_within: Duration,
}

impl EndpointConfig {
    /// The usual settings for `profile`.
    pub fn new(profile: Arc<dyn Profile>, seed: [u8; 32]) -> Self {
        Self {
            profile,
            seed,
            accepts_sessions: true,
            largest_message: 4 << 20,
            receive_window: 2 << 20,
            send_buffer: 4 << 20,
            most_sessions: 4096,
            keepalive: Duration::from_secs(10),
            vanish_after: Duration::from_secs(20),
            open_within: Duration::from_secs(20),
        }
    }
}

/// An RTMFP endpoint. See [`super::machine`] for how it is driven.
pub struct Endpoint {
    _config: EndpointConfig,
}

impl Endpoint {
    /// An endpoint with no session yet.
    pub fn new(config: EndpointConfig) -> Self {
        Self { _config: config }
    }

    /// Starts opening a session to whoever `endpoint_discriminator` selects, reached at `candidates` or through an
    /// introducer there (RFC 7016 §3.5.1.1.1). Ends in [`Event::SessionOpened`] or [`Event::SessionEnded`].
    pub fn open_session(
        &mut self,
        _now: Instant,
        _endpoint_discriminator: Bytes,
        _candidates: &[Route],
    ) -> SessionKey {
        todo!()
    }

    /// Starts opening a session to `peer` through introducers or known addresses.
    pub fn open_session_to_peer(
        &mut self,
        _now: Instant,
        _peer: PeerId,
        _candidates: &[Route],
    ) -> SessionKey {
        todo!()
    }

    /// More addresses at which a session that is still opening may be tried.
    pub fn add_candidates(&mut self, _now: Instant, _session: SessionKey, _candidates: &[Route]) {
        todo!()
    }

    /// Closes a session, or stops opening it.
    pub fn close_session(&mut self, _now: Instant, _session: SessionKey, _manner: CloseManner) {
        todo!()
    }

    /// Opens a flow to the far end. Nothing is sent before the first message.
    pub fn open_flow(&mut self, _session: SessionKey, _options: FlowOptions) -> Result<SendFlowId, Misuse> {
        todo!()
    }

    /// Queues a message on a flow of ours.
    pub fn write(
        &mut self,
        _now: Instant,
        _session: SessionKey,
        _flow: SendFlowId,
        _message: Bytes,
        _options: WriteOptions,
    ) -> Result<MessageId, Misuse> {
        todo!()
    }

    /// Gives up every queued message of a flow that is not yet delivered.
    pub fn abandon_queued(&mut self, _now: Instant, _session: SessionKey, _flow: SendFlowId) {
        todo!()
    }

    /// Bytes queued on a flow and not yet acknowledged.
    pub fn queued(&self, _session: SessionKey, _flow: SendFlowId) -> usize {
        todo!()
    }

    /// Finishes a flow after what is queued.
    pub fn close_flow(&mut self, _now: Instant, _session: SessionKey, _flow: SendFlowId) {
        todo!()
    }

    /// Takes a flow that [`Event::FlowOpened`] told of.
    pub fn accept_flow(&mut self, _session: SessionKey, _flow: ReceiveFlowId, _delivery: Delivery) {
        todo!()
    }

    /// Refuses a flow, at once or later, with a code (RFC 7016 §3.6.3.7).
    pub fn reject_flow(&mut self, _now: Instant, _session: SessionKey, _flow: ReceiveFlowId, _code: u64) {
        todo!()
    }

    /// Whether hellos that this session's far end forwards are answered.
    pub fn set_forwarded_hello(&mut self, _session: SessionKey, _mode: ForwardedHello) {
        todo!()
    }

    /// A session's own keepalive and vanishing times.
    pub fn set_patience(&mut self, _session: SessionKey, _keepalive: Duration, _vanish_after: Duration) {
        todo!()
    }

    /// Answers a hello for another with where that one can be reached (RFC 7016 §3.5.1.4). An empty list says "here, at
    /// the address you came from".
    pub fn redirect(&mut self, _route: Route, _tag: &[u8], _to: &[KnownAddress]) {
        todo!()
    }

    /// Forwards a hello to the far end of `session` (FIHello, RFC 7016 §3.5.1.5).
    pub fn forward_hello(
        &mut self,
        _now: Instant,
        _session: SessionKey,
        _endpoint_discriminator: &[u8],
        _initiator: KnownAddress,
        _tag: &[u8],
    ) {
        todo!()
    }

    /// Where a session's far end is, if it is open.
    pub fn route(&self, _session: SessionKey) -> Option<Route> {
        todo!()
    }

    /// Who a session's far end is, if it is open.
    pub fn peer(&self, _session: SessionKey) -> Option<PeerId> {
        todo!()
    }

    /// This end's and the far end's session nonces (RFC 7425 §4.6.4).
    pub fn nonces(&self, _session: SessionKey) -> Option<([u8; 32], [u8; 32])> {
        todo!()
    }

    /// A session's figures now.
    pub fn figures(&self, _now: Instant, _session: SessionKey) -> Option<SessionFigures> {
        todo!()
    }

    /// Why nothing more will be heard of a session, for tests and logs.
    pub fn sessions(&self) -> usize {
        let _ = SessionEnd::ClosedHere;
        todo!()
    }
}

impl Machine for Endpoint {
    /// An endpoint is asked by its methods.
    type Command = std::convert::Infallible;
    type Event = Event;

    fn handle_input(&mut self, _now: Instant, _input: Input<'_, Self::Command>) {
        todo!()
    }

    fn poll_output(&mut self, _now: Instant, _packets: &mut Vec<u8>) -> Output<Event> {
        todo!()
    }
}
