//! The threads of the receiving side: picture decoder and player.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::shared::{FileState, Playing, Shared, SoundOrder, lock};
use crate::media::capture::test_picture;
use crate::media::capture::test_tone::ToneDetector;
use crate::media::choice::{PictureSink, SpeakerSink};
use crate::media::device_error::DeviceError;
use crate::media::picture::Picture;
use crate::media::playout::mixer::Mixer;
use crate::media::playout::speaker::Speaker;
use crate::media::playout::wav_sink::WavSink;
use crate::media::playout::y4m_sink::Y4mSink;
use crate::media::receive_pipeline::{AudioReceiver, BLOCK, VideoReceiver};
use crate::media::recording::tap::Side;
use crate::media::worker::Stop;

/// Decodes what comes and shows each picture at its moment.
pub(super) fn run_video(shared: &Arc<Shared>, stop: &Stop) {
    let mut receiver = VideoReceiver::new();
    while !stop.is_set() {
        let now = Instant::now();
        let patience = Duration::from_millis(50);
        let until_due = receiver.next_due().map_or(patience, |due| due.saturating_duration_since(now));
        if !until_due.is_zero() {
            shared.video_signal.wait(until_due.min(patience));
        }
        while let Some((coded, gap)) = next_coded(shared) {
            let started = Instant::now();
            receiver.push(&coded, gap, started, &mut lock(&shared.sync));
            lock(&shared.counters).decode.add(started.elapsed());
        }
        let now = Instant::now();
        if let Some((timestamp, picture)) = receiver.show(now) {
            show(shared, timestamp, picture, now);
        }
        if receiver.take_key_request(now) {
            shared.key_needed.store(true, Ordering::Release);
            shared.wake();
        }
    }
}

fn next_coded(shared: &Shared) -> Option<(crate::media::receive_pipeline::CodedVideo, bool)> {
    lock(&shared.video_inbox).pop()
}

fn show(shared: &Shared, timestamp: u32, picture: Picture, now: Instant) {
    let drawn = test_picture::read_time(&picture);
    lock(&shared.sync).on_picture(timestamp, now);
    {
        let mut counters = lock(&shared.counters);
        counters.shown += 1;
        counters.receive_size = Some((picture.width, picture.height));
        counters.receive_rate.tick(now);
        counters.freeze.on_shown(now);
        counters.first_picture.get_or_insert(now);
        if let Some(drawn) = drawn {
            let age = test_picture::system_milliseconds() as f64 - drawn as f64;
            // Another clock, or no test picture after all.
            if age.abs() < 30_000.0 {
                counters.glass_to_glass.add(age);
            }
        }
    }
    keep(shared, &picture);
    shared.tap.picture(Side::Far, &picture, now);
    shared.far_picture.put(picture);
    shared.wake();
}

fn keep(shared: &Shared, picture: &Picture) {
    let PictureSink::File(path) = &shared.picture_sink else { return };
    let mut file = lock(&shared.picture_file);
    let written = match &mut *file {
        FileState::Failed => return,
        FileState::Open(sink) => sink.write(picture),
        FileState::Unopened => Y4mSink::create(path).and_then(|mut sink| {
            sink.write(picture)?;
            *file = FileState::Open(sink);
            Ok(())
        }),
    };
    if let Err(error) = written {
        *file = FileState::Failed;
        shared.notice(error);
    }
}

/// Plays the far end's sound and the program's own until nothing is left to play for a while, or told to stop.
pub(super) fn run_player(shared: &Arc<Shared>, stop: &Stop) {
    let mut player = Player::new();
    while !stop.is_set() {
        if !player.take_orders(shared) {
            return;
        }
        player.take_packets(shared);
        player.play(shared, stop);
    }
    lock(&shared.playing).has_player = false;
}

struct Player {
    output: Output,
    sink: SpeakerSink,
    sink_changes: u64,
    receptions: u64,
    receiver: Option<AudioReceiver>,
    detector: ToneDetector,
    mixer: Mixer,
    last_needed: Instant,
    /// What was said of the loudspeaker since it last took sound.
    told: Vec<DeviceError>,
}

enum Output {
    Device(Box<Speaker>),
    /// Ten milliseconds at a time by the clock: for files, for nothing, and while a device is away.
    Paced {
        next: Instant,
        /// When to look for the device again.
        retry: Option<Instant>,
    },
}

/// The loudspeaker stays open so long after the last sound: the next one often follows.
const LINGER: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(10);

impl Player {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            output: Output::Paced { next: now, retry: None },
            sink: SpeakerSink::None,
            sink_changes: 0,
            receptions: 0,
            receiver: None,
            detector: ToneDetector::new(),
            mixer: Mixer::default(),
            last_needed: now,
            told: Vec::new(),
        }
    }

    /// Whether to go on playing.
    fn take_orders(&mut self, shared: &Shared) -> bool {
        let now = Instant::now();
        let mut playing = lock(&shared.playing);
        match playing.order.take() {
            Some(SoundOrder::Play(sound)) => self.mixer.play(sound),
            Some(SoundOrder::Stop) => self.mixer.stop(),
            None => {}
        }
        self.follow_reception(&playing);
        if playing.receiving || playing.kept_ready || self.mixer.is_playing() {
            self.last_needed = now;
        } else if now.saturating_duration_since(self.last_needed) > LINGER {
            // Said under the lock, so whoever orders a sound next starts a new player.
            playing.has_player = false;
            return false;
        }
        if playing.sink_changes != self.sink_changes {
            self.sink_changes = playing.sink_changes;
            self.sink = playing.sink.clone();
            drop(playing);
            self.told.clear();
            self.output = Output::Paced { next: now, retry: self.is_device().then_some(now) };
        } else {
            drop(playing);
        }
        if let Output::Paced { retry: Some(at), .. } = self.output
            && at <= now
        {
            self.open_device(shared);
        }
        true
    }

    fn follow_reception(&mut self, playing: &Playing) {
        if !playing.receiving {
            self.receiver = None;
        } else if self.receiver.is_none() || self.receptions != playing.receptions {
            self.receptions = playing.receptions;
            self.detector = ToneDetector::new();
            self.receiver =
                AudioReceiver::new().inspect_err(|error| tracing::error!(%error, "no Opus decoder")).ok();
        }
    }

    fn is_device(&self) -> bool {
        matches!(self.sink, SpeakerSink::Default | SpeakerSink::Named(_))
    }

    /// Opens the chosen loudspeaker, or the default one in its place.
    fn open_device(&mut self, shared: &Shared) {
        let opened = match &self.sink {
            SpeakerSink::Named(name) => Speaker::open(Some(name)).or_else(|error| {
                tell_once(&mut self.told, shared, error);
                Speaker::open(None)
            }),
            SpeakerSink::Default => Speaker::open(None),
            SpeakerSink::File(_) | SpeakerSink::None => return,
        };
        self.output = match opened {
            Ok(speaker) => Output::Device(Box::new(speaker)),
            Err(error) => {
                tell_once(&mut self.told, shared, error);
                let now = Instant::now();
                Output::Paced { next: now, retry: Some(now + RETRY) }
            }
        };
    }

    fn take_packets(&mut self, shared: &Shared) {
        let arrived = std::mem::take(&mut *lock(&shared.audio_inbox));
        let Some(receiver) = &mut self.receiver else { return };
        for sound in arrived {
            receiver.push(sound.timestamp, sound.packet, sound.at);
        }
    }

    fn play(&mut self, shared: &Shared, stop: &Stop) {
        let now = Instant::now();
        // Taken out for the time being, so that making a block may borrow the rest.
        let paced = Output::Paced { next: now, retry: None };
        match std::mem::replace(&mut self.output, paced) {
            Output::Device(mut speaker) => {
                if let Err(error) = speaker.check(now) {
                    tell_once(&mut self.told, shared, error);
                    self.output = Output::Paced { next: now, retry: Some(now + Duration::from_millis(300)) };
                    return;
                }
                while speaker.has_room() {
                    let block = self.block(shared, Instant::now(), speaker.delay());
                    speaker.write(&block);
                    // It takes sound: what failed before is over.
                    self.told.clear();
                }
                self.output = Output::Device(speaker);
                thread::park_timeout(Duration::from_millis(5));
            }
            Output::Paced { mut next, retry } => {
                if now.saturating_duration_since(next) > FAR_BEHIND {
                    next = now;
                }
                while next <= now {
                    let block = self.block(shared, next, Duration::ZERO);
                    self.write_file(shared, &block);
                    next += STEP;
                }
                self.output = Output::Paced { next, retry };
                stop.sleep_until(next);
            }
        }
    }

    /// The next 10 ms, to be heard so long after now.
    fn block(&mut self, shared: &Shared, now: Instant, delay: Duration) -> [f32; BLOCK] {
        let mut samples = [0.0; BLOCK];
        if let Some(receiver) = &mut self.receiver {
            let block = receiver.pull(now);
            samples = block.samples;
            let heard = now + delay;
            if let Some(timestamp) = block.timestamp {
                lock(&shared.sync).on_sound(timestamp, heard, now);
            }
            shared.tap.sound(Side::Far, &samples, heard);
            let chirp = self.detector.hear(&samples, system_micros(heard));
            shared.far_level.hear(&samples);
            let mut counters = lock(&shared.counters);
            if block.timestamp.is_some() {
                counters.first_sound.get_or_insert(heard);
            }
            counters.sound_played += STEP;
            counters.sound_concealed += Duration::from_millis(u64::from(block.concealed_ms));
            counters.buffer_ms = receiver.target_ms();
            if let Some(late) = chirp {
                counters.mouth_to_ear.add(late);
            }
            drop(counters);
            let volume = f32::from_bits(shared.far_volume.load(Ordering::Relaxed));
            self.mixer.set_volume(&mut samples, volume);
        }
        self.mixer.mix(&mut samples);
        samples
    }

    /// From the first `start_receiving` on, a file gets everything that would have been heard.
    fn write_file(&mut self, shared: &Shared, block: &[f32]) {
        let SpeakerSink::File(path) = &self.sink else { return };
        let mut file = lock(&shared.wav_file);
        let written = match &mut *file {
            FileState::Failed => return,
            FileState::Open(sink) => sink.write(block),
            FileState::Unopened if self.receiver.is_none() => return,
            FileState::Unopened => WavSink::create(path).and_then(|mut sink| {
                sink.write(block)?;
                *file = FileState::Open(sink);
                Ok(())
            }),
        };
        if let Err(error) = written {
            *file = FileState::Failed;
            shared.notice(error);
        }
    }
}

/// Who was held up for longer starts anew instead of hurrying.
const FAR_BEHIND: Duration = Duration::from_millis(500);

/// Says what is wrong, unless that was said already: a device that is gone is looked for again and again.
fn tell_once(told: &mut Vec<DeviceError>, shared: &Shared, error: DeviceError) {
    if !told.contains(&error) {
        shared.notice(error.clone());
        told.push(error);
    }
}

/// Microseconds since 1970 at a moment near now.
fn system_micros(at: Instant) -> u64 {
    let now = Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = (since + at.saturating_duration_since(now)).saturating_sub(now.saturating_duration_since(at));
    u64::try_from(then.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;
    use crate::media::device_error::{DeviceKind, Problem};

    #[test]
    fn a_loudspeaker_that_stays_away_is_said_to_be_missing_once() {
        let shared = Shared::new(Arc::new(|| ()), SpeakerSink::Default, PictureSink::None);
        let mut told = Vec::new();
        let stopped = DeviceError::new(DeviceKind::Speaker, Problem::Stopped);
        let missing = DeviceError::new(DeviceKind::Speaker, Problem::NotFound);
        let other = DeviceError::new(DeviceKind::Microphone, Problem::NotFound);
        tell_once(&mut told, &shared, stopped.clone());
        tell_once(&mut told, &shared, missing.clone());
        shared.notice(other.clone());
        tell_once(&mut told, &shared, missing.clone());
        let said: Vec<_> = iter::from_fn(|| shared.take_notice()).collect();
        assert_eq!(said, [stopped, missing, other]);
    }
}
