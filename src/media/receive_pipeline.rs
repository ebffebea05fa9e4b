//! From coded frames to what is shown and heard: order, decoding, repair, and the moment.
//!
//! Pure: told the time, no thread, no device. The studio's threads only call it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::media::codec::video_decoder::{Decoded, VideoDecoder};
use crate::media::picture::Picture;

#[cfg(test)]
mod lossy_line;
mod sound;

pub use sound::SoundFigures;
pub(crate) use sound::{AudioReceiver, BLOCK};

/// One coded picture on its way to the decoder.
#[derive(Clone, Debug)]
pub(crate) struct CodedVideo {
    pub(crate) timestamp: u32,
    pub(crate) key: bool,
    pub(crate) config: Option<Bytes>,
    pub(crate) nal_units: Bytes,
    /// When all of it was here.
    pub(crate) arrived: Instant,
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

    /// Decodes one coded picture. `due` is asked afterwards when a picture of that stamp should be shown.
    pub(crate) fn push(
        &mut self,
        coded: &CodedVideo,
        gap: bool,
        now: Instant,
        due: impl FnOnce(u32) -> Instant,
    ) {
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
                let due = due(coded.timestamp);
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
