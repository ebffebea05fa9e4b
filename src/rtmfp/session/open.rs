//! An open session (RFC 7016 §3.5.2 to §3.6).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::time_critical::TimeCritical;
use crate::rtmfp::crypto;
use crate::rtmfp::endpoint::{
    CloseManner, Delivery, EndpointConfig, FlowOptions, ForwardedHello, KnownAddress, MessageId,
    ReceiveFlowId, SendFlowId, SessionFigures, SessionKey, WriteOptions,
};
use crate::rtmfp::error::Misuse;
use crate::rtmfp::event::Event;
use crate::rtmfp::machine::{Ecn, Route, Transmit};

/// Which end opened a session; it marks its packets accordingly (§2.2.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// We dialled.
    Initiator,
    /// We were dialled.
    Responder,
}

/// How an open session behaves.
#[derive(Clone, Debug)]
pub(crate) struct SessionSettings {
    /// An idle session is asked for a sign of life after so long.
    pub(crate) keepalive: Duration,
    /// A session that owes an answer is over after so long without one.
    pub(crate) vanish_after: Duration,
    /// Bytes a receive flow may hold.
    pub(crate) receive_window: usize,
    /// Bytes a send flow may hold.
    pub(crate) send_buffer: usize,
    /// The largest message either way.
    pub(crate) largest_message: usize,
    /// What the sessions of one endpoint know of each other's real-time traffic: one for the whole endpoint.
    pub(crate) time_critical: TimeCritical,
}

impl SessionSettings {
    /// What `config` says, for a session of the endpoint that `time_critical` belongs to.
    pub(crate) fn new(config: &EndpointConfig, time_critical: TimeCritical) -> Self {
        Self {
            keepalive: config.keepalive,
            vanish_after: config.vanish_after,
            receive_window: config.receive_window,
            send_buffer: config.send_buffer,
            largest_message: config.largest_message,
            time_critical,
        }
    }
}

/// What start-up leaves behind.
pub(crate) struct OpenSessionParameters {
    /// How events name the session.
    pub(crate) key: SessionKey,
    /// Which end we are.
    pub(crate) role: Role,
    /// The far end's session ID, which our packets go to.
    pub(crate) far_session_id: u32,
    /// What seals and opens packets.
    pub(crate) keys: crypto::SessionKeys,
    /// Where the far end is.
    pub(crate) route: Route,
    /// How it behaves.
    pub(crate) settings: SessionSettings,
    /// The secret behind mobility pings (§3.5.4.2).
    pub(crate) ping_seed: [u8; 32],
}

/// What an open session tells its endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Notice {
    /// For the layer above.
    Event(Event),
    /// The far end forwards a stranger's hello, and was trusted to (§3.5.1.5).
    ForwardedHello {
        /// Whom the hello wants.
        endpoint_discriminator: Bytes,
        /// Where the stranger is.
        initiator: KnownAddress,
        /// The hello's tag.
        tag: Bytes,
    },
    /// Nothing more will come or go: remove the session from the tables.
    Over,
}

/// A session from the moment both ends have its keys.
pub(crate) struct OpenSession;

impl OpenSession {
    pub(crate) fn new(_now: Instant, _parameters: OpenSessionParameters) -> Self {
        Self
    }
    /// Takes a datagram; true if it opened and counted as this session's.
    pub(crate) fn on_datagram(
        &mut self,
        _now: Instant,
        _route: Route,
        _ecn: Option<Ecn>,
        _datagram: &mut [u8],
    ) -> bool {
        todo!()
    }
    pub(crate) fn on_time(&mut self, _now: Instant) {
        todo!()
    }
    /// Appends one batch of sealed datagrams for one destination.
    pub(crate) fn poll_transmit(&mut self, _now: Instant, _out: &mut Vec<u8>) -> Option<Transmit> {
        todo!()
    }
    pub(crate) fn poll_notice(&mut self) -> Option<Notice> {
        todo!()
    }
    pub(crate) fn deadline(&self) -> Option<Instant> {
        todo!()
    }
    pub(crate) fn open_flow(&mut self, _options: FlowOptions) -> Result<SendFlowId, Misuse> {
        todo!()
    }
    pub(crate) fn write(
        &mut self,
        _now: Instant,
        _flow: SendFlowId,
        _message: Bytes,
        _options: WriteOptions,
    ) -> Result<MessageId, Misuse> {
        todo!()
    }
    pub(crate) fn abandon_queued(&mut self, _now: Instant, _flow: SendFlowId) {
        todo!()
    }
    pub(crate) fn queued(&self, _flow: SendFlowId) -> usize {
        todo!()
    }
    pub(crate) fn close_flow(&mut self, _now: Instant, _flow: SendFlowId) {
        todo!()
    }
    pub(crate) fn accept_flow(&mut self, _flow: ReceiveFlowId, _delivery: Delivery) {
        todo!()
    }
    pub(crate) fn reject_flow(&mut self, _now: Instant, _flow: ReceiveFlowId, _code: u64) {
        todo!()
    }
    pub(crate) fn set_forwarded_hello(&mut self, _mode: ForwardedHello) {
        todo!()
    }
    pub(crate) fn set_patience(&mut self, _keepalive: Duration, _vanish_after: Duration) {
        todo!()
    }
    pub(crate) fn forward_hello(
        &mut self,
        _now: Instant,
        _endpoint_discriminator: &[u8],
        _initiator: KnownAddress,
        _tag: &[u8],
    ) {
        todo!()
    }
    pub(crate) fn close(&mut self, _now: Instant, _manner: CloseManner) {
        todo!()
    }
    pub(crate) fn route(&self) -> Route {
        todo!()
    }
    pub(crate) fn nonces(&self) -> ([u8; 32], [u8; 32]) {
        todo!()
    }
    pub(crate) fn figures(&self, _now: Instant) -> SessionFigures {
        todo!()
    }
    /// Whether it is open: not closed, closing or lingering.
    pub(crate) fn is_open(&self) -> bool {
        todo!()
    }
}
