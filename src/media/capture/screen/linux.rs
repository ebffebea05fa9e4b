//! Linux: X11 by itself, Wayland by the system's portal.

use super::{Rhythm, portal, x11};
use crate::media::capture::PictureSource;
use crate::media::choice::ScreenSource;
use crate::media::device_error::DeviceError;
use crate::media::screens::ScreenChoice;

pub(super) fn open(source: &ScreenSource, rhythm: Rhythm) -> Result<Box<dyn PictureSource>, DeviceError> {
    match source {
        ScreenSource::Asked => portal::open(rhythm),
        // Under Wayland the X server has no picture of the screens.
        ScreenSource::Everything if portal::is_there() => portal::open(rhythm),
        source => x11::open(source, rhythm),
    }
}

/// The portal's own dialog first, where there is one.
pub(super) fn list() -> Vec<ScreenChoice> {
    let asked = ScreenChoice { source: ScreenSource::Asked, name: String::new(), preview: None };
    portal::is_there().then_some(asked).into_iter().chain(x11::list()).collect()
}
