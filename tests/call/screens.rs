//! Screens shown in a call, in virtual time.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent, ScreenCommand, ScreenEvent, SendTarget};
use tincan::call::view::{CallState, UpCall};
use tincan::call::{Command, PeerId, ScreenSource};
use tincan::media::encoded::EncodedFrame;

use crate::plain_client::{PlainCommand, PlainEvent};
use crate::support::virtual_network::Host;
use crate::world::World;

/// Pictures of the camera and of the screen end in these bytes.
const FACE: u8 = 1;
const DESK: u8 = 2;

fn picture(last: u8, key: bool, timestamp: u32) -> EncodedFrame {
    EncodedFrame::Video {
        timestamp,
        key,
        refresh: key,
        config: key.then(|| Bytes::from_static(&[1, 66, 0, 30, 255, 225, 0, 0, 1, 0, 0])),
        nal_units: Bytes::from([&[0; 900][..], &[last]].concat()),
    }
}

fn share(world: &mut World, host: Host, with_camera: bool) {
    world.person(host, Command::ShareScreen { source: ScreenSource::Everything, with_camera });
}

/// Half a second of both, key pictures first.
fn send_both(world: &mut World, host: Host) {
    for number in 0..12_u32 {
        let at = number * 40;
        world.ask(host, ClientCommand::Frame(picture(FACE, number == 0, at)));
        world.ask(host, ClientCommand::Screen(ScreenCommand::Frame(picture(DESK, number == 0, at))));
        world.net.run_for(Duration::from_millis(40));
    }
    world.run(1);
}

fn last(frame: &EncodedFrame) -> Option<u8> {
    match frame {
        EncodedFrame::Video { nal_units, .. } => nal_units.last().copied(),
        EncodedFrame::Audio { .. } => None,
    }
}

/// How many pictures of the camera and of the screen came, each on its own stream.
fn came(world: &World, host: Host) -> (usize, usize) {
    let told = world.told(host);
    let faces = told.iter().filter(|event| matches!(event, ClientEvent::Frame(f) if last(f) == Some(FACE)));
    let desks = told.iter().filter(
        |event| matches!(event, ClientEvent::Screen(ScreenEvent::FarFrame(f)) if last(f) == Some(DESK)),
    );
    (faces.count(), desks.count())
}

fn up(world: &World, host: Host) -> UpCall {
    match world.view(host).call {
        CallState::Up(call) => call,
        other => panic!("no call is up: {other:?}"),
    }
}

fn told_screen(world: &World, host: Host, wanted: &ScreenEvent) -> usize {
    world.told(host).iter().filter(|event| matches!(event, ClientEvent::Screen(e) if e == wanted)).count()
}

fn told_key(world: &World, host: Host) -> usize {
    world.told(host).iter().filter(|event| ***event == ClientEvent::KeyFrameWanted).count()
}

/// Two in a call, the first of whom called.
fn two() -> (World, Host, Host, PeerId, PeerId) {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    world.run(1);
    (world, ada, bob, ada_id, bob_id)
}

#[test]
fn a_screen_comes_beside_the_camera_and_ends_when_its_person_says_so() {
    let (mut world, ada, bob, ..) = two();
    share(&mut world, ada, true);
    assert!(world.until(3, |world| up(world, bob).far_shares));
    assert!(up(&world, ada).sharing.is_some_and(|sharing| !sharing.in_cameras_place));
    world.run(1);
    send_both(&mut world, ada);
    let (faces, desks) = came(&world, bob);
    assert!(faces >= 11 && desks >= 11, "{faces} faces and {desks} desks came");
    world.person(ada, Command::StopSharing);
    assert!(world.until(3, |world| !up(world, bob).far_shares));
    assert_eq!(told_screen(&world, bob, &ScreenEvent::FarEnded), 1);
    assert_eq!(told_screen(&world, ada, &ScreenEvent::Stopped), 1);
    assert_eq!(up(&world, ada).sharing, None);
}

#[test]
fn both_may_show_their_screens_at_once() {
    let (mut world, ada, bob, ..) = two();
    share(&mut world, ada, true);
    share(&mut world, bob, true);
    assert!(world.until(3, |world| up(world, bob).far_shares && up(world, ada).far_shares));
    world.run(1);
    send_both(&mut world, ada);
    send_both(&mut world, bob);
    for host in [ada, bob] {
        let (faces, desks) = came(&world, host);
        assert!(faces >= 11 && desks >= 11, "{faces} faces and {desks} desks came");
    }
}

#[test]
fn a_key_picture_is_asked_for_by_the_stream_that_needs_it() {
    let (mut world, ada, bob, ..) = two();
    share(&mut world, ada, true);
    world.run(2);
    let before = (told_key(&world, ada), told_screen(&world, ada, &ScreenEvent::KeyFrameWanted));
    world.ask(bob, ClientCommand::Screen(ScreenCommand::KeyFrameNeeded));
    world.run(1);
    let after = (told_key(&world, ada), told_screen(&world, ada, &ScreenEvent::KeyFrameWanted));
    assert_eq!(after, (before.0, before.1 + 1));
    world.ask(bob, ClientCommand::KeyFrameNeeded);
    world.run(1);
    let last = (told_key(&world, ada), told_screen(&world, ada, &ScreenEvent::KeyFrameWanted));
    assert_eq!(last, (after.0 + 1, after.1));
}

#[test]
fn a_plain_client_sees_the_screen_in_the_cameras_place_and_hears_nothing_of_ours() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (flash, _) = world.plain("Flash");
    world.plainly(flash, PlainCommand::Call(ada_id));
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada)));
    world.run(1);
    share(&mut world, ada, true);
    assert!(world.until(2, |world| up(world, ada).sharing.is_some_and(|sharing| sharing.in_cameras_place)));
    send_both(&mut world, ada);
    let pictures = |world: &World, of: u8| {
        let heard = world.heard_plainly(flash);
        heard.iter().filter(|event| **event == PlainEvent::Picture(Some(of))).count()
    };
    assert!(pictures(&world, DESK) >= 11);
    assert_eq!(pictures(&world, FACE), 0);
    world.person(ada, Command::StopSharing);
    world.run(1);
    send_both(&mut world, ada);
    assert!(pictures(&world, FACE) >= 11, "the camera is back");
    let heard = world.heard_plainly(flash);
    assert!(!heard.iter().any(|event| matches!(event, PlainEvent::Unknown(..))), "{heard:?}");
}

#[test]
fn a_screen_is_played_to_nobody_but_the_far_end_of_the_call() {
    let (mut world, ada, bob, ada_id, bob_id) = two();
    share(&mut world, ada, true);
    assert!(world.until(3, |world| up(world, bob).far_shares));
    let (eve, eve_id) = world.plain("Eve");
    for name in [bob_id, eve_id, ada_id] {
        world.plainly(eve, PlainCommand::Play(ada_id, format!("screen-{name}")));
    }
    let refused = |world: &World| {
        world.heard_plainly(eve).iter().filter(|event| **event == PlainEvent::Refused).count()
    };
    assert!(world.until(10, |world| refused(world) == 3), "{} refused", refused(&world));
    send_both(&mut world, ada);
    assert!(!world.heard_plainly(eve).iter().any(|event| matches!(event, PlainEvent::Picture(_))));
}

#[test]
fn a_call_that_waits_shows_no_screen_and_none_is_shown_when_it_goes_on() {
    for holder_shares in [true, false] {
        let (mut world, ada, bob, ..) = two();
        let (shares, sees) = if holder_shares { (ada, bob) } else { (bob, ada) };
        share(&mut world, shares, true);
        assert!(world.until(3, |world| up(world, sees).far_shares));
        world.person(ada, Command::Hold(true));
        assert!(world.until(3, |world| up(world, bob).far_holds));
        world.run(1);
        world.person(ada, Command::Hold(false));
        assert!(world.until(3, |world| !up(world, bob).far_holds));
        world.run(1);
        assert_eq!(up(&world, shares).sharing, None);
        assert!(!up(&world, sees).far_shares);
        assert_eq!(told_screen(&world, shares, &ScreenEvent::Stopped), 1);
    }
}

#[test]
fn a_call_that_is_hung_up_on_ends_what_is_shown() {
    let (mut world, ada, bob, ..) = two();
    share(&mut world, ada, true);
    assert!(world.until(3, |world| up(world, bob).far_shares));
    world.person(bob, Command::HangUp);
    assert!(world.until(5, |world| world.end(ada).is_some()));
    assert_eq!(told_screen(&world, ada, &ScreenEvent::Stopped), 1);
    assert_eq!(told_screen(&world, bob, &ScreenEvent::FarEnded), 1);
}

#[test]
fn the_camera_is_dropped_for_the_screen_if_wanted_and_comes_back_after_it() {
    let (mut world, ada, bob, ..) = two();
    share(&mut world, ada, false);
    assert!(world.until(3, |world| up(world, bob).far_shares));
    assert!(!up(&world, ada).camera_on);
    assert_eq!(told_screen(&world, ada, &ScreenEvent::CameraOn(false)), 1);
    world.person(ada, Command::StopSharing);
    assert!(world.until(3, |world| up(world, ada).camera_on));
    assert_eq!(told_screen(&world, ada, &ScreenEvent::CameraOn(true)), 1);
}

#[test]
fn who_switches_the_camera_while_a_screen_is_shown_finds_it_so_afterwards() {
    let (mut world, ada, ..) = two();
    share(&mut world, ada, false);
    world.run(1);
    world.person(ada, Command::SetCameraOn(true));
    world.person(ada, Command::SetCameraOn(false));
    world.person(ada, Command::StopSharing);
    world.run(1);
    assert!(!up(&world, ada).camera_on);
}

#[test]
fn camera_and_screen_share_one_rate_and_the_screen_has_the_larger_part() {
    let (mut world, ada, ..) = two();
    let camera = |world: &World| {
        world.told(ada).iter().rev().find_map(|event| match event {
            ClientEvent::Target(target) => Some(*target),
            _ => None,
        })
    };
    let screen = |world: &World| {
        world.told(ada).iter().rev().find_map(|event| match event {
            ClientEvent::Screen(ScreenEvent::Target(target)) => Some(*target),
            _ => None,
        })
    };
    let bits = |target: Option<SendTarget>| target.expect("it was told").bits_per_second;
    share(&mut world, ada, true);
    world.run(1);
    let (face, desk) = (bits(camera(&world)), bits(screen(&world)));
    assert!(desk > face * 2 && desk < face * 4, "{face} and {desk}");
    world.person(ada, Command::StopSharing);
    world.run(1);
    let alone = bits(camera(&world));
    assert!(alone >= (face + desk) * 9 / 10, "{alone} after {face} and {desk}");
}

#[test]
fn a_screen_goes_on_when_the_lines_come_back() {
    let (mut world, ada, bob, ..) = two();
    share(&mut world, ada, true);
    assert!(world.until(3, |world| up(world, bob).far_shares));
    world.lose(1.0);
    world.run(25);
    world.lose(0.0);
    assert!(
        world.until(40, |world| up(world, bob).silent_for.is_none() && up(world, ada).silent_for.is_none()),
        "the call is not back"
    );
    world.run(5);
    let before = came(&world, bob).1;
    send_both(&mut world, ada);
    assert!(up(&world, bob).far_shares);
    let desks = came(&world, bob).1 - before;
    assert!(desks >= 11, "{desks} of 12 came");
}
