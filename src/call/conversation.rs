//! What was written, called and sent with each peer: the lines, what became of ours, and what is to be kept. Pure.
//!
//! A line of ours is never given up: it waits in its thread's outbox until the far end has acknowledged it, over as many
//! lines, servers and starts of the program as that takes. Each change of a thread is told once for the disk
//! ([`Conversations::next_keep`]), and only threads that changed are put together again for the window.

mod keeping;
mod thread;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use self::keeping::Keeping;
use self::thread::{Entry, Pending, Thread, Waiting};
use super::end_reason::EndReason;
use super::lifecycle::CallRecord;
use super::messages::Message;
use super::random_id::RandomId;
use super::view::{Conversation, Delivery, FileLine, FileState, Line, LineKind, Moment};
use crate::history::record::{Keep, LineName, StoredLine};
use crate::rtmfp::PeerId;

/// Conversations kept loaded.
const MOST_CONVERSATIONS: usize = 1_000;
/// Names of received texts remembered beyond the lines that are loaded, to drop repetitions.
const MOST_SEEN: usize = 4_096;

/// All conversations.
#[derive(Debug)]
pub(crate) struct Conversations {
    by_peer: BTreeMap<PeerId, Thread>,
    latest: u64,
    seen: BTreeSet<(PeerId, RandomId)>,
    seen_order: VecDeque<(PeerId, RandomId)>,
    keeping: Keeping,
    /// Whole conversations were let go: a new one may have earlier lines on the disk.
    let_go: bool,
    shown: Arc<Vec<Conversation>>,
    changed: bool,
}

/// A file whose story is not over, as it was remembered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnfinishedFile {
    /// With whom.
    pub(crate) peer: PeerId,
    /// Its line.
    pub(crate) id: RandomId,
    /// What is shown of it.
    pub(crate) file: FileLine,
    /// Where it lies: the original, or what has come of it.
    pub(crate) path: Option<PathBuf>,
}

/// What a received text turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Received {
    /// It is new, and may be acknowledged at once.
    New,
    /// It is new, and is acknowledged when [`Conversations::kept`] says that it is safe.
    NewUnsafe,
    /// It was here before, and is safe.
    Again,
    /// It was here before, and is still on its way to the disk.
    AgainUnsafe,
}

impl Conversations {
    /// What was remembered. With `has_store`, somebody keeps what [`Conversations::next_keep`] tells; with `keep_lines`,
    /// new lines are among it.
    pub(crate) fn new(lines: Vec<StoredLine>, more: &[PeerId], has_store: bool, keep_lines: bool) -> Self {
        let mut conversations = Self {
            by_peer: BTreeMap::new(),
            latest: 0,
            seen: BTreeSet::new(),
            seen_order: VecDeque::new(),
            keeping: Keeping::new(has_store, keep_lines),
            let_go: false,
            shown: Arc::default(),
            changed: true,
        };
        let mut ends: BTreeMap<PeerId, Moment> = BTreeMap::new();
        for line in lines {
            let end = ends.entry(line.peer).or_insert(line.at);
            *end = (*end).max(line.at);
            let (peer, name) = (line.peer, line.peer_name.clone());
            conversations.add(peer, &name, keeping::restored(line));
        }
        let mut order: Vec<(Moment, PeerId)> = ends.into_iter().map(|(peer, at)| (at, peer)).collect();
        order.sort();
        for (_, peer) in order {
            conversations.latest += 1;
            if let Some(thread) = conversations.by_peer.get_mut(&peer) {
                thread.touched = conversations.latest;
                thread.more |= more.contains(&peer);
                thread.restore_outbox();
            }
        }
        conversations
    }

    /// Whether new lines are kept from now on.
    pub(crate) fn set_keep_lines(&mut self, keep_lines: bool) {
        self.keeping.lines = keep_lines;
    }

    /// The next thing for the disk, with a ticket when [`Conversations::kept`] is waited for.
    pub(crate) fn next_keep(&mut self) -> Option<(Keep, Option<u64>)> {
        self.keeping.out.pop_front()
    }

    /// What a ticket was for is safe: whose text may be acknowledged now.
    pub(crate) fn kept(&mut self, ticket: u64) -> Option<(PeerId, RandomId)> {
        self.keeping.tickets.remove(&ticket)
    }

    /// Files whose story is not over.
    pub(crate) fn unfinished_files(&self) -> Vec<UnfinishedFile> {
        let all = self.by_peer.iter().flat_map(|(peer, thread)| thread.unfinished_files(*peer));
        all.collect()
    }

    /// The peer goes by this name.
    pub(crate) fn rename(&mut self, peer: PeerId, name: &str) {
        if let Some(thread) = self.by_peer.get_mut(&peer)
            && thread.name != name
        {
            name.clone_into(&mut thread.name);
            thread.changed = true;
            self.changed = true;
        }
    }

    /// The name a peer last gave, if there is a conversation.
    pub(crate) fn name(&self, peer: PeerId) -> Option<&str> {
        self.by_peer.get(&peer).map(|thread| thread.name.as_str())
    }

    /// With whom there are conversations.
    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.by_peer.keys().copied()
    }

    /// We write.
    pub(crate) fn write(&mut self, at: Moment, peer: PeerId, name: &str, id: RandomId, text: String) {
        let what = LineKind::Sent { text: text.clone(), state: Delivery::Waiting };
        self.add_and_keep(peer, name, Entry::new(Line { id, at, what }), false);
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.outbox.push_back(Pending { id, what: Waiting::Text(text), said: false });
        }
    }

    /// We offer a file that lies at `path`.
    pub(crate) fn offer(
        &mut self,
        at: Moment,
        peer: PeerId,
        name: &str,
        id: RandomId,
        (file, size): (String, u64),
        path: PathBuf,
    ) {
        let state = FileState::Waiting { done: 0 };
        let what = LineKind::File(FileLine { incoming: false, name: file.clone(), size, state });
        let entry = Entry { path: Some(path), ..Entry::new(Line { id, at, what }) };
        self.add_and_keep(peer, name, entry, false);
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.outbox.push_back(Pending { id, what: Waiting::Offer { name: file, size }, said: false });
        }
    }

    /// They wrote. `id` is the text's own name; `drawn` names the line of a text without one.
    pub(crate) fn receive(
        &mut self,
        at: Moment,
        peer: PeerId,
        name: &str,
        id: Option<RandomId>,
        drawn: RandomId,
        text: String,
    ) -> Received {
        let line = Line { id: id.unwrap_or(drawn), at, what: LineKind::Received(text) };
        self.take_in(peer, name, id, line)
    }

    /// They offer a file.
    pub(crate) fn receive_offer(
        &mut self,
        at: Moment,
        peer: PeerId,
        name: &str,
        id: RandomId,
        (file, size): (String, u64),
    ) -> Received {
        let state = FileState::Offered;
        let what = LineKind::File(FileLine { incoming: true, name: file, size, state });
        self.take_in(peer, name, Some(id), Line { id, at, what })
    }

    fn take_in(&mut self, peer: PeerId, name: &str, id: Option<RandomId>, line: Line) -> Received {
        if let Some(id) = id {
            let is_here = self.by_peer.get(&peer).is_some_and(|thread| thread.position(id).is_some());
            if is_here || !self.is_first_time(peer, id) {
                return if self.is_unsafe(peer, id) { Received::AgainUnsafe } else { Received::Again };
            }
        }
        let entry = Entry { unread: true, ..Entry::new(line) };
        let is_kept = self.add_and_keep(peer, name, entry, id.is_some());
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.typing_until = None;
        }
        if is_kept && id.is_some() { Received::NewUnsafe } else { Received::New }
    }

    /// Remembers a name beyond its line, which may be deleted or let go; false when it was remembered already.
    fn is_first_time(&mut self, peer: PeerId, id: RandomId) -> bool {
        if !self.seen.insert((peer, id)) {
            return false;
        }
        self.seen_order.push_back((peer, id));
        if self.seen_order.len() > MOST_SEEN
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    /// A call is over. One that was missed is unread until it is seen.
    pub(crate) fn record(&mut self, at: Moment, peer: PeerId, name: &str, id: RandomId, call: CallRecord) {
        let CallRecord { incoming, lasted, reason } = call;
        let unread = incoming && lasted.is_none() && reason != EndReason::Declined;
        let line = Line { id, at, what: LineKind::Call { incoming, lasted, reason } };
        self.add_and_keep(peer, name, Entry { unread, ..Entry::new(line) }, false);
    }

    /// What waits to be said to a peer on lines that may carry it; each is given once for the lines that stand.
    ///
    /// To a plain client a text is done when said. It takes no files: their lines are answered, to be given up.
    pub(crate) fn unsaid(
        &mut self,
        peer: PeerId,
        own_name: &str,
        plain: bool,
    ) -> (Vec<Message>, Vec<RandomId>) {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return (vec![], vec![]) };
        let (mut messages, mut sent, mut not_taken) = (Vec::new(), Vec::new(), Vec::new());
        let mut on_its_way = Vec::new();
        for pending in thread.outbox.iter_mut().filter(|pending| !pending.said) {
            pending.said = true;
            match (&pending.what, plain) {
                (Waiting::Text(text), true) => {
                    messages.push(Message::Chat { name: own_name.to_owned(), text: text.clone() });
                    sent.push(pending.id);
                }
                (Waiting::Text(text), false) => {
                    messages.push(Message::Text { id: pending.id, text: text.clone() });
                    on_its_way.push(pending.id);
                }
                (Waiting::Offer { .. }, true) => not_taken.push(pending.id),
                (Waiting::Offer { name, size }, false) => {
                    messages.push(Message::FileOffer { id: pending.id, name: name.clone(), size: *size });
                }
            }
        }
        for id in on_its_way {
            thread.set_delivery(id, Delivery::Sending);
            self.changed = true;
        }
        for id in sent {
            self.finish(peer, id, Delivery::Sent);
        }
        (messages, not_taken)
    }

    /// A way to the peer is being opened, or is there: what waits counts as on its way.
    pub(crate) fn under_way(&mut self, peer: PeerId) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            self.changed |= thread.set_all_waiting(Delivery::Sending);
        }
    }

    /// The lines to a peer are gone: what was not acknowledged is said again on the next.
    pub(crate) fn lines_lost(&mut self, peer: PeerId) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.outbox.iter_mut().for_each(|pending| pending.said = false);
            thread.typing_until = None;
            thread.changed = true;
            self.changed = true;
            thread.set_all_waiting(Delivery::Waiting);
        }
    }

    /// What was said to a peer was kept there. True when it is an offered file's line.
    pub(crate) fn acknowledged(&mut self, peer: PeerId, id: RandomId) -> bool {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return false };
        let Some(pending) = thread.outbox.iter().find(|pending| pending.id == id) else { return false };
        match pending.what {
            Waiting::Text(_) => {
                self.finish(peer, id, Delivery::Delivered);
                false
            }
            Waiting::Offer { .. } => {
                thread.outbox.retain(|pending| pending.id != id);
                true
            }
        }
    }

    /// The person there has seen everything up to this line of ours.
    pub(crate) fn read_there(&mut self, peer: PeerId, up_to: RandomId) {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return };
        let read = thread.read_up_to(up_to);
        for id in read {
            self.finish(peer, id, Delivery::Read);
        }
    }

    fn finish(&mut self, peer: PeerId, id: RandomId, became: Delivery) {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return };
        thread.outbox.retain(|pending| pending.id != id);
        if thread.set_delivery(id, became) {
            self.changed = true;
            self.keep(peer, id);
        }
    }

    /// Whether something waits to be said to a peer.
    pub(crate) fn waits(&self, peer: PeerId) -> bool {
        self.by_peer.get(&peer).is_some_and(|thread| !thread.outbox.is_empty())
    }

    /// For whom something waits.
    pub(crate) fn waited_for(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.by_peer.iter().filter(|(_, thread)| !thread.outbox.is_empty()).map(|(peer, _)| *peer)
    }

    /// How far a file got, shown and, when that matters to the next start, kept.
    pub(crate) fn set_file(&mut self, peer: PeerId, id: RandomId, state: FileState, path: Option<PathBuf>) {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return };
        let Some(entry) = thread.entry_mut(id) else { return };
        let LineKind::File(file) = &mut entry.line.what else { return };
        let worth_keeping = keeping::differs_on_disk(file, &state) || (path.is_some() && entry.path != path);
        if file.state == state && !worth_keeping {
            return;
        }
        let is_over = is_over(&state);
        file.state = state;
        if path.is_some() {
            entry.path = path;
        }
        thread.changed = true;
        self.changed = true;
        if is_over {
            thread.outbox.retain(|pending| pending.id != id);
        }
        if worth_keeping {
            self.keep(peer, id);
        }
    }

    /// How far a file is, if its line is here.
    pub(crate) fn file_state(&self, peer: PeerId, id: RandomId) -> Option<FileState> {
        match &self.by_peer.get(&peer)?.entry(id)?.line.what {
            LineKind::File(file) => Some(file.state.clone()),
            _ => None,
        }
    }

    /// Whether a line that came is still on its way to the disk.
    pub(crate) fn is_unsafe(&self, peer: PeerId, id: RandomId) -> bool {
        self.keeping.tickets.values().any(|waits| *waits == (peer, id))
    }

    /// The conversation is on screen. True when something in it was unread.
    pub(crate) fn mark_read(&mut self, peer: PeerId) -> bool {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return false };
        if !thread.mark_read() {
            return false;
        }
        self.changed = true;
        self.keeping.tell(Keep::ReadAll(peer));
        true
    }

    /// The last text that was seen here and that its writer was not told of.
    pub(crate) fn read_owed(&self, peer: PeerId) -> Option<RandomId> {
        self.by_peer.get(&peer)?.read_owed
    }

    /// Its writer was told, or is not to be told.
    pub(crate) fn read_told(&mut self, peer: PeerId) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            thread.read_owed = None;
        }
    }

    /// They write, shown until then.
    pub(crate) fn types(&mut self, peer: PeerId, until: Instant) {
        if let Some(thread) = self.by_peer.get_mut(&peer) {
            self.changed |= thread.typing_until.is_none();
            thread.changed |= thread.typing_until.is_none();
            thread.typing_until = Some(until);
        }
    }

    /// Takes away what was shown for a while only; true when there was something.
    pub(crate) fn tick(&mut self, now: Instant) -> bool {
        let mut any = false;
        for thread in self.by_peer.values_mut() {
            if thread.typing_until.is_some_and(|until| until <= now) {
                thread.typing_until = None;
                thread.changed = true;
                any = true;
            }
        }
        self.changed |= any;
        any
    }

    /// When [`Conversations::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.by_peer.values().filter_map(|thread| thread.typing_until).min()
    }

    /// Earlier lines are wanted: the oldest that is loaded, if there are earlier ones and nobody asked yet.
    pub(crate) fn want_earlier(&mut self, peer: PeerId) -> Option<Option<LineName>> {
        self.by_peer.get_mut(&peer)?.want_earlier()
    }

    /// Earlier lines came, oldest first; answers the files among them whose story is not over.
    pub(crate) fn earlier(
        &mut self,
        peer: PeerId,
        lines: Vec<StoredLine>,
        more: bool,
    ) -> Vec<UnfinishedFile> {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return vec![] };
        let entries = lines.into_iter().filter(|line| line.peer == peer).map(keeping::restored).collect();
        let names = thread.put_before(entries, more);
        self.changed = true;
        thread.unfinished_files(peer).filter(|file| names.contains(&file.id)).collect()
    }

    /// Deletes a line here; what waits to be said is not said.
    pub(crate) fn delete(&mut self, peer: PeerId, id: RandomId) {
        let Some(thread) = self.by_peer.get_mut(&peer) else { return };
        if thread.remove(id) {
            if thread.is_empty() {
                self.by_peer.remove(&peer);
            }
            self.changed = true;
            self.keeping.tell(Keep::LineGone(peer, id.0));
        }
    }

    /// Erases all lines with a peer, or with everybody.
    pub(crate) fn erase(&mut self, peer: Option<PeerId>) {
        match peer {
            Some(peer) => _ = self.by_peer.remove(&peer),
            None => self.by_peer.clear(),
        }
        self.changed = true;
        self.keeping.tell(Keep::Erase(peer));
    }

    /// Puts together what changed since the last time.
    pub(crate) fn refresh(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let mut threads: Vec<_> = self.by_peer.iter_mut().collect();
        threads.sort_by_key(|(_, thread)| std::cmp::Reverse(thread.touched));
        self.shown = Arc::new(threads.into_iter().map(|(peer, thread)| thread.shown(*peer)).collect());
    }

    /// For the window, the latest first, as of the last [`Conversations::refresh`].
    pub(crate) fn view(&self) -> Arc<Vec<Conversation>> {
        Arc::clone(&self.shown)
    }

    /// Adds a line; answers whether it goes to the disk.
    fn add_and_keep(&mut self, peer: PeerId, name: &str, mut entry: Entry, with_ticket: bool) -> bool {
        entry.kept = self.keeping.keeps_lines();
        let id = entry.line.id;
        let is_kept = entry.kept;
        let stored = is_kept.then(|| keeping::stored(peer, name, &entry));
        self.add(peer, name, entry);
        if let Some(stored) = stored {
            self.keeping.tell_line(stored, with_ticket.then_some((peer, id)));
        }
        is_kept
    }

    /// A line changed that is on the disk, or belongs there.
    fn keep(&mut self, peer: PeerId, id: RandomId) {
        let Some(thread) = self.by_peer.get(&peer) else { return };
        if let Some(entry) = thread.entry(id)
            && entry.kept
        {
            self.keeping.tell_line(keeping::stored(peer, &thread.name, entry), None);
        }
    }

    fn add(&mut self, peer: PeerId, name: &str, entry: Entry) {
        self.latest += 1;
        if !self.by_peer.contains_key(&peer) && self.by_peer.len() >= MOST_CONVERSATIONS {
            // Those for whom something waits stay as long as any other can go.
            let key = |thread: &Thread| (!thread.outbox.is_empty(), thread.touched);
            let oldest = self.by_peer.iter().min_by_key(|(_, thread)| key(thread)).map(|(peer, _)| *peer);
            oldest.map(|oldest| self.by_peer.remove(&oldest));
            self.let_go = true;
        }
        let more = self.let_go && self.keeping.has_store();
        let thread = self.by_peer.entry(peer).or_insert_with(|| Thread::new(name, more));
        name.clone_into(&mut thread.name);
        thread.touched = self.latest;
        thread.push(entry);
        self.changed = true;
    }
}

/// Whether nothing will change a file's line any more.
pub(crate) fn is_over(state: &FileState) -> bool {
    match state {
        FileState::Offered | FileState::Moving { .. } | FileState::Waiting { .. } => false,
        FileState::Done(_) | FileState::Declined | FileState::Cancelled | FileState::Failed => true,
    }
}

#[cfg(test)]
#[path = "conversation/tests.rs"]
mod tests;
