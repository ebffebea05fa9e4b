//! Who is seen to be there, by whom, and doing what.

use tincan::call::view::Presence;
use tincan::call::{Command, PeerId};
use tincan::settings::{Setting, Visibility};

use crate::support::virtual_network::Host;
use crate::world::World;

/// How a contact is seen.
fn seen(world: &World, by: Host, peer: PeerId) -> Presence {
    let view = world.view(by);
    let contact = view.contacts.iter().find(|contact| contact.peer_id == peer);
    contact.expect("a contact").presence
}

/// Ada and Bob, whom Ada keeps.
fn ada_keeps_bob() -> (World, (Host, PeerId), (Host, PeerId)) {
    let mut world = World::new();
    let ada = world.client("Ada");
    let bob = world.client("Bob");
    world.person(ada.0, Command::AddContact { peer: bob.1, name: "Bob".into(), server: None });
    (world, ada, bob)
}

fn becomes(world: &mut World, by: Host, peer: PeerId, presence: Presence) {
    assert!(
        world.until(20, |world| seen(world, by, peer) == presence),
        "{presence:?} is not seen, but {:?}",
        seen(world, by, peer)
    );
}

#[test]
fn a_contact_is_seen_to_come_to_talk_and_to_leave() {
    let (mut world, ada, bob) = ada_keeps_bob();
    becomes(&mut world, ada.0, bob.1, Presence::Online);
    let (cleo, cleo_id) = world.client("Cleo");
    world.connect(bob.0, cleo, cleo_id);
    becomes(&mut world, ada.0, bob.1, Presence::InCall);
    world.person(bob.0, Command::HangUp);
    becomes(&mut world, ada.0, bob.1, Presence::Online);
    world.net.cut(bob.0, true);
    assert!(world.until(60, |world| seen(world, ada.0, bob.1) == Presence::Offline));
}

#[test]
fn who_does_not_want_to_be_disturbed_is_seen_so_by_contacts_and_in_the_list() {
    let (mut world, ada, bob) = ada_keeps_bob();
    let (cleo, _) = world.client("Cleo");
    world.person(bob.0, Command::Set(Setting::DoNotDisturb(true)));
    becomes(&mut world, ada.0, bob.1, Presence::DoNotDisturb);
    let listed = |world: &World| {
        let view = world.view(cleo);
        view.people.iter().find(|person| person.peer_id == bob.1).map(|person| person.presence)
    };
    assert!(world.until(5, |world| listed(world) == Some(Presence::DoNotDisturb)));
}

#[test]
fn strangers_in_the_list_are_not_told_who_talks() {
    let (mut world, ada, bob) = ada_keeps_bob();
    let (cleo, cleo_id) = world.client("Cleo");
    world.connect(bob.0, cleo, cleo_id);
    becomes(&mut world, ada.0, bob.1, Presence::InCall);
    let (dan, _) = world.client("Dan");
    let listed = |world: &World, by: Host| {
        let view = world.view(by);
        view.people.iter().find(|person| person.peer_id == bob.1).map(|person| person.presence)
    };
    assert!(world.until(5, |world| listed(world, dan).is_some()));
    assert_eq!(listed(&world, dan), Some(Presence::Online));
    assert_eq!(listed(&world, ada.0), Some(Presence::InCall), "who keeps them sees more in the list too");
}

#[test]
fn who_hides_is_offline_for_everybody_and_still_called_by_who_has_the_peer_id() {
    let (mut world, ada, bob) = ada_keeps_bob();
    becomes(&mut world, ada.0, bob.1, Presence::Online);
    world.person(bob.0, Command::Set(Setting::Visibility(Visibility::Nobody)));
    becomes(&mut world, ada.0, bob.1, Presence::Offline);
    world.run(2);
    assert!(world.view(ada.0).people.is_empty());
    world.call(ada.0, bob.1);
    assert!(world.until(10, |world| world.rings(bob.0)), "{:?}", world.view(ada.0).call);
}

#[test]
fn whoever_is_nowhere_is_not_found_after_a_knock() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    world.call(ada, PeerId([9; 32]));
    let ended = |world: &World| world.end(ada) == Some(tincan::call::EndReason::NotFound);
    assert!(world.until(6, ended), "{:?}", world.view(ada).call);
}

#[test]
fn one_is_seen_again_after_the_server_was_lost() {
    let (mut world, ada, bob) = ada_keeps_bob();
    becomes(&mut world, ada.0, bob.1, Presence::Online);
    world.net.cut(ada.0, true);
    assert!(world.until(60, |world| seen(world, ada.0, bob.1) == Presence::Offline));
    world.net.cut(ada.0, false);
    assert!(world.until(60, |world| seen(world, ada.0, bob.1) == Presence::Online));
}
