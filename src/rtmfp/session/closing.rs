//! How an open session comes to its end (RFC 7016 §3.5.5, figure 8).

use std::time::Instant;

use crate::rtmfp::endpoint::CloseManner;
use crate::rtmfp::error::SessionEnd;
use crate::rtmfp::limits;

/// Where a session stands between open and forgotten.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// S_OPEN.
    Open,
    /// S_NEARCLOSE: we asked, and wait for the answer.
    NearClose {
        /// No longer than that.
        until: Instant,
        /// When to ask again.
        ask_at: Instant,
    },
    /// S_FARCLOSE_LINGER: they asked, and may not have heard our answer.
    FarCloseLinger {
        /// No longer than that.
        until: Instant,
    },
    /// A last Close Acknowledgement is still to be sent.
    LastWords,
    /// S_CLOSED.
    Over,
}

/// What to do after a step.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ClosingStep {
    /// The session left S_OPEN: abort its flows and tell the layer above.
    pub(crate) ended: Option<SessionEnd>,
    /// Answer with a Close Acknowledgement.
    pub(crate) answer: bool,
}

impl Phase {
    /// We close it.
    pub(crate) fn close(&mut self, now: Instant, manner: CloseManner) -> ClosingStep {
        let ended = self.is_open().then_some(SessionEnd::ClosedHere);
        *self = match (manner, *self) {
            (CloseManner::Orderly, Self::Open) => {
                Self::NearClose { until: now + limits::NEAR_CLOSE, ask_at: now }
            }
            (CloseManner::Abrupt, Self::Open | Self::NearClose { .. }) => Self::LastWords,
            (_, other) => other,
        };
        ClosingStep { ended, answer: false }
    }

    /// A Close Request came. Answered in every state; only an open session moves.
    pub(crate) fn on_request(&mut self, now: Instant) -> ClosingStep {
        let ended = self.is_open().then_some(SessionEnd::ClosedThere);
        if self.is_open() {
            *self = Self::FarCloseLinger { until: now + limits::FAR_CLOSE_LINGER };
        }
        ClosingStep { ended, answer: !matches!(self, Self::LastWords | Self::Over) }
    }

    /// A Close Acknowledgement came: the answer to our request, or an abrupt close.
    pub(crate) fn on_acknowledgement(&mut self) -> ClosingStep {
        let ended = self.is_open().then_some(SessionEnd::ClosedThere);
        *self = Self::Over;
        ClosingStep { ended, answer: false }
    }

    /// Time passed; true if a Close Request is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> bool {
        match *self {
            Self::NearClose { until, .. } | Self::FarCloseLinger { until } if until <= now => {
                *self = Self::Over;
                false
            }
            Self::NearClose { until, ask_at } if ask_at <= now => {
                *self = Self::NearClose { until, ask_at: now + limits::CLOSE_REQUEST_INTERVAL };
                true
            }
            _ => false,
        }
    }

    /// When [`Self::on_time`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match *self {
            Self::NearClose { until, ask_at } => Some(until.min(ask_at)),
            Self::FarCloseLinger { until } => Some(until),
            Self::Open | Self::LastWords | Self::Over => None,
        }
    }

    /// Whether it is S_OPEN.
    pub(crate) fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Every state and everything that can happen in it: what it is then, what is told, and whether it is answered.
    ///
    /// Conforms: 7016-3.5-b, 7016-3.5.5-a, 7016-3.5.5-d, 7016-3.5.5-e, 7016-3.5.5-g, trap-16
    #[test]
    fn every_step_between_open_and_closed_is_the_one_of_the_state_diagram() {
        type Step = fn(&mut Phase, Instant) -> ClosingStep;
        let orderly: Step = |phase, now| phase.close(now, CloseManner::Orderly);
        let abrupt: Step = |phase, now| phase.close(now, CloseManner::Abrupt);
        let request: Step = |phase, now| phase.on_request(now);
        let acknowledgement: Step = |phase, _| phase.on_acknowledgement();
        let now = Instant::now();
        let near = Phase::NearClose { until: now + Duration::from_secs(90), ask_at: now };
        let far = Phase::FarCloseLinger { until: now + Duration::from_secs(19) };
        let (here, there) = (Some(SessionEnd::ClosedHere), Some(SessionEnd::ClosedThere));
        for (what, before, step, after, ended, answer) in [
            ("orderly", Phase::Open, orderly, near, here, false),
            ("abrupt", Phase::Open, abrupt, Phase::LastWords, here, false),
            ("request", Phase::Open, request, far, there, true),
            ("acknowledgement", Phase::Open, acknowledgement, Phase::Over, there, false),
            ("orderly", near, orderly, near, None, false),
            ("abrupt", near, abrupt, Phase::LastWords, None, false),
            ("request", near, request, near, None, true),
            ("acknowledgement", near, acknowledgement, Phase::Over, None, false),
            ("orderly", far, orderly, far, None, false),
            ("abrupt", far, abrupt, far, None, false),
            ("request", far, request, far, None, true),
            ("acknowledgement", far, acknowledgement, Phase::Over, None, false),
            ("orderly", Phase::Over, orderly, Phase::Over, None, false),
            ("request", Phase::Over, request, Phase::Over, None, false),
        ] {
            let mut phase = before;
            let said = step(&mut phase, now);
            assert_eq!((phase, said), (after, ClosingStep { ended, answer }), "{what} in {before:?}");
        }
    }

    /// Conforms: 7016-3.5.5-b, 7016-3.5.5-f
    #[test]
    fn waiting_for_an_answer_ends_after_ninety_seconds_and_lingering_after_nineteen() {
        let now = Instant::now();
        for (mut phase, seconds) in [
            (Phase::NearClose { until: now + limits::NEAR_CLOSE, ask_at: now }, 90),
            (Phase::FarCloseLinger { until: now + limits::FAR_CLOSE_LINGER }, 19),
        ] {
            phase.on_time(now + Duration::from_secs(seconds) - Duration::from_millis(1));
            assert_ne!(phase, Phase::Over);
            phase.on_time(now + Duration::from_secs(seconds));
            assert_eq!(phase, Phase::Over);
        }
    }

    #[test]
    fn a_close_request_is_repeated_every_five_seconds_for_ninety() {
        let now = Instant::now();
        let mut phase = Phase::Open;
        assert_eq!(phase.close(now, CloseManner::Orderly).ended, Some(SessionEnd::ClosedHere));
        let requests = (0..100).filter(|s| phase.on_time(now + Duration::from_secs(*s))).count();
        assert_eq!((requests, phase), (18, Phase::Over));
    }

    #[test]
    fn a_session_closed_there_answers_again_for_nineteen_seconds_but_ends_once() {
        let now = Instant::now();
        let mut phase = Phase::Open;
        let both = ClosingStep { ended: Some(SessionEnd::ClosedThere), answer: true };
        assert_eq!(phase.on_request(now), both);
        assert_eq!(phase.on_request(now), ClosingStep { ended: None, answer: true });
        phase.on_time(now + Duration::from_secs(19));
        assert_eq!(phase, Phase::Over);
    }

    #[test]
    fn both_closing_at_once_answer_each_other() {
        let now = Instant::now();
        let mut phase = Phase::Open;
        phase.close(now, CloseManner::Orderly);
        assert_eq!(phase.on_request(now), ClosingStep { ended: None, answer: true });
        assert!(matches!(phase, Phase::NearClose { .. }));
        assert_eq!(phase.on_acknowledgement().ended, None);
        assert_eq!(phase, Phase::Over);
    }

    #[test]
    fn an_acknowledgement_nobody_asked_for_is_an_abrupt_close() {
        let mut phase = Phase::Open;
        assert_eq!(phase.on_acknowledgement().ended, Some(SessionEnd::ClosedThere));
        assert_eq!(phase, Phase::Over);
    }
}
