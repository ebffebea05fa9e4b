//! Choosing a camera, a microphone, a loudspeaker.

use egui::{ComboBox, Id, Rect, RichText, Ui, UiBuilder, vec2};

use super::icon::{Icon, paint_icon};
use crate::call::Command;
use crate::call::view::Devices;
use crate::ui::theme::{self, palette};
use crate::ui::words::{device_words, word, word_with};

/// Which of the three.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// Cameras.
    Camera,
    /// Microphones.
    Microphone,
    /// Loudspeakers.
    Speaker,
}

impl Which {
    /// What it is called on screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Camera => word("device.camera"),
            Self::Microphone => word("device.microphone"),
            Self::Speaker => word("device.speaker"),
        }
    }

    /// Those there are, by name.
    pub fn names(self, devices: &Devices) -> &[String] {
        match self {
            Self::Camera => &devices.cameras,
            Self::Microphone => &devices.microphones,
            Self::Speaker => &devices.speakers,
        }
    }

    /// The one in use.
    pub fn in_use(self, devices: &Devices) -> &str {
        match self {
            Self::Camera => &devices.camera,
            Self::Microphone => &devices.microphone,
            Self::Speaker => &devices.speaker,
        }
    }

    /// What chooses another.
    pub fn choose(self, name: &str) -> Command {
        match self {
            Self::Camera => Command::ChooseCamera(name.to_owned()),
            Self::Microphone => Command::ChooseMicrophone(name.to_owned()),
            Self::Speaker => Command::ChooseSpeaker(name.to_owned()),
        }
    }

    /// What is used in place of the chosen one, if that is missing.
    fn stand_in(self, devices: &Devices) -> Option<String> {
        let name = match self {
            Self::Camera => None,
            Self::Microphone => devices.microphone_stand_in.as_deref(),
            Self::Speaker => devices.speaker_stand_in.as_deref(),
        }?;
        let chosen = self.in_use(devices);
        let is_device = !matches!(chosen, "" | DEFAULT | NONE);
        is_device.then(|| word_with("devices.stand_in", &[("chosen", chosen), ("name", name)]))
    }

    /// What is wrong with it, in one sentence: what the device said, or that there is none.
    pub fn problem(self, devices: &Devices) -> Option<String> {
        let (said, none) = match self {
            Self::Camera => (&devices.camera_problem, word("device.no_cameras")),
            Self::Microphone => (&devices.microphone_problem, word("device.no_microphones")),
            Self::Speaker => (&devices.speaker_problem, word("device.no_speakers")),
        };
        let in_use = self.in_use(devices);
        let missing = self.names(devices).is_empty() && matches!(in_use, "" | DEFAULT);
        said.as_ref().map(device_words).or(missing.then(|| none.to_owned()))
    }
}

/// A list to choose from, as wide as told. Choosing gives the command.
pub fn device_picker_ui(ui: &mut Ui, which: Which, devices: &Devices, width: f32) -> Option<Command> {
    let palette = palette(ui);
    let in_use = which.in_use(devices);
    let shown = match in_use {
        "" | DEFAULT => word("device.default"),
        NONE => word("device.none"),
        name => name,
    };
    let mut chosen = None;
    let (rect, _) = ui.allocate_exact_size(vec2(width, theme::FIELD_HEIGHT), egui::Sense::hover());
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.spacing_mut().interact_size.y = theme::FIELD_HEIGHT;
    child.visuals_mut().widgets.inactive.weak_bg_fill = palette.bg;
    child.visuals_mut().widgets.open.weak_bg_fill = palette.bg;
    let combo = ComboBox::from_id_salt(("device", which.label()))
        .width(width)
        .truncate()
        .icon(move |ui, rect, _, _| {
            let square = Rect::from_center_size(rect.center(), vec2(16.0, 16.0));
            paint_icon(ui.painter(), Icon::Down, square, palette.dim);
        })
        .selected_text(RichText::new(shown).color(palette.text))
        .show_ui(&mut child, |ui| {
            ui.set_min_width(width - 12.0);
            let mut offer = |ui: &mut Ui, name: &str, label: &str| {
                if ui.selectable_label(in_use == name, label).clicked() && in_use != name {
                    chosen = Some(which.choose(name));
                }
            };
            offer(ui, DEFAULT, word("device.default"));
            for name in which.names(devices) {
                offer(ui, name, name);
            }
            if which != Which::Speaker || in_use == NONE {
                offer(ui, NONE, word("device.none"));
            }
        });
    let id: Id = combo.response.id;
    ui.ctx().accesskit_node_builder(id, |node| node.set_label(which.label()));
    chosen
}

/// The sentence under a picker, when something is wrong or another device stands in.
pub fn device_problem_ui(ui: &mut Ui, which: Which, devices: &Devices) {
    let problem = which.problem(devices).map(|problem| (problem, palette(ui).bad_text));
    let stand_in = || which.stand_in(devices).map(|words| (words, palette(ui).dim));
    if let Some((problem, ink)) = problem.or_else(stand_in) {
        ui.add(egui::Label::new(RichText::new(problem).font(theme::font(theme::SMALL)).color(ink)).wrap());
    }
}

/// The word for the system's own choice, as the flags have it.
pub const DEFAULT: &str = "default";
/// The word for no device at all.
pub const NONE: &str = "none";
