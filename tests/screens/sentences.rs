//! Every sentence is in one file, and every way a call ends has two.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tincan::call::EndReason;
use tincan::settings::Language;
use tincan::ui::words::{all_in, keys, why_it_ended};

const REASONS: [EndReason; 11] = [
    EndReason::Ended,
    EndReason::EndedThere,
    EndReason::Cancelled,
    EndReason::NotFound,
    EndReason::Declined,
    EndReason::Busy,
    EndReason::NoAnswer,
    EndReason::Vanished,
    EndReason::ServerUnreachable,
    EndReason::NameRefused,
    EndReason::NoWayThrough,
];

#[test]
fn every_end_says_what_happened_and_what_to_do() {
    for (reason, incoming) in REASONS.into_iter().flat_map(|reason| [(reason, false), (reason, true)]) {
        let words = why_it_ended(reason, "Ada", incoming);
        for part in [&words.what, &words.remedy] {
            assert!(
                part.contains(' ') && !part.contains("end.") && !part.contains('{'),
                "{reason:?}: {part}"
            );
        }
    }
}

#[test]
fn every_sentence_exists_in_every_language_with_the_same_places_to_fill_in() {
    let english: BTreeMap<&str, &str> = all_in(Language::English).collect();
    for language in [Language::SimplifiedChinese, Language::TraditionalChinese] {
        let other: BTreeMap<&str, &str> = all_in(language).collect();
        let missing: Vec<_> = english.keys().filter(|key| !other.contains_key(*key)).collect();
        assert!(missing.is_empty(), "{language:?} lacks {missing:?}");
        let more: Vec<_> = other.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(more.is_empty(), "only {language:?} has {more:?}");
        for (key, text) in english.iter().filter(|(key, _)| !key.starts_with("date.day")) {
            assert_eq!(places(text), places(other[key]), "{language:?} {key}");
        }
    }
}

#[test]
fn chinese_sentences_have_chinese_marks() {
    for language in [Language::SimplifiedChinese, Language::TraditionalChinese] {
        for (key, text) in all_in(language) {
            let ends = text.ends_with(['.', ',', '?', '!']);
            assert!(!ends && !text.contains("..."), "{language:?} {key}: {text}");
        }
    }
}

#[test]
fn every_key_in_the_code_is_in_the_file_and_the_other_way_round() {
    let known: BTreeSet<&str> = keys().collect();
    let mut used = BTreeSet::new();
    for file in sources("src/ui").into_iter().chain(sources("src/call/network_check")) {
        let text = fs::read_to_string(&file).expect("a source file");
        for literal in literals(&text) {
            if known.contains(literal.as_str()) {
                used.insert(literal);
            } else if let Some((before, _)) = text.split_once(&format!("\"{literal}\"")) {
                let before = before.trim_end();
                let asked = before.ends_with("word(") || before.ends_with("word_with(");
                assert!(!asked, "{} is used in {} and missing", literal, file.display());
            }
        }
    }
    let unused: Vec<&&str> = known.iter().filter(|key| !used.contains(**key)).collect();
    assert!(unused.is_empty(), "never shown: {unused:?}");
}

#[test]
fn no_view_code_holds_a_sentence_of_its_own() {
    // Names of fonts and of graphics drivers, which nobody reads in the window either.
    let silent = ["theme.rs", "gpu_picture.rs"];
    for file in sources("src/ui").into_iter().filter(|file| !silent.iter().any(|name| file.ends_with(name))) {
        let text = fs::read_to_string(&file).expect("a source file");
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in shipped.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if NOT_SEEN.iter().any(|part| line.contains(part)) {
                continue;
            }
            for literal in literals(line) {
                let spoken: String =
                    literal.split('{').map(|part| part.rsplit('}').next().unwrap_or(part)).collect();
                let words: Vec<&str> = spoken
                    .split(' ')
                    .filter(|word| word.len() > 1 && word.chars().all(char::is_alphabetic))
                    .collect();
                let is_words =
                    words.len() > 1 || spoken.chars().any(|c| ('\u{3000}'..'\u{a000}').contains(&c));
                assert!(!is_words, "{}: {literal:?}", file.display());
            }
        }
    }
}

/// Texts that nobody reads in the window: names by which its parts are told apart, what an `expect` states, logs, attributes.
const NOT_SEEN: [&str; 16] = [
    ".with(\"",
    ".load_texture(",
    ".name(\"",
    "Id::unique(",
    "Id::new(",
    "Panel::",
    "Area::new(",
    "centred_row(",
    "id_salt(",
    "card_ui(",
    "PictureTexture::new(",
    "expect(",
    "unique(",
    "reason = ",
    "tracing::",
    "const NAME: &str",
];

fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
}

fn sources(under: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(under)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

fn literals(text: &str) -> Vec<String> {
    text.lines().flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned)).collect()
}
