//! Sound over lines that spoil it: a tone where its shape is compared, speech where it is only counted what was done.

use std::collections::VecDeque;
use std::time::Duration;

use super::*;
use crate::media::capture::test_tone;
use crate::media::playout::lip_sync::LipSync;
use crate::media::receive_pipeline::lossy_line::{Heard, Line};
use crate::media::shaping::resample::Resample;

fn tone(seconds: u64) -> Vec<f32> {
    let mut tone = Vec::new();
    test_tone::fill(0, seconds * 48_000, &mut tone);
    tone
}

/// The recording of speech that the tests have, at 48 kHz, again and again.
fn speech(seconds: usize) -> Vec<f32> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/media/speech.wav");
    let samples: Vec<f32> = hound::WavReader::open(file)
        .unwrap()
        .samples::<i16>()
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect();
    let mut once = Vec::new();
    Resample::new(16_000, 48_000).unwrap().push(&samples, &mut once);
    once.iter().copied().cycle().take(seconds * 48_000).collect()
}

/// How alike half a second of what was said is to what was heard at the best delay up to 400 ms, and that delay.
fn likeness(said: &[f32], heard: &[f32], from_second: usize) -> (f32, usize) {
    let piece = &said[from_second * 48_000..][..24_000];
    let energy = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>();
    (0..400 * 48)
        .step_by(2)
        .map(|delay| {
            let other = &heard[from_second * 48_000 + delay..][..piece.len()];
            let product: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
            (product / (energy(piece) * energy(other)).sqrt().max(1e-6), delay / 48)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

/// The delays between two moments, in milliseconds, without those of silence before the first packet.
fn delays(heard: &Heard, from_ms: usize, to_ms: usize) -> Vec<f64> {
    heard.delay[from_ms / 10..to_ms / 10].iter().copied().filter(|delay| delay.is_finite()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn sound_over_an_even_line_is_heard_whole_and_within_sixty_milliseconds_of_the_line_s_own_delay() {
    let said = tone(6);
    let heard = Line { jitter: 5.0, ..Line::default() }.carry(&said);
    let (alike, delay) = likeness(&said, &heard.samples, 4);
    assert!(alike >= 0.9, "{alike}");
    // The line itself takes 20 ms.
    assert!(delay <= 20 + 60, "{delay} ms");
    assert_eq!((heard.figures.concealed_ms, heard.figures.lost), (0, 0));
}

#[test]
fn sound_over_an_uneven_line_is_heard_whole() {
    let heard = Line { jitter: 50.0, in_order: true, ..Line::default() }.carry(&speech(20));
    assert!(heard.figures.concealed_ms <= 60, "{:?}", heard.figures);
    assert!(mean(&delays(&heard, 10_000, 20_000)) <= 110.0);
}

#[test]
fn at_a_tenth_lost_and_thirty_milliseconds_of_jitter_no_gap_is_longer_than_sixty_milliseconds() {
    for seed in 0..5 {
        let line =
            Line { loss: 0.1, jitter: 30.0, in_order: true, expected_loss: 10, seed, ..Line::default() };
        let twice = Line { accompanied_by: &[1], ..line }.carry(&speech(20)).figures;
        assert!(twice.longest_gap_ms <= 60 && twice.concealed_ms <= 400, "{twice:?}");
        assert!(twice.recovered * 10 >= twice.lost * 8, "{twice:?}");
    }
}

#[test]
fn after_a_blackout_sound_is_back_soon_and_with_no_more_delay_than_before() {
    let said = speech(30);
    let before = Line { jitter: 5.0, ..Line::default() };
    for length in [1_000.0, 10_000.0] {
        let back = 10_000.0 + length;
        let heard = Line { dark: Some((10_000.0, back)), ..before }.carry(&said);
        let again =
            heard.delay[back as usize / 10..].iter().position(|delay| delay.is_finite()).unwrap() * 10;
        assert!(again <= 20 + 100, "back after {again} ms");
        let (first, last) =
            (mean(&delays(&heard, 5_000, 10_000)), mean(&delays(&heard, back as usize + 3_000, 30_000)));
        assert!(last <= first + 30.0, "{first} ms before, {last} ms after");
    }
}

#[test]
fn clocks_that_differ_are_followed_for_ten_minutes_without_a_gap_or_growing_delay() {
    let said = speech(600);
    for faster_millionths in [-300.0, 300.0] {
        let heard = Line { jitter: 5.0, faster_millionths, ..Line::default() }.carry(&said);
        assert_eq!(heard.figures.concealed_ms, 0, "{:?}", heard.figures);
        let (early, late) =
            (mean(&delays(&heard, 10_000, 20_000)), mean(&delays(&heard, 580_000, 600_000 - 1_000)));
        assert!((late - early).abs() <= 15.0, "{early} ms became {late} ms");
        // 180 ms had to be made up for, and little more was done.
        assert!((150..=400).contains(&heard.figures.stretched_ms), "{:?}", heard.figures);
    }
}

#[test]
fn more_delay_asked_for_comes_by_stretching_alone_and_goes_again() {
    let said = speech(30);
    let mut receiver = AudioReceiver::new().unwrap();
    let heard = Line { jitter: 5.0, ..Line::default() }.carry_to(&said, &mut receiver, |receiver, _, ms| {
        receiver.set_least_delay(if (5_000.0..18_000.0).contains(&ms) { 110.0 } else { 0.0 });
    });
    let (before, during, after) = (
        mean(&delays(&heard, 2_000, 5_000)),
        mean(&delays(&heard, 10_000, 18_000)),
        mean(&delays(&heard, 25_000, 29_000)),
    );
    assert_eq!(heard.figures.concealed_ms, 0);
    assert!(
        (80.0..=130.0).contains(&(during - before)) && after - before <= 20.0,
        "{before} {during} {after}"
    );
}

/// Speech beside pictures that take so much longer than packets of sound, and up to so much more at random. What the
/// picture was later than the sound, by the second.
fn lips(picture_late_ms: u64, jitter: u64) -> Vec<Vec<f64>> {
    let said = speech(20);
    let origin = Instant::now();
    let mut sync = LipSync::default();
    let (mut captured, mut waiting) = (0_u32, VecDeque::<(Instant, u32)>::new());
    let mut seconds = vec![Vec::new(); 20];
    let line = Line { jitter: 10.0, in_order: true, ..Line::default() };
    line.carry_to(&said, &mut AudioReceiver::new().unwrap(), |receiver, block, ms| {
        let at = |ms: u64| origin + Duration::from_millis(ms);
        let now = origin + Duration::from_secs_f64(ms / 1000.0);
        if let Some(stamp) = block.timestamp {
            sync.on_sound(stamp, now, now);
            let buffered = receiver.delay_ms().unwrap_or_default();
            receiver.set_least_delay(sync.least_sound_delay(buffered, now));
        }
        loop {
            let stamp = captured * 100 / 3;
            let ready =
                at(u64::from(stamp) + 40 + picture_late_ms + u64::from(captured) * 7919 % jitter.max(1));
            if ready > now {
                break;
            }
            waiting.push_back((sync.due(stamp, ready), stamp));
            captured += 1;
        }
        while let Some((shown, stamp)) = waiting.front().copied().filter(|(due, _)| *due <= now) {
            waiting.pop_front();
            sync.on_picture(stamp, shown);
            if let Some(heard) = block.timestamp {
                let picture = shown.duration_since(origin).as_secs_f64() * 1000.0 - f64::from(stamp);
                seconds[ms as usize / 1000].push(picture - (ms - f64::from(heard)));
            }
        }
    });
    seconds
}

#[test]
fn lips_and_voice_stay_together_whichever_is_late() {
    for (late, jitter) in [(0, 0), (20, 30), (150, 20), (150, 0)] {
        let seconds = lips(late, jitter);
        let means: Vec<f64> = seconds.iter().skip(3).map(|skews| mean(skews)).collect();
        let within = means.iter().filter(|skew| (-60.0..=40.0).contains(*skew)).count();
        assert!(within * 100 >= means.len() * 95, "{late} {jitter}: {means:.0?}");
        assert!(means.iter().all(|skew| (-125.0..=45.0).contains(skew)), "{late} {jitter}: {means:.0?}");
    }
}

#[test]
fn nothing_at_all_costs_nothing_and_a_line_that_dies_fades_away() {
    let said = tone(3);
    let heard = Line { dark: Some((1_000.0, 3_000.0)), ..Line::default() }.carry(&said);
    let rms = |from: usize| {
        let part = &heard.samples[from * 48..][..480];
        (part.iter().map(|s| s * s).sum::<f32>() / 480.0).sqrt()
    };
    let died = heard.delay.iter().rposition(|delay| delay.is_finite()).unwrap() * 10;
    assert!(rms(900) > 0.02 && rms(died) < 0.001, "{} {}", rms(900), rms(died));
    assert!(Duration::from_millis(heard.figures.concealed_ms) <= Duration::from_millis(200));
}
