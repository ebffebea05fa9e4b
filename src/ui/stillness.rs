//! When the controls over a picture fade, and when they come back.

/// How long nothing must move, in seconds.
const STILL_FOR: f64 = 3.0;
/// How long fading takes, in seconds.
const FADE: f64 = 0.25;

/// Watches the pointer and the keys. Times are seconds of the window's own clock.
#[derive(Clone, Debug, Default)]
pub struct Stillness {
    last_move: f64,
}

impl Stillness {
    /// Something moved, or something holds the controls: a panel, the focus, a lost connection.
    pub fn on_life(&mut self, now: f64) {
        self.last_move = self.last_move.max(now);
    }

    /// From 1, fully there, to 0, gone.
    pub fn opacity(&self, now: f64) -> f32 {
        let fading = now - self.last_move - STILL_FOR;
        (1.0 - fading / FADE).clamp(0.0, 1.0) as f32
    }

    /// In how many seconds the window must be painted again; `None` once all is gone.
    pub fn next_change(&self, now: f64) -> Option<f64> {
        let still = now - self.last_move;
        if still < STILL_FOR {
            Some(STILL_FOR - still)
        } else if still < STILL_FOR + FADE {
            Some(0.0)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_stay_for_three_seconds_and_then_fade() {
        let mut stillness = Stillness::default();
        stillness.on_life(10.0);
        assert_eq!(stillness.opacity(12.9), 1.0);
        let half = stillness.opacity(13.125);
        assert!(half > 0.4 && half < 0.6, "{half}");
        assert_eq!(stillness.opacity(13.3), 0.0);
    }

    #[test]
    fn moving_the_pointer_brings_them_back_at_once() {
        let mut stillness = Stillness::default();
        stillness.on_life(10.0);
        stillness.on_life(60.0);
        assert_eq!(stillness.opacity(60.0), 1.0);
    }

    #[test]
    fn what_is_gone_asks_for_no_more_painting() {
        let mut stillness = Stillness::default();
        stillness.on_life(10.0);
        assert_eq!(stillness.next_change(11.0), Some(2.0));
        assert_eq!(stillness.next_change(13.1), Some(0.0));
        assert_eq!(stillness.next_change(20.0), None);
    }
}
