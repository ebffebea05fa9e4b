//! How long a datagram the path to the far end carries (RFC 7016 §3.5.4.3).
//!
//! Two lengths are enough: one that every path has, and the one we want. A fragment that was sent can never be cut again,
//! so nothing long is sent before a padded ping of that length was answered, nor after a while in which long datagrams were
//! lost and none arrived. Fragments that are too long by then wait for the path to carry them again; a path that answers
//! everything but long datagrams for as long as a silent far end would be given ends the session, rather than holding
//! those fragments for ever.

use std::time::{Duration, Instant};

use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::limits;

/// First byte of a probe's message; a mobility check begins with another.
const MARK: u8 = b'P';
/// A probe's message: the mark and a number.
pub(crate) const MESSAGE_BYTES: usize = 5;

/// A padded ping to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Probe {
    /// What the answer repeats.
    pub(crate) message: [u8; MESSAGE_BYTES],
    /// Whether the padding comes before the ping, as it should. Some old programs stop reading there; for them every second
    /// probe has it behind.
    pub(crate) padding_first: bool,
}

/// What is known of one session's path.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathMtu {
    /// The far end does not answer probes, and takes no longer ones.
    fixed: Option<usize>,
    proven: bool,
    /// The last probe's number; only its answer counts.
    number: u32,
    /// When the next probe goes out, if one is wanted.
    probe_at: Option<Instant>,
    series: Series,
    /// Since when long datagrams are lost and none arrived.
    losing_since: Option<Instant>,
}

/// Probes since something long was last known to pass.
#[derive(Clone, Copy, Debug, Default)]
struct Series {
    sent: u32,
    latest: Option<Instant>,
    /// Whether something short was answered since the latest.
    short_answered: bool,
    /// Probes that went unanswered although something short was answered, and when the first of them went out.
    refused: u32,
    refused_since: Option<Instant>,
}

impl PathMtu {
    /// A path nothing is known about, to a far end that speaks so.
    pub(crate) fn new(dialect: Dialect) -> Self {
        let fixed = match dialect {
            Dialect::Rfc => None,
            Dialect::FlashEra => Some(limits::FLASH_ERA_DATAGRAM_SIZE),
        };
        Self { fixed, ..Self::default() }
    }

    /// How long a datagram may be.
    pub(crate) fn datagram_size(&self) -> usize {
        match self.fixed {
            Some(size) => size,
            None if self.proven => limits::DATAGRAM_SIZE,
            None => limits::SAFE_DATAGRAM_SIZE,
        }
    }

    /// Whether a fragment that is too long may go all the same: nobody answers probes, so it has to be its own.
    pub(crate) fn may_try_long(&self) -> bool {
        self.proven || self.series.sent >= PROBES_IN_A_ROW
    }

    /// There is something to say that is longer than may be sent.
    pub(crate) fn want(&mut self, now: Instant) {
        let rested = self.series.latest.is_none_or(|latest| latest + limits::PROBE_AGAIN <= now);
        if self.fixed.is_none() && !self.proven && self.probe_at.is_none() && rested {
            self.series.sent = 0;
            self.probe_at = Some(now);
        }
    }

    /// When [`Self::take_due_probe`] has one.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.probe_at
    }

    /// The probe that is due. `timeout` is how long an answer may take, and `waits` whether something that was sent before
    /// is too long.
    pub(crate) fn take_due_probe(&mut self, now: Instant, timeout: Duration, waits: bool) -> Option<Probe> {
        self.probe_at.filter(|at| *at <= now)?;
        if let Some(latest) = self.series.latest
            && std::mem::take(&mut self.series.short_answered)
        {
            self.series.refused += 1;
            self.series.refused_since.get_or_insert(latest);
        }
        self.number = self.number.wrapping_add(1);
        self.series.sent += 1;
        self.series.latest = Some(now);
        self.probe_at =
            (waits || self.series.sent < PROBES_IN_A_ROW).then(|| now + timeout.max(PROBE_SPACING));
        let mut message = [MARK; MESSAGE_BYTES];
        message[1..].copy_from_slice(&self.number.to_be_bytes());
        Some(Probe { message, padding_first: self.series.sent % 2 == 1 })
    }

    /// A ping was answered; true if that shows that long datagrams pass.
    pub(crate) fn on_reply(&mut self, message: &[u8]) -> bool {
        let asked = !self.proven && self.series.sent > 0;
        let ours = message.split_first() == Some((&MARK, &self.number.to_be_bytes()[..]));
        if asked && ours {
            self.proven = true;
            self.probe_at = None;
            self.series = Series::default();
            self.losing_since = None;
        }
        asked && ours
    }

    /// The far end answered something short.
    pub(crate) fn note_answer(&mut self) {
        self.series.short_answered = self.series.sent > 0;
    }

    /// A long datagram is lost.
    pub(crate) fn note_lost(&mut self, now: Instant) {
        self.losing_since.get_or_insert(now);
    }

    /// A long datagram arrived.
    pub(crate) fn note_arrived(&mut self) {
        self.losing_since = None;
    }

    /// Whether long datagrams have been lost for so long that the path has probably narrowed; then they are no longer
    /// proven, and one is wanted.
    pub(crate) fn has_narrowed(&mut self, now: Instant, timeout: Duration) -> bool {
        let patience = (timeout * 2).max(limits::NARROWED_AFTER);
        let narrowed = self.proven
            && self.losing_since.is_some_and(|since| now.saturating_duration_since(since) >= patience);
        if narrowed {
            self.on_new_path();
            self.want(now);
        }
        narrowed
    }

    /// Whether the path has refused long datagrams for `patience`, while it carried others.
    pub(crate) fn is_too_narrow(&self, now: Instant, patience: Duration) -> bool {
        self.series.refused >= REFUSED_PROBES
            && self.series.refused_since.is_some_and(|since| now.saturating_duration_since(since) >= patience)
    }

    /// Nothing is known any more, but for what kind of far end it leads to.
    pub(crate) fn on_new_path(&mut self) {
        *self = Self { fixed: self.fixed, number: self.number, ..Self::default() };
    }
}

/// Unanswered probes before there is a pause.
const PROBES_IN_A_ROW: u32 = 4;
/// The least time between two probes.
const PROBE_SPACING: Duration = Duration::from_secs(1);
/// Probes that must have been refused before a path counts as too narrow: with one datagram in four lost each way, so many
/// fail by bad luck once in fifty thousand times.
const REFUSED_PROBES: u32 = 13;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn probe(path: &mut PathMtu, now: Instant, waits: bool) -> Option<Probe> {
        path.take_due_probe(now, ms(300), waits)
    }

    #[test]
    fn only_the_answer_to_the_latest_probe_proves_anything() {
        let (mut path, now) = (PathMtu::new(Dialect::Rfc), Instant::now());
        assert!(probe(&mut path, now, false).is_none(), "nobody wants it");
        path.want(now);
        let first = probe(&mut path, now, false).expect("a probe");
        let second = probe(&mut path, now + ms(1000), false).expect("another");
        assert!(!path.on_reply(&first.message) && !path.on_reply(b"P") && !path.on_reply(b""));
        assert_eq!(path.datagram_size(), limits::SAFE_DATAGRAM_SIZE);
        assert!(path.on_reply(&second.message) && !path.on_reply(&second.message));
        assert_eq!((path.datagram_size(), path.deadline()), (limits::DATAGRAM_SIZE, None));
    }

    #[test]
    fn unanswered_probes_have_their_padding_before_and_behind_by_turns_and_rest_after_four() {
        let (mut path, now) = (PathMtu::new(Dialect::Rfc), Instant::now());
        path.want(now);
        let mut padding_first = Vec::new();
        while let Some(at) = path.deadline() {
            assert!(!path.may_try_long());
            padding_first.push(probe(&mut path, at, false).expect("a probe").padding_first);
        }
        assert_eq!(padding_first, [true, false, true, false]);
        assert!(path.may_try_long());
        path.want(now + ms(5000));
        assert_eq!(path.deadline(), None, "it rests");
        path.want(now + ms(3000) + limits::PROBE_AGAIN);
        assert!(path.deadline().is_some());
    }

    #[test]
    fn a_path_that_loses_everything_long_for_a_while_is_asked_again() {
        let (mut path, now) = (PathMtu::new(Dialect::Rfc), Instant::now());
        path.want(now);
        let asked = probe(&mut path, now, false).expect("a probe");
        path.on_reply(&asked.message);
        path.note_lost(now);
        assert!(!path.has_narrowed(now + ms(1999), ms(1000)));
        path.note_arrived();
        assert!(!path.has_narrowed(now + ms(2000), ms(1000)));
        path.note_lost(now + ms(3000));
        path.note_lost(now + ms(4000));
        assert!(path.has_narrowed(now + ms(5000), ms(1000)));
        assert_eq!(path.datagram_size(), limits::SAFE_DATAGRAM_SIZE);
        assert!(probe(&mut path, now + ms(5000), true).is_some());
        assert!(!path.on_reply(&asked.message), "an old answer");
    }

    #[test]
    fn a_path_is_too_narrow_only_while_it_carries_other_things() {
        let (mut path, start) = (PathMtu::new(Dialect::Rfc), Instant::now());
        for narrow in [false, true] {
            path.on_new_path();
            path.want(start);
            while path.deadline().is_some_and(|at| at < start + s(30)) {
                let at = path.deadline().expect("it waits");
                probe(&mut path, at, true);
                if narrow {
                    path.note_answer();
                }
            }
            assert_eq!(path.is_too_narrow(start + s(30), s(20)), narrow);
        }
        assert!(!path.is_too_narrow(start + s(19), s(20)));
    }

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_flash_era_far_end_gets_datagrams_of_1192_bytes_and_no_probe() {
        let (mut path, now) = (PathMtu::new(Dialect::FlashEra), Instant::now());
        path.want(now);
        assert_eq!((path.datagram_size(), path.deadline()), (1192, None));
        assert!(!path.may_try_long());
        path.on_new_path();
        path.want(now);
        assert_eq!((path.datagram_size(), path.deadline()), (1192, None), "wherever it goes");
    }
}
