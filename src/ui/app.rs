//! The one place that knows both sides: takes views, events and pictures, shows a screen, carries out what it asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use egui::gui_zoom::kb_shortcuts;
use egui::{CentralPanel, Color32, Context, Frame, Panel, Ui, UserAttentionType, ViewportCommand};
use jiff::tz::TimeZone;

use super::action::Action;
use super::clock::Clock;
use super::parts::toast::Toasts;
use super::screen::{Beside, Screen, screen_of, wants_preview};
use super::screens::conversation::{self, conversation_ui};
use super::screens::dialling::{Dialling, dialling_ui};
use super::screens::ended::{Ended, ended_ui};
use super::screens::home::{HomeInputs, list_ui, server_problem_ui, start_ui};
use super::screens::in_call::{InCall, InCallState, in_call_ui};
use super::screens::incoming::incoming_ui;
use super::screens::settings::{SettingsInputs, SettingsShown, settings_ui};
use super::screens::welcome::{WelcomeInputs, welcome_ui};
use super::textures::PictureTexture;
use super::theme::{self, ThemeChoice, palette};
use super::words::{self, notice_words, word, word_with};
use crate::call::handle::Client;
use crate::call::view::CallState;
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
    drafts: BTreeMap<PeerId, String>,
    previewing: bool,
    full_screen: bool,
    checking: bool,
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
            beside: Beside::default(),
            welcome: WelcomeInputs::default(),
            home: HomeInputs::dialling(dial.unwrap_or_default()),
            settings: None,
            in_call: InCallState::default(),
            drafts: BTreeMap::new(),
            previewing: false,
            full_screen: false,
            checking: false,
        }
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
        let seen = self.settings.as_ref().is_some_and(SettingsInputs::wants_preview);
        let wanted = wants_preview(screen_of(&self.view), self.beside, self.checking, seen);
        if wanted != self.previewing && self.client.try_command(Command::Preview(wanted)) {
            self.previewing = wanted;
        }
        self.mark_read(ctx);
    }

    /// The newest view; what was chosen of language and looks applies from this frame on.
    fn take_view(&mut self, ctx: &Context) {
        let before = Arc::clone(&self.view.settings);
        self.view = self.client.view();
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
        let action = self.screen_ui(ui, &clock);
        self.toasts.show(ui.ctx());
        self.zoom(ui.ctx());
        if let Some(action) = action {
            self.carry_out(ui.ctx(), action);
        }
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
                return list.show(ui, |ui| list_ui(ui, view, None, &mut self.home)).inner.or(action);
            }
            let list = Panel::left("list").exact_size(theme::SIDE_WIDTH).resizable(false);
            let asked = list
                .frame(Frame::new().fill(panel))
                .show(ui, |ui| list_ui(ui, view, selected, &mut self.home));
            action = asked.inner.or(action);
        }
        let asked = match self.beside {
            Beside::Start => start_ui(ui, &view.own, copied),
            Beside::Conversation(peer) => {
                let conversation = view.conversations.iter().find(|other| other.peer_id == peer);
                let person = view.people.iter().find(|person| person.peer_id == peer);
                let short = peer.short();
                let name = conversation
                    .map(|conversation| conversation.name.as_str())
                    .or(person.map(|person| person.name.as_str()))
                    .unwrap_or(&short);
                let online = person.is_some();
                let shown = conversation::Shown { peer_id: peer, name, conversation, online, narrow };
                conversation_ui(ui, &shown, self.drafts.entry(peer).or_default(), clock)
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
            Action::FinishWelcome { name, server } => {
                self.checking = false;
                // What did not change is not asked for: a name told again would connect again.
                if server != self.view.own.server_url {
                    self.ask(ctx, Command::SetServer(server));
                }
                if name != self.view.own.name {
                    self.ask(ctx, Command::SetName(name));
                }
            }
            Action::CopyText(text) => ctx.copy_text(text),
            Action::CheckDevices => {
                self.welcome = WelcomeInputs::again(&self.view);
                self.checking = true;
            }
            Action::OpenConversation(peer) => self.open_conversation(ctx, peer),
            Action::OpenSettings => {
                self.settings = None;
                self.beside = Beside::Settings;
            }
            Action::Back => self.beside = Beside::Start,
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
        self.beside = Beside::Conversation(peer);
        ctx.memory_mut(|memory| memory.request_focus(conversation::field_of(peer)));
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

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.take_news(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.show(ui);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let colour: Color32 = theme::palette_in(visuals).bg;
        colour.to_normalized_gamma_f32()
    }
}

/// How long "Copied" shows, in seconds.
const COPIED_FOR: f64 = 2.0;
/// Characters of a message in a notice.
const LONGEST_NOTICE: usize = 120;
