//! What the layer above may do to a session's flows.

use std::time::Instant;

use bytes::Bytes;

use super::{Notice, OpenSession};
use crate::rtmfp::endpoint::{Delivery, FlowOptions, MessageId, ReceiveFlowId, SendFlowId, WriteOptions};
use crate::rtmfp::error::Misuse;
use crate::rtmfp::event::Event;
use crate::rtmfp::flow::reassembly::WholeMessage;
use crate::rtmfp::flow::receive_flow::FlowEnd;
use crate::rtmfp::flow::send_flow::SendFlow;
use crate::rtmfp::limits;

impl OpenSession {
    /// Opens a flow. Nothing is sent before the first message.
    ///
    /// # Errors
    /// [`Misuse::NoSession`] when the session is not open; [`Misuse::NoFlow`] when the flow it answers is not open
    /// (§3.6.2.1); [`Misuse::MetadataTooLong`].
    pub(crate) fn open_flow(&mut self, options: FlowOptions) -> Result<SendFlowId, Misuse> {
        if !self.is_open() {
            return Err(Misuse::NoSession);
        }
        let answers_open_flow = |flow| self.receive_flows.get(&flow).is_some_and(|flow| flow.is_open());
        if !options.answers.is_none_or(answers_open_flow) {
            return Err(Misuse::NoFlow);
        }
        if options.metadata.len() > limits::LARGEST_METADATA {
            return Err(Misuse::MetadataTooLong);
        }
        // IDs are never used again, so a finished flow needs no F_COMPLETE_LINGER to keep its own (§3.6.2.11).
        let id = SendFlowId(self.next_flow);
        self.next_flow += 1;
        self.turns.add(options.priority, id);
        self.send_flows.insert(id, Box::new(SendFlow::new(options, self.settings.dialect)));
        Ok(id)
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`Misuse::NoSession`], [`Misuse::NoFlow`]; [`Misuse::QueueFull`] when the flow holds too much;
    /// [`Misuse::MessageTooLarge`].
    pub(crate) fn write(
        &mut self,
        now: Instant,
        flow: SendFlowId,
        message: Bytes,
        options: WriteOptions,
    ) -> Result<MessageId, Misuse> {
        self.now = now;
        if !self.is_open() {
            return Err(Misuse::NoSession);
        }
        if message.len() > self.settings.largest_message {
            return Err(Misuse::MessageTooLarge);
        }
        let room = self.chunk_room();
        let send_flow = self.send_flows.get_mut(&flow).ok_or(Misuse::NoFlow)?;
        let fragment_size = send_flow.fragment_size(flow, room);
        let is_cut = message.len() > fragment_size;
        let id = send_flow.write(message, fragment_size, self.settings.send_buffer, options)?;
        if is_cut {
            self.path_mtu.want(now);
        }
        self.after_queue_change(now, flow);
        Ok(id)
    }

    /// Gives up every message of a flow that is not yet delivered.
    pub(crate) fn abandon_queued(&mut self, now: Instant, flow: SendFlowId) {
        self.now = now;
        if let Some(send_flow) = self.send_flows.get_mut(&flow) {
            send_flow.queue.give_up_all();
            self.after_queue_change(now, flow);
        }
    }

    /// Bytes queued on a flow and not yet acknowledged.
    pub(crate) fn queued(&self, flow: SendFlowId) -> usize {
        self.send_flows.get(&flow).map_or(0, |flow| flow.queue.queued_bytes())
    }

    /// Finishes a flow after what is queued.
    pub(crate) fn close_flow(&mut self, now: Instant, flow: SendFlowId) {
        self.now = now;
        if let Some(send_flow) = self.send_flows.get_mut(&flow) {
            send_flow.close();
            self.after_queue_change(now, flow);
        }
    }

    /// Takes a flow that [`Event::FlowOpened`] told of.
    pub(crate) fn accept_flow(&mut self, flow: ReceiveFlowId, delivery: Delivery) {
        if let Some(receive_flow) = self.receive_flows.get_mut(&flow) {
            receive_flow.accept(delivery);
            self.deliver(flow);
        }
    }

    /// Refuses a flow, at once or later (§3.6.3.7).
    pub(crate) fn reject_flow(&mut self, now: Instant, flow: ReceiveFlowId, code: u64) {
        self.now = now;
        if let Some(receive_flow) = self.receive_flows.get_mut(&flow) {
            receive_flow.reject(code);
            self.acknowledging.hurry();
        }
    }

    /// Holds the messages of a receive flow until [`Self::resume_flow`].
    pub(crate) fn suspend_flow(&mut self, flow: ReceiveFlowId) {
        if let Some(receive_flow) = self.receive_flows.get_mut(&flow) {
            receive_flow.suspend();
        }
    }

    /// Gives up what a receive flow held, and tells a far end that may stand still that there is room again.
    pub(crate) fn resume_flow(&mut self, now: Instant, flow: ReceiveFlowId) {
        self.now = now;
        if let Some(receive_flow) = self.receive_flows.get_mut(&flow) {
            receive_flow.resume();
            self.deliver(flow);
        }
        if self.receive_flows.get_mut(&flow).is_some_and(|flow| flow.tell_of_room()) {
            self.acknowledging.hurry();
        }
    }

    /// Passes up the messages of a receive flow whose turn it is, the gaps before them, and its end.
    pub(super) fn deliver(&mut self, id: ReceiveFlowId) {
        let Some(flow) = self.receive_flows.get_mut(&id) else { return };
        let too_large = flow.deliver(&mut self.given).is_err();
        let session = self.key;
        for message in self.given.drain(..) {
            if flow.note_given(&message) {
                self.notices.push_back(Notice::Event(Event::Gap { session, flow: id }));
            }
            let WholeMessage { first: sequence, bytes, .. } = message;
            self.notices.push_back(Notice::Event(Event::Message { session, flow: id, sequence, bytes }));
        }
        if too_large {
            self.reject_for_the_far_ends_fault(id);
        } else if let Some(FlowEnd { after_gap }) = flow.take_end() {
            if after_gap {
                self.tell(Event::Gap { session, flow: id });
            }
            self.tell(Event::FlowFinished { session, flow: id });
        }
    }

    /// Passes up what became of a send flow's messages, and of the flow itself.
    pub(super) fn after_queue_change(&mut self, now: Instant, id: SendFlowId) {
        let Some(flow) = self.send_flows.get_mut(&id) else { return };
        flow.schedule_probe(now);
        let session = self.key;
        let reports: Vec<_> = std::iter::from_fn(|| flow.queue.next_report()).collect();
        let has_room = flow.has_room_again(self.settings.send_buffer);
        let complete = flow.is_complete().then_some((flow.options.priority, flow.refusal_was_news()));
        for (message, delivered) in reports {
            self.tell(Event::MessageDone { session, flow: id, message, delivered });
        }
        if has_room {
            self.tell(Event::FlowWritable { session, flow: id });
        }
        if let Some((priority, end_was_told)) = complete {
            self.turns.remove(priority, id);
            self.send_flows.remove(&id);
            if !end_was_told {
                self.tell(Event::FlowCompleted { session, flow: id });
            }
        }
    }
}
