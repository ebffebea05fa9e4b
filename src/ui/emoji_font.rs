//! The system's own font of coloured emoji, so that the program need not bring one of ten megabytes.
//!
//! The places where systems keep it are looked at in turn; the first that is there is mapped into memory, not read.
//! Without one, emoji are drawn in one colour by a font that the window brings.
//!
//! The font stands in no family: it would serve figures and punctuation too. It is asked only about what Unicode
//! shows as emoji, and draws that several times too large; averaging what falls on a pixel makes it small and smooth.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use egui::epaint::text::{TextOptions, ViewportKey};
use egui::text::{Fonts, LayoutJob};
use egui::{
    Color32, ColorImage, FontData, FontDefinitions, FontFamily, FontId, FontPriority, GlyphBitmap,
    GlyphRasterizer, GlyphRasterizerRequest, RasterizedGlyph, Vec2, has_emoji_presentation, vec2,
};
use fontique::{Collection, CollectionOptions, SourceCache, SourceCacheOptions};

/// Where systems keep such a font, the most usual first.
const PLACES: &[&str] = &[
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/Noto-COLRv1.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/truetype/NotoColorEmoji.ttf",
    "/usr/share/fonts/twemoji/twemoji.ttf",
    "/run/current-system/sw/share/X11/fonts/NotoColorEmoji.ttf",
    "/run/host/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/run/host/fonts/google-noto-color-emoji-fonts/Noto-COLRv1.ttf",
    "/run/host/fonts/noto/NotoColorEmoji.ttf",
    "/usr/local/share/fonts/NotoColorEmoji.ttf",
    "/System/Library/Fonts/Apple Color Emoji.ttc",
    r"C:\Windows\Fonts\seguiemj.ttf",
];

/// Where a person keeps fonts of their own, below their home.
const OWN_PLACES: &[&str] = &[".local/share/fonts/NotoColorEmoji.ttf", ".fonts/NotoColorEmoji.ttf"];

/// The font, if this system has one that can be read.
pub fn colour_font() -> Option<FontData> {
    let own = std::env::home_dir()
        .into_iter()
        .flat_map(|home| OWN_PLACES.iter().map(move |place| home.join(place)))
        .collect::<Vec<PathBuf>>();
    PLACES
        .iter()
        .map(PathBuf::from)
        .chain(own)
        .filter(|place| place.is_file())
        .find_map(|place| mapped(&place))
}

fn mapped(path: &Path) -> Option<FontData> {
    let mut collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
    collection.load_fonts_from_paths([path]);
    let name = collection.family_names().next()?.to_owned();
    let family = collection.family_by_name(&name)?;
    let font = family.default_font()?;
    let mut cache = SourceCache::new(SourceCacheOptions { shared: false });
    let (bytes, _) = font.load(Some(&mut cache))?.into_raw_parts();
    Some(FontData::from_blob(bytes, font.index()))
}

/// Pixels to the em from which a picture of an emoji is made small: fonts keep theirs at 109 to 160.
const DRAWN_AT: f32 = 109.0;

/// Draws emoji with a font, in its colours and smooth at every size.
pub fn coloured_emoji(font: FontData) -> GlyphRasterizer {
    let name = "coloured-emoji".to_owned();
    let mut definitions = FontDefinitions::empty();
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        definitions.families.insert(family, vec![name.clone()]);
    }
    definitions.font_data.insert(name.clone(), Arc::new(font));
    let fonts = Mutex::new(Fonts::new(TextOptions::default(), definitions));
    let drawn = move |request: &GlyphRasterizerRequest<'_>| {
        if !has_emoji_presentation(request.cluster) {
            return None;
        }
        // Whoever panicked while drawing an emoji left nothing behind that the next one needs.
        let mut fonts = fonts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        draw(&mut fonts, request)
    };
    GlyphRasterizer::new(name, drawn).with_priority(FontPriority::Highest)
}

fn draw(fonts: &mut Fonts, request: &GlyphRasterizerRequest<'_>) -> Option<RasterizedGlyph> {
    let size = request.font_size_px;
    if !(1.0..=DRAWN_AT * 2.0).contains(&size) {
        return None;
    }
    let times = (DRAWN_AT / size).ceil().max(1.0);
    let font = FontId::proportional(size * times);
    // Makes room where earlier emoji stand.
    fonts.begin_pass(TextOptions::default(), ViewportKey::default());
    if !request.cluster.chars().next().is_some_and(|first| fonts.has_glyph(&font, first)) {
        return None;
    }
    let job = LayoutJob::simple_singleline(request.cluster.to_owned(), font, Color32::WHITE);
    let galley = fonts.layout_uncached(1.0, Arc::new(job));
    let row = galley.rows.first()?;
    let shown = row.row.glyphs.iter().filter(|glyph| !glyph.uv_rect.is_nothing());
    // Each sign's drawing is placed from the base line, as what is handed back is.
    let placed = shown.map(|glyph| (vec2(glyph.pos.x, 0.0) + glyph.uv_rect.offset, glyph.uv_rect));
    let placed: Vec<_> = placed.collect();
    let least = placed.iter().map(|(at, _)| *at).reduce(Vec2::min)?;
    let most = placed.iter().map(|(at, drawn)| *at + drawn.size).reduce(Vec2::max)?;
    let (first, last) = ((least / times).floor(), (most / times).ceil());
    let mut small = Averages::new(last - first, times as usize);
    for (at, drawn) in placed {
        small.add(fonts.texture_atlas().image(), drawn.min, drawn.max, at - first * times);
    }
    let bitmap = GlyphBitmap { image: small.image(), offset_px: first, is_color: true };
    Some(RasterizedGlyph { bitmap, advance_px: row.row.size.x / times })
}

/// A small picture, each pixel of which is the average of the large ones that fall on it.
struct Averages {
    size: [usize; 2],
    times: usize,
    sums: Vec<[usize; 4]>,
}

impl Averages {
    fn new(size: Vec2, times: usize) -> Self {
        let size = [size.x.max(0.0) as usize, size.y.max(0.0) as usize];
        Self { size, times, sums: vec![[0; 4]; size[0] * size[1]] }
    }

    /// Adds the part of a picture between two corners, its first pixel at a place of the large picture.
    fn add(&mut self, from: &ColorImage, min: [u16; 2], max: [u16; 2], at: Vec2) {
        let [width, height] = self.size;
        let (left, top) = (at.x.max(0.0) as usize, at.y.max(0.0) as usize);
        for y in min[1]..max[1] {
            for x in min[0]..max[0] {
                let column = (left + usize::from(x - min[0])) / self.times;
                let line = (top + usize::from(y - min[1])) / self.times;
                if column < width && line < height {
                    let sum = &mut self.sums[line * width + column];
                    let colour = from[(usize::from(x), usize::from(y))].to_array();
                    sum.iter_mut().zip(colour).for_each(|(sum, part)| *sum += usize::from(part));
                }
            }
        }
    }

    fn image(&self) -> ColorImage {
        let all = self.times * self.times;
        let average = |sum: usize| u8::try_from((sum + all / 2) / all).unwrap_or(u8::MAX);
        let pixel = |[r, g, b, a]: [usize; 4]| {
            Color32::from_rgba_premultiplied(average(r), average(g), average(b), average(a))
        };
        ColorImage::new(self.size, self.sums.iter().copied().map(pixel).collect())
    }
}

/// Whether a text is nothing but one to three emoji: such a message is shown large.
pub fn only_emoji(text: &str) -> bool {
    let mut drawn = 0;
    for sign in text.trim().chars() {
        match sign {
            // Joiners, variants, skin colours and the second half of a flag belong to the emoji before them.
            '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => {}
            '\u{1f1e6}'..='\u{1f1ff}' => drawn += 1,
            sign if is_emoji(sign) => drawn += 2,
            _ => return false,
        }
    }
    (1..=6).contains(&drawn)
}

fn is_emoji(sign: char) -> bool {
    matches!(sign, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{231a}' | '\u{231b}' | '\u{23e9}'..='\u{23fa}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_three_emoji_are_told_from_text() {
        for text in ["👋", "❤️", "👍🏽 ", "🎉🎉🎉", "🇹🇼"] {
            assert!(only_emoji(text), "{text}");
        }
        for text in ["", "ok 👋", "8", "🎉🎉🎉🎉"] {
            assert!(!only_emoji(text), "{text}");
        }
    }

    #[test]
    fn a_large_picture_is_averaged_pixel_by_pixel() {
        let black_and_white = [Color32::BLACK, Color32::WHITE, Color32::BLACK, Color32::WHITE];
        let large = ColorImage::new([4, 1], black_and_white.to_vec());
        let mut small = Averages::new(vec2(2.0, 1.0), 2);
        small.add(&large, [0, 0], [4, 1], Vec2::ZERO);
        small.add(&large, [0, 0], [4, 1], vec2(0.0, 1.0));
        assert_eq!(small.image().pixels, [Color32::from_gray(128); 2]);
    }

    #[test]
    fn emoji_are_drawn_in_colour_and_nothing_else_is() {
        let Some(font) = colour_font() else { return };
        let emoji = coloured_emoji(font);
        let asked = |cluster| {
            let family = &FontFamily::Proportional;
            let request =
                GlyphRasterizerRequest { cluster, family, font_size_px: 14.0, subpixel_offset_px: 0.0 };
            (emoji.rasterize)(&request)
        };
        for cluster in ["🚲", "👍🏽", "🇹🇼", "👩\u{200d}💻"] {
            let drawn = asked(cluster).unwrap_or_else(|| panic!("{cluster} is drawn"));
            let [width, height] = drawn.bitmap.image.size;
            assert!(
                (10..=24).contains(&width) && (10..=24).contains(&height),
                "{cluster}: {width} x {height}"
            );
            assert!((14.0..=24.0).contains(&drawn.advance_px), "{cluster}: {}", drawn.advance_px);
            let coloured = drawn.bitmap.image.pixels.iter().any(|pixel| pixel.r() != pixel.b());
            assert!(drawn.bitmap.is_color && coloured, "{cluster}");
        }
        for cluster in ["8", "？", "！", "#", "©", "a", "想"] {
            assert!(asked(cluster).is_none(), "{cluster} is text");
        }
    }

    #[test]
    fn a_place_without_a_font_gives_none() {
        assert!(mapped(Path::new("/nowhere/at/all.ttf")).is_none());
    }
}
