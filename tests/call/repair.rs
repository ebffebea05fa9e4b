//! What is seen of pictures that the network loses, in virtual time, with real codecs.

use std::time::Duration;

use crate::line::{Line, film};

#[test]
fn of_lost_pieces_nobody_sees_rubble_and_the_picture_moves_on() {
    let mut line = Line::new(&film(), Duration::from_millis(25), 3);
    line.run(1.0);
    line.world.net.set_links(|link| link.loss = 0.03);
    line.run(6.0);
    let seen = line.seen(1.0);
    // A picture that does without what was lost takes no more than a quarter of a second of the rate, and is coarser for
    // it: 35.5 dB at worst, 41.7 on average. Rubble is far below.
    assert!(seen.worst_psnr > 35.0, "{seen:?}");
    assert!(seen.pictures_a_second > 15.0 && seen.longest_gap < 600.0, "{seen:?}");
    assert_eq!(line.key_bytes.len(), 1, "key pictures, in bytes");
}

#[test]
fn after_a_second_without_anything_a_picture_is_there_within_700_ms() {
    let mut line = Line::new(&film(), Duration::from_millis(25), 1);
    line.run(3.0);
    line.world.net.set_links(|link| link.dark = true);
    line.run(1.0);
    line.world.net.set_links(|link| link.dark = false);
    let back = line.elapsed();
    line.run(1.5);
    let first = line.shown.iter().find(|shown| shown.at > back + Duration::from_millis(25));
    let after = first.map(|shown| shown.at - back).expect("a picture");
    assert!(after < Duration::from_millis(700), "{after:?}");
    let seen = line.seen(3.0);
    assert!(seen.worst_psnr > 36.0, "{seen:?}");
    assert_eq!(line.key_bytes.len(), 1, "it is built on one from before");
}

/// Prints what is seen at several losses and latencies.
#[test]
#[ignore = "prints a table for the documentation, and asserts nothing"]
fn what_is_seen_at_several_losses() {
    let film = film();
    println!(
        "| loss % | round trip | pictures/s | frozen ms/min | longest gap | late p50 | late p95 | dB | worst dB | kbit/s | keys | asked |"
    );
    for latency in [25, 75, 150] {
        for loss in [0.0, 0.02, 0.05, 0.10, 0.20] {
            let mut line = Line::new(&film, Duration::from_millis(latency), 3);
            line.run(3.0);
            line.world.net.set_links(|link| link.loss = loss);
            line.bytes = 0;
            line.run(20.0);
            let seen = line.seen(3.0);
            println!(
                "| {:>4} | {:>3} | {:>5.1} | {:>6.0} | {:>5.0} | {:>4} | {:>4} | {:.1} | {:.1} | {:.0} | {} | {} |",
                loss * 100.0,
                latency * 2,
                seen.pictures_a_second,
                seen.frozen_ms_a_minute,
                seen.longest_gap,
                seen.middle_late,
                seen.worst_late,
                seen.psnr,
                seen.worst_psnr,
                line.bytes as f64 * 8.0 / 20_000.0,
                line.key_bytes.len(),
                line.asked,
            );
        }
    }
}

/// Prints what comes after a second without anything.
#[test]
#[ignore = "prints a table for the documentation, and asserts nothing"]
fn what_is_seen_after_a_blackout() {
    let film = film();
    for latency in [25, 75, 150] {
        for length in [0.3, 1.0, 3.0] {
            for seed in [1, 2, 3] {
                let mut line = Line::new(&film, Duration::from_millis(latency), seed);
                line.run(4.0 + f64::from(seed) * 0.01);
                line.world.net.set_links(|link| link.dark = true);
                line.run(length);
                line.world.net.set_links(|link| link.dark = false);
                let back = line.elapsed();
                line.run(4.0);
                let first = line.shown.iter().find(|shown| shown.at > back + Duration::from_millis(latency));
                let fresh =
                    line.shown.iter().find(|shown| shown.at > back && u64::from(shown.late) < latency + 150);
                let since =
                    |shown: Option<&crate::line::Shown>| shown.map(|shown| (shown.at - back).as_millis());
                println!(
                    "latency {latency} dark {length}: first {:?} fresh {:?} keys {:?}",
                    since(first),
                    since(fresh),
                    line.key_bytes
                );
            }
        }
    }
}
