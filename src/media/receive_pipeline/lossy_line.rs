//! Sound through a sender, a line that spoils packets, and a receiver: in virtual time, and always the same.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::sound::{AudioReceiver, BLOCK, Block, SoundFigures};
use crate::media::encoded::EncodedFrame;
use crate::media::send_pipeline::AudioSender;

/// What the line does. Milliseconds, and shares from 0 to 1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) loss: f64,
    /// After a lost packet the next is lost with this chance, when higher.
    pub(crate) burst: f64,
    /// A packet takes up to so much longer, at random.
    pub(crate) jitter: f64,
    /// Packets do not overtake each other.
    pub(crate) in_order: bool,
    /// What is lost comes so much later all the same, if it is not lost again.
    pub(crate) sent_again_after: Option<f64>,
    /// Each packet is accompanied by the packets so many places before it.
    pub(crate) accompanied_by: &'static [usize],
    /// Nothing comes through from one moment to another.
    pub(crate) dark: Option<(f64, f64)>,
    /// What the sender is told of the loss, in percent.
    pub(crate) expected_loss: u8,
    /// By how many millionths the loudspeaker is faster than the microphone.
    pub(crate) faster_millionths: f64,
    pub(crate) seed: u64,
}

/// What came of it.
pub(crate) struct Heard {
    pub(crate) samples: Vec<f32>,
    pub(crate) figures: SoundFigures,
    /// Milliseconds from being said to being heard, by the stamps, for each block; none while nothing is heard.
    pub(crate) delay: Vec<f64>,
}

impl Line {
    /// Sends sound at 48 kHz over the line and listens until it is over.
    pub(crate) fn carry(&self, said: &[f32]) -> Heard {
        self.carry_to(said, &mut AudioReceiver::new().unwrap(), |_, _, _| ())
    }

    /// The same, with somebody who looks at every block and may change something about the receiver.
    pub(crate) fn carry_to(
        &self,
        said: &[f32],
        receiver: &mut AudioReceiver,
        mut look: impl FnMut(&mut AudioReceiver, &Block, f64),
    ) -> Heard {
        let packets = coded(said, self.expected_loss);
        let mut arrivals = self.arrivals(&packets);
        let start = Instant::now();
        let (mut samples, mut delay) = (Vec::new(), Vec::new());
        let blocks = said.len() / BLOCK;
        for n in 0..blocks {
            let ms = n as f64 * 10.0 / (1.0 + self.faster_millionths / 1e6);
            if ms > said.len() as f64 / 48.0 {
                break;
            }
            let now = start + Duration::from_secs_f64(ms / 1000.0);
            while let Some(entry) =
                arrivals.first_entry().filter(|entry| entry.key().0 <= (ms * 1000.0) as u64)
            {
                let ((at, _), (stamp, packet)) = entry.remove_entry();
                receiver.push(stamp, packet, start + Duration::from_micros(at));
            }
            let block = receiver.pull(now);
            look(receiver, &block, ms);
            delay.push(block.timestamp.map_or(f64::NAN, |stamp| ms - f64::from(stamp)));
            samples.extend(block.samples);
        }
        Heard { samples, figures: receiver.figures(), delay }
    }

    fn arrivals(&self, packets: &[(u32, Bytes)]) -> BTreeMap<(u64, usize), (u32, Bytes)> {
        let mut chance = Chance(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut arrivals = BTreeMap::new();
        let (mut lost, mut last) = (false, 0.0_f64);
        for (n, (stamp, packet)) in packets.iter().enumerate() {
            let sent = f64::from(*stamp) + 20.0;
            lost = chance.next() < if lost { self.loss.max(self.burst) } else { self.loss };
            let dark = self.dark.is_some_and(|(from, to)| (from..to).contains(&sent));
            let mut arrives = sent + 20.0 + chance.next() * self.jitter;
            if self.in_order {
                arrives = arrives.max(last);
            }
            if !lost && !dark {
                last = arrives;
                let companions = self.accompanied_by.iter().filter_map(|back| n.checked_sub(*back));
                for (order, number) in std::iter::once(n).chain(companions).enumerate() {
                    let (stamp, packet) = &packets[number];
                    arrivals.insert(((arrives * 1000.0) as u64, n * 8 + order), (*stamp, packet.clone()));
                }
            } else if let Some(later) = self.sent_again_after.filter(|_| chance.next() >= self.loss && !dark)
            {
                arrivals.insert((((arrives + later) * 1000.0) as u64, n * 8 + 7), (*stamp, packet.clone()));
            }
        }
        arrivals
    }
}

fn coded(said: &[f32], expected_loss: u8) -> Vec<(u32, Bytes)> {
    let mut sender = AudioSender::new().unwrap();
    sender.set_expected_loss(expected_loss);
    let frames = said.chunks(BLOCK).enumerate().flat_map(|(n, piece)| sender.push(piece, n as u32 * 10));
    frames
        .filter_map(|frame| match frame {
            EncodedFrame::Audio { timestamp, packet } => Some((timestamp, packet)),
            EncodedFrame::Video { .. } => None,
        })
        .collect()
}

/// Numbers from 0 to 1 that look random.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
