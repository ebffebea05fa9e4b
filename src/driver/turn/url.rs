//! Where a TURN server is: `turn:host[:port][?transport=udp|tcp]` or `turns:host[:port]` (RFC 7065).

use std::fmt;
use std::str::FromStr;

/// What carries our messages to a TURN server.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Carrier {
    /// UDP: the quickest, where it gets through.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP: on port 443 nearly every network lets it through.
    Tls,
}

/// A TURN server by its URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TurnUrl {
    /// A name, or a literal address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What to try, the best first.
    pub carriers: Vec<Carrier>,
    text: String,
}

/// The text is no address of a TURN server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{0}\" is no TURN server; it must read turn:host[:port] or turns:host[:port]")]
pub struct NotATurnServer(pub String);

impl TurnUrl {
    /// Reads several, with spaces or commas between them.
    ///
    /// # Errors
    /// [`NotATurnServer`] about the first that is none.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, NotATurnServer> {
        let separate = |c: char| c == ',' || c.is_whitespace();
        text.split(separate).filter(|part| !part.is_empty()).take(MOST_URLS).map(str::parse).collect()
    }
}

impl FromStr for TurnUrl {
    type Err = NotATurnServer;

    fn from_str(text: &str) -> Result<Self, NotATurnServer> {
        let wrong = || NotATurnServer(text.to_owned());
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "turn" => false,
            "turns" => true,
            _ => return Err(wrong()),
        };
        // Many write it as if it were a web address.
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = match query.split_once('=') {
            None if query.is_empty() => None,
            Some((key, value)) if key.eq_ignore_ascii_case("transport") => Some(value.to_ascii_lowercase()),
            _ => return Err(wrong()),
        };
        let carriers = match (secure, transport.as_deref()) {
            (true, None | Some("tcp")) => vec![Carrier::Tls],
            (false, None) => vec![Carrier::Udp, Carrier::Tcp],
            (false, Some("udp")) => vec![Carrier::Udp],
            (false, Some("tcp")) => vec![Carrier::Tcp],
            // DTLS would be the answer to "turns" over UDP: rare, and what it hides is sealed anyway.
            _ => return Err(wrong()),
        };
        let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
            let (host, after) = inner.split_once(']').ok_or_else(wrong)?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':').ok_or_else(wrong)?)),
            }
        } else {
            match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            }
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?,
            None if secure => SECURE_PORT,
            None => PORT,
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '#' | '/' | '[' | ']');
        if host.is_empty() || host.contains(odd) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port, carriers, text: text.to_owned() })
    }
}

impl fmt::Display for TurnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The usual ports (RFC 7065 §3.2).
const PORT: u16 = 3478;
const SECURE_PORT: u16 = 5349;
/// More would only make everybody wait.
const MOST_URLS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, Vec<Carrier>) {
        let TurnUrl { host, port, carriers, .. } = text.parse().expect(text);
        (host, port, carriers)
    }

    #[test]
    fn scheme_port_and_transport_say_what_is_tried() {
        use Carrier::{Tcp, Tls, Udp};
        let of = |host: &str, port, carriers: &[Carrier]| (host.to_owned(), port, carriers.to_vec());
        assert_eq!(read("turn:example.org"), of("example.org", 3478, &[Udp, Tcp]));
        assert_eq!(read("TURN:example.org?transport=TCP"), of("example.org", 3478, &[Tcp]));
        assert_eq!(read("turn:192.0.2.1:80?transport=udp"), of("192.0.2.1", 80, &[Udp]));
        assert_eq!(read("turns:example.org"), of("example.org", 5349, &[Tls]));
        assert_eq!(read("turns://[2001:db8::1]:443?transport=tcp"), of("2001:db8::1", 443, &[Tls]));
    }

    #[test]
    fn what_is_no_turn_server_is_refused_with_a_sentence() {
        for wrong in [
            "",
            "example.org",
            "stun:example.org",
            "turn:",
            "turn:a:0",
            "turn:a:x",
            "turn:[::1",
            "turn:[::1]x",
            "turn:a?transport=sctp",
            "turns:a?transport=udp",
            "turn:user@a",
            "turn:a?x",
        ] {
            let refused = wrong.parse::<TurnUrl>().expect_err(wrong);
            assert!(refused.to_string().contains("is no TURN server"));
        }
    }

    #[test]
    fn several_stand_side_by_side() {
        let list = TurnUrl::parse_list("turn:a.example, turns:b.example:443").unwrap();
        assert_eq!(list.iter().map(|url| url.port).collect::<Vec<_>>(), [3478, 443]);
        assert_eq!(list[1].to_string(), "turns:b.example:443");
        assert_eq!(TurnUrl::parse_list(" ").unwrap(), []);
        assert!(TurnUrl::parse_list("turn:a b").is_err());
    }
}
