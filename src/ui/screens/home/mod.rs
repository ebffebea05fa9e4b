//! The list: ourselves, whom to call, what was written, whom we know, who is here. What is chosen in it shows beside it.
//!
//! `own_card` is what others see of us, `find` the field that finds and asks, `list` who is listed where and in which
//! order, `row` how one of them is drawn. Of thousands of people only those in sight are laid out.

mod find;
mod list;
mod own_card;
mod row;

use egui::{
    Align, CentralPanel, Frame, Label, Layout, Margin, Panel, Rect, RichText, ScrollArea, Stroke, Ui,
    UiBuilder, vec2,
};

use crate::call::view::{OwnCard, Reach, ServerState};
use crate::call::{ClientView, Command, PeerId};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::button::{Kind, button, button_width, link};
use crate::ui::parts::icon::Icon;
use crate::ui::parts::qr::Qr;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};
use find::Naming;
use list::Listed;

/// What the person typed, and what stays for a moment.
#[derive(Default)]
pub struct HomeInputs {
    whom: String,
    naming: Option<Naming>,
    adding: bool,
    renaming: Option<(PeerId, String)>,
    listed: Option<Listed>,
    qr: Option<Qr>,
    focus_field: bool,
    /// Until when "Copied" shows, in seconds of the window's clock.
    pub copied_until: f64,
}

impl HomeInputs {
    /// With something to dial written already.
    pub fn dialling(whom: String) -> Self {
        Self { whom, ..Self::default() }
    }

    /// Writes a link where one finds people: it is asked about, and nobody is called.
    pub fn ask_about(&mut self, link: String) {
        self.whom = link;
        self.focus_field = true;
    }
}

/// Draws the list into the room it is given. `selected` is whose conversation is open.
pub fn list_ui(
    ui: &mut Ui,
    view: &ClientView,
    selected: Option<PeerId>,
    inputs: &mut HomeInputs,
    clock: &Clock,
) -> Option<Action> {
    let palette = palette(ui);
    let mut action = None;
    let room = ui.max_rect();
    // Where it is low, the field and the list need the room more than air does.
    let low = room.height() < 560.0;
    ui.painter().rect_filled(room, 0.0, palette.panel);
    ui.spacing_mut().item_spacing.y = 0.0;
    Frame::new()
        .inner_margin(Margin::symmetric(16, if low { 10 } else { 16 }))
        .show(ui, |ui| own_card::own_card_ui(ui, view, inputs, &mut action));
    let line = ui.cursor().top();
    ui.painter().hline(room.x_range(), line, Stroke::new(1.0, palette.line));
    Frame::new()
        .inner_margin(Margin { left: 16, right: 16, top: if low { 8 } else { 12 }, bottom: 4 })
        .show(ui, |ui| find::find_ui(ui, view, inputs, &mut action));
    let below = Rect::from_min_max(ui.cursor().min, room.max);
    let foot = Rect::from_min_max(egui::pos2(room.left(), room.bottom() - FOOT), room.max);
    let people = Rect::from_min_max(below.min, egui::pos2(room.right(), foot.top()));
    let mut child = ui.new_child(UiBuilder::new().max_rect(people).layout(Layout::top_down(Align::Min)));
    child.set_clip_rect(people.intersect(ui.clip_rect()));
    people_ui(&mut child, view, selected, inputs, clock, &mut action);
    let mut child = ui.new_child(UiBuilder::new().max_rect(foot).layout(Layout::top_down(Align::Min)));
    foot_ui(&mut child, foot, inputs);
    action
}

/// Height of the strip below the list.
const FOOT: f32 = 38.0;

fn foot_ui(ui: &mut Ui, foot: Rect, inputs: &mut HomeInputs) {
    ui.painter().hline(foot.x_range(), foot.top(), Stroke::new(1.0, palette(ui).line));
    let inner = foot.shrink2(vec2(16.0, 0.0));
    let mut child =
        ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::right_to_left(Align::Center)));
    if link(&mut child, word("home.add_contact")).clicked() {
        inputs.adding = true;
        inputs.focus_field = true;
    }
}

fn people_ui(
    ui: &mut Ui,
    view: &ClientView,
    selected: Option<PeerId>,
    inputs: &mut HomeInputs,
    clock: &Clock,
    action: &mut Option<Action>,
) {
    let HomeInputs { listed, whom, renaming, .. } = inputs;
    let listed = Listed::current(listed, view, find::needle(whom));
    ScrollArea::vertical().id_salt("people").auto_shrink(false).show_viewport(ui, |ui, viewport| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_height(listed.end() + 12.0);
        let content = ui.max_rect();
        for at in listed.visible(viewport.min.y, viewport.max.y) {
            let (entry, top, bottom) = listed.at(at);
            let min = egui::pos2(content.left(), content.top() + top);
            let rect = Rect::from_min_size(min, vec2(content.width(), bottom - top));
            if let Some(asked) = row::entry_ui(ui, rect, entry, selected, renaming, clock) {
                *action = Some(asked);
            }
        }
    });
}

/// Draws what stands beside the list while nothing is chosen.
pub fn start_ui(ui: &mut Ui, view: &ClientView, copied: bool) -> Option<Action> {
    let own = &view.own;
    let palette = palette(ui);
    let mut action = None;
    CentralPanel::no_frame().frame(Frame::new().fill(palette.bg).inner_margin(24.0)).show(ui, |ui| {
        let height = ui.available_height();
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.set_max_width(ui.available_width().min(460.0));
            ui.add_space((height / 2.0 - 110.0).max(16.0));
            let title = RichText::new(word("home.start_title")).font(theme::strong(20.0));
            ui.add(Label::new(title).wrap().halign(Align::Center));
            ui.add_space(6.0);
            let centred =
                |text| Label::new(RichText::new(text).color(palette.dim)).wrap().halign(Align::Center);
            ui.add(centred(word("home.start_text")));
            ui.add_space(18.0);
            let Some(id) = own.peer_id else { return };
            ui.add(centred(word("home.start_id")));
            ui.add_space(6.0);
            ui.label(RichText::new(id.short()).font(theme::mono(13.0)).color(palette.text));
            ui.add_space(8.0);
            let (icon, label) =
                if copied { (Icon::Tick, word("own.copied")) } else { (Icon::Copy, word("home.copy_id")) };
            if button(ui, Kind::Plain, Some(icon), label).clicked() {
                action = Some(Action::CopyPeerId);
            }
            // Asked once; afterwards it is in the settings.
            if view.settings.local_network.is_none() {
                local_network_question_ui(ui, &mut action);
            }
        });
    });
    action
}

/// Draws the same question as a strip at the bottom, for a window that is too narrow for more than the list.
pub fn local_network_strip_ui(ui: &mut Ui, view: &ClientView) -> Option<Action> {
    if view.settings.local_network.is_some() {
        return None;
    }
    let palette = palette(ui);
    let mut action = None;
    let strip = Panel::bottom("local network question").resizable(false);
    strip.frame(Frame::new().fill(palette.raised).inner_margin(Margin::symmetric(16, 10))).show(ui, |ui| {
        let text = RichText::new(word("home.ask_nearby")).font(theme::font(theme::SMALL)).color(palette.text);
        ui.add(Label::new(text).wrap());
        ui.add_space(8.0);
        ui.horizontal(|ui| answers_ui(ui, &mut action));
    });
    action
}

/// Whether the program may look for others on the local network, and be seen there.
fn local_network_question_ui(ui: &mut Ui, action: &mut Option<Action>) {
    let ink = palette(ui).dim;
    ui.add_space(30.0);
    ui.separator();
    ui.add_space(14.0);
    let text = RichText::new(word("home.ask_nearby")).color(ink);
    ui.add(Label::new(text).wrap().halign(Align::Center));
    ui.add_space(10.0);
    let width: f32 = nearby_answers().iter().map(|(label, _)| button_width(ui, label, 14.0)).sum();
    ui.horizontal(|ui| {
        ui.add_space(((ui.available_width() - width - 8.0) / 2.0).max(0.0));
        answers_ui(ui, action);
    });
}

fn nearby_answers() -> [(&'static str, bool); 2] {
    [(word("home.allow_nearby"), true), (word("home.refuse_nearby"), false)]
}

fn answers_ui(ui: &mut Ui, action: &mut Option<Action>) {
    ui.spacing_mut().item_spacing.x = 8.0;
    for (label, allowed) in nearby_answers() {
        if button(ui, Kind::Plain, None, label).clicked() {
            *action = Some(Action::Ask(Command::Set(Setting::LocalNetwork(allowed))));
        }
    }
}

/// What is wrong with the server, and what can be done; `None` while all is well.
pub fn server_problem_words(own: &OwnCard) -> Option<String> {
    match &own.server_state {
        ServerState::NameRefused(why) => Some(word_with("problem.refused", &[("why", why.trim())])),
        ServerState::Unreachable { .. } => Some(silence_words(own.reach).to_owned()),
        ServerState::OtherKeys { .. } => Some(word("problem.other_keys").to_owned()),
        ServerState::Off | ServerState::Connecting | ServerState::Connected => None,
    }
}

/// Why the server does not answer, as far as can be told.
fn silence_words(reach: Reach) -> &'static str {
    word(match reach {
        Reach::Fine | Reach::NoAnswerYet => "problem.unreachable",
        Reach::UdpBlocked => "problem.udp_blocked",
        Reach::NobodyServes => "problem.nobody_serves",
        Reach::ServerSilent => "problem.server_silent",
        Reach::NothingAnswers => "problem.nothing_answers",
    })
}

/// Draws that as a strip above everything.
pub fn server_problem_ui(ui: &mut Ui, own: &OwnCard) -> Option<Action> {
    let sentence = server_problem_words(own)?;
    let palette = palette(ui);
    let mut action = None;
    let strip = Panel::top("server problem").resizable(false);
    strip.frame(Frame::new().fill(palette.raised).inner_margin(Margin::symmetric(16, 8))).show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(sentence).font(theme::font(13.0)).color(palette.bad_text));
            if link(ui, word("own.reconnect")).clicked() {
                action = Some(Action::Ask(Command::Reconnect));
            }
            if link(ui, word("own.settings")).clicked() {
                action = Some(Action::OpenSettings);
            }
        });
    });
    action
}
