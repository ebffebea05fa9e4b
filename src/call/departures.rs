//! When each media message of ours went out, so that what a far end reports of its arrival says how long it took.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::delay_report::{CLOCK_RATE, DelayReport};
use crate::netconnection::node::MediaKind;

/// Remembered of each kind: ten seconds of sound.
const MOST: usize = 512;
/// A count that leaps further than this between two reports began anew, with a new session.
const LONGEST_LEAP: u32 = 1 << 27;
/// Sound that goes out a second time does so within so many milliseconds.
const LATEST_AGAIN: u16 = 300;

/// Whether this stamp is that of sound sent again, after sound that was taken later. A stamp that lies far back is one of a
/// clock that began anew.
pub(crate) fn is_sent_again(stamp: u16, newest: u16) -> bool {
    newest.wrapping_sub(stamp) <= LATEST_AGAIN
}

/// What a report says, once it is held against what went out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Feedback {
    /// The far end's clock, in seconds from anywhere.
    pub(crate) clock: f64,
    /// How long messages took, in seconds and up to a constant, the newest first: sound, or pictures where there is none.
    pub(crate) delays: Vec<f64>,
    /// Bytes that arrived so far.
    pub(crate) bytes: u64,
    /// Fragments that were sent and that arrived, counted at the same message. `None` when it is not known when that left.
    pub(crate) sent: Option<u64>,
    /// See `sent`.
    pub(crate) received: u64,
    /// Fragments that the far end sent us so far.
    pub(crate) far_sent: u64,
    /// When the newest of what it tells left here, if that is known: nothing later shows in it.
    pub(crate) left: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Departure {
    stamp: u16,
    /// Seconds.
    at: f64,
    fragments: u64,
}

/// The sender's memory of what went out.
#[derive(Debug, Default)]
pub(crate) struct Departures {
    origin: Option<Instant>,
    sound: VecDeque<Departure>,
    pictures: VecDeque<Departure>,
    clock: Count,
    received: Count,
    far_sent: Count,
    bytes: Count,
}

impl Departures {
    /// A message went out whole; with it, so many fragments did in its session. What goes out a second time left already: to
    /// take it for the first would make the way look shorter than it is, and then longer when no more is sent again.
    pub(crate) fn note(&mut self, now: Instant, kind: MediaKind, timestamp: u32, fragments: u64) {
        let origin = *self.origin.get_or_insert(now);
        let at = now.saturating_duration_since(origin).as_secs_f64();
        let stamp = (timestamp & 0xffff) as u16;
        let of_kind = self.of(kind);
        let again = of_kind.back().is_some_and(|newest| is_sent_again(stamp, newest.stamp));
        if again && kind == MediaKind::Audio {
            return;
        }
        if of_kind.len() >= MOST {
            of_kind.pop_front();
        }
        of_kind.push_back(Departure { stamp, at, fragments });
    }

    fn of(&mut self, kind: MediaKind) -> &mut VecDeque<Departure> {
        match kind {
            MediaKind::Audio => &mut self.sound,
            MediaKind::Video => &mut self.pictures,
        }
    }

    /// Holds a report against what went out.
    pub(crate) fn read(&mut self, report: &DelayReport) -> Feedback {
        let clock = self.clock.follow(report.clock) as f64 / CLOCK_RATE;
        let (mut sound, mut pictures, mut sent, mut left) = (Vec::new(), Vec::new(), None, None);
        let origin = self.origin;
        for (n, arrival) in report.arrivals.iter().enumerate() {
            let departed =
                self.of(arrival.kind).iter().rev().find(|departure| departure.stamp == arrival.stamp);
            let Some(departure) = departed else { continue };
            if n == 0 {
                sent = Some(departure.fragments);
                left = origin.map(|origin| origin + Duration::from_secs_f64(departure.at));
            }
            let delay = clock - f64::from(arrival.before) / CLOCK_RATE - departure.at;
            match arrival.kind {
                MediaKind::Audio => sound.push(delay),
                MediaKind::Video => pictures.push(delay),
            }
        }
        Feedback {
            clock,
            // A picture's time is also that of its many packets.
            delays: if sound.is_empty() { pictures } else { sound },
            bytes: self.bytes.follow(report.bytes),
            sent,
            received: self.received.follow(report.received),
            far_sent: self.far_sent.follow(report.sent),
            left,
        }
    }
}

/// A count that wraps on its way, made whole again.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    last: Option<u32>,
    whole: u64,
}

impl Count {
    fn follow(&mut self, count: u32) -> u64 {
        let step = self.last.replace(count).map_or(0, |last| count.wrapping_sub(last));
        if step < LONGEST_LEAP {
            self.whole += u64::from(step);
        }
        self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::delay_report::Arrival;

    fn arrival(kind: MediaKind, stamp: u16, before: u16) -> Arrival {
        Arrival { kind, stamp, before }
    }

    fn report(clock: u32, arrivals: Vec<Arrival>) -> DelayReport {
        DelayReport { clock, received: 9, sent: 3, bytes: 700, arrivals }
    }

    #[test]
    fn a_message_took_as_long_as_lies_between_its_departure_and_its_arrival() {
        let (mut departures, start) = (Departures::default(), Instant::now());
        for n in 0..3_u32 {
            departures.note(
                start + Duration::from_millis(20) * n,
                MediaKind::Audio,
                65_530 + n * 20,
                10 + u64::from(n),
            );
        }
        // The far end's clock is at 5 s when ours is at 40 ms: what took 60 ms came at 5.06 s.
        departures.read(&report(50_000, vec![]));
        let arrivals = vec![arrival(MediaKind::Audio, 34, 0), arrival(MediaKind::Audio, 14, 100)];
        let feedback = departures.read(&report(50_600, arrivals));
        let spread = feedback.delays[0] - feedback.delays[1];
        assert!((spread + 0.01).abs() < 1e-9, "the newer one took 10 ms less: {spread}");
        assert_eq!(feedback.sent, Some(12));
    }

    #[test]
    fn sound_that_goes_out_again_left_when_it_left_first() {
        let (mut departures, start) = (Departures::default(), Instant::now());
        let mut leaves = |ms: u64, stamp, fragments| {
            departures.note(start + Duration::from_millis(ms), MediaKind::Audio, stamp, fragments);
        };
        leaves(0, 65_530, 1);
        leaves(20, 65_550, 2);
        leaves(20, 65_530, 3);
        // A clock that began anew.
        leaves(40, 2_000, 4);
        let arrivals = vec![arrival(MediaKind::Audio, 2_000, 0), arrival(MediaKind::Audio, 65_530, 0)];
        let feedback = departures.read(&report(0, arrivals));
        assert!((feedback.delays[1] - feedback.delays[0] - 0.04).abs() < 1e-9, "{:?}", feedback.delays);
        assert_eq!(feedback.sent, Some(4));
    }

    #[test]
    fn pictures_count_only_without_sound_and_strangers_not_at_all() {
        let (mut departures, start) = (Departures::default(), Instant::now());
        departures.note(start, MediaKind::Audio, 0, 1);
        departures.note(start, MediaKind::Video, 0, 5);
        let both = vec![arrival(MediaKind::Video, 0, 0), arrival(MediaKind::Audio, 0, 50)];
        assert_eq!(departures.read(&report(0, both)).delays.len(), 1);
        let picture = departures.read(&report(0, vec![arrival(MediaKind::Video, 0, 0)]));
        assert_eq!((picture.delays.len(), picture.sent), (1, Some(5)));
        let unknown = departures.read(&report(0, vec![arrival(MediaKind::Audio, 999, 0)]));
        assert_eq!((unknown.delays.len(), unknown.sent), (0, None));
    }

    #[test]
    fn counts_go_on_when_they_wrap_and_stand_when_they_begin_anew() {
        let mut count = Count::default();
        assert_eq!(count.follow(u32::MAX - 4), 0);
        assert_eq!(count.follow(5), 10);
        assert_eq!(count.follow(0), 10);
        assert_eq!(count.follow(7), 17);
    }
}
