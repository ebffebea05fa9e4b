//! A call in a small floating picture, while something else is looked at: it is dragged about, and a click goes back.

use egui::{
    Area, Id, Order, Pos2, Rect, Role, Sense, Shadow, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2,
};

use super::avatar::{Dot, paint_avatar};
use super::button::focus_ring;
use super::icon::Icon;
use super::picture_tile::{Fit, paint_picture};
use super::self_view::small_button;
use crate::call::Command;
use crate::call::view::UpCall;
use crate::ui::action::Action;
use crate::ui::clock::length;
use crate::ui::textures::Shown;
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// Where the tile is, from the lower right corner of the window, so that it stays there when the window changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TilePlace {
    from_corner: Vec2,
}

impl Default for TilePlace {
    fn default() -> Self {
        // Clear of the field in which one writes.
        Self { from_corner: vec2(20.0, 92.0) }
    }
}

/// Draws the tile over whatever is on screen.
pub fn call_tile_ui(ui: &Ui, call: &UpCall, picture: Option<Shown>, place: &mut TilePlace) -> Option<Action> {
    let screen = ui.ctx().content_rect();
    let size = if screen.width() < theme::NARROW { vec2(176.0, 132.0) } else { vec2(264.0, 190.0) };
    let room = (screen.size() - size - Vec2::splat(8.0)).max(Vec2::ZERO);
    let offset = place.from_corner.clamp(Vec2::splat(8.0).min(room), room);
    let rect = Rect::from_min_size(screen.right_bottom() - offset - size, size);
    let mut action = None;
    Area::new(Id::unique("call tile")).order(Order::Foreground).fixed_pos(rect.min).show(ui.ctx(), |ui| {
        let (_, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let label = word_with("tile.return", &[("name", &call.far.name)]);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        if response.dragged() {
            place.from_corner = offset - response.drag_delta();
        }
        if response.clicked() {
            action = Some(Action::ReturnToCall);
        }
        tile_ui(ui, rect, call, picture, &mut action);
        focus_ring(ui, &response, rect, f32::from(theme::PICTURE_RADIUS));
    });
    action
}

fn tile_ui(ui: &mut Ui, rect: Rect, call: &UpCall, picture: Option<Shown>, action: &mut Option<Action>) {
    let radius = theme::PICTURE_RADIUS;
    let shadow = Shadow { offset: [0, 8], blur: 30, spread: 0, color: egui::Color32::from_black_alpha(0x88) };
    ui.painter().add(shadow.as_shape(rect, radius));
    ui.painter().rect_filled(rect, radius, theme::NO_PICTURE);
    let strip = Rect::from_min_max(Pos2::new(rect.left(), rect.bottom() - 42.0), rect.max);
    match picture.filter(|_| call.far_video || call.far_shares) {
        Some(picture) => {
            let fit = if call.far_shares { Fit::Whole } else { Fit::Fill };
            paint_picture(ui.painter(), picture, rect, fit, false, radius);
        }
        None => {
            let middle = rect.center() - vec2(0.0, 18.0);
            paint_avatar(ui, Rect::from_center_size(middle, Vec2::splat(64.0)), &call.far.name, Dot::None);
        }
    }
    let foot = egui::CornerRadius { nw: 0, ne: 0, sw: radius, se: radius };
    ui.painter().rect_filled(strip, foot, theme::glass(theme::CARD_ALPHA));
    let mut words = format!("{}  {}", call.far.name, length(call.lasted));
    if call.silent_for.is_some() {
        words = word("tile.reconnecting").to_owned();
    }
    let room = strip.width() - 116.0;
    let mut job = egui::text::LayoutJob::simple_singleline(words, theme::font(theme::SMALL), theme::WHITE);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room);
    let galley = ui.painter().layout_job(job);
    let at = Pos2::new(strip.left() + 12.0, strip.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme::WHITE);
    let mut square = Rect::from_center_size(strip.right_center() - vec2(24.0, 0.0), Vec2::splat(30.0));
    if small_button(ui, square, Icon::HangUp, word("call.hang_up")) {
        *action = Some(Action::Ask(Command::HangUp));
    }
    square = square.translate(vec2(-36.0, 0.0));
    let (icon, label) = if call.muted {
        (Icon::MicrophoneOff, word("call.unmute"))
    } else {
        (Icon::Microphone, word("call.mute"))
    };
    if call.has_microphone && small_button(ui, square, icon, label) {
        *action = Some(Action::Ask(Command::SetMuted(!call.muted)));
    }
    square = square.translate(vec2(-36.0, 0.0));
    if small_button(ui, square, Icon::FullScreen, word("tile.open")) {
        *action = Some(Action::ReturnToCall);
    }
    let line = Stroke::new(1.0, egui::Color32::from_white_alpha(0x30));
    ui.painter().rect_stroke(rect, radius, line, StrokeKind::Inside);
}
