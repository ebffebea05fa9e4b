//! The pills over the picture: who and how long, how it is sealed, how good it is, and who waits.

use egui::{Color32, Pos2, Rect, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use super::{InCall, InCallState, above_bar, painted_label};
use crate::call::view::Known;
use crate::ui::clock::length;
use crate::ui::parts::button::focus_ring;
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::quality::{paint_bars, pill_words};
use crate::ui::shortcuts::{ShortcutAction, format, key_of, with_key};
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// What was pressed at the top.
pub(super) enum Top {
    FullScreen,
    Minimise,
    Verify,
    Quality,
    SwapCalls,
    ShowSelf,
}

/// Height of the pills, in points.
const PILL: f32 = 32.0;
/// Between two pills.
const GAP: f32 = 10.0;

pub(super) fn top_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) -> Option<Top> {
    let call = shown.call;
    let settings = &shown.view.settings;
    let (top, roomy) = (area.top() + 16.0, area.width() >= 700.0);
    let mut pressed = None;

    let left = name_ui(ui, Pos2::new(area.left() + 20.0, top), shown, if roomy { 32 } else { 12 });
    let warns = matches!(call.far.known, Known::KeyChanged | Known::Weak);
    if warns || (roomy && !state.chat_open) {
        let (icon, text, ink) = match call.far.known {
            Known::Verified => (Icon::Lock, word("call.encrypted_verified"), theme::WHITE),
            Known::KeyChanged => (Icon::Warning, word("call.key_changed"), theme::WARN),
            Known::Weak => (Icon::Warning, word("known.weak"), theme::WARN),
            Known::Stranger | Known::Contact => (Icon::Lock, word("call.encrypted"), theme::WHITE),
        };
        if worded_ui(ui, Pos2::new(left + GAP, top), icon, text, ink, word("call.verify")) {
            pressed = Some(Top::Verify);
        }
    }

    let mut right = area.right() - 20.0;
    let label = if shown.full_screen { word("call.leave_full") } else { word("call.full") };
    let hint = with_key(settings, label, ShortcutAction::FullScreen);
    if icon_pill(ui, right, top, Icon::FullScreen, label, &hint) {
        pressed = Some(Top::FullScreen);
    }
    right -= 44.0 + GAP;
    let label = word("call.minimise");
    if icon_pill(ui, right, top, Icon::Tile, label, &with_key(settings, label, ShortcutAction::Minimise)) {
        pressed = Some(Top::Minimise);
    }
    right -= 44.0 + GAP;
    if quality_ui(ui, right, top, shown, roomy && !state.chat_open) {
        pressed = Some(Top::Quality);
    }

    if let Some(far) = shown.waiting() {
        let text = word_with("hold.strip", &[("name", &far.name)]);
        let swap = word_with("hold.swap_with", &[("name", &far.name)]);
        if worded_ui(
            ui,
            Pos2::new(area.left() + 20.0, top + PILL + 8.0),
            Icon::Pause,
            &text,
            theme::WHITE,
            &swap,
        ) {
            pressed = Some(Top::SwapCalls);
        }
    }
    if super::sharing::has_small(shown) && state.self_view.hidden {
        let size = vec2(44.0, PILL);
        let at = state.self_view.corner.place(area, size).right_top();
        let label = word("self.show");
        if icon_pill(ui, at.x, at.y, Icon::Eye, label, &with_key(settings, label, ShortcutAction::HideSelf)) {
            pressed = Some(Top::ShowSelf);
        }
    }
    hint_ui(ui, area, shown, state);
    pressed
}

/// Their name, a shield when it was verified, and how long. Gives where it ends.
fn name_ui(ui: &mut Ui, at: Pos2, shown: &InCall<'_>, most: usize) -> f32 {
    let far = &shown.call.far;
    let lasted = length(shown.call.lasted);
    let verified = far.known == Known::Verified;
    let mark = if verified { 24.0 } else { 0.0 };
    let name = ui.painter().layout_no_wrap(short(&far.name, most), theme::strong(13.0), theme::WHITE);
    let time = ui.painter().layout_no_wrap(lasted.clone(), theme::font(13.0), theme::GLASS_DIM);
    let size = vec2(name.size().x + mark + 8.0 + time.size().x + 24.0, PILL);
    let rect = Rect::from_min_size(at, size);
    let mut words = format!("{} {lasted}", far.name);
    if verified {
        words = word_with("call.name_verified", &[("name", &far.name), ("time", &lasted)]);
    }
    let response = ui.interact(rect, ui.scope_id().with("name"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    paint_pill(ui, rect, false);
    let mut x = rect.left() + 12.0;
    let middle = |height: f32| rect.center().y - height / 2.0;
    let width = name.size().x;
    ui.painter().galley(Pos2::new(x, middle(name.size().y)), name, theme::WHITE);
    x += width + 8.0;
    if verified {
        let square = Rect::from_center_size(Pos2::new(x + 6.0, rect.center().y), Vec2::splat(17.0));
        paint_icon(ui.painter(), Icon::Shield, square, theme::OK);
        x += mark - 4.0;
    }
    ui.painter().galley(Pos2::new(x, middle(time.size().y)), time, theme::GLASS_DIM);
    rect.right()
}

/// A pill with an icon and words that can be pressed; `hint` says what for.
fn worded_ui(ui: &mut Ui, at: Pos2, icon: Icon, text: &str, ink: Color32, hint: &str) -> bool {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(13.0), ink);
    let rect = Rect::from_min_size(at, vec2(galley.size().x + 24.0 + 26.0, PILL));
    let response = ui.interact(rect, ui.scope_id().with(("pill", text)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    paint_pill(ui, rect, response.hovered());
    let square = Rect::from_center_size(Pos2::new(rect.left() + 21.0, rect.center().y), Vec2::splat(18.0));
    paint_icon(ui.painter(), icon, square, ink);
    let at = Pos2::new(rect.left() + 38.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
    focus_ring(ui, &response, rect, PILL / 2.0);
    response.on_hover_text(hint).clicked()
}

/// A pill with an icon alone, its right edge at `right`.
fn icon_pill(ui: &mut Ui, right: f32, top: f32, icon: Icon, label: &str, hint: &str) -> bool {
    let rect = Rect::from_min_size(Pos2::new(right - 44.0, top), vec2(44.0, PILL));
    let response = ui.interact(rect, ui.scope_id().with(("pill", label)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    paint_pill(ui, rect, response.hovered());
    paint_icon(ui.painter(), icon, Rect::from_center_size(rect.center(), Vec2::splat(18.0)), theme::WHITE);
    focus_ring(ui, &response, rect, PILL / 2.0);
    response.on_hover_text(hint).clicked()
}

fn quality_ui(ui: &mut Ui, right: f32, top: f32, shown: &InCall<'_>, roomy: bool) -> bool {
    let quality = &shown.call.quality;
    let words = pill_words(quality).filter(|_| roomy);
    let galley = words.map(|words| ui.painter().layout_no_wrap(words, theme::font(13.0), theme::WHITE));
    let wide = galley.as_ref().map_or(0.0, |galley| galley.size().x + 8.0);
    let rect = Rect::from_min_max(Pos2::new(right - 42.0 - wide, top), Pos2::new(right, top + PILL));
    let label = word_with("call.bars", &[("count", &quality.bars.to_string())]);
    let response = ui.interact(rect, ui.scope_id().with("bars"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    paint_pill(ui, rect, response.hovered());
    paint_bars(ui.painter(), Pos2::new(rect.left() + 12.0, rect.center().y - 6.0), quality.bars);
    if let Some(galley) = galley {
        let at = Pos2::new(rect.left() + 38.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, theme::WHITE);
    }
    focus_ring(ui, &response, rect, PILL / 2.0);
    let hint = with_key(&shown.view.settings, word("call.quality"), ShortcutAction::Quality);
    response.on_hover_text(hint).clicked()
}

/// Above the bar: that we are muted, and how to talk all the same.
fn hint_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) {
    let call = shown.call;
    let key = format(key_of(&shown.view.settings, ShortcutAction::Talk));
    let text = match (state.talking, call.muted && call.has_microphone) {
        (true, _) => word_with("call.talking", &[("key", &key)]),
        (false, true) => word_with("call.muted_hint", &[("key", &key)]),
        (false, false) => return,
    };
    // While one speaks muted, the banner says it.
    if !call.far_muted && !call.speaking_muted {
        painted_label(ui, above_bar(area, shown, state), &text);
    }
}

fn paint_pill(ui: &Ui, rect: Rect, lively: bool) {
    let fill = if lively { theme::ROUND } else { theme::glass(theme::PILL_ALPHA) };
    ui.painter().rect(rect, PILL / 2.0, fill, theme::glass_line(), StrokeKind::Inside);
}

pub(super) fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most).chain(['…']).collect()
}
