//! Windows and macOS, through `xcap`. Written and never tried: there was no such computer to try it on.

use std::time::Instant;

use xcap::{Monitor, Window};

use super::{Rhythm, problem};
use crate::media::capture::{Captured, Pace, PictureSource};
use crate::media::choice::ScreenSource;
use crate::media::device_error::{DeviceError, Problem};
use crate::media::picture::Picture;
use crate::media::screens::{MOST_CHOICES, PREVIEW, ScreenChoice};
use crate::media::shaping::colour::from_rgba;
use crate::media::shaping::scale::{fitting, scaled};
use crate::media::worker::Stop;

enum Target {
    Screen(Monitor),
    Window(Window),
}

impl Target {
    fn find(source: &ScreenSource) -> Option<Self> {
        match source {
            ScreenSource::Window(id) => {
                let mut windows = Window::all().ok()?.into_iter();
                windows.find(|window| window.id().is_ok_and(|other| other == *id)).map(Self::Window)
            }
            ScreenSource::Screen(id) => {
                let mut screens = Monitor::all().ok()?.into_iter();
                screens.find(|screen| screen.id().is_ok_and(|other| other == *id)).map(Self::Screen)
            }
            ScreenSource::Everything | ScreenSource::Asked => {
                let mut screens = Monitor::all().ok()?;
                let primary = screens.iter().position(|screen| screen.is_primary().unwrap_or(false));
                (!screens.is_empty()).then(|| Self::Screen(screens.swap_remove(primary.unwrap_or(0))))
            }
        }
    }

    /// `None` while a window is minimised.
    fn picture(&self) -> Result<Option<Picture>, DeviceError> {
        let image = match self {
            Self::Screen(screen) => screen.capture_image(),
            Self::Window(window) if window.is_minimized().unwrap_or(false) => return Ok(None),
            Self::Window(window) => window.capture_image(),
        };
        let image = image.map_err(|_| problem(Problem::Stopped))?;
        let (width, height) = (image.width(), image.height());
        Ok(from_rgba(image.as_raw(), width & !1, height & !1, width * 4))
    }
}

struct Screen {
    target: Target,
    pace: Pace,
    rhythm: Rhythm,
    last: Option<Picture>,
}

pub(super) fn open(source: &ScreenSource, rhythm: Rhythm) -> Result<Box<dyn PictureSource>, DeviceError> {
    let target = Target::find(source).ok_or_else(|| problem(Problem::NotFound))?;
    Ok(Box::new(Screen { target, pace: Pace::new(rhythm.step()), rhythm, last: None }))
}

impl PictureSource for Screen {
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        loop {
            let Some(_) = self.pace.wait(stop) else { return Ok(None) };
            let at = Instant::now();
            let fresh = self.target.picture()?;
            let same = fresh == self.last || fresh.is_none();
            if !same {
                self.last = fresh;
            }
            if let Some(picture) = self.last.clone().filter(|_| !same || self.rhythm == Rhythm::Camera) {
                return Ok(Some(Captured { picture, at }));
            }
        }
    }
}

pub(super) fn list() -> Vec<ScreenChoice> {
    let preview = |target: Target| {
        let picture = target.picture().ok().flatten()?;
        let (width, height) = fitting((picture.width, picture.height), PREVIEW);
        Some(scaled(&picture, width, height))
    };
    let screens = Monitor::all().unwrap_or_default().into_iter().filter_map(|screen| {
        let (id, name) = (screen.id().ok()?, screen.name().unwrap_or_default());
        let preview = preview(Target::Screen(screen));
        Some(ScreenChoice { source: ScreenSource::Screen(id), name, preview })
    });
    let windows = Window::all().unwrap_or_default().into_iter().filter_map(|window| {
        let (id, name) = (window.id().ok()?, window.title().ok().filter(|title| !title.is_empty())?);
        let ours = window.pid().is_ok_and(|process| process == std::process::id());
        if ours || window.is_minimized().unwrap_or(true) {
            return None;
        }
        let preview = preview(Target::Window(window));
        Some(ScreenChoice { source: ScreenSource::Window(id), name, preview })
    });
    screens.chain(windows).take(MOST_CHOICES).collect()
}
