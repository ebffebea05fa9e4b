//! The server that a window brings itself: on this computer's loopback, for whoever binds the port first.

use crate::rendezvous::config::ServerConfig;
use crate::rendezvous::server::Server;

/// The built-in server, when this program is the one that serves.
#[derive(Default)]
pub(crate) struct BuiltInServer {
    running: Option<Server>,
}

impl BuiltInServer {
    /// Serves if nobody else does. Relays nothing, and is reached from this computer only.
    pub(crate) fn try_serve(&mut self) {
        if self.running.is_some() {
            return;
        }
        match Server::start(ServerConfig::loopback()) {
            Ok(server) => self.running = Some(server),
            // Usually another window serves already, and we connect to it.
            Err(error) => tracing::debug!(%error, "the built-in server stays off"),
        }
    }

    /// Ends the service; the clients' connections are closed.
    pub(crate) async fn stop(&mut self) {
        if let Some(server) = self.running.take() {
            server.stop().await;
        }
    }
}
