//! The face of a running driver: give commands, read figures, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::DriverConfig;
use super::counters::{Counters, SharedCounters};
use super::error::DriverError;
use super::paths::Paths;
use super::run_loop::RunLoop;
use super::udp_socket::Udp;
use crate::rtmfp::machine::Machine;

/// A machine at work. Dropping it stops the task after what is queued; [`Driver::stop`] also waits for the goodbyes.
#[derive(Debug)]
pub struct Driver<C> {
    commands: mpsc::Sender<C>,
    local: Vec<SocketAddr>,
    paths: Paths,
    counters: Arc<SharedCounters>,
    /// Whether the task, once nobody can give commands any more, still serves the network for a while.
    lingers: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// The command was not taken: too many wait, or the driver has stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too many commands are waiting")]
pub struct Full;

/// Binds the sockets and starts the task on the current tokio runtime. `on_event` is called in the task: it must not block.
///
/// # Errors
/// [`DriverError`] when an address cannot be bound. An unspecified address of a family that this computer does not speak
/// at all is passed over as long as another one is bound.
pub fn spawn<M>(
    machine: M,
    config: DriverConfig,
    on_event: impl FnMut(M::Event) + Send + 'static,
) -> Result<Driver<M::Command>, DriverError>
where
    M: Machine + Send + 'static,
    M::Command: Send + 'static,
    M::Event: Send + 'static,
{
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| DriverError::NoRuntime)?;
    let sockets = bind_all(&config)?;
    let local = sockets.iter().map(Udp::local).collect();
    let sockets: Vec<Udp> = sockets.into_iter().chain(bind_extra(&config)).collect();
    let (commands, received) = mpsc::channel(config.command_queue.max(1));
    let counters = Arc::new(SharedCounters::default());
    let lingers = Arc::new(AtomicBool::new(false));
    let first = u32::try_from(sockets.len()).expect("fewer sockets than file descriptors");
    let (paths, changes) = Paths::new(first);
    let run_loop = RunLoop::new(machine, sockets, config, changes, Arc::clone(&counters), on_event);
    let task = runtime.spawn(run_loop.run(received, Arc::clone(&lingers)));
    Ok(Driver { commands, local, paths, counters, lingers, task })
}

impl<C> Driver<C> {
    /// Gives a command, or says at once that it cannot be taken.
    ///
    /// # Errors
    /// [`Full`] when too many wait, or the driver has stopped.
    pub fn try_command(&self, command: C) -> Result<(), Full> {
        self.commands.try_send(command).map_err(|_| Full)
    }

    /// Gives a command, waiting for room.
    ///
    /// # Errors
    /// [`Full`] when the driver has stopped.
    pub async fn command(&self, command: C) -> Result<(), Full> {
        self.commands.send(command).await.map_err(|_| Full)
    }

    /// The addresses the sockets of [`DriverConfig::listen`] are bound to, with the ports the system chose; the index is the path's number.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        &self.local
    }

    /// Opens further paths while it runs.
    pub fn paths(&self) -> Paths {
        self.paths.clone()
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.counters.snapshot()
    }

    /// Takes no more commands, carries out those that wait, and serves the network until the machine has nothing left to
    /// wait for or [`DriverConfig::linger`] is over. Tell the machine to close before.
    pub async fn stop(self) {
        let Self { commands, lingers, task, .. } = self;
        lingers.store(true, Ordering::Release);
        drop(commands);
        if let Err(error) = task.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

fn bind_all(config: &DriverConfig) -> Result<Vec<Udp>, DriverError> {
    let mut sockets = Vec::with_capacity(config.listen.len());
    let mut passed_over = None;
    for &address in &config.listen {
        let bound = match Udp::bind(address, config) {
            Err(error) if config.any_port_instead && address.port() != 0 && !family_is_missing(&error) => {
                tracing::warn!(%error, "another port is used");
                Udp::bind(SocketAddr::new(address.ip(), 0), config)
            }
            bound => bound,
        };
        match bound {
            Ok(socket) => sockets.push(socket),
            Err(error) if address.ip().is_unspecified() && family_is_missing(&error) => {
                tracing::info!(%address, "this computer does not speak this family of addresses");
                passed_over = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match passed_over {
        _ if !sockets.is_empty() => Ok(sockets),
        Some(error) => Err(error),
        None => Err(DriverError::NoAddress),
    }
}

/// As many of the further sockets as can be had.
fn bind_extra(config: &DriverConfig) -> Vec<Udp> {
    let mut refused = None;
    let mut sockets = Vec::with_capacity(config.extra.len());
    for &(address, kind) in &config.extra {
        match Udp::bind(address, config) {
            Ok(socket) => sockets.push(socket.of_kind(kind)),
            Err(error) if address.ip().is_unspecified() && family_is_missing(&error) => {}
            Err(error) => refused = Some(error),
        }
    }
    if let Some(last) = refused {
        let (wanted, bound) = (config.extra.len(), sockets.len());
        tracing::warn!(wanted, bound, %last, "not all further ports can be had");
    }
    sockets
}

fn family_is_missing(error: &DriverError) -> bool {
    match error {
        DriverError::NoSuchAddress { .. } => true,
        DriverError::Bind { cause, .. } => {
            cause.kind() == std::io::ErrorKind::Unsupported
                || cause.raw_os_error().is_some_and(|code| ADDRESS_FAMILY_NOT_SUPPORTED.contains(&code))
        }
        _ => false,
    }
}

/// EAFNOSUPPORT of Linux, of macOS, and WSAEAFNOSUPPORT; std has no error kind for it.
const ADDRESS_FAMILY_NOT_SUPPORTED: [i32; 3] = [97, 47, 10047];
