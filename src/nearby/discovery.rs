//! Multicast DNS at work: announces us and our server, and finds others. One thread of the library's, on every interface,
//! IPv4 and IPv6.

use std::collections::BTreeSet;
use std::net::{SocketAddr, SocketAddrV6};
use std::time::Duration;

use mdns_sd::{IfKind, Receiver, ScopedIp, ServiceDaemon, ServiceEvent, ServiceInfo, TryRecvError};

use super::announcement::{Announcement, PEOPLE, SERVERS, Sighting, Sightings};

/// Why the local network cannot be listened to; what the library said.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the local network cannot be listened to: {0}")]
pub struct DiscoveryError(String);

impl From<mdns_sd::Error> for DiscoveryError {
    fn from(error: mdns_sd::Error) -> Self {
        Self(error.to_string())
    }
}

/// Who and what is on the local network.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Around {
    /// People, ourselves among them when we are announced.
    pub people: Vec<Sighting>,
    /// Servers, our own among them.
    pub servers: Vec<Sighting>,
}

/// Discovery, while it runs. Dropping it says goodbye to everybody.
pub struct Discovery {
    daemon: ServiceDaemon,
    people: Browsed,
    servers: Browsed,
}

/// One service that is looked for and announced.
struct Browsed {
    service: &'static str,
    events: Receiver<ServiceEvent>,
    found: Sightings,
    /// The full name of what we announce of it.
    announced: BTreeSet<String>,
}

impl Discovery {
    /// Begins to listen on all interfaces, those to come included.
    ///
    /// # Errors
    /// [`DiscoveryError`] when the system gives no thread or no socket for it.
    pub fn start() -> Result<Self, DiscoveryError> {
        let daemon = ServiceDaemon::new()?;
        daemon.set_ip_check_interval(LOOK_FOR_INTERFACES)?;
        // Two programs on one computer find each other on its other interfaces, if it has any.
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        let people = Browsed::begin(&daemon, PEOPLE)?;
        let servers = Browsed::begin(&daemon, SERVERS)?;
        Ok(Self { daemon, people, servers })
    }

    /// Tells everybody that we can be called; `None` no longer does.
    ///
    /// # Errors
    /// [`DiscoveryError`] when the library does not take it.
    pub fn announce_person(&mut self, who: Option<&Announcement>) -> Result<(), DiscoveryError> {
        self.people.announce(&self.daemon, who)
    }

    /// Tells everybody that there is a server here; `None` no longer does.
    ///
    /// # Errors
    /// [`DiscoveryError`] when the library does not take it.
    pub fn announce_server(&mut self, server: Option<&Announcement>) -> Result<(), DiscoveryError> {
        self.servers.announce(&self.daemon, server)
    }

    /// Who is around, when that changed since the last look. Never waits.
    pub fn look(&mut self) -> Option<Around> {
        let people = self.people.look(&self.daemon);
        let servers = self.servers.look(&self.daemon);
        (people || servers)
            .then(|| Around { people: self.people.found.all(), servers: self.servers.found.all() })
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        // The library says goodbye for all that was announced; the program may end at once afterwards.
        if let Ok(stopped) = self.daemon.shutdown() {
            let _ = stopped.recv_timeout(GOODBYE);
        }
    }
}

impl Browsed {
    fn begin(daemon: &ServiceDaemon, service: &'static str) -> Result<Self, DiscoveryError> {
        let events = daemon.browse(service)?;
        Ok(Self { service, events, found: Sightings::default(), announced: BTreeSet::new() })
    }

    fn announce(
        &mut self,
        daemon: &ServiceDaemon,
        what: Option<&Announcement>,
    ) -> Result<(), DiscoveryError> {
        let info = what.map(|what| self.info(what)).transpose()?;
        let name = info.as_ref().map(|info| info.get_fullname().to_owned());
        for old in std::mem::take(&mut self.announced) {
            if Some(&old) != name.as_ref() {
                daemon.unregister(&old)?;
            }
        }
        // Said again with another port or name, it replaces what was said before.
        if let (Some(info), Some(name)) = (info, name) {
            daemon.register(info)?;
            self.announced.insert(name);
        }
        Ok(())
    }

    fn info(&self, what: &Announcement) -> Result<ServiceInfo, DiscoveryError> {
        let instance = what.instance();
        let host = format!("tincan-{instance}.local.");
        let properties = what.properties();
        let info = ServiceInfo::new(self.service, &instance, &host, "", what.port, properties.as_slice())?;
        Ok(info.enable_addr_auto())
    }

    /// Takes what came; whether anything of it is news.
    fn look(&mut self, daemon: &ServiceDaemon) -> bool {
        let mut news = false;
        loop {
            match self.events.try_recv() {
                Ok(ServiceEvent::ServiceResolved(service)) => {
                    let places = service.addresses.iter().filter_map(placed);
                    let property = |key: &str| service.get_property_val_str(key);
                    news |= match Sighting::read(property, service.port, places) {
                        Some(sighting) => self.found.seen(&service.fullname, sighting),
                        None => self.found.gone(&service.fullname),
                    };
                }
                Ok(ServiceEvent::ServiceRemoved(_, instance)) => news |= self.found.gone(&instance),
                Ok(_) => {}
                Err(TryRecvError::Empty) => return news,
                Err(TryRecvError::Disconnected) => {
                    // More came at once than the library lets wait: it is asked again.
                    if let Ok(events) = daemon.browse(self.service) {
                        self.events = events;
                    }
                    return news;
                }
            }
        }
    }
}

/// An address with the interface it was heard on, where it is of no use without.
fn placed(address: &ScopedIp) -> Option<SocketAddr> {
    match address {
        ScopedIp::V4(v4) => Some(SocketAddr::new((*v4.addr()).into(), 0)),
        ScopedIp::V6(v6) => {
            let scope = if v6.addr().is_unicast_link_local() { v6.scope_id().index } else { 0 };
            Some(SocketAddrV6::new(*v6.addr(), 0, 0, scope).into())
        }
        _ => None,
    }
}

/// Seconds between two looks for interfaces that came or went.
const LOOK_FOR_INTERFACES: u32 = 2;
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);
