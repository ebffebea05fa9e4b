//! How many bytes may go to addresses that have proven nothing (RFC 7016 §3.5.1.1.2).
//!
//! Whoever forges a source address has us send our answers to somebody else. What a datagram was long pays for the
//! answers to it; what they are longer comes out of one surplus for all strangers together. So nobody gets more out of us
//! than they put in, but for that surplus: it is there because other programs' hellos are short, and our answer to a
//! short hello is up to nine times as long. Hellos as long as our answers are never turned away.

use std::time::Instant;

/// Bytes for strangers.
#[derive(Debug)]
pub(crate) struct AnswerBudget {
    /// Bytes of the datagram being handled that no answer used yet.
    credit: usize,
    surplus: usize,
    /// Up to when the surplus has been refilled.
    counted: Option<Instant>,
}

impl AnswerBudget {
    /// A whole surplus.
    pub(crate) const fn new() -> Self {
        Self { credit: 0, surplus: SURPLUS, counted: None }
    }

    /// A datagram of so many bytes came from a stranger; what is left of the one before is forgotten.
    pub(crate) fn datagram_came(&mut self, bytes: usize) {
        self.credit = bytes;
    }

    /// Whether an answer of so many bytes may go; if so it is paid for.
    pub(crate) fn take(&mut self, now: Instant, bytes: usize) -> bool {
        let Some(beyond) = bytes.checked_sub(self.credit).filter(|beyond| *beyond > 0) else {
            self.credit -= bytes;
            return true;
        };
        let counted = self.counted.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(counted).as_millis();
        let refill = usize::try_from(passed).unwrap_or(SURPLUS).saturating_mul(SURPLUS_A_MILLISECOND);
        self.surplus = self.surplus.saturating_add(refill).min(SURPLUS);
        if refill == 0 {
            // Not even a millisecond: it counts with the next.
            self.counted = Some(counted);
        }
        let Some(left) = self.surplus.checked_sub(beyond) else { return false };
        (self.surplus, self.credit) = (left, 0);
        true
    }
}

/// What strangers may get beyond what they gave, at once; and how fast it comes back. Some three hundred short hellos,
/// and then as many a second: more programs than call at once, and less than any line notices.
pub(crate) const SURPLUS: usize = 64 << 10;
const SURPLUS_A_MILLISECOND: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn answers_as_long_as_what_they_answer_are_never_refused() {
        let (mut budget, now) = (AnswerBudget::new(), Instant::now());
        for _ in 0..100_000 {
            budget.datagram_came(400);
            assert!(budget.take(now, 300) && budget.take(now, 100));
        }
        assert_eq!(budget.surplus, SURPLUS);
    }

    #[test]
    fn longer_ones_share_a_surplus_that_comes_back_with_time() {
        let (mut budget, now) = (AnswerBudget::new(), Instant::now());
        let mut answered = |now| {
            (0..10_000)
                .filter(|_| {
                    budget.datagram_came(36);
                    budget.take(now, 164)
                })
                .count()
        };
        assert_eq!(answered(now), 512);
        assert_eq!(answered(now + Duration::from_micros(1_500)), 0, "two milliseconds make one answer");
        assert_eq!(answered(now + Duration::from_millis(3)), 1);
        assert_eq!(answered(now + Duration::from_secs(3600)), 512);
    }
}
