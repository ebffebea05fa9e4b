//! The snapshot for the window, made when something changed.

use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::call::lifecycle::{Phase, With};
use crate::call::link::Link;
use crate::call::server_address::ServerAddress;
use crate::call::view::{CallState, ClientView, OwnCard, Progress, UpCall};

impl ClientMachine {
    /// The new snapshot, if it differs from the one told last.
    pub(super) fn changed_view(&mut self, now: Instant) -> Option<ClientView> {
        if !std::mem::take(&mut self.dirty) {
            return None;
        }
        self.conversations.refresh();
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
                server: self.servers.home.shown().to_owned(),
                server_state: self.servers.home.state(now),
                server_url: self.config.settings.server.clone(),
                link: self.own_link(),
            },
            people: self.people.clone(),
            contacts: self.contacts_shown(),
            conversations: self.conversations_shown(),
            call: self.call_state(now),
            ..ClientView::default()
        }
    }

    /// The link that leads to us. A server on this computer leads nobody else here, so it is left out.
    fn own_link(&self) -> String {
        let name = Some(self.config.name.clone()).filter(|name| !name.is_empty());
        let server = self.config.settings.server.as_deref().and_then(|url| ServerAddress::parse(url).ok());
        let server = server.filter(|server| !server.is_built_in()).map(|server| server.normalised());
        Link { peer: self.me, server, name, addresses: vec![] }.to_text()
    }

    fn call_state(&self, now: Instant) -> CallState {
        // Whole seconds: what moves by itself must not make a new snapshot four times a second.
        let since = |at: Instant| Duration::from_secs(now.saturating_duration_since(at).as_secs());
        let far = |with: &With| self.far_end(with);
        match self.call.phase() {
            Phase::Idle => CallState::None,
            Phase::Looking { whom, wanted, since: at, .. } => CallState::Outgoing {
                far: self.far_end_by(*wanted, whom),
                progress: Progress::Looking,
                since: since(*at),
            },
            Phase::Connecting { with, since: at, .. } => {
                let knocks = self.questions.knocks(with.call);
                let progress = if knocks { Progress::Looking } else { Progress::Connecting };
                CallState::Outgoing { far: far(with), progress, since: since(*at) }
            }
            Phase::Waiting { with, since: at, rings, .. } => CallState::Outgoing {
                far: far(with),
                progress: if *rings { Progress::Ringing } else { Progress::Waiting },
                since: since(*at),
            },
            Phase::Ringing { with, .. } => {
                CallState::Incoming { far: far(with), with_video: with.with_video }
            }
            Phase::Up { with, since: at, heard, .. } => CallState::Up(UpCall {
                far: far(with),
                lasted: since(*at),
                muted: self.media.muted,
                camera_on: self.media.camera_on,
                has_camera: self.media.has_camera,
                has_microphone: self.media.has_microphone,
                far_video: self.media.far_video(*heard),
                far_muted: self.media.far_muted,
                silent_for: self.call.silent_for(now).map(|silence| Duration::from_secs(silence.as_secs())),
                far_holds: false,
                speaking_muted: false,
                weak: false,
                quality: self.media.quality.clone(),
                past: Default::default(),
            }),
            Phase::Ended { name, peer, reason, lasted, incoming } => CallState::Ended {
                far: self.far_end_by(*peer, name),
                reason: *reason,
                lasted: *lasted,
                incoming: *incoming,
            },
        }
    }
}
