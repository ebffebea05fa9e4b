//! A send flow's messages, as numbered fragments, until they are acknowledged or given up (RFC 7016 §3.6.2.2 to §3.6.2.7).
//!
//! Sequence numbers are given when a message is queued, so every message leaves at least one number behind, and the
//! receiver can tell that one was given up. Giving up never blocks what stands behind: abandoned fragments are dropped
//! from the front, and the forward sequence number of the next chunk says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::Instant;

use bytes::Bytes;

use super::in_flight::InFlight;
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{MessageId, SendFlowId, WriteOptions};
use crate::rtmfp::limits;
use crate::rtmfp::wire::user_data::{FragmentPlace, NextUserData};

#[derive(Clone, Debug)]
struct Entry {
    /// The message it belongs to; 0 for none.
    message: u64,
    place: FragmentPlace,
    /// Empty once abandoned.
    data: Bytes,
    abandoned: bool,
    ever_sent: bool,
    state: EntryState,
}

impl Entry {
    fn is_given_up_and_waits(&self) -> bool {
        self.abandoned && self.state == EntryState::Waiting
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum EntryState {
    /// To be sent, for the first time or again.
    Waiting,
    /// On its way.
    InFlight { place_in_order: u64, sent_abandoned: bool },
    /// Acknowledged, or dropped from the front; stays until those before it are gone.
    Gone,
}

#[derive(Clone, Debug)]
struct Message {
    /// All of it. Its fragments are slices of the same bytes, so keeping it costs nothing.
    whole: Bytes,
    first: u64,
    last: u64,
    unacknowledged: u64,
    started: bool,
    options: WriteOptions,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Deadline {
    Start,
    Finish,
}

/// What to put into the next chunk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sendable {
    /// The fragment's number.
    pub(crate) sequence: u64,
    /// Everything up to this number is acknowledged or given up.
    pub(crate) forward: u64,
    /// Its place in its message.
    pub(crate) place: FragmentPlace,
    /// Whether it was given up: then it has no data.
    pub(crate) abandoned: bool,
    /// Whether it is the flow's last.
    pub(crate) finished: bool,
    /// The data.
    pub(crate) data: Bytes,
}

/// The queue of one send flow.
#[derive(Clone, Debug)]
pub(crate) struct SendQueue {
    /// Whether each given-up number is told of by a chunk of its own: Flash-era programs look at no forward sequence
    /// number. They may take such a chunk for the end of everything before it, so it waits until that is so.
    tells_each: bool,
    /// The number of `entries[0]`.
    base: u64,
    entries: VecDeque<Entry>,
    /// Numbers that were sent, lost, and not given up.
    lost: BTreeSet<u64>,
    /// No number from here on was ever sent.
    next_unsent: u64,
    /// Bytes of data that the packet will hold which the last fragment goes into, if nothing else comes in between.
    last_fill: usize,
    final_number: Option<u64>,
    /// By the names they were given, which rise as the numbers of their fragments do.
    messages: BTreeMap<u64, Message>,
    next_message: u64,
    deadlines: BTreeSet<(Instant, u64, Deadline)>,
    given_up: BTreeSet<u64>,
    live: usize,
    in_flight_bytes: usize,
    queued_bytes: usize,
    reports: VecDeque<(MessageId, bool)>,
}

impl SendQueue {
    /// Nothing queued; the first number will be 1 (§2.3.11).
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            tells_each: dialect == Dialect::FlashEra,
            base: 1,
            entries: VecDeque::new(),
            lost: BTreeSet::new(),
            next_unsent: 1,
            last_fill: 0,
            final_number: None,
            messages: BTreeMap::new(),
            next_message: 1,
            deadlines: BTreeSet::new(),
            given_up: BTreeSet::new(),
            live: 0,
            in_flight_bytes: 0,
            queued_bytes: 0,
            reports: VecDeque::new(),
        }
    }

    /// Gives back memory that nothing is in; for a queue that will not be used soon.
    pub(crate) fn release_spare(&mut self) {
        // A tree keeps its root when it becomes empty.
        if self.messages.is_empty() {
            self.messages = BTreeMap::new();
        }
        if self.lost.is_empty() {
            self.lost = BTreeSet::new();
        }
        if self.deadlines.is_empty() {
            self.deadlines = BTreeSet::new();
        }
        self.entries.shrink_to_fit();
        self.reports.shrink_to_fit();
    }

    /// Bytes of messages not yet acknowledged or given up.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Bytes of chunks in flight (F_OUTSTANDING_BYTES).
    pub(crate) fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    /// The numbers in flight, and whether each was sent as given up.
    #[cfg(test)]
    pub(crate) fn outstanding(&self) -> Vec<(u64, bool)> {
        let in_flight = |(number, entry): (u64, &Entry)| match entry.state {
            EntryState::InFlight { sent_abandoned, .. } => Some((number, sent_abandoned)),
            EntryState::Waiting | EntryState::Gone => None,
        };
        (self.base..).zip(&self.entries).filter_map(in_flight).collect()
    }

    /// Whether nothing is left to send or to wait for.
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The number the next fragment gets (NEXT_SN).
    pub(crate) fn next_number(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// The next message that is done, and whether it was delivered; only those whose writer asked.
    pub(crate) fn next_report(&mut self) -> Option<(MessageId, bool)> {
        self.reports.pop_front()
    }

    /// When the next message is to be given up.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _, _)| *at)
    }

    /// Queues a message in fragments of at most `fragment_size` bytes (§3.6.2.2). One that needs a message already given
    /// up falls at once.
    pub(crate) fn push(&mut self, data: Bytes, fragment_size: usize, options: WriteOptions) -> MessageId {
        let id = self.next_message;
        self.next_message += 1;
        self.queued_bytes += data.len();
        let first = self.next_number();
        let pieces = self.push_pieces(id, data.clone(), true, fragment_size);
        let (whole, last) = (data, first + pieces - 1);
        self.messages
            .insert(id, Message { whole, first, last, unacknowledged: pieces, started: false, options });
        let deadlines = [(options.start_by, Deadline::Start), (options.finish_by, Deadline::Finish)];
        for (at, kind) in deadlines {
            self.deadlines.extend(at.map(|at| (at, id, kind)));
        }
        if options.needs.is_some_and(|needed| self.given_up.contains(&needed.0)) {
            self.give_up(id);
        }
        MessageId(id)
    }

    /// Appends the rest of a message in pieces, from its beginning or not, through its end; answers how many.
    fn push_pieces(&mut self, message: u64, mut rest: Bytes, from_start: bool, fragment_size: usize) -> u64 {
        let room = self.room_beside_last(fragment_size);
        // What takes several packets anyway begins in the one that the message before it ends in.
        let first_size =
            if rest.len() > fragment_size && room >= WORTH_A_FRAGMENT { room } else { fragment_size };
        let pieces = 1 + rest.len().saturating_sub(first_size).div_ceil(fragment_size) as u64;
        for piece in 1..=pieces {
            let size = if piece == 1 { first_size } else { fragment_size };
            let place = match (from_start && piece == 1, piece == pieces) {
                (true, true) => FragmentPlace::Whole,
                (true, false) => FragmentPlace::First,
                (false, false) => FragmentPlace::Middle,
                (false, true) => FragmentPlace::Last,
            };
            let data = rest.split_to(size.min(rest.len()));
            let state = EntryState::Waiting;
            let beside = self.last_fill + NextUserData::HEADER_LENGTH + data.len();
            self.last_fill = if self.has_unsent() && beside <= fragment_size { beside } else { data.len() };
            self.push_entry(Entry { message, place, data, abandoned: false, ever_sent: false, state });
        }
        pieces
    }

    /// How long a fragment may be that goes into one packet with what was queued last.
    fn room_beside_last(&self, fragment_size: usize) -> usize {
        if !self.has_unsent() {
            return 0;
        }
        fragment_size.saturating_sub(self.last_fill + NextUserData::HEADER_LENGTH)
    }

    fn has_unsent(&self) -> bool {
        self.next_unsent < self.next_number()
    }

    /// Finishes the flow: its last fragment is the one that waits at the end and was never sent, or else a new empty,
    /// abandoned one (§3.6.2.11).
    pub(crate) fn finish(&mut self) {
        // Flash-era programs want the end to be empty.
        let tail_is_fresh = !self.tells_each
            && self.entries.back().is_some_and(|tail| !tail.ever_sent && tail.state == EntryState::Waiting);
        if !tail_is_fresh {
            self.push_abandoned();
        }
        self.final_number = Some(self.next_number() - 1);
    }

    fn push_abandoned(&mut self) {
        self.push_entry(Entry {
            message: 0,
            place: FragmentPlace::Whole,
            data: Bytes::new(),
            abandoned: true,
            ever_sent: false,
            state: EntryState::Waiting,
        });
    }

    fn push_entry(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        self.live += 1;
    }

    /// Gives up what is past its deadline.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(&(at, message, kind)) = self.deadlines.first() {
            if at > now {
                return;
            }
            self.deadlines.pop_first();
            let started = self.messages.get(&message).is_none_or(|message| message.started);
            if kind == Deadline::Finish || !started {
                self.give_up(message);
            }
        }
    }

    /// Gives up every message.
    pub(crate) fn give_up_all(&mut self) {
        while let Some((&first, _)) = self.messages.first_key_value() {
            self.give_up(first);
        }
    }

    /// Gives up one message and all that need it, directly or not.
    fn give_up(&mut self, message: u64) {
        if !self.abandon(message) {
            return;
        }
        let mut fallen = BTreeSet::from([message]);
        // A message only needs earlier ones, so one pass forward finds the whole chain.
        let later: Vec<(u64, u64)> = self
            .messages
            .range(message..)
            .filter_map(|(&id, message)| message.options.needs.map(|needed| (id, needed.0)))
            .collect();
        for (id, needed) in later {
            if fallen.contains(&needed) && self.abandon(id) {
                fallen.insert(id);
            }
        }
    }

    fn abandon(&mut self, id: u64) -> bool {
        let Some(message) = self.messages.remove(&id) else { return false };
        self.forget_deadlines(id, message.options);
        for number in message.first..=message.last {
            let Some(entry) = number.checked_sub(self.base).and_then(|at| self.entries.get_mut(at as usize))
            else {
                continue;
            };
            if entry.state != EntryState::Gone {
                self.queued_bytes -= entry.data.len();
            }
            entry.data = Bytes::new();
            entry.abandoned = true;
            self.lost.remove(&number);
        }
        self.given_up.insert(id);
        if self.given_up.len() > limits::MOST_GIVEN_UP {
            self.given_up.pop_first();
        }
        if message.options.report {
            self.reports.push_back((MessageId(id), false));
        }
        true
    }

    fn forget_deadlines(&mut self, message: u64, options: WriteOptions) {
        for (at, kind) in [(options.start_by, Deadline::Start), (options.finish_by, Deadline::Finish)] {
            if let Some(at) = at {
                self.deadlines.remove(&(at, message, kind));
            }
        }
    }

    /// Whether [`Self::next_to_send`] would answer something. Drops what need not be sent any more.
    pub(crate) fn has_sendable(&mut self) -> bool {
        self.next_number_to_send().is_some()
    }

    /// What to send next (§3.6.2.3). Nothing changes until [`Self::depart`].
    pub(crate) fn next_to_send(&mut self) -> Option<Sendable> {
        let sequence = self.next_number_to_send()?;
        let forward = self.forward_number();
        let finished = self.final_number == Some(sequence);
        let entry = self.entry(sequence)?;
        Some(Sendable {
            sequence,
            forward,
            place: entry.place,
            abandoned: entry.abandoned,
            finished,
            data: entry.data.clone(),
        })
    }

    /// The fragment that [`Self::next_to_send`] answered goes out in a chunk of `size` bytes. Answers the message that has
    /// thereby gone out whole for the first time, if its writer wants to know.
    pub(crate) fn depart(
        &mut self,
        flow: SendFlowId,
        sequence: u64,
        size: usize,
        sent: &mut InFlight,
    ) -> Option<MessageId> {
        let index = self.index(sequence)?;
        let entry = &mut self.entries[index];
        let place_in_order = sent.depart(flow, sequence, size);
        entry.state = EntryState::InFlight { place_in_order, sent_abandoned: entry.abandoned };
        let is_first_time = !std::mem::replace(&mut entry.ever_sent, true);
        let id = entry.message;
        if !is_first_time {
            sent.mark_again();
        }
        self.lost.remove(&sequence);
        self.next_unsent = self.next_unsent.max(sequence + 1);
        self.in_flight_bytes += size;
        let message = self.messages.get_mut(&id)?;
        message.started = true;
        (is_first_time && message.last == sequence && message.options.report).then_some(MessageId(id))
    }

    /// Takes an acknowledgement (§3.6.2.4); answers the bytes that left flight by it.
    pub(crate) fn acknowledge(
        &mut self,
        cumulative: u64,
        islands: &[RangeInclusive<u64>],
        sent: &mut InFlight,
    ) -> usize {
        let mut bytes = self.acknowledge_range(self.base, cumulative, sent);
        for island in islands {
            bytes += self.acknowledge_range(*island.start(), *island.end(), sent);
        }
        self.drop_gone_front();
        bytes
    }

    fn acknowledge_range(&mut self, from: u64, to: u64, sent: &mut InFlight) -> usize {
        // Numbers beyond what was ever sent are nonsense and change nothing.
        let (from, to) = (from.max(self.base), to.min(self.next_unsent.saturating_sub(1)));
        (from..=to).map(|number| self.acknowledge_one(number, sent)).sum()
    }

    fn acknowledge_one(&mut self, number: u64, sent: &mut InFlight) -> usize {
        let Some(index) = self.index(number) else { return 0 };
        let entry = &mut self.entries[index];
        let size = match entry.state {
            EntryState::Gone => return 0,
            EntryState::Waiting if !entry.ever_sent && !entry.abandoned => return 0,
            // It arrived although it was declared lost: not sent again, and not counted as newly acknowledged.
            EntryState::Waiting => 0,
            EntryState::InFlight { place_in_order, .. } => {
                let size = sent.arrive(place_in_order);
                self.in_flight_bytes -= size;
                size
            }
        };
        entry.state = EntryState::Gone;
        self.live -= 1;
        self.lost.remove(&number);
        let (data, message) = (std::mem::take(&mut entry.data), entry.message);
        self.queued_bytes -= data.len();
        if let Some(whole) = self.messages.get_mut(&message) {
            whole.unacknowledged -= 1;
            if whole.unacknowledged == 0 {
                let options = whole.options;
                self.messages.remove(&message);
                self.forget_deadlines(message, options);
                if options.report {
                    self.reports.push_back((MessageId(message), true));
                }
            }
        }
        size
    }

    /// A fragment of `size` bytes is lost and no longer in flight.
    pub(crate) fn on_lost(&mut self, sequence: u64, size: usize) {
        let Some(index) = self.index(sequence) else { return };
        let entry = &mut self.entries[index];
        if !matches!(entry.state, EntryState::InFlight { .. }) {
            return;
        }
        entry.state = EntryState::Waiting;
        self.in_flight_bytes -= size;
        if !entry.abandoned {
            self.lost.insert(sequence);
        }
    }

    fn next_number_to_send(&mut self) -> Option<u64> {
        while self.entry(self.next_unsent).is_some_and(|entry| entry.abandoned) {
            self.next_unsent += 1;
        }
        if self.tells_each {
            return self.next_number_with_each_told_of();
        }
        self.drop_abandoned_front();
        let front = self.entries.front()?;
        if front.is_given_up_and_waits() {
            return Some(self.base);
        }
        self.first_sendable()
    }

    /// As [`Self::next_number_to_send`], when no number may be passed over in silence.
    fn next_number_with_each_told_of(&mut self) -> Option<u64> {
        self.drop_gone_front();
        let settled =
            self.entries.iter().take_while(|entry| entry.abandoned || entry.state == EntryState::Gone);
        let given_up = settled.zip(self.base..).find(|(entry, _)| entry.is_given_up_and_waits());
        let given_up = given_up.map(|(_, number)| number);
        let lost = self.lost.first().copied();
        let unsent = self.entry(self.next_unsent).is_some_and(|entry| !entry.abandoned);
        given_up.or(lost).or_else(|| unsent.then_some(self.next_unsent))
    }

    /// The first fragment to be sent that is not sent merely for being the first in the queue (§3.6.2.3).
    fn first_sendable(&self) -> Option<u64> {
        if let Some(&lost) = self.lost.first() {
            return Some(lost);
        }
        if self.entry(self.next_unsent).is_some_and(|entry| !entry.abandoned) {
            return Some(self.next_unsent);
        }
        let last = self.final_number?;
        self.entry(last).filter(|entry| entry.state == EntryState::Waiting).map(|_| last)
    }

    /// Drops given-up fragments from the front, as long as something that is sent now says that they are.
    ///
    /// The RFC drops them whenever anything stands behind them (§3.6.2.3). With what stands behind already on its way,
    /// nothing would tell the receiver of the gap until that is acknowledged: so the last one stays, and goes out as the
    /// Forward Sequence Number Update of figure 21, line 25.
    fn drop_abandoned_front(&mut self) {
        self.drop_gone_front();
        while self.entries.front().is_some_and(Entry::is_given_up_and_waits) && self.gap_is_told_of_behind() {
            self.entries.pop_front();
            self.base += 1;
            self.live -= 1;
            self.drop_gone_front();
        }
    }

    /// Whether something behind the front will carry a forward sequence number that passes it.
    fn gap_is_told_of_behind(&self) -> bool {
        let mut behind = self.entries.iter().skip(1).skip_while(|entry| entry.state == EntryState::Gone);
        self.first_sendable().is_some_and(|number| number != self.base)
            || behind.next().is_some_and(Entry::is_given_up_and_waits)
    }

    fn drop_gone_front(&mut self) {
        while self.entries.front().is_some_and(|front| front.state == EntryState::Gone) {
            self.entries.pop_front();
            self.base += 1;
        }
        self.next_unsent = self.next_unsent.max(self.base);
    }

    /// The forward sequence number (§3.6.2.3): what the receiver need not wait for any more.
    fn forward_number(&self) -> u64 {
        let given_up = self.entries.front().is_some_and(|front| {
            front.abandoned && !matches!(front.state, EntryState::InFlight { sent_abandoned: false, .. })
        });
        if given_up { self.base } else { self.base - 1 }
    }

    fn index(&self, number: u64) -> Option<usize> {
        let index = usize::try_from(number.checked_sub(self.base)?).ok()?;
        (index < self.entries.len()).then_some(index)
    }

    fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(self.index(number)?)
    }
}

/// A smaller fragment is not worth its header.
const WORTH_A_FRAGMENT: usize = 128;

mod cutting_again;

#[cfg(test)]
mod tests;
