//! A port of the router's that leads to a port of ours: asked for by PCP (RFC 6887), NAT-PMP (RFC 6886) or UPnP, whichever
//! the router understands, renewed as long as this lives, and given back at the end.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The mapping of one port, while it is wanted. Dropping it leaves the mapping to run out by itself; [`Self::release`]
/// gives it back.
pub struct PortMapping {
    client: portmapper::Client,
    mapped: watch::Receiver<Option<SocketAddrV4>>,
    /// Asks until there is an answer, and again when the mapping was lost.
    asking: JoinHandle<()>,
}

impl PortMapping {
    /// Asks the router for a port that leads to this one, of IPv4. Needs a tokio runtime.
    pub fn hold(port: NonZeroU16) -> Self {
        let client = portmapper::Client::new(portmapper::Config::default());
        let mapped = client.watch_external_address();
        let asking = tokio::spawn(ask(client.clone(), port));
        Self { client, mapped, asking }
    }

    /// Where the router lets others reach us, as far as it is known. An address that is itself behind another router is
    /// none.
    pub fn mapped(&self) -> Option<SocketAddr> {
        let mapped = *self.mapped.borrow();
        mapped.filter(|mapped| is_public(*mapped.ip())).map(SocketAddr::V4)
    }

    /// Gives the port back, or lets it run out when the router does not answer in time.
    pub async fn release(self) {
        self.asking.abort();
        if self.mapped.borrow().is_none() {
            return;
        }
        self.client.deactivate();
        // The library takes one request after the other: this one is not answered before the port is given back.
        if tokio::time::timeout(GIVE_BACK_WITHIN, self.client.probe()).await.is_err() {
            tracing::info!("the router takes its time over its port; it will be free by itself before long");
        }
    }
}

impl Drop for PortMapping {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

/// Finds out what the router understands, then asks it, and goes on as long as there is nothing.
async fn ask(client: portmapper::Client, port: NonZeroU16) {
    let mut mapped = client.watch_external_address();
    let mut wait = FIRST_WAIT;
    loop {
        let Ok(understood) = client.probe().await else { return };
        tracing::debug!(?understood, "what the router understands");
        client.update_local_port(port);
        client.procure_mapping();
        let there = tokio::time::timeout(ANSWER_WITHIN, mapped.wait_for(Option::is_some)).await.is_ok();
        if there {
            wait = FIRST_WAIT;
            tracing::info!("the router lends a port");
            // The library renews it; only when that failed is there something to do.
            if mapped.wait_for(Option::is_none).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether others outside can mean this address: none that belongs to a network behind a router (RFC 1918, RFC 6598).
fn is_public(ip: Ipv4Addr) -> bool {
    let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
    !(ip.is_private() || shared || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
}

/// A router that answers at all does so within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The first wait before it is asked again, doubled with each, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long giving back may take.
const GIVE_BACK_WITHIN: Duration = Duration::from_millis(1_500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_outside_can_reach_is_an_address() {
        for behind in ["192.168.1.1", "10.0.0.1", "172.16.0.1", "100.64.0.1", "169.254.1.1", "127.0.0.1"] {
            assert!(!is_public(behind.parse().expect("an address")), "{behind}");
        }
        for outside in ["203.0.113.7", "100.128.0.1", "8.8.8.8"] {
            assert!(is_public(outside.parse().expect("an address")), "{outside}");
        }
    }
}
