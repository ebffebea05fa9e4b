//! What the pictures show: the main screens, at a day and a time that do not move.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use egui::{Event, Frame, Key, Modifiers, Panel, Ui};
use jiff::tz::TimeZone;
use tincan::call::view::{CallState, Conversation, FarEnd, Known, LineKind, PastSecond, Presence, UpCall};
use tincan::call::{ClientView, PeerId, Picture};
use tincan::ui::clock::Clock;
use tincan::ui::screens::conversation::{self, Talk, Writing, conversation_ui, field_of};
use tincan::ui::screens::home::{HomeInputs, list_ui, start_ui};
use tincan::ui::screens::in_call::{InCall, InCallState, in_call_ui};
use tincan::ui::screens::incoming::{AnswerState, Incoming, incoming_ui};
use tincan::ui::screens::settings::{Section, SettingsInputs, SettingsShown, settings_ui};
use tincan::ui::screens::welcome::{WelcomeInputs, welcome_ui};
use tincan::ui::textures::PictureTexture;
use tincan::ui::{ThemeChoice, theme};

use crate::shown;

/// Every screen of which there are pictures.
pub(crate) const ALL: [Scene; 7] = [
    Scene::First,
    Scene::Home,
    Scene::Conversation,
    Scene::Incoming,
    Scene::CallWithChat,
    Scene::Quality,
    Scene::Settings,
];

/// A screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scene {
    First,
    Home,
    Conversation,
    Incoming,
    CallWithChat,
    Quality,
    Settings,
}

impl Scene {
    /// How its pictures' names begin.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Home => "home",
            Self::Conversation => "conversation",
            Self::Incoming => "incoming",
            Self::CallWithChat => "call_chat",
            Self::Quality => "call_quality",
            Self::Settings => "settings",
        }
    }

    /// Each once in English and once in Chinese, once dark and once light.
    pub(crate) fn looks(self) -> [&'static str; 2] {
        match self {
            Self::First | Self::Conversation | Self::CallWithChat | Self::Settings => ["en_dark", "zh_light"],
            Self::Home | Self::Incoming | Self::Quality => ["en_light", "zh_dark"],
        }
    }

    /// What is pressed before the picture is taken.
    pub(crate) fn keys(self) -> Vec<Event> {
        let press = |key| Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        match self {
            Self::CallWithChat => vec![press(Key::C)],
            Self::Quality => vec![press(Key::T)],
            _ => Vec::new(),
        }
    }
}

/// A screen with all that it keeps from frame to frame.
pub(crate) struct Shown {
    scene: Scene,
    theme: ThemeChoice,
    view: ClientView,
    clock: Clock,
    far: PictureTexture,
    own: PictureTexture,
    home: HomeInputs,
    welcome: WelcomeInputs,
    settings: SettingsInputs,
    writing: Writing,
    answer: AnswerState,
    in_call: InCallState,
}

impl Shown {
    pub(crate) fn of(scene: Scene, theme: ThemeChoice) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut view = shown::rich(now);
        // Asked once, and answered long ago.
        Arc::make_mut(&mut view.settings).local_network = Some(false);
        if scene == Scene::First {
            view.own.name.clear();
        }
        for conversation in Arc::make_mut(&mut view.conversations) {
            Arc::make_mut(&mut conversation.lines).retain(|line| in_our_fonts(&line.what));
        }
        Self {
            scene,
            theme,
            settings: SettingsInputs::new(&view).open_at(Section::Video),
            view,
            clock: Clock::new(now, TimeZone::UTC),
            far: PictureTexture::new("far picture"),
            own: PictureTexture::new("own picture"),
            home: HomeInputs::default(),
            welcome: WelcomeInputs::default(),
            writing: Writing::default(),
            answer: AnswerState::default(),
            in_call: InCallState::default(),
        }
    }

    pub(crate) fn ui(&mut self, ui: &mut Ui) {
        if self.own.shown().is_none() {
            self.far.show(ui.ctx(), &picture(640, 360, [138, 118]));
            self.own.show(ui.ctx(), &picture(320, 180, [118, 142]));
        }
        match self.scene {
            Scene::First => {
                welcome_ui(ui, &self.view, self.own.shown(), &mut self.welcome);
            }
            Scene::Home => {
                self.list(ui, None);
                start_ui(ui, &self.view, false);
            }
            Scene::Conversation => self.conversation(ui),
            Scene::Incoming => {
                ui.add_enabled_ui(false, |ui| {
                    ui.set_opacity(1.0);
                    self.conversation(ui);
                });
                let far = FarEnd { known: Known::Verified, ..shown::far() };
                let ring = Incoming { far: &far, with_video: true, settings: &self.view.settings };
                incoming_ui(ui, &ring, &mut self.answer);
            }
            Scene::CallWithChat | Scene::Quality => self.call(ui),
            Scene::Settings => {
                self.list(ui, None);
                let shown = SettingsShown {
                    own_picture: self.own.shown(),
                    theme: self.theme,
                    narrow: false,
                    copied: false,
                };
                settings_ui(ui, &self.view, shown, &mut self.settings);
            }
        }
    }

    fn list(&mut self, ui: &mut Ui, selected: Option<PeerId>) {
        let fill = theme::palette(ui).panel;
        let list = Panel::left("list").exact_size(theme::SIDE_WIDTH).resizable(false);
        list.frame(Frame::new().fill(fill)).show(ui, |ui| {
            list_ui(ui, &self.view, selected, &mut self.home, &self.clock);
        });
    }

    fn conversation(&mut self, ui: &mut Ui) {
        let conversation: Conversation = self.view.conversations[0].clone();
        let peer_id = conversation.peer_id;
        self.list(ui, Some(peer_id));
        let talk = Talk {
            peer_id,
            name: &conversation.name,
            conversation: Some(&conversation),
            going: &[],
            empty: "",
            field: field_of(peer_id),
        };
        let shown = conversation::Shown {
            talk,
            contact: self.view.contacts.iter().find(|contact| contact.peer_id == peer_id),
            presence: Presence::Online,
            blocked: false,
            settings: &self.view.settings,
            narrow: false,
        };
        conversation_ui(ui, &shown, &mut self.writing, &self.clock);
    }

    fn call(&mut self, ui: &mut Ui) {
        let second = |at: u32| PastSecond {
            round_trip_ms: 24.0 + ((at * 7) % 11) as f32,
            loss_percent: if at % 9 == 4 { 1.2 } else { 0.2 },
            send_kbps: 1150.0 + ((at * 37) % 120) as f32,
            receive_kbps: 1100.0 + ((at * 53) % 160) as f32,
        };
        let far = FarEnd { known: Known::Verified, ..shown::up().far };
        let muted = self.scene == Scene::CallWithChat;
        let call = UpCall { far, muted, past: Arc::new((0..30).map(second).collect()), ..shown::up() };
        self.view.call = CallState::Up(call.clone());
        let shown = InCall {
            view: &self.view,
            call: &call,
            far_picture: self.far.shown(),
            own_picture: self.own.shown(),
            far_screen: None,
            own_screen: None,
            full_screen: false,
        };
        in_call_ui(ui, &shown, &mut self.in_call, &self.clock);
    }
}

/// Whether a line is in Latin or Chinese letters.
fn in_our_fonts(line: &LineKind) -> bool {
    let (LineKind::Received(text) | LineKind::Sent { text, .. }) = line else { return true };
    !text.chars().any(|sign| matches!(sign, '\u{0590}'..='\u{0fff}' | '\u{ac00}'..='\u{d7ff}'))
}

/// A soft light on a wall of one colour.
fn picture(width: u32, height: u32, [cb, cr]: [u8; 2]) -> Picture {
    let mut i420 = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (i64::from(x) - i64::from(width) * 3 / 5, i64::from(y) - i64::from(height) / 3);
            let far = dx * dx + 3 * dy * dy;
            i420.push((110 - (far * 130 / i64::from(width * width)).min(80)) as u8);
        }
    }
    let chroma = (width * height / 4) as usize;
    i420.extend(std::iter::repeat_n(cb, chroma));
    i420.extend(std::iter::repeat_n(cr, chroma));
    Picture { width, height, i420: i420.into() }
}
