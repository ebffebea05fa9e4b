//! Opus to sound (RFC 6716), and what to play where a packet is missing.

use opus::{Channels, Decoder};

/// An Opus decoder for 48 kHz mono. Stereo from the far end is mixed down by the library.
pub(crate) struct AudioDecoder {
    decoder: Decoder,
    scratch: Vec<f32>,
}

impl AudioDecoder {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        let decoder = Decoder::new(48_000, Channels::Mono)?;
        // The longest packet is 120 ms.
        Ok(Self { decoder, scratch: vec![0.0; 5760] })
    }

    /// The sound of a packet; `None` for one that is broken.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Option<&[f32]> {
        let samples = self.decoder.decode_float(packet, &mut self.scratch, false).ok()?;
        self.scratch.get(..samples)
    }

    /// The last so many milliseconds before a packet, from what it carries of its predecessor.
    pub(crate) fn repair(&mut self, next_packet: &[u8], milliseconds: u32) -> Option<&[f32]> {
        self.fill(next_packet, milliseconds)
    }

    /// So many milliseconds made up from what was heard before.
    pub(crate) fn conceal(&mut self, milliseconds: u32) -> Option<&[f32]> {
        self.fill(&[], milliseconds)
    }

    fn fill(&mut self, packet: &[u8], milliseconds: u32) -> Option<&[f32]> {
        // The decoder fills steps of 2.5 ms only; stamps are rounded to one.
        let steps = (milliseconds as usize * 2).div_ceil(5).max(1);
        let wanted = (steps * 120).min(self.scratch.len());
        let out = self.scratch.get_mut(..wanted)?;
        let samples = self.decoder.decode_float(packet, out, !packet.is_empty()).ok()?;
        self.scratch.get(..samples)
    }
}

/// Milliseconds of sound in a packet, by its first bytes (RFC 6716 §3.1). `None` for one that is no Opus.
pub(crate) fn milliseconds(packet: &[u8]) -> Option<u32> {
    let samples = opus::packet::get_nb_samples(packet, 48_000).ok()?;
    u32::try_from(samples / 48).ok().filter(|ms| (1..=120).contains(ms))
}

/// Whether nothing is heard in a packet (discontinuous transmission): it has no more than its first byte or two.
pub(crate) fn is_quiet(packet: &[u8]) -> bool {
    packet.len() <= 2
}

/// Whether a packet repeats the sound before it (LBRR, RFC 6716 §4.2.4). Told of packets of one frame only: others are not
/// sent by anybody we know.
pub(crate) fn repeats_predecessor(packet: &[u8]) -> bool {
    let [toc, first, ..] = packet else { return false };
    let (configuration, one_frame) = (toc >> 3, toc & 3 == 0);
    // Flags of speech come first, one for each 20 ms of the frame (§4.2.3); configurations from 16 on have no such layer.
    let flags_of_speech = match configuration {
        0..12 => [1, 1, 2, 3][usize::from(configuration % 4)],
        12..16 => 1,
        _ => return false,
    };
    one_frame && !is_quiet(packet) && first >> (7 - flags_of_speech) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::audio_encoder::{AudioEncoder, Content, FRAME};

    fn tone(n: usize) -> [f32; FRAME] {
        std::array::from_fn(|k| ((n * FRAME + k) as f32 * 0.05).sin() * 0.4)
    }

    #[test]
    fn a_lost_packet_is_repaired_from_the_next_one() {
        let (mut encoder, mut decoder) =
            (AudioEncoder::new(Content::Voice).unwrap(), AudioDecoder::new().unwrap());
        encoder.set_expected_loss(20);
        let packets: Vec<_> = (0..30).map(|n| encoder.encode(&tone(n)).unwrap()).collect();
        for packet in &packets[..20] {
            assert_eq!(milliseconds(packet), Some(20));
            assert_eq!(decoder.decode(packet).unwrap().len(), FRAME);
        }
        let repaired = decoder.repair(&packets[21], 20).unwrap();
        let loudness = repaired.iter().map(|s| s * s).sum::<f32>() / repaired.len() as f32;
        assert!(loudness > 0.03, "{loudness}");
    }

    #[test]
    fn a_packet_says_whether_it_repeats_its_predecessor_and_whether_it_is_silent() {
        let mut encoder = AudioEncoder::new(Content::Voice).unwrap();
        encoder.set_expected_loss(20);
        let spoken: Vec<_> = (0..30).map(|n| encoder.encode(&tone(n)).unwrap()).collect();
        assert!(!repeats_predecessor(&spoken[0]), "nothing came before");
        assert!(spoken[5..].iter().all(|packet| repeats_predecessor(packet) && !is_quiet(packet)));
        let silent: Vec<_> = (0..60).map(|_| encoder.encode(&[0.0; FRAME]).unwrap()).collect();
        assert!(silent[50..].iter().filter(|packet| is_quiet(packet)).count() > 8);
        assert!(!repeats_predecessor(&[]) && !repeats_predecessor(&[0x48]));
    }

    #[test]
    fn silence_costs_next_to_nothing() {
        let mut encoder = AudioEncoder::new(Content::Voice).unwrap();
        let bytes: Vec<usize> = (0..100).map(|_| encoder.encode(&[0.0; FRAME]).unwrap().len()).collect();
        assert!(bytes[50..].iter().sum::<usize>() < 600, "{bytes:?}");
    }

    #[test]
    fn bytes_that_are_no_opus_make_no_sound() {
        let mut decoder = AudioDecoder::new().unwrap();
        assert_eq!(milliseconds(&[]), None);
        assert!(decoder.decode(&[0xFF, 0xFF, 0xFF]).is_none());
    }
}
