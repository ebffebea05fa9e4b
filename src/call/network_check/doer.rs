//! The check on real sockets: both families at once, on sockets of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Findings;
use super::family::{FamilyCheck, Reach, Told};
use crate::call::server_address::ServerAddress;
use crate::driver::{self, Driver, DriverConfig, interfaces};
use crate::netconnection::Node;
use crate::netconnection::node::NodeConfig;
use crate::rtmfp::EndpointConfig;
use crate::rtmfp::chance::Chance;
use crate::rtmfp::crypto::flash::{Flash, Identity};

/// How far the check is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// The server's name is looked up.
    LookingUp,
    /// The server is asked.
    Asking,
    /// It answered, over one family of addresses at least.
    Answered,
    /// Nobody answered for seconds: perhaps this network lets no UDP through.
    Silence,
}

/// Checks the network between this computer and a server. It takes ten seconds at most after the name is looked up, and
/// about one where all is well. Dropping the future ends it.
///
/// # Errors
/// When this system has no randomness.
pub async fn check(server: &ServerAddress, mut tell: impl FnMut(Progress)) -> std::io::Result<Findings> {
    tell(Progress::LookingUp);
    let began = Instant::now();
    let found = tokio::time::timeout(LOOK_UP_WITHIN, driver::look_up(&server.host)).await;
    let addresses = found.ok().and_then(Result::ok).unwrap_or_default();
    let mut findings = Findings {
        host: server.host.clone(),
        looked_up: (!addresses.is_empty()).then(|| began.elapsed()),
        own: interfaces::addresses(),
        addresses,
        ..Findings::default()
    };
    if findings.addresses.is_empty() {
        return Ok(findings);
    }
    tell(Progress::Asking);
    let mut chance = Chance::new(driver::random_seed()?);
    let v4 = start(server, &findings.addresses, Ipv4Addr::UNSPECIFIED.into(), &mut chance);
    let v6 = start(server, &findings.addresses, Ipv6Addr::UNSPECIFIED.into(), &mut chance);
    let (told, mut steps) = mpsc::channel(8);
    let both = async { tokio::join!(follow(v4, told.clone()), follow(v6, told)) };
    tokio::pin!(both);
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    let mut answered = false;
    loop {
        tokio::select! {
            Some(()) = steps.recv() => {
                if !std::mem::replace(&mut answered, true) {
                    tell(Progress::Answered);
                }
            }
            () = &mut silence, if !answered && !silence.is_elapsed() => tell(Progress::Silence),
            (ipv4, ipv6) = &mut both => {
                findings.ipv4 = ipv4;
                findings.ipv6 = ipv6;
                return Ok(findings);
            }
        }
    }
}

/// A check that runs, and what it tells.
type Running = (Driver<std::convert::Infallible>, mpsc::Receiver<Told>);

/// Nothing when the server, or this computer, has no address of the family.
fn start(server: &ServerAddress, all: &[IpAddr], any: IpAddr, chance: &mut Chance) -> Option<Running> {
    let of_family = all.iter().filter(|ip| ip.is_ipv4() == any.is_ipv4());
    let addresses: Vec<SocketAddr> = of_family.map(|ip| SocketAddr::new(*ip, server.port)).collect();
    if addresses.is_empty() {
        return None;
    }
    let identity = Identity::generate(chance.bytes());
    let name = format!("network check {:08x}", chance.u32());
    let mut endpoint = EndpointConfig::new(Arc::new(Flash::peer(identity)), chance.bytes());
    endpoint.accepts_sessions = false;
    let check = FamilyCheck::new(Node::new(NodeConfig::new(endpoint)), &server.url, &name, addresses);
    let (tell, told) = mpsc::channel(16);
    let config = DriverConfig::new(vec![SocketAddr::new(any, 0)]);
    let running = driver::spawn(check, config, move |event| {
        // There are fewer steps than room for them.
        let _ = tell.try_send(event);
    });
    running.ok().map(|driver| (driver, told))
}

async fn follow(running: Option<Running>, step: mpsc::Sender<()>) -> Option<Reach> {
    let (driver, mut told) = running?;
    let mut reach = None;
    while let Some(event) = told.recv().await {
        match event {
            Told::Step(_) => {
                let _ = step.try_send(());
            }
            Told::Done(done) => {
                reach = Some(*done);
                break;
            }
        }
    }
    driver.stop().await;
    reach
}

const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);
/// People wonder by then.
const SILENCE: Duration = Duration::from_secs(3);
