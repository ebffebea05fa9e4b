//! The rendezvous server as people run it: on real sockets, and as a program.

#[cfg(all(unix, feature = "cli"))]
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
#[cfg(feature = "cli")]
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tincan::amf::Value;
use tincan::driver::{self, Driver, DriverConfig};
use tincan::netconnection::node::{ConnectionId, NodeConfig};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rendezvous::config::ServerConfig;
use tincan::rendezvous::server::Server;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, Route};
use tincan::rtmfp::{EndpointConfig, PeerId};

type Ask = Box<dyn FnOnce(&mut Node, Instant) + Send>;

/// A node that does what it is asked.
struct Client(Node);

impl Machine for Client {
    type Command = Ask;
    type Event = NodeEvent;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Ask>) {
        match input.without_command() {
            Ok(input) => self.0.handle_input(now, input),
            Err(ask) => ask(&mut self.0, now),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<NodeEvent> {
        self.0.poll_output(now, packets)
    }
}

struct Person {
    driver: Driver<Ask>,
    told: mpsc::Receiver<NodeEvent>,
    peer: PeerId,
    connection: ConnectionId,
}

impl Person {
    /// Comes onto the server, and waits until it is let in.
    async fn join(server: SocketAddr, key: u8, name: &'static str) -> Self {
        let identity = Identity::generate([key; 32]);
        let peer = identity.peer_id();
        let endpoint = EndpointConfig::new(Arc::new(Flash::peer(identity)), [key + 1; 32]);
        let node = Node::new(NodeConfig { endpoint, most_peer_connections: 8 });
        let (tell, told) = mpsc::channel();
        let config = DriverConfig::new(vec!["127.0.0.1:0".parse().unwrap()]);
        let driver =
            driver::spawn(Client(node), config, move |event| tell.send(event).unwrap_or(())).unwrap();
        let ask: Ask = Box::new(move |node, now| {
            let route = Route { via: PathId(0), address: server };
            node.connect(now, &format!("rtmfp://{server}/"), &[route], vec![Value::from(name)]);
        });
        driver.command(ask).await.unwrap();
        let connected = await_told(&told, |event| match event {
            NodeEvent::Connected { connection, .. } => Some(connection),
            _ => None,
        });
        Self { driver, told, peer, connection: connected }
    }
}

fn await_told<T>(told: &mpsc::Receiver<NodeEvent>, wanted: impl Fn(NodeEvent) -> Option<T>) -> T {
    loop {
        let event = told.recv_timeout(Duration::from_secs(20)).expect("told within twenty seconds");
        if let Some(found) = wanted(event) {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_people_find_and_reach_each_other_through_a_server() {
    let config = ServerConfig { listen: vec!["127.0.0.1:0".parse().unwrap()], ..ServerConfig::default() };
    let server = Server::start(config).unwrap();
    let address = server.local_addresses()[0];
    let ada = Person::join(address, 1, "Ada").await;
    let bob = Person::join(address, 3, "Bob").await;

    let connection = ada.connection;
    let ask: Ask = Box::new(move |node, now| {
        node.call(now, connection, "lookup", vec![Value::from("bob")]);
    });
    ada.driver.command(ask).await.unwrap();
    let found = await_told(&ada.told, |event| match event {
        NodeEvent::Answered { result, .. } => Some(result.expect("Bob is here")),
        _ => None,
    });
    let id = found[0].property("id").and_then(Value::as_str).expect("an ID");
    assert_eq!(id, bob.peer.to_string());

    let far = bob.peer;
    let ask: Ask = Box::new(move |node, now| {
        node.play_direct(now, far, "line", &[]);
    });
    ada.driver.command(ask).await.unwrap();
    let caller = await_told(&bob.told, |event| match event {
        NodeEvent::PeerConnect { peer, name, .. } if name == "line" => Some(peer),
        _ => None,
    });
    assert_eq!(caller, ada.peer);
    assert_eq!(server.counters().here, 2);

    server.stop().await;
    await_told(&ada.told, |event| matches!(event, NodeEvent::Disconnected { .. }).then_some(()));
}

#[cfg(all(unix, feature = "cli"))]
#[test]
fn the_program_says_where_it_listens_that_it_is_well_and_ends_when_told() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tincan"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").expect("the promised line");
    assert_ne!(address.parse::<SocketAddr>().unwrap().port(), 0);
    let health =
        Command::new(env!("CARGO_BIN_EXE_tincan")).args(["serve", "--check", "--listen", address]).output();
    let health = health.unwrap();
    assert_eq!(String::from_utf8_lossy(&health.stdout), format!("{address} answers\n"));
    assert_eq!(health.status.code(), Some(0));
    let ended = Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(program.wait().unwrap().code(), Some(0));
}

#[cfg(feature = "cli")]
#[test]
fn a_wrong_configuration_ends_with_status_2() {
    let status = Command::new(env!("CARGO_BIN_EXE_tincan"))
        .args(["serve", "--config", "/nonexistent/rendezvous.toml"])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}
