use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::super::read_back::{samples_by_fragments, samples_by_tables};
use super::super::tap::{Side, Tap};
use super::*;
use crate::media::capture::test_picture::{draw, read_time};
use crate::media::capture::test_tone::{ToneDetector, fill};
use crate::media::codec::video_decoder::{Decoded, VideoDecoder};

/// A folder for one test, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tincan-recorder-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The system's time at which the recordings begin: a full second, in milliseconds since 1970.
const BEGIN: u64 = 1_793_000_123_000;

/// A recorder in virtual time, a tap that leads to it, and what both see.
struct Studio {
    recorder: Recorder,
    basin: Arc<Basin>,
    tap: Tap,
    start: Instant,
    path: PathBuf,
    _folder: Scratch,
}

impl Studio {
    fn new() -> Self {
        let folder = Scratch::new();
        let (file, path) = create(&folder.path().join("call.mp4")).unwrap();
        let (tap, basin) = (Tap::default(), Arc::default());
        tap.lead_to(&basin);
        let recorder = Recorder::new(file, Layout::SideBySide);
        Self { recorder, basin, tap, start: Instant::now(), path, _folder: folder }
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.start + Duration::from_millis(milliseconds)
    }

    /// What happens in these milliseconds: pictures 25 a second, sound in tens of milliseconds, the recorder every forty.
    fn pass(&mut self, from: u64, to: u64, pictures: bool) {
        for now in (from..to).step_by(10) {
            let mut tone = Vec::new();
            fill((BEGIN + now) * 48, 480, &mut tone);
            self.tap.sound(Side::Far, &tone, self.at(now));
            if pictures && now % 40 == 10 {
                self.tap.picture(Side::Far, &draw(320, 180, BEGIN + now), self.at(now));
            }
            if now % 40 == 20 {
                let taken = self.basin.take();
                self.recorder.step(taken, self.at(now)).unwrap();
            }
        }
    }

    fn finish(mut self, at: u64) -> Vec<u8> {
        self.tap.set_on(false, self.at(at));
        self.recorder.step(self.basin.take(), self.at(at)).unwrap();
        self.recorder.finish().unwrap();
        std::fs::read(&self.path).unwrap()
    }
}

/// The pictures of a file: when they are shown, in milliseconds.
fn pictures(file: &[u8]) -> Vec<(u64, Picture)> {
    let config = file.windows(4).position(|word| word == b"avcC").unwrap();
    let mut decoder = VideoDecoder::new();
    decoder.configure(&file[config + 4..]);
    let mut shown = Vec::new();
    for (n, (moment, nal_units)) in samples_by_tables(file, 0).into_iter().enumerate() {
        if let Decoded::Picture(picture) = decoder.decode(n == 0, &nal_units) {
            shown.push((moment / 90, picture));
        }
    }
    shown
}

/// The sound of a file, both sides as one, from its begin on.
fn sound(file: &[u8]) -> Vec<f32> {
    let mut decoder = opus::Decoder::new(48_000, opus::Channels::Stereo).unwrap();
    let mut samples = Vec::new();
    let mut block = [0.0; 1920];
    for (_, packet) in samples_by_tables(file, 1) {
        let count = decoder.decode_float(&packet, &mut block, false).unwrap();
        samples.extend(block[..count * 2].chunks_exact(2).map(|both| both[0] + both[1]));
    }
    samples.drain(..312);
    samples
}

/// How many milliseconds after its full second each chirp is heard, if the file began at this millisecond.
fn chirps(sound: &[f32], began: u64) -> Vec<f64> {
    let mut detector = ToneDetector::new();
    let pieces = sound.chunks_exact(480).enumerate();
    pieces.filter_map(|(n, piece)| detector.hear(piece, began * 1000 + n as u64 * 10_000)).collect()
}

#[test]
fn picture_and_sound_of_one_moment_stand_at_one_moment_of_the_file() {
    let mut studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    studio.pass(0, 2_400, true);
    let file = studio.finish(2_400);
    let pictures = pictures(&file);
    assert!((55..=61).contains(&pictures.len()), "{}", pictures.len());
    for (moment, picture) in pictures.iter().skip(1) {
        let drawn = read_time(picture).expect("a test picture") - BEGIN;
        assert!(drawn.abs_diff(*moment) <= 40, "drawn {drawn}, shown {moment}");
    }
    let late = chirps(&sound(&file), BEGIN);
    assert!(!late.is_empty());
    assert!(late.iter().all(|ms| *ms < 5.0 || *ms > 995.0), "{late:?}");
}

#[test]
fn a_picture_that_was_shown_before_its_sound_stands_where_the_sound_is() {
    let mut studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    for now in (0..1_200).step_by(10) {
        if now % 40 == 10 {
            // Shown now; its sound is heard 100 ms later.
            studio.tap.picture(Side::Far, &draw(320, 180, BEGIN + now + 100), studio.at(now + 100));
        }
        if now % 40 == 20 {
            let taken = studio.basin.take();
            studio.recorder.step(taken, studio.at(now)).unwrap();
        }
    }
    let pictures = pictures(&studio.finish(1_200));
    assert!((24..=30).contains(&pictures.len()), "{}", pictures.len());
    for (moment, picture) in pictures.iter().skip(1) {
        let heard = read_time(picture).expect("a test picture") - BEGIN;
        assert!(heard.abs_diff(*moment) <= 40, "heard {heard}, shown {moment}");
    }
}

#[test]
fn what_happens_while_the_call_waits_is_no_part_of_the_file() {
    let mut studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    studio.pass(0, 1_000, true);
    studio.tap.set_on(false, studio.at(1_000));
    studio.pass(1_000, 3_000, true);
    studio.tap.set_on(true, studio.at(3_000));
    studio.pass(3_000, 4_600, true);
    let file = studio.finish(4_600);
    let length = sound(&file).len() / 48;
    assert!((2_560..=2_600).contains(&length), "{length} ms");
    for (moment, picture) in pictures(&file) {
        let drawn = read_time(&picture).expect("a test picture") - BEGIN;
        assert!(!(1_000..3_000).contains(&drawn), "a picture of {drawn} ms");
        let expected = if drawn < 1_000 { drawn } else { drawn - 2_000 };
        assert!(expected.abs_diff(moment) <= 40, "drawn {drawn}, shown {moment}");
    }
    // From the second stretch on the file is two seconds behind: a whole number, so that chirps stay on the second.
    let late = chirps(&sound(&file), BEGIN);
    assert!(late.iter().all(|ms| *ms < 5.0 || *ms > 995.0), "{late:?}");
}

#[test]
fn a_call_without_pictures_is_sound_over_a_dark_frame() {
    let mut studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    studio.pass(0, 2_000, false);
    let file = studio.finish(2_000);
    let pictures = pictures(&file);
    assert!((1..=3).contains(&pictures.len()), "{}", pictures.len());
    assert!(sound(&file).len() >= 48 * 1_970);
}

#[test]
fn a_recorder_that_is_held_up_leaves_out_pictures_and_no_sound() {
    let mut studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    studio.pass(0, 400, true);
    for now in (400..1_600).step_by(10) {
        let mut tone = Vec::new();
        fill((BEGIN + now) * 48, 480, &mut tone);
        studio.tap.sound(Side::Far, &tone, studio.at(now));
        studio.tap.picture(Side::Far, &draw(320, 180, BEGIN + now), studio.at(now));
    }
    studio.pass(1_600, 2_000, true);
    let file = studio.finish(2_000);
    assert!(pictures(&file).len() <= 23);
    let sound = sound(&file);
    let loud = sound.chunks_exact(480).filter(|piece| piece.iter().any(|s| s.abs() > 0.05)).count();
    assert!(loud >= 195, "{loud} of 200 pieces");
}

#[test]
fn a_recording_that_ends_at_once_is_still_a_file_that_opens() {
    let studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    let file = studio.finish(10);
    assert_eq!(pictures(&file).len(), 1);
}

#[test]
fn a_recorder_that_dies_leaves_all_but_the_last_second_or_two() {
    let mut studio = Studio::new();
    studio.tap.set_on(true, studio.start);
    studio.pass(0, 4_000, false);
    let file = std::fs::read(&studio.path).unwrap();
    let seconds = samples_by_fragments(&file, 2).len() as f64 / 50.0;
    assert!((2.0..=4.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_file_that_is_there_stays_and_the_new_one_gets_a_number() {
    let folder = Scratch::new();
    let wanted = folder.path().join("new").join("Ana 2026-11-26 14-03.mp4");
    let first = create(&wanted).unwrap().1;
    let second = create(&wanted).unwrap().1;
    assert_eq!(first, wanted);
    assert_eq!(second, wanted.with_file_name("Ana 2026-11-26 14-03 (2).mp4"));
}

#[test]
fn a_folder_that_cannot_be_made_is_told_in_the_systems_words() {
    let folder = Scratch::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let order = RecordingOrder { path: file.join("call.mp4"), layout: Layout::SideBySide };
    let (told, said) = std::sync::mpsc::sync_channel(1);
    let wanted = order.path.clone();
    let worker = crate::media::worker::Worker::spawn("recorder", move |stop| {
        let _ = told.send(record(&Basin::default(), &order, stop));
    });
    let news = said.recv_timeout(Duration::from_secs(10)).unwrap();
    drop(worker);
    assert!(matches!(news, RecordingNews::Failed { path, why } if path == wanted && !why.is_empty()));
}
