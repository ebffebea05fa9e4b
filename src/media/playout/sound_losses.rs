//! Which packets of sound are missing, and which of those came after all.
//!
//! Packets have no numbers, only stamps and lengths: where one ends, the next begins. A packet that comes after a later
//! one was lost on its way and sent again, or overtaken; either way the line needs a remedy, so both count as lost before
//! repair. Silence that the far end does not send is no loss. Pure.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::BTreeMap;

/// What a packet is to those before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// The newest so far.
    Newest {
        /// The packet before it is missing, and its sound can be had from this one.
        repairs: Option<i64>,
    },
    /// One that was missed.
    Missed {
        /// Whether its sound could be had from its successor already.
        repaired: bool,
    },
    /// It is here already, or too old to tell.
    Again,
}

/// What a packet says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Milliseconds of sound in it.
    pub(crate) length: i64,
    /// Whether nothing is heard in it, so that nothing need follow.
    pub(crate) quiet: bool,
    /// Whether it repeats its predecessor.
    pub(crate) repeats: bool,
}

/// Follows the stamps of one stream.
#[derive(Debug, Default)]
pub(crate) struct SoundLosses {
    /// The last second of packets by their stamp.
    fates: BTreeMap<i64, Fate>,
    /// Where the newest ends, and whether silence may follow.
    end: Option<(i64, bool)>,
    expected: u64,
    lost: u64,
    recovered: u64,
    /// Both of these again, as they were at steps of half a second.
    lately: Vec<(u64, u64)>,
    step_at: i64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Here,
    Missing { repaired: bool },
}

impl SoundLosses {
    /// A packet came. `stamp` does not wrap.
    pub(crate) fn on_packet(&mut self, stamp: i64, seen: Seen) -> Arrival {
        let Some((end, quiet)) = self.end else {
            self.note_newest(stamp, seen);
            return Arrival::Newest { repairs: None };
        };
        if stamp + NEAR >= end {
            let before = (!quiet).then(|| self.note_missing(end, stamp, seen.length)).flatten();
            let repairs = before.filter(|_| seen.repeats);
            if let Some(missing) = repairs {
                self.fates.insert(missing, Fate::Missing { repaired: true });
            }
            self.note_newest(stamp, seen);
            return Arrival::Newest { repairs };
        }
        let known = self.fates.range(stamp - NEAR..=stamp + NEAR).next().map(|(at, fate)| (*at, *fate));
        match known {
            Some((at, Fate::Missing { repaired })) => {
                self.fates.insert(at, Fate::Here);
                self.recovered += 1;
                Arrival::Missed { repaired }
            }
            // From before the first, or out of what seemed to be silence.
            None if end - stamp < REMEMBERED => {
                self.fates.insert(stamp, Fate::Here);
                Arrival::Missed { repaired: false }
            }
            Some((_, Fate::Here)) | None => Arrival::Again,
        }
    }

    /// The far end's stamps begin anew.
    pub(crate) fn begin_again(&mut self) {
        self.fates.clear();
        self.end = None;
        self.step_at = i64::MIN / 2;
    }

    /// The stamp at which the newest packet ends.
    pub(crate) fn end(&self) -> Option<i64> {
        self.end.map(|(end, _)| end)
    }

    /// Packets that were sent, as far as can be told, and those of them that did not come in their turn.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.expected, self.lost)
    }

    /// Packets that were missed and came after all.
    pub(crate) fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Percent of the packets of the last five seconds that did not come in their turn.
    pub(crate) fn percent_lately(&self) -> f64 {
        let (expected, lost) = self.lately.first().copied().unwrap_or_default();
        let sent = self.expected - expected;
        if sent == 0 { 0.0 } else { (self.lost - lost) as f64 / sent as f64 * 100.0 }
    }

    fn note_newest(&mut self, stamp: i64, seen: Seen) {
        self.fates.insert(stamp, Fate::Here);
        self.expected += 1;
        self.end = Some((stamp + seen.length, seen.quiet));
        while self.fates.first_key_value().is_some_and(|(at, _)| stamp - at > REMEMBERED) {
            self.fates.pop_first();
        }
        if stamp - self.step_at >= STEP {
            self.step_at = stamp;
            if self.lately.len() > STEPS {
                self.lately.remove(0);
            }
            self.lately.push((self.expected, self.lost));
        }
    }

    /// Counts what is missing between an end and a beginning; the stamp of the last missing one.
    fn note_missing(&mut self, end: i64, stamp: i64, length: i64) -> Option<i64> {
        let length = length.max(1);
        let missing = (stamp - end + NEAR) / length;
        // A line that was dead says nothing about how much of what is sent gets lost.
        if !(1..=MOST_MISSING).contains(&missing) {
            return None;
        }
        for n in 0..missing {
            self.fates.insert(end + n * length, Fate::Missing { repaired: false });
        }
        let count = missing.unsigned_abs();
        self.expected += count;
        self.lost += count;
        Some(end + (missing - 1) * length)
    }
}

/// Stamps this near, in milliseconds, mean the same moment: other programs round.
pub(crate) const NEAR: i64 = 9;
const REMEMBERED: i64 = 1_500;
/// As many as are missing in a burst of losses; more is a standstill.
const MOST_MISSING: i64 = 20;
/// Milliseconds of stamps from step to step, and how many steps are "lately".
const STEP: i64 = 500;
const STEPS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const SPEECH: Seen = Seen { length: 20, quiet: false, repeats: false };

    #[test]
    fn a_packet_that_comes_after_its_successor_was_lost_and_recovered() {
        let mut losses = SoundLosses::default();
        losses.on_packet(0, SPEECH);
        assert_eq!(losses.on_packet(40, SPEECH), Arrival::Newest { repairs: None });
        assert_eq!(losses.on_packet(20, SPEECH), Arrival::Missed { repaired: false });
        assert_eq!(losses.on_packet(20, SPEECH), Arrival::Again);
        assert_eq!((losses.counts(), losses.recovered()), ((3, 1), 1));
    }

    #[test]
    fn a_successor_that_repeats_its_predecessor_repairs_that_one_alone() {
        let mut losses = SoundLosses::default();
        losses.on_packet(0, SPEECH);
        let repeats = Seen { repeats: true, ..SPEECH };
        assert_eq!(losses.on_packet(60, repeats), Arrival::Newest { repairs: Some(40) });
        assert_eq!(losses.on_packet(40, SPEECH), Arrival::Missed { repaired: true });
        assert_eq!(losses.counts(), (4, 2));
    }

    #[test]
    fn silence_that_is_not_sent_is_no_loss() {
        let mut losses = SoundLosses::default();
        losses.on_packet(0, Seen { quiet: true, ..SPEECH });
        losses.on_packet(400, SPEECH);
        assert_eq!(losses.counts(), (2, 0));
    }

    #[test]
    fn stamps_that_are_rounded_are_no_loss() {
        let mut losses = SoundLosses::default();
        for stamp in [0, 19, 41, 60, 79, 100] {
            assert_eq!(losses.on_packet(stamp, SPEECH), Arrival::Newest { repairs: None });
        }
        assert_eq!(losses.counts(), (6, 0));
    }

    #[test]
    fn what_was_lost_long_ago_no_longer_counts_lately() {
        let mut losses = SoundLosses::default();
        for n in 0..1_000 {
            if n >= 500 || n % 5 != 1 {
                losses.on_packet(n * 20, SPEECH);
            }
        }
        assert_eq!((losses.counts(), losses.percent_lately()), ((1_000, 100), 0.0));
    }
}
