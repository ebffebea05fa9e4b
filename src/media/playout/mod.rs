//! From packets and coded pictures back to what is seen and heard, at the right moment.
//!
//! [`jitter_buffer`], [`stretch`], [`lip_sync`] and [`mixer`] decide and are told the time; [`speaker`] and the files act.

mod arrival_spread;
pub mod jitter_buffer;
pub(crate) mod lip_sync;
pub(crate) mod mixer;
pub(crate) mod sound_losses;
pub(crate) mod speaker;
pub(crate) mod stretch;
pub(crate) mod wav_sink;
pub(crate) mod y4m_sink;
