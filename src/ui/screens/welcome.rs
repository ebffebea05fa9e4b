//! The first run: a name, a look at one's camera, the devices.

use egui::{
    Align, CentralPanel, Frame, Id, Label, Layout, Margin, Rect, RichText, ScrollArea, Sense, Stroke, Ui,
    vec2,
};

use crate::call::{ClientView, Command};
use crate::settings::Setting;
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button_sized, button_width, link};
use crate::ui::parts::device_picker::{Which, device_picker_ui, device_problem_ui};
use crate::ui::parts::field::field_ui;
use crate::ui::parts::level_meter::level_meter_ui;
use crate::ui::parts::picture_tile::{Fit, paint_picture};
use crate::ui::parts::typed::{name_problem, server_problem};
use crate::ui::textures::Shown;
use crate::ui::theme::{self, palette};
use crate::ui::words::language::{ALL, own_name};
use crate::ui::words::{spoken, word, word_with};

/// What the person typed so far.
#[derive(Clone, Debug, Default)]
pub struct WelcomeInputs {
    name: String,
    server: String,
    server_open: bool,
    tried: bool,
    began: bool,
    again: bool,
}

impl WelcomeInputs {
    /// The same card once more, to try the devices: with the name and the server in use.
    pub fn again(view: &ClientView) -> Self {
        Self {
            name: view.own.name.clone(),
            server: view.own.server_url.clone().unwrap_or_default(),
            again: true,
            ..Self::default()
        }
    }
}

/// Draws the first run. `picture` is our own.
pub fn welcome_ui(
    ui: &mut Ui,
    view: &ClientView,
    picture: Option<Shown>,
    inputs: &mut WelcomeInputs,
) -> Option<Action> {
    let palette = palette(ui);
    let mut action = None;
    CentralPanel::no_frame().frame(Frame::new().fill(palette.bg)).show(ui, |ui| {
        let screen = ui.max_rect();
        let width = (screen.width() - 24.0).min(760.0);
        let wide = width >= 700.0;
        let padding = if wide { 36.0 } else { 20.0 };
        let height_id = Id::unique("welcome height");
        let known = ui.data(|data| data.get_temp::<f32>(height_id)).unwrap_or(490.0);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.add_space(((screen.height() - known) / 2.0).max(12.0));
            let card = ui.horizontal(|ui| {
                ui.add_space((screen.width() - width) / 2.0);
                Frame::new()
                    .fill(palette.panel)
                    .stroke(Stroke::new(1.0, palette.line))
                    .corner_radius(theme::CARD_RADIUS)
                    .inner_margin(Margin::same(padding as i8))
                    .show(ui, |ui| {
                        // The line around the card takes a point on each side.
                        ui.set_width(width - 2.0 * padding - 2.0);
                        ui.with_layout(Layout::top_down(Align::Min), |ui| {
                            card_ui(ui, view, picture, inputs, wide, &mut action);
                        });
                    })
                    .response
                    .rect
            });
            let height = card.inner.height();
            if (height - known).abs() > 0.5 {
                ui.data_mut(|data| data.insert_temp(height_id, height));
                ui.ctx().request_repaint();
            }
            ui.add_space(12.0);
        });
    });
    action
}

fn card_ui(
    ui: &mut Ui,
    view: &ClientView,
    picture: Option<Shown>,
    inputs: &mut WelcomeInputs,
    wide: bool,
    action: &mut Option<Action>,
) {
    let palette = palette(ui);
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = 0.0;
    let (title, text) = if inputs.again {
        (word("welcome.again"), word("welcome.again_text"))
    } else {
        (word("welcome.title"), word("welcome.text"))
    };
    let title = RichText::new(title).font(theme::strong(26.0));
    if wide {
        ui.horizontal(|ui| {
            ui.label(title);
            languages_ui(ui, action);
        });
    } else {
        languages_ui(ui, action);
        ui.label(title);
    }
    ui.add_space(8.0);
    ui.add(Label::new(RichText::new(text).color(palette.dim)).wrap());
    ui.add_space(if wide { 22.0 } else { 12.0 });
    if wide {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 28.0;
            ui.vertical(|ui| {
                ui.set_width(340.0);
                preview_ui(ui, picture, view, vec2(340.0, 200.0));
            });
            ui.vertical(|ui| fields_ui(ui, view, inputs, action));
        });
    } else {
        preview_ui(ui, picture, view, vec2(width, (width * 9.0 / 16.0).min(128.0)));
        ui.add_space(14.0);
        fields_ui(ui, view, inputs, action);
    }
    ui.add_space(if wide { 24.0 } else { 14.0 });
    foot_ui(ui, view, inputs, action);
}

/// Every language by its own name, small in the corner.
fn languages_ui(ui: &mut Ui, action: &mut Option<Action>) {
    ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        for language in ALL.into_iter().rev() {
            if language == spoken() {
                let ink = palette(ui).faint;
                ui.label(RichText::new(own_name(language)).font(theme::font(theme::SMALL)).color(ink));
            } else if link(ui, own_name(language)).clicked() {
                *action = Some(Action::Ask(Command::Set(Setting::Language(Some(language)))));
            }
        }
    });
}

fn preview_ui(ui: &mut Ui, picture: Option<Shown>, view: &ClientView, size: egui::Vec2) {
    let (devices, mirrored) = (&view.devices, view.settings.video.mirror);
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    own_preview_as(ui, rect, picture, mirrored, theme::PICTURE_RADIUS);
    // Without a camera the sentence under its list says so.
    if picture.is_some() || Which::Camera.problem(devices).is_none() {
        ui.add_space(8.0);
        let text = RichText::new(word("welcome.preview")).color(palette.dim);
        ui.add(Label::new(text.font(theme::font(theme::SMALL))).wrap());
    }
}

/// Our own picture, or a sentence in its place. `mirrored` as in a mirror, which is how one knows oneself.
pub fn own_preview_as(ui: &Ui, rect: Rect, picture: Option<Shown>, mirrored: bool, radius: u8) {
    ui.painter().rect_filled(rect, radius, theme::NO_PREVIEW);
    match picture {
        Some(picture) => paint_picture(ui.painter(), picture, rect, Fit::Fill, mirrored, radius),
        None => {
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                word("welcome.no_picture"),
                theme::font(theme::SMALL),
                theme::GLASS_DIM,
            );
        }
    }
}

/// Our own picture, mirrored, or a sentence in its place.
pub fn own_preview(ui: &Ui, rect: Rect, picture: Option<Shown>, radius: u8) {
    own_preview_as(ui, rect, picture, true, radius);
}

fn fields_ui(ui: &mut Ui, view: &ClientView, inputs: &mut WelcomeInputs, action: &mut Option<Action>) {
    let width = ui.available_width();
    let name_id = Id::unique("welcome name");
    caption(ui, word("welcome.name"));
    let name = field_ui(ui, name_id, &mut inputs.name, word("welcome.name"), "", width);
    if !std::mem::replace(&mut inputs.began, true) {
        name.response.request_focus();
    }
    if name.entered {
        finish(inputs, action);
    }
    if inputs.tried {
        problem(ui, name_problem(&inputs.name));
    }
    for which in [Which::Camera, Which::Microphone, Which::Speaker] {
        ui.add_space(11.0);
        caption(ui, which.label());
        let command = if which == Which::Speaker {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 10.0;
                let chosen = device_picker_ui(
                    ui,
                    which,
                    &view.devices,
                    width - 10.0 - button_width(ui, word("device.test"), 14.0),
                );
                let test =
                    button_sized(ui, Kind::Plain, None, word("device.test"), theme::BUTTON_HEIGHT, 14.0);
                if test.on_hover_text(word("device.test_long")).clicked() {
                    return Some(Command::TestSpeaker);
                }
                chosen
            })
            .inner
        } else {
            device_picker_ui(ui, which, &view.devices, width)
        };
        *action = command.map(Action::Ask).or(action.take());
        if which == Which::Microphone {
            ui.add_space(6.0);
            level_meter_ui(ui, view.microphone_level);
        }
        device_problem_ui(ui, which, &view.devices);
    }
}

fn foot_ui(ui: &mut Ui, view: &ClientView, inputs: &mut WelcomeInputs, action: &mut Option<Action>) {
    let go_on = if inputs.again { word("welcome.done") } else { word("welcome.continue") };
    let palette = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.set_min_height(40.0);
        let reserved = button_width(ui, go_on, 22.0) + 16.0;
        let width = (ui.available_width() - reserved).max(100.0);
        ui.allocate_ui_with_layout(vec2(width, 40.0), Layout::left_to_right(Align::Center), |ui| {
            if inputs.server_open {
                let id = Id::unique("welcome server");
                let label = word("welcome.server_address");
                let width = width.min(340.0);
                let server = field_ui(ui, id, &mut inputs.server, label, word("welcome.server_hint"), width);
                if server.entered {
                    finish(inputs, action);
                }
            } else {
                let typed = inputs.server.trim();
                let server = if typed.is_empty() { word("welcome.built_in") } else { typed };
                let text = word_with("welcome.server", &[("server", server)]);
                let text = RichText::new(text).font(theme::font(theme::SMALL)).color(palette.faint);
                ui.scope(|ui| {
                    ui.set_max_width(width - button_width(ui, word("welcome.change"), 8.0));
                    ui.add(Label::new(text).truncate());
                });
                inputs.server_open = link(ui, word("welcome.change")).clicked();
                if inputs.server_open {
                    ui.memory_mut(|memory| memory.request_focus(Id::unique("welcome server")));
                }
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if button_sized(ui, Kind::Primary, None, go_on, 40.0, 22.0).clicked() {
                finish(inputs, action);
            }
        });
    });
    problem(ui, server_problem(&inputs.server).filter(|_| inputs.tried));
    if inputs.server_open {
        nearby_servers_ui(ui, view, inputs, action);
    }
}

/// The servers on the local network, so that nobody has to type an address; or the offer to look for them.
fn nearby_servers_ui(
    ui: &mut Ui,
    view: &ClientView,
    inputs: &mut WelcomeInputs,
    action: &mut Option<Action>,
) {
    ui.add_space(6.0);
    if view.settings.local_network != Some(true) {
        if link(ui, word("welcome.look_nearby")).clicked() {
            *action = Some(Action::Ask(Command::Set(Setting::LocalNetwork(true))));
        }
        return;
    }
    for server in view.servers_nearby.iter() {
        if link(ui, &word_with("network.nearby_server", &[("name", &server.name)])).clicked() {
            inputs.server.clone_from(&server.url);
        }
    }
    if view.servers_nearby.is_empty() {
        let ink = palette(ui).faint;
        let text = RichText::new(word("welcome.none_nearby")).font(theme::font(theme::SMALL)).color(ink);
        ui.add(Label::new(text).wrap());
    }
}

fn finish(inputs: &mut WelcomeInputs, action: &mut Option<Action>) {
    inputs.tried = true;
    if name_problem(&inputs.name).is_none() && server_problem(&inputs.server).is_none() {
        let server = inputs.server.trim();
        *action = Some(Action::FinishWelcome {
            name: inputs.name.trim().to_owned(),
            server: (!server.is_empty()).then(|| server.to_owned()),
        });
    }
}

fn caption(ui: &mut Ui, text: &str) {
    let ink = palette(ui).dim;
    ui.label(RichText::new(text).font(theme::font(theme::SMALL)).color(ink));
    ui.add_space(3.0);
}

fn problem(ui: &mut Ui, sentence: Option<String>) {
    if let Some(sentence) = sentence {
        ui.add_space(4.0);
        let ink = palette(ui).bad_text;
        ui.add(Label::new(RichText::new(sentence).font(theme::font(theme::SMALL)).color(ink)).wrap());
    }
}
