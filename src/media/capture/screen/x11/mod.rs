//! Screens and windows of X11.
//!
//! The server tells through DAMAGE that something was drawn, writes the picture into memory shared with it (MIT-SHM), and
//! names the pixmap of a window that others cover (Composite). What of that it lacks costs time, not the picture.

mod cursor;
mod grab;
mod list;
mod target;

use std::time::Instant;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::rust_connection::RustConnection;

use self::cursor::Cursor;
use self::grab::{Grabbed, Grabber};
pub(super) use self::list::list;
use self::target::Target;
use super::{Rhythm, problem};
use crate::media::capture::{Captured, Pace, PictureSource};
use crate::media::choice::ScreenSource;
use crate::media::device_error::{DeviceError, Problem};
use crate::media::picture::Picture;
use crate::media::worker::Stop;

pub(super) fn open(source: &ScreenSource, rhythm: Rhythm) -> Result<Box<dyn PictureSource>, DeviceError> {
    Ok(Box::new(Screen::open(source, rhythm)?))
}

/// The server, and what of it every picture needs.
struct Server {
    connection: RustConnection,
    root: u32,
}

impl Server {
    fn connect() -> Result<Self, DeviceError> {
        let (connection, number) = x11rb::connect(None).map_err(|_| problem(Problem::NotFound))?;
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or_else(|| problem(Problem::Unsupported))?;
        let root = screen.root;
        // Blue first, four bytes a sample: every server of the last twenty years.
        let four_bytes = |depth| {
            let format = setup.pixmap_formats.iter().find(|format| format.depth == depth);
            format.is_some_and(|format| format.bits_per_pixel == 32)
        };
        let little = setup.image_byte_order == x11rb::protocol::xproto::ImageOrder::LSB_FIRST;
        if !matches!(screen.root_depth, 24 | 32) || !four_bytes(screen.root_depth) || !little {
            return Err(problem(Problem::Unsupported));
        }
        Ok(Self { connection, root })
    }
}

/// Pictures of one screen or window.
struct Screen {
    server: Server,
    target: Target,
    grabber: Grabber,
    cursor: Cursor,
    pace: Pace,
    rhythm: Rhythm,
    /// The newest picture.
    last: Option<Picture>,
}

impl Screen {
    fn open(source: &ScreenSource, rhythm: Rhythm) -> Result<Self, DeviceError> {
        let server = Server::connect()?;
        let target = Target::open(&server, source)?;
        let cursor = Cursor::new(&server);
        let grabber = Grabber::new();
        Ok(Self { server, target, grabber, cursor, pace: Pace::new(rhythm.step()), rhythm, last: None })
    }

    /// Takes what the server told since the last time. Whether anything may look different.
    fn look(&mut self) -> Result<bool, DeviceError> {
        let gone = |_| problem(Problem::Stopped);
        let mut changed = self.last.is_none();
        while let Some(event) = self.server.connection.poll_for_event().map_err(gone)? {
            match event {
                Event::Error(error) => tracing::debug!(?error, "the X server refused something"),
                event => changed |= self.target.on_event(&self.server, &event)?,
            }
        }
        let place = self.target.place();
        changed |= self.cursor.look(&self.server, place).map_err(gone)?;
        Ok(changed || !self.target.tells_of_changes())
    }

    /// A fresh picture; `None` when it looks like the one before, or there is nothing to see right now.
    fn grab(&mut self) -> Result<Option<Picture>, DeviceError> {
        let Some(place) = self.target.place() else { return Ok(None) };
        self.target.seen(&self.server);
        match self.grabber.grab(&self.server, place) {
            Ok(Grabbed::New(mut image)) => {
                self.cursor.draw(&mut image, place);
                Ok(self.grabber.picture(image))
            }
            // A window may shrink or go away between two events; the next ones tell.
            Ok(Grabbed::Nothing) => Ok(None),
            Err(_) => Err(problem(Problem::Stopped)),
        }
    }
}

impl PictureSource for Screen {
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        loop {
            let Some(_) = self.pace.wait(stop) else { return Ok(None) };
            let at = Instant::now();
            let fresh = if self.look()? { self.grab()? } else { None };
            if let Some(picture) = fresh {
                self.last = Some(picture.clone());
                return Ok(Some(Captured { picture, at }));
            }
            if let (Rhythm::Camera, Some(picture)) = (self.rhythm, &self.last) {
                return Ok(Some(Captured { picture: picture.clone(), at }));
            }
        }
    }
}
