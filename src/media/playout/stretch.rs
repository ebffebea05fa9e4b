//! Sound made a little shorter or longer without changing its pitch: by leaving out, or repeating, one period of it.
//!
//! Only where nobody hears it: where a voice repeats itself, or in silence. Where sound is like nothing that follows it, it
//! is left alone, and the next block may do.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

/// How like its successor a period must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Likeness {
    /// So that nothing is heard.
    Close,
    /// So that no click is heard.
    Some,
}

impl Likeness {
    fn least(self) -> f32 {
        match self {
            Self::Close => 0.85,
            Self::Some => 0.4,
        }
    }
}

/// Shortens the head of the sound by one period; leaves it alone when there is not [`ENOUGH_TO_SHORTEN`], or nothing alike.
pub(crate) fn shorten(sound: &mut Vec<f32>, likeness: Likeness) {
    if sound.len() < ENOUGH_TO_SHORTEN {
        return;
    }
    let Some(lag) = period(sound, likeness) else { return };
    for n in 0..OVERLAP {
        let share = n as f32 / OVERLAP as f32;
        sound[n + lag] = sound[n] * (1.0 - share) + sound[n + lag] * share;
    }
    sound.drain(..lag);
}

/// Lengthens the head of the sound by one period; leaves it alone when there is not [`ENOUGH_TO_LENGTHEN`], or nothing
/// alike.
pub(crate) fn lengthen(sound: &mut Vec<f32>, likeness: Likeness) {
    let Some(lag) = period(sound, likeness) else { return };
    // One period as it is, then a crossing from what follows it back to its beginning.
    let mut head: Vec<f32> = sound[..lag].to_vec();
    for n in 0..OVERLAP {
        let share = n as f32 / OVERLAP as f32;
        head.push(sound[n + lag] * (1.0 - share) + sound[n] * share);
    }
    sound.splice(..OVERLAP, head);
}

/// The shift at which the beginning of the sound is most like itself, between 2.5 and 12.5 ms.
fn period(sound: &[f32], likeness: Likeness) -> Option<usize> {
    if sound.len() < ENOUGH_TO_LENGTHEN {
        return None;
    }
    let head = &sound[..OVERLAP];
    let energy = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>();
    let own = energy(head);
    if own < SILENCE {
        // In silence any place is as good as another.
        return (energy(&sound[LONGEST..LONGEST + OVERLAP]) < SILENCE).then_some(LONGEST);
    }
    let mut best = (likeness.least(), None);
    for lag in SHORTEST..=LONGEST {
        let other = &sound[lag..lag + OVERLAP];
        let product: f32 = head.iter().zip(other).map(|(a, b)| a * b).sum();
        let alike = product / (own * energy(other)).sqrt().max(1e-6);
        if alike > best.0 {
            best = (alike, Some(lag));
        }
    }
    best.1
}

const SHORTEST: usize = 120;
/// The lowest voices have 80 periods a second.
const LONGEST: usize = 600;
const OVERLAP: usize = 240;
/// Samples in hand that shortening needs, so that a block is left after it.
pub(crate) const ENOUGH_TO_SHORTEN: usize = LONGEST + 480;
/// Samples in hand that lengthening needs. Less than a packet: who must lengthen has no second one to wait for.
pub(crate) const ENOUGH_TO_LENGTHEN: usize = LONGEST + OVERLAP;
/// Energy of 5 ms below which nobody hears a seam.
const SILENCE: f32 = 240.0 * 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(length: usize) -> Vec<f32> {
        (0..length).map(|n| (n as f32 * std::f32::consts::TAU / 200.0).sin() * 0.5).collect()
    }

    fn roughest_step(sound: &[f32]) -> f32 {
        sound.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_loses_or_gains_whole_periods_and_no_click_is_heard() {
        for change in [shorten, lengthen] {
            let mut sound = tone(1920);
            change(&mut sound, Likeness::Close);
            let changed = sound.len().abs_diff(1920);
            assert!(changed > 0 && changed.is_multiple_of(200), "{changed}");
            assert!(roughest_step(&sound) < 0.02, "{}", roughest_step(&sound));
        }
        let (mut short, mut long) = (tone(1920), tone(1920));
        shorten(&mut short, Likeness::Close);
        lengthen(&mut long, Likeness::Close);
        assert!(short.len() < 1920 && long.len() > 1920);
    }

    #[test]
    fn too_little_sound_is_left_alone_and_so_is_noise() {
        let mut sound = tone(700);
        shorten(&mut sound, Likeness::Close);
        assert!(sound == tone(700));
        let mut state = 1_u32;
        let noise: Vec<f32> = (0..1920)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as f32 / 65_536.0 - 0.5
            })
            .collect();
        let mut sound = noise.clone();
        lengthen(&mut sound, Likeness::Close);
        assert!(sound == noise);
    }
}
