//! The walls of this package, checked: which module may name which, and what of the outside world.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and every other module of this package it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("amf", &[]),
    ("rtmfp", &[]),
    ("netconnection", &["amf", "rtmfp"]),
    ("driver", &["rtmfp"]),
    ("media", &[]),
    ("settings", &[]),
    ("history", &["rtmfp"]),
    ("nearby", &["rtmfp"]),
    ("rendezvous", &["rtmfp", "amf", "netconnection"]),
    ("call", &["driver", "netconnection", "rtmfp", "media", "settings", "history", "amf", "nearby"]),
    ("ui", &["call", "settings"]),
];

/// What single files may use beyond their module.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    ("src/rendezvous/server.rs", &["driver", "settings"]),
    ("src/call/built_in_server.rs", &["rendezvous"]),
];

/// Names of the outside world, and the modules and files that must not have them: those that only decide.
const MUST_NOT_NAME: &[(&str, &[&str])] = &[
    ("src/amf", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rtmfp", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/netconnection", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/directory.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/introduction.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/admission.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/presence.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/relay", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/service/introducing.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/rendezvous/service.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/network_check/family.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/network_check/judging.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/network_check/report.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/lifecycle.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/lifecycle", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/calls.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/verification.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/quality_watch.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/muted_speech.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/echo_test.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/peer_link.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/messages.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/conversation.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/contacts.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/conversation", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/transfers.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/transfers", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/updates.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/file_name.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call/file_pace.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/call", &["egui", "eframe"]),
    ("src/driver", &["egui", "eframe"]),
    ("src/nearby", &["egui", "eframe"]),
    ("src/nearby/announcement.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/media/studio/device_care.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/media/studio/call_mode.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/media/capture/silence.rs", SOCKETS_CLOCKS_AND_WINDOWS),
    ("src/media", &["tokio", "egui", "eframe", "UdpSocket"]),
    ("src/history", &["tokio", "egui", "eframe", "UdpSocket"]),
    ("src/settings", &["tokio", "egui", "eframe", "UdpSocket", "thread::spawn"]),
    ("src/ui", &["tokio", "UdpSocket", "nokhwa", "cpal"]),
];

const SOCKETS_CLOCKS_AND_WINDOWS: &[&str] = &[
    "tokio",
    "UdpSocket",
    "TcpStream",
    "std::thread",
    "thread::spawn",
    "Instant::now",
    "SystemTime",
    "getrandom",
    "egui",
    "eframe",
    "cpal",
    "nokhwa",
];

/// Longer files are split before they grow further.
const MOST_LINES: usize = 700;

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut broken = Vec::new();
    for (module, allowed) in MAY_USE {
        for source in sources(&Path::new("src").join(module)) {
            let more =
                EXCEPTIONS.iter().find(|(file, _)| source.path == *file).map_or(&[][..], |(_, more)| more);
            for (number, line) in source.code() {
                for used in named_modules(line) {
                    if used != *module && !allowed.contains(&used) && !more.contains(&used) {
                        broken.push(format!("{}:{number}: {module} → {used}", source.path));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "walls broken:\n{}", broken.join("\n"));
}

#[test]
fn deciders_name_no_sockets_clocks_or_windows() {
    let mut broken = Vec::new();
    for (place, forbidden) in MUST_NOT_NAME {
        for source in sources(Path::new(place)) {
            for (number, line) in source.before_its_tests() {
                for name in forbidden.iter().filter(|name| names(line, name)) {
                    broken.push(format!("{}:{number}: {name}", source.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "outside names where none may be:\n{}", broken.join("\n"));
}

#[test]
fn nothing_that_ships_names_the_cryptography_for_tests() {
    let mut broken = Vec::new();
    for source in sources(Path::new("src")) {
        // What is given to fuzzers does not ship either.
        if source.path.starts_with("src/rtmfp/testing") || source.path.ends_with("/fuzzing.rs") {
            continue;
        }
        for (number, line) in source.before_its_tests() {
            if names(line, "testing") && !line.contains("pub mod testing;") {
                broken.push(format!("{}:{number}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "`testing` is named in:\n{}", broken.join("\n"));
}

#[test]
fn every_module_of_the_package_has_its_walls() {
    let known = |name: &str| {
        MAY_USE.iter().any(|(module, _)| *module == name) || ["cli", "lib", "main"].contains(&name)
    };
    for entry in fs::read_dir("src").expect("the package's sources") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name").to_owned();
        assert!(known(&name), "src/{name} stands in no table of this file");
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|root| sources(Path::new(root)))
        .filter(|source| source.text.lines().count() > MOST_LINES)
        .map(|source| format!("{}: {} lines", source.path, source.text.lines().count()))
        .collect();
    assert!(long.is_empty(), "longer than {MOST_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn a_planted_line_is_found() {
    assert_eq!(named_modules("use crate::ui::words;").collect::<Vec<_>>(), ["ui"]);
    assert_eq!(named_modules("use crate::{amf, rtmfp};").collect::<Vec<_>>(), [""]);
    assert!(names("let now = Instant::now();", "Instant::now"));
    assert!(!names("the tokio_like thing", "tokio"));
}

struct Source {
    path: String,
    text: String,
    /// A file of tests alone.
    tests_only: bool,
}

impl Source {
    /// Its lines without comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(number, line)| (number + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The same up to its unit tests, which may ask the clock for an origin.
    fn before_its_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests_only = self.tests_only;
        self.code().take_while(move |(_, line)| !tests_only && line.trim() != "#[cfg(test)]")
    }
}

/// The first path segment after each `crate::` on a line; empty for a group, which no table allows.
fn named_modules(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether a line has `name` as a word of its own.
fn names(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(word)
            && !line[at + name.len()..].chars().next().is_some_and(word)
    })
}

/// Every Rust file at or below a place, sorted; none if there is no such place yet.
fn sources(place: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    collect(place, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let tests_only = path.components().any(|part| part.as_os_str() == "tests")
                || path.file_stem().is_some_and(|stem| stem == "tests");
            let text = fs::read_to_string(&path).expect("a readable source file");
            Source { path: path.to_string_lossy().replace('\\', "/"), text, tests_only }
        })
        .collect()
}

fn collect(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_file() && place.extension().is_some_and(|extension| extension == "rs") {
        found.push(place.to_owned());
    } else if let Ok(entries) = fs::read_dir(place) {
        entries.flatten().for_each(|entry| collect(&entry.path(), found));
    }
}
