//! The codecs, one direction a file, and the byte form in which H.264 travels.
//!
//! H.264 is OpenH264, Opus is libopus. Nothing here owns a thread or asks for the time.

pub(crate) mod audio_decoder;
pub(crate) mod audio_encoder;
pub(crate) mod avc_format;
mod bit_reader;
mod long_term;
mod sequence;
mod slice_header;
pub(crate) mod video_decoder;
pub(crate) mod video_encoder;
