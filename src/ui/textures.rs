//! Pictures become something that can be painted: once each, never again for a repaint.
//!
//! With OpenGL their planes go to the GPU as they are ([`gpu_picture`](super::gpu_picture)); without it they are turned into
//! colours here.

use std::sync::Arc;
use std::time::Instant;

use egui::{ColorImage, Context, Id, TextureHandle, TextureId, TextureOptions, Vec2, vec2};
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_rgba};

use super::gpu_picture::GpuPicture;
use crate::call::{Latest, Picture};

/// Wider or higher than this is no picture of a camera.
const LARGEST_SIDE: u32 = 8192;

/// A picture that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Where its samples are.
    pub samples: Samples,
    /// How large the picture is, in its own points.
    pub size: Vec2,
    /// Milliseconds that it takes to make a picture ready to be painted, averaged.
    pub upload_ms: Option<f64>,
}

/// Where a picture's samples are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Samples {
    /// In a texture of colours.
    Texture(TextureId),
    /// In planes on the GPU, kept in the window's memory under this name.
    Planes(Id),
}

/// One stream of pictures on the screen.
#[derive(Default)]
pub struct PictureTexture {
    name: &'static str,
    texture: Option<TextureHandle>,
    gpu: Option<Arc<GpuPicture>>,
    rgba: Vec<u8>,
    latest: Option<Picture>,
    upload_ms: Option<f64>,
}

impl PictureTexture {
    /// An empty one.
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Takes the newest picture, if there is one nobody took. True when the screen must change.
    pub fn take_from(&mut self, ctx: &Context, slot: &Latest<Picture>) -> bool {
        let Some(picture) = slot.take() else { return false };
        let started = Instant::now();
        let shown = self.show(ctx, &picture);
        let took = started.elapsed().as_secs_f64() * 1000.0;
        let before = self.upload_ms.unwrap_or(took);
        self.upload_ms = Some(before + (took - before) * 0.05);
        shown
    }

    /// From now on pictures go to the GPU as they are: there is OpenGL.
    pub fn use_gpu(&mut self, ctx: &Context) {
        let gpu = self.gpu.get_or_insert_default();
        ctx.data_mut(|data| data.insert_temp(Id::unique(self.name), Arc::clone(gpu)));
    }

    /// Shows a picture. A malformed one changes nothing.
    pub fn show(&mut self, ctx: &Context, picture: &Picture) -> bool {
        if let Some(gpu) = &self.gpu {
            let whole = is_whole(picture);
            if whole {
                gpu.take(picture.clone());
                self.latest = Some(picture.clone());
            }
            return whole;
        }
        let Some(image) = to_rgba(picture, &mut self.rgba) else { return false };
        self.latest = Some(picture.clone());
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::LINEAR),
            None => self.texture = Some(ctx.load_texture(self.name, image, TextureOptions::LINEAR)),
        }
        true
    }

    /// Forgets the picture: a call's last one must not show in the next.
    pub fn clear(&mut self) {
        self.texture = None;
        self.latest = None;
    }

    /// The picture itself, to be kept.
    pub fn latest(&self) -> Option<Picture> {
        self.latest.clone()
    }

    /// What to draw, once a picture came.
    pub fn shown(&self) -> Option<Shown> {
        let picture = self.latest.as_ref()?;
        let samples = match &self.gpu {
            Some(_) => Samples::Planes(Id::unique(self.name)),
            None => Samples::Texture(self.texture.as_ref()?.id()),
        };
        let size = vec2(picture.width as f32, picture.height as f32);
        Some(Shown { samples, size, upload_ms: self.upload_ms })
    }
}

pub(super) fn to_rgba(picture: &Picture, rgba: &mut Vec<u8>) -> Option<ColorImage> {
    rgba_of(picture, rgba).then(|| {
        let size = [picture.width as usize, picture.height as usize];
        ColorImage::from_rgba_premultiplied(size, rgba)
    })
}

/// Whether the size is one of a camera's and all samples are there.
fn is_whole(picture: &Picture) -> bool {
    let fits = |side: u32| side > 0 && side <= LARGEST_SIDE && side.is_multiple_of(2);
    let luma = picture.width as usize * picture.height as usize;
    fits(picture.width) && fits(picture.height) && picture.i420.len() == luma + luma / 2
}

/// The picture's colours, four bytes a sample. False, and nothing done, for a malformed one.
pub(super) fn rgba_of(picture: &Picture, rgba: &mut Vec<u8>) -> bool {
    if !is_whole(picture) {
        return false;
    }
    let (width, height) = (picture.width, picture.height);
    let luma = width as usize * height as usize;
    let chroma = luma / 4;
    let (y_plane, rest) = picture.i420.split_at(luma);
    let (u_plane, v_plane) = rest.split_at(chroma);
    let planes = YuvPlanarImage {
        y_plane,
        y_stride: width,
        u_plane,
        u_stride: width / 2,
        v_plane,
        v_stride: width / 2,
        width,
        height,
    };
    rgba.resize(luma * 4, 255);
    yuv420_to_rgba(&planes, rgba, width * 4, YuvRange::Limited, YuvStandardMatrix::Bt601).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_white_picture_is_white_on_the_screen() {
        let mut i420 = vec![235; 4 * 4];
        i420.extend([128; 8]);
        let picture = Picture { width: 4, height: 4, i420: i420.into() };
        let image = to_rgba(&picture, &mut Vec::new()).expect("a picture");
        assert_eq!(image.size, [4, 4]);
        assert!(image.pixels.iter().all(|p| p.r() > 250 && p.g() > 250 && p.b() > 250 && p.a() == 255));
    }

    #[test]
    fn a_picture_with_samples_missing_is_passed_over() {
        let picture = Picture { width: 4, height: 4, i420: vec![0; 23].into() };
        assert!(to_rgba(&picture, &mut Vec::new()).is_none());
    }
}
