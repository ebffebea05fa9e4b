//! The server's configuration file. `packaging/rendezvous/rendezvous.toml` is a sample with every key explained.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::admission::Rates;
use super::relay::RelayRules;
use super::service::{Offer, Rules};

/// Everything a server can be told. What a file leaves out stays at its default.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerConfig {
    /// Addresses and UDP ports; exclusively ours.
    pub listen: Vec<SocketAddr>,
    /// A port at which the same server answers too: people who are seen differently there know what kind of router they
    /// are behind.
    pub second_port: Option<u16>,
    /// Ports for the relay; it takes two for each pair of people.
    pub relay_ports: Option<RangeInclusive<u16>>,
    /// Addresses by which others reach this server, when it cannot see them itself.
    pub public: Vec<IpAddr>,
    /// What may change while it runs.
    pub rules: Rules,
}

/// Why a configuration file cannot be used. Each message is a sentence for the one who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("The configuration {} cannot be read: {cause}.", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is not TOML, has a key that there is not, or a value of the wrong kind.
    #[error("The configuration {} is not right: {cause}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong, and in which line.
        cause: Box<toml::de::Error>,
    },
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![
                SocketAddr::from(([0, 0, 0, 0], PORT)),
                SocketAddr::from(([0_u16, 0, 0, 0, 0, 0, 0, 0], PORT)),
            ],
            second_port: Some(SECOND_PORT),
            relay_ports: Some(RELAY_PORTS),
            public: Vec::new(),
            rules: Rules::default(),
        }
    }
}

impl ServerConfig {
    /// For the server that a window brings itself, once the person allows the local network: reached from there, and
    /// nothing is relayed.
    pub fn local_network() -> Self {
        Self { second_port: None, relay_ports: None, ..Self::default() }
    }

    /// For the server that a window brings itself: this computer only, and nothing is relayed.
    pub fn loopback() -> Self {
        Self::plain(vec![SocketAddr::from(([127, 0, 0, 1], PORT))])
    }

    /// A server that introduces, and has no other ports than these.
    pub fn plain(listen: Vec<SocketAddr>) -> Self {
        let (second_port, relay_ports) = (None, None);
        Self { listen, second_port, relay_ports, public: Vec::new(), rules: Rules::default() }
    }

    /// The sockets besides those of `listen`: at the same addresses, the second port and then those to lend.
    pub fn further(&self) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
        let ips: BTreeSet<IpAddr> = self.listen.iter().map(SocketAddr::ip).collect();
        let at = |ports: RangeInclusive<u16>| {
            ports.flat_map(|port| ips.iter().map(move |ip| SocketAddr::new(*ip, port)))
        };
        let is_free = |address: &SocketAddr| address.port() != 0 && !self.listen.contains(address);
        let second: Vec<_> =
            self.second_port.into_iter().flat_map(|port| at(port..=port)).filter(is_free).collect();
        let relay_ports = self.relay_ports.clone().filter(|_| self.rules.relay.on);
        let lent = relay_ports.into_iter().flat_map(at).filter(is_free);
        let lent = lent.filter(|address| !second.contains(address)).take(MOST_LENT).collect();
        (second, lent)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`], with the sentence to show.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        Self::parse(&text)
            .map_err(|cause| ConfigError::Malformed { path: path.to_owned(), cause: Box::new(cause) })
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(text)?;
        let usual = Self::default();
        let Rules { most_people, rates, relay, .. } = usual.rules;
        Ok(Self {
            listen: file.listen.unwrap_or(usual.listen),
            second_port: file.second_port.or(usual.second_port).filter(|port| *port != 0),
            relay_ports: file.relay.ports.clone().or(usual.relay_ports),
            public: file.public.unwrap_or_default(),
            rules: Rules {
                offer: file.directory.into(),
                most_people: file.most_people.unwrap_or(most_people),
                rates: Rates {
                    hellos: file.per_second.hellos.unwrap_or(rates.hellos),
                    connections: file.per_second.connections.unwrap_or(rates.connections),
                    calls: file.per_second.calls.unwrap_or(rates.calls),
                },
                relay: file.relay.over(relay),
            },
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Vec<SocketAddr>>,
    #[serde(default)]
    directory: DirectoryWord,
    most_people: Option<usize>,
    second_port: Option<u16>,
    public: Option<Vec<IpAddr>>,
    #[serde(default)]
    per_second: PerSecond,
    #[serde(default)]
    relay: RelayTable,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DirectoryWord {
    #[default]
    List,
    Lookup,
    None,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PerSecond {
    hellos: Option<u32>,
    connections: Option<u32>,
    calls: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayTable {
    on: Option<bool>,
    #[serde(default, deserialize_with = "ports")]
    ports: Option<RangeInclusive<u16>>,
    kilobytes_per_second: Option<u32>,
    most_megabytes: Option<u64>,
    most_hours: Option<u32>,
    most_pairs: Option<usize>,
    most_pairs_of_one: Option<usize>,
    most_pairs_of_one_address: Option<usize>,
}

impl RelayTable {
    /// What it says, and the rest as it is.
    fn over(&self, usual: RelayRules) -> RelayRules {
        RelayRules {
            on: self.on.unwrap_or(usual.on),
            bytes_per_second: self
                .kilobytes_per_second
                .map_or(usual.bytes_per_second, |kilobytes| kilobytes.saturating_mul(1000)),
            most_bytes: self
                .most_megabytes
                .map_or(usual.most_bytes, |megabytes| megabytes.saturating_mul(1_000_000)),
            longest: self
                .most_hours
                .map_or(usual.longest, |hours| Duration::from_secs(u64::from(hours.min(MOST_HOURS)) * 3600)),
            most_pairs: self.most_pairs.unwrap_or(usual.most_pairs),
            pairs_of_one: self.most_pairs_of_one.unwrap_or(usual.pairs_of_one),
            pairs_of_one_address: self.most_pairs_of_one_address.unwrap_or(usual.pairs_of_one_address),
        }
    }
}

/// A range, as `"1937-2000"`.
fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RangeInclusive<u16>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(Some(first..=last)),
        _ => Err(serde::de::Error::custom("say ports as a range, such as \"1937-2000\"")),
    }
}

impl From<DirectoryWord> for Offer {
    fn from(word: DirectoryWord) -> Self {
        match word {
            DirectoryWord::List => Self::List,
            DirectoryWord::Lookup => Self::LookUp,
            DirectoryWord::None => Self::Neither,
        }
    }
}

/// RTMFP's own, where clients look when a URL names none (RFC 7425 §5.3).
const PORT: u16 = 1935;
const SECOND_PORT: u16 = 1936;
/// Room for 32 pairs at least, for 64 when one of each is on IPv6.
const RELAY_PORTS: RangeInclusive<u16> = 1937..=2000;
/// Each is an open file, of which most systems grant a program 1024.
const MOST_LENT: usize = 900;
/// A year.
const MOST_HOURS: u32 = 24 * 366;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_usual_server() {
        assert_eq!(ServerConfig::parse("").unwrap(), ServerConfig::default());
    }

    #[test]
    fn the_sample_is_the_usual_server_with_every_key_said() {
        let sample = include_str!("../../packaging/rendezvous/rendezvous.toml");
        assert_eq!(ServerConfig::parse(sample).unwrap(), ServerConfig::default());
        let keys = [
            "listen",
            "second_port",
            "public",
            "directory",
            "most_people",
            "per_second",
            "hellos",
            "connections",
            "calls",
            "relay",
            "on",
            "ports",
            "kilobytes_per_second",
            "most_megabytes",
            "most_hours",
            "most_pairs",
            "most_pairs_of_one",
            "most_pairs_of_one_address",
        ];
        for key in keys {
            let said = |line: &str| line.starts_with(&format!("{key} = ")) || line == format!("[{key}]");
            assert!(sample.lines().any(said), "{key}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named_instead_of_passed_over() {
        let error = ServerConfig::parse("most_poeple = 3").unwrap_err();
        assert!(error.to_string().contains("most_poeple"), "{error}");
    }

    #[test]
    fn a_server_that_a_window_brings_lends_no_ports_whoever_reaches_it() {
        for config in [ServerConfig::loopback(), ServerConfig::local_network()] {
            assert_eq!((config.second_port, config.relay_ports), (None, None));
        }
        assert_eq!(ServerConfig::local_network().listen, ServerConfig::default().listen);
    }

    #[test]
    fn the_relay_and_the_second_port_are_at_the_addresses_that_are_listened_on() {
        let text = "listen = [\"127.0.0.1:1935\", \"[::1]:1940\"]\n[relay]\nports = \"1935-1937\"\n";
        let config = ServerConfig::parse(text).unwrap();
        let written = |all: Vec<SocketAddr>| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (second, lent) = config.further();
        assert_eq!(written(second), ["127.0.0.1:1936", "[::1]:1936"]);
        assert_eq!(written(lent), ["[::1]:1935", "127.0.0.1:1937", "[::1]:1937"]);
        let off = ServerConfig::parse("second_port = 0\n[relay]\non = false\n").unwrap();
        assert_eq!(off.further(), (vec![], vec![]));
    }

    #[test]
    fn a_range_of_ports_that_is_none_is_said() {
        for ports in ["2000-1937", "0-3", "many", "1-70000"] {
            let error = ServerConfig::parse(&format!("[relay]\nports = \"{ports}\"")).unwrap_err();
            assert!(error.to_string().contains("such as \"1937-2000\""), "{error}");
        }
    }

    #[test]
    fn what_the_file_says_is_taken() {
        let text = "listen = [\"127.0.0.1:2000\"]\ndirectory = \"none\"\n[per_second]\nhellos = 3\n";
        let config = ServerConfig::parse(text).unwrap();
        assert_eq!(config.listen, ["127.0.0.1:2000".parse().unwrap()]);
        assert_eq!(config.rules.offer, Offer::Neither);
        assert_eq!(config.rules.rates, Rates { hellos: 3, ..Rates::default() });
    }
}
