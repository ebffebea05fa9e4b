//! How much picture the way to the far end carries: from the call's figures to a bit rate, a size and a picture rate.
//! Pure, stepped a few times a second. Sound comes first: its share is never offered to the pictures.
//!
//! The rate falls by a third when the queue grows old or losses are heavy, and grows slowly while both are low. Losses
//! alone, below a tenth, change nothing: radio links lose packets without being full.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What pictures start with, in bits a second.
const START: f64 = 1_500_000.0;
/// The least, at which the smallest picture still moves.
const LEAST: f64 = 100_000.0;
/// The most.
const MOST: f64 = 2_500_000.0;
/// Losses are judged over so long.
const WINDOW: Duration = Duration::from_secs(2);
/// A fall is given so long to show before the next.
const AFTER_A_FALL: Duration = Duration::from_millis(800);
/// No growth for so long after a fall.
const CALM: Duration = Duration::from_secs(3);
/// Of growth, a second.
const GROWTH: f64 = 0.06;

/// Sizes by the least rate that feeds them, largest first: bits a second, width, height, pictures a second.
const SIZES: [(f64, u32, u32, f32); 5] = [
    (800_000.0, 1280, 720, 30.0),
    (450_000.0, 960, 540, 30.0),
    (220_000.0, 640, 360, 30.0),
    (130_000.0, 480, 270, 20.0),
    (0.0, 320, 180, 15.0),
];

/// The call's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// Fragments sent so far.
    pub(crate) sent: u64,
    /// Of them, declared lost.
    pub(crate) lost: u64,
    /// Bytes of pictures queued and not acknowledged.
    pub(crate) queued: usize,
    /// Smoothed round trip.
    pub(crate) round_trip: Option<Duration>,
}

/// What the encoder should make: upper limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SendTarget {
    /// Bits of picture a second.
    pub bits_per_second: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Pictures a second.
    pub frames_per_second: f32,
}

/// Decides the rate.
#[derive(Debug)]
pub(crate) struct RateControl {
    rate: f64,
    size: usize,
    window: VecDeque<(Instant, Sample)>,
    last_fall: Option<Instant>,
    told: Option<SendTarget>,
}

impl RateControl {
    /// At the start of a call.
    pub(crate) fn new() -> Self {
        Self { rate: START, size: 0, window: VecDeque::new(), last_fall: None, told: None }
    }

    /// Percent of fragments lost over the last two seconds.
    pub(crate) fn loss_percent(&self) -> f64 {
        let (Some((_, first)), Some((_, last))) = (self.window.front(), self.window.back()) else {
            return 0.0;
        };
        let sent = last.sent.saturating_sub(first.sent);
        let lost = last.lost.saturating_sub(first.lost);
        if sent == 0 { 0.0 } else { (lost as f64 / sent as f64 * 100.0).min(100.0) }
    }

    /// Takes the figures; answers a target when it is worth changing the encoder for.
    pub(crate) fn step(&mut self, now: Instant, sample: Sample) -> Option<SendTarget> {
        let before = self.window.back().map_or(now, |(at, _)| *at);
        self.window.push_back((now, sample));
        while self.window.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.window.pop_front();
        }
        let loss = self.loss_percent();
        // What is in flight for one round trip is no queue.
        let travelling = self.rate / 8.0 * sample.round_trip.unwrap_or_default().as_secs_f64();
        let waiting = (sample.queued as f64 - travelling).max(0.0);
        let queue_seconds = waiting / (self.rate / 8.0);
        let since_fall = self.last_fall.map(|at| now.saturating_duration_since(at));
        if (queue_seconds > 0.35 || loss > 12.0) && since_fall.is_none_or(|since| since > AFTER_A_FALL) {
            self.rate = (self.rate * 0.67).max(LEAST);
            self.last_fall = Some(now);
        } else if queue_seconds < 0.15 && loss < 6.0 && since_fall.is_none_or(|since| since > CALM) {
            let passed = now.saturating_duration_since(before).as_secs_f64().min(1.0);
            self.rate = (self.rate * (1.0 + GROWTH * passed)).min(MOST);
        }
        self.choose_size();
        self.target_if_new()
    }

    /// Down at once when the rate does not feed a size; up only when it feeds it amply.
    fn choose_size(&mut self) {
        while self.rate < SIZES[self.size].0 {
            self.size += 1;
        }
        while self.size > 0 && self.rate > SIZES[self.size - 1].0 * 1.3 {
            self.size -= 1;
        }
    }

    fn target_if_new(&mut self) -> Option<SendTarget> {
        let (_, width, height, frames_per_second) = SIZES[self.size];
        let target = SendTarget { bits_per_second: self.rate as u32, width, height, frames_per_second };
        let worth_it = self.told.is_none_or(|told| {
            let change = f64::from(told.bits_per_second) / self.rate;
            told.width != width || !(0.93..1.07).contains(&change)
        });
        if worth_it {
            self.told = Some(target);
        }
        worth_it.then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps for so many seconds, ten times a second, and answers the last target.
    fn run(control: &mut RateControl, start: Instant, seconds: u32, loss: f64, queued: usize) -> SendTarget {
        let mut target = control.told;
        let (mut sent, mut lost) = control.window.back().map_or((0, 0), |(_, last)| (last.sent, last.lost));
        for step in 0..seconds * 10 {
            sent += 100;
            lost += (100.0 * loss) as u64;
            let sample = Sample { sent, lost, queued, round_trip: Some(Duration::from_millis(50)) };
            target = control.step(start + Duration::from_millis(100) * step, sample).or(target);
        }
        target.expect("the first step always tells")
    }

    #[test]
    fn a_clear_way_is_used_up_to_the_most() {
        let target = run(&mut RateControl::new(), Instant::now(), 30, 0.0, 0);
        assert!(target.bits_per_second > 2_200_000, "{target:?}");
        assert_eq!(target.width, 1280);
    }

    #[test]
    fn five_percent_of_losses_lower_nothing() {
        let target = run(&mut RateControl::new(), Instant::now(), 10, 0.05, 0);
        assert!(target.bits_per_second >= START as u32, "{target:?}");
    }

    #[test]
    fn an_old_queue_makes_the_picture_smaller_and_a_clear_way_brings_it_back_slowly() {
        let start = Instant::now();
        let mut control = RateControl::new();
        let low = run(&mut control, start, 10, 0.0, 400_000);
        assert!(low.width < 640, "{low:?}");
        assert!(low.bits_per_second >= LEAST as u32);
        let soon = run(&mut control, start + Duration::from_secs(10), 5, 0.0, 0);
        assert!(soon.width <= 480, "{soon:?}");
    }

    #[test]
    fn heavy_losses_lower_the_rate_step_by_step() {
        let target = run(&mut RateControl::new(), Instant::now(), 2, 0.3, 0);
        assert!((400_000..1_100_000).contains(&target.bits_per_second), "{target:?}");
    }
}
