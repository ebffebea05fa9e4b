//! The worker looks for servers and devices, on tasks that may wait.

use std::time::Duration;

use super::Worker;
use crate::call::client_machine::ClientCommand;
use crate::call::server_address::{ServerAddress, with_mark};
use crate::call::view::Devices;
#[cfg(feature = "server")]
use crate::call::view::ServerState;
use crate::media::devices;

impl Worker {
    /// Looks up where the server is, after a wait; a window serves itself when nobody else does.
    pub(super) fn find_server(&mut self, wait: Duration) {
        let server = self.config.server.clone();
        let resolve = self.resolve.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let addresses = server.resolve().await;
            // The worker may be gone; then nobody wants to know.
            let _ = resolve.send((server, addresses)).await;
        });
    }

    /// Looks up where a further server is; nobody here becomes it.
    pub(super) fn find_further_server(&mut self, url: String) {
        let Ok(server) = ServerAddress::parse(&url) else { return };
        let found = self.find_further.clone();
        tokio::spawn(async move {
            let addresses = server.resolve().await;
            // The worker may be gone; then nobody wants to know.
            let _ = found.send((url, addresses)).await;
        });
    }

    pub(super) fn server_found(&mut self, server: ServerAddress, addresses: Vec<std::net::SocketAddr>) {
        if server != self.config.server {
            return;
        }
        #[cfg(feature = "server")]
        if self.config.window && server.is_built_in() && self.core.own.server_state != ServerState::Connected
        {
            self.built_in.try_serve(self.is_local_network_allowed());
        }
        let (url, shown) = (with_mark(&server.url, server.old), server.shown());
        self.ask(ClientCommand::UseServer { url, shown, addresses });
    }

    pub(super) fn look_for_devices(&self) {
        let list = self.list_devices.clone();
        tokio::task::spawn_blocking(move || {
            let found = devices::list();
            let devices = Devices {
                cameras: found.cameras,
                microphones: found.microphones,
                speakers: found.speakers,
                ..Devices::default()
            };
            // Two answers wait at most; a third asked for in between would say the same.
            let _ = list.try_send(devices);
        });
    }
}
