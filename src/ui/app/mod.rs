//! The one place that knows both sides: takes views, events and pictures, shows a screen, carries out what it asks.

mod actions;
mod closing;
mod events;
mod files;
mod keys;
mod pip;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use egui::gui_zoom::kb_shortcuts;
use egui::{CentralPanel, Color32, Context, Event, Frame, Key, Panel, Ui};
use jiff::tz::TimeZone;

use self::closing::Closing;
use self::pip::Pip;
use super::action::Action;
use super::clock::Clock;
use super::desktop::Desktop;
use super::file_dialog::FileDialog;
use super::parts::toast::Toasts;
use super::screen::{Beside, Screen, screen_of, wants_preview};
use super::screens::conversation::{self, PathFor, Talk, Writing, conversation_ui};
use super::screens::crash_report::crash_report_ui;
use super::screens::dialling::{Dialling, dialling_ui};
use super::screens::ended::{Ended, ended_ui};
use super::screens::home::{HomeInputs, list_ui, local_network_strip_ui, server_problem_ui, start_ui};
use super::screens::in_call::{InCall, InCallState, in_call_ui};
use super::screens::incoming::{AnswerState, Incoming, incoming_ui};
use super::screens::second_call::second_call_ui;
use super::screens::settings::{SettingsInputs, SettingsShown, settings_ui};
use super::screens::welcome::{WelcomeInputs, welcome_ui};
use super::snapshot::Snapshots;
use super::textures::PictureTexture;
use super::theme::{self, ThemeChoice, palette};
use super::window::Attention;
use super::words::{self, word};
use crate::call::handle::Client;
use crate::call::random_id::RandomId;
use crate::call::view::{CallState, Presence};
use crate::call::{ClientView, Command, PeerId};
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
    far_screen: PictureTexture,
    own_screen: PictureTexture,
    beside: Beside,
    welcome: WelcomeInputs,
    home: HomeInputs,
    settings: Option<SettingsInputs>,
    in_call: InCallState,
    writings: BTreeMap<PeerId, Writing>,
    asking: Option<(PathFor, PeerId, FileDialog)>,
    previewing: bool,
    full_screen: bool,
    checking: bool,
    pip: Pip,
    ringing: AnswerState,
    second: AnswerState,
    crash: Option<CrashReport>,
    closing: Closing,
    snapshots: Snapshots,
    desktop: Desktop,
    attention: Attention,
}

/// The report of a run that ended badly.
struct CrashReport {
    path: PathBuf,
    text: String,
    /// The person reads it.
    reading: bool,
}

impl App {
    /// A window on a client. `dial` stands ready to be called, when a link was opened; nobody is called without being asked.
    pub fn new(client: Box<dyn Client>, theme: ThemeChoice, zone: TimeZone, dial: Option<String>) -> Self {
        let view = client.view();
        words::follow(view.settings.language);
        Self {
            client,
            view,
            zone,
            theme,
            toasts: Toasts::default(),
            far_picture: PictureTexture::new("far picture"),
            own_picture: PictureTexture::new("own picture"),
            far_screen: PictureTexture::new("far screen"),
            own_screen: PictureTexture::new("own screen"),
            beside: Beside::default(),
            welcome: WelcomeInputs::default(),
            home: HomeInputs::dialling(dial.unwrap_or_default()),
            settings: None,
            in_call: InCallState::default(),
            writings: BTreeMap::new(),
            asking: None,
            previewing: false,
            full_screen: false,
            checking: false,
            pip: Pip::default(),
            ringing: AnswerState::default(),
            second: AnswerState::default(),
            crash: None,
            closing: Closing::default(),
            snapshots: Snapshots::default(),
            desktop: Desktop::none(),
            attention: Attention::default(),
        }
    }

    /// With the notifications, the tray and the rest of a desktop.
    pub fn on_desktop(mut self, desktop: Desktop) -> Self {
        self.desktop = desktop;
        self
    }

    /// Shows the links that other starts of the program hand over.
    pub fn heeding(mut self, attention: Attention) -> Self {
        self.attention = attention;
        self
    }

    /// With pictures converted on the GPU: the window has OpenGL.
    pub fn on_gpu(mut self, ctx: &Context) -> Self {
        self.far_picture.use_gpu(ctx);
        self.own_picture.use_gpu(ctx);
        self.far_screen.use_gpu(ctx);
        self.own_screen.use_gpu(ctx);
        self
    }

    /// Not shown until it is asked for, or somebody calls.
    pub fn in_background(mut self) -> Self {
        self.closing.start_hidden();
        self
    }

    /// With the report of a run that ended badly, to be shown first. It is read now, before there is a window.
    pub fn with_crash_report(mut self, path: Option<PathBuf>) -> Self {
        self.crash = path.and_then(|path| {
            let bytes = std::fs::read(&path).ok()?;
            let most = bytes.len().min(MOST_OF_A_REPORT);
            let text = String::from_utf8_lossy(&bytes[..most]).into_owned();
            Some(CrashReport { path, text, reading: false })
        });
        self
    }

    /// Takes what is new. Also runs while the window is hidden, so that a call is heard of.
    pub fn take_news(&mut self, ctx: &Context) {
        self.take_view(ctx);
        while let Some(event) = self.client.poll_event() {
            self.on_event(ctx, event);
        }
        self.far_picture.take_from(ctx, self.client.far_picture());
        self.own_picture.take_from(ctx, self.client.own_picture());
        if matches!(self.view.call, CallState::None) && !self.previewing {
            self.far_picture.clear();
            self.own_picture.clear();
        }
        self.take_screens(ctx);
        self.pip.follow(&self.view.call);
        self.take_desktop(ctx);
        self.take_link(ctx);
        self.take_snapshots(ctx);
        self.on_close_request(ctx);
        let seen = self.settings.as_ref().is_some_and(SettingsInputs::wants_preview);
        // A call has the devices open anyway.
        let wanted = matches!(self.view.call, CallState::None)
            && wants_preview(screen_of(&self.view), self.beside, self.checking, seen);
        if wanted != self.previewing && self.client.try_command(Command::Preview(wanted)) {
            self.previewing = wanted;
        }
        self.mark_read(ctx);
        self.take_files(ctx);
    }

    /// The screens that are shown, and none that was.
    fn take_screens(&mut self, ctx: &Context) {
        let (far, own) = match &self.view.call {
            CallState::Up(call) => (call.far_shares, call.sharing.is_some()),
            _ => (false, false),
        };
        for (shown, texture, slot) in [
            (far, &mut self.far_screen, self.client.far_screen()),
            (own, &mut self.own_screen, self.client.own_screen()),
        ] {
            if shown {
                texture.take_from(ctx, slot);
            } else if texture.shown().is_some() {
                let _ = slot.take();
                texture.clear();
            }
        }
    }

    /// The newest view; what was chosen of language and looks applies from this frame on.
    fn take_view(&mut self, ctx: &Context) {
        let before = Arc::clone(&self.view.settings);
        let with = talking_to(&self.view);
        self.view = self.client.view();
        if with.is_some() && talking_to(&self.view) != with {
            // Two calls changed places: nobody is shown under another's name.
            let _ = self.client.far_picture().take();
            self.far_picture.clear();
        }
        let now = &self.view.settings;
        if before.language != now.language {
            words::follow(now.language);
        }
        if before.theme != now.theme {
            self.theme = now.theme;
        }
        theme::follow(ctx, self.theme, now.accent, now.text_scale);
    }

    /// Draws the window and carries out what was asked for.
    #[expect(clippy::disallowed_methods, reason = "the window is where the wall clock comes in")]
    pub fn show(&mut self, ui: &mut Ui) {
        let clock = Clock::new(SystemTime::now(), self.zone.clone());
        let title = word("app.title");
        ui.ctx().accesskit_node_builder(egui::accesskit_root_id(), |node| node.set_label(title));
        let carded = self.closing.is_asking() || self.crash_shows();
        let shown = beneath(ui, carded, |ui| [self.keys(ui), self.screen_ui(ui, &clock)]);
        let mut actions = Vec::from(shown);
        actions.push(self.over_ui(ui));
        let in_call = screen_of(&self.view) == Screen::InCall && !self.pip.is_on();
        let below = if in_call { self.in_call.below_strips } else { 0.0 };
        actions.extend(self.toasts.show(ui.ctx(), below).into_iter().map(Some));
        self.zoom(ui.ctx());
        self.stay_hidden(ui.ctx());
        for action in actions.into_iter().flatten() {
            self.carry_out(ui.ctx(), action);
        }
    }

    /// What lies over whatever is on screen.
    fn over_ui(&mut self, ui: &mut Ui) -> Option<Action> {
        let view = Arc::clone(&self.view);
        let mut action = self.pip_ui(ui);
        if let Some(second) = &view.second {
            let hold = view.on_hold.is_none();
            action = second_call_ui(ui, second, hold, &mut self.second).or(action);
        }
        if let Some(crash) = self.crash.as_ref().filter(|_| self.crash_shows()) {
            let text = crash.reading.then_some(crash.text.as_str());
            action = crash_report_ui(ui, text).map(Action::Crash).or(action);
        }
        self.closing_ui(ui);
        action
    }

    /// A call that rings comes before what is left of the last run.
    fn crash_shows(&self) -> bool {
        self.crash.is_some() && matches!(self.view.call, CallState::None)
    }

    fn screen_ui(&mut self, ui: &mut Ui, clock: &Clock) -> Option<Action> {
        let view = Arc::clone(&self.view);
        let own_picture = self.own_picture.shown();
        match (screen_of(&view), &view.call) {
            (Screen::Welcome, _) => welcome_ui(ui, &view, own_picture, &mut self.welcome),
            (Screen::Home, CallState::None) if self.checking => {
                welcome_ui(ui, &view, own_picture, &mut self.welcome)
            }
            (Screen::Dialling, CallState::Outgoing { far, progress, since }) => {
                let dialling = Dialling { far, progress: *progress, since: *since, own_picture };
                dialling_ui(ui, &dialling)
            }
            (Screen::InCall, CallState::Up(call)) if !self.pip.is_on() => {
                let shown = InCall {
                    view: &view,
                    call,
                    far_picture: self.far_picture.shown(),
                    own_picture,
                    far_screen: self.far_screen.shown(),
                    own_screen: self.own_screen.shown(),
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
                        beneath(ui, covered, |ui| self.home_ui(ui, &view, clock))
                    })
                    .inner;
                match call {
                    CallState::Incoming { far, with_video } => {
                        let ring = Incoming { far, with_video: *with_video, settings: &view.settings };
                        action = incoming_ui(ui, &ring, &mut self.ringing);
                    }
                    CallState::Ended { far, reason, lasted, incoming } => {
                        let hides_address = self.view.settings.hide_address;
                        let (reason, lasted, incoming) = (*reason, *lasted, *incoming);
                        let ended = Ended { far, reason, lasted, incoming, hides_address };
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
                action = local_network_strip_ui(ui, view).or(action);
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
            Beside::Start => start_ui(ui, view, copied),
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

    /// Ctrl and plus, minus or 0 change the size of text, and it stays.
    fn zoom(&mut self, ctx: &Context) {
        let now = self.view.settings.text_scale;
        let wanted = ctx.input_mut(|input| {
            if input.consume_shortcut(&kb_shortcuts::ZOOM_RESET) {
                return 1.0;
            }
            let larger = input.consume_shortcut(&kb_shortcuts::ZOOM_IN)
                || input.consume_shortcut(&kb_shortcuts::ZOOM_IN_SECONDARY);
            let smaller = input.consume_shortcut(&kb_shortcuts::ZOOM_OUT);
            now + 0.1 * (f32::from(u8::from(larger)) - f32::from(u8::from(smaller)))
        });
        let wanted = (wanted * 100.0).round() / 100.0;
        let wanted = wanted.clamp(theme::SMALLEST_TEXT, theme::LARGEST_TEXT);
        if (wanted - now).abs() > 0.001 {
            self.ask(ctx, Command::Set(Setting::TextScale(wanted)));
        }
    }
}

/// Draws what may lie under a card: Escape closes what is on top, so the card gets it.
fn beneath<R>(ui: &mut Ui, covered: bool, draw: impl FnOnce(&mut Ui) -> R) -> R {
    let is_escape = |event: &mut Event| matches!(event, Event::Key { key: Key::Escape, .. });
    let kept: Vec<Event> =
        ui.input_mut(|input| input.events.extract_if(.., |event| covered && is_escape(event)).collect());
    let drawn = draw(ui);
    ui.input_mut(|input| input.events.extend(kept));
    drawn
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
    let nearby = view.nearby.iter().find(|person| person.peer_id == peer);
    let short = peer.short();
    let name = contact
        .map(|contact| contact.name.as_str())
        .or(conversation.map(|conversation| conversation.name.as_str()))
        .or(person.map(|person| person.name.as_str()))
        .or(nearby.map(|person| person.name.as_str()))
        .unwrap_or(&short);
    let id = peer.to_string();
    let presence = contact
        .map(|contact| contact.presence)
        .filter(|presence| *presence != Presence::Offline)
        .or(person.map(|person| person.presence))
        .or(nearby.map(|_| Presence::Online))
        .unwrap_or_default();
    let blocked = contact.is_some_and(|contact| contact.blocked) || view.settings.blocked.contains(&id);
    let field = conversation::field_of(peer);
    let talk = Talk { peer_id: peer, name, conversation, going, empty: word("chat.empty"), field };
    let shown = conversation::Shown { talk, contact, presence, blocked, settings: &view.settings, narrow };
    conversation_ui(ui, &shown, writing, clock)
}

/// Who is at the other end of the call that is up.
fn talking_to(view: &ClientView) -> Option<PeerId> {
    match &view.call {
        CallState::Up(call) => call.far.peer_id,
        _ => None,
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.take_news(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.show(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.finish();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let colour: Color32 = theme::palette_in(visuals).bg;
        colour.to_normalized_gamma_f32()
    }
}

/// Bytes of a report that are shown.
const MOST_OF_A_REPORT: usize = 200_000;
