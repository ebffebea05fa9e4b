//! The screen as a camera: X11's root window, ten pictures a second.

use super::PictureSource;
use crate::media::device_error::{DeviceError, DeviceKind, Problem};

/// Opens the screen.
#[cfg(target_os = "linux")]
pub(crate) fn open() -> Result<Box<dyn PictureSource>, DeviceError> {
    x11::Screen::open().map(|screen| Box::new(screen) as Box<dyn PictureSource>)
}

/// Opens the screen: only X11 is understood.
#[cfg(not(target_os = "linux"))]
pub(crate) fn open() -> Result<Box<dyn PictureSource>, DeviceError> {
    Err(unsupported())
}

fn unsupported() -> DeviceError {
    DeviceError::new(DeviceKind::Camera, Problem::Unsupported)
}

#[cfg(target_os = "linux")]
mod x11 {
    use std::time::{Duration, Instant};

    use x11rb::connection::Connection as _;
    use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, Window};
    use x11rb::rust_connection::RustConnection;

    use super::unsupported;
    use crate::media::capture::{Captured, Pace, PictureSource};
    use crate::media::device_error::{DeviceError, DeviceKind, Problem};
    use crate::media::shaping::colour::from_bgra;
    use crate::media::worker::Stop;

    pub(super) struct Screen {
        connection: RustConnection,
        root: Window,
        width: u16,
        height: u16,
        pace: Pace,
    }

    impl Screen {
        pub(super) fn open() -> Result<Self, DeviceError> {
            let not_found = |_| DeviceError::new(DeviceKind::Camera, Problem::NotFound);
            let (connection, number) = x11rb::connect(None).map_err(not_found)?;
            let screen = connection.setup().roots.get(number).ok_or_else(unsupported)?;
            if !matches!(screen.root_depth, 24 | 32) {
                return Err(unsupported());
            }
            let side = |pixels: u16| pixels.min(4096) & !1;
            let (root, width, height) =
                (screen.root, side(screen.width_in_pixels), side(screen.height_in_pixels));
            Ok(Self { connection, root, width, height, pace: Pace::new(Duration::from_millis(100)) })
        }
    }

    impl PictureSource for Screen {
        fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
            let Some(_) = self.pace.wait(stop) else { return Ok(None) };
            let at = Instant::now();
            let stopped = || DeviceError::new(DeviceKind::Camera, Problem::Stopped);
            let image = self
                .connection
                .get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, self.width, self.height, u32::MAX)
                .map_err(|_| stopped())?
                .reply()
                .map_err(|_| stopped())?;
            let (width, height) = (u32::from(self.width), u32::from(self.height));
            let picture = from_bgra(&image.data, width, height, width * 4).ok_or_else(unsupported)?;
            Ok(Some(Captured { picture, at }))
        }
    }
}
