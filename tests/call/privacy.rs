//! Who may ring, and how loudly.

use tincan::call::view::LineKind;
use tincan::call::{Command, EndReason, Event, PeerId};
use tincan::settings::{Setting, WhoMayCall};

use crate::support::virtual_network::Host;
use crate::world::World;

/// Ada, as a window guards her, and Bob.
fn guarded() -> (World, (Host, PeerId), (Host, PeerId)) {
    let mut world = World::new();
    let mut setup = world.setup();
    setup.guarded = true;
    let ada = world.client_with("Ada", setup);
    let bob = world.client("Bob");
    (world, ada, bob)
}

/// Whether each ringing so far was silent.
fn rings(world: &World, host: Host) -> Vec<bool> {
    let events = world.events(host).into_iter().filter_map(|event| match event {
        Event::Ringing { silently, .. } => Some(silently),
        _ => None,
    });
    events.collect()
}

fn missed(world: &World, host: Host) -> Vec<PeerId> {
    let events = world.events(host).into_iter().filter_map(|event| match event {
        Event::Missed { peer, .. } => Some(peer),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_stranger_rings_without_sound_and_a_contact_with() {
    let (mut world, ada, bob) = guarded();
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
    world.person(ada.0, Command::Decline);
    world.run(5);
    world.person(ada.0, Command::AddContact { peer: bob.1, name: "Bob".into(), server: None });
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
    assert_eq!(rings(&world, ada.0), [true, false]);
}

#[test]
fn a_stranger_who_calls_during_a_call_rings_without_sound_too() {
    let (mut world, ada, bob) = guarded();
    let eve = world.client("Eve");
    world.connect(ada.0, bob.0, bob.1);
    world.call(eve.0, ada.1);
    assert!(world.until(10, |world| world.view(ada.0).second.is_some()));
    let told = Event::SecondRinging { peer: eve.1, name: "Eve".into(), silently: true };
    assert!(world.events(ada.0).contains(&told), "{:?}", world.events(ada.0));
}

#[test]
fn whom_one_called_oneself_is_no_stranger() {
    let (mut world, ada, bob) = guarded();
    world.connect(ada.0, bob.0, bob.1);
    world.person(ada.0, Command::HangUp);
    world.run(5);
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
    assert_eq!(rings(&world, ada.0), [false]);
}

#[test]
fn strangers_ring_at_most_once_a_minute() {
    let (mut world, ada, bob) = guarded();
    let (eve, _) = world.client("Eve");
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
    world.person(bob.0, Command::Cancel);
    world.run(5);
    world.call(eve, ada.1);
    assert!(
        world.until(10, |world| world.end(eve) == Some(EndReason::NoAnswer)),
        "{:?}",
        world.view(eve).call
    );
    assert_eq!(rings(&world, ada.0).len(), 1);
    assert_eq!(missed(&world, ada.0), [bob.1], "what never rang was not missed");
    world.run(60);
    world.call(eve, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
}

#[test]
fn with_contacts_only_a_stranger_is_told_that_nobody_answers_and_leaves_no_trace() {
    let (mut world, ada, bob) = guarded();
    world.person(ada.0, Command::Set(Setting::WhoMayCall(WhoMayCall::Contacts)));
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.end(bob.0) == Some(EndReason::NoAnswer)));
    assert!(rings(&world, ada.0).is_empty() && missed(&world, ada.0).is_empty());
    assert!(world.view(ada.0).conversations.is_empty());
    world.person(ada.0, Command::AddContact { peer: bob.1, name: "Bob".into(), server: None });
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
}

#[test]
fn with_contacts_only_whom_one_calls_oneself_is_talked_to_all_the_same() {
    let (mut world, ada, bob) = guarded();
    world.person(ada.0, Command::Set(Setting::WhoMayCall(WhoMayCall::Contacts)));
    world.connect(ada.0, bob.0, bob.1);
}

#[test]
fn who_is_not_to_be_disturbed_is_busy_and_finds_the_call_among_the_missed() {
    let (mut world, ada, bob) = guarded();
    world.person(ada.0, Command::AddContact { peer: bob.1, name: "Robert".into(), server: None });
    world.person(ada.0, Command::Set(Setting::DoNotDisturb(true)));
    world.call(bob.0, ada.1);
    assert!(
        world.until(10, |world| world.end(bob.0) == Some(EndReason::Busy)),
        "{:?}",
        world.view(bob.0).call
    );
    assert!(rings(&world, ada.0).is_empty());
    assert!(world.events(ada.0).contains(&Event::Missed { peer: bob.1, name: "Robert".into() }));
    let view = world.view(ada.0);
    assert!(matches!(
        view.conversations[0].lines[0].what,
        LineKind::Call { incoming: true, lasted: None, reason: EndReason::NoAnswer }
    ));
}

#[test]
fn a_call_that_nobody_took_is_missed_and_a_declined_one_is_not() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Decline);
    world.run(5);
    assert!(missed(&world, ada).is_empty());
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(bob, Command::Cancel);
    world.run(5);
    assert_eq!(missed(&world, ada), [bob_id]);
    assert!(missed(&world, bob).is_empty());
}

#[test]
fn who_is_blocked_during_a_call_is_out_of_it_and_of_the_chat() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (eve, eve_id) = world.client("Eve");
    world.connect(eve, ada, ada_id);
    world.person(ada, Command::SetBlocked { peer: eve_id, blocked: true });
    world.person(eve, Command::SendText { to: ada_id, text: "but".into() });
    assert!(world.until(5, |world| world.end(eve) == Some(EndReason::EndedThere)));
    world.run(10);
    assert!(!world.events(ada).iter().any(|event| matches!(event, Event::TextReceived { .. })));
}
