//! How the window looks: dark or light, its accent, the size of text, its language.

use egui::Ui;

use super::rows::{note_ui, pick_ui, row_ui, switch_ui};
use super::{SettingsShown, set};
use crate::call::ClientView;
use crate::settings::{Language, Setting};
use crate::ui::action::Action;
use crate::ui::parts::button::{choice, swatch};
use crate::ui::theme::{self, Accent, ThemeChoice};
use crate::ui::words::language::{ALL, own_name};
use crate::ui::words::{word, word_with};

const PERCENTS: [u32; 7] = [75, 90, 100, 115, 130, 150, 200];

pub(super) fn appearance_ui(ui: &mut Ui, view: &ClientView, shown: SettingsShown) -> Option<Action> {
    let mut action = None;
    row_ui(ui, word("settings.theme"), |ui, _| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            for (theme, label) in [
                (ThemeChoice::Dark, word("settings.dark")),
                (ThemeChoice::Light, word("settings.light")),
                (ThemeChoice::System, word("settings.system")),
            ] {
                if choice(ui, shown.theme == theme, label).clicked() {
                    action = Some(Action::SetTheme(theme));
                }
            }
        });
    });
    row_ui(ui, word("look.accent"), |ui, _| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let dark = ui.visuals().dark_mode;
            for accent in theme::ACCENTS {
                let colour = theme::palette_with(dark, accent).accent;
                let label = match accent {
                    Accent::Copper => word("look.copper"),
                    Accent::Sea => word("look.sea"),
                    Accent::Moss => word("look.moss"),
                    Accent::Plum => word("look.plum"),
                };
                if swatch(ui, view.settings.accent == accent, colour, label).clicked() {
                    action = Some(set(Setting::Accent(accent)));
                }
            }
        });
    });
    let percent = (view.settings.text_scale * 100.0).round() as u32;
    let of = |percent: u32| word_with("look.percent", &[("percent", &percent.to_string())]);
    if let Some(percent) = pick_ui(ui, word("look.text_size"), percent, &PERCENTS, of) {
        action = Some(set(Setting::TextScale(percent as f32 / 100.0)));
    }
    note_ui(ui, word("look.text_size_text"));
    let languages: Vec<Option<Language>> = std::iter::once(None).chain(ALL.map(Some)).collect();
    let name = |language: Option<Language>| match language {
        Some(language) => own_name(language).to_owned(),
        None => word("settings.system").to_owned(),
    };
    if let Some(language) = pick_ui(ui, word("look.language"), view.settings.language, &languages, name) {
        action = Some(set(Setting::Language(language)));
    }
    if let Some(fill) = switch_ui(ui, word("look.fill"), word("look.fill_text"), view.settings.fill_picture) {
        action = Some(set(Setting::FillPicture(fill)));
    }
    action
}
