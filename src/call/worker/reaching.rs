//! The worker borrows ports of a TURN server while the machine wants them, and finds out whether a silent server's
//! computer answers by other means.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Worker;
use crate::call::client_machine::{ClientCommand, ReachFound};
use crate::call::command::Passphrase;
use crate::call::event::{Event, Notice, Refusal};
use crate::call::view::TurnView;
use crate::driver::turn::{Borrowed, Secret, TurnConfig, TurnState, TurnUrl, borrow_ports};
use crate::settings::{TurnChoice, turn_password};

/// How long the server's computer may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Of several addresses of a server, so many are asked.
const MOST_ADDRESSES: usize = 3;
/// News of borrowing, and answers, that may wait.
const NEWS: usize = 8;

/// Ports that are borrowed.
pub(super) struct Reaching {
    wanted: bool,
    borrowed: Option<Borrowed>,
    password: Secret,
    news: mpsc::Sender<ClientCommand>,
    /// What the machine is to be told.
    pub(super) told: mpsc::Receiver<ClientCommand>,
}

impl Reaching {
    pub(super) fn new(password: Zeroizing<String>) -> Self {
        let (news, told) = mpsc::channel(NEWS);
        Self { wanted: false, borrowed: None, password: Secret::new(password.as_str()), news, told }
    }
}

impl Worker {
    /// The machine needs ports, or no longer.
    pub(super) fn port_wanted(&mut self, wanted: bool) {
        self.reaching.wanted = wanted;
        self.follow_turn();
    }

    /// Another TURN server is set, or none.
    pub(super) fn set_turn(&mut self, turn: &TurnChoice, password: Option<&Passphrase>) {
        if let Err(error) = TurnUrl::parse_list(&turn.servers) {
            self.pass_on(Event::Notice(Notice::Refused(Refusal::Turn(error))));
            return;
        }
        self.keep(|settings| settings.turn = turn.clone());
        if let Some(Passphrase(password)) = password {
            self.reaching.password = Secret::new(password.as_str());
            if let Err(error) = turn_password::save(&self.config.data_dir, password) {
                self.pass_on(Event::Notice(Notice::Refused(Refusal::Settings(error.to_string()))));
            }
        }
        self.reaching.borrowed = None;
        self.follow_turn();
    }

    fn follow_turn(&mut self) {
        let turn = &self.config.settings.turn;
        let urls = TurnUrl::parse_list(&turn.servers).unwrap_or_default();
        if !self.reaching.wanted || urls.is_empty() {
            self.reaching.borrowed = None;
            self.ask(ClientCommand::Turn(TurnView::Idle));
            return;
        }
        if self.reaching.borrowed.is_some() {
            return;
        }
        let config = TurnConfig { urls, user: turn.user.clone(), secret: self.reaching.password.clone() };
        let news = self.reaching.news.clone();
        self.reaching.borrowed = Some(borrow_ports(self.driver.paths(), config, move |state| {
            let view = match state {
                TurnState::Trying => TurnView::Trying,
                TurnState::Lent { carrier, .. } => TurnView::Lent { carrier },
                TurnState::Waiting { problem, .. } => TurnView::Failed(problem),
            };
            // Only what a person sees; a worker that stands still loses nothing by it.
            let _ = news.try_send(ClientCommand::Turn(view));
        }));
    }

    /// Finds out, on a task that may wait, what the server's computer says by other means.
    pub(super) fn check_reach(&self, addresses: Vec<SocketAddr>) {
        let news = self.reaching.news.clone();
        tokio::spawn(async move {
            let found = look(&addresses).await;
            let _ = news.send(ClientCommand::ReachFound(found)).await;
        });
    }
}

/// Asks each address over TCP, and over UDP whether anybody listens there. The first sign of life of each kind counts.
async fn look(addresses: &[SocketAddr]) -> ReachFound {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_port_of_a_computer_that_is_there_is_told_from_an_open_one() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        drop(server);
        let found = look(&[address]).await;
        assert_eq!(found, ReachFound { nobody_listens: true, answers_tcp: true });
    }

    #[tokio::test]
    async fn a_port_that_says_nothing_is_none_that_nobody_listens_on() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert!(!nobody_listens(server.local_addr().unwrap()).await);
    }
}
