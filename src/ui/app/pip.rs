//! A call in a tile over the list: entered, left, and over when the call is.

use egui::Ui;

use super::App;
use crate::call::Command;
use crate::call::view::CallState;
use crate::ui::action::Action;
use crate::ui::parts::call_tile::{TilePlace, call_tile_ui};
use crate::ui::shortcuts::{ShortcutAction, pressed};

/// Whether the call is in a tile, and where that is.
#[derive(Debug, Default)]
pub(super) struct Pip {
    on: bool,
    place: TilePlace,
}

impl Pip {
    /// The call is on; it does not fill the window.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    pub(super) fn enter(&mut self) {
        self.on = true;
    }

    pub(super) fn leave(&mut self) {
        self.on = false;
    }

    /// Without a call there is no tile, and the next call starts on its own screen.
    pub(super) fn follow(&mut self, call: &CallState) {
        self.on &= matches!(call, CallState::Up(_));
    }
}

impl App {
    /// The tile, and the key that goes there and back.
    pub(super) fn pip_ui(&mut self, ui: &mut Ui) -> Option<Action> {
        let view = std::sync::Arc::clone(&self.view);
        let CallState::Up(call) = &view.call else { return None };
        if pressed(ui, &view.settings, ShortcutAction::Minimise) {
            return Some(if self.pip.on { Action::ReturnToCall } else { Action::LeaveCallScreen });
        }
        if !self.pip.on {
            return None;
        }
        if pressed(ui, &view.settings, ShortcutAction::HangUp) {
            return Some(Action::Ask(Command::HangUp));
        }
        let screen = self.far_screen.shown().filter(|_| call.far_shares);
        call_tile_ui(ui, call, screen.or(self.far_picture.shown()), &mut self.pip.place)
    }
}
