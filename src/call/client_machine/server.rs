//! The connections to rendezvous servers: the home server, and one for each further server on which somebody is found.
//!
//! Each is made, lost, and made again after a growing wait of its own. The home server is the person's choice; the others
//! stand for as long as a contact, a link being dialled or somebody on the line needs them. Two URLs that lead to one
//! address are one server, since it takes one connection of each peer ID.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::presence::ToldServer;
use super::{ClientEvent, ClientMachine};
use crate::amf::Value;
use crate::call::end_reason::EndReason;
use crate::call::event::Event;
use crate::call::lifecycle::Phase;
use crate::call::server_address::{ServerAddress, part_mark};
use crate::call::view::{Presence, ServerState};
use crate::netconnection::node::{ConnectionId, OwnIdentity};
use crate::netconnection::status::StatusCode;
use crate::netconnection::{UserName, is_invisible};
use crate::rtmfp::PeerId;

/// The first wait before another try, doubled with each, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A server that does not answer within this counts as unreachable on screen, though the attempt goes on.
const PATIENCE: Duration = Duration::from_secs(8);
/// A connection that was lost sooner does not shorten the waits.
const STOOD: Duration = Duration::from_secs(10);
/// Further servers at once.
const MOST_FURTHER: usize = 16;
/// What is shown of a server's words, in characters.
const LONGEST_REFUSAL: usize = 200;

/// One of our servers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Which {
    /// The one that the person chose.
    #[default]
    Home,
    /// Another, by its normalised URL.
    Further(String),
}

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// No name, or no address yet.
    Off,
    /// On the way.
    Connecting { connection: ConnectionId, until: Instant },
    /// There.
    Connected { connection: ConnectionId, tincan: bool, since: Instant },
    /// Our name is refused; only another one, or asking again, helps.
    NameRefused(String),
    /// Waiting for the next try.
    Waiting { until: Instant },
    /// Another URL of a server that we have: nothing to do.
    SameAs(Which),
}

/// All about one server.
#[derive(Debug)]
pub(super) struct ServerSide {
    url: String,
    /// All spellings of the URL alike; empty as long as there is none.
    key: String,
    /// It is a program of the Flash years.
    old: bool,
    shown: String,
    addresses: Vec<SocketAddr>,
    stage: Stage,
    tries: u32,
    /// Where it sees us.
    observed: Option<SocketAddr>,
    /// It answered the last try, and no keys were agreed on.
    other_keys: bool,
    /// Our name is taken there, and we go by a longer one.
    longer_name: bool,
    /// It knows what a probe is.
    probes: bool,
    /// What it was told over this connection.
    pub(super) told: ToldServer,
    /// What it told of those we watch.
    pub(super) presence: BTreeMap<PeerId, Presence>,
}

impl ServerSide {
    fn new(url: String) -> Self {
        let address = ServerAddress::parse(&url).ok();
        Self {
            key: url.clone(),
            old: address.as_ref().is_some_and(|address| address.old),
            url: address.map_or(url, |address| address.url),
            shown: String::new(),
            addresses: vec![],
            stage: Stage::Off,
            tries: 0,
            observed: None,
            other_keys: false,
            longer_name: false,
            probes: false,
            told: ToldServer::default(),
            presence: BTreeMap::new(),
        }
    }

    /// As whom we go there.
    pub(super) fn own(&self) -> OwnIdentity {
        if self.old { OwnIdentity::Second } else { OwnIdentity::Main }
    }

    /// Where it sees us, while we are connected to it.
    pub(super) fn observed(&self) -> Option<SocketAddr> {
        self.observed.filter(|_| self.is_connected())
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(self.stage, Stage::Connected { .. })
    }

    /// The connection, whatever server it is.
    pub(super) fn connected(&self) -> Option<ConnectionId> {
        match self.stage {
            Stage::Connected { connection, .. } => Some(connection),
            _ => None,
        }
    }

    pub(super) fn refuses_us(&self) -> bool {
        matches!(self.stage, Stage::NameRefused(_))
    }

    /// The connection, when the server answers the calls of a Tincan server.
    pub(super) fn tincan(&self) -> Option<ConnectionId> {
        match self.stage {
            Stage::Connected { connection, tincan: true, .. } => Some(connection),
            _ => None,
        }
    }

    /// The connection, when the server answers probes.
    pub(super) fn probes(&self) -> Option<ConnectionId> {
        self.connected().filter(|_| self.probes)
    }

    /// Where it is.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn state(&self, now: Instant) -> ServerState {
        match &self.stage {
            Stage::Off | Stage::SameAs(_) => ServerState::Off,
            Stage::Connecting { .. } if self.tries > 1 => self.no_way(Duration::ZERO),
            Stage::Connecting { .. } => ServerState::Connecting,
            Stage::Connected { .. } => ServerState::Connected,
            Stage::NameRefused(why) => ServerState::NameRefused(why.clone()),
            Stage::Waiting { until } => {
                let wait = until.saturating_duration_since(now);
                // Whole seconds, so that the view changes once a second.
                self.no_way(Duration::from_secs(wait.as_secs() + 1))
            }
        }
    }

    fn no_way(&self, retry_in: Duration) -> ServerState {
        if self.other_keys {
            ServerState::OtherKeys { retry_in }
        } else {
            ServerState::Unreachable { retry_in }
        }
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.stage {
            Stage::Connecting { connection, .. } | Stage::Connected { connection, .. } => Some(connection),
            _ => None,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Connecting { until, .. } | Stage::Waiting { until } => Some(until),
            _ => None,
        }
    }
}

/// All servers.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) home: ServerSide,
    further: BTreeMap<String, ServerSide>,
}

impl Servers {
    pub(super) fn new() -> Self {
        Self { home: ServerSide::new(String::new()), further: BTreeMap::new() }
    }

    /// The server that an URL leads to: the home server by any of its URLs, or a further one.
    pub(super) fn which(&self, key: &str) -> Which {
        if key == self.home.key {
            return Which::Home;
        }
        match self.further.get(key).map(|server| &server.stage) {
            Some(Stage::SameAs(other)) => other.clone(),
            _ => Which::Further(key.to_owned()),
        }
    }

    pub(super) fn get(&self, which: &Which) -> Option<&ServerSide> {
        match which {
            Which::Home => Some(&self.home),
            Which::Further(key) => match self.which(key) {
                Which::Home => Some(&self.home),
                Which::Further(key) => self.further.get(&key),
            },
        }
    }

    pub(super) fn by_connection(&self, connection: ConnectionId) -> Option<Which> {
        self.all().find(|(_, server)| server.connection() == Some(connection)).map(|(which, _)| which)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Which, &ServerSide)> {
        let further = self.further.iter().map(|(key, server)| (Which::Further(key.clone()), server));
        std::iter::once((Which::Home, &self.home)).chain(further)
    }

    pub(super) fn get_mut(&mut self, which: &Which) -> Option<&mut ServerSide> {
        match which {
            Which::Home => Some(&mut self.home),
            Which::Further(key) => self.further.get_mut(key),
        }
    }

    /// Whether a server is of the Flash years; of one that there is no connection to yet, its URL tells.
    pub(super) fn is_old(&self, which: &Which) -> bool {
        match (self.get(which), which) {
            (Some(server), _) => server.old,
            (None, Which::Further(key)) => part_mark(key).1,
            (None, Which::Home) => false,
        }
    }

    pub(super) fn any_connected(&self) -> bool {
        self.all().any(|(_, server)| server.is_connected())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.all().filter_map(|(_, server)| server.deadline()).min()
    }

    /// The server that stands already at one of these addresses.
    fn at(&self, addresses: &[SocketAddr], except: &str) -> Option<Which> {
        let mut others = self
            .all()
            .filter(|(_, server)| server.key != except && !matches!(server.stage, Stage::SameAs(_)));
        others.find(|(_, server)| server.addresses.iter().any(|a| addresses.contains(a))).map(|(w, _)| w)
    }
}

impl ClientMachine {
    /// The home server, and where it is now.
    pub(super) fn use_server(
        &mut self,
        now: Instant,
        url: String,
        shown: String,
        addresses: Vec<SocketAddr>,
    ) {
        let home = &mut self.servers.home;
        let address = ServerAddress::parse(&url).ok();
        let old = address.as_ref().is_some_and(|address| address.old);
        let told = address.as_ref().map_or_else(|| url.clone(), |address| address.url.clone());
        let moved = (told.as_str(), old) != (home.url.as_str(), home.old);
        home.key = address.map_or(url, |address| address.normalised());
        home.url = told;
        home.old = old;
        home.shown = shown;
        home.addresses = addresses;
        if moved {
            self.reaching.watch.forget();
            self.disconnect(now, &Which::Home);
            self.servers.home.tries = 0;
        }
        self.find_same_servers(now);
        // A fresh address while we wait or try an old one is worth a try at once.
        let home = &self.servers.home;
        if moved || !home.is_connected() && !matches!(home.stage, Stage::NameRefused(_)) {
            self.connect(now, &Which::Home);
        }
    }

    /// Where a further server is now.
    pub(super) fn further_server_found(&mut self, now: Instant, url: &str, addresses: Vec<SocketAddr>) {
        let Some(server) = self.servers.further.get_mut(url) else { return };
        let first = server.addresses.is_empty() && !addresses.is_empty();
        server.addresses = addresses;
        let which = Which::Further(url.to_owned());
        if self.servers.further.get(url).is_some_and(|server| server.connection().is_none()) {
            self.find_same_servers(now);
            match self.servers.further.get(url).map(|server| &server.stage) {
                Some(Stage::Off) => self.connect(now, &which),
                Some(Stage::Waiting { .. }) if first => self.connect(now, &which),
                _ => {}
            }
        }
    }

    /// Opens connections to servers on which somebody is to be reached, and closes those that nobody is on any more.
    pub(super) fn keep_servers(&mut self, now: Instant) {
        let wanted = self.wanted_servers();
        let had: Vec<String> = self.servers.further.keys().cloned().collect();
        for key in had.iter().filter(|key| !wanted.contains(*key)) {
            self.disconnect(now, &Which::Further(key.clone()));
            self.servers.further.remove(key);
            // It may have stood for another URL.
            self.find_same_servers(now);
        }
        for key in wanted {
            if !self.servers.further.contains_key(&key) {
                self.servers.further.insert(key.clone(), ServerSide::new(key.clone()));
                self.told.push_back(ClientEvent::ServerWanted { url: Some(key) });
            }
        }
    }

    /// The further servers that we need: for whom is being looked, those on the line, and contacts.
    fn wanted_servers(&self) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        if self.config.name.is_empty() || self.servers.home.key.is_empty() || self.leaving.is_some() {
            return wanted;
        }
        if let (Phase::Looking { .. }, Which::Further(key)) = (self.call.phase(), &self.questions.through) {
            wanted.insert(key.clone());
        }
        let called = self.call.with().map(|with| with.peer);
        let needed = |peer: &PeerId| {
            called == Some(*peer) || self.links.contains_key(peer) || self.conversations.waits(*peer)
        };
        let met = self.met_at.iter().filter(|(peer, _)| needed(peer)).map(|(_, key)| key.as_str());
        let kept = self.contacts.peers().filter(|peer| !self.config.blocked.contains(peer));
        let of_contacts = kept.filter_map(|peer| self.contacts.server(peer));
        for key in met.chain(of_contacts) {
            if wanted.len() < MOST_FURTHER {
                wanted.insert(key.to_owned());
            }
        }
        wanted.remove(&self.servers.home.key);
        wanted
    }

    /// The server through which somebody is reached.
    pub(super) fn server_for(&self, peer: PeerId) -> Which {
        let key = self.contacts.server(peer).or_else(|| self.met_at.get(&peer).map(String::as_str));
        key.map_or(Which::Home, |key| self.servers.which(key))
    }

    /// Tells apart which further URLs are servers of their own.
    fn find_same_servers(&mut self, now: Instant) {
        let keys: Vec<String> = self.servers.further.keys().cloned().collect();
        for key in keys {
            let which = Which::Further(key.clone());
            let Some(server) = self.servers.further.get(&key) else { continue };
            let was_same = matches!(server.stage, Stage::SameAs(_));
            // Of two further ones, the one that is being used stays.
            let same = self.servers.at(&server.addresses, &key);
            let same = same.filter(|other| *other == Which::Home || server.connection().is_none());
            match same {
                Some(other) => {
                    self.disconnect(now, &which);
                    self.set_stage(&which, Stage::SameAs(other));
                }
                None if was_same => {
                    self.set_stage(&which, Stage::Off);
                    self.connect(now, &which);
                }
                None => {}
            }
        }
    }

    /// Connects now, in place of any connection there is.
    pub(super) fn connect(&mut self, now: Instant, which: &Which) {
        self.disconnect(now, which);
        let Some(server) = self.servers.get_mut(which) else { return };
        if self.config.name.is_empty() || server.url.is_empty() || self.leaving.is_some() {
            return;
        }
        let (url, addresses, longer) = (server.url.clone(), server.addresses.clone(), server.longer_name);
        let own = server.own();
        let routes = self.routes(&addresses);
        if routes.is_empty() {
            self.wait_for_server(now, which);
            return;
        }
        let name = if longer { self.longer_name() } else { self.config.name.clone() };
        // An old server has no list of people: it is told no more than any client tells it.
        let arguments = if own == OwnIdentity::Second { vec![] } else { vec![Value::String(name)] };
        let connection = self.node.connect_as(now, own, &url, &routes, arguments);
        if let Some(server) = self.servers.get_mut(which) {
            server.tries += 1;
            server.stage = Stage::Connecting { connection, until: now + PATIENCE };
        }
        if *which == Which::Home {
            self.reaching.watch.waits(now);
        }
        self.dirty = true;
    }

    pub(super) fn disconnect(&mut self, now: Instant, which: &Which) {
        let Some(server) = self.servers.get_mut(which) else { return };
        let connection = server.connection();
        server.stage = Stage::Off;
        self.forget_told(which);
        if let Some(connection) = connection {
            self.node.close_connection(now, connection);
        }
    }

    pub(super) fn disconnect_all(&mut self, now: Instant) {
        for which in self.servers.all().map(|(which, _)| which).collect::<Vec<_>>() {
            self.disconnect(now, &which);
        }
    }

    /// Connects to every server again at once.
    pub(super) fn reconnect(&mut self, now: Instant) {
        let separate = |stage: &Stage| !matches!(stage, Stage::SameAs(_));
        let all = self.servers.all().filter(|(_, server)| separate(&server.stage));
        for which in all.map(|(which, _)| which).collect::<Vec<_>>() {
            if let Some(server) = self.servers.get_mut(&which) {
                server.tries = 0;
            }
            self.connect(now, &which);
        }
    }

    pub(super) fn set_name(&mut self, now: Instant, name: String) {
        if name != self.config.name {
            self.config.name = name;
            for server in self.servers.further.values_mut() {
                server.longer_name = false;
            }
            self.reconnect(now);
        }
    }

    /// The network is another one: no server is waited for any longer, and their names may lead elsewhere.
    pub(super) fn hurry_servers(&mut self, now: Instant) {
        let apart = |stage: &Stage| matches!(stage, Stage::Waiting { .. } | Stage::Connecting { .. });
        let all = self.servers.all().filter(|(_, server)| apart(&server.stage));
        for which in all.map(|(which, _)| which).collect::<Vec<_>>() {
            let Some(server) = self.servers.get_mut(&which) else { continue };
            server.tries = 0;
            if matches!(server.stage, Stage::Waiting { .. }) {
                self.connect(now, &which);
            }
            let url = match which {
                Which::Home => None,
                Which::Further(key) => Some(key),
            };
            self.told.push_back(ClientEvent::ServerWanted { url });
        }
    }

    pub(super) fn server_connected(&mut self, now: Instant, connection: ConnectionId, info: &Value) {
        let Some(which) = self.servers.by_connection(connection) else { return };
        let own = self.servers.get(&which).map_or_else(OwnIdentity::default, ServerSide::own);
        let tincan = own == OwnIdentity::Main && info.property("tincan").is_some();
        self.set_stage(&which, Stage::Connected { connection, tincan, since: now });
        if let Some(server) = self.servers.get_mut(&which) {
            server.probes = tincan && info.property("probes") == Some(&Value::Boolean(true));
        }
        self.publish_as(now, own);
        // Whoever met us by the weak identity comes to the lasting one.
        self.publish_as(now, OwnIdentity::Main);
        if let Some(server) = self.servers.get_mut(&which) {
            let address = info.property("address").and_then(Value::as_str);
            server.observed = address.and_then(|address| address.parse().ok());
        }
        let addresses = self.own_addresses();
        self.node.set_peer_info(now, connection, &addresses);
        if which == Which::Home {
            self.reaching.watch.forget();
            self.tell(Event::Connected);
            self.ask_for_people(now);
        }
        self.tell_servers(now);
        self.look_again(now);
        self.hurry_all_lines(now);
        self.write_through(now, &which);
    }

    pub(super) fn server_gone(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        code: &StatusCode,
        description: String,
    ) {
        let Some(which) = self.servers.by_connection(connection) else { return };
        self.forget_told(&which);
        if *code == StatusCode::ConnectRejected && which == Which::Home {
            self.reaching.watch.forget();
        }
        if *code != StatusCode::ConnectRejected {
            self.wait_for_server(now, &which);
        } else if which == Which::Home {
            // A sentence; what is longer, or no text at all, is none.
            let why = description.chars().filter(|c| !is_invisible(*c)).take(LONGEST_REFUSAL).collect();
            self.set_stage(&which, Stage::NameRefused(why));
            if matches!(self.call.phase(), Phase::Looking { .. }) && self.questions.through == Which::Home {
                let effects = self.call.not_found(now, EndReason::NameRefused);
                self.carry_out(now, effects);
            }
        } else {
            // There we are a visitor, called by our peer ID: any name will do.
            let first = self
                .servers
                .get_mut(&which)
                .is_some_and(|server| !std::mem::replace(&mut server.longer_name, true));
            tracing::info!("a further server refuses us");
            self.set_stage(&which, Stage::Off);
            if first {
                self.connect(now, &which);
            } else {
                self.wait_for_server(now, &which);
            }
        }
    }

    pub(super) fn tick_servers(&mut self, now: Instant) {
        let is_due = |server: &ServerSide| server.deadline().is_some_and(|at| at <= now);
        let due: Vec<Which> =
            self.servers.all().filter(|(_, server)| is_due(server)).map(|(which, _)| which).collect();
        for which in due {
            match self.servers.get_mut(&which).map(|server| &server.stage) {
                Some(Stage::Connecting { connection, .. }) => {
                    let connection = *connection;
                    let other_keys = self.node.stops_at_keys(connection);
                    if other_keys && which == Which::Home {
                        self.reaching.watch.forget();
                    }
                    if let Some(server) = self.servers.get_mut(&which) {
                        server.other_keys = other_keys;
                    }
                    self.set_stage(&which, Stage::Off);
                    self.node.close_connection(now, connection);
                    self.wait_for_server(now, &which);
                }
                Some(Stage::Waiting { .. }) => self.connect(now, &which),
                _ => {}
            }
        }
    }

    fn wait_for_server(&mut self, now: Instant, which: &Which) {
        // Spread, so that a server that comes back is not met by everybody at once.
        let part = f64::from(self.chance.u32()) / f64::from(u32::MAX) / 2.0;
        let longest = self.longest_wait(LONGEST_WAIT);
        let at_once = self.needs_introducers(now);
        let Some(server) = self.servers.get_mut(which) else { return };
        if matches!(server.stage, Stage::Connected { since, .. } if now >= since + STOOD) {
            server.tries = 0;
        }
        server.tries = server.tries.max(1);
        let doubled = FIRST_WAIT * 2_u32.saturating_pow((server.tries - 1).min(10));
        let wait = if at_once && server.tries == 1 { Duration::ZERO } else { doubled.min(longest) };
        server.stage = Stage::Waiting { until: now + wait / 2 + wait.mul_f64(part) };
        server.tries = server.tries.saturating_add(1);
        let url = match which {
            Which::Home => None,
            Which::Further(key) => Some(key.clone()),
        };
        self.told.push_back(ClientEvent::ServerWanted { url });
        self.dirty = true;
    }

    fn set_stage(&mut self, which: &Which, stage: Stage) {
        if let Some(server) = self.servers.get_mut(which) {
            server.stage = stage;
            self.dirty = true;
        }
    }

    /// Our name, made another one by a piece of our peer ID.
    fn longer_name(&self) -> String {
        let id = self.me.to_string();
        let piece = id.get(..4).unwrap_or_default();
        let room = UserName::MOST_CHARACTERS - piece.len() - 1;
        let start: String = self.config.name.chars().take(room).collect();
        format!("{} {piece}", start.trim_end())
    }
}
