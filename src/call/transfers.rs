//! Files on their way, in both directions: offered, taken, moved, stopped, gone on with after a drop. Pure.
//!
//! Who takes a file leads: it says from where and up to where it wants bytes, and says more only once earlier ones are
//! with its disk. So a file goes on from what is safe, after new lines and after a new start of either program, and nobody
//! holds more of it than a window. The one who offers it says the offer again on each new line until the story is over;
//! the answer tells where it stands. What is shown lies in [`super::conversation`]; disks are [`super::file_desk`]'s.

mod incoming;
mod outgoing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::incoming::Incoming;
use self::outgoing::Outgoing;
use super::conversation::UnfinishedFile;
use super::file_job::{FileFailure, FileJob, FileKey, FileReport};
use super::file_name;
use super::messages::{FileStop, Message};
use super::view::FileState;
use crate::rtmfp::PeerId;

/// The largest file that is offered or taken, in bytes: 64 GiB.
pub(crate) const LARGEST_FILE: u64 = 64 << 30;
/// Files that move to us, or from us, at once; the others wait.
const MOST_MOVING: usize = 4;
/// Files offered to us by one peer whose story is not over.
const MOST_OF_A_PEER: usize = 32;
/// Files in all whose story is not over, each way.
const MOST: usize = 512;
/// The rate shown is that of about so long.
const RATE_OVER: f64 = 2.0;

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TransferEffect {
    /// Ask the desk.
    Desk(FileJob),
    /// Say it, if there are lines; it is not said later.
    Say(PeerId, Message),
    /// Say it after everything else.
    SayLast(PeerId, Message),
    /// The line of the conversation changes.
    Show(FileKey, FileState, Option<PathBuf>),
    /// It can be offered: its size, and where it lies.
    Offer(FileKey, u64, PathBuf),
    /// The person is told that it did not work.
    Trouble(PathBuf, FileFailure),
}

/// All files whose story is not over.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    /// The desk looks whether they can be offered.
    looking: BTreeMap<FileKey, PathBuf>,
    outgoing: BTreeMap<FileKey, Outgoing>,
    incoming: BTreeMap<FileKey, Incoming>,
    /// With whom there are lines that may carry files.
    up: BTreeSet<PeerId>,
    /// The last one that was read from, so that they take turns.
    last_read: Option<FileKey>,
}

impl Transfers {
    /// A file of an earlier run.
    pub(crate) fn restore(&mut self, file: UnfinishedFile) {
        let key = FileKey { peer: file.peer, id: file.id };
        let done = match file.file.state {
            FileState::Waiting { done } | FileState::Moving { done, .. } => done,
            _ => 0,
        };
        if file.file.incoming {
            let was_taken = file.file.state != FileState::Offered;
            // What a disk says is no more to be trusted with a folder than what a far end says.
            let name = file_name::safe(&file.file.name);
            let incoming = Incoming::restored(name, file.file.size, was_taken, file.path);
            // One that moves already is not begun anew.
            self.incoming.entry(key).or_insert(incoming);
        } else if let Some(path) = file.path {
            let acknowledged = file.file.state != (FileState::Waiting { done: 0 });
            let outgoing = Outgoing::new(path, file.file.name, file.file.size, acknowledged, done);
            self.outgoing.entry(key).or_insert(outgoing);
        }
    }

    /// Begins what a restart left: places for files that were taken.
    pub(crate) fn begin(&mut self) -> Vec<TransferEffect> {
        self.place_next()
    }

    /// The person offers a file; none when there are too many.
    pub(crate) fn look(&mut self, key: FileKey, path: PathBuf) -> Option<TransferEffect> {
        if self.looking.len() + self.outgoing.len() >= MOST {
            return None;
        }
        self.looking.insert(key, path.clone());
        Some(TransferEffect::Desk(FileJob::Look { key, path }))
    }

    /// It stands in the conversation, to be said.
    pub(crate) fn offered(&mut self, key: FileKey, path: PathBuf, name: String, size: u64) {
        self.outgoing.insert(key, Outgoing::new(path, name, size, false, 0));
    }

    /// The far end has kept our offer.
    pub(crate) fn acknowledged(&mut self, key: FileKey) -> Vec<TransferEffect> {
        self.outgoing.get_mut(&key).map_or_else(Vec::new, |file| file.acknowledged(key))
    }

    /// A far end offers a file. False when it has offered too many already, or one that is too large.
    pub(crate) fn may_offer(&self, peer: PeerId, size: u64) -> bool {
        let of_peer = self.incoming.keys().filter(|key| key.peer == peer).count();
        size <= LARGEST_FILE && of_peer < MOST_OF_A_PEER && self.incoming.len() < MOST
    }

    /// A far end's offer stands in the conversation.
    pub(crate) fn take_offer(&mut self, key: FileKey, name: String, size: u64) {
        self.incoming.insert(key, Incoming::offered(name, size));
    }

    /// The person takes a file.
    pub(crate) fn accept(&mut self, key: FileKey) -> Vec<TransferEffect> {
        let Some(file) = self.incoming.get_mut(&key) else { return vec![] };
        if !file.accept() {
            return vec![];
        }
        let mut effects = vec![TransferEffect::Show(key, FileState::Waiting { done: 0 }, None)];
        effects.extend(self.place_next());
        effects
    }

    /// The person declines a file or stops it, whichever way it goes.
    pub(crate) fn stop(&mut self, key: FileKey) -> Vec<TransferEffect> {
        let (why, state) = match self.incoming.get(&key) {
            Some(file) if file.is_only_offered() => (FileStop::Declined, FileState::Declined),
            _ => (FileStop::Cancelled, FileState::Cancelled),
        };
        if !self.incoming.contains_key(&key) && !self.outgoing.contains_key(&key) {
            return vec![];
        }
        let mut effects = vec![TransferEffect::Say(key.peer, Message::FileStop { id: key.id, why })];
        effects.extend(self.let_go(key, state));
        effects
    }

    /// Everything with a peer, or with everybody, is stopped.
    pub(crate) fn stop_all(&mut self, peer: Option<PeerId>) -> Vec<TransferEffect> {
        let all = self.incoming.keys().chain(self.outgoing.keys());
        let keys: Vec<FileKey> =
            all.filter(|key| peer.is_none_or(|peer| key.peer == peer)).copied().collect();
        keys.into_iter().flat_map(|key| self.stop(key)).collect()
    }

    /// Forgets a file and tells the desk; its line says `state`.
    fn let_go(&mut self, key: FileKey, state: FileState) -> Vec<TransferEffect> {
        let mut effects = Vec::new();
        if let Some(file) = self.incoming.remove(&key) {
            effects.push(TransferEffect::Desk(FileJob::Discard { key, part: file.part }));
            effects.push(TransferEffect::Show(key, state, None));
            effects.extend(self.place_next());
        } else if self.outgoing.remove(&key).is_some() {
            effects.push(TransferEffect::Desk(FileJob::Close { key }));
            effects.push(TransferEffect::Show(key, state, None));
        }
        effects
    }

    /// Lines to a peer are up that may carry files.
    pub(crate) fn lines_up(&mut self, peer: PeerId) -> Vec<TransferEffect> {
        let mut effects = Vec::new();
        self.up.insert(peer);
        for (key, file) in self.outgoing.iter_mut().filter(|(key, _)| key.peer == peer) {
            effects.extend(file.offer_again(*key));
        }
        for (key, file) in self.incoming.iter_mut().filter(|(key, _)| key.peer == peer) {
            effects.extend(file.want(*key));
        }
        effects
    }

    /// The lines to a peer are gone.
    pub(crate) fn lines_lost(&mut self, peer: PeerId) -> Vec<TransferEffect> {
        let mut effects = Vec::new();
        self.up.remove(&peer);
        for (key, file) in self.outgoing.iter_mut().filter(|(key, _)| key.peer == peer) {
            effects.extend(file.lines_lost(*key));
        }
        for (key, file) in self.incoming.iter_mut().filter(|(key, _)| key.peer == peer) {
            effects.extend(file.lines_lost(*key));
        }
        effects
    }

    /// Whether lines to this peer are wanted for a file that is to go on.
    pub(crate) fn wants_lines(&self, peer: PeerId) -> bool {
        self.wanted_peers().contains(&peer)
    }

    /// To whom lines are wanted.
    pub(crate) fn wanted_peers(&self) -> BTreeSet<PeerId> {
        let taken = self.incoming.iter().filter(|(_, file)| !file.is_only_offered()).map(|(key, _)| key.peer);
        let given = self.outgoing.iter().filter(|(_, file)| file.was_wanted()).map(|(key, _)| key.peer);
        taken.chain(given).collect()
    }

    /// A message about a file. An offer is not heard here: it is a line of the conversation first.
    pub(crate) fn heard(&mut self, peer: PeerId, message: Message) -> Vec<TransferEffect> {
        let key = |id| FileKey { peer, id };
        match message {
            Message::FileWant { id, offset, up_to } => match self.outgoing.get_mut(&key(id)) {
                Some(file) => {
                    if file.wanted(offset, up_to) {
                        vec![TransferEffect::Show(key(id), FileState::Moving { done: offset, rate: 0 }, None)]
                    } else {
                        self.fail(key(id), None)
                    }
                }
                // It was stopped or deleted while they could not hear of it.
                None => {
                    vec![TransferEffect::Say(peer, Message::FileStop { id, why: FileStop::Cancelled })]
                }
            },
            Message::FileGoOn { id, done, up_to } => {
                if let Some(file) = self.outgoing.get_mut(&key(id)) {
                    file.go_on(done, up_to);
                }
                vec![]
            }
            Message::FileBytes { id, offset, bytes } => {
                let key = key(id);
                self.incoming.get_mut(&key).map_or_else(Vec::new, |file| file.piece(key, offset, bytes))
            }
            Message::FileEnd { id, digest } => {
                let key = key(id);
                self.incoming.get_mut(&key).map_or_else(Vec::new, |file| file.end(key, digest))
            }
            Message::FileDone(id) => match self.outgoing.get(&key(id)).map(|file| file.path.clone()) {
                Some(path) => self.let_go(key(id), FileState::Done(path)),
                None => vec![],
            },
            Message::FileStop { id, why } => {
                let state = match why {
                    FileStop::Declined => FileState::Declined,
                    FileStop::Cancelled => FileState::Cancelled,
                    FileStop::Failed => FileState::Failed,
                };
                self.let_go(key(id), state)
            }
            _ => vec![],
        }
    }

    /// What came of a job at the desk.
    pub(crate) fn reported(&mut self, report: FileReport) -> Vec<TransferEffect> {
        match report {
            FileReport::Looked { key, size } => match self.looking.remove(&key) {
                Some(path) => vec![TransferEffect::Offer(key, size, path)],
                None => vec![],
            },
            FileReport::Read { key, offset, bytes, digest } => {
                let file = self.outgoing.get_mut(&key);
                file.map_or_else(Vec::new, |file| file.was_read(key, offset, bytes, digest))
            }
            FileReport::Placed { key, part, offset } => match self.incoming.get_mut(&key) {
                Some(file) => file.placed(key, part, offset, self.up.contains(&key.peer)),
                // It was stopped meanwhile.
                None => vec![TransferEffect::Desk(FileJob::Discard { key, part: Some(part) })],
            },
            FileReport::Written { key, up_to } => {
                self.incoming.get_mut(&key).map_or_else(Vec::new, |file| file.written(key, up_to))
            }
            FileReport::Finished { key, path } => {
                let mut effects = Vec::new();
                if self.incoming.remove(&key).is_some() {
                    effects.push(TransferEffect::Show(key, FileState::Done(path.clone()), Some(path)));
                    effects.push(TransferEffect::Say(key.peer, Message::FileDone(key.id)));
                    effects.extend(self.place_next());
                }
                effects
            }
            FileReport::Failed { key, path, why } => {
                if self.looking.remove(&key).is_some() {
                    return vec![TransferEffect::Trouble(path, why)];
                }
                self.fail(key, Some((path, why)))
            }
        }
    }

    fn fail(&mut self, key: FileKey, trouble: Option<(PathBuf, FileFailure)>) -> Vec<TransferEffect> {
        let mut effects = self.let_go(key, FileState::Failed);
        if effects.is_empty() {
            return effects;
        }
        effects.push(TransferEffect::Say(key.peer, Message::FileStop { id: key.id, why: FileStop::Failed }));
        effects.extend(trouble.map(|(path, why)| TransferEffect::Trouble(path, why)));
        effects
    }

    /// The file to a peer whose turn it is to be read, with where and how much; none when nothing may go there now.
    pub(crate) fn next_read(&mut self, peer: PeerId, most: usize) -> Option<(FileJob, usize)> {
        let is_ready = |(key, file): &(&FileKey, &Outgoing)| key.peer == peer && file.is_ready();
        let ready: Vec<FileKey> = self.outgoing.iter().filter(is_ready).map(|(key, _)| *key).collect();
        let being_read = self.outgoing.values().filter(|file| file.is_being_read()).count();
        if being_read >= MOST_MOVING {
            return None;
        }
        // The next after the last, and around.
        let next = ready.iter().find(|key| Some(**key) > self.last_read).or(ready.first()).copied()?;
        self.last_read = Some(next);
        self.outgoing.get_mut(&next)?.read(next, most)
    }

    /// To whom files go at the moment.
    pub(crate) fn peers_moving_to(&self) -> BTreeSet<PeerId> {
        self.outgoing.iter().filter(|(_, file)| file.is_ready()).map(|(key, _)| key.peer).collect()
    }

    /// Whether something is on the move, so that what is shown of it changes by itself.
    pub(crate) fn is_any_moving(&self) -> bool {
        self.outgoing.values().any(Outgoing::is_moving) || self.incoming.values().any(Incoming::is_moving)
    }

    /// A moment has passed: shows how far they all are.
    pub(crate) fn step(&mut self, now: Instant) -> Vec<TransferEffect> {
        let mut effects = Vec::new();
        for (key, file) in self.outgoing.iter_mut().filter(|(_, file)| file.is_moving()) {
            effects.push(TransferEffect::Show(*key, file.shown(now), None));
        }
        for (key, file) in self.incoming.iter_mut().filter(|(_, file)| file.is_moving()) {
            effects.push(TransferEffect::Show(*key, file.shown(now), None));
        }
        effects
    }

    /// Makes places for files that were taken, as many as may move at once.
    fn place_next(&mut self) -> Vec<TransferEffect> {
        let placed = self.incoming.values().filter(|file| file.has_place()).count();
        let free = MOST_MOVING.saturating_sub(placed);
        let waiting = self.incoming.iter_mut().filter(|(_, file)| file.waits_for_place());
        waiting.take(free).map(|(key, file)| file.place(*key)).collect()
    }
}

/// How fast something grows, lately.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    last: Option<(Instant, u64)>,
    bytes_per_second: f64,
}

impl Rate {
    /// So much is there now.
    fn note(&mut self, now: Instant, done: u64) -> u64 {
        let Some((at, before)) = self.last else {
            self.last = Some((now, done));
            return 0;
        };
        let passed = now.saturating_duration_since(at);
        if passed >= Duration::from_millis(200) {
            self.last = Some((now, done));
            let lately = done.saturating_sub(before) as f64 / passed.as_secs_f64();
            let weight = (passed.as_secs_f64() / RATE_OVER).min(1.0);
            let is_first = self.bytes_per_second == 0.0;
            self.bytes_per_second =
                if is_first { lately } else { self.bytes_per_second * (1.0 - weight) + lately * weight };
        }
        self.bytes_per_second as u64
    }
}

#[cfg(test)]
#[path = "transfers/tests.rs"]
mod tests;
