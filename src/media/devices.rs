//! What is plugged in, by name.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::capture::camera;
use super::device_error::DeviceKind;
use super::sound_host;
use super::worker::Worker;

/// The names of the devices this computer has, as the choices take them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceList {
    /// Cameras.
    pub cameras: Vec<String>,
    /// Microphones.
    pub microphones: Vec<String>,
    /// Loudspeakers.
    pub speakers: Vec<String>,
}

/// Looks for devices. Blocks, at most three seconds: what a driver has not told by then is left out.
pub fn list() -> DeviceList {
    let until = Instant::now() + Duration::from_secs(3);
    let cameras = ask("list cameras", camera::names);
    let microphones = ask("list microphones", || sound_host::names(DeviceKind::Microphone));
    let speakers = ask("list speakers", || sound_host::names(DeviceKind::Speaker));
    DeviceList {
        cameras: cameras.by(until),
        microphones: microphones.by(until),
        speakers: speakers.by(until),
    }
}

struct Asked {
    answer: mpsc::Receiver<Vec<String>>,
    worker: Option<Worker>,
}

fn ask(name: &'static str, names: fn() -> Vec<String>) -> Asked {
    let (sender, answer) = mpsc::sync_channel(1);
    let worker = Worker::spawn(name, move |_| {
        // The asker may have given up.
        let _ = sender.send(names());
    });
    Asked { answer, worker }
}

impl Asked {
    fn by(self, until: Instant) -> Vec<String> {
        let found =
            self.answer.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or_default();
        if let Some(worker) = self.worker.filter(|worker| !worker.is_finished()) {
            worker.leave();
        }
        found
    }
}
