//! The history as the worker holds it: opened ahead of the window, asked without waiting, its answers put into the words
//! of the machine.
//!
//! A history that cannot be used is said once. Nothing is kept in that run, and received messages are then not
//! acknowledged: who sent them keeps them and says them again, and "delivered" goes on meaning that they are safe here.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc;

use super::client_machine::ClientCommand;
use super::event::Notice;
use crate::history::HistoryError;
use crate::history::keeper::{Answer, Keeper, NotTaken, TakeContacts};
use crate::history::record::{Keep, LineName, Remembered};
use crate::rtmfp::PeerId;

/// Answers that may wait for the worker; the history's thread waits too, then.
const ANSWERS: usize = 256;
/// A disk that has not given the history by then is not waited for: the window comes first. Usually it is there before.
const OPEN_WITHIN: Duration = Duration::from_secs(3);

/// The history of a client, from its opening on.
#[derive(Debug)]
pub struct HistoryDesk {
    opened: Receiver<Answer>,
    // Before the keeper, which waits for room in it while it is dropped.
    answers: mpsc::Receiver<Answer>,
    keeper: Keeper,
    failed: bool,
}

impl HistoryDesk {
    /// Begins to open the history in a data directory, on a thread of its own.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn open(data_dir: &Path, keeps_lines: bool) -> std::io::Result<Self> {
        let (first, opened) = sync_channel(1);
        let (tell, answers) = mpsc::channel(ANSWERS);
        let mut first = Some(first);
        let keeper = Keeper::start(data_dir, keeps_lines, move |answer| {
            // Whoever asked may be gone; then nobody wants to know.
            let _ = match first.take() {
                Some(first) => first.send(answer).is_ok(),
                None => tell.blocking_send(answer).is_ok(),
            };
        })?;
        Ok(Self { opened, answers, keeper, failed: false })
    }

    /// What is known at the start, and what the person should be told about it.
    pub(super) fn remembered(&mut self) -> (Remembered, Option<Notice>) {
        match self.opened.recv_timeout(OPEN_WITHIN) {
            Ok(Answer::Opened { remembered, set_aside }) => {
                (remembered, set_aside.map(Notice::HistorySetAside))
            }
            Ok(Answer::Failed(error)) => (Remembered::default(), self.fail(&error)),
            Ok(_) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {
                (Remembered::default(), self.not_taken())
            }
        }
    }

    /// The next answer; waits for one, for ever when there is none.
    pub(super) async fn next(&mut self) -> Answer {
        match self.answers.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// An answer in the words of the machine, and of the person.
    pub(super) fn understand(&mut self, answer: Answer) -> (Option<ClientCommand>, Option<Notice>) {
        match answer {
            Answer::Kept(ticket) => (Some(ClientCommand::Kept(ticket)), None),
            Answer::Earlier { peer, page } => {
                (Some(ClientCommand::Earlier { peer, lines: page.lines, more: page.more }), None)
            }
            Answer::Exported { to, result } => (None, Some(exported(to, result))),
            Answer::Failed(error) => (None, self.fail(&error)),
            Answer::Opened { .. } => (None, None),
        }
    }

    /// Keeps a change.
    pub(super) fn keep(&mut self, what: Keep, ticket: Option<u64>) -> Option<Notice> {
        self.ask(|keeper| keeper.keep(what, ticket))
    }

    /// Asks for earlier lines.
    pub(super) fn earlier(&mut self, peer: PeerId, before: Option<LineName>) -> Option<Notice> {
        self.ask(|keeper| keeper.earlier(peer, before))
    }

    /// Keeps new lines from now on, or none.
    pub(super) fn keep_lines(&mut self, keep: bool) -> Option<Notice> {
        self.ask(|keeper| keeper.keep_lines(keep))
    }

    /// Writes everything into a JSON file. Unlike what goes on by itself, this is refused aloud each time.
    pub(super) fn export(&mut self, to: PathBuf) -> Option<Notice> {
        let problem =
            || Some(exported(to.clone(), Err(HistoryError::File(std::io::ErrorKind::NotConnected.into()))));
        if self.failed {
            return problem();
        }
        self.keeper.export(to.clone()).err().and_then(|NotTaken| problem())
    }

    /// Hands all contacts over; `take` is dropped when there is no history.
    pub(super) fn contacts(&mut self, take: TakeContacts) -> Option<Notice> {
        self.ask(|keeper| keeper.contacts(take))
    }

    fn ask(&mut self, request: impl FnOnce(&Keeper) -> Result<(), NotTaken>) -> Option<Notice> {
        if self.failed {
            return None;
        }
        request(&self.keeper).err().and_then(|NotTaken| self.not_taken())
    }

    fn not_taken(&mut self) -> Option<Notice> {
        let said = Notice::HistoryProblem(NotTaken.to_string());
        (!std::mem::replace(&mut self.failed, true)).then_some(said)
    }

    fn fail(&mut self, error: &HistoryError) -> Option<Notice> {
        tracing::error!("the history cannot be used: {error}");
        let said = match error {
            HistoryError::TooNew { .. } => Notice::HistoryTooNew,
            other => Notice::HistoryProblem(other.to_string()),
        };
        (!std::mem::replace(&mut self.failed, true)).then_some(said)
    }
}

fn exported(to: PathBuf, result: Result<(), HistoryError>) -> Notice {
    match result {
        Ok(()) => Notice::Written(to),
        Err(error) => Notice::FileProblem { path: to, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    #[test]
    fn a_history_that_cannot_be_used_is_said_once_and_nothing_is_asked_of_it() {
        let scratch = Scratch::new();
        let mut first = HistoryDesk::open(scratch.path(), true).unwrap();
        assert_eq!(first.remembered(), (Remembered::default(), None));
        let mut second = HistoryDesk::open(scratch.path(), true).unwrap();
        assert!(matches!(second.remembered(), (_, Some(Notice::HistoryProblem(_)))));
        assert_eq!(second.keep(Keep::Erase(None), Some(1)), None);
        assert!(matches!(second.export(scratch.path().join("x")), Some(Notice::FileProblem { .. })));
    }

    #[tokio::test]
    async fn a_ticket_comes_back_as_the_machine_knows_it() {
        let scratch = Scratch::new();
        let mut desk = HistoryDesk::open(scratch.path(), true).unwrap();
        desk.remembered();
        assert_eq!(desk.keep(Keep::Erase(None), Some(7)), None);
        let answer = desk.next().await;
        assert_eq!(desk.understand(answer), (Some(ClientCommand::Kept(7)), None));
    }
}
