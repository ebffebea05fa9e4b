//! What we know of who is at the other end, in words and with a sign; a changed key is said loudly.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Sense, Stroke, Ui, Vec2};

use super::icon::{Icon, paint_icon};
use crate::call::view::Known;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What is known, in few words; `None` when there is nothing to say.
pub fn known_words(known: Known) -> &'static str {
    match known {
        Known::Stranger => word("known.stranger"),
        Known::Contact => word("known.contact"),
        Known::Verified => word("known.verified"),
        Known::KeyChanged => word("known.key_changed"),
        Known::Weak => word("known.weak"),
    }
}

/// One line under a name; a changed key gets a box with what it means and what to do.
pub fn known_ui(ui: &mut Ui, known: Known, name: &str) {
    let palette = palette(ui);
    match known {
        Known::Stranger | Known::Contact | Known::Weak => {
            let text = RichText::new(known_words(known)).font(theme::font(theme::SMALL)).color(palette.faint);
            ui.add(Label::new(text).wrap().halign(Align::Center));
        }
        Known::Verified => {
            super::card::centred_row(ui, "verified", 6.0, |ui| {
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
                paint_icon(ui.painter(), Icon::Shield, rect, palette.text);
                let text = RichText::new(known_words(known)).font(theme::font(theme::SMALL));
                ui.add(Label::new(text.color(palette.dim)).extend());
            });
        }
        Known::KeyChanged => key_changed_ui(ui, name),
    }
}

fn key_changed_ui(ui: &mut Ui, name: &str) {
    let palette = palette(ui);
    Frame::new()
        .fill(palette.bg)
        .stroke(Stroke::new(1.5, palette.bad_text))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.x = 10.0;
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::hover());
                paint_icon(ui.painter(), Icon::Warning, rect, palette.bad_text);
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 4.0;
                    let head = RichText::new(word("known.key_changed")).font(theme::strong(theme::BODY));
                    ui.add(Label::new(head.color(palette.bad_text)).wrap());
                    let text = word_with("known.key_changed_do", &[("name", name)]);
                    ui.add(Label::new(RichText::new(text).font(theme::font(13.0))).wrap());
                });
            });
        });
}
