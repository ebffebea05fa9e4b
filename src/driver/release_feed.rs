//! One HTTPS request: what a feed of releases answers. It runs on a thread of its own, so that no end of the program waits
//! for it.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// What is asked, and how much patience there is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// Where.
    pub url: String,
    /// Whether anything but HTTPS is refused, also behind redirections.
    pub https_only: bool,
    /// The most that is read, in bytes; a longer answer is none.
    pub most: u64,
    /// All of it takes no longer.
    pub within: Duration,
}

/// Asks. The certificate must be one that this system trusts; a proxy that the environment names is used. Nothing is told
/// about this computer or this program, but its name.
///
/// # Errors
/// What went wrong, for a log.
pub async fn ask(question: Question) -> io::Result<Vec<u8>> {
    let (give, given) = oneshot::channel();
    std::thread::Builder::new().name("release-feed".to_owned()).spawn(move || {
        // Whoever asked may be gone.
        let _ = give.send(ask_now(&question));
    })?;
    given.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
}

fn ask_now(question: &Question) -> io::Result<Vec<u8>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: Agent = Agent::config_builder()
        .https_only(question.https_only)
        .timeout_global(Some(question.within))
        .max_redirects(3)
        .user_agent("tincan")
        .tls_config(tls)
        .build()
        .into();
    let response = agent.get(&question.url).call().map_err(ureq::Error::into_io)?;
    let mut answer = Vec::new();
    let one_more = question.most.saturating_add(1);
    response.into_body().into_reader().take(one_more).read_to_end(&mut answer)?;
    if u64::try_from(answer.len()).is_ok_and(|length| length > question.most) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
    }
    Ok(answer)
}
