//! A file of ours that somebody is offered.

use std::path::PathBuf;
use std::time::Instant;

use bytes::Bytes;

use super::{FileJob, FileKey, FileState, Message, Rate, TransferEffect};

/// The bytes of one message: small enough that others on the flow get their turn.
const PIECE: usize = 16 * 1024;

/// One file.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) path: PathBuf,
    name: String,
    size: u64,
    /// The far end has our offer.
    acknowledged: bool,
    /// So much is safe there.
    done: u64,
    /// It was taken once: who took it wants the rest too.
    was_wanted: bool,
    moving: Option<Moving>,
    /// The desk reads. Nothing more is asked of it until it is done, however often the far end begins anew.
    reading: Option<Reading>,
    rate: Rate,
}

/// It is wanted on the lines that stand.
#[derive(Clone, Copy, Debug)]
struct Moving {
    next: u64,
    up_to: u64,
    /// All of it was said.
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// From here.
    from: u64,
    /// It was asked for on lines, or a wish, that are no more.
    is_stale: bool,
}

impl Outgoing {
    pub(super) fn new(path: PathBuf, name: String, size: u64, acknowledged: bool, done: u64) -> Self {
        let was_wanted = done > 0;
        let (moving, reading) = (None, None);
        Self { path, name, size, acknowledged, done, was_wanted, moving, reading, rate: Rate::default() }
    }

    pub(super) fn was_wanted(&self) -> bool {
        self.was_wanted
    }

    pub(super) fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    pub(super) fn is_being_read(&self) -> bool {
        self.reading.is_some()
    }

    /// Whether the desk may read the next piece, as far as the far end goes.
    pub(super) fn is_ready(&self) -> bool {
        self.moving.is_some_and(|moving| {
            let has_room = moving.next < moving.up_to || moving.next == self.size;
            self.reading.is_none() && !moving.ended && has_room
        })
    }

    pub(super) fn acknowledged(&mut self, key: FileKey) -> Vec<TransferEffect> {
        if std::mem::replace(&mut self.acknowledged, true) || self.was_wanted {
            return vec![];
        }
        vec![TransferEffect::Show(key, FileState::Offered, None)]
    }

    /// On fresh lines: the answer tells what became of it. What was never said is said with the texts, in their order.
    pub(super) fn offer_again(&mut self, key: FileKey) -> Option<TransferEffect> {
        let offer = Message::FileOffer { id: key.id, name: self.name.clone(), size: self.size };
        self.acknowledged.then_some(TransferEffect::Say(key.peer, offer))
    }

    pub(super) fn lines_lost(&mut self, key: FileKey) -> Option<TransferEffect> {
        self.moving.take()?;
        self.outdate_reading();
        self.rate = Rate::default();
        Some(TransferEffect::Show(key, FileState::Waiting { done: self.done }, None))
    }

    /// The far end wants it, from there. False when that makes no sense.
    pub(super) fn wanted(&mut self, offset: u64, up_to: u64) -> bool {
        if offset > self.size {
            return false;
        }
        if self.moving.is_some() {
            // Said once on each line: to begin anew, again and again, would have the whole file summed up each time.
            return true;
        }
        self.acknowledged = true;
        self.was_wanted = true;
        self.done = offset;
        self.moving = Some(Moving { next: offset, up_to: up_to.min(self.size), ended: false });
        self.outdate_reading();
        true
    }

    fn outdate_reading(&mut self) {
        if let Some(reading) = &mut self.reading {
            reading.is_stale = true;
        }
    }

    pub(super) fn go_on(&mut self, done: u64, up_to: u64) {
        if let Some(moving) = &mut self.moving {
            self.done = self.done.max(done.min(moving.next));
            moving.up_to = moving.up_to.max(up_to.min(self.size));
        }
    }

    /// Reads at most so much; answers the job, and how much that is.
    pub(super) fn read(&mut self, key: FileKey, most: usize) -> Option<(FileJob, usize)> {
        let moving = self.moving.as_mut()?;
        let left = usize::try_from(moving.up_to.saturating_sub(moving.next)).unwrap_or(usize::MAX);
        let most = most.min(left);
        self.reading = Some(Reading { from: moving.next, is_stale: false });
        let (path, size, offset) = (self.path.clone(), self.size, moving.next);
        Some((FileJob::Read { key, path, size, offset, most }, most))
    }

    /// A piece was read. What was asked for on earlier lines is passed over.
    pub(super) fn was_read(
        &mut self,
        key: FileKey,
        offset: u64,
        mut bytes: Bytes,
        digest: Option<[u8; 32]>,
    ) -> Vec<TransferEffect> {
        let mut effects = Vec::new();
        let Some(reading) = self.reading.take_if(|reading| reading.from == offset) else { return effects };
        let Some(moving) = self.moving.as_mut().filter(|_| !reading.is_stale) else { return effects };
        while !bytes.is_empty() {
            let piece = bytes.split_to(PIECE.min(bytes.len()));
            let offset = moving.next;
            moving.next += piece.len() as u64;
            let message = Message::FileBytes { id: key.id, offset, bytes: piece };
            effects.push(TransferEffect::SayLast(key.peer, message));
        }
        if let Some(digest) = digest {
            moving.ended = true;
            effects.push(TransferEffect::SayLast(key.peer, Message::FileEnd { id: key.id, digest }));
        }
        effects
    }

    pub(super) fn shown(&mut self, now: Instant) -> FileState {
        FileState::Moving { done: self.done, rate: self.rate.note(now, self.done) }
    }
}
