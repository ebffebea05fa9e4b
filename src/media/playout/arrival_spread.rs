//! How unevenly packets of sound arrive, and how much delay makes up for it.
//!
//! Every packet's delay beyond the fastest of late goes into a histogram that forgets within some ten seconds. The delay
//! asked for is the one at which waiting longer costs more than what still comes too late. Two watches stand beside it:
//! one sees at once when delays grow, the other remembers spikes that come again and again. Pure: told the time.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;

/// Delays of packets as they come. All times are in milliseconds.
#[derive(Debug)]
pub(crate) struct ArrivalSpread {
    /// Arrival, and arrival less stamp, of packets that none since was faster than; the fastest first.
    fastest: VecDeque<(f64, f64)>,
    histogram: Vec<f64>,
    total: f64,
    /// What one packet adds. It grows instead of everything else shrinking.
    weight: f64,
    /// Arrival and delay of the packets of the last second that came in order.
    lately: VecDeque<(f64, f64)>,
    /// When spikes came, and how high they were.
    spikes: VecDeque<(f64, f64)>,
    wanted: f64,
    learnt: u32,
}

impl ArrivalSpread {
    /// Nothing is known yet.
    pub(crate) fn new() -> Self {
        Self {
            fastest: VecDeque::new(),
            histogram: vec![0.0; BUCKETS],
            total: 0.0,
            weight: 1.0,
            lately: VecDeque::new(),
            spikes: VecDeque::new(),
            wanted: START,
            learnt: 0,
        }
    }

    /// Arrival less stamp of the fastest packet of late: what a delay is counted from. Infinite before the first packet.
    pub(crate) fn base(&self) -> f64 {
        self.fastest.front().map_or(f64::INFINITY, |(_, offset)| *offset)
    }

    /// The delay beyond the fastest packet's at which sound should be heard.
    pub(crate) fn wanted(&self) -> f64 {
        self.wanted
    }

    /// A packet came before all its successors.
    pub(crate) fn on_packet(&mut self, arrival: f64, stamp: i64) {
        let offset = arrival - stamp as f64;
        while self.fastest.back().is_some_and(|(_, other)| *other >= offset) {
            self.fastest.pop_back();
        }
        self.fastest.push_back((arrival, offset));
        while self.fastest.front().is_some_and(|(at, _)| arrival - at > BASE_WINDOW) {
            self.fastest.pop_front();
        }
        let delay = offset - self.base();
        self.lately.push_back((arrival, delay));
        while self.lately.front().is_some_and(|(at, _)| arrival - at > LATELY) {
            self.lately.pop_front();
        }
        self.note_spike(arrival, delay);
        self.count(delay);
        self.want(arrival);
    }

    /// A packet that had seemed lost became known now, by itself or from what its successor repeats of it.
    pub(crate) fn on_repair(&mut self, arrival: f64, stamp: i64) {
        let delay = arrival - stamp as f64 - self.base();
        if delay.is_finite() {
            self.count(delay);
            self.want(arrival);
        }
    }

    fn count(&mut self, delay: f64) {
        self.learnt = self.learnt.saturating_add(1);
        let bucket = ((delay / BUCKET).ceil().max(0.0) as usize).min(BUCKETS - 1);
        if let Some(count) = self.histogram.get_mut(bucket) {
            *count += self.weight;
            self.total += self.weight;
        }
        self.weight *= 1.0 + 1.0 / REMEMBERED;
        if self.weight > 1e6 {
            self.histogram.iter_mut().for_each(|count| *count /= 1e6);
            self.total /= 1e6;
            self.weight /= 1e6;
        }
    }

    fn note_spike(&mut self, arrival: f64, delay: f64) {
        while self.spikes.front().is_some_and(|(at, _)| arrival - at > SPIKES_REMEMBERED) {
            self.spikes.pop_front();
        }
        if !(self.usual() + SPIKE..=CAP).contains(&delay) {
            return;
        }
        match self.spikes.back_mut() {
            Some((at, height)) if arrival - *at < ONE_SPIKE => *height = height.max(delay),
            _ => self.spikes.push_back((arrival, delay)),
        }
    }

    fn want(&mut self, arrival: f64) {
        let mut wanted = self.usual().max(self.grown()).max(self.spiky(arrival)) + MARGIN;
        if self.learnt < ENOUGH {
            wanted = wanted.max(START);
        }
        let wanted = wanted.clamp(FLOOR, CAP);
        // More is needed at once; less is a luxury that can wait.
        let share = if wanted > self.wanted { 1.0 } else { 0.02 };
        self.wanted += (wanted - self.wanted) * share;
    }

    /// The delay at which waiting for the next late packet would cost more than losing it.
    fn usual(&self) -> f64 {
        let mut later = self.total;
        let mut best = (f64::INFINITY, 0.0);
        for (bucket, count) in self.histogram.iter().enumerate() {
            later -= count;
            let delay = bucket as f64 * BUCKET;
            let cost = delay + COST_OF_A_PERCENT * 100.0 * later / self.total.max(1e-9);
            if cost < best.0 {
                best = (cost, delay);
            }
        }
        best.1
    }

    /// What the last second asks for: its second-longest delay, for one alone may be chance.
    fn grown(&self) -> f64 {
        let (mut first, mut second) = (0.0_f64, 0.0_f64);
        for (_, delay) in self.lately.iter().filter(|(_, delay)| *delay <= CAP) {
            if *delay > first {
                (first, second) = (*delay, first);
            } else {
                second = second.max(*delay);
            }
        }
        second
    }

    /// The height of spikes that come again and again, until one stays out for twice as long as they were apart.
    fn spiky(&self, now: f64) -> f64 {
        let apart =
            self.spikes.iter().zip(self.spikes.iter().skip(1)).map(|(a, b)| b.0 - a.0).fold(0.0, f64::max);
        let last = self.spikes.back().map_or(f64::NEG_INFINITY, |(at, _)| *at);
        if self.spikes.len() < 2 || now - last > 2.0 * apart {
            return 0.0;
        }
        self.spikes.iter().map(|(_, height)| *height).fold(0.0, f64::max)
    }
}

/// What is asked for before anything is known, and the limits.
const START: f64 = 40.0;
pub(crate) const FLOOR: f64 = 10.0;
pub(crate) const CAP: f64 = 300.0;
/// Beyond what was measured, because it was measured in the past.
const MARGIN: f64 = 4.0;
/// Packets before the histogram is believed to be complete.
const ENOUGH: u32 = 50;
/// So much waiting is worth a percent of the sound.
const COST_OF_A_PERCENT: f64 = 10.0;
/// How long the fastest packet counts. Two clocks that differ by 300 millionths move 1 ms apart in it.
const BASE_WINDOW: f64 = 4_000.0;
/// The histogram remembers so many packets: eight seconds of them.
const REMEMBERED: f64 = 400.0;
const BUCKET: f64 = 2.0;
/// Up to 400 ms; what comes later is lost whatever is waited for.
const BUCKETS: usize = 201;
const LATELY: f64 = 1_000.0;
/// So far beyond the usual a delay is a spike, and what comes within half a second belongs to it.
const SPIKE: f64 = 30.0;
const ONE_SPIKE: f64 = 500.0;
const SPIKES_REMEMBERED: f64 = 20_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands over a packet every 20 ms from one moment on, each so late.
    fn arrive(spread: &mut ArrivalSpread, from: i64, packets: i64, late: impl Fn(i64) -> f64) {
        for n in 0..packets {
            let stamp = from + n * 20;
            spread.on_packet(stamp as f64 + late(n), stamp);
        }
    }

    #[test]
    fn an_even_line_needs_next_to_nothing_and_an_uneven_one_nearly_all_of_its_spread() {
        let (mut even, mut uneven) = (ArrivalSpread::new(), ArrivalSpread::new());
        arrive(&mut even, 0, 500, |n| (n * 7919 % 5) as f64);
        arrive(&mut uneven, 0, 500, |n| (n * 7919 % 80) as f64);
        assert!(even.wanted() <= 14.0, "{}", even.wanted());
        assert!((70.0..=90.0).contains(&uneven.wanted()), "{}", uneven.wanted());
    }

    #[test]
    fn growth_is_followed_within_two_packets_and_forgotten_within_twenty_seconds() {
        let mut spread = ArrivalSpread::new();
        arrive(&mut spread, 0, 500, |_| 0.0);
        arrive(&mut spread, 10_000, 2, |_| 60.0);
        assert!(spread.wanted() >= 60.0, "{}", spread.wanted());
        arrive(&mut spread, 10_040, 1_000, |_| 0.0);
        assert!(spread.wanted() <= 20.0, "{}", spread.wanted());
    }

    #[test]
    fn one_late_packet_alone_changes_nothing() {
        let mut spread = ArrivalSpread::new();
        arrive(&mut spread, 0, 500, |n| if n == 400 { 150.0 } else { 0.0 });
        assert!(spread.wanted() <= 15.0, "{}", spread.wanted());
    }

    #[test]
    fn spikes_that_come_every_few_seconds_are_waited_for_until_they_stay_away() {
        let mut spread = ArrivalSpread::new();
        arrive(&mut spread, 0, 900, |n| if n % 200 == 199 { 120.0 } else { 0.0 });
        assert!(spread.wanted() >= 120.0, "{}", spread.wanted());
        arrive(&mut spread, 18_000, 1_000, |_| 0.0);
        assert!(spread.wanted() <= 15.0, "{}", spread.wanted());
    }

    #[test]
    fn repairs_are_waited_for_when_many_are_needed_and_soon_there() {
        let (mut near, mut far) = (ArrivalSpread::new(), ArrivalSpread::new());
        for n in 0..500_i64 {
            let lost = n % 10 == 5;
            for (spread, way) in [(&mut near, 20.0), (&mut far, 180.0)] {
                if lost {
                    spread.on_repair((n * 20) as f64 + way, n * 20);
                } else {
                    spread.on_packet((n * 20) as f64, n * 20);
                }
            }
        }
        assert!((20.0..40.0).contains(&near.wanted()), "{}", near.wanted());
        assert!(far.wanted() <= 20.0, "{}", far.wanted());
    }

    #[test]
    fn clocks_that_drift_apart_look_like_no_delay() {
        let mut spread = ArrivalSpread::new();
        for n in 0..3_000_i64 {
            spread.on_packet((n * 20) as f64 * 1.0005, n * 20);
        }
        assert!(spread.wanted() <= 14.0, "{}", spread.wanted());
    }
}
