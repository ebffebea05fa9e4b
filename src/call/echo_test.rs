//! A call to oneself: coded frames wait a second and are played as if they had come from a far end. Pure; no network.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::media::encoded::EncodedFrame;

/// One hears oneself so much later: long enough to have stopped speaking.
const LATER: Duration = Duration::from_secs(1);
/// Nobody listens to themselves for longer; a test that was forgotten must not keep the microphone open.
const LONGEST: Duration = Duration::from_secs(60);
/// Frames that wait; more than a second of sound and pictures ever makes.
const MOST: usize = 256;

/// The echo test, on or off.
#[derive(Debug, Default)]
pub(crate) struct EchoTest {
    ends: Option<Instant>,
    waiting: VecDeque<(Instant, EncodedFrame)>,
}

impl EchoTest {
    /// Begins.
    pub(crate) fn start(&mut self, now: Instant) {
        self.ends = Some(now + LONGEST);
        self.waiting.clear();
    }

    /// Ends; whether it was on.
    pub(crate) fn stop(&mut self) -> bool {
        self.waiting.clear();
        self.ends.take().is_some()
    }

    /// Whether it is on.
    pub(crate) fn is_on(&self) -> bool {
        self.ends.is_some()
    }

    /// Whether it has lasted long enough.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    /// Takes a frame of ours. Without a test it is given back: it belongs to a call.
    pub(crate) fn push(&mut self, now: Instant, frame: EncodedFrame) -> Option<EncodedFrame> {
        if !self.is_on() {
            return Some(frame);
        }
        if self.waiting.len() < MOST {
            self.waiting.push_back((now + LATER, frame));
        }
        None
    }

    /// The next frame whose moment has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<EncodedFrame> {
        self.waiting.pop_front_if(|(due, _)| *due <= now).map(|(_, frame)| frame)
    }

    /// When there is something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let next = self.waiting.front().map(|(due, _)| *due);
        self.ends.map(|ends| next.map_or(ends, |next| next.min(ends)))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn sound(timestamp: u32) -> EncodedFrame {
        EncodedFrame::Audio { timestamp, packet: Bytes::from_static(&[1, 2, 3]) }
    }

    #[test]
    fn what_is_said_comes_back_a_second_later_in_order() {
        let now = Instant::now();
        let mut echo = EchoTest::default();
        echo.start(now);
        assert_eq!(echo.push(now, sound(0)), None);
        assert_eq!(echo.push(now + Duration::from_millis(20), sound(20)), None);
        assert_eq!(echo.pop(now + Duration::from_millis(999)), None);
        assert_eq!(echo.deadline(), Some(now + LATER));
        assert_eq!(echo.pop(now + LATER), Some(sound(0)));
        assert_eq!(echo.pop(now + LATER), None);
        assert_eq!(echo.pop(now + Duration::from_millis(1020)), Some(sound(20)));
    }

    #[test]
    fn without_a_test_frames_belong_to_the_call() {
        let mut echo = EchoTest::default();
        assert_eq!(echo.push(Instant::now(), sound(0)), Some(sound(0)));
        assert_eq!(echo.deadline(), None);
    }

    #[test]
    fn it_ends_by_itself_after_a_minute() {
        let now = Instant::now();
        let mut echo = EchoTest::default();
        echo.start(now);
        assert_eq!(echo.deadline(), Some(now + LONGEST));
        assert!(!echo.is_over(now + LONGEST / 2) && echo.is_over(now + LONGEST));
        assert!(echo.stop() && !echo.stop());
    }
}
