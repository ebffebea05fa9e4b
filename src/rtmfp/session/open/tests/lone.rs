//! One end of an open session, in virtual time, whose far end is the test: it hears chunks, and what it says is looked at
//! chunk by chunk.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::pair::{Glass, route, settings};
use crate::rtmfp::crypto::SessionKeys;
use crate::rtmfp::endpoint::{
    Delivery, FlowOptions, MessageId, Priority, ReceiveFlowId, SendFlowId, SessionKey, WriteOptions,
};
use crate::rtmfp::event::Event;
use crate::rtmfp::session::open::{Notice, OpenSession, OpenSessionParameters, Role, SessionSettings};
use crate::rtmfp::session::packing::Packing;
use crate::rtmfp::wire::acknowledgement::Ack;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader, chunks};
use crate::rtmfp::wire::user_data::{FlowMetadata, FragmentPlace, UserData};

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A packet that the session sent.
pub(super) struct Packet {
    /// When, after the start.
    pub(super) at: Duration,
    pub(super) header: PacketHeader,
    body: Vec<u8>,
}

impl Packet {
    pub(super) fn chunks(&self) -> Vec<Chunk<'_>> {
        chunks(&self.body)
            .flatten()
            .filter(|raw| raw.kind != 0xff)
            .map(|raw| Chunk::parse(raw.kind, raw.payload).expect("what we send can be read"))
            .collect()
    }

    /// The types of its chunks on the wire.
    pub(super) fn kinds(&self) -> Vec<u8> {
        chunks(&self.body).flatten().map(|raw| raw.kind).collect()
    }

    /// Bytes of its chunks.
    pub(super) fn length(&self) -> usize {
        self.body.len()
    }

    pub(super) fn acks(&self) -> Vec<Ack> {
        let ack = |chunk| match chunk {
            Chunk::Ack(ack) => Some(ack),
            _ => None,
        };
        self.chunks().into_iter().filter_map(ack).collect()
    }

    /// Its user data, with the numbers that Next User Data chunks leave out.
    pub(super) fn data(&self) -> Vec<Fragment> {
        let mut said: Vec<Fragment> = Vec::new();
        for chunk in self.chunks() {
            said.extend(match chunk {
                Chunk::UserData(data) => Some(Fragment {
                    flow: data.flow_id,
                    sequence: data.sequence,
                    forward: data.sequence - data.forward_offset,
                    place: data.fragment,
                    abandoned: data.abandoned,
                    finished: data.finished,
                    metadata: data.options.map(|options| options.metadata.to_vec()),
                    answers: data.options.and_then(|options| options.answers),
                    data: data.data.to_vec(),
                }),
                Chunk::NextUserData(next) => {
                    let before = said.last().expect("a chunk that this one goes on from").clone();
                    Some(Fragment {
                        sequence: before.sequence + 1,
                        place: next.fragment,
                        abandoned: next.abandoned,
                        finished: next.finished,
                        metadata: None,
                        answers: None,
                        data: next.data.to_vec(),
                        ..before
                    })
                }
                _ => None,
            });
        }
        said
    }
}

/// One fragment as it went out.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) flow: u64,
    pub(super) sequence: u64,
    pub(super) forward: u64,
    pub(super) place: FragmentPlace,
    pub(super) abandoned: bool,
    pub(super) finished: bool,
    pub(super) metadata: Option<Vec<u8>>,
    pub(super) answers: Option<u64>,
    pub(super) data: Vec<u8>,
}

pub(super) struct Lone {
    pub(super) session: OpenSession,
    start: Instant,
    pub(super) now: Instant,
    pub(super) events: Vec<Event>,
    /// Accepts flows in this order, or leaves them unanswered.
    pub(super) accepts: Option<Delivery>,
}

impl Lone {
    pub(super) fn new() -> Self {
        Self::with_settings(patient())
    }

    pub(super) fn with_settings(settings: SessionSettings) -> Self {
        let start = Instant::now();
        let parameters = OpenSessionParameters {
            key: SessionKey(1),
            role: Role::Initiator,
            far_session_id: 2,
            keys: SessionKeys { cipher: Box::new(Glass), near_nonce: [1; 32], far_nonce: [2; 32] },
            route: route(2),
            settings,
            ping_seed: [9; 32],
        };
        let mut session = OpenSession::new(start, parameters);
        // The path is known to carry long datagrams, so that no probe of it goes out between what a test looks at. To a far
        // end of the Flash era there is none anyway.
        session.path_mtu.want(start);
        if let Some(probe) = session.path_mtu.take_due_probe(start, Duration::ZERO, false) {
            assert!(session.path_mtu.on_reply(&probe.message));
        }
        Self { session, start, now: start, events: Vec::new(), accepts: Some(Delivery::Ordered) }
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Lets the time pass without anything being done.
    pub(super) fn skip(&mut self, span: Duration) {
        self.now += span;
    }

    /// Lets the time pass; answers what it sends on its own account.
    pub(super) fn wait(&mut self, span: Duration) -> Vec<Packet> {
        let end = self.now + span;
        let mut said = self.says();
        let mut wakes_at_once = 0;
        while let Some(due) = self.session.deadline().filter(|due| *due <= end) {
            wakes_at_once = if due <= self.now { wakes_at_once + 1 } else { 0 };
            assert!(wakes_at_once < 100, "something is due for ever: {:?}", self.elapsed());
            self.now = self.now.max(due);
            self.session.on_time(self.now);
            said.extend(self.says());
        }
        self.now = end;
        said
    }

    /// Hears a packet; answers what it sends at once.
    pub(super) fn hears(&mut self, chunks: &[Chunk<'_>]) -> Vec<Packet> {
        self.hears_with(PLAIN, chunks)
    }

    pub(super) fn hears_with(&mut self, header: PacketHeader, chunks: &[Chunk<'_>]) -> Vec<Packet> {
        let mut body = Vec::new();
        chunks.iter().for_each(|chunk| chunk.write(&mut body));
        self.hears_bytes(header, &body)
    }

    /// The same with chunks that are written by hand.
    pub(super) fn hears_bytes(&mut self, header: PacketHeader, body: &[u8]) -> Vec<Packet> {
        let mut datagram = vec![0; 4];
        header.write(&mut datagram);
        datagram.extend_from_slice(body);
        assert!(self.session.on_datagram(self.now, route(2), None, &mut datagram));
        self.says()
    }

    /// What it has to say now.
    pub(super) fn says(&mut self) -> Vec<Packet> {
        let (mut packets, mut packing) = (Vec::new(), Packing::default());
        loop {
            self.take_notices();
            let mut out = Vec::new();
            let Some(transmit) = self.session.poll_transmit(self.now, &mut packing, &mut out) else { break };
            for datagram in out.chunks(transmit.segment_size) {
                let (header, body) = PacketHeader::parse(&datagram[4..]).expect("what we send can be read");
                packets.push(Packet { at: self.elapsed(), header, body: body.to_vec() });
            }
        }
        self.take_notices();
        packets
    }

    fn take_notices(&mut self) {
        while let Some(notice) = self.session.poll_notice() {
            let Notice::Event(event) = notice else { continue };
            if let (Event::FlowOpened { flow, .. }, Some(delivery)) = (&event, self.accepts) {
                self.session.accept_flow(*flow, delivery);
            }
            self.events.push(event);
        }
    }

    pub(super) fn open_flow(&mut self) -> SendFlowId {
        self.open_flow_with(b"m", None)
    }

    pub(super) fn open_flow_with(&mut self, metadata: &[u8], answers: Option<u64>) -> SendFlowId {
        let options = FlowOptions {
            metadata: Bytes::copy_from_slice(metadata),
            priority: Priority::Routine,
            time_critical: false,
            answers: answers.map(ReceiveFlowId),
        };
        self.session.open_flow(options).expect("an open session")
    }

    /// Queues a message, without letting the session speak.
    pub(super) fn queue(&mut self, flow: SendFlowId, message: &[u8], options: WriteOptions) -> MessageId {
        self.session.write(self.now, flow, Bytes::copy_from_slice(message), options).expect("room")
    }

    /// Queues a message; answers what is sent.
    pub(super) fn writes(&mut self, flow: SendFlowId, message: &[u8]) -> Vec<Packet> {
        self.queue(flow, message, WriteOptions::default());
        self.says()
    }

    /// The messages given up so far.
    pub(super) fn messages(&self) -> Vec<(u64, Vec<u8>)> {
        let message = |event: &Event| match event {
            Event::Message { flow, bytes, .. } => Some((flow.0, bytes.to_vec())),
            _ => None,
        };
        self.events.iter().filter_map(message).collect()
    }
}

/// Settings of an end that asks for no sign of life, so that nothing but the test makes it speak.
pub(super) fn patient() -> SessionSettings {
    let hour = Duration::from_secs(3600);
    SessionSettings { keepalive: hour, vanish_after: hour, ..settings() }
}

/// A header that says nothing, of the far end.
pub(super) const PLAIN: PacketHeader = PacketHeader {
    mode: Mode::Responder,
    time_critical: false,
    time_critical_reverse: false,
    timestamp: None,
    timestamp_echo: None,
};

/// All user data in some packets.
pub(super) fn data_in(packets: &[Packet]) -> Vec<Fragment> {
    packets.iter().flat_map(Packet::data).collect()
}

/// All acknowledgements in some packets.
pub(super) fn acks_in(packets: &[Packet]) -> Vec<Ack> {
    packets.iter().flat_map(Packet::acks).collect()
}

/// The numbers and forward numbers of the user data in some packets.
pub(super) fn numbers_in(packets: &[Packet]) -> Vec<(u64, u64)> {
    data_in(packets).iter().map(|fragment| (fragment.sequence, fragment.forward)).collect()
}

/// A whole message of one byte on a flow that is known already.
pub(super) fn fragment(flow_id: u64, sequence: u64, forward: u64) -> UserData<'static> {
    UserData {
        flow_id,
        sequence,
        forward_offset: sequence - forward,
        fragment: FragmentPlace::Whole,
        abandoned: false,
        finished: false,
        options: None,
        data: b"x",
    }
}

/// The same, with what a flow must say about itself when it begins.
pub(super) fn opening(flow_id: u64, sequence: u64, forward: u64) -> UserData<'static> {
    let options = Some(FlowMetadata { metadata: b"theirs", answers: None, defect: None });
    UserData { options, ..fragment(flow_id, sequence, forward) }
}

pub(super) fn data(flow_id: u64, sequence: u64, forward: u64) -> Chunk<'static> {
    Chunk::UserData(fragment(flow_id, sequence, forward))
}

pub(super) fn first_data(flow_id: u64, sequence: u64, forward: u64) -> Chunk<'static> {
    Chunk::UserData(opening(flow_id, sequence, forward))
}

/// An acknowledgement with plenty of room.
pub(super) fn ack(flow: SendFlowId, cumulative: u64, islands: &[RangeInclusive<u64>]) -> Chunk<'static> {
    ack_with_room(flow, 1 << 20, cumulative, islands)
}

pub(super) fn ack_with_room(
    flow: SendFlowId,
    free_bytes: u64,
    cumulative: u64,
    islands: &[RangeInclusive<u64>],
) -> Chunk<'static> {
    Chunk::Ack(Ack { flow_id: flow.0, free_bytes, cumulative, islands: islands.to_vec() })
}
