//! Pieces of long startup packets leave at a moderate rate (RFC 7016 §3.4): nothing is known of the path yet, and a burst
//! could jam it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::rtmfp::machine::Route;
use crate::rtmfp::wire::packet_fragment::LONGEST_PACKET;

/// Sealed pieces that wait for their turn, a line for each endpoint they go to.
#[derive(Default)]
pub(super) struct FragmentPace {
    lines: BTreeMap<Route, Line>,
    /// When each line's next piece may go, or its past may be forgotten; `None` is at once. One entry for each line.
    due: BTreeSet<(Option<Instant>, Route)>,
    waiting_bytes: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// What went out lately: when, and how many bytes.
    sent: VecDeque<(Instant, usize)>,
}

impl FragmentPace {
    /// Lines up the pieces of one packet. When too many wait already, none of them is taken: the packet counts as lost,
    /// and is sent anew by whoever needs it.
    pub(super) fn add(&mut self, route: Route, pieces: Vec<Vec<u8>>) {
        let bytes: usize = pieces.iter().map(Vec::len).sum();
        let in_line = self.lines.get(&route).map_or(0, |line| line.waiting_bytes);
        if in_line + bytes > MOST_WAITING_FOR_ONE || self.waiting_bytes + bytes > MOST_WAITING {
            return;
        }
        self.waiting_bytes += bytes;
        let line = self.lines.entry(route).or_insert_with(|| {
            self.due.insert((None, route));
            Line::default()
        });
        if line.waiting.is_empty() {
            self.due.remove(&(line.forgets_at(), route));
            self.due.insert((None, route));
        }
        line.waiting_bytes += bytes;
        line.waiting.extend(pieces);
    }

    /// The next piece that may go now, and where to.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Route, Vec<u8>)> {
        loop {
            let entry = self.due.first().copied().filter(|(at, _)| at.is_none_or(|at| at <= now))?;
            self.due.remove(&entry);
            let (_, route) = entry;
            let line = self.lines.get_mut(&route)?;
            let piece = line.take(now);
            match line.changes_at() {
                Some(at) => {
                    self.due.insert((Some(at), route));
                }
                None => {
                    self.lines.remove(&route);
                }
            }
            if let Some(piece) = piece {
                self.waiting_bytes -= piece.len();
                return Some((route, piece));
            }
        }
    }

    /// Bytes of what waits.
    pub(super) fn held_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// When [`Self::take_due`] has something to do, once it has nothing to do now.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().and_then(|(at, _)| *at)
    }
}

impl Line {
    fn take(&mut self, now: Instant) -> Option<Vec<u8>> {
        while self.sent.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.sent.pop_front();
        }
        let size = self.waiting.front()?.len();
        if !self.has_room_for(size) {
            return None;
        }
        self.sent.push_back((now, size));
        self.waiting_bytes -= size;
        self.waiting.pop_front()
    }

    fn has_room_for(&self, size: usize) -> bool {
        let lately: usize = self.sent.iter().map(|(_, size)| size).sum();
        self.sent.len() < PACKETS_IN_WINDOW && (lately + size <= BYTES_IN_WINDOW || self.sent.is_empty())
    }

    /// When the first piece that waits may go, or the last that went is forgotten; `None` when there is neither.
    fn changes_at(&self) -> Option<Instant> {
        match self.waiting.front() {
            Some(next) if self.has_room_for(next.len()) => self.sent.back().map(|(at, _)| *at),
            Some(_) => self.sent.front().map(|(at, _)| *at + WINDOW),
            None => self.forgets_at(),
        }
    }

    fn forgets_at(&self) -> Option<Instant> {
        self.sent.back().map(|(at, _)| *at + WINDOW)
    }
}

/// Without knowledge of the path, so much goes to one endpoint in so much time (§3.4).
const WINDOW: Duration = Duration::from_millis(200);
const PACKETS_IN_WINDOW: usize = 4;
const BYTES_IN_WINDOW: usize = 4380;
/// Bytes that may wait for one endpoint: the longest packet that anybody would put together.
const MOST_WAITING_FOR_ONE: usize = LONGEST_PACKET;
/// Bytes that may wait in all.
const MOST_WAITING: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::PathId;

    fn route(port: u16) -> Route {
        Route { via: PathId(0), address: ([192, 0, 2, 1], port).into() }
    }

    fn pieces(count: usize, size: usize) -> Vec<Vec<u8>> {
        (0..count).map(|n| vec![n as u8; size]).collect()
    }

    /// Everything that goes out, and when.
    fn run(pace: &mut FragmentPace, start: Instant) -> Vec<(Duration, Route, Vec<u8>)> {
        let mut now = start;
        let mut out = Vec::new();
        loop {
            while let Some((route, piece)) = pace.take_due(now) {
                out.push((now - start, route, piece));
            }
            let Some(next) = pace.deadline() else { return out };
            assert!(next > now, "nothing is due for ever");
            now = next;
        }
    }

    /// Conforms: 7016-3.4-k, 7016-3.4-l
    #[test]
    fn one_endpoint_gets_four_packets_and_4380_bytes_in_200_milliseconds_and_in_order() {
        for (size, at_once) in [(100, 4), (1095, 4), (1096, 3), (1200, 3), (2190, 2), (2191, 1)] {
            let mut pace = FragmentPace::default();
            pace.add(route(1), pieces(10, size));
            let out = run(&mut pace, Instant::now());
            let sent: Vec<usize> = out.iter().map(|(_, _, piece)| piece[0].into()).collect();
            assert_eq!(sent, (0..10).collect::<Vec<_>>());
            for (n, (at, _, _)) in out.iter().enumerate() {
                assert_eq!(*at, WINDOW * (n / at_once) as u32, "piece {n} of {size} bytes");
            }
        }
    }

    #[test]
    fn each_endpoint_has_a_line_of_its_own_and_what_went_before_counts() {
        let mut pace = FragmentPace::default();
        let start = Instant::now();
        pace.add(route(1), pieces(3, 1200));
        pace.add(route(2), pieces(3, 1200));
        let first = run(&mut pace, start);
        assert!(first.iter().all(|(at, ..)| at.is_zero()) && first.len() == 6);

        let mut pace = FragmentPace::default();
        pace.add(route(1), pieces(3, 1200));
        while pace.take_due(start).is_some() {}
        pace.add(route(1), pieces(1, 1200));
        assert_eq!(pace.take_due(start + WINDOW - Duration::from_millis(1)), None);
        assert!(pace.take_due(start + WINDOW).is_some());
    }

    #[test]
    fn a_packet_too_many_is_left_out_whole_and_nothing_is_kept_of_the_past() {
        let mut pace = FragmentPace::default();
        for port in 0..1000 {
            pace.add(route(port), pieces(55, 1190));
            pace.add(route(port), pieces(2, 1190));
        }
        assert!(pace.waiting_bytes <= MOST_WAITING);
        assert_eq!(
            pace.lines.len(),
            16,
            "sixteen packets of 65450 bytes fit, and none of 2380 beside one of them"
        );
        let out = run(&mut pace, Instant::now());
        assert_eq!(out.len(), 16 * 55);
        assert!(pace.lines.is_empty() && pace.due.is_empty() && pace.waiting_bytes == 0);
    }
}
