//! The life of one call: Idle → Looking → Connecting → Waiting, or Ringing → Up ⇄ reconnecting → Ended(why). Pure.
//!
//! What happens comes in as method calls with the time; what is to be done comes out as effects. Which of several calls
//! is spoken in is decided above, in [`super::calls`].

mod phase;

use std::time::{Duration, Instant};

use super::additions::Additions;
use super::end_reason::EndReason;
use super::event::Event;
use super::messages::{Capabilities, Goodbye, Intent, Message};
use super::peer_link::Loss;
use super::random_id::RandomId;
use crate::rtmfp::PeerId;
pub(crate) use phase::{CallEffect, CallRecord, Hold, LinesNow, Offer, Phase, With};

/// The server must have found whom we dial within this.
const FIND_WITHIN: Duration = Duration::from_secs(10);
/// A way to them must be open within this.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// It rings for so long.
const RING_FOR: Duration = Duration::from_secs(45);
/// Who is called waits a little longer, so that it is the caller who gives up.
const RUNG_FOR: Duration = Duration::from_secs(50);
/// After so long without a packet the person is told.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// After so long without a packet the call is over.
const VANISHED_AFTER: Duration = Duration::from_secs(30);
/// Between two attempts at getting a lost call back.
const REDIAL_EVERY: Duration = Duration::from_secs(2);
/// And as long as it has been silent for less than this: what must come back first, a server perhaps, may be back any moment.
const REDIAL_EARLY: Duration = Duration::from_millis(500);
const EARLY: Duration = Duration::from_secs(6);
/// Of two that lost each other, the one with the higher peer ID tries so much later.
const HIGHER_REDIALS_AFTER: Duration = Duration::from_millis(500);

/// One call, or none.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    me: PeerId,
    phase: Phase,
}

impl Lifecycle {
    /// Without a call.
    pub(crate) fn new(me: PeerId) -> Self {
        Self { me, phase: Phase::Idle }
    }

    /// Where the call stands.
    pub(crate) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Whom the call is with, if there is one and it is known.
    pub(crate) fn with(&self) -> Option<&With> {
        match &self.phase {
            Phase::Connecting { with, .. }
            | Phase::Waiting { with, .. }
            | Phase::Ringing { with, .. }
            | Phase::Up { with, .. } => Some(with),
            Phase::Idle | Phase::Looking { .. } | Phase::Ended { .. } => None,
        }
    }

    /// Whether the call is up with this peer, held or not.
    pub(crate) fn is_up_with(&self, peer: PeerId) -> bool {
        matches!(&self.phase, Phase::Up { with, .. } if with.peer == peer)
    }

    /// Who lets whom wait; nobody, when the call is not up.
    pub(crate) fn hold_state(&self) -> Hold {
        match self.phase {
            Phase::Up { hold, .. } => hold,
            _ => Hold::default(),
        }
    }

    /// Lets the far end wait, or goes on with it.
    pub(crate) fn hold(&mut self, on: bool) -> Vec<CallEffect> {
        let Phase::Up { with, hold, .. } = &mut self.phase else { return vec![] };
        if hold.here == on {
            return vec![];
        }
        let before = *hold;
        hold.here = on;
        let mut effects = vec![CallEffect::Say(with.peer, Message::Hold { call: with.call, on })];
        effects.extend(follow_hold(with.peer, before, *hold));
        effects
    }

    /// Whether a new call may begin.
    pub(crate) fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Ended { .. })
    }

    /// The server is being asked whom `whom` means.
    pub(crate) fn look(&mut self, now: Instant, whom: String, wanted: Option<PeerId>, with_video: bool) {
        self.phase = Phase::Looking { whom, wanted, with_video, since: now };
    }

    /// Whom we look for by name is this peer: who is to be trusted with names says so.
    pub(crate) fn looked_for_is(&mut self, peer: PeerId) {
        if let Phase::Looking { wanted, .. } = &mut self.phase {
            *wanted = Some(peer);
        }
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
        let Phase::Looking { with_video, since, .. } = self.phase else { return vec![] };
        let LinesNow { up: lines_up, plain } = lines;
        // With a plain client the lines are the call.
        let accepted = lines_up && plain;
        let with = With { peer, name, call, incoming: false, with_video, plain, lines_up, accepted };
        let offer = Capabilities {
            intent: Intent::Call,
            call,
            video: with_video,
            lasting: None,
            additions: Additions::OURS,
        };
        self.phase = Phase::Connecting { with, since, until: now + CONNECT_WITHIN, otherwise };
        let mut effects = vec![CallEffect::Dial(peer, offer)];
        if lines_up {
            effects.extend(self.reached(now, peer));
        }
        self.rise(now, &mut effects);
        effects
    }

    /// The server does not know them, or nothing can be asked.
    pub(crate) fn not_found(&mut self, now: Instant, reason: EndReason) -> Vec<CallEffect> {
        match self.phase {
            Phase::Looking { .. } => self.end(now, reason),
            _ => vec![],
        }
    }

    /// The far end was reached.
    pub(crate) fn reached(&mut self, now: Instant, peer: PeerId) -> Vec<CallEffect> {
        if let Phase::Connecting { with, since, .. } = &self.phase
            && with.peer == peer
        {
            let (with, since) = (with.clone(), *since);
            self.phase = Phase::Waiting { with, since, until: now + RING_FOR, rings: false };
        }
        vec![]
    }

    /// Whom the call is with goes by another peer ID from now on.
    pub(crate) fn moved(&mut self, from: PeerId, to: PeerId) {
        if let Some(with) = self.with_mut(from) {
            with.peer = to;
        }
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
        if let Some(with) = self.with_mut(peer) {
            name.clone_into(&mut with.name);
            with.plain = capabilities.is_none();
        }
        match capabilities {
            Some(Capabilities { intent: Intent::Chat, .. }) => vec![],
            Some(Capabilities { call, video, .. }) => {
                let lines = LinesNow::default();
                self.offered(now, Offer { peer, name: name.to_owned(), call, video, lines })
            }
            None if self.is_with(peer) => {
                // A plain client that tells its name has answered.
                if let Phase::Connecting { with, .. } | Phase::Waiting { with, .. } = &mut self.phase {
                    with.accepted = true;
                }
                vec![]
            }
            None if self.is_free() => {
                let lines = LinesNow { up: false, plain: true };
                self.ring(now, Offer { peer, name: name.to_owned(), call: fallback, video: true, lines })
            }
            // A plain client understands nothing but a closed line.
            None => vec![CallEffect::Part(peer)],
        }
    }

    /// The far end calls: over fresh lines, or with `call` over those that are up.
    pub(crate) fn offered(&mut self, now: Instant, offer: Offer) -> Vec<CallEffect> {
        let own_is_lower = self.me < offer.peer;
        let (peer, call) = (offer.peer, offer.call);
        let mut effects = Vec::new();
        if self.is_looking_for(&offer) {
            // Whom we are about to call calls us: nobody rings, and their call is taken.
            effects.extend(self.ring(now, offer));
            effects.retain(|effect| matches!(effect, CallEffect::Say(..)));
            effects.extend(self.accept(now));
            return effects;
        }
        match &mut self.phase {
            Phase::Connecting { with, .. } | Phase::Waiting { with, .. } if with.peer == peer => {
                if with.call != call {
                    // Both dial at once: nobody needs to ring, and both ends must name the call alike.
                    with.call = if own_is_lower { with.call } else { call };
                    with.incoming = !own_is_lower;
                }
                with.accepted = true;
            }
            Phase::Up { with, redial, hold, .. } if with.peer == peer => {
                // The same call comes back after its session was lost, or a far end that forgot it calls anew:
                // either way two people were talking, and nobody rings.
                let forgot = std::mem::replace(&mut with.call, call) != call;
                with.lines_up = offer.lines.up;
                if with.lines_up {
                    *redial = None;
                }
                let before = *hold;
                hold.there &= !forgot;
                effects.extend(follow_hold(peer, before, *hold));
                effects.push(CallEffect::GiveName(peer));
                effects.push(CallEffect::Say(peer, Message::Accepted(call)));
            }
            Phase::Ringing { with, .. } if with.peer == peer => {
                with.call = call;
                effects.push(CallEffect::Say(peer, Message::Ringing(call)));
            }
            Phase::Idle | Phase::Ended { .. } => effects.extend(self.ring(now, offer)),
            _ => effects.push(CallEffect::Say(peer, Message::Busy(call))),
        }
        self.rise(now, &mut effects);
        effects
    }

    /// Each end told the other its name.
    pub(crate) fn lines_up(&mut self, now: Instant, peer: PeerId) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        if let Some(with) = self.with_mut(peer) {
            with.lines_up = true;
        }
        if let Phase::Up { with, heard, redial, hold, .. } = &mut self.phase
            && with.peer == peer
        {
            let back = redial.take().is_some();
            if back {
                *heard = now;
            }
            // On new lines neither knows what the other's program still knows.
            if back || hold.here {
                effects.push(CallEffect::Say(peer, Message::Hold { call: with.call, on: hold.here }));
            }
        }
        self.rise(now, &mut effects);
        effects
    }

    /// A message about the call itself.
    pub(crate) fn heard(&mut self, now: Instant, peer: PeerId, message: &Message) -> Vec<CallEffect> {
        let current = self.with().filter(|with| with.peer == peer).map(|with| with.call);
        let mut effects = Vec::new();
        match *message {
            Message::Bye { call, why } => {
                effects.push(CallEffect::Say(peer, Message::Ended(call)));
                if current == Some(call) {
                    let reason = match (&self.phase, why) {
                        (Phase::Up { .. }, _) => EndReason::EndedThere,
                        (_, Goodbye::NoAnswer) => EndReason::NoAnswer,
                        (_, Goodbye::Cancel | Goodbye::HangUp) => EndReason::Cancelled,
                    };
                    effects.extend(self.end(now, reason));
                }
            }
            Message::Ringing(call) if current == Some(call) => {
                effects.extend(self.reached(now, peer));
                if let Phase::Waiting { rings, .. } = &mut self.phase
                    && !std::mem::replace(rings, true)
                {
                    effects.push(CallEffect::Tell(Event::RingingThere));
                }
            }
            Message::Accepted(call) if current == Some(call) => {
                if let Phase::Connecting { with, .. } | Phase::Waiting { with, .. } = &mut self.phase {
                    with.accepted = true;
                }
                self.rise(now, &mut effects);
            }
            Message::Hold { call, on } if current == Some(call) => {
                if let Phase::Up { hold, .. } = &mut self.phase {
                    let before = *hold;
                    hold.there = on;
                    effects.extend(follow_hold(peer, before, *hold));
                }
            }
            Message::Declined(call) if current == Some(call) && self.is_dialling() => {
                effects.extend(self.end(now, EndReason::Declined));
            }
            Message::Busy(call) if current == Some(call) && self.is_dialling() => {
                effects.extend(self.end(now, EndReason::Busy));
            }
            _ => {}
        }
        effects
    }

    /// The lines to a peer are gone.
    pub(crate) fn lost(&mut self, now: Instant, peer: PeerId, loss: Loss) -> Vec<CallEffect> {
        let own_is_lower = self.me < peer;
        match &mut self.phase {
            Phase::Connecting { with, otherwise, .. } if with.peer == peer => {
                let reason = match loss {
                    Loss::Refused | Loss::Closed => EndReason::Declined,
                    Loss::Unreachable | Loss::Vanished => *otherwise,
                };
                self.end(now, reason)
            }
            Phase::Waiting { with, .. } if with.peer == peer => self.end(
                now,
                match loss {
                    Loss::Refused | Loss::Closed => EndReason::Declined,
                    Loss::Unreachable => EndReason::NoWayThrough,
                    Loss::Vanished => EndReason::Vanished,
                },
            ),
            Phase::Ringing { with, .. } if with.peer == peer => self.end(now, EndReason::Cancelled),
            Phase::Up { with, redial, .. } if with.peer == peer => match loss {
                _ if redial.is_some() => {
                    *redial = Some(now + REDIAL_EVERY);
                    vec![]
                }
                Loss::Refused => self.end(now, EndReason::EndedThere),
                Loss::Closed if with.plain => self.end(now, EndReason::EndedThere),
                Loss::Vanished | Loss::Unreachable if with.plain => self.end(now, EndReason::Vanished),
                // A Tincan says goodbye before it ends a call: these lines were lost, not hung up. The lower peer ID
                // tries first, so that the two attempts do not cross every time.
                Loss::Closed | Loss::Vanished | Loss::Unreachable => {
                    with.lines_up = false;
                    *redial = Some(if own_is_lower { now } else { now + HIGHER_REDIALS_AFTER });
                    vec![]
                }
            },
            _ => vec![],
        }
    }

    /// A packet came from the peer.
    pub(crate) fn alive(&mut self, now: Instant, peer: PeerId) {
        if let Phase::Up { with, heard, redial: None, .. } = &mut self.phase
            && with.peer == peer
        {
            *heard = now;
        }
    }

    /// For how long a far end has said nothing that ought to. Plain clients may be silent, and one that is being dialled
    /// anew is.
    pub(crate) fn late_for(&self, now: Instant) -> Option<Duration> {
        match &self.phase {
            Phase::Up { with, heard, redial: None, .. } if !with.plain && with.lines_up => {
                Some(now.saturating_duration_since(*heard))
            }
            _ => None,
        }
    }

    /// Whether the lines of a call are lost, and being made anew.
    pub(crate) fn is_redialling(&self) -> bool {
        matches!(&self.phase, Phase::Up { redial: Some(_), .. })
    }

    /// The network is another one: what waits to be dialled anew waits no longer.
    pub(crate) fn redial_now(&mut self, now: Instant) -> Vec<CallEffect> {
        match &mut self.phase {
            Phase::Up { redial: redial @ Some(_), .. } => {
                *redial = Some(now);
                self.tick(now)
            }
            _ => vec![],
        }
    }

    /// For how long nothing came, when it is long enough to say so.
    pub(crate) fn silent_for(&self, now: Instant) -> Option<Duration> {
        match &self.phase {
            // A plain client that is held may send nothing at all, and is well.
            Phase::Up { with, hold, redial: None, .. } if with.plain && !hold.flows() => None,
            Phase::Up { heard, .. } => {
                Some(now.saturating_duration_since(*heard)).filter(|silence| *silence >= SILENT_AFTER)
            }
            _ => None,
        }
    }

    /// The person takes the call.
    pub(crate) fn accept(&mut self, now: Instant) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        if let Phase::Ringing { with, .. } = &mut self.phase {
            with.accepted = true;
            effects.push(CallEffect::GiveName(with.peer));
            if !with.plain {
                effects.push(CallEffect::Say(with.peer, Message::Accepted(with.call)));
            }
        }
        self.rise(now, &mut effects);
        effects
    }

    /// The person declines the call that rings.
    pub(crate) fn decline(&mut self, now: Instant) -> Vec<CallEffect> {
        let Phase::Ringing { with, .. } = &self.phase else { return vec![] };
        let mut effects = vec![CallEffect::Say(with.peer, Message::Declined(with.call))];
        effects.extend(self.end(now, EndReason::Declined));
        effects
    }

    /// The person ends the call, or stops dialling.
    pub(crate) fn hang_up(&mut self, now: Instant) -> Vec<CallEffect> {
        let (why, reason) = match &self.phase {
            Phase::Up { .. } => (Goodbye::HangUp, EndReason::Ended),
            Phase::Looking { .. } => return self.end(now, EndReason::Cancelled),
            Phase::Connecting { .. } | Phase::Waiting { .. } => (Goodbye::Cancel, EndReason::Cancelled),
            Phase::Ringing { .. } => return self.decline(now),
            Phase::Idle | Phase::Ended { .. } => return vec![],
        };
        self.say_bye(now, why, reason)
    }

    /// Puts away what an ended call left.
    pub(crate) fn dismiss(&mut self) {
        if matches!(self.phase, Phase::Ended { .. }) {
            self.phase = Phase::Idle;
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<CallEffect> {
        if self.deadline().is_none_or(|at| at > now) {
            return vec![];
        }
        match &mut self.phase {
            Phase::Looking { .. } => self.end(now, EndReason::NotFound),
            Phase::Connecting { otherwise, .. } => {
                let reason = *otherwise;
                self.say_bye(now, Goodbye::Cancel, reason)
            }
            Phase::Waiting { .. } => self.say_bye(now, Goodbye::NoAnswer, EndReason::NoAnswer),
            Phase::Ringing { .. } => self.end(now, EndReason::NoAnswer),
            Phase::Up { with, heard, redial, .. } => {
                if now >= *heard + VANISHED_AFTER {
                    return self.end(now, EndReason::Vanished);
                }
                let pause = if now < *heard + EARLY { REDIAL_EARLY } else { REDIAL_EVERY };
                *redial = Some(now + pause);
                let offer = Capabilities {
                    intent: Intent::Call,
                    call: with.call,
                    video: with.with_video,
                    lasting: None,
                    additions: Additions::OURS,
                };
                vec![CallEffect::Dial(with.peer, offer)]
            }
            Phase::Idle | Phase::Ended { .. } => vec![],
        }
    }

    /// When [`Lifecycle::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Looking { since, .. } => Some(*since + FIND_WITHIN),
            Phase::Connecting { until, .. } | Phase::Waiting { until, .. } | Phase::Ringing { until, .. } => {
                Some(*until)
            }
            Phase::Up { heard, redial, .. } => {
                let over = *heard + VANISHED_AFTER;
                Some(redial.map_or(over, |at| at.min(over)))
            }
            Phase::Idle | Phase::Ended { .. } => None,
        }
    }

    /// By the peer ID: a name is whatever the far end says.
    fn is_looking_for(&self, offer: &Offer) -> bool {
        matches!(&self.phase, Phase::Looking { wanted: Some(wanted), .. } if *wanted == offer.peer)
    }

    fn is_with(&self, peer: PeerId) -> bool {
        self.with().is_some_and(|with| with.peer == peer)
    }

    fn is_dialling(&self) -> bool {
        matches!(self.phase, Phase::Connecting { .. } | Phase::Waiting { .. })
    }

    fn with_mut(&mut self, peer: PeerId) -> Option<&mut With> {
        match &mut self.phase {
            Phase::Connecting { with, .. }
            | Phase::Waiting { with, .. }
            | Phase::Ringing { with, .. }
            | Phase::Up { with, .. } => Some(with).filter(|with| with.peer == peer),
            Phase::Idle | Phase::Looking { .. } | Phase::Ended { .. } => None,
        }
    }

    fn ring(&mut self, now: Instant, offer: Offer) -> Vec<CallEffect> {
        let Offer { peer, name, call, video, lines } = offer;
        let with = With {
            peer,
            name: name.clone(),
            call,
            incoming: true,
            with_video: video,
            plain: lines.plain,
            lines_up: lines.up,
            accepted: false,
        };
        self.phase = Phase::Ringing { with, until: now + RUNG_FOR };
        vec![
            CallEffect::Say(peer, Message::Ringing(call)),
            CallEffect::Tell(Event::Ringing { peer, name, silently: false }),
        ]
    }

    /// Goes up when everything is there.
    fn rise(&mut self, now: Instant, effects: &mut Vec<CallEffect>) {
        let (Phase::Connecting { with, .. } | Phase::Waiting { with, .. } | Phase::Ringing { with, .. }) =
            &self.phase
        else {
            return;
        };
        if with.lines_up && with.accepted {
            let with = with.clone();
            effects.push(CallEffect::StartMedia(with.peer));
            effects.push(CallEffect::Tell(Event::Up { peer: with.peer, name: with.name.clone() }));
            self.phase = Phase::Up { with, since: now, heard: now, redial: None, hold: Hold::default() };
        }
    }

    fn say_bye(&mut self, now: Instant, why: Goodbye, reason: EndReason) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        if let Some(with) = self.with() {
            effects.push(CallEffect::Say(with.peer, Message::Bye { call: with.call, why }));
        }
        effects.extend(self.end(now, reason));
        effects
    }

    fn end(&mut self, now: Instant, reason: EndReason) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        let (name, with, lasted) = match std::mem::take(&mut self.phase) {
            Phase::Looking { whom, .. } => (whom, None, None),
            Phase::Connecting { with, .. } | Phase::Waiting { with, .. } | Phase::Ringing { with, .. } => {
                (with.name.clone(), Some(with), None)
            }
            Phase::Up { with, since, .. } => {
                effects.push(CallEffect::StopMedia);
                (with.name.clone(), Some(with), Some(now.saturating_duration_since(since)))
            }
            phase @ (Phase::Idle | Phase::Ended { .. }) => {
                self.phase = phase;
                return vec![];
            }
        };
        let (peer, incoming) = (with.as_ref().map(|w| w.peer), with.as_ref().is_some_and(|w| w.incoming));
        if let Some(with) = with {
            // Lines between two Tincans stay for writing; to a plain client they are the call, and half-made ones serve nobody.
            if with.plain || !with.lines_up {
                effects.push(CallEffect::Part(with.peer));
            }
            effects.push(CallEffect::Record(with.peer, CallRecord { incoming, lasted, reason }));
        }
        self.phase = Phase::Ended { name, peer, reason, lasted, incoming };
        effects.push(CallEffect::Tell(Event::Ended { reason }));
        effects
    }
}

/// What follows for sound and pictures when somebody lets somebody wait, or no longer.
fn follow_hold(peer: PeerId, before: Hold, after: Hold) -> Option<CallEffect> {
    match (before.flows(), after.flows()) {
        (true, false) => Some(CallEffect::PauseMedia),
        (false, true) => Some(CallEffect::StartMedia(peer)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "lifecycle/tests.rs"]
mod tests;
