//! The field in which one writes, with what hangs on it: files, emoji, a path where the system has no file dialog.

use std::path::PathBuf;

use egui::text::{CCursor, CCursorRange};
use egui::{Align, Id, Label, Layout, Rect, RichText, Sense, TextEdit, Ui, Vec2, WidgetInfo, vec2};

use super::{PathFor, Talk, Writing};
use crate::call::Command;
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button, focus_ring, icon_button};
use crate::ui::parts::emoji_picker::{Recent, emoji_picker};
use crate::ui::parts::field::{field_ui, lines_field_ui};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Files that can be dropped at once.
const MOST_FILES: usize = 20;

/// Draws it as wide as there is room.
pub fn compose_ui(ui: &mut Ui, talk: &Talk<'_>, writing: &mut Writing) -> Option<Action> {
    let mut action = dropped_ui(ui, talk, writing);
    action = path_ui(ui, talk, writing).or(action);
    let field = talk.field;
    let label = word_with("chat.message", &[("name", talk.name)]);
    let mut send = false;
    let row = ui.available_width();
    ui.allocate_ui_with_layout(vec2(row, theme::FIELD_HEIGHT), Layout::left_to_right(Align::Max), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if low_button(ui, |ui| icon_button(ui, Icon::Clip, word("chat.attach"))).clicked() {
            action = Some(Action::ChooseFiles(talk.peer_id));
        }
        let smile = low_button(ui, |ui| icon_button(ui, Icon::Smile, word("chat.emoji")));
        let recent = Id::unique("recent emoji");
        let mut used = ui.data(|data| data.get_temp::<Recent>(recent)).unwrap_or_default();
        if let Some(emoji) = emoji_picker(&smile, &mut used) {
            insert(ui, field, &mut writing.draft, emoji);
            ui.data_mut(|data| data.insert_temp(recent, used));
        }
        let width = (ui.available_width() - 54.0).max(60.0);
        let typed = lines_field_ui(ui, field, &mut writing.draft, &label, &label, width);
        if typed.response.changed() && !writing.draft.trim().is_empty() {
            action = Some(Action::Ask(Command::Typing(talk.peer_id)));
        }
        send |= typed.entered;
        send |= send_button_ui(ui).clicked();
    });
    if send && !writing.draft.trim().is_empty() {
        let text = std::mem::take(&mut writing.draft).trim().to_owned();
        writing.lines.written();
        action = Some(Action::Ask(Command::SendText { to: talk.peer_id, text }));
    }
    action
}

/// A button of 28 points on the line of a field of 36.
fn low_button(ui: &mut Ui, draw: impl FnOnce(&mut Ui) -> egui::Response) -> egui::Response {
    let (rect, _) = ui.allocate_exact_size(vec2(28.0, theme::FIELD_HEIGHT), Sense::hover());
    let place = Rect::from_center_size(rect.center(), Vec2::splat(28.0));
    draw(&mut ui.new_child(egui::UiBuilder::new().max_rect(place)))
}

/// Puts an emoji where the cursor is, and the cursor behind it.
fn insert(ui: &Ui, field: Id, draft: &mut String, emoji: &str) {
    let mut state = TextEdit::load_state(ui.ctx(), field).unwrap_or_default();
    let length = draft.chars().count();
    let at = state.cursor.char_range().map_or(length, |range| range.primary.index.0.min(length));
    let byte = draft.char_indices().nth(at).map_or(draft.len(), |(byte, _)| byte);
    draft.insert_str(byte, emoji);
    let behind = CCursor::new(at + emoji.chars().count());
    state.cursor.set_char_range(Some(CCursorRange::one(behind)));
    state.store(ui.ctx(), field);
}

/// Files that were dropped on the window: sent only after a question.
fn dropped_ui(ui: &mut Ui, talk: &Talk<'_>, writing: &mut Writing) -> Option<Action> {
    let (dropped, hovering) = ui.input(|input| {
        let paths: Vec<PathBuf> = input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect();
        (paths, !input.raw.hovered_files.is_empty())
    });
    for path in dropped.into_iter().filter(|path| !path.as_os_str().is_empty()) {
        if writing.dropped.len() < MOST_FILES && !writing.dropped.contains(&path) {
            writing.dropped.push(path);
        }
    }
    let palette = palette(ui);
    if hovering {
        let text = word_with("file.drop", &[("name", talk.name)]);
        ui.add(Label::new(RichText::new(text).color(palette.accent)).wrap());
        ui.add_space(8.0);
    }
    if writing.dropped.is_empty() {
        return None;
    }
    let names: Vec<String> = writing.dropped.iter().map(|path| name_of(path)).collect();
    let question = word_with("file.ask", &[("files", &names.join(", ")), ("name", talk.name)]);
    ui.add(Label::new(RichText::new(question).color(palette.text)).wrap());
    ui.add_space(6.0);
    let mut action = None;
    ui.horizontal(|ui| {
        if button(ui, Kind::Primary, None, word("file.send")).clicked() {
            let files = std::mem::take(&mut writing.dropped);
            let offer = |path| Command::OfferFile { to: talk.peer_id, path };
            action = Some(Action::AskAll(files.into_iter().map(offer).collect()));
        }
        if button(ui, Kind::Plain, None, word("file.not_send")).clicked() {
            writing.dropped.clear();
        }
    });
    ui.add_space(10.0);
    action
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Where a path is typed, in the conversation with this field.
pub fn path_field_of(field: Id) -> Id {
    field.with("path")
}

/// A field for a path, on systems without a file dialog.
fn path_ui(ui: &mut Ui, talk: &Talk<'_>, writing: &mut Writing) -> Option<Action> {
    let (what_for, path) = writing.path.as_mut()?;
    let (label, done) = match what_for {
        PathFor::Sending => (word("file.path"), word("file.send")),
        PathFor::Exporting => (word("chat.export_path"), word("chat.export_now")),
    };
    let ink = palette(ui).dim;
    ui.add(Label::new(RichText::new(label).font(theme::font(theme::SMALL)).color(ink)).wrap());
    ui.add_space(4.0);
    let width = ui.available_width();
    let mut wanted = field_ui(ui, path_field_of(talk.field), path, label, "", width).entered;
    ui.add_space(6.0);
    let mut closed = false;
    ui.horizontal(|ui| {
        wanted |= button(ui, Kind::Primary, None, done).clicked();
        closed = button(ui, Kind::Plain, None, word("file.not_send")).clicked();
    });
    ui.add_space(10.0);
    let typed = PathBuf::from(path.trim());
    let action = (wanted && !typed.as_os_str().is_empty()).then(|| {
        Action::Ask(match what_for {
            PathFor::Sending => Command::OfferFile { to: talk.peer_id, path: typed },
            PathFor::Exporting => Command::ExportHistory(typed),
        })
    });
    if closed || action.is_some() {
        writing.path = None;
    }
    action
}

fn send_button_ui(ui: &mut Ui) -> egui::Response {
    let palette = palette(ui);
    let (place, _) = ui.allocate_exact_size(vec2(48.0, theme::FIELD_HEIGHT), Sense::hover());
    let rect = Rect::from_center_size(place.center(), vec2(48.0, theme::BUTTON_HEIGHT));
    let response = ui.interact(rect, ui.scope_id().with("send"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), word("chat.send")));
    let fill =
        if response.hovered() { palette.accent.lerp_to_gamma(palette.text, 0.1) } else { palette.accent };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    let square = Rect::from_center_size(rect.center(), Vec2::splat(18.0));
    paint_icon(ui.painter(), Icon::Send, square, palette.accent_ink);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response.on_hover_text(word("chat.send"))
}
