//! Sound and pictures of the call that is up: what goes out and until when it is worth sending, what comes in, and at
//! which rate. Nothing passes here before both persons agreed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::rate::MediaFlow;
use super::{ClientEvent, ClientMachine, ScreenEvent};
use crate::call::additions::Addition;
use crate::call::file_pace::CallFares;
use crate::call::loss_count::LossCount;
use crate::call::messages::Message;
use crate::call::quality_watch::QualityWatch;
use crate::call::rate_control::{Limits, RateControl, Sample, SendTarget};
use crate::call::sound_again::SoundAgain;
use crate::call::stream_bridge::{Patience, again, outgoing};
use crate::call::view::{PastSecond, Quality};
use crate::media::encoded::{EncodedFrame, PictureFate};
use crate::netconnection::node::{MediaKind, MediaMessage, PlaybackId, Target};
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::SessionFigures;
use crate::settings::VideoChoice;

/// At most one request for a key frame in this time.
pub(super) const KEY_FRAME_EVERY: Duration = Duration::from_millis(300);
/// A queue of a screen that is always allowed: one large key frame, in bytes.
pub(super) const FREE_QUEUE: usize = 96 * 1024;
/// Devices and codecs are started at most this often: a far end that lets us wait and goes on again, over and over, must
/// not keep this computer busy with it.
const BETWEEN_STARTS: Duration = Duration::from_millis(500);
/// A far picture counts as coming for so long after the last.
const STILL_COMING: Duration = Duration::from_secs(2);

/// Pictures that would only show rubble are not sent until the encoder made this.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Awaits {
    Nothing,
    /// A picture that needs none of those that were lost.
    Refresh,
    /// One that stands alone.
    Key,
}

/// What a picture does without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    /// All others.
    pub(super) key: bool,
    /// All that may not have arrived.
    pub(super) refresh: bool,
}

impl Awaits {
    /// Whether this picture ends the waiting.
    pub(super) fn is_ended_by(self, picture: Fresh) -> bool {
        match self {
            Self::Nothing => true,
            Self::Refresh => picture.refresh,
            Self::Key => picture.key,
        }
    }
}

/// The media side of the one call.
#[derive(Debug)]
pub(super) struct MediaSide {
    pub(super) muted: bool,
    pub(super) camera_on: bool,
    pub(super) has_camera: bool,
    pub(super) has_microphone: bool,
    pub(super) concealed_percent: f64,
    pub(super) sound_lost_percent: f64,
    pub(super) sound_again: SoundAgain,
    pub(super) far_muted: bool,
    far_sends_video: bool,
    last_far_picture: Option<Instant>,
    /// What the encoder has to make before anything else is sent.
    pub(super) awaits: Awaits,
    asked_encoder: Option<Instant>,
    asked_far: Option<Instant>,
    pub(super) rate: RateControl,
    losses: LossCount,
    /// As measured last.
    round_trip: Duration,
    pub(super) flow: MediaFlow,
    pub(super) target: Option<SendTarget>,
    expected_loss: u8,
    /// The figures a second ago, for rates.
    before: Option<(Instant, SessionFigures)>,
    pub(super) quality: Quality,
    pub(super) watch: QualityWatch,
    last_start: Option<Instant>,
    /// When media that had to wait for it are started.
    start_at: Option<Instant>,
    /// Whose call this is.
    peer: Option<PeerId>,
    /// What the person chose in calls that wait: muted, and camera on.
    aside: BTreeMap<PeerId, (bool, bool)>,
}

impl MediaSide {
    pub(super) fn new() -> Self {
        Self {
            muted: false,
            camera_on: true,
            has_camera: false,
            has_microphone: false,
            concealed_percent: 0.0,
            sound_lost_percent: 0.0,
            sound_again: SoundAgain::default(),
            far_muted: false,
            far_sends_video: true,
            last_far_picture: None,
            awaits: Awaits::Key,
            asked_encoder: None,
            asked_far: None,
            rate: RateControl::new(),
            losses: LossCount::default(),
            round_trip: Duration::from_millis(100),
            flow: MediaFlow::default(),
            target: None,
            expected_loss: 0,
            before: None,
            quality: Quality::default(),
            watch: QualityWatch::default(),
            last_start: None,
            start_at: None,
            peer: None,
            aside: BTreeMap::new(),
        }
    }

    /// A new call: what the person set stays, everything measured goes.
    fn begin(&mut self) {
        let (has_camera, has_microphone) = (self.has_camera, self.has_microphone);
        let (camera_on, muted, peer) = (self.camera_on, self.muted, self.peer);
        let (aside, last_start) = (std::mem::take(&mut self.aside), self.last_start);
        *self = Self { has_camera, has_microphone, camera_on, muted, peer, aside, last_start, ..Self::new() };
    }

    /// The call whose media these are steps aside; what the person chose in it is kept for when it comes back.
    pub(super) fn set_aside(&mut self) {
        if let Some(peer) = self.peer.take() {
            self.aside.insert(peer, (self.muted, self.camera_on));
            self.muted = false;
        }
    }

    /// These are now the media of the call with this peer.
    pub(super) fn belong_to(&mut self, peer: PeerId) {
        if self.peer == Some(peer) {
            return;
        }
        self.set_aside();
        self.peer = Some(peer);
        if let Some((muted, camera_on)) = self.aside.remove(&peer) {
            (self.muted, self.camera_on) = (muted, camera_on);
        }
    }

    /// The call with this peer is over.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.aside.remove(&peer);
        if self.peer == Some(peer) {
            self.peer = None;
            self.muted = false;
        }
    }

    pub(super) fn far_says(&mut self, peer: PeerId, video: bool, muted: bool) {
        // One who waits says it again when the call goes on.
        if self.peer.is_none_or(|ours| ours == peer) {
            self.far_sends_video = video;
            self.far_muted = muted;
        }
    }

    /// Whether there is a far picture to look at. `heard`: when anything came last. Who sends nothing at all has not
    /// turned the camera off: the last picture stays until the line is back.
    pub(super) fn far_video(&self, heard: Instant) -> bool {
        self.far_sends_video
            && self.last_far_picture.is_some_and(|at| heard.saturating_duration_since(at) < STILL_COMING)
    }

    pub(super) fn sends_video(&self) -> bool {
        self.camera_on && self.has_camera
    }

    /// What is offered to all pictures together.
    pub(super) fn target(&self) -> Option<SendTarget> {
        self.target
    }

    /// Other pictures than until now go out on the private line.
    pub(super) fn pictures_change(&mut self) {
        self.awaits = Awaits::Key;
        self.asked_encoder = None;
    }
}

impl ClientMachine {
    pub(super) fn start_media(&mut self, now: Instant, peer: PeerId) {
        self.media.belong_to(peer);
        // Before anything of another call is heard.
        self.follow_recording(now);
        if let Some(earliest) = self.media.last_start.map(|last| last + BETWEEN_STARTS)
            && now < earliest
        {
            self.media.start_at = Some(earliest);
            return;
        }
        self.media.last_start = Some(now);
        self.media.begin();
        self.media.rate.set_limits(limits(&self.config.settings.video));
        self.keep(peer);
        let (muted, camera_on) = (self.media.muted, self.media.camera_on);
        self.told.push_back(ClientEvent::MediaStarted { peer, muted, camera_on });
        self.tell_rates(now);
        self.tell_media(now);
        self.begin_pictures(now, peer);
    }

    /// The call is over, or waits.
    pub(super) fn stop_media(&mut self, now: Instant) {
        self.end_screens(now);
        self.media.start_at = None;
        self.told.push_back(ClientEvent::MediaStopped);
    }

    pub(super) fn media_deadline(&self) -> Option<Instant> {
        self.media.start_at
    }

    /// Media that had to wait begin, if their call still goes on.
    pub(super) fn tick_media(&mut self, now: Instant) {
        if self.media.start_at.is_some_and(|at| at <= now) {
            self.media.start_at = None;
            if let Some(peer) = self.media_peer() {
                self.start_media(now, peer);
            }
        }
    }

    /// The person chose another size, rate or share for the picture.
    pub(super) fn follow_video_choice(&mut self, now: Instant) {
        self.media.rate.set_limits(limits(&self.config.settings.video));
        if self.media_peer().is_some() {
            self.tell_rates(now);
        }
    }

    /// One rate for everything: what the camera may use of it, and what a screen.
    pub(super) fn set_target(&mut self, target: SendTarget) {
        self.media.target = Some(target);
        self.tell_parts();
    }

    /// Both ends' pictures begin with a key frame.
    pub(super) fn begin_pictures(&mut self, now: Instant, peer: PeerId) {
        self.media.flow.take_other_lines();
        self.follow_hold(now);
        self.media.awaits = Awaits::Key;
        self.media.asked_encoder = None;
        self.ask_encoder(now);
        self.media.asked_far = None;
        if self.links.get(&peer).is_some_and(|lines| lines.incoming.missed()) {
            self.want_key_frame(now);
        }
        self.begin_screen(now, peer);
    }

    pub(super) fn set_devices(&mut self, now: Instant, camera: bool, microphone: bool) {
        if (camera, microphone) != (self.media.has_camera, self.media.has_microphone) {
            (self.media.has_camera, self.media.has_microphone) = (camera, microphone);
            self.tell_media(now);
        }
    }

    /// Tells the far end what we send.
    pub(super) fn tell_media(&mut self, now: Instant) {
        if let Some(peer) = self.media_peer() {
            let (audio, video, muted) =
                (self.media.has_microphone, self.media.sends_video(), self.media.muted);
            let video = video || self.screen.is_in_cameras_place();
            self.say(now, peer, Message::Media { audio, video, muted });
        }
    }

    /// A frame from our encoders.
    pub(super) fn send_frame(&mut self, now: Instant, frame: EncodedFrame) {
        let Some((_, target)) = self.media_target() else { return };
        if let EncodedFrame::Video { key, .. } = &frame {
            if !self.media.camera_on || self.screen.is_in_cameras_place() {
                return;
            }
            if !self.media.sends_video() && !key {
                return;
            }
            if self.camera_rests() {
                self.media.pictures_change();
                return;
            }
        }
        self.send_on_line(now, target, frame);
    }

    /// Whether the far end of the call takes sound a second time.
    fn takes_sound_again(&self) -> bool {
        let lines = self.media_peer().and_then(|peer| self.links.get(&peer));
        lines.is_some_and(|lines| lines.link.takes(Addition::SoundAgain))
    }

    /// Sends on the private line, unless that waits for a picture that stands alone.
    pub(super) fn send_on_line(&mut self, now: Instant, target: Target, frame: EncodedFrame) {
        if let EncodedFrame::Video { timestamp, key, refresh, .. } = &frame {
            let fresh = Fresh { key: *key, refresh: *refresh };
            if !self.has_room_for_picture(now, target, fresh) {
                // The next one must do without it.
                let timestamp = *timestamp;
                self.told.push_back(ClientEvent::PictureFate(PictureFate::Lost { timestamp }));
                return;
            }
        }
        let patience =
            if self.far_follows() { Patience::over(self.media.round_trip) } else { Patience::STEADY };
        let thin = self.media.rate.is_thin();
        // Where there is hardly room for sound, there is none for it twice.
        let takes = !thin && self.takes_sound_again();
        for frame in self.media.flow.join_sound(frame, thin).into_iter().flatten() {
            let beside = self.media.sound_again.beside(&frame, takes);
            if let EncodedFrame::Video { timestamp, .. } = &frame {
                self.media.flow.note_queued(now, *timestamp);
            }
            let first = outgoing(now, patience, frame);
            for (message, deadline) in
                first.into_iter().chain(beside.into_iter().map(|sound| again(now, sound)))
            {
                self.node.send_media(now, target, message, deadline);
            }
        }
        self.follow_hold(now);
    }

    /// A media message fell, and what needs it falls with it: what comes next must do without.
    pub(super) fn media_abandoned(&mut self, now: Instant, target: Target, kind: MediaKind, timestamp: u32) {
        let ours = self.media_target().map(|(_, ours)| ours);
        if kind == MediaKind::Video && ours == Some(target) {
            self.told.push_back(ClientEvent::PictureFate(PictureFate::Lost { timestamp }));
            self.media.flow.note_abandoned(now, timestamp);
            if !self.far_follows() {
                self.node.abandon_video(now, target);
            }
            self.await_fresh();
            self.note_stall(now);
            if self.media.awaits == Awaits::Key {
                self.ask_encoder_once_clear(now);
            }
        } else if kind == MediaKind::Video {
            self.screen_abandoned(now, target);
        }
    }

    /// A picture of ours arrived.
    pub(super) fn picture_arrived(&mut self, target: Target, timestamp: u32) {
        if self.media_target().is_some_and(|(_, ours)| ours == target) {
            self.told.push_back(ClientEvent::PictureFate(PictureFate::Arrived { timestamp }));
        }
    }

    /// Whether the far end goes on after a gap with a picture that can do without what was lost. An encoder of screens
    /// makes none.
    fn far_follows(&self) -> bool {
        let lines = self.media_peer().and_then(|peer| self.links.get(&peer));
        let takes = lines.is_some_and(|lines| lines.link.takes(Addition::Pictures));
        takes && !self.screen.is_in_cameras_place()
    }

    /// What was sent last is lost: nothing built on it is worth sending. A refresh comes by itself, after what the encoder
    /// was told of the pictures; a key frame has to be asked for.
    pub(super) fn await_fresh(&mut self) {
        if !self.far_follows() {
            self.media.awaits = Awaits::Key;
        } else if self.media.awaits == Awaits::Nothing {
            self.media.awaits = Awaits::Refresh;
        }
    }

    /// A media message of a far end.
    pub(super) fn far_media(&mut self, now: Instant, playback: PlaybackId, message: MediaMessage) {
        let Some(message) = self.far_screen_media(playback, message) else { return };
        let Some(peer) = self.peer_by(|lines| lines.private == Some(playback)) else { return };
        let flows = self.call.flows_with(peer);
        let Some(lines) = self.links.get_mut(&peer) else { return };
        if !flows {
            lines.incoming.drop_one();
            return;
        }
        if message.kind == MediaKind::Video {
            self.media.last_far_picture = Some(now);
        }
        let (kind, timestamp) = (message.kind, message.timestamp);
        if let Some(frame) = lines.incoming.frame(message) {
            self.told.push_back(ClientEvent::Frame(frame));
            self.note_arrival(now, peer, kind, timestamp);
        }
    }

    /// Asks the far end for a key frame.
    pub(super) fn want_key_frame(&mut self, now: Instant) {
        let recently =
            |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < KEY_FRAME_EVERY);
        if let Some(peer) = self.media_peer()
            && !recently(self.media.asked_far)
        {
            self.media.asked_far = Some(now);
            self.say(now, peer, Message::KeyFrameWanted);
        }
    }

    /// Asks for a key frame.
    pub(super) fn ask_encoder(&mut self, now: Instant) {
        let recently =
            self.media.asked_encoder.is_some_and(|at| now.saturating_duration_since(at) < KEY_FRAME_EVERY);
        if !recently {
            self.media.asked_encoder = Some(now);
            self.tell_encoder();
        }
    }

    /// Whichever encoder feeds the private line makes a key frame.
    pub(super) fn tell_encoder(&mut self) {
        self.told.push_back(if self.screen.is_in_cameras_place() {
            ClientEvent::Screen(ScreenEvent::KeyFrameWanted)
        } else {
            ClientEvent::KeyFrameWanted
        });
    }

    pub(super) fn media_peer(&self) -> Option<PeerId> {
        self.call.with().map(|with| with.peer).filter(|peer| self.call.flows_with(*peer))
    }

    pub(super) fn media_target(&self) -> Option<(PeerId, Target)> {
        let peer = self.media_peer()?;
        Some((peer, Target::Subscriber(self.links.get(&peer)?.link.listener()?)))
    }

    /// How the call fares, for what goes beside it; none without a call.
    pub(super) fn call_fares(&self, now: Instant) -> Option<CallFares> {
        let (peer, target) = self.media_target()?;
        let round_trip = self.node.peer_figures(now, peer).and_then(|figures| figures.round_trip);
        let a_second = self.media.rate.rate() / 8.0;
        // What is in flight for one round trip is no queue.
        let travelling = a_second * round_trip.unwrap_or_default().as_secs_f64();
        let waiting = (self.node.queued(target, MediaKind::Video) as f64 - travelling).max(0.0);
        let loss_percent = self.media.rate.loss_percent();
        Some(CallFares { round_trip, queue_seconds: waiting / a_second, loss_percent })
    }

    /// A quarter of a second of the call has passed.
    pub(super) fn step_media(&mut self, now: Instant) {
        let up: Vec<PeerId> = self.call.up().collect();
        for peer in up {
            self.look_for_life(now, peer);
            self.look_for_silence(now, peer);
        }
        let Some(peer) = self.media_peer() else { return };
        let Some(figures) = self.node.peer_figures(now, peer) else { return };
        let queued = self.media_target().map_or(0, |(_, target)| self.node.queued(target, MediaKind::Video));
        self.media.round_trip = figures.round_trip.unwrap_or(self.media.round_trip);
        let queued = queued + self.queued_screen();
        let sent = self.media.losses.step(now, self.node.direct_figures(now, peer));
        let losses = self.media.flow.losses_there(now).unwrap_or(&self.media.losses);
        self.media.quality.call_loss_percent = losses.percent();
        let sample = Sample {
            sent: sent.fragments,
            lost: sent.lost,
            queued,
            round_trip: figures.round_trip,
            shortest_round_trip: figures.shortest_round_trip,
        };
        self.media.rate.step(now, sample);
        self.tell_rates(now);
        // What the far end missed is true; what seems lost here may be lost acknowledgements.
        let takes = !self.media.rate.is_thin() && self.takes_sound_again();
        let reported = self.media.sound_again.lost_for_good(takes);
        let loss = reported.unwrap_or_else(|| self.media.rate.loss_percent());
        let loss = loss.round().clamp(0.0, 30.0) as u8;
        if loss.abs_diff(self.media.expected_loss) >= 2 {
            self.media.expected_loss = loss;
            self.told.push_back(ClientEvent::ExpectedLoss(loss));
        }
        self.follow_hold(now);
        self.measure(now, figures);
        self.note_way(peer);
    }

    /// Notes whether anything came from a far end, and gives it a sign of life: also while the call waits.
    fn look_for_life(&mut self, now: Instant, peer: PeerId) {
        let received = self.node.peer_figures(now, peer).map(|figures| figures.packets_received);
        let flows = self.call.flows_with(peer);
        let Some(lines) = self.links.get_mut(&peer) else { return };
        if let Some(received) = received
            && std::mem::replace(&mut lines.packets, received) != received
        {
            self.call.alive(now, peer);
        }
        let due = lines.reported.is_none_or(|at| now.saturating_duration_since(at) >= Duration::from_secs(1));
        if due && lines.link.takes_additions() {
            lines.reported = Some(now);
            let concealed_percent = if flows { self.media.concealed_percent } else { 0.0 };
            let receive_kbps = if flows { self.media.quality.receive_kbps.round() } else { 0.0 };
            let sound_lost_percent = Some(if flows { self.media.sound_lost_percent } else { 0.0 });
            self.say(now, peer, Message::Report { concealed_percent, receive_kbps, sound_lost_percent });
        }
    }

    /// The figures that people see, once a second.
    fn measure(&mut self, now: Instant, figures: SessionFigures) {
        let Some((at, before)) = &self.media.before else {
            self.media.before = Some((now, figures));
            return;
        };
        let passed = now.saturating_duration_since(*at).as_secs_f64();
        if passed < 1.0 {
            return;
        }
        let kbps = |after: u64, before: u64| after.saturating_sub(before) as f64 * 8.0 / 1000.0 / passed;
        let losses = self.media.flow.losses_there(now).unwrap_or(&self.media.losses);
        let loss_percent = losses.percent_lately();
        let round_trip_ms = figures.round_trip.map(|time| time.as_secs_f64() * 1000.0);
        let quality = &mut self.media.quality;
        quality.send_kbps = kbps(figures.bytes_sent, before.bytes_sent);
        quality.receive_kbps = kbps(figures.bytes_received, before.bytes_received);
        quality.loss_percent = loss_percent;
        quality.receive_loss_percent = self.media.flow.losses_here(now).map(LossCount::percent_lately);
        let reported = self.media.rate.network_queue();
        quality.available_kbps = reported.map(|_| self.media.rate.rate() / 1000.0);
        quality.queue_ms = reported.map(|queue| queue * 1000.0);
        let target = self.media.target.filter(|_| !self.media.rate.is_paused());
        quality.target_kbps = target.map(|target| f64::from(target.bits_per_second) / 1000.0);
        quality.round_trip_ms = round_trip_ms;
        quality.cipher.clone_from(&figures.cipher);
        quality.bars = bars(loss_percent.max(self.media.concealed_percent), round_trip_ms);
        let second = PastSecond {
            round_trip_ms: round_trip_ms.unwrap_or_default() as f32,
            loss_percent: loss_percent as f32,
            send_kbps: quality.send_kbps as f32,
            receive_kbps: quality.receive_kbps as f32,
        };
        self.media.watch.a_second_passed(second, self.media.rate.is_at_floor());
        self.media.before = Some((now, figures));
    }
}

fn limits(video: &VideoChoice) -> Limits {
    Limits {
        lines: video.most_lines,
        frames_per_second: video.most_rate as f32,
        bits_per_second: Some(video.most_kbps.saturating_mul(1000)).filter(|bits| *bits > 0),
    }
}

/// 0 (bad) to 4 (excellent), as people feel losses and delay.
fn bars(loss_percent: f64, round_trip_ms: Option<f64>) -> u8 {
    let by_loss = [1.0, 4.0, 10.0, 25.0].iter().filter(|limit| loss_percent <= **limit).count();
    let delay = round_trip_ms.unwrap_or(0.0);
    let by_delay = [200.0, 400.0, 700.0, 1500.0].iter().filter(|limit| delay <= **limit).count();
    u8::try_from(by_loss.min(by_delay)).unwrap_or(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_picture_stays_while_the_line_is_silent_and_goes_when_only_sound_comes() {
        let picture = Instant::now();
        let side = MediaSide { last_far_picture: Some(picture), ..MediaSide::new() };
        let silent_since = picture + Duration::from_millis(300);
        assert!(side.far_video(silent_since));
        let sound_alone = picture + Duration::from_secs(3);
        assert!(!side.far_video(sound_alone));
        let no_camera = MediaSide { far_sends_video: false, ..side };
        assert!(!no_camera.far_video(picture));
    }
}
