//! Whether the far end is still there (RFC 7016 §3.5.4.1): asks an idle one, and gives up one that owes an answer.

use std::time::{Duration, Instant};

/// Signs of life of one session's far end.
#[derive(Clone, Debug)]
pub(crate) struct Keepalive {
    interval: Duration,
    vanish_after: Duration,
    heard: Instant,
    /// Since when something is unanswered that the far end should answer.
    owed_since: Option<Instant>,
    /// When the last unanswered ping went out.
    asked: Option<Instant>,
    /// Gone by then, unless it is heard: there is a sign that it has, or wants, another session instead.
    doubted_until: Option<Instant>,
    /// What it says may come by a way that ours to it does not go any more: only an answer counts.
    unanswered: Option<Unanswered>,
}

#[derive(Clone, Copy, Debug)]
struct Unanswered {
    /// Gone by then, unless it answers.
    until: Instant,
    /// When it was asked last.
    asked: Instant,
}

impl Keepalive {
    /// A far end that was just heard.
    pub(crate) fn new(now: Instant, interval: Duration, vanish_after: Duration) -> Self {
        Self {
            interval,
            vanish_after,
            heard: now,
            owed_since: None,
            asked: None,
            doubted_until: None,
            unanswered: None,
        }
    }

    /// Changes how patient it is.
    pub(crate) fn set_patience(&mut self, interval: Duration, vanish_after: Duration) {
        (self.interval, self.vanish_after) = (interval, vanish_after);
    }

    /// A packet of the far end came.
    pub(crate) fn note_heard(&mut self, now: Instant) {
        self.heard = now;
        self.owed_since = None;
        self.asked = None;
        self.doubted_until = None;
    }

    /// It answered a question of ours.
    pub(crate) fn note_answered(&mut self) {
        self.unanswered = None;
    }

    /// Something went out that the far end must answer.
    pub(crate) fn note_owed(&mut self, now: Instant) {
        self.owed_since.get_or_insert(now);
    }

    /// When to ask for a sign of life next; not more often than once per retransmission timeout, but for a doubted far end,
    /// about which no timeout says anything any more.
    pub(crate) fn ask_at(&self, timeout: Duration) -> Instant {
        let usual = match self.asked {
            None => self.heard + self.interval,
            Some(asked) if self.is_doubted() => asked + timeout.min(ASK_DOUBTED_EVERY),
            Some(asked) => asked + timeout,
        };
        self.unanswered.map_or(usual, |unanswered| usual.min(unanswered.asked + ASK_DOUBTED_EVERY))
    }

    /// A ping goes out now; true if the one before went unanswered.
    pub(crate) fn note_asked(&mut self, now: Instant) -> bool {
        self.note_owed(now);
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.asked = now;
        }
        self.asked.replace(now).is_some()
    }

    /// The far end has probably forgotten this session: it is given less time to answer.
    pub(crate) fn doubt(&mut self, now: Instant) {
        self.doubt_for(now, DOUBT);
    }

    /// The same with a time of the caller's; the shorter of two counts.
    pub(crate) fn doubt_for(&mut self, now: Instant, time: Duration) {
        let until = now + time;
        self.doubted_until = Some(self.doubted_until.map_or(until, |before| before.min(until)));
    }

    /// It must answer within this time, whatever else is heard of it; the shorter of two counts.
    pub(crate) fn want_answer(&mut self, now: Instant, time: Duration) {
        let until = self.unanswered.map_or(now + time, |before| before.until.min(now + time));
        self.unanswered = Some(Unanswered { until, asked: now });
    }

    /// Whether it is doubted, and nothing came since, or no answer.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted_until.is_some() || self.unanswered.is_some()
    }

    /// When the far end counts as gone, unless it is heard before.
    pub(crate) fn gone_at(&self) -> Option<Instant> {
        let owed = self.owed_since.map(|since| since + self.vanish_after);
        let unanswered = self.unanswered.map(|unanswered| unanswered.until);
        [owed, self.doubted_until, unanswered].into_iter().flatten().min()
    }

    /// How long nothing came.
    pub(crate) fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }
}

/// How long a doubted far end may stay silent: several pings may be lost, each twice as long after the one before.
const DOUBT: Duration = Duration::from_secs(5);
/// Between two questions to a doubted far end.
const ASK_DOUBTED_EVERY: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn an_idle_far_end_is_asked_and_then_again_at_every_timeout() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start, s(10), s(20));
        assert_eq!(alive.ask_at(s(1)), start + s(10));
        assert!(!alive.note_asked(start + s(10)));
        assert_eq!(alive.ask_at(s(1)), start + s(11));
        assert!(alive.note_asked(start + s(11)));
        assert_eq!(alive.gone_at(), Some(start + s(30)));
    }

    #[test]
    fn any_packet_is_a_sign_of_life() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start, s(10), s(20));
        alive.note_owed(start);
        alive.note_heard(start + s(19));
        assert_eq!(alive.gone_at(), None);
        assert_eq!(alive.ask_at(s(1)), start + s(29));
    }

    #[test]
    fn a_doubted_far_end_is_gone_sooner_unless_it_is_heard() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start, s(10), s(20));
        alive.note_owed(start);
        alive.doubt(start);
        assert_eq!(alive.gone_at(), Some(start + s(5)));
        alive.note_heard(start + s(1));
        assert_eq!((alive.gone_at(), alive.is_doubted()), (None, false));
    }

    #[test]
    fn a_doubted_far_end_is_asked_often_however_long_the_timeout_has_grown() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start, s(10), s(20));
        alive.doubt_for(start, s(2));
        alive.note_asked(start);
        assert_eq!(alive.ask_at(s(10)), start + ASK_DOUBTED_EVERY);
        alive.note_heard(start + s(1));
        alive.note_asked(start + s(1));
        assert_eq!(alive.ask_at(s(10)), start + s(11), "it was heard, and is no longer doubted");
    }

    #[test]
    fn whoever_must_answer_is_asked_often_and_gone_however_much_is_heard() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start, s(10), s(20));
        alive.want_answer(start, s(2));
        alive.note_asked(start);
        alive.note_heard(start + s(1));
        assert_eq!(alive.ask_at(s(10)), start + ASK_DOUBTED_EVERY);
        alive.note_asked(start + s(1));
        alive.note_heard(start + s(1));
        assert_eq!((alive.gone_at(), alive.is_doubted()), (Some(start + s(2)), true));
        alive.note_answered();
        assert_eq!((alive.gone_at(), alive.is_doubted()), (None, false));
        assert_eq!(alive.ask_at(s(1)), start + s(11));
    }

    #[test]
    fn of_two_doubts_the_shorter_counts() {
        let start = Instant::now();
        let mut alive = Keepalive::new(start, s(10), s(20));
        alive.doubt_for(start, s(2));
        alive.doubt(start);
        assert_eq!(alive.gone_at(), Some(start + s(2)));
        alive.doubt_for(start, s(1));
        assert_eq!(alive.gone_at(), Some(start + s(1)));
    }

    #[test]
    fn a_far_end_that_owes_nothing_is_never_gone() {
        let start = Instant::now();
        assert_eq!(Keepalive::new(start, s(10), s(20)).gone_at(), None);
    }
}
