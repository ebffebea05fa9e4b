//! Reading what is drawn: through memory shared with the server, or over the socket where it is on another computer.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::shm::{self, ConnectionExt as _, Seg};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use super::Server;
use super::target::{Place, has};
use crate::media::picture::Picture;
use crate::media::shaping::colour::from_bgra;

/// One picture as the server has it: blue, green, red, and a byte for nothing; rows packed.
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// What came of reading.
pub(super) enum Grabbed {
    New(Image),
    /// There is nothing to be read there now.
    Nothing,
}

/// Reads again and again, into the same memory.
#[derive(Default)]
pub(super) struct Grabber {
    shared: Option<SharedMemory>,
    /// It was tried, and the server cannot.
    no_shared: bool,
    spare: Vec<u8>,
    /// The picture before, to be compared with.
    last: Vec<u8>,
    last_size: (u32, u32),
}

/// Memory that the server writes into. It is read as a file: a copy, and no pointer into what another program changes.
struct SharedMemory {
    file: File,
    segment: Seg,
    length: usize,
}

impl Grabber {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Reads a place. An error is a server that is gone.
    pub(super) fn grab(&mut self, server: &Server, place: Place) -> Result<Grabbed, ConnectionError> {
        let (width, height) = (u32::from(place.width), u32::from(place.height));
        let length = width as usize * height as usize * 4;
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.resize(length, 0);
        self.share(server, length)?;
        let read = match &self.shared {
            Some(shared) => shared.read(server, place, &mut bytes)?,
            None => over_the_socket(server, place, &mut bytes)?,
        };
        if !read {
            self.spare = bytes;
            return Ok(Grabbed::Nothing);
        }
        Ok(Grabbed::New(Image { bytes, width, height }))
    }

    /// As a picture, unless it is the same as the one before.
    pub(super) fn picture(&mut self, image: Image) -> Option<Picture> {
        let Image { bytes, width, height } = image;
        if self.last_size == (width, height) && self.last == bytes {
            self.spare = bytes;
            return None;
        }
        self.spare = std::mem::replace(&mut self.last, bytes);
        self.last_size = (width, height);
        to_picture(&self.last, width, height)
    }

    /// Sees to it that there is enough shared memory, if the server can share any.
    fn share(&mut self, server: &Server, length: usize) -> Result<(), ConnectionError> {
        if self.no_shared || self.shared.as_ref().is_some_and(|shared| shared.length >= length) {
            return Ok(());
        }
        if let Some(old) = self.shared.take() {
            server.connection.shm_detach(old.segment)?;
        }
        self.shared = SharedMemory::new(server, length);
        if self.shared.is_none() {
            tracing::debug!("the X server shares no memory; the screen is read over its socket");
            self.no_shared = true;
        }
        Ok(())
    }
}

impl SharedMemory {
    /// `None` where the server is on another computer, or too old to be handed a file (MIT-SHM before 1.2).
    fn new(server: &Server, length: usize) -> Option<Self> {
        let connection = &server.connection;
        if !has(server, shm::X11_EXTENSION_NAME) {
            return None;
        }
        let version = connection.shm_query_version().ok()?.reply().ok()?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return None;
        }
        let memory = memfd_create("tincan screen", MemfdFlags::CLOEXEC).ok()?;
        ftruncate(&memory, length as u64).ok()?;
        let file = File::from(memory.try_clone().ok()?);
        let segment = connection.generate_id().ok()?;
        connection.shm_attach_fd(segment, memory, false).ok()?.check().ok()?;
        Some(Self { file, segment, length })
    }

    fn read(&self, server: &Server, place: Place, out: &mut [u8]) -> Result<bool, ConnectionError> {
        let Place { drawable, x, y, width, height, .. } = place;
        let format = u8::from(ImageFormat::Z_PIXMAP);
        let asked = server.connection.shm_get_image(
            drawable,
            x,
            y,
            width,
            height,
            u32::MAX,
            format,
            self.segment,
            0,
        )?;
        Ok(answered(asked.reply())? && self.file.read_exact_at(out, 0).is_ok())
    }
}

fn over_the_socket(server: &Server, place: Place, out: &mut [u8]) -> Result<bool, ConnectionError> {
    let Place { drawable, x, y, width, height, .. } = place;
    let asked =
        server.connection.get_image(ImageFormat::Z_PIXMAP, drawable, x, y, width, height, u32::MAX)?;
    let reply = match asked.reply() {
        Ok(reply) => reply,
        Err(error) => return answered::<()>(Err(error)),
    };
    let whole = reply.data.len() == out.len();
    if whole {
        out.copy_from_slice(&reply.data);
    }
    Ok(whole)
}

/// A refusal is no picture; only a lost connection is the end.
fn answered<T>(reply: Result<T, ReplyError>) -> Result<bool, ConnectionError> {
    match reply {
        Ok(_) => Ok(true),
        Err(ReplyError::X11Error(_)) => Ok(false),
        Err(ReplyError::ConnectionError(error)) => Err(error),
    }
}

/// A picture of it: even sides, and every second sample where a side is longer than a picture's may be.
pub(super) fn to_picture(bytes: &[u8], width: u32, height: u32) -> Option<Picture> {
    if width <= LARGEST_SIDE && height <= LARGEST_SIDE {
        return from_bgra(bytes, width & !1, height & !1, width * 4);
    }
    let (w, h) = (width / 2, height / 2);
    let mut half = Vec::with_capacity(w as usize * h as usize * 4);
    for row in bytes.chunks_exact(width as usize * 8).take(h as usize) {
        for sample in row.chunks_exact(8).take(w as usize) {
            half.extend_from_slice(&sample[..4]);
        }
    }
    to_picture(&half, w, h)
}

/// The longest side of a picture.
const LARGEST_SIDE: u32 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_of_odd_size_loses_its_last_row_and_column() {
        let picture = to_picture(&[255; 33 * 17 * 4], 33, 17).expect("a picture");
        assert_eq!((picture.width, picture.height), (32, 16));
    }

    #[test]
    fn screens_side_by_side_beyond_the_largest_picture_are_halved() {
        let picture = to_picture(&vec![255; 5000 * 40 * 4], 5000, 40).expect("a picture");
        assert_eq!((picture.width, picture.height), (2500, 20));
        assert!(picture.planes().0.iter().all(|luma| *luma > 230));
    }

    #[test]
    fn what_looks_the_same_is_no_new_picture() {
        let image = || Image { bytes: vec![9; 32 * 32 * 4], width: 32, height: 32 };
        let mut grabber = Grabber::new();
        assert!(grabber.picture(image()).is_some());
        assert!(grabber.picture(image()).is_none());
        let mut other = image();
        other.bytes[100] = 10;
        assert!(grabber.picture(other).is_some());
    }
}
