//! The last thirty seconds of a figure, as a small line with its least and its most.

use egui::{Align2, Color32, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use crate::ui::theme;
use crate::ui::words::word_with;

/// How many seconds a graph is wide.
pub const SECONDS: usize = 30;

/// Draws values, one a second, the latest last, into a rectangle. `unit` is put after each figure.
pub fn graph_ui(ui: &mut Ui, rect: Rect, label: &str, unit: &str, values: &[f32]) {
    let response = ui.interact(rect, ui.scope_id().with(("graph", label)), Sense::hover());
    let said = graph_words(label, unit, values);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
    let painter = ui.painter();
    painter.text(rect.left_top(), Align2::LEFT_TOP, label, theme::font(theme::TINY), theme::GLASS_DIM);
    let plot = Rect::from_min_max(rect.left_top() + vec2(0.0, 17.0), rect.max);
    painter.rect_filled(plot, 4.0, Color32::from_white_alpha(0x0c));
    let Some((least, most)) = bounds(values) else { return };
    let last = values.last().copied().unwrap_or_default();
    let now = format!("{} {unit}", figure(last));
    painter.text(rect.right_top(), Align2::RIGHT_TOP, now, theme::font(theme::TINY), theme::WHITE);
    // A line that hardly moves shall not look like a mountain range.
    let span = (most - least).max(most.abs() * 0.1).max(0.5);
    let low = if least <= span * 0.5 { 0.0 } else { least - span * 0.1 };
    let high = (most + span * 0.1).max(low + span);
    // The least and the most stand to the left of the line, not on it.
    let inner = Rect::from_min_max(plot.min + vec2(28.0, 4.0), plot.max - vec2(4.0, 4.0));
    let step = inner.width() / (SECONDS - 1) as f32;
    let shown = &values[values.len().saturating_sub(SECONDS)..];
    let start = inner.right() - step * (shown.len() - 1) as f32;
    let points: Vec<Pos2> = shown
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let height = ((value - low) / (high - low)).clamp(0.0, 1.0);
            Pos2::new(start + step * at as f32, inner.bottom() - inner.height() * height)
        })
        .collect();
    if let [one] = points[..] {
        painter.circle_filled(one, 1.6, theme::LINE_OF_GRAPH);
    }
    painter.line(points, Stroke::new(1.5, theme::LINE_OF_GRAPH));
    let small = theme::mono(8.5);
    painter.text(
        plot.left_top() + vec2(3.0, 1.0),
        Align2::LEFT_TOP,
        figure(most),
        small.clone(),
        theme::GLASS_DIM,
    );
    painter.text(
        plot.left_bottom() + vec2(3.0, -1.0),
        Align2::LEFT_BOTTOM,
        figure(least),
        small,
        theme::GLASS_DIM,
    );
}

/// The same in words: for who does not see it, and for copying.
pub fn graph_words(label: &str, unit: &str, values: &[f32]) -> String {
    let Some((least, most)) = bounds(values) else { return label.to_owned() };
    let last = values.last().copied().unwrap_or_default();
    word_with(
        "quality.graph",
        &[
            ("label", label),
            ("least", &figure(least)),
            ("most", &figure(most)),
            ("now", &figure(last)),
            ("unit", unit),
        ],
    )
}

/// The least and the most of the last [`SECONDS`]; `None` without any.
fn bounds(values: &[f32]) -> Option<(f32, f32)> {
    let shown = &values[values.len().saturating_sub(SECONDS)..];
    let first = *shown.first()?;
    Some(shown.iter().fold((first, first), |(least, most), value| (least.min(*value), most.max(*value))))
}

fn figure(value: f32) -> String {
    if value.abs() >= 10.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_thirty_seconds_count() {
        let mut values = vec![500.0];
        values.extend([20.0; SECONDS]);
        assert_eq!(bounds(&values), Some((20.0, 20.0)));
        assert_eq!(bounds(&[]), None);
    }

    #[test]
    fn a_graph_is_said_with_its_least_most_and_latest() {
        let words = graph_words("loss", "%", &[0.0, 2.5, 0.5]);
        for figure in ["0", "2.5", "0.5", "%"] {
            assert!(words.contains(figure), "{words}");
        }
    }
}
