//! Who one is: the name, the peer ID and its link, a backup of the key, and becoming somebody else.

use std::path::PathBuf;

use egui::{Id, Label, RichText, Ui};
use zeroize::Zeroizing;

use super::SettingsShown;
use super::rows::{hint_ui, problem_ui, row_ui, title_ui};
use crate::call::command::Passphrase;
use crate::call::{ClientView, Command};
use crate::ui::action::Action;
use crate::ui::file_dialog::Asking;
use crate::ui::parts::button::{Kind, button, button_width};
use crate::ui::parts::field::{field_ui, secret_field_ui};
use crate::ui::parts::icon::Icon;
use crate::ui::parts::path_asked::PathAsked;
use crate::ui::parts::typed::name_problem;
use crate::ui::theme::{self, palette};
use crate::ui::words::word;

/// What the person is in the middle of here.
#[derive(Default)]
pub(super) struct ProfileInputs {
    name: String,
    open: Open,
    once: Zeroizing<String>,
    again: Zeroizing<String>,
    path: PathAsked,
}

/// Which of the forms below the peer ID is open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Open {
    #[default]
    Nothing,
    BackUp,
    Restore,
    NewIdentity,
}

impl ProfileInputs {
    pub(super) fn new(view: &ClientView) -> Self {
        Self { name: view.own.name.clone(), ..Self::default() }
    }

    fn close(&mut self) {
        self.open = Open::Nothing;
        self.once = Zeroizing::default();
        self.again = Zeroizing::default();
    }
}

pub(super) fn profile_ui(
    ui: &mut Ui,
    view: &ClientView,
    shown: SettingsShown,
    inputs: &mut ProfileInputs,
) -> Option<Action> {
    let mut action = None;
    row_ui(ui, word("settings.name"), |ui, width| {
        let id = Id::unique("settings name");
        let changed = inputs.name.trim() != view.own.name;
        let taken = if changed { 10.0 + button_width(ui, word("settings.apply"), 14.0) } else { 0.0 };
        let mut wanted =
            field_ui(ui, id, &mut inputs.name, word("settings.name"), "", (width - taken).min(320.0)).entered;
        if changed {
            wanted |= button(ui, Kind::Primary, None, word("settings.apply")).clicked();
        }
        if wanted && changed && name_problem(&inputs.name).is_none() {
            action = Some(Action::Ask(Command::SetName(inputs.name.trim().to_owned())));
        }
    });
    problem_ui(ui, name_problem(&inputs.name));
    peer_id_ui(ui, view, shown, &mut action);
    title_ui(ui, word("backup.title"));
    hint_ui(ui, word("backup.text"));
    row_ui(ui, "", |ui, _| {
        ui.horizontal_wrapped(|ui| {
            for (form, label) in [
                (Open::BackUp, word("backup.make")),
                (Open::Restore, word("backup.restore")),
                (Open::NewIdentity, word("backup.new_identity")),
            ] {
                if button(ui, Kind::Plain, None, label).clicked() {
                    inputs.close();
                    inputs.open = form;
                }
            }
        });
    });
    match inputs.open {
        Open::Nothing => None,
        Open::BackUp => back_up_ui(ui, inputs),
        Open::Restore => restore_ui(ui, inputs),
        Open::NewIdentity => new_identity_ui(ui, inputs),
    }
    .or(action)
}

fn peer_id_ui(ui: &mut Ui, view: &ClientView, shown: SettingsShown, action: &mut Option<Action>) {
    let Some(id) = view.own.peer_id else { return };
    row_ui(ui, word("settings.peer_id"), |ui, width| {
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 4.0;
            let id = id.to_string();
            for part in id.as_bytes().chunks(16).filter_map(|part| std::str::from_utf8(part).ok()) {
                let groups: Vec<&str> = (0..4).filter_map(|at| part.get(at * 4..at * 4 + 4)).collect();
                ui.label(RichText::new(groups.join(" ")).font(theme::mono(theme::SMALL)));
            }
            hint_ui(ui, word("settings.peer_id_text"));
            let (icon, label) = if shown.copied {
                (Icon::Tick, word("own.copied"))
            } else {
                (Icon::Copy, word("settings.copy"))
            };
            if button(ui, Kind::Plain, Some(icon), label).clicked() {
                *action = Some(Action::CopyPeerId);
            }
        });
    });
    if view.own.link.is_empty() {
        return;
    }
    row_ui(ui, word("settings.link"), |ui, width| {
        ui.vertical(|ui| {
            ui.set_width(width);
            let ink = palette(ui).dim;
            let text = RichText::new(&view.own.link).font(theme::mono(theme::SMALL)).color(ink);
            ui.add(Label::new(text).wrap_mode(egui::TextWrapMode::Wrap));
            hint_ui(ui, word("settings.link_text"));
            if button(ui, Kind::Plain, Some(Icon::Copy), word("settings.copy_link")).clicked() {
                *action = Some(Action::CopyText(view.own.link.clone()));
            }
        });
    });
}

fn back_up_ui(ui: &mut Ui, inputs: &mut ProfileInputs) -> Option<Action> {
    secret_ui(ui, "backup_once", word("backup.passphrase"), &mut inputs.once);
    let strength = Strength::of(&inputs.once);
    row_ui(ui, "", |ui, _| hint_ui(ui, strength.words()));
    let entered = secret_ui(ui, "backup_again", word("backup.again"), &mut inputs.again);
    let differ = !inputs.again.is_empty() && *inputs.once != *inputs.again;
    problem_ui(ui, differ.then(|| word("backup.differ").to_owned()));
    let ready = strength != Strength::TooShort && *inputs.once == *inputs.again;
    if buttons_ui(ui, word("backup.choose_place"), ready, entered, inputs) {
        let asking = Asking::ToSave(word("backup.file_name").to_owned());
        inputs.path.ask(ui, word("backup.make"), asking);
    }
    let to = inputs.path.path_ui(ui, word("backup.path")).filter(|_| ready)?;
    let passphrase = Passphrase(inputs.once.clone());
    inputs.close();
    Some(Action::Ask(Command::BackUp { to, passphrase }))
}

fn restore_ui(ui: &mut Ui, inputs: &mut ProfileInputs) -> Option<Action> {
    hint_ui(ui, word("backup.restore_text"));
    let entered = secret_ui(ui, "restore", word("backup.passphrase"), &mut inputs.once);
    let ready = !inputs.once.is_empty();
    if buttons_ui(ui, word("backup.choose_file"), ready, entered, inputs) {
        inputs.path.ask(ui, word("backup.restore"), Asking::ToOpen);
    }
    let from: PathBuf = inputs.path.path_ui(ui, word("backup.path")).filter(|_| ready)?;
    let passphrase = Passphrase(inputs.once.clone());
    inputs.close();
    Some(Action::Ask(Command::RestoreBackUp { from, passphrase }))
}

fn new_identity_ui(ui: &mut Ui, inputs: &mut ProfileInputs) -> Option<Action> {
    hint_ui(ui, word("backup.new_identity_question"));
    let mut action = None;
    row_ui(ui, "", |ui, _| {
        if button(ui, Kind::End, None, word("backup.new_identity_yes")).clicked() {
            action = Some(Action::Ask(Command::NewIdentity));
        }
        if action.is_some() || button(ui, Kind::Plain, None, word("settings.cancel")).clicked() {
            inputs.close();
        }
    });
    action
}

fn secret_ui(ui: &mut Ui, id: &str, label: &str, text: &mut Zeroizing<String>) -> bool {
    row_ui(ui, label, |ui, width| secret_field_ui(ui, Id::unique(id), text, label, width.min(320.0)).entered)
}

/// The button that goes on, and the one that does not. True when it goes on.
fn buttons_ui(ui: &mut Ui, label: &str, ready: bool, entered: bool, inputs: &mut ProfileInputs) -> bool {
    row_ui(ui, "", |ui, _| {
        let go = ui.add_enabled_ui(ready, |ui| button(ui, Kind::Primary, None, label)).inner.clicked();
        if button(ui, Kind::Plain, None, word("settings.cancel")).clicked() {
            inputs.close();
            return false;
        }
        ready && (go || entered)
    })
}

/// How hard a passphrase is to guess, from its length and the kinds of signs in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Strength {
    TooShort,
    Weak,
    Good,
    Strong,
}

impl Strength {
    fn of(text: &str) -> Self {
        let length = text.chars().count();
        let mut distinct: Vec<char> = text.chars().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let kinds = [
            text.chars().any(char::is_lowercase),
            text.chars().any(char::is_uppercase),
            text.chars().any(char::is_numeric),
            text.chars().any(|c| !c.is_alphanumeric()),
            !text.is_ascii(),
        ];
        let kinds = kinds.into_iter().filter(|kind| *kind).count();
        // Repeating a sign makes a text longer and no better.
        match length.min(distinct.len() * 2) + 3 * kinds.saturating_sub(1) {
            _ if length < SHORTEST_PASSPHRASE => Self::TooShort,
            0..=13 => Self::Weak,
            14..=21 => Self::Good,
            _ => Self::Strong,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::TooShort => word("backup.too_short"),
            Self::Weak => word("backup.weak"),
            Self::Good => word("backup.good"),
            Self::Strong => word("backup.strong"),
        }
    }
}

/// Fewer characters are tried out in no time.
const SHORTEST_PASSPHRASE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_gets_better_with_length_and_variety() {
        assert_eq!(Strength::of("short"), Strength::TooShort);
        assert_eq!(Strength::of("aaaaaaaaaaaaaaaaaaaaaa"), Strength::Weak);
        assert_eq!(Strength::of("password"), Strength::Weak);
        assert_eq!(Strength::of("Tin-Can 2026"), Strength::Good);
        assert_eq!(Strength::of("correct horse battery staple"), Strength::Strong);
    }
}
