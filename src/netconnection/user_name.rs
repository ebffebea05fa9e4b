//! The names people are found by on a server: the one place that says what a name may be.
//!
//! A name is the first extra argument of `connect` (RFC 7425 §5.3.1 leaves those to the application). Callers check it
//! before they send it, servers before they believe it, both with this.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::rtmfp::PeerId;

/// A name by the rules: NFC, 1 to 32 characters, nothing invisible, nothing that reads as a peer ID or a link. Equal to
/// every spelling that differs only in case.
#[derive(Clone, Debug)]
pub struct UserName {
    text: String,
    /// What is compared.
    folded: String,
}

/// Why a text is no name. Each message is a sentence for the person who wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("A name needs at least one character.")]
    Empty,
    /// More than [`UserName::MOST_CHARACTERS`].
    #[error("A name has at most 32 characters.")]
    TooLong,
    /// A control, format or direction-changing character, or one that leaves only a gap.
    #[error("A name has no invisible characters.")]
    Invisible,
    /// 64 hexadecimal digits.
    #[error("A name cannot look like a peer ID.")]
    PeerId,
    /// It starts as links do.
    #[error("A name cannot begin with \u{201c}tincan:\u{201d}.")]
    Link,
}

impl UserName {
    /// The most characters (Unicode scalar values, after normalization) of a name.
    pub const MOST_CHARACTERS: usize = 32;

    /// A name from what somebody wrote: white space around it is dropped, the rest put in Unicode form NFC.
    ///
    /// # Errors
    /// [`NameError`], with the sentence to show.
    pub fn new(written: &str) -> Result<Self, NameError> {
        // Bounded before it is normalized: what comes from the network may be megabytes.
        if written.len() > LONGEST_WRITTEN {
            return Err(NameError::TooLong);
        }
        let text: String = written.trim().nfc().collect();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.parse::<PeerId>().is_ok() {
            return Err(NameError::PeerId);
        }
        if text.chars().any(is_invisible) {
            return Err(NameError::Invisible);
        }
        if text.chars().count() > Self::MOST_CHARACTERS {
            return Err(NameError::TooLong);
        }
        let folded = fold(&text);
        if folded.starts_with("tincan:") {
            return Err(NameError::Link);
        }
        Ok(Self { text, folded })
    }

    /// The name as it was written, in NFC.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for UserName {}

impl PartialOrd for UserName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

/// Character by character, up and down again: that also makes one of `ß` and `ss`, and of the two small sigmas.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// Whether a character is drawn as nothing, or changes the direction of the text around it.
pub fn is_invisible(c: char) -> bool {
    let at = u32::from(c);
    c.is_control() || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&at))
}

/// In bytes: 32 characters, each decomposed as far as Unicode goes, and white space around them.
const LONGEST_WRITTEN: usize = 1024;

/// Unicode's format characters (category Cf, which holds those that change direction), line and paragraph separators, and
/// the letters and symbols that are drawn as nothing. Ascending.
const INVISIBLE: [(u32, u32); 30] = [
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE007F),
    (0xE0080, 0xE00FF),
    (0xE01F0, 0xE0FFF),
    (0xF0000, 0xFFFFF),
    (0x10_0000, 0x10_FFFF),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> NameError {
        UserName::new(text).unwrap_err()
    }

    #[test]
    fn names_in_any_script_are_taken_as_they_are() {
        for name in ["Ada", "王小明", "Zoë 2", "عمر", "김", "🦀", "O'Neil"] {
            assert_eq!(UserName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_differ_in_case_or_composition_are_one() {
        assert_eq!(UserName::new("Zoe\u{308}"), UserName::new("ZOË"));
        assert_eq!(UserName::new("Straße"), UserName::new("STRASSE"));
        assert_eq!(UserName::new("ΟΔΟΣ"), UserName::new("οδος"));
        assert_ne!(UserName::new("Ada"), UserName::new("Adà"));
    }

    #[test]
    fn white_space_around_a_name_is_dropped() {
        assert_eq!(UserName::new("  Ada \n").unwrap().as_str(), "Ada");
        assert_eq!(refused(" \t "), NameError::Empty);
    }

    #[test]
    fn thirty_two_characters_fit_and_thirty_three_do_not() {
        assert!(UserName::new(&"é".repeat(32)).is_ok());
        assert_eq!(refused(&"é".repeat(33)), NameError::TooLong);
        assert_eq!(refused(&"e".repeat(1 << 20)), NameError::TooLong);
    }

    #[test]
    fn invisible_and_direction_changing_characters_are_refused() {
        for name in
            ["a\0b", "a\nb", "a\u{202E}b", "a\u{200B}b", "a\u{2066}b", "\u{FEFF}a", "\u{3164}", "\u{E0041}a"]
        {
            assert_eq!(refused(name), NameError::Invisible, "{name:?}");
        }
    }

    #[test]
    fn a_name_cannot_pass_for_a_peer_id_or_a_link() {
        assert_eq!(refused(&"aB".repeat(32)), NameError::PeerId);
        assert_eq!(refused("TinCan:x"), NameError::Link);
    }
}
