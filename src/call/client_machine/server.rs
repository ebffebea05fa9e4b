//! The connection to the rendezvous server: made, lost, made again after a growing wait.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{ClientEvent, ClientMachine};
use crate::amf::Value;
use crate::call::end_reason::EndReason;
use crate::call::event::Event;
use crate::call::lifecycle::Phase;
use crate::call::view::ServerState;
use crate::netconnection::node::ConnectionId;
use crate::netconnection::status::StatusCode;

/// The first wait before another try, doubled with each, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A server that does not answer within this counts as unreachable on screen, though the attempt goes on.
const PATIENCE: Duration = Duration::from_secs(8);

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// No name, or no server yet.
    Off,
    /// On the way.
    Connecting { connection: ConnectionId, until: Instant },
    /// There.
    Connected { connection: ConnectionId, tincan: bool },
    /// Our name is refused; only another one, or asking again, helps.
    NameRefused(String),
    /// Waiting for the next try.
    Waiting { until: Instant },
}

/// All about the server.
#[derive(Debug)]
pub(super) struct ServerSide {
    url: String,
    shown: String,
    addresses: Vec<SocketAddr>,
    stage: Stage,
    tries: u32,
    since: Instant,
}

impl ServerSide {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            url: String::new(),
            shown: String::new(),
            addresses: vec![],
            stage: Stage::Off,
            tries: 0,
            since: now,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(self.stage, Stage::Connected { .. })
    }

    /// The connection, when the server answers the calls of a Tincan server.
    pub(super) fn tincan(&self) -> Option<ConnectionId> {
        match self.stage {
            Stage::Connected { connection, tincan: true } => Some(connection),
            _ => None,
        }
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn state(&self, now: Instant) -> ServerState {
        match &self.stage {
            Stage::Off => ServerState::Off,
            Stage::Connecting { .. } if self.tries > 1 => {
                ServerState::Unreachable { retry_in: Duration::ZERO }
            }
            Stage::Connecting { .. } => ServerState::Connecting,
            Stage::Connected { .. } => ServerState::Connected,
            Stage::NameRefused(why) => ServerState::NameRefused(why.clone()),
            Stage::Waiting { until } => {
                let wait = until.saturating_duration_since(now);
                // Whole seconds, so that the view changes once a second.
                ServerState::Unreachable { retry_in: Duration::from_secs(wait.as_secs() + 1) }
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Connecting { until, .. } | Stage::Waiting { until } => Some(until),
            _ => None,
        }
    }
}

impl ClientMachine {
    pub(super) fn use_server(
        &mut self,
        now: Instant,
        url: String,
        shown: String,
        addresses: Vec<SocketAddr>,
    ) {
        let moved = url != self.server.url;
        self.server.url = url;
        self.server.shown = shown;
        self.server.addresses = addresses;
        if moved {
            self.disconnect(now);
            self.server.tries = 0;
        }
        // A fresh address while we wait or try an old one is worth a try at once.
        if moved || !self.server.is_connected() && !matches!(self.server.stage, Stage::NameRefused(_)) {
            self.connect(now);
        }
    }

    /// Connects now, in place of any connection there is.
    pub(super) fn connect(&mut self, now: Instant) {
        self.disconnect(now);
        if self.config.name.is_empty() || self.server.url.is_empty() || self.leaving.is_some() {
            return;
        }
        let routes = self.routes(&self.server.addresses);
        if routes.is_empty() {
            self.wait_for_server(now);
            return;
        }
        if self.server.tries == 0 {
            self.server.since = now;
        }
        self.server.tries += 1;
        let name = vec![Value::from(self.config.name.as_str())];
        let url = self.server.url.clone();
        let connection = self.node.connect(now, &url, &routes, name);
        self.server.stage = Stage::Connecting { connection, until: now + PATIENCE };
        self.dirty = true;
    }

    pub(super) fn disconnect(&mut self, now: Instant) {
        match std::mem::replace(&mut self.server.stage, Stage::Off) {
            Stage::Connecting { connection, .. } | Stage::Connected { connection, .. } => {
                self.node.close_connection(now, connection);
            }
            Stage::Off | Stage::NameRefused(_) | Stage::Waiting { .. } => {}
        }
        self.forget_people();
    }

    pub(super) fn set_name(&mut self, now: Instant, name: String) {
        if name != self.config.name {
            self.config.name = name;
            self.server.tries = 0;
            self.connect(now);
        }
    }

    pub(super) fn set_local_addresses(&mut self, now: Instant, addresses: Vec<SocketAddr>) {
        self.local = addresses;
        if let Stage::Connected { connection, .. } = self.server.stage {
            self.node.set_peer_info(now, connection, &self.local);
        }
    }

    pub(super) fn server_connected(&mut self, now: Instant, connection: ConnectionId, info: &Value) {
        if !matches!(self.server.stage, Stage::Connecting { connection: ours, .. } if ours == connection) {
            return;
        }
        let tincan = info.property("tincan").is_some();
        self.server.stage = Stage::Connected { connection, tincan };
        self.server.tries = 0;
        // Step 1: "I can be called".
        if self.public.is_none() {
            self.public = Some(self.node.publish_direct(now, &self.me.to_string()));
        }
        self.node.set_peer_info(now, connection, &self.local);
        self.follow_keepalive();
        self.tell(Event::Connected);
        self.greet_server(now);
    }

    /// Asks the server for signs of life as often as the person wants.
    pub(super) fn follow_keepalive(&mut self) {
        if let Stage::Connected { connection, .. } = self.server.stage {
            let every = Duration::from_secs(self.config.settings.keepalive.into());
            self.node.ask_for_life_every(connection, every);
        }
    }

    pub(super) fn server_gone(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        code: &StatusCode,
        description: String,
    ) {
        let ours = match self.server.stage {
            Stage::Connecting { connection, .. } | Stage::Connected { connection, .. } => connection,
            Stage::Off | Stage::NameRefused(_) | Stage::Waiting { .. } => return,
        };
        if ours != connection {
            return;
        }
        self.forget_people();
        if *code == StatusCode::ConnectRejected {
            self.server.stage = Stage::NameRefused(description);
            if matches!(self.call.phase(), Phase::Looking { .. }) {
                let effects = self.call.not_found(now, EndReason::NameRefused);
                self.carry_out(now, effects);
            }
        } else {
            self.wait_for_server(now);
        }
    }

    pub(super) fn tick_server(&mut self, now: Instant) {
        if self.server.deadline().is_none_or(|at| at > now) {
            return;
        }
        match self.server.stage {
            Stage::Connecting { connection, .. } => {
                self.node.close_connection(now, connection);
                self.wait_for_server(now);
            }
            Stage::Waiting { .. } => self.connect(now),
            Stage::Off | Stage::Connected { .. } | Stage::NameRefused(_) => {}
        }
    }

    fn wait_for_server(&mut self, now: Instant) {
        self.server.tries = self.server.tries.max(1);
        let doubled = FIRST_WAIT * 2_u32.saturating_pow((self.server.tries - 1).min(10));
        let wait = doubled.min(LONGEST_WAIT);
        // Spread, so that a server that comes back is not met by everybody at once.
        let spread = wait.mul_f64(f64::from(self.chance.u32()) / f64::from(u32::MAX) / 2.0);
        self.server.stage = Stage::Waiting { until: now + wait / 2 + spread };
        self.server.tries += 1;
        self.told.push_back(ClientEvent::ServerWanted);
        self.dirty = true;
    }
}
