//! Glare: both ends dial each other at once (RFC 7016 §3.5.1.3, RFC 7425 §4.3.6).
//!
//! Both ends must come to the same conclusion from the two certificates alone. One deviation, on the safe side: our own
//! attempt is not aborted by an IIKeying that anybody may have copied together; it only rests, and is given up when the
//! far end has proven with a sealed packet that it holds the keys.

/// What to do with an IIKeying from somebody we are dialling ourselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Ours goes on; theirs is dropped.
    DropTheirs,
    /// Theirs is answered, and ours rests meanwhile.
    AnswerTheirs,
}

/// How far our own attempt to the same far end is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OwnAttempt {
    /// Whether our IIKeying is on its way: the far end has answered our hello.
    pub(crate) keying: bool,
    /// Whether theirs came from an address that we are trying too.
    pub(crate) same_address: bool,
}

/// Who goes on. An attempt that never reached the address their IIKeying came from does not count as glare: to drop
/// theirs in its favour could leave both with nothing.
pub(crate) fn judge(near_prevails: bool, own: OwnAttempt) -> Verdict {
    if near_prevails && (own.keying || own.same_address) {
        Verdict::DropTheirs
    } else {
        Verdict::AnswerTheirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_side_drops_when_both_have_sent_their_keying() {
        let own = OwnAttempt { keying: true, same_address: true };
        assert_eq!(judge(true, own), Verdict::DropTheirs);
        assert_eq!(judge(false, own), Verdict::AnswerTheirs);
    }

    #[test]
    fn an_attempt_that_reached_nobody_does_not_stop_one_that_did() {
        let own = OwnAttempt { keying: false, same_address: false };
        assert_eq!(judge(true, own), Verdict::AnswerTheirs);
    }
}
