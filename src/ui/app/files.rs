//! Files that are chosen, opened and shown, with the system's own dialog and programs.

use std::path::{Path, PathBuf};

use egui::Context;

use super::App;
use crate::call::{Command, PeerId};
use crate::ui::file_dialog::{Answer, Asking, FileDialog};
use crate::ui::screens::conversation::file_line::is_program;
use crate::ui::screens::conversation::{self, PathFor};
use crate::ui::words::{word, word_with};

impl App {
    /// Asks for files or a place with the system's dialog. One at a time: a second would lie over the first.
    pub(super) fn choose(&mut self, ctx: &Context, what_for: PathFor, peer: PeerId) {
        if self.asking.is_some() {
            return;
        }
        let (title, asking) = match what_for {
            PathFor::Sending => (word("file.title"), Asking::ToOpen),
            PathFor::Exporting => (word("chat.export"), Asking::ToSave(word("chat.export_name").to_owned())),
        };
        let (now, waker) = (ctx.input(|input| input.time), ctx.clone());
        let dialog = FileDialog::open(title, asking, now, move || waker.request_repaint());
        self.asking = Some((what_for, peer, dialog));
    }

    pub(super) fn take_files(&mut self, ctx: &Context) {
        let Some((what_for, peer, dialog)) = &self.asking else { return };
        let (what_for, peer) = (*what_for, *peer);
        let Some(answer) = dialog.answer(ctx.input(|input| input.time)) else { return };
        self.asking = None;
        match answer {
            Answer::Chosen(files) => {
                for path in files {
                    self.ask(
                        ctx,
                        match what_for {
                            PathFor::Sending => Command::OfferFile { to: peer, path },
                            PathFor::Exporting => Command::ExportHistory(path),
                        },
                    );
                }
            }
            Answer::Nothing => {}
            Answer::NoDialog => {
                let suggested = match what_for {
                    PathFor::Sending => PathBuf::new(),
                    PathFor::Exporting => {
                        std::env::home_dir().unwrap_or_default().join(word("chat.export_name"))
                    }
                };
                let writing = self.writings.entry(peer).or_default();
                writing.ask_for_path(what_for, suggested.display().to_string());
                let field = conversation::path_field_of(conversation::field_of(peer));
                ctx.memory_mut(|memory| memory.request_focus(field));
            }
        }
    }

    /// Opens a received file, unless it would run.
    pub(super) fn open_file(&mut self, ctx: &Context, path: &Path) {
        if is_program(path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = word_with("file.refused", &[("name", &name)]);
            self.toasts.add(text, ctx.input(|input| input.time));
            return;
        }
        self.open_place(ctx, path);
    }

    pub(super) fn open_place(&mut self, ctx: &Context, path: &Path) {
        if let Err(problem) = open::that_detached(path) {
            let name = path.display().to_string();
            let text = word_with("file.not_opened", &[("name", &name), ("why", &problem.to_string())]);
            self.toasts.add(text, ctx.input(|input| input.time));
        }
    }
}
