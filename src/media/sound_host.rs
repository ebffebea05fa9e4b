//! The system's sound: which service to ask, which device is meant, which format it gets.
//!
//! On Linux PulseAudio's protocol comes first (PipeWire speaks it too); ALSA is the last resort, because behind a sound
//! server it loses sound. Everything here may block: call it from a device thread.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use cpal::traits::{DeviceTrait as _, HostTrait as _};
use cpal::{BufferSize, Device, ErrorKind, Host, SampleFormat, StreamConfig, SupportedBufferSize};

use super::device_error::{DeviceError, DeviceKind, Problem};
use super::hardware::{SeenDevice, SeenKind};

/// The sound service of this system, if it has any.
fn host() -> Option<Host> {
    #[cfg(target_os = "linux")]
    {
        if let Ok(host) = cpal::host_from_id(cpal::HostId::PulseAudio) {
            return Some(host);
        }
        // Without a card ALSA would only fill standard error with complaints.
        if !std::path::Path::new("/dev/snd").exists() {
            return None;
        }
    }
    cpal::available_hosts().into_iter().find_map(|id| cpal::host_from_id(id).ok())
}

/// Looks for sound devices again and again, over one connection to the sound service.
#[derive(Default)]
pub(crate) struct Lookout {
    host: Mutex<Option<Host>>,
}

impl Lookout {
    /// The devices of one direction.
    pub(crate) fn look(&self, kind: DeviceKind) -> SeenKind {
        // A lock whose holder panicked guards nothing but a connection.
        let mut kept = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = kept.as_ref().and_then(|host| look(host, kind));
        seen.unwrap_or_else(|| {
            // The sound service may have started again.
            *kept = host();
            kept.as_ref().and_then(|host| look(host, kind)).unwrap_or_default()
        })
    }
}

impl fmt::Debug for Lookout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lookout").finish_non_exhaustive()
    }
}

/// `None` when the service does not answer.
fn look(host: &Host, kind: DeviceKind) -> Option<SeenKind> {
    let found: Vec<Device> = match kind {
        DeviceKind::Microphone => host.input_devices().ok()?.collect(),
        _ => host.output_devices().ok()?.collect(),
    };
    let default = match kind {
        DeviceKind::Microphone => host.default_input_device(),
        _ => host.default_output_device(),
    };
    let seen = |device: &Device| {
        let own = match kind {
            DeviceKind::Microphone => device.default_input_config(),
            _ => device.default_output_config(),
        };
        let rate = own.ok().map(|own| own.sample_rate());
        Some(SeenDevice { name: name(device)?, rate, hidden: is_monitor(device) })
    };
    let devices = found.iter().filter_map(seen).collect();
    Some(SeenKind { devices, default: default.as_ref().and_then(name) })
}

/// The device of this name, or the system's default.
pub(crate) fn find(kind: DeviceKind, wanted: Option<&str>) -> Result<Device, DeviceError> {
    let not_found = || DeviceError::new(kind, Problem::NotFound);
    let host = host().ok_or_else(not_found)?;
    let found = match (wanted, kind) {
        (Some(wanted), _) => {
            devices(&host, kind).into_iter().find(|device| name(device).is_some_and(|n| n == wanted))
        }
        (None, DeviceKind::Microphone) => host.default_input_device(),
        (None, _) => host.default_output_device(),
    };
    found.ok_or_else(not_found)
}

fn devices(host: &Host, kind: DeviceKind) -> Vec<Device> {
    let found = match kind {
        DeviceKind::Microphone => host.input_devices().map(Iterator::collect),
        _ => host.output_devices().map(Iterator::collect),
    };
    found.unwrap_or_default()
}

/// PulseAudio lists what each loudspeaker plays among the microphones. It can be chosen by name, but nobody speaks into it.
fn is_monitor(device: &Device) -> bool {
    device.id().is_ok_and(|id| id.id().ends_with(".monitor"))
}

/// What the system calls it.
pub(crate) fn name(device: &Device) -> Option<String> {
    device.description().ok().map(|description| description.name().to_owned())
}

/// The format to open a device with: its own channels and samples, 48 kHz where it can, and always a fixed, small buffer:
/// the default one was measured at up to 164 ms and at a wrong rate.
pub(crate) fn format(device: &Device, kind: DeviceKind) -> Result<(SampleFormat, StreamConfig), DeviceError> {
    let failed = |error: cpal::Error| DeviceError::new(kind, problem(&error));
    let (own, ranges) = match kind {
        DeviceKind::Microphone => (
            device.default_input_config().map_err(failed)?,
            device.supported_input_configs().map(Iterator::collect::<Vec<_>>),
        ),
        _ => (
            device.default_output_config().map_err(failed)?,
            device.supported_output_configs().map(Iterator::collect::<Vec<_>>),
        ),
    };
    let at_48 = ranges.unwrap_or_default().into_iter().find(|range| {
        range.channels() == own.channels()
            && range.sample_format() == own.sample_format()
            && range.contains_rate(48_000)
    });
    let chosen = at_48.map_or(own, |range| range.with_sample_rate(48_000));
    let frames = match chosen.buffer_size() {
        SupportedBufferSize::Range { min, max } => WANTED_FRAMES.clamp(*min, (*max).max(*min)),
        SupportedBufferSize::Unknown => WANTED_FRAMES,
    };
    let mut config = chosen.config();
    config.buffer_size = BufferSize::Fixed(frames);
    if config.channels == 0 || !(4_000..=400_000).contains(&config.sample_rate) {
        return Err(DeviceError::new(kind, Problem::Unsupported));
    }
    Ok((chosen.sample_format(), config))
}

/// 10 ms at 48 kHz.
const WANTED_FRAMES: u32 = 480;

/// What an error means for the person.
pub(crate) fn problem(error: &cpal::Error) -> Problem {
    match error.kind() {
        ErrorKind::DeviceBusy => Problem::Busy,
        ErrorKind::PermissionDenied => Problem::Denied,
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Problem::NotFound,
        ErrorKind::StreamInvalidated => Problem::Stopped,
        _ => Problem::Unsupported,
    }
}

/// What an error means for a running stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StreamEnd {
    /// A hiccup.
    GoesOn,
    /// The system moved it, or its format is no longer the device's: it is to be built anew.
    Moved,
    /// It is over.
    Over,
}

/// What this error means for the stream that told it.
pub(crate) fn stream_end(error: &cpal::Error) -> StreamEnd {
    match error.kind() {
        ErrorKind::Xrun | ErrorKind::RealtimeDenied => StreamEnd::GoesOn,
        ErrorKind::DeviceChanged => StreamEnd::Moved,
        _ => StreamEnd::Over,
    }
}

/// Calls a function generic over the sample type with the type of a [`SampleFormat`].
macro_rules! for_sample_type {
    ($format:expr, $kind:expr, $call:ident($($argument:expr),* $(,)?)) => {
        match $format {
            cpal::SampleFormat::I8 => $call::<i8>($($argument),*),
            cpal::SampleFormat::I16 => $call::<i16>($($argument),*),
            cpal::SampleFormat::I24 => $call::<cpal::I24>($($argument),*),
            cpal::SampleFormat::I32 => $call::<i32>($($argument),*),
            cpal::SampleFormat::U8 => $call::<u8>($($argument),*),
            cpal::SampleFormat::U16 => $call::<u16>($($argument),*),
            cpal::SampleFormat::U32 => $call::<u32>($($argument),*),
            cpal::SampleFormat::F32 => $call::<f32>($($argument),*),
            cpal::SampleFormat::F64 => $call::<f64>($($argument),*),
            _ => Err($crate::media::device_error::DeviceError::new(
                $kind,
                $crate::media::device_error::Problem::Unsupported,
            )),
        }
    };
}
pub(crate) use for_sample_type;
