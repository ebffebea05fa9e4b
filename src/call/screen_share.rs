//! Screens in a call: what is asked and told of them, and how camera and screen share one rate. Pure.

use super::rate_control::SendTarget;
use crate::media::encoded::EncodedFrame;
use crate::media::screens::ScreenSource;

/// What the doer tells of screens.
#[derive(Clone, Debug, PartialEq)]
pub enum ScreenCommand {
    /// A coded frame of our screen.
    Frame(EncodedFrame),
    /// The decoder needs a key frame of the far end's screen.
    KeyFrameNeeded,
}

/// What the doer is told of screens.
#[derive(Clone, Debug, PartialEq)]
pub enum ScreenEvent {
    /// Look at this, and code it.
    Started {
        /// What.
        source: ScreenSource,
        /// It goes out in the camera's place, where one that stands still must go on coming.
        in_cameras_place: bool,
    },
    /// Look at it no longer.
    Stopped,
    /// Whether the camera is wanted meanwhile.
    CameraOn(bool),
    /// What the encoder of the screen should make.
    Target(SendTarget),
    /// The encoder of the screen should make a key frame.
    KeyFrameWanted,
    /// A coded frame of the far end's screen.
    FarFrame(EncodedFrame),
    /// The far end shows its screen no longer.
    FarEnded,
}

/// Of what is offered to all pictures, the screen gets three quarters: it is what they talk about.
const SCREENS_SHARE: f64 = 0.75;
/// Below this the camera rests: a screen that cannot be read is worth less than a face.
const LEAST_FOR_BOTH: u32 = 250_000;
/// The camera beside a screen is a small picture.
const SMALL_PICTURE: (u32, u32, f32) = (640, 360, 20.0);
/// Pictures of the screen a second, by the least rate: sharp before smooth.
const SCREEN_RATES: [(u32, f32); 4] = [(1_500_000, 15.0), (700_000, 10.0), (300_000, 7.0), (0, 5.0)];
/// The largest picture of a screen.
const LARGEST: (u32, u32) = (1920, 1080);
/// On a thin way a smaller one: text of a half can be read, text of soup cannot.
const LARGEST_WHEN_THIN: (u32, u32) = (1280, 720);
const THIN: u32 = 200_000;

/// What the camera may use, and what the screen; the camera nothing (`None`) when it is off, or has to rest.
pub(crate) fn shares(total: SendTarget, camera: bool) -> (Option<SendTarget>, SendTarget) {
    let both = camera && total.bits_per_second >= LEAST_FOR_BOTH;
    let part = if both { SCREENS_SHARE } else { 1.0 };
    let bits_per_second = (f64::from(total.bits_per_second) * part) as u32;
    let (width, height) = if bits_per_second < THIN { LARGEST_WHEN_THIN } else { LARGEST };
    let rate = SCREEN_RATES.iter().find(|(least, _)| bits_per_second >= *least);
    let frames_per_second = rate.map_or(5.0, |(_, rate)| *rate);
    let screen = SendTarget { bits_per_second, width, height, frames_per_second };
    let small = SendTarget {
        bits_per_second: total.bits_per_second - bits_per_second,
        width: total.width.min(SMALL_PICTURE.0),
        height: total.height.min(SMALL_PICTURE.1),
        frames_per_second: total.frames_per_second.min(SMALL_PICTURE.2),
    };
    (both.then_some(small), screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(bits_per_second: u32) -> SendTarget {
        SendTarget { bits_per_second, width: 1280, height: 720, frames_per_second: 30.0 }
    }

    #[test]
    fn the_screen_gets_three_quarters_and_the_camera_becomes_small() {
        let (camera, screen) = shares(total(2_000_000), true);
        let camera = camera.expect("there is enough for both");
        assert_eq!((camera.bits_per_second, screen.bits_per_second), (500_000, 1_500_000));
        assert_eq!((camera.width, screen.width, screen.frames_per_second), (640, 1920, 15.0));
    }

    #[test]
    fn on_a_thin_way_the_camera_rests_and_the_screen_stays_sharp_before_smooth() {
        let (camera, screen) = shares(total(240_000), true);
        assert_eq!(camera, None);
        assert_eq!((screen.bits_per_second, screen.height, screen.frames_per_second), (240_000, 1080, 5.0));
    }

    #[test]
    fn without_a_camera_the_screen_gets_everything() {
        assert_eq!(shares(total(900_000), false).1.bits_per_second, 900_000);
    }
}
