//! A `.y4m` file as a camera: 4:2:0 in 8 bits, at the file's own rate, looped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Captured, Pace, PictureSource};
use crate::media::device_error::{DeviceError, DeviceKind};
use crate::media::picture::Picture;
use crate::media::worker::Stop;

/// An open file.
pub(crate) struct Y4mFile {
    path: PathBuf,
    frames: Y4mReader<BufReader<File>>,
    pace: Pace,
}

impl Y4mFile {
    pub(crate) fn open(path: &Path) -> Result<Self, DeviceError> {
        let frames = File::open(path)
            .and_then(|file| Y4mReader::new(BufReader::with_capacity(1 << 20, file)))
            .map_err(|error| DeviceError::file(DeviceKind::Camera, path, error))?;
        let pace = Pace::new(frames.step());
        Ok(Self { path: path.to_owned(), frames, pace })
    }
}

impl PictureSource for Y4mFile {
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        let failed = |error| DeviceError::file(DeviceKind::Camera, &self.path, error);
        let picture = match self.frames.next().map_err(failed)? {
            Some(picture) => picture,
            None => {
                self.frames.rewind().map_err(failed)?;
                let empty = || failed(io::Error::other("no picture in it"));
                self.frames.next().map_err(failed)?.ok_or_else(empty)?
            }
        };
        Ok(self.pace.wait(stop).map(|_| Captured { picture, at: Instant::now() }))
    }
}

/// Reads the frames of a Y4M stream.
pub(crate) struct Y4mReader<R> {
    reader: R,
    first_frame: u64,
    width: usize,
    height: usize,
    step: Duration,
    scratch: Vec<u8>,
}

impl<R: BufRead + Seek> Y4mReader<R> {
    /// Reads the header.
    pub(crate) fn new(mut reader: R) -> io::Result<Self> {
        let line = header_line(&mut reader)?;
        let mut words = line.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err(io::Error::other("not a Y4M file"));
        }
        let (mut width, mut height, mut step) = (0, 0, Duration::from_nanos(33_333_333));
        for word in words {
            let Some((tag, value)) = word.split_at_checked(1) else { continue };
            match tag {
                "W" => width = value.parse().unwrap_or(0),
                "H" => height = value.parse().unwrap_or(0),
                "F" => step = frame_step(value).unwrap_or(step),
                "C" if !value.starts_with("420") || value.starts_with("420p1") => {
                    return Err(io::Error::other("only 8-bit 4:2:0 is understood"));
                }
                _ => {}
            }
        }
        let even = |side: usize| u32::try_from(side & !1).unwrap_or(0);
        if !Picture::is_size(even(width), even(height)) {
            return Err(io::Error::other("its pictures have a size that cannot be used"));
        }
        let first_frame = reader.stream_position()?;
        Ok(Self { reader, first_frame, width, height, step, scratch: Vec::new() })
    }

    pub(crate) fn step(&self) -> Duration {
        self.step
    }

    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(self.first_frame)).map(|_| ())
    }

    /// The next frame; `None` at the end, and for a last frame that is cut short.
    pub(crate) fn next(&mut self) -> io::Result<Option<Picture>> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        if !header_line(&mut self.reader)?.starts_with("FRAME") {
            return Err(io::Error::other("a frame does not begin where one should"));
        }
        let (w, h) = (self.width, self.height);
        let (chroma_w, chroma_h) = (w.div_ceil(2), h.div_ceil(2));
        self.scratch.resize(w * h + 2 * chroma_w * chroma_h, 0);
        match self.reader.read_exact(&mut self.scratch) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let (y, chroma) = self.scratch.split_at(w * h);
        let (u, v) = chroma.split_at(chroma_w * chroma_h);
        Ok(crate::media::codec::video_decoder::packed(w, h, (y, u, v), (w, chroma_w, chroma_w)))
    }
}

fn header_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.by_ref().take(1024).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::Error::other("a header line does not end"));
    }
    String::from_utf8(line).map_err(io::Error::other)
}

fn frame_step(rate: &str) -> Option<Duration> {
    let (over, under) = rate.split_once(':')?;
    let (over, under) = (over.parse::<f64>().ok()?, under.parse::<f64>().ok()?);
    let per_second = over / under;
    (0.5..=240.0).contains(&per_second).then(|| Duration::from_secs_f64(1.0 / per_second))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn file(header: &str, frames: &[u8]) -> Vec<u8> {
        let mut out = format!("YUV4MPEG2 {header}\n").into_bytes();
        for shade in frames {
            out.extend_from_slice(b"FRAME\n");
            out.extend(vec![*shade; 16 * 16 * 3 / 2]);
        }
        out
    }

    #[test]
    fn frames_come_in_order_and_again_after_the_end() {
        let bytes = file("W16 H16 F25:1 Ip A1:1 C420jpeg", &[10, 20]);
        let mut reader = Y4mReader::new(Cursor::new(bytes)).unwrap();
        assert_eq!(reader.step(), Duration::from_millis(40));
        let shades: Vec<_> = std::iter::from_fn(|| reader.next().unwrap()).map(|p| p.i420[0]).collect();
        assert_eq!(shades, [10, 20]);
        reader.rewind().unwrap();
        assert_eq!(reader.next().unwrap().unwrap().i420[0], 10);
    }

    #[test]
    fn a_file_cut_short_simply_ends() {
        let mut bytes = file("W16 H16 F30:1", &[10, 20]);
        bytes.truncate(bytes.len() - 5);
        let mut reader = Y4mReader::new(Cursor::new(bytes)).unwrap();
        assert!(reader.next().unwrap().is_some());
        assert!(reader.next().unwrap().is_none());
    }

    #[test]
    fn other_layouts_are_refused() {
        for header in ["W16 H16 C444", "W16 H16 C420p10", "W0 H16", "W99999 H16"] {
            assert!(Y4mReader::new(Cursor::new(file(header, &[]))).is_err(), "{header}");
        }
        assert!(Y4mReader::new(Cursor::new(b"RIFF....".to_vec())).is_err());
    }
}
