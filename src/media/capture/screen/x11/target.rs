//! What is looked at: a part of the root window, or the pixmap of one window.

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::Event;
use x11rb::protocol::composite::{ConnectionExt as _, Redirect};
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, MapState, Pixmap, Window,
};

use super::Server;
use crate::media::capture::screen::problem;
use crate::media::choice::ScreenSource;
use crate::media::device_error::{DeviceError, Problem};

/// A rectangle of something that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) drawable: u32,
    /// In the drawable.
    pub(super) x: i16,
    pub(super) y: i16,
    pub(super) width: u16,
    pub(super) height: u16,
    /// Where its upper left corner lies on the root window.
    pub(super) on_root: (i32, i32),
}

/// What is shown, and what the server tells of it.
#[derive(Debug)]
pub(super) struct Target {
    what: What,
    damage: Option<damage::Damage>,
}

#[derive(Debug)]
enum What {
    Part(Place),
    Window { window: Window, pixmap: Option<(Pixmap, Place)> },
}

impl Target {
    pub(super) fn open(server: &Server, source: &ScreenSource) -> Result<Self, DeviceError> {
        let what = match source {
            ScreenSource::Everything | ScreenSource::Asked => What::Part(everything(server)?),
            ScreenSource::Screen(number) => {
                let wanted = screens(server)?.into_iter().find(|screen| screen.number == *number);
                What::Part(wanted.ok_or_else(|| problem(Problem::NotFound))?.place)
            }
            ScreenSource::Window(window) => {
                redirect(server, *window)?;
                let window = *window;
                What::Window { window, pixmap: look_at(server, window)? }
            }
        };
        let watched = match &what {
            What::Part(place) => place.drawable,
            What::Window { window, .. } => *window,
        };
        Ok(Self { what, damage: watch(server, watched) })
    }

    /// Whether the server says when something was drawn.
    pub(super) fn tells_of_changes(&self) -> bool {
        self.damage.is_some()
    }

    /// What to read; `None` while the window is minimised.
    pub(super) fn place(&self) -> Option<Place> {
        match &self.what {
            What::Part(place) => Some(*place),
            What::Window { pixmap, .. } => pixmap.map(|(_, place)| place),
        }
    }

    /// Everything drawn so far is about to be read.
    pub(super) fn seen(&self, server: &Server) {
        if let Some(damage) = self.damage {
            // A server that refuses says so in an event.
            let _ = server.connection.damage_subtract(damage, x11rb::NONE, x11rb::NONE);
        }
    }

    /// Whether something may look different now.
    pub(super) fn on_event(&mut self, server: &Server, event: &Event) -> Result<bool, DeviceError> {
        let of_window = |other: Window| matches!(&self.what, What::Window { window, .. } if *window == other);
        match event {
            Event::DamageNotify(notify) => Ok(Some(notify.damage) == self.damage),
            Event::DestroyNotify(gone) if of_window(gone.window) => Err(problem(Problem::Stopped)),
            Event::MapNotify(map) if of_window(map.window) => self.look_again(server),
            Event::UnmapNotify(unmap) if of_window(unmap.window) => self.look_again(server),
            // A move comes here too; only its place on the root is new then.
            Event::ConfigureNotify(change) if of_window(change.window) => self.look_again(server),
            _ => Ok(false),
        }
    }

    /// Each new size of a window is a new pixmap.
    fn look_again(&mut self, server: &Server) -> Result<bool, DeviceError> {
        if let What::Window { window, pixmap } = &mut self.what {
            if let Some((old, _)) = pixmap.take() {
                let _ = server.connection.free_pixmap(old);
            }
            *pixmap = look_at(server, *window)?;
        }
        Ok(true)
    }
}

/// One of the screens that a computer has.
#[derive(Clone, Debug)]
pub(super) struct OneScreen {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) place: Place,
}

/// The root window, whole.
pub(super) fn everything(server: &Server) -> Result<Place, DeviceError> {
    let geometry = server.connection.get_geometry(server.root).map_err(|_| problem(Problem::Stopped))?;
    let geometry = geometry.reply().map_err(|_| problem(Problem::Stopped))?;
    let (width, height) = (geometry.width, geometry.height);
    Ok(Place { drawable: server.root, x: 0, y: 0, width, height, on_root: (0, 0) })
}

/// The screens, by what RandR knows.
pub(super) fn screens(server: &Server) -> Result<Vec<OneScreen>, DeviceError> {
    let gone = || problem(Problem::Stopped);
    let connection = &server.connection;
    if !has(server, randr::X11_EXTENSION_NAME) {
        return Ok(vec![]);
    }
    connection.randr_query_version(1, 5).map_err(|_| gone())?.reply().map_err(|_| gone())?;
    let monitors = connection.randr_get_monitors(server.root, true).map_err(|_| gone())?.reply();
    let Ok(monitors) = monitors else { return Ok(vec![]) };
    let screen = |monitor: randr::MonitorInfo| {
        let name = connection.get_atom_name(monitor.name).ok().and_then(|cookie| cookie.reply().ok());
        let name = name.map(|name| String::from_utf8_lossy(&name.name).into_owned()).unwrap_or_default();
        let place = Place {
            drawable: server.root,
            x: monitor.x,
            y: monitor.y,
            width: monitor.width,
            height: monitor.height,
            on_root: (i32::from(monitor.x), i32::from(monitor.y)),
        };
        OneScreen { number: monitor.name, name, place }
    };
    Ok(monitors.monitors.into_iter().map(screen).collect())
}

/// From now on the window is drawn beside the screen, so that what covers it is not in its picture.
pub(super) fn redirect(server: &Server, window: Window) -> Result<(), DeviceError> {
    let gone = || problem(Problem::NotFound);
    let connection = &server.connection;
    if !has(server, x11rb::protocol::composite::X11_EXTENSION_NAME) {
        return Err(problem(Problem::Unsupported));
    }
    let version = connection.composite_query_version(0, 4).map_err(|_| gone())?;
    version.reply().map_err(|_| problem(Problem::Unsupported))?;
    let told = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
    connection.change_window_attributes(window, &told).map_err(|_| gone())?.check().map_err(|_| gone())?;
    let redirected = connection.composite_redirect_window(window, Redirect::AUTOMATIC);
    redirected.map_err(|_| gone())?.check().map_err(|_| gone())
}

/// The window's pixmap as it is now; `None` while it is not on any screen.
pub(super) fn look_at(server: &Server, window: Window) -> Result<Option<(Pixmap, Place)>, DeviceError> {
    let gone = || problem(Problem::Stopped);
    let connection = &server.connection;
    let attributes = connection.get_window_attributes(window).map_err(|_| gone())?;
    let geometry = connection.get_geometry(window).map_err(|_| gone())?;
    let corner = connection.translate_coordinates(window, server.root, 0, 0).map_err(|_| gone())?;
    let attributes = attributes.reply().map_err(|_| gone())?;
    let geometry = geometry.reply().map_err(|_| gone())?;
    let corner = corner.reply().map_err(|_| gone())?;
    if attributes.map_state != MapState::VIEWABLE || !matches!(geometry.depth, 24 | 32) {
        return Ok(None);
    }
    let pixmap = connection.generate_id().map_err(|_| gone())?;
    let named = connection.composite_name_window_pixmap(window, pixmap).map_err(|_| gone())?;
    if named.check().is_err() {
        // It went away from the screen meanwhile.
        return Ok(None);
    }
    // The pixmap holds the border too.
    let border = i16::try_from(geometry.border_width).unwrap_or(0);
    let place = Place {
        drawable: pixmap,
        x: border,
        y: border,
        width: geometry.width,
        height: geometry.height,
        on_root: (i32::from(corner.dst_x), i32::from(corner.dst_y)),
    };
    Ok(Some((pixmap, place)))
}

fn watch(server: &Server, drawable: u32) -> Option<damage::Damage> {
    if !has(server, damage::X11_EXTENSION_NAME) {
        return None;
    }
    let connection = &server.connection;
    connection.damage_query_version(1, 1).ok()?.reply().ok()?;
    let damage = connection.generate_id().ok()?;
    connection.damage_create(damage, drawable, ReportLevel::NON_EMPTY).ok()?.check().ok()?;
    Some(damage)
}

pub(super) fn has(server: &Server, extension: &'static str) -> bool {
    matches!(server.connection.extension_information(extension), Ok(Some(_)))
}
