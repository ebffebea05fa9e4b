//! One client of a server: a node of its own behind sockets of its own, asked and listened to.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tincan::driver::{self, Driver, DriverConfig};
use tincan::netconnection::node::{ConnectionId, NodeConfig, ServerStreamId};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::{Flash, Identity, Verification};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, Route};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Something to be done with the node.
pub(crate) type Ask = Box<dyn FnOnce(&mut Node, Instant) + Send>;
/// Why it did not work.
pub(crate) type Problem = Box<dyn std::error::Error>;

/// How long a server may take to answer each request.
const PATIENCE: Duration = Duration::from_secs(15);

/// A node that does what it is asked.
struct Asked(Node);

impl Machine for Asked {
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

/// One client of the server, with a key made for this run.
pub(crate) struct Client {
    who: &'static str,
    driver: Driver<Ask>,
    /// What the node tells.
    pub(crate) told: mpsc::UnboundedReceiver<NodeEvent>,
}

impl Client {
    /// Binds any free port. To programs of the Flash years it shows a key that they understand.
    pub(crate) fn new(who: &'static str, server: &Server) -> Result<Self, Problem> {
        let profile = if server.group.is_some() { server.fresh()? } else { server.lasting(who)? };
        let endpoint = EndpointConfig::new(Arc::new(profile), driver::random_seed()?);
        let node = Node::new(NodeConfig { endpoint, most_peer_connections: 8 });
        let (tell, told) = mpsc::unbounded_channel();
        let driver = driver::spawn(Asked(node), DriverConfig::any_port(), move |event| {
            // Nobody listens any more once this client is done.
            let _ = tell.send(event);
        })?;
        Ok(Self { who, driver, told })
    }

    /// Has something done with the node, and waits for what comes of it.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Node, Instant) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let ask: Ask = Box::new(move |node, now| {
            let _ = answer.send(ask(node, now));
        });
        self.driver.command(ask).await?;
        Ok(answered.await?)
    }

    /// Connects.
    pub(crate) async fn connect(&mut self, server: &Server) -> Result<ConnectionId, Problem> {
        let begun = Instant::now();
        let (url, routes) = (server.url.clone(), server.routes(self.driver.local_addresses()));
        let connection = self.ask(move |node, now| node.connect(now, &url, &routes, Vec::new())).await?;
        self.wait_for("connect", |event| matches!(event, NodeEvent::Connected { .. })).await?;
        let took = begun.elapsed().as_millis();
        let figures = self.ask(move |node, now| node.connection_figures(now, connection)).await?;
        let cipher = figures.map(|figures| figures.cipher);
        println!("{}: connected after {took} ms, {}", self.who, cipher.unwrap_or_default());
        Ok(connection)
    }

    /// Connects and makes a stream.
    pub(crate) async fn open_stream(
        &mut self,
        server: &Server,
    ) -> Result<(ConnectionId, ServerStreamId), Problem> {
        let connection = self.connect(server).await?;
        let stream = self.ask(move |node, now| node.create_stream(now, connection)).await?;
        self.wait_for("createStream", |event| matches!(event, NodeEvent::StreamCreated { .. })).await?;
        Ok((connection, stream))
    }

    /// Waits for an event, and prints those before it.
    pub(crate) async fn wait_for(
        &mut self,
        what: &str,
        wanted: impl Fn(&NodeEvent) -> bool,
    ) -> Result<(), Problem> {
        loop {
            let event = timeout(PATIENCE, self.told.recv())
                .await
                .map_err(|_| format!("{}: no answer to {what} within {} s", self.who, PATIENCE.as_secs()))?
                .ok_or("the driver has stopped")?;
            if wanted(&event) {
                return Ok(());
            }
            match event {
                NodeEvent::Disconnected { code, description, .. } => {
                    return Err(format!("{}: {} {description}", self.who, code.as_str()).into());
                }
                NodeEvent::StreamStatus { code, info, .. } => {
                    println!("{}: {} {info:?}", self.who, code.as_str());
                }
                other => println!("{}: {other:?}", self.who),
            }
        }
    }

    /// Ends the stream and the connection.
    pub(crate) async fn leave(self, connection: ConnectionId, stream: ServerStreamId) -> Result<(), Problem> {
        self.ask(move |node, now| {
            node.delete_stream(now, stream);
            node.close_connection(now, connection);
        })
        .await?;
        self.stop().await;
        Ok(())
    }

    /// Stops, after its goodbyes.
    pub(crate) async fn stop(self) {
        self.driver.stop().await;
    }
}

/// Where the server is.
#[derive(Clone)]
pub(crate) struct Server {
    url: String,
    pub(crate) addresses: Vec<SocketAddr>,
    /// It is a program of the Flash years.
    old: bool,
    /// The only group in which keys are to be agreed on.
    group: Option<u64>,
}

impl Server {
    /// Reads `rtmfp://host[:port][/app]` and looks the name up.
    pub(crate) fn parse(url: &str, old: bool, group: Option<u64>) -> Result<Self, Problem> {
        let rest = url.strip_prefix("rtmfp://").ok_or("the address must read rtmfp://host[:port][/app]")?;
        let authority = rest.split('/').next().unwrap_or_default();
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { authority.to_owned() } else { format!("{authority}:1935") };
        Ok(Self { url: url.to_owned(), addresses: with_port.to_socket_addrs()?.collect(), old, group })
    }

    /// An end that makes new keys for each session.
    pub(crate) fn fresh(&self) -> Result<Flash, Problem> {
        let seed = driver::random_seed()?;
        let profile = match self.group {
            Some(group) => Flash::server_in(&[group], seed)?,
            None => Flash::server(seed),
        };
        Ok(self.verifying(profile))
    }

    /// An end with a key made for this run; for programs of the Flash years, one that they understand.
    fn lasting(&self, who: &str) -> Result<Flash, Problem> {
        let seed = driver::random_seed()?;
        let identity = if self.old { Identity::generate_flash_era(seed) } else { Identity::generate(seed) };
        println!("{who}: peer ID {}", identity.peer_id());
        Ok(self.verifying(Flash::peer(identity)))
    }

    fn verifying(&self, profile: Flash) -> Flash {
        if self.old { profile.verifying(Verification::OnRequest) } else { profile }
    }

    /// Each address by the socket of its family.
    fn routes(&self, local: &[SocketAddr]) -> Vec<Route> {
        let route = |&address: &SocketAddr| {
            let path = local.iter().position(|local| local.is_ipv4() == address.is_ipv4())?;
            Some(Route { via: PathId(u32::try_from(path).ok()?), address })
        };
        self.addresses.iter().filter_map(route).collect()
    }
}
