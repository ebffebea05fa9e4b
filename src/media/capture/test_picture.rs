//! A picture that can be measured: bars, something that moves, and the time of day in large blocks.
//!
//! The time stands in the top of the picture as two rows of 32 black or white blocks: 48 bits of milliseconds since
//! 1970, then 16 bits of checksum. The blocks scale with the picture and outlive coding at low rates, so whoever shares
//! the clock reads from a shown picture how old it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Captured, Pace, PictureSource};
use crate::media::device_error::DeviceError;
use crate::media::picture::Picture;
use crate::media::worker::Stop;

/// The test picture as a source: 1280x720, 30 a second.
pub(crate) struct TestPicture {
    pace: Pace,
}

impl TestPicture {
    pub(crate) fn new() -> Self {
        Self { pace: Pace::new(Duration::from_nanos(33_333_333)) }
    }
}

impl PictureSource for TestPicture {
    fn next(&mut self, stop: &Stop) -> Result<Option<Captured>, DeviceError> {
        let Some(_) = self.pace.wait(stop) else { return Ok(None) };
        let at = Instant::now();
        Ok(Some(Captured { picture: draw(1280, 720, system_milliseconds()), at }))
    }
}

/// Milliseconds since 1970 by the system's clock.
pub(crate) fn system_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The test picture of a moment.
pub(crate) fn draw(width: u32, height: u32, milliseconds: u64) -> Picture {
    let (w, h) = (width as usize, height as usize);
    let mut out = vec![128; Picture::bytes(width, height)];
    let (luma, chroma) = out.split_at_mut(w * h);
    let (u, v) = chroma.split_at_mut(w * h / 4);
    draw_code(luma, w, h, milliseconds);
    draw_bars(luma, u, v, w, h);
    draw_moving(luma, w, h, milliseconds);
    Picture { width, height, i420: out.into() }
}

/// When a shown test picture was drawn, in milliseconds since 1970. `None` for any other picture.
pub(crate) fn read_time(picture: &Picture) -> Option<u64> {
    let (w, h) = (picture.width as usize, picture.height as usize);
    let luma = picture.planes().0;
    let mut code = 0_u64;
    for bit in 0..64 {
        let (left, right, top, bottom) = block(w, h, bit);
        // The inner half: edges are blurred by scaling and coding.
        let (dx, dy) = ((right - left) / 4, (bottom - top) / 4);
        let rows = luma.chunks_exact(w).skip(top + dy).take((bottom - top - 2 * dy).max(1));
        let (mut sum, mut count) = (0_usize, 0_usize);
        for row in rows {
            let inner = &row[left + dx..(right - dx).max(left + dx + 1)];
            sum += inner.iter().map(|s| usize::from(*s)).sum::<usize>();
            count += inner.len();
        }
        code = code << 1 | u64::from(sum > count * 125);
    }
    let time = code >> 16;
    (u64::from(checksum(time)) == code & 0xFFFF).then_some(time)
}

/// The edges of a code block: left, right, top, bottom.
fn block(w: usize, h: usize, bit: usize) -> (usize, usize, usize, usize) {
    let (column, row) = (bit % 32, bit / 32);
    let x = |n: usize| w * n / 32;
    let y = |n: usize| h * n / 9;
    (x(column), x(column + 1), y(row), y(row + 1))
}

fn draw_code(luma: &mut [u8], w: usize, h: usize, milliseconds: u64) {
    let time = milliseconds & 0xFFFF_FFFF_FFFF;
    let code = time << 16 | u64::from(checksum(time));
    for bit in 0..64 {
        let (left, right, top, bottom) = block(w, h, bit);
        let shade = if code >> (63 - bit) & 1 == 1 { 235 } else { 16 };
        for row in luma.chunks_exact_mut(w).take(bottom).skip(top) {
            row[left..right].fill(shade);
        }
    }
}

/// Eight bars below the code, from h*2/9 to h*6/9.
fn draw_bars(luma: &mut [u8], u: &mut [u8], v: &mut [u8], w: usize, h: usize) {
    let (top, bottom) = ((h * 2 / 9) & !1, (h * 6 / 9) & !1);
    for (n, (y, cb, cr)) in BARS.iter().enumerate() {
        let (left, right) = ((w * n / 8) & !1, (w * (n + 1) / 8) & !1);
        for row in luma.chunks_exact_mut(w).take(bottom).skip(top) {
            row[left..right].fill(*y);
        }
        for (plane, shade) in [(&mut *u, *cb), (&mut *v, *cr)] {
            for row in plane.chunks_exact_mut(w / 2).take(bottom / 2).skip(top / 2) {
                row[left / 2..right / 2].fill(shade);
            }
        }
    }
}

/// A ramp with a bright bar that crosses it every four seconds.
fn draw_moving(luma: &mut [u8], w: usize, h: usize, milliseconds: u64) {
    let top = (h * 6 / 9) & !1;
    let mut row: Vec<u8> = (0..w).map(|x| (40 + x * 150 / w) as u8).collect();
    let width = w / 16;
    let at = (milliseconds % 4000) as usize * (w - width) / 4000;
    row[at..at + width].fill(225);
    for line in luma.chunks_exact_mut(w).skip(top) {
        line.copy_from_slice(&row);
    }
}

/// CRC-16 (CCITT) of the lower 48 bits.
fn checksum(time: u64) -> u16 {
    time.to_be_bytes().iter().skip(2).fold(0xFFFF, |sum, byte| {
        (0..8).fold(
            sum ^ u16::from(*byte) << 8,
            |sum, _| if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 },
        )
    })
}

/// 75 % colour bars in limited-range BT.601: white, yellow, cyan, green, magenta, red, blue, black.
const BARS: [(u8, u8, u8); 8] = [
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
    (16, 128, 128),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::picture::measure::psnr;
    use crate::media::shaping::scale::scaled;

    #[test]
    fn the_time_is_read_back_in_every_size() {
        let time = 1_793_000_123_457;
        let picture = draw(1280, 720, time);
        for (width, height) in [(1280, 720), (640, 360), (426, 240), (320, 180)] {
            assert_eq!(read_time(&scaled(&picture, width, height)), Some(time), "{width}x{height}");
        }
    }

    #[test]
    fn another_picture_has_no_time() {
        let grey = Picture::new(640, 360, vec![100; Picture::bytes(640, 360)]).unwrap();
        assert_eq!(read_time(&grey), None);
    }

    #[test]
    fn pictures_of_different_moments_differ() {
        assert!(psnr(&draw(320, 180, 0), &draw(320, 180, 1000)) < 30.0);
    }
}
