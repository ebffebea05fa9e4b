//! Aligning flows that were one byte stream in RTMP (Flow Synchronization, RFC 7425 §5.2).
//!
//! A flow that reached a barrier waits until the other flows reached it too. It waits here, in a short queue, and not in
//! the transport: a sender that never sends the other half of a barrier must not fill our receive buffers. After a
//! second, or with too much waiting, everything goes on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::ids::{PlaybackId, SubscriberId};
use super::message::Message;
use super::user_control::UserControl;
use crate::rtmfp::endpoint::ReceiveFlowId;

/// Flows that answer each other, inside one session: barriers reach no further.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum FlowTree {
    /// Those of the NetConnection.
    Connection,
    /// Those of a direct stream we play.
    Playback(PlaybackId),
    /// That of a far peer that plays us.
    Subscriber(SubscriberId),
}

/// The barriers of one session.
#[derive(Debug, Default)]
pub(super) struct FlowSync {
    barriers: BTreeMap<(FlowTree, u32), Barrier>,
    waiting: BTreeMap<ReceiveFlowId, VecDeque<(FlowTree, Message)>>,
    messages: usize,
}

#[derive(Debug)]
struct Barrier {
    count: usize,
    reached: BTreeSet<ReceiveFlowId>,
    since: Instant,
}

impl FlowSync {
    /// Takes a message that came on a flow; answers the messages that may be looked at now.
    pub(super) fn pass(
        &mut self,
        now: Instant,
        tree: FlowTree,
        flow: ReceiveFlowId,
        message: Message,
    ) -> Vec<(ReceiveFlowId, Message)> {
        if let Some(queue) = self.waiting.get_mut(&flow) {
            queue.push_back((tree, message));
            self.messages += 1;
            return if self.messages > MOST_WAITING { self.release_all() } else { Vec::new() };
        }
        let mut passed = Vec::new();
        let mut queue = VecDeque::from([(tree, flow, message)]);
        while let Some((tree, flow, message)) = queue.pop_front() {
            let Message::UserControl(UserControl::FlowSync { barrier, count }) = message else {
                passed.push((flow, message));
                continue;
            };
            for flow in self.reach(now, tree, flow, barrier, count) {
                queue.extend(self.resume(flow));
            }
        }
        passed
    }

    /// Whether a flow stands at a barrier.
    pub(super) fn holds(&self, flow: ReceiveFlowId) -> bool {
        self.waiting.contains_key(&flow)
    }

    /// Gives up barriers that have stood for [`LONGEST_WAIT`].
    pub(super) fn on_time(&mut self, now: Instant) -> Vec<(ReceiveFlowId, Message)> {
        if self.barriers.values().any(|barrier| barrier.since + LONGEST_WAIT <= now) {
            self.release_all()
        } else {
            Vec::new()
        }
    }

    /// When `on_time` next has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.barriers.values().map(|barrier| barrier.since + LONGEST_WAIT).min()
    }

    /// A flow at a barrier; answers the flows that may go on.
    fn reach(
        &mut self,
        now: Instant,
        tree: FlowTree,
        flow: ReceiveFlowId,
        id: u32,
        count: u32,
    ) -> BTreeSet<ReceiveFlowId> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if !(2..=MOST_FLOWS).contains(&count) {
            return BTreeSet::from([flow]);
        }
        let fresh = || Barrier { count, reached: BTreeSet::new(), since: now };
        let barrier = self.barriers.entry((tree, id)).or_insert_with(fresh);
        barrier.reached.insert(flow);
        if barrier.reached.len() < barrier.count {
            self.waiting.entry(flow).or_default();
            return BTreeSet::new();
        }
        self.barriers.remove(&(tree, id)).map(|barrier| barrier.reached).unwrap_or_default()
    }

    /// Lets a flow go on, up to the next barrier among its waiting messages.
    fn resume(&mut self, flow: ReceiveFlowId) -> Vec<(FlowTree, ReceiveFlowId, Message)> {
        let mut queue = self.waiting.remove(&flow).unwrap_or_default();
        let is_barrier = |(_, message): &(FlowTree, Message)| {
            matches!(message, Message::UserControl(UserControl::FlowSync { .. }))
        };
        let until = queue.iter().position(is_barrier).map_or(queue.len(), |place| place + 1);
        let rest = queue.split_off(until);
        self.messages -= queue.len();
        if !rest.is_empty() {
            self.waiting.insert(flow, rest);
        }
        queue.into_iter().map(|(tree, message)| (tree, flow, message)).collect()
    }

    fn release_all(&mut self) -> Vec<(ReceiveFlowId, Message)> {
        self.barriers.clear();
        self.messages = 0;
        let waiting = std::mem::take(&mut self.waiting);
        let all = waiting.into_iter();
        all.flat_map(|(flow, queue)| queue.into_iter().map(move |(_, message)| (flow, message))).collect()
    }
}

/// Flows are not held longer than this for one that may never reach the barrier.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Nor with more messages than this behind all barriers of a session.
const MOST_WAITING: usize = 256;

/// A barrier across more flows than any stream has is none.
const MOST_FLOWS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const F1: ReceiveFlowId = ReceiveFlowId(1);
    const F2: ReceiveFlowId = ReceiveFlowId(2);

    struct Script {
        sync: FlowSync,
        now: Instant,
    }

    impl Script {
        fn new() -> Self {
            Self { sync: FlowSync::default(), now: Instant::now() }
        }

        fn message(&mut self, flow: ReceiveFlowId, number: u32) -> Vec<u32> {
            let message = Message::UserControl(UserControl::StreamBegin(number));
            let passed = self.sync.pass(self.now, FlowTree::Connection, flow, message);
            numbers(passed)
        }

        fn barrier(&mut self, flow: ReceiveFlowId, barrier: u32) -> Vec<u32> {
            let message = Message::UserControl(UserControl::FlowSync { barrier, count: 2 });
            let passed = self.sync.pass(self.now, FlowTree::Connection, flow, message);
            numbers(passed)
        }
    }

    fn numbers(passed: Vec<(ReceiveFlowId, Message)>) -> Vec<u32> {
        let number = |(_, message)| match message {
            Message::UserControl(UserControl::StreamBegin(number)) => number,
            other => panic!("not a numbered message: {other:?}"),
        };
        passed.into_iter().map(number).collect()
    }

    /// What one of the two flows of figure 2 carries.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Sent {
        M(u32),
        Sync(u32),
    }

    /// Calls `each` with every order in which two flows may come.
    fn interleavings(
        of: [&[Sent]; 2],
        begun: &mut Vec<(ReceiveFlowId, Sent)>,
        each: &mut impl FnMut(&[(ReceiveFlowId, Sent)]),
    ) {
        if of.iter().all(|rest| rest.is_empty()) {
            each(begun);
        }
        for (number, flow) in [F1, F2].into_iter().enumerate() {
            if let Some((first, rest)) = of[number].split_first() {
                let mut left = of;
                left[number] = rest;
                begun.push((flow, *first));
                interleavings(left, begun, each);
                begun.pop();
            }
        }
    }

    /// Conforms: 7425-5.2-e, 7425-5.2-g
    #[test]
    fn however_the_two_flows_of_figure_2_come_the_barriers_hold_and_nothing_is_lost() {
        use Sent::{M, Sync};
        let f1 = [M(1), M(2), M(4), Sync(8), Sync(13), M(7)];
        let f2 = [M(3), Sync(8), M(5), Sync(13), M(6)];
        let mut orders = 0;
        interleavings([&f1, &f2], &mut Vec::new(), &mut |order| {
            let mut script = Script::new();
            let mut passed = Vec::new();
            for (flow, sent) in order {
                passed.extend(match sent {
                    M(number) => script.message(*flow, *number),
                    Sync(barrier) => script.barrier(*flow, *barrier),
                });
            }
            let place = |number: u32| passed.iter().position(|n| *n == number).expect("it came");
            assert_eq!(passed.len(), 7, "{order:?}");
            assert!((1..=4).all(|before| place(before) < place(5)), "{order:?}: {passed:?}");
            assert!((6..=7).all(|after| place(5) < place(after)), "{order:?}: {passed:?}");
            assert!(place(1) < place(2) && place(2) < place(4), "{order:?}: {passed:?}");
            orders += 1;
        });
        assert_eq!(orders, 462);
    }

    /// Conforms: 7425-5.2-e, trap-20
    #[test]
    fn a_barrier_counts_the_flows_of_one_tree_alone() {
        let mut script = Script::new();
        let barrier = || Message::UserControl(UserControl::FlowSync { barrier: 1, count: 2 });
        let other_tree = FlowTree::Playback(PlaybackId(1));
        assert_eq!(script.barrier(F1, 1), [0_u32; 0]);
        assert_eq!(numbers(script.sync.pass(script.now, other_tree, F2, barrier())), [0_u32; 0]);
        assert_eq!(script.message(F1, 5), [0_u32; 0], "the barrier in the other tree is another one");
        let f3 = ReceiveFlowId(3);
        assert_eq!(script.barrier(f3, 1), [5]);
    }

    #[test]
    fn two_flows_meet_at_two_barriers_as_in_figure_2() {
        let mut script = Script::new();
        assert_eq!(script.message(F2, 3), [3]);
        assert_eq!(script.barrier(F2, 8), [0_u32; 0]);
        assert_eq!(script.message(F2, 5), [0_u32; 0]);
        assert_eq!(script.barrier(F2, 13), [0_u32; 0]);
        assert_eq!(script.message(F2, 6), [0_u32; 0]);
        assert_eq!(script.message(F1, 1), [1]);
        assert_eq!(script.barrier(F1, 8), [5]);
        assert_eq!(script.barrier(F1, 13), [6]);
        assert_eq!(script.message(F1, 7), [7]);
    }

    #[test]
    fn a_barrier_that_nobody_else_reaches_holds_for_a_second() {
        let mut script = Script::new();
        script.barrier(F1, 1);
        assert_eq!(script.message(F1, 9), [0_u32; 0]);
        assert_eq!(script.sync.deadline(), Some(script.now + LONGEST_WAIT));
        assert_eq!(numbers(script.sync.on_time(script.now)), [0_u32; 0]);
        assert_eq!(numbers(script.sync.on_time(script.now + LONGEST_WAIT)), [9]);
        assert_eq!(script.sync.deadline(), None);
    }

    #[test]
    fn too_much_behind_a_barrier_opens_it() {
        let mut script = Script::new();
        script.barrier(F1, 1);
        let passed: usize = (0..=MOST_WAITING as u32).map(|n| script.message(F1, n).len()).sum();
        assert_eq!(passed, MOST_WAITING + 1);
        assert_eq!(script.message(F1, 1), [1]);
    }
}
