//! Microphone and loudspeaker, tried before a call: a meter, a test sound, one's own voice a second later.

use egui::Ui;

use super::rows::{note_ui, row_ui, switch_ui, title_ui};
use super::set;
use crate::call::view::CallState;
use crate::call::{ClientView, Command};
use crate::settings::{Setting, VoiceChoice};
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button, button_width};
use crate::ui::parts::device_picker::{Which, device_picker_ui, device_problem_ui};
use crate::ui::parts::icon::Icon;
use crate::ui::parts::level_meter::level_meter_ui;
use crate::ui::words::word;

pub(super) fn audio_ui(ui: &mut Ui, view: &ClientView) -> Option<Action> {
    let mut action = None;
    row_ui(ui, Which::Microphone.label(), |ui, width| {
        if let Some(command) = device_picker_ui(ui, Which::Microphone, &view.devices, width) {
            action = Some(Action::Ask(command));
        }
    });
    row_ui(ui, word("device.level"), |ui, width| {
        ui.vertical(|ui| {
            ui.set_width(width);
            level_meter_ui(ui, view.microphone_level);
        });
    });
    device_problem_ui(ui, Which::Microphone, &view.devices);
    row_ui(ui, Which::Speaker.label(), |ui, width| {
        let wide = width - 10.0 - button_width(ui, word("device.test"), 14.0);
        if let Some(command) = device_picker_ui(ui, Which::Speaker, &view.devices, wide) {
            action = Some(Action::Ask(command));
        }
        let test = button(ui, Kind::Plain, None, word("device.test"));
        if test.on_hover_text(word("device.test_long")).clicked() {
            action = Some(Action::Ask(Command::TestSpeaker));
        }
    });
    device_problem_ui(ui, Which::Speaker, &view.devices);
    row_ui(ui, word("audio.echo"), |ui, _| {
        let label = if view.echo_test { word("audio.echo_stop") } else { word("audio.echo_start") };
        // Both ends of a call are busy with it; a test would be heard there.
        let free = matches!(view.call, CallState::None);
        if ui.add_enabled_ui(free, |ui| button(ui, Kind::Plain, None, label)).inner.clicked() {
            action = Some(Action::Ask(Command::EchoTest(!view.echo_test)));
        }
    });
    note_ui(ui, word("audio.echo_text"));
    if let Some(voice) = voice_ui(ui, view.settings.voice) {
        action = Some(set(Setting::Voice(voice)));
    }
    title_ui(ui, word("audio.ringing"));
    let silent =
        switch_ui(ui, word("audio.muted_ring"), word("audio.muted_ring_text"), view.settings.muted_ring);
    if let Some(on) = silent {
        action = Some(set(Setting::MutedRing(on)));
    }
    row_ui(ui, "", |ui, _| {
        ui.horizontal_wrapped(|ui| {
            if button(ui, Kind::Plain, Some(Icon::Again), word("device.refresh")).clicked() {
                action = Some(Action::Ask(Command::RefreshDevices));
            }
            if button(ui, Kind::Plain, None, word("device.check")).clicked() {
                action = Some(Action::CheckDevices);
            }
        });
    });
    action
}

/// The switches of voice processing. Music mode is above the others: while it is on they show off, and keep what they were.
fn voice_ui(ui: &mut Ui, voice: VoiceChoice) -> Option<VoiceChoice> {
    title_ui(ui, word("audio.voice"));
    let mut wanted = voice;
    let parts = [
        (
            &mut wanted.echo_cancellation,
            word("audio.echo_cancellation"),
            word("audio.echo_cancellation_text"),
        ),
        (
            &mut wanted.noise_suppression,
            word("audio.noise_suppression"),
            word("audio.noise_suppression_text"),
        ),
        (&mut wanted.automatic_gain, word("audio.automatic_gain"), word("audio.automatic_gain_text")),
    ];
    ui.add_enabled_ui(!voice.music_mode, |ui| {
        for (part, caption, text) in parts {
            let shown = *part && !voice.music_mode;
            if let Some(on) = switch_ui(ui, caption, text, shown) {
                *part = on;
            }
        }
    });
    if let Some(on) = switch_ui(ui, word("audio.music"), word("audio.music_text"), voice.music_mode) {
        wanted.music_mode = on;
    }
    (wanted != voice).then_some(wanted)
}
