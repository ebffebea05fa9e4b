//! Screens in the call that is up: ours, published to the far end alone or put in the camera's place, and the far end's.

use std::time::Instant;

use super::media::{FREE_QUEUE, KEY_FRAME_EVERY};
use super::{ClientEvent, ClientMachine};
use crate::call::additions::Addition;
use crate::call::messages::Message;
use crate::call::screen_share::{ScreenEvent, shares};
use crate::call::stream_bridge::{Incoming, Patience, outgoing};
use crate::call::view::Sharing;
use crate::media::encoded::EncodedFrame;
use crate::media::screens::ScreenSource;
use crate::netconnection::node::{
    MediaKind, MediaMessage, OwnIdentity, PlaybackId, PublicationId, SubscriberId, Target,
};
use crate::rtmfp::PeerId;

/// Both directions.
#[derive(Debug, Default)]
pub(super) struct ScreenSide {
    ours: Option<Ours>,
    far: Option<Far>,
}

/// The screen that we show.
#[derive(Debug)]
struct Ours {
    peer: PeerId,
    source: ScreenSource,
    way: Way,
    /// The camera is off only for as long as this lasts.
    camera_returns: bool,
}

/// How it gets there.
#[derive(Debug)]
enum Way {
    /// On the private line, in the camera's place.
    InCamerasPlace,
    /// On a stream of its own.
    Beside {
        publication: PublicationId,
        /// The far end, once it plays.
        subscriber: Option<SubscriberId>,
        /// Deltas are dropped until the encoder made a key frame.
        awaits_key: bool,
        asked_encoder: Option<Instant>,
    },
}

/// The screen that we are shown.
#[derive(Debug)]
struct Far {
    peer: PeerId,
    playback: PlaybackId,
    incoming: Incoming,
    asked: Option<Instant>,
}

impl ScreenSide {
    pub(super) fn sharing(&self) -> Option<Sharing> {
        let ours = self.ours.as_ref()?;
        Some(Sharing { source: ours.source, in_cameras_place: self.is_in_cameras_place() })
    }

    pub(super) fn far_shares(&self) -> bool {
        self.far.is_some()
    }

    pub(super) fn is_in_cameras_place(&self) -> bool {
        matches!(&self.ours, Some(Ours { way: Way::InCamerasPlace, .. }))
    }

    /// The person decided about the camera: nothing is undone later.
    pub(super) fn camera_was_switched(&mut self) {
        if let Some(ours) = &mut self.ours {
            ours.camera_returns = false;
        }
    }

    fn subscriber(&self) -> Option<SubscriberId> {
        match &self.ours.as_ref()?.way {
            Way::Beside { subscriber, .. } => *subscriber,
            Way::InCamerasPlace => None,
        }
    }
}

/// The name of the stream that carries a screen to a peer.
fn stream_to(peer: PeerId) -> String {
    format!("screen-{peer}")
}

impl ClientMachine {
    /// The person shows a screen, or another one than until now.
    pub(super) fn share_screen(&mut self, now: Instant, source: ScreenSource, with_camera: bool) {
        let Some(peer) = self.media_peer() else { return };
        if let Some(ours) = &mut self.screen.ours {
            ours.source = source;
        } else {
            let understood = self.links.get(&peer).is_some_and(|lines| lines.link.takes(Addition::Screen));
            let way = if understood {
                let publication = self.node.publish_direct(now, &stream_to(peer));
                Way::Beside { publication, subscriber: None, awaits_key: true, asked_encoder: None }
            } else {
                self.media.pictures_change();
                Way::InCamerasPlace
            };
            self.screen.ours = Some(Ours { peer, source, way, camera_returns: false });
            if understood {
                self.say(now, peer, Message::Screen { on: true });
            }
        }
        if self.media.camera_on && !with_camera {
            self.switch_camera(now, false);
            if let Some(ours) = &mut self.screen.ours {
                ours.camera_returns = true;
            }
        }
        let in_cameras_place = self.screen.is_in_cameras_place();
        self.tell_screen(ScreenEvent::Started { source, in_cameras_place });
        self.tell_media(now);
        self.tell_parts();
    }

    /// The person shows it no longer, or it is gone.
    pub(super) fn stop_sharing(&mut self, now: Instant) {
        let Some(ours) = self.screen.ours.take() else { return };
        self.tell_screen(ScreenEvent::Stopped);
        match ours.way {
            Way::Beside { publication, .. } => {
                self.say(now, ours.peer, Message::Screen { on: false });
                self.node.unpublish(now, publication);
            }
            Way::InCamerasPlace => {
                self.media.pictures_change();
                self.ask_encoder(now);
            }
        }
        if ours.camera_returns {
            self.switch_camera(now, true);
        }
        self.tell_media(now);
        self.tell_parts();
    }

    /// The call is over, or waits: nobody shows anything any more.
    pub(super) fn end_screens(&mut self, now: Instant) {
        self.stop_sharing(now);
        self.end_far_screen(now);
    }

    /// The lines are up, perhaps again: the far end plays our screen anew.
    pub(super) fn begin_screen(&mut self, now: Instant, peer: PeerId) {
        if matches!(&self.screen.ours, Some(Ours { peer: ours, way: Way::Beside { .. }, .. }) if *ours == peer)
        {
            self.say(now, peer, Message::Screen { on: true });
        }
    }

    fn switch_camera(&mut self, now: Instant, on: bool) {
        self.media.camera_on = on;
        self.tell_screen(ScreenEvent::CameraOn(on));
        self.tell_media(now);
    }

    fn tell_screen(&mut self, event: ScreenEvent) {
        self.told.push_back(ClientEvent::Screen(event));
    }

    /// Tells each encoder its part of the rate.
    pub(super) fn tell_parts(&mut self) {
        let Some(total) = self.media.target() else { return };
        if self.screen.ours.is_none() {
            self.told.push_back(ClientEvent::Target(total));
            return;
        }
        let (camera, screen) = shares(total, self.shows_both());
        if let Some(camera) = camera {
            self.told.push_back(ClientEvent::Target(camera));
        }
        self.tell_screen(ScreenEvent::Target(screen));
    }

    fn shows_both(&self) -> bool {
        self.media.sends_video() && !self.screen.is_in_cameras_place()
    }

    /// The rate of what goes out on the private line, in bits a second.
    pub(super) fn bits_on_line(&self) -> Option<u32> {
        let total = self.media.target()?;
        let beside = self.screen.ours.is_some() && !self.screen.is_in_cameras_place();
        let part = if beside { shares(total, true).0.unwrap_or(total) } else { total };
        Some(part.bits_per_second)
    }

    /// The way is so thin that the camera has to rest while a screen is shown.
    pub(super) fn camera_rests(&self) -> bool {
        let total = self.media.target();
        self.screen.ours.is_some() && total.is_some_and(|total| shares(total, true).0.is_none())
    }

    /// Bytes of our screen queued and not acknowledged.
    pub(super) fn queued_screen(&self) -> usize {
        let subscriber = self.screen.subscriber();
        subscriber.map_or(0, |id| self.node.queued(Target::Subscriber(id), MediaKind::Video))
    }

    /// A frame of our screen.
    pub(super) fn send_screen(&mut self, now: Instant, frame: EncodedFrame) {
        let EncodedFrame::Video { key, .. } = &frame else { return };
        let (key, queued) = (*key, self.queued_screen());
        let rate = self.media.target().map(|total| shares(total, self.shows_both()).1.bits_per_second);
        let a_second = rate.unwrap_or(1_500_000) as usize / 8;
        let Some(ours) = &mut self.screen.ours else { return };
        let Way::Beside { subscriber, awaits_key, asked_encoder, .. } = &mut ours.way else {
            if let Some((_, target)) = self.media_target() {
                self.send_on_line(now, target, frame);
            }
            return;
        };
        let Some(target) = subscriber.map(Target::Subscriber) else { return };
        // A large screen's key frame is large: it may take two seconds before a fresh one would be sooner there.
        if queued > FREE_QUEUE * 4 && queued > a_second * 2 {
            self.node.abandon_video(now, target);
            *awaits_key = true;
        }
        if *awaits_key && !key {
            let recently =
                asked_encoder.is_some_and(|at| now.saturating_duration_since(at) < KEY_FRAME_EVERY);
            if !recently {
                *asked_encoder = Some(now);
                self.tell_screen(ScreenEvent::KeyFrameWanted);
            }
            return;
        }
        *awaits_key = false;
        for (message, deadline) in outgoing(now, Patience::STEADY, frame) {
            self.node.send_media(now, target, message, deadline);
        }
    }

    /// Pictures of our screen fell: deltas after them would only show rubble. A screen at rest sends nothing by itself, so
    /// the encoder is asked at once.
    pub(super) fn screen_abandoned(&mut self, now: Instant, target: Target) {
        let Some(Ours { way: Way::Beside { subscriber, awaits_key, .. }, .. }) = &mut self.screen.ours else {
            return;
        };
        if subscriber.map(Target::Subscriber) == Some(target) {
            self.node.abandon_video(now, target);
            if !std::mem::replace(awaits_key, true) {
                self.tell_screen(ScreenEvent::KeyFrameWanted);
            }
        }
    }

    /// Whether somebody asked to play a screen; it is answered then.
    pub(super) fn wants_screen(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        name: &str,
        peer: PeerId,
        own: OwnIdentity,
    ) -> bool {
        let Some(Ours { peer: ours, way: Way::Beside { publication, .. }, .. }) = &self.screen.ours else {
            return false;
        };
        let of_lines = self.links.get(&peer).is_some_and(|lines| lines.own == own);
        // As private as the line: only the peer it is named after.
        if *ours != peer || name != stream_to(peer) || !of_lines || !self.call.flows_with(peer) {
            return false;
        }
        self.node.accept_subscriber(now, subscriber, *publication);
        true
    }

    /// The far end plays our screen.
    pub(super) fn screen_plays(&mut self, now: Instant, id: SubscriberId, of: PublicationId) {
        if let Some(Ours { way: Way::Beside { publication, subscriber, awaits_key, asked_encoder }, .. }) =
            &mut self.screen.ours
            && *publication == of
        {
            (*subscriber, *awaits_key, *asked_encoder) = (Some(id), true, Some(now));
            self.tell_screen(ScreenEvent::KeyFrameWanted);
        }
    }

    /// It plays it no longer.
    pub(super) fn screen_plays_no_more(&mut self, id: SubscriberId) {
        if let Some(Ours { way: Way::Beside { subscriber, .. }, .. }) = &mut self.screen.ours {
            subscriber.take_if(|subscriber| *subscriber == id);
        }
    }

    /// The far end needs a picture of our screen that stands alone.
    pub(super) fn screen_key_frame_wanted(&mut self, peer: PeerId) {
        if self.call.flows_with(peer) && self.screen.ours.is_some() {
            self.tell_screen(ScreenEvent::KeyFrameWanted);
        }
    }

    /// The far end shows a screen, or no longer.
    pub(super) fn far_screen(&mut self, now: Instant, peer: PeerId, on: bool) {
        if !on {
            if self.screen.far.as_ref().is_some_and(|far| far.peer == peer) {
                self.end_far_screen(now);
            }
            return;
        }
        if !self.call.flows_with(peer) {
            return;
        }
        // Said again, the lines are new: what played over the old ones has ended, or will.
        if let Some(old) = self.screen.far.take() {
            self.node.close_playback(now, old.playback);
        }
        let Some(lines) = self.links.get(&peer) else { return };
        let Some(me) = self.me_as(lines.own) else { return };
        let candidates = lines.candidates.clone();
        let playback = self.node.play_direct_as(now, lines.own, peer, &stream_to(me), &candidates);
        self.screen.far = Some(Far { peer, playback, incoming: Incoming::default(), asked: None });
        self.dirty = true;
    }

    fn end_far_screen(&mut self, now: Instant) {
        if let Some(far) = self.screen.far.take() {
            self.node.close_playback(now, far.playback);
            self.tell_screen(ScreenEvent::FarEnded);
            self.dirty = true;
        }
    }

    /// A playback is over; if it was the far end's screen, that is too.
    pub(super) fn far_screen_ended(&mut self, playback: PlaybackId) {
        if self.screen.far.take_if(|far| far.playback == playback).is_some() {
            self.tell_screen(ScreenEvent::FarEnded);
            self.dirty = true;
        }
    }

    /// Takes what comes of the far end's screen; gives back what is something else.
    pub(super) fn far_screen_media(
        &mut self,
        playback: PlaybackId,
        message: MediaMessage,
    ) -> Option<MediaMessage> {
        let Some(far) = self.screen.far.as_mut().filter(|far| far.playback == playback) else {
            return Some(message);
        };
        let flows = self.call.flows_with(far.peer);
        if let Some(frame @ EncodedFrame::Video { .. }) = far.incoming.frame(message)
            && flows
        {
            self.tell_screen(ScreenEvent::FarFrame(frame));
        }
        None
    }

    /// Our decoder needs a picture of the far end's screen that stands alone.
    pub(super) fn want_screen_key_frame(&mut self, now: Instant) {
        let Some(far) = &mut self.screen.far else { return };
        let recently = far.asked.is_some_and(|at| now.saturating_duration_since(at) < KEY_FRAME_EVERY);
        if !recently {
            far.asked = Some(now);
            let peer = far.peer;
            self.say(now, peer, Message::ScreenKeyFrameWanted);
        }
    }
}
