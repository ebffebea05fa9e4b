//! Where pictures and sound come from: devices, files, and sources that can be measured.
//!
//! Every source paces itself and is read from a thread of its own; none decides what becomes of what it gives.

pub(crate) mod camera;
pub(crate) mod file_h264;
pub(crate) mod file_wav;
pub(crate) mod file_y4m;
pub(crate) mod microphone;
pub(crate) mod screen;
pub(crate) mod silence;
pub(crate) mod test_picture;
pub(crate) mod test_tone;

use std::path::Path;
use std::time::{Duration, Instant};

use super::choice::{CameraSource, MicrophoneSource, ScreenSource};
use super::device_error::{DeviceError, DeviceKind};
use super::picture::Picture;
use super::worker::Stop;

/// A picture and when it was taken.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    pub(crate) picture: Picture,
    pub(crate) at: Instant,
}

/// Something pictures come from.
pub(crate) trait PictureSource {
    /// Waits for the next picture, a moment at most if it is a device. `None` when there was none this time, or when told to
    /// stop.
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError>;
}

/// Something sound comes from, at 48 kHz, mono.
pub(crate) trait SoundSource {
    /// Waits for sound, appends it, and says when its first sample was heard; `None` when there was nothing this time.
    fn read(&mut self, stop: &Stop, out: &mut Vec<f32>) -> Result<Option<Instant>, DeviceError>;
}

/// How many lines a camera's pictures should have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum CameraLines {
    /// 720.
    #[default]
    Usual,
    /// 1080.
    Full,
}

impl CameraLines {
    /// Samples of a picture of so many lines, in the usual shape.
    pub(crate) fn area(self) -> u64 {
        match self {
            Self::Usual => 1280 * 720,
            Self::Full => 1920 * 1080,
        }
    }
}

/// Opens what is no device. `None` for a device, and for no camera at all.
pub(crate) fn open_pictures(source: &CameraSource) -> Result<Option<Box<dyn PictureSource>>, DeviceError> {
    Ok(Some(match source {
        CameraSource::None | CameraSource::Default | CameraSource::Named(_) => return Ok(None),
        CameraSource::Test => Box::new(test_picture::TestPicture::new()),
        CameraSource::Screen => screen::open(&ScreenSource::Everything, screen::Rhythm::Camera)?,
        CameraSource::File(path) if has_extension(path, "y4m") => Box::new(file_y4m::Y4mFile::open(path)?),
        CameraSource::File(path) if has_extension(path, "h264") || has_extension(path, "264") => {
            Box::new(file_h264::H264File::open(path)?)
        }
        CameraSource::File(path) => {
            return Err(DeviceError::file(DeviceKind::Camera, path, "neither .y4m nor .h264"));
        }
    }))
}

/// Opens what is no device. `None` for a device, and for no microphone at all.
pub(crate) fn open_sound(source: &MicrophoneSource) -> Result<Option<Box<dyn SoundSource>>, DeviceError> {
    Ok(Some(match source {
        MicrophoneSource::None | MicrophoneSource::Default | MicrophoneSource::Named(_) => return Ok(None),
        MicrophoneSource::Tone => Box::new(test_tone::TestTone::new()),
        MicrophoneSource::File(path) => Box::new(file_wav::WavFile::open(path)?),
    }))
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// Keeps a source at its own rate.
#[derive(Debug)]
pub(crate) struct Pace {
    step: Duration,
    next: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(step: Duration) -> Self {
        Self { step, next: None }
    }

    /// Waits for the next moment and names it. `None` when told to stop. Who falls far behind starts anew instead of
    /// hurrying.
    pub(crate) fn wait(&mut self, stop: &Stop) -> Option<Instant> {
        let now = Instant::now();
        let due = self.next.filter(|due| now.saturating_duration_since(*due) < FAR_BEHIND).unwrap_or(now);
        self.next = Some(due + self.step);
        stop.sleep_until(due).then_some(due)
    }
}

const FAR_BEHIND: Duration = Duration::from_millis(200);
