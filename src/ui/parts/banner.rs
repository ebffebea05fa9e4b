//! What must be known about a call right now: one thing at a time, the most important first.

use egui::{Pos2, Rect, Role, Sense, StrokeKind, Ui, WidgetInfo, vec2};

use super::device_picker::Which;
use super::icon::{Icon, paint_icon};
use crate::call::view::{Devices, UpCall};
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// What a banner says, the most important first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Banner {
    /// A device in use is gone or cannot be used.
    DeviceLost(Which),
    /// Nothing came for so many seconds.
    Reconnecting(u64),
    /// The connection carries no picture at all: ours pauses.
    PicturePaused,
    /// The connection carries less than the picture needs.
    Weak,
    /// The far end lets us wait.
    FarHolds,
    /// We let the far end wait.
    WeHold,
    /// We speak, and nobody hears it.
    SpeakingMuted,
}

impl Banner {
    /// The one to show, if there is any. `we_hold`: this call waits because we said so.
    pub fn of(call: &UpCall, devices: &Devices, we_hold: bool) -> Option<Self> {
        let lost = |which, used: bool, problem: bool| (used && problem).then_some(Self::DeviceLost(which));
        lost(Which::Microphone, call.has_microphone, devices.microphone_problem.is_some())
            .or_else(|| lost(Which::Speaker, true, devices.speaker_problem.is_some()))
            .or_else(|| lost(Which::Camera, call.has_camera, devices.camera_problem.is_some()))
            .or_else(|| call.silent_for.map(|silent| Self::Reconnecting(silent.as_secs())))
            .or_else(|| we_hold.then_some(Self::WeHold))
            .or_else(|| call.far_holds.then_some(Self::FarHolds))
            .or_else(|| call.picture_paused.then_some(Self::PicturePaused))
            .or_else(|| call.weak.then_some(Self::Weak))
            .or_else(|| (call.speaking_muted && call.muted).then_some(Self::SpeakingMuted))
    }

    /// Its sentence.
    pub fn words(self, call: &UpCall, devices: &Devices, talk_key: &str) -> String {
        let name = ("name", call.far.name.as_str());
        match self {
            Self::DeviceLost(which) => {
                which.problem(devices).unwrap_or_else(|| word("banner.device").to_owned())
            }
            Self::Reconnecting(seconds) => {
                word_with("call.reconnecting", &[("seconds", &seconds.to_string())])
            }
            Self::PicturePaused => word("banner.picture_paused").to_owned(),
            Self::Weak => word("banner.weak").to_owned(),
            Self::FarHolds => word_with("banner.far_holds", &[name]),
            Self::WeHold => word_with("banner.we_hold", &[name]),
            Self::SpeakingMuted => word_with("banner.speaking_muted", &[("key", talk_key)]),
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::DeviceLost(_) | Self::PicturePaused | Self::Weak => Icon::Warning,
            Self::Reconnecting(_) => Icon::Again,
            Self::FarHolds | Self::WeHold => Icon::Pause,
            Self::SpeakingMuted => Icon::MicrophoneOff,
        }
    }
}

/// Draws a banner at the top of a picture, under the pills.
pub fn banner_ui(ui: &mut Ui, area: Rect, banner: Banner, text: &str) {
    let wrap = (area.width() - 100.0).clamp(120.0, 600.0);
    let galley = ui.painter().layout(text.to_owned(), theme::font(theme::BODY), theme::WHITE, wrap);
    let size = galley.size() + vec2(32.0 + 28.0, 20.0);
    let rect = Rect::from_center_size(Pos2::new(area.center().x, area.top() + 70.0 + size.y / 2.0), size);
    let response = ui.interact(rect, ui.scope_id().with("banner"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    // It is said aloud by a screen reader when it comes, wherever the focus is.
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_live(egui::accesskit::Live::Polite));
    let fill = theme::glass(theme::CARD_ALPHA);
    ui.painter().rect(rect, theme::PICTURE_RADIUS, fill, theme::glass_line(), StrokeKind::Inside);
    let square =
        Rect::from_center_size(Pos2::new(rect.left() + 25.0, rect.center().y), egui::Vec2::splat(18.0));
    paint_icon(ui.painter(), banner.icon(), square, theme::WARN);
    ui.painter().galley(rect.min + vec2(44.0, 10.0), galley, theme::WHITE);
}
