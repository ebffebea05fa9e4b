//! A `.wav` file as a loudspeaker: what would have been heard, 48 kHz, mono, 16 bits.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::media::device_error::{DeviceError, DeviceKind};

/// An open file. Twice a second its header is made true, so a program that is killed leaves a file that plays.
pub(crate) struct WavSink {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
    unflushed: usize,
}

impl WavSink {
    pub(crate) fn create(path: &Path) -> Result<Self, DeviceError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let failed = |error| DeviceError::file(DeviceKind::Speaker, path, error);
        let mut writer = WavWriter::create(path, spec).map_err(failed)?;
        writer.flush().map_err(failed)?;
        Ok(Self { path: path.to_owned(), writer, unflushed: 0 })
    }

    pub(crate) fn write(&mut self, block: &[f32]) -> Result<(), DeviceError> {
        self.try_write(block).map_err(|error| DeviceError::file(DeviceKind::Speaker, &self.path, error))
    }

    fn try_write(&mut self, block: &[f32]) -> Result<(), hound::Error> {
        for sample in block {
            self.writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
        }
        self.unflushed += block.len();
        if self.unflushed >= 24_000 {
            self.unflushed = 0;
            self.writer.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_writer_vanished_still_plays() {
        let path = std::env::temp_dir().join(format!("tincan-sink-{}.wav", std::process::id()));
        let mut sink = WavSink::create(&path).unwrap();
        for _ in 0..75 {
            sink.write(&[0.5; 480]).unwrap();
        }
        std::mem::forget(sink);
        let mut reader = hound::WavReader::open(&path).unwrap();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(samples.len(), 24_000);
        assert!(samples.iter().all(|s| (s - 16_383).abs() <= 1));
    }
}
