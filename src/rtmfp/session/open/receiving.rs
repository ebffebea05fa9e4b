//! What a datagram of the far end does (RFC 7016 §3.5.2 to §3.6, chunk by chunk).

use std::time::Instant;

use bytes::Bytes;

use super::{Notice, OpenSession, Role};
use crate::rtmfp::endpoint::{ForwardedHello, ReceiveFlowId, SendFlowId};
use crate::rtmfp::event::Event;
use crate::rtmfp::flow::receive_flow::{Piece, ReceiveFlow, ReceiveLimits};
use crate::rtmfp::limits;
use crate::rtmfp::machine::{Ecn, Route};
use crate::rtmfp::session::closing::Phase;
use crate::rtmfp::session::congestion::{PacketVerdict, Surroundings};
use crate::rtmfp::session::probing;
use crate::rtmfp::session::time_critical::is_fresh;
use crate::rtmfp::wire::acknowledgement::Ack;
use crate::rtmfp::wire::chunk;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::{Mode, PacketHeader, chunks};
use crate::rtmfp::wire::user_data::{FlowDefect, FlowMetadata, UserData};

/// What the chunks of one packet add up to.
#[derive(Default)]
struct PacketSoFar {
    any_user_data: bool,
    verdict: PacketVerdict,
    /// Whether packets of ours were marked as congested that we did not know of.
    marked: bool,
    /// Flow, number and forward number of the chunk that a Next User Data chunk would go on from (§2.3.12).
    before: Option<(ReceiveFlowId, u64, u64)>,
    /// Whether it is a probe of another way, or the answer to one: nobody moves because of it.
    is_probe: bool,
}

impl OpenSession {
    /// Takes a datagram; true if it opened and counted as this session's.
    pub(crate) fn on_datagram(
        &mut self,
        now: Instant,
        route: Route,
        ecn: Option<Ecn>,
        datagram: &mut [u8],
    ) -> bool {
        self.now = now;
        let length = datagram.len() as u64;
        if matches!(self.phase, Phase::LastWords | Phase::Over) {
            return false;
        }
        let opened = self.cipher.open(datagram).ok().and_then(|plain| PacketHeader::parse(plain).ok());
        let Some((header, body)) = opened.filter(|(header, _)| header.mode == self.far_mode()) else {
            self.counters.dropped += 1;
            return false;
        };
        self.counters.packets_received += 1;
        self.counters.bytes_received += length;
        self.reject_unanswered(now);
        if !self.is_flash_era() {
            self.marks.note_received(ecn);
        }
        self.note_busy(now);
        self.on_header(now, route, header);
        let is_probe = self.on_chunks(now, route, body);
        if self.is_open() && route != self.route && !is_probe {
            self.check_mobility(now, route);
        }
        true
    }

    /// What the far end marks its packets with (§2.2.4); our own mark would be our own packet thrown back.
    fn far_mode(&self) -> Mode {
        match self.role {
            Role::Initiator => Mode::Responder,
            Role::Responder => Mode::Initiator,
        }
    }

    fn on_header(&mut self, now: Instant, route: Route, header: PacketHeader) {
        self.keepalive.note_heard(now);
        let sample = self.timestamps.note_received(now, header.timestamp, header.timestamp_echo);
        if let Some(sample) = sample.filter(|sample| self.is_of_this_way(now, route, *sample)) {
            let is_first = self.round_trip.smoothed().is_none();
            self.round_trip.measure(sample);
            if is_first {
                // What was sent before anybody knew need not wait as long as it would have had to.
                let at = now + self.acknowledgement_timeout(now);
                self.timeout_at = self.timeout_at.map(|before| before.min(at));
            }
            self.media_pace.note_trip(now, sample);
        }
        if header.time_critical {
            self.settings.time_critical.note_received(now, self.key);
        }
        if header.time_critical_reverse {
            self.time_critical_reverse = Some(now);
        }
    }

    /// Answers whether it is a probe, or the answer to one.
    fn on_chunks(&mut self, now: Instant, route: Route, body: &[u8]) -> bool {
        let mut so_far = PacketSoFar::default();
        so_far.verdict.outstanding_before = self.in_flight.bytes();
        self.in_flight.note_time(now, self.round_trip.shortest().unwrap_or_default());
        for raw in chunks(body).flatten() {
            match Chunk::parse(raw.kind, raw.payload) {
                Ok(chunk) => self.on_chunk(now, route, chunk, &mut so_far),
                // Padding is nothing that was lost.
                Err(_) if matches!(raw.kind, chunk::PADDING | chunk::OTHER_PADDING) => {}
                Err(_) => {
                    self.counters.dropped += 1;
                    if matches!(raw.kind, chunk::USER_DATA | chunk::NEXT_USER_DATA) {
                        // What follows would land on a wrong number.
                        so_far.before = None;
                    }
                }
            }
        }
        let is_probe = so_far.is_probe;
        if !self.is_open() {
            return is_probe;
        }
        if so_far.any_user_data {
            self.acknowledging.after_data_packet(now);
        }
        if so_far.verdict.any_acknowledgement {
            self.after_acknowledgements(now, so_far);
        }
        is_probe
    }

    fn on_chunk(&mut self, now: Instant, route: Route, chunk: Chunk<'_>, so_far: &mut PacketSoFar) {
        match chunk {
            Chunk::CloseRequest => {
                let step = self.phase.on_request(now);
                self.after_closing_step(now, step, route);
            }
            Chunk::CloseAck => {
                let step = self.phase.on_acknowledgement();
                self.after_closing_step(now, step, route);
            }
            // A closing session acts on nothing else (§3.5.5).
            _ if !self.is_open() => {}
            Chunk::UserData(data) => {
                let forward = data.sequence - data.forward_offset;
                so_far.before = Some((ReceiveFlowId(data.flow_id), data.sequence, forward));
                self.on_user_data(now, data, so_far);
            }
            Chunk::NextUserData(next) => {
                let from = so_far
                    .before
                    .and_then(|(id, number, forward)| Some((id, number.checked_add(1)?, forward)));
                so_far.before = from;
                let Some((id, sequence, forward)) = from else { return };
                if next.unknown_option.is_some()
                    && self.receive_flows.get(&id).is_some_and(|flow| flow.is_open())
                {
                    self.reject_for_the_far_ends_fault(id);
                }
                let (place, abandoned, finished) = (next.fragment, next.abandoned, next.finished);
                let piece = Piece { sequence, forward, place, abandoned, finished, data: next.data };
                self.on_piece(now, id, piece, so_far);
            }
            Chunk::Ack(ack) => self.on_acknowledgement(&ack, so_far),
            Chunk::BufferProbe { flow_id } => {
                let flow = self.receive_flows.get_mut(&ReceiveFlowId(flow_id));
                if let Some(flow) = flow.filter(|flow| !flow.is_closed(now)) {
                    flow.owes_acknowledgement = true;
                    self.acknowledging.hurry();
                }
            }
            Chunk::FlowException { flow_id, code } => self.on_exception(now, SendFlowId(flow_id), code),
            Chunk::Ping { message } if probing::is_probe(message) => {
                so_far.is_probe = true;
                self.on_probe(now, route, message);
            }
            Chunk::PingReply { echo } if probing::is_probe(echo) => {
                so_far.is_probe = true;
                self.on_probe_answer(now, route, echo);
            }
            Chunk::Ping { message } => {
                if !self.queue_apart(route, &Chunk::PingReply { echo: message }) {
                    self.note_abuse(now);
                }
            }
            Chunk::PingReply { echo } => {
                self.keepalive.note_answered();
                let there = self.mobility.proves(now, route, echo)
                    // Flash-era programs reply to every ping with nothing.
                    || (self.is_flash_era() && echo.is_empty() && self.mobility.is_answered_by(now, route));
                if route != self.route && there {
                    self.move_to(now, route);
                } else if self.path_mtu.on_reply(echo) {
                    self.cut_flows_again();
                } else {
                    self.path_mtu.note_answer();
                }
            }
            Chunk::EcnReport { count } => so_far.marked |= self.marks.on_report(count),
            Chunk::ForwardedHello { endpoint_discriminator, reply, tag } => {
                if self.forwarded_hello == ForwardedHello::Answer {
                    self.notices.push_back(Notice::ForwardedHello {
                        endpoint_discriminator: Bytes::copy_from_slice(endpoint_discriminator),
                        initiator: reply,
                        tag: Bytes::copy_from_slice(tag),
                    });
                }
            }
            // Start-up chunks have no business in an open session (§2.2.4).
            Chunk::IHello { .. }
            | Chunk::ResponderHello { .. }
            | Chunk::Redirect { .. }
            | Chunk::CookieChange { .. }
            | Chunk::InitiatorKeying(_)
            | Chunk::ResponderKeying(_)
            | Chunk::PacketFragment(_) => self.counters.dropped += 1,
        }
    }

    fn on_user_data(&mut self, now: Instant, data: UserData<'_>, so_far: &mut PacketSoFar) {
        let id = ReceiveFlowId(data.flow_id);
        if let Some(flow) = self.receive_flows.get(&id).filter(|flow| flow.is_closed(now)) {
            // The ID is free for another flow as soon as what this one holds was given up; until then its sender waits.
            if flow.is_suspended() {
                self.counters.dropped += 1;
                so_far.before = None;
                return;
            }
            self.receive_flows.remove(&id);
        }
        match self.receive_flows.get(&id) {
            Some(flow) => {
                let unknown = data.options.and_then(|options| options.defect);
                if flow.is_open() && matches!(unknown, Some(FlowDefect::UnknownOption(_))) {
                    self.reject_for_the_far_ends_fault(id);
                }
            }
            None if self.receive_flows.len() >= limits::MOST_RECEIVE_FLOWS => {
                self.note_abuse(now);
                return;
            }
            None => self.on_new_flow(id, data.options),
        }
        let piece = Piece {
            sequence: data.sequence,
            forward: data.sequence - data.forward_offset,
            place: data.fragment,
            abandoned: data.abandoned,
            finished: data.finished,
            data: data.data,
        };
        self.on_piece(now, id, piece, so_far);
    }

    /// The far end opens a flow (§3.6.3.1).
    fn on_new_flow(&mut self, id: ReceiveFlowId, options: Option<FlowMetadata<'_>>) {
        let settings = &self.settings;
        let mut flow = ReceiveFlow::new(ReceiveLimits {
            window: settings.receive_window,
            largest_message: settings.largest_message,
        });
        let answers = options.and_then(|options| options.answers).map(SendFlowId);
        let answers_an_open_flow =
            answers.is_none_or(|ours| self.send_flows.get(&ours).is_some_and(|flow| flow.is_open()));
        let open = self.receive_flows.values().filter(|flow| flow.is_open()).count();
        let acceptable = options.filter(|options| {
            options.defect.is_none()
                && options.metadata.len() <= limits::LARGEST_FAR_METADATA
                && answers_an_open_flow
                && open < limits::MOST_OPEN_RECEIVE_FLOWS
        });
        match acceptable {
            Some(options) => {
                let metadata = Bytes::copy_from_slice(options.metadata);
                self.tell(Event::FlowOpened { session: self.key, flow: id, metadata, answers });
            }
            // Code 0: it is not the layer above that refuses (§2.3.16).
            None => flow.reject(0),
        }
        self.receive_flows.insert(id, Box::new(flow));
        self.acknowledging.hurry();
        if open >= limits::MOST_OPEN_RECEIVE_FLOWS {
            self.note_abuse(self.now);
        }
    }

    /// Rejects a flow that the layer above already knows: nothing more will come of it.
    pub(super) fn reject_for_the_far_ends_fault(&mut self, id: ReceiveFlowId) {
        let Some(flow) = self.receive_flows.get_mut(&id) else { return };
        flow.reject(0);
        self.acknowledging.hurry();
        self.tell(Event::FlowFailed { session: self.key, flow: id });
    }

    fn on_piece(&mut self, now: Instant, id: ReceiveFlowId, piece: Piece<'_>, so_far: &mut PacketSoFar) {
        if piece.sequence == u64::MAX {
            // Numbers never wrap (§2.3.11); without the last one there is always a next.
            self.counters.dropped += 1;
            return;
        }
        let is_crowded_out = self.is_crowded_out(id);
        let Some(flow) = self.receive_flows.get_mut(&id) else { return };
        let is_excessive = flow.is_beyond_limit(&piece);
        so_far.any_user_data = true;
        self.counters.fragments_received += 1;
        flow.is_crowded_out = is_crowded_out;
        if flow.on_piece(now, piece) {
            self.acknowledging.hurry();
        }
        if is_excessive {
            self.note_abuse(now);
        }
        self.deliver(id);
    }

    /// Whether a flow holds much in a session that holds too much. The first that does is let through: if all had to
    /// wait, none would ever get what it waits for.
    fn is_crowded_out(&self, id: ReceiveFlowId) -> bool {
        let holds_much = |flow: &ReceiveFlow| flow.held_bytes() > limits::LITTLE_HELD_BYTES;
        // What a suspended flow waits for is not data.
        let waits_for_data = |flow: &ReceiveFlow| holds_much(flow) && !flow.is_suspended();
        let held = || self.receive_flows.values().map(|flow| flow.held_bytes()).sum::<usize>();
        let first =
            || self.receive_flows.iter().find(|(_, flow)| waits_for_data(flow)).map(|(first, _)| *first);
        self.receive_flows.get(&id).is_some_and(|flow| holds_much(flow))
            && held() > limits::MOST_HELD_BYTES
            && first() != Some(id)
    }

    fn on_acknowledgement(&mut self, ack: &Ack, so_far: &mut PacketSoFar) {
        let id = SendFlowId(ack.flow_id);
        let highest = ack.islands.last().map_or(ack.cumulative, |island| *island.end());
        if self.send_flows.get(&id).is_some_and(|flow| highest >= flow.queue.next_number()) {
            // It acknowledges what was never sent, to have more sent sooner.
            self.note_abuse(self.now);
            return;
        }
        so_far.verdict.any_acknowledgement = true;
        if let Some(flow) = self.send_flows.get_mut(&id) {
            so_far.verdict.acknowledged +=
                flow.acknowledge(ack.free_bytes, ack.cumulative, &ack.islands, &mut self.in_flight);
            self.changed_flows.push(id);
        }
    }

    /// All acknowledgements of a packet were taken: finds losses, and tells congestion control (§3.6.2.5, A.2).
    fn after_acknowledgements(&mut self, now: Instant, mut so_far: PacketSoFar) {
        self.burst = 0;
        self.marks.after_acknowledgement();
        self.path_mtu.note_answer();
        if self.in_flight.take_long_arrived() {
            self.path_mtu.note_arrived();
        }
        self.timeout_at = self.timeout_at.map(|_| now + self.acknowledgement_timeout(now));
        let outstanding = so_far.verdict.outstanding_before;
        if is_fresh(self.time_critical_sent, now) {
            self.giving_way.judge(now, outstanding, self.congestion.window(), &self.round_trip);
        } else {
            self.giving_way.forget(now);
        }
        let trip = self.round_trip.smoothed().unwrap_or_default();
        so_far.verdict.held_by_path = self.round_trip.held_by_path(outstanding, trip);
        let negatives = self.in_flight.count_negatives(self.waits_for_the_way_it_left(now));
        so_far.verdict.any_negative = negatives.any;
        for (place, flight) in &negatives.lost {
            self.counters.fragments_lost += 1;
            // What was sent before the window was last cut belongs to that same loss (RFC 5681 §4.3).
            so_far.verdict.any_loss |= *place >= self.recovered_from;
            if flight.in_long_datagram {
                self.path_mtu.note_lost(now);
            }
            if let Some(flow) = self.send_flows.get_mut(&flight.flow) {
                flow.queue.on_lost(flight.sequence, flight.size);
                // It has something to send again; without room it must be asked for.
                self.changed_flows.push(flight.flow);
            }
        }
        // A mark counts as a loss, and as part of one that the window was already cut for (RFC 3168 §6.1.2).
        so_far.verdict.any_loss |=
            so_far.marked && self.in_flight.highest_acknowledged() >= self.recovered_from;
        if so_far.verdict.any_loss {
            self.recovered_from = self.in_flight.next();
        }
        self.congestion.on_packet(so_far.verdict, self.surroundings(now));
        self.notice_narrowing(now);
        let mut changed = std::mem::take(&mut self.changed_flows);
        changed.sort_unstable();
        changed.dedup();
        changed.drain(..).for_each(|flow| self.after_queue_change(now, flow));
        self.changed_flows = changed;
    }

    pub(super) fn surroundings(&self, now: Instant) -> Surroundings {
        let yields =
            is_fresh(self.time_critical_reverse, now) || self.settings.time_critical.sent_lately(now);
        Surroundings {
            time_critical_here: is_fresh(self.time_critical_sent, now),
            fast_growth: !yields,
            standing_queue: self.round_trip.has_standing_queue(),
        }
    }

    fn on_exception(&mut self, now: Instant, id: SendFlowId, code: u64) {
        let Some(flow) = self.send_flows.get_mut(&id) else { return };
        if flow.refuse() {
            self.tell(Event::FlowRefused { session: self.key, flow: id, code });
        }
        self.after_queue_change(now, id);
    }
}
