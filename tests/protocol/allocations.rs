//! Packets cost no memory of their own: once a transfer runs, only messages are allocated for.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use bytes::Bytes;
use tincan::rtmfp::Event;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::endpoint::{
    Delivery, Endpoint, EndpointConfig, FlowOptions, Priority, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Received, Route};

const TRIP: Duration = Duration::from_micros(100);
const MESSAGE: usize = 64 << 10;

/// Two ends with real keys, and what each has allocated since it was asked last.
struct Pair {
    now: Instant,
    ends: [Endpoint; 2],
    allocations: [u64; 2],
    wakes: [Option<Instant>; 2],
    on_the_way: VecDeque<(Instant, usize, usize, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    packets: u64,
    came: usize,
    opened: Option<SessionKey>,
}

impl Pair {
    fn open() -> (Self, SessionKey, SendFlowId) {
        let now = Instant::now();
        let identities = [1, 2].map(|seed| Identity::generate([seed; 32]));
        let far = identities[1].peer_id();
        let ends = identities.map(|identity| {
            let profile: Arc<dyn Profile> = Arc::new(Flash::peer(identity));
            Endpoint::new(EndpointConfig::new(profile, [7; 32]))
        });
        let mut pair = Self {
            now,
            ends,
            allocations: [0; 2],
            wakes: [None; 2],
            on_the_way: VecDeque::new(),
            spare: Vec::new(),
            packets: 0,
            came: 0,
            opened: None,
        };
        for end in 0..2 {
            pair.input(end, Input::PathOpened { path: PathId(0), local: address(end), kind: PathKind::Own });
        }
        pair.ends[0].open_session_to_peer(now, far, &[Route { via: PathId(0), address: address(1) }]);
        pair.drain(0);
        while pair.opened.is_none() {
            pair.step();
        }
        let session = pair.opened.expect("just opened");
        let options = FlowOptions {
            metadata: Bytes::from_static(b"bulk"),
            priority: Priority::Routine,
            time_critical: false,
            answers: None,
        };
        let flow = pair.ends[0].open_flow(session, options).expect("an open session");
        (pair, session, flow)
    }

    /// Carries so many messages of 64 KiB, and answers the packets and allocations of either end it took.
    fn carry(&mut self, session: SessionKey, flow: SendFlowId, messages: usize) -> (u64, [u64; 2]) {
        let message = Bytes::from(vec![5; MESSAGE]);
        (self.packets, self.allocations) = (0, [0; 2]);
        let (until, mut written) = (self.came + messages * MESSAGE, 0);
        while self.came < until {
            while written < messages && self.ends[0].queued(session, flow) < 1 << 20 {
                let message = message.clone();
                self.ends[0]
                    .write(self.now, session, flow, message, WriteOptions::default())
                    .expect("a queue with room");
                written += 1;
            }
            self.drain(0);
            self.step();
        }
        (self.packets, self.allocations)
    }

    fn step(&mut self) {
        let arrival = self.on_the_way.front().map(|(at, ..)| *at);
        let due = self.wakes.into_iter().flatten().chain(arrival).min().expect("something is always due");
        self.now = self.now.max(due);
        while let Some((_, to, segment_size, mut bytes)) = self.on_the_way.pop_front_if(|(at, ..)| *at <= due)
        {
            let route = Route { via: PathId(0), address: address(1 - to) };
            self.input(to, Input::Received(Received { route, ecn: None, segment_size, bytes: &mut bytes }));
            self.spare.push(bytes);
        }
        for end in 0..2 {
            if self.wakes[end].is_some_and(|wake| wake <= self.now) {
                self.input(end, Input::Time);
            }
        }
    }

    fn input(&mut self, end: usize, input: Input<'_, std::convert::Infallible>) {
        let (endpoint, now) = (&mut self.ends[end], self.now);
        self.allocations[end] += measure(|| endpoint.handle_input(now, input)).count_total;
        self.drain(end);
    }

    fn drain(&mut self, end: usize) {
        loop {
            let mut packets = self.spare.pop().unwrap_or_default();
            let (endpoint, now) = (&mut self.ends[end], self.now);
            let mut output = Output::Sleep(None);
            self.allocations[end] += measure(|| output = endpoint.poll_output(now, &mut packets)).count_total;
            if let Output::Transmit(transmit) = output {
                self.packets += packets.len().div_ceil(transmit.segment_size) as u64;
                self.on_the_way.push_back((now + TRIP, 1 - end, transmit.segment_size, packets));
                continue;
            }
            self.spare.push(packets);
            match output {
                Output::Compute(job) => endpoint.handle_input(now, Input::Computed(job.run())),
                Output::Event(Event::SessionOpened { session, initiator: true, .. }) => {
                    self.opened = Some(session);
                }
                Output::Event(Event::FlowOpened { session, flow, .. }) => {
                    endpoint.accept_flow(session, flow, Delivery::Ordered);
                }
                Output::Event(Event::Message { bytes, .. }) => self.came += bytes.len(),
                Output::Event(_) | Output::Transmit(_) => {}
                Output::Sleep(until) => {
                    self.wakes[end] = until;
                    return;
                }
            }
        }
    }
}

fn address(end: usize) -> SocketAddr {
    ([192, 0, 2, end as u8 + 1], 1935).into()
}

#[test]
fn a_transfer_that_runs_allocates_for_messages_and_not_for_packets() {
    let (mut pair, session, flow) = Pair::open();
    pair.carry(session, flow, 400);
    let messages = 200;
    let (packets, [sender, receiver]) = pair.carry(session, flow, messages);
    assert!(packets > 50 * messages as u64, "{packets} packets");
    // Trees of messages and of what is awaited grow and shrink by nodes.
    assert!(sender < 4 * messages as u64, "the sender allocated {sender} times for {packets} packets");
    assert!(receiver < 12 * messages as u64, "the receiver allocated {receiver} times for {packets} packets");
}
