//! Sound to Opus (RFC 6716): 48 kHz, mono, 20 ms, tuned for speech.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Encoder};

/// Samples of one frame: 20 ms at 48 kHz.
pub(crate) const FRAME: usize = 960;

/// An Opus encoder with in-band error correction and discontinuous transmission.
pub(crate) struct AudioEncoder {
    encoder: Encoder,
    scratch: Vec<u8>,
}

impl AudioEncoder {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        let mut encoder = Encoder::new(48_000, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITS_PER_SECOND))?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(LOWEST_EXPECTED_LOSS)?;
        encoder.set_dtx(true)?;
        Ok(Self { encoder, scratch: vec![0; 1275] })
    }

    /// How much loss the error correction is dosed for, in percent.
    pub(crate) fn set_expected_loss(&mut self, percent: u8) {
        let percent = i32::from(percent).clamp(LOWEST_EXPECTED_LOSS, 50);
        if let Err(error) = self.encoder.set_packet_loss_perc(percent) {
            tracing::warn!(%error, "the expected loss was refused");
        }
    }

    /// Codes one frame. A frame in which nothing is heard becomes a packet of one or two bytes.
    pub(crate) fn encode(&mut self, frame: &[f32; FRAME]) -> Option<Bytes> {
        match self.encoder.encode_float(frame, &mut self.scratch) {
            Ok(length) => self.scratch.get(..length).map(Bytes::copy_from_slice),
            Err(error) => {
                tracing::warn!(%error, "20 ms of sound could not be coded");
                None
            }
        }
    }
}

const BITS_PER_SECOND: i32 = 32_000;
/// Below this libopus sends no error correction at all, and the first lost packet would be heard.
const LOWEST_EXPECTED_LOSS: i32 = 5;
