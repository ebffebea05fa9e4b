//! The voice on its way to the encoder: without the echo of the loudspeaker, without noise, at an even level.
//!
//! ```text
//!  player ──ring──▶ Reference (the loudspeaker's sound on the microphone's clock) ─┐
//!  microphone ────▶ blocks of 10 ms ───────────────────────────▶ VoiceProcessor ◀──┘ ──▶ encoder
//! ```
//!
//! [`VoiceStage`] is the whole of it: pure, stepped, told the time by the stamps that come with sound. It owns no thread
//! and no device. The work itself is done behind [`VoiceProcessor`], by [`mod@sonora`].
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod device_clock;
pub(crate) mod played_ring;
mod reference;
mod sonora;
mod speech;
#[cfg(test)]
pub(crate) mod synthetic;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::device_clock::DeviceClock;
pub use self::reference::Played;
use self::reference::Reference;
use self::sonora::Sonora;
use self::speech::SpeechDetector;

/// Samples of a block: 10 ms at 48 kHz.
pub(crate) const BLOCK: usize = 480;

/// What the person wants done to their voice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VoiceProcessing {
    /// What the loudspeaker plays is taken out of what the microphone hears.
    pub echo_cancellation: bool,
    /// Steady noise is made quieter.
    pub noise_suppression: bool,
    /// Who speaks softly is made louder.
    pub automatic_gain: bool,
    /// Music is sent as it is heard: nothing of the above, and more bits.
    pub music: bool,
}

impl Default for VoiceProcessing {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, automatic_gain: true, music: false }
    }
}

impl VoiceProcessing {
    fn parts(self) -> VoiceParts {
        VoiceParts {
            echo_cancellation: self.echo_cancellation && !self.music,
            noise_suppression: self.noise_suppression && !self.music,
            automatic_gain: self.automatic_gain && !self.music,
        }
    }
}

/// What is switched on, once everything is considered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct VoiceParts {
    echo_cancellation: bool,
    noise_suppression: bool,
    automatic_gain: bool,
}

impl VoiceParts {
    fn any(self) -> bool {
        self != Self::default()
    }
}

/// Something that takes echo and noise out of a voice.
trait VoiceProcessor: Send {
    /// Does this from now on. What was learnt for what stays on is kept.
    fn set_parts(&mut self, parts: VoiceParts);

    /// The loudspeaker plays this. Comes before each block heard.
    fn on_played(&mut self, played: &[f32; BLOCK]);

    /// Works on 10 ms in place.
    fn process(&mut self, heard: &mut [f32; BLOCK]);

    /// By how many samples what is given is later than what was heard.
    fn delay(&self) -> usize;
}

/// The stage between microphone and encoder. Sound in, sound out, at 48 kHz, mono.
pub struct VoiceStage {
    parts: VoiceParts,
    processor: Option<Box<dyn VoiceProcessor>>,
    reference: Reference,
    /// The microphone's.
    clock: DeviceClock,
    /// Samples taken so far.
    taken: u64,
    /// Heard, and not yet a whole block.
    waiting: Vec<f32>,
    /// Samples of perfect silence in a row.
    silent: usize,
    speech: SpeechDetector,
}

impl Default for VoiceStage {
    fn default() -> Self {
        Self::new()
    }
}

impl VoiceStage {
    /// A stage that leaves everything as it is.
    pub fn new() -> Self {
        Self {
            parts: VoiceParts::default(),
            processor: None,
            reference: Reference::new(),
            clock: DeviceClock::default(),
            taken: 0,
            waiting: Vec::with_capacity(2 * BLOCK),
            silent: 0,
            speech: SpeechDetector::new(),
        }
    }

    /// Does this from now on. `None` leaves everything as it is: for sound that is no voice.
    pub fn set_processing(&mut self, processing: Option<VoiceProcessing>) {
        let parts = processing.map(VoiceProcessing::parts).unwrap_or_default();
        if self.parts == parts {
            return;
        }
        self.parts = parts;
        match &mut self.processor {
            _ if !parts.any() => self.processor = None,
            Some(processor) => processor.set_parts(parts),
            None => self.processor = Some(Box::new(Sonora::new(parts))),
        }
    }

    /// Takes what the loudspeaker plays, in order and before its echo can be heard.
    pub fn on_played(&mut self, played: &Played) {
        self.reference.push(played);
    }

    /// Takes sound whose first sample was heard then, appends what is ready, and says when its first sample was heard.
    /// `None` when nothing is ready: sound is worked on in pieces of 10 ms.
    pub fn push(&mut self, samples: &[f32], heard: Instant, out: &mut Vec<f32>) -> Option<Instant> {
        let before = out.len();
        self.clock.learn(self.taken, heard);
        let first = self.taken - self.waiting.len() as u64;
        self.taken += samples.len() as u64;
        let late = match &mut self.processor {
            None => {
                out.append(&mut self.waiting);
                out.extend_from_slice(samples);
                0
            }
            Some(processor) => {
                self.waiting.extend_from_slice(samples);
                let whole = self.waiting.len() / BLOCK * BLOCK;
                let mut block = [0.0; BLOCK];
                for (n, piece) in self.waiting[..whole].chunks_exact(BLOCK).enumerate() {
                    let at = self.clock.time_of(first + (n * BLOCK) as u64).unwrap_or(heard);
                    self.reference.take(at, self.clock.slowness(), &mut block);
                    processor.on_played(&block);
                    block.copy_from_slice(piece);
                    processor.process(&mut block);
                    self.silent = hush(&mut block, piece, self.silent);
                    out.extend_from_slice(&block);
                }
                self.waiting.drain(..whole);
                processor.delay()
            }
        };
        let given = &out[before..];
        self.speech.hear(given);
        let at = self.clock.time_of(first)?;
        let late = Duration::from_micros(late as u64 * 1000 / 48);
        (!given.is_empty()).then(|| at.checked_sub(late).unwrap_or(at))
    }

    /// Whether somebody speaks into the microphone now.
    pub fn is_speech(&self) -> bool {
        self.speech.is_speech()
    }

    /// By how much what is given is later than it need be, the wait for a whole block left out.
    pub fn delay(&self) -> Duration {
        let samples = self.processor.as_ref().map_or(0, |processor| processor.delay());
        Duration::from_micros(samples as u64 * 1000 / 48)
    }
}

/// Silence stays silence: where the microphone gives nothing at all, a muted one perhaps, nothing is sent, no invented
/// background either. Gives for how many samples it has been silent.
fn hush(block: &mut [f32; BLOCK], heard: &[f32], silent: usize) -> usize {
    if heard.iter().any(|sample| *sample != 0.0) {
        return 0;
    }
    if silent >= TAIL {
        block.fill(0.0);
    } else if silent + BLOCK >= TAIL {
        for (n, sample) in block.iter_mut().enumerate() {
            *sample *= 1.0 - n as f32 / BLOCK as f32;
        }
    }
    silent + BLOCK
}

/// Samples that the processing may still have in hand when silence begins: 30 ms.
const TAIL: usize = 3 * BLOCK;
