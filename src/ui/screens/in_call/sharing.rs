//! Screens on the call's screen: which picture fills it and which is small, and what is said of them.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Pos2, Rect, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use super::top::short;
use super::{InCall, InCallState};
use crate::call::view::Sharing;
use crate::call::{Command, ScreenSource};
use crate::ui::action::Action;
use crate::ui::parts::button::focus_ring;
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::textures::Shown;
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// Height of a strip, in points.
const STRIP: f32 = 32.0;
/// Where a strip stands: below the pills at the top.
pub(super) const BELOW_PILLS: f32 = 56.0;
/// From this width on, a strip in the middle stands beside the marks at the left; in less, below them.
const ROOM_FOR_MARKS: f32 = 1100.0;
/// So much of a name is said in a strip, in characters.
const NAME: usize = 24;

/// One of the pictures of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    FarCamera,
    FarScreen,
    Own,
}

/// Which picture fills the screen, and which is small.
pub(super) fn places(shown: &InCall<'_>, swapped: bool) -> (What, What) {
    let call = shown.call;
    let (large, small) = match (call.far_shares, call.far_video) {
        (true, true) => (What::FarScreen, What::FarCamera),
        (true, false) => (What::FarScreen, What::Own),
        (false, _) => (What::FarCamera, What::Own),
    };
    if swapped && has_small(shown) { (small, large) } else { (large, small) }
}

/// Whether there is a small picture at all.
pub(super) fn has_small(shown: &InCall<'_>) -> bool {
    shown.call.has_camera || shown.call.sharing.is_some() || (shown.call.far_shares && shown.call.far_video)
}

/// The picture of one of them, if it comes.
pub(super) fn picture(shown: &InCall<'_>, what: What) -> Option<Shown> {
    match what {
        What::FarCamera => shown.far(),
        What::FarScreen => shown.far_screen.filter(|_| shown.call.far_shares),
        What::Own => shown.own().or_else(|| shown.own_screen.filter(|_| shown.call.sharing.is_some())),
    }
}

/// Our own camera is shown as in a mirror; our screen never is.
pub(super) fn is_mirrored(shown: &InCall<'_>, what: What) -> bool {
    what == What::Own && shown.own().is_some() && shown.view.settings.video.mirror
}

/// The key and the button: shows nothing any more, or opens the dialog, whose choices are looked for.
pub(super) fn toggle(shown: &InCall<'_>, state: &mut InCallState) -> Option<Action> {
    if shown.call.sharing.is_some() {
        return Some(Action::Ask(Command::StopSharing));
    }
    state.share_open = !state.share_open;
    state.share_open.then_some(Action::Ask(Command::ListScreens))
}

/// That we show something, and how to end it; it stays when the controls leave. And that they do. `marks_end` is where
/// the marks at the left end. Gives what was pressed, and where what stands below begins.
pub(super) fn strips_ui(
    ui: &mut Ui,
    area: Rect,
    shown: &InCall<'_>,
    marks_end: f32,
) -> (Option<Action>, f32) {
    let beside_marks = area.width() >= ROOM_FOR_MARKS;
    let mut top = if beside_marks { area.top() + BELOW_PILLS } else { marks_end };
    let mut action = None;
    if let Some(sharing) = &shown.call.sharing {
        let room = area.width() - 16.0;
        if own_strip_ui(ui, Pos2::new(area.center().x, top), room, &own_words(shown, sharing)) {
            action = Some(Action::Ask(Command::StopSharing));
        }
        top += STRIP + 8.0;
    }
    if shown.call.far_shares {
        let text = word_with("call.far_shares", &[("name", &short(&shown.call.far.name, NAME))]);
        super::painted_label(ui, Pos2::new(area.center().x, top + STRIP / 2.0), &text);
        top += STRIP + 8.0;
    }
    (action, top)
}

fn own_words(shown: &InCall<'_>, sharing: &Sharing) -> String {
    match sharing.source {
        _ if sharing.in_cameras_place => {
            word_with("call.sharing_in_place", &[("name", &short(&shown.call.far.name, NAME))])
        }
        ScreenSource::Window(_) => word("call.sharing_window").to_owned(),
        _ => word("call.sharing_screen").to_owned(),
    }
}

/// Words, cut off where they are wider than `room` leaves, and a button behind them. True when it was pressed.
fn own_strip_ui(ui: &mut Ui, at: Pos2, room: f32, text: &str) -> bool {
    let accent = theme::palette(ui).accent;
    let stop =
        ui.painter().layout_no_wrap(word("call.share_stop").to_owned(), theme::strong(13.0), theme::WHITE);
    let button = vec2(stop.size().x + 24.0, 24.0);
    let mut job = LayoutJob::simple_singleline(text.to_owned(), theme::strong(13.0), theme::WHITE);
    job.wrap = TextWrapping::truncate_at_width((room - 38.0 - 14.0 - button.x - 4.0).max(0.0));
    let words = ui.painter().layout_job(job);
    let size = vec2(38.0 + words.size().x + 14.0 + button.x + 4.0, STRIP);
    let rect = Rect::from_min_size(Pos2::new(at.x - size.x / 2.0, at.y), size);
    let label = ui.interact(rect, ui.scope_id().with("sharing"), Sense::hover());
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.ctx().accesskit_node_builder(label.id, |node| node.set_live(egui::accesskit::Live::Polite));
    let line = egui::Stroke::new(1.5, accent);
    ui.painter().rect(rect, 16.0, theme::glass(theme::CARD_ALPHA), line, StrokeKind::Inside);
    let square = Rect::from_center_size(Pos2::new(rect.left() + 20.0, rect.center().y), Vec2::splat(18.0));
    paint_icon(ui.painter(), Icon::Screen, square, accent);
    let middle = |height: f32| rect.center().y - height / 2.0;
    let start = rect.left() + 38.0;
    let (width, height) = (words.size().x, words.size().y);
    ui.painter().galley(Pos2::new(start, middle(height)), words, theme::WHITE);
    let place = Rect::from_min_size(Pos2::new(start + width + 14.0, middle(button.y)), button);
    let response = ui.interact(place, ui.scope_id().with("stop sharing"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, word("call.share_stop")));
    let fill = if response.hovered() { theme::BAD.gamma_multiply(0.85) } else { theme::BAD };
    ui.painter().rect_filled(place, 12.0, fill);
    ui.painter().galley(place.center() - stop.size() / 2.0, stop, theme::WHITE);
    focus_ring(ui, &response, place, 12.0);
    response.clicked()
}
