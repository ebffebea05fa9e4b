//! What a session has in flight, in the order it was sent, over all its flows (RFC 7016 §3.6.2.5).
//!
//! A fragment is lost when fragments sent after it were acknowledged in three packets; sending it again gives it a new
//! place in the order and a new count.
//!
//! An acknowledgement names a fragment and not which sending of it arrived. One that comes sooner after it was sent again
//! than any round trip takes is for the sending before: it says nothing of what else went out since. (Taken for the later
//! one, it makes all that lost, which is sent again, acknowledged, and so on: twice as much goes out for as long as it
//! lasts.)

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::rtmfp::endpoint::SendFlowId;
use crate::rtmfp::limits;

/// A fragment on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Flight {
    /// Whose it is.
    pub(crate) flow: SendFlowId,
    /// Its sequence number there.
    pub(crate) sequence: u64,
    /// The bytes of its chunk, header included.
    pub(crate) size: usize,
    /// Whether its datagram was longer than every path carries.
    pub(crate) in_long_datagram: bool,
    /// When it went out, unless for the first time.
    again_at: Option<Instant>,
    naks: u8,
}

/// Everything in flight, by transmission sequence number (TSN).
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    /// From the oldest that is under way on, with gaps for those that are not any more. What stays behind is soon lost, so
    /// the gaps never outnumber what is under way by much.
    flights: VecDeque<Option<Flight>>,
    /// The place that the next transmission gets.
    next: u64,
    highest_acknowledged: u64,
    /// From this place on things were sent by the way that is taken now, and fill its window.
    way_from: u64,
    bytes: usize,
    long_arrived: bool,
    now: Option<Instant>,
    shortest_round_trip: Duration,
}

/// What the acknowledgements of one packet imply for everything sent before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Negatives {
    /// Whether any fragment was passed over.
    pub(crate) any: bool,
    /// Those that were passed over too often, with their place in the order.
    pub(crate) lost: Vec<(u64, Flight)>,
}

impl InFlight {
    /// Nothing sent yet.
    pub(crate) fn new() -> Self {
        Self {
            flights: VecDeque::new(),
            next: 1,
            highest_acknowledged: 0,
            way_from: 0,
            bytes: 0,
            long_arrived: false,
            now: None,
            shortest_round_trip: Duration::ZERO,
        }
    }

    /// What happens from now on happens at `now`, and no round trip is shorter than this.
    pub(crate) fn note_time(&mut self, now: Instant, shortest_round_trip: Duration) {
        self.now = Some(now);
        self.shortest_round_trip = shortest_round_trip;
    }

    /// Gives back memory that nothing is in.
    pub(crate) fn release_spare(&mut self) {
        self.flights.shrink_to_fit();
    }

    /// Bytes in flight (S_OUTSTANDING_BYTES), by the way that is taken now.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The place the next transmission gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// A fragment goes out; answers its place in the order.
    pub(crate) fn depart(&mut self, flow: SendFlowId, sequence: u64, size: usize) -> u64 {
        let place = self.next;
        self.next += 1;
        self.bytes += size;
        self.flights.push_back(Some(Flight {
            flow,
            sequence,
            size,
            in_long_datagram: false,
            again_at: None,
            naks: 0,
        }));
        place
    }

    /// The fragment that departed last was sent before.
    pub(crate) fn mark_again(&mut self) {
        if let Some(Some(last)) = self.flights.back_mut() {
            last.again_at = self.now;
        }
    }

    /// The fragment that departed last lies beyond where a datagram ends that every path carries.
    pub(crate) fn mark_long(&mut self) {
        if let Some(Some(last)) = self.flights.back_mut() {
            last.in_long_datagram = true;
        }
    }

    /// A fragment was acknowledged; answers its size.
    pub(crate) fn arrive(&mut self, place: u64) -> usize {
        let flight = self.index(place).and_then(|index| self.flights[index]);
        let is_of_before = flight
            .and_then(|flight| flight.again_at)
            .zip(self.now)
            .is_some_and(|(at, now)| now.saturating_duration_since(at) < self.shortest_round_trip);
        if !is_of_before {
            self.highest_acknowledged = self.highest_acknowledged.max(place);
        }
        self.long_arrived |= flight.is_some_and(|flight| flight.in_long_datagram);
        self.forget(place)
    }

    /// Whether a fragment of a long datagram was acknowledged since this was asked last.
    pub(crate) fn take_long_arrived(&mut self) -> bool {
        std::mem::take(&mut self.long_arrived)
    }

    /// The last place in the order that was acknowledged.
    pub(crate) fn highest_acknowledged(&self) -> u64 {
        self.highest_acknowledged
    }

    /// A fragment is of no interest any more, without anything being said about it.
    pub(crate) fn forget(&mut self, place: u64) -> usize {
        let Some(index) = self.index(place) else { return 0 };
        let size = self.flights[index].take().map_or(0, |flight| flight.size);
        if place >= self.way_from {
            self.bytes -= size;
        }
        while self.flights.pop_front_if(|flight| flight.is_none()).is_some() {}
        size
    }

    /// What is under way goes on, but by a way that is left: it no longer fills the window of the one that is taken.
    pub(crate) fn change_way(&mut self) {
        self.way_from = self.next;
        self.bytes = 0;
    }

    /// After all acknowledgements of one packet: counts a negative one for all that were passed over. What went by a way
    /// that was left may be overtaken, and is `spared`.
    pub(crate) fn count_negatives(&mut self, spared: bool) -> Negatives {
        let mut negatives = Negatives::default();
        let oldest = self.oldest();
        let passed = usize::try_from(self.highest_acknowledged.saturating_sub(oldest)).unwrap_or(usize::MAX);
        let from = if spared { self.way_from } else { 0 };
        for (place, flight) in (oldest..).zip(self.flights.iter_mut().take(passed)) {
            let Some(flight) = flight.as_mut().filter(|_| place >= from) else { continue };
            negatives.any = true;
            flight.naks += 1;
            if flight.naks >= limits::NAKS_FOR_LOSS {
                negatives.lost.push((place, *flight));
            }
        }
        for (place, _) in &negatives.lost {
            self.forget(*place);
        }
        negatives
    }

    /// Everything in flight is lost: a timeout, or a path that is gone.
    pub(crate) fn lose_all(&mut self) -> Vec<Flight> {
        self.bytes = 0;
        std::mem::take(&mut self.flights).into_iter().flatten().collect()
    }

    /// The place of the first of `flights`.
    fn oldest(&self) -> u64 {
        self.next - self.flights.len() as u64
    }

    fn index(&self, place: u64) -> Option<usize> {
        let index = usize::try_from(place.checked_sub(self.oldest())?).ok()?;
        (index < self.flights.len()).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_packet_that_passes_a_fragment_over_loses_it_whatever_the_flow() {
        let mut sent = InFlight::new();
        let first = sent.depart(SendFlowId(2), 1, 100);
        let later: Vec<u64> = (0..3).map(|n| sent.depart(SendFlowId(3), n, 50)).collect();
        for place in &later[..2] {
            sent.arrive(*place);
            let negatives = sent.count_negatives(false);
            assert!(negatives.any && negatives.lost.is_empty());
        }
        sent.arrive(later[2]);
        let lost = sent.count_negatives(false).lost;
        assert_eq!(lost.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [first]);
        assert_eq!(sent.bytes(), 0);
    }

    #[test]
    fn what_went_by_a_way_that_was_left_fills_no_window_and_may_be_overtaken() {
        let mut sent = InFlight::new();
        let slow = sent.depart(SendFlowId(2), 1, 100);
        sent.change_way();
        assert_eq!(sent.bytes(), 0);
        let quick: Vec<u64> = (0..3).map(|n| sent.depart(SendFlowId(3), n, 50)).collect();
        for place in quick {
            sent.arrive(place);
            assert_eq!(sent.count_negatives(true), Negatives::default());
        }
        assert_eq!(sent.arrive(slow), 100);
        assert_eq!(sent.bytes(), 0);
    }

    #[test]
    fn what_is_acknowledged_too_soon_after_it_was_sent_again_passes_over_nothing() {
        let (mut sent, start) = (InFlight::new(), Instant::now());
        let trip = Duration::from_millis(50);
        sent.note_time(start, trip);
        let between = sent.depart(SendFlowId(2), 2, 100);
        let again: Vec<u64> = (3..6)
            .map(|number| {
                let place = sent.depart(SendFlowId(2), number, 100);
                sent.mark_again();
                place
            })
            .collect();
        sent.note_time(start + trip - Duration::from_millis(1), trip);
        assert_eq!(sent.arrive(again[0]), 100);
        assert_eq!(sent.count_negatives(false), Negatives::default());
        sent.note_time(start + trip, trip);
        for place in &again[1..] {
            sent.arrive(*place);
            assert!(sent.count_negatives(false).any);
        }
        let last = sent.depart(SendFlowId(2), 6, 100);
        sent.arrive(last);
        assert_eq!(sent.count_negatives(false).lost.first().map(|(place, _)| *place), Some(between));
    }

    #[test]
    fn sending_again_starts_a_new_count() {
        let mut sent = InFlight::new();
        let first = sent.depart(SendFlowId(2), 1, 100);
        let second = sent.depart(SendFlowId(2), 2, 100);
        sent.arrive(second);
        sent.count_negatives(false);
        sent.forget(first);
        sent.depart(SendFlowId(2), 1, 100);
        assert_eq!(sent.count_negatives(false), Negatives::default());
    }
}
