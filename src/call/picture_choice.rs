//! Which size and how many pictures a second a rate is worth, and when it is worth none. Pure.
//!
//! Smooth motion comes before sharpness: the size falls first, the picture rate only where nothing smaller is left. Every
//! change of the size costs a key frame, so it grows late, rarely, and then as far as it may; it shrinks at once.

use std::time::{Duration, Instant};

/// A size, and the least bits of picture a second that feed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rung {
    least: f64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames_per_second: f32,
}

const fn rung(least: f64, width: u32, height: u32, frames_per_second: f32) -> Rung {
    Rung { least, width, height, frames_per_second }
}

/// Largest first.
const RUNGS: [Rung; 6] = [
    rung(2_600_000.0, 1920, 1080, 30.0),
    rung(800_000.0, 1280, 720, 30.0),
    rung(400_000.0, 960, 540, 30.0),
    rung(170_000.0, 640, 360, 30.0),
    rung(90_000.0, 320, 180, 30.0),
    rung(0.0, 320, 180, 15.0),
];

/// A larger size is chosen only when the rate feeds it so much more than just so.
const AMPLE: f64 = 1.25;
/// And has for so long.
const LASTING: Duration = Duration::from_millis(800);
/// Two growths are so far apart.
const BETWEEN: Duration = Duration::from_secs(4);

/// The size of the pictures sent.
#[derive(Debug)]
pub(crate) struct PictureChoice {
    rung: usize,
    /// Since when a larger one would be fed amply.
    ample_since: Option<Instant>,
    grown: Option<Instant>,
}

impl PictureChoice {
    /// What a rate feeds that was not tried yet.
    pub(crate) fn new(rate: f64, lines: u32) -> Self {
        let mut new = Self { rung: RUNGS.len() - 1, ample_since: None, grown: None };
        new.rung = largest_fed(rate, lines);
        new
    }

    /// The size now.
    pub(crate) fn rung(&self) -> Rung {
        RUNGS[self.rung]
    }

    /// The person wants no more lines than these.
    pub(crate) fn limit(&mut self, lines: u32) {
        self.rung = self.rung.max(largest_within(lines));
    }

    /// The person wants another size: the largest that the rate feeds, at once.
    pub(crate) fn choose_anew(&mut self, rate: f64, lines: u32) {
        *self = Self { grown: self.grown, ..Self::new(rate, lines) };
    }

    /// So many bits of picture a second can be sent.
    pub(crate) fn follow(&mut self, now: Instant, rate: f64, lines: u32) {
        self.limit(lines);
        let fed = largest_fed(rate, lines);
        if fed > self.rung {
            self.rung = fed;
        }
        let ample = largest_fed(rate / AMPLE, lines);
        if ample >= self.rung {
            self.ample_since = None;
            return;
        }
        let since = *self.ample_since.get_or_insert(now);
        let recently = self.grown.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN);
        // Only the picture rate changes: that costs nothing.
        let is_free = RUNGS[ample].height == RUNGS[self.rung].height;
        if now.saturating_duration_since(since) >= LASTING && (is_free || !recently) {
            self.rung = ample;
            self.ample_since = None;
            self.grown = if is_free { self.grown } else { Some(now) };
        }
    }
}

/// The smallest size is within everybody's limits.
fn largest_within(lines: u32) -> usize {
    RUNGS.iter().position(|rung| rung.height <= lines).unwrap_or(RUNGS.len() - 1)
}

fn largest_fed(rate: f64, lines: u32) -> usize {
    let fed = RUNGS.iter().position(|rung| rate >= rung.least).unwrap_or(RUNGS.len() - 1);
    fed.max(largest_within(lines))
}

/// Whether pictures are sent at all.
#[derive(Debug)]
pub(crate) struct PicturePause {
    paused: bool,
    /// Since when the rate has spoken for the other.
    against: Option<Instant>,
    resumed: Option<Instant>,
    /// How long it must be well before the next resumption.
    patience: Duration,
}

/// Bits a second, sound and all, below which pictures pause, and above which they come back after a while.
pub(crate) const PAUSE_BELOW: f64 = 60_000.0;
pub(crate) const RESUME_ABOVE: f64 = 70_000.0;
/// A moment's weakness is none.
const WEAK_FOR: Duration = Duration::from_millis(500);
/// How long before they come back. Sound alone cannot show that there is room for them: a try that fails makes the next
/// wait twice as long.
const RESUME_AFTER: Duration = Duration::from_secs(6);
const LONGEST_PATIENCE: Duration = Duration::from_secs(48);
/// A resumption that lasted so long did not fail.
const PROVEN: Duration = Duration::from_secs(20);

impl PicturePause {
    /// Pictures are sent.
    pub(crate) fn new() -> Self {
        Self { paused: false, against: None, resumed: None, patience: RESUME_AFTER }
    }

    /// Whether they pause.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// The path carries so many bits a second.
    pub(crate) fn follow(&mut self, now: Instant, rate: f64) {
        let speaks_against = if self.paused { rate > RESUME_ABOVE } else { rate < PAUSE_BELOW };
        if !speaks_against {
            self.against = None;
            return;
        }
        let since = *self.against.get_or_insert(now);
        let needed = if self.paused { self.patience } else { WEAK_FOR };
        if now.saturating_duration_since(since) < needed {
            return;
        }
        self.against = None;
        self.paused = !self.paused;
        if self.paused {
            let failed = self.resumed.is_some_and(|at| now.saturating_duration_since(at) < PROVEN);
            self.patience = if failed { (self.patience * 2).min(LONGEST_PATIENCE) } else { RESUME_AFTER };
        } else {
            self.resumed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Follows rates, each a tenth of a second after the last; answers how often the size changed.
    fn follow(choice: &mut PictureChoice, now: &mut Instant, rates: impl Iterator<Item = f64>) -> usize {
        let mut changes = 0;
        for rate in rates {
            let before = choice.rung().height;
            *now += ms(100);
            choice.follow(*now, rate, 1080);
            changes += usize::from(choice.rung().height != before);
        }
        changes
    }

    #[test]
    fn smooth_motion_comes_before_sharpness() {
        let at = |rate: f64| PictureChoice::new(rate, 1080).rung();
        let heights =
            [3e6, 1e6, 5e5, 2e5, 1e5, 5e4].map(|rate| (at(rate).height, at(rate).frames_per_second));
        let expected = [(1080, 30.0), (720, 30.0), (540, 30.0), (360, 30.0), (180, 30.0), (180, 15.0)];
        assert_eq!(heights, expected);
    }

    #[test]
    fn a_rate_that_swings_around_a_threshold_changes_the_size_once_at_most() {
        let (mut choice, mut now) = (PictureChoice::new(900_000.0, 1080), Instant::now());
        let swings = (0..600).map(|n| if n / 10 % 2 == 0 { 700_000.0 } else { 920_000.0 });
        assert_eq!(follow(&mut choice, &mut now, swings), 1);
        assert_eq!(choice.rung().height, 540);
    }

    #[test]
    fn the_size_shrinks_at_once_and_grows_as_far_as_it_may_after_a_while() {
        let (mut choice, mut now) = (PictureChoice::new(2e6, 1080), Instant::now());
        assert_eq!(follow(&mut choice, &mut now, [100_000.0].into_iter()), 1);
        assert_eq!(choice.rung().height, 180);
        assert_eq!(follow(&mut choice, &mut now, [2e6; 5].into_iter()), 0);
        assert_eq!(follow(&mut choice, &mut now, [2e6; 10].into_iter()), 1);
        assert_eq!(choice.rung().height, 720);
    }

    #[test]
    fn a_rate_that_grows_slowly_costs_a_key_frame_every_four_seconds_at_most() {
        let (mut choice, mut now) = (PictureChoice::new(100_000.0, 1080), Instant::now());
        let ramp = (0..100).map(|n| 100_000.0 * 1.04_f64.powi(n));
        let changes = follow(&mut choice, &mut now, ramp);
        assert!((2..=3).contains(&changes), "{changes}");
    }

    /// Follows a rate for so long; answers whether pictures pause then.
    fn pause_after(pause: &mut PicturePause, now: &mut Instant, time: Duration, rate: f64) -> bool {
        let end = *now + time;
        while *now < end {
            *now += ms(100);
            pause.follow(*now, rate);
        }
        pause.is_paused()
    }

    #[test]
    fn pictures_pause_below_sixty_kilobits_and_come_back_above_seventy_after_six_seconds() {
        let (mut pause, mut now) = (PicturePause::new(), Instant::now());
        assert!(!pause_after(&mut pause, &mut now, ms(300), 50_000.0));
        assert!(!pause_after(&mut pause, &mut now, ms(300), 65_000.0));
        assert!(pause_after(&mut pause, &mut now, ms(700), 50_000.0));
        assert!(pause_after(&mut pause, &mut now, ms(20_000), 65_000.0));
        assert!(pause_after(&mut pause, &mut now, ms(5_900), 75_000.0));
        assert!(!pause_after(&mut pause, &mut now, ms(300), 75_000.0));
    }

    #[test]
    fn a_resumption_that_fails_makes_the_next_wait_longer() {
        let (mut pause, mut now) = (PicturePause::new(), Instant::now());
        pause_after(&mut pause, &mut now, ms(700), 50_000.0);
        assert!(!pause_after(&mut pause, &mut now, ms(6_200), 80_000.0));
        assert!(pause_after(&mut pause, &mut now, ms(700), 50_000.0));
        assert!(pause_after(&mut pause, &mut now, ms(11_000), 80_000.0));
        assert!(!pause_after(&mut pause, &mut now, ms(1_500), 80_000.0));
    }
}
