//! Tries other programs at the level below NetConnection: flows of any kind, echoed.
//!
//! ```text
//! cargo run --no-default-features --features net --example flows -- [--group N] [--old] echo ADDRESS
//! cargo run --no-default-features --features net --example flows -- [--group N] [--old] ask ADDRESS [PEER-ID]
//! ```
//!
//! `echo` accepts every flow, and sends each message back on a flow that answers it. `ask` opens two flows to such a
//! server, or to the peer that it introduces, sends [`MESSAGES`] on each, and counts those that come back whole. With `--group` keys are agreed on in that group alone, and
//! with `--old` HMACs and sequence numbers are there only where the far end asks for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::driver::{self, Driver, DriverConfig};
use tincan::rtmfp::crypto::flash::{Flash, Identity, Verification, discriminator_for_url};
use tincan::rtmfp::endpoint::{
    CloseManner, Delivery, EndpointConfig, FlowOptions, Priority, ReceiveFlowId, SendFlowId, SessionKey,
    WriteOptions,
};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, Route};
use tincan::rtmfp::{Endpoint, Event, PeerId};
use tokio::sync::mpsc;

type Ask = Box<dyn FnOnce(&mut Endpoint, Instant) + Send>;
type Problem = Box<dyn std::error::Error>;

/// On each of the two flows.
const MESSAGES: u64 = 120;
/// Of each message, in bytes: it takes several packets.
const SIZE: usize = 4_096;
/// How long everything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An endpoint that does what it is asked, and accepts every flow within the same step, as it must.
struct Asked(Endpoint);

impl Machine for Asked {
    type Command = Ask;
    type Event = Event;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Ask>) {
        match input.without_command() {
            Ok(input) => self.0.handle_input(now, input),
            Err(ask) => ask(&mut self.0, now),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Event> {
        let output = self.0.poll_output(now, packets);
        if let Output::Event(Event::FlowOpened { session, flow, .. }) = &output {
            self.0.accept_flow(*session, *flow, Delivery::Ordered);
        }
        output
    }
}

/// An endpoint that echoes. It too answers within the step.
struct Echo {
    endpoint: Endpoint,
    back: BTreeMap<(SessionKey, ReceiveFlowId), SendFlowId>,
}

impl Echo {
    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::SessionOpened { session, peer, proven, route, .. } => {
                let cipher = self.endpoint.figures(now, session).map(|figures| figures.cipher);
                println!("opened: {peer} {} proven: {proven} {cipher:?}", route.address);
            }
            Event::SessionEnded { session, end } => {
                self.back.retain(|(of, _), _| *of != session);
                println!("ended: {end}");
            }
            Event::FlowOpened { session, flow, metadata, .. } => {
                println!("flow: {:?}", String::from_utf8_lossy(&metadata));
                self.endpoint.accept_flow(session, flow, Delivery::Ordered);
                let options = options([&metadata[..], b" return"].concat().into(), Some(flow));
                if let Ok(back) = self.endpoint.open_flow(session, options) {
                    self.back.insert((session, flow), back);
                }
            }
            Event::Message { session, flow, bytes, .. } => {
                if let Some(back) = self.back.get(&(session, flow)) {
                    // What does not fit is lost: the asker counts.
                    let _ = self.endpoint.write(now, session, *back, bytes, WriteOptions::default());
                }
            }
            Event::FlowFinished { session, flow } => {
                if let Some(back) = self.back.remove(&(session, flow)) {
                    self.endpoint.close_flow(now, session, back);
                }
            }
            _ => {}
        }
    }
}

impl Machine for Echo {
    type Command = ();
    type Event = std::convert::Infallible;

    fn handle_input(&mut self, now: Instant, input: Input<'_, ()>) {
        if let Ok(input) = input.without_command() {
            self.endpoint.handle_input(now, input);
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<std::convert::Infallible> {
        loop {
            match self.endpoint.poll_output(now, packets) {
                Output::Event(event) => self.on_event(now, event),
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Sleep(until) => return Output::Sleep(until),
            }
        }
    }
}

fn options(metadata: Bytes, answers: Option<ReceiveFlowId>) -> FlowOptions {
    FlowOptions { metadata, priority: Priority::Data, time_critical: false, answers }
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the system has randomness");
    seed
}

/// An end that makes new keys for each session, in one group or in any.
fn fresh(group: Option<u64>) -> Result<Flash, Problem> {
    Ok(match group {
        Some(group) => Flash::server_in(&[group], seed())?,
        None => Flash::server(seed()),
    })
}

async fn echo(profile: Flash, address: SocketAddr) -> Result<ExitCode, Problem> {
    let endpoint = Endpoint::new(EndpointConfig::new(Arc::new(profile), seed()));
    let machine = Echo { endpoint, back: BTreeMap::new() };
    let driver = driver::spawn(machine, DriverConfig::new(vec![address]), |never| match never {})?;
    println!("listening on {:?}", driver.local_addresses());
    tokio::signal::ctrl_c().await?;
    driver.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn ask(profile: Flash, address: SocketAddr, peer: Option<PeerId>) -> Result<ExitCode, Problem> {
    let endpoint = Endpoint::new(EndpointConfig::new(Arc::new(profile), seed()));
    let (tell, mut told) = mpsc::unbounded_channel();
    let driver = driver::spawn(Asked(endpoint), DriverConfig::any_port(), move |event| {
        // Nobody listens any more once everything came.
        let _ = tell.send(event);
    })?;
    let local = driver.local_addresses();
    let path = local.iter().position(|local| local.is_ipv4() == address.is_ipv4()).ok_or("no such socket")?;
    let route = Route { via: PathId(u32::try_from(path)?), address };
    let begun = Instant::now();
    let open: Ask = Box::new(move |endpoint, now| {
        match peer {
            Some(peer) => endpoint.open_session_to_peer(now, peer, &[route]),
            None => endpoint.open_session(
                now,
                discriminator_for_url(&format!("rtmfp://{address}")).into(),
                &[route],
            ),
        };
    });
    driver.command(open).await?;
    let (mut came, mut wrong) = (0, 0);
    let until = tokio::time::Instant::now() + PATIENCE;
    while let Ok(Some(event)) = tokio::time::timeout_at(until, told.recv()).await {
        match event {
            Event::SessionOpened { session, peer, proven, route, .. } => {
                println!(
                    "opened after {} ms: {peer} {} proven: {proven}",
                    begun.elapsed().as_millis(),
                    route.address
                );
                begin(&driver, session).await?;
            }
            Event::FlowOpened { metadata, answers, .. } => {
                println!("flow: {:?} answers {answers:?}", String::from_utf8_lossy(&metadata));
            }
            Event::Message { session, bytes, .. } => {
                *if bytes == numbered(number_of(&bytes)) { &mut came } else { &mut wrong } += 1;
                if came + wrong == 2 * MESSAGES {
                    let end: Ask = Box::new(move |endpoint, now| {
                        println!("{:?}", endpoint.figures(now, session));
                        endpoint.close_session(now, session, CloseManner::Orderly);
                    });
                    driver.command(end).await?;
                }
            }
            Event::SessionEnded { end, .. } => {
                println!("ended: {end}");
                break;
            }
            _ => {}
        }
    }
    println!("sent: {}, came back: {came}, wrong: {wrong}", 2 * MESSAGES);
    driver.stop().await;
    Ok(if came == 2 * MESSAGES && wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Opens the two flows, and sends everything on them.
async fn begin(driver: &Driver<Ask>, session: SessionKey) -> Result<(), Problem> {
    let ask: Ask = Box::new(move |endpoint, now| {
        for name in [&b"one"[..], b"two"] {
            let Ok(flow) = endpoint.open_flow(session, options(Bytes::from_static(name), None)) else {
                return;
            };
            for number in 0..MESSAGES {
                let message = numbered(number).into();
                if let Err(misuse) = endpoint.write(now, session, flow, message, WriteOptions::default()) {
                    println!("not sent: {misuse}");
                }
            }
        }
    });
    Ok(driver.command(ask).await?)
}

/// Bytes that tell by themselves whether they came whole.
fn numbered(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().cycle().take(SIZE).collect()
}

fn number_of(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(u64::MAX, |first| u64::from_be_bytes(*first))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Problem> {
    let usage =
        "usage: flows [--group N] [--old] echo ADDRESS | flows [--group N] [--old] ask ADDRESS [PEER-ID]";
    let mut arguments = std::env::args().skip(1).peekable();
    let group = match arguments.next_if(|argument| argument == "--group") {
        Some(_) => Some(arguments.next().ok_or(usage)?.parse()?),
        None => None,
    };
    let verification = match arguments.next_if(|argument| argument == "--old") {
        Some(_) => Verification::OnRequest,
        None => Verification::Required,
    };
    let (what, address) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?.parse()?);
    match what.as_str() {
        "echo" => echo(fresh(group)?.verifying(verification), address).await,
        "ask" => {
            let peer = arguments.next().map(|peer| peer.parse()).transpose()?;
            let lasting = || Flash::peer(Identity::generate(seed()));
            let profile = if group.is_some() { fresh(group)? } else { lasting() };
            ask(profile.verifying(verification), address, peer).await
        }
        _ => Err(usage.into()),
    }
}
