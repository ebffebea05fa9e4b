use super::*;

/// Steps for so many seconds, ten times a second, and answers the last target.
fn run(control: &mut RateControl, start: Instant, seconds: u32, loss: f64, queued: usize) -> SendTarget {
    let mut target = control.told;
    let (mut sent, mut lost) = control.window.back().map_or((0, 0), |(_, last)| (last.sent, last.lost));
    for step in 0..seconds * 10 {
        sent += 100;
        lost += (100.0 * loss) as u64;
        let round_trip = Some(Duration::from_millis(50));
        let sample = Sample { sent, lost, queued, round_trip, shortest_round_trip: round_trip };
        control.step(start + Duration::from_millis(100) * step, sample);
        target = control.target_if_new().or(target);
    }
    target.expect("the first step always tells")
}

/// Reports of a path that carries whatever is sent, ten times a second.
fn report(control: &mut RateControl, start: Instant, seconds: std::ops::Range<u32>, bits: f64) -> SendTarget {
    let mut target = control.told;
    for step in seconds.start * 10..seconds.end * 10 {
        let n = u64::from(step);
        let feedback = Feedback {
            clock: f64::from(step) / 10.0,
            delays: vec![0.05; 3],
            bytes: n * (bits / 80.0) as u64,
            sent: Some(n * 20),
            received: n * 20,
            far_sent: 0,
            left: None,
        };
        let now = start + Duration::from_millis(100) * step;
        control.take_feedback(now, &feedback, None, feedback.bytes);
        target = control.target_if_new().or(target);
    }
    target.expect("the first step always tells")
}

#[test]
fn a_clear_way_is_used_up_to_the_most_also_where_nobody_reports() {
    let target = run(&mut RateControl::new(), Instant::now(), 30, 0.0, 0);
    assert!(target.bits_per_second > 2_200_000, "{target:?}");
    assert_eq!(target.width, 1280);
}

#[test]
fn no_more_is_sent_than_the_person_wants() {
    let mut control = RateControl::new();
    control.set_limits(Limits { lines: 360, frames_per_second: 15.0, bits_per_second: Some(600_000) });
    let target = run(&mut control, Instant::now(), 30, 0.0, 0);
    assert_eq!((target.width, target.height, target.frames_per_second), (640, 360, 15.0));
    assert!(target.bits_per_second <= 600_000, "{target:?}");
}

#[test]
fn a_full_picture_of_1080_lines_is_sent_when_it_is_wanted_and_the_way_is_wide() {
    let mut control = RateControl::new();
    control.set_limits(Limits { lines: 1080, ..Limits::default() });
    let target = report(&mut control, Instant::now(), 0..10, 6_000_000.0);
    assert_eq!(target.height, 1080);
}

#[test]
fn with_reports_the_full_picture_is_there_within_five_seconds() {
    let target = report(&mut RateControl::new(), Instant::now(), 0..5, 4_000_000.0);
    assert_eq!(target.height, 720);
    assert!(target.bits_per_second > 2_300_000, "{target:?}");
}

#[test]
fn five_percent_of_losses_lower_nothing() {
    let target = run(&mut RateControl::new(), Instant::now(), 10, 0.05, 0);
    assert!(target.bits_per_second >= 550_000, "{target:?}");
}

#[test]
fn an_old_queue_makes_the_picture_smaller_and_a_clear_way_brings_it_back_slowly() {
    let start = Instant::now();
    let mut control = RateControl::new();
    let low = run(&mut control, start, 10, 0.0, 400_000);
    assert!(low.width < 640, "{low:?}");
    assert!(low.bits_per_second >= 80_000 && !control.is_paused());
    let soon = run(&mut control, start + Duration::from_secs(10), 5, 0.0, 0);
    assert!(soon.width <= 640, "{soon:?}");
}

#[test]
fn heavy_losses_lower_the_rate_step_by_step() {
    let target = run(&mut RateControl::new(), Instant::now(), 2, 0.3, 0);
    assert!((100_000..450_000).contains(&target.bits_per_second), "{target:?}");
}

#[test]
fn a_round_trip_that_grows_lowers_the_rate_where_nobody_reports() {
    let (mut control, start) = (RateControl::new(), Instant::now());
    for step in 0..20 {
        let sample = Sample {
            round_trip: Some(Duration::from_millis(500)),
            shortest_round_trip: Some(Duration::from_millis(50)),
            ..Sample::default()
        };
        control.step(start + Duration::from_millis(100) * step, sample);
    }
    assert!(control.rate() < START * 0.7, "{}", control.rate());
}

#[test]
fn the_share_of_sound_is_never_offered_to_pictures_and_shrinks_last() {
    let (mut control, start) = (RateControl::new(), Instant::now());
    control.path.set_most(75_000.0);
    let target = report(&mut control, start, 0..2, 75_000.0);
    assert_eq!(control.sound_if_new(), Some(16_000));
    let (sound, pictures) = (16_000.0 + BESIDE_SOUND, f64::from(target.bits_per_second));
    assert!(sound + pictures <= 75_000.0, "{target:?}");
    assert!(!control.is_paused());
    control.path.set_most(whole(MOST));
    report(&mut control, start, 2..10, 3_000_000.0);
    assert_eq!(control.sound_if_new(), Some(USUAL_SOUND));
}
