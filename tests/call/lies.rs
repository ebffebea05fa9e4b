//! Servers that lie, and far ends that do not know when to stop.

use tincan::call::view::CallState;
use tincan::call::{Command, Event, PeerId};
use tincan::settings::Setting;

use crate::lying_server::Lies;
use crate::support::virtual_network::Host;
use crate::world::World;

const BOB: PeerId = PeerId([0xb0; 32]);
const EVE: PeerId = PeerId([0xee; 32]);

/// Ada, whose server answers this.
fn at_a_liar(lies: Lies) -> (World, Host, (Host, PeerId)) {
    let mut world = World::new();
    let liar = world.add_liar(lies);
    let mut setup = world.setup();
    setup.server = liar;
    let ada = world.client_with("Ada", setup);
    (world, liar, ada)
}

/// Whom a client is calling, or called last.
fn called(world: &World, host: Host) -> Option<PeerId> {
    match world.view(host).call {
        CallState::Outgoing { far, .. } => far.peer_id,
        CallState::Ended { far, .. } => far.peer_id,
        _ => None,
    }
}

#[test]
fn a_server_that_answers_a_peer_id_with_another_leads_nobody_astray() {
    let found = Some((EVE, "Bob".to_owned()));
    let (mut world, _, ada) = at_a_liar(Lies { found, people: vec![], changes: 0 });
    world.person(ada.0, Command::AddContact { peer: BOB, name: "Bob".into(), server: None });
    for whom in [BOB.to_string(), "Bob".to_owned()] {
        world.call(ada.0, whom);
        for _ in 0..30 {
            world.run(1);
            assert_ne!(called(&world, ada.0), Some(EVE), "{:?}", world.view(ada.0).call);
        }
        world.person(ada.0, Command::Dismiss);
    }
}

#[test]
fn names_in_a_servers_list_cannot_turn_the_text_around_them() {
    let people = vec![(EVE, "\u{202e}bo\u{200b}B\u{7}".to_owned()), (BOB, "\u{3164}".to_owned())];
    let (mut world, _, ada) = at_a_liar(Lies { found: None, people, changes: 0 });
    assert!(world.until(5, |world| world.view(ada.0).people.len() == 2));
    let names: Vec<String> = world.view(ada.0).people.iter().map(|person| person.name.clone()).collect();
    assert_eq!(names, ["?", "boB"]);
}

#[test]
fn a_server_that_always_says_that_its_list_changed_is_not_asked_without_end() {
    let (mut world, liar, ada) = at_a_liar(Lies { found: None, people: vec![], changes: 3 });
    world.run(10);
    let asked = world.net.events(liar).len();
    assert!(asked < 60, "asked {asked} times in ten seconds");
    assert!(world.events(ada.0).contains(&Event::Connected));
}

#[test]
fn a_crowd_of_strangers_does_not_keep_a_contact_from_being_called_and_heard() {
    let mut world = World::new();
    let mut setup = world.setup();
    setup.guarded = true;
    let ada = world.client_with("Ada", setup);
    let bob = world.client("Bob");
    world.person(ada.0, Command::AddContact { peer: bob.1, name: "Bob".into(), server: None });
    for number in 0..34 {
        let (eve, _) = world.client(&format!("Eve {number}"));
        world.person(eve, Command::SendText { to: ada.1, text: "buy".into() });
    }
    world.run(10);
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)), "{:?}", world.view(bob.0).call);
    world.person(ada.0, Command::Decline);
    world.run(5);
    world.connect(ada.0, bob.0, bob.1);
}

#[test]
fn a_stranger_cannot_fill_the_history_with_texts() {
    let mut world = World::new();
    let mut setup = world.setup();
    setup.guarded = true;
    let ada = world.client_with("Ada", setup);
    let (eve, eve_id) = world.client("Eve");
    for number in 0..200 {
        world.person(eve, Command::SendText { to: ada.1, text: format!("offer {number}") });
    }
    world.run(20);
    let lines = |world: &World| world.view(ada.0).conversations.first().map_or(0, |with| with.lines.len());
    assert!((60..=63).contains(&lines(&world)), "{}", lines(&world));
    // Whom the person knows is heard in full, with what had to wait.
    world.person(ada.0, Command::AddContact { peer: eve_id, name: "Eve".into(), server: None });
    assert!(world.until(2_000, |world| lines(world) == 200), "{}", lines(&world));
}

#[test]
fn strangers_who_call_again_and_again_are_not_each_a_missed_call() {
    let mut world = World::new();
    let mut setup = world.setup();
    setup.guarded = true;
    let ada = world.client_with("Ada", setup);
    world.person(ada.0, Command::Set(Setting::DoNotDisturb(true)));
    let (eve, _) = world.client("Eve");
    for _ in 0..5 {
        world.call(eve, ada.1);
        world.run(3);
        world.person(eve, Command::HangUp);
        world.person(eve, Command::Dismiss);
    }
    let missed = world.events(ada.0).into_iter().filter(|event| matches!(event, Event::Missed { .. }));
    assert_eq!(missed.count(), 1);
}
