//! From coded frames to what is shown and heard: order, decoding, repair, and the moment.
//!
//! Pure: told the time, no thread, no device. The studio's threads only call it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::media::codec::audio_decoder::AudioDecoder;
use crate::media::codec::video_decoder::{Decoded, VideoDecoder};
use crate::media::picture::Picture;
use crate::media::playout::jitter_buffer::{JitterBuffer, Pace, Step};
use crate::media::playout::lip_sync::LipSync;
use crate::media::playout::stretch;

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

/// Packets to blocks of sound.
pub(crate) struct AudioReceiver {
    buffer: JitterBuffer,
    decoder: AudioDecoder,
    decoded: Vec<f32>,
    concealed_in_a_row: u32,
    blocks_since_stretch: u32,
}

impl AudioReceiver {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        Ok(Self {
            buffer: JitterBuffer::new(),
            decoder: AudioDecoder::new()?,
            decoded: Vec::new(),
            concealed_in_a_row: 0,
            blocks_since_stretch: 0,
        })
    }

    /// Takes a packet as it arrives.
    pub(crate) fn push(&mut self, timestamp: u32, packet: Bytes, now: Instant) {
        self.buffer.push(timestamp, packet, now);
    }

    /// The delay the jitter buffer aims at, in milliseconds.
    pub(crate) fn target_ms(&self) -> u32 {
        self.buffer.target_ms()
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
        Block { samples, timestamp, concealed_ms }
    }

    fn decoded_ms(&self) -> f64 {
        self.decoded.len() as f64 / 48.0
    }

    /// Does what the buffer decided. How many milliseconds had to be made up.
    fn follow(&mut self, step: Step) -> u32 {
        let (sound, made_up) = match step {
            Step::Wait => return 0,
            Step::Packet(packet) => match self.decoder.decode(&packet) {
                Some(sound) if !sound.is_empty() => (sound, 0),
                _ => return self.make_up(20),
            },
            Step::Repair { next_packet, milliseconds } => {
                match self.decoder.repair(&next_packet, milliseconds) {
                    Some(sound) if !sound.is_empty() => (sound, 0),
                    _ => return self.make_up(milliseconds),
                }
            }
            Step::Conceal { milliseconds } => return self.make_up(milliseconds),
        };
        self.concealed_in_a_row = 0;
        self.decoded.extend_from_slice(sound);
        made_up
    }

    fn make_up(&mut self, milliseconds: u32) -> u32 {
        self.concealed_in_a_row += milliseconds;
        // What the decoder invents sounds like a robot after a while; silence does not.
        let sound = if self.concealed_in_a_row <= LONGEST_INVENTION {
            self.decoder.conceal(milliseconds)
        } else {
            None
        };
        match sound {
            Some(sound) if !sound.is_empty() => self.decoded.extend_from_slice(sound),
            _ => self.decoded.resize(self.decoded.len() + milliseconds as usize * 48, 0.0),
        }
        milliseconds
    }

    fn keep_pace(&mut self, now: Instant) {
        self.blocks_since_stretch += 1;
        if self.blocks_since_stretch < BLOCKS_BETWEEN_STRETCHES || self.concealed_in_a_row > 0 {
            return;
        }
        let pace = self.buffer.pace(now, self.decoded_ms());
        if pace == Pace::Keep {
            return;
        }
        while self.decoded.len() < ENOUGH_TO_STRETCH && self.buffer.has_next() {
            let step = self.buffer.step(now, self.decoded_ms());
            self.follow(step);
        }
        let changed = match pace {
            Pace::Shorten => stretch::shorten(&mut self.decoded),
            Pace::Lengthen => stretch::lengthen(&mut self.decoded),
            Pace::Keep => 0,
        };
        if changed > 0 {
            self.blocks_since_stretch = 0;
        }
    }
}

/// Milliseconds of invented sound before silence.
const LONGEST_INVENTION: u32 = 120;
const BLOCKS_BETWEEN_STRETCHES: u32 = 4;
/// Samples in hand that a change of length needs, so that a block is left after it.
const ENOUGH_TO_STRETCH: usize = 1200;

/// One coded picture on its way to the decoder.
#[derive(Clone, Debug)]
pub(crate) struct CodedVideo {
    pub(crate) timestamp: u32,
    pub(crate) key: bool,
    pub(crate) config: Option<Bytes>,
    pub(crate) nal_units: Bytes,
}

/// Coded pictures that wait for the decoder: in order, and never more than the newest second and a half.
#[derive(Debug, Default)]
pub(crate) struct VideoInbox {
    waiting: VecDeque<CodedVideo>,
    gap: bool,
}

impl VideoInbox {
    pub(crate) fn push(&mut self, coded: CodedVideo) {
        let behind =
            self.waiting.iter().rev().take_while(|other| age(other.timestamp, coded.timestamp) < 0).count();
        self.waiting.insert(self.waiting.len() - behind, coded);
        let span = match (self.waiting.front(), self.waiting.back()) {
            (Some(first), Some(last)) => age(first.timestamp, last.timestamp),
            _ => 0,
        };
        if span > LONGEST_BACKLOG || self.waiting.len() > MOST_WAITING {
            // A decoder this far behind goes on with the newest picture that stands alone.
            let newest_key = self.waiting.iter().rposition(|coded| coded.key).filter(|start| *start > 0);
            self.waiting.drain(..newest_key.unwrap_or(self.waiting.len()));
            self.gap = true;
        }
    }

    /// The next one, and whether some before it were thrown away.
    pub(crate) fn pop(&mut self) -> Option<(CodedVideo, bool)> {
        let coded = self.waiting.pop_front()?;
        Some((coded, std::mem::take(&mut self.gap)))
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// By how many milliseconds the first stamp is older than the second.
fn age(first: u32, second: u32) -> i32 {
    second.wrapping_sub(first).cast_signed()
}

const LONGEST_BACKLOG: i32 = 1500;
const MOST_WAITING: usize = 240;

/// Coded pictures to pictures, each at its moment.
pub(crate) struct VideoReceiver {
    decoder: VideoDecoder,
    last_stamp: Option<u32>,
    ready: VecDeque<Ready>,
    needs_key: bool,
    asked: Option<Instant>,
    budget: PictureBudget,
}

/// How many pictures may still be decoded: what a call sends, and the rest of a stall at once, but not what a far end might
/// send to keep this computer busy.
#[derive(Debug)]
struct PictureBudget {
    left: f64,
    at: Option<Instant>,
}

impl PictureBudget {
    fn take(&mut self, now: Instant) -> bool {
        let passed = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        self.left = (self.left + passed.as_secs_f64() * MOST_A_SECOND).min(MOST_AT_ONCE);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[derive(Debug)]
struct Ready {
    due: Instant,
    timestamp: u32,
    picture: Picture,
}

impl VideoReceiver {
    pub(crate) fn new() -> Self {
        Self {
            decoder: VideoDecoder::new(),
            last_stamp: None,
            ready: VecDeque::new(),
            needs_key: false,
            asked: None,
            budget: PictureBudget { left: MOST_AT_ONCE, at: None },
        }
    }

    /// Decodes one coded picture.
    pub(crate) fn push(&mut self, coded: &CodedVideo, gap: bool, now: Instant, sync: &mut LipSync) {
        if gap {
            self.decoder.on_gap();
        }
        if let Some(config) = &coded.config {
            self.decoder.configure(config);
        }
        if coded.nal_units.is_empty() || self.is_stale(coded) {
            return;
        }
        self.last_stamp = Some(coded.timestamp);
        if !self.budget.take(now) {
            self.decoder.on_gap();
            return;
        }
        match self.decoder.decode(coded.key, &coded.nal_units) {
            Decoded::Picture(picture) => {
                self.needs_key = false;
                let due = sync.due(coded.timestamp, now);
                let due = self.ready.back().map_or(due, |last| due.max(last.due));
                self.ready.push_back(Ready { due, timestamp: coded.timestamp, picture });
                if self.ready.len() > MOST_READY {
                    self.ready.pop_front();
                }
            }
            Decoded::Nothing => {}
            Decoded::NeedsKey => self.needs_key = true,
        }
    }

    /// The newest picture that is due, with its stamp; older ones that were due with it are left out.
    pub(crate) fn show(&mut self, now: Instant) -> Option<(u32, Picture)> {
        let mut newest = None;
        while self.ready.front().is_some_and(|ready| ready.due <= now) {
            newest = self.ready.pop_front().map(|ready| (ready.timestamp, ready.picture));
        }
        newest
    }

    /// When the next picture is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.ready.front().map(|ready| ready.due)
    }

    /// Whether to ask the far end for a key picture now: only when it helps, and not more often than its way back takes.
    pub(crate) fn take_key_request(&mut self, now: Instant) -> bool {
        let recently =
            self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < BETWEEN_REQUESTS);
        if !self.needs_key || recently {
            return false;
        }
        self.asked = Some(now);
        true
    }

    /// A picture older than the last one decoded. A far end that began its clock anew is not old.
    fn is_stale(&self, coded: &CodedVideo) -> bool {
        self.last_stamp.is_some_and(|last| (-60_000..=0).contains(&age(last, coded.timestamp)) && !coded.key)
    }
}

const MOST_A_SECOND: f64 = 60.0;
/// The longest backlog of the inbox, at that rate.
const MOST_AT_ONCE: f64 = 90.0;
const BETWEEN_REQUESTS: Duration = Duration::from_millis(300);
/// A third of a second of pictures at 30 a second, the longest they wait for sound.
const MOST_READY: usize = 12;

#[cfg(test)]
mod tests;
