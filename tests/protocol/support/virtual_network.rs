//! Machines joined by a network that exists only in memory.
//!
//! Nothing here sleeps, binds a socket or reads the clock after `new`. Time jumps straight to the next thing that is due,
//! so ninety seconds of protocol take microseconds of test. The same seed gives the same run. Any [`Machine`] can be
//! driven; several kinds in one network need an enum of them at the caller's side.
//!
//! Every host has one address, or one on each of several paths; behind a router it is a private one (see
//! [`super::virtual_router`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::machine::{Computed, Input, Machine, Output, PathId, Received, Route};

use super::virtual_router::{RouterKind, VirtualRouter};

/// Names a host of a network.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Host(pub(crate) u32);

/// Names a router of a network.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Router(pub(crate) u32);

/// How the way out of a host behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// How long a datagram takes.
    pub(crate) latency: Duration,
    /// Up to so much longer, at random; datagrams overtake each other.
    pub(crate) jitter: Duration,
    /// The share of datagrams lost, 0 to 1.
    pub(crate) loss: f64,
    /// The share of datagrams that come twice, 0 to 1.
    pub(crate) duplication: f64,
    /// Bytes a second, when limited.
    pub(crate) bytes_per_second: Option<u64>,
    /// How long a datagram may wait for its turn at a limited rate; what would wait longer is lost.
    pub(crate) longest_queue: Duration,
    /// Larger datagrams vanish.
    pub(crate) largest_datagram: usize,
}

impl Link {
    /// A perfect link but for the time it takes.
    pub(crate) fn with_latency(latency: Duration) -> Self {
        Self {
            latency,
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
            bytes_per_second: None,
            longest_queue: Duration::from_millis(200),
            largest_datagram: 1472,
        }
    }
}

/// A datagram as it was given to the network.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// When.
    pub(crate) at: Duration,
    /// By whom.
    pub(crate) from: Host,
    /// To which address, as the sender sees it.
    pub(crate) to: SocketAddr,
    /// The datagram.
    pub(crate) bytes: Vec<u8>,
}

/// The network and everything in it.
pub(crate) struct VirtualNetwork<M: Machine> {
    started: Instant,
    now: Instant,
    default_link: Link,
    chance: Chance,
    hosts: BTreeMap<Host, HostState<M>>,
    routers: BTreeMap<Router, VirtualRouter>,
    /// Who has an address reachable from everywhere.
    public: BTreeMap<SocketAddr, (Host, PathId)>,
    /// Keyed by arrival, then by order of sending, so ties never depend on hashing.
    in_flight: BTreeMap<(Instant, u64), Datagram>,
    at_work: BTreeMap<(Instant, u64), (Host, Computed)>,
    job_time: Duration,
    order: u64,
    lose: BTreeSet<u64>,
    log: Vec<Sent>,
    wake_ups: u32,
}

struct HostState<M: Machine> {
    machine: M,
    paths: BTreeMap<PathId, SocketAddr>,
    router: Option<Router>,
    link: Link,
    cut: bool,
    line_free: Instant,
    wake: Option<Instant>,
    events: Vec<(Duration, M::Event)>,
    bytes_sent: u64,
    reaction: Option<Reaction<M>>,
}

/// What stands above a machine: it is told each event at once, as a layer above would be.
pub(crate) type Reaction<M> = Box<dyn FnMut(&mut M, Instant, &<M as Machine>::Event)>;

struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    /// Set when it never leaves its sender's own network.
    inside: Option<Router>,
    bytes: Vec<u8>,
}

impl<M: Machine> VirtualNetwork<M> {
    /// An empty network whose datagrams take `latency`.
    pub(crate) fn new(latency: Duration) -> Self {
        Self::with_seed(latency, 1)
    }

    /// The same with other luck.
    pub(crate) fn with_seed(latency: Duration, seed: u8) -> Self {
        let now = Instant::now();
        Self {
            started: now,
            now,
            default_link: Link::with_latency(latency),
            chance: Chance::new([seed; 32]),
            hosts: BTreeMap::new(),
            routers: BTreeMap::new(),
            public: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            at_work: BTreeMap::new(),
            job_time: Duration::ZERO,
            order: 0,
            lose: BTreeSet::new(),
            log: Vec::new(),
            wake_ups: 0,
        }
    }

    /// Adds a host with a public address.
    pub(crate) fn add(&mut self, machine: M) -> Host {
        let host = Host(u32::try_from(self.hosts.len()).expect("few hosts"));
        let number = u8::try_from(host.0 + 1).expect("fewer than 255 hosts");
        let address = SocketAddr::from(([198, 51, 100, number], 1935));
        self.public.insert(address, (host, PathId(0)));
        self.insert(host, machine, address, None)
    }

    /// Adds a host with a private address behind a router.
    pub(crate) fn add_behind(&mut self, router: Router, machine: M) -> Host {
        let host = Host(u32::try_from(self.hosts.len()).expect("few hosts"));
        let number = u8::try_from(host.0 + 1).expect("fewer than 255 hosts");
        let network = u8::try_from(router.0).expect("fewer than 255 routers");
        let address = SocketAddr::from(([10, network, 0, number], 1935));
        self.insert(host, machine, address, Some(router))
    }

    fn insert(&mut self, host: Host, machine: M, address: SocketAddr, router: Option<Router>) -> Host {
        let state = HostState {
            machine,
            paths: BTreeMap::from([(PathId(0), address)]),
            router,
            link: self.default_link,
            cut: false,
            line_free: self.now,
            wake: None,
            events: Vec::new(),
            bytes_sent: 0,
            reaction: None,
        };
        self.hosts.insert(host, state);
        self.input(host, Input::PathOpened { path: PathId(0), local: address });
        host
    }

    /// Gives a host one more path, with a public address of its own.
    pub(crate) fn add_path(&mut self, host: Host) -> PathId {
        let state = self.host(host);
        let path = PathId(u32::try_from(state.paths.len()).expect("few paths"));
        let (number, more) = (host.0 as u8 + 1, path.0 as u8);
        let address = SocketAddr::from(([198, 51, 101 + more, number], 1935));
        state.paths.insert(path, address);
        self.public.insert(address, (host, path));
        self.input(host, Input::PathOpened { path, local: address });
        path
    }

    /// Takes a path away.
    pub(crate) fn close_path(&mut self, host: Host, path: PathId) {
        let gone = self.host(host).paths.remove(&path);
        self.public.retain(|address, _| Some(*address) != gone);
        self.input(host, Input::PathClosed { path });
    }

    /// Adds a router.
    pub(crate) fn add_router(&mut self, kind: RouterKind) -> Router {
        let router = Router(u32::try_from(self.routers.len()).expect("few routers"));
        let number = u8::try_from(router.0 + 1).expect("fewer than 255 routers");
        let outside = Ipv4Addr::new(203, 0, 113, number);
        self.routers.insert(router, VirtualRouter::new(kind, IpAddr::V4(outside)));
        router
    }

    /// A host's own address on its first path: behind a router a private one.
    pub(crate) fn address(&self, host: Host) -> SocketAddr {
        self.hosts[&host].paths[&PathId(0)]
    }

    /// The way from anybody's first path to a host's own address.
    pub(crate) fn route_to(&self, host: Host) -> Route {
        Route { via: PathId(0), address: self.address(host) }
    }

    /// Gives a host another address, as when it changes networks; it is not told.
    pub(crate) fn change_address(&mut self, host: Host) -> SocketAddr {
        let old = self.address(host);
        let (IpAddr::V4(ip), port) = (old.ip(), old.port()) else {
            unreachable!("all addresses here are IPv4")
        };
        let new = SocketAddr::from((ip, port + 1));
        self.host(host).paths.insert(PathId(0), new);
        if let Some(owner) = self.public.remove(&old) {
            self.public.insert(new, owner);
        }
        new
    }

    /// Changes how the way out of a host behaves.
    pub(crate) fn set_link(&mut self, host: Host, change: impl FnOnce(&mut Link)) {
        change(&mut self.host(host).link);
    }

    /// Changes how every host's way out behaves, and that of hosts still to come.
    pub(crate) fn set_links(&mut self, change: impl Fn(&mut Link)) {
        change(&mut self.default_link);
        self.hosts.values_mut().for_each(|state| change(&mut state.link));
    }

    /// Cuts a host off, both ways, or connects it again.
    pub(crate) fn cut(&mut self, host: Host, cut: bool) {
        self.host(host).cut = cut;
    }

    /// How long a job takes that a machine gives away; nothing at first.
    pub(crate) fn set_job_time(&mut self, time: Duration) {
        self.job_time = time;
    }

    /// Loses the n-th datagram given to the network, counted from 0 over all hosts.
    pub(crate) fn lose(&mut self, n: usize) {
        self.lose.insert(n as u64);
    }

    /// Lets a machine do something now, then carries away whatever it wants sent.
    pub(crate) fn with<R>(&mut self, host: Host, act: impl FnOnce(&mut M, Instant) -> R) -> R {
        let now = self.now;
        let result = act(&mut self.host(host).machine, now);
        self.drain(host);
        result
    }

    /// Answers each of a host's events at once, while the machine is still being drained.
    pub(crate) fn react(&mut self, host: Host, reaction: impl FnMut(&mut M, Instant, &M::Event) + 'static) {
        self.host(host).reaction = Some(Box::new(reaction));
    }

    /// Puts another machine in a host's place, as when a program is started anew at the same address.
    pub(crate) fn restart(&mut self, host: Host, machine: M) {
        let state = self.host(host);
        state.machine = machine;
        state.wake = None;
        for (path, local) in state.paths.clone() {
            self.input(host, Input::PathOpened { path, local });
        }
    }

    /// A look at a machine.
    pub(crate) fn machine(&self, host: Host) -> &M {
        &self.hosts[&host].machine
    }

    /// Gives a machine a command now.
    pub(crate) fn command(&mut self, host: Host, command: M::Command) {
        self.input(host, Input::Command(command));
    }

    /// Hands a datagram to a host as if it came from that address.
    pub(crate) fn inject(&mut self, host: Host, from: SocketAddr, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let route = Route { via: PathId(0), address: from };
        let segment_size = bytes.len();
        self.input(host, Input::Received(Received { route, ecn: None, segment_size, bytes: &mut bytes }));
    }

    /// Runs until the next thing would happen later than `limit` from the start; it is then that time.
    pub(crate) fn run_until(&mut self, limit: Duration) {
        let end = self.started + limit;
        while let Some(due) = self.next_due().filter(|due| *due <= end) {
            self.step(due);
        }
        self.now = self.now.max(end);
    }

    /// Runs on for so long.
    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_until(self.elapsed() + span);
    }

    /// Runs until `done` says so of the network; false if it did not within `limit` from now.
    pub(crate) fn run_while(&mut self, limit: Duration, mut going: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while going(self) {
            match self.next_due().filter(|due| *due <= end) {
                Some(due) => self.step(due),
                None => return false,
            }
        }
        true
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.started
    }

    /// What a host's machine told, and when.
    pub(crate) fn events(&self, host: Host) -> &[(Duration, M::Event)] {
        &self.hosts[&host].events
    }

    /// The same, taken away, without the times.
    pub(crate) fn take_events(&mut self, host: Host) -> Vec<M::Event> {
        std::mem::take(&mut self.host(host).events).into_iter().map(|(_, event)| event).collect()
    }

    /// Every datagram given to the network so far, lost ones too.
    pub(crate) fn sent(&self) -> &[Sent] {
        &self.log
    }

    /// Bytes of datagrams that a host has sent.
    pub(crate) fn bytes_sent(&self, host: Host) -> u64 {
        self.hosts[&host].bytes_sent
    }

    /// Forgets what was sent, in long runs.
    pub(crate) fn clear_log(&mut self) {
        self.log.clear();
    }

    fn host(&mut self, host: Host) -> &mut HostState<M> {
        self.hosts.get_mut(&host).expect("a host of this network")
    }

    fn next_due(&self) -> Option<Instant> {
        let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
        let job = self.at_work.keys().next().map(|(at, _)| *at);
        let wake = self.hosts.values().filter_map(|state| state.wake).min();
        arrival.into_iter().chain(job).chain(wake).min()
    }

    fn step(&mut self, due: Instant) {
        if due > self.now {
            self.now = due;
            self.wake_ups = 0;
        }
        while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let datagram = entry.remove();
            self.deliver(datagram);
        }
        while let Some(entry) = self.at_work.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (host, computed) = entry.remove();
            self.input(host, Input::Computed(computed));
        }
        let awake: Vec<Host> = self
            .hosts
            .iter()
            .filter(|(_, state)| state.wake.is_some_and(|wake| wake <= self.now))
            .map(|(host, _)| *host)
            .collect();
        for host in awake {
            self.wake_ups += 1;
            assert!(
                self.wake_ups < MOST_WAKE_UPS,
                "{host:?} asks to be woken again and again at {:?} (it names {:?})",
                self.elapsed(),
                self.hosts[&host].wake.map(|wake| wake.saturating_duration_since(self.started)),
            );
            self.input(host, Input::Time);
        }
    }

    fn input(&mut self, host: Host, input: Input<'_, M::Command>) {
        let now = self.now;
        self.host(host).machine.handle_input(now, input);
        self.drain(host);
    }

    fn drain(&mut self, host: Host) {
        let now = self.now;
        let mut packets = Vec::new();
        loop {
            match self.host(host).machine.poll_output(now, &mut packets) {
                Output::Transmit(transmit) => {
                    assert!(transmit.segment_size > 0 && !packets.is_empty(), "an empty batch");
                    for bytes in packets.chunks(transmit.segment_size) {
                        self.send(host, transmit.route, bytes.to_vec());
                    }
                }
                Output::Compute(job) if self.job_time.is_zero() => {
                    self.host(host).machine.handle_input(now, Input::Computed(job.run()));
                }
                Output::Compute(job) => {
                    self.order += 1;
                    let computed = job.run();
                    self.at_work.insert((now + self.job_time, self.order), (host, computed));
                }
                Output::Event(event) => {
                    let at = now - self.started;
                    let state = self.host(host);
                    if let Some(reaction) = &mut state.reaction {
                        reaction(&mut state.machine, now, &event);
                    }
                    state.events.push((at, event));
                }
                Output::Sleep(until) => {
                    self.host(host).wake = until;
                    return;
                }
            }
        }
    }

    fn send(&mut self, host: Host, route: Route, bytes: Vec<u8>) {
        let (at, n) = (self.elapsed(), self.log.len() as u64);
        self.log.push(Sent { at, from: host, to: route.address, bytes: bytes.clone() });
        let now = self.now;
        let state = self.host(host);
        state.bytes_sent += bytes.len() as u64;
        let Some(from) = state.paths.get(&route.via).copied() else { return };
        let (link, router) = (state.link, state.router);
        if state.cut || bytes.len() > link.largest_datagram {
            return;
        }
        let mut leaves = now;
        if let Some(rate) = link.bytes_per_second {
            let turn = state.line_free.max(now);
            if turn - now > link.longest_queue {
                return;
            }
            leaves = turn + Duration::from_secs_f64(bytes.len() as f64 / rate as f64);
            state.line_free = leaves;
        }
        if self.lose.contains(&n) || self.luck() < link.loss {
            return;
        }
        let copies = if self.luck() < link.duplication { 2 } else { 1 };
        // Neighbours behind one router reach each other without it.
        let inside = router.filter(|_| matches!(route.address.ip(), IpAddr::V4(ip) if ip.octets()[0] == 10));
        let from = match (router, inside) {
            (Some(router), None) => {
                let router = self.routers.get_mut(&router).expect("a router of this network");
                router.outward(from, route.address)
            }
            _ => from,
        };
        for _ in 0..copies {
            let arrival = leaves + link.latency + link.jitter.mul_f64(self.luck());
            self.order += 1;
            let datagram = Datagram { from, to: route.address, inside, bytes: bytes.clone() };
            self.in_flight.insert((arrival, self.order), datagram);
        }
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        let found = match datagram.inside {
            Some(router) => self.behind(router, datagram.to),
            None => self.public.get(&datagram.to).copied().or_else(|| {
                let (router, inner) = self
                    .routers
                    .iter()
                    .find_map(|(router, state)| Some((*router, state.inward(datagram.from, datagram.to)?)))?;
                self.behind(router, inner)
            }),
        };
        let Some((host, via)) = found else { return };
        if self.hosts[&host].cut {
            return;
        }
        let route = Route { via, address: datagram.from };
        let segment_size = datagram.bytes.len();
        self.input(
            host,
            Input::Received(Received { route, ecn: None, segment_size, bytes: &mut datagram.bytes }),
        );
    }

    fn behind(&self, router: Router, address: SocketAddr) -> Option<(Host, PathId)> {
        self.hosts.iter().filter(|(_, state)| state.router == Some(router)).find_map(|(host, state)| {
            let (path, _) = state.paths.iter().find(|(_, own)| **own == address)?;
            Some((*host, *path))
        })
    }

    /// A number from 0 up to, and without, 1.
    fn luck(&mut self) -> f64 {
        f64::from(self.chance.u32()) / (f64::from(u32::MAX) + 1.0)
    }
}

impl<M: Machine> VirtualNetwork<M>
where
    M::Event: Debug + PartialEq,
{
    /// When a host was first told `event`.
    pub(crate) fn told(&self, host: Host, event: &M::Event) -> Option<Duration> {
        self.events(host).iter().find(|(_, told)| told == event).map(|(at, _)| *at)
    }
}

/// So many wake-ups at one instant are no longer work, but a machine that cannot sleep.
const MOST_WAKE_UPS: u32 = 1_000;
