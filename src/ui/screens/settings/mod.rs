//! The settings: a list of sections, and the one that is open.
//!
//! Each section is a file of its own and gives back what was asked for; a change applies at once. What the person is in
//! the middle of (a name half typed, a key waited for, a dialog that is open) stands in [`SettingsInputs`] and is gone
//! when the settings close.

mod about;
mod appearance;
mod audio;
mod diagnostics;
mod network;
mod network_check;
mod privacy;
mod profile;
mod rows;
mod shortcuts;
mod video;

use egui::{
    Align, CentralPanel, Frame, Key, Layout, Margin, Modifiers, Panel, RichText, Role, ScrollArea, Sense, Ui,
    WidgetInfo, vec2,
};

use crate::call::{ClientView, Command};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::parts::button::{focus_ring, icon_button};
use crate::ui::parts::icon::Icon;
use crate::ui::textures::Shown;
use crate::ui::theme::{self, ThemeChoice, palette};
use crate::ui::words::word;

/// The sections, as the list shows them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Section {
    /// Who one is: name, peer ID, backup.
    #[default]
    Profile,
    /// The camera and what is sent of it.
    Video,
    /// Microphone and loudspeaker.
    Audio,
    /// Server and port.
    Network,
    /// Who may call and who sees what; what is kept.
    Privacy,
    /// How it looks, and its language.
    Appearance,
    /// The keys.
    Shortcuts,
    /// Version, licences, diagnostics.
    About,
}

impl Section {
    /// Every section, in the order of the list.
    pub const ALL: [Self; 8] = [
        Self::Profile,
        Self::Video,
        Self::Audio,
        Self::Network,
        Self::Privacy,
        Self::Appearance,
        Self::Shortcuts,
        Self::About,
    ];

    /// What it is called on screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Profile => word("settings.profile"),
            Self::Video => word("settings.video"),
            Self::Audio => word("settings.audio"),
            Self::Network => word("settings.network"),
            Self::Privacy => word("settings.privacy"),
            Self::Appearance => word("settings.appearance"),
            Self::Shortcuts => word("settings.shortcuts"),
            Self::About => word("settings.about"),
        }
    }
}

/// What the person is in the middle of.
#[derive(Default)]
pub struct SettingsInputs {
    section: Section,
    profile: profile::ProfileInputs,
    network: network::NetworkInputs,
    network_check: network_check::NetworkCheckInputs,
    privacy: privacy::PrivacyInputs,
    shortcuts: shortcuts::ShortcutInputs,
    about: about::AboutInputs,
}

impl SettingsInputs {
    /// The settings as they are when the screen opens.
    pub fn new(view: &ClientView) -> Self {
        Self {
            profile: profile::ProfileInputs::new(view),
            network: network::NetworkInputs::new(view),
            ..Self::default()
        }
    }

    /// With another section open.
    pub fn open_at(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    /// Whether camera and microphone are opened to be tried: only where they are seen and heard.
    pub fn wants_preview(&self) -> bool {
        matches!(self.section, Section::Video | Section::Audio)
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

/// Draws the settings into the room that is left. Esc closes them, or stops waiting for a key.
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
    let list_beside = ui.available_width() >= ROOM_FOR_LIST;
    if list_beside {
        Panel::left("settings list")
            .exact_size(LIST_WIDTH)
            .resizable(false)
            .show_separator_line(false)
            .frame(Frame::new().fill(palette.bg).inner_margin(Margin::same(16)))
            .show(ui, |ui| {
                ScrollArea::vertical().show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 4.0;
                    for section in Section::ALL {
                        if entry_ui(ui, section, inputs.section == section) {
                            inputs.section = section;
                        }
                    }
                });
            });
    }
    CentralPanel::no_frame()
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0)))
        .show(ui, |ui| {
            let id = ui.scope_id().with(inputs.section.label());
            ScrollArea::vertical().id_salt(id).auto_shrink(false).show(ui, |ui| {
                ui.set_max_width((ui.available_width() - 4.0).min(640.0));
                ui.spacing_mut().item_spacing.y = 12.0;
                ui.add_space(16.0);
                if !list_beside {
                    let section = inputs.section;
                    let name = |section: Section| section.label().to_owned();
                    let picked = rows::pick_ui(ui, word("settings.section"), section, &Section::ALL, name);
                    inputs.section = picked.unwrap_or(section);
                }
                action = section_ui(ui, view, shown, inputs).or(action.take());
                ui.add_space(24.0);
            });
        });
    if action.is_none()
        && !inputs.shortcuts.waits_for_key()
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
    {
        action = Some(Action::Back);
    }
    action
}

fn section_ui(
    ui: &mut Ui,
    view: &ClientView,
    shown: SettingsShown,
    inputs: &mut SettingsInputs,
) -> Option<Action> {
    match inputs.section {
        Section::Profile => profile::profile_ui(ui, view, shown, &mut inputs.profile),
        Section::Video => video::video_ui(ui, view, shown),
        Section::Audio => audio::audio_ui(ui, view),
        Section::Network => {
            let asked = network::network_ui(ui, view, &mut inputs.network);
            network_check::network_check_ui(ui, view, &mut inputs.network_check).or(asked)
        }
        Section::Privacy => privacy::privacy_ui(ui, view, &mut inputs.privacy),
        Section::Appearance => appearance::appearance_ui(ui, view, shown),
        Section::Shortcuts => shortcuts::shortcuts_ui(ui, view, &mut inputs.shortcuts),
        Section::About => about::about_ui(ui, view, &mut inputs.about),
    }
}

fn entry_ui(ui: &mut Ui, section: Section, open: bool) -> bool {
    let palette = palette(ui);
    let font = if open { theme::strong(theme::BODY) } else { theme::font(theme::BODY) };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, open, section.label()));
    if open || response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, palette.raised);
    }
    let galley = ui.painter().layout_no_wrap(section.label().to_owned(), font, palette.text);
    let left = egui::pos2(rect.left() + 12.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(left, galley, palette.text);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response.clicked()
}

/// One setting changed.
fn set(setting: Setting) -> Action {
    Action::Ask(Command::Set(setting))
}

/// How wide the list of sections is, in points.
const LIST_WIDTH: f32 = 190.0;
/// Under this width the section is chosen from a list above it.
const ROOM_FOR_LIST: f32 = 620.0;
