//! What the layer above knows of the network, and the engine cannot: that it changed, or that silence is a bad sign.

use std::time::{Duration, Instant};

use super::{Endpoint, SessionKey, bounded_span};

impl Endpoint {
    /// The network of this computer is another one than before. What was learned of the session's path is forgotten, what
    /// was on its way is sent again, and the far end is asked for a sign of life at once: by that it learns our new address
    /// (RFC 7016 §3.5.4.2). Unless it answers within `doubt`, the session ends.
    pub fn network_changed(&mut self, now: Instant, session: SessionKey, doubt: Duration) {
        let now = self.never_back(now);
        self.change(session, |open| open.on_network_changed(now, bounded_span(doubt)));
    }

    /// The far end should have been heard by now. It is asked for a sign of life, several times, and unless it answers
    /// within `doubt` the session ends.
    pub fn doubt(&mut self, now: Instant, session: SessionKey, doubt: Duration) {
        let now = self.never_back(now);
        self.change(session, |open| open.doubt_for(now, bounded_span(doubt)));
    }

    /// Asks every candidate of a session that is still opening again at once, as in its first moments.
    pub fn hurry(&mut self, now: Instant, session: SessionKey) {
        let now = self.never_back(now);
        if let Some(attempt) = self.sessions.attempt_mut(session) {
            attempt.restart(now);
            self.drive_attempt(now, session);
        }
    }
}
