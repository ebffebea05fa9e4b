//! Whether the computer of a server that does not answer shows another sign of life.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::call::reach_watch::ReachFound;

/// Asks each address over TCP, and over UDP whether anybody listens there. The first sign of life of each kind counts.
pub(in crate::call) async fn signs_of_life(addresses: &[SocketAddr]) -> ReachFound {
    let mut asked = tokio::task::JoinSet::new();
    for &address in addresses.iter().take(MOST_ADDRESSES) {
        asked.spawn(
            async move { ReachFound { answers_tcp: answers_tcp(address).await, nobody_listens: false } },
        );
        asked.spawn(async move {
            ReachFound { nobody_listens: nobody_listens(address).await, answers_tcp: false }
        });
    }
    let mut found = ReachFound::default();
    while let Some(answer) = asked.join_next().await {
        let answer = answer.unwrap_or_default();
        found.answers_tcp |= answer.answers_tcp;
        found.nobody_listens |= answer.nobody_listens;
    }
    found
}

/// Whether a computer answers over TCP. That it takes no connection is an answer too.
async fn answers_tcp(address: SocketAddr) -> bool {
    match timeout(ANSWER_WITHIN, TcpStream::connect(address)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Err(_) => false,
    }
}

/// Whether a computer says that nobody listens on its UDP port: only a connected socket is told.
async fn nobody_listens(address: SocketAddr) -> bool {
    let refused = async {
        let any: SocketAddr =
            if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(address).await?;
        // No RTMFP packet is so short; whoever listens drops it.
        socket.send(&[0]).await?;
        socket.recv(&mut [0; 16]).await
    };
    let refused = timeout(ANSWER_WITHIN, refused).await;
    matches!(refused, Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// How long the server's computer may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Of several addresses of a server, so many are asked.
const MOST_ADDRESSES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_port_of_a_computer_that_is_there_is_told_from_an_open_one() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        drop(server);
        let found = signs_of_life(&[address]).await;
        assert_eq!(found, ReachFound { nobody_listens: true, answers_tcp: true });
    }

    #[tokio::test]
    async fn a_port_that_says_nothing_is_none_that_nobody_listens_on() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert!(!nobody_listens(server.local_addr().unwrap()).await);
    }
}
