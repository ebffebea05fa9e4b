//! Sound made a little shorter or longer without changing its pitch: by leaving out, or repeating, one period of it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

/// Shortens the head of the sound by one period. How many samples went; 0 when there is not enough, or nothing alike.
pub(crate) fn shorten(sound: &mut Vec<f32>) -> usize {
    let Some(lag) = period(sound) else { return 0 };
    for n in 0..OVERLAP {
        let share = n as f32 / OVERLAP as f32;
        sound[n + lag] = sound[n] * (1.0 - share) + sound[n + lag] * share;
    }
    sound.drain(..lag);
    lag
}

/// Lengthens the head of the sound by one period. How many samples came; 0 when there is not enough, or nothing alike.
pub(crate) fn lengthen(sound: &mut Vec<f32>) -> usize {
    let Some(lag) = period(sound) else { return 0 };
    // One period as it is, then a crossing from what follows it back to its beginning.
    let mut head: Vec<f32> = sound[..lag].to_vec();
    for n in 0..OVERLAP {
        let share = n as f32 / OVERLAP as f32;
        head.push(sound[n + lag] * (1.0 - share) + sound[n] * share);
    }
    sound.splice(..OVERLAP, head);
    lag
}

/// The shift at which the beginning of the sound is most like itself, between 2.5 and 10 ms.
fn period(sound: &[f32]) -> Option<usize> {
    if sound.len() < LONGEST + OVERLAP {
        return None;
    }
    let head = &sound[..OVERLAP];
    let energy = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>();
    let own = energy(head);
    if own < SILENCE {
        // In silence any place is as good as another.
        return (energy(&sound[LONGEST..LONGEST + OVERLAP]) < SILENCE).then_some(LONGEST);
    }
    let mut best = (LEAST_LIKENESS, None);
    for lag in SHORTEST..=LONGEST {
        let other = &sound[lag..lag + OVERLAP];
        let product: f32 = head.iter().zip(other).map(|(a, b)| a * b).sum();
        let likeness = product / (own * energy(other)).sqrt().max(1e-6);
        if likeness > best.0 {
            best = (likeness, Some(lag));
        }
    }
    best.1
}

const SHORTEST: usize = 120;
const LONGEST: usize = 480;
const OVERLAP: usize = 240;
/// Energy of 5 ms below which nobody hears a seam.
const SILENCE: f32 = 240.0 * 1e-6;
const LEAST_LIKENESS: f32 = 0.5;

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
            let changed = change(&mut sound);
            assert_eq!(changed % 200, 0);
            assert!(changed > 0);
            assert!(roughest_step(&sound) < 0.02, "{}", roughest_step(&sound));
        }
        let (mut short, mut long) = (tone(1920), tone(1920));
        let (gone, come) = (shorten(&mut short), lengthen(&mut long));
        assert_eq!((short.len(), long.len()), (1920 - gone, 1920 + come));
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        let mut sound = tone(700);
        assert_eq!(shorten(&mut sound), 0);
        assert_eq!(sound, tone(700));
    }
}
