//! How good a call is: four bars, and the card with the figures.

use egui::{
    Align2, Color32, Painter, Pos2, Rect, RichText, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use super::icon::Icon;
use super::quality_graph::{graph_ui, graph_words};
use super::self_view::small_button;
use crate::call::view::{PastSecond, Quality};
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
    let path = quality.available_kbps.map(|available| {
        let queue = word_with("quality.queue", &[("ms", &format!("{:.0}", quality.queue_ms.unwrap_or(0.0)))]);
        (word("quality.path"), format!("{}   {queue}", stream(available, None)))
    });
    let stages = &quality.stages;
    let tenths = |value: Option<f64>| format!("{:.1}", value.unwrap_or(0.0));
    let total = |parts: &[Option<f64>]| tenths(Some(parts.iter().flatten().sum()));
    let out = stages.encoding.map(|_| {
        let all = total(&[stages.capture, stages.before_encoding, stages.encoding]);
        let coding = tenths(stages.encoding);
        (word("quality.picture_out"), word_with("quality.coding", &[("ms", &all), ("coding", &coding)]))
    });
    let come = stages.decoding.map(|_| {
        let parts = [stages.before_decoding, stages.decoding, stages.before_showing, stages.uploading];
        let (all, waits) = (total(&parts), tenths(stages.before_showing));
        let decoding = total(&[stages.decoding, stages.uploading]);
        let told = [("ms", all.as_str()), ("decoding", decoding.as_str()), ("waits", waits.as_str())];
        (word("quality.picture_in"), word_with("quality.decoding", &told))
    });
    let glass = quality.glass_to_glass_ms.map(|(median, most)| {
        let told = [("ms", format!("{median:.0}")), ("most", format!("{most:.0}"))];
        let told = [("ms", told[0].1.as_str()), ("most", told[1].1.as_str())];
        (word("quality.glass"), word_with("quality.glass_ms", &told))
    });
    let mut rows = vec![
        (word("quality.route"), route_words(&quality.route)),
        (word("quality.round_trip"), format!("{round_trip}   {loss}")),
        (word("quality.send"), stream(quality.send_kbps, quality.send_picture)),
        (word("quality.receive"), stream(quality.receive_kbps, quality.receive_picture)),
        (word("quality.audio"), buffer),
        (word("quality.lip_sync"), quality.lip_sync_ms.map_or_else(unknown, signed)),
        (word("quality.cipher"), or_unknown(&quality.cipher)),
    ];
    let screen = |(width, height, per_second): (u32, u32, f32)| format!("{width}×{height}  {per_second:.0}");
    rows.extend(quality.send_screen.map(|sent| (word("quality.screen_sent"), screen(sent))));
    rows.extend(quality.receive_screen.map(|seen| (word("quality.screen_seen"), screen(seen))));
    rows.into_iter().chain(path).chain(out).chain(come).chain(glass).collect()
}

/// The way in the person's language; what stands after it, such as an address, as it is.
fn route_words(route: &str) -> String {
    match route.split_once(' ').map_or((route, ""), |(way, rest)| (way, rest)) {
        ("", _) => word("quality.unknown").to_owned(),
        ("direct", rest) => format!("{} {rest}", word("quality.direct")).trim_end().to_owned(),
        ("relayed", rest) => format!("{} {rest}", word("quality.relayed")).trim_end().to_owned(),
        _ => route.to_owned(),
    }
}

fn stream(kbps: f64, picture: Option<(u32, u32, f32)>) -> String {
    let rate = if kbps >= 1000.0 { format!("{:.2} Mb/s", kbps / 1000.0) } else { format!("{kbps:.0} kb/s") };
    match picture {
        Some((_, height, per_second)) => format!("{rate}  {height}p {per_second:.0}"),
        None => rate,
    }
}

/// How wide the card is, in points.
pub const QUALITY_WIDTH: f32 = 340.0;
/// How high one graph is.
const GRAPH: f32 = 54.0;

/// The four series of the card: what, its unit, and its values.
fn series(past: &[PastSecond]) -> [(&'static str, &'static str, Vec<f32>); 4] {
    let of = |value: fn(&PastSecond) -> f32| past.iter().map(value).collect();
    [
        (word("quality.round_trip"), "ms", of(|second| second.round_trip_ms)),
        (word("quality.lost"), "%", of(|second| second.loss_percent)),
        (word("quality.send"), "kb/s", of(|second| second.send_kbps)),
        (word("quality.receive"), "kb/s", of(|second| second.receive_kbps)),
    ]
}

/// All of the card as text, for the clipboard.
pub fn quality_text(quality: &Quality, past: &[PastSecond]) -> String {
    let figures = rows(quality).into_iter().map(|(what, how_much)| format!("{what}: {how_much}"));
    let graphs = series(past)
        .into_iter()
        .filter(|(.., values)| !values.is_empty())
        .map(|(label, unit, values)| graph_words(label, unit, &values));
    figures.chain(graphs).fold(word("call.quality").to_owned(), |text, line| text + "\n" + &line)
}

/// How large the card is, in points.
pub fn quality_size(quality: &Quality, past: &[PastSecond]) -> Vec2 {
    let graphs = if past.is_empty() { 0.0 } else { 2.0 * (GRAPH + 10.0) + 4.0 };
    vec2(QUALITY_WIDTH, 46.0 + 17.5 * rows(quality).len() as f32 + graphs)
}

/// Draws the card with its lower left corner at `corner`. True when it is to be copied.
pub fn quality_card_ui(ui: &mut Ui, corner: Pos2, quality: &Quality, past: &[PastSecond]) -> bool {
    let rows = rows(quality);
    let size = quality_size(quality, past);
    let rect = Rect::from_min_size(corner - vec2(0.0, size.y), size);
    let fill = theme::glass(theme::CARD_ALPHA);
    ui.painter().rect(rect, theme::PICTURE_RADIUS, fill, theme::glass_line(), egui::StrokeKind::Inside);
    let square = Rect::from_min_size(Pos2::new(rect.right() - 38.0, rect.top() + 8.0), Vec2::splat(26.0));
    let copied = small_button(ui, square, Icon::Copy, word("quality.copy"));
    let inner = rect.shrink2(vec2(14.0, 12.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(inner));
    let ui = &mut child;
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.spacing_mut().interact_size.y = 0.0;
    ui.label(RichText::new(word("call.quality")).font(theme::strong(theme::SMALL)).color(theme::WHITE));
    ui.add_space(3.0);
    for (what, how_much) in rows {
        // Two columns that stand under one another in every script, which spaces in a line would not.
        let (row, response) = ui.allocate_exact_size(vec2(inner.width(), 14.5), Sense::hover());
        let said = format!("{what}  {how_much}");
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
        let font = theme::mono(theme::SMALL);
        ui.painter().text(row.left_center(), Align2::LEFT_CENTER, what, font.clone(), theme::WHITE);
        let at = row.left_center() + vec2(90.0, 0.0);
        ui.painter().text(at, Align2::LEFT_CENTER, how_much, font, theme::WHITE);
    }
    if !past.is_empty() {
        let width = (inner.width() - 14.0) / 2.0;
        let top = inner.bottom() - 2.0 * GRAPH - 10.0;
        for (place, (label, unit, values)) in series(past).into_iter().enumerate() {
            let (column, line) = ((place % 2) as f32, (place / 2) as f32);
            let at = Pos2::new(inner.left() + column * (width + 14.0), top + line * (GRAPH + 10.0));
            graph_ui(ui, Rect::from_min_size(at, vec2(width, GRAPH)), label, unit, &values);
        }
    }
    copied
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

    #[test]
    fn what_is_copied_holds_figures_and_graphs() {
        let past = [PastSecond { round_trip_ms: 33.0, ..PastSecond::default() }];
        let text = quality_text(&Quality { cipher: "AES-128".into(), ..Quality::default() }, &past);
        assert!(text.contains("AES-128") && text.contains("33"), "{text}");
    }
}
