//! Packets of sound as they arrive, in the order and at the pace in which they are to be heard.
//!
//! The buffer learns how unevenly packets arrive and asks for just enough delay. It decides what comes next (a packet,
//! a repair, a concealment) and whether time must be gained or lost; it decodes nothing. Pure: told the time.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::media::capture_clock::Unwrapped;

/// What to do for the next piece of sound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing has come yet, or not enough: silence that nobody misses.
    Wait,
    /// Decode this packet.
    Packet(Bytes),
    /// One packet is missing: take its sound from what its successor repeats of it.
    Repair {
        /// The successor.
        next_packet: Bytes,
        /// How much is missing.
        milliseconds: u32,
    },
    /// Make something up.
    Conceal {
        /// How much.
        milliseconds: u32,
    },
}

/// How the time in hand compares with the time needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pace {
    /// Too much in hand: shorten.
    Shorten,
    Keep,
    /// Too little: lengthen.
    Lengthen,
}

/// The jitter buffer.
#[derive(Debug)]
pub struct JitterBuffer {
    origin: Option<Instant>,
    follow: Unwrapped,
    packets: BTreeMap<i64, Bytes>,
    playing: Playing,
    /// When packets came, less their stamps: arrival, and the difference in milliseconds.
    offsets: VecDeque<(f64, f64)>,
    target: f64,
    smoothed_delay: Option<f64>,
    #[cfg(test)]
    late: u64,
}

#[derive(Clone, Copy, Debug)]
enum Playing {
    /// Nothing has come.
    Nothing,
    /// Waits until there is enough in hand to begin at this stamp.
    Gathering { next: i64 },
    /// The stamp of the next packet to be taken.
    Running { next: i64 },
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl JitterBuffer {
    /// A buffer that has learnt nothing.
    pub fn new() -> Self {
        Self {
            origin: None,
            follow: Unwrapped::default(),
            packets: BTreeMap::new(),
            playing: Playing::Nothing,
            offsets: VecDeque::new(),
            target: START,
            smoothed_delay: None,
            #[cfg(test)]
            late: 0,
        }
    }

    /// Takes a packet, in whatever order and however often it comes.
    pub fn push(&mut self, timestamp: u32, packet: Bytes, now: Instant) {
        let stamp = self.follow.follow(timestamp);
        let arrival = self.milliseconds(now);
        if let Playing::Running { next } | Playing::Gathering { next } = self.playing
            && (stamp - next).abs() > JUMP
        {
            // The far end began again: nothing learnt about the old clock holds.
            self.packets.clear();
            self.offsets.clear();
            self.playing = Playing::Nothing;
            self.smoothed_delay = None;
        }
        self.learn(arrival, stamp);
        match &mut self.playing {
            Playing::Nothing => self.playing = Playing::Gathering { next: stamp },
            Playing::Gathering { next } => *next = stamp.min(*next),
            Playing::Running { next } if stamp + NEAR < *next => {
                #[cfg(test)]
                {
                    self.late += 1;
                }
                return;
            }
            Playing::Running { .. } => {}
        }
        self.packets.insert(stamp, packet);
        while self.packets.len() > MOST_PACKETS {
            self.packets.pop_first();
        }
    }

    /// What to decode next, when so many milliseconds of decoded sound wait to be heard.
    pub fn step(&mut self, now: Instant, decoded_ms: f64) -> Step {
        let now = self.milliseconds(now);
        let next = match self.playing {
            Playing::Nothing => return Step::Wait,
            Playing::Gathering { next } => {
                if now - (self.base() + next as f64) < self.target {
                    return Step::Wait;
                }
                self.playing = Playing::Running { next };
                next
            }
            Playing::Running { next } => next,
        };
        let excess = now - self.base() - (next as f64 - decoded_ms) - self.target;
        let Some((&found, _)) = self.packets.range(next - NEAR..).next() else {
            // Nothing at all: time stands still here, so a packet that is merely late will still be heard.
            return Step::Conceal { milliseconds: PIECE };
        };
        let found =
            if excess > FAR_TOO_LATE { self.skip_to((next as f64 + excess) as i64, found) } else { found };
        let gap = found - next;
        if gap <= NEAR || excess >= gap as f64 - 10.0 || excess > FAR_TOO_LATE {
            return self.take(found);
        }
        let missing = gap.min(i64::from(PIECE));
        self.playing = Playing::Running { next: next + missing };
        let milliseconds = u32::try_from(missing).unwrap_or(PIECE);
        match self.packets.get(&found) {
            Some(packet) if gap <= i64::from(PIECE) + NEAR => {
                Step::Repair { next_packet: packet.clone(), milliseconds }
            }
            _ => Step::Conceal { milliseconds },
        }
    }

    /// Whether sound should be shortened or lengthened now, when so much decoded sound waits to be heard.
    pub(crate) fn pace(&mut self, now: Instant, decoded_ms: f64) -> Pace {
        let Playing::Running { next } = self.playing else { return Pace::Keep };
        let delay = self.milliseconds(now) - self.base() - (next as f64 - decoded_ms);
        let smoothed = self.smoothed_delay.map_or(delay, |before| before + (delay - before) * 0.1);
        self.smoothed_delay = Some(smoothed);
        if smoothed > self.target + 20.0 && delay > self.target + 10.0 {
            Pace::Shorten
        } else if smoothed < self.target - 15.0 && delay < self.target - 5.0 {
            Pace::Lengthen
        } else {
            Pace::Keep
        }
    }

    /// Whether the very next packet is here.
    pub(crate) fn has_next(&self) -> bool {
        let Playing::Running { next } = self.playing else { return false };
        self.packets.range(next - NEAR..=next + NEAR).next().is_some()
    }

    /// The stamp of the next sample to be heard, when so much decoded sound waits before it.
    pub(crate) fn position(&self, decoded_ms: f64) -> Option<f64> {
        match self.playing {
            Playing::Running { next } => Some(next as f64 - decoded_ms),
            Playing::Nothing | Playing::Gathering { .. } => None,
        }
    }

    /// The delay aimed at, in milliseconds beyond the fastest packet's.
    pub(crate) fn target_ms(&self) -> u32 {
        self.target as u32
    }

    /// Packets that came after their sound was due.
    #[cfg(test)]
    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    fn take(&mut self, found: i64) -> Step {
        let Some(packet) = self.packets.remove(&found) else { return Step::Wait };
        let length = crate::media::codec::audio_decoder::milliseconds(&packet).unwrap_or(PIECE);
        self.playing = Playing::Running { next: found + i64::from(length) };
        Step::Packet(packet)
    }

    /// After a standstill: leaves out what nobody wants to hear any more. The stamp to go on at.
    fn skip_to(&mut self, stamp: i64, found: i64) -> i64 {
        let newest = self.packets.last_key_value().map_or(found, |(newest, _)| *newest);
        let from = stamp.min(newest);
        self.packets = self.packets.split_off(&from);
        self.packets.first_key_value().map_or(found, |(first, _)| *first)
    }

    fn milliseconds(&mut self, at: Instant) -> f64 {
        let origin = *self.origin.get_or_insert(at);
        at.saturating_duration_since(origin).as_secs_f64() * 1000.0
    }

    /// The offset of the fastest packet of late.
    fn base(&self) -> f64 {
        self.offsets.iter().map(|(_, offset)| *offset).fold(f64::INFINITY, f64::min)
    }

    fn learn(&mut self, arrival: f64, stamp: i64) {
        self.offsets.push_back((arrival, arrival - stamp as f64));
        while self.offsets.len() > MOST_PACKETS
            || self.offsets.front().is_some_and(|(at, _)| arrival - at > WINDOW.as_secs_f64() * 1000.0)
        {
            self.offsets.pop_front();
        }
        let base = self.base();
        let mut spread: Vec<f64> = self.offsets.iter().map(|(_, offset)| offset - base).collect();
        spread.sort_by(f64::total_cmp);
        let wanted = spread.get(spread.len() * 95 / 100).copied().unwrap_or(0.0) + MARGIN;
        // Until enough is known the start value stands.
        let wanted = if spread.len() < 50 { wanted.max(START) } else { wanted };
        // More delay is needed at once; less is a luxury that can wait.
        let step = if wanted > self.target { wanted - self.target } else { (wanted - self.target) * 0.02 };
        self.target = (self.target + step).clamp(FLOOR, CAP);
    }
}

/// Delays in milliseconds: what is asked for before anything is known, and the limits.
const START: f64 = 40.0;
const FLOOR: f64 = 20.0;
const CAP: f64 = 300.0;
/// Beyond the 95th percentile: the speaker takes sound in pieces of its own.
const MARGIN: f64 = 15.0;
/// How long arrivals are remembered.
const WINDOW: Duration = Duration::from_secs(10);
/// Ten seconds of packets.
const MOST_PACKETS: usize = 500;
/// The length of a packet, unless it says otherwise, in milliseconds.
const PIECE: u32 = 20;
/// Stamps this near, in milliseconds, mean the same moment: other programs round.
const NEAR: i64 = 9;
/// More delay than this beyond the target is not shortened away but left out.
const FAR_TOO_LATE: f64 = 120.0;
/// A stamp this far from what is due, in milliseconds, belongs to another beginning.
const JUMP: i64 = 60_000;

#[cfg(test)]
mod tests;
