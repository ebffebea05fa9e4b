//! Checks the network, and says what was found.

use egui::{Label, RichText, Ui};

use super::rows::{hint_ui, note_ui, row_ui, switch_ui, title_ui};
use crate::call::network_check::{NetworkCheck, Progress, Sentence, Tone, judge, report};
use crate::call::{ClientView, Command};
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button};
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the person chose.
#[derive(Default)]
pub(super) struct NetworkCheckInputs {
    blank: bool,
}

pub(super) fn network_check_ui(
    ui: &mut Ui,
    view: &ClientView,
    inputs: &mut NetworkCheckInputs,
) -> Option<Action> {
    let mut action = None;
    title_ui(ui, word("netcheck.title"));
    let (label, wanted) = match &view.network_check {
        NetworkCheck::NotAsked => (word("netcheck.start"), true),
        NetworkCheck::Running(_) => (word("netcheck.stop"), false),
        NetworkCheck::Done(_) => (word("netcheck.again"), true),
    };
    row_ui(ui, "", |ui, _| {
        if button(ui, Kind::Plain, None, label).clicked() {
            action = Some(Action::Ask(Command::CheckNetwork(wanted)));
        }
    });
    match &view.network_check {
        NetworkCheck::NotAsked => note_ui(ui, word("netcheck.text")),
        NetworkCheck::Running(progress) => note_ui(ui, word(progress_key(*progress))),
        NetworkCheck::Done(findings) => {
            let (_, said) = judge(findings, inputs.blank);
            ui.scope(|ui| {
                ui.spacing_mut().item_spacing.y = 6.0;
                said.iter().for_each(|sentence| sentence_ui(ui, sentence));
            });
            if let Some(blank) = switch_ui(ui, word("netcheck.blank"), "", inputs.blank) {
                inputs.blank = blank;
            }
            row_ui(ui, "", |ui, _| {
                if button(ui, Kind::Plain, Some(Icon::Copy), word("netcheck.copy")).clicked() {
                    action = Some(Action::CopyText(report(&said, in_words)));
                }
            });
        }
    }
    action
}

fn progress_key(progress: Progress) -> &'static str {
    match progress {
        Progress::LookingUp => "netcheck.looking_up",
        Progress::Asking => "netcheck.asking",
        Progress::Answered => "netcheck.answered",
        Progress::Silence => "netcheck.no_answer_yet",
        Progress::AskingOthers => "netcheck.asking_others",
    }
}

fn in_words(sentence: &Sentence) -> String {
    let values: Vec<(&str, &str)> =
        sentence.values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    word_with(sentence.key, &values)
}

fn sentence_ui(ui: &mut Ui, sentence: &Sentence) {
    let palette = palette(ui);
    let text = in_words(sentence);
    let text = match sentence.tone {
        Tone::Headline => RichText::new(text).font(theme::strong(theme::BODY)).color(palette.text),
        Tone::Good | Tone::Advice => RichText::new(text).font(theme::font(theme::SMALL)).color(palette.text),
        Tone::Bad => RichText::new(text).font(theme::font(theme::SMALL)).color(palette.bad_text),
        Tone::Fact => return hint_ui(ui, &text),
    };
    ui.add(Label::new(text).wrap().selectable(true));
}
