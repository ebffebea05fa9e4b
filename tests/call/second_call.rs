//! A call during a call, and calls that wait, in virtual time.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::{CallState, LineKind, UpCall};
use tincan::call::{Command, EndReason, Event, PeerId};
use tincan::media::encoded::EncodedFrame;

use crate::plain_client::{PlainCommand, PlainEvent};
use crate::support::virtual_network::Host;
use crate::world::World;

fn up(world: &World, host: Host) -> Option<UpCall> {
    match world.view(host).call {
        CallState::Up(call) => Some(call),
        _ => None,
    }
}

fn up_with(world: &World, host: Host, peer: PeerId) -> bool {
    up(world, host).is_some_and(|call| call.far.peer_id == Some(peer))
}

fn on_hold(world: &World, host: Host) -> Option<PeerId> {
    world.view(host).on_hold.and_then(|far| far.peer_id)
}

fn sounds(world: &World, host: Host) -> usize {
    let told = world.told(host).into_iter();
    told.filter(|event| matches!(event, ClientEvent::Frame(EncodedFrame::Audio { .. }))).count()
}

/// Half a second of sound from one end; how much of it arrives at the other.
fn heard(world: &mut World, from: Host, at: Host) -> usize {
    let before = sounds(world, at);
    for number in 0..25 {
        let packet = Bytes::from(vec![7; 80]);
        world.ask(from, ClientCommand::Frame(EncodedFrame::Audio { timestamp: number * 20, packet }));
        world.net.run_for(Duration::from_millis(20));
    }
    world.net.run_for(Duration::from_millis(300));
    sounds(world, at) - before
}

struct Three {
    world: World,
    ada: (Host, PeerId),
    bob: (Host, PeerId),
    eve: (Host, PeerId),
}

/// Bob is in a call with Ada, and Eve calls Ada.
fn eve_calls() -> Three {
    let mut world = World::new();
    let (ada, bob, eve) = (world.client("Ada"), world.client("Bob"), world.client("Eve"));
    world.connect(bob.0, ada.0, ada.1);
    world.call(eve.0, ada.1);
    assert!(world.until(10, |world| world.view(ada.0).second.is_some()));
    assert!(world.until(5, |world| world.events(eve.0).contains(&Event::RingingThere)));
    Three { world, ada, bob, eve }
}

/// The same, with Bob waiting.
fn bob_waits() -> Three {
    let mut three = eve_calls();
    let (ada, eve) = (three.ada, three.eve);
    three.world.person(ada.0, Command::AcceptSecond { with_video: true, hold: true });
    assert!(three.world.until(5, |world| up_with(world, ada.0, eve.1) && world.is_up(eve.0)));
    three
}

#[test]
fn a_second_call_is_told_as_one_and_the_first_goes_on() {
    let Three { mut world, ada, bob, eve } = eve_calls();
    let told = Event::SecondRinging { peer: eve.1, name: "Eve".into(), silently: false };
    assert!(world.events(ada.0).contains(&told));
    assert!(up_with(&world, ada.0, bob.1));
    assert!(heard(&mut world, bob.0, ada.0) > 20);
}

#[test]
fn taking_the_second_call_ends_the_first_there_too() {
    let Three { mut world, ada, bob, eve } = eve_calls();
    world.person(ada.0, Command::AcceptSecond { with_video: false, hold: false });
    assert!(world.until(5, |world| up_with(world, ada.0, eve.1) && world.is_up(eve.0)));
    assert!(world.until(5, |world| world.end(bob.0) == Some(EndReason::EndedThere)));
    assert!(heard(&mut world, eve.0, ada.0) > 20);
    assert!(up(&world, ada.0).is_some_and(|call| !call.camera_on));
}

#[test]
fn who_waits_hears_nothing_is_not_heard_and_knows_it() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    assert!(world.until(5, |world| up(world, bob.0).is_some_and(|call| call.far_holds)));
    assert_eq!(on_hold(&world, ada.0), Some(bob.1));
    assert_eq!(heard(&mut world, bob.0, ada.0), 0);
    assert_eq!(heard(&mut world, ada.0, bob.0), 0);
    assert!(heard(&mut world, eve.0, ada.0) > 20);
}

#[test]
fn the_two_change_places_and_each_call_keeps_its_mute() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    world.person(ada.0, Command::SetMuted(true));
    world.person(ada.0, Command::Hold(true));
    assert!(world.until(5, |world| up_with(world, ada.0, bob.1)));
    assert!(world.until(5, |world| up(world, bob.0).is_some_and(|call| !call.far_holds && !call.far_muted)));
    assert_eq!(on_hold(&world, ada.0), Some(eve.1));
    assert!(up(&world, ada.0).is_some_and(|call| !call.muted));
    assert!(heard(&mut world, bob.0, ada.0) > 20);
    assert_eq!(heard(&mut world, eve.0, ada.0), 0);
    world.person(ada.0, Command::Hold(true));
    assert!(world.until(5, |world| up_with(world, ada.0, eve.1)));
    assert!(up(&world, ada.0).is_some_and(|call| call.muted));
    assert!(world.until(5, |world| up(world, eve.0).is_some_and(|call| call.far_muted)));
}

#[test]
fn when_the_current_call_ends_the_one_that_waits_comes_back_and_waits_on() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    world.person(eve.0, Command::HangUp);
    assert!(world.until(5, |world| up_with(world, ada.0, bob.1)));
    assert_eq!(on_hold(&world, ada.0), Some(bob.1));
    assert_eq!(heard(&mut world, ada.0, bob.0), 0);
    world.person(ada.0, Command::Hold(false));
    assert!(world.until(5, |world| up(world, bob.0).is_some_and(|call| !call.far_holds)));
    assert_eq!(on_hold(&world, ada.0), None);
    assert!(heard(&mut world, ada.0, bob.0) > 20);
}

#[test]
fn who_waits_and_hangs_up_is_gone_from_the_window_and_stands_in_the_conversation() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    world.person(bob.0, Command::HangUp);
    assert!(world.until(5, |world| on_hold(world, ada.0).is_none()));
    assert!(up_with(&world, ada.0, eve.1));
    let view = world.view(ada.0);
    let with_bob = view.conversations.iter().find(|one| one.peer_id == bob.1).expect("a conversation");
    let last = with_bob.lines.last().map(|line| line.what.clone());
    assert!(
        matches!(last, Some(LineKind::Call { reason: EndReason::EndedThere, lasted: Some(_), .. })),
        "{last:?}"
    );
}

#[test]
fn who_waits_long_is_still_there_and_not_said_to_be_silent() {
    let Three { mut world, ada, bob, .. } = bob_waits();
    world.run(90);
    assert_eq!(on_hold(&world, ada.0), Some(bob.1));
    assert!(up(&world, bob.0).is_some_and(|call| call.far_holds && call.silent_for.is_none()));
}

#[test]
fn who_waits_and_vanishes_is_gone_after_a_while() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    world.net.cut(bob.0, true);
    assert!(world.until(60, |world| on_hold(world, ada.0).is_none()));
    assert!(up_with(&world, ada.0, eve.1));
}

#[test]
fn a_third_call_is_busy() {
    for three in [eve_calls(), bob_waits()] {
        let Three { mut world, ada, .. } = three;
        let zoe = world.client("Zoe");
        world.call(zoe.0, ada.1);
        assert!(world.until(10, |world| world.end(zoe.0) == Some(EndReason::Busy)));
    }
}

#[test]
fn a_second_call_that_is_not_taken_is_missed() {
    let Three { mut world, ada, eve, .. } = eve_calls();
    assert!(world.until(60, |world| world.view(ada.0).second.is_none()));
    assert_eq!(world.end(eve.0), Some(EndReason::NoAnswer));
    assert!(world.events(ada.0).contains(&Event::Missed { peer: eve.1, name: "Eve".into() }));
    assert!(world.is_up(ada.0));
}

#[test]
fn a_second_call_declined_with_a_message_brings_the_message() {
    let Three { mut world, ada, eve, .. } = eve_calls();
    world.person(ada.0, Command::DeclineSecond(Some("I will call you back.".into())));
    assert!(world.until(5, |world| world.end(eve.0) == Some(EndReason::Declined)));
    let told = Event::TextReceived { peer: ada.1, name: "Ada".into(), text: "I will call you back.".into() };
    assert!(world.until(5, |world| world.events(eve.0).contains(&told)), "{:?}", world.events(eve.0));
    assert!(world.is_up(ada.0));
}

#[test]
fn a_call_declined_with_a_message_brings_the_message() {
    let mut world = World::new();
    let (ada, bob) = (world.client("Ada"), world.client("Bob"));
    world.call(bob.0, ada.1);
    assert!(world.until(10, |world| world.rings(ada.0)));
    world.person(ada.0, Command::DeclineWith("Not now.".into()));
    assert!(world.until(5, |world| world.end(bob.0) == Some(EndReason::Declined)));
    let came = |world: &World| {
        world
            .events(bob.0)
            .iter()
            .any(|event| matches!(event, Event::TextReceived { text, .. } if text == "Not now."))
    };
    assert!(world.until(5, came), "{:?}", world.events(bob.0));
}

#[test]
fn a_single_call_waits_and_goes_on() {
    let mut world = World::new();
    let (ada, bob) = (world.client("Ada"), world.client("Bob"));
    world.connect(bob.0, ada.0, ada.1);
    world.person(bob.0, Command::SetMuted(true));
    world.person(bob.0, Command::Hold(true));
    assert!(world.until(5, |world| up(world, ada.0).is_some_and(|call| call.far_holds)));
    assert_eq!(on_hold(&world, bob.0), Some(ada.1));
    assert!(matches!(
        world
            .told(ada.0)
            .iter()
            .rfind(|e| matches!(e, ClientEvent::MediaStopped | ClientEvent::MediaStarted { .. })),
        Some(ClientEvent::MediaStopped)
    ));
    assert_eq!(heard(&mut world, ada.0, bob.0), 0);
    world.person(bob.0, Command::Hold(false));
    assert!(world.until(5, |world| up(world, ada.0).is_some_and(|call| !call.far_holds && call.far_muted)));
    let started = world.told(bob.0).into_iter().rfind(|e| matches!(e, ClientEvent::MediaStarted { .. }));
    assert!(matches!(started, Some(ClientEvent::MediaStarted { muted: true, .. })), "still muted");
    assert!(heard(&mut world, ada.0, bob.0) > 20);
}

#[test]
fn a_call_that_waits_survives_a_network_that_comes_back() {
    let mut world = World::new();
    let (ada, bob) = (world.client("Ada"), world.client("Bob"));
    world.connect(bob.0, ada.0, ada.1);
    world.person(bob.0, Command::Hold(true));
    assert!(world.until(5, |world| up(world, ada.0).is_some_and(|call| call.far_holds)));
    world.net.cut(bob.0, true);
    world.run(20);
    world.net.cut(bob.0, false);
    let well = |world: &World| {
        [ada.0, bob.0].iter().all(|host| up(world, *host).is_some_and(|call| call.silent_for.is_none()))
    };
    assert!(world.until(15, well));
    assert!(up(&world, ada.0).is_some_and(|call| call.far_holds));
    world.person(bob.0, Command::Hold(false));
    assert!(world.until(5, |world| up(world, ada.0).is_some_and(|call| !call.far_holds)));
    assert!(heard(&mut world, ada.0, bob.0) > 20);
}

#[test]
fn one_calls_somebody_else_while_the_first_waits() {
    let mut world = World::new();
    let (ada, bob, eve) = (world.client("Ada"), world.client("Bob"), world.client("Eve"));
    world.connect(bob.0, ada.0, ada.1);
    world.person(bob.0, Command::Hold(true));
    world.run(1);
    world.connect(bob.0, eve.0, eve.1);
    assert_eq!(on_hold(&world, bob.0), Some(ada.1));
    world.person(bob.0, Command::HangUp);
    assert!(world.until(5, |world| up_with(world, bob.0, ada.1)));
    assert!(world.is_up(ada.0));
}

#[test]
fn a_plain_client_waits_without_being_told() {
    let mut world = World::new();
    let (ada, pat) = (world.client("Ada"), world.plain("Pat"));
    world.plainly(pat.0, PlainCommand::Call(ada.1));
    assert!(world.until(10, |world| world.rings(ada.0)));
    world.person(ada.0, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada.0)));
    world.person(ada.0, Command::Hold(true));
    world.run(40);
    assert_eq!(on_hold(&world, ada.0), Some(pat.1));
    let strange = |event: &PlainEvent| matches!(event, PlainEvent::Unknown(..));
    assert!(!world.heard_plainly(pat.0).iter().any(strange));
}

#[test]
fn leaving_ends_every_call() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    world.ask(ada.0, ClientCommand::Leave);
    for host in [bob.0, eve.0] {
        assert!(world.until(5, |world| world.end(host) == Some(EndReason::EndedThere)));
    }
}

#[test]
fn a_far_end_that_holds_and_goes_on_over_and_over_does_not_keep_the_devices_busy() {
    let mut world = World::new();
    let (ada, bob) = (world.client("Ada"), world.client("Bob"));
    world.connect(bob.0, ada.0, ada.1);
    let starts = |world: &World| {
        world.told(ada.0).iter().filter(|event| matches!(event, ClientEvent::MediaStarted { .. })).count()
    };
    let before = starts(&world);
    for turn in 0..100 {
        world.person(bob.0, Command::Hold(turn % 2 == 0));
        world.net.run_for(Duration::from_millis(20));
    }
    world.run(2);
    assert!(starts(&world) - before <= 6, "{} starts in two seconds", starts(&world) - before);
    assert!(heard(&mut world, bob.0, ada.0) > 20);
}

#[test]
fn who_waits_and_is_blocked_is_gone_and_the_current_call_goes_on() {
    let Three { mut world, ada, bob, eve } = bob_waits();
    world.person(ada.0, Command::SetBlocked { peer: bob.1, blocked: true });
    assert!(world.until(5, |world| on_hold(world, ada.0).is_none()));
    assert!(world.until(5, |world| world.end(bob.0) == Some(EndReason::EndedThere)));
    assert!(up_with(&world, ada.0, eve.1));
    assert!(heard(&mut world, eve.0, ada.0) > 20);
}
