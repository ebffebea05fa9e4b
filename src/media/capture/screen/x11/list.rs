//! Which screens and windows there are, what they are called and what they look like.

use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, MapState, Window};

use super::Server;
use super::grab::{Grabbed, Grabber};
use super::target::{Place, everything, look_at, redirect, screens};
use crate::media::choice::ScreenSource;
use crate::media::screens::{MOST_CHOICES, PREVIEW, ScreenChoice};
use crate::media::shaping::scale::{fitting, scaled};

/// Screens first, then windows, the uppermost first; none of our own. Under Wayland the X server has no picture of the
/// screens, and knows only the windows of X programs.
pub(in crate::media::capture::screen) fn list() -> Vec<ScreenChoice> {
    let Ok(server) = Server::connect() else { return vec![] };
    let mut grabber = Grabber::new();
    let mut choices = Vec::new();
    let has_screens = std::env::var_os("WAYLAND_DISPLAY").is_none();
    let found = if has_screens { screens(&server).unwrap_or_default() } else { vec![] };
    if has_screens
        && found.len() != 1
        && let Ok(place) = everything(&server)
    {
        choices.push(choice(&server, &mut grabber, ScreenSource::Everything, String::new(), Some(place)));
    }
    for screen in found {
        let source = ScreenSource::Screen(screen.number);
        choices.push(choice(&server, &mut grabber, source, screen.name, Some(screen.place)));
    }
    for (window, name) in windows(&server).unwrap_or_default() {
        if choices.len() >= MOST_CHOICES {
            break;
        }
        let seen = redirect(&server, window).ok().and_then(|()| look_at(&server, window).ok().flatten());
        let place = seen.map(|(_, place)| place);
        choices.push(choice(&server, &mut grabber, ScreenSource::Window(window), name, place));
        if let Some((pixmap, _)) = seen {
            let _ = server.connection.free_pixmap(pixmap);
        }
    }
    choices
}

fn choice(
    server: &Server,
    grabber: &mut Grabber,
    source: ScreenSource,
    name: String,
    place: Option<Place>,
) -> ScreenChoice {
    let grabbed = place.and_then(|place| grabber.grab(server, place).ok());
    let picture = match grabbed {
        Some(Grabbed::New(image)) => super::grab::to_picture(&image.bytes, image.width, image.height),
        Some(Grabbed::Nothing) | None => None,
    };
    let preview = picture.map(|picture| {
        let (width, height) = fitting((picture.width, picture.height), PREVIEW);
        scaled(&picture, width, height)
    });
    ScreenChoice { source, name, preview }
}

/// The names of properties that tell about windows.
struct Names {
    client_list: Atom,
    name: Atom,
    process: Atom,
    utf8: Atom,
}

/// Windows with a title that people know, the uppermost first.
fn windows(server: &Server) -> Option<Vec<(Window, String)>> {
    let atom = |name: &str| {
        let asked = server.connection.intern_atom(false, name.as_bytes()).ok()?;
        Some(asked.reply().ok()?.atom)
    };
    let names = Names {
        client_list: atom("_NET_CLIENT_LIST_STACKING")?,
        name: atom("_NET_WM_NAME")?,
        process: atom("_NET_WM_PID")?,
        utf8: atom("UTF8_STRING")?,
    };
    let listed = numbers(server, server.root, names.client_list, AtomEnum::WINDOW.into());
    let windows = match listed {
        Some(windows) if !windows.is_empty() => windows,
        // No window manager: what lies on the root are the windows.
        _ => server.connection.query_tree(server.root).ok()?.reply().ok()?.children,
    };
    let known = |window: Window| {
        let name = title(server, window, &names)?;
        is_worth_showing(server, window, &names).then_some((window, name))
    };
    Some(windows.into_iter().rev().filter_map(known).take(MOST_CHOICES).collect())
}

fn is_worth_showing(server: &Server, window: Window, names: &Names) -> bool {
    let look = || {
        let attributes = server.connection.get_window_attributes(window).ok()?.reply().ok()?;
        let geometry = server.connection.get_geometry(window).ok()?.reply().ok()?;
        let process = numbers(server, window, names.process, AtomEnum::CARDINAL.into());
        let ours = process.is_some_and(|process| process.first() == Some(&std::process::id()));
        let seen = attributes.map_state == MapState::VIEWABLE && !attributes.override_redirect;
        Some(seen && !ours && geometry.width >= SMALLEST && geometry.height >= SMALLEST)
    };
    look().unwrap_or(false)
}

fn title(server: &Server, window: Window, names: &Names) -> Option<String> {
    let read = |property: Atom, kind: Atom| {
        let asked = server.connection.get_property(false, window, property, kind, 0, LONGEST_TITLE);
        let value = asked.ok()?.reply().ok()?.value;
        let text = String::from_utf8_lossy(&value).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    read(names.name, names.utf8).or_else(|| read(AtomEnum::WM_NAME.into(), AtomEnum::ANY.into()))
}

fn numbers(server: &Server, window: Window, property: Atom, kind: Atom) -> Option<Vec<u32>> {
    let asked = server.connection.get_property(false, window, property, kind, 0, MOST_NUMBERS);
    Some(asked.ok()?.reply().ok()?.value32()?.collect())
}

/// Smaller windows are no windows.
const SMALLEST: u16 = 64;
/// In units of four bytes.
const LONGEST_TITLE: u32 = 64;
const MOST_NUMBERS: u32 = 1024;
