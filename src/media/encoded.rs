//! Coded sound and pictures, with what the network must know of them.

use bytes::Bytes;

/// One coded frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EncodedFrame {
    /// 20 ms of Opus.
    Audio {
        /// Milliseconds on the capture clock that sound and picture share; wraps.
        timestamp: u32,
        /// One Opus packet.
        packet: Bytes,
    },
    /// One H.264 access unit.
    Video {
        /// Milliseconds on the capture clock that sound and picture share; wraps.
        timestamp: u32,
        /// Whether it stands alone (IDR).
        key: bool,
        /// The stream's sequence and picture parameter sets as an AVCDecoderConfigurationRecord; with every key frame.
        config: Option<Bytes>,
        /// NAL units, each after its length in four bytes.
        nal_units: Bytes,
    },
}
