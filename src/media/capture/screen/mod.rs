//! What is on the screen, as pictures: a whole screen, one of several, or one window.
//!
//! Every source gives a picture only when something changed, so that a screen at rest costs nothing. On X11 that is
//! done in `x11`; under Wayland the system asks the person and hands pictures over (`portal`); other systems are served by
//! a library (`elsewhere`).

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod portal;
#[cfg(target_os = "linux")]
mod x11;

use std::time::Duration;

use super::PictureSource;
use crate::media::choice::ScreenSource;
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::screens::ScreenChoice;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

/// How a source paces itself, and whether it repeats what stands still.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rhythm {
    /// Fifteen pictures a second at most, none while nothing changes.
    Changes,
    /// Ten a second, whatever happens: in a camera's place a picture that does not come counts as a camera that failed.
    Camera,
}

impl Rhythm {
    /// Between two looks at the screen.
    fn step(self) -> Duration {
        match self {
            Self::Changes => Duration::from_micros(66_667),
            Self::Camera => Duration::from_millis(100),
        }
    }
}

/// Opens what was chosen.
pub(crate) fn open(source: &ScreenSource, rhythm: Rhythm) -> Result<Box<dyn PictureSource>, DeviceError> {
    system::open(source, rhythm)
}

/// Everything that can be shown to the far end, with small previews. Blocks, usually for less than a second.
pub(crate) fn list() -> Vec<ScreenChoice> {
    system::list()
}

fn problem(problem: Problem) -> DeviceError {
    DeviceError::new(DeviceKind::Screen, problem)
}
