//! One picture out of two: side by side and equally tall, or one alone as large as it fits. The rest is dark.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use crate::media::picture::Picture;
use crate::media::shaping::scale::scaled;

/// The size of every picture of a recording.
pub(crate) const WIDTH: u32 = 1280;
/// Lines of every picture of a recording.
pub(crate) const HEIGHT: u32 = 720;
/// The small picture's part of the width, and its distance from the corner.
const SMALL: u32 = WIDTH / 5;
const MARGIN: u32 = 24;
/// The ground: dark slate, in Y, U and V.
const GROUND: [u8; 3] = [30, 131, 125];

/// How the two pictures lie in a recording.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// Theirs on the left, ours on the right, equally tall.
    #[default]
    SideBySide,
    /// Theirs as large as it fits, ours small in a corner.
    FarLarge,
}

/// Where a picture lies: left, top, width, height; all even.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// Draws pictures next to each other, and keeps what it scaled for as long as the picture stays.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    layout: Layout,
    own: Option<Tile>,
    far: Option<Tile>,
}

#[derive(Debug)]
struct Tile {
    original: Picture,
    scaled: Option<Picture>,
}

impl Composer {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout, ..Self::default() }
    }

    /// The newest own picture, or none any more.
    pub(crate) fn set_own(&mut self, picture: Option<Picture>) {
        self.own = picture.map(|original| Tile { original, scaled: None });
    }

    /// The newest far picture, or none any more.
    pub(crate) fn set_far(&mut self, picture: Option<Picture>) {
        self.far = picture.map(|original| Tile { original, scaled: None });
    }

    /// Both as one picture of [`WIDTH`] and [`HEIGHT`].
    pub(crate) fn compose(&mut self) -> Picture {
        let mut canvas = ground();
        let size =
            |tile: &Option<Tile>| tile.as_ref().map(|tile| (tile.original.width, tile.original.height));
        let (far, own) = match (size(&self.far), size(&self.own)) {
            (Some(far), Some(own)) if self.layout == Layout::SideBySide => side_by_side(far, own),
            (Some(far), Some(own)) => (whole(far), corner(own)),
            (Some(far), None) => (whole(far), None),
            (None, Some(own)) => (None, whole(own)),
            (None, None) => (None, None),
        };
        for (tile, place) in [(&mut self.far, far), (&mut self.own, own)] {
            if let (Some(tile), Some(place)) = (tile, place) {
                tile.draw(&mut canvas, place);
            }
        }
        Picture { width: WIDTH, height: HEIGHT, i420: canvas.into() }
    }
}

impl Tile {
    fn draw(&mut self, canvas: &mut [u8], place: Place) {
        let fits = |picture: &Picture| (picture.width, picture.height) == (place.width, place.height);
        let picture = match self.scaled.take().filter(fits) {
            Some(picture) => picture,
            None => scaled(&self.original, place.width, place.height),
        };
        copy(canvas, &picture, place);
        self.scaled = Some(picture);
    }
}

/// Both equally tall, and together as wide as the canvas or as tall. Nothing lies between them: two of the usual shape are
/// then halved exactly, which is cheap and sharp.
fn side_by_side(far: (u32, u32), own: (u32, u32)) -> (Option<Place>, Option<Place>) {
    let shape = |size: (u32, u32)| f64::from(size.0) / f64::from(size.1);
    let height = (f64::from(WIDTH) / (shape(far) + shape(own))).min(f64::from(HEIGHT));
    let widths = [far, own].map(|size| even(height * shape(size)));
    let height = even(height);
    let y = centred(height, HEIGHT);
    let x = centred(widths[0] + widths[1], WIDTH);
    let far = Place { x, y, width: widths[0], height };
    let own = Place { x: x + widths[0], y, width: widths[1], height };
    (within(far), within(own))
}

/// One picture alone.
fn whole(size: (u32, u32)) -> Option<Place> {
    let factor = (f64::from(WIDTH) / f64::from(size.0)).min(f64::from(HEIGHT) / f64::from(size.1));
    let (width, height) = (even(f64::from(size.0) * factor), even(f64::from(size.1) * factor));
    within(Place { x: centred(width, WIDTH), y: centred(height, HEIGHT), width, height })
}

/// A small picture in the lower right corner.
fn corner(size: (u32, u32)) -> Option<Place> {
    let factor = (f64::from(SMALL) / f64::from(size.0)).min(f64::from(HEIGHT / 3) / f64::from(size.1));
    let (width, height) = (even(f64::from(size.0) * factor), even(f64::from(size.1) * factor));
    let x = (WIDTH - MARGIN).saturating_sub(width);
    let y = (HEIGHT - MARGIN).saturating_sub(height);
    within(Place { x, y, width, height })
}

/// `None` for a picture of so odd a shape that nothing of it would be seen.
fn within(place: Place) -> Option<Place> {
    let fits = place.x + place.width <= WIDTH && place.y + place.height <= HEIGHT;
    (fits && Picture::is_size(place.width, place.height)).then_some(place)
}

/// The nearest even number that is not larger, but for what calculating lost.
fn even(side: f64) -> u32 {
    (side + 0.01) as u32 & !1
}

fn centred(side: u32, room: u32) -> u32 {
    (room.saturating_sub(side) / 2) & !1
}

fn ground() -> Vec<u8> {
    let luma = (WIDTH * HEIGHT) as usize;
    let mut canvas = Vec::with_capacity(luma * 3 / 2);
    canvas.resize(luma, GROUND[0]);
    canvas.resize(luma * 5 / 4, GROUND[1]);
    canvas.resize(luma * 3 / 2, GROUND[2]);
    canvas
}

fn copy(canvas: &mut [u8], picture: &Picture, place: Place) {
    let luma = (WIDTH * HEIGHT) as usize;
    let Some((canvas_y, chroma)) = canvas.split_at_mut_checked(luma) else { return };
    let Some((canvas_u, canvas_v)) = chroma.split_at_mut_checked(luma / 4) else { return };
    let (y, u, v) = picture.planes();
    let half = Place { x: place.x / 2, y: place.y / 2, width: place.width / 2, height: place.height / 2 };
    for (to, from, place, stride) in
        [(canvas_y, y, place, WIDTH), (canvas_u, u, half, WIDTH / 2), (canvas_v, v, half, WIDTH / 2)]
    {
        let (x, width) = (place.x as usize, place.width as usize);
        let rows = to.chunks_exact_mut(stride as usize).skip(place.y as usize);
        for (to, from) in rows.zip(from.chunks_exact(width)) {
            to[x..x + width].copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::capture::test_picture::{draw, read_time};

    fn grey(width: u32, height: u32, shade: u8) -> Picture {
        Picture::new(width, height, vec![shade; Picture::bytes(width, height)]).unwrap()
    }

    /// Columns and rows in which anything but the ground is seen, of the given shade.
    fn extent(picture: &Picture, shade: u8) -> (usize, usize, usize, usize) {
        let luma = picture.planes().0;
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for (y, row) in luma.chunks_exact(WIDTH as usize).enumerate() {
            for (x, sample) in row.iter().enumerate() {
                if *sample == shade {
                    (left, right) = (left.min(x), right.max(x + 1));
                    (top, bottom) = (top.min(y), bottom.max(y + 1));
                }
            }
        }
        (left, right, top, bottom)
    }

    #[test]
    fn two_pictures_stand_side_by_side_equally_tall_in_their_own_shapes() {
        let mut composer = Composer::default();
        composer.set_far(Some(grey(640, 360, 200)));
        composer.set_own(Some(grey(480, 640, 90)));
        let picture = composer.compose();
        let (far, own) = (extent(&picture, 200), extent(&picture, 90));
        assert_eq!((far.2, far.3), (own.2, own.3));
        assert!(far.1 <= own.0, "theirs on the left");
        let shape = |e: (usize, usize, usize, usize)| (e.1 - e.0) as f64 / (e.3 - e.2) as f64;
        assert!((shape(far) - 16.0 / 9.0).abs() < 0.02 && (shape(own) - 0.75).abs() < 0.02);
        assert!(far.1 - far.0 + own.1 - own.0 > 1260, "the width is used");
    }

    #[test]
    fn two_pictures_of_the_usual_shape_are_halved_exactly() {
        let mut composer = Composer::default();
        composer.set_far(Some(grey(1280, 720, 200)));
        composer.set_own(Some(grey(1280, 720, 90)));
        let picture = composer.compose();
        assert_eq!(extent(&picture, 200), (0, 640, 180, 540));
        assert_eq!(extent(&picture, 90), (640, 1280, 180, 540));
    }

    #[test]
    fn a_picture_alone_fills_the_frame() {
        let mut composer = Composer::default();
        composer.set_far(Some(grey(320, 180, 200)));
        assert_eq!(extent(&composer.compose(), 200), (0, 1280, 0, 720));
        composer.set_far(None);
        composer.set_own(Some(grey(360, 360, 90)));
        assert_eq!(extent(&composer.compose(), 90), (280, 1000, 0, 720));
    }

    #[test]
    fn the_far_picture_may_be_large_with_ours_in_the_corner() {
        let mut composer = Composer::new(Layout::FarLarge);
        composer.set_far(Some(grey(1280, 720, 200)));
        composer.set_own(Some(grey(1280, 720, 90)));
        let picture = composer.compose();
        assert_eq!(extent(&picture, 200), (0, 1280, 0, 720));
        assert_eq!(extent(&picture, 90), (1000, 1256, 552, 696));
    }

    #[test]
    fn without_pictures_there_is_the_ground_and_odd_shapes_break_nothing() {
        let mut composer = Composer::default();
        assert!(composer.compose().planes().0.iter().all(|y| *y == GROUND[0]));
        for (width, height) in [(16, 4096), (4096, 16), (16, 16)] {
            for layout in [Layout::SideBySide, Layout::FarLarge] {
                let mut composer = Composer::new(layout);
                composer.set_far(Some(grey(width, height, 200)));
                composer.set_own(Some(grey(4096, 16, 90)));
                composer.compose();
                composer.set_far(None);
                composer.compose();
            }
        }
    }

    #[test]
    fn a_test_picture_is_still_read_where_it_lies_alone() {
        let mut composer = Composer::default();
        composer.set_far(Some(draw(640, 360, 1_793_000_123_457)));
        assert_eq!(read_time(&composer.compose()), Some(1_793_000_123_457));
    }
}
