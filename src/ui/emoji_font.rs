//! The system's own font of coloured emoji, so that the program need not bring one of ten megabytes.
//!
//! The places where systems keep it are looked at in turn; the first that is there is mapped into memory, not read.
//! Without one, emoji are drawn in one colour by a font that the window brings.

use std::path::{Path, PathBuf};

use egui::FontData;
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
    fn a_place_without_a_font_gives_none() {
        assert!(mapped(Path::new("/nowhere/at/all.ttf")).is_none());
    }
}
