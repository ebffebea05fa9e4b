//! Somebody calls while a call is up: a small card that leaves the call in sight.

use egui::{
    Align, Align2, Area, Frame, Id, Label, Layout, Margin, Order, RichText, Shadow, Stroke, Ui, vec2,
};

use super::incoming::{AnswerState, Side};
use crate::call::Command;
use crate::call::view::{Known, SecondCall};
use crate::ui::action::Action;
use crate::ui::parts::avatar::{Dot, avatar_ui};
use crate::ui::parts::button::{Kind, button, link};
use crate::ui::parts::decline_message::{DeclineMessage, decline_message_ui};
use crate::ui::parts::icon::Icon;
use crate::ui::parts::known::{known_ui, known_words};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Draws the card at the top. `hold`: the first call can wait; it cannot while another waits already.
pub fn second_call_ui(ui: &Ui, second: &SecondCall, hold: bool, state: &mut AnswerState) -> Option<Action> {
    state.is_for(second.far.peer_id);
    let screen = ui.ctx().content_rect();
    let width = (screen.width() - 24.0).min(470.0);
    let palette = palette(ui);
    Area::new(Id::unique("second call"))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_TOP, vec2(0.0, 60.0))
        .constrain(true)
        .show(ui.ctx(), |ui| {
            Frame::new()
                .fill(palette.panel)
                .stroke(Stroke::new(1.0, palette.line))
                .corner_radius(theme::CARD_RADIUS)
                .inner_margin(Margin::same(18))
                .shadow(Shadow {
                    offset: [0, 10],
                    blur: 30,
                    spread: 0,
                    color: egui::Color32::from_black_alpha(0x90),
                })
                .show(ui, |ui| {
                    ui.set_width(width - 38.0);
                    ui.spacing_mut().item_spacing.y = 10.0;
                    head_ui(ui, second);
                    match state.side {
                        Side::Message => message_ui(ui, second, state),
                        Side::Answers | Side::Block => answers_ui(ui, hold, state),
                    }
                })
                .inner
        })
        .inner
}

fn head_ui(ui: &mut Ui, second: &SecondCall) {
    let palette = palette(ui);
    let far = &second.far;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        avatar_ui(ui, &far.name, 48.0, Dot::None);
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.add(Label::new(RichText::new(&far.name).font(theme::strong(theme::HEAD))).truncate());
            let calls =
                if second.with_video { word("second.calls_video") } else { word("second.calls_audio") };
            let known = known_words(far.known);
            let words = word_with("second.line", &[("calls", calls), ("known", known)]);
            let text = RichText::new(words).font(theme::font(13.0)).color(palette.dim);
            ui.add(Label::new(text).wrap());
        });
    });
    if far.known == Known::KeyChanged {
        known_ui(ui, far.known, &far.name);
    }
}

fn answers_ui(ui: &mut Ui, hold: bool, state: &mut AnswerState) -> Option<Action> {
    let mut answer = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        if button(ui, Kind::End, None, word("ring.decline")).clicked() {
            answer = Some(Command::DeclineSecond(None));
        }
        if button(ui, Kind::Plain, None, word("second.end_and_answer")).clicked() {
            answer = Some(Command::AcceptSecond { with_video: true, hold: false });
        }
        if hold && button(ui, Kind::Accept, Some(Icon::Pause), word("second.hold_and_answer")).clicked() {
            answer = Some(Command::AcceptSecond { with_video: true, hold: true });
        }
    });
    if link(ui, word("ring.decline_with")).clicked() {
        state.side = Side::Message;
    }
    answer.map(Action::Ask)
}

fn message_ui(ui: &mut Ui, second: &SecondCall, state: &mut AnswerState) -> Option<Action> {
    match decline_message_ui(ui, &second.far.name, &mut state.own)? {
        DeclineMessage::Send(text) => Some(Action::Ask(Command::DeclineSecond(Some(text)))),
        DeclineMessage::Back => {
            state.side = Side::Answers;
            None
        }
    }
}
