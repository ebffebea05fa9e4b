//! A call kept as a file that ordinary players open: both pictures side by side, both voices, in one MP4.
//!
//! ```text
//!  camera, far picture ──▶ Tap ─Latest──▶ composer ▶ H.264 ─┐
//!  microphone, player ───▶ Tap ─bounded─▶ sound mix ▶ Opus ─┴▶ MP4 writer ▶ file
//! ```
//!
//! The [`tap`] is where the studio's threads leave what is sent and shown; it is empty, and costs one look at a flag,
//! while nothing is recorded. The [`recorder`] is the only thread. [`timeline`], [`sound_mix`], [`composer`] and
//! [`mp4`] only decide, and are told the time.
//!
//! The container is MP4, with H.264 and Opus: browsers, VLC, mpv, Windows 11 and current macOS play it, and both codecs
//! are here already. It is written in fragments of a second, so what a crash or a full disk leaves behind plays up to its
//! last second; a recording that ends as it should gets the usual tables at its end and is an ordinary, seekable MP4.

pub(crate) mod composer;
pub(crate) mod mp4;
pub(crate) mod mp4_boxes;
#[cfg(test)]
pub(crate) mod read_back;
pub(crate) mod recorder;
pub(crate) mod sound_encoder;
pub(crate) mod sound_mix;
pub(crate) mod tap;
pub(crate) mod timeline;
