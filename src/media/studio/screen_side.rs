//! The second stream of pictures: our screen on its way out, and the far end's on its way in. It has threads of its own,
//! the same as the camera's where nothing is different.

use std::sync::Arc;
use std::time::Instant;

use super::shared::{Shared, lock};
use super::{FrameSink, Studio, VideoTarget, receiving, screen};
use crate::media::choice::ScreenSource;
use crate::media::device_news::DeviceNews;
use crate::media::encoded::EncodedFrame;
use crate::media::figures::MediaFigures;
use crate::media::latest::Latest;
use crate::media::picture::Picture;
use crate::media::receive_pipeline::CodedVideo;
use crate::media::worker::{Retired, Worker};

/// What a studio has for screens.
pub(super) struct ScreenSide {
    shared: Arc<Shared>,
    source: Option<Worker>,
    encoder: Option<Worker>,
    decoder: Option<Worker>,
    retired: Vec<Retired>,
}

impl ScreenSide {
    pub(super) fn new(camera: &Shared) -> Self {
        let shared = Arc::new(Shared::of_screen(camera));
        Self { shared, source: None, encoder: None, decoder: None, retired: Vec::new() }
    }

    pub(super) fn take_notice(&self) -> Option<DeviceNews> {
        self.shared.take_notice()
    }

    fn retire_sending(&mut self) {
        self.retired.retain(|retired| !retired.is_finished());
        let workers = [self.source.take(), self.encoder.take()];
        self.retired.extend(workers.into_iter().flatten().map(Worker::retire));
    }

    pub(super) fn retire_decoder(&mut self) {
        self.retired.retain(|retired| !retired.is_finished());
        self.retired.extend(self.decoder.take().map(Worker::retire));
    }

    pub(super) fn retire_all(&mut self) {
        self.retire_sending();
        self.retire_decoder();
    }
}

impl Studio {
    /// Looks at a screen and hands every coded frame of it to the sink. In a camera's place (`repeats`) one at rest comes
    /// again every second. What goes wrong, or a window that is closed, is told by [`Self::poll_notice`].
    pub fn start_screen(&mut self, source: ScreenSource, repeats: bool, sink: FrameSink) {
        self.stop_screen();
        let side = &mut self.screen;
        side.shared.reset_sending();
        {
            let mut sending = lock(&side.shared.sending);
            sending.sink = Some(sink);
            sending.key_requested = true;
        }
        let shared = Arc::clone(&side.shared);
        side.encoder =
            Worker::spawn("screen encoder", move |stop| screen::run_encoder(&shared, repeats, stop));
        let shared = Arc::clone(&side.shared);
        let predecessors = std::mem::take(&mut side.retired);
        side.source =
            Worker::spawn("screen", move |stop| screen::run_screen(&shared, source, predecessors, stop));
    }

    /// Looks at the screen no longer.
    pub fn stop_screen(&mut self) {
        let side = &mut self.screen;
        lock(&side.shared.sending).sink = None;
        side.retire_sending();
        side.shared.to_encode.take();
        side.shared.own_picture.take();
    }

    /// New upper limits for the pictures of the screen.
    pub fn set_screen_target(&mut self, target: VideoTarget) {
        lock(&self.screen.shared.sending).target = target;
    }

    /// Makes the next picture of the screen one that stands alone, and sends it at once.
    pub fn request_screen_key_frame(&mut self) {
        lock(&self.screen.shared.sending).key_requested = true;
        self.screen.shared.encode_signal.notify();
    }

    /// Takes a frame of the far end's screen. The first one starts what decodes them.
    pub fn push_screen(&mut self, frame: EncodedFrame) {
        let EncodedFrame::Video { timestamp, key, config, nal_units, .. } = frame else { return };
        let side = &mut self.screen;
        if side.decoder.is_none() {
            side.shared.reset_receiving();
            let shared = Arc::clone(&side.shared);
            side.decoder = Worker::spawn("screen decoder", move |stop| receiving::run_video(&shared, stop));
        }
        lock(&side.shared.video_inbox).push(CodedVideo {
            timestamp,
            key,
            config,
            nal_units,
            arrived: Instant::now(),
        });
        side.shared.video_signal.notify();
    }

    /// The far end shows its screen no longer. What decodes it stays until [`Self::stop_receiving`]: a far end that begins
    /// and ends all the time must not keep this computer busy with it.
    pub fn end_far_screen(&mut self) {
        let side = &mut self.screen;
        lock(&side.shared.video_inbox).clear();
        side.shared.far_picture.take();
    }

    /// Whether the far end should be asked now for a picture of its screen that stands alone; true at most once in 300 ms.
    pub fn take_screen_key_frame_request(&mut self) -> bool {
        self.screen.shared.key_needed.swap(false, std::sync::atomic::Ordering::AcqRel)
    }

    /// The newest picture of what we show of our screen.
    pub fn own_screen(&self) -> &Latest<Picture> {
        &self.screen.shared.own_picture
    }

    /// The newest picture of the far end's screen.
    pub fn far_screen(&self) -> &Latest<Picture> {
        &self.screen.shared.far_picture
    }

    /// What was counted and measured of screens; nothing of sound is in it.
    pub fn screen_figures(&self) -> MediaFigures {
        self.screen.shared.figures(Instant::now())
    }
}
