//! A port of the router's that leads to a port of ours: asked for by PCP (RFC 6887), NAT-PMP (RFC 6886) or UPnP, renewed as
//! long as this lives, and given back at the end.
//!
//! A router that understands several is asked by the best first, and by the next when that one leads to nothing: there are
//! routers that answer to a protocol and refuse whatever is asked by it. In the router's own list, a port that was asked for
//! by UPnP stands under the name "iroh-portmap", which the library below gives it and takes no other for.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::time::Duration;

use portmapper::{Client, Config, Protocol};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How routers are asked, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum MappingProtocol {
    /// RFC 6887.
    Pcp,
    /// RFC 6886, which came before it.
    NatPmp,
    /// An Internet Gateway Device of Universal Plug and Play.
    Upnp,
}

/// What came of asking a router for a port.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum RouterAnswer {
    /// It is being asked.
    #[default]
    Asking,
    /// It understands none of the protocols, or there is no router.
    None,
    /// It understands these, and lends no port by any of them.
    Refused(Vec<MappingProtocol>),
    /// It lends a port.
    Lent {
        /// By which protocol.
        by: MappingProtocol,
        /// What the router calls its outside; behind another router that is no address that others can reach.
        address: SocketAddrV4,
    },
}

impl RouterAnswer {
    /// Where the router lets others reach us. An address that is itself behind another router is none.
    pub fn reachable(&self) -> Option<SocketAddr> {
        match self {
            Self::Lent { address, .. } if is_public(*address.ip()) => Some(SocketAddr::V4(*address)),
            Self::Lent { .. } | Self::Asking | Self::None | Self::Refused(_) => None,
        }
    }
}

/// The mapping of one port, while it is wanted. Dropping it gives it back too, without anybody knowing when that is done.
pub struct PortMapping {
    answer: watch::Receiver<RouterAnswer>,
    /// Dropped, and the task gives the port back.
    stop: oneshot::Sender<()>,
    asking: JoinHandle<()>,
}

impl PortMapping {
    /// Asks the router for a port that leads to this one, of IPv4. Needs a tokio runtime.
    pub fn hold(port: NonZeroU16) -> Self {
        let (tell, answer) = watch::channel(RouterAnswer::Asking);
        let (stop, stopped) = oneshot::channel();
        Self { answer, stop, asking: tokio::spawn(ask(port, tell, stopped)) }
    }

    /// Where the router lets others reach us, as far as it is known.
    pub fn mapped(&self) -> Option<SocketAddr> {
        self.answer.borrow().reachable()
    }

    /// What the router says, once it has said something, or has had the time to. May be dropped at any time.
    pub async fn answer(&mut self) -> RouterAnswer {
        // Without the task there is nothing more to be said.
        let said = self.answer.wait_for(|answer| *answer != RouterAnswer::Asking).await;
        said.map(|answer| answer.clone()).unwrap_or_default()
    }

    /// Gives the port back, or lets it run out when the router does not answer in time.
    pub async fn release(self) {
        drop(self.stop);
        let _ = self.asking.await;
    }
}

/// Finds out what the router understands, then asks it, and goes on as long as there is nothing.
async fn ask(port: NonZeroU16, tell: watch::Sender<RouterAnswer>, mut stopped: oneshot::Receiver<()>) {
    let clients = PROTOCOLS.map(|protocol| (protocol, Client::new(only(protocol))));
    let mut wait = FIRST_WAIT;
    loop {
        let mut lending = None;
        let asked = async {
            let understood = understood(&clients).await;
            for &(protocol, client) in &understood {
                lending = Some(client);
                if let Some(address) = lent(client, port, protocol).await {
                    return RouterAnswer::Lent { by: protocol, address };
                }
                client.deactivate();
            }
            lending = None;
            let understood: Vec<_> = understood.iter().map(|(protocol, _)| *protocol).collect();
            if understood.is_empty() { RouterAnswer::None } else { RouterAnswer::Refused(understood) }
        };
        let answer = tokio::select! {
            answer = asked => answer,
            _ = &mut stopped => {
                give_back(lending).await;
                return;
            }
        };
        tracing::info!(?answer, "what the router says about a port");
        tell.send_replace(answer);
        let lost = async {
            match lending {
                // The library renews it; only when that failed is there something to do.
                Some(client) => {
                    follow(client, &tell).await;
                    tokio::time::sleep(LOST_WAIT).await;
                    FIRST_WAIT
                }
                None => {
                    let waited = wait;
                    tokio::time::sleep(waited).await;
                    (waited * 2).min(LONGEST_WAIT)
                }
            }
        };
        tokio::select! {
            next = lost => wait = next,
            _ = &mut stopped => {
                give_back(lending).await;
                return;
            }
        }
    }
}

/// Those of the clients whose protocol the router understands, the best first.
async fn understood(clients: &[(MappingProtocol, Client)]) -> Vec<(MappingProtocol, &Client)> {
    let probes: Vec<_> = clients.iter().map(|(_, client)| client.probe()).collect();
    let mut understood = Vec::new();
    for ((protocol, client), probe) in clients.iter().zip(probes) {
        if let Ok(Ok(found)) = probe.await
            && (found.pcp || found.nat_pmp || found.upnp)
        {
            understood.push((*protocol, client));
        }
    }
    understood
}

/// Asks by one protocol.
async fn lent(client: &Client, port: NonZeroU16, protocol: MappingProtocol) -> Option<SocketAddrV4> {
    let mut mapped = client.watch_external_address();
    client.update_local_port(port);
    let answer = timeout(answers_within(protocol), mapped.wait_for(Option::is_some)).await;
    answer.ok()?.ok().and_then(|mapped| *mapped)
}

/// Says when another port, or another address, is lent, until there is none.
async fn follow(client: &Client, tell: &watch::Sender<RouterAnswer>) {
    let mut mapped = client.watch_external_address();
    loop {
        let Some(now) = *mapped.borrow_and_update() else { break };
        tell.send_if_modified(|answer| match answer {
            RouterAnswer::Lent { address, .. } => std::mem::replace(address, now) != now,
            RouterAnswer::Asking | RouterAnswer::None | RouterAnswer::Refused(_) => false,
        });
        if mapped.changed().await.is_err() {
            break;
        }
    }
    tell.send_replace(RouterAnswer::Asking);
}

async fn give_back(lending: Option<&Client>) {
    let Some(client) = lending else { return };
    client.deactivate();
    // The library takes one request after the other: this one is not answered before the port is given back.
    if timeout(GIVE_BACK_WITHIN, client.probe()).await.is_err() {
        tracing::info!("the router takes its time over its port; it will be free by itself before long");
    }
}

/// A client of the library's that knows but one protocol: with several it tells neither which it took, nor tries the next.
fn only(protocol: MappingProtocol) -> Config {
    Config {
        enable_upnp: protocol == MappingProtocol::Upnp,
        enable_pcp: protocol == MappingProtocol::Pcp,
        enable_nat_pmp: protocol == MappingProtocol::NatPmp,
        protocol: Protocol::Udp,
    }
}

/// Whether others outside can mean this address: none that belongs to a network behind a router (RFC 1918, RFC 6598).
pub(crate) fn is_public(ip: Ipv4Addr) -> bool {
    let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
    !(ip.is_private() || shared || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
}

const PROTOCOLS: [MappingProtocol; 3] =
    [MappingProtocol::Pcp, MappingProtocol::NatPmp, MappingProtocol::Upnp];

/// A router that lends at all does so within this: the library waits half a second for one answer of PCP, for each of two
/// of NAT-PMP, and UPnP is several questions over TCP.
fn answers_within(protocol: MappingProtocol) -> Duration {
    match protocol {
        MappingProtocol::Pcp => Duration::from_millis(800),
        MappingProtocol::NatPmp => Duration::from_millis(1_300),
        MappingProtocol::Upnp => Duration::from_secs(5),
    }
}

/// The first wait before it is asked again, doubled with each, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The wait after a port that was lent is lost: the router may be starting again.
const LOST_WAIT: Duration = Duration::from_secs(5);
/// How long giving back may take.
const GIVE_BACK_WITHIN: Duration = Duration::from_millis(1_500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_outside_can_reach_is_an_address() {
        for behind in ["192.168.1.1", "10.0.0.1", "172.16.0.1", "100.64.0.1", "169.254.1.1", "127.0.0.1"] {
            let address = SocketAddrV4::new(behind.parse().expect("an address"), 4_000);
            assert_eq!(
                RouterAnswer::Lent { by: MappingProtocol::Pcp, address }.reachable(),
                None,
                "{behind}"
            );
        }
        for outside in ["203.0.113.7", "100.128.0.1", "8.8.8.8"] {
            let address = SocketAddrV4::new(outside.parse().expect("an address"), 4_000);
            let lent = RouterAnswer::Lent { by: MappingProtocol::Pcp, address };
            assert_eq!(lent.reachable(), Some(address.into()), "{outside}");
        }
    }

    #[test]
    fn each_client_knows_one_protocol() {
        for protocol in PROTOCOLS {
            let config = only(protocol);
            let known = [config.enable_pcp, config.enable_nat_pmp, config.enable_upnp];
            assert_eq!(known.iter().filter(|known| **known).count(), 1, "{protocol:?}");
        }
    }
}
