//! Which sound the program makes for what happens. Only a window makes any.

use super::Worker;
use crate::call::event::Event;
use crate::call::view::{CallState, ClientView};
use crate::media::sounds::Sound;
use crate::settings::Setting;

impl Worker {
    pub(super) fn sound_for(&mut self, event: &Event) {
        let settings = &self.config.settings;
        let rings = self.config.window && !settings.muted_ring && !settings.do_not_disturb;
        let knocks = self.config.window && !settings.do_not_disturb;
        match event {
            Event::Ringing { .. } | Event::SecondRinging { .. } => {
                self.end_echo_test();
                match event {
                    Event::Ringing { silently: false, .. } if rings => self.studio.play_sound(Sound::Ring),
                    Event::SecondRinging { silently: false, .. } if rings => {
                        self.studio.play_sound(Sound::SecondCall)
                    }
                    _ => {}
                }
            }
            Event::RingingThere if self.config.window => self.studio.play_sound(Sound::Ringback),
            Event::Up { .. } => {
                self.studio.stop_sound();
                if self.config.window {
                    self.studio.play_sound(Sound::Connected);
                }
            }
            Event::Ended { .. } => {
                self.studio.stop_sound();
                if self.config.window {
                    self.studio.play_sound(Sound::Ended);
                }
            }
            Event::TextReceived { .. } if knocks && !self.up => self.studio.play_sound(Sound::Message),
            Event::FileOffered { .. } if knocks && !self.up => self.studio.play_sound(Sound::Knock),
            _ => {}
        }
    }

    /// Whoever does not want to be disturbed, or to hear rings, means the one that is heard now too.
    pub(super) fn hush(&mut self, setting: &Setting) {
        let rings = matches!(self.core.call, CallState::Incoming { .. }) || self.core.second.is_some();
        if rings && matches!(setting, Setting::DoNotDisturb(true) | Setting::MutedRing(true)) {
            self.studio.stop_sound();
        }
    }

    /// The second call's sound ends with its ringing; a call that has become the first rings on as that.
    pub(super) fn second_call_may_be_over(&mut self, view: &ClientView) {
        let rang = self.core.second.is_some() && view.second.is_none();
        if rang && !matches!(view.call, CallState::Incoming { .. }) {
            self.studio.stop_sound();
        }
    }
}
