//! A relay of UDP on loopback that spoils what goes through it as the network in memory does: delay, jitter, loss, rate.
//!
//! It stands between a server and its two clients as a router of each would. The clients know it as their server; to the
//! server, and to each other, each client is a port of the relay. What they send each other is spoiled, both ways.
//!
//! ```text
//!  first ──▶ door ──▶ ports[0] ──▶ server        first ──▶ ports[1] ──▶ (spoiled) ──▶ from ports[0] ──▶ second
//! ```

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tincan::rtmfp::chance::Chance;

use super::condition::Condition;
use crate::support::link::{Line, Link};

/// A running relay; ends when dropped.
pub(crate) struct Relay {
    /// Where clients find the server.
    pub(crate) door: SocketAddr,
    told: Arc<Told>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Told {
    stops: AtomicBool,
    /// Datagrams between the clients.
    between: AtomicU64,
}

impl Relay {
    /// Starts one before a server. The condition begins with the first datagram from client to client.
    pub(crate) fn start(server: SocketAddr, condition: &Condition, seed: u8) -> io::Result<Self> {
        let bind = || {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.set_nonblocking(true)?;
            Ok::<_, io::Error>(socket)
        };
        let (door, ports) = (bind()?, [bind()?, bind()?]);
        let address = door.local_addr()?;
        let told = Arc::new(Told::default());
        let now = Instant::now();
        let mut running = Running {
            server,
            condition: condition.clone(),
            door,
            ports,
            clients: Vec::new(),
            begun: None,
            lines: [Line::new(now), Line::new(now)],
            chance: Chance::new([seed; 32]),
            on_the_way: BTreeMap::new(),
            order: 0,
            told: Arc::clone(&told),
        };
        let thread = std::thread::Builder::new().name("relay".into()).spawn(move || running.run())?;
        Ok(Self { door: address, told, thread: Some(thread) })
    }

    /// Datagrams that went from one client to the other through here.
    pub(crate) fn between(&self) -> u64 {
        self.told.between.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.told.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It holds nothing that a panic could have spoiled.
            let _ = thread.join();
        }
    }
}

struct Running {
    server: SocketAddr,
    condition: Condition,
    door: UdpSocket,
    ports: [UdpSocket; 2],
    /// The clients' addresses, as they came.
    clients: Vec<SocketAddr>,
    begun: Option<Instant>,
    lines: [Line; 2],
    chance: Chance,
    /// By arrival: to which client, and the datagram.
    on_the_way: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    order: u64,
    told: Arc<Told>,
}

impl Running {
    fn run(&mut self) {
        let mut buffer = vec![0; 65_536];
        while !self.told.stops.load(Ordering::Relaxed) {
            let mut idle = true;
            while let Ok((length, from)) = self.door.recv_from(&mut buffer) {
                idle = false;
                if let Some(client) = self.client(from) {
                    // What cannot be sent is lost, as on any network.
                    let _ = self.ports[client].send_to(&buffer[..length], self.server);
                }
            }
            for port in 0..2 {
                while let Ok((length, from)) = self.ports[port].recv_from(&mut buffer) {
                    idle = false;
                    self.arrived(port, from, &buffer[..length]);
                }
            }
            let now = Instant::now();
            while let Some(entry) = self.on_the_way.first_entry().filter(|entry| entry.key().0 <= now) {
                idle = false;
                let (to, datagram) = entry.remove();
                let _ = self.ports[1 - to].send_to(&datagram, self.clients[to]);
            }
            if idle {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }

    /// Which client has this address. The first two that come are the clients.
    fn client(&mut self, address: SocketAddr) -> Option<usize> {
        if !self.clients.contains(&address) && self.clients.len() < 2 {
            self.clients.push(address);
        }
        self.clients.iter().position(|client| *client == address)
    }

    /// A datagram for the client whose port this is.
    fn arrived(&mut self, port: usize, from: SocketAddr, datagram: &[u8]) {
        let Some(client) = self.clients.get(port) else { return };
        if from == self.server {
            let _ = self.door.send_to(datagram, client);
            return;
        }
        if self.clients.get(1 - port) != Some(&from) {
            return;
        }
        self.told.between.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let begun = *self.begun.get_or_insert(now);
        let mut link = Link::with_latency(Duration::ZERO);
        let millisecond = u64::try_from((now - begun).as_millis()).unwrap_or(u64::MAX);
        self.condition.at(millisecond).shape(&mut link);
        let (arrivals, _) = self.lines[port].carry(&link, now, datagram.len(), None, false, &mut self.chance);
        for at in arrivals {
            self.order += 1;
            self.on_the_way.insert((at, self.order), (port, datagram.to_vec()));
        }
    }
}
