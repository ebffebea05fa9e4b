//! What a receiver says of how media arrive, several times a second: a handful of bytes, in `delays`.
//!
//! It names the messages that came lately by their stamps, and when each came by its own clock. Their sender knows when
//! each left, so the difference of the two, which no clock needs to be set for, shows every queue on the way as it grows
//! and shrinks. With the counts of bytes and fragments it shows how much arrives, and what is truly lost.

use std::time::{Duration, Instant};

use super::departures::is_sent_again;
use crate::netconnection::node::MediaKind;

/// Reports are so far apart, and twice as far where little arrives.
const EVERY: Duration = Duration::from_millis(100);
/// Bits a second below which little arrives.
const LITTLE: f64 = 100_000.0;
/// Sound is small and regular, so reports go by it; pictures count when none has come for so long.
const WITHOUT_SOUND: Duration = Duration::from_millis(300);
/// Arrivals named in one report.
const MOST_ARRIVALS: usize = 16;
/// The layout below. Later versions may append to it.
const VERSION: u8 = 1;
/// Steps of the clock in a second.
pub(crate) const CLOCK_RATE: f64 = 10_000.0;

/// One message that came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Arrival {
    /// Of which kind.
    pub(crate) kind: MediaKind,
    /// The lower half of its stamp.
    pub(crate) stamp: u16,
    /// How long before the report's clock it came, in steps.
    pub(crate) before: u16,
}

/// One report. All counts wrap.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DelayReport {
    /// When the newest message came, by the receiver's clock, in steps of a tenth of a millisecond from anywhere.
    pub(crate) clock: u32,
    /// Fragments received from the far end by then.
    pub(crate) received: u32,
    /// Fragments sent to the far end by then.
    pub(crate) sent: u32,
    /// Bytes received from the far end by then, headers included.
    pub(crate) bytes: u32,
    /// What came since the last report, the newest first.
    pub(crate) arrivals: Vec<Arrival>,
}

impl DelayReport {
    /// Version, clock, received, sent, bytes, a count, and for each arrival its kind, stamp and age.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(18 + 5 * self.arrivals.len());
        bytes.push(VERSION);
        for number in [self.clock, self.received, self.sent, self.bytes] {
            bytes.extend(number.to_be_bytes());
        }
        let arrivals = self.arrivals.iter().take(MOST_ARRIVALS);
        bytes.push(arrivals.len() as u8);
        for arrival in arrivals {
            bytes.push(u8::from(arrival.kind == MediaKind::Video));
            bytes.extend(arrival.stamp.to_be_bytes());
            bytes.extend(arrival.before.to_be_bytes());
        }
        bytes
    }

    /// Reads it back; what a later version appends is passed over. `None` is no report that we know.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (numbers, rest) = rest.split_first_chunk::<16>()?;
        let number = |at: usize| numbers.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        let (count, rest) = rest.split_first()?;
        if *version != VERSION || usize::from(*count) > MOST_ARRIVALS {
            return None;
        }
        let arrivals: Vec<Arrival> = rest
            .as_chunks::<5>()
            .0
            .iter()
            .take((*count).into())
            .map(|[kind, stamp @ .., older, newer]| Arrival {
                kind: if *kind == 0 { MediaKind::Audio } else { MediaKind::Video },
                stamp: u16::from_be_bytes(*stamp),
                before: u16::from_be_bytes([*older, *newer]),
            })
            .collect();
        (arrivals.len() == usize::from(*count)).then_some(Self {
            clock: number(0)?,
            received: number(4)?,
            sent: number(8)?,
            bytes: number(12)?,
            arrivals,
        })
    }
}

/// What the session with the far end has counted by now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counted {
    /// Fragments received.
    pub(crate) received: u64,
    /// Fragments sent.
    pub(crate) sent: u64,
    /// Bytes received.
    pub(crate) bytes: u64,
}

/// The receiver's notes of what came since its last report.
#[derive(Debug, Default)]
pub(crate) struct ArrivalLog {
    /// Where its clock begins.
    origin: Option<Instant>,
    /// The newest first.
    arrivals: Vec<(MediaKind, u16, Instant)>,
    last_sound: Option<Instant>,
    newest_sound: Option<u16>,
    reported: Option<(Instant, u64)>,
    every: Duration,
}

impl ArrivalLog {
    /// A frame came. Whether it is time to report. Sound that was sent again, or was overtaken, says nothing of how long
    /// the way is now, and is not noted.
    pub(crate) fn note(&mut self, now: Instant, kind: MediaKind, timestamp: u32) -> bool {
        let stamp = (timestamp & 0xffff) as u16;
        if kind == MediaKind::Audio {
            if self.newest_sound.is_some_and(|newest| is_sent_again(stamp, newest)) {
                return false;
            }
            self.newest_sound = Some(stamp);
            self.last_sound = Some(now);
        }
        self.origin.get_or_insert(now);
        self.arrivals.truncate(MOST_ARRIVALS - 1);
        self.arrivals.insert(0, (kind, stamp, now));
        let silent = self.last_sound.is_none_or(|at| now.saturating_duration_since(at) > WITHOUT_SOUND);
        let due = self.reported.is_none_or(|(at, _)| now.saturating_duration_since(at) >= self.every);
        due && (kind == MediaKind::Audio || silent)
    }

    /// The report that is due with the frame that was noted just now.
    pub(crate) fn report(&mut self, now: Instant, counted: Counted) -> DelayReport {
        let steps = |time: Duration| (time.as_micros() / 100) as u64;
        let origin = *self.origin.get_or_insert(now);
        let arrivals = self.arrivals.drain(..).map(|(kind, stamp, at)| {
            let before = u16::try_from(steps(now.saturating_duration_since(at))).unwrap_or(u16::MAX);
            Arrival { kind, stamp, before }
        });
        let arrivals = arrivals.collect();
        if let Some((before, bytes)) = self.reported.replace((now, counted.bytes)) {
            let passed = now.saturating_duration_since(before).as_secs_f64().max(0.001);
            let little = counted.bytes.saturating_sub(bytes) as f64 * 8.0 / passed < LITTLE;
            self.every = if little { 2 * EVERY } else { EVERY };
        }
        DelayReport {
            clock: steps(now.saturating_duration_since(origin)) as u32,
            received: counted.received as u32,
            sent: counted.sent as u32,
            bytes: counted.bytes as u32,
            arrivals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn report() -> DelayReport {
        let arrival = |kind, stamp, before| Arrival { kind, stamp, before };
        let arrivals = vec![arrival(MediaKind::Audio, 65_535, 0), arrival(MediaKind::Video, 7, 412)];
        DelayReport { clock: 90_000, received: u32::MAX, sent: 5, bytes: 1_000_000, arrivals }
    }

    #[test]
    fn a_report_reads_back_and_what_is_appended_is_passed_over() {
        let mut bytes = report().encode();
        assert_eq!(bytes.len(), 18 + 2 * 5);
        bytes.extend([1, 2, 3, 4, 5, 6]);
        assert_eq!(DelayReport::decode(&bytes), Some(report()));
    }

    #[test]
    fn rubble_is_no_report() {
        let bytes = report().encode();
        for length in 0..bytes.len() {
            assert_eq!(DelayReport::decode(&bytes[..length]), None, "{length}");
        }
        let mut many = bytes.clone();
        many[17] = 200;
        assert_eq!(DelayReport::decode(&many), None);
        let mut other = bytes;
        other[0] = 2;
        assert_eq!(DelayReport::decode(&other), None);
    }

    #[test]
    fn reports_go_by_sound_ten_times_a_second_and_half_as_often_where_little_arrives() {
        for (bytes, expected) in [(2_000, 9..=11), (100, 5..=6)] {
            let (mut log, start) = (ArrivalLog::default(), Instant::now());
            let mut reports = 0;
            for n in 0..50_u32 {
                let now = start + ms(20) * n;
                assert!(!log.note(now, MediaKind::Video, n * 20) || n == 0);
                if log.note(now, MediaKind::Audio, n * 20) {
                    reports += 1;
                    let counted = Counted { bytes: u64::from(n) * bytes, ..Counted::default() };
                    let report = log.report(now, counted);
                    assert!(report.arrivals.len() <= MOST_ARRIVALS);
                    assert_eq!(report.arrivals.first().map(|arrival| arrival.before), Some(0));
                }
            }
            assert!(expected.contains(&reports), "{reports}");
        }
    }

    #[test]
    fn sound_that_comes_again_is_not_reported() {
        let (mut log, start) = (ArrivalLog::default(), Instant::now());
        for n in 1..50_u32 {
            log.note(start + ms(20) * n, MediaKind::Audio, n * 20);
            assert!(!log.note(start + ms(20) * n, MediaKind::Audio, n * 20 - 20), "at {n}");
        }
        let arrivals = log.report(start + ms(1_000), Counted::default()).arrivals;
        assert!(arrivals.windows(2).all(|pair| pair[0].stamp == pair[1].stamp + 20), "{arrivals:?}");
    }

    #[test]
    fn without_sound_pictures_are_reported() {
        let (mut log, start) = (ArrivalLog::default(), Instant::now());
        log.note(start, MediaKind::Audio, 0);
        log.report(start, Counted::default());
        assert!(!log.note(start + ms(250), MediaKind::Video, 250));
        assert!(log.note(start + ms(350), MediaKind::Video, 350));
        let report = log.report(start + ms(350), Counted::default());
        assert_eq!((report.clock, report.arrivals.len()), (3_500, 2));
        assert_eq!(report.arrivals[1].before, 1_000);
    }
}
