//! Links that call somebody: `tincan:PEERID?v=1&s=SERVER&w=WEAKID&n=NAME&a=ADDRESSES&c=CHECKSUM`.
//!
//! `w` is the peer ID under which an old server knows them; whoever answers there must be the one that the link names.
//! Unknown keys are passed over. The checksum is the first eight hexadecimal digits of the SHA-256 of everything before
//! `&c=`; it catches a link that lost its end in a mail, and proves nothing.

use std::fmt::Write as _;
use std::net::SocketAddr;

use sha2::{Digest as _, Sha256};

use crate::rtmfp::PeerId;

/// Addresses taken from a link.
const MOST_ADDRESSES: usize = 16;

/// Somebody to call, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Who.
    pub peer: PeerId,
    /// Through which server: `rtmfp://…`.
    pub server: Option<String>,
    /// Under which weak peer ID that server knows them, if it is a program of the Flash years.
    pub weak: Option<PeerId>,
    /// Under which name they go; a hint, never proof.
    pub name: Option<String>,
    /// Where they may be reached directly.
    pub addresses: Vec<SocketAddr>,
}

/// Why a link cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// It does not begin with `tincan:` and a peer ID.
    #[error("this is no link to a person: it must begin with \"tincan:\" and a peer ID")]
    Malformed,
    /// Made by rules that this version does not know.
    #[error("this link was made by a newer version")]
    Version,
    /// The checksum does not fit.
    #[error("this link is damaged: copy it again, whole")]
    Checksum,
}

impl Link {
    /// Whether a text means to be a link.
    pub fn looks_like_one(text: &str) -> bool {
        text.trim().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("tincan:"))
    }

    /// Reads a link.
    ///
    /// # Errors
    /// A [`LinkError`] with a sentence for the person.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        if !Self::looks_like_one(text) {
            return Err(LinkError::Malformed);
        }
        let (id, query) = text[7..].split_once('?').unwrap_or((&text[7..], ""));
        let peer = id.trim_matches('/').parse().map_err(|_| LinkError::Malformed)?;
        let mut link = Self { peer, server: None, weak: None, name: None, addresses: vec![] };
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match key {
                "v" if value != "1" => return Err(LinkError::Version),
                "s" => link.server = decoded(value),
                "w" => link.weak = value.parse().ok(),
                "n" => link.name = decoded(value),
                "a" => {
                    let addresses = decoded(value).unwrap_or_default();
                    let usable = addresses.split(',').filter_map(|address| address.parse().ok());
                    link.addresses = usable.take(MOST_ADDRESSES).collect();
                }
                "c" => {
                    let covered = text.rfind("&c=").and_then(|at| text.get(..at)).unwrap_or_default();
                    if !checksum(covered).eq_ignore_ascii_case(value) {
                        return Err(LinkError::Checksum);
                    }
                }
                _ => {}
            }
        }
        Ok(link)
    }

    /// Writes the link.
    pub fn to_text(&self) -> String {
        let mut text = format!("tincan:{}?v=1", self.peer);
        if let Some(server) = &self.server {
            text += "&s=";
            encode_onto(&mut text, server);
        }
        if let Some(weak) = self.weak {
            let _ = write!(text, "&w={weak}");
        }
        if let Some(name) = &self.name {
            text += "&n=";
            encode_onto(&mut text, name);
        }
        if !self.addresses.is_empty() {
            text += "&a=";
            let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
            encode_onto(&mut text, &addresses.join(","));
        }
        let sum = checksum(&text);
        text + "&c=" + &sum
    }
}

fn checksum(covered: &str) -> String {
    let digest = Sha256::digest(covered.as_bytes());
    digest.iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Percent encoding (RFC 3986 §2.1) of all but the unreserved characters and those that mean nothing in a query.
fn encode_onto(text: &mut String, plain: &str) {
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,[]".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

fn decoded(coded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(coded.len());
    let mut rest = coded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|c| char::from(c).to_digit(16));
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            peer: PeerId([0xab; 32]),
            server: Some("rtmfp://example.org:1935/calls#old".into()),
            weak: Some(PeerId([3; 32])),
            name: Some("José & 小明".into()),
            addresses: vec!["[2001:db8::1]:40000".parse().expect("an address")],
        }
    }

    #[test]
    fn a_link_reads_back_as_it_was_written() {
        assert_eq!(Link::parse(&link().to_text()), Ok(link()));
    }

    #[test]
    fn a_damaged_link_is_told_from_a_whole_one() {
        let text = link().to_text().replace("calls", "cells");
        assert_eq!(Link::parse(&text), Err(LinkError::Checksum));
    }

    #[test]
    fn unknown_keys_are_passed_over_and_a_bare_peer_id_is_enough() {
        let bare = format!("tincan:{}?zz=1&v=1", PeerId([2; 32]));
        assert_eq!(Link::parse(&bare).map(|link| link.peer), Ok(PeerId([2; 32])));
        assert_eq!(Link::parse("tincan:éé"), Err(LinkError::Malformed));
        assert_eq!(Link::parse("http://example.org"), Err(LinkError::Malformed));
        assert_eq!(Link::parse(&format!("{bare}&v=2")), Err(LinkError::Version));
    }
}
