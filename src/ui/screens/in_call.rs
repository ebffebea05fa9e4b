//! The screen while a call is up: their picture, ours, and controls that leave when nothing moves.

use egui::{
    Align2, CentralPanel, CursorIcon, Event, Frame, Id, Key, Margin, Modifiers, Panel, Popup, Pos2, Rect,
    Role, Sense, Shadow, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use crate::call::Command;
use crate::call::view::{Conversation, Devices, UpCall};
use crate::ui::action::Action;
use crate::ui::clock::{Clock, length};
use crate::ui::parts::avatar::{Dot, paint_avatar};
use crate::ui::parts::button::focus_ring;
use crate::ui::parts::call_bar::{Open, Pressed, bar_rect, call_bar_ui};
use crate::ui::parts::chat::chat_head_ui;
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::picture_tile::{Fit, paint_picture};
use crate::ui::parts::quality::{QUALITY_WIDTH, paint_bars, pill_words, quality_card_ui};
use crate::ui::screens::conversation::{Talk, Writing, chat_lines_ui, compose_ui};
use crate::ui::stillness::Stillness;
use crate::ui::textures::Shown;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct InCall<'a> {
    /// The call.
    pub call: &'a UpCall,
    /// For the menu.
    pub devices: &'a Devices,
    /// What is written beside it.
    pub conversation: Option<&'a Conversation>,
    /// Their newest picture.
    pub far_picture: Option<Shown>,
    /// Our own.
    pub own_picture: Option<Shown>,
    /// The window fills the screen.
    pub full_screen: bool,
}

/// What stays from frame to frame, for one call.
#[derive(Clone, Debug, Default)]
pub struct InCallState {
    stillness: Stillness,
    /// The chat is open.
    pub chat_open: bool,
    /// The devices and the rest are open.
    pub more_open: bool,
    /// The quality card is open.
    pub quality_open: bool,
    /// Space is held: we talk although muted.
    talking: bool,
    writing: Writing,
}

/// Draws the call.
pub fn in_call_ui(ui: &mut Ui, shown: &InCall<'_>, state: &mut InCallState, clock: &Clock) -> Option<Action> {
    let mut action = keys(ui, shown, state);
    let narrow = ui.max_rect().width() < theme::NARROW;
    if state.chat_open {
        let width = if narrow { ui.max_rect().width() } else { theme::CHAT_WIDTH };
        let panel = Panel::right("call chat").exact_size(width).resizable(false).show_separator_line(false);
        panel.frame(Frame::new().fill(palette(ui).panel)).show(ui, |ui| {
            action = chat_ui(ui, shown, state, clock).or(action.take());
        });
        if narrow {
            return action;
        }
    }
    CentralPanel::no_frame().frame(Frame::new().fill(theme::BEHIND_PICTURE)).show(ui, |ui| {
        let area = ui.max_rect();
        far_ui(ui, area, shown, state);
        own_ui(ui, area, shown, state);
        banner_ui(ui, area, shown.call);

        let opacity = opacity(ui, area, shown, state);
        let mut over = ui.new_child(UiBuilder::new().max_rect(area));
        over.set_opacity(opacity);
        if top_ui(&mut over, area, shown, state) {
            action = Some(Action::ToggleFullScreen);
        }
        let open = Open {
            chat: state.chat_open,
            more: state.more_open,
            quality: state.quality_open,
            full_screen: shown.full_screen,
        };
        match call_bar_ui(&mut over, area, shown.call, shown.devices, open) {
            Some(Pressed::Ask(command)) => action = Some(Action::Ask(command)),
            Some(Pressed::Chat) => toggle_chat(ui, state),
            Some(Pressed::More) => state.more_open = !state.more_open,
            Some(Pressed::Quality) => {
                state.more_open = false;
                state.quality_open = !state.quality_open;
            }
            Some(Pressed::FullScreen) => {
                state.more_open = false;
                action = Some(Action::ToggleFullScreen);
            }
            None => {}
        }
        if state.quality_open {
            let own = own_rect(area, state);
            let mut corner = Pos2::new(area.left() + 20.0, area.bottom() - 112.0);
            if shown.call.has_camera && corner.x + QUALITY_WIDTH > own.left() - 12.0 {
                // No room beside our own picture: above it.
                corner.y = own.top() - 12.0;
                if shown.call.far_muted || shown.call.muted {
                    // The words about the microphones stand there too.
                    corner.y -= 40.0;
                }
            }
            quality_card_ui(ui, corner, &shown.call.quality);
        }
        if opacity == 0.0 && ui.rect_contains_pointer(area) {
            ui.ctx().set_cursor_icon(CursorIcon::None);
        }
    });
    action
}

/// The keys of a call. Letters do not work while something is typed, and only a chord that nobody types ends the call.
fn keys(ui: &Ui, shown: &InCall<'_>, state: &mut InCallState) -> Option<Action> {
    let call = shown.call;
    let focused = ui.memory(|memory| memory.focused());
    let typing = ui.ctx().text_edit_focused();
    let mut action = None;
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::Escape) {
        if Popup::is_any_open(ui.ctx()) {
            Popup::close_all(ui.ctx());
        } else if state.more_open {
            state.more_open = false;
        } else if state.chat_open {
            toggle_chat(ui, state);
        } else if state.quality_open {
            state.quality_open = false;
        } else if shown.full_screen {
            action = Some(Action::ToggleFullScreen);
        }
    }
    if pressed(Key::F11) {
        action = Some(Action::ToggleFullScreen);
    }
    let both = Modifiers::COMMAND | Modifiers::SHIFT;
    if ui.input_mut(|input| input.consume_key(both, Key::D)) {
        action = Some(Action::Ask(Command::HangUp));
    }
    if !typing {
        if pressed(Key::M) && call.has_microphone {
            action = Some(Action::Ask(Command::SetMuted(!call.muted)));
        }
        if pressed(Key::V) && call.has_camera {
            action = Some(Action::Ask(Command::SetCameraOn(!call.camera_on)));
        }
        if pressed(Key::C) {
            toggle_chat(ui, state);
            // The letter itself must not be typed into the field that now has the focus.
            ui.input_mut(|input| input.events.retain(|event| !matches!(event, Event::Text(_))));
        }
        if pressed(Key::T) {
            state.quality_open = !state.quality_open;
        }
        if pressed(Key::F) {
            action = Some(Action::ToggleFullScreen);
        }
    }
    // Space presses a focused button, so it only talks while nothing has the focus.
    let space = ui.input(|input| input.key_down(Key::Space)) && focused.is_none() && !typing;
    if space && !state.talking && call.muted && call.has_microphone {
        state.talking = true;
        action = Some(Action::Ask(Command::SetMuted(false)));
    } else if !space && state.talking {
        state.talking = false;
        action = Some(Action::Ask(Command::SetMuted(true)));
    }
    action
}

fn toggle_chat(ui: &Ui, state: &mut InCallState) {
    state.chat_open = !state.chat_open;
    if state.chat_open {
        ui.memory_mut(|memory| memory.request_focus(chat_field()));
    } else {
        ui.memory_mut(|memory| memory.surrender_focus(chat_field()));
    }
}

fn chat_field() -> Id {
    Id::unique("call chat field")
}

fn opacity(ui: &Ui, area: Rect, shown: &InCall<'_>, state: &mut InCallState) -> f32 {
    let now = ui.input(|input| input.time);
    let focus = ui.memory(|memory| memory.focused()).is_some_and(|id| id != chat_field());
    let held = state.more_open
        || focus
        || state.talking
        || shown.call.silent_for.is_some()
        || (ui.rect_contains_pointer(bar_rect(area)) && ui.input(|input| input.pointer.any_down()));
    let moved = ui.input(|input| input.pointer.delta() != Vec2::ZERO || !input.events.is_empty());
    if held || moved {
        state.stillness.on_life(now);
    }
    if let Some(next) = state.stillness.next_change(now).filter(|_| !held) {
        ui.ctx().request_repaint_after_secs(next as f32);
    }
    state.stillness.opacity(now)
}

fn far_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) {
    let call = shown.call;
    match shown.far_picture.filter(|_| call.far_video) {
        Some(picture) => {
            paint_picture(ui.painter(), picture, area, Fit::Whole, false, 0);
            if call.silent_for.is_some() {
                ui.painter().rect_filled(area, 0.0, egui::Color32::from_black_alpha(0x80));
            }
        }
        None => {
            ui.painter().rect_filled(area, 0.0, theme::NO_PICTURE);
            let side = (area.width().min(area.height()) * 0.24).clamp(80.0, 160.0);
            let middle = area.center() - vec2(0.0, 40.0);
            let rect = Rect::from_center_size(middle, Vec2::splat(side));
            paint_avatar(ui, rect, &call.far.name, Dot::None);
            let text = word_with("call.far_no_picture", &[("name", &call.far.name)]);
            painted_label(ui, rect.center_bottom() + vec2(0.0, 26.0), &text);
        }
    }
    if call.far_muted {
        let text = word_with("call.far_muted", &[("name", &call.far.name)]);
        painted_label(ui, above_bar(area, call, state), &text);
    }
}

/// Where words above the bar stand; where our own picture leaves no room, above that.
fn above_bar(area: Rect, call: &UpCall, state: &InCallState) -> Pos2 {
    let (own, x) = (own_rect(area, state), area.center().x);
    let crowded = call.has_camera && x + 130.0 > own.left();
    Pos2::new(x, if crowded { own.top() - 26.0 } else { area.bottom() - 122.0 })
}

/// Words on a dark pill around a point, read by screen readers too.
fn painted_label(ui: &mut Ui, centre: Pos2, text: &str) {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(13.0), theme::WHITE);
    let rect = Rect::from_center_size(centre, galley.size() + vec2(24.0, 12.0));
    let response = ui.interact(rect, ui.scope_id().with(text), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_filled(rect, rect.height() / 2.0, theme::glass(theme::PILL_ALPHA));
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme::WHITE);
}

/// Where our own picture lies, above the bar at the right.
fn own_rect(area: Rect, state: &InCallState) -> Rect {
    let size = if area.width() < 480.0 {
        vec2(128.0, 80.0)
    } else if state.chat_open {
        vec2(190.0, 120.0)
    } else {
        vec2(240.0, 150.0)
    };
    let corner = area.right_bottom() - vec2(20.0, 112.0);
    Rect::from_min_max(corner - size, corner)
}

fn own_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) {
    if !shown.call.has_camera {
        return;
    }
    let rect = own_rect(area, state);
    let shadow = Shadow { offset: [0, 8], blur: 30, spread: 0, color: egui::Color32::from_black_alpha(0x88) };
    ui.painter().add(shadow.as_shape(rect, theme::PICTURE_RADIUS));
    ui.painter().rect_filled(rect, theme::PICTURE_RADIUS, theme::NO_PREVIEW);
    match shown.own_picture.filter(|_| shown.call.camera_on) {
        Some(picture) => paint_picture(ui.painter(), picture, rect, Fit::Fill, true, theme::PICTURE_RADIUS),
        None => {
            let text = word("call.own_camera_off");
            let font = theme::font(theme::SMALL);
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, theme::GLASS_DIM);
        }
    }
    let line = Stroke::new(1.0, egui::Color32::from_white_alpha(0x30));
    ui.painter().rect_stroke(rect, theme::PICTURE_RADIUS, line, StrokeKind::Inside);
}

fn banner_ui(ui: &mut Ui, area: Rect, call: &UpCall) {
    let Some(silent) = call.silent_for else { return };
    let text = word_with("call.reconnecting", &[("seconds", &silent.as_secs().to_string())]);
    let wrap = (area.width() - 72.0).min(600.0);
    let galley = ui.painter().layout(text.clone(), theme::font(theme::BODY), theme::WHITE, wrap);
    let size = galley.size() + vec2(32.0, 20.0);
    let rect = Rect::from_center_size(Pos2::new(area.center().x, area.top() + 92.0), size);
    let response = ui.interact(rect, ui.scope_id().with("banner"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    let fill = theme::glass(theme::CARD_ALPHA);
    ui.painter().rect(rect, theme::PICTURE_RADIUS, fill, theme::glass_line(), StrokeKind::Inside);
    ui.painter().galley(rect.min + vec2(16.0, 10.0), galley, theme::WHITE);
}

/// The pills at the top. True when full screen was asked for.
fn top_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) -> bool {
    let call = shown.call;
    let (top, roomy) = (area.top() + 16.0, area.width() >= 700.0);
    let mut left = area.left() + 20.0;
    let name = short(&call.far.name, if roomy { 32 } else { 12 });
    let name = ui.painter().layout_no_wrap(name, theme::strong(13.0), theme::WHITE);
    let time = ui.painter().layout_no_wrap(length(call.lasted), theme::font(13.0), theme::GLASS_DIM);
    let size = vec2(name.size().x + 8.0 + time.size().x + 24.0, PILL);
    let rect = Rect::from_min_size(Pos2::new(left, top), size);
    let words = format!("{} {}", call.far.name, length(call.lasted));
    pill(ui, rect, "name", &words);
    let after = rect.left() + 12.0 + name.size().x + 8.0;
    ui.painter().galley(
        Pos2::new(rect.left() + 12.0, rect.center().y - name.size().y / 2.0),
        name,
        theme::WHITE,
    );
    ui.painter().galley(Pos2::new(after, rect.center().y - time.size().y / 2.0), time, theme::GLASS_DIM);
    left = rect.right() + 10.0;
    if roomy && !state.chat_open {
        let text = word("call.encrypted");
        let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(13.0), theme::WHITE);
        let size = vec2(galley.size().x + 24.0 + 26.0, PILL);
        let rect = Rect::from_min_size(Pos2::new(left, top), size);
        pill(ui, rect, "sealed", text);
        let square =
            Rect::from_center_size(Pos2::new(rect.left() + 21.0, rect.center().y), Vec2::splat(18.0));
        paint_icon(ui.painter(), Icon::Lock, square, theme::WHITE);
        let at = Pos2::new(rect.left() + 38.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, theme::WHITE);
    }

    let mut right = area.right() - 20.0;
    let rect = Rect::from_min_size(Pos2::new(right - 44.0, top), vec2(44.0, PILL));
    let label = if shown.full_screen { word("call.leave_full") } else { word("call.full") };
    let full = ui.interact(rect, ui.scope_id().with("full"), Sense::click());
    full.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    ui.painter().rect(
        rect,
        PILL / 2.0,
        theme::glass(theme::PILL_ALPHA),
        theme::glass_line(),
        StrokeKind::Inside,
    );
    let square = Rect::from_center_size(rect.center(), Vec2::splat(18.0));
    paint_icon(ui.painter(), Icon::FullScreen, square, theme::WHITE);
    focus_ring(ui, &full, rect, PILL / 2.0);
    right = rect.left() - 10.0;

    let words = pill_words(&call.quality).filter(|_| roomy && !state.chat_open);
    let galley = words
        .as_ref()
        .map(|words| ui.painter().layout_no_wrap(words.clone(), theme::font(13.0), theme::WHITE));
    let wide = galley.as_ref().map_or(0.0, |galley| galley.size().x + 8.0);
    let rect = Rect::from_min_max(Pos2::new(right - 42.0 - wide, top), Pos2::new(right, top + PILL));
    let label = word_with("call.bars", &[("count", &call.quality.bars.to_string())]);
    pill(ui, rect, "bars", &label);
    paint_bars(ui.painter(), Pos2::new(rect.left() + 12.0, rect.center().y - 6.0), call.quality.bars);
    if let Some(galley) = galley {
        let at = Pos2::new(rect.left() + 38.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, theme::WHITE);
    }
    hint_ui(ui, area, call, state);
    full.on_hover_text(label_with_key(label_of_full(shown.full_screen))).clicked()
}

fn label_of_full(full_screen: bool) -> &'static str {
    if full_screen { word("call.leave_full") } else { word("call.full") }
}

fn label_with_key(label: &str) -> String {
    word_with("call.key", &[("label", label), ("key", Key::F.name())])
}

/// Above the bar: that we are muted, and how to talk all the same.
fn hint_ui(ui: &mut Ui, area: Rect, call: &UpCall, state: &InCallState) {
    let text = match (state.talking, call.muted && call.has_microphone) {
        (true, _) => word("call.talking"),
        (false, true) => word("call.muted_hint"),
        (false, false) => return,
    };
    if !call.far_muted {
        painted_label(ui, above_bar(area, call, state), text);
    }
}

fn pill(ui: &mut Ui, rect: Rect, id: &str, words: &str) {
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    ui.painter().rect(
        rect,
        PILL / 2.0,
        theme::glass(theme::PILL_ALPHA),
        theme::glass_line(),
        StrokeKind::Inside,
    );
}

fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most).chain(['…']).collect()
}

fn chat_ui(ui: &mut Ui, shown: &InCall<'_>, state: &mut InCallState, clock: &Clock) -> Option<Action> {
    let palette = palette(ui);
    let far = &shown.call.far;
    let line = Stroke::new(1.0, palette.line);
    ui.painter().vline(ui.max_rect().left(), ui.max_rect().y_range(), line);
    Panel::top("call chat head")
        .exact_size(theme::HEAD_HEIGHT)
        .resizable(false)
        .frame(Frame::new().inner_margin(Margin::symmetric(20, 0)))
        .show(ui, |ui| {
            if chat_head_ui(ui) {
                toggle_chat(ui, state);
            }
        });
    let peer_id = far.peer_id?;
    let empty = word_with("chat.empty_call", &[("name", &far.name)]);
    let talk = Talk {
        peer_id,
        name: &far.name,
        conversation: shown.conversation,
        going: &[],
        empty: &empty,
        field: chat_field(),
    };
    let field = Panel::bottom("call chat field").resizable(false);
    let asked = field
        .frame(Frame::new().inner_margin(Margin::symmetric(20, 14)))
        .show(ui, |ui| compose_ui(ui, &talk, &mut state.writing))
        .inner;
    let lines = CentralPanel::no_frame().frame(Frame::new().inner_margin(Margin::symmetric(20, 0)));
    let action = lines.show(ui, |ui| chat_lines_ui(ui, &talk, &mut state.writing, clock)).inner;
    asked.or(action)
}

/// Height of the pills at the top.
const PILL: f32 = 32.0;
