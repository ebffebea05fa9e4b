//! One entry of the list: drawn, opened, called, renamed, blocked or removed, with the pointer or the keyboard.

use std::sync::Arc;

use egui::{
    Align, Color32, FontId, Galley, Id, Key, Label, Layout, Modifiers, Pos2, Rect, RichText, Role, Sense,
    Stroke, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use super::list::{Entry, Nobody, Row, Section};
use crate::call::view::Presence;
use crate::call::{Command, PeerId};
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::avatar::paint_avatar;
use crate::ui::parts::button::{focus_ring, icon_button};
use crate::ui::parts::field::field_ui;
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::menu::{context_menu, item};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

type Renaming = Option<(PeerId, String)>;

pub(super) fn entry_ui(
    ui: &mut Ui,
    rect: Rect,
    entry: &Entry,
    selected: Option<PeerId>,
    renaming: &mut Renaming,
    clock: &Clock,
) -> Option<Action> {
    match entry {
        Entry::Heading(section) => {
            heading_ui(ui, rect, *section);
            None
        }
        Entry::Nobody(why) => {
            let words = match why {
                Nobody::OnServer => word("home.nobody"),
                Nobody::Found => word("home.nobody_found"),
            };
            let text = RichText::new(words).font(theme::font(theme::SMALL)).color(palette(ui).faint);
            let place = rect.shrink2(vec2(16.0, 4.0));
            ui.new_child(UiBuilder::new().max_rect(place)).add(Label::new(text).wrap());
            None
        }
        Entry::Row(row) => {
            // The same person has the same place in the keyboard's order wherever the list was scrolled to.
            let builder = UiBuilder::new().id_salt(row.peer.0).max_rect(rect);
            let mut child = ui.new_child(builder.layout(Layout::top_down(Align::Min)));
            if renaming.as_ref().is_some_and(|(peer, _)| *peer == row.peer) {
                rename_ui(&mut child, rect, renaming)
            } else {
                row_ui(&mut child, rect, row, selected == Some(row.peer), renaming, clock)
            }
        }
    }
}

fn heading_ui(ui: &mut Ui, rect: Rect, section: Section) {
    let title = match section {
        Section::Conversations => word("home.conversations"),
        Section::Contacts => word("home.contacts"),
        Section::Nearby => word("home.nearby"),
        Section::People => word("home.people"),
        Section::Blocked => word("home.blocked_people"),
    };
    let ink = palette(ui).faint;
    let response = ui.interact(rect, ui.scope_id().with(title), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, title));
    let mut job = egui::text::LayoutJob::default();
    let mut format = egui::TextFormat::simple(theme::strong(theme::TINY), ink);
    format.extra_letter_spacing = 0.66;
    job.append(&title.to_uppercase(), 0.0, format);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(Pos2::new(rect.left() + 16.0, rect.bottom() - 7.0 - galley.size().y), galley, ink);
}

fn rename_ui(ui: &mut Ui, rect: Rect, renaming: &mut Renaming) -> Option<Action> {
    let (peer, name) = renaming.as_mut()?;
    let peer = *peer;
    let field = Id::unique(("rename", peer.0));
    let begun = field.with("begun");
    if ui.data(|data| data.get_temp::<bool>(begun)).is_none() {
        ui.data_mut(|data| data.insert_temp(begun, true));
        ui.memory_mut(|memory| memory.request_focus(field));
    }
    let place = rect.shrink2(vec2(16.0, 6.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(place));
    let label = word("home.new_name");
    let typed = field_ui(&mut child, field, name, label, label, place.width());
    let given_up = ui.input(|input| input.key_pressed(Key::Escape));
    if !typed.entered && !typed.response.lost_focus() && !given_up {
        return None;
    }
    ui.data_mut(|data| data.remove_temp::<bool>(begun));
    let name = renaming.take().map(|(_, name)| name.trim().to_owned()).unwrap_or_default();
    (!given_up && !name.is_empty()).then_some(Action::Ask(Command::RenameContact { peer, name }))
}

fn row_ui(
    ui: &mut Ui,
    rect: Rect,
    row: &Row,
    selected: bool,
    renaming: &mut Renaming,
    clock: &Clock,
) -> Option<Action> {
    let response = ui.interact(rect, ui.scope_id().with("row"), Sense::click());
    let below = below_words(row, clock);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, spoken(row, &below.0)));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    paint(ui, rect, row, selected, response.hovered(), &below, clock);
    focus_ring(ui, &response, rect.shrink(4.0), 6.0);
    let mut action = response.clicked().then_some(Action::OpenConversation(row.peer));
    if row.small && !row.blocked {
        let place =
            Rect::from_center_size(Pos2::new(rect.right() - 25.0, rect.center().y), Vec2::splat(28.0));
        let mut child = ui.new_child(UiBuilder::new().max_rect(place));
        let label = word_with("home.call_person", &[("name", &row.name)]);
        if icon_button(&mut child, Icon::Phone, &label).clicked() {
            action = Some(call(row.peer, true));
        }
    }
    if response.has_focus() && row.contact {
        let (rename, remove) = ui.input_mut(|input| {
            let plain = Modifiers::NONE;
            (input.consume_key(plain, Key::F2), input.consume_key(plain, Key::Delete))
        });
        if rename {
            *renaming = Some((row.peer, row.name.clone()));
        }
        if remove {
            action = Some(Action::RemoveContact { peer: row.peer, name: row.name.clone() });
        }
    }
    context_menu(ui, &response, |ui| menu_ui(ui, row, renaming)).flatten().or(action)
}

fn menu_ui(ui: &mut Ui, row: &Row, renaming: &mut Renaming) -> Option<Action> {
    let peer = row.peer;
    let mut action = None;
    if item(ui, word("home.ask_write")) {
        action = Some(Action::OpenConversation(peer));
    }
    if item(ui, word("home.ask_video")) {
        action = Some(call(peer, true));
    }
    if item(ui, word("home.ask_audio")) {
        action = Some(call(peer, false));
    }
    ui.separator();
    if row.contact {
        if item(ui, word("home.rename")) {
            *renaming = Some((peer, row.name.clone()));
        }
    } else if item(ui, word("home.add")) {
        let name = row.name.clone();
        action = Some(Action::Ask(Command::AddContact { peer, name, server: None }));
    }
    if item(ui, word("home.copy_their_id")) {
        action = Some(Action::CopyText(peer.to_string()));
    }
    ui.separator();
    let block = if row.blocked { word("home.unblock") } else { word("home.block") };
    if item(ui, block) {
        action = Some(Action::Ask(Command::SetBlocked { peer, blocked: !row.blocked }));
    }
    if row.contact && item(ui, word("home.remove")) {
        action = Some(Action::RemoveContact { peer, name: row.name.clone() });
    }
    action
}

fn call(peer: PeerId, with_video: bool) -> Action {
    Action::Ask(Command::Call { whom: peer.to_string(), with_video })
}

/// What stands below the name, and whether it is in the colour of missed calls.
fn below_words(row: &Row, clock: &Clock) -> (String, bool) {
    if row.blocked {
        return (word("home.blocked").to_owned(), false);
    }
    if row.typing {
        return (word("home.typing").to_owned(), false);
    }
    match (&row.last, row.presence) {
        (Some(last), _) if row.missed => {
            let when = row.at.map(|at| clock.when_short(at)).unwrap_or_default();
            (word_with("home.missed", &[("call", last), ("when", &when)]), true)
        }
        // What somebody is doing matters more than what they wrote, while it keeps one from calling them.
        (Some(last), Presence::InCall | Presence::DoNotDisturb) if row.unread == 0 => {
            (word_with("home.doing", &[("presence", presence_words(row.presence)), ("last", last)]), false)
        }
        (Some(last), _) => (last.clone(), false),
        (None, presence) => (presence_words(presence).to_owned(), false),
    }
}

fn presence_words(presence: Presence) -> &'static str {
    crate::ui::screens::conversation::presence_words(presence)
}

/// What a screen reader says: everything that is drawn, colours and shapes included.
fn spoken(row: &Row, below: &str) -> String {
    let mut words = vec![word_with("home.open", &[("name", &row.name)])];
    if !row.blocked {
        words.push(presence_words(row.presence).to_owned());
    }
    if row.verified {
        words.push(word("home.verified").to_owned());
    }
    if row.unread > 0 {
        words.push(word_with("home.unread", &[("count", &row.unread.to_string())]));
    }
    if !words.iter().any(|known| known == below) {
        words.push(below.to_owned());
    }
    words.join(", ")
}

fn paint(
    ui: &Ui,
    rect: Rect,
    row: &Row,
    selected: bool,
    hovered: bool,
    below: &(String, bool),
    clock: &Clock,
) {
    let palette = palette(ui);
    if selected {
        ui.painter().rect_filled(rect, 0.0, palette.raised);
        let mark = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
        ui.painter().rect_filled(mark, 0.0, palette.accent);
    } else if hovered {
        ui.painter().rect_filled(rect, 0.0, palette.raised.gamma_multiply(0.6));
    }
    let size = if row.small { 32.0 } else { 40.0 };
    let avatar = Rect::from_min_size(rect.min + vec2(16.0, 8.0), Vec2::splat(size));
    paint_avatar(ui, avatar, &row.name, row.presence.into());
    let left = avatar.right() + 12.0;
    let mut right = rect.right() - if row.small && !row.blocked { 52.0 } else { 16.0 };
    if row.blocked {
        let square = Rect::from_center_size(Pos2::new(right - 8.0, rect.center().y), Vec2::splat(16.0));
        paint_icon(ui.painter(), Icon::Blocked, square, palette.faint);
        right -= 24.0;
    }
    let strong = selected || row.unread > 0;
    let font = if strong { theme::strong(theme::BODY) } else { theme::font(theme::BODY) };
    if row.small {
        let name = one_line(ui, &row.name, font, palette.text, right - left);
        ui.painter().galley(Pos2::new(left, rect.top() + 6.0), name, palette.text);
        // In words too: not everybody tells the dots apart.
        let text = one_line(ui, &below.0, theme::font(theme::SMALL), palette.dim, right - left);
        ui.painter().galley(Pos2::new(left, rect.top() + 26.0), text, palette.dim);
        return;
    }
    let mut top_right = right;
    if let Some(at) = row.at.filter(|_| !row.missed) {
        let when = one_line(ui, &clock.when_short(at), theme::font(theme::TINY), palette.faint, 90.0);
        top_right -= when.size().x;
        ui.painter().galley(Pos2::new(top_right, rect.top() + 12.0), when, palette.faint);
        top_right -= 8.0;
    }
    let mark = if row.verified { 18.0 } else { 0.0 };
    let name = one_line(ui, &row.name, font, palette.text, top_right - left - mark);
    if row.verified {
        let at = Pos2::new(left + name.size().x + 12.0, rect.top() + 19.0);
        paint_icon(ui.painter(), Icon::Shield, Rect::from_center_size(at, Vec2::splat(15.0)), palette.dim);
    }
    ui.painter().galley(Pos2::new(left, rect.top() + 10.0), name, palette.text);
    let mut bottom_right = right;
    if row.unread > 0 {
        bottom_right -= badge(ui, right, rect.top() + 38.0, row.unread) + 8.0;
    }
    let ink = if below.1 {
        palette.bad_text
    } else if row.typing {
        palette.accent
    } else {
        palette.dim
    };
    let mut from = left;
    if below.1 {
        let at = Pos2::new(left + 7.0, rect.top() + 38.0);
        paint_icon(ui.painter(), Icon::HangUp, Rect::from_center_size(at, Vec2::splat(14.0)), ink);
        from += 19.0;
    }
    let text = one_line(ui, &below.0, theme::font(theme::SMALL), ink, bottom_right - from);
    ui.painter().galley(Pos2::new(from, rect.top() + 31.0), text, ink);
}

/// How many were not read. Its width, in points.
fn badge(ui: &Ui, right: f32, middle: f32, unread: usize) -> f32 {
    let palette = palette(ui);
    let count = if unread > 99 { "99+".to_owned() } else { unread.to_string() };
    let galley = ui.painter().layout_no_wrap(count, theme::strong(theme::TINY), palette.accent_ink);
    let width = (galley.size().x + 12.0).max(18.0);
    let badge = Rect::from_min_size(Pos2::new(right - width, middle - 9.0), vec2(width, 18.0));
    ui.painter().rect(badge, 9.0, palette.accent, Stroke::NONE, egui::StrokeKind::Inside);
    ui.painter().galley(badge.center() - galley.size() / 2.0, galley, palette.accent_ink);
    width
}

/// Text on one line, its end cut when there is no room.
fn one_line(ui: &Ui, text: &str, font: FontId, ink: Color32, width: f32) -> Arc<Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(20.0));
    ui.painter().layout_job(job)
}
