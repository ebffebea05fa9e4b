//! The far end's sound and the program's own, added up.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use crate::media::sounds::Sound;

/// Adds at most one sound of the program to what is played.
#[derive(Debug, Default)]
pub(crate) struct Mixer {
    playing: Option<Playing>,
}

#[derive(Debug)]
struct Playing {
    samples: Vec<f32>,
    at: usize,
    repeats: bool,
}

impl Mixer {
    /// Starts a sound in place of the one before.
    pub(crate) fn play(&mut self, sound: Sound) {
        self.playing = Some(Playing { samples: sound.samples(), at: 0, repeats: sound.repeats() });
    }

    pub(crate) fn stop(&mut self) {
        self.playing = None;
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Adds the sound to a block and keeps the sum within bounds.
    pub(crate) fn mix(&mut self, block: &mut [f32]) {
        for sample in block.iter_mut() {
            let Some(playing) = &mut self.playing else { break };
            let Some(value) = playing.samples.get(playing.at) else {
                self.playing = None;
                break;
            };
            *sample += value;
            playing.at += 1;
            if playing.repeats && playing.at >= playing.samples.len() {
                playing.at = 0;
            }
        }
        for sample in block {
            *sample = sample.clamp(-1.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud_blocks(sound: Sound, blocks: usize) -> Vec<bool> {
        let mut mixer = Mixer::default();
        mixer.play(sound);
        (0..blocks)
            .map(|_| {
                let mut block = [0.0; 480];
                mixer.mix(&mut block);
                block.iter().any(|s| s.abs() > 0.01)
            })
            .collect()
    }

    #[test]
    fn ringback_repeats_and_a_message_does_not() {
        let ringback = loud_blocks(Sound::Ringback, 560);
        assert!(ringback[50] && !ringback[200] && ringback[550]);
        let message = loud_blocks(Sound::Message, 560);
        assert!(message[5] && !message[100] && !message[550]);
    }
}
