//! What a call's figures say of its connection, and what the person may ask of the picture, in virtual time.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::Command;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::{CallState, UpCall};
use tincan::media::encoded::EncodedFrame;
use tincan::settings::{Setting, VideoChoice};

use crate::support::virtual_network::Host;
use crate::world::World;

fn up(world: &World, host: Host) -> UpCall {
    match world.view(host).call {
        CallState::Up(call) => call,
        other => panic!("the call is not up: {other:?}"),
    }
}

fn in_a_call() -> (World, Host) {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    (world, bob)
}

/// Sends sound for so many seconds.
fn talk(world: &mut World, from: Host, seconds: u32) {
    for number in 0..seconds * 50 {
        let packet = Bytes::from(vec![7; 80]);
        world.ask(from, ClientCommand::Frame(EncodedFrame::Audio { timestamp: number * 20, packet }));
        world.net.run_for(Duration::from_millis(20));
    }
}

fn last_target(world: &World, host: Host) -> (u32, u32, f32) {
    let target = world.told(host).into_iter().rev().find_map(|event| match event {
        ClientEvent::Target(target) => Some(*target),
        _ => None,
    });
    let target = target.expect("a target");
    (target.height, target.bits_per_second, target.frames_per_second)
}

#[test]
fn the_last_thirty_seconds_are_there_one_figure_a_second() {
    let (mut world, bob) = in_a_call();
    talk(&mut world, bob, 10);
    let past = up(&world, bob).past;
    assert!((8..=10).contains(&past.len()), "{}", past.len());
    let last = past.last().expect("a second");
    assert!((60.0..150.0).contains(&last.round_trip_ms), "{last:?}");
    assert!(last.send_kbps > 20.0, "{last:?}");
    talk(&mut world, bob, 30);
    assert_eq!(up(&world, bob).past.len(), 30);
}

#[test]
fn heavy_losses_are_said_after_a_while_and_forgotten_after_a_while() {
    let (mut world, bob) = in_a_call();
    talk(&mut world, bob, 5);
    assert!(!up(&world, bob).weak);
    world.lose(0.3);
    talk(&mut world, bob, 8);
    assert!(up(&world, bob).weak, "{:?}", up(&world, bob).quality);
    world.lose(0.0);
    talk(&mut world, bob, 12);
    assert!(!up(&world, bob).weak, "{:?}", up(&world, bob).quality);
}

#[test]
fn what_the_person_wants_of_the_picture_holds_at_once_and_in_the_next_call() {
    let (mut world, bob) = in_a_call();
    // A call begins at 700 kbit/s, which is too little for 720 lines.
    let (lines, bits, rate) = last_target(&world, bob);
    assert!(lines == 540 && bits > 400_000 && rate == 30.0, "{lines} lines, {bits} bits, {rate} a second");
    let choice = VideoChoice { most_lines: 360, most_rate: 15, most_kbps: 400, ..VideoChoice::default() };
    world.person(bob, Command::Set(Setting::Video(choice)));
    let (lines, bits, rate) = last_target(&world, bob);
    assert!(lines == 360 && bits <= 400_000 && rate == 15.0, "{lines} lines, {bits} bits, {rate} a second");
    world.person(bob, Command::HangUp);
    world.run(1);
    let ada = world.view(bob).people.first().expect("Ada is there").name.clone();
    world.call(bob, ada);
    world.run(2);
    assert_eq!(last_target(&world, bob).0, 360);
}
