//! Calls between networks of every kind, in virtual time: who comes through to whom, which way, and how soon.

mod places;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::CallState;
use tincan::call::{Command, Event, PeerId};
use tincan::media::encoded::EncodedFrame;
use tincan::rtmfp::machine::{Input, Machine as _};

use self::places::{Place, Together, Way, theory};
use crate::support::virtual_network::{Families, Host, Router};
use crate::support::virtual_router::RouterKind;
use crate::world::{Anyone, Asked, Told, World};

/// What came of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// It was up this long after it was dialled.
    Up(Way, Duration),
    /// It never was.
    Never,
}

/// Lets a client accept every call at once.
fn accept_at_once(world: &mut World, host: Host) {
    world.net.react(host, |anyone, now, told| {
        if let (Anyone::Client(client), Told::Client(ClientEvent::Changed(view))) = (anyone, told)
            && matches!(view.call, CallState::Incoming { .. })
        {
            let accept = ClientCommand::Person(Command::Accept { with_video: true });
            client.handle_input(now, Input::Command(accept));
        }
    });
}

/// One calls the other, who accepts at once; then each speaks for a second.
fn call(world: &mut World, caller: Host, called: Host, whom: PeerId) -> Outcome {
    accept_at_once(world, called);
    let dialled = world.net.elapsed();
    world.call(caller, whom);
    let over = |world: &World| world.is_up(caller) && world.is_up(called) || world.end(caller).is_some();
    world.until(60, over);
    let is_up = |told: &Told| matches!(told, Told::Client(ClientEvent::Told(Event::Up { .. })));
    let up = world.net.events(caller).iter().find(|(_, told)| is_up(told)).map(|(at, _)| *at - dialled);
    let Some(up) = up.filter(|_| world.is_up(called)) else { return Outcome::Never };
    let (there, back) = (way_of(world, caller), way_of(world, called));
    assert_eq!(there, back, "both go the same way");
    Outcome::Up(there, up)
}

/// Which way the sound of one end takes, as seen on the wire.
fn way_of(world: &mut World, from: Host) -> Way {
    world.net.clear_log();
    for number in 0..50 {
        let packet = Bytes::from(vec![7; 80]);
        let sound = EncodedFrame::Audio { timestamp: number * 20, packet };
        world.net.command(from, Asked::Client(ClientCommand::Frame(sound)));
        world.net.run_for(Duration::from_millis(20));
    }
    let servers = world.net.addresses(world.server);
    let own = world.net.sent().iter().filter(|sent| sent.from == from);
    let (over_server, direct): (Vec<_>, Vec<_>) =
        own.partition(|sent| servers.iter().any(|server| server.ip() == sent.to.ip()));
    if direct.len() > over_server.len() { Way::Direct } else { Way::Relayed }
}

fn families(place: Place) -> Families {
    match (place.has_v4(), place.has_v6()) {
        (true, true) => Families::Both,
        (_, false) => Families::V4,
        (false, true) => Families::V6,
    }
}

/// Builds a place; the router that a host there stands behind.
fn build(world: &mut World, place: Place) -> Option<Router> {
    let mut innermost = None;
    for kind in place.routers() {
        innermost = Some(world.net.add_router_behind(innermost, kind));
    }
    if let (Place::ServerOnly, Some(router)) = (place, innermost) {
        let servers = world.net.addresses(world.server);
        let to_server = move |to: SocketAddr| servers.iter().any(|server| server.ip() == to.ip());
        world.net.router(router).let_out(Box::new(to_server));
    }
    innermost
}

/// A server with both families, and ports to lend.
fn world() -> World {
    let mut world = World::with_server_at(1, Families::Both);
    world.net.lend_ports(world.server, 1937..=1942);
    world
}

fn apart(caller: Place, called: Place) -> Outcome {
    let mut world = world();
    let routers = [caller, called].map(|place| build(&mut world, place));
    let (bob, _) = world.client_at("Bob", routers[0], families(caller));
    let (ada, ada_id) = world.client_at("Ada", routers[1], families(called));
    call(&mut world, bob, ada, ada_id)
}

fn together(both: Together) -> Outcome {
    let mut world = world();
    let shared = world.net.add_router(both.shared());
    let routers = ["Bob", "Ada"].map(|_| {
        let home = RouterKind::PORT_RESTRICTED;
        if both.has_homes() { world.net.add_router_behind(Some(shared), home) } else { shared }
    });
    let (bob, _) = world.client_at("Bob", Some(routers[0]), Families::V4);
    let (ada, ada_id) = world.client_at("Ada", Some(routers[1]), Families::V4);
    call(&mut world, bob, ada, ada_id)
}

/// Every pair, by name.
fn pairs() -> Vec<(String, Way, Outcome)> {
    let mut all = Vec::new();
    for caller in Place::ALL {
        for called in Place::ALL {
            let name = format!("{} calls {}", caller.name(), called.name());
            all.push((name, theory(caller, called), apart(caller, called)));
        }
    }
    all.extend(Together::ALL.map(|both| (both.name().to_owned(), both.theory(), together(both))));
    all
}

/// A datagram takes 40 ms.
const ROUND_TRIP: Duration = Duration::from_millis(80);
/// From dialling to up when the other accepts at once: four and a half round trips, and 200 ms.
const QUICK: Duration = Duration::from_millis(4 * 80 + 40 + 200);

#[test]
fn every_pair_of_networks_that_theory_gives_a_direct_way_takes_it_at_once() {
    let direct = pairs().into_iter().filter(|(_, theory, _)| *theory == Way::Direct);
    let at_once = |outcome: &Outcome| matches!(outcome, Outcome::Up(Way::Direct, up) if *up <= QUICK);
    let wrong: Vec<_> = direct.filter(|(_, _, outcome)| !at_once(outcome)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Prints the documentation's table.
#[test]
#[ignore = "prints a table"]
fn table() {
    println!("| pair | theory | way | up after | round trips |");
    for (name, theory, outcome) in pairs() {
        match outcome {
            Outcome::Up(way, up) => {
                let trips = up.as_secs_f64() / ROUND_TRIP.as_secs_f64();
                println!("| {name} | {theory:?} | {way:?} | {} ms | {trips:.1} |", up.as_millis());
            }
            Outcome::Never => println!("| {name} | {theory:?} | none | | |"),
        }
    }
}
