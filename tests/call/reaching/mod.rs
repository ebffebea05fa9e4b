//! Calls between networks of every kind, in virtual time: who comes through to whom, which way, and how soon.

mod bystanders;
mod changes;
mod places;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::CallState;
use tincan::call::{Command, EndReason, Event, PeerId};
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
/// A relay is tried 400 ms later than what may be direct, and doubles the way.
const QUICK_RELAYED: Duration = Duration::from_millis(1000);

#[test]
fn every_pair_of_networks_comes_through_and_directly_where_theory_allows_it() {
    let as_in_theory = |theory: Way, outcome: Outcome| match outcome {
        Outcome::Up(way, up) => way == theory && up <= if way == Way::Direct { QUICK } else { QUICK_RELAYED },
        Outcome::Never => false,
    };
    let wrong: Vec<_> =
        pairs().into_iter().filter(|(_, theory, outcome)| !as_in_theory(*theory, *outcome)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_direct_call_is_up_after_four_and_a_half_round_trips_however_long_they_are() {
    let mut world = world();
    world.net.set_links(|link| link.latency = Duration::from_millis(200));
    let routers = [Place::PortRestricted; 2].map(|place| build(&mut world, place));
    let (bob, _) = world.client_at("Bob", routers[0], Families::V4);
    let (ada, ada_id) = world.client_at("Ada", routers[1], Families::V4);
    assert_eq!(call(&mut world, bob, ada, ada_id), Outcome::Up(Way::Direct, Duration::from_millis(1800)));
}

#[test]
fn whoever_is_behind_a_symmetric_router_is_reached_by_all_that_let_in_any_port() {
    for caller in [Place::Open, Place::FullCone, Place::AddressRestricted] {
        let outcome = apart(caller, Place::Symmetric);
        assert!(matches!(outcome, Outcome::Up(Way::Direct, _)), "{}: {outcome:?}", caller.name());
    }
}

#[test]
fn two_behind_symmetric_routers_are_relayed() {
    let outcome = apart(Place::Symmetric, Place::Symmetric);
    assert!(matches!(outcome, Outcome::Up(Way::Relayed, _)), "{outcome:?}");
}

#[test]
fn two_routers_in_a_row_are_as_good_as_one() {
    let outcome = apart(Place::TwoInARow, Place::TwoInARow);
    assert!(matches!(outcome, Outcome::Up(Way::Direct, _)), "{outcome:?}");
}

#[test]
fn somebody_with_ipv4_alone_and_somebody_with_ipv6_alone_are_relayed() {
    for (caller, called) in [(Place::Open, Place::Ipv6), (Place::Ipv6, Place::Open)] {
        let outcome = apart(caller, called);
        assert!(matches!(outcome, Outcome::Up(Way::Relayed, _)), "{outcome:?}");
    }
}

#[test]
fn somebody_connected_over_ipv4_reaches_somebody_with_ipv6_alone_over_ipv6() {
    let outcome = apart(Place::Both, Place::Ipv6);
    assert!(matches!(outcome, Outcome::Up(Way::Direct, _)), "{outcome:?}");
}

#[test]
fn who_can_write_to_nobody_but_the_server_is_relayed() {
    for (caller, called) in [(Place::ServerOnly, Place::Open), (Place::Open, Place::ServerOnly)] {
        let outcome = apart(caller, called);
        assert!(matches!(outcome, Outcome::Up(Way::Relayed, _)), "{outcome:?}");
    }
}

#[test]
fn neighbours_meet_at_their_private_addresses_where_their_router_sends_nothing_back_inside() {
    for both in [Together::Router, Together::Symmetric] {
        let outcome = together(both);
        assert!(matches!(outcome, Outcome::Up(Way::Direct, _)), "{}: {outcome:?}", both.name());
    }
}

#[test]
fn two_homes_of_one_carrier_meet_at_its_outside_or_not_at_all() {
    let outcomes = [Together::CarrierHairpin, Together::Carrier].map(together);
    assert!(matches!(outcomes, [Outcome::Up(Way::Direct, _), Outcome::Up(Way::Relayed, _)]), "{outcomes:?}");
}

#[test]
fn without_a_relay_two_symmetric_routers_leave_no_way_through() {
    let mut world = World::with_server_at(1, Families::V4);
    let routers = [Place::Symmetric; 2].map(|place| build(&mut world, place));
    let (bob, _) = world.client_at("Bob", routers[0], Families::V4);
    let (ada, ada_id) = world.client_at("Ada", routers[1], Families::V4);
    assert_eq!(call(&mut world, bob, ada, ada_id), Outcome::Never);
    assert_eq!(world.end(bob), Some(EndReason::NoWayThrough));
}

/// Prints the documentation's table: the way, the time from dialling to up, and that in round trips.
#[test]
#[ignore = "prints a table for the documentation; tests above assert the same calls"]
fn table() {
    let cell = |outcome| match outcome {
        Outcome::Up(way, up) => {
            let trips = up.as_secs_f64() / ROUND_TRIP.as_secs_f64();
            format!("{} {} ({trips:.1})", way.name(), up.as_millis())
        }
        Outcome::Never => "none".to_owned(),
    };
    println!("{}", places::table(|caller, called| cell(apart(caller, called)), |both| cell(together(both))));
}
