//! When each session next wants to be woken.
//!
//! Sessions by the time they are due, so that thousands of idle ones cost nothing when a datagram comes for one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::endpoint::SessionKey;

/// The alarms of all sessions of an endpoint; each has at most one.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    by_time: BTreeSet<(Instant, SessionKey)>,
    of: BTreeMap<SessionKey, Instant>,
}

impl Alarms {
    /// Sets, moves or takes away a session's alarm.
    pub(crate) fn set(&mut self, session: SessionKey, due: Option<Instant>) {
        if self.of.get(&session).copied() == due {
            return;
        }
        if let Some(before) = self.of.remove(&session) {
            self.by_time.remove(&(before, session));
        }
        if let Some(due) = due {
            self.of.insert(session, due);
            self.by_time.insert((due, session));
        }
    }

    /// The next session whose alarm has gone off, and takes the alarm away.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<SessionKey> {
        let (due, session) = *self.by_time.first()?;
        if due > now {
            return None;
        }
        self.by_time.pop_first();
        self.of.remove(&session);
        Some(session)
    }

    /// When the next alarm goes off.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_moved_alarm_goes_off_once_and_at_its_new_time() {
        let now = Instant::now();
        let (soon, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
        let mut alarms = Alarms::default();
        alarms.set(SessionKey(1), Some(soon));
        alarms.set(SessionKey(2), Some(soon));
        alarms.set(SessionKey(1), Some(late));
        assert_eq!(alarms.take_due(now), None);
        assert_eq!(alarms.take_due(soon), Some(SessionKey(2)));
        assert_eq!((alarms.take_due(soon), alarms.next()), (None, Some(late)));
        assert_eq!(alarms.take_due(late), Some(SessionKey(1)));
        assert_eq!(alarms.next(), None);
    }
}
