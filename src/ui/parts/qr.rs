//! One's own link as a QR code: made once for a link, black on white in both themes.

use egui::{
    Color32, ColorImage, Context, Rect, Sense, TextureHandle, TextureOptions, Ui, Vec2, WidgetInfo, pos2,
};
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code, as its standard asks for.
const QUIET: usize = 4;

/// A code that was made.
#[derive(Clone)]
pub struct Qr {
    link: String,
    texture: TextureHandle,
}

impl Qr {
    /// The code for a link. `None` when the link is too long for one.
    pub fn new(ctx: &Context, link: &str) -> Option<Self> {
        let image = picture(link)?;
        let texture = ctx.load_texture("own link", image, TextureOptions::NEAREST);
        Some(Self { link: link.to_owned(), texture })
    }

    /// Whether it is this link's.
    pub fn is_for(&self, link: &str) -> bool {
        self.link == link
    }

    /// Draws it at most this wide; every module is a whole number of the screen's own points.
    pub fn show(&self, ui: &mut Ui, widest: f32, label: &str) {
        let modules = self.texture.size()[0] as f32;
        let dots = ui.pixels_per_point();
        let module = (widest * dots / modules).floor().max(1.0) / dots;
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(module * modules), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, label));
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(self.texture.id(), rect, whole, Color32::WHITE);
    }
}

fn picture(link: &str) -> Option<ColorImage> {
    let code = QrCode::with_error_correction_level(link, EcLevel::M)
        .or_else(|_| QrCode::with_error_correction_level(link, EcLevel::L))
        .ok()?;
    let side = code.width() + 2 * QUIET;
    let mut image = ColorImage::filled([side, side], Color32::WHITE);
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, colour)| **colour == Color::Dark) {
        let (x, y) = (at % code.width() + QUIET, at / code.width() + QUIET);
        image.pixels[y * side + x] = Color32::BLACK;
    }
    Some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_white_margin_and_three_corners() {
        let image = picture("tincan:ab").expect("a code");
        let [side, _] = image.size;
        let at = |x: usize, y: usize| image.pixels[y * side + x];
        assert_eq!(at(3, 3), Color32::WHITE);
        for (x, y) in [(4, 4), (side - 5, 4), (4, side - 5)] {
            assert_eq!(at(x, y), Color32::BLACK);
        }
        assert_eq!(at(side - 4, side - 4), Color32::WHITE);
    }

    #[test]
    fn a_link_too_long_for_a_code_has_none() {
        assert!(picture(&"x".repeat(8000)).is_none());
    }
}
