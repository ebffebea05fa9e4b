//! A path asked for with the system's dialog, or with a field where there is no dialog.

use std::path::PathBuf;

use egui::{Id, Ui};

use super::button::{Kind, button, button_width};
use super::field::field_ui;
use crate::ui::file_dialog::{Answer, Asking, FileDialog};
use crate::ui::words::word;

/// Where asking for one path stands.
#[derive(Default)]
pub enum PathAsked {
    /// Nothing was asked.
    #[default]
    Not,
    /// The system's dialog is open.
    InDialog(FileDialog, String),
    /// There is no dialog: it is typed.
    Typed(String),
}

impl PathAsked {
    /// Opens the dialog, unless one is open.
    pub fn ask(&mut self, ui: &Ui, title: &str, asking: Asking) {
        if matches!(self, Self::InDialog(..)) {
            return;
        }
        let name = match &asking {
            Asking::ToOpen => String::new(),
            Asking::ToSave(name) => name.clone(),
        };
        let ctx = ui.ctx().clone();
        let now = ui.input(|input| input.time);
        *self = Self::InDialog(FileDialog::open(title, asking, now, move || ctx.request_repaint()), name);
    }

    /// Looks for the answer, and draws the field where there is no dialog. Gives the path once, when it is there.
    pub fn path_ui(&mut self, ui: &mut Ui, label: &str) -> Option<PathBuf> {
        match self {
            Self::Not => None,
            Self::InDialog(dialog, name) => {
                let answer = dialog.answer(ui.input(|input| input.time))?;
                let typed = std::env::home_dir().unwrap_or_default().join(&*name).display().to_string();
                *self = if answer == Answer::NoDialog {
                    ui.memory_mut(|memory| memory.request_focus(Id::unique(label)));
                    Self::Typed(typed)
                } else {
                    Self::Not
                };
                match answer {
                    Answer::Chosen(files) => files.into_iter().next(),
                    Answer::Nothing | Answer::NoDialog => None,
                }
            }
            Self::Typed(text) => {
                let id = Id::unique(label);
                let done = ui
                    .horizontal(|ui| {
                        let width = ui.available_width() - button_width(ui, word("settings.ok"), 14.0) - 10.0;
                        let entered = field_ui(ui, id, text, label, label, width).entered;
                        entered | button(ui, Kind::Primary, None, word("settings.ok")).clicked()
                    })
                    .inner;
                if !done || text.trim().is_empty() {
                    return None;
                }
                let path = PathBuf::from(text.trim());
                *self = Self::Not;
                Some(path)
            }
        }
    }
}
