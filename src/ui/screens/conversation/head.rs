//! What stands above a conversation: who, whether they can be reached, and what can be done.

use egui::{Align, Label, Layout, Rect, RichText, Sense, Ui, Vec2, WidgetInfo};

use super::{Shown, call, presence_words};
use crate::call::Command;
use crate::ui::action::Action;
use crate::ui::parts::avatar::avatar_ui;
use crate::ui::parts::button::{Kind, button, icon_button, link};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::menu::{button_menu, grave_item, item};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

pub(super) fn head_ui(ui: &mut Ui, shown: &Shown<'_>, erasing: &mut bool) -> Option<Action> {
    let mut action = None;
    let talk = &shown.talk;
    let tight = ui.available_width() < 480.0;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = if tight { 8.0 } else { 12.0 };
        if shown.narrow && icon_button(ui, Icon::Back, word("home.back")).clicked() {
            action = Some(Action::Back);
        }
        avatar_ui(ui, talk.name, 40.0, shown.presence.into());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let more = icon_button(ui, Icon::More, word("chat.more"));
            if let Some(asked) = button_menu(&more, |ui| menu_ui(ui, shown, erasing)) {
                action = asked.or(action.take());
            }
            if tight {
                if icon_button(ui, Icon::Camera, word("chat.video")).clicked() {
                    action = Some(call(talk.peer_id, true));
                }
                if icon_button(ui, Icon::Phone, word("chat.audio")).clicked() {
                    action = Some(call(talk.peer_id, false));
                }
            } else {
                if button(ui, Kind::Primary, Some(Icon::Camera), word("chat.video")).clicked() {
                    action = Some(call(talk.peer_id, true));
                }
                if button(ui, Kind::Plain, Some(Icon::Phone), word("chat.audio")).clicked() {
                    action = Some(call(talk.peer_id, false));
                }
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| who_ui(ui, shown, &mut action));
        });
    });
    action
}

fn who_ui(ui: &mut Ui, shown: &Shown<'_>, action: &mut Option<Action>) {
    let palette = palette(ui);
    ui.spacing_mut().item_spacing.y = 3.0;
    // A row is as high as its words, not as a button.
    ui.spacing_mut().interact_size.y = 0.0;
    ui.add_space(12.0);
    ui.add(Label::new(RichText::new(shown.talk.name).font(theme::strong(theme::HEAD))).truncate());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        if shown.contact.is_some_and(|contact| contact.verified) {
            verified_ui(ui);
        }
        let small = |text: &str| RichText::new(text).font(theme::font(theme::SMALL)).color(palette.dim);
        let presence = if shown.blocked { word("home.blocked") } else { presence_words(shown.presence) };
        let room = ui.available_width();
        ui.add(Label::new(small(presence)).truncate());
        if room > 190.0 {
            let id = shown.talk.peer_id;
            ui.label(small("·"));
            let short = RichText::new(id.short()).font(theme::mono(theme::TINY)).color(palette.dim);
            ui.label(short).on_hover_text(id.to_string());
            if link(ui, word("chat.copy_id")).clicked() {
                *action = Some(Action::CopyText(id.to_string()));
            }
        }
    });
}

/// The shield of somebody whose code was compared.
fn verified_ui(ui: &mut Ui) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(16.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, word("home.verified")));
    let square = Rect::from_center_size(rect.center(), Vec2::splat(16.0));
    paint_icon(ui.painter(), Icon::Shield, square, palette(ui).dim);
    response.on_hover_text(word("home.verified_hint"));
}

fn menu_ui(ui: &mut Ui, shown: &Shown<'_>, erasing: &mut bool) -> Option<Action> {
    let mut action = None;
    let peer = shown.talk.peer_id;
    let name = || shown.talk.name.to_owned();
    if shown.contact.is_none() && item(ui, word("home.add")) {
        action = Some(Action::Ask(Command::AddContact { peer, name: name(), server: None }));
    }
    if item(ui, word("home.copy_their_id")) {
        action = Some(Action::CopyText(peer.to_string()));
    }
    if item(ui, word("chat.export")) {
        action = Some(Action::ChooseExport(peer));
    }
    ui.separator();
    let block = if shown.blocked { word("home.unblock") } else { word("home.block") };
    if item(ui, block) {
        action = Some(Action::Ask(Command::SetBlocked { peer, blocked: !shown.blocked }));
    }
    if shown.contact.is_some() && item(ui, word("home.remove")) {
        action = Some(Action::RemoveContact { peer, name: name() });
    }
    let label = word_with("chat.erase", &[("name", shown.talk.name)]);
    if shown.talk.conversation.is_some() && grave_item(ui, &label) {
        *erasing = true;
    }
    action
}
