//! How calls sound and look, on good networks and bad:
//! `cargo bench --no-default-features --features media --bench calls -- [OPTIONS]`.
//!
//! Whole calls in virtual time, one for each condition. A table is printed, and with `--json FILE` everything that was
//! measured is written, one call a line, with figures for every second.
//!
//! * `--only WORD`: conditions with this in their name.
//! * `--picture FILE.y4m`, `--sound FILE.wav`: what camera and microphone take, in place of the built-in stand-ins.
//! * `--size 1280x720`: the camera's pictures. * `--seconds N`: shorter than usual. * `--seed N`: other luck.
//! * `--keep DIR`: keeps what was spoken and what was heard as WAV files.
//!
//! How another condition or figure is added stands in `calls/mod.rs`.
#![allow(dead_code, reason = "the tests that share these files need other parts of them")]

#[path = "calls/mod.rs"]
mod calls;
#[path = "../call/lying_server.rs"]
mod lying_server;
#[path = "../call/old_server.rs"]
mod old_server;
#[path = "../call/plain_client.rs"]
mod plain_client;
#[path = "../protocol/support/mod.rs"]
mod support;
#[path = "../call/world.rs"]
mod world;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use calls::condition::{Condition, all};
use calls::media::Media;

use calls::scene::{Options, Scene};

/// What was asked for.
#[derive(Default)]
struct Wanted {
    only: Option<String>,
    json: Option<PathBuf>,
    picture: Option<PathBuf>,
    sound: Option<PathBuf>,
    size: Option<(u32, u32)>,
    seconds: Option<u32>,
    seed: Option<u8>,
    keep: Option<PathBuf>,
}

fn read_arguments() -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        // Cargo passes this one.
        if argument == "--bench" {
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
        let number = || value.parse::<u32>().map_err(|_| format!("{value} is no number"));
        match argument.as_str() {
            "--only" => wanted.only = Some(value),
            "--json" => wanted.json = Some(value.into()),
            "--picture" => wanted.picture = Some(value.into()),
            "--sound" => wanted.sound = Some(value.into()),
            "--keep" => wanted.keep = Some(value.into()),
            "--seconds" => wanted.seconds = Some(number()?),
            "--seed" => wanted.seed = u8::try_from(number()?).ok(),
            "--size" => {
                let size = value.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
                wanted.size = Some(size.ok_or_else(|| format!("{value} is no size"))?);
            }
            other => return Err(format!("{other} is not known")),
        }
    }
    Ok(wanted)
}

fn main() {
    let wanted = read_arguments().unwrap_or_else(|problem| stop(&problem));
    let size = wanted.size.unwrap_or((1280, 720));
    let mut media = Media::made(size.0, size.1);
    if let Some(file) = &wanted.picture {
        let read = media.with_pictures(file, size);
        media = read.unwrap_or_else(|error| stop(&format!("{}: {error}", file.display())));
    }
    if let Some(file) = &wanted.sound {
        media = media.with_sound(file).unwrap_or_else(|error| stop(&format!("{}: {error}", file.display())));
    }
    let mut json = wanted.json.as_ref().map(|file| {
        std::fs::File::create(file).unwrap_or_else(|error| stop(&format!("{}: {error}", file.display())))
    });
    let chosen = |condition: &Condition| {
        wanted.only.as_ref().is_none_or(|only| condition.name.contains(only.as_str()))
    };
    let mut reports = Vec::new();
    for mut condition in all().into_iter().filter(chosen) {
        condition.seconds = wanted.seconds.unwrap_or(condition.seconds);
        let begun = Instant::now();
        let options = Options { seed: wanted.seed.unwrap_or(1), ..Options::default() };
        let mut scene = Scene::new(&condition, &media, options);
        while scene.step() {}
        let mut told = scene.reports();
        for (number, report) in told.iter_mut().enumerate() {
            let watch = &scene.watches[number];
            if let Some(folder) = &wanted.keep {
                let name = format!("{}-{number}", condition.name);
                keep(&folder.join(format!("{name}-spoken.wav")), &watch.spoken);
                keep(&folder.join(format!("{name}-heard.wav")), &watch.heard);
            }
            if let Some(file) = &mut json {
                let line = serde_json::to_string(report).expect("plain figures");
                writeln!(file, "{line}").unwrap_or_else(|error| stop(&error.to_string()));
            }
        }
        eprintln!("{}: {:.1} s", condition.name, begun.elapsed().as_secs_f64());
        reports.extend(told);
    }
    print!("{}", calls::table::markdown(&reports));
}

fn keep(file: &Path, sound: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let written = hound::WavWriter::create(file, spec).and_then(|mut writer| {
        for sample in sound {
            writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
        }
        writer.finalize()
    });
    written.unwrap_or_else(|error| stop(&format!("{}: {error}", file.display())));
}

fn stop(problem: &str) -> ! {
    eprintln!("{problem}");
    std::process::exit(2)
}
