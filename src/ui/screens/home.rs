//! The list: ourselves, whom to call, what was written, who is here. What is chosen in it shows beside it.

use egui::{
    Align, CentralPanel, Frame, Id, Key, Label, Layout, Margin, Modifiers, Panel, Pos2, Rect, RichText, Role,
    ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use crate::call::view::{OwnCard, ServerState};
use crate::call::{ClientView, Command, PeerId};
use crate::ui::action::Action;
use crate::ui::parts::avatar::{Dot, avatar_ui, paint_avatar};
use crate::ui::parts::button::{Kind, button, button_sized, button_width, focus_ring, icon_button, link};
use crate::ui::parts::chat::summary;
use crate::ui::parts::field::field_ui;
use crate::ui::parts::icon::Icon;
use crate::ui::parts::typed::whom_problem;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the person typed, and what stays for a moment.
#[derive(Clone, Debug, Default)]
pub struct HomeInputs {
    whom: String,
    /// Until when "Copied" shows, in seconds of the window's clock.
    pub copied_until: f64,
}

impl HomeInputs {
    /// With something to dial written already.
    pub fn dialling(whom: String) -> Self {
        Self { whom, ..Self::default() }
    }
}

/// Draws the list into the room it is given. `selected` is whose conversation is open.
pub fn list_ui(
    ui: &mut Ui,
    view: &ClientView,
    selected: Option<PeerId>,
    inputs: &mut HomeInputs,
) -> Option<Action> {
    let palette = palette(ui);
    let mut action = None;
    ui.painter().rect_filled(ui.max_rect(), 0.0, palette.panel);
    ui.spacing_mut().item_spacing.y = 0.0;
    Frame::new()
        .inner_margin(Margin::same(16))
        .show(ui, |ui| own_card_ui(ui, &view.own, inputs, &mut action));
    let line = ui.cursor().top();
    ui.painter().hline(ui.max_rect().x_range(), line, Stroke::new(1.0, palette.line));
    Frame::new()
        .inner_margin(Margin { left: 16, right: 16, top: 12, bottom: 4 })
        .show(ui, |ui| call_line_ui(ui, &view.own, inputs, &mut action));
    ScrollArea::vertical().id_salt("people").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if !view.conversations.is_empty() {
            section_ui(ui, word("home.conversations"));
        }
        for conversation in view.conversations.iter() {
            let online = view.people.iter().any(|person| person.peer_id == conversation.peer_id);
            let item = Item {
                name: &conversation.name,
                below: conversation.lines.last().map(summary),
                online,
                unread: conversation.unread,
                selected: selected == Some(conversation.peer_id),
            };
            if item_ui(ui, &item) {
                action = Some(Action::OpenConversation(conversation.peer_id));
            }
        }
        section_ui(ui, word("home.people"));
        for person in view.people.iter() {
            let known = view.conversations.iter().any(|other| other.peer_id == person.peer_id);
            let chosen = selected == Some(person.peer_id) && !known;
            person_ui(ui, &person.name, person.peer_id, chosen, &mut action);
        }
        // Who is there is known only while the server tells.
        if view.people.is_empty() && view.own.server_state == ServerState::Connected {
            Frame::new().inner_margin(Margin::symmetric(16, 4)).show(ui, |ui| {
                let text =
                    RichText::new(word("home.nobody")).font(theme::font(theme::SMALL)).color(palette.faint);
                ui.add(Label::new(text).wrap());
            });
        }
        ui.add_space(12.0);
    });
    action
}

/// Draws what stands beside the list while nothing is chosen.
pub fn start_ui(ui: &mut Ui, own: &OwnCard, copied: bool) -> Option<Action> {
    let palette = palette(ui);
    let mut action = None;
    CentralPanel::no_frame().frame(Frame::new().fill(palette.bg).inner_margin(24.0)).show(ui, |ui| {
        let height = ui.available_height();
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.set_max_width(ui.available_width().min(460.0));
            ui.add_space((height / 2.0 - 110.0).max(16.0));
            let title = RichText::new(word("home.start_title")).font(theme::strong(20.0));
            ui.add(Label::new(title).wrap().halign(Align::Center));
            ui.add_space(6.0);
            let centred =
                |text| Label::new(RichText::new(text).color(palette.dim)).wrap().halign(Align::Center);
            ui.add(centred(word("home.start_text")));
            ui.add_space(18.0);
            if let Some(id) = own.peer_id {
                ui.add(centred(word("home.start_id")));
                ui.add_space(6.0);
                ui.label(RichText::new(id.short()).font(theme::mono(13.0)).color(palette.text));
                ui.add_space(8.0);
                let (icon, label) = if copied {
                    (Icon::Tick, word("own.copied"))
                } else {
                    (Icon::Copy, word("home.copy_id"))
                };
                if button(ui, Kind::Plain, Some(icon), label).clicked() {
                    action = Some(Action::CopyPeerId);
                }
            }
        });
    });
    action
}

/// What is wrong with the server, and what can be done; `None` while all is well.
pub fn server_problem_words(own: &OwnCard) -> Option<String> {
    match &own.server_state {
        ServerState::NameRefused(why) => Some(word_with("problem.refused", &[("why", why.trim())])),
        ServerState::Unreachable { .. } => Some(word("problem.unreachable").to_owned()),
        ServerState::Off | ServerState::Connecting | ServerState::Connected => None,
    }
}

/// Draws that as a strip above everything.
pub fn server_problem_ui(ui: &mut Ui, own: &OwnCard) -> Option<Action> {
    let sentence = server_problem_words(own)?;
    let palette = palette(ui);
    let mut action = None;
    Panel::top("server problem")
        .resizable(false)
        .frame(Frame::new().fill(palette.raised).inner_margin(Margin::symmetric(16, 8)))
        .show(ui, |ui| {
            ui.spacing_mut().interact_size.y = 0.0;
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(sentence).font(theme::font(13.0)).color(palette.bad_text));
                if link(ui, word("own.reconnect")).clicked() {
                    action = Some(Action::Ask(Command::Reconnect));
                }
                if link(ui, word("own.settings")).clicked() {
                    action = Some(Action::OpenSettings);
                }
            });
        });
    action
}

fn server_words(own: &OwnCard) -> (String, Dot) {
    let server = if own.server.is_empty() { word("own.server_built_in") } else { &own.server };
    match &own.server_state {
        ServerState::Off => (word("own.off").to_owned(), Dot::Offline),
        ServerState::Connecting => (word_with("own.connecting", &[("server", server)]), Dot::Between),
        ServerState::Connected => (word_with("own.online", &[("server", server)]), Dot::Online),
        ServerState::NameRefused(_) => (word("own.refused").to_owned(), Dot::Offline),
        ServerState::Unreachable { retry_in } if retry_in.is_zero() => {
            (word("own.trying").to_owned(), Dot::Between)
        }
        ServerState::Unreachable { retry_in } => {
            let seconds = retry_in.as_secs().to_string();
            (word_with("own.unreachable", &[("seconds", &seconds)]), Dot::Offline)
        }
    }
}

fn own_card_ui(ui: &mut Ui, own: &OwnCard, inputs: &HomeInputs, action: &mut Option<Action>) {
    let palette = palette(ui);
    let (server, dot) = server_words(own);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        avatar_ui(ui, &own.name, 40.0, dot);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, Icon::Settings, word("own.settings")).clicked() {
                *action = Some(Action::OpenSettings);
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 3.0;
                ui.add_space(2.0);
                ui.add(Label::new(RichText::new(&own.name).font(theme::strong(theme::BODY))).truncate());
                let server = RichText::new(server).font(theme::font(theme::SMALL)).color(palette.dim);
                ui.add(Label::new(server).truncate());
            });
        });
    });
    ui.add_space(12.0);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 38.0), Sense::hover());
    ui.painter().rect(rect, theme::RADIUS, palette.bg, Stroke::new(1.0, palette.line), StrokeKind::Inside);
    let row = rect.shrink2(vec2(11.0, 0.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(row).layout(Layout::left_to_right(Align::Center)));
    let ui = &mut child;
    let Some(id) = own.peer_id else {
        ui.label(RichText::new(word("own.no_id")).font(theme::font(theme::SMALL)).color(palette.faint));
        return;
    };
    ui.label(RichText::new(id.short()).font(theme::mono(theme::SMALL)).color(palette.text))
        .on_hover_text(id.to_string());
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let copied = ui.input(|input| input.time) < inputs.copied_until;
        let icon = if copied { Icon::Tick } else { Icon::Copy };
        if icon_button(ui, icon, word("own.copy")).clicked() {
            *action = Some(Action::CopyPeerId);
        }
        if copied {
            ui.label(RichText::new(word("own.copied")).font(theme::font(theme::SMALL)).color(palette.dim));
        }
    });
}

fn call_line_ui(ui: &mut Ui, own: &OwnCard, inputs: &mut HomeInputs, action: &mut Option<Action>) {
    let palette = palette(ui);
    let problem = whom_problem(&inputs.whom, own.peer_id);
    let field = Id::unique("whom");
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::L)) {
        ui.memory_mut(|memory| memory.request_focus(field));
    }
    let mut wanted = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let width = ui.available_width() - 10.0 - button_width(ui, word("home.call"), 12.0);
        let label = word("home.whom");
        wanted |= field_ui(ui, field, &mut inputs.whom, label, label, width).entered;
        let button = button_sized(ui, Kind::Primary, None, word("home.call"), theme::FIELD_HEIGHT, 12.0);
        wanted |= button.clicked();
    });
    let whom = inputs.whom.trim();
    if wanted && problem.is_none() && !whom.is_empty() {
        *action = Some(Action::Ask(Command::Call { whom: whom.to_owned(), with_video: true }));
    }
    if let Some(problem) = problem {
        ui.add_space(6.0);
        let text = RichText::new(problem).font(theme::font(theme::SMALL)).color(palette.bad_text);
        ui.add(Label::new(text).wrap());
    }
}

fn section_ui(ui: &mut Ui, title: &str) {
    let ink = palette(ui).faint;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, title));
    let mut job = egui::text::LayoutJob::default();
    let mut format = egui::TextFormat::simple(theme::strong(theme::TINY), ink);
    format.extra_letter_spacing = 0.66;
    job.append(&title.to_uppercase(), 0.0, format);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(Pos2::new(rect.left() + 16.0, rect.bottom() - 7.0 - galley.size().y), galley, ink);
}

struct Item<'a> {
    name: &'a str,
    below: Option<String>,
    online: bool,
    unread: usize,
    selected: bool,
}

fn item_ui(ui: &mut Ui, item: &Item<'_>) -> bool {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::click());
    response.widget_info(|| {
        let mut label = word_with("home.open", &[("name", item.name)]);
        if item.unread > 0 {
            label = format!("{label}, {}", word_with("home.unread", &[("count", &item.unread.to_string())]));
        }
        WidgetInfo::selected(Role::Button, true, item.selected, label)
    });
    paint_row(ui, rect, item.selected, response.hovered());
    let dot = if item.online { Dot::Online } else { Dot::Offline };
    let avatar = Rect::from_min_size(rect.min + vec2(16.0, 8.0), Vec2::splat(40.0));
    paint_avatar(ui, avatar, item.name, dot);
    let mut right = rect.right() - 16.0;
    if item.unread > 0 {
        let count = if item.unread > 99 { "99+".to_owned() } else { item.unread.to_string() };
        let galley = ui.painter().layout_no_wrap(count, theme::strong(theme::TINY), palette.accent_ink);
        let width = (galley.size().x + 12.0).max(18.0);
        let badge = Rect::from_min_size(Pos2::new(right - width, rect.center().y - 9.0), vec2(width, 18.0));
        ui.painter().rect_filled(badge, 9.0, palette.accent);
        ui.painter().galley(badge.center() - galley.size() / 2.0, galley, palette.accent_ink);
        right -= width + 8.0;
    }
    let name_font =
        if item.selected || item.unread > 0 { theme::strong(theme::BODY) } else { theme::font(theme::BODY) };
    let left = avatar.right() + 12.0;
    let width = right - left;
    let name = one_line(ui, item.name, name_font, palette.text, width);
    match &item.below {
        Some(below) => {
            let below = one_line(ui, below, theme::font(theme::SMALL), palette.dim, width);
            ui.painter().galley(Pos2::new(left, rect.top() + 10.0), name, palette.text);
            ui.painter().galley(Pos2::new(left, rect.top() + 31.0), below, palette.dim);
        }
        None => {
            let at = Pos2::new(left, rect.center().y - name.size().y / 2.0);
            ui.painter().galley(at, name, palette.text);
        }
    }
    focus_ring(ui, &response, rect.shrink(4.0), 6.0);
    response.clicked()
}

fn person_ui(ui: &mut Ui, name: &str, peer: PeerId, selected: bool, action: &mut Option<Action>) {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 48.0), Sense::click());
    response.widget_info(|| {
        let label = word_with("home.open", &[("name", name)]);
        WidgetInfo::selected(Role::Button, true, selected, label)
    });
    paint_row(ui, rect, selected, response.hovered());
    let avatar = Rect::from_min_size(rect.min + vec2(16.0, 8.0), Vec2::splat(32.0));
    paint_avatar(ui, avatar, name, Dot::Online);
    let left = avatar.right() + 12.0;
    let width = rect.right() - 52.0 - left;
    let galley = one_line(ui, name, theme::font(theme::BODY), palette.text, width);
    ui.painter().galley(Pos2::new(left, rect.center().y - galley.size().y / 2.0), galley, palette.text);
    focus_ring(ui, &response, rect.shrink(4.0), 6.0);
    if response.clicked() {
        *action = Some(Action::OpenConversation(peer));
    }
    let place = Rect::from_center_size(Pos2::new(rect.right() - 25.0, rect.center().y), Vec2::splat(28.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(place));
    if icon_button(&mut child, Icon::Phone, &word_with("home.call_person", &[("name", name)])).clicked() {
        *action = Some(Action::Ask(Command::Call { whom: peer.to_string(), with_video: true }));
    }
}

fn paint_row(ui: &Ui, rect: Rect, selected: bool, hovered: bool) {
    let palette = palette(ui);
    if selected {
        ui.painter().rect_filled(rect, 0.0, palette.raised);
        let mark = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
        ui.painter().rect_filled(mark, 0.0, palette.accent);
    } else if hovered {
        ui.painter().rect_filled(rect, 0.0, palette.raised.gamma_multiply(0.6));
    }
}

/// Text on one line, its end cut when there is no room.
fn one_line(
    ui: &Ui,
    text: &str,
    font: egui::FontId,
    ink: egui::Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(20.0));
    ui.painter().layout_job(job)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_try_under_way_counts_no_seconds() {
        let words = |seconds| {
            let server_state = ServerState::Unreachable { retry_in: Duration::from_secs(seconds) };
            server_words(&OwnCard { server_state, ..OwnCard::default() }).0
        };
        assert_eq!(words(0), word("own.trying"));
        assert_eq!(words(3), word_with("own.unreachable", &[("seconds", "3")]));
    }
}
