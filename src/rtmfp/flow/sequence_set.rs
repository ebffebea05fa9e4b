//! The sequence numbers a receive flow has seen (RFC 7016 §3.6.3.2), as few runs, and never more than a bounded number.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A set of sequence numbers that always holds 0.
#[derive(Clone, Debug)]
pub(crate) struct SequenceSet {
    /// Last number of the run that starts at 0: the Cumulative Sequence Number.
    cumulative: u64,
    /// First → last of each run beyond, never touching one another nor the first.
    islands: BTreeMap<u64, u64>,
    most_islands: usize,
}

impl SequenceSet {
    /// A set that holds only 0, as if forward sequence number 0 had been received.
    pub(crate) fn new(most_islands: usize) -> Self {
        Self { cumulative: 0, islands: BTreeMap::new(), most_islands }
    }

    /// The top of the contiguous run from 0 (§3.6.3.3).
    pub(crate) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    /// Whether something below the highest number is missing.
    pub(crate) fn has_gap(&self) -> bool {
        !self.islands.is_empty()
    }

    /// The runs beyond the cumulative number, lowest first.
    pub(crate) fn islands(&self) -> impl Iterator<Item = RangeInclusive<u64>> + '_ {
        self.islands.iter().map(|(&first, &last)| first..=last)
    }

    /// Whether `number` was seen.
    pub(crate) fn contains(&self, number: u64) -> bool {
        number <= self.cumulative
            || self.islands.range(..=number).next_back().is_some_and(|(_, &last)| number <= last)
    }

    /// Adds 0 through `number`: what a forward sequence number says.
    pub(crate) fn insert_through(&mut self, number: u64) {
        self.cumulative = self.cumulative.max(number);
        self.swallow_reached_islands();
    }

    /// Adds `number`. False, and nothing changed, when that would take one more run than the bound allows.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        if self.contains(number) {
            return true;
        }
        if number == self.cumulative + 1 {
            self.cumulative = number;
            self.swallow_reached_islands();
            return true;
        }
        let joins_after = number.checked_add(1).and_then(|next| self.islands.get(&next).copied());
        let before = self.islands.range(..number).next_back().map(|(&first, &last)| (first, last));
        let joins_before = before.filter(|&(_, last)| last + 1 == number).map(|(first, _)| first);
        if joins_after.is_none() && joins_before.is_none() && self.islands.len() >= self.most_islands {
            return false;
        }
        if joins_after.is_some() {
            self.islands.remove(&(number + 1));
        }
        self.islands.insert(joins_before.unwrap_or(number), joins_after.unwrap_or(number));
        true
    }

    fn swallow_reached_islands(&mut self) {
        while let Some(island) = self.islands.first_entry() {
            if *island.key() > self.cumulative.saturating_add(1) {
                return;
            }
            self.cumulative = self.cumulative.max(island.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn islands(set: &SequenceSet) -> Vec<RangeInclusive<u64>> {
        set.islands().collect()
    }

    #[test]
    fn numbers_in_order_make_one_run() {
        let mut set = SequenceSet::new(4);
        assert!((1..=100).all(|number| set.insert(number)));
        assert_eq!((set.cumulative(), set.has_gap()), (100, false));
    }

    #[test]
    fn a_hole_that_fills_joins_its_neighbours() {
        let mut set = SequenceSet::new(4);
        for number in [1, 3, 5, 4] {
            set.insert(number);
        }
        assert_eq!((set.cumulative(), islands(&set)), (1, vec![3..=5]));
        set.insert(2);
        assert_eq!((set.cumulative(), islands(&set)), (5, vec![]));
    }

    #[test]
    fn a_forward_sequence_number_closes_what_is_below_it() {
        let mut set = SequenceSet::new(4);
        for number in [4, 6, 9] {
            set.insert(number);
        }
        set.insert_through(5);
        assert_eq!((set.cumulative(), islands(&set)), (6, vec![9..=9]));
    }

    #[test]
    fn more_runs_than_the_bound_are_refused_but_joining_is_not() {
        let mut set = SequenceSet::new(2);
        assert!(set.insert(10) && set.insert(20));
        assert!(!set.insert(30));
        assert!(!set.contains(30));
        assert!(set.insert(11) && set.insert(19) && set.insert(1));
        assert_eq!(islands(&set), [10..=11, 19..=20]);
    }

    #[test]
    fn the_highest_number_there_is_overflows_nothing() {
        let mut set = SequenceSet::new(2);
        assert!(set.insert(u64::MAX) && set.insert(u64::MAX - 1));
        set.insert_through(u64::MAX);
        assert!(set.contains(u64::MAX));
        assert!(set.insert(u64::MAX));
        assert_eq!((set.cumulative(), set.has_gap()), (u64::MAX, false));
    }
}
