//! Why the server does not answer, as far as can be told: after three seconds a hint, after ten a verdict.
//!
//! Networks that let no UDP through look like a server that is down. What tells them apart: whether any datagram comes
//! from elsewhere, whether the server's computer says that nobody listens there, and whether it answers over TCP, which
//! such networks do let through.

use std::time::{Duration, Instant};

use super::view::Reach;

/// What was found out about the server's computer, by other means than RTMFP.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReachFound {
    /// It said that nobody listens on the server's UDP port: so UDP goes there and back.
    pub nobody_listens: bool,
    /// It answered over TCP, be it only that it takes no connection.
    pub answers_tcp: bool,
}

/// Watches one attempt after the other, until one succeeds.
#[derive(Debug, Default)]
pub(super) struct ReachWatch {
    /// Since when nobody answers.
    since: Option<Instant>,
    /// Datagrams came from elsewhere meanwhile.
    heard: bool,
    found: Option<ReachFound>,
    check_at: Option<Instant>,
}

impl ReachWatch {
    /// An attempt is under way; further ones belong to the first.
    pub(super) fn waits(&mut self, now: Instant) {
        if self.since.is_none() {
            *self = Self { since: Some(now), check_at: Some(now + CHECK_AFTER), ..Self::default() };
        }
    }

    /// The server answers, or is another one, or the network is: what was found says nothing any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// A datagram came from another computer, over a socket of ours.
    pub(super) fn heard(&mut self) {
        self.heard |= self.since.is_some();
    }

    pub(super) fn found(&mut self, found: ReachFound) {
        if self.since.is_some() {
            self.found = Some(found);
        }
    }

    /// Whether it should be found out now what can be.
    pub(super) fn take_check(&mut self, now: Instant) -> bool {
        let due = self.check_at.is_some_and(|at| at <= now);
        if due {
            self.check_at = Some(now + CHECK_EVERY);
        }
        due
    }

    /// For how long nobody has answered.
    pub(super) fn lasts(&self, now: Instant) -> Option<Duration> {
        self.since.map(|since| now.saturating_duration_since(since))
    }

    /// What a person should be told.
    pub(super) fn reach(&self, now: Instant) -> Reach {
        let Some(lasts) = self.lasts(now).filter(|lasts| *lasts >= HINT_AFTER) else { return Reach::Fine };
        match (self.found, self.heard) {
            // Certain, and nothing to wait for.
            (Some(ReachFound { nobody_listens: true, .. }), _) => Reach::NobodyServes,
            _ if lasts < VERDICT_AFTER => Reach::NoAnswerYet,
            (_, true) => Reach::ServerSilent,
            (Some(ReachFound { answers_tcp: true, .. }), false) => Reach::UdpBlocked,
            (Some(_), false) => Reach::NothingAnswers,
            (None, false) => Reach::NoAnswerYet,
        }
    }

    /// When something changes by itself.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let since = self.since?;
        let steps = [HINT_AFTER, VERDICT_AFTER].map(|after| since + after);
        steps.into_iter().filter(|at| *at > now).chain(self.check_at).min()
    }
}

/// A hint is given then: longer than any server takes, and short for a person.
pub(super) const HINT_AFTER: Duration = Duration::from_secs(3);
/// And a verdict.
pub(super) const VERDICT_AFTER: Duration = Duration::from_secs(10);
/// What can be found out takes some seconds of its own where nothing answers.
const CHECK_AFTER: Duration = Duration::from_millis(1_500);
const CHECK_EVERY: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    const TCP_ONLY: ReachFound = ReachFound { nobody_listens: false, answers_tcp: true };

    fn after(seconds: u64, tell: impl FnOnce(&mut ReachWatch)) -> Reach {
        let start = Instant::now();
        let mut watch = ReachWatch::default();
        watch.waits(start);
        tell(&mut watch);
        watch.reach(start + Duration::from_secs(seconds))
    }

    #[test]
    fn a_network_without_udp_is_hinted_at_after_three_seconds_and_named_after_ten() {
        assert_eq!(after(2, |watch| watch.found(TCP_ONLY)), Reach::Fine);
        assert_eq!(after(3, |watch| watch.found(TCP_ONLY)), Reach::NoAnswerYet);
        assert_eq!(after(10, |watch| watch.found(TCP_ONLY)), Reach::UdpBlocked);
    }

    #[test]
    fn a_server_that_is_down_is_not_taken_for_a_network_without_udp() {
        let nobody = ReachFound { nobody_listens: true, answers_tcp: true };
        assert_eq!(after(3, |watch| watch.found(nobody)), Reach::NobodyServes, "certain at once");
        let elsewhere = |watch: &mut ReachWatch| {
            watch.found(TCP_ONLY);
            watch.heard();
        };
        assert_eq!(after(10, elsewhere), Reach::ServerSilent);
    }

    #[test]
    fn without_any_answer_the_network_is_to_be_looked_at() {
        assert_eq!(after(10, |watch| watch.found(ReachFound::default())), Reach::NothingAnswers);
        assert_eq!(after(10, |_| ()), Reach::NoAnswerYet, "nothing was found out yet");
    }

    #[test]
    fn retries_do_not_begin_anew_and_an_answer_does() {
        let start = Instant::now();
        let mut watch = ReachWatch::default();
        watch.waits(start);
        watch.waits(start + Duration::from_secs(4));
        assert_eq!(watch.reach(start + HINT_AFTER), Reach::NoAnswerYet);
        watch.forget();
        watch.heard();
        assert_eq!(watch.reach(start + VERDICT_AFTER), Reach::Fine);
        watch.waits(start + VERDICT_AFTER);
        watch.found(TCP_ONLY);
        assert_eq!(watch.reach(start + VERDICT_AFTER * 2), Reach::UdpBlocked, "heard before counts no more");
    }

    #[test]
    fn what_can_be_found_out_is_asked_for_before_the_hint_and_now_and_then() {
        let start = Instant::now();
        let mut watch = ReachWatch::default();
        watch.waits(start);
        assert!(!watch.take_check(start));
        assert_eq!(watch.deadline(start), Some(start + CHECK_AFTER));
        assert!(watch.take_check(start + CHECK_AFTER) && !watch.take_check(start + HINT_AFTER));
        assert!(watch.take_check(start + CHECK_AFTER + CHECK_EVERY));
    }
}
