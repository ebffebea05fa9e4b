//! Carries out what the screens ask for.

use egui::{Context, OpenUrl, ViewportCommand};

use super::App;
use crate::call::random_id::RandomId;
use crate::call::{Command, PeerId};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::screen::Beside;
use crate::ui::screens::conversation::{self, PathFor};
use crate::ui::screens::crash_report::CrashChoice;
use crate::ui::screens::welcome::WelcomeInputs;
use crate::ui::theme;
use crate::ui::words::{word, word_with};

impl App {
    pub(super) fn carry_out(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Ask(command) => self.ask(ctx, command),
            Action::AskAll(commands) => commands.into_iter().for_each(|command| self.ask(ctx, command)),
            Action::FinishWelcome { name, server } => {
                self.checking = false;
                // What did not change is not asked for: a name told again would connect again.
                if server != self.view.own.server_url {
                    self.ask(ctx, Command::SetServer(server));
                }
                if name != self.view.own.name {
                    self.ask(ctx, Command::SetName(name));
                }
            }
            Action::CheckDevices => {
                self.welcome = WelcomeInputs::again(&self.view);
                self.checking = true;
            }
            Action::OpenConversation(peer) => self.open_conversation(ctx, peer),
            Action::OpenSettings => {
                self.leave();
                self.settings = None;
                self.beside = Beside::Settings;
            }
            Action::Back => {
                self.leave();
                self.beside = Beside::Start;
            }
            Action::CopyPeerId => {
                if let Some(id) = self.view.own.peer_id {
                    ctx.copy_text(id.to_string());
                    self.home.copied_until = ctx.input(|input| input.time) + COPIED_FOR;
                    ctx.request_repaint_after_secs(COPIED_FOR as f32);
                }
            }
            Action::SetTheme(theme) => {
                self.theme = theme;
                theme::choose(ctx, theme);
                self.ask(ctx, Command::Set(Setting::Theme(theme)));
            }
            Action::ToggleFullScreen => self.toggle_full_screen(ctx),
            Action::LeaveCallScreen => {
                if self.full_screen {
                    self.toggle_full_screen(ctx);
                }
                self.pip.enter();
            }
            Action::ReturnToCall => self.pip.leave(),
            Action::Snapshot => self.keep_snapshot(ctx),
            Action::CopyText(text) => {
                ctx.copy_text(text);
                self.toasts.add(word("notice.copied").to_owned(), ctx.input(|input| input.time));
            }
            Action::OpenUrl(url) => ctx.open_url(OpenUrl::new_tab(url)),
            Action::AskAbout(link) => {
                self.home.ask_about(link);
                if ctx.content_rect().width() < theme::NARROW {
                    self.leave();
                    self.beside = Beside::Start;
                }
            }
            Action::ChooseFiles(peer) => self.choose(ctx, PathFor::Sending, peer),
            Action::ChooseExport(peer) => self.choose(ctx, PathFor::Exporting, peer),
            Action::RemoveContact { peer, name } => {
                self.ask(ctx, Command::RemoveContact(peer));
                let undo = Action::Ask(Command::RestoreContact(peer));
                let text = word_with("notice.removed", &[("name", &name)]);
                self.toasts.add_with(text, word("notice.undo"), undo, ctx.input(|input| input.time));
            }
            Action::DeleteLine { peer, line } => {
                let done = Action::Ask(Command::DeleteLine { peer, line });
                let text = word("notice.deleted").to_owned();
                self.toasts.add_before(text, word("notice.undo"), done, ctx.input(|input| input.time));
            }
            Action::OpenFile(path) => self.open_file(ctx, &path),
            Action::ShowInFolder(path) => self.open_place(ctx, path.parent().unwrap_or(&path)),
            Action::BlockCaller(peer) => {
                self.ask(ctx, Command::Decline);
                self.ask(ctx, Command::SetBlocked { peer, blocked: true });
            }
            Action::Crash(choice) => self.on_crash_choice(ctx, choice),
            Action::WriteAfterCall(peer) => {
                self.open_conversation(ctx, peer);
                self.ask(ctx, Command::Dismiss);
            }
        }
        ctx.request_repaint();
    }

    pub(super) fn ask(&mut self, ctx: &Context, command: Command) {
        if !self.client.try_command(command) {
            let now = ctx.input(|input| input.time);
            self.toasts.add(word("notice.busy").to_owned(), now);
        }
    }

    /// Whoever opens a conversation can write at once.
    fn open_conversation(&mut self, ctx: &Context, peer: PeerId) {
        if self.beside != Beside::Conversation(peer) {
            self.leave();
        }
        self.beside = Beside::Conversation(peer);
        ctx.memory_mut(|memory| memory.request_focus(conversation::field_of(peer)));
    }

    /// What is on screen is left: what was new in it is old when one comes back.
    fn leave(&mut self) {
        if let Beside::Conversation(peer) = self.beside
            && let Some(writing) = self.writings.get_mut(&peer)
        {
            writing.left();
        }
    }

    /// The lines that are deleted unless it is taken back.
    pub(super) fn going(&self, peer: PeerId) -> Vec<RandomId> {
        let waiting = self.toasts.waiting().filter_map(|action| match action {
            Action::Ask(Command::DeleteLine { peer: with, line }) if *with == peer => Some(*line),
            _ => None,
        });
        waiting.collect()
    }

    pub(super) fn toggle_full_screen(&mut self, ctx: &Context) {
        self.full_screen = !self.full_screen;
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(self.full_screen));
    }

    fn keep_snapshot(&mut self, ctx: &Context) {
        let name = match &self.view.call {
            crate::call::view::CallState::Up(call) => call.far.name.clone(),
            _ => return,
        };
        // Of the two, the one that fills the screen.
        let Some(picture) = self.far_screen.latest().or_else(|| self.far_picture.latest()) else { return };
        let again = ctx.clone();
        if !self.snapshots.keep(picture, &name, &self.zone, move || again.request_repaint()) {
            let now = ctx.input(|input| input.time);
            self.toasts.add(word("notice.busy").to_owned(), now);
        }
    }

    fn on_crash_choice(&mut self, ctx: &Context, choice: CrashChoice) {
        let Some(crash) = &mut self.crash else { return };
        match choice {
            CrashChoice::Read => crash.reading = true,
            CrashChoice::Copy => {
                ctx.copy_text(crash.text.clone());
                let now = ctx.input(|input| input.time);
                self.toasts.add(word("call.copied").to_owned(), now);
            }
            CrashChoice::Delete => {
                let path = crash.path.clone();
                // The disk may be slow; the window does not wait for it.
                let deleting =
                    std::thread::Builder::new().name("delete-report".to_owned()).spawn(move || {
                        if let Err(error) = std::fs::remove_file(&path) {
                            tracing::warn!(%error, "the crash report could not be deleted");
                        }
                    });
                if let Err(error) = deleting {
                    tracing::warn!(%error, "no thread to delete the crash report");
                }
                self.crash = None;
            }
            CrashChoice::Close => self.crash = None,
        }
    }
}

/// How long "Copied" shows, in seconds.
const COPIED_FOR: f64 = 2.0;
