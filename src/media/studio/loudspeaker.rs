//! The loudspeaker as the player sees it: open, or not yet, or away, without ever holding up the player.

use std::sync::Arc;
use std::time::Instant;

use super::call_mode::CallModeWatch;
use super::device_care::Order;
use super::shared::Shared;
use super::watching::Attendant;
use crate::media::choice::SpeakerSink;
use crate::media::device_error::DeviceKind;
use crate::media::device_news::DeviceNews;
use crate::media::playout::speaker::{Opening, OpeningSpeaker, Speaker};

/// Keeps a loudspeaker open as well as can be.
#[derive(Default)]
pub(super) struct Loudspeaker {
    /// None while no device is wanted.
    attendant: Option<Attendant>,
    opening: Option<OpeningSpeaker>,
    open: Option<Box<Speaker>>,
    call_mode: CallModeWatch,
    looks: u64,
}

impl Loudspeaker {
    /// The person chose this one: a device, or none.
    pub(super) fn choose(&mut self, shared: &Arc<Shared>, sink: &SpeakerSink) {
        self.close();
        let chosen = match sink {
            SpeakerSink::Default => None,
            SpeakerSink::Named(name) => Some(name.clone()),
            SpeakerSink::File(_) | SpeakerSink::None => {
                self.attendant = None;
                return;
            }
        };
        self.attendant = Some(Attendant::new(shared, DeviceKind::Speaker, chosen));
    }

    /// Opens, closes, and looks whether what is open still works. What is open is taken out, to be put back after use.
    pub(super) fn take(&mut self, shared: &Shared) -> Option<Box<Speaker>> {
        let attendant = self.attendant.as_mut()?;
        let now = Instant::now();
        match attendant.order(now) {
            Order::Open(name) => match OpeningSpeaker::open(&shared.hardware, name.as_deref()) {
                Ok(opening) => self.opening = Some(opening),
                Err(error) => attendant.failed(error, None),
            },
            Order::Close => self.close(),
            Order::Wait(_) | Order::Stay => {}
        }
        self.follow_opening(now);
        self.look_at_open(now);
        self.watch_call_mode(shared);
        self.open.take()
    }

    /// What [`Self::take`] gave.
    pub(super) fn put_back(&mut self, speaker: Box<Speaker>) {
        self.open = Some(speaker);
    }

    fn follow_opening(&mut self, now: Instant) {
        let (Some(attendant), Some(opening)) = (&mut self.attendant, self.opening.take()) else { return };
        match opening.poll(now) {
            Opening::Pending(opening) => self.opening = Some(opening),
            Opening::Open(speaker) => {
                attendant.opened(speaker.name());
                self.open = Some(speaker);
            }
            Opening::Failed(error, worker) => attendant.failed(error, Some(worker)),
        }
    }

    fn look_at_open(&mut self, now: Instant) {
        let (Some(attendant), Some(speaker)) = (&mut self.attendant, &mut self.open) else { return };
        if let Err(error) = speaker.check(now) {
            let worker = self.open.take().map(|speaker| speaker.close());
            attendant.failed(error, worker);
            return;
        }
        if speaker.has_taken() {
            attendant.works();
        }
        if speaker.take_moved() {
            attendant.care.moved(now);
        }
    }

    /// Once a look.
    fn watch_call_mode(&mut self, shared: &Shared) {
        let (looks, seen) = shared.watch.last();
        let Some(speaker) = &self.open else { return };
        if std::mem::replace(&mut self.looks, looks) == looks {
            return;
        }
        let Some(rate) = seen.speakers.rate(speaker.name()) else { return };
        let microphone =
            shared.watch.microphone().map(|name| seen.microphones.rate(&name).unwrap_or(u32::MAX));
        if self.call_mode.see(speaker.name(), rate, microphone) {
            shared.notice(DeviceNews::CallMode { name: speaker.name().to_owned() });
        }
    }

    fn close(&mut self) {
        let open = self.open.take().map(|speaker| speaker.close());
        let opening = self.opening.take().map(OpeningSpeaker::close);
        if let Some(attendant) = &mut self.attendant {
            attendant.close(open.or(opening));
        }
    }
}

impl Drop for Loudspeaker {
    fn drop(&mut self) {
        self.close();
    }
}
