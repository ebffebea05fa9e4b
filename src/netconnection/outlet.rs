//! The sending side of one stream: a flow each for sound, pictures and data, opened when first needed (RFC 7425 §5.3.5).
//!
//! Each kind of media is a chain: a message may fall with the one before it. What has already fallen is remembered here,
//! so that a delta picture without its predecessor costs nothing on the wire.

use std::time::Instant;

use bytes::Bytes;

use super::flow_metadata::FlowMetadata;
use super::ids::{MediaDeadline, MediaKind};
use crate::rtmfp::endpoint::{
    Endpoint, FlowOptions, MessageId, Priority, ReceiveFlowId, SendFlowId, SessionKey, WriteOptions,
};

/// Where the messages of one stream go.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) session: SessionKey,
    stream: u32,
    answers: Option<ReceiveFlowId>,
    data: Lane,
    audio: Lane,
    video: Lane,
}

/// One flow of the stream, and how its chain of messages stands.
#[derive(Debug, Default)]
struct Lane {
    flow: LaneFlow,
    before: Before,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum LaneFlow {
    #[default]
    NotYet,
    Open(SendFlowId),
    /// The far end wants none of it; no other flow takes its place (§5.3.5.3).
    Refused,
}

/// The message that was written last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Before {
    /// There was none, or it arrived.
    #[default]
    Settled,
    /// It is on its way.
    Waiting(MessageId),
    /// It was given up.
    Fallen,
}

/// What became of something to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sent {
    /// It is queued on a flow that was open.
    Queued,
    /// It is queued on this flow, which was opened for it.
    QueuedOnNew(SendFlowId),
    /// It is given up.
    Dropped,
}

impl Outlet {
    pub(super) fn new(session: SessionKey, stream: u32, answers: Option<ReceiveFlowId>) -> Self {
        let [data, audio, video] = Default::default();
        Self { session, stream, answers, data, audio, video }
    }

    /// Sends a command, a status or data: always delivered, in order.
    pub(super) fn send_data(&mut self, endpoint: &mut Endpoint, now: Instant, message: Bytes) -> Sent {
        let Some((flow, new)) = self.flow(endpoint, None) else { return Sent::Dropped };
        match endpoint.write(now, self.session, flow, message, WriteOptions::default()) {
            Ok(_) if new => Sent::QueuedOnNew(flow),
            Ok(_) => Sent::Queued,
            Err(_) => Sent::Dropped,
        }
    }

    /// Sends sound or picture within its deadline.
    pub(super) fn send_media(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        kind: MediaKind,
        message: Bytes,
        deadline: MediaDeadline,
    ) -> Sent {
        let needs = match (deadline.needs_previous, self.lane(Some(kind)).before) {
            (true, Before::Fallen) => return Sent::Dropped,
            (true, Before::Waiting(previous)) => Some(previous),
            _ => None,
        };
        let Some((flow, new)) = self.flow(endpoint, Some(kind)) else { return Sent::Dropped };
        let options =
            WriteOptions { start_by: deadline.start_by, finish_by: deadline.finish_by, needs, report: true };
        match endpoint.write(now, self.session, flow, message, options) {
            Ok(id) => {
                self.lane(Some(kind)).before = Before::Waiting(id);
                if new { Sent::QueuedOnNew(flow) } else { Sent::Queued }
            }
            Err(_) => {
                self.lane(Some(kind)).before = Before::Fallen;
                Sent::Dropped
            }
        }
    }

    /// A media message left the queue.
    pub(super) fn on_message_done(&mut self, kind: MediaKind, message: MessageId, delivered: bool) {
        let lane = self.lane(Some(kind));
        if lane.before == Before::Waiting(message) {
            lane.before = if delivered { Before::Settled } else { Before::Fallen };
        }
    }

    /// The far end refuses one of the flows.
    pub(super) fn on_flow_refused(&mut self, flow: SendFlowId) {
        for lane in [&mut self.data, &mut self.audio, &mut self.video] {
            if lane.flow == LaneFlow::Open(flow) {
                lane.flow = LaneFlow::Refused;
                lane.before = Before::Fallen;
            }
        }
    }

    /// Gives up the pictures that were not delivered; a key frame must come next.
    pub(super) fn abandon_video(&mut self, endpoint: &mut Endpoint, now: Instant) {
        if let LaneFlow::Open(flow) = self.video.flow
            && endpoint.queued(self.session, flow) > 0
        {
            endpoint.abandon_queued(now, self.session, flow);
            self.video.before = Before::Fallen;
        }
    }

    /// Bytes not yet acknowledged.
    pub(super) fn queued(&self, endpoint: &Endpoint, kind: MediaKind) -> usize {
        let lane = match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        };
        match lane.flow {
            LaneFlow::Open(flow) => endpoint.queued(self.session, flow),
            LaneFlow::NotYet | LaneFlow::Refused => 0,
        }
    }

    /// Finishes the flows after what is queued; stale media is not worth waiting for.
    pub(super) fn close(&mut self, endpoint: &mut Endpoint, now: Instant) {
        for lane in [&mut self.audio, &mut self.video] {
            if let LaneFlow::Open(flow) = lane.flow {
                endpoint.abandon_queued(now, self.session, flow);
            }
        }
        for lane in [&mut self.data, &mut self.audio, &mut self.video] {
            if let LaneFlow::Open(flow) = lane.flow {
                endpoint.close_flow(now, self.session, flow);
                lane.flow = LaneFlow::Refused;
            }
        }
    }

    fn lane(&mut self, kind: Option<MediaKind>) -> &mut Lane {
        match kind {
            None => &mut self.data,
            Some(MediaKind::Audio) => &mut self.audio,
            Some(MediaKind::Video) => &mut self.video,
        }
    }

    /// The flow for a kind of message, and whether it was opened just now.
    fn flow(&mut self, endpoint: &mut Endpoint, kind: Option<MediaKind>) -> Option<(SendFlowId, bool)> {
        match self.lane(kind).flow {
            LaneFlow::Open(flow) => return Some((flow, false)),
            LaneFlow::Refused => return None,
            LaneFlow::NotYet => {}
        }
        let (metadata, priority) = match kind {
            None => (FlowMetadata::in_order(self.stream), Priority::Data),
            // Sound is played from a buffer that sorts it, and a late piece must not hold up the next.
            Some(MediaKind::Audio) => (FlowMetadata::as_it_arrives(self.stream), Priority::Audio),
            // A picture is no use without the one before it; what is abandoned leaves no hole to wait for.
            Some(MediaKind::Video) => (FlowMetadata::in_order(self.stream), Priority::Video),
        };
        let options = FlowOptions {
            metadata: metadata.encode(),
            priority,
            time_critical: kind.is_some(),
            answers: self.answers,
        };
        let flow = endpoint.open_flow(self.session, options).ok()?;
        self.lane(kind).flow = LaneFlow::Open(flow);
        Some((flow, true))
    }
}
