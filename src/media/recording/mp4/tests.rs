use std::io::Cursor;

use super::super::read_back::{boxes, inside, samples_by_fragments, samples_by_tables, u32_at, u64_at};
use super::*;
use crate::media::codec::avc_format::configuration_record;

fn coding() -> Coding {
    let (sps, pps) = ([0x67, 0x42, 0xC0, 0x1F, 7], [0x68, 9]);
    Coding { pictures: configuration_record(&sps, &pps).unwrap().to_vec(), pre_skip: 312 }
}

/// Ten seconds: 25 pictures and 50 packets a second, each with its number in it.
fn write(finished: bool) -> Vec<u8> {
    let mut writer = Mp4Writer::new(Cursor::new(Vec::new()), coding()).unwrap();
    for n in 0..500_u32 {
        if n % 2 == 0 {
            let picture = [&b"PICT"[..], &(n / 2).to_be_bytes()].concat();
            writer.picture(i64::from(n) * 20_000, n % 100 == 0, picture.into());
        }
        writer.sound(&[&b"SND"[..], &n.to_be_bytes()].concat()).unwrap();
    }
    if finished {
        writer.finish().unwrap();
    }
    writer.out.into_inner()
}

fn check(samples: &[(u64, Vec<u8>)], name: &[u8], step: u64) {
    for (n, (moment, bytes)) in samples.iter().enumerate() {
        assert_eq!(*moment, n as u64 * step);
        assert_eq!(*bytes, [name, &(n as u32).to_be_bytes()].concat());
    }
}

#[test]
fn a_finished_file_is_a_plain_one_whose_tables_lead_to_every_sample_at_its_moment() {
    let file = write(true);
    let kinds: Vec<[u8; 4]> = boxes(&file, 0).iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [*b"ftyp", *b"mdat", *b"moov"]);
    let (pictures, sound) = (samples_by_tables(&file, 0), samples_by_tables(&file, 1));
    assert_eq!((pictures.len(), sound.len()), (250, 500));
    check(&pictures, b"PICT", 3_600);
    check(&sound, b"SND", 960);
    let path: [&[u8; 4]; 6] = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stss"];
    let keys = inside(&boxes(&file, 0), &path);
    let keys: Vec<u32> = (0..5).map(|n| u32_at(keys[0].body, 8 + n * 4)).collect();
    assert_eq!(keys, [1, 51, 101, 151, 201]);
}

#[test]
fn a_file_that_was_cut_off_tells_every_sample_but_the_last_second() {
    let file = write(false);
    let (pictures, sound) = (samples_by_fragments(&file, 1), samples_by_fragments(&file, 2));
    assert!(pictures.len() >= 224 && sound.len() >= 450, "{} {}", pictures.len(), sound.len());
    check(&pictures, b"PICT", 3_600);
    check(&sound, b"SND", 960);
}

#[test]
fn a_finished_file_lasts_as_long_as_its_sound() {
    let file = write(true);
    let path: [&[u8; 4]; 2] = [b"moov", b"mvhd"];
    let head = inside(&boxes(&file, 0), &path);
    // Version 1: four bytes, two times of eight, the scale, and the duration.
    assert_eq!((u32_at(head[0].body, 20), u64_at(head[0].body, 24)), (1000, 10_000));
}

/// A disk that is full after so many bytes.
struct SmallDisk {
    file: Cursor<Vec<u8>>,
    room: usize,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.room.saturating_sub(self.file.position() as usize);
        if left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(&bytes[..bytes.len().min(left)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_full_disk_leaves_the_fragments_before_it_whole() {
    let whole = write(false).len();
    let disk = SmallDisk { file: Cursor::new(Vec::new()), room: whole / 2 };
    let mut writer = Mp4Writer::new(disk, coding()).unwrap();
    let full = (0..500_u32).find_map(|n| {
        writer.picture(i64::from(n) * 20_000, n == 0, [&b"PICT"[..], &n.to_be_bytes()].concat().into());
        writer.sound(&[&b"SND"[..], &n.to_be_bytes()].concat()).err()
    });
    assert!(matches!(full, Some(Mp4Error::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
    let length = writer.length() as usize;
    let file = &writer.out.file.get_ref()[..length];
    let sound = samples_by_fragments(file, 2);
    assert!(sound.len() >= 100, "{}", sound.len());
    check(&sound, b"SND", 960);
}
