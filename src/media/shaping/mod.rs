//! Making sound and pictures fit: size, colour layout, sample rate, loudness. All of it pure.

pub mod colour;
pub(crate) mod level;
pub(crate) mod resample;
pub(crate) mod scale;
