//! What the worker does with the studio: devices for a call, for a preview and for the echo test, and what they tell.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{Worker, device_notes, read};
use crate::call::client_machine::{ClientCommand, ScreenCommand};
use crate::call::command::Command;
use crate::call::event::{Event, Notice};
use crate::call::muted_speech::MutedSpeech;
use crate::call::view::CallState;
use crate::media::device_error::Problem;
use crate::media::device_news::DeviceNews;
use crate::media::encoded::EncodedFrame;
use crate::media::studio::{VideoTarget, VoiceProcessing};

/// An echo of one's own picture needs no more than this.
const ECHO_TARGET: VideoTarget =
    VideoTarget { bits_per_second: 600_000, width: 640, height: 360, frames_per_second: 15.0 };

impl Worker {
    /// The call is up, or goes on after it waited.
    pub(super) fn start_media(&mut self, muted: bool, camera_on: bool) {
        self.echo.stop();
        self.studio.stop_sound();
        self.up = true;
        self.studio.set_muted(muted);
        self.studio.set_camera_on(camera_on);
        self.studio.set_video_target(VideoTarget::default());
        self.studio.hold_pictures(false);
        self.studio.set_sound_rate(None);
        self.open_both_ways();
        self.publish();
    }

    /// The call is over, or waits.
    pub(super) fn stop_media(&mut self) {
        self.measure();
        self.up = false;
        self.studio.hold_pictures(false);
        self.close_both_ways();
        self.publish();
    }

    fn open_both_ways(&mut self) {
        self.studio.start_receiving();
        let (sender, fell) = (self.frame_sender.clone(), Arc::clone(&self.frame_fell));
        self.studio.start_sending(Arc::new(move |frame| {
            if let Err(mpsc::error::TrySendError::Full(EncodedFrame::Video { .. })) = sender.try_send(frame) {
                fell.store(true, Ordering::Relaxed);
            }
        }));
        self.studio.request_key_frame();
    }

    fn close_both_ways(&mut self) {
        self.studio.stop_sending();
        self.studio.stop_receiving();
        self.studio.set_muted(false);
        self.muted_speech = MutedSpeech::default();
    }

    /// Opens what is wanted outside a call; a call that is up keeps what it uses.
    pub(super) fn follow_devices(&mut self) {
        let dials = self.ahead.camera_and_microphone;
        if self.previewing || dials && self.dials_with_video {
            self.studio.open_camera();
        } else {
            self.studio.close_camera();
        }
        if self.previewing || dials {
            self.studio.open_microphone();
        } else {
            self.studio.close_microphone();
        }
        self.studio.set_speaker_ready(self.ahead.loudspeaker);
        self.studio.set_watching(self.previewing);
    }

    /// Lets the person hear themselves a second later, unless there is a call.
    pub(super) fn echo_test(&mut self, on: bool) {
        if !on {
            self.end_echo_test();
        } else if !self.up && matches!(self.core.call, CallState::None | CallState::Ended { .. }) {
            self.echo.start(Instant::now());
            self.studio.set_muted(false);
            self.studio.set_camera_on(true);
            self.studio.set_video_target(ECHO_TARGET);
            self.open_both_ways();
        }
    }

    pub(super) fn end_echo_test(&mut self) {
        if self.echo.stop() {
            self.close_both_ways();
            self.publish();
        }
    }

    /// The oldest frames have waited for their second.
    pub(super) fn play_echo(&mut self) {
        let now = Instant::now();
        if self.echo.is_over(now) {
            self.end_echo_test();
            return;
        }
        while let Some(frame) = self.echo.pop(now) {
            self.studio.push(frame);
        }
    }

    /// What the person chose, as far as devices and codecs are concerned.
    pub(super) fn follow_settings(&mut self) {
        let settings = &self.config.settings;
        self.studio.set_far_volume(settings.far_volume);
        self.studio.set_voice_processing(VoiceProcessing {
            echo_cancellation: settings.voice.echo_cancellation,
            noise_suppression: settings.voice.noise_suppression,
            automatic_gain: settings.voice.automatic_gain,
            music: settings.voice.music_mode,
        });
        self.studio.set_camera_lines(settings.video.most_lines);
        let every = Duration::from_secs(settings.video.key_frame_every.into());
        self.studio.set_key_picture_every(Some(every).filter(|every| !every.is_zero()));
    }

    pub(super) fn choose_camera(&mut self, name: &str) {
        self.studio.set_camera(read(name));
        self.devices.camera_problem = None;
        name.clone_into(&mut self.devices.camera);
        self.keep(|settings| name.clone_into(&mut settings.camera));
    }

    pub(super) fn choose_microphone(&mut self, name: &str) {
        self.studio.set_microphone(read(name));
        self.devices.microphone_problem = None;
        self.devices.microphone_stand_in = None;
        name.clone_into(&mut self.devices.microphone);
        self.keep(|settings| name.clone_into(&mut settings.microphone));
    }

    pub(super) fn choose_speaker(&mut self, name: &str) {
        self.studio.set_speaker(read(name));
        self.devices.speaker_problem = None;
        self.devices.speaker_stand_in = None;
        name.clone_into(&mut self.devices.speaker);
        self.keep(|settings| name.clone_into(&mut settings.speaker));
    }

    pub(super) fn tick(&mut self) {
        while let Some(news) = self.studio.poll_notice() {
            self.note_device(news);
        }
        self.take_devices();
        self.tell_recordings();
        if self.frame_fell.swap(false, Ordering::Relaxed) {
            self.studio.request_key_frame();
        }
        self.tell_devices();
        self.tick_screens();
        self.look_around();
        self.ask_for_key_pictures();
        if self.up {
            let muted = matches!(&self.core.call, CallState::Up(call) if call.muted);
            self.muted_speech.hear(Instant::now(), self.studio.is_speaking(), muted);
            self.measure();
            self.report_concealed();
        }
        let moves = self.up || self.previewing || self.ahead.camera_and_microphone || self.echo.is_on();
        if moves || self.shows_old_levels() {
            self.publish();
        }
    }

    /// Where far pictures can only be shown again with one that stands alone, that is asked for at once.
    pub(super) fn ask_for_key_pictures(&mut self) {
        if (self.up || self.echo.is_on()) && self.studio.take_key_frame_request() {
            if self.up {
                self.ask(ClientCommand::KeyFrameNeeded);
            } else {
                self.studio.request_key_frame();
            }
        }
        if self.studio.take_screen_key_frame_request() {
            self.ask(ClientCommand::Screen(ScreenCommand::KeyFrameNeeded));
        }
    }

    /// A device takes a moment to close, and its meter must not stand still at the last sound.
    fn shows_old_levels(&self) -> bool {
        let shared = self.config.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = (shared.view.microphone_level, shared.view.far_level);
        shown != (self.studio.microphone_level(), self.studio.far_level())
    }

    /// What happened to a device goes into the view, and to the person once.
    fn note_device(&mut self, news: DeviceNews) {
        let follows = device_notes::note(&mut self.devices, &news);
        if follows.end_sharing {
            self.screen_failed();
        }
        if follows.mute && self.up {
            self.person(Command::SetMuted(true));
        } else if follows.mute {
            // The studio muted itself; who hears only themself has nobody to keep silent for.
            self.studio.set_muted(false);
        }
        if follows.tell {
            self.pass_on(Event::Notice(Notice::Device(news)));
        }
    }

    /// The lists to choose from follow what is plugged in.
    fn take_devices(&mut self) {
        if let Some(found) = self.studio.take_devices() {
            self.devices.cameras = found.cameras;
            self.devices.microphones = found.microphones;
            self.devices.speakers = found.speakers;
            self.publish();
        }
    }

    /// A device that is closed, or about to open, counts as there until it is known to be wanting.
    fn tell_devices(&mut self) {
        let working = (self.studio.has_camera(), self.studio.has_microphone());
        if working.0 && !self.working_devices.0 {
            self.devices.camera_problem = None;
        }
        if working.1 && !self.working_devices.1 {
            self.devices.microphone_problem = None;
        }
        self.working_devices = working;
        let camera = self.studio.may_have_camera() && self.devices.camera_problem.is_none();
        // A microphone that is silent may be switched on again at any moment.
        let microphone_problem = self.devices.microphone_problem.as_ref();
        let unusable = microphone_problem.is_some_and(|error| error.problem != Problem::Silent);
        let microphone = self.studio.may_have_microphone() && !unusable;
        let has = (working.0 || camera, working.1 || microphone);
        if has != self.told_devices {
            self.told_devices = has;
            self.ask(ClientCommand::Devices { camera: has.0, microphone: has.1 });
        }
    }

    fn measure(&mut self) {
        if let Some(up_at) = self.figures.up_at
            && self.up
        {
            self.figures.up_for = up_at.elapsed();
            self.figures.media = self.studio.figures();
            self.figures.screen = self.studio.screen_figures();
            if let CallState::Up(call) = &self.core.call {
                self.figures.quality.clone_from(&call.quality);
            }
        }
    }

    fn report_concealed(&mut self) {
        let now = Instant::now();
        if now < self.next_report {
            return;
        }
        self.next_report = now + Duration::from_secs(1);
        let after = (self.figures.media.sound_played_ms, self.figures.media.sound_concealed_ms);
        let played = after.0.saturating_sub(self.concealed.0);
        let concealed = after.1.saturating_sub(self.concealed.1);
        self.concealed = after;
        if played > 0 {
            self.ask(ClientCommand::Concealed(concealed as f64 / played as f64 * 100.0));
            self.ask(ClientCommand::SoundLost(self.figures.media.sound.lost_percent_lately));
        }
    }
}
