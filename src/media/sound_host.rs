//! The system's sound: which service to ask, which device is meant, which format it gets.
//!
//! On Linux PulseAudio's protocol comes first (PipeWire speaks it too); ALSA is the last resort, because behind a sound
//! server it loses sound. Everything here may block: call it from a device thread.

use cpal::traits::{DeviceTrait as _, HostTrait as _};
use cpal::{BufferSize, Device, ErrorKind, Host, SampleFormat, StreamConfig, SupportedBufferSize};

use super::device_error::{DeviceError, DeviceKind, Problem};

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

/// The names of the devices of one direction, each once.
pub(crate) fn names(kind: DeviceKind) -> Vec<String> {
    let Some(host) = host() else { return Vec::new() };
    let mut names: Vec<String> =
        devices(&host, kind).iter().filter(|device| !is_monitor(device)).filter_map(name).collect();
    names.dedup();
    names
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

fn name(device: &Device) -> Option<String> {
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

/// Whether a running stream is over after this error. The others are hiccups, or say that the system moved the stream.
pub(crate) fn ends_the_stream(error: &cpal::Error) -> bool {
    !matches!(error.kind(), ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied)
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
