//! Single lines of a conversation: what was written, with time and what became of it, and the calls between.

use egui::{
    Align2, Color32, Key, Label, Modifiers, Pos2, Rect, RichText, Sense, Ui, UiBuilder, Vec2, WidgetInfo,
    vec2,
};

use super::Talk;
use super::file_line::{file_height, file_ui};
use crate::call::view::{Delivery, Line, LineKind};
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::button::focus_ring;
use crate::ui::parts::chat::{call_words, is_missed};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::menu::{context_menu, item};
use crate::ui::parts::rich_text::rich_text;
use crate::ui::parts::text_links::Target;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Between what was written and when.
const GAP: f32 = 5.0;
/// Around what is in a bubble.
const PADDING: Vec2 = vec2(13.0, 9.0);
/// Height of the time below.
const META: f32 = 14.0;
/// Height of a call.
const MIDDLE: f32 = 18.0;

/// What became of a line that was drawn.
pub(super) struct Drawn {
    pub(super) height: f32,
    pub(super) action: Option<Action>,
}

/// Whether a line's height may differ from when it was measured.
pub(super) fn may_change(line: &Line) -> bool {
    matches!(line.what, LineKind::File(_))
}

/// A height that is not far off, without laying anything out.
pub(super) fn guess(line: &Line, width: f32) -> f32 {
    match &line.what {
        LineKind::Received(text) | LineKind::Sent { text, .. } => {
            let in_a_row = (wrap(width) / 7.5).max(8.0);
            let rows: f32 =
                text.lines().map(|line| (line.chars().count() as f32 / in_a_row).ceil().max(1.0)).sum();
            rows.max(1.0) * 20.0 + GAP + META + 2.0 * PADDING.y
        }
        LineKind::File(file) => file_height(file),
        LineKind::Call { .. } => MIDDLE,
    }
}

/// The height of a line, laid out for a width.
pub(super) fn height(ui: &Ui, line: &Line, width: f32) -> f32 {
    match &line.what {
        LineKind::Received(text) | LineKind::Sent { text, .. } => {
            bubble_height(rich_text(ui, text, wrap(width)).galley.size().y)
        }
        LineKind::File(file) => file_height(file),
        LineKind::Call { .. } => MIDDLE,
    }
}

fn bubble_height(words: f32) -> f32 {
    (words + GAP + META + 2.0 * PADDING.y).ceil()
}

fn wrap(width: f32) -> f32 {
    let share = if width < 420.0 { 0.84 } else { 0.66 };
    (width * share).max(120.0) - 2.0 * PADDING.x
}

/// Draws one line at the place of its `ui`.
pub(super) fn line_ui(ui: &mut Ui, talk: &Talk<'_>, line: &Line, width: f32, clock: &Clock) -> Drawn {
    let place = ui.max_rect();
    let time = clock.time_of_day(line.at);
    match &line.what {
        LineKind::Received(text) => bubble_ui(ui, talk, line, text, None, width, &time),
        LineKind::Sent { text, state } => bubble_ui(ui, talk, line, text, Some(*state), width, &time),
        LineKind::File(file) => {
            let action = file_ui(ui, talk, line.id, file, width, &time);
            Drawn { height: file_height(file), action }
        }
        LineKind::Call { incoming, lasted, reason } => {
            let words = call_words(*incoming, *lasted, *reason);
            let text = word_with("chat.call_at", &[("call", &words), ("time", &time)]);
            let icon = if is_missed(line) { Icon::HangUp } else { Icon::Phone };
            let response = ui.interact(place, ui.scope_id().with("call"), Sense::click());
            middle_ui(ui, place, Some(icon), &text);
            focus_ring(ui, &response, place, 6.0);
            let action = menu_on(ui, &response, talk, line, None, &[]);
            Drawn { height: MIDDLE, action }
        }
    }
}

fn bubble_ui(
    ui: &mut Ui,
    talk: &Talk<'_>,
    line: &Line,
    text: &str,
    state: Option<Delivery>,
    width: f32,
    time: &str,
) -> Drawn {
    let palette = palette(ui);
    let ours = state.is_some();
    let words = rich_text(ui, text, wrap(width));
    let (icon, state_words) = state.map_or((None, None), |state| {
        let (icon, words) = delivery(state);
        (Some(icon), Some(words))
    });
    let below = match state_words {
        Some(words) => word_with("chat.meta", &[("time", time), ("state", words)]),
        None => time.to_owned(),
    };
    let below_galley = ui.painter().layout_no_wrap(below.clone(), theme::font(theme::TINY), palette.faint);
    let icon_width = if icon.is_some() { 18.0 } else { 0.0 };
    let inner = words.galley.size().x.max(below_galley.size().x + icon_width);
    let height = bubble_height(words.galley.size().y);
    let size = vec2((inner + 2.0 * PADDING.x).ceil(), height);
    let row = ui.max_rect();
    let left = if ours { row.left() + width - size.x } else { row.left() };
    let rect = Rect::from_min_size(Pos2::new(left, row.top()), size);
    let bubble = ui.interact(rect, ui.scope_id().with("bubble"), Sense::click());
    let who = if ours { word("chat.you") } else { talk.name };
    let spoken = word_with("chat.line", &[("who", who), ("meta", &below)]);
    bubble.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &spoken));
    let fill = if ours { palette.me } else { palette.raised };
    ui.painter().rect_filled(rect, theme::BUBBLE_RADIUS, fill);
    focus_ring(ui, &bubble, rect, f32::from(theme::BUBBLE_RADIUS));
    let targets = words.targets();
    let text_rect = Rect::from_min_size(rect.min + PADDING, words.galley.size());
    let bottom = rect.bottom() - PADDING.y - META;
    let (mut action, written) = words.show(ui, text_rect, text);
    ui.painter().galley(Pos2::new(text_rect.left(), bottom), below_galley.clone(), palette.faint);
    if let Some(icon) = icon {
        let x = text_rect.left() + below_galley.size().x + 10.0;
        let square = Rect::from_center_size(Pos2::new(x, bottom + META / 2.0), Vec2::splat(13.0));
        let ink = if state == Some(Delivery::Read) { palette.accent } else { palette.faint };
        paint_icon(ui.painter(), icon, square, ink);
    }
    for response in [&bubble, &written] {
        action = menu_on(ui, response, talk, line, Some(text), &targets).or(action);
    }
    Drawn { height, action }
}

/// What can be done with a line: copied, its links opened, deleted.
fn menu_on(
    ui: &Ui,
    on: &egui::Response,
    talk: &Talk<'_>,
    line: &Line,
    text: Option<&str>,
    targets: &[Target],
) -> Option<Action> {
    let delete = Action::DeleteLine { peer: talk.peer_id, line: line.id };
    if on.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Delete)) {
        return Some(delete);
    }
    let copied = text.map(|text| Action::CopyText(text.to_owned()));
    if on.has_focus() && copied.is_some() && ui.input(|input| input.events.contains(&egui::Event::Copy)) {
        return copied;
    }
    context_menu(ui, on, |ui| {
        let mut action = None;
        if let Some(copied) = copied
            && item(ui, word("chat.copy"))
        {
            action = Some(copied);
        }
        for target in targets {
            if item(ui, &word_with("chat.open_link", &[("link", target.text())])) {
                action = Some(target.action());
            }
        }
        if item(ui, word("chat.delete")) {
            action = Some(delete);
        }
        action
    })
    .flatten()
}

fn delivery(state: Delivery) -> (Icon, &'static str) {
    match state {
        Delivery::Waiting => (Icon::Waiting, word("chat.waiting")),
        Delivery::Sending => (Icon::Waiting, word("chat.sending")),
        Delivery::Sent => (Icon::Tick, word("chat.sent")),
        Delivery::Delivered => (Icon::TwoTicks, word("chat.delivered")),
        Delivery::Read => (Icon::TwoTicks, word("chat.read")),
    }
}

/// Words in the middle: a day, a call.
pub(super) fn middle_ui(ui: &mut Ui, row: Rect, icon: Option<Icon>, text: &str) {
    let ink: Color32 = palette(ui).faint;
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(theme::SMALL), ink);
    let icon_width = if icon.is_some() { 26.0 } else { 0.0 };
    let width = (galley.size().x + icon_width).min(row.width());
    let rect = Align2::CENTER_CENTER.anchor_size(row.center(), vec2(width, galley.size().y));
    if let Some(icon) = icon {
        let square = Rect::from_center_size(Pos2::new(rect.left() + 9.0, row.center().y), Vec2::splat(17.0));
        paint_icon(ui.painter(), icon, square, ink);
    }
    let label = Label::new(RichText::new(text).font(theme::font(theme::SMALL)).color(ink)).truncate();
    let place = Rect::from_min_max(rect.min + vec2(icon_width, 0.0), rect.max + vec2(1.0, 0.0));
    ui.new_child(UiBuilder::new().max_rect(place)).add(label);
}
