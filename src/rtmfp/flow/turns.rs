//! Whose turn it is to send: eight strict priorities, and turn by turn among equals (RFC 7016 §3.6.2.3).

use std::collections::VecDeque;

use crate::rtmfp::endpoint::{Priority, SendFlowId};

/// A session's send flows in the order they may send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    /// By priority, 0 lowest.
    levels: [VecDeque<SendFlowId>; 8],
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

    /// The flows from the highest priority down, those first whose turn it is.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = SendFlowId> + '_ {
        self.levels.iter().rev().flatten().copied()
    }

    /// A flow had its turn, and comes last among its equals.
    pub(crate) fn had_turn(&mut self, priority: Priority, flow: SendFlowId) {
        let level = &mut self.levels[priority as usize];
        if let Some(at) = level.iter().position(|other| *other == flow) {
            level.remove(at);
            level.push_back(flow);
        }
    }
}

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
        assert_eq!(turns.in_order().collect::<Vec<_>>(), [ids[1], ids[0], ids[2]]);
        turns.had_turn(Priority::Video, ids[0]);
        assert_eq!(turns.in_order().collect::<Vec<_>>(), [ids[1], ids[2], ids[0]]);
        turns.remove(Priority::Video, ids[2]);
        assert_eq!(turns.in_order().collect::<Vec<_>>(), [ids[1], ids[0]]);
    }
}
