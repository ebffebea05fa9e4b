//! Lines as they are kept on the disk, and back; and what waits to be kept.
//!
//! On the disk there is no "on its way": what was not acknowledged when the program ended waits again with the next start.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::thread::Entry;
use crate::call::end_reason::EndReason;
use crate::call::random_id::RandomId;
use crate::call::view::{Delivery, FileLine, FileState, Line, LineKind};
use crate::history::record::{Keep, StoredFile, StoredKind, StoredLine};
use crate::rtmfp::PeerId;

/// Received texts that may wait to be safe before they are acknowledged. Beyond that they wait for their writer to say
/// them again.
const MOST_TICKETS: usize = 4_096;

/// What is to be kept, and which texts wait for it.
#[derive(Debug)]
pub(super) struct Keeping {
    has_store: bool,
    /// New lines are kept.
    pub(super) lines: bool,
    pub(super) out: VecDeque<(Keep, Option<u64>)>,
    pub(super) tickets: BTreeMap<u64, (PeerId, RandomId)>,
    next_ticket: u64,
}

impl Keeping {
    pub(super) fn new(has_store: bool, lines: bool) -> Self {
        Self { has_store, lines, out: VecDeque::new(), tickets: BTreeMap::new(), next_ticket: 0 }
    }

    pub(super) fn has_store(&self) -> bool {
        self.has_store
    }

    pub(super) fn keeps_lines(&self) -> bool {
        self.has_store && self.lines
    }

    /// Something for the disk. What is erased is erased whether new lines are kept or not.
    pub(super) fn tell(&mut self, keep: Keep) {
        if self.has_store {
            self.out.push_back((keep, None));
        }
    }

    /// A line for the disk, and which text is to be acknowledged when it is there.
    pub(super) fn tell_line(&mut self, line: StoredLine, acknowledge: Option<(PeerId, RandomId)>) {
        if !self.has_store {
            return;
        }
        let ticket = acknowledge.map(|text| {
            self.next_ticket += 1;
            if self.tickets.len() >= MOST_TICKETS {
                self.tickets.pop_first();
            }
            self.tickets.insert(self.next_ticket, text);
            self.next_ticket
        });
        self.out.push_back((Keep::Line(line), ticket));
    }
}

/// A line for the disk.
pub(super) fn stored(peer: PeerId, peer_name: &str, entry: &Entry) -> StoredLine {
    let read = !entry.unread;
    let what = match &entry.line.what {
        LineKind::Received(text) => StoredKind::Received { text: text.clone(), read },
        LineKind::Sent { text, state } => {
            let state = match state {
                Delivery::Sending => Delivery::Waiting,
                other => *other,
            };
            StoredKind::Sent { text: text.clone(), state }
        }
        LineKind::Call { incoming, lasted, reason } => StoredKind::Call {
            incoming: *incoming,
            seconds: lasted.map(|lasted| lasted.as_secs()),
            reason: reason.as_str().to_owned(),
            read,
        },
        LineKind::File(file) => StoredKind::File {
            incoming: file.incoming,
            file_name: file.name.clone(),
            size: file.size,
            state: stored_file(file.incoming, &file.state),
            path: match &file.state {
                FileState::Done(path) => Some(path.clone()),
                _ => entry.path.clone(),
            },
            read,
        },
    };
    StoredLine { name: entry.line.id.0, peer, peer_name: peer_name.to_owned(), at: entry.line.at, what }
}

/// A line from the disk.
pub(super) fn restored(stored: StoredLine) -> Entry {
    let (what, unread, path) = match stored.what {
        StoredKind::Received { text, read } => (LineKind::Received(text), !read, None),
        StoredKind::Sent { text, state } => {
            let state = match state {
                Delivery::Sending => Delivery::Waiting,
                other => other,
            };
            (LineKind::Sent { text, state }, false, None)
        }
        StoredKind::Call { incoming, seconds, reason, read } => {
            let reason = EndReason::from_word(&reason).unwrap_or(EndReason::Ended);
            let lasted = seconds.map(Duration::from_secs);
            (LineKind::Call { incoming, lasted, reason }, !read, None)
        }
        StoredKind::File { incoming, file_name, size, state, path, read } => {
            let state = match state {
                StoredFile::Offered if incoming => FileState::Offered,
                StoredFile::Offered => FileState::Waiting { done: 0 },
                StoredFile::Partial(done) => FileState::Waiting { done: done.min(size) },
                StoredFile::Done => FileState::Done(path.clone().unwrap_or_default()),
                StoredFile::Declined => FileState::Declined,
                StoredFile::Cancelled => FileState::Cancelled,
                StoredFile::Failed => FileState::Failed,
            };
            (LineKind::File(FileLine { incoming, name: file_name, size, state }), incoming && !read, path)
        }
    };
    let line = Line { id: RandomId(stored.name), at: stored.at, what };
    Entry { line, unread, path, kept: true }
}

fn stored_file(incoming: bool, state: &FileState) -> StoredFile {
    match state {
        FileState::Offered => StoredFile::Offered,
        // An offer that is still to be made. One that was taken is asked for again by who takes it.
        FileState::Waiting { done: 0 } if !incoming => StoredFile::Offered,
        FileState::Moving { done, .. } | FileState::Waiting { done } => StoredFile::Partial(*done),
        FileState::Done(_) => StoredFile::Done,
        FileState::Declined => StoredFile::Declined,
        FileState::Cancelled => StoredFile::Cancelled,
        FileState::Failed => StoredFile::Failed,
    }
}

/// Whether a file's new state is worth a write: progress alone is not, since what has come lies on the disk itself.
pub(super) fn differs_on_disk(file: &FileLine, state: &FileState) -> bool {
    let (before, after) = (stored_file(file.incoming, &file.state), stored_file(file.incoming, state));
    match (before, after) {
        (StoredFile::Partial(_), StoredFile::Partial(_)) => matches!(state, FileState::Waiting { .. }),
        (before, after) => before != after,
    }
}
