//! A file that somebody offers us.

use std::path::PathBuf;
use std::time::Instant;

use bytes::Bytes;

use super::{FileJob, FileKey, FileState, Message, Rate, TransferEffect};

/// Bytes that may be under way to us: more than any common path holds, and little enough for the memory.
const WINDOW: u64 = 2 << 20;

/// One file.
#[derive(Debug)]
pub(super) struct Incoming {
    name: String,
    size: u64,
    /// Where it grows.
    pub(super) part: Option<PathBuf>,
    stage: Stage,
    rate: Rate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The person decides.
    Offered,
    /// It was taken, and waits for its turn.
    Taken,
    /// The desk makes a place.
    Placing,
    /// There is a place.
    Placed {
        /// What comes next, as far as it was given to the desk.
        expected: u64,
        /// What is with the disk.
        written: u64,
        /// What the far end may send on the lines that stand.
        wanted: Option<Wanted>,
    },
    /// All of it is there, and the desk compares and names it.
    Finishing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Wanted {
    up_to: u64,
    /// What the far end knows to be with the disk.
    told: u64,
    /// All was sent; its sum.
    digest: Option<[u8; 32]>,
}

impl Incoming {
    pub(super) fn offered(name: String, size: u64) -> Self {
        Self { name, size, part: None, stage: Stage::Offered, rate: Rate::default() }
    }

    pub(super) fn restored(name: String, size: u64, was_taken: bool, part: Option<PathBuf>) -> Self {
        let stage = if was_taken { Stage::Taken } else { Stage::Offered };
        Self { part, stage, ..Self::offered(name, size) }
    }

    pub(super) fn is_only_offered(&self) -> bool {
        self.stage == Stage::Offered
    }

    pub(super) fn waits_for_place(&self) -> bool {
        self.stage == Stage::Taken
    }

    pub(super) fn has_place(&self) -> bool {
        !self.is_only_offered() && !self.waits_for_place()
    }

    pub(super) fn is_moving(&self) -> bool {
        matches!(self.stage, Stage::Placed { wanted: Some(_), .. })
    }

    /// False when the person decided already.
    pub(super) fn accept(&mut self) -> bool {
        let is_new = self.is_only_offered();
        if is_new {
            self.stage = Stage::Taken;
        }
        is_new
    }

    pub(super) fn place(&mut self, key: FileKey) -> TransferEffect {
        self.stage = Stage::Placing;
        let (name, part) = (self.name.clone(), self.part.clone());
        TransferEffect::Desk(FileJob::Place { key, name, size: self.size, part })
    }

    pub(super) fn placed(
        &mut self,
        key: FileKey,
        part: PathBuf,
        offset: u64,
        has_lines: bool,
    ) -> Vec<TransferEffect> {
        if self.stage != Stage::Placing {
            return vec![];
        }
        self.part = Some(part.clone());
        let offset = offset.min(self.size);
        self.stage = Stage::Placed { expected: offset, written: offset, wanted: None };
        let mut effects = vec![TransferEffect::Show(key, FileState::Waiting { done: offset }, Some(part))];
        if has_lines {
            effects.extend(self.want(key));
        }
        effects
    }

    /// On lines that are up: asks for what is not here.
    pub(super) fn want(&mut self, key: FileKey) -> Option<TransferEffect> {
        let Stage::Placed { expected, written, wanted } = &mut self.stage else { return None };
        let up_to = self.size.min((*written + WINDOW).max(*expected));
        *wanted = Some(Wanted { up_to, told: *expected, digest: None });
        let message = Message::FileWant { id: key.id, offset: *expected, up_to };
        Some(TransferEffect::Say(key.peer, message))
    }

    pub(super) fn lines_lost(&mut self, key: FileKey) -> Option<TransferEffect> {
        let Stage::Placed { written, wanted, .. } = &mut self.stage else { return None };
        wanted.take()?;
        self.rate = Rate::default();
        Some(TransferEffect::Show(key, FileState::Waiting { done: *written }, None))
    }

    /// A piece came. What was not asked for, or comes twice, is passed over.
    pub(super) fn piece(&mut self, key: FileKey, offset: u64, bytes: Bytes) -> Vec<TransferEffect> {
        let Stage::Placed { expected, wanted: Some(wanted), .. } = &mut self.stage else { return vec![] };
        let end = offset.saturating_add(bytes.len() as u64);
        if offset != *expected || end > wanted.up_to || bytes.is_empty() {
            return vec![];
        }
        *expected = end;
        vec![TransferEffect::Desk(FileJob::Write { key, offset, bytes })]
    }

    /// More of it is with the disk: there may be room for more.
    pub(super) fn written(&mut self, key: FileKey, up_to: u64) -> Vec<TransferEffect> {
        let Stage::Placed { written, expected, wanted } = &mut self.stage else { return vec![] };
        *written = up_to.clamp(*written, *expected);
        let mut effects = Vec::new();
        if let Some(wanted) = wanted {
            let further = self.size.min(*written + WINDOW);
            if *written >= wanted.told + WINDOW / 8 || *written == self.size {
                wanted.up_to = wanted.up_to.max(further);
                wanted.told = *written;
                let message = Message::FileGoOn { id: key.id, done: *written, up_to: wanted.up_to };
                effects.push(TransferEffect::Say(key.peer, message));
            }
        }
        effects.extend(self.finish(key));
        effects
    }

    /// The far end has sent all of it.
    pub(super) fn end(&mut self, key: FileKey, sum: [u8; 32]) -> Vec<TransferEffect> {
        if let Stage::Placed { wanted: Some(wanted), .. } = &mut self.stage {
            wanted.digest = Some(sum);
        }
        self.finish(key).into_iter().collect()
    }

    fn finish(&mut self, key: FileKey) -> Option<TransferEffect> {
        let Stage::Placed { written, wanted: Some(Wanted { digest: Some(digest), .. }), .. } = self.stage
        else {
            return None;
        };
        if written != self.size {
            return None;
        }
        self.stage = Stage::Finishing;
        Some(TransferEffect::Desk(FileJob::Finish { key, digest }))
    }

    pub(super) fn shown(&mut self, now: Instant) -> FileState {
        let done = match self.stage {
            Stage::Placed { written, .. } => written,
            _ => 0,
        };
        FileState::Moving { done, rate: self.rate.note(now, done) }
    }
}
