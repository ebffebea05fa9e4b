//! How good a call is: four bars, and the card with the figures.

use egui::{Color32, Painter, Pos2, Rect, RichText, Ui, UiBuilder, vec2};

use crate::call::view::Quality;
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// Four bars, 18 points wide and 12 high, standing on the lower edge of `rect`.
pub fn paint_bars(painter: &Painter, at: Pos2, bars: u8) {
    let ink = match bars {
        0 | 1 => theme::BAD,
        2 => theme::WARN,
        _ => theme::OK,
    };
    for (place, height) in [4.0, 7.0, 10.0, 12.0].into_iter().enumerate() {
        let left = at.x + place as f32 * 5.0;
        let bar =
            Rect::from_min_max(Pos2::new(left, at.y + 12.0 - height), Pos2::new(left + 3.0, at.y + 12.0));
        let full = place < usize::from(bars);
        painter.rect_filled(bar, 1.0, if full { ink } else { Color32::from_white_alpha(0x40) });
    }
}

/// What stands beside the bars: "720p · 24 ms", as far as it is known.
pub fn pill_words(quality: &Quality) -> Option<String> {
    let height = quality.receive_picture.map(|(_, height, _)| height.to_string());
    let ms = quality.round_trip_ms.map(|ms| format!("{ms:.0}"));
    match (height, ms) {
        (Some(height), Some(ms)) => {
            Some(word_with("quality.picture_pill", &[("height", &height), ("ms", &ms)]))
        }
        (None, Some(ms)) => Some(word_with("quality.ms", &[("ms", &ms)])),
        _ => None,
    }
}

/// The card's rows: what, and how much.
pub fn rows(quality: &Quality) -> Vec<(&'static str, String)> {
    let unknown = || word("quality.unknown").to_owned();
    let milliseconds = |ms: f64| word_with("quality.ms", &[("ms", &format!("{ms:.0}"))]);
    let loss = word_with("quality.loss", &[("percent", &format!("{:.1}", quality.loss_percent))]);
    let round_trip = quality.round_trip_ms.map_or_else(unknown, milliseconds);
    let buffer = word_with("quality.buffer", &[("ms", &format!("{:.0}", quality.buffer_ms))]);
    let signed = |ms: f64| word_with("quality.ms", &[("ms", &format!("{ms:+.0}"))]);
    let or_unknown = |text: &str| if text.is_empty() { unknown() } else { text.to_owned() };
    vec![
        (word("quality.route"), or_unknown(&quality.route)),
        (word("quality.round_trip"), format!("{round_trip}   {loss}")),
        (word("quality.send"), stream(quality.send_kbps, quality.send_picture)),
        (word("quality.receive"), stream(quality.receive_kbps, quality.receive_picture)),
        (word("quality.audio"), buffer),
        (word("quality.lip_sync"), quality.lip_sync_ms.map_or_else(unknown, signed)),
        (word("quality.cipher"), or_unknown(&quality.cipher)),
    ]
}

fn stream(kbps: f64, picture: Option<(u32, u32, f32)>) -> String {
    let rate = if kbps >= 1000.0 { format!("{:.2} Mb/s", kbps / 1000.0) } else { format!("{kbps:.0} kb/s") };
    match picture {
        Some((_, height, per_second)) => format!("{rate}  {height}p {per_second:.0}"),
        None => rate,
    }
}

/// How wide the card is, in points.
pub const QUALITY_WIDTH: f32 = 300.0;

/// Draws the card with its lower left corner at `corner`.
pub fn quality_card_ui(ui: &mut Ui, corner: Pos2, quality: &Quality) {
    let rows = rows(quality);
    let size = vec2(QUALITY_WIDTH, 46.0 + 17.5 * rows.len() as f32);
    let rect = Rect::from_min_size(corner - vec2(0.0, size.y), size);
    let fill = theme::glass(theme::CARD_ALPHA);
    ui.painter().rect(rect, theme::PICTURE_RADIUS, fill, theme::glass_line(), egui::StrokeKind::Inside);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect.shrink2(vec2(14.0, 12.0))));
    let ui = &mut child;
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.spacing_mut().interact_size.y = 0.0;
    ui.label(RichText::new(word("call.quality")).font(theme::strong(theme::SMALL)).color(theme::WHITE));
    ui.add_space(3.0);
    for (what, how_much) in rows {
        let row = format!("{what:<10}  {how_much}");
        ui.label(RichText::new(row).font(theme::mono(theme::SMALL)).color(theme::WHITE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_said_and_not_shown_as_nought() {
        let rows = rows(&Quality::default());
        assert!(
            rows.iter()
                .any(|(what, text)| *what == word("quality.lip_sync") && text == word("quality.unknown"))
        );
        assert_eq!(pill_words(&Quality::default()), None);
    }
}
