//! The bar of round buttons under a call, and what its buttons ask for.

use egui::{Align, Layout, Pos2, Rect, Response, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2};

use super::button::{Round, focus_ring, round_button};
use super::call_menu::{Menu, call_menu_ui};
use super::icon::{Icon, paint_icon};
use crate::call::view::UpCall;
use crate::call::{ClientView, Command};
use crate::ui::shortcuts::{ShortcutAction, with_key};
use crate::ui::theme;
use crate::ui::words::word;

/// What was pressed on the bar or in one of its menus.
#[derive(Clone, Debug, PartialEq)]
pub enum Pressed {
    /// Something for the client.
    Ask(Command),
    /// What of the screen is shown: the dialog, or nothing any more.
    Share,
    /// The chat, open or closed.
    Chat,
    /// A menu, open or closed.
    Menu(Menu),
    /// The quality card, open or closed.
    Quality,
    /// Full screen, or no longer.
    FullScreen,
    /// Away from the call's screen, which goes on in a tile.
    Minimise,
    /// The two pictures change places.
    Swap,
    /// Our own picture, hidden or shown.
    HideSelf,
    /// The far picture, kept as a file.
    Snapshot,
    /// Comparing codes.
    Verify,
}

/// What is open around a call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Open {
    /// The chat.
    pub chat: bool,
    /// The dialog in which one chooses a screen.
    pub share: bool,
    /// One of the menus.
    pub menu: Option<Menu>,
    /// The quality card.
    pub quality: bool,
    /// The whole screen.
    pub full_screen: bool,
    /// Our own picture is hidden.
    pub self_hidden: bool,
    /// A far picture is there to be kept.
    pub picture: bool,
}

/// Six buttons, without the gaps between them.
const BUTTONS: f32 = 5.0 * 48.0 + 64.0;
const HEIGHT: f32 = 72.0;

/// Between two buttons, and beside them all: less in a narrow window.
fn gaps(area: Rect) -> (f32, f32) {
    if area.width() < 440.0 { (4.0, 8.0) } else { (12.0, 16.0) }
}

/// Where the bar lies in a picture's rectangle.
pub fn bar_rect(area: Rect) -> Rect {
    let (between, beside) = gaps(area);
    let width = BUTTONS + 5.0 * between + 2.0 * beside;
    Rect::from_center_size(pos2(area.center().x, area.bottom() - 24.0 - HEIGHT / 2.0), vec2(width, HEIGHT))
}

/// Draws the bar at the bottom of `area`.
pub fn call_bar_ui(ui: &mut Ui, area: Rect, view: &ClientView, call: &UpCall, open: Open) -> Option<Pressed> {
    let settings = &view.settings;
    let rect = bar_rect(area);
    let fill = theme::glass(theme::BAR_ALPHA);
    ui.painter().rect(rect, 20.0, fill, theme::glass_line(), egui::StrokeKind::Inside);
    let row = Layout::left_to_right(Align::Center);
    let (between, beside) = gaps(area);
    let inner = rect.shrink2(vec2(beside, 12.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(inner).layout(row));
    let ui = &mut child;
    ui.spacing_mut().item_spacing.x = between;
    let mut pressed = None;
    let mut anchor = rect.center_top();

    let (look, icon, label) = match (call.has_microphone, call.muted) {
        (false, _) => (Round::Off, Icon::MicrophoneOff, word("call.no_microphone")),
        (true, true) => (Round::Off, Icon::MicrophoneOff, word("call.unmute")),
        (true, false) => (Round::Normal, Icon::Microphone, word("call.mute")),
    };
    let button = ui.add_enabled_ui(call.has_microphone, |ui| {
        let hint = with_key(settings, label, ShortcutAction::Mute);
        round_button(ui, look, icon, label, &hint)
    });
    if button.inner.clicked() {
        pressed = Some(Pressed::Ask(Command::SetMuted(!call.muted)));
    }
    let microphone = button.inner.rect;

    let (look, icon, label) = match (call.has_camera, call.camera_on) {
        (false, _) => (Round::Off, Icon::CameraOff, word("call.no_camera")),
        (true, false) => (Round::Off, Icon::CameraOff, word("call.camera_on")),
        (true, true) => (Round::Normal, Icon::Camera, word("call.camera_off")),
    };
    let button = ui.add_enabled_ui(call.has_camera, |ui| {
        let hint = with_key(settings, label, ShortcutAction::Camera);
        round_button(ui, look, icon, label, &hint)
    });
    if button.inner.clicked() {
        pressed = Some(Pressed::Ask(Command::SetCameraOn(!call.camera_on)));
    }
    let camera = button.inner.rect;
    for (menu, over, label) in [
        (Menu::Microphone, microphone, word("call.choose_microphone")),
        (Menu::Camera, camera, word("call.choose_camera")),
    ] {
        if arrow_ui(ui, over, label, open.menu == Some(menu)) {
            pressed = Some(Pressed::Menu(menu));
        }
        if open.menu == Some(menu) {
            anchor = over.center_top();
        }
    }

    let (look, label) = match call.sharing {
        Some(_) => (Round::Open, word("call.share_stop")),
        None if open.share => (Round::Open, word("call.share")),
        None => (Round::Normal, word("call.share")),
    };
    let hint = with_key(settings, label, ShortcutAction::Share);
    if round_button(ui, look, Icon::Screen, label, &hint).clicked() {
        pressed = Some(Pressed::Share);
    }

    let look = if open.chat { Round::Open } else { Round::Normal };
    let label = word("call.chat");
    let chat = round_button(ui, look, Icon::Chat, label, &with_key(settings, label, ShortcutAction::Chat));
    expanded(ui, &chat, open.chat);
    if chat.clicked() {
        pressed = Some(Pressed::Chat);
    }
    let more_open = open.menu == Some(Menu::More);
    let look = if more_open { Round::Open } else { Round::Normal };
    let more = round_button(ui, look, Icon::More, word("call.more"), word("call.more"));
    expanded(ui, &more, more_open);
    if more.clicked() {
        pressed = Some(Pressed::Menu(Menu::More));
    }
    if more_open {
        anchor = more.rect.center_top();
    }
    let label = word("call.hang_up");
    let hint = with_key(settings, label, ShortcutAction::HangUp);
    if round_button(ui, Round::End, Icon::HangUp, label, &hint).clicked() {
        pressed = Some(Pressed::Ask(Command::HangUp));
    }
    if let Some(menu) = open.menu {
        let foot = Pos2::new(anchor.x, rect.top() - 8.0);
        pressed = pressed.or(call_menu_ui(ui, area, rect, foot, menu, view, call, open));
    }
    pressed
}

/// Whether what a button opens is open, for screen readers.
fn expanded(ui: &Ui, button: &Response, open: bool) {
    ui.ctx().accesskit_node_builder(button.id, |node| node.set_expanded(open));
}

/// The small arrow at a round button's shoulder.
fn arrow_ui(ui: &mut Ui, over: Rect, label: &str, open: bool) -> bool {
    let rect = Rect::from_center_size(over.right_top() + vec2(-4.0, 6.0), Vec2::splat(20.0));
    let response = ui.interact(rect.expand(2.0), ui.scope_id().with(("arrow", label)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), label));
    expanded(ui, &response, open);
    let fill = if open || response.hovered() { theme::ROUND_INK } else { theme::ROUND };
    let ink = if open || response.hovered() { theme::ROUND } else { theme::ROUND_INK };
    ui.painter().circle(rect.center(), 10.0, fill, egui::Stroke::new(2.0, theme::GLASS));
    paint_icon(
        ui.painter(),
        Icon::Down,
        Rect::from_center_size(rect.center() + vec2(0.0, -0.5), Vec2::splat(14.0)),
        ink,
    );
    focus_ring(ui, &response, rect, 10.0);
    response.on_hover_text(label).clicked()
}
