//! Voice processing by `sonora`, WebRTC's own processing in Rust.

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate, NoiseSuppression,
    NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use super::{BLOCK, VoiceParts, VoiceProcessor};

/// Echo cancellation (AEC3), noise suppression and gain (AGC2), with a filter against rumble before them.
pub(super) struct Sonora {
    processing: AudioProcessing,
    parts: VoiceParts,
    played: [f32; BLOCK],
    heard: [f32; BLOCK],
}

impl Sonora {
    pub(super) fn new(parts: VoiceParts) -> Self {
        let stream = StreamConfig::new(48_000, 1);
        let processing = AudioProcessing::builder()
            .config(config(parts))
            .capture_config(stream)
            .render_config(stream)
            .build();
        Self { processing, parts, played: [0.0; BLOCK], heard: [0.0; BLOCK] }
    }
}

fn config(parts: VoiceParts) -> Config {
    Config {
        pipeline: Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: parts.echo_cancellation.then(EchoCanceller::default),
        noise_suppression: parts.noise_suppression.then(|| NoiseSuppression {
            // The usual level takes out 12 decibels at most, this one 18.
            level: NoiseSuppressionLevel::High,
            ..NoiseSuppression::default()
        }),
        gain_controller2: parts.automatic_gain.then(|| GainController2 {
            adaptive_digital: Some(AdaptiveDigital {
                // Fifteen decibels at first, as usual, would shout whoever speaks up before anything is known.
                initial_gain_db: 8.0,
                max_gain_db: 24.0,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        }),
        ..Config::default()
    }
}

impl VoiceProcessor for Sonora {
    fn set_parts(&mut self, parts: VoiceParts) {
        if self.parts != parts {
            self.parts = parts;
            self.processing.apply_config(config(parts));
        }
    }

    fn on_played(&mut self, played: &[f32; BLOCK]) {
        if let Err(error) = self.processing.process_render_f32(&[played], &mut [&mut self.played]) {
            tracing::warn!(%error, "10 ms of what is played were refused");
        }
    }

    fn process(&mut self, heard: &mut [f32; BLOCK]) {
        match self.processing.process_capture_f32(&[&heard[..]], &mut [&mut self.heard]) {
            Ok(()) => *heard = self.heard,
            Err(error) => tracing::warn!(%error, "10 ms of voice were left as they are"),
        }
    }

    fn delay(&self) -> usize {
        let part = |on: bool, samples: usize| if on { samples } else { 0 };
        BANDS_DELAY
            + part(self.parts.echo_cancellation, ECHO_DELAY)
            + part(self.parts.noise_suppression, NOISE_DELAY)
    }
}

/// Samples that dividing the sound into three bands, and joining it again, takes.
const BANDS_DELAY: usize = 46;
/// Blocks of 4 ms, and their overlap.
const ECHO_DELAY: usize = 384;
/// The overlap of its windows.
const NOISE_DELAY: usize = 288;
