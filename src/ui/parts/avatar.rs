//! A circle with the first letter of a name, and a dot that says whether they are there.

use egui::{Align2, Pos2, Rect, Sense, Ui, Vec2};

use crate::call::view::Presence;
use crate::ui::theme::{self, palette};

/// What the dot says. Its shape says it too: full, ringed, hollow, with a point, with a bar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dot {
    /// No dot.
    None,
    /// There.
    Online,
    /// On the way.
    Between,
    /// Not there.
    Offline,
    /// There, and in a call.
    InCall,
    /// There, and not to be disturbed.
    DoNotDisturb,
}

impl From<Presence> for Dot {
    fn from(presence: Presence) -> Self {
        match presence {
            Presence::Offline => Self::Offline,
            Presence::Online => Self::Online,
            Presence::InCall => Self::InCall,
            Presence::DoNotDisturb => Self::DoNotDisturb,
        }
    }
}

/// An avatar of a diameter, in points.
pub fn avatar_ui(ui: &mut Ui, name: &str, diameter: f32, dot: Dot) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(diameter), Sense::hover());
    paint_avatar(ui, rect, name, dot);
}

/// An avatar in a square.
pub fn paint_avatar(ui: &Ui, rect: Rect, name: &str, dot: Dot) {
    let painter = ui.painter();
    let radius = rect.width() / 2.0;
    painter.circle_filled(rect.center(), radius, theme::AVATARS[colour_of(name)]);
    let size = if radius > 30.0 { radius * 0.72 } else { radius * 0.7 };
    painter.text(rect.center(), Align2::CENTER_CENTER, initial(name), theme::strong(size), theme::WHITE);
    let at = Pos2::new(rect.right() - 5.0, rect.bottom() - 5.0);
    let palette = palette(ui);
    if dot != Dot::None {
        painter.circle_filled(at, 6.0, palette.panel);
    }
    match dot {
        Dot::None => {}
        Dot::Online => {
            painter.circle_filled(at, 4.2, theme::OK);
        }
        Dot::Between => {
            painter.circle_filled(at, 4.2, theme::WARN);
            painter.circle_filled(at, 1.6, palette.panel);
        }
        Dot::InCall => {
            painter.circle_filled(at, 4.2, theme::BAD);
            painter.circle_filled(at, 1.6, theme::WHITE);
        }
        Dot::DoNotDisturb => {
            painter.circle_filled(at, 4.2, theme::BAD);
            let bar = Rect::from_center_size(at, Vec2::new(5.0, 1.6));
            painter.rect_filled(bar, 0.0, theme::WHITE);
        }
        Dot::Offline => {
            painter.circle_stroke(at, 3.4, egui::Stroke::new(1.6, palette.faint));
        }
    }
}

/// The letter in the circle.
fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "#".to_owned(), |c| c.to_uppercase().collect())
}

/// The same name always has the same colour.
fn colour_of(name: &str) -> usize {
    let sum = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (sum >> 3) as usize % theme::AVATARS.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letter_is_the_first_that_can_be_read() {
        assert_eq!(initial("ada"), "A");
        assert_eq!(initial(" 林小雨"), "林");
        assert_eq!(initial("…"), "#");
    }
}
