//! How good speech still is after a call: `tincan-scores SPOKEN.wav HEARD.wav` prints one number from 1 (bad) to 5
//! (excellent), by ViSQOL in its speech mode.
//!
//! Both files are mono at 48 kHz, or at 16 kHz, where speech is judged. The mapping to the five grades is that of ViSQOL
//! 3.1, which is stricter than that of later versions: what these call 4.3 is 3.7 here.

use std::process::exit;

use visqol_rs::AudioSignal;
use visqol_rs::constants::{DEFAULT_WINDOW_SIZE, NUM_BANDS_SPEECH};
use visqol_rs::variant::Variant;
use visqol_rs::visqol_manager::VisqolManager;

/// Where speech is judged.
const RATE: u32 = 16_000;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [spoken, heard] = files.as_slice() else {
        stop("two WAV files are needed: what was spoken, what was heard")
    };
    let (mut spoken, mut heard) = (read(spoken), read(heard));
    let variant = Variant::Wideband { use_unscaled_mos_mapping: false };
    let mut visqol = VisqolManager::<NUM_BANDS_SPEECH>::new(variant, DEFAULT_WINDOW_SIZE);
    match visqol.compute_results(&mut spoken, &mut heard) {
        Ok(result) => println!("{:.3}", result.moslqo),
        Err(error) => stop(&error.to_string()),
    }
}

fn read(file: &str) -> AudioSignal {
    let mut reader = hound::WavReader::open(file).unwrap_or_else(|error| stop(&format!("{file}: {error}")));
    let spec = reader.spec();
    let samples: Result<Vec<i16>, _> = reader.samples::<i16>().collect();
    let samples = samples.unwrap_or_else(|error| stop(&format!("{file}: {error}")));
    let samples: Vec<f64> = samples.into_iter().map(|sample| f64::from(sample) / 32_768.0).collect();
    match (spec.channels, spec.sample_rate) {
        (1, RATE) => AudioSignal::new(&samples, RATE),
        (1, 48_000) => AudioSignal::new(&third(&samples), RATE),
        _ => stop(&format!("{file} is neither mono at 48 kHz nor at 16 kHz")),
    }
}

/// Every third sample, after what would fold over was filtered away: a windowed sinc that ends at 7.5 kHz.
fn third(samples: &[f64]) -> Vec<f64> {
    const HALF: i32 = 96;
    let tap = |n: i32| {
        let (x, cut) = (f64::from(n), 7_500.0 / 24_000.0);
        let sinc =
            if n == 0 { cut } else { (std::f64::consts::PI * cut * x).sin() / (std::f64::consts::PI * x) };
        let window = 0.5 + 0.5 * (std::f64::consts::PI * x / f64::from(HALF + 1)).cos();
        sinc * window
    };
    let taps: Vec<f64> = (-HALF..=HALF).map(tap).collect();
    let at =
        |index: i64| usize::try_from(index).ok().and_then(|index| samples.get(index)).copied().unwrap_or(0.0);
    (0..samples.len() as i64)
        .step_by(3)
        .map(|middle| taps.iter().zip(middle - i64::from(HALF)..).map(|(tap, index)| tap * at(index)).sum())
        .collect()
}

fn stop(problem: &str) -> ! {
    eprintln!("{problem}");
    exit(2)
}
