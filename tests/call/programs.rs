//! Whole programs over loopback, with files for cameras and microphones.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
const PICTURES: usize = 90;

/// A directory that goes with its test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("tincan-calls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory for the test");
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program, stopped with its test.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tincan"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = child.stdout.take().expect("its output is piped");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(20)).expect("a line in time")
    }

    /// The lines that are left, and the exit status.
    fn finish(mut self) -> (Vec<String>, i32) {
        let until = Instant::now() + Duration::from_secs(60);
        let mut lines = Vec::new();
        loop {
            // The output ends when the program does.
            match self.lines.recv_timeout(Duration::from_millis(200)) {
                Ok(line) => lines.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    assert!(Instant::now() < until, "the program does not end; it said {lines:?}");
                }
            }
        }
        let status = self.child.wait().expect("it has ended").code().expect("by itself");
        (lines, status)
    }

    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let done = Command::new("kill").args(["-INT", &pid]).status().expect("kill");
        assert!(done.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server, and the URL to reach it.
pub(crate) fn serve() -> (Program, String) {
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let server = Program::start(&["serve", "--listen", &free.to_string(), "--log", "warn"]);
    let line = server.line();
    assert!(line.starts_with("listening on"), "{line}");
    (server, format!("rtmfp://{free}"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// The flags that every program here needs: no devices.
fn without_devices<'a>(server: &'a str, name: &'a str, dir: &'a Path) -> Vec<&'a str> {
    let mut flags = vec!["--server", server, "--name", name, "--data-dir", text(dir)];
    flags.extend(["--camera", "none", "--microphone", "none", "--speaker", "none"]);
    flags
}

fn summary(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("statistics");
    let last = text.lines().last().expect("a last line");
    let summary: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(summary["event"], "summary");
    summary
}

/// A picture as cameras see them: slopes of light, soft texture, and something that moves.
fn luma(number: usize) -> Vec<u8> {
    let time = number as f64 / PICTURES as f64 * std::f64::consts::TAU;
    let (ball_x, ball_y) = (320.0 + 200.0 * time.cos(), 180.0 + 90.0 * time.sin());
    let mut samples = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (x, y) = (x as f64, y as f64);
            let slope = 60.0 + 100.0 * x / WIDTH as f64 + 30.0 * y / HEIGHT as f64;
            let texture = 6.0 * ((x / 5.0).sin() * (y / 7.0).cos());
            let away = (x - ball_x).hypot(y - ball_y);
            let ball = if away < 50.0 { 40.0 * (1.0 - away / 50.0) } else { 0.0 };
            samples.push((slope + texture + ball) as u8);
        }
    }
    samples
}

fn write_y4m(path: &Path) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    writeln!(file, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg").expect("space");
    for number in 0..PICTURES {
        writeln!(file, "FRAME").expect("space");
        file.write_all(&luma(number)).expect("space");
        file.write_all(&vec![128; WIDTH * HEIGHT / 2]).expect("space");
    }
}

/// The luma of every picture in a file, with its size.
fn read_y4m(path: &Path) -> (usize, usize, Vec<Vec<u8>>) {
    let bytes = std::fs::read(path).expect("pictures");
    let end = bytes.iter().position(|byte| *byte == b'\n').expect("a header");
    let header = std::str::from_utf8(&bytes[..end]).expect("text");
    let number = |key: char| {
        let word = header.split(' ').skip(1).find(|word| word.starts_with(key)).expect("a size");
        word[1..].parse::<usize>().expect("a number")
    };
    let (width, height) = (number('W'), number('H'));
    let mut pictures = Vec::new();
    let mut rest = &bytes[end + 1..];
    while let Some(line) = rest.iter().position(|byte| *byte == b'\n') {
        let Some(picture) = rest.get(line + 1..line + 1 + width * height * 3 / 2) else { break };
        pictures.push(picture[..width * height].to_vec());
        rest = &rest[line + 1 + width * height * 3 / 2..];
    }
    (width, height, pictures)
}

fn error_between(a: &[u8], b: &[u8], step: usize) -> f64 {
    let squares = a.iter().zip(b).step_by(step).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>() / a.len().div_ceil(step) as f64
}

/// The PSNR of a shown picture, in decibels, against whichever picture of the source it is.
fn psnr(shown: &[u8], source: &[Vec<u8>]) -> f64 {
    let nearest = source
        .iter()
        .min_by(|a, b| error_between(shown, a, 61).total_cmp(&error_between(shown, b, 61)))
        .expect("a source");
    10.0 * (255.0 * 255.0 / error_between(shown, nearest, 1).max(1e-6)).log10()
}

/// The sound of a file, averaged down to 8 kHz.
fn sound(path: &Path) -> Vec<f64> {
    let mut file = hound::WavReader::open(path).expect("a sound file");
    let spec = file.spec();
    let samples: Vec<f64> = match spec.sample_format {
        hound::SampleFormat::Int => file.samples::<i32>().map(|s| f64::from(s.expect("a sample"))).collect(),
        hound::SampleFormat::Float => {
            file.samples::<f32>().map(|s| f64::from(s.expect("a sample"))).collect()
        }
    };
    let mono: Vec<f64> = samples
        .chunks_exact(usize::from(spec.channels))
        .map(|frame| frame.iter().sum::<f64>() / frame.len() as f64)
        .collect();
    let factor = spec.sample_rate as usize / 8_000;
    assert_eq!(spec.sample_rate % 8_000, 0, "a rate that 8 kHz divides");
    mono.chunks_exact(factor).map(|part| part.iter().sum::<f64>() / factor as f64).collect()
}

/// How alike a stretch of what was heard and the looped source are at best, 0 to 1: looked for at a quarter of the rate,
/// and measured at the whole rate around what was found.
fn likeness(heard: &[f64], source: &[f64]) -> f64 {
    let slow =
        |sound: &[f64]| sound.chunks_exact(4).map(|part| part.iter().sum::<f64>()).collect::<Vec<f64>>();
    let looped: Vec<f64> = source.iter().chain(source).copied().collect();
    let (slow_heard, slow_looped) = (slow(heard), slow(&looped));
    let coarse = (0..source.len() / 4)
        .max_by(|a, b| alike(&slow_heard, &slow_looped, *a).total_cmp(&alike(&slow_heard, &slow_looped, *b)))
        .expect("a source");
    let around = (coarse * 4).saturating_sub(6)..coarse * 4 + 6;
    around.map(|lag| alike(heard, &looped, lag)).fold(0.0, f64::max)
}

/// The normalised correlation at one lag.
fn alike(heard: &[f64], looped: &[f64], lag: usize) -> f64 {
    let Some(part) = looped.get(lag..lag + heard.len()) else { return 0.0 };
    let (mut product, mut own, mut other) = (0.0, 0.0, 0.0);
    for (a, b) in heard.iter().zip(part) {
        product += a * b;
        own += a * a;
        other += b * b;
    }
    product / (own * other).sqrt().max(1e-9)
}

#[test]
fn two_programs_see_hear_and_write_to_each_other() {
    let scratch = Scratch::new();
    let (_server, url) = serve();
    let film = scratch.path("film.y4m");
    write_y4m(&film);
    let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/speech.wav");
    let camera = format!("file:{}", text(&film));
    let microphone = format!("file:{}", text(&speech));
    let (seen, heard) = (scratch.path("seen.y4m"), scratch.path("heard.wav"));
    let (picture, speaker) = (format!("file:{}", text(&seen)), format!("file:{}", text(&heard)));
    let (ada_dir, bob_dir) = (scratch.path("ada"), scratch.path("bob"));
    let (ada_stats, bob_stats) = (scratch.path("ada.json"), scratch.path("bob.json"));

    let mut flags = vec!["answer", "--once", "--say", "good day", "--stats", text(&ada_stats)];
    flags.extend(["--server", &url, "--name", "Ada", "--data-dir", text(&ada_dir)]);
    flags.extend(["--camera", "none", "--microphone", "none", "--speaker", &speaker, "--picture", &picture]);
    let ada = Program::start(&flags);
    let id = ada.line();
    assert_eq!(id.len(), 64, "the first line is the peer ID: {id}");

    let mut flags = vec!["call", &id, "--for", "9", "--say", "hello", "--stats", text(&bob_stats)];
    flags.extend(["--server", &url, "--name", "Bob", "--data-dir", text(&bob_dir)]);
    flags.extend(["--camera", &camera, "--microphone", &microphone, "--speaker", "none"]);
    let bob = Program::start(&flags);

    let (bob_lines, bob_status) = bob.finish();
    let (ada_lines, ada_status) = ada.finish();
    assert_eq!((bob_status, ada_status), (0, 0));
    assert_eq!(bob_lines, ["Ada: good day"]);
    assert_eq!(ada_lines, ["Bob: hello"]);

    let (ada_summary, bob_summary) = (summary(&ada_stats), summary(&bob_stats));
    assert_eq!(bob_summary["end_reason"], "ended");
    assert_eq!(ada_summary["end_reason"], "ended_there");
    assert_eq!(ada_summary["route"], "direct");
    assert!(bob_summary["setup_ms"].as_f64().is_some_and(|ms| ms < 5_000.0), "{bob_summary}");
    assert_eq!(ada_summary["setup_ms"], Value::Null);

    let (width, height, shown) = read_y4m(&seen);
    assert_eq!((width, height), (WIDTH, HEIGHT));
    assert!(shown.len() > 60, "{} pictures were shown", shown.len());
    let source: Vec<Vec<u8>> = (0..PICTURES).map(luma).collect();
    let mut quality: Vec<f64> =
        shown.iter().skip(10).step_by(12).map(|picture| psnr(picture, &source)).collect();
    quality.sort_by(f64::total_cmp);
    let median = quality[quality.len() / 2];
    assert!(median >= 30.0, "{median:.1} dB of {quality:?}");

    let (heard, source) = (sound(&heard), sound(&speech));
    let second = 8_000;
    let best =
        heard.chunks_exact(second).skip(2).map(|stretch| likeness(stretch, &source)).fold(0.0, f64::max);
    assert!(best >= 0.9, "the speech is heard with a likeness of {best:.2}");
}

#[test]
fn who_may_not_call_is_declined_and_a_name_that_nobody_bears_is_not_found() {
    let scratch = Scratch::new();
    let (_server, url) = serve();
    let (ada, bob) = (scratch.path("ada"), scratch.path("bob"));
    let only = "ab".repeat(32);
    let mut flags = vec!["answer", "--only", &only];
    flags.extend(without_devices(&url, "Ada", &ada));
    let answering = Program::start(&flags);
    let id = answering.line();

    for (whom, status, reason) in [(id.as_str(), 11, "declined"), ("Nobody", 10, "not_found")] {
        let stats = scratch.path("stats.json");
        let mut flags = vec!["call", whom, "--stats", text(&stats)];
        flags.extend(without_devices(&url, "Bob", &bob));
        assert_eq!(Program::start(&flags).finish().1, status, "{reason}");
        assert_eq!(summary(&stats)["end_reason"], reason);
    }
}

#[test]
fn an_interrupted_caller_hangs_up_first() {
    let scratch = Scratch::new();
    let (_server, url) = serve();
    let (ada, bob) = (scratch.path("ada"), scratch.path("bob"));
    let stats = scratch.path("stats.json");
    let mut flags = vec!["answer", "--once", "--say", "hello", "--stats", text(&stats)];
    flags.extend(without_devices(&url, "Ada", &ada));
    let answering = Program::start(&flags);
    let id = answering.line();
    let mut flags = vec!["call", id.as_str()];
    flags.extend(without_devices(&url, "Bob", &bob));
    let calling = Program::start(&flags);
    assert_eq!(calling.line(), "Ada: hello", "the call is up");
    calling.interrupt();
    assert_eq!(calling.finish().1, 0);
    assert_eq!(answering.finish().1, 0);
    assert_eq!(summary(&stats)["end_reason"], "ended_there");
}

#[test]
fn a_name_that_somebody_bears_is_refused() {
    let scratch = Scratch::new();
    let (_server, url) = serve();
    let (ada, other) = (scratch.path("ada"), scratch.path("other"));
    let mut flags = vec!["answer"];
    flags.extend(without_devices(&url, "Ada", &ada));
    let answering = Program::start(&flags);
    let id = answering.line();
    let mut flags = vec!["call", id.as_str()];
    flags.extend(without_devices(&url, "ada", &other));
    assert_eq!(Program::start(&flags).finish().1, 16);
}

#[test]
fn a_link_to_another_server_is_called_there() {
    let scratch = Scratch::new();
    let ((_home, home), (_other, other)) = (serve(), serve());
    let (ada, bob) = (scratch.path("ada"), scratch.path("bob"));
    let mut flags = vec!["answer", "--once", "--say", "hello"];
    flags.extend(without_devices(&other, "Ada", &ada));
    let answering = Program::start(&flags);
    let link = format!("tincan:{}?v=1&s={other}&n=Ada", answering.line());
    let mut flags = vec!["call", link.as_str(), "--for", "2"];
    flags.extend(without_devices(&home, "Bob", &bob));
    assert_eq!(Program::start(&flags).finish(), (vec!["Ada: hello".to_owned()], 0));
    assert_eq!(answering.finish().1, 0);
}
