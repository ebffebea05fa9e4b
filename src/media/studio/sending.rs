//! The threads of the sending side: camera, encoder, microphone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::device_care::Order;
use super::own_sound::OwnSound;
use super::shared::{Shared, lock};
use super::silence_hold::SilenceHold;
use super::watching::Attendant;
use crate::media::capture::camera::Camera;
use crate::media::capture::microphone::Microphone;
use crate::media::capture::silence::SilenceWatch;
use crate::media::capture::{self, CameraLines, Captured, PictureSource as _, SoundSource as _};
use crate::media::choice::{CameraSource, MicrophoneSource};
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::device_news::DeviceNews;
use crate::media::recording::tap::Side;
use crate::media::send_pipeline::VideoSender;
use crate::media::worker::{Retired, Stop};

/// So long a thread without a device waits at most before it looks around again.
const LOOK_AROUND: Duration = Duration::from_millis(200);

/// Reads the camera until told to stop. The predecessor must have let go of the device first.
pub(super) fn run_camera(
    shared: &Arc<Shared>,
    source: &CameraSource,
    lines: CameraLines,
    predecessor: Vec<Retired>,
    stop: &Stop,
) {
    drop(predecessor);
    match source {
        CameraSource::Default => attend_camera(shared, None, lines, stop),
        CameraSource::Named(name) => attend_camera(shared, Some(name.clone()), lines, stop),
        other => {
            if let Err(error) = read_pictures(shared, other, stop) {
                shared.problem(error);
            }
        }
    }
    shared.set(&shared.has_camera, false);
}

/// Pictures from what is no device.
fn read_pictures(shared: &Shared, source: &CameraSource, stop: &Stop) -> Result<(), DeviceError> {
    let Some(mut pictures) = capture::open_pictures(source)? else { return Ok(()) };
    while !stop.is_set() {
        if let Some(captured) = pictures.next(stop)? {
            take_picture(shared, captured);
        }
    }
    Ok(())
}

/// Keeps a camera open as well as can be.
fn attend_camera(shared: &Arc<Shared>, chosen: Option<String>, lines: CameraLines, stop: &Stop) {
    let mut attendant = Attendant::new(shared, DeviceKind::Camera, chosen);
    let mut camera: Option<Camera> = None;
    while !stop.is_set() {
        let now = Instant::now();
        match attendant.order(now) {
            Order::Open(name) => match Camera::open(&shared.hardware, name.as_deref(), lines) {
                Ok(opening) => camera = Some(opening),
                Err(error) => attendant.failed(error, None),
            },
            Order::Close => attendant.close(camera.take().map(Camera::close)),
            Order::Wait(until) => {
                shared.set(&shared.has_camera, false);
                stop.sleep_until(until.min(now + LOOK_AROUND));
            }
            Order::Stay => {
                let Some(open) = &mut camera else {
                    stop.sleep_until(now + LOOK_AROUND);
                    continue;
                };
                match open.next(stop) {
                    Ok(captured) => {
                        if let Some(name) = open.name() {
                            attendant.opened(name);
                        }
                        if let Some(captured) = captured {
                            attendant.works();
                            take_picture(shared, captured);
                        }
                    }
                    Err(error) => {
                        shared.set(&shared.has_camera, false);
                        attendant.failed(error, camera.take().map(Camera::close));
                    }
                }
            }
        }
    }
    attendant.close(camera.map(Camera::close));
}

/// A picture of one's own goes to the window and to the encoder.
fn take_picture(shared: &Shared, captured: Captured) {
    shared.set(&shared.has_camera, true);
    {
        let mut counters = lock(&shared.counters);
        counters.captured += 1;
        counters.capture.add(captured.at.elapsed());
    }
    shared.own_picture.put(captured.picture.clone());
    shared.to_encode.put(captured);
    shared.encode_signal.notify();
    shared.wake();
}

/// Codes the newest picture, again and again; one that comes while another is coded replaces those before it.
pub(super) fn run_encoder(shared: &Arc<Shared>, stop: &Stop) {
    let mut sender = VideoSender::new(lock(&shared.sending).target);
    while !stop.is_set() {
        shared.encode_signal.wait(Duration::from_millis(50));
        let Some(captured) = shared.to_encode.take() else { continue };
        let (sink, target, key, key_every, fates) = {
            let mut sending = lock(&shared.sending);
            if sending.no_pictures {
                // A preview that is open beside a call is for the person alone.
                continue;
            }
            if sending.held {
                shared.tap.picture(Side::Own, &captured.picture, captured.at);
                continue;
            }
            let key = std::mem::take(&mut sending.key_requested);
            let fates = std::mem::take(&mut sending.fates);
            (sending.sink.clone(), sending.target, key, sending.key_every, fates)
        };
        shared.tap.picture(Side::Own, &captured.picture, captured.at);
        sender.set_target(target);
        sender.set_key_every(key_every);
        fates.into_iter().for_each(|fate| sender.on_fate(fate));
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
            counters.until_encoding.add(started.saturating_duration_since(captured.at));
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
    match source {
        MicrophoneSource::Default => attend_microphone(shared, None, stop),
        MicrophoneSource::Named(name) => attend_microphone(shared, Some(name.clone()), stop),
        other => {
            if let Err(error) = read_sound(shared, other, stop) {
                shared.problem(error);
            }
        }
    }
    no_microphone(shared);
}

/// Sound from what is no device.
fn read_sound(shared: &Shared, source: &MicrophoneSource, stop: &Stop) -> Result<(), DeviceError> {
    let Some(mut sound) = capture::open_sound(source)? else { return Ok(()) };
    let (mut samples, mut own) = (Vec::new(), OwnSound::untouched());
    while !stop.is_set() {
        samples.clear();
        if let Some(first_heard) = sound.read(stop, &mut samples)? {
            own.take(shared, &samples, first_heard);
        }
    }
    Ok(())
}

/// Keeps a microphone open as well as can be.
fn attend_microphone(shared: &Arc<Shared>, chosen: Option<String>, stop: &Stop) {
    let mut attendant = Attendant::new(shared, DeviceKind::Microphone, chosen);
    let mut microphone: Option<Microphone> = None;
    let (mut silence, mut hold) = (SilenceWatch::default(), SilenceHold::default());
    let (mut samples, mut own) = (Vec::new(), OwnSound::of_a_microphone());
    while !stop.is_set() {
        let now = Instant::now();
        match attendant.order(now) {
            Order::Open(name) => {
                if silence.is_silent() || hold.is_on() {
                    shared.notice(DeviceNews::Mended(DeviceKind::Microphone));
                }
                // What was begun with another device does not go on with this one.
                (silence, hold) = (SilenceWatch::default(), SilenceHold::default());
                own = OwnSound::of_a_microphone();
                match Microphone::open(&shared.hardware, name.as_deref()) {
                    Ok(opening) => microphone = Some(opening),
                    Err(error) => attendant.failed(error, None),
                }
            }
            Order::Close => attendant.close(microphone.take().map(Microphone::close)),
            Order::Wait(until) => {
                no_microphone(shared);
                stop.sleep_until(until.min(now + LOOK_AROUND));
            }
            Order::Stay => {
                let Some(open) = &mut microphone else {
                    stop.sleep_until(now + LOOK_AROUND);
                    continue;
                };
                samples.clear();
                match open.read(stop, &mut samples) {
                    Ok(heard) => {
                        if let Some(name) = open.name() {
                            attendant.opened(name);
                        }
                        let Some(first_heard) = heard else { continue };
                        attendant.works();
                        watch_silence(shared, &mut attendant, &mut silence, &mut hold, open.raw());
                        if hold.is_on() {
                            samples.fill(0.0);
                        }
                        if open.take_moved() {
                            attendant.care.moved(now);
                        }
                        own.take(shared, &samples, first_heard);
                    }
                    Err(error) => attendant.failed(error, microphone.take().map(Microphone::close)),
                }
            }
        }
    }
    attendant.close(microphone.map(Microphone::close));
}

/// Tells of a microphone that gives nothing but zeros, and when it is over.
fn watch_silence(
    shared: &Shared,
    attendant: &mut Attendant,
    silence: &mut SilenceWatch,
    hold: &mut SilenceHold,
    raw: (&[f32], u32),
) {
    let now = Instant::now();
    let muted = lock(&shared.sending).muted;
    match silence.hear(raw.0, raw.1, muted) {
        // It is still known to be silent while what sounds is held back.
        Some(true) if hold.is_on() => {}
        Some(true) => shared.problem(DeviceError::new(DeviceKind::Microphone, Problem::Silent)),
        Some(false) if !hold.is_on() => hold.begin(now, attendant.looks()),
        Some(false) | None => {}
    }
    if hold.ends(now, attendant.looks(), attendant.care.stays()) {
        shared.notice(DeviceNews::Mended(DeviceKind::Microphone));
    } else if hold.is_on() {
        attendant.look_now();
    }
    attendant.care.note_silent(silence.is_silent() || hold.is_on());
}

fn no_microphone(shared: &Shared) {
    shared.set(&shared.has_microphone, false);
    shared.microphone_level.set(0.0);
    shared.speaking.store(false, Ordering::Relaxed);
    shared.watch.set_microphone(None);
}
