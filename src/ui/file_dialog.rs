//! Asks for a file with the system's own dialog, without the window waiting for it.
//!
//! The dialog runs on a thread of its own and its answer is fetched with a later frame. Where a system has no dialog to
//! offer it is over at once, faster than anybody can press Cancel; the window then asks for a path itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use rfd::AsyncFileDialog;

/// A dialog over sooner than this many seconds was never seen.
const NOBODY_IS_THAT_QUICK: f64 = 0.6;

/// What is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Asking {
    /// Files to read.
    ToOpen,
    /// A place to write to, and the name that stands there already.
    ToSave(String),
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// These were chosen.
    Chosen(Vec<PathBuf>),
    /// The person changed their mind.
    Nothing,
    /// There is no dialog on this system.
    NoDialog,
}

/// A dialog that is open.
pub struct FileDialog {
    chosen: Receiver<Vec<PathBuf>>,
    since: f64,
}

impl FileDialog {
    /// Opens one. `now` is the window's clock, in seconds; `wake` makes the window look for the answer.
    pub fn open(title: &str, asking: Asking, now: f64, wake: impl Fn() + Send + 'static) -> Self {
        let (sender, chosen) = sync_channel(1);
        let dialog = AsyncFileDialog::new().set_title(title);
        // Made here, since some systems open dialogs on the window's thread only; waited for elsewhere.
        let begun = thread::Builder::new().name("file dialog".to_owned());
        let spawned = match asking {
            Asking::ToOpen => {
                let files = dialog.pick_files();
                begun.spawn(move || {
                    let files = wait_for(files).unwrap_or_default();
                    let _ = sender.send(files.iter().map(|file| file.path().to_owned()).collect());
                    wake();
                })
            }
            Asking::ToSave(name) => {
                let file = dialog.set_file_name(name).save_file();
                begun.spawn(move || {
                    let file = wait_for(file);
                    let _ = sender.send(file.iter().map(|file| file.path().to_owned()).collect());
                    wake();
                })
            }
        };
        if let Err(problem) = spawned {
            tracing::warn!(%problem, "no thread for a file dialog");
        }
        Self { chosen, since: now }
    }

    /// The answer, once there is one.
    pub fn answer(&self, now: f64) -> Option<Answer> {
        match self.chosen.try_recv() {
            Ok(files) if files.is_empty() => Some(self.given_up(now)),
            Ok(files) => Some(Answer::Chosen(files)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Answer::NoDialog),
        }
    }

    fn given_up(&self, now: f64) -> Answer {
        if now - self.since < NOBODY_IS_THAT_QUICK { Answer::NoDialog } else { Answer::Nothing }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread, which has nothing else to do.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(files: Vec<PathBuf>) -> FileDialog {
        let (sender, chosen) = sync_channel(1);
        sender.send(files).expect("room for one");
        FileDialog { chosen, since: 10.0 }
    }

    #[test]
    fn a_dialog_that_is_over_at_once_was_never_there() {
        assert_eq!(answered(vec![]).answer(10.1), Some(Answer::NoDialog));
        assert_eq!(answered(vec![]).answer(13.0), Some(Answer::Nothing));
    }

    #[test]
    fn what_was_chosen_is_told_once_it_is_known() {
        let files = vec![PathBuf::from("a.pdf")];
        assert_eq!(answered(files.clone()).answer(12.0), Some(Answer::Chosen(files)));
        let (sender, chosen) = sync_channel(1);
        assert_eq!(FileDialog { chosen, since: 0.0 }.answer(1.0), None);
        drop(sender);
    }
}
