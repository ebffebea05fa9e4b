use std::collections::VecDeque;
use std::sync::Arc;

use super::*;
use crate::netconnection::user_control::UserControl;
use crate::rtmfp::machine::{PathId, Received};
use crate::rtmfp::testing::plain_crypto::Plain;

/// Two nodes joined by a wire that takes no time.
struct Pair {
    nodes: [Node; 2],
    events: [Vec<NodeEvent>; 2],
    now: Instant,
}

const ADA: usize = 0;
const BOB: usize = 1;

fn route(of: usize) -> Route {
    Route { via: PathId(0), address: ([192, 0, 2, 1 + of as u8], 1935).into() }
}

impl Pair {
    fn new() -> Self {
        let node = |name: &str, seed| {
            let endpoint = EndpointConfig::new(Arc::new(Plain::new(name)), [seed; 32]);
            Node::new(NodeConfig { endpoint, most_peer_connections: 8 })
        };
        Self {
            nodes: [node("ada", 1), node("bob", 2)],
            events: [Vec::new(), Vec::new()],
            now: Instant::now(),
        }
    }

    fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        let mut inputs: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
        loop {
            let mut wake = None;
            for end in [ADA, BOB] {
                wake = self.drain(end, &mut inputs).into_iter().chain(wake).min();
            }
            if let Some((to, mut bytes)) = inputs.pop_front() {
                let segment_size = bytes.len();
                let received = Received { route: route(1 - to), ecn: None, segment_size, bytes: &mut bytes };
                self.nodes[to].handle_input(self.now, Input::Received(received));
                continue;
            }
            let Some(at) = wake.filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            self.nodes.iter_mut().for_each(|node| node.handle_input(self.now, Input::Time));
        }
        self.now = until;
    }

    fn drain(&mut self, end: usize, inputs: &mut VecDeque<(usize, Vec<u8>)>) -> Option<Instant> {
        let mut packets = Vec::new();
        loop {
            match self.nodes[end].poll_output(self.now, &mut packets) {
                Output::Transmit(transmit) => {
                    let each = packets.chunks(transmit.segment_size);
                    inputs.extend(each.map(|bytes| (1 - end, bytes.to_vec())));
                }
                Output::Compute(job) => {
                    let computed = job.run();
                    self.nodes[end].handle_input(self.now, Input::Computed(computed));
                }
                Output::Event(event) => self.events[end].push(event),
                Output::Sleep(until) => return until,
            }
        }
    }
}

#[test]
fn what_waits_at_a_barrier_is_given_before_its_flow_ends() {
    let mut pair = Pair::new();
    let now = pair.now;
    let publication = pair.nodes[BOB].publish_direct(now, "cam");
    let bob = pair.nodes[BOB].near_id();
    let playback = pair.nodes[ADA].play_direct(now, bob, "cam", &[route(BOB)]);
    pair.run_for(Duration::from_secs(1));
    let asked = pair.events[BOB].iter().find_map(|event| match event {
        NodeEvent::PeerConnect { subscriber, .. } => Some(*subscriber),
        _ => None,
    });
    let subscriber = asked.expect("Ada asked");
    let now = pair.now;
    let node = &mut pair.nodes[BOB];
    node.accept_subscriber(now, subscriber, publication);
    let target = Target::Subscriber(subscriber);
    let barrier = UserControl::FlowSync { barrier: 1, count: 2 };
    node.write_data(now, target, message::encode_user_control(barrier));
    node.send_data(now, target, "last words", Vec::new());
    let outlet = outlet_of(&mut node.subscribers, &mut node.streams, &mut node.served, target)
        .expect("a subscriber that plays");
    outlet.close(&mut node.endpoint, now);
    pair.run_for(Duration::from_secs(3));
    let words = NodeEvent::Data { playback, handler: "last words".to_owned(), arguments: Vec::new() };
    assert!(pair.events[ADA].contains(&words), "{:?}", pair.events[ADA]);
}
