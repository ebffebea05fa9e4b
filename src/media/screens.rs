//! What can be shown to the far end: screens and windows, by name, with small previews.

use std::sync::mpsc;
use std::time::Duration;

use super::capture::screen;
pub use super::choice::ScreenSource;
use super::picture::Picture;
use super::worker::Worker;

/// One thing that can be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScreenChoice {
    /// What to ask for.
    pub source: ScreenSource,
    /// The window's title, or the screen's own name; empty where the system's dialog knows it.
    pub name: String,
    /// What it looks like, in at most [`PREVIEW`].
    pub preview: Option<Picture>,
}

/// The largest preview: width and height.
pub const PREVIEW: (u32, u32) = (320, 200);

/// The most things listed.
pub(crate) const MOST_CHOICES: usize = 40;

/// Looks for screens and windows. Blocks, at most three seconds: a system that has not told by then offers nothing.
pub fn list() -> Vec<ScreenChoice> {
    let (sender, answer) = mpsc::sync_channel(1);
    let worker = Worker::spawn("list screens", move |_| {
        // The asker may have given up.
        let _ = sender.send(screen::list());
    });
    let found = answer.recv_timeout(Duration::from_secs(3)).unwrap_or_default();
    if let Some(worker) = worker.filter(|worker| !worker.is_finished()) {
        worker.leave();
    }
    found
}
