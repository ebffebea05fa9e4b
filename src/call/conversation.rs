//! What was written and called with each peer in this run: lines, what became of ours, what was seen before. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lifecycle::CallRecord;
use super::messages::Message;
use super::random_id::RandomId;
use super::view::{Conversation, Delivery, Line, LineKind, Moment};
use crate::rtmfp::PeerId;

/// Lines kept of each conversation.
const MOST_LINES: usize = 2_000;
/// Conversations kept.
const MOST_CONVERSATIONS: usize = 200;
/// Names of received texts remembered, to drop repetitions.
const MOST_SEEN: usize = 4_096;
/// A text that found no line by then was not sent.
const GIVE_UP_AFTER: Duration = Duration::from_secs(20);

/// All conversations.
#[derive(Debug)]
pub(crate) struct Conversations {
    by_peer: BTreeMap<PeerId, Thread>,
    latest: u64,
    seen: BTreeSet<(PeerId, RandomId)>,
    seen_order: VecDeque<(PeerId, RandomId)>,
}

#[derive(Debug)]
struct Thread {
    name: String,
    lines: VecDeque<Line>,
    /// The number of the first line kept: lines are named by their number, which never changes.
    first: u64,
    unread: usize,
    touched: u64,
    pending: Vec<Pending>,
}

/// A text of ours that is not yet known to be there.
#[derive(Debug)]
struct Pending {
    id: RandomId,
    text: String,
    line: u64,
    since: Instant,
    /// Said on the lines that stand now.
    said: bool,
}

impl Conversations {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { by_peer: BTreeMap::new(), latest: 0, seen: BTreeSet::new(), seen_order: VecDeque::new() }
    }

    /// The peer goes by this name.
    pub(crate) fn rename(&mut self, peer: PeerId, name: &str) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            name.clone_into(&mut thread.name);
        }
    }

    /// With whom there are conversations.
    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.by_peer.keys().copied()
    }

    /// The name a peer last gave, if there is a conversation.
    pub(crate) fn name(&self, peer: PeerId) -> Option<&str> {
        self.by_peer.get(&peer).map(|thread| thread.name.as_str())
    }

    /// We write.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        at: Moment,
        peer: PeerId,
        name: &str,
        id: RandomId,
        text: String,
    ) {
        let what = LineKind::Sent { text: text.clone(), state: Delivery::Sending };
        let line = self.add(peer, name, Line { id, at, what });
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.pending.push(Pending { id, text, line, since: now, said: false });
        }
    }

    /// They wrote. False when this text was seen before.
    pub(crate) fn receive(
        &mut self,
        at: Moment,
        peer: PeerId,
        name: &str,
        id: Option<RandomId>,
        drawn: RandomId,
        text: String,
    ) -> bool {
        if let Some(id) = id {
            if !self.seen.insert((peer, id)) {
                return false;
            }
            self.seen_order.push_back((peer, id));
            if self.seen_order.len() > MOST_SEEN
                && let Some(oldest) = self.seen_order.pop_front()
            {
                self.seen.remove(&oldest);
            }
        }
        self.add(peer, name, Line { id: id.unwrap_or(drawn), at, what: LineKind::Received(text) });
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.unread += 1;
        }
        true
    }

    /// A call is over.
    pub(crate) fn record(&mut self, at: Moment, peer: PeerId, name: &str, id: RandomId, call: CallRecord) {
        let CallRecord { incoming, lasted, reason } = call;
        self.add(peer, name, Line { id, at, what: LineKind::Call { incoming, lasted, reason } });
    }

    /// What waits to be said to a peer on lines that may carry it; each is given once for the lines that stand.
    /// To a plain client a text is done when said.
    pub(crate) fn unsaid(&mut self, peer: PeerId, own_name: &str, plain: bool) -> Vec<Message> {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return vec![] };
        let mut messages = Vec::new();
        let mut done = Vec::new();
        for pending in thread.pending.iter_mut().filter(|pending| !pending.said) {
            pending.said = true;
            let text = pending.text.clone();
            if plain {
                messages.push(Message::Chat { name: own_name.to_owned(), text });
                done.push(pending.id);
            } else {
                messages.push(Message::Text { id: pending.id, text });
            }
        }
        for id in done {
            thread.finish(id, Delivery::Sent);
        }
        messages
    }

    /// A text of ours was kept there.
    pub(crate) fn acknowledged(&mut self, peer: PeerId, id: RandomId) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.finish(id, Delivery::Delivered);
        }
    }

    /// The lines to a peer are gone: what was not acknowledged is said again on the next.
    pub(crate) fn lines_lost(&mut self, now: Instant, peer: PeerId) {
        for pending in self.by_peer.get_mut(&peer).into_iter().flat_map(|thread| &mut thread.pending) {
            pending.said = false;
            pending.since = now;
        }
    }

    /// Whether something waits for lines to a peer.
    pub(crate) fn waits(&self, peer: PeerId) -> bool {
        self.by_peer.get(&peer).is_some_and(|thread| !thread.pending.is_empty())
    }

    /// Gives up what found no line; true when something was given up.
    pub(crate) fn give_up(&mut self, now: Instant) -> bool {
        let mut any = false;
        for thread in self.by_peer.values_mut() {
            let late: Vec<RandomId> = thread
                .pending
                .iter()
                .filter(|pending| !pending.said && now >= pending.since + GIVE_UP_AFTER)
                .map(|pending| pending.id)
                .collect();
            any |= !late.is_empty();
            for id in late {
                thread.finish(id, Delivery::Waiting);
            }
        }
        any
    }

    /// When [`Conversations::give_up`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let pending = self.by_peer.values().flat_map(|thread| &thread.pending);
        pending.filter(|pending| !pending.said).map(|pending| pending.since + GIVE_UP_AFTER).min()
    }

    /// The conversation is on screen.
    pub(crate) fn mark_read(&mut self, peer: PeerId) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.unread = 0;
        }
    }

    /// For the window, the latest first.
    pub(crate) fn view(&self) -> Arc<Vec<Conversation>> {
        let mut threads: Vec<_> = self.by_peer.iter().collect();
        threads.sort_by_key(|(_, thread)| std::cmp::Reverse(thread.touched));
        let shown = threads.into_iter().map(|(peer, thread)| Conversation {
            peer_id: *peer,
            name: thread.name.clone(),
            lines: Arc::new(thread.lines.iter().cloned().collect()),
            more: false,
            unread: thread.unread,
            typing: false,
        });
        Arc::new(shown.collect())
    }

    /// Adds a line and answers its number.
    fn add(&mut self, peer: PeerId, name: &str, line: Line) -> u64 {
        self.latest += 1;
        if !self.by_peer.contains_key(&peer) && self.by_peer.len() >= MOST_CONVERSATIONS {
            let oldest = self.by_peer.iter().min_by_key(|(_, thread)| thread.touched).map(|(peer, _)| *peer);
            oldest.map(|oldest| self.by_peer.remove(&oldest));
        }
        let thread = self.by_peer.entry(peer).or_insert_with(|| Thread {
            name: name.to_owned(),
            lines: VecDeque::new(),
            first: 0,
            unread: 0,
            touched: 0,
            pending: vec![],
        });
        name.clone_into(&mut thread.name);
        thread.touched = self.latest;
        thread.lines.push_back(line);
        if thread.lines.len() > MOST_LINES {
            thread.lines.pop_front();
            thread.first += 1;
        }
        thread.first + thread.lines.len() as u64 - 1
    }
}

impl Thread {
    fn finish(&mut self, id: RandomId, became: Delivery) {
        let Some(at) = self.pending.iter().position(|pending| pending.id == id) else { return };
        let pending = self.pending.remove(at);
        let index = pending.line.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(line) = index.and_then(|index| self.lines.get_mut(index))
            && let LineKind::Sent { state, .. } = &mut line.what
        {
            *state = became;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PeerId = PeerId([1; 32]);
    const ONE: RandomId = RandomId([1; 16]);

    fn state(conversations: &Conversations) -> Delivery {
        match &conversations.view()[0].lines[0].what {
            LineKind::Sent { state, .. } => *state,
            other => panic!("not sent: {other:?}"),
        }
    }

    fn written(now: Instant) -> Conversations {
        let mut conversations = Conversations::new();
        conversations.write(now, Moment::UNIX_EPOCH, ADA, "Ada", ONE, "hello".into());
        conversations
    }

    #[test]
    fn a_text_is_delivered_when_the_far_end_says_so() {
        let mut conversations = written(Instant::now());
        let said = conversations.unsaid(ADA, "Bob", false);
        assert_eq!(said, [Message::Text { id: ONE, text: "hello".into() }]);
        assert_eq!(state(&conversations), Delivery::Sending);
        conversations.acknowledged(ADA, ONE);
        assert_eq!(state(&conversations), Delivery::Delivered);
        assert!(!conversations.waits(ADA));
    }

    #[test]
    fn a_text_to_a_plain_client_is_sent_and_no_more_is_known() {
        let mut conversations = written(Instant::now());
        let said = conversations.unsaid(ADA, "Bob", true);
        assert_eq!(said, [Message::Chat { name: "Bob".into(), text: "hello".into() }]);
        assert_eq!(state(&conversations), Delivery::Sent);
    }

    #[test]
    fn what_was_not_acknowledged_is_said_again_on_the_next_lines() {
        let now = Instant::now();
        let mut conversations = written(now);
        assert_eq!(conversations.unsaid(ADA, "Bob", false).len(), 1);
        assert_eq!(conversations.unsaid(ADA, "Bob", false).len(), 0);
        conversations.lines_lost(now, ADA);
        assert_eq!(conversations.unsaid(ADA, "Bob", false).len(), 1);
    }

    #[test]
    fn a_text_that_finds_no_line_fails_after_its_time() {
        let now = Instant::now();
        let mut conversations = written(now);
        assert!(!conversations.give_up(now));
        assert!(conversations.give_up(conversations.deadline().expect("a text waits")));
        assert_eq!(state(&conversations), Delivery::Waiting);
        assert_eq!(conversations.deadline(), None);
    }

    #[test]
    fn a_text_that_comes_twice_is_shown_once() {
        let mut conversations = Conversations::new();
        let mut come =
            || conversations.receive(Moment::UNIX_EPOCH, ADA, "Ada", Some(ONE), ONE, "hello".into());
        assert!(come());
        assert!(!come());
        assert_eq!(conversations.view()[0].lines.len(), 1);
        assert_eq!(conversations.view()[0].unread, 1);
    }

    #[test]
    fn old_lines_go_and_what_became_of_a_new_one_still_finds_it() {
        let mut conversations = Conversations::new();
        for n in 0..MOST_LINES {
            conversations.receive(Moment::UNIX_EPOCH, ADA, "Ada", None, ONE, n.to_string());
        }
        conversations.write(Instant::now(), Moment::UNIX_EPOCH, ADA, "Ada", ONE, "hello".into());
        conversations.acknowledged(ADA, ONE);
        let view = conversations.view();
        assert_eq!(view[0].lines.len(), MOST_LINES);
        let last = view[0].lines.last().map(|line| line.what.clone());
        assert_eq!(last, Some(LineKind::Sent { text: "hello".into(), state: Delivery::Delivered }));
    }
}
