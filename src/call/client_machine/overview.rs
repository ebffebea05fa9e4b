//! The snapshot for the window, made when something changed.

use std::time::{Duration, Instant};

use super::ClientMachine;
use super::server::Which;
use crate::call::lifecycle::{Hold, Phase, With};
use crate::call::link::Link;
use crate::call::server_address::ServerAddress;
use crate::call::view::{CallState, ClientView, OwnCard, Progress, SecondCall, UpCall};
use crate::netconnection::node::OwnIdentity;
use crate::rtmfp::PeerId;

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
                weak_peer_id: self.own_weak_id(),
                link: self.own_link(),
            },
            people: self.people.clone(),
            nearby: self.nearby_shown(),
            contacts: self.contacts_shown(),
            conversations: self.conversations_shown(),
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

    /// The link that leads to us. A server on this computer leads nobody else here, so it is left out; who lets the local
    /// network know of them is found there by their addresses instead.
    fn own_link(&self) -> String {
        let name = Some(self.config.name.clone()).filter(|name| !name.is_empty());
        let server = self.config.settings.server.as_deref().and_then(|url| ServerAddress::parse(url).ok());
        let server = server.filter(|server| !server.is_built_in()).map(|server| server.normalised());
        let at_home = server.is_none() && self.config.settings.local_network == Some(true);
        let addresses = if at_home { self.own_addresses() } else { vec![] };
        Link { peer: self.me, server, weak: self.own_weak_id(), name, addresses }.to_text()
    }

    /// Under which peer ID an old home server knows us.
    fn own_weak_id(&self) -> Option<PeerId> {
        self.me_as(OwnIdentity::Second).filter(|_| self.servers.is_old(&Which::Home))
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
            Phase::Up { with, since: at, heard, hold: Hold { there, .. }, .. } => CallState::Up(UpCall {
                far: far(with),
                lasted: since(*at),
                muted: self.media.muted,
                camera_on: self.media.camera_on,
                has_camera: self.media.has_camera,
                has_microphone: self.media.has_microphone,
                far_video: self.media.far_video(*heard),
                far_muted: self.media.far_muted,
                sharing: self.screen.sharing(),
                far_shares: self.screen.far_shares(),
                silent_for: self.call.silent_for(now).map(|silence| Duration::from_secs(silence.as_secs())),
                far_holds: *there,
                recording: self.recording.length(now, with.peer),
                far_records: self.recording.is_recorded_by(with.peer),
                speaking_muted: false,
                weak: self.media.watch.is_weak(),
                picture_paused: self.media.rate.is_paused() && self.media.sends_video(),
                quality: self.media.quality.clone(),
                past: self.media.watch.past(),
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
