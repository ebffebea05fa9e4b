//! The mix to Opus (RFC 6716): 48 kHz, stereo, 20 ms, for listening rather than for a bad network.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Encoder};

/// Samples of one packet, each side's counted once: 20 ms.
pub(crate) const PACKET: u32 = 960;
const BITS_PER_SECOND: i32 = 64_000;

/// Packets from whatever lengths of interleaved stereo come.
pub(crate) struct SoundEncoder {
    encoder: Encoder,
    waiting: Vec<f32>,
    scratch: Vec<u8>,
}

impl SoundEncoder {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        let mut encoder = Encoder::new(48_000, Channels::Stereo, Application::Audio)?;
        encoder.set_bitrate(Bitrate::Bits(BITS_PER_SECOND))?;
        Ok(Self { encoder, waiting: Vec::new(), scratch: vec![0; 4000] })
    }

    /// Samples that a player throws away at the begin: the codec starts late by so many.
    pub(crate) fn pre_skip(&mut self) -> u16 {
        self.encoder.get_lookahead().ok().and_then(|samples| u16::try_from(samples).ok()).unwrap_or(312)
    }

    /// Where the next sound is put before [`Self::packets`].
    pub(crate) fn waiting(&mut self) -> &mut Vec<f32> {
        &mut self.waiting
    }

    /// Every packet that is complete.
    pub(crate) fn packets(&mut self) -> Result<Vec<Bytes>, opus::Error> {
        let mut packets = Vec::new();
        let both = PACKET as usize * 2;
        let whole = self.waiting.len() / both * both;
        for frame in self.waiting.get(..whole).unwrap_or_default().chunks_exact(both) {
            let length = self.encoder.encode_float(frame, &mut self.scratch)?;
            packets.extend(self.scratch.get(..length).map(Bytes::copy_from_slice));
        }
        self.waiting.drain(..whole);
        Ok(packets)
    }
}
