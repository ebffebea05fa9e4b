//! What the keyboard does in a call. Letters do nothing while something is typed, and only a chord ends the call.

use egui::{Event, Key, Modifiers, Popup, Ui};

use super::{InCall, InCallState, beside, record_or_stop, sharing};
use crate::call::Command;
use crate::ui::action::Action;
use crate::ui::shortcuts::{ShortcutAction, held, pressed};

pub(super) fn keys(ui: &Ui, shown: &InCall<'_>, state: &mut InCallState) -> Option<Action> {
    let (call, settings) = (shown.call, &shown.view.settings);
    let hit = |action| pressed(ui, settings, action);
    let mut action = None;
    // The dialog has its own Esc, and closes before anything under it.
    if !state.verify_open
        && !state.share_open
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
    {
        action = escape(ui, shown, state);
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::F11)) || hit(ShortcutAction::FullScreen) {
        action = Some(Action::ToggleFullScreen);
    }
    if hit(ShortcutAction::HangUp) {
        action = Some(Action::Ask(Command::HangUp));
    }
    if hit(ShortcutAction::Mute) && call.has_microphone {
        action = Some(Action::Ask(Command::SetMuted(!call.muted)));
    }
    if hit(ShortcutAction::Camera) && call.has_camera {
        action = Some(Action::Ask(Command::SetCameraOn(!call.camera_on)));
    }
    if hit(ShortcutAction::Chat) {
        toggle_chat(ui, state);
        // The letter itself must not be typed into the field that now has the focus.
        ui.input_mut(|input| input.events.retain(|event| !matches!(event, Event::Text(_))));
    }
    if hit(ShortcutAction::Share) {
        action = sharing::toggle(shown, state).or(action);
    }
    if hit(ShortcutAction::Quality) {
        state.quality_open = !state.quality_open;
    }
    if hit(ShortcutAction::Hold) {
        action = Some(Action::Ask(Command::Hold(!shown.we_hold())));
    }
    if hit(ShortcutAction::Record) {
        action = Some(Action::Ask(record_or_stop(call)));
    }
    if hit(ShortcutAction::SwapPictures) && sharing::has_small(shown) {
        state.self_view.swapped = !state.self_view.swapped;
    }
    if hit(ShortcutAction::HideSelf) && sharing::has_small(shown) {
        state.self_view.hidden = !state.self_view.hidden;
    }
    if hit(ShortcutAction::Snapshot) && (shown.far().is_some() || shown.far_screen().is_some()) {
        action = Some(Action::Snapshot);
    }
    talk(ui, shown, state).or(action)
}

/// Closes what is on top; never the call.
fn escape(ui: &Ui, shown: &InCall<'_>, state: &mut InCallState) -> Option<Action> {
    if Popup::is_any_open(ui.ctx()) {
        Popup::close_all(ui.ctx());
    } else if state.menu.is_some() {
        state.menu = None;
    } else if state.chat_open {
        toggle_chat(ui, state);
    } else if state.quality_open {
        state.quality_open = false;
    } else if shown.full_screen {
        return Some(Action::ToggleFullScreen);
    }
    None
}

/// Talking while the key is held. It presses a focused button too, so it only talks while nothing has the focus.
fn talk(ui: &Ui, shown: &InCall<'_>, state: &mut InCallState) -> Option<Action> {
    let free = ui.memory(|memory| memory.focused()).is_none();
    let down = free && held(ui, &shown.view.settings, ShortcutAction::Talk);
    if down && !state.talking && shown.call.muted && shown.call.has_microphone {
        state.talking = true;
        Some(Action::Ask(Command::SetMuted(false)))
    } else if !down && state.talking {
        state.talking = false;
        Some(Action::Ask(Command::SetMuted(true)))
    } else {
        None
    }
}

pub(super) fn toggle_chat(ui: &Ui, state: &mut InCallState) {
    state.chat_open = !state.chat_open;
    let field = beside::chat_field();
    if state.chat_open {
        ui.memory_mut(|memory| memory.request_focus(field));
    } else {
        ui.memory_mut(|memory| memory.surrender_focus(field));
    }
}
