//! The far picture, kept as a PNG in the folder for pictures. Turned into colours and written on a thread of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use jiff::tz::TimeZone;

use super::textures::rgba_of;
use crate::call::Picture;

/// Keeps one picture after the other.
#[derive(Default)]
pub struct Snapshots {
    under_way: Option<Receiver<Result<PathBuf, String>>>,
}

impl Snapshots {
    /// Begins to keep a picture of somebody; `done` is called when [`finished`](Self::finished) has something to say.
    /// False while the one before is still being written.
    #[expect(clippy::disallowed_methods, reason = "the file is named after the time at which it is made")]
    pub fn keep(
        &mut self,
        picture: Picture,
        name: &str,
        zone: &TimeZone,
        done: impl FnOnce() + Send + 'static,
    ) -> bool {
        if self.under_way.is_some() {
            return false;
        }
        let now = std::time::SystemTime::now();
        let time = jiff::Timestamp::try_from(now).map(|at| at.to_zoned(zone.clone())).ok();
        let time = time.map(|at| at.strftime("%Y-%m-%d %H.%M.%S").to_string()).unwrap_or_default();
        let file = file_name(&time, name);
        let (send, receive) = sync_channel(1);
        let started = std::thread::Builder::new().name("snapshot".to_owned()).spawn(move || {
            let kept = pictures_folder()
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
                .and_then(|folder| write(&picture, &folder, &file))
                .map_err(|error| error.to_string());
            // Nobody waits for it any more when the window is gone.
            let _ = send.send(kept);
            done();
        });
        if started.is_ok() {
            self.under_way = Some(receive);
        }
        started.is_ok()
    }

    /// What became of the last one, told once: where it is, or what the system said.
    pub fn finished(&mut self) -> Option<Result<PathBuf, String>> {
        let told = self.under_way.as_ref()?.try_recv();
        match told {
            Ok(result) => {
                self.under_way = None;
                Some(result)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.under_way = None;
                Some(Err(io::Error::from(io::ErrorKind::Other).to_string()))
            }
        }
    }
}

fn pictures_folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    Some(dirs.picture_dir().unwrap_or_else(|| dirs.home_dir()).to_owned())
}

/// A name that every file system takes, whoever the far end says it is.
fn file_name(time: &str, name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '-' { c } else { ' ' })
        .take(LONGEST_NAME)
        .collect();
    let safe = safe.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("Tincan {time} {safe}").trim_end().to_owned()
}

/// Writes it under a name nobody has yet.
fn write(picture: &Picture, folder: &Path, name: &str) -> io::Result<PathBuf> {
    let mut rgba = Vec::new();
    if !rgba_of(picture, &mut rgba) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    fs::create_dir_all(folder)?;
    let (path, file) = fresh(folder, name)?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&rgba)?;
        writer.finish()
    });
    if let Err(error) = written {
        // Half a picture is of no use.
        let _ = fs::remove_file(&path);
        return Err(io::Error::other(error));
    }
    Ok(path)
}

fn fresh(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    for number in 1..=MOST_TRIES {
        let again = if number == 1 { String::new() } else { format!(" ({number})") };
        let path = folder.join(format!("{name}{again}.png"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (path, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Characters of a person's name in a file's.
const LONGEST_NAME: usize = 40;
/// Names that are tried before giving up.
const MOST_TRIES: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name("2026-11-21 08.00.00", "../../etc/林"), "Tincan 2026-11-21 08.00.00 etc 林");
        assert_eq!(file_name("t", "///"), "Tincan t");
    }

    #[test]
    fn two_pictures_of_one_second_are_two_files() {
        let folder = std::env::temp_dir().join(format!("tincan-snapshot-{}", std::process::id()));
        let picture = Picture::new(16, 16, vec![128; 384]).expect("a picture");
        let one = write(&picture, &folder, "a").expect("written");
        let other = write(&picture, &folder, "a").expect("written");
        assert_ne!(one, other);
        let image = png::Decoder::new(io::BufReader::new(File::open(&one).expect("a file")));
        assert_eq!(image.read_info().expect("a PNG").info().size(), (16, 16));
        fs::remove_dir_all(folder).expect("removed");
    }
}
