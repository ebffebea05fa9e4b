//! The real program in a namespace, and what it says.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::lab::{SERVER_HOST, command_in};

/// A directory that goes with its test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Not in the temporary directory by this process's number alone: in a namespace of its own that is a small one.
        let unique = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let unique = unique.expect("a clock after 1970").as_nanos();
        let dir = std::env::temp_dir().join(format!("tincan-namespaces-{unique}-{number}"));
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
    /// The rendezvous server, once it listens.
    pub(crate) fn serve() -> Self {
        let serving = Self::start(SERVER_HOST, &["serve", "--log", "warn"]);
        assert!(serving.line().is_some_and(|line| line.starts_with("listening on")));
        serving
    }

    pub(crate) fn start(namespace: &str, arguments: &[&str]) -> Self {
        let mut child = command_in(namespace, env!("CARGO_BIN_EXE_tincan"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
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

    /// The next line that it says.
    pub(crate) fn line(&self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(20)).ok()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal can be sent");
    }

    /// Its exit status, once it has ended by itself.
    pub(crate) fn finish(mut self) -> Option<i32> {
        // The output ends when the program does.
        while self.lines.recv_timeout(Duration::from_secs(60)).is_ok() {}
        self.child.try_wait().ok().flatten().or_else(|| self.child.wait().ok()).and_then(|s| s.code())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A short film of grey bars that move, for a camera: small, so that a busy computer keeps up.
pub(crate) fn film(scratch: &Scratch) -> PathBuf {
    const SIZE: (usize, usize) = (320, 180);
    let mut bytes = format!("YUV4MPEG2 W{} H{} F15:1 Ip A1:1 C420jpeg\n", SIZE.0, SIZE.1).into_bytes();
    for frame in 0..30 {
        bytes.extend(b"FRAME\n");
        let grey = |n: usize| if ((n % SIZE.0 + frame * 8) / 40).is_multiple_of(2) { 60 } else { 180 };
        bytes.extend((0..SIZE.0 * SIZE.1).map(grey));
        bytes.extend(std::iter::repeat_n(128, SIZE.0 * SIZE.1 / 2));
    }
    let path = scratch.path("film.y4m");
    std::fs::write(&path, bytes).expect("the film can be written");
    path
}

/// The last line of a statistics file.
pub(crate) fn summary(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let summary: Value = serde_json::from_str(text.lines().last()?).ok()?;
    (summary["event"] == "summary").then_some(summary)
}

/// The flags that every client here needs: a tone for a microphone, and no other devices.
pub(crate) fn client_flags<'a>(server: &'a str, name: &'a str, dir: &'a Path) -> Vec<&'a str> {
    flags_with_camera(server, name, dir, "none")
}

/// The same with a camera.
pub(crate) fn flags_with_camera<'a>(
    server: &'a str,
    name: &'a str,
    dir: &'a Path,
    camera: &'a str,
) -> Vec<&'a str> {
    let dir = dir.to_str().expect("a plain path");
    let mut flags = vec!["--server", server, "--name", name, "--data-dir", dir];
    flags.extend(["--camera", camera, "--microphone", "tone", "--speaker", "none"]);
    flags
}
