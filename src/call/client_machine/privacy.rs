//! Who may ring here, and how loudly: contacts, strangers, nobody while one does not want to be disturbed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::call::end_reason::EndReason;
use crate::call::lifecycle::{CallEffect, CallRecord, Phase};
use crate::call::messages::{Goodbye, Message};
use crate::call::random_id::RandomId;
use crate::history::record::{Remembered, StoredKind};
use crate::rtmfp::PeerId;
use crate::settings::WhoMayCall;

/// Strangers ring at most once in this time, all of them together: a peer ID costs nothing.
const BETWEEN_STRANGERS: Duration = Duration::from_secs(60);
/// Of whom it is remembered that we know them, beside contacts.
const MOST_ACQUAINTED: usize = 4_096;
/// Conversations with people whom the person never answered.
const MOST_UNANSWERED: usize = 100;
/// Texts of strangers that are taken at once, all of them together, and how soon there is room for one more.
const TEXTS_AT_ONCE: u32 = 60;
const BETWEEN_TEXTS: Duration = Duration::from_secs(10);

/// What becomes of a call before it can ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gate {
    /// It rings, or is whatever the call makes of it.
    Open,
    /// The person is not to be disturbed: the caller is told so, and it counts as missed.
    Busy,
    /// It is not shown. The caller is told that nobody answers.
    Shut,
}

/// Whom we know beside the contacts, and when a stranger rang last.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    known: BTreeSet<PeerId>,
    stranger_rang: Option<Instant>,
    texts: TextsOfStrangers,
}

/// How many texts of strangers were taken lately.
#[derive(Debug, Default)]
struct TextsOfStrangers {
    taken: u32,
    /// One is forgotten each [`BETWEEN_TEXTS`] from here.
    since: Option<Instant>,
}

impl TextsOfStrangers {
    /// Whether one more is taken; it is counted.
    fn take(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since).as_secs() / BETWEEN_TEXTS.as_secs();
        let forgotten = u32::try_from(passed).unwrap_or(u32::MAX);
        if forgotten > 0 {
            self.taken = self.taken.saturating_sub(forgotten);
            self.since = Some(now);
        }
        let has_room = self.taken < TEXTS_AT_ONCE;
        self.taken += u32::from(has_room);
        has_room
    }
}

impl Acquaintances {
    /// Those whom we wrote to or talked with before.
    pub(super) fn new(remembered: &Remembered) -> Self {
        let met = remembered.lines.iter().filter(|line| {
            matches!(line.what, StoredKind::Sent { .. } | StoredKind::Call { seconds: Some(_), .. })
        });
        Self { known: met.map(|line| line.peer).take(MOST_ACQUAINTED).collect(), ..Self::default() }
    }

    /// Whether we called them, wrote to them, or took their call.
    pub(super) fn has(&self, peer: PeerId) -> bool {
        self.known.contains(&peer)
    }

    /// We called them, wrote to them, or took their call.
    pub(super) fn meet(&mut self, peer: PeerId) {
        if self.known.len() < MOST_ACQUAINTED {
            self.known.insert(peer);
        }
    }
}

impl ClientMachine {
    /// Whether nothing here says that the person knows them.
    pub(super) fn is_stranger(&self, peer: PeerId) -> bool {
        self.config.guarded && !self.contacts.has(peer) && !self.acquaintances.known.contains(&peer)
    }

    /// Whether somebody's call may ring.
    pub(super) fn gate(&mut self, now: Instant, peer: PeerId) -> Gate {
        self.recognise(peer);
        let settings = &self.config.settings;
        if self.is_expected(peer) {
            Gate::Open
        } else if settings.who_may_call == WhoMayCall::Contacts && !self.contacts.has(peer) {
            Gate::Shut
        } else {
            let open = if settings.do_not_disturb { Gate::Busy } else { Gate::Open };
            if self.is_stranger(peer) {
                // What only counts as missed is held back as well: each is a line of the history.
                let rang = &mut self.acquaintances.stranger_rang;
                if rang.is_some_and(|rang| now < rang + BETWEEN_STRANGERS) {
                    return Gate::Shut;
                }
                *rang = Some(now);
            }
            open
        }
    }

    /// Whether a text of somebody's is taken. Of strangers no more is taken than a person can look through; what is not
    /// stays with its writer, who says it again another time.
    pub(super) fn may_write(&mut self, now: Instant, peer: PeerId) -> bool {
        if !self.is_stranger(peer) {
            return true;
        }
        if self.conversations.name(peer).is_none() {
            let unanswered = self.conversations.peers().filter(|peer| self.is_stranger(*peer)).count();
            if unanswered >= MOST_UNANSWERED {
                return false;
            }
        }
        self.acquaintances.texts.take(now)
    }

    /// What is done with a call that may not ring; `call` is `None` for a plain client, which understands nothing but a
    /// closed line.
    pub(super) fn turn_away(&mut self, now: Instant, peer: PeerId, call: Option<RandomId>, gate: Gate) {
        let mut effects = match (call, gate) {
            (_, Gate::Open) => return,
            (None, _) => vec![CallEffect::Part(peer)],
            (Some(call), Gate::Busy) => vec![CallEffect::Say(peer, Message::Busy(call))],
            (Some(call), Gate::Shut) => {
                vec![CallEffect::Say(peer, Message::Bye { call, why: Goodbye::NoAnswer })]
            }
        };
        if gate == Gate::Busy {
            let missed = CallRecord { incoming: true, lasted: None, reason: EndReason::NoAnswer };
            effects.push(CallEffect::Record(peer, missed));
        }
        self.carry_out(now, effects);
    }

    /// Refuses somebody from now on: what there is with them ends.
    pub(super) fn block(&mut self, now: Instant, peer: PeerId) {
        self.config.blocked.insert(peer);
        if self.is_in_our_call(peer) {
            let effects = self.call.end_with(now, peer);
            self.carry_out(now, effects);
            self.part(now, peer);
        } else {
            self.with_link(now, peer, |link| link.close());
        }
    }

    /// Whether they are in our call, or we are about to call them: then their call is no news.
    fn is_expected(&self, peer: PeerId) -> bool {
        let looked_for = matches!(self.call.phase(), Phase::Looking { wanted, .. } if *wanted == Some(peer));
        looked_for || self.is_in_our_call(peer)
    }

    /// Whom we look for by name may call in the same moment. Their word for their name is not enough: our server's list
    /// must say the same.
    fn recognise(&mut self, peer: PeerId) {
        let Phase::Looking { whom, wanted: None, .. } = self.call.phase() else { return };
        let listed = self.listed.iter().find(|person| person.peer_id == peer);
        if listed.is_some_and(|person| person.name.to_lowercase() == whom.to_lowercase()) {
            self.call.looked_for_is(peer);
        }
    }

    /// Whether a call, in whatever state, is with them.
    pub(super) fn is_in_our_call(&self, peer: PeerId) -> bool {
        self.call.is_with(peer)
    }
}
