//! Every sentence a person sees, looked up by key in the language that is spoken.
//!
//! The sentences themselves are in `assets/words/`, a folder a language, a file a part of the window. [`language`] knows
//! the languages and which of them the system speaks; [`sentences`] puts typed facts into words. A key that a language
//! lacks is said in English, and one that English lacks shows as itself; tests forbid both.

pub mod language;
pub mod sentences;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

pub use crate::settings::Language;
pub use language::{follow, system_language};
pub use sentences::{
    Explained, device_words, file_size, link_words, name_words, notice_words, rate_words, refusal_words,
    why_it_ended,
};

macro_rules! words_of {
    ($folder:literal) => {
        read(&[
            include_str!(concat!("../../../assets/words/", $folder, "/general.txt")),
            include_str!(concat!("../../../assets/words/", $folder, "/home.txt")),
            include_str!(concat!("../../../assets/words/", $folder, "/chat.txt")),
            include_str!(concat!("../../../assets/words/", $folder, "/call.txt")),
            include_str!(concat!("../../../assets/words/", $folder, "/settings.txt")),
            include_str!(concat!("../../../assets/words/", $folder, "/netcheck.txt")),
        ])
    };
}

type Words = BTreeMap<&'static str, &'static str>;

static ENGLISH: LazyLock<Words> = LazyLock::new(|| words_of!("en"));
static SIMPLIFIED: LazyLock<Words> = LazyLock::new(|| words_of!("zh-CN"));
static TRADITIONAL: LazyLock<Words> = LazyLock::new(|| words_of!("zh-TW"));

/// The spoken language, as its place in [`language::ALL`].
static SPOKEN: AtomicU8 = AtomicU8::new(0);

/// From now on every sentence is in this language. What is on screen changes with its next frame.
pub fn speak(language: Language) {
    let place = language::ALL.iter().position(|known| *known == language).unwrap_or_default();
    SPOKEN.store(place as u8, Ordering::Relaxed);
}

/// The language that is spoken.
pub fn spoken() -> Language {
    let place = usize::from(SPOKEN.load(Ordering::Relaxed));
    language::ALL.get(place).copied().unwrap_or_default()
}

/// The sentence for a key.
pub fn word(key: &'static str) -> &'static str {
    word_in(spoken(), key)
}

/// The sentence for a key in a language, spoken or not.
pub fn word_in(language: Language, key: &'static str) -> &'static str {
    words_in(language).get(key).or_else(|| ENGLISH.get(key)).copied().unwrap_or(key)
}

/// The sentence for a key, with every `{name}` replaced by its value.
///
/// What is filled in is never looked at again: a value that holds braces stays as it is.
pub fn word_with(key: &'static str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = word(key);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, following)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(name),
        }
        rest = following;
    }
    text.push_str(rest);
    text
}

/// Every key that English has, in order.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ENGLISH.keys().copied()
}

/// Every key that a language itself has, and its sentence.
pub fn all_in(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    words_in(language).iter().map(|(key, text)| (*key, *text))
}

fn words_in(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::SimplifiedChinese => &SIMPLIFIED,
        Language::TraditionalChinese => &TRADITIONAL,
    }
}

fn read(files: &[&'static str]) -> Words {
    files
        .iter()
        .flat_map(|file| file.lines())
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, text)| (key.trim(), text.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_braces_is_not_filled_in_again() {
        assert_eq!(word_with("chat.message", &[("name", "{name}")]), "Message {name}");
    }

    #[test]
    fn a_key_that_nobody_knows_shows_as_itself_in_every_language() {
        for language in language::ALL {
            assert_eq!(word_in(language, "no.such.key"), "no.such.key");
        }
    }
}
