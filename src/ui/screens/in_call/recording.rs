//! That a call is recorded, by us or by them: seen for as long as it lasts, also when everything else has faded.

use egui::{Pos2, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use super::InCall;
use crate::call::Command;
use crate::call::view::UpCall;
use crate::ui::clock::length;
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// Height of a mark, in points.
const HEIGHT: f32 = 28.0;
/// Below the pills at the top, and below the one that says who waits.
const BELOW_PILLS: f32 = 56.0;
const BELOW_WAITING: f32 = 96.0;

/// Draws the marks there are. Gives where what stands below the pills may begin.
pub(super) fn marks_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>) -> f32 {
    let below = if shown.waiting().is_some() { BELOW_WAITING } else { BELOW_PILLS };
    let mut at = Pos2::new(area.left() + 20.0, area.top() + below);
    let call = shown.call;
    if call.far_records {
        mark_ui(ui, at, area, &word_with("recording.far", &[("name", &call.far.name)]));
        at.y += HEIGHT + 8.0;
    }
    if let Some(recorded) = call.recording {
        mark_ui(ui, at, area, &word_with("recording.own", &[("time", &length(recorded))]));
        at.y += HEIGHT + 8.0;
    }
    at.y
}

fn mark_ui(ui: &mut Ui, at: Pos2, area: Rect, text: &str) {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(13.0), theme::WHITE);
    let room = area.right() - 20.0 - at.x;
    let rect = Rect::from_min_size(at, vec2((galley.size().x + 40.0).min(room), HEIGHT));
    let response = ui.interact(rect, ui.scope_id().with(("recording", at.y as i32)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, HEIGHT / 2.0, theme::glass(theme::CARD_ALPHA));
    painter.circle_filled(Pos2::new(rect.left() + 16.0, rect.center().y), 5.0, theme::BAD);
    let words = Pos2::new(rect.left() + 28.0, rect.center().y - galley.size().y / 2.0);
    painter.galley(words, galley, theme::WHITE);
}

/// What the button and the key ask for: the recording, or its end. The words are for programs that know none.
pub fn record_or_stop(call: &UpCall) -> Command {
    match call.recording {
        Some(_) => Command::StopRecording,
        None => Command::StartRecording { to: None, notice: word("recording.told").to_owned() },
    }
}
