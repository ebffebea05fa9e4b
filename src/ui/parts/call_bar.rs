//! The bar of round buttons under a call.

use egui::{Align, Frame, Key, Layout, Margin, Popup, PopupCloseBehavior, Rect, Ui, UiBuilder, pos2, vec2};

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
    let more = round_button(ui, Round::Normal, Icon::More, word("call.more"), None);
    Popup::menu(&more)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .gap(18.0)
        .frame(Frame::popup(ui.style()).inner_margin(Margin::same(16)))
        .show(|ui| {
            if let Some(chosen) = more_ui(ui, devices, open) {
                pressed = Some(chosen);
            }
        });
    if round_button(ui, Round::End, Icon::HangUp, word("call.hang_up"), None).clicked() {
        pressed = Some(Pressed::Ask(Command::HangUp));
    }
    pressed
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
            ui.close();
        }
        let label = if open.full_screen { word("call.leave_full") } else { word("call.full") };
        if button(ui, Kind::Plain, None, label).clicked() {
            pressed = Some(Pressed::FullScreen);
            ui.close();
        }
    });
    pressed
}
