//! The latest log lines, kept in memory for a report that the person may read and send: without addresses, peer IDs, names
//! of hosts, and whatever stands between quotes.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError, TryLockError};

/// Lines that are kept.
const MOST_LINES: usize = 400;
/// Characters of a line.
const LONGEST: usize = 500;

static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Keeps a line, blanked.
pub fn push(line: &str) {
    let line: String = blanked(line.trim_end()).chars().take(LONGEST).collect();
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() >= MOST_LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// The lines, oldest first. Never waits: while a line is being added, there are none.
pub fn recent() -> Vec<String> {
    match LINES.try_lock() {
        Ok(lines) => lines.iter().cloned().collect(),
        Err(TryLockError::Poisoned(lines)) => lines.into_inner().iter().cloned().collect(),
        Err(TryLockError::WouldBlock) => vec![],
    }
}

/// Takes log lines as they are written; one call is one line.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineWriter;

impl io::Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        push(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same text without what could tell who somebody is, where, or what was written: IP addresses with their ports, what
/// follows `://`, long hexadecimal numbers, shortened peer IDs, the home directory, and what stands between quotes.
pub fn blanked(text: &str) -> String {
    let home = directories::BaseDirs::new().map(|base| base.home_dir().to_string_lossy().into_owned());
    let text = match home.filter(|home| home.len() > 1) {
        Some(home) => text.replace(&home, "~"),
        None => text.to_owned(),
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let (taken, shown) = if let Some(after) = rest.strip_prefix("://") {
            let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ')' | ']' | '}' | ',');
            (3 + after.find(ends).unwrap_or(after.len()), "://…".to_owned())
        } else if let Some(after) = rest.strip_prefix("PeerId(") {
            (7 + after.find(')').unwrap_or(after.len()), "PeerId(…".to_owned())
        } else if matches!(c, '"' | '`') {
            // Without its other half, all that follows is quoted.
            let inside = rest[1..].find(c).unwrap_or(rest.len() - 1);
            (rest.len().min(inside + 2), format!("{c}…{c}"))
        } else if in_word(c) {
            let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            let length = rest.find("://").map_or(length, |url| length.min(url));
            let word = &rest[..length];
            (length, if names_somebody(word) { "…".to_owned() } else { word.to_owned() })
        } else {
            (c.len_utf8(), c.to_string())
        };
        out.push_str(&shown);
        rest = &rest[taken..];
    }
    out
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '_' | '-')
}

fn names_somebody(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':']);
    let hexadecimal = word.len() >= 16 && word.chars().all(|c| c.is_ascii_hexdigit());
    // `::` stands in every name of a module; an address has a digit beside it.
    let address = word.contains(|c: char| c.is_ascii_digit())
        && (word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok());
    hexadecimal || address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_names_somebody_stays() {
        let blank = |text: &str| blanked(text);
        assert_eq!(blank("via 192.168.1.7:40123, then 10.0.0.1."), "via …, then …");
        assert_eq!(blank("from [2001:db8::7]:1935"), "from […]:1935");
        assert_eq!(blank("link fe80::1"), "link …");
        assert_eq!(blank(&format!("peer {} rings", "a5".repeat(32))), "peer … rings");
        assert_eq!(blank("PeerId(a5a5…) rings"), "PeerId(…) rings");
        assert_eq!(blank("server rtmfp://ada.example.org/app, lost"), "server rtmfp://…, lost");
        assert_eq!(blank("inside 'é' of \"dear Ada\" here"), "inside 'é' of \"…\" here");
        assert_eq!(blank("of `dear Ada"), "of `…`");
    }

    #[test]
    fn what_helps_stays() {
        let line = "2026-11-21T04:00:00Z  WARN tincan::call::worker: 3 frames fell; 12.5 ms, v0.1.0";
        assert_eq!(blanked(line), line);
    }

    #[test]
    fn the_home_directory_is_a_tilde() {
        if let Some(base) = directories::BaseDirs::new().filter(|base| base.home_dir().as_os_str().len() > 1)
        {
            let path = base.home_dir().join("x");
            assert!(blanked(&path.to_string_lossy()).starts_with('~'));
        }
    }

    #[test]
    fn only_the_latest_lines_are_kept() {
        for number in 0..MOST_LINES + 10 {
            push(&format!("line {number}\n"));
        }
        let lines = recent();
        assert_eq!(lines.len(), MOST_LINES);
        assert_eq!(lines.last().map(String::as_str), Some("line 409"));
    }
}
