//! Recording a call, and that the far end knows of it, in virtual time. The files are the studio's own tests.

use std::time::Duration;

use tincan::call::client_machine::{ClientEvent, RecordingStep};
use tincan::call::view::{CallState, UpCall};
use tincan::call::{Command, Event, PeerId};

use crate::plain_client::{PlainCommand, PlainEvent};
use crate::support::virtual_network::Host;
use crate::world::World;

const NOTICE: &str = "I am recording this call from now on.";

fn up(world: &World, host: Host) -> Option<UpCall> {
    match world.view(host).call {
        CallState::Up(call) => Some(call),
        _ => None,
    }
}

fn record(world: &mut World, host: Host) {
    world.person(host, Command::StartRecording { to: None, notice: NOTICE.into() });
}

/// What the doer was told to do about recordings, in order.
fn steps(world: &World, host: Host) -> Vec<RecordingStep> {
    let told = world.told(host).into_iter().filter_map(|event| match event {
        ClientEvent::Recording(step) => Some(step.clone()),
        _ => None,
    });
    told.collect()
}

fn begin(name: &str) -> RecordingStep {
    RecordingStep::Begin { name: name.into(), to: None }
}

fn is_marked(world: &World, host: Host) -> bool {
    up(world, host).is_some_and(|call| call.far_records)
}

/// Bob is in a call with Ada.
fn in_a_call() -> (World, (Host, PeerId), (Host, PeerId)) {
    let mut world = World::new();
    let (ada, bob) = (world.client("Ada"), world.client("Bob"));
    world.connect(bob.0, ada.0, ada.1);
    (world, ada, bob)
}

#[test]
fn the_far_end_is_told_and_shows_it_until_the_recording_ends() {
    let (mut world, ada, bob) = in_a_call();
    record(&mut world, bob.0);
    assert!(world.until(1, |world| is_marked(world, ada.0)));
    let began = Event::FarRecords { peer: bob.1, name: "Bob".into(), on: true };
    assert!(world.events(ada.0).contains(&began));
    assert_eq!(steps(&world, bob.0), [begin("Ada"), RecordingStep::Runs(true)]);
    world.run(4);
    let recorded = up(&world, bob.0).and_then(|call| call.recording);
    assert!(recorded >= Some(Duration::from_secs(3)), "{recorded:?}");
    assert!(up(&world, ada.0).is_some_and(|call| call.recording.is_none()));

    world.person(bob.0, Command::StopRecording);
    assert!(world.until(1, |world| !is_marked(world, ada.0)));
    let ended = Event::FarRecords { peer: bob.1, name: "Bob".into(), on: false };
    assert!(world.events(ada.0).contains(&ended));
    assert_eq!(steps(&world, bob.0).last(), Some(&RecordingStep::End));
    assert!(up(&world, bob.0).is_some_and(|call| call.recording.is_none()));
    let lines = &world.view(ada.0).conversations;
    assert!(!format!("{lines:?}").contains(NOTICE), "who understands the message needs no chat line");
}

#[test]
fn both_may_record_and_hanging_up_ends_both() {
    let (mut world, ada, bob) = in_a_call();
    record(&mut world, bob.0);
    record(&mut world, ada.0);
    assert!(world.until(1, |world| is_marked(world, ada.0) && is_marked(world, bob.0)));
    world.person(ada.0, Command::HangUp);
    assert!(world.until(5, |world| !world.is_up(ada.0) && !world.is_up(bob.0)));
    assert_eq!(steps(&world, ada.0).last(), Some(&RecordingStep::End));
    assert_eq!(steps(&world, bob.0).last(), Some(&RecordingStep::End));
    world.person(ada.0, Command::Dismiss);
    world.person(bob.0, Command::Dismiss);
    world.connect(ada.0, bob.0, bob.1);
    assert!(!is_marked(&world, ada.0) && !is_marked(&world, bob.0), "the next call is another");
}

#[test]
fn without_a_call_nothing_is_recorded() {
    let mut world = World::new();
    let (ada, bob) = (world.client("Ada"), world.client("Bob"));
    record(&mut world, bob.0);
    world.connect(bob.0, ada.0, ada.1);
    world.run(1);
    assert!(steps(&world, bob.0).is_empty() && !is_marked(&world, ada.0));
}

#[test]
fn a_plain_client_is_told_in_words_before_anything_is_recorded() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (flash, _) = world.plain("Flash");
    world.plainly(flash, PlainCommand::Call(ada_id));
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Accept { with_video: false });
    assert!(world.until(5, |world| world.is_up(ada)));
    record(&mut world, ada);
    let line = PlainEvent::Line("Ada".into(), NOTICE.into());
    assert!(world.until(3, |world| world.heard_plainly(flash).contains(&line)));
    assert_eq!(steps(&world, ada), [begin("Flash"), RecordingStep::Runs(true)]);
    let heard = world.heard_plainly(flash);
    assert!(!heard.iter().any(|event| matches!(event, PlainEvent::Unknown(..))), "{heard:?}");
}

#[test]
fn who_cannot_be_told_is_not_recorded() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (flash, _) = world.plain("Flash");
    world.plainly(flash, PlainCommand::Call(ada_id));
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Accept { with_video: false });
    assert!(world.until(5, |world| world.is_up(ada)));
    world.person(ada, Command::StartRecording { to: None, notice: " ".into() });
    world.run(2);
    assert!(steps(&world, ada).is_empty());
}

#[test]
fn a_call_that_waits_is_not_recorded_nor_is_another_beside_it() {
    let (mut world, ada, bob) = in_a_call();
    record(&mut world, bob.0);
    world.run(2);
    world.person(bob.0, Command::Hold(true));
    assert!(world.until(2, |world| steps(world, bob.0).last() == Some(&RecordingStep::Runs(false))));
    let eve = world.client("Eve");
    world.connect(bob.0, eve.0, eve.1);
    world.run(2);
    assert_eq!(steps(&world, bob.0), [begin("Ada"), RecordingStep::Runs(true), RecordingStep::Runs(false)]);
    assert!(up(&world, bob.0).is_some_and(|call| call.recording.is_none()), "Eve's call is not recorded");
    assert!(!is_marked(&world, eve.0));

    world.person(bob.0, Command::Hold(true));
    assert!(world.until(3, |world| steps(world, bob.0).last() == Some(&RecordingStep::Runs(true))));
    let recorded = up(&world, bob.0).and_then(|call| call.recording);
    assert!(recorded < Some(Duration::from_secs(4)), "the wait does not count: {recorded:?}");
    assert!(is_marked(&world, ada.0));
}

#[test]
fn nothing_of_another_call_is_heard_before_the_recording_stands_still() {
    let (mut world, _, bob) = in_a_call();
    let eve = world.client("Eve");
    record(&mut world, bob.0);
    world.run(1);
    world.call(eve.0, bob.1);
    assert!(world.until(10, |world| world.view(bob.0).second.is_some()));
    world.person(bob.0, Command::AcceptSecond { with_video: true, hold: true });
    world.run(2);
    let told = world.told(bob.0);
    let still = told.iter().position(|e| matches!(e, ClientEvent::Recording(RecordingStep::Runs(false))));
    let with_eve =
        told.iter().position(|e| matches!(e, ClientEvent::MediaStarted { peer, .. } if *peer == eve.1));
    assert!(still.is_some() && with_eve.is_some() && still < with_eve, "{still:?} {with_eve:?}");
}

#[test]
fn a_recording_goes_on_after_the_network_came_back_with_the_far_end_told_anew() {
    let (mut world, ada, bob) = in_a_call();
    record(&mut world, bob.0);
    assert!(world.until(1, |world| is_marked(world, ada.0)));
    world.net.cut(bob.0, true);
    world.run(20);
    assert_eq!(steps(&world, bob.0).last(), Some(&RecordingStep::Runs(false)), "the lines are gone");
    world.net.cut(bob.0, false);
    let well = |world: &World| {
        [ada.0, bob.0].iter().all(|host| up(world, *host).is_some_and(|call| call.silent_for.is_none()))
    };
    assert!(world.until(15, well));
    assert!(world.until(3, |world| is_marked(world, ada.0)));
    assert!(world.until(3, |world| steps(world, bob.0).last() == Some(&RecordingStep::Runs(true))));
    assert_eq!(steps(&world, bob.0).iter().filter(|step| **step == begin("Ada")).count(), 1, "one file");
}

#[test]
fn a_recording_that_ended_while_the_network_was_away_is_known_to_have_ended() {
    let (mut world, ada, bob) = in_a_call();
    record(&mut world, bob.0);
    assert!(world.until(1, |world| is_marked(world, ada.0)));
    world.net.cut(bob.0, true);
    world.run(20);
    world.person(bob.0, Command::StopRecording);
    world.net.cut(bob.0, false);
    assert!(world.until(20, |world| world.is_up(ada.0) && !is_marked(world, ada.0)));
    assert_eq!(steps(&world, bob.0).last(), Some(&RecordingStep::End));
}
