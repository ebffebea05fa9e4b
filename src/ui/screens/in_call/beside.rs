//! The chat beside a call.

use egui::{CentralPanel, Frame, Id, Margin, Panel, Stroke, Ui};

use super::keys::toggle_chat;
use super::{InCall, InCallState};
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::chat::chat_head_ui;
use crate::ui::screens::conversation::{Talk, chat_lines_ui, compose_ui};
use crate::ui::theme::{self, palette};
use crate::ui::words::word_with;

pub(super) fn chat_field() -> Id {
    Id::unique("call chat field")
}

pub(super) fn chat_ui(
    ui: &mut Ui,
    shown: &InCall<'_>,
    state: &mut InCallState,
    clock: &Clock,
) -> Option<Action> {
    let palette = palette(ui);
    let far = &shown.call.far;
    let conversation =
        far.peer_id.and_then(|peer| shown.view.conversations.iter().find(|other| other.peer_id == peer));
    let line = Stroke::new(1.0, palette.line);
    ui.painter().vline(ui.max_rect().left(), ui.max_rect().y_range(), line);
    Panel::top("call chat head")
        .exact_size(theme::HEAD_HEIGHT)
        .resizable(false)
        .frame(Frame::new().inner_margin(Margin::symmetric(20, 0)))
        .show(ui, |ui| {
            if chat_head_ui(ui) {
                toggle_chat(ui, state);
            }
        });
    let peer_id = far.peer_id?;
    let empty = word_with("chat.empty_call", &[("name", &far.name)]);
    let talk =
        Talk { peer_id, name: &far.name, conversation, going: &[], empty: &empty, field: chat_field() };
    let field = Panel::bottom("call chat field").resizable(false);
    let asked = field
        .frame(Frame::new().inner_margin(Margin::symmetric(20, 14)))
        .show(ui, |ui| compose_ui(ui, &talk, &mut state.writing))
        .inner;
    let lines = CentralPanel::no_frame().frame(Frame::new().inner_margin(Margin::symmetric(20, 0)));
    let action = lines.show(ui, |ui| chat_lines_ui(ui, &talk, &mut state.writing, clock)).inner;
    asked.or(action)
}
