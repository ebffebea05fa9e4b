//! Which of several calls is spoken in: the current one, one that waits, and one that rings meanwhile. Pure.
//!
//! Each call is a [`Lifecycle`]; this file gives what happens to the one it concerns, and lets them change places. A second
//! call rings only while one is up and none waits; a third is told busy. When the current call ends, the one that rings takes
//! its place, and otherwise the one that waits: it waits on, since nobody's microphone opens unasked.

use std::time::{Duration, Instant};

use super::end_reason::EndReason;
use super::event::Event;
use super::lifecycle::{CallEffect, Lifecycle, LinesNow, Offer, Phase, With};
use super::messages::{Capabilities, Intent, Message};
use super::peer_link::Loss;
use super::random_id::RandomId;
use crate::rtmfp::PeerId;

/// All calls of this client.
#[derive(Debug)]
pub(crate) struct Calls {
    me: PeerId,
    current: Lifecycle,
    held: Option<Lifecycle>,
    second: Option<Lifecycle>,
}

/// The places a call may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Current,
    Held,
    Second,
}

impl Calls {
    /// Without a call.
    pub(crate) fn new(me: PeerId) -> Self {
        Self { me, current: Lifecycle::new(me), held: None, second: None }
    }

    /// Where the current call stands.
    pub(crate) fn phase(&self) -> &Phase {
        self.current.phase()
    }

    /// Whom the current call is with, if there is one and it is known.
    pub(crate) fn with(&self) -> Option<&With> {
        self.current.with()
    }

    /// Who rings while the current call is up.
    pub(crate) fn second(&self) -> Option<&With> {
        self.second.as_ref().and_then(Lifecycle::with)
    }

    /// Whom we let wait: beside the current call, or in it.
    pub(crate) fn on_hold(&self) -> Option<&With> {
        let here = self.current.hold_state().here.then(|| self.current.with()).flatten();
        self.held.as_ref().and_then(Lifecycle::with).or(here)
    }

    /// Whether the current call is up with this peer.
    pub(crate) fn is_up_with(&self, peer: PeerId) -> bool {
        self.current.is_up_with(peer)
    }

    /// Whether sound and pictures flow with this peer.
    pub(crate) fn flows_with(&self, peer: PeerId) -> bool {
        self.current.is_up_with(peer) && self.current.hold_state().flows()
    }

    /// Whether any call concerns this peer.
    pub(crate) fn is_with(&self, peer: PeerId) -> bool {
        self.place_of(peer).is_some()
    }

    /// Those whose calls are up, the current one first.
    pub(crate) fn up(&self) -> impl Iterator<Item = PeerId> {
        let calls = [Some(&self.current), self.held.as_ref()];
        let peers = calls
            .map(|call| Some(call?.with()?.peer).filter(|peer| call.is_some_and(|c| c.is_up_with(*peer))));
        peers.into_iter().flatten()
    }

    /// Whether nothing goes on at all.
    pub(crate) fn is_free(&self) -> bool {
        self.current.is_free()
    }

    /// Whether the person may dial: nothing goes on, or the one call there is waits.
    pub(crate) fn may_dial(&self) -> bool {
        let waits = self.current.hold_state().here && self.held.is_none() && self.second.is_none();
        self.is_free() || waits
    }

    /// For how long nothing came in the current call, when it is long enough to say so.
    pub(crate) fn silent_for(&self, now: Instant) -> Option<Duration> {
        self.current.silent_for(now)
    }

    /// Whom we look for by name is this peer.
    pub(crate) fn looked_for_is(&mut self, peer: PeerId) {
        self.current.looked_for_is(peer);
    }

    /// The server is being asked whom `whom` means. A call that waits steps aside.
    pub(crate) fn look(&mut self, now: Instant, whom: String, wanted: Option<PeerId>, with_video: bool) {
        if !self.current.is_free() {
            self.set_aside();
        }
        self.current.look(now, whom, wanted, with_video);
    }

    /// It is known whom to dial. `otherwise` is what it means when nobody answers.
    pub(crate) fn found(
        &mut self,
        now: Instant,
        peer: PeerId,
        name: String,
        call: RandomId,
        lines: LinesNow,
        otherwise: EndReason,
    ) -> Vec<CallEffect> {
        if self.place_of(peer).is_some_and(|place| place != Place::Current) {
            // Who waits, or rings, cannot be dialled beside that.
            let effects = self.current.not_found(now, EndReason::Busy);
            return self.settled(effects);
        }
        let effects = self.current.found(now, peer, name, call, lines, otherwise);
        self.settled(effects)
    }

    /// The server does not know them, or nothing can be asked.
    pub(crate) fn not_found(&mut self, now: Instant, reason: EndReason) -> Vec<CallEffect> {
        let effects = self.current.not_found(now, reason);
        self.settled(effects)
    }

    /// The far end was reached.
    pub(crate) fn reached(&mut self, now: Instant, peer: PeerId) -> Vec<CallEffect> {
        self.of(peer, |call| call.reached(now, peer))
    }

    /// Whom a call is with turns out to be `to`, by the lasting identity. Answers whether there is such a call; one with
    /// `to` itself is not doubled.
    pub(crate) fn moved(&mut self, from: PeerId, to: PeerId) -> bool {
        if self.place_of(from).is_none() || self.place_of(to).is_some() {
            return false;
        }
        self.of(from, |call| {
            call.moved(from, to);
            vec![]
        });
        true
    }

    /// The far end told its name over fresh lines. `fallback` names the call of a plain client.
    pub(crate) fn named(
        &mut self,
        now: Instant,
        peer: PeerId,
        name: &str,
        capabilities: Option<Capabilities>,
        fallback: RandomId,
    ) -> Vec<CallEffect> {
        if capabilities.is_none_or(|far| far.intent == Intent::Call) {
            self.make_room_for(peer);
        }
        self.of(peer, |call| call.named(now, peer, name, capabilities, fallback))
    }

    /// The far end calls: over fresh lines, or with `call` over those that are up.
    pub(crate) fn offered(&mut self, now: Instant, offer: Offer) -> Vec<CallEffect> {
        let peer = offer.peer;
        self.make_room_for(peer);
        self.of(peer, |call| call.offered(now, offer))
    }

    /// Each end told the other its name.
    pub(crate) fn lines_up(&mut self, now: Instant, peer: PeerId) -> Vec<CallEffect> {
        self.of(peer, |call| call.lines_up(now, peer))
    }

    /// A message about the call itself.
    pub(crate) fn heard(&mut self, now: Instant, peer: PeerId, message: &Message) -> Vec<CallEffect> {
        self.of(peer, |call| call.heard(now, peer, message))
    }

    /// The lines to a peer are gone.
    pub(crate) fn lost(&mut self, now: Instant, peer: PeerId, loss: Loss) -> Vec<CallEffect> {
        self.of(peer, |call| call.lost(now, peer, loss))
    }

    /// A packet came from the peer.
    pub(crate) fn alive(&mut self, now: Instant, peer: PeerId) {
        self.of(peer, |call| {
            call.alive(now, peer);
            vec![]
        });
    }

    /// For how long a far end has said nothing that ought to.
    pub(crate) fn late_for(&self, now: Instant, peer: PeerId) -> Option<Duration> {
        let calls = [Some(&self.current), self.held.as_ref()];
        let with_peer = calls.into_iter().flatten().find(|call| call.is_up_with(peer));
        with_peer.and_then(|call| call.late_for(now))
    }

    /// Whether the lines of a call are lost, and being made anew.
    pub(crate) fn is_redialling(&self) -> bool {
        self.current.is_redialling() || self.held.as_ref().is_some_and(Lifecycle::is_redialling)
    }

    /// The network is another one: what waits to be dialled anew waits no longer.
    pub(crate) fn redial_now(&mut self, now: Instant) -> Vec<CallEffect> {
        let mut effects = self.current.redial_now(now);
        if let Some(held) = &mut self.held {
            effects.extend(seen_from_aside(held.redial_now(now)));
        }
        self.settled(effects)
    }

    /// The person takes the call that rings.
    pub(crate) fn accept(&mut self, now: Instant) -> Vec<CallEffect> {
        let effects = self.current.accept(now);
        self.settled(effects)
    }

    /// The person declines the call that rings.
    pub(crate) fn decline(&mut self, now: Instant) -> Vec<CallEffect> {
        let effects = self.current.decline(now);
        self.settled(effects)
    }

    /// The person takes the second call; the first waits, or ends.
    pub(crate) fn accept_second(&mut self, now: Instant, hold: bool) -> Vec<CallEffect> {
        let Some(second) = self.second.take() else { return vec![] };
        let mut effects = if hold { self.current.hold(true) } else { self.current.hang_up(now) };
        if hold {
            self.set_aside();
        }
        self.current = second;
        effects.extend(self.current.accept(now));
        self.settled(effects)
    }

    /// The person declines the second call.
    pub(crate) fn decline_second(&mut self, now: Instant) -> Vec<CallEffect> {
        let Some(mut second) = self.second.take() else { return vec![] };
        seen_from_aside(second.decline(now))
    }

    /// Lets the current call wait, or goes on with it. With another that waits, the two change places.
    pub(crate) fn hold(&mut self, on: bool) -> Vec<CallEffect> {
        if let Some(held) = &mut self.held {
            if !matches!(self.current.phase(), Phase::Up { .. }) {
                return vec![];
            }
            let mut effects = self.current.hold(true);
            std::mem::swap(&mut self.current, held);
            effects.extend(self.current.hold(false));
            return effects;
        }
        self.current.hold(on)
    }

    /// The person ends the current call, or stops dialling.
    pub(crate) fn hang_up(&mut self, now: Instant) -> Vec<CallEffect> {
        let effects = self.current.hang_up(now);
        self.settled(effects)
    }

    /// The call with this peer ends, whichever it is.
    pub(crate) fn end_with(&mut self, now: Instant, peer: PeerId) -> Vec<CallEffect> {
        match self.place_of(peer) {
            Some(Place::Current) => self.hang_up(now),
            Some(Place::Held) => {
                let held = self.held.take();
                held.map_or_else(Vec::new, |mut held| seen_from_aside(held.hang_up(now)))
            }
            Some(Place::Second) => self.decline_second(now),
            None => vec![],
        }
    }

    /// The program ends: every call does.
    pub(crate) fn end_all(&mut self, now: Instant) -> Vec<CallEffect> {
        let mut effects = self.decline_second(now);
        if let Some(mut held) = self.held.take() {
            effects.extend(seen_from_aside(held.hang_up(now)));
        }
        effects.extend(self.current.hang_up(now));
        effects
    }

    /// Puts away what an ended call left.
    pub(crate) fn dismiss(&mut self) {
        self.current.dismiss();
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        for aside in [&mut self.held, &mut self.second].into_iter().flatten() {
            effects.extend(seen_from_aside(aside.tick(now)));
        }
        effects.extend(self.current.tick(now));
        self.settled(effects)
    }

    /// When [`Calls::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let calls = [Some(&self.current), self.held.as_ref(), self.second.as_ref()];
        calls.into_iter().flatten().filter_map(Lifecycle::deadline).min()
    }

    fn place_of(&self, peer: PeerId) -> Option<Place> {
        let is_with = |call: &Lifecycle| call.with().is_some_and(|with| with.peer == peer);
        if self.held.as_ref().is_some_and(is_with) {
            Some(Place::Held)
        } else if self.second.as_ref().is_some_and(is_with) {
            Some(Place::Second)
        } else {
            is_with(&self.current).then_some(Place::Current)
        }
    }

    /// Lets the call with this peer decide; the current one, when none is.
    fn of(&mut self, peer: PeerId, act: impl FnOnce(&mut Lifecycle) -> Vec<CallEffect>) -> Vec<CallEffect> {
        let place = self.place_of(peer).or_else(|| {
            let empty = self.second.as_ref().is_some_and(Lifecycle::is_free);
            empty.then_some(Place::Second)
        });
        let effects = match (place, &mut self.held, &mut self.second) {
            (Some(Place::Held), Some(held), _) => seen_from_aside(act(held)),
            (Some(Place::Second), _, Some(second)) => seen_from_aside(act(second)),
            _ => act(&mut self.current),
        };
        self.settled(effects)
    }

    /// Somebody calls: beside a call that is up there is room for one more.
    fn make_room_for(&mut self, peer: PeerId) {
        let is_up = matches!(self.current.phase(), Phase::Up { .. });
        if is_up && self.held.is_none() && self.second.is_none() && !self.is_with(peer) {
            self.second = Some(Lifecycle::new(self.me));
        }
    }

    fn set_aside(&mut self) {
        self.held = Some(std::mem::replace(&mut self.current, Lifecycle::new(self.me)));
    }

    /// After each change: whose call is over leaves its place, and whoever waits for it takes it.
    fn settled(&mut self, mut effects: Vec<CallEffect>) -> Vec<CallEffect> {
        self.held.take_if(|call| call.is_free());
        self.second.take_if(|call| call.is_free());
        if self.current.is_free()
            && let Some(next) = self.second.take().or_else(|| self.held.take())
        {
            self.current = next;
            if let Phase::Ringing { with, .. } = self.current.phase() {
                let (peer, name) = (with.peer, with.name.clone());
                effects.push(CallEffect::Tell(Event::Ringing { peer, name, silently: false }));
            }
        }
        effects
    }
}

/// The effects of a call that is not the current one: its end is no news of the current call, and its media do not flow.
fn seen_from_aside(effects: Vec<CallEffect>) -> Vec<CallEffect> {
    let seen = |effect| match effect {
        CallEffect::Tell(Event::Ringing { peer, name, silently }) => {
            Some(CallEffect::Tell(Event::SecondRinging { peer, name, silently }))
        }
        CallEffect::Tell(Event::Ended { .. })
        | CallEffect::StopMedia
        | CallEffect::PauseMedia
        | CallEffect::StartMedia(_) => None,
        other => Some(other),
    };
    effects.into_iter().filter_map(seen).collect()
}

#[cfg(test)]
#[path = "calls/tests.rs"]
mod tests;
