//! The settings: who one is, the devices, how it looks.

use egui::{
    Align, CentralPanel, Frame, Id, Key, Label, Layout, Margin, Modifiers, Panel, RichText, ScrollArea, Ui,
    vec2,
};

use super::welcome::own_preview;
use crate::call::{ClientView, Command};
use crate::settings::{Setting, Visibility};
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button, button_width, choice, icon_button, switch};
use crate::ui::parts::device_picker::{Which, device_picker_ui, device_problem_ui};
use crate::ui::parts::field::field_ui;
use crate::ui::parts::icon::Icon;
use crate::ui::parts::level_meter::level_meter_ui;
use crate::ui::parts::typed::{name_problem, server_problem};
use crate::ui::textures::Shown;
use crate::ui::theme::{self, ThemeChoice, palette};
use crate::ui::words::word;

/// What the person typed so far.
#[derive(Clone, Debug)]
pub struct SettingsInputs {
    name: String,
    server: String,
    server_before: String,
}

impl SettingsInputs {
    /// The settings as they are when the screen opens.
    pub fn new(view: &ClientView) -> Self {
        // The view names the server for people; only an address can be edited.
        let server = if view.own.server.contains('.') || view.own.server.contains(':') {
            format!("rtmfp://{}", view.own.server.trim_start_matches("rtmfp://"))
        } else {
            String::new()
        };
        Self { name: view.own.name.clone(), server_before: server.clone(), server }
    }
}

/// What the screen shows beside the view.
#[derive(Clone, Copy, Debug)]
pub struct SettingsShown {
    /// Our own picture.
    pub own_picture: Option<Shown>,
    /// The theme in use.
    pub theme: ThemeChoice,
    /// There is no list beside it.
    pub narrow: bool,
    /// "Copied" shows.
    pub copied: bool,
}

/// Draws the settings into the room that is left. Esc closes them.
pub fn settings_ui(
    ui: &mut Ui,
    view: &ClientView,
    shown: SettingsShown,
    inputs: &mut SettingsInputs,
) -> Option<Action> {
    let palette = palette(ui);
    let mut action = None;
    let sides = if shown.narrow { 12 } else { 20 };
    Panel::top("settings head")
        .exact_size(theme::HEAD_HEIGHT)
        .resizable(false)
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0)))
        .show(ui, |ui| {
            ui.horizontal_centered(|ui| {
                if shown.narrow && icon_button(ui, Icon::Back, word("home.back")).clicked() {
                    action = Some(Action::Back);
                }
                ui.label(RichText::new(word("settings.title")).font(theme::strong(theme::HEAD)));
                if !shown.narrow {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        if icon_button(ui, Icon::Close, word("settings.close")).clicked() {
                            action = Some(Action::Back);
                        }
                    });
                }
            });
        });
    CentralPanel::no_frame()
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0)))
        .show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width().min(640.0));
                ui.spacing_mut().item_spacing.y = 10.0;
                ui.add_space(16.0);
                profile_ui(ui, view, shown, inputs, &mut action);
                ui.add_space(18.0);
                devices_ui(ui, view, shown, &mut action);
                ui.add_space(18.0);
                appearance_ui(ui, shown, &mut action);
                ui.add_space(24.0);
            });
        });
    if action.is_none() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        action = Some(Action::Back);
    }
    action
}

fn profile_ui(
    ui: &mut Ui,
    view: &ClientView,
    shown: SettingsShown,
    inputs: &mut SettingsInputs,
    action: &mut Option<Action>,
) {
    title_ui(ui, word("settings.profile"));
    row_ui(ui, word("settings.name"), |ui, width| {
        let id = Id::unique("settings name");
        let changed = inputs.name.trim() != view.own.name;
        let wide =
            if changed { width - 10.0 - button_width(ui, word("settings.apply"), 14.0) } else { width };
        let mut wanted = field_ui(ui, id, &mut inputs.name, word("settings.name"), "", wide).entered;
        if changed {
            wanted |= button(ui, Kind::Primary, None, word("settings.apply")).clicked();
        }
        if wanted && changed && name_problem(&inputs.name).is_none() {
            *action = Some(Action::Ask(Command::SetName(inputs.name.trim().to_owned())));
        }
    });
    problem_ui(ui, name_problem(&inputs.name));
    row_ui(ui, word("settings.server"), |ui, width| {
        let id = Id::unique("settings server");
        let changed = inputs.server.trim() != inputs.server_before;
        let wide =
            if changed { width - 10.0 - button_width(ui, word("settings.apply"), 14.0) } else { width };
        let hint = word("settings.server_hint");
        let mut wanted = field_ui(ui, id, &mut inputs.server, word("settings.server"), hint, wide).entered;
        if changed {
            wanted |= button(ui, Kind::Primary, None, word("settings.apply")).clicked();
        }
        if wanted && changed && server_problem(&inputs.server).is_none() {
            inputs.server_before = inputs.server.trim().to_owned();
            let server = (!inputs.server_before.is_empty()).then(|| inputs.server_before.clone());
            *action = Some(Action::Ask(Command::SetServer(server)));
        }
    });
    problem_ui(ui, server_problem(&inputs.server));
    row_ui(ui, word("settings.listed"), |ui, _| {
        let listed = view.settings.visibility == Visibility::Everyone;
        if switch(ui, listed, word("settings.listed")).clicked() {
            let wanted = if listed { Visibility::Known } else { Visibility::Everyone };
            *action = Some(Action::Ask(Command::Set(Setting::Visibility(wanted))));
        }
        hint_ui(ui, word("settings.listed_text"));
    });
    if let Some(id) = view.own.peer_id {
        row_ui(ui, word("settings.peer_id"), |ui, width| {
            ui.vertical(|ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing.y = 4.0;
                let id = id.to_string();
                for half in [&id[..32], &id[32..]] {
                    let groups: Vec<&str> = (0..8).map(|group| &half[group * 4..group * 4 + 4]).collect();
                    ui.label(RichText::new(groups.join(" ")).font(theme::mono(theme::SMALL)));
                }
                hint_ui(ui, word("settings.peer_id_text"));
                let (icon, label) = if shown.copied {
                    (Icon::Tick, word("own.copied"))
                } else {
                    (Icon::Copy, word("settings.copy"))
                };
                if button(ui, Kind::Plain, Some(icon), label).clicked() {
                    *action = Some(Action::CopyPeerId);
                }
            });
        });
    }
}

fn devices_ui(ui: &mut Ui, view: &ClientView, shown: SettingsShown, action: &mut Option<Action>) {
    title_ui(ui, word("settings.devices"));
    let width = ui.available_width().min(410.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, width * 9.0 / 16.0), egui::Sense::hover());
    own_preview(ui, rect, shown.own_picture, theme::PICTURE_RADIUS);
    ui.add_space(6.0);
    for which in [Which::Camera, Which::Microphone, Which::Speaker] {
        row_ui(ui, which.label(), |ui, width| {
            let wide = if which == Which::Speaker {
                width - 10.0 - button_width(ui, word("device.test"), 14.0)
            } else {
                width
            };
            if let Some(command) = device_picker_ui(ui, which, &view.devices, wide) {
                *action = Some(Action::Ask(command));
            }
            if which == Which::Speaker
                && button(ui, Kind::Plain, None, word("device.test"))
                    .on_hover_text(word("device.test_long"))
                    .clicked()
            {
                *action = Some(Action::Ask(Command::TestSpeaker));
            }
        });
        if which == Which::Microphone {
            ui.scope(|ui| {
                ui.spacing_mut().interact_size.y = 8.0;
                row_ui(ui, "", |ui, width| {
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        level_meter_ui(ui, view.microphone_level);
                    });
                });
            });
        }
        device_problem_ui(ui, which, &view.devices);
    }
    row_ui(ui, "", |ui, _| {
        if button(ui, Kind::Plain, Some(Icon::Again), word("device.refresh")).clicked() {
            *action = Some(Action::Ask(Command::RefreshDevices));
        }
    });
}

fn appearance_ui(ui: &mut Ui, shown: SettingsShown, action: &mut Option<Action>) {
    title_ui(ui, word("settings.appearance"));
    row_ui(ui, word("settings.theme"), |ui, _| {
        ui.spacing_mut().item_spacing.x = 8.0;
        for (theme, label) in [
            (ThemeChoice::Dark, word("settings.dark")),
            (ThemeChoice::Light, word("settings.light")),
            (ThemeChoice::System, word("settings.system")),
        ] {
            if choice(ui, shown.theme == theme, label).clicked() {
                *action = Some(Action::SetTheme(theme));
            }
        }
    });
}

fn title_ui(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).font(theme::strong(15.0)));
    ui.add_space(4.0);
}

/// A caption and what it names, side by side, or one above the other where there is no room.
fn row_ui(ui: &mut Ui, caption: &str, content: impl FnOnce(&mut Ui, f32)) {
    let ink = palette(ui).dim;
    let room = ui.available_width();
    if room < 420.0 {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            if !caption.is_empty() {
                ui.label(RichText::new(caption).font(theme::font(theme::SMALL)).color(ink));
            }
            ui.horizontal(|ui| content(ui, room));
        });
        return;
    }
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(
            vec2(160.0, if caption.is_empty() { 0.0 } else { theme::FIELD_HEIGHT }),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_width(160.0);
                ui.label(RichText::new(caption).color(ink));
            },
        );
        let width = ui.available_width();
        content(ui, width);
    });
}

fn hint_ui(ui: &mut Ui, text: &str) {
    let ink = palette(ui).faint;
    ui.add(Label::new(RichText::new(text).font(theme::font(theme::SMALL)).color(ink)).wrap());
}

fn problem_ui(ui: &mut Ui, sentence: Option<String>) {
    if let Some(sentence) = sentence {
        let ink = palette(ui).bad_text;
        ui.add(Label::new(RichText::new(sentence).font(theme::font(theme::SMALL)).color(ink)).wrap());
    }
}
