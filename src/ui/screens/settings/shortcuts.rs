//! Every key, and another for it: press its button, then the key.

use egui::{Key, Label, Modifiers, RichText, Ui};

use super::rows::{hint_ui, problem_ui, row_ui, title_ui};
use super::set;
use crate::call::{ClientView, Command};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button, button_called, icon_button};
use crate::ui::parts::icon::Icon;
use crate::ui::shortcuts::{ShortcutAction, Where, chosen, clash, format, key_of};
use crate::ui::theme::palette;
use crate::ui::words::{word, word_with};

/// What the person is in the middle of here.
#[derive(Default)]
pub(super) struct ShortcutInputs {
    waiting: Option<ShortcutAction>,
    taken: Option<(ShortcutAction, String, ShortcutAction)>,
}

impl ShortcutInputs {
    /// Whether the next key is for an action: Esc only stops waiting then.
    pub(super) fn waits_for_key(&self) -> bool {
        self.waiting.is_some()
    }
}

pub(super) fn shortcuts_ui(ui: &mut Ui, view: &ClientView, inputs: &mut ShortcutInputs) -> Option<Action> {
    let mut action = take_key(ui, view, inputs);
    hint_ui(ui, word("keys.text"));
    for (place, title) in [
        (Where::Call, word("keys.call")),
        (Where::Ringing, word("keys.ringing")),
        (Where::Home, word("keys.home")),
        (Where::Everywhere, word("keys.everywhere")),
    ] {
        title_ui(ui, title);
        for shortcut in ShortcutAction::ALL.into_iter().filter(|shortcut| shortcut.place() == place) {
            action = key_ui(ui, view, inputs, shortcut).or(action);
        }
    }
    if !view.settings.shortcuts.is_empty() {
        row_ui(ui, "", |ui, _| {
            if button(ui, Kind::Plain, Some(Icon::Again), word("keys.reset_all")).clicked() {
                let words = view.settings.shortcuts.keys().cloned();
                let commands = words.map(|word| Command::Set(Setting::Shortcut(word, None)));
                action = Some(Action::AskAll(commands.collect()));
            }
        });
    }
    action
}

fn key_ui(
    ui: &mut Ui,
    view: &ClientView,
    inputs: &mut ShortcutInputs,
    shortcut: ShortcutAction,
) -> Option<Action> {
    let mut action = None;
    let settings = &view.settings;
    let key = format(key_of(settings, shortcut));
    ui.horizontal(|ui| {
        let ink = palette(ui).dim;
        let width = (ui.available_width() - 170.0).max(120.0);
        ui.allocate_ui(egui::vec2(width, 34.0), |ui| {
            ui.set_width(width);
            ui.add(Label::new(RichText::new(shortcut.label()).color(ink)).wrap());
        });
        let waits = inputs.waiting == Some(shortcut);
        let shown = if waits { word("keys.press") } else { key.as_str() };
        let spoken = word_with("keys.change", &[("action", shortcut.label()), ("key", &key)]);
        let kind = if waits { Kind::Primary } else { Kind::Plain };
        if button_called(ui, kind, shown, &spoken).clicked() {
            inputs.taken = None;
            inputs.waiting = (!waits).then_some(shortcut);
        }
        if settings.shortcuts.contains_key(shortcut.word()) {
            let reset = word_with("keys.reset", &[("action", shortcut.label())]);
            if icon_button(ui, Icon::Again, &reset).clicked() {
                action = Some(set(Setting::Shortcut(shortcut.word().to_owned(), None)));
            }
        }
    });
    if let Some((refused, key, other)) = &inputs.taken
        && *refused == shortcut
    {
        let values = [("key", key.as_str()), ("action", other.label())];
        problem_ui(ui, Some(word_with("keys.taken", &values)));
    }
    action
}

/// The key that goes down while one is waited for.
fn take_key(ui: &Ui, view: &ClientView, inputs: &mut ShortcutInputs) -> Option<Action> {
    let shortcut = inputs.waiting?;
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        inputs.waiting = None;
        return None;
    }
    let chord = chosen(ui)?;
    inputs.waiting = None;
    if let Some(other) = clash(&view.settings, shortcut, chord) {
        inputs.taken = Some((shortcut, format(chord), other));
        return None;
    }
    let key = (chord != shortcut.default_key()).then(|| format(chord));
    Some(set(Setting::Shortcut(shortcut.word().to_owned(), key)))
}
