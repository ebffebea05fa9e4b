//! When time critical packets were last sent and received, over all sessions of an endpoint (RFC 7016 §3.5.2.1, A.2).
//!
//! A session yields to the real-time traffic of its siblings, and tells its far end when siblings receive some. So all of
//! them share one [`TimeCritical`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::rtmfp::endpoint::SessionKey;
use crate::rtmfp::limits;

/// Shared by every session of one endpoint; cloning shares.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeCritical(Arc<Mutex<Latest>>);

#[derive(Debug, Default)]
struct Latest {
    sent: Option<Instant>,
    /// The latest reception, and the latest by any session but that one.
    received: Option<(SessionKey, Instant)>,
    received_by_another: Option<(SessionKey, Instant)>,
}

impl TimeCritical {
    /// Notes that a packet with the TC flag was sent by any session.
    pub(crate) fn note_sent(&self, now: Instant) {
        self.latest().sent = Some(now);
    }

    /// Notes that `session` received a packet with the TC flag.
    pub(crate) fn note_received(&self, now: Instant, session: SessionKey) {
        let mut latest = self.latest();
        if let Some(before) = latest.received
            && before.0 != session
        {
            latest.received_by_another = Some(before);
        }
        latest.received = Some((session, now));
    }

    /// Whether any session sent time critical data within the last 800 ms.
    pub(crate) fn sent_lately(&self, now: Instant) -> bool {
        is_fresh(self.latest().sent, now)
    }

    /// Whether a session other than `session` received time critical data within the last 800 ms.
    pub(crate) fn received_elsewhere(&self, now: Instant, session: SessionKey) -> bool {
        let latest = self.latest();
        let elsewhere = match latest.received {
            Some((by, at)) if by != session => Some(at),
            _ => latest.received_by_another.filter(|(by, _)| *by != session).map(|(_, at)| at),
        };
        is_fresh(elsewhere, now)
    }

    fn latest(&self) -> std::sync::MutexGuard<'_, Latest> {
        // Plain numbers cannot be left half-changed by a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `at` is within the memory of time critical indications (§3.5.2.1).
pub(crate) fn is_fresh(at: Option<Instant>, now: Instant) -> bool {
    at.is_some_and(|at| now.saturating_duration_since(at) < limits::TIME_CRITICAL_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_session_hears_of_its_siblings_but_not_of_itself() {
        let (shared, now) = (TimeCritical::default(), Instant::now());
        shared.note_received(now, SessionKey(1));
        assert!(!shared.received_elsewhere(now, SessionKey(1)));
        assert!(shared.received_elsewhere(now, SessionKey(2)));

        shared.note_received(now, SessionKey(2));
        assert!(shared.received_elsewhere(now, SessionKey(1)));
        assert!(shared.received_elsewhere(now, SessionKey(2)));
    }

    #[test]
    fn an_indication_is_forgotten_after_eight_hundred_milliseconds() {
        let (shared, now) = (TimeCritical::default(), Instant::now());
        shared.note_sent(now);
        assert!(shared.sent_lately(now + Duration::from_millis(799)));
        assert!(!shared.sent_lately(now + Duration::from_millis(800)));
    }
}
