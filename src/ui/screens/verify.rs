//! Comparing codes: both persons read the same words or digits aloud, so nobody can stand between them unseen.

use egui::{Align, Frame, Key, Label, Layout, Margin, Modifiers, RichText, Sense, Ui, Vec2};

use crate::call::Command;
use crate::call::verification_words::verification_words;
use crate::call::view::{FarEnd, Verifying};
use crate::settings::Language;
use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the dialog asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Something for the client.
    pub command: Option<Command>,
    /// It is to be closed.
    pub close: bool,
}

/// Draws the dialog. Esc closes it and decides nothing.
pub fn verify_ui(ui: &mut Ui, far: &FarEnd, verifying: &Verifying) -> Asked {
    let mut asked = Asked::default();
    card_ui(ui, "verify", 520.0, |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        let (icon, ink) = match verifying {
            Verifying::Failed => (Icon::Warning, palette(ui).bad_text),
            Verifying::Done => (Icon::Shield, theme::OK),
            _ => (Icon::Shield, palette(ui).accent),
        };
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(44.0), Sense::hover());
        paint_icon(ui.painter(), icon, rect, ink);
        let name = [("name", far.name.as_str())];
        match verifying {
            Verifying::Not => {
                said(ui, &word_with("verify.title", &name), &word_with("verify.why", &name));
                buttons(ui, &mut asked, Some((Kind::Primary, word("verify.start"), Command::StartVerifying)));
            }
            Verifying::NotThere => {
                said(ui, word("verify.not_there"), &word_with("verify.not_there_do", &name));
                buttons(ui, &mut asked, None);
            }
            Verifying::Asking => {
                said(ui, &word_with("verify.title", &name), word("verify.asking"));
                buttons(ui, &mut asked, None);
            }
            Verifying::Compare { digits, words } => {
                said(ui, &word_with("verify.title", &name), &word_with("verify.compare", &name));
                code_ui(ui, digits, words);
                compare_buttons(ui, &mut asked);
            }
            Verifying::Failed => {
                said(ui, word("verify.failed"), &word_with("verify.failed_do", &name));
                buttons(ui, &mut asked, Some((Kind::End, word("call.hang_up"), Command::HangUp)));
            }
            Verifying::Done => {
                said(ui, &word_with("verify.done", &name), &word_with("verify.done_do", &name));
                buttons(ui, &mut asked, None);
            }
        }
    });
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        asked.close = true;
    }
    asked
}

fn said(ui: &mut Ui, head: &str, text: &str) {
    let palette = palette(ui);
    let centred = |text: RichText| Label::new(text).wrap().halign(Align::Center);
    ui.add(centred(RichText::new(head).font(theme::strong(20.0))));
    ui.add(centred(RichText::new(text).color(palette.dim)));
    ui.add_space(8.0);
}

/// The words, where the language has a list, and the digits; either may be read.
fn code_ui(ui: &mut Ui, digits: &[String], words: &[u16]) {
    let words = listed(words);
    if !words.is_empty() {
        code_box(ui, word("verify.words"), &words.join("  ·  "), theme::strong(20.0));
        ui.add_space(2.0);
        let or = RichText::new(word("verify.or")).font(theme::font(theme::SMALL));
        ui.add(Label::new(or.color(palette(ui).faint)));
    }
    code_box(ui, word("verify.digits"), &digits.join("  "), theme::mono(22.0));
    ui.add_space(6.0);
}

fn code_box(ui: &mut Ui, label: &str, code: &str, font: egui::FontId) {
    let palette = palette(ui);
    let frame = Frame::new()
        .fill(palette.bg)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(theme::PICTURE_RADIUS)
        .inner_margin(Margin::symmetric(16, 12));
    frame.show(ui, |ui| {
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let head = RichText::new(label).font(theme::font(theme::SMALL)).color(palette.faint);
            ui.add(Label::new(head));
            ui.add(Label::new(RichText::new(code).font(font)).wrap().halign(Align::Center).selectable(true));
        });
    });
}

/// The words of these numbers in the language of the window; none if it has no list or a number is in none.
fn listed(numbers: &[u16]) -> Vec<&'static str> {
    let language = match word("verify.list") {
        "zh-CN" => Language::SimplifiedChinese,
        "zh-TW" => Language::TraditionalChinese,
        _ => Language::English,
    };
    let words = numbers.iter().map(|number| verification_words(language, *number));
    words.collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn compare_buttons(ui: &mut Ui, asked: &mut Asked) {
    let padding = padding(ui);
    centred_row(ui, "same or not", 12.0, |ui| {
        if button_sized(ui, Kind::End, Some(Icon::Close), word("verify.differ"), 44.0, padding).clicked() {
            asked.command = Some(Command::Verified { same: false });
        }
        if button_sized(ui, Kind::Accept, Some(Icon::Tick), word("verify.same"), 44.0, padding).clicked() {
            asked.command = Some(Command::Verified { same: true });
        }
    });
    ui.add_space(4.0);
    if crate::ui::parts::button::link(ui, word("verify.later")).clicked() {
        asked.close = true;
    }
}

fn buttons(ui: &mut Ui, asked: &mut Asked, does: Option<(Kind, &str, Command)>) {
    let padding = padding(ui);
    centred_row(ui, "verify buttons", 12.0, |ui| {
        if button_sized(ui, Kind::Plain, None, word("verify.close"), 44.0, padding).clicked() {
            asked.close = true;
        }
        if let Some((kind, label, command)) = does
            && button_sized(ui, kind, None, label, 44.0, padding).clicked()
        {
            asked.command = Some(command);
        }
    });
}

fn padding(ui: &Ui) -> f32 {
    if ui.ctx().content_rect().width() < 460.0 { 10.0 } else { 18.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_in_no_list_leaves_only_the_digits() {
        assert_eq!(listed(&[0, 2047]).len(), 2);
        assert!(listed(&[0, 2048]).is_empty());
    }
}
