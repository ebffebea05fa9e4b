//! A `.wav` file as a microphone: any rate, any number of channels, at real time, looped.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hound::{SampleFormat, WavReader};

use super::{Pace, SoundSource};
use crate::media::device_error::{DeviceError, DeviceKind};
use crate::media::shaping::resample::{Resample, to_mono};
use crate::media::worker::Stop;

/// An open file.
pub(crate) struct WavFile {
    path: PathBuf,
    reader: WavReader<BufReader<File>>,
    resample: Resample,
    /// Sound at 48 kHz that was read and not yet given.
    ready: Vec<f32>,
    pace: Pace,
}

impl WavFile {
    pub(crate) fn open(path: &Path) -> Result<Self, DeviceError> {
        let failed = |reason: &dyn std::fmt::Display| DeviceError::file(DeviceKind::Microphone, path, reason);
        let reader = WavReader::open(path).map_err(|error| failed(&error))?;
        let spec = reader.spec();
        if reader.duration() == 0 || spec.channels == 0 {
            return Err(failed(&"no sound in it"));
        }
        let resample = Resample::new(spec.sample_rate, 48_000).map_err(|error| failed(&error))?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            resample,
            ready: Vec::new(),
            pace: Pace::new(Duration::from_millis(10)),
        })
    }

    /// Reads about 20 ms, beginning again at the end.
    fn read_more(&mut self) -> Result<(), hound::Error> {
        let spec = self.reader.spec();
        let wanted = (spec.sample_rate / 50).max(1) as usize * usize::from(spec.channels);
        let mut interleaved = take(&mut self.reader, spec, wanted)?;
        if interleaved.len() < wanted {
            self.reader.seek(0)?;
            interleaved.extend(take(&mut self.reader, spec, wanted - interleaved.len())?);
        }
        let mut mono = Vec::new();
        to_mono(&interleaved, usize::from(spec.channels), &mut mono);
        self.resample.push(&mono, &mut self.ready);
        Ok(())
    }
}

fn take(
    reader: &mut WavReader<BufReader<File>>,
    spec: hound::WavSpec,
    count: usize,
) -> Result<Vec<f32>, hound::Error> {
    match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().take(count).collect(),
        SampleFormat::Int => {
            let full = 2.0_f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().take(count).map(|sample| sample.map(|s| s as f32 / full)).collect()
        }
    }
}

impl SoundSource for WavFile {
    fn read(&mut self, stop: &Stop, out: &mut Vec<f32>) -> Result<Option<Instant>, DeviceError> {
        while self.ready.len() < 480 {
            self.read_more().map_err(|error| DeviceError::file(DeviceKind::Microphone, &self.path, error))?;
        }
        let due = self.pace.wait(stop);
        out.extend(self.ready.drain(..480));
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stereo_file_of_another_rate_is_read_as_mono_and_looped() {
        let path = std::env::temp_dir().join(format!("tincan-wav-{}.wav", std::process::id()));
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for _ in 0..800 {
            writer.write_sample(16_384_i16).unwrap();
            writer.write_sample(0_i16).unwrap();
        }
        writer.finalize().unwrap();
        let mut file = WavFile::open(&path).unwrap();
        // 50 ms of file give more than 200 ms of sound.
        for _ in 0..20 {
            file.read_more().unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        assert!(file.ready.len() > 10_000);
        assert!(file.ready[2000..9000].iter().all(|s| (s - 0.25).abs() < 0.01));
    }

    #[test]
    fn a_file_that_is_not_there_is_named_in_the_error() {
        let error = WavFile::open(Path::new("/nowhere/voice.wav")).err().unwrap();
        assert!(error.to_string().contains("voice.wav"));
    }
}
