//! The lines of a conversation, and the field below them.

use egui::{
    Align, Align2, Color32, Id, Label, Layout, Pos2, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, Vec2,
    vec2,
};

use super::button::{focus_ring, icon_button};
use super::field::lines_field_ui;
use super::icon::{Icon, paint_icon};
use crate::call::EndReason;
use crate::call::view::{Delivery, Line, LineKind};
use crate::ui::clock::{Clock, length};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Height of a line in a bubble, in points.
const LINE: f32 = 20.0;
/// Between what was written and when.
const GAP: f32 = 5.0;
/// Older lines than this many are not drawn.
const MOST_LINES: usize = 400;

/// Draws lines, the newest at the bottom and in sight. `empty` stands there when there is none.
pub fn chat_lines_ui(ui: &mut Ui, id: Id, lines: &[Line], empty: &str, clock: &Clock) {
    ScrollArea::vertical().id_salt(id).auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 10.0;
        ui.add_space(16.0);
        if lines.is_empty() {
            ui.add_space(14.0);
            let ink = palette(ui).faint;
            ui.vertical_centered(|ui| ui.add(Label::new(RichText::new(empty).color(ink)).wrap()));
        }
        let mut day = None;
        for line in &lines[lines.len().saturating_sub(MOST_LINES)..] {
            let its_day = clock.day(line.at);
            if its_day != day {
                day = its_day;
                if let Some(day) = its_day {
                    middle_ui(ui, None, &clock.day_words(day));
                }
            }
            line_ui(ui, line, clock);
        }
        ui.add_space(10.0);
    });
}

/// The field and the send button, as wide as there is room. The text to send, when there is one.
pub fn compose_ui(ui: &mut Ui, id: Id, draft: &mut String, name: &str) -> Option<String> {
    let label = word_with("chat.message", &[("name", name)]);
    let mut send = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let width = (ui.available_width() - 58.0).max(60.0);
        send |= lines_field_ui(ui, id, draft, &label, &label, width).entered;
        send |= send_button_ui(ui).clicked();
    });
    if !send || draft.trim().is_empty() {
        return None;
    }
    Some(std::mem::take(draft).trim().to_owned())
}

/// The last line in few words, for a list.
pub fn summary(line: &Line) -> String {
    match &line.what {
        LineKind::Received(text) => first_line(text),
        LineKind::Sent { text, .. } => word_with("home.you", &[("text", &first_line(text))]),
        LineKind::File(file) => file.name.clone(),
        LineKind::Call { incoming, lasted, reason } => call_words(*incoming, *lasted, *reason),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(80).collect()
}

fn call_words(incoming: bool, lasted: Option<std::time::Duration>, reason: EndReason) -> String {
    match (lasted, incoming, reason) {
        (Some(lasted), ..) => word_with("chat.call_lasted", &[("time", &length(lasted))]),
        (None, true, EndReason::Declined) => word("chat.call_declined").to_owned(),
        (None, true, _) => word("chat.call_missed").to_owned(),
        (None, false, EndReason::NoAnswer) => word("chat.call_no_answer").to_owned(),
        (None, false, EndReason::Declined) => word("chat.call_refused").to_owned(),
        (None, false, EndReason::Busy) => word("chat.call_busy").to_owned(),
        (None, false, EndReason::Cancelled) => word("chat.call_stopped").to_owned(),
        (None, false, _) => word("chat.call_failed").to_owned(),
    }
}

fn line_ui(ui: &mut Ui, line: &Line, clock: &Clock) {
    let palette = palette(ui);
    let time = clock.time_of_day(line.at);
    match &line.what {
        LineKind::Received(text) => bubble_ui(ui, text, &time, palette.faint, false),
        LineKind::Sent { text, state } => {
            let (words, ink) = match state {
                Delivery::Waiting => (word("chat.waiting"), palette.faint),
                Delivery::Sending => (word("chat.sending"), palette.faint),
                Delivery::Sent => (word("chat.sent"), palette.faint),
                Delivery::Delivered => (word("chat.delivered"), palette.faint),
                Delivery::Read => (word("chat.read"), palette.faint),
            };
            bubble_ui(ui, text, &format!("{time} · {words}"), ink, true);
        }
        LineKind::File(file) => middle_ui(ui, None, &format!("{} · {time}", file.name)),
        LineKind::Call { incoming, lasted, reason } => {
            let words = call_words(*incoming, *lasted, *reason);
            middle_ui(ui, Some(Icon::Phone), &format!("{words} · {time}"));
        }
    }
}

/// Words in the middle: a day, a call.
fn middle_ui(ui: &mut Ui, icon: Option<Icon>, text: &str) {
    let ink = palette(ui).faint;
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::SMALL), ink);
    let icon_width = if icon.is_some() { 26.0 } else { 0.0 };
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let rect = Align2::CENTER_CENTER.anchor_size(row.center(), galley.size() + vec2(icon_width, 0.0));
    if let Some(icon) = icon {
        let square = Rect::from_center_size(Pos2::new(rect.left() + 9.0, row.center().y), Vec2::splat(17.0));
        paint_icon(ui.painter(), icon, square, ink);
    }
    let label = Label::new(RichText::new(text).font(theme::font(theme::SMALL)).color(ink)).extend();
    let place = Rect::from_min_max(rect.min + vec2(icon_width, 0.0), rect.max);
    ui.new_child(UiBuilder::new().max_rect(place)).add(label);
}

fn bubble_ui(ui: &mut Ui, text: &str, meta: &str, meta_ink: Color32, ours: bool) {
    let palette = palette(ui);
    let room = ui.available_width();
    let wrap = (room * 0.66).max(120.0) - 26.0;
    let mut job =
        egui::text::LayoutJob::simple(text.to_owned(), theme::font(theme::BODY), palette.text, wrap);
    for section in &mut job.sections {
        section.format.line_height = Some(LINE);
    }
    let words = ui.painter().layout_job(job);
    let below = ui.painter().layout(meta.to_owned(), theme::font(theme::TINY), meta_ink, wrap);
    let inner = vec2(words.size().x.max(below.size().x), words.size().y + GAP + below.size().y);
    let size = (inner + vec2(26.0, 18.0)).ceil();
    let (row, _) = ui.allocate_exact_size(vec2(room, size.y), Sense::hover());
    let left = if ours { row.right() - size.x } else { row.left() };
    let rect = Rect::from_min_size(Pos2::new(left, row.top()), size);
    let fill = if ours { palette.me } else { palette.raised };
    ui.painter().rect_filled(rect, theme::BUBBLE_RADIUS, fill);
    let place = Rect::from_min_max(rect.min + vec2(13.0, 7.0), rect.max - vec2(11.0, 0.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Min)));
    child.spacing_mut().item_spacing.y = GAP;
    let words = RichText::new(text).font(theme::font(theme::BODY)).line_height(Some(LINE));
    child.add(Label::new(words.color(palette.text)).wrap().selectable(true));
    let font = theme::font(theme::TINY);
    child.add(Label::new(RichText::new(meta).font(font).color(meta_ink)).wrap());
}

fn send_button_ui(ui: &mut Ui) -> egui::Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(48.0, theme::BUTTON_HEIGHT), Sense::click());
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), word("chat.send")));
    let fill =
        if response.hovered() { palette.accent.lerp_to_gamma(palette.text, 0.1) } else { palette.accent };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    let square = Rect::from_center_size(rect.center(), Vec2::splat(18.0));
    paint_icon(ui.painter(), Icon::Send, square, palette.accent_ink);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response.on_hover_text(word("chat.send"))
}

/// The head of a chat beside a call. True when it is to be closed.
pub fn chat_head_ui(ui: &mut Ui) -> bool {
    ui.horizontal(|ui| {
        ui.set_height(theme::HEAD_HEIGHT);
        ui.label(RichText::new(word("chat.title")).font(theme::strong(theme::BODY)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            icon_button(ui, Icon::Close, word("chat.close")).clicked()
        })
        .inner
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_we_made_says_what_became_of_it() {
        let words = |reason| call_words(false, None, reason);
        assert_eq!(words(EndReason::NoAnswer), "Called, no answer");
        assert_eq!(words(EndReason::Declined), "Called, declined");
        assert_eq!(words(EndReason::Busy), "Called, busy");
    }
}
