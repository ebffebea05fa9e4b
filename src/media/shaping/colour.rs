//! The layouts cameras and screens deliver, turned into I420.
//!
//! The sizes come from drivers: every conversion checks that the bytes are there and answers `None` when they are not.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
    bgra_to_yuv420, yuyv422_to_yuv420,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::media::picture::Picture;

/// YUYV with rows of any stride: the stride follows from the length.
pub fn from_yuyv(bytes: &[u8], width: u32, height: u32) -> Option<Picture> {
    let stride = stride(bytes, height, width.checked_mul(2)?)?;
    convert(width, height, |planes| {
        let packed = YuvPackedImage { yuy: bytes, yuy_stride: stride, width, height };
        yuyv422_to_yuv420(planes, &packed).is_ok()
    })
}

/// NV12 with rows of any stride.
pub fn from_nv12(bytes: &[u8], width: u32, height: u32) -> Option<Picture> {
    if !Picture::is_size(width, height) {
        return None;
    }
    let rows = height as usize * 3 / 2;
    let stride = bytes.len() / rows;
    let (width_bytes, luma) = (width as usize, stride.checked_mul(height as usize)?);
    if stride < width_bytes {
        return None;
    }
    let (y, uv) = bytes.split_at_checked(luma)?;
    Picture::filled(width, height, |planes| {
        for (out, row) in planes.y.chunks_exact_mut(width_bytes).zip(y.chunks_exact(stride)) {
            out.copy_from_slice(&row[..width_bytes]);
        }
        let half = width_bytes / 2;
        let outs = planes.u.chunks_exact_mut(half).zip(planes.v.chunks_exact_mut(half));
        for ((u, v), row) in outs.zip(uv.chunks_exact(stride)) {
            for ((u, v), pair) in u.iter_mut().zip(v).zip(row.chunks_exact(2)) {
                (*u, *v) = (pair[0], pair[1]);
            }
        }
        Some(())
    })
}

/// BGRA, as X11 delivers it.
pub fn from_bgra(bytes: &[u8], width: u32, height: u32, stride: u32) -> Option<Picture> {
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
    convert(width, height, |planes| {
        bgra_to_yuv420(planes, bytes, stride, range, matrix, YuvConversionMode::Balanced).is_ok()
    })
}

/// RGBA, as libraries deliver it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn from_rgba(bytes: &[u8], width: u32, height: u32, stride: u32) -> Option<Picture> {
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
    convert(width, height, |planes| {
        yuv::rgba_to_yuv420(planes, bytes, stride, range, matrix, YuvConversionMode::Balanced).is_ok()
    })
}

/// A JPEG, never through RGB: decoded to its own colours, then shrunk to I420's chroma and to the limited range.
pub fn from_jpeg(bytes: &[u8]) -> Option<Picture> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::YCbCr)
        .set_max_width(4096)
        .set_max_height(4096);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let full = decoder.decode().ok()?;
    let info = decoder.info()?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if full.len() != width * height * 3 {
        return None;
    }
    let (even_width, even_height) = (width & !1, height & !1);
    let (luma, chroma) = (limited(219, 16), limited_chroma());
    Picture::filled(even_width as u32, even_height as u32, |planes| {
        let half = even_width / 2;
        let outs = planes.u.chunks_exact_mut(half).zip(planes.v.chunks_exact_mut(half));
        // Two rows at a time: they are fetched once for all three planes.
        let lumas = planes.y.chunks_exact_mut(even_width * 2);
        for ((y, (u, v)), rows) in lumas.zip(outs).zip(full.chunks_exact(width * 6)) {
            let (upper, lower) = rows.split_at(width * 3);
            let (y_upper, y_lower) = y.split_at_mut(even_width);
            for (y, row) in [(y_upper, upper), (y_lower, lower)] {
                for (y, sample) in y.iter_mut().zip(row.chunks_exact(3)) {
                    *y = luma[usize::from(sample[0])];
                }
            }
            let squares = upper.chunks_exact(6).zip(lower.chunks_exact(6));
            for ((u, v), (a, b)) in u.iter_mut().zip(v).zip(squares) {
                let mean = |n: usize| {
                    let sum = [a[n], a[n + 3], b[n], b[n + 3]].map(u16::from).iter().sum::<u16>();
                    chroma[usize::from((sum + 2) / 4)]
                };
                (*u, *v) = (mean(1), mean(2));
            }
        }
        Some(())
    })
}

fn limited(span: u32, low: u32) -> [u8; 256] {
    std::array::from_fn(|n| (low + (n as u32 * span + 127) / 255) as u8)
}

fn limited_chroma() -> [u8; 256] {
    limited(224, 16)
}

fn stride(bytes: &[u8], height: u32, least: u32) -> Option<u32> {
    let stride = u32::try_from(bytes.len() / height.max(1) as usize).ok()?;
    (stride >= least).then_some(stride)
}

fn convert(
    width: u32,
    height: u32,
    fill: impl FnOnce(&mut YuvPlanarImageMut<'_, u8>) -> bool,
) -> Option<Picture> {
    Picture::filled(width, height, |planes| {
        let mut planes = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(planes.y),
            y_stride: width,
            u_plane: BufferStoreMut::Borrowed(planes.u),
            u_stride: width / 2,
            v_plane: BufferStoreMut::Borrowed(planes.v),
            v_stride: width / 2,
            width,
            height,
        };
        fill(&mut planes).then_some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuyv_and_nv12_with_padded_rows_give_the_same_grey() {
        let mut yuyv = Vec::new();
        for _ in 0..16 {
            yuyv.extend([80, 100, 80, 150].repeat(8));
            yuyv.extend([0; 12]);
        }
        let picture = from_yuyv(&yuyv, 16, 16).unwrap();
        let mut nv12 = Vec::new();
        for _ in 0..16 {
            nv12.extend([80; 16]);
            nv12.extend([0; 4]);
        }
        for _ in 0..8 {
            nv12.extend([100, 150].repeat(8));
            nv12.extend([0; 4]);
        }
        assert_eq!(from_nv12(&nv12, 16, 16), Some(picture.clone()));
        assert!(picture.planes().1.iter().all(|u| *u == 100));
        assert!(picture.planes().2.iter().all(|v| *v == 150));
    }

    #[test]
    fn white_becomes_limited_white() {
        let picture = from_bgra(&[255; 16 * 16 * 4], 16, 16, 64).unwrap();
        assert!(picture.planes().0.iter().all(|y| (234..=236).contains(y)), "{:?}", picture.planes().0[0]);
        assert_eq!((limited(219, 16)[255], limited_chroma()[128]), (235, 128));
    }

    #[test]
    fn bytes_that_are_missing_make_no_picture() {
        assert!(from_yuyv(&[0; 100], 16, 16).is_none());
        assert!(from_nv12(&[0; 100], 16, 16).is_none());
        assert!(from_jpeg(&[0xFF, 0xD8, 0xFF]).is_none());
        assert!(from_bgra(&[0; 10], 16, 16, 64).is_none());
    }
}
