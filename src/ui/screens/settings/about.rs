//! What this is: its version, its licences, and a report for whoever helps.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use egui::{Label, RichText, ScrollArea, TextWrapMode, Ui};

use super::diagnostics::diagnostics;
use super::rows::{hint_ui, problem_ui, row_ui, switch_ui, title_ui};
use super::set;
use crate::call::ClientView;
use crate::settings::{Setting, log_lines};
use crate::ui::action::Action;
use crate::ui::file_dialog::Asking;
use crate::ui::parts::button::{Kind, button, link};
use crate::ui::parts::icon::Icon;
use crate::ui::parts::path_asked::PathAsked;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Every part that is built in, and its licence.
const LICENCES: &str = include_str!("../../../../assets/licences.txt");
/// The licence of the fonts, whole, as it asks for.
const FONT_LICENCE: &str = include_str!("../../../../assets/fonts/LICENSE.txt");
/// The licence of voice processing, whole, as it asks for.
const VOICE_LICENCE: &str = include_str!("../../../../assets/licence-sonora.txt");

/// What the person is in the middle of here.
#[derive(Default)]
pub(super) struct AboutInputs {
    licences: bool,
    report: bool,
    place: PathAsked,
    writing: Option<(PathBuf, Receiver<Result<(), String>>)>,
    written: Option<(PathBuf, Result<(), String>)>,
}

pub(super) fn about_ui(ui: &mut Ui, view: &ClientView, inputs: &mut AboutInputs) -> Option<Action> {
    let mut action = None;
    ui.label(RichText::new(word("app.title")).font(theme::strong(20.0)));
    let version = word_with("about.version", &[("version", env!("CARGO_PKG_VERSION"))]);
    ui.label(RichText::new(version).color(palette(ui).dim));
    hint_ui(ui, word("about.text"));
    if cfg!(feature = "updates") {
        action = updates_ui(ui, view);
    }
    title_ui(ui, word("about.diagnostics"));
    hint_ui(ui, word("about.diagnostics_text"));
    let text = || diagnostics(view, &log_lines::recent());
    row_ui(ui, "", |ui, _| {
        ui.horizontal_wrapped(|ui| {
            if button(ui, Kind::Plain, Some(Icon::Copy), word("about.copy")).clicked() {
                action = Some(Action::CopyText(text()));
            }
            if button(ui, Kind::Plain, None, word("about.save")).clicked() {
                let asking = Asking::ToSave(word("about.file_name").to_owned());
                inputs.place.ask(ui, word("about.save"), asking);
            }
            let label = if inputs.report { word("about.hide") } else { word("about.show") };
            if button(ui, Kind::Plain, None, label).clicked() {
                inputs.report = !inputs.report;
            }
        });
    });
    if let Some(path) = inputs.place.path_ui(ui, word("about.path")) {
        inputs.written = None;
        inputs.writing = Some((path.clone(), write(ui, path, text())));
    }
    written_ui(ui, inputs);
    if inputs.report {
        text_ui(ui, "report", &text());
    }
    title_ui(ui, word("about.licences"));
    hint_ui(ui, word("about.licences_text"));
    row_ui(ui, "", |ui, _| {
        let label = if inputs.licences { word("about.licences_hide") } else { word("about.licences_show") };
        if button(ui, Kind::Plain, None, label).clicked() {
            inputs.licences = !inputs.licences;
        }
    });
    if inputs.licences {
        text_ui(ui, "licences", LICENCES);
        text_ui(ui, "fonts", FONT_LICENCE);
        text_ui(ui, "voice", VOICE_LICENCE);
    }
    action
}

/// Whether a newer version is looked for, and which one was found.
fn updates_ui(ui: &mut Ui, view: &ClientView) -> Option<Action> {
    title_ui(ui, word("about.updates"));
    let on = view.settings.look_for_updates;
    let flipped = switch_ui(ui, word("about.look_for_updates"), word("about.look_for_updates_text"), on);
    let mut action = flipped.map(|on| set(Setting::LookForUpdates(on)));
    if let Some(newer) = &view.newer {
        hint_ui(ui, &word_with("notice.newer", &[("version", &newer.version)]));
        if link(ui, word("notice.newer_page")).clicked() {
            action = Some(Action::OpenUrl(newer.page.clone()));
        }
    }
    action
}

fn text_ui(ui: &mut Ui, id: &str, text: &str) {
    let ink = palette(ui).dim;
    ScrollArea::both().id_salt(id).max_height(220.0).auto_shrink([false, true]).show(ui, |ui| {
        let text = RichText::new(text).font(theme::mono(theme::TINY)).color(ink);
        ui.add(Label::new(text).wrap_mode(TextWrapMode::Extend).selectable(true));
    });
}

fn written_ui(ui: &mut Ui, inputs: &mut AboutInputs) {
    if let Some((path, answer)) = &inputs.writing {
        let result = match answer.try_recv() {
            Err(TryRecvError::Empty) => return,
            Ok(result) => result,
            Err(TryRecvError::Disconnected) => Err(String::new()),
        };
        inputs.written = Some((path.clone(), result));
        inputs.writing = None;
    }
    if let Some((path, result)) = &inputs.written {
        let path = path.display().to_string();
        match result {
            Ok(()) => hint_ui(ui, &word_with("notice.written", &[("path", &path)])),
            Err(why) => problem_ui(ui, Some(word_with("notice.file", &[("path", &path), ("why", why)]))),
        }
    }
}

/// Writes on a thread of its own: a disk may be slow, the window never is.
fn write(ui: &Ui, path: PathBuf, text: String) -> Receiver<Result<(), String>> {
    let (sender, answer) = sync_channel(1);
    let ctx = ui.ctx().clone();
    let spawned = thread::Builder::new().name("diagnostics".to_owned()).spawn(move || {
        let result = std::fs::write(&path, text).map_err(|error| error.to_string());
        let _ = sender.send(result);
        ctx.request_repaint();
    });
    if let Err(problem) = spawned {
        tracing::warn!(%problem, "no thread to write diagnostics");
    }
    answer
}
