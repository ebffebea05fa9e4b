//! Calls that only the server's relay brings together, in virtual time.

use std::time::Duration;

use tincan::call::{Command, EndReason, PeerId};
use tincan::rendezvous::relay::{PairEnd, RelayEvent, RelayRules};
use tincan::rendezvous::service::{Rules, ServiceEvent};

use crate::plain_client::{PlainCommand, PlainEvent};
use crate::support::topology::{Families, Router};
use crate::support::virtual_network::Host;
use crate::support::virtual_router::RouterKind;
use crate::world::{Told, World};

/// A world whose server has ports to lend.
fn world_with_relay(families: Families) -> World {
    let mut world = World::with_server_at(1, families);
    world.net.lend_ports(world.server, 1937..=1942);
    world
}

/// Somebody behind a router of their own.
fn behind(world: &mut World, kind: RouterKind, name: &str) -> (Host, PeerId) {
    let router = world.net.add_router(kind);
    somebody(world, Some(router), Families::V4, name)
}

fn somebody(world: &mut World, router: Option<Router>, families: Families, name: &str) -> (Host, PeerId) {
    world.client_at(name, router, families)
}

/// What the server told of pairs that it relays.
fn relaying(world: &World) -> Vec<RelayEvent> {
    let told = world.net.events(world.server).iter().filter_map(|(_, told)| match told {
        Told::Server(ServiceEvent::Relay(event)) => Some(*event),
        _ => None,
    });
    told.collect()
}

fn chat_goes_both_ways(world: &mut World, one: (Host, PeerId), other: (Host, PeerId)) {
    for (from, to, text) in [(one, other, "there?"), (other, one, "here!")] {
        world.person(from.0, Command::SendText { to: to.1, text: text.into() });
        let arrived = |world: &World| format!("{:?}", world.told(to.0)).contains(text);
        assert!(world.until(5, arrived), "{text} does not arrive");
    }
}

#[test]
fn two_behind_routers_that_let_nobody_through_have_a_call() {
    let mut world = world_with_relay(Families::V4);
    let ada = behind(&mut world, RouterKind::SYMMETRIC, "Ada");
    let bob = behind(&mut world, RouterKind::SYMMETRIC, "Bob");
    world.connect(ada.0, bob.0, bob.1);
    chat_goes_both_ways(&mut world, ada, bob);
    assert!(matches!(relaying(&world)[..], [RelayEvent::Established { pairs: 1 }]), "{:?}", relaying(&world));
    // The lines of their chat stay open. They end with their computers.
    world.person(ada.0, Command::HangUp);
    world.run(60);
    assert_eq!(relaying(&world).len(), 1);
    world.net.cut(ada.0, true);
    world.net.cut(bob.0, true);
    world.run(60);
    let ended = relaying(&world).last().copied();
    assert!(matches!(ended, Some(RelayEvent::Ended { why: PairEnd::Idle, .. })), "{ended:?}");
}

#[test]
fn who_can_be_reached_directly_is_not_relayed() {
    for kind in [RouterKind::OPEN, RouterKind::ADDRESS_RESTRICTED, RouterKind::PORT_RESTRICTED] {
        let mut world = world_with_relay(Families::V4);
        let ada = behind(&mut world, kind, "Ada");
        let bob = behind(&mut world, RouterKind::PORT_RESTRICTED, "Bob");
        world.connect(ada.0, bob.0, bob.1);
        chat_goes_both_ways(&mut world, ada, bob);
        assert_eq!(relaying(&world), [], "{kind:?}");
    }
}

#[test]
fn an_ipv4_and_an_ipv6_network_have_a_call() {
    let mut world = world_with_relay(Families::Both);
    let ada = somebody(&mut world, None, Families::V4, "Ada");
    let bob = somebody(&mut world, None, Families::V6, "Bob");
    world.connect(ada.0, bob.0, bob.1);
    chat_goes_both_ways(&mut world, ada, bob);
    assert!(matches!(relaying(&world)[..], [RelayEvent::Established { .. }]), "{:?}", relaying(&world));
}

#[test]
fn a_plain_client_is_relayed_too() {
    let mut world = world_with_relay(Families::V4);
    let (ada, ada_id) = behind(&mut world, RouterKind::SYMMETRIC, "Ada");
    let router = world.net.add_router(RouterKind::SYMMETRIC);
    let (plain, _) = world.plain_at("Bob", Some(router));
    world.plainly(plain, PlainCommand::Call(ada_id));
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Accept { with_video: false });
    assert!(
        world.until(5, |world| {
            world.heard_plainly(plain).contains(&PlainEvent::ConnectedWith("Ada".into()))
        })
    );
    assert!(matches!(relaying(&world)[..], [RelayEvent::Established { .. }]), "{:?}", relaying(&world));
}

#[test]
fn without_a_relay_there_is_no_way_through() {
    let mut world = world_with_relay(Families::V4);
    let relay = RelayRules { on: false, ..RelayRules::default() };
    world.set_rules(Rules { relay, ..Rules::default() });
    let ada = behind(&mut world, RouterKind::SYMMETRIC, "Ada");
    let bob = behind(&mut world, RouterKind::SYMMETRIC, "Bob");
    world.call(ada.0, bob.1);
    assert!(world.until(60, |world| world.end(ada.0).is_some()));
    assert_eq!(world.end(ada.0), Some(EndReason::NoWayThrough));
}

#[test]
fn a_relayed_call_outlives_a_router_that_forgets() {
    let mut world = world_with_relay(Families::V4);
    let ada = behind(&mut world, RouterKind::SYMMETRIC, "Ada");
    let router = world.net.add_router(RouterKind::SYMMETRIC);
    let bob = somebody(&mut world, Some(router), Families::V4, "Bob");
    world.connect(ada.0, bob.0, bob.1);
    world.run(5);
    world.net.router(router).forget();
    world.run(30);
    chat_goes_both_ways(&mut world, ada, bob);
    assert!(world.is_up(ada.0) && world.is_up(bob.0));
    assert_eq!(relaying(&world).len(), 1, "the same pair all the time: {:?}", relaying(&world));
}

/// Not a rule, but known: what the figures of a relayed call are.
#[test]
fn a_relayed_call_rings_within_two_seconds() {
    let mut world = world_with_relay(Families::V4);
    let ada = behind(&mut world, RouterKind::SYMMETRIC, "Ada");
    let bob = behind(&mut world, RouterKind::SYMMETRIC, "Bob");
    world.call(ada.0, bob.1);
    assert!(world.until(2, |world| world.rings(bob.0)));
    let ringing = world.net.elapsed();
    world.person(bob.0, Command::Accept { with_video: true });
    let before = world.net.elapsed();
    assert!(world.until(2, |world| world.is_up(ada.0) && world.is_up(bob.0)));
    let up = world.net.elapsed() - before;
    assert!(up < Duration::from_millis(1000), "rang at {ringing:?}, up {up:?} later");
}
