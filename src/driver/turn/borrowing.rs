//! Keeps ports lent: asks the servers, opens the paths, carries what goes over them, and begins anew when a server is
//! lost, after growing pauses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::allocation::{Allocation, Standing};
use super::wire::Wire;
use super::{Carrier, Tried, TurnConfig, TurnProblem, TurnState, TurnUrl};
use crate::driver::paths::{LentPath, Paths};
use crate::driver::running::look_up;
use crate::rtmfp::machine::PathKind;

/// Ports being borrowed. Dropping it gives them back.
#[derive(Debug)]
pub struct Borrowed {
    /// Dropped with this, and the task knows.
    _stop: oneshot::Sender<()>,
    again: Arc<Notify>,
}

impl Borrowed {
    /// Asks again at once, instead of after the pause: the network is back, or another.
    pub fn retry_now(&self) {
        self.again.notify_one();
    }
}

/// Borrows ports on the current tokio runtime, one of each family that the server has, and keeps them until the answer is
/// dropped. `on_state` is told how it goes, in the task: it must not block.
pub fn borrow_ports(
    paths: Paths,
    config: TurnConfig,
    on_state: impl FnMut(TurnState) + Send + 'static,
) -> Borrowed {
    let (stop, stopped) = oneshot::channel();
    let again = Arc::new(Notify::new());
    let borrower = Borrower { paths, config: Arc::new(config), on_state, stopped, again: Arc::clone(&again) };
    tokio::spawn(borrower.run());
    Borrowed { _stop: stop, again }
}

struct Borrower<F> {
    paths: Paths,
    config: Arc<TurnConfig>,
    on_state: F,
    stopped: oneshot::Receiver<()>,
    again: Arc<Notify>,
}

/// What a server lends, and over what.
struct Lent {
    wire: Wire,
    allocation: Allocation,
    carrier: Carrier,
}

impl Lent {
    async fn give_back(&mut self) {
        let Self { wire: Wire { outgoing, .. }, allocation, .. } = self;
        allocation.give_back(Instant::now(), &mut |message| outgoing.put(message));
        let flushed = async { while !outgoing.is_done() && outgoing.progress().await.is_ok() {} };
        let _ = timeout(GOODBYE, flushed).await;
    }
}

impl<F: FnMut(TurnState) + Send + 'static> Borrower<F> {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            (self.on_state)(TurnState::Trying);
            let lent = tokio::select! {
                lent = first_to_lend(&self.config) => lent,
                _ = &mut self.stopped => return,
            };
            let problem = match lent {
                Ok(mut lent) => {
                    let since = Instant::now();
                    let Some(problem) = self.carry(&mut lent).await else { return };
                    if since.elapsed() > STOOD {
                        pause = FIRST_PAUSE;
                    }
                    problem
                }
                Err(problem) => problem,
            };
            // Nobody mends a wrong password within seconds.
            let wait = if problem == TurnProblem::WrongCredentials { LONGEST_PAUSE } else { pause };
            tracing::info!(%problem, seconds = wait.as_secs(), "no port is lent; asked again after a pause");
            (self.on_state)(TurnState::Waiting { problem, again_in: wait });
            tokio::select! {
                () = sleep(wait) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = self.again.notified() => pause = FIRST_PAUSE,
                _ = &mut self.stopped => return,
            }
        }
    }

    /// Opens the paths and carries what goes over them until the server is lost. `None` when nobody wants them any more.
    async fn carry(&mut self, lent: &mut Lent) -> Option<TurnProblem> {
        let mut paths = Vec::new();
        for &relayed in lent.allocation.relayed() {
            // Without a driver, there is nobody to borrow for.
            paths.push(self.paths.lend(relayed, PathKind::Relayed).await.ok()?);
        }
        let relayed = lent.allocation.relayed().to_vec();
        (self.on_state)(TurnState::Lent { relayed, carrier: lent.carrier });
        tracing::info!(carrier = ?lent.carrier, ports = paths.len(), "a TURN server lends us ports");
        let Lent { wire: Wire { incoming, outgoing, .. }, allocation, .. } = lent;
        loop {
            let now = Instant::now();
            let deadline = allocation.poll(now, &mut |message| outgoing.put(message));
            if let Standing::Over(problem) = allocation.standing() {
                return Some(problem);
            }
            if paths.iter().all(LentPath::is_closed) {
                return None;
            }
            let has_room = outgoing.has_room();
            tokio::select! {
                came = incoming.receive() => {
                    if let Some(problem) = came.err().and_then(|error| end_of(&error)) {
                        return Some(problem);
                    }
                    let now = Instant::now();
                    loop {
                        match incoming.next() {
                            Ok(Some(message)) => {
                                allocation.received(now, message, |from, bytes| deliver(&paths, from, bytes));
                            }
                            Ok(None) => break,
                            Err(error) => match end_of(&error) {
                                Some(problem) => return Some(problem),
                                None => break,
                            },
                        }
                    }
                }
                done = outgoing.progress() => {
                    if done.is_err() {
                        return Some(TurnProblem::WentSilent);
                    }
                }
                () = any_ready(&paths), if has_room => {
                    let now = Instant::now();
                    for path in &paths {
                        while let Some(packet) = outgoing.has_room().then(|| path.take()).flatten() {
                            allocation.send(now, packet.to, packet.bytes, &mut |message| outgoing.put(message));
                        }
                    }
                }
                () = sleep_until(deadline.unwrap_or(now + LONGEST_PAUSE).into()) => {}
                _ = &mut self.stopped => {
                    // Closed first: what is sent from now on must look for another way.
                    drop(paths);
                    lent.give_back().await;
                    return None;
                }
            }
        }
    }
}

/// Asks every server, each a little after the one before, and takes the first that lends.
async fn first_to_lend(config: &Arc<TurnConfig>) -> Result<Lent, TurnProblem> {
    let mut attempts = JoinSet::new();
    let mut delay = Duration::ZERO;
    for url in &config.urls {
        for &carrier in &url.carriers {
            let (url, config) = (url.clone(), Arc::clone(config));
            attempts.spawn(async move {
                sleep(delay).await;
                attempt(&config, &url, carrier).await
            });
            delay += HEAD_START;
        }
    }
    // Of several, the one that says most: a server that declined is worth more than one that is not there.
    let mut problem = TurnProblem::NoSuchHost;
    while let Some(done) = attempts.join_next().await {
        match done {
            Ok(Ok(lent)) => return Ok(lent),
            Ok(Err(other)) => problem = problem.max(other),
            Err(error) => tracing::error!(%error, "an attempt at a TURN server broke off"),
        }
    }
    Err(problem)
}

/// Asks one server over one carrier, at each of its addresses.
async fn attempt(config: &TurnConfig, url: &TurnUrl, carrier: Carrier) -> Result<Lent, TurnProblem> {
    let addresses = match timeout(ATTEMPT, look_up(&url.host)).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => addresses,
        _ => return Err(TurnProblem::NoSuchHost),
    };
    let mut problem = TurnProblem::NoSuchHost;
    for address in addresses.into_iter().take(MOST_ADDRESSES) {
        let server = SocketAddr::new(address, url.port);
        match timeout(ATTEMPT, ask(config, carrier, &url.host, server)).await {
            Ok(Ok(lent)) => return Ok(lent),
            Ok(Err(other)) => problem = problem.max(other),
            Err(_) => problem = problem.max(TurnProblem::NoAnswer),
        }
    }
    Err(problem)
}

/// Asks every server over each of its carriers, all at once, and gives back at once what is lent: for finding out what
/// works. It takes eight seconds at most.
pub async fn try_all(config: TurnConfig) -> Vec<Tried> {
    let config = Arc::new(config);
    let mut attempts = JoinSet::new();
    let all = config.urls.iter().flat_map(|url| url.carriers.iter().map(move |carrier| (url, *carrier)));
    for (number, (url, carrier)) in all.enumerate() {
        let (url, config) = (url.clone(), Arc::clone(&config));
        attempts.spawn(async move {
            let lent = timeout(TRIAL, attempt(&config, &url, carrier)).await;
            let outcome = match lent.unwrap_or(Err(TurnProblem::NoAnswer)) {
                Ok(mut lent) => {
                    let relayed = lent.allocation.relayed().to_vec();
                    lent.give_back().await;
                    Ok(relayed)
                }
                Err(problem) => Err(problem),
            };
            (number, Tried { url, carrier, outcome })
        });
    }
    // In the order of the person's list.
    let mut tried = attempts.join_all().await;
    tried.sort_by_key(|(number, _)| *number);
    tried.into_iter().map(|(_, tried)| tried).collect()
}

/// Asks one server over one socket.
async fn ask(
    config: &TurnConfig,
    carrier: Carrier,
    host: &str,
    server: SocketAddr,
) -> Result<Lent, TurnProblem> {
    let mut wire = Wire::connect(carrier, host, server).await?;
    let ends = (wire.local, server);
    let user = (config.user.as_str(), &config.secret);
    let mut allocation = Allocation::ask(Instant::now(), wire.is_stream(), ends, user);
    loop {
        let now = Instant::now();
        let deadline = allocation.poll(now, &mut |message| wire.outgoing.put(message));
        match allocation.standing() {
            Standing::Lent => return Ok(Lent { wire, allocation, carrier }),
            Standing::Over(problem) => return Err(problem),
            Standing::Asking => {}
        }
        let Wire { incoming, outgoing, .. } = &mut wire;
        tokio::select! {
            came = incoming.receive() => {
                let now = Instant::now();
                came.map_err(|error| problem_of(&error))?;
                while let Some(message) = incoming.next().map_err(|error| problem_of(&error))? {
                    allocation.received(now, message, |_, _| ());
                }
            }
            done = outgoing.progress() => done.map_err(|error| problem_of(&error))?,
            () = sleep_until(deadline.unwrap_or(now + ATTEMPT).into()) => {}
        }
    }
}

/// Hands what a peer sent to the path that it came over. A path that is full loses it, as a network would.
fn deliver(paths: &[LentPath], from: SocketAddr, bytes: &[u8]) {
    if let Some(path) = paths.iter().find(|path| path.local().is_ipv4() == from.is_ipv4()) {
        path.deliver(from, bytes.to_vec());
    }
}

async fn any_ready(paths: &[LentPath]) {
    match paths {
        [one] => one.ready().await,
        [one, two, ..] => tokio::select! {
            () = one.ready() => {}
            () = two.ready() => {}
        },
        [] => std::future::pending().await,
    }
}

fn problem_of(error: &io::Error) -> TurnProblem {
    match error.kind() {
        io::ErrorKind::InvalidData => TurnProblem::NotTurn,
        _ => TurnProblem::NoAnswer,
    }
}

/// Whether an error ends what is lent. That a port is closed is told by anybody; its silence tells whether the server is
/// gone.
fn end_of(error: &io::Error) -> Option<TurnProblem> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable => None,
        io::ErrorKind::InvalidData => Some(TurnProblem::NotTurn),
        _ => Some(TurnProblem::WentSilent),
    }
}

/// The first pause, doubled with each, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What was lent for so long begins with short pauses again.
const STOOD: Duration = Duration::from_secs(30);
/// How much later the next server, or the next carrier, is asked: longer than most round trips, short for a person.
const HEAD_START: Duration = Duration::from_millis(400);
/// How long one server may take over one socket.
const ATTEMPT: Duration = Duration::from_secs(6);
/// How long it may take in all, when somebody waits to hear whether it works.
const TRIAL: Duration = Duration::from_secs(8);
const MOST_ADDRESSES: usize = 4;
/// How long the ports may take to be given back.
const GOODBYE: Duration = Duration::from_millis(300);
