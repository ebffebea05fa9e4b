//! The sentences as a text to read, to copy and to send to whoever helps; in English, or in whatever words are given.

use super::judging::{Sentence, Tone};

/// A line for each sentence; `words` says a sentence's key and fills in its values.
pub fn report(said: &[Sentence], words: impl Fn(&Sentence) -> String) -> String {
    let mut text = String::new();
    for sentence in said {
        text.push_str(mark(sentence.tone));
        text.push_str(&words(sentence));
        text.push('\n');
    }
    text
}

/// What stands before a sentence.
pub fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Headline => "",
        Tone::Good => "  + ",
        Tone::Fact => "  . ",
        Tone::Bad => "  - ",
        Tone::Advice => "  > ",
    }
}

/// The sentence in English, for where there is no window.
pub fn in_english(sentence: &Sentence) -> String {
    let line = |line: &'static str| line.split_once(" = ").filter(|(key, _)| *key == sentence.key);
    let text = ENGLISH.lines().find_map(line).map_or(sentence.key, |(_, text)| text);
    let mut filled = String::new();
    let mut rest = text;
    // What is filled in is not looked at again: it may hold braces.
    while let Some((before, name, after)) = rest
        .split_once('{')
        .and_then(|(before, after)| after.split_once('}').map(|(name, after)| (before, name, after)))
    {
        let value = sentence.values.iter().find(|(known, _)| *known == name);
        filled.push_str(before);
        filled.push_str(value.map_or(name, |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

const ENGLISH: &str = include_str!("../../../assets/words/en/netcheck.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_filled_in_once() {
        let values = vec![("host", "{host}".to_owned())];
        let sentence = Sentence { tone: Tone::Bad, key: "netcheck.no_such_name", values };
        assert!(in_english(&sentence).contains("{host}"));
        assert!(report(&[sentence], in_english).starts_with("  - "));
    }
}
