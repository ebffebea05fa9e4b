//! What was written and called with one person, and the field to write more.
//!
//! `lines` shows what there is, only as much of it as can be seen; `bubbles` and `file_line` draw single lines,
//! `compose` is the field below, `head` what stands above. The chat beside a call is made of the same parts.

mod bubbles;
mod compose;
pub mod file_line;
mod head;
mod lines;

use std::path::PathBuf;

use egui::{CentralPanel, Frame, Id, Key, Margin, Modifiers, Panel, Ui};

use crate::call::random_id::RandomId;
use crate::call::view::{Contact, Conversation, Presence};
use crate::call::{Command, PeerId};
use crate::settings::Settings;
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::button::{Kind, button};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::shortcuts::{ShortcutAction, pressed};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};
pub use compose::{compose_ui, path_field_of};
use lines::{Lines, lines_ui};

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// What is said.
    pub talk: Talk<'a>,
    /// They are a contact.
    pub contact: Option<&'a Contact>,
    /// Whether they can be reached.
    pub presence: Presence,
    /// They are refused.
    pub blocked: bool,
    /// What the person chose, keys among it.
    pub settings: &'a Settings,
    /// There is no list beside it: it needs a way back.
    pub narrow: bool,
}

/// What is said with somebody, here or beside a call.
#[derive(Clone, Copy, Debug)]
pub struct Talk<'a> {
    /// With whom.
    pub peer_id: PeerId,
    /// Under which name.
    pub name: &'a str,
    /// What there is so far; `None` before the first line.
    pub conversation: Option<&'a Conversation>,
    /// Lines that are about to be deleted: no longer shown.
    pub going: &'a [RandomId],
    /// What stands there while there is no line.
    pub empty: &'a str,
    /// The field to write in.
    pub field: Id,
}

/// What is being written to somebody, and where in the conversation one is.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    /// The message so far.
    pub draft: String,
    lines: Lines,
    dropped: Vec<PathBuf>,
    path: Option<(PathFor, String)>,
    erasing: bool,
}

/// What a path is typed for, where the system has no file dialog.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathFor {
    /// A file to offer.
    Sending,
    /// A file to write the conversations into.
    Exporting,
}

impl Writing {
    /// The conversation is no longer on screen: what was new is old when it is opened again.
    pub fn left(&mut self) {
        self.lines.left();
    }

    /// Asks for a path, since the system has no dialog for it.
    pub fn ask_for_path(&mut self, what_for: PathFor, suggested: String) {
        self.path = Some((what_for, suggested));
    }
}

/// Draws it into the room that is left.
pub fn conversation_ui(
    ui: &mut Ui,
    shown: &Shown<'_>,
    writing: &mut Writing,
    clock: &Clock,
) -> Option<Action> {
    let palette = palette(ui);
    let talk = &shown.talk;
    let sides = if shown.narrow { 12 } else { 20 };
    let mut action = None;
    let head = Panel::top("conversation head").exact_size(theme::HEAD_HEIGHT).resizable(false);
    head.frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0))).show(ui, |ui| {
        action = head::head_ui(ui, shown, &mut writing.erasing);
    });
    let field = Panel::bottom("conversation field").resizable(false);
    let asked = field
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 14)))
        .show(ui, |ui| compose_ui(ui, talk, writing))
        .inner;
    action = asked.or(action);
    let asked = CentralPanel::no_frame()
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0)))
        .show(ui, |ui| lines_ui(ui, talk, &mut writing.lines, clock))
        .inner;
    action = asked.or(action);
    if writing.erasing {
        action = erase_ui(ui, talk, &mut writing.erasing).or(action);
    }
    let audio = pressed(ui, shown.settings, ShortcutAction::CallAudio);
    let video = pressed(ui, shown.settings, ShortcutAction::CallVideo);
    if audio || video {
        action = Some(call(talk.peer_id, video));
    }
    action
}

/// Draws what was said beside a call.
pub fn chat_lines_ui(ui: &mut Ui, talk: &Talk<'_>, writing: &mut Writing, clock: &Clock) -> Option<Action> {
    lines_ui(ui, talk, &mut writing.lines, clock)
}

fn erase_ui(ui: &mut Ui, talk: &Talk<'_>, open: &mut bool) -> Option<Action> {
    let mut action = None;
    let palette = palette(ui);
    card_ui(ui, "erase", 420.0, |ui| {
        let title = word_with("chat.erase_title", &[("name", talk.name)]);
        ui.add(egui::Label::new(egui::RichText::new(title).font(theme::strong(18.0))).wrap());
        ui.add_space(8.0);
        ui.add(egui::Label::new(egui::RichText::new(word("chat.erase_text")).color(palette.dim)).wrap());
        ui.add_space(18.0);
        centred_row(ui, "erase", 12.0, |ui| {
            if button(ui, Kind::End, None, word("chat.erase_yes")).clicked() {
                action = Some(Action::Ask(Command::EraseHistory(Some(talk.peer_id))));
                *open = false;
            }
            if button(ui, Kind::Plain, None, word("chat.erase_no")).clicked() {
                *open = false;
            }
        });
    });
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        *open = false;
    }
    action
}

/// The field to write to somebody, for who opens the conversation to put the cursor there.
pub fn field_of(peer: PeerId) -> Id {
    Id::unique(("conversation", peer.0)).with("field")
}

fn call(peer: PeerId, with_video: bool) -> Action {
    Action::Ask(Command::Call { whom: peer.to_string(), with_video })
}

/// Whether somebody can be reached, in words.
pub(in crate::ui::screens) fn presence_words(presence: Presence) -> &'static str {
    match presence {
        Presence::Offline => word("home.offline"),
        Presence::Online => word("home.online"),
        Presence::InCall => word("home.in_call"),
        Presence::DoNotDisturb => word("home.do_not_disturb"),
    }
}
