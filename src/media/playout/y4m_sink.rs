//! A `.y4m` file of the pictures shown: one frame each, in the first one's size.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::media::device_error::{DeviceError, DeviceKind};
use crate::media::picture::Picture;
use crate::media::shaping::scale::scaled;

/// An open file.
pub(crate) struct Y4mSink {
    path: PathBuf,
    writer: BufWriter<File>,
    size: Option<(u32, u32)>,
}

impl Y4mSink {
    pub(crate) fn create(path: &Path) -> Result<Self, DeviceError> {
        let file = File::create(path).map_err(|error| DeviceError::file(DeviceKind::Picture, path, error))?;
        Ok(Self { path: path.to_owned(), writer: BufWriter::with_capacity(1 << 20, file), size: None })
    }

    pub(crate) fn write(&mut self, picture: &Picture) -> Result<(), DeviceError> {
        self.try_write(picture).map_err(|error| DeviceError::file(DeviceKind::Picture, &self.path, error))
    }

    fn try_write(&mut self, picture: &Picture) -> io::Result<()> {
        let (width, height) = match self.size {
            Some(size) => size,
            None => {
                let size = (picture.width, picture.height);
                writeln!(self.writer, "YUV4MPEG2 W{} H{} F30:1 Ip A1:1 C420jpeg", size.0, size.1)?;
                self.size = Some(size);
                size
            }
        };
        self.writer.write_all(b"FRAME\n")?;
        self.writer.write_all(&scaled(picture, width, height).i420)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::media::capture::file_y4m::Y4mReader;

    #[test]
    fn what_was_shown_is_read_back_in_the_first_size() {
        let path = std::env::temp_dir().join(format!("tincan-sink-{}.y4m", std::process::id()));
        let shade = |side, shade| Picture::new(side, side, vec![shade; Picture::bytes(side, side)]).unwrap();
        let mut sink = Y4mSink::create(&path).unwrap();
        sink.write(&shade(32, 50)).unwrap();
        sink.write(&shade(64, 90)).unwrap();
        drop(sink);
        let mut reader = Y4mReader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
        let read: Vec<Picture> = std::iter::from_fn(|| reader.next().unwrap()).collect();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read, [shade(32, 50), shade(32, 90)]);
    }
}
