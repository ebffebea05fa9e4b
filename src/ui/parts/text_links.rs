//! Finds links in what people write: `http:`, `https:` and `mailto:` for the system, `tincan:` for ourselves.
//!
//! A link is shown exactly as it was written, and nothing is fetched before it is clicked.

use std::ops::Range;

use crate::ui::action::Action;

/// A link in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextLink {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// What opens it.
    pub target: Target,
}

/// Where a link leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// To the browser, or the mail program.
    Outside(String),
    /// To a person: who and where is shown before anybody is called.
    Person(String),
}

impl Target {
    /// What a click on it asks for.
    pub fn action(&self) -> Action {
        match self {
            Self::Outside(url) => Action::OpenUrl(url.clone()),
            Self::Person(link) => Action::AskAbout(link.clone()),
        }
    }

    /// The link as it was written.
    pub fn text(&self) -> &str {
        match self {
            Self::Outside(text) | Self::Person(text) => text,
        }
    }
}

const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "tincan:"];
/// Links in one text; more are left as text.
const MOST: usize = 64;

/// The links in a text, in order.
pub fn links_in(text: &str) -> Vec<TextLink> {
    let mut links = Vec::new();
    let mut from = 0;
    while links.len() < MOST {
        let Some((start, scheme)) = next_scheme(text, from) else { break };
        let end = end_of(text, start);
        from = end.max(start + scheme.len());
        if end <= start + scheme.len() {
            continue;
        }
        let written = text[start..end].to_owned();
        let target = if scheme == "tincan:" { Target::Person(written) } else { Target::Outside(written) };
        links.push(TextLink { range: start..end, target });
    }
    links
}

fn next_scheme(text: &str, from: usize) -> Option<(usize, &'static str)> {
    text.char_indices().skip_while(|(at, _)| *at < from).find_map(|(at, first)| {
        if !matches!(first.to_ascii_lowercase(), 'h' | 'm' | 't') {
            return None;
        }
        // "xhttp://" is a word of its own; a Chinese sign before a link is not.
        if text[..at].chars().next_back().is_some_and(|before| before.is_ascii_alphanumeric()) {
            return None;
        }
        let fits = |scheme: &&str| {
            text.as_bytes()
                .get(at..at + scheme.len())
                .is_some_and(|there| there.eq_ignore_ascii_case(scheme.as_bytes()))
        };
        SCHEMES.into_iter().find(fits).map(|scheme| (at, scheme))
    })
}

fn end_of(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let mut end = start + rest.find(ends_a_link).unwrap_or(rest.len());
    // A full stop after a link ends the sentence, not the link; a bracket belongs to whoever opened it.
    while let Some(last) = text[start..end].chars().next_back() {
        let link = &text[start..end];
        let stray = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '"' | '*' | '_' | '~' => true,
            ')' => link.matches(')').count() > link.matches('(').count(),
            ']' => link.matches(']').count() > link.matches('[').count(),
            _ => false,
        };
        if !stray {
            break;
        }
        end -= last.len_utf8();
    }
    end
}

fn ends_a_link(sign: char) -> bool {
    sign.is_whitespace()
        || sign.is_control()
        || matches!(sign, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
        || matches!(sign, '，' | '。' | '！' | '？' | '；' | '：' | '、' | '）' | '】' | '》' | '」' | '』' | '”' | '’')
        // Signs that turn the direction of writing could make a link look like another.
        || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        links_in(text).into_iter().map(|link| &text[link.range]).collect()
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        assert_eq!(found("See https://example.org/a_(b), please."), ["https://example.org/a_(b)"]);
        assert_eq!(found("(http://example.org)"), ["http://example.org"]);
        assert_eq!(found("看 https://example.org/小雨。好吗"), ["https://example.org/小雨"]);
        assert_eq!(found("看https://example.org"), ["https://example.org"]);
    }

    #[test]
    fn only_four_schemes_are_links() {
        assert_eq!(
            found("file:///etc/passwd javascript:alert(1) ftp://x xhttp://y http:// mailto:"),
            [""; 0]
        );
        assert_eq!(found("MAILTO:ada@example.org"), ["MAILTO:ada@example.org"]);
    }

    #[test]
    fn a_link_to_a_person_is_ours_to_open() {
        let links = links_in("call me: tincan:abcd?v=1&c=12");
        assert_eq!(links[0].target, Target::Person("tincan:abcd?v=1&c=12".into()));
    }

    #[test]
    fn a_sign_that_turns_the_writing_ends_a_link() {
        assert_eq!(found("https://example.org/\u{202e}gpj.exe"), ["https://example.org/"]);
    }
}
