//! How calls begin and end, in virtual time.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::{CallState, ServerState};
use tincan::call::{Command, EndReason, Event};
use tincan::media::encoded::EncodedFrame;

use crate::support::virtual_network::Host;
use crate::world::World;

/// A second of sound and pictures from one end, every third picture standing alone.
fn send_a_second(world: &mut World, from: Host) {
    let picture = |number: u32, key: bool| EncodedFrame::Video {
        timestamp: number * 40,
        key,
        refresh: key,
        config: key.then(|| Bytes::from_static(&[1, 66, 0, 30, 255, 225, 0, 0, 1, 0, 0])),
        nal_units: Bytes::from(vec![u8::try_from(number).unwrap_or(0); 3_000]),
    };
    for number in 0..25 {
        for half in 0..2 {
            let timestamp = number * 40 + half * 20;
            let packet = Bytes::from(vec![u8::try_from(number).unwrap_or(0); 80]);
            world.ask(from, ClientCommand::Frame(EncodedFrame::Audio { timestamp, packet }));
        }
        world.ask(from, ClientCommand::Frame(picture(number, number % 3 == 0)));
        world.net.run_for(Duration::from_millis(40));
    }
    world.run(1);
}

fn frames(world: &World, host: Host) -> (usize, usize) {
    let told = world.told(host);
    let sound = told.iter().filter(|event| matches!(event, ClientEvent::Frame(EncodedFrame::Audio { .. })));
    let pictures =
        told.iter().filter(|event| matches!(event, ClientEvent::Frame(EncodedFrame::Video { .. })));
    (sound.count(), pictures.count())
}

#[test]
fn a_call_by_name_rings_there_is_accepted_and_ends_at_both_ends() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.call(bob, "Ada");
    assert!(world.until(10, |world| world.rings(ada)));
    assert!(world.until(2, |world| world.events(bob).contains(&Event::RingingThere)));
    assert!(!world.is_up(bob), "nothing is up before the person accepts");
    world.person(ada, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada) && world.is_up(bob)));
    assert!(world.events(bob).contains(&Event::Up { peer: ada_id, name: "Ada".into() }));
    world.person(bob, Command::HangUp);
    assert!(world.until(5, |world| world.end(ada) == Some(EndReason::EndedThere)));
    assert_eq!(world.end(bob), Some(EndReason::Ended));
}

#[test]
fn sound_and_pictures_flow_both_ways_over_a_lossy_way() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.lose(0.05);
    world.connect(bob, ada, ada_id);
    send_a_second(&mut world, ada);
    send_a_second(&mut world, bob);
    for host in [ada, bob] {
        let (sound, pictures) = frames(&world, host);
        assert!(sound >= 45, "{sound} of 50 sounds came");
        assert!(pictures >= 18, "{pictures} of 25 pictures came");
    }
    world.person(ada, Command::HangUp);
    assert!(world.until(10, |world| world.end(bob) == Some(EndReason::EndedThere)));
}

/// Percent of what was sent that was lost: over the last seconds, and over the whole call.
fn losses(world: &World, host: Host) -> (f64, f64) {
    match world.view(host).call {
        CallState::Up(call) => (call.quality.loss_percent, call.quality.call_loss_percent),
        other => panic!("no call is up: {other:?}"),
    }
}

/// The middle one of what comes of three chances: one alone may hit a run of timeouts.
fn middle_of_three(one: impl Fn(World) -> (f64, f64)) -> (f64, f64) {
    let mut all: Vec<_> = (1..=3).map(|seed| one(World::with_seed(seed))).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all[1]
}

#[test]
fn a_way_that_loses_five_percent_is_said_to_lose_three_to_eight() {
    let (whole, mean) = middle_of_three(losses_of_five_percent);
    assert!((3.0..8.0).contains(&whole) && (3.0..8.0).contains(&mean), "{whole} in all, {mean} at a time");
}

fn losses_of_five_percent(mut world: World) -> (f64, f64) {
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.lose(0.05);
    world.connect(bob, ada, ada_id);
    let mut lately = Vec::new();
    for _ in 0..30 {
        send_a_second(&mut world, ada);
        lately.push(losses(&world, ada).0);
    }
    // Chance shows in five seconds, and is gone in a minute.
    let usual = lately.iter().filter(|percent| (0.5..12.0).contains(*percent)).count();
    assert!(usual >= 22, "{lately:?}");
    (losses(&world, ada).1, lately.iter().sum::<f64>() / lately.len() as f64)
}

#[test]
fn losses_that_are_over_leave_the_last_seconds_and_stay_in_the_call() {
    let (lately, whole) = middle_of_three(losses_that_end);
    assert!(lately == 0.0 && (2.0..8.0).contains(&whole), "{lately} lately, {whole} in all");
}

fn losses_that_end(mut world: World) -> (f64, f64) {
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    world.lose(0.1);
    (0..5).for_each(|_| send_a_second(&mut world, ada));
    world.lose(0.0);
    (0..5).for_each(|_| send_a_second(&mut world, ada));
    losses(&world, ada)
}

#[test]
fn two_who_dial_each_other_a_moment_apart_keep_both_their_lines_and_their_media() {
    for (loss, apart) in
        [0.0, 0.05].into_iter().flat_map(|loss| (100..=300).step_by(20).map(move |ms| (loss, ms)))
    {
        let case = format!("{apart} ms apart, loss {loss}");
        let mut world = World::new();
        let (ada, ada_id) = world.client("Ada");
        let (bob, bob_id) = world.client("Bob");
        world.lose(loss);
        world.call(ada, bob_id);
        world.net.run_for(Duration::from_millis(apart));
        world.call(bob, ada_id);
        let both_up = |world: &World| world.is_up(ada) && world.is_up(bob);
        world.until(10, |world| both_up(world) || world.rings(ada) || world.rings(bob));
        for host in [ada, bob] {
            if world.rings(host) {
                world.person(host, Command::Accept { with_video: true });
            }
        }
        assert!(world.until(10, both_up), "{case}");
        send_a_second(&mut world, ada);
        send_a_second(&mut world, bob);
        for host in [ada, bob] {
            let (sound, pictures) = frames(&world, host);
            assert!(sound >= 45 && pictures >= 18, "{case}: {sound} sounds and {pictures} pictures came");
        }
    }
}

#[test]
fn nothing_is_seen_or_heard_before_the_person_accepts() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    send_a_second(&mut world, bob);
    send_a_second(&mut world, ada);
    assert_eq!(frames(&world, ada), (0, 0));
    assert_eq!(frames(&world, bob), (0, 0));
}

#[test]
fn declining_is_told_to_who_calls() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Decline);
    assert!(world.until(5, |world| world.end(bob) == Some(EndReason::Declined)));
    assert_eq!(world.end(ada), Some(EndReason::Declined));
}

#[test]
fn who_is_being_called_is_busy_for_others() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    let (eve, _) = world.client("Eve");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    world.call(eve, ada_id);
    assert!(world.until(10, |world| world.end(eve) == Some(EndReason::Busy)), "{:?}", world.view(eve).call);
    assert!(world.rings(ada));
}

#[test]
fn who_is_blocked_is_declined_and_never_rings() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (eve, eve_id) = world.client("Eve");
    world.ask(ada, ClientCommand::Person(Command::SetBlocked { peer: eve_id, blocked: true }));
    world.call(eve, ada_id);
    assert!(
        world.until(20, |world| world.end(eve) == Some(EndReason::Declined)),
        "{:?}",
        world.view(eve).call
    );
    assert!(!world.rings(ada));
}

#[test]
fn nobody_answers_and_it_stops_ringing_at_both_ends() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    assert!(world.until(50, |world| world.end(bob) == Some(EndReason::NoAnswer)));
    assert!(world.until(5, |world| world.end(ada) == Some(EndReason::NoAnswer)));
}

#[test]
fn who_stops_dialling_stops_the_ringing() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(bob, Command::Cancel);
    assert!(world.until(5, |world| world.end(ada) == Some(EndReason::Cancelled)));
}

#[test]
fn a_second_call_after_a_hang_up_rings_again() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    world.person(bob, Command::HangUp);
    assert!(world.until(5, |world| world.end(ada).is_some()));
    world.connect(bob, ada, ada_id);
    world.person(ada, Command::HangUp);
    assert!(world.until(5, |world| world.end(bob) == Some(EndReason::EndedThere)));
}

#[test]
fn a_name_that_nobody_bears_is_not_found() {
    let mut world = World::new();
    let (bob, _) = world.client("Bob");
    world.call(bob, "Nobody");
    assert!(world.until(11, |world| world.end(bob) == Some(EndReason::NotFound)));
}

#[test]
fn who_bears_a_refused_name_is_told_so_at_once_when_calling() {
    let mut world = World::new();
    world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.person(bob, Command::SetName("Ada".into()));
    let refused = |world: &World| matches!(world.view(bob).own.server_state, ServerState::NameRefused(_));
    assert!(world.until(10, refused));
    world.call(bob, "Cyd");
    assert!(world.until(1, |world| world.end(bob) == Some(EndReason::NameRefused)));
}

#[test]
fn two_who_dial_each_other_at_once_are_connected_and_nothing_rings() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.call(ada, bob_id);
    world.call(bob, ada_id);
    assert!(
        world.until(10, |world| world.is_up(ada) && world.is_up(bob)),
        "{:?} and {:?}",
        world.view(ada).call,
        world.view(bob).call
    );
    for host in [ada, bob] {
        assert!(!world.events(host).iter().any(|event| matches!(event, Event::Ringing { .. })));
    }
    world.person(ada, Command::HangUp);
    assert!(world.until(5, |world| world.end(bob) == Some(EndReason::EndedThere)));
}

#[test]
fn who_falls_silent_is_said_to_be_and_then_has_vanished() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    world.run(3);
    world.net.cut(ada, true);
    assert!(world.until(6, |world| matches!(
        &world.view(bob).call,
        CallState::Up(call) if call.silent_for.is_some()
    )));
    assert!(
        world.until(35, |world| world.end(bob) == Some(EndReason::Vanished)),
        "{:?}",
        world.view(bob).call
    );
}

#[test]
fn a_network_that_comes_back_brings_the_call_back_without_ringing() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    world.run(3);
    let rung = |world: &World| {
        world.events(ada).iter().filter(|event| matches!(event, Event::Ringing { .. })).count()
    };
    assert_eq!(rung(&world), 1);
    world.net.cut(bob, true);
    world.run(20);
    world.net.cut(bob, false);
    let well = |world: &World, host| matches!(&world.view(host).call, CallState::Up(call) if call.silent_for.is_none());
    assert!(
        world.until(10, |world| well(world, ada) && well(world, bob)),
        "{:?} and {:?}",
        world.view(ada).call,
        world.view(bob).call
    );
    assert_eq!(rung(&world), 1);
    let before = frames(&world, ada);
    send_a_second(&mut world, bob);
    assert!(frames(&world, ada).0 > before.0 + 40, "sound flows again");
}

#[test]
fn leaving_hangs_up_first() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    world.ask(bob, ClientCommand::Leave);
    assert!(world.until(5, |world| world.told(bob).contains(&&ClientEvent::Left)));
    assert!(world.until(5, |world| world.end(ada) == Some(EndReason::EndedThere)));
}

#[test]
fn who_leaves_over_a_bad_path_is_gone_within_half_a_second() {
    for seed in 0..30 {
        let mut world = World::with_seed(seed);
        let (ada, ada_id) = world.client("Ada");
        let (bob, _) = world.client("Bob");
        world.connect(bob, ada, ada_id);
        world.lose(0.2);
        send_a_second(&mut world, bob);
        world.ask(bob, ClientCommand::Leave);
        let from = world.net.now();
        assert!(world.until(5, |world| world.end(ada) == Some(EndReason::EndedThere)), "seed {seed}");
        let after = world.net.now() - from;
        assert!(after < Duration::from_millis(500), "seed {seed}: {after:?}");
    }
}
