//! The mouse pointer, which no picture of the screen contains: where it is, how it looks, and how it gets into the picture.

use x11rb::errors::ConnectionError;
use x11rb::errors::ReplyError;
use x11rb::protocol::xfixes::{self, ConnectionExt as _, GetCursorImageReply};

use super::Server;
use super::grab::Image;
use super::target::{Place, has};

/// The pointer as it was last seen.
pub(super) struct Cursor {
    known: bool,
    now: Option<GetCursorImageReply>,
}

impl Cursor {
    pub(super) fn new(server: &Server) -> Self {
        let connection = &server.connection;
        let version = || connection.xfixes_query_version(5, 0).ok()?.reply().ok();
        let known = has(server, xfixes::X11_EXTENSION_NAME) && version().is_some();
        Self { known, now: None }
    }

    /// Asks where it is. Whether it moved or changed within the place, into it or out of it.
    pub(super) fn look(&mut self, server: &Server, place: Option<Place>) -> Result<bool, ConnectionError> {
        if !self.known {
            return Ok(false);
        }
        let now = match server.connection.xfixes_get_cursor_image()?.reply() {
            Ok(now) => now,
            Err(ReplyError::ConnectionError(error)) => return Err(error),
            Err(ReplyError::X11Error(_)) => return Ok(false),
        };
        let same = self.now.as_ref().is_some_and(|before| {
            (before.x, before.y, before.cursor_serial) == (now.x, now.y, now.cursor_serial)
        });
        let seen = |cursor: &GetCursorImageReply| place.is_some_and(|place| is_in(cursor, place));
        let matters = !same && (seen(&now) || self.now.as_ref().is_some_and(seen));
        self.now = Some(now);
        Ok(matters)
    }

    /// Draws it where it is.
    pub(super) fn draw(&self, image: &mut Image, place: Place) {
        let Some(now) = self.now.as_ref().filter(|now| is_in(now, place)) else { return };
        let (left, top) = corner(now, place);
        draw(image, &now.cursor_image, (now.width, now.height), (left, top));
    }
}

/// The upper left corner of its picture in the place.
fn corner(cursor: &GetCursorImageReply, place: Place) -> (i32, i32) {
    let left = i32::from(cursor.x) - i32::from(cursor.xhot) - place.on_root.0;
    let top = i32::from(cursor.y) - i32::from(cursor.yhot) - place.on_root.1;
    (left, top)
}

/// Whether the point that it points at lies in the place.
fn is_in(cursor: &GetCursorImageReply, place: Place) -> bool {
    let (x, y) = (i32::from(cursor.x) - place.on_root.0, i32::from(cursor.y) - place.on_root.1);
    (0..i32::from(place.width)).contains(&x) && (0..i32::from(place.height)).contains(&y)
}

/// Puts a picture with premultiplied alpha over another, as far as it lies within.
fn draw(image: &mut Image, argb: &[u32], (width, height): (u16, u16), (left, top): (i32, i32)) {
    let rows = argb.chunks_exact(usize::from(width.max(1))).take(usize::from(height));
    for (y, row) in (top..).zip(rows) {
        for (x, sample) in (left..).zip(row) {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
            if x >= image.width || y >= image.height {
                continue;
            }
            let [blue, green, red, alpha] = sample.to_le_bytes();
            let at = (y as usize * image.width as usize + x as usize) * 4;
            let Some(under) = image.bytes.get_mut(at..at + 3) else { continue };
            for (under, over) in under.iter_mut().zip([blue, green, red]) {
                let rest = u32::from(*under) * (255 - u32::from(alpha)) / 255;
                *under = (u32::from(over) + rest).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_at_the_edge_is_cut_and_what_is_clear_in_it_shows_what_is_under_it() {
        let mut image = Image { bytes: vec![100; 4 * 4 * 4], width: 4, height: 4 };
        // White, half black, clear, white.
        let pointer = [0xffff_ffff, 0x8000_0000, 0x0000_0000, 0xffff_ffff];
        draw(&mut image, &pointer, (2, 2), (3, 2));
        let at = |x: usize, y: usize| image.bytes[(y * 4 + x) * 4];
        assert_eq!((at(3, 2), at(3, 3), at(2, 2)), (255, 100, 100));
        draw(&mut image, &pointer, (2, 2), (-1, 0));
        assert_eq!(image.bytes[0], 49);
    }
}
