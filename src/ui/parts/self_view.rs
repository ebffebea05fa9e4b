//! The small picture over the large one: in a corner, dragged to another, hidden, brought back.

use egui::{
    Align2, Event, Id, Key, Pos2, Rect, Role, Sense, Shadow, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
};

use super::avatar::{Dot, paint_avatar};
use super::button::focus_ring;
use super::icon::{Icon, paint_icon};
use super::picture_tile::{Fit, paint_picture};
use crate::ui::textures::Shown;
use crate::ui::theme;
use crate::ui::words::word;

/// A corner of the large picture.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Corner {
    /// Upper left.
    TopLeft,
    /// Upper right.
    TopRight,
    /// Lower left.
    BottomLeft,
    /// Lower right, as drawn.
    #[default]
    BottomRight,
}

impl Corner {
    /// The corner nearest to a point.
    fn nearest(area: Rect, at: Pos2) -> Self {
        match (at.x < area.center().x, at.y < area.center().y) {
            (true, true) => Self::TopLeft,
            (false, true) => Self::TopRight,
            (true, false) => Self::BottomLeft,
            (false, false) => Self::BottomRight,
        }
    }

    /// The corner beside this one, for an arrow key.
    fn towards(self, key: Key) -> Self {
        let (left, top) = (matches!(self, Self::TopLeft | Self::BottomLeft), self.is_top());
        let (left, top) = match key {
            Key::ArrowLeft => (true, top),
            Key::ArrowRight => (false, top),
            Key::ArrowUp => (left, true),
            Key::ArrowDown => (left, false),
            _ => (left, top),
        };
        match (left, top) {
            (true, true) => Self::TopLeft,
            (false, true) => Self::TopRight,
            (true, false) => Self::BottomLeft,
            (false, false) => Self::BottomRight,
        }
    }

    fn is_top(self) -> bool {
        matches!(self, Self::TopLeft | Self::TopRight)
    }

    /// Where a picture of this size lies: clear of the pills at the top and of the bar at the bottom.
    pub fn place(self, area: Rect, size: Vec2) -> Rect {
        let x = match self {
            Self::TopLeft | Self::BottomLeft => area.left() + SIDE,
            Self::TopRight | Self::BottomRight => area.right() - SIDE - size.x,
        };
        let y = if self.is_top() { area.top() + TOP } else { area.bottom() - BOTTOM - size.y };
        Rect::from_min_size(Pos2::new(x, y), size)
    }
}

/// What the person chose about the small picture; it outlasts a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelfView {
    /// Where it is.
    pub corner: Corner,
    /// It is not shown.
    pub hidden: bool,
    /// It shows the far end, and the large one shows us.
    pub swapped: bool,
    dragged: Option<Pos2>,
}

impl SelfView {
    /// For another call: the place stays, and the two pictures are where they usually are.
    pub fn for_next_call(&self) -> Self {
        Self { swapped: false, dragged: None, ..self.clone() }
    }
}

/// What the small picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Small<'a> {
    /// The picture, if one comes.
    pub picture: Option<Shown>,
    /// It is our own and shown as in a mirror.
    pub mirrored: bool,
    /// All of it is seen, with bars around it: a screen.
    pub whole: bool,
    /// Whom it shows without a picture; empty for ourselves.
    pub name: &'a str,
    /// What is said over its lower edge.
    pub note: Option<&'static str>,
}

/// Draws the small picture. True when the two are to be swapped.
pub fn self_view_ui(ui: &mut Ui, area: Rect, size: Vec2, small: Small<'_>, state: &mut SelfView) -> bool {
    if state.hidden {
        return false;
    }
    let home = state.corner.place(area, size);
    let id = ui.scope_id().with("self view");
    let rect = match state.dragged {
        Some(centre) => kept_inside(Rect::from_center_size(centre, size), area),
        None => Rect::from_min_size(gliding(ui, id, home.min, area), size),
    };
    let response = ui.interact(rect, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, word("self.label")));
    if response.drag_started() {
        state.dragged = Some(rect.center());
    }
    if let Some(centre) = &mut state.dragged {
        *centre += response.drag_delta();
        if response.drag_stopped() || !ui.input(|input| input.pointer.any_down()) {
            // Thrown, it goes where it was thrown to.
            let thrown = rect.center() + ui.input(|input| input.pointer.velocity()) * THROW;
            state.corner = Corner::nearest(area, thrown);
            state.dragged = None;
            start_from(ui, id, rect.min);
        }
    }
    paint(ui, rect, small);
    focus_ring(ui, &response, rect, f32::from(theme::PICTURE_RADIUS));
    if response.has_focus() {
        // Arrows move it instead of the focus.
        ui.memory_mut(|memory| {
            let filter =
                egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
            memory.set_focus_lock_filter(response.id, filter);
        });
        let arrow = ui.input(|input| input.events.iter().find_map(arrow_of));
        if let Some(key) = arrow {
            state.corner = state.corner.towards(key);
        }
    }
    let mut swap = response.double_clicked()
        || (response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)));
    if ui.rect_contains_pointer(rect) && state.dragged.is_none() {
        let buttons = [(Icon::Swap, word("self.swap")), (Icon::EyeOff, word("self.hide"))];
        for (place, (icon, label)) in buttons.into_iter().enumerate() {
            let square = Rect::from_min_size(
                Pos2::new(rect.right() - 34.0 * (place + 1) as f32, rect.top() + 6.0),
                Vec2::splat(28.0),
            );
            if small_button(ui, square, icon, label) {
                if icon == Icon::Swap { swap = true } else { state.hidden = true }
            }
        }
    }
    swap
}

fn paint(ui: &Ui, rect: Rect, small: Small<'_>) {
    let painter = ui.painter();
    let shadow = Shadow { offset: [0, 8], blur: 30, spread: 0, color: egui::Color32::from_black_alpha(0x88) };
    painter.add(shadow.as_shape(rect, theme::PICTURE_RADIUS));
    painter.rect_filled(rect, theme::PICTURE_RADIUS, theme::NO_PREVIEW);
    match small.picture {
        Some(picture) => {
            let fit = if small.whole { Fit::Whole } else { Fit::Fill };
            paint_picture(painter, picture, rect, fit, small.mirrored, theme::PICTURE_RADIUS);
        }
        None if small.name.is_empty() => {
            let text = word("call.own_camera_off");
            painter.text(
                rect.center(),
                Align2::CENTER_CENTER,
                text,
                theme::font(theme::SMALL),
                theme::GLASS_DIM,
            );
        }
        None => {
            let square = Rect::from_center_size(rect.center(), Vec2::splat(rect.height() * 0.55));
            paint_avatar(ui, square, small.name, Dot::None);
        }
    }
    if let Some(note) = small.note {
        let galley = painter.layout_no_wrap(note.to_owned(), theme::font(theme::SMALL), theme::WHITE);
        let size = galley.size() + Vec2::new(16.0, 8.0);
        let centre = Pos2::new(rect.center().x, rect.bottom() - 6.0 - size.y / 2.0);
        let pill = Rect::from_center_size(centre, size);
        painter.rect_filled(pill, pill.height() / 2.0, theme::glass(theme::CARD_ALPHA));
        painter.galley(pill.center() - galley.size() / 2.0, galley, theme::WHITE);
    }
    let line = Stroke::new(1.0, egui::Color32::from_white_alpha(0x30));
    painter.rect_stroke(rect, theme::PICTURE_RADIUS, line, StrokeKind::Inside);
}

/// A small round button on a picture.
pub fn small_button(ui: &mut Ui, rect: Rect, icon: Icon, label: &str) -> bool {
    let response = ui.interact(rect, ui.scope_id().with(("small", label)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), label));
    let fill = if response.hovered() { theme::ROUND } else { theme::glass(theme::PILL_ALPHA) };
    let radius = rect.height() / 2.0;
    ui.painter().rect(rect, radius, fill, theme::glass_line(), StrokeKind::Inside);
    let square = Rect::from_center_size(rect.center(), Vec2::splat(16.0));
    paint_icon(ui.painter(), icon, square, theme::WHITE);
    focus_ring(ui, &response, rect, radius);
    response.on_hover_text(label).clicked()
}

fn arrow_of(event: &Event) -> Option<Key> {
    let arrows = [Key::ArrowLeft, Key::ArrowRight, Key::ArrowUp, Key::ArrowDown];
    match event {
        Event::Key { key, pressed: true, .. } if arrows.contains(key) => Some(*key),
        _ => None,
    }
}

/// Where it is on its way to `target`. A window that changes its size takes it along at once.
fn gliding(ui: &Ui, id: Id, target: Pos2, area: Rect) -> Pos2 {
    let known = ui.data(|data| data.get_temp::<Rect>(id.with("area")));
    let seconds = if known == Some(area) { GLIDE } else { 0.0 };
    ui.data_mut(|data| data.insert_temp(id.with("area"), area));
    Pos2::new(
        ui.ctx().animate_value_with_time(id.with("x"), target.x, seconds),
        ui.ctx().animate_value_with_time(id.with("y"), target.y, seconds),
    )
}

fn start_from(ui: &Ui, id: Id, at: Pos2) {
    ui.ctx().animate_value_with_time(id.with("x"), at.x, 0.0);
    ui.ctx().animate_value_with_time(id.with("y"), at.y, 0.0);
}

fn kept_inside(rect: Rect, area: Rect) -> Rect {
    let room = area.size() - rect.size();
    let min = (rect.min - area.min).clamp(Vec2::ZERO, room.max(Vec2::ZERO));
    Rect::from_min_size(area.min + min, rect.size())
}

/// Space to the sides, in points.
const SIDE: f32 = 20.0;
/// Space above, for the pills.
const TOP: f32 = 64.0;
/// Space below, for the bar.
const BOTTOM: f32 = 112.0;
/// How long it glides into its corner, in seconds.
const GLIDE: f32 = 0.18;
/// How far a throw carries, in seconds of its speed.
const THROW: f32 = 0.12;

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::*;

    #[test]
    fn let_go_it_lies_in_the_nearest_corner() {
        let area = Rect::from_min_size(Pos2::ZERO, vec2(1000.0, 800.0));
        assert_eq!(Corner::nearest(area, Pos2::new(100.0, 100.0)), Corner::TopLeft);
        assert_eq!(Corner::nearest(area, Pos2::new(900.0, 500.0)), Corner::BottomRight);
        let place = Corner::BottomRight.place(area, vec2(240.0, 150.0));
        assert_eq!(place.max, Pos2::new(980.0, 688.0));
    }

    #[test]
    fn arrows_reach_every_corner() {
        assert_eq!(Corner::BottomRight.towards(Key::ArrowUp), Corner::TopRight);
        assert_eq!(Corner::TopRight.towards(Key::ArrowLeft), Corner::TopLeft);
        assert_eq!(Corner::TopLeft.towards(Key::ArrowDown), Corner::BottomLeft);
        assert_eq!(Corner::BottomLeft.towards(Key::ArrowRight), Corner::BottomRight);
    }
}
