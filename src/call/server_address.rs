//! Where a server is: `rtmfp://host[:port][/app]`, and the addresses behind its name.
//!
//! `#old` after it says that the server is a program of the Flash years, to which we show another, weak identity. It is
//! ours alone: what the server is told ends before it.

use std::net::{IpAddr, SocketAddr};

/// The port of RTMFP (RFC 7425 §5.1).
pub const PORT: u16 = 1935;

/// The server when none is set: this computer's, brought by the window itself.
pub const BUILT_IN: &str = "rtmfp://127.0.0.1:1935";

/// What stands after the URL of a server of the Flash years.
const OLD: &str = "#old";

/// A server by its URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerAddress {
    /// The whole URL, as the server is told it.
    pub url: String,
    /// A name, or a literal address without brackets.
    pub host: String,
    /// The UDP port.
    pub port: u16,
    /// Whether it is a program of the Flash years.
    pub old: bool,
}

/// An address as a person sees it, and whether it is marked as that of an old server.
pub fn part_mark(text: &str) -> (&str, bool) {
    let text = text.trim();
    text.strip_suffix(OLD).map_or((text, false), |text| (text, true))
}

/// The address with that mark, or without.
pub fn with_mark(text: &str, old: bool) -> String {
    let (text, _) = part_mark(text);
    if old && !text.is_empty() { format!("{text}{OLD}") } else { text.to_owned() }
}

/// The text is no address of a server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{0}\" is no server address; it must read rtmfp://host[:port][/app]")]
pub struct NotAServer(pub String);

impl ServerAddress {
    /// Reads an URL; the scheme may be left out.
    ///
    /// # Errors
    /// [`NotAServer`], with a sentence.
    pub fn parse(text: &str) -> Result<Self, NotAServer> {
        let wrong = || NotAServer(text.to_owned());
        let (text, old) = part_mark(text);
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("rtmfp") => rest,
            Some(_) => return Err(wrong()),
            None => text,
        };
        let (authority, app) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
            let (host, after) = inner.split_once(']').ok_or_else(wrong)?;
            (host, after.strip_prefix(':'))
        } else {
            match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            }
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?,
            None => PORT,
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '@' || c == '#') {
            return Err(wrong());
        }
        let path = if app.is_empty() { String::new() } else { format!("/{app}") };
        Ok(Self { url: format!("rtmfp://{authority}{path}"), host: host.to_owned(), port, old })
    }

    /// Whether it is the one on this computer that a window brings itself.
    pub fn is_built_in(&self) -> bool {
        !self.old
            && self.port == PORT
            && (self.host == "127.0.0.1" || self.host.eq_ignore_ascii_case("localhost"))
    }

    /// The URL as all spellings of it come out: host in lower case, no usual port, no slash at the end, and the mark of an
    /// old server after it. Two URLs that differ in this may still lead to one server.
    pub fn normalised(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let port = if self.port == PORT { String::new() } else { format!(":{}", self.port) };
        let after = self.url.get("rtmfp://".len()..).unwrap_or_default();
        let app = after.find('/').and_then(|at| after.get(at..)).unwrap_or_default();
        with_mark(&format!("rtmfp://{host}{port}{}", app.trim_end_matches('/')), self.old)
    }

    /// As people name it; empty for the built-in one, which each language calls otherwise.
    pub fn shown(&self) -> String {
        match (self.is_built_in(), self.port) {
            (true, _) => String::new(),
            (false, PORT) => self.host.clone(),
            (false, port) if self.host.contains(':') => format!("[{}]:{port}", self.host),
            (false, port) => format!("{}:{port}", self.host),
        }
    }

    /// Looks up where it is; empty when the name leads nowhere now.
    pub async fn resolve(&self) -> Vec<SocketAddr> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return vec![SocketAddr::new(ip, self.port)];
        }
        match tokio::net::lookup_host((self.host.as_str(), self.port)).await {
            Ok(addresses) => addresses.take(16).collect(),
            Err(error) => {
                tracing::info!(%error, "the server's name leads nowhere");
                vec![]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_port_and_app_are_read_and_the_port_has_a_default() {
        let server = ServerAddress::parse("rtmfp://example.org/calls").expect("an address");
        assert_eq!((server.host.as_str(), server.port), ("example.org", 1935));
        assert_eq!(server.url, "rtmfp://example.org/calls");
        let server = ServerAddress::parse("[2001:db8::1]:2000").expect("an address");
        assert_eq!((server.host.as_str(), server.port), ("2001:db8::1", 2000));
        assert_eq!(server.shown(), "[2001:db8::1]:2000");
    }

    #[test]
    fn every_spelling_of_an_url_is_the_same_server() {
        let normalised = |text: &str| ServerAddress::parse(text).expect("an address").normalised();
        for same in ["Example.org", "rtmfp://example.org:1935", "RTMFP://EXAMPLE.ORG/"] {
            assert_eq!(normalised(same), "rtmfp://example.org", "{same}");
        }
        assert_eq!(normalised("[2001:DB8::1]:2000/a/"), "rtmfp://[2001:db8::1]:2000/a");
    }

    #[test]
    fn what_leads_nowhere_is_refused_with_a_sentence() {
        for wrong in ["", "http://example.org", "rtmfp://", "rtmfp://a:0", "rtmfp://a:x", "rtmfp://[::1"] {
            assert!(ServerAddress::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_mark_of_an_old_server_is_kept_and_never_told_to_it() {
        let server = ServerAddress::parse("rtmfp://Example.org/live#old").expect("an address");
        assert!(server.old && server.url == "rtmfp://Example.org/live");
        assert_eq!(server.normalised(), "rtmfp://example.org/live#old");
        assert_eq!(part_mark(&with_mark("example.org#old", false)), ("example.org", false));
        assert_eq!(with_mark("", true), "");
        let here = ServerAddress::parse("rtmfp://127.0.0.1#old").expect("an address");
        assert!(!here.is_built_in(), "an old program on this computer is not the one that the window brings");
    }

    #[test]
    fn only_the_default_server_is_built_in() {
        assert!(
            ServerAddress::parse(BUILT_IN)
                .is_ok_and(|server| server.is_built_in() && server.shown().is_empty())
        );
        assert!(ServerAddress::parse("rtmfp://127.0.0.1:2000").is_ok_and(|server| !server.is_built_in()));
    }
}
