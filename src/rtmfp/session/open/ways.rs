//! Taking another way to the far end: because it is heard from there (RFC 7016 §3.5.4.2), because the one that was taken is
//! gone, or because a probe showed a better one and the layer above chose it.
//!
//! When an end chooses, both ways work. What is under way by the old one is waited for and not sent again; the far end
//! follows by a mobility check, and what it sends until then still comes by the old way, which must not lead us back.

use std::time::{Duration, Instant};

use super::{Apart, OpenSession};
use crate::rtmfp::endpoint::SendFlowId;
use crate::rtmfp::event::Event;
use crate::rtmfp::limits;
use crate::rtmfp::machine::{PathId, Route};
use crate::rtmfp::session::congestion::Congestion;
use crate::rtmfp::session::round_trip::RoundTrip;
use crate::rtmfp::wire::chunk::Chunk;

impl OpenSession {
    /// Sends a probe by another way; false if there were too many of late. The far end must know what a probe is.
    pub(crate) fn probe(&mut self, now: Instant, route: Route) -> bool {
        self.now = now;
        if !self.is_open() {
            return false;
        }
        let Some(message) = self.probing.ask(now, route) else { return false };
        self.queue_timeless(route, &Chunk::Ping { message: &message });
        true
    }

    /// The far end probes another way, or this one: it is answered where it came from.
    pub(super) fn on_probe(&mut self, now: Instant, route: Route, message: &[u8]) {
        let has_room = self.waiting.apart.len() < limits::MOST_PACKETS_APART;
        if !has_room || !self.probing.answers(now, route) {
            return;
        }
        self.queue_timeless(route, &Chunk::PingReply { echo: message });
        if route != self.route {
            self.tell(Event::ProbedFrom { session: self.key, route });
        }
    }

    /// A probe of ours is answered, if it is one.
    pub(super) fn on_probe_answer(&mut self, now: Instant, route: Route, echo: &[u8]) {
        if let Some(round_trip) = self.probing.on_answer(now, route, echo) {
            self.tell(Event::ProbeAnswered { session: self.key, route, round_trip });
        }
    }

    fn queue_timeless(&mut self, route: Route, chunk: &Chunk<'_>) {
        let mut bytes = Vec::with_capacity(chunk.encoded_length());
        chunk.write(&mut bytes);
        self.waiting.apart.push_back(Apart { route, chunk: bytes, timeless: true });
    }

    /// Takes another way by choice, whose round trip a probe measured; the far end follows.
    pub(crate) fn choose_way(&mut self, now: Instant, route: Route, round_trip: Option<Duration>) {
        self.now = now;
        if !self.is_open() || route == self.route {
            return;
        }
        let old_trip = self.round_trip.smoothed().unwrap_or(limits::FIRST_MEASURED_TIMEOUT);
        let until = limits::LEFT_BEHIND + (old_trip + round_trip.unwrap_or_default()) * 2;
        self.mobility.leave(self.route, now + until.min(limits::LONGEST_LEFT_BEHIND));
        self.change_way(now, route, round_trip);
        // So that the far end hears of it though there may be nothing else to say.
        self.ping(now);
    }

    /// The far end was heard from another address: asks it to prove that it is there (§3.5.4.2).
    pub(super) fn check_mobility(&mut self, now: Instant, route: Route) {
        if self.mobility.is_left_behind(now, route) {
            return;
        }
        if let Some(message) = self.mobility.ask(now, route) {
            self.queue_apart(route, &Chunk::Ping { message: &message });
        }
    }

    /// The path to the far end is gone here: goes on over another one, and lets the far end notice.
    pub(crate) fn take_path(&mut self, now: Instant, via: PathId) {
        if self.is_open() && self.route.via != via {
            self.now = now;
            self.lose_way(now, Route { via, ..self.route });
            self.ping(now);
        }
    }

    /// Our own network is another one: what was learned of the path counts no longer, and what was on its way is lost. The
    /// far end learns our new address from the question. Only an answer shows that it does: by the network before, where that
    /// is still there, it may be heard all the while.
    pub(crate) fn on_network_changed(&mut self, now: Instant, doubt: Duration) {
        if self.is_open() {
            self.now = now;
            let answers_within = doubt.max(self.round_trip.timeout() * 2);
            self.lose_way(now, self.route);
            self.keepalive.want_answer(now, answers_within);
            self.doubt_for(now, doubt);
        }
    }

    /// The far end is at another address now. When a probe passed there lately it chose to be, and the old way still works.
    pub(super) fn move_to(&mut self, now: Instant, route: Route) {
        self.mobility.leave(self.route, now + limits::LEFT_BEHIND);
        if self.probing.has_seen(now, route) {
            self.change_way(now, route, None);
        } else {
            self.lose_way(now, route);
        }
    }

    /// The far end is elsewhere, over a path that nothing is known about, and the old one is gone as far as we know.
    fn lose_way(&mut self, now: Instant, route: Route) {
        self.media_pace.forget();
        self.left_way = None;
        self.timeout_at = None;
        self.lose_all_in_flight();
        self.take_way(now, route, None);
    }

    /// Goes on by another way while the old one works: what is under way there is waited for.
    fn change_way(&mut self, now: Instant, route: Route, round_trip: Option<Duration>) {
        let timeout = self.round_trip.timeout();
        self.left_way = Some((now + timeout, timeout));
        self.media_pace.change_way(now, round_trip);
        self.in_flight.change_way();
        self.timeout_at = self.timeout_at.map(|_| now + timeout);
        self.take_way(now, route, round_trip);
    }

    fn take_way(&mut self, now: Instant, route: Route, round_trip: Option<Duration>) {
        self.route = route;
        self.way_since = now;
        self.congestion = Congestion::new();
        self.marks.on_new_path();
        self.path_mtu.on_new_path();
        self.giving_way.forget(now);
        self.round_trip = RoundTrip::new();
        if let Some(round_trip) = round_trip {
            self.round_trip.measure(round_trip);
        }
        self.burst = 0;
        self.recovered_from = self.in_flight.next();
        self.cut_flows_again();
        if self.has_sent_too_long() {
            self.path_mtu.want(now);
        }
        self.tell(Event::RouteChanged { session: self.key, route });
        let flows: Vec<SendFlowId> = self.send_flows.keys().copied().collect();
        flows.into_iter().for_each(|flow| self.after_queue_change(now, flow));
    }

    /// Whether a round trip that a packet over `route` measured is one of the way that is taken now: it came by it, and
    /// what it answers was not sent before.
    pub(super) fn is_of_this_way(&self, now: Instant, route: Route, sample: Duration) -> bool {
        let since = now.saturating_duration_since(self.way_since);
        route == self.route && (self.left_way.is_none() || sample <= since + limits::TICK)
    }

    /// Whether what went by the way that was left may still arrive there, after what was sent later.
    pub(super) fn waits_for_the_way_it_left(&self, now: Instant) -> bool {
        self.left_way.is_some_and(|(until, _)| now < until)
    }

    /// How long to wait for an acknowledgement: as long as the way needs that was left, as long as it is waited for.
    pub(super) fn acknowledgement_timeout(&self, now: Instant) -> Duration {
        let timeout = self.round_trip.timeout();
        match self.left_way {
            Some((until, old)) if now < until => timeout.max(old),
            _ => timeout,
        }
    }
}
