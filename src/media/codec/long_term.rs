//! Which coded pictures the far end has for certain, so that others may be built on them however much is lost.
//!
//! A picture counts only once everything that it was built on has arrived too.

use std::collections::VecDeque;

/// A coded picture under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct UnderWay {
    /// Its time, by which its arrival is told.
    pub(crate) timestamp: u32,
    /// Whether it stands alone.
    pub(crate) key: bool,
    /// The frame number of the picture that it makes a long-term reference.
    pub(crate) keeps: Option<u32>,
}

/// What the encoder should be told of a long-term reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Marked {
    /// The far end has the picture of this frame number.
    There(u32),
    /// It will never have it.
    Lost(u32),
}

/// Follows pictures until they arrive or are given up.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    chain: VecDeque<(UnderWay, bool)>,
    key_is_there: bool,
}

impl Arrivals {
    /// A picture goes out. Answers what falls out at the other end, because nobody ever told of it.
    pub(crate) fn sent(&mut self, picture: UnderWay) -> Option<Marked> {
        if picture.key {
            // The encoder forgets all references with it.
            self.chain.clear();
            self.key_is_there = false;
        }
        self.chain.push_back((picture, false));
        if self.chain.len() <= MOST_UNDER_WAY {
            return None;
        }
        // What comes next is built on it, and can never count.
        let first = self.chain.front().map(|(picture, _)| picture.timestamp)?;
        self.lost(first)
    }

    /// The picture of that time arrived.
    pub(crate) fn arrived(&mut self, timestamp: u32) -> Vec<Marked> {
        if let Some((_, there)) = self.chain.iter_mut().find(|(picture, _)| picture.timestamp == timestamp) {
            *there = true;
        }
        let mut marked = Vec::new();
        while let Some((picture, _)) = self.chain.pop_front_if(|(_, there)| *there) {
            self.key_is_there |= picture.key;
            marked.extend(picture.keeps.map(Marked::There));
        }
        marked
    }

    /// Whether later pictures are built on the one of that time, and it has not arrived for certain.
    pub(crate) fn awaits(&self, timestamp: u32) -> bool {
        self.chain.iter().any(|(picture, _)| picture.timestamp == timestamp)
    }

    /// The picture of that time was given up, and with it all that was built on it.
    pub(crate) fn lost(&mut self, timestamp: u32) -> Option<Marked> {
        let from = self.chain.iter().position(|(picture, _)| picture.timestamp == timestamp)?;
        let lost = self.chain.split_off(from);
        // The encoder waits to hear of one before it marks the next.
        lost.iter().find_map(|(picture, _)| picture.keeps).map(Marked::Lost)
    }

    /// What the next picture can be built on, if everything under way is to be passed over.
    pub(crate) fn ground(&self) -> Ground {
        match self.chain.iter().find(|(picture, _)| picture.key) {
            Some((key, _)) => Ground::UnderWay { timestamp: key.timestamp },
            None if self.key_is_there => Ground::There,
            None => Ground::None,
        }
    }
}

/// What a picture can be built on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ground {
    /// Nothing: it has to stand alone.
    None,
    /// The key picture of that time, if it arrives.
    UnderWay { timestamp: u32 },
    /// A long-term reference that the far end has.
    There,
}

/// Ten seconds at thirty a second: more are never under way, unless nobody tells what arrives.
const MOST_UNDER_WAY: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(timestamp: u32, keeps: Option<u32>) -> UnderWay {
        UnderWay { timestamp, key: false, keeps }
    }

    fn after_key() -> Arrivals {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.ground(), Ground::None);
        assert_eq!(arrivals.sent(UnderWay { timestamp: 0, key: true, keeps: None }), None);
        assert_eq!(arrivals.ground(), Ground::UnderWay { timestamp: 0 });
        assert_eq!(arrivals.arrived(0), []);
        assert_eq!(arrivals.ground(), Ground::There);
        arrivals
    }

    #[test]
    fn a_picture_counts_when_all_before_it_have_arrived() {
        let mut arrivals = after_key();
        arrivals.sent(delta(33, None));
        arrivals.sent(delta(66, Some(2)));
        assert_eq!(arrivals.arrived(66), []);
        assert_eq!(arrivals.arrived(33), [Marked::There(2)]);
    }

    #[test]
    fn what_was_built_on_a_lost_picture_is_lost_and_what_comes_after_counts_again() {
        let mut arrivals = after_key();
        arrivals.sent(delta(33, None));
        arrivals.sent(delta(66, Some(2)));
        arrivals.arrived(66);
        assert!(arrivals.awaits(33));
        assert_eq!(arrivals.lost(33), Some(Marked::Lost(2)));
        assert!(!arrivals.awaits(66));
        assert_eq!(arrivals.lost(66), None);
        arrivals.sent(delta(99, Some(3)));
        assert_eq!(arrivals.arrived(99), [Marked::There(3)]);
        assert_eq!(arrivals.ground(), Ground::There);
    }

    #[test]
    fn a_key_picture_is_waited_for_when_only_what_follows_it_is_lost() {
        let mut arrivals = after_key();
        arrivals.sent(UnderWay { timestamp: 33, key: true, keeps: None });
        arrivals.sent(delta(66, None));
        arrivals.lost(66);
        assert_eq!(arrivals.ground(), Ground::UnderWay { timestamp: 33 });
        arrivals.lost(33);
        assert_eq!(arrivals.ground(), Ground::None);
    }

    #[test]
    fn who_never_tells_what_arrives_costs_no_memory() {
        let mut arrivals = after_key();
        let told: Vec<_> =
            (1..1_000).filter_map(|n| arrivals.sent(delta(n * 33, (n == 30).then_some(31)))).collect();
        assert_eq!(told, [Marked::Lost(31)]);
        assert!(arrivals.chain.len() <= MOST_UNDER_WAY);
    }
}
