//! Recordings made up for tests: a talker, a room, noise, two clocks. The same every time.

use std::f32::consts::TAU;

/// Samples a second.
pub(super) const RATE: usize = 48_000;

/// A small random number generator: the same sequence for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Evenly between 0 and 1.
    pub(super) fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Evenly between -1 and 1.
    pub(super) fn noise(&mut self) -> f32 {
        self.unit() * 2.0 - 1.0
    }
}

/// A resonance: two poles at this frequency and bandwidth, of gain one at its peak or so.
struct Resonance {
    a: f32,
    b: f32,
    gain: f32,
    before: [f32; 2],
}

impl Resonance {
    fn new() -> Self {
        Self { a: 0.0, b: 0.0, gain: 0.0, before: [0.0; 2] }
    }

    fn tune(&mut self, hertz: f32, bandwidth: f32) {
        let radius = (-std::f32::consts::PI * bandwidth / RATE as f32).exp();
        let angle = TAU * hertz / RATE as f32;
        self.a = 2.0 * radius * angle.cos();
        self.b = -radius * radius;
        self.gain = 1.0 - self.a - self.b;
    }

    fn pass(&mut self, sample: f32) -> f32 {
        let out = self.gain * sample + self.a * self.before[0] + self.b * self.before[1];
        self.before = [out, self.before[0]];
        out
    }
}

/// Vowels as the first four formants, in hertz.
const VOWELS: [[f32; 4]; 6] = [
    [730.0, 1090.0, 2440.0, 3400.0],
    [270.0, 2290.0, 3010.0, 3600.0],
    [300.0, 870.0, 2240.0, 3300.0],
    [530.0, 1840.0, 2480.0, 3500.0],
    [570.0, 840.0, 2410.0, 3300.0],
    [490.0, 1350.0, 1690.0, 3200.0],
];

/// So many seconds of somebody talking: syllables of a buzz through formants and bursts of noise, in phrases with
/// pauses between. The loudness of the whole, pauses left out, is `decibels` below full scale.
pub(crate) fn speech(seconds: f32, seed: u64, pitch: f32, decibels: f32) -> Vec<f32> {
    let wanted = (seconds * RATE as f32) as usize;
    let mut dice = Dice::new(seed);
    let mut sound = Vec::with_capacity(wanted + RATE);
    let mut formants: [Resonance; 4] = std::array::from_fn(|_| Resonance::new());
    let mut hiss = Resonance::new();
    let (mut phase, mut pulse_before, mut vowel) = (0.0_f32, 0.0, VOWELS[0]);
    while sound.len() < wanted {
        let syllables = 4 + (dice.unit() * 6.0) as usize;
        let mut tone = pitch * (1.1 + 0.2 * dice.unit());
        for _ in 0..syllables {
            // A consonant, voiceless half of the time.
            if dice.unit() < 0.6 {
                hiss.tune(2500.0 + 3500.0 * dice.unit(), 1500.0);
                let length = RATE / 1000 * (30 + (dice.unit() * 60.0) as usize);
                for n in 0..length {
                    let edge = (n.min(length - n) as f32 / 240.0).min(1.0);
                    sound.push(hiss.pass(dice.noise()) * edge * 0.5);
                }
            }
            let goal = VOWELS[(dice.unit() * 5.99) as usize];
            let length = RATE / 1000 * (90 + (dice.unit() * 130.0) as usize);
            let loud = 0.6 + 0.4 * dice.unit();
            for n in 0..length {
                if n % 48 == 0 {
                    for (now, goal) in vowel.iter_mut().zip(goal) {
                        *now += (goal - *now) * 0.03;
                    }
                    for (k, (formant, hertz)) in formants.iter_mut().zip(vowel).enumerate() {
                        formant.tune(hertz, 60.0 + 40.0 * k as f32);
                    }
                    tone *= 1.0 + 0.004 * dice.noise();
                }
                phase += tone / RATE as f32;
                phase -= phase.floor();
                // A glottal pulse: rises, falls faster, rests; with a little breath.
                let pulse = match phase {
                    p if p < 0.4 => (std::f32::consts::PI * p / 0.4).sin().powi(2),
                    p if p < 0.56 => -0.8 * (std::f32::consts::PI * (p - 0.4) / 0.16).sin(),
                    _ => 0.0,
                };
                // Lips radiate the change of pressure.
                let source = (pulse - pulse_before) * 8.0 + 0.03 * dice.noise();
                pulse_before = pulse;
                let edge = (n.min(length - n) as f32 / 1200.0).min(1.0);
                let voice = formants.iter_mut().fold(0.0, |sum, formant| sum + formant.pass(source));
                sound.push(voice * edge * loud);
            }
            tone *= 0.98;
        }
        let pause = RATE / 1000 * (250 + (dice.unit() * 500.0) as usize);
        sound.resize(sound.len() + pause, 0.0);
    }
    sound.truncate(wanted);
    set_loudness(&mut sound, decibels);
    sound
}

/// Scales the sound so that its loud parts have this loudness below full scale.
pub(super) fn set_loudness(sound: &mut [f32], decibels: f32) {
    let factor = 10.0_f32.powf((decibels - active_level(sound)) / 20.0);
    sound.iter_mut().for_each(|sample| *sample *= factor);
}

/// White noise with this loudness.
pub(super) fn noise(seconds: f32, seed: u64, decibels: f32) -> Vec<f32> {
    let mut dice = Dice::new(seed);
    let mut sound: Vec<f32> = (0..(seconds * RATE as f32) as usize).map(|_| dice.noise()).collect();
    set_loudness(&mut sound, decibels);
    sound
}

/// What a microphone hears of a loudspeaker in a room: the direct sound after `delay` samples, then reflections that die
/// away by 60 decibels within `tail` milliseconds; `gain` decibels in all.
pub(super) fn through_room(sound: &[f32], delay: usize, tail: usize, gain: f32) -> Vec<f32> {
    // Walls: delay lines of unlike lengths that feed themselves, darker at each turn, over a few early reflections.
    const LINES: [usize; 4] = [1427, 1777, 2129, 2557];
    const EARLY: [(usize, f32); 5] = [(0, 1.0), (137, 0.5), (311, -0.4), (499, 0.35), (823, -0.25)];
    let mut lines = LINES.map(|length| vec![0.0_f32; length]);
    let mut dark = [0.0_f32; 4];
    let keep = LINES.map(|length| 10.0_f32.powf(-3.0 * length as f32 / (tail * RATE / 1000) as f32));
    let mut out = vec![0.0; delay];
    for n in 0..sound.len() {
        let mut heard: f32 =
            EARLY.iter().filter_map(|(lag, gain)| Some(sound.get(n.checked_sub(*lag)?)? * gain)).sum();
        for (k, line) in lines.iter_mut().enumerate() {
            let place = n % line.len();
            dark[k] += (line[place] - dark[k]) * 0.6;
            heard += dark[k] * 0.3;
            line[place] = sound[n] + dark[k] * keep[k];
        }
        out.push(heard);
    }
    out.truncate(sound.len());
    let factor = 10.0_f32.powf((level(sound) + gain - level(&out)) / 20.0);
    out.iter_mut().for_each(|sample| *sample *= factor);
    out
}

/// The same sound on a clock that is faster by so many millionths: what was sample n is now at n·(1+ppm).
pub(super) fn drifted(sound: &[f32], ppm: f64) -> Vec<f32> {
    let step = 1.0 / (1.0 + ppm * 1e-6);
    let count = (sound.len() as f64 / step) as usize;
    (0..count).map(|n| sinc_at(sound, n as f64 * step)).collect()
}

fn sinc_at(sound: &[f32], at: f64) -> f32 {
    let whole = at.floor() as i64;
    let part = (at - whole as f64) as f32;
    if part < 1e-7 {
        return sound.get(whole as usize).copied().unwrap_or(0.0);
    }
    let mut sum = 0.0;
    let sine = (std::f32::consts::PI * part).sin() / std::f32::consts::PI;
    for k in -15..=16_i64 {
        let Some(sample) = usize::try_from(whole + k).ok().and_then(|n| sound.get(n)) else { continue };
        let x = part - k as f32;
        let window = 0.5 + 0.5 * (std::f32::consts::PI * x / 16.5).cos();
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        sum += sample * sign * sine / x * window;
    }
    sum
}

/// Mean power in decibels of full scale.
pub(super) fn level(sound: &[f32]) -> f32 {
    let power = sound.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / sound.len().max(1) as f64;
    (10.0 * power.max(1e-14).log10()) as f32
}

/// The level of the parts that are not pauses: those within 25 decibels of the loudest 20 ms.
pub(super) fn active_level(sound: &[f32]) -> f32 {
    let power =
        |part: &[f32]| part.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / part.len() as f64;
    let powers: Vec<f64> = sound.chunks_exact(960).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let active: Vec<f64> = powers.into_iter().filter(|p| *p > loudest * 0.003).collect();
    (10.0 * (active.iter().sum::<f64>() / active.len().max(1) as f64).max(1e-14).log10()) as f32
}

pub(super) fn mixed(a: &[f32], b: &[f32]) -> Vec<f32> {
    let count = a.len().max(b.len());
    let at = |sound: &[f32], n| sound.get(n).copied().unwrap_or(0.0);
    (0..count).map(|n| at(a, n) + at(b, n)).collect()
}

/// How alike two sounds are, 0 to 1: how their loudness in ten bands of the voice moves over time, 20 ms at a time. What
/// a filter does to the phases, which nobody hears, does not count.
pub(super) fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (bands(a), bands(b));
    let (mut product, mut powers) = (0.0, [0.0, 0.0]);
    for (a, b) in a.iter().zip(&b) {
        product += f64::from(a * b);
        powers[0] += f64::from(a * a);
        powers[1] += f64::from(b * b);
    }
    (product / (powers[0] * powers[1]).sqrt().max(1e-12)) as f32
}

/// The amplitude in ten bands from 200 to 4000 Hz, for each 20 ms.
fn bands(sound: &[f32]) -> Vec<f32> {
    let mut amplitudes = Vec::new();
    let mut filters: Vec<Resonance> = (0..10)
        .map(|k| {
            let hertz = 200.0 * 1.395_f32.powi(k);
            let mut filter = Resonance::new();
            filter.tune(hertz, hertz * 0.3);
            filter
        })
        .collect();
    for piece in sound.chunks_exact(RATE / 50) {
        for filter in &mut filters {
            let power: f32 = piece.iter().map(|sample| filter.pass(*sample).powi(2)).sum();
            amplitudes.push(power.sqrt());
        }
    }
    amplitudes
}
