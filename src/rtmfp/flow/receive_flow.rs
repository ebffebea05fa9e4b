//! The receiving end of a flow (RFC 7016 §3.6.3): what came, what is missing, and what to say about it.

use std::ops::RangeInclusive;
use std::time::Instant;

use super::reassembly::{Reassembly, TooLarge, WholeMessage};
use super::sequence_set::SequenceSet;
use crate::rtmfp::endpoint::Delivery;
use crate::rtmfp::limits;
use crate::rtmfp::wire::user_data::FragmentPlace;

/// One fragment as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    /// Its number.
    pub(crate) sequence: u64,
    /// Everything up to this number need not be waited for.
    pub(crate) forward: u64,
    /// Its place in its message.
    pub(crate) place: FragmentPlace,
    /// Whether it was given up: then its data is ignored.
    pub(crate) abandoned: bool,
    /// Whether it is the flow's last.
    pub(crate) finished: bool,
    /// The data.
    pub(crate) data: &'a [u8],
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// RF_OPEN.
    Open,
    /// RF_REJECTED: everything is still acknowledged, after a report of this code.
    Rejected { code: u64 },
    /// RF_COMPLETE_LINGER: everything came; repeated data is still answered.
    Complete { until: Instant },
}

/// What the layer above said to the flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// It does not know of it yet.
    Untold,
    /// It was told at this time, and has not answered.
    Told(Instant),
    /// It takes the flow.
    Accepted(Delivery),
    /// It does not, or was never asked.
    Rejected,
}

/// How much a receive flow may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiveLimits {
    /// Bytes it may hold before the far end must wait.
    pub(crate) window: usize,
    /// The largest message in bytes.
    pub(crate) largest_message: usize,
}

/// How a flow ended for the layer above.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FlowEnd {
    /// Whether messages are missing before the end.
    pub(crate) after_gap: bool,
}

/// The unit in which windows are told (§3.6.3.5).
const BLOCK: u64 = 1024;

/// A flow we receive on.
#[derive(Debug)]
pub(crate) struct ReceiveFlow {
    /// Whether an acknowledgement is owed (SHOULD_ACK).
    pub(crate) owes_acknowledgement: bool,
    /// What the layer above said.
    pub(crate) answer: Answer,
    /// Whether its session holds so much that this flow must not hold more.
    pub(crate) is_crowded_out: bool,
    limits: ReceiveLimits,
    state: State,
    received: SequenceSet,
    buffer: Reassembly,
    final_number: Option<u64>,
    /// The window advertised last, in bytes (PREV_RWND).
    advertised: Option<u64>,
    newest: Option<u64>,
    /// Whether the layer above wants nothing given up for now.
    is_suspended: bool,
    /// Whether more than the newest fragment must be looked at, since nothing was given up for a while.
    look_at_all: bool,
    /// The last number of the highest message given up; messages before it are a gap.
    given_through: u64,
    end_reported: bool,
}

impl ReceiveFlow {
    /// Gives back memory that nothing is in; for a flow on which nothing comes.
    pub(crate) fn release_spare(&mut self) {
        self.buffer.release_spare();
    }

    /// A flow that nobody asked the layer above about yet.
    pub(crate) fn new(limits: ReceiveLimits) -> Self {
        Self {
            owes_acknowledgement: false,
            answer: Answer::Untold,
            is_crowded_out: false,
            limits,
            state: State::Open,
            received: SequenceSet::new(limits::MOST_ISLANDS),
            buffer: Reassembly::default(),
            final_number: None,
            advertised: None,
            newest: None,
            is_suspended: false,
            look_at_all: false,
            given_through: 0,
            end_reported: false,
        }
    }

    /// Whether data is still taken (RF_OPEN).
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// The code to report before each acknowledgement (§3.6.3.4.3).
    pub(crate) fn rejection(&self) -> Option<u64> {
        match self.state {
            State::Rejected { code } => Some(code),
            State::Open | State::Complete { .. } => None,
        }
    }

    /// Bytes it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.buffer.cost()
    }

    /// When it can be forgotten, once complete (§3.6.3.8): messages held for a suspended user outlive its lingering.
    pub(crate) fn forgotten_at(&self) -> Option<Instant> {
        match self.state {
            State::Complete { until } if !self.is_suspended => Some(until),
            State::Complete { .. } | State::Open | State::Rejected { .. } => None,
        }
    }

    /// Whether its lingering is over (RF_CLOSED): what comes under its ID belongs to another flow.
    pub(crate) fn is_closed(&self, now: Instant) -> bool {
        matches!(self.state, State::Complete { until } if until <= now)
    }

    /// Takes a fragment (§3.6.3.2). True if it must be acknowledged at once.
    pub(crate) fn on_piece(&mut self, now: Instant, piece: Piece<'_>) -> bool {
        self.owes_acknowledgement = true;
        let last_block_was_advertised = self.advertised.is_some_and(|bytes| bytes <= BLOCK);
        let mut at_once =
            !self.is_open() || last_block_was_advertised || piece.abandoned || self.received.has_gap();

        let duplicate = self.received.contains(piece.sequence);
        let buffered = !duplicate && !piece.abandoned && self.is_open();
        let no_room = buffered && (self.is_full_for(&piece) || self.is_crowded_out);
        self.received.insert_through(piece.forward);
        if duplicate || no_room || !self.received.insert(piece.sequence) {
            // What is not taken is not acknowledged either, and comes again.
            at_once = true;
        } else {
            if buffered {
                self.buffer.insert(piece.sequence, piece.place, piece.data);
                self.newest = Some(piece.sequence);
            }
            if piece.finished && self.final_number.is_none() {
                self.final_number = Some(piece.sequence);
                at_once = true;
            }
        }
        at_once |= self.received.has_gap() || (self.free_bytes() as u64) < BLOCK;
        at_once | self.complete_if_all_came(now)
    }

    /// Whether it holds all that it may, and this would be more. What fills the first gap is taken all the same: it lets
    /// something out, or shows a message too large.
    fn is_full_for(&self, piece: &Piece<'_>) -> bool {
        let fills_gap = !self.is_suspended && piece.sequence == self.received.cumulative().saturating_add(1);
        self.buffer.cost() + piece.data.len() > self.hard_limit() && !fills_gap
    }

    /// Whether a fragment is more than this flow takes in any case: no honest sender goes so far.
    pub(crate) fn is_beyond_limit(&self, piece: &Piece<'_>) -> bool {
        let is_wanted = self.is_open() && !piece.abandoned && !self.received.contains(piece.sequence);
        is_wanted && self.is_full_for(piece)
    }

    /// Ends in RF_COMPLETE_LINGER when nothing is missing through the last number.
    fn complete_if_all_came(&mut self, now: Instant) -> bool {
        let complete = self.final_number.is_some_and(|last| self.received.cumulative() >= last);
        if !complete || matches!(self.state, State::Complete { .. }) {
            return false;
        }
        self.state = State::Complete { until: now + limits::RECEIVE_FLOW_LINGER };
        self.owes_acknowledgement = true;
        true
    }

    /// Gives up the messages whose turn it is, if the layer above takes the flow.
    ///
    /// # Errors
    /// [`TooLarge`] when one is larger than allowed; reject the flow.
    pub(crate) fn deliver(&mut self, out: &mut Vec<WholeMessage>) -> Result<(), TooLarge> {
        let Answer::Accepted(delivery) = self.answer else { return Ok(()) };
        if self.is_suspended {
            return Ok(());
        }
        let (newest, largest) = (self.newest.take(), self.limits.largest_message);
        if std::mem::take(&mut self.look_at_all) && delivery == Delivery::Arrival {
            self.buffer.deliver_all_whole(largest, out)?;
        }
        self.buffer.deliver(delivery, self.received.cumulative(), newest, largest, out)
    }

    /// Notes that a message is given to the layer above. True if there is a gap before it: numbers that were neither
    /// given before, nor stand right before it (§3.6.1.2).
    pub(crate) fn note_given(&mut self, message: &WholeMessage) -> bool {
        let gap = message.first > self.given_through.saturating_add(1);
        self.given_through = self.given_through.max(message.last);
        gap
    }

    /// Takes the flow; what came before is given up by the next [`Self::deliver`].
    pub(crate) fn accept(&mut self, delivery: Delivery) {
        if matches!(self.answer, Answer::Untold | Answer::Told(_)) {
            self.answer = Answer::Accepted(delivery);
            self.look_at_all = true;
        }
    }

    /// Holds every message from now on (§3.6.3.3); the window may close (§3.6.3.5).
    pub(crate) fn suspend(&mut self) {
        self.is_suspended = true;
    }

    /// Gives messages up again, by the next [`Self::deliver`].
    pub(crate) fn resume(&mut self) {
        self.look_at_all |= self.is_suspended;
        self.is_suspended = false;
    }

    /// Whether the layer above wants nothing given up for now.
    pub(crate) fn is_suspended(&self) -> bool {
        self.is_suspended
    }

    /// Whether the far end should hear at once that there is more room than it was told last: it may stand still.
    pub(crate) fn tell_of_room(&mut self) -> bool {
        let blocks = |bytes: u64| bytes.div_ceil(BLOCK);
        let told = self.advertised.map(blocks);
        let news = told.is_some_and(|told| told < 2 && told < blocks(self.window()));
        self.owes_acknowledgement |= news;
        news
    }

    /// Refuses the flow (§3.6.3.7): drops what it holds, and reports `code` with every acknowledgement.
    pub(crate) fn reject(&mut self, code: u64) {
        self.answer = Answer::Rejected;
        self.is_suspended = false;
        self.buffer.clear();
        if self.is_open() {
            self.state = State::Rejected { code };
            self.owes_acknowledgement = true;
        }
    }

    /// Whether the layer above should be told that everything came and was given up (§3.6.3.3), and then whether there is
    /// a gap before the end; answers once.
    pub(crate) fn take_end(&mut self) -> Option<FlowEnd> {
        let ended = matches!(self.state, State::Complete { .. })
            && matches!(self.answer, Answer::Accepted(_))
            && !self.is_suspended
            && !self.end_reported;
        if !ended {
            return None;
        }
        // What is left is part of a message that nothing more will come of. The last number alone may be no message, but
        // the end of a flow that had said everything.
        let last = self.final_number.unwrap_or(0);
        let after_gap = !self.buffer.is_empty() || last > self.given_through.saturating_add(1);
        self.buffer.clear();
        self.end_reported = true;
        Some(FlowEnd { after_gap })
    }

    /// Bytes the far end may send (§3.6.3.5). Only a suspended flow's window closes: else a gap could never fill.
    pub(crate) fn window(&self) -> u64 {
        let least = if self.is_suspended || self.limits.window == 0 { 0 } else { 1 };
        self.free_bytes().max(least) as u64
    }

    /// Everything through this number came or was given up.
    pub(crate) fn cumulative(&self) -> u64 {
        self.received.cumulative()
    }

    /// What came beyond that, at most so many runs.
    pub(crate) fn islands(&self, most: usize) -> Vec<RangeInclusive<u64>> {
        self.received.islands().take(most).collect()
    }

    /// An acknowledgement with this window went out.
    pub(crate) fn note_acknowledged(&mut self, window: u64) {
        self.owes_acknowledgement = false;
        self.advertised = Some(window);
    }

    fn free_bytes(&self) -> usize {
        let held = if self.is_suspended { self.buffer.cost() } else { self.buffer.cost_beyond_front() };
        self.limits.window.saturating_sub(held)
    }

    /// What the buffer never exceeds: the window, the message being put together, and what an honest sender may have sent
    /// before it heard of the window.
    fn hard_limit(&self) -> usize {
        let early = limits::FIRST_RECEIVE_WINDOW as usize;
        self.limits.window.saturating_add(self.limits.largest_message).saturating_add(early)
    }
}

#[cfg(test)]
mod tests;
