//! The devices below the studio, behind one trait: the system's own, or in tests some that fail when told.
//!
//! Everything in [`Hardware`] may block, and a driver may never return: call it from a thread that can be left behind.
//! What to do when a device fails is decided in `studio::device_care`.

pub(crate) mod device_thread;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod system;

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::thread::Thread;
use std::time::Duration;

use rtrb::{Consumer, Producer};

use super::capture::CameraLines;
use super::device_error::{DeviceError, DeviceKind};
use super::picture::Picture;

/// What opens devices and says which there are.
pub(crate) trait Hardware: Send + Sync {
    /// What is plugged in now.
    fn look(&self) -> Seen;

    /// Opens the camera of this name, or the first that works.
    fn open_camera(
        &self,
        name: Option<&str>,
        lines: CameraLines,
    ) -> Result<Box<dyn CameraDevice>, DeviceError>;

    /// Opens the microphone of this name, or the system's default; its callbacks wake the thread that reads.
    fn open_microphone(&self, name: Option<&str>, ends: InputEnds) -> Result<OpenInput, DeviceError>;

    /// Opens the loudspeaker of this name, or the system's default; its callbacks wake the thread that feeds.
    fn open_speaker(&self, name: Option<&str>, ends: OutputEnds) -> Result<OpenOutput, DeviceError>;

    /// How long devices are waited for.
    fn patience(&self) -> Patience {
        Patience::default()
    }
}

/// An open camera, in the thread that opened it. Dropping it closes it.
pub(crate) trait CameraDevice {
    /// Its name.
    fn name(&self) -> &str;

    /// Waits for the next frame, perhaps for ever. `None` for one that cannot be read.
    fn frame(&mut self) -> Result<Option<Picture>, DeviceError>;
}

/// An open microphone. `hold` stays in the thread that opened it, and closes the device when dropped.
pub(crate) struct OpenInput {
    pub(crate) name: String,
    pub(crate) hold: Box<dyn Any>,
    /// Mono samples at `rate`.
    pub(crate) ring: Consumer<f32>,
    pub(crate) rate: u32,
}

/// An open loudspeaker. `hold` stays in the thread that opened it, and closes the device when dropped.
pub(crate) struct OpenOutput {
    pub(crate) name: String,
    pub(crate) hold: Box<dyn Any>,
    /// Takes mono samples at `rate`.
    pub(crate) ring: Producer<f32>,
    pub(crate) rate: u32,
}

/// What a microphone's callbacks need: whom to wake, and where to tell.
#[derive(Clone, Debug)]
pub(crate) struct InputEnds {
    pub(crate) reader: Thread,
    pub(crate) told: std::sync::Arc<InputTold>,
}

/// What a loudspeaker's callbacks need: whom to wake, and where to tell.
#[derive(Clone, Debug)]
pub(crate) struct OutputEnds {
    pub(crate) feeder: Thread,
    pub(crate) told: std::sync::Arc<OutputTold>,
}

/// What a microphone's callbacks tell.
#[derive(Debug, Default)]
pub(crate) struct InputTold {
    /// The stream is over.
    pub(crate) failed: AtomicBool,
    /// The system moved the stream to another device, or wants it built anew.
    pub(crate) moved: AtomicBool,
    /// How old the first sample of a callback was, in microseconds.
    pub(crate) age_micros: AtomicU64,
}

/// What a loudspeaker's callbacks tell.
#[derive(Debug, Default)]
pub(crate) struct OutputTold {
    /// The stream is over.
    pub(crate) failed: AtomicBool,
    /// The system moved the stream to another device, or wants it built anew.
    pub(crate) moved: AtomicBool,
    /// Samples one callback takes.
    pub(crate) piece: AtomicUsize,
    /// Samples taken in all, silence included.
    pub(crate) taken: AtomicUsize,
    /// From callback to ear, in microseconds.
    pub(crate) latency_micros: AtomicU64,
}

/// What is plugged in, as one look shows it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) cameras: SeenKind,
    pub(crate) microphones: SeenKind,
    pub(crate) speakers: SeenKind,
}

impl Seen {
    /// What there is of one kind.
    pub(crate) fn of(&self, kind: DeviceKind) -> &SeenKind {
        match kind {
            DeviceKind::Camera | DeviceKind::Picture | DeviceKind::Screen => &self.cameras,
            DeviceKind::Microphone => &self.microphones,
            DeviceKind::Speaker => &self.speakers,
        }
    }
}

/// The devices of one kind.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SeenKind {
    pub(crate) devices: Vec<SeenDevice>,
    /// The one the system would take. Cameras have none.
    pub(crate) default: Option<String>,
}

impl SeenKind {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.devices.iter().any(|device| device.name == name)
    }

    /// The rate a device runs at, in samples a second.
    pub(crate) fn rate(&self, name: &str) -> Option<u32> {
        self.devices.iter().find(|device| device.name == name).and_then(|device| device.rate)
    }

    /// What a person is offered, each name once.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for device in self.devices.iter().filter(|device| !device.hidden) {
            if !names.contains(&device.name) {
                names.push(device.name.clone());
            }
        }
        names
    }
}

/// One device that is plugged in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SeenDevice {
    pub(crate) name: String,
    /// Samples a second, of sound devices that say so.
    pub(crate) rate: Option<u32>,
    /// It can be chosen by name, but is not offered: what a loudspeaker plays, listed among the microphones.
    pub(crate) hidden: bool,
}

/// How long devices are waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Patience {
    /// From asking for a device to having it.
    pub(crate) opening: Duration,
    /// Between two pieces of what an open device gives or takes.
    pub(crate) quiet: Duration,
    /// A device that was told to close may still hold what its successor needs.
    pub(crate) closing: Duration,
    /// Between two looks at what is plugged in.
    pub(crate) look: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            opening: Duration::from_secs(5),
            quiet: Duration::from_secs(3),
            closing: Duration::from_millis(300),
            look: Duration::from_millis(1_000),
        }
    }
}
