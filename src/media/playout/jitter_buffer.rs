//! Packets of sound as they arrive, in the order and at the pace in which they are to be heard.
//!
//! The buffer asks for just enough delay to make up for how unevenly packets arrive ([`super::arrival_spread`]). It decides
//! what comes next (a packet, a repair, a concealment) and whether time must be gained or lost; it decodes nothing. Pure:
//! told the time.
//!
//! Where a packet is merely late and nothing newer has come, time stands still: what is made up meanwhile lengthens the
//! delay, and shortening brings it back. Where newer packets have come, the missing one is given up. Silence that the far
//! end need not send is neither: it goes on, and is where delay is gained and lost unheard.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use super::arrival_spread::{ArrivalSpread, CAP, FLOOR};
use super::sound_losses::{Arrival, NEAR, Seen, SoundLosses};
use crate::media::capture_clock::Unwrapped;
use crate::media::codec::audio_decoder::{is_quiet, milliseconds, repeats_predecessor};

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
    /// The far end is silent and sends nothing: let the silence go on.
    Quiet {
        /// For how long.
        milliseconds: u32,
    },
}

/// How the time in hand compares with the time needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pace {
    /// Too much in hand: shorten. In a hurry when it is so much that a seam is the lesser evil.
    Shorten {
        hurry: bool,
    },
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
    spread: ArrivalSpread,
    losses: SoundLosses,
    /// The least delay, asked for by whoever has to wait for something else.
    least: f64,
    /// The delays at the last pieces: the shortest is what there is to spare.
    delays: VecDeque<f64>,
    /// The last packet taken was silence.
    quiet: bool,
    /// Milliseconds made up in a row while nothing came.
    stood_still: i64,
    /// Milliseconds made up in a row, for whatever reason.
    made_up: i64,
    /// The delay at the packet taken last.
    kept: f64,
    late: u64,
    /// Milliseconds of silence left out and put in.
    stretched_silence: u64,
    /// Packets in a row that seemed to be here already.
    old_in_a_row: u32,
}

#[derive(Clone, Copy, Debug)]
enum Playing {
    /// Nothing has come.
    Nothing,
    /// Waits until there is enough in hand to begin.
    Gathering,
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
            spread: ArrivalSpread::new(),
            losses: SoundLosses::default(),
            least: 0.0,
            delays: VecDeque::new(),
            quiet: false,
            stood_still: 0,
            made_up: 0,
            kept: FLOOR,
            late: 0,
            stretched_silence: 0,
            old_in_a_row: 0,
        }
    }

    /// Takes a packet, in whatever order and however often it comes.
    pub fn push(&mut self, timestamp: u32, packet: Bytes, now: Instant) {
        let Some(length) = milliseconds(&packet) else { return };
        let stamp = self.follow.follow(timestamp);
        let arrival = self.milliseconds(now);
        if self.losses.end().is_some_and(|end| (stamp - end).abs() > JUMP) || self.old_in_a_row > MOST_OLD {
            self.begin_again();
        }
        let seen = Seen {
            length: i64::from(length),
            quiet: is_quiet(&packet),
            repeats: repeats_predecessor(&packet),
        };
        match self.losses.on_packet(stamp, seen) {
            Arrival::Newest { repairs } => {
                self.spread.on_packet(arrival, stamp);
                if let Some(missing) = repairs {
                    self.spread.on_repair(arrival, missing);
                }
            }
            Arrival::Missed { repaired: false } => self.spread.on_repair(arrival, stamp),
            Arrival::Missed { repaired: true } => {}
            Arrival::Again => {
                self.old_in_a_row += 1;
                return;
            }
        }
        self.old_in_a_row = 0;
        match self.playing {
            Playing::Nothing => self.playing = Playing::Gathering,
            Playing::Running { next } if stamp + NEAR < next => {
                self.late += 1;
                return;
            }
            Playing::Gathering | Playing::Running { .. } => {}
        }
        self.packets.insert(stamp, packet);
        while self.packets.len() > MOST_PACKETS {
            self.packets.pop_first();
        }
    }

    /// The far end's clock began anew: nothing learnt about the old one holds.
    fn begin_again(&mut self) {
        self.packets.clear();
        self.spread = ArrivalSpread::new();
        self.losses.begin_again();
        self.playing = Playing::Nothing;
        self.delays.clear();
        self.old_in_a_row = 0;
    }

    /// What to decode next, when so many milliseconds of decoded sound wait to be heard.
    pub fn step(&mut self, now: Instant, decoded_ms: f64) -> Step {
        let now = self.milliseconds(now);
        let next = match self.playing {
            Playing::Nothing => return Step::Wait,
            Playing::Running { next } => next,
            Playing::Gathering => match self.beginning(now) {
                Some(first) => first,
                None => return Step::Wait,
            },
        };
        self.playing = Playing::Running { next };
        let delay = now - self.spread.base() - (next as f64 - decoded_ms);
        let excess = delay - self.target();
        let Some((&found, _)) = self.packets.range(next - NEAR..).next() else {
            return self.go_on_without(next, decoded_ms);
        };
        self.stood_still = 0;
        let found =
            if excess > FAR_TOO_LATE { self.skip_to((next as f64 + excess) as i64, found) } else { found };
        let gap = found - next;
        if self.quiet
            && let Some(step) = self.quietly(next, found, excess, decoded_ms)
        {
            return step;
        }
        if gap <= NEAR {
            self.kept = delay;
            return self.take(found);
        }
        if excess >= (gap - PIECE) as f64 || excess > FAR_TOO_LATE || self.gap_is_long_enough(gap, delay) {
            return self.take(found);
        }
        let Some(packet) = self.packets.get(&found) else { return Step::Wait };
        let length = i64::from(milliseconds(packet).unwrap_or(LENGTH));
        let missing = gap.min(length);
        let repairs = gap <= length + NEAR && repeats_predecessor(packet);
        let next_packet = packet.clone();
        self.playing = Playing::Running { next: next + missing };
        // Stamps are rounded: what is about a packet is one.
        let missing = if length - missing <= NEAR { length } else { missing };
        let milliseconds = u32::try_from(missing).unwrap_or(LENGTH);
        if repairs {
            self.made_up = 0;
            return Step::Repair { next_packet, milliseconds };
        }
        self.made_up += missing;
        Step::Conceal { milliseconds }
    }

    /// Whether what is missing yet is better left out than made up too. More delay than before is no reason to make a long
    /// gap longer: stretching gains it unheard. Beyond some length a little delay is given away for the gap's end.
    fn gap_is_long_enough(&self, missing: i64, delay: f64) -> bool {
        let least =
            if self.made_up >= LONG_GAP { LEAST_LEFT } else { self.kept.min(self.target()) - PIECE as f64 };
        self.made_up + missing > LONG_GAP && delay - missing as f64 >= least
    }

    /// Whether sound should be shortened or lengthened now, when so much decoded sound waits to be heard. Asked once for
    /// every piece that is heard.
    pub(crate) fn pace(&mut self, now: Instant, decoded_ms: f64) -> Pace {
        let Playing::Running { next } = self.playing else { return Pace::Keep };
        let delay = self.milliseconds(now) - self.spread.base() - (next as f64 - decoded_ms);
        self.delays.push_back(delay);
        while self.delays.len() > WATCHED {
            self.delays.pop_front();
        }
        let Some(spare) = self.spare(decoded_ms) else { return Pace::Keep };
        let target = self.target();
        if spare > target + TOO_MUCH {
            Pace::Shorten { hurry: spare > target + MUCH_TOO_MUCH }
        } else if self.has_too_little(decoded_ms) {
            Pace::Lengthen
        } else {
            Pace::Keep
        }
    }

    /// Whether enough would be left if sound in hand became so much shorter, so that this much of it is left.
    pub(crate) fn bears(&self, shorter_ms: f64, decoded_ms: f64) -> bool {
        self.spare(decoded_ms).is_none_or(|spare| spare - shorter_ms >= self.target() - TOO_LITTLE / 2.0)
    }

    /// Sound in hand became longer by so many milliseconds, or shorter.
    pub(crate) fn on_stretched(&mut self, longer_ms: f64) {
        self.delays.iter_mut().for_each(|delay| *delay += longer_ms);
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
            Playing::Nothing | Playing::Gathering => None,
        }
    }

    /// Asks for at least so much delay, in milliseconds beyond the fastest packet's.
    pub(crate) fn set_least(&mut self, least_ms: f64) {
        self.least = least_ms;
    }

    /// The delay aimed at, in milliseconds beyond the fastest packet's.
    pub(crate) fn target_ms(&self) -> u32 {
        self.target() as u32
    }

    /// The shortest delay of late, in milliseconds beyond the fastest packet's.
    pub(crate) fn delay_ms(&self) -> Option<f64> {
        self.delays.iter().copied().reduce(f64::min)
    }

    /// What was lost on the way here.
    pub(crate) fn losses(&self) -> &SoundLosses {
        &self.losses
    }

    /// Milliseconds of silence left out and put in to keep the delay.
    pub(crate) fn stretched_silence_ms(&self) -> u64 {
        self.stretched_silence
    }

    /// Packets that came after their sound was due.
    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    fn target(&self) -> f64 {
        self.spread.wanted().max(self.least).clamp(FLOOR, CAP)
    }

    fn take(&mut self, found: i64) -> Step {
        let Some(packet) = self.packets.remove(&found) else { return Step::Wait };
        let length = milliseconds(&packet).unwrap_or(LENGTH);
        self.quiet = is_quiet(&packet);
        self.made_up = 0;
        self.playing = Playing::Running { next: found + i64::from(length) };
        Step::Packet(packet)
    }

    /// Where to begin, once the oldest packet worth hearing has waited long enough.
    fn beginning(&mut self, now: f64) -> Option<i64> {
        let wait = self.target().min(LONGEST_FIRST_WAIT);
        let heard = now - self.spread.base() - wait;
        // Of what was held back while nothing came through, only the end is still wanted.
        while self.packets.len() > 1
            && let Some(first) =
                self.packets.first_entry().filter(|first| *first.key() as f64 + STALE < heard)
        {
            first.remove();
        }
        self.packets.first_key_value().map(|(first, _)| *first).filter(|first| *first as f64 <= heard)
    }

    /// Nothing to take at all.
    fn go_on_without(&mut self, next: i64, decoded_ms: f64) -> Step {
        let milliseconds = PIECE as u32;
        if self.quiet {
            if self.has_too_little(decoded_ms) {
                return self.quiet_for_longer();
            }
            self.playing = Playing::Running { next: next + PIECE };
            return Step::Quiet { milliseconds };
        }
        // Time stands still, so a packet that is merely late will still be heard.
        self.stood_still += PIECE;
        if self.stood_still > STANDSTILL {
            self.stood_still = 0;
            self.delays.clear();
            self.playing = Playing::Gathering;
            return Step::Wait;
        }
        self.made_up += PIECE;
        self.on_stretched(PIECE as f64);
        Step::Conceal { milliseconds }
    }

    /// In silence, delay is gained and lost unheard. `None` when the packet found is to be taken as always.
    fn quietly(&mut self, next: i64, found: i64, excess: f64, decoded_ms: f64) -> Option<Step> {
        let goes_on = self.packets.get(&found).is_some_and(|packet| is_quiet(packet));
        let gap = found - next;
        let spare = self.spare(decoded_ms);
        if gap > NEAR {
            // Nothing was sent in between. What is too much is cut out of it.
            if excess >= gap as f64 {
                self.stretched_silence += gap.unsigned_abs();
                return Some(self.take(found));
            }
            if self.has_too_little(decoded_ms) {
                return Some(self.quiet_for_longer());
            }
            let step = gap.min(PIECE);
            self.playing = Playing::Running { next: next + step };
            return Some(Step::Quiet { milliseconds: u32::try_from(step).unwrap_or(0) });
        }
        if goes_on && self.has_too_little(decoded_ms) {
            return Some(self.quiet_for_longer());
        }
        let length = self.packets.get(&found).and_then(|packet| milliseconds(packet)).unwrap_or(LENGTH);
        let length = f64::from(length);
        if goes_on && spare.is_some_and(|spare| spare > self.target() + length) {
            self.packets.remove(&found);
            self.playing = Playing::Running { next: found + length as i64 };
            self.on_stretched(-length);
            self.stretched_silence += length as u64;
            return Some(Step::Quiet { milliseconds: 0 });
        }
        None
    }

    fn has_too_little(&self, decoded_ms: f64) -> bool {
        self.spare(decoded_ms).is_some_and(|spare| spare < self.target() - TOO_LITTLE)
    }

    /// Time stands still in silence.
    fn quiet_for_longer(&mut self) -> Step {
        self.on_stretched(PIECE as f64);
        self.stretched_silence += PIECE.unsigned_abs();
        Step::Quiet { milliseconds: PIECE as u32 }
    }

    /// What there is to spare of late, once there was time to see it, with so much sound decoded. A packet is needed as soon
    /// as what is decoded fills no piece, so what is left beyond pieces is no time to spare.
    fn spare(&self, decoded_ms: f64) -> Option<f64> {
        let shortest = self.delay_ms().filter(|_| self.delays.len() >= WATCHED);
        shortest.map(|shortest| shortest - decoded_ms % PIECE as f64)
    }

    /// After a standstill: leaves out what nobody wants to hear any more. The stamp to go on at.
    fn skip_to(&mut self, stamp: i64, found: i64) -> i64 {
        let newest = self.packets.last_key_value().map_or(found, |(newest, _)| *newest);
        let from = stamp.min(newest);
        self.packets = self.packets.split_off(&from);
        self.delays.clear();
        self.packets.first_key_value().map_or(found, |(first, _)| *first)
    }

    fn milliseconds(&mut self, at: Instant) -> f64 {
        let origin = *self.origin.get_or_insert(at);
        at.saturating_duration_since(origin).as_secs_f64() * 1000.0
    }
}

/// Ten seconds of packets.
const MOST_PACKETS: usize = 500;
/// The length of a packet, unless it says otherwise, in milliseconds.
const LENGTH: u32 = 20;
/// Milliseconds made up at a time while nothing comes.
const PIECE: i64 = 10;
/// More delay than this beyond the target, in milliseconds, is not shortened away but left out.
const FAR_TOO_LATE: f64 = 150.0;
/// A stamp this far from what is due, in milliseconds, belongs to another beginning.
const JUMP: i64 = 60_000;
/// So many old packets in a row are no repetitions: the far end counts from another beginning, less far away.
const MOST_OLD: u32 = 25;
/// After so many milliseconds without anything the line is dead, and what comes next is a new beginning.
const STANDSTILL: i64 = 200;
/// A gap of so many milliseconds is heard as one.
const LONG_GAP: i64 = 40;
/// So much delay must be left, in milliseconds, when some is given away for the end of a gap.
const LEAST_LEFT: f64 = 20.0;
/// A person who waits for sound waits no longer than this for more of it to come, in milliseconds.
const LONGEST_FIRST_WAIT: f64 = 60.0;
/// At a beginning, what is this much older than it need be is left out, in milliseconds.
const STALE: f64 = 20.0;
/// Pieces of 10 ms over which the shortest delay is looked for: longer than a loudspeaker's own rhythm.
const WATCHED: usize = 30;
/// Milliseconds beyond the target, and short of it, before anything is done about it.
const TOO_MUCH: f64 = 12.0;
const TOO_LITTLE: f64 = 2.5;
const MUCH_TOO_MUCH: f64 = 60.0;

#[cfg(test)]
mod tests;
