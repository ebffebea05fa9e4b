//! The worker looks around: this computer's own addresses, others on the local network, and the router's port.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Worker;
use crate::call::client_machine::{ClientCommand, SomebodyNearby};
use crate::call::view::ServerNearby;
use crate::driver::interfaces::{self, Change, Watch};
use crate::nearby::announcement::Announcement;
use crate::nearby::discovery::{Around, Discovery};
use crate::nearby::port_mapping::PortMapping;
use crate::rtmfp::PeerId;
use crate::settings::Visibility;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);
/// A local network that could not be listened to is tried again after so long.
const AGAIN: Duration = Duration::from_secs(30);

/// All that the worker knows of its surroundings.
pub(super) struct Surroundings {
    watch: Watch,
    next_look: Instant,
    discovery: Option<Discovery>,
    /// Discovery failed; not before then again.
    not_before: Option<Instant>,
    announced: (Option<Announcement>, Option<Announcement>),
    mapping: Option<PortMapping>,
    mapped: Option<SocketAddr>,
    /// Servers on the local network, for the window.
    pub(super) servers: Arc<Vec<ServerNearby>>,
}

impl Surroundings {
    pub(super) fn new(bound: Vec<SocketAddr>) -> Self {
        let now = Instant::now();
        Self {
            watch: Watch::new(bound, &interfaces::addresses(), (now, SystemTime::now())),
            next_look: now,
            discovery: None,
            not_before: None,
            announced: (None, None),
            mapping: None,
            mapped: None,
            servers: Arc::default(),
        }
    }

    fn port(&self, is_wanted: impl Fn(&SocketAddr) -> bool, bound: &[SocketAddr]) -> Option<u16> {
        bound.iter().find(|address| is_wanted(address)).map(SocketAddr::port)
    }
}

impl Worker {
    /// Tells where we are for the first time, and begins to look around.
    pub(super) fn begin_to_look_around(&mut self) {
        self.ask(ClientCommand::LocalAddresses(self.surroundings.watch.addresses().to_vec()));
        self.follow_surroundings();
    }

    /// Looks around, about twice a second.
    pub(super) fn look_around(&mut self) {
        let now = Instant::now();
        if now < self.surroundings.next_look {
            return;
        }
        self.surroundings.next_look = now + EVERY;
        let change = self.surroundings.watch.look(&interfaces::addresses(), (now, SystemTime::now()));
        match &change {
            Some(Change::Addresses(addresses)) => {
                tracing::info!(count = addresses.len(), "this computer's addresses have changed");
                self.ask(ClientCommand::LocalAddresses(addresses.clone()));
            }
            Some(Change::Slept(time)) => {
                tracing::info!(?time, "this computer slept");
                self.ask(ClientCommand::NetworkChanged);
            }
            None => {}
        }
        if change.is_some() {
            // Another network has another router.
            self.let_port_go();
        }
        let mapped = self.surroundings.mapping.as_ref().and_then(PortMapping::mapped);
        if std::mem::replace(&mut self.surroundings.mapped, mapped) != mapped {
            self.ask(ClientCommand::MappedAddress(mapped));
        }
        self.follow_surroundings();
        if let Some(around) = self.surroundings.discovery.as_mut().and_then(Discovery::look) {
            self.found_around(around);
        }
    }

    /// Does what the settings say: listens and announces on the local network, and holds a port of the router's.
    pub(super) fn follow_surroundings(&mut self) {
        let settings = &self.config.settings;
        let is_there = !self.surroundings.watch.addresses().is_empty();
        let wants_port =
            settings.port_mapping && !settings.hide_address && is_there && !settings.name.is_empty();
        match (wants_port, self.surroundings.mapping.is_some()) {
            (true, false) => {
                let bound = self.driver.local_addresses();
                let port = self.surroundings.port(SocketAddr::is_ipv4, bound).and_then(NonZeroU16::new);
                self.surroundings.mapping = port.map(PortMapping::hold);
            }
            (false, true) => self.let_port_go(),
            _ => {}
        }
        let allowed = self.is_local_network_allowed();
        let now = Instant::now();
        if !allowed && self.surroundings.discovery.take().is_some() {
            self.surroundings.announced = (None, None);
            self.found_around(Around::default());
        }
        if allowed
            && self.surroundings.discovery.is_none()
            && self.surroundings.not_before.is_none_or(|at| at <= now)
        {
            match Discovery::start() {
                Ok(discovery) => self.surroundings.discovery = Some(discovery),
                Err(error) => {
                    tracing::warn!("{error}");
                    self.surroundings.not_before = Some(now + AGAIN);
                }
            }
        }
        self.announce();
    }

    /// Whether the person lets us be found on the local network, and find others.
    pub(super) fn is_local_network_allowed(&self) -> bool {
        self.config.settings.local_network == Some(true) && !self.config.settings.hide_address
    }

    /// The built-in server serves those that the person lets it serve: it is started anew when that changed, and everybody
    /// on it comes back by themselves.
    #[cfg(feature = "server")]
    pub(super) async fn follow_built_in(&mut self) {
        let for_others = self.is_local_network_allowed();
        if self.built_in.is_otherwise(for_others) {
            self.built_in.stop().await;
            self.built_in.try_serve(for_others);
        }
    }

    /// Announces what is to be announced now.
    fn announce(&mut self) {
        let wanted = (self.own_announcement(), self.server_announcement());
        let Surroundings { discovery, announced, .. } = &mut self.surroundings;
        let Some(discovery) = discovery else { return };
        if *announced == wanted {
            return;
        }
        let said = discovery
            .announce_person(wanted.0.as_ref())
            .and_then(|()| discovery.announce_server(wanted.1.as_ref()));
        if let Err(error) = said {
            tracing::warn!("{error}");
        }
        *announced = wanted;
    }

    /// Who hides from others hides here too.
    fn own_announcement(&self) -> Option<Announcement> {
        let settings = &self.config.settings;
        if settings.name.is_empty() || settings.visibility != Visibility::Everyone {
            return None;
        }
        let bound = self.driver.local_addresses();
        let v4 = self.surroundings.port(SocketAddr::is_ipv4, bound);
        let v6 = self.surroundings.port(SocketAddr::is_ipv6, bound);
        Some(Announcement {
            peer: self.peer_id(),
            name: settings.name.clone(),
            port: v4.or(v6)?,
            port_v6: v6,
        })
    }

    #[cfg(feature = "server")]
    fn server_announcement(&self) -> Option<Announcement> {
        let port = self.built_in.port_for_others()?;
        Some(Announcement {
            peer: self.peer_id(),
            name: self.config.settings.name.clone(),
            port,
            port_v6: None,
        })
    }

    #[cfg(not(feature = "server"))]
    fn server_announcement(&self) -> Option<Announcement> {
        None
    }

    fn peer_id(&self) -> PeerId {
        self.config.peer_id
    }

    /// Passes on who is there, but for ourselves.
    fn found_around(&mut self, around: Around) {
        let me = self.peer_id();
        let people = around.people.into_iter().filter(|seen| seen.peer != me);
        let people =
            people.map(|seen| SomebodyNearby { peer: seen.peer, name: seen.name, addresses: seen.addresses });
        self.ask(ClientCommand::Nearby(people.collect()));
        let own: BTreeSet<IpAddr> = self.surroundings.watch.addresses().iter().map(SocketAddr::ip).collect();
        let servers = around.servers.into_iter().filter(|seen| seen.peer != me);
        let servers = servers
            .filter_map(|seen| {
                // One address is enough, and one of IPv4 is the least trouble to read and to write.
                let usable = seen.addresses.iter().filter(|at| !own.contains(&at.ip()) && has_no_scope(at));
                let address = usable.min_by_key(|at| at.is_ipv6())?;
                let name = crate::call::messages::clean_name(&seen.name);
                let name = if name.is_empty() { seen.peer.short() } else { name };
                Some(ServerNearby { name, url: format!("rtmfp://{address}") })
            })
            .collect();
        self.surroundings.servers = Arc::new(servers);
        self.publish();
    }

    /// Gives the router's port back, without waiting for it.
    fn let_port_go(&mut self) {
        if let Some(mapping) = self.surroundings.mapping.take() {
            tokio::spawn(mapping.release());
        }
    }

    /// At the end: the router's port is free again, and everybody knows that we are gone.
    pub(super) async fn stop_looking_around(surroundings: Surroundings) {
        let Surroundings { mapping, discovery, .. } = surroundings;
        if let Some(mapping) = mapping {
            mapping.release().await;
        }
        // It waits a moment for its goodbyes.
        let _ = tokio::task::spawn_blocking(move || drop(discovery)).await;
    }
}

/// An address that means the same everywhere on the network.
fn has_no_scope(address: &SocketAddr) -> bool {
    !matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0)
}
