//! Somebody calls: a card over whatever is on the screen.

use egui::{Label, RichText, Ui};

use crate::call::view::{FarEnd, Known};
use crate::call::{Command, PeerId};
use crate::settings::Settings;
use crate::ui::action::Action;
use crate::ui::parts::avatar::{Dot, avatar_ui};
use crate::ui::parts::button::{Kind, button_sized, link};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::decline_message::{DeclineMessage, decline_message_ui};
use crate::ui::parts::icon::Icon;
use crate::ui::parts::known::known_ui;
use crate::ui::shortcuts::{ShortcutAction, format, key_of, pressed};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the card shows.
#[derive(Clone, Debug)]
pub struct Incoming<'a> {
    /// Who.
    pub far: &'a FarEnd,
    /// Whether with picture.
    pub with_video: bool,
    /// For the keys.
    pub settings: &'a Settings,
}

/// What stays from frame to frame, for one call that rings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AnswerState {
    /// For whom it is.
    pub peer: Option<PeerId>,
    /// What is on the card.
    pub side: Side,
    /// A sentence of one's own.
    pub own: String,
}

/// The sides of the card.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Side {
    /// The answers.
    #[default]
    Answers,
    /// Which message to decline with.
    Message,
    /// Whether they are really to be blocked.
    Block,
}

impl AnswerState {
    /// What is left of another call is forgotten.
    pub fn is_for(&mut self, peer: Option<PeerId>) {
        if self.peer != peer {
            *self = Self { peer, ..Self::default() };
        }
    }
}

/// Draws the card. Esc turns it back and never declines: no call is lost by accident.
pub fn incoming_ui(ui: &mut Ui, ring: &Incoming<'_>, state: &mut AnswerState) -> Option<Action> {
    state.is_for(ring.far.peer_id);
    let palette = palette(ui);
    let far = ring.far;
    let mut answer = None;
    let narrow = ui.ctx().content_rect().width() < 460.0;
    card_ui(ui, "incoming", 440.0, |ui| {
        let diameter = if state.side == Side::Answers { 112.0 } else { 64.0 };
        avatar_ui(ui, &far.name, diameter, Dot::None);
        ui.add_space(14.0);
        ui.add(Label::new(RichText::new(&far.name).font(theme::strong(22.0))).truncate());
        let words = if ring.with_video { word("ring.calls_video") } else { word("ring.calls_audio") };
        ui.label(RichText::new(words).color(palette.dim));
        let id = far.peer_id.map_or_else(|| word("ring.no_id").to_owned(), |id| id.short());
        ui.label(RichText::new(id).font(theme::mono(theme::SMALL)).color(palette.faint));
        ui.add_space(4.0);
        known_ui(ui, far.known, &far.name);
        ui.add_space(16.0);
        answer = match state.side {
            Side::Answers => answers_ui(ui, ring, state, narrow),
            Side::Message => {
                decline_message_ui(ui, &far.name, &mut state.own).and_then(|chosen| match chosen {
                    DeclineMessage::Send(text) => Some(Action::Ask(Command::DeclineWith(text))),
                    DeclineMessage::Back => {
                        state.side = Side::Answers;
                        None
                    }
                })
            }
            Side::Block => block_ui(ui, far, state),
        };
    });
    if state.side != Side::Answers
        && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape))
    {
        state.side = Side::Answers;
    }
    for (key, command) in [
        (ShortcutAction::Accept, Command::Accept { with_video: true }),
        (ShortcutAction::AcceptAudio, Command::Accept { with_video: false }),
        (ShortcutAction::HangUp, Command::Decline),
    ] {
        if pressed(ui, ring.settings, key) {
            answer = Some(Action::Ask(command));
        }
    }
    answer
}

fn answers_ui(ui: &mut Ui, ring: &Incoming<'_>, state: &mut AnswerState, narrow: bool) -> Option<Action> {
    let palette = palette(ui);
    let mut answer = None;
    let padding = if narrow { 9.0 } else { 15.0 };
    centred_row(ui, "answers", if narrow { 8.0 } else { 14.0 }, |ui| {
        if button_sized(ui, Kind::End, Some(Icon::HangUp), word("ring.decline"), 44.0, padding).clicked() {
            answer = Some(Command::Decline);
        }
        let audio = word("ring.audio_only");
        if button_sized(ui, Kind::Plain, Some(Icon::Phone), audio, 44.0, padding).clicked() {
            answer = Some(Command::Accept { with_video: false });
        }
        if button_sized(ui, Kind::Accept, Some(Icon::Camera), word("ring.accept"), 44.0, padding).clicked() {
            answer = Some(Command::Accept { with_video: true });
        }
    });
    ui.add_space(14.0);
    centred_row(ui, "other answers", 18.0, |ui| {
        if link(ui, word("ring.decline_with")).clicked() {
            state.side = Side::Message;
        }
        if ring.far.peer_id.is_some() && link(ui, word("ring.block")).clicked() {
            state.side = Side::Block;
        }
    });
    if ring.far.known == Known::KeyChanged {
        // Nobody who is warned shall be hurried.
        return answer.map(Action::Ask);
    }
    let key = |action| format(key_of(ring.settings, action));
    let hint = word_with(
        "ring.hint",
        &[("accept", &key(ShortcutAction::Accept)), ("decline", &key(ShortcutAction::HangUp))],
    );
    let hint = RichText::new(hint).font(theme::font(theme::SMALL)).color(palette.faint);
    ui.add(Label::new(hint).wrap().halign(egui::Align::Center));
    answer.map(Action::Ask)
}

/// Asks once more: a slip of the hand shall not shut somebody out.
fn block_ui(ui: &mut Ui, far: &FarEnd, state: &mut AnswerState) -> Option<Action> {
    let mut answer = None;
    let text = RichText::new(word_with("ring.block_sure", &[("name", &far.name)]));
    ui.add(Label::new(text.color(palette(ui).dim)).wrap().halign(egui::Align::Center));
    ui.add_space(12.0);
    centred_row(ui, "block", 12.0, |ui| {
        if button_sized(ui, Kind::Plain, Some(Icon::Back), word("decline.back"), 44.0, 15.0).clicked() {
            state.side = Side::Answers;
        }
        if button_sized(ui, Kind::End, None, word("ring.block_do"), 44.0, 15.0).clicked() {
            answer = far.peer_id.map(Action::BlockCaller);
        }
    });
    answer
}
