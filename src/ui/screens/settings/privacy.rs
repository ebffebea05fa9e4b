//! Who may call, who sees what, what is kept, and who is refused.

use egui::{Align, Ui};

use super::rows::{note_ui, row_ui, switch_ui, title_ui};
use super::set;
use crate::call::{ClientView, Command, PeerId};
use crate::settings::{Setting, Visibility, WhoMayCall};
use crate::ui::action::Action;
use crate::ui::file_dialog::Asking;
use crate::ui::parts::button::{Kind, button, choice};
use crate::ui::parts::path_asked::PathAsked;
use crate::ui::words::{word, word_with};

/// What the person is in the middle of here.
#[derive(Default)]
pub(super) struct PrivacyInputs {
    export: PathAsked,
    erasing: bool,
}

pub(super) fn privacy_ui(ui: &mut Ui, view: &ClientView, inputs: &mut PrivacyInputs) -> Option<Action> {
    let settings = &view.settings;
    let mut action = None;
    title_ui(ui, word("privacy.reaching"));
    choices_ui(
        ui,
        word("privacy.who_may_call"),
        settings.who_may_call,
        &[
            (WhoMayCall::Everybody, word("privacy.everybody")),
            (WhoMayCall::Contacts, word("privacy.contacts_only")),
        ],
        |chosen| action = Some(set(Setting::WhoMayCall(chosen))),
    );
    note_ui(
        ui,
        match settings.who_may_call {
            WhoMayCall::Everybody => word("privacy.everybody_text"),
            WhoMayCall::Contacts => word("privacy.contacts_text"),
        },
    );
    choices_ui(
        ui,
        word("privacy.who_sees"),
        settings.visibility,
        &[
            (Visibility::Everyone, word("privacy.listed")),
            (Visibility::Known, word("privacy.known")),
            (Visibility::Nobody, word("privacy.nobody")),
        ],
        |chosen| action = Some(set(Setting::Visibility(chosen))),
    );
    note_ui(
        ui,
        match settings.visibility {
            Visibility::Everyone => word("privacy.listed_text"),
            Visibility::Known => word("privacy.known_text"),
            Visibility::Nobody => word("privacy.nobody_text"),
        },
    );
    let mut flip = |ui: &mut Ui, caption, hint, on, make: fn(bool) -> Setting| {
        if let Some(on) = switch_ui(ui, caption, hint, on) {
            action = Some(set(make(on)));
        }
    };
    let dnd = settings.do_not_disturb;
    let fresh = settings.fresh_identity;
    flip(ui, word("privacy.fresh"), word("privacy.fresh_text"), fresh, Setting::FreshIdentity);
    flip(ui, word("privacy.dnd"), word("privacy.dnd_text"), dnd, Setting::DoNotDisturb);
    let hide = settings.hide_address;
    flip(ui, word("privacy.hide"), word("privacy.hide_text"), hide, Setting::HideAddress);
    title_ui(ui, word("privacy.telling"));
    let receipts = settings.read_receipts;
    flip(ui, word("privacy.receipts"), word("privacy.receipts_text"), receipts, Setting::ReadReceipts);
    flip(ui, word("privacy.typing"), word("privacy.typing_text"), settings.typing, Setting::Typing);
    title_ui(ui, word("privacy.closed"));
    let stay = settings.stay_when_closed;
    flip(ui, word("privacy.stay"), word("privacy.stay_text"), stay, Setting::StayWhenClosed);
    let login = settings.start_at_login;
    flip(ui, word("privacy.login"), word("privacy.login_text"), login, Setting::StartAtLogin);
    title_ui(ui, word("privacy.history"));
    let keep = settings.keep_history;
    flip(ui, word("privacy.keep"), word("privacy.keep_text"), keep, Setting::KeepHistory);
    let kept = history_ui(ui, inputs);
    let let_in = blocked_ui(ui, view);
    kept.or(let_in).or(action)
}

fn history_ui(ui: &mut Ui, inputs: &mut PrivacyInputs) -> Option<Action> {
    let mut action = None;
    let mut asked_now = false;
    row_ui(ui, "", |ui, _| {
        if button(ui, Kind::Plain, None, word("privacy.export")).clicked() {
            let asking = Asking::ToSave(word("privacy.export_name").to_owned());
            inputs.export.ask(ui, word("privacy.export"), asking);
        }
        if !inputs.erasing && button(ui, Kind::Plain, None, word("privacy.erase")).clicked() {
            inputs.erasing = true;
            asked_now = true;
        }
    });
    if let Some(path) = inputs.export.path_ui(ui, word("privacy.export_path")) {
        action = Some(Action::Ask(Command::ExportHistory(path)));
    }
    if inputs.erasing {
        note_ui(ui, word("privacy.erase_question"));
        row_ui(ui, "", |ui, _| {
            if button(ui, Kind::End, None, word("privacy.erase_all")).clicked() {
                inputs.erasing = false;
                action = Some(Action::Ask(Command::EraseHistory(None)));
            }
            if button(ui, Kind::Plain, None, word("settings.cancel")).clicked() {
                inputs.erasing = false;
            }
        });
        if asked_now {
            // The question comes at the end, which may be out of sight.
            ui.scroll_to_cursor(Some(Align::BOTTOM));
        }
    }
    action
}

fn blocked_ui(ui: &mut Ui, view: &ClientView) -> Option<Action> {
    let name_of = |peer: &PeerId| {
        let contact = view.contacts.iter().find(|contact| contact.peer_id == *peer);
        let talked = view.conversations.iter().find(|conversation| conversation.peer_id == *peer);
        contact.map(|contact| contact.name.clone()).or(talked.map(|talked| talked.name.clone()))
    };
    let blocked: Vec<PeerId> = view.settings.blocked.iter().filter_map(|id| id.parse().ok()).collect();
    title_ui(ui, word("privacy.blocked"));
    if blocked.is_empty() {
        note_ui(ui, word("privacy.blocked_nobody"));
    }
    let mut action = None;
    for peer in blocked {
        let name = name_of(&peer).unwrap_or_else(|| peer.short());
        row_ui(ui, &name, |ui, _| {
            let label = word_with("privacy.unblock", &[("name", &name)]);
            if button(ui, Kind::Plain, None, &label).clicked() {
                action = Some(Action::Ask(Command::SetBlocked { peer, blocked: false }));
            }
        });
    }
    action
}

fn choices_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    caption: &str,
    in_use: T,
    choices: &[(T, &str)],
    mut chosen: impl FnMut(T),
) {
    row_ui(ui, caption, |ui, _| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            for (value, label) in choices {
                if choice(ui, in_use == *value, label).clicked() && in_use != *value {
                    chosen(*value);
                }
            }
        });
    });
}
