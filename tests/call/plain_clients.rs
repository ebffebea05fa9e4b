//! Calls with clients that know only the ten steps.

use tincan::call::{Command, EndReason, Event};

use crate::plain_client::{PlainCommand, PlainEvent};
use crate::world::World;

#[test]
fn a_plain_client_calls_waits_chats_and_never_hears_anything_of_ours() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (flash, flash_id) = world.plain("Flash");
    world.plainly(flash, PlainCommand::Call(ada_id));
    assert!(world.until(10, |world| world.rings(ada)));
    world.run(3);
    assert!(!world.heard_plainly(flash).contains(&PlainEvent::ConnectedWith("Ada".into())), "step 9 waits");
    world.person(ada, Command::Accept { with_video: false });
    assert!(world.until(5, |world| {
        world.is_up(ada) && world.heard_plainly(flash).contains(&PlainEvent::ConnectedWith("Ada".into()))
    }));
    world.plainly(flash, PlainCommand::Say("hello".into()));
    world.person(ada, Command::SendText { to: flash_id, text: "good day".into() });
    world.run(2);
    let line = Event::TextReceived { peer: flash_id, name: "Flash".into(), text: "hello".into() };
    assert!(world.events(ada).contains(&line));
    let heard = world.heard_plainly(flash);
    assert!(heard.contains(&PlainEvent::Line("Ada".into(), "good day".into())));
    assert!(!heard.iter().any(|event| matches!(event, PlainEvent::Unknown(..))), "{heard:?}");
    world.plainly(flash, PlainCommand::Close);
    assert!(world.until(5, |world| world.end(ada) == Some(EndReason::EndedThere)));
}

#[test]
fn a_plain_client_is_called_and_hung_up_on() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (flash, flash_id) = world.plain("Flash");
    world.call(ada, flash_id);
    assert!(world.until(10, |world| world.is_up(ada)), "{:?}", world.view(ada).call);
    world.person(ada, Command::SendText { to: flash_id, text: "hello".into() });
    world.run(2);
    let heard = world.heard_plainly(flash);
    assert!(heard.contains(&PlainEvent::ConnectedWith("Ada".into())));
    assert!(heard.contains(&PlainEvent::Line("Ada".into(), "hello".into())));
    let unknown = heard.iter().filter(|event| matches!(event, PlainEvent::Unknown(..))).count();
    assert_eq!(unknown, 1, "capabilities alone: {heard:?}");
    world.person(ada, Command::HangUp);
    assert!(world.until(5, |world| world.heard_plainly(flash).contains(&PlainEvent::Over)));
    assert_eq!(world.end(ada), Some(EndReason::Ended));
}
