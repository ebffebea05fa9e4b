//! The `rtmfp` URI scheme (RFC 7425 §6.1).
//!
//! ```text
//! rtmfp:                              a client without a server
//! rtmfp://host[:port][/path]          a server; UDP port 1935 unless another is said
//! ```

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The UDP port of a server whose URI names none.
pub const DEFAULT_PORT: u16 = 1935;

/// An `rtmfp` URI, with its path encoded as RFC 3986 §2.5 wants.
///
/// ```
/// use tincan::netconnection::Uri;
///
/// let uri: Uri = "rtmfp://media.example/live/Zoë".parse()?;
/// let server = uri.server().expect("it names a server");
/// assert_eq!((server.host(), server.port()), ("media.example", 1935));
/// assert_eq!(uri.to_string(), "rtmfp://media.example/live/Zo%C3%AB");
/// # Ok::<(), tincan::netconnection::NotAUri>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Uri(Option<Server>);

/// The server that an URI names.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Server {
    host: String,
    port: Option<u16>,
    path: String,
}

/// The text is no `rtmfp` URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAUri {
    /// It begins with no scheme, or with another one.
    #[error("an address of this kind begins with rtmfp:")]
    Scheme,
    /// Neither a name nor an address follows the two slashes.
    #[error("the address names no host")]
    Host,
    /// What follows the host is no port from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Uri {
    /// The server it names; none for `rtmfp:` alone, which stands for a client that needs none.
    pub fn server(&self) -> Option<&Server> {
        self.0.as_ref()
    }
}

impl Server {
    /// A name or an address, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// What follows the host, the first slash included, encoded. Its meaning is the server's own.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host, if it is an address and need not be looked up.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Where the server is to be tried: its address, or everything its name leads to, IPv4 and IPv6 alike.
    pub fn candidates(&self, looked_up: impl IntoIterator<Item = IpAddr>) -> Vec<SocketAddr> {
        let mut all: Vec<SocketAddr> = Vec::new();
        let found: Box<dyn Iterator<Item = IpAddr>> = match self.address() {
            Some(address) => Box::new(std::iter::once(address)),
            None => Box::new(looked_up.into_iter()),
        };
        for ip in found {
            let address = SocketAddr::new(ip, self.port());
            if !all.contains(&address) {
                all.push(address);
            }
        }
        all
    }
}

impl FromStr for Uri {
    type Err = NotAUri;

    /// Reads an URI; white space around it is passed over, and characters that may not stand in a path are encoded.
    fn from_str(text: &str) -> Result<Self, NotAUri> {
        let (scheme, rest) = text.trim().split_once(':').ok_or(NotAUri::Scheme)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(NotAUri::Scheme);
        }
        if rest.is_empty() {
            return Ok(Self(None));
        }
        let rest = rest.strip_prefix("//").ok_or(NotAUri::Host)?;
        // The scheme has neither query nor fragment; programs write queries all the same, as part of the path.
        let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_ends);
        let path = path.split_once('#').map_or(path, |(path, _fragment)| path);
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or(NotAUri::Host)?;
                let host: Ipv6Addr = host.parse().map_err(|_| NotAUri::Host)?;
                (host.to_string(), port)
            }
            None => {
                let port_begins = authority.find(':').unwrap_or(authority.len());
                let (host, port) = authority.split_at(port_begins);
                (host.to_owned(), port)
            }
        };
        let is_strange = |c: char| c.is_whitespace() || c.is_control() || "@\\[]<>\"{}|^`".contains(c);
        if host.is_empty() || host.len() > LONGEST_HOST || host.contains(is_strange) {
            return Err(NotAUri::Host);
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return Err(NotAUri::Host),
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok().filter(|port| *port != 0).ok_or(NotAUri::Port)?)
            }
            Some(_) => return Err(NotAUri::Port),
        };
        Ok(Self(Some(Server { host, port, path: encoded(path).into_owned() })))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}:")?;
        let Some(server) = &self.0 else { return Ok(()) };
        match server.address() {
            Some(IpAddr::V6(host)) => write!(f, "//[{host}]")?,
            _ => write!(f, "//{}", server.host)?,
        }
        if let Some(port) = server.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&server.path)
    }
}

/// A text with every character that no URI may hold as the percent-encoded bytes of its UTF-8 form (RFC 3986 §2.1, §2.5).
/// What is encoded already stays as it is.
pub(super) fn encoded(text: &str) -> Cow<'_, str> {
    let mut stands = Vec::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let two_digits =
            || text.get(at + 1..at + 3).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        stands.push(match byte {
            b'%' => two_digits(),
            _ => byte.is_ascii_alphanumeric() || ALLOWED.contains(&byte),
        });
    }
    if stands.iter().all(|stands| *stands) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 2);
    for (byte, stands) in text.bytes().zip(stands) {
        if stands {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    Cow::Owned(out)
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

/// The reserved characters, and those unreserved ones that are neither letters nor digits (RFC 3986 §2.2, §2.3).
const ALLOWED: &[u8] = b":/?#[]@!$&'()*+,;=-._~";

const SCHEME: &str = "rtmfp";

/// No name in the domain name system is longer, in bytes.
const LONGEST_HOST: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Server {
        text.parse::<Uri>().unwrap().server().unwrap().clone()
    }

    /// Conforms: 7425-6.1-a
    #[test]
    fn an_uri_names_a_host_a_port_and_a_path_or_no_server_at_all() {
        assert_eq!("rtmfp:".parse::<Uri>().unwrap().server(), None);
        let plain = server("rtmfp://media.example");
        assert_eq!((plain.host(), plain.port(), plain.path()), ("media.example", 1935, ""));
        let full = server("RTMFP://[2001:DB8::1]:19350/live/one");
        assert_eq!((full.host(), full.port(), full.path()), ("2001:db8::1", 19350, "/live/one"));
        let query = server("rtmfp://192.0.2.1:/live?key=1#part");
        assert_eq!((query.host(), query.port(), query.path()), ("192.0.2.1", 1935, "/live?key=1"));
    }

    #[test]
    fn an_uri_is_written_as_it_was_read() {
        for text in ["rtmfp:", "rtmfp://a.example", "rtmfp://a.example:1/b/c", "rtmfp://[2001:db8::1]:2/x"] {
            assert_eq!(text.parse::<Uri>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_uri_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", NotAUri::Scheme),
            ("media.example", NotAUri::Scheme),
            ("rtmp://media.example", NotAUri::Scheme),
            ("rtmfp:media.example", NotAUri::Host),
            ("rtmfp:///live", NotAUri::Host),
            ("rtmfp://ada@media.example", NotAUri::Host),
            ("rtmfp://[::1", NotAUri::Host),
            ("rtmfp://[::1]x", NotAUri::Host),
            ("rtmfp://media.example:0", NotAUri::Port),
            ("rtmfp://media.example:+1", NotAUri::Port),
            ("rtmfp://media.example:65536", NotAUri::Port),
        ] {
            assert_eq!(text.parse::<Uri>(), Err(reason), "{text}");
        }
    }

    /// Conforms: 7425-6.1-b
    #[test]
    fn a_name_is_tried_at_all_it_leads_to_and_an_address_at_itself() {
        let looked_up = ["192.0.2.1", "2001:db8::1", "192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        let candidates = server("rtmfp://media.example:5").candidates(looked_up);
        let expected = ["192.0.2.1:5", "[2001:db8::1]:5", "192.0.2.2:5"].map(|text| text.parse().unwrap());
        assert_eq!(candidates, expected);
        let literal = server("rtmfp://[2001:db8::9]").candidates(looked_up);
        assert_eq!(literal, ["[2001:db8::9]:1935".parse().unwrap()]);
    }

    /// Conforms: 7425-6.1-c
    #[test]
    fn a_path_is_percent_encoded_utf_8_and_is_not_encoded_twice() {
        let path = |text: &str| server(&format!("rtmfp://h{text}")).path().to_owned();
        assert_eq!(path("/Zoë 1"), "/Zo%C3%AB%201");
        assert_eq!(path("/%41%zz%"), "/%41%25zz%25");
        assert_eq!(path("/%C3%AB?a=b&c=(d)"), "/%C3%AB?a=b&c=(d)");
    }
}
