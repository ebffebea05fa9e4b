//! The words in which a verification code can be read aloud: one list of 2048 for each language, in a fixed order.
//!
//! They are the lists of BIP-39: English words that differ in their first four letters, and single Chinese characters.
//! The numbers come with [`Verifying::Compare`](super::view::Verifying); the same number means the same place in each list,
//! so two persons who read it in one language see the same word.

use crate::settings::Language;

/// The word of this number, 0 to 2047, in a language's list; `None` beyond it.
pub fn verification_words(language: Language, index: u16) -> Option<&'static str> {
    let list = match language {
        Language::English => bip39::Language::English,
        Language::SimplifiedChinese => bip39::Language::SimplifiedChinese,
        Language::TraditionalChinese => bip39::Language::TraditionalChinese,
    };
    list.word_list().get(usize::from(index)).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_list_has_2048_words_and_none_twice() {
        for language in [Language::English, Language::SimplifiedChinese, Language::TraditionalChinese] {
            let words: BTreeSet<_> =
                (0..2048).filter_map(|index| verification_words(language, index)).collect();
            assert_eq!(words.len(), 2048, "{language:?}");
            assert_eq!(verification_words(language, 2048), None);
        }
        assert_eq!(verification_words(Language::English, 0), Some("abandon"));
    }
}
