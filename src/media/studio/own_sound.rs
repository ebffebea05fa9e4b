//! Sound of one's own on its way from the source to the sink: processed, shown on its meter, recorded, coded.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::shared::{Shared, lock};
use crate::media::encoded::EncodedFrame;
use crate::media::recording::tap::Side;
use crate::media::send_pipeline::AudioSender;
use crate::media::voice::VoiceStage;

/// What is done to the sound of one open source; another source begins with another.
pub(super) struct OwnSound {
    /// It is a person's voice; a file and the test tone are sent as they are.
    is_voice: bool,
    stage: VoiceStage,
    /// What the stage gave.
    ready: Vec<f32>,
    /// While there is a sink.
    sender: Option<AudioSender>,
}

impl OwnSound {
    pub(super) fn of_a_microphone() -> Self {
        Self { is_voice: true, stage: VoiceStage::new(), ready: Vec::new(), sender: None }
    }

    pub(super) fn untouched() -> Self {
        Self { is_voice: false, ..Self::of_a_microphone() }
    }

    /// Takes sound whose first sample was heard then, shows its level, and sends it while there is a sink.
    pub(super) fn take(&mut self, shared: &Shared, heard: &[f32], first_heard: Instant) {
        shared.set(&shared.has_microphone, true);
        let (sink, muted, expected_loss, voice, sound_rate) = {
            let sending = lock(&shared.sending);
            let sink = sending.sink.clone();
            (sink, sending.muted, sending.expected_loss, sending.voice, sending.sound_rate)
        };
        self.stage.set_processing(self.is_voice.then_some(voice));
        shared.played.read(|played| self.stage.on_played(played));
        self.ready.clear();
        let Some(first_heard) = self.stage.push(heard, first_heard, &mut self.ready) else { return };
        shared.speaking.store(self.stage.is_speech(), Ordering::Relaxed);
        shared.voice_delay_micros.store(self.stage.delay().as_micros() as u64, Ordering::Relaxed);
        shared.microphone_level.hear(&self.ready);
        let Some(sink) = sink else {
            self.sender = None;
            return;
        };
        if !muted {
            shared.tap.sound(Side::Own, &self.ready, first_heard);
        }
        let Some(sender) = ready(&mut self.sender) else { return };
        sender.set_muted(muted);
        sender.set_music(voice.music);
        sender.set_expected_loss(expected_loss);
        sender.set_bit_rate(sound_rate);
        let frames: Vec<EncodedFrame> = sender.push(&self.ready, shared.clock.stamp(first_heard));
        for frame in frames {
            sink(frame);
        }
    }
}

fn ready(sender: &mut Option<AudioSender>) -> Option<&mut AudioSender> {
    if sender.is_none() {
        *sender = AudioSender::new().inspect_err(|error| tracing::error!(%error, "no Opus encoder")).ok();
    }
    sender.as_mut()
}
