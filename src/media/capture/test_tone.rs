//! A tone that can be measured: 1 kHz, with a rising chirp at each full second of the system's clock.
//!
//! Whoever shares the clock finds the chirp in what is heard, and so how old the sound is, modulo a second.

use std::collections::VecDeque;
use std::f32::consts::TAU;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Pace, SoundSource};
use crate::media::device_error::DeviceError;
use crate::media::worker::Stop;

/// The test tone as a source, in pieces of 10 ms.
pub(crate) struct TestTone {
    pace: Pace,
    /// What the next piece follows: its moment, and its place in samples since 1970.
    expected: Option<(Instant, u64)>,
}

impl TestTone {
    pub(crate) fn new() -> Self {
        Self { pace: Pace::new(PIECE), expected: None }
    }
}

impl SoundSource for TestTone {
    fn read(&mut self, stop: &Stop, out: &mut Vec<f32>) -> Result<Option<Instant>, DeviceError> {
        let Some(due) = self.pace.wait(stop) else { return Ok(None) };
        let sample = match self.expected {
            Some((expected, sample)) if expected == due => sample,
            _ => system_samples(due),
        };
        self.expected = Some((due + PIECE, sample + 480));
        fill(sample, 480, out);
        Ok(Some(due))
    }
}

const PIECE: Duration = Duration::from_millis(10);

/// Samples at 48 kHz from 1970 to a moment, by the system's clock.
fn system_samples(at: Instant) -> u64 {
    let age = Instant::now().saturating_duration_since(at);
    let then = SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH);
    let since = then.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros() * 48 / 1000).unwrap_or_default()
}

/// Appends so many samples of the tone from this place on.
pub(crate) fn fill(first: u64, count: u64, out: &mut Vec<f32>) {
    out.extend((first..first + count).map(|n| {
        let phase = (n % 48_000) as f32;
        if phase < CHIRP as f32 { chirp(phase) } else { (TAU * phase / 48.0).sin() * 0.2 }
    }));
}

/// 600 to 3000 Hz in 60 ms, faded at both ends.
fn chirp(phase: f32) -> f32 {
    let time = phase / 48_000.0;
    let length = CHIRP as f32 / 48_000.0;
    let cycles = 600.0 * time + (3000.0 - 600.0) * time * time / (2.0 * length);
    let edge = phase.min(CHIRP as f32 - phase).min(240.0) / 240.0;
    (TAU * cycles).sin() * 0.5 * edge
}

const CHIRP: usize = 2880;

/// Finds the chirps in heard sound. Works at 8 kHz: a chirp's place to an eighth of a millisecond is enough.
pub(crate) struct ToneDetector {
    template: Vec<f32>,
    heard: VecDeque<f32>,
    /// Microseconds since 1970 at which the sample after the last of `heard` is heard.
    end_micros: u64,
    partial: Vec<f32>,
}

impl ToneDetector {
    pub(crate) fn new() -> Self {
        let full: Vec<f32> = (0..CHIRP).map(|n| chirp(n as f32)).collect();
        let template = full.chunks_exact(DECIMATION).map(mean).collect();
        Self { template, heard: VecDeque::new(), end_micros: 0, partial: Vec::new() }
    }

    /// Takes sound with the time at which its first sample is heard, in microseconds since 1970. Once a second at most
    /// it answers how many milliseconds after the full second the chirp came.
    pub(crate) fn hear(&mut self, samples: &[f32], first_micros: u64) -> Option<f64> {
        for sample in samples {
            self.partial.push(*sample);
            if self.partial.len() == DECIMATION {
                self.heard.push_back(mean(&self.partial));
                self.partial.clear();
            }
        }
        self.end_micros = first_micros + samples.len() as u64 * 1000 / 48;
        // A window longer than a second always holds one whole chirp.
        let enough = 8000 + self.template.len();
        if self.heard.len() < enough {
            return None;
        }
        let found = self.search();
        self.heard.drain(..8000);
        found
    }

    fn search(&mut self) -> Option<f64> {
        let heard: &[f32] = self.heard.make_contiguous();
        let length = self.template.len();
        let own: f32 = self.template.iter().map(|s| s * s).sum();
        let mut energy: f32 = heard.iter().take(length).map(|s| s * s).sum();
        let mut best = (0.0_f32, 0);
        for at in 0..heard.len() - length {
            if energy > own * 0.003 {
                let product: f32 =
                    heard[at..at + length].iter().zip(&self.template).map(|(a, b)| a * b).sum();
                let likeness = product / (own * energy).sqrt();
                if likeness > best.0 {
                    best = (likeness, at);
                }
            }
            energy = (energy + heard[at + length].powi(2) - heard[at].powi(2)).max(0.0);
        }
        let (likeness, at) = best;
        if likeness < 0.7 {
            return None;
        }
        let before_end = (heard.len() - at) as f64 / 8.0;
        let second_ms = (self.end_micros % 1_000_000) as f64 / 1000.0;
        Some((second_ms - before_end).rem_euclid(1000.0))
    }
}

const DECIMATION: usize = 6;

fn mean(samples: &[f32]) -> f32 {
    samples.iter().sum::<f32>() / samples.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_found_to_the_millisecond() {
        let mut tone = Vec::new();
        let first = 1_790_000_000 * 48_000 + 20_000;
        fill(first, 48_000 * 3, &mut tone);
        let mut detector = ToneDetector::new();
        let mut found = Vec::new();
        for (n, piece) in tone.chunks(480).enumerate() {
            let heard_at = (first * 1000 / 48) + n as u64 * 10_000 + 87_000;
            found.extend(detector.hear(piece, heard_at));
        }
        assert!(!found.is_empty());
        assert!(found.iter().all(|ms| (ms - 87.0).abs() < 1.0), "{found:?}");
    }

    #[test]
    fn a_plain_tone_and_silence_hold_no_chirp() {
        let mut detector = ToneDetector::new();
        let plain: Vec<f32> = (0..96_000).map(|n| (n as f32 * TAU / 48.0).sin() * 0.3).collect();
        assert_eq!(detector.hear(&plain, 0), None);
        assert_eq!(detector.hear(&[0.0; 96_000], 2_000_000), None);
    }
}
