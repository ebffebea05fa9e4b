//! Whether somebody speaks.

use earshot::Detector;

use crate::media::shaping::resample::Resample;

/// Tells speech from noise, music and silence, 16 ms at a time.
pub(super) struct SpeechDetector {
    resample: Resample,
    detector: Box<Detector>,
    waiting: Vec<f32>,
    /// Frames until the last speech is over.
    left: u32,
    /// How sure it is that the last frames were speech, 0 to 1.
    sure: f32,
}

impl SpeechDetector {
    pub(super) fn new() -> Self {
        Self {
            resample: Resample::new(48_000, RATE).expect("two rates within bounds"),
            detector: Detector::default_boxed(),
            waiting: Vec::new(),
            left: 0,
            sure: 0.0,
        }
    }

    /// Takes sound at 48 kHz.
    pub(super) fn hear(&mut self, sound: &[f32]) {
        self.resample.push(sound, &mut self.waiting);
        let mut frame = [0.0; FRAME];
        let whole = self.waiting.len() / FRAME * FRAME;
        for piece in self.waiting[..whole].chunks_exact(FRAME) {
            for (place, sample) in frame.iter_mut().zip(piece) {
                *place = sample.clamp(-1.0, 1.0);
            }
            let loud = frame.iter().map(|s| s * s).sum::<f32>() > QUIET * FRAME as f32;
            let score = if loud { self.detector.predict_f32(&frame).clamp(0.0, 1.0) } else { 0.0 };
            self.sure += (score - self.sure) * 0.4;
            self.left = if self.sure > SURE { LINGERS } else { self.left.saturating_sub(1) };
        }
        self.waiting.drain(..whole);
    }

    /// Whether somebody speaks now; the little pauses between words count as speech.
    pub(super) fn is_speech(&self) -> bool {
        self.left > 0
    }
}

/// Samples a second that the detector wants.
const RATE: u32 = 16_000;
const FRAME: usize = 256;
/// The power of 55 decibels below full scale: whoever speaks to this microphone is louder.
const QUIET: f32 = 3e-6;
const SURE: f32 = 0.6;
/// Frames: 200 ms.
const LINGERS: u32 = 12;

#[cfg(test)]
mod tests {
    use super::super::synthetic::{RATE, noise, speech};
    use super::*;

    /// The share of time in which somebody seemed to speak.
    fn heard(sound: &[f32]) -> f32 {
        let mut detector = SpeechDetector::new();
        let pieces = sound.chunks(RATE / 100);
        let count = pieces.len() as f32;
        let speaking = pieces.filter(|piece| {
            detector.hear(piece);
            detector.is_speech()
        });
        speaking.count() as f32 / count
    }

    #[test]
    fn two_talkers_are_heard_as_speech() {
        assert!(heard(&speech(6.0, 7, 110.0, -25.0)) > 0.7);
        assert!(heard(&speech(6.0, 8, 210.0, -35.0)) > 0.7);
    }

    #[test]
    fn noise_a_tone_and_silence_are_no_speech() {
        let tone: Vec<f32> = (0..5 * RATE).map(|n| (n as f32 * 0.13).sin() * 0.3).collect();
        for sound in [noise(5.0, 3, -30.0), noise(5.0, 4, -50.0), tone, vec![0.0; 5 * RATE]] {
            assert!(heard(&sound) < 0.05, "{}", heard(&sound));
        }
    }
}
