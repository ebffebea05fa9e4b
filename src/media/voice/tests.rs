//! The stage tried on recordings that are made up: a talker at each end, a room, noise, two devices with clocks of their own.

use super::synthetic::{RATE, active_level, drifted, level, likeness, mixed, noise, speech, through_room};
use super::*;

const ECHO: VoiceProcessing = VoiceProcessing {
    echo_cancellation: true,
    noise_suppression: false,
    automatic_gain: false,
    music: false,
};
const ECHO_AND_NOISE: VoiceProcessing = VoiceProcessing { noise_suppression: true, ..ECHO };
const NOISE: VoiceProcessing = VoiceProcessing { echo_cancellation: false, ..ECHO_AND_NOISE };
const GAIN: VoiceProcessing = VoiceProcessing { echo_cancellation: false, automatic_gain: true, ..ECHO };
const EVERYTHING: VoiceProcessing = VoiceProcessing { automatic_gain: true, ..ECHO_AND_NOISE };

/// How loudspeaker and microphone are, as devices.
#[derive(Clone, Copy)]
struct Devices {
    /// From being handed to the loudspeaker to being heard, in milliseconds, as the device says.
    delay: u64,
    /// What the device does not say of its delay, in milliseconds.
    unsaid: usize,
    /// By how many millionths the microphone's clock is faster.
    drift: f64,
}

const PLAIN: Devices = Devices { delay: 20, unsaid: 10, drift: 0.0 };

/// What the stage sends when `played` is played and `heard` is what the microphone hears, both by a perfect clock. What comes
/// out has the delay of the stage taken off.
fn sent(processing: VoiceProcessing, devices: Devices, played: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut stage = VoiceStage::new();
    stage.set_processing(Some(processing));
    let origin = Instant::now();
    let at = |seconds: f64| origin + Duration::from_secs_f64(seconds);
    let heard = drifted(heard, devices.drift);
    let step = 0.01 / (1.0 + devices.drift * 1e-6);
    let (mut out, mut written) = (Vec::new(), 0);
    for (n, piece) in heard.chunks_exact(BLOCK).enumerate() {
        // The piece is there once its last sample was heard, and the device handed it on.
        let now = (n + 1) as f64 * step + 0.01;
        while written as f64 * 0.01 <= now {
            let first = written as u64 * BLOCK as u64;
            let Some(samples) = played.get(first as usize..).and_then(|rest| rest.first_chunk::<BLOCK>())
            else {
                break;
            };
            let delay = devices.delay as f64 / 1000.0;
            stage.on_played(&Played { first, samples: *samples, heard: at(written as f64 * 0.01 + delay) });
            written += 1;
        }
        stage.push(piece, at(n as f64 * step), &mut out);
    }
    out.drain(..(stage.delay().as_micros() as usize * 48 / 1000).min(out.len()));
    out.resize(heard.len(), 0.0);
    out
}

/// What the microphone hears of what is played: once through the room, as much later as the device takes.
fn echo_of(played: &[f32], devices: Devices, decibels: f32) -> Vec<f32> {
    through_room(played, (devices.delay as usize + devices.unsaid) * 48, 200, decibels)
}

/// By how many decibels the echo is reduced where only the far end talks, from so many seconds after the beginning to the
/// eighth.
fn reduction(processing: VoiceProcessing, devices: Devices, from: usize) -> f32 {
    let played = speech(9.0, 1, 110.0, -20.0);
    let heard = mixed(&echo_of(&played, devices, -12.0), &noise(9.0, 3, -80.0));
    let out = sent(processing, devices, &played, &heard);
    level(&heard[from * RATE..8 * RATE]) - level(&out[from * RATE..8 * RATE])
}

#[test]
fn the_echo_of_who_talks_alone_is_reduced_by_thirty_decibels() {
    let reduced = reduction(ECHO, PLAIN, 3);
    assert!(reduced >= 30.0, "{reduced}");
}

#[test]
fn echo_is_reduced_as_much_with_slow_devices_whose_clocks_drift_apart() {
    for devices in [
        Devices { delay: 100, ..PLAIN },
        Devices { unsaid: 100, ..PLAIN },
        Devices { drift: 100.0, ..PLAIN },
        Devices { delay: 100, drift: -100.0, ..PLAIN },
    ] {
        // In the fifth second, when it takes its beginning for over, the canceller may falter once.
        let reduced = reduction(ECHO_AND_NOISE, devices, 5);
        let Devices { delay, unsaid, drift } = devices;
        assert!(reduced >= 30.0, "delay {delay} + {unsaid}, drift {drift}: {reduced}");
    }
}

#[test]
fn near_speech_is_kept_while_both_talk() {
    for devices in [PLAIN, Devices { delay: 100, drift: 100.0, ..PLAIN }] {
        let (played, near) = (speech(12.0, 1, 110.0, -20.0), speech(12.0, 2, 200.0, -26.0));
        // The near end begins once the canceller knows the room.
        let near: Vec<f32> = [vec![0.0; 4 * RATE], near[4 * RATE..].to_vec()].concat();
        let heard = mixed(&echo_of(&played, devices, -15.0), &near);
        let out = sent(ECHO, devices, &played, &heard);
        let near = drifted(&near, devices.drift);
        let (near, out) = (&near[5 * RATE..11 * RATE], &out[5 * RATE..11 * RATE]);
        let (kept, alike) = (active_level(out) - active_level(near), likeness(near, out));
        assert!(kept.abs() < 3.0, "{kept}");
        assert!(alike > 0.8, "{alike}");
    }
}

#[test]
fn near_speech_is_untouched_while_nothing_is_played() {
    let near = speech(8.0, 2, 200.0, -26.0);
    let out = sent(ECHO, PLAIN, &[], &near);
    let (near, out) = (&near[RATE..7 * RATE], &out[RATE..7 * RATE]);
    let (kept, alike) = (active_level(out) - active_level(near), likeness(near, out));
    assert!(kept.abs() < 1.0 && alike > 0.95, "{kept} {alike}");
}

#[test]
fn noise_is_reduced_by_twelve_decibels_and_speech_is_not() {
    let (hiss, near) = (noise(12.0, 4, -50.0), speech(12.0, 2, 200.0, -26.0));
    let alone = sent(NOISE, PLAIN, &[], &hiss);
    let reduced = level(&hiss[3 * RATE..11 * RATE]) - level(&alone[3 * RATE..11 * RATE]);
    let out = sent(NOISE, PLAIN, &[], &mixed(&near, &hiss));
    let kept = active_level(&out[3 * RATE..11 * RATE]) - active_level(&near[3 * RATE..11 * RATE]);
    assert!(reduced >= 12.0, "{reduced}");
    assert!(kept.abs() < 3.0, "{kept}");
}

#[test]
fn a_quiet_talker_becomes_audible_and_a_loud_one_does_not_clip() {
    for (talks, from, to) in [(-40.0, -30.0, -18.0), (-26.0, -30.0, -18.0), (-20.0, -24.0, -14.0)] {
        let near = speech(12.0, 2, 200.0, talks);
        let out = sent(GAIN, PLAIN, &[], &near);
        let loudness = active_level(&out[6 * RATE..11 * RATE]);
        assert!((from..to).contains(&loudness), "{talks} became {loudness}");
        assert!(out.iter().all(|sample| sample.abs() < 0.999), "{talks} clips");
    }
}

#[test]
fn nothing_is_made_from_silence() {
    let played = speech(6.0, 1, 110.0, -20.0);
    for played in [&played[..], &[]] {
        let out = sent(EVERYTHING, PLAIN, played, &vec![0.0; 6 * RATE]);
        assert!(out[RATE..].iter().all(|sample| *sample == 0.0), "{}", level(&out));
    }
}

#[test]
fn in_music_mode_everything_goes_through_at_once_and_unchanged() {
    let music: Vec<f32> = (0..RATE).map(|n| (n as f32 * 0.03).sin() * 0.5).collect();
    let mut stage = VoiceStage::new();
    stage.set_processing(Some(VoiceProcessing { music: true, ..VoiceProcessing::default() }));
    let mut out = Vec::new();
    let now = Instant::now();
    assert_eq!(stage.push(&music[..333], now, &mut out), Some(now));
    assert_eq!((out.as_slice(), stage.delay()), (&music[..333], Duration::ZERO));
}

#[test]
fn switching_a_part_during_a_call_takes_effect_at_once_and_loses_no_sound() {
    let hiss = noise(9.0, 4, -40.0);
    let (mut stage, mut out, now) = (VoiceStage::new(), Vec::new(), Instant::now());
    for (n, piece) in hiss.chunks_exact(BLOCK).enumerate() {
        stage.set_processing(Some(if (300..600).contains(&n) {
            NOISE
        } else {
            VoiceProcessing { music: true, ..NOISE }
        }));
        stage.push(piece, now + Duration::from_millis(10) * n as u32, &mut out);
    }
    assert_eq!(out.len(), hiss.len());
    let loud = |second: usize| level(&out[second * RATE..(second + 1) * RATE]);
    assert!(loud(5) < loud(2) - 12.0 && loud(7) > loud(2) - 0.5, "{} {} {}", loud(2), loud(5), loud(7));
}

#[test]
fn what_is_given_is_stamped_with_the_moment_it_was_heard() {
    let (mut stage, now) = (VoiceStage::new(), Instant::now());
    stage.set_processing(Some(EVERYTHING));
    let mut out = Vec::new();
    assert_eq!(stage.push(&[0.1; 300], now + Duration::from_secs(1), &mut out), None);
    let at = stage.push(&[0.1; 300], now + Duration::from_micros(1_006_250), &mut out);
    let delay = stage.delay();
    assert!((14..17).contains(&delay.as_millis()), "{delay:?}");
    let expected = now + Duration::from_secs(1) - delay;
    assert!(
        at.is_some_and(|at| at.max(expected).duration_since(at.min(expected)) < Duration::from_millis(1))
    );
    assert_eq!(out.len(), BLOCK);
}

#[test]
fn the_delay_of_each_part_is_what_it_is_said_to_be() {
    let hiss = noise(4.0, 11, -30.0);
    for processing in [ECHO, NOISE, GAIN, EVERYTHING] {
        let (mut stage, mut out) = (VoiceStage::new(), Vec::new());
        stage.set_processing(Some(processing));
        stage.push(&hiss, Instant::now(), &mut out);
        let heard = &hiss[2 * RATE..2 * RATE + 9600];
        let likeness =
            |lag: usize| -> f32 { heard.iter().zip(&out[2 * RATE + lag..]).map(|(a, b)| a * b).sum() };
        let found = (0..1200).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).unwrap();
        assert_eq!(found as u128, stage.delay().as_micros().div_ceil(5) * 240 / 1000, "{processing:?}");
    }
}
