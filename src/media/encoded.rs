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
        /// Whether it needs no picture that the far end may lack: a key picture, or one built on a picture that is known to
        /// have arrived. Of frames that come in, only key pictures are known to be such.
        refresh: bool,
        /// The stream's sequence and picture parameter sets as an AVCDecoderConfigurationRecord; with every key frame.
        config: Option<Bytes>,
        /// NAL units, each after its length in four bytes.
        nal_units: Bytes,
    },
}

/// What became of a picture that was sent. Its dependants share its fate when it is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PictureFate {
    /// The far end has it.
    Arrived {
        /// Of the picture.
        timestamp: u32,
    },
    /// It was given up: by its deadline, or because one that it needs was.
    Lost {
        /// Of the picture.
        timestamp: u32,
    },
}
