//! The system's camera.
//!
//! Opening may hang, reading may block for ever, and enumerating may list what is no camera. So the device lives in a
//! thread that is left behind when it does not answer, and what it says is only believed once a picture has come.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nokhwa::NokhwaError;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType,
};

use super::{CameraLines, Captured, PictureSource};
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::hardware::{CameraDevice, Hardware, Patience, SeenDevice, SeenKind};
use crate::media::picture::Picture;
use crate::media::shaping::colour::{from_jpeg, from_nv12, from_yuyv};
use crate::media::worker::{Stop, Worker};

/// A torn picture now and then is normal; more than so many in a row are a format that is not understood.
const MOST_UNREADABLE: u32 = 30;

/// A camera, opening or open.
pub(crate) struct Camera {
    pictures: Receiver<Message>,
    name: Option<String>,
    /// Of the last thing it did.
    last: Instant,
    delivered: bool,
    patience: Patience,
    device: Worker,
}

enum Message {
    Opened(String),
    Taken(Captured),
    Failed(DeviceError),
}

impl Camera {
    /// Begins to open the camera of this name, or the first that works.
    pub(crate) fn open(
        hardware: &Arc<dyn Hardware>,
        name: Option<&str>,
        lines: CameraLines,
    ) -> Result<Self, DeviceError> {
        let (sender, pictures) = mpsc::sync_channel(2);
        let (name, opener) = (name.map(str::to_owned), Arc::clone(hardware));
        let device = Worker::spawn("camera device", move |stop| {
            if let Err(error) = run(opener.as_ref(), name.as_deref(), lines, stop, &sender) {
                // Nobody listens any more: then nobody needs to know.
                let _ = sender.send(Message::Failed(error));
            }
        });
        let device = device.ok_or_else(|| error(Problem::NoAnswer))?;
        let patience = hardware.patience();
        Ok(Self { pictures, name: None, last: Instant::now(), delivered: false, patience, device })
    }

    /// Its name, once it is open.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The thread that holds it, or is lost in its driver.
    pub(crate) fn close(self) -> Worker {
        self.device
    }

    /// Nothing came for a moment: is that too long?
    fn check(&self) -> Result<(), DeviceError> {
        let (limit, problem) = match (&self.name, self.delivered) {
            (None, _) => (self.patience.opening, Problem::NoAnswer),
            (Some(_), false) => (self.patience.quiet, Problem::NoAnswer),
            (Some(_), true) => (self.patience.quiet, Problem::Stopped),
        };
        if self.last.elapsed() > limit { Err(error(problem)) } else { Ok(()) }
    }
}

impl PictureSource for Camera {
    fn next(&mut self, _stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        match self.pictures.recv_timeout(Duration::from_millis(50)) {
            Ok(Message::Taken(captured)) => {
                (self.last, self.delivered) = (Instant::now(), true);
                Ok(Some(captured))
            }
            Ok(Message::Opened(name)) => {
                (self.last, self.name) = (Instant::now(), Some(name));
                Ok(None)
            }
            Ok(Message::Failed(error)) => Err(error),
            Err(RecvTimeoutError::Disconnected) => Err(error(Problem::Stopped)),
            Err(RecvTimeoutError::Timeout) => self.check().map(|()| None),
        }
    }
}

fn error(problem: Problem) -> DeviceError {
    DeviceError::new(DeviceKind::Camera, problem)
}

fn run(
    hardware: &dyn Hardware,
    name: Option<&str>,
    lines: CameraLines,
    stop: &Stop,
    sender: &SyncSender<Message>,
) -> Result<(), DeviceError> {
    let mut camera = hardware.open_camera(name, lines)?;
    let _ = sender.send(Message::Opened(camera.name().to_owned()));
    let mut unreadable = 0;
    while !stop.is_set() {
        let picture = camera.frame()?;
        let at = Instant::now();
        match picture {
            Some(picture) => {
                unreadable = 0;
                deliver(sender, picture, at);
            }
            None if unreadable > MOST_UNREADABLE => return Err(error(Problem::Unsupported)),
            None => unreadable += 1,
        }
    }
    Ok(())
}

fn deliver(sender: &SyncSender<Message>, picture: Picture, at: Instant) {
    match sender.try_send(Message::Taken(Captured { picture, at })) {
        // Nobody takes pictures so fast: this one is left out.
        Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
    }
}

/// Looks for cameras again and again. Asking the drivers costs time, and some do not take it well: it is only done when
/// the system's own list of video devices has changed, where there is one to read.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    last: Mutex<LastLook>,
}

#[derive(Debug, Default)]
struct LastLook {
    nodes: Option<Vec<String>>,
    /// The system may let us at a new device a moment after it appeared: it is asked so often again.
    again: u32,
    seen: SeenKind,
}

impl Lookout {
    pub(crate) fn look(&self) -> SeenKind {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let nodes = video_nodes();
        if nodes.is_none() || nodes != last.nodes {
            (last.nodes, last.again) = (nodes, 3);
        }
        if last.again > 0 {
            last.again -= 1;
            let found = nokhwa::query(ApiBackend::Auto).unwrap_or_default();
            let device = |name| SeenDevice { name, rate: None, hidden: false };
            let devices = found.iter().map(|info| device(info.human_name())).collect();
            last.seen = SeenKind { devices, default: None };
        }
        last.seen.clone()
    }
}

/// The video devices as files, each with a number that changes when it is plugged in anew.
#[cfg(target_os = "linux")]
fn video_nodes() -> Option<Vec<String>> {
    use std::os::unix::fs::MetadataExt as _;

    let mut nodes: Vec<String> = std::fs::read_dir("/dev")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok().filter(|name| name.starts_with("video"))?;
            Some(format!("{name} {}", entry.metadata().ok()?.ino()))
        })
        .collect();
    nodes.sort();
    Some(nodes)
}

/// There are no such files here: the drivers are asked each time.
#[cfg(not(target_os = "linux"))]
fn video_nodes() -> Option<Vec<String>> {
    None
}

/// The system's camera, by way of its driver.
struct SystemCamera {
    camera: nokhwa::Camera,
    name: String,
}

/// Opens the system's camera of this name, or the first that works.
pub(crate) fn open_system(
    name: Option<&str>,
    lines: CameraLines,
) -> Result<Box<dyn CameraDevice>, DeviceError> {
    let camera = open_any(name, lines)?;
    let name = camera.info().human_name();
    Ok(Box::new(SystemCamera { camera, name }))
}

impl CameraDevice for SystemCamera {
    fn name(&self) -> &str {
        &self.name
    }

    fn frame(&mut self) -> Result<Option<Picture>, DeviceError> {
        let frame = self.camera.frame().map_err(|problem| error(meaning(&problem)))?;
        let size = frame.resolution();
        Ok(match frame.source_frame_format() {
            FrameFormat::YUYV => from_yuyv(frame.buffer(), size.width() & !1, size.height() & !1),
            FrameFormat::NV12 => from_nv12(frame.buffer(), size.width() & !1, size.height() & !1),
            FrameFormat::MJPEG => from_jpeg(frame.buffer()),
            FrameFormat::GRAY | FrameFormat::RAWRGB | FrameFormat::RAWBGR => None,
        })
    }
}

impl Drop for SystemCamera {
    fn drop(&mut self) {
        let _ = self.camera.stop_stream();
    }
}

/// Opens the first of the named (or of all) devices that turns out to be a camera.
fn open_any(name: Option<&str>, lines: CameraLines) -> Result<nokhwa::Camera, DeviceError> {
    #[cfg(target_os = "macos")]
    ask_macos_for_permission()?;
    let found = nokhwa::query(ApiBackend::Auto).map_err(|problem| error(meaning(&problem)))?;
    let mut wanted: Vec<_> =
        found.iter().filter(|info| name.is_none_or(|name| info.human_name() == name)).collect();
    wanted.sort_by_key(|info| info.index().as_index().unwrap_or(u32::MAX));
    let mut worst = error(Problem::NotFound);
    for info in wanted {
        match open_one(info.index().clone(), lines) {
            Ok(camera) => return Ok(camera),
            Err(problem) => {
                tracing::debug!(%problem, name = info.human_name(), "not usable as a camera");
                worst = error(meaning(&problem));
            }
        }
    }
    Err(worst)
}

#[cfg(target_os = "macos")]
fn ask_macos_for_permission() -> Result<(), DeviceError> {
    let (answer, asked) = mpsc::sync_channel(1);
    nokhwa::nokhwa_initialize(move |granted| {
        let _ = answer.try_send(granted);
    });
    match asked.recv_timeout(Duration::from_secs(60)) {
        Ok(true) => Ok(()),
        _ => Err(error(Problem::Denied)),
    }
}

fn open_one(index: CameraIndex, lines: CameraLines) -> Result<nokhwa::Camera, NokhwaError> {
    let any = RequestedFormat::with_formats(RequestedFormatType::None, UNDERSTOOD);
    let mut camera = nokhwa::Camera::new(index, any)?;
    let mut formats = camera.compatible_camera_formats()?;
    formats.retain(|format| UNDERSTOOD.contains(&format.format()));
    formats.sort_by_key(|format| preference(format, lines));
    // A driver may refuse or adjust what it offered itself, so the next best gets its chance.
    for format in formats.iter().take(8) {
        let exact = RequestedFormat::with_formats(RequestedFormatType::Exact(*format), UNDERSTOOD);
        if camera.set_camera_requset(exact).is_ok() {
            break;
        }
    }
    camera.open_stream()?;
    tracing::info!(format = %camera.camera_format(), "camera opened");
    Ok(camera)
}

const UNDERSTOOD: &[FrameFormat] = &[FrameFormat::NV12, FrameFormat::YUYV, FrameFormat::MJPEG];

/// Lower is better: fluent motion first, then the size nearest the wanted one from below, then what is cheap to convert.
fn preference(format: &CameraFormat, lines: CameraLines) -> (u8, u64, u8, u32) {
    let motion = match format.frame_rate() {
        24.. => 0,
        15..24 => 1,
        _ => 2,
    };
    let area = u64::from(format.width()) * u64::from(format.height());
    let wanted = lines.area();
    let size = if area > wanted { (area - wanted) * 2 } else { wanted - area };
    let cost = match format.format() {
        FrameFormat::NV12 => 0,
        FrameFormat::YUYV => 1,
        _ => 2,
    };
    (motion, size, cost, format.frame_rate().abs_diff(30))
}

fn meaning(problem: &NokhwaError) -> Problem {
    let text = problem.to_string().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["busy", "in use", "ebusy"]) {
        Problem::Busy
    } else if says(&["denied", "permission", "not authorized"]) {
        Problem::Denied
    } else if says(&["no such", "not found", "no device"]) {
        Problem::NotFound
    } else if matches!(problem, NokhwaError::ReadFrameError(_)) {
        Problem::Stopped
    } else {
        Problem::Unsupported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fluent_motion_beats_size_and_the_wanted_size_beats_the_rest() {
        let format = |width, height, kind, rate| CameraFormat::new_from(width, height, kind, rate);
        let mut formats = [
            format(1280, 720, FrameFormat::YUYV, 10),
            format(1920, 1080, FrameFormat::MJPEG, 30),
            format(640, 360, FrameFormat::YUYV, 30),
            format(1280, 720, FrameFormat::MJPEG, 30),
        ];
        formats.sort_by_key(|format| preference(format, CameraLines::Full));
        assert_eq!(formats[0], format(1920, 1080, FrameFormat::MJPEG, 30));
        formats.sort_by_key(|format| preference(format, CameraLines::Usual));
        assert_eq!(formats[0], format(1280, 720, FrameFormat::MJPEG, 30));
        assert_eq!(formats[1], format(640, 360, FrameFormat::YUYV, 30));
        assert_eq!(formats[3], format(1280, 720, FrameFormat::YUYV, 10));
    }

    #[test]
    fn what_the_driver_says_becomes_what_the_person_can_mend() {
        let open = |text: &str| NokhwaError::OpenDeviceError("0".into(), text.into());
        assert_eq!(meaning(&open("Device or resource busy (os error 16)")), Problem::Busy);
        assert_eq!(meaning(&open("Permission denied (os error 13)")), Problem::Denied);
        assert_eq!(meaning(&NokhwaError::ReadFrameError("gone".into())), Problem::Stopped);
    }
}
