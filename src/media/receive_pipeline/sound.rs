//! Packets of sound to blocks of sound: what the jitter buffer decides, done.

use std::time::Instant;

use bytes::Bytes;

use crate::media::codec::audio_decoder::{AudioDecoder, repeats_predecessor};
use crate::media::playout::jitter_buffer::{JitterBuffer, Pace, Step};
use crate::media::playout::stretch::{self, Likeness};

/// Samples of a block: 10 ms at 48 kHz.
pub(crate) const BLOCK: usize = 480;

/// 10 ms of sound to be heard.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) samples: [f32; BLOCK],
    /// The capture stamp of its first sample, once sound flows.
    pub(crate) timestamp: Option<u32>,
    /// Milliseconds of sound made up while filling this block.
    pub(crate) concealed_ms: u32,
}

/// What became of the sound of one stream so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundFigures {
    /// The delay aimed at, in milliseconds beyond the fastest packet's.
    pub target_ms: u32,
    /// The shortest delay of late, in milliseconds beyond the fastest packet's.
    pub delay_ms: Option<f64>,
    /// Packets sent, as far as their stamps tell.
    pub packets: u64,
    /// Of them, those that did not come in their turn: lost, whatever was done about it.
    pub lost: u64,
    /// The same in percent, over the last five seconds.
    pub lost_percent_lately: f64,
    /// Of those lost, the ones that came after all, sent again.
    pub recovered: u64,
    /// Of those lost, the ones whose sound was taken from what their successor repeats.
    pub repaired: u64,
    /// Packets that came when their sound was over.
    pub late: u64,
    /// Milliseconds made up.
    pub concealed_ms: u64,
    /// Milliseconds of sound left out and put in to keep the delay.
    pub stretched_ms: u64,
    /// The longest stretch of sound made up or missing, in milliseconds.
    pub longest_gap_ms: u32,
}

/// Packets to blocks of sound.
pub(crate) struct AudioReceiver {
    buffer: JitterBuffer,
    decoder: AudioDecoder,
    decoded: Vec<f32>,
    /// Milliseconds made up without anything real between.
    concealed_in_a_row: u32,
    faded_out: bool,
    blocks_since_stretch: u32,
    repaired: u64,
    concealed_ms: u64,
    stretched_samples: u64,
    longest_gap_ms: u32,
}

impl AudioReceiver {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        Ok(Self {
            buffer: JitterBuffer::new(),
            decoder: AudioDecoder::new()?,
            decoded: Vec::new(),
            concealed_in_a_row: 0,
            faded_out: false,
            blocks_since_stretch: 0,
            repaired: 0,
            concealed_ms: 0,
            stretched_samples: 0,
            longest_gap_ms: 0,
        })
    }

    /// Takes a packet as it arrives.
    pub(crate) fn push(&mut self, timestamp: u32, packet: Bytes, now: Instant) {
        self.buffer.push(timestamp, packet, now);
    }

    /// Asks for at least so much delay, in milliseconds beyond the fastest packet's, because pictures are late.
    pub(crate) fn set_least_delay(&mut self, least_ms: f64) {
        self.buffer.set_least(least_ms);
    }

    /// The shortest delay of late, in milliseconds beyond the fastest packet's.
    pub(crate) fn delay_ms(&self) -> Option<f64> {
        self.buffer.delay_ms()
    }

    /// What became of the sound so far.
    pub(crate) fn figures(&self) -> SoundFigures {
        let losses = self.buffer.losses();
        let (packets, lost) = losses.counts();
        SoundFigures {
            target_ms: self.buffer.target_ms(),
            delay_ms: self.buffer.delay_ms(),
            packets,
            lost,
            lost_percent_lately: losses.percent_lately(),
            recovered: losses.recovered(),
            repaired: self.repaired,
            late: self.buffer.late(),
            concealed_ms: self.concealed_ms,
            stretched_ms: self.stretched_samples / 48 + self.buffer.stretched_silence_ms(),
            longest_gap_ms: self.longest_gap_ms,
        }
    }

    /// The next 10 ms.
    pub(crate) fn pull(&mut self, now: Instant) -> Block {
        let mut concealed_ms = 0;
        while self.decoded.len() < BLOCK {
            let step = self.buffer.step(now, self.decoded_ms());
            if step == Step::Wait {
                break;
            }
            concealed_ms += self.follow(step);
        }
        self.keep_pace(now);
        let timestamp = self.buffer.position(self.decoded_ms()).map(|stamp| stamp.round() as i64 as u32);
        let mut samples = [0.0; BLOCK];
        let ready = self.decoded.len().min(BLOCK);
        for (out, sample) in samples.iter_mut().zip(self.decoded.drain(..ready)) {
            *out = sample;
        }
        self.concealed_ms += u64::from(concealed_ms);
        if ready < BLOCK && timestamp.is_none() && self.concealed_in_a_row > 0 {
            // The line is dead: the gap grows.
            self.note_gap(10);
        }
        Block { samples, timestamp, concealed_ms }
    }

    fn decoded_ms(&self) -> f64 {
        self.decoded.len() as f64 / 48.0
    }

    /// Does what the buffer decided. How many milliseconds had to be made up.
    fn follow(&mut self, step: Step) -> u32 {
        let sound = match step {
            Step::Wait => return 0,
            Step::Packet(packet) => match self.decoder.decode(&packet) {
                Some(sound) if !sound.is_empty() => sound,
                _ => return self.make_up(20),
            },
            Step::Repair { next_packet, milliseconds } => {
                match self.decoder.repair(&next_packet, milliseconds) {
                    Some(sound) if !sound.is_empty() => {
                        self.repaired += u64::from(repeats_predecessor(&next_packet));
                        sound
                    }
                    _ => return self.make_up(milliseconds),
                }
            }
            Step::Conceal { milliseconds } => return self.make_up(milliseconds),
            Step::Quiet { milliseconds: 0 } => return 0,
            Step::Quiet { milliseconds } => match self.decoder.conceal(milliseconds) {
                Some(sound) if !sound.is_empty() => sound,
                _ => {
                    self.decoded.resize(self.decoded.len() + milliseconds as usize * 48, 0.0);
                    return 0;
                }
            },
        };
        let start = self.decoded.len();
        self.decoded.extend_from_slice(sound);
        self.concealed_in_a_row = 0;
        if std::mem::take(&mut self.faded_out) {
            let fresh = self.decoded.iter_mut().skip(start).take(FADE_IN);
            fresh.enumerate().for_each(|(n, sample)| *sample *= n as f32 / FADE_IN as f32);
        }
        0
    }

    /// Invents sound. What the decoder invents sounds like a robot after a while, so it fades away.
    fn make_up(&mut self, milliseconds: u32) -> u32 {
        let before = self.concealed_in_a_row;
        self.note_gap(milliseconds);
        let start = self.decoded.len();
        let sound = if before < INVENTED { self.decoder.conceal(milliseconds) } else { None };
        match sound {
            Some(sound) if !sound.is_empty() => self.decoded.extend_from_slice(sound),
            _ => self.decoded.resize(start + milliseconds as usize * 48, 0.0),
        }
        if before + milliseconds > FULL {
            let fresh = self.decoded.iter_mut().skip(start).enumerate();
            fresh.for_each(|(n, sample)| {
                let at = before as f32 + n as f32 / 48.0;
                *sample *= ((INVENTED as f32 - at) / (INVENTED - FULL) as f32).clamp(0.0, 1.0);
            });
        }
        self.faded_out = before + milliseconds >= INVENTED;
        milliseconds
    }

    fn note_gap(&mut self, milliseconds: u32) {
        self.concealed_in_a_row = self.concealed_in_a_row.saturating_add(milliseconds);
        self.longest_gap_ms = self.longest_gap_ms.max(self.concealed_in_a_row);
    }

    fn keep_pace(&mut self, now: Instant) {
        self.blocks_since_stretch = self.blocks_since_stretch.saturating_add(1);
        let pace = self.buffer.pace(now, self.decoded_ms());
        let (between, likeness) = match pace {
            Pace::Shorten { hurry: true } => (BETWEEN_STRETCHES_IN_A_HURRY, Likeness::Some),
            _ => (BETWEEN_STRETCHES, Likeness::Close),
        };
        if pace == Pace::Keep || self.blocks_since_stretch < between || self.concealed_in_a_row > 0 {
            return;
        }
        let enough =
            if pace == Pace::Lengthen { stretch::ENOUGH_TO_LENGTHEN } else { stretch::ENOUGH_TO_SHORTEN };
        while self.decoded.len() < enough && self.buffer.has_next() {
            let step = self.buffer.step(now, self.decoded_ms());
            self.follow(step);
        }
        let before = self.decoded.len();
        match pace {
            Pace::Shorten { .. } => {
                let mut shorter = self.decoded.clone();
                stretch::shorten(&mut shorter, likeness);
                let gone = (before - shorter.len()) as f64 / 48.0;
                if self.buffer.bears(gone, shorter.len() as f64 / 48.0) {
                    self.decoded = shorter;
                }
            }
            Pace::Lengthen => stretch::lengthen(&mut self.decoded, likeness),
            Pace::Keep => {}
        }
        let after = self.decoded.len();
        if after != before {
            self.blocks_since_stretch = 0;
            self.stretched_samples += after.abs_diff(before) as u64;
            self.buffer.on_stretched((after as f64 - before as f64) / 48.0);
        }
    }
}

/// Milliseconds of invented sound at full loudness, and before silence.
const FULL: u32 = 60;
const INVENTED: u32 = 120;
/// Samples over which sound comes back after silence.
const FADE_IN: usize = 240;
/// Blocks from one change of length to the next: one period of a voice in 60 ms, or in 20.
const BETWEEN_STRETCHES: u32 = 6;
const BETWEEN_STRETCHES_IN_A_HURRY: u32 = 2;

#[cfg(test)]
mod tests;
