//! The doer behind a client: one task that owns the driver of the [`ClientMachine`], the studio with all devices, the
//! settings file and the built-in server, and passes between them what each decides.

mod call_media;
mod device_notes;
mod finding;
mod keeping;
mod network_checks;
mod reaching;
mod recording;
mod screens;
mod sounds;
mod surroundings;
mod updates;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, mpsc};
use zeroize::Zeroizing;

#[cfg(feature = "server")]
use super::built_in_server::BuiltInServer;
use super::client_machine::{
    ClientCommand, ClientConfig, ClientEvent, ClientMachine, ScreenCommand, SendTarget,
};
use super::command::Command;
use super::echo_test::EchoTest;
use super::event::{Event, Notice, Refusal};
use super::figures::CallFigures;
use super::file_desk::FileDesk;
use super::file_job::FileReport;
use super::history_desk::HistoryDesk;
use super::muted_speech::MutedSpeech;
use super::server_address::{BUILT_IN, ServerAddress};
use super::view::{CallState, ClientView, Devices};
use crate::driver::{self, Driver, DriverConfig, DriverError};
use crate::media::encoded::EncodedFrame;
use crate::media::sounds::Sound;
use crate::media::studio::{Studio, VideoTarget, Waker};
use crate::netconnection::UserName;
use crate::netconnection::node::NodeConfig;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::Profile;
use crate::rtmfp::endpoint::EndpointConfig;
use crate::settings::{self, Settings};
use keeping::next_answer;
use network_checks::NetworkChecks;
use reaching::Reaching;
use screens::Screens;
use surroundings::Surroundings;
use updates::Updates;

/// How often devices and figures are looked at.
const TICK: Duration = Duration::from_millis(100);
/// Frames from the encoders that may wait for the network task.
const FRAMES: usize = 64;
/// What the machine tells that may wait.
const TOLD: usize = 2_048;
/// Reports of the files' desk that may wait; it waits too, then.
const FILE_REPORTS: usize = 16;
/// Who takes over a server that went away waits for a random part of this, so that not all try at once.
const TAKE_OVER_WITHIN: Duration = Duration::from_millis(500);
/// Who stops waits so long for the goodbyes.
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// What the client's handle reads.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) view: Arc<ClientView>,
    pub(super) figures: CallFigures,
}

/// What a worker needs.
pub(super) struct WorkerConfig {
    pub(super) profile: Arc<dyn Profile>,
    /// Who that is.
    pub(super) peer_id: crate::rtmfp::PeerId,
    /// What is shown to programs of the Flash years.
    pub(super) weak_profile: Arc<dyn Profile>,
    /// For the endpoint and for what is above it.
    pub(super) seeds: ([u8; 32], [u8; 32]),
    pub(super) data_dir: PathBuf,
    /// What the TURN server knows us by.
    pub(super) turn_password: Zeroizing<String>,
    /// In effect: what is kept, and flags before it.
    pub(super) settings: Settings,
    /// What the file holds: flags are for one run only.
    pub(super) kept: Settings,
    pub(super) server: ServerAddress,
    pub(super) window: bool,
    pub(super) waker: Waker,
    /// The studio has something new to look at.
    pub(super) stirred: Arc<Notify>,
    pub(super) told: SyncSender<Event>,
    pub(super) shared: Arc<Mutex<Shared>>,
}

/// The worker, ready to run.
pub(super) struct Worker {
    config: WorkerConfig,
    chance: Chance,
    studio: Studio,
    driver: Driver<ClientCommand>,
    commands: mpsc::Receiver<Command>,
    machine_told: mpsc::Receiver<ClientEvent>,
    frames: mpsc::Receiver<EncodedFrame>,
    frame_sender: mpsc::Sender<EncodedFrame>,
    /// A frame found no room: the next delta would only show rubble.
    frame_fell: Arc<AtomicBool>,
    resolved: mpsc::Receiver<(ServerAddress, Vec<std::net::SocketAddr>)>,
    resolve: mpsc::Sender<(ServerAddress, Vec<std::net::SocketAddr>)>,
    further_found: mpsc::Receiver<(String, Vec<std::net::SocketAddr>)>,
    find_further: mpsc::Sender<(String, Vec<std::net::SocketAddr>)>,
    listed_devices: mpsc::Receiver<Devices>,
    list_devices: mpsc::Sender<Devices>,
    screens: Screens,
    updates: Updates,
    reaching: Reaching,
    network_checks: NetworkChecks,
    // Before the desk, which waits for room in it while it is dropped.
    file_reports: mpsc::Receiver<FileReport>,
    _files: FileDesk,
    history: Option<HistoryDesk>,
    surroundings: Surroundings,
    #[cfg(feature = "server")]
    built_in: BuiltInServer,
    core: ClientView,
    devices: Devices,
    figures: CallFigures,
    up: bool,
    /// The person tries the devices.
    previewing: bool,
    ahead: Ahead,
    /// The call that is dialled is to be one with our picture.
    dials_with_video: bool,
    echo: EchoTest,
    muted_speech: MutedSpeech,
    working_devices: (bool, bool),
    told_devices: (bool, bool),
    concealed: (u64, u64),
    next_report: Instant,
}

/// The files' desk, and what it reports.
pub(super) type Files = (FileDesk, mpsc::Receiver<FileReport>);

/// Starts the files' desk. What comes goes where the person looks for it; without a window, beside everything else.
pub(super) fn open_desk(data_dir: &std::path::Path, window: bool) -> std::io::Result<Files> {
    let (report, file_reports) = mpsc::channel(FILE_REPORTS);
    let folder = Some(data_dir.join("downloads")).filter(|_| !window);
    let folder = folder.unwrap_or_else(|| settings::downloads(data_dir));
    let files = FileDesk::start(folder, move |done| report.blocking_send(done).is_ok())?;
    Ok((files, file_reports))
}

/// What is opened before a call is up, so that it begins at once. Nothing of it leaves this computer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Ahead {
    camera_and_microphone: bool,
    loudspeaker: bool,
}

impl Ahead {
    /// Who calls sees themself while it rings there. Who is called has agreed to nothing yet: no light may come on.
    fn of(call: &CallState) -> Self {
        Self {
            camera_and_microphone: matches!(call, CallState::Outgoing { .. }),
            loudspeaker: matches!(call, CallState::Outgoing { .. } | CallState::Incoming { .. }),
        }
    }
}

/// Binds the sockets and puts the worker together.
pub(super) fn prepare(
    runtime: &tokio::runtime::Runtime,
    config: WorkerConfig,
    studio: Studio,
    commands: mpsc::Receiver<Command>,
    (files, file_reports): Files,
    mut history: Option<HistoryDesk>,
) -> Result<Worker, DriverError> {
    let _inside = runtime.enter();
    let mut endpoint = EndpointConfig::new(Arc::clone(&config.profile), config.seeds.0);
    endpoint.second_profile = Some(Arc::clone(&config.weak_profile));
    endpoint.keepalive = Duration::from_secs(5);
    endpoint.vanish_after = Duration::from_secs(15);
    endpoint.open_within = Duration::from_secs(20);
    let (remembered, problem) = history.as_mut().map(HistoryDesk::remembered).unwrap_or_default();
    let machine = ClientMachine::new(
        Instant::now(),
        ClientConfig {
            node: NodeConfig { endpoint, most_peer_connections: 8 },
            name: config.settings.name.clone(),
            settings: config.settings.clone(),
            remembered,
            keeps: history.is_some(),
            // What is no peer ID blocks nobody.
            blocked: config.settings.blocked.iter().filter_map(|text| text.parse().ok()).collect(),
            guarded: config.window,
            seed: config.seeds.1,
            clocks: (Instant::now(), SystemTime::now()),
        },
    );
    let (tell, machine_told) = mpsc::channel(TOLD);
    let jobs = files.jobs();
    let driver = driver::spawn(machine, DriverConfig::preferred_port(config.settings.port), move |event| {
        if let ClientEvent::File(job) = event {
            jobs.ask(job);
        } else if let Err(error) = tell.try_send(event) {
            // Only a worker that stands still lets this fill; far frames are then worth nothing anyway.
            tracing::warn!("the call worker does not keep up: {error}");
        }
    })?;
    let surroundings = Surroundings::new(driver.local_addresses().to_vec());
    let (frame_sender, frames) = mpsc::channel(FRAMES);
    let (resolve, resolved) = mpsc::channel(4);
    let (find_further, further_found) = mpsc::channel(4);
    let (list_devices, listed_devices) = mpsc::channel(2);
    let devices = Devices {
        camera: config.settings.camera.clone(),
        microphone: config.settings.microphone.clone(),
        speaker: config.settings.speaker.clone(),
        ..Devices::default()
    };
    let reaching = Reaching::new(config.turn_password.clone());
    let worker = Worker {
        chance: Chance::new(config.seeds.1),
        updates: Updates::new(&config),
        config,
        studio,
        driver,
        commands,
        machine_told,
        frames,
        frame_sender,
        frame_fell: Arc::default(),
        resolved,
        resolve,
        further_found,
        find_further,
        listed_devices,
        list_devices,
        screens: Screens::new(),
        reaching,
        network_checks: NetworkChecks::new(),
        file_reports,
        _files: files,
        history,
        surroundings,
        #[cfg(feature = "server")]
        built_in: BuiltInServer::default(),
        core: ClientView::default(),
        devices,
        figures: CallFigures::default(),
        up: false,
        previewing: false,
        ahead: Ahead::default(),
        dials_with_video: true,
        echo: EchoTest::default(),
        muted_speech: MutedSpeech::default(),
        working_devices: (false, false),
        told_devices: (false, false),
        concealed: (0, 0),
        next_report: Instant::now(),
    };
    worker.say(problem);
    Ok(worker)
}

impl Worker {
    /// Works until the handle is dropped.
    pub(super) async fn run(mut self) {
        self.follow_settings();
        self.begin_to_look_around();
        self.find_server(Duration::ZERO);
        self.follow_updates(true);
        if self.config.window {
            self.look_for_devices();
        }
        let stirred = Arc::clone(&self.config.stirred);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.person(command),
                    None => break,
                },
                Some(event) = self.machine_told.recv() => self.told(event),
                Some(frame) = self.frames.recv() => {
                    // During an echo test our frames go to ourselves.
                    if let Some(frame) = self.echo.push(Instant::now(), frame) {
                        self.ask(ClientCommand::Frame(frame));
                    }
                }
                Some(frame) = self.screens.frames.recv() => {
                    self.ask(ClientCommand::Screen(ScreenCommand::Frame(frame)));
                }
                Some(found) = self.screens.listed.recv() => self.screens_listed(found),
                () = until(self.updates.due()) => self.look_for_update(),
                Some(answer) = self.updates.answered.recv() => self.update_answered(answer),
                Some((number, check)) = self.network_checks.told.recv() => {
                    self.network_check_told(number, check);
                }
                () = until(self.echo.deadline()) => self.play_echo(),
                Some((server, addresses)) = self.resolved.recv() => self.server_found(server, addresses),
                Some((url, addresses)) = self.further_found.recv() => {
                    self.ask(ClientCommand::FurtherServer { url, addresses });
                }
                Some(devices) = self.listed_devices.recv() => {
                    self.devices.cameras = devices.cameras;
                    self.devices.microphones = devices.microphones;
                    self.devices.speakers = devices.speakers;
                    self.publish();
                }
                // Waits for room: what the desk did must be known, and the desk waits meanwhile.
                Some(done) = self.file_reports.recv() => {
                    if self.driver.command(ClientCommand::File(done)).await.is_err() {
                        break;
                    }
                }
                Some(command) = self.reaching.told.recv() => self.ask(command),
                answer = next_answer(&mut self.history) => self.history_answered(answer),
                // A picture that cannot be decoded is frozen until another comes: a tick would be long to wait.
                () = stirred.notified() => self.ask_for_key_pictures(),
                _ = ticks.tick() => {
                    self.tick();
                    #[cfg(feature = "server")]
                    self.follow_built_in().await;
                }
            }
        }
        self.leave().await;
    }

    async fn leave(mut self) {
        if self.driver.command(ClientCommand::Leave).await.is_ok() {
            let goodbye = async {
                while let Some(event) = self.machine_told.recv().await {
                    match event {
                        ClientEvent::Left => break,
                        // The call that ends now is remembered too.
                        ClientEvent::Keep { what, ticket } => {
                            self.history.as_mut().map(|history| history.keep(what, ticket));
                        }
                        _ => {}
                    }
                }
            };
            if tokio::time::timeout(LEAVE_WITHIN, goodbye).await.is_err() {
                tracing::warn!("the goodbyes were not answered in time");
            }
        }
        self.driver.stop().await;
        Self::stop_looking_around(self.surroundings).await;
        #[cfg(feature = "server")]
        self.built_in.stop().await;
        // What was told between the last goodbye and the end.
        while let Ok(event) = self.machine_told.try_recv() {
            if let (ClientEvent::Keep { what, ticket }, Some(history)) = (event, &mut self.history) {
                history.keep(what, ticket);
            }
        }
        drop(self.studio);
    }

    fn person(&mut self, command: Command) {
        match &command {
            Command::SetName(name) => {
                if let Err(error) = UserName::new(name) {
                    self.pass_on(Event::Notice(Notice::Refused(Refusal::Name(error))));
                    return;
                }
                self.keep(|settings| {
                    settings.name.clone_from(name);
                    settings.first_run_done = true;
                });
            }
            Command::SetServer(server) => match ServerAddress::parse(server.as_deref().unwrap_or(BUILT_IN)) {
                Ok(address) => {
                    self.keep(|settings| settings.server.clone_from(server));
                    self.config.server = address;
                    self.find_server(Duration::ZERO);
                }
                Err(error) => self.pass_on(Event::Notice(Notice::Refused(Refusal::Server(error)))),
            },
            Command::SetTurn { turn, password } => {
                self.set_turn(turn, password.as_ref());
                // The password goes no further than it must.
                let command = Command::SetTurn { turn: self.config.settings.turn.clone(), password: None };
                return self.ask(ClientCommand::Person(command));
            }
            Command::Reconnect => self.find_server(Duration::ZERO),
            Command::Set(setting) => {
                self.keep(|settings| setting.clone().put_into(settings));
                self.follow_settings();
                self.follow_surroundings();
                self.setting_changed(setting);
                self.hush(setting);
            }
            Command::ExportHistory(to) => {
                let said = self.history.as_mut().map(|history| history.export(to.clone()));
                self.say(said.flatten());
            }
            // A passphrase goes no further than it must.
            Command::BackUp { .. } | Command::RestoreBackUp { .. } | Command::NewIdentity => {
                return self.change_identity(command);
            }
            Command::SetBlocked { peer, blocked } => self.keep(|settings| {
                let text = peer.to_string();
                settings.blocked.retain(|other| *other != text);
                if *blocked {
                    settings.blocked.push(text);
                }
            }),
            Command::SetMuted(muted) if self.up => self.studio.set_muted(*muted),
            Command::SetCameraOn(on) if self.up => self.studio.set_camera_on(*on),
            Command::SetCameraOn(on) => {
                self.dials_with_video = *on;
                self.follow_devices();
            }
            Command::Accept { .. } | Command::AcceptSecond { .. } => self.end_echo_test(),
            Command::Call { with_video, .. } => {
                self.end_echo_test();
                self.dials_with_video = *with_video;
            }
            Command::EchoTest(on) => self.echo_test(*on),
            Command::ChooseCamera(name) => self.choose_camera(name),
            Command::ChooseMicrophone(name) => self.choose_microphone(name),
            Command::ChooseSpeaker(name) => self.choose_speaker(name),
            Command::RefreshDevices => self.look_for_devices(),
            Command::ListScreens => self.look_for_screens(),
            Command::CheckNetwork(on) => self.check_network(*on),
            Command::Preview(on) => {
                self.previewing = *on;
                self.follow_devices();
            }
            Command::TestSpeaker => self.studio.play_sound(Sound::Test),
            Command::Cancel
            | Command::Decline
            | Command::SetMuted(_)
            | Command::HangUp
            | Command::ShareScreen { .. }
            | Command::StopSharing
            | Command::Dismiss
            | Command::SendText { .. }
            | Command::MarkRead(_)
            | Command::AddContact { .. }
            | Command::RenameContact { .. }
            | Command::RemoveContact(_)
            | Command::RestoreContact(_)
            | Command::Typing(_)
            | Command::LoadEarlier(_)
            | Command::DeleteLine { .. }
            | Command::EraseHistory(_)
            | Command::OfferFile { .. }
            | Command::AcceptFile { .. }
            | Command::StopFile { .. }
            | Command::DeclineWith(_)
            | Command::DeclineSecond(_)
            | Command::Hold(_)
            | Command::StartRecording { .. }
            | Command::StopRecording
            | Command::StartVerifying
            | Command::Verified { .. } => {}
        }
        self.ask(ClientCommand::Person(command));
        self.publish();
    }

    fn told(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Told(event) => {
                if let Event::Up { .. } = &event {
                    self.figures = CallFigures { up_at: Some(Instant::now()), ..CallFigures::default() };
                    self.concealed = (0, 0);
                }
                self.sound_for(&event);
                if let Event::Ended { reason } = &event {
                    self.figures.end_reason = Some(*reason);
                    self.publish();
                }
                self.pass_on(event);
            }
            ClientEvent::Changed(view) => {
                self.second_call_may_be_over(&view);
                self.core = *view;
                let ahead = Ahead::of(&self.core.call);
                if std::mem::replace(&mut self.ahead, ahead) != ahead {
                    self.follow_devices();
                }
                self.publish();
            }
            ClientEvent::MediaStarted { muted, camera_on, .. } => self.start_media(muted, camera_on),
            ClientEvent::MediaStopped => self.stop_media(),
            ClientEvent::Recording(step) => self.record(step),
            ClientEvent::Frame(frame) => self.studio.push(frame),
            ClientEvent::KeyFrameWanted => self.studio.request_key_frame(),
            ClientEvent::PictureFate(fate) => self.studio.on_picture_fate(fate),
            ClientEvent::PicturesHeld(held) => self.studio.hold_pictures(held),
            ClientEvent::Target(target) => self.studio.set_video_target(target_of(target)),
            ClientEvent::Screen(event) => self.screen_told(event),
            ClientEvent::SoundRate(bits) => self.studio.set_sound_rate(bits),
            ClientEvent::ExpectedLoss(percent) => self.studio.set_expected_loss(percent),
            ClientEvent::ServerWanted { url: None } => {
                let part = f64::from(self.chance.u32()) / f64::from(u32::MAX);
                self.find_server(TAKE_OVER_WITHIN.mul_f64(part));
            }
            ClientEvent::ServerWanted { url: Some(url) } => self.find_further_server(url),
            // The desk is asked without a stop here.
            ClientEvent::File(_) => {}
            ClientEvent::Keep { what, ticket } => {
                let said = self.history.as_mut().and_then(|history| history.keep(what, ticket));
                self.say(said);
            }
            ClientEvent::EarlierWanted { peer, before } => {
                let said = self.history.as_mut().and_then(|history| history.earlier(peer, before));
                self.say(said);
            }
            ClientEvent::PortWanted(wanted) => self.port_wanted(wanted),
            ClientEvent::CheckReach(addresses) => self.check_reach(addresses),
            ClientEvent::Left => {}
        }
    }

    fn ask(&mut self, command: ClientCommand) {
        let is_frame = matches!(command, ClientCommand::Frame(_));
        let is_screen = matches!(command, ClientCommand::Screen(ScreenCommand::Frame(_)));
        if self.driver.try_command(command).is_err() {
            tracing::warn!(is_frame, is_screen, "the network task does not keep up");
            if is_frame {
                self.frame_fell.store(true, Ordering::Relaxed);
            } else if is_screen {
                self.studio.request_screen_key_frame();
            }
        }
    }

    fn pass_on(&self, event: Event) {
        if let Err(error) = self.config.told.try_send(event) {
            tracing::error!("an event was lost: {error}");
        }
        (self.config.waker)();
    }

    /// Takes a choice of the person's, for now and for the next start.
    fn keep(&mut self, choose: impl Fn(&mut Settings)) {
        choose(&mut self.config.settings);
        choose(&mut self.config.kept);
        if !self.config.window {
            return;
        }
        if let Err(error) = settings::save(&self.config.data_dir, &self.config.kept) {
            self.pass_on(Event::Notice(Notice::Refused(Refusal::Settings(error.to_string()))));
        }
    }

    /// Puts the snapshot together and wakes the window when it differs.
    fn publish(&mut self) {
        let mut view = self.core.clone();
        view.microphone_level = self.studio.microphone_level();
        view.far_level = self.studio.far_level();
        view.devices = Arc::new(self.devices.clone());
        view.echo_test = self.echo.is_on();
        view.screens.clone_from(&self.screens.choices);
        view.settings = Arc::new(self.config.settings.clone());
        view.network_check.clone_from(&self.network_checks.shown);
        view.servers_nearby.clone_from(&self.surroundings.servers);
        view.newer.clone_from(self.updates.newer());
        if let CallState::Up(call) = &mut view.call {
            let media = &self.figures.media;
            call.quality.send_picture = media.send_picture;
            call.quality.receive_picture = media.receive_picture;
            call.quality.send_screen = self.figures.screen.send_picture.filter(|_| call.sharing.is_some());
            call.quality.receive_screen = self.figures.screen.receive_picture.filter(|_| call.far_shares);
            call.quality.buffer_ms = f64::from(media.buffer_ms);
            call.quality.lip_sync_ms = media.lip_sync_ms;
            call.quality.stages = media.stages;
            call.quality.glass_to_glass_ms = media.glass_to_glass_ms.zip(media.glass_to_glass_95_ms);
            call.speaking_muted = self.muted_speech.is_speaking();
        }
        let changed = {
            let mut shared = self.config.shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.figures.clone_from(&self.figures);
            let changed = *shared.view != view;
            if changed {
                shared.view = Arc::new(view);
            }
            changed
        };
        if changed {
            (self.config.waker)();
        }
    }
}

fn target_of(target: SendTarget) -> VideoTarget {
    VideoTarget {
        bits_per_second: target.bits_per_second,
        width: target.width,
        height: target.height,
        frames_per_second: target.frames_per_second,
    }
}

/// Sleeps until then; for ever when there is no such moment.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// Every text is a source or a sink: what is no known word is a device's name.
fn read<T: std::str::FromStr<Err = std::convert::Infallible>>(text: &str) -> T {
    match text.parse() {
        Ok(choice) => choice,
        Err(never) => match never {},
    }
}
