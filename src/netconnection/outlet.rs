//! The sending side of one stream: a flow each for sound, pictures, data and bulk data, opened when first needed (RFC 7425
//! §5.3.5).
//!
//! Each kind of media is a chain: a message may fall with the one before it. What has already fallen is remembered here,
//! so that a delta picture without its predecessor costs nothing on the wire.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::flow_metadata::FlowMetadata;
use super::ids::{Lane, MediaDeadline, MediaKind};
use super::message;
use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::endpoint::{
    Endpoint, FlowOptions, MessageId, Priority, ReceiveFlowId, SendFlowId, SessionKey, WriteOptions,
};

/// Where the messages of one stream go.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) session: SessionKey,
    stream: u32,
    answers: Option<ReceiveFlowId>,
    data: Way,
    audio: Way,
    video: Way,
    passing: Way,
    bulk: Way,
}

/// One flow of the stream, and how its chain of messages stands.
#[derive(Debug, Default)]
struct Way {
    flow: WayFlow,
    before: Before,
    /// The times of media messages that have not gone out whole, oldest first.
    times: VecDeque<(MessageId, u32)>,
    /// Media under way; of a flow that is gone, they go with it.
    under_way: VecDeque<UnderWay>,
}

/// A media message that was queued.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnderWay {
    message: MessageId,
    pub(super) timestamp: u32,
    /// Whether it has a deadline.
    pub(super) may_fall: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum WayFlow {
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
pub(super) struct Sent {
    /// Whether it is queued; otherwise it is given up.
    pub(super) queued: bool,
    /// The flow that was opened for it.
    pub(super) opened: Option<SendFlowId>,
}

impl Sent {
    const DROPPED: Self = Self { queued: false, opened: None };
}

impl Outlet {
    pub(super) fn new(session: SessionKey, stream: u32, answers: Option<ReceiveFlowId>) -> Self {
        let [data, audio, video, passing, bulk] = Default::default();
        Self { session, stream, answers, data, audio, video, passing, bulk }
    }

    /// Sends a command, a status or data: always delivered, in order.
    pub(super) fn send_data(&mut self, endpoint: &mut Endpoint, now: Instant, message: Bytes) -> Sent {
        self.send_in_order(endpoint, now, Lane::Data, message, WriteOptions::default())
    }

    /// Sends data for which nobody waits: always delivered, in order, after everything else. What becomes of each message
    /// is told, so that the next need not be made before there is room.
    pub(super) fn send_bulk(&mut self, endpoint: &mut Endpoint, now: Instant, message: Bytes) -> Sent {
        let options = WriteOptions { report: true, ..WriteOptions::default() };
        self.send_in_order(endpoint, now, Lane::Bulk, message, options)
    }

    /// Sends data that the next of its kind makes worthless: as urgently as sound, given up soon, and whatever comes late is
    /// passed over.
    pub(super) fn send_passing(&mut self, endpoint: &mut Endpoint, now: Instant, message: Bytes) -> Sent {
        let by = Some(now + PASSING);
        let options = WriteOptions { start_by: by, finish_by: by, ..WriteOptions::default() };
        self.send_in_order(endpoint, now, Lane::Passing, message, options)
    }

    fn send_in_order(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        lane: Lane,
        message: Bytes,
        options: WriteOptions,
    ) -> Sent {
        let Some((flow, new)) = self.flow(endpoint, lane) else { return Sent::DROPPED };
        let queued = fits(&message) && endpoint.write(now, self.session, flow, message, options).is_ok();
        Sent { queued, opened: new.then_some(flow) }
    }

    /// Sends sound or picture within its deadline.
    pub(super) fn send_media(
        &mut self,
        endpoint: &mut Endpoint,
        now: Instant,
        kind: MediaKind,
        (message, time): (Bytes, u32),
        deadline: MediaDeadline,
    ) -> Sent {
        let needs = match (deadline.needs_previous, self.way(Lane::Media(kind)).before) {
            (true, Before::Fallen) => return Sent::DROPPED,
            (true, Before::Waiting(previous)) => Some(previous),
            _ => None,
        };
        let Some((flow, new)) = self.flow(endpoint, Lane::Media(kind)) else { return Sent::DROPPED };
        let options =
            WriteOptions { start_by: deadline.start_by, finish_by: deadline.finish_by, needs, report: true };
        let written = fits(&message).then(|| endpoint.write(now, self.session, flow, message, options));
        let id = written.and_then(Result::ok);
        let way = self.way(Lane::Media(kind));
        way.before = id.map_or(Before::Fallen, Before::Waiting);
        if way.times.len() >= MOST_TIMES {
            way.times.pop_front();
        }
        way.times.extend(id.map(|id| (id, time)));
        let may_fall = deadline.finish_by.is_some();
        way.under_way.extend(id.map(|message| UnderWay { message, timestamp: time, may_fall }));
        Sent { queued: id.is_some(), opened: new.then_some(flow) }
    }

    /// A media message has gone out whole; answers its time. Those before it were given up, or go out no more.
    pub(super) fn on_message_left(&mut self, kind: MediaKind, message: MessageId) -> Option<u32> {
        let times = &mut self.way(Lane::Media(kind)).times;
        while times.pop_front_if(|(id, _)| *id < message).is_some() {}
        times.pop_front_if(|(id, _)| *id == message).map(|(_, time)| time)
    }

    /// A media message left the queue. Answers which it was.
    pub(super) fn on_message_done(
        &mut self,
        kind: MediaKind,
        message: MessageId,
        delivered: bool,
    ) -> Option<UnderWay> {
        let way = self.way(Lane::Media(kind));
        if way.before == Before::Waiting(message) {
            way.before = if delivered { Before::Settled } else { Before::Fallen };
        }
        let place = way.under_way.iter().position(|other| other.message == message)?;
        way.under_way.remove(place)
    }

    /// The far end refuses one of the flows.
    pub(super) fn on_flow_refused(&mut self, flow: SendFlowId) {
        for way in self.ways() {
            if way.flow == WayFlow::Open(flow) {
                way.flow = WayFlow::Refused;
                way.before = Before::Fallen;
            }
        }
    }

    /// Gives up the pictures that were not delivered; a key frame must come next.
    pub(super) fn abandon_video(&mut self, endpoint: &mut Endpoint, now: Instant) {
        if let WayFlow::Open(flow) = self.video.flow
            && endpoint.queued(self.session, flow) > 0
        {
            endpoint.abandon_queued(now, self.session, flow);
            self.video.before = Before::Fallen;
        }
    }

    /// Bytes not yet acknowledged.
    pub(super) fn queued(&self, endpoint: &Endpoint, lane: Lane) -> usize {
        let way = match lane {
            Lane::Data => &self.data,
            Lane::Media(MediaKind::Audio) => &self.audio,
            Lane::Media(MediaKind::Video) => &self.video,
            Lane::Passing => &self.passing,
            Lane::Bulk => &self.bulk,
        };
        match way.flow {
            WayFlow::Open(flow) => endpoint.queued(self.session, flow),
            WayFlow::NotYet | WayFlow::Refused => 0,
        }
    }

    /// Finishes the flows after what is queued; stale media is not worth waiting for, and bulk data goes on another time.
    pub(super) fn close(&mut self, endpoint: &mut Endpoint, now: Instant) {
        for way in [&mut self.audio, &mut self.video, &mut self.passing, &mut self.bulk] {
            if let WayFlow::Open(flow) = way.flow {
                endpoint.abandon_queued(now, self.session, flow);
            }
        }
        let session = self.session;
        for way in self.ways() {
            if let WayFlow::Open(flow) = way.flow {
                endpoint.close_flow(now, session, flow);
                way.flow = WayFlow::Refused;
            }
        }
    }

    /// Finishes the flows of media at once; others may take their place when there is something to send again.
    pub(super) fn close_media(&mut self, endpoint: &mut Endpoint, now: Instant) {
        for way in [&mut self.audio, &mut self.video, &mut self.passing, &mut self.bulk] {
            if let WayFlow::Open(flow) = way.flow {
                endpoint.abandon_queued(now, self.session, flow);
                endpoint.close_flow(now, self.session, flow);
                *way = Way::default();
            }
        }
    }

    fn ways(&mut self) -> [&mut Way; 5] {
        [&mut self.data, &mut self.audio, &mut self.video, &mut self.passing, &mut self.bulk]
    }

    fn way(&mut self, lane: Lane) -> &mut Way {
        match lane {
            Lane::Data => &mut self.data,
            Lane::Media(MediaKind::Audio) => &mut self.audio,
            Lane::Media(MediaKind::Video) => &mut self.video,
            Lane::Passing => &mut self.passing,
            Lane::Bulk => &mut self.bulk,
        }
    }

    /// The flow for a kind of message, and whether it was opened just now.
    fn flow(&mut self, endpoint: &mut Endpoint, lane: Lane) -> Option<(SendFlowId, bool)> {
        match self.way(lane).flow {
            WayFlow::Open(flow) => return Some((flow, false)),
            WayFlow::Refused => return None,
            WayFlow::NotYet => {}
        }
        let old = endpoint.dialect(self.session) == Some(Dialect::FlashEra);
        let (metadata, priority) = kind_of_flow(lane, self.stream, old);
        let options = FlowOptions {
            metadata: metadata.encode(),
            priority,
            time_critical: matches!(lane, Lane::Media(_) | Lane::Passing),
            answers: self.answers,
        };
        let flow = endpoint.open_flow(self.session, options).ok()?;
        self.way(lane).flow = WayFlow::Open(flow);
        Some((flow, true))
    }
}

/// How a flow is called and when it has its turn. Programs of the Flash years (`old`) know only flows in order: one of other
/// metadata they refuse, and hear nothing.
fn kind_of_flow(lane: Lane, stream: u32, old: bool) -> (FlowMetadata, Priority) {
    match lane {
        Lane::Data => (FlowMetadata::in_order(stream), Priority::Data),
        Lane::Media(MediaKind::Audio) if old => (FlowMetadata::in_order(stream), Priority::Audio),
        // Sound is played from a buffer that sorts it, and a late piece must not hold up the next.
        Lane::Media(MediaKind::Audio) => (FlowMetadata::as_it_arrives(stream), Priority::Audio),
        // A picture is no use without the one before it; what is abandoned leaves no hole to wait for.
        Lane::Media(MediaKind::Video) => (FlowMetadata::in_order(stream), Priority::Video),
        Lane::Passing => (FlowMetadata::as_it_arrives(stream), Priority::Immediate),
        Lane::Bulk => (FlowMetadata::in_order(stream), Priority::Background),
    }
}

/// How long passing data is worth anything.
const PASSING: Duration = Duration::from_millis(150);
/// Media messages of one kind whose times are remembered until they have gone out: some seconds' worth.
const MOST_TIMES: usize = 512;

/// Whether RTMP can say how long a message is (§5.1).
fn fits(message: &Bytes) -> bool {
    message.len() <= message::HEADER + message::LONGEST_PAYLOAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_waits_for_nothing_except_where_only_flows_in_order_are_known() {
        let sound = Lane::Media(MediaKind::Audio);
        assert!(kind_of_flow(sound, 5, false).0.as_they_arrive);
        for lane in [Lane::Data, sound, Lane::Media(MediaKind::Video), Lane::Bulk] {
            assert!(!kind_of_flow(lane, 5, true).0.as_they_arrive, "{lane:?}");
        }
    }
}
