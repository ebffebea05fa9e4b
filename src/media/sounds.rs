//! The program's own sounds, made from sines when they are needed: no files to ship or to lose.
//!
//! All are struck softly and fade like a bar of wood: nothing begins or ends with a click, nothing is shrill, and what
//! repeats leaves long rests.

/// A sound of the program itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sound {
    /// Somebody calls; repeats.
    Ring,
    /// Somebody calls while one is in a call; repeats, quietly.
    SecondCall,
    /// The far end rings; repeats.
    Ringback,
    /// The call is up.
    Connected,
    /// The call has ended, for whatever reason.
    Ended,
    /// A message came.
    Message,
    /// Somebody wants something that can wait, such as to hand over a file.
    Knock,
    /// To try the loudspeaker.
    Test,
}

impl Sound {
    pub(crate) fn repeats(self) -> bool {
        matches!(self, Self::Ring | Self::SecondCall | Self::Ringback)
    }

    /// One round of the sound at 48 kHz, mono.
    pub(crate) fn samples(self) -> Vec<f32> {
        let (notes, length) = self.score();
        let mut out = vec![0.0; length * PER_MILLISECOND];
        for note in notes {
            note.play(&mut out);
        }
        out
    }

    /// The notes, and after how many milliseconds the round is over.
    fn score(self) -> (&'static [Note], usize) {
        match self {
            Self::Ring => (RING, 3_400),
            Self::SecondCall => (SECOND_CALL, 4_000),
            Self::Ringback => (RINGBACK, 5_000),
            Self::Connected => (CONNECTED, 500),
            Self::Ended => (ENDED, 650),
            Self::Message => (MESSAGE, 350),
            Self::Knock => (KNOCK, 450),
            Self::Test => (TEST, 1_400),
        }
    }
}

/// A rising figure, twice: friendly, and with rests in which one can think.
const RING: &[Note] = &[
    bar(0, C5, 600, 0.24),
    bar(0, E5, 600, 0.10),
    bar(180, G5, 700, 0.24),
    bar(360, C6, 900, 0.22),
    bar(900, C5, 600, 0.20),
    bar(900, E5, 600, 0.08),
    bar(1080, G5, 700, 0.20),
    bar(1260, C6, 1_000, 0.18),
];
/// Two soft strokes beside the voices of a call.
const SECOND_CALL: &[Note] = &[bar(0, G5, 350, 0.10), bar(220, G5, 450, 0.08)];
/// One second of 425 Hz and a rest, the cadence of European telephones, without its hard edges.
const RINGBACK: &[Note] = &[tone(0, 425.0, 1_000, 0.10)];
const CONNECTED: &[Note] = &[bar(0, E5, 300, 0.16), bar(110, A5, 390, 0.18)];
const ENDED: &[Note] = &[bar(0, A5, 300, 0.16), bar(140, E5, 500, 0.16)];
const MESSAGE: &[Note] = &[bar(0, G5, 250, 0.12), bar(70, C6, 280, 0.12)];
const KNOCK: &[Note] = &[bar(0, 196.0, 160, 0.30), bar(170, 196.0, 200, 0.26)];
const TEST: &[Note] = &[bar(0, C5, 600, 0.24), bar(250, E5, 600, 0.24), bar(500, G5, 900, 0.24)];

const C5: f32 = 523.25;
const E5: f32 = 659.25;
const G5: f32 = 783.99;
const A5: f32 = 880.0;
const C6: f32 = 1046.5;

const PER_MILLISECOND: usize = 48;
/// Milliseconds until a stroke has its full strength, and of fading at a note's end.
const ATTACK: f32 = 8.0;
const RELEASE: f32 = 30.0;

/// One note: when it begins and how long it lasts in milliseconds, how high, how loud.
#[derive(Clone, Copy)]
struct Note {
    at: usize,
    hertz: f32,
    milliseconds: usize,
    loudness: f32,
    /// Fades away like a bar that was struck; otherwise it stays.
    struck: bool,
}

const fn bar(at: usize, hertz: f32, milliseconds: usize, loudness: f32) -> Note {
    Note { at, hertz, milliseconds, loudness, struck: true }
}

const fn tone(at: usize, hertz: f32, milliseconds: usize, loudness: f32) -> Note {
    Note { at, hertz, milliseconds, loudness, struck: false }
}

impl Note {
    /// Adds itself to a round.
    fn play(&self, out: &mut [f32]) {
        let length = self.milliseconds as f32;
        let place = out.iter_mut().skip(self.at * PER_MILLISECOND).take(self.milliseconds * PER_MILLISECOND);
        for (n, sample) in place.enumerate() {
            let ms = n as f32 / PER_MILLISECOND as f32;
            let turn = std::f32::consts::TAU * self.hertz * ms / 1000.0;
            let rise = eased(ms / ATTACK);
            let fall = eased((length - ms) / RELEASE);
            let wave = if self.struck {
                // The upper partial of a wooden bar dies away first.
                let body = (-ms * 5.0 / length).exp();
                turn.sin() * body + (turn * 3.93).sin() * 0.12 * body * (-ms / 40.0).exp()
            } else {
                turn.sin()
            };
            *sample += wave * rise * fall * self.loudness;
        }
    }
}

/// From 0 to 1 without a corner.
fn eased(part: f32) -> f32 {
    let part = part.clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sound; 8] = [
        Sound::Ring,
        Sound::SecondCall,
        Sound::Ringback,
        Sound::Connected,
        Sound::Ended,
        Sound::Message,
        Sound::Knock,
        Sound::Test,
    ];

    #[test]
    fn every_sound_is_heard_and_none_is_harsh() {
        for sound in ALL {
            let samples = sound.samples();
            let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!((0.05..0.4).contains(&peak), "{sound:?} peaks at {peak}");
            assert!(samples.len() <= 6 * 48_000);
        }
    }

    #[test]
    fn no_sound_begins_or_ends_with_a_click() {
        for sound in ALL {
            let samples = sound.samples();
            let steepest = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            assert!(steepest < 0.06, "{sound:?} leaps by {steepest}");
            let edges = [&samples[..48], &samples[samples.len() - 48..]];
            assert!(edges.iter().all(|edge| edge.iter().all(|s| s.abs() < 0.03)), "{sound:?}");
        }
    }

    #[test]
    fn what_repeats_rests_for_longer_than_a_second() {
        for sound in ALL.into_iter().filter(|sound| sound.repeats()) {
            let samples = sound.samples();
            let rest = samples.iter().rev().take_while(|s| s.abs() < 0.002).count();
            assert!(rest > 48_000, "{sound:?} rests for {} ms", rest / 48);
        }
    }
}
