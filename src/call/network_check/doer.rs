//! The check on real sockets: both families at once, on sockets of its own, and beside them the router and TURN servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Findings;
use super::family::{FamilyCheck, Reach, Told};
use super::signs::signs_of_life;
use crate::call::server_address::ServerAddress;
use crate::driver::turn::{Tried, TurnConfig, borrow_ports, try_all};
use crate::driver::{self, Driver, DriverConfig, interfaces};
use crate::nearby::port_mapping::{PortMapping, RouterAnswer};
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
    /// All is known of the server; the router, or a TURN server, is still being asked.
    AskingOthers,
}

/// What is to be found out.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whether this server can be reached, and what it sees.
    pub server: ServerAddress,
    /// Whether these TURN servers lend ports.
    pub turn: Option<TurnConfig>,
    /// Whether the router opens a port when asked. It is free again at the end.
    pub asks_router: bool,
    /// How it will be for somebody who hides their address.
    pub relay_only: bool,
}

/// Checks the network between this computer and a server. It takes ten seconds at most after the name is looked up, or
/// twelve with a TURN server, and about one where all is well. Dropping the future ends it.
///
/// # Errors
/// When this system has no randomness.
pub async fn check(question: Question, mut tell: impl FnMut(Progress)) -> std::io::Result<Findings> {
    tell(Progress::LookingUp);
    let began = Instant::now();
    let Question { server, turn, asks_router, relay_only } = question;
    let found = tokio::time::timeout(LOOK_UP_WITHIN, driver::look_up(&server.host)).await;
    let addresses = found.ok().and_then(Result::ok).unwrap_or_default();
    let mut findings = Findings {
        host: server.host.clone(),
        looked_up: (!addresses.is_empty()).then(|| began.elapsed()),
        own: interfaces::addresses(),
        addresses,
        relay_only,
        ..Findings::default()
    };
    if findings.addresses.is_empty() || findings.has_no_network() {
        return Ok(findings);
    }
    tell(Progress::Asking);
    let mut chance = Chance::new(driver::random_seed()?);
    let addresses = findings.addresses.clone();
    let v4 = start(&server, &addresses, Ipv4Addr::UNSPECIFIED.into(), &mut chance);
    let v6 = start(&server, &addresses, Ipv6Addr::UNSPECIFIED.into(), &mut chance);
    // The port that the server is asked from: what else is there leads to nothing.
    let port = v4.as_ref().and_then(|(driver, _)| NonZeroU16::new(driver.local_addresses().first()?.port()));
    let (step, mut steps) = mpsc::channel(8);
    let families = async {
        let both = tokio::join!(follow(v4, step.clone()), follow(v6, step.clone()));
        let _ = step.try_send(Progress::AskingOthers);
        both
    };
    let router = ask_router(port.filter(|_| asks_router));
    let turned = ask_turn(turn, &server, &addresses, &mut chance);
    let places: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, server.port)).collect();
    let all = async { tokio::join!(families, router, turned, signs_of_life(&places)) };
    tokio::pin!(all);
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    let mut told = Progress::Asking;
    loop {
        tokio::select! {
            Some(next) = steps.recv() => {
                if std::mem::replace(&mut told, next) != next {
                    tell(next);
                }
            }
            () = &mut silence, if told == Progress::Asking && !silence.is_elapsed() => tell(Progress::Silence),
            ((ipv4, ipv6), router, (turn, over_turn), signs) = &mut all => {
                findings = Findings { ipv4, ipv6, router, turn, over_turn, signs, ..findings };
                return Ok(findings);
            }
        }
    }
}

/// Asks the router for a port that leads to this one, and gives it back.
async fn ask_router(port: Option<NonZeroU16>) -> Option<RouterAnswer> {
    let mut mapping = PortMapping::hold(port?);
    let answer = tokio::time::timeout(ROUTER_WITHIN, mapping.answer()).await;
    mapping.release().await;
    // A router that keeps one waiting for so long is none that lends.
    Some(answer.unwrap_or(RouterAnswer::None))
}

/// Asks TURN servers for ports, and the server over the first that is lent.
async fn ask_turn(
    turn: Option<TurnConfig>,
    server: &ServerAddress,
    addresses: &[IpAddr],
    chance: &mut Chance,
) -> (Vec<Tried>, Option<Reach>) {
    let Some(turn) = turn.filter(|turn| !turn.urls.is_empty()) else { return (Vec::new(), None) };
    let addresses: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, server.port)).collect();
    let (node, name) = stranger(chance);
    let check = FamilyCheck::over_lent_port(node, &server.url, &name, addresses);
    // Its own socket leads nowhere, and nothing goes over it.
    let running = run(check, (Ipv4Addr::LOCALHOST, 0).into());
    let borrowed = running.as_ref().map(|(driver, _)| {
        let paths = driver.paths();
        borrow_ports(paths, turn.clone(), |_| ())
    });
    let (nobody, _) = mpsc::channel(1);
    let over = tokio::time::timeout(OVER_TURN_WITHIN, follow(running, nobody));
    let tries = try_all(turn);
    tokio::pin!(over, tries);
    let (tried, done) = tokio::select! {
        tried = &mut tries => (tried, None),
        done = &mut over => (tries.await, Some(done)),
    };
    if !tried.iter().any(|tried| tried.outcome.is_ok()) {
        return (tried, None);
    }
    let done = match done {
        Some(done) => done,
        None => over.await,
    };
    drop(borrowed);
    (tried, Some(done.ok().flatten().unwrap_or_default()))
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
    let (node, name) = stranger(chance);
    run(FamilyCheck::new(node, &server.url, &name, addresses), SocketAddr::new(any, 0))
}

/// Somebody new, and their name.
fn stranger(chance: &mut Chance) -> (Node, String) {
    let identity = Identity::generate(chance.bytes());
    let mut endpoint = EndpointConfig::new(Arc::new(Flash::peer(identity)), chance.bytes());
    endpoint.accepts_sessions = false;
    (Node::new(NodeConfig::new(endpoint)), format!("network check {:08x}", chance.u32()))
}

fn run(check: FamilyCheck, listen: SocketAddr) -> Option<Running> {
    let (tell, told) = mpsc::channel(16);
    let running = driver::spawn(check, DriverConfig::new(vec![listen]), move |event| {
        // There are fewer steps than room for them.
        let _ = tell.try_send(event);
    });
    running.ok().map(|driver| (driver, told))
}

async fn follow(running: Option<Running>, step: mpsc::Sender<Progress>) -> Option<Reach> {
    let (driver, mut told) = running?;
    let mut reach = None;
    while let Some(event) = told.recv().await {
        match event {
            Told::Step(_) => {
                let _ = step.try_send(Progress::Answered);
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
/// Finding out what the router understands takes a second, and asking it by UPnP as long again.
const ROUTER_WITHIN: Duration = Duration::from_secs(8);
/// What the TURN server takes to lend a port, and the server to answer over it or not.
const OVER_TURN_WITHIN: Duration = Duration::from_secs(12);
