//! A raw picture in I420: full luma, chroma at half size in both directions.

use std::sync::Arc;

/// A picture. Cloning shares the samples. Rows are packed: no padding at their ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Picture {
    /// Width in samples; even.
    pub width: u32,
    /// Height in samples; even.
    pub height: u32,
    /// Y, then U, then V; BT.601, limited range.
    pub i420: Arc<[u8]>,
}

/// The planes of a picture that is being made, all samples 0; rows without padding.
#[derive(Debug)]
pub struct PlanesMut<'a> {
    /// Luma.
    pub y: &'a mut [u8],
    /// Blue less luma.
    pub u: &'a mut [u8],
    /// Red less luma.
    pub v: &'a mut [u8],
}

impl Picture {
    /// A picture from its samples. `None` unless the size is even, within 16 to 4096 and fits the samples.
    pub fn new(width: u32, height: u32, i420: impl Into<Arc<[u8]>>) -> Option<Self> {
        let i420 = i420.into();
        let fits = Self::is_size(width, height) && i420.len() == Self::bytes(width, height);
        fits.then_some(Self { width, height, i420 })
    }

    /// A picture whose samples are written where they stay: it is given the planes to fill. `None` for a size that no
    /// picture has, or when the filling fails.
    pub fn filled(width: u32, height: u32, fill: impl FnOnce(PlanesMut<'_>) -> Option<()>) -> Option<Self> {
        if !Self::is_size(width, height) {
            return None;
        }
        let mut i420: Arc<[u8]> = std::iter::repeat_n(0, Self::bytes(width, height)).collect();
        let (y, chroma) = Arc::get_mut(&mut i420)?.split_at_mut(width as usize * height as usize);
        let (u, v) = chroma.split_at_mut(chroma.len() / 2);
        fill(PlanesMut { y, u, v })?;
        Some(Self { width, height, i420 })
    }

    /// Bytes of a picture of this size.
    pub fn bytes(width: u32, height: u32) -> usize {
        width as usize * height as usize * 3 / 2
    }

    /// Y, U and V.
    pub fn planes(&self) -> (&[u8], &[u8], &[u8]) {
        let luma = self.width as usize * self.height as usize;
        let (y, chroma) = self.i420.split_at(luma.min(self.i420.len()));
        let (u, v) = chroma.split_at((luma / 4).min(chroma.len()));
        (y, u, v)
    }

    /// Whether a picture can have this size.
    pub(crate) fn is_size(width: u32, height: u32) -> bool {
        let side = 16..=4096;
        side.contains(&width) && side.contains(&height) && width.is_multiple_of(2) && height.is_multiple_of(2)
    }
}

#[cfg(test)]
pub(crate) mod measure {
    use super::Picture;

    /// Peak signal-to-noise ratio of the luma, in decibels.
    pub(crate) fn psnr(a: &Picture, b: &Picture) -> f64 {
        assert_eq!((a.width, a.height), (b.width, b.height));
        let (a, b) = (a.planes().0, b.planes().0);
        let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
        10.0 * (255.0_f64.powi(2) / (squares / a.len() as f64).max(1e-9)).log10()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_odd_size_or_wrong_length_is_refused() {
        assert!(Picture::new(16, 16, vec![0; 384]).is_some());
        assert!(Picture::new(17, 16, vec![0; 408]).is_none());
        assert!(Picture::new(16, 16, vec![0; 383]).is_none());
        assert!(Picture::filled(17, 16, |_| Some(())).is_none());
    }

    #[test]
    fn a_picture_filled_in_place_has_its_planes_where_they_belong() {
        let picture = Picture::filled(32, 16, |planes| {
            planes.y.fill(1);
            planes.u.fill(2);
            planes.v.fill(3);
            Some(())
        })
        .unwrap();
        let planes = [(1, 512), (2, 128), (3, 128)].map(|(shade, size)| vec![shade; size]);
        assert_eq!(picture, Picture::new(32, 16, planes.concat()).unwrap());
    }
}
