//! Somebody calls: a card over whatever is on the screen.

use egui::{Key, Modifiers, RichText, Ui};

use crate::call::Command;
use crate::call::view::FarEnd;
use crate::ui::action::Action;
use crate::ui::parts::avatar::{Dot, avatar_ui};
use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::word;

/// Draws the card. Esc does nothing here: a call is never declined by accident.
pub fn incoming_ui(ui: &mut Ui, far: &FarEnd, with_video: bool) -> Option<Action> {
    let palette = palette(ui);
    let mut answer = None;
    let narrow = ui.ctx().content_rect().width() < 460.0;
    card_ui(ui, "incoming", 440.0, |ui| {
        avatar_ui(ui, &far.name, 112.0, Dot::None);
        ui.add_space(14.0);
        ui.add(egui::Label::new(RichText::new(&far.name).font(theme::strong(22.0))).truncate());
        let words = if with_video { word("ring.calls_video") } else { word("ring.calls_audio") };
        ui.label(RichText::new(words).color(palette.dim));
        let id = far.peer_id.map_or_else(|| word("ring.no_id").to_owned(), |id| id.short());
        ui.label(RichText::new(id).font(theme::mono(theme::SMALL)).color(palette.faint));
        ui.add_space(20.0);
        let padding = if narrow { 9.0 } else { 15.0 };
        centred_row(ui, "answers", if narrow { 8.0 } else { 14.0 }, |ui| {
            if button_sized(ui, Kind::End, Some(Icon::HangUp), word("ring.decline"), 44.0, padding).clicked()
            {
                answer = Some(Command::Decline);
            }
            if button_sized(ui, Kind::Plain, Some(Icon::Phone), word("ring.audio_only"), 44.0, padding)
                .clicked()
            {
                answer = Some(Command::Accept { with_video: false });
            }
            if button_sized(ui, Kind::Accept, Some(Icon::Camera), word("ring.accept"), 44.0, padding)
                .clicked()
            {
                answer = Some(Command::Accept { with_video: true });
            }
        });
        ui.add_space(12.0);
        ui.add(
            egui::Label::new(
                RichText::new(word("ring.hint")).font(theme::font(theme::SMALL)).color(palette.faint),
            )
            .wrap(),
        );
    });
    let (accept, decline) = ui.input_mut(|input| {
        (
            input.consume_key(Modifiers::COMMAND, Key::Y),
            input.consume_key(Modifiers::COMMAND | Modifiers::SHIFT, Key::D),
        )
    });
    if accept {
        answer = Some(Command::Accept { with_video: true });
    } else if decline {
        answer = Some(Command::Decline);
    }
    answer.map(Action::Ask)
}
