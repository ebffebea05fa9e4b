//! Calls that begin over a relay, or outside of a network that both are in, move to a better way; and calls of those who
//! hide their address never do. In virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::CallState;
use tincan::call::{Command, EndReason, Event, PeerId};
use tincan::media::encoded::EncodedFrame;
use tincan::rendezvous::relay::RelayRules;
use tincan::rendezvous::service::Rules;
use tincan::settings::Setting;

use crate::support::topology::Families;
use crate::support::virtual_network::{Host, Router};
use crate::support::virtual_router::RouterKind;
use crate::world::{Told, World};

/// Two in a call that the server relays, as neither router lets the other in.
struct RelayedCall {
    world: World,
    ada: Host,
    bob: Host,
    bobs_router: Router,
}

fn world_with_relay() -> World {
    let mut world = World::with_server_at(1, Families::V4);
    world.net.lend_ports(world.server, 1937..=1942);
    world
}

fn behind(world: &mut World, kind: RouterKind, name: &str) -> (Router, Host, PeerId) {
    let router = world.net.add_router(kind);
    let (host, peer) = world.client_at(name, Some(router), Families::V4);
    (router, host, peer)
}

fn relayed_call() -> RelayedCall {
    let mut world = world_with_relay();
    let (_, ada, _) = behind(&mut world, RouterKind::SYMMETRIC, "Ada");
    let (bobs_router, bob, bob_id) = behind(&mut world, RouterKind::PORT_RESTRICTED, "Bob");
    world.connect(ada, bob, bob_id);
    let mut call = RelayedCall { world, ada, bob, bobs_router };
    call.talk(3);
    call
}

impl RelayedCall {
    /// Both speak for so many seconds, a piece each 20 ms.
    fn talk(&mut self, seconds: u32) {
        for _ in 0..seconds * 50 {
            let timestamp = self.world.net.elapsed().as_millis() as u32;
            for host in [self.ada, self.bob] {
                let packet = Bytes::from(vec![7; 100]);
                self.world.ask(host, ClientCommand::Frame(EncodedFrame::Audio { timestamp, packet }));
            }
            self.world.net.run_for(Duration::from_millis(20));
        }
    }

    /// The times of the pieces of sound that came, when each came, since `from`.
    fn heard(&self, host: Host, from: Duration) -> Vec<(Duration, u32)> {
        let sound = |(at, told): &(Duration, Told)| match told {
            Told::Client(ClientEvent::Frame(EncodedFrame::Audio { timestamp, .. })) if *at >= from => {
                Some((*at, *timestamp))
            }
            _ => None,
        };
        self.world.net.events(host).iter().filter_map(sound).collect()
    }

    fn routes(&self) -> [String; 2] {
        [self.ada, self.bob].map(|host| route(&self.world, host))
    }

    /// From now on Bob's router lets everybody in, as when a port was opened for him.
    fn open_bobs_router(&mut self) {
        self.world.net.router(self.bobs_router).become_kind(RouterKind::ENDPOINT_INDEPENDENT);
    }
}

fn route(world: &World, host: Host) -> String {
    match world.view(host).call {
        CallState::Up(call) => call.quality.route,
        other => format!("no call, but {other:?}"),
    }
}

fn changes(world: &World, host: Host) -> Vec<bool> {
    let events = world.events(host).into_iter();
    events
        .filter_map(|event| match event {
            Event::WayChanged { relayed, .. } => Some(relayed),
            _ => None,
        })
        .collect()
}

#[test]
fn a_relayed_call_says_so_and_moves_to_a_direct_way_that_opens_within_a_minute_without_a_gap() {
    let mut call = relayed_call();
    assert_eq!(call.routes(), ["relayed", "relayed"]);
    call.open_bobs_router();
    let from = call.world.net.elapsed();
    call.talk(75);
    assert_eq!(call.routes(), ["direct", "direct"]);
    for host in [call.ada, call.bob] {
        assert_eq!(changes(&call.world, host), [false], "told once, and not back and forth");
        let heard = call.heard(host, from);
        let mut stamps: Vec<u32> = heard.iter().map(|(_, timestamp)| *timestamp).collect();
        stamps.sort_unstable();
        let missing = stamps.windows(2).filter(|two| two[1] - two[0] > 20).count();
        assert_eq!(missing, 0, "no piece of sound is missing");
        let gap = heard.windows(2).map(|two| two[1].0 - two[0].0).max().unwrap_or_default();
        assert!(gap <= Duration::from_millis(40), "{gap:?}");
    }
}

#[test]
fn news_of_another_place_makes_both_look_again_at_once() {
    let mut call = relayed_call();
    call.open_bobs_router();
    call.talk(3);
    assert_eq!(call.routes(), ["relayed", "relayed"]);
    let elsewhere = SocketAddr::from(([203, 0, 113, 99], 1935));
    call.world.ask(call.bob, ClientCommand::MappedAddress(Some(elsewhere)));
    call.talk(3);
    assert_eq!(call.routes(), ["direct", "direct"]);
}

#[test]
fn two_who_met_outside_their_common_network_go_on_inside() {
    let mut world = world_with_relay();
    let home = world.net.add_router(RouterKind::PORT_RESTRICTED.hairpinning());
    let (ada, _) = world.client_at("Ada", Some(home), Families::V4);
    let (bob, bob_id) = world.client_at("Bob", Some(home), Families::V4);
    world.connect(ada, bob, bob_id);
    world.run(3);
    world.net.clear_log();
    world.run(3);
    let inside = |to: SocketAddr| to.ip().to_string().starts_with("10.");
    let to_servers = world.net.addresses(world.server);
    let outside =
        world.net.sent().iter().filter(|sent| {
            [ada, bob].contains(&sent.from) && !inside(sent.to) && !to_servers.contains(&sent.to)
        });
    assert_eq!(outside.count(), 0);
}

#[test]
fn a_stranger_who_only_rings_is_told_of_no_address_and_an_accepted_one_is() {
    let mut world = world_with_relay();
    let (ada, _) = world.client_at("Ada", None, Families::V4);
    let (_, bob, bob_id) = behind(&mut world, RouterKind::OPEN, "Bob");
    world.call(ada, bob_id);
    assert!(world.until(10, |world| world.rings(bob)));
    world.run(5);
    let private = world.net.address(bob);
    assert!(!is_told(&world, ada, private), "it only rings");
    world.person(bob, Command::Accept { with_video: false });
    assert!(world.until(5, |world| world.is_up(ada)));
    world.run(2);
    assert!(is_told(&world, ada, private));
}

/// Whether a client has written to that address, which it can only know when it was told.
fn is_told(world: &World, host: Host, address: SocketAddr) -> bool {
    world.net.sent().iter().any(|sent| sent.from == host && sent.to == address)
}

/// A client that hides its address from the start.
fn hiding(world: &mut World, name: &str) -> (Router, Host, PeerId) {
    let (router, host, peer) = behind(world, RouterKind::OPEN, name);
    world.person(host, Command::Set(Setting::HideAddress(true)));
    world.run(1);
    (router, host, peer)
}

#[test]
fn whoever_hides_the_address_is_called_over_the_relay_and_no_packet_goes_directly() {
    for hider_calls in [false, true] {
        let mut world = world_with_relay();
        let (_, ada, ada_id) = hiding(&mut world, "Ada");
        let (_, bob, bob_id) = behind(&mut world, RouterKind::OPEN, "Bob");
        world.net.clear_log();
        if hider_calls {
            world.connect(ada, bob, bob_id);
        } else {
            world.connect(bob, ada, ada_id);
        }
        world.run(70);
        assert_eq!(route(&world, ada), "relayed");
        assert_eq!(route(&world, bob), "relayed");
        let server = world.net.address(world.server).ip();
        let directly = world.net.sent().iter().filter(|sent| sent.from == ada && sent.to.ip() != server);
        assert_eq!(directly.count(), 0, "Ada writes to nobody but the server");
        let directly = world.net.sent().iter().filter(|sent| sent.from == bob && sent.to.ip() != server);
        assert_eq!(directly.count(), 0, "and Bob does not know where she is");
    }
}

#[test]
fn whoever_stops_hiding_in_mid_call_gets_a_direct_way() {
    let mut world = world_with_relay();
    let (_, ada, _) = hiding(&mut world, "Ada");
    let (_, bob, bob_id) = behind(&mut world, RouterKind::OPEN, "Bob");
    world.connect(ada, bob, bob_id);
    world.run(3);
    assert_eq!(route(&world, ada), "relayed");
    world.person(ada, Command::Set(Setting::HideAddress(false)));
    world.run(5);
    assert_eq!([route(&world, ada), route(&world, bob)], ["direct", "direct"]);
}

#[test]
fn whoever_hides_where_nobody_relays_finds_no_way_through() {
    let mut world = world_with_relay();
    let relay = RelayRules { on: false, ..RelayRules::default() };
    world.set_rules(Rules { relay, ..Rules::default() });
    let (_, ada, _) = hiding(&mut world, "Ada");
    let (_, _, bob_id) = behind(&mut world, RouterKind::OPEN, "Bob");
    world.call(ada, bob_id);
    assert!(world.until(60, |world| world.end(ada).is_some()));
    assert_eq!(world.end(ada), Some(EndReason::NoWayThrough));
}
