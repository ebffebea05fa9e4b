//! The thread that owns the store: others hand it changes and questions and never wait for a disk.
//!
//! Changes that come close together become one transaction: nobody waits longer than [`GATHER`] for the disk to know, and
//! whoever wants to be told (a ticket) has it written at once. Answers come back through one function, in order.
//!
//! # What a ticket promises
//!
//! [`Answer::Kept`] is said when the change is safe on the disk, or when the person switched keeping off, which is their
//! word that nothing shall be. It is never said for a change that should have been written and was not: a message whose
//! sender is told that it is kept must be there after a crash. Whoever sent it keeps it, and sends it again another day.
//! After the first change that could not be written nothing more is tried in this run, so that the file has no holes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::HistoryError;
use super::record::{Keep, LineName, Remembered, StoredContact};
use super::store::{Opened, Page, Store};
use crate::rtmfp::PeerId;

/// Requests that may wait. A disk that is this far behind keeps nothing more.
const REQUESTS: usize = 4_096;
/// Changes in one transaction, at most.
const BATCH: usize = 1_024;
/// How long changes are gathered before they are written.
const GATHER: Duration = Duration::from_millis(50);

/// What comes back from the thread.
#[derive(Debug)]
pub enum Answer {
    /// The first one: the history is there, with what is known.
    Opened {
        /// What is known at a start.
        remembered: Remembered,
        /// Where a damaged file was put, if there was one.
        set_aside: Option<PathBuf>,
    },
    /// The first one otherwise, or the last: nothing is kept from here on. What was asked for and not answered by then was
    /// not kept.
    Failed(HistoryError),
    /// The change of this ticket needs no more care.
    Kept(u64),
    /// A page of a conversation.
    Earlier {
        /// With whom.
        peer: PeerId,
        /// The lines, oldest first.
        page: Page,
    },
    /// What became of an export.
    Exported {
        /// Where to.
        to: PathBuf,
        /// Whether it is there.
        result: Result<(), HistoryError>,
    },
}

/// Takes contacts; called on the history's thread.
pub type TakeContacts = Box<dyn FnOnce(Vec<StoredContact>) + Send>;

enum Request {
    Keep(Keep, Option<u64>),
    Earlier(PeerId, Option<LineName>),
    Export(PathBuf),
    KeepLines(bool),
    Contacts(TakeContacts),
    Finish,
}

/// The thread was too far behind, or is gone: what was asked is not done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the disk does not keep up")]
pub struct NotTaken;

/// The thread, held by whoever asks. Dropping it writes what waits, and ends the thread.
#[derive(Debug)]
pub struct Keeper {
    requests: SyncSender<Request>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread, which opens the history in `dir` and answers that first. Answers are given on the thread; one
    /// that cannot be taken at once may hold the thread up, and nothing else.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn start(
        dir: &Path,
        keeps_lines: bool,
        answer: impl FnMut(Answer) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, received) = sync_channel(REQUESTS);
        let dir = dir.to_owned();
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || run(&dir, keeps_lines, &received, answer))?;
        Ok(Self { requests, thread: Some(thread) })
    }

    /// Makes a change; with a ticket, answered by [`Answer::Kept`].
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn keep(&self, what: Keep, ticket: Option<u64>) -> Result<(), NotTaken> {
        self.ask(Request::Keep(what, ticket))
    }

    /// Asks for the page before a line, or the latest; answered by [`Answer::Earlier`].
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn earlier(&self, peer: PeerId, before: Option<LineName>) -> Result<(), NotTaken> {
        self.ask(Request::Earlier(peer, before))
    }

    /// Writes everything into a JSON file; answered by [`Answer::Exported`].
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn export(&self, to: PathBuf) -> Result<(), NotTaken> {
        self.ask(Request::Export(to))
    }

    /// From now on keeps lines of conversations, or no new ones.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn keep_lines(&self, keep: bool) -> Result<(), NotTaken> {
        self.ask(Request::KeepLines(keep))
    }

    /// Asks for all contacts, with every change before this one. When they cannot be read, `take` is dropped.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn contacts(&self, take: TakeContacts) -> Result<(), NotTaken> {
        self.ask(Request::Contacts(take))
    }

    fn ask(&self, request: Request) -> Result<(), NotTaken> {
        self.requests.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => NotTaken,
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A full queue still gets its end: the thread takes from it all the while. Without a thread there is no queue.
        let _ = self.requests.send(Request::Finish);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the history's thread panicked");
        }
    }
}

fn run(dir: &Path, keeps_lines: bool, requests: &Receiver<Request>, mut answer: impl FnMut(Answer)) {
    match Store::open_for_use(dir) {
        Ok(Opened { store, remembered, set_aside }) => {
            answer(Answer::Opened { remembered, set_aside });
            Work { store, keeps_lines, answer, batch: vec![], tickets: vec![], failed: false }
                .serve(requests);
        }
        // Requests find nobody from here on.
        Err(error) => answer(Answer::Failed(error)),
    }
}

struct Work<A> {
    store: Store,
    keeps_lines: bool,
    answer: A,
    batch: Vec<Keep>,
    tickets: Vec<u64>,
    /// Something could not be written: reading goes on, writing does not.
    failed: bool,
}

impl<A: FnMut(Answer)> Work<A> {
    fn serve(&mut self, requests: &Receiver<Request>) {
        let mut write_at: Option<Instant> = None;
        loop {
            let wait = write_at.map(|at| at.saturating_duration_since(Instant::now()));
            // Whoever waits for an answer gets it as soon as nothing more is there to go with it.
            let wait = if self.tickets.is_empty() { wait } else { Some(Duration::ZERO) };
            let next = match wait {
                Some(wait) => requests.recv_timeout(wait),
                None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(Request::Keep(what, ticket)) => {
                    self.batch.push(what);
                    self.tickets.extend(ticket);
                    write_at.get_or_insert_with(|| Instant::now() + GATHER);
                    if self.batch.len() < BATCH {
                        continue;
                    }
                    self.write();
                }
                Err(RecvTimeoutError::Timeout) => self.write(),
                Ok(Request::Finish) | Err(RecvTimeoutError::Disconnected) => {
                    self.write();
                    return;
                }
                Ok(question) => {
                    self.write();
                    self.answer(question);
                }
            }
            write_at = None;
        }
    }

    fn answer(&mut self, question: Request) {
        match question {
            Request::Earlier(peer, before) => match self.store.earlier(peer, before) {
                Ok(page) => (self.answer)(Answer::Earlier { peer, page }),
                Err(error) => self.fail(error),
            },
            Request::Export(to) => {
                let result = self.store.export(&to, SystemTime::now());
                (self.answer)(Answer::Exported { to, result });
            }
            Request::KeepLines(keep) => self.keeps_lines = keep,
            Request::Contacts(take) => match self.store.contacts() {
                Ok(contacts) => take(contacts),
                Err(error) => self.fail(error),
            },
            Request::Keep(..) | Request::Finish => {}
        }
    }

    fn write(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let tickets = std::mem::take(&mut self.tickets);
        if batch.is_empty() || self.failed {
            return;
        }
        match self.store.keep(&batch, self.keeps_lines) {
            Ok(()) => tickets.into_iter().for_each(|ticket| (self.answer)(Answer::Kept(ticket))),
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: HistoryError) {
        if !std::mem::replace(&mut self.failed, true) {
            (self.answer)(Answer::Failed(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::history::record::{StoredKind, StoredLine};
    use crate::history::test_directory::TestDirectory;

    const ADA: PeerId = PeerId([1; 32]);
    /// Far more than any disk takes; only a test that fails waits for it.
    const AT_MOST: Duration = Duration::from_secs(30);

    fn line(number: u8) -> Keep {
        let what = StoredKind::Received { text: number.to_string(), read: false };
        let at = SystemTime::UNIX_EPOCH;
        Keep::Line(StoredLine { name: [number; 16], peer: ADA, peer_name: "Ada".into(), at, what })
    }

    fn started(dir: &TestDirectory, keeps_lines: bool) -> (Keeper, mpsc::Receiver<Answer>, Remembered) {
        let (tell, told) = mpsc::channel();
        let keeper = Keeper::start(dir.path(), keeps_lines, move |answer| {
            let _ = tell.send(answer);
        });
        match told.recv_timeout(AT_MOST).unwrap() {
            Answer::Opened { remembered, .. } => (keeper.unwrap(), told, remembered),
            other => panic!("not opened: {other:?}"),
        }
    }

    #[test]
    fn what_was_kept_is_there_at_the_next_start() {
        let dir = TestDirectory::new();
        let (keeper, ..) = started(&dir, true);
        (0..10).for_each(|number| keeper.keep(line(number), None).unwrap());
        drop(keeper);
        assert_eq!(started(&dir, true).2.lines.len(), 10);
    }

    #[test]
    fn a_ticket_is_answered_once_the_change_is_there() {
        let dir = TestDirectory::new();
        let (keeper, told, _) = started(&dir, true);
        keeper.keep(line(1), Some(77)).unwrap();
        assert!(matches!(told.recv_timeout(AT_MOST), Ok(Answer::Kept(77))));
        keeper.earlier(ADA, None).unwrap();
        match told.recv_timeout(AT_MOST) {
            Ok(Answer::Earlier { page, .. }) => assert_eq!(page.lines.len(), 1),
            other => panic!("no page: {other:?}"),
        }
    }

    #[test]
    fn with_keeping_off_a_ticket_is_answered_and_nothing_is_kept() {
        let dir = TestDirectory::new();
        let (keeper, told, _) = started(&dir, true);
        keeper.keep_lines(false).unwrap();
        keeper.keep(line(1), Some(1)).unwrap();
        assert!(matches!(told.recv_timeout(AT_MOST), Ok(Answer::Kept(1))));
        drop(keeper);
        assert_eq!(started(&dir, true).2.lines, []);
    }

    #[test]
    fn what_could_not_be_written_is_never_called_kept_and_said_once() {
        let dir = TestDirectory::new();
        let mut answers = vec![];
        {
            let store = Store::open(dir.path()).unwrap();
            let mut work = Work {
                store,
                keeps_lines: true,
                answer: |answer| answers.push(answer),
                batch: vec![],
                tickets: vec![],
                failed: false,
            };
            work.fail(HistoryError::DiskFull);
            for ticket in 0..3 {
                work.batch.push(line(ticket));
                work.tickets.push(u64::from(ticket));
                work.write();
            }
            work.fail(HistoryError::DiskFull);
        }
        assert!(matches!(answers[..], [Answer::Failed(HistoryError::DiskFull)]), "{answers:?}");
    }

    #[test]
    fn a_history_that_cannot_be_opened_is_said_first_and_takes_nothing() {
        let dir = TestDirectory::new();
        let _other = Store::open(dir.path()).unwrap();
        let (tell, told) = mpsc::channel();
        let keeper = Keeper::start(dir.path(), true, move |answer| {
            let _ = tell.send(answer);
        })
        .unwrap();
        assert!(matches!(told.recv_timeout(AT_MOST), Ok(Answer::Failed(HistoryError::InUse))));
        drop(keeper);
    }

    #[test]
    fn contacts_are_handed_over_with_every_change_before() {
        let dir = TestDirectory::new();
        let (keeper, ..) = started(&dir, true);
        let ada = StoredContact {
            peer: ADA,
            name: "Ada".into(),
            told_name: String::new(),
            server: None,
            verified_at: None,
            added_at: SystemTime::UNIX_EPOCH,
        };
        keeper.keep(Keep::Contact(ada.clone()), None).unwrap();
        let (give, given) = mpsc::channel();
        keeper.contacts(Box::new(move |contacts| give.send(contacts).unwrap())).unwrap();
        assert_eq!(given.recv_timeout(AT_MOST).unwrap(), [ada]);
    }
}
