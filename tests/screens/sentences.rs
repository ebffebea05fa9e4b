//! Every sentence is in one file, and every way a call ends has two.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tincan::call::EndReason;
use tincan::ui::words::{keys, why_it_ended};

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
fn every_key_in_the_code_is_in_the_file_and_the_other_way_round() {
    let known: BTreeSet<&str> = keys().collect();
    let mut used = BTreeSet::new();
    for file in sources("src/ui") {
        let text = fs::read_to_string(&file).expect("a source file");
        for literal in literals(&text) {
            if known.contains(literal.as_str()) {
                used.insert(literal);
            } else if let Some((before, _)) = text.split_once(&format!("\"{literal}\"")) {
                let asked = before.ends_with("word(") || before.ends_with("word_with(");
                assert!(!asked, "{} is used in {} and missing", literal, file.display());
            }
        }
    }
    let unused: Vec<&&str> = known.iter().filter(|key| !used.contains(**key)).collect();
    assert!(unused.is_empty(), "never shown: {unused:?}");
}

#[test]
fn no_screen_holds_a_sentence_of_its_own() {
    for file in sources("src/ui/screens") {
        let text = fs::read_to_string(&file).expect("a source file");
        let shown = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in shown.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // Names of parts of the window are not seen; they are only told apart by.
            if ["Id::unique(", "Panel::", "centred_row(", "id_salt("].iter().any(|part| line.contains(part)) {
                continue;
            }
            for literal in literals(line) {
                let spoken: String =
                    literal.split('{').map(|part| part.rsplit('}').next().unwrap_or(part)).collect();
                let is_words = spoken.trim().contains(' ') && spoken.chars().any(char::is_alphabetic);
                assert!(!is_words, "{}: {literal:?}", file.display());
            }
        }
    }
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
