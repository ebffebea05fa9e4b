//! The snapshot for the window, made when something changed.

use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::call::lifecycle::{Hold, Phase, With};
use crate::call::link::Link;
use crate::call::view::{CallState, ClientView, FarEnd, Known, OwnCard, Progress, SecondCall, UpCall};

impl ClientMachine {
    /// The new snapshot, if it differs from the one told last.
    pub(super) fn changed_view(&mut self, now: Instant) -> Option<ClientView> {
        if !std::mem::take(&mut self.dirty) {
            return None;
        }
        let view = self.overview(now);
        if self.shown.as_ref() == Some(&view) {
            return None;
        }
        self.shown = Some(view.clone());
        Some(view)
    }

    fn overview(&self, now: Instant) -> ClientView {
        ClientView {
            own: OwnCard {
                name: self.config.name.clone(),
                peer_id: Some(self.me),
                server: self.server.shown().to_owned(),
                server_state: self.server.state(now),
                server_url: self.config.settings.server.clone(),
                link: self.own_link(),
            },
            people: self.people.clone(),
            conversations: self.conversations.view(),
            call: self.call_state(now),
            second: self
                .call
                .second()
                .map(|with| SecondCall { far: self.far_end(with), with_video: with.with_video }),
            on_hold: self.call.on_hold().map(|with| self.far_end(with)),
            verifying: self.verifying_view(),
            ..ClientView::default()
        }
    }

    /// The link that leads to us. A server on this computer leads nobody else here, so it is left out.
    fn own_link(&self) -> String {
        let name = Some(self.config.name.clone()).filter(|name| !name.is_empty());
        Link { peer: self.me, server: self.config.settings.server.clone(), name, addresses: vec![] }.to_text()
    }

    fn far_end(&self, with: &With) -> FarEnd {
        let verified = self.verifying.is_verified(with.peer);
        let known = if verified { Known::Verified } else { Known::default() };
        FarEnd { name: with.name.clone(), peer_id: Some(with.peer), known }
    }

    fn call_state(&self, now: Instant) -> CallState {
        // Whole seconds: what moves by itself must not make a new snapshot four times a second.
        let since = |at: Instant| Duration::from_secs(now.saturating_duration_since(at).as_secs());
        let far = |with: &With| self.far_end(with);
        match self.call.phase() {
            Phase::Idle => CallState::None,
            Phase::Looking { whom, since: at, .. } => CallState::Outgoing {
                far: FarEnd { name: whom.clone(), peer_id: None, known: Known::default() },
                progress: Progress::Looking,
                since: since(*at),
            },
            Phase::Connecting { with, since: at, .. } => {
                CallState::Outgoing { far: far(with), progress: Progress::Connecting, since: since(*at) }
            }
            Phase::Waiting { with, since: at, rings, .. } => CallState::Outgoing {
                far: far(with),
                progress: if *rings { Progress::Ringing } else { Progress::Waiting },
                since: since(*at),
            },
            Phase::Ringing { with, .. } => {
                CallState::Incoming { far: far(with), with_video: with.with_video }
            }
            Phase::Up { with, since: at, hold: Hold { there, .. }, .. } => CallState::Up(UpCall {
                far: far(with),
                lasted: since(*at),
                muted: self.media.muted,
                camera_on: self.media.camera_on,
                has_camera: self.media.has_camera,
                has_microphone: self.media.has_microphone,
                far_video: self.media.far_video(now),
                far_muted: self.media.far_muted,
                silent_for: self.call.silent_for(now).map(|silence| Duration::from_secs(silence.as_secs())),
                far_holds: *there,
                speaking_muted: false,
                weak: self.media.watch.is_weak(),
                quality: self.media.quality.clone(),
                past: self.media.watch.past(),
            }),
            Phase::Ended { name, peer, reason, lasted, incoming } => CallState::Ended {
                far: FarEnd { name: name.clone(), peer_id: *peer, known: Known::default() },
                reason: *reason,
                lasted: *lasted,
                incoming: *incoming,
            },
        }
    }
}
