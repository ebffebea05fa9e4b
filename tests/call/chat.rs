//! Writing, in a call and outside one.

use tincan::call::view::{CallState, Delivery, LineKind};
use tincan::call::{Command, Event, PeerId};

use crate::support::virtual_network::Host;
use crate::world::World;

fn texts(world: &World, host: Host) -> Vec<String> {
    let events = world.events(host).into_iter().filter_map(|event| match event {
        Event::TextReceived { text, .. } => Some(text),
        _ => None,
    });
    events.collect()
}

fn state(world: &World, host: Host, with: PeerId) -> Option<Delivery> {
    let view = world.view(host);
    let conversation = view.conversations.iter().find(|conversation| conversation.peer_id == with)?;
    conversation.lines.iter().rev().find_map(|line| match line.what {
        LineKind::Sent { state, .. } => Some(state),
        _ => None,
    })
}

#[test]
fn lines_written_in_a_call_arrive_once_and_are_told_as_delivered() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.lose(0.05);
    world.connect(bob, ada, ada_id);
    world.person(bob, Command::SendText { to: ada_id, text: "hello".into() });
    world.person(ada, Command::SendText { to: bob_id, text: "你好".into() });
    assert!(world.until(5, |world| {
        state(world, bob, ada_id) == Some(Delivery::Delivered)
            && state(world, ada, bob_id) == Some(Delivery::Delivered)
    }));
    assert_eq!(texts(&world, ada), ["hello"]);
    assert_eq!(texts(&world, bob), ["你好"]);
}

#[test]
fn a_line_outside_a_call_arrives_and_nothing_rings() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.person(bob, Command::SendText { to: ada_id, text: "are you there?".into() });
    assert!(world.until(5, |world| state(world, bob, ada_id) == Some(Delivery::Delivered)));
    assert_eq!(texts(&world, ada), ["are you there?"]);
    assert_eq!(world.view(ada).call, CallState::None);
    assert!(!world.events(ada).iter().any(|event| matches!(event, Event::Ringing { .. })));
}

#[test]
fn a_call_over_the_lines_of_a_chat_rings_as_any_other() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.person(bob, Command::SendText { to: ada_id, text: "may I call?".into() });
    assert!(world.until(5, |world| state(world, bob, ada_id) == Some(Delivery::Delivered)));
    world.connect(bob, ada, ada_id);
}

#[test]
fn a_line_to_somebody_who_is_not_there_waits() {
    let mut world = World::new();
    let (bob, _) = world.client("Bob");
    let nobody = PeerId([0xee; 32]);
    world.person(bob, Command::SendText { to: nobody, text: "hello?".into() });
    assert!(world.until(60, |world| state(world, bob, nobody) == Some(Delivery::Waiting)));
}

#[test]
fn people_see_each_other_come_and_go() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    assert!(world.until(5, |world| world.view(ada).people.iter().any(|person| person.peer_id == bob_id)));
    world.net.cut(bob, true);
    assert!(world.until(60, |world| world.view(ada).people.is_empty()));
}
