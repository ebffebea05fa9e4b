//! What happened once: shown as a notice, told to the desktop, or both.

use egui::{Context, UserAttentionType, ViewportCommand};

use super::App;
use crate::call::event::Notice;
use crate::call::view::CallState;
use crate::call::{Command, Event, PeerId};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::desktop::{Notification, Told};
use crate::ui::screen::{Beside, Screen, screen_of};
use crate::ui::words::{notice_words, word, word_with};

impl App {
    pub(super) fn on_event(&mut self, ctx: &Context, event: Event) {
        let now = ctx.input(|input| input.time);
        match event {
            Event::Ringing { name, silently, .. } => {
                if !silently {
                    self.come_forward(ctx);
                    ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Critical));
                }
                self.notify(ctx, Notification::Ringing { name });
            }
            Event::SecondRinging { name, silently, .. } => {
                if !silently {
                    ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Critical));
                }
                self.notify(ctx, Notification::SecondRinging { name });
            }
            Event::Missed { peer, name } => self.notify(ctx, Notification::Missed { peer, name }),
            Event::Up { .. } => {
                self.in_call = self.in_call.for_next_call();
                self.pip.leave();
            }
            Event::Ended { .. } => {
                self.far_picture.clear();
                if self.full_screen {
                    self.toggle_full_screen(ctx);
                }
            }
            Event::TextReceived { peer, name, text } => {
                if !self.on_screen(peer) {
                    let text: String = text.chars().take(LONGEST_NOTICE).collect();
                    let words = word_with("notice.message", &[("name", &name), ("text", &text)]);
                    self.toasts.add(words, now);
                    self.notify(ctx, Notification::Message { peer, name, text });
                }
                if !ctx.input(|input| input.focused) {
                    ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(
                        UserAttentionType::Informational,
                    ));
                }
            }
            Event::FileOffered { peer, name, file } => {
                self.notify(ctx, Notification::File { peer, name, file });
            }
            Event::FarRecords { name, on, .. } => {
                let key = if on { "recording.far_began" } else { "recording.far_ended" };
                self.toasts.add(word_with(key, &[("name", &name)]), now);
            }
            Event::WayChanged { relayed, .. } => {
                self.toasts
                    .add(word(if relayed { "call.now_relayed" } else { "call.now_direct" }).to_owned(), now);
            }
            Event::Recorded(path) => {
                let words = word_with("recording.kept", &[("path", &path.display().to_string())]);
                self.toasts.add_with(words, word("snapshot.show"), Action::ShowInFolder(path), now);
            }
            Event::Notice(Notice::NewerVersion(newer)) => {
                let words = word_with("notice.newer", &[("version", &newer.version)]);
                self.toasts.add_with(words, word("notice.newer_page"), Action::OpenUrl(newer.page), now);
            }
            Event::Notice(notice) => self.toasts.add(notice_words(&notice), now),
            // Both show in the view.
            Event::RingingThere | Event::Connected => {}
        }
    }

    /// What the desktop told: an answer on a notification, a choice in the tray's menu.
    pub(super) fn take_desktop(&mut self, ctx: &Context) {
        let in_call = matches!(self.view.call, CallState::Up(_) | CallState::Outgoing { .. });
        self.desktop.keep_awake(in_call);
        if !matches!(self.view.call, CallState::Incoming { .. }) && self.view.second.is_none() {
            self.desktop.nobody_rings();
        }
        self.desktop.show_state(self.view.settings.do_not_disturb, &self.view.own.name);
        while let Some(told) = self.desktop.poll() {
            match told {
                Told::Accept => {
                    self.come_forward(ctx);
                    if matches!(self.view.call, CallState::Incoming { .. }) {
                        self.ask(ctx, Command::Accept { with_video: true });
                    }
                }
                Told::Decline => match (&self.view.call, &self.view.second) {
                    (CallState::Incoming { .. }, _) => self.ask(ctx, Command::Decline),
                    (_, Some(_)) => self.ask(ctx, Command::DeclineSecond(None)),
                    _ => {}
                },
                Told::OpenConversation(peer) => {
                    self.come_forward(ctx);
                    self.carry_out(ctx, Action::OpenConversation(peer));
                }
                Told::Open => self.come_forward(ctx),
                Told::ToggleDoNotDisturb => {
                    let wanted = !self.view.settings.do_not_disturb;
                    self.ask(ctx, Command::Set(Setting::DoNotDisturb(wanted)));
                }
                Told::Quit => self.quit(ctx),
            }
        }
    }

    /// A link that was opened elsewhere: it is asked about in the list. Where the list is not in sight, a word says so, and
    /// whatever is on screen stays.
    pub(super) fn take_link(&mut self, ctx: &Context) {
        let Some(link) = self.attention.take_link() else { return };
        let list_shows = self.pip.is_on() || matches!(self.view.call, CallState::None);
        let list_shows = list_shows && screen_of(&self.view) != Screen::Welcome && !self.checking;
        if list_shows {
            self.carry_out(ctx, Action::AskAbout(link));
        } else {
            self.home.ask_about(link);
            self.toasts.add(word("notice.link_waits").to_owned(), ctx.input(|input| input.time));
        }
    }

    /// What became of pictures that were to be kept.
    pub(super) fn take_snapshots(&mut self, ctx: &Context) {
        let now = ctx.input(|input| input.time);
        match self.snapshots.finished() {
            Some(Ok(path)) => {
                let words = word_with("snapshot.kept", &[("path", &path.display().to_string())]);
                self.toasts.add_with(words, word("snapshot.show"), Action::ShowInFolder(path), now);
            }
            Some(Err(why)) => self.toasts.add(word_with("snapshot.not_kept", &[("why", &why)]), now),
            None => {}
        }
    }

    /// The window comes to the front, also when it was hidden.
    pub(super) fn come_forward(&self, ctx: &Context) {
        ctx.send_viewport_cmd(ViewportCommand::Visible(true));
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
    }

    /// Who looks at the window needs no notification beside it; who does not want to be disturbed gets none.
    fn notify(&self, ctx: &Context, notification: Notification) {
        let quiet = self.view.settings.do_not_disturb && !matches!(notification, Notification::Missed { .. });
        if !ctx.input(|input| input.focused) && !quiet {
            self.desktop.notify(notification);
        }
    }

    /// Whether what this peer writes is seen as it comes.
    pub(super) fn on_screen(&self, peer: PeerId) -> bool {
        match &self.view.call {
            CallState::Up(call) if !self.pip.is_on() => {
                self.in_call.chat_open && call.far.peer_id == Some(peer)
            }
            CallState::Up(_) | CallState::None => self.beside == Beside::Conversation(peer),
            _ => false,
        }
    }

    pub(super) fn mark_read(&self, ctx: &Context) {
        let unread = self.view.conversations.iter().filter(|conversation| conversation.unread > 0);
        for conversation in unread {
            if self.on_screen(conversation.peer_id) && ctx.input(|input| input.focused) {
                // Refused is as good as not yet: it is tried again with the next frame.
                self.client.try_command(Command::MarkRead(conversation.peer_id));
            }
        }
    }
}

/// Characters of a message in a notice.
const LONGEST_NOTICE: usize = 120;
