//! The threads of the receiving side: picture decoder and player.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::loudspeaker::Loudspeaker;
use super::shared::{FileState, Playing, Shared, SoundOrder, lock};
use crate::media::capture::test_picture;
use crate::media::capture::test_tone::ToneDetector;
use crate::media::choice::{PictureSink, SpeakerSink};
use crate::media::picture::Picture;
use crate::media::playout::mixer::Mixer;
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
            let mut waits = None;
            // The player asks the same lock for every 10 ms of sound: it is not held while a picture is decoded.
            receiver.push(&coded, gap, started, |stamp| {
                let ready = Instant::now();
                let due = lock(&shared.sync).due(stamp, ready);
                waits = Some((ready, due.saturating_duration_since(ready)));
                due
            });
            let Some((ready, wait)) = waits else { continue };
            let mut counters = lock(&shared.counters);
            counters.before_decoding.add(started.saturating_duration_since(coded.arrived));
            counters.decode.add(ready - started);
            counters.before_showing.add(wait);
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
    let lead_ms = {
        let mut sync = lock(&shared.sync);
        sync.on_picture(timestamp, now);
        -sync.skew_ms().unwrap_or(0.0)
    };
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
    shared.tap.picture(Side::Far, &picture, later(now, lead_ms));
    shared.far_picture.put(picture);
    shared.wake();
}

/// The moment so many milliseconds later, or earlier below zero: a recording puts a picture where its sound is heard.
fn later(at: Instant, milliseconds: f64) -> Instant {
    let by = Duration::from_secs_f64((milliseconds.abs() / 1000.0).min(1.0));
    if milliseconds < 0.0 { at.checked_sub(by).unwrap_or(at) } else { at + by }
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
        shared.problem(error);
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
        player.play(shared);
    }
    lock(&shared.playing).has_player = false;
}

struct Player {
    loudspeaker: Loudspeaker,
    /// When the next 10 ms are due while no loudspeaker asks for them: for files, for nothing, and while a device is away.
    next: Instant,
    sink: SpeakerSink,
    sink_changes: u64,
    receptions: u64,
    receiver: Option<AudioReceiver>,
    detector: ToneDetector,
    mixer: Mixer,
    last_needed: Instant,
}

/// The loudspeaker stays open so long after the last sound: the next one often follows.
const LINGER: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(10);

impl Player {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            loudspeaker: Loudspeaker::default(),
            next: now,
            sink: SpeakerSink::None,
            sink_changes: 0,
            receptions: 0,
            receiver: None,
            detector: ToneDetector::new(),
            mixer: Mixer::default(),
            last_needed: now,
        }
    }

    /// Whether to go on playing.
    fn take_orders(&mut self, shared: &Arc<Shared>) -> bool {
        let now = Instant::now();
        let mut playing = lock(&shared.playing);
        match playing.order.take() {
            Some(SoundOrder::Play(sound)) => self.mixer.play(sound),
            Some(SoundOrder::Stop) => self.mixer.stop(),
            None => {}
        }
        self.follow_reception(shared, &playing);
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
            self.loudspeaker.choose(shared, &self.sink);
        }
        true
    }

    fn follow_reception(&mut self, shared: &Shared, playing: &Playing) {
        if !playing.receiving {
            if self.receiver.take().is_some() {
                // A block that was being made when the reception was stopped may have raised it again.
                shared.far_level.set(0.0);
            }
        } else if self.receiver.is_none() || self.receptions != playing.receptions {
            self.receptions = playing.receptions;
            self.detector = ToneDetector::new();
            self.receiver =
                AudioReceiver::new().inspect_err(|error| tracing::error!(%error, "no Opus decoder")).ok();
        }
    }

    fn take_packets(&mut self, shared: &Shared) {
        let arrived = std::mem::take(&mut *lock(&shared.audio_inbox));
        let Some(receiver) = &mut self.receiver else { return };
        for sound in arrived {
            receiver.push(sound.timestamp, sound.packet, sound.at);
        }
    }

    fn play(&mut self, shared: &Shared) {
        let now = Instant::now();
        // Taken out for the time being, so that making a block may borrow the rest.
        if let Some(mut speaker) = self.loudspeaker.take(shared) {
            while speaker.has_room() {
                let (now, delay) = (Instant::now(), speaker.delay());
                let block = self.block(shared, now, delay);
                speaker.write(&block);
                // Only a loudspeaker is heard by the microphone; a file is not.
                shared.played.write(&block, now + delay);
            }
            self.loudspeaker.put_back(speaker);
            self.next = now;
            thread::park_timeout(Duration::from_millis(5));
            return;
        }
        if now.saturating_duration_since(self.next) > FAR_BEHIND {
            self.next = now;
        }
        while self.next <= now {
            let block = self.block(shared, self.next, Duration::ZERO);
            self.write_file(shared, &block);
            self.next += STEP;
        }
        // A loudspeaker that has opened meanwhile ends the wait.
        thread::park_timeout(self.next.saturating_duration_since(Instant::now()));
    }

    /// The next 10 ms, to be heard so long after now.
    fn block(&mut self, shared: &Shared, now: Instant, delay: Duration) -> [f32; BLOCK] {
        let mut samples = [0.0; BLOCK];
        if let Some(receiver) = &mut self.receiver {
            let block = receiver.pull(now);
            samples = block.samples;
            let heard = now + delay;
            if let Some(timestamp) = block.timestamp {
                let mut sync = lock(&shared.sync);
                sync.on_sound(timestamp, heard, now);
                if let Some(buffered) = receiver.delay_ms() {
                    receiver.set_least_delay(sync.least_sound_delay(buffered, now));
                }
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
            counters.sound = receiver.figures();
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
            shared.problem(error);
        }
    }
}

/// Who was held up for longer starts anew instead of hurrying.
const FAR_BEHIND: Duration = Duration::from_millis(500);

/// Microseconds since 1970 at a moment near now.
fn system_micros(at: Instant) -> u64 {
    let now = Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = (since + at.saturating_duration_since(now)).saturating_sub(now.saturating_duration_since(at));
    u64::try_from(then.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::hardware::system::SystemHardware;

    #[test]
    fn a_block_made_while_the_reception_is_stopped_leaves_no_level_behind() {
        let hardware = Arc::new(SystemHardware::default());
        let shared = Arc::new(Shared::new(hardware, Arc::new(|| ()), SpeakerSink::None, PictureSink::None));
        let mut player = Player::new();
        lock(&shared.playing).receiving = true;
        assert!(player.take_orders(&shared));
        lock(&shared.playing).receiving = false;
        shared.far_level.set(0.5);
        assert!(player.take_orders(&shared));
        assert_eq!(shared.far_level.value(), 0.0);
    }
}
