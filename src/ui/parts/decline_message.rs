//! Declining with a message: three sentences that stand ready, and one of one's own.

use egui::{Align, Id, Label, Layout, RichText, Ui};

use super::button::{Kind, button};
use super::field::field_ui;
use super::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What became of it in this frame.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclineMessage {
    /// This is to be said.
    Send(String),
    /// Back to the buttons.
    Back,
}

/// The sentences that stand ready, in the person's language.
pub fn ready_sentences() -> [&'static str; 3] {
    [word("decline.later"), word("decline.meeting"), word("decline.write")]
}

/// Draws the choice into the room there is.
pub fn decline_message_ui(ui: &mut Ui, name: &str, own: &mut String) -> Option<DeclineMessage> {
    let palette = palette(ui);
    let mut chosen = None;
    let width = ui.available_width();
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        let head = word_with("decline.head", &[("name", name)]);
        ui.add(Label::new(RichText::new(head).color(palette.dim)).wrap());
        for sentence in ready_sentences() {
            if super::list_row::list_row(ui, None, sentence, false, width).clicked() {
                chosen = Some(DeclineMessage::Send(sentence.to_owned()));
            }
        }
        let label = word("decline.own");
        let typed = field_ui(ui, Id::unique("decline message"), own, label, label, width);
        let own_said = own.trim();
        let mut send = typed.entered;
        ui.horizontal(|ui| {
            if button(ui, Kind::Plain, Some(Icon::Back), word("decline.back")).clicked() {
                chosen = Some(DeclineMessage::Back);
            }
            ui.add_enabled_ui(!own_said.is_empty(), |ui| {
                send |= button(ui, Kind::End, Some(Icon::Send), word("decline.send")).clicked();
            });
        });
        if send && !own_said.is_empty() {
            chosen = Some(DeclineMessage::Send(own_said.to_owned()));
        }
        ui.label(RichText::new(word("decline.note")).font(theme::font(theme::SMALL)).color(palette.faint));
    });
    chosen
}
