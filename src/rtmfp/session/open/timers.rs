//! What time does to an open session.

use std::time::{Duration, Instant};

use super::OpenSession;
use crate::rtmfp::endpoint::{ReceiveFlowId, SendFlowId};
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::flow::receive_flow::Answer;
use crate::rtmfp::flow::send_flow::SendFlow;
use crate::rtmfp::limits;
use crate::rtmfp::session::closing::Phase;
use crate::rtmfp::wire::chunk::Chunk;

impl OpenSession {
    /// Time passed.
    pub(crate) fn on_time(&mut self, now: Instant) {
        self.now = now;
        if self.phase.on_time(now) {
            self.queue_apart(self.route, &Chunk::CloseRequest);
        }
        match self.phase {
            Phase::Open => self.on_time_while_open(now),
            Phase::Over => self.be_over(),
            Phase::NearClose { .. } | Phase::FarCloseLinger { .. } | Phase::LastWords => {}
        }
    }

    fn on_time_while_open(&mut self, now: Instant) {
        self.reject_unanswered(now);
        if self.keepalive.gone_at().is_some_and(|at| at <= now) {
            return self.vanish(now);
        }
        if self.path_mtu.is_too_narrow(now, self.settings.vanish_after) && self.has_sent_too_long() {
            return self.give_up_path();
        }
        self.acknowledging.on_time(now);
        if self.timeout_at.is_some_and(|at| at <= now) {
            self.on_timeout(now);
        }
        if self.keepalive.ask_at(self.round_trip.timeout()) <= now {
            if self.keepalive.note_asked(now) {
                self.round_trip.back_off();
            }
            // A keepalive ping is empty (§3.5.4.1).
            self.queue_chunk(&Chunk::Ping { message: &[] });
        }
        self.expire_messages(now);
        self.release_spare(now);
        self.receive_flows.retain(|_, flow| flow.forgotten_at().is_none_or(|until| until > now));
    }

    /// Asks the far end for a sign of life at once.
    pub(crate) fn ping(&mut self, now: Instant) {
        self.now = now;
        if self.is_open() {
            self.keepalive.note_asked(now);
            self.queue_chunk(&Chunk::Ping { message: &[] });
        }
    }

    /// The far end opened another session, or we are about to. If it does not answer in this one any more, that one has
    /// replaced it.
    pub(crate) fn doubt(&mut self, now: Instant) {
        if self.is_open() {
            self.keepalive.doubt(now);
            self.ping(now);
        }
    }

    /// Silence is a bad sign here: the far end is asked at once and often, and gone unless it answers within this time.
    pub(crate) fn doubt_for(&mut self, now: Instant, time: Duration) {
        if self.is_open() {
            self.keepalive.doubt_for(now, time);
            self.ping(now);
        }
    }

    /// When [`Self::on_time`] or [`Self::poll_transmit`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if !self.waiting.apart.is_empty() {
            return Some(self.now);
        }
        if !self.is_open() {
            return self.phase.deadline();
        }
        let flows = self
            .send_flows
            .values()
            .flat_map(|flow| [flow.queue.next_deadline(), flow.probe_due()].into_iter().flatten());
        let received = self.receive_flows.values().filter_map(|flow| match flow.answer {
            Answer::Told(at) => Some(at + limits::FLOW_ANSWER),
            Answer::Untold | Answer::Accepted(_) | Answer::Rejected => flow.forgotten_at(),
        });
        let session = [
            self.timeout_at,
            self.pacing.resume_at(),
            self.media_pace.resume_at(),
            self.path_mtu.deadline(),
            self.spare_at,
            self.acknowledging.deadline(),
            self.keepalive.gone_at(),
            Some(self.keepalive.ask_at(self.round_trip.timeout())),
        ];
        session.into_iter().flatten().chain(flows).chain(received).min()
    }

    /// The far end is gone.
    fn vanish(&mut self, now: Instant) {
        let quiet = self.keepalive.quiet(now);
        // It may hear us although we do not hear it: an abrupt close spares it the wait (§3.5.5).
        self.abort(match self.keepalive.is_doubted() {
            true => SessionEnd::Replaced,
            false => SessionEnd::WentQuiet { quiet },
        });
    }

    /// The path carries nothing as long as what is under way and cannot be cut: an end that can be told is better than a
    /// flow that never goes on.
    fn give_up_path(&mut self) {
        self.abort(SessionEnd::PathTooNarrow);
    }

    /// TIMEOUT_ALARM fired (§3.6.2.6): everything in flight is lost.
    fn on_timeout(&mut self, now: Instant) {
        self.timeout_at = None;
        self.burst = 0;
        let lost = self.lose_all_in_flight();
        if lost {
            self.round_trip.back_off();
            self.marks.on_timeout();
        }
        self.notice_narrowing(now);
        self.congestion.on_timeout(lost);
        self.recovered_from = self.in_flight.next();
        let flows: Vec<SendFlowId> = self.send_flows.keys().copied().collect();
        flows.into_iter().for_each(|flow| self.after_queue_change(now, flow));
    }

    /// Takes everything out of flight; true if there was anything.
    pub(super) fn lose_all_in_flight(&mut self) -> bool {
        let flights = self.in_flight.lose_all();
        self.counters.fragments_lost += flights.len() as u64;
        for flight in &flights {
            if flight.in_long_datagram {
                self.path_mtu.note_lost(self.now);
            }
            if let Some(flow) = self.send_flows.get_mut(&flight.flow) {
                flow.queue.on_lost(flight.sequence, flight.size);
            }
        }
        !flights.is_empty()
    }

    /// Gives up messages past their deadlines.
    pub(super) fn expire_messages(&mut self, now: Instant) {
        let late = |flow: &SendFlow| flow.queue.next_deadline().is_some_and(|at| at <= now);
        let due: Vec<SendFlowId> =
            self.send_flows.iter().filter(|(_, flow)| late(flow)).map(|(id, _)| *id).collect();
        for id in due {
            if let Some(flow) = self.send_flows.get_mut(&id) {
                flow.queue.expire(now);
            }
            self.after_queue_change(now, id);
        }
    }

    /// Flows that the layer above was told of and did not answer are rejected.
    pub(super) fn reject_unanswered(&mut self, now: Instant) {
        let unanswered: Vec<ReceiveFlowId> = self
            .receive_flows
            .iter()
            .filter(|(_, flow)| matches!(flow.answer, Answer::Told(at) if at + limits::FLOW_ANSWER <= now))
            .map(|(id, _)| *id)
            .collect();
        unanswered.into_iter().for_each(|id| self.reject_flow(now, id, 0));
    }
}
