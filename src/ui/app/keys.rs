//! The keys that work everywhere, and those that go about in the list. A screen's own keys are the screen's.

use egui::Ui;

use super::App;
use crate::call::view::CallState;
use crate::call::{Command, PeerId};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::screen::{Beside, Screen, screen_of};
use crate::ui::shortcuts::{ShortcutAction, pressed};

impl App {
    pub(super) fn keys(&mut self, ui: &Ui) -> Option<Action> {
        let view = std::sync::Arc::clone(&self.view);
        let hit = |action| pressed(ui, &view.settings, action);
        if hit(ShortcutAction::Quit) {
            self.ask_to_quit(ui.ctx());
        }
        if hit(ShortcutAction::DoNotDisturb) {
            let wanted = !view.settings.do_not_disturb;
            return Some(Action::Ask(Command::Set(Setting::DoNotDisturb(wanted))));
        }
        let in_list = screen_of(&view) == Screen::Home && matches!(view.call, CallState::None);
        if !in_list && !self.pip.is_on() {
            return None;
        }
        if hit(ShortcutAction::Settings) {
            return Some(Action::OpenSettings);
        }
        if hit(ShortcutAction::Back) && self.beside != Beside::Start {
            return Some(Action::Back);
        }
        if hit(ShortcutAction::Dial) {
            // The list's field; in a narrow window it is on the list's own side.
            ui.memory_mut(|memory| memory.request_focus(egui::Id::unique("whom")));
            let narrow = ui.max_rect().width() < crate::ui::theme::NARROW;
            return narrow.then_some(Action::Back);
        }
        let peers: Vec<PeerId> = view.conversations.iter().map(|conversation| conversation.peer_id).collect();
        let shown = match self.beside {
            Beside::Conversation(peer) => Some(peer),
            Beside::Start | Beside::Settings => None,
        };
        if hit(ShortcutAction::NextConversation) {
            return beside(&peers, shown, true).map(Action::OpenConversation);
        }
        if hit(ShortcutAction::PreviousConversation) {
            return beside(&peers, shown, false).map(Action::OpenConversation);
        }
        None
    }
}

/// The conversation after the one that is shown, or before it; around the end to the other one.
fn beside(peers: &[PeerId], shown: Option<PeerId>, after: bool) -> Option<PeerId> {
    let at = shown.and_then(|shown| peers.iter().position(|peer| *peer == shown));
    let last = peers.len().checked_sub(1)?;
    let wanted = match (at, after) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1) % peers.len(),
        (Some(at), false) => at.checked_sub(1).unwrap_or(last),
    };
    peers.get(wanted).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_gone_through_in_a_circle() {
        let peers = [PeerId([1; 32]), PeerId([2; 32]), PeerId([3; 32])];
        assert_eq!(beside(&peers, None, true), Some(peers[0]));
        assert_eq!(beside(&peers, Some(peers[2]), true), Some(peers[0]));
        assert_eq!(beside(&peers, Some(peers[0]), false), Some(peers[2]));
        assert_eq!(beside(&[], None, true), None);
    }
}
