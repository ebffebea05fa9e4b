//! Every colour, size and radius of the window, dark and light.
//!
//! Nothing else names a colour. Text keeps a contrast of 4.5:1 on whatever it stands on; the tests compute it.

use std::sync::Arc;

use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Theme,
    ThemePreference, Ui, Visuals, vec2,
};

use super::emoji_font::{colour_font, coloured_emoji};
pub use crate::settings::{Accent, Theme as ThemeChoice};

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
/// The line of a graph on [`GLASS`].
pub const LINE_OF_GRAPH: Color32 = rgb(0xf0, 0xa3, 0x5e);
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

/// The smallest size of text that can be chosen, 1.0 being usual.
pub const SMALLEST_TEXT: f32 = 0.75;
/// The largest.
pub const LARGEST_TEXT: f32 = 2.0;

/// The name of the bold family.
const STRONG: &str = "strong";
/// The name of a font of signs that egui brings.
const SIGNS: &str = "emoji-icon-font";

const fn rgb(r: u8, g: u8, b: u8) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// The accents, as a list shows them.
pub const ACCENTS: [Accent; 4] = [Accent::Copper, Accent::Sea, Accent::Moss, Accent::Plum];

/// The colours in use.
pub fn palette(ui: &Ui) -> Palette {
    palette_in(ui.visuals())
}

/// The colours that visuals were made from.
pub fn palette_in(visuals: &Visuals) -> Palette {
    let dark = visuals.dark_mode;
    // The accent stands in the visuals as the colour of links; nothing else has to remember it.
    let accent = ACCENTS
        .into_iter()
        .find(|accent| palette_with(dark, *accent).accent == visuals.hyperlink_color)
        .unwrap_or_default();
    palette_with(dark, accent)
}

/// The colours of the dark or the light theme with the usual accent.
pub fn palette_of(dark: bool) -> Palette {
    palette_with(dark, Accent::default())
}

/// The colours of the dark or the light theme with an accent.
pub fn palette_with(dark: bool, accent: Accent) -> Palette {
    let base = if dark { DARK } else { LIGHT };
    let (colour, ink, me) = match (accent, dark) {
        (Accent::Copper, _) => return base,
        (Accent::Sea, true) => (rgb(0x6d, 0xb7, 0xf2), rgb(0x06, 0x13, 0x1f), rgb(0x25, 0x3c, 0x55)),
        (Accent::Sea, false) => (rgb(0x1a, 0x5f, 0x9e), rgb(0xf2, 0xf8, 0xff), rgb(0xda, 0xe8, 0xf5)),
        (Accent::Moss, true) => (rgb(0x7f, 0xcf, 0x8f), rgb(0x06, 0x19, 0x0b), rgb(0x26, 0x40, 0x30)),
        (Accent::Moss, false) => (rgb(0x2b, 0x6b, 0x3a), rgb(0xf2, 0xff, 0xf4), rgb(0xdb, 0xec, 0xde)),
        (Accent::Plum, true) => (rgb(0xc9, 0xa2, 0xf0), rgb(0x17, 0x0a, 0x24), rgb(0x3b, 0x32, 0x50)),
        (Accent::Plum, false) => (rgb(0x74, 0x40, 0x8f), rgb(0xfb, 0xf3, 0xff), rgb(0xeb, 0xe1, 0xf2)),
    };
    Palette { accent: colour, accent_ink: ink, me, ..base }
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
    // In colour if the system can.
    if let Some(font) = colour_font() {
        ctx.add_glyph_rasterizer(coloured_emoji(font));
    }
    dress_both(ctx, Accent::default());
    // The size of text is a setting; what egui would zoom by itself would be lost with the next start.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
    choose(ctx, choice);
}

/// Makes a context look as was chosen. Costs nothing when it does already.
pub fn follow(ctx: &Context, choice: ThemeChoice, accent: Accent, text_scale: f32) {
    let in_use = palette_in(&ctx.global_style().visuals);
    if in_use.accent != palette_with(ctx.global_style().visuals.dark_mode, accent).accent {
        dress_both(ctx, accent);
        ctx.request_repaint();
    }
    let preference = preference_of(choice);
    if ctx.options(|options| options.theme_preference) != preference {
        ctx.set_theme(preference);
    }
    // Everything grows with the text, so that nothing is cut off and fingers and eyes find larger buttons.
    let scale = text_scale.clamp(SMALLEST_TEXT, LARGEST_TEXT);
    if (ctx.zoom_factor() - scale).abs() > 0.001 {
        ctx.set_zoom_factor(scale);
    }
}

fn dress_both(ctx: &Context, accent: Accent) {
    for (theme, dark) in [(Theme::Dark, true), (Theme::Light, false)] {
        let palette = palette_with(dark, accent);
        ctx.style_mut_of(theme, |style| dress(style, &palette));
    }
}

/// Switches between dark, light and the system's.
pub fn choose(ctx: &Context, choice: ThemeChoice) {
    ctx.set_theme(preference_of(choice));
}

fn preference_of(choice: ThemeChoice) -> ThemePreference {
    match choice {
        ThemeChoice::Dark => ThemePreference::Dark,
        ThemeChoice::Light => ThemePreference::Light,
        ThemeChoice::System => ThemePreference::System,
    }
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in [
        ("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf").as_slice()),
        ("inter-strong", include_bytes!("../../assets/fonts/Inter-SemiBold.otf").as_slice()),
    ] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // It has full-width signs, bold and out of place between what a Chinese font of the system draws.
    fonts.font_data.remove(SIGNS);
    for family in fonts.families.values_mut() {
        family.retain(|name| name != SIGNS);
    }
    let others = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let with = |first: &str| {
        let first = std::iter::once(first.to_owned());
        first.chain(others.iter().cloned()).collect::<Vec<_>>()
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
    fn full_width_signs_are_left_to_a_font_of_the_system() {
        use egui::epaint::text::{Fonts, TextOptions};
        let mut fonts = Fonts::new(TextOptions::default(), fonts());
        for family in [font(BODY), strong(BODY), mono(BODY)] {
            for sign in "？！（）％０Ａ～".chars() {
                assert!(!fonts.has_glyph(&family, sign), "{sign} in {:?}", family.family);
            }
            assert!(fonts.has_glyph(&family, '❤'), "{:?}", family.family);
        }
    }

    #[test]
    fn every_text_stands_out_from_what_it_stands_on() {
        for palette in every_palette() {
            for ground in [palette.bg, palette.panel, palette.raised, palette.me] {
                for ink in [palette.text, palette.dim, palette.faint] {
                    assert!(contrast(ink, ground) >= 4.5, "{ink:?} on {ground:?}: {}", contrast(ink, ground));
                }
            }
            for ground in [palette.bg, palette.panel, palette.raised, palette.me] {
                assert!(contrast(palette.bad_text, ground) >= 4.5, "{:?}", ground);
            }
            assert!(contrast(palette.accent_ink, palette.accent) >= 4.5);
            for ground in [palette.bg, palette.panel, palette.raised] {
                assert!(contrast(palette.accent, ground) >= 4.5, "{:?} on {ground:?}", palette.accent);
            }
        }
    }

    #[test]
    fn an_accent_is_found_again_in_what_was_made_from_it() {
        for (dark, accent) in [true, false].into_iter().flat_map(|dark| ACCENTS.map(|accent| (dark, accent)))
        {
            let palette = palette_with(dark, accent);
            let mut style = egui::Style { visuals: Visuals::light(), ..egui::Style::default() };
            style.visuals.dark_mode = dark;
            dress(&mut style, &palette);
            assert_eq!(palette_in(&style.visuals), palette, "{accent:?}");
        }
    }

    fn every_palette() -> impl Iterator<Item = Palette> {
        [true, false].into_iter().flat_map(|dark| ACCENTS.map(|accent| palette_with(dark, accent)))
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
