//! Errors that OpenGL's part of the X server reports late.
//!
//! X11 tells of a failed request whenever it comes to it. Where Mesa draws in software, older versions of it name a drawing
//! context that is already gone, which harms nothing; but winit takes whatever error it hears of next for that of its own
//! request, and gives up the window. What concerns OpenGL is therefore kept from it. glutin hears of it all the same: it
//! asks for itself, while it waits for an answer.

#![expect(unsafe_code, reason = "Xlib hands its errors over as a pointer to a structure of C")]

use std::ffi::{c_int, c_uchar, c_ulong, c_void};

use winit::platform::x11::register_xlib_error_hook;
use x11rb::connection::RequestConnection as _;

/// What Xlib tells of an error (`XErrorEvent` in `Xlib.h`).
#[repr(C)]
struct ErrorEvent {
    kind: c_int,
    display: *mut c_void,
    resource: c_ulong,
    serial: c_ulong,
    error: c_uchar,
    /// The extension whose request failed, or the request itself.
    request: c_uchar,
    /// The request of the extension.
    minor: c_uchar,
}

/// Keeps errors of OpenGL from winit, on an X server that has it; without one it does nothing.
pub(super) fn set_aside() {
    let Some(glx) = glx_request() else { return };
    register_xlib_error_hook(Box::new(move |_display, event| {
        // SAFETY: winit calls this from Xlib's error handler and passes on what Xlib gave it: an `XErrorEvent` that lives
        // until the handler returns. Null is checked for; nothing is kept.
        let event = unsafe { event.cast::<ErrorEvent>().as_ref() };
        event.is_some_and(|event| concerns(event, glx))
    }));
}

fn concerns(event: &ErrorEvent, glx: u8) -> bool {
    let late = event.request == glx;
    if late {
        tracing::debug!(event.error, event.minor, "a late error of OpenGL");
    }
    late
}

/// The number under which this server takes requests of OpenGL.
fn glx_request() -> Option<u8> {
    let (connection, _) = x11rb::connect(None).ok()?;
    let glx = connection.extension_information("GLX").ok()??;
    Some(glx.major_opcode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(request: u8) -> ErrorEvent {
        ErrorEvent {
            kind: 0,
            display: std::ptr::null_mut(),
            resource: 0,
            serial: 7,
            error: 169,
            request,
            minor: 16,
        }
    }

    #[test]
    fn only_errors_of_opengl_are_kept_from_the_window() {
        assert!(concerns(&error_of(150), 150));
        assert!(!concerns(&error_of(8), 150));
        assert!(!concerns(&error_of(131), 150));
    }

    #[test]
    fn the_structure_is_laid_out_as_in_xlib() {
        use std::mem::{offset_of, size_of};
        let long = size_of::<c_ulong>();
        assert_eq!(offset_of!(ErrorEvent, resource), 2 * long);
        assert_eq!(offset_of!(ErrorEvent, error), 4 * long);
        assert_eq!(offset_of!(ErrorEvent, request), 4 * long + 1);
        assert_eq!(offset_of!(ErrorEvent, minor), 4 * long + 2);
    }
}
