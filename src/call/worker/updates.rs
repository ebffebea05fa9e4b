//! The worker's part in looking for a newer version: the clock, the request, and what is remembered of it.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::{Worker, WorkerConfig};
use crate::call::event::{Event, Notice};
#[cfg(feature = "updates")]
use crate::call::updates::{FEED, MOST_OF_AN_ANSWER};
use crate::call::updates::{NewerVersion, UpdateWatch};
#[cfg(feature = "updates")]
use crate::driver::release_feed::{self, Question};
use crate::settings::Settings;

/// A look takes no longer.
#[cfg(feature = "updates")]
const WITHIN: Duration = Duration::from_secs(20);

/// What the worker holds for it.
pub(super) struct Updates {
    watch: UpdateWatch,
    newer: Option<NewerVersion>,
    pub(super) answered: mpsc::Receiver<Option<Vec<u8>>>,
    answer: mpsc::Sender<Option<Vec<u8>>>,
}

impl Updates {
    pub(super) fn new(config: &WorkerConfig) -> Self {
        let (answer, answered) = mpsc::channel(1);
        let looked_at = config.settings.looked_for_updates;
        let looked_at = looked_at.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at)));
        Self { watch: UpdateWatch::new(env!("CARGO_PKG_VERSION"), looked_at), newer: None, answered, answer }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.watch.due()
    }

    pub(super) fn newer(&self) -> &Option<NewerVersion> {
        &self.newer
    }
}

#[expect(clippy::disallowed_methods, reason = "the worker is where the clocks come in")]
impl Worker {
    /// Looks for newer versions from now on, or no longer, as the person says. Programs without a window never do.
    pub(super) fn follow_updates(&mut self, at_start: bool) {
        let allowed =
            cfg!(feature = "updates") && self.config.window && self.config.settings.look_for_updates;
        let watch = &mut self.updates.watch;
        watch.allow(allowed, Instant::now(), SystemTime::now(), at_start, &mut self.chance);
    }

    pub(super) fn look_for_update(&mut self) {
        let at = self.updates.watch.begin(Instant::now(), SystemTime::now(), &mut self.chance);
        let at = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.keep(|settings: &mut Settings| settings.looked_for_updates = Some(at));
        #[cfg_attr(not(feature = "updates"), expect(unused_variables, reason = "nobody is asked"))]
        let answer = self.updates.answer.clone();
        #[cfg(feature = "updates")]
        tokio::spawn(async move {
            let question =
                Question { url: FEED.to_owned(), https_only: true, most: MOST_OF_AN_ANSWER, within: WITHIN };
            let answered = release_feed::ask(question).await;
            let answered =
                answered.inspect_err(|error| tracing::info!(%error, "no word about newer versions"));
            // A worker that ends wants nothing more.
            let _ = answer.send(answered.ok()).await;
        });
    }

    pub(super) fn update_answered(&mut self, answer: Option<Vec<u8>>) {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let newer = self.updates.watch.end(now, wall, answer.as_deref(), &mut self.chance);
        if let Some(newer) = newer {
            self.updates.newer = Some(newer.clone());
            self.publish();
            self.pass_on(Event::Notice(Notice::NewerVersion(newer)));
        }
    }
}
