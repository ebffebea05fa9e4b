//! What is wrong with what a person typed, said at once.

use crate::call::PeerId;
use crate::call::link::{Link, LinkError};
use crate::ui::words::{word, word_with};

/// The longest name, in characters.
const LONGEST_NAME: usize = 32;
/// More hexadecimal digits than a name may have are meant as a peer ID.
const PEER_ID_DIGITS: usize = 64;

/// Why this cannot be called, if it cannot.
pub fn whom_problem(text: &str, own: Option<PeerId>) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if Link::looks_like_one(text) {
        return match Link::parse(text) {
            Ok(link) => (own == Some(link.peer)).then(|| word("whom.own").to_owned()),
            Err(LinkError::Malformed) => Some(word("whom.link_malformed").to_owned()),
            Err(LinkError::Version) => Some(word("whom.link_version").to_owned()),
            Err(LinkError::Checksum) => Some(word("whom.link_damaged").to_owned()),
        };
    }
    if let Ok(id) = text.parse::<PeerId>() {
        return (own == Some(id)).then(|| word("whom.own").to_owned());
    }
    let signs: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = signs.iter().filter(|c| c.is_ascii_hexdigit()).count();
    if digits == signs.len() && digits > LONGEST_NAME {
        return Some(word_with("whom.digits", &[("count", &digits.to_string())]));
    }
    if signs.len() == PEER_ID_DIGITS && digits > PEER_ID_DIGITS / 2 {
        return Some(word("whom.not_digits").to_owned());
    }
    let length = text.chars().count();
    (length > LONGEST_NAME).then(|| word_with("whom.long_name", &[("count", &length.to_string())]))
}

/// Why this cannot be one's name, if it cannot.
pub fn name_problem(text: &str) -> Option<String> {
    let text = text.trim();
    let length = text.chars().count();
    if text.is_empty() {
        Some(word("name.empty").to_owned())
    } else if text.parse::<PeerId>().is_ok() {
        Some(word("name.digits").to_owned())
    } else if text.starts_with("tincan:") {
        Some(word("name.link").to_owned())
    } else if text.chars().any(is_unseen) {
        Some(word("name.signs").to_owned())
    } else {
        (length > LONGEST_NAME).then(|| word_with("name.long", &[("count", &length.to_string())]))
    }
}

/// Why this is no server's address, if it is none. Empty is the built-in server.
pub fn server_problem(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let host = text.strip_prefix("rtmfp://").unwrap_or_default();
    let fits = !host.is_empty() && !host.starts_with(['/', ':']) && !host.contains(char::is_whitespace);
    (!fits).then(|| word("server.form").to_owned())
}

/// Control and direction-changing characters, and those of no width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_three_digits_are_counted_for_the_person() {
        let text = "ab".repeat(32);
        assert_eq!(whom_problem(&text, None), None);
        assert!(whom_problem(&text[..63], None).expect("wrong").contains("63"));
    }

    #[test]
    fn a_letter_that_is_no_digit_is_told_from_a_name() {
        let text = format!("{}x", "ab".repeat(32).split_at(63).0);
        assert_eq!(whom_problem(&text, None).as_deref(), Some(word("whom.not_digits")));
        assert_eq!(whom_problem("Ada", None), None);
    }

    #[test]
    fn ones_own_peer_id_cannot_be_called() {
        let own = PeerId([7; 32]);
        assert_eq!(whom_problem(&own.to_string(), Some(own)).as_deref(), Some(word("whom.own")));
    }

    #[test]
    fn a_link_that_lost_its_end_is_said_at_once() {
        let link = Link {
            peer: PeerId([7; 32]),
            server: None,
            weak: None,
            name: Some("Bo".into()),
            addresses: vec![],
        };
        let text = link.to_text();
        assert_eq!(whom_problem(&text, None), None);
        assert_eq!(whom_problem(&text, Some(link.peer)).as_deref(), Some(word("whom.own")));
        let shorter = &text[..text.len() - 1];
        assert_eq!(whom_problem(shorter, None).as_deref(), Some(word("whom.link_damaged")));
        assert_eq!(whom_problem("tincan:abc", None).as_deref(), Some(word("whom.link_malformed")));
    }

    #[test]
    fn a_name_that_looks_like_an_address_is_not_taken() {
        assert!(name_problem(&PeerId([7; 32]).to_string()).is_some());
        assert!(name_problem("tincan:x").is_some());
        assert!(name_problem("A\u{202e}da").is_some());
        assert_eq!(name_problem("林小雨"), None);
    }

    #[test]
    fn only_an_rtmfp_address_is_a_server() {
        assert!(server_problem("http://host").is_some());
        assert!(server_problem("rtmfp://").is_some());
        assert_eq!(server_problem("rtmfp://host:1935/app"), None);
        assert_eq!(server_problem(" "), None);
    }
}
