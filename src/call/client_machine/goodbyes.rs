//! Goodbyes until they are answered: who says one may be gone before a lost one is sent again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ClientMachine;
use crate::call::messages::Message;
use crate::call::random_id::RandomId;
use crate::rtmfp::PeerId;

/// Who leaves waits so long for its goodbyes to be answered.
pub(super) const PATIENCE: Duration = Duration::from_millis(1_500);
/// The session finds out that something was lost by what comes after it (RFC 7016 §3.6.2.5), and after the last word of a
/// call nothing comes: it would notice by its timeout only, which is longer each time. So the word is said again.
const AGAIN: Duration = Duration::from_millis(20);

/// What was said and not answered yet, one for each peer.
#[derive(Debug, Default)]
pub(super) struct Goodbyes(BTreeMap<PeerId, Goodbye>);

#[derive(Debug)]
struct Goodbye {
    bye: Message,
    call: RandomId,
    again_at: Instant,
    until: Instant,
}

impl Goodbyes {
    /// `bye` was just said to them.
    pub(super) fn said(&mut self, now: Instant, peer: PeerId, call: RandomId, bye: Message) {
        self.0.insert(peer, Goodbye { bye, call, again_at: now + AGAIN, until: now + PATIENCE });
    }

    /// They heard that this call is over.
    pub(super) fn answered(&mut self, peer: PeerId, call: RandomId) {
        if self.0.get(&peer).is_some_and(|goodbye| goodbye.call == call) {
            self.0.remove(&peer);
        }
    }

    /// There is no line to them any more.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.0.remove(&peer);
    }

    /// Whether nobody's answer is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When [`ClientMachine::tick_goodbyes`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.values().map(|goodbye| goodbye.again_at).min()
    }

    /// What is to be said again by now. Who does not answer at all is left to the session.
    fn due(&mut self, now: Instant) -> Vec<(PeerId, Message)> {
        self.0.retain(|_, goodbye| goodbye.until > now);
        let due = self.0.iter_mut().filter(|(_, goodbye)| goodbye.again_at <= now);
        due.map(|(peer, goodbye)| {
            goodbye.again_at = now + AGAIN;
            (*peer, goodbye.bye.clone())
        })
        .collect()
    }
}

impl ClientMachine {
    pub(super) fn tick_goodbyes(&mut self, now: Instant) {
        for (peer, bye) in self.goodbyes.due(now) {
            self.with_link(now, peer, |link| link.say(bye));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::messages::Goodbye as Why;

    const BOB: PeerId = PeerId([2; 32]);

    fn said(now: Instant, call: RandomId) -> Goodbyes {
        let mut goodbyes = Goodbyes::default();
        goodbyes.said(now, BOB, call, Message::Bye { call, why: Why::HangUp });
        goodbyes
    }

    const CALL: RandomId = RandomId([7; 16]);

    #[test]
    fn a_goodbye_is_said_again_until_it_is_answered() {
        let now = Instant::now();
        let mut goodbyes = said(now, CALL);
        assert_eq!(goodbyes.due(now).len(), 0);
        for turn in 1..10 {
            let at = goodbyes.deadline();
            assert_eq!(at, Some(now + AGAIN * turn));
            assert_eq!(goodbyes.due(now + AGAIN * turn).len(), 1);
        }
        goodbyes.answered(BOB, CALL);
        assert!(goodbyes.is_empty() && goodbyes.deadline().is_none());
    }

    #[test]
    fn the_answer_to_another_goodbye_is_none() {
        let now = Instant::now();
        let mut goodbyes = said(now, CALL);
        goodbyes.answered(BOB, RandomId([8; 16]));
        assert_eq!(goodbyes.due(now + AGAIN).len(), 1);
    }

    #[test]
    fn who_never_answers_is_left_to_the_session() {
        let now = Instant::now();
        let mut goodbyes = said(now, CALL);
        assert_eq!(goodbyes.due(now + PATIENCE).len(), 0);
        assert!(goodbyes.is_empty());
    }
}
