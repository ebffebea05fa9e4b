//! A check of the network that the person asked for: one at a time, beside everything else, and stopped at any moment.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Worker;
use crate::call::network_check::{self, NetworkCheck, Question};

/// The check that runs, and what is shown of the last.
pub(super) struct NetworkChecks {
    pub(super) told: mpsc::Receiver<(u64, NetworkCheck)>,
    tell: mpsc::Sender<(u64, NetworkCheck)>,
    /// What one that was stopped still tells is passed over.
    number: u64,
    task: Option<JoinHandle<()>>,
    pub(super) shown: NetworkCheck,
}

impl NetworkChecks {
    pub(super) fn new() -> Self {
        // More steps than a check has.
        let (tell, told) = mpsc::channel(16);
        Self { told, tell, number: 0, task: None, shown: NetworkCheck::default() }
    }

    fn stop(&mut self) {
        self.number += 1;
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for NetworkChecks {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Worker {
    /// Checks the way to the server in use, or stops doing so.
    pub(super) fn check_network(&mut self, on: bool) {
        self.network_checks.stop();
        self.network_checks.shown = NetworkCheck::NotAsked;
        if !on {
            return;
        }
        self.network_checks.shown = NetworkCheck::Running(network_check::Progress::LookingUp);
        let (number, tell) = (self.network_checks.number, self.network_checks.tell.clone());
        let settings = &self.config.settings;
        let question = Question {
            server: self.config.server.clone(),
            turn: self.turn_config(),
            asks_router: settings.port_mapping && !settings.hide_address,
            relay_only: settings.hide_address,
        };
        self.network_checks.task = Some(tokio::spawn(async move {
            let step = |progress| drop(tell.try_send((number, NetworkCheck::Running(progress))));
            let done = match network_check::check(question, step).await {
                Ok(findings) => NetworkCheck::Done(Arc::new(findings)),
                Err(error) => {
                    tracing::warn!(%error, "the network cannot be checked");
                    NetworkCheck::NotAsked
                }
            };
            let _ = tell.send((number, done)).await;
        }));
    }

    pub(super) fn network_check_told(&mut self, number: u64, check: NetworkCheck) {
        if number == self.network_checks.number {
            self.network_checks.shown = check;
            self.publish();
        }
    }
}
