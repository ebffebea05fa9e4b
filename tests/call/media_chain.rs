//! Whole calls with coded pictures and sound, in virtual time: what is heard and seen at the other end.

use std::sync::LazyLock;

use crate::stepped_call::condition::{Condition, HOME, Way};
use crate::stepped_call::media::Media;
use crate::stepped_call::report::Report;
use crate::stepped_call::scene::{Options, Scene, run};

/// Small pictures: everything but the codecs is built without optimisation here.
static MEDIA: LazyLock<Media> = LazyLock::new(|| Media::made(320, 180));

fn one(condition: &Condition) -> Report {
    seeded(condition, Options::default().seed)
}

fn seeded(condition: &Condition, seed: u8) -> Report {
    let options = Options { seed, both_ways: false, ..Options::default() };
    run(condition, &MEDIA, options).remove(0)
}

#[test]
fn over_a_good_line_everything_is_heard_and_seen_as_it_was_meant() {
    let report = one(&Condition { seconds: 5, ..Condition::steady("good", HOME) });
    assert!(report.concealed_percent < 1.0, "{report:?}");
    assert!(report.shown_a_second > 24.0 && report.frozen_ms == 0, "{report:?}");
    assert!(report.psnr > 30.0 && report.ssim > 0.85, "{report:?}");
    assert_eq!(report.smeared, 0);
    assert!((60.0..200.0).contains(&report.mouth_to_ear_ms), "{report:?}");
}

#[test]
fn the_same_luck_gives_the_same_call_and_other_luck_another() {
    let condition = Condition { seconds: 3, ..Condition::steady("lossy", Way::losing(0.3)) };
    let [first, second, other] = [1, 1, 2].map(|seed| format!("{:?}", seeded(&condition, seed)));
    assert_eq!(first, second);
    assert_ne!(first, other);
}

#[test]
fn nothing_is_heard_or_seen_through_a_dark_line_and_both_return_with_it() {
    let dark = Way { dark: true, ..HOME };
    let condition = Condition::changing("dark", 6, vec![(0, HOME), (2_000, dark), (3_000, HOME)]);
    let options = Options { both_ways: false, compares: false, ..Options::default() };
    let mut scene = Scene::new(&condition, &MEDIA, options);
    while scene.step() {}
    let watch = &scene.watches[0];
    let in_the_dark = |times: &[u64]| times.iter().filter(|at| (2_500..3_000).contains(*at)).count();
    assert_eq!(in_the_dark(&watch.sound_at) + in_the_dark(&watch.shown_at), 0);
    let report = scene.reports().remove(0);
    assert!(report.longest_freeze_ms > 700, "{report:?}");
    assert!(report.changes[1].sound_after_ms.is_some() && report.changes[1].picture_after_ms.is_some());
}

#[test]
fn sound_lost_on_a_bad_line_comes_again_beside_the_next() {
    let condition = Condition { seconds: 10, ..Condition::steady("lossy", Way::losing(0.1)) };
    let options = Options { both_ways: false, compares: false, ..Options::default() };
    let mut scene = Scene::new(&condition, &MEDIA, options);
    while scene.step() {}
    let heard = scene.ends[1].studio.sound_figures().expect("sound came");
    assert!(heard.lost * 100 >= heard.packets * 5, "{heard:?}");
    assert!(heard.recovered * 10 >= heard.lost * 7 && heard.late * 10 <= heard.lost * 3, "{heard:?}");
    assert!(heard.concealed_ms * 100 <= heard.packets * 20 * 3, "{heard:?}");
}

#[test]
fn a_call_that_begins_on_a_bad_line_begins_without_a_long_gap() {
    let way = Way { jitter_ms: 30, ..Way::losing(0.1) };
    let condition = Condition { seconds: 4, ..Condition::steady("bad from the start", way) };
    let options = Options { both_ways: false, compares: false, ..Options::default() };
    let mut scene = Scene::new(&condition, &MEDIA, options);
    while scene.step() {}
    let heard = scene.ends[1].studio.sound_figures().expect("sound came");
    assert!(heard.lost >= 5 && heard.recovered * 10 >= heard.lost * 7, "{heard:?}");
    assert!(heard.longest_gap_ms <= 60, "{heard:?}");
}

#[test]
fn on_a_line_that_becomes_ten_times_narrower_no_picture_freezes_for_longer_than_a_second() {
    let (wide, narrow) = (Way::of_kbps(3_000), Way::of_kbps(300));
    let condition = Condition::changing("narrower", 12, vec![(0, wide), (7_000, narrow)]);
    let options = Options { compares: false, ..Options::default() };
    let mut scene = Scene::new(&condition, &Media::made(640, 360), options);
    while scene.step() {}
    let report = scene.reports().remove(0);
    assert!(report.longest_freeze_ms <= 1_000, "{report:?}");
    assert!(report.changes[0].queue_short_after_ms.is_some_and(|time| time <= 3_000), "{report:?}");
    let shown = scene.watches[0].shown_at.iter().filter(|at| **at > 10_000).count();
    assert!(shown > 30, "{shown} pictures in the last two seconds");
}
