//! The lines with one peer, and what waits to be said to them.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::{UnfinishedFile, is_over};
use crate::call::random_id::RandomId;
use crate::call::view::{Conversation, Delivery, FileState, Line, LineKind};
use crate::history::record::LineName;
use crate::rtmfp::PeerId;

/// Lines loaded of a conversation; older ones are let go as new ones come.
pub(super) const MOST_LINES: usize = 2_000;
/// The same when the person looks back.
const MOST_LOOKING_BACK: usize = 20_000;

/// One line, with what is not for the window.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) line: Line,
    /// It was not on screen yet.
    pub(super) unread: bool,
    /// Where a file lies.
    pub(super) path: Option<PathBuf>,
    /// It is on the disk, or on its way there.
    pub(super) kept: bool,
}

/// Something of ours that the far end did not acknowledge yet.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) id: RandomId,
    pub(super) what: Waiting,
    /// Said on the lines that stand now.
    pub(super) said: bool,
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Text(String),
    Offer { name: String, size: u64 },
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) name: String,
    pub(super) touched: u64,
    pub(super) more: bool,
    pub(super) outbox: VecDeque<Pending>,
    pub(super) read_owed: Option<RandomId>,
    pub(super) typing_until: Option<Instant>,
    pub(super) changed: bool,
    lines: VecDeque<Entry>,
    most: usize,
    awaits_earlier: bool,
    shown: Option<Conversation>,
}

impl Entry {
    /// A line that was read, or is ours, and is not kept.
    pub(super) fn new(line: Line) -> Self {
        Self { line, unread: false, path: None, kept: false }
    }
}

impl Thread {
    pub(super) fn new(name: &str, more: bool) -> Self {
        Self {
            name: name.to_owned(),
            touched: 0,
            more,
            outbox: VecDeque::new(),
            read_owed: None,
            typing_until: None,
            changed: true,
            lines: VecDeque::new(),
            most: MOST_LINES,
            awaits_earlier: false,
            shown: None,
        }
    }

    /// Nothing in it, and nothing before it.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && !self.more
    }

    /// The latest lines are looked for most, so from the end.
    pub(super) fn position(&self, id: RandomId) -> Option<usize> {
        self.lines.iter().rposition(|entry| entry.line.id == id)
    }

    pub(super) fn entry(&self, id: RandomId) -> Option<&Entry> {
        self.position(id).and_then(|at| self.lines.get(at))
    }

    pub(super) fn entry_mut(&mut self, id: RandomId) -> Option<&mut Entry> {
        self.position(id).and_then(|at| self.lines.get_mut(at))
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.lines.push_back(entry);
        if self.lines.len() > self.most
            && let Some(oldest) = self.lines.pop_front()
        {
            self.more |= oldest.kept;
        }
        self.changed = true;
    }

    /// False when there is no such line.
    pub(super) fn remove(&mut self, id: RandomId) -> bool {
        self.outbox.retain(|pending| pending.id != id);
        let at = self.position(id);
        self.changed |= at.is_some();
        at.and_then(|at| self.lines.remove(at)).is_some()
    }

    /// False when it was so already, or there is no such line of ours.
    pub(super) fn set_delivery(&mut self, id: RandomId, became: Delivery) -> bool {
        let Some(entry) = self.entry_mut(id) else { return false };
        let LineKind::Sent { state, .. } = &mut entry.line.what else { return false };
        let news = *state != became;
        *state = became;
        self.changed |= news;
        news
    }

    /// Of all that waits; true when something changed.
    pub(super) fn set_all_waiting(&mut self, became: Delivery) -> bool {
        let ids: Vec<RandomId> = self.outbox.iter().map(|pending| pending.id).collect();
        ids.into_iter().filter(|id| self.set_delivery(*id, became)).count() > 0
    }

    /// Our lines up to this one that are there and now count as read.
    pub(super) fn read_up_to(&self, id: RandomId) -> Vec<RandomId> {
        let Some(last) = self.position(id) else { return vec![] };
        let read = self.lines.iter().take(last + 1).filter_map(|entry| match entry.line.what {
            LineKind::Sent { state: Delivery::Delivered, .. } => Some(entry.line.id),
            LineKind::Sent { state, .. } if entry.line.id == id && state != Delivery::Read => Some(id),
            _ => None,
        });
        read.collect()
    }

    /// False when nothing was unread.
    pub(super) fn mark_read(&mut self) -> bool {
        let mut any = false;
        for entry in self.lines.iter_mut().filter(|entry| entry.unread) {
            entry.unread = false;
            any = true;
            if matches!(entry.line.what, LineKind::Received(_)) {
                self.read_owed = Some(entry.line.id);
            }
        }
        self.changed |= any;
        any
    }

    /// What was not acknowledged in an earlier run is said again. The far end knows what it has.
    pub(super) fn restore_outbox(&mut self) {
        self.outbox = self.lines.iter().filter_map(waiting_again).collect();
    }

    pub(super) fn want_earlier(&mut self) -> Option<Option<LineName>> {
        if !self.more || self.awaits_earlier || self.lines.len() >= MOST_LOOKING_BACK {
            return None;
        }
        self.awaits_earlier = true;
        Some(self.lines.front().map(|entry| entry.line.id.0))
    }

    /// Takes earlier lines, oldest first; answers the names of those that are new.
    pub(super) fn put_before(&mut self, entries: Vec<Entry>, more: bool) -> BTreeSet<RandomId> {
        self.awaits_earlier = false;
        self.more = more;
        let known: BTreeSet<RandomId> = self.lines.iter().map(|entry| entry.line.id).collect();
        let mut names = BTreeSet::new();
        for entry in entries.into_iter().rev().filter(|entry| !known.contains(&entry.line.id)) {
            if self.lines.len() >= MOST_LOOKING_BACK {
                self.more = true;
                break;
            }
            names.insert(entry.line.id);
            if let Some(pending) = waiting_again(&entry) {
                self.outbox.push_front(pending);
            }
            self.lines.push_front(entry);
        }
        self.most = self.lines.len().clamp(MOST_LINES, MOST_LOOKING_BACK);
        self.changed = true;
        names
    }

    pub(super) fn unfinished_files(&self, peer: PeerId) -> impl Iterator<Item = UnfinishedFile> + '_ {
        self.lines.iter().filter_map(move |entry| match &entry.line.what {
            LineKind::File(file) if !is_over(&file.state) => {
                Some(UnfinishedFile { peer, id: entry.line.id, file: file.clone(), path: entry.path.clone() })
            }
            _ => None,
        })
    }

    /// For the window; what did not change is not made again.
    pub(super) fn shown(&mut self, peer: PeerId) -> Conversation {
        if !std::mem::take(&mut self.changed)
            && let Some(shown) = &self.shown
        {
            return shown.clone();
        }
        let shown = Conversation {
            peer_id: peer,
            name: self.name.clone(),
            lines: Arc::new(self.lines.iter().map(|entry| entry.line.clone()).collect()),
            more: self.more,
            unread: self.lines.iter().filter(|entry| entry.unread).count(),
            typing: self.typing_until.is_some(),
        };
        self.shown = Some(shown.clone());
        shown
    }
}

/// A line of ours that was not acknowledged, as it waits again.
fn waiting_again(entry: &Entry) -> Option<Pending> {
    let what = match &entry.line.what {
        LineKind::Sent { text, state: Delivery::Waiting | Delivery::Sending } => Waiting::Text(text.clone()),
        LineKind::File(file) if !file.incoming && file.state == (FileState::Waiting { done: 0 }) => {
            Waiting::Offer { name: file.name.clone(), size: file.size }
        }
        _ => return None,
    };
    Some(Pending { id: entry.line.id, what, said: false })
}
