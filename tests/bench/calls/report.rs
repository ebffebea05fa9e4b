//! What is said of a call when it is over.

use std::time::Instant;

use super::condition::Condition;
use super::probe::Second;
use super::scene::Watch;

/// One direction of one call under a condition. Times are milliseconds.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Report {
    pub(crate) condition: &'static str,
    /// The sound's score, 1 to 5, where one was taken.
    pub(crate) sound_score: Option<f64>,
    /// The share of sound that was made up.
    pub(crate) concealed_percent: f64,
    /// The longest stretch of it.
    pub(crate) longest_gap_ms: u32,
    /// From microphone to ear: on average, and 95 of 100 are below.
    pub(crate) mouth_to_ear_ms: f64,
    pub(crate) mouth_to_ear_95_ms: f64,
    /// What of the average is not the way's own delay.
    pub(crate) mouth_to_ear_added_ms: f64,
    /// From the moment when the call is up at both ends: when the first sound and the first picture were there.
    pub(crate) first_sound_ms: Option<u64>,
    pub(crate) first_picture_ms: Option<u64>,
    /// Pictures shown a second.
    pub(crate) shown_a_second: f64,
    /// Decibels against the camera's pictures: on average, and 95 of 100 are above.
    pub(crate) psnr: f64,
    pub(crate) psnr_5: f64,
    /// Structural similarity, likewise.
    pub(crate) ssim: f64,
    pub(crate) ssim_5: f64,
    /// From camera to screen, codecs costing no time: in the middle, and 95 of 100 are below.
    pub(crate) glass_to_glass_ms: f64,
    pub(crate) glass_to_glass_95_ms: f64,
    /// After the first picture: pauses of more than 250 ms.
    pub(crate) frozen_ms: u64,
    pub(crate) longest_freeze_ms: u64,
    /// Shown pictures that the encoder did not mean, and by how many decibels they differed at most (of 60).
    pub(crate) smeared: u32,
    pub(crate) worst_smear: f64,
    pub(crate) key_pictures: u32,
    /// Picture delay less sound delay: on average.
    pub(crate) lip_sync_ms: f64,
    /// Kilobits a second that left the sender.
    pub(crate) sent_kbps: f64,
    /// Waiting at the sender's bottleneck: on average, and 95 of 100 are below.
    pub(crate) queue_ms: f64,
    pub(crate) queue_95_ms: f64,
    /// What followed each change of the way.
    pub(crate) changes: Vec<Change>,
    pub(crate) seconds: Vec<Second>,
}

/// What followed a change of the way.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Change {
    /// When it changed.
    pub(crate) at_ms: u64,
    /// After the way was dark: when sound and picture were there again, from the first datagram that could arrive.
    pub(crate) sound_after_ms: Option<u64>,
    pub(crate) picture_after_ms: Option<u64>,
    /// After the way became narrower: until no datagram had to wait for more than 200 ms any more.
    pub(crate) queue_short_after_ms: Option<u64>,
    /// After the way became wider: until size and nine tenths of the rate of before it was narrow were sent again.
    pub(crate) full_after_ms: Option<u64>,
}

impl Report {
    pub(crate) fn new(condition: &Condition, watch: &Watch, now: Instant) -> Self {
        let (frozen, longest) = watch.freezes.until(now);
        let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let seconds = f64::from(condition.seconds);
        let mouth_to_ear_ms = watch.mouth_to_ear.mean();
        Self {
            condition: condition.name,
            sound_score: None,
            concealed_percent: f64::from(watch.gaps.total_ms) / f64::from(watch.gaps.heard_ms.max(1)) * 100.0,
            longest_gap_ms: watch.gaps.longest_ms,
            mouth_to_ear_ms,
            mouth_to_ear_95_ms: watch.mouth_to_ear.at(0.95),
            mouth_to_ear_added_ms: mouth_to_ear_ms - condition.at(0).delay_ms as f64,
            first_sound_ms: watch.sound_at.first().copied(),
            first_picture_ms: watch.shown_at.first().copied(),
            shown_a_second: watch.shown_at.len() as f64 / seconds,
            psnr: watch.psnr.mean(),
            psnr_5: watch.psnr.at(0.05),
            ssim: watch.ssim.mean(),
            ssim_5: watch.ssim.at(0.05),
            glass_to_glass_ms: watch.glass_to_glass.at(0.5),
            glass_to_glass_95_ms: watch.glass_to_glass.at(0.95),
            frozen_ms: milliseconds(frozen),
            longest_freeze_ms: milliseconds(longest),
            smeared: watch.smeared.0,
            worst_smear: watch.smeared.1,
            key_pictures: watch.key_pictures,
            lip_sync_ms: watch.lip_sync.mean(),
            sent_kbps: watch.seconds.iter().map(|second| f64::from(second.sent_kbps)).sum::<f64>() / seconds,
            queue_ms: watch.queue.mean(),
            queue_95_ms: watch.queue.at(0.95),
            changes: changes(condition, watch),
            seconds: watch.seconds.clone(),
        }
    }
}

fn changes(condition: &Condition, watch: &Watch) -> Vec<Change> {
    let ends = condition.plan.iter().skip(2).map(|(at, _)| *at);
    let ends = ends.chain([u64::from(condition.seconds) * 1_000]);
    let pairs = condition.plan.windows(2).zip(ends);
    pairs
        .filter_map(|(pair, end)| {
            let [(_, before), (at, after)] = pair else { return None };
            let (at, first) = (*at, *at + after.delay_ms);
            let next = |times: &[u64]| times.iter().find(|time| **time >= first).map(|time| time - first);
            let returned = before.dark && !after.dark;
            let rate = |way: &super::condition::Way| way.kbps.unwrap_or(u64::MAX);
            let queued = || {
                let last = watch.queued_at.iter().rev().find(|time| (at..end).contains(time));
                last.map_or(0, |last| last - at)
            };
            Some(Change {
                at_ms: at,
                sound_after_ms: returned.then(|| next(&watch.sound_at)).flatten(),
                picture_after_ms: returned.then(|| next(&watch.shown_at)).flatten(),
                queue_short_after_ms: (rate(after) < rate(before)).then(queued),
                full_after_ms: (rate(after) > rate(before)).then(|| full(watch, at, end)).flatten(),
            })
        })
        .collect()
}

/// How long after a moment the best of the seconds before it was reached again.
fn full(watch: &Watch, at: u64, end: u64) -> Option<u64> {
    let until = |second: &&Second| u64::from(second.second) * 1_000 <= at;
    let earlier = || watch.seconds.iter().take_while(until);
    let lines = earlier().map(|second| second.target_lines).max()?;
    let kbps = earlier().map(|second| second.target_kbps).max()?;
    let later = watch.seconds.iter().map(|second| (u64::from(second.second) * 1_000, second));
    later
        .filter(|(time, _)| *time > at && *time <= end)
        .find(|(_, second)| second.target_lines >= lines && second.target_kbps >= kbps * 9 / 10)
        .map(|(time, _)| time - at)
}
