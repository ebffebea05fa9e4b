//! The threads of a screen that is shown to the far end: one looks at it, one codes it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shared::{Shared, lock};
use crate::media::capture::screen::{self, Rhythm};
use crate::media::capture::{Captured, PictureSource};
use crate::media::choice::ScreenSource;
use crate::media::device_error::DeviceError;
use crate::media::screen_pipeline::ScreenSender;
use crate::media::worker::{Retired, Stop};

/// Looks at the screen until told to stop, or until what was shown is gone.
pub(super) fn run_screen(shared: &Arc<Shared>, source: ScreenSource, predecessor: Vec<Retired>, stop: &Stop) {
    drop(predecessor);
    let ended = screen::open(&source, Rhythm::Changes)
        .and_then(|mut screen| read_screen(shared, screen.as_mut(), stop));
    shared.set(&shared.has_camera, false);
    if let Err(error) = ended {
        shared.problem(error);
    }
}

fn read_screen(shared: &Shared, screen: &mut dyn PictureSource, stop: &Stop) -> Result<(), DeviceError> {
    while let Some(captured) = screen.next(stop)? {
        shared.set(&shared.has_camera, true);
        lock(&shared.counters).captured += 1;
        shared.own_picture.put(captured.picture.clone());
        shared.to_encode.put(captured);
        shared.encode_signal.notify();
        shared.wake();
    }
    Ok(())
}

/// Codes what is on the screen: when it changes, again until it is sharp, and when a far end asks.
pub(super) fn run_encoder(shared: &Arc<Shared>, repeats: bool, stop: &Stop) {
    let mut sender = ScreenSender::new(lock(&shared.sending).target);
    sender.set_repeats(repeats);
    while !stop.is_set() {
        let now = Instant::now();
        let due = sender.due(now).map_or(LONGEST_WAIT, |due| due.saturating_duration_since(now));
        if !due.is_zero() {
            shared.encode_signal.wait(due.min(LONGEST_WAIT));
        }
        let (sink, target, key) = {
            let mut sending = lock(&shared.sending);
            let key = std::mem::take(&mut sending.key_requested);
            (sending.sink.clone(), sending.target, key)
        };
        sender.set_target(target);
        if key {
            sender.request_key();
        }
        if let Some(Captured { picture, .. }) = shared.to_encode.take() {
            sender.take(picture);
        }
        let started = Instant::now();
        let frame = sender.code(started, shared.clock.stamp(started));
        let (Some(frame), Some(sink)) = (frame, sink) else { continue };
        let now = Instant::now();
        {
            let mut counters = lock(&shared.counters);
            counters.sent += 1;
            counters.send_size = sender.size();
            counters.send_rate.tick(now);
            counters.encode.add(now - started);
        }
        sink(frame);
    }
}

/// A wish for another rate or a key picture is seen so soon at the latest.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
