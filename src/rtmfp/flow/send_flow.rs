//! The sending end of a flow (RFC 7016 §3.6.2): its queue, the far end's window, and how it ends.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::in_flight::InFlight;
use super::send_queue::SendQueue;
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{FlowOptions, MessageId, SendFlowId, WriteOptions};
use crate::rtmfp::error::Misuse;
use crate::rtmfp::limits;
use crate::rtmfp::wire::user_data::{FlowMetadata, UserData};

/// How far a send flow has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Takes messages.
    Open,
    /// Takes none any more, and sends what it has (F_CLOSING).
    Closing,
    /// Refused by the far end: gives up everything, but still sees its last number through (§3.6.2.10).
    Refused {
        /// Whether that was news for the layer above, which had not closed it.
        news: bool,
    },
}

/// Asks a far end that has no room whether it has some by now (§3.6.2.9.1).
#[derive(Clone, Copy, Debug)]
struct Probe {
    at: Instant,
    interval: Duration,
}

/// A flow we send on.
#[derive(Debug)]
pub(crate) struct SendFlow {
    /// What it was opened with.
    pub(crate) options: FlowOptions,
    /// What it holds.
    pub(crate) queue: SendQueue,
    dialect: Dialect,
    state: State,
    /// Whether the far end acknowledged the flow: then the startup options are left out (§3.6.2.3.1).
    known: bool,
    /// The far end's last advertised window in bytes (RX_BUFFER_SIZE).
    window: u64,
    probe: Option<Probe>,
    wants_room: bool,
}

impl SendFlow {
    /// An open flow with nothing to send.
    pub(crate) fn new(options: FlowOptions, dialect: Dialect) -> Self {
        Self {
            options,
            queue: SendQueue::new(dialect),
            dialect,
            state: State::Open,
            known: false,
            window: limits::FIRST_RECEIVE_WINDOW,
            probe: None,
            wants_room: false,
        }
    }

    /// Whether it takes messages, and may be answered by return flows.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether it is done: closed, and everything through its last number acknowledged (§3.6.2.11).
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_open() && self.queue.is_empty()
    }

    /// Whether the far end refused it.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused { .. })
    }

    /// Whether the layer above was told of the refusal, and needs no other end.
    pub(crate) fn refusal_was_news(&self) -> bool {
        self.state == State::Refused { news: true }
    }

    /// The far end's last advertised window in bytes.
    #[cfg(test)]
    pub(crate) fn window(&self) -> u64 {
        self.window
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`Misuse::NoFlow`] when closed, [`Misuse::QueueFull`] when it would hold more than `send_buffer` bytes; an empty
    /// queue takes any message.
    pub(crate) fn write(
        &mut self,
        message: Bytes,
        fragment_size: usize,
        send_buffer: usize,
        options: WriteOptions,
    ) -> Result<MessageId, Misuse> {
        if !self.is_open() {
            return Err(Misuse::NoFlow);
        }
        let queued = self.queue.queued_bytes();
        if queued > 0 && queued.saturating_add(message.len()) > send_buffer {
            self.wants_room = true;
            return Err(Misuse::QueueFull);
        }
        Ok(self.queue.push(message, fragment_size, options))
    }

    /// Whether the writer that was told the queue is full may write again; true once.
    pub(crate) fn has_room_again(&mut self, send_buffer: usize) -> bool {
        let again = self.wants_room && self.is_open() && self.queue.queued_bytes() <= send_buffer / 2;
        self.wants_room &= !again;
        again
    }

    /// Closes it after what is queued.
    pub(crate) fn close(&mut self) {
        if self.is_open() {
            self.state = State::Closing;
            // A flow the far end never heard of needs no end either.
            if self.queue.next_number() > 1 {
                self.queue.finish();
            }
        }
    }

    /// The far end refuses it (§3.6.2.10). True if that is news for the layer above.
    pub(crate) fn refuse(&mut self) -> bool {
        let news = self.is_open();
        self.close();
        if !self.is_refused() {
            self.state = State::Refused { news };
        }
        self.queue.give_up_all();
        news
    }

    /// Takes an acknowledgement (§3.6.2.4); answers the bytes that left flight by it.
    pub(crate) fn acknowledge(
        &mut self,
        window: u64,
        cumulative: u64,
        islands: &[RangeInclusive<u64>],
        sent: &mut InFlight,
    ) -> usize {
        self.known = true;
        self.window = window;
        self.queue.acknowledge(cumulative, islands, sent)
    }

    /// The most bytes of data in a fragment of this flow, when a packet's chunks have `room`.
    pub(crate) fn fragment_size(&self, id: SendFlowId, room: usize) -> usize {
        room.saturating_sub(self.largest_overhead(id)).max(SMALLEST_FRAGMENT)
    }

    /// Whether it has something to send and the far end has room for it (§3.6.2.3).
    pub(crate) fn is_ready(&mut self) -> bool {
        let room = self.window > self.queue.in_flight_bytes() as u64 || self.is_refused();
        room && self.queue.has_sendable()
    }

    /// Whether it waits for a far end without any room (§3.6.2.9.1). Also with nothing to send: what is written next
    /// should not have to wait for the first question.
    fn is_suspended(&self) -> bool {
        self.window == 0 && !self.is_refused()
    }

    /// Starts or stops asking for room, as the window is now.
    pub(crate) fn schedule_probe(&mut self, now: Instant) {
        // Flash-era programs never run out of room, and take a probe for the end of the session.
        if !self.is_suspended() || self.dialect == Dialect::FlashEra {
            self.probe = None;
        } else if self.probe.is_none() {
            let interval = limits::FIRST_BUFFER_PROBE;
            self.probe = Some(Probe { at: now + interval, interval: Duration::ZERO });
        }
    }

    /// When to ask for room next.
    pub(crate) fn probe_due(&self) -> Option<Instant> {
        self.probe.map(|probe| probe.at)
    }

    /// Whether to ask for room now; the next question is scheduled, ever later.
    pub(crate) fn take_due_probe(&mut self, now: Instant, timeout: Duration) -> bool {
        let Some(probe) = self.probe.as_mut().filter(|probe| probe.at <= now) else { return false };
        let (least, most) =
            (limits::FIRST_BUFFER_PROBE.max(timeout), limits::SLOWEST_BUFFER_PROBE.max(timeout));
        probe.interval = probe.interval.mul_f64(limits::BACKOFF).max(least).min(most);
        probe.at = now + probe.interval;
        true
    }

    /// What the first chunk of a packet says about the flow, until it is known (§3.6.2.3.1).
    pub(crate) fn startup_options(&self) -> Option<FlowMetadata<'_>> {
        let answers = self.options.answers.map(|flow| flow.0);
        let metadata = FlowMetadata { metadata: &self.options.metadata, answers, defect: None };
        Some(metadata).filter(|_| !self.known)
    }

    /// Bytes that a chunk of this flow spends on other than data, at the most (§3.6.2.2): numbers still grow while the
    /// message is queued.
    fn largest_overhead(&self, id: SendFlowId) -> usize {
        let number = self.queue.next_number().saturating_add(1 << 21);
        UserData::header_length(id.0, number, number, self.startup_options().as_ref())
    }
}

/// Fragments are not cut smaller than this, even if the metadata of a flow the far end does not know yet leaves no room for
/// them in a short packet: they go in longer ones.
const SMALLEST_FRAGMENT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::endpoint::Priority;

    const FLOW: SendFlowId = SendFlowId(2);

    fn flow() -> SendFlow {
        SendFlow::new(
            FlowOptions {
                metadata: Bytes::from_static(b"m"),
                priority: Priority::Routine,
                time_critical: false,
                answers: None,
            },
            Dialect::Rfc,
        )
    }

    fn write(flow: &mut SendFlow, bytes: usize) -> Result<MessageId, Misuse> {
        flow.write(Bytes::from(vec![1; bytes]), 1000, 3000, WriteOptions::default())
    }

    fn send(flow: &mut SendFlow, sent: &mut InFlight) {
        let next = flow.queue.next_to_send().expect("something to send");
        flow.queue.depart(FLOW, next.sequence, 1000, sent);
    }

    #[test]
    fn a_full_queue_says_no_and_then_when_it_is_half_empty() {
        let (mut flow, mut sent) = (flow(), InFlight::new());
        assert!((0..3).all(|_| write(&mut flow, 1000).is_ok()));
        assert_eq!(write(&mut flow, 1), Err(Misuse::QueueFull));
        (0..3).for_each(|_| send(&mut flow, &mut sent));
        flow.acknowledge(9000, 1, &[], &mut sent);
        assert!(!flow.has_room_again(3000));
        flow.acknowledge(9000, 2, &[], &mut sent);
        assert!(flow.has_room_again(3000));
        assert!(!flow.has_room_again(3000));
    }

    #[test]
    fn it_sends_while_the_window_is_larger_than_what_is_in_flight() {
        let (mut flow, mut sent) = (flow(), InFlight::new());
        (0..3).for_each(|_| _ = write(&mut flow, 900));
        send(&mut flow, &mut sent);
        flow.acknowledge(1001, 0, &[], &mut sent);
        assert!(flow.is_ready());
        send(&mut flow, &mut sent);
        assert!(!flow.is_ready());
    }

    #[test]
    fn a_closed_window_is_probed_after_a_second_and_then_ever_more_slowly() {
        let (mut flow, mut sent, now) = (flow(), InFlight::new(), Instant::now());
        (0..2).for_each(|_| _ = write(&mut flow, 900));
        send(&mut flow, &mut sent);
        flow.acknowledge(0, 1, &[], &mut sent);
        flow.schedule_probe(now);
        let timeout = Duration::from_millis(250);
        let mut at = now;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let due = flow.probe_due().expect("a probe");
            assert!(flow.take_due_probe(due, timeout));
            waits.push((due - at).as_millis());
            at = due;
        }
        assert_eq!(waits[..3], [1000, 1000, 1414]);
        assert_eq!(waits[13], 60_000);
        flow.acknowledge(1, 1, &[], &mut sent);
        flow.schedule_probe(at);
        assert_eq!(flow.probe_due(), None);
    }

    #[test]
    fn a_refused_flow_gives_up_everything_ignores_the_window_and_sees_its_end_through() {
        let (mut flow, mut sent) = (flow(), InFlight::new());
        (0..3).for_each(|_| _ = write(&mut flow, 900));
        send(&mut flow, &mut sent);
        flow.acknowledge(0, 0, &[], &mut sent);
        assert!(flow.refuse() && !flow.refuse());
        assert_eq!(write(&mut flow, 1), Err(Misuse::NoFlow));
        assert!(flow.is_ready() && !flow.is_complete());
        send(&mut flow, &mut sent);
        flow.acknowledge(0, 3, &[], &mut sent);
        assert!(flow.is_complete());
    }

    #[test]
    fn a_flow_that_never_said_anything_closes_without_a_word() {
        let mut flow = flow();
        flow.close();
        assert!(flow.is_complete() && !flow.is_ready());
    }
}
