//! The server's configuration file. `packaging/rendezvous/rendezvous.toml` is a sample with every key explained.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::admission::Rates;
use super::service::{Offer, Rules};

/// Everything a server can be told. What a file leaves out stays at its default.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerConfig {
    /// Addresses and UDP ports; exclusively ours.
    pub listen: Vec<SocketAddr>,
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
            rules: Rules::default(),
        }
    }
}

impl ServerConfig {
    /// For the server that a window brings itself: this computer only.
    pub fn loopback() -> Self {
        Self { listen: vec![SocketAddr::from(([127, 0, 0, 1], PORT))], rules: Rules::default() }
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
        let Rules { most_people, rates, .. } = usual.rules;
        Ok(Self {
            listen: file.listen.unwrap_or(usual.listen),
            rules: Rules {
                offer: file.directory.into(),
                most_people: file.most_people.unwrap_or(most_people),
                rates: Rates {
                    hellos: file.per_second.hellos.unwrap_or(rates.hellos),
                    connections: file.per_second.connections.unwrap_or(rates.connections),
                    calls: file.per_second.calls.unwrap_or(rates.calls),
                },
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
    #[serde(default)]
    per_second: PerSecond,
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
        for key in ["listen", "directory", "most_people", "per_second", "hellos", "connections", "calls"] {
            assert!(sample.contains(key), "{key}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named_instead_of_passed_over() {
        let error = ServerConfig::parse("most_poeple = 3").unwrap_err();
        assert!(error.to_string().contains("most_poeple"), "{error}");
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
