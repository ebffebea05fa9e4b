//! The client as one machine: a node, its server, the lines to each peer, and the call, driven by time and bytes.
//!
//! It joins the deciders: `peer_link` for the lines, `lifecycle` for the call, `conversation` for what is written,
//! [`super::rate_control`] for the pictures. The doer above it
//! ([`super::client`]) has the devices, the files and the names of hosts.

mod address_book;
mod chat;
mod files;
mod goodbyes;
mod lines;
mod media;
mod nearby;
mod network;
mod overview;
mod people;
mod presence;
mod privacy;
mod rate;
mod reaching;
mod recording;
mod screen;
mod second_call;
mod server;
mod verifying;
mod ways;
mod weak_side;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::calls::Calls;
use super::command::Command;
use super::contacts::Contacts;
use super::conversation::Conversations;
use super::end_reason::EndReason;
use super::event::Event;
use super::file_job::{FileJob, FileReport};
use super::lifecycle::{CallEffect, CallRecord, Phase};
use super::random_id::RandomId;
pub use super::rate_control::SendTarget;
use super::reach_watch;
pub use super::screen_share::{ScreenCommand, ScreenEvent};
use super::transfers::Transfers;
use super::view::{ClientView, Person, TurnView};
use crate::history::record::{Keep, LineName, Remembered, StoredLine};
use crate::media::encoded::{EncodedFrame, PictureFate};
use crate::netconnection::node::{Node, NodeConfig, NodeEvent, OwnIdentity, PublicationId};
use crate::rtmfp::PeerId;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::endpoint::SessionFigures;
use crate::rtmfp::machine::{Input, Machine, Output};
use crate::settings::Settings;
use goodbyes::Goodbyes;
pub use nearby::SomebodyNearby;
pub use reach_watch::ReachFound;
pub use recording::RecordingStep;

/// How often things that change by themselves are looked at during a call.
const STEP: Duration = Duration::from_millis(250);

/// Settings of a client.
#[derive(Clone)]
pub struct ClientConfig {
    /// The node below.
    pub node: NodeConfig,
    /// Our name; empty means not to connect yet.
    pub name: String,
    /// What the person chose.
    pub settings: Settings,
    /// What was kept of earlier starts.
    pub remembered: Remembered,
    /// Somebody keeps what [`ClientEvent::Keep`] says, and answers; otherwise nothing is kept.
    pub keeps: bool,
    /// Who is refused at step 3.
    pub blocked: BTreeSet<PeerId>,
    /// Strangers ring without sound, and at most once a minute. A program that answers everybody by itself is not guarded.
    pub guarded: bool,
    /// Where randomness starts; not the node's own.
    pub seed: [u8; 32],
    /// One moment by both clocks, so that lines can be dated.
    pub clocks: (Instant, SystemTime),
}

/// What the doer asks of the machine.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientCommand {
    /// What the person wants. Devices are the doer's own business, and are passed over here.
    Person(Command),
    /// The home server: its URL, as people name it, and where it is. No addresses: its name leads nowhere now.
    UseServer {
        /// `rtmfp://host[:port][/app]`.
        url: String,
        /// How it is shown.
        shown: String,
        /// Where it is.
        addresses: Vec<SocketAddr>,
    },
    /// Where a further server is, of the URL that [`ClientEvent::ServerWanted`] named.
    FurtherServer {
        /// As it was wanted.
        url: String,
        /// Where it is. Empty: its name leads nowhere now.
        addresses: Vec<SocketAddr>,
    },
    /// Where we can be reached on the local networks, at first and whenever that changes. None at all: there is no network.
    LocalAddresses(Vec<SocketAddr>),
    /// The router lends us an address, or none any more.
    MappedAddress(Option<SocketAddr>),
    /// Who is on the local network: all of them, whenever that changed.
    Nearby(Vec<SomebodyNearby>),
    /// The computer slept, or its network was away for another reason: who was there before may not be any more.
    NetworkChanged,
    /// A coded frame of ours.
    Frame(EncodedFrame),
    /// The decoder needs a key frame of the far end.
    KeyFrameNeeded,
    /// The same two, of screens.
    Screen(ScreenCommand),
    /// What we have to send with.
    Devices {
        /// A camera that works.
        camera: bool,
        /// A microphone that works.
        microphone: bool,
    },
    /// Percent of the far sound that had to be made up, lately.
    Concealed(f64),
    /// Percent of the far end's packets of sound that were lost on their way here over the last seconds.
    SoundLost(f64),
    /// What a [`ClientEvent::Keep`] with this ticket said is safe on the disk.
    Kept(u64),
    /// Earlier lines of a conversation, oldest first, and whether there are earlier ones still.
    Earlier {
        /// With whom.
        peer: PeerId,
        /// The lines.
        lines: Vec<StoredLine>,
        /// There are earlier ones.
        more: bool,
    },
    /// What came of a [`ClientEvent::File`].
    File(FileReport),
    /// How it stands with the ports that [`ClientEvent::PortWanted`] asked for.
    Turn(TurnView),
    /// What came of a [`ClientEvent::CheckReach`].
    ReachFound(ReachFound),
    /// Says its goodbyes; ends in [`ClientEvent::Left`].
    Leave,
}

/// What the machine tells the doer.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// To be passed on to the window.
    Told(Event),
    /// The new snapshot; devices, levels and pictures are not in it.
    Changed(Box<ClientView>),
    /// The call is up, or goes on: open the devices, and begin to send and to play.
    MediaStarted {
        /// With whom.
        peer: PeerId,
        /// The microphone is muted in this call.
        muted: bool,
        /// The camera is wanted in this call.
        camera_on: bool,
    },
    /// The call is over, or waits: close the devices.
    MediaStopped,
    /// A coded frame of the far end.
    Frame(EncodedFrame),
    /// What to do about the recording of the call.
    Recording(RecordingStep),
    /// Our encoder should make a key frame.
    KeyFrameWanted,
    /// What became of a picture of ours. After one that was lost, the encoder builds the next on what arrived.
    PictureFate(PictureFate),
    /// Whether pictures wait here to leave: more of them would only grow old, and had better not be coded.
    PicturesHeld(bool),
    /// About screens.
    Screen(ScreenEvent),
    /// What our encoder should make.
    Target(SendTarget),
    /// The most bits a second that our sound should be coded with; `None` is the usual.
    SoundRate(Option<u32>),
    /// Percent of our packets that are lost, for the sound's own correction.
    ExpectedLoss(u8),
    /// A server is needed, could not be reached or was lost: look up its name, again.
    ServerWanted {
        /// Which; `None` is the home server. Only that one may become the built-in server.
        url: Option<String>,
    },
    /// To be kept on the disk; with a ticket, to be answered by [`ClientCommand::Kept`] once it is safe there.
    Keep {
        /// What.
        what: Keep,
        /// Named in the answer.
        ticket: Option<u64>,
    },
    /// Earlier lines of a conversation are wanted: those before this one.
    EarlierWanted {
        /// With whom.
        peer: PeerId,
        /// The oldest line that is loaded.
        before: Option<LineName>,
    },
    /// To be done by the desk that reads and writes files, and answered by [`ClientCommand::File`].
    File(FileJob),
    /// Ports of the TURN server are needed, or no longer.
    PortWanted(bool),
    /// The server does not answer: find out by other means whether its computer does.
    CheckReach(Vec<SocketAddr>),
    /// All goodbyes are said.
    Left,
}

/// The client.
pub struct ClientMachine {
    node: Node,
    config: ClientConfig,
    chance: Chance,
    local: Vec<SocketAddr>,
    me: PeerId,
    public: Option<PublicationId>,
    weak: weak_side::WeakSide,
    servers: server::Servers,
    reaching: reaching::Reaching,
    /// Who is listed on the home server, as it says.
    listed: Vec<Person>,
    /// The same, with what is known of contacts.
    people: Arc<Vec<Person>>,
    contacts: Contacts,
    acquaintances: privacy::Acquaintances,
    /// On which server somebody is found, by a link.
    met_at: BTreeMap<PeerId, String>,
    links: BTreeMap<PeerId, lines::Lines>,
    call: Calls,
    verifying: verifying::VerifyingSide,
    recording: recording::RecordingSide,
    /// Addresses that came with a link being dialled.
    hints: Vec<SocketAddr>,
    questions: people::Questions,
    conversations: Conversations,
    chat: chat::ChatSide,
    transfers: Transfers,
    files: files::FileSide,
    media: media::MediaSide,
    screen: screen::ScreenSide,
    network: network::NetworkSide,
    nearby: nearby::NearbySide,
    ways: ways::WaysSide,
    leaving: Option<Instant>,
    left: bool,
    goodbyes: Goodbyes,
    told: VecDeque<ClientEvent>,
    dirty: bool,
    shown: Option<ClientView>,
    next_step: Instant,
}

impl ClientMachine {
    /// A client that knows no server yet.
    pub fn new(now: Instant, mut config: ClientConfig) -> Self {
        // Who has a place is decided here, by whom the person knows: below it would be whoever came first.
        config.node.most_peer_connections = lines::MOST_LINKS + lines::MOST_AT_THE_DOOR;
        let node = Node::new(config.node.clone());
        let me = node.near_id();
        let acquaintances = privacy::Acquaintances::new(&config.remembered);
        let conversations = Conversations::new(
            std::mem::take(&mut config.remembered.lines),
            &config.remembered.more,
            config.keeps,
            config.settings.keep_history,
        );
        let reaching = reaching::Reaching::new(config.settings.turn.is_set());
        let mut client = Self {
            chance: Chance::new(config.seed),
            node,
            contacts: Contacts::new(config.remembered.contacts.clone()),
            acquaintances,
            config,
            local: vec![],
            me,
            public: None,
            weak: weak_side::WeakSide::default(),
            servers: server::Servers::new(),
            reaching,
            listed: vec![],
            people: Arc::default(),
            met_at: BTreeMap::new(),
            links: BTreeMap::new(),
            call: Calls::new(me),
            verifying: verifying::VerifyingSide::default(),
            recording: recording::RecordingSide::default(),
            hints: vec![],
            questions: people::Questions::default(),
            conversations,
            chat: chat::ChatSide::default(),
            transfers: Transfers::default(),
            files: files::FileSide::new(now),
            media: media::MediaSide::new(),
            screen: screen::ScreenSide::default(),
            network: network::NetworkSide::default(),
            nearby: nearby::NearbySide::default(),
            ways: ways::WaysSide::default(),
            leaving: None,
            left: false,
            goodbyes: Goodbyes::default(),
            told: VecDeque::new(),
            dirty: true,
            shown: None,
            next_step: now,
        };
        client.follow_hiding(now);
        client.restore_files(now);
        // Who knows where we are needs no server to call us.
        if !client.config.name.is_empty() {
            client.publish_as(now, OwnIdentity::Main);
        }
        client
    }

    /// This client's peer ID.
    pub fn peer_id(&self) -> PeerId {
        self.me
    }

    /// The figures of every direct session with a peer.
    pub fn direct_figures(&self, now: Instant, peer: PeerId) -> Vec<SessionFigures> {
        self.node.direct_figures(now, peer).into_iter().map(|(_, figures)| figures).collect()
    }

    fn command(&mut self, now: Instant, command: ClientCommand) {
        self.dirty = true;
        match command {
            ClientCommand::Person(command) => self.person(now, command),
            ClientCommand::UseServer { url, shown, addresses } => {
                self.use_server(now, url, shown, addresses);
            }
            ClientCommand::FurtherServer { url, addresses } => {
                self.further_server_found(now, &url, addresses);
            }
            ClientCommand::LocalAddresses(addresses) => self.set_local_addresses(now, addresses),
            ClientCommand::MappedAddress(mapped) => self.set_mapped_address(now, mapped),
            ClientCommand::Nearby(people) => self.set_nearby(now, people),
            ClientCommand::NetworkChanged => self.network_changed(now),
            ClientCommand::Frame(frame) => self.send_frame(now, frame),
            ClientCommand::KeyFrameNeeded => self.want_key_frame(now),
            ClientCommand::Screen(ScreenCommand::Frame(frame)) => self.send_screen(now, frame),
            ClientCommand::Screen(ScreenCommand::KeyFrameNeeded) => self.want_screen_key_frame(now),
            ClientCommand::Devices { camera, microphone } => self.set_devices(now, camera, microphone),
            ClientCommand::Concealed(percent) => self.media.concealed_percent = percent,
            ClientCommand::SoundLost(percent) => self.media.sound_lost_percent = percent,
            ClientCommand::Kept(ticket) => self.kept(now, ticket),
            ClientCommand::Earlier { peer, lines, more } => self.earlier(peer, lines, more),
            ClientCommand::File(report) => self.file_reported(now, report),
            ClientCommand::Turn(view) => self.turn_told(view),
            ClientCommand::ReachFound(found) => self.reach_found(found),
            ClientCommand::Leave => {
                let effects = self.call.end_all(now);
                self.carry_out(now, effects);
                self.leaving = Some(now + goodbyes::PATIENCE);
            }
        }
    }

    fn person(&mut self, now: Instant, command: Command) {
        match command {
            Command::SetName(name) => self.set_name(now, name),
            Command::Reconnect => self.reconnect(now),
            Command::Call { whom, with_video } => self.dial(now, whom, with_video),
            Command::Cancel | Command::HangUp => {
                let effects = self.call.hang_up(now);
                self.carry_out(now, effects);
            }
            Command::Accept { with_video } => {
                self.media.camera_on = with_video;
                let effects = self.call.accept(now);
                self.carry_out(now, effects);
            }
            Command::Decline => {
                let effects = self.call.decline(now);
                self.carry_out(now, effects);
            }
            Command::Dismiss => self.call.dismiss(),
            Command::SetMuted(muted) => {
                self.media.muted = muted;
                self.tell_media(now);
            }
            Command::SetCameraOn(on) => {
                self.media.camera_on = on;
                self.screen.camera_was_switched();
                self.tell_media(now);
            }
            Command::ShareScreen { source, with_camera } => self.share_screen(now, source, with_camera),
            Command::StopSharing => self.stop_sharing(now),
            Command::SendText { to, text } => self.write(now, to, text),
            Command::MarkRead(peer) => self.mark_read(now, peer),
            Command::Typing(peer) => self.typing(now, peer),
            Command::LoadEarlier(peer) => self.load_earlier(peer),
            Command::DeleteLine { peer, line } => self.delete_line(now, peer, line),
            Command::EraseHistory(peer) => self.erase(now, peer),
            Command::OfferFile { to, path } => self.offer_file(now, to, path),
            Command::AcceptFile { peer, line } => self.accept_file(now, peer, line),
            Command::StopFile { peer, line } => self.stop_file(now, peer, line),
            Command::Set(setting) => {
                setting.put_into(&mut self.config.settings);
                self.set_keep_history();
                self.follow_video_choice(now);
                self.follow_hiding(now);
            }
            Command::SetBlocked { peer, blocked } => {
                if blocked {
                    self.block(now, peer);
                } else {
                    self.config.blocked.remove(&peer);
                }
            }
            // Its name is looked up by the doer.
            Command::SetServer(server) => self.config.settings.server = server,
            Command::SetTurn { turn, .. } => {
                self.config.settings.turn = turn;
                self.set_turn(self.config.settings.turn.is_set());
            }
            command @ (Command::AddContact { .. }
            | Command::RenameContact { .. }
            | Command::RemoveContact(_)
            | Command::RestoreContact(_)) => self.change_contacts(now, command),
            // Devices are opened by the doer.
            Command::ChooseCamera(_)
            | Command::ChooseMicrophone(_)
            | Command::ChooseSpeaker(_)
            | Command::RefreshDevices
            | Command::ListScreens
            | Command::CheckNetwork(_)
            | Command::Preview(_)
            | Command::TestSpeaker
            | Command::ExportHistory(_)
            | Command::EchoTest(_)
            | Command::BackUp { .. }
            | Command::RestoreBackUp { .. }
            | Command::NewIdentity => {}
            Command::DeclineWith(text) => self.decline_with(now, text),
            Command::AcceptSecond { with_video, hold } => self.accept_second(now, with_video, hold),
            Command::DeclineSecond(text) => self.decline_second(now, text),
            Command::Hold(on) => {
                let effects = self.call.hold(on);
                self.carry_out(now, effects);
            }
            Command::StartRecording { to, notice } => self.start_recording(now, to, notice),
            Command::StopRecording => self.stop_recording(now),
            Command::StartVerifying => self.start_verifying(now),
            Command::Verified { same } => self.codes_compared(now, same),
        }
    }

    /// Carries out what the call wants.
    fn carry_out(&mut self, now: Instant, effects: Vec<CallEffect>) {
        self.dirty |= !effects.is_empty();
        for effect in effects {
            match effect {
                CallEffect::Dial(peer, offer) => self.dial_lines(now, peer, offer),
                CallEffect::GiveName(peer) => self.with_link(now, peer, |link| link.give_name()),
                CallEffect::Say(peer, message) => self.say(now, peer, message),
                CallEffect::Part(peer) => self.part(now, peer),
                CallEffect::StartMedia(peer) => self.start_media(now, peer),
                CallEffect::StopMedia | CallEffect::PauseMedia => self.stop_media(now),
                CallEffect::Tell(event) => {
                    if let Event::Up { peer, .. } = event {
                        self.acquaintances.meet(peer);
                    }
                    self.tell(event);
                }
                CallEffect::Record(peer, record) => {
                    self.media.forget(peer);
                    self.end_verifying(peer);
                    self.recording_over(now, peer);
                    self.forget_where(peer);
                    self.forget_way(peer);
                    let name = self.name_of(peer);
                    if was_missed(&record) {
                        self.tell(Event::Missed { peer, name: name.clone() });
                    }
                    let (at, id) = (self.date(now), self.draw_id());
                    self.conversations.record(at, peer, &name, id, record);
                }
            }
        }
        if let Some(peer) = self.call.up().next().filter(|peer| self.call.is_up_with(*peer)) {
            self.media.belong_to(peer);
        }
    }

    fn tell(&mut self, event: Event) {
        let event = self.as_seen_here(event);
        self.told.push_back(ClientEvent::Told(event));
    }

    fn draw_id(&mut self) -> RandomId {
        RandomId(self.chance.bytes())
    }

    fn date(&self, now: Instant) -> SystemTime {
        let (instant, system) = self.config.clocks;
        system + now.saturating_duration_since(instant)
    }

    /// What a peer is called here: as a contact, by its own word, or by its ID.
    fn name_of(&self, peer: PeerId) -> String {
        let name = self.contacts.name(peer).or_else(|| self.told_name(peer));
        name.map_or_else(|| peer.short(), str::to_owned)
    }

    fn heard(&mut self, now: Instant, event: NodeEvent) {
        match event {
            NodeEvent::Connected { connection, info } => self.server_connected(now, connection, &info),
            NodeEvent::Disconnected { connection, code, description } => {
                self.server_gone(now, connection, &code, description);
            }
            NodeEvent::Answered { token, result } => self.answered(now, token, result),
            NodeEvent::Called { connection, name, arguments, token } => {
                self.called(now, connection, &name, &arguments, token);
            }
            NodeEvent::PeerConnect { subscriber, name, peer, own, .. } => {
                self.wants_to_play(now, subscriber, &name, peer, own);
            }
            NodeEvent::PlayStarted { subscriber, publication } => {
                self.play_started(now, subscriber, publication);
            }
            NodeEvent::SubscriberGone { subscriber, publication, vanished } => {
                self.subscriber_gone(now, subscriber, publication, vanished);
            }
            NodeEvent::PlaybackStatus { playback, code } => self.playback_status(now, playback, &code),
            NodeEvent::PlaybackEnded { playback, end } => self.playback_ended(now, playback, end),
            NodeEvent::Data { playback, handler, arguments } => {
                self.data(now, playback, &handler, &arguments);
            }
            NodeEvent::Media { playback, message } => self.far_media(now, playback, message),
            NodeEvent::MediaLeft { target, kind, timestamp, fragments_sent } => {
                self.media_left(now, target, kind, timestamp, fragments_sent);
            }
            NodeEvent::MediaAbandoned { target, kind, timestamp } => {
                self.media_abandoned(now, target, kind, timestamp);
            }
            NodeEvent::PictureArrived { target, timestamp } => self.picture_arrived(target, timestamp),
            NodeEvent::BulkMoved { .. } => self.pump_files(now),
            // We take no clients, introduce nobody, and use no streams through a server.
            NodeEvent::ConnectRequested { connection, .. } => {
                self.node.reject_connection(now, connection, "This is no server.");
            }
            NodeEvent::ProbeAnswered { whose, answered } => self.way_proven(now, whose, answered),
            NodeEvent::ProbedFrom { whose, route } => self.probed_from(now, whose, route),
            NodeEvent::RouteChanged { peer, route } => self.way_changed(now, peer, route),
            NodeEvent::ClientGone { .. }
            | NodeEvent::PeerInfo { .. }
            | NodeEvent::HelloForAnother { .. }
            | NodeEvent::StreamRequested { .. }
            | NodeEvent::StreamEnded { .. }
            | NodeEvent::StreamCreated { .. }
            | NodeEvent::StreamStatus { .. }
            | NodeEvent::StreamMedia { .. }
            | NodeEvent::StreamData { .. } => {}
        }
    }

    /// What is due by now.
    fn tick(&mut self, now: Instant) {
        self.tick_servers(now);
        self.tick_questions(now);
        if self.call.deadline().is_some_and(|at| at <= now) {
            let asked = self.servers.get(&self.questions.through);
            let unreachable = asked.is_none_or(|server| !server.is_connected());
            if unreachable && matches!(self.call.phase(), Phase::Looking { .. }) {
                self.look_elsewhere(now);
            } else {
                let effects = self.call.tick(now);
                self.carry_out(now, effects);
            }
        }
        self.tick_chat(now);
        self.tick_files(now);
        self.tick_goodbyes(now);
        self.tick_lines(now);
        self.tick_ways(now);
        self.tick_media(now);
        self.tick_verifying(now);
        self.follow_recording(now);
        self.tick_reaching(now);
        if now >= self.next_step && self.is_busy() {
            self.next_step = now + STEP;
            self.step_media(now);
            self.dirty = true;
        }
        if let Some(until) = self.leaving
            && !self.left
            && (self.goodbyes.is_empty() || now >= until)
        {
            self.left = true;
            self.go(now);
            self.told.push_back(ClientEvent::Left);
        }
    }

    /// Whether something on the screen moves by itself.
    fn is_busy(&self) -> bool {
        !self.call.is_free()
    }

    /// Closes everything.
    fn deadline(&self, now: Instant) -> Option<Instant> {
        let step = self.is_busy().then_some(self.next_step);
        let leaving = self.leaving.filter(|_| !self.left);
        [
            self.servers.deadline(),
            self.questions.deadline(),
            self.call.deadline(),
            self.chat_deadline(),
            self.files_deadline(now),
            self.goodbyes.deadline(),
            self.lines_deadline(),
            self.ways_deadline(),
            self.media_deadline(),
            self.verifying.deadline(),
            self.reaching_deadline(now),
            step,
            leaving,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// A call for us that ended before anybody here answered or declined it.
fn was_missed(record: &CallRecord) -> bool {
    record.incoming && record.lasted.is_none() && record.reason != EndReason::Declined
}

impl Machine for ClientMachine {
    type Command = ClientCommand;
    type Event = ClientEvent;

    fn handle_input(&mut self, now: Instant, input: Input<'_, ClientCommand>) {
        match input {
            Input::Time => self.node.handle_input(now, Input::Time),
            Input::Received(received) => {
                self.note_received(&received);
                self.node.handle_input(now, Input::Received(received));
            }
            Input::PathOpened { path, local, kind } => {
                self.path_opened(now, path, local, kind);
                self.node.handle_input(now, Input::PathOpened { path, local, kind });
            }
            Input::PathClosed { path } => {
                self.path_closed(path);
                self.node.handle_input(now, Input::PathClosed { path });
            }
            Input::Computed(computed) => self.node.handle_input(now, Input::Computed(computed)),
            Input::Command(command) => self.command(now, command),
        }
        self.tick(now);
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<ClientEvent> {
        loop {
            match self.node.poll_output(now, packets) {
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Event(event) => {
                    self.dirty |= !matches!(
                        event,
                        NodeEvent::Media { .. } | NodeEvent::MediaLeft { .. } | NodeEvent::BulkMoved { .. }
                    );
                    self.heard(now, event);
                    self.tick(now);
                }
                Output::Sleep(until) => {
                    self.tell_keeps();
                    if self.dirty && self.leaving.is_none() {
                        self.keep_servers(now);
                        if self.tell_servers(now) || self.tell_ways(now) {
                            continue;
                        }
                    }
                    if let Some(event) = self.told.pop_front() {
                        return Output::Event(event);
                    }
                    if let Some(view) = self.changed_view(now) {
                        return Output::Event(ClientEvent::Changed(Box::new(view)));
                    }
                    let own = self.deadline(now);
                    return Output::Sleep([until, own].into_iter().flatten().min());
                }
            }
        }
    }
}
