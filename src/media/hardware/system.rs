//! The devices of this computer.

use super::{CameraDevice, Hardware, InputEnds, OpenInput, OpenOutput, OutputEnds, Seen};
use crate::media::capture::{CameraLines, camera, microphone};
use crate::media::device_error::{DeviceError, DeviceKind};
use crate::media::playout::speaker;
use crate::media::sound_host;

/// What the operating system offers.
#[derive(Debug, Default)]
pub(crate) struct SystemHardware {
    cameras: camera::Lookout,
    sound: sound_host::Lookout,
}

impl Hardware for SystemHardware {
    fn look(&self) -> Seen {
        Seen {
            cameras: self.cameras.look(),
            microphones: self.sound.look(DeviceKind::Microphone),
            speakers: self.sound.look(DeviceKind::Speaker),
        }
    }

    fn open_camera(
        &self,
        name: Option<&str>,
        lines: CameraLines,
    ) -> Result<Box<dyn CameraDevice>, DeviceError> {
        camera::open_system(name, lines)
    }

    fn open_microphone(&self, name: Option<&str>, ends: InputEnds) -> Result<OpenInput, DeviceError> {
        microphone::open_system(name, ends)
    }

    fn open_speaker(&self, name: Option<&str>, ends: OutputEnds) -> Result<OpenOutput, DeviceError> {
        speaker::open_system(name, ends)
    }
}
