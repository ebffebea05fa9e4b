//! The lines of a conversation in a scrolling area. Only what can be seen is laid out and drawn.
//!
//! The height of every line is measured once for a width, and guessed until then. Where one reads stays where it is while
//! lines come above (loaded from the history) or below; at the end one stays at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Align, Align2, Label, Layout, Pos2, Rect, RichText, ScrollArea, Ui, UiBuilder, vec2};
use jiff::civil::Date;

use super::Talk;
use super::bubbles::{self, middle_ui};
use crate::call::Command;
use crate::call::random_id::RandomId;
use crate::call::view::{Conversation, Line};
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::button::{Kind, button};
use crate::ui::parts::chat::is_incoming;
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Between two lines, in points.
const GAP: f32 = 10.0;
/// Height of a day, a call, a divider.
const MIDDLE: f32 = 18.0;
/// Nearer to the top than this, earlier lines are loaded.
const NEAR_TOP: f32 = 240.0;
/// Lines measured in one frame; those before them are guessed until their turn comes.
const MEASURED_AT_ONCE: usize = 200;

/// Where one is in a conversation, and how high its lines are.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    laid_out: Option<LaidOut>,
    heights: BTreeMap<RandomId, f32>,
    /// The line at the upper edge, and how far its top is above it.
    anchor: Option<(RandomId, f32)>,
    offset: f32,
    scrolled_up: bool,
    to_end: bool,
    /// The last line that was there while one was at the end.
    seen: Option<RandomId>,
    /// The first line that was new when the conversation was opened.
    new_from: Option<RandomId>,
    opened: bool,
    asked_before: Option<RandomId>,
}

/// What the places of the lines were computed from, and the places.
#[derive(Clone, Debug)]
struct LaidOut {
    lines: Option<Arc<Vec<Line>>>,
    width: f32,
    today: Option<Date>,
    new_from: Option<RandomId>,
    going: Vec<RandomId>,
    typing: bool,
    rows: Vec<Row>,
    /// The top of each row, and the end of the last.
    tops: Vec<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Row {
    Day(Date),
    New,
    Line(usize),
    Typing,
}

impl Lines {
    /// The conversation is no longer on screen.
    pub(super) fn left(&mut self) {
        self.opened = false;
        self.new_from = None;
    }

    /// Something was written: what was new has been read, and the end is where one wants to be.
    pub(super) fn written(&mut self) {
        self.new_from = None;
        self.to_end = true;
    }

    /// Remembers where the new lines begin, before they count as read.
    fn note_new(&mut self, conversation: Option<&Conversation>, focused: bool) {
        let fresh = !std::mem::replace(&mut self.opened, true);
        let Some(conversation) = conversation.filter(|conversation| conversation.unread > 0) else { return };
        if (fresh || !focused) && self.new_from.is_none() {
            let mut came = conversation.lines.iter().rev().filter(|line| is_incoming(line));
            self.new_from = came.nth(conversation.unread - 1).map(|line| line.id);
        }
    }

    fn lay_out(&mut self, ui: &Ui, talk: &Talk<'_>, width: f32, clock: &Clock) -> bool {
        let lines = talk.conversation.map(|conversation| Arc::clone(&conversation.lines));
        let typing = talk.conversation.is_some_and(|conversation| conversation.typing);
        let today = clock.today();
        if let Some(known) = &self.laid_out {
            let same_lines = match (&known.lines, &lines) {
                (Some(known), Some(lines)) => Arc::ptr_eq(known, lines),
                (None, None) => true,
                _ => false,
            };
            let same =
                same_lines && known.today == today && known.typing == typing && known.going == talk.going;
            if same && known.width == width && known.new_from == self.new_from {
                return false;
            }
            if known.width != width {
                self.heights.clear();
            }
        }
        let shown = lines.as_deref().map_or(&[][..], Vec::as_slice);
        let rows = rows_of(shown, talk.going, self.new_from, typing, clock);
        // A line that changed may have changed its height: whatever is new or moved on is measured again, cheaply, since
        // the layout of what is on screen is still there.
        let mut left = MEASURED_AT_ONCE;
        for line in shown.iter().rev() {
            if left == 0 {
                break;
            }
            if bubbles::may_change(line) || !self.heights.contains_key(&line.id) {
                self.heights.insert(line.id, bubbles::height(ui, line, width));
                left -= 1;
            }
        }
        let mut laid_out = LaidOut {
            lines: lines.clone(),
            width,
            today,
            new_from: self.new_from,
            going: talk.going.to_vec(),
            typing,
            rows,
            tops: Vec::new(),
        };
        laid_out.place(&self.heights);
        self.laid_out = Some(laid_out);
        true
    }

    /// Where the scrolling area must stand so that what is read does not move.
    fn moved(&self) -> Option<f32> {
        let (id, above) = self.anchor.filter(|_| self.scrolled_up)?;
        let laid_out = self.laid_out.as_ref()?;
        let wanted = laid_out.top_of(id)? + above;
        ((wanted - self.offset).abs() > 0.5).then_some(wanted)
    }

    /// How many lines came below what is seen.
    fn below(&self, lines: &[Line]) -> usize {
        let Some(seen) = self.seen else { return 0 };
        lines.iter().rev().take_while(|line| line.id != seen).filter(|line| is_incoming(line)).count()
    }
}

impl LaidOut {
    fn place(&mut self, heights: &BTreeMap<RandomId, f32>) {
        let lines = self.lines.as_deref().map_or(&[][..], Vec::as_slice);
        self.tops.clear();
        let mut top = 16.0;
        for row in &self.rows {
            self.tops.push(top);
            let height = match row {
                Row::Day(_) | Row::New | Row::Typing => MIDDLE,
                Row::Line(at) => lines.get(*at).map_or(0.0, |line| {
                    heights.get(&line.id).copied().unwrap_or_else(|| bubbles::guess(line, self.width))
                }),
            };
            top += height + GAP;
        }
        self.tops.push(top);
    }

    fn end(&self) -> f32 {
        self.tops.last().copied().unwrap_or(0.0)
    }

    fn top_of(&self, id: RandomId) -> Option<f32> {
        let at = self.rows.iter().position(|row| self.line_of(*row).is_some_and(|line| line.id == id))?;
        self.tops.get(at).copied()
    }

    fn line_of(&self, row: Row) -> Option<&Line> {
        match row {
            Row::Line(at) => self.lines.as_ref()?.get(at),
            Row::Day(_) | Row::New | Row::Typing => None,
        }
    }

    /// The rows that touch this part of the content.
    fn visible(&self, from: f32, to: f32) -> std::ops::Range<usize> {
        let first = self.tops.partition_point(|top| *top <= from).saturating_sub(1);
        let last = self.tops.partition_point(|top| *top < to).min(self.rows.len());
        first.min(last)..last
    }
}

fn rows_of(
    lines: &[Line],
    going: &[RandomId],
    new_from: Option<RandomId>,
    typing: bool,
    clock: &Clock,
) -> Vec<Row> {
    let mut rows = Vec::with_capacity(lines.len() + 8);
    let mut day = None;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !going.contains(&line.id)) {
        let its_day = clock.day(line.at);
        if its_day != day {
            day = its_day;
            rows.extend(its_day.map(Row::Day));
        }
        if new_from == Some(line.id) {
            rows.push(Row::New);
        }
        rows.push(Row::Line(at));
    }
    if typing {
        rows.push(Row::Typing);
    }
    rows
}

/// Draws the lines into the room there is.
pub(super) fn lines_ui(ui: &mut Ui, talk: &Talk<'_>, lines: &mut Lines, clock: &Clock) -> Option<Action> {
    let room = ui.max_rect();
    let focused = ui.input(|input| input.focused);
    lines.note_new(talk.conversation, focused);
    let width = (ui.available_width() - ui.spacing().scroll.allocated_width()).max(120.0);
    lines.lay_out(ui, talk, width, clock);
    let moved = lines.moved();
    let laid_out = lines.laid_out.as_mut()?;
    let nothing = laid_out.rows.is_empty();
    let end = laid_out.end();
    let mut area = ScrollArea::vertical().id_salt(talk.field).auto_shrink(false).stick_to_bottom(true);
    if std::mem::take(&mut lines.to_end) {
        area = area.vertical_scroll_offset(end);
    } else if let Some(offset) = moved {
        area = area.vertical_scroll_offset(offset);
    }
    let mut action = None;
    let mut corrected = false;
    let seen = area.show_viewport(ui, |ui, viewport| {
        ui.set_height(end.max(1.0));
        if nothing {
            empty_ui(ui, talk.empty);
        }
        let content = ui.max_rect();
        for at in laid_out.visible(viewport.min.y, viewport.max.y) {
            let (row, top, bottom) = (laid_out.rows[at], laid_out.tops[at], laid_out.tops[at + 1]);
            let min = Pos2::new(content.left(), content.top() + top);
            let rect = Rect::from_min_size(min, vec2(width, bottom - top - GAP));
            match row {
                Row::Day(day) => middle_ui(ui, rect, None, &clock.day_words(day)),
                Row::New => new_ui(ui, rect),
                Row::Typing => {
                    let text = word_with("chat.typing", &[("name", talk.name)]);
                    let text = RichText::new(text).font(theme::font(theme::SMALL)).color(palette(ui).faint);
                    ui.new_child(UiBuilder::new().max_rect(rect)).add(Label::new(text).truncate());
                }
                Row::Line(_) => {
                    let Some(line) = laid_out.line_of(row) else { continue };
                    let builder = UiBuilder::new().id_salt(line.id.0).max_rect(rect);
                    let mut child = ui.new_child(builder.layout(Layout::top_down(Align::Min)));
                    let drawn = bubbles::line_ui(&mut child, talk, line, width, clock);
                    action = drawn.action.or(action.take());
                    if lines.heights.insert(line.id, drawn.height) != Some(drawn.height) {
                        corrected = true;
                    }
                }
            }
        }
        viewport
    });
    if corrected {
        laid_out.place(&lines.heights);
        ui.ctx().request_repaint();
    }
    let viewport = seen.inner;
    let first = laid_out.visible(viewport.min.y, viewport.max.y).find_map(|at| {
        laid_out.line_of(laid_out.rows[at]).map(|line| (line.id, viewport.min.y - laid_out.tops[at]))
    });
    lines.anchor = first;
    lines.offset = viewport.min.y;
    lines.scrolled_up = viewport.max.y < end - 8.0 && end > viewport.height();
    let shown = talk.conversation.map_or(&[][..], |conversation| &conversation.lines);
    if !lines.scrolled_up {
        lines.seen = shown.last().map(|line| line.id);
    } else {
        jump_ui(ui, room, lines, shown);
    }
    let earliest = shown.first().map(|line| line.id);
    if let Some(conversation) = talk.conversation.filter(|conversation| conversation.more)
        && viewport.min.y < NEAR_TOP
        && lines.asked_before != earliest
    {
        lines.asked_before = earliest;
        action = action.or(Some(Action::Ask(Command::LoadEarlier(conversation.peer_id))));
    }
    action
}

fn empty_ui(ui: &mut Ui, text: &str) {
    let ink = palette(ui).faint;
    ui.add_space(30.0);
    ui.vertical_centered(|ui| {
        ui.add(Label::new(RichText::new(text).color(ink)).wrap().halign(Align::Center))
    });
}

/// Where the new lines begin.
fn new_ui(ui: &mut Ui, rect: Rect) {
    let ink = palette(ui).accent;
    let galley = ui.painter().layout_no_wrap(word("chat.new").to_owned(), theme::strong(theme::TINY), ink);
    let half = galley.size().x / 2.0 + 10.0;
    let stroke = egui::Stroke::new(1.0, ink);
    let (centre, y) = (rect.center().x, rect.center().y);
    ui.painter().hline(rect.left()..=centre - half, y, stroke);
    ui.painter().hline(centre + half..=rect.right(), y, stroke);
    let place = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size());
    let text = RichText::new(word("chat.new")).font(theme::strong(theme::TINY)).color(ink);
    ui.new_child(UiBuilder::new().max_rect(place)).add(Label::new(text).extend());
}

/// The button to the latest lines, with how many came.
fn jump_ui(ui: &mut Ui, room: Rect, lines: &mut Lines, shown: &[Line]) {
    let count = lines.below(shown);
    let label = if count > 0 {
        word_with("chat.jump_new", &[("count", &count.to_string())])
    } else {
        word("chat.jump").to_owned()
    };
    let size = vec2(room.width().min(240.0), theme::BUTTON_HEIGHT);
    let place = Align2::CENTER_BOTTOM.anchor_size(Pos2::new(room.center().x, room.bottom() - 10.0), size);
    let layout = Layout::top_down(Align::Center);
    let mut child = ui.new_child(UiBuilder::new().max_rect(place).layout(layout));
    if button(&mut child, Kind::Plain, Some(Icon::Down), &label).clicked() {
        lines.to_end = true;
        ui.ctx().request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use jiff::tz::TimeZone;

    use super::*;
    use crate::call::view::LineKind;

    fn lines(count: u8) -> Vec<Line> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * 3);
        (0..count)
            .map(|number| Line {
                id: RandomId([number; 16]),
                at: at + Duration::from_secs(3600 * 8 * u64::from(number)),
                what: LineKind::Received("hello".into()),
            })
            .collect()
    }

    fn laid_out(lines: Vec<Line>) -> LaidOut {
        let clock = Clock::new(SystemTime::UNIX_EPOCH, TimeZone::UTC);
        let rows = rows_of(&lines, &[], None, false, &clock);
        let mut laid_out = LaidOut {
            lines: Some(Arc::new(lines)),
            width: 300.0,
            today: None,
            new_from: None,
            going: vec![],
            typing: false,
            rows,
            tops: vec![],
        };
        laid_out.place(&BTreeMap::new());
        laid_out
    }

    #[test]
    fn a_day_is_said_once_before_its_lines() {
        let clock = Clock::new(SystemTime::UNIX_EPOCH, TimeZone::UTC);
        let lines = lines(4);
        let rows = rows_of(&lines, &[], Some(lines[2].id), false, &clock);
        let days = rows.iter().filter(|row| matches!(row, Row::Day(_))).count();
        assert_eq!(days, 2);
        let new = rows.iter().position(|row| *row == Row::New).expect("a divider");
        assert_eq!(rows[new + 1], Row::Line(2));
    }

    #[test]
    fn a_line_about_to_be_deleted_is_no_longer_shown() {
        let clock = Clock::new(SystemTime::UNIX_EPOCH, TimeZone::UTC);
        let lines = lines(2);
        let rows = rows_of(&lines, &[lines[0].id], None, false, &clock);
        assert!(!rows.contains(&Row::Line(0)) && rows.contains(&Row::Line(1)));
    }

    #[test]
    fn only_the_rows_in_sight_are_found() {
        let laid_out = laid_out(lines(200));
        let visible = laid_out.visible(1000.0, 1400.0);
        assert!(visible.len() < 12, "{visible:?}");
        assert!(laid_out.tops[visible.start] <= 1000.0 && laid_out.tops[visible.end] >= 1400.0);
        assert!(laid_out.visible(-50.0, 10.0).len() <= 1);
    }

    #[test]
    fn what_is_read_stays_where_it_is_when_earlier_lines_come() {
        let mut state = Lines { scrolled_up: true, offset: 500.0, ..Lines::default() };
        let all = lines(60);
        let read = all[40].id;
        let late = laid_out(all[30..].to_vec());
        state.anchor = late.top_of(read).map(|top| (read, 500.0 - top));
        state.laid_out = Some(late);
        assert_eq!(state.moved(), None);
        let whole = laid_out(all);
        let expected = whole.top_of(read).expect("there") + state.anchor.expect("set").1;
        state.laid_out = Some(whole);
        assert_eq!(state.moved(), Some(expected));
    }
}
