//! Congestion marks instead of losses (RFC 3168).

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::WriteOptions;

use super::scene::Scene;
use super::support::link::Link;
use super::support::scenario::{flow_options, messages};

const TRIP: Duration = Duration::from_millis(20);

/// A file of two megabytes over a line of 500,000 bytes a second whose queue is long and marks early; answers the fragments
/// that were lost, how long it took, and the last window.
fn file(change: impl Fn(&mut Link)) -> (u64, Duration, usize) {
    let mut link = Link::with_latency(TRIP);
    link.bytes_per_second = Some(500_000);
    link.longest_queue = Duration::from_millis(160);
    link.marks_beyond = Some(Duration::from_millis(30));
    change(&mut link);
    let mut scene = Scene::new(1, [link, Link::with_latency(TRIP)], |config| config);
    let session = scene.sessions[0];
    let begin = scene.net.elapsed();
    scene.net.with(scene.hosts[0], |endpoint, now| {
        let flow = endpoint.open_flow(session, flow_options(&[0, 0])).expect("an open session");
        for n in 0..200 {
            let bytes = Bytes::from(vec![n as u8; 10_000]);
            endpoint.write(now, session, flow, bytes, WriteOptions::default()).expect("room");
        }
    });
    while messages(&scene.net, scene.hosts[1]).len() < 200
        && scene.net.elapsed() < begin + Duration::from_secs(60)
    {
        scene.net.run_for(Duration::from_millis(50));
    }
    let figures = scene.net.machine(scene.hosts[0]).figures(scene.now(), session).expect("an open session");
    (figures.fragments_lost, scene.net.elapsed() - begin, figures.congestion_window)
}

#[test]
fn a_line_that_marks_loses_nothing_and_is_as_fast() {
    let (lost, took, window) = file(|_| ());
    assert_eq!(lost, 0);
    assert!(took < Duration::from_millis(5_000), "{took:?}");
    // The path and 30 ms of queue hold 35,000 bytes.
    assert!(window < 70_000, "{window}");
}

#[test]
fn where_marks_are_cleared_losses_do_their_work() {
    let (lost, took, _) = file(|link| link.clears_marks = true);
    assert!(lost > 0 && took < Duration::from_millis(6_500), "{lost} lost, {took:?}");
}

#[test]
fn a_line_that_marks_everything_slows_a_session_down_and_does_not_stop_it() {
    let (lost, took, window) = file(|link| link.marks_beyond = Some(Duration::ZERO));
    assert!(
        lost == 0 && window < 40_000 && took < Duration::from_secs(30),
        "{lost} lost, {window}, {took:?}"
    );
}
