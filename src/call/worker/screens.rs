//! What the worker does with screens: looks which there are, and joins the studio's second stream with the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::{FRAMES, Worker, target_of};
use crate::call::client_machine::{ClientCommand, ScreenEvent};
use crate::call::command::Command;
use crate::media::encoded::EncodedFrame;
use crate::media::screens::{self, ScreenChoice};

/// What waits between the threads of the studio and the worker.
pub(super) struct Screens {
    pub(super) frames: mpsc::Receiver<EncodedFrame>,
    frame_sender: mpsc::Sender<EncodedFrame>,
    /// A frame found no room: the next delta would only show rubble.
    frame_fell: Arc<AtomicBool>,
    pub(super) listed: mpsc::Receiver<Vec<ScreenChoice>>,
    list: mpsc::Sender<Vec<ScreenChoice>>,
    /// What could be shown, once somebody asked.
    pub(super) choices: Option<Arc<Vec<ScreenChoice>>>,
}

impl Screens {
    pub(super) fn new() -> Self {
        let (frame_sender, frames) = mpsc::channel(FRAMES);
        let (list, listed) = mpsc::channel(2);
        Self { frames, frame_sender, frame_fell: Arc::default(), listed, list, choices: None }
    }
}

impl Worker {
    /// Looks for screens and windows, with their previews.
    pub(super) fn look_for_screens(&mut self) {
        self.screens.choices = None;
        let list = self.screens.list.clone();
        tokio::task::spawn_blocking(move || {
            // Two answers wait at most; a third asked for in between would say the same.
            let _ = list.try_send(screens::list());
        });
    }

    pub(super) fn screens_listed(&mut self, found: Vec<ScreenChoice>) {
        self.screens.choices = Some(Arc::new(found));
        self.publish();
    }

    pub(super) fn screen_told(&mut self, event: ScreenEvent) {
        match event {
            ScreenEvent::Started { source, in_cameras_place } => {
                // Previews show what lies on the screen: they are kept no longer than they are needed.
                self.screens.choices = None;
                let (sender, fell) =
                    (self.screens.frame_sender.clone(), Arc::clone(&self.screens.frame_fell));
                let sink = Arc::new(move |frame| {
                    if sender.try_send(frame).is_err() {
                        fell.store(true, Ordering::Relaxed);
                    }
                });
                self.studio.start_screen(source, in_cameras_place, sink);
            }
            ScreenEvent::Stopped => self.studio.stop_screen(),
            ScreenEvent::CameraOn(on) => self.studio.set_camera_on(on),
            ScreenEvent::Target(target) => self.studio.set_screen_target(target_of(target)),
            ScreenEvent::KeyFrameWanted => self.studio.request_screen_key_frame(),
            ScreenEvent::FarFrame(frame) => self.studio.push_screen(frame),
            ScreenEvent::FarEnded => self.studio.end_far_screen(),
        }
    }

    pub(super) fn tick_screens(&mut self) {
        if self.screens.frame_fell.swap(false, Ordering::Relaxed) {
            self.studio.request_screen_key_frame();
        }
    }

    /// What was shown is gone, or cannot be looked at.
    pub(super) fn screen_failed(&mut self) {
        self.ask(ClientCommand::Person(Command::StopSharing));
    }
}
