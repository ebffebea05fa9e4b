//! A machine that is asked by closures, and whose events are answered on the spot: what most programs want of a driver.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use tokio::sync::oneshot;

use super::handle::{self, Driver};
use super::{Counters, DriverConfig, DriverError, Paths};
use crate::rtmfp::machine::{Input, Machine, Output, PathId, Route};

/// A machine at work. Dropping it stops it; [`Running::stop`] also waits for the goodbyes.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use tincan::driver::{self, DriverConfig};
/// use tincan::rtmfp::crypto::flash::Flash;
/// use tincan::rtmfp::{Endpoint, EndpointConfig};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let profile = Arc::new(Flash::server(driver::random_seed()?));
/// let endpoint = Endpoint::new(EndpointConfig::new(profile, driver::random_seed()?));
/// let running = driver::run(endpoint, DriverConfig::any_port(), |_endpoint, _now, event| println!("{event:?}"))?;
/// let sessions = running.ask(|endpoint, _now| endpoint.sessions()).await?;
/// assert_eq!(sessions, 0);
/// running.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Running<M>(Driver<Ask<M>>);

/// Something to do with a machine, in its task.
type Ask<M> = Box<dyn FnOnce(&mut M, Instant) + Send>;

/// The machine no longer runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the machine no longer runs")]
pub struct Stopped;

/// Binds the sockets and starts the machine on the current tokio runtime. `on_event` is told each event at once, in the
/// machine's task, and may do with the machine what it likes; it must not block.
///
/// # Errors
/// [`DriverError`] when an address cannot be bound, as with [`super::spawn`].
pub fn run<M>(
    machine: M,
    config: DriverConfig,
    on_event: impl FnMut(&mut M, Instant, M::Event) + Send + 'static,
) -> Result<Running<M>, DriverError>
where
    M: Machine<Command = Infallible> + Send + 'static,
{
    let attended = Attended { machine, on_event };
    Ok(Running(handle::spawn(attended, config, |never| match never {})?))
}

impl<M> Running<M> {
    /// Does something with the machine in its task, and answers what came of it. Waits while too much is being asked.
    ///
    /// # Errors
    /// [`Stopped`] when the machine no longer runs.
    pub async fn ask<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut M, Instant) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (tell, told) = oneshot::channel();
        let ask: Ask<M> = Box::new(move |machine, now| {
            // Whoever asked may have stopped waiting.
            let _ = tell.send(ask(machine, now));
        });
        self.0.command(ask).await.map_err(|_| Stopped)?;
        told.await.map_err(|_| Stopped)
    }

    /// The ways to these addresses: each over the first socket of its family. An address of a family without a socket is
    /// left out.
    pub fn routes(&self, addresses: &[SocketAddr]) -> Vec<Route> {
        routes(self.local_addresses(), addresses)
    }

    /// The addresses the sockets are bound to, with the ports the system chose.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        self.0.local_addresses()
    }

    /// Opens further paths while it runs.
    pub fn paths(&self) -> Paths {
        self.0.paths()
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.0.counters()
    }

    /// Carries out what was asked, and serves the network until the machine has nothing left to wait for or
    /// [`DriverConfig::linger`] is over. Tell the machine to close before.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

/// Every address, IPv4 and IPv6 alike, that a name leads to; an address is itself.
///
/// # Errors
/// What the system says of a name that leads nowhere.
pub async fn look_up(host: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    // The port is of no matter here.
    Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
}

/// Randomness from the system: what keys and engines begin with.
///
/// # Errors
/// When the system has none, which no system in order does.
pub fn random_seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(seed)
}

fn routes(local: &[SocketAddr], addresses: &[SocketAddr]) -> Vec<Route> {
    let route = |&address: &SocketAddr| {
        let path = local.iter().position(|local| local.is_ipv4() == address.is_ipv4())?;
        Some(Route { via: PathId(u32::try_from(path).ok()?), address })
    };
    addresses.iter().filter_map(route).collect()
}

/// A machine and the program that answers its events.
struct Attended<M, F> {
    machine: M,
    on_event: F,
}

impl<M, F> Machine for Attended<M, F>
where
    M: Machine<Command = Infallible>,
    F: FnMut(&mut M, Instant, M::Event),
{
    type Command = Ask<M>;
    type Event = Infallible;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Ask<M>>) {
        match input.without_command() {
            Ok(input) => self.machine.handle_input(now, input),
            Err(ask) => ask(&mut self.machine, now),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Infallible> {
        loop {
            return match self.machine.poll_output(now, packets) {
                Output::Event(event) => {
                    (self.on_event)(&mut self.machine, now, event);
                    continue;
                }
                Output::Transmit(transmit) => Output::Transmit(transmit),
                Output::Compute(job) => Output::Compute(job),
                Output::Sleep(until) => Output::Sleep(until),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_reached_over_the_first_socket_of_its_family() {
        let local = ["0.0.0.0:1", "[::]:1", "0.0.0.0:2"].map(|text| text.parse().unwrap());
        let addresses = ["[2001:db8::1]:5", "192.0.2.1:5"].map(|text| text.parse().unwrap());
        let paths: Vec<u32> = routes(&local, &addresses).iter().map(|route| route.via.0).collect();
        assert_eq!(paths, [1, 0]);
        assert_eq!(routes(&local[..1], &addresses).len(), 1);
    }

    #[tokio::test]
    async fn an_address_leads_to_itself() {
        assert_eq!(look_up("2001:db8::1").await.unwrap(), ["2001:db8::1".parse::<IpAddr>().unwrap()]);
    }
}
