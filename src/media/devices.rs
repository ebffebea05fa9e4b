//! What is plugged in, by name.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::capture::camera;
use super::device_error::DeviceKind;
use super::hardware::{Seen, SeenKind};
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

impl DeviceList {
    pub(crate) fn of(seen: &Seen) -> Self {
        Self {
            cameras: seen.cameras.names(),
            microphones: seen.microphones.names(),
            speakers: seen.speakers.names(),
        }
    }
}

/// Looks for devices. Blocks, at most three seconds: what a driver has not told by then is left out.
pub fn list() -> DeviceList {
    let until = Instant::now() + Duration::from_secs(3);
    let cameras = ask("list cameras", || camera::Lookout::default().look());
    let microphones = ask("list microphones", || sound_host::Lookout::default().look(DeviceKind::Microphone));
    let speakers = ask("list speakers", || sound_host::Lookout::default().look(DeviceKind::Speaker));
    DeviceList::of(&Seen {
        cameras: cameras.by(until),
        microphones: microphones.by(until),
        speakers: speakers.by(until),
    })
}

struct Asked {
    answer: mpsc::Receiver<SeenKind>,
    worker: Option<Worker>,
}

fn ask(name: &'static str, look: fn() -> SeenKind) -> Asked {
    let (sender, answer) = mpsc::sync_channel(1);
    let worker = Worker::spawn(name, move |_| {
        // The asker may have given up.
        let _ = sender.send(look());
    });
    Asked { answer, worker }
}

impl Asked {
    fn by(self, until: Instant) -> SeenKind {
        let found =
            self.answer.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or_default();
        if let Some(worker) = self.worker.filter(|worker| !worker.is_finished()) {
            worker.leave();
        }
        found
    }
}
