//! What others see of us: name, state, server, and how one is called, as text and as a picture for a telephone.

use egui::{
    Align, Key, Label, Layout, Modifiers, Popup, PopupCloseBehavior, Rect, RichText, Role, Sense, Stroke,
    StrokeKind, Ui, UiBuilder, WidgetInfo, vec2,
};

use super::HomeInputs;
use crate::call::view::{OwnCard, Reach, ServerState};
use crate::call::{ClientView, Command};
use crate::settings::setting::Setting;
use crate::settings::{Settings, Visibility};
use crate::ui::action::Action;
use crate::ui::parts::avatar::{Dot, paint_avatar};
use crate::ui::parts::button::{Kind, button, focus_ring, icon_button};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::menu::{button_menu, choice_item};
use crate::ui::parts::qr::Qr;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Width of the QR code, in points.
const CODE: f32 = 252.0;

/// What the person lets others see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    Online,
    DoNotDisturb,
    Hidden,
}

impl Standing {
    fn of(settings: &Settings) -> Self {
        if settings.do_not_disturb {
            Self::DoNotDisturb
        } else if settings.visibility == Visibility::Nobody {
            Self::Hidden
        } else {
            Self::Online
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Online => word("own.be_online"),
            Self::DoNotDisturb => word("own.be_busy"),
            Self::Hidden => word("own.be_hidden"),
        }
    }

    /// What must be changed to get there. Who may see one in the list stays as it was chosen, unless nobody may.
    fn changes(self, settings: &Settings) -> Vec<Command> {
        let busy = self == Self::DoNotDisturb;
        let mut changes = Vec::new();
        if settings.do_not_disturb != busy {
            changes.push(Command::Set(Setting::DoNotDisturb(busy)));
        }
        let hidden = settings.visibility == Visibility::Nobody;
        if hidden != (self == Self::Hidden) {
            let visibility = if hidden { Visibility::Everyone } else { Visibility::Nobody };
            changes.push(Command::Set(Setting::Visibility(visibility)));
        }
        changes
    }
}

pub(super) fn own_card_ui(
    ui: &mut Ui,
    view: &ClientView,
    inputs: &mut HomeInputs,
    action: &mut Option<Action>,
) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, Icon::Settings, word("own.settings")).clicked() {
                *action = Some(Action::OpenSettings);
            }
            let who = who_ui(ui, view);
            let chosen = button_menu(&who, |ui| {
                let now = Standing::of(&view.settings);
                let mut chosen = None;
                for standing in [Standing::Online, Standing::DoNotDisturb, Standing::Hidden] {
                    if choice_item(ui, standing == now, standing.words()) {
                        chosen = Some(standing);
                    }
                }
                chosen
            });
            if let Some(standing) = chosen.flatten() {
                let changes = standing.changes(&view.settings);
                *action = (!changes.is_empty()).then_some(Action::AskAll(changes));
            }
        });
    });
    ui.add_space(if ui.max_rect().height() < 560.0 { 8.0 } else { 12.0 });
    id_ui(ui, &view.own, inputs, action);
}

/// Avatar, name and state; a click on them changes the state.
fn who_ui(ui: &mut Ui, view: &ClientView) -> egui::Response {
    let palette = palette(ui);
    let own = &view.own;
    let standing = Standing::of(&view.settings);
    let (words, dot) = server_words(own, standing);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(
            Role::Button,
            true,
            word_with("own.state", &[("name", &own.name), ("state", &words)]),
        )
    });
    if response.hovered() {
        ui.painter().rect_filled(rect.expand(4.0), theme::RADIUS, palette.raised);
    }
    focus_ring(ui, &response, rect.expand(2.0), f32::from(theme::RADIUS));
    let avatar = Rect::from_min_size(rect.min, vec2(40.0, 40.0));
    paint_avatar(ui, avatar, &own.name, dot);
    let text = Rect::from_min_max(avatar.right_top() + vec2(10.0, 2.0), rect.right_bottom());
    let mut child = ui.new_child(UiBuilder::new().max_rect(text).layout(Layout::top_down(Align::Min)));
    child.spacing_mut().item_spacing.y = 3.0;
    child.spacing_mut().interact_size.y = 0.0;
    child.add(Label::new(RichText::new(&own.name).font(theme::strong(theme::BODY))).truncate());
    child.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let room = ui.available_width() - 16.0;
        let small = RichText::new(words).font(theme::font(theme::SMALL)).color(palette.dim);
        ui.scope(|ui| {
            ui.set_max_width(room);
            ui.add(Label::new(small).truncate());
        });
        let (arrow, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
        paint_icon(ui.painter(), Icon::Down, arrow, palette.dim);
    });
    response.on_hover_text(word("own.change_state"))
}

/// The server as people name it, in their language.
fn server_name(own: &OwnCard) -> &str {
    if own.server.is_empty() { word("own.server_built_in") } else { &own.server }
}

fn server_words(own: &OwnCard, standing: Standing) -> (String, Dot) {
    let server = server_name(own);
    match &own.server_state {
        ServerState::Off => (word("own.off").to_owned(), Dot::Offline),
        // A hint, not a verdict: nothing is asked of the person yet.
        ServerState::Connecting if own.reach == Reach::NoAnswerYet => {
            (word("own.no_answer_yet").to_owned(), Dot::Between)
        }
        ServerState::Connecting => (word_with("own.connecting", &[("server", server)]), Dot::Between),
        ServerState::Connected => {
            let dot = match standing {
                Standing::Online => Dot::Online,
                Standing::DoNotDisturb => Dot::DoNotDisturb,
                Standing::Hidden => Dot::Offline,
            };
            (word_with("own.there", &[("state", standing.words()), ("server", server)]), dot)
        }
        ServerState::NameRefused(_) => (word("own.refused").to_owned(), Dot::Offline),
        ServerState::Unreachable { retry_in } | ServerState::OtherKeys { retry_in } if retry_in.is_zero() => {
            (word("own.trying").to_owned(), Dot::Between)
        }
        ServerState::Unreachable { retry_in } | ServerState::OtherKeys { retry_in } => {
            let seconds = retry_in.as_secs().to_string();
            (word_with("own.unreachable", &[("seconds", &seconds)]), Dot::Offline)
        }
    }
}

/// The peer ID with a button to copy it, and one for the link and its code.
fn id_ui(ui: &mut Ui, own: &OwnCard, inputs: &mut HomeInputs, action: &mut Option<Action>) {
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 38.0), Sense::hover());
    ui.painter().rect(rect, theme::RADIUS, palette.bg, Stroke::new(1.0, palette.line), StrokeKind::Inside);
    let row = rect.shrink2(vec2(11.0, 0.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(row).layout(Layout::left_to_right(Align::Center)));
    let ui = &mut child;
    let Some(id) = own.peer_id else {
        ui.label(RichText::new(word("own.no_id")).font(theme::font(theme::SMALL)).color(palette.faint));
        return;
    };
    ui.label(RichText::new(id.short()).font(theme::mono(theme::SMALL)).color(palette.text))
        .on_hover_text(id.to_string());
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let code = icon_button(ui, Icon::Qr, word("own.link"));
        link_card_ui(ui, &code, own, inputs, action);
        let copied = ui.input(|input| input.time) < inputs.copied_until;
        let icon = if copied { Icon::Tick } else { Icon::Copy };
        if icon_button(ui, icon, word("own.copy")).clicked() {
            *action = Some(Action::CopyPeerId);
        }
        if copied {
            ui.label(RichText::new(word("own.copied")).font(theme::font(theme::SMALL)).color(palette.dim));
        }
    });
}

/// The small card with the link: as a code, as text, and a button to copy it.
fn link_card_ui(
    ui: &Ui,
    button_of_it: &egui::Response,
    own: &OwnCard,
    inputs: &mut HomeInputs,
    action: &mut Option<Action>,
) {
    let palette = palette(ui);
    let width = (ui.ctx().content_rect().width() - 48.0).min(272.0);
    let card = Popup::menu(button_of_it).layout(Layout::top_down(Align::Min));
    card.close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 8.0;
        let small = |text: &str| RichText::new(text).font(theme::font(theme::SMALL)).color(palette.dim);
        if own.link.is_empty() {
            ui.add(Label::new(small(word("own.no_link"))).wrap());
            return;
        }
        ui.add(Label::new(small(word("own.link_text"))).wrap());
        if inputs.qr.as_ref().is_none_or(|qr| !qr.is_for(&own.link)) {
            inputs.qr = Qr::new(ui.ctx(), &own.link);
        }
        ui.vertical_centered(|ui| {
            if let Some(qr) = &inputs.qr {
                qr.show(ui, CODE.min(width), word("own.code"));
            }
        });
        let link = RichText::new(&own.link).font(theme::mono(theme::TINY)).color(palette.text);
        ui.add(Label::new(link).truncate().selectable(true));
        ui.vertical_centered(|ui| {
            if button(ui, Kind::Primary, Some(Icon::Copy), word("own.copy_link")).clicked() {
                *action = Some(Action::CopyText(own.link.clone()));
                Popup::close_all(ui.ctx());
            }
        });
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            Popup::close_all(ui.ctx());
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_try_under_way_counts_no_seconds() {
        let words = |seconds| {
            let server_state = ServerState::Unreachable { retry_in: Duration::from_secs(seconds) };
            server_words(&OwnCard { server_state, ..OwnCard::default() }, Standing::Online).0
        };
        assert_eq!(words(0), word("own.trying"));
        assert_eq!(words(3), word_with("own.unreachable", &[("seconds", "3")]));
    }

    #[test]
    fn the_built_in_server_has_no_name_but_what_each_language_calls_it() {
        let words = |server: &str| {
            let own = OwnCard {
                server_state: ServerState::Connecting,
                server: server.into(),
                ..OwnCard::default()
            };
            server_words(&own, Standing::Online).0
        };
        assert_eq!(words(""), word_with("own.connecting", &[("server", word("own.server_built_in"))]));
        assert_eq!(words("example.org"), word_with("own.connecting", &[("server", "example.org")]));
    }

    #[test]
    fn being_hidden_and_back_changes_only_what_it_must() {
        let settings = Settings::default();
        assert_eq!(
            Standing::Hidden.changes(&settings),
            [Command::Set(Setting::Visibility(Visibility::Nobody))]
        );
        let known = Settings { visibility: Visibility::Known, do_not_disturb: true, ..Settings::default() };
        assert_eq!(Standing::Online.changes(&known), [Command::Set(Setting::DoNotDisturb(false))]);
        assert_eq!(Standing::of(&known), Standing::DoNotDisturb);
    }
}
