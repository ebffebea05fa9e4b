//! The loop: wait for one of datagrams, deadline, command, finished job; give it to the machine; drain; again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::DriverConfig;
use super::counters::SharedCounters;
use super::udp_socket::{ReceiveBuffers, Udp};
use crate::rtmfp::machine::{Computed, Input, Job, Machine, Output, PathId, PathKind, Received, Route};

/// What the task owns.
pub(super) struct RunLoop<M: Machine, F> {
    machine: M,
    on_event: F,
    sockets: Vec<Udp>,
    /// What each is for.
    kinds: Vec<PathKind>,
    /// The socket that is asked first, so that a busy one does not starve the others.
    first: usize,
    buffers: ReceiveBuffers,
    /// What the machine wants sent next; kept for its memory.
    packets: Vec<u8>,
    deadline: Option<Instant>,
    jobs: JoinSet<Computed>,
    waiting_jobs: VecDeque<Job>,
    jobs_at_once: usize,
    linger: Duration,
    counters: Arc<SharedCounters>,
    /// Reads that failed in a row.
    failed_reads: u32,
}

/// What ended a wait.
enum Woken<C> {
    Readable(usize),
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
        sockets: Vec<(Udp, PathKind)>,
        config: &DriverConfig,
        counters: Arc<SharedCounters>,
        on_event: F,
    ) -> Self {
        let (sockets, kinds) = sockets.into_iter().unzip();
        Self {
            machine,
            on_event,
            sockets,
            kinds,
            first: 0,
            buffers: ReceiveBuffers::new(),
            packets: Vec::with_capacity(1 << 16),
            deadline: None,
            jobs: JoinSet::new(),
            waiting_jobs: VecDeque::new(),
            jobs_at_once: config.jobs_at_once.max(1),
            linger: config.linger,
            counters,
            failed_reads: 0,
        }
    }

    /// Runs until nobody can give commands any more, and then as long as `lingers` says.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<M::Command>, lingers: Arc<AtomicBool>) {
        for index in 0..self.sockets.len() {
            let (local, kind) = (self.sockets[index].local(), self.kinds[index]);
            self.tell(Input::PathOpened { path: path(index), local, kind }).await;
        }
        let mut until: Option<Instant> = None;
        loop {
            match self.wait(&mut commands, until).await {
                Woken::Readable(index) => self.read(index).await,
                Woken::Command(Some(command)) => self.tell(Input::Command(command)).await,
                Woken::Command(None) if !lingers.load(Ordering::Acquire) => break,
                Woken::Command(None) => until = Some(Instant::now() + self.linger),
                Woken::Computed(computed) => {
                    self.start_jobs();
                    self.tell(Input::Computed(computed)).await;
                }
                Woken::Deadline => self.tell(Input::Time).await,
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
        let deadline = [self.deadline, until].into_iter().flatten().min();
        tokio::select! {
            index = readable(&self.sockets, self.first) => Woken::Readable(index),
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
            match self.sockets[index].receive(&mut self.buffers) {
                Ok(batches) => {
                    self.failed_reads = 0;
                    for batch in 0..batches {
                        self.take_batch(index, batch).await;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    // Some systems report here that a far port is closed. The engine finds out by its own timers.
                    SharedCounters::add(&self.counters.receive_errors, 1);
                    tracing::trace!(%error, "a read failed");
                    self.failed_reads = self.failed_reads.saturating_add(1);
                    if self.failed_reads > FAILED_READS_BEFORE_A_PAUSE {
                        tokio::time::sleep(PAUSE).await;
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
        let route = Route { via: path(index), address };
        self.machine.handle_input(now, Input::Received(Received { route, ecn, segment_size, bytes }));
        self.drain(now).await;
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
                    let socket = usize::try_from(transmit.route.via.0).ok().and_then(|i| self.sockets.get(i));
                    match socket {
                        // IPv4 packets on an IPv6 socket, and the other way round, are a candidate that cannot work.
                        Some(socket) if socket.local().is_ipv4() == transmit.route.address.is_ipv4() => {
                            socket.send(&transmit, &self.packets, &self.counters).await;
                        }
                        _ => SharedCounters::add(&self.counters.send_errors, 1),
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
        while self.jobs.len() < self.jobs_at_once {
            let Some(job) = self.waiting_jobs.pop_front() else { return };
            self.jobs.spawn_blocking(|| job.run());
        }
    }
}

/// The first socket, from `first` on, that has something to read.
async fn readable(sockets: &[Udp], first: usize) -> usize {
    poll_fn(|context| {
        let order = (first..sockets.len()).chain(0..first);
        for index in order {
            if sockets[index].poll_readable(context).is_ready() {
                return Poll::Ready(index);
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
/// A socket whose every read fails would otherwise keep a processor busy.
const FAILED_READS_BEFORE_A_PAUSE: u32 = 16;
const PAUSE: Duration = Duration::from_millis(10);
