//! What the worker does about a recording: where the file lies, and what became of it.

use std::path::PathBuf;

use super::Worker;
use crate::call::client_machine::{ClientCommand, RecordingStep};
use crate::call::command::Command;
use crate::call::event::{Event, Notice};
use crate::call::file_name;
use crate::media::studio::{RecordingLayout, RecordingNews, RecordingOrder};
use crate::settings;

impl Worker {
    pub(super) fn record(&mut self, step: RecordingStep) {
        match step {
            RecordingStep::Begin { name, to } => {
                let path = to.unwrap_or_else(|| self.recording_path(&name));
                let large = self.config.settings.recording_far_large;
                let layout = if large { RecordingLayout::FarLarge } else { RecordingLayout::SideBySide };
                self.studio.start_recording(RecordingOrder { path, layout });
            }
            RecordingStep::Runs(runs) => self.studio.let_recording_run(runs),
            RecordingStep::End => self.studio.stop_recording(),
        }
    }

    /// Tells what became of recordings; one that cannot go on is over for the far end too.
    pub(super) fn tell_recordings(&mut self) {
        while let Some(news) = self.studio.poll_recording() {
            match news {
                RecordingNews::Kept(path) => self.pass_on(Event::Recorded(path)),
                RecordingNews::Failed { path, why } => {
                    self.ask(ClientCommand::Person(Command::StopRecording));
                    self.pass_on(Event::Notice(Notice::RecordingStopped { path, why }));
                }
            }
        }
    }

    /// In the folder for videos; without a window, beside everything else.
    fn recording_path(&self, name: &str) -> PathBuf {
        let data_dir = &self.config.data_dir;
        let folder =
            if self.config.window { settings::recordings(data_dir) } else { data_dir.join("recordings") };
        // A name has no folders in it, and the time no colon: Windows allows none.
        let time = jiff::Zoned::now().strftime("%Y-%m-%d %H-%M").to_string();
        folder.join(file_name::safe(&format!("{} {time}.mp4", file_name::safe(name))))
    }
}
