//! How loud a microphone is, as a bar.

use egui::{Color32, Mesh, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::ui::theme::{self, palette};
use crate::ui::words::word;

/// A bar as wide as there is room; `level` goes from 0 to 1.
pub fn level_meter_ui(ui: &mut Ui, level: f32) {
    let palette = palette(ui);
    let level = level.clamp(0.0, 1.0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, word("device.level"));
        info.value = Some(f64::from((level * 20.0).round() * 5.0));
        info
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(100.0);
    });
    ui.painter().rect_filled(rect, 4.0, palette.bg);
    let inner = rect.shrink(1.0);
    let end = inner.left() + inner.width() * level;
    let stops = [(0.0, theme::OK), (0.62, theme::OK), (0.82, theme::WARN), (1.0, theme::BAD)];
    let mut mesh = Mesh::default();
    for pair in stops.windows(2) {
        let [(from, one), (to, other)] = pair else { continue };
        let x0 = inner.left() + inner.width() * from;
        let x1 = inner.left() + inner.width() * to;
        if x0 >= end {
            break;
        }
        let shown = ((end.min(x1) - x0) / (x1 - x0)).clamp(0.0, 1.0);
        quad(
            &mut mesh,
            Rect::from_x_y_ranges(x0..=end.min(x1), inner.y_range()),
            *one,
            one.lerp_to_gamma(*other, shown),
        );
    }
    ui.painter().add(Shape::mesh(mesh));
    ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, palette.line), StrokeKind::Inside);
}

fn quad(mesh: &mut Mesh, rect: Rect, left: Color32, right: Color32) {
    let first = mesh.vertices.len() as u32;
    mesh.colored_vertex(rect.left_top(), left);
    mesh.colored_vertex(pos2(rect.right(), rect.top()), right);
    mesh.colored_vertex(rect.right_bottom(), right);
    mesh.colored_vertex(pos2(rect.left(), rect.bottom()), left);
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first, first + 2, first + 3);
}
