//! What can be wrong with a device, in words for the person in front of it.
//!
//! A device that fails never ends a call: the studio goes on without it and says so once, with one of these.

use std::fmt;
use std::path::PathBuf;

/// A device that cannot be used, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceError {
    /// Which device.
    pub device: DeviceKind,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The devices a call uses.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DeviceKind {
    /// What pictures come from.
    Camera,
    /// What sound comes from.
    Microphone,
    /// What sound goes to.
    Speaker,
    /// Where shown pictures are kept.
    Picture,
    /// A screen or a window that is shown to the far end.
    Screen,
}

/// What is wrong with a device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// There is none, or none of that name.
    NotFound,
    /// Another program has it.
    Busy,
    /// The system does not let us.
    Denied,
    /// It offers nothing we understand.
    Unsupported,
    /// It worked and stopped. Usual cause: unplugged.
    Stopped,
    /// It was asked and never answered.
    NoAnswer,
    /// It was asked again and again and never answered: nothing but a change outside helps.
    Hung,
    /// A microphone gives nothing but exact zeros.
    Silent,
    /// A file that stands in for a device cannot be read or written.
    File {
        /// Which file.
        path: PathBuf,
        /// What the system or the reader said.
        reason: String,
    },
}

impl DeviceError {
    pub(crate) fn new(device: DeviceKind, problem: Problem) -> Self {
        Self { device, problem }
    }

    pub(crate) fn file(device: DeviceKind, path: &std::path::Path, reason: impl fmt::Display) -> Self {
        Self::new(device, Problem::File { path: path.to_owned(), reason: reason.to_string() })
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Picture => "picture file",
            Self::Screen => "screen or window",
        })
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = self.device;
        match &self.problem {
            Problem::NotFound => write!(out, "No {device} was found; plug one in or choose another."),
            Problem::Busy => {
                write!(
                    out,
                    "The {device} is used by another program; close that program or choose another {device}."
                )
            }
            Problem::Denied => {
                write!(
                    out,
                    "The system does not allow the {device}; allow it in the system's privacy settings."
                )
            }
            Problem::Unsupported => {
                write!(out, "The {device} offers no format that can be used; choose another.")
            }
            Problem::Stopped => {
                write!(out, "The {device} stopped working; check its cable or choose another.")
            }
            Problem::NoAnswer => {
                write!(
                    out,
                    "The {device} does not answer; unplug it and plug it in again, or choose another."
                )
            }
            Problem::Hung => {
                write!(
                    out,
                    "The {device} does not answer any more; unplug it and plug it in again, or restart the program."
                )
            }
            Problem::Silent => {
                write!(
                    out,
                    "The {device} gives only silence; it may be switched off at the device or blocked in the \
                     system's privacy settings."
                )
            }
            Problem::File { path, reason } => {
                write!(
                    out,
                    "The file {} cannot be used as {device} ({reason}); choose another.",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for DeviceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_one_sentence_with_a_remedy() {
        let file = Problem::File { path: "a.y4m".into(), reason: "no such file".into() };
        for problem in [
            Problem::NotFound,
            Problem::Busy,
            Problem::Denied,
            Problem::Unsupported,
            Problem::Stopped,
            Problem::NoAnswer,
            Problem::Hung,
            Problem::Silent,
            file,
        ] {
            let text = DeviceError::new(DeviceKind::Camera, problem).to_string();
            assert!(text.contains("camera") && text.contains("; ") && text.ends_with('.'), "{text}");
        }
    }
}
