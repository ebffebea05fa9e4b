//! The studio: owns every device and codec thread of the program.
//!
//! Its methods never block and never fail: a device opens in its own time, what goes wrong is told by
//! [`Studio::poll_notice`], and a call goes on without the device. Coded frames leave through a [`FrameSink`] and come
//! in through [`Studio::push`]; pictures to be drawn lie in [`Latest`] slots. The threads are in `sending` and
//! `receiving`; what they decide, in the pipelines.

mod call_mode;
mod device_care;
mod loudspeaker;
mod own_sound;
mod receiving;
mod recording;
mod screen;
mod screen_side;
mod sending;
mod shared;
mod silence_hold;
mod watching;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use self::screen_side::ScreenSide;
use self::shared::{ArrivedSound, FileState, Shared, SoundOrder, lock};
use self::watching::Watching;
use super::capture::CameraLines;
use super::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use super::device_news::DeviceNews;
use super::devices::DeviceList;
use super::encoded::{EncodedFrame, PictureFate};
use super::figures::MediaFigures;
use super::hardware::Hardware;
use super::hardware::system::SystemHardware;
use super::latest::Latest;
use super::picture::Picture;
use super::receive_pipeline::CodedVideo;
pub use super::recording::composer::Layout as RecordingLayout;
pub use super::recording::recorder::{RecordingNews, RecordingOrder};
pub use super::send_pipeline::VideoTarget;
pub use super::sounds::Sound;
pub use super::voice::VoiceProcessing;
use super::worker::{Retired, Worker};

/// Called from the studio's threads whenever there is something new to look at. Must not block.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Takes coded frames from the studio's threads. Must not block.
pub type FrameSink = Arc<dyn Fn(EncodedFrame) + Send + Sync>;

/// Where pictures and sound come from and go to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StudioSettings {
    /// Where own pictures come from.
    pub camera: CameraSource,
    /// Where own sound comes from.
    pub microphone: MicrophoneSource,
    /// Where the far end's sound goes.
    pub speaker: SpeakerSink,
    /// Where the far end's pictures go besides [`Studio::far_picture`].
    pub picture: PictureSink,
}

/// Devices and codecs. Dropping it stops them all, and waits two seconds at most for each that hangs.
pub struct Studio {
    shared: Arc<Shared>,
    settings: StudioSettings,
    /// Looks at what is plugged in while anybody wants to know.
    watch: Option<Worker>,
    watching: Option<Watching>,
    /// The look whose list was given out last.
    looks: Option<DeviceList>,
    camera: Device,
    microphone: Device,
    /// Switched off by the person during a call.
    camera_on: bool,
    /// Lines of picture that the camera is asked for.
    camera_lines: CameraLines,
    sending: bool,
    encoder: Option<Worker>,
    decoder: Option<Worker>,
    player: Option<Worker>,
    recorder: Option<Worker>,
    retired: Vec<Retired>,
    /// What is shown of a screen, either way.
    screen: ScreenSide,
}

/// A capture device with its thread, and those that had it before.
#[derive(Default)]
struct Device {
    /// Wanted outside a call too.
    preview: bool,
    worker: Option<Worker>,
    predecessors: Vec<Retired>,
}

impl Device {
    fn close(&mut self) {
        self.predecessors.extend(self.worker.take().map(Worker::retire));
    }
}

impl Studio {
    /// A studio that has opened nothing yet.
    pub fn new(settings: StudioSettings, waker: Waker) -> Self {
        Self::with(Arc::new(SystemHardware::default()), settings, waker)
    }

    /// A studio over other devices than the system's.
    pub(crate) fn with(hardware: Arc<dyn Hardware>, settings: StudioSettings, waker: Waker) -> Self {
        let (speaker, picture) = (settings.speaker.clone(), settings.picture.clone());
        let shared = Arc::new(Shared::new(hardware, waker, speaker, picture));
        let watched = Arc::clone(&shared);
        let watch = Worker::spawn("device watch", move |stop| watching::run_watch(&watched, stop));
        Self {
            screen: ScreenSide::new(&shared),
            watch,
            looks: None,
            watching: None,
            shared,
            settings,
            camera: Device::default(),
            microphone: Device::default(),
            camera_on: true,
            camera_lines: CameraLines::default(),
            sending: false,
            encoder: None,
            decoder: None,
            player: None,
            recorder: None,
            retired: Vec::new(),
        }
    }

    /// Opens the camera, for a preview. Whether it works shows in [`Self::has_camera`] or [`Self::poll_notice`].
    pub fn open_camera(&mut self) {
        self.camera.preview = true;
        self.follow_camera();
    }

    /// Ends the preview; a call that sends pictures keeps the camera.
    pub fn close_camera(&mut self) {
        self.camera.preview = false;
        self.follow_camera();
    }

    /// Opens the microphone, for its level. Whether it works shows in [`Self::has_microphone`] or [`Self::poll_notice`].
    pub fn open_microphone(&mut self) {
        self.microphone.preview = true;
        self.follow_microphone();
    }

    /// Lets go of the microphone, unless a call sends sound.
    pub fn close_microphone(&mut self) {
        self.microphone.preview = false;
        self.follow_microphone();
    }

    /// Chooses another camera, also while one is in use.
    pub fn set_camera(&mut self, source: CameraSource) {
        self.settings.camera = source;
        self.camera.close();
        self.follow_camera();
    }

    /// Chooses another microphone, also while one is in use.
    pub fn set_microphone(&mut self, source: MicrophoneSource) {
        self.settings.microphone = source;
        self.microphone.close();
        self.follow_microphone();
    }

    /// Chooses another loudspeaker, also while one is in use.
    pub fn set_speaker(&mut self, sink: SpeakerSink) {
        let mut playing = lock(&self.shared.playing);
        playing.sink = sink.clone();
        playing.sink_changes += 1;
        drop(playing);
        if self.settings.speaker != sink {
            *lock(&self.shared.wav_file) = FileState::Unopened;
        }
        self.settings.speaker = sink;
    }

    /// The newest own picture, unmirrored.
    pub fn own_picture(&self) -> &Latest<Picture> {
        &self.shared.own_picture
    }

    /// The newest far picture whose moment has come.
    pub fn far_picture(&self) -> &Latest<Picture> {
        &self.shared.far_picture
    }

    /// Whether somebody speaks into the microphone now, muted or not.
    pub fn is_speaking(&self) -> bool {
        self.shared.speaking.load(Ordering::Relaxed)
    }

    /// How loud what is sent is, 0 to 1: the microphone after its processing, muted or not.
    pub fn microphone_level(&self) -> f32 {
        self.shared.microphone_level.value()
    }

    /// How loud the far end is, 0 to 1.
    pub fn far_level(&self) -> f32 {
        self.shared.far_level.value()
    }

    /// Whether the camera is open and gives pictures.
    pub fn has_camera(&self) -> bool {
        self.shared.has_camera.load(Ordering::Acquire)
    }

    /// Whether a camera is chosen at all.
    pub fn may_have_camera(&self) -> bool {
        self.settings.camera != CameraSource::None
    }

    /// Whether a microphone is chosen at all.
    pub fn may_have_microphone(&self) -> bool {
        self.settings.microphone != MicrophoneSource::None
    }

    /// Whether the microphone is open and gives sound.
    pub fn has_microphone(&self) -> bool {
        self.shared.has_microphone.load(Ordering::Acquire)
    }

    /// Opens camera and microphone and hands every coded frame to the sink. The first picture is a key picture.
    pub fn start_sending(&mut self, sink: FrameSink) {
        self.retire_encoder();
        self.shared.reset_sending();
        // A picture that a preview left there may be old.
        self.shared.to_encode.take();
        {
            let mut sending = lock(&self.shared.sending);
            sending.sink = Some(sink);
            sending.fates.clear();
        }
        self.sending = true;
        let shared = Arc::clone(&self.shared);
        self.encoder = Worker::spawn("video encoder", move |stop| sending::run_encoder(&shared, stop));
        self.follow_camera();
        self.follow_microphone();
    }

    /// Sends nothing any more and closes what no preview needs.
    pub fn stop_sending(&mut self) {
        self.sending = false;
        lock(&self.shared.sending).sink = None;
        self.retire_encoder();
        self.follow_camera();
        self.follow_microphone();
    }

    /// Sends silence in place of the microphone's sound.
    pub fn set_muted(&mut self, muted: bool) {
        lock(&self.shared.sending).muted = muted;
    }

    /// Sends pictures, or none. Off closes the device too, unless a preview shows it; on opens it again.
    pub fn set_camera_on(&mut self, on: bool) {
        self.camera_on = on;
        {
            let mut sending = lock(&self.shared.sending);
            sending.no_pictures = !on;
            sending.key_requested = true;
        }
        self.follow_camera();
    }

    /// Asks the camera for pictures of at most so many lines: 720, or 1080 for more than that. Only a change between the
    /// two opens an open camera anew; smaller pictures are made from those of 720 lines.
    pub fn set_camera_lines(&mut self, lines: u32) {
        let wanted = if lines > 720 { CameraLines::Full } else { CameraLines::Usual };
        if std::mem::replace(&mut self.camera_lines, wanted) != wanted {
            if matches!(self.settings.camera, CameraSource::Default | CameraSource::Named(_)) {
                self.camera.close();
            }
            self.follow_camera();
        }
    }

    /// Key pictures come this often even if nobody asks for one. `None` is the usual: every eight seconds.
    pub fn set_key_picture_every(&mut self, every: Option<Duration>) {
        lock(&self.shared.sending).key_every = every;
    }

    /// What is done to the voice from now on. No device is opened anew.
    pub fn set_voice_processing(&mut self, voice: VoiceProcessing) {
        lock(&self.shared.sending).voice = voice;
    }

    /// How loud the far end is played, 1 being as it comes; at most 2.
    pub fn set_far_volume(&mut self, volume: f32) {
        self.shared.far_volume.store(volume.clamp(0.0, 2.0).to_bits(), Ordering::Relaxed);
    }

    /// Makes the next picture sent a key picture: the far end lost its reference.
    pub fn request_key_frame(&mut self) {
        lock(&self.shared.sending).key_requested = true;
    }

    /// What became of a picture that was sent: the encoder builds the next ones on what arrived.
    pub fn on_picture_fate(&mut self, fate: PictureFate) {
        let mut sending = lock(&self.shared.sending);
        sending.fates.push_back(fate);
        // Nobody encodes, so nobody asks.
        if sending.fates.len() > 300 {
            sending.fates.pop_front();
        }
    }

    /// Whether to code no more of the camera's pictures for now: those before them wait to be sent.
    pub fn hold_pictures(&mut self, held: bool) {
        lock(&self.shared.sending).held = held;
    }

    /// New upper limits for the pictures sent, from the next one on.
    pub fn set_video_target(&mut self, target: VideoTarget) {
        lock(&self.shared.sending).target = target;
    }

    /// Bits a second that the sound is coded with; `None` is the usual.
    pub fn set_sound_rate(&mut self, bits_per_second: Option<u32>) {
        lock(&self.shared.sending).sound_rate = bits_per_second;
    }

    /// How much loss, in percent, the sound's error correction is dosed for.
    pub fn set_expected_loss(&mut self, percent: u8) {
        lock(&self.shared.sending).expected_loss = percent;
    }

    /// Opens the loudspeaker and plays and shows what is pushed from now on.
    pub fn start_receiving(&mut self) {
        self.retire_decoder();
        self.shared.reset_receiving();
        lock(&self.shared.audio_inbox).clear();
        lock(&self.shared.video_inbox).clear();
        self.shared.key_needed.store(false, Ordering::Release);
        {
            let mut playing = lock(&self.shared.playing);
            playing.receiving = true;
            playing.receptions += 1;
        }
        let shared = Arc::clone(&self.shared);
        self.decoder = Worker::spawn("video decoder", move |stop| receiving::run_video(&shared, stop));
        self.ensure_player();
    }

    /// Keeps the loudspeaker open, silent, for a call that may begin: opening it takes long at some sound servers.
    pub fn set_speaker_ready(&mut self, ready: bool) {
        lock(&self.shared.playing).kept_ready = ready;
        if ready {
            self.ensure_player();
        }
    }

    /// Plays and shows the far end no longer. The loudspeaker closes once the program's own sounds are over.
    pub fn stop_receiving(&mut self) {
        lock(&self.shared.playing).receiving = false;
        self.retire_decoder();
        self.screen.retire_decoder();
        self.shared.far_level.set(0.0);
        self.shared.far_picture.take();
    }

    /// Takes a frame from the far end, in whatever order they come. What nobody decodes in time is dropped.
    pub fn push(&mut self, frame: EncodedFrame) {
        match frame {
            EncodedFrame::Audio { timestamp, packet } => {
                let mut inbox = lock(&self.shared.audio_inbox);
                inbox.push_back(ArrivedSound { timestamp, packet, at: Instant::now() });
                // Ten seconds of sound: without a player they stay, and no longer matter.
                if inbox.len() > 500 {
                    inbox.pop_front();
                }
            }
            EncodedFrame::Video { timestamp, key, config, nal_units, .. } => {
                lock(&self.shared.video_inbox).push(CodedVideo {
                    timestamp,
                    key,
                    config,
                    nal_units,
                    arrived: Instant::now(),
                });
                self.shared.video_signal.notify();
            }
        }
    }

    /// Whether the far end should be asked for a key picture now; true at most once in 300 ms.
    pub fn take_key_frame_request(&mut self) -> bool {
        self.shared.key_needed.swap(false, Ordering::AcqRel)
    }

    /// Plays a sound of the program in place of the one before. Those that wait for the person repeat.
    pub fn play_sound(&mut self, sound: Sound) {
        lock(&self.shared.playing).order = Some(SoundOrder::Play(sound));
        self.ensure_player();
    }

    /// Ends the program's own sound.
    pub fn stop_sound(&mut self) {
        lock(&self.shared.playing).order = Some(SoundOrder::Stop);
    }

    /// What was counted and measured so far.
    pub fn figures(&self) -> MediaFigures {
        self.shared.figures(Instant::now())
    }

    /// Looks at what is plugged in again and again, also while nothing is in use. See [`Self::take_devices`].
    pub fn set_watching(&mut self, watching: bool) {
        if watching != self.watching.is_some() {
            self.watching = watching.then(|| Watching::new(&self.shared));
        }
    }

    /// What is plugged in, when that has changed since the last time.
    pub fn take_devices(&mut self) -> Option<DeviceList> {
        let (looks, seen) = self.shared.watch.last();
        let list = DeviceList::of(&seen);
        if looks == 0 || self.looks.as_ref() == Some(&list) {
            return None;
        }
        self.looks = Some(list.clone());
        Some(list)
    }

    /// What happened to a device since the last time, if anything. Each problem is told once.
    pub fn poll_notice(&mut self) -> Option<DeviceNews> {
        self.shared.take_notice().or_else(|| self.screen.take_notice())
    }

    fn follow_camera(&mut self) {
        let wanted = self.camera.preview || self.sending && self.camera_on;
        if !wanted {
            self.camera.close();
        } else if self.camera.worker.as_ref().is_none_or(Worker::is_finished) {
            let (shared, source) = (Arc::clone(&self.shared), self.settings.camera.clone());
            let lines = self.camera_lines;
            self.camera.close();
            let predecessors = std::mem::take(&mut self.camera.predecessors);
            self.camera.worker = Worker::spawn("camera", move |stop| {
                sending::run_camera(&shared, &source, lines, predecessors, stop)
            });
        }
    }

    fn follow_microphone(&mut self) {
        let wanted = self.microphone.preview || self.sending;
        if !wanted {
            self.microphone.close();
        } else if self.microphone.worker.as_ref().is_none_or(Worker::is_finished) {
            let (shared, source) = (Arc::clone(&self.shared), self.settings.microphone.clone());
            self.microphone.close();
            let predecessors = std::mem::take(&mut self.microphone.predecessors);
            self.microphone.worker = Worker::spawn("microphone", move |stop| {
                sending::run_microphone(&shared, &source, predecessors, stop)
            });
        }
    }

    fn ensure_player(&mut self) {
        let mut playing = lock(&self.shared.playing);
        if playing.has_player {
            return;
        }
        playing.has_player = true;
        drop(playing);
        self.retire_finished();
        self.retired.extend(self.player.take().map(Worker::retire));
        let shared = Arc::clone(&self.shared);
        self.player = Worker::spawn("player", move |stop| receiving::run_player(&shared, stop));
    }

    fn retire_encoder(&mut self) {
        self.retire_finished();
        self.retired.extend(self.encoder.take().map(Worker::retire));
    }

    fn retire_decoder(&mut self) {
        self.retire_finished();
        self.retired.extend(self.decoder.take().map(Worker::retire));
    }

    /// Forgets threads that have ended; the others get their time when the studio is dropped.
    fn retire_finished(&mut self) {
        self.retired.retain(|retired| !retired.is_finished());
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        // All are told before any is waited for.
        self.stop_recording();
        self.camera.close();
        self.microphone.close();
        self.screen.retire_all();
        self.retire_encoder();
        self.retire_decoder();
        self.retired.extend(self.player.take().map(Worker::retire));
        self.retired.extend(self.watch.take().map(Worker::retire));
        self.shared.watch.look_now();
    }
}

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod tests;
