//! The far end's sound and the program's own, added up.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use crate::media::sounds::Sound;

/// Adds at most one sound of the program to what is played.
#[derive(Debug)]
pub(crate) struct Mixer {
    playing: Option<Playing>,
    /// How loud the far end's last sample was played.
    volume: f32,
}

impl Default for Mixer {
    fn default() -> Self {
        Self { playing: None, volume: 1.0 }
    }
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

    /// Plays the far end's block at this volume. A change is spread over the block: a step would be heard as a click, and a
    /// slider drawn along as a zip.
    pub(crate) fn set_volume(&mut self, block: &mut [f32], volume: f32) {
        if self.volume == volume && volume == 1.0 {
            return;
        }
        let step = (volume - self.volume) / block.len().max(1) as f32;
        for sample in block {
            self.volume += step;
            *sample = rounded_off(*sample * self.volume);
        }
        self.volume = volume;
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

/// What is louder than full scale bends towards it, instead of being cut off.
fn rounded_off(sample: f32) -> f32 {
    const KNEE: f32 = 0.8;
    let over = sample.abs() - KNEE;
    if over <= 0.0 { sample } else { (KNEE + (1.0 - KNEE) * (over / (1.0 - KNEE)).tanh()).copysign(sample) }
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
    fn a_new_volume_is_reached_without_a_step() {
        let mut mixer = Mixer::default();
        let mut block = [0.5; 480];
        mixer.set_volume(&mut block, 0.0);
        let steepest = block.windows(2).map(|pair| (pair[0] - pair[1]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.002 && block[479].abs() < 0.001, "{steepest}");
        let mut block = [0.5; 480];
        mixer.set_volume(&mut block, 0.0);
        assert_eq!(block, [0.0; 480]);
    }

    #[test]
    fn what_is_made_louder_stays_within_bounds_and_what_is_left_alone_stays_as_it_is() {
        let mut mixer = Mixer::default();
        let mut block = [0.9; 480];
        mixer.set_volume(&mut block, 2.0);
        assert!(block.iter().all(|sample| *sample <= 1.0));
        let mut mixer = Mixer::default();
        let mut block = [0.95; 480];
        mixer.set_volume(&mut block, 1.0);
        assert_eq!(block, [0.95; 480]);
    }

    #[test]
    fn ringback_repeats_and_a_message_does_not() {
        let ringback = loud_blocks(Sound::Ringback, 560);
        assert!(ringback[50] && !ringback[200] && ringback[550]);
        let message = loud_blocks(Sound::Message, 560);
        assert!(message[5] && !message[100] && !message[550]);
    }
}
