//! Two endpoints and a wire of memory: how fast messages go through, with real packets and with readable ones.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::endpoint::{
    Delivery, Endpoint, EndpointConfig, FlowOptions, Priority, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Received, Route};
use tincan::rtmfp::testing::plain_crypto::Plain;
use tincan::rtmfp::{Event, PeerId};

use super::Bench;
use super::crypto::{DATAGRAM, session_ciphers};

/// What goes through in a round.
const BYTES: usize = 64 << 20;
const MESSAGE: usize = 16 << 10;
/// How long a datagram takes, in virtual time: hardly at all, so that nothing waits.
const TRIP: Duration = Duration::from_micros(100);
const ROUNDS: usize = 3;

pub(crate) fn run(bench: &Bench) {
    if bench.wants("engine_readable") {
        let [near, far] = ["near", "far"].map(|name| (Plain::new(name).peer_id(), Plain::new(name)));
        let [near, far]: [(PeerId, Arc<dyn Profile>); 2] =
            [(near.0, Arc::new(near.1)), (far.0, Arc::new(far.1))];
        let bulk = fastest(near.1, far);
        bench.tell("engine_readable_throughput", bulk.megabytes_per_second(), "MB/s");
        bench.tell("engine_readable_packets", bulk.packets_per_second(), "packets/s");
    }
    if bench.wants("engine_sealed") {
        let [near, far]: [(PeerId, Arc<dyn Profile>); 2] = [[1; 32], [2; 32]].map(|seed| {
            let identity = Identity::generate(seed);
            (identity.peer_id(), Arc::new(Flash::peer(identity)) as Arc<dyn Profile>)
        });
        let bulk = fastest(near.1, far);
        bench.tell("engine_sealed_throughput", bulk.megabytes_per_second(), "MB/s");
        bench.tell("engine_sealed_packets", bulk.packets_per_second(), "packets/s");
        let each = bulk.took.as_secs_f64() * 1e9 / bulk.packets as f64;
        bench.tell_with_limit("engine_sealed_packet", each, "ns", seal_and_open(&bulk));
    }
}

/// What a round took.
struct Bulk {
    took: Duration,
    /// Datagrams both ways.
    packets: u64,
    /// Their bytes.
    bytes: u64,
}

impl Bulk {
    fn megabytes_per_second(&self) -> f64 {
        BYTES as f64 / 1e6 / self.took.as_secs_f64()
    }

    fn packets_per_second(&self) -> f64 {
        self.packets as f64 / self.took.as_secs_f64()
    }
}

/// Nanoseconds for a packet that sealing and opening alone would have taken, at the mean length of these.
fn seal_and_open(bulk: &Bulk) -> f64 {
    let (mut near, mut far) = session_ciphers();
    let length = usize::try_from(bulk.bytes / bulk.packets.max(1)).unwrap_or(DATAGRAM);
    let plain = vec![0x5a; near.plain_limit(length)];
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    super::nanoseconds(super::best(5_000, || {
        out.clear();
        ends.clear();
        near.seal(1, &plain, &[plain.len()], &mut out, &mut ends);
        far.open(&mut out).expect("a packet of ours").len()
    }))
}

fn fastest(near: Arc<dyn Profile>, far: (PeerId, Arc<dyn Profile>)) -> Bulk {
    let round = |_| Wire::new(Arc::clone(&near), &far).carry();
    (0..ROUNDS).map(round).min_by_key(|bulk| bulk.took).expect("some rounds")
}

/// One end.
struct End {
    endpoint: Endpoint,
    address: SocketAddr,
    wake: Option<Instant>,
}

/// Both ends and what is between them.
struct Wire {
    now: Instant,
    ends: [End; 2],
    /// When it arrives, at which end, how long each datagram of the batch is, and the batch.
    on_the_way: VecDeque<(Instant, usize, usize, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    opened: Option<SessionKey>,
    sent: u64,
    sent_bytes: u64,
    came: usize,
}

impl Wire {
    fn new(near: Arc<dyn Profile>, far: &(PeerId, Arc<dyn Profile>)) -> Self {
        let now = Instant::now();
        let end = |profile, number: u8| End {
            endpoint: Endpoint::new(EndpointConfig::new(profile, [number; 32])),
            address: SocketAddr::from(([192, 0, 2, number], 1935)),
            wake: None,
        };
        let ends = [end(near, 1), end(Arc::clone(&far.1), 2)];
        let (on_the_way, spare) = (VecDeque::new(), Vec::new());
        let mut wire = Self { now, ends, on_the_way, spare, opened: None, sent: 0, sent_bytes: 0, came: 0 };
        for number in 0..2 {
            let local = wire.ends[number].address;
            wire.ends[number]
                .endpoint
                .handle_input(now, Input::PathOpened { path: PathId(0), local, kind: PathKind::Own });
            wire.drain(number);
        }
        let there = Route { via: PathId(0), address: wire.ends[1].address };
        wire.ends[0].endpoint.open_session_to_peer(now, far.0, &[there]);
        wire.drain(0);
        wire
    }

    /// Carries all bytes from one end to the other; key agreement is not measured.
    fn carry(mut self) -> Bulk {
        while self.opened.is_none() {
            self.step();
        }
        let session = self.opened.expect("just opened");
        let options = FlowOptions {
            metadata: Bytes::from_static(b"bulk"),
            priority: Priority::Routine,
            time_critical: false,
            answers: None,
        };
        let flow = self.ends[0].endpoint.open_flow(session, options).expect("an open session");
        let message = Bytes::from(vec![0x5a; MESSAGE]);
        (self.sent, self.sent_bytes) = (0, 0);
        let start = Instant::now();
        let mut written = 0;
        while self.came < BYTES {
            written += self.fill(session, flow, &message, BYTES - written);
            self.step();
        }
        Bulk { took: start.elapsed(), packets: self.sent, bytes: self.sent_bytes }
    }

    /// Keeps the sender busy without holding everything; answers how many bytes were written.
    fn fill(&mut self, session: SessionKey, flow: SendFlowId, message: &Bytes, left: usize) -> usize {
        let endpoint = &mut self.ends[0].endpoint;
        let mut written = 0;
        while written < left && endpoint.queued(session, flow) < 1 << 20 {
            endpoint
                .write(self.now, session, flow, message.clone(), WriteOptions::default())
                .expect("an open session with room");
            written += message.len();
        }
        if written > 0 {
            self.drain(0);
        }
        written
    }

    /// The next thing that is due.
    fn step(&mut self) {
        let wakes = self.ends.iter().filter_map(|end| end.wake);
        let arrival = self.on_the_way.front().map(|(at, ..)| *at);
        let due = wakes.chain(arrival).min().expect("something is always due");
        self.now = self.now.max(due);
        while let Some((_, to, segment_size, mut bytes)) = self.on_the_way.pop_front_if(|(at, ..)| *at <= due)
        {
            let route = Route { via: PathId(0), address: self.ends[1 - to].address };
            let received = Received { route, ecn: None, segment_size, bytes: &mut bytes };
            self.ends[to].endpoint.handle_input(self.now, Input::Received(received));
            self.spare.push(bytes);
            self.drain(to);
        }
        for number in 0..2 {
            if self.ends[number].wake.is_some_and(|wake| wake <= self.now) {
                self.ends[number].endpoint.handle_input(self.now, Input::Time);
                self.drain(number);
            }
        }
    }

    fn drain(&mut self, number: usize) {
        loop {
            let mut packets = self.spare.pop().unwrap_or_default();
            let output = self.ends[number].endpoint.poll_output(self.now, &mut packets);
            if let Output::Transmit(transmit) = output {
                self.sent += packets.len().div_ceil(transmit.segment_size) as u64;
                self.sent_bytes += packets.len() as u64;
                self.on_the_way.push_back((self.now + TRIP, 1 - number, transmit.segment_size, packets));
                continue;
            }
            self.spare.push(packets);
            match output {
                Output::Compute(job) => {
                    self.ends[number].endpoint.handle_input(self.now, Input::Computed(job.run()));
                }
                Output::Event(Event::SessionOpened { session, initiator: true, .. }) => {
                    self.opened = Some(session);
                }
                Output::Event(Event::FlowOpened { session, flow, .. }) => {
                    self.ends[number].endpoint.accept_flow(session, flow, Delivery::Ordered);
                }
                Output::Event(Event::Message { bytes, .. }) => self.came += bytes.len(),
                Output::Event(_) | Output::Transmit(_) => {}
                Output::Sleep(until) => {
                    self.ends[number].wake = until;
                    return;
                }
            }
        }
    }
}
