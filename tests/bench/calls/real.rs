//! The same conditions in real time: two whole programs on loopback, with everything that virtual time leaves out, and a
//! relay between them that spoils their way.
//!
//! Where another network than loopback is there, the programs find each other over it, past the relay; that is noticed
//! and said. Then run it where there is none (on Linux: `unshare -rn`, and `ip link set lo up` in it).

use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::condition::Condition;
use super::media::Media;
use super::spoil::Relay;

/// What came out of a call.
pub(crate) struct Outcome {
    /// The last line of the called one's statistics.
    pub(crate) summary: Value,
    /// What was spoken, as it would be heard without any loss, and what was heard.
    pub(crate) spoken: Vec<f32>,
    pub(crate) heard: Vec<f32>,
    /// Datagrams from program to program that the relay saw.
    pub(crate) through_the_relay: u64,
}

/// A program, ended with its owner.
struct Program(Child);

impl Program {
    /// What it says is kept in a file.
    fn start(program: &Path, arguments: &[&str], says: &Path) -> Result<Self, String> {
        let says = File::create(says).map_err(|error| format!("{}: {error}", says.display()))?;
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(says)
            .spawn()
            .map(Self)
            .map_err(|error| format!("{}: {error}", program.display()))
    }

    /// Waits for its own end.
    fn end(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is called, and what its camera and microphone take.
pub(crate) struct Setting<'a> {
    pub(crate) program: &'a Path,
    /// `test` or `file:PATH`.
    pub(crate) camera: String,
    /// A WAV file.
    pub(crate) sound: PathBuf,
    pub(crate) folder: PathBuf,
}

/// One call under a condition.
pub(crate) fn call(
    setting: &Setting<'_>,
    condition: &Condition,
    media: &Media,
    seed: u8,
) -> Result<Outcome, String> {
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let server: SocketAddr = free.map_err(|error| error.to_string())?;
    let listen = server.to_string();
    let _server =
        Program::start(setting.program, &["serve", "--listen", &listen], &setting.folder.join("server.txt"))?;
    let relay = Relay::start(server, condition, seed).map_err(|error| error.to_string())?;
    let url = format!("rtmfp://{}", relay.door);
    let path = |name: &str| setting.folder.join(name).to_string_lossy().into_owned();
    let (ada, bob) = (path("ada"), path("bob"));
    let (heard, stats) = (path("heard.wav"), path("stats.jsonl"));
    let (speaker, microphone) = (format!("file:{heard}"), format!("file:{}", setting.sound.display()));
    let answer: [&str; 16] = [
        "answer",
        "--once",
        "--server",
        &url,
        "--name",
        "Ada",
        "--data-dir",
        &ada,
        "--camera",
        &setting.camera,
        "--microphone",
        &microphone,
        "--speaker",
        &speaker,
        "--stats",
        &stats,
    ];
    let mut called = Program::start(setting.program, &answer, &setting.folder.join("ada.txt"))?;
    std::thread::sleep(SETTLED);
    let seconds = condition.seconds.to_string();
    let call: [&str; 16] = [
        "call",
        "Ada",
        "--server",
        &url,
        "--name",
        "Bob",
        "--data-dir",
        &bob,
        "--camera",
        &setting.camera,
        "--microphone",
        &microphone,
        "--speaker",
        "none",
        "--for",
        &seconds,
    ];
    let mut calls = Program::start(setting.program, &call, &setting.folder.join("bob.txt"))?;
    let within = Duration::from_secs(u64::from(condition.seconds) + 30);
    if !calls.end(within) {
        return Err("the call did not end".into());
    }
    if !called.end(Duration::from_secs(30)) {
        return Err("the call did not end where it was answered".into());
    }
    let text = std::fs::read_to_string(&stats).map_err(|error| format!("{stats}: {error}"))?;
    let last = text.lines().last().unwrap_or_default();
    let summary = serde_json::from_str(last).map_err(|error| format!("{stats}: {error}"))?;
    let heard = tincan::media::stepped::read_sound(Path::new(&heard)).map_err(|error| error.to_string())?;
    let spoken = as_spoken(&heard, media);
    Ok(Outcome { summary, spoken, heard, through_the_relay: relay.between() })
}

/// So long a program needs to be known to its server.
const SETTLED: Duration = Duration::from_secs(2);

/// What the microphone must have heard for this to be heard: the looped sound, begun where it fits best.
fn as_spoken(heard: &[f32], media: &Media) -> Vec<f32> {
    const STEP: usize = 480;
    let loudness = |block: &[f32]| block.iter().map(|sample| sample.abs()).sum::<f32>();
    let heard_loudness: Vec<f32> = heard.chunks_exact(STEP).map(loudness).collect();
    let blocks = media.sound_length() / STEP;
    let sound: Vec<f32> = (0..blocks.max(1)).map(|number| loudness(&media.block(number))).collect();
    let fit = |shift: usize| -> f32 {
        let pairs = heard_loudness.iter().enumerate();
        pairs.map(|(at, heard)| heard * sound[(at + shift) % sound.len()]).sum()
    };
    let best = (0..sound.len()).max_by(|a, b| fit(*a).total_cmp(&fit(*b))).unwrap_or_default();
    let length = heard.len() / STEP;
    (best..best + length).flat_map(|number| media.block(number)).collect()
}
