//! What the layer above chooses and names: sessions, flows, messages, and how an endpoint behaves.
//!
//! Plain values; nothing here decides anything. They are reached as `rtmfp::endpoint::…`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::crypto::Profile;

/// Names a session inside one endpoint; never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionKey(pub u64);

/// Which of an endpoint's identities a session is opened with, or was opened to (RFC 7016 §3.2).
///
/// Both share the endpoint's sockets. To others they are two endpoints that have nothing to do with each other.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OwnIdentity {
    /// [`EndpointConfig::profile`].
    #[default]
    Main,
    /// [`EndpointConfig::second_profile`].
    Second,
}

/// Names a flow we send on, inside its session: its flow ID on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SendFlowId(pub u64);

/// Names a flow we receive on, inside its session: its flow ID on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReceiveFlowId(pub u64);

/// Names a message inside its flow. Later ones are higher; it is no number of the wire.
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
    /// Whether the layer above wants [`super::Event::MessageLeft`] and [`super::Event::MessageDone`].
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

/// What the layer above found out about how much sound and pictures a path carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MediaRate {
    /// Bytes a second that the path carries of ours.
    pub bytes_per_second: u32,
    /// How much longer than the shortest round trip what is in flight may take: as much as arrivals vary anyway.
    pub leeway: Duration,
}

/// What a session looks like from inside, for people and for rate control.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFigures {
    /// Smoothed round trip time (RFC 7016 §3.5.2.2), once measured.
    pub round_trip: Option<Duration>,
    /// The shortest round trip of the last seconds: what the path takes without queues, as far as is known.
    pub shortest_round_trip: Option<Duration>,
    /// How long until what is unacknowledged is sent again.
    pub retransmission_timeout: Duration,
    /// Bytes that may be in flight.
    pub congestion_window: usize,
    /// Bytes that are in flight.
    pub in_flight: usize,
    /// Bytes of messages that are queued and not yet acknowledged or given up.
    pub queued: usize,
    /// What received fragments cost, in bytes, that wait for others or for the layer above.
    pub held: usize,
    /// How long a datagram may be on this path, as far as is known (RFC 7016 §3.5.4.3).
    pub datagram_size: usize,
    /// Bytes of datagrams sent, all headers of RTMFP included.
    pub bytes_sent: u64,
    /// Bytes of datagrams received.
    pub bytes_received: u64,
    /// Datagrams sent.
    pub packets_sent: u64,
    /// Datagrams received and opened.
    pub packets_received: u64,
    /// Fragments sent, repetitions included.
    pub fragments_sent: u64,
    /// Fragments received, those that came before too: what one end sent and the other received tells true losses, while
    /// a sender alone takes a lost acknowledgement for lost data.
    pub fragments_received: u64,
    /// Fragments declared lost.
    pub fragments_lost: u64,
    /// Chunks and packets dropped as malformed, forged or repeated.
    pub dropped: u64,
    /// What it is sealed with.
    pub cipher: String,
}

/// Settings of an endpoint. Spans are taken as a millisecond at least and a year at most, buffers as a gigabyte at most.
#[derive(Clone)]
pub struct EndpointConfig {
    /// Who we are.
    pub profile: Arc<dyn Profile>,
    /// Who we are to those who would not understand the first, if there are any. Hellos for it are answered with its
    /// certificate; its sessions are opened by [`super::Endpoint::open_session_as`].
    pub second_profile: Option<Arc<dyn Profile>>,
    /// Where randomness starts; outside tests from the system.
    pub seed: [u8; 32],
    /// Whether others may learn of us over relays only; see [`super::Endpoint::set_relay_only`].
    pub relay_only: bool,
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
    /// How long we try to open a session. RFC 7016 §3.5.1.1.1 recommends 95 seconds, longer than most people wait.
    pub open_within: Duration,
}

impl EndpointConfig {
    /// The usual settings for `profile`.
    pub fn new(profile: Arc<dyn Profile>, seed: [u8; 32]) -> Self {
        Self {
            profile,
            second_profile: None,
            seed,
            relay_only: false,
            accepts_sessions: true,
            largest_message: 4 << 20,
            receive_window: 2 << 20,
            send_buffer: 4 << 20,
            most_sessions: 4096,
            keepalive: Duration::from_secs(10),
            vanish_after: Duration::from_secs(20),
            open_within: Duration::from_secs(95),
        }
    }

    /// The same settings where an endpoint can do with them: no span so long that time itself would end first, and no
    /// buffer that no computer has.
    pub(crate) fn within_bounds(mut self) -> Self {
        for size in [&mut self.largest_message, &mut self.receive_window, &mut self.send_buffer] {
            *size = (*size).min(LARGEST_BUFFER);
        }
        for span in [&mut self.keepalive, &mut self.vanish_after, &mut self.open_within] {
            *span = bounded_span(*span);
        }
        self
    }
}

/// A span that can be added to any time a clock will show.
pub(crate) fn bounded_span(span: Duration) -> Duration {
    span.clamp(SHORTEST_SPAN, LONGEST_SPAN)
}

/// What is due in no time would be due again and again at the same time.
const SHORTEST_SPAN: Duration = Duration::from_millis(1);

/// As good as for ever.
const LONGEST_SPAN: Duration = Duration::from_secs(366 * 24 * 3600);

/// As good as no limit.
const LARGEST_BUFFER: usize = 1 << 30;
