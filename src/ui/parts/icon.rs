//! The icons, as outlines on a square of 24 by 24, drawn with the painter.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use egui::epaint::{PathShape, PathStroke};
use egui::{Color32, Painter, Pos2, Rect, Shape};

use super::outline::polylines;

/// An icon.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Icon {
    /// A microphone.
    Microphone,
    /// A microphone, struck through.
    MicrophoneOff,
    /// A camera.
    Camera,
    /// A camera, struck through.
    CameraOff,
    /// A speech bubble.
    Chat,
    /// A telephone receiver.
    Phone,
    /// A receiver put down.
    HangUp,
    /// Three dots.
    More,
    /// A padlock.
    Lock,
    /// Two sheets.
    Copy,
    /// A tick.
    Tick,
    /// A cog.
    Settings,
    /// A paper plane.
    Send,
    /// Four corners.
    FullScreen,
    /// An arrow to the left.
    Back,
    /// A cross.
    Close,
    /// An arrow pointing down.
    Down,
    /// A loudspeaker.
    Speaker,
    /// Two arrows in a circle.
    Again,
    /// A shield with a tick: compared, and found right.
    Shield,
    /// A triangle with an exclamation mark.
    Warning,
    /// Two strokes: waiting.
    Pause,
    /// A triangle: going on.
    Play,
    /// Two arrows, one each way.
    Swap,
    /// A camera for photographs.
    Snapshot,
    /// A small window in a larger one.
    Tile,
    /// An eye.
    Eye,
    /// An eye, struck through.
    EyeOff,
    /// Four rising bars.
    Bars,
    /// Arrows to both sides.
    Fit,
    /// A square of dots.
    Qr,
    /// A paper clip.
    Clip,
    /// A smiling face.
    Smile,
    /// A clock.
    Waiting,
    /// Two ticks.
    TwoTicks,
    /// A sheet.
    File,
    /// A circle, struck through.
    Blocked,
    /// A disc in a circle.
    Record,
    /// A square in a circle.
    StopRecording,
    /// A screen with an arrow out of it.
    Screen,
}

impl Icon {
    const ALL: [Self; 40] = [
        Self::Microphone,
        Self::MicrophoneOff,
        Self::Camera,
        Self::CameraOff,
        Self::Chat,
        Self::Phone,
        Self::HangUp,
        Self::More,
        Self::Lock,
        Self::Copy,
        Self::Tick,
        Self::Settings,
        Self::Send,
        Self::FullScreen,
        Self::Back,
        Self::Close,
        Self::Down,
        Self::Speaker,
        Self::Again,
        Self::Shield,
        Self::Warning,
        Self::Pause,
        Self::Play,
        Self::Swap,
        Self::Snapshot,
        Self::Tile,
        Self::Eye,
        Self::EyeOff,
        Self::Bars,
        Self::Fit,
        Self::Qr,
        Self::Clip,
        Self::Smile,
        Self::Waiting,
        Self::TwoTicks,
        Self::File,
        Self::Blocked,
        Self::Record,
        Self::StopRecording,
        Self::Screen,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Microphone => "M9 6a3 3 0 016 0v5a3 3 0 01-6 0zM5 11a7 7 0 0014 0M12 18v3",
            Self::MicrophoneOff => "M9 6a3 3 0 016 0v5a3 3 0 01-6 0zM5 11a7 7 0 0014 0M12 18v3M3.5 3.5l17 17",
            Self::Camera => {
                "M6 6h6a3 3 0 013 3v6a3 3 0 01-3 3H6a3 3 0 01-3-3V9a3 3 0 013-3zM15 10.5l6-3.5v10l-6-3.5"
            }
            Self::CameraOff => {
                "M6 6h6a3 3 0 013 3v6a3 3 0 01-3 3H6a3 3 0 01-3-3V9a3 3 0 013-3zM15 10.5l6-3.5v10l-6-3.5M3 3l18 18"
            }
            Self::Chat => "M4 5h16v11H9l-5 4z",
            Self::Phone => {
                "M5 4h4l2 5-2.5 1.5a11 11 0 005 5L15 13l5 2v4a1 1 0 01-1 1A16 16 0 014 5a1 1 0 011-1z"
            }
            Self::HangUp => "M3 14c5-5 13-5 18 0l-2.5 3-4-2v-2.5a10 10 0 00-5 0V15l-4 2z",
            Self::More => "",
            Self::Lock => {
                "M7 11h10a2 2 0 012 2v5a2 2 0 01-2 2H7a2 2 0 01-2-2v-5a2 2 0 012-2zM8 11V8a4 4 0 018 0v3"
            }
            Self::Copy => {
                "M10 8h8a2 2 0 012 2v8a2 2 0 01-2 2h-8a2 2 0 01-2-2v-8a2 2 0 012-2zM16 8V5a1 1 0 00-1-1H5a1 1 0 00-1 1v10a1 1 0 001 1h3"
            }
            Self::Tick => "M5 12.5l4.5 4.5L19 7.5",
            Self::Settings => {
                "M15 12a3 3 0 01-6 0a3 3 0 016 0M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1"
            }
            Self::Send => "M4 12l16-8-6 16-3-7z",
            Self::FullScreen => "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
            Self::Back => "M19 12H5M11 6l-6 6 6 6",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Down => "M7 10l5 5 5-5",
            Self::Speaker => "M4 9.5h4l5-4v13l-5-4H4zM16.5 9a4.5 4.5 0 010 6M19 6.5a8 8 0 010 11",
            Self::Again => "M19.5 9A8 8 0 005 8M4.5 15A8 8 0 0019 16M4.5 4v4.5h4.5M19.5 20v-4.5H15",
            Self::Shield => "M12 3l7 3v6c0 4-3 7-7 9-4-2-7-5-7-9V6zM9 12l2 2 4-4",
            Self::Warning => "M12 4l9 16H3zM12 10v4.5M12 17.2v.3",
            Self::Screen => {
                "M5 4h14a2 2 0 012 2v8a2 2 0 01-2 2H5a2 2 0 01-2-2V6a2 2 0 012-2zM8 20h8M12 13V8M9.5 10L12 7.5l2.5 2.5"
            }
            Self::Pause => "M9 5v14M15 5v14",
            Self::Play => "M8 5l11 7-11 7z",
            Self::Swap => "M4 9h14M14 5l4 4-4 4M20 15H6M10 11l-4 4 4 4",
            Self::Snapshot => "M4 8h3l2-3h6l2 3h3v11H4zM15.5 13a3.5 3.5 0 01-7 0a3.5 3.5 0 017 0",
            Self::Tile => "M4 5h16v14H4zM12 12h5v4h-5z",
            Self::Eye => {
                "M2.5 12c4.5-7.5 14.5-7.5 19 0c-4.5 7.5-14.5 7.5-19 0zM15 12a3 3 0 01-6 0a3 3 0 016 0"
            }
            Self::EyeOff => {
                "M2.5 12c4.5-7.5 14.5-7.5 19 0c-4.5 7.5-14.5 7.5-19 0zM15 12a3 3 0 01-6 0a3 3 0 016 0M4 4l16 16"
            }
            Self::Bars => "M5 19v-3M10 19v-7M15 19V9M20 19V5",
            Self::Fit => "M3 12h18M7 8l-4 4 4 4M17 8l4 4-4 4",
            Self::Qr => "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v6h-4M14 20h1",
            Self::Clip => {
                "M20 11l-8.5 8.5a5 5 0 01-7-7L13 4a3.3 3.3 0 014.7 4.7L9.5 17a1.7 1.7 0 01-2.4-2.4L14 7.8"
            }
            Self::Smile => "M21 12a9 9 0 01-18 0a9 9 0 0118 0M8.5 14.5a4.5 4.5 0 007 0M9 9v1M15 9v1",
            Self::Waiting => "M21 12a9 9 0 01-18 0a9 9 0 0118 0M12 7v5l3.5 2",
            Self::TwoTicks => "M2 12.5l4.5 4.5L16 7.5M11.5 16l1 1L22 7.5",
            Self::File => "M7 3h7l5 5v12a1 1 0 01-1 1H7a1 1 0 01-1-1V4a1 1 0 011-1zM14 3v5h5",
            Self::Blocked => "M21 12a9 9 0 01-18 0a9 9 0 0118 0M5.6 5.6l12.8 12.8",
            Self::Record => "M21 12a9 9 0 01-18 0a9 9 0 0118 0M15 12a3 3 0 01-6 0a3 3 0 016 0",
            Self::StopRecording => "M21 12a9 9 0 01-18 0a9 9 0 0118 0M9 9h6v6H9z",
        }
    }
}

static LINES: LazyLock<BTreeMap<Icon, Vec<Vec<Pos2>>>> =
    LazyLock::new(|| Icon::ALL.into_iter().map(|icon| (icon, polylines(icon.path()))).collect());

/// Draws an icon so that its square of 24 fills `rect`.
pub fn paint_icon(painter: &Painter, icon: Icon, rect: Rect, color: Color32) {
    let scale = rect.width() / 24.0;
    let place = |p: Pos2| rect.min + p.to_vec2() * scale;
    if icon == Icon::More {
        for x in [5.0, 12.0, 19.0] {
            painter.circle_filled(place(Pos2::new(x, 12.0)), 1.6 * scale, color);
        }
        return;
    }
    let width = 1.8 * scale;
    for line in LINES.get(&icon).into_iter().flatten() {
        let points: Vec<Pos2> = line.iter().copied().map(place).collect();
        let closed = points.first() == points.last();
        let stroke = PathStroke::new(width, color);
        if closed {
            painter.add(PathShape::closed_line(points[1..].to_vec(), stroke));
        } else {
            // Round ends, which the painter does not make by itself.
            for end in [points.first(), points.last()].into_iter().flatten() {
                painter.circle_filled(*end, width / 2.0, color);
            }
            painter.add(Shape::line(points, stroke));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outline_can_be_read_and_stays_in_its_square() {
        for icon in Icon::ALL.into_iter().filter(|icon| *icon != Icon::More) {
            let lines = polylines(icon.path());
            assert!(!lines.is_empty(), "{icon:?}");
            for point in lines.into_iter().flatten() {
                assert!(
                    (1.0..=23.0).contains(&point.x) && (1.0..=23.0).contains(&point.y),
                    "{icon:?} {point:?}"
                );
            }
        }
    }
}
