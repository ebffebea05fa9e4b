//! Comparing codes with the far end of the call: one try for each session, and what came of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::call::messages::Message;
use crate::call::peer_link::Far;
use crate::call::verification::{SessionBinding, Stage, Verification, VerifyStep, session_name};
use crate::call::view::Verifying;
use crate::rtmfp::PeerId;

/// A program that does not answer within this does not know how.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Tries remembered; more sessions do not live at once.
const MOST_TRIES: usize = 64;

/// The tries of all sessions.
#[derive(Debug, Default)]
pub(super) struct VerifyingSide {
    tries: BTreeMap<PeerId, Verification>,
    /// With whom the person compares, or wants to; until the call ends.
    shown: Option<PeerId>,
    /// When the far end is taken for a program that cannot.
    answer_by: Option<Instant>,
    unable: bool,
}

impl VerifyingSide {
    /// When [`ClientMachine::tick_verifying`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.answer_by
    }
}

impl ClientMachine {
    /// The person wants to compare codes.
    pub(super) fn start_verifying(&mut self, now: Instant) {
        let Some(with) = self.call.with().filter(|with| self.call.is_up_with(with.peer)) else { return };
        let (peer, called) = (with.peer, with.incoming);
        self.verifying.shown = Some(peer);
        self.verifying.unable = self.links.get(&peer).is_some_and(|lines| lines.link.far() == Far::Plain);
        if self.verifying.unable {
            return;
        }
        let bindings = self.node.session_bindings(peer);
        if self.verifying.tries.get(&peer).is_some_and(|tried| bindings.contains(tried.binding())) {
            // The session's one try is under way, or its code still stands.
            return;
        }
        let Some(binding) = bindings.first().copied() else { return };
        let (begun, step) = if called {
            Verification::ask(self.me, peer, binding)
        } else {
            Verification::commit(self.me, peer, binding, self.chance.bytes())
        };
        self.remember_try(peer, begun);
        self.verifying.answer_by = Some(now + ANSWER_WITHIN);
        self.say(now, peer, Message::Verify(step));
    }

    /// The far end takes a step.
    pub(super) fn verify_step(&mut self, now: Instant, peer: PeerId, step: VerifyStep) {
        if !self.call.is_up_with(peer) {
            return;
        }
        self.dirty = true;
        self.verifying.shown = Some(peer);
        self.verifying.unable = false;
        let bindings = self.node.session_bindings(peer);
        self.verifying.tries.retain(|other, tried| *other != peer || bindings.contains(tried.binding()));
        let answer = match step {
            VerifyStep::Ask => {
                // Who already has a code for this session shows it again; that is no new try.
                self.start_verifying(now);
                return;
            }
            VerifyStep::Commit { session, commit } => self.far_commits(peer, &bindings, session, commit),
            VerifyStep::Value(value) => {
                self.verifying.tries.get_mut(&peer).and_then(|tried| tried.value_came(value))
            }
            VerifyStep::Reveal(value) => {
                if let Some(tried) = self.verifying.tries.get_mut(&peer) {
                    tried.revealed(value);
                }
                None
            }
        };
        if let Some(step) = answer {
            self.say(now, peer, Message::Verify(step));
        }
        let waits = self.verifying.tries.get(&peer).is_some_and(Verification::waits_for_far_end);
        self.verifying.answer_by = waits.then_some(now + ANSWER_WITHIN);
    }

    fn far_commits(
        &mut self,
        peer: PeerId,
        bindings: &[SessionBinding],
        session: [u8; 16],
        commit: [u8; 32],
    ) -> Option<VerifyStep> {
        let value = self.chance.bytes();
        let Some(binding) = bindings.iter().find(|binding| session_name(binding) == session).copied() else {
            // Their session is none of ours: somebody is in between, and passes messages on.
            let newest = bindings.first().copied()?;
            self.remember_try(peer, Verification::failed(self.me, peer, newest));
            return None;
        };
        match self.verifying.tries.get_mut(&peer) {
            Some(tried) => tried.committed_again(binding, commit, value),
            None => {
                let (begun, step) = Verification::answer(self.me, peer, binding, commit, value);
                self.remember_try(peer, begun);
                Some(step)
            }
        }
    }

    /// The person compared.
    pub(super) fn codes_compared(&mut self, now: Instant, same: bool) {
        let Some(peer) = self.verifying.shown.filter(|peer| self.call.is_up_with(*peer)) else { return };
        let Some(tried) = self.verifying.tries.get_mut(&peer) else { return };
        let was_open = matches!(tried.stage(), Stage::Agreed(_) | Stage::Same(_));
        if tried.compared(same) {
            self.mark_verified(now, peer);
        } else if was_open && let Some(keep) = self.contacts.verified(peer, None) {
            // It is not who we thought.
            self.keep_contact(keep);
        }
    }

    /// Somebody answered nothing: their program cannot.
    pub(super) fn tick_verifying(&mut self, now: Instant) {
        if self.verifying.answer_by.is_none_or(|at| at > now) {
            return;
        }
        self.verifying.answer_by = None;
        self.dirty = true;
        if let Some(peer) = self.verifying.shown
            && self.verifying.tries.get(&peer).is_some_and(Verification::waits_for_far_end)
        {
            self.verifying.unable = true;
            // Whoever knows our value and keeps theirs back has had the session's try. Before that nothing is lost.
            if let Some(tried) = self.verifying.tries.remove(&peer)
                && matches!(tried.stage(), Stage::Answered { .. })
            {
                let spent = Verification::failed(self.me, peer, *tried.binding());
                self.remember_try(peer, spent);
            }
        }
    }

    /// What the window shows of it.
    pub(super) fn verifying_view(&self) -> Verifying {
        let Some(peer) = self.verifying.shown.filter(|peer| self.call.is_up_with(*peer)) else {
            return Verifying::Not;
        };
        if self.verifying.unable {
            return Verifying::NotThere;
        }
        match self.verifying.tries.get(&peer).map(Verification::stage) {
            None => Verifying::Not,
            Some(Stage::Asked | Stage::Committed { .. } | Stage::Answered { .. }) => Verifying::Asking,
            Some(Stage::Agreed(code)) => Verifying::Compare { digits: code.digits(), words: code.words() },
            Some(Stage::Same(_)) => Verifying::Done,
            Some(Stage::Failed) => Verifying::Failed,
        }
    }

    /// Who is shown as compared with no longer is, once the call is over.
    pub(super) fn end_verifying(&mut self, peer: PeerId) {
        if self.verifying.shown == Some(peer) {
            self.verifying.shown = None;
            self.verifying.answer_by = None;
        }
    }

    /// From now on this peer is known to be who they say, and kept as a contact.
    fn mark_verified(&mut self, now: Instant, peer: PeerId) {
        let at = self.date(now);
        if !self.contacts.has(peer) {
            let told = self.told_name(peer).map(str::to_owned);
            let server = self.met_at.get(&peer).cloned();
            let name = told.clone().unwrap_or_else(|| peer.short());
            let mut add = |name: &str| self.contacts.add(at, peer, name, told.as_deref(), server.as_deref());
            // A name that cannot be kept does not keep anybody from being known.
            if let Ok(Some(keep)) = add(&name).or_else(|_| add(&peer.short())) {
                self.keep_contact(keep);
            }
        }
        if let Some(keep) = self.contacts.verified(peer, Some(at)) {
            self.keep_contact(keep);
        }
    }

    fn remember_try(&mut self, peer: PeerId, tried: Verification) {
        if self.verifying.tries.len() >= MOST_TRIES {
            // Only tries of sessions that are gone may be forgotten.
            let node = &self.node;
            self.verifying.tries.retain(|peer, tried| node.session_bindings(*peer).contains(tried.binding()));
        }
        self.verifying.tries.insert(peer, tried);
    }
}
