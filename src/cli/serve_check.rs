//! `tincan serve --check`: whether the server that runs on this computer answers. For whatever watches over it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tincan::driver::{self, DriverConfig};
use tincan::netconnection::node::NodeConfig;
use tincan::netconnection::{Node, NodeEvent, StatusCode};
use tincan::rendezvous::config::ServerConfig;
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tokio::sync::mpsc;

/// A server on the same computer that takes longer is not well.
const WITHIN: Duration = Duration::from_secs(5);
/// The same that a call ends with whose server cannot be reached.
const UNREACHABLE: u8 = 15;

/// Asks at the first address that the configuration names. Ends with 0 when there is an answer, and with 15 otherwise.
pub(crate) fn run(config: &ServerConfig) -> ExitCode {
    match ask(config) {
        Ok(at) => {
            println!("{at} answers");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(UNREACHABLE)
        }
    }
}

fn ask(config: &ServerConfig) -> anyhow::Result<SocketAddr> {
    let at = config.listen.first().copied().map(from_here).context("the configuration names no address")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answered = tokio::time::timeout(WITHIN, answer_of(at)).await;
        answered.with_context(|| format!("{at} does not answer within {} seconds", WITHIN.as_secs()))?
    })?;
    Ok(at)
}

/// A whole handshake with a key of its own, and a connection without a name: refusing it is an answer too.
async fn answer_of(at: SocketAddr) -> anyhow::Result<()> {
    let profile = Arc::new(Flash::peer(Identity::generate(driver::random_seed()?)));
    let node = Node::new(NodeConfig::new(EndpointConfig::new(profile, driver::random_seed()?)));
    let (tell, mut told) = mpsc::channel(1);
    let asker = driver::run(node, DriverConfig::any_port(), move |_, _, event| {
        let answers = match event {
            NodeEvent::Connected { .. } => true,
            NodeEvent::Disconnected { code, .. } => code != StatusCode::ConnectFailed,
            _ => return,
        };
        // The first word is enough.
        let _ = tell.try_send(answers);
    })?;
    let routes = asker.routes(&[at]);
    let url = format!("rtmfp://{at}/");
    asker.ask(move |node, now| node.connect(now, &url, &routes, Vec::new())).await?;
    let answers = told.recv().await.context("the question was given up")?;
    asker.stop().await;
    if !answers {
        bail!("{at} does not answer");
    }
    Ok(())
}

/// How an address to listen on is reached from this computer: one that means all means loopback here.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_asked_on_loopback() {
        let here = |text: &str| from_here(text.parse().unwrap()).to_string();
        assert_eq!(here("0.0.0.0:1935"), "127.0.0.1:1935");
        assert_eq!(here("[::]:1935"), "[::1]:1935");
        assert_eq!(here("192.0.2.7:5"), "192.0.2.7:5");
    }
}
