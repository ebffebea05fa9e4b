//! A client at work: what `ui` and the subcommands hold. Starting it starts one thread; dropping it stops the worker,
//! the pipelines and the devices, in that order.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use zeroize::Zeroizing;

use super::command::Command;
use super::event::Event;
use super::figures::CallFigures;
use super::handle::Client;
use super::history_desk::HistoryDesk;
use super::server_address::{NotAServer, ServerAddress};
use super::view::ClientView;
use super::worker::{self, Shared, WorkerConfig};
use crate::driver::DriverError;
use crate::driver::turn::TurnUrl;
use crate::media::latest::Latest;
use crate::media::picture::Picture;
use crate::media::studio::{Studio, StudioSettings, Waker};
use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::flash::{Flash, Identity, Verification};
use crate::settings::{Settings, SettingsError};

/// Commands that may wait.
const COMMANDS: usize = 64;
/// Events that may wait; a window that draws takes them sixty times a second.
const EVENTS: usize = 1_024;

/// What a client starts with.
pub struct ClientOptions {
    /// Where key and settings live.
    pub data_dir: PathBuf,
    /// What the person chose; flags have been put over it already.
    pub settings: Settings,
    /// What the settings file holds: flags are for one run only, and are not written to it.
    pub kept: Settings,
    /// The password for the TURN server, from flags; `None` is the one that is kept.
    pub turn_password: Option<Zeroizing<String>>,
    /// Cameras and sounds from flags, which go before the settings' words.
    pub studio: StudioSettings,
    /// The history, opened ahead; `None` keeps nothing, as programs without a window do.
    pub history: Option<HistoryDesk>,
    /// A window: brings the built-in server, rings aloud, keeps the settings.
    pub window: bool,
    /// Wakes the window when something changed.
    pub waker: Waker,
}

/// Why a client cannot start. Each message is a sentence for the person.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Key or settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The server's address.
    #[error(transparent)]
    Server(#[from] NotAServer),
    /// No socket.
    #[error(transparent)]
    Network(#[from] DriverError),
    /// The system gives no randomness, or no thread.
    #[error("This computer does not let the program start: {0}.")]
    System(String),
}

/// A running client.
pub struct RunningClient {
    commands: mpsc::Sender<Command>,
    events: Receiver<Event>,
    shared: Arc<Mutex<Shared>>,
    far_picture: Latest<Picture>,
    own_picture: Latest<Picture>,
    far_screen: Latest<Picture>,
    own_screen: Latest<Picture>,
    peer_id: PeerId,
    worker: Option<JoinHandle<()>>,
}

/// The key in a data directory, made at the first start.
///
/// # Errors
/// [`StartError::Settings`] when it cannot be read or kept, [`StartError::System`] without randomness.
pub fn identity(data_dir: &std::path::Path) -> Result<Identity, StartError> {
    let seed = random_seed()?;
    let secret =
        crate::settings::identity::load_or_create(data_dir, || Identity::generate(seed).to_secret_bytes())?;
    Identity::from_secret_bytes(&secret)
        .map_err(|_| StartError::Settings(crate::settings::identity::unusable(data_dir)))
}

/// The weak key in a data directory, made at the first start, for programs of the Flash years. A damaged one is no reason
/// not to start: another stands in for it meanwhile.
fn weak_identity(data_dir: &std::path::Path) -> Result<Identity, StartError> {
    let seed = random_seed()?;
    let make = || Identity::generate_flash_era(seed).to_secret_bytes();
    let kept = crate::settings::identity::load_or_create_weak(data_dir, make);
    let kept = kept.map_err(|error| tracing::warn!(%error, "the weak key cannot be used"));
    let usable = kept.ok().and_then(|secret| Identity::from_secret_bytes(&secret).ok());
    Ok(usable.unwrap_or_else(|| Identity::generate_flash_era(seed)))
}

/// Starts a client.
///
/// # Errors
/// A [`StartError`].
pub fn start(options: ClientOptions) -> Result<RunningClient, StartError> {
    let ClientOptions { data_dir, settings, kept, turn_password, studio, history, window, waker } = options;
    let (identity, weak) = if settings.fresh_identity {
        (Identity::generate(random_seed()?), Identity::generate_flash_era(random_seed()?))
    } else {
        (identity(&data_dir)?, weak_identity(&data_dir)?)
    };
    let peer_id = identity.peer_id();
    let server = match &settings.server {
        Some(text) => ServerAddress::parse(text)?,
        None => ServerAddress::parse(super::server_address::BUILT_IN)?,
    };
    if let Err(error) = TurnUrl::parse_list(&settings.turn.servers) {
        tracing::warn!(%error, "the TURN server in the settings is not used");
    }
    let turn_password = match turn_password {
        Some(password) => password,
        // Without it, calls that need no TURN server go on as before.
        None => crate::settings::turn_password::load(&data_dir).unwrap_or_else(|error| {
            tracing::warn!(%error, "the password for the TURN server cannot be read");
            Zeroizing::default()
        }),
    };
    let stirred = Arc::new(Notify::new());
    let studio = Studio::new(studio, {
        let (stirred, waker) = (Arc::clone(&stirred), Arc::clone(&waker));
        Arc::new(move || {
            stirred.notify_one();
            waker();
        })
    });
    let (far_picture, own_picture) = (studio.far_picture().clone(), studio.own_picture().clone());
    let (far_screen, own_screen) = (studio.far_screen().clone(), studio.own_screen().clone());
    let (commands, received) = mpsc::channel(COMMANDS);
    let (told, events) = std::sync::mpsc::sync_channel(EVENTS);
    let shared = Arc::new(Mutex::new(Shared::default()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("network")
        .enable_all()
        .build()
        .map_err(|error| StartError::System(error.to_string()))?;
    let files =
        worker::open_desk(&data_dir, window).map_err(|error| StartError::System(error.to_string()))?;
    let config = WorkerConfig {
        profile: Arc::new(Flash::peer(identity)),
        peer_id,
        weak_profile: Arc::new(Flash::peer(weak).verifying(Verification::OnRequest)),
        seeds: (random_seed()?, random_seed()?),
        data_dir,
        turn_password,
        settings,
        kept,
        server,
        window,
        waker,
        stirred,
        told,
        shared: Arc::clone(&shared),
    };
    let worker = worker::prepare(&runtime, config, studio, received, files, history)?;
    let worker = std::thread::Builder::new()
        .name("call".to_owned())
        .spawn(move || {
            runtime.block_on(worker.run());
            runtime.shutdown_timeout(Duration::from_secs(1));
        })
        .map_err(|error| StartError::System(error.to_string()))?;
    Ok(RunningClient {
        commands,
        events,
        shared,
        far_picture,
        own_picture,
        far_screen,
        own_screen,
        peer_id,
        worker: Some(worker),
    })
}

fn random_seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| StartError::System(error.to_string()))?;
    Ok(seed)
}

impl RunningClient {
    /// Our peer ID.
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// Waits for the next event, at most so long: for programs without a window.
    pub fn wait_event(&mut self, at_most: Duration) -> Option<Event> {
        match self.events.recv_timeout(at_most) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                // The worker is gone; who polls must not spin.
                std::thread::sleep(at_most);
                None
            }
        }
    }

    /// The figures of the call that is up, or was up last.
    pub fn call_figures(&self) -> CallFigures {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).figures.clone()
    }

    /// Says goodbye and waits until everything has stopped.
    pub fn stop(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        // Closing the channel is the worker's sign to leave.
        let (closed, _) = mpsc::channel(1);
        self.commands = closed;
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!("the call worker panicked");
        }
    }
}

impl Drop for RunningClient {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Client for RunningClient {
    fn try_command(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    fn view(&self) -> Arc<ClientView> {
        Arc::clone(&self.shared.lock().unwrap_or_else(PoisonError::into_inner).view)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    fn far_picture(&self) -> &Latest<Picture> {
        &self.far_picture
    }

    fn own_picture(&self) -> &Latest<Picture> {
        &self.own_picture
    }

    fn far_screen(&self) -> &Latest<Picture> {
        &self.far_screen
    }

    fn own_screen(&self) -> &Latest<Picture> {
        &self.own_screen
    }
}
