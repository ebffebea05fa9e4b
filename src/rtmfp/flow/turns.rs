//! Whose turn it is to send: eight strict priorities, and turn by turn among equals (RFC 7016 §3.6.2.3).

use std::collections::VecDeque;

use crate::rtmfp::endpoint::{Priority, SendFlowId};

/// A session's send flows in the order they may send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    /// By priority, 0 lowest.
    levels: [VecDeque<SendFlowId>; LEVELS],
}

impl Turns {
    /// A new flow comes last among its equals.
    pub(crate) fn add(&mut self, priority: Priority, flow: SendFlowId) {
        self.levels[priority as usize].push_back(flow);
    }

    /// A flow is gone.
    pub(crate) fn remove(&mut self, priority: Priority, flow: SendFlowId) {
        self.levels[priority as usize].retain(|other| *other != flow);
    }

    /// The next flow of a round over all of them: from the highest priority down, those first whose turn it is.
    pub(crate) fn next_in(&self, round: &mut Round) -> Option<SendFlowId> {
        while round.left == 0 {
            *round = self.level_after(round)?;
        }
        let flow = self.levels[round.level].get(round.index)?;
        round.left -= 1;
        round.index += 1;
        Some(*flow)
    }

    /// The flow that [`Self::next_in`] answered last had its turn, and comes last among its equals.
    pub(crate) fn had_turn(&mut self, round: &mut Round) {
        let level = &mut self.levels[round.level];
        // The next flow has moved up into its place.
        round.index = round.index.saturating_sub(1);
        if let Some(flow) = level.remove(round.index) {
            level.push_back(flow);
        }
    }

    fn level_after(&self, round: &Round) -> Option<Round> {
        let level = round.level.checked_sub(1)?;
        Some(Round { level, index: 0, left: self.levels[level].len() })
    }
}

/// How far a round over all flows has come.
#[derive(Debug)]
pub(crate) struct Round {
    level: usize,
    /// Of the next flow in its level.
    index: usize,
    /// Flows of the level that were not asked yet.
    left: usize,
}

impl Default for Round {
    /// Nobody was asked yet.
    fn default() -> Self {
        Self { level: LEVELS, index: 0, left: 0 }
    }
}

/// As many as there are priorities.
const LEVELS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_priorities_go_first_and_equals_take_turns() {
        let mut turns = Turns::default();
        let ids = [SendFlowId(2), SendFlowId(3), SendFlowId(4)];
        turns.add(Priority::Video, ids[0]);
        turns.add(Priority::Audio, ids[1]);
        turns.add(Priority::Video, ids[2]);
        let all = |turns: &Turns| {
            let mut round = Round::default();
            std::iter::from_fn(|| turns.next_in(&mut round)).collect::<Vec<_>>()
        };
        assert_eq!(all(&turns), [ids[1], ids[0], ids[2]]);
        let mut round = Round::default();
        turns.next_in(&mut round);
        assert_eq!(turns.next_in(&mut round), Some(ids[0]));
        turns.had_turn(&mut round);
        assert_eq!(turns.next_in(&mut round), Some(ids[2]), "the round goes on with the next");
        assert_eq!(turns.next_in(&mut round), None);
        assert_eq!(all(&turns), [ids[1], ids[2], ids[0]]);
        turns.remove(Priority::Video, ids[2]);
        assert_eq!(all(&turns), [ids[1], ids[0]]);
    }

    #[test]
    fn every_flow_has_one_turn_in_a_round_in_which_all_have_theirs() {
        let mut turns = Turns::default();
        (2..7).for_each(|id| turns.add(Priority::Data, SendFlowId(id)));
        let mut round = Round::default();
        let mut asked = Vec::new();
        while let Some(SendFlowId(id)) = turns.next_in(&mut round) {
            asked.push(id);
            turns.had_turn(&mut round);
        }
        assert_eq!(asked, [2, 3, 4, 5, 6]);
    }
}
