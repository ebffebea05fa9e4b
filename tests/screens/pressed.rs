//! What the screens outside a call show, and what each of their controls asks for.

use std::time::{Duration, SystemTime};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use std::sync::Arc;

use tincan::call::{ClientView, Command};
use tincan::settings::{Accent, Setting, VoiceChoice};
use tincan::ui::action::Action;
use tincan::ui::clock::Clock;
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

/// The audio settings of somebody whose voice is processed like this, and what was asked for once this was pressed.
fn pressed_in_audio(voice: VoiceChoice, label: &'static str) -> Vec<Action> {
    let mut view = shown::home(now());
    Arc::make_mut(&mut view.settings).voice = voice;
    let mut inputs = SettingsInputs::new(&view).open_at(Section::Audio);
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
    harness.get_by_role_and_label(egui::accesskit::Role::CheckBox, label).click();
    harness.run_steps(2);
    harness.state().clone()
}

#[test]
fn each_part_of_voice_processing_has_a_switch() {
    let on = VoiceChoice::default();
    for (label, wanted) in [
        ("Echo cancellation", VoiceChoice { echo_cancellation: false, ..on }),
        ("Noise suppression", VoiceChoice { noise_suppression: false, ..on }),
        ("Automatic level", VoiceChoice { automatic_gain: false, ..on }),
        ("Music mode", VoiceChoice { music_mode: true, ..on }),
    ] {
        assert_eq!(
            pressed_in_audio(on, label),
            [Action::Ask(Command::Set(Setting::Voice(wanted)))],
            "{label}"
        );
    }
}

#[test]
fn in_music_mode_the_other_switches_rest_and_come_back_as_they_were() {
    let music = VoiceChoice { automatic_gain: false, music_mode: true, ..VoiceChoice::default() };
    assert!(pressed_in_audio(music, "Echo cancellation").is_empty());
    let before = VoiceChoice { music_mode: false, ..music };
    assert_eq!(pressed_in_audio(music, "Music mode"), [Action::Ask(Command::Set(Setting::Voice(before)))]);
}
