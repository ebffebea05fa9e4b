//! The worker's part in what is kept: answers of the history, settings that reach beyond this process, and the identity
//! saved, restored and renewed on threads that may wait.

use std::sync::mpsc::channel;
use std::time::SystemTime;

use super::Worker;
use crate::call::back_up;
use crate::call::command::Command;
use crate::call::event::{Event, Notice};
use crate::call::history_desk::HistoryDesk;
use crate::call::view::Contact;
use crate::history::keeper::Answer;
use crate::history::record::StoredContact;
use crate::settings::{Setting, autostart};

/// The history's next answer; none ever comes without a history.
pub(super) async fn next_answer(history: &mut Option<HistoryDesk>) -> Answer {
    match history {
        Some(history) => history.next().await,
        None => std::future::pending().await,
    }
}

impl Worker {
    /// Tells the person, if there is something to tell.
    pub(super) fn say(&self, notice: Option<Notice>) {
        if let Some(notice) = notice {
            self.pass_on(Event::Notice(notice));
        }
    }

    pub(super) fn history_answered(&mut self, answer: Answer) {
        let Some(history) = &mut self.history else { return };
        let (command, notice) = history.understand(answer);
        if let Some(command) = command {
            self.ask(command);
        }
        self.say(notice);
    }

    /// What a setting changes outside the settings and the machine.
    pub(super) fn setting_changed(&mut self, setting: &Setting) {
        match setting {
            Setting::KeepHistory(keep) => {
                let said = self.history.as_mut().and_then(|history| history.keep_lines(*keep));
                self.say(said);
            }
            Setting::StartAtLogin(on) if self.config.window => {
                let (on, dir) = (*on, self.config.data_dir.clone());
                self.in_background(move || {
                    let (path, why) = autostart::set(on, &dir).err()?;
                    Some(Notice::FileProblem { path, why: why.to_string() })
                });
            }
            Setting::LookForUpdates(_) => self.follow_updates(false),
            _ => {}
        }
    }

    /// Saves, restores or renews who we are. The key shows with the next start: sessions that are open stay whose they are.
    pub(super) fn change_identity(&mut self, command: Command) {
        let dir = self.config.data_dir.clone();
        match command {
            Command::BackUp { to, passphrase } => {
                let settings = self.config.kept.clone();
                let known = self.core.contacts.clone();
                let (give, given) = channel();
                let said = self.history.as_mut().and_then(|history| {
                    history.contacts(Box::new(move |contacts| {
                        let _ = give.send(contacts);
                    }))
                });
                self.say(said);
                self.in_background(move || {
                    // Without a history, what is on screen is all there is.
                    let contacts = given.recv().unwrap_or_else(|_| known.iter().map(as_shown).collect());
                    Some(back_up::make(&dir, &settings, &contacts, to, &passphrase))
                });
            }
            Command::RestoreBackUp { from, passphrase } => {
                self.in_background(move || Some(back_up::restore(&dir, from, &passphrase)));
            }
            Command::NewIdentity => self.in_background(move || Some(back_up::new_identity(&dir))),
            _ => {}
        }
    }

    /// Does what takes long, and tells the person what came of it.
    fn in_background(&self, work: impl FnOnce() -> Option<Notice> + Send + 'static) {
        let (told, waker) = (self.config.told.clone(), self.config.waker.clone());
        tokio::task::spawn_blocking(move || {
            if let Some(notice) = work() {
                // The window may be gone; then nobody wants to know.
                let _ = told.try_send(Event::Notice(notice));
                waker();
            }
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "when it was verified is not on screen; that it was, is")]
fn as_shown(contact: &Contact) -> StoredContact {
    let now = SystemTime::now();
    StoredContact {
        peer: contact.peer_id,
        name: contact.name.clone(),
        told_name: contact.told_name.clone().unwrap_or_default(),
        server: contact.server.clone(),
        verified_at: contact.verified.then_some(now),
        added_at: now,
    }
}
