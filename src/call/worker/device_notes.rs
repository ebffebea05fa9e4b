//! What becomes of news of devices: what the view shows of it, and what must follow at once. Pure.

use crate::call::view::Devices;
use crate::media::device_error::{DeviceError, DeviceKind};
use crate::media::device_news::DeviceNews;

/// What must follow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Consequence {
    /// The person is to be told.
    pub(super) tell: bool,
    /// The call is to be muted, as the microphone was that is used no longer: whoever switched it off at the device does
    /// not want to be heard through another.
    pub(super) mute: bool,
    /// The screen can be shown no longer.
    pub(super) end_sharing: bool,
}

/// Keeps in the view what this news changes.
pub(super) fn note(devices: &mut Devices, news: &DeviceNews) -> Consequence {
    let device = news.device();
    if let Some(place) = problem_of(devices, device) {
        match news {
            DeviceNews::Problem(error) => *place = Some(error.clone()),
            // A poor sound is one.
            DeviceNews::CallMode { .. } => {}
            DeviceNews::Mended(_)
            | DeviceNews::Replaced { .. }
            | DeviceNews::Back { .. }
            | DeviceNews::Follows { .. } => *place = None,
        }
    }
    let stand_in = match device {
        DeviceKind::Microphone => Some(&mut devices.microphone_stand_in),
        DeviceKind::Speaker => Some(&mut devices.speaker_stand_in),
        DeviceKind::Camera | DeviceKind::Picture | DeviceKind::Screen => None,
    };
    match (news, stand_in) {
        (DeviceNews::Replaced { by, .. }, Some(place)) => *place = Some(by.clone()),
        (DeviceNews::Back { .. } | DeviceNews::Follows { .. }, Some(place)) => *place = None,
        _ => {}
    }
    Consequence {
        tell: !matches!(news, DeviceNews::Mended(_)),
        mute: news.silenced(),
        end_sharing: device == DeviceKind::Screen,
    }
}

fn problem_of(devices: &mut Devices, device: DeviceKind) -> Option<&mut Option<DeviceError>> {
    match device {
        DeviceKind::Camera => Some(&mut devices.camera_problem),
        DeviceKind::Microphone => Some(&mut devices.microphone_problem),
        DeviceKind::Speaker => Some(&mut devices.speaker_problem),
        DeviceKind::Picture | DeviceKind::Screen => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::device_error::Problem;

    const MICROPHONE: DeviceKind = DeviceKind::Microphone;

    fn problem(device: DeviceKind, problem: Problem) -> DeviceNews {
        DeviceNews::Problem(DeviceError::new(device, problem))
    }

    fn replaced(device: DeviceKind, silenced: bool) -> DeviceNews {
        let (lost, by) = ("Headset".to_owned(), "Built-in".to_owned());
        DeviceNews::Replaced { device, lost, why: Problem::NotFound, by, silenced }
    }

    #[test]
    fn a_microphone_that_was_silent_at_the_device_and_is_replaced_leaves_the_call_muted() {
        let mut devices = Devices::default();
        let name = "Built-in".to_owned();
        let follows = DeviceNews::Follows { device: MICROPHONE, name, silenced: true };
        assert!(note(&mut devices, &replaced(MICROPHONE, true)).mute);
        assert!(note(&mut devices, &follows).mute);
        assert!(follows.to_string().ends_with("You stay muted."), "{follows}");
    }

    #[test]
    fn a_microphone_that_was_heard_goes_on_being_heard_through_another() {
        assert!(!note(&mut Devices::default(), &replaced(MICROPHONE, false)).mute);
    }

    #[test]
    fn what_stands_in_is_shown_until_the_chosen_one_is_back() {
        let mut devices = Devices::default();
        note(&mut devices, &problem(DeviceKind::Speaker, Problem::Busy));
        assert!(devices.speaker_problem.is_some());
        note(&mut devices, &replaced(DeviceKind::Speaker, false));
        assert_eq!(
            (&devices.speaker_problem, devices.speaker_stand_in.as_deref()),
            (&None, Some("Built-in"))
        );
        note(&mut devices, &DeviceNews::Back { device: DeviceKind::Speaker, name: "Headset".into() });
        assert_eq!(devices, Devices::default());
    }

    #[test]
    fn what_is_mended_is_shown_as_whole_and_said_to_nobody() {
        let mut devices = Devices::default();
        assert!(note(&mut devices, &problem(DeviceKind::Camera, Problem::Stopped)).tell);
        let mended = note(&mut devices, &DeviceNews::Mended(DeviceKind::Camera));
        assert_eq!((devices, mended), (Devices::default(), Consequence::default()));
    }

    #[test]
    fn call_mode_is_said_and_hides_no_problem() {
        let mut devices = Devices::default();
        note(&mut devices, &problem(DeviceKind::Speaker, Problem::Stopped));
        assert!(note(&mut devices, &DeviceNews::CallMode { name: "Headset".into() }).tell);
        assert!(devices.speaker_problem.is_some());
    }

    #[test]
    fn a_screen_that_cannot_be_shown_ends_the_sharing_and_touches_no_device() {
        let mut devices = Devices::default();
        assert!(note(&mut devices, &problem(DeviceKind::Screen, Problem::Stopped)).end_sharing);
        assert_eq!(devices, Devices::default());
    }
}
