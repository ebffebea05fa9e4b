//! What was written and called with one person, and the field to write more.

use egui::{Align, CentralPanel, Frame, Id, Key, Label, Layout, Margin, Modifiers, Panel, RichText, Ui};

use crate::call::view::Conversation;
use crate::call::{Command, PeerId};
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::avatar::{Dot, avatar_ui};
use crate::ui::parts::button::{Kind, button, icon_button};
use crate::ui::parts::chat::{chat_lines_ui, compose_ui};
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// With whom.
    pub peer_id: PeerId,
    /// Under which name.
    pub name: &'a str,
    /// What there is so far; `None` before the first line.
    pub conversation: Option<&'a Conversation>,
    /// They are on this server.
    pub online: bool,
    /// There is no list beside it: it needs a way back.
    pub narrow: bool,
}

/// Draws it into the room that is left.
pub fn conversation_ui(ui: &mut Ui, shown: &Shown<'_>, draft: &mut String, clock: &Clock) -> Option<Action> {
    let palette = palette(ui);
    let id = id_of(shown.peer_id);
    let sides = if shown.narrow { 12 } else { 20 };
    let mut action = None;
    Panel::top("conversation head")
        .exact_size(theme::HEAD_HEIGHT)
        .resizable(false)
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0)))
        .show(ui, |ui| head_ui(ui, shown, &mut action));
    Panel::bottom("conversation field")
        .resizable(false)
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 14)))
        .show(ui, |ui| {
            if let Some(text) = compose_ui(ui, field_of(shown.peer_id), draft, shown.name) {
                action = Some(Action::Ask(Command::SendText { to: shown.peer_id, text }));
            }
        });
    CentralPanel::no_frame()
        .frame(Frame::new().fill(palette.bg).inner_margin(Margin::symmetric(sides, 0)))
        .show(ui, |ui| {
            let lines = shown.conversation.map_or(&[][..], |conversation| &conversation.lines);
            chat_lines_ui(ui, id.with("lines"), lines, word("chat.empty"), clock);
        });
    let (audio, video) = ui.input_mut(|input| {
        let both = Modifiers::COMMAND | Modifiers::SHIFT;
        (input.consume_key(both, Key::C), input.consume_key(both, Key::X))
    });
    if audio || video {
        action = Some(call(shown.peer_id, video));
    }
    action
}

fn head_ui(ui: &mut Ui, shown: &Shown<'_>, action: &mut Option<Action>) {
    let palette = palette(ui);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        if shown.narrow && icon_button(ui, Icon::Back, word("home.back")).clicked() {
            *action = Some(Action::Back);
        }
        avatar_ui(ui, shown.name, 40.0, if shown.online { Dot::Online } else { Dot::Offline });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if button(ui, Kind::Primary, Some(Icon::Camera), word("chat.video")).clicked() {
                *action = Some(call(shown.peer_id, true));
            }
            if !shown.narrow {
                if button(ui, Kind::Plain, Some(Icon::Phone), word("chat.audio")).clicked() {
                    *action = Some(call(shown.peer_id, false));
                }
            } else if icon_button(ui, Icon::Phone, word("chat.audio")).clicked() {
                *action = Some(call(shown.peer_id, false));
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.add_space(13.0);
                ui.add(Label::new(RichText::new(shown.name).font(theme::strong(theme::HEAD))).truncate());
                let presence = if shown.online { word("home.online") } else { word("home.offline") };
                let id = shown.peer_id.short();
                let words = word_with("home.presence", &[("presence", presence), ("id", &id)]);
                let text = RichText::new(words);
                ui.add(Label::new(text.font(theme::font(theme::SMALL)).color(palette.dim)).truncate());
            });
        });
    });
}

/// The field to write to somebody, for who opens the conversation to put the cursor there.
pub fn field_of(peer: PeerId) -> Id {
    id_of(peer).with("field")
}

fn id_of(peer: PeerId) -> Id {
    Id::unique(("conversation", peer.0))
}

fn call(peer: PeerId, with_video: bool) -> Action {
    Action::Ask(Command::Call { whom: peer.to_string(), with_video })
}
