//! Codes that two persons compare aloud to know that nobody sits between them. Pure.
//!
//! ```text
//! committer (who called)                       responder (who was called)
//!                          ←── verifyAsk ───   only when the responder begins
//! draws v1                 ── verifyCommit ─→  SHA-256(…, v1)
//!                          ←── verifyValue ──  draws v2
//!                          ── verifyReveal ─→  checks v1 against the commitment
//! ```
//!
//! Both derive the code from both fingerprints, the nonces of the session (RFC 7425 §4.6.4), v1 and v2. Somebody in between
//! has two sessions with different nonces, and must fix v1 towards one end before knowing the other's value: a guess, once a
//! session. What a person says of the code belongs to the far peer ID; the rules of who calls whom are not decided here.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::messages::ours;
use crate::amf::Value;
use crate::rtmfp::PeerId;

/// What ties a code to one session: both nonces, the one of the lower peer ID first.
pub(crate) type SessionBinding = [u8; 64];

/// One step of the exchange, on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum VerifyStep {
    /// The called end wants to compare; the caller is to commit.
    Ask,
    /// The caller is bound to a value.
    Commit {
        /// Which session is meant: two ends may have two with each other.
        session: [u8; 16],
        /// The commitment.
        commit: [u8; 32],
    },
    /// The called end's value.
    Value([u8; 32]),
    /// The caller's value.
    Reveal([u8; 32]),
}

impl VerifyStep {
    /// The handler's name and its arguments.
    pub(crate) fn to_data(self) -> (&'static str, Vec<Value>) {
        let hex = |bytes: &[u8]| Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        match self {
            Self::Ask => ours("verifyAsk", vec![]),
            Self::Commit { session, commit } => {
                ours("verifyCommit", vec![("session", hex(&session)), ("commit", hex(&commit))])
            }
            Self::Value(value) => ours("verifyValue", vec![("value", hex(&value))]),
            Self::Reveal(value) => ours("verifyReveal", vec![("value", hex(&value))]),
        }
    }

    /// Reads a step; `None` for what is none.
    pub(crate) fn from_object(kind: &str, object: &Value) -> Option<Self> {
        fn bytes<const N: usize>(object: &Value, name: &str) -> Option<[u8; N]> {
            let digits = object.property(name)?.as_str()?.as_bytes();
            if digits.len() != N * 2 {
                return None;
            }
            let mut bytes = [0; N];
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                let mut digits = pair.iter().map(|digit| char::from(*digit).to_digit(16));
                let (high, low) = (digits.next()??, digits.next()??);
                *byte = u8::try_from(high * 16 + low).ok()?;
            }
            Some(bytes)
        }
        Some(match kind {
            "verifyAsk" => Self::Ask,
            "verifyCommit" => {
                Self::Commit { session: bytes(object, "session")?, commit: bytes(object, "commit")? }
            }
            "verifyValue" => Self::Value(bytes(object, "value")?),
            "verifyReveal" => Self::Reveal(bytes(object, "value")?),
            _ => return None,
        })
    }
}

/// What the two persons compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Code([u8; 32]);

impl Code {
    /// Three groups of four digits: 39.8 bits.
    pub(crate) fn digits(&self) -> Vec<String> {
        let number = u64::from_be_bytes(*self.0.first_chunk().expect("32 bytes hold 8")) % 1_000_000_000_000;
        let text = format!("{number:012}");
        (0..3).map(|group| text[group * 4..group * 4 + 4].to_owned()).collect()
    }

    /// Four numbers of words in a list of 2048: 44 bits, others than those of the digits.
    pub(crate) fn words(&self) -> Vec<u16> {
        let number = u64::from_be_bytes(*self.0[8..].first_chunk().expect("24 bytes hold 8"));
        (0..4).map(|word| (number >> (word * 11) & 0x7ff) as u16).collect()
    }
}

/// How far one try got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// We asked the caller to begin.
    Asked,
    /// We are bound to a value and wait for theirs.
    Committed {
        /// Ours.
        value: [u8; 32],
    },
    /// They are bound to a value and know ours.
    Answered {
        /// Their commitment.
        commit: [u8; 32],
        /// Ours.
        value: [u8; 32],
    },
    /// To be compared.
    Agreed(Code),
    /// Compared, and found the same.
    Same(Code),
    /// They did not keep to the rules, or the persons found a difference. For this session it stays so.
    Failed,
}

/// The one try that a session has.
#[derive(Clone, Debug)]
pub(crate) struct Verification {
    me: PeerId,
    far: PeerId,
    binding: SessionBinding,
    stage: Stage,
}

impl Verification {
    /// The called end's person begins: the caller is asked to commit.
    pub(crate) fn ask(me: PeerId, far: PeerId, binding: SessionBinding) -> (Self, VerifyStep) {
        (Self { me, far, binding, stage: Stage::Asked }, VerifyStep::Ask)
    }

    /// The caller begins, by itself or because it was asked, with a value drawn for this.
    pub(crate) fn commit(
        me: PeerId,
        far: PeerId,
        binding: SessionBinding,
        value: [u8; 32],
    ) -> (Self, VerifyStep) {
        let commit = commitment(me, far, &binding, &value);
        let step = VerifyStep::Commit { session: session_name(&binding), commit };
        (Self { me, far, binding, stage: Stage::Committed { value } }, step)
    }

    /// The far end begins. The value is drawn for this.
    pub(crate) fn answer(
        me: PeerId,
        far: PeerId,
        binding: SessionBinding,
        commit: [u8; 32],
        value: [u8; 32],
    ) -> (Self, VerifyStep) {
        (Self { me, far, binding, stage: Stage::Answered { commit, value } }, VerifyStep::Value(value))
    }

    /// The try of a session that is spent before it began.
    pub(crate) fn failed(me: PeerId, far: PeerId, binding: SessionBinding) -> Self {
        Self { me, far, binding, stage: Stage::Failed }
    }

    /// The session that this try belongs to.
    pub(crate) fn binding(&self) -> &SessionBinding {
        &self.binding
    }

    /// How far it got.
    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// The far end commits although this session's try has begun. Two callers at once are no fault: the lower peer ID's
    /// commitment counts, and ours, of which nothing was revealed, is dropped. Anything else is a second try.
    pub(crate) fn committed_again(
        &mut self,
        binding: SessionBinding,
        commit: [u8; 32],
        value: [u8; 32],
    ) -> Option<VerifyStep> {
        match self.stage {
            Stage::Asked => {}
            Stage::Committed { .. } if self.far < self.me => {}
            // Ours counts, and they will answer it.
            Stage::Committed { .. } => return None,
            _ => {
                self.stage = Stage::Failed;
                return None;
            }
        }
        self.binding = binding;
        self.stage = Stage::Answered { commit, value };
        Some(VerifyStep::Value(value))
    }

    /// The called end's value came.
    pub(crate) fn value_came(&mut self, theirs: [u8; 32]) -> Option<VerifyStep> {
        let Stage::Committed { value } = self.stage else {
            self.stage = Stage::Failed;
            return None;
        };
        self.stage = Stage::Agreed(code(self.me, self.far, &self.binding, &value, &theirs));
        Some(VerifyStep::Reveal(value))
    }

    /// The caller's value came.
    pub(crate) fn revealed(&mut self, theirs: [u8; 32]) {
        self.stage = match self.stage {
            Stage::Answered { commit, value }
                if bool::from(commitment(self.far, self.me, &self.binding, &theirs).ct_eq(&commit)) =>
            {
                Stage::Agreed(code(self.far, self.me, &self.binding, &theirs, &value))
            }
            _ => Stage::Failed,
        };
    }

    /// The persons compared. Whether that made the far end verified.
    pub(crate) fn compared(&mut self, same: bool) -> bool {
        match self.stage {
            Stage::Agreed(code) | Stage::Same(code) if same => {
                self.stage = Stage::Same(code);
                true
            }
            Stage::Agreed(_) | Stage::Same(_) => {
                self.stage = Stage::Failed;
                false
            }
            _ => false,
        }
    }

    /// The far end does not know any of this: the try is not spent.
    pub(crate) fn waits_for_far_end(&self) -> bool {
        matches!(self.stage, Stage::Asked | Stage::Committed { .. } | Stage::Answered { .. })
    }
}

/// A session's name, from which nothing of its nonces can be told.
pub(crate) fn session_name(binding: &SessionBinding) -> [u8; 16] {
    let hash = Sha256::new().chain_update(b"tincan session").chain_update(binding).finalize();
    *hash.first_chunk().expect("32 bytes hold 16")
}

fn commitment(committer: PeerId, responder: PeerId, binding: &SessionBinding, value: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"tincan verification commitment")
        .chain_update(committer.0)
        .chain_update(responder.0)
        .chain_update(binding)
        .chain_update(value)
        .finalize()
        .into()
}

/// HKDF-SHA256 (RFC 5869) of everything, one block of it.
fn code(
    committer: PeerId,
    responder: PeerId,
    binding: &SessionBinding,
    committed: &[u8; 32],
    answered: &[u8; 32],
) -> Code {
    let key = hmac(
        b"tincan verification",
        &[&committer.0, &responder.0, binding.as_slice(), committed.as_slice(), answered.as_slice()],
    );
    Code(hmac(&key, &[b"code", &[1]]))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: PeerId = PeerId([1; 32]);
    const CALLED: PeerId = PeerId([2; 32]);
    const EVE: PeerId = PeerId([3; 32]);
    const SESSION: SessionBinding = [7; 64];

    fn commit_of(step: VerifyStep) -> [u8; 32] {
        match step {
            VerifyStep::Commit { commit, .. } => commit,
            other => panic!("no commitment: {other:?}"),
        }
    }

    fn value_of(step: VerifyStep) -> [u8; 32] {
        match step {
            VerifyStep::Value(value) | VerifyStep::Reveal(value) => value,
            other => panic!("no value: {other:?}"),
        }
    }

    fn agreed(verification: &Verification) -> Code {
        match verification.stage() {
            Stage::Agreed(code) => code,
            other => panic!("not agreed: {other:?}"),
        }
    }

    /// Both ends of one session after an honest exchange.
    fn honest(values: ([u8; 32], [u8; 32])) -> (Verification, Verification) {
        let (mut caller, commit) = Verification::commit(CALLER, CALLED, SESSION, values.0);
        let (mut called, value) = Verification::answer(CALLED, CALLER, SESSION, commit_of(commit), values.1);
        let reveal = caller.value_came(value_of(value)).expect("the value was waited for");
        called.revealed(value_of(reveal));
        (caller, called)
    }

    #[test]
    fn two_ends_with_nobody_between_them_show_the_same_code() {
        let (caller, called) = honest(([10; 32], [11; 32]));
        assert_eq!(agreed(&caller), agreed(&called));
        let code = agreed(&caller);
        assert_eq!(code.digits(), agreed(&called).digits());
        assert!(code.digits().iter().all(|group| group.len() == 4));
        assert!(code.words().iter().all(|word| *word < 2048) && code.words().len() == 4);
    }

    #[test]
    fn each_value_changes_the_code() {
        let code = |values| agreed(&honest(values).0);
        assert_ne!(code(([10; 32], [11; 32])), code(([10; 32], [12; 32])));
        assert_ne!(code(([10; 32], [11; 32])), code(([13; 32], [11; 32])));
    }

    #[test]
    fn somebody_in_between_with_two_sessions_cannot_make_the_codes_agree() {
        for seed in 0..200_u8 {
            let (towards_caller, towards_called): (SessionBinding, SessionBinding) =
                ([seed; 64], [!seed; 64]);
            let (mut caller, commit) = Verification::commit(CALLER, EVE, towards_caller, [seed; 32]);
            // The best that can be done in between: take the values of one side over for the other.
            let (mut between_caller, value) =
                Verification::answer(EVE, CALLER, towards_caller, commit_of(commit), [seed ^ 0x55; 32]);
            let reveal = caller.value_came(value_of(value)).expect("the value was waited for");
            between_caller.revealed(value_of(reveal));
            let (mut between_called, commit) =
                Verification::commit(EVE, CALLED, towards_called, value_of(reveal));
            let (mut called, value) =
                Verification::answer(CALLED, EVE, towards_called, commit_of(commit), [seed ^ 0xaa; 32]);
            let reveal = between_called.value_came(value_of(value)).expect("the value was waited for");
            called.revealed(value_of(reveal));
            assert_ne!(agreed(&caller).digits(), agreed(&called).digits());
            assert_ne!(agreed(&caller).words(), agreed(&called).words());
        }
    }

    #[test]
    fn a_value_that_was_not_committed_to_is_refused() {
        let (_, commit) = Verification::commit(CALLER, CALLED, SESSION, [10; 32]);
        let (mut called, _) = Verification::answer(CALLED, CALLER, SESSION, commit_of(commit), [11; 32]);
        called.revealed([12; 32]);
        assert_eq!(called.stage(), Stage::Failed);
        assert!(!called.compared(true), "what failed cannot be found right");
    }

    #[test]
    fn a_commitment_of_another_session_is_refused() {
        let (_, commit) = Verification::commit(CALLER, CALLED, [8; 64], [10; 32]);
        let (mut called, _) = Verification::answer(CALLED, CALLER, SESSION, commit_of(commit), [11; 32]);
        called.revealed([10; 32]);
        assert_eq!(called.stage(), Stage::Failed);
    }

    #[test]
    fn a_session_has_one_try() {
        let (_, mut called) = honest(([10; 32], [11; 32]));
        assert_eq!(called.committed_again(SESSION, [0; 32], [12; 32]), None);
        assert_eq!(called.stage(), Stage::Failed);
        let (mut caller, _) = honest(([10; 32], [11; 32]));
        assert_eq!(caller.value_came([0; 32]), None);
        assert_eq!(caller.stage(), Stage::Failed);
    }

    #[test]
    fn two_who_commit_at_once_go_by_the_lower_peer_id() {
        let (mut low, low_commit) = Verification::commit(CALLER, CALLED, SESSION, [10; 32]);
        let (mut high, high_commit) = Verification::commit(CALLED, CALLER, SESSION, [11; 32]);
        assert_eq!(low.committed_again(SESSION, commit_of(high_commit), [12; 32]), None);
        let value = high.committed_again(SESSION, commit_of(low_commit), [13; 32]).expect("the lower counts");
        let reveal = low.value_came(value_of(value)).expect("the value was waited for");
        high.revealed(value_of(reveal));
        assert_eq!(agreed(&low), agreed(&high));
    }

    #[test]
    fn a_difference_is_final() {
        let (mut caller, _) = honest(([10; 32], [11; 32]));
        assert!(!caller.compared(false));
        assert!(!caller.compared(true));
        assert_eq!(caller.stage(), Stage::Failed);
    }
}
