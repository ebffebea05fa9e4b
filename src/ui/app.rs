//! The one place that knows both sides: takes views, events and pictures, shows a screen, carries out what it asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use egui::{CentralPanel, Color32, Context, Frame, OpenUrl, Panel, Ui, UserAttentionType, ViewportCommand};
use jiff::tz::TimeZone;

use super::action::Action;
use super::clock::Clock;
use super::file_dialog::{Answer, Asking, FileDialog};
use super::parts::toast::Toasts;
use super::screen::{Beside, Screen, screen_of, wants_preview};
use super::screens::conversation::file_line::is_program;
use super::screens::conversation::{self, PathFor, Talk, Writing, conversation_ui};
use super::screens::dialling::{Dialling, dialling_ui};
use super::screens::ended::{Ended, ended_ui};
use super::screens::home::{HomeInputs, list_ui, server_problem_ui, start_ui};
use super::screens::in_call::{InCall, InCallState, in_call_ui};
use super::screens::incoming::incoming_ui;
use super::screens::settings::{SettingsInputs, SettingsShown, settings_ui};
use super::screens::welcome::{WelcomeInputs, welcome_ui};
use super::textures::PictureTexture;
use super::theme::{self, ThemeChoice, palette};
use super::words::{notice_words, word, word_with};
use crate::call::handle::Client;
use crate::call::random_id::RandomId;
use crate::call::view::{CallState, Presence};
use crate::call::{ClientView, Command, Event, PeerId};
use crate::settings::Setting;

/// The window's program.
pub struct App {
    client: Box<dyn Client>,
    view: Arc<ClientView>,
    zone: TimeZone,
    theme: ThemeChoice,
    toasts: Toasts,
    far_picture: PictureTexture,
    own_picture: PictureTexture,
    beside: Beside,
    welcome: WelcomeInputs,
    home: HomeInputs,
    settings: Option<SettingsInputs>,
    in_call: InCallState,
    writings: BTreeMap<PeerId, Writing>,
    asking: Option<(PathFor, PeerId, FileDialog)>,
    previewing: bool,
    full_screen: bool,
}

impl App {
    /// A window on a client. `dial` stands ready to be called, when a link was opened; nobody is called without being asked.
    pub fn new(client: Box<dyn Client>, theme: ThemeChoice, zone: TimeZone, dial: Option<String>) -> Self {
        let view = client.view();
        Self {
            client,
            view,
            zone,
            theme,
            toasts: Toasts::default(),
            far_picture: PictureTexture::new("far picture"),
            own_picture: PictureTexture::new("own picture"),
            beside: Beside::default(),
            welcome: WelcomeInputs::default(),
            home: HomeInputs::dialling(dial.unwrap_or_default()),
            settings: None,
            in_call: InCallState::default(),
            writings: BTreeMap::new(),
            asking: None,
            previewing: false,
            full_screen: false,
        }
    }

    /// Takes what is new. Also runs while the window is hidden, so that a call is heard of.
    pub fn take_news(&mut self, ctx: &Context) {
        self.view = self.client.view();
        while let Some(event) = self.client.poll_event() {
            self.on_event(ctx, event);
        }
        self.far_picture.take_from(ctx, self.client.far_picture());
        self.own_picture.take_from(ctx, self.client.own_picture());
        if matches!(self.view.call, CallState::None) && !self.previewing {
            self.far_picture.clear();
            self.own_picture.clear();
        }
        let wanted = wants_preview(screen_of(&self.view), self.beside);
        if wanted != self.previewing && self.client.try_command(Command::Preview(wanted)) {
            self.previewing = wanted;
        }
        self.mark_read(ctx);
        self.take_files(ctx);
    }

    /// Draws the window and carries out what was asked for.
    #[expect(clippy::disallowed_methods, reason = "the window is where the wall clock comes in")]
    pub fn show(&mut self, ui: &mut Ui) {
        let clock = Clock::new(SystemTime::now(), self.zone.clone());
        let action = self.screen_ui(ui, &clock);
        let due = self.toasts.show(ui.ctx());
        for action in action.into_iter().chain(due) {
            self.carry_out(ui.ctx(), action);
        }
    }

    fn screen_ui(&mut self, ui: &mut Ui, clock: &Clock) -> Option<Action> {
        let view = Arc::clone(&self.view);
        let own_picture = self.own_picture.shown();
        match (screen_of(&view), &view.call) {
            (Screen::Welcome, _) => welcome_ui(ui, &view, own_picture, &mut self.welcome),
            (Screen::Dialling, CallState::Outgoing { far, progress, since }) => {
                let dialling = Dialling { far, progress: *progress, since: *since, own_picture };
                dialling_ui(ui, &dialling)
            }
            (Screen::InCall, CallState::Up(call)) => {
                let conversation = call
                    .far
                    .peer_id
                    .and_then(|peer| view.conversations.iter().find(|other| other.peer_id == peer));
                let shown = InCall {
                    call,
                    devices: &view.devices,
                    conversation,
                    far_picture: self.far_picture.shown(),
                    own_picture,
                    full_screen: self.full_screen,
                };
                in_call_ui(ui, &shown, &mut self.in_call, clock)
            }
            (_, call) => {
                let covered = matches!(call, CallState::Incoming { .. } | CallState::Ended { .. });
                let mut action = ui
                    .add_enabled_ui(!covered, |ui| {
                        // What lies under a card looks the same as ever, darkened by the card's own shade.
                        ui.set_opacity(1.0);
                        self.home_ui(ui, &view, clock)
                    })
                    .inner;
                match call {
                    CallState::Incoming { far, with_video } => action = incoming_ui(ui, far, *with_video),
                    CallState::Ended { far, reason, lasted, incoming } => {
                        let ended = Ended { far, reason: *reason, lasted: *lasted, incoming: *incoming };
                        action = ended_ui(ui, &ended);
                    }
                    _ => {}
                }
                action
            }
        }
    }

    fn home_ui(&mut self, ui: &mut Ui, view: &ClientView, clock: &Clock) -> Option<Action> {
        let narrow = ui.max_rect().width() < theme::NARROW;
        let copied = ui.input(|input| input.time) < self.home.copied_until;
        let selected = match self.beside {
            Beside::Conversation(peer) => Some(peer),
            Beside::Start | Beside::Settings => None,
        };
        let mut action = server_problem_ui(ui, &view.own);
        if !narrow || self.beside == Beside::Start {
            let panel = palette(ui).panel;
            if narrow {
                let list = CentralPanel::no_frame().frame(Frame::new().fill(panel));
                return list.show(ui, |ui| list_ui(ui, view, None, &mut self.home, clock)).inner.or(action);
            }
            let list = Panel::left("list").exact_size(theme::SIDE_WIDTH).resizable(false);
            let asked = list
                .frame(Frame::new().fill(panel))
                .show(ui, |ui| list_ui(ui, view, selected, &mut self.home, clock));
            action = asked.inner.or(action);
        }
        let asked = match self.beside {
            Beside::Start => start_ui(ui, &view.own, copied),
            Beside::Conversation(peer) => {
                let going = self.going(peer);
                let writing = self.writings.entry(peer).or_default();
                conversation_of(ui, view, peer, &going, narrow, writing, clock)
            }
            Beside::Settings => {
                let inputs = self.settings.get_or_insert_with(|| SettingsInputs::new(view));
                let own_picture = self.own_picture.shown();
                let shown = SettingsShown { own_picture, theme: self.theme, narrow, copied };
                settings_ui(ui, view, shown, inputs)
            }
        };
        asked.or(action)
    }

    fn on_event(&mut self, ctx: &Context, event: Event) {
        let now = ctx.input(|input| input.time);
        match event {
            Event::Ringing { .. } => {
                ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
                ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Critical));
                ctx.send_viewport_cmd(ViewportCommand::Focus);
            }
            Event::Up { .. } => self.in_call = InCallState::default(),
            Event::Ended { .. } => {
                self.far_picture.clear();
                if self.full_screen {
                    self.toggle_full_screen(ctx);
                }
            }
            Event::TextReceived { peer, name, text } => {
                if !self.on_screen(peer) {
                    let text: String = text.chars().take(LONGEST_NOTICE).collect();
                    self.toasts.add(word_with("notice.message", &[("name", &name), ("text", &text)]), now);
                }
                if !ctx.input(|input| input.focused) {
                    ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(
                        UserAttentionType::Informational,
                    ));
                }
            }
            Event::Notice(notice) => self.toasts.add(notice_words(&notice), now),
            // Both show in the view.
            Event::RingingThere
            | Event::Connected
            | Event::SecondRinging { .. }
            | Event::Missed { .. }
            | Event::FileOffered { .. } => {}
        }
    }

    fn carry_out(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Ask(command) => self.ask(ctx, command),
            Action::AskAll(commands) => commands.into_iter().for_each(|command| self.ask(ctx, command)),
            Action::CopyText(text) => {
                ctx.copy_text(text);
                self.toasts.add(word("notice.copied").to_owned(), ctx.input(|input| input.time));
            }
            Action::OpenUrl(url) => ctx.open_url(OpenUrl::new_tab(url)),
            Action::AskAbout(link) => {
                self.home.ask_about(link);
                if ctx.content_rect().width() < theme::NARROW {
                    self.leave();
                    self.beside = Beside::Start;
                }
            }
            Action::ChooseFiles(peer) => self.choose(ctx, PathFor::Sending, peer),
            Action::ChooseExport(peer) => self.choose(ctx, PathFor::Exporting, peer),
            Action::RemoveContact { peer, name } => {
                self.ask(ctx, Command::RemoveContact(peer));
                let undo = Action::Ask(Command::RestoreContact(peer));
                let text = word_with("notice.removed", &[("name", &name)]);
                self.toasts.add_with(text, word("notice.undo"), undo, ctx.input(|input| input.time));
            }
            Action::DeleteLine { peer, line } => {
                let done = Action::Ask(Command::DeleteLine { peer, line });
                let text = word("notice.deleted").to_owned();
                self.toasts.add_before(text, word("notice.undo"), done, ctx.input(|input| input.time));
            }
            Action::OpenFile(path) => self.open_file(ctx, &path),
            Action::ShowInFolder(path) => self.open_place(ctx, path.parent().unwrap_or(&path)),
            Action::FinishWelcome { name, server } => {
                if server.is_some() {
                    self.ask(ctx, Command::SetServer(server));
                }
                self.ask(ctx, Command::SetName(name));
            }
            Action::OpenConversation(peer) => self.open_conversation(ctx, peer),
            Action::OpenSettings => {
                self.leave();
                self.settings = None;
                self.beside = Beside::Settings;
            }
            Action::Back => {
                self.leave();
                self.beside = Beside::Start;
            }
            Action::CopyPeerId => {
                if let Some(id) = self.view.own.peer_id {
                    ctx.copy_text(id.to_string());
                    self.home.copied_until = ctx.input(|input| input.time) + COPIED_FOR;
                    ctx.request_repaint_after_secs(COPIED_FOR as f32);
                }
            }
            Action::SetTheme(theme) => {
                self.theme = theme;
                theme::choose(ctx, theme);
                self.ask(ctx, Command::Set(Setting::Theme(theme)));
            }
            Action::ToggleFullScreen => self.toggle_full_screen(ctx),
            Action::WriteAfterCall(peer) => {
                self.open_conversation(ctx, peer);
                self.ask(ctx, Command::Dismiss);
            }
        }
        ctx.request_repaint();
    }

    fn ask(&mut self, ctx: &Context, command: Command) {
        if !self.client.try_command(command) {
            let now = ctx.input(|input| input.time);
            self.toasts.add(word("notice.busy").to_owned(), now);
        }
    }

    /// Whoever opens a conversation can write at once.
    fn open_conversation(&mut self, ctx: &Context, peer: PeerId) {
        if self.beside != Beside::Conversation(peer) {
            self.leave();
        }
        self.beside = Beside::Conversation(peer);
        ctx.memory_mut(|memory| memory.request_focus(conversation::field_of(peer)));
    }

    /// What is on screen is left: what was new in it is old when one comes back.
    fn leave(&mut self) {
        if let Beside::Conversation(peer) = self.beside
            && let Some(writing) = self.writings.get_mut(&peer)
        {
            writing.left();
        }
    }

    /// The lines that are deleted unless it is taken back.
    fn going(&self, peer: PeerId) -> Vec<RandomId> {
        let waiting = self.toasts.waiting().filter_map(|action| match action {
            Action::Ask(Command::DeleteLine { peer: with, line }) if *with == peer => Some(*line),
            _ => None,
        });
        waiting.collect()
    }

    /// Asks for files or a place with the system's dialog. One at a time: a second would lie over the first.
    fn choose(&mut self, ctx: &Context, what_for: PathFor, peer: PeerId) {
        if self.asking.is_some() {
            return;
        }
        let (title, asking) = match what_for {
            PathFor::Sending => (word("file.title"), Asking::ToOpen),
            PathFor::Exporting => (word("chat.export"), Asking::ToSave(word("chat.export_name").to_owned())),
        };
        let (now, waker) = (ctx.input(|input| input.time), ctx.clone());
        let dialog = FileDialog::open(title, asking, now, move || waker.request_repaint());
        self.asking = Some((what_for, peer, dialog));
    }

    fn take_files(&mut self, ctx: &Context) {
        let Some((what_for, peer, dialog)) = &self.asking else { return };
        let (what_for, peer) = (*what_for, *peer);
        let Some(answer) = dialog.answer(ctx.input(|input| input.time)) else { return };
        self.asking = None;
        match answer {
            Answer::Chosen(files) => {
                for path in files {
                    self.ask(
                        ctx,
                        match what_for {
                            PathFor::Sending => Command::OfferFile { to: peer, path },
                            PathFor::Exporting => Command::ExportHistory(path),
                        },
                    );
                }
            }
            Answer::Nothing => {}
            Answer::NoDialog => {
                let suggested = match what_for {
                    PathFor::Sending => PathBuf::new(),
                    PathFor::Exporting => {
                        std::env::home_dir().unwrap_or_default().join(word("chat.export_name"))
                    }
                };
                let writing = self.writings.entry(peer).or_default();
                writing.ask_for_path(what_for, suggested.display().to_string());
            }
        }
    }

    /// Opens a received file, unless it would run.
    fn open_file(&mut self, ctx: &Context, path: &Path) {
        if is_program(path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = word_with("file.refused", &[("name", &name)]);
            self.toasts.add(text, ctx.input(|input| input.time));
            return;
        }
        self.open_place(ctx, path);
    }

    fn open_place(&mut self, ctx: &Context, path: &Path) {
        if let Err(problem) = open::that_detached(path) {
            let name = path.display().to_string();
            let text = word_with("file.not_opened", &[("name", &name), ("why", &problem.to_string())]);
            self.toasts.add(text, ctx.input(|input| input.time));
        }
    }

    fn toggle_full_screen(&mut self, ctx: &Context) {
        self.full_screen = !self.full_screen;
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(self.full_screen));
    }

    /// Whether what this peer writes is seen as it comes.
    fn on_screen(&self, peer: PeerId) -> bool {
        match &self.view.call {
            CallState::Up(call) => self.in_call.chat_open && call.far.peer_id == Some(peer),
            CallState::None => self.beside == Beside::Conversation(peer),
            _ => false,
        }
    }

    fn mark_read(&self, ctx: &Context) {
        let unread = self.view.conversations.iter().filter(|conversation| conversation.unread > 0);
        for conversation in unread {
            if self.on_screen(conversation.peer_id) && ctx.input(|input| input.focused) {
                // Refused is as good as not yet: it is tried again with the next frame.
                self.client.try_command(Command::MarkRead(conversation.peer_id));
            }
        }
    }
}

/// Draws a conversation with what the view knows of its other end.
fn conversation_of(
    ui: &mut Ui,
    view: &ClientView,
    peer: PeerId,
    going: &[RandomId],
    narrow: bool,
    writing: &mut Writing,
    clock: &Clock,
) -> Option<Action> {
    let conversation = view.conversations.iter().find(|other| other.peer_id == peer);
    let contact = view.contacts.iter().find(|contact| contact.peer_id == peer);
    let person = view.people.iter().find(|person| person.peer_id == peer);
    let short = peer.short();
    let name = contact
        .map(|contact| contact.name.as_str())
        .or(conversation.map(|conversation| conversation.name.as_str()))
        .or(person.map(|person| person.name.as_str()))
        .unwrap_or(&short);
    let id = peer.to_string();
    let presence = contact
        .map(|contact| contact.presence)
        .filter(|presence| *presence != Presence::Offline)
        .or(person.map(|person| person.presence))
        .unwrap_or_default();
    let blocked = contact.is_some_and(|contact| contact.blocked) || view.settings.blocked.contains(&id);
    let field = conversation::field_of(peer);
    let talk = Talk { peer_id: peer, name, conversation, going, empty: word("chat.empty"), field };
    let shown = conversation::Shown { talk, contact, presence, blocked, narrow };
    conversation_ui(ui, &shown, writing, clock)
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.take_news(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.show(ui);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let colour: Color32 = theme::palette_of(visuals.dark_mode).bg;
        colour.to_normalized_gamma_f32()
    }
}

/// How long "Copied" shows, in seconds.
const COPIED_FOR: f64 = 2.0;
/// Characters of a message in a notice.
const LONGEST_NOTICE: usize = 120;
