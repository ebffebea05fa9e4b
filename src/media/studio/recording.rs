//! The studio's part in a recording: the tap, and the thread behind it.

use std::sync::Arc;
use std::time::Instant;

use super::Studio;
use super::shared::lock;
use crate::media::recording::recorder::{self, RecordingNews, RecordingOrder};
use crate::media::recording::tap::Basin;
use crate::media::worker::Worker;

/// Beyond so many nobody wants to know.
const MOST_NEWS: usize = 16;

impl Studio {
    /// Begins a recording in place of the one before, standing still: nothing is recorded before
    /// [`Self::let_recording_run`]. What becomes of it is told by [`Self::poll_recording`].
    pub fn start_recording(&mut self, order: RecordingOrder) {
        self.stop_recording();
        let basin: Arc<Basin> = Arc::default();
        self.shared.tap.lead_to(&basin);
        let shared = Arc::clone(&self.shared);
        self.recorder = Worker::spawn("recorder", move |stop| {
            let news = recorder::record(&basin, &order, stop);
            let mut waiting = lock(&shared.recording_news);
            waiting.push_back(news);
            if waiting.len() > MOST_NEWS {
                waiting.pop_front();
            }
            drop(waiting);
            shared.wake();
        });
    }

    /// What is sent, heard and shown from now on is recorded; or no longer, while the call waits.
    pub fn let_recording_run(&mut self, runs: bool) {
        self.shared.tap.set_on(runs && self.recorder.is_some(), Instant::now());
    }

    /// Ends the recording. The file is finished in its own time.
    pub fn stop_recording(&mut self) {
        self.shared.tap.set_on(false, Instant::now());
        self.retired.extend(self.recorder.take().map(Worker::retire));
    }

    /// What became of a recording since the last time, if anything.
    pub fn poll_recording(&mut self) -> Option<RecordingNews> {
        lock(&self.shared.recording_news).pop_front()
    }
}
