//! The doer that reads and writes files for conversations: one thread, jobs in, reports out, nothing decided.
//!
//! What comes is written beside its final name, with `.part` at the end, and gets the name only when all of it is there
//! and is what was sent. Nothing that exists is overwritten, nothing is made executable, and nothing is ever opened.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::file_job::{FileFailure, FileJob, FileKey, FileReport};
use super::file_name;

/// Files of one name in the folder.
const MOST_OF_A_NAME: u32 = 10_000;
/// What is read at once to get the sum of what was moved before.
const BLOCK: usize = 256 * 1024;
/// What is read at once at all.
const MOST_READ: usize = 1 << 20;

/// The thread. It ends when this is dropped, after the job it is at; sums of long files are given up.
pub(crate) struct FileDesk {
    jobs: Jobs,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Where to put jobs. It never waits, and needs no bound of its own: who asks gives each file only a window of jobs, and
/// only so many files at once.
#[derive(Clone)]
pub(crate) struct Jobs(Sender<Option<FileJob>>);

impl Jobs {
    /// Asks for something. A desk that is closed does nothing more.
    pub(crate) fn ask(&self, job: FileJob) {
        if self.0.send(Some(job)).is_err() {
            tracing::debug!("a file's job comes after the end");
        }
    }
}

impl FileDesk {
    /// Starts it. What comes goes into `folder`; `report` may wait, and answers false when nobody listens any more.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        folder: PathBuf,
        report: impl Fn(FileReport) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, asked) = channel();
        let closing = Arc::new(AtomicBool::new(false));
        let mut desk = Desk::new(folder, Arc::clone(&closing));
        let thread = std::thread::Builder::new().name("files".to_owned()).spawn(move || {
            while let Ok(Some(job)) = asked.recv() {
                let done = desk.work(job);
                if desk.closing.load(Ordering::Relaxed) || done.is_some_and(|done| !report(done)) {
                    return;
                }
            }
        })?;
        Ok(Self { jobs: Jobs(jobs), closing, thread: Some(thread) })
    }

    /// Where to put jobs.
    pub(crate) fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }
}

impl Drop for FileDesk {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        // It may be gone already.
        let _ = self.jobs.0.send(None);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the files' thread panicked");
        }
    }
}

/// What the thread does, without the thread.
struct Desk {
    folder: PathBuf,
    /// Nobody waits for what takes long any more.
    closing: Arc<AtomicBool>,
    sources: BTreeMap<FileKey, Source>,
    places: BTreeMap<FileKey, Place>,
}

/// A file that is read.
struct Source {
    file: File,
    modified: Option<SystemTime>,
    /// The sum of everything before `at`.
    sum: Sha256,
    at: u64,
}

/// A file that is written.
struct Place {
    file: File,
    part: PathBuf,
    name: String,
    sum: Sha256,
    at: u64,
}

impl Desk {
    fn new(folder: PathBuf, closing: Arc<AtomicBool>) -> Self {
        Self { folder, closing, sources: BTreeMap::new(), places: BTreeMap::new() }
    }

    fn work(&mut self, job: FileJob) -> Option<FileReport> {
        match job {
            FileJob::Look { key, path } => Some(match look(&path) {
                Ok(size) => FileReport::Looked { key, size },
                Err(why) => FileReport::Failed { key, path, why },
            }),
            FileJob::Read { key, path, size, offset, most } => {
                Some(match self.read(key, &path, size, offset, most) {
                    Ok((bytes, digest)) => FileReport::Read { key, offset, bytes, digest },
                    Err(why) => {
                        self.sources.remove(&key);
                        FileReport::Failed { key, path, why }
                    }
                })
            }
            FileJob::Place { key, name, size, part } => {
                Some(match self.place(&name, size, part.as_deref()) {
                    Ok(place) => {
                        let (part, offset) = (place.part.clone(), place.at);
                        self.places.insert(key, place);
                        FileReport::Placed { key, part, offset }
                    }
                    Err(error) => FileReport::Failed { key, path: self.folder.join(name), why: error.into() },
                })
            }
            FileJob::Write { key, offset, bytes } => self.write(key, offset, &bytes),
            FileJob::Finish { key, digest } => {
                let place = self.places.remove(&key)?;
                let path = self.folder.join(&place.name);
                Some(match self.finish(place, digest) {
                    Ok(path) => FileReport::Finished { key, path },
                    Err(why) => FileReport::Failed { key, path, why },
                })
            }
            FileJob::Discard { key, part } => {
                let made = self.places.remove(&key).map(|place| place.part);
                if let Some(part) = made.or(part) {
                    discard(&part);
                }
                None
            }
            FileJob::Close { key } => {
                self.sources.remove(&key);
                None
            }
        }
    }

    fn read(
        &mut self,
        key: FileKey,
        path: &Path,
        size: u64,
        offset: u64,
        most: usize,
    ) -> Result<(Bytes, Option<[u8; 32]>), FileFailure> {
        let source = match self.sources.entry(key) {
            std::collections::btree_map::Entry::Occupied(source) => source.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(Source::open(path, size)?),
        };
        source.go_to(offset, &self.closing)?;
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; most.min(left).min(MOST_READ)];
        source.file.read_exact(&mut bytes).map_err(shorter_is_changed)?;
        source.sum.update(&bytes);
        source.at += bytes.len() as u64;
        let is_all = source.at == size;
        if is_all && source.file.metadata()?.modified().ok() != source.modified {
            return Err(FileFailure::Changed);
        }
        let digest = is_all.then(|| source.sum.clone().finalize().into());
        Ok((bytes.into(), digest))
    }

    /// Opens what came before, or else makes a new place under the first name that is free.
    fn place(&self, name: &str, size: u64, part: Option<&Path>) -> io::Result<Place> {
        if let Some(part) = part
            && is_part(part)
            // A link that took its place leads to something that is not ours.
            && fs::symlink_metadata(part).is_ok_and(|about| about.is_file())
            && let Ok(file) = OpenOptions::new().read(true).write(true).open(part)
            && file.metadata().is_ok_and(|about| about.is_file() && about.len() <= size)
        {
            return Place::go_on(file, part.to_owned(), name.to_owned(), &self.closing);
        }
        fs::create_dir_all(&self.folder)?;
        for number in 1..=MOST_OF_A_NAME {
            let numbered = file_name::numbered(name, number);
            if exists(&self.folder.join(&numbered)) {
                continue;
            }
            let part = self.folder.join(format!("{numbered}.part"));
            match OpenOptions::new().read(true).write(true).create_new(true).open(&part) {
                Ok(file) => return Place::go_on(file, part, name.to_owned(), &self.closing),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn write(&mut self, key: FileKey, offset: u64, bytes: &[u8]) -> Option<FileReport> {
        // Of a file that failed or was stopped nothing more is written.
        let place = self.places.get_mut(&key).filter(|place| place.at == offset)?;
        if let Err(error) = place.file.write_all(bytes) {
            let path = self.places.remove(&key).map(|place| place.part).unwrap_or_default();
            return Some(FileReport::Failed { key, path, why: error.into() });
        }
        place.sum.update(bytes);
        place.at += bytes.len() as u64;
        Some(FileReport::Written { key, up_to: place.at })
    }

    fn finish(&self, place: Place, digest: [u8; 32]) -> Result<PathBuf, FileFailure> {
        let Place { file, part, name, sum, .. } = place;
        if <[u8; 32]>::from(sum.finalize()) != digest {
            discard(&part);
            return Err(FileFailure::Damaged);
        }
        file.sync_all()?;
        drop(file);
        for number in 1..=MOST_OF_A_NAME {
            let path = self.folder.join(file_name::numbered(&name, number));
            match give_name(&part, &path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists).into())
    }
}

impl Source {
    fn open(path: &Path, size: u64) -> Result<Self, FileFailure> {
        // Looked at before it is opened: to open a pipe would wait for whoever writes into it.
        if look(path)? != size {
            return Err(FileFailure::Changed);
        }
        let file = File::open(path)?;
        let modified = file.metadata()?.modified().ok();
        Ok(Self { file, modified, sum: Sha256::new(), at: 0 })
    }

    /// Goes to a place in the file, with the sum of everything before it.
    fn go_to(&mut self, offset: u64, closing: &AtomicBool) -> Result<(), FileFailure> {
        if offset == self.at {
            return Ok(());
        }
        if offset < self.at {
            self.file.seek(SeekFrom::Start(0))?;
            self.sum = Sha256::new();
            self.at = 0;
        }
        add_to_sum(&mut self.file, &mut self.sum, offset - self.at, closing).map_err(shorter_is_changed)?;
        self.at = offset;
        Ok(())
    }
}

impl Place {
    fn go_on(mut file: File, part: PathBuf, name: String, closing: &AtomicBool) -> io::Result<Self> {
        let at = file.metadata()?.len();
        let mut sum = Sha256::new();
        add_to_sum(&mut file, &mut sum, at, closing)?;
        Ok(Self { file, part, name, sum, at })
    }
}

impl From<io::Error> for FileFailure {
    fn from(error: io::Error) -> Self {
        Self::System(error.to_string())
    }
}

/// How long a file is; what is no file is refused.
fn look(path: &Path) -> Result<u64, FileFailure> {
    let about = fs::metadata(path)?;
    if about.is_file() { Ok(about.len()) } else { Err(FileFailure::NotAFile) }
}

fn shorter_is_changed(error: io::Error) -> FileFailure {
    if error.kind() == io::ErrorKind::UnexpectedEof { FileFailure::Changed } else { error.into() }
}

fn add_to_sum(file: &mut File, sum: &mut Sha256, length: u64, closing: &AtomicBool) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    let mut left = length;
    while left > 0 {
        if closing.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
        file.read_exact(&mut block[..most])?;
        sum.update(&block[..most]);
        left -= most as u64;
    }
    Ok(())
}

/// Gives a file its name unless something has that name.
fn give_name(part: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(part, path) {
        Ok(()) => {
            if let Err(error) = fs::remove_file(part) {
                tracing::warn!(%error, "what a file grew in stays behind");
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links; between the look and the renaming only the person could come.
        Err(_) if exists(path) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(part, path),
    }
}

/// Whether anything has this name, a link to nowhere included.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "part")
}

fn discard(part: &Path) {
    if is_part(part)
        && let Err(error) = fs::remove_file(part)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "what came of a file cannot be deleted");
    }
}

#[cfg(test)]
#[path = "file_desk/tests.rs"]
mod tests;
