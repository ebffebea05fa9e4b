//! Screens and windows under Wayland: the system asks the person, in its own dialog, and hands over a stream of PipeWire.
//!
//! The stream is read by GStreamer's own program, in a process of its own, which gives plain frames. PipeWire's library is
//! neither linked nor loaded: where it is absent this program starts as ever, and only shows no screen. (The bindings to
//! the library are all unsafe, and need it when building; its reimplementation in Rust carries no pictures yet.)

use std::collections::HashMap;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{ObjectPath, OwnedFd, OwnedObjectPath, OwnedValue, Value};

use super::{Rhythm, problem};
use crate::media::capture::{Captured, PictureSource};
use crate::media::device_error::{DeviceError, Problem};
use crate::media::picture::Picture;
use crate::media::worker::{Stop, Worker};

const PORTAL: &str = "org.freedesktop.portal.Desktop";
const OBJECT: &str = "/org/freedesktop/portal/desktop";
const SCREEN_CAST: &str = "org.freedesktop.portal.ScreenCast";
/// Screens and windows.
const KINDS: u32 = 1 | 2;
/// The pointer is drawn into the picture.
const POINTER_EMBEDDED: u32 = 2;
/// Everything is brought to this size, with bars where the shape differs.
const SIZE: (u32, u32) = (1920, 1080);

type Results = HashMap<String, OwnedValue>;

/// Whether there is somebody to ask.
pub(super) fn is_there() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some()
        && Connection::session().is_ok_and(|bus| versions(&bus).is_ok())
}

fn versions(bus: &Connection) -> zbus::Result<u32> {
    Proxy::new(bus, PORTAL, OBJECT, SCREEN_CAST)?.get_property("version")
}

/// Asks the person, and waits for the answer.
pub(super) fn open(rhythm: Rhythm) -> Result<Box<dyn PictureSource>, DeviceError> {
    let asked = Session::ask().map_err(|error| {
        tracing::warn!(%error, "the system's portal gives no screen");
        problem(Problem::Unsupported)
    })?;
    let (session, socket) = asked.ok_or_else(|| problem(Problem::Denied))?;
    let reader = Reader::start(socket, session.node).map_err(|error| {
        tracing::warn!(%error, "gst-launch-1.0 cannot be started");
        problem(Problem::Unsupported)
    })?;
    Ok(Box::new(Asked { _session: session, reader, rhythm, last: None }))
}

/// What the person allowed; dropping it takes it back.
struct Session {
    bus: Connection,
    path: OwnedObjectPath,
    node: u32,
}

impl Session {
    /// `None` when the person said no.
    fn ask() -> zbus::Result<Option<(Self, OwnedFd)>> {
        let bus = Connection::session()?;
        let portal = Proxy::new(&bus, PORTAL, OBJECT, SCREEN_CAST)?;
        let made = answered(&bus, "session", |token| {
            let options = HashMap::from([
                ("handle_token", Value::from(token)),
                ("session_handle_token", Value::from("tincan")),
            ]);
            portal.call::<_, _, OwnedObjectPath>("CreateSession", &(options,))
        })?;
        let handle = made.and_then(|mut results| results.remove("session_handle"));
        let path = match handle.as_deref() {
            Some(Value::Str(path)) => OwnedObjectPath::try_from(path.as_str())?,
            Some(Value::ObjectPath(path)) => OwnedObjectPath::from(path.to_owned()),
            _ => return Ok(None),
        };
        let chosen = answered(&bus, "sources", |token| {
            let options = HashMap::from([
                ("handle_token", Value::from(token)),
                ("types", Value::from(KINDS)),
                ("cursor_mode", Value::from(POINTER_EMBEDDED)),
                ("multiple", Value::from(false)),
            ]);
            portal.call::<_, _, OwnedObjectPath>("SelectSources", &(&path, options))
        })?;
        if chosen.is_none() {
            return Ok(None);
        }
        let started = answered(&bus, "start", |token| {
            let options = HashMap::from([("handle_token", Value::from(token))]);
            portal.call::<_, _, OwnedObjectPath>("Start", &(&path, "", options))
        })?;
        let streams = started.and_then(|mut results| results.remove("streams"));
        let Some(node) = streams.as_deref().and_then(first_node) else { return Ok(None) };
        let nothing: HashMap<&str, Value<'_>> = HashMap::new();
        let socket: OwnedFd = portal.call("OpenPipeWireRemote", &(&path, nothing))?;
        drop(portal);
        Ok(Some((Self { bus, path, node }, socket)))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let closed = Proxy::new(&self.bus, PORTAL, self.path.as_str(), "org.freedesktop.portal.Session")
            .and_then(|session| session.call_noreply("Close", &()));
        if let Err(error) = closed {
            tracing::debug!(%error, "the portal's session could not be closed");
        }
    }
}

/// Makes a request and waits for its answer, which comes as a signal; `None` when the person said no.
fn answered(
    bus: &Connection,
    what: &str,
    ask: impl FnOnce(&str) -> zbus::Result<OwnedObjectPath>,
) -> zbus::Result<Option<Results>> {
    let token = format!("tincan_{what}");
    let own = bus.unique_name().map(|name| name.trim_start_matches(':').replace('.', "_"));
    let path = format!("{OBJECT}/request/{}/{token}", own.unwrap_or_default());
    let request = Proxy::new(bus, PORTAL, ObjectPath::try_from(path)?, "org.freedesktop.portal.Request")?;
    // Listened to before it is asked, so that a quick answer is not missed.
    let mut answers = request.receive_signal("Response")?;
    ask(&token)?;
    let Some(answer) = answers.next() else { return Ok(None) };
    let body = answer.body();
    let (code, results): (u32, Results) = body.deserialize()?;
    Ok((code == 0).then_some(results))
}

/// The stream's number in the portal's answer, an array of such numbers with their properties.
fn first_node(streams: &Value<'_>) -> Option<u32> {
    let Value::Array(streams) = streams else { return None };
    let Value::Structure(first) = streams.inner().first()? else { return None };
    match first.fields().first()? {
        Value::U32(node) => Some(*node),
        _ => None,
    }
}

/// GStreamer's program, and the thread that reads what it writes. Both end when this is dropped.
struct Reader {
    child: Child,
    frames: Receiver<Picture>,
    worker: Option<Worker>,
}

impl Reader {
    fn start(socket: OwnedFd, node: u32) -> std::io::Result<Self> {
        let (width, height) = SIZE;
        let wanted = format!("video/x-raw,format=I420,width={width},height={height},colorimetry=bt601");
        let mut child = Command::new("gst-launch-1.0")
            .args(["-q", "pipewiresrc", "fd=0", &format!("path={node}"), "do-timestamp=true", "!"])
            .args(["videorate", "drop-only=true", "max-rate=15", "!", "videoconvert", "!"])
            .args(["videoscale", "add-borders=true", "!", &wanted, "!", "fdsink", "fd=1", "sync=false"])
            // The only way to hand over an open file without unsafe code.
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut out = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        // One waits; what comes meanwhile waits in the pipe.
        let (send, frames) = sync_channel(1);
        let worker = Worker::spawn("screen reader", move |stop| {
            let mut frame = vec![0; Picture::bytes(width, height)];
            while !stop.is_set() && out.read_exact(&mut frame).is_ok() {
                let Some(picture) = Picture::new(width, height, frame.as_slice()) else { return };
                if send.send(picture).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, frames, worker })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Reading ends with it; a frame that waits for room is taken away.
        while self.frames.try_recv().is_ok() {}
        if let Some(worker) = self.worker.take() {
            worker.leave();
        }
    }
}

/// Pictures of what the person chose.
struct Asked {
    _session: Session,
    reader: Reader,
    rhythm: Rhythm,
    last: Option<Picture>,
}

impl PictureSource for Asked {
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        let until = Instant::now() + self.rhythm.step();
        loop {
            if stop.is_set() {
                return Ok(None);
            }
            match self.reader.frames.recv_timeout(Duration::from_millis(50)) {
                Ok(picture) if self.last.as_ref() != Some(&picture) => {
                    self.last = Some(picture.clone());
                    return Ok(Some(Captured { picture, at: Instant::now() }));
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(problem(Problem::Stopped)),
            }
            if let (Rhythm::Camera, Some(picture), true) = (self.rhythm, &self.last, Instant::now() >= until)
            {
                return Ok(Some(Captured { picture: picture.clone(), at: Instant::now() }));
            }
        }
    }
}
