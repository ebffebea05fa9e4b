//! The bar of round buttons under a call.

use egui::{
    Align, Align2, Area, Frame, Id, Key, Layout, Margin, Order, Popup, Rect, Ui, UiBuilder, pos2, vec2,
};

use super::button::{Kind, Round, button, round_button};
use super::device_picker::{Which, device_picker_ui, device_problem_ui};
use super::icon::Icon;
use crate::call::Command;
use crate::call::view::{Devices, UpCall};
use crate::ui::theme;
use crate::ui::words::word;

/// What was pressed on the bar.
#[derive(Clone, Debug, PartialEq)]
pub enum Pressed {
    /// Something for the client.
    Ask(Command),
    /// The chat, open or closed.
    Chat,
    /// The devices and the rest, open or closed.
    More,
    /// The quality card, open or closed.
    Quality,
    /// Full screen, or no longer.
    FullScreen,
}

/// Which panels are open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Open {
    /// The chat.
    pub chat: bool,
    /// The devices and the rest.
    pub more: bool,
    /// The quality card.
    pub quality: bool,
    /// The whole screen.
    pub full_screen: bool,
}

/// Five buttons and their gaps.
const WIDTH: f32 = 4.0 * 48.0 + 64.0 + 4.0 * 12.0 + 32.0;
const HEIGHT: f32 = 72.0;

/// Where the bar lies in a picture's rectangle.
pub fn bar_rect(area: Rect) -> Rect {
    Rect::from_center_size(pos2(area.center().x, area.bottom() - 24.0 - HEIGHT / 2.0), vec2(WIDTH, HEIGHT))
}

/// Draws the bar at the bottom of `area`.
pub fn call_bar_ui(ui: &mut Ui, area: Rect, call: &UpCall, devices: &Devices, open: Open) -> Option<Pressed> {
    let rect = bar_rect(area);
    ui.painter().rect(
        rect,
        20.0,
        theme::glass(theme::BAR_ALPHA),
        theme::glass_line(),
        egui::StrokeKind::Inside,
    );
    let row = Layout::left_to_right(Align::Center);
    let inner = rect.shrink2(vec2(16.0, 12.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(inner).layout(row));
    let ui = &mut child;
    ui.spacing_mut().item_spacing.x = 12.0;
    let mut pressed = None;

    let (look, icon, label) = match (call.has_microphone, call.muted) {
        (false, _) => (Round::Off, Icon::MicrophoneOff, word("call.no_microphone")),
        (true, true) => (Round::Off, Icon::MicrophoneOff, word("call.unmute")),
        (true, false) => (Round::Normal, Icon::Microphone, word("call.mute")),
    };
    ui.add_enabled_ui(call.has_microphone, |ui| {
        if round_button(ui, look, icon, label, Some(Key::M)).clicked() {
            pressed = Some(Pressed::Ask(Command::SetMuted(!call.muted)));
        }
    });
    let (look, icon, label) = match (call.has_camera, call.camera_on) {
        (false, _) => (Round::Off, Icon::CameraOff, word("call.no_camera")),
        (true, false) => (Round::Off, Icon::CameraOff, word("call.camera_on")),
        (true, true) => (Round::Normal, Icon::Camera, word("call.camera_off")),
    };
    ui.add_enabled_ui(call.has_camera, |ui| {
        if round_button(ui, look, icon, label, Some(Key::V)).clicked() {
            pressed = Some(Pressed::Ask(Command::SetCameraOn(!call.camera_on)));
        }
    });
    let look = if open.chat { Round::Open } else { Round::Normal };
    if round_button(ui, look, Icon::Chat, word("call.chat"), Some(Key::C)).clicked() {
        pressed = Some(Pressed::Chat);
    }
    let look = if open.more { Round::Open } else { Round::Normal };
    let more = round_button(ui, look, Icon::More, word("call.more"), None);
    if more.clicked() {
        pressed = Some(Pressed::More);
    }
    if open.more {
        pressed = more_card_ui(ui, area, more.rect, devices, open).or(pressed);
    }
    if round_button(ui, Round::End, Icon::HangUp, word("call.hang_up"), None).clicked() {
        pressed = Some(Pressed::Ask(Command::HangUp));
    }
    pressed
}

/// The card above the bar. It is no menu: the lists in it open over it and leave it open.
fn more_card_ui(ui: &Ui, area: Rect, button: Rect, devices: &Devices, open: Open) -> Option<Pressed> {
    let list_open = Popup::is_any_open(ui.ctx());
    let foot = pos2(button.center().x, bar_rect(area).top() - 8.0);
    let card = Area::new(Id::unique("call more"))
        .order(Order::Middle)
        .pivot(Align2::CENTER_BOTTOM)
        .fixed_pos(foot)
        .constrain_to(area.shrink(8.0))
        .show(ui.ctx(), |ui| {
            Frame::popup(ui.style())
                .corner_radius(theme::PICTURE_RADIUS)
                .inner_margin(Margin::same(16))
                .show(ui, |ui| more_ui(ui, devices, open))
                .inner
        });
    let outside = ui.input(|input| {
        let at = input.pointer.interact_pos().filter(|_| input.pointer.any_pressed());
        at.is_some_and(|at| !card.response.rect.contains(at) && !button.contains(at))
    });
    card.inner.or((outside && !list_open).then_some(Pressed::More))
}

fn more_ui(ui: &mut Ui, devices: &Devices, open: Open) -> Option<Pressed> {
    let mut pressed = None;
    ui.set_width(280.0);
    ui.spacing_mut().item_spacing.y = 4.0;
    for which in [Which::Microphone, Which::Speaker, Which::Camera] {
        ui.label(egui::RichText::new(which.label()).font(theme::font(theme::SMALL)));
        if let Some(command) = device_picker_ui(ui, which, devices, 280.0) {
            pressed = Some(Pressed::Ask(command));
        }
        device_problem_ui(ui, which, devices);
        ui.add_space(4.0);
    }
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        let label = if open.quality { word("call.quality_hide") } else { word("call.quality_show") };
        if button(ui, Kind::Plain, None, label).clicked() {
            pressed = Some(Pressed::Quality);
        }
        let label = if open.full_screen { word("call.leave_full") } else { word("call.full") };
        if button(ui, Kind::Plain, None, label).clicked() {
            pressed = Some(Pressed::FullScreen);
        }
    });
    pressed
}
