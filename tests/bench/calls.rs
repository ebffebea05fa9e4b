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
//! * `--scorer PROGRAM`: scores the sound; it is given both files and prints a number first. `tests/bench/scores` is one:
//!   `cargo build --release --manifest-path tests/bench/scores/Cargo.toml`.
//! * `--table FILE.md`: puts the table there too, below the line `<!-- table -->`. The one in the documentation is
//!   `src/call/measured.md`, where the command stands that made it.
//! * `--real DIR`: not in virtual time, but two whole programs and a server on loopback, that keep their files in DIR, with
//!   a relay between them that spoils their way (`calls/real.rs`); needs the features `cli` and `server` too.
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
use calls::real::{Setting, call};

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
    scorer: Option<PathBuf>,
    real: Option<PathBuf>,
    table: Option<PathBuf>,
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
            "--scorer" => wanted.scorer = Some(value.into()),
            "--table" => wanted.table = Some(value.into()),
            "--real" => wanted.real = Some(value.into()),
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
    let mut write = |line: &str| {
        if let Some(file) = &mut json {
            writeln!(file, "{line}").unwrap_or_else(|error| stop(&error.to_string()));
        }
    };
    let chosen = |condition: &Condition| {
        wanted.only.as_ref().is_none_or(|only| condition.name.contains(only.as_str()))
    };
    let conditions = all()
        .into_iter()
        .filter(chosen)
        .map(|condition| Condition { seconds: wanted.seconds.unwrap_or(condition.seconds), ..condition });
    let conditions: Vec<Condition> = conditions.collect();
    match &wanted.real {
        Some(folder) => in_real_time(&wanted, folder, &media, &conditions, &mut write),
        None => in_virtual_time(&wanted, &media, &conditions, &mut write),
    }
}

fn in_virtual_time(wanted: &Wanted, media: &Media, conditions: &[Condition], write: &mut dyn FnMut(&str)) {
    let mut reports = Vec::new();
    for condition in conditions {
        let begun = Instant::now();
        let options = Options { seed: wanted.seed.unwrap_or(1), ..Options::default() };
        let mut scene = Scene::new(condition, media, options);
        while scene.step() {}
        let mut told = scene.reports();
        for (number, report) in told.iter_mut().enumerate() {
            let watch = &scene.watches[number];
            report.sound_score =
                score(wanted, &format!("{}-{number}", condition.name), &watch.spoken, &watch.heard);
            write(&serde_json::to_string(report).expect("plain figures"));
        }
        eprintln!("{}: {:.1} s", condition.name, begun.elapsed().as_secs_f64());
        reports.extend(told);
        // After each: a table that was interrupted says what is known.
        if let Some(file) = &wanted.table {
            put_table(file, &calls::table::markdown(&reports));
        }
    }
    print!("{}", calls::table::markdown(&reports));
}

/// Puts a table below its mark in a file.
fn put_table(file: &Path, table: &str) {
    let written = std::fs::read_to_string(file).and_then(|text| {
        let (above, _) = text.split_once(MARK).ok_or(std::io::Error::other("no line for the table"))?;
        std::fs::write(file, format!("{above}{MARK}\n\n{table}"))
    });
    written.unwrap_or_else(|error| stop(&format!("{}: {error}", file.display())));
}

/// Where a table in a file begins.
const MARK: &str = "<!-- table -->";

fn in_real_time(
    wanted: &Wanted,
    folder: &Path,
    media: &Media,
    conditions: &[Condition],
    write: &mut dyn FnMut(&str),
) {
    let Some(program) = option_env!("CARGO_BIN_EXE_tincan") else {
        stop("--real needs the program: add the features cli and server")
    };
    let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/speech.wav");
    let camera = wanted.picture.as_ref().map(|file| format!("file:{}", file.display()));
    let setting = Setting {
        program: Path::new(program),
        camera: camera.unwrap_or_else(|| "test".to_owned()),
        sound: wanted.sound.clone().unwrap_or(speech),
        folder: folder.to_owned(),
    };
    for condition in conditions.iter().filter(|condition| condition.calls == 1) {
        let outcome = call(&setting, condition, media, wanted.seed.unwrap_or(1));
        let outcome = outcome.unwrap_or_else(|problem| stop(&problem));
        if outcome.through_the_relay < 1_000 {
            stop("the programs found each other past the relay: run this where only loopback is");
        }
        let mut line = outcome.summary;
        let name = format!("{}-real", condition.name);
        line["condition"] = condition.name.into();
        line["sound_score"] = score(wanted, &name, &outcome.spoken, &outcome.heard).into();
        println!("{line}");
        write(&line.to_string());
    }
}

/// Keeps both sounds and has them scored, as far as that was asked for.
fn score(wanted: &Wanted, name: &str, spoken: &[f32], heard: &[f32]) -> Option<f64> {
    if wanted.keep.is_none() && wanted.scorer.is_none() {
        return None;
    }
    // Where others keep theirs too, a name must not be theirs.
    let (folder, name) = match &wanted.keep {
        Some(folder) => (folder.clone(), name.to_owned()),
        None => (std::env::temp_dir(), format!("{name}-{}", std::process::id())),
    };
    let [first, second] = ["spoken", "heard"].map(|what| folder.join(format!("{name}-{what}.wav")));
    keep(&first, spoken);
    keep(&second, heard);
    let scorer = wanted.scorer.as_ref()?;
    let out = std::process::Command::new(scorer).args([&first, &second]).output();
    let out = out.unwrap_or_else(|error| stop(&format!("{}: {error}", scorer.display())));
    if wanted.keep.is_none() {
        for file in [first, second] {
            // Left behind at worst among the system's temporary files.
            let _ = std::fs::remove_file(file);
        }
    }
    String::from_utf8_lossy(&out.stdout).split_whitespace().next()?.parse().ok()
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
