//! What one end of a call without a window costs, next to a bare loop of the same codecs in the same minute.
//!
//! Two programs call each other over loopback with pictures of 1280x720, thirty a second, from a file. Their processor
//! time is read from the system while the call is up; then a thread of this program codes and decodes the same pictures
//! and as much sound, one every 33 ms, as a call does: a codec that waits between pictures finds its caches cold.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use openh264::OpenH264API;
use openh264::decoder::Decoder;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, Profile, RateControlMode, UsageType,
};
use openh264::formats::{YUVSlices, YUVSource as _};
use opus::{Application, Channels};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

use super::Bench;

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Different pictures in the file, which is looped.
const PICTURES: usize = 60;
/// From call up until everything has settled, and how long is measured then.
const SETTLING: Duration = Duration::from_secs(8);
const MEASURED: Duration = Duration::from_secs(12);
const BETWEEN_PICTURES: Duration = Duration::from_nanos(33_333_333);

pub(crate) fn run(bench: &Bench) {
    if !bench.wants("call_720p") {
        return;
    }
    let directory = std::env::temp_dir().join(format!("tincan-call-cost-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let pictures: Vec<Vec<u8>> = (0..PICTURES).map(picture).collect();
    let clip = directory.join("clip.y4m");
    write_clip(&clip, &pictures).expect("a clip");
    let call = call(&directory, &clip);
    if let Some(Call { cost, bits_per_second, summary }) = call {
        let bare = bare_loop(&pictures, bits_per_second);
        bench.tell_with_limit("call_720p_one_end", cost * 100.0, "percent of a core", bare * 100.0);
        for figure in ["glass_to_glass_ms", "mouth_to_ear_ms", "pictures_shown", "pictures_frozen_ms"] {
            if let Some(value) = summary.get(figure).and_then(Value::as_f64) {
                bench.tell(
                    &format!("call_720p_{figure}"),
                    value,
                    figure.rsplit('_').next().unwrap_or_default(),
                );
            }
        }
    }
    let _ = fs::remove_dir_all(&directory);
}

/// A picture as soft and as restless as a camera's: slopes that move, and noise.
fn picture(number: usize) -> Vec<u8> {
    let mut noise = 0x9E37_79B9_u32 ^ (number as u32 + 1);
    let mut out = Vec::with_capacity(WIDTH * HEIGHT * 3 / 2);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wave = ((x + number * 3) as f32 / 90.0).sin() + ((y + number * 2) as f32 / 70.0).cos();
            let edge = if (x / 80 + y / 80 + number / 20).is_multiple_of(2) { 18.0 } else { 0.0 };
            out.push((120.0 + wave * 35.0 + edge + (noise >> 30) as f32) as u8);
        }
    }
    for plane in 0..2 {
        for y in 0..HEIGHT / 2 {
            out.extend((0..WIDTH / 2).map(|x| (128 + (x + y * plane + number) % 64) as u8));
        }
    }
    out
}

fn write_clip(path: &Path, pictures: &[Vec<u8>]) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg")?;
    for picture in pictures {
        file.write_all(b"FRAME\n")?;
        file.write_all(picture)?;
    }
    file.flush()
}

/// How a call went.
struct Call {
    /// Processor time of both ends for each second and end.
    cost: f64,
    /// Of pictures and sound together.
    bits_per_second: f64,
    summary: Value,
}

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Program, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tincan"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let out = BufReader::new(child.stdout.take().expect("its output is piped"));
    (Program(child), out)
}

fn first_line(out: &mut impl BufRead) -> String {
    let mut line = String::new();
    let _ = out.read_line(&mut line);
    line.trim().to_owned()
}

fn call(directory: &Path, clip: &Path) -> Option<Call> {
    let (_server, mut said) = start(&["serve", "--listen", "127.0.0.1:0", "--log", "error"]);
    let listening = first_line(&mut said);
    let server = format!("rtmfp://{}", listening.strip_prefix("listening on ")?);
    let camera = format!("file:{}", clip.display());
    let path = |name: &str| -> PathBuf { directory.join(name) };
    let text = |path: &Path| path.display().to_string();
    let shared = |name: &str| {
        vec![
            "--server".to_owned(),
            server.clone(),
            "--data-dir".to_owned(),
            text(&path(name)),
            "--camera".to_owned(),
            camera.clone(),
            "--microphone".to_owned(),
            "tone".to_owned(),
            "--speaker".to_owned(),
            "none".to_owned(),
        ]
    };
    let with = |first: &[&str], name: &str| -> Vec<String> {
        first.iter().map(|word| (*word).to_owned()).chain(shared(name)).collect()
    };
    let run = |arguments: Vec<String>| start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (answering, mut said) = run(with(&["answer", "--once"], "called"));
    let id = first_line(&mut said);
    let seconds = (SETTLING + MEASURED + Duration::from_secs(4)).as_secs().to_string();
    let (calling, stats) = run(with(&["call", &id, "--for", &seconds, "--stats", "-"], "caller"));
    let mut lines = stats.lines().map_while(Result::ok);
    // The first line says that the call is up.
    lines.next()?;
    std::thread::sleep(SETTLING);
    let both = || processor_time(answering.0.id()) + processor_time(calling.0.id());
    let (began, before) = (Instant::now(), both());
    std::thread::sleep(MEASURED);
    let cost = (both() - before).as_secs_f64() / began.elapsed().as_secs_f64() / 2.0;
    let told: Vec<Value> = lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
    let summary = told.last()?.clone();
    let rates: Vec<f64> = told.iter().filter_map(|second| second.get("send_kbps")?.as_f64()).collect();
    let bits_per_second = rates.iter().rev().take(10).sum::<f64>() / rates.len().clamp(1, 10) as f64 * 1000.0;
    Some(Call { cost, bits_per_second, summary })
}

/// User and system time of a process so far; the system counts in hundredths of a second.
fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in brackets, may hold anything; what follows it are numbers.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Processor time a second of coding and decoding the same, and nothing else.
fn bare_loop(pictures: &[Vec<u8>], bits_per_second: f64) -> f64 {
    let config = EncoderConfig::new()
        .usage_type(UsageType::CameraVideoRealTime)
        .rate_control_mode(RateControlMode::Bitrate)
        .bitrate(BitRate::from_bps(bits_per_second.clamp(100_000.0, 20_000_000.0) as u32))
        .max_frame_rate(FrameRate::from_hz(30.0))
        .skip_frames(false)
        .profile(Profile::Baseline)
        .complexity(Complexity::Low)
        .scene_change_detect(false)
        .num_threads(1);
    let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config).expect("an encoder");
    let mut decoder = Decoder::new().expect("a decoder");
    let mut speak = opus::Encoder::new(48_000, Channels::Mono, Application::Voip).expect("an Opus encoder");
    let mut hear = opus::Decoder::new(48_000, Channels::Mono).expect("an Opus decoder");
    let sound: Vec<f32> = (0..960).map(|n| (n as f32 * 0.06).sin() * 0.3).collect();
    let mut heard = vec![0.0_f32; 960];
    let (mut began, mut before) = (Instant::now(), thread_time());
    let mut due = began;
    let mut spoken = Duration::ZERO;
    let pictures_in = |time: Duration| (time.as_secs_f64() / BETWEEN_PICTURES.as_secs_f64()) as usize;
    let warming = pictures_in(Duration::from_secs(2));
    for number in 0..warming + pictures_in(MEASURED) {
        if number == warming {
            (began, before) = (Instant::now(), thread_time());
        }
        due += BETWEEN_PICTURES;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (y, chroma) = pictures[number % pictures.len()].split_at(WIDTH * HEIGHT);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        let planes = YUVSlices::new((y, u, v), (WIDTH, HEIGHT), (WIDTH, WIDTH / 2, WIDTH / 2));
        let coded = encoder.encode(&planes).expect("a coded picture").to_vec();
        if let Ok(Some(picture)) = decoder.decode(&coded) {
            std::hint::black_box(picture.y()[0]);
        }
        spoken += BETWEEN_PICTURES;
        while spoken >= Duration::from_millis(20) {
            spoken -= Duration::from_millis(20);
            let packet = speak.encode_vec_float(&sound, 1500).expect("coded sound");
            let _ = hear.decode_float(&packet, &mut heard, false);
        }
    }
    (thread_time() - before).as_secs_f64() / began.elapsed().as_secs_f64()
}
