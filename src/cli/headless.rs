//! What `call` and `answer` share: a client without a window, driven by its events.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tincan::call::back_up;
use tincan::call::client::{ClientOptions, RunningClient, start};
use tincan::call::event::Notice;
use tincan::call::handle::Client as _;
use tincan::call::view::{Reach, ServerState, TurnView};
use tincan::call::{ClientView, Command, EndReason, Event, PeerId};
use tincan::media::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use tincan::media::studio::StudioSettings;
use tincan::netconnection::UserName;
use tincan::settings;
use tincan::settings::instance::{Claim, Instance};

use super::flags::{CommonFlags, HeadlessFlags};
use super::statistics::Statistics;
use super::{WRONG_USAGE, source};

/// How often time is looked at while nothing happens.
const STEP: Duration = Duration::from_millis(20);
/// A server that is not needed is waited for no longer than this.
pub(crate) const WAIT_FOR_UNNEEDED: Duration = Duration::from_millis(1_500);
/// The server must have accepted us within this: a little after it is known why it did not.
const CONNECT_WITHIN: Duration = Duration::from_millis(10_200);

/// What a program that knows no recordings is told as a chat line.
const RECORDING_NOTICE: &str = "I am recording this call from now on.";

/// A client without a window.
pub(crate) struct Headless {
    pub(crate) client: RunningClient,
    pub(crate) with_video: bool,
    say: Vec<String>,
    record: Option<PathBuf>,
    for_seconds: Option<Duration>,
    statistics: Statistics,
    interrupted: Arc<AtomicBool>,
    hung_up: bool,
    up: Option<(PeerId, Instant)>,
    /// When we dialled; `None` where we are called.
    pub(crate) dialled: Option<Instant>,
    setup: Option<Duration>,
    /// Keeps the data directory ours.
    _instance: Instance,
}

/// What the loop above a [`Headless`] has to decide about.
pub(crate) enum Happened {
    /// Nothing that it must know.
    Nothing,
    /// Somebody calls.
    Ringing(PeerId),
    /// A call, or an attempt at one, is over.
    Ended(EndReason),
    /// What was asked for makes no sense.
    Refused(String),
    /// Interrupted while no call is up.
    Interrupted,
}

impl Headless {
    /// Starts the client.
    pub(crate) fn start(common: CommonFlags, headless: HeadlessFlags) -> anyhow::Result<Self> {
        let data_dir = settings::data_dir(common.data_dir.clone())?;
        let instance = match Instance::claim(&data_dir)? {
            Claim::First(instance) => instance,
            Claim::Already(_) => bail!(
                "{} is used by a running Tincan. Choose another directory with --data-dir.",
                data_dir.display()
            ),
        };
        // What cannot be restored now is tried again with the next start.
        if let Err(error) = back_up::finish_restore(&data_dir) {
            eprintln!("The backup could not be restored: {error}.");
        }
        let settings::Loaded { settings: kept, problem } = settings::load(&data_dir);
        if let Some(problem) = problem {
            eprintln!("{problem}");
        }
        let mut settings = kept.clone();
        let turn_password = common.turn.put_turn(&mut settings)?;
        let word = |flag: Option<String>, kept: &str| flag.unwrap_or_else(|| kept.to_owned());
        let camera: CameraSource = source(&word(common.camera, &kept.camera));
        let microphone: MicrophoneSource = source(&word(common.microphone, &kept.microphone));
        let speaker: SpeakerSink = source(&word(common.speaker, &kept.speaker));
        let picture: PictureSink = match headless.picture.as_str() {
            "none" => PictureSink::None,
            other => match other.strip_prefix("file:") {
                Some(path) => PictureSink::File(PathBuf::from(path)),
                None => bail!("--picture takes none or file:PATH"),
            },
        };
        settings.server = common.server.or(settings.server);
        settings.local_network = common.nearby.then_some(true).or(settings.local_network);
        settings.hide_address |= common.hide_address;
        if let Some(name) = common.name {
            UserName::new(&name).context("--name cannot be used")?;
            settings.name = name;
        }
        if settings.name.is_empty() {
            let identity = tincan::call::client::identity(&data_dir)?;
            settings.name = default_name(identity.peer_id());
        }
        let statistics = Statistics::open(headless.stats.as_deref()).context("--stats cannot be written")?;
        let with_video = camera != CameraSource::None;
        let client = start(ClientOptions {
            data_dir,
            settings,
            kept,
            turn_password,
            studio: StudioSettings { camera, microphone, speaker, picture },
            history: None,
            window: false,
            waker: Arc::new(|| {}),
        })?;
        Ok(Self {
            client,
            with_video,
            say: headless.say,
            record: headless.record,
            for_seconds: headless.for_seconds,
            statistics,
            interrupted: watch_signals()?,
            hung_up: false,
            up: None,
            dialled: None,
            setup: None,
            _instance: instance,
        })
    }

    /// Waits until the server has accepted us, or `goes_without` says that it is not needed, given what is known by then and
    /// for how long it was waited for.
    pub(crate) fn connect(
        &mut self,
        goes_without: impl Fn(&ClientView, Duration) -> bool,
    ) -> Result<(), EndReason> {
        let since = Instant::now();
        let mut hinted = false;
        loop {
            if goes_without(&self.client.view(), since.elapsed()) {
                return Ok(());
            }
            match self.client.wait_event(STEP) {
                Some(Event::Connected) => return Ok(()),
                Some(other) => self.print(&other),
                None => {}
            }
            if let ServerState::NameRefused(why) = &self.client.view().own.server_state {
                eprintln!("{why}");
                return Err(EndReason::NameRefused);
            }
            let reach = self.client.view().own.reach;
            if reach == Reach::NoAnswerYet && !std::mem::replace(&mut hinted, true) {
                eprintln!("No answer yet. This network may not let UDP through.");
            }
            if since.elapsed() >= CONNECT_WITHIN {
                eprintln!("{}", no_answer(reach, &self.client.view()));
                return Err(EndReason::ServerUnreachable);
            }
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(EndReason::Cancelled);
            }
        }
    }

    /// Takes the next event, and does what time asks for.
    pub(crate) fn step(&mut self) -> Happened {
        let event = self.client.wait_event(STEP);
        self.statistics.step(&self.client, self.setup_ms());
        let for_is_over = match (self.up, self.for_seconds) {
            (Some((_, at)), Some(time)) => at.elapsed() >= time,
            _ => false,
        };
        let interrupted = self.interrupted.load(Ordering::Relaxed);
        if (for_is_over || interrupted) && !self.hung_up {
            self.hung_up = self.client.try_command(Command::HangUp);
            if interrupted && self.up.is_none() && self.dialled.is_none() {
                return Happened::Interrupted;
            }
        }
        let Some(event) = event else { return Happened::Nothing };
        self.print(&event);
        match event {
            Event::Up { peer, .. } => {
                self.up = Some((peer, Instant::now()));
                self.setup = self.dialled.map(|at| at.elapsed());
                if let Some(path) = &self.record {
                    let (to, notice) = (Some(path.clone()), RECORDING_NOTICE.to_owned());
                    if !self.client.try_command(Command::StartRecording { to, notice }) {
                        eprintln!("The call could not be recorded.");
                    }
                }
                for text in &self.say {
                    if !self.client.try_command(Command::SendText { to: peer, text: text.clone() }) {
                        eprintln!("A message could not be sent.");
                    }
                }
                Happened::Nothing
            }
            Event::Ringing { peer, .. } => Happened::Ringing(peer),
            Event::Ended { reason } => {
                let setup = self.setup_ms();
                let up = self.up.take().is_some();
                self.hung_up = false;
                self.statistics.summary(&self.client, reason, up, setup);
                Happened::Ended(reason)
            }
            Event::Notice(Notice::Refused(why)) => Happened::Refused(why.to_string()),
            _ => Happened::Nothing,
        }
    }

    /// Whether somebody pressed Ctrl-C, or asked the program to end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Writes the summary of an attempt that never became a call.
    pub(crate) fn give_up(mut self, reason: EndReason) -> ExitCode {
        self.statistics.summary(&self.client, reason, false, None);
        self.finish(reason)
    }

    /// Says goodbye, and answers the exit status.
    pub(crate) fn finish(self, reason: EndReason) -> ExitCode {
        self.client.stop();
        ExitCode::from(reason.exit_status())
    }

    fn setup_ms(&self) -> Option<f64> {
        self.setup.map(|setup| setup.as_secs_f64() * 1000.0)
    }

    fn print(&self, event: &Event) {
        match event {
            Event::TextReceived { name, text, .. } => {
                let mut out = std::io::stdout().lock();
                // A line each: a text with lines of its own must not pass for several.
                let text = text.replace(['\n', '\r'], " ");
                let _ = writeln!(out, "{name}: {text}").and_then(|()| out.flush());
            }
            Event::Notice(Notice::Device(news)) => eprintln!("{news}"),
            Event::Recorded(path) => eprintln!("The call was recorded: {}", path.display()),
            Event::WayChanged { relayed: true, .. } => eprintln!("The call goes over a relay now."),
            Event::WayChanged { relayed: false, .. } => eprintln!("The call goes directly now."),
            Event::FarRecords { name, on: true, .. } => eprintln!("{name} records the call."),
            Event::Notice(Notice::RecordingStopped { path, why }) => {
                eprintln!("The recording {} stopped: {why}. The call goes on.", path.display());
            }
            Event::Notice(Notice::TextNotSent) => eprintln!("A message could not be sent."),
            _ => {}
        }
    }
}

/// Why the server did not answer, and what to do about it.
fn no_answer(reach: Reach, view: &ClientView) -> String {
    let what = match reach {
        Reach::UdpBlocked => {
            "This network lets no UDP through: the server's computer answers over TCP only. Use a TURN server over TLS \
             (--turn), or ask the network's administrator to let UDP out."
        }
        Reach::NobodyServes => {
            "No server runs at this address. Check the address and port, or ask whoever runs the server."
        }
        Reach::ServerSilent => "The server does not answer, though others do. Ask whoever runs it.",
        Reach::NothingAnswers => {
            "Nothing answers at the server's address. Check the network and the address."
        }
        Reach::Fine | Reach::NoAnswerYet => {
            "The server cannot be reached. Check the network and the address."
        }
    };
    match view.turn {
        TurnView::Failed(problem) => format!("{what} The TURN server was no help: {problem}."),
        TurnView::Idle | TurnView::Trying | TurnView::Lent { .. } => what.to_owned(),
    }
}

/// Says why it cannot start; the exit status is that of wrong usage.
pub(crate) fn cannot_start(error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::from(WRONG_USAGE)
}

/// A name for who chose none: the account's, told from others by the peer ID.
fn default_name(peer: PeerId) -> String {
    let account = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default();
    let account: String = account.chars().filter(|c| c.is_alphanumeric()).take(20).collect();
    let account = if account.is_empty() { "tincan".to_owned() } else { account };
    format!("{account}-{}", &peer.to_string()[..6])
}

/// Set once Ctrl-C is pressed or the system asks the program to end.
fn watch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let flag = Arc::clone(&interrupted);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            wait_for_signal().await;
            flag.store(true, Ordering::Relaxed);
            // Who asks twice does not want to wait for goodbyes.
            wait_for_signal().await;
            std::process::exit(130);
        });
    })?;
    Ok(interrupted)
}

async fn wait_for_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut ended) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = ended.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
