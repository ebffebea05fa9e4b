//! What every section of the settings is made of: titles, rows with a caption, lists to choose from, hints.

use egui::{Align, ComboBox, Label, Layout, Rect, RichText, Sense, Ui, UiBuilder, vec2};

use crate::ui::parts::button::switch;
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::theme::{self, palette};

/// How wide a caption is, in points.
const CAPTION: f32 = 170.0;
/// Under this width a caption stands above what it names.
const ROOM_FOR_TWO: f32 = 440.0;

/// The title of a group of rows.
pub(super) fn title_ui(ui: &mut Ui, text: &str) {
    ui.add_space(8.0);
    ui.label(RichText::new(text).font(theme::strong(15.0)));
}

/// A caption and what it names, side by side, or one above the other where there is no room.
pub(super) fn row_ui<R>(ui: &mut Ui, caption: &str, content: impl FnOnce(&mut Ui, f32) -> R) -> R {
    let ink = palette(ui).dim;
    let room = ui.available_width();
    if room < ROOM_FOR_TWO {
        return ui
            .vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                if !caption.is_empty() {
                    ui.add(
                        Label::new(RichText::new(caption).font(theme::font(theme::SMALL)).color(ink)).wrap(),
                    );
                }
                ui.horizontal(|ui| content(ui, room)).inner
            })
            .inner;
    }
    ui.horizontal(|ui| {
        let height = if caption.is_empty() { 0.0 } else { theme::FIELD_HEIGHT };
        ui.allocate_ui_with_layout(vec2(CAPTION, height), Layout::left_to_right(Align::Center), |ui| {
            ui.set_width(CAPTION);
            ui.add(Label::new(RichText::new(caption).color(ink)).wrap());
        });
        let width = ui.available_width();
        content(ui, width)
    })
    .inner
}

/// A switch, its caption and a sentence about what it does. Gives what it should be from now on.
pub(super) fn switch_ui(ui: &mut Ui, caption: &str, hint: &str, on: bool) -> Option<bool> {
    row_ui(ui, caption, |ui, _| {
        let clicked = switch(ui, on, caption).clicked();
        if !hint.is_empty() {
            hint_ui(ui, hint);
        }
        clicked.then_some(!on)
    })
}

/// A list to choose one value from. The value in use is in the list, whatever it is.
pub(super) fn pick_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    caption: &str,
    in_use: T,
    values: &[T],
    name: impl Fn(T) -> String,
) -> Option<T> {
    let palette = palette(ui);
    row_ui(ui, caption, |ui, width| {
        let mut chosen = None;
        let (rect, _) = ui.allocate_exact_size(vec2(width, theme::FIELD_HEIGHT), Sense::hover());
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
        child.spacing_mut().interact_size.y = theme::FIELD_HEIGHT;
        child.visuals_mut().widgets.inactive.weak_bg_fill = palette.bg;
        child.visuals_mut().widgets.open.weak_bg_fill = palette.bg;
        let combo = ComboBox::from_id_salt(("pick", caption))
            .width(width)
            .truncate()
            .icon(move |ui, rect, _, _| {
                let square = Rect::from_center_size(rect.center(), vec2(16.0, 16.0));
                paint_icon(ui.painter(), Icon::Down, square, palette.dim);
            })
            .selected_text(RichText::new(name(in_use)).color(palette.text))
            .show_ui(&mut child, |ui| {
                ui.set_min_width(width - 12.0);
                let unusual = std::iter::once(in_use).filter(|value| !values.contains(value));
                for value in unusual.chain(values.iter().copied()) {
                    if ui.selectable_label(value == in_use, name(value)).clicked() && value != in_use {
                        chosen = Some(value);
                    }
                }
            });
        ui.ctx().accesskit_node_builder(combo.response.id, |node| node.set_label(caption));
        chosen
    })
}

/// A sentence in small type.
pub(super) fn hint_ui(ui: &mut Ui, text: &str) {
    let ink = palette(ui).faint;
    ui.add(Label::new(RichText::new(text).font(theme::font(theme::SMALL)).color(ink)).wrap());
}

/// A sentence in small type under a row's control, not under its caption.
pub(super) fn note_ui(ui: &mut Ui, text: &str) {
    row_ui(ui, "", |ui, _| hint_ui(ui, text));
}

/// A sentence about what is wrong, if something is.
pub(super) fn problem_ui(ui: &mut Ui, sentence: Option<String>) {
    if let Some(sentence) = sentence {
        let ink = palette(ui).bad_text;
        ui.add(Label::new(RichText::new(sentence).font(theme::font(theme::SMALL)).color(ink)).wrap());
    }
}
