//! Pictures and sound from files, all at once, read as the file camera and the file microphone read them.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::time::Duration;

use hound::{SampleFormat, WavReader};

use crate::media::capture::file_y4m::Y4mReader;
use crate::media::picture::Picture;
use crate::media::shaping::resample::{Resample, to_mono};

/// Up to `most` pictures of a Y4M file, and the time between two of them.
///
/// # Errors
///
/// The file cannot be read, or holds no pictures in 8-bit 4:2:0.
pub fn read_pictures(path: &Path, most: usize) -> io::Result<(Vec<Picture>, Duration)> {
    let mut reader = Y4mReader::new(BufReader::new(File::open(path)?))?;
    let mut pictures = Vec::new();
    while pictures.len() < most
        && let Some(picture) = reader.next()?
    {
        pictures.push(picture);
    }
    if pictures.is_empty() {
        return Err(io::Error::other("no picture in it"));
    }
    Ok((pictures, reader.step()))
}

/// A WAV file's sound, mono at 48 kHz.
///
/// # Errors
///
/// The file cannot be read, or is of a rate that cannot be converted.
pub fn read_sound(path: &Path) -> io::Result<Vec<f32>> {
    let mut reader = WavReader::open(path).map_err(io::Error::other)?;
    let spec = reader.spec();
    let interleaved: Result<Vec<f32>, _> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let full = 2.0_f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full)).collect()
        }
    };
    let mut mono = Vec::new();
    to_mono(&interleaved.map_err(io::Error::other)?, usize::from(spec.channels), &mut mono);
    let mut sound = Vec::new();
    Resample::new(spec.sample_rate, 48_000).map_err(io::Error::other)?.push(&mono, &mut sound);
    Ok(sound)
}
