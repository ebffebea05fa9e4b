//! Text fields: one line, and the growing one of the chat.

use egui::{
    Event, Frame, Id, ImeEvent, Key, KeyboardShortcut, Margin, Modifiers, Rect, Response, RichText,
    ScrollArea, Stroke, StrokeKind, TextEdit, Ui, UiBuilder, vec2,
};

use crate::ui::theme::{self, palette};

/// What became of a field in this frame.
pub struct Typed {
    /// The field.
    pub response: Response,
    /// Enter was pressed in it, and no input method was composing.
    pub entered: bool,
}

/// A field of one line and a width. `label` is what a screen reader calls it; `hint` stands in it while it is empty.
pub fn field_ui(ui: &mut Ui, id: Id, text: &mut String, label: &str, hint: &str, width: f32) -> Typed {
    one_line_ui(ui, id, text, label, hint, width, false)
}

/// A field whose text is not shown, for a passphrase.
pub fn secret_field_ui(ui: &mut Ui, id: Id, text: &mut String, label: &str, width: f32) -> Typed {
    one_line_ui(ui, id, text, label, "", width, true)
}

fn one_line_ui(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    label: &str,
    hint: &str,
    width: f32,
    secret: bool,
) -> Typed {
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, theme::FIELD_HEIGHT), egui::Sense::hover());
    let focused = ui.memory(|memory| memory.has_focus(id));
    let line = if focused { Stroke::new(1.5, palette.accent) } else { Stroke::new(1.0, palette.line) };
    ui.painter().rect(rect, theme::RADIUS, palette.bg, line, StrokeKind::Inside);
    let composed = composing(ui, id);
    let inner = rect.shrink2(vec2(12.0, 2.0));
    let edit = TextEdit::singleline(text)
        .id(id)
        .password(secret)
        .frame(Frame::NONE)
        .margin(Margin::ZERO)
        .font(theme::font(theme::BODY))
        .text_color(palette.text)
        .hint_text(RichText::new(hint).color(palette.faint))
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(inner.width())
        .min_size(inner.size());
    let mut child =
        ui.new_child(UiBuilder::new().max_rect(inner).layout(egui::Layout::top_down(egui::Align::Min)));
    child.spacing_mut().interact_size.y = 0.0;
    let response = child.add(edit);
    ui.ctx().accesskit_node_builder(id, |node| node.set_label(label));
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !composed;
    Typed { response, entered }
}

/// A field that grows to four lines. Enter sends, Shift and Enter starts a line.
pub fn lines_field_ui(ui: &mut Ui, id: Id, text: &mut String, label: &str, hint: &str, width: f32) -> Typed {
    let palette = palette(ui);
    let composed = composing(ui, id);
    let focused = ui.memory(|memory| memory.has_focus(id));
    let enter = focused && !composed && plain_enter(ui, id);
    let row = ui.fonts_mut(|fonts| fonts.row_height(&theme::font(theme::BODY)));
    let rows = rows_of(ui, text, width - 24.0).clamp(1, MOST_ROWS);
    let height = (row * rows as f32 + 18.0).max(theme::FIELD_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), egui::Sense::hover());
    let line = if focused { Stroke::new(1.5, palette.accent) } else { Stroke::new(1.0, palette.line) };
    ui.painter().rect(rect, theme::RADIUS, palette.bg, line, StrokeKind::Inside);
    let inner = Rect::from_center_size(rect.center(), vec2(width - 24.0, row * rows as f32));
    let mut child =
        ui.new_child(UiBuilder::new().max_rect(inner).layout(egui::Layout::top_down(egui::Align::Min)));
    child.spacing_mut().interact_size.y = 0.0;
    let response = ScrollArea::vertical()
        .id_salt((id, "scroll"))
        .max_height(inner.height())
        .show(&mut child, |ui| {
            ui.add(
                TextEdit::multiline(text)
                    .id(id)
                    .frame(Frame::NONE)
                    .margin(Margin::ZERO)
                    .font(theme::font(theme::BODY))
                    .text_color(palette.text)
                    .hint_text(RichText::new(hint).color(palette.faint))
                    .desired_rows(1)
                    .desired_width(inner.width())
                    .char_limit(LONGEST_TEXT)
                    .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter)),
            )
        })
        .inner;
    ui.ctx().accesskit_node_builder(id, |node| node.set_label(label));
    Typed { response, entered: enter }
}

/// Takes a plain Enter out of this frame's events. What was typed after it belongs to the next message, and so to the next frame.
fn plain_enter(ui: &Ui, id: Id) -> bool {
    let key = id.with("left_over");
    let typed = ui.data_mut(|data| data.remove_temp::<Vec<Event>>(key)).unwrap_or_default();
    let late = ui.input_mut(|input| {
        input.events.splice(0..0, typed);
        // The event knows whether Shift was held; by now it may be up again.
        let enter = input.events.iter().position(|event| {
            matches!(event, Event::Key { key: Key::Enter, pressed: true, modifiers, .. } if modifiers.is_none())
        })?;
        let after = input.events.split_off(enter + 1);
        input.events.pop();
        let (late, now): (Vec<_>, Vec<_>) = after
            .into_iter()
            .partition(|event| matches!(event, Event::Text(_) | Event::Paste(_) | Event::Key { .. }));
        input.events.extend(now);
        Some(late)
    });
    let Some(late) = late else { return false };
    if !late.is_empty() {
        ui.data_mut(|data| data.insert_temp(key, late));
        ui.ctx().request_repaint();
    }
    true
}

/// Whether an input method is composing in this field, or was until this frame: its Enter takes a candidate and sends nothing.
fn composing(ui: &Ui, id: Id) -> bool {
    let key = id.with("composing");
    let before = ui.data(|data| data.get_temp::<bool>(key)).unwrap_or(false);
    let mut now = before;
    let mut touched = before;
    ui.input(|input| {
        for event in &input.events {
            match event {
                Event::Ime(ImeEvent::Preedit { text, .. }) => {
                    now = !text.is_empty();
                    touched = true;
                }
                Event::Ime(ImeEvent::Commit(_)) => {
                    now = false;
                    touched = true;
                }
                _ => {}
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(key, now));
    touched
}

fn rows_of(ui: &Ui, text: &str, width: f32) -> usize {
    ui.painter().layout(text.to_owned(), theme::font(theme::BODY), theme::WHITE, width.max(40.0)).rows.len()
}

/// How far the chat's field grows.
const MOST_ROWS: usize = 4;
/// Characters in one message.
const LONGEST_TEXT: usize = 4000;
