//! What stands beside a client's machine in tests: a store for its lines and a disk for its files, both in memory. They
//! outlive the client, as disks do.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tincan::call::client_machine::{ClientCommand, ClientEvent, ClientMachine};
use tincan::call::file_job::{FileFailure, FileJob, FileKey, FileReport};
use tincan::history::record::{Keep, LineName, Remembered, StoredKind, StoredLine};
use tincan::rtmfp::PeerId;
use tincan::rtmfp::machine::{Input, Machine as _};

use crate::support::virtual_network::Host;
use crate::world::{Anyone, Asked, Told, World};

/// A store and a disk.
#[derive(Clone, Default)]
pub(crate) struct Keeper(Rc<RefCell<Kept>>);

#[derive(Default)]
struct Kept {
    lines: BTreeMap<(PeerId, LineName), StoredLine>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    growing: BTreeMap<FileKey, PathBuf>,
    /// Tickets that are answered later.
    held_back: Option<Vec<u64>>,
    /// The disk takes no more than so many bytes of a file.
    full_at: Option<usize>,
    /// Bytes written in all.
    written: usize,
}

impl Keeper {
    /// A file on the disk, of that size and of bytes that differ.
    pub(crate) fn put(&self, path: &str, size: usize) {
        let bytes = (0..size).map(|n| (n * n / 7 + n) as u8).collect();
        self.0.borrow_mut().files.insert(PathBuf::from(path), bytes);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.0.borrow_mut().files.remove(&PathBuf::from(path));
    }

    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.0.borrow().files.get(&PathBuf::from(path)).cloned()
    }

    pub(crate) fn files(&self) -> usize {
        self.0.borrow().files.len()
    }

    pub(crate) fn written(&self) -> usize {
        self.0.borrow().written
    }

    pub(crate) fn is_full_at(&self, bytes: usize) {
        self.0.borrow_mut().full_at = Some(bytes);
    }

    /// From now on nothing is safe.
    pub(crate) fn hold_back(&self) {
        self.0.borrow_mut().held_back = Some(vec![]);
    }

    /// What was held back is safe.
    pub(crate) fn let_go(&self) -> Vec<u64> {
        self.0.borrow_mut().held_back.take().unwrap_or_default()
    }

    /// What the next start is told.
    pub(crate) fn remembered(&self) -> Remembered {
        let mut lines: Vec<StoredLine> = self.0.borrow().lines.values().cloned().collect();
        lines.sort_by_key(|line| line.at);
        Remembered { lines, ..Remembered::default() }
    }

    /// Does what a client's machine wants done, at once.
    fn answer(&self, event: &ClientEvent) -> Option<ClientCommand> {
        let mut kept = self.0.borrow_mut();
        match event {
            ClientEvent::Keep { what, ticket } => {
                kept.keep(what);
                let ticket = (*ticket)?;
                if let Some(held_back) = &mut kept.held_back {
                    held_back.push(ticket);
                    return None;
                }
                Some(ClientCommand::Kept(ticket))
            }
            ClientEvent::File(job) => kept.work(job).map(ClientCommand::File),
            _ => None,
        }
    }
}

impl Kept {
    fn keep(&mut self, what: &Keep) {
        match what {
            Keep::Line(line) => _ = self.lines.insert((line.peer, line.name), line.clone()),
            Keep::LineGone(peer, name) => _ = self.lines.remove(&(*peer, *name)),
            Keep::Erase(whose) => self.lines.retain(|(peer, _), _| whose.is_some_and(|whose| whose != *peer)),
            Keep::ReadAll(whose) => {
                for line in self.lines.values_mut().filter(|line| line.peer == *whose) {
                    match &mut line.what {
                        StoredKind::Received { read, .. }
                        | StoredKind::Call { read, .. }
                        | StoredKind::File { read, .. } => *read = true,
                        StoredKind::Sent { .. } => {}
                    }
                }
            }
            Keep::Contact(_) | Keep::ContactGone(_) => {}
        }
    }

    fn work(&mut self, job: &FileJob) -> Option<FileReport> {
        let failed =
            |key, path, why: &str| FileReport::Failed { key, path, why: FileFailure::System(why.into()) };
        let missing = "there is no such file";
        match job.clone() {
            FileJob::Look { key, path } => Some(match self.files.get(&path) {
                Some(bytes) => FileReport::Looked { key, size: bytes.len() as u64 },
                None => failed(key, path, missing),
            }),
            FileJob::Read { key, path, offset, most, .. } => Some(match self.files.get(&path) {
                Some(all) => {
                    let from = offset as usize;
                    let to = (from + most).min(all.len());
                    let digest = (to == all.len()).then(|| Sha256::digest(all).into());
                    FileReport::Read { key, offset, bytes: Bytes::copy_from_slice(&all[from..to]), digest }
                }
                None => failed(key, path, missing),
            }),
            FileJob::Place { key, name, part, .. } => {
                let part = part.unwrap_or_else(|| PathBuf::from(format!("/downloads/{name}.part")));
                let offset = self.files.entry(part.clone()).or_default().len() as u64;
                self.growing.insert(key, part.clone());
                Some(FileReport::Placed { key, part, offset })
            }
            FileJob::Write { key, offset, bytes } => {
                let part = self.growing.get(&key)?.clone();
                let full_at = self.full_at.unwrap_or(usize::MAX);
                let file = self.files.get_mut(&part)?;
                if file.len() + bytes.len() > full_at {
                    self.growing.remove(&key);
                    return Some(failed(key, part, "no space is left"));
                }
                assert_eq!(file.len() as u64, offset, "pieces come in their order");
                file.extend_from_slice(&bytes);
                self.written += bytes.len();
                Some(FileReport::Written { key, up_to: offset + bytes.len() as u64 })
            }
            FileJob::Finish { key, digest } => {
                let part = self.growing.remove(&key)?;
                let bytes = self.files.remove(&part)?;
                assert_eq!(<[u8; 32]>::from(Sha256::digest(&bytes)), digest, "what came is what was sent");
                let path = part.with_extension("");
                self.files.insert(path.clone(), bytes);
                Some(FileReport::Finished { key, path })
            }
            FileJob::Discard { key, part } => {
                let part = self.growing.remove(&key).or(part)?;
                self.files.remove(&part);
                None
            }
            FileJob::Close { .. } => None,
        }
    }
}

impl World {
    /// A client with a store and a disk, connected to the server.
    pub(crate) fn kept_client(&mut self, name: &str) -> (Host, PeerId, Keeper) {
        let keeper = Keeper::default();
        self.seed += 1;
        let (mut config, peer) = self.config(self.seed, name, self.setup());
        config.keeps = true;
        let host = self.net.add(Anyone::Client(Box::new(ClientMachine::new(config.clocks.0, config))));
        self.attach(host, &keeper);
        self.equip(host, self.server);
        self.is_connected(host, name);
        (host, peer, keeper)
    }

    /// The program of a kept client is ended without a word, and started anew.
    pub(crate) fn restart(&mut self, host: Host, name: &str, keeper: &Keeper) {
        // The server is the first host, and clients draw their keys in their order.
        let (mut config, _) = self.config(host.0 as u8, name, self.setup());
        config.keeps = true;
        config.remembered = keeper.remembered();
        config.seed = [config.seed[0] + 50; 32];
        config.node.endpoint.seed = [config.seed[0] + 60; 32];
        let now = config.clocks.0;
        config.clocks.1 += self.net.elapsed();
        self.attach(host, keeper);
        self.net.restart(host, Anyone::Client(Box::new(ClientMachine::new(now, config))));
        self.equip(host, self.server);
    }

    /// What was held back is safe now.
    pub(crate) fn all_safe(&mut self, host: Host, keeper: &Keeper) {
        for ticket in keeper.let_go() {
            self.ask(host, ClientCommand::Kept(ticket));
        }
    }

    fn attach(&mut self, host: Host, keeper: &Keeper) {
        let keeper = keeper.clone();
        self.net.react(host, move |machine: &mut Anyone, now: Instant, told: &Told| {
            if let Told::Client(event) = told
                && let Some(command) = keeper.answer(event)
            {
                machine.handle_input(now, Input::Command(Asked::Client(command)));
            }
        });
    }
}
