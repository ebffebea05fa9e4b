//! The thread that records: takes what lies in the tap, lets the others decide, and writes the file.
//!
//! It gives way to everything else: on a busy computer it leaves out pictures, never sound, and nobody waits for it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::composer::{Composer, Layout};
use super::mp4::Mp4Writer;
use super::mp4_boxes::Coding;
use super::sound_encoder::SoundEncoder;
use super::sound_mix::SoundMix;
use super::tap::{Basin, Happened, Seen, Taken};
use super::timeline::Timeline;
use crate::media::codec::video_encoder::VideoEncoder;
use crate::media::picture::Picture;
use crate::media::stream::Stream;
use crate::media::worker::Stop;

/// What is to be recorded, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordingOrder {
    /// The file. One that is there already stays, and the new one gets a number. Its folder is made if it is missing.
    pub path: PathBuf,
    /// How the pictures lie.
    pub layout: Layout,
}

/// What became of a recording.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecordingNews {
    /// It ended as it should, and lies there.
    Kept(PathBuf),
    /// It could not begin or go on; what the system said. What was written before plays.
    Failed {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Pictures come this often at most.
const PICTURE_EVERY: Duration = Duration::from_millis(40);
/// And this often at least.
const PICTURE_AT_LEAST: i64 = 1_000_000;
/// The first picture is waited for, so that the file does not begin with nothing to see.
const FIRST_PICTURE_WITHIN: i64 = 700_000;
/// A picture that no other follows is of a camera that was switched off, in microseconds.
const STALE: i64 = 5_000_000;
/// Sound is given so long to arrive before its moment is mixed: what is heard later than it is decoded, the longest.
const SOUND_WITHIN: i64 = 300_000;
/// A picture that stands alone this often: players seek to those. In microseconds.
const KEY_EVERY: i64 = 4_000_000;
/// Far pictures that may wait for their sound: three tenths of a second.
const MOST_AHEAD: usize = 8;
const BITS_PER_SECOND: u32 = 1_500_000;
/// Files of one name before it is given up.
const MOST_OF_ONE_NAME: u32 = 999;

/// Records what flows into the basin until told to stop, and says what became of it.
pub(crate) fn record(basin: &Basin, order: &RecordingOrder, stop: &Stop) -> RecordingNews {
    give_way();
    let (file, path) = match create(&order.path) {
        Ok(created) => created,
        Err(error) => return RecordingNews::Failed { path: order.path.clone(), why: error.to_string() },
    };
    let mut recorder = Recorder::new(file, order.layout);
    match recorder.run(basin, stop) {
        Ok(()) => RecordingNews::Kept(path),
        Err(failed) => {
            // What is half written would only confuse a player.
            recorder.cut_off();
            RecordingNews::Failed { path, why: failed.0 }
        }
    }
}

/// Anything that ends a recording, in the system's words.
#[derive(Debug)]
struct Failed(String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

struct Recorder {
    file: Option<File>,
    writer: Option<Mp4Writer<File>>,
    spare: Option<File>,
    timeline: Timeline,
    mix: SoundMix,
    sound: Option<SoundEncoder>,
    /// Packets from before the file could begin.
    early: Vec<bytes::Bytes>,
    composer: Composer,
    pictures: Option<VideoEncoder>,
    own: Option<i64>,
    far: Option<i64>,
    /// Far pictures whose sound is still to be heard.
    ahead: VecDeque<(i64, Picture)>,
    /// A picture came or went since the last that was written.
    changed: bool,
    /// When the last written picture was, and the last that stands alone.
    last: Option<i64>,
    last_key: i64,
}

impl Recorder {
    fn new(file: File, layout: Layout) -> Self {
        Self {
            spare: file.try_clone().ok(),
            file: Some(file),
            writer: None,
            timeline: Timeline::default(),
            mix: SoundMix::default(),
            sound: None,
            early: Vec::new(),
            composer: Composer::new(layout),
            pictures: None,
            own: None,
            far: None,
            ahead: VecDeque::new(),
            changed: false,
            last: None,
            last_key: 0,
        }
    }

    fn run(&mut self, basin: &Basin, stop: &Stop) -> Result<(), Failed> {
        let mut next = Instant::now();
        while stop.sleep_until(next) {
            let now = Instant::now();
            self.step(basin.take(), now)?;
            // Whoever is late leaves out pictures instead of hurrying.
            next = (next + PICTURE_EVERY).max(Instant::now());
        }
        self.step(basin.take(), Instant::now())?;
        self.finish()
    }

    fn step(&mut self, taken: Taken, now: Instant) -> Result<(), Failed> {
        for one in taken.happened {
            match one {
                Happened::WentOn(at) => self.timeline.go_on(at),
                Happened::StoodStill(at) => {
                    // All that was heard until then, and nothing after it.
                    if let Some(end) = self.timeline.micros(at) {
                        self.give_sound(end)?;
                    }
                    self.timeline.stand_still(at);
                    self.mix.interrupt();
                    self.ahead.clear();
                }
                Happened::Sound { side, at, samples } => {
                    if let Some(micros) = self.timeline.micros(at) {
                        self.mix.push(side, micros * 48 / 1000, &samples);
                    }
                }
            }
        }
        let Some(micros) = self.timeline.micros(now) else { return Ok(()) };
        self.give_sound(micros - SOUND_WITHIN)?;
        self.look(taken.own, taken.far, micros);
        self.give_picture(micros)
    }

    fn give_sound(&mut self, until: i64) -> Result<(), Failed> {
        let encoder = match &mut self.sound {
            Some(encoder) => encoder,
            None => self.sound.insert(SoundEncoder::new()?),
        };
        self.mix.pull(until * 48 / 1000, encoder.waiting());
        for packet in encoder.packets()? {
            match &mut self.writer {
                Some(writer) => writer.sound(&packet)?,
                None => self.early.push(packet),
            }
        }
        Ok(())
    }

    /// Takes the newest pictures, and notices those that no other followed.
    fn look(&mut self, own: Option<Seen>, far: Option<Seen>, now: i64) {
        let timeline = self.timeline;
        let moment = |seen: &Seen| timeline.micros(seen.at).unwrap_or(now);
        if let Some(seen) = own {
            self.own = Some(moment(&seen));
            self.composer.set_own(Some(seen.picture));
            self.changed = true;
        } else if self.own.is_some_and(|at| now - at > STALE) {
            self.own = None;
            self.composer.set_own(None);
            self.changed = true;
        }
        if let Some(seen) = far {
            self.ahead.push_back((moment(&seen), seen.picture));
        }
        let mut due = None;
        while self.ahead.len() > MOST_AHEAD || self.ahead.front().is_some_and(|(at, _)| *at <= now) {
            due = self.ahead.pop_front();
        }
        if let Some((at, picture)) = due {
            self.far = Some(at.min(now));
            self.composer.set_far(Some(picture));
            self.changed = true;
        } else if self.far.is_some_and(|at| now - at > STALE) {
            self.far = None;
            self.composer.set_far(None);
            self.changed = true;
        }
    }

    fn give_picture(&mut self, now: i64) -> Result<(), Failed> {
        let has_picture = self.own.is_some() || self.far.is_some();
        let due = match self.last {
            None => has_picture || now >= FIRST_PICTURE_WITHIN,
            Some(last) => self.changed || now - last >= PICTURE_AT_LEAST,
        };
        if !due {
            return Ok(());
        }
        // The moment of what is newest in it; for a picture that is only shown again, now.
        let newest = self.own.into_iter().chain(self.far).max().filter(|_| self.changed);
        let moment = newest.unwrap_or(now).max(self.last.map_or(0, |last| last + 1_000));
        let picture = self.composer.compose();
        self.changed = false;
        self.encode(&picture, moment)
    }

    fn encode(&mut self, picture: &Picture, moment: i64) -> Result<(), Failed> {
        let encoder = match &mut self.pictures {
            Some(encoder) => encoder,
            None => self.pictures.insert(VideoEncoder::for_stream(
                Stream::Camera,
                picture,
                BITS_PER_SECOND,
                25.0,
            )?),
        };
        if moment - self.last_key >= KEY_EVERY {
            encoder.request_key();
        }
        let milliseconds = u64::try_from(moment / 1_000).unwrap_or(0);
        let Some(coded) = encoder.encode(picture, milliseconds, milliseconds as u32)? else { return Ok(()) };
        if coded.key {
            self.last_key = moment;
        }
        if self.writer.is_none() {
            let (Some(config), Some(file), Some(sound)) = (coded.config, self.file.take(), &mut self.sound)
            else {
                return Err(Failed("the first picture does not stand alone".to_owned()));
            };
            let coding = Coding { pictures: config.to_vec(), pre_skip: sound.pre_skip() };
            let writer = self.writer.insert(Mp4Writer::new(file, coding)?);
            for packet in self.early.drain(..) {
                writer.sound(&packet)?;
            }
        }
        if let Some(writer) = &mut self.writer {
            writer.picture(moment, coded.key, coded.nal_units);
        }
        self.last = Some(moment);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failed> {
        if self.writer.is_none() {
            // So short that no picture was due: an empty file would not open.
            let picture = self.composer.compose();
            self.give_sound(0)?;
            self.encode(&picture, 0)?;
        }
        match &mut self.writer {
            Some(writer) => Ok(writer.finish()?),
            None => Err(Failed("nothing was recorded".to_owned())),
        }
    }

    /// Lets the file end with its last whole fragment.
    fn cut_off(&mut self) {
        let length = self.writer.as_ref().map_or(0, Mp4Writer::length);
        if let Some(Err(error)) = self.spare.as_ref().map(|file| file.set_len(length)) {
            tracing::warn!(%error, "the recording could not be cut off");
        }
    }
}

/// Makes the file, and its folder; beside one of the same name, with a number.
fn create(wanted: &Path) -> io::Result<(File, PathBuf)> {
    if let Some(folder) = wanted.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    for number in 1..=MOST_OF_ONE_NAME {
        let path = numbered(wanted, number);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The n-th file that would be called so: `name.mp4`, `name (2).mp4`, …
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number <= 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(" ({number})"));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Whatever the call needs goes first.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10) {
        tracing::debug!(%error, "the recorder keeps its priority");
    }
}

#[cfg(test)]
mod tests;
