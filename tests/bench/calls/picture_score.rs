//! How near a shown picture is to the one that the camera saw. Luma only: that is where eyes are sharp.

use tincan::media::picture::Picture;
use tincan::media::stepped::scaled;

/// Beyond this many decibels nobody sees a difference.
const MOST: f64 = 60.0;

/// Both scores of a shown picture, at the size of the camera's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Likeness {
    /// Peak signal-to-noise ratio in decibels.
    pub(crate) psnr: f64,
    /// Structural similarity, 1 being the same: over blocks of 8 by 8, side by side.
    pub(crate) ssim: f64,
}

/// Compares a shown picture with the camera's; a smaller one is made as large first, as a window does.
pub(crate) fn likeness(camera: &Picture, shown: &Picture) -> Likeness {
    let shown = scaled(shown, camera.width, camera.height);
    Likeness { psnr: psnr(camera, &shown), ssim: ssim(camera, &shown) }
}

/// The peak signal-to-noise ratio alone, of two pictures of one size.
pub(crate) fn psnr(a: &Picture, b: &Picture) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height), "pictures of one size");
    let (a, b) = (a.planes().0, b.planes().0);
    let squares: u64 = a
        .chunks(1024)
        .zip(b.chunks(1024))
        .map(|(a, b)| {
            let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum();
            u64::from(sum)
        })
        .sum();
    let mean = squares as f64 / a.len() as f64;
    (10.0 * (255.0_f64.powi(2) / mean.max(1e-9)).log10()).min(MOST)
}

fn ssim(a: &Picture, b: &Picture) -> f64 {
    const SIDE: usize = 8;
    const C1: f64 = 6.502_5;
    const C2: f64 = 58.522_5;
    let width = a.width as usize;
    let rows = |picture: &'_ Picture| picture.planes().0.to_vec();
    let (a, b) = (rows(a), rows(b));
    let (mut sum, mut count) = (0.0, 0_u32);
    for (a, b) in a.chunks_exact(width * SIDE).zip(b.chunks_exact(width * SIDE)) {
        for left in (0..=width - SIDE).step_by(SIDE) {
            let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
            for row in 0..SIDE {
                let from = row * width + left;
                for (a, b) in a[from..from + SIDE].iter().zip(&b[from..from + SIDE]) {
                    let (a, b) = (u32::from(*a), u32::from(*b));
                    (sa, sb, saa, sbb, sab) = (sa + a, sb + b, saa + a * a, sbb + b * b, sab + a * b);
                }
            }
            let n = (SIDE * SIDE) as f64;
            let (ma, mb) = (f64::from(sa) / n, f64::from(sb) / n);
            let (va, vb) = (f64::from(saa) / n - ma * ma, f64::from(sbb) / n - mb * mb);
            let cov = f64::from(sab) / n - ma * mb;
            sum += (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(shade: u8) -> Picture {
        Picture::new(32, 16, vec![shade; 32 * 16 * 3 / 2]).unwrap()
    }

    #[test]
    fn the_same_picture_is_beyond_seeing_and_ten_shades_away_28_decibels() {
        let same = likeness(&grey(100), &grey(100));
        assert_eq!((same.psnr, same.ssim), (60.0, 1.0));
        let other = likeness(&grey(100), &grey(110));
        assert!((other.psnr - 28.13).abs() < 0.01, "{other:?}");
        assert!((0.99..1.0).contains(&other.ssim), "{other:?}");
    }

    #[test]
    fn a_picture_without_its_pattern_is_unlike_it_though_it_is_as_bright() {
        let luma = (0..32 * 16).map(|n| if n % 2 == 0 { 60 } else { 140 });
        let striped: Vec<u8> = luma.chain([128; 32 * 8]).collect();
        let striped = Picture::new(32, 16, striped).unwrap();
        assert!(likeness(&striped, &grey(100)).ssim < 0.1);
    }
}
