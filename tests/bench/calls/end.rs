//! One end of a call: a client on the network, its studio, and between them what the program's worker does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::media::encoded::EncodedFrame;
use tincan::media::picture::Picture;
use tincan::media::stepped::{BLOCK, Heard, SteppedStudio};
use tincan::media::studio::VideoTarget;

use crate::support::virtual_network::Host;
use crate::world::{Anyone, Told, World};

/// What a client told, and when.
type Mailbox = Rc<RefCell<VecDeque<(Instant, ClientEvent)>>>;

/// One end.
pub(crate) struct End {
    pub(crate) host: Host,
    pub(crate) studio: SteppedStudio,
    mailbox: Mailbox,
    /// The call is up.
    pub(crate) up: bool,
    /// What the encoder was told last.
    pub(crate) target: VideoTarget,
    /// Milliseconds of sound played and made up since the last report.
    played: (u32, u32),
}

impl End {
    /// Listens to what a client tells from now on. Stamps count from `origin`.
    pub(crate) fn new(world: &mut World, host: Host, origin: Instant) -> Self {
        let mailbox = Mailbox::default();
        let post = Rc::clone(&mailbox);
        world.net.react(host, move |_: &mut Anyone, now, told| {
            if let Told::Client(event) = told {
                // Snapshots are for the window.
                if !matches!(event, ClientEvent::Changed(_)) {
                    post.borrow_mut().push_back((now, event.clone()));
                }
            }
        });
        let target = VideoTarget::default();
        Self { host, studio: SteppedStudio::new(origin), mailbox, up: false, target, played: (0, 0) }
    }

    /// Does what the worker does with all that the client told.
    pub(crate) fn follow(&mut self) {
        loop {
            let next = self.mailbox.borrow_mut().pop_front();
            let Some((at, event)) = next else { return };
            self.follow_one(at, event);
        }
    }

    // No event is passed over by a wildcard: one that concerns the media must be followed here as the worker does.
    fn follow_one(&mut self, at: Instant, event: ClientEvent) {
        match event {
            ClientEvent::MediaStarted { peer: _, muted, camera_on } => {
                self.up = true;
                self.studio.set_muted(muted);
                self.studio.set_camera_on(camera_on);
                self.set_target(VideoTarget::default());
                self.studio.hold_pictures(false);
                self.studio.start_receiving().expect("an Opus decoder");
                self.studio.start_sending().expect("an Opus encoder");
                self.studio.request_key_frame();
            }
            ClientEvent::MediaStopped => {
                self.up = false;
                self.studio.stop_sending();
                self.studio.stop_receiving();
            }
            ClientEvent::Frame(frame) => self.studio.push(frame, at),
            ClientEvent::KeyFrameWanted => self.studio.request_key_frame(),
            ClientEvent::PictureFate(fate) => self.studio.on_picture_fate(fate),
            ClientEvent::Target(target) => self.set_target(VideoTarget {
                bits_per_second: target.bits_per_second,
                width: target.width,
                height: target.height,
                frames_per_second: target.frames_per_second,
            }),
            ClientEvent::PicturesHeld(held) => self.studio.hold_pictures(held),
            ClientEvent::SoundRate(bits) => self.studio.set_sound_rate(bits),
            ClientEvent::ExpectedLoss(percent) => self.studio.set_expected_loss(percent),
            // Nobody shows a screen here.
            ClientEvent::Screen(_)
            | ClientEvent::Told(_)
            | ClientEvent::Changed(_)
            | ClientEvent::ServerWanted { .. }
            | ClientEvent::PortWanted(_)
            | ClientEvent::CheckReach(_)
            | ClientEvent::Keep { .. }
            | ClientEvent::EarlierWanted { .. }
            | ClientEvent::File(_)
            | ClientEvent::Recording(_)
            | ClientEvent::Left => {}
        }
    }

    fn set_target(&mut self, target: VideoTarget) {
        self.target = target;
        self.studio.set_video_target(target);
    }

    /// The camera took a picture: what was sent of it.
    pub(crate) fn see(&mut self, world: &mut World, picture: &Picture, at: Instant) -> Option<EncodedFrame> {
        let frame = self.studio.see(picture, at)?;
        world.ask(self.host, ClientCommand::Frame(frame.clone()));
        Some(frame)
    }

    /// The microphone heard ten milliseconds, from that moment on.
    pub(crate) fn hear(&mut self, world: &mut World, block: &[f32; BLOCK], from: Instant) {
        for frame in self.studio.hear(block, from) {
            world.ask(self.host, ClientCommand::Frame(frame));
        }
    }

    /// The loudspeaker takes ten milliseconds.
    pub(crate) fn play(&mut self, now: Instant) -> Option<Heard> {
        let heard = self.studio.play(now)?;
        self.played = (self.played.0 + 10, self.played.1 + heard.concealed_ms);
        Some(heard)
    }

    /// What the worker does as soon as the studio wakes it.
    pub(crate) fn ask_for_key_pictures(&mut self, world: &mut World) {
        if self.up && self.studio.take_key_frame_request() {
            world.ask(self.host, ClientCommand::KeyFrameNeeded);
        }
    }

    /// What the worker does every second.
    pub(crate) fn report(&mut self, world: &mut World) {
        let (played, concealed) = std::mem::take(&mut self.played);
        if self.up && played > 0 {
            let percent = f64::from(concealed) / f64::from(played) * 100.0;
            world.ask(self.host, ClientCommand::Concealed(percent));
            let lost = self.studio.sound_figures().map_or(0.0, |figures| figures.lost_percent_lately);
            world.ask(self.host, ClientCommand::SoundLost(lost));
        }
    }
}
