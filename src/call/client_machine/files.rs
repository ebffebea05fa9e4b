//! Files in conversations: carries out what [`Transfers`] decides, and gives them what
//! a call leaves of the way.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{ClientEvent, ClientMachine};
use crate::call::conversation::Received;
use crate::call::event::{Event, Notice, Refusal};
use crate::call::file_job::{FileFailure, FileKey, FileReport};
use crate::call::file_name;
use crate::call::file_pace::FilePace;
use crate::call::messages::{FileStop, Message};
use crate::call::peer_link::Far;
use crate::call::random_id::RandomId;
use crate::call::transfers::{LARGEST_FILE, TransferEffect, Transfers};
use crate::call::view::FileState;
use crate::netconnection::node::Target;
use crate::rtmfp::PeerId;

/// How often what is shown of files changes, and how often their pace is thought over.
const STEP: Duration = Duration::from_millis(250);

/// The files' side of a client.
#[derive(Debug)]
pub(super) struct FileSide {
    pub(super) pace: FilePace,
    next_step: Instant,
}

impl FileSide {
    pub(super) fn new(now: Instant) -> Self {
        Self { pace: FilePace::default(), next_step: now }
    }
}

impl ClientMachine {
    /// What an earlier run left.
    pub(super) fn restore_files(&mut self, now: Instant) {
        let mut transfers = Transfers::default();
        self.conversations.unfinished_files().into_iter().for_each(|file| transfers.restore(file));
        self.transfers = transfers;
        let effects = self.transfers.begin();
        self.carry_out_files(now, effects);
    }

    pub(super) fn offer_file(&mut self, now: Instant, to: PeerId, path: PathBuf) {
        if self.is_me(to) {
            self.refuse(Refusal::ThatIsYou);
            return;
        }
        if self.links.get(&to).is_some_and(|lines| lines.link.far() == Far::Plain) {
            self.refuse(Refusal::TakesNoFiles);
            return;
        }
        let id = self.draw_id();
        match self.transfers.look(FileKey { peer: to, id }, path) {
            Some(effect) => self.carry_out_files(now, vec![effect]),
            None => self.refuse(Refusal::TooManyFiles),
        }
    }

    pub(super) fn accept_file(&mut self, now: Instant, peer: PeerId, line: RandomId) {
        let effects = self.transfers.accept(FileKey { peer, id: line });
        self.carry_out_files(now, effects);
        self.reach(now, peer);
    }

    pub(super) fn stop_file(&mut self, now: Instant, peer: PeerId, line: RandomId) {
        let effects = self.transfers.stop(FileKey { peer, id: line });
        self.carry_out_files(now, effects);
    }

    /// The far end turned out to be a plain client: what was offered to it is not taken.
    pub(super) fn files_not_taken(&mut self, now: Instant, peer: PeerId, lines: Vec<RandomId>) {
        if lines.is_empty() {
            return;
        }
        self.refuse(Refusal::TakesNoFiles);
        for line in lines {
            self.stop_file(now, peer, line);
        }
    }

    /// The desk is done with something.
    pub(super) fn file_reported(&mut self, now: Instant, report: FileReport) {
        let effects = self.transfers.reported(report);
        self.carry_out_files(now, effects);
        self.pump_files(now);
    }

    /// A message about a file.
    pub(super) fn file_message(&mut self, now: Instant, peer: PeerId, message: Message) {
        if let Message::FileOffer { id, name, size } = message {
            self.file_offered(now, peer, id, &name, size);
            return;
        }
        if let Message::FileWant { id, .. } = message {
            // Who takes it has the offer, whatever became of the acknowledgement.
            self.conversations.acknowledged(peer, id);
        }
        let effects = self.transfers.heard(peer, message);
        self.carry_out_files(now, effects);
        self.pump_files(now);
    }

    fn file_offered(&mut self, now: Instant, peer: PeerId, id: RandomId, name: &str, size: u64) {
        if let Some(state) = self.conversations.file_state(peer, id) {
            self.answer_repeated_offer(now, peer, id, &state);
            return;
        }
        if !self.is_known(peer) || !self.transfers.may_offer(peer, size) {
            self.say(now, peer, Message::FileStop { id, why: FileStop::Declined });
            return;
        }
        let file = file_name::safe(name);
        let (from, at) = (self.name_of(peer), self.date(now));
        match self.conversations.receive_offer(at, peer, &from, id, (file.clone(), size)) {
            received @ (Received::New | Received::NewUnsafe) => {
                self.transfers.take_offer(FileKey { peer, id }, file.clone(), size);
                self.tell(Event::FileOffered { peer, name: from, file });
                if received == Received::New {
                    self.say(now, peer, Message::TextAck(id));
                }
            }
            // Its line was deleted here.
            Received::Again | Received::AgainUnsafe => {
                self.say(now, peer, Message::FileStop { id, why: FileStop::Declined });
            }
        }
    }

    /// The far end asks where a file stands, on fresh lines.
    fn answer_repeated_offer(&mut self, now: Instant, peer: PeerId, id: RandomId, state: &FileState) {
        let answer = match state {
            FileState::Done(_) => Message::FileDone(id),
            FileState::Declined => Message::FileStop { id, why: FileStop::Declined },
            FileState::Cancelled => Message::FileStop { id, why: FileStop::Cancelled },
            FileState::Failed => Message::FileStop { id, why: FileStop::Failed },
            FileState::Offered | FileState::Moving { .. } | FileState::Waiting { .. } => {
                if self.conversations.is_unsafe(peer, id) {
                    return;
                }
                Message::TextAck(id)
            }
        };
        self.say(now, peer, answer);
    }

    /// Whether a peer may offer files, and has a place before others: somebody we keep, wrote to, or talk with.
    pub(super) fn is_known(&self, peer: PeerId) -> bool {
        self.contacts.has(peer) || self.acquaintances.has(peer) || self.call.is_up_with(peer)
    }

    pub(super) fn carry_out_files(&mut self, now: Instant, effects: Vec<TransferEffect>) {
        self.dirty |= !effects.is_empty();
        for effect in effects {
            match effect {
                TransferEffect::Desk(job) => self.told.push_back(ClientEvent::File(job)),
                TransferEffect::Say(peer, message) => {
                    if self.takes_additions(peer) {
                        self.say(now, peer, message);
                    }
                }
                TransferEffect::SayLast(peer, message) => self.say_last(now, peer, &message),
                TransferEffect::Show(key, state, path) => {
                    self.conversations.set_file(key.peer, key.id, state, path);
                }
                TransferEffect::Offer(key, size, path) => self.offer_looked_at(now, key, size, path),
                TransferEffect::Trouble(path, why) => self.tell(Event::Notice(match why {
                    FileFailure::System(why) => Notice::FileProblem { path, why },
                    FileFailure::NotAFile => Notice::Refused(Refusal::NotAFile),
                    FileFailure::Changed => Notice::FileChanged(path),
                    FileFailure::Damaged => Notice::FileDamaged(path),
                })),
            }
        }
    }

    fn offer_looked_at(&mut self, now: Instant, key: FileKey, size: u64, path: PathBuf) {
        if size > LARGEST_FILE {
            self.refuse(Refusal::FileTooLarge);
            return;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = file_name::safe(&name.unwrap_or_default());
        let (to, at) = (self.name_of(key.peer), self.date(now));
        self.acquaintances.meet(key.peer);
        self.conversations.offer(at, key.peer, &to, key.id, (name.clone(), size), path.clone());
        self.transfers.offered(key, path, name, size);
        self.reach(now, key.peer);
    }

    fn takes_additions(&self, peer: PeerId) -> bool {
        self.links.get(&peer).is_some_and(|lines| lines.link.takes_additions())
    }

    fn file_target(&self, peer: PeerId) -> Option<Target> {
        let lines = self.links.get(&peer).filter(|lines| lines.link.takes_additions())?;
        lines.link.listener().map(Target::Subscriber)
    }

    /// Says something on the flow that gives way to all others.
    fn say_last(&mut self, now: Instant, peer: PeerId, message: &Message) {
        if let Some(target) = self.file_target(peer) {
            let (handler, arguments) = message.to_data();
            self.node.send_bulk(now, target, handler, arguments);
            if let Some(lines) = self.links.get_mut(&peer) {
                lines.idle_since = now;
            }
        }
    }

    /// Has the next pieces read, as far as the far ends, the flows and the call leave room.
    pub(super) fn pump_files(&mut self, now: Instant) {
        for peer in self.transfers.peers_moving_to() {
            let Some(target) = self.file_target(peer) else { continue };
            let mut queued = self.node.queued_bulk(target);
            loop {
                let most = self.files.pace.piece(now, queued);
                if most == 0 {
                    break;
                }
                let Some((job, bytes)) = self.transfers.next_read(peer, most) else { break };
                self.files.pace.took(now, bytes);
                queued += bytes;
                self.told.push_back(ClientEvent::File(job));
            }
        }
    }

    pub(super) fn tick_files(&mut self, now: Instant) {
        if !self.transfers.is_any_moving() {
            return;
        }
        if now >= self.files.next_step {
            self.files.next_step = now + STEP;
            let fares = self.call_fares(now);
            self.files.pace.step(now, fares);
            let effects = self.transfers.step(now);
            self.carry_out_files(now, effects);
        }
        self.pump_files(now);
    }

    pub(super) fn files_deadline(&self, now: Instant) -> Option<Instant> {
        if !self.transfers.is_any_moving() {
            return None;
        }
        let piece = self.files.pace.deadline(now).filter(|_| !self.transfers.peers_moving_to().is_empty());
        [Some(self.files.next_step), piece].into_iter().flatten().min()
    }
}
