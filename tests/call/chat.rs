//! Writing, in a call and outside one.

use tincan::call::view::{CallState, Conversation, Delivery, LineKind};
use tincan::call::{Command, Event, PeerId};
use tincan::settings::Setting;

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

fn conversation(world: &World, host: Host, with: PeerId) -> Option<Conversation> {
    let view = world.view(host);
    view.conversations.iter().find(|conversation| conversation.peer_id == with).cloned()
}

fn is_typing(world: &World, host: Host, with: PeerId) -> bool {
    conversation(world, host, with).is_some_and(|conversation| conversation.typing)
}

/// Two who wrote to each other, with lines that are up.
fn two(world: &mut World) -> ((Host, PeerId), (Host, PeerId)) {
    let ada = world.client("Ada");
    let bob = world.client("Bob");
    world.person(bob.0, Command::SendText { to: ada.1, text: "hello".into() });
    assert!(world.until(5, |world| state(world, bob.0, ada.1) == Some(Delivery::Delivered)));
    (ada, bob)
}

#[test]
fn lines_to_somebody_who_is_away_arrive_in_their_order_when_they_are_back() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.net.cut(ada, true);
    world.run(60);
    for n in 1..=5 {
        world.person(bob, Command::SendText { to: ada_id, text: format!("line {n}") });
    }
    world.run(120);
    assert_eq!(state(&world, bob, ada_id), Some(Delivery::Waiting));
    world.net.cut(ada, false);
    assert!(world.until(60, |world| state(world, bob, ada_id) == Some(Delivery::Delivered)));
    assert_eq!(texts(&world, ada), ["line 1", "line 2", "line 3", "line 4", "line 5"]);
}

#[test]
fn a_line_that_waits_is_sent_after_its_writer_was_started_anew() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _, disk) = world.kept_client("Bob");
    world.net.cut(ada, true);
    world.run(30);
    world.person(bob, Command::SendText { to: ada_id, text: "later".into() });
    world.run(5);
    world.restart(bob, "Bob", &disk);
    world.run(5);
    assert_eq!(state(&world, bob, ada_id), Some(Delivery::Waiting));
    world.net.cut(ada, false);
    assert!(world.until(90, |world| state(world, bob, ada_id) == Some(Delivery::Delivered)));
    assert_eq!(texts(&world, ada), ["later"]);
}

#[test]
fn a_line_is_delivered_only_once_it_is_safe_there() {
    let mut world = World::new();
    let (ada, ada_id, disk) = world.kept_client("Ada");
    let (bob, _) = world.client("Bob");
    disk.hold_back();
    world.person(bob, Command::SendText { to: ada_id, text: "hello".into() });
    assert!(world.until(5, |world| texts(world, ada) == ["hello"]));
    world.run(5);
    assert_eq!(state(&world, bob, ada_id), Some(Delivery::Sending));
    world.all_safe(ada, &disk);
    assert!(world.until(2, |world| state(world, bob, ada_id) == Some(Delivery::Delivered)));
}

#[test]
fn a_line_that_was_kept_but_not_acknowledged_comes_again_and_shows_once() {
    let mut world = World::new();
    let (ada, ada_id, disk) = world.kept_client("Ada");
    let (bob, bob_id) = world.client("Bob");
    disk.hold_back();
    world.person(bob, Command::SendText { to: ada_id, text: "hello".into() });
    assert!(world.until(5, |world| texts(world, ada) == ["hello"]));
    world.person(ada, Command::MarkRead(bob_id));
    disk.let_go();
    world.restart(ada, "Ada", &disk);
    // It was on screen there before the restart: "read" may follow at once.
    assert!(world.until(90, |world| state(world, bob, ada_id) >= Some(Delivery::Delivered)));
    assert_eq!(texts(&world, ada), ["hello"], "told before the restart, and not again");
    let seen = conversation(&world, ada, bob_id).expect("the conversation");
    assert_eq!((seen.lines.len(), seen.unread), (1, 0));
}

#[test]
fn who_reads_a_line_lets_its_writer_know() {
    let mut world = World::new();
    let ((ada, ada_id), (bob, bob_id)) = two(&mut world);
    world.run(2);
    assert_eq!(state(&world, bob, ada_id), Some(Delivery::Delivered));
    world.person(ada, Command::MarkRead(bob_id));
    assert!(world.until(2, |world| state(world, bob, ada_id) == Some(Delivery::Read)));
}

#[test]
fn who_wants_it_so_reads_without_letting_anybody_know() {
    let mut world = World::new();
    let ((ada, ada_id), (bob, bob_id)) = two(&mut world);
    world.person(ada, Command::Set(Setting::ReadReceipts(false)));
    world.person(ada, Command::MarkRead(bob_id));
    world.run(5);
    assert_eq!(state(&world, bob, ada_id), Some(Delivery::Delivered));
}

#[test]
fn what_was_read_while_the_writer_was_away_is_told_on_the_next_lines() {
    let mut world = World::new();
    let ((ada, ada_id), (bob, bob_id)) = two(&mut world);
    world.net.cut(bob, true);
    world.run(40);
    world.person(ada, Command::MarkRead(bob_id));
    world.net.cut(bob, false);
    world.run(40);
    assert_eq!(state(&world, bob, ada_id), Some(Delivery::Delivered), "nobody is dialled to tell it");
    world.person(ada, Command::SendText { to: bob_id, text: "got it".into() });
    assert!(world.until(30, |world| state(world, bob, ada_id) == Some(Delivery::Read)));
}

#[test]
fn typing_is_seen_for_a_while_and_goes_with_the_line() {
    let mut world = World::new();
    let ((ada, ada_id), (bob, bob_id)) = two(&mut world);
    world.person(bob, Command::Typing(ada_id));
    assert!(world.until(2, |world| is_typing(world, ada, bob_id)));
    world.run(5);
    assert!(is_typing(&world, ada, bob_id));
    assert!(world.until(3, |world| !is_typing(world, ada, bob_id)));
    world.person(bob, Command::Typing(ada_id));
    assert!(world.until(2, |world| is_typing(world, ada, bob_id)));
    world.person(bob, Command::SendText { to: ada_id, text: "done".into() });
    assert!(world.until(2, |world| !is_typing(world, ada, bob_id)));
}

#[test]
fn typing_is_said_at_most_every_three_seconds_and_dials_nobody() {
    let mut world = World::new();
    let ((_, ada_id), (bob, _)) = two(&mut world);
    let (carl, _) = world.client("Carl");
    world.run(20);
    let before = world.net.bytes_sent(bob);
    world.person(bob, Command::Typing(ada_id));
    world.net.run_for(std::time::Duration::from_millis(500));
    let first = world.net.bytes_sent(bob) - before;
    for _ in 0..20 {
        world.person(bob, Command::Typing(ada_id));
    }
    world.net.run_for(std::time::Duration::from_millis(500));
    let further = world.net.bytes_sent(bob) - before - first;
    assert!(first > 0 && further < first, "{first} bytes, then {further}");
    let before = world.net.bytes_sent(carl);
    world.person(carl, Command::Typing(ada_id));
    world.net.run_for(std::time::Duration::from_millis(100));
    assert_eq!(world.net.bytes_sent(carl), before);
}

#[test]
fn who_wants_it_so_types_unseen() {
    let mut world = World::new();
    let ((ada, ada_id), (bob, bob_id)) = two(&mut world);
    world.person(bob, Command::Set(Setting::Typing(false)));
    world.person(bob, Command::Typing(ada_id));
    world.run(3);
    assert!(!is_typing(&world, ada, bob_id));
}

#[test]
fn a_missed_call_is_unread_until_the_conversation_is_seen() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(bob, Command::Cancel);
    let unread = |world: &World| conversation(world, ada, bob_id).map(|conversation| conversation.unread);
    assert!(world.until(5, |world| unread(world) == Some(1)));
    world.person(ada, Command::MarkRead(bob_id));
    assert!(world.until(1, |world| unread(world) == Some(0)));
}

#[test]
fn of_many_who_are_away_only_a_few_are_dialled_at_once_and_one_who_is_there_gets_through() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    for n in 1..=40 {
        world.person(bob, Command::SendText { to: PeerId([n; 32]), text: "anybody?".into() });
    }
    world.run(120);
    world.person(bob, Command::SendText { to: ada_id, text: "hello".into() });
    assert!(world.until(60, |world| texts(world, ada) == ["hello"]));
    let waiting = |world: &World| {
        let view = world.view(bob);
        let states = view.conversations.iter().flat_map(|conversation| conversation.lines.iter().cloned());
        let waiting =
            states.filter(|line| matches!(line.what, LineKind::Sent { state: Delivery::Waiting, .. }));
        waiting.count()
    };
    assert!(world.until(60, |world| waiting(world) == 40), "{} wait", waiting(&world));
}
