//! What a person is told of devices that come and go.

use std::fmt;

use super::device_error::{DeviceError, DeviceKind, Problem};

/// One thing that happened to a device in use. The call goes on with each of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeviceNews {
    /// It cannot be used, or not as it should be, and nothing stands in for it.
    Problem(DeviceError),
    /// What was wrong is over. Nothing to say, only to stop saying.
    Mended(DeviceKind),
    /// A device that is gone or cannot be used has another in its place.
    Replaced {
        /// What kind of device.
        device: DeviceKind,
        /// The one that is not used.
        lost: String,
        /// Why it is not.
        why: Problem,
        /// The one in its place.
        by: String,
        /// A microphone that gave only silence, as one switched off at the device does, has one in its place that hears.
        silenced: bool,
    },
    /// A device is used again.
    Back {
        /// What kind of device.
        device: DeviceKind,
        /// Its name.
        name: String,
    },
    /// The system's default is another device now, and it is used.
    Follows {
        /// What kind of device.
        device: DeviceKind,
        /// Its name.
        name: String,
        /// As for [`Self::Replaced`].
        silenced: bool,
    },
    /// The headset is used in call mode: its loudspeaker is poor while its microphone is in use.
    CallMode {
        /// The loudspeaker's name.
        name: String,
    },
}

impl DeviceNews {
    /// Which kind of device it is about.
    pub fn device(&self) -> DeviceKind {
        match self {
            Self::Problem(error) => error.device,
            Self::Mended(device)
            | Self::Replaced { device, .. }
            | Self::Back { device, .. }
            | Self::Follows { device, .. } => *device,
            Self::CallMode { .. } => DeviceKind::Speaker,
        }
    }

    /// Whether a device that may hear took the place of one that gave only silence.
    pub fn silenced(&self) -> bool {
        matches!(self, Self::Replaced { silenced: true, .. } | Self::Follows { silenced: true, .. })
    }
}

impl fmt::Display for DeviceNews {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(error) => error.fmt(out),
            Self::Mended(device) => write!(out, "The {device} works."),
            Self::Replaced { device, lost, why, by, silenced } => {
                match why {
                    Problem::NotFound | Problem::Stopped => {
                        write!(out, "{lost} is not connected. The {device} is now {by}.")?;
                    }
                    _ => write!(out, "{lost} cannot be used. The {device} is now {by}.")?,
                }
                say_muted(out, *silenced)
            }
            Self::Back { device, name } => write!(out, "The {device} is {name} again."),
            Self::Follows { device, name, silenced } => {
                write!(out, "The {device} is now {name}.")?;
                say_muted(out, *silenced)
            }
            Self::CallMode { name } => write!(
                out,
                "{name} is in call mode, with poor sound; choose another microphone and it sounds better."
            ),
        }
    }
}

fn say_muted(out: &mut fmt::Formatter<'_>, silenced: bool) -> fmt::Result {
    if silenced { out.write_str(" You stay muted.") } else { Ok(()) }
}
