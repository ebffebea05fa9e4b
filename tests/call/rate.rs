//! The sending rate of a call follows the way it takes, both down and up, in virtual time.

use std::time::Duration;

use crate::picture_call::{Sender, run, up};
use crate::support::link::Link;
use crate::support::virtual_network::Host;
use crate::world::World;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Bob calls Ada; what Bob sends is looked at.
fn in_a_call(kbps: u64) -> (World, Sender) {
    in_a_call_over(ms(40), kbps)
}

/// The same over a way that takes so long in each direction.
fn in_a_call_over(way: Duration, kbps: u64) -> (World, Sender) {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.net.set_links(|link| link.latency = way);
    world.net.keep_no_log();
    world.connect(bob, ada, ada_id);
    narrow(&mut world, bob, kbps);
    let sender = Sender::new(&world, bob, (ada, ada_id));
    (world, sender)
}

/// A way of so many kilobits a second, with a queue of a second as many routers have.
fn narrow(world: &mut World, host: Host, kbps: u64) {
    world.net.set_link(host, |link| {
        link.bytes_per_second = Some(kbps * 1000 / 8);
        link.longest_queue = secs(1);
    });
}

#[test]
fn a_step_from_3_megabits_to_300_kilobits_is_followed_within_three_seconds_and_back_within_fifteen() {
    let (mut world, mut bob) = in_a_call(3_000);
    let step = run(&mut world, &mut [&mut bob], secs(12));
    assert!(bob.target_kbps() > 2_000.0 && bob.height() == 720, "{} kbit/s before", bob.target_kbps());
    narrow(&mut world, bob.host, 300);
    let back = run(&mut world, &mut [&mut bob], secs(15));
    let queue = bob.longest_queue(step + secs(3), back);
    assert!(queue < ms(200), "sound waits {queue:?} three seconds after the step and later");
    let freeze = bob.longest_freeze(step, back);
    assert!(freeze < secs(1), "the picture stands still for {freeze:?}");
    assert!(bob.target_kbps() > 130.0, "{} kbit/s of pictures where there is room", bob.target_kbps());
    let keys = bob.keys_in(step, back);
    assert!(keys <= 5, "{keys} key frames in fifteen seconds");
    narrow(&mut world, bob.host, 3_000);
    let end = run(&mut world, &mut [&mut bob], secs(15));
    assert!(bob.target_kbps() > 2_000.0 && bob.height() == 720, "{} kbit/s after", bob.target_kbps());
    assert!(bob.keys_in(back, end) <= 4, "{} key frames on the way up", bob.keys_in(back, end));
    assert!(bob.longest_freeze(back, end) < secs(1), "{:?}", bob.longest_freeze(back, end));
    assert!(bob.sound_that_came() > 0.99, "{}", bob.sound_that_came());
}

#[test]
fn the_same_step_where_what_is_too_much_gets_lost() {
    let (mut world, mut bob) = in_a_call(3_000);
    world.net.set_link(bob.host, |link| link.longest_queue = ms(200));
    let step = run(&mut world, &mut [&mut bob], secs(12));
    world.net.set_link(bob.host, |link| link.bytes_per_second = Some(300_000 / 8));
    let end = run(&mut world, &mut [&mut bob], secs(15));
    let freeze = bob.longest_freeze(step, end);
    assert!(freeze < ms(1_200), "the picture stands still for {freeze:?}");
    assert!(bob.longest_queue(step + secs(3), end) < ms(200), "{:?}", bob.longest_queue(step + secs(3), end));
    assert!(bob.target_kbps() > 130.0, "{} kbit/s of pictures where there is room", bob.target_kbps());
}

#[test]
fn a_call_over_a_narrow_way_begins_without_a_long_queue() {
    let (mut world, mut bob) = in_a_call(300);
    let start = world.net.elapsed();
    let end = run(&mut world, &mut [&mut bob], secs(10));
    let (early, later) = (bob.longest_queue(start, end), bob.longest_queue(start + secs(3), end));
    assert!(early < ms(500) && later < ms(200), "sound waits {early:?}, and {later:?} after three seconds");
    assert!(bob.longest_freeze(start, end) < ms(1_500), "{:?}", bob.longest_freeze(start, end));
}

#[test]
fn a_call_over_a_wide_way_is_at_full_quality_within_five_seconds() {
    let (mut world, mut bob) = in_a_call(10_000);
    run(&mut world, &mut [&mut bob], secs(5));
    assert!(bob.target_kbps() > 2_200.0 && bob.height() == 720, "{} {}p", bob.target_kbps(), bob.height());
    assert!(bob.keys.len() <= 3, "{} key frames", bob.keys.len());
}

#[test]
fn a_call_around_half_the_world_is_at_full_quality_within_eight_seconds() {
    let (mut world, mut bob) = in_a_call_over(ms(150), 10_000);
    let end = run(&mut world, &mut [&mut bob], secs(8));
    assert!(bob.target_kbps() > 2_000.0 && bob.height() == 720, "{} {}p", bob.target_kbps(), bob.height());
    assert!(bob.longest_freeze(secs(3), end) < secs(1), "{:?}", bob.longest_freeze(secs(3), end));
    assert!(bob.keys.len() <= 5, "{} key frames", bob.keys.len());
}

#[test]
fn a_way_that_becomes_much_longer_is_used_as_well_as_before_after_some_seconds() {
    let (mut world, mut bob) = in_a_call(10_000);
    run(&mut world, &mut [&mut bob], secs(8));
    world.net.set_links(|link| link.latency = ms(150));
    let end = run(&mut world, &mut [&mut bob], secs(40));
    assert!(bob.target_kbps() > 2_000.0 && bob.height() == 720, "{} {}p", bob.target_kbps(), bob.height());
    let freeze = bob.longest_freeze(end - secs(15), end);
    assert!(freeze < secs(1), "{freeze:?}");
}

/// Two calls whose sound and pictures go out over one line; answers the ratio of their rates over the last ten seconds.
fn ratio_of_two(second_starts_after: Duration) -> f64 {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    let (cem, cem_id) = world.client("Cem");
    let (dan, _) = world.client("Dan");
    world.net.keep_no_log();
    let line =
        Link { bytes_per_second: Some(2_000_000 / 8), longest_queue: ms(500), ..Link::with_latency(ms(40)) };
    let line = world.net.add_shared_line(line);
    world.net.share(bob, line);
    world.net.share(dan, line);
    world.connect(bob, ada, ada_id);
    let mut first = Sender::new(&world, bob, (ada, ada_id));
    run(&mut world, &mut [&mut first], second_starts_after);
    world.connect(dan, cem, cem_id);
    let mut second = Sender::new(&world, dan, (cem, cem_id));
    run(&mut world, &mut [&mut first, &mut second], secs(30));
    let before = [bob, dan].map(|host| world.net.bytes_sent(host));
    let from = world.net.elapsed();
    let until = run(&mut world, &mut [&mut first, &mut second], secs(10));
    let after = [bob, dan].map(|host| world.net.bytes_sent(host));
    let (one, other) = ((after[0] - before[0]) as f64, (after[1] - before[1]) as f64);
    assert!((one + other) * 8.0 / 10.0 > 1_500_000.0, "{} bits a second together", (one + other) * 0.8);
    for sender in [&first, &second] {
        let queue = sender.longest_queue(from, until);
        assert!(queue < ms(250), "sound waits {queue:?}");
    }
    one / other
}

#[test]
fn two_calls_share_a_line_of_two_megabits() {
    let ratio = ratio_of_two(Duration::ZERO);
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
}

#[test]
fn a_call_that_comes_twenty_seconds_later_gets_its_part_of_the_line() {
    let ratio = ratio_of_two(secs(20));
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
}

#[test]
fn losses_of_a_radio_link_do_not_ruin_the_rate() {
    for loss in [0.02, 0.05, 0.09] {
        let (mut world, mut bob) = in_a_call(10_000);
        run(&mut world, &mut [&mut bob], secs(4));
        let before = bob.target_kbps();
        world.net.set_link(bob.host, |link| link.loss = loss);
        run(&mut world, &mut [&mut bob], secs(20));
        assert!(bob.target_kbps() > before * 0.9, "{} of {before} at {loss}", bob.target_kbps());
        let shown = up(&world, bob.host).quality.loss_percent;
        assert!((shown - loss * 100.0).abs() < 2.0, "{shown} % shown at {loss}");
    }
}

#[test]
fn what_is_lost_is_sent_again_and_nothing_else() {
    for (loss, detours) in [(0.02, None), (0.05, None), (0.0, Some((0.02, ms(60))))] {
        let (mut world, mut bob) = in_a_call(10_000);
        run(&mut world, &mut [&mut bob], secs(5));
        world.net.set_link(bob.host, |link| (link.loss, link.detours) = (loss, detours));
        run(&mut world, &mut [&mut bob], secs(4));
        let before = world.net.bytes_sent(bob.host);
        run(&mut world, &mut [&mut bob], secs(8));
        let sent = (world.net.bytes_sent(bob.host) - before) as f64 * 8.0 / 8_000.0;
        let target = bob.target_kbps();
        assert!(target > 1_000.0, "{target} kbit/s at {loss}, {detours:?}");
        assert!(sent < target * 1.25 + 200.0, "{sent} kbit/s sent for {target} at {loss}, {detours:?}");
    }
}

#[test]
fn lost_acknowledgements_are_no_losses() {
    let (mut world, mut bob) = in_a_call(10_000);
    run(&mut world, &mut [&mut bob], secs(2));
    let ada = bob.to();
    world.net.set_link(ada, |link| link.loss = 0.2);
    run(&mut world, &mut [&mut bob], secs(15));
    let shown = up(&world, bob.host).quality;
    assert!(shown.loss_percent < 1.0, "{} %", shown.loss_percent);
    let here = shown.receive_loss_percent.expect("Ada tells what she sends");
    assert!((10.0..30.0).contains(&here), "{here} % of what Ada sends");
    assert!(bob.target_kbps() > 2_000.0, "{}", bob.target_kbps());
}

#[test]
fn where_there_is_room_for_sound_alone_the_picture_pauses_and_comes_back() {
    let (mut world, mut bob) = in_a_call(500);
    run(&mut world, &mut [&mut bob], secs(8));
    assert!(!up(&world, bob.host).picture_paused);
    narrow(&mut world, bob.host, 45);
    let narrowed = run(&mut world, &mut [&mut bob], secs(6));
    assert!(up(&world, bob.host).picture_paused, "{:?}", up(&world, bob.host).quality);
    let end = run(&mut world, &mut [&mut bob], secs(4));
    assert!(bob.longest_queue(narrowed, end) < ms(250), "{:?}", bob.longest_queue(narrowed, end));
    let came = bob.sound_delays.iter().filter(|(at, _)| *at > narrowed).count();
    assert!(came > 190, "{came} of 200 packets of sound");
    narrow(&mut world, bob.host, 500);
    let widened = world.net.elapsed();
    let end = run(&mut world, &mut [&mut bob], secs(20));
    assert!(!up(&world, bob.host).picture_paused);
    assert!(bob.shown.iter().any(|at| (widened + secs(4)..end).contains(at)), "no picture came");
    assert!(bob.target_kbps() > 250.0, "{}", bob.target_kbps());
}

#[test]
fn a_way_as_wide_as_a_size_needs_makes_no_storm_of_key_frames() {
    for kbps in [240, 480, 900] {
        let (mut world, mut bob) = in_a_call(kbps);
        let from = run(&mut world, &mut [&mut bob], secs(10));
        let until = run(&mut world, &mut [&mut bob], secs(30));
        let keys = bob.keys_in(from, until);
        assert!(keys <= 4, "{keys} key frames in half a minute at {kbps} kbit/s");
        let freeze = bob.longest_freeze(from, until);
        assert!(freeze < ms(700), "the picture stands still for {freeze:?} at {kbps} kbit/s");
    }
}

#[test]
fn after_a_second_without_any_way_the_call_goes_on_at_nearly_the_rate_it_had() {
    let (mut world, mut bob) = in_a_call(3_000);
    run(&mut world, &mut [&mut bob], secs(8));
    let before = bob.target_kbps();
    world.net.set_links(|link| link.dark = true);
    run(&mut world, &mut [&mut bob], secs(1));
    world.net.set_links(|link| link.dark = false);
    let back = world.net.elapsed();
    run(&mut world, &mut [&mut bob], secs(4));
    let first = bob.shown.iter().find(|at| **at > back).expect("a picture");
    assert!(*first - back < ms(900), "the first picture comes after {:?}", *first - back);
    assert!(bob.target_kbps() > before * 0.7, "{} of {before}", bob.target_kbps());
}
