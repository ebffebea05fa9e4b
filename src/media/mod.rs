//! Pictures and sound: devices, codecs, playout. Knows no network.
//!
//! ```text
//!  send:     camera ─Latest─▶ scale ▶ H.264 ─┐     microphone ─ring─▶ 48 kHz mono ▶ voice ▶ Opus ─┐
//!                                            └──▶ FrameSink ◀────────────────────────┼────────────┘
//!                                                                                    ring
//!  receive:  push ▶ H.264 ▶ lip sync ─Latest─▶ window     push ▶ jitter buffer ▶ Opus ▶ mixer ─ring─▶ speaker
//!  record:   all of that ─Tap─▶ recorder ▶ MP4; empty unless a call is recorded
//! ```
//!
//! What decides (`send_pipeline`, `receive_pipeline`, `playout::jitter_buffer`, `playout::lip_sync`, [`voice`],
//! `studio::device_care`) is told the time and owns no thread. What acts ([`studio`], and the threads below it) asks the
//! clock and decides next to nothing. What devices there are stands behind the trait `hardware::Hardware`.
//! Start reading at [`studio::Studio`].

mod capture;
mod capture_clock;
pub mod choice;
mod codec;
pub mod device_error;
pub mod device_news;
pub mod devices;
pub mod encoded;
pub mod figures;
mod hardware;
pub mod latest;
pub mod picture;
pub mod playout;
mod receive_pipeline;
mod recording;
mod screen_pipeline;
pub mod screens;
mod send_pipeline;
pub mod shaping;
mod sound_host;
pub mod sounds;
pub mod stepped;
pub mod stream;
pub mod studio;
pub mod voice;
mod worker;
