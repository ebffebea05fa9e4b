//! Coded pictures and packets into an MP4 that plays however it ends.
//!
//! It is written in fragments of about a second, and nothing that was written is touched before the end. At the end the
//! tables of an ordinary MP4 are appended, and a small free box at the begin becomes the head of one large `mdat` that
//! holds all the fragments: players then see a plain, seekable file.

use std::io::{self, Seek, SeekFrom, Write};

use bytes::Bytes;

use super::mp4_boxes::{
    self, BoxError, Coding, MDAT_HEAD, PICTURE_SCALE, Run, SOUND_SCALE, Sample, Table, fragment,
};
use super::sound_encoder::PACKET;

/// A fragment is written once it holds so much sound, in ticks: a second.
const FRAGMENT: u64 = SOUND_SCALE as u64;
/// How long the last picture stays, in ticks.
const LAST_PICTURE: u64 = PICTURE_SCALE as u64 / 25;
/// Bytes of the box that becomes the head of the large `mdat`: the long form of a head.
const LONG_HEAD: u64 = 16;

/// Why a recording cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mp4Error {
    /// The disk.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Us.
    #[error("{0}")]
    Box(#[from] BoxError),
}

/// Writes one file.
pub(crate) struct Mp4Writer<W> {
    out: W,
    coding: Coding,
    /// Bytes that are safely part of the file.
    length: u64,
    /// Where the box lies that becomes the head of the large `mdat`.
    placeholder: u64,
    fragments: u32,
    pictures: Pending,
    sound: Pending,
    /// The picture whose end is not known yet: its begin, in ticks.
    open_picture: Option<(u64, bool, Bytes)>,
}

/// What waits for the next fragment, and what went before.
#[derive(Default)]
struct Pending {
    run: Run,
    bytes: Vec<u8>,
    table: Table,
    /// When the next run begins, in ticks.
    next: u64,
}

impl Pending {
    fn add(&mut self, sample: Sample, bytes: &[u8]) {
        self.run.samples.push(sample);
        self.bytes.extend_from_slice(bytes);
        self.next += u64::from(sample.duration);
    }
}

impl<W: Write + Seek> Mp4Writer<W> {
    /// Begins a file.
    pub(crate) fn new(mut out: W, coding: Coding) -> Result<Self, Mp4Error> {
        let mut head = Vec::new();
        mp4_boxes::file_type(&mut head)?;
        let placeholder = head.len() as u64;
        head.extend_from_slice(&(LONG_HEAD as u32).to_be_bytes());
        head.extend_from_slice(b"free");
        head.extend_from_slice(&[0; 8]);
        mp4_boxes::movie_in_fragments(&coding, &mut head)?;
        out.write_all(&head)?;
        Ok(Self {
            out,
            coding,
            length: head.len() as u64,
            placeholder,
            fragments: 0,
            pictures: Pending::default(),
            sound: Pending::default(),
            open_picture: None,
        })
    }

    /// Adds a picture that is shown from then on, in microseconds. The first one is shown from the begin.
    pub(crate) fn picture(&mut self, micros: i64, key: bool, nal_units: Bytes) {
        let begins = u64::try_from(micros).unwrap_or(0) * u64::from(PICTURE_SCALE) / 1_000_000;
        match self.open_picture.take() {
            None => self.open_picture = Some((0, key, nal_units)),
            Some(before) => {
                // One tick at least: two pictures of one moment would confuse players.
                let begins = begins.max(before.0 + 1);
                self.close_picture(before, begins);
                self.open_picture = Some((begins, key, nal_units));
            }
        }
    }

    /// Adds a packet of sound after those before it.
    pub(crate) fn sound(&mut self, packet: &[u8]) -> Result<(), Mp4Error> {
        let bytes = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        self.sound.add(Sample { bytes, duration: PACKET, key: true }, packet);
        if self.sound.next - self.sound.run.begins >= FRAGMENT { self.write_fragment() } else { Ok(()) }
    }

    /// Bytes of the file that are whole; what lies beyond them after an error is not.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Writes what waits, and makes an ordinary MP4 of it.
    pub(crate) fn finish(&mut self) -> Result<(), Mp4Error> {
        if let Some(last) = self.open_picture.take() {
            let sound_ends = self.sound.next * u64::from(PICTURE_SCALE) / u64::from(SOUND_SCALE);
            let ends = sound_ends.max(last.0 + LAST_PICTURE);
            self.close_picture(last, ends);
        }
        self.write_fragment()?;
        let mut tables = Vec::new();
        mp4_boxes::whole_movie(&self.coding, &self.pictures.table, &self.sound.table, &mut tables)?;
        self.out.write_all(&tables)?;
        self.out.flush()?;
        // The tables are there: only now the fragments may vanish into one box.
        let mut head = Vec::with_capacity(LONG_HEAD as usize);
        head.extend_from_slice(&1_u32.to_be_bytes());
        head.extend_from_slice(b"mdat");
        head.extend_from_slice(&(self.length - self.placeholder).to_be_bytes());
        self.out.seek(SeekFrom::Start(self.placeholder))?;
        self.out.write_all(&head)?;
        self.out.flush()?;
        self.length += tables.len() as u64;
        Ok(())
    }

    fn close_picture(&mut self, (begins, key, nal_units): (u64, bool, Bytes), ends: u64) {
        let bytes = u32::try_from(nal_units.len()).unwrap_or(u32::MAX);
        let duration = u32::try_from(ends - begins).unwrap_or(u32::MAX);
        self.pictures.add(Sample { bytes, duration, key }, &nal_units);
    }

    fn write_fragment(&mut self) -> Result<(), Mp4Error> {
        if self.pictures.run.samples.is_empty() && self.sound.run.samples.is_empty() {
            return Ok(());
        }
        let mut head = Vec::new();
        fragment(self.fragments + 1, &self.pictures.run, &self.sound.run, &mut head)?;
        let samples = MDAT_HEAD + self.pictures.run.bytes() + self.sound.run.bytes();
        let samples = u32::try_from(samples).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        head.extend_from_slice(&samples.to_be_bytes());
        head.extend_from_slice(b"mdat");
        let mut at = self.length + head.len() as u64;
        head.append(&mut self.pictures.bytes);
        head.append(&mut self.sound.bytes);
        self.out.write_all(&head)?;
        self.fragments += 1;
        self.length += head.len() as u64;
        for track in [&mut self.pictures, &mut self.sound] {
            track.table.add(&track.run, at);
            at += track.run.bytes();
            track.run = Run { begins: track.next, samples: Vec::new() };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
