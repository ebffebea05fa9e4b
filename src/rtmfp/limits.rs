//! Every timer, window and size of an open session: the value, where it comes from, and why.

use std::time::Duration;

/// Datagrams are at most this long, so that they fit every path worth having without asking it (§3.5.4.3). IPv6
/// guarantees 1280 bytes, of which headers and a tunnel may take 80.
pub(crate) const DATAGRAM_SIZE: usize = 1200;

/// Packets handed out at once: as many as the system takes with one call when it cuts them apart itself.
pub(crate) const BATCH_PACKETS: usize = 54;

/// Datagrams are at most this long while nothing longer is known to pass: every host must take an IPv4 datagram of 576 bytes
/// (RFC 1122 §3.3.2), headers included.
pub(crate) const SAFE_DATAGRAM_SIZE: usize = 548;

/// The longest datagram that programs of Flash's time send and take.
pub(crate) const FLASH_ERA_DATAGRAM_SIZE: usize = 1192;

/// Long datagrams that get lost for so long, or two timeouts if that is longer, do not pass any more.
pub(crate) const NARROWED_AFTER: Duration = Duration::from_secs(1);

/// A path that answers no probe is left in peace for so long.
pub(crate) const PROBE_AGAIN: Duration = Duration::from_secs(30);

/// Packets of time critical data that may go although other data used up the pace.
pub(crate) const URGENT_PACKETS: i64 = 2;

/// A round trip below this is finer than packet timestamps measure and timers wait: its data is not paced.
pub(crate) const SHORTEST_PACED_ROUND_TRIP: Duration = Duration::from_micros(4500);

/// A path that was once found to be shorter than a tick of the timestamps is treated so up to this round trip.
pub(crate) const LONGEST_NEAR_ROUND_TRIP: Duration = Duration::from_millis(16);

/// Paced data never waits for less than this: timers are no finer.
pub(crate) const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// What may go at once when a timer was late: as much as this time would have let pass.
pub(crate) const PACING_GRAIN: Duration = Duration::from_millis(4);

/// A packet this close to full is padded to full, so that the packets of a batch are equally long (§2.2.4 allows it).
pub(crate) const PADDING_WORTH_IT: usize = 64;

/// One step of packet timestamps (§2.2.4).
pub(crate) const TICK: Duration = Duration::from_millis(4);

/// A timestamp older than this is not echoed (§3.5.2.2).
pub(crate) const ECHO_LIFETIME: Duration = Duration::from_secs(128);

/// The first measured retransmission timeout (§3.5.2.2).
pub(crate) const FIRST_MEASURED_TIMEOUT: Duration = Duration::from_millis(250);

/// The retransmission timeout before anything is measured (§3.5.2.2).
pub(crate) const FIRST_TIMEOUT: Duration = Duration::from_secs(3);

/// The shortest retransmission timeout (§3.5.2.2).
pub(crate) const SHORTEST_TIMEOUT: Duration = Duration::from_millis(250);

/// How long the far end may hold back an acknowledgement; room for it is part of the timeout (§3.5.2.2).
pub(crate) const DELAYED_ACKNOWLEDGEMENT: Duration = Duration::from_millis(200);

/// Backing off ends here (§3.5.2.2).
pub(crate) const LONGEST_BACKED_OFF_TIMEOUT: Duration = Duration::from_secs(10);

/// What a timeout grows by each time (§3.5.2.2).
pub(crate) const BACKOFF: f64 = std::f64::consts::SQRT_2;

/// Packets with user data that may go in one burst (§3.5.2.3). Before the round trip is measured no more go between two
/// acknowledgements or timeouts; afterwards what follows them is paced.
pub(crate) const BURST_PACKETS: u32 = 6;

/// With a window below this, user data does not wait until a batch is worth sending.
pub(crate) const SMALLEST_BATCHED_WINDOW: usize = 8 * DATAGRAM_SIZE;

/// While a flow has less than this in flight, in bytes, it goes on beside time critical data that takes all there is.
pub(crate) const LITTLE_IN_FLIGHT: usize = 2 * DATAGRAM_SIZE;

/// A rate of sound and pictures that the layer above does not renew within this time governs them no more.
pub(crate) const MEDIA_RATE_LIFETIME: Duration = Duration::from_secs(1);

/// How long a time critical indication counts (§3.5.2.1, A.2).
pub(crate) const TIME_CRITICAL_MEMORY: Duration = Duration::from_millis(800);

/// Negative acknowledgements that make a fragment lost (§3.6.2.5).
pub(crate) const NAKS_FOR_LOSS: u8 = 3;

/// A far end's receive window before its first acknowledgement, in bytes (§3.6.2).
pub(crate) const FIRST_RECEIVE_WINDOW: u64 = 65_536;

/// First buffer probe after a window closed, and the least time between two (§3.6.2.9.1).
pub(crate) const FIRST_BUFFER_PROBE: Duration = Duration::from_secs(1);

/// The most time between two buffer probes, unless the retransmission timeout is longer (§3.6.2.9.1).
pub(crate) const SLOWEST_BUFFER_PROBE: Duration = Duration::from_secs(60);

/// Packets with user data that are acknowledged at once (§3.6.3.2).
pub(crate) const PACKETS_PER_ACKNOWLEDGEMENT: u32 = 2;

/// A finished receive flow still answers repeated data for so long (§3.6.3.8: one maximum segment lifetime).
pub(crate) const RECEIVE_FLOW_LINGER: Duration = Duration::from_secs(120);

/// A close request is repeated this often (§3.5.5).
pub(crate) const CLOSE_REQUEST_INTERVAL: Duration = Duration::from_secs(5);

/// How long an answer to our close request is waited for (§3.5.5).
pub(crate) const NEAR_CLOSE: Duration = Duration::from_secs(90);

/// How long a session closed by the far end still answers its close requests (§3.5.5).
pub(crate) const FAR_CLOSE_LINGER: Duration = Duration::from_secs(19);

/// Least time between two mobility checks (§3.5.4.2).
pub(crate) const MOBILITY_CHECK_SPACING: Duration = Duration::from_secs(1);

/// A mobility reply older than this proves nothing any more (§3.5.4.2).
pub(crate) const MOBILITY_REPLY_LIFETIME: Duration = Duration::from_secs(120);

/// A far end that does not repeat what a ping said must reply within so long for it to count as moved.
pub(crate) const EMPTY_REPLY_LIFETIME: Duration = Duration::from_secs(5);

/// Metadata that we send, in bytes (§2.3.11.1.1).
pub(crate) const LARGEST_METADATA: usize = 512;

/// Metadata that we take, in bytes: more than anybody should send.
pub(crate) const LARGEST_FAR_METADATA: usize = 1024;

/// Receive flows open at once in one session.
pub(crate) const MOST_OPEN_RECEIVE_FLOWS: usize = 256;

/// Receive flows remembered in one session, the lingering ones included.
pub(crate) const MOST_RECEIVE_FLOWS: usize = 1024;

/// Separate runs of sequence numbers a receive flow keeps track of; a fragment that would make one more is not taken.
pub(crate) const MOST_ISLANDS: usize = 1024;

/// Fragments beyond a receive flow's bytes are counted as if each were this much longer, so that empty ones are bounded too.
pub(crate) const FRAGMENT_OVERHEAD: usize = 64;

/// Bytes that all receive flows of a session may hold together; beyond that only flows that hold little may grow.
pub(crate) const MOST_HELD_BYTES: usize = 64 << 20;

/// What counts as little.
pub(crate) const LITTLE_HELD_BYTES: usize = 64 << 10;

/// The layer above answers a new flow at once; one still unanswered after so long is rejected.
pub(crate) const FLOW_ANSWER: Duration = Duration::from_millis(100);

/// Packets waiting that hold one chunk for an address of its own; further answers to a flood are dropped.
pub(crate) const MOST_PACKETS_APART: usize = 8;

/// So long after something came a session looks whether it has memory to give back.
pub(crate) const SPARE_AFTER: Duration = Duration::from_secs(1);

/// Hellos waiting to be forwarded in one session.
pub(crate) const MOST_FORWARDED_HELLOS: usize = 64;

/// Given-up messages of one send flow that are remembered for those that need them.
pub(crate) const MOST_GIVEN_UP: usize = 4096;

/// Probes of other ways in one session, and answers to the far end's: so many at once.
pub(crate) const PROBES_AT_ONCE: u32 = 16;

/// One more probe, or answer, in such a time.
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// Probes of one session that wait for an answer, and ways that one is known to have passed.
pub(crate) const MOST_PROBES: usize = 32;

/// An answer to a probe that comes later proves nothing about now.
pub(crate) const PROBE_ANSWER_LIFETIME: Duration = Duration::from_secs(5);

/// A way that a probe passed within this time is one that a session can change to without losing what is under way.
pub(crate) const PROBED_LATELY: Duration = Duration::from_secs(10);

/// The way that a session left is not gone back to for so long because of late packets, and a few round trips longer when
/// we chose to leave it: the far end follows only after a while.
pub(crate) const LEFT_BEHIND: Duration = Duration::from_millis(500);

/// No longer than this, however long a round trip takes.
pub(crate) const LONGEST_LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Relayed addresses are tried, and answered at, so much later than others, so that a direct way wins wherever there is
/// one: a direct answer takes about a round trip from the moment on that both ends ask, and a relayed one no less.
pub(crate) const RELAY_PAUSE: Duration = Duration::from_millis(200);

/// Addresses of several kinds are asked one kind after another, so far apart that the better one wins when two are about
/// equally quick, and no further: the worse may be the only one (RFC 8305 §5 has more to lose by asking at once).
pub(crate) const NEXT_KIND_PAUSE: Duration = Duration::from_millis(15);

/// A server is asked so much later over IPv6 than over IPv4, where it has both: what it sees of our IPv4 nobody else knows,
/// while we tell our IPv6 ourselves. Where only IPv6 works, nobody notices such a delay.
pub(crate) const IPV6_SERVER_PAUSE: Duration = Duration::from_millis(75);

/// Hellos that wait to be answered at a relayed address.
pub(crate) const MOST_LATE_ANSWERS: usize = 64;

/// Addresses remembered as those of relays.
pub(crate) const MOST_KNOWN_RELAYS: usize = 256;

/// Relayed paths of ours over which one address is tried.
pub(crate) const MOST_RELAYED_PATHS: usize = 2;
