//! What is allocated: `cargo bench --no-default-features --bench memory` prints one JSON object a line, as the bench of
//! costs does. It stands alone because counting replaces the program's allocator.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use tincan::netconnection::node::NodeConfig;
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, PathKind, Received, Route};

/// Sessions that are open before counting begins, so that what they share does not count.
const BEFORE: u32 = 50;
const SESSIONS: u32 = 1000;
const URL: &str = "rtmfp://192.0.2.1/bench";

fn main() {
    let mut server = Server::new();
    (0..BEFORE).for_each(|number| server.take_client(number));
    let before = server.bytes;
    (BEFORE..BEFORE + SESSIONS).for_each(|number| server.take_client(number));
    assert_eq!(server.node.sessions(), (BEFORE + SESSIONS) as usize, "all of them are open");
    let each = (server.bytes - before) as f64 / f64::from(SESSIONS);
    println!(r#"{{"name":"memory_idle_session","value":{each:.0},"unit":"bytes"}}"#);
}

/// A server in the time and network of this bench, and what it has allocated and not freed.
struct Server {
    node: Node,
    address: SocketAddr,
    now: Instant,
    wake: Option<Instant>,
    bytes: i64,
}

/// Datagrams of one transmit, on their way.
struct Batch {
    segment_size: usize,
    bytes: Vec<u8>,
}

impl Server {
    fn new() -> Self {
        let (now, address) = (Instant::now(), SocketAddr::from(([192, 0, 2, 1], 1935)));
        let mut node = node(Arc::new(Flash::server([1; 32])), 1);
        node.handle_input(now, Input::PathOpened { path: PathId(0), local: address, kind: PathKind::Own });
        let mut server = Self { node, address, now, wake: None, bytes: 0 };
        server.drain();
        server
    }

    /// Lets a client connect, and settles until both have said everything; the client is gone then, without a word.
    fn take_client(&mut self, number: u32) {
        let mut seed = [3; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let mut client = node(Arc::new(Flash::peer(Identity::generate(seed))), number as u8);
        let [_, high, middle, low] = number.to_be_bytes();
        let address = SocketAddr::from(([10, high, middle, low], 5000));
        client.handle_input(
            self.now,
            Input::PathOpened { path: PathId(0), local: address, kind: PathKind::Own },
        );
        client.connect(self.now, URL, &[Route { via: PathId(0), address: self.address }], Vec::new());
        let until = self.now + QUIET_AFTER;
        let mut connected = false;
        loop {
            let (to_server, wake) = drain(&mut client, self.now, |_, event| {
                connected |= matches!(event, NodeEvent::Connected { .. });
            });
            let quiet = to_server.is_empty();
            to_server.into_iter().for_each(|batch| self.receive(address, batch));
            let to_client = self.drain();
            let quiet = quiet && to_client.is_empty();
            for mut batch in to_client {
                let route = Route { via: PathId(0), address: self.address };
                let segment_size = batch.segment_size;
                let received = Received { route, ecn: None, segment_size, bytes: &mut batch.bytes };
                client.handle_input(self.now, Input::Received(received));
            }
            if !quiet {
                continue;
            }
            let Some(next) = [wake, self.wake].into_iter().flatten().min().filter(|next| *next < until)
            else {
                break;
            };
            self.now = self.now.max(next);
            client.handle_input(self.now, Input::Time);
            self.count(|node, now| node.handle_input(now, Input::Time));
        }
        assert!(connected, "client {number} is let in");
    }

    fn receive(&mut self, from: SocketAddr, mut batch: Batch) {
        let route = Route { via: PathId(0), address: from };
        let segment_size = batch.segment_size;
        self.count(|node, now| {
            let received = Received { route, ecn: None, segment_size, bytes: &mut batch.bytes };
            node.handle_input(now, Input::Received(received));
        });
    }

    fn drain(&mut self) -> Vec<Batch> {
        let mut sent = Vec::new();
        let mut wake = None;
        self.count(|node, now| {
            let (batches, due) = drain(node, now, |node, event| {
                if let NodeEvent::ConnectRequested { connection, .. } = event {
                    node.accept_connection(now, connection, Vec::new());
                }
            });
            // What is on the wire is no memory of the server's.
            allocation_counter::opt_out(|| sent = batches.iter().map(Batch::copy).collect());
            wake = due;
        });
        self.wake = wake;
        sent
    }

    /// Does something to the server, and counts what it allocates and frees on the way.
    fn count(&mut self, what: impl FnOnce(&mut Node, Instant)) {
        let (node, now) = (&mut self.node, self.now);
        self.bytes += measure(|| what(node, now)).bytes_current;
    }
}

impl Batch {
    fn copy(&self) -> Self {
        Self { segment_size: self.segment_size, bytes: self.bytes.clone() }
    }
}

fn node(profile: Arc<dyn Profile>, seed: u8) -> Node {
    let mut endpoint = EndpointConfig::new(profile, [seed; 32]);
    // Clients that are gone are not missed while this goes on.
    endpoint.keepalive = Duration::from_secs(1_000_000);
    Node::new(NodeConfig { endpoint, most_peer_connections: 8 })
}

/// Everything that a node sends now, and when it wants to be woken.
fn drain(
    node: &mut Node,
    now: Instant,
    mut on_event: impl FnMut(&mut Node, NodeEvent),
) -> (Vec<Batch>, Option<Instant>) {
    let mut batches = Vec::new();
    let mut to_do = VecDeque::new();
    loop {
        let mut bytes = Vec::new();
        match node.poll_output(now, &mut bytes) {
            Output::Transmit(transmit) => batches.push(Batch { segment_size: transmit.segment_size, bytes }),
            Output::Compute(job) => to_do.push_back(job),
            Output::Event(event) => on_event(node, event),
            Output::Sleep(until) => match to_do.pop_front() {
                Some(job) => node.handle_input(now, Input::Computed(job.run())),
                None => return (batches, until),
            },
        }
    }
}

/// Delayed acknowledgements are out by then, and no keepalive is due.
const QUIET_AFTER: Duration = Duration::from_secs(2);
