//! What the person does about a call that rings: beside another, or with a word to who calls.

use std::time::Instant;

use super::ClientMachine;
use crate::call::lifecycle::Phase;

impl ClientMachine {
    /// Declines the call that rings, and writes to who calls.
    pub(super) fn decline_with(&mut self, now: Instant, text: String) {
        let Phase::Ringing { with, .. } = self.call.phase() else { return };
        let peer = with.peer;
        let effects = self.call.decline(now);
        self.carry_out(now, effects);
        self.write(now, peer, text);
    }

    /// Takes the call that rings beside the current one.
    pub(super) fn accept_second(&mut self, now: Instant, with_video: bool, hold: bool) {
        if self.call.second().is_none() {
            return;
        }
        self.media.set_aside();
        self.media.camera_on = with_video;
        let effects = self.call.accept_second(now, hold);
        self.carry_out(now, effects);
    }

    /// Declines the call that rings beside the current one, with a word or without.
    pub(super) fn decline_second(&mut self, now: Instant, text: Option<String>) {
        let Some(peer) = self.call.second().map(|with| with.peer) else { return };
        let effects = self.call.decline_second(now);
        self.carry_out(now, effects);
        if let Some(text) = text {
            self.write(now, peer, text);
        }
    }
}
