//! What people are doing, for those who have their peer IDs: states, and when a change of one is told.
//!
//! A change is told at once, and what changes soon after it together, a moment later: somebody who flickers costs the
//! watchers little. Who just came is told of when they have said their state, or had time to: until then they may be about
//! to say that nobody is to see them.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::rtmfp::PeerId;

/// What somebody who is here is doing. Said by their own program.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// Can be called. What a program that never says anything is.
    #[default]
    Online,
    /// Is in a call.
    InCall,
    /// Does not want to be disturbed.
    Busy,
}

impl State {
    /// From the word on the wire.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "online" => Some(Self::Online),
            "in_call" => Some(Self::InCall),
            "busy" => Some(Self::Busy),
            _ => None,
        }
    }

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::InCall => "in_call",
            Self::Busy => "busy",
        }
    }

    /// The word for everybody: who talks to somebody is told only to those who have the peer ID.
    pub fn word_for_everybody(self) -> &'static str {
        match self {
            Self::Online | Self::InCall => Self::Online.word(),
            Self::Busy => Self::Busy.word(),
        }
    }
}

/// The word for somebody who is not here, or not for the one who asks.
pub const OFFLINE: &str = "offline";

/// Whose state is to be told, and when.
#[derive(Debug, Default)]
pub struct PresenceChanges {
    changed: BTreeSet<PeerId>,
    not_before: Option<Instant>,
    /// Who came and has not said a state yet, and until when that is awaited; in the order of time.
    arriving: VecDeque<(Instant, PeerId)>,
}

impl PresenceChanges {
    /// Somebody changed, came out or left.
    pub fn note(&mut self, peer: PeerId) {
        self.changed.insert(peer);
    }

    /// Somebody came.
    pub fn note_arrival(&mut self, now: Instant, peer: PeerId) {
        self.arriving.push_back((now + SAYS_WITHIN, peer));
    }

    /// Those who had time to say a state.
    pub fn settled(&mut self, now: Instant) -> Vec<PeerId> {
        let mut settled = Vec::new();
        while let Some((_, peer)) = self.arriving.pop_front_if(|(at, _)| *at <= now) {
            settled.push(peer);
        }
        settled
    }

    /// Whose state is to be told now.
    pub fn due(&mut self, now: Instant) -> BTreeSet<PeerId> {
        if self.changed.is_empty() || self.not_before.is_some_and(|not_before| not_before > now) {
            return BTreeSet::new();
        }
        self.not_before = Some(now + BETWEEN_CHANGES);
        std::mem::take(&mut self.changed)
    }

    /// When there is something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let telling = self.not_before.filter(|_| !self.changed.is_empty());
        let arriving = self.arriving.front().map(|(at, _)| *at);
        [telling, arriving].into_iter().flatten().min()
    }
}

/// More contacts than most people have; who has more sees the first of them.
pub const MOST_WATCHED: usize = 512;

/// A program says its state as its first words, a round trip after it came.
const SAYS_WITHIN: Duration = Duration::from_secs(2);
const BETWEEN_CHANGES: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PeerId = PeerId([1; 32]);

    #[test]
    fn every_state_reads_back_from_its_word() {
        for state in [State::Online, State::InCall, State::Busy] {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_word("dancing"), None);
    }

    #[test]
    fn everybody_learns_whom_not_to_disturb_and_nobody_who_is_talking() {
        assert_eq!(State::InCall.word_for_everybody(), "online");
        assert_eq!(State::Busy.word_for_everybody(), "busy");
    }

    #[test]
    fn a_change_is_told_at_once_and_the_next_ones_together() {
        let start = Instant::now();
        let mut changes = PresenceChanges::default();
        changes.note(ADA);
        assert_eq!(changes.due(start), BTreeSet::from([ADA]));
        changes.note(ADA);
        changes.note(PeerId([2; 32]));
        assert!(changes.due(start).is_empty());
        let next = changes.deadline().expect("something waits");
        assert_eq!(next, start + BETWEEN_CHANGES);
        assert_eq!(changes.due(next).len(), 2);
        assert_eq!(changes.deadline(), None);
    }

    #[test]
    fn who_says_no_state_is_there_all_the_same_a_moment_later() {
        let start = Instant::now();
        let mut changes = PresenceChanges::default();
        changes.note_arrival(start, ADA);
        assert!(changes.settled(start).is_empty());
        let at = changes.deadline().expect("somebody is awaited");
        assert_eq!(changes.settled(at), [ADA]);
    }
}
