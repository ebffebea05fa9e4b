//! The server that a window brings itself, for whoever binds the port first: on this computer's loopback, and for the local
//! network once the person allows that.

use std::net::SocketAddr;

use crate::rendezvous::config::ServerConfig;
use crate::rendezvous::server::Server;

/// The built-in server, when this program is the one that serves.
#[derive(Default)]
pub(crate) struct BuiltInServer {
    running: Option<Running>,
}

struct Running {
    server: Server,
    /// It is reached from the local network.
    for_others: bool,
}

impl BuiltInServer {
    /// Serves if nobody else does: `for_others` on the local network too. It relays nothing.
    pub(crate) fn try_serve(&mut self, for_others: bool) {
        if self.running.is_some() {
            return;
        }
        let config = if for_others { ServerConfig::local_network() } else { ServerConfig::loopback() };
        match Server::start(config) {
            Ok(server) => self.running = Some(Running { server, for_others }),
            // Usually another window serves already, and we connect to it.
            Err(error) => tracing::debug!(%error, "the built-in server stays off"),
        }
    }

    /// Whether it serves others than it should.
    pub(crate) fn is_otherwise(&self, for_others: bool) -> bool {
        self.running.as_ref().is_some_and(|running| running.for_others != for_others)
    }

    /// The UDP port at which the local network reaches it, if it does.
    pub(crate) fn port_for_others(&self) -> Option<u16> {
        let running = self.running.as_ref().filter(|running| running.for_others)?;
        running.server.local_addresses().first().map(SocketAddr::port)
    }

    /// Ends the service; the clients' connections are closed.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.server.stop().await;
        }
    }
}
