//! What the screens outside a call show, and what each of their controls asks for.

use std::time::{Duration, SystemTime};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use tincan::call::{ClientView, Command};
use tincan::settings::{Accent, Setting};
use tincan::ui::action::Action;
use tincan::ui::clock::Clock;
use tincan::ui::screens::conversation::{Shown, conversation_ui};
use tincan::ui::screens::home::{HomeInputs, list_ui};
use tincan::ui::screens::settings::{Section, SettingsInputs, SettingsShown, settings_ui};
use tincan::ui::screens::welcome::{WelcomeInputs, welcome_ui};
use tincan::ui::{ThemeChoice, theme};

use crate::shown;

pub(crate) type Asked = Vec<Action>;

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

pub(crate) fn clock() -> Clock {
    Clock::new(now(), TimeZone::UTC)
}

pub(crate) fn harness<'a>(draw: impl FnMut(&mut egui::Ui) -> Option<Action> + 'a) -> Harness<'a, Asked> {
    let mut draw = draw;
    Harness::builder()
        .with_size([1280.0, 800.0])
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui_state(move |ui: &mut egui::Ui, asked: &mut Asked| asked.extend(draw(ui)), Vec::new())
}

fn conversation<'a>() -> Harness<'a, Asked> {
    let view = shown::home(now());
    let mut draft = String::new();
    harness(move |ui| {
        let shown = Shown {
            peer_id: shown::peer(2),
            name: "Jonas",
            conversation: view.conversations.get(1),
            online: true,
            narrow: false,
        };
        conversation_ui(ui, &shown, &mut draft, &clock())
    })
}

fn list<'a>(view: ClientView) -> Harness<'a, Asked> {
    let mut inputs = HomeInputs::default();
    harness(move |ui| list_ui(ui, &view, None, &mut inputs))
}

pub(crate) fn press(harness: &mut Harness<'_, Asked>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

#[test]
fn first_run_asks_for_a_name_and_then_goes_on() {
    let view = ClientView::default();
    let mut inputs = WelcomeInputs::default();
    let mut harness = harness(move |ui| welcome_ui(ui, &view, None, &mut inputs));
    harness.run_steps(4);
    press(&mut harness, "Continue");
    assert_eq!(harness.state(), &[]);
    harness.get_by_label("Type the name others should see.");
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Your name").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Your name").type_text("Mei");
    harness.run_steps(4);
    press(&mut harness, "Continue");
    assert_eq!(harness.state(), &[Action::FinishWelcome { name: "Mei".into(), server: None }]);
}

#[test]
fn a_peer_id_one_digit_short_is_said_at_once_and_not_called() {
    let mut harness = list(shown::home(now()));
    harness.get_by_label("Name, or far peer ID").click();
    harness.run_steps(2);
    harness.get_by_label("Name, or far peer ID").type_text(&"a".repeat(63));
    harness.run_steps(4);
    harness.get_by_label("A peer ID has 64 digits; this one has 63. Copy it again, whole.");
    press(&mut harness, "Call");
    assert_eq!(harness.state(), &[]);
}

#[test]
fn enter_in_the_field_calls() {
    let mut harness = list(shown::home(now()));
    harness.get_by_label("Name, or far peer ID").click();
    harness.run_steps(2);
    harness.get_by_label("Name, or far peer ID").type_text("Priya");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[Action::Ask(Command::Call { whom: "Priya".into(), with_video: true })]);
}

#[test]
fn somebody_on_the_server_can_be_called_or_written_to() {
    let mut harness = list(shown::home(now()));
    press(&mut harness, "Call Priya");
    press(&mut harness, "Conversation with Priya");
    press(&mut harness, "Copy my peer ID");
    let whom = shown::peer(4).to_string();
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::Call { whom, with_video: true }),
            Action::OpenConversation(shown::peer(4)),
            Action::CopyPeerId
        ]
    );
}

#[test]
fn enter_sends_and_shift_enter_does_not() {
    let mut harness = conversation();
    harness.get_by_label("Message Jonas").click();
    harness.run_steps(2);
    harness.get_by_label("Message Jonas").type_text("one");
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    harness.get_by_label("Message Jonas").type_text("two");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    let text = "one\ntwo".to_owned();
    assert_eq!(harness.state(), &[Action::Ask(Command::SendText { to: shown::peer(2), text })]);
}

#[test]
fn enter_while_an_input_method_composes_does_not_send() {
    let mut harness = conversation();
    harness.get_by_label("Message Jonas").click();
    harness.run_steps(2);
    let text = "ni hao".to_owned();
    harness.event(egui::Event::Ime(egui::ImeEvent::Preedit { text, active_range_chars: None }));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
}

#[test]
fn settings_change_the_theme_and_the_accent() {
    let view = shown::home(now());
    let mut inputs = SettingsInputs::new(&view).open_at(Section::Appearance);
    let mut harness = Harness::builder()
        .with_size([1280.0, 1200.0])
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui_state(
            move |ui: &mut egui::Ui, asked: &mut Asked| {
                let shown = SettingsShown {
                    own_picture: None,
                    theme: ThemeChoice::Dark,
                    narrow: false,
                    copied: false,
                };
                asked.extend(settings_ui(ui, &view, shown, &mut inputs));
            },
            Vec::new(),
        );
    harness.run_steps(2);
    harness.get_by_label("Light").click();
    harness.run_steps(2);
    harness.get_by_label("Moss").click();
    harness.run_steps(2);
    assert_eq!(
        harness.state(),
        &[Action::SetTheme(ThemeChoice::Light), Action::Ask(Command::Set(Setting::Accent(Accent::Moss)))]
    );
}

#[test]
fn what_is_typed_after_enter_belongs_to_the_next_message() {
    let mut harness = conversation();
    harness.get_by_label("Message Jonas").focus();
    harness.run_steps(4);
    let key = |key, pressed| egui::Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let typed = [
        egui::Event::Text("one".into()),
        key(Key::Enter, true),
        key(Key::Enter, false),
        egui::Event::Text("two".into()),
        key(Key::Enter, true),
    ];
    harness.input_mut().events.extend(typed);
    harness.run_steps(4);
    let texts: Vec<&str> = harness
        .state()
        .iter()
        .filter_map(|action| match action {
            Action::Ask(Command::SendText { text, .. }) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["one", "two"]);
}
