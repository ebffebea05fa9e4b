//! A row that can be pressed, in the small cards over a call: an icon, words, a key or a tick at its end.

use egui::{Pos2, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::button::focus_ring;
use super::icon::{Icon, paint_icon};
use crate::ui::theme::{self, palette};

/// A row with words, `chosen` with a tick before them; as wide as told, in points.
pub fn list_row(ui: &mut Ui, icon: Option<Icon>, label: &str, chosen: bool, width: f32) -> Response {
    row(ui, if chosen { Some(Icon::Tick) } else { icon }, label, "", width, Some(chosen))
}

/// A row that does something, with its key at the end.
pub fn action_row(ui: &mut Ui, icon: Icon, label: &str, key: &str, width: f32) -> Response {
    row(ui, Some(icon), label, key, width, None)
}

fn row(
    ui: &mut Ui,
    icon: Option<Icon>,
    label: &str,
    key: &str,
    width: f32,
    chosen: Option<bool>,
) -> Response {
    let palette = palette(ui);
    let key = ui.painter().layout_no_wrap(key.to_owned(), theme::mono(theme::TINY), palette.faint);
    let left = if icon.is_some() || chosen.is_some() { 34.0 } else { 12.0 };
    let room = (width - left - 18.0 - key.size().x).max(40.0);
    let words = ui.painter().layout(label.to_owned(), theme::font(13.5), palette.text, room);
    let (rect, response) = ui.allocate_exact_size(vec2(width, words.size().y + 14.0), Sense::click());
    response.widget_info(|| match chosen {
        Some(chosen) => WidgetInfo::selected(Role::Button, ui.is_enabled(), chosen, label),
        None => WidgetInfo::labeled(Role::Button, ui.is_enabled(), label),
    });
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, theme::RADIUS, palette.raised);
    }
    let ink = if ui.is_enabled() { palette.text } else { palette.faint };
    if let Some(icon) = icon {
        let square =
            Rect::from_center_size(Pos2::new(rect.left() + 17.0, rect.center().y), Vec2::splat(17.0));
        paint_icon(ui.painter(), icon, square, ink);
    }
    let at = Pos2::new(rect.left() + left, rect.center().y - words.size().y / 2.0);
    ui.painter().galley_with_override_text_color(at, words, ink);
    let at = Pos2::new(rect.right() - 10.0 - key.size().x, rect.center().y - key.size().y / 2.0);
    ui.painter().galley(at, key, palette.faint);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response
}
