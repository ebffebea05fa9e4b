//! The program's own sounds, made from sines when they are needed: no files to ship or to lose.

/// A sound of the program itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sound {
    /// Somebody calls; repeats.
    Ring,
    /// The far end rings; repeats.
    Ringback,
    /// The call is up.
    Connected,
    /// The call has ended, for whatever reason.
    Ended,
    /// A message came.
    Message,
    /// To try the loudspeaker.
    Test,
}

impl Sound {
    pub(crate) fn repeats(self) -> bool {
        matches!(self, Self::Ring | Self::Ringback)
    }

    /// One round of the sound at 48 kHz, mono.
    pub(crate) fn samples(self) -> Vec<f32> {
        let mut out = Vec::new();
        for note in self.notes() {
            play(&mut out, note);
        }
        out
    }

    fn notes(self) -> &'static [Note] {
        match self {
            Self::Ring => RING,
            Self::Ringback => RINGBACK,
            Self::Connected => CONNECTED,
            Self::Ended => ENDED,
            Self::Message => MESSAGE,
            Self::Test => TEST,
        }
    }
}

const RING: &[Note] = &[
    note(784.0, 988.0, 180, 0.30),
    rest(60),
    note(784.0, 988.0, 180, 0.30),
    rest(60),
    note(988.0, 1175.0, 320, 0.30),
    rest(2200),
];
/// The European cadence: one second on, four off.
const RINGBACK: &[Note] = &[note(425.0, 425.0, 1000, 0.15), rest(4000)];
const CONNECTED: &[Note] = &[note(523.0, 659.0, 90, 0.25), note(784.0, 1047.0, 160, 0.25)];
const ENDED: &[Note] = &[note(659.0, 523.0, 110, 0.25), note(392.0, 330.0, 200, 0.25)];
const MESSAGE: &[Note] = &[note(1175.0, 1568.0, 110, 0.20)];
const TEST: &[Note] =
    &[note(523.0, 523.0, 220, 0.30), note(659.0, 659.0, 220, 0.30), note(784.0, 784.0, 420, 0.30)];

/// Two sines for so many milliseconds at this loudness; loudness zero is a rest.
#[derive(Clone, Copy)]
struct Note {
    low_hz: f32,
    high_hz: f32,
    milliseconds: usize,
    loudness: f32,
}

const fn note(low_hz: f32, high_hz: f32, milliseconds: usize, loudness: f32) -> Note {
    Note { low_hz, high_hz, milliseconds, loudness }
}

const fn rest(milliseconds: usize) -> Note {
    note(0.0, 0.0, milliseconds, 0.0)
}

fn play(out: &mut Vec<f32>, note: &Note) {
    let length = note.milliseconds * 48;
    // Ten milliseconds of fade at both ends: no clicks.
    let fade = 480.min(length / 2).max(1);
    for n in 0..length {
        let time = n as f32 / 48_000.0;
        let edge = n.min(length - 1 - n).min(fade) as f32 / fade as f32;
        let wave = (std::f32::consts::TAU * note.low_hz * time).sin() * 0.6
            + (std::f32::consts::TAU * note.high_hz * time).sin() * 0.4;
        out.push(wave * note.loudness * edge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sound_is_heard_and_never_clips() {
        for sound in
            [Sound::Ring, Sound::Ringback, Sound::Connected, Sound::Ended, Sound::Message, Sound::Test]
        {
            let samples = sound.samples();
            let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!((0.05..0.5).contains(&peak), "{sound:?} peaks at {peak}");
            assert!(samples.len() <= 6 * 48_000);
        }
    }
}
