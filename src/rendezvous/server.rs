//! The rendezvous server on real sockets: a [`Service`] in a driver, and its counters.
//!
//! It runs on the current tokio runtime. Its own keys are made anew at each start: clients find it by address, not by
//! fingerprint (RFC 7425 §4.4.2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::config::ServerConfig;
use super::relay::{RelayEvent, ServerAddresses};
use super::service::{KEEPALIVE, LARGEST_ANSWER, Rules, Service, ServiceCommand, ServiceEvent, VANISH_AFTER};
use crate::driver::{self, Driver, DriverConfig, DriverError, interfaces};
use crate::netconnection::Node;
use crate::netconnection::node::NodeConfig;
use crate::rtmfp::EndpointConfig;
use crate::rtmfp::crypto::flash::Flash;
use crate::rtmfp::machine::PathKind;
use crate::rtmfp::network::is_private;

/// A running server. Dropping it stops it; [`Server::stop`] also says goodbye to everybody.
#[derive(Debug)]
pub struct Server {
    driver: Driver<ServiceCommand>,
    counters: Arc<SharedCounters>,
}

/// Why a server cannot start. Each message is a sentence for the one who started it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address cannot be had.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// No keys without randomness.
    #[error("This system gives no randomness to make keys from.")]
    NoRandomness,
}

/// What happened since the start, and how many are here.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ServerCounters {
    /// People connected now.
    pub here: u64,
    /// People who came.
    pub joined: u64,
    /// People who were not let in.
    pub refused: u64,
    /// Hellos that led to an introduction; a caller sends several until it is through.
    pub introduced: u64,
    /// Hellos without an answer.
    pub hellos_ignored: u64,
    /// Calls above the rate.
    pub calls_refused: u64,
    /// Pairs of people that were relayed.
    pub relayed: u64,
    /// Bytes relayed for pairs that are over.
    pub relayed_bytes: u64,
    /// Introductions for which the relay had no room.
    pub not_relayed: u64,
}

#[derive(Debug, Default)]
struct SharedCounters {
    here: AtomicU64,
    joined: AtomicU64,
    refused: AtomicU64,
    introduced: AtomicU64,
    hellos_ignored: AtomicU64,
    calls_refused: AtomicU64,
    relayed: AtomicU64,
    relayed_bytes: AtomicU64,
    not_relayed: AtomicU64,
}

impl Server {
    /// Binds the addresses and serves from now on.
    ///
    /// # Errors
    /// [`ServeError`], with the sentence to show.
    pub fn start(config: ServerConfig) -> Result<Self, ServeError> {
        let mut endpoint = EndpointConfig::new(Arc::new(Flash::server(random()?)), random()?);
        endpoint.largest_message = LARGEST_ANSWER;
        // Clients only ask short questions; the lists we answer with are bounded too.
        endpoint.receive_window = RECEIVE_WINDOW;
        endpoint.send_buffer = 2 * LARGEST_ANSWER;
        // Room for those who are being refused, and for old sessions that new ones replace.
        endpoint.most_sessions = config.rules.most_people.saturating_add(config.rules.most_people / 4 + 64);
        endpoint.keepalive = KEEPALIVE;
        endpoint.vanish_after = VANISH_AFTER;
        let node = Node::new(NodeConfig { endpoint, most_peer_connections: 0 });

        let counters = Arc::new(SharedCounters::default());
        let counted = Arc::clone(&counters);
        let mut service = Service::new(node, config.rules);
        let (second, lent) = config.further();
        if !lent.is_empty() {
            service.set_addresses(addresses(&config));
        }
        let mut sockets = DriverConfig::new(config.listen);
        let second = second.into_iter().map(|address| (address, PathKind::Own));
        sockets.extra = second.chain(lent.into_iter().map(|address| (address, PathKind::Lent))).collect();
        let driver = driver::spawn(service, sockets, move |event| counted.on_event(&event))?;
        Ok(Self { driver, counters })
    }

    /// The addresses it is bound to, with the ports the system chose.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        self.driver.local_addresses()
    }

    /// What happened so far.
    pub fn counters(&self) -> ServerCounters {
        self.counters.snapshot()
    }

    /// Goes on by other rules; addresses stay as they are.
    pub async fn set_rules(&self, rules: Rules) {
        if self.driver.command(ServiceCommand::SetRules(rules)).await.is_err() {
            tracing::error!("the server has stopped; its rules cannot change");
        }
    }

    /// Says goodbye to everybody, and stops.
    pub async fn stop(self) {
        if self.driver.command(ServiceCommand::Close).await.is_ok() {
            self.driver.stop().await;
        }
    }
}

impl SharedCounters {
    fn on_event(&self, event: &ServiceEvent) {
        let set_here = |here: usize| {
            self.here.store(u64::try_from(here).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        match event {
            ServiceEvent::Joined { peer, here } => {
                set_here(*here);
                self.joined.fetch_add(1, Ordering::Relaxed);
                tracing::info!(?peer, here, "joined");
            }
            ServiceEvent::Left { peer, here } => {
                set_here(*here);
                tracing::info!(?peer, here, "left");
            }
            ServiceEvent::Refused { peer, why } => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                tracing::info!(?peer, why, "refused");
            }
            ServiceEvent::Introduced => {
                self.introduced.fetch_add(1, Ordering::Relaxed);
                tracing::debug!("introduced");
            }
            ServiceEvent::HelloIgnored => {
                self.hellos_ignored.fetch_add(1, Ordering::Relaxed);
            }
            ServiceEvent::CallRefused => {
                self.calls_refused.fetch_add(1, Ordering::Relaxed);
            }
            ServiceEvent::NotRelayed(why) => {
                self.not_relayed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(?why, "two people get no relay");
            }
            ServiceEvent::Relay(RelayEvent::Established { pairs }) => {
                self.relayed.fetch_add(1, Ordering::Relaxed);
                tracing::info!(pairs, "two people are relayed");
            }
            ServiceEvent::Relay(RelayEvent::Ended { why, bytes, lasted }) => {
                self.relayed_bytes.fetch_add(*bytes, Ordering::Relaxed);
                tracing::info!(?why, bytes, seconds = lasted.as_secs(), "two people are no longer relayed");
            }
        }
    }

    fn snapshot(&self) -> ServerCounters {
        ServerCounters {
            here: self.here.load(Ordering::Relaxed),
            joined: self.joined.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            introduced: self.introduced.load(Ordering::Relaxed),
            hellos_ignored: self.hellos_ignored.load(Ordering::Relaxed),
            calls_refused: self.calls_refused.load(Ordering::Relaxed),
            relayed: self.relayed.load(Ordering::Relaxed),
            relayed_bytes: self.relayed_bytes.load(Ordering::Relaxed),
            not_relayed: self.not_relayed.load(Ordering::Relaxed),
        }
    }
}

/// Where others reach the relay's ports.
fn addresses(config: &ServerConfig) -> ServerAddresses {
    let (public, own) = (config.public.clone(), interfaces::addresses());
    let everywhere = config.listen.iter().any(|address| address.ip().is_unspecified());
    if everywhere && public.is_empty() && own.iter().all(|ip| is_private(*ip)) {
        tracing::warn!(
            "This computer has private addresses only. For people on the internet the relay works once `public` in the \
             configuration says under which address they reach it."
        );
    }
    ServerAddresses { public, own }
}

fn random() -> Result<[u8; 32], ServeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| ServeError::NoRandomness)?;
    Ok(bytes)
}

/// In bytes, for each flow of a client: a thousand questions.
const RECEIVE_WINDOW: usize = 64 << 10;
