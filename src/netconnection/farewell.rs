//! How a node ends sessions: once their last words are said, and when they carry nothing any more.

use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::node::Node;
use super::session::{Origin, Session};
use crate::rtmfp::endpoint::{CloseManner, SessionKey};

impl Node {
    /// Lets a session say what it has queued, then closes it.
    pub(super) fn close_gently(&mut self, now: Instant, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.far_end.is_none() {
            self.endpoint.close_session(now, key, CloseManner::Abrupt);
            return;
        }
        if std::mem::replace(&mut session.closing, true) {
            return;
        }
        for flow in session.outgoing.keys() {
            self.endpoint.close_flow(now, key, *flow);
        }
        self.alarms.set(now + LAST_WORDS, Alarm::Closing(key));
        self.close_if_said_all(now, key);
    }

    pub(super) fn close_if_said_all(&mut self, now: Instant, key: SessionKey) {
        let Some(session) = self.sessions.get(&key) else { return };
        // All that we send has arrived, and all that the far end sends is finished (RFC 7425 §5.3.6).
        if session.closing && session.outgoing.is_empty() && session.incoming.is_empty() {
            self.endpoint.close_session(now, key, CloseManner::Orderly);
        }
    }

    /// Has another look later at a session that carries nothing.
    pub(super) fn look_idle(&mut self, now: Instant, key: SessionKey) {
        if !self.carries_nothing(key) {
            return;
        }
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.idle_since.is_none() {
            session.idle_since = Some(now);
            self.alarms.set(now + LONGEST_IDLE, Alarm::Idle(key));
        }
    }

    pub(super) fn carries_nothing(&self, key: SessionKey) -> bool {
        let Some(session) = self.sessions.get(&key) else { return false };
        let open = session.far_end.is_some() && !session.closing;
        open && session.connection.is_none()
            && self.subscribers.values().all(|subscriber| subscriber.session != key)
            && self.playbacks.values().all(|playback| playback.session != Some(key))
    }

    /// Has a look later at a session that is being opened ahead of its use.
    pub(super) fn look_unused_later(&mut self, now: Instant, key: SessionKey) {
        self.alarms.set(now + LONGEST_UNUSED, Alarm::Idle(key));
    }

    /// Whether a session with a peer is still being opened, and nobody waits for it.
    fn is_unused(&self, key: SessionKey) -> bool {
        let to_peer = |session: &Session| matches!(session.origin, Origin::ToPeer(_));
        let opening = |session: &Session| session.far_end.is_none() && !session.closing && to_peer(session);
        self.sessions.get(&key).is_some_and(opening)
            && self.playbacks.values().all(|playback| playback.session != Some(key))
    }

    pub(super) fn on_idle_alarm(&mut self, now: Instant, key: SessionKey) {
        if self.is_unused(key) {
            self.close_gently(now, key);
            return;
        }
        let carries_nothing = self.carries_nothing(key);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        match session.idle_since {
            Some(since) if carries_nothing && since + LONGEST_IDLE <= now => {
                self.close_gently(now, key);
            }
            Some(since) if carries_nothing => self.alarms.set(since + LONGEST_IDLE, Alarm::Idle(key)),
            _ => session.idle_since = None,
        }
    }
}

/// How long a session that is to be closed waits for its last messages to be acknowledged.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A session that carries nothing is closed after so long. The far end may be about to open its first flow.
const LONGEST_IDLE: Duration = Duration::from_secs(5);

/// A session that is opened ahead of its use is given up after so long without any: its hellos become rare, and who needs
/// it then is better off with a new one.
const LONGEST_UNUSED: Duration = Duration::from_secs(2);
