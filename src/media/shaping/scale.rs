//! Pictures in another size.

use crate::media::picture::Picture;

/// The largest size with the picture's shape that lies within both limits; never larger than the picture; even.
pub(crate) fn fitting(picture: (u32, u32), limit: (u32, u32)) -> (u32, u32) {
    let (width, height) = (f64::from(picture.0), f64::from(picture.1));
    let factor = (f64::from(limit.0) / width).min(f64::from(limit.1) / height).min(1.0);
    let even = |side: f64| (((side * factor / 2.0).round() * 2.0) as u32).clamp(16, 4096);
    (even(width), even(height))
}

/// The picture in this size: halved by averaging while that is possible, then interpolated.
pub(crate) fn scaled(picture: &Picture, width: u32, height: u32) -> Picture {
    if (picture.width, picture.height) == (width, height) || !Picture::is_size(width, height) {
        return picture.clone();
    }
    let (y, u, v) = picture.planes();
    let from = (picture.width as usize, picture.height as usize);
    let to = (width as usize, height as usize);
    let halves = ((from.0 / 2, from.1 / 2), (to.0 / 2, to.1 / 2));
    let scaled = Picture::filled(width, height, |out| {
        scale_plane(y, from, to, out.y);
        scale_plane(u, halves.0, halves.1, out.u);
        scale_plane(v, halves.0, halves.1, out.v);
        Some(())
    });
    scaled.unwrap_or_else(|| picture.clone())
}

fn scale_plane(plane: &[u8], from: (usize, usize), to: (usize, usize), out: &mut [u8]) {
    if from.0 >= to.0 * 2 && from.1 >= to.1 * 2 && from.0 >= 4 && from.1 >= 4 {
        let half = halved(plane, from);
        return scale_plane(&half, (from.0 / 2, from.1 / 2), to, out);
    }
    interpolate(plane, from, to, out);
}

fn halved(plane: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
    let mut out = vec![0; (width / 2) * (height / 2)];
    let rows = plane.chunks_exact(width * 2).zip(out.chunks_exact_mut(width / 2));
    for (rows, out) in rows {
        let (upper, lower) = rows.split_at(width);
        let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (out, (a, b)) in out.iter_mut().zip(pairs) {
            let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
            *out = ((sum + 2) / 4) as u8;
        }
    }
    out
}

fn interpolate(plane: &[u8], from: (usize, usize), to: (usize, usize), out: &mut [u8]) {
    let columns: Vec<(usize, usize, u32)> = (0..to.0)
        .map(|x| {
            let (column, right) = position(x, from.0, to.0);
            (column, (column + 1).min(from.0 - 1), right)
        })
        .collect();
    // Rows first, each blended once; then along the row.
    let mut blended = vec![0_u16; from.0];
    for (y, out) in out.chunks_exact_mut(to.0).enumerate() {
        let (row, down) = position(y, from.1, to.1);
        let upper = &plane[row * from.0..][..from.0];
        let lower = &plane[(row + 1).min(from.1 - 1) * from.0..][..from.0];
        let down = down as u16;
        for ((blended, upper), lower) in blended.iter_mut().zip(upper).zip(lower) {
            *blended = u16::from(*upper) * (256 - down) + u16::from(*lower) * down;
        }
        for (out, &(column, next, right)) in out.iter_mut().zip(&columns) {
            let sum = u32::from(blended[column]) * (256 - right) + u32::from(blended[next]) * right;
            *out = ((sum + 32_768) >> 16) as u8;
        }
    }
}

/// Where a sample of the new row lies in the old one: the sample before it, and 256ths beyond that.
fn position(n: usize, from: usize, to: usize) -> (usize, u32) {
    let at = ((2 * n + 1) * from * 128 / to).saturating_sub(128);
    ((at / 256).min(from - 1), (at % 256) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_kept_and_nothing_grows() {
        assert_eq!(fitting((1280, 720), (640, 640)), (640, 360));
        assert_eq!(fitting((640, 480), (1280, 720)), (640, 480));
        assert_eq!(fitting((1920, 1080), (1280, 720)), (1280, 720));
        assert_eq!(fitting((720, 1280), (1280, 720)), (406, 720));
    }

    #[test]
    fn a_grey_picture_stays_grey_in_every_size() {
        let grey = Picture::new(64, 48, vec![90; Picture::bytes(64, 48)]).unwrap();
        for (width, height) in [(32, 24), (20, 16), (100, 70), (64, 16)] {
            let out = scaled(&grey, width, height);
            assert_eq!(out.i420.len(), Picture::bytes(width, height));
            assert!(out.i420.iter().all(|s| *s == 90));
        }
    }
}
