//! What each screen shows, and what each of its controls asks for.

use std::time::{Duration, SystemTime};

use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use tincan::call::view::{Progress, UpCall};
use tincan::call::{ClientView, Command, EndReason};
use tincan::settings::{Setting, Visibility};
use tincan::ui::action::Action;
use tincan::ui::clock::Clock;
use tincan::ui::screens::dialling::{Dialling, dialling_ui};
use tincan::ui::screens::ended::{Ended, ended_ui};
use tincan::ui::screens::in_call::{InCall, InCallState, in_call_ui};
use tincan::ui::screens::incoming::incoming_ui;
use tincan::ui::screens::settings::{SettingsInputs, SettingsShown, settings_ui};
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

fn in_call<'a>(call: UpCall) -> Harness<'a, Asked> {
    let devices = shown::devices();
    let mut state = InCallState::default();
    harness(move |ui| {
        let shown = InCall {
            call: &call,
            devices: &devices,
            conversation: None,
            far_picture: None,
            own_picture: None,
            full_screen: false,
        };
        in_call_ui(ui, &shown, &mut state, &clock())
    })
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
fn dialling_says_how_far_it_got_and_only_cancel_stops_it() {
    let far = shown::far();
    let mut harness = harness(move |ui| {
        let since = Duration::from_secs(7);
        let dialling = Dialling { far: &far, progress: Progress::Ringing, since, own_picture: None };
        dialling_ui(ui, &dialling)
    });
    harness.run_steps(4);
    harness.get_by_label("Ringing…");
    harness.key_press(Key::Escape);
    harness.key_press(Key::Space);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    press(&mut harness, "Cancel");
    assert_eq!(harness.state(), &[Action::Ask(Command::Cancel)]);
}

#[test]
fn a_call_that_rings_is_answered_three_ways_and_never_by_escape() {
    let far = shown::far();
    let mut harness = harness(move |ui| incoming_ui(ui, &far, true));
    harness.run_steps(6);
    harness.key_press(Key::Escape);
    harness.run_steps(2);
    assert_eq!(harness.state(), &[]);
    for label in ["Accept", "Audio only", "Decline"] {
        press(&mut harness, label);
    }
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::Accept { with_video: true }),
            Action::Ask(Command::Accept { with_video: false }),
            Action::Ask(Command::Decline)
        ]
    );
}

#[test]
fn a_muted_call_offers_to_unmute_and_the_keys_do_what_the_buttons_do() {
    let mut harness = in_call(UpCall { muted: true, ..shown::up() });
    harness.run_steps(2);
    press(&mut harness, "Unmute");
    harness.key_press(Key::V);
    harness.run_steps(2);
    press(&mut harness, "Hang up");
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::SetMuted(false)),
            Action::Ask(Command::SetCameraOn(false)),
            Action::Ask(Command::HangUp)
        ]
    );
}

#[test]
fn holding_space_talks_while_muted_and_letting_go_mutes_again() {
    let mut harness = in_call(UpCall { muted: true, ..shown::up() });
    harness.key_down(Key::Space);
    harness.run_steps(3);
    harness.key_up(Key::Space);
    harness.run_steps(3);
    assert_eq!(
        harness.state(),
        &[Action::Ask(Command::SetMuted(false)), Action::Ask(Command::SetMuted(true))]
    );
}

#[test]
fn escape_in_a_call_closes_the_chat_and_never_the_call() {
    let mut harness = in_call(shown::up());
    harness.key_press(Key::C);
    harness.run_steps(4);
    harness.get_by_label("Message 林小雨");
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("Message 林小雨").is_none());
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
}

#[test]
fn a_silent_line_says_that_it_reconnects() {
    let mut harness = in_call(UpCall { silent_for: Some(Duration::from_secs(4)), ..shown::up() });
    harness.run_steps(2);
    harness.get_by_label("Reconnecting… nothing has come for 4 s. The call goes on when it does.");
}

#[test]
fn an_ended_call_can_be_called_again_written_to_or_closed() {
    let far = shown::far();
    let mut harness = harness(move |ui| {
        let ended = Ended { far: &far, reason: EndReason::NoAnswer, lasted: None, incoming: false };
        ended_ui(ui, &ended)
    });
    harness.run_steps(6);
    harness.get_by_label("Jonas did not answer");
    for label in ["Call again", "Write", "Close"] {
        press(&mut harness, label);
    }
    let whom = shown::peer(2).to_string();
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::Call { whom, with_video: true }),
            Action::WriteAfterCall(shown::peer(2)),
            Action::Ask(Command::Dismiss)
        ]
    );
}

#[test]
fn a_missed_call_says_so_and_offers_to_call_back() {
    let far = shown::far();
    let mut harness = harness(move |ui| {
        ended_ui(ui, &Ended { far: &far, reason: EndReason::NoAnswer, lasted: None, incoming: true })
    });
    harness.run_steps(6);
    harness.get_by_label("You missed a call from Jonas");
    harness.get_by_label("Call back");
}

#[test]
fn settings_change_the_theme_and_who_finds_us() {
    let view = shown::home(now());
    let mut inputs = SettingsInputs::new(&view);
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
    let listed = harness.get_all_by_label("Listed on the server").last().expect("the switch");
    listed.click();
    harness.run_steps(2);
    assert_eq!(
        harness.state(),
        &[
            Action::SetTheme(ThemeChoice::Light),
            Action::Ask(Command::Set(Setting::Visibility(Visibility::Known)))
        ]
    );
}

#[test]
fn a_device_is_changed_in_a_call_and_the_card_stays_open() {
    let mut harness = in_call(shown::up());
    press(&mut harness, "More");
    harness.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Microphone").click();
    harness.run_steps(4);
    press(&mut harness, "Built-in microphone");
    let wanted = Action::Ask(Command::ChooseMicrophone("Built-in microphone".into()));
    assert_eq!(harness.state().as_slice(), [wanted]);
    assert!(harness.query_by_label("Show call quality").is_some());
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("Show call quality").is_none());
}
