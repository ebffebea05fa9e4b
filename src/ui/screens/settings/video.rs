//! The camera: what it sees, and how much of it is sent.

use egui::{Sense, Ui, vec2};

use super::rows::{note_ui, pick_ui, row_ui, switch_ui};
use super::{SettingsShown, set};
use crate::call::ClientView;
use crate::settings::{Setting, VideoChoice};
use crate::ui::action::Action;
use crate::ui::parts::device_picker::{Which, device_picker_ui, device_problem_ui};
use crate::ui::screens::welcome::own_preview_as;
use crate::ui::theme;
use crate::ui::words::{rate_words, word, word_with};

const LINES: [u32; 5] = [1080, 720, 540, 360, 180];
const RATES: [u32; 4] = [30, 24, 15, 10];
const KBPS: [u32; 7] = [0, 300, 600, 1_000, 1_500, 2_500, 4_000];
const KEY_FRAMES: [u32; 5] = [0, 2, 5, 10, 30];

pub(super) fn video_ui(ui: &mut Ui, view: &ClientView, shown: SettingsShown) -> Option<Action> {
    let mut action = None;
    let width = ui.available_width().min(410.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, width * 9.0 / 16.0), Sense::hover());
    let video = view.settings.video;
    own_preview_as(ui, rect, shown.own_picture, video.mirror, theme::PICTURE_RADIUS);
    row_ui(ui, Which::Camera.label(), |ui, width| {
        if let Some(command) = device_picker_ui(ui, Which::Camera, &view.devices, width) {
            action = Some(Action::Ask(command));
        }
    });
    device_problem_ui(ui, Which::Camera, &view.devices);
    let mut wanted = video;
    let size = |lines: u32| {
        let width = (lines * 16).div_ceil(9).next_multiple_of(2).to_string();
        word_with("video.size_of", &[("width", &width), ("height", &lines.to_string())])
    };
    let rate = |rate: u32| word_with("video.rate_of", &[("rate", &rate.to_string())]);
    let kbps = |kbps: u32| match kbps {
        0 => word("video.bits_automatic").to_owned(),
        kbps => word_with("video.bits_of", &[("rate", &rate_words(kbps))]),
    };
    let key_frames = |seconds: u32| match seconds {
        0 => word("video.key_automatic").to_owned(),
        seconds => word_with("video.key_every", &[("seconds", &seconds.to_string())]),
    };
    pick_into(&mut wanted.most_lines, pick_ui(ui, word("video.size"), video.most_lines, &LINES, size));
    pick_into(&mut wanted.most_rate, pick_ui(ui, word("video.rate"), video.most_rate, &RATES, rate));
    pick_into(&mut wanted.most_kbps, pick_ui(ui, word("video.bits"), video.most_kbps, &KBPS, kbps));
    let every = pick_ui(ui, word("video.key"), video.key_frame_every, &KEY_FRAMES, key_frames);
    pick_into(&mut wanted.key_frame_every, every);
    if let Some(mirror) = switch_ui(ui, word("video.mirror"), word("video.mirror_text"), video.mirror) {
        wanted.mirror = mirror;
    }
    note_ui(ui, word("video.network_text"));
    let large = view.settings.recording_far_large;
    if let Some(large) = switch_ui(ui, word("video.record_large"), word("video.record_large_text"), large) {
        action = Some(set(Setting::RecordingFarLarge(large)));
    }
    changed(video, wanted).or(action)
}

fn pick_into(place: &mut u32, picked: Option<u32>) {
    if let Some(value) = picked {
        *place = value;
    }
}

fn changed(before: VideoChoice, wanted: VideoChoice) -> Option<Action> {
    (before != wanted).then(|| set(Setting::Video(wanted)))
}
