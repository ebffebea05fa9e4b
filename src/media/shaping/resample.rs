//! Another sample rate, and one channel from many.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

/// Turns mono sound of one rate into another, in pieces of any length.
pub(crate) struct Resample {
    /// `None` when both rates are the same.
    engine: Option<Engine>,
}

struct Engine {
    resampler: Async<f32>,
    waiting: Vec<f32>,
    out: Vec<f32>,
}

/// A rate the converter cannot serve.
#[derive(Debug, thiserror::Error)]
#[error("a sample rate of {0} Hz cannot be used")]
pub(crate) struct OddRate(u32);

impl Resample {
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, OddRate> {
        for rate in [from, to] {
            if !(4_000..=400_000).contains(&rate) {
                return Err(OddRate(rate));
            }
        }
        if from == to {
            return Ok(Self { engine: None });
        }
        let parameters = SincInterpolationParameters {
            sinc_len: 64,
            f_cutoff: None,
            oversampling_factor: 128,
            interpolation: SincInterpolationType::Linear,
            window: WindowFunction::BlackmanHarris2,
        };
        // 5 ms at a time: the delay of waiting for a full piece is heard nowhere.
        let piece = (from / 200) as usize;
        let ratio = f64::from(to) / f64::from(from);
        let resampler = Async::new_sinc(ratio, 1.1, &parameters, piece, 1, FixedAsync::Input)
            .map_err(|_| OddRate(from))?;
        let out = vec![0.0; resampler.output_frames_max()];
        Ok(Self { engine: Some(Engine { resampler, waiting: Vec::new(), out }) })
    }

    /// Appends the converted sound to `out`; a remainder under 5 ms waits for the next call.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        match &mut self.engine {
            None => out.extend_from_slice(samples),
            Some(engine) => engine.push(samples, out),
        }
    }
}

impl Engine {
    fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.waiting.extend_from_slice(samples);
        loop {
            let need = self.resampler.input_frames_next();
            if self.waiting.len() < need {
                return;
            }
            let (piece, space) = (&self.waiting[..need], self.out.len());
            let input = InterleavedSlice::new(piece, 1, need).expect("one channel of that many frames");
            let mut output =
                InterleavedSlice::new_mut(&mut self.out, 1, space).expect("one channel of that many frames");
            match self.resampler.process_into_buffer(&input, &mut output, None) {
                Ok((_, written)) => out.extend_from_slice(&self.out[..written]),
                Err(error) => tracing::warn!(%error, "5 ms of sound could not be resampled"),
            }
            self.waiting.drain(..need);
        }
    }
}

/// One channel from interleaved many: their mean.
pub(crate) fn to_mono(interleaved: &[f32], channels: usize, out: &mut Vec<f32>) {
    let channels = channels.max(1);
    out.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_and_loudness_from_44_1_to_48_khz() {
        let tone: Vec<f32> =
            (0..44_100).map(|n| (n as f32 / 44_100.0 * 1000.0 * std::f32::consts::TAU).sin() * 0.5).collect();
        let mut out = Vec::new();
        let mut resample = Resample::new(44_100, 48_000).unwrap();
        for piece in tone.chunks(333) {
            resample.push(piece, &mut out);
        }
        assert!((47_500..=48_200).contains(&out.len()), "{}", out.len());
        let steady = &out[4800..43_200];
        let crossings = steady.windows(2).filter(|w| w[0] <= 0.0 && w[1] > 0.0).count();
        assert!((798..=802).contains(&crossings), "{crossings} periods in 0.8 s");
        let rms = (steady.iter().map(|s| s * s).sum::<f32>() / steady.len() as f32).sqrt();
        assert!((rms - 0.3535).abs() < 0.01, "{rms}");
    }

    #[test]
    fn many_channels_become_their_mean() {
        let mut out = Vec::new();
        to_mono(&[1.0, 0.0, 0.5, 0.5, 9.0], 2, &mut out);
        assert_eq!(out, [0.5, 0.5]);
    }

    #[test]
    fn a_rate_of_nothing_is_refused() {
        assert!(Resample::new(0, 48_000).is_err());
    }
}
