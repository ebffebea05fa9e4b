//! Calls without any server: on the local network, and by a link that says where somebody is.

use std::net::SocketAddr;
use std::time::Duration;

use tincan::call::client_machine::{ClientCommand, SomebodyNearby};
use tincan::call::link::Link;
use tincan::call::view::{CallState, Presence};
use tincan::call::{Command, EndReason, Event, PeerId};
use tincan::settings::Setting;

use crate::support::virtual_network::Host;
use crate::world::World;

/// Ada and Bob, whose server is there for nobody.
fn without_server() -> (World, (Host, PeerId), (Host, PeerId)) {
    let mut world = World::new();
    let server = world.server;
    world.net.cut(server, true);
    let [ada, bob] = ["Ada", "Bob"].map(|name| {
        let host = world.client_of(name, server);
        (host, world.view(host).own.peer_id.expect("a key"))
    });
    (world, ada, bob)
}

fn sees(world: &mut World, who: Host, (other, peer): (Host, PeerId), name: &str) {
    let addresses = vec![world.net.address(other)];
    world.ask(who, ClientCommand::Nearby(vec![SomebodyNearby { peer, name: name.into(), addresses }]));
}

fn seconds_until_ringing(world: &mut World, called: Host) -> Duration {
    let since = world.net.elapsed();
    assert!(world.until(10, |world| world.rings(called)));
    world.net.elapsed() - since
}

#[test]
fn somebody_nearby_is_called_at_once_without_a_server() {
    let (mut world, ada, bob) = without_server();
    sees(&mut world, bob.0, ada, "Ada");
    assert_eq!(world.view(bob.0).nearby[0].name, "Ada");
    world.call(bob.0, ada.1);
    let waited = seconds_until_ringing(&mut world, ada.0);
    assert!(waited < Duration::from_millis(800), "{waited:?}");
    world.person(ada.0, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada.0) && world.is_up(bob.0)));
}

#[test]
fn a_link_with_addresses_calls_at_once_without_a_server() {
    let (mut world, ada, bob) = without_server();
    let addresses = vec![world.net.address(ada.0)];
    let link = Link { peer: ada.1, server: None, weak: None, name: Some("Ada".into()), addresses };
    world.call(bob.0, link.to_text());
    let waited = seconds_until_ringing(&mut world, ada.0);
    assert!(waited < Duration::from_millis(800), "{waited:?}");
}

#[test]
fn a_link_with_addresses_does_not_wait_for_its_own_server_either() {
    let (mut world, ada, bob) = without_server();
    let addresses = vec![world.net.address(ada.0)];
    let server = Some("rtmfp://nowhere.example".to_owned());
    let link = Link { peer: ada.1, server, weak: None, name: None, addresses };
    world.call(bob.0, link.to_text());
    let waited = seconds_until_ringing(&mut world, ada.0);
    assert!(waited < Duration::from_millis(800), "{waited:?}");
}

#[test]
fn our_link_says_where_we_are_only_without_a_server_and_where_the_local_network_may_know() {
    let mut world = World::new();
    let (bob, _) = world.client("Bob");
    let addresses = |world: &World| Link::parse(&world.view(bob).own.link).map(|link| link.addresses);
    assert_eq!(addresses(&world), Ok(vec![]));
    world.person(bob, Command::Set(Setting::LocalNetwork(true)));
    assert_eq!(addresses(&world), Ok(vec![world.net.address(bob)]));
    world.person(bob, Command::SetServer(Some("rtmfp://server.example".into())));
    assert_eq!(addresses(&world), Ok(vec![]));
}

#[test]
fn where_somebody_else_answers_nobody_is_reached() {
    let (mut world, ada, bob) = without_server();
    let eve = world.client_of("Eve", world.server);
    // Somebody on the network says to be Ada, and is not.
    sees(&mut world, bob.0, (eve, ada.1), "Ada");
    world.call(bob.0, ada.1);
    assert!(world.until(20, |world| world.end(bob.0).is_some()));
    assert_eq!(world.end(bob.0), Some(EndReason::ServerUnreachable));
    assert!(!world.rings(eve));
}

#[test]
fn who_is_nearby_and_on_the_server_is_reached_also_when_the_network_lies_about_where() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    let (eve, _) = world.client("Eve");
    sees(&mut world, bob, (eve, ada_id), "Ada");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)), "{:?}", world.view(bob).call);
}

#[test]
fn a_contact_nearby_is_online_and_what_waited_for_them_is_said() {
    let (mut world, ada, bob) = without_server();
    world.person(bob.0, Command::AddContact { peer: ada.1, name: "Ada".into(), server: None });
    world.person(bob.0, Command::SendText { to: ada.1, text: "hello".into() });
    world.run(2);
    assert_eq!(world.view(bob.0).contacts[0].presence, Presence::Offline);
    sees(&mut world, bob.0, ada, "Ada");
    world.run(1);
    assert_eq!(world.view(bob.0).contacts[0].presence, Presence::Online);
    let came = |event: &Event| matches!(event, Event::TextReceived { text, .. } if text == "hello");
    assert!(world.until(5, |world| world.events(ada.0).iter().any(came)));
}

#[test]
fn who_left_the_local_network_is_there_no_longer() {
    let (mut world, ada, bob) = without_server();
    sees(&mut world, bob.0, ada, "Ada");
    world.ask(bob.0, ClientCommand::Nearby(vec![]));
    assert!(world.view(bob.0).nearby.is_empty());
}

#[test]
fn a_name_heard_on_the_network_is_cleaned_and_bounded_and_we_are_not_among_them() {
    let (mut world, _, bob) = without_server();
    let at: SocketAddr = "192.0.2.9:1".parse().expect("an address");
    let somebody = |number: u8, name: &str| SomebodyNearby {
        peer: PeerId([number; 32]),
        name: name.to_owned(),
        addresses: vec![at; 100],
    };
    let mut people: Vec<SomebodyNearby> = (0..100).map(|number| somebody(number, "x")).collect();
    people[0].name = "\u{202e}evil\n".into();
    people[1] = SomebodyNearby { peer: bob.1, name: "me".into(), addresses: vec![at] };
    people[2].name = String::new();
    world.ask(bob.0, ClientCommand::Nearby(people));
    let nearby = world.view(bob.0).nearby;
    assert_eq!(nearby.len(), 64);
    assert!(nearby.iter().all(|person| person.peer_id != bob.1 && !person.name.is_empty()));
    assert!(nearby.iter().any(|person| person.name == "evil"));
}

#[test]
fn a_server_that_comes_while_a_link_is_dialled_introduces_the_two() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let bob = world.client_of("Bob", world.server);
    world.net.cut(bob, true);
    // Where she was when the link was made, and is no longer.
    let addresses = vec!["192.0.2.9:1".parse().expect("an address")];
    let link = Link { peer: ada_id, server: None, weak: None, name: None, addresses };
    world.call(bob, link.to_text());
    world.run(2);
    world.net.cut(bob, false);
    assert!(world.until(8, |world| world.rings(ada)), "{:?}", world.view(bob).call);
    assert!(matches!(world.view(bob).call, CallState::Outgoing { .. }));
}

#[test]
fn the_routers_address_is_told_to_servers_beside_our_own() {
    let mut world = World::new();
    let (bob, bob_id) = world.client("Bob");
    let (ada, _) = world.client("Ada");
    // Reached only where the router lets through: Bob's own address is nobody's any more.
    let mapped = world.net.change_address(bob);
    world.ask(bob, ClientCommand::MappedAddress(Some(mapped)));
    world.call(ada, bob_id);
    assert!(world.until(5, |world| world.rings(bob)));
}
