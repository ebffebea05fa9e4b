//! From the player to the microphone: what the loudspeaker plays, ten milliseconds at a time.
//!
//! A wait-free ring between two threads. The locks only settle whose turn it is when a thread has a successor: there is
//! one player and one microphone at a time, so nobody ever waits.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{BLOCK, Played};

/// The ring.
pub(crate) struct PlayedRing {
    writer: Mutex<Writer>,
    reader: Mutex<Consumer<Played>>,
}

struct Writer {
    ring: Producer<Played>,
    /// Samples written so far, those included that found no room.
    written: u64,
}

impl Default for PlayedRing {
    fn default() -> Self {
        let (ring, reader) = RingBuffer::new(BLOCKS);
        Self { writer: Mutex::new(Writer { ring, written: 0 }), reader: Mutex::new(reader) }
    }
}

impl PlayedRing {
    /// The loudspeaker plays this, its first sample heard then. Without a microphone that reads it is forgotten.
    pub(crate) fn write(&self, samples: &[f32; BLOCK], heard: Instant) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let first = writer.written;
        writer.written += BLOCK as u64;
        // Full means that nobody reads: the numbers tell the next reader what is missing.
        let _ = writer.ring.push(Played { first, samples: *samples, heard });
    }

    /// Hands over everything that came since the last time, in order.
    pub(crate) fn read(&self, mut take: impl FnMut(&Played)) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(played) = reader.pop() {
            take(&played);
        }
    }
}

/// A third of a second.
const BLOCKS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(ring: &PlayedRing) -> Vec<u64> {
        let mut numbers = Vec::new();
        ring.read(|played| numbers.push(played.first));
        numbers
    }

    #[test]
    fn a_microphone_that_comes_late_can_tell_what_it_missed() {
        let (ring, now) = (PlayedRing::default(), Instant::now());
        for _ in 0..BLOCKS + 5 {
            ring.write(&[0.0; BLOCK], now);
        }
        assert_eq!(numbers(&ring).len(), BLOCKS);
        ring.write(&[0.0; BLOCK], now);
        assert_eq!(numbers(&ring), [(BLOCKS as u64 + 5) * 480]);
        assert!(numbers(&ring).is_empty());
    }
}
