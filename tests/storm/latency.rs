//! A voice beside a file, and a key frame that is not thrown.

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::{FlowOptions, MediaRate, Priority, SendFlowId, WriteOptions};

use super::scene::Scene;
use super::support::link::Link;

const BYTES_PER_SECOND: u64 = 500_000;
const TRIP: Duration = Duration::from_millis(20);

fn open(scene: &mut Scene, metadata: &'static [u8], priority: Priority, time_critical: bool) -> SendFlowId {
    let session = scene.sessions[0];
    let options =
        FlowOptions { metadata: Bytes::from_static(metadata), priority, time_critical, answers: None };
    scene
        .net
        .with(scene.hosts[0], |endpoint, _| endpoint.open_flow(session, options))
        .expect("an open session")
}

fn write(scene: &mut Scene, flow: SendFlowId, bytes: Bytes) {
    let session = scene.sessions[0];
    let options = WriteOptions::default();
    scene
        .net
        .with(scene.hosts[0], |endpoint, now| endpoint.write(now, session, flow, bytes, options))
        .expect("room");
}

fn top_up(scene: &mut Scene, file: SendFlowId) {
    while scene.net.machine(scene.hosts[0]).queued(scene.sessions[0], file) < 400_000 {
        write(scene, file, Bytes::from_static(&[1; 8_000]));
    }
}

/// How late the voice was beyond the path's own time, from best to worst, and the bytes of the file that came meanwhile,
/// when fifty messages a second share the session with an endless file for 30 seconds.
fn voice_beside_a_file(queue: Duration) -> (Vec<Duration>, usize) {
    let mut link = Link::with_latency(TRIP);
    link.bytes_per_second = Some(BYTES_PER_SECOND);
    link.longest_queue = queue;
    let mut scene = Scene::new(1, [link, Link::with_latency(TRIP)], |config| config);
    scene.net.keep_no_log();
    let file = open(&mut scene, &[0, 0], Priority::Background, false);
    let voice = open(&mut scene, &[1, 1], Priority::Audio, true);
    // The file is there first, and has filled the queue.
    for _ in 0..100 {
        top_up(&mut scene, file);
        scene.net.run_for(Duration::from_millis(100));
    }
    scene.net.take_events(scene.hosts[1]);
    let begin = scene.net.elapsed();
    let spacing = Duration::from_millis(20);
    for number in 0..1_500_u32 {
        write(&mut scene, voice, [&number.to_be_bytes()[..], &[0; 156]].concat().into());
        top_up(&mut scene, file);
        scene.net.run_for(spacing);
    }
    scene.net.run_for(Duration::from_secs(1));
    let (mut late, mut bytes_of_file) = (Vec::new(), 0);
    for (at, event) in scene.net.events(scene.hosts[1]) {
        match event {
            Event::Message { bytes, .. } if bytes.len() == 160 => {
                let number = u32::from_be_bytes(bytes[..4].try_into().expect("four bytes"));
                late.push(*at - (begin + spacing * number) - TRIP);
            }
            Event::Message { bytes, .. } => bytes_of_file += bytes.len(),
            _ => {}
        }
    }
    late.sort();
    (late, bytes_of_file)
}

#[test]
fn a_voice_keeps_its_latency_beside_an_endless_file() {
    // A queue of four bandwidth-delay products: what the file would fill if it were let.
    let (late, bytes_of_file) = voice_beside_a_file(TRIP * 2 * 4);
    let percentile = |percent: usize| late[(late.len() - 1) * percent / 100];
    let used = bytes_of_file as f64 / (31.0 * BYTES_PER_SECOND as f64);
    println!(
        "late by {:?} (half), {:?} (95 %), {:?} (worst); the file had {:.0} %",
        percentile(50),
        percentile(95),
        percentile(100),
        used * 100.0
    );
    assert!(late.len() >= 1_495, "{} of 1500 came", late.len());
    // Without giving way it is 150 ms.
    assert!(percentile(95) <= Duration::from_millis(40), "{:?}", percentile(95));
    assert!(used > 0.7, "the file had {used} of the line");
}

#[test]
fn a_key_frame_is_spread_over_the_round_trip_after_a_small_burst() {
    let mut link = Link::with_latency(Duration::from_millis(50));
    link.bytes_per_second = Some(5_000_000);
    link.longest_queue = Duration::from_millis(400);
    let mut scene = Scene::new(2, [link, Link::with_latency(Duration::from_millis(50))], |config| config);
    let pictures = open(&mut scene, &[0, 0], Priority::Video, true);
    // Pictures until the window is wide, and all of them have come.
    let figures = |scene: &Scene| {
        scene.net.machine(scene.hosts[0]).figures(scene.now(), scene.sessions[0]).expect("an open session")
    };
    while figures(&scene).congestion_window < 90_000 {
        if figures(&scene).queued == 0 {
            write(&mut scene, pictures, Bytes::from_static(&[2; 100_000]));
        }
        scene.net.run_for(Duration::from_millis(5));
    }
    while figures(&scene).queued > 0 {
        scene.net.run_for(Duration::from_millis(5));
    }
    let window = figures(&scene);

    let (before, begin) = (scene.net.sent().len(), scene.net.elapsed());
    write(&mut scene, pictures, Bytes::from_static(&[3; 60_000]));
    scene.net.run_for(Duration::from_secs(1));
    let times: Vec<Duration> = scene.net.sent()[before..]
        .iter()
        .filter(|sent| sent.from == scene.hosts[0] && sent.bytes.len() > 1_000)
        .map(|sent| sent.at - begin)
        .collect();
    let within = |ms: u64| times.iter().filter(|at| **at <= Duration::from_millis(ms)).count();
    let trip = window.round_trip.expect("it was measured");
    println!("{} packets, {} at once, the last after {:?} of {trip:?}", times.len(), within(0), times.last());
    assert!((50..60).contains(&times.len()), "{}", times.len());
    // Six packets, or four milliseconds' worth of the pace, whichever is more.
    assert!(within(0) <= 9, "{} packets at once", within(0));
    let expected = trip.mul_f64(60_000.0 / window.congestion_window as f64 / 1.25);
    let last = *times.last().expect("packets");
    assert!(last >= expected / 2 && last <= trip, "{last:?}, not about {expected:?}");
}

#[test]
fn acknowledgements_and_pings_are_never_paced() {
    let link = Link::with_latency(Duration::from_millis(50));
    let mut scene = Scene::new(3, [link, link], |config| config);
    let file = open(&mut scene, &[0, 0], Priority::Routine, false);
    for _ in 0..20 {
        top_up(&mut scene, file);
        scene.net.run_for(Duration::from_millis(20));
    }
    // While the sender is held back by its own pace, what it owes for others' data goes out the moment it is owed.
    let session = scene.sessions[1];
    let (begin, options) = (
        scene.net.elapsed(),
        FlowOptions {
            metadata: Bytes::from_static(&[1, 0]),
            priority: Priority::Routine,
            time_critical: false,
            answers: None,
        },
    );
    scene.net.with(scene.hosts[1], |endpoint, now| {
        let flow = endpoint.open_flow(session, options).expect("an open session");
        let report = WriteOptions { report: true, ..WriteOptions::default() };
        endpoint.write(now, session, flow, Bytes::from_static(b"word"), report).expect("room");
    });
    top_up(&mut scene, file);
    scene.net.run_for(Duration::from_secs(1));
    let done = scene
        .net
        .events(scene.hosts[1])
        .iter()
        .find_map(|(at, event)| matches!(event, Event::MessageDone { .. }).then_some(*at));
    assert_eq!(done, Some(begin + Duration::from_millis(100)));
}

/// How late words are, from best to worst, and how late the last one is, when pictures go at a rate that was found out over
/// a line that loses a tenth: more than the congestion window lets out. One word a second; the last, when the pictures stop.
/// And the bytes that came of a file in the same 20 seconds.
fn words_beside_pictures() -> (Vec<Duration>, Duration, usize) {
    let mut link = Link::with_latency(TRIP);
    (link.loss, link.jitter, link.keeps_order) = (0.1, Duration::from_millis(30), true);
    let mut scene = Scene::new(3, [link, link], |config| config);
    scene.net.keep_no_log();
    let words = open(&mut scene, &[0, 0], Priority::Data, false);
    let pictures = open(&mut scene, &[1, 1], Priority::Video, true);
    let file = open(&mut scene, &[2, 2], Priority::Background, false);
    write(&mut scene, file, Bytes::from(vec![3; 1_000_000]));
    let begin = scene.net.elapsed();
    let spacing = Duration::from_millis(40);
    let word = |number: u32| Bytes::from([&number.to_be_bytes()[..], &[0; 86]].concat());
    for number in 0..500_u32 {
        let (session, rate) = (scene.sessions[0], MediaRate { bytes_per_second: 320_000, leeway: spacing });
        scene.net.with(scene.hosts[0], |endpoint, now| endpoint.set_media_rate(now, session, rate));
        let options =
            WriteOptions { finish_by: Some(scene.net.now() + spacing * 4), ..WriteOptions::default() };
        scene
            .net
            .with(scene.hosts[0], |endpoint, now| {
                endpoint.write(now, session, pictures, Bytes::from_static(&[2; 12_000]), options)
            })
            .expect("room");
        if number % 25 == 0 {
            write(&mut scene, words, word(number));
        }
        scene.net.run_for(spacing);
    }
    let of_file = 1_000_000 - scene.net.machine(scene.hosts[0]).queued(scene.sessions[0], file);
    write(&mut scene, words, word(500));
    scene.net.run_for(Duration::from_secs(10));
    let mut late = Vec::new();
    for (at, event) in scene.net.events(scene.hosts[1]) {
        if let Event::Message { bytes, .. } = event
            && bytes.len() == 90
        {
            let number = u32::from_be_bytes(bytes[..4].try_into().expect("four bytes"));
            late.push(*at - (begin + spacing * number));
        }
    }
    assert_eq!(late.len(), 21, "every word comes");
    let last = late.pop().expect("a last one");
    late.sort();
    (late, last, of_file)
}

#[test]
fn words_and_a_file_come_beside_pictures_that_the_window_would_not_let_out() {
    let (late, last, of_file) = words_beside_pictures();
    println!("{of_file} bytes of the file");
    assert!(late[late.len() - 1] < Duration::from_millis(500), "{late:?}");
    assert!(last < Duration::from_millis(500), "{last:?}");
    // Not much, but it does not stand still.
    assert!(of_file > 50_000, "{of_file}");
}
