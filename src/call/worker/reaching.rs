//! The worker borrows ports of a TURN server while the machine wants them, and finds out whether a silent server's
//! computer answers by other means.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::Worker;
use crate::call::client_machine::ClientCommand;
use crate::call::command::Passphrase;
use crate::call::event::{Event, Notice, Refusal};
use crate::call::network_check::signs::signs_of_life;
use crate::call::view::TurnView;
use crate::driver::turn::{Borrowed, Secret, TurnConfig, TurnState, TurnUrl, borrow_ports};
use crate::settings::{TurnChoice, turn_password};

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

    /// The person's TURN servers, if there are any.
    pub(super) fn turn_config(&self) -> Option<TurnConfig> {
        let turn = &self.config.settings.turn;
        let urls = TurnUrl::parse_list(&turn.servers).unwrap_or_default();
        let config = TurnConfig { urls, user: turn.user.clone(), secret: self.reaching.password.clone() };
        Some(config).filter(|config| !config.urls.is_empty())
    }

    fn follow_turn(&mut self) {
        let Some(config) = self.turn_config().filter(|_| self.reaching.wanted) else {
            self.reaching.borrowed = None;
            self.ask(ClientCommand::Turn(TurnView::Idle));
            return;
        };
        if self.reaching.borrowed.is_some() {
            return;
        }
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
            let found = signs_of_life(&addresses).await;
            let _ = news.send(ClientCommand::ReachFound(found)).await;
        });
    }
}
