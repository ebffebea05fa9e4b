//! The loop: wait for one of datagrams, deadline, command, finished job, change of paths; give it to the machine; drain;
//! again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::DriverConfig;
use super::counters::SharedCounters;
use super::paths::{Arrived, Change, Lent};
use super::udp_socket::{Failing, ReceiveBuffers, Udp};
use crate::rtmfp::machine::{Computed, Input, Job, Machine, Output, PathId, PathKind, Received, Route};

/// What the task owns.
pub(super) struct RunLoop<M: Machine, F> {
    machine: M,
    on_event: F,
    /// Those of the start are at the index that their paths are named by.
    sockets: Vec<(PathId, Udp)>,
    /// Ports that others lend us.
    lent: Vec<Lent>,
    /// Sockets that failed for good, and could not be bound again yet.
    lost: Vec<(PathId, PathKind, SocketAddr)>,
    rebind_at: Option<Instant>,
    changes: mpsc::Receiver<Change>,
    /// The socket that is asked first, so that a busy one does not starve the others.
    first: usize,
    buffers: ReceiveBuffers,
    /// What the machine wants sent next; kept for its memory.
    packets: Vec<u8>,
    deadline: Option<Instant>,
    jobs: JoinSet<Computed>,
    waiting_jobs: VecDeque<Job>,
    config: DriverConfig,
    counters: Arc<SharedCounters>,
}

/// What ended a wait.
enum Woken<C> {
    Readable(usize),
    /// Something came over a lent path, or its lender is gone.
    Lent(usize, Option<Arrived>),
    Change(Change),
    Command(Option<C>),
    Computed(Computed),
    Deadline,
}

impl<M, F> RunLoop<M, F>
where
    M: Machine + Send + 'static,
    M::Command: Send,
    F: FnMut(M::Event) + Send + 'static,
{
    pub(super) fn new(
        machine: M,
        sockets: Vec<Udp>,
        config: DriverConfig,
        changes: mpsc::Receiver<Change>,
        counters: Arc<SharedCounters>,
        on_event: F,
    ) -> Self {
        Self {
            machine,
            on_event,
            sockets: sockets.into_iter().enumerate().map(|(index, socket)| (path(index), socket)).collect(),
            lent: Vec::new(),
            lost: Vec::new(),
            rebind_at: None,
            changes,
            first: 0,
            buffers: ReceiveBuffers::new(),
            packets: Vec::with_capacity(1 << 16),
            deadline: None,
            jobs: JoinSet::new(),
            waiting_jobs: VecDeque::new(),
            config,
            counters,
        }
    }

    /// Runs until nobody can give commands any more, and then as long as `lingers` says.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<M::Command>, lingers: Arc<AtomicBool>) {
        for index in 0..self.sockets.len() {
            let (path, socket) = &self.sockets[index];
            let (path, local, kind) = (*path, socket.local(), socket.kind());
            self.tell(Input::PathOpened { path, local, kind }).await;
        }
        let mut until: Option<Instant> = None;
        loop {
            match self.wait(&mut commands, until).await {
                Woken::Readable(index) => self.read(index).await,
                Woken::Lent(index, arrived) => self.take_lent(index, arrived).await,
                Woken::Change(change) => self.change(change).await,
                Woken::Command(Some(command)) => self.tell(Input::Command(command)).await,
                Woken::Command(None) if !lingers.load(Ordering::Acquire) => break,
                Woken::Command(None) => until = Some(Instant::now() + self.config.linger),
                Woken::Computed(computed) => {
                    self.start_jobs();
                    self.tell(Input::Computed(computed)).await;
                }
                Woken::Deadline => {
                    self.rebind_lost().await;
                    self.tell(Input::Time).await;
                }
            }
            let nothing_left = self.deadline.is_none() && self.jobs.is_empty();
            if until.is_some_and(|until| nothing_left || until <= Instant::now()) {
                break;
            }
        }
    }

    /// Waits for the next thing. After the last command, `until` ends the wait too.
    async fn wait(
        &mut self,
        commands: &mut mpsc::Receiver<M::Command>,
        until: Option<Instant>,
    ) -> Woken<M::Command> {
        let deadline = [self.deadline, until, self.rebind_at].into_iter().flatten().min();
        tokio::select! {
            index = readable(&self.sockets, self.first) => Woken::Readable(index),
            (index, arrived) = arrived(&mut self.lent) => Woken::Lent(index, arrived),
            Some(change) = self.changes.recv() => Woken::Change(change),
            command = commands.recv(), if until.is_none() => Woken::Command(command),
            Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => match done {
                Ok(computed) => Woken::Computed(computed),
                // A job that panicked is a bug of the machine's, and it would wait for the result for ever.
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Woken::Deadline,
                },
            },
            () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => Woken::Deadline,
        }
    }

    /// Gives the machine what one socket holds, but not for ever, and its time when that came meanwhile.
    async fn read(&mut self, index: usize) {
        self.first = (index + 1) % self.sockets.len();
        for _ in 0..READS_IN_A_ROW {
            match self.sockets[index].1.receive(&mut self.buffers) {
                Ok(batches) => {
                    for batch in 0..batches {
                        self.take_batch(index, batch).await;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    // Some systems report here that a far port is closed. The engine finds out by its own timers.
                    SharedCounters::add(&self.counters.receive_errors, 1);
                    tracing::trace!(%error, "a read failed");
                    match self.sockets[index].1.count_failure(&error) {
                        Failing::Seldom => {}
                        Failing::Often => tokio::time::sleep(PAUSE).await,
                        Failing::ForGood => self.rebind(index, &error).await,
                    }
                    break;
                }
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.tell(Input::Time).await;
        }
    }

    async fn take_batch(&mut self, index: usize, batch: usize) {
        let now = Instant::now();
        let Some((address, ecn, segment_size, bytes)) = self.buffers.batch(batch) else { return };
        SharedCounters::add(&self.counters.batches_received, 1);
        SharedCounters::add(&self.counters.bytes_received, bytes.len());
        let route = Route { via: self.sockets[index].0, address };
        self.machine.handle_input(now, Input::Received(Received { route, ecn, segment_size, bytes }));
        self.drain(now).await;
    }

    /// Gives the machine what came over a lent path, or tells it that the path is gone.
    async fn take_lent(&mut self, index: usize, arrived: Option<Arrived>) {
        let via = self.lent[index].path;
        let Some(mut first) = arrived else {
            self.lent.swap_remove(index);
            return self.tell(Input::PathClosed { path: via }).await;
        };
        for _ in 0..LENT_IN_A_ROW {
            let Arrived { from, bytes } = &mut first;
            let (now, segment_size) = (Instant::now(), bytes.len());
            if segment_size > 0 {
                SharedCounters::add(&self.counters.batches_received, 1);
                SharedCounters::add(&self.counters.bytes_received, segment_size);
                let received =
                    Received { route: Route { via, address: *from }, ecn: None, segment_size, bytes };
                self.machine.handle_input(now, Input::Received(received));
                self.drain(now).await;
            }
            match self.lent.get_mut(index).filter(|lent| lent.path == via).map(|lent| lent.arrived.try_recv())
            {
                Some(Ok(next)) => first = next,
                _ => break,
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.tell(Input::Time).await;
        }
    }

    async fn change(&mut self, change: Change) {
        match change {
            Change::Bind { path, address, kind, answer } => {
                let bound = Udp::bind(address, &self.config).map(|socket| socket.of_kind(kind));
                match bound {
                    Ok(socket) => {
                        let local = socket.local();
                        self.sockets.push((path, socket));
                        // Whoever asked may have stopped waiting; the path is there all the same, and told.
                        let _ = answer.send(Ok(local));
                        self.tell(Input::PathOpened { path, local, kind }).await;
                    }
                    Err(error) => drop(answer.send(Err(error))),
                }
            }
            Change::Lend(lent) => {
                let (path, local, kind) = (lent.path, lent.local, lent.kind);
                self.lent.push(lent);
                self.tell(Input::PathOpened { path, local, kind }).await;
            }
            Change::Close(path) => {
                let had = self.sockets.len() + self.lent.len() + self.lost.len();
                self.sockets.retain(|(other, _)| *other != path);
                self.lent.retain(|lent| lent.path != path);
                self.lost.retain(|(other, ..)| *other != path);
                self.first = 0;
                if self.sockets.len() + self.lent.len() + self.lost.len() < had {
                    self.tell(Input::PathClosed { path }).await;
                }
            }
        }
    }

    /// Gives up a socket that fails at every read, and binds its address anew. Systems do this to sockets that slept
    /// through a change of the network; without, the program would be deaf until its next start.
    async fn rebind(&mut self, index: usize, error: &io::Error) {
        let (path, socket) = self.sockets.remove(index);
        self.first = 0;
        let (local, kind) = (socket.local(), socket.kind());
        tracing::warn!(%error, port = local.port(), "a socket failed for good, and is bound anew");
        drop(socket);
        self.lost.push((path, kind, local));
        self.rebind_at = Some(Instant::now());
        self.rebind_lost().await;
        if self.lost.iter().any(|(other, ..)| *other == path) {
            self.tell(Input::PathClosed { path }).await;
        }
    }

    /// Tries to bind again what was lost: the same address, or any port of it where the machine may take any.
    async fn rebind_lost(&mut self) {
        if self.rebind_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        for (path, kind, local) in std::mem::take(&mut self.lost) {
            let any_port = SocketAddr::new(local.ip(), 0);
            let bound = match Udp::bind(local, &self.config) {
                Err(_) if self.config.any_port_instead => Udp::bind(any_port, &self.config),
                bound => bound,
            };
            match bound {
                Ok(socket) => {
                    let socket = socket.of_kind(kind);
                    let local = socket.local();
                    self.sockets.push((path, socket));
                    self.tell(Input::PathOpened { path, local, kind }).await;
                }
                Err(error) => {
                    tracing::info!(%error, "a socket cannot be bound again yet");
                    self.lost.push((path, kind, local));
                }
            }
        }
        self.sockets.sort_by_key(|(path, _)| *path);
        self.rebind_at = (!self.lost.is_empty()).then(|| Instant::now() + REBIND_EVERY);
    }

    /// The socket of a path. Those of the start, which carry nearly everything, need no search.
    fn socket(&self, via: PathId) -> Option<&Udp> {
        let at_once = usize::try_from(via.0).ok().and_then(|index| self.sockets.get(index));
        let found = at_once.filter(|(path, _)| *path == via);
        found.or_else(|| self.sockets.iter().find(|(path, _)| *path == via)).map(|(_, socket)| socket)
    }

    async fn tell(&mut self, input: Input<'_, M::Command>) {
        let now = Instant::now();
        self.machine.handle_input(now, input);
        self.drain(now).await;
    }

    /// Carries out what the machine wants, until it sleeps.
    async fn drain(&mut self, now: Instant) {
        loop {
            match self.machine.poll_output(now, &mut self.packets) {
                Output::Transmit(transmit) => {
                    let (via, address) = (transmit.route.via, transmit.route.address);
                    // IPv4 packets on an IPv6 socket, and the other way round, are a candidate that cannot work.
                    let speaks = |local: SocketAddr| local.is_ipv4() == address.is_ipv4();
                    match self.socket(via) {
                        Some(socket) if speaks(socket.local()) => {
                            socket.send(&transmit, &self.packets, &self.counters).await;
                        }
                        Some(_) => SharedCounters::add(&self.counters.send_errors, 1),
                        None => match self.lent.iter().find(|lent| lent.path == via && speaks(lent.local)) {
                            Some(lent) => {
                                let dropped = lent.outbox.put(&transmit, &self.packets);
                                SharedCounters::add(&self.counters.batches_sent, 1);
                                SharedCounters::add(&self.counters.bytes_sent, self.packets.len());
                                SharedCounters::add(&self.counters.send_dropped, dropped);
                            }
                            None => SharedCounters::add(&self.counters.send_errors, 1),
                        },
                    }
                }
                Output::Compute(job) => {
                    self.waiting_jobs.push_back(job);
                    self.start_jobs();
                }
                Output::Event(event) => (self.on_event)(event),
                Output::Sleep(until) => {
                    self.deadline = until;
                    return;
                }
            }
        }
    }

    /// The machine bounds how many jobs it has out; this bounds how many run at once.
    fn start_jobs(&mut self) {
        while self.jobs.len() < self.config.jobs_at_once.max(1) {
            let Some(job) = self.waiting_jobs.pop_front() else { return };
            self.jobs.spawn_blocking(|| job.run());
        }
    }
}

/// The first socket, from `first` on, that has something to read.
async fn readable(sockets: &[(PathId, Udp)], first: usize) -> usize {
    poll_fn(|context| {
        let order = (first..sockets.len()).chain(0..first);
        for index in order {
            if sockets[index].1.poll_readable(context).is_ready() {
                return Poll::Ready(index);
            }
        }
        Poll::Pending
    })
    .await
}

/// What comes next over a lent path, and over which; nothing when its lender is gone.
async fn arrived(lent: &mut [Lent]) -> (usize, Option<Arrived>) {
    poll_fn(|context| {
        for (index, lent) in lent.iter_mut().enumerate() {
            if let Poll::Ready(arrived) = lent.arrived.poll_recv(context) {
                return Poll::Ready((index, arrived));
            }
        }
        Poll::Pending
    })
    .await
}

fn path(index: usize) -> PathId {
    PathId(u32::try_from(index).expect("fewer sockets than file descriptors"))
}

/// Reads of one socket before the others and the clock have their turn.
const READS_IN_A_ROW: usize = 8;
/// The same of a lent path, of single datagrams.
const LENT_IN_A_ROW: usize = 32;
/// What cannot be bound again now is tried again after this.
const REBIND_EVERY: Duration = Duration::from_secs(5);
/// A socket whose every read fails would otherwise keep a processor busy.
const PAUSE: Duration = Duration::from_millis(10);
