//! Menus: under a button, and on what is pressed with the other mouse button or Shift and F10.

use egui::{Button, Key, Modifiers, Popup, Response, RichText, SetOpenCommand, Ui};

use crate::ui::theme::{self, palette};

/// Width of a menu, in points.
const WIDTH: f32 = 200.0;

/// A menu that opens under a button when it is clicked.
pub fn button_menu<R>(button: &Response, content: impl FnOnce(&mut Ui) -> R) -> Option<R> {
    Popup::menu(button).width(WIDTH).show(content).map(|shown| shown.inner)
}

/// A menu on a row, a bubble or a picture. Shift and F10 open it where the keyboard is.
pub fn context_menu<R>(ui: &Ui, on: &Response, content: impl FnOnce(&mut Ui) -> R) -> Option<R> {
    let key = on.id.with("opened by key");
    let pressed = on.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::SHIFT, Key::F10));
    let before = ui.data(|data| data.get_temp::<bool>(key)).unwrap_or(false);
    let by_key = (before || pressed) && !on.secondary_clicked();
    if by_key != before {
        ui.data_mut(|data| data.insert_temp(key, by_key));
    }
    let popup = if by_key {
        Popup::menu(on).open_memory(pressed.then_some(SetOpenCommand::Bool(true)))
    } else {
        Popup::context_menu(on)
    };
    popup.width(WIDTH).show(content).map(|shown| shown.inner)
}

/// One line of a menu. True when it was chosen.
pub fn item(ui: &mut Ui, label: &str) -> bool {
    ui.add(
        Button::new(RichText::new(label).font(theme::font(13.5)))
            .frame_when_inactive(false)
            .min_size(egui::vec2(WIDTH, 30.0))
            .wrap_mode(egui::TextWrapMode::Truncate),
    )
    .clicked()
}

/// One line of a menu that cannot be taken back.
pub fn grave_item(ui: &mut Ui, label: &str) -> bool {
    let ink = palette(ui).bad_text;
    ui.add(
        Button::new(RichText::new(label).font(theme::font(13.5)).color(ink))
            .frame_when_inactive(false)
            .min_size(egui::vec2(WIDTH, 30.0)),
    )
    .clicked()
}

/// One of a few choices, the one in force marked.
pub fn choice_item(ui: &mut Ui, chosen: bool, label: &str) -> bool {
    ui.add(
        Button::selectable(chosen, RichText::new(label).font(theme::font(13.5)))
            .min_size(egui::vec2(WIDTH, 30.0)),
    )
    .clicked()
}
