//! A card in the middle of the window, over a darkened screen.

use egui::accesskit::Role;
use egui::{Align, Area, Frame, Id, Layout, Margin, Order, Rect, Sense, Stroke, Ui, UiBuilder, vec2};

use crate::ui::theme::{self, palette};

/// Draws `content` on a card of at most this width, centred, everything in a middle column. Nothing behind it can be pressed.
pub fn card_ui<R>(ui: &mut Ui, id: &str, width: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = palette(ui);
    let screen = ui.ctx().content_rect();
    let width = width.min(screen.width() - 24.0);
    let padding = if width < 400.0 { 20 } else { 36 };
    let id = Id::unique(id);
    Area::new(id.with("scrim")).order(Order::Middle).fixed_pos(screen.min).show(ui.ctx(), |ui| {
        // It takes clicks, and neither the focus nor a place among what is read aloud.
        let scrim = ui.allocate_rect(screen, Sense::CLICK | Sense::DRAG);
        ui.ctx().accesskit_node_builder(scrim.id, |node| node.set_hidden());
        ui.painter().rect_filled(screen, 0.0, theme::SCRIM);
    });
    Area::new(id)
        .order(Order::Foreground)
        .anchor(egui::Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ui.ctx(), |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                node.set_role(Role::Dialog);
                node.set_modal();
            });
            Frame::new()
                .fill(palette.panel)
                .stroke(Stroke::new(1.0, palette.line))
                .corner_radius(theme::CARD_RADIUS)
                .inner_margin(Margin::same(padding))
                .show(ui, |ui| {
                    // The line around the card takes a point on each side.
                    ui.set_width(width - 2.0 * f32::from(padding) - 2.0);
                    ui.with_layout(Layout::top_down(Align::Center), content).inner
                })
                .inner
        })
        .inner
}

/// A row of buttons in the middle. Its width is what it was last time, so that it can be centred.
pub fn centred_row<R>(ui: &mut Ui, id: &str, spacing: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.scope_id().with(id);
    let known = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(0.0);
    let room = ui.available_width();
    let left = ((room - known) / 2.0).max(0.0);
    let start = ui.cursor().min + vec2(left, 0.0);
    let space = Rect::from_min_size(start, vec2(room - left, 44.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(space).layout(Layout::left_to_right(Align::Min)));
    child.spacing_mut().item_spacing.x = spacing;
    if known == 0.0 {
        child.set_invisible();
    }
    let result = content(&mut child);
    let used = child.min_rect();
    ui.advance_cursor_after_rect(Rect::from_min_size(ui.cursor().min, vec2(room, used.height())));
    if (used.width() - known).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(id, used.width()));
        ui.ctx().request_repaint();
    }
    result
}
