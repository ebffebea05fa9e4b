//! Notifications (the Desktop Notifications Specification 1.2), with buttons where the desktop has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::Value;

use super::session_bus::Teller;
use super::{APP_ID, Notification, Told};
use crate::call::PeerId;
use crate::ui::words::{word, word_with};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// What a press on a notification means.
#[derive(Clone, Copy, Debug)]
enum About {
    Call,
    Peer(PeerId),
    Window,
}

type Shown = Arc<Mutex<BTreeMap<u32, About>>>;

/// The notifications that are on the screen.
pub(super) struct Notifications {
    proxy: Option<Proxy<'static>>,
    connection: Connection,
    shown: Shown,
    ringing: Option<u32>,
    has_markup: bool,
    has_actions: bool,
}

impl Notifications {
    pub(super) fn new(connection: &Connection, teller: &Teller) -> Self {
        let proxy = Proxy::new(connection, NAME, PATH, NAME).inspect_err(|error| {
            tracing::info!(%error, "no notifications on this desktop");
        });
        let mut this = Self {
            proxy: proxy.ok(),
            connection: connection.clone(),
            shown: Shown::default(),
            ringing: None,
            has_markup: false,
            has_actions: false,
        };
        this.ask_what_it_can();
        this.listen(teller);
        this
    }

    /// Shows one. A call that rings stays until it is taken away.
    pub(super) fn show(&mut self, notification: &Notification) {
        let locked = self.screen_is_locked();
        let words = Words::of(notification, locked);
        let id = match self.notify(&words) {
            Ok(id) => id,
            Err(error) => {
                tracing::info!(%error, "a notification was not shown");
                return;
            }
        };
        if words.urgent {
            self.ringing = Some(id);
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        while shown.len() >= MOST_SHOWN {
            shown.pop_first();
        }
        shown.insert(id, words.about);
    }

    pub(super) fn take_ringing_away(&mut self) {
        let (Some(id), Some(proxy)) = (self.ringing.take(), &self.proxy) else { return };
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Err(error) = proxy.call::<_, _, ()>("CloseNotification", &(id)) {
            tracing::debug!(%error, "the notification of a call was gone already");
        }
    }

    fn notify(&self, words: &Words) -> zbus::Result<u32> {
        let proxy = self.proxy.as_ref().ok_or(zbus::Error::InterfaceNotFound)?;
        let mut hints: HashMap<&str, Value<'_>> = HashMap::new();
        hints.insert("desktop-entry", Value::from(APP_ID));
        hints.insert("category", Value::from(words.category));
        hints.insert("urgency", Value::from(if words.urgent { 2_u8 } else { 1 }));
        // The program plays its own sounds.
        hints.insert("suppress-sound", Value::from(true));
        let actions: &[&str] = if self.has_actions { &words.actions } else { &[] };
        let body = if self.has_markup { escaped(&words.body) } else { words.body.clone() };
        let stays: i32 = if words.urgent { 0 } else { -1 };
        let replaces = self.ringing.filter(|_| words.urgent).unwrap_or(0);
        proxy.call("Notify", &("Tincan", replaces, APP_ID, words.head.as_str(), body, actions, hints, stays))
    }

    fn ask_what_it_can(&mut self) {
        let Some(proxy) = &self.proxy else { return };
        match proxy.call::<_, _, Vec<String>>("GetCapabilities", &()) {
            Ok(can) => {
                self.has_markup = can.iter().any(|one| one == "body-markup");
                self.has_actions = can.iter().any(|one| one == "actions");
            }
            Err(error) => tracing::info!(%error, "nobody shows notifications on this desktop yet"),
        }
    }

    /// Waits for presses on a thread of its own, which ends with the connection.
    fn listen(&self, teller: &Teller) {
        let Some(proxy) = self.proxy.clone() else { return };
        let (shown, teller) = (Arc::clone(&self.shown), teller.clone());
        let listening = std::thread::Builder::new().name("notifications".to_owned()).spawn(move || {
            let signals = match proxy.receive_all_signals() {
                Ok(signals) => signals,
                Err(error) => {
                    tracing::info!(%error, "presses on notifications are not heard");
                    return;
                }
            };
            for signal in signals {
                let header = signal.header();
                match header.member().map(|member| member.as_str()) {
                    Some("ActionInvoked") => {
                        let Ok((id, key)) = signal.body().deserialize::<(u32, String)>() else { continue };
                        // Other programs' notifications are told to us too: only our own numbers count.
                        let about = shown.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                        if let Some(told) = about.and_then(|about| meaning(about, &key)) {
                            teller.tell(told);
                        }
                    }
                    Some("NotificationClosed") => {
                        let Ok((id, _why)) = signal.body().deserialize::<(u32, u32)>() else { continue };
                        shown.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    }
                    _ => {}
                }
            }
        });
        if let Err(error) = listening {
            tracing::info!(%error, "no thread to hear presses on notifications");
        }
    }

    /// Who walks past a locked screen shall not read what is written.
    fn screen_is_locked(&self) -> bool {
        let name = "org.freedesktop.ScreenSaver";
        Proxy::new(&self.connection, name, "/org/freedesktop/ScreenSaver", name)
            .and_then(|proxy| proxy.call::<_, _, bool>("GetActive", &()))
            .unwrap_or(false)
    }
}

/// What the press of a button, or of the notification itself (`default`), asks for.
fn meaning(about: About, key: &str) -> Option<Told> {
    match (about, key) {
        (About::Call, ACCEPT) => Some(Told::Accept),
        (About::Call, DECLINE) => Some(Told::Decline),
        (About::Peer(peer), OPEN) => Some(Told::OpenConversation(peer)),
        (About::Call | About::Window, OPEN) => Some(Told::Open),
        _ => None,
    }
}

/// A notification in words.
struct Words {
    head: String,
    body: String,
    category: &'static str,
    urgent: bool,
    /// Key and words, in turns.
    actions: Vec<&'static str>,
    about: About,
}

impl Words {
    fn of(notification: &Notification, locked: bool) -> Self {
        let plain = |head: String, body: String, category, about| Self {
            head,
            body,
            category,
            urgent: false,
            actions: vec![OPEN, word("desktop.open")],
            about,
        };
        match notification {
            Notification::Ringing { name } => Self {
                urgent: true,
                actions: vec![
                    OPEN,
                    word("desktop.open"),
                    ACCEPT,
                    word("ring.accept"),
                    DECLINE,
                    word("ring.decline"),
                ],
                ..plain(name.clone(), word("desktop.calls").to_owned(), "call.incoming", About::Call)
            },
            Notification::SecondRinging { name } => Self {
                urgent: true,
                actions: vec![OPEN, word("desktop.open"), DECLINE, word("ring.decline")],
                ..plain(name.clone(), word("desktop.calls_second").to_owned(), "call.incoming", About::Call)
            },
            Notification::Missed { peer, name } => {
                let head = word_with("desktop.missed", &[("name", name)]);
                plain(head, word("desktop.missed_do").to_owned(), "call.unanswered", About::Peer(*peer))
            }
            Notification::Message { peer, name, text } => {
                let body = if locked { word("desktop.message").to_owned() } else { short(text) };
                plain(name.clone(), body, "im.received", About::Peer(*peer))
            }
            Notification::File { peer, name, file } => {
                let body = if locked {
                    word("desktop.file_locked").to_owned()
                } else {
                    word_with("desktop.file", &[("file", &short(file))])
                };
                plain(name.clone(), body, "transfer", About::Peer(*peer))
            }
            Notification::StillHere => plain(
                word("desktop.still_here").to_owned(),
                word("desktop.still_here_do").to_owned(),
                "presence",
                About::Window,
            ),
        }
    }
}

/// The beginning of a text, in one line.
fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}

/// Text for a desktop that reads markup: what somebody wrote stays what it is.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The key of a press on the notification itself, by the specification.
const OPEN: &str = "default";
const ACCEPT: &str = "accept";
const DECLINE: &str = "decline";
/// Characters of a message.
const LONGEST: usize = 100;
/// Notifications whose presses are remembered.
const MOST_SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_screen_shows_that_somebody_wrote_and_not_what() {
        let note = Notification::Message { peer: PeerId([1; 32]), name: "Ada".into(), text: "secret".into() };
        assert!(Words::of(&note, false).body.contains("secret"));
        assert!(!Words::of(&note, true).body.contains("secret"));
    }

    #[test]
    fn markup_in_a_message_stays_text() {
        assert_eq!(escaped("<b>&</b>"), "&lt;b&gt;&amp;&lt;/b&gt;");
    }

    #[test]
    fn a_call_is_accepted_declined_or_looked_at() {
        assert_eq!(meaning(About::Call, ACCEPT), Some(Told::Accept));
        assert_eq!(meaning(About::Call, DECLINE), Some(Told::Decline));
        assert_eq!(meaning(About::Call, OPEN), Some(Told::Open));
        assert_eq!(meaning(About::Window, ACCEPT), None);
    }
}
