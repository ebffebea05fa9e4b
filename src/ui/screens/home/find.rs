//! The field that takes a name, a peer ID or a link. It filters the list while one types, says at once what is wrong, and
//! asks before a stranger is called.

use egui::{
    Align, Frame, Id, Key, Label, Layout, Margin, Modifiers, Rect, RichText, Stroke, Ui, UiBuilder, vec2,
};

use super::HomeInputs;
use crate::call::link::Link;
use crate::call::{ClientView, Command, PeerId};
use crate::ui::action::Action;
use crate::ui::parts::avatar::{Dot, paint_avatar};
use crate::ui::parts::button::{Kind, button_sized, button_width};
use crate::ui::parts::field::field_ui;
use crate::ui::parts::typed::whom_problem;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What somebody is to be called here, while it is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Naming {
    peer: Option<PeerId>,
    name: String,
}

/// Who a link or a peer ID leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Target {
    peer: PeerId,
    name: Option<String>,
    server: Option<String>,
    contact: bool,
}

impl Target {
    fn of(text: &str, view: &ClientView) -> Option<Self> {
        let text = text.trim();
        let (peer, hint, server) = match text.parse::<PeerId>() {
            Ok(peer) => (peer, None, None),
            Err(_) => {
                let link = Link::parse(text).ok()?;
                (link.peer, link.name, link.server)
            }
        };
        let contact = view.contacts.iter().find(|contact| contact.peer_id == peer);
        let talk = view.conversations.iter().find(|talk| talk.peer_id == peer);
        let person = view.people.iter().find(|person| person.peer_id == peer);
        let nearby = view.nearby.iter().find(|person| person.peer_id == peer);
        let name = contact
            .map(|contact| contact.name.clone())
            .or(talk.map(|talk| talk.name.clone()))
            .or(person.map(|person| person.name.clone()))
            .or(nearby.map(|person| person.name.clone()))
            .or(hint)
            .map(|name| name.chars().take(MOST_OF_A_NAME).collect());
        let server = server.or(contact.and_then(|contact| contact.server.clone()));
        Some(Self { peer, name, server, contact: contact.is_some() })
    }
}

/// A name longer than this is cut: a link may hold anything.
const MOST_OF_A_NAME: usize = 32;

/// What the list is filtered by: nothing while the text is a link or a peer ID.
pub(super) fn needle(text: &str) -> String {
    let text = text.trim();
    if Link::looks_like_one(text) || text.parse::<PeerId>().is_ok() {
        String::new()
    } else {
        text.to_lowercase()
    }
}

pub(super) fn find_ui(ui: &mut Ui, view: &ClientView, inputs: &mut HomeInputs, action: &mut Option<Action>) {
    let field = Id::unique("whom");
    if std::mem::take(&mut inputs.focus_field) {
        ui.memory_mut(|memory| memory.request_focus(field));
    }
    let mut wanted = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let width = ui.available_width() - 10.0 - button_width(ui, word("home.call"), 12.0);
        let label = word("home.whom");
        let typed = field_ui(ui, field, &mut inputs.whom, label, label, width);
        wanted |= typed.entered;
        let button = button_sized(ui, Kind::Primary, None, word("home.call"), theme::FIELD_HEIGHT, 12.0);
        wanted |= button.clicked();
        let focused = typed.response.has_focus() || typed.response.lost_focus();
        if focused && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            inputs.whom.clear();
            inputs.adding = false;
        }
    });
    if let Some(problem) = whom_problem(&inputs.whom, view.own.peer_id) {
        note_ui(ui, &problem, palette(ui).bad_text);
        return;
    }
    if let Some(target) = Target::of(&inputs.whom, view) {
        inputs.adding = false;
        ask_ui(ui, &target, inputs, action);
        return;
    }
    if inputs.whom.trim().is_empty() && inputs.adding {
        note_ui(ui, word("home.add_hint"), palette(ui).dim);
    }
    let whom = inputs.whom.trim();
    if wanted && !whom.is_empty() {
        // A contact's name means the contact, wherever they are.
        let same = |name: &str| name.to_lowercase() == whom.to_lowercase();
        let contact = view.contacts.iter().find(|contact| same(&contact.name));
        let whom = contact.map_or_else(|| whom.to_owned(), |contact| contact.peer_id.to_string());
        *action = Some(Action::Ask(Command::Call { whom, with_video: true }));
    }
}

fn note_ui(ui: &mut Ui, text: &str, ink: egui::Color32) {
    ui.add_space(6.0);
    ui.add(Label::new(RichText::new(text).font(theme::font(theme::SMALL)).color(ink)).wrap());
}

/// Who and where, and what to do about them. Nobody is called before one of these buttons is pressed.
fn ask_ui(ui: &mut Ui, target: &Target, inputs: &mut HomeInputs, action: &mut Option<Action>) {
    let palette = palette(ui);
    ui.add_space(10.0);
    let card =
        Frame::new().fill(palette.bg).stroke(Stroke::new(1.0, palette.line)).corner_radius(theme::RADIUS);
    card.inner_margin(Margin::same(12)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        who_ui(ui, target);
        if !target.contact {
            let naming = inputs.naming.get_or_insert_default();
            if naming.peer != Some(target.peer) {
                *naming = Naming { peer: Some(target.peer), name: target.name.clone().unwrap_or_default() };
            }
            let width = ui.available_width();
            let label = word("home.name_them");
            field_ui(ui, Id::unique("name them"), &mut naming.name, label, label, width);
        }
        let whom = inputs.whom.trim().to_owned();
        let call = |with_video| Action::Ask(Command::Call { whom: whom.clone(), with_video });
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
            let small = |ui: &mut Ui, kind, label| button_sized(ui, kind, None, label, 30.0, 12.0).clicked();
            if small(ui, Kind::Primary, word("home.ask_video")) {
                *action = Some(call(true));
                inputs.whom.clear();
            }
            if small(ui, Kind::Plain, word("home.ask_audio")) {
                *action = Some(call(false));
                inputs.whom.clear();
            }
            if target.contact {
                if small(ui, Kind::Plain, word("home.ask_write")) {
                    *action = Some(Action::OpenConversation(target.peer));
                    inputs.whom.clear();
                }
            } else if small(ui, Kind::Plain, word("home.add")) {
                let typed = inputs.naming.take().unwrap_or_default().name;
                let name =
                    if typed.trim().is_empty() { target.peer.short() } else { typed.trim().to_owned() };
                let server = target.server.clone();
                *action = Some(Action::Ask(Command::AddContact { peer: target.peer, name, server }));
                inputs.whom.clear();
            }
        });
    });
}

fn who_ui(ui: &mut Ui, target: &Target) {
    let palette = palette(ui);
    let short = target.peer.short();
    let name = target.name.as_deref().unwrap_or(&short);
    let server = target.server.as_deref().unwrap_or_else(|| word("home.this_server"));
    let lines =
        [word_with("home.ask_id", &[("id", &short)]), word_with("home.ask_server", &[("server", server)])];
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 58.0), egui::Sense::hover());
    paint_avatar(ui, Rect::from_min_size(rect.min, vec2(36.0, 36.0)), name, Dot::None);
    let text = Rect::from_min_max(rect.min + vec2(46.0, 0.0), rect.max);
    let mut child = ui.new_child(UiBuilder::new().max_rect(text).layout(Layout::top_down(Align::Min)));
    child.spacing_mut().item_spacing.y = 3.0;
    child.add(Label::new(RichText::new(name).font(theme::strong(theme::BODY))).truncate());
    for line in lines {
        let small = RichText::new(line).font(theme::font(theme::SMALL)).color(palette.dim);
        child.add(Label::new(small).truncate());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_shows_who_and_where_and_does_not_filter() {
        let link = Link {
            peer: PeerId([7; 32]),
            server: Some("rtmfp://example.org".into()),
            weak: None,
            name: Some("Bo".into()),
            addresses: vec![],
        };
        let target = Target::of(&link.to_text(), &ClientView::default()).expect("known");
        assert_eq!(target.name.as_deref(), Some("Bo"));
        assert_eq!(target.server.as_deref(), Some("rtmfp://example.org"));
        assert!(!target.contact);
        assert_eq!(needle(&link.to_text()), "");
        assert_eq!(needle(" Ada "), "ada");
    }
}
