//! A call is over: why, how long it was, and what can be done now.

use std::time::Duration;

use egui::{Key, Label, Modifiers, RichText, Ui};

use crate::call::view::FarEnd;
use crate::call::{Command, EndReason};
use crate::ui::action::Action;
use crate::ui::clock::length;
use crate::ui::parts::avatar::{Dot, avatar_ui};
use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::{why_it_ended, word, word_with};

/// What the card shows.
#[derive(Clone, Debug)]
pub struct Ended<'a> {
    /// With whom.
    pub far: &'a FarEnd,
    /// Why.
    pub reason: EndReason,
    /// How long it was up, if it was.
    pub lasted: Option<Duration>,
    /// Whether they had called us.
    pub incoming: bool,
    /// Our address is hidden, which may be why there was no way.
    pub hides_address: bool,
}

/// Draws the card. Esc closes it.
pub fn ended_ui(ui: &mut Ui, ended: &Ended<'_>) -> Option<Action> {
    let palette = palette(ui);
    let far = ended.far;
    let name = match far.name.parse::<crate::call::PeerId>() {
        Ok(id) => id.short(),
        Err(_) => far.name.clone(),
    };
    let mut words = why_it_ended(ended.reason, &name, ended.incoming);
    if ended.reason == EndReason::NoWayThrough && ended.hides_address {
        word("end.no_way_hidden.do").clone_into(&mut words.remedy);
    }
    let mut action = None;
    let narrow = ui.ctx().content_rect().width() < 460.0;
    card_ui(ui, "ended", 440.0, |ui| {
        avatar_ui(ui, &name, 80.0, Dot::None);
        ui.add_space(14.0);
        let centred = |text: RichText| Label::new(text).wrap().halign(egui::Align::Center);
        ui.add(centred(RichText::new(words.what).font(theme::strong(20.0))));
        if let Some(lasted) = ended.lasted {
            let text = word_with("end.lasted", &[("time", &length(lasted)), ("name", &name)]);
            ui.add(centred(RichText::new(text).color(palette.dim)));
        }
        ui.add_space(4.0);
        ui.add(centred(RichText::new(words.remedy).color(palette.dim)));
        ui.add_space(20.0);
        let padding = if narrow { 9.0 } else { 15.0 };
        centred_row(ui, "what now", if narrow { 8.0 } else { 14.0 }, |ui| {
            if button_sized(ui, Kind::Plain, None, word("end.close"), 44.0, padding).clicked() {
                action = Some(Action::Ask(Command::Dismiss));
            }
            if let Some(peer) = far.peer_id
                && button_sized(ui, Kind::Plain, Some(Icon::Chat), word("end.write"), 44.0, padding).clicked()
            {
                action = Some(Action::WriteAfterCall(peer));
            }
            let again = if ended.incoming && ended.lasted.is_none() { "end.back" } else { "end.again" };
            if button_sized(ui, Kind::Primary, Some(Icon::Phone), word(again), 44.0, padding).clicked() {
                let whom = far.peer_id.map_or_else(|| far.name.clone(), |id| id.to_string());
                action = Some(Action::Ask(Command::Call { whom, with_video: true }));
            }
        });
    });
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        action = Some(Action::Ask(Command::Dismiss));
    }
    action
}
