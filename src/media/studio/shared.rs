//! What the studio and its threads share. Locks are held for moments only, and never in a device's callback.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::watching::Watch;
use super::{FrameSink, VideoTarget, Waker};
use crate::media::capture::Captured;
use crate::media::capture_clock::CaptureClock;
use crate::media::choice::{PictureSink, SpeakerSink};
use crate::media::device_error::DeviceError;
use crate::media::device_news::DeviceNews;
use crate::media::encoded::PictureFate;
use crate::media::figures::{Average, FreezeWatch, MediaFigures, Median, RateMeter, Stages};
use crate::media::hardware::Hardware;
use crate::media::latest::Latest;
use crate::media::picture::Picture;
use crate::media::playout::lip_sync::LipSync;
use crate::media::playout::wav_sink::WavSink;
use crate::media::playout::y4m_sink::Y4mSink;
use crate::media::receive_pipeline::{SoundFigures, VideoInbox};
use crate::media::recording::recorder::RecordingNews;
use crate::media::recording::tap::Tap;
use crate::media::shaping::level::Level;
use crate::media::sounds::Sound;
use crate::media::voice::VoiceProcessing;
use crate::media::voice::played_ring::PlayedRing;
use crate::media::worker::{Signal, left_behind};

/// Of one stream: there is one of these for the camera and all sound, and one for the screen.
pub(super) struct Shared {
    pub(super) clock: CaptureClock,
    waker: Waker,
    pub(super) own_picture: Latest<Picture>,
    pub(super) far_picture: Latest<Picture>,
    pub(super) microphone_level: Level,
    pub(super) far_level: Level,
    /// Somebody speaks into the microphone, muted or not.
    pub(super) speaking: AtomicBool,
    /// By how much voice processing delays what is sent.
    pub(super) voice_delay_micros: AtomicU64,
    /// What the loudspeaker plays, for the microphone to know its echo by.
    pub(super) played: PlayedRing,
    /// The bits of an `f32`.
    pub(super) far_volume: AtomicU32,
    pub(super) has_camera: AtomicBool,
    pub(super) has_microphone: AtomicBool,
    pub(super) hardware: Arc<dyn Hardware>,
    /// What is plugged in, and what closes.
    pub(super) watch: Watch,
    notices: Mutex<VecDeque<DeviceNews>>,
    pub(super) sending: Mutex<Sending>,
    pub(super) to_encode: Latest<Captured>,
    pub(super) encode_signal: Signal,
    pub(super) video_inbox: Mutex<VideoInbox>,
    pub(super) video_signal: Signal,
    pub(super) audio_inbox: Mutex<VecDeque<ArrivedSound>>,
    pub(super) key_needed: AtomicBool,
    pub(super) playing: Mutex<Playing>,
    pub(super) sync: Mutex<LipSync>,
    pub(super) counters: Mutex<Counters>,
    /// Empty while nothing is recorded.
    pub(super) tap: Arc<Tap>,
    pub(super) recording_news: Mutex<VecDeque<RecordingNews>>,
    pub(super) wav_file: Mutex<FileState<WavSink>>,
    pub(super) picture_file: Mutex<FileState<Y4mSink>>,
    pub(super) picture_sink: PictureSink,
}

/// What the sending threads are to do.
#[derive(Default)]
pub(super) struct Sending {
    pub(super) sink: Option<FrameSink>,
    pub(super) target: VideoTarget,
    pub(super) key_requested: bool,
    pub(super) muted: bool,
    /// The camera is off in this call.
    pub(super) no_pictures: bool,
    /// Pictures wait to be sent: no more are coded.
    pub(super) held: bool,
    pub(super) key_every: Option<Duration>,
    pub(super) expected_loss: u8,
    /// What became of pictures since the encoder last looked; the newest ten seconds of it.
    pub(super) fates: VecDeque<PictureFate>,
    pub(super) voice: VoiceProcessing,
    /// Bits a second; none is the usual.
    pub(super) sound_rate: Option<u32>,
}

/// A packet of sound and when it came.
pub(super) struct ArrivedSound {
    pub(super) timestamp: u32,
    pub(super) packet: Bytes,
    pub(super) at: Instant,
}

/// What the player is to do.
pub(super) struct Playing {
    pub(super) sink: SpeakerSink,
    /// Counts changes of the sink.
    pub(super) sink_changes: u64,
    pub(super) receiving: bool,
    /// Whether the device stays open though nothing plays.
    pub(super) kept_ready: bool,
    /// Counts calls of `start_receiving`.
    pub(super) receptions: u64,
    pub(super) order: Option<SoundOrder>,
    /// Whether a player runs; it says so itself before it ends.
    pub(super) has_player: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum SoundOrder {
    Play(Sound),
    Stop,
}

/// A file that is opened when the first thing is written to it.
pub(super) enum FileState<T> {
    Unopened,
    Open(T),
    Failed,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) captured: u64,
    pub(super) sent: u64,
    pub(super) send_size: Option<(u32, u32)>,
    pub(super) send_rate: RateMeter,
    pub(super) capture: Average,
    /// From what the camera gave until the encoder took it.
    pub(super) until_encoding: Average,
    pub(super) encode: Average,
    pub(super) shown: u64,
    pub(super) receive_size: Option<(u32, u32)>,
    pub(super) receive_rate: RateMeter,
    pub(super) before_decoding: Average,
    pub(super) decode: Average,
    pub(super) before_showing: Average,
    pub(super) freeze: FreezeWatch,
    pub(super) first_sound: Option<Instant>,
    pub(super) first_picture: Option<Instant>,
    pub(super) sound_played: Duration,
    pub(super) sound_concealed: Duration,
    pub(super) sound: SoundFigures,
    pub(super) glass_to_glass: Median,
    pub(super) mouth_to_ear: Median,
}

impl Counters {
    fn stages(&self) -> Stages {
        let capture = self.capture.value();
        let until_encoding = self.until_encoding.value();
        Stages {
            capture,
            before_encoding: until_encoding.map(|until| (until - capture.unwrap_or(0.0)).max(0.0)),
            encoding: self.encode.value(),
            before_decoding: self.before_decoding.value(),
            decoding: self.decode.value(),
            before_showing: self.before_showing.value(),
            uploading: None,
        }
    }
}

/// A lock whose holder panicked still guards usable data: every change made under it is whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Of the camera, and of all sound.
    pub(super) fn new(
        hardware: Arc<dyn Hardware>,
        waker: Waker,
        sink: SpeakerSink,
        picture_sink: PictureSink,
    ) -> Self {
        Self::by(CaptureClock::starting_at(Instant::now()), hardware, waker, sink, picture_sink)
    }

    /// Of a screen, by the same clock: nothing of sound in it is used.
    pub(super) fn of_screen(camera: &Self) -> Self {
        let (hardware, waker) = (Arc::clone(&camera.hardware), Arc::clone(&camera.waker));
        Self::by(camera.clock, hardware, waker, SpeakerSink::None, PictureSink::None)
    }

    fn by(
        clock: CaptureClock,
        hardware: Arc<dyn Hardware>,
        waker: Waker,
        sink: SpeakerSink,
        picture_sink: PictureSink,
    ) -> Self {
        let playing = Playing {
            sink,
            sink_changes: 1,
            receiving: false,
            kept_ready: false,
            receptions: 0,
            order: None,
            has_player: false,
        };
        Self {
            clock,
            waker,
            own_picture: Latest::default(),
            far_picture: Latest::default(),
            microphone_level: Level::default(),
            far_level: Level::default(),
            speaking: AtomicBool::new(false),
            voice_delay_micros: AtomicU64::new(0),
            played: PlayedRing::default(),
            far_volume: AtomicU32::new(1.0_f32.to_bits()),
            has_camera: AtomicBool::new(false),
            has_microphone: AtomicBool::new(false),
            hardware,
            watch: Watch::default(),
            notices: Mutex::default(),
            sending: Mutex::default(),
            to_encode: Latest::default(),
            encode_signal: Signal::default(),
            video_inbox: Mutex::default(),
            video_signal: Signal::default(),
            audio_inbox: Mutex::default(),
            key_needed: AtomicBool::new(false),
            playing: Mutex::new(playing),
            sync: Mutex::default(),
            counters: Mutex::default(),
            tap: Arc::default(),
            recording_news: Mutex::default(),
            wav_file: Mutex::new(FileState::Unopened),
            picture_file: Mutex::new(FileState::Unopened),
            picture_sink,
        }
    }

    pub(super) fn wake(&self) {
        (self.waker)();
    }

    /// Keeps a notice for whoever asks. Nobody asking for long loses the oldest.
    pub(super) fn notice(&self, news: DeviceNews) {
        match &news {
            DeviceNews::Problem(error) => tracing::warn!(%error, "a device cannot be used"),
            other => tracing::info!(news = %other, "a device changed"),
        }
        let mut notices = lock(&self.notices);
        if notices.back() != Some(&news) {
            notices.push_back(news);
        }
        if notices.len() > 16 {
            notices.pop_front();
        }
        drop(notices);
        self.wake();
    }

    /// Keeps a notice of something that cannot be used.
    pub(super) fn problem(&self, error: DeviceError) {
        self.notice(DeviceNews::Problem(error));
    }

    pub(super) fn take_notice(&self) -> Option<DeviceNews> {
        lock(&self.notices).pop_front()
    }

    pub(super) fn reset_sending(&self) {
        let mut counters = lock(&self.counters);
        let old = std::mem::take(&mut *counters);
        let fresh = Counters::default();
        *counters = Counters {
            captured: 0,
            sent: 0,
            send_size: None,
            send_rate: fresh.send_rate,
            capture: fresh.capture,
            until_encoding: fresh.until_encoding,
            encode: fresh.encode,
            ..old
        };
    }

    pub(super) fn reset_receiving(&self) {
        let mut counters = lock(&self.counters);
        let old = std::mem::take(&mut *counters);
        *counters = Counters {
            captured: old.captured,
            sent: old.sent,
            send_size: old.send_size,
            send_rate: old.send_rate,
            capture: old.capture,
            until_encoding: old.until_encoding,
            encode: old.encode,
            ..Counters::default()
        };
        drop(counters);
        *lock(&self.sync) = LipSync::default();
    }

    pub(super) fn figures(&self, now: Instant) -> MediaFigures {
        let lip_sync_ms = lock(&self.sync).skew_ms();
        let counters = lock(&self.counters);
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let stream =
            |size: Option<(u32, u32)>, rate: &RateMeter| size.map(|(w, h)| (w, h, rate.per_second()));
        MediaFigures {
            pictures_captured: counters.captured,
            pictures_sent: counters.sent,
            pictures_shown: counters.shown,
            pictures_frozen_ms: milliseconds(counters.freeze.until(now)),
            first_sound: counters.first_sound,
            first_picture: counters.first_picture,
            sound_played_ms: milliseconds(counters.sound_played),
            sound_concealed_ms: milliseconds(counters.sound_concealed),
            buffer_ms: counters.sound.target_ms,
            sound: counters.sound,
            lip_sync_ms,
            glass_to_glass_ms: counters.glass_to_glass.value(),
            glass_to_glass_95_ms: counters.glass_to_glass.percentile(95),
            mouth_to_ear_ms: counters.mouth_to_ear.value(),
            send_picture: stream(counters.send_size, &counters.send_rate),
            receive_picture: stream(counters.receive_size, &counters.receive_rate),
            voice_delay_ms: self.voice_delay_micros.load(Ordering::Relaxed) as f64 / 1000.0,
            stages: counters.stages(),
            threads_left_behind: left_behind(),
        }
    }

    pub(super) fn set(&self, flag: &AtomicBool, value: bool) {
        if flag.swap(value, Ordering::AcqRel) != value {
            self.wake();
        }
    }
}
