//! The threads of the sending side: camera, encoder, microphone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shared::{Shared, lock};
use crate::media::capture::{self, CameraLines, PictureSource, SoundSource};
use crate::media::choice::{CameraSource, MicrophoneSource};
use crate::media::device_error::DeviceError;
use crate::media::encoded::EncodedFrame;
use crate::media::recording::tap::Side;
use crate::media::send_pipeline::{AudioSender, VideoSender};
use crate::media::worker::{Retired, Stop};

/// A device that failed may come back: it is tried again this often.
const RETRY: Duration = Duration::from_secs(3);

/// Reads the camera until told to stop. The predecessor must have let go of the device first.
pub(super) fn run_camera(
    shared: &Arc<Shared>,
    source: &CameraSource,
    lines: CameraLines,
    predecessor: Vec<Retired>,
    stop: &Stop,
) {
    drop(predecessor);
    let may_come_back = matches!(source, CameraSource::Default | CameraSource::Named(_));
    let mut told = None;
    while !stop.is_set() {
        let ended = match capture::open_camera(source, lines) {
            Ok(None) => return,
            Ok(Some(mut camera)) => read_camera(shared, camera.as_mut(), stop, &mut told),
            Err(error) => Err(error),
        };
        shared.set(&shared.has_camera, false);
        if !go_on(shared, ended, may_come_back, stop, &mut told) {
            return;
        }
    }
}

fn read_camera(
    shared: &Shared,
    camera: &mut dyn PictureSource,
    stop: &Stop,
    told: &mut Option<DeviceError>,
) -> Result<(), DeviceError> {
    while let Some(captured) = camera.next(stop)? {
        *told = None;
        shared.set(&shared.has_camera, true);
        lock(&shared.counters).captured += 1;
        shared.own_picture.put(captured.picture.clone());
        shared.to_encode.put(captured);
        shared.encode_signal.notify();
        shared.wake();
    }
    Ok(())
}

/// After a source ended: says why, once, and waits before the next try. Whether there is one.
fn go_on(
    shared: &Shared,
    ended: Result<(), DeviceError>,
    may_come_back: bool,
    stop: &Stop,
    told: &mut Option<DeviceError>,
) -> bool {
    if let Err(error) = ended
        && told.as_ref() != Some(&error)
    {
        shared.notice(error.clone());
        *told = Some(error);
    }
    may_come_back && stop.sleep_until(Instant::now() + RETRY)
}

/// Codes the newest picture, again and again; one that comes while another is coded replaces those before it.
pub(super) fn run_encoder(shared: &Arc<Shared>, stop: &Stop) {
    let mut sender = VideoSender::new(lock(&shared.sending).target);
    while !stop.is_set() {
        shared.encode_signal.wait(Duration::from_millis(50));
        let Some(captured) = shared.to_encode.take() else { continue };
        let (sink, target, key, key_every) = {
            let mut sending = lock(&shared.sending);
            if sending.no_pictures {
                // A preview that is open beside a call is for the person alone.
                continue;
            }
            let key = std::mem::take(&mut sending.key_requested);
            (sending.sink.clone(), sending.target, key, sending.key_every)
        };
        shared.tap.picture(Side::Own, &captured.picture, captured.at);
        sender.set_target(target);
        sender.set_key_every(key_every);
        if key {
            sender.request_key();
        }
        let started = Instant::now();
        let frame = sender.push(&captured.picture, shared.clock.stamp(captured.at));
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

/// Reads the microphone until told to stop, shows its level, and sends while there is a sink.
pub(super) fn run_microphone(
    shared: &Arc<Shared>,
    source: &MicrophoneSource,
    predecessor: Vec<Retired>,
    stop: &Stop,
) {
    drop(predecessor);
    let may_come_back = matches!(source, MicrophoneSource::Default | MicrophoneSource::Named(_));
    let mut told = None;
    while !stop.is_set() {
        let ended = match capture::open_microphone(source) {
            Ok(None) => return,
            Ok(Some(mut microphone)) => read_microphone(shared, microphone.as_mut(), stop, &mut told),
            Err(error) => Err(error),
        };
        shared.set(&shared.has_microphone, false);
        shared.microphone_level.set(0.0);
        if !go_on(shared, ended, may_come_back, stop, &mut told) {
            return;
        }
    }
}

fn read_microphone(
    shared: &Shared,
    microphone: &mut dyn SoundSource,
    stop: &Stop,
    told: &mut Option<DeviceError>,
) -> Result<(), DeviceError> {
    let mut samples = Vec::new();
    let mut sender: Option<AudioSender> = None;
    while !stop.is_set() {
        samples.clear();
        let Some(first_heard) = microphone.read(stop, &mut samples)? else { continue };
        *told = None;
        shared.set(&shared.has_microphone, true);
        shared.microphone_level.hear(&samples);
        let (sink, muted, expected_loss) = {
            let sending = lock(&shared.sending);
            (sending.sink.clone(), sending.muted, sending.expected_loss)
        };
        let Some(sink) = sink else {
            sender = None;
            continue;
        };
        if !muted {
            shared.tap.sound(Side::Own, &samples, first_heard);
        }
        let Some(sender) = ready(&mut sender) else { continue };
        sender.set_muted(muted);
        sender.set_expected_loss(expected_loss);
        let frames: Vec<EncodedFrame> = sender.push(&samples, shared.clock.stamp(first_heard));
        for frame in frames {
            sink(frame);
        }
    }
    Ok(())
}

fn ready(sender: &mut Option<AudioSender>) -> Option<&mut AudioSender> {
    if sender.is_none() {
        *sender = AudioSender::new().inspect_err(|error| tracing::error!(%error, "no Opus encoder")).ok();
    }
    sender.as_mut()
}
