//! Paths that carry only short datagrams, from the start or from some moment on (RFC 7016 §3.5.4.3).

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::SessionEnd;
use tincan::rtmfp::endpoint::{EndpointConfig, SessionFigures, WriteOptions};

use super::dice::{Dice, for_seeds};
use super::scene::Scene;
use super::support::link::Link;
use super::support::scenario::{flow_options, messages};

const TRIP: Duration = Duration::from_millis(20);
const LONG: usize = 1_200;

fn scene(largest: usize) -> Scene {
    let mut link = Link::with_latency(TRIP);
    link.largest_datagram = largest;
    Scene::new(1, [link, link], |config| EndpointConfig { vanish_after: Duration::from_secs(15), ..config })
}

fn send(scene: &mut Scene, length: usize, count: usize, options: WriteOptions) {
    let session = scene.sessions[0];
    scene.net.with(scene.hosts[0], |endpoint, now| {
        let flow = endpoint.open_flow(session, flow_options(b"test")).expect("an open session");
        for n in 0..count {
            let bytes = Bytes::from(vec![n as u8; length]);
            endpoint.write(now, session, flow, bytes, options).expect("room");
        }
    });
}

fn figures(scene: &Scene) -> SessionFigures {
    scene.net.machine(scene.hosts[0]).figures(scene.now(), scene.sessions[0]).expect("an open session")
}

fn set_largest(scene: &mut Scene, largest: usize) {
    scene.net.set_link(scene.hosts[0], |link| link.largest_datagram = largest);
}

/// Lengths of what the first host sent since.
fn lengths(scene: &Scene, since: usize) -> Vec<usize> {
    scene.net.sent()[since..]
        .iter()
        .filter(|sent| sent.from == scene.hosts[0])
        .map(|sent| sent.bytes.len())
        .collect()
}

/// Conforms: 7016-3.5.4.3-a
#[test]
fn datagrams_are_short_until_a_padded_ping_was_answered_and_long_from_then_on() {
    let mut scene = scene(1_472);
    let before = scene.net.sent().len();
    send(&mut scene, 50_000, 1, WriteOptions::default());
    let first = lengths(&scene, before);
    assert_eq!(first.iter().filter(|length| **length > 548).count(), 1, "the probe: {first:?}");
    assert!(first.iter().any(|length| (1_190..=LONG).contains(length)));
    let before = scene.net.sent().len();
    scene.net.run_for(TRIP * 2);
    assert_eq!(figures(&scene).datagram_size, LONG);
    scene.net.run_for(Duration::from_secs(5));
    let later = lengths(&scene, before);
    assert!(later.iter().filter(|length| **length > 1_150).count() > 30, "{later:?}");
    assert_eq!(messages(&scene.net, scene.hosts[1]).len(), 1);
}

/// Conforms: 7016-3.5.4.3-b
#[test]
fn in_a_probe_the_padding_comes_before_the_ping() {
    let mut scene = scene(1_472);
    let before = scene.net.sent().len();
    send(&mut scene, 5_000, 1, WriteOptions::default());
    let probe = scene.net.sent()[before..].iter().find(|sent| sent.bytes.len() > 548).expect("a probe");
    // Session ID, number, and a header of at most five bytes; then the padding chunk, and the ping as the last.
    let plain = &probe.bytes[12..];
    let padding = (1..=5).find(|at| plain[*at] == 0xff).expect("a padding chunk");
    let length = usize::from(u16::from_be_bytes([plain[padding + 1], plain[padding + 2]]));
    let ping = &plain[padding + 3 + length..];
    assert_eq!((ping[0], usize::from(ping[2])), (0x01, ping.len() - 3));
}

#[test]
fn a_path_that_never_carries_long_datagrams_carries_everything_else() {
    for largest in [548, 700, 1_199] {
        let mut scene = scene(largest);
        send(&mut scene, 20_000, 5, WriteOptions::default());
        scene.net.run_for(Duration::from_secs(30));
        assert_eq!(messages(&scene.net, scene.hosts[1]).len(), 5, "at most {largest}");
        assert_eq!((scene.ended(0), figures(&scene).datagram_size), (None, 548));
    }
}

#[test]
fn a_far_end_that_understands_no_padding_chunk_is_asked_with_padding_behind() {
    let mut scene = scene(1_472);
    // The first probe is lost, which looks the same.
    let before = scene.net.sent().len();
    set_largest(&mut scene, 1_000);
    send(&mut scene, 5_000, 1, WriteOptions::default());
    scene.net.run_for(Duration::from_millis(100));
    set_largest(&mut scene, 1_472);
    scene.net.run_for(Duration::from_secs(5));
    let probes: Vec<_> = scene.net.sent()[before..].iter().filter(|sent| sent.bytes.len() > 1_100).collect();
    assert_eq!(figures(&scene).datagram_size, LONG);
    let plain = &probes[1].bytes[12..];
    assert!(plain.ends_with(&[0xff; 500]) && plain[..12].contains(&b'P'), "{:?}", &plain[..20]);
}

#[test]
fn a_path_that_narrows_for_a_while_loses_nothing_and_long_datagrams_return() {
    for_seeds(40, |seed| {
        let dice = &mut Dice::new(seed, b'p');
        let mut scene = scene(1_472);
        send(&mut scene, 4_000, 60, WriteOptions::default());
        scene.net.run_for(dice.ms(50, 400));
        set_largest(&mut scene, dice.between(548, 1_199) as usize);
        scene.net.run_for(dice.ms(100, 12_000));
        send(&mut scene, 4_000, 10, WriteOptions::default());
        scene.net.run_for(dice.ms(100, 2_000));
        set_largest(&mut scene, 1_472);
        scene.net.run_for(Duration::from_secs(60));
        send(&mut scene, 100_000, 1, WriteOptions::default());
        scene.net.run_for(Duration::from_secs(10));
        match (messages(&scene.net, scene.hosts[1]).len(), scene.ended(0), figures(&scene).datagram_size) {
            (71, None, LONG) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn a_path_that_narrows_for_good_ends_a_session_that_has_something_long_under_way() {
    let mut scene = scene(1_472);
    send(&mut scene, 4_000, 60, WriteOptions::default());
    scene.net.run_for(Duration::from_millis(200));
    let narrowed = scene.net.elapsed();
    set_largest(&mut scene, 1_000);
    scene.net.run_for(Duration::from_secs(90));
    let (at, end) = scene.ended(0).expect("an end");
    assert_eq!(end, SessionEnd::PathTooNarrow);
    assert!(
        (Duration::from_secs(15)..Duration::from_secs(40)).contains(&(at - narrowed)),
        "{:?}",
        at - narrowed
    );
    assert_eq!(scene.ended(1).map(|(_, end)| end), Some(SessionEnd::ClosedThere));
}

#[test]
fn a_path_that_narrows_for_good_ends_nothing_when_nothing_long_is_under_way_or_it_may_be_given_up() {
    for may_be_given_up in [false, true] {
        let mut scene = scene(1_472);
        send(&mut scene, 4_000, 20, WriteOptions::default());
        scene.net.run_for(Duration::from_secs(3));
        if may_be_given_up {
            let finish_by = Some(scene.now() + Duration::from_secs(2));
            send(&mut scene, 4_000, 60, WriteOptions { finish_by, ..WriteOptions::default() });
        }
        set_largest(&mut scene, 1_000);
        scene.net.run_for(Duration::from_secs(5));
        let before = messages(&scene.net, scene.hosts[1]).len();
        // The first of these may still be cut for the path as it was: but not when a loss was noticed already.
        if may_be_given_up {
            send(&mut scene, 4_000, 20, WriteOptions::default());
            scene.net.run_for(Duration::from_secs(60));
            assert_eq!(messages(&scene.net, scene.hosts[1]).len() - before, 20);
        }
        scene.net.run_for(Duration::from_secs(60));
        assert_eq!((scene.ended(0), scene.ended(1)), (None, None));
    }
}

#[test]
fn after_a_move_nothing_new_is_long_before_the_new_path_is_proven() {
    let mut scene = scene(1_472);
    send(&mut scene, 4_000, 20, WriteOptions::default());
    scene.net.run_for(Duration::from_secs(2));
    assert_eq!(figures(&scene).datagram_size, LONG);
    // The receiver moves, and says so by a word.
    let session = scene.sessions[1];
    scene.net.change_address(scene.hosts[1]);
    scene.net.with(scene.hosts[1], |endpoint, now| {
        let flow = endpoint.open_flow(session, flow_options(b"word")).expect("an open session");
        endpoint
            .write(now, session, flow, Bytes::from_static(b"moved"), WriteOptions::default())
            .expect("room");
    });
    scene.net.run_for(Duration::from_secs(1));
    assert_eq!(figures(&scene).datagram_size, 548);
    send(&mut scene, 4_000, 20, WriteOptions::default());
    scene.net.run_for(Duration::from_secs(2));
    assert_eq!((figures(&scene).datagram_size, messages(&scene.net, scene.hosts[1]).len()), (LONG, 40));
}
