//! Which sequence numbers were seen (RFC 7425 §4.7.3.3).

use crate::rtmfp::crypto::CryptoError;

/// How far behind the highest number a packet may come. The RFC asks for 32; links that bundle several paths reorder more.
const REACH: u64 = 1024;
const WORD: u64 = u64::BITS as u64;

/// The numbers seen among the last 1024. Lower ones count as seen.
pub(super) struct ReplayWindow {
    /// One above the highest number seen.
    next: u64,
    /// Bit `n % REACH` stands for number `n`.
    seen: [u64; (REACH / WORD) as usize],
}

impl Default for ReplayWindow {
    fn default() -> Self {
        Self { next: 0, seen: [0; (REACH / WORD) as usize] }
    }
}

impl ReplayWindow {
    /// Takes note of a verified packet's number.
    ///
    /// # Errors
    /// [`CryptoError::Replayed`] when it was seen, or is too low to tell. The highest 64-bit number counts as seen too.
    pub(super) fn admit(&mut self, number: u64) -> Result<(), CryptoError> {
        let after = number.checked_add(1).ok_or(CryptoError::Replayed)?;
        if self.next.saturating_sub(number) > REACH {
            return Err(CryptoError::Replayed);
        }
        if number >= self.next {
            let skipped_from = self.next.max(after.saturating_sub(REACH));
            (skipped_from..after).for_each(|skipped| *self.word(skipped) &= !bit(skipped));
            self.next = after;
        }
        let word = self.word(number);
        if *word & bit(number) != 0 {
            return Err(CryptoError::Replayed);
        }
        *word |= bit(number);
        Ok(())
    }

    fn word(&mut self, number: u64) -> &mut u64 {
        &mut self.seen[(number % REACH / WORD) as usize]
    }
}

fn bit(number: u64) -> u64 {
    1 << (number % WORD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_number_1023_behind_is_new_and_one_1024_behind_is_not() {
        let mut window = ReplayWindow::default();
        assert_eq!(window.admit(5000), Ok(()));
        assert_eq!(window.admit(5000 - 1023), Ok(()));
        assert_eq!(window.admit(5000 - 1023), Err(CryptoError::Replayed));
        assert_eq!(window.admit(5000 - 1024), Err(CryptoError::Replayed));
    }

    #[test]
    fn a_leap_forgets_what_lies_behind() {
        let mut window = ReplayWindow::default();
        assert_eq!(window.admit(3), Ok(()));
        assert_eq!(window.admit(3 + 1024 * 1_000_000), Ok(()));
        assert_eq!(window.admit(3), Err(CryptoError::Replayed));
        assert_eq!(window.admit(3 + 1024 * 999_999 + 1), Ok(()));
        assert_eq!(window.admit(u64::MAX), Err(CryptoError::Replayed));
    }

    proptest! {
        #[test]
        fn it_answers_like_a_set_of_all_numbers(steps in proptest::collection::vec(0..3000_u64, 0..200)) {
            let mut window = ReplayWindow::default();
            let mut seen = BTreeSet::new();
            let mut base = 0;
            for (turn, step) in steps.into_iter().enumerate() {
                base += turn as u64 * 7;
                let number = base + step;
                let highest = seen.last().copied().unwrap_or(0);
                let new = number + REACH > highest && !seen.contains(&number);
                prop_assert_eq!(window.admit(number).is_ok(), new);
                if new {
                    seen.insert(number);
                }
            }
        }
    }
}
