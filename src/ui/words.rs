//! Every sentence a person sees, looked up by key.
//!
//! The sentences themselves are in `assets/words/`, a folder a language, a file a part of the window. A key that is missing
//! shows as itself, which a test forbids.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::call::{EndReason, event::Notice};

static ENGLISH: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    read(&[
        include_str!("../../assets/words/en/general.txt"),
        include_str!("../../assets/words/en/home.txt"),
        include_str!("../../assets/words/en/chat.txt"),
        include_str!("../../assets/words/en/call.txt"),
        include_str!("../../assets/words/en/settings.txt"),
    ])
});

/// The sentence for a key.
pub fn word(key: &'static str) -> &'static str {
    ENGLISH.get(key).copied().unwrap_or(key)
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

/// What happened, and what the person can do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explained {
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Why a call is over, for the person. `incoming`: they had called us.
pub fn why_it_ended(reason: EndReason, name: &str, incoming: bool) -> Explained {
    let (what, remedy) = match (reason, incoming) {
        (EndReason::Ended, _) => ("end.ended.what", "end.ended.do"),
        (EndReason::EndedThere, _) => ("end.ended_there.what", "end.ended_there.do"),
        (EndReason::Cancelled, false) => ("end.cancelled.what", "end.cancelled.do"),
        (EndReason::Cancelled, true) => ("end.cancelled_there.what", "end.cancelled_there.do"),
        (EndReason::NotFound, _) => ("end.not_found.what", "end.not_found.do"),
        (EndReason::Declined, false) => ("end.declined.what", "end.declined.do"),
        (EndReason::Declined, true) => ("end.declined_here.what", "end.declined_here.do"),
        (EndReason::Busy, _) => ("end.busy.what", "end.busy.do"),
        (EndReason::NoAnswer, false) => ("end.no_answer.what", "end.no_answer.do"),
        (EndReason::NoAnswer, true) => ("end.missed.what", "end.missed.do"),
        (EndReason::Vanished, _) => ("end.vanished.what", "end.vanished.do"),
        (EndReason::ServerUnreachable, _) => ("end.server_unreachable.what", "end.server_unreachable.do"),
        (EndReason::NameRefused, _) => ("end.name_refused.what", "end.name_refused.do"),
        (EndReason::NoWayThrough, _) => ("end.no_way_through.what", "end.no_way_through.do"),
    };
    Explained { what: word_with(what, &[("name", name)]), remedy: word_with(remedy, &[("name", name)]) }
}

/// A passing notice as one or two sentences.
pub fn notice_words(notice: &Notice) -> String {
    match notice {
        Notice::Device(problem) => problem.to_string(),
        Notice::Refused(why) => why.to_string(),
        Notice::TextNotSent => word("notice.not_sent").to_owned(),
        Notice::KeyChanged { name, .. } => word_with("notice.key_changed", &[("name", name)]),
        Notice::Written(path) => word_with("notice.written", &[("path", &path.display().to_string())]),
        Notice::FileProblem { path, why } => {
            word_with("notice.file", &[("path", &path.display().to_string()), ("why", why)])
        }
        Notice::FileChanged(path) => {
            word_with("notice.file_changed", &[("path", &path.display().to_string())])
        }
        Notice::FileDamaged(path) => {
            word_with("notice.file_damaged", &[("path", &path.display().to_string())])
        }
        Notice::BackUpNotOpened => word("notice.backup").to_owned(),
        Notice::WithNextStart => word("notice.next_start").to_owned(),
        Notice::HistoryTooNew => word("notice.history_new").to_owned(),
        Notice::HistoryProblem(why) => word_with("notice.history", &[("why", why)]),
    }
}

/// Every key there is, in order.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ENGLISH.keys().copied()
}

fn read(files: &[&'static str]) -> BTreeMap<&'static str, &'static str> {
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
    fn who_called_decides_the_sentence() {
        for reason in [EndReason::Cancelled, EndReason::Declined, EndReason::NoAnswer] {
            assert_ne!(why_it_ended(reason, "Ada", true), why_it_ended(reason, "Ada", false), "{reason:?}");
        }
    }
}
