//! Machines joined by a network that exists only in memory.
//!
//! Nothing here sleeps, binds a socket or reads the clock after `new`. Time jumps straight to the next thing that is due,
//! so ninety seconds of protocol take microseconds of test. The same seed gives the same run. Any [`Machine`] can be
//! driven; several kinds in one network need an enum of them at the caller's side.
//!
//! Every host has one address, or one on each of several paths; behind a router its IPv4 one is private (see
//! [`super::topology`] and [`super::virtual_router`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::machine::{Computed, Ecn, Input, Machine, Output, PathId, PathKind, Received, Route};

use super::link::{Line, Link};
use super::topology::Topology;
pub(crate) use super::topology::{Families, Router};
use super::virtual_router::{RouterKind, VirtualRouter};

/// Names a host of a network.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Host(pub(crate) u32);

/// Names a line that several hosts share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SharedLine(usize);

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
    topology: Topology,
    /// Keyed by arrival, then by order of sending, so ties never depend on hashing.
    in_flight: BTreeMap<(Instant, u64), Datagram>,
    at_work: BTreeMap<(Instant, u64), (Host, Computed)>,
    job_time: Duration,
    order: u64,
    lose: BTreeSet<u64>,
    shared: Vec<(Link, Line)>,
    log: Vec<Sent>,
    keeps_log: bool,
    /// A number that two different runs hardly share.
    trace: u64,
    wake_ups: u32,
}

struct HostState<M: Machine> {
    machine: M,
    paths: BTreeMap<PathId, SocketAddr>,
    /// Those of its paths that it lends to others.
    lent: BTreeSet<PathId>,
    /// Those that a relay outside lends to it, and who was written to over them: nobody else gets through.
    borrowed: BTreeMap<PathId, BTreeSet<IpAddr>>,
    router: Option<Router>,
    link: Link,
    line: Line,
    shared: Option<SharedLine>,
    cut: bool,
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
    /// The network it has come to on its way up: that behind a router, or the one outside of all.
    network: Option<Router>,
    mark: Option<Ecn>,
    bytes: Vec<u8>,
}

impl<M: Machine> VirtualNetwork<M> {
    /// An empty network whose datagrams take `latency`.
    pub(crate) fn new(latency: Duration) -> Self {
        Self::with_seed(latency, 1)
    }

    /// The same with other luck.
    pub(crate) fn with_seed(latency: Duration, seed: u8) -> Self {
        Self::with_chance(latency, Chance::new([seed; 32]))
    }

    /// The same with luck from there.
    pub(crate) fn with_chance(latency: Duration, chance: Chance) -> Self {
        let now = Instant::now();
        Self {
            started: now,
            now,
            default_link: Link::with_latency(latency),
            chance,
            hosts: BTreeMap::new(),
            topology: Topology::default(),
            in_flight: BTreeMap::new(),
            at_work: BTreeMap::new(),
            job_time: Duration::ZERO,
            order: 0,
            lose: BTreeSet::new(),
            shared: Vec::new(),
            log: Vec::new(),
            keeps_log: true,
            trace: 0,
            wake_ups: 0,
        }
    }

    /// Adds a host with a public IPv4 address.
    pub(crate) fn add(&mut self, machine: M) -> Host {
        self.add_at(None, Families::V4, machine)
    }

    /// Adds a host with a private IPv4 address behind a router.
    pub(crate) fn add_behind(&mut self, router: Router, machine: M) -> Host {
        self.add_at(Some(router), Families::V4, machine)
    }

    /// Adds a host with these addresses, behind a router or not.
    pub(crate) fn add_at(&mut self, router: Option<Router>, families: Families, machine: M) -> Host {
        let host = Host(u32::try_from(self.hosts.len()).expect("few hosts"));
        let paths = Topology::addresses_for(host, router, families);
        for (path, address) in &paths {
            self.topology.give(router, *address, (host, *path));
        }
        let state = HostState {
            machine,
            paths: paths.clone(),
            lent: BTreeSet::new(),
            borrowed: BTreeMap::new(),
            router,
            link: self.default_link,
            line: Line::new(self.now),
            shared: None,
            cut: false,
            wake: None,
            events: Vec::new(),
            bytes_sent: 0,
            reaction: None,
        };
        self.hosts.insert(host, state);
        for (path, local) in paths {
            self.input(host, Input::PathOpened { path, local, kind: PathKind::Own });
        }
        host
    }

    /// Gives a host one more path, with a public address of its own.
    pub(crate) fn add_path(&mut self, host: Host) -> PathId {
        let state = self.host(host);
        let path = PathId(u32::try_from(state.paths.len()).expect("few paths"));
        let (number, more) = (host.0 as u8 + 1, path.0 as u8);
        let address = SocketAddr::from(([198, 51, 101 + more, number], 1935));
        state.paths.insert(path, address);
        self.topology.give(None, address, (host, path));
        self.input(host, Input::PathOpened { path, local: address, kind: PathKind::Own });
        path
    }

    /// Gives a host one more port at its first address.
    pub(crate) fn add_second_port(&mut self, host: Host, port: u16) -> PathId {
        let ip = self.address(host).ip();
        let state = self.host(host);
        let (network, local) = (state.router, SocketAddr::new(ip, port));
        let path = PathId(u32::try_from(state.paths.len()).expect("few paths"));
        state.paths.insert(path, local);
        self.topology.give(network, local, (host, path));
        self.input(host, Input::PathOpened { path, local, kind: PathKind::Own });
        path
    }

    /// Lends so many ports of each of a host's addresses to others, for a relay.
    pub(crate) fn lend_ports(&mut self, host: Host, ports: RangeInclusive<u16>) {
        let network = self.host(host).router;
        let addresses = self.addresses(host);
        for (port, address) in ports.flat_map(|port| addresses.iter().map(move |address| (port, *address))) {
            let local = SocketAddr::new(address.ip(), port);
            let state = self.host(host);
            let path = PathId(u32::try_from(state.paths.len()).expect("few paths"));
            state.paths.insert(path, local);
            state.lent.insert(path);
            self.topology.give(network, local, (host, path));
            self.input(host, Input::PathOpened { path, local, kind: PathKind::Lent });
        }
    }

    /// Lends a host a port of a relay outside, as a TURN server does: what goes over it takes a trip more, and only whoever
    /// was written to gets through. (A borrowed port that writes to another takes one trip too few.)
    pub(crate) fn borrow_port(&mut self, host: Host) -> PathId {
        let state = self.host(host);
        let path = PathId(u32::try_from(state.paths.len()).expect("few paths"));
        let local = SocketAddr::from(([192, 0, 2, host.0 as u8 + 1], 40_000 + path.0 as u16));
        state.paths.insert(path, local);
        state.borrowed.insert(path, BTreeSet::new());
        self.topology.give(None, local, (host, path));
        self.input(host, Input::PathOpened { path, local, kind: PathKind::Relayed });
        path
    }

    /// Takes a path away.
    pub(crate) fn close_path(&mut self, host: Host, path: PathId) {
        let state = self.host(host);
        let outside = state.borrowed.remove(&path).is_some();
        let (network, gone) = (state.router.filter(|_| !outside), state.paths.remove(&path));
        if let Some(gone) = gone {
            self.topology.take(network, gone);
        }
        self.input(host, Input::PathClosed { path });
    }

    /// Adds a router.
    pub(crate) fn add_router(&mut self, kind: RouterKind) -> Router {
        self.add_router_behind(None, kind)
    }

    /// Adds a router behind another, as a home's behind its carrier's.
    pub(crate) fn add_router_behind(&mut self, behind: Option<Router>, kind: RouterKind) -> Router {
        self.topology.add(behind, kind)
    }

    /// A router, to be changed.
    pub(crate) fn router(&mut self, router: Router) -> &mut VirtualRouter {
        self.topology.router(router)
    }

    /// A host's own addresses, by path, without those of ports that it lends or borrows.
    pub(crate) fn addresses(&self, host: Host) -> Vec<SocketAddr> {
        let state = &self.hosts[&host];
        let is_own = |path: &PathId| !state.lent.contains(path) && !state.borrowed.contains_key(path);
        let own = state.paths.iter().filter(|(path, _)| is_own(path));
        own.map(|(_, address)| *address).collect()
    }

    /// Restarts a router: it forgets every port it gave. With `moved`, its provider gives it another address too.
    pub(crate) fn restart_router(&mut self, router: Router, moved: bool) {
        let number = u8::try_from(router.0 + 101).expect("few routers");
        let outside = moved.then_some(IpAddr::from([203, 0, 113, number]));
        self.router(router).restart(outside);
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
            unreachable!("this host's first address is IPv4")
        };
        let new = SocketAddr::from((ip, port + 1));
        let state = self.host(host);
        state.paths.insert(PathId(0), new);
        let network = state.router;
        self.topology.take(network, old);
        self.topology.give(network, new, (host, PathId(0)));
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

    /// Adds a line that hosts can share.
    pub(crate) fn add_shared_line(&mut self, link: Link) -> SharedLine {
        self.shared.push((link, Line::new(self.now)));
        SharedLine(self.shared.len() - 1)
    }

    /// Sends what a host sends over a shared line instead of one of its own.
    pub(crate) fn share(&mut self, host: Host, line: SharedLine) {
        self.host(host).shared = Some(line);
    }

    /// Changes how a shared line behaves.
    pub(crate) fn set_shared_line(&mut self, line: SharedLine, change: impl FnOnce(&mut Link)) {
        change(&mut self.shared[line.0].0);
    }

    /// How long a datagram of this host would wait now for its turn on the way out.
    pub(crate) fn queueing(&self, host: Host) -> Duration {
        let state = &self.hosts[&host];
        let line = state.shared.map_or(&state.line, |SharedLine(shared)| &self.shared[shared].1);
        line.waiting(self.now)
    }

    /// The moment it is.
    pub(crate) fn now(&self) -> Instant {
        self.now
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
            let state = &self.hosts[&host];
            let kind = match (state.lent.contains(&path), state.borrowed.contains_key(&path)) {
                (true, _) => PathKind::Lent,
                (_, true) => PathKind::Relayed,
                (false, false) => PathKind::Own,
            };
            self.input(host, Input::PathOpened { path, local, kind });
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

    /// Keeps no record of what is sent from now on, in very long runs.
    pub(crate) fn keep_no_log(&mut self) {
        self.keeps_log = false;
    }

    /// A sum over all datagrams so far, with their times: equal for equal runs.
    pub(crate) fn trace(&self) -> u64 {
        self.trace
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
                        self.send(host, transmit.route, transmit.ecn, bytes.to_vec());
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

    fn send(&mut self, host: Host, route: Route, mark: Option<Ecn>, bytes: Vec<u8>) {
        let (at, n) = (self.elapsed(), self.log.len() as u64);
        self.add_to_trace(at, host, &bytes);
        if self.keeps_log {
            self.log.push(Sent { at, from: host, to: route.address, bytes: bytes.clone() });
        }
        let now = self.now;
        let lost = self.lose.contains(&n);
        let state = self.hosts.get_mut(&host).expect("a host of this network");
        state.bytes_sent += bytes.len() as u64;
        let written_to = state.borrowed.get_mut(&route.via);
        let is_borrowed = written_to.is_some();
        if let Some(written_to) = written_to {
            written_to.insert(route.address.ip());
        }
        let router = state.router.filter(|_| !is_borrowed);
        let own = state.paths.get(&route.via).copied();
        let Some(from) = own.filter(|own| own.is_ipv4() == route.address.is_ipv4()) else { return };
        if state.cut {
            return;
        }
        let (link, line) = match state.shared {
            None => (&state.link, &mut state.line),
            Some(SharedLine(shared)) => {
                let (link, line) = &mut self.shared[shared];
                (&*link, line)
            }
        };
        let (arrivals, mark) = line.carry(link, now, bytes.len(), mark, lost, &mut self.chance);
        if arrivals.is_empty() {
            return;
        }
        let Some((network, from)) = self.topology.climb(now, router, from, route.address) else { return };
        let over_a_relay = is_borrowed || self.is_borrowed(route.address);
        let longer = if over_a_relay { self.default_link.latency } else { Duration::ZERO };
        for arrival in arrivals {
            self.order += 1;
            let datagram = Datagram { from, to: route.address, network, mark, bytes: bytes.clone() };
            self.in_flight.insert((arrival + longer, self.order), datagram);
        }
    }

    fn is_borrowed(&self, address: SocketAddr) -> bool {
        let is =
            |state: &HostState<M>| state.borrowed.keys().any(|path| state.paths.get(path) == Some(&address));
        self.hosts.values().any(is)
    }

    fn add_to_trace(&mut self, at: Duration, host: Host, bytes: &[u8]) {
        let words =
            bytes.chunks(8).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        for word in [at.as_nanos() as u64, host.0.into(), bytes.len() as u64].into_iter().chain(words) {
            self.trace = (self.trace ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        let found = self.topology.descend(self.now, datagram.network, datagram.from, datagram.to);
        let Some((host, via)) = found else { return };
        let state = &self.hosts[&host];
        let may = state.borrowed.get(&via).is_none_or(|written_to| written_to.contains(&datagram.from.ip()));
        if state.cut || !may {
            return;
        }
        let route = Route { via, address: datagram.from };
        let segment_size = datagram.bytes.len();
        self.input(
            host,
            Input::Received(Received { route, ecn: datagram.mark, segment_size, bytes: &mut datagram.bytes }),
        );
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
