//! Closing the window: it ends the program, or hides it when the person chose to stay reachable. A call is asked about.

use egui::{Align, Context, Key, Label, Modifiers, RichText, Ui, ViewportCommand};

use super::App;
use crate::call::Command;
use crate::call::view::CallState;
use crate::ui::action::Action;
use crate::ui::desktop::Notification;
use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::word;

/// How far closing got.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// A call is up, and the person is asked.
    asking: bool,
    /// The program ends: said in the tray's menu, or with nothing to stay for.
    quitting: bool,
    /// It was said once that the program goes on without a window.
    said: bool,
    /// The window is not to be seen at the start; its first picture opens it, whatever was asked for.
    starts_hidden: bool,
}

impl Closing {
    /// Whether the person is asked what becomes of the call.
    pub(super) fn is_asking(&self) -> bool {
        self.asking
    }

    /// The window is not to be seen at the start.
    pub(super) fn start_hidden(&mut self) {
        self.starts_hidden = true;
    }
}

impl App {
    /// Looks whether the window is to be closed, and keeps it when that would take more than a window away.
    pub(super) fn on_close_request(&mut self, ctx: &Context) {
        if !ctx.input(|input| input.viewport().close_requested()) {
            return;
        }
        if matches!(self.view.call, CallState::Up(_)) && !self.closing.quitting {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.closing.asking = true;
            self.come_forward(ctx);
            ctx.request_repaint();
        } else if self.view.settings.stay_when_closed && !self.closing.quitting {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.hide(ctx);
        }
    }

    /// Asks what becomes of the call.
    pub(super) fn closing_ui(&mut self, ui: &mut Ui) {
        if !self.closing.asking {
            return;
        }
        if !matches!(self.view.call, CallState::Up(_)) {
            self.closing.asking = false;
            return;
        }
        let mut end = false;
        card_ui(ui, "closing", 440.0, |ui| {
            let centred = |text: RichText| Label::new(text).wrap().halign(Align::Center);
            ui.add(centred(RichText::new(word("closing.title")).font(theme::strong(20.0))));
            ui.add(centred(RichText::new(word("closing.what")).color(palette(ui).dim)));
            ui.add_space(16.0);
            centred_row(ui, "closing buttons", 12.0, |ui| {
                if button_sized(ui, Kind::Plain, None, word("closing.stay"), 44.0, 16.0).clicked() {
                    self.closing.asking = false;
                }
                let label = word("closing.end");
                end = button_sized(ui, Kind::End, Some(Icon::HangUp), label, 44.0, 16.0).clicked();
            });
        });
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.closing.asking = false;
        }
        if end {
            self.closing.asking = false;
            self.ask(ui.ctx(), Command::HangUp);
            if self.view.settings.stay_when_closed {
                self.hide(ui.ctx());
            } else {
                self.quit(ui.ctx());
            }
        }
    }

    /// Ends the program, or asks first when a call is up.
    pub(super) fn ask_to_quit(&mut self, ctx: &Context) {
        if matches!(self.view.call, CallState::Up(_)) {
            self.closing.asking = true;
            ctx.request_repaint();
        } else {
            self.quit(ctx);
        }
    }

    /// Ends the program, whatever the settings say about the window.
    pub(super) fn quit(&mut self, ctx: &Context) {
        self.closing.quitting = true;
        ctx.send_viewport_cmd(ViewportCommand::Close);
        ctx.request_repaint();
    }

    /// Takes back that the window was opened by its first picture, unless there is something to see by now.
    pub(super) fn stay_hidden(&mut self, ctx: &Context) {
        if std::mem::take(&mut self.closing.starts_hidden) && matches!(self.view.call, CallState::None) {
            ctx.send_viewport_cmd(hiding());
        }
    }

    /// Does what was to be done once nobody could undo it any more: after this there is no window.
    pub fn finish(&mut self) {
        for action in self.toasts.end_all() {
            if let Action::Ask(command) = action
                && !self.client.try_command(command)
            {
                tracing::warn!("too much was asked for at once: something is left as it was");
            }
        }
    }

    fn hide(&mut self, ctx: &Context) {
        ctx.send_viewport_cmd(hiding());
        if !self.desktop.has_tray() && !self.closing.said {
            // Without an icon nothing shows that the program goes on: said once, with the way back.
            self.closing.said = true;
            self.desktop.notify(Notification::StillHere);
        }
    }
}

fn hiding() -> ViewportCommand {
    // On Windows a hidden window cannot be brought back; a minimised one can.
    if cfg!(windows) { ViewportCommand::Minimized(true) } else { ViewportCommand::Visible(false) }
}
