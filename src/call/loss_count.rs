//! How much of what a call sent was lost: counted over the whole call, and over its last seconds. Pure, told the time.
//!
//! A call may outlive its session, and for moments have two: each session counts from its own opening, so what is added
//! up here are their steps forward.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::rtmfp::endpoint::{SessionFigures, SessionKey};

/// What "lately" means: long enough for one loss among sound alone not to look like a bad line.
const LATELY: Duration = Duration::from_secs(5);

/// Fragments sent, and those of them declared lost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sent {
    /// Fragments sent, repetitions included.
    pub(crate) fragments: u64,
    /// Of them, declared lost.
    pub(crate) lost: u64,
}

impl Sent {
    /// What came to this since `before`.
    fn since(self, before: Self) -> Self {
        Self {
            fragments: self.fragments.saturating_sub(before.fragments),
            lost: self.lost.saturating_sub(before.lost),
        }
    }

    fn percent_lost(self) -> f64 {
        // What is declared lost now was sent a round trip ago: over a short time it may be more than was sent.
        if self.fragments == 0 { 0.0 } else { (self.lost as f64 / self.fragments as f64 * 100.0).min(100.0) }
    }
}

/// Counts the losses of one call.
#[derive(Debug, Default)]
pub(crate) struct LossCount {
    /// What each session had counted at the last step. None before the first: what a session carried before the call
    /// is not the call's.
    sessions: Option<BTreeMap<SessionKey, Sent>>,
    whole: Sent,
    /// What was sent and received when the two were compared last.
    compared: Option<(u64, u64)>,
    /// What the whole was, at the steps lately.
    lately: VecDeque<(Instant, Sent)>,
}

impl LossCount {
    /// Takes the figures of all sessions with the far end; answers the call's own so far.
    pub(crate) fn step(
        &mut self,
        now: Instant,
        figures: impl IntoIterator<Item = (SessionKey, SessionFigures)>,
    ) -> Sent {
        let after: BTreeMap<SessionKey, Sent> = figures
            .into_iter()
            .map(|(key, figures)| {
                (key, Sent { fragments: figures.fragments_sent, lost: figures.fragments_lost })
            })
            .collect();
        if let Some(before) = &self.sessions {
            for (key, sent) in &after {
                let step = sent.since(before.get(key).copied().unwrap_or_default());
                self.whole.fragments += step.fragments;
                self.whole.lost += step.lost;
            }
        }
        self.sessions = Some(after);
        self.remember(now);
        self.whole
    }

    /// Takes what one end sent so far and the other received of it, counted at the same moment.
    pub(crate) fn compare(&mut self, now: Instant, sent: u64, received: u64) {
        if let Some((sent_before, received_before)) = self.compared.replace((sent, received))
            && let (Some(sent), Some(received)) =
                (sent.checked_sub(sent_before), received.checked_sub(received_before))
        {
            self.whole.fragments += sent;
            // What was late to one count is early to the next.
            self.whole.lost = (self.whole.lost + sent).saturating_sub(received);
        }
        self.remember(now);
    }

    fn remember(&mut self, now: Instant) {
        self.lately.push_back((now, self.whole));
        while self.lately.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > LATELY) {
            self.lately.pop_front();
        }
    }

    /// Percent of the fragments sent in this call that were lost.
    pub(crate) fn percent(&self) -> f64 {
        self.whole.percent_lost()
    }

    /// The same over the last five seconds.
    pub(crate) fn percent_lately(&self) -> f64 {
        let first = self.lately.front().map_or(self.whole, |(_, sent)| *sent);
        self.whole.since(first).percent_lost()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(key: u64, fragments_sent: u64, fragments_lost: u64) -> (SessionKey, SessionFigures) {
        (SessionKey(key), SessionFigures { fragments_sent, fragments_lost, ..SessionFigures::default() })
    }

    #[test]
    fn the_whole_call_remembers_what_the_last_seconds_forget() {
        let (mut count, start) = (LossCount::default(), Instant::now());
        for second in 0..=20 {
            let sent = second * 100;
            let lost = 20 * second.min(10);
            count.step(start + Duration::from_secs(second), [figures(1, sent, lost)]);
        }
        assert_eq!((count.percent(), count.percent_lately()), (10.0, 0.0));
    }

    #[test]
    fn what_a_session_lost_before_the_call_is_not_counted() {
        let (mut count, start) = (LossCount::default(), Instant::now());
        count.step(start, [figures(1, 1_000, 900)]);
        assert_eq!((count.percent(), count.percent_lately()), (0.0, 0.0));
        assert_eq!(
            count.step(start + Duration::from_secs(1), [figures(1, 1_100, 905)]),
            Sent { fragments: 100, lost: 5 }
        );
    }

    #[test]
    fn what_the_far_end_received_tells_what_was_lost() {
        let (mut count, start) = (LossCount::default(), Instant::now());
        for second in 0..=20 {
            let received = second * 100 - 20 * second.min(10);
            count.compare(start + Duration::from_secs(second), 1_000 + second * 100, received);
        }
        assert_eq!((count.percent(), count.percent_lately()), (10.0, 0.0));
        // Another session counts from its own beginning.
        count.compare(start + Duration::from_secs(21), 0, 0);
        count.compare(start + Duration::from_secs(22), 100, 100);
        assert_eq!(count.percent_lately(), 0.0);
    }

    #[test]
    fn a_call_that_goes_on_in_another_session_counts_both() {
        let (mut count, start) = (LossCount::default(), Instant::now());
        count.step(start, [figures(1, 0, 0)]);
        count.step(start + Duration::from_secs(1), [figures(1, 500, 10)]);
        count.step(start + Duration::from_secs(2), [figures(1, 600, 20), figures(2, 800, 0)]);
        count.step(start + Duration::from_secs(3), [figures(2, 1_400, 80)]);
        assert_eq!(count.percent(), 5.0);
    }
}
