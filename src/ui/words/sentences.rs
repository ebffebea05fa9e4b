//! Typed facts put into words: why a call ended, what is wrong with a device, a name, a link; sizes and rates.
//!
//! What is below the window knows no language; its errors are told apart here. Nothing of their `Display` is shown.

use super::{word, word_with};
use crate::call::event::{Notice, Refusal};
use crate::call::link::LinkError;
use crate::call::{DeviceError, DeviceKind, DeviceNews, DeviceProblem, EndReason, NameError};

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
        Notice::Device(news) => device_news_words(news),
        Notice::Refused(why) => refusal_words(why),
        Notice::TextNotSent => word("notice.not_sent").to_owned(),
        Notice::KeyChanged { name, .. } => word_with("notice.key_changed", &[("name", name)]),
        Notice::Written(path) => word_with("notice.written", &[("path", &path.display().to_string())]),
        Notice::FileProblem { path, why } => {
            word_with("notice.file", &[("path", &path.display().to_string()), ("why", why)])
        }
        Notice::RecordingStopped { path, why } => {
            word_with("recording.stopped", &[("path", &path.display().to_string()), ("why", why)])
        }
        Notice::FileChanged(path) => {
            word_with("notice.file_changed", &[("path", &path.display().to_string())])
        }
        Notice::FileDamaged(path) => {
            word_with("notice.file_damaged", &[("path", &path.display().to_string())])
        }
        Notice::HistorySetAside(path) => {
            word_with("notice.history_aside", &[("path", &path.display().to_string())])
        }
        Notice::BackUpNotOpened => word("notice.backup").to_owned(),
        Notice::WithNextStart => word("notice.next_start").to_owned(),
        Notice::NewerVersion(newer) => word_with("notice.newer", &[("version", &newer.version)]),
        Notice::HistoryTooNew => word("notice.history_new").to_owned(),
        Notice::HistoryProblem(why) => word_with("notice.history", &[("why", why)]),
    }
}

/// What is wrong with a device, and what to do about it.
pub fn device_words(error: &DeviceError) -> String {
    let device = device_noun(error.device);
    if error.device == DeviceKind::Screen {
        let gone = matches!(error.problem, DeviceProblem::NotFound | DeviceProblem::Stopped);
        return word(if gone { "problem.screen_gone" } else { "problem.screen_cannot" }).to_owned();
    }
    let key = match &error.problem {
        DeviceProblem::NotFound => "problem.device_not_found",
        DeviceProblem::Busy => "problem.device_busy",
        DeviceProblem::Denied => "problem.device_denied",
        DeviceProblem::Unsupported => "problem.device_unsupported",
        DeviceProblem::Stopped => "problem.device_stopped",
        DeviceProblem::NoAnswer => "problem.device_no_answer",
        DeviceProblem::Hung => "problem.device_hung",
        DeviceProblem::Silent => "problem.device_silent",
        DeviceProblem::File { path, reason } => {
            let path = path.display().to_string();
            let values = [("path", path.as_str()), ("device", device), ("why", reason)];
            return word_with("problem.device_file", &values);
        }
    };
    word_with(key, &[("device", device)])
}

fn device_noun(device: DeviceKind) -> &'static str {
    match device {
        DeviceKind::Camera => word("noun.camera"),
        DeviceKind::Microphone => word("noun.microphone"),
        DeviceKind::Speaker => word("noun.speaker"),
        DeviceKind::Picture => word("noun.picture"),
        DeviceKind::Screen => word("noun.screen"),
    }
}

/// What happened to a device in use.
pub fn device_news_words(news: &DeviceNews) -> String {
    let device = ("device", device_noun(news.device()));
    let what = match news {
        DeviceNews::Problem(error) => device_words(error),
        DeviceNews::Mended(_) => word_with("devices.mended", &[device]),
        DeviceNews::Replaced { lost, why, by, .. } => {
            let key = match why {
                DeviceProblem::NotFound | DeviceProblem::Stopped => "devices.unplugged",
                _ => "devices.replaced",
            };
            word_with(key, &[device, ("lost", lost), ("name", by)])
        }
        DeviceNews::Back { name, .. } => word_with("devices.back", &[device, ("name", name)]),
        DeviceNews::Follows { name, .. } => word_with("devices.follows", &[device, ("name", name)]),
        DeviceNews::CallMode { name } => word_with("devices.call_mode", &[("name", name)]),
    };
    if news.silenced() { format!("{what} {}", word("devices.still_muted")) } else { what }
}

/// Why something that was asked for is not done.
pub fn refusal_words(why: &Refusal) -> String {
    match why {
        Refusal::InCall => word("refusal.in_call").to_owned(),
        Refusal::ThatIsYou => word("refusal.you").to_owned(),
        Refusal::Nobody => word("refusal.nobody").to_owned(),
        Refusal::Link(error) => link_words(*error).to_owned(),
        Refusal::Name(error) => name_words(*error).to_owned(),
        Refusal::Server(address) => word_with("refusal.server", &[("server", &address.0)]),
        Refusal::TakesNoFiles => word("refusal.takes_no_files").to_owned(),
        Refusal::NotAFile => word("refusal.not_a_file").to_owned(),
        Refusal::FileTooLarge => word("refusal.file_too_large").to_owned(),
        Refusal::TooManyFiles => word("refusal.too_many_files").to_owned(),
        Refusal::Settings(why) => word_with("refusal.settings", &[("why", why.trim_end_matches('.'))]),
    }
}

/// What is wrong with a name.
pub fn name_words(error: NameError) -> &'static str {
    match error {
        NameError::Empty => word("refusal.name_empty"),
        NameError::TooLong => word("refusal.name_long"),
        NameError::Invisible => word("refusal.name_invisible"),
        NameError::PeerId => word("refusal.name_peer_id"),
        NameError::Link => word("refusal.name_link"),
    }
}

/// What is wrong with a link.
pub fn link_words(error: LinkError) -> &'static str {
    match error {
        LinkError::Malformed => word("refusal.link_form"),
        LinkError::Version => word("refusal.link_version"),
        LinkError::Checksum => word("refusal.link_damaged"),
    }
}

/// A number of bytes as people read it: three digits at most, in steps of a thousand.
pub fn file_size(bytes: u64) -> String {
    let (number, key) = match bytes {
        0..1_000 => (bytes.to_string(), "size.bytes"),
        1_000..1_000_000 => (three_digits(bytes as f64 / 1e3), "size.kilobytes"),
        1_000_000..1_000_000_000 => (three_digits(bytes as f64 / 1e6), "size.megabytes"),
        _ => (three_digits(bytes as f64 / 1e9), "size.gigabytes"),
    };
    word_with(key, &[("number", &number)])
}

/// Kilobits a second as people read them.
pub fn rate_words(kbps: u32) -> String {
    if kbps < 1_000 {
        word_with("rate.kilobits", &[("number", &kbps.to_string())])
    } else {
        word_with("rate.megabits", &[("number", &format!("{:.1}", f64::from(kbps) / 1e3))])
    }
}

fn three_digits(number: f64) -> String {
    if number < 10.0 { format!("{number:.1}") } else { format!("{number:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_called_decides_the_sentence() {
        for reason in [EndReason::Cancelled, EndReason::Declined, EndReason::NoAnswer] {
            assert_ne!(why_it_ended(reason, "Ada", true), why_it_ended(reason, "Ada", false), "{reason:?}");
        }
    }

    #[test]
    fn every_problem_of_a_device_is_one_sentence_with_a_remedy() {
        let file = DeviceProblem::File { path: "a.y4m".into(), reason: "no such file".into() };
        for problem in [
            DeviceProblem::NotFound,
            DeviceProblem::Busy,
            DeviceProblem::Denied,
            DeviceProblem::Unsupported,
            DeviceProblem::Stopped,
            DeviceProblem::NoAnswer,
            DeviceProblem::Hung,
            DeviceProblem::Silent,
            file,
        ] {
            let text = device_words(&DeviceError { device: DeviceKind::Camera, problem });
            assert!(text.contains("camera") && text.contains("; ") && text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn sizes_and_rates_keep_few_digits() {
        assert_eq!(file_size(999), "999 bytes");
        assert_eq!(file_size(1_250), "1.2 KB");
        assert_eq!(file_size(48_300_000), "48 MB");
        assert_eq!(rate_words(600), "600 kb/s");
        assert_eq!(rate_words(2_000), "2.0 Mb/s");
    }
}
