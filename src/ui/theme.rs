//! Every colour, size and radius of the window, dark and light.
//!
//! Nothing else names a colour. Text keeps a contrast of 4.5:1 on whatever it stands on; the tests compute it.

use std::sync::Arc;

use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Theme,
    ThemePreference, Ui, vec2,
};

pub use crate::settings::Theme as ThemeChoice;

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Behind everything.
    pub bg: Color32,
    /// Side column, cards.
    pub panel: Color32,
    /// Buttons, their bubbles.
    pub raised: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Secondary text.
    pub dim: Color32,
    /// Hints and times.
    pub faint: Color32,
    /// The one warm colour.
    pub accent: Color32,
    /// On the accent.
    pub accent_ink: Color32,
    /// Our bubbles.
    pub me: Color32,
    /// A sentence about something wrong.
    pub bad_text: Color32,
}

/// Dark slate.
pub const DARK: Palette = Palette {
    bg: rgb(0x10, 0x13, 0x18),
    panel: rgb(0x16, 0x1a, 0x21),
    raised: rgb(0x1e, 0x24, 0x2d),
    line: rgb(0x2a, 0x31, 0x3c),
    text: rgb(0xe8, 0xec, 0xf1),
    dim: rgb(0xae, 0xb8, 0xc5),
    faint: rgb(0x9a, 0xa5, 0xb4),
    accent: rgb(0xf0, 0xa3, 0x5e),
    accent_ink: rgb(0x1a, 0x12, 0x06),
    me: rgb(0x2b, 0x3a, 0x4e),
    bad_text: rgb(0xff, 0x9a, 0x92),
};

/// Warm white.
pub const LIGHT: Palette = Palette {
    bg: rgb(0xf5, 0xf3, 0xef),
    panel: rgb(0xff, 0xff, 0xff),
    raised: rgb(0xf0, 0xed, 0xe7),
    line: rgb(0xde, 0xd9, 0xcf),
    text: rgb(0x1d, 0x21, 0x27),
    dim: rgb(0x4c, 0x54, 0x5f),
    faint: rgb(0x5f, 0x67, 0x73),
    accent: rgb(0x9a, 0x4f, 0x1b),
    accent_ink: rgb(0xff, 0xf8, 0xf0),
    me: rgb(0xf6, 0xe3, 0xd1),
    bad_text: rgb(0xa8, 0x24, 0x1c),
};

/// Accepting, being there. The same in both themes.
pub const OK: Color32 = rgb(0x3c, 0xcb, 0x7f);
/// Text on [`OK`].
pub const OK_INK: Color32 = rgb(0x06, 0x21, 0x0f);
/// Ending, declining.
pub const BAD: Color32 = rgb(0xd1, 0x34, 0x30);
/// Middling: half a connection, a loud microphone.
pub const WARN: Color32 = rgb(0xf2, 0xc1, 0x4e);
/// Text on [`BAD`], on pictures and on avatars.
pub const WHITE: Color32 = Color32::WHITE;
/// Secondary text on [`GLASS`].
pub const GLASS_DIM: Color32 = rgb(0xc4, 0xc9, 0xd0);
/// What lies on a picture, before its transparency.
pub const GLASS: Color32 = rgb(0x0e, 0x11, 0x16);
/// How solid the control bar is.
pub const BAR_ALPHA: u8 = 0xd8;
/// How solid the pills are.
pub const PILL_ALPHA: u8 = 0xb8;
/// How solid the quality card is.
pub const CARD_ALPHA: u8 = 0xe0;
/// A round button on a picture.
pub const ROUND: Color32 = rgb(0x2a, 0x31, 0x3c);
/// Its icon.
pub const ROUND_INK: Color32 = rgb(0xe8, 0xec, 0xf1);
/// A round button whose device is off.
pub const ROUND_OFF: Color32 = rgb(0xf5, 0xf6, 0xf8);
/// Its icon.
pub const ROUND_OFF_INK: Color32 = rgb(0xb3, 0x26, 0x1e);
/// Behind a letterboxed picture.
pub const BEHIND_PICTURE: Color32 = rgb(0x10, 0x12, 0x14);
/// Behind the avatar of somebody without a picture.
pub const NO_PICTURE: Color32 = rgb(0x1c, 0x28, 0x30);
/// Behind our own preview while no picture comes.
pub const NO_PREVIEW: Color32 = rgb(0x2b, 0x21, 0x1c);
/// Over the screen behind a card.
pub const SCRIM: Color32 = Color32::from_black_alpha(0xaa);
/// What avatars are filled with.
pub const AVATARS: [Color32; 6] = [
    rgb(0x4f, 0x73, 0x9a),
    rgb(0xb0, 0x5f, 0x44),
    rgb(0x3f, 0x7c, 0x5c),
    rgb(0x7a, 0x6a, 0xa8),
    rgb(0x86, 0x6f, 0x38),
    rgb(0xa0, 0x52, 0x7a),
];

/// Corners of buttons and fields, in points.
pub const RADIUS: u8 = 8;
/// Corners of cards.
pub const CARD_RADIUS: u8 = 16;
/// Corners of pictures and floating cards.
pub const PICTURE_RADIUS: u8 = 12;
/// Corners of bubbles.
pub const BUBBLE_RADIUS: u8 = 14;
/// Height of a button.
pub const BUTTON_HEIGHT: f32 = 34.0;
/// Height of a field.
pub const FIELD_HEIGHT: f32 = 36.0;
/// Height of a screen's head.
pub const HEAD_HEIGHT: f32 = 64.0;
/// Width of the side column.
pub const SIDE_WIDTH: f32 = 320.0;
/// Width of the chat beside a call.
pub const CHAT_WIDTH: f32 = 360.0;
/// Under this width the window has one column.
pub const NARROW: f32 = 600.0;

/// Text, in points.
pub const BODY: f32 = 14.0;
/// Secondary text.
pub const SMALL: f32 = 12.0;
/// Times under a line.
pub const TINY: f32 = 11.0;
/// A name in a head.
pub const HEAD: f32 = 16.0;

/// The name of the bold family.
const STRONG: &str = "strong";
/// The name of the font of coloured emoji.
const COLOURED: &str = "coloured emoji";

const fn rgb(r: u8, g: u8, b: u8) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// The colours in use.
pub fn palette(ui: &Ui) -> Palette {
    palette_of(ui.visuals().dark_mode)
}

/// The colours of the dark or the light theme.
pub fn palette_of(dark: bool) -> Palette {
    if dark { DARK } else { LIGHT }
}

/// Something on a picture, this solid.
pub fn glass(alpha: u8) -> Color32 {
    Color32::from_rgba_unmultiplied(GLASS.r(), GLASS.g(), GLASS.b(), alpha)
}

/// The hairline around what lies on a picture.
pub fn glass_line() -> Stroke {
    Stroke::new(1.0, Color32::from_white_alpha(0x18))
}

/// The regular font.
pub fn font(size: f32) -> FontId {
    FontId::proportional(size)
}

/// The bold font.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(STRONG.into()))
}

/// The font of peer IDs and figures.
pub fn mono(size: f32) -> FontId {
    FontId::monospace(size)
}

/// Makes a context look like Tincan: fonts, both themes, sizes.
pub fn install(ctx: &Context, choice: ThemeChoice) {
    ctx.set_fonts(fonts());
    for (theme, palette) in [(Theme::Dark, DARK), (Theme::Light, LIGHT)] {
        ctx.style_mut_of(theme, |style| dress(style, &palette));
    }
    choose(ctx, choice);
}

/// Switches between dark, light and the system's.
pub fn choose(ctx: &Context, choice: ThemeChoice) {
    ctx.set_theme(match choice {
        ThemeChoice::Dark => ThemePreference::Dark,
        ThemeChoice::Light => ThemePreference::Light,
        ThemeChoice::System => ThemePreference::System,
    });
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in [
        ("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf").as_slice()),
        ("inter-strong", include_bytes!("../../assets/fonts/Inter-SemiBold.otf").as_slice()),
    ] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // In colour if the system can; figures and signs that Inter has stay Inter's.
    let emoji = super::emoji_font::colour_font();
    let coloured = emoji.is_some().then(|| COLOURED.to_owned());
    fonts.font_data.extend(emoji.map(|font| (COLOURED.to_owned(), Arc::new(font))));
    let others = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let with = |first: &str| {
        let first = std::iter::once(first.to_owned());
        first.chain(coloured.clone()).chain(others.iter().cloned()).collect::<Vec<_>>()
    };
    fonts.families.insert(FontFamily::Name(STRONG.into()), with("inter-strong"));
    fonts.families.insert(FontFamily::Proportional, with("inter"));
    fonts
}

fn dress(style: &mut egui::Style, palette: &Palette) {
    style.text_styles = [
        (TextStyle::Small, font(SMALL)),
        (TextStyle::Body, font(BODY)),
        (TextStyle::Button, font(BODY)),
        (TextStyle::Heading, strong(HEAD)),
        (TextStyle::Monospace, mono(SMALL)),
    ]
    .into();
    style.spacing.item_spacing = vec2(10.0, 6.0);
    style.spacing.button_padding = vec2(12.0, 8.0);
    style.spacing.interact_size.y = BUTTON_HEIGHT;
    style.spacing.menu_margin = 6.into();
    style.interaction.selectable_labels = false;

    let visuals = &mut style.visuals;
    let radius = CornerRadius::same(RADIUS);
    visuals.override_text_color = Some(palette.text);
    visuals.weak_text_color = Some(palette.faint);
    visuals.panel_fill = palette.bg;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(PICTURE_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    visuals.extreme_bg_color = palette.bg;
    visuals.faint_bg_color = palette.raised;
    visuals.hyperlink_color = palette.accent;
    visuals.selection.bg_fill = palette.accent.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, palette.text);
    visuals.text_cursor.stroke.color = palette.accent;
    // Nothing blinks.
    visuals.text_cursor.blink = false;
    for widget in [
        &mut visuals.widgets.noninteractive,
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = radius;
        widget.bg_fill = palette.raised;
        widget.weak_bg_fill = palette.raised;
        widget.bg_stroke = Stroke::new(1.0, palette.line);
        widget.fg_stroke = Stroke::new(1.0, palette.text);
        widget.expansion = 0.0;
    }
    visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, palette.faint);
    visuals.widgets.active.bg_stroke = Stroke::new(1.5, palette.accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance and contrast as WCAG 2 defines them.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let luminance = |c: Color32| {
            let part = |v: u8| {
                let v = f32::from(v) / 255.0;
                if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
        };
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_stands_out_from_what_it_stands_on() {
        for palette in [DARK, LIGHT] {
            for ground in [palette.bg, palette.panel, palette.raised, palette.me] {
                for ink in [palette.text, palette.dim, palette.faint] {
                    assert!(contrast(ink, ground) >= 4.5, "{ink:?} on {ground:?}: {}", contrast(ink, ground));
                }
            }
            for ground in [palette.bg, palette.panel, palette.raised, palette.me] {
                assert!(contrast(palette.bad_text, ground) >= 4.5, "{:?}", ground);
            }
            assert!(contrast(palette.accent_ink, palette.accent) >= 4.5);
            assert!(contrast(palette.accent, palette.bg) >= 4.5);
        }
    }

    #[test]
    fn fixed_colours_carry_their_text() {
        assert!(contrast(OK_INK, OK) >= 4.5);
        assert!(contrast(WHITE, BAD) >= 4.5);
        assert!(contrast(ROUND_OFF_INK, ROUND_OFF) >= 4.5);
        assert!(contrast(ROUND_INK, ROUND) >= 4.5);
        assert!(contrast(GLASS_DIM, GLASS) >= 4.5);
        for fill in AVATARS {
            assert!(contrast(WHITE, fill) >= 4.5, "{fill:?}: {}", contrast(WHITE, fill));
        }
    }
}
