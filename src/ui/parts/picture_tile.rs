//! A picture in a rectangle: whole with bars around it, or filling it with its edges cut.

use std::sync::Arc;

use egui::epaint::RectShape;
use egui::{Color32, Painter, Pos2, Rect, Shape, Vec2, pos2};

use crate::ui::gpu_picture::{GpuPicture, Placing};
use crate::ui::textures::{Samples, Shown};

/// How a picture meets a rectangle of another shape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// All of it is seen.
    Whole,
    /// All of the rectangle is filled.
    Fill,
}

/// Draws a picture; `mirrored` as in a mirror, which is how one knows oneself.
pub fn paint_picture(painter: &Painter, picture: Shown, rect: Rect, fit: Fit, mirrored: bool, radius: u8) {
    let (place, mut uv) = match fit {
        Fit::Whole => (whole(picture.size, rect), Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0))),
        Fit::Fill => (rect, cut(picture.size, rect.size())),
    };
    if mirrored {
        std::mem::swap(&mut uv.min.x, &mut uv.max.x);
    }
    match picture.samples {
        Samples::Texture(id) => {
            painter.add(RectShape::filled(place, radius, Color32::WHITE).with_texture(id, uv));
        }
        Samples::Planes(name) => {
            let gpu = painter.ctx().data(|data| data.get_temp::<Arc<GpuPicture>>(name));
            if let Some(gpu) = gpu {
                let placing = Placing { part: uv, radius: f32::from(radius) };
                painter.add(Shape::Callback(gpu.callback(place, placing)));
            }
        }
    }
}

/// The largest rectangle of the picture's shape inside `rect`.
pub fn whole(picture: Vec2, rect: Rect) -> Rect {
    let scale = (rect.width() / picture.x.max(1.0)).min(rect.height() / picture.y.max(1.0));
    Rect::from_center_size(rect.center(), picture * scale)
}

/// Which part of the picture fills a rectangle of this size.
fn cut(picture: Vec2, size: Vec2) -> Rect {
    let scale = (size.x / picture.x.max(1.0)).max(size.y / picture.y.max(1.0));
    let part = size / (picture * scale).max(Vec2::splat(1.0));
    Rect::from_center_size(pos2(0.5, 0.5), part.min(Vec2::splat(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn a_wide_picture_in_a_high_window_has_bars_above_and_below() {
        let place = whole(vec2(1280.0, 720.0), Rect::from_min_size(Pos2::ZERO, vec2(640.0, 800.0)));
        assert_eq!(place.size(), vec2(640.0, 360.0));
        assert_eq!(place.center(), pos2(320.0, 400.0));
    }

    #[test]
    fn a_filled_rectangle_cuts_both_sides_alike() {
        let part = cut(vec2(200.0, 100.0), vec2(50.0, 50.0));
        assert_eq!(part.width(), 0.5);
        assert_eq!(part.center(), pos2(0.5, 0.5));
    }
}
